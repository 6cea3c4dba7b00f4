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

/// Whether hosts of a lab can be booted here. Where `EVENKEEL_LAB` is `required`, as in CI, they have to be.
pub fn need_lab() -> bool {
    let programs = [
        "mmdebstrap",
        "systemd-nspawn",
        "nft",
        "ethtool",
        "ssh",
        "ip",
        "unshare",
        "python3",
    ];
    let mut there = need_root();
    for program in programs {
        there = there && need(program, &format!("command -v {program}"));
    }
    there = there && need("namespaces", "unshare --mount --net --pid --fork true");
    let required = std::env::var_os("EVENKEEL_LAB").is_some_and(|word| word == "required");
    assert!(there || !required, "a lab is required, and cannot be here");
    there
}
