//! A connection that is lost, wherever that is, costs nothing but time.

use std::sync::Arc;

use evenkeel_engine::{
    Done, Module, Nature, Plan, Probes, Seen, Stop, Task, Touches,
    event::Event,
    fake::{Cut, FakeHost},
    run::Options,
};
use proptest::prelude::*;

use crate::{
    cut::tasks,
    kit::{Ran, cells, count, go, go_with, host},
    order::{Spec, specs, start},
};

/// How a connection is lost.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Loss {
    /// The exchange never arrives.
    Before,
    /// No step begins after so many operations.
    Within(usize),
    /// Only the answer is lost.
    After,
}

impl Loss {
    pub(crate) fn on(self, host: FakeHost, exchange: u64) -> FakeHost {
        match self {
            Self::Before => host.breaks_connection(exchange),
            Self::Within(ops) => host.loses_connection(exchange, ops),
            Self::After => host.loses_answer(exchange),
        }
    }
}

pub(crate) fn losses(ops: usize) -> impl Iterator<Item = Loss> {
    [Loss::Before, Loss::After]
        .into_iter()
        .chain((0..ops).map(Loss::Within))
}

fn steps_of(host: &FakeHost) -> Vec<String> {
    let mut steps = host.log();
    steps.retain(|line| line.starts_with("step as") || line.starts_with("long step"));
    steps
}

fn outcomes(ran: &Ran) -> Vec<String> {
    let mut told = ran.told();
    told.sort();
    told
}

#[test]
fn a_lost_connection_costs_nothing_wherever_it_is_lost() {
    let whole = Arc::new(host());
    let calm = go(&whole, tasks());
    assert!(calm.report.ok);
    for (exchange, seen) in (1..=calm.exchanges as u64).zip(whole.exchanges()) {
        let ops = seen.ops.len();
        for loss in losses(ops) {
            let host = Arc::new(loss.on(host(), exchange));
            let ran = go(&host, tasks());
            let told = ran.told();
            assert!(ran.report.ok, "{exchange} {loss:?}: {told:#?}");
            assert_eq!(cells(&host), cells(&whole), "{exchange} {loss:?}");
            assert_eq!(steps_of(&host), steps_of(&whole), "{exchange} {loss:?}");
            assert_eq!(outcomes(&ran), outcomes(&calm), "{exchange} {loss:?}");
            quiet(&host, &format!("{exchange} {loss:?}"));
        }
    }
}

fn quiet(host: &Arc<FakeHost>, what: &str) {
    let second = go(host, tasks());
    let recap = &second.report.hosts["box"];
    let told = second.told();
    assert_eq!((recap.changed, recap.assumed), (0, 1), "{what}: {told:?}");
}

#[test]
fn a_script_that_is_killed_is_gone_on_with() {
    let whole = Arc::new(host());
    go(&whole, tasks());
    for step in 1..=whole.steps() {
        for cut in [Cut::Before, Cut::After] {
            for power in [false, true] {
                let what = format!("{cut:?} step {step}, power {power}");
                let host = host().break_at(step, cut);
                let host = Arc::new(if power { host.cuts_power() } else { host });
                let ran = go(&host, tasks());
                let told = ran.told();
                if step == 2 || (power && step == 1) {
                    // Of what was meant when the power went nobody knows how far it came. How far a `once` command came is not known: that is for somebody to say.
                    let error = ran.of("init").and_then(|task| task.error.as_ref());
                    let said = error
                        .map(|error| error.message.as_str())
                        .unwrap_or_default();
                    assert!(said.contains("cut off"), "{what}: {told:#?}");
                    continue;
                }
                assert!(ran.report.ok, "{what}: {told:#?}");
                assert_eq!(cells(&host), cells(&whole), "{what}");
                assert_eq!(count(&host, "init"), 1, "{what}");
                assert!(count(&host, "restart") >= 1, "{what}: {told:#?}");
                quiet(&host, &what);
            }
        }
    }
}

#[test]
fn a_host_that_stays_away_is_unreachable() {
    for exchange in 2..=3 {
        let host = Arc::new(host().goes_away(exchange));
        let options = Options {
            reconnect: std::time::Duration::from_millis(30),
            ..Options::new()
        };
        let ran = go_with(&host, tasks(), options);
        let recap = &ran.report.hosts["box"];
        assert!(recap.unreachable && !ran.report.ok, "{exchange}");
        let told = |event: &&Event| matches!(event, Event::HostUnreachable { .. });
        assert_eq!(ran.events.iter().filter(told).count(), 1, "{exchange}");
    }
}

