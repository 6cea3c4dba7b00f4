//! Which hosts there are: names, groups and variables.

mod ini;
mod literal;
mod pattern;
mod range;
mod script;
mod yaml_file;

use std::{
    collections::{BTreeSet, VecDeque},
    path::{Path, PathBuf},
};

use evenkeel_engine::{Map, Value};
use indexmap::{IndexMap, IndexSet};

use crate::{
    diagnostic::Diagnostic,
    files::{Files, Span},
};

pub use pattern::{Selection, limit, select};

/// Hosts and groups. The groups `all` and `ungrouped` are there without being written.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// Hosts in the order in which they are first written.
    pub hosts: IndexMap<String, Entry>,
    /// Groups in the order in which they are first written; `all` only if it is written.
    pub groups: IndexMap<String, Group>,
}

/// What an inventory says of a host.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// Its own variables.
    pub vars: Map,
    /// Where it is first written.
    pub at: Option<Span>,
    /// Where its variables are written, in the order in which they are read.
    pub written: Vec<(String, Span)>,
    /// The file or script that first names it, as a whole path.
    pub file: Option<PathBuf>,
}

/// A group.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Its own hosts, without those of its children.
    pub hosts: IndexSet<String>,
    /// Groups in it.
    pub children: Vec<String>,
    /// Its own variables.
    pub vars: Map,
    /// Where it is first written.
    pub at: Option<Span>,
    /// Where its variables are written, in the order in which they are read.
    pub written: Vec<(String, Span)>,
}

impl Inventory {
    /// What is there without an inventory: this machine.
    pub fn localhost() -> Self {
        let mut inventory = Self::default();
        inventory
            .hosts
            .insert("localhost".to_owned(), Self::implicit());
        inventory
    }

    /// What `localhost` is where no inventory says so.
    fn implicit() -> Entry {
        let vars = [("ansible_connection".to_owned(), Value::from("local"))];
        Entry {
            vars: vars.into_iter().collect(),
            at: None,
            written: Vec::new(),
            file: None,
        }
    }

    /// Reads what `-i` names: files, or `host1,host2,`. Without any: [`Inventory::localhost`].
    pub fn read(files: &mut Files, sources: &[String]) -> (Self, Vec<Diagnostic>) {
        if sources.is_empty() {
            return (Self::localhost(), Vec::new());
        }
        let mut inventory = Self::default();
        let mut out = Vec::new();
        for source in sources {
            if source.contains(',') {
                inventory.add_names(source, &mut out);
            } else {
                inventory.add_path(files, Path::new(source), &mut out);
            }
        }
        inventory.check_groups(&mut out);
        (inventory, out)
    }

    /// A file, or all files of a directory, by name.
    fn add_path(&mut self, files: &mut Files, path: &Path, out: &mut Vec<Diagnostic>) {
        if !path.is_dir() {
            match script::kind(path) {
                script::Kind::Program => script::read(self, files, path, out),
                script::Kind::Locked => out.push(script::locked(path)),
                script::Kind::Data => match files.load(path) {
                    Ok(file) => self.add_file(files, file, out),
                    Err(error) => out.push(*error),
                },
            }
            let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            for entry in self.hosts.values_mut().filter(|entry| entry.at.is_some()) {
                entry.file.get_or_insert_with(|| whole.clone());
            }
            return;
        }
        let mut entries: Vec<PathBuf> = match std::fs::read_dir(path) {
            Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
            Err(error) => {
                let message = format!("cannot read the directory `{}`: {error}", path.display());
                out.push(Diagnostic::nowhere("unreadable_file", message));
                return;
            }
        };
        entries.sort();
        for entry in entries.iter().filter(|entry| is_part(entry)) {
            self.add_path(files, entry, out);
        }
    }

