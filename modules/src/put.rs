//! A file with a known content put in its place: what `copy`, `file-template` and `lineinfile`
//! have in common.

use evenkeel_engine::{
    Action, Change, Content, Diff, Effect, NotYet, Refusal, Sha, Stop, Write, hex,
    probes::{Contents, Digest, FileStat, Kind, Stat},
};

use crate::{
    attributes::{self, Wanted},
    look::Look,
    paths,
};

/// How a file is put in its place.
#[derive(Clone, Debug)]
pub(crate) struct Put<'a> {
    pub(crate) wanted: Wanted<'a>,
    /// Whether an existing file with another content is replaced.
    pub(crate) force: bool,
    pub(crate) backup: bool,
    pub(crate) validate: Option<Vec<String>>,
}

impl Put<'_> {
    /// Notes the questions about a path that may be the file's.
    pub(crate) fn ask(look: &Look<'_>, path: &str) {
        look.ask(&Stat(path.to_owned()));
        look.ask(&Digest(path.to_owned()));
        attributes::ask_parent(look, path);
    }

    /// The changes that bring the content to its place.
    pub(crate) fn changes(
        &self,
        look: &Look<'_>,
        target: &Target,
        content: &Result<Content, NotYet>,
    ) -> Result<Vec<Change>, Stop> {
        let mut changes = self.direct(look, target, content)?;
        if target.path != target.asked {
            // What is seen through a link changes with what it leads to.
            for step in changes.iter_mut().flat_map(|change| &mut change.steps) {
                if let Action::Write(write) = &step.action {
                    let seen = target.asked.clone();
                    let digest = Some(write.content.digest());
                    step.effects.push(Effect::new(Digest(seen.clone()), digest));
                    let why = format!("what `{seen}` holds then");
                    step.effects.push(Effect::unknown(Contents(seen), why));
                }
            }
        }
        Ok(changes)
    }

    fn direct(
        &self,
        look: &Look<'_>,
        target: &Target,
        content: &Result<Content, NotYet>,
    ) -> Result<Vec<Change>, Stop> {
        let path = target.path.as_str();
        look.ask(&Digest(path.to_owned()));
        let Some(stat) = look.get(&Stat(path.to_owned()))? else {
            attributes::ask_parent(look, path);
            if target.missing.is_empty() {
                attributes::parent_exists(look, path)?;
            }
            return Ok(vec![self.fresh(look, path, content.clone()?)?]);
        };
        match stat.kind {
            _ if !self.force => Ok(Vec::new()),
            Kind::File => self.existing(look, path, stat, content.clone()?),
            Kind::Link(_) => {
                let change = self.fresh(look, path, content.clone()?)?;
                let remove = Action::Remove {
                    path: path.to_owned(),
                };
                let steps = std::iter::once(remove.into()).chain(change.steps).collect();
                Ok(vec![Change { steps, ..change }])
            }
            _ => Err(refuse_kind(path, stat)),
        }
    }

    fn fresh(&self, look: &Look<'_>, path: &str, content: Content) -> Result<Change, NotYet> {
        let attrs = self
            .wanted
            .fresh(look, 0o666 & !crate::mode::UMASK, false)?;
        Ok(shown(path, false, &content).step(Action::Write(Write {
            path: path.to_owned(),
            content,
            attrs,
            if_was: Some(None),
            validate: self.validate.clone(),
            new_mode: None,
        })))
    }

    pub(crate) fn existing(
        &self,
        look: &Look<'_>,
        path: &str,
        stat: &FileStat,
        content: Content,
    ) -> Result<Vec<Change>, Stop> {
        let now = look
            .get(&Digest(path.to_owned()))?
            .ok_or_else(|| NotYet(format!("what `{path}` holds")))?;
        if now == content.digest() {
            return Ok(self.wanted.changes(look, path, stat)?);
        }
        let mut change = shown(path, true, &content);
        if self.backup {
            change = with_backup(change, path, now);
        }
        change = change.step(Action::Write(Write {
            path: path.to_owned(),
            content,
            attrs: self.wanted.attrs(self.wanted.bits(stat)),
            if_was: Some(Some(now)),
            validate: self.validate.clone(),
            new_mode: None,
        }));
        // The new file comes with the right attributes: there are no steps of their own.
        let others = self.wanted.differences(look, stat)?;
        let others = others.into_iter().map(attributes::Difference::change);
        Ok(std::iter::once(change).chain(others).collect())
    }
}

