//! The program as its users see it: whole output, status, and what it leaves behind.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod cli {
    mod airflow;
    mod at_once;
    pub(crate) mod case;
    mod docs;
    mod elsewhere;
    mod exec;
    mod explain;
    mod facts;
    mod foreign;
    mod graph;
    mod help;
    mod hosts;
    mod include;
    mod inventory;
    mod ledger;
    mod mistakes;
    mod quickstart;
    mod refuse;
    mod report;
    mod run;
    mod signals;
    mod validate;
    mod vault;
    mod wait;
}
