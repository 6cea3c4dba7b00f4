//! evenkeel.

pub mod cli;
mod command;
pub mod diagnostic;
pub mod exit;
pub mod files;
pub mod printable;
pub mod prose;
pub mod report;
pub mod words;

pub use command::main;
