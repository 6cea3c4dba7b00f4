//! Which tracks a task takes part in, by what it touches.
//!
//! Who touches a path reads the directories above it, so that a directory comes before what is put
//! into it. Whole trees have two tracks of their own: one where whoever writes all below a
//! directory is alone, one where those who read all of it and those who write something below
//! keep apart.

use std::collections::{BTreeMap, BTreeSet};

use super::{Kind, track::Mode};
use crate::{Identity, Thing, Touches};

/// A track of a host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Slot {
    /// The thing itself.
    Thing(Thing),
    /// All below a directory, for those who write all of it.
    Within(String),
    /// All below a directory, for those who read all of it.
    Reading(String),
}

impl Slot {
    pub(super) fn kind(&self) -> Kind {
        Kind::Conflict(match self {
            Self::Thing(thing) => thing.clone(),
            Self::Within(path) | Self::Reading(path) => Thing::Tree(path.clone()),
        })
    }
}

/// What is written at all on a host: a track that nobody writes to orders nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    written: BTreeSet<String>,
    trees: BTreeSet<String>,
}

impl Known {
    pub(super) fn add(&mut self, touches: &Touches) {
        for thing in &touches.writes {
            if let Thing::Path(path) = thing {
                self.written.insert(normal(path));
            }
        }
        for thing in touches.writes.iter().chain(&touches.reads) {
            if let Thing::Tree(path) = thing {
                self.trees.insert(normal(path));
            }
        }
    }

    /// The tracks of a task that does not touch everything.
    pub(super) fn slots(&self, touches: &Touches) -> BTreeMap<Slot, Mode> {
        let writing = touches.commutes.map_or(Mode::Alone, Mode::Commuting);
        let mut slots = BTreeMap::new();
        let reads = touches.reads.iter().map(|thing| (thing, Mode::Reading));
        let writes = touches.writes.iter().map(|thing| (thing, writing));
        for (thing, mode) in reads.chain(writes) {
            match thing {
                Thing::Path(path) => self.path(&normal(path), mode, false, &mut slots),
                Thing::Tree(path) => self.path(&normal(path), mode, true, &mut slots),
                other => put(&mut slots, Slot::Thing(other.clone()), mode),
            }
        }
        slots
    }

    fn path(&self, path: &str, mode: Mode, tree: bool, slots: &mut BTreeMap<Slot, Mode>) {
        let writes = mode != Mode::Reading;
        for above in ancestors(path) {
            if self.written.contains(above) {
                let slot = Slot::Thing(Thing::Path(above.to_owned()));
                put(slots, slot, Mode::Reading);
            }
            self.below(above, writes, slots);
        }
        if tree {
            put(slots, Slot::Within(path.to_owned()), mode);
            if !writes {
                put(slots, Slot::Reading(path.to_owned()), Mode::Reading);
            }
        } else {
            if self.written.contains(path) {
                put(slots, Slot::Thing(Thing::Path(path.to_owned())), mode);
            }
            self.below(path, writes, slots);
        }
    }

    /// Something at or below `tree` is touched.
    fn below(&self, tree: &str, writes: bool, slots: &mut BTreeMap<Slot, Mode>) {
        if self.trees.contains(tree) {
            put(slots, Slot::Within(tree.to_owned()), Mode::Reading);
            if writes {
                put(slots, Slot::Reading(tree.to_owned()), Mode::Below);
            }
        }
    }
}

fn put(slots: &mut BTreeMap<Slot, Mode>, slot: Slot, mode: Mode) {
    slots
        .entry(slot)
        .and_modify(|old| *old = old.and(mode))
        .or_insert(mode);
}

/// Adds what every task of a kind reads without saying so: becoming a user needs that user and what
/// allows it, and users and groups live in files.
pub(super) fn implied(touches: &mut Touches, identity: &Identity) {
    let path = |path: &str| Thing::Path(path.to_owned());
    let accounts = touches.reads.iter().chain(&touches.writes);
    let mut accounts = accounts.filter(|t| matches!(t, Thing::User(_) | Thing::Group(_)));
    let mut more = Vec::new();
    if let Some(user) = &identity.user {
        more.push(Thing::User(user.clone()));
        more.push(Thing::Tree("/etc/pam.d".to_owned()));
        more.push(Thing::Tree("/etc/sudoers.d".to_owned()));
        more.extend(["/etc/sudoers", "/etc/doas.conf"].map(path));
    }
    if identity.user.is_some() || accounts.next().is_some() {
        let files = [
            "/etc/passwd",
            "/etc/group",
            "/etc/shadow",
            "/etc/login.defs",
        ];
        more.extend(files.map(path));
    }
    touches.reads.append(&mut more);
}

/// A path as it is compared: without `//`, `/./`, `..` and a trailing `/`. Links are not followed.
pub(super) fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(&last) if last != ".." => {
                    parts.pop();
                }
                // Nothing is above `/`; above a relative path there is something.
                _ if path.starts_with('/') => {}
                _ => parts.push(part),
            },
            part => parts.push(part),
        }
    }
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

/// The directories above a normal path, nearest first.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(parent(path), |path| parent(path))
}

fn parent(path: &str) -> Option<&str> {
    match path.rfind('/')? {
        0 if path.len() == 1 => None,
        0 => Some("/"),
        at => Some(&path[..at]),
    }
}
