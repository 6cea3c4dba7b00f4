//! `ansible.cfg` and variables of the environment whose names begin with `ANSIBLE_`: what has a meaning here is followed,
//! and anything else is named.

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
};

use super::keys::home;
use crate::{
    cli,
    diagnostic::Diagnostic,
    files::Files,
    settings::{self, Around, Settings, Ssh},
    words::list,
};

/// What it says, for hosts of which neither the inventory nor the command line says anything else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct AnsibleCfg {
    pub(super) user: Option<String>,
    private_key: Option<PathBuf>,
    timeout: Option<u64>,
    /// Whether keys of hosts matter.
    pub(super) checked: Option<bool>,
    /// Where roles are looked for.
    roles_path: Vec<String>,
    /// Arguments of ssh, by the name that they have in an inventory.
    pub(super) args: BTreeMap<&'static str, String>,
    /// Where the password of vaults is.
    vault_password_file: Option<String>,
    /// Vault ids, with where their passwords are.
    vault_identity_list: Option<String>,
    /// What is said of playbooks and hosts.
    settings: Settings,
    /// The same by the environment, which wins over `evenkeel.yml` too.
    over: Settings,
    /// What is not followed.
    passed_over: Vec<String>,
    /// Variables of the environment that are not followed.
    unused: Vec<String>,
    /// The file.
    path: PathBuf,
}

/// Of no meaning here: how ssh shares connections and carries files is ours to decide.
const IDLE: [&str; 9] = [
    "control_path",
    "control_path_dir",
    "pipelining",
    "retries",
    "scp_extra_args",
    "scp_if_ssh",
    "sftp_batch_mode",
    "sftp_extra_args",
    "transfer_method",
];

/// Variables of the environment that are followed, with the section and the name that they have in the file.
const VARIABLES: [(&str, &str, &str); 13] = [
    ("ANSIBLE_INVENTORY", "defaults", "inventory"),
    ("ANSIBLE_FORKS", "defaults", "forks"),
    ("ANSIBLE_REMOTE_USER", "defaults", "remote_user"),
    ("ANSIBLE_PRIVATE_KEY_FILE", "defaults", "private_key_file"),
    ("ANSIBLE_TIMEOUT", "defaults", "timeout"),
    ("ANSIBLE_HOST_KEY_CHECKING", "defaults", "host_key_checking"),
    ("ANSIBLE_BECOME", "privilege_escalation", "become"),
    ("ANSIBLE_BECOME_USER", "privilege_escalation", "become_user"),
    (
        "ANSIBLE_BECOME_METHOD",
        "privilege_escalation",
        "become_method",
    ),
    ("ANSIBLE_SSH_ARGS", "ssh_connection", "ssh_args"),
    (
        "ANSIBLE_SSH_COMMON_ARGS",
        "ssh_connection",
        "ssh_common_args",
    ),
    ("ANSIBLE_SSH_EXTRA_ARGS", "ssh_connection", "ssh_extra_args"),
    ("ANSIBLE_SSH_TIMEOUT", "defaults", "timeout"),
];

/// Variables that are read elsewhere, or that only say how Ansible's own programs print and where they are.
const OTHERS: [&str; 12] = [
    "ANSIBLE_CONFIG",
    "ANSIBLE_FORCE_COLOR",
    "ANSIBLE_HOME",
    "ANSIBLE_LOCAL_TEMP",
    "ANSIBLE_NOCOLOR",
    "ANSIBLE_NOCOWS",
    "ANSIBLE_PIPELINING",
    "ANSIBLE_REMOTE_TEMP",
    "ANSIBLE_ROLES_PATH",
    "ANSIBLE_SSH_PIPELINING",
    "ANSIBLE_VAULT_IDENTITY_LIST",
    "ANSIBLE_VAULT_PASSWORD_FILE",
];

impl AnsibleCfg {
    /// What is said here, with the settings of a playbook's project over the file and the environment over both.
    pub(super) fn of(playbook: &Path) -> Result<Self, Diagnostic> {
        let mut said = Self::here()?;
        // What is wrong with the settings is said when the playbook is loaded.
        let (settings, _) = settings::load(&mut Files::new(), playbook);
        let around = said.around();
        let ssh = around.with(&settings).ssh;
        said.connect(ssh);
        Ok(said)
    }

