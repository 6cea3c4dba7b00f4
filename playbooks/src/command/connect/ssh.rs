//! The way to a host over SSH, from the inventory, the command line and the user's own files.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use evenkeel_engine::Secret;
use evenkeel_ssh::{
    Endpoint, Family, Gateways, HostKeys, Identity, KeyFiles, Methods, Patience, Route, Strictness,
    config::{
        AddressFamily, Config, ConfigError, Given, HostConfig, IdentityAgent, Machine, Proxy,
        Sources, StrictHostKeyChecking, Warning,
    },
};

use super::{
    args::{self, Said},
    overlay::Overlay,
    person::{Person, Terminal},
    vars::Vars,
};
use crate::{
    cli,
    command::{ansible_cfg::AnsibleCfg, load, password},
    diagnostic::Diagnostic,
    load::HostVars,
};

/// Gateways before gateways: more are a circle.
const DEEPEST: usize = 8;

/// What all hosts have in common.
pub(super) struct Ssh {
    person: Person,
    machine: Machine,
    private_key: Option<PathBuf>,
    cfg: AnsibleCfg,
    config_file: Option<PathBuf>,
    password: Option<Secret>,
    timeout: Option<u64>,
    reconnect: Duration,
    key_files: Arc<KeyFiles>,
    gateways: Arc<Gateways>,
    configs: RefCell<BTreeMap<Said, Arc<Config>>>,
    host_keys: RefCell<BTreeMap<Vec<PathBuf>, Arc<HostKeys>>>,
    warnings: RefCell<BTreeSet<Warning>>,
}

/// What the inventory and the command line say of a host, before the configuration.
struct Wish {
    given: Given,
    password: Option<Secret>,
    /// Whether its key matters.
    checked: bool,
}

impl Ssh {
    pub(super) fn new(options: &cli::Connection, cfg: AnsibleCfg) -> Result<Self, Diagnostic> {
        let person = Person::here();
        Ok(Self {
            machine: person.machine(),
            person,
            private_key: options.private_key.clone(),
            cfg,
            config_file: options.ssh_config.clone(),
            password: login_password(options)?,
            timeout: options.timeout,
            reconnect: Duration::from_secs(options.reconnect),
            key_files: Arc::new(KeyFiles::new(Terminal)),
            gateways: Arc::new(Gateways::new()),
            configs: RefCell::default(),
            host_keys: RefCell::default(),
            warnings: RefCell::default(),
        })
    }

    /// What in the configuration is not followed, of the hosts so far.
    pub(super) fn warnings(&self) -> Vec<Diagnostic> {
        let warnings = self.warnings.borrow();
        let shown = warnings.iter().map(|warning| {
            let text = format!("{}: {}", warning.place, warning.what);
            Diagnostic::nowhere("ssh_config", text).warning()
        });
        shown.collect()
    }

    pub(super) fn route(&self, host: &HostVars) -> Result<Route, Diagnostic> {
        let vars = Vars(host);
        let said = self.said(&vars)?;
        let config = self.config(&said)?;
        let name = vars.text(&["ansible_host", "ansible_ssh_host"])?;
        let name = name.unwrap_or_else(|| host.name.clone());
        let key = vars.text(&["ansible_ssh_private_key_file", "ansible_private_key_file"])?;
        let key = key.or_else(|| Some(self.private_key.as_ref()?.display().to_string()));
        let passwords = [
            "ansible_password",
            "ansible_ssh_pass",
            "ansible_ssh_password",
        ];
        let password = vars.secret(&passwords)?;
        let checked = ["ansible_ssh_host_key_checking", "ansible_host_key_checking"];
        let wish = Wish {
            given: Given {
                user: vars.text(&["ansible_user", "ansible_ssh_user"])?,
                port: vars.port(&["ansible_port", "ansible_ssh_port"])?,
                identity_files: key.into_iter().collect(),
            },
            password: password.or_else(|| self.password.clone()),
            checked: vars.flag(&checked)?.or(self.cfg.checked).unwrap_or(true),
        };
        let (found, endpoint) = self.endpoint(&config, &name, &wish)?;
        // Arguments are the host's: of gateways, as in ssh, the files alone speak.
        let files = self.config(&Said {
            lines: Vec::new(),
            ..said
        })?;
        let (gateways, command) = self.gateways(&files, &found.proxy, &wish, DEEPEST)?;
        let timeout = vars.number(&["ansible_ssh_timeout", "ansible_timeout"])?;
        let timeout = timeout.or(self.timeout).map(Duration::from_secs);
        let usual = Patience::default();
        Ok(Route {
            command,
            gateways,
            host: endpoint,
            patience: Patience {
                connect: timeout.or(found.connect_timeout).unwrap_or(usual.connect),
                keepalive: found.server_alive_interval.or(usual.keepalive),
                keepalives: usize::try_from(found.server_alive_count_max)
                    .unwrap_or(usual.keepalives),
                again: usual.again.min(self.reconnect),
                ..usual
            },
            key_files: Arc::clone(&self.key_files),
            shared: Arc::clone(&self.gateways),
        })
    }

    /// What the arguments of ssh say that the inventory has for a host.
    fn said(&self, vars: &Vars<'_>) -> Result<Said, Diagnostic> {
        let mut said = Said::default();
        for name in [
            "ansible_ssh_extra_args",
            "ansible_ssh_args",
            "ansible_ssh_common_args",
        ] {
            let text = vars.text(&[name])?;
            let Some(text) = text.or_else(|| self.cfg.args.get(name).cloned()) else {
                continue;
            };
            let more = args::read(&text).map_err(|what| {
                Diagnostic::nowhere(
                    "inventory",
                    format!("`{name}` of `{}` cannot be followed: {what}", vars.0.name),
                )
                .help(
                    "`-o KEYWORD=VALUE`, `-J`, `-i`, `-l`, `-p`, `-F` are; with `ansible_connection: \
                     openssh` the system's ssh gets all of them",
                )
            })?;
            said.lines.extend(more.lines);
            said.file = said.file.or(more.file);
        }
        let config_file = self.config_file.as_ref();
        said.file = said
            .file
            .or_else(|| Some(config_file?.display().to_string()));
        Ok(said)
    }

