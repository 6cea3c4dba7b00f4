//! Who sits here: what the ssh of this machine's user takes from the environment.

use std::{
    env, fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use evenkeel_engine::Secret;
use evenkeel_ssh::{Ask, config::Machine};

use crate::command::{audit, password};

/// The user of this machine.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) home: Option<PathBuf>,
    /// The socket of the agent.
    pub(super) agent: Option<PathBuf>,
}

impl Person {
    pub(super) fn here() -> Self {
        let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
        Self {
            name: audit::local_user(),
            home: set("HOME").map(PathBuf::from),
            agent: set("SSH_AUTH_SOCK").map(PathBuf::from),
        }
    }

    /// This user on this machine, as the configuration of ssh speaks of them.
    pub(super) fn machine(&self) -> Machine {
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let host = host.trim();
        let home = self.home.as_ref().map(|home| home.display().to_string());
        Machine {
            user: self.name.clone(),
            uid: fs::metadata("/proc/self").map_or(0, |meta| meta.uid()),
            home: home.unwrap_or_else(|| "/".to_owned()),
            host: host.split('.').next().unwrap_or_default().to_owned(),
            full_host: host.to_owned(),
            env: env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
        }
    }
}

/// Asks on the terminal.
#[derive(Debug)]
pub(super) struct Terminal;

impl Ask for Terminal {
    fn passphrase(&self, key: &Path) -> Option<Secret> {
        let asked: io::Result<Secret> =
            password::ask(&format!("passphrase of `{}`", key.display()));
        asked.ok()
    }
}