fn refuse_kind(path: &str, stat: &FileStat) -> Stop {
    let kind = attributes::kind_name(&stat.kind);
    Stop::refused(format!("`{path}` is not a file: {kind}"))
}

/// Copies the old file beside it before it changes, and tells where.
pub(crate) fn with_backup(change: Change, path: &str, now: Sha) -> Change {
    let to = backup_of(path, now);
    let from = path.to_owned();
    change
        .telling("backup_file", to.as_str())
        .step(Action::Copy { from, to })
}

/// The copy is named by what it holds: the same content is kept only once, and the name is known beforehand.
pub(crate) fn backup_of(path: &str, now: Sha) -> String {
    format!("{path}.{}~", &hex(&now)[..12])
}

/// How much is written, and that there was something else; the diff shows what.
fn shown(path: &str, existed: bool, content: &Content) -> Change {
    let after = match content.len() {
        _ if content.is_secret() => evenkeel_engine::MASK.to_owned(),
        1 => "1 byte".to_owned(),
        bytes => format!("{bytes} bytes"),
    };
    let before = if content.is_secret() {
        evenkeel_engine::MASK
    } else {
        "other content"
    };
    let before = existed.then_some(before);
    Change::new("content", before, after).diff(Diff::File {
        path: path.to_owned(),
        after: content.clone(),
    })
}

/// Where a file goes.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The file's path.
    pub(crate) path: String,
    /// The path that was asked about: a link to it, or the same.
    pub(crate) asked: String,
    /// Directories to be made before, nearest first.
    pub(crate) missing: Vec<String>,
}

/// Finds the path: inside `dest` if that is a directory (or ends in a slash) and the source has a
/// name; at the end of the links with `follow`.
pub(crate) fn target(
    look: &Look<'_>,
    dest: &str,
    name: Option<&str>,
    follow: bool,
) -> Result<Target, Stop> {
    let path = paths::absolute(dest, look)?;
    Put::ask(look, &path);
    let inside = name.map(|name| paths::join(&path, name));
    if let Some(inside) = &inside {
        Put::ask(look, inside);
    }
    if dest.ends_with('/') {
        paths::ancestors(&path).for_each(|dir| look.ask(&Stat(dir.to_owned())));
    }
    let ask = |end: &str| {
        if follow {
            look.ask(&Digest(end.to_owned()));
        }
    };
    let end = paths::follow_asking(&path, look, ask)?;
    let kind = look
        .get(&Stat(end.clone()))?
        .as_ref()
        .map(|stat| &stat.kind);
    let (found, missing) = match (kind, inside) {
        (Some(Kind::Directory), None) => {
            return Err(Refusal::new(format!("`{path}` is a directory"))
                .help("name the file that is to hold the content")
                .into());
        }
        (Some(Kind::Directory), Some(inside)) => (inside, Vec::new()),
        (None, Some(inside)) if dest.ends_with('/') => (inside, missing_levels(look, &end)?),
        (Some(_), Some(_)) if dest.ends_with('/') => {
            return Err(Stop::refused(format!("`{path}` is not a directory")));
        }
        _ => (path, Vec::new()),
    };
    let path = if follow {
        paths::follow_asking(&found, look, ask)?
    } else {
        found.clone()
    };
    Ok(Target {
        path,
        asked: found,
        missing,
    })
}

/// A directory and those above it that do not exist, nearest first.
pub(crate) fn missing_levels(look: &Look<'_>, dir: &str) -> Result<Vec<String>, NotYet> {
    let mut missing = Vec::new();
    for level in std::iter::once(dir).chain(paths::ancestors(dir)) {
        if look.get(&Stat(level.to_owned()))?.is_some() {
            break;
        }
        missing.push(level.to_owned());
    }
    Ok(missing)
}

/// Splits the command of `validate`.
pub(crate) fn validator(text: &str) -> Result<Vec<String>, Refusal> {
    let argv = shlex::split(text).filter(|argv| !argv.is_empty());
    let argv = argv.ok_or_else(|| {
        Refusal::new(format!(
            "`validate: {text}` is no command: a quote is not closed"
        ))
    })?;
    if !argv.iter().any(|word| word.contains("%s")) {
        return Err(Refusal::new(format!("`validate: {text}` has no `%s`"))
            .help("`%s` stands for the path of the new file"));
    }
    Ok(argv)
}
