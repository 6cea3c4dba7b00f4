//! Rehearsals: what they say is what is foretold, and they are asked where nothing else can tell.

use std::sync::Arc;

use evenkeel_engine::{
    Cause, Change, Done, Module, Nature, NotYet, Plan, Probe, Probes, Rehearsal, Run, Seen, Stop,
    Task, Thing, Touches, Value, ask,
    event::Outcome,
    fake::{self, FakeHost, World},
    probes::Stat,
    run::Options,
    testing::{Case, Law, laws},
};
use serde::{Deserialize, Serialize};

use crate::kit::{Ran, cell, go, go_with, path, sum};

/// What `pour` would do to a cell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Dry {
    cell: String,
    drop: String,
}

impl Probe for Dry {
    const KIND: &'static str = "dry";
    const SCRIPT: &'static str = "exit 1";
    type Answer = Vec<Done>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.cell.clone().into(), self.drop.clone().into()]
    }

    fn parse(_: &[&Self], _: &[u8]) -> Result<Vec<Result<Vec<Done>, NotYet>>, String> {
        Err("no host but a fake one is asked".to_owned())
    }

    fn expected(&self, _: &Vec<Done>) -> Option<Vec<u8>> {
        None
    }

    fn reads(&self) -> Vec<Thing> {
        vec![Thing::Path(path(&self.cell))]
    }
}

/// Pours a drop into a cell: a command of which only its run can tell whether anything changes.
struct Pour;

#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
struct Args {
    cell: String,
    drop: String,
    unless: Option<String>,
    /// Why it cannot be rehearsed.
    never: Option<String>,
    /// Whether the drop comes of what is not known yet.
    later: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Poured {
    level: String,
}

/// The exit status if the cell takes nothing.
const FULL: i32 = 4;

impl Module for Pour {
    const NAME: &'static str = "pour";
    const NATURE: Nature = Nature::Command;
    const ABOUT: &'static str = "pours a drop";
    const EXAMPLE: &'static str = "";
    type Args = Args;
    type Output = Poured;

    fn observe(args: &Args, _: &Seen) -> Probes {
        let guard = args.unless.iter();
        guard.map(|cell| ask(Stat(path(cell)))).collect()
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        if let Some(cell) = &args.unless
            && seen.get(&Stat(path(cell)))?.is_some()
        {
            return Ok(Plan::guarded("unless"));
        }
        if args.later {
            return Err(NotYet::new("a drop").into());
        }
        let mut run = Run::new(["pour", &args.cell, &args.drop]);
        (run.ok, run.idle) = (vec![0, FULL], Some(FULL));
        let change = Change::new("drop", Value::Null, args.drop.as_str());
        let plan = Plan::from(change.because(Cause::Unguarded).step(run));
        Ok(plan.rehearsal(match &args.never {
            Some(why) => Rehearsal::none(why),
            None => Rehearsal::new(Dry {
                cell: args.cell.clone(),
                drop: args.drop.clone(),
            }),
        }))
    }

    fn output(_: &Args, _: &Seen, done: &[Done]) -> Result<Poured, Stop> {
        let done = done.first().ok_or_else(|| NotYet::new("the level"))?;
        let level = String::from_utf8_lossy(&done.stdout).into_owned();
        Ok(Poured { level })
    }

    fn touches(_: &Args) -> Touches {
        Touches::everything()
    }

