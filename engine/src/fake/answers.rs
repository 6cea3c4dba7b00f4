//! What a fake host answers: the engine's own probes from its model, others as it was told.

use std::{collections::BTreeMap, fmt, sync::Arc};

use super::{
    World, glob,
    programs::Call,
    world::{Body, Last, Node},
};
use crate::{
    download::{Downloaded, DownloadedText, Got},
    keep::{Kept, KeptFile},
    late::NotYet,
    probe::{Answer, AnyProbe, Key, Probe},
    probes::{
        Account, Answered, Ask, CONTENTS_LIMIT, Chunk, Contents, Digest, EmptyDirectory, FileStat,
        Glob, Group, Inode, Kind, Length, Me, RealPath, Stat, Times, User, Which, Whoami,
    },
    source::{Sha, Source, sha256},
    step::Effect,
};

type Model = Arc<dyn Fn(&World, &dyn AnyProbe) -> Answer + Send + Sync>;

/// Answers to probes that the model knows nothing about.
#[derive(Clone, Default)]
pub(super) struct Answers {
    /// Registered by a test, then overlaid by what steps state.
    said: BTreeMap<Key, (Arc<dyn AnyProbe>, Answer)>,
    /// Holds whatever steps state.
    always: BTreeMap<Key, Answer>,
    models: BTreeMap<&'static str, Model>,
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.shown()).finish()
    }
}

impl Answers {
    pub(super) fn shown(&self) -> BTreeMap<String, String> {
        let line = |(key, (probe, answer)): (&Key, &(Arc<dyn AnyProbe>, Answer))| {
            (format!("answer to `{key:?}`"), probe.show(answer))
        };
        self.said.iter().map(line).collect()
    }

    pub(super) fn say(&mut self, effect: &Effect) {
        let said = (effect.probe.clone(), effect.answer.clone());
        self.said.insert(effect.probe.key(), said);
    }

    pub(super) fn always(&mut self, key: Key, answer: Answer) {
        self.always.insert(key, answer);
    }

    pub(super) fn model<P: Probe>(
        &mut self,
        model: impl Fn(&World, &P) -> Result<P::Answer, NotYet> + Send + Sync + 'static,
    ) {
        let erased = move |world: &World, probe: &dyn AnyProbe| match probe.as_any().downcast_ref()
        {
            Some(probe) => erase(model(world, probe)),
            None => panic!("BUG: two types of probes are called `{}`", P::KIND),
        };
        self.models.insert(P::KIND, Arc::new(erased));
    }
}

fn erase<T: Send + Sync + 'static>(answer: Result<T, NotYet>) -> Answer {
    answer.map(|value| Arc::new(value) as _)
}

fn cast<P: Probe>(probe: &dyn AnyProbe) -> Option<&P> {
    probe.as_any().downcast_ref()
}

impl World {
    /// Answers a probe as who acts. Programs that a question runs may change the world: the law of
    /// looking finds them.
    pub(super) fn answer(&mut self, probe: &dyn AnyProbe) -> Answer {
        let key = probe.key();
        if let Some(answer) = self.answers.always.get(&key) {
            return answer.clone();
        }
        if let Some(model) = self.answers.models.get(probe.kind()).cloned() {
            return model(self, probe);
        }
        if let Some(answer) = self.of_path(probe).or_else(|| self.of_account(probe)) {
            return answer;
        }
        if let Some(ask) = cast::<Ask>(probe)
            && (self.knows(&ask.argv) || !self.answers.said.contains_key(&key))
        {
            return erase(Ok(self.asked(ask)));
        }
        match self.answers.said.get(&key) {
            Some((_, answer)) => answer.clone(),
            None => Err(NotYet(format!("what {probe:?} answers"))),
        }
    }

