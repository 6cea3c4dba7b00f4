//! Hosts that cannot be reached, and tasks that bear that.

use std::{sync::Arc, time::Duration};

use evenkeel_engine::{Task, TaskList, fake::FakeHost, run::Options};

use crate::{
    hosts::{all, at, go, list, machines},
    kit::{cell, cells, host, sum},
};

fn options() -> Options {
    Options {
        reconnect: Duration::from_millis(20),
        ..Options::new()
    }
}

fn bears(task: Task) -> Task {
    Task {
        ignore_unreachable: true,
        ..task
    }
}

/// Two hosts, of which the second goes away at this exchange.
fn away(exchange: u64) -> (Vec<Arc<FakeHost>>, TaskList) {
    let mut machines = machines(2);
    machines[1] = Arc::new(host().machine("machine-1").goes_away(exchange));
    let list = list(&machines);
    (machines, list)
}

#[test]
fn a_host_that_is_away_is_passed_over_where_all_its_tasks_bear_that() {
    let (machines, mut list) = away(1);
    all(&mut list, &bears(cell("one", "a", "1")));
    let last = bears(sum("two", "s", &["a"]));
    all(&mut list, &last);
    let (report, told) = go(list, options());
    assert!(report.ok, "{told:#?}");
    let recap = &report.hosts["h1"];
    assert_eq!(
        (recap.ignored, recap.failed, recap.unreachable),
        (2, 0, false)
    );
    assert_eq!(report.hosts["h0"].changed, 2);
    assert_eq!(cells(&machines[0]).len(), 2);
    at(&told, "two@h1: Failed");
    assert!(cells(&machines[1]).is_empty());
}

#[test]
fn who_does_not_bear_it_is_unreachable() {
    let (_, mut list) = away(1);
    all(&mut list, &bears(cell("one", "a", "1")));
    all(&mut list, &cell("two", "b", "1"));
    all(&mut list, &bears(cell("three", "c", "1")));
    let (report, told) = go(list, options());
    assert!(!report.ok, "{told:#?}");
    let recap = &report.hosts["h1"];
    assert_eq!((recap.ignored, recap.unreachable), (1, true), "{told:#?}");
    assert_eq!(report.hosts["h0"].changed, 3);
}

#[test]
fn a_host_that_goes_away_in_the_middle_is_passed_over_too() {
    for exchange in 2..5 {
        let (_, mut list) = away(exchange);
        all(&mut list, &bears(cell("one", "a", "1")));
        all(&mut list, &bears(sum("two", "s", &["a"])));
        all(&mut list, &bears(sum("three", "t", &["s"])));
        let (report, told) = go(list, options());
        let recap = &report.hosts["h1"];
        assert!(report.ok && !recap.unreachable, "{exchange}: {told:#?}");
        assert_eq!(recap.changed + recap.ignored, 3, "{exchange}: {told:#?}");
        assert_eq!(report.hosts["h0"].changed, 3, "{exchange}: {told:#?}");
    }
}

#[test]
fn its_result_says_so_and_other_hosts_go_on() {
    let (_, mut list) = away(1);
    all(&mut list, &bears(cell("one", "a", "1")));
    let (report, _) = go(list, options());
    let output = report.output_of(evenkeel_engine::TaskId(1)).unwrap();
    let json = output.to_value().to_json();
    assert_eq!(json["unreachable"], true, "{json}");
    assert_eq!(
        (&json["failed"], &json["changed"]),
        (&false.into(), &false.into())
    );
}
