//! The runner as a whole, by the real program, on this machine.
//!
//! What needs a package index, `strace`, root or much time is ignored, with the word for it; `.ci/run` runs
//! that too.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod runner {
    mod beside;
    mod control;
    mod cut;
    mod drift;
    mod dynamic;
    mod ending;
    mod examples;
    mod failing;
    mod fetch;
    mod foretell;
    mod given;
    mod handlers;
    mod include;
    mod inventory;
    mod killed;
    mod late;
    mod limits;
    mod made_here;
    mod many;
    mod quickstart;
    mod readme;
    mod together;
    mod url;
    mod vault;
}
