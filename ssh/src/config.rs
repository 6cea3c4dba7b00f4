//! The configuration of ssh: `~/.ssh/config` and `/etc/ssh/ssh_config`.
//!
//! [`Config::read`] takes the files through [`Files`]; [`Config::resolve`] says what they mean for
//! one host, purely: this machine's names, home and environment are given to it. For every option
//! the first value counts. What ssh would refuse is an error with its place; what ssh would follow
//! and we do not, where that makes a difference, is a [`Warning`].

mod expand;
mod files;
mod host;
mod keyword;
mod matching;
mod options;
mod read;
mod resolve;
mod value;
mod words;

use std::collections::BTreeMap;

use thiserror::Error;

pub use files::{DiskFiles, Files};
pub use host::{
    AddressFamily, ForwardAgent, HostConfig, IdentityAgent, Jump, Proxy, StrictHostKeyChecking,
};

use crate::place::Place;

/// A configuration that cannot be used.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("{place}: {what}")]
pub struct ConfigError {
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub what: String,
}

/// Something that ssh would follow and this connection does not.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Warning {
    /// Where it is said.
    pub place: Place,
    /// What is not followed.
    pub what: String,
}

/// The machine we run on, and who runs us there.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Machine {
    /// The user's name.
    pub user: String,
    /// Their number.
    pub uid: u32,
    /// Their home directory.
    pub home: String,
    /// The name of the machine, as far as the first dot.
    pub host: String,
    /// Its name with its domain.
    pub full_host: String,
    /// The variables that `${…}` may name.
    pub env: BTreeMap<String, String>,
}

/// What is said beside the files, and counts more.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Given {
    /// The user to log in as.
    pub user: Option<String>,
    /// The port.
    pub port: Option<u16>,
    /// Key files, before those of the configuration.
    pub identity_files: Vec<String>,
}

/// Which files to read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Sources {
    /// The user's and then the system's; none has to exist.
    Usual,
    /// This one alone; it has to exist.
    Only(String),
    /// None.
    Nothing,
}

/// Files that were read.
#[derive(Clone, Debug, Default)]
pub struct Config {
    user: read::Entries,
    system: read::Entries,
}

impl Config {
    /// Reads the files, and those they include.
    pub fn read(
        sources: &Sources,
        files: &dyn Files,
        machine: &Machine,
    ) -> Result<Self, ConfigError> {
        let mut reader = read::Reader::new(files, machine);
        Ok(match sources {
            Sources::Nothing => Self::default(),
            Sources::Only(path) => Self {
                user: reader.required(path)?,
                system: read::Entries::default(),
            },
            Sources::Usual => Self {
                user: reader.user(&format!("{}/.ssh/config", machine.home))?,
                system: reader.system("/etc/ssh/ssh_config")?,
            },
        })
    }

    /// What the files mean for `host`, as it is called in the inventory or on a command line.
    pub fn resolve(
        &self,
        host: &str,
        given: &Given,
        machine: &Machine,
    ) -> Result<HostConfig, ConfigError> {
        resolve::resolve(&self.user, &self.system, host, given, machine)
    }
}
