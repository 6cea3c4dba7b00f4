//! Which files of this machine were looked for while something was evaluated.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    path::{Component, Path, PathBuf},
};

use crate::words::closest;

/// Paths, whole; and whether something was there.
pub(crate) type Looked = BTreeMap<PathBuf, bool>;

thread_local! {
    static LOOKED: RefCell<Option<Looked>> = const { RefCell::new(None) };
}

/// Does something, and says which files of this machine it looked for.
pub(crate) fn noticing<T>(what: impl FnOnce() -> T) -> (T, Looked) {
    let outer = LOOKED.replace(Some(Looked::new()));
    let done = what();
    let looked = LOOKED.replace(outer).unwrap_or_default();
    for (path, there) in &looked {
        note(path, *there);
    }
    (done, looked)
}

/// Notes that a path was looked for.
pub(crate) fn note(path: &Path, there: bool) {
    LOOKED.with_borrow_mut(|looked| {
        if let Some(looked) = looked {
            *looked.entry(whole(path)).or_default() |= there;
        }
    });
}

/// The first of these that is there, noting those that were looked for.
pub(crate) fn first_there(
    candidates: &[PathBuf],
    is_there: impl Fn(&Path) -> bool,
) -> Option<&PathBuf> {
    candidates.iter().find(|path| {
        let there = is_there(path);
        note(path, there);
        there
    })
}

/// What to do where none of these is there: what lies beside them may be meant.
pub(crate) fn instead(name: &str, candidates: &[PathBuf]) -> String {
    let mut looked: Vec<String> = Vec::new();
    for path in candidates {
        let shown = format!("`{}`", path.display());
        if !looked.contains(&shown) {
            looked.push(shown);
        }
    }
    let looked = looked.join(", ");
    let beside: Vec<String> = candidates
        .iter()
        .filter_map(|path| {
            let folder = path.parent()?;
            let here = folder.as_os_str().is_empty();
            std::fs::read_dir(if here { Path::new(".") } else { folder }).ok()
        })
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    let bare = Path::new(name.trim_end_matches('/'));
    let last = bare.file_name().and_then(|name| name.to_str());
    let last = last.unwrap_or(name);
    match closest(last, beside.iter().map(String::as_str)) {
        Some(other) => format!("did you mean `{other}`? Looked for {looked}"),
        None => format!("looked for {looked}"),
    }
}

/// A path from the root, without `.` and `..`. Links are not followed.
pub(crate) fn whole(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut whole = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                whole.pop();
            }
            Component::CurDir => {}
            part => whole.push(part),
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_looked_for_is_told_to_all_who_ask() {
        let (((), inner), outer) = noticing(|| {
            note(Path::new("/a/./b/../c"), false);
            noticing(|| note(Path::new("/d"), true))
        });
        assert_eq!(inner, Looked::from([("/d".into(), true)]));
        assert_eq!(
            outer,
            Looked::from([("/a/c".into(), false), ("/d".into(), true)])
        );
        note(Path::new("/e"), true);
        assert_eq!(noticing(|| ()).1, Looked::new());
    }
}
