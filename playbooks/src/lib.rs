//! The playbook runner of evenkeel: the language, inventories, variables, templates, the command line
//! and its reports, on top of the engine.

pub mod ast;
mod bounded;
pub mod cli;
#[expect(
    clippy::format_push_string,
    reason = "texts are short, and writing to a string cannot fail"
)]
mod command;
pub mod diagnostic;
pub mod exit;
mod expand;
pub mod files;
pub mod inventory;
pub mod load;
mod looked;
mod lower;
#[expect(
    clippy::format_push_string,
    reason = "texts are short, and writing to a string cannot fail"
)]
pub mod manual;
mod open;
pub mod parse;
#[expect(
    clippy::format_push_string,
    reason = "texts are short, and writing to a string cannot fail"
)]
pub mod printable;
pub mod prose;
#[expect(
    clippy::format_push_string,
    reason = "texts are short, and writing to a string cannot fail"
)]
pub mod report;
pub mod schema;
pub mod settings;
pub mod template;
pub mod vars;
pub mod vault;
pub mod words;
pub mod yaml;

pub use command::main;
