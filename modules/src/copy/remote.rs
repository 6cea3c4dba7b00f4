//! Files that are on the host already.

use evenkeel_engine::{
    Action, Attrs, Change, Effect, NotYet, Plan, Run, Sha, Step, Stop, hex,
    probes::{Digest, FileStat, Kind, Stat, Whoami},
};

use super::{Args, remote_tree};
use crate::{
    attributes::{self, Difference},
    look::Look,
    mode::{Mode, UMASK},
    paths,
    put::{self, Put, Target},
    tree::Below,
};

pub(super) fn decide(args: &Args, look: &Look<'_>, src: &str) -> Result<Plan, Stop> {
    let into = src.ends_with('/');
    let src = paths::absolute(src, look)?;
    look.ask(&Stat(src.clone()));
    look.ask(&Below(src.clone()));
    look.ask(&Digest(src.clone()));
    // Whether the file goes there or into it is seen later; one round has to be enough for both.
    let dest = paths::absolute(&args.dest, look)?;
    for path in [paths::join(&dest, paths::name(&src)), dest] {
        look.ask(&Digest(path.clone()));
        look.ask(&Stat(beside(&path)));
        look.ask(&Digest(beside(&path)));
    }
    let target = put::target(look, &args.dest, Some(paths::name(&src)), args.follow);
    let from = paths::follow(&src, look)?;
    let Some(source) = look.get(&Stat(from.clone()))? else {
        // An earlier task may make it.
        return Err(NotYet(format!("`{src}` on the host")).into());
    };
    match source.kind {
        Kind::File => {}
        Kind::Directory => {
            return remote_tree::decide(args, look, &from, source, into);
        }
        _ => return Err(Stop::refused(format!("`{src}` is not a file"))),
    }
    let target = target?;
    let bits = Mode::bits(source.mode);
    let missing = target.missing.iter().cloned();
    let mut changes = attributes::missing_directories(look, missing, args.directories())?;
    changes.extend(file(args, look, &from, &args.put(&bits)?, &target)?);
    Ok(changes.into())
}

pub(super) fn file(
    args: &Args,
    look: &Look<'_>,
    from: &str,
    put: &Put<'_>,
    target: &Target,
) -> Result<Vec<Change>, Stop> {
    let path = target.path.as_str();
    let (new, stat) = (
        look.get(&Digest(from.to_owned()))?,
        look.get(&Stat(path.to_owned()))?.as_ref(),
    );
    let Some(new) = new else {
        return Err(NotYet(format!("what `{from}` holds")).into());
    };
    if let Some(wanted) = &args.checksum
        && !wanted.eq_ignore_ascii_case(&hex(new))
    {
        let found = hex(new);
        return Err(Stop::refused(format!(
            "`{from}` has the checksum {found}, not {wanted}"
        )));
    }
    let old = match stat.map(|stat| &stat.kind) {
        None | Some(Kind::Link(_)) => None,
        Some(Kind::File) => *look.get(&Digest(path.to_owned()))?,
        Some(_) => return Err(Stop::refused(format!("`{path}` is not a file"))),
    };
    let beside = beside(path);
    look.ask(&Digest(beside.clone()));
    let leftover = look.get(&Stat(beside.clone()))?.is_some();
    match stat {
        None if target.missing.is_empty() => attributes::parent_exists(look, path)?,
        Some(_) if !put.force => return Ok(Vec::new()),
        Some(stat) if old == Some(*new) => {
            let mut changes = put.wanted.changes(look, path, stat)?;
            if leftover {
                let change = Change::new("leftover", beside.clone(), None::<String>);
                changes.push(change.step(Action::Remove { path: beside }));
            }
            return Ok(changes);
        }
        _ => {}
    }
    let change = copied(put, look, from, target, (old, *new))?;
    let kept = stat.filter(|stat| stat.kind == Kind::File);
    let others = match kept {
        Some(stat) => put.wanted.differences(look, stat)?,
        None => Vec::new(),
    };
    let others = others.into_iter().map(Difference::change);
    Ok(std::iter::once(change).chain(others).collect())
}

