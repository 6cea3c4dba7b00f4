//! The ways to a host that need no SSH of ours: the system's `ssh`, containers, directories.

use std::{path::PathBuf, sync::Arc, time::Duration};

use evenkeel_engine::{Connection, ScriptHost, host::Host};
use evenkeel_ssh::{OpensshConnection, OpensshOptions, WrappedConnection};

use super::{person::Person, vars::Vars};
use crate::{cli, diagnostic::Diagnostic};

/// The host's own name for what is entered.
const ADDRESS: [&str; 2] = ["ansible_host", "ansible_ssh_host"];

/// What the command line says to all hosts.
pub(super) struct Others {
    person: Person,
    options: OpensshOptions,
    /// Whether a password is given to log in with.
    password: bool,
}

impl Others {
    pub(super) fn new(options: &cli::Connection) -> Self {
        let mut ssh = OpensshOptions::to("");
        ssh.identity_file.clone_from(&options.private_key);
        ssh.config.clone_from(&options.ssh_config);
        ssh.temporary = std::env::temp_dir();
        if let Some(seconds) = options.timeout {
            ssh.connect_timeout = Duration::from_secs(seconds);
        }
        Self {
            person: Person::here(),
            options: ssh,
            password: options.ask_pass || options.connection_password_file.is_some(),
        }
    }

    /// Over the system's `ssh`. What neither the inventory nor the command line says is for its
    /// configuration to say.
    pub(super) fn openssh(&self, vars: &Vars<'_>) -> Result<Arc<dyn Host>, Diagnostic> {
        let mut options = self.options.clone();
        let passwords = [
            "ansible_password",
            "ansible_ssh_pass",
            "ansible_ssh_password",
        ];
        if self.password || vars.secret(&passwords)?.is_some() {
            return Err(Diagnostic::nowhere(
                "inventory",
                format!(
                    "`{}` cannot be given a password over `openssh`",
                    vars.0.name
                ),
            )
            .help("log in by key or agent, or use `ansible_connection: ssh`, which can"));
        }
        options.host = address(vars)?;
        options.user = vars
            .text(&["ansible_user", "ansible_ssh_user"])?
            .or(options.user);
        options.port = vars.port(&["ansible_port", "ansible_ssh_port"])?;
        let key = vars.text(&["ansible_ssh_private_key_file", "ansible_private_key_file"])?;
        if let Some(key) = key {
            options.identity_file = Some(self.path(&key));
        }
        if let Some(program) = vars.text(&["ansible_ssh_executable"])? {
            options.program = program.into();
        }
        if let Some(seconds) = vars.number(&["ansible_ssh_timeout", "ansible_timeout"])? {
            options.connect_timeout = Duration::from_secs(seconds);
        }
        for name in [
            "ansible_ssh_extra_args",
            "ansible_ssh_args",
            "ansible_ssh_common_args",
        ] {
            let words = words(vars, name)?;
            options.arguments.extend(words.into_iter().map(Into::into));
        }
        let checked = ["ansible_ssh_host_key_checking", "ansible_host_key_checking"];
        if vars.flag(&checked)? == Some(false) {
            options.arguments.push("-oStrictHostKeyChecking=no".into());
        }
        Ok(over(OpensshConnection::new(options)))
    }

    /// Into a container, by `docker` or `podman`.
    pub(super) fn container(vars: &Vars<'_>, program: &str) -> Result<Arc<dyn Host>, Diagnostic> {
        let (executable, arguments, user): (_, _, [&'static str; 3]) = match program {
            "docker" => (
                "ansible_docker_command",
                "ansible_docker_extra_args",
                ["ansible_docker_user", "ansible_user", "ansible_ssh_user"],
            ),
            _ => (
                "ansible_podman_executable",
                "ansible_podman_extra_args",
                ["ansible_podman_user", "ansible_user", "ansible_ssh_user"],
            ),
        };
        let program = vars
            .text(&[executable])?
            .unwrap_or_else(|| program.to_owned());
        Ok(over(WrappedConnection::container(
            program,
            &words(vars, arguments)?,
            &address(vars)?,
            vars.text(&user)?.as_deref(),
        )))
    }

    /// A path as people write it: `~/` is the home directory.
    fn path(&self, text: &str) -> PathBuf {
        match (text.strip_prefix("~/"), &self.person.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(text),
        }
    }

    /// Into a directory with a system in it.
    pub(super) fn chroot(&self, vars: &Vars<'_>) -> Result<Arc<dyn Host>, Diagnostic> {
        let program = vars.text(&["ansible_chroot_exe"])?;
        let program = program.unwrap_or_else(|| "chroot".to_owned());
        let dir = self.path(&address(vars)?);
        Ok(over(WrappedConnection::chroot(program, dir)))
    }
}

/// The name or address, the container, the directory.
fn address(vars: &Vars<'_>) -> Result<String, Diagnostic> {
    let address = vars.text(&ADDRESS)?;
    Ok(address.unwrap_or_else(|| vars.0.name.clone()))
}

/// A variable that holds arguments.
fn words(vars: &Vars<'_>, name: &'static str) -> Result<Vec<String>, Diagnostic> {
    let Some(text) = vars.text(&[name])? else {
        return Ok(Vec::new());
    };
    shlex::split(&text).ok_or_else(|| {
        Diagnostic::nowhere(
            "inventory",
            format!("`{name}` of `{}`: a quote is not closed", vars.0.name),
        )
        .help("close it")
    })
}

fn over(connection: impl Connection + 'static) -> Arc<dyn Host> {
    Arc::new(ScriptHost::new(connection))
}
