//! The program over SSH, against simulated hosts: no root, no sshd, no other machine.

mod over_ssh {
    mod bars;
    mod runs;
}