    fn of_path(&self, probe: &dyn AnyProbe) -> Option<Answer> {
        if let Some(Stat(path)) = cast(probe) {
            return Some(erase(Ok(self.stat(path))));
        }
        if let Some(Digest(path)) = cast(probe) {
            return Some(erase(Ok(self.digest(path))));
        }
        if let Some(Contents(path)) = cast(probe) {
            return Some(erase(self.contents(path)));
        }
        if let Some(Length(path)) = cast(probe) {
            return Some(erase(
                self.contents_of(path)
                    .map(|bytes| bytes.map(|b| b.len() as u64)),
            ));
        }
        if let Some(Chunk { path, at, len }) = cast(probe) {
            let part = |bytes: &[u8]| {
                let from = bytes.len().min(usize::try_from(*at).unwrap_or(usize::MAX));
                let most = usize::try_from(*len).unwrap_or(usize::MAX);
                bytes[from..]
                    .iter()
                    .take(most)
                    .copied()
                    .collect::<Vec<u8>>()
            };
            return Some(erase(self.contents_of(path).map(|bytes| bytes.map(part))));
        }
        if let Some(Kept(place)) = cast(probe) {
            let digest = self.kept.get(place).map(|bytes| sha256(bytes));
            return Some(erase(Ok(Ok::<_, String>(digest))));
        }
        if let Some(KeptFile(place)) = cast(probe) {
            let source = |bytes: &Vec<u8>| Source::inline(place.path(), bytes.clone());
            let source = self.kept.get(place).map(source);
            return Some(erase(Ok(Ok::<_, String>(source))));
        }
        if let Some(Downloaded(order)) = cast(probe) {
            return Some(erase(Ok(self.download(order))));
        }
        if let Some(DownloadedText(order)) = cast(probe) {
            let text = |got: Got| {
                let bytes = got.source.read().map_err(|why| why.to_string())?;
                Ok::<_, String>(String::from_utf8_lossy(&bytes).into_owned())
            };
            return Some(erase(Ok(self.download(order).and_then(text))));
        }
        if let Some(Glob(pattern)) = cast(probe) {
            return Some(erase(Ok(glob::first(self, pattern))));
        }
        if let Some(Inode(path)) = cast(probe) {
            let inode = self.inode(path, Last::Keep);
            return Some(erase(Ok(inode.map(|inode| (1_i64, inode.cast_signed())))));
        }
        if let Some(Times(path)) = cast(probe) {
            let times = |node: &Node| (node.atime, node.mtime);
            return Some(erase(Ok(self.node(path, Last::Follow).map(times))));
        }
        if let Some(EmptyDirectory(path)) = cast(probe) {
            let empty = || self.children(path).is_empty();
            return Some(erase(Ok(self.is_dir(path).then(empty))));
        }
        if let Some(RealPath(path)) = cast(probe) {
            return Some(erase(Ok(self.real(path))));
        }
        None
    }

    fn contents(&self, path: &str) -> Result<Option<Vec<u8>>, NotYet> {
        match self.contents_of(path)? {
            Some(bytes) if bytes.len() > CONTENTS_LIMIT => Err(NotYet(format!(
                "`{path}` is larger than {CONTENTS_LIMIT} bytes"
            ))),
            bytes => Ok(bytes.map(<[u8]>::to_vec)),
        }
    }

    /// The bytes of a file of any length.
    pub(super) fn contents_of(&self, path: &str) -> Result<Option<&[u8]>, NotYet> {
        match self.node(path, Last::Follow).map(|node| &node.body) {
            Some(Body::File(bytes)) => Ok(Some(bytes)),
            Some(Body::Opaque(_)) => Err(NotYet(format!("the bytes of `{path}`"))),
            _ => Ok(None),
        }
    }

    fn of_account(&self, probe: &dyn AnyProbe) -> Option<Answer> {
        if let Some(User(name)) = cast(probe) {
            return Some(erase(Ok(self.user(name))));
        }
        if let Some(Group(name)) = cast(probe) {
            return Some(erase(Ok(self.group(name))));
        }
        if cast::<Whoami>(probe).is_some() {
            let account = self.actor.clone();
            let home = self.home(&account.name).unwrap_or("/").to_owned();
            let dir = home.clone();
            return Some(erase(Ok(Me { account, home, dir })));
        }
        if let Some(Which(name)) = cast(probe) {
            return Some(erase(Ok(self.which(name))));
        }
        None
    }

