//! What a fake host is made of: paths, accounts and what tests noted.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{answers::Answers, programs::Programs};
use crate::{
    effects::paths::{below, joined, parent},
    keep::KeptPlace,
    probes::{Account, FileStat, Kind},
    source::{Sha, sha256},
    thing::Thing,
};

/// A machine in memory. Programs of a test get it to change it, assertions to look at it.
///
/// Links on the way to a path are followed; permissions are not checked.
#[derive(Clone)]
pub struct World {
    /// Paths without links in them.
    names: BTreeMap<String, u64>,
    nodes: BTreeMap<u64, Node>,
    users: BTreeMap<String, (Account, String)>,
    groups: BTreeMap<String, u32>,
    notes: BTreeMap<String, String>,
    /// Files of it that are kept on the machine of the controller, where a test has no run that
    /// keeps them.
    pub(super) kept: BTreeMap<KeptPlace, Vec<u8>>,
    /// What this machine can download for it, by address.
    pub(super) served: BTreeMap<String, Vec<u8>>,
    next_inode: u64,
    clock: i64,
    pub(super) actor: Account,
    pub(super) programs: Programs,
    pub(super) answers: Answers,
}

/// What an inode holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) body: Body,
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) atime: i64,
    pub(super) mtime: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Body {
    File(Vec<u8>),
    /// A file of which only the digest was stated.
    Opaque(Sha),
    Directory,
    Link(String),
    Other(u32),
}

/// Whether the last part of a path is followed if it is a link.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    Follow,
    Keep,
}

const MAX_LINKS: usize = 40;
const NO_ENTRY: &str = "No such file or directory";
const NOT_DIRECTORY: &str = "Not a directory";

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.names.iter().map(|(p, n)| (p, &self.nodes[n])))
            .finish()
    }
}

impl World {
    pub(super) fn new() -> Self {
        let root = Account {
            name: "root".to_owned(),
            uid: 0,
            group: "root".to_owned(),
            gid: 0,
        };
        let mut world = Self {
            names: BTreeMap::new(),
            nodes: BTreeMap::new(),
            users: BTreeMap::from([("root".to_owned(), (root.clone(), "/root".to_owned()))]),
            groups: BTreeMap::from([("root".to_owned(), 0)]),
            notes: BTreeMap::new(),
            kept: BTreeMap::new(),
            served: BTreeMap::new(),
            next_inode: 2,
            clock: 1_000_000,
            actor: root,
            programs: Programs::default(),
            answers: Answers::default(),
        };
        world.place("/", Body::Directory, 0o755);
        for dir in ["/etc", "/home", "/opt", "/root", "/usr/bin", "/var/lib"] {
            world.dirs(dir);
        }
        world.dirs("/tmp");
        world.chmod("/tmp", 0o1777);
        world
    }

