//! Symbolic and hard links.

use evenkeel_engine::{
    Action, Change, NotYet, Refusal, Stop,
    probes::{EmptyDirectory, FileStat, Inode, Kind, Stat},
};

use super::{Args, State};
use crate::{
    attributes::{self, kind_name},
    look::Look,
    paths,
};

pub(super) fn ask(args: &Args, look: &Look<'_>, path: &str) {
    match (args.state, &args.src) {
        (Some(State::Link), src) => {
            look.ask(&EmptyDirectory(path.to_owned()));
            if let Some(src) = src {
                look.ask(&Stat(paths::joined(path, src)));
            }
        }
        (Some(State::Hard), Some(src)) => {
            look.ask(&Stat(src.clone()));
            look.ask(&Inode(src.clone()));
            look.ask(&Inode(path.to_owned()));
        }
        _ => {}
    }
}

/// A symbolic link, then the attributes of what it leads to (or its own).
pub(super) fn symbolic(
    args: &Args,
    look: &Look<'_>,
    path: &str,
    stat: Option<&FileStat>,
) -> Result<Vec<Change>, Stop> {
    let old = match stat.map(|stat| &stat.kind) {
        Some(Kind::Link(target)) => Some(target),
        _ => None,
    };
    let Some(target) = args.src.as_ref().or(old) else {
        return Err(Refusal::new(format!("`{path}` is no link, and `src` is missing")).into());
    };
    let mut changes = Vec::new();
    if old != Some(target) {
        may_replace(args, look, path, stat)?;
        let end = paths::joined(path, target);
        if !args.force && look.get(&Stat(end.clone()))?.is_none() {
            // An earlier task may make it; `force` makes the link without it.
            return Err(NotYet(format!("`{end}`, which the link points to")).into());
        }
        attributes::parent_exists(look, path)?;
        let mut change = Change::new("link", old.cloned(), target.clone());
        if stat.is_some_and(|stat| stat.kind == Kind::Directory) {
            change = change.step(Action::Remove {
                path: path.to_owned(),
            });
        }
        changes.push(change.step(Action::Link {
            path: path.to_owned(),
            target: target.clone(),
        }));
    }
    changes.extend(attributes_of(
        args,
        look,
        path,
        target,
        stat.filter(|_| old == Some(target)),
    )?);
    Ok(changes)
}

/// Attributes of what a link leads to, or, with `follow: false`, of the link.
fn attributes_of(
    args: &Args,
    look: &Look<'_>,
    path: &str,
    target: &str,
    link: Option<&FileStat>,
) -> Result<Vec<Change>, NotYet> {
    let wanted = args.wanted();
    if wanted.owner.is_none() && wanted.group.is_none() && wanted.mode.is_none() {
        return Ok(Vec::new());
    }
    if args.follows() {
        let end = paths::follow(&paths::joined(path, target), look)?;
        return match look.get(&Stat(end.clone()))? {
            Some(stat) => wanted.changes(look, &end, stat),
            None => Ok(Vec::new()),
        };
    }
    if let Some(stat) = link {
        return wanted.changes(look, path, stat);
    }
    // The link is new: its owner is set without being looked at.
    let attrs = evenkeel_engine::Attrs {
        mode: None,
        ..wanted.fresh(look, 0o777, false)?
    };
    let owner = wanted.owner.or(wanted.group).map(ToOwned::to_owned);
    let change = Change::new("owner", None::<String>, owner.clone());
    Ok(owner.map_or_else(Vec::new, |_| {
        vec![change.step(Action::Attrs {
            path: path.to_owned(),
            attrs,
            follow: false,
            recurse: false,
        })]
    }))
}

/// Whether what stands in the way may go.
fn may_replace(
    args: &Args,
    look: &Look<'_>,
    path: &str,
    stat: Option<&FileStat>,
) -> Result<(), Stop> {
    let Some(stat) = stat else { return Ok(()) };
    let kind = kind_name(&stat.kind);
    match stat.kind {
        Kind::Link(_) => Ok(()),
        Kind::Directory if args.force => {
            if *look.get(&EmptyDirectory(path.to_owned()))? == Some(true) {
                return Ok(());
            }
            Err(Refusal::new(format!("the directory `{path}` is not empty"))
                .help("remove it with `state: absent` first if that is meant")
                .into())
        }
        _ if args.force => Ok(()),
        _ => Err(Refusal::new(format!("`{path}` is a {kind}, not a link"))
            .help("`force: true` replaces it")
            .into()),
    }
}

/// A hard link.
pub(super) fn hard(
    args: &Args,
    look: &Look<'_>,
    path: &str,
    stat: Option<&FileStat>,
) -> Result<Vec<Change>, Stop> {
    let Some(src) = &args.src else {
        let Some(stat) = stat else {
            let why = format!("`{path}` does not exist, and `src` is missing");
            return Err(Refusal::new(why).into());
        };
        return Ok(args.wanted().changes(look, path, stat)?);
    };
    let Some(source) = look.get(&Stat(src.clone()))? else {
        return Err(NotYet(format!("`{src}`, which the hard link points to")).into());
    };
    let same =
        stat.is_some() && look.get(&Inode(src.clone()))? == look.get(&Inode(path.to_owned()))?;
    let mut changes = Vec::new();
    if !same {
        if let Some(stat) = stat {
            let kind = kind_name(&stat.kind);
            if stat.kind == Kind::Directory || !args.force {
                return Err(Refusal::new(format!(
                    "`{path}` is another {kind}, not a link to `{src}`"
                ))
                .help("`force: true` replaces files and links")
                .into());
            }
        }
        attributes::parent_exists(look, path)?;
        changes.push(Change::new("hard link", None::<String>, src.clone()).step(
            Action::HardLink {
                path: path.to_owned(),
                target: src.clone(),
            },
        ));
    }
    changes.extend(args.wanted().changes(look, path, source)?);
    Ok(changes)
}
