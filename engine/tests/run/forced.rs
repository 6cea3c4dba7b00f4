//! Handlers that have their turn although a task of their host failed.

use std::sync::Arc;

use evenkeel_engine::{Task, TaskId, event::Outcome, fake::FakeHost, run::Options};

use crate::kit::{Ran, cell, count, go, go_with, host, put, sum};

/// A change, a failure, a task that is blocked, and handlers of all three.
fn tasks(says: Option<bool>) -> Vec<Task> {
    let handler = |name: &str, of: u32| {
        let mut handler = sum(name, name, &[]).handler();
        handler.triggers = vec![TaskId(of)];
        handler.forced = says;
        handler
    };
    vec![
        cell("changes", "a", "1"),
        put("fails", "b", "2"),
        cell("blocked", "c", "3"),
        handler("of the change", 0),
        handler("of the failure", 1),
        handler("of the blocked", 2),
    ]
}

fn broken() -> Arc<FakeHost> {
    Arc::new(host().file("/broken/fails", ""))
}

fn forced() -> Options {
    Options {
        force_handlers: true,
        ..Options::new()
    }
}

fn ran(host: &FakeHost) -> [usize; 3] {
    ["of the change", "of the failure", "of the blocked"].map(|name| count(host, name))
}

fn is_as_expected(told: &Ran) {
    assert_eq!(told.of("fails").unwrap().outcome, Outcome::Failed);
    assert_eq!(told.of("blocked").unwrap().outcome, Outcome::Blocked);
    assert!(!told.report.ok);
}

#[test]
fn what_changed_before_the_failure_has_its_handlers_run() {
    let host = broken();
    let told = go_with(&host, tasks(None), forced());
    is_as_expected(&told);
    assert_eq!(ran(&host), [1, 0, 0], "{:?}", told.told());
    // It has served: only the others are owed.
    host.change(|world| world.remove("/broken/fails"));
    let told = go(&host, tasks(None));
    assert!(told.report.ok, "{:?}", told.told());
    assert_eq!(ran(&host), [1, 1, 1], "{:?}", told.told());
}

#[test]
fn without_it_the_next_run_does() {
    let host = broken();
    is_as_expected(&go(&host, tasks(None)));
    assert_eq!(ran(&host), [0, 0, 0]);
    host.change(|world| world.remove("/broken/fails"));
    assert!(go(&host, tasks(None)).report.ok);
    assert_eq!(ran(&host), [1, 1, 1]);
}

#[test]
fn what_the_play_says_counts() {
    let host = broken();
    is_as_expected(&go(&host, tasks(Some(true))));
    assert_eq!(ran(&host), [1, 0, 0]);
    let host = broken();
    is_as_expected(&go_with(&host, tasks(Some(false)), forced()));
    assert_eq!(ran(&host), [0, 0, 0]);
}
