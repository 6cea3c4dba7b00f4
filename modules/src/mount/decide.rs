//! What differs between a file system and how it is to be.

use evenkeel_engine::{
    Cause, Change, Done, Effect, NotYet, Past, Plan, Refusal, Run, Step, Stop, Value,
    probes::{Kind, Stat, Whoami},
};

use super::{
    Args, State, fstab,
    options::{is_bind, missing},
    probe::{Live, Mounted},
};
use crate::{attributes, look::Look, paths, put};

/// As often as something is mounted there.
const UNMOUNT: &str = r#"
PATH=$PATH:/usr/sbin:/sbin
umount -- "$1" || exit
while mountpoint -q -- "$1"; do umount -- "$1" || exit; done
"#;

const SYSTEMD: &str = "/run/systemd/system";

pub(super) fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let place = args.place();
    look.ask(&Whoami);
    if args.looks() {
        look.ask(&Mounted(place.clone()));
        look.ask(&Live(place.clone()));
        look.ask(&Stat(place.clone()));
        paths::ancestors(&place).for_each(|dir| look.ask(&Stat(dir.to_owned())));
    }
    let mut changes = Vec::new();
    let mut rewritten = false;
    if args.keeps_line() || args.drops_line() {
        look.ask(&Stat(SYSTEMD.to_owned()));
        let line = line(args, look)?;
        rewritten = !line.is_empty();
        changes.extend(line);
    }
    let changed = match args.state {
        State::Present | State::AbsentFromFstab => Vec::new(),
        _ if args.is_swap() => Vec::new(),
        State::Mounted | State::Ephemeral => mounted(args, look, &place, rewritten)?,
        State::Unmounted => unmounted(look, &place)?,
        State::Remounted => vec![remounted(args, look, &place)?],
        State::Absent => {
            let mut changes = unmounted(look, &place)?;
            changes.extend(directory_gone(look, &place)?);
            changes
        }
    };
    changes.extend(changed);
    if !changes.is_empty() && look.get(&Whoami)?.account.uid != 0 {
        return Err(Refusal::new("only root may mount, and write `/etc/fstab`")
            .help("`become: true`")
            .into());
    }
    Ok(changes.into())
}

/// The line of the file; systemd makes units of all of them, and has to hear of it.
fn line(args: &Args, look: &Look<'_>) -> Result<Vec<Change>, Stop> {
    let (entry, mut told) = (args.entry(), None);
    let plan = args.rewrite().plan(look, |before| {
        let Some((after, old)) = fstab::edit(before, &entry, args.keeps_line()) else {
            return Ok(None);
        };
        told = Some((
            old.map(|old| old.line()),
            args.keeps_line().then(|| entry.line()),
        ));
        Ok(Some(after))
    })?;
    let mut changes = plan.changes;
    let systemd = args.fstab.is_none() && look.get(&Stat(SYSTEMD.to_owned()))?.is_some();
    let reload = || Run::new(["systemctl", "daemon-reload"]);
    let Some((before, after)) = told else {
        if systemd && look.seen().past() == Past::Interrupted {
            // Whether it has heard of it nobody knows.
            changes.push(
                Change::new("units of systemd", Value::Null, "read anew")
                    .step(reload())
                    .because(Cause::Act),
            );
        }
        return Ok(changes);
    };
    if let Some(change) = changes
        .iter_mut()
        .find(|change| !change.steps.is_empty() && change.diff.is_some())
    {
        change.what = format!("line of `{}`", args.file());
        change.before = before.into();
        change.after = after.into();
        change.steps.extend(systemd.then(|| Step::from(reload())));
    }
    Ok(changes)
}

fn mounted(
    args: &Args,
    look: &Look<'_>,
    place: &str,
    rewritten: bool,
) -> Result<Vec<Change>, Stop> {
    if *look.get(&Mounted(place.to_owned()))? {
        return again(args, look, place, rewritten);
    }
    let opts = args.opts();
    let mut changes = Vec::new();
    let end = paths::follow(place, look)?;
    match look
        .get(&Stat(end.clone()))?
        .as_ref()
        .map(|stat| &stat.kind)
    {
        None => {
            let levels = put::missing_levels(look, &end)?;
            changes = attributes::missing_directories(
                look,
                levels.into_iter(),
                attributes::Wanted::default(),
            )?;
        }
        // A file may have a file bound over it.
        Some(Kind::Directory) => {}
        Some(Kind::File) if is_bind(&opts) => {}
        Some(kind) => {
            let kind = attributes::kind_name(kind);
            return Err(Stop::refused(format!(
                "`{place}` is not a directory: {kind}"
            )));
        }
    }
    let (src, fstype) = (
        args.src.as_deref().unwrap_or_default(),
        args.fstype.as_deref().unwrap_or_default(),
    );
    let mut argv = vec!["mount"];
    if fstype != "none" {
        argv.extend(["-t", fstype]);
    }
    argv.extend(["-o", &opts, "--", src, place]);
    let run = Run {
        explain: Some(explain),
        ..Run::new(argv)
    };
    let step = Step::from(run)
        .effect(Effect::new(Mounted(place.to_owned()), true))
        .effect(Effect::unknown(
            Live(place.to_owned()),
            "what is mounted there",
        ))
        .effect(Effect::unknown(
            Stat(place.to_owned()),
            format!("the top of `{src}`"),
        ));
    changes.push(Change::new(format!("mount at `{place}`"), Value::Null, src).step(step));
    Ok(changes)
}

