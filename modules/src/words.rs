//! What programs say of their own failures.

use evenkeel_engine::{Done, Refusal};

/// Its last line says it all: that of a script of ours, or of a program with one reason to fail.
pub(crate) fn last_line(done: &Done) -> Option<Refusal> {
    let said = String::from_utf8_lossy(&done.stderr);
    let line = said.lines().rev().find(|line| !line.trim().is_empty())?;
    (done.status <= 125).then(|| Refusal::new(line.trim()))
}
