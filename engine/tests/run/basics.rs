//! Small lists, one promise each.

use std::sync::Arc;

use evenkeel_engine::{Outputs, Task, TaskId, hex, run::Options, sha256};

use crate::kit::{cell, cells, count, go, go_with, host, put, sum};

#[test]
fn a_thousand_unchanged_cells_cost_one_exchange() {
    let host = Arc::new(host());
    let tasks = || {
        (0..1000)
            .map(|n| cell(&format!("t{n}"), &format!("c{n}"), "v"))
            .collect()
    };
    let first = go(&host, tasks());
    assert!(first.report.ok, "{:?}", first.told());
    assert!(first.exchanges <= 5, "{} exchanges", first.exchanges);
    let second = go(&host, tasks());
    assert_eq!(second.report.hosts["box"].unchanged, 1000);
    assert_eq!(second.exchanges, 1);
}

#[test]
fn commands_between_cells_cost_a_bounded_number_of_exchanges() {
    let host = Arc::new(host());
    let task = |n: usize| {
        if n.is_multiple_of(10) {
            sum(&format!("s{n}"), &format!("x{n}"), &["c1", "c2"])
        } else {
            cell(&format!("t{n}"), &format!("c{n}"), "v")
        }
    };
    let first = go(&host, (0..200).map(task).collect());
    assert!(first.report.ok, "{:?}", first.told());
    assert!(first.exchanges <= 5, "{} exchanges", first.exchanges);
    let second = go(&host, (0..200).map(task).collect());
    assert!(second.exchanges <= 5, "{} exchanges", second.exchanges);
    assert_eq!(second.report.hosts["box"].unchanged, 180);
    assert_eq!(second.report.hosts["box"].unguarded, 20);
}

#[test]
fn a_hundred_dependent_changes_cost_a_few_exchanges() {
    for by_program in [false, true] {
        let host = Arc::new(host());
        let task = |n: usize| {
            let (name, value) = (format!("t{n}"), format!("v{n}"));
            if by_program {
                put(&name, "same", &value)
            } else {
                cell(&name, "same", &value)
            }
        };
        let ran = go(&host, (0..100).map(task).collect());
        assert!(ran.report.ok, "{:?}", ran.told());
        assert_eq!(ran.report.hosts["box"].changed, 100);
        if !by_program {
            assert!(ran.exchanges <= 5, "{} exchanges", ran.exchanges);
        }
        assert_eq!(cells(&host), [("/cells/same".into(), "v99".into())]);
    }
}

#[test]
fn a_handler_runs_once_and_only_after_a_change() {
    let host = Arc::new(host());
    let tasks = || {
        let change = cell("change", "a", "1");
        let mut handler = sum("restart", "r", &["a"]).handler();
        handler.triggers = vec![evenkeel_engine::TaskId(0)];
        vec![change, handler]
    };
    let first = go(&host, tasks());
    assert_eq!(
        first.told(),
        ["change: Changed value", "restart: Changed sum"]
    );
    assert_eq!(first.reason("restart"), "triggered by `change`");
    assert_eq!(go(&host, tasks()).told(), ["change: Unchanged "]);
    assert_eq!(count(&host, "restart"), 1);
}

#[test]
fn check_mode_writes_nothing_and_foretells_the_run() {
    let host = Arc::new(host());
    let tasks = || {
        let mut handler = sum("restart", "r", &["a"]).handler();
        handler.triggers = vec![evenkeel_engine::TaskId(0)];
        let again = handler.clone();
        vec![cell("one", "a", "1"), cell("two", "a", "2"), handler, again]
    };
    let before = host.world();
    let check = go_with(&host, tasks(), Options::new().check());
    assert!(host.world().changed_since(&before).is_empty());
    assert!(
        host.exchanges()
            .iter()
            .all(|exchange| exchange.lock.is_none())
    );
    let apply = go(&host, tasks());
    assert_eq!(check.told(), apply.told());
    assert_eq!(count(&host, "restart"), 1);
}

#[test]
fn the_same_input_gives_the_same_events_in_the_same_order() {
    let once = || {
        let host = Arc::new(host());
        let task = |n: usize| match n % 7 {
            0 => sum(&format!("s{n}"), "x", &["c1", "c2"]),
            3 => put(&format!("p{n}"), "c2", &format!("v{n}")),
            _ => cell(&format!("t{n}"), &format!("c{}", n % 5), &format!("v{n}")),
        };
        go(&host, (0..40).map(task).collect()).lines()
    };
    let first = once();
    for _ in 0..20 {
        assert_eq!(once(), first);
    }
}

