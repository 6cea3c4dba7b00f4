//! Why there is no connection.

use evenkeel_engine::host::HostError;

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It may go better the next time.
    Passing(String),
    /// It will not, until somebody changes something.
    Lasting {
        /// What is wrong.
        why: String,
        /// What to do.
        help: String,
    },
}

impl Trouble {
    pub(crate) fn passing(why: impl Into<String>) -> Self {
        Self::Passing(why.into())
    }

    pub(crate) fn lasting(why: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Lasting {
            why: why.into(),
            help: help.into(),
        }
    }

    /// What it is for whoever waits: `advice` is what to do about what will hardly pass by itself.
    pub(crate) fn given_up(self, advice: &str) -> HostError {
        match self {
            Self::Passing(why) => HostError::Barred {
                why,
                help: advice.to_owned(),
            },
            lasting @ Self::Lasting { .. } => lasting.into(),
        }
    }

    /// The same, said of a hop on the way.
    pub(crate) fn on(self, hop: &str) -> Self {
        match self {
            Self::Passing(why) => Self::Passing(format!("{hop}: {why}")),
            Self::Lasting { why, help } => Self::Lasting {
                why: format!("{hop}: {why}"),
                help,
            },
        }
    }
}

impl From<Trouble> for HostError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Passing(why) => Self::Unreachable(why),
            Trouble::Lasting { why, help } => Self::Barred { why, help },
        }
    }
}
