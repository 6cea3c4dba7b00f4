//! Who sits here: what the ssh of this machine's user takes from the environment.

use std::{
    env, io,
    path::{Path, PathBuf},
};

use evenkeel_engine::Secret;
use evenkeel_ssh::Ask;

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

    /// A path as people write it: `~/` is the home directory.
    pub(super) fn path(&self, text: &str) -> PathBuf {
        match (text.strip_prefix("~/"), &self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(text),
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
