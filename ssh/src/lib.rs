//! Hosts over SSH for `evenkeel-engine`.

pub mod config;
pub mod known_hosts;
mod pattern;
mod place;

pub use place::Place;
