//! Tasks that a host has done on another machine.

use std::sync::Arc;

use evenkeel_engine::{
    HostId, Outputs, Resolved, Task, TaskList,
    fake::{Cut, FakeHost},
    host::Host,
    run::Options,
};
use proptest::prelude::*;

use crate::{
    hosts::{at, go, list, machines},
    kit::{cell, cells, count, put, sum},
};

/// Hosts `h0` and `h1` may have things done on `h2`, which is a host of the list too.
fn with_elsewhere(machines: &[Arc<FakeHost>]) -> (TaskList, [HostId; 2]) {
    let mut list = list(machines);
    let at = HostId(2);
    let there = [0, 1].map(|n| {
        let host = Arc::clone(&machines[2]) as Arc<dyn Host>;
        list.elsewhere(HostId(n), Some(at), format!("h{n} -> h2"), host)
    });
    (list, there)
}

#[test]
fn it_is_done_there_and_counted_here() {
    let machines = machines(3);
    let tasks = || {
        let (mut list, there) = with_elsewhere(&machines);
        list.task(cell("before", "a", "1").on(HostId(0)));
        for (n, there) in there.into_iter().enumerate() {
            list.task(cell("elsewhere", &format!("of-h{n}"), "1").on(there));
        }
        list.task(cell("after", "b", "1").on(HostId(0)));
        list
    };
    let (report, told) = go(tasks(), Options::new());
    assert!(report.ok, "{told:#?}");
    assert_eq!(cells(&machines[2]).len(), 2, "{told:#?}");
    let changed = |name: &str| report.hosts[name].changed;
    assert_eq!((changed("h0"), changed("h1"), changed("h2")), (3, 1, 0));
    assert_eq!(report.hosts.len(), 3, "{:?}", report.hosts.keys());
    let there = at(&told, "elsewhere@h0 -> h2: Changed");
    assert!(
        at(&told, "before@h0") < there && there < at(&told, "after@h0"),
        "{told:#?}"
    );
    // Both ends remember.
    let (report, told) = go(tasks(), Options::new());
    let changed: u64 = report.hosts.values().map(|recap| recap.changed).sum();
    assert_eq!(changed, 0, "{told:#?}");
}

#[test]
fn a_failure_there_is_one_of_the_host() {
    let machines = machines(3);
    machines[2].change(|world| world.write("/broken/elsewhere", ""));
    let (mut list, [there, _]) = with_elsewhere(&machines);
    list.task(put("elsewhere", "c", "1").on(there));
    list.task(cell("after", "b", "1").on(HostId(0)));
    list.task(cell("own", "d", "1").on(HostId(2)));
    let (report, told) = go(list, Options::new());
    let recap = |name: &str| &report.hosts[name];
    assert_eq!(
        (recap("h0").failed, recap("h0").blocked),
        (1, 1),
        "{told:#?}"
    );
    // The machine's own tasks are not of that host.
    assert_eq!(
        (recap("h2").failed, recap("h2").changed),
        (0, 1),
        "{told:#?}"
    );
}

#[test]
fn a_machine_that_is_away_makes_its_host_unreachable() {
    let mut machines = machines(3);
    machines[2] = Arc::new(crate::kit::host().machine("machine-2").goes_away(1));
    let mut list = list(&machines[..2]);
    let door = Arc::clone(&machines[2]) as Arc<dyn Host>;
    let there = list.elsewhere(HostId(0), None, "h0 -> away", door);
    list.task(cell("before", "a", "1").on(HostId(0)));
    list.task(cell("elsewhere", "c", "1").on(there));
    list.task(cell("after", "b", "1").on(HostId(0)));
    list.task(cell("after", "b", "1").on(HostId(1)));
    let (report, told) = go(list, Options::new());
    let recap = |name: &str| &report.hosts[name];
    assert!(
        recap("h0").unreachable && !recap("h1").unreachable,
        "{told:#?}"
    );
    assert_eq!(
        (recap("h0").changed, recap("h1").changed),
        (1, 1),
        "{told:#?}"
    );
    assert_eq!(cells(&machines[0]).len(), 1, "{told:#?}");
}

#[test]
fn a_machine_that_is_not_needed_is_not_asked() {
    let machines = machines(3);
    let (mut list, [there, _]) = with_elsewhere(&machines);
    list.task(cell("cause", "a", "1").on(HostId(0)));
    let skip = |_: &dyn Outputs| Ok(Resolved::Skip("no".to_owned()));
    list.task(Task::resolved("elsewhere", "cell", Arc::new(skip)).on(there));
    list.task(cell("after", "b", "1").on(HostId(0)));
    let (report, told) = go(list, Options::new());
    assert!(report.ok, "{told:#?}");
    at(&told, "elsewhere@h0 -> h2: Skipped");
    assert!(machines[2].exchanges().is_empty(), "{told:#?}");
}

