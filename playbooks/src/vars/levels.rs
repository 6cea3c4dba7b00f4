//! The levels of precedence that come from what stands around a task.
//!
//! From the lowest to the highest, as Ansible counts them. A level wins over all above it in this table:
//!
//! | | level | kept in |
//! |---|---|---|
//! | 1 | the command line's `--user` and its like | `Request` |
//! | 2 | a role's `defaults/` | [`Levels::defaults`] |
//! | 3 | variables of groups in the inventory | `Member::vars` |
//! | 4 | `group_vars/all` beside the inventory | `Member::vars` |
//! | 5 | `group_vars/all` beside the playbook | `Member::vars` |
//! | 6 | other `group_vars` beside the inventory | `Member::vars` |
//! | 7 | other `group_vars` beside the playbook | `Member::vars` |
//! | 8 | variables of hosts in the inventory | `Member::vars` |
//! | 9 | `host_vars` beside the inventory | `Member::vars` |
//! | 10 | `host_vars` beside the playbook | `Member::vars` |
//! | 11 | facts | what tasks left behind |
//! | 12 | `vars` of the play | [`Levels::play`] |
//! | 13 | `vars_prompt` | [`Levels::play`] |
//! | 14 | `vars_files` | [`Levels::play`], [`Levels::files`] |
//! | 15 | a role's `vars/`, and `vars` where a play names it | [`Levels::roles`] |
//! | 16 | `vars` of blocks | [`Levels::own`] |
//! | 17 | `vars` of tasks | [`Levels::own`] |
//! | 18 | `include_vars` | what tasks left behind |
//! | 19 | `set_fact`, `register` | what tasks left behind |
//! | 20 | parameters of roles | [`Levels::params`] |
//! | 21 | `vars` of `include_tasks` and `include_role`, items of their loops | [`Levels::params`] |
//! | 22 | `--extra-vars` | `World::extra` |

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use super::{Layer, Scope, World};

/// Variables that roles show to the whole play.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// Their `vars`, the highest first.
    pub vars: Vec<Arc<Layer>>,
    /// Their `defaults`, the highest first.
    pub defaults: Vec<Arc<Layer>>,
}

/// What holds at a place of a play: variables by level, folders, hosts.
#[derive(Clone, Debug, Default)]
pub struct Levels {
    /// Of blocks and tasks, the highest first.
    pub own: Vec<Arc<Layer>>,
    /// Of roles, the highest first.
    pub roles: Vec<Arc<Layer>>,
    /// Of the play, the highest first.
    pub play: Vec<Arc<Layer>>,
    /// `vars_files` whose names differ from host to host.
    pub files: Option<Arc<BTreeMap<String, Vec<Arc<Layer>>>>>,
    /// Parameters, the highest first.
    pub params: Vec<Arc<Layer>>,
    /// Parameters that differ from host to host, the highest first.
    pub of_hosts: Vec<Arc<BTreeMap<String, Arc<Layer>>>>,
    /// Of roles, below the inventory's, the highest first.
    pub defaults: Vec<Arc<Layer>>,
    /// What nobody writes: `role_path` and the like.
    pub magic: Option<Arc<Layer>>,
    /// Where files are looked for.
    pub folders: Vec<PathBuf>,
    /// The hosts that it is for; `None`: all of the play.
    pub hosts: Option<Arc<BTreeSet<String>>>,
}

impl Levels {
    /// The same with variables of a block or a task over the others of that kind.
    #[must_use]
    pub fn with(&self, layer: Arc<Layer>) -> Self {
        let mut new = self.clone();
        new.own.insert(0, layer);
        new
    }

    /// Whether it is for a host.
    pub fn has(&self, host: &str) -> bool {
        self.hosts.as_ref().is_none_or(|hosts| hosts.contains(host))
    }

    /// The variables of a host here.
    pub fn scope(&self, world: Arc<World>, host: &str, shown: &Shown) -> Scope {
        Scope::at(world, host, self, shown)
    }

    /// Layers of the same levels, for a scope: the highest first.
    pub(super) fn layers(&self, shown: &Shown, host: &str) -> Vec<Arc<Layer>> {
        let over = [&self.own, &self.roles, &shown.vars];
        let files = self.files.as_ref().and_then(|files| files.get(host));
        let files = files.into_iter().flatten().rev();
        let all = over.into_iter().flatten().chain(files).chain(&self.play);
        all.cloned().collect()
    }

    /// Parameters on a host, the highest first.
    pub(super) fn params_of(&self, host: &str) -> Vec<Arc<Layer>> {
        let of_host = self.of_hosts.iter().filter_map(|all| all.get(host));
        of_host.chain(&self.params).cloned().collect()
    }

    /// The lowest, the highest first.
    pub(super) fn lowest(&self, shown: &Shown) -> Vec<Arc<Layer>> {
        self.defaults
            .iter()
            .chain(&shown.defaults)
            .cloned()
            .collect()
    }
}
