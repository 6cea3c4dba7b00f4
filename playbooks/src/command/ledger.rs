//! `evenkeel ledger`: what earlier runs recorded on a host.

use std::sync::Arc;

use evenkeel_engine::{
    host::{Host, HostError, LedgerPlace},
    ledger::{self, LedgerView, RecordView},
};

use super::{load, wrong};
use crate::{
    cli::{LedgerForget, LedgerOptions, LedgerShow, PlainOutput},
    exit::Exit,
    printable, prose,
    report::out,
};

/// `evenkeel ledger show`.
pub(super) fn show(args: &LedgerShow) -> Exit {
    let (host, place) = match reach(&args.host, &args.place) {
        Ok(reached) => reached,
        Err(exit) => return exit,
    };
    match on(async { ledger::show(&*host, place).await }) {
        Ok(view) if args.output == PlainOutput::Json => {
            let text = serde_json::to_string(&view).expect("a ledger is JSON");
            out::report(&format!("{}\n", printable::json(&text)));
            Exit::Good
        }
        Ok(view) => {
            out::report(&human(&view));
            Exit::Good
        }
        Err(error) => failed(&args.host, &error),
    }
}

/// `evenkeel ledger forget`.
pub(super) fn forget(args: &LedgerForget) -> Exit {
    let (host, place) = match reach(&args.host, &args.place) {
        Ok(reached) => reached,
        Err(exit) => return exit,
    };
    match on(async { ledger::forget(&*host, place, args.task.as_deref()).await }) {
        Ok(0) => nothing(args),
        Ok(number) => {
            out::report(&format!(
                "{} forgotten\n",
                prose::count(number as u64, "task")
            ));
            Exit::Good
        }
        Err(error) => failed(&args.host, &error),
    }
}

/// There was nothing to forget; a name that is not there is a mistake.
fn nothing(args: &LedgerForget) -> Exit {
    if let Some(task) = &args.task {
        return wrong(
            &format!("the ledger of `{}` knows no task `{task}`", args.host),
            "`evenkeel ledger show` lists them; `--become` means the ledger that root keeps",
        );
    }
    out::report("there was nothing to forget\n");
    Exit::Good
}

/// The host, and which of its ledgers is meant: that of root if a task there would become root.
fn reach(name: &str, options: &LedgerOptions) -> Result<(Arc<dyn Host>, LedgerPlace), Exit> {
    let selection = load::line(
        &options.inventory,
        &options.privilege,
        &options.connection,
        &options.vault,
    );
    let play = serde_json::json!([{
        "hosts": name,
        "gather_facts": false,
        "tasks": [{"debug": {"msg": ""}}],
    }]);
    let list = load::load_text(&selection, &play.to_string())?.list;
    let ([host], [task]) = (&list.hosts[..], &list.tasks[..]) else {
        let many = list.hosts.len() as u64;
        let what = match many {
            0 => format!("the inventory knows no host `{name}`"),
            _ => format!("`{name}` stands for {}", prose::count(many, "host")),
        };
        return Err(wrong(
            &what,
            "name one host of the inventory that `-i` gives",
        ));
    };
    let place = if task.identity.is_root() {
        LedgerPlace::Root(task.identity.clone())
    } else {
        LedgerPlace::User
    };
    Ok((Arc::clone(&host.host), place))
}

fn on<T>(work: impl Future<Output = Result<T, HostError>>) -> Result<T, HostError> {
    let runtime = tokio::runtime::Runtime::new();
    let runtime = runtime.map_err(|error| HostError::Unreachable(error.to_string()))?;
    runtime.block_on(work)
}

fn failed(host: &str, error: &HostError) -> Exit {
    let (error, help) = (error.to_string(), error.help());
    out::talk(&format!("error: {host}: {}\n", printable::block(&error)));
    if let Some(help) = help {
        out::talk(&format!("help: {}\n", printable::block(help)));
    }
    Exit::Unreachable
}

fn human(view: &LedgerView) -> String {
    if view.serial == 0 {
        return "no run has recorded anything here\n".to_owned();
    }
    let mut out = format!("machine {}\n", printable::line(&view.machine));
    let mut scope = None;
    for record in &view.records {
        let here = (&record.project, &record.host);
        if scope != Some(here) {
            scope = Some(here);
            let (project, host) = (printable::line(here.0), printable::line(here.1));
            out += &format!("\nproject {project}, host {host}\n");
        }
        out += &line(record);
    }
    out += "\nruns\n";
    for run in &view.runs {
        let commit = run
            .commit
            .as_ref()
            .map(|commit| format!(", commit {commit}"));
        let text = format!(
            "{}  {} of {} by {} on {}{}",
            run.at,
            run.run,
            run.project,
            run.who,
            run.from,
            commit.unwrap_or_default(),
        );
        out += &format!("  {}\n", printable::line(&text));
    }
    out
}

fn line(record: &RecordView) -> String {
    let name = match record.name.as_str() {
        "" => String::new(),
        name if name == record.task => String::new(),
        name => format!("  ({name})"),
    };
    let when = if record.at.is_empty() {
        String::new()
    } else {
        format!("  {}", record.at)
    };
    let owes = if record.owes.is_empty() {
        String::new()
    } else {
        format!("  owes {}", record.owes.join(", "))
    };
    let ended = prose::pad(record.ended, "interrupted".len());
    let text = format!("{ended}  {}{name}{when}{owes}", record.task);
    format!("  {}\n", printable::line(&text))
}