#[test]
fn a_handler_there_is_owed_after_a_crash() {
    let machines = machines(3);
    let tasks = || {
        let (mut list, [there, _]) = with_elsewhere(&machines);
        let cause = list.task(cell("cause", "a", "1").on(HostId(0)));
        list.task(
            sum("handler", "h", &[])
                .triggered_by(cause)
                .handler()
                .on(there),
        );
        list
    };
    machines[2].set_break(1, Cut::Before);
    let dies = Options {
        reconnect: std::time::Duration::ZERO,
        ..Options::new()
    };
    let (first, told) = go(tasks(), dies);
    assert!(!first.ok, "{told:#?}");
    for _ in 0..2 {
        let (next, told) = go(tasks(), Options::new());
        assert!(next.ok, "{told:#?}");
        assert_eq!(count(&machines[2], "handler"), 1, "{told:#?}");
    }
}

#[test]
fn a_change_elsewhere_calls_a_handler_at_home() {
    let machines = machines(3);
    let (mut list, [there, _]) = with_elsewhere(&machines);
    let cause = list.task(cell("cause", "a", "1").on(there));
    list.task(
        sum("handler", "h", &[])
            .triggered_by(cause)
            .handler()
            .on(HostId(0)),
    );
    let (report, told) = go(list, Options::new());
    assert!(report.ok, "{told:#?}");
    assert_eq!(count(&machines[0], "handler"), 1, "{told:#?}");
}

#[test]
fn what_is_seen_of_a_machine_is_what_all_its_names_made_of_it() {
    let machines = machines(3);
    machines[2].change(|world| world.write(&crate::kit::path("a"), "1"));
    let (mut list, [there, _]) = with_elsewhere(&machines);
    // What `h2` sees first is in its state; before its turn somebody else changes it.
    list.task(cell("elsewhere", "a", "2").on(there));
    list.task(cell("own", "a", "1").on(HostId(2)));
    let (report, told) = go(list, Options::new());
    assert!(report.ok, "{told:#?}");
    at(&told, "own@h2: Changed");
    assert_eq!(
        machines[2].world().text(&crate::kit::path("a")).unwrap(),
        "1"
    );
}

#[derive(Clone, Debug)]
struct Spec {
    kind: u8,
    cell: u8,
    value: u8,
    on: usize,
}

fn build(specs: &[Spec], machines: &[Arc<FakeHost>]) -> TaskList {
    let (mut list, there) = with_elsewhere(machines);
    let places = [HostId(0), HostId(1), HostId(2), there[0], there[1]];
    for (n, spec) in specs.iter().enumerate() {
        let (name, value) = (format!("t{n}"), spec.value.to_string());
        let to = format!("c{}", spec.cell);
        let task: Task = match spec.kind {
            0 => cell(&name, &to, &value),
            1 => put(&name, &to, &value),
            _ => sum(&name, &to, &[to.as_str(), "c0"]),
        };
        list.task(task.on(places[spec.on]));
    }
    list
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Whatever is done elsewhere, all machines end where they end one task after the other.
    #[test]
    fn elsewhere_means_what_the_list_says(
        specs in prop::collection::vec((0_u8..3, 0_u8..2, 0_u8..3, 0_usize..5).prop_map(|(kind, cell, value, on)| Spec { kind, cell, value, on }), 1..10),
    ) {
        let (free, strict) = (machines(3), machines(3));
        let (report, told) = go(build(&specs, &free), Options::new());
        let (expected, _) = go(build(&specs, &strict), crate::kit::in_order());
        prop_assert!(report.ok && expected.ok, "{:#?}", told);
        for (free, strict) in free.iter().zip(&strict) {
            prop_assert_eq!(cells(free), cells(strict), "{:#?}", told);
        }
        // Each host's tasks that another machine does stand between those before and after them.
        for (n, spec) in specs.iter().enumerate().filter(|(_, spec)| spec.on > 2) {
            let owner = format!("@h{}", spec.on - 3);
            let place = at(&told, &format!("t{n}@"));
            for (other, line) in told.iter().enumerate().filter(|(_, line)| line.contains(&owner)) {
                let number: usize = line[1..].split('@').next().unwrap().parse().unwrap();
                prop_assert_eq!(number < n, other < place, "{:#?}", told);
            }
        }
    }
}
