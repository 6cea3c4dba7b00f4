//! `evenkeel run` and `evenkeel plan`.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use evenkeel_download::Downloader;
use evenkeel_engine::{
    HostId, TaskList,
    event::Sink,
    keep::LocalFiles,
    run::{self as engine, Cancel, Mode, Options, Report, RunError},
};

use super::{
    audit, load,
    page::{self, PageFile},
    signals, validate,
};
use crate::{
    cli::{Exec, Execution, Output, Plan, Reporting, Run, Selection},
    exit::Exit,
    load::Loaded,
    printable,
    report::{
        html::Html,
        human::Human,
        json::Json,
        junit::Junit,
        out::{self, Printer},
        progress::Live,
    },
};

/// `evenkeel run`.
pub(super) fn run(args: &Run) -> Exit {
    let looks = Looks {
        mode: if args.check { Mode::Check } else { Mode::Apply },
        diff: args.diff,
        changes_count: false,
    };
    books(&args.selection, &args.execution, &args.reporting, &looks)
}

/// `evenkeel plan`.
pub(super) fn plan(args: &Plan) -> Exit {
    let looks = Looks {
        mode: Mode::Check,
        diff: true,
        changes_count: args.exit_code,
    };
    books(&args.selection, &args.execution, &args.reporting, &looks)
}

/// In what `run` and `plan` differ.
struct Looks {
    mode: Mode,
    diff: bool,
    /// Whether changes make a status of their own.
    changes_count: bool,
}

/// One task, ad hoc: `text` is its play.
pub(super) fn once(args: &Exec, selection: &Selection, text: &str) -> Exit {
    let looks = Looks {
        mode: if args.check { Mode::Check } else { Mode::Apply },
        diff: args.diff,
        changes_count: false,
    };
    let how = Execution {
        forks: args.forks,
        in_order: false,
        keep_going: false,
        force_handlers: false,
        lock_wait: args.lock_wait,
        list_hosts: args.list_hosts,
        list_tasks: false,
        list_tags: false,
        syntax_check: false,
    };
    // What it gives is what it is done for.
    let reporting = Reporting {
        report: args.reporting.report.clone(),
        verbose: args.reporting.verbose.max(1),
        output: args.reporting.output,
    };
    let json = reporting.output == Output::Json;
    let check = looks.mode == Mode::Check;
    go(selection, &how, &reporting, &looks, || {
        load::load_text_for(selection, text, check, looks.diff, json)
    })
}

/// Playbooks of files.
fn books(selection: &Selection, how: &Execution, reporting: &Reporting, looks: &Looks) -> Exit {
    if how.syntax_check {
        return validate::checked(selection, reporting.output == Output::Json);
    }
    let json = reporting.output == Output::Json;
    go(selection, how, reporting, looks, || {
        // Who only lists is asked nothing.
        let asks = !(how.list_hosts || how.list_tasks || how.list_tags);
        load::load_for(
            selection,
            looks.mode == Mode::Check,
            looks.diff,
            (json, asks),
        )
    })
}

