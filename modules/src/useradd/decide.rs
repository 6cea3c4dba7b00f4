//! Whether a user is made, changed, removed or left alone.

use std::collections::BTreeMap;

use evenkeel_engine::{
    AnyProbe, Change, Done, Effect, NotYet, Past, Plan, Refusal, Run, Step, Stop, Text,
    probes::{Account, Group, Stat, User, Which, Whoami},
};

use super::{Args, State, change, create, home, key};
use crate::{
    accounts::{Ageing, Defaults, Entry, Login, Numbers, Shadow, program},
    look::Look,
    paths, words,
};

pub(super) fn plan(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    // All that any user may need at once, so that one in its state costs one round.
    look.ask(&Whoami);
    look.ask(&args.login());
    // Whatever changes users makes what is known of numbers stale: the task says that they stay.
    look.ask(&Numbers);
    look.ask(&User(args.name.clone()));
    for group in args
        .groups
        .iter()
        .flatten()
        .chain(&args.group)
        .chain([&args.name])
    {
        look.ask(&Group(group.clone()));
    }
    let home = Args::path(args.home.as_ref(), look);
    let home = home.ok().flatten();
    let home = home.unwrap_or_else(|| format!("/home/{}", args.name));
    look.ask(&Stat(home.clone()));
    key::ask(args, look, &home);
    for tool in ["useradd", "usermod", "userdel", "chpasswd", "chage"] {
        look.ask(&Which(tool.to_owned()));
    }
    if let Some(uid) = args.uid {
        look.ask(&User(uid.to_string()));
    }
    let mut warnings = Vec::new();
    if args.append && args.groups.is_none() {
        warnings.push("`append` has no effect without `groups`".to_owned());
    }
    if let Some(password) = &args.password {
        warnings.extend(change::doubt(password.get()?).map(str::to_owned));
    }
    let mut plan: Plan = match (args.state, look.get(&args.login())?) {
        (State::Absent, None) => Plan::nothing(),
        (State::Absent, Some(entry)) => removed(args, entry, look)?.into(),
        (State::Present, None) => {
            create::ask(args, look);
            if args.local && look.get(&User(args.name.clone()))?.is_some() {
                // `useradd` refuses a name that a directory has.
                look.get(&Which("luseradd".to_owned()))?
                    .as_ref()
                    .ok_or_else(|| {
                        let what = format!(
                            "a directory has a user `{}` too, and `luseradd` is not there",
                            args.name
                        );
                        Refusal::new(what).help("install `libuser`, which makes such local users")
                    })?;
            }
            let mut made = create::plan(args, look)?;
            let more = after_entry(args, look, &made.entry, &made.group, true)?;
            made.changes.extend(more);
            stands(look, &made.entry.home, &mut made.changes);
            made.changes.into()
        }
        (State::Present, Some(entry)) => {
            ask_of(args, look, entry);
            let old = entry.home.clone();
            let mut entry = entry.clone();
            let mut changes = change::entry(args, look, &mut entry, &mut warnings)?;
            let moves = args.move_home && entry.home != old && look.get(&Stat(old))?.is_some();
            if !moves {
                changes.extend(home::missing(args, look, &entry)?);
            }
            changes.extend(after_entry(
                args,
                look,
                &entry,
                &group_name(args, look, &entry)?,
                made_by_us(look),
            )?);
            stands(look, &entry.home, &mut changes);
            changes.into()
        }
    };
    plan.warnings.extend(warnings);
    Ok(plan)
}

/// What more has to be known of a user that is there, as far as that can be told now.
fn ask_of(args: &Args, look: &Look<'_>, entry: &Entry) {
    let wanted = Args::path(args.home.as_ref(), look).ok().flatten();
    for home in [Some(entry.home.clone()), wanted].into_iter().flatten() {
        if args.create_home && matches!(look.get(&Stat(home.clone())), Ok(None)) {
            drop(Defaults::seen(look));
            look.ask(&Group(entry.gid.to_string()));
        }
    }
    key::ask(args, look, &entry.home);
}

/// An earlier run may have made the user and then been cut off: what belongs to a new one is still
/// to be done.
fn made_by_us(look: &Look<'_>) -> bool {
    look.seen().past() == Past::Interrupted
}

/// What follows once there is an entry: password, ageing, key.
fn after_entry(
    args: &Args,
    look: &Look<'_>,
    entry: &Entry,
    group: &str,
    new: bool,
) -> Result<Vec<Change>, Stop> {
    let mut entry = entry.clone();
    let mut changes = change::password(args, look, &mut entry, new)?;
    changes.extend(change::ageing(args, look, &mut entry)?);
    changes.extend(key::plan(args, look, &entry, group)?);
    Ok(changes)
}

/// A step about the user, after which its entry is as noted.
pub(super) fn step(args: &Args, run: Run, entry: &Entry) -> Step {
    Step::from(run).effect(Effect::new(args.login(), Some(entry.clone())))
}

/// What the engine's own probe will answer of a user.
pub(super) fn account(name: &str, entry: &Entry, group: &str) -> Effect {
    let account = Account {
        name: name.to_owned(),
        uid: entry.uid,
        group: group.to_owned(),
        gid: entry.gid,
    };
    Effect::new(User(name.to_owned()), Some(account))
}

