//! Thirty packages are one transaction; if it fails, each task fails for itself.

use std::{collections::BTreeSet, sync::Arc};

use evenkeel_engine::{
    Change, Done, Effect, Late, Module, Plan, Probes, Refusal, Resolved, Run, Seen, Step, Stop,
    Task, TaskId, Touches, Turn, Value, With, ask,
    event::{Outcome, TaskFinished},
    fake::{self, Cut, FakeHost},
    probes::{Contents, Stat},
    run::Options,
};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cut::go_once;
use crate::kit::{Cell, CellArgs, Ran, count, go, go_with, host, in_order, path, sum};
use crate::survive::losses;

/// A package: the file `/pkgs/NAME`, made by the program `install`.
struct Pkg;

#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
struct PkgArgs {
    name: String,
    long: bool,
    /// Another kind of installing, which does not join with this one.
    from: Option<String>,
    /// A package without which this one is refused.
    needs: Option<String>,
}

fn place(name: &str) -> String {
    format!("/pkgs/{name}")
}

impl Module for Pkg {
    const NAME: &'static str = "pkg";
    const ABOUT: &'static str = "keeps a package installed";
    const EXAMPLE: &'static str = "";
    type Args = PkgArgs;
    type Output = ();

    fn observe(args: &PkgArgs, _: &Seen) -> Probes {
        let all = [&args.name].into_iter().chain(&args.needs);
        all.map(|name| ask(Stat(place(name)))).collect()
    }

    fn plan(args: &PkgArgs, seen: &Seen) -> Result<Plan, Stop> {
        let there = Stat(place(&args.name));
        if seen.get(&there)?.is_some() {
            return Ok(Plan::nothing());
        }
        if let Some(needed) = &args.needs {
            if seen.get(&Stat(place(needed)))?.is_none() {
                return Err(Refusal::new(format!("`{needed}` is not there")).into());
            }
        }
        let argv = ["install"].into_iter().chain(args.from.as_deref());
        let run = Run {
            joins: Some(vec![args.name.clone()]),
            long: args.long,
            ..Run::new(argv)
        };
        let step = Step::from(run).effect(Effect::unknown(there, "what is installed"));
        let what = format!("package `{}`", args.name);
        Ok(Change::new(what, Value::Null, "installed")
            .step(step)
            .into())
    }

    fn output(_: &PkgArgs, _: &Seen, _: &[Done]) -> Result<(), Stop> {
        Ok(())
    }

    fn touches(_: &PkgArgs) -> Touches {
        Touches {
            commutes: Some("packages"),
            ..Touches::everything()
        }
    }

    fn subject(args: &PkgArgs) -> String {
        args.name.clone()
    }
}

fn args(name: &str, long: bool) -> PkgArgs {
    PkgArgs {
        name: name.to_owned(),
        long,
        from: None,
        needs: None,
    }
}

fn pkg(name: &str, long: bool) -> Task {
    Task::new::<Pkg>(name, args(name, long))
}

/// `install` takes all or nothing, and notes how it was called.
fn shop(takes: u32, bad: &[&str]) -> Arc<FakeHost> {
    let bad: Vec<String> = bad.iter().map(|&name| name.to_owned()).collect();
    let host = host().dir("/pkgs").file("/calls", "");
    Arc::new(
        host.long_steps_take(takes)
            .program("install", move |world, call| {
                let mut words: Vec<&str> = call.args();
                words.retain(|word| !word.starts_with("--"));
                let calls = world.text("/calls").unwrap_or_default() + &words.join(",") + "\n";
                world.write("/calls", calls);
                if let Some(bad) = words.iter().find(|word| bad.iter().any(|bad| bad == *word)) {
                    return fake::failed(1, format!("no package {bad}\n"));
                }
                for word in words {
                    world.write(&place(word), "");
                }
                fake::ok("done\n")
            }),
    )
}

fn calls(host: &FakeHost) -> Vec<String> {
    let text = host.world().text("/calls").unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn installed(host: &FakeHost) -> Vec<String> {
    let world = host.world();
    let below = world.paths().filter_map(|path| path.strip_prefix("/pkgs/"));
    below.map(str::to_owned).collect()
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|at| format!("p{at:02}")).collect()
}

