//! `ansible.cfg`: what it says of connections is followed, and anything else is named.

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
};

use super::keys::home;
use crate::{cli, diagnostic::Diagnostic, words::list};

/// What it says, for hosts of which neither the inventory nor the command line says anything else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct AnsibleCfg {
    pub(super) user: Option<String>,
    private_key: Option<String>,
    timeout: Option<u64>,
    /// Whether keys of hosts matter.
    pub(super) checked: Option<bool>,
    /// Arguments of ssh, by the name that they have in an inventory.
    pub(super) args: BTreeMap<&'static str, String>,
    /// Where the password of vaults is.
    vault_password_file: Option<String>,
    /// Vault ids, with where their passwords are.
    vault_identity_list: Option<String>,
    /// What is not followed.
    passed_over: Vec<String>,
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

/// Settings that have a place of their own.
const ELSEWHERE: [&str; 5] = [
    "become",
    "become_method",
    "become_user",
    "forks",
    "inventory",
];

impl AnsibleCfg {
    /// The one that Ansible would read here: the first there is.
    pub(super) fn here() -> Result<Self, Diagnostic> {
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
        let ours = matches!(section, "defaults" | "ssh_connection") && !value.is_empty();
        match name {
            _ if !ours => self.passed_over.push(name.to_owned()),
            "remote_user" => self.user = Some(value.to_owned()),
            "private_key_file" => self.private_key = Some(value.to_owned()),
            "timeout" => {
                self.timeout = Some(value.parse().map_err(|_| "a number of seconds")?);
            }
            "vault_password_file" => self.vault_password_file = Some(value.to_owned()),
            "vault_identity_list" => self.vault_identity_list = Some(value.to_owned()),
            "host_key_checking" => {
                self.checked = Some(match value.to_lowercase().as_str() {
                    "true" | "yes" | "on" | "1" => true,
                    "false" | "no" | "off" | "0" => false,
                    _ => return Err("`True` or `False`"),
                });
            }
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

    /// The options, where they say nothing as this does.
    pub(super) fn fill(&self, options: &cli::Connection) -> cli::Connection {
        let key = self.private_key.as_ref();
        let key = key.map(|key| home(key, self.folder()));
        cli::Connection {
            user: options.user.clone().or_else(|| self.user.clone()),
            private_key: options.private_key.clone().or(key),
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
    pub(super) fn warning(&self) -> Option<Diagnostic> {
        if self.passed_over.is_empty() {
            return None;
        }
        let names: Vec<&str> = self.passed_over.iter().map(String::as_str).collect();
        let message = format!(
            "{}: not followed: {}",
            self.path.display(),
            list(&names, "and")
        );
        let warning = Diagnostic::nowhere("ansible_cfg", message).warning();
        let elsewhere = names.iter().any(|name| ELSEWHERE.contains(name));
        Some(if elsewhere {
            warning.help(format!(
                "put {} into `evenkeel.yml`",
                list(&ELSEWHERE, "and")
            ))
        } else {
            warning
        })
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
                    ssh_args = -C -o ControlMaster=auto\n[privilege_escalation]\nbecome = true\ntimeout = never\n";
        let cfg = AnsibleCfg::read(text, Path::new("/srv/site/ansible.cfg")).unwrap();
        assert_eq!(cfg.checked, Some(false));
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
        let warning = cfg.warning().unwrap();
        assert_eq!(
            warning.message,
            "/srv/site/ansible.cfg: not followed: `forks`, `become` and `timeout`"
        );
        assert!(warning.help.unwrap().contains("`evenkeel.yml`"));
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
        assert_eq!(cfg.warning().map(|it| it.message), None);
    }
}
