//! What differs from what an archive holds, and the steps that unpack it.

use evenkeel_engine::{
    Action, Attrs, Change, Content, Effect, NotYet, Plan, Run, Step, Stop, Write, hex,
    probes::{Contents, Digest, EmptyDirectory, Glob, Inode, Kind, Stat, Times, Whoami},
    sha256,
};

use super::{Args, Members, Unpacked};
use crate::{
    attributes,
    copy::Src,
    download::{Download, got_here, script, tool},
    look::Look,
    paths, words,
};

/// What takes longer than this is a bomb, or hangs.
const LIMIT: u64 = 3600;

const UNPACK: &str = concat!(include_str!("list.sh"), include_str!("unpack.sh"));

/// Where records are kept; the script of the question knows it as well.
fn state(look: &Look<'_>) -> Result<String, NotYet> {
    let me = look.get(&Whoami)?;
    if me.account.uid == 0 {
        return Ok("/var/lib/evenkeel-unarchive".to_owned());
    }
    Ok(paths::join(&me.home, ".evenkeel-unarchive"))
}

/// The name of the record: of the same archive it is the same, whatever is in it.
fn id(args: &Args, dest: &str) -> String {
    let shown = args.shown();
    let parts = (
        paths::name(&shown),
        dest,
        &args.include,
        &args.exclude,
        &args.extra_opts,
    );
    hex(&sha256(format!("{parts:?}").as_bytes()))[..16].to_owned()
}

/// The file with the names of the members.
pub(super) fn names(args: &Args, look: &Look<'_>) -> Result<String, NotYet> {
    let dest = paths::absolute(&args.dest, look)?;
    Ok(format!("{}/{}/names", state(look)?, id(args, &dest)))
}

pub(super) fn is_created(args: &Args, look: &Look<'_>) -> Result<bool, NotYet> {
    let Some(creates) = &args.creates else {
        return Ok(false);
    };
    Ok(look.get(&Stat(paths::absolute(creates, look)?))?.is_some())
}

/// What identifies the archive and how it is unpacked.
fn key(args: &Args, look: &Look<'_>) -> Result<String, Stop> {
    let archive = match (&args.src, args.request()) {
        (_, Some(request)) => hex(&sha256(request.shown().as_bytes())),
        (Src::Local(source), None) => hex(&source.digest()),
        (Src::Host(path), None) => match look.get(&Digest(path.clone()))? {
            Some(digest) => hex(digest),
            None => return Err(NotYet(format!("the archive `{path}` on the host")).into()),
        },
    };
    let how = format!(
        "{:?}",
        (
            args.owners(),
            args.mode.as_ref().map(crate::mode::Mode::text),
            args.keep_newer
        )
    );
    Ok(format!("{archive} {}", &hex(&sha256(how.as_bytes()))[..16]))
}

pub(super) fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let dest = paths::absolute(&args.dest, look);
    let created = is_created(args, look);
    if args.list_files || args.request().is_some() {
        look.ask(&Whoami);
    }
    if args.request().is_some() {
        drop(tool(look));
    }
    let dest = dest?;
    let unpacked = Unpacked {
        id: id(args, &dest),
        dest: dest.clone(),
        newer: args.keep_newer,
    };
    let now = look.get(&unpacked);
    let key = key(args, look);
    let end = paths::follow(&dest, look);
    if created? {
        return Ok(Plan::nothing());
    }
    if args.list_files {
        look.ask(&Contents(names(args, look)?));
    }
    let end = end?;
    match look.get(&Stat(end))?.as_ref().map(|stat| &stat.kind) {
        Some(Kind::Directory) => {}
        Some(kind) => {
            let what = format!(
                "`dest`: `{dest}` is not a directory: {}",
                attributes::kind_name(kind)
            );
            return Err(Stop::refused(what));
        }
        None => return Err(NotYet(format!("the directory `{dest}`")).into()),
    }
    let (now, key) = (now?, key?);
    let mut plan = if now.key.as_ref() == Some(&key) && now.differ.is_empty() {
        Plan::nothing()
    } else {
        change(args, look, unpacked, now, key)?.into()
    };
    if !paths::is_absolute(&args.dest) {
        plan = plan.warning(format!("`dest: {}` is relative: it is `{dest}`", args.dest));
    }
    Ok(plan)
}