    /// The bytes of a file.
    pub fn read(&self, path: &str) -> Option<&[u8]> {
        match &self.node(path, Last::Follow)?.body {
            Body::File(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The bytes of a file of it that is kept on the machine of the controller; for tests without a
    /// run, which keeps such files elsewhere.
    pub fn kept(&self, place: &KeptPlace) -> Option<&[u8]> {
        self.kept.get(place).map(Vec::as_slice)
    }

    /// The text of a file.
    pub fn text(&self, path: &str) -> Option<String> {
        Some(String::from_utf8_lossy(self.read(path)?).into_owned())
    }

    /// What a path is, links not followed.
    pub fn stat(&self, path: &str) -> Option<FileStat> {
        let node = self.node(path, Last::Keep)?;
        let unknown = || "UNKNOWN".to_owned();
        Some(FileStat {
            kind: match &node.body {
                Body::File(_) | Body::Opaque(_) => Kind::File,
                Body::Directory => Kind::Directory,
                Body::Link(target) => Kind::Link(target.clone()),
                Body::Other(bits) => Kind::Other(*bits),
            },
            mode: node.mode,
            uid: node.uid,
            gid: node.gid,
            owner: self.user_by_id(node.uid).map_or_else(unknown, |a| a.name),
            group: self.group_by_id(node.gid).unwrap_or_else(unknown),
        })
    }

    /// Whether there is something at a path, were it a dangling link.
    pub fn exists(&self, path: &str) -> bool {
        self.node(path, Last::Keep).is_some()
    }

    /// Whether a path is a directory or leads to one.
    pub fn is_dir(&self, path: &str) -> bool {
        self.node(path, Last::Follow)
            .is_some_and(|node| node.body == Body::Directory)
    }

    /// All paths.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }

    /// Writes a file in place, as a program does; a new one belongs to who runs it. Directories
    /// above it are made.
    pub fn write(&mut self, path: &str, bytes: impl AsRef<[u8]>) {
        if let Some(dir) = parent(path) {
            self.dirs(dir);
        }
        let path = self.place_of(path, Last::Follow);
        let (bytes, now) = (bytes.as_ref().to_vec(), self.clock);
        match self.names.get(&path).copied() {
            Some(inode) => {
                let node = self.nodes.get_mut(&inode).expect("BUG: no inode");
                node.body = Body::File(bytes);
                node.mtime = now;
            }
            None => self.place(&path, Body::File(bytes), 0o644),
        }
    }

    /// Makes a directory and those above it.
    pub fn dirs(&mut self, path: &str) {
        if path == "/" || self.is_dir(path) {
            return;
        }
        if let Some(dir) = parent(path) {
            self.dirs(dir);
        }
        let path = self.place_of(path, Last::Follow);
        self.place(&path, Body::Directory, 0o755);
    }

    /// Makes a symbolic link, in the place of what is there.
    pub fn link(&mut self, path: &str, target: &str) {
        if let Some(dir) = parent(path) {
            self.dirs(dir);
        }
        let path = self.place_of(path, Last::Keep);
        self.place(&path, Body::Link(target.to_owned()), 0o777);
    }

    /// Removes a path and all below it.
    pub fn remove(&mut self, path: &str) {
        let Ok(path) = self.walk(path, Last::Keep) else {
            return;
        };
        let gone: Vec<_> = self
            .names
            .keys()
            .filter(|name| below(name, &path))
            .cloned()
            .collect();
        let inodes: Vec<_> = gone
            .iter()
            .filter_map(|name| self.names.remove(name))
            .collect();
        if !gone.is_empty() {
            self.touch_parent(&path);
            self.drop_unnamed(inodes);
        }
    }

    /// Sets permission bits.
    pub fn chmod(&mut self, path: &str, mode: u32) {
        if let Some(node) = self.node_mut(path, Last::Follow) {
            node.mode = mode;
        }
    }

    /// Sets owner and group by number.
    pub fn chown(&mut self, path: &str, uid: u32, gid: u32) {
        if let Some(node) = self.node_mut(path, Last::Keep) {
            (node.uid, node.gid) = (uid, gid);
        }
    }

    /// Adds a user with a group of the same name and number, and `/home/NAME` (which is not made)
    /// as its home.
    pub fn add_user(&mut self, name: &str, uid: u32) {
        self.groups.entry(name.to_owned()).or_insert(uid);
        let account = Account {
            name: name.to_owned(),
            uid,
            group: name.to_owned(),
            gid: uid,
        };
        self.set_account(account);
    }

    pub(super) fn set_account(&mut self, account: Account) {
        self.groups
            .entry(account.group.clone())
            .or_insert(account.gid);
        let home = format!("/home/{}", account.name);
        self.users.insert(account.name.clone(), (account, home));
    }

    /// Removes a user.
    pub fn remove_user(&mut self, name: &str) {
        self.users.remove(name);
    }

    /// Adds a group.
    pub fn add_group(&mut self, name: &str, gid: u32) {
        self.groups.insert(name.to_owned(), gid);
    }

    /// Removes a group.
    pub fn remove_group(&mut self, name: &str) {
        self.groups.remove(name);
    }

    /// A user by name or number.
    pub fn user(&self, name: &str) -> Option<Account> {
        let by_name = self.users.get(name).map(|(account, _)| account.clone());
        by_name.or_else(|| self.user_by_id(name.parse().ok()?))
    }

    /// A group by name or number: its name and number.
    pub fn group(&self, name: &str) -> Option<(String, u32)> {
        let by_name = self.groups.get(name).map(|gid| (name.to_owned(), *gid));
        by_name.or_else(|| {
            let gid = name.parse().ok()?;
            Some((self.group_by_id(gid)?, gid))
        })
    }

    /// The home of a user.
    pub fn home(&self, user: &str) -> Option<&str> {
        self.users.get(user).map(|(_, home)| home.as_str())
    }

    /// Notes something that is no path and no account, for programs and probes of tests.
    pub fn note(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.notes.insert(key.into(), value.into());
    }

    /// Forgets what was noted.
    pub fn forget(&mut self, key: &str) {
        self.notes.remove(key);
    }

    /// What was noted.
    pub fn noted(&self, key: &str) -> Option<&str> {
        self.notes.get(key).map(String::as_str)
    }

    /// Who acts now.
    pub fn me(&self) -> &Account {
        &self.actor
    }

    /// Seconds since 1970, as this host counts them: one for each step.
    pub fn now(&self) -> i64 {
        self.clock
    }

    /// The paths that are not what they were in `before`: made, removed, replaced, written or
    /// given other attributes. A directory does not change by what is made in it.
    pub fn changed_since(&self, before: &Self) -> Vec<String> {
        let names: BTreeSet<_> = self.names.keys().chain(before.names.keys()).collect();
        let inode = |world: &Self, name: &str| {
            let inode = *world.names.get(name)?;
            let node = world.nodes[&inode].clone();
            let mtime = (node.body != Body::Directory).then_some(node.mtime);
            Some((inode, node.body, node.mode, node.uid, node.gid, mtime))
        };
        names
            .into_iter()
            .filter(|name| inode(self, name) != inode(before, name))
            .cloned()
            .collect()
    }

    /// The users and groups that are not what they were in `before`.
    pub fn accounts_changed_since(&self, before: &Self) -> Vec<Thing> {
        let users: BTreeSet<_> = self.users.keys().chain(before.users.keys()).collect();
        let users = users
            .into_iter()
            .filter(|name| self.users.get(*name) != before.users.get(*name))
            .map(|name| Thing::User(name.clone()));
        let groups: BTreeSet<_> = self.groups.keys().chain(before.groups.keys()).collect();
        let groups = groups
            .into_iter()
            .filter(|name| self.groups.get(*name) != before.groups.get(*name))
            .map(|name| Thing::Group(name.clone()));
        users.chain(groups).collect()
    }

    /// In what the state of this world differs from another: paths with contents, owners and
    /// modes, accounts, notes and answers, but neither inodes nor times.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let state = |world: &Self| {
            let mut all = BTreeMap::new();
            for name in world.names.keys() {
                let node = &world.nodes[&world.names[name]];
                let text = match &node.body {
                    Body::File(bytes) => format!("{:?}", String::from_utf8_lossy(bytes)),
                    body => format!("{body:?}"),
                };
                let Node { mode, uid, gid, .. } = node;
                all.insert(format!("`{name}`"), format!("{text} {mode:o} {uid}:{gid}"));
            }
            for (name, user) in &world.users {
                all.insert(format!("user `{name}`"), format!("{user:?}"));
            }
            for (name, gid) in &world.groups {
                all.insert(format!("group `{name}`"), gid.to_string());
            }
            for (place, bytes) in &world.kept {
                let text = String::from_utf8_lossy(bytes).into_owned();
                all.insert(format!("kept `{}`", place.path()), text);
            }
            for (key, value) in &world.notes {
                all.insert(format!("note `{key}`"), value.clone());
            }
            all.extend(world.answers.shown());
            all
        };
        let (here, there) = (state(self), state(other));
        let keys: BTreeSet<_> = here.keys().chain(there.keys()).collect();
        let nothing = "nothing".to_owned();
        keys.into_iter()
            .map(|key| {
                let side = |map: &BTreeMap<_, String>| map.get(key).unwrap_or(&nothing).clone();
                (key, side(&here), side(&there))
            })
            .filter(|(_, here, there)| here != there)
            .map(|(key, here, there)| format!("{key}: {here} / {there}"))
            .collect()
    }
}

/// What the engine's actions and probes need.
impl World {
    pub(super) fn tick(&mut self) {
        self.clock += 1;
    }

