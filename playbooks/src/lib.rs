//! evenkeel.

pub mod ast;
pub mod diagnostic;
pub mod files;
pub mod yaml;
pub mod template;
