//! Rehearsing a task that is only foretold. Pure.

use super::{
    decide::Question,
    decided::{Decided, Fate, Item},
    known::Known,
};
use crate::{late::NotYet, reason::Reason, rehearsal::Rehearsal, step::Plan};

/// Fills in what rehearsals say of the turns of a task; gives the question that has to be answered first, if there is
/// one. What is foretold to change what one would read keeps it from being asked: it would tell of another host.
pub(super) fn rehearse(decided: &mut Decided, known: &Known) -> Option<Question> {
    let mut earlier: Option<NotYet> = None;
    for item in &mut decided.items {
        let Fate::Act(plan) = &item.fate else {
            continue;
        };
        let Some(rehearsal) = &plan.rehearsal else {
            earlier.get_or_insert_with(earlier_turn);
            continue;
        };
        let told = match (rehearsal.question(), &earlier) {
            (Err(why), _) => Err(why),
            (Ok(_), Some(why)) => Err(why.clone()),
            (Ok(probe), None) => match known.changes(&probe.reads()) {
                Some(why) => Err(why),
                None => match known.get(decided.who, &probe.key()) {
                    Some(answer) => Rehearsal::read(answer),
                    None => return Some((decided.who, probe.clone())),
                },
            },
        };
        if let Err(what) = &told
            && (plan.may_be_idle() || plan.only_waits())
        {
            item.reason = Reason::NotKnown {
                what: what.0.clone(),
            };
        }
        item.rehearsed = Some(told);
        if !item.changes_nothing() {
            earlier.get_or_insert_with(earlier_turn);
        }
    }
    let telling = |item: &&Item| matches!(item.fate, Fate::Act(_) | Fate::Refuse(_));
    if let Some(item) = decided.items.iter().find(telling) {
        decided.reason = item.reason.clone();
    }
    None
}

fn earlier_turn() -> NotYet {
    NotYet::new("what earlier items of the loop change")
}

impl Item {
    /// Whether a rehearsal has told that nothing comes of it: it finds nothing to change, or fails.
    pub(super) fn changes_nothing(&self) -> bool {
        let (Fate::Act(plan), Some(Ok(done))) = (&self.fate, &self.rehearsed) else {
            return false;
        };
        plan.was_idle(done) || failed(plan, done)
    }
}

/// Whether one of the runs fails.
fn failed(plan: &Plan, done: &[crate::step::Done]) -> bool {
    let ends = plan.runs().zip(done);
    ends.into_iter().any(|(run, done)| !run.accepts(done))
}
