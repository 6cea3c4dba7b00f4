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
    /// `vault_password_file`: the path as it is opened.
    pub vault_password_file: Option<PathBuf>,
}

const KEYS: [&str; 8] = [
    "project",
    "inventory",
    "forks",
    "become",
    "become_user",
    "become_method",
    "commands",
    "vault_password_file",
];

/// What comes later, and what to do until then.
const LATER: [(&str, &str); 2] = [
    ("roles_path", "roles come later"),
    ("ssh", "put it into `~/.ssh/config`, or into the inventory"),
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
            if let Some(path) = &mut settings.vault_password_file {
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
            } else if let Some((_, instead)) = LATER.iter().find(|(later, _)| *later == name) {
                let message = format!("`{name}` is not supported yet");
                self.out
                    .push(Diagnostic::error("unsupported", key.span, message).help(*instead));
            } else {
                let known = KEYS
                    .iter()
                    .chain(LATER.iter().map(|(name, _)| name))
                    .copied();
                let help = did_you_mean(name, known)
                    .unwrap_or_else(|| format!("there are {}", crate::words::list(&KEYS, "and")));
                let message = format!("there is no setting `{name}`");
                self.out
                    .push(Diagnostic::error("unknown_key", key.span, message).help(help));
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
            "forks" => match node.kind {
                Kind::Int(forks @ 1..=100_000) => self.settings.forks = u32::try_from(forks).ok(),
                _ => self.wrong(name, "a number from 1 on", node),
            },
            "become" => match node.kind {
                Kind::Bool(value) => self.settings.become_ = Some(value),
                _ => self.wrong(name, "`true` or `false`", node),
            },
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
        let text = "forsk: 1\nforks: many\ncommands: never\nssh: {port: 1}\nbecome_user: [x]\n";
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
                "error[unsupported]: `ssh` is not supported yet",
                "error[wrong_type]: `become_user` wants a text: this is a list",
            ]
        );
    }
}
