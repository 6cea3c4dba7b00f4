//! What keywords say of the way to a host (`connection`, `remote_user`, `port`).

use std::collections::BTreeMap;

use super::{Target, keywords, listing::Entry, scope};
use crate::{ast::Common, files::Spanned, template::Fault, vars::Scope};

/// How a host is logged in to, as far as keywords say it: the inventory wins over it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Login {
    /// `connection`.
    pub(crate) connection: Option<String>,
    /// `remote_user`.
    pub(crate) user: Option<String>,
    /// `port`.
    pub(crate) port: Option<u32>,
}

impl Login {
    /// What the innermost keywords say, the outermost first.
    pub(super) fn of(commons: &[&Common], scope: &Scope) -> Result<Self, Fault> {
        let inner = || commons.iter().rev();
        let text = |get: fn(&Common) -> Option<&Spanned<String>>| {
            for word in inner().filter_map(|common| get(common)) {
                if let Some(text) = keywords::text_unless_omitted(word, scope)? {
                    return Ok(Some(text));
                }
            }
            Ok(None)
        };
        let connection = text(|common| common.connection.as_ref())?;
        Ok(Self {
            connection: connection
                .map(|name| name.trim_start_matches("ansible.builtin.").to_owned()),
            user: text(|common| common.remote_user.as_ref())?,
            port: inner()
                .find_map(|common| common.port.as_ref())
                .map(|port| keywords::port(port, scope))
                .transpose()?,
        })
    }

    /// Without what the inventory says of a host.
    fn unless_written(mut self, scope: &Scope) -> Self {
        if scope.is_written("ansible_connection") {
            self.connection = None;
        }
        if scope.is_written("ansible_user") {
            self.user = None;
        }
        if scope.is_written("ansible_port") {
            self.port = None;
        }
        self
    }

    /// Whether there is no difference: ssh is what hosts are reached over where nothing else is said.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let named = |login: &Self| {
            let ssh = ["ssh", "smart", "paramiko", "paramiko_ssh"];
            login
                .connection
                .clone()
                .filter(|name| !ssh.contains(&name.as_str()))
        };
        named(self) == named(other) && self.user == other.user && self.port == other.port
    }

    /// Whether it is the machine that we run on.
    pub(super) fn is_here(&self) -> bool {
        self.connection.as_deref() == Some("local")
    }
}

/// What a play says of the way to a host.
pub(crate) fn of_play(target: &Target<'_>, host: &str) -> Result<Login, Fault> {
    let levels = &target.levels;
    let scope = levels.scope(std::sync::Arc::clone(&target.world), host, &target.shown);
    Ok(Login::of(&[&target.play.common], &scope)?.unless_written(&scope))
}

/// What is said of a task's way to its host.
pub(super) fn of_task(target: &Target<'_>, entry: &Entry<'_>, host: &str) -> Result<Login, Fault> {
    let scope = scope(target, entry, host);
    Ok(Login::of(&entry.commons, &scope)?.unless_written(&scope))
}

/// How hosts are logged in to: as the first play says that is for them. Tasks for which something else is said have a way
/// of their own.
pub(crate) type Logins = BTreeMap<String, Login>;

/// By host. Mistakes are told when tasks are lowered.
pub(crate) fn all(targets: &[Target<'_>]) -> Logins {
    let mut logins = Logins::new();
    for target in targets {
        for host in &target.world.play_hosts {
            if !logins.contains_key(host) {
                let login = of_play(target, host).unwrap_or_default();
                logins.insert(host.clone(), login);
            }
        }
    }
    logins
}