    /// Takes what is said of connections, put together.
    fn connect(&mut self, ssh: Ssh) {
        self.user = ssh.user;
        self.private_key = ssh.private_key_file;
        self.timeout = ssh.timeout;
        self.checked = ssh.host_key_checking;
        if let Some(args) = ssh.args {
            self.args.insert("ansible_ssh_common_args", args);
        }
    }

    /// What the file and the environment say.
    pub(super) fn here() -> Result<Self, Diagnostic> {
        let mut said = Self::file()?;
        said.environment(env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }))?;
        Ok(said)
    }

    /// What variables of the environment say.
    fn environment(
        &mut self,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<(), Diagnostic> {
        let mut variables: Vec<(String, String)> = variables
            .filter(|(name, value)| name.starts_with("ANSIBLE_") && !value.is_empty())
            .collect();
        variables.sort();
        let mut said = Self::default();
        for (name, value) in variables {
            let Some((_, section, setting)) = VARIABLES.iter().find(|(known, ..)| *known == name)
            else {
                if !OTHERS.contains(&name.as_str()) {
                    self.unused.push(name);
                }
                continue;
            };
            said.one(section, setting, value.trim()).map_err(|wanted| {
                let message = format!("`{name}` wants {wanted}: this is `{value}`");
                Diagnostic::nowhere("ansible_cfg", message)
                    .help(format!("correct it, or `unset {name}`"))
            })?;
        }
        self.args.extend(std::mem::take(&mut said.args));
        self.over = said.settings;
        Ok(())
    }

    /// What stands around the settings of a project.
    pub(super) fn around(&self) -> Around {
        Around {
            over: self.over.clone(),
            under: self.settings.clone(),
        }
    }

    /// The file that Ansible would read here: the first there is.
    fn file() -> Result<Self, Diagnostic> {
        let named = env::var_os("ANSIBLE_CONFIG").filter(|path| !path.is_empty());
        let home = env::var_os("HOME").map(|home| Path::new(&home).join(".ansible.cfg"));
        let usual = [
            named.map(PathBuf::from),
            Some("ansible.cfg".into()),
            home,
            Some("/etc/ansible/ansible.cfg".into()),
        ];
        for path in usual.into_iter().flatten() {
            match fs::read_to_string(&path) {
                Ok(text) => return Self::read(&text, &path),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    let message = format!("`{}` cannot be read: {error}", path.display());
                    return Err(Diagnostic::nowhere("ansible_cfg", message)
                        .help("make it readable, or name another one by `ANSIBLE_CONFIG`"));
                }
            }
        }
        Ok(Self::default())
    }

    /// What a file says.
    fn read(text: &str, path: &Path) -> Result<Self, Diagnostic> {
        let mut said = Self {
            path: path.to_owned(),
            ..Self::default()
        };
        let mut section = String::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.split(" ;").next().unwrap_or_default().trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(name) = line.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
                name.trim().clone_into(&mut section);
                continue;
            }
            let broken = if line.starts_with('[') && !line.contains(']') {
                Some("the `[` of this section is never closed")
            } else if section.is_empty() {
                Some("this line stands above the first section")
            } else {
                None
            };
            if let Some(what) = broken {
                let message = format!("{}:{number}: {what}", path.display());
                return Err(Diagnostic::nowhere("ansible_cfg", message)
                    .help("settings stand below `[defaults]`, `[privilege_escalation]` or `[ssh_connection]`"));
            }
            // A line without a name goes on with a value that is not followed, or is a mistake of no weight here.
            let Some((name, value)) = line.split_once(['=', ':']) else {
                continue;
            };
            let (name, value) = (name.trim(), value.trim());
            said.one(&section, name, value).map_err(|wanted| {
                let message = format!(
                    "{}:{number}: `{name}` wants {wanted}: this is `{value}`",
                    path.display()
                );
                Diagnostic::nowhere("ansible_cfg", message).help("correct it there")
            })?;
        }
        Ok(said)
    }

    fn one(&mut self, section: &str, name: &str, value: &str) -> Result<(), &'static str> {
        let ours = match section {
            "defaults" | "ssh_connection" => true,
            "privilege_escalation" => name.starts_with("become"),
            _ => false,
        };
        let flag = || match value.to_lowercase().as_str() {
            "true" | "yes" | "on" | "1" | "y" | "t" => Ok(Some(true)),
            "false" | "no" | "off" | "0" | "n" | "f" => Ok(Some(false)),
            _ => Err("`True` or `False`"),
        };
        let folder = self.folder().to_owned();
        let said = &mut self.settings;
        match name {
            _ if !ours || value.is_empty() => self.passed_over.push(name.to_owned()),
            "inventory" if value.ends_with(',') => said.inventory = vec![value.to_owned()],
            "inventory" => {
                let paths = value.split(',').map(str::trim);
                let paths = paths.filter(|path| !path.is_empty());
                said.inventory = paths
                    .map(|path| home(path, &folder).display().to_string())
                    .collect();
            }
            "forks" => match value.parse() {
                Ok(forks @ 1..=100_000) => said.forks = Some(forks),
                _ => return Err("a number from 1 on"),
            },
            "become" => said.become_ = flag()?,
            "become_user" => said.become_user = Some(value.to_owned()),
            "become_method" => match value {
                "sudo" | "su" | "doas" => said.become_method = Some(value.to_owned()),
                _ => return Err("`sudo`, `su` or `doas`"),
            },
            "remote_user" => said.ssh.user = Some(value.to_owned()),
            "private_key_file" => said.ssh.private_key_file = Some(home(value, &folder)),
            "timeout" => {
                let seconds = value.parse().map_err(|_| "a number of seconds")?;
                said.ssh.timeout = Some(seconds);
            }
            "vault_password_file" => self.vault_password_file = Some(value.to_owned()),
            "vault_identity_list" => self.vault_identity_list = Some(value.to_owned()),
            "host_key_checking" => said.ssh.host_key_checking = flag()?,
            "roles_path" => self.roles_path = value.split(':').map(str::to_owned).collect(),
            "ssh_args" => self.arguments("ansible_ssh_args", value),
            "ssh_common_args" => self.arguments("ansible_ssh_common_args", value),
            "ssh_extra_args" => self.arguments("ansible_ssh_extra_args", value),
            name if IDLE.contains(&name) => {}
            name => self.passed_over.push(name.to_owned()),
        }
        Ok(())
    }

    fn arguments(&mut self, variable: &'static str, value: &str) {
        self.args.insert(variable, value.to_owned());
    }

    /// Folders in which roles are looked for: those of the environment, else those that this says.
    pub(super) fn roles_path(&self) -> Vec<PathBuf> {
        let home = env::var_os("HOME").unwrap_or_default();
        let full = |path: &str, folder: &Path| match path.strip_prefix("~/") {
            Some(rest) => Path::new(&home).join(rest),
            None => folder.join(path),
        };
        let (said, folder) = match env::var("ANSIBLE_ROLES_PATH") {
            Ok(said) => (said.split(':').map(str::to_owned).collect(), Path::new("")),
            Err(_) => (
                self.roles_path.clone(),
                self.path.parent().unwrap_or(Path::new("")),
            ),
        };
        let said: Vec<String> = said;
        said.iter()
            .map(|path| path.trim())
            .filter(|path| !path.is_empty())
            .map(|path| full(path, folder))
            .collect()
    }

    /// The options, where they say nothing as this does.
    pub(super) fn fill(&self, options: &cli::Connection) -> cli::Connection {
        cli::Connection {
            user: options.user.clone().or_else(|| self.user.clone()),
            private_key: options
                .private_key
                .clone()
                .or_else(|| self.private_key.clone()),
            timeout: options.timeout.or(self.timeout),
            ..options.clone()
        }
    }

    /// The file with the password of vaults, and where it is named.
    pub(super) fn vault_password_file(&self) -> Option<(PathBuf, String)> {
        let path = self.vault_password_file.as_ref()?;
        Some((
            home(path, self.folder()),
            format!("`{}`", self.path.display()),
        ))
    }

    /// Vault ids with where their passwords are, and the folder to which that is relative.
    pub(super) fn vault_identities(&self) -> Option<(String, PathBuf)> {
        let list = self.vault_identity_list.clone()?;
        Some((list, self.folder().to_owned()))
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// What of it is not followed.
    pub(super) fn warnings(&self) -> Vec<Diagnostic> {
        let said = |whose: String, names: &[String]| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let message = format!("{whose}not followed: {}", list(&names, "and"));
            Diagnostic::nowhere("ansible_cfg", message).warning()
        };
        let mut out = Vec::new();
        if !self.passed_over.is_empty() {
            out.push(said(
                format!("{}: ", self.path.display()),
                &self.passed_over,
            ));
        }
        if !self.unused.is_empty() {
            out.push(said(
                "variables of the environment that are ".to_owned(),
                &self.unused,
            ));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing() -> cli::Connection {
        cli::Connection {
            connection: None,
            user: None,
            private_key: None,
            ask_pass: false,
            connection_password_file: None,
            ssh_config: None,
            timeout: None,
            reconnect: 180,
        }
    }

    #[test]
    fn what_it_says_of_connections() {
        let text = "# ours\n[defaults]\nremote_user = deploy ; who else\nforks=20\nhost_key_checking: False\n\
                    timeout = 30\nprivate_key_file = keys/deploy\n\n[ssh_connection]\npipelining = True\n\
                    ssh_args = -C -o ControlMaster=auto\n[privilege_escalation]\nbecome = true\nbecome_ask_pass = False\ntimeout = never\n";
        let mut cfg = AnsibleCfg::read(text, Path::new("/srv/site/ansible.cfg")).unwrap();
        let under = cfg.around().under;
        assert_eq!((under.forks, under.become_), (Some(20), Some(true)));
        assert_eq!(under.ssh.host_key_checking, Some(false));
        cfg.connect(under.ssh);
        assert_eq!(cfg.args["ansible_ssh_args"], "-C -o ControlMaster=auto");
        let filled = cfg.fill(&nothing());
        assert_eq!(filled.user.as_deref(), Some("deploy"));
        assert_eq!(filled.timeout, Some(30));
        assert_eq!(filled.private_key, Some("/srv/site/keys/deploy".into()));
        // The command line wins.
        let mine = cli::Connection {
            user: Some("me".to_owned()),
            timeout: Some(5),
            ..nothing()
        };
        let filled = cfg.fill(&mine);
        assert_eq!(
            (filled.user.as_deref(), filled.timeout),
            (Some("me"), Some(5))
        );
        assert_eq!(
            cfg.warnings()[0].message,
            "/srv/site/ansible.cfg: not followed: `become_ask_pass` and `timeout`"
        );
    }

    #[test]
    fn the_environment_wins() {
        let text = "[defaults]\ninventory = hosts, more/hosts\nforks = 3\nremote_user = file\n";
        let mut cfg = AnsibleCfg::read(text, Path::new("/srv/ansible.cfg")).unwrap();
        let set = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            let pairs = pairs.iter();
            pairs
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        let variables = set(&[
            ("ANSIBLE_FORKS", "7"),
            ("ANSIBLE_BECOME", "yes"),
            ("ANSIBLE_CALLBACKS_ENABLED", "timer"),
            ("ANSIBLE_NOCOWS", "1"),
            ("ANSIBLE_STRATEGY", "free"),
            ("HOME", "/root"),
        ]);
        cfg.environment(variables.into_iter()).unwrap();
        let file = Settings {
            forks: Some(5),
            ..Settings::default()
        };
        let all = cfg.around().with(&file);
        assert_eq!((all.forks, all.become_), (Some(7), Some(true)));
        assert_eq!(all.ssh.user.as_deref(), Some("file"));
        assert_eq!(all.inventory, ["/srv/hosts", "/srv/more/hosts"]);
        assert_eq!(
            cfg.warnings()[0].message,
            "variables of the environment that are not followed: `ANSIBLE_CALLBACKS_ENABLED` and `ANSIBLE_STRATEGY`"
        );
        let wrong = set(&[("ANSIBLE_FORKS", "many")]);
        assert_eq!(
            cfg.environment(wrong.into_iter()).unwrap_err().message,
            "`ANSIBLE_FORKS` wants a number from 1 on: this is `many`"
        );
    }

    #[test]
    fn mistakes_have_a_place() {
        let wrong = |text: &str| {
            AnsibleCfg::read(text, Path::new("a.cfg"))
                .unwrap_err()
                .message
        };
        assert_eq!(
            wrong("[defaults]\ntimeout = soon\n"),
            "a.cfg:2: `timeout` wants a number of seconds: this is `soon`"
        );
        assert!(wrong("[defaults]\nhost_key_checking = maybe\n").contains("`True` or `False`"));
        let cfg = AnsibleCfg::read("", Path::new("a.cfg")).unwrap();
        assert!(cfg.warnings().is_empty());
    }
}
