//! A new user.

use evenkeel_engine::{
    Action, Attrs, Change, Effect, NotYet, Refusal, Run, Stop, Thing,
    probes::{EmptyDirectory, FileStat, Group, Kind, Stat, User, Whoami},
};

use super::{Args, decide};
use crate::{
    accounts::{Ageing, Defaults, Entry, Login, Numbers, Shadow, numbers_next, program},
    attributes,
    look::Look,
    paths,
};

/// What makes a user, and the entry that it then has.
pub(super) struct Made {
    pub(super) changes: Vec<Change>,
    pub(super) entry: Entry,
    /// Name of the primary group.
    pub(super) group: String,
}

/// All that a new user needs to be known, as far as that can be told without the settings.
pub(super) fn ask(args: &Args, look: &Look<'_>) {
    look.ask(&Numbers);
    let defaults = Defaults::seen(look).unwrap_or_default();
    look.ask(&Group(defaults.group()));
    let home = Args::path(args.home.as_ref(), look).ok().flatten();
    let home = home.unwrap_or_else(|| defaults.home(&args.name));
    look.ask(&Stat(home.clone()));
    paths::ancestors(&home).for_each(|dir| look.ask(&Stat(dir.to_owned())));
    attributes::ask_parent(look, &home);
    super::key::ask(args, look, &home);
}

pub(super) fn plan(args: &Args, look: &Look<'_>) -> Result<Made, Stop> {
    let local_only = args.local && look.get(&User(args.name.clone()))?.is_some();
    if !local_only {
        program(look, "useradd")?;
    }
    let defaults = Defaults::seen(look)?;
    let home = Args::path(args.home.as_ref(), look)?.unwrap_or_else(|| defaults.home(&args.name));
    let taken = look.get(&Numbers)?;
    let range = defaults.range("UID", args.system);
    let range = (
        args.uid_min.unwrap_or(range.0),
        args.uid_max.unwrap_or(range.1),
    );
    let uid = match args.uid {
        Some(uid) => {
            free(args, look, uid)?;
            uid
        }
        None => numbers_next(&taken.users, range, args.system).ok_or_else(|| {
            Refusal::new(format!("no number is free from {} to {}", range.0, range.1))
        })?,
    };
    let primary = primary(args, look, &defaults, uid)?;
    let groups = decide::groups(args, look)?;
    let mut listed = groups.clone();
    listed.retain(|group| *group != primary.name);
    let entry = Entry {
        uid,
        gid: primary.gid,
        comment: args.comment.clone().unwrap_or_default(),
        home: home.clone(),
        shell: Args::path(args.shell.as_ref(), look)?.unwrap_or_else(|| defaults.shell()),
        shadow: shadow(args, &defaults),
        groups,
    };
    let argv = if local_only {
        local_argv(args, &entry, &primary)
    } else {
        argv(args, &entry, &primary, &defaults)
    };
    let mut changes = parents(args, look, &home)?;
    let mut step = decide::step(args, Run::new(argv), &entry);
    if !local_only {
        let other = Login {
            local: !args.local,
            ..args.login()
        };
        step = step.effect(Effect::new(other, Some(entry.clone())));
        step = step.effect(decide::account(&args.name, &entry, &primary.name));
        if args.uid.is_some() {
            step = step.effect(decide::by_number(args, &entry, &primary.name));
        }
    }
    let mut taken = taken.clone();
    taken.users.insert(uid);
    if primary.new {
        taken.groups.insert(primary.gid);
    }
    step.effects.extend(own_group(args, &primary));
    step = step.effect(Effect::new(Numbers, taken));
    let fresh = args.create_home && look.get(&Stat(home.clone()))?.is_none();
    if fresh {
        let mode = defaults.home_mode(args.umask());
        step = step.effect(home_made(args, &entry, &primary.name, mode));
        step.effects.extend(above(look, &home)?);
    }
    if !args.create_home {
        step = step.sparing(Thing::Tree(paths::clean(&home)));
    }
    let mut change = Change::new("user", None::<String>, args.name.clone());
    change = change.step(step);
    changes.push(change);
    if fresh {
        changes.push(Change::new("home", None::<String>, home));
    }
    Ok(Made {
        changes,
        entry,
        group: primary.name,
    })
}

/// The group of the user's name: made, or there before, and then it stays as it is.
fn own_group(args: &Args, primary: &Primary) -> Option<Effect> {
    let is_ours = primary.new || primary.name == args.name;
    let group = (args.name.clone(), primary.gid);
    is_ours.then(|| Effect::new(Group(args.name.clone()), Some(group)))
}

/// What is above a home that was made.
fn above(look: &Look<'_>, home: &str) -> Result<Vec<Effect>, NotYet> {
    let me = &look.get(&Whoami)?.account;
    let mut all = Vec::new();
    for dir in paths::ancestors(home) {
        let made = || FileStat {
            kind: Kind::Directory,
            mode: 0o755,
            uid: me.uid,
            gid: me.gid,
            owner: me.name.clone(),
            group: me.group.clone(),
        };
        let stat = look
            .get(&Stat(dir.to_owned()))?
            .clone()
            .unwrap_or_else(made);
        all.push(Effect::new(Stat(dir.to_owned()), Some(stat)));
        all.push(Effect::new(EmptyDirectory(dir.to_owned()), Some(false)));
    }
    Ok(all)
}

/// The home of a user after it was made.
pub(super) fn home_made(args: &Args, entry: &Entry, group: &str, mode: u32) -> Effect {
    let stat = FileStat {
        kind: Kind::Directory,
        mode,
        uid: entry.uid,
        gid: entry.gid,
        owner: args.name.clone(),
        group: group.to_owned(),
    };
    Effect::new(Stat(entry.home.clone()), Some(stat))
}