/// What differs, in words.
fn before(now: &Members, key: &str) -> Option<String> {
    let found = now.key.as_ref()?;
    let archive = |key: &str| key.split(' ').next().map(str::to_owned);
    Some(if archive(found) != archive(key) {
        "another archive".to_owned()
    } else if found != key {
        "with another owner, group or mode".to_owned()
    } else {
        format!("{} differ", now.differ.join(", "))
    })
}

fn change(
    args: &Args,
    look: &Look<'_>,
    unpacked: Unpacked,
    now: &Members,
    key: String,
) -> Result<Change, Stop> {
    look.ask(&Whoami);
    let state = state(look)?;
    let ours = format!("{state}/{}.archive", unpacked.id);
    for path in [&state, &ours] {
        look.ask(&Stat(path.clone()));
    }
    look.ask(&Digest(ours.clone()));
    if let Some(request) = args.request() {
        drop(got_here(look, &request, None, false));
    }
    attributes::ask_parent(look, &state);
    let mut change = Change::new(unpacked.dest.clone(), before(now, &key), args.shown());
    if look.get(&Stat(state.clone()))?.is_none() {
        let attrs = Attrs {
            mode: Some(0o700),
            ..Attrs::default()
        };
        change = change.step(Action::Directory {
            path: state.clone(),
            attrs,
        });
    }
    let archive = match (&args.src, args.request()) {
        (_, Some(request)) => {
            let download = Download {
                request: &request,
                to: &ours,
                parts: None,
                hash: None,
                decompress: false,
            };
            change = change.step(download.step(look)?);
            ours.clone()
        }
        (Src::Local(source), None) => {
            let content = Content::Source(source.clone());
            change = change.step(Action::Write(Write {
                path: ours.clone(),
                content,
                ..Write::default()
            }));
            ours.clone()
        }
        (Src::Host(path), None) => path.clone(),
    };
    let is_ours = archive == ours;
    let words = words(args, &unpacked, &state, archive, is_ours, &key);
    let records = state;
    let (argv, stdin) = script("unpack", UNPACK, words, &Content::default());
    let run = Run {
        stdin,
        seconds: Some(LIMIT),
        long: true,
        explain: Some(words::last_line),
        ..Run::new(argv)
    };
    let mut run = Step::from(run).effect(Effect::new(
        unpacked,
        Members {
            key: Some(key),
            differ: Vec::new(),
        },
    ));
    run = run.effect(Effect::new(EmptyDirectory(records), Some(false)));
    if is_ours {
        run = run
            .effect(Effect::new(Stat(ours.clone()), None))
            .effect(Effect::new(Digest(ours.clone()), None))
            .effect(Effect::new(Contents(ours.clone()), None))
            .effect(Effect::new(Inode(ours.clone()), None))
            .effect(Effect::new(Times(ours.clone()), None))
            .effect(Effect::new(Glob(ours), None));
    }
    if args.list_files {
        run = run.effect(Effect::unknown(
            Contents(names(args, look)?),
            "the members of the archive",
        ));
    }
    Ok(change.step(run))
}

fn flag(set: bool) -> String {
    if set { "1" } else { "" }.to_owned()
}

/// What the script is told.
fn words(
    args: &Args,
    unpacked: &Unpacked,
    state: &str,
    archive: String,
    is_ours: bool,
    key: &str,
) -> Vec<String> {
    let quoted = |prefix: &str, words: &[String]| {
        let word = |word: &String| format!("'{prefix}{}'", word.replace('\'', r"'\''"));
        words.iter().map(word).collect::<Vec<_>>().join(" ")
    };
    let left_out = if args.exclude.is_empty() {
        String::new()
    } else {
        format!("-x {}", quoted("", &args.exclude))
    };
    vec![
        state.to_owned(),
        unpacked.id.clone(),
        unpacked.dest.clone(),
        archive,
        args.shown(),
        key.to_owned(),
        flag(is_ours),
        args.mode
            .as_ref()
            .map(|mode| mode.text().to_owned())
            .unwrap_or_default(),
        args.owners(),
        flag(args.keep_newer),
        quoted("", &args.extra_opts),
        quoted("--exclude=", &args.exclude),
        quoted("", &args.include),
        left_out,
    ]
}