/// The steps that put the copy in its place.
fn copied(
    put: &Put<'_>,
    look: &Look<'_>,
    from: &str,
    target: &Target,
    (old, new): (Option<Sha>, Sha),
) -> Result<Change, Stop> {
    let path = target.path.as_str();
    let beside = beside(path);
    let stat = look.get(&Stat(path.to_owned()))?.as_ref();
    let kept = stat.filter(|stat| stat.kind == Kind::File);
    let mut change = Change::new(
        "content",
        old.map(|sha| hex(&sha)[..12].to_owned()),
        hex(&new)[..12].to_owned(),
    );
    match (stat, old) {
        (Some(stat), _) if stat.kind != Kind::File => {
            change = change.step(Action::Remove {
                path: path.to_owned(),
            });
        }
        (_, Some(old)) if put.backup => change = put::with_backup(change, path, old),
        _ => {}
    }
    // A copy on the host keeps the attributes of its source: it gets its own before it takes its
    // place.
    change = change
        .step(Action::Copy {
            from: from.to_owned(),
            to: beside.clone(),
        })
        .step(Action::Attrs {
            path: beside.clone(),
            attrs: attrs(put, look, kept)?,
            follow: false,
            recurse: false,
        });
    if let Some(argv) = &put.validate {
        let argv = argv.iter().map(|word| word.replace("%s", &beside));
        change = change.step(Run::new(argv));
    }
    let mut place = Step::from(Action::HardLink {
        path: path.to_owned(),
        target: beside.clone(),
    });
    if target.asked != path {
        place = place.effect(Effect::new(Digest(target.asked.clone()), Some(new)));
    }
    change = change.step(place).step(Action::Remove { path: beside });
    Ok(change)
}

/// Where a copy is prepared; what an earlier run left there is removed.
pub(super) fn beside(path: &str) -> String {
    let dir = paths::parent(path).unwrap_or("/");
    paths::join(dir, &format!(".{}.evenkeel", paths::name(path)))
}

fn attrs(put: &Put<'_>, look: &Look<'_>, kept: Option<&FileStat>) -> Result<Attrs, NotYet> {
    let wanted = put.wanted.fresh(look, 0o666 & !UMASK, false)?;
    let (owner, group, mode) = if let Some(stat) = kept {
        let mode = put.wanted.bits(stat).unwrap_or(stat.mode);
        (stat.uid.to_string(), stat.gid.to_string(), mode)
    } else {
        let me = &look.get(&Whoami)?.account;
        (me.name.clone(), me.group.clone(), 0o666 & !UMASK)
    };
    Ok(Attrs {
        owner: wanted.owner.or(Some(owner)),
        group: wanted.group.or(Some(group)),
        mode: Some(if kept.is_some() {
            mode
        } else {
            wanted.mode.unwrap_or(mode)
        }),
        ..Attrs::default()
    })
}

#[cfg(test)]
mod tests {
    use evenkeel_engine::{Module as _, Seen};

    use super::*;
    use crate::copy::{Copy, Src};

    #[test]
    fn what_is_no_file_is_not_copied() {
        let args = Args {
            src: Some(Src::Host("/dev/null".into())),
            dest: "/srv/n".into(),
            remote_src: true,
            ..Args::default()
        };
        let device = FileStat {
            kind: Kind::Other(0o020_000),
            mode: 0o666,
            uid: 0,
            gid: 0,
            owner: "root".into(),
            group: "root".into(),
        };
        let seen = Seen::default().with(&Stat("/dev/null".into()), Some(device));
        let stop = Copy::plan(&args, &seen).unwrap_err();
        assert_eq!(stop, Stop::refused("`/dev/null` is not a file"));
    }
}
