//! `evenkeel.yml` beside the playbook, or above it: what a project says once for all.

use std::path::{Path, PathBuf};

use crate::{
    ast::Commands,
    diagnostic::Diagnostic,
    files::{FileId, Files, Spanned},
    words::did_you_mean,
    yaml::{self, Kind, Node},
};

/// The file's name.
pub const FILE: &str = "evenkeel.yml";

/// What the settings say. The command line wins over them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Where they stand; paths in them are relative to this folder.
    pub folder: Option<PathBuf>,
    /// `project`: scopes the ledger.
    pub project: Option<Spanned<String>>,
    /// `inventory`: paths as they are opened, or lists of hosts.
    pub inventory: Vec<String>,
    /// `forks`.
    pub forks: Option<u32>,
    /// `become`.
    pub become_: Option<bool>,
    /// `become_user`.
    pub become_user: Option<String>,
    /// `become_method`.
    pub become_method: Option<String>,
    /// `commands`.
    pub commands: Option<Commands>,
    /// `roles_path`: folders as they are opened.
    pub roles_path: Vec<PathBuf>,
    /// `vault_password_file`: the path as it is opened.
    pub vault_password_file: Option<PathBuf>,
    /// `ssh`.
    pub ssh: Ssh,
}

impl Settings {
    /// These, and those of another where these say nothing.
    #[must_use]
    pub fn or(self, other: &Self) -> Self {
        let list = |own: Vec<String>, other: &Vec<String>| {
            if own.is_empty() { other.clone() } else { own }
        };
        Self {
            folder: self.folder.or_else(|| other.folder.clone()),
            project: self.project.or_else(|| other.project.clone()),
            inventory: list(self.inventory, &other.inventory),
            forks: self.forks.or(other.forks),
            become_: self.become_.or(other.become_),
            become_user: self.become_user.or_else(|| other.become_user.clone()),
            become_method: self.become_method.or_else(|| other.become_method.clone()),
            commands: self.commands.or(other.commands),
            roles_path: if self.roles_path.is_empty() {
                other.roles_path.clone()
            } else {
                self.roles_path
            },
            vault_password_file: self
                .vault_password_file
                .or_else(|| other.vault_password_file.clone()),
            ssh: Ssh {
                user: self.ssh.user.or_else(|| other.ssh.user.clone()),
                private_key_file: self
                    .ssh
                    .private_key_file
                    .or_else(|| other.ssh.private_key_file.clone()),
                timeout: self.ssh.timeout.or(other.ssh.timeout),
                host_key_checking: self.ssh.host_key_checking.or(other.ssh.host_key_checking),
                args: self.ssh.args.or_else(|| other.ssh.args.clone()),
            },
        }
    }
}

/// What is said elsewhere than in the file of settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// What wins over it: the environment.
    pub over: Settings,
    /// What it wins over: `ansible.cfg`.
    pub under: Settings,
}

impl Around {
    /// All of it together.
    pub fn with(&self, file: &Settings) -> Settings {
        self.over.clone().or(file).or(&self.under)
    }
}

/// `ssh`: how hosts are reached of which neither the inventory nor the command line says anything else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ssh {
    /// `user`.
    pub user: Option<String>,
    /// `private_key_file`: the path as it is opened.
    pub private_key_file: Option<PathBuf>,
    /// `timeout`, in seconds.
    pub timeout: Option<u64>,
    /// `host_key_checking`.
    pub host_key_checking: Option<bool>,
    /// `args`, as `ansible_ssh_common_args` has them.
    pub args: Option<String>,
}

const SSH: [&str; 5] = [
    "user",
    "private_key_file",
    "timeout",
    "host_key_checking",
    "args",
];

const KEYS: [&str; 10] = [
    "project",
    "inventory",
    "forks",
    "become",
    "become_user",
    "become_method",
    "commands",
    "roles_path",
    "vault_password_file",
    "ssh",
];

/// The settings file of a playbook: in its folder, or in the nearest above.
pub fn find(playbook: &Path) -> Option<PathBuf> {
    let folder = playbook.parent()?;
    let named = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let beside = named.join(FILE);
    if beside.is_file() {
        // As the user would name it.
        return Some(folder.join(FILE));
    }
    let absolute = std::path::absolute(named).ok()?;
    absolute
        .ancestors()
        .skip(1)
        .map(|folder| folder.join(FILE))
        .find(|file| file.is_file())
}