/// How many seconds this thread has run, as Linux counts it: what else the machine does is no part of that. Elsewhere it is
/// the time that went by.
fn spent() -> f64 {
    static BEGUN: std::sync::LazyLock<std::time::Instant> =
        std::sync::LazyLock::new(std::time::Instant::now);
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let said = said.and_then(|line| line.split(' ').next()?.parse::<f64>().ok());
    said.map_or_else(|| BEGUN.elapsed().as_secs_f64(), |nanos| nanos / 1e9)
}

/// How long a run over so many cells takes, in seconds: the first, and one that finds all in its
/// state.
fn times(tasks: usize) -> (f64, f64) {
    let host = Arc::new(host());
    let list = || {
        let task = |n: usize| {
            let mut task = cell(&format!("t{n}"), &format!("c{n}"), "v");
            if n % 10 == 9 {
                task.triggers = vec![evenkeel_engine::TaskId(u32::try_from(n - 1).unwrap())];
                task.handler = true;
            }
            task
        };
        (0..tasks).map(task).collect()
    };
    let time = || {
        let begun = spent();
        assert!(go(&host, list()).report.ok);
        spent() - begun
    };
    (time(), time())
}

#[test]
fn time_grows_with_the_number_of_tasks_and_not_with_its_square() {
    // The least of three: what else the machine does counts in none of them.
    let least = |tasks| {
        let all = [times(tasks), times(tasks), times(tasks)];
        all.into_iter().fold((f64::MAX, f64::MAX), |least, time| {
            (least.0.min(time.0), least.1.min(time.1))
        })
    };
    let (few, many) = (least(500), least(5_000));
    let (first, second) = (many.0 / few.0, many.1 / few.1);
    assert!(first < 30.0 && second < 30.0, "{few:?} {many:?}");
}

#[test]
fn a_failed_turn_keeps_no_other_turn_from_its_own_but_all_that_follows() {
    let host = Arc::new(host());
    host.change(|world| world.write("/broken/two", ""));
    let turn = |label: &str| evenkeel_engine::Turn {
        label: label.to_owned(),
        item: label.into(),
        body: Ok(Arc::new(evenkeel_engine::With::<crate::kit::Cell>(
            crate::kit::CellArgs {
                cell: label.to_owned(),
                value: evenkeel_engine::Late::of("v"),
                put: Some(label.to_owned()),
                long: false,
            },
        ))),
    };
    let turns = ["one", "two", "three"].map(turn).to_vec();
    let tasks = || {
        let turns = turns.clone();
        let body = move |_: &dyn evenkeel_engine::Outputs| {
            Ok::<_, evenkeel_engine::Stop>(evenkeel_engine::Resolved::Loop(turns.clone()))
        };
        let many = evenkeel_engine::Task::resolved("many", "cell", Arc::new(body));
        vec![many, cell("after", "a", "1")]
    };
    let first = go(&host, tasks());
    let items = &first.of("many").unwrap().items;
    let outcomes: Vec<_> = items
        .iter()
        .map(|item| format!("{:?}", item.outcome))
        .collect();
    assert_eq!(outcomes, ["Changed", "Failed", "Changed"]);
    host.change(|world| world.remove("/broken/two"));
    let second = go(&host, tasks());
    assert!(second.report.ok, "{:?}", second.told());
    assert_eq!(cells(&host).len(), 4);
}

#[test]
fn what_was_done_is_never_called_vain() {
    // A command that nobody foretold breaks each chain, and a turn fails besides.
    let host = Arc::new(host());
    host.change(|world| world.write("/broken/first", ""));
    let turn = |label: &'static str| evenkeel_engine::Turn {
        label: label.to_owned(),
        item: label.into(),
        body: Ok(Arc::new(evenkeel_engine::With::<crate::kit::Cell>(
            crate::kit::CellArgs {
                cell: label.to_owned(),
                value: evenkeel_engine::Late::of("v"),
                put: Some(label.to_owned()),
                long: false,
            },
        )) as Arc<dyn evenkeel_engine::Bound>),
    };
    let body = move |_: &dyn evenkeel_engine::Outputs| {
        let turns = ["first", "second"].map(turn).to_vec();
        Ok::<_, evenkeel_engine::Stop>(evenkeel_engine::Resolved::Loop(turns))
    };
    let many = evenkeel_engine::Task::resolved("many", "cell", Arc::new(body));
    let tasks = vec![sum("sum", "c", &[]), many, cell("cell", "c", "v")];
    let ran = go(&host, tasks);
    let error = ran.of("many").unwrap().error.clone().unwrap();
    assert_eq!(error.message, "`put` failed with status 1");
}

