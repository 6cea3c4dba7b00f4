//! Variables that nobody writes: hosts, groups, folders, the run itself.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use evenkeel_engine::{Map, NotYet, Value};

use super::{Layer, OMIT};
use crate::vault::Keyring;

/// A host of the inventory.
#[derive(Debug, Default)]
pub struct Member {
    /// Its variables: of its groups and its own, the higher ones over the lower.
    pub vars: Layer,
    /// Its groups, without `all`, sorted.
    pub groups: Vec<String>,
    /// The inventory in which it is first named, as a whole path.
    pub file: Option<PathBuf>,
}

/// The roles of a play, in the order in which they are first named.
#[derive(Clone, Debug, Default)]
pub struct RolesOfPlay {
    /// Those that the play and its tasks name.
    pub named: Vec<String>,
    /// Those that others depend on; `None`: it is not known yet.
    pub dependencies: Option<Vec<String>>,
}

impl RolesOfPlay {
    /// A variable about them.
    fn of(&self, name: &str) -> Value {
        let later = || Value::NotYet(NotYet::new("which roles the play comes to have"));
        let list = |names: &mut dyn Iterator<Item = &String>| -> Value {
            names.map(|name| Value::from(name.as_str())).collect()
        };
        match (name, &self.dependencies) {
            ("role_names" | "ansible_play_role_names", _) => list(&mut self.named.iter()),
            (_, None) => later(),
            ("ansible_dependent_role_names", Some(others)) => list(&mut others.iter()),
            (_, Some(others)) => {
                let named = self.named.iter().filter(|name| !others.contains(name));
                list(&mut others.iter().chain(named))
            }
        }
    }
}

/// What all tasks of a play share.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// `--extra-vars`.
    pub extra: Arc<Layer>,
    /// All hosts of the inventory, by name.
    pub hosts: BTreeMap<String, Arc<Member>>,
    /// Names of groups, with their hosts in order.
    pub groups: Vec<(String, Vec<String>)>,
    /// The hosts of the play; with `serial`, of this batch.
    pub play_hosts: Vec<String>,
    /// The hosts of all batches of the play.
    pub all_play_hosts: Vec<String>,
    /// The play's name; its hosts where it has none.
    pub play: String,
    /// The roles of the play, as far as it is known.
    pub roles: RolesOfPlay,
    /// The folder of the playbook.
    pub playbook_dir: String,
    /// What is the same for the whole run, below all that anybody writes.
    pub run: Arc<Map>,
    /// The passwords of vaults.
    pub keys: Arc<Keyring>,
    /// Whether the run only looks.
    pub check: bool,
    /// Whether differences are shown.
    pub diff: bool,
}

const NAMES: &[&str] = &[
    "ansible_check_mode",
    "ansible_dependent_role_names",
    "ansible_diff_mode",
    "ansible_play_batch",
    "ansible_play_hosts",
    "ansible_play_hosts_all",
    "ansible_play_name",
    "ansible_play_role_names",
    "ansible_role_names",
    "ansible_version",
    "group_names",
    "groups",
    "hostvars",
    "inventory_hostname",
    "inventory_hostname_short",
    "omit",
    "play_hosts",
    "playbook_dir",
    "role_names",
    "vars",
];

impl World {
    /// A variable that nobody writes.
    pub(super) fn magic(&self, host: &str, name: &str) -> Option<Value> {
        let list = |names: &[String]| {
            names
                .iter()
                .map(|name| Value::from(name.as_str()))
                .collect()
        };
        Some(match name {
            "omit" => OMIT.into(),
            "inventory_hostname" => host.into(),
            "inventory_hostname_short" => host.split('.').next().unwrap_or(host).into(),
            "group_names" => list(&self.hosts.get(host)?.groups),
            "groups" => Value::Map(
                self.groups
                    .iter()
                    .map(|(name, hosts)| (name.clone(), list(hosts)))
                    .collect(),
            ),
            "playbook_dir" => self.playbook_dir.as_str().into(),
            "ansible_check_mode" => self.check.into(),
            "ansible_diff_mode" => self.diff.into(),
            "ansible_play_batch" | "play_hosts" => list(&self.play_hosts),
            "ansible_play_hosts" | "ansible_play_hosts_all" => list(&self.all_play_hosts),
            "ansible_play_name" => self.play.as_str().into(),
            "role_names"
            | "ansible_play_role_names"
            | "ansible_role_names"
            | "ansible_dependent_role_names" => self.roles.of(name),
            "ansible_version" => version(),
            _ => return None,
        })
    }

    /// What is there unless somebody writes it: where a host is named, and what is the same for the whole run.
    pub(super) fn usual(&self, host: &str, name: &str) -> Option<Value> {
        if matches!(name, "ansible_host" | "ansible_ssh_host") {
            return Some(host.into());
        }
        let file = self
            .hosts
            .get(host)
            .and_then(|member| member.file.as_deref());
        let path = match name {
            "inventory_file" => file,
            "inventory_dir" => file.and_then(Path::parent),
            _ => None,
        };
        let path = path.map(|path| path.display().to_string().into());
        path.or_else(|| self.run.get(name).cloned())
    }

    pub(super) fn names(&self, host: &str) -> Vec<String> {
        let mut names: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
        names.extend(self.run.keys().cloned());
        names.extend(self.extra.names().cloned());
        if let Some(member) = self.hosts.get(host) {
            names.extend(member.vars.names().cloned());
        }
        names
    }
}

/// The Ansible whose language this is, for playbooks that ask.
fn version() -> Value {
    let parts = [
        ("full", Value::from("2.19.0")),
        ("string", "2.19.0".into()),
        ("major", 2.into()),
        ("minor", 19.into()),
        ("revision", 0.into()),
    ];
    Value::Map(parts.map(|(name, value)| (name.to_owned(), value)).into())
}
