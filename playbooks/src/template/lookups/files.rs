//! Files of this machine: by pattern, the first of several, what they hold.

use std::path::{Path, PathBuf};

use evenkeel_engine::Value;

use super::{Around, Trouble, lists};
use crate::looked;

/// Where a name may lead: below each folder first in the one for such files.
pub(super) fn candidates(name: &str, around: &Around<'_>) -> Vec<PathBuf> {
    let home = std::env::var("HOME").ok();
    let path = match (name.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(name),
    };
    if path.is_absolute() {
        return vec![path];
    }
    let below = |folder: &PathBuf| [folder.join(around.kind).join(&path), folder.join(&path)];
    around.folders.iter().flat_map(below).collect()
}

fn absolute(path: &Path) -> Value {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    whole.to_string_lossy().as_ref().into()
}

/// The files that fit a pattern, by name.
pub(super) fn glob(pattern: &str, around: &Around<'_>) -> Vec<Value> {
    let (folder, last) = pattern.rsplit_once('/').map_or(("", pattern), |(f, l)| {
        (if f.is_empty() { "/" } else { f }, l)
    });
    let places = candidates(folder, around);
    // With a folder in the pattern only the first that there is counts.
    let places = if folder.is_empty() {
        places
    } else {
        places
            .into_iter()
            .filter(|place| place.is_dir())
            .take(1)
            .collect()
    };
    for place in places {
        // What comes into it changes what fits.
        looked::note(&place, place.is_dir());
        let entries = std::fs::read_dir(&place).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| fits(last, name) && place.join(name).is_file())
            .collect();
        if !names.is_empty() {
            names.sort_unstable();
            return names
                .iter()
                .map(|name| absolute(&place.join(name)))
                .collect();
        }
    }
    Vec::new()
}

/// Whether a name fits a pattern of the shell; a leading dot has to be written.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    // How far the pattern and the name had come at the last star.
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
                continue;
            }
            Some('?') => {
                (p, n) = (p + 1, n + 1);
                continue;
            }
            Some('[') => {
                if let Some((fits, next)) = class(&pattern, p, name[n])
                    && fits
                {
                    (p, n) = (next, n + 1);
                    continue;
                }
                if class(&pattern, p, name[n]).is_none() && name[n] == '[' {
                    (p, n) = (p + 1, n + 1);
                    continue;
                }
            }
            Some(letter) if *letter == name[n] => {
                (p, n) = (p + 1, n + 1);
                continue;
            }
            _ => {}
        }
        let Some((at, from)) = star else { return false };
        (p, n) = (at + 1, from + 1);
        star = Some((at, n));
    }
    pattern[p..].iter().all(|letter| *letter == '*')
}

/// Whether a letter is of the class that begins at `[`, and where the class ends; nothing if it has no end.
fn class(pattern: &[char], at: usize, letter: char) -> Option<(bool, usize)> {
    let mut p = at + 1;
    let not = pattern.get(p) == Some(&'!');
    p += usize::from(not);
    let first = p;
    let mut found = false;
    loop {
        let from = *pattern.get(p)?;
        if from == ']' && p > first {
            return Some((found != not, p + 1));
        }
        if pattern.get(p + 1) == Some(&'-') && pattern.get(p + 2).is_some_and(|to| *to != ']') {
            found |= (from..=pattern[p + 2]).contains(&letter);
            p += 3;
        } else {
            found |= from == letter;
            p += 1;
        }
    }
}

/// Where a file is that has to be there.
pub(crate) fn found(name: &str, around: &Around<'_>) -> Result<PathBuf, Trouble> {
    let candidates = candidates(name, around);
    if let Some(found) = looked::first_there(&candidates, Path::is_file) {
        return Ok(found.clone());
    }
    let looked: Vec<String> = candidates
        .iter()
        .map(|path| format!("`{}`", path.display()))
        .collect();
    Err(Trouble::wrong(
        format!("there is no file `{name}` on this machine"),
        format!("looked for {}", looked.join(", ")),
    ))
}

