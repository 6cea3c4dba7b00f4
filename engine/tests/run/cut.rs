//! A run that dies loses nothing.

use std::sync::Arc;

use proptest::prelude::*;

use evenkeel_engine::{
    Task, TaskId,
    fake::{Cut, FakeHost},
    run::{Cancel, Options},
};

use crate::{
    kit::{Ran, cell, cells, count, go, go_list, go_with, host, list, put, sum},
    order::{Kind, Spec, specs, start},
};

/// A run whose controller dies with its connection: nobody comes back.
pub(crate) fn go_once(host: &Arc<FakeHost>, tasks: Vec<Task>) -> Ran {
    let options = Options {
        reconnect: std::time::Duration::ZERO,
        ..Options::new()
    };
    go_with(host, tasks, options)
}

/// Changes, a `once` command, a handler of two of them.
pub(crate) fn tasks() -> Vec<Task> {
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
            let first = go_once(&host, tasks());
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

#[test]
fn an_interrupted_long_command_is_awaited_by_the_next_run() {
    let host = Arc::new(host().long_steps_take(3));
    let task = || {
        let args = crate::kit::SumArgs {
            label: "slow".into(),
            out: "s".into(),
            long: true,
            ..Default::default()
        };
        vec![Task::new::<crate::kit::Sum>("slow", args).once()]
    };
    // The answer of the exchange that starts it is lost, and so is the run.
    host.set_break(1, Cut::After);
    assert!(!go_once(&host, task()).report.ok);
    let second = go(&host, task());
    assert_eq!(count(&host, "slow"), 1);
    assert!(second.report.ok, "{:?}", second.told());
    assert_eq!(second.told(), ["slow: Assumed "]);
}

#[test]
fn a_run_that_is_stopped_is_finished_by_the_next() {
    for step in 1..=6 {
        let host = Arc::new(host());
        let cancel = Cancel::new();
        let list = list(&host, tasks());
        // The stop comes while a step runs: the host is told, and so is the run.
        let stop = cancel.clone();
        host.change(|world| {
            world.install("put", move |world, call| {
                world.write(&crate::kit::path(&call.argv[2]), &call.argv[3]);
                stop.stop();
                evenkeel_engine::fake::ok("")
            });
        });
        let host = Arc::new(host.as_ref().clone().stops_at(step));
        let mut list = list;
        list.hosts[0].host = host.clone();
        let first = go_list(list, Options::new(), &cancel, &host);
        let whole = first.report.ok;
        let second = go(&host, tasks());
        assert!(second.report.ok, "{step}: {:?}", second.told());
        assert!(count(&host, "restart") >= 1, "{step} {whole}");
        assert_eq!(count(&host, "init"), 1, "{step}");
        let third = go(&host, tasks());
        let recap = &third.report.hosts["box"];
        assert_eq!((recap.changed, recap.assumed), (0, 1), "{:?}", third.told());
    }
}

/// A handler that reads of another whether it changed finds that also if that one had its turn in the run that died.
#[test]
fn what_a_handler_changed_before_the_run_died_is_still_read() {
    let sum = |out, triggers: &[usize], only_if_changed| Spec {
        kind: Kind::Sum {
            out,
            ins: Vec::new(),
            creates: false,
        },
        only_if_changed,
        triggered_by: triggers.to_vec(),
        handler: true,
        // One exchange for each, so that the run may die between them.
        long: true,
        ignore_errors: false,
    };
    let cell = |cell| Spec {
        kind: Kind::Cell { cell, value: 1 },
        only_if_changed: None,
        triggered_by: Vec::new(),
        handler: false,
        long: false,
        ignore_errors: false,
    };
    let specs = [cell(0), sum(1, &[0], None), cell(2), sum(3, &[0], Some(1))];
    for step in 1..=4 {
        for cut in [Cut::Before, Cut::After] {
            let host = start(0);
            host.set_break(step, cut);
            let first = go_once(&host, crate::order::tasks(&specs));
            let second = go(&host, crate::order::tasks(&specs));
            let told = (first.told(), second.told());
            assert!(second.report.ok, "cut {cut:?} step {step}: {told:?}");
            for label in ["t1", "t3"] {
                assert!(
                    count(&host, label) >= 1,
                    "cut {cut:?} step {step}: {told:?}"
                );
            }
            let third = go(&host, crate::order::tasks(&specs));
            assert_eq!(third.report.hosts["box"].changed, 0, "{:?}", third.told());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, max_shrink_iters: 5_000, ..ProptestConfig::default() })]

    /// Wherever a random run dies, the next one comes to where an undisturbed one comes, and no
    /// handler that was owed is missed.
    #[test]
    fn random_runs_are_finished_by_the_next(
        specs in specs(),
        step in 1_u64..12,
        after in any::<bool>(),
        takes in 0_u32..2,
    ) {
        let (cut, whole) = (start(takes), start(takes));
        cut.set_break(step, if after { Cut::After } else { Cut::Before });
        let first = go_once(&cut, crate::order::tasks(&specs));
        let alive = first.report.ok;
        go(&whole, crate::order::tasks(&specs));
        if !alive {
            let second = go(&cut, crate::order::tasks(&specs));
            prop_assert!(second.report.ok, "{:#?}", second.told());
            for (at, spec) in specs.iter().enumerate() {
                // Whether a task changed in the run that died is not asked about in the next one.
                let owed = spec.handler && spec.only_if_changed.is_none();
                if owed && matches!(spec.kind, Kind::Sum { .. }) {
                    let label = format!("t{at}");
                    prop_assert!(
                        count(&cut, &label) >= count(&whole, &label).min(1),
                        "{} {:#?} {:#?}", label, first.told(), second.told()
                    );
                }
            }
        }
    }
}
