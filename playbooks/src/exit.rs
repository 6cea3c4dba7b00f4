//! Exit statuses: a contract with the scripts that call us, and they say who is to blame.

use std::process::ExitCode;

/// How the program ends. Of several causes the first in this order wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// 1: a bug of ours.
    Bug,
    /// 5: the playbook, the inventory or the command line is wrong; nothing was touched.
    Input,
    /// 130: somebody stopped it.
    Interrupted,
    /// 4: a host could not be reached.
    Unreachable,
    /// 2: a task failed.
    Failed,
    /// 3: `plan --exit-code`, and there are changes or unknowns.
    Changes,
    /// 0: all hosts are in their state.
    Good,
}

impl Exit {
    /// The number.
    pub fn status(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Bug => 1,
            Self::Failed => 2,
            Self::Changes => 3,
            Self::Unreachable => 4,
            Self::Input => 5,
            Self::Interrupted => 130,
        }
    }

    /// Of two causes the one that wins.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.min(other)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.status())
    }
}

#[cfg(test)]
mod tests {
    use super::Exit::{self, *};

    #[test]
    fn the_first_cause_wins() {
        let order = [Bug, Input, Interrupted, Unreachable, Failed, Changes, Good];
        for (index, first) in order.into_iter().enumerate() {
            for second in &order[index..] {
                assert_eq!(first.or(*second), first);
                assert_eq!(second.or(first), first);
            }
        }
        assert_eq!(order.map(Exit::status), [1, 5, 130, 4, 2, 3, 0]);
    }
}
