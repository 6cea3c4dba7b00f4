//! A world of cells (files below `/cells`), modules that keep them, and a way to run a list.

use std::sync::{Arc, Mutex};

use evenkeel_engine::{
    Action, Attrs, Cause, Change, Done, Effect, Late, Module, Nature, NotYet, Plan, Probes, Run,
    Seen, Stop, Task, TaskList, Thing, Touches, Value, Write, ask,
    event::{Event, TaskFinished},
    fake::{self, FakeHost, World},
    hex,
    probes::{Digest, Stat},
    run::{Cancel, Options, Report, run},
    sha256,
};
use serde::{Deserialize, Serialize};

pub(crate) fn path(cell: &str) -> String {
    format!("/cells/{cell}")
}

/// Keeps a cell at a value, by a file action or by a program that says what it writes.
pub(crate) struct Cell;

#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub(crate) struct CellArgs {
    pub(crate) cell: String,
    #[schemars(with = "String")]
    pub(crate) value: Late<String>,
    /// Done by the program `put`, which fails while `/broken/LABEL` is there.
    pub(crate) put: Option<String>,
    pub(crate) long: bool,
}

/// What a cell holds at the end.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) digest: Option<String>,
}

impl Module for Cell {
    const NAME: &'static str = "cell";
    const ABOUT: &'static str = "keeps a cell at a value";
    const EXAMPLE: &'static str = "";
    type Args = CellArgs;
    type Output = Held;

    fn observe(args: &CellArgs, _: &Seen) -> Probes {
        let path = path(&args.cell);
        vec![
            ask(Digest(path.clone())),
            ask(Stat(path)),
            ask(Stat("/cells".into())),
        ]
    }

    fn plan(args: &CellArgs, seen: &Seen) -> Result<Plan, Stop> {
        let path = path(&args.cell);
        let now = *seen.get(&Digest(path.clone()))?;
        let value = args.value.get()?;
        let wanted = sha256(value.as_bytes());
        if now == Some(wanted) {
            return Ok(Plan::nothing());
        }
        let change = Change::new("value", now.map(|sha| hex(&sha[..4])), value.as_str());
        let change = match &args.put {
            None => change.step(Action::Write(Write {
                path,
                content: value.as_str().into(),
                attrs: Attrs::default(),
                if_was: Some(now),
                ..Write::default()
            })),
            Some(label) => {
                let mut run = Run::new(["put", label, &args.cell, value]);
                run.long = args.long;
                let step = evenkeel_engine::Step::from(run);
                change.step(step.effect(Effect::new(Digest(path), Some(wanted))))
            }
        };
        Ok(change.into())
    }

    fn output(args: &CellArgs, after: &Seen, _: &[Done]) -> Result<Held, Stop> {
        let digest = after.get(&Digest(path(&args.cell)))?;
        Ok(Held {
            digest: digest.map(|sha| hex(&sha[..4])),
        })
    }

    fn touches(args: &CellArgs) -> Touches {
        Touches::writes([Thing::Path(path(&args.cell))])
    }

    fn subject(args: &CellArgs) -> String {
        args.cell.clone()
    }
}

/// Runs `sum LABEL OUT IN…`: OUT becomes a digest of what it held and of all IN. Nobody is told
/// what it touches.
pub(crate) struct Sum;

#[derive(Clone, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub(crate) struct SumArgs {
    pub(crate) label: String,
    pub(crate) out: String,
    pub(crate) ins: Vec<String>,
    pub(crate) long: bool,
    /// A cell whose being there is a guard.
    pub(crate) creates: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct Printed {
    pub(crate) stdout: String,
}

impl Module for Sum {
    const NAME: &'static str = "sum";
    const NATURE: Nature = Nature::Command;
    const ABOUT: &'static str = "adds up cells";
    const EXAMPLE: &'static str = "";
    type Args = SumArgs;
    type Output = Printed;

    fn observe(args: &SumArgs, _: &Seen) -> Probes {
        let guard = args.creates.iter();
        guard.map(|cell| ask(Stat(path(cell)))).collect()
    }

    fn plan(args: &SumArgs, seen: &Seen) -> Result<Plan, Stop> {
        let mut cause = Cause::Unguarded;
        if let Some(cell) = &args.creates
            && !seen.is_called()
        {
            if seen.get(&Stat(path(cell)))?.is_some() {
                return Ok(Plan::guarded("creates"));
            }
            cause = Cause::Guard("creates");
        }
        let argv = ["sum".to_owned(), args.label.clone(), args.out.clone()];
        let mut run = Run::new(argv.into_iter().chain(args.ins.clone()));
        run.long = args.long;
        let change = Change::new("sum", Value::Null, args.out.as_str());
        Ok(change.because(cause).step(run).into())
    }

    fn output(args: &SumArgs, after: &Seen, done: &[Done]) -> Result<Printed, Stop> {
        let guard = args.creates.as_deref().map(|cell| Stat(path(cell)));
        let rests = match &guard {
            Some(guard) => after.get(guard)?.is_some(),
            None => false,
        };
        match done.first() {
            Some(done) => Ok(Printed {
                stdout: String::from_utf8_lossy(&done.stdout).into_owned(),
            }),
            None if rests => Ok(Printed {
                stdout: String::new(),
            }),
            None => Err(NotYet::new("what `sum` prints").into()),
        }
    }

    fn touches(_: &SumArgs) -> Touches {
        Touches::everything()
    }

    fn subject(args: &SumArgs) -> String {
        args.label.clone()
    }
}

pub(crate) fn cell(name: &str, cell: &str, value: &str) -> Task {
    let args = CellArgs {
        cell: cell.to_owned(),
        value: Late::of(value),
        put: None,
        long: false,
    };
    Task::new::<Cell>(name, args)
}

