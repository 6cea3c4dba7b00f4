//! What a test needs of the machine, beyond `sh` and coreutils.

use std::process::{Command, Stdio};

/// Whether `command` (a line for `sh`) succeeds; where it does not, a word says what is skipped.
#[expect(clippy::print_stderr, reason = "a skipped test has to be seen")]
pub fn need(what: &str, command: &str) -> bool {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).stdin(Stdio::null());
    shell.stdout(Stdio::null()).stderr(Stdio::null());
    let there = shell.status().is_ok_and(|status| status.success());
    if !there {
        eprintln!("skipped: this machine has no {what}");
    }
    there
}

/// Whether this is root.
pub fn need_root() -> bool {
    need("root for this test", "test \"$(id -u)\" = 0")
}
