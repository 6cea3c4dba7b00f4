//! The way to a host over SSH, from the inventory, the command line and the user's own files.

use std::{path::PathBuf, sync::Arc, time::Duration};

use evenkeel_engine::{Secret, Value};
use evenkeel_ssh::{
    Endpoint, HostKeys, Identity, KeyFiles, KnownHostsFiles, Patience, Route, Strictness,
};

use super::person::{Person, Terminal};
use crate::{
    cli,
    command::{load, password},
    diagnostic::Diagnostic,
    load::HostVars,
};

/// The key files that ssh tries because they are there.
const USUAL_KEYS: [&str; 3] = ["~/.ssh/id_rsa", "~/.ssh/id_ecdsa", "~/.ssh/id_ed25519"];

/// What all hosts have in common.
pub(super) struct Ssh {
    person: Person,
    private_key: Option<PathBuf>,
    password: Option<Secret>,
    timeout: Option<u64>,
    key_files: Arc<KeyFiles>,
    host_keys: Arc<dyn HostKeys>,
}

impl Ssh {
    pub(super) fn new(options: &cli::Connection) -> Result<Self, Diagnostic> {
        let person = Person::here();
        let known = ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"].map(|file| person.path(file));
        let system = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"].map(PathBuf::from);
        let host_keys = KnownHostsFiles {
            files: known.into_iter().chain(system).collect(),
        };
        Ok(Self {
            person,
            private_key: options.private_key.clone(),
            password: login_password(options)?,
            timeout: options.timeout,
            key_files: Arc::new(KeyFiles::new(Terminal)),
            host_keys: Arc::new(host_keys),
        })
    }

    pub(super) fn route(&self, host: &HostVars) -> Result<Route, Diagnostic> {
        let vars = Vars(host);
        let key = vars.text(&["ansible_ssh_private_key_file", "ansible_private_key_file"])?;
        let key = key.map(|key| self.person.path(&key));
        let named = key.or_else(|| self.private_key.clone());
        let mut identities: Vec<Identity> = Vec::new();
        match named {
            Some(file) => identities.push(Identity {
                file,
                certificate: None,
                named: true,
            }),
            None => identities.extend(USUAL_KEYS.iter().map(|file| Identity {
                file: self.person.path(file),
                certificate: None,
                named: false,
            })),
        }
        let password = vars.secret(&[
            "ansible_password",
            "ansible_ssh_pass",
            "ansible_ssh_password",
        ])?;
        let checked = vars.flag(&["ansible_ssh_host_key_checking", "ansible_host_key_checking"])?;
        let timeout = vars.number(&["ansible_ssh_timeout", "ansible_timeout"])?;
        let endpoint = Endpoint {
            host: vars
                .text(&["ansible_host", "ansible_ssh_host"])?
                .unwrap_or_else(|| host.name.clone()),
            port: match vars.number(&["ansible_port", "ansible_ssh_port"])? {
                Some(port) => u16::try_from(port)
                    .map_err(|_| vars.wrong("ansible_port", "a port: a number up to 65535"))?,
                None => 22,
            },
            key_alias: None,
            user: vars
                .text(&["ansible_user", "ansible_ssh_user"])?
                .unwrap_or_else(|| self.person.name.clone()),
            identities,
            agent: self.person.agent.clone(),
            identities_only: false,
            password: password.or_else(|| self.password.clone()),
            host_keys: Arc::clone(&self.host_keys),
            strictness: match checked {
                Some(false) => Strictness::Off,
                _ => Strictness::Yes,
            },
        };
        let mut patience = Patience::default();
        if let Some(seconds) = timeout.or(self.timeout) {
            patience.connect = Duration::from_secs(seconds);
        }
        Ok(Route {
            gateways: Vec::new(),
            host: endpoint,
            patience,
            key_files: Arc::clone(&self.key_files),
        })
    }
}

/// The password that the command line gives for the login.
fn login_password(options: &cli::Connection) -> Result<Option<Secret>, Diagnostic> {
    if options.ask_pass {
        let other = "`--connection-password-file FILE` takes it from a file";
        return load::ask_for("password of the login", other).map(Some);
    }
    let Some(path) = &options.connection_password_file else {
        return Ok(None);
    };
    password::from_file(path).map(Some).map_err(|error| {
        Diagnostic::nowhere(
            "option",
            format!(
                "the password in `{}` cannot be read: {error}",
                path.display()
            ),
        )
        .help("name a file with the password as its first line, or a program that prints it")
    })
}

/// A host's variables, as what they must be.
struct Vars<'a>(&'a HostVars);

impl Vars<'_> {
    fn first(&self, names: &[&'static str]) -> Option<(&'static str, &Value)> {
        let mut names = names.iter();
        names.find_map(|name| Some((*name, self.0.vars.get(*name)?)))
    }

    fn wrong(&self, name: &str, want: &str) -> Diagnostic {
        Diagnostic::nowhere(
            "inventory",
            format!("`{name}` of `{}` is not {want}", self.0.name),
        )
        .help("correct it in the inventory, in `host_vars` or `group_vars`")
    }

    fn text(&self, names: &[&'static str]) -> Result<Option<String>, Diagnostic> {
        match self.first(names) {
            None | Some((_, Value::Null)) => Ok(None),
            Some((_, Value::Str(text))) if text.is_empty() => Ok(None),
            Some((_, Value::Str(text))) => Ok(Some(text.clone())),
            Some((_, Value::Int(number))) => Ok(Some(number.to_string())),
            Some((name, _)) => Err(self.wrong(name, "a text")),
        }
    }

    fn secret(&self, names: &[&'static str]) -> Result<Option<Secret>, Diagnostic> {
        match self.first(names) {
            Some((_, Value::Secret(secret))) => Ok(Some(secret.clone())),
            _ => Ok(self.text(names)?.map(Secret::new)),
        }
    }

    fn number(&self, names: &[&'static str]) -> Result<Option<u64>, Diagnostic> {
        let Some((name, _)) = self.first(names) else {
            return Ok(None);
        };
        let text = self.text(names)?;
        text.map(|text| {
            text.trim()
                .parse()
                .map_err(|_| self.wrong(name, "a number"))
        })
        .transpose()
    }

    fn flag(&self, names: &[&'static str]) -> Result<Option<bool>, Diagnostic> {
        match self.first(names) {
            None | Some((_, Value::Null)) => Ok(None),
            Some((_, Value::Bool(flag))) => Ok(Some(*flag)),
            Some((_, Value::Str(text)))
                if ["true", "yes", "on", "1"].contains(&text.to_lowercase().as_str()) =>
            {
                Ok(Some(true))
            }
            Some((_, Value::Str(text)))
                if ["false", "no", "off", "0"].contains(&text.to_lowercase().as_str()) =>
            {
                Ok(Some(false))
            }
            Some((name, _)) => Err(self.wrong(name, "a truth value")),
        }
    }
}
