//! The lines of a ledger.

use std::{collections::BTreeSet, ops::RangeInclusive};

use serde::{Deserialize, Serialize};

use super::Record;
use crate::{fingerprint::Fingerprint, value::Value};

/// Which task (or listener) of which host and project.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "(String, String, String)", into = "(String, String, String)")]
pub struct Scope {
    /// Project.
    pub project: String,
    /// The inventory's name of the host.
    pub host: String,
    /// The task.
    pub task: String,
}

impl From<(String, String, String)> for Scope {
    fn from((project, host, task): (String, String, String)) -> Self {
        Self {
            project,
            host,
            task,
        }
    }
}

impl From<Scope> for (String, String, String) {
    fn from(scope: Scope) -> Self {
        (scope.project, scope.host, scope.task)
    }
}

impl Scope {
    /// The range of all tasks of a host in a project.
    pub(super) fn all_of(project: &str, host: &str) -> RangeInclusive<Self> {
        let with = |task: &str| Self {
            project: project.to_owned(),
            host: host.to_owned(),
            task: task.to_owned(),
        };
        with("")..=with("\u{10ffff}")
    }
}

/// How an epoch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// Something was changed.
    Changed,
    /// Steps ran, and `changed_when` says that nothing changed.
    Unchanged,
    /// It failed.
    Failed,
}

impl Ended {
    /// What steps come to that nobody judged.
    pub(super) fn of_steps(ok: bool) -> Self {
        if ok { Self::Changed } else { Self::Failed }
    }
}

/// One line of a ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "k", rename_all = "snake_case")]
pub enum Line {
    /// The first line: format and machine.
    Ledger {
        /// Format.
        v: u32,
        /// Machine id.
        machine: String,
    },
    /// The random value that keys digests of secrets.
    Key {
        /// Hexadecimal.
        key: String,
    },
    /// A run that changed something: the audit.
    Run {
        /// Its id.
        run: String,
        /// Project.
        project: String,
        /// Who started it.
        who: String,
        /// On which machine.
        from: String,
        /// The commit of its playbooks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commit: Option<String>,
        /// When.
        at: String,
        /// All hosts that it knew.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        hosts: Vec<String>,
    },
    /// A task is about to take its first step; on disk before it does.
    Intent {
        /// Which.
        task: Scope,
        /// Its new epoch.
        epoch: String,
        /// Module.
        module: String,
        /// What people call it.
        name: String,
        /// Its fingerprint, if all its arguments are known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        print: Option<Fingerprint>,
        /// Who listens to it.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        listeners: BTreeSet<String>,
        /// When its run started.
        at: String,
        /// Its run.
        run: String,
        /// The spool of its long step.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        long: Option<String>,
        /// The boot id.
        boot: String,
    },
    /// What an intent meant was not begun after all: something before it went otherwise.
    Void {
        /// Of which epoch.
        epoch: String,
    },
    /// Its first step begins.
    Start {
        /// Of which epoch.
        epoch: String,
    },
    /// Its steps ended; written by the script itself.
    Done {
        /// Of which epoch.
        epoch: String,
        /// Whether all ended well.
        ok: bool,
    },
    /// It was looked at again and judged.
    End {
        /// Of which epoch.
        epoch: String,
        /// How.
        ended: Ended,
        /// For the module.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        witness: Option<Value>,
        /// For `register` of a `once` command.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        result: Option<Value>,
    },
    /// A task as a snapshot has it.
    Record {
        /// Which.
        task: Scope,
        /// What is known of it.
        record: Box<Record>,
    },
    /// A task found in its state, whose fingerprint was not on record.
    State {
        /// Which.
        task: Scope,
        /// Module.
        module: String,
        /// What people call it.
        name: String,
        /// Its fingerprint.
        print: Fingerprint,
        /// For the module.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        witness: Option<Value>,
    },
    /// A listener had its turn for these epochs.
    Served {
        /// Which.
        listener: Scope,
        /// The epochs, by task.
        tasks: Vec<(Scope, String)>,
    },
    /// Somebody told us to forget a task.
    Forget {
        /// Which.
        task: Scope,
    },
}

impl Line {
    /// As it is written.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("a line of the ledger is plain data")
    }
}
