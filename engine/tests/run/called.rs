//! A task that calls only some of those that listen to it.

use std::sync::Arc;

use evenkeel_engine::{
    Calls, NotYet, Outputs, Stop, Task, TaskId, Value,
    fake::{Cut, FakeHost},
};

use crate::{
    cut::go_once,
    kit::{cell, count, go, host, put, sum},
};

/// What a change calls.
enum Says {
    These(Vec<u32>),
    /// What it is called by another's result, which is known only after it.
    AsChanged(TaskId, Vec<u32>),
    Nobody(&'static str),
}

impl Calls for Says {
    fn called(
        &self,
        _: Option<(usize, &Value)>,
        outputs: &dyn Outputs,
    ) -> Result<Vec<TaskId>, Stop> {
        let ids = |list: &Vec<u32>| Ok(list.iter().copied().map(TaskId).collect());
        match self {
            Self::These(list) => ids(list),
            Self::AsChanged(id, list) => {
                let output = outputs.of(*id).map_err(Stop::NotYet)?;
                match &output.changed {
                    Value::NotYet(what) => Err(Stop::NotYet(NotYet(what.0.clone()))),
                    changed if changed.is_true() => ids(list),
                    _ => Ok(Vec::new()),
                }
            }
            Self::Nobody(name) => Err(Stop::refused(format!("there is no `{name}`"))),
        }
    }
}

/// A task, and two handlers that listen to it.
fn tasks(value: &str, says: Says) -> Vec<Task> {
    let mut first = cell("a", "a", value);
    first.calls = Some(Arc::new(says));
    let handler = |name: &str, out: &str| {
        let mut handler = sum(name, out, &["a"]).handler();
        handler.triggers = vec![TaskId(1)];
        handler
    };
    vec![
        put("before", "x", value),
        first,
        handler("one", "o"),
        handler("two", "t"),
        cell("last", "l", "4"),
    ]
}

fn counts(host: &FakeHost) -> (usize, usize) {
    (count(host, "one"), count(host, "two"))
}

#[test]
fn only_those_that_are_called_run() {
    let host = Arc::new(host());
    assert!(go(&host, tasks("1", Says::These(vec![3]))).report.ok);
    assert_eq!(counts(&host), (0, 1));
    // The other is owed nothing.
    assert!(go(&host, tasks("1", Says::These(vec![3]))).report.ok);
    assert_eq!(counts(&host), (0, 1));
    // Another change may call the other.
    assert!(go(&host, tasks("2", Says::These(vec![2]))).report.ok);
    assert_eq!(counts(&host), (1, 1));
    assert!(go(&host, tasks("3", Says::These(Vec::new()))).report.ok);
    assert_eq!(counts(&host), (1, 1));
    let by = |value, list| tasks(value, Says::AsChanged(TaskId(0), list));
    assert!(go(&host, by("4", vec![2, 3])).report.ok);
    assert_eq!(counts(&host), (2, 2));
    let quiet = go(&host, by("4", vec![2, 3]));
    assert_eq!(quiet.report.hosts["box"].changed, 0, "{:?}", quiet.told());
    assert_eq!(counts(&host), (2, 2));
}

#[test]
fn to_call_what_there_is_not_is_a_failure() {
    let host = Arc::new(host());
    let ran = go(&host, tasks("1", Says::Nobody("three")));
    assert!(!ran.report.ok);
    let failed = ran.of("a").unwrap();
    assert_eq!(
        failed.error.as_ref().unwrap().message,
        "there is no `three`"
    );
}

#[test]
fn what_was_called_before_the_run_died_is_called_by_the_next_whatever_that_calls() {
    let says = || Says::These(vec![3]);
    let steps = {
        let host = Arc::new(host());
        assert!(go(&host, tasks("1", says())).report.ok);
        host.steps()
    };
    for step in 1..=steps {
        for cut in [Cut::Before, Cut::After] {
            let host = Arc::new(host().break_at(step, cut));
            assert!(!go_once(&host, tasks("1", says())).report.ok);
            let died_with = counts(&host);
            // This one calls the other.
            let second = go(&host, tasks("2", Says::These(vec![2])));
            assert!(second.report.ok, "{cut:?} {step} {:?}", second.told());
            let begun = step > 2 || step == 2 && cut == Cut::After;
            assert!(count(&host, "one") >= 1, "{cut:?} {step}");
            assert!(
                !begun || count(&host, "two") >= 1,
                "{cut:?} {step} {died_with:?}"
            );
            let third = go(&host, tasks("2", Says::These(vec![2])));
            assert_eq!(third.report.hosts["box"].changed, 0, "{:?}", third.told());
        }
    }
}