    fn user_by_id(&self, uid: u32) -> Option<Account> {
        let mut accounts = self.users.values().map(|(account, _)| account);
        accounts.find(|account| account.uid == uid).cloned()
    }

    fn group_by_id(&self, gid: u32) -> Option<String> {
        let mut groups = self.groups.iter();
        groups.find(|(_, id)| **id == gid).map(|(n, _)| n.clone())
    }

    /// The path without links in it. What stands there need not exist, but its directory must.
    pub(super) fn walk(&self, path: &str, last: Last) -> Result<String, &'static str> {
        let mut todo: Vec<String> = parts(path);
        let (mut at, mut links) = (String::new(), 0);
        while let Some(part) = todo.pop() {
            match part.as_str() {
                "." => continue,
                ".." => {
                    at.truncate(at.rfind('/').unwrap_or(0));
                    continue;
                }
                _ => {}
            }
            let here = format!("{at}/{part}");
            let body = self.names.get(&here).map(|inode| &self.nodes[inode].body);
            match body {
                Some(Body::Link(target)) if !todo.is_empty() || last == Last::Follow => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err("Too many levels of symbolic links");
                    }
                    if target.starts_with('/') {
                        at.clear();
                    }
                    todo.extend(parts(target));
                }
                Some(Body::Directory) => at = here,
                _ if todo.is_empty() => at = here,
                None => return Err(NO_ENTRY),
                Some(_) => return Err(NOT_DIRECTORY),
            }
        }
        Ok(if at.is_empty() { "/".to_owned() } else { at })
    }

    /// As `realpath -m`: what does not exist stays as written.
    pub fn real(&self, path: &str) -> String {
        let mut path = joined("/", path);
        for _ in 0..MAX_LINKS {
            let mut at = String::new();
            let all = parts(&path);
            let found = all.iter().rev().enumerate().find_map(|(depth, part)| {
                at = format!("{at}/{part}");
                match &self.nodes[self.names.get(&at)?].body {
                    Body::Link(target) => {
                        let rest: Vec<_> = all.iter().rev().skip(depth + 1).cloned().collect();
                        Some(format!("{}/{}", joined(&at, target), rest.join("/")))
                    }
                    _ => None,
                }
            });
            match found {
                Some(next) => path = joined("/", &next),
                None => return path,
            }
        }
        path
    }

    fn place_of(&self, path: &str, last: Last) -> String {
        self.walk(path, last)
            .unwrap_or_else(|why| panic!("`{path}`: {why}"))
    }

    pub(super) fn inode(&self, path: &str, last: Last) -> Option<u64> {
        self.names.get(&self.walk(path, last).ok()?).copied()
    }

    pub(super) fn node(&self, path: &str, last: Last) -> Option<&Node> {
        Some(&self.nodes[&self.inode(path, last)?])
    }

    pub(super) fn node_mut(&mut self, path: &str, last: Last) -> Option<&mut Node> {
        let inode = self.inode(path, last)?;
        self.nodes.get_mut(&inode)
    }

    /// The digest of what a path leads to, if that is a regular file.
    pub(super) fn digest(&self, path: &str) -> Option<Sha> {
        match &self.node(path, Last::Follow)?.body {
            Body::File(bytes) => Some(sha256(bytes)),
            Body::Opaque(sha) => Some(*sha),
            _ => None,
        }
    }

    /// The names in a directory.
    pub(super) fn children(&self, dir: &str) -> Vec<&str> {
        let Ok(dir) = self.walk(dir, Last::Follow) else {
            return Vec::new();
        };
        self.names
            .keys()
            .filter(|name| parent(name) == Some(&dir))
            .filter_map(|name| Some(name.rsplit_once('/')?.1))
            .collect()
    }

    /// All paths at and below one.
    pub(super) fn tree(&self, path: &str) -> Vec<String> {
        let names = self.names.keys();
        names.filter(|name| below(name, path)).cloned().collect()
    }

    /// Puts something new at a path without links, made by who acts.
    pub(super) fn place(&mut self, path: &str, body: Body, mode: u32) {
        let dir = parent(path).and_then(|dir| self.names.get(dir));
        let dir = dir.map(|inode| &self.nodes[inode]);
        let setgid = dir.filter(|dir| dir.mode & 0o2000 != 0).map(|dir| dir.gid);
        let inherited = match body {
            Body::Directory if setgid.is_some() => 0o2000,
            _ => 0,
        };
        let node = Node {
            body,
            mode: mode | inherited,
            uid: self.actor.uid,
            gid: setgid.unwrap_or(self.actor.gid),
            atime: self.clock,
            mtime: self.clock,
        };
        let inode = self.next_inode;
        self.next_inode += 1;
        self.nodes.insert(inode, node);
        self.name(path, inode);
    }

    /// Gives an inode a name, in the place of what had it.
    pub(super) fn name(&mut self, path: &str, inode: u64) {
        let old = self.names.insert(path.to_owned(), inode);
        self.touch_parent(path);
        if let Some(old) = old.filter(|old| *old != inode) {
            self.drop_unnamed([old]);
        }
    }

    fn touch_parent(&mut self, path: &str) {
        let now = self.clock;
        if let Some(dir) = parent(path).and_then(|dir| self.names.get(dir)) {
            self.nodes.get_mut(dir).expect("BUG: no inode").mtime = now;
        }
    }

    /// Drops those of these inodes that have no name left.
    fn drop_unnamed(&mut self, inodes: impl IntoIterator<Item = u64>) {
        for inode in inodes {
            if !self.names.values().any(|named| *named == inode) {
                self.nodes.remove(&inode);
            }
        }
    }
}

/// The parts of a path, last first.
fn parts(path: &str) -> Vec<String> {
    let parts = path.split('/').rev().filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}