/// By the program; it can be broken under its name.
pub(crate) fn put(name: &str, cell: &str, value: &str) -> Task {
    let args = CellArgs {
        cell: cell.to_owned(),
        value: Late::of(value),
        put: Some(name.to_owned()),
        long: false,
    };
    Task::new::<Cell>(name, args)
}

pub(crate) fn sum(name: &str, out: &str, ins: &[&str]) -> Task {
    let args = SumArgs {
        label: name.to_owned(),
        out: out.to_owned(),
        ins: ins.iter().map(|&cell| cell.to_owned()).collect(),
        ..SumArgs::default()
    };
    Task::new::<Sum>(name, args)
}

fn is_broken(world: &World, label: &str) -> bool {
    world.exists(&format!("/broken/{label}"))
}

/// A host on which `put` and `sum` work. Each `sum` also counts itself in the cell `count-LABEL`.
pub(crate) fn host() -> FakeHost {
    FakeHost::new()
        .dir("/cells")
        .dir("/broken")
        .dir("/counts")
        .program("put", |world, call| {
            let args: Vec<String> = call.argv[1..].to_vec();
            if is_broken(world, &args[0]) {
                return fake::failed(1, "it is broken\n");
            }
            world.write(&path(&args[1]), &args[2]);
            fake::ok("")
        })
        .program("sum", |world, call| {
            let args: Vec<String> = call.argv[1..].to_vec();
            if is_broken(world, &args[0]) {
                return fake::failed(1, "it is broken\n");
            }
            let held = |cell: &String| world.text(&path(cell)).unwrap_or_default();
            let text: String = args[2..].iter().map(held).collect();
            let text = hex(&sha256(text.as_bytes())[..4]);
            world.write(&path(&args[1]), &text);
            let counts = format!("/counts/{}", args[0]);
            let count = world.text(&counts).unwrap_or_default() + "I";
            world.write(&counts, count);
            fake::ok(text)
        })
}

/// How often a `sum` ran.
pub(crate) fn count(host: &FakeHost, label: &str) -> usize {
    let count = host.world().text(&format!("/counts/{label}"));
    count.unwrap_or_default().len()
}

/// What the cells hold.
pub(crate) fn cells(host: &FakeHost) -> Vec<(String, String)> {
    let world = host.world();
    let below = world.paths().filter(|path| path.starts_with("/cells/"));
    below
        .map(|path| (path.to_owned(), world.text(path).unwrap_or_default()))
        .collect()
}

/// A run that came to its end, with all it said.
pub(crate) struct Ran {
    pub(crate) report: Report,
    pub(crate) events: Vec<Event>,
    pub(crate) exchanges: usize,
}

impl Ran {
    pub(crate) fn finished(&self) -> impl Iterator<Item = &TaskFinished> {
        self.events.iter().filter_map(|event| match event {
            Event::TaskFinished(task) => Some(task.as_ref()),
            _ => None,
        })
    }

    /// `task: outcome [changes]`, as it was told.
    pub(crate) fn told(&self) -> Vec<String> {
        let line = |task: &TaskFinished| {
            let items = task.items.iter().flat_map(|item| &item.changes);
            let error = match &task.error {
                Some(error) => format!(" ({})", error.message),
                None => String::new(),
            };
            let what: Vec<_> = task
                .changes
                .iter()
                .chain(items)
                .map(|c| c.what.as_str())
                .collect();
            format!(
                "{}: {:?} {}{error}",
                task.name.task,
                task.outcome,
                what.join(",")
            )
        };
        self.finished().map(line).collect()
    }

    /// Events without what a clock says.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.events.iter().map(line).collect()
    }

    pub(crate) fn of(&self, task: &str) -> Option<&TaskFinished> {
        self.finished().find(|finished| finished.name.task == task)
    }

    pub(crate) fn reason(&self, task: &str) -> String {
        self.of(task)
            .map_or_else(String::new, |task| task.reason.to_string())
    }
}

fn line(event: &Event) -> String {
    let mut json = serde_json::to_value(event).unwrap();
    if let Some(map) = json.as_object_mut() {
        map.remove("duration_ms");
    }
    json.to_string()
}

/// Runs tasks on one host that is called `box`.
pub(crate) fn go(host: &Arc<FakeHost>, tasks: Vec<Task>) -> Ran {
    go_with(host, tasks, Options::new())
}

pub(crate) fn go_with(host: &Arc<FakeHost>, tasks: Vec<Task>, options: Options) -> Ran {
    go_list(list(host, tasks), options, &Cancel::new(), host)
}

pub(crate) fn list(host: &Arc<FakeHost>, tasks: Vec<Task>) -> TaskList {
    let mut list = TaskList::new("kit");
    list.host(
        "box",
        Arc::clone(host) as Arc<dyn evenkeel_engine::host::Host>,
    );
    for task in tasks {
        list.task(task);
    }
    list
}

pub(crate) fn go_list(
    list: TaskList,
    options: Options,
    cancel: &Cancel,
    host: &Arc<FakeHost>,
) -> Ran {
    let events = Arc::new(Mutex::new(Vec::new()));
    let sink = {
        let events = Arc::clone(&events);
        move |event: &Event| events.lock().unwrap().push(event.clone())
    };
    let before = host.exchanges().len();
    let list = Arc::new(list);
    let running = run(list, options, Arc::new(sink), cancel.clone());
    let report = runtime().block_on(running).unwrap();
    let events = std::mem::take(&mut *events.lock().unwrap());
    Ran {
        report,
        events,
        exchanges: host.exchanges().len() - before,
    }
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

pub(crate) fn in_order() -> Options {
    Options {
        in_order: true,
        ..Options::new()
    }
}
