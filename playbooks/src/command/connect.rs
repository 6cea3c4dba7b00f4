//! Opens the way to a host.

mod person;
mod ssh;

use std::sync::Arc;

use evenkeel_engine::{LocalConnection, ScriptHost, Value, host::Host};
use evenkeel_ssh::SshConnection;

use crate::{cli, diagnostic::Diagnostic, load::HostVars};

/// The ways to hosts, as the command line and this machine have them.
pub(super) struct Ways {
    ssh: ssh::Ssh,
}

impl Ways {
    pub(super) fn new(options: &cli::Connection) -> Result<Self, Diagnostic> {
        Ok(Self {
            ssh: ssh::Ssh::new(options)?,
        })
    }

    /// The way to a host of the inventory.
    pub(super) fn connect(&self, host: &HostVars) -> Result<Arc<dyn Host>, Diagnostic> {
        let connection = match host.vars.get("ansible_connection") {
            Some(Value::Str(name)) => name.as_str(),
            // The host that is there without an inventory.
            _ if host.place.is_none() => "local",
            _ => "ssh",
        };
        match Kind::of(connection) {
            Some(Kind::Local) => Ok(local()),
            Some(Kind::Ssh) => {
                let route = self.ssh.route(host)?;
                Ok(Arc::new(ScriptHost::new(SshConnection::new(route))))
            }
            None => Err(Diagnostic::nowhere(
                "unsupported_connection",
                format!("`{}` would be reached over `{connection}`", host.name),
            )
            .help(format!(
                "set `ansible_connection`; of this version: {KINDS}"
            ))),
        }
    }
}

/// A way to reach hosts.
enum Kind {
    Local,
    Ssh,
}

impl Kind {
    /// By Ansible's names for it.
    fn of(name: &str) -> Option<Self> {
        match name.trim_start_matches("ansible.builtin.") {
            "local" => Some(Self::Local),
            "ssh" | "smart" | "paramiko" | "paramiko_ssh" => Some(Self::Ssh),
            _ => None,
        }
    }
}

/// The ways there are.
const KINDS: &str = "it reaches them over `ssh` or `local`";

/// Refuses a way that is not there.
pub(super) fn refuse_unknown(name: &str) -> Result<(), Diagnostic> {
    match Kind::of(name) {
        Some(_) => Ok(()),
        None => Err(Diagnostic::nowhere(
            "option",
            format!("this version cannot reach hosts over `{name}`"),
        )
        .help(KINDS)),
    }
}

/// The machine we run on.
pub(super) fn local() -> Arc<dyn Host> {
    Arc::new(ScriptHost::new(LocalConnection::new()))
}