fn go(
    selection: &Selection,
    how: &Execution,
    reporting: &Reporting,
    looks: &Looks,
    load: impl FnOnce() -> Result<Loaded, Exit>,
) -> Exit {
    let file = match reporting.report.as_deref().map(page_file).transpose() {
        Ok(file) => file,
        Err(exit) => return exit,
    };
    let loaded = match load() {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    if how.list_hosts || how.list_tasks || how.list_tags {
        out::report(&lists(&loaded, how));
        return Exit::Good;
    }
    let usual = options(selection, how.forks, &loaded);
    // Who has one host at a time done counts on the order in which they are listed.
    let in_order = how.in_order || usual.forks == 1;
    let options = Options {
        mode: looks.mode,
        diff: looks.diff || file.is_some(),
        in_order,
        keep_going: how.keep_going,
        force_handlers: how.force_handlers,
        lock_wait: Duration::from_secs(how.lock_wait),
        results: reporting.verbose >= 1,
        ..usual
    };
    let report: Box<dyn crate::report::Report> = match reporting.output {
        Output::Human => Box::new(Human::new(reporting.verbose)),
        Output::Json => Box::new(Json),
        Output::Junit => Box::new(Junit::default()),
    };
    let live = Some(Live::start());
    let Some(file) = file else {
        let printer = Printer::new(report, live);
        let ran = perform(loaded.list, options, &printer);
        drop(printer);
        return ended(ran, looks.changes_count);
    };
    let graph = match page::drawing(&loaded.list, in_order) {
        Ok(graph) => graph,
        Err(error) => return ended(Err(error.into()), false),
    };
    let printer = Printer::with_page(report, live, Html::new(graph), looks.diff);
    let ran = perform(loaded.list, options, &printer);
    let html = printer.page();
    drop(printer);
    let exit = ended(ran, looks.changes_count);
    match html.map(|html| file.write(&html)) {
        None => exit,
        Some(Ok(())) => {
            let path = file.path().display().to_string();
            out::talk(&format!("report written to {}\n", printable::line(&path)));
            exit
        }
        Some(Err(error)) => {
            out::talk(&unwritable(file.path(), &error));
            exit.or(Exit::Failed)
        }
    }
}

/// The file of `--report`.
fn page_file(path: &Path) -> Result<PageFile, Exit> {
    PageFile::new(path).map_err(|error| {
        out::talk(&unwritable(path, &error));
        Exit::Input
    })
}

fn unwritable(path: &Path, error: &io::Error) -> String {
    let path = path.display().to_string();
    format!(
        "error: the report cannot be written to `{}`: {error}\n\
         help: name a file in a folder that you may write to\n",
        printable::line(&path)
    )
}

/// What all runs have in common.
pub(super) fn options(selection: &Selection, forks: Option<usize>, loaded: &Loaded) -> Options {
    let usual = Options::new();
    let set = loaded
        .settings
        .forks
        .and_then(|forks| usize::try_from(forks).ok());
    let names = selection
        .playbooks
        .iter()
        .map(|path| path.display().to_string());
    let playbook = selection.playbooks.first();
    Options {
        playbooks: names.collect(),
        audit: playbook
            .map(|path| audit::audit(path, &loaded.known))
            .unwrap_or_default(),
        forks: forks.or(set).unwrap_or(usual.forks),
        reconnect: Duration::from_secs(selection.connection.reconnect),
        keep: Arc::new(LocalFiles),
        downloads: cache().map_or(usual.downloads, |cache| Arc::new(Downloader::new(cache))),
        ..usual
    }
}

/// Where files of servers are kept that are got for hosts.
fn cache() -> Option<PathBuf> {
    let set = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let set = set.filter(|path| path.is_absolute());
    let cache = set.or_else(|| Some(std::env::home_dir()?.join(".cache")))?;
    Some(cache.join("evenkeel").join("downloads"))
}

/// Why a run did not come about.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// The playbooks cannot be run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// This machine does not let us.
    #[error("this machine does not let evenkeel work: {0}")]
    Machine(#[from] io::Error),
}

/// Runs a list, until it has ended or signals stop it.
pub(super) fn perform(
    list: TaskList,
    options: Options,
    printer: &Arc<Printer>,
) -> Result<Report, Trouble> {
    let runtime = tokio::runtime::Runtime::new()?;
    let report = runtime.block_on(async {
        let cancel = Cancel::new();
        signals::watch(cancel.clone(), Arc::clone(printer))?;
        let sink: Arc<dyn Sink> = Arc::<Printer>::clone(printer);
        Ok(engine::run(Arc::new(list), options, sink, cancel).await?)
    });
    // What an aborted run left behind is not waited for.
    runtime.shutdown_background();
    report
}

/// How the program ends.
pub(super) fn ended(ran: Result<Report, Trouble>, changes_count: bool) -> Exit {
    let report = match ran {
        Ok(report) => report,
        Err(trouble) => {
            out::talk(&format!(
                "error: {}\n",
                printable::block(&trouble.to_string())
            ));
            return Exit::Input;
        }
    };
    let mut exit = if report.ok { Exit::Good } else { Exit::Failed };
    if report.interrupted {
        exit = Exit::Interrupted;
    }
    for host in report.hosts.values() {
        if host.unreachable {
            exit = exit.or(Exit::Unreachable);
        }
        if host.failed > 0 {
            exit = exit.or(Exit::Failed);
        }
        if changes_count && host.changed + host.unknown > 0 {
            exit = exit.or(Exit::Changes);
        }
    }
    exit
}

/// `--list-hosts`, `--list-tasks`, `--list-tags`.
fn lists(loaded: &Loaded, how: &Execution) -> String {
    let mut out = String::new();
    let mut section = |title: &str, lines: &mut dyn Iterator<Item = String>| {
        writeln!(out, "{title}").expect("a string takes all");
        for line in lines {
            writeln!(out, "  {}", printable::line(&line)).expect("a string takes all");
        }
    };
    if how.list_hosts {
        // Hosts of which others only read facts are none of the run's.
        let run_on = |host: HostId| {
            let mut tasks = loaded
                .list
                .tasks
                .iter()
                .filter(|task| task.host == host)
                .peekable();
            tasks.peek().is_none() || tasks.any(|task| !task.silent)
        };
        let hosts = (0..).map(HostId).zip(&loaded.list.hosts);
        let hosts = hosts.filter(|(id, _)| run_on(*id));
        section("hosts", &mut hosts.map(|(_, host)| host.name.clone()));
    }
    if how.list_tasks {
        for (number, play) in loaded.list.plays.iter().enumerate() {
            let title = format!("play {}", printable::line(play));
            section(
                title.trim_end(),
                &mut tasks(&loaded.list, number).into_iter(),
            );
        }
    }
    if how.list_tags {
        section("tags", &mut loaded.tags.iter().cloned());
    }
    out
}

/// The tasks of a play in listed order, each once for all hosts.
fn tasks(list: &TaskList, play: usize) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut lines = Vec::new();
    for task in &list.tasks {
        let place = task
            .place
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        let line = format!("{}  ({}, {place})", task.name, task.module);
        if task.play as usize == play && task.selected && !task.silent && seen.insert(line.clone())
        {
            lines.push(line);
        }
    }
    lines
}