/// The settings for a playbook; defaults without a file.
pub fn load(files: &mut Files, playbook: &Path) -> (Settings, Vec<Diagnostic>) {
    let Some(path) = find(playbook) else {
        return (Settings::default(), Vec::new());
    };
    match files.load(&path) {
        Ok(file) => {
            let (mut settings, out) = read(files, file);
            let folder = path.parent().unwrap_or(Path::new("")).to_owned();
            for source in &mut settings.inventory {
                if !source.contains(',') {
                    *source = folder.join(&*source).display().to_string();
                }
            }
            for path in &mut settings.roles_path {
                *path = folder.join(&*path);
            }
            let ssh = &mut settings.ssh;
            let paths = [&mut settings.vault_password_file, &mut ssh.private_key_file];
            for path in paths.into_iter().flatten() {
                let rest = path.strip_prefix("~/").map(Path::to_owned);
                *path = match (rest, std::env::var_os("HOME")) {
                    (Ok(rest), Some(home)) => Path::new(&home).join(rest),
                    _ => folder.join(&*path),
                };
            }
            settings.folder = Some(folder);
            (settings, out)
        }
        Err(error) => (Settings::default(), vec![*error]),
    }
}

/// What a settings file says.
pub fn read(files: &Files, file: FileId) -> (Settings, Vec<Diagnostic>) {
    let (documents, out) = yaml::read(files, file);
    let mut reader = Reader {
        settings: Settings::default(),
        out,
    };
    if let Some(document) = documents.first() {
        reader.all(document);
    }
    (reader.settings, reader.out)
}

struct Reader {
    settings: Settings,
    out: Vec<Diagnostic>,
}

impl Reader {
    fn wrong(&mut self, name: &str, wanted: &str, node: &Node) {
        let message = format!(
            "`{name}` wants {wanted}: this is {}",
            match node.kind {
                Kind::Null | Kind::Seq(_) | Kind::Map(_) => node.kind_name().to_owned(),
                _ => format!("`{}`", node.text),
            }
        );
        self.out
            .push(Diagnostic::error("wrong_type", node.span, message));
    }

    fn all(&mut self, document: &Node) {
        let Some(entries) = document.as_map() else {
            if !document.is_null() {
                self.wrong("evenkeel.yml", "a map", document);
            }
            return;
        };
        for (key, value) in entries {
            let name = key.text.as_str();
            if KEYS.contains(&name) {
                self.one(name, value);
            } else {
                let help = did_you_mean(name, KEYS)
                    .unwrap_or_else(|| format!("there are {}", crate::words::list(&KEYS, "and")));
                let message = format!("there is no setting `{name}`");
                self.out
                    .push(Diagnostic::error("unknown_key", key.span, message).help(help));
            }
        }
    }

    fn ssh(&mut self, node: &Node) {
        let Some(entries) = node.as_map() else {
            if !node.is_null() {
                self.wrong("ssh", "a map", node);
            }
            return;
        };
        for (key, value) in entries {
            let name = format!("ssh.{}", key.text);
            let ssh = &mut self.settings.ssh;
            let text = value.as_str().map(str::to_owned);
            match (key.text.as_str(), &value.kind, text) {
                ("user", _, Some(text)) => ssh.user = Some(text),
                ("private_key_file", _, Some(text)) => ssh.private_key_file = Some(text.into()),
                ("args", _, Some(text)) => ssh.args = Some(text),
                ("timeout", Kind::Int(seconds @ 1..), _) => {
                    ssh.timeout = u64::try_from(*seconds).ok();
                }
                ("host_key_checking", Kind::Bool(value), _) => ssh.host_key_checking = Some(*value),
                ("user" | "private_key_file" | "args", ..) => self.wrong(&name, "a text", value),
                ("timeout", ..) => self.wrong(&name, "a number of seconds", value),
                ("host_key_checking", ..) => self.wrong(&name, "`true` or `false`", value),
                (other, ..) => {
                    let help = did_you_mean(other, SSH).unwrap_or_else(|| {
                        format!("there are {}", crate::words::list(&SSH, "and"))
                    });
                    let message = format!("`ssh` has no setting `{other}`");
                    self.out
                        .push(Diagnostic::error("unknown_key", key.span, message).help(help));
                }
            }
        }
    }

