//! Several hosts: who waits for whom, and what a failure means for the others.

use std::sync::{Arc, Mutex};

use evenkeel_engine::{
    HostId, Meets, Task, TaskList,
    event::Event,
    fake::{Cut, FakeHost},
    run::{Cancel, Options, Report, run},
};
use proptest::prelude::*;

use crate::kit::{cell, cells, host, put, runtime, sum};

/// Hosts `h0`, `h1` … that are machines of their own.
pub(crate) fn machines(count: usize) -> Vec<Arc<FakeHost>> {
    let machine = |n| Arc::new(host().machine(&format!("machine-{n}")));
    (0..count).map(machine).collect()
}

pub(crate) fn list(machines: &[Arc<FakeHost>]) -> TaskList {
    let mut list = TaskList::new("kit");
    for (n, machine) in machines.iter().enumerate() {
        list.host(
            format!("h{n}"),
            Arc::clone(machine) as Arc<dyn evenkeel_engine::host::Host>,
        );
    }
    list
}

/// The same task on each host.
pub(crate) fn all(list: &mut TaskList, task: &Task) {
    for n in 0..list.hosts.len() {
        let on = HostId(u32::try_from(n).unwrap());
        list.task(task.clone().on(on));
    }
}

/// `task@host: outcome` in the order in which they were told.
pub(crate) fn go(list: TaskList, options: Options) -> (Report, Vec<String>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let sink = {
        let told = Arc::clone(&told);
        move |event: &Event| {
            if let Event::TaskFinished(task) = event {
                let line = format!("{}@{}: {:?}", task.name.task, task.name.host, task.outcome);
                told.lock().unwrap().push(line);
            }
        }
    };
    let running = run(Arc::new(list), options, Arc::new(sink), Cancel::new());
    let report = runtime().block_on(running).unwrap();
    let told = std::mem::take(&mut *told.lock().unwrap());
    (report, told)
}

pub(crate) fn at(told: &[String], line: &str) -> usize {
    let found = told.iter().position(|told| told.starts_with(line));
    found.unwrap_or_else(|| panic!("{line} was not told: {told:#?}"))
}

/// A task that fails on the host of this number, and four that do not.
fn failing(bears: Option<u32>, on: &[usize], meets: Meets) -> (Vec<Arc<FakeHost>>, TaskList) {
    let machines = machines(3);
    for n in on {
        machines[*n].change(|world| world.write("/broken/two", ""));
    }
    let mut list = list(&machines);
    for (name, put_it) in [("one", false), ("two", true), ("three", false)] {
        let task = if put_it {
            put(name, name, "1")
        } else {
            cell(name, name, "1")
        };
        let task = Task {
            bears,
            meets,
            ..task
        };
        all(&mut list, &task);
    }
    (machines, list)
}

#[test]
fn a_failure_ends_its_host_alone() {
    let (machines, list) = failing(None, &[1], Meets::Freely);
    let (report, told) = go(list, Options::new());
    assert!(!report.ok);
    assert_eq!(cells(&machines[0]).len(), 3, "{told:#?}");
    assert_eq!(cells(&machines[1]).len(), 1, "{told:#?}");
    assert_eq!(cells(&machines[2]).len(), 3, "{told:#?}");
}

#[test]
fn any_error_may_end_the_play_on_all_hosts() {
    let (machines, list) = failing(Some(0), &[1], Meets::Earlier);
    let (_, told) = go(list, Options::new());
    for n in [0, 2] {
        // The task that failed elsewhere still runs here; what comes after it does not.
        assert_eq!(cells(&machines[n]).len(), 2, "{told:#?}");
        at(&told, &format!("three@h{n}: Blocked"));
    }
}

#[test]
fn so_many_failures_are_borne() {
    let (machines, list) = failing(Some(40), &[1], Meets::Earlier);
    let (_, told) = go(list, Options::new());
    assert_eq!(cells(&machines[0]).len(), 3, "{told:#?}");
    let (machines, list) = failing(Some(40), &[1, 2], Meets::Earlier);
    let (_, told) = go(list, Options::new());
    assert_eq!(cells(&machines[0]).len(), 2, "{told:#?}");
}

#[test]
fn where_a_whole_batch_fails_the_next_does_not_start() {
    for (failing, rest) in [(vec![0], 1), (vec![0, 1], 0)] {
        let machines = machines(3);
        for n in failing {
            machines[n].change(|world| world.write("/broken/roll", ""));
        }
        let mut list = list(&machines);
        list.plays.push(String::new());
        for (n, play) in [(0, 0), (1, 0), (2, 1)] {
            let task = put("roll", "r", "1").on(HostId(n));
            list.task(Task {
                bears: Some(99),
                play,
                ..task
            });
        }
        let (_, told) = go(list, Options::new());
        assert_eq!(cells(&machines[2]).len(), rest, "{told:#?}");
    }
}

