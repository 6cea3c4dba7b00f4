//! Hosts over SSH for `evenkeel-engine`.

pub mod known_hosts;
mod pattern;

pub use known_hosts::{KnownHosts, Lookup, Verdict};