fn packages(count: usize, long: bool) -> Vec<Task> {
    names(count).iter().map(|name| pkg(name, long)).collect()
}

fn outcomes(ran: &Ran, outcome: Outcome) -> usize {
    ran.finished()
        .filter(|task| task.outcome == outcome)
        .count()
}

#[test]
fn thirty_packages_are_one_transaction() {
    for (long, takes) in [(false, 0), (true, 0), (true, 2)] {
        let host = shop(takes, &[]);
        let ran = go(&host, packages(30, long));
        assert_eq!(calls(&host), [names(30).join(",")], "{long}");
        let told: Vec<String> = names(30)
            .iter()
            .map(|name| format!("{name}: Changed package `{name}`"))
            .collect();
        assert_eq!(ran.told(), told);
        let again = go(&host, packages(30, long));
        assert_eq!(
            (outcomes(&again, Outcome::Unchanged), again.exchanges),
            (30, 1)
        );
        assert!(ran.exchanges <= 6, "{}", ran.exchanges);
    }
}

#[test]
fn if_it_fails_each_fails_for_itself() {
    for (long, takes) in [(false, 0), (true, 0), (true, 1)] {
        for bad in [0, 14, 29] {
            let name = format!("p{bad:02}");
            let (host, ordered) = (shop(takes, &[&name]), shop(takes, &[&name]));
            let tasks = || {
                let mut tasks = packages(30, long);
                tasks.push(sum("last", "l", &[]));
                tasks
            };
            let ran = go(&host, tasks());
            let in_order = go_with(&ordered, tasks(), in_order());
            assert_eq!(ran.told(), in_order.told(), "{name}");
            assert_eq!(installed(&host), names(bad), "{name}");
            assert_eq!(count(&host, "last"), 0);
            let failed = ran.of(&name).unwrap();
            let error = failed.error.as_ref().unwrap();
            assert!(format!("{error:?}").contains("no package"), "{error:?}");
            assert_eq!(outcomes(&ran, Outcome::Failed), 1);
            assert_eq!(outcomes(&ran, Outcome::Blocked), 30 - bad);
        }
    }
}

#[test]
fn what_it_did_before_it_failed_is_told_as_changed() {
    for long in [false, true] {
        let shop = || {
            let host = host().dir("/pkgs").file("/pkgs/p03", "");
            Arc::new(host.program("install", |world, call| {
                for word in call.args() {
                    if word == "p06" {
                        return fake::failed(1, "no package p06\n");
                    }
                    world.write(&place(word), "");
                }
                fake::ok("done\n")
            }))
        };
        let tasks = || packages(10, long);
        let (host, ordered) = (shop(), shop());
        let keep_going = |options| Options {
            keep_going: true,
            ..options
        };
        let ran = go_with(&host, tasks(), keep_going(Options::new()));
        let in_order = go_with(&ordered, tasks(), keep_going(in_order()));
        // What needs nothing is told while the long step goes on.
        let told = |ran: &Ran| ran.told().into_iter().collect::<BTreeSet<_>>();
        assert_eq!(told(&ran), told(&in_order));
        assert_eq!(ran.of("p02").unwrap().outcome, Outcome::Changed);
        assert_eq!(ran.of("p02").unwrap().changes.len(), 1);
        assert_eq!(ran.of("p03").unwrap().outcome, Outcome::Unchanged);
        assert_eq!(ran.of("p06").unwrap().outcome, Outcome::Failed);
        let again = go_with(&host, tasks(), keep_going(Options::new()));
        assert_eq!(outcomes(&again, Outcome::Changed), 0, "{:?}", again.told());
    }
}

#[test]
fn who_keeps_going_installs_all_but_the_bad_one() {
    for long in [false, true] {
        let host = shop(0, &["p14"]);
        let options = Options {
            keep_going: true,
            ..Options::new()
        };
        let ran = go_with(&host, packages(30, long), options);
        assert_eq!(outcomes(&ran, Outcome::Changed), 29, "{:?}", ran.told());
        assert_eq!(outcomes(&ran, Outcome::Failed), 1);
        assert_eq!(installed(&host).len(), 29);
    }
}

/// A version of a package: what `/pkgs/NAME` holds.
struct Version;

