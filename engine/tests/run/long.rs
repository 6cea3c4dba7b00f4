//! Tasks of several steps, some of them long, side by side: each comes to its end.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use evenkeel_engine::{
    Action, Attrs, Change, Effect, HostId, Module, Plan, Probes, Run, Seen, Step, Stop, Task,
    TaskId, TaskList, Thing, Touches, Value, Write, ask,
    event::{Event, Outcome, TaskFinished},
    fake::FakeHost,
    host::Host,
    probes::Digest,
    run::{Cancel, Options, Report, run},
    sha256,
};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    kit::{Ran, cells, go, host, path, runtime},
    survive::losses,
};

/// Makes the cells `NAME-0`, `NAME-1` …, one by each step: `l` by a long program, `s` by another,
/// `w` by writing it, `h` as a hard link to `/one`.
struct Build;

#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
struct BuildArgs {
    name: String,
    steps: String,
}

impl BuildArgs {
    fn made(&self) -> Vec<(char, String)> {
        let cell = |(at, step)| (step, format!("{}-{at}", self.name));
        self.steps.chars().enumerate().map(cell).collect()
    }
}

impl Module for Build {
    const NAME: &'static str = "build";
    const ABOUT: &'static str = "makes cells in several steps";
    const EXAMPLE: &'static str = "";
    type Args = BuildArgs;
    type Output = ();

    fn observe(args: &BuildArgs, _: &Seen) -> Probes {
        let made = args.made().into_iter();
        made.map(|(_, cell)| ask(Digest(path(&cell)))).collect()
    }

    fn plan(args: &BuildArgs, seen: &Seen) -> Result<Plan, Stop> {
        let mut steps = Vec::new();
        for (step, cell) in args.made() {
            let path = path(&cell);
            let now = *seen.get(&Digest(path.clone()))?;
            let one = sha256(b"one");
            let action = match step {
                'l' | 's' => Action::Run(Run {
                    long: step == 'l',
                    ..Run::new(["put", &args.name, &cell, "one"])
                }),
                'w' => Action::Write(Write {
                    path: path.clone(),
                    content: "one".into(),
                    attrs: Attrs::default(),
                    ..Write::default()
                }),
                _ => Action::HardLink {
                    path: path.clone(),
                    target: "/one".to_owned(),
                },
            };
            if now != Some(one) {
                let effect = Effect::new(Digest(path), Some(one));
                steps.push(Step::from(action).effect(effect));
            }
        }
        if steps.is_empty() {
            return Ok(Plan::nothing());
        }
        let change = Change::new("built", Value::Null, args.steps.as_str());
        Ok(steps.into_iter().fold(change, Change::step).into())
    }

    fn output(_: &BuildArgs, _: &Seen, _: &[evenkeel_engine::Done]) -> Result<(), Stop> {
        Ok(())
    }

    fn touches(args: &BuildArgs) -> Touches {
        let made = args.made().into_iter();
        Touches::writes(made.map(|(_, cell)| Thing::Path(path(&cell))))
    }

    fn subject(args: &BuildArgs) -> String {
        args.name.clone()
    }
}

fn build(at: usize, steps: &str) -> Task {
    let name = format!("t{at}");
    let args = BuildArgs {
        name: name.clone(),
        steps: steps.to_owned(),
    };
    Task::new::<Build>(name, args)
}

fn builds(steps: &[&str]) -> Vec<Task> {
    let each = steps.iter().enumerate();
    each.map(|(at, steps)| build(at, steps)).collect()
}

fn plant(takes: u32) -> FakeHost {
    host().file("/one", "one").long_steps_take(takes)
}

/// A run that has to come to its end: one that waits for nothing is told as such.
fn bounded(list: TaskList) -> (Report, Vec<TaskFinished>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let sink = {
        let told = Arc::clone(&told);
        move |event: &Event| {
            if let Event::TaskFinished(task) = event {
                told.lock().unwrap().push(task.as_ref().clone());
            }
        }
    };
    let running = run(
        Arc::new(list),
        Options::new(),
        Arc::new(sink),
        Cancel::new(),
    );
    let report = runtime().block_on(async {
        let ended = tokio::time::timeout(Duration::from_secs(20), running).await;
        ended.ok()
    });
    let told = std::mem::take(&mut *told.lock().unwrap());
    let names: Vec<&str> = told.iter().map(|task| task.name.task.as_str()).collect();
    let report = report.unwrap_or_else(|| panic!("it waits for ever after {names:?}"));
    (report.unwrap(), told)
}

fn on(host: &Arc<FakeHost>, tasks: Vec<Task>) -> (Report, Vec<TaskFinished>) {
    bounded(crate::kit::list(host, tasks))
}

/// All cells are made, and there is nothing left to do.
fn all_is_built(host: &Arc<FakeHost>, tasks: &[Task], steps: &[&str], what: &str) {
    let count: usize = steps.iter().map(|steps| steps.len()).sum();
    let held = cells(host);
    assert_eq!(held.len(), count, "{what}: {held:?}");
    assert!(held.iter().all(|(_, value)| value == "one"), "{what}");
    let again: Ran = go(host, tasks.to_vec());
    let quiet = |task: &TaskFinished| task.outcome == Outcome::Unchanged;
    assert!(again.finished().all(quiet), "{what}: {:?}", again.told());
    assert_eq!(again.exchanges, 1, "{what}");
}

