//! Which time a host shows.

use evenkeel_engine::{
    Action, Change, Done, Module, NotYet, Plan, Probes, Refusal, Seen, Stop, Thing, Touches, Value,
    probes::{Kind, Stat},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    attributes,
    look::Look,
    paths,
    rewrite::{Missing, Rewrite},
};

/// The module `timezone`.
#[derive(Debug)]
pub struct Timezone;

/// Arguments of `timezone`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The zone: `Europe/Paris`, `Etc/UTC`.
    pub name: String,
}

/// What `register` gives.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Output {
    /// The zone.
    pub name: String,
}

const LINK: &str = "/etc/localtime";
const FILE: &str = "/etc/timezone";
const ZONES: &str = "/usr/share/zoneinfo";

impl Module for Timezone {
    const NAME: &'static str = "timezone";
    const ALIASES: &'static [&'static str] = &["community.general.timezone"];
    const ABOUT: &'static str = "keeps which time a host shows";
    const EXAMPLE: &'static str = "\
- timezone:
    name: Etc/UTC
";
    const CHANGED_WHEN: &'static str = "\
        `/etc/localtime` leads to another zone, or `/etc/timezone`, where there is one, names another.";
    const LIMITS: &'static str = "\
        Programs that run already, such as cron, go on in the zone they began in: notify a handler that starts them \
        again. The clock of the hardware is left alone (`hwclock`): `command: hwclock --systohc --utc`.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        let part = |part: &str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || "_+-".contains(c);
            !part.is_empty() && !part.starts_with('-') && part.chars().all(fits)
        };
        if !args.name.split('/').all(part) {
            let name = args.name.escape_debug();
            return Err(Refusal::new(format!("`{name}` is no name of a time zone"))
                .help("`timedatectl list-timezones` prints those there are: `Europe/Paris`"));
        }
        Ok(())
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide(args, &Look::new(seen))
    }

    fn output(args: &Args, _: &Seen, _: &[Done]) -> Result<Output, Stop> {
        Ok(Output {
            name: args.name.clone(),
        })
    }

    fn touches(_: &Args) -> Touches {
        Touches::writes([LINK, FILE].map(|path| Thing::Path(path.to_owned())))
    }

    fn subject(args: &Args) -> String {
        args.name.clone()
    }
}

/// The zone that a link names.
fn zone(target: &str) -> Option<String> {
    let target = paths::joined(LINK, target);
    let zone = target.strip_prefix(ZONES)?.strip_prefix('/')?;
    Some(zone.to_owned())
}

fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let wanted = format!("{ZONES}/{}", args.name);
    look.ask(&Stat(wanted.clone()));
    look.ask(&Stat(LINK.to_owned()));
    attributes::ask_parent(look, LINK);
    // Debian's systems have this file; others have none, and need none.
    let rewrite = Rewrite {
        missing: Missing::Fine,
        ..Rewrite::new(FILE)
    };
    let file = rewrite.plan(look, |before| {
        let now = String::from_utf8_lossy(before);
        Ok((now.trim() != args.name).then(|| format!("{}\n", args.name).into_bytes()))
    })?;
    let now = look.get(&Stat(LINK.to_owned()))?;
    let named = match now.as_ref().map(|stat| &stat.kind) {
        Some(Kind::Link(target)) => zone(target),
        _ => None,
    };
    let mut changes = Vec::new();
    if named.as_deref() != Some(args.name.as_str()) {
        match look.get(&Stat(wanted.clone()))? {
            Some(stat) if stat.kind == Kind::Directory => {
                return Err(
                    Refusal::new(format!("`{}` is a part of the world", args.name))
                        .help("a zone is a place in it, such as `Europe/Paris`")
                        .into(),
                );
            }
            Some(_) => {}
            // The package may come by an earlier task.
            None => {
                let what = format!("the time zone `{}` (of the package `tzdata`)", args.name);
                return Err(NotYet(what).into());
            }
        }
        if now
            .as_ref()
            .is_some_and(|stat| stat.kind == Kind::Directory)
        {
            return Err(Refusal::new(format!("`{LINK}` is a directory"))
                .help("remove it, if nothing of yours is in it")
                .into());
        }
        let before = named.map_or(Value::Null, Value::from);
        changes.push(
            Change::new("zone", before, args.name.as_str()).step(Action::Link {
                path: LINK.to_owned(),
                // As systemd writes it, which does not read others.
                target: format!("..{wanted}"),
            }),
        );
    }
    changes.extend(file.changes);
    Ok(changes.into())
}