/// Whether a number is free, or may be shared.
fn free(args: &Args, look: &Look<'_>, uid: u32) -> Result<(), Stop> {
    let holder = look.get(&User(uid.to_string()))?;
    match holder {
        Some(other) if !args.non_unique && other.name != args.name => {
            let what = format!("the number {uid} belongs to the user `{}`", other.name);
            Err(Refusal::new(what)
                .help("take another `uid`, or say `non_unique: true`")
                .into())
        }
        _ => Ok(()),
    }
}

struct Primary {
    name: String,
    gid: u32,
    new: bool,
    /// Whether a group of its own has to be kept from being made.
    none_of_its_own: bool,
}

fn primary(args: &Args, look: &Look<'_>, defaults: &Defaults, uid: u32) -> Result<Primary, NotYet> {
    let known = |name: &str, none_of_its_own| {
        let (name, gid) = decide::group(look, name)?;
        Ok(Primary {
            name,
            gid,
            new: false,
            none_of_its_own,
        })
    };
    if let Some(group) = &args.group {
        return known(group, false);
    }
    if look.get(&Group(args.name.clone()))?.is_some() {
        return known(&defaults.group(), true);
    }
    if !defaults.own_groups() {
        return known(&defaults.group(), false);
    }
    // The user's number if it is free, else the next one.
    let taken = &look.get(&Numbers)?.groups;
    let range = defaults.range("GID", args.system);
    let same = !taken.contains(&uid) && (range.0..=range.1).contains(&uid);
    let gid = if same {
        Some(uid)
    } else {
        numbers_next(taken, range, args.system)
    };
    let gid = gid.ok_or_else(|| NotYet("a free number for a group".to_owned()))?;
    Ok(Primary {
        name: args.name.clone(),
        gid,
        new: true,
        none_of_its_own: false,
    })
}

fn shadow(args: &Args, defaults: &Defaults) -> Shadow {
    let mut ageing = Ageing::new("!");
    if !args.system {
        [ageing.min, ageing.max, ageing.warn] = defaults.days();
        ageing.inactive = defaults.inactive();
    }
    Shadow::Known(ageing)
}

fn argv(args: &Args, entry: &Entry, primary: &Primary, defaults: &Defaults) -> Vec<String> {
    let mut argv: Vec<String> = vec!["useradd".to_owned()];
    let mut add = |words: &[&str]| argv.extend(words.iter().map(|word| (*word).to_owned()));
    if let Some(uid) = args.uid {
        add(&["-u", &uid.to_string()]);
        add(if args.non_unique { &["-o"] } else { &[] });
    }
    if args.group.is_some() {
        add(&["-g", &primary.name]);
    } else if primary.none_of_its_own {
        add(&["-N"]);
    }
    if !entry.groups.is_empty() {
        add(&["-G", &entry.groups.join(",")]);
    }
    if let Some(comment) = &args.comment {
        add(&["-c", comment]);
    }
    if args.home.is_some() {
        add(&["-d", &entry.home]);
    }
    if args.shell.is_some() {
        add(&["-s", &entry.shell]);
    }
    if args.create_home {
        add(&["-m"]);
        if let Some(skeleton) = &args.skeleton {
            add(&["-k", skeleton]);
        }
        if let Some(umask) = &args.umask {
            add(&["-K", &format!("UMASK={umask}")]);
            if defaults.has_home_mode() {
                // It would count more than the mask.
                add(&[
                    "-K",
                    &format!("HOME_MODE={:04o}", defaults.home_mode(args.umask())),
                ]);
            }
        }
    } else {
        add(&["-M"]);
    }
    if args.system {
        add(&["-r"]);
    }
    if let Some(min) = args.uid_min {
        add(&["-K", &format!("UID_MIN={min}")]);
    }
    if let Some(max) = args.uid_max {
        add(&["-K", &format!("UID_MAX={max}")]);
    }
    add(&["--", &args.name]);
    argv
}

/// For a name that a directory has too.
fn local_argv(args: &Args, entry: &Entry, primary: &Primary) -> Vec<String> {
    let mut argv: Vec<String> = ["luseradd", "-u", &entry.uid.to_string()]
        .map(str::to_owned)
        .into();
    let mut add = |words: &[&str]| argv.extend(words.iter().map(|word| (*word).to_owned()));
    if args.group.is_some() || !primary.new {
        add(&["-g", &primary.name]);
    }
    if let Some(comment) = &args.comment {
        add(&["-c", comment]);
    }
    add(&["-d", &entry.home]);
    if args.shell.is_some() {
        add(&["-s", &entry.shell]);
    }
    add(if args.create_home { &["-m"] } else { &["-M"] });
    if args.system {
        add(&["-r"]);
    }
    add(&[&args.name]);
    argv
}

/// Old programs do not make what is missing above a home.
fn parents(args: &Args, look: &Look<'_>, home: &str) -> Result<Vec<Change>, NotYet> {
    if !args.create_home {
        return Ok(Vec::new());
    }
    let mut missing = Vec::new();
    for dir in paths::ancestors(home) {
        if look.get(&Stat(dir.to_owned()))?.is_some() {
            break;
        }
        let attrs = Attrs {
            mode: Some(0o755),
            ..Attrs::default()
        };
        let change = Change::new("directory", None::<String>, dir.to_owned());
        missing.push(change.step(Action::Directory {
            path: dir.to_owned(),
            attrs,
        }));
    }
    missing.reverse();
    Ok(missing)
}
