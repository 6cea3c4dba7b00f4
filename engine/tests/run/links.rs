//! Two names of one thing are not taken for two things.

use std::sync::Arc;

use evenkeel_engine::{
    Action, Attrs, Change, Done, Late, Module, Nature, Plan, Probes, Run, Seen, Step, Stop, Task,
    Thing, Touches, Value, Write, ask,
    fake::{self, FakeHost},
    probes::{Digest, RealPath, Stat},
    run::Options,
    sha256,
};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use crate::kit::{go, go_with, host, in_order};

/// Keeps a file at a text, or a link at a target; or runs `append FILE TEXT`, which says what it
/// touches.
struct Keep;

#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
struct KeepArgs {
    path: String,
    #[schemars(with = "String")]
    text: Late<String>,
    how: How,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
enum How {
    File,
    Link,
    Append,
    /// The same, as a long step.
    Slowly,
}

impl Module for Keep {
    const NAME: &'static str = "keep";
    const NATURE: Nature = Nature::State;
    const ABOUT: &'static str = "keeps a path at a text";
    const EXAMPLE: &'static str = "";
    type Args = KeepArgs;
    type Output = ();

    fn observe(args: &KeepArgs, _: &Seen) -> Probes {
        let path = args.path.clone();
        match args.how {
            How::File => vec![ask(Digest(path.clone())), ask(Stat(path))],
            How::Link => vec![ask(Stat(path))],
            How::Append | How::Slowly => Vec::new(),
        }
    }

    fn plan(args: &KeepArgs, seen: &Seen) -> Result<Plan, Stop> {
        let (path, text) = (args.path.clone(), args.text.get()?.clone());
        let change = Change::new("text", Value::Null, text.as_str());
        Ok(match args.how {
            How::File => {
                let now = *seen.get(&Digest(path.clone()))?;
                if now == Some(sha256(text.as_bytes())) {
                    return Ok(Plan::nothing());
                }
                let write = Write {
                    path,
                    content: text.as_str().into(),
                    attrs: Attrs::default(),
                    if_was: Some(now),
                    ..Write::default()
                };
                change.step(Action::Write(write)).into()
            }
            How::Link => {
                let stat = seen.get(&Stat(path.clone()))?;
                let is = |stat: &evenkeel_engine::probes::FileStat| {
                    stat.kind == evenkeel_engine::probes::Kind::Link(text.clone())
                };
                if stat.as_ref().is_some_and(is) {
                    return Ok(Plan::nothing());
                }
                change.step(Action::Link { path, target: text }).into()
            }
            How::Append | How::Slowly => {
                let run = Run {
                    long: args.how == How::Slowly,
                    ..Run::new(["append", &path, &text])
                };
                let change = change.because(evenkeel_engine::Cause::Act);
                change.step(Step::from(run)).into()
            }
        })
    }

    fn output(_: &KeepArgs, _: &Seen, _: &[Done]) -> Result<(), Stop> {
        Ok(())
    }

    fn touches(args: &KeepArgs) -> Touches {
        let touches = Touches::writes([Thing::Path(args.path.clone())]);
        match (&args.how, args.text.get()) {
            (How::Link, Ok(target)) => touches.linking(&args.path, target),
            _ => touches,
        }
    }

