//! Tasks that are tried again, and loops that take their turns one by one.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use evenkeel_engine::{
    Judge, Judgement, NotYet, Output, Outputs, Pace, Resolved, Stop, Task, TaskList, Thing, Tries,
    Turn, Value, With,
    event::{Event, Outcome, TaskFinished},
    fake::{FakeHost, World},
    host::Host,
    run::{Cancel, Mode, Options, Report, run},
};

use crate::kit::{Cell, CellArgs, Sum, SumArgs, cell, cells, host, path, put};

/// Tried so often, until what it says of its result is true.
struct Often {
    tries: Option<Tries>,
    until: fn(&Output) -> Result<bool, Stop>,
    pause: Duration,
    last: Option<usize>,
}

impl Pace for Often {
    fn tries(&self, _: Option<(usize, &Value)>, _: &dyn Outputs) -> Result<Option<Tries>, Stop> {
        Ok(self.tries)
    }

    fn holds(
        &self,
        result: &Output,
        _: Option<(usize, &Value)>,
        _: &dyn Outputs,
    ) -> Result<bool, Stop> {
        (self.until)(result)
    }

    fn pause(&self, _: &dyn Outputs) -> Result<Duration, Stop> {
        Ok(self.pause)
    }

    fn breaks(&self, _: &Output, turn: (usize, &Value), _: &dyn Outputs) -> Result<bool, Stop> {
        Ok(self.last == Some(turn.0))
    }
}

const DELAY: Duration = Duration::from_millis(20);

fn often(retries: u32, until: fn(&Output) -> Result<bool, Stop>) -> Arc<dyn Pace> {
    Arc::new(Often {
        tries: Some(Tries {
            retries,
            delay: DELAY,
        }),
        until,
        pause: Duration::ZERO,
        last: None,
    })
}

#[expect(clippy::unnecessary_wraps, reason = "others cannot tell")]
fn well(result: &Output) -> Result<bool, Stop> {
    Ok(!result.failed)
}

/// A run, what was told of it, and how long it took by the clock.
struct Timed {
    report: Report,
    events: Vec<Event>,
    took: Duration,
}

impl Timed {
    fn of(&self, task: &str) -> &TaskFinished {
        let mut finished = self.events.iter().filter_map(|event| match event {
            Event::TaskFinished(task) => Some(task.as_ref()),
            _ => None,
        });
        finished
            .find(|finished| finished.name.task == task)
            .unwrap()
    }

    fn retries(&self) -> Vec<(u32, u32)> {
        let retry = |event: &Event| match event {
            Event::TaskRetried { retry, retries, .. } => Some((*retry, *retries)),
            _ => None,
        };
        self.events.iter().filter_map(retry).collect()
    }
}

