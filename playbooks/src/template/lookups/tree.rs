//! `filetree`: all that is below folders of this machine, with how it is there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, Metadata},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use evenkeel_engine::{Map, Value};

use super::{Around, Trouble, files::candidates};
use crate::looked;

/// How much may be below them.
const MOST: usize = 100_000;

/// Folders of several terms are laid over each other: of what is in more than one, the first counts.
pub(super) fn below(terms: &[String], around: &Around<'_>) -> Result<Vec<Value>, Trouble> {
    let (users, groups) = (names("/etc/passwd"), names("/etc/group"));
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    for term in terms {
        let places = candidates(term.trim_end_matches('/'), around);
        let Some(root) = looked::first_there(&places, Path::is_dir) else {
            continue;
        };
        // As it is written, with the slash at its end.
        let slash = if term.ends_with('/') { "/" } else { "" };
        let shown = format!("{}{slash}", root.display());
        for (path, about) in walk(root)? {
            let Ok(below) = path.strip_prefix(root) else {
                continue;
            };
            let below = below.to_string_lossy().into_owned();
            if seen.contains(&below) {
                continue;
            }
            if let Some(mut item) = described(&path, &about, (&users, &groups)) {
                item.insert("root".to_owned(), shown.as_str().into());
                item.insert("path".to_owned(), below.as_str().into());
                seen.insert(below);
                found.push(Value::Map(item));
            }
        }
    }
    Ok(found)
}

/// Folder by folder: first the folders in it, then its files; links are not followed.
fn walk(root: &Path) -> Result<Vec<(PathBuf, Metadata)>, Trouble> {
    let mut found = Vec::new();
    let mut next = vec![root.to_owned()];
    while let Some(folder) = next.pop() {
        // What comes into it changes what is found.
        looked::note(&folder, true);
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        paths.sort_unstable();
        let (folders, files): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| path.is_dir());
        let is_real = |path: &&PathBuf| !path.is_symlink();
        next.extend(folders.iter().rev().filter(is_real).cloned());
        for path in folders.into_iter().chain(files) {
            // It may be gone since.
            if let Ok(about) = path.symlink_metadata() {
                found.push((path, about));
            }
        }
        if found.len() > MOST {
            return Err(Trouble::wrong(
                format!(
                    "below `{}` there are more than {MOST} files",
                    root.display()
                ),
                "name a folder that is smaller",
            ));
        }
    }
    Ok(found)
}

/// What is said of it; nothing of what is neither file, folder nor link.
fn described(
    path: &Path,
    about: &Metadata,
    (users, groups): (&BTreeMap<u32, String>, &BTreeMap<u32, String>),
) -> Option<Map> {
    let kind = about.file_type();
    let (state, src) = if kind.is_symlink() {
        ("link", Some(text(&fs::read_link(path).ok()?)))
    } else if kind.is_dir() {
        ("directory", None)
    } else if kind.is_file() {
        ("file", Some(text(path)))
    } else {
        return None;
    };
    let name = |names: &BTreeMap<u32, String>, id: u32| match names.get(&id) {
        Some(name) => Value::from(name.as_str()),
        None => Value::Int(id.into()),
    };
    let mut item = Map::new();
    let mut add = |name: &str, value: Value| item.insert(name.to_owned(), value);
    add("state", state.into());
    if let Some(src) = src {
        add("src", src);
    }
    add("uid", Value::Int(about.uid().into()));
    add("gid", Value::Int(about.gid().into()));
    add("owner", name(users, about.uid()));
    add("group", name(groups, about.gid()));
    add("mode", format!("0{:03o}", about.mode() & 0o7777).into());
    add(
        "size",
        i64::try_from(about.size()).map_or(Value::Null, Value::Int),
    );
    add(
        "mtime",
        Value::Float(time(about.mtime(), about.mtime_nsec())),
    );
    add(
        "ctime",
        Value::Float(time(about.ctime(), about.ctime_nsec())),
    );
    Some(item)
}

#[expect(clippy::cast_precision_loss, reason = "a float is what is wanted")]
fn time(seconds: i64, nanos: i64) -> f64 {
    seconds as f64 + nanos as f64 / 1e9
}

fn text(path: &Path) -> Value {
    path.to_string_lossy().as_ref().into()
}

/// Names by number.
fn names(file: &str) -> BTreeMap<u32, String> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let one = |line: &str| {
        let mut parts = line.split(':');
        let name = parts.next()?.to_owned();
        Some((parts.nth(1)?.parse().ok()?, name))
    };
    // Of several with one number the first is meant.
    text.lines().rev().filter_map(one).collect()
}