    fn one(&mut self, name: &str, node: &Node) {
        let text = |reader: &mut Self| match &node.kind {
            Kind::Null | Kind::Seq(_) | Kind::Map(_) => {
                reader.wrong(name, "a text", node);
                None
            }
            _ => Some(node.text.clone()),
        };
        match name {
            "project" => {
                let project = text(self).filter(|text| !text.trim().is_empty());
                self.settings.project = project.map(|text| Spanned::new(text, node.span));
            }
            "inventory" => {
                let items = node.as_seq().unwrap_or(std::slice::from_ref(node));
                for item in items {
                    match item.as_str() {
                        Some(path) => self.settings.inventory.push(path.to_owned()),
                        None => self.wrong(name, "a path, or a list of paths", item),
                    }
                }
            }
            "roles_path" => {
                let items = node.as_seq().unwrap_or(std::slice::from_ref(node));
                for item in items {
                    match item.as_str() {
                        Some(path) => self.settings.roles_path.push(PathBuf::from(path)),
                        None => self.wrong(name, "a path, or a list of paths", item),
                    }
                }
            }
            "forks" => match node.kind {
                Kind::Int(forks @ 1..=100_000) => self.settings.forks = u32::try_from(forks).ok(),
                _ => self.wrong(name, "a number from 1 on", node),
            },
            "become" => match node.kind {
                Kind::Bool(value) => self.settings.become_ = Some(value),
                _ => self.wrong(name, "`true` or `false`", node),
            },
            "ssh" => self.ssh(node),
            "vault_password_file" => {
                self.settings.vault_password_file = text(self).map(PathBuf::from);
            }
            "become_user" => self.settings.become_user = text(self),
            "become_method" => match node.as_str() {
                Some(method @ ("sudo" | "su" | "doas")) => {
                    self.settings.become_method = Some(method.to_owned());
                }
                _ => self.wrong(name, "`sudo`, `su` or `doas`", node),
            },
            _ => match node.as_str() {
                Some("once") => self.settings.commands = Some(Commands::Once),
                Some("always") => self.settings.commands = Some(Commands::Always),
                _ => self.wrong(name, "`once` or `always`", node),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Colour, render_all};

    #[test]
    fn beside_and_above() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b");
        std::fs::create_dir_all(&deep).unwrap();
        let playbook = deep.join("site.yml");
        let mut files = Files::new();
        assert_eq!(load(&mut files, &playbook).0, Settings::default());
        let text =
            "project: shop\ninventory: [hosts, 'h1,']\nforks: 20\nbecome: yes\ncommands: once\n";
        std::fs::write(folder.path().join(FILE), text).unwrap();
        let (settings, out) = load(&mut files, &playbook);
        assert!(out.is_empty(), "{out:?}");
        assert_eq!(settings.project.unwrap().value, "shop");
        let hosts = folder.path().join("hosts").display().to_string();
        assert_eq!(settings.inventory, [hosts, "h1,".to_owned()]);
        assert_eq!((settings.forks, settings.become_), (Some(20), Some(true)));
        assert_eq!(settings.commands, Some(Commands::Once));
        std::fs::write(deep.join(FILE), "").unwrap();
        assert_eq!(load(&mut files, &playbook).0.project, None);
    }

    #[test]
    fn mistakes() {
        let mut files = Files::new();
        let text = "forsk: 1\nforks: many\ncommands: never\nssh: {usr: x, timeout: soon}\nbecome_user: [x]\n";
        let file = files.add(FILE, text);
        let page = render_all(&read(&files, file).1, &files, Colour::Never);
        let heads: Vec<_> = page
            .lines()
            .filter(|line| line.starts_with("error"))
            .collect();
        assert_eq!(
            heads,
            [
                "error[unknown_key]: there is no setting `forsk`",
                "error[wrong_type]: `forks` wants a number from 1 on: this is `many`",
                "error[wrong_type]: `commands` wants `once` or `always`: this is `never`",
                "error[unknown_key]: `ssh` has no setting `usr`",
                "error[wrong_type]: `ssh.timeout` wants a number of seconds: this is `soon`",
                "error[wrong_type]: `become_user` wants a text: this is a list",
            ]
        );
    }
}
