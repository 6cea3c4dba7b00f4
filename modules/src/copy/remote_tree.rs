//! Directories that are on the host already.

use evenkeel_engine::{
    Action, Change, NotYet, Plan, Stop,
    probes::{Digest, FileStat, Kind, Stat},
};

use super::{Args, remote};
use crate::{
    attributes::{self, Wanted},
    look::Look,
    mode::Mode,
    paths,
    put::{self, Target},
    tree::Below,
};

/// Makes `dest` hold what `src` holds; what else is in it stays. Where the task names no mode, each
/// entry keeps its own.
pub(super) fn decide(
    args: &Args,
    look: &Look<'_>,
    src: &str,
    top: &FileStat,
    into: bool,
) -> Result<Plan, Stop> {
    let dest = paths::absolute(&args.dest, look)?;
    let root = if into {
        dest
    } else {
        paths::join(&dest, paths::name(src))
    };
    attributes::ask_parent(look, &root);
    let below = look.get(&Below(src.to_owned()))?.as_ref();
    let below = below.ok_or_else(|| NotYet(format!("what is in `{src}`")))?;
    let place = |from: &str| paths::join(&root, from[src.len()..].trim_start_matches('/'));
    for (from, stat) in below {
        look.ask(&Stat(place(from)));
        match stat.kind {
            Kind::File => {
                look.ask(&Digest(from.clone()));
                look.ask(&Digest(place(from)));
                look.ask(&Stat(remote::beside(&place(from))));
                look.ask(&Digest(remote::beside(&place(from))));
            }
            Kind::Link(_) => look.ask(&Stat(from.clone())),
            _ => {}
        }
    }
    let missing = put::missing_levels(look, &root)?;
    let bits = Mode::bits(top.mode);
    let mut changes =
        attributes::missing_directories(look, missing.into_iter(), directories(args, &bits))?;
    for (from, stat) in below {
        let path = place(from);
        match stat.kind {
            Kind::Directory => changes.extend(directory(args, look, stat, path)?),
            Kind::File => {
                let target = Target {
                    asked: path.clone(),
                    path,
                    missing: vec![root.clone()],
                };
                let bits = Mode::bits(stat.mode);
                let mut put = args.put(&bits)?;
                put.wanted.mode = put.wanted.mode.or(Some(&bits));
                changes.extend(remote::file(args, look, from, &put, &target)?);
            }
            Kind::Link(_) => changes.extend(link(look, from, path)?),
            Kind::Other(_) => return Err(Stop::refused(format!("`{from}` is not a file"))),
        }
    }
    Ok(changes.into())
}

/// New directories get the mode that is named, or that of their source.
fn directories<'a>(args: &'a Args, bits: &'a Mode) -> Wanted<'a> {
    let named = args.directories();
    Wanted {
        mode: named.mode.or(Some(bits)),
        ..named
    }
}

fn directory(
    args: &Args,
    look: &Look<'_>,
    stat: &FileStat,
    path: String,
) -> Result<Vec<Change>, Stop> {
    if look.get(&Stat(path.clone()))?.is_some() {
        if super::is_directory(look, &path)? {
            return Ok(Vec::new());
        }
        return Err(Stop::refused(format!("`{path}` is not a directory")));
    }
    let bits = Mode::bits(stat.mode);
    let wanted = directories(args, &bits);
    Ok(attributes::missing_directories(
        look,
        std::iter::once(path),
        wanted,
    )?)
}

fn link(look: &Look<'_>, from: &str, path: String) -> Result<Option<Change>, Stop> {
    let target = |path: &str| -> Result<Option<String>, Stop> {
        Ok(
            match look.get(&Stat(path.to_owned()))?.as_ref().map(|s| &s.kind) {
                None => None,
                Some(Kind::Link(target)) => Some(target.clone()),
                Some(_) => return Err(Stop::refused(format!("`{path}` is not a link"))),
            },
        )
    };
    let (wanted, now) = (target(from)?, target(&path)?);
    let Some(target) = wanted.filter(|target| now.as_ref() != Some(target)) else {
        return Ok(None);
    };
    let change = Change::new("link", now, target.clone());
    Ok(Some(change.step(Action::Link { path, target })))
}
