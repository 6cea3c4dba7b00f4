//! The way to a host, as a value: where, as whom, by what keys, through which gateways.

use std::{net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use evenkeel_engine::Secret;

use crate::{
    gateways::Gateways,
    host_keys::{HostKeys, Strictness},
    key_files::KeyFiles,
    known_hosts::Lookup,
};

/// The way to a host.
#[derive(Clone, Debug)]
pub struct Route {
    /// A command of this machine whose input and output lead to the first of them.
    pub command: Option<String>,
    /// Gateways, the first one first.
    pub gateways: Vec<Endpoint>,
    /// The host itself.
    pub host: Endpoint,
    /// How long things may take.
    pub patience: Patience,
    /// Private keys, read once for all hosts.
    pub key_files: Arc<KeyFiles>,
    /// Connections to gateways, which other hosts may be behind as well.
    pub shared: Arc<Gateways>,
}

impl Route {
    /// What to do if nobody answers.
    pub(crate) fn advice(&self) -> &'static str {
        if self.command.is_some() {
            "see whether `ProxyCommand` leads there, and whether the host is up"
        } else if self.gateways.is_empty() {
            "see whether the host is up and sshd listens there, or say where it is: `ansible_host`, \
             `ansible_port`"
        } else {
            "see whether that machine is up and sshd listens there, or take another way: `ProxyJump` \
             in the configuration of ssh; where the host is, say `ansible_host` and `ansible_port`"
        }
    }
}

/// A machine to log in to.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Its name or address.
    pub host: String,
    /// The port that sshd listens on.
    pub port: u16,
    /// Which of its addresses are used.
    pub family: Family,
    /// The address of ours to connect from.
    pub bind: Option<IpAddr>,
    /// The name that its key is known by, if not its own.
    pub key_alias: Option<String>,
    /// Who logs in.
    pub user: String,
    /// Key files that the user named, before those that are tried because they are there.
    pub identities: Vec<Identity>,
    /// Certificates that do not lie beside their keys.
    pub certificates: Vec<PathBuf>,
    /// The socket of an agent.
    pub agent: Option<PathBuf>,
    /// Whether the agent's other keys stay out.
    pub identities_only: bool,
    /// The login password, for the methods `password` and `keyboard-interactive`.
    pub password: Option<Secret>,
    /// The ways to log in that are tried.
    pub methods: Methods,
    /// What is known of host keys.
    pub host_keys: Arc<HostKeys>,
    /// What becomes of a host whose key is not known.
    pub strictness: Strictness,
}

impl Endpoint {
    /// The name that its key is looked up by.
    pub(crate) fn lookup(&self) -> Lookup {
        match &self.key_alias {
            Some(alias) => Lookup::alias(alias),
            None => Lookup::new(&self.host, self.port),
        }
    }

    /// As people read it.
    pub(crate) fn shown(&self) -> String {
        match self.port {
            22 => self.host.clone(),
            port => format!("{} port {port}", self.host),
        }
    }
}

/// A key file to log in with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// The private key; its certificate is looked for beside it, `-cert.pub`.
    pub file: PathBuf,
    /// Whether somebody named it: then it is an error if it is not there.
    pub named: bool,
}

/// Which ways to log in are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Methods {
    /// Keys.
    pub keys: bool,
    /// The password, as such.
    pub password: bool,
    /// The password, as the answer to a question.
    pub questions: bool,
}

impl Default for Methods {
    fn default() -> Self {
        Self {
            keys: true,
            password: true,
            questions: true,
        }
    }
}

/// Kinds of addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    /// Whatever there is.
    #[default]
    Any,
    /// Version 4.
    V4,
    /// Version 6.
    V6,
}

/// How long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Until a connection stands and keys are exchanged, for each hop.
    pub connect: Duration,
    /// Until a login has succeeded, for each hop.
    pub login: Duration,
    /// How long a connection that was lost is sought again.
    pub again: Duration,
    /// After so long without a word from a host it is asked for one.
    pub keepalive: Option<Duration>,
    /// After so many questions without a word it counts as lost.
    pub keepalives: usize,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            login: Duration::from_secs(60),
            again: Duration::from_secs(30),
            keepalive: Some(Duration::from_secs(15)),
            keepalives: 3,
        }
    }
}
