//! Chores of evenkeel's developers: `cargo xtask --help`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it talks to whoever started it"
)]

mod manuals;
mod new_module;

use std::{path::Path, process::ExitCode};

use clap::Parser;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Chores of evenkeel's developers")]
enum Chore {
    /// Write the manuals of all modules, docs/modules/*.md
    Manuals {
        /// Only say which ones are not what they should be, and fail if there is one
        #[arg(long)]
        check: bool,
    },
    /// Begin a module: its file, its cases, and the lines that make them known
    NewModule {
        /// Its name in playbooks, words joined by `-`
        name: String,
    },
}

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let done = match Chore::parse() {
        Chore::Manuals { check: true } => manuals::check(&root),
        Chore::Manuals { check: false } => manuals::write(&root),
        Chore::NewModule { name } => new_module::begin(&root, &name),
    };
    match done {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}
