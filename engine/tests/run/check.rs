//! Check mode, and tasks that think otherwise of it.

use std::sync::Arc;

use evenkeel_engine::{Task, TaskId, event::Outcome, run::Options};
use proptest::prelude::*;

use crate::{
    kit::{cell, cells, count, go, go_with, host, sum},
    order::{Kind, specs, start, tasks},
};

#[test]
fn a_task_may_run_although_all_others_are_foretold() {
    let host = Arc::new(host());
    let list = || {
        let mut real = sum("real", "r", &[]);
        real.check_mode = Some(false);
        let mut handler = sum("restart", "x", &[]).handler();
        handler.triggers = vec![TaskId(0)];
        vec![cell("a", "a", "1"), real, cell("again", "a", "1"), handler]
    };
    let check = go_with(&host, list(), Options::new().check());
    assert_eq!(
        check.told(),
        [
            "a: Changed value",
            "real: Changed sum",
            "again: Unchanged ",
            "restart: Changed sum"
        ]
    );
    assert_eq!((count(&host, "real"), count(&host, "restart")), (1, 0));
    assert_eq!(cells(&host).len(), 1);
    assert_eq!(host.log().last().unwrap(), "release");
    let apply = go(&host, list());
    assert_eq!(apply.told(), check.told());
}

#[test]
fn a_task_that_is_only_foretold_does_not_fool_the_others() {
    let host = Arc::new(host());
    let mut dry = cell("dry", "a", "1");
    dry.check_mode = Some(true);
    let ran = go(&host, vec![dry, cell("wet", "a", "1")]);
    assert_eq!(ran.told(), ["dry: Changed value", "wet: Changed value"]);
    assert_eq!(cells(&host), [("/cells/a".to_owned(), "1".to_owned())]);
}

fn foretellable(task: &Task, kinds: &Kind) -> bool {
    // A command's effects are nobody's to foretell.
    !matches!(kinds, Kind::Sum { .. }) && task.body.resolve(&Nothing).is_ok()
}

struct Nothing;

impl evenkeel_engine::Outputs for Nothing {
    fn of(&self, _: TaskId) -> Result<Arc<evenkeel_engine::Output>, evenkeel_engine::NotYet> {
        Err(evenkeel_engine::NotYet::new("a result"))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn what_is_foretold_comes_true(specs in specs()) {
        let host = start(0);
        let before = host.world();
        let check = go_with(&host, tasks(&specs), Options::new().check());
        prop_assert!(host.world().changed_since(&before).is_empty());
        prop_assert!(host.exchanges().iter().all(|exchange| exchange.lock.is_none()));
        let all = tasks(&specs);
        let known = specs.iter().zip(&all).all(|(spec, task)| foretellable(task, &spec.kind));
        let apply = go(&host, all);
        if known {
            let sorted = |mut told: Vec<String>| {
                told.sort();
                told
            };
            prop_assert_eq!(sorted(check.told()), sorted(apply.told()));
        } else {
            prop_assert!(check.finished().all(|task| task.outcome != Outcome::Failed));
        }
    }
}
