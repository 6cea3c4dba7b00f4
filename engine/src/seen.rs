//! What a task may know when it is planned: answers to its probes, and its past.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    late::NotYet,
    probe::{Answer, AnyProbe, Key, Probe, downcast},
    step::Effect,
    thing::Thing,
    value::Value,
};

/// Answers as one task may read them: as its identity, at its turn, with its past.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    answers: BTreeMap<Key, Answer>,
    past: Past,
    witness: Option<Value>,
    called: bool,
    renewed: Vec<Thing>,
}

/// What the ledger knows of a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Past {
    /// It never ended well on this host.
    #[default]
    Never,
    /// It ended well with this very fingerprint.
    Same,
    /// It ended well with another fingerprint.
    Changed,
    /// It was started and never ended.
    Interrupted,
}

impl Seen {
    /// An empty view with a past and the witness the module left then.
    pub fn with_past(past: Past, witness: Option<Value>) -> Self {
        Self {
            answers: BTreeMap::new(),
            past,
            witness,
            called: false,
            renewed: Vec::new(),
        }
    }

    /// The same answers with another past.
    #[must_use]
    pub(crate) fn and_past(mut self, past: Past, witness: Option<Value>) -> Self {
        (self.past, self.witness) = (past, witness);
        self
    }

    /// The answer to a probe. Not known yet if it was not asked, cannot be known now, or will only
    /// be made by an earlier task.
    pub fn get<P: Probe>(&self, probe: &P) -> Result<&P::Answer, NotYet> {
        match self.answers.get(&AnyProbe::key(probe)) {
            Some(answer) => downcast::<P>(answer),
            None => Err(NotYet(format!("{probe:?} was not asked"))),
        }
    }

    /// Whether the probe was answered, were it only with "cannot be known now".
    pub fn asked(&self, key: &Key) -> bool {
        self.answers.contains_key(key)
    }

    /// The answer as it stands, its type erased.
    pub fn raw(&self, key: &Key) -> Option<&Answer> {
        self.answers.get(key)
    }

    /// Says that the task was notified, triggered or is owed a turn.
    #[must_use]
    pub fn called(mut self, called: bool) -> Self {
        self.called = called;
        self
    }

    /// Whether the task was notified, triggered or is owed a turn: then a command runs whatever its
    /// guards say.
    pub fn is_called(&self) -> bool {
        self.called
    }

    /// Says what was begun anew since whatever called the task.
    #[must_use]
    pub fn and_renewed(mut self, things: impl IntoIterator<Item = Thing>) -> Self {
        self.renewed.extend(things);
        self
    }

    /// Whether this run has begun a thing anew ([`Change::renews`](crate::Change::renews)) since the
    /// changes that called the task: a unit that was started since does not have to be restarted.
    pub fn is_renewed(&self, thing: &Thing) -> bool {
        self.renewed.contains(thing)
    }

    /// What the ledger knows of this task.
    pub fn past(&self) -> Past {
        self.past
    }

    /// What the module left in the ledger when it last ended well.
    pub fn witness(&self) -> Option<&Value> {
        self.witness.as_ref()
    }

    /// Lays effects over what was seen: foresight, the fake host and tests use this.
    pub fn foretell(&mut self, effects: &[Effect]) {
        for effect in effects {
            self.answers
                .insert(effect.probe.key(), effect.answer.clone());
        }
    }

    /// Notes an answer.
    pub fn answer(&mut self, key: Key, answer: Answer) {
        self.answers.insert(key, answer);
    }

    /// Notes a typed answer: what tests of modules start from.
    #[must_use]
    pub fn with<P: Probe>(mut self, probe: &P, answer: P::Answer) -> Self {
        self.answers
            .insert(AnyProbe::key(probe), Ok(Arc::new(answer)));
        self
    }
}