fn go(
    list: TaskList,
    options: Options,
    cancel: &Cancel,
    on_retry: impl Fn(u32) + Send + Sync + 'static,
) -> Timed {
    let events = Arc::new(Mutex::new(Vec::new()));
    let sink = {
        let events = Arc::clone(&events);
        move |event: &Event| {
            if let Event::TaskRetried { retry, .. } = event {
                on_retry(*retry);
            }
            events.lock().unwrap().push(event.clone());
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (report, took) = runtime.block_on(async {
        let begun = std::time::Instant::now();
        let report = run(Arc::new(list), options, Arc::new(sink), cancel.clone()).await;
        (report.unwrap(), begun.elapsed())
    });
    let events = std::mem::take(&mut *events.lock().unwrap());
    Timed {
        report,
        events,
        took,
    }
}

/// A run of these tasks with nothing said beside them.
fn plainly(host: &Arc<FakeHost>, tasks: Vec<Task>) -> Timed {
    go(one(host, tasks), Options::new(), &Cancel::new(), |_| {})
}

fn one(host: &Arc<FakeHost>, tasks: Vec<Task>) -> TaskList {
    crate::kit::list(host, tasks)
}

fn broken(label: &str) -> Arc<FakeHost> {
    let host = Arc::new(host());
    let path = format!("/broken/{label}");
    host.change(|world: &mut World| world.write(&path, ""));
    host
}

#[test]
fn it_is_tried_again_until_it_holds() {
    let host = broken("a");
    let task = Task {
        pace: Some(often(5, well)),
        ..put("a", "a", "1")
    };
    let repaired = Arc::clone(&host);
    let ran = go(
        one(&host, vec![task, cell("b", "b", "2")]),
        Options::new(),
        &Cancel::new(),
        move |retry| {
            if retry == 2 {
                repaired.change(|world| world.remove("/broken/a"));
            }
        },
    );
    assert!(ran.report.ok);
    assert_eq!(ran.retries(), [(1, 5), (2, 5)]);
    assert!(ran.took >= DELAY * 2);
    assert_eq!(ran.of("a").outcome, Outcome::Changed);
    let names: Vec<_> = cells(&host).into_iter().map(|(path, _)| path).collect();
    assert_eq!(names, ["/cells/a", "/cells/b"]);
}

#[test]
fn in_the_end_it_fails_and_what_follows_does_not_run() {
    let host = broken("a");
    let task = Task {
        pace: Some(often(3, well)),
        ..put("a", "a", "1")
    };
    let mut next = cell("b", "b", "2");
    next.after.push(evenkeel_engine::TaskId(0));
    let ran = plainly(&host, vec![task, next]);
    assert!(!ran.report.ok);
    assert_eq!(ran.retries(), [(1, 3), (2, 3), (3, 3)]);
    assert!(ran.took >= DELAY * 3);
    let error = ran.of("a").error.as_ref().unwrap();
    assert!(
        error.message.ends_with("(it was tried 4 times)"),
        "{error:?}"
    );
    assert_eq!(ran.of("b").outcome, Outcome::Blocked);
    assert!(cells(&host).is_empty());
}

#[test]
fn what_went_well_and_never_holds_fails_too() {
    let host = Arc::new(host());
    let task = Task {
        pace: Some(often(1, |_| Ok(false))),
        ..cell("a", "a", "1")
    };
    let ran = plainly(&host, vec![task]);
    let error = ran.of("a").error.as_ref().unwrap();
    assert!(error.message.starts_with("it was tried twice"), "{error:?}");
    assert_eq!(ran.of("a").outcome, Outcome::Failed);
}

/// Says of each result whether it counts as a failure.
struct Says(bool);

impl Judge for Says {
    fn always_changed(&self) -> Option<bool> {
        None
    }

    fn judges_failure(&self) -> bool {
        true
    }

    fn judge(
        &self,
        _: &Output,
        _: Option<(usize, &Value)>,
        _: &dyn Outputs,
    ) -> Result<Judgement, Stop> {
        Ok(Judgement {
            changed: None,
            failed: Some(self.0),
        })
    }
}

#[test]
fn what_never_holds_passes_where_it_is_said_to_be_no_failure() {
    let host = Arc::new(host());
    let task = Task {
        pace: Some(often(1, |_| Ok(false))),
        judge: Some(Arc::new(Says(false))),
        ..cell("a", "a", "1")
    };
    let ran = plainly(&host, vec![task]);
    assert!(ran.report.ok);
    let a = ran.of("a");
    // The second try found what the first one had done.
    assert_eq!(a.outcome, Outcome::Unchanged);
    assert!(a.error.is_none());
    let warned = ran.events.iter().filter(
        |event| matches!(event, Event::Warning { message, .. } if message.starts_with("it was tried twice")),
    );
    assert_eq!(warned.count(), 1, "{:?}", ran.events);
    assert_eq!(ran.retries(), [(1, 1)]);
}

#[test]
fn a_condition_that_cannot_be_read_ends_it_at_once() {
    let host = Arc::new(host());
    let task = Task {
        pace: Some(often(9, |_| Err(Stop::refused("`nope` is not defined")))),
        ..cell("a", "a", "1")
    };
    let ran = plainly(&host, vec![task]);
    let error = ran.of("a").error.as_ref().unwrap();
    assert_eq!(error.message, "`nope` is not defined");
    assert!(ran.retries().is_empty());
}

#[test]
fn what_only_looks_looks_again() {
    let host = Arc::new(host());
    host.change(|world| world.write("/cells/a", "1"));
    // In its state from the beginning; the second look finds that somebody has changed it.
    let changed = |result: &Output| Ok(result.changed.is_true());
    let task = Task {
        pace: Some(often(4, changed)),
        ..cell("a", "a", "1")
    };
    let other = Arc::clone(&host);
    let ran = go(
        one(&host, vec![task]),
        Options::new(),
        &Cancel::new(),
        move |retry| {
            if retry == 2 {
                other.change(|world| world.write("/cells/a", "2"));
            }
        },
    );
    assert!(ran.report.ok);
    assert_eq!(ran.retries().len(), 2);
    assert_eq!(ran.of("a").outcome, Outcome::Changed);
}

#[test]
fn hosts_wait_at_the_same_time() {
    let hosts: Vec<_> = (0..4).map(|_| broken("a")).collect();
    let mut list = TaskList::new("kit");
    for (at, host) in hosts.iter().enumerate() {
        let host = list.host(format!("box{at}"), Arc::clone(host) as Arc<dyn Host>);
        let task = Task {
            pace: Some(often(2, well)),
            ..put("a", "a", "1")
        };
        list.task(task.on(host));
    }
    let ran = go(list, Options::new(), &Cancel::new(), |_| {});
    assert_eq!(ran.retries().len(), 8);
    // No host waits for the end of another.
    let first = |retry: &(u32, u32)| retry.0 == 1;
    assert!(ran.retries()[..4].iter().all(first), "{:?}", ran.retries());
}

#[test]
fn nobody_waits_who_is_stopped() {
    let host = broken("a");
    let task = Task {
        // It would take hours.
        pace: Some(Arc::new(Often {
            tries: Some(Tries {
                retries: 9,
                delay: Duration::from_secs(3600),
            }),
            until: well,
            pause: Duration::ZERO,
            last: None,
        })),
        ..put("a", "a", "1")
    };
    let cancel = Cancel::new();
    let stop = cancel.clone();
    let list = one(&host, vec![task]);
    let ran = go(list, Options::new(), &cancel, move |retry| {
        assert_eq!(retry, 1);
        let stop = stop.clone();
        // Once it waits.
        tokio::spawn(async move { stop.stop() });
    });
    assert!(ran.report.interrupted);
}

#[test]
fn nobody_waits_in_a_plan() {
    let host = Arc::new(host());
    let unknown = |_: &Output| Err(NotYet::new("what it says").into());
    let never = Task {
        pace: Some(often(3, |_| Ok(false))),
        ..cell("never", "a", "1")
    };
    let perhaps = Task {
        pace: Some(often(3, unknown)),
        ..cell("perhaps", "b", "1")
    };
    let surely = Task {
        pace: Some(often(3, well)),
        ..cell("surely", "c", "1")
    };
    let options = Options {
        mode: Mode::Check,
        ..Options::new()
    };
    let list = one(&host, vec![never, perhaps, surely]);
    let ran = go(list, options, &Cancel::new(), |_| {});
    assert_eq!(ran.of("never").outcome, Outcome::Unknown);
    assert_eq!(ran.of("perhaps").outcome, Outcome::Unknown);
    assert_eq!(ran.of("surely").outcome, Outcome::Changed);
    assert!(ran.retries().is_empty());
    assert!(cells(&host).is_empty());
}

fn looped(pace: Often) -> Task {
    let turn = |number: i64| {
        let args = CellArgs {
            cell: format!("c{number}"),
            value: "1".to_owned().into(),
            put: Some(format!("put{number}")),
            long: false,
        };
        Turn {
            label: number.to_string(),
            item: number.into(),
            body: Ok(Arc::new(With::<Cell>(args))),
        }
    };
    let body = move |_: &dyn Outputs| Ok::<_, Stop>(Resolved::Loop((0..3).map(turn).collect()));
    Task {
        pace: Some(Arc::new(pace)),
        ..Task::resolved("loop", "cell", Arc::new(body))
    }
}

#[test]
fn there_is_a_pause_between_turns() {
    let host = Arc::new(host());
    let task = looped(Often {
        tries: None,
        until: well,
        pause: DELAY,
        last: None,
    });
    let ran = plainly(&host, vec![task]);
    assert!(ran.report.ok);
    assert!(ran.took >= DELAY * 2);
    assert_eq!(cells(&host).len(), 3);
    let items = &ran.of("loop").items;
    assert!(items.iter().all(|item| item.outcome == Outcome::Changed));
    assert_eq!(items.len(), 3);
    // The second run has nothing to do, and waits all the same.
    let task = looped(Often {
        tries: None,
        until: well,
        pause: DELAY,
        last: None,
    });
    let again = plainly(&host, vec![task]);
    assert_eq!(again.of("loop").outcome, Outcome::Unchanged);
    assert!(again.took >= DELAY * 2);
}

#[test]
fn a_loop_is_broken_off() {
    let host = Arc::new(host());
    let task = looped(Often {
        tries: None,
        until: well,
        pause: Duration::ZERO,
        last: Some(1),
    });
    let ran = plainly(&host, vec![task]);
    assert!(ran.report.ok);
    assert_eq!(cells(&host).len(), 2);
    assert_eq!(ran.of("loop").items.len(), 2);
}

#[test]
fn each_turn_has_its_own_tries() {
    let host = broken("put0");
    host.change(|world| world.write("/broken/put2", ""));
    let task = looped(Often {
        tries: Some(Tries {
            retries: 2,
            delay: DELAY,
        }),
        until: well,
        pause: Duration::ZERO,
        last: None,
    });
    let repaired = Arc::clone(&host);
    let ran = go(
        one(&host, vec![task]),
        Options::new(),
        &Cancel::new(),
        // The last one stays broken.
        move |_| repaired.change(|world| world.remove("/broken/put0")),
    );
    assert_eq!(ran.retries(), [(1, 2), (1, 2), (2, 2)]);
    let outcomes: Vec<_> = ran
        .of("loop")
        .items
        .iter()
        .map(|item| item.outcome)
        .collect();
    let wanted = [Outcome::Changed, Outcome::Changed, Outcome::Failed];
    assert_eq!(outcomes, wanted);
    assert_eq!(cells(&host).len(), 2);
}

/// Commands whose guards look at what they all say they write.
fn guarded() -> Task {
    let turn = |cell: &str| Turn {
        item: cell.into(),
        label: cell.to_owned(),
        body: Ok(Arc::new(With::<Sum>(SumArgs {
            label: cell.to_owned(),
            out: cell.to_owned(),
            creates: Some(cell.to_owned()),
            ..SumArgs::default()
        }))),
    };
    let turns: Vec<_> = ["a", "b", "c"].map(turn).into();
    let body = move |_: &dyn Outputs| Ok::<_, Stop>(Resolved::Loop(turns.clone()));
    let mut task = Task::resolved("loop", "sum", Arc::new(body)).id("loop");
    task.reads = Some(Vec::new());
    task.writes = Some(vec![Thing::Tree(path(""))]);
    task
}

#[test]
fn a_turn_waits_for_what_the_one_before_it_makes() {
    let host = Arc::new(host().file("/cells/b", "was there"));
    let go = |mode| {
        let options = Options {
            mode,
            ..Options::new()
        };
        go(one(&host, vec![guarded()]), options, &Cancel::new(), |_| {})
    };
    assert_eq!(go(Mode::Check).of("loop").outcome, Outcome::Unknown);
    let ran = go(Mode::Apply);
    assert!(ran.report.ok, "{:?}", ran.events);
    let outcomes = |ran: &Timed| -> Vec<_> {
        let items = ran.of("loop").items.iter();
        items.map(|item| item.outcome).collect()
    };
    let wanted = [Outcome::Changed, Outcome::Unchanged, Outcome::Changed];
    assert_eq!(outcomes(&ran), wanted);
    assert_eq!(cells(&host).len(), 3);
    let again = go(Mode::Apply);
    assert_eq!(outcomes(&again), [Outcome::Unchanged; 3]);
}