#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
struct VersionArgs {
    name: String,
    version: String,
    long: bool,
}

impl Module for Version {
    const NAME: &'static str = "version";
    const ABOUT: &'static str = "keeps a version of a package installed";
    const EXAMPLE: &'static str = "";
    type Args = VersionArgs;
    type Output = ();

    fn observe(args: &VersionArgs, _: &Seen) -> Probes {
        vec![ask(Contents(place(&args.name)))]
    }

    fn plan(args: &VersionArgs, seen: &Seen) -> Result<Plan, Stop> {
        let (there, wanted) = (Contents(place(&args.name)), args.version.as_bytes());
        let before = seen.get(&there)?.clone();
        if before.as_deref() == Some(wanted) {
            return Ok(Plan::nothing());
        }
        let run = Run {
            joins: Some(vec![format!("{}={}", args.name, args.version)]),
            long: args.long,
            ..Run::new(["install"])
        };
        let before = before.map(|bytes| String::from_utf8(bytes).unwrap());
        let step = Step::from(run).effect(Effect::new(there, Some(wanted.to_vec())));
        let change = Change::new(args.name.as_str(), before, args.version.as_str());
        Ok(change.step(step).into())
    }

    fn output(_: &VersionArgs, _: &Seen, _: &[Done]) -> Result<(), Stop> {
        Ok(())
    }

    fn touches(_: &VersionArgs) -> Touches {
        Touches {
            commutes: Some("packages"),
            ..Touches::everything()
        }
    }

    fn subject(args: &VersionArgs) -> String {
        args.name.clone()
    }
}

#[test]
fn what_a_long_step_will_have_made_is_waited_for_before_anything_is_refused() {
    for takes in 0..4 {
        let host = shop(takes, &[]);
        let second = PkgArgs {
            needs: Some("lists".to_owned()),
            ..args("apple", true)
        };
        let tasks = vec![pkg("lists", true), Task::new::<Pkg>("apple", second)];
        let ran = go(&host, tasks);
        assert_eq!(
            outcomes(&ran, Outcome::Changed),
            2,
            "{takes}: {:?}",
            ran.told()
        );
        assert_eq!(calls(&host), ["lists", "apple"]);
    }
}

#[test]
fn two_versions_of_one_thing_do_not_join() {
    for long in [false, true] {
        let host = Arc::new(host().dir("/pkgs").file("/calls", "").program(
            "install",
            |world, call| {
                let calls = world.text("/calls").unwrap_or_default();
                world.write("/calls", calls + &call.args().join(",") + "\n");
                for word in call.args() {
                    let (name, version) = word.split_once('=').unwrap();
                    world.write(&place(name), version);
                }
                fake::ok("done\n")
            },
        ));
        let task = |name: &str, version: &str| {
            let args = VersionArgs {
                name: name.to_owned(),
                version: version.to_owned(),
                long,
            };
            Task::new::<Version>(format!("{name} {version}"), args)
        };
        let tasks = vec![
            task("a", "1"),
            task("b", "1"),
            task("a", "2"),
            task("c", "1"),
        ];
        let ran = go(&host, tasks);
        assert_eq!(outcomes(&ran, Outcome::Changed), 4, "{:?}", ran.told());
        assert_eq!(host.world().text("/pkgs/a").unwrap(), "2");
        let calls = calls(&host).join(" ");
        assert_eq!(calls.replace(' ', ","), "a=1,b=1,a=2,c=1", "{long}");
        assert!(calls.starts_with("a=1,b=1 a=2"), "{calls}");
        let versions = &ran.of("a 2").unwrap().changes[0];
        let (before, after) = (&versions.before, &versions.after);
        assert_eq!([before, after], ["1", "2"]);
    }
}

#[test]
fn in_order_nothing_joins() {
    for long in [false, true] {
        let host = shop(0, &[]);
        go_with(&host, packages(3, long), in_order());
        assert_eq!(calls(&host), names(3));
    }
}