#[test]
fn loops_that_act_do_not_end_the_chain() {
    let host = Arc::new(host());
    let task = |n: usize| {
        let body = move |_: &dyn evenkeel_engine::Outputs| {
            let turn = |part: usize| evenkeel_engine::Turn {
                label: part.to_string(),
                item: part.to_string().into(),
                body: Ok(Arc::new(evenkeel_engine::With::<crate::kit::Cell>(
                    crate::kit::CellArgs {
                        cell: format!("c{n}-{part}"),
                        value: evenkeel_engine::Late::of("v"),
                        put: None,
                        long: false,
                    },
                )) as Arc<dyn evenkeel_engine::Bound>),
            };
            Ok::<_, evenkeel_engine::Stop>(evenkeel_engine::Resolved::Loop(
                (0..3).map(turn).collect(),
            ))
        };
        evenkeel_engine::Task::resolved(format!("t{n}"), "cell", Arc::new(body))
    };
    let ran = go(&host, (0..50).map(task).collect());
    assert!(ran.report.ok, "{:?}", ran.told());
    assert_eq!(cells(&host).len(), 150);
    assert!(ran.exchanges <= 4, "{} exchanges", ran.exchanges);
}

#[test]
fn a_notified_command_runs_whatever_its_guards_say() {
    let host = Arc::new(host());
    host.change(|world| world.write("/cells/there", ""));
    let tasks = || {
        let args = evenkeel_modules::command::Args {
            argv: ["sum", "restart", "x"]
                .map(evenkeel_engine::Late::of)
                .to_vec(),
            creates: vec!["/cells/there".into()],
            ..Default::default()
        };
        let named = "restart";
        let mut restart =
            evenkeel_engine::Task::new::<evenkeel_modules::command::Command>(named, args).handler();
        restart.triggers = vec![evenkeel_engine::TaskId(0)];
        vec![cell("change", "a", "1"), restart]
    };
    assert!(go(&host, tasks()).report.ok);
    assert_eq!(count(&host, "restart"), 1);
    assert!(go(&host, tasks()).report.ok);
    assert_eq!(count(&host, "restart"), 1);
}

#[test]
fn what_follows_a_program_that_lies_is_not_begun() {
    let host = Arc::new(host());
    host.change(|world| world.install("put", |_, _| evenkeel_engine::fake::ok("done")));
    let ran = go(&host, vec![put("liar", "a", "1"), sum("next", "x", &["a"])]);
    let told = ran.told();
    assert!(told[0].starts_with("liar: Failed"), "{told:?}");
    assert_eq!(told[1], "next: Blocked ");
    assert_eq!(count(&host, "next"), 0);
}

#[test]
fn what_is_read_at_its_turn_is_read_when_it_is_made() {
    let host = Arc::new(host());
    // What the second reads outside of what tasks tell is there when the first has ended, and not before.
    let tasks = |value: &str| {
        let outside = Arc::clone(&host);
        let body = move |outputs: &dyn Outputs| {
            let text = outside.world().text("/cells/a").unwrap_or_default();
            cell("copied", "b", &text).body.resolve(outputs)
        };
        let mut copied = Task::resolved("copied", "cell", Arc::new(body));
        copied.needs = vec![TaskId(0)];
        copied.at_turn = true;
        vec![cell("made", "a", value), copied, sum("after", "s", &["b"])]
    };
    for value in ["one", "two"] {
        let ran = go(&host, tasks(value));
        assert!(ran.report.ok, "{:?}", ran.told());
        let all = cells(&host);
        assert!(
            all.contains(&("/cells/b".to_owned(), value.to_owned())),
            "{all:?}"
        );
        // What comes after it found it done.
        let sum = hex(&sha256(value.as_bytes())[..4]);
        assert!(all.contains(&("/cells/s".to_owned(), sum)), "{all:?}");
    }
    assert_eq!(count(&host, "after"), 2);
    assert_eq!(go(&host, tasks("two")).told()[1], "copied: Unchanged ");
}

#[test]
fn what_no_host_can_be_told_is_refused_and_costs_nobody_else_anything() {
    let host = Arc::new(host());
    let ran = go(
        &host,
        vec![cell("other", "c", "1"), cell("odd", "a\0b", "1")],
    );
    assert_eq!(ran.told()[0], "other: Changed value");
    let error = ran.of("odd").and_then(|task| task.error.as_ref());
    let said = error.map(|error| error.message.as_str());
    assert!(
        said.is_some_and(|said| said.contains("NUL")),
        "{:?}",
        ran.told()
    );
    assert!(!ran.report.hosts["box"].unreachable);
}
