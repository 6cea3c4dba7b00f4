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
        match connection.trim_start_matches("ansible.builtin.") {
            "local" => Ok(local()),
            "ssh" | "smart" | "paramiko" | "paramiko_ssh" => {
                let route = self.ssh.route(host)?;
                Ok(Arc::new(ScriptHost::new(SshConnection::new(route))))
            }
            _ => Err(Diagnostic::nowhere(
                "unsupported_connection",
                format!("`{}` would be reached over `{connection}`", host.name),
            )
            .help("this version reaches hosts over `ssh` and `local`: set `ansible_connection`")),
        }
    }
}

/// The machine we run on.
pub(super) fn local() -> Arc<dyn Host> {
    Arc::new(ScriptHost::new(LocalConnection::new()))
}