    fn add_names(&mut self, list: &str, out: &mut Vec<Diagnostic>) {
        for name in list
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            match range::expand(name) {
                Ok(names) => {
                    for name in names {
                        let (name, port) = split_port(&name);
                        let entry = self.hosts.entry(name.to_owned()).or_default();
                        if let Some(port) = port {
                            entry
                                .vars
                                .insert("ansible_port".to_owned(), Value::Int(port.into()));
                        }
                    }
                }
                Err(why) => out.push(Diagnostic::nowhere(
                    "inventory",
                    format!("`{name}` on the command line: {why}"),
                )),
            }
        }
    }

    fn add_file(&mut self, files: &Files, file: crate::files::FileId, out: &mut Vec<Diagnostic>) {
        let name = files.name(file);
        let yaml = [".yml", ".yaml", ".json"]
            .iter()
            .any(|end| name.ends_with(end));
        if yaml {
            yaml_file::read(self, files, file, out);
        } else {
            ini::read(self, files, file, out);
        }
    }

    /// The group, which is made if there is none.
    fn group(&mut self, name: &str, at: Option<Span>) -> &mut Group {
        let group = self.groups.entry(name.to_owned()).or_default();
        group.at = group.at.or(at);
        group
    }

    fn add_to(&mut self, group: &str, host: &str) {
        let hosts = &mut self.group(group, None).hosts;
        if !hosts.contains(host) {
            hosts.insert(host.to_owned());
        }
    }

    /// Puts a host into a group, which is made if there is none.
    pub(crate) fn put(&mut self, group: &str, host: &str) {
        if group != "ungrouped" {
            self.add_to(group, host);
        }
    }

    /// Puts a group into another one, unless that is in it.
    pub(crate) fn nest(&mut self, parent: &str, group: &str) {
        if parent == "all" || self.descendants(group).0.contains(parent) {
            return;
        }
        let children = &mut self.group(parent, None).children;
        if !children.iter().any(|child| child == group) {
            children.push(group.to_owned());
        }
    }

    /// Groups that contain themselves.
    fn check_groups(&mut self, out: &mut Vec<Diagnostic>) {
        let names: Vec<String> = self.groups.keys().cloned().collect();
        for name in names {
            let Some(looping) = self.descendants(&name).1 else {
                continue;
            };
            let message = format!("the group `{looping}` contains itself");
            out.push(match self.groups.get(&looping).and_then(|group| group.at) {
                Some(at) => Diagnostic::error("inventory", at, message),
                None => Diagnostic::nowhere("inventory", message),
            });
            // Everything below would say the same again.
            for group in self.groups.values_mut() {
                group.children.clear();
            }
        }
    }

    /// A group and all groups in it; and the first that contains itself.
    fn descendants(&self, name: &str) -> (BTreeSet<&str>, Option<String>) {
        let mut found = BTreeSet::new();
        let mut open: Vec<(&str, Vec<&str>)> = Vec::new();
        if let Some((name, _)) = self.groups.get_key_value(name) {
            open.push((name, Vec::new()));
        }
        let mut looping = None;
        while let Some((name, path)) = open.pop() {
            if path.contains(&name) {
                looping = Some(name.to_owned());
                continue;
            }
            if !found.insert(name) {
                continue;
            }
            let mut path = path;
            path.push(name);
            for child in self
                .groups
                .get(name)
                .iter()
                .flat_map(|group| &group.children)
            {
                open.push((child, path.clone()));
            }
        }
        (found, looping)
    }

    /// Is there a group of this name, written or not?
    pub fn has_group(&self, name: &str) -> bool {
        matches!(name, "all" | "ungrouped") || self.groups.contains_key(name)
    }

    /// Leaves only these hosts.
    pub fn retain(&mut self, hosts: &[String]) {
        let stays = |host: &str| hosts.iter().any(|other| other == host);
        self.hosts.retain(|host, _| stays(host));
        for group in self.groups.values_mut() {
            group.hosts.retain(|host| stays(host));
        }
    }

    /// The groups right in a group, in the order in which they are written; all that are in no other
    /// are in `all`.
    pub fn children_of(&self, name: &str) -> Vec<&str> {
        if name != "all" {
            let group = self.groups.get(name);
            let children = group.into_iter().flat_map(|group| &group.children);
            return children.map(String::as_str).collect();
        }
        let named = self.groups.get("all");
        let named = named.into_iter().flat_map(|all| all.children.iter());
        let mut found: Vec<&str> = vec!["ungrouped"];
        found.extend(
            named
                .map(String::as_str)
                .filter(|child| *child != "ungrouped"),
        );
        let others = self.groups.iter().filter(|(name, _)| *name != "all");
        let inside: BTreeSet<&String> = others.flat_map(|(_, group)| &group.children).collect();
        for name in self.groups.keys() {
            let apart = !matches!(name.as_str(), "all" | "ungrouped") && !inside.contains(name);
            if apart && !found.contains(&name.as_str()) {
                found.push(name);
            }
        }
        found
    }

    /// The hosts right in a group.
    pub fn own_hosts(&self, name: &str) -> Vec<&str> {
        if name == "ungrouped" {
            return self.hosts_in(name);
        }
        let group = self.groups.get(name);
        let hosts = group.into_iter().flat_map(|group| &group.hosts);
        hosts.map(String::as_str).collect()
    }

    /// The hosts of a group and of its children: its own, then those of its children as they are written, then
    /// of theirs.
    pub fn hosts_in(&self, group: &str) -> Vec<&str> {
        let (mut found, mut seen) = (IndexSet::new(), BTreeSet::new());
        let mut open = VecDeque::from([group]);
        while let Some(name) = open.pop_front() {
            if !seen.insert(name) {
                continue;
            }
            if name == "ungrouped" {
                let hosts = self.hosts.keys().map(String::as_str);
                let grouped = self.grouped();
                found.extend(hosts.filter(|host| !grouped.contains(host)));
            } else if let Some(group) = self.groups.get(name) {
                found.extend(group.hosts.iter().map(String::as_str));
            }
            open.extend(self.children_of(name));
        }
        found.into_iter().collect()
    }

    /// The hosts of all groups but `all` and `ungrouped`.
    fn grouped(&self) -> BTreeSet<&str> {
        let groups = self.groups.iter();
        let groups = groups.filter(|(name, _)| !matches!(name.as_str(), "all" | "ungrouped"));
        let hosts = groups.flat_map(|(_, group)| &group.hosts);
        hosts.map(String::as_str).collect()
    }

    /// The groups of a host, without `all`: parents before children, then by name.
    pub fn groups_of(&self, host: &str) -> Vec<&str> {
        let mut found: Vec<((usize, i64), &str)> = self
            .groups
            .keys()
            .filter(|name| name.as_str() != "all")
            .filter(|name| {
                self.descendants(name).0.iter().any(|inner| {
                    let inner = self.groups.get(*inner);
                    inner.is_some_and(|group| group.hosts.contains(host))
                })
            })
            .map(|name| ((self.depth(name), self.priority(name)), name.as_str()))
            .collect();
        if found.is_empty() && self.hosts.contains_key(host) {
            return vec!["ungrouped"];
        }
        found.sort_unstable();
        found.into_iter().map(|(_, name)| name).collect()
    }

    /// `ansible_group_priority`: of groups as deep as each other, the higher one wins.
    fn priority(&self, name: &str) -> i64 {
        let group = self.groups.get(name);
        let value = group.and_then(|group| group.vars.get("ansible_group_priority"));
        let text = value.and_then(Value::as_text);
        text.and_then(|text| text.parse().ok()).unwrap_or(1)
    }

    /// How far below `all`, by the longest way.
    fn depth(&self, name: &str) -> usize {
        let parents = self.groups.iter().filter(|(parent, group)| {
            parent.as_str() != "all" && group.children.iter().any(|child| child == name)
        });
        1 + parents
            .map(|(parent, _)| self.depth(parent))
            .max()
            .unwrap_or(0)
    }

    /// The variables that the inventory gives a host: those of `all`, of its groups (children win
    /// over parents), and its own.
    pub fn vars_of(&self, host: &str) -> Map {
        let mut vars = Map::new();
        for group in std::iter::once("all").chain(self.groups_of(host)) {
            for (name, value) in self.groups.get(group).iter().flat_map(|group| &group.vars) {
                vars.insert(name.clone(), value.clone());
            }
        }
        let implicit = Self::implicit();
        let own = self
            .hosts
            .get(host)
            .or((host == "localhost").then_some(&implicit));
        for (name, value) in own.iter().flat_map(|entry| &entry.vars) {
            vars.insert(name.clone(), value.clone());
        }
        vars
    }
}

