//! Why a task ran, or did not: a value, rendered in one place.

use std::fmt;

use serde::Serialize;

/// Why a task has its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reason {
    /// Not in its state, and no record says why.
    Differs,
    /// It was in its state, and nothing of ours changed: somebody else changed the host.
    Drift,
    /// An argument is not what it was when the task last ended well.
    ArgumentChanged {
        /// Which.
        field: String,
    },
    /// A local file is not what it was.
    FileChanged {
        /// Which.
        path: String,
    },
    /// A task that it listens to changed something in this run.
    Triggered {
        /// Which.
        by: String,
    },
    /// A task that it listens to changed something in an earlier run that did not get here.
    Owed {
        /// Which.
        by: String,
        /// When that run started, as its record says.
        since: String,
    },
    /// A command that nothing guards.
    Unguarded,
    /// It acts by nature.
    Act,
    /// It had to wait, and changes nothing.
    Waits,
    /// It asks another, and changes nothing.
    Asks,
    /// A guard of a command decided.
    Guard {
        /// Which: `creates`, `removes`, `unless`, `onlyif`.
        which: String,
    },
    /// A `once` command that has not run with this checksum.
    Once,
    /// An earlier run was cut off in the middle of it.
    Interrupted,
    /// A `once` command that ran before.
    Assumed {
        /// When, as its record says.
        date: String,
    },
    /// It is in its state.
    InState,
    /// Its condition is false.
    WhenFalse {
        /// The condition.
        condition: String,
    },
    /// A command that its own task says is only to be foretold: nothing is known of what it does.
    OnlyForetold,
    /// Tags do not select it.
    NotSelected,
    /// Something before it failed.
    Blocked {
        /// What.
        by: String,
    },
    /// Its host cannot be reached.
    Unreachable,
    /// It depends on something not known yet.
    NotKnown {
        /// What.
        what: String,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Differs => f.write_str("the host differs"),
            Self::Drift => f.write_str("the host has drifted from what an earlier run left"),
            Self::ArgumentChanged { field } => write!(f, "the argument `{field}` changed"),
            Self::FileChanged { path } => write!(f, "the file `{path}` changed"),
            Self::Triggered { by } => write!(f, "triggered by `{by}`"),
            Self::Owed { by, since } => {
                write!(f, "owed since the run of {since}, when `{by}` changed")
            }
            Self::Unguarded => f.write_str("nothing says when it need not run"),
            Self::Act => f.write_str("it acts each time"),
            Self::Waits => f.write_str("what it waits for was not there yet"),
            Self::Asks => f.write_str("it asks each time"),
            Self::Guard { which } => write!(f, "its `{which}` says so"),
            Self::Once => f.write_str("it has not run with these arguments"),
            Self::Interrupted => f.write_str("an earlier run was cut off in the middle of it"),
            Self::Assumed { date } => write!(f, "assumed: it ran on {date}"),
            Self::InState => f.write_str("in its state"),
            Self::WhenFalse { condition } => write!(f, "`{condition}` is false"),
            Self::OnlyForetold => f.write_str("`check_mode` of a command: it is not run"),
            Self::NotSelected => f.write_str("not selected by tags"),
            Self::Blocked { by } => write!(f, "`{by}` failed before it"),
            Self::Unreachable => f.write_str("its host cannot be reached"),
            Self::NotKnown { what } => write!(f, "not known yet: {what}"),
        }
    }
}