    fn subject(args: &KeepArgs) -> String {
        args.path.clone()
    }
}

fn keep(name: &str, how: How, path: &str, text: &str) -> Task {
    let args = KeepArgs {
        path: path.to_owned(),
        text: Late::of(text),
        how,
    };
    Task::new::<Keep>(name, args)
}

/// `/var/run` is `/run`.
fn linked(takes: u32) -> Arc<FakeHost> {
    let host = host().dir("/run").dir("/var").link("/var/run", "/run");
    Arc::new(
        host.long_steps_take(takes)
            .program("append", |world, call| {
                let (path, text) = (&call.argv[1], &call.argv[2]);
                let text = world.text(path).unwrap_or_default() + text;
                world.write(path, text);
                fake::ok("")
            }),
    )
}

fn text(host: &FakeHost, path: &str) -> String {
    host.world().text(path).unwrap_or_default()
}

#[test]
fn what_meets_a_long_step_through_a_link_waits_for_it() {
    for takes in 0..3 {
        let host = linked(takes);
        let tasks = vec![
            keep("slow", How::Slowly, "/var/run/x", "a"),
            keep("free", How::File, "/run/free", "f"),
            keep("after", How::Append, "/run/x", "b"),
        ];
        let ran = go(&host, tasks);
        assert!(ran.report.ok, "{:?}", ran.told());
        assert_eq!(text(&host, "/run/x"), "ab", "{takes} {:?}", ran.told());
    }
}

#[test]
fn a_link_that_the_run_makes_counts_as_well() {
    for takes in 0..3 {
        let host = linked(takes);
        let tasks = vec![
            keep("link", How::Link, "/here", "/run"),
            keep("slow", How::Slowly, "/run/x", "a"),
            keep("after", How::Append, "/here/x", "b"),
        ];
        let ran = go(&host, tasks);
        assert!(ran.report.ok, "{:?}", ran.told());
        assert_eq!(text(&host, "/run/x"), "ab", "{takes} {:?}", ran.told());
    }
}

#[test]
fn answers_are_stale_by_every_name() {
    let host = linked(0);
    let tasks = || {
        vec![
            keep("one", How::File, "/run/x", "1"),
            keep("two", How::File, "/var/run/x", "2"),
            keep("three", How::File, "/run/x", "1"),
        ]
    };
    let ran = go(&host, tasks());
    assert!(ran.report.ok, "{:?}", ran.told());
    assert_eq!(text(&host, "/run/x"), "1");
    let told = [
        "one: Changed text",
        "two: Changed text",
        "three: Changed text",
    ];
    assert_eq!(ran.told(), told);
}

#[test]
fn where_paths_lead_is_asked_once_and_in_the_first_exchange() {
    let host = linked(0);
    let tasks = || {
        vec![
            keep("one", How::File, "/var/run/x", "1"),
            keep("two", How::File, "/run/y", "2"),
        ]
    };
    go(&host, tasks());
    let from = host.log().len();
    let again = go(&host, tasks());
    assert_eq!(
        (again.report.hosts["box"].unchanged, again.exchanges),
        (2, 1)
    );
    let asked = |line: &&String| line.contains("RealPath");
    assert_eq!(host.log()[from..].iter().filter(asked).count(), 2);
    let probe = RealPath("/var/run".to_owned());
    assert!(
        host.log()
            .iter()
            .any(|line| line.contains(&format!("{probe:?}")))
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// Files, appending programs and links, by any of their names: as in order.
    #[test]
    fn random_lists_over_links_are_as_in_order(
        kinds in prop::collection::vec((0_u8..8, 0_u8..3, 0_u8..3), 1..12),
        takes in 0_u32..3,
    ) {
        let tasks = || {
            let task = |(at, (kind, dir, of)): (usize, &(u8, u8, u8))| {
                let dir = ["/run", "/var/run", "/here"][usize::from(*dir)];
                let (path, text) = (format!("{dir}/f{of}"), format!("{at}"));
                let name = format!("t{at}");
                match kind {
                    0..=2 => keep(&name, How::File, &path, &text),
                    3 | 4 => keep(&name, How::Append, &path, &text),
                    5 | 6 => keep(&name, How::Slowly, &path, &text),
                    _ => keep(&name, How::Link, "/run/f0", &format!("/run/f{}", of % 2 + 1)),
                }
            };
            let first = keep("first", How::Link, "/here", "/var/run");
            [first].into_iter().chain(kinds.iter().enumerate().map(task)).collect::<Vec<Task>>()
        };
        let (host, ordered) = (linked(takes), linked(takes));
        let ran = go_with(&host, tasks(), Options::new());
        let should = go_with(&ordered, tasks(), in_order());
        let mut told = [ran.told(), should.told()];
        for told in &mut told {
            told.sort();
        }
        if should.report.ok {
            prop_assert_eq!(&told[0], &told[1]);
            let differences = host.world().differences(&ordered.world());
            let of_paths = |path: &&String| path.contains("/run/");
            prop_assert_eq!(differences.iter().filter(of_paths).collect::<Vec<_>>(), Vec::<&String>::new());
        }
    }
}
