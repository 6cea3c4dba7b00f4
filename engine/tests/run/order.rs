//! In-order meaning, out-of-order running: random lists against the same list run in order.

use std::sync::Arc;

use evenkeel_engine::{
    Late, Outputs, Resolve, Resolved, Stop, Task, TaskId, Turn, Value, With,
    event::{Outcome, TaskFinished},
    fake::FakeHost,
    run::Options,
};
use proptest::prelude::*;

use crate::kit::{Cell, CellArgs, Ran, Sum, SumArgs, cells, go_with, host, in_order};

/// One task of a random list; numbers of others are taken modulo what is listed before.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) kind: Kind,
    /// Reads the result of another: runs only if that changed something.
    pub(crate) only_if_changed: Option<usize>,
    pub(crate) triggered_by: Vec<usize>,
    pub(crate) handler: bool,
    pub(crate) long: bool,
    pub(crate) ignore_errors: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Cell {
        cell: u8,
        value: u8,
    },
    Put {
        cell: u8,
        value: u8,
    },
    /// The value is what another task left.
    Copy {
        cell: u8,
        of: usize,
    },
    Loop {
        cells: Vec<(u8, u8)>,
        put: bool,
    },
    Sum {
        out: u8,
        ins: Vec<u8>,
        creates: bool,
    },
}

fn name(cell: u8) -> String {
    format!("c{cell}")
}

pub(crate) fn specs() -> impl Strategy<Value = Vec<Spec>> {
    let cell = 0_u8..4;
    let kind = prop_oneof![
        4 => (cell.clone(), 0_u8..3).prop_map(|(cell, value)| Kind::Cell { cell, value }),
        3 => (cell.clone(), 0_u8..3).prop_map(|(cell, value)| Kind::Put { cell, value }),
        2 => (cell.clone(), 0_usize..20).prop_map(|(cell, of)| Kind::Copy { cell, of }),
        1 => (prop::collection::vec((cell.clone(), 0_u8..3), 0..4), any::<bool>())
            .prop_map(|(cells, put)| Kind::Loop { cells, put }),
        3 => (cell.clone(), prop::collection::vec(cell, 0..3), prop::bool::weighted(0.2))
            .prop_map(|(out, ins, creates)| Kind::Sum { out, ins, creates }),
    ];
    let spec = (
        kind,
        prop::option::weighted(0.2, 0_usize..20),
        prop::collection::vec(0_usize..20, 0..3),
        prop::bool::weighted(0.25),
        prop::bool::weighted(0.25),
        prop::bool::weighted(0.15),
    );
    let spec = spec.prop_map(
        |(kind, only_if_changed, triggers, handler, long, ignore_errors)| Spec {
            kind,
            only_if_changed,
            triggered_by: if handler { triggers } else { Vec::new() },
            handler,
            long,
            ignore_errors,
        },
    );
    prop::collection::vec(spec, 1..16)
}

fn before(at: usize, of: usize) -> Option<TaskId> {
    (at > 0).then(|| TaskId(u32::try_from(of % at).unwrap()))
}

pub(crate) fn tasks(specs: &[Spec]) -> Vec<Task> {
    specs
        .iter()
        .enumerate()
        .map(|(at, spec)| task(at, spec))
        .collect()
}

fn cell_args(at: usize, cell: u8, value: String, put: bool, long: bool) -> CellArgs {
    CellArgs {
        cell: name(cell),
        value: Late::of(value),
        put: put.then(|| format!("t{at}")),
        long: long && put,
    }
}

fn resolved(at: usize, spec: &Spec, outputs: &dyn Outputs) -> Result<Resolved, Stop> {
    if let Some(of) = spec.only_if_changed.and_then(|of| before(at, of)) {
        let output = outputs.of(of)?;
        if let Value::NotYet(what) = &output.changed {
            return Err(what.clone().into());
        }
        if !output.changed.is_true() {
            return Ok(Resolved::Skip(format!("{of:?} is changed")));
        }
    }
    let cell = |cell, value: u8, put| {
        With::<Cell>(cell_args(at, cell, format!("v{value}"), put, spec.long))
    };
    Ok(match &spec.kind {
        Kind::Cell { cell: to, value } => Resolved::One(Arc::new(cell(*to, *value, false))),
        Kind::Put { cell: to, value } => Resolved::One(Arc::new(cell(*to, *value, true))),
        Kind::Copy { cell, of } => {
            let value = match before(at, *of) {
                None => "nothing".to_owned(),
                Some(of) => {
                    let value = outputs.of(of)?.value.clone();
                    if let Some(what) = value.first_not_yet() {
                        return Err(what.clone().into());
                    }
                    value.to_json().to_string()
                }
            };
            Resolved::One(Arc::new(With::<Cell>(cell_args(
                at, *cell, value, false, false,
            ))))
        }
        Kind::Loop { cells, put } => {
            // Only the first turn can be broken.
            let turn = |(index, (to, value)): (usize, &(u8, u8))| {
                let args = cell_args(at, *to, format!("v{value}"), *put, false);
                let put = args
                    .put
                    .map(|label| if index == 0 { label } else { "turn".into() });
                Turn {
                    label: name(*to),
                    item: name(*to).into(),
                    body: Ok(Arc::new(With::<Cell>(CellArgs { put, ..args }))),
                }
            };
            Resolved::Loop(cells.iter().enumerate().map(turn).collect())
        }
        Kind::Sum { out, ins, creates } => Resolved::One(Arc::new(With::<Sum>(SumArgs {
            label: format!("t{at}"),
            out: name(*out),
            ins: ins.iter().map(|cell| name(*cell)).collect(),
            long: spec.long,
            creates: creates.then(|| name(*out)),
        }))),
    })
}

