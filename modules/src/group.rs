//! Groups.

use evenkeel_engine::{
    Change, Done, Effect, Module, NotYet, Plan, Probes, Refusal, Run, Seen, Step, Stop, Thing,
    Touches,
    probes::{Group as Known, Which},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    accounts::{self, Defaults, LocalGroup, Numbers, numbers_next, program},
    args::is_default,
    look::Look,
    words,
};

pub use crate::presence::State;

/// The module `group`.
#[derive(Debug)]
pub struct Group;

/// Arguments of `group`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The group.
    pub name: String,
    /// Whether it is there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
    /// Its number; the next free one if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gid: Option<u32>,
    /// Whether another group may have the same number.
    #[serde(default, skip_serializing_if = "is_default")]
    pub non_unique: bool,
    /// Whether a new group is one of the system.
    #[serde(default, skip_serializing_if = "is_default")]
    pub system: bool,
    /// Removes it even if it is the primary group of a user.
    #[serde(default, skip_serializing_if = "is_default")]
    pub force: bool,
    /// Whether groups that only a directory (LDAP) knows count as not there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub local: bool,
    /// The lowest number that a new group may get.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gid_min: Option<u32>,
    /// The highest number that a new group may get.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gid_max: Option<u32>,
}

/// What `register` gives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Output {
    /// The group.
    pub name: String,
    /// Whether it is there.
    pub state: State,
    /// Its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gid: Option<u32>,
    /// As asked.
    pub system: bool,
}

impl Module for Group {
    const NAME: &'static str = "group";
    const ALIASES: &'static [&'static str] =
        &["groupadd", "ansible.builtin.group", "ansible.legacy.group"];
    const ABOUT: &'static str = "keeps a group";
    const EXAMPLE: &'static str = "\
- group:
    name: airflow
    gid: 5000
";
    const CHANGED_WHEN: &'static str = "\
        The group is not there, is there though it should not be, or has another number.";
    const LIMITS: &'static str = "\
        It changes no members (see `groups` of `useradd`), and no group of a directory such as LDAP.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        let name = &args.name;
        let digits = name.bytes().all(|byte| byte.is_ascii_digit());
        if digits || name.starts_with('-') || name.contains([':', '\n', ',', '\0', ' ', '/']) {
            return Err(
                Refusal::new(format!("`{name}` cannot be the name of a group"))
                    .help("names begin with a letter and hold letters, digits, `-` and `_`"),
            );
        }
        if args.non_unique && args.gid.is_none() {
            return Err(Refusal::new("`non_unique` without `gid`"));
        }
        if args.local && (args.gid_min.is_some() || args.gid_max.is_some()) {
            return Err(Refusal::new("`local` excludes `gid_min` and `gid_max`"));
        }
        Ok(())
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide(args, &Look::new(seen))
    }

    fn output(args: &Args, after: &Seen, _: &[Done]) -> Result<Output, Stop> {
        let gid = entry(args, &Look::new(after))?;
        Ok(Output {
            name: args.name.clone(),
            state: args.state,
            gid,
            system: args.system,
        })
    }

    fn touches(args: &Args) -> Touches {
        let mut writes = accounts::databases();
        writes.push(Thing::Group(args.name.clone()));
        writes.extend(args.gid.map(|gid| Thing::Group(gid.to_string())));
        let files = ["/etc/login.defs", "/etc/default/useradd"];
        Touches::writes(writes).reading(files.map(|file| Thing::Path(file.to_owned())))
    }

    fn subject(args: &Args) -> String {
        args.name.clone()
    }
}

/// Its number, if it is there.
fn entry(args: &Args, look: &Look<'_>) -> Result<Option<u32>, NotYet> {
    if args.local {
        return Ok(*look.get(&LocalGroup(args.name.clone()))?);
    }
    Ok(look
        .get(&Known(args.name.clone()))?
        .as_ref()
        .map(|(_, gid)| *gid))
}

fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    look.ask(&Known(args.name.clone()));
    if let Some(gid) = args.gid {
        look.ask(&Known(gid.to_string()));
    }
    for tool in ["groupadd", "groupmod", "groupdel"] {
        look.ask(&Which(tool.to_owned()));
    }
    let now = entry(args, look)?;
    if (args.state, now) == (State::Present, None) {
        look.ask(&Numbers);
        drop(Defaults::seen(look));
    }
    Ok(match (args.state, now, args.gid) {
        (State::Absent, None, _) => Plan::nothing(),
        (State::Absent, Some(_), _) => removed(args, look)?.into(),
        (State::Present, None, _) => made(args, look)?.into(),
        (State::Present, Some(now), Some(gid)) if now != gid => {
            changed(args, look, now, gid)?.into()
        }
        (State::Present, Some(_), _) => Plan::nothing(),
    })
}