/// Whether a file of a directory is a part of the inventory: folders of variables, hidden files and
/// what editors and other tools leave are not.
fn is_part(path: &Path) -> bool {
    const NOT: [&str; 11] = [
        "pyc", "pyo", "swp", "bak", "rpm", "md", "txt", "rst", "orig", "cfg", "retry",
    ];
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or(".");
    let end = path.extension().and_then(|end| end.to_str());
    !name.starts_with('.')
        && !name.ends_with('~')
        && !["group_vars", "host_vars", "vars_plugins"].contains(&name)
        && !end.is_some_and(|end| NOT.contains(&end))
}

/// A host's name and its port: `h1:2222`, `[2001:db8::1]:2222`. An IPv6 address without brackets has no port.
fn split_port(name: &str) -> (&str, Option<u16>) {
    if let Some((address, rest)) = name
        .strip_prefix('[')
        .and_then(|name| name.split_once(']'))
        .filter(|(address, _)| address.parse::<std::net::Ipv6Addr>().is_ok())
    {
        match rest.strip_prefix(':').map(str::parse) {
            None if rest.is_empty() => return (address, None),
            Some(Ok(port)) => return (address, Some(port)),
            _ => {}
        }
    }
    match name.split_once(':') {
        Some((host, port)) if !host.is_empty() && !port.contains(':') => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => (name, None),
        },
        _ => (name, None),
    }
}

#[cfg(test)]
mod tests;
