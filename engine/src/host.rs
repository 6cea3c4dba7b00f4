//! The door to a host: one exchange is a list of operations that the host carries out in order.
//!
//! `ScriptHost` turns an exchange into one script over a connection; `FakeHost` models it in
//! memory. Looking, acting, the journal, the lock and long steps all go through here, so that a
//! run is written once.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    identity::Identity,
    probe::{Answer, AnyProbe, Probes},
    secret::Text,
    step::{Action, Done, Effect},
};

/// A machine under a name of the inventory.
#[async_trait]
pub trait Host: Send + Sync {
    /// One request, one answer: a round trip. Every wait in it has a bound.
    async fn exchange(&self, exchange: Exchange) -> Result<Reply, HostError>;

    /// What became of the last exchange with steps, whose answer was lost with its connection. What
    /// did not begin by now never does.
    async fn recall(&self, lost: &Exchange) -> Result<Recall, HostError> {
        let _ = lost;
        Ok(Recall::Unknown)
    }

    /// Asks a chain of this run that is going on to stop before its next step. Not an exchange of
    /// its own: it never waits for the chain.
    async fn stop(&self, exchange: &Stopping) -> Result<(), HostError>;

    /// What went over the connection so far.
    fn traffic(&self) -> Traffic;
}

/// Which run is to stop where.
#[derive(Clone, Debug)]
pub struct Stopping {
    /// The run's id.
    pub run: String,
    /// Where its ledger lives.
    pub place: LedgerPlace,
}

/// What went over a connection after it stood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Requests that waited for an answer.
    pub exchanges: u64,
    /// Bytes sent.
    pub sent: u64,
    /// Bytes received.
    pub received: u64,
}

/// Where the ledger of a host lives, and so as whom the host keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LedgerPlace {
    /// `/var/lib/evenkeel`, kept by root, who is become like this if the login user is not root.
    Root(Identity),
    /// `evenkeel` below the login user's state directory (`$XDG_STATE_HOME` or `~/.local/state`).
    User,
}

/// A list of operations for a host.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The run this belongs to: letters, digits and `-`. The lock is re-entrant for it.
    pub run: String,
    /// Where the ledger and the lock are.
    pub place: LedgerPlace,
    /// Whether the lock must be held: then nothing is done unless it is.
    pub lock: Option<Lock>,
    /// Done in order. A failed step goes on at `on_failure` or ends the list; so does a guard that
    /// does not hold, and the stop flag between two steps.
    pub ops: Vec<Op>,
    /// Done in order in any case, after `ops`, if the lock was got. Only `Observe`, `Journal`,
    /// `Snapshot`, `Await`, `Drop` and `Release`.
    pub tail: Vec<Op>,
}

impl Exchange {
    /// Whether anything is done that must not be done twice.
    pub fn acts(&self) -> bool {
        self.ops.iter().any(|op| matches!(op, Op::Step { .. }))
    }

    /// How many seconds the host may be gone because of what is done: see [`crate::Run::away`].
    pub(crate) fn away(&self) -> u64 {
        let away = |op: &Op| match op {
            Op::Step { action, .. } => match &**action {
                Action::Run(run) => run.away,
                _ => None,
            },
            _ => None,
        };
        self.ops.iter().filter_map(away).max().unwrap_or(0)
    }
}

/// How the lock is taken.
#[derive(Clone, Debug)]
pub struct Lock {
    /// The serial of the ledger that this run has seen; if another run has written since, the lock
    /// is not taken ([`Reply::Stale`]); nor is it when its holder died, who may have written without
    /// a new serial. Not looked at if this run holds the lock already.
    pub serial: u64,
    /// How long to wait for another run in this one exchange, in milliseconds.
    pub wait_millis: u64,
    /// What others are told: user, machine and start of the run, in one line.
    pub holder: String,
}

/// One operation.
#[derive(Clone, Debug)]
pub enum Op {
    /// Reads the ledger. Answered by [`OpResult::Ledger`].
    Ledger,
    /// Asks probes as somebody. Answered by [`OpResult::Observed`].
    Observe {
        /// As whom.
        who: Identity,
        /// The questions.
        probes: Probes,
    },
    /// Goes on only if each of these still answers as given. Answered by [`OpResult::Guarded`].
    Guard {
        /// As whom.
        who: Identity,
        /// Questions, each with the answer it must give; only such whose `expected` is known.
        holds: Vec<(Arc<dyn AnyProbe>, Answer)>,
    },
    /// Appends lines to the journal; the serial grows by one in each exchange that has any.
    /// Answered by [`OpResult::Written`].
    Journal {
        /// Lines without newline.
        lines: Vec<String>,
        /// Whether they must be on disk before the next operation.
        sync: bool,
    },
    /// Replaces the snapshot and empties the journal. Answered by [`OpResult::Written`].
    Snapshot {
        /// The new snapshot's lines.
        lines: Vec<String>,
    },
    /// Takes one step. Answered by [`OpResult::Stepped`].
    Step {
        /// As whom.
        who: Identity,
        /// Environment of the task; a step's own comes after it.
        env: Vec<(String, Text)>,
        /// The action.
        action: Box<Action>,
        /// What the step states of probes that the action itself says nothing about. Real hosts
        /// have no use for it; the fake host believes it.
        effects: Vec<Effect>,
        /// For a long step: the name of its spool (letters, digits, `-`). It is started and not
        /// waited for; [`Op::Await`] does that.
        long: Option<String>,
        /// Where to go on if it fails: an index into `ops`. `None`: the list ends.
        on_failure: Option<usize>,
    },
    /// Waits until one of these long steps has ended, at most so long. Answered by
    /// [`OpResult::Awaited`], one for each name. The answer may be lost: the spools stay until
    /// [`Op::Drop`].
    Await {
        /// Names of spools.
        long: Vec<String>,
        /// At most so long; 0 only looks.
        millis: u64,
    },
    /// Removes the spools of long steps whose end is known. Answered by [`OpResult::Written`].
    Drop {
        /// Names of spools.
        long: Vec<String>,
    },
    /// Gives the lock back. Answered by [`OpResult::Written`].
    Release,
}

