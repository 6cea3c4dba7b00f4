//! What the configuration means for one host.

use std::time::Duration;

use super::Warning;

/// How to reach a host and log in there. Paths are expanded; unset options have ssh's defaults.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HostConfig {
    /// The name or address to connect to.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The user to log in as.
    pub user: String,
    /// Which addresses to use.
    pub address_family: AddressFamily,
    /// The address to connect from.
    pub bind_address: Option<String>,
    /// The way there, if it is not a plain connection.
    pub proxy: Proxy,
    /// How long connecting may take; nothing leaves it to the system.
    pub connect_timeout: Option<Duration>,
    /// How often to try, at least once.
    pub connection_attempts: u32,
    /// After how long without a word from the host to ask whether it is there; nothing for never.
    pub server_alive_interval: Option<Duration>,
    /// How many such questions may stay without an answer.
    pub server_alive_count_max: u32,

    /// Key files to try, in order; some may not exist.
    pub identity_files: Vec<String>,
    /// Whether those were chosen, rather than being the usual ones.
    pub identity_files_chosen: bool,
    /// Certificates that belong to keys.
    pub certificate_files: Vec<String>,
    /// Whether an agent may offer only keys of `identity_files`.
    pub identities_only: bool,
    /// The agent to ask.
    pub identity_agent: IdentityAgent,
    /// Whether the host may use our agent.
    pub forward_agent: ForwardAgent,
    /// Whether keys may be tried.
    pub pubkey_authentication: bool,
    /// Whether a password may be tried.
    pub password_authentication: bool,
    /// Whether questions of the host may be answered.
    pub kbd_interactive_authentication: bool,
    /// The order of the methods by their names in the protocol; empty for the usual one.
    pub preferred_authentications: Vec<String>,

    /// What to do with a host that is not known.
    pub strict_host_key_checking: StrictHostKeyChecking,
    /// The user's files of known hosts; what is accepted goes into the first.
    pub user_known_hosts_files: Vec<String>,
    /// The system's files of known hosts.
    pub global_known_hosts_files: Vec<String>,
    /// The name to look up instead of `host`, for every port.
    pub host_key_alias: Option<String>,
    /// Whether the address is looked up too.
    pub check_host_ip: bool,
    /// Whether names that are added are hashed.
    pub hash_known_hosts: bool,

    /// What ssh would follow and is not followed here.
    pub warnings: Vec<Warning>,
}

/// The way to a host.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Proxy {
    /// None in between.
    Direct,
    /// Through these hosts, the first of which is reached first. The configuration says how each is
    /// reached, except that all but the first are reached through those before them.
    Jump(Vec<Jump>),
    /// Over the input and output of a command, which a shell reads.
    Command(String),
}

/// A host to go through.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Jump {
    /// The user to log in as there, if said.
    pub user: Option<String>,
    /// Its name, to be resolved again.
    pub host: String,
    /// Its port, if said.
    pub port: Option<u16>,
}

/// Which agent holds keys.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum IdentityAgent {
    /// That of `SSH_AUTH_SOCK`, if there is one.
    Environment,
    /// None.
    Nobody,
    /// That behind this socket.
    Socket(String),
}

/// Whether a host may use an agent of ours.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ForwardAgent {
    /// It may not.
    No,
    /// That which we use.
    Yes,
    /// That behind this socket.
    Socket(String),
}

/// What to do with a host that is not known. One whose key has changed is never accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StrictHostKeyChecking {
    /// Refuse it.
    Yes,
    /// Ask; refuse it where nobody can be asked.
    Ask,
    /// Accept it and remember its key.
    AcceptNew,
    /// As `accept-new`; ssh would accept even a key that has changed.
    No,
}

/// Kinds of addresses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AddressFamily {
    /// Whatever there is.
    Any,
    /// Version 4.
    Inet,
    /// Version 6.
    Inet6,
}
