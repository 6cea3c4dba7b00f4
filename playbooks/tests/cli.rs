//! The program as its users see it: whole output, status, and what it leaves behind.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod cli {
    pub(crate) mod case;
    mod facts;
    mod help;
    mod ledger;
    mod quickstart;
    mod refuse;
    mod run;
    mod signals;
    mod validate;
}
