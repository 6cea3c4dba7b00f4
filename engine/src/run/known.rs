//! What is known of a host: answers by identity and question, with what was foretold laid over.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::links::Links;
use crate::{
    effects::meets,
    late::NotYet,
    probe::{Answer, AnyProbe, Key},
    step::{Action, Effect},
    thing::Thing,
};

/// An identity of the run, by position in the host's list of identities.
pub(super) type Who = usize;

#[derive(Clone, Default)]
struct Base {
    answers: BTreeMap<(Who, Key), Answer>,
    readers: Readers<(Who, Key)>,
    /// Those that code of the user's gave.
    told: BTreeSet<(Who, Key)>,
}

/// Who reads a thing, so that a write finds what it makes stale.
#[derive(Clone, Debug)]
pub(super) struct Readers<T>(BTreeMap<Thing, Vec<T>>);

impl<T> Default for Readers<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Clone> Readers<T> {
    pub(super) fn add(&mut self, things: impl IntoIterator<Item = Thing>, reader: &T) {
        for thing in things {
            self.0.entry(thing).or_default().push(reader.clone());
        }
    }

    /// Those for whom a write of this thing matters.
    pub(super) fn of(&self, thing: &Thing) -> Vec<&T> {
        let path = match thing {
            Thing::Everything => return self.0.values().flatten().collect(),
            Thing::Path(path) | Thing::Tree(path) => path.as_str(),
            other => return self.at(other).chain(self.at(&Thing::Everything)).collect(),
        };
        let mut found: Vec<&T> = self.at(&Thing::Path(path.to_owned())).collect();
        // Whole trees that the path is in.
        let mut above = Some(path);
        while let Some(dir) = above {
            found.extend(self.at(&Thing::Tree(dir.to_owned())));
            above = match dir.rsplit_once('/') {
                Some(("", name)) if !name.is_empty() => Some("/"),
                Some((parent, _)) if !parent.is_empty() => Some(parent),
                _ => None,
            };
        }
        if let Thing::Tree(root) = thing {
            let root = root.trim_end_matches('/');
            let below = |make: fn(String) -> Thing| {
                // `0` follows `/`.
                self.0
                    .range(make(format!("{root}/"))..make(format!("{root}0")))
            };
            found.extend(below(Thing::Path).flat_map(|(_, readers)| readers));
            found.extend(below(Thing::Tree).flat_map(|(_, readers)| readers));
        }
        found.extend(self.at(&Thing::Everything));
        found
    }

    /// Every thing that is read, with its readers.
    fn all(&self) -> impl Iterator<Item = (&Thing, &Vec<T>)> {
        self.0.iter()
    }

    fn at(&self, thing: &Thing) -> impl Iterator<Item = &T> {
        self.0.get(thing).into_iter().flatten()
    }
}

/// Answers, with an overlay of foretold ones. Cloning shares the base.
#[derive(Clone, Default)]
pub(super) struct Known {
    base: Arc<Base>,
    over: BTreeMap<(Who, Key), Answer>,
    /// What foretold steps write: of that, the host's answers of now say nothing.
    voided: Vec<(Thing, String)>,
    links: Links,
    /// The version of the links by which the readers of the base are found.
    indexed: u64,
    /// A program of which nobody knows what it writes, and that is foretold to run.
    blur: Option<String>,
    /// A task of which nothing is known but that it may write anything.
    veil: Option<String>,
}

/// Questions about a link itself, not about what it leads to.
fn is_of_link(key: &Key) -> bool {
    matches!(key.0, "stat" | "inode")
}

impl Known {
    pub(super) fn get(&self, who: Who, key: &Key) -> Option<&Answer> {
        // Keys are looked up by reference far more often than they are made.
        let key = (who, key.clone());
        self.over.get(&key).or_else(|| self.base.answers.get(&key))
    }

    /// Notes what the host answered. What was foretold (check mode) still lies over it.
    pub(super) fn learn(&mut self, who: Who, probe: &dyn AnyProbe, answer: Answer) {
        self.links.learn(probe, &answer);
        let at = (who, probe.key());
        let mut reads = probe.reads();
        let others = |thing: &Thing| self.links.others(thing, !is_of_link(&at.1));
        let others: Vec<Thing> = reads.iter().flat_map(others).collect();
        reads.extend(others);
        let base = Arc::make_mut(&mut self.base);
        if probe.runs_user_code() {
            base.told.insert(at.clone());
        }
        let stale = |(thing, _): &&(Thing, String)| reads.iter().any(|read| meets(read, thing));
        if !self.over.contains_key(&at)
            && let Some((_, why)) = self.voided.iter().find(stale)
        {
            self.over.insert(at.clone(), Err(NotYet(why.clone())));
        }
        if base.answers.insert(at.clone(), answer).is_none() {
            base.readers.add(reads, &at);
        }
    }

