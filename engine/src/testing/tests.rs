//! Each law can be broken: a module that keeps all, with a flaw for each.

use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};

use super::*;
use crate::{
    Action, Attrs, Change, Done, Effect, Probes, Run, Step, Stop, Text, Thing, Touches, Write, ask,
    fake::ok,
    probes::{Ask, Contents, Stat},
};

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq, schemars::JsonSchema)]
enum Flaw {
    #[default]
    None,
    AsksWithWrites,
    AsksOn,
    Random,
    Fails,
    NeverThere,
    StatesLies,
    DependsOnBeginning,
    Tells,
    WritesElsewhere,
    AsksMore,
    Refuses,
}

/// Keeps a password in `/etc/app/key`.
struct Keeps;

#[derive(Clone, Serialize, Deserialize, schemars::JsonSchema)]
struct Args {
    key: Text,
    flaw: Flaw,
}

static COUNTER: AtomicU32 = AtomicU32::new(0);

const DIR: &str = "/etc/app";
const FILE: &str = "/etc/app/key";

fn write(path: &str, text: &Text) -> Step {
    let write = Write {
        path: path.to_owned(),
        content: text.into(),
        attrs: Attrs {
            mode: Some(0o600),
            ..Attrs::default()
        },
        ..Write::default()
    };
    Action::Write(write).into()
}

impl Module for Keeps {
    const NAME: &'static str = "keeps";
    const ABOUT: &'static str = "keeps a key";
    const EXAMPLE: &'static str = "- keeps: { key: x }";
    type Args = Args;
    type Output = ();

    fn observe(args: &Args, seen: &Seen) -> Probes {
        let mut probes = vec![ask(Stat("/etc".into())), ask(Stat(DIR.into()))];
        probes.extend([ask(Stat(FILE.into())), ask(Contents(FILE.into()))]);
        match args.flaw {
            Flaw::AsksWithWrites => {
                probes.push(ask(Ask::new(["looks"]).reading([Thing::Path(FILE.into())])));
            }
            Flaw::AsksOn => {
                let next = (0..9)
                    .map(|n| Stat(format!("/{n}")))
                    .find(|p| !seen.asked(&crate::AnyProbe::key(p)));
                probes.extend(next.map(ask));
            }
            Flaw::AsksMore if seen.get(&Stat(FILE.into())).is_ok() => {
                probes.push(ask(Stat("/elsewhere".into())));
            }
            _ => {}
        }
        probes
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        let (dir, now) = (
            seen.get(&Stat(DIR.into()))?,
            seen.get(&Contents(FILE.into()))?,
        );
        let mut plan = Plan::nothing();
        if args.flaw == Flaw::Refuses {
            return Err(Stop::refused("cannot keep this"));
        }
        if dir.is_none() {
            let directory = Action::Directory {
                path: DIR.into(),
                attrs: Attrs::default(),
            };
            plan.changes
                .push(Change::new("directory", Value::Null, "there").step(directory));
        }
        if now.as_deref() == Some(args.key.bytes()) {
            return Ok(plan);
        }
        let mut change = Change::new("content", "old", "new");
        match args.flaw {
            Flaw::Random => {
                change.what = format!("{}", COUNTER.fetch_add(1, Ordering::Relaxed));
            }
            Flaw::Fails => change = change.step(Run::new(["no-such-program"])),
            Flaw::NeverThere => change = change.step(write(FILE, &"other".into())),
            Flaw::Tells => change.after = Value::Str("hunter22".into()),
            Flaw::WritesElsewhere => change = change.step(write("/etc/other", &args.key)),
            Flaw::DependsOnBeginning if dir.is_none() => {
                change = change.step(write("/etc/app/first", &"was new".into()));
            }
            _ => {}
        }
        if args.flaw != Flaw::NeverThere {
            let mut step = write(FILE, &args.key);
            if args.flaw == Flaw::StatesLies {
                step = step.effect(Effect::new(Stat("/etc".into()), None));
            }
            change = change.step(step);
        }
        plan.changes.push(change);
        Ok(plan)
    }

    fn output(_: &Args, _: &Seen, _: &[Done]) -> Result<(), Stop> {
        Ok(())
    }

    fn touches(args: &Args) -> Touches {
        match args.flaw {
            Flaw::DependsOnBeginning => Touches::writes([Thing::Tree(DIR.into())]),
            _ => Touches::writes([Thing::Path(DIR.into()), Thing::Path(FILE.into())]),
        }
    }