    fn asked(&mut self, ask: &Ask) -> Answered {
        let user = self.actor.name.clone();
        let done = self.call(&Call::new(&ask.argv, &user));
        let text = String::from_utf8_lossy(&done.stdout[..done.stdout.len().min(65536)]);
        Answered {
            status: done.status,
            stdout: text.trim_end_matches('\n').to_owned(),
        }
    }

    /// Takes what a step states for true. `model` says whether the step was carried out by
    /// something that changed this world itself: then only what the world has no model of is
    /// believed.
    pub(super) fn believe(&mut self, effect: &Effect, carried_out: bool) {
        let probe = effect.probe.as_ref();
        let built_in = self.of_path(probe).is_some() || self.of_account(probe).is_some();
        if !built_in {
            self.answers.say(effect);
        } else if !carried_out && effect.answer.is_ok() {
            self.become_so(effect);
        }
    }

    fn become_so(&mut self, effect: &Effect) {
        let (probe, answer) = (effect.probe.as_ref(), &effect.answer);
        if let (Some(Stat(path)), Some(stat)) = (cast(probe), value::<Option<FileStat>>(answer)) {
            self.become_stat(path, stat.as_ref());
        } else if let (Some(Digest(path)), Some(sha)) = (cast(probe), value::<Option<Sha>>(answer))
        {
            match sha {
                None => self.remove(path),
                Some(sha) if self.digest(path) == Some(*sha) => {}
                Some(sha) => self.become_body(path, Body::Opaque(*sha)),
            }
        } else if let (Some(Contents(path)), Some(bytes)) =
            (cast(probe), value::<Option<Vec<u8>>>(answer))
        {
            match bytes {
                None => self.remove(path),
                Some(bytes) => self.become_body(path, Body::File(bytes.clone())),
            }
        } else if let (Some(Glob(path)), Some(found)) =
            (cast(probe), value::<Option<String>>(answer))
        {
            match found {
                None => self.remove(path),
                Some(found) if !self.exists(found) => self.write(found, ""),
                Some(_) => {}
            }
        } else if let (Some(User(name)), Some(user)) =
            (cast(probe), value::<Option<Account>>(answer))
        {
            match user {
                None => self.remove_user(name),
                Some(account) => self.set_account(account.clone()),
            }
        } else if let (Some(Group(name)), Some(group)) =
            (cast(probe), value::<Option<(String, u32)>>(answer))
        {
            match group {
                None => self.remove_group(name),
                Some((name, gid)) => self.add_group(name, *gid),
            }
        } else if let (Some(Which(_)), Some(Some(path))) =
            (cast(probe), value::<Option<String>>(answer))
        {
            if !self.exists(path) {
                self.write(path, "");
            }
            self.chmod(path, 0o755);
        }
    }

    fn become_body(&mut self, path: &str, body: Body) {
        self.write(path, "");
        if let Some(node) = self.node_mut(path, Last::Follow) {
            node.body = body;
        }
    }

    fn become_stat(&mut self, path: &str, stat: Option<&FileStat>) {
        let Some(stat) = stat else {
            return self.remove(path);
        };
        let now = self.stat(path);
        if now.as_ref().map(|now| &now.kind) != Some(&stat.kind) {
            self.remove(path);
            match &stat.kind {
                Kind::File => self.write(path, ""),
                Kind::Directory => self.dirs(path),
                Kind::Link(target) => self.link(path, target),
                Kind::Other(bits) => self.become_body(path, Body::Other(*bits)),
            }
        }
        if let Some(node) = self.node_mut(path, Last::Keep) {
            (node.mode, node.uid, node.gid) = (stat.mode, stat.uid, stat.gid);
        }
    }
}

fn value<T: 'static>(answer: &Answer) -> Option<&T> {
    answer.as_ref().ok()?.downcast_ref()
}