#[test]
fn turns_of_a_loop_are_one_transaction() {
    let turn = |name: &String| Turn {
        label: name.clone(),
        item: name.as_str().into(),
        body: Ok(Arc::new(With::<Pkg>(args(name, true)))),
    };
    let task = || {
        let turns: Vec<Turn> = names(5).iter().map(turn).collect();
        let body = move |_: &dyn evenkeel_engine::Outputs| Ok(Resolved::Loop(turns.clone()));
        vec![Task::resolved("all", "pkg", Arc::new(body))]
    };
    let host = shop(1, &[]);
    let ran = go(&host, task());
    assert!(ran.report.ok, "{:?}", ran.told());
    assert_eq!(calls(&host), [names(5).join(",")]);
    let host = shop(1, &["p02"]);
    let ran = go(&host, task());
    assert!(!ran.report.ok);
    assert_eq!(
        installed(&host),
        ["p00", "p01", "p03", "p04"],
        "{:?}",
        ran.told()
    );
}

#[test]
fn others_neither_join_nor_run_at_the_same_time() {
    let host = shop(2, &[]);
    let other = PkgArgs {
        from: Some("--from=x".to_owned()),
        ..args("b", true)
    };
    let tasks = vec![pkg("a", true), Task::new::<Pkg>("b", other), pkg("c", true)];
    let ran = go(&host, tasks);
    assert!(ran.report.ok, "{:?}", ran.told());
    assert_eq!(calls(&host), ["a", "b", "c"]);
}

#[test]
fn what_acts_between_them_keeps_them_apart() {
    let host = shop(0, &[]);
    let between = sum("between", "m", &[]);
    let tasks = vec![pkg("a", true), pkg("b", true), between, pkg("c", true)];
    let ran = go(&host, tasks);
    assert!(ran.report.ok, "{:?}", ran.told());
    assert_eq!(calls(&host), ["a,b", "c"]);
    let mut waits = pkg("b", false);
    waits.after = vec![TaskId(0)];
    let host = shop(0, &[]);
    go(&host, vec![pkg("a", false), waits]);
    assert_eq!(calls(&host), ["a", "b"]);
}

fn with_handler(long: bool, bad: bool) -> Vec<Task> {
    let mut tasks = packages(4, long);
    if bad {
        tasks.push(pkg("bad", long));
    }
    let mut handler = sum("restart", "r", &[]).handler();
    handler.triggers = (0..4).map(TaskId).collect();
    tasks.push(handler);
    tasks
}

#[test]
fn a_run_that_dies_in_it_is_finished_by_the_next() {
    for (long, takes) in [(false, 0), (true, 0), (true, 3)] {
        for step in 1..=2 {
            for cut in [Cut::Before, Cut::After] {
                let host = shop(takes, &[]);
                host.set_break(step, cut);
                assert!(!go_once(&host, with_handler(long, false)).report.ok);
                let second = go(&host, with_handler(long, false));
                assert!(second.report.ok, "{:?}", second.told());
                assert_eq!(installed(&host), names(4));
                assert_eq!(calls(&host), [names(4).join(",")], "{long} {step} {cut:?}");
                assert!(count(&host, "restart") >= 1, "{long} {step} {cut:?}");
                let third = go(&host, with_handler(long, false));
                assert_eq!(third.report.hosts["box"].changed, 0, "{:?}", third.told());
            }
        }
    }
}

#[test]
fn a_run_that_dies_while_they_run_apart_is_finished_by_the_next() {
    for (long, takes) in [(false, 0), (true, 0), (true, 1)] {
        for step in 1..=6 {
            for cut in [Cut::Before, Cut::After] {
                let host = shop(takes, &["bad"]);
                host.set_break(step, cut);
                assert!(!go_once(&host, with_handler(long, true)).report.ok);
                let second = go(&host, with_handler(long, false));
                assert!(second.report.ok, "{:?}", second.told());
                assert_eq!(installed(&host), names(4));
                assert!(count(&host, "restart") >= 1, "{long} {step} {cut:?}");
            }
        }
    }
}

