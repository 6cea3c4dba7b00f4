//! All that the engine's own probes say of one path.

use super::View;
use crate::{
    late::NotYet,
    probe::Probe,
    probes::{Contents, Digest, EmptyDirectory, FileStat, Glob, Inode, Stat, Times},
    source::Sha,
    step::Effect,
};

type Known<T> = Result<Option<T>, NotYet>;

/// Answers about one path, each known or not.
#[derive(Clone)]
pub(super) struct Facts {
    pub(super) stat: Known<FileStat>,
    pub(super) digest: Known<Sha>,
    pub(super) contents: Known<Vec<u8>>,
    pub(super) inode: Known<(i64, i64)>,
    pub(super) times: Known<(i64, i64)>,
    pub(super) empty: Known<bool>,
}

impl Facts {
    /// What was answered.
    pub(super) fn seen(path: &str, view: View<'_>) -> Self {
        Self {
            stat: view.get(&Stat(path.to_owned())),
            digest: view.get(&Digest(path.to_owned())),
            contents: view.get(&Contents(path.to_owned())),
            inode: view.get(&Inode(path.to_owned())),
            times: view.get(&Times(path.to_owned())),
            empty: view.get(&EmptyDirectory(path.to_owned())),
        }
    }

    /// Of a path that does not exist.
    pub(super) fn gone() -> Self {
        Self {
            stat: Ok(None),
            digest: Ok(None),
            contents: Ok(None),
            inode: Ok(None),
            times: Ok(None),
            empty: Ok(None),
        }
    }

    /// Nothing can be foretold.
    pub(super) fn unknown(what: &str) -> Self {
        let why = NotYet::new(what);
        Self {
            stat: Err(why.clone()),
            digest: Err(why.clone()),
            contents: Err(why.clone()),
            inode: Err(why.clone()),
            times: Err(why.clone()),
            empty: Err(why),
        }
    }

    /// As effects on the probes of `path`.
    pub(super) fn effects(self, path: &str) -> Vec<Effect> {
        let exists = self.stat.as_ref().map(Option::is_some);
        let glob = exists
            .map(|exists| exists.then(|| path.to_owned()))
            .map_err(Clone::clone);
        let mut effects = vec![
            effect(Stat(path.to_owned()), self.stat),
            effect(Digest(path.to_owned()), self.digest),
            effect(Contents(path.to_owned()), self.contents),
            effect(Inode(path.to_owned()), self.inode),
            effect(Times(path.to_owned()), self.times),
            effect(EmptyDirectory(path.to_owned()), self.empty),
        ];
        if !path.contains(['*', '?', '[']) {
            effects.push(effect(Glob(path.to_owned()), glob));
        }
        effects
    }
}

fn effect<P: Probe>(probe: P, answer: Result<P::Answer, NotYet>) -> Effect {
    match answer {
        Ok(answer) => Effect::new(probe, answer),
        Err(why) => Effect::unknown(probe, why.0),
    }
}
