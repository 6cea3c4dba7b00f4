//! What is known of a host: answers by identity and question, with what was foretold laid over.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    late::NotYet,
    probe::{Answer, AnyProbe, Key},
    step::Effect,
    thing::Thing,
};

/// An identity of the run, by position in the host's list of identities.
pub(super) type Who = usize;

#[derive(Clone, Default)]
struct Base {
    answers: BTreeMap<(Who, Key), Answer>,
    /// Which questions read a thing, so that a write finds what it makes stale.
    readers: BTreeMap<Thing, Vec<(Who, Key)>>,
}

/// Answers, with an overlay of foretold ones. Cloning shares the base.
#[derive(Clone, Default)]
pub(super) struct Known {
    base: Arc<Base>,
    over: BTreeMap<(Who, Key), Answer>,
}

impl Known {
    pub(super) fn get(&self, who: Who, key: &Key) -> Option<&Answer> {
        // Keys are looked up by reference far more often than they are made.
        let key = (who, key.clone());
        self.over.get(&key).or_else(|| self.base.answers.get(&key))
    }

    /// Whether the answer is only foretold.
    pub(super) fn is_foretold(&self, who: Who, key: &Key) -> bool {
        self.over.contains_key(&(who, key.clone()))
    }

    /// Notes what the host answered; what was foretold of it is dropped.
    pub(super) fn learn(&mut self, who: Who, probe: &dyn AnyProbe, answer: Answer) {
        let base = Arc::make_mut(&mut self.base);
        let at = (who, probe.key());
        self.over.remove(&at);
        if base.answers.insert(at.clone(), answer).is_none() {
            for thing in probe.reads() {
                base.readers.entry(thing).or_default().push(at.clone());
            }
        }
    }

    /// Forgets everything (the host was changed by another run).
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Makes every answer that reads what is written here not known yet, for every identity.
    pub(super) fn void(&mut self, writes: &[Thing], why: &str) {
        let base = Arc::clone(&self.base);
        for at in writes.iter().flat_map(|thing| readers(&base, thing)) {
            self.over.insert(at.clone(), Err(NotYet(why.to_owned())));
        }
    }

    /// Forgets the answers that read what is written here, so that they are asked again.
    pub(super) fn forget(&mut self, writes: &[Thing]) {
        let stale: Vec<_> =
            writes.iter().flat_map(|thing| readers(&self.base, thing)).cloned().collect();
        let base = Arc::make_mut(&mut self.base);
        for at in stale {
            base.answers.remove(&at);
            self.over.remove(&at);
        }
    }

    /// Forgets one answer, so that it is asked again.
    pub(super) fn forget_answer(&mut self, who: Who, key: &Key) {
        let at = (who, key.clone());
        self.over.remove(&at);
        Arc::make_mut(&mut self.base).answers.remove(&at);
    }

    /// Lays effects over what is known: of the identity that acts, and of every other identity that
    /// asked the same.
    pub(super) fn foretell(&mut self, who: Who, identities: usize, effects: &[Effect]) {
        for effect in effects {
            let key = effect.probe.key();
            for other in 0..identities {
                if other == who || self.get(other, &key).is_some() {
                    self.over.insert((other, key.clone()), effect.answer.clone());
                }
            }
        }
    }
}

/// Questions whose answer a write of this thing makes stale.
fn readers<'a>(base: &'a Base, thing: &'a Thing) -> Vec<&'a (Who, Key)> {
    let path = match thing {
        Thing::Everything => return base.answers.keys().collect(),
        Thing::Path(path) | Thing::Tree(path) => path.as_str(),
        other => return base.readers.get(other).into_iter().flatten().collect(),
    };
    let mut found: Vec<&(Who, Key)> =
        base.readers.get(&Thing::Path(path.to_owned())).into_iter().flatten().collect();
    // Whole trees that the path is in.
    let mut above = Some(path);
    while let Some(dir) = above {
        found.extend(base.readers.get(&Thing::Tree(dir.to_owned())).into_iter().flatten());
        above = match dir.rsplit_once('/') {
            Some(("", name)) if !name.is_empty() => Some("/"),
            Some((parent, _)) if !parent.is_empty() => Some(parent),
            _ => None,
        };
    }
    if let Thing::Tree(root) = thing {
        let below = |make: fn(String) -> Thing| {
            let prefix = format!("{}/", root.trim_end_matches('/'));
            let end = format!("{}0", root.trim_end_matches('/')); // `0` follows `/`
            base.readers.range(make(prefix)..make(end)).flat_map(|(_, keys)| keys)
        };
        found.extend(below(Thing::Path));
        found.extend(below(Thing::Tree));
    }
    found
}
