//! A run that dies loses nothing.

use std::sync::Arc;

use evenkeel_engine::{Task, TaskId, fake::Cut};

use crate::kit::{cell, cells, count, go, host, put, sum};

/// Changes, a `once` command, a handler of two of them.
fn tasks() -> Vec<Task> {
    let mut handler = sum("restart", "r", &["a", "b"]).handler();
    handler.triggers = vec![TaskId(0), TaskId(3)];
    vec![
        cell("a", "a", "1"),
        sum("init", "i", &["a"]).once(),
        put("b", "b", "2"),
        cell("c", "c", "3"),
        handler,
        cell("last", "l", "4"),
    ]
}

#[test]
fn the_next_run_finishes_wherever_the_connection_was_cut() {
    let whole = Arc::new(host());
    assert!(go(&whole, tasks()).report.ok);
    let steps = whole.steps();
    assert_eq!(steps, 6);
    for step in 1..=steps {
        for cut in [Cut::Before, Cut::After] {
            let host = Arc::new(host().break_at(step, cut));
            let first = go(&host, tasks());
            assert!(!first.report.ok, "cut {cut:?} step {step}");
            let mut second = go(&host, tasks());
            let init = step == 2;
            if init {
                let failed = second.of("init").unwrap();
                assert!(failed.error.is_some(), "cut {cut:?} step {step}");
                forget(&host, "init");
                second = go(&host, tasks());
            }
            let told = second.told();
            assert!(second.report.ok, "cut {cut:?} step {step}: {told:?}");
            assert_eq!(cells(&host), cells(&whole), "cut {cut:?} step {step}");
            assert!(count(&host, "restart") >= 1, "cut {cut:?} step {step}");
            if !init {
                assert_eq!(count(&host, "init"), 1, "cut {cut:?} step {step}");
            }
            let third = go(&host, tasks());
            let recap = &third.report.hosts["box"];
            let told = third.told();
            assert_eq!((recap.changed, recap.assumed), (0, 1), "{told:?}");
        }
    }
}

fn forget(host: &evenkeel_engine::fake::FakeHost, task: &str) {
    let place = evenkeel_engine::host::LedgerPlace::User;
    let forgotten = evenkeel_engine::ledger::forget(host, place, Some(task));
    assert_eq!(crate::kit::runtime().block_on(forgotten).unwrap(), 1);
}