/// What is mounted already keeps its place, with the options that are wanted.
fn again(args: &Args, look: &Look<'_>, place: &str, rewritten: bool) -> Result<Vec<Change>, Stop> {
    let opts = args.opts();
    // What was mounted a moment ago, by an earlier task, is as that left it.
    let Ok(Some(live)) = look.get(&Live(place.to_owned())) else {
        return Ok(Vec::new());
    };
    let src = args.src.as_deref().unwrap_or_default();
    // Names of devices have many forms; what has none is compared.
    let other = !is_bind(&opts)
        && (src.contains(":/") || live.source.contains(":/"))
        && src.trim_end_matches('/') != live.source.trim_end_matches('/');
    let fstype = args.fstype.as_deref().unwrap_or_default();
    let kinds = [fstype, &live.fstype];
    let another = !is_bind(&opts) && kinds.contains(&"tmpfs") && kinds[0] != kinds[1];
    if other || another {
        let what = format!(
            "at `{place}` something else is mounted: `{}` ({})",
            live.source, live.fstype
        );
        return Err(Refusal::new(what)
            .help("unmount it first: `state: unmounted`")
            .into());
    }
    let lacks = missing(&opts, live);
    if lacks.is_empty() && !rewritten {
        return Ok(Vec::new());
    }
    let before = live.options.join(",");
    let step = Step::from(remount(place, Some(&opts)));
    let step = step.effect(Effect::unknown(
        Live(place.to_owned()),
        "the options of the mount",
    ));
    let lacks = if lacks.is_empty() {
        opts
    } else {
        lacks.join(",")
    };
    Ok(vec![
        Change::new(format!("options of `{place}`"), before, lacks).step(step),
    ])
}

fn unmounted(look: &Look<'_>, place: &str) -> Result<Vec<Change>, Stop> {
    if !*look.get(&Mounted(place.to_owned()))? {
        return Ok(Vec::new());
    }
    let live = look
        .get(&Live(place.to_owned()))
        .ok()
        .and_then(Option::as_ref);
    let before = live.map(|live| live.source.clone());
    let run = Run {
        explain: Some(explain),
        ..Run::new(["sh", "-c", UNMOUNT, "umount", place])
    };
    let step = Step::from(run)
        .effect(Effect::new(Mounted(place.to_owned()), false))
        .effect(Effect::new(Live(place.to_owned()), None))
        .effect(Effect::unknown(
            Stat(place.to_owned()),
            "the directory below the mount",
        ));
    let before = before.unwrap_or_else(|| "mounted".to_owned());
    Ok(vec![
        Change::new(format!("mount at `{place}`"), before, Value::Null).step(step),
    ])
}

/// The directory, which is empty; what holds something is kept, and told.
fn directory_gone(look: &Look<'_>, place: &str) -> Result<Option<Change>, Stop> {
    let Some(stat) = look.get(&Stat(place.to_owned()))? else {
        return Ok(None);
    };
    if stat.kind != Kind::Directory {
        return Ok(None);
    }
    let run = Run {
        explain: Some(explain),
        ..Run::new(["rmdir", "--", place])
    };
    let step = Step::from(run).effect(Effect::new(Stat(place.to_owned()), None));
    Ok(Some(
        Change::new("directory", place, Value::Null).step(step),
    ))
}

fn remounted(args: &Args, look: &Look<'_>, place: &str) -> Result<Change, Stop> {
    if !*look.get(&Mounted(place.to_owned()))? {
        return Err(NotYet(format!("a mount at `{place}` that can be remounted")).into());
    }
    let opts = args.opts.as_ref().map(|_| args.opts());
    let step = Step::from(remount(place, opts.as_deref()));
    let step = step.effect(Effect::unknown(
        Live(place.to_owned()),
        "the options of the mount",
    ));
    Ok(
        Change::new(format!("mount at `{place}`"), Value::Null, "remounted")
            .step(step)
            .because(Cause::Act),
    )
}

/// Without options those of the file count.
fn remount(place: &str, opts: Option<&str>) -> Run {
    let mut all = vec!["remount"];
    if let Some(opts) = opts {
        // What was read-only and is no longer said to be is to be written again.
        if !opts.split(',').any(|opt| matches!(opt, "ro" | "rw")) {
            all.push("rw");
        }
        all.extend(opts.split(',').filter(|opt| *opt != "defaults"));
    }
    Run {
        explain: Some(explain),
        ..Run::new(["mount", "-o", &all.join(","), "--", place])
    }
}

/// What `mount` and `umount` say, and what may be done.
fn explain(done: &Done) -> Option<Refusal> {
    let text = String::from_utf8_lossy(&done.stderr);
    let text = text.trim();
    let said = text.lines().next().unwrap_or_default();
    let help = if text.contains("busy") {
        "somebody is at work in it: `fuser -vm` on its path shows who; stop that first"
    } else if text.contains("unknown filesystem type") {
        "the kernel does not know this kind of file system; for a network one its helper is missing (`nfs-common`, `nfs-utils`, `cifs-utils`)"
    } else if ["does not exist", "can't find", "not a block device"]
        .iter()
        .any(|what| text.contains(what))
    {
        "what is to be mounted is not on this host: see `lsblk -f`"
    } else if text.contains("wrong fs type") {
        "`fstype` or an option does not fit; the last lines of `dmesg` say which"
    } else if text.contains("permission denied") || text.contains("not permitted") {
        "a container may not mount what its kernel does not let it"
    } else if text.contains("not empty") {
        "the directory holds something, so it is kept: remove that by `file`, or say `unmounted` and `absent_from_fstab`"
    } else {
        return None;
    };
    Some(Refusal::new(said).help(help))
}