    /// Who is foretold to run and may write anything. What is seen after it is taken to be as it
    /// was, so nobody is refused for it.
    pub(super) fn blur(&self) -> Option<&str> {
        self.blur.as_deref()
    }

    /// Such a program is foretold to run.
    pub(super) fn blurred_by(&mut self, task: &str) {
        self.blur.get_or_insert_with(|| task.to_owned());
    }

    /// A task of which nothing is known yet may write anything.
    pub(super) fn veiled_by(&mut self, task: &str) {
        self.veil.get_or_insert_with(|| task.to_owned());
    }

    /// What that is foretold would change what is read here, were it done.
    pub(super) fn changes(&self, reads: &[Thing]) -> Option<NotYet> {
        if let Some(task) = self.blur.as_ref().or(self.veil.as_ref()) {
            return Some(NotYet(format!("what `{task}` changes")));
        }
        let reads = self.by_all_names(reads, true);
        let stale = |(thing, _): &&(Thing, String)| reads.iter().any(|read| meets(read, thing));
        let (_, why) = self.voided.iter().find(stale)?;
        Some(NotYet(why.clone()))
    }

    /// Where paths lead.
    pub(super) fn links(&self) -> &Links {
        &self.links
    }

    /// An action was taken, or is foretold: links may lead elsewhere after it.
    pub(super) fn act(&mut self, action: &Action) {
        self.links.act(action);
    }

    /// The things by all names that are known of them. `last`: what is a link itself stands for what
    /// it leads to as well, as for a program that opens it.
    pub(super) fn by_all_names(&self, things: &[Thing], last: bool) -> Vec<Thing> {
        let others = things
            .iter()
            .flat_map(|thing| self.links.others(thing, last));
        things.iter().cloned().chain(others).collect()
    }

    /// Finds readers by the names that have become known since they were noted.
    fn index_links(&mut self) {
        if self.indexed == self.links.version() {
            return;
        }
        self.indexed = self.links.version();
        let mut more: Vec<(Thing, (Who, Key))> = Vec::new();
        for (thing, readers) in self.base.readers.all() {
            for reader in readers {
                let others = self.links.others(thing, !is_of_link(&reader.1));
                more.extend(others.into_iter().map(|other| (other, reader.clone())));
            }
        }
        let base = Arc::make_mut(&mut self.base);
        for (thing, reader) in more {
            if !base.readers.at(&thing).any(|known| *known == reader) {
                base.readers.add([thing], &reader);
            }
        }
    }

    /// Forgets all answers: the host was changed in ways that nobody can tell. What was foretold
    /// (check mode) is not of the host, and stays.
    pub(super) fn clear(&mut self) {
        self.base = Arc::default();
    }

    /// Makes every answer that reads what is written here not known yet, for every identity.
    pub(super) fn void(&mut self, writes: &[Thing], why: &str) {
        self.index_links();
        let writes = &self.by_all_names(writes, false);
        self.voided
            .extend(writes.iter().map(|thing| (thing.clone(), why.to_owned())));
        let base = Arc::clone(&self.base);
        for at in writes.iter().flat_map(|thing| base.readers.of(thing)) {
            self.over.insert(at.clone(), Err(NotYet(why.to_owned())));
        }
    }

    /// Forgets the answers that read what is written here, so that they are asked again.
    pub(super) fn forget(&mut self, writes: &[Thing]) {
        self.index_links();
        let writes = &self.by_all_names(writes, true);
        let stale: Vec<_> = writes
            .iter()
            .flat_map(|thing| self.base.readers.of(thing))
            .cloned()
            .collect();
        let base = Arc::make_mut(&mut self.base);
        for at in stale {
            base.answers.remove(&at);
            self.over.remove(&at);
        }
    }

    /// Forgets what code of the user's gave, so that it runs again: nobody said of which host it tells.
    pub(super) fn forget_user_code(&mut self) {
        if self.base.told.is_empty() {
            return;
        }
        let base = Arc::make_mut(&mut self.base);
        for at in std::mem::take(&mut base.told) {
            base.answers.remove(&at);
            self.over.remove(&at);
        }
    }

    /// Lays effects over what is known: of the identity that acts, and of every other identity that
    /// asked the same.
    pub(super) fn foretell(&mut self, who: Who, identities: usize, effects: &[Effect]) {
        for effect in effects {
            let key = effect.probe.key();
            for other in 0..identities {
                if other == who || self.get(other, &key).is_some() {
                    self.over
                        .insert((other, key.clone()), effect.answer.clone());
                }
            }
        }
    }
}
