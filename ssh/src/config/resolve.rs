//! What the lines mean for one host.

use std::{collections::BTreeSet, time::Duration};

use super::{
    ConfigError, Given, Machine, Warning,
    expand::{self, Tokens},
    host::{AddressFamily, ForwardAgent, HostConfig, IdentityAgent, Proxy, StrictHostKeyChecking},
    keyword::Ignored,
    matching::{self, Answer, Facts},
    options::{Options, ProxySetting, Said},
    read::{Entry, Item},
    value::{self, Setting},
};
use crate::{pattern, place::Place};

/// Key files where none is named, relative to `~/.ssh`.
const IDENTITIES: [&str; 7] = [
    "id_rsa",
    "id_ecdsa",
    "id_ecdsa_sk",
    "id_ed25519",
    "id_ed25519_sk",
    "id_xmss",
    "id_dsa",
];

/// Reads the lines from top to bottom, the user's first, and again if they ask for it.
pub(super) fn resolve(
    user: &[Entry],
    system: &[Entry],
    host: &str,
    given: &Given,
    machine: &Machine,
) -> Result<HostConfig, ConfigError> {
    let mut walk = Walk {
        machine,
        original: host,
        options: options(given),
        warnings: BTreeSet::new(),
        system: false,
        second: false,
        again: false,
    };
    walk.files(user, system)?;
    if walk.again {
        let place = walk
            .options
            .host_name
            .as_ref()
            .map(|said| said.place.clone());
        walk.options.host_name = Some(Said {
            value: walk.host()?.to_ascii_lowercase().replace('%', "%%"),
            place: place.unwrap_or_else(nowhere),
        });
        walk.second = true;
        walk.files(user, system)?;
    }
    walk.finish(given)
}

/// What is given counts as if it stood before all files.
fn options(given: &Given) -> Options {
    let mut options = Options::default();
    let place = nowhere();
    if let Some(user) = &given.user {
        options.take(&Setting::User(user.clone()), &place);
    }
    if let Some(port) = given.port {
        options.take(&Setting::Port(port), &place);
    }
    options
}

/// Where what is given stands.
fn nowhere() -> Place {
    Place {
        file: "the settings of the host".into(),
        line: 1,
    }
}

struct Walk<'a> {
    machine: &'a Machine,
    original: &'a str,
    options: Options,
    warnings: BTreeSet<Warning>,
    /// Whether the system's files are read.
    system: bool,
    /// Whether it is the second time.
    second: bool,
    /// Whether a second time is asked for.
    again: bool,
}