    fn subject(_: &Args) -> String {
        FILE.into()
    }
}

fn case(flaw: Flaw) -> Case {
    let host = FakeHost::new().program("looks", |world, _| {
        world.write("/var/lib/looked", "yes");
        ok("")
    });
    let key = Text::Secret(crate::Secret::new("hunter22"));
    Case::new::<Keeps>("a new key", host, Args { key, flaw })
}

fn broken(flaw: Flaw) -> Vec<Law> {
    let mut laws: Vec<_> = case(flaw)
        .broken()
        .iter()
        .map(|broken| broken.law)
        .collect();
    laws.dedup();
    laws
}

#[test]
fn a_good_module_keeps_all_laws() {
    laws([case(Flaw::None)]);
}

#[test]
fn what_is_touched_through_a_link_is_covered() {
    let mut case = case(Flaw::None);
    case.host = case.host.dir("/real").link("/etc/app", "/real");
    laws([case]);
}

#[test]
fn each_flaw_breaks_its_law() {
    for (flaw, law) in [
        (Flaw::AsksWithWrites, Law::Look),
        (Flaw::AsksOn, Law::Look),
        (Flaw::Random, Law::SameOrder),
        (Flaw::Fails, Law::Applied),
        (Flaw::NeverThere, Law::Quiet),
        (Flaw::StatesLies, Law::Foretold),
        (Flaw::DependsOnBeginning, Law::Cut),
        (Flaw::Tells, Law::Secrets),
        (Flaw::WritesElsewhere, Law::Touches),
        (Flaw::AsksMore, Law::Touches),
        (Flaw::Refuses, Law::Refuses),
    ] {
        let found = broken(flaw);
        assert!(found.contains(&law), "{flaw:?}: {:?}", case(flaw).broken());
    }
}

#[test]
fn what_is_broken_is_said_without_the_secret() {
    let broken = case(Flaw::Tells).broken();
    let lines: Vec<_> = broken.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        ["keeps (a new key): the law that secrets are kept is broken: one is in: \"***\""]
    );
}

#[test]
fn a_law_can_be_excused_and_a_refusal_wanted() {
    laws([
        case(Flaw::Tells).without(Law::Secrets, "shows it on purpose"),
        case(Flaw::Refuses).refuses("cannot keep"),
    ]);
    assert_eq!(
        case(Flaw::Refuses).refusal().unwrap().message,
        "cannot keep this"
    );
}

#[test]
fn a_run_shows_what_was_done() {
    let ran = case(Flaw::None).run();
    assert_eq!(
        ran.changes(),
        [
            r#"directory: null -> "there""#,
            r#"content: "old" -> "new""#
        ]
    );
    assert_eq!(ran.world.stat(FILE).unwrap().mode, 0o600);
    assert_eq!(ran.world.text(FILE).unwrap(), "hunter22");
}

/// A command: it is never in its state, and no law wants it to be.
struct Runs;

impl Module for Runs {
    const NAME: &'static str = "runs";
    const ABOUT: &'static str = "runs a command";
    const EXAMPLE: &'static str = "- runs: {}";
    type Args = ();
    type Output = String;

    fn observe((): &(), _: &Seen) -> Probes {
        Vec::new()
    }
    fn plan((): &(), _: &Seen) -> Result<Plan, Stop> {
        let run = Change::new("command", Value::Null, Value::Null).step(Run::new(["count"]));
        Ok(run.because(Cause::Unguarded).into())
    }
    fn output((): &(), _: &Seen, done: &[Done]) -> Result<String, Stop> {
        let done = done.first().ok_or(crate::NotYet::new("what it prints"))?;
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    }
    fn touches((): &()) -> Touches {
        Touches::everything()
    }
    fn subject((): &()) -> String {
        "count".into()
    }
}

#[test]
fn commands_keep_the_laws_too() {
    let host = FakeHost::new().program("count", |world, _| {
        let count = world.noted("count").map_or(0, |text| text.parse().unwrap());
        world.note("count", (count + 1_u32).to_string());
        ok("counted")
    });
    let case = Case::new::<Runs>("counts", host, ());
    assert_eq!(case.run().output, Value::Str("counted".into()));
    laws([case]);
}
