//! What an inventory says of hosts, without a playbook.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    folders,
    members::{self, Written},
    tidy,
};
use crate::{
    diagnostic::Diagnostic,
    files::Files,
    inventory::Inventory,
    settings::{self, Around},
    vars::Member,
    vault::Keyring,
};

/// What an inventory says of hosts.
#[derive(Debug)]
pub struct Hosts {
    /// Hosts and groups.
    pub inventory: Inventory,
    /// The variables of hosts.
    pub members: BTreeMap<String, Arc<Member>>,
    /// The variables of groups themselves.
    pub groups: BTreeMap<String, crate::vars::Layer>,
    /// Folders with `group_vars` and `host_vars`, the playbook's last.
    pub folders: Vec<PathBuf>,
    /// What is wrong with it.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts in which that is.
    pub files: Files,
}

/// Reads inventories, with the variables beside them and in `playbook_dir`.
pub fn read_hosts(
    sources: &[String],
    playbook_dir: Option<&Path>,
    around: &Around,
    keys: Arc<Keyring>,
) -> Hosts {
    let mut files = Files::with_keys(keys);
    let here = playbook_dir.unwrap_or_else(|| Path::new("."));
    let (settings, mut diagnostics) = settings::load(&mut files, &here.join("site.yml"));
    let settings = around.with(&settings);
    let sources = if sources.is_empty() {
        &settings.inventory
    } else {
        sources
    };
    let (inventory, found) = Inventory::read(&mut files, sources);
    diagnostics.extend(found);
    let mut folders = folders::of_inventories(sources);
    folders.extend(playbook_dir.map(Path::to_owned));
    let groups = members::of_groups(&inventory, &folders, &mut files, &mut diagnostics);
    if playbook_dir.is_none() {
        // Playbooks are run where they are.
        folders.push(here.to_owned());
    }
    let members = members::all(&inventory, &folders, &mut files, &mut diagnostics);
    Hosts {
        inventory,
        members,
        groups,
        folders,
        diagnostics: tidy(diagnostics),
        files,
    }
}

impl Hosts {
    /// What says a variable of a host, from the lowest level to the highest.
    pub fn explain(&mut self, host: &str, variable: &str) -> Vec<Written> {
        members::explain(
            &self.inventory,
            &self.folders,
            &mut self.files,
            host,
            variable,
        )
    }
}
