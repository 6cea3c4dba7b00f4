//! The program over SSH, against simulated hosts: no root, no sshd, no other machine.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod over_ssh {
    mod bars;
    mod many;
    mod runs;
}