    fn subject(args: &Args) -> String {
        args.cell.clone()
    }
}

fn args(cell: &str, drop: &str) -> Args {
    Args {
        cell: cell.to_owned(),
        drop: drop.to_owned(),
        unless: None,
        never: None,
        later: false,
    }
}

fn pour(name: &str, cell: &str, drop: &str) -> Task {
    Task::new::<Pour>(name, args(cell, drop))
}

/// What comes of it: a drop that is there already changes nothing, `stone` is no drop.
fn poured(world: &mut World, cell: &str, drop: &str) -> Done {
    let level = world.text(&path(cell)).unwrap_or_default();
    if drop == "stone" {
        return fake::failed(1, "no stones\n");
    }
    if level.contains(drop) {
        return Done {
            status: FULL,
            ..fake::ok(level)
        };
    }
    let level = level + drop;
    world.write(&path(cell), &level);
    fake::ok(level)
}

fn host() -> FakeHost {
    crate::kit::host()
        .program("pour", |world, call| {
            poured(world, &call.argv[1], &call.argv[2])
        })
        .model(
            |world: &World, dry: &Dry| match world.text("/cells/locked") {
                Some(_) => Err(NotYet::new("what a locked cell takes")),
                None => Ok(vec![poured(&mut world.clone(), &dry.cell, &dry.drop)]),
            },
        )
}

/// How often something was rehearsed.
fn rehearsals(host: &FakeHost) -> usize {
    let shown = |exchange| format!("{exchange:?}").matches("Dry {").count();
    host.exchanges().iter().map(shown).sum()
}

fn check(host: &Arc<FakeHost>, tasks: Vec<Task>) -> Ran {
    go_with(host, tasks, with_results(Options::new().check()))
}

fn with_results(options: Options) -> Options {
    Options {
        results: true,
        ..options
    }
}

fn results(ran: &Ran) -> Vec<serde_json::Value> {
    let mut all: Vec<_> = ran
        .finished()
        .filter_map(|task| task.result.clone())
        .collect();
    for result in &mut all {
        result.as_object_mut().expect("a map").remove("duration");
    }
    all
}

#[test]
fn what_it_says_is_foretold() {
    for (cell, drop, told) in [
        ("a", "x", "p: Changed drop"),
        ("full", "x", "p: Unchanged "),
        ("a", "stone", "p: Failed drop (`pour` failed with status 1)"),
    ] {
        let host = Arc::new(host().file("/cells/full", "x"));
        let before = host.world();
        let foretold = check(&host, vec![pour("p", cell, drop)]);
        assert!(host.world().changed_since(&before).is_empty());
        assert_eq!((host.steps(), rehearsals(&host)), (0, 1));
        let options = with_results(Options::new());
        let ran = go_with(&host, vec![pour("p", cell, drop)], options);
        assert_eq!(ran.told(), [told]);
        assert_eq!(foretold.told(), [told]);
        assert_eq!(results(&foretold), results(&ran));
        // It is asked nothing of the kind when it is really done.
        assert_eq!(rehearsals(&host), 1);
    }
}

#[test]
fn a_task_that_rests_is_not_rehearsed() {
    let host = Arc::new(host().file("/cells/there", ""));
    let rests = Args {
        unless: Some("there".to_owned()),
        ..args("a", "x")
    };
    let ran = check(&host, vec![Task::new::<Pour>("p", rests)]);
    assert_eq!(ran.told(), ["p: Unchanged "]);
    assert_eq!((rehearsals(&host), ran.exchanges), (0, 1));
}

#[test]
fn what_cannot_be_rehearsed_is_unknown_and_says_why() {
    let never = Args {
        never: Some("what a flood does".to_owned()),
        ..args("a", "x")
    };
    let free = Arc::new(host());
    let ran = check(&free, vec![Task::new::<Pour>("p", never)]);
    assert_eq!(ran.told(), ["p: Unknown drop"]);
    assert_eq!(ran.reason("p"), "not known yet: what a flood does");
    assert_eq!(rehearsals(&free), 0);
    let locked = Arc::new(host().file("/cells/locked", ""));
    let ran = check(&locked, vec![pour("p", "a", "x")]);
    assert_eq!(ran.told(), ["p: Unknown drop"]);
    assert_eq!(ran.reason("p"), "not known yet: what a locked cell takes");
}

#[test]
fn what_an_earlier_task_would_change_is_not_rehearsed() {
    for (first, why) in [
        (cell("first", "a", "x"), "what `first` makes"),
        (sum("first", "b", &[]), "what `first` changes"),
        (pour("first", "b", "x"), "what `first` changes"),
    ] {
        let host = Arc::new(host());
        let ran = check(&host, vec![first, pour("p", "a", "x")]);
        assert_eq!(ran.of("p").map(|task| task.outcome), Some(Outcome::Unknown));
        assert_eq!(ran.reason("p"), format!("not known yet: {why}"));
        let asked: usize = rehearsals(&host);
        assert!(asked <= 1, "{asked}");
    }
}

#[test]
fn what_changes_nothing_is_in_nobodys_way() {
    let host = Arc::new(host().file("/cells/full", "x").file("/cells/b", "1"));
    let tasks = || {
        vec![
            cell("another", "c", "1"),
            cell("rests", "b", "1"),
            pour("full", "full", "x"),
            pour("p", "a", "x"),
        ]
    };
    let told = [
        "another: Changed value",
        "rests: Unchanged ",
        "full: Unchanged ",
        "p: Changed drop",
    ];
    assert_eq!(check(&host, tasks()).told(), told);
    assert_eq!(go(&host, tasks()).told(), told);
}

#[test]
fn a_task_of_which_nothing_is_known_may_change_anything() {
    let host = Arc::new(host());
    let unclear = Args {
        later: true,
        ..args("b", "x")
    };
    let tasks = vec![Task::new::<Pour>("unclear", unclear), pour("p", "a", "x")];
    let ran = check(&host, tasks);
    assert_eq!(ran.reason("unclear"), "not known yet: a drop");
    assert_eq!(ran.reason("p"), "not known yet: what `unclear` changes");
    assert_eq!(rehearsals(&host), 0);
}

#[test]
fn a_task_that_alone_is_foretold_is_rehearsed_in_a_run() {
    let host = Arc::new(host());
    let mut dry = pour("dry", "a", "x");
    dry.check_mode = Some(true);
    let ran = go(&host, vec![pour("wet", "a", "x"), dry]);
    assert_eq!(ran.told(), ["wet: Changed drop", "dry: Unchanged "]);
    assert_eq!(rehearsals(&host), 1);
}

#[test]
fn a_rehearsal_keeps_the_laws() {
    laws([
        Case::new::<Pour>("a drop", host(), args("a", "x")),
        Case::new::<Pour>("full", host().file("/cells/a", "x"), args("a", "x")),
    ]);
    let lies = crate::kit::host()
        .program("pour", |world, call| {
            poured(world, &call.argv[1], &call.argv[2])
        })
        .model(|_: &World, _: &Dry| Ok(vec![fake::ok("something else")]));
    let broken = Case::new::<Pour>("a lie", lies, args("a", "x")).broken();
    let laws: Vec<_> = broken.iter().map(|broken| broken.law).collect();
    assert_eq!(laws, [Law::Foretold], "{broken:?}");
}
