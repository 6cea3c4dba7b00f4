//! A directory with a playbook and a home of its own.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::{Ended, Running, binary};

/// A directory that is the home, the working directory and the place of the playbook `site.yml`.
///
/// Nothing that was on this machine before takes part: neither settings nor records of earlier runs.
#[derive(Debug)]
pub struct Scratch {
    dir: TempDir,
    /// The lab in whose network its programs run, by the number of its first process.
    lab: Option<u32>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl Scratch {
    /// An empty one.
    pub fn new() -> Self {
        Self {
            dir: tempfile::Builder::new()
                .prefix("scratch-")
                .tempdir()
                .unwrap(),
            lab: None,
        }
    }

    /// One whose programs run in the network of a lab, and whose playbooks are for all of its hosts.
    pub(crate) fn of_lab(mut self, init: u32) -> Self {
        self.lab = Some(init);
        std::fs::create_dir(self.path(".tmp")).unwrap();
        self
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file, and the directories above it.
    pub fn file(&self, name: &str, text: &str) -> &Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// Writes `site.yml`: one play on `localhost`, or on all hosts of the lab, with these tasks. What follows a line `handlers:` are
    /// handlers, and what precedes a line `tasks:` are keywords of the play.
    pub fn tasks(&self, text: &str) -> &Self {
        let (head, tasks) = text.split_once("\ntasks:\n").unwrap_or(("", text));
        let (tasks, handlers) = tasks.split_once("\nhandlers:\n").unwrap_or((tasks, ""));
        let hosts = if self.lab.is_some() {
            "all"
        } else {
            "localhost"
        };
        let mut site = format!("- name: play\n  hosts: {hosts}\n  gather_facts: false\n");
        let mut part = |head: &str, by: &str, text: &str| {
            if !text.trim().is_empty() {
                site += head;
                for line in text.lines().filter(|line| !line.trim().is_empty()) {
                    site.extend([by, line, "\n"]);
                }
            }
        };
        part("", "  ", head);
        part("  tasks:\n", "    ", tasks);
        part("  handlers:\n", "    ", handlers);
        self.file("site.yml", &site)
    }

    /// What a file holds.
    pub fn read(&self, name: &str) -> String {
        let path = self.path(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Whether there is such a file.
    pub fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// `evenkeel run --output json`, with these arguments; without a playbook among them, with `site.yml`.
    pub fn run(&self, args: &[&str]) -> Ended {
        self.events("run", args)
    }

    /// `evenkeel plan --output json`, in the same way.
    pub fn plan(&self, args: &[&str]) -> Ended {
        self.events("plan", args)
    }

    /// Any command line.
    pub fn evenkeel(&self, args: &[&str]) -> Ended {
        self.ended(&mut self.program(args))
    }

    /// What comes of a program.
    pub fn ended(&self, command: &mut Command) -> Ended {
        Ended::new(&command.output().unwrap()).keeps_secrets()
    }

    /// Starts `evenkeel run --output json`, and does not wait for its end.
    pub fn start(&self, args: &[&str]) -> Running {
        Running::new(&mut self.program(&self.line("run", args)))
    }

    /// The program with a command line, in an environment that depends on nobody.
    pub fn program(&self, args: &[&str]) -> Command {
        let mut command = self.within(binary());
        command.args(args);
        command
    }

    /// Another program in that environment, and in the network of the lab if this is one of a lab.
    pub fn within(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = match self.lab {
            Some(init) => crate::lab::within(init, program.as_ref()),
            None => Command::new(program),
        };
        self.set(&mut command);
        command
    }

    /// Another program with the same environment, such as `strace`.
    pub fn set(&self, command: &mut Command) {
        command.current_dir(self.dir.path());
        for name in ["NO_COLOR", "CLICOLOR_FORCE", "RUST_BACKTRACE"] {
            command.env_remove(name);
        }
        command.env("HOME", self.dir.path()).env("COLUMNS", "100");
        command.env("XDG_STATE_HOME", self.path(".state"));
        command.env("XDG_CACHE_HOME", self.path(".cache"));
        if self.lab.is_some() {
            command.env("TMPDIR", self.path(".tmp"));
            command.env_remove("SSH_AUTH_SOCK");
        }
    }

    /// All files below a path with their modes and contents, one a line: two trees are the same if these
    /// are.
    pub fn tree(&self, name: &str) -> String {
        let mut lines = Vec::new();
        walk(&self.path(name), &self.path(name), &mut lines);
        lines.sort();
        lines.concat()
    }

    fn events(&self, command: &str, args: &[&str]) -> Ended {
        self.evenkeel(&self.line(command, args))
    }

    fn line<'a>(&self, command: &'a str, args: &[&'a str]) -> Vec<&'a str> {
        let mut line = vec![command, "--output", "json"];
        if self.lab.is_some() && !args.contains(&"-i") {
            line.extend(["-i", "inventory.ini"]);
        }
        line.extend(args);
        let is_playbook = |arg: &&str| {
            Path::new(arg).extension().is_some_and(|it| it == "yml") && self.path(arg).exists()
        };
        // What follows an option is its value, such as an inventory.
        let before = [""].iter().chain(args);
        let mut words = before
            .zip(args)
            .filter(|(before, _)| !before.starts_with('-'));
        if !words.any(|(_, arg)| is_playbook(arg)) {
            line.push("site.yml");
        }
        line
    }
}

fn walk(root: &Path, path: &Path, lines: &mut Vec<String>) {
    use std::os::unix::fs::PermissionsExt as _;
    let meta = path.symlink_metadata().unwrap();
    let name = path.strip_prefix(root).unwrap().display();
    let mode = meta.permissions().mode() & 0o7777;
    let body = if meta.is_file() {
        String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()
    } else {
        String::new()
    };
    lines.push(format!("{name} {mode:o} {body:?}\n"));
    if meta.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            walk(root, &entry.unwrap().path(), lines);
        }
    }
}