#[test]
fn a_lost_connection_costs_nothing_wherever_it_is_lost() {
    for (long, takes) in [(false, 0), (true, 0), (true, 2)] {
        for bad in [false, true] {
            let broken: &[&str] = if bad { &["bad"] } else { &[] };
            let whole = shop(takes, broken);
            let calm = go(&whole, with_handler(long, bad));
            for (exchange, seen) in (1..=calm.exchanges as u64).zip(whole.exchanges()) {
                for loss in losses(seen.ops.len()) {
                    let what = format!("{long} {takes} {bad}: {exchange} {loss:?}");
                    let host = Arc::into_inner(shop(takes, broken)).unwrap();
                    let host = Arc::new(loss.on(host, exchange));
                    let ran = go(&host, with_handler(long, bad));
                    assert_eq!(ran.report.ok, calm.report.ok, "{what}");
                    assert_eq!(sorted(&ran), sorted(&calm), "{what}");
                    assert_eq!(installed(&host), installed(&whole), "{what}");
                    assert_eq!(calls(&host), calls(&whole), "{what}");
                    assert_eq!(count(&host, "restart"), count(&whole, "restart"), "{what}");
                }
            }
        }
    }
}

#[test]
fn a_host_that_restarts_in_it_is_gone_on_with() {
    for (long, takes) in [(false, 0), (true, 0), (true, 3)] {
        for step in 1..=2 {
            for cut in [Cut::Before, Cut::After] {
                let what = format!("{long} {takes} {step} {cut:?}");
                let host = Arc::into_inner(shop(takes, &[])).unwrap();
                let host = Arc::new(host.cuts_power().break_at(step, cut));
                let ran = go(&host, with_handler(long, false));
                assert!(ran.report.ok, "{what}: {:?}", ran.told());
                assert_eq!(installed(&host), names(4), "{what}");
                assert!(count(&host, "restart") >= 1, "{what}");
            }
        }
    }
}

fn sorted(ran: &Ran) -> Vec<String> {
    let mut told = ran.told();
    told.sort();
    told
}

fn cell_task(at: usize, cell: u8) -> Task {
    let args = CellArgs {
        cell: format!("c{cell}"),
        value: Late::of(format!("v{at}")),
        put: None,
        long: false,
    };
    Task::new::<Cell>(format!("t{at}"), args)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Packages (some of them bad), files and commands in any order: as in order.
    #[test]
    fn random_lists_with_packages_are_as_in_order(
        kinds in prop::collection::vec((0_u8..8, 0_u8..6, any::<bool>(), prop::bool::weighted(0.2)), 1..14),
        bad in prop::option::of(0_u8..6),
        takes in 0_u32..3,
    ) {
        let bad = bad.map(|bad| format!("k{bad}"));
        let bad: Vec<&str> = bad.as_deref().into_iter().collect();
        let tasks = || {
            let task = |(at, (kind, of, long, ignore)): (usize, &(u8, u8, bool, bool))| {
                let mut task = match kind {
                    0..=4 => Task::new::<Pkg>(format!("t{at}"), args(&format!("k{of}"), *long)),
                    5 | 6 => cell_task(at, *of),
                    _ => sum(&format!("t{at}"), "s", &["c0"]),
                };
                task.ignore_errors = *ignore;
                task
            };
            kinds.iter().enumerate().map(task).collect::<Vec<Task>>()
        };
        let (host, ordered) = (shop(takes, &bad), shop(takes, &bad));
        let ran = go(&host, tasks());
        let should = go_with(&ordered, tasks(), in_order());
        // Up to what failed; beside a long step what is listed after it may have gone on.
        let failed = |task: &TaskFinished| task.outcome == Outcome::Failed && task.forgiven.is_none();
        let end = should.finished().position(failed).map_or(kinds.len(), |at| at + 1);
        for at in 0..end {
            let name = format!("t{at}");
            let told = |ran: &Ran| ran.of(&name).map(|task| (task.outcome, format!("{:?}", task.error)));
            prop_assert_eq!(told(&ran), told(&should), "{} {:#?}", &name, ran.told());
        }
        prop_assert_eq!(ran.report.ok, should.report.ok);
        if should.report.ok {
            prop_assert_eq!(installed(&host), installed(&ordered));
            let held = |host: &FakeHost| host.world().text(&path("s"));
            prop_assert_eq!(held(&host), held(&ordered));
            let again = go(&host, tasks());
            let quiet = |task: &TaskFinished| task.name.module != "pkg" || task.outcome != Outcome::Changed;
            prop_assert!(again.finished().all(quiet), "{:#?}", again.told());
        }
    }
}
