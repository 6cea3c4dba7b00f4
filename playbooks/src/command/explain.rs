//! `evenkeel explain`: a run in check mode, told task by task with what each waits for.

use std::collections::BTreeMap;

use evenkeel_engine::{Graph, TaskId, TaskList, run::Mode};

use super::{load, run, wrong};
use crate::{
    cli::Explain,
    exit::Exit,
    printable,
    report::{
        explain::{self, Edges, Named},
        out::{self, Printer},
        progress::Live,
    },
    words,
};

/// How many edges of a task are named.
const EDGES: usize = 12;

/// `evenkeel explain`.
pub(super) fn explain(args: &Explain) -> Exit {
    let loaded = match load::load(&args.selection, true, false) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let usual = run::options(&args.selection, args.forks, &loaded);
    let list = loaded.list;
    if let Some(task) = &args.task {
        if let Err(exit) = known(task, &list) {
            return exit;
        }
    }
    let graph = match evenkeel_engine::run::graph(&list, args.in_order) {
        Ok(graph) => graph,
        Err(error) => return run::ended(Err(error.into()), false),
    };
    for edge in graph.dropped() {
        let (from, to) = (&list.tasks[edge.from.index()], &list.tasks[edge.to.index()]);
        out::report(&format!(
            "`{}` does not wait for `{}` ({}): explicit edges say the opposite\n",
            printable::line(&to.name),
            printable::line(&from.name),
            edge.kind,
        ));
    }
    let report = explain::Explain::new(edges(&graph, &list), args.task.clone());
    let printer = Printer::new(Box::new(report), Some(Live::start()));
    let options = evenkeel_engine::run::Options {
        mode: Mode::Check,
        in_order: args.in_order,
        ..usual
    };
    let ran = run::perform(list, options, &printer);
    drop(printer);
    run::ended(ran, false)
}

/// Whether there is such a task.
pub(super) fn known(task: &str, list: &TaskList) -> Result<(), Exit> {
    let tasks = || list.tasks.iter().filter(|task| !task.silent);
    let ids = tasks().filter_map(|task| task.id.as_deref());
    let names = ids.chain(tasks().map(|task| task.name.as_str()));
    if names.clone().any(|name| name == task) {
        return Ok(());
    }
    let help = words::did_you_mean(task, names);
    let help = help.unwrap_or_else(|| "`--list-tasks` of `evenkeel run` lists all".to_owned());
    Err(wrong(
        &format!("no task has the name or id `{task}`"),
        &help,
    ))
}

/// What each task waits for, in words.
fn edges(graph: &Graph, list: &TaskList) -> Edges {
    let mut all: Edges = BTreeMap::new();
    for index in 0..u32::try_from(list.tasks.len()).unwrap_or(u32::MAX) {
        let to = TaskId(index);
        let mut by_task: BTreeMap<TaskId, Vec<String>> = BTreeMap::new();
        for edge in graph.edges_into(to) {
            by_task
                .entry(edge.from)
                .or_default()
                .push(edge.kind.to_string());
        }
        let more = by_task.len().saturating_sub(EDGES);
        let said = all.entry(named(list, to)).or_default();
        for (from, why) in by_task.iter().rev().take(EDGES).rev() {
            let task = &list.tasks[from.index()];
            let host = if task.host == list.tasks[to.index()].host {
                String::new()
            } else {
                format!(" on {}", list.hosts[task.host.index()].name)
            };
            said.push(format!("`{}`{host}: {}", task.name, why.join(", ")));
        }
        if more > 0 {
            said.push(format!("{more} more listed before these"));
        }
    }
    all
}

fn named(list: &TaskList, task: TaskId) -> Named {
    let task = &list.tasks[task.index()];
    (
        list.hosts[task.host.index()].name.clone(),
        task.name.clone(),
        task.place.as_ref().map(ToString::to_string),
    )
}
