//! What `ssh` says when it does not get through.

use std::{ffi::OsStr, io};

use evenkeel_engine::host::HostError;

/// The status with which `ssh` tells of its own failure.
const FAILED: i32 = 255;

/// Whether a session ended because the way to it was lost.
pub(super) fn lost(status: i32, said: &str) -> Option<HostError> {
    (status == FAILED).then(|| HostError::Lost(format!("`ssh` ended: {}", end_of(said))))
}

/// Why no connection came about.
pub(super) fn refused(host: &str, said: &str) -> HostError {
    let why = format!("`ssh {host}` says: {}", end_of(said));
    let has = |text: &str| said.contains(text);
    let help = if has("IDENTIFICATION HAS CHANGED") || has("is revoked") || has("REVOKED") {
        format!(
            "if the host was installed anew, forget its old key by `ssh-keygen -R {host}`; if not, \
             somebody may be listening in"
        )
    } else if has("Host key verification failed") {
        format!("call `ssh {host}` once, compare the fingerprint that it shows, and say yes")
    } else if has("Permission denied") || has("Too many authentication failures") {
        format!(
            "see that `ssh {host} true` works without a question: by an agent, a key without \
             passphrase, or another user (`ansible_user`)"
        )
    } else if has("bad configuration option") || has("Bad owner or permissions") {
        "correct the configuration of ssh".to_owned()
    } else {
        return HostError::Unreachable(why);
    };
    HostError::Barred { why, help }
}

/// There is no `ssh`, or it cannot be started.
pub(super) fn no_program(program: &OsStr, error: &io::Error) -> HostError {
    let name = program.to_string_lossy();
    HostError::Barred {
        why: format!("`{name}` cannot be started: {error}"),
        help: "install OpenSSH's client where evenkeel runs, or use the `ssh` connection, which \
               needs none"
            .into(),
    }
}

/// The last things said, as one line.
fn end_of(said: &str) -> String {
    let lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines: Vec<_> = lines.collect();
    match lines.as_slice() {
        [] => "nothing".to_owned(),
        lines => lines[lines.len().saturating_sub(3)..].join(" / "),
    }
}
