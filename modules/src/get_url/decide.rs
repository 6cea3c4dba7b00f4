//! What differs between a file and what a server has.

use evenkeel_engine::{
    Action, Attrs, Change, Effect, NotYet, Plan, Refusal, Sha, Step, Stop,
    download::Got,
    hex,
    probes::{Contents, Digest, FileStat, Kind, Stat, Whoami},
    unhex,
};

use super::Args;
use crate::{
    attributes::{self, Difference},
    download::{
        Algorithm, Checksum, Download, Hash, Request, Served, Serving, State, Sum, find, got_here,
        parse_checksum, text, tool,
    },
    look::Look,
    mode::UMASK,
    paths,
    put::{self, Put},
};

/// Where the file goes, and whether that is inside of `dest`.
pub(super) fn place(args: &Args, look: &Look<'_>) -> Result<(String, bool), Stop> {
    let path = paths::absolute(&args.dest, look)?;
    Put::ask(look, &path);
    let request = args.request();
    if let Some(name) = request.name() {
        let inside = paths::join(&path, &name);
        look.ask(&Stat(inside.clone()));
        look.ask(&Stat(beside(&inside)));
        look.ask(&Digest(inside));
    }
    let end = paths::follow_asking(&path, look, |end| look.ask(&Digest(end.to_owned())))?;
    let stat = look.get(&Stat(end.clone()))?.as_ref();
    match stat.map(|stat| &stat.kind) {
        Some(Kind::Directory) => {}
        Some(Kind::File) | None if args.dest.ends_with('/') => {
            return Err(Stop::refused(format!("`{}` is not a directory", args.dest)));
        }
        Some(Kind::File) | None => return Ok((end, false)),
        Some(kind) => {
            return Err(Stop::refused(format!(
                "`{end}` is not a file: {}",
                attributes::kind_name(kind)
            )));
        }
    }
    let name = if request.is_secret() {
        request.name().ok_or_else(|| {
            Refusal::new("the address names no file, and `dest` is a directory")
                .help("write the file's name in `dest`")
        })?
    } else if let Some(got) = here(args, look, &request)? {
        let name = got.name.clone().or_else(|| request.name());
        name.unwrap_or_else(|| "index.html".to_owned())
    } else {
        let Serving { name, state } = look.get(&served(args, &end))?;
        match (name, state) {
            (Some(name), _) => name.clone(),
            (None, State::Failed(why)) => return Err(refused(&request, why)),
            (None, _) => return Err(NotYet(format!("the name of `{}`", request.shown())).into()),
        }
    };
    let path = paths::join(&end, &name);
    look.ask(&Stat(path.clone()));
    look.ask(&Digest(path.clone()));
    Ok((path, true))
}

fn refused(request: &Request, why: &str) -> Stop {
    Stop::refused(format!("`{}`: {why}", request.shown()))
}

fn served(args: &Args, dest: &str) -> Served {
    Served {
        request: args.request(),
        dest: dest.to_owned(),
        decompress: args.decompress.unwrap_or(true),
        force: args.force,
    }
}

/// What the last run left there.
fn known(look: &Look<'_>) -> Option<Sha> {
    unhex(look.seen().witness()?.as_str()?)
}

/// Where what comes is prepared; what an earlier run left there is removed.
pub(super) fn beside(path: &str) -> String {
    let dir = paths::parent(path).unwrap_or("/");
    paths::join(dir, &format!(".{}.evenkeel", paths::name(path)))
}