/// What a file holds, without white space at its end.
pub(super) fn contents(name: &str, around: &Around<'_>) -> Result<Vec<Value>, Trouble> {
    let path = &found(name, around)?;
    if crate::files::is_vault(path) {
        return Err(Trouble::wrong(
            format!("`{name}` is of a vault"),
            "`loop:` over names, with `lookup('file', item)` in the task: that reads it",
        ));
    }
    let text = std::fs::read_to_string(path).map_err(|error| {
        Trouble::wrong(
            format!("cannot read `{}`: {error}", path.display()),
            "it has to be a text that may be read",
        )
    })?;
    Ok(vec![text.trim_end().into()])
}

/// Names that are looked for in turn.
#[derive(Debug, Default)]
struct Search {
    names: Vec<Result<String, evenkeel_engine::NotYet>>,
    skip: bool,
}

/// `with_first_found`: the first of these files that there is.
pub(super) fn first(value: Value, around: &Around<'_>) -> Result<Vec<Value>, Trouble> {
    let mut search = Search::default();
    search.add(value)?;
    for name in &search.names {
        let name = match name {
            Ok(name) => name,
            Err(what) => return Err(Trouble::NotYet(what.clone())),
        };
        let candidates = candidates(name, around);
        if let Some(found) = looked::first_there(&candidates, Path::exists) {
            return Ok(vec![absolute(found)]);
        }
    }
    if search.skip {
        return Ok(Vec::new());
    }
    let names: Vec<String> = search
        .names
        .iter()
        .flatten()
        .map(|name| format!("`{name}`"))
        .collect();
    Err(Trouble::wrong(
        format!("of these files there is none: {}", names.join(", ")),
        "add one that is always there, or `skip: true`",
    ))
}

impl Search {
    fn add(&mut self, term: Value) -> Result<(), Trouble> {
        match term {
            Value::Seq(terms) => terms.into_iter().try_for_each(|term| self.add(term)),
            Value::NotYet(what) => {
                self.names.push(Err(what));
                Ok(())
            }
            Value::Map(map) => {
                for key in map.keys() {
                    if !["files", "paths", "skip"].contains(&key.as_str()) {
                        let message = format!("`with_first_found` has no `{key}`");
                        return Err(Trouble::wrong(
                            message,
                            "there are `files`, `paths` and `skip`",
                        ));
                    }
                }
                if let Some(skip) = map.get("skip") {
                    let text = skip.as_text().unwrap_or_default().to_lowercase();
                    self.skip |= matches!(text.as_str(), "true" | "yes" | "on" | "1" | "y" | "t");
                }
                let files = split(map.get("files"), &[',', ';'])?;
                let paths = split(map.get("paths"), &[',', ':', ';'])?;
                if paths.is_empty() {
                    self.names.extend(files);
                } else {
                    for path in paths {
                        for file in &files {
                            self.names.push(match (&path, file) {
                                (Ok(path), Ok(file)) => {
                                    Ok(Path::new(path).join(file).to_string_lossy().into_owned())
                                }
                                (Err(what), _) | (_, Err(what)) => Err(what.clone()),
                            });
                        }
                    }
                }
                Ok(())
            }
            other => {
                let names = split(Some(&other), &[',', ';'])?;
                self.names.extend(names);
                Ok(())
            }
        }
    }
}

/// Names of a list, or of a text in which they are parted.
fn split(
    value: Option<&Value>,
    marks: &[char],
) -> Result<Vec<Result<String, evenkeel_engine::NotYet>>, Trouble> {
    let Some(value) = value else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for item in
        lists::open(Value::Seq(vec![value.clone()]), None).or_else(|trouble| match trouble {
            Trouble::NotYet(what) => Ok(vec![Value::NotYet(what)]),
            wrong @ Trouble::Wrong(..) => Err(wrong),
        })?
    {
        match item {
            Value::NotYet(what) => found.push(Err(what)),
            other => {
                let text = other.as_text().ok_or_else(|| {
                    let message = format!("a file's name is a text, found {}", other.kind());
                    Trouble::wrong(message, "write names of files")
                })?;
                let names = text.split(marks).map(str::trim);
                found.extend(
                    names
                        .filter(|name| !name.is_empty())
                        .map(|name| Ok(name.to_owned())),
                );
            }
        }
    }
    Ok(found)
}
