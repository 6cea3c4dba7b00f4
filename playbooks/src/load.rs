//! From a command line's words to a list of tasks: everything is read and checked here, before any
//! host is touched.

use std::{path::PathBuf, sync::Arc};

use evenkeel_engine::{Map, Method, Place, Registry, Secret, TaskList, host::Host};

use crate::{diagnostic::Diagnostic, files::Files, settings::Settings};

/// What is to be loaded.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Playbooks, in order.
    pub playbooks: Vec<PathBuf>,
    /// `--inventory`: files, directories, or `host1,host2,`. Empty: `localhost`.
    pub inventory: Vec<String>,
    /// `--limit`: a pattern of hosts.
    pub limit: Option<String>,
    /// `--tags`; empty: all.
    pub tags: Vec<String>,
    /// `--skip-tags`.
    pub skip_tags: Vec<String>,
    /// `--extra-vars`: `K=V …`, a JSON or YAML map, or `@FILE`.
    pub extra_vars: Vec<String>,
    /// `--become` and the like.
    pub privilege: Privilege,
    /// `--connection`: used where the inventory says nothing else.
    pub connection: Option<String>,
    /// `--user`: the login user, where the inventory says nothing else.
    pub user: Option<String>,
    /// `--check`: what `ansible_check_mode` is.
    pub check: bool,
    /// `--diff`: what `ansible_diff_mode` is.
    pub diff: bool,
}

/// Privilege as the command line asks for it; playbooks and inventories win, but for the password.
#[derive(Clone, Debug, Default)]
pub struct Privilege {
    /// `--become`.
    pub on: bool,
    /// `--become-user`.
    pub user: Option<String>,
    /// `--become-method`.
    pub method: Option<Method>,
    /// From `--ask-become-pass` or `--become-password-file`.
    pub password: Option<Secret>,
}

/// A host as the inventory has it, for whoever opens its connection.
#[derive(Clone, Debug, Default)]
pub struct HostVars {
    /// The inventory's name.
    pub name: String,
    /// Its variables whose names begin with `ansible_`, rendered: `ansible_host`, `ansible_port`,
    /// `ansible_user`, `ansible_connection`, `ansible_ssh_private_key_file` …, with the play's
    /// `connection`, `remote_user` and `port`, and the command line's, already put in.
    pub vars: Map,
    /// Where the inventory names it.
    pub place: Option<Place>,
}

/// Opens the way to a host; nothing has to go over it yet.
pub type Connect<'a> = dyn Fn(&HostVars) -> Result<Arc<dyn Host>, Diagnostic> + 'a;

/// Playbooks that can be run.
#[derive(Debug)]
pub struct Loaded {
    /// The tasks of all hosts, in listed order.
    pub list: TaskList,
    /// The texts of all files that were read, to show lines of them.
    pub files: Files,
    /// The project's settings.
    pub settings: Settings,
    /// Words for the user that stop nothing.
    pub warnings: Vec<Diagnostic>,
    /// Commands that will run every time, each with the line that would guard it.
    pub unguarded: Vec<Unguarded>,
    /// How many plays were read.
    pub plays: usize,
    /// How many tasks were read, roles and includes expanded once.
    pub tasks: usize,
    /// All tags that occur, sorted.
    pub tags: Vec<String>,
}

/// A command that nothing guards.
#[derive(Clone, Debug)]
pub struct Unguarded {
    /// The task's name.
    pub task: String,
    /// `command`, `shell` …
    pub module: String,
    /// Where it is written.
    pub place: Place,
    /// What to write to guard it.
    pub remedy: String,
}
