//! evenkeel.

pub mod ast;
pub mod diagnostic;
pub mod files;
pub mod inventory;
pub mod parse;
pub mod settings;
pub mod words;
pub mod yaml;
pub mod template;
pub mod vars;
pub mod load;
pub mod lower;