impl Walk<'_> {
    fn files(&mut self, user: &[Entry], system: &[Entry]) -> Result<(), ConfigError> {
        self.system = false;
        self.entries(user, true)?;
        self.system = true;
        self.entries(system, true)
    }

    /// Follows the lines of a file. If it is `active` and they are for the host, they count.
    fn entries(&mut self, entries: &[Entry], active: bool) -> Result<(), ConfigError> {
        let file_active = active;
        let mut active = active;
        for Entry { place, item } in entries {
            match item {
                Item::Host(patterns) => {
                    let patterns = patterns.iter().map(String::as_str);
                    active = file_active && pattern::list_matches(patterns, self.original);
                }
                Item::Match(criteria) => {
                    active = file_active && self.holds(criteria, place)?;
                }
                Item::Include(files) => {
                    for file in files {
                        self.entries(file, active)?;
                    }
                }
                Item::Set(setting) if active => {
                    self.options.take(setting, place);
                    self.warn(setting, place);
                }
                Item::Set(_) => {}
            }
        }
        Ok(())
    }

    fn holds(
        &mut self,
        criteria: &[matching::Criterion],
        place: &Place,
    ) -> Result<bool, ConfigError> {
        self.again |= matching::ask_again(criteria);
        let host = self.host()?;
        let user = self.options.user.as_ref();
        let facts = Facts {
            host: &host,
            original: self.original,
            user: user.map_or(&self.machine.user, |said| &said.value),
            local_user: &self.machine.user,
            second: self.second,
        };
        match matching::judge(criteria, &facts) {
            Answer::Holds => Ok(true),
            Answer::Fails => Ok(false),
            Answer::Cannot(condition) => {
                self.warnings.insert(Warning {
                    place: place.clone(),
                    what: format!(
                        "the condition `{condition}` is not looked at, and what follows it does \
                         not count; `ansible_connection: openssh` has ssh itself judge it"
                    ),
                });
                Ok(false)
            }
        }
    }

    fn warn(&mut self, setting: &Setting, place: &Place) {
        let Setting::Ignored {
            keyword,
            value,
            means,
        } = setting
        else {
            return;
        };
        let ignored = self.options.ignore_unknown.as_ref().is_some_and(|said| {
            pattern::list_matches(said.value.iter().map(String::as_str), keyword)
        });
        let what = match means {
            Ignored::Harmless => return,
            Ignored::Algorithms if self.system => return,
            Ignored::Matters(off) if off.contains(&value.to_ascii_lowercase().as_str()) => return,
            Ignored::Unknown if ignored => return,
            Ignored::Unknown => format!("`{keyword}` is no option of ssh that is known here"),
            Ignored::Algorithms | Ignored::Matters(_) => format!(
                "`{keyword}` is not followed; if the host needs it, `ansible_connection: openssh` \
                 has ssh itself connect"
            ),
        };
        self.warnings.insert(Warning {
            place: place.clone(),
            what,
        });
    }

    /// The host to connect to, as far as is known.
    fn host(&self) -> Result<String, ConfigError> {
        let Some(said) = &self.options.host_name else {
            return Ok(self.original.to_owned());
        };
        let tokens = Tokens {
            machine: self.machine,
            host: self.original,
            original: self.original,
            port: 22,
            user: "",
            alias: None,
            jump: "",
        };
        at(&said.place, tokens.expand(&said.value, "h"))
    }

    fn finish(self, given: &Given) -> Result<HostConfig, ConfigError> {
        // ssh writes the host and its alias in small letters once all is read.
        let host = self.host()?.to_ascii_lowercase();
        let Self {
            machine,
            original,
            options,
            warnings,
            ..
        } = self;
        let user = options
            .user
            .map_or_else(|| machine.user.clone(), |said| said.value);
        let port = options.port.map_or(22, |said| said.value);
        let host_key_alias = options
            .host_key_alias
            .map(|said| said.value.to_ascii_lowercase());
        let mut tokens = Tokens {
            machine,
            host: &host,
            original,
            port,
            user: &user,
            alias: host_key_alias.as_deref(),
            jump: "",
        };
        let proxy = proxy(options.proxy.as_ref(), &tokens)?;
        if let (Proxy::Jump(_), Some(ProxySetting::Jump(text))) =
            (&proxy, options.proxy.as_ref().map(|said| &said.value))
        {
            tokens.jump = text;
        }
        let paths = Paths { tokens };
        let mut identity_files = given.identity_files.clone();
        identity_files.extend(paths.all(&options.identity_files)?);
        let chosen = !given.identity_files.is_empty() || !options.identity_files.is_empty();
        if !chosen {
            identity_files = IDENTITIES
                .map(|name| format!("{}/.ssh/{name}", machine.home))
                .into();
        }
        let seconds = |seconds: u64| (seconds > 0).then(|| Duration::from_secs(seconds));
        Ok(HostConfig {
            port,
            address_family: options
                .address_family
                .map_or(AddressFamily::Any, |said| said.value),
            bind_address: options.bind_address.map(|said| said.value),
            proxy,
            connect_timeout: options.connect_timeout.and_then(|said| seconds(said.value)),
            connection_attempts: options
                .connection_attempts
                .map_or(1, |said| said.value.max(1)),
            server_alive_interval: options
                .server_alive_interval
                .and_then(|said| seconds(said.value)),
            server_alive_count_max: options.server_alive_count_max.map_or(3, |said| said.value),
            identity_files,
            identity_files_chosen: chosen,
            certificate_files: paths.all(&options.certificate_files)?,
            identities_only: options.identities_only.is_some_and(|said| said.value),
            identity_agent: paths.identity_agent(options.identity_agent.as_ref())?,
            forward_agent: paths.forward_agent(options.forward_agent.as_ref())?,
            pubkey_authentication: options.pubkey.is_none_or(|said| said.value),
            password_authentication: options.password.is_none_or(|said| said.value),
            kbd_interactive_authentication: options.kbd_interactive.is_none_or(|said| said.value),
            preferred_authentications: options.preferred.map_or_else(Vec::new, |said| said.value),
            strict_host_key_checking: options
                .strict
                .map_or(StrictHostKeyChecking::Ask, |said| said.value),
            user_known_hosts_files: paths.user_known_hosts(options.user_known_hosts.as_ref())?,
            global_known_hosts_files: global_known_hosts(options.global_known_hosts, machine),
            check_host_ip: options.check_host_ip.is_some_and(|said| said.value),
            hash_known_hosts: options.hash_known_hosts.is_some_and(|said| said.value),
            warnings: warnings.into_iter().collect(),
            host_key_alias: host_key_alias.clone(),
            user: user.clone(),
            host: host.clone(),
        })
    }
}

