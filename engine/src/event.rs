//! What happens in a run, as one ordered stream. Reports are made of events alone.

use indexmap::IndexMap;
use serde::Serialize;

use crate::reason::Reason;

/// Something that happened. Serialised, it is a line of `--output json` (the front end adds the
/// time). All texts are masked: no secret is in any event.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The run begins.
    RunStarted {
        /// What it is called: the playbooks.
        playbooks: Vec<String>,
        /// Names of hosts.
        hosts: Vec<String>,
        /// Whether nothing is changed.
        check: bool,
    },
    /// The first answer of a host came.
    HostConnected {
        /// Which.
        host: String,
        /// How long it took.
        duration_ms: u64,
    },
    /// A host cannot be reached.
    HostUnreachable {
        /// Which.
        host: String,
        /// Why.
        error: String,
        /// What to do about it, where that is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        help: Option<String>,
    },
    /// The run waits for something outside it.
    Waiting {
        /// Where.
        host: String,
        /// For what: who holds the lock, which long step.
        what: String,
    },
    /// Something the user should know that changes nothing.
    Warning {
        /// Where.
        host: String,
        /// The task, if it is about one.
        task: Option<String>,
        /// The place it is written at.
        source: Option<String>,
        /// What.
        message: String,
    },
    /// A task's turn has come, and its host was asked what could not be known before. There may be several for a task.
    TaskAsked {
        /// Which.
        #[serde(flatten)]
        name: TaskName,
        /// How long the host took, in milliseconds.
        duration_ms: u64,
    },
    /// A task's steps were sent.
    TaskStarted(TaskName),
    /// What came of a task is not what is waited for: it is going to be tried again.
    TaskRetried {
        /// Which.
        #[serde(flatten)]
        name: TaskName,
        /// The turn of its loop, as people see it.
        #[serde(skip_serializing_if = "Option::is_none")]
        item: Option<String>,
        /// Which of its retries comes next, from 1.
        retry: u32,
        /// How many there are.
        retries: u32,
        /// How long nothing is done before it.
        delay_ms: u64,
    },
    /// A task ended.
    TaskFinished(Box<TaskFinished>),
    /// The run ended.
    RunFinished {
        /// Whether all hosts are in their state.
        ok: bool,
        /// Whether somebody stopped it.
        interrupted: bool,
        /// How long it took.
        duration_ms: u64,
        /// What came of each host.
        hosts: IndexMap<String, Recap>,
    },
}

/// Which task.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct TaskName {
    /// Host.
    pub host: String,
    /// What people call it.
    pub task: String,
    /// Its `id:`, or one made from its place in the list.
    pub id: String,
    /// Module.
    pub module: String,
    /// `file:line:column`, if it stands in a file.
    pub source: Option<String>,
    /// The play.
    pub play: String,
    /// Whether it is a handler.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub handler: bool,
}

/// A task ended.
#[derive(Clone, Debug, Serialize)]
pub struct TaskFinished {
    /// Which.
    #[serde(flatten)]
    pub name: TaskName,
    /// How.
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
    /// What was (in check mode: would be) changed.
    pub changes: Vec<ChangeShown>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<TaskError>,
    /// Whether its failure was ignored, or a rescue took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forgiven: Option<Forgiven>,
    /// The turns of a loop.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<ItemFinished>,
    /// What `debug` says, and warnings of the module.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<serde_json::Value>,
    /// The result as `register` gives it; only for what a user asked to see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<serde_json::Value>,
    /// How long its own steps took on the host.
    pub duration_ms: u64,
}

/// One turn of a loop ended.
#[derive(Clone, Debug, Serialize)]
pub struct ItemFinished {
    /// The item, as people see it.
    pub item: String,
    /// How.
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
    /// What was changed.
    pub changes: Vec<ChangeShown>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<TaskError>,
    /// What `debug` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<serde_json::Value>,
}

/// How a failure was taken.
#[derive(Clone, Copy, Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Forgiven {
    /// `ignore_errors`.
    Ignored,
    /// A `rescue` runs.
    Rescued,
}

/// One change, as it may be shown.
#[derive(Clone, Debug, Serialize)]
pub struct ChangeShown {
    /// What.
    pub what: String,
    /// Before.
    pub before: serde_json::Value,
    /// After.
    pub after: serde_json::Value,
    /// A unified diff, if one was asked for and may be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
}

/// How a task ended.
#[derive(Clone, Copy, Debug, Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Something was changed; in check mode: would be.
    Changed,
    /// In its state.
    Unchanged,
    /// A `once` command that ran before.
    Assumed,
    /// Its condition is false, or tags do not select it.
    Skipped,
    /// Check mode: it depends on something not known yet.
    Unknown,
    /// It failed.
    Failed,
    /// Something before it failed.
    Blocked,
}

/// Why a task failed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TaskError {
    /// What is wrong.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The command that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Its exit status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<i32>,
    /// After how many seconds it was ended, where the task has a limit (`timeout`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timed_out: Option<u64>,
    /// What it printed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stdout: Option<String>,
    /// What it printed on stderr.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stderr: Option<String>,
}

/// What came of a host.
#[derive(Clone, Debug, Default, Serialize, PartialEq, Eq)]
pub struct Recap {
    /// Tasks that changed something.
    pub changed: u64,
    /// Tasks in their state.
    pub unchanged: u64,
    /// `once` commands that ran before.
    pub assumed: u64,
    /// Tasks whose condition was false, or that tags did not select.
    pub skipped: u64,
    /// Check mode: tasks that depend on something not known yet.
    pub unknown: u64,
    /// Tasks that failed (and were neither ignored nor rescued).
    pub failed: u64,
    /// Tasks that did not run because something before them failed.
    pub blocked: u64,
    /// Failed tasks that a rescue took.
    pub rescued: u64,
    /// Failed tasks that were ignored.
    pub ignored: u64,
    /// Commands that ran because nothing says when they need not.
    pub unguarded: u64,
    /// Whether it could not be reached.
    pub unreachable: bool,
    /// Requests that waited for an answer.
    pub exchanges: u64,
    /// Bytes sent.
    pub sent_bytes: u64,
    /// Bytes received.
    pub received_bytes: u64,
}

impl Recap {
    /// Adds what the host has had done elsewhere.
    pub(crate) fn add(&mut self, other: &Self) {
        let Self {
            changed,
            unchanged,
            assumed,
            skipped,
            unknown,
            failed,
            blocked,
            rescued,
            ignored,
            unguarded,
            unreachable,
            exchanges,
            sent_bytes,
            received_bytes,
        } = other;
        self.changed += changed;
        self.unchanged += unchanged;
        self.assumed += assumed;
        self.skipped += skipped;
        self.unknown += unknown;
        self.failed += failed;
        self.blocked += blocked;
        self.rescued += rescued;
        self.ignored += ignored;
        self.unguarded += unguarded;
        self.unreachable |= unreachable;
        self.exchanges += exchanges;
        self.sent_bytes += sent_bytes;
        self.received_bytes += received_bytes;
    }
}

/// Takes events in order.
pub trait Sink: Send + Sync {
    /// One event; must not block for long.
    fn event(&self, event: &Event);
}

impl<F: Fn(&Event) + Send + Sync> Sink for F {
    fn event(&self, event: &Event) {
        self(event);
    }
}