const LISTS: [&[&str]; 7] = [
    &["lwhw", "lwhw", "lwhw", "lwhw", "lwhw", "lwhw", "lwhw"],
    &["lsw", "lsw", "lsw", "lsw", "lsw", "lsw", "lsw"],
    &["wlh", "slw", "wlsl", "hlls", "wlw"],
    &["wsl", "shl", "l", "whsl", "wl"],
    &["lw", "s", "lsh", "w", "sw", "lhs", "h"],
    &["llw", "llls", "lsls", "lwlh"],
    &["s", "lw", "ls"],
];

#[test]
fn each_task_comes_to_its_end_beside_others() {
    for takes in 0..4 {
        for steps in LISTS {
            let what = format!("{steps:?} that take {takes}");
            let host = Arc::new(plant(takes));
            let (report, told) = on(&host, builds(steps));
            assert!(report.ok, "{what}");
            assert_eq!(told.len(), steps.len(), "{what}");
            let changed = |task: &TaskFinished| task.outcome == Outcome::Changed;
            assert!(told.iter().all(changed), "{what}");
            all_is_built(&host, &builds(steps), steps, &what);
        }
    }
}

#[test]
fn what_fails_beside_others_does_not_keep_them_from_their_end() {
    for takes in 0..3 {
        for bad in 0..7 {
            let what = format!("t{bad} is broken, {takes}");
            let host = Arc::new(plant(takes).file(&format!("/broken/t{bad}"), ""));
            let (report, told) = on(&host, builds(LISTS[1]));
            assert!(!report.ok, "{what}");
            let ended = |name: &str| told.iter().find(|task| task.name.task == name);
            let failed = ended(&format!("t{bad}")).map(|task| task.outcome);
            assert_eq!(failed, Some(Outcome::Failed), "{what}");
            // Who has begun is finished; who has not is blocked.
            for at in 0..7 {
                let made = cells(&host);
                let of = made
                    .iter()
                    .filter(|(cell, _)| cell.contains(&format!("t{at}-")));
                assert!([0, 3].contains(&of.count()), "{what}: {made:?}");
            }
        }
    }
}

#[test]
fn a_lost_connection_does_not_lose_their_later_steps() {
    let steps = ["lwh", "lsw", "lsl", "wlh"];
    for takes in [0, 1, 3] {
        let whole = Arc::new(plant(takes));
        on(&whole, builds(&steps));
        for (exchange, seen) in (1..).zip(whole.exchanges()) {
            for loss in losses(seen.ops.len()) {
                let what = format!("{takes}: {exchange} {loss:?}");
                let host = Arc::new(loss.on(plant(takes), exchange));
                let (report, told) = on(&host, builds(&steps));
                assert!(report.ok, "{what}");
                assert_eq!(told.len(), steps.len(), "{what}");
                all_is_built(&host, &builds(&steps), &steps, &what);
            }
        }
    }
}

#[test]
fn on_two_hosts_as_on_one() {
    for takes in 0..3 {
        let machine = |n| Arc::new(plant(takes).machine(&format!("machine-{n}")));
        let machines: Vec<Arc<FakeHost>> = (0..2).map(machine).collect();
        let mut list = TaskList::new("kit");
        for (n, machine) in machines.iter().enumerate() {
            list.host(format!("h{n}"), Arc::clone(machine) as Arc<dyn Host>);
        }
        for task in builds(LISTS[1]) {
            for n in 0..2 {
                list.task(task.clone().on(HostId(n)));
            }
        }
        let (report, told) = bounded(list);
        assert!(report.ok);
        assert_eq!(told.len(), 14);
        for machine in &machines {
            assert_eq!(cells(machine).len(), 21);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// Any tasks of any steps: all end, within a bounded number of exchanges, and what they leave
    /// is what they leave if nothing is long.
    #[test]
    fn random_lists_come_to_their_end(
        steps in prop::collection::vec(("[lswh]{1,4}", prop::option::weighted(0.2, 0_usize..8)), 1..9),
        takes in 0_u32..4,
    ) {
        let tasks = |long: bool| {
            let task = |(at, (steps, after)): (usize, &(String, Option<usize>))| {
                let steps = if long { steps.clone() } else { steps.replace('l', "s") };
                let mut task = build(at, &steps);
                let before = after.filter(|before| *before < at);
                task.after = before.map(|before| TaskId(u32::try_from(before).unwrap())).into_iter().collect();
                task
            };
            steps.iter().enumerate().map(task).collect::<Vec<Task>>()
        };
        let (host, short) = (Arc::new(plant(takes)), Arc::new(plant(takes)));
        let (report, told) = on(&host, tasks(true));
        prop_assert!(report.ok);
        prop_assert_eq!(told.len(), steps.len());
        let changed = |task: &TaskFinished| task.outcome == Outcome::Changed;
        prop_assert!(told.iter().all(changed));
        on(&short, tasks(false));
        prop_assert_eq!(cells(&host), cells(&short));
        let long: usize = steps.iter().map(|(steps, _)| steps.matches('l').count()).sum();
        let bound = 3 + 2 * steps.len() + long * (takes as usize + 2);
        prop_assert!(host.exchanges().len() <= bound, "{} of {bound}", host.exchanges().len());
    }
}