pub(super) fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let request = args.request();
    args.wanted().ask(look);
    look.ask(&Whoami);
    let dest = paths::absolute(&args.dest, look)?;
    look.ask(&Stat(beside(&dest)));
    let hash = hash(args, look, &request);
    if hash.is_err() || hash.as_ref().is_ok_and(Option::is_none) {
        drop(tool(look));
    }
    if matches!(hash, Ok(None)) && !request.is_secret() {
        look.ask(&served(args, &dest));
    }
    if let Ok(Some(hash)) = &hash
        && hash.algorithm != Algorithm::Sha256
    {
        look.ask(&Sum {
            algorithm: hash.algorithm,
            path: dest,
        });
    }
    let (path, inside) = place(args, look)?;
    let hash = hash?;
    look.ask(&Stat(beside(&path)));
    let Some(stat) = look.get(&Stat(path.clone()))? else {
        attributes::ask_parent(look, &path);
        attributes::parent_exists(look, &path)?;
        return Ok(fresh(args, look, &path, inside, hash.as_ref(), None)?.into());
    };
    if stat.kind != Kind::File {
        return Err(Stop::refused(format!(
            "`{path}` is not a file: {}",
            attributes::kind_name(&stat.kind)
        )));
    }
    let now = look
        .get(&Digest(path.clone()))?
        .ok_or_else(|| NotYet(format!("what `{path}` holds")))?;
    let (same, hash) = compare(args, look, &path, inside, now, hash)?;
    let mut changes = Vec::new();
    if same {
        changes.extend(args.wanted().changes(look, &path, stat)?);
        let leftover = beside(&path);
        if look.get(&Stat(leftover.clone()))?.is_some() {
            let change = Change::new("leftover", leftover.clone(), None::<String>);
            changes.push(change.step(Action::Remove { path: leftover }));
        }
    } else {
        changes.push(fresh(
            args,
            look,
            &path,
            inside,
            hash.as_ref(),
            Some((now, stat)),
        )?);
        changes.extend(
            args.wanted()
                .differences(look, stat)?
                .into_iter()
                .map(Difference::change),
        );
    }
    Ok(changes.into())
}

/// The checksum that is asked for, read from its file if it stands in one.
fn hash(args: &Args, look: &Look<'_>, request: &Request) -> Result<Option<Hash>, Stop> {
    let Some(checksum) = &args.checksum else {
        return Ok(None);
    };
    let (algorithm, url) = match parse_checksum(checksum)? {
        Checksum::Known(hash) => return Ok(Some(hash)),
        Checksum::In(algorithm, url) => (algorithm, url),
    };
    let name = request.name().unwrap_or_default();
    let text = if let Some(path) = url.strip_prefix("file://") {
        let bytes = look.get(&Contents(path.to_owned()))?.as_ref();
        let bytes = bytes.ok_or_else(|| NotYet(format!("the checksum file `{path}`")))?;
        String::from_utf8_lossy(bytes).into_owned()
    } else {
        text(look, &request.to(&url))?.into_owned()
    };
    let found = find(algorithm, &text, &name);
    found
        .map(Some)
        .ok_or_else(|| Stop::refused(format!("`{url}` has no {} of `{name}`", algorithm.name())))
}

/// Whether the file is what it shall be, and the checksum of what it shall be, if that is known.
fn compare(
    args: &Args,
    look: &Look<'_>,
    path: &str,
    inside: bool,
    now: Sha,
    hash: Option<Hash>,
) -> Result<(bool, Option<Hash>), Stop> {
    if let Some(hash) = hash {
        let same = if hash.algorithm == Algorithm::Sha256 {
            hex(&now) == hash.digits
        } else {
            let sum = Sum {
                algorithm: hash.algorithm,
                path: path.to_owned(),
            };
            look.get(&sum)?.as_ref() == Some(&hash.digits)
        };
        return Ok((same, Some(hash)));
    }
    let request = args.request();
    // A secret is in no question to a host: the file counts as long as it is what this task put there.
    if request.is_secret() && !args.force && known(look) == Some(now) {
        return Ok((true, None));
    }
    if let Some(got) = here(args, look, &request)? {
        let sha = got.source.digest();
        return Ok((sha == now, Some(sha256(&sha))));
    }
    if request.is_secret() {
        return Ok((false, None));
    }
    let dest = if inside {
        paths::parent(path).unwrap_or("/")
    } else {
        path
    };
    match &look.get(&served(args, dest))?.state {
        State::Same => Ok((true, None)),
        State::Absent => Err(NotYet(format!("what `{}` holds", request.shown())).into()),
        State::Other(sum) => Ok((false, sum.map(|sha| sha256(&sha)))),
        State::Failed(why) => Err(refused(&request, why)),
    }
}

