//! Which of the listeners of a task its change calls. Pure.

use std::collections::BTreeSet;

use super::{
    decided::Decided,
    finish::{Context, Turned, failed},
};
use crate::{
    event::{Outcome, TaskError},
    late::NotYet,
    module::Stop,
    task::TaskId,
};

/// Whom a task's change calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Called {
    /// All that listen to it.
    #[default]
    All,
    /// These of them.
    These(BTreeSet<TaskId>),
    /// It is not known yet.
    Unknown(NotYet),
}

impl Called {
    /// Whether a listener is called, as far as that is known.
    pub(super) fn calls(&self, listener: TaskId) -> Result<bool, &NotYet> {
        match self {
            Self::All => Ok(true),
            Self::These(these) => Ok(these.contains(&listener)),
            Self::Unknown(what) => Err(what),
        }
    }
}

/// What the turns of a task call. One that calls what there is not has failed.
pub(super) fn of(turned: &mut [Turned], decided: &Decided, context: &Context<'_>) -> Called {
    let Some(calls) = &context.task.calls else {
        return Called::All;
    };
    let (mut called, mut unknown) = (BTreeSet::new(), None);
    for (at, turn) in turned.iter_mut().enumerate() {
        // What failed half-way may have changed something.
        if !matches!(turn.outcome, Outcome::Changed | Outcome::Failed) {
            continue;
        }
        let of_loop = decided.looped.then(|| (at, &decided.items[at].value));
        match calls.called(of_loop, context.outputs) {
            Ok(these) => called.extend(these),
            Err(Stop::NotYet(what)) => unknown = Some(what),
            Err(Stop::Refused(_)) if turn.outcome == Outcome::Failed => {}
            Err(Stop::Refused(refusal)) => {
                *turn = failed(TaskError {
                    message: context.masking.text(&refusal.message),
                    help: refusal.help.map(|help| context.masking.text(&help)),
                    ..TaskError::default()
                });
            }
        }
    }
    match unknown {
        Some(what) => Called::Unknown(what),
        None => Called::These(called),
    }
}