/// What came back.
#[derive(Clone, Debug)]
pub enum Reply {
    /// The list was worked through.
    Ran {
        /// One for each of `ops`.
        ops: Vec<OpResult>,
        /// One for each of `tail`.
        tail: Vec<OpResult>,
        /// The ledger's serial after it.
        serial: u64,
    },
    /// Another run holds the lock; nothing was done. Its [`Lock::holder`].
    Held(String),
    /// The ledger was written by another run since it was read; nothing was done.
    Stale,
}

/// What became of an exchange whose answer was lost.
#[derive(Clone, Debug)]
pub enum Recall {
    /// It was not begun, and never will be: it may be sent again.
    Never,
    /// It goes on.
    Going,
    /// It is over.
    Over(Over),
    /// Nobody knows: only the ledger says what was begun, and what ended.
    Unknown,
}

/// What the host itself noted of an exchange whose answer was lost.
#[derive(Clone, Debug)]
pub struct Over {
    /// One for each of `ops`: how steps ended, what was asked between them, and whether guards held.
    /// Everything else is `NotReached`.
    pub ops: Vec<OpResult>,
    /// Whether its script came to its end. If not, it was killed: one of the steps that were not
    /// reached may have been begun.
    pub whole: bool,
    /// Whether the host was started again since. What was not synced may be lost.
    pub restarted: bool,
}

/// What one operation gave.
#[derive(Clone, Debug)]
pub enum OpResult {
    /// It was not reached.
    NotReached,
    /// The ledger as it is.
    Ledger(LedgerText),
    /// Answers, in the order of the questions.
    Observed(Vec<Answer>),
    /// Whether all held; else the position of the first that did not.
    Guarded(Option<usize>),
    /// Written, or released.
    Written,
    /// How a step ended.
    Stepped(StepEnd),
    /// How long steps stand.
    Awaited(Vec<LongStep>),
}

/// What the host has of the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerText {
    /// `/etc/machine-id`, or what takes its place.
    pub machine: String,
    /// The directory it is kept in.
    pub dir: String,
    /// The kernel's boot id.
    pub boot: String,
    /// Grows with every exchange that writes; 0 where there is no ledger.
    pub serial: u64,
    /// The snapshot's lines.
    pub snapshot: String,
    /// The journal's lines since then.
    pub journal: String,
}

/// How a step ended.
#[derive(Clone, Debug)]
pub enum StepEnd {
    /// Well.
    Ok(Done),
    /// Badly: the program's status was not an accepted one, or the file action failed (its message
    /// is in `stderr`).
    Failed(Done),
    /// Its time was up; what it had printed so far.
    TimedOut(Done),
    /// A file was no longer what it was when the step was planned: nothing was written.
    Edited,
    /// A long step was started.
    Started,
}

/// How a long step stands.
#[derive(Clone, Debug)]
pub enum LongStep {
    /// It goes on.
    Running,
    /// It ended: `Ok`, `Failed` or `TimedOut`.
    Ended(StepEnd),
    /// It is neither running nor did it leave a status: the host was restarted, or it was killed.
    Lost,
}

/// Why an exchange did not come about.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum HostError {
    /// No connection came about; what was to be exchanged was not begun.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// No connection comes about until somebody changes something: a host key, a password, a
    /// setting. Nothing was begun, and trying again does not help.
    #[error("cannot be reached: {why}")]
    Barred {
        /// What is wrong.
        why: String,
        /// What to do about it.
        help: String,
    },
    /// The connection was lost in the middle of an exchange: how much of it was done is not known.
    #[error("the connection was lost: {0}")]
    Lost(String),
    /// An answer took longer than its bound: how much of the exchange was done is not known.
    #[error("{0}")]
    TimedOut(String),
    /// The identity could not be become.
    #[error("cannot become {user}: {why}; {help}")]
    Privilege {
        /// The user to become.
        user: String,
        /// Why, as far as what the method said tells it.
        why: String,
        /// What to do.
        help: String,
    },
    /// The host's answer makes no sense.
    #[error("answered something that makes no sense: {0}")]
    Garbled(String),
    /// A local file could not be read for sending.
    #[error("cannot read the local file `{name}`: {why}")]
    Source {
        /// Its name.
        name: String,
        /// The error.
        why: String,
    },
    /// The ledger cannot be kept (no permission, disk full).
    #[error("the ledger in `{dir}` cannot be written: {why}")]
    Ledger {
        /// Its directory.
        dir: String,
        /// The error.
        why: String,
    },
}

impl HostError {
    /// What to do about it, where that is known.
    pub fn help(&self) -> Option<&str> {
        match self {
            Self::Barred { help, .. } => Some(help),
            _ => None,
        }
    }
}
