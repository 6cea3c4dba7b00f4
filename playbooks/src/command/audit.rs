//! Who runs what, from where: for the ledgers of hosts.

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
};

use evenkeel_engine::run::Audit;
use jiff::Timestamp;

/// As it is now, for playbooks beside this one, by an inventory with these hosts.
pub(super) fn audit(playbook: &Path, hosts: &[String]) -> Audit {
    let user = env::var("SUDO_USER").ok();
    let machine = fs::read_to_string("/proc/sys/kernel/hostname");
    Audit {
        who: user.unwrap_or_else(local_user),
        from: machine.unwrap_or_default().trim().to_owned(),
        commit: commit(playbook),
        at: format!("{:.0}", Timestamp::now()),
        hosts: hosts.to_vec(),
    }
}

/// The user of this machine who started us.
pub(super) fn local_user() -> String {
    let user = ["USER", "LOGNAME"].map(env::var);
    let user = user.into_iter().find_map(Result::ok);
    user.or_else(|| said_by(Command::new("id").arg("-un")))
        .unwrap_or_default()
}

/// The commit that is checked out there, if git knows it.
fn commit(playbook: &Path) -> Option<String> {
    let folder = match playbook.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Without a repository there is nothing to ask: a program less.
    let folder = folder.canonicalize().ok()?;
    if !folder.ancestors().any(|above| above.join(".git").exists()) {
        return None;
    }
    let git = &mut Command::new("git");
    said_by(
        git.arg("-C")
            .arg(folder)
            .args(["rev-parse", "--verify", "--quiet", "HEAD"]),
    )
}

/// What a program prints, if it ends well and prints anything.
fn said_by(program: &mut Command) -> Option<String> {
    let output = program
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let said = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !said.is_empty()).then_some(said)
}