/// Expands paths.
struct Paths<'a> {
    tokens: Tokens<'a>,
}

impl Paths<'_> {
    /// `none` names no file.
    fn all(&self, files: &[Said<String>]) -> Result<Vec<String>, ConfigError> {
        files
            .iter()
            .filter(|said| !said.value.eq_ignore_ascii_case("none"))
            .map(|said| at(&said.place, self.tokens.path(&said.value)))
            .collect()
    }

    fn user_known_hosts(
        &self,
        said: Option<&Said<Vec<String>>>,
    ) -> Result<Vec<String>, ConfigError> {
        let Some(said) = said else {
            let home = &self.tokens.machine.home;
            let usual = ["known_hosts", "known_hosts2"];
            return Ok(usual.map(|name| format!("{home}/.ssh/{name}")).into());
        };
        let files = said
            .value
            .iter()
            .filter(|file| !file.eq_ignore_ascii_case("none"));
        files
            .map(|file| at(&said.place, self.tokens.path(file)))
            .collect()
    }

    fn identity_agent(&self, said: Option<&Said<String>>) -> Result<IdentityAgent, ConfigError> {
        let Some(said) = said else {
            return Ok(IdentityAgent::Environment);
        };
        Ok(match said.value.as_str() {
            "SSH_AUTH_SOCK" => IdentityAgent::Environment,
            none if none.eq_ignore_ascii_case("none") => IdentityAgent::Nobody,
            text => match self.socket(said, text)? {
                Some(path) => IdentityAgent::Socket(path),
                None => IdentityAgent::Nobody,
            },
        })
    }

    fn forward_agent(&self, said: Option<&Said<String>>) -> Result<ForwardAgent, ConfigError> {
        let Some(said) = said else {
            return Ok(ForwardAgent::No);
        };
        Ok(match said.value.to_ascii_lowercase().as_str() {
            "no" | "false" => ForwardAgent::No,
            "yes" | "true" => ForwardAgent::Yes,
            _ => match self.socket(said, &said.value)? {
                Some(path) => ForwardAgent::Socket(path),
                None => ForwardAgent::No,
            },
        })
    }

    /// A path, or `$VARIABLE` that holds one; nothing where it is not set.
    fn socket(&self, said: &Said<String>, text: &str) -> Result<Option<String>, ConfigError> {
        match text.strip_prefix('$') {
            Some(name) if !name.starts_with('{') => Ok(self.tokens.machine.env.get(name).cloned()),
            _ => at(&said.place, self.tokens.path(text)).map(Some),
        }
    }
}

fn global_known_hosts(said: Option<Said<Vec<String>>>, machine: &Machine) -> Vec<String> {
    let Some(said) = said else {
        let usual = ["ssh_known_hosts", "ssh_known_hosts2"];
        return usual.map(|name| format!("/etc/ssh/{name}")).into();
    };
    let files = said
        .value
        .into_iter()
        .filter(|file| !file.eq_ignore_ascii_case("none"));
    files.map(|file| expand::home(&file, machine)).collect()
}

fn proxy(said: Option<&Said<ProxySetting>>, tokens: &Tokens<'_>) -> Result<Proxy, ConfigError> {
    let Some(said) = said else {
        return Ok(Proxy::Direct);
    };
    match &said.value {
        ProxySetting::Command(text) if text.eq_ignore_ascii_case("none") => Ok(Proxy::Direct),
        ProxySetting::Command(text) => {
            for name in [tokens.host, tokens.original, tokens.user] {
                at(&said.place, fit_for_a_shell(name))?;
            }
            at(&said.place, tokens.expand(text, "CdhijkLlnpru")).map(Proxy::Command)
        }
        ProxySetting::Jump(text) => {
            let text = at(&said.place, tokens.expand(text, "hnpr"))?;
            let jumps = at(&said.place, value::jumps(&text))?;
            Ok(if jumps.is_empty() {
                Proxy::Direct
            } else {
                Proxy::Jump(jumps)
            })
        }
    }
}

/// A name that goes into a command which a shell reads must not mean anything to it.
fn fit_for_a_shell(name: &str) -> Result<(), String> {
    let bad =
        |char: char| char.is_whitespace() || char.is_control() || "'`\"$\\;&<>|(){}".contains(char);
    if name.starts_with('-') || name.contains(bad) {
        return Err(format!(
            "the proxy's command would get the name `{}`, which means something to a shell",
            name.escape_debug()
        ));
    }
    Ok(())
}

/// Gives an error its place.
fn at<T>(place: &Place, result: Result<T, String>) -> Result<T, ConfigError> {
    result.map_err(|what| ConfigError {
        place: place.clone(),
        what,
    })
}
