//! The run held to its promises, on hosts in memory.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

mod away;
mod basics;
mod called;
mod check;
mod cut;
mod elsewhere;
mod fetch;
mod forced;
mod hosts;
mod joins;
mod links;
mod lock;
mod long;
mod order;
mod pace;
mod rehearse;
mod secrets;
mod survive;