/// Waits for a host so many seconds.
struct Awaits;

impl Module for Awaits {
    const NAME: &'static str = "awaits";
    const NATURE: Nature = Nature::Control;
    const ABOUT: &'static str = "waits for a host";
    const EXAMPLE: &'static str = "";
    type Args = u64;
    type Output = ();

    fn observe(_: &u64, _: &Seen) -> Probes {
        Probes::new()
    }

    fn plan(_: &u64, _: &Seen) -> Result<Plan, Stop> {
        Ok(Plan::nothing())
    }

    fn output(_: &u64, _: &Seen, _: &[Done]) -> Result<(), Stop> {
        Ok(())
    }

    fn touches(_: &u64) -> Touches {
        Touches::nothing()
    }

    fn subject(_: &u64) -> String {
        String::new()
    }

    fn awaits(seconds: &u64) -> u64 {
        *seconds
    }
}

#[test]
fn a_host_that_comes_later_is_waited_for_if_a_task_does() {
    let list = |seconds| {
        let mut list = vec![Task::new::<Awaits>("awaits", seconds)];
        list.extend(tasks());
        list
    };
    let late = || Arc::new(host().comes_at(3));
    for (seconds, options, comes) in [
        (60, Options::new(), true),
        (0, Options::new(), false),
        // Who looks what there is to do is not made to wait.
        (60, Options::new().check(), false),
    ] {
        let what = format!("{seconds} {:?}", options.mode);
        let ran = go_with(&late(), list(seconds), options);
        assert_eq!(ran.report.hosts["box"].unreachable, !comes, "{what}");
        assert_eq!(ran.report.ok, comes, "{what}: {:#?}", ran.told());
    }
}

/// Commands that take long, and something beside them.
fn long_tasks() -> Vec<Task> {
    let slow = |label: &str, out: &str| {
        let args = crate::kit::SumArgs {
            label: label.into(),
            out: out.into(),
            long: true,
            ..Default::default()
        };
        Task::new::<crate::kit::Sum>(label, args)
    };
    vec![slow("slow", "s").once(), crate::kit::cell("a", "a", "1")]
}

#[test]
fn long_steps_are_found_again() {
    for takes in 0..3 {
        let whole = Arc::new(host().long_steps_take(takes));
        let calm = go(&whole, long_tasks());
        for (exchange, seen) in (1..=calm.exchanges as u64).zip(whole.exchanges()) {
            let ops = seen.ops.len();
            for loss in losses(ops) {
                let host = Arc::new(loss.on(host().long_steps_take(takes), exchange));
                let ran = go(&host, long_tasks());
                let told = ran.told();
                assert!(ran.report.ok, "{takes} {exchange} {loss:?}: {told:#?}");
                assert_eq!(count(&host, "slow"), 1, "{takes} {exchange} {loss:?}");
                assert_eq!(outcomes(&ran), outcomes(&calm), "{exchange} {loss:?}");
            }
        }
    }
}

/// Whether two runs of a random list did the same.
fn same(specs: &[Spec], calm: &Arc<FakeHost>, lossy: &Arc<FakeHost>) -> Result<(), TestCaseError> {
    prop_assert_eq!(cells(lossy), cells(calm));
    for at in 0..specs.len() {
        let label = format!("t{at}");
        prop_assert_eq!(count(lossy, &label), count(calm, &label), "{}", label);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, max_shrink_iters: 5_000, ..ProptestConfig::default() })]

    /// Wherever and however often a random run loses its connection, it does what an undisturbed
    /// one does, no step less and none more.
    #[test]
    fn random_runs_survive_lost_connections(
        specs in specs(),
        at in prop::collection::vec((1_u64..12, 0_usize..30), 1..4),
        takes in 0_u32..2,
    ) {
        let calm = start(takes);
        let undisturbed = go(&calm, crate::order::tasks(&specs));
        let mut lossy = start(takes).as_ref().clone();
        for (exchange, how) in at {
            lossy = match how {
                28 => lossy.breaks_connection(exchange),
                29 => lossy.loses_answer(exchange),
                ops => lossy.loses_connection(exchange, ops),
            };
        }
        let lossy = Arc::new(lossy);
        let ran = go(&lossy, crate::order::tasks(&specs));
        prop_assert_eq!(ran.report.ok, undisturbed.report.ok, "{:#?}", ran.told());
        same(&specs, &calm, &lossy)?;
        prop_assert_eq!(outcomes(&ran), outcomes(&undisturbed), "{:#?}", lossy.log());
    }
}