/// After the step, this is its number.
fn then(args: &Args, run: Run, gid: Option<u32>) -> Step {
    let known = gid.map(|gid| (args.name.clone(), gid));
    let mut step = Step::from(run)
        .effect(Effect::new(Known(args.name.clone()), known.clone()))
        .effect(Effect::new(LocalGroup(args.name.clone()), gid));
    if let Some(number) = args.gid {
        let by_number = Known(number.to_string());
        let told = known.is_some() && !args.non_unique;
        step = step.effect(if told {
            Effect::new(by_number, known)
        } else {
            Effect::unknown(by_number, "whose number it is then")
        });
    }
    step
}

fn removed(args: &Args, look: &Look<'_>) -> Result<Change, NotYet> {
    program(look, "groupdel")?;
    let force: &[&str] = if args.force { &["-f"] } else { &[] };
    let argv = [&["groupdel"], force, &["--", &args.name]].concat();
    let run = Run {
        explain: Some(in_use),
        ..Run::new(argv)
    };
    let step = then(args, run, None);
    let step = step.effect(Effect::unknown(Numbers, "the numbers that are taken"));
    Ok(Change::new("group", args.name.clone(), None::<String>).step(step))
}

/// `groupdel` ends with 8 where it is the first group of a user.
fn in_use(done: &Done) -> Option<Refusal> {
    let why = words::last_line(done).filter(|_| done.status == 8)?;
    Some(why.help("remove that user, or give it another `group`, in a task before this one"))
}

/// Whether a number is free, or may be shared.
fn free(args: &Args, look: &Look<'_>, gid: u32) -> Result<(), Stop> {
    match look.get(&Known(gid.to_string()))? {
        Some((name, _)) if !args.non_unique && *name != args.name => {
            let what = format!("the number {gid} belongs to the group `{name}`");
            Err(Refusal::new(what)
                .help("take another `gid`, or say `non_unique: true`")
                .into())
        }
        _ => Ok(()),
    }
}

fn made(args: &Args, look: &Look<'_>) -> Result<Change, Stop> {
    // `groupadd` refuses a name that a directory has.
    let shared = args.local && look.get(&Known(args.name.clone()))?.is_some();
    let tool = if shared { "lgroupadd" } else { "groupadd" };
    program(look, tool)?;
    look.ask(&Numbers);
    let defaults = Defaults::seen(look)?;
    let mut taken = look.get(&Numbers)?.clone();
    let range = defaults.range("GID", args.system);
    let range = (
        args.gid_min.unwrap_or(range.0),
        args.gid_max.unwrap_or(range.1),
    );
    let gid = match args.gid {
        Some(gid) => {
            free(args, look, gid)?;
            gid
        }
        None => numbers_next(&taken.groups, range, args.system).ok_or_else(|| {
            Refusal::new(format!("no number is free from {} to {}", range.0, range.1))
        })?,
    };
    let mut argv = vec![tool.to_owned()];
    let mut add = |words: &[&str]| argv.extend(words.iter().map(|word| (*word).to_owned()));
    if args.gid.is_some() || shared {
        add(&["-g", &gid.to_string()]);
    }
    if args.non_unique {
        add(&["-o"]);
    }
    if args.system {
        add(&["-r"]);
    }
    for (name, number) in [("GID_MIN", args.gid_min), ("GID_MAX", args.gid_max)] {
        if let Some(number) = number {
            add(&["-K", &format!("{name}={number}")]);
        }
    }
    add(&["--", &args.name]);
    taken.groups.insert(gid);
    let step = then(args, Run::new(argv), Some(gid)).effect(Effect::new(Numbers, taken));
    Ok(Change::new("group", None::<String>, args.name.clone()).step(step))
}

fn changed(args: &Args, look: &Look<'_>, now: u32, gid: u32) -> Result<Change, Stop> {
    free(args, look, gid)?;
    program(look, "groupmod")?;
    let number = gid.to_string();
    let shared: &[&str] = if args.non_unique { &["-o"] } else { &[] };
    let argv = [&["groupmod", "-g", &number], shared, &["--", &args.name]].concat();
    let step = then(args, Run::new(argv), Some(gid));
    let step = step.effect(Effect::unknown(Numbers, "the numbers that are taken"));
    Ok(Change::new("gid", i64::from(now), i64::from(gid)).step(step))
}