#[test]
fn a_host_that_is_away_holds_up_nobody() {
    let mut machines = machines(3);
    machines[1] = Arc::new(host().machine("machine-1").goes_away(2));
    let mut list = list(&machines);
    all(&mut list, &cell("one", "a", "1"));
    // A command waits for what is listed before it on all hosts that are still there.
    all(&mut list, &sum("two", "s", &["a"]));
    let options = Options {
        reconnect: std::time::Duration::from_millis(20),
        ..Options::new()
    };
    let (report, told) = go(list, options);
    assert!(report.hosts["h1"].unreachable, "{told:#?}");
    for n in [0, 2] {
        assert_eq!(cells(&machines[n]).len(), 2, "{told:#?}");
        assert_eq!(report.hosts[&format!("h{n}")].changed, 2);
    }
}

#[test]
fn a_throttled_task_takes_its_turns() {
    let machines = machines(4);
    let mut list = list(&machines);
    let task = Task {
        throttle: 1,
        ..put("turn", "t", "1")
    };
    all(&mut list, &task);
    let (report, told) = go(list, Options::new());
    assert!(report.ok);
    let wanted: Vec<String> = (0..4).map(|n| format!("turn@h{n}: Changed")).collect();
    assert_eq!(told, wanted);
}

#[test]
fn what_another_host_owes_is_found_again() {
    let machines = machines(2);
    let tasks = || {
        let mut list = list(&machines);
        let cause = list.task(cell("cause", "a", "1").on(HostId(0)));
        let mut handler = sum("restart", "r", &[]).handler().on(HostId(1));
        handler.triggers = vec![cause];
        list.task(handler);
        list
    };
    // The run dies when the handler's turn comes.
    machines[1].set_break(1, Cut::Before);
    let dies = Options {
        reconnect: std::time::Duration::ZERO,
        ..Options::new()
    };
    let (first, told) = go(tasks(), dies);
    assert!(!first.ok, "{told:#?}");
    let (second, told) = go(tasks(), Options::new());
    assert!(second.ok, "{told:#?}");
    assert_eq!(crate::kit::count(&machines[1], "restart"), 1, "{told:#?}");
    let (third, told) = go(tasks(), Options::new());
    assert!(third.ok, "{told:#?}");
    assert_eq!(crate::kit::count(&machines[1], "restart"), 1, "{told:#?}");
}

#[derive(Clone, Debug)]
struct Spec {
    kind: u8,
    cell: u8,
    value: u8,
    meets: u8,
}

fn build(specs: &[Spec], machines: &[Arc<FakeHost>]) -> TaskList {
    let mut list = list(machines);
    for (n, spec) in specs.iter().enumerate() {
        let (name, to) = (format!("t{n}"), format!("c{}", spec.cell));
        let value = spec.value.to_string();
        let task = match spec.kind {
            0 => cell(&name, &to, &value),
            1 => put(&name, &to, &value),
            _ => sum(&name, &to, &["c0", "c1"]),
        };
        match spec.meets {
            0 => {
                list.task(Task {
                    meets: Meets::All,
                    ..task
                });
            }
            1 => all(
                &mut list,
                &Task {
                    meets: Meets::Earlier,
                    ..task
                },
            ),
            _ => all(&mut list, &task),
        }
    }
    list
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Several hosts end where they end one task after the other, and what is done for all of them
    /// comes after all that is listed before it, and before all that is listed after it.
    #[test]
    fn many_hosts_mean_what_the_list_says(
        specs in prop::collection::vec((0_u8..3, 0_u8..3, 0_u8..3, 0_u8..6).prop_map(|(kind, cell, value, meets)| Spec { kind, cell, value, meets }), 1..8),
    ) {
        let (free, strict) = (machines(3), machines(3));
        let (report, told) = go(build(&specs, &free), Options::new());
        let (expected, _) = go(build(&specs, &strict), crate::kit::in_order());
        prop_assert!(report.ok && expected.ok);
        for (free, strict) in free.iter().zip(&strict) {
            prop_assert_eq!(cells(free), cells(strict));
        }
        let number = |line: &String| line[1..].split('@').next().unwrap().parse::<usize>().unwrap();
        for (n, _) in specs.iter().enumerate().filter(|(_, spec)| spec.meets == 0) {
            let place = at(&told, &format!("t{n}@"));
            for (other, line) in told.iter().enumerate().filter(|(other, _)| *other != place) {
                prop_assert_eq!(number(line) < n, other < place, "{:#?}", told);
            }
        }
    }
}