fn sha256(sha: &Sha) -> Hash {
    Hash {
        algorithm: Algorithm::Sha256,
        digits: hex(sha),
    }
}

/// The file as this machine has got it, where the host cannot.
fn here<'a>(args: &Args, look: &Look<'a>, request: &Request) -> Result<Option<&'a Got>, Stop> {
    let hash = hash(args, look, request)?;
    got_here(
        look,
        request,
        hash.as_ref(),
        args.decompress.unwrap_or(true),
    )
}

/// The file is downloaded beside its place, gets its attributes, and takes its place.
fn fresh(
    args: &Args,
    look: &Look<'_>,
    path: &str,
    inside: bool,
    hash: Option<&Hash>,
    old: Option<(Sha, &FileStat)>,
) -> Result<Change, Stop> {
    let request = args.request();
    let got = here(args, look, &request)?;
    let (beside, me) = (beside(path), &look.get(&Whoami)?.account);
    let wanted = args.wanted().fresh(look, 0o666 & !UMASK, false)?;
    let kept = old.map(|(_, stat)| stat);
    let owner = kept.map_or_else(|| me.name.clone(), |stat| stat.uid.to_string());
    let group = kept.map_or_else(|| me.group.clone(), |stat| stat.gid.to_string());
    let mode = match kept {
        Some(stat) => args.wanted().bits(stat).unwrap_or(stat.mode),
        None => wanted.mode.unwrap_or(0o666 & !UMASK),
    };
    let attrs = Attrs {
        owner: wanted.owner.or(Some(owner)),
        group: wanted.group.or(Some(group)),
        mode: Some(mode),
        ..Attrs::default()
    };
    // A server may have changed since it was asked: only a checksum of the task is held.
    let held = hash.filter(|_| args.checksum.is_some());
    let download = Download {
        request: &request,
        to: &beside,
        parts: args.tmp_dest.as_deref(),
        hash: held,
        decompress: args.decompress.unwrap_or(true),
    };
    let before = old.map(|(sha, _)| hex(&sha)[..12].to_owned());
    let digits = got.map(|got| hex(&got.source.digest()));
    let digits = digits.or_else(|| hash.map(|hash| hash.digits.clone()));
    let after = digits.map_or_else(|| request.shown(), |digits| digits[..12].to_owned());
    let mut change = Change::new("content", before, after);
    if let Some((sha, _)) = old
        && args.backup
    {
        change = put::with_backup(change, path, sha);
    }
    let mut place = Step::from(Action::HardLink {
        path: path.to_owned(),
        target: beside.clone(),
    });
    if got.is_none() && !request.is_secret() && args.checksum.is_none() {
        let dest = if inside {
            paths::parent(path).unwrap_or("/")
        } else {
            path
        };
        let name = inside.then(|| paths::name(path).to_owned());
        place = place.effect(Effect::new(
            served(args, dest),
            Serving {
                name,
                state: State::Same,
            },
        ));
    }
    if let Some(hash) = hash
        && hash.algorithm != Algorithm::Sha256
    {
        let sum = Sum {
            algorithm: hash.algorithm,
            path: path.to_owned(),
        };
        place = place.effect(Effect::new(sum, Some(hash.digits.clone())));
    }
    let attrs = Action::Attrs {
        path: beside.clone(),
        attrs,
        follow: false,
        recurse: false,
    };
    Ok(change
        .step(download.step(look)?)
        .step(attrs)
        .step(place)
        .step(Action::Remove { path: beside }))
}
