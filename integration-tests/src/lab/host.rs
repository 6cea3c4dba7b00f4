//! One host of a lab, looked at and changed out of band: not over ssh.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use super::leftovers::Traces;
use crate::{Ended, until};

/// A host that runs, or that is switched off.
#[derive(Debug)]
pub struct Host {
    name: String,
    address: String,
    /// The lab's directory.
    pub(super) lab: PathBuf,
    /// The lab's first process.
    pub(super) init: u32,
    /// What was there after it had booted.
    pub(super) before: Traces,
}

impl Host {
    pub(super) fn new(name: &str, address: &str, lab: &Path, init: u32) -> Self {
        Self {
            name: name.to_owned(),
            address: address.to_owned(),
            lab: lab.to_owned(),
            init,
            before: Traces::default(),
        }
    }

    /// A host of the lab that has this directory, wherever that was booted.
    pub fn find(lab: &Path, name: &str) -> Option<Self> {
        let init = std::fs::read_to_string(lab.join("init")).ok()?;
        let hosts = std::fs::read_to_string(lab.join("hosts")).ok()?;
        let mut hosts = hosts.lines().map(|line| line.split(' '));
        let mut found = hosts.find(|line| line.clone().next() == Some(name))?;
        let address = found.nth(1)?;
        Some(Self::new(name, address, lab, init.trim().parse().ok()?))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its address.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What a line for `sh` prints that root runs on it; it has to succeed.
    #[track_caller]
    pub fn sh(&self, line: &str) -> String {
        self.try_sh(line).ok().stdout
    }

    /// Whether a line for `sh` succeeds.
    pub fn is(&self, line: &str) -> bool {
        self.try_sh(line).status == 0
    }

    /// What becomes of a line for `sh` that root runs on it.
    #[track_caller]
    pub fn try_sh(&self, line: &str) -> Ended {
        Ended::new(&self.output(line, ""))
    }

    /// All that is below a path: kinds, modes, owners, targets of links and digests, one a line. Two trees are the same
    /// if these are.
    #[track_caller]
    pub fn tree(&self, path: &str) -> String {
        let files = "find . -type f -exec sha256sum {} +";
        self.sh(&format!(
            "cd {path} && {{ find . -printf '%p %M %u:%g %l\\n'; {files}; }} | LC_ALL=C sort"
        ))
    }

    /// Writes a file on it.
    #[track_caller]
    pub fn write(&self, path: &str, text: &str) -> &Self {
        Ended::new(&self.output(&format!("cat >'{path}'"), text)).ok();
        self
    }

    /// Sets sshd up in another way: lines of `sshd_config`, which count before those that are there.
    #[track_caller]
    pub fn sshd(&self, lines: &str) -> &Self {
        self.write("/etc/ssh/sshd_config.d/10-test.conf", lines);
        // However often a test does so: systemd would take it for a failure.
        self.sh("sshd -t && systemctl reset-failed ssh && systemctl restart ssh");
        self.wait_for_sshd();
        self
    }

    /// Waits until it has begun another boot than the one with this id, and is up.
    #[track_caller]
    pub fn wait_until_rebooted(&self, before: &str) {
        until(&format!("{} has begun another boot", self.name), || {
            self.first().is_some() && {
                let now = self.try_sh("cat /proc/sys/kernel/random/boot_id");
                now.status == 0 && now.stdout != before
            }
        });
        self.wait_until_up();
    }

    /// Switches it on, after it was switched off by whomever, and waits until it is up.
    pub fn power_on(&self) {
        std::fs::write(self.lab.join("on").join(&self.name), "").unwrap();
        self.wait_until_up();
    }

    /// Pulls the plug: each of its processes dies at once.
    #[track_caller]
    pub fn power_off(&self) {
        let first = self.first().expect("a host that is on");
        let kill = Command::new("kill").args(["-KILL", &first]).status();
        assert!(kill.unwrap().success());
        until("the host is off", || self.first().is_none());
    }

    /// Waits until it has booted and its sshd answers.
    #[track_caller]
    pub fn wait_until_up(&self) {
        until(&format!("{} has booted", self.name), || {
            self.first().is_some() && {
                let state = self
                    .try_sh("timeout 30 systemctl is-system-running --wait")
                    .stdout;
                ["running", "degraded"].contains(&state.trim())
            }
        });
        self.wait_for_sshd();
    }

    /// Returns when its PostgreSQL answers.
    pub fn wait_for_postgresql(&self) {
        until("PostgreSQL answers", || {
            self.is("runuser -u postgres -- psql -XqAtc 'SELECT 1'")
        });
    }

    /// Waits until its sshd answers, seen from the controller.
    #[track_caller]
    pub fn wait_for_sshd(&self) {
        let line = format!(
            "exec 3<>/dev/tcp/{}/22 && read -r -t 5 -u 3 said && [[ $said == SSH-* ]]",
            self.address
        );
        until(&format!("sshd answers on {}", self.name), || {
            let mut bash = super::within(self.init, "timeout".as_ref());
            bash.args(["10", "bash", "-c", &line]);
            bash.stdout(Stdio::null()).stderr(Stdio::null());
            bash.status().unwrap().success()
        });
    }

    /// Its control group of a kind (`unified`, `memory` …), or the one of all kinds.
    pub(super) fn group(&self, kind: &str) -> PathBuf {
        let lab = self.lab.file_name().unwrap();
        let root = Path::new("/sys/fs/cgroup");
        let root = if root.join("cgroup.controllers").exists() {
            root.to_owned()
        } else {
            root.join(kind)
        };
        root.join("evenkeel-lab").join(lab).join(&self.name)
    }

    /// The number that this machine has for the first process of the host.
    pub(super) fn first(&self) -> Option<String> {
        let group = self
            .group("unified")
            .join("payload/init.scope/cgroup.procs");
        let all = std::fs::read_to_string(group).ok()?;
        all.lines().next().map(str::to_owned)
    }

    #[track_caller]
    fn output(&self, line: &str, input: &str) -> Output {
        let first = self.first();
        let first = first.unwrap_or_else(|| panic!("{} is off", self.name));
        let mut command = Command::new("nsenter");
        // Only what `timeout` starts is a process of the host: a host that goes down stops all of its own,
        // and what is stopped bounds nothing.
        command.arg("--no-fork");
        command.args([
            "-m", "-u", "-i", "-p", "-C", "-n", "--root", "-t", &first, "--",
        ]);
        command.args(["env", "-i", "-C", "/", "HOME=/root", "LANG=C.UTF-8"]);
        command.arg("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.args(["timeout", "--kill-after=5", "60", "sh", "-c", line]);
        command.stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A program may end before it has read all: then it says so by its status.
        child.stdin.take().unwrap().write_all(input.as_bytes()).ok();
        child.wait_with_output().unwrap()
    }
}
