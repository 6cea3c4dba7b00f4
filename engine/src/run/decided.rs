//! What was decided of a task: a value, which others carry on.

use std::sync::Arc;

use super::{decide::Question, finish::Kept, known::Who, shape::touches};
use crate::{
    event::ChangeShown,
    fingerprint::Fingerprint,
    late::NotYet,
    ledger::Scope,
    module::{Bound, Refusal},
    reason::Reason,
    secret::Text,
    step::{Action, Cause, Done, Plan},
    task::{Task, TaskId},
    thing::Thing,
    value::Value,
};

/// A decided task.
#[derive(Clone)]
pub(super) struct Decided {
    pub(super) task: TaskId,
    pub(super) who: Who,
    /// Its name in the ledger; nothing for what was skipped.
    pub(super) scope: Option<Scope>,
    pub(super) print: Option<Fingerprint>,
    pub(super) reason: Reason,
    /// One for a plain task, one for each turn of a loop.
    pub(super) items: Vec<Item>,
    pub(super) looped: bool,
    /// Epochs that it serves as a listener when its turn is over.
    pub(super) serves: Vec<(Scope, String)>,
    /// Some of `serves` come from an earlier run: that must be written even if nothing is done.
    pub(super) pays: bool,
    /// What was asked for it.
    pub(super) asked: Vec<Question>,
    /// Environment of its programs.
    pub(super) environment: Vec<(String, Text)>,
    /// The changes of each item as they may be shown, made before they are.
    pub(super) shown: Vec<Vec<ChangeShown>>,
}

/// One turn.
#[derive(Clone)]
pub(super) struct Item {
    pub(super) label: Option<String>,
    pub(super) value: Value,
    pub(super) bound: Option<Arc<dyn Bound>>,
    pub(super) fate: Fate,
    pub(super) reason: Reason,
    /// What a rehearsal says that its steps would leave; nothing if none was wanted.
    pub(super) rehearsed: Option<Result<Vec<Done>, NotYet>>,
}

/// What is to become of one turn.
#[derive(Clone)]
pub(super) enum Fate {
    /// Its condition is false, or tags do not select it.
    Skip,
    /// The module refuses.
    Refuse(Refusal),
    /// In its state (or a guard says so).
    Rest { warnings: Vec<String> },
    /// A `once` command that ran before, with its stored result.
    Assume { result: Option<Value> },
    /// Steps have to be taken.
    Act(Plan),
    /// In its state since a run together with other tasks, which failed only after that.
    Done,
    /// It had its turn: a loop takes one turn after the other.
    Kept(Box<Kept>),
    /// Its turn comes later.
    Later,
    /// What an earlier turn makes decides it.
    Hangs(NotYet),
}

impl Decided {
    /// Whether all of it was told turn by turn.
    pub(super) fn is_kept(&self) -> bool {
        let kept = |item: &Item| matches!(item.fate, Fate::Kept(_));
        !self.items.is_empty() && self.items.iter().all(kept)
    }

    /// What an earlier turn has to make before a later one can be decided.
    pub(super) fn hangs(&self) -> Option<&NotYet> {
        self.items.iter().find_map(|item| match &item.fate {
            Fate::Hangs(what) => Some(what),
            _ => None,
        })
    }

    /// Whether turns are left for later.
    pub(super) fn has_more(&self) -> bool {
        let later = |item: &Item| matches!(item.fate, Fate::Later);
        self.items.iter().any(later)
    }

    /// Whether steps have to be taken.
    pub(super) fn acts(&self) -> bool {
        self.items
            .iter()
            .any(|item| matches!(item.fate, Fate::Act(_)))
    }

    /// Decided anew after a run together with others has failed: what is in its state now, and was not then, was
    /// changed by that run.
    pub(super) fn with_what_was_done(mut self, joined: &Self) -> Self {
        if self.acts() || self.items.len() != joined.items.len() {
            return self;
        }
        for (now, then) in self.items.iter_mut().zip(&joined.items) {
            if let (Fate::Rest { .. }, Fate::Act(_)) = (&now.fate, &then.fate) {
                now.fate = Fate::Done;
                now.reason.clone_from(&then.reason);
                self.reason.clone_from(&joined.reason);
                self.shown.clone_from(&joined.shown);
            }
        }
        self
    }

    /// Actions of all turns, in order.
    pub(super) fn actions(&self) -> impl Iterator<Item = &Action> {
        let plans = self.items.iter().filter_map(|item| match &item.fate {
            Fate::Act(plan) => Some(plan),
            _ => None,
        });
        plans
            .flat_map(|plan| &plan.changes)
            .flat_map(|change| &change.steps)
            .map(|step| &step.action)
    }

    /// Whether a program runs of which nobody said what it writes.
    pub(super) fn is_opaque(&self, task: &Task) -> bool {
        let runs = self
            .actions()
            .any(|action| matches!(action, Action::Run(_)));
        let bound = self.items.iter().find_map(|item| item.bound.as_ref());
        runs && bound
            .is_none_or(|bound| touches(task, bound.as_ref()).1.contains(&Thing::Everything))
    }

    /// Whether it has to come true what is foretold of programs: those of commands foretell
    /// nothing.
    pub(super) fn promises(&self) -> bool {
        let differs = |item: &Item| match &item.fate {
            Fate::Act(plan) => plan.changes.iter().any(|c| c.cause == Cause::Differs),
            _ => false,
        };
        self.runs_programs() && self.items.iter().any(differs)
    }

    /// Whether programs have to make true what is foretold; the engine's own actions need no proof.
    pub(super) fn runs_programs(&self) -> bool {
        self.actions()
            .any(|action| matches!(action, Action::Run(_) | Action::Settle { .. }))
    }

    /// The word of those that it goes together with in any order.
    pub(super) fn commutes(&self) -> Option<&'static str> {
        let bound = self.items.iter().find_map(|item| item.bound.as_ref())?;
        bound.touches().commutes
    }

    /// What it begins anew.
    pub(super) fn renews(&self) -> Vec<Thing> {
        let plans = self.items.iter().filter_map(|item| match &item.fate {
            Fate::Act(plan) => Some(plan),
            _ => None,
        });
        let changes = plans.flat_map(|plan| &plan.changes);
        changes.filter_map(|change| change.renews.clone()).collect()
    }

    /// Whether others may go on beside it before it has ended.
    pub(super) fn is_long(&self) -> bool {
        self.actions().any(is_long)
    }
}

/// Whether an action only begins in the exchange that takes its step.
pub(super) fn is_long(action: &Action) -> bool {
    match action {
        Action::Run(run) => run.long,
        action => matches!(action, Action::Fetch(_)),
    }
}
