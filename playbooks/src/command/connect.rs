//! Opens the way to a host.

mod args;
mod others;
mod overlay;
mod person;
mod ssh;
mod vars;

use std::{path::Path, sync::Arc};

use evenkeel_engine::{LocalConnection, ScriptHost, Value, host::Host};
use evenkeel_ssh::SshConnection;

use self::vars::Vars;
use super::ansible_cfg::AnsibleCfg;
use crate::{cli, diagnostic::Diagnostic, load::HostVars};

/// The ways to hosts, as the command line and this machine have them.
pub(super) struct Ways {
    ssh: ssh::Ssh,
    others: others::Others,
    /// What of `ansible.cfg` and the environment is not followed.
    passed_over: Vec<Diagnostic>,
}

impl Ways {
    pub(super) fn new(options: &cli::Connection, playbook: &Path) -> Result<Self, Diagnostic> {
        let cfg = AnsibleCfg::of(playbook)?;
        let options = &cfg.fill(options);
        Ok(Self {
            others: others::Others::new(options),
            passed_over: cfg.warnings(),
            ssh: ssh::Ssh::new(options, cfg)?,
        })
    }

    /// What is worth knowing of the ways so far.
    pub(super) fn warnings(&self) -> Vec<Diagnostic> {
        let passed_over = self.passed_over.iter().cloned();
        passed_over.chain(self.ssh.warnings()).collect()
    }

    /// The way to a host of the inventory.
    pub(super) fn connect(&self, host: &HostVars) -> Result<Arc<dyn Host>, Diagnostic> {
        let connection = match host.vars.get("ansible_connection") {
            Some(Value::Str(name)) => name.as_str(),
            // The host that is there without an inventory, or with `-i localhost,`.
            _ if host.place.is_none() && is_here(&host.name) => "local",
            _ => "ssh",
        };
        match Kind::of(connection) {
            Some(Kind::Local) => Ok(local()),
            Some(Kind::Ssh) => {
                let route = self.ssh.route(host)?;
                Ok(Arc::new(ScriptHost::new(SshConnection::new(route))))
            }
            Some(Kind::Openssh) => self.others.openssh(&Vars(host)),
            Some(Kind::Container(program)) => others::Others::container(&Vars(host), program),
            Some(Kind::Chroot) => self.others.chroot(&Vars(host)),
            None => Err(Diagnostic::nowhere(
                "unsupported_connection",
                format!("`{}` would be reached over `{connection}`", host.name),
            )
            .help(format!("correct `ansible_connection`: {KINDS}"))),
        }
    }
}

/// A way to reach hosts.
enum Kind {
    Local,
    Ssh,
    /// The system's `ssh`.
    Openssh,
    /// A container, by this program.
    Container(&'static str),
    Chroot,
}

impl Kind {
    /// By Ansible's names for it.
    fn of(name: &str) -> Option<Self> {
        match name.trim_start_matches("ansible.builtin.") {
            "local" => Some(Self::Local),
            "ssh" | "smart" | "paramiko" | "paramiko_ssh" => Some(Self::Ssh),
            "openssh" => Some(Self::Openssh),
            "docker" | "community.docker.docker" => Some(Self::Container("docker")),
            "podman" | "containers.podman.podman" => Some(Self::Container("podman")),
            "chroot" | "community.general.chroot" => Some(Self::Chroot),
            _ => None,
        }
    }
}

/// The ways there are.
const KINDS: &str =
    "hosts are reached over `ssh`, `openssh`, `docker`, `podman`, `chroot` or `local`";

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

/// Whether a name that no inventory explains means the machine we run on.
fn is_here(name: &str) -> bool {
    matches!(name, "localhost" | "127.0.0.1" | "::1")
}

/// The machine we run on: what is relative there starts where we were started.
pub(super) fn local() -> Arc<dyn Host> {
    let host = ScriptHost::new(LocalConnection::new());
    let here = std::env::current_dir().ok();
    let here = here.and_then(|dir| dir.into_os_string().into_string().ok());
    Arc::new(match here {
        Some(dir) => host.work_dir(dir),
        None => host,
    })
}