fn task(at: usize, spec: &Spec) -> Task {
    let mut needs: Vec<_> = spec
        .only_if_changed
        .and_then(|of| before(at, of))
        .into_iter()
        .collect();
    let heeds = needs.clone();
    if let Kind::Copy { of, .. } = &spec.kind {
        needs.extend(before(at, *of));
    }
    let module = if matches!(spec.kind, Kind::Sum { .. }) {
        "sum"
    } else {
        "cell"
    };
    let body: Arc<dyn Resolve> = {
        let spec = spec.clone();
        Arc::new(move |outputs: &dyn Outputs| resolved(at, &spec, outputs))
    };
    let mut task = Task::resolved(format!("t{at}"), module, body).id(format!("t{at}"));
    (task.needs, task.heeds) = (needs, heeds);
    task.triggers = spec
        .triggered_by
        .iter()
        .filter_map(|of| before(at, *of))
        .collect();
    task.handler = spec.handler;
    task.ignore_errors = spec.ignore_errors;
    task
}

pub(crate) fn start(takes: u32) -> Arc<FakeHost> {
    Arc::new(host().long_steps_take(takes))
}

/// What a run told, sorted: long steps may end in another order.
fn told(ran: &Ran) -> Vec<String> {
    let mut told = ran.told();
    told.sort();
    told
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn nothing_fails_and_all_is_as_in_order(specs in specs(), takes in 0_u32..3) {
        let (free, ordered) = (start(takes), start(takes));
        for run in 0..2 {
            let first = go_with(&free, tasks(&specs), Options::new());
            let second = go_with(&ordered, tasks(&specs), in_order());
            prop_assert_eq!(told(&first), told(&second), "run {}", run);
            prop_assert_eq!(cells(&free), cells(&ordered), "run {}", run);
            prop_assert!(first.report.ok, "{:#?}", first.told());
        }
    }

    #[test]
    fn a_failure_stops_what_comes_later_and_the_next_run_makes_it_good(
        specs in specs(),
        broken in prop::collection::btree_set(0_usize..16, 1..3),
        takes in 0_u32..3,
    ) {
        let (free, ordered) = (start(takes), start(takes));
        for host in [&free, &ordered] {
            host.change(|world| {
                for at in &broken {
                    world.write(&format!("/broken/t{at}"), "");
                }
            });
        }
        let first = go_with(&free, tasks(&specs), Options::new());
        let second = go_with(&ordered, tasks(&specs), in_order());
        let fatal = |task: &&TaskFinished| {
            task.outcome == Outcome::Failed && task.forgiven.is_none()
        };
        let fatal = second.finished().find(fatal).map(|task| number(&task.name.task));
        prop_assert_eq!(first.report.ok, fatal.is_none());
        let until = fatal.unwrap_or(specs.len());
        prop_assert_eq!(told_until(&first, until), told_until(&second, until));
        for task in first.finished().filter(|task| number(&task.name.task) > until) {
            let ran = !matches!(task.outcome, Outcome::Blocked);
            let at = number(&task.name.task);
            prop_assert!(
                !ran || !matches!(specs[at].kind, Kind::Sum { .. }),
                "{:#?}", first.told()
            );
        }
        free.change(|world| {
            for at in &broken {
                world.remove(&format!("/broken/t{at}"));
            }
        });
        // What comes later and ran already may be read by a command that comes earlier: so the
        // same host is what it is compared with.
        let again = Arc::new(free.as_ref().clone());
        let first = go_with(&free, tasks(&specs), Options::new());
        let second = go_with(&again, tasks(&specs), in_order());
        prop_assert_eq!(
            cells(&free), cells(&again),
            "{:#?} {:#?}", first.told(), second.told()
        );
        prop_assert!(first.report.ok && second.report.ok);
    }
}

fn number(name: &str) -> usize {
    name[1..].parse().unwrap()
}

/// What was told of tasks up to this one, sorted.
fn told_until(ran: &Ran, until: usize) -> Vec<String> {
    let mut told = ran.told();
    let at = |line: &String| number(line.split(':').next().unwrap());
    told.retain(|line| at(line) <= until);
    told.sort();
    told
}
