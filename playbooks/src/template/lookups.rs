//! What loops of the old form (`with_…`) and `lookup` find.

pub(in crate::template) mod csv;
pub(in crate::template) mod files;
mod hosts;
pub(in crate::template) mod ini;
mod lists;
mod sequence;
mod tree;

use std::path::PathBuf;

use evenkeel_engine::{NotYet, Value};

use crate::ast::LoopKind;

/// Lookups by name, as they are behind `with_`.
pub(crate) const KINDS: [(&str, LoopKind); 16] = [
    ("cartesian", LoopKind::Nested),
    ("dict", LoopKind::Dict),
    ("env", LoopKind::Env),
    ("file", LoopKind::File),
    ("fileglob", LoopKind::FileGlob),
    ("filetree", LoopKind::FileTree),
    ("first_found", LoopKind::FirstFound),
    ("flattened", LoopKind::Flattened),
    ("indexed_items", LoopKind::IndexedItems),
    ("inventory_hostnames", LoopKind::Hostnames),
    ("items", LoopKind::Items),
    ("list", LoopKind::List),
    ("nested", LoopKind::Nested),
    ("sequence", LoopKind::Sequence),
    ("subelements", LoopKind::Subelements),
    ("together", LoopKind::Together),
];

/// Lookups that read what only the evaluation of an expression has: loops of them go over what `query` gives.
pub(crate) const ALONE: [&str; 11] = [
    "csvfile",
    "ini",
    "lines",
    "password",
    "pipe",
    "random_choice",
    "template",
    "unvault",
    "url",
    "varnames",
    "vars",
];

/// Those of Ansible that are not here, with what does the same.
const MISSING: [(&str, &str); 1] = [(
    "config",
    "settings of Ansible are not read here; variables say what some of them do: `ansible_user` (DEFAULT_REMOTE_USER), \
     `ansible_connection` (DEFAULT_TRANSPORT), `inventory_file` (DEFAULT_HOST_LIST), `ansible_verbosity` (DEFAULT_VERBOSITY), \
     `lookup('env', …)` what an environment has; else write the value",
)];

/// What to do instead of a lookup that is not here.
pub(crate) fn instead(name: &str) -> Option<&'static str> {
    let mut found = MISSING.iter().filter(|(missing, _)| *missing == name);
    found.next().map(|(_, instead)| *instead)
}

/// Why there are no items.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// They come later.
    NotYet(NotYet),
    /// What is wrong, and what to do.
    Wrong(String, String),
}

impl Trouble {
    fn wrong(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Wrong(message.into(), help.into())
    }
}

/// Where lookups look.
#[derive(Debug)]
pub(crate) struct Around<'a> {
    /// Folders of this machine.
    pub(crate) folders: &'a [PathBuf],
    /// The folder below each of them that comes first: `files`, `templates`, `vars`.
    pub(crate) kind: &'a str,
    /// Groups of the inventory, with their hosts.
    pub(crate) groups: &'a [(String, Vec<String>)],
}

/// The items.
pub(crate) fn of(kind: LoopKind, value: Value, around: &Around<'_>) -> Result<Vec<Value>, Trouble> {
    match kind {
        LoopKind::Sequence => each(value, |term| sequence::of(&text(kind, term)?)),
        LoopKind::FileGlob => each(value, |term| Ok(files::glob(&text(kind, term)?, around))),
        LoopKind::File => each(value, |term| files::contents(&text(kind, term)?, around)),
        LoopKind::FileTree => {
            let terms = lists::open(value, Some(0))?;
            let terms: Result<Vec<String>, _> = terms.iter().map(|term| text(kind, term)).collect();
            tree::below(&terms?, around)
        }
        LoopKind::FirstFound => files::first(value, around),
        LoopKind::Env => each(value, |term| {
            let name = text(kind, term)?;
            Ok(vec![std::env::var(name).unwrap_or_default().into()])
        }),
        LoopKind::Hostnames => each(value, |term| hosts::of(&text(kind, term)?, around)),
        _ => lists::of(kind, value),
    }
}

/// What each term gives, one after the other; a scalar is one term.
fn each(
    value: Value,
    find: impl Fn(&Value) -> Result<Vec<Value>, Trouble>,
) -> Result<Vec<Value>, Trouble> {
    let mut found = Vec::new();
    for term in lists::open(value, Some(0))? {
        found.extend(find(&term)?);
    }
    Ok(found)
}

/// A term that is a text.
fn text(kind: LoopKind, term: &Value) -> Result<String, Trouble> {
    match term {
        Value::NotYet(what) => Err(Trouble::NotYet(what.clone())),
        Value::Secret(secret) => Ok(String::from_utf8_lossy(secret.reveal()).into_owned()),
        other => other.as_text().ok_or_else(|| {
            Trouble::wrong(
                format!("{} wants texts, found {}", name(kind), other.kind()),
                "write a text, or a list of texts",
            )
        }),
    }
}

/// What a kind is called.
fn name(kind: LoopKind) -> String {
    let mut found = KINDS.iter().filter(|(_, known)| *known == kind);
    let name = match kind {
        LoopKind::Query(name) => name,
        _ => found.next().map_or("loop", |(name, _)| name),
    };
    format!("`with_{name}`")
}

#[cfg(test)]
mod tests;