    /// The configuration, with arguments before it.
    fn config(&self, said: &Said) -> Result<Arc<Config>, Diagnostic> {
        if let Some(config) = self.configs.borrow().get(said) {
            return Ok(Arc::clone(config));
        }
        let overlay = Overlay::new(said, &self.machine.home);
        let sources = match (&said.file, said.lines.is_empty()) {
            (None, true) => Sources::Usual,
            (Some(file), true) => Sources::Only(file.clone()),
            (_, false) => Sources::Only(Overlay::name().to_owned()),
        };
        let config =
            Config::read(&sources, &overlay, &self.machine).map_err(|error| wrong(&error))?;
        let config = Arc::new(config);
        self.configs
            .borrow_mut()
            .insert(said.clone(), Arc::clone(&config));
        Ok(config)
    }

    fn endpoint(
        &self,
        config: &Config,
        name: &str,
        wish: &Wish,
    ) -> Result<(HostConfig, Endpoint), Diagnostic> {
        let found = config.resolve(name, &wish.given, &self.machine);
        let found = found.map_err(|error| wrong(&error))?;
        self.warnings
            .borrow_mut()
            .extend(found.warnings.iter().cloned());
        let bind = found.bind_address.as_deref().map(|text| {
            text.parse().map_err(|_| {
                Diagnostic::nowhere(
                    "ssh_config",
                    format!("`BindAddress {text}` of `{name}` is no address"),
                )
                .help("write it as numbers")
            })
        });
        let files = found.identity_files.iter();
        let identities = files.map(|file| Identity {
            file: PathBuf::from(file),
            named: found.identity_files_chosen,
        });
        let endpoint = Endpoint {
            host: found.host.clone(),
            port: found.port,
            family: match found.address_family {
                AddressFamily::Any => Family::Any,
                AddressFamily::Inet => Family::V4,
                AddressFamily::Inet6 => Family::V6,
            },
            bind: bind.transpose()?,
            key_alias: found.host_key_alias.clone(),
            user: found.user.clone(),
            identities: identities.collect(),
            certificates: found.certificate_files.iter().map(PathBuf::from).collect(),
            agent: match &found.identity_agent {
                IdentityAgent::Environment => self.person.agent.clone(),
                IdentityAgent::Nobody => None,
                IdentityAgent::Socket(path) => Some(PathBuf::from(path)),
            },
            identities_only: found.identities_only,
            password: wish.password.clone(),
            methods: Methods {
                keys: found.pubkey_authentication,
                password: found.password_authentication,
                questions: found.kbd_interactive_authentication,
            },
            host_keys: self.known(&found),
            strictness: match (wish.checked, found.strict_host_key_checking) {
                (false, _) | (true, StrictHostKeyChecking::No) => Strictness::Off,
                (true, StrictHostKeyChecking::AcceptNew) => Strictness::AcceptNew,
                (true, StrictHostKeyChecking::Yes | StrictHostKeyChecking::Ask) => Strictness::Yes,
            },
        };
        Ok((found, endpoint))
    }

    /// The way to the first machine, and the machines in between.
    fn gateways(
        &self,
        config: &Config,
        proxy: &Proxy,
        wish: &Wish,
        deepest: usize,
    ) -> Result<(Vec<Endpoint>, Option<String>), Diagnostic> {
        let jumps = match proxy {
            Proxy::Direct => return Ok((Vec::new(), None)),
            Proxy::Command(command) => return Ok((Vec::new(), Some(command.clone()))),
            Proxy::Jump(jumps) => jumps,
        };
        if deepest == 0 {
            return Err(Diagnostic::nowhere(
                "ssh_config",
                "gateways lead through each other in a circle",
            )
            .help("look at `ProxyJump` in the configuration of ssh"));
        }
        let mut before = None;
        let mut all = Vec::new();
        for jump in jumps {
            let there = Wish {
                given: Given {
                    user: jump.user.clone(),
                    port: jump.port,
                    identity_files: Vec::new(),
                },
                // It is the host's, not the gateway's.
                password: None,
                checked: wish.checked,
            };
            let (found, endpoint) = self.endpoint(config, &jump.host, &there)?;
            if before.is_none() {
                before = Some(self.gateways(config, &found.proxy, &there, deepest - 1)?);
            }
            all.push(endpoint);
        }
        let (mut first, command) = before.unwrap_or_default();
        first.extend(all);
        Ok((first, command))
    }

    fn known(&self, found: &HostConfig) -> Arc<HostKeys> {
        let files = found.user_known_hosts_files.iter();
        let files = files.chain(&found.global_known_hosts_files);
        let files: Vec<PathBuf> = files.map(PathBuf::from).collect();
        let mut all = self.host_keys.borrow_mut();
        let made = all
            .entry(files.clone())
            .or_insert_with(|| Arc::new(HostKeys::new(files).hash_names(found.hash_known_hosts)));
        Arc::clone(made)
    }
}

fn wrong(error: &ConfigError) -> Diagnostic {
    Diagnostic::nowhere("ssh_config", error.to_string())
        .help("correct it there, or name another file by `--ssh-config`")
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