/// The same by its number, which several may share.
pub(super) fn by_number(args: &Args, entry: &Entry, group: &str) -> Effect {
    let probe = User(entry.uid.to_string());
    if args.non_unique {
        return Effect::unknown(probe, "which of those that share a number is found first");
    }
    let account = Account {
        name: args.name.clone(),
        uid: entry.uid,
        group: group.to_owned(),
        gid: entry.gid,
    };
    Effect::new(probe, Some(account))
}

/// Every program may touch all that the task does, as far as the engine knows: the last step says
/// once more how it all stands then.
fn stands(look: &Look<'_>, home: &str, changes: &mut [Change]) {
    let mut all = BTreeMap::new();
    for path in std::iter::once(home).chain(paths::ancestors(home)) {
        let probe = Stat(path.to_owned());
        // Whoever did not ask need not be told.
        if let Ok(stat) = look.seen().get(&probe) {
            all.insert(AnyProbe::key(&probe), Effect::new(probe, stat.clone()));
        }
    }
    if let Ok(taken) = look.seen().get(&Numbers) {
        all.insert(AnyProbe::key(&Numbers), Effect::new(Numbers, taken.clone()));
    }
    let steps = changes.iter().flat_map(|change| &change.steps);
    for effect in steps.flat_map(|step| &step.effects) {
        all.insert(effect.probe.key(), effect.clone());
    }
    let last = changes
        .iter_mut()
        .rev()
        .find_map(|change| change.steps.last_mut());
    if let Some(step) = last {
        step.effects.extend(all.into_values());
    }
}

/// A group by name or number: its name and number.
pub(super) fn group(look: &Look<'_>, name: &str) -> Result<(String, u32), NotYet> {
    let found = look.get(&Group(name.to_owned()))?;
    found
        .clone()
        .ok_or_else(|| NotYet(format!("the group `{name}`")))
}

/// The name of the primary group of a user that is there.
pub(super) fn group_name(args: &Args, look: &Look<'_>, entry: &Entry) -> Result<String, NotYet> {
    if let Some(wanted) = &args.group {
        return Ok(group(look, wanted)?.0);
    }
    let account = look.get(&User(args.name.clone()))?;
    let known = account.as_ref().filter(|account| account.gid == entry.gid);
    Ok(known.map_or_else(|| entry.gid.to_string(), |account| account.group.clone()))
}

/// The names of the wanted groups, each once.
pub(super) fn groups(args: &Args, look: &Look<'_>) -> Result<Vec<String>, NotYet> {
    let mut names = Vec::new();
    for wanted in args.groups.iter().flatten() {
        let (name, _) = group(look, wanted)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// The shadow entry, which only root sees.
pub(super) fn shadow<'a>(args: &Args, entry: &'a mut Entry) -> Result<&'a mut Ageing, NotYet> {
    if entry.shadow == Shadow::Missing {
        // The programs make an entry when they have something to write there.
        entry.shadow = Shadow::Known(Ageing::new("x"));
    }
    match &mut entry.shadow {
        Shadow::Known(ageing) => Ok(ageing),
        _ => Err(NotYet(format!(
            "what `/etc/shadow` says of `{}`, which only root can read,",
            args.name
        ))),
    }
}

fn removed(args: &Args, entry: &Entry, look: &Look<'_>) -> Result<Vec<Change>, NotYet> {
    look.ask(&Stat(entry.home.clone()));
    drop(Defaults::seen(look));
    program(look, "userdel")?;
    let mut argv = vec!["userdel"];
    argv.extend(args.force.then_some("-f"));
    argv.extend(args.remove.then_some("-r"));
    argv.extend(["--", &args.name]);
    let both = [false, true].map(|local| Login {
        name: args.name.clone(),
        local,
    });
    let mut step = Step::from(Run {
        explain: Some(in_use),
        ..Run::new(argv)
    });
    for login in both {
        step = step.effect(Effect::new(login, None));
    }
    step = step.effect(Effect::new(User(args.name.clone()), None));
    // Its own group goes with it where nobody else is in it.
    let own = look.get(&Group(args.name.clone()))?;
    let defaults = Defaults::seen(look)?;
    if let Some((name, gid)) = own
        && *gid == entry.gid
        && defaults.own_groups()
    {
        let why = format!("whether the group `{name}` goes with its user");
        step = step.effect(Effect::unknown(Group(name.clone()), why));
    }
    step = step.effect(Effect::unknown(Numbers, "the numbers that are taken"));
    if args.remove {
        step = step.effect(Effect::new(Stat(entry.home.clone()), None));
    }
    let mut changes = vec![Change::new("user", args.name.clone(), None::<String>).step(step)];
    if args.remove && look.get(&Stat(entry.home.clone()))?.is_some() {
        changes.push(Change::new("home", entry.home.clone(), None::<String>));
    }
    Ok(changes)
}

/// `userdel` ends with 8 where the user is logged in, or something runs as it.
fn in_use(done: &Done) -> Option<Refusal> {
    let why = words::last_line(done).filter(|_| done.status == 8)?;
    Some(why.help(
        "end its processes in a task before this one (`pkill -u USER`), or say `force: true`",
    ))
}

/// The bytes of a password.
pub(super) fn bytes(password: &Text) -> &[u8] {
    password.bytes()
}
