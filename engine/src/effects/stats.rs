//! What `Stat` and `Times` will answer.

use super::{View, facts::Facts, paths};
use crate::{
    late::NotYet,
    probes::{Account, FileStat, Group, Kind, Stat, User, Whoami},
    step::{Attrs, Write},
};

type Known<T> = Result<T, NotYet>;

/// Links are followed so far, as the kernel does.
const MAX_LINKS: usize = 40;

/// Where a path leads, its last part followed; an error if a link on the way was not looked at.
pub(super) fn follow(path: &str, view: View<'_>) -> Known<String> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match view.get(&Stat(path.clone()))?.map(|stat| stat.kind) {
            Some(Kind::Link(target)) => path = paths::joined(&path, &target),
            _ => return Ok(path),
        }
    }
    Err(NotYet(format!("`{path}`: too many links")))
}

/// A file just made at `path` by the identity: its owner, and the group of a setgid parent.
pub(super) fn fresh(path: &str, mode: u32, view: View<'_>) -> Known<FileStat> {
    let me = view.get(&Whoami)?.account;
    let dir = parent_stat(path, view)?;
    let inherits = dir.mode & 0o2000 != 0;
    Ok(FileStat {
        kind: Kind::File,
        mode,
        uid: me.uid,
        owner: me.name,
        gid: if inherits { dir.gid } else { me.gid },
        group: if inherits { dir.group } else { me.group },
    })
}

fn parent_stat(path: &str, view: View<'_>) -> Known<FileStat> {
    let dir = paths::parent(path).unwrap_or("/");
    let dir = follow(dir, view)?;
    view.get(&Stat(dir.clone()))?
        .filter(|stat| stat.kind == Kind::Directory)
        .ok_or_else(|| NotYet(format!("`{dir}` is no directory")))
}

pub(super) fn written(write: &Write, view: View<'_>) -> Known<FileStat> {
    let before = match view.get(&Stat(write.path.clone()))? {
        Some(stat) if stat.kind == Kind::File => stat,
        Some(stat) if stat.kind == Kind::Directory => {
            return Err(NotYet(format!("what becomes of `{}`", write.path)));
        }
        _ => fresh(&write.path, write.new_mode.unwrap_or(0o644), view)?,
    };
    // The mode is set last, whether it is named or kept.
    Ok(FileStat {
        mode: write.attrs.mode.unwrap_or(before.mode),
        ..with(&before, &write.attrs, view)?
    })
}

pub(super) fn directory(path: &str, attrs: &Attrs, view: View<'_>) -> Known<FileStat> {
    let fresh = fresh(path, 0o755, view)?;
    let inherited = parent_stat(path, view)?.mode & 0o2000;
    let made = FileStat {
        kind: Kind::Directory,
        mode: 0o755 | inherited,
        ..fresh
    };
    with(&made, attrs, view)
}

/// `cp -a`: the owner is kept by root only.
pub(super) fn copied(from: &str, view: View<'_>) -> Facts {
    let before = Facts::seen(from, view);
    let Ok(Some(stat)) = &before.stat else {
        return Facts::unknown("what is copied");
    };
    if stat.kind != Kind::File {
        return Facts::unknown("what is copied");
    }
    let keeps = view
        .get(&Whoami)
        .is_ok_and(|me| me.account.uid == 0 || is(stat, &me.account));
    Facts {
        stat: if keeps {
            before.stat.clone()
        } else {
            Err(NotYet::new("whose a copy is"))
        },
        inode: Err(NotYet::new("the inode of a copy")),
        ..before
    }
}

fn is(stat: &FileStat, account: &Account) -> bool {
    stat.uid == account.uid && stat.gid == account.gid
}

/// After `chown`, then `chmod`.
pub(super) fn with(before: &FileStat, attrs: &Attrs, view: View<'_>) -> Known<FileStat> {
    let mut stat = before.clone();
    if let Some(owner) = &attrs.owner {
        (stat.owner, stat.uid) = user(owner, before, view)?;
    }
    if let Some(group) = &attrs.group {
        (stat.group, stat.gid) = self::group(group, before, view)?;
    }
    let chowned = attrs.owner.is_some() || attrs.group.is_some();
    if chowned && stat.kind == Kind::File {
        // The kernel takes these bits from a file that is given away, even by root.
        stat.mode &= !0o4000;
        if stat.mode & 0o010 != 0 {
            stat.mode &= !0o2000;
        }
    }
    if let (Some(mode), false) = (attrs.mode, matches!(stat.kind, Kind::Link(_))) {
        stat.mode = mode;
    }
    Ok(stat)
}

fn user(wanted: &str, before: &FileStat, view: View<'_>) -> Known<(String, u32)> {
    if named(wanted, &before.owner, before.uid) {
        return Ok((before.owner.clone(), before.uid));
    }
    if named(wanted, "root", 0) {
        return Ok(("root".to_owned(), 0));
    }
    if let Ok(me) = view.get(&Whoami)
        && named(wanted, &me.account.name, me.account.uid)
    {
        return Ok((me.account.name, me.account.uid));
    }
    view.get(&User(wanted.to_owned()))?
        .map(|account| (account.name, account.uid))
        .ok_or_else(|| NotYet(format!("the user `{wanted}`")))
}

fn group(wanted: &str, before: &FileStat, view: View<'_>) -> Known<(String, u32)> {
    if named(wanted, &before.group, before.gid) {
        return Ok((before.group.clone(), before.gid));
    }
    if named(wanted, "root", 0) {
        return Ok(("root".to_owned(), 0));
    }
    view.get(&Group(wanted.to_owned()))?
        .ok_or_else(|| NotYet(format!("the group `{wanted}`")))
}

/// Whether a name or number means this account.
fn named(wanted: &str, name: &str, id: u32) -> bool {
    wanted == name || wanted.parse() == Ok(id)
}

/// After `touch`: access, modification.
pub(super) fn times(
    before: &Known<Option<(i64, i64)>>,
    attrs: &Attrs,
) -> Known<Option<(i64, i64)>> {
    let set = |wanted: &Option<String>, old: fn((i64, i64)) -> i64| match wanted {
        None => match before {
            Ok(Some(times)) => Ok(old(*times)),
            Ok(None) => Err(NotYet::new("its times")),
            Err(why) => Err(why.clone()),
        },
        Some(text) => text
            .parse()
            .map_err(|_| NotYet::new("the moment of the step")),
    };
    if attrs.atime.is_none() && attrs.mtime.is_none() {
        return before.clone();
    }
    Ok(Some((
        set(&attrs.atime, |times| times.0)?,
        set(&attrs.mtime, |times| times.1)?,
    )))
}
