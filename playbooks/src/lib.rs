//! evenkeel.

pub mod ast;
pub mod cli;
mod command;
pub mod diagnostic;
pub mod exit;
pub mod files;
pub mod parse;
pub mod printable;
pub mod prose;
pub mod report;
pub mod words;
pub mod yaml;

pub use command::main;
