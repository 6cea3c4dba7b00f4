//! The commands, one file each.

use std::{
    panic::PanicHookInfo,
    sync::atomic::{AtomicBool, Ordering},
};

use clap::{CommandFactory as _, Parser as _, error::ErrorKind};

use crate::{
    cli::{Cli, Command, Ledger},
    exit::Exit,
    report::out,
};

mod ansible_cfg;
mod audit;
mod connect;
mod exec;
mod explain;
mod facts;
mod graph;
mod inventory;
mod keys;
mod ledger;
mod load;
mod modules;
mod page;
mod password;
mod prompts;
mod run;
mod schema;
mod signals;
mod validate;
mod vault;

/// Whether a bug of ours showed itself.
static BUG: AtomicBool = AtomicBool::new(false);

/// The program: does what a command line says and tells how it ended.
pub fn main(words: impl IntoIterator<Item = std::ffi::OsString>) -> Exit {
    std::panic::set_hook(Box::new(|info| {
        BUG.store(true, Ordering::Relaxed);
        out::talk(&bug(info));
    }));
    let ended =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            match Cli::try_parse_from(words) {
                Ok(cli) => dispatch(&cli.command),
                Err(error) => refuse(&error),
            }
        }));
    if BUG.load(Ordering::Relaxed) {
        return Exit::Bug;
    }
    ended.unwrap_or(Exit::Bug)
}

fn dispatch(command: &Command) -> Exit {
    match command {
        Command::Run(args) => run::run(args),
        Command::Plan(args) => run::plan(args),
        Command::Validate(args) => validate::validate(args),
        Command::Explain(args) => explain::explain(args),
        Command::Graph(args) => graph::graph(args),
        Command::Inventory(args) => inventory::inventory(args),
        Command::Exec(args) => exec::exec(args),
        Command::Facts(args) => facts::facts(args),
        Command::Ledger(Ledger::Show(args)) => ledger::show(args),
        Command::Ledger(Ledger::Forget(args)) => ledger::forget(args),
        Command::Vault(command) => vault::vault(command),
        Command::Modules(args) => modules::modules(args),
        Command::Schema(args) => schema::schema(args),
        Command::Completions(args) => {
            let mut script = Vec::new();
            clap_complete::generate(args.shell, &mut Cli::command(), "evenkeel", &mut script);
            out::report(&String::from_utf8_lossy(&script));
            Exit::Good
        }
    }
}

/// Prints help where that was asked for, else what is wrong with the command line.
fn refuse(error: &clap::Error) -> Exit {
    let text = error.render().ansi().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            out::report(&text);
            Exit::Good
        }
        _ => {
            out::talk(&text);
            Exit::Input
        }
    }
}

/// The words for a bug of ours.
fn bug(info: &PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let what = text.unwrap_or("no message");
    let place = info.location().map(|place| format!(" ({place})"));
    format!(
        "evenkeel has a bug: {}{}\n\
         what was running on hosts may go on; the next run finds it again\n\
         please report this, with the command line: {}/issues\n",
        crate::printable::block(what.trim_start_matches("BUG: ")),
        place.unwrap_or_default(),
        env!("CARGO_PKG_REPOSITORY"),
    )
}

/// Says what is wrong with the command line, and what to do.
fn wrong(message: &str, help: &str) -> Exit {
    out::talk(&format!("error: {message}\nhelp: {help}\n"));
    Exit::Input
}
