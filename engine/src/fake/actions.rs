//! Actions on a world.

use super::{
    World,
    programs::{Call, failed},
    world::{Body, Last},
};
use crate::{
    effects::paths::below,
    host::{HostError, StepEnd},
    secret::Text,
    source::sha256,
    step::{Action, Attrs, Content, Done, Effect, Fetch, Run, Write},
};

/// Why an action came to nothing.
enum Failure {
    Message(String),
    Program(Done),
    Edited,
    Host(HostError),
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::Message(message)
    }
}

type Acted<T = ()> = Result<T, Failure>;

fn at<T>(path: &str, result: Result<T, &str>) -> Acted<T> {
    result.map_err(|why| Failure::Message(format!("`{path}`: {why}")))
}

fn bytes(content: &Content) -> Acted<Vec<u8>> {
    content.read().map_err(|why| {
        let name = match content {
            Content::Source(source) => source.name().to_owned(),
            Content::Plain(_) | Content::Secret(_) => String::new(),
        };
        let why = why.to_string();
        Failure::Host(HostError::Source { name, why })
    })
}

impl World {
    /// Carries out an action as who acts, and believes what the step states beside it.
    pub(super) fn act(
        &mut self,
        action: &Action,
        env: &[(String, Text)],
        effects: &[Effect],
    ) -> Result<StepEnd, HostError> {
        self.tick();
        let carried_out = match action {
            Action::Run(run) => self.knows(&argv(run)) || effects.is_empty(),
            _ => true,
        };
        let done = match action {
            Action::Run(_) if !carried_out => Ok(StepEnd::Ok(Done::default())),
            Action::Run(run) => self.act_run(run, env),
            Action::Settle { until, .. } => Ok(self.settle(until)),
            action => self
                .act_on_file(action)
                .map(|()| StepEnd::Ok(Done::default())),
        };
        let end = match done {
            Ok(end) => end,
            Err(Failure::Message(text)) => StepEnd::Failed(failed(1, format!("{text}\n"))),
            Err(Failure::Program(done)) => StepEnd::Failed(done),
            Err(Failure::Edited) => StepEnd::Edited,
            Err(Failure::Host(error)) => return Err(error),
        };
        if matches!(end, StepEnd::Ok(_)) {
            for effect in effects {
                self.believe(effect, carried_out);
            }
        }
        Ok(end)
    }

    fn act_run(&mut self, run: &Run, env: &[(String, Text)]) -> Acted<StepEnd> {
        let done = self.run(run, env, bytes(&run.stdin)?);
        let fine = run.ok.is_empty() || run.ok.contains(&done.status);
        Ok(if fine {
            StepEnd::Ok(done)
        } else {
            StepEnd::Failed(done)
        })
    }

    /// Nothing moves here while it waits: the answer is there, or never comes. What nobody said
    /// anything about is believed.
    fn settle(&mut self, until: &Effect) -> StepEnd {
        if until.probe.expected(&until.answer).is_none() {
            let kind = until.probe.kind();
            let why = format!("`{kind}` cannot be waited for: its answer has no normal form\n");
            return StepEnd::Failed(failed(1, why));
        }
        let answer = self.answer(until.probe.as_ref());
        if until.probe.same(&answer, &until.answer) {
            return StepEnd::Ok(Done::default());
        }
        if answer.is_err() {
            self.answers.say(until);
            return StepEnd::Ok(Done::default());
        }
        StepEnd::TimedOut(failed(124, ""))
    }

    /// Where a run does it, it does more: this is for tests of single modules.
    fn act_fetch(&mut self, fetch: &Fetch) -> Acted {
        let bytes = self.contents_of(&fetch.path).map_err(|why| why.0)?;
        let bytes = bytes.ok_or_else(|| "it is gone".to_owned())?.to_vec();
        if fetch.digest.is_some_and(|digest| sha256(&bytes) != digest) {
            return Err("it changed while it was being read".to_owned().into());
        }
        self.kept.insert(fetch.to.clone(), bytes);
        Ok(())
    }

    fn act_on_file(&mut self, action: &Action) -> Acted {
        match action {
            Action::Write(write) => self.act_write(write),
            Action::Fetch(fetch) => self.act_fetch(fetch),
            Action::Directory { path, attrs } => self.act_directory(path, attrs),
            Action::Link { path, target } => {
                let place = self.vacant(path)?;
                self.place(&place, Body::Link(target.clone()), 0o777);
                Ok(())
            }
            Action::HardLink { path, target } => {
                let inode = self.inode(target, Last::Keep);
                let inode = inode.ok_or_else(|| format!("`{target}`: does not exist"))?;
                if self
                    .node(target, Last::Keep)
                    .is_some_and(|n| n.body == Body::Directory)
                {
                    return Err(format!("`{target}`: is a directory").into());
                }
                let place = self.vacant(path)?;
                self.name(&place, inode);
                Ok(())
            }
            Action::Attrs {
                path,
                attrs,
                follow,
                recurse,
            } => {
                let last = if *follow { Last::Follow } else { Last::Keep };
                let place = at(path, self.walk(path, last))?;
                if !self.exists(&place) {
                    return Err(format!("`{path}`: does not exist").into());
                }
                let paths = if *recurse {
                    self.tree(&place)
                } else {
                    vec![place]
                };
                // `touch` knows no trees.
                let inner = Attrs {
                    mtime: None,
                    atime: None,
                    ..attrs.clone()
                };
                let (top, rest) = paths.split_first().expect("BUG: no path");
                self.set(top, attrs)?;
                rest.iter().try_for_each(|path| self.set(path, &inner))
            }
            Action::Copy { from, to } => self.act_copy(from, to),
            Action::Remove { path } => {
                if path.trim_matches('/').is_empty() {
                    return Err("will not remove `/`".to_owned().into());
                }
                self.remove(path);
                Ok(())
            }
            Action::Run(_) | Action::Settle { .. } => Ok(()),
        }
    }

    /// The place of a path at which something new is put, which must not be a directory.
    fn vacant(&self, path: &str) -> Acted<String> {
        let place = at(path, self.walk(path, Last::Keep))?;
        match self.node(&place, Last::Keep).map(|node| &node.body) {
            Some(Body::Directory) => Err(format!("`{path}`: is a directory").into()),
            _ => Ok(place),
        }
    }

    fn act_write(&mut self, write: &Write) -> Acted {
        let place = at(&write.path, self.walk(&write.path, Last::Keep))?;
        if let Some(was) = write.if_was {
            // What is there and no regular file has a digest that nobody planned on.
            let exists = self.exists(&place);
            let is = exists.then(|| self.digest(&place).unwrap_or_default());
            if is != was {
                return Err(Failure::Edited);
            }
        }
        let place = self.vacant(&place)?;
        let kept = self.node(&place, Last::Keep).cloned();
        let kept = kept.filter(|node| matches!(node.body, Body::File(_) | Body::Opaque(_)));
        let new_mode = write.new_mode.unwrap_or(0o644);
        let mode = kept.as_ref().map_or(new_mode, |node| node.mode);
        let beside = format!("{place}.evenkeel-new");
        self.place(&beside, Body::File(bytes(&write.content)?), 0o600);
        if let Some(old) = kept {
            self.chown(&beside, old.uid, old.gid);
        }
        let attrs = Attrs {
            mode: Some(write.attrs.mode.unwrap_or(mode)),
            ..write.attrs.clone()
        };
        let mut fine = self.set(&beside, &attrs);
        if let (Ok(()), Some(validate)) = (&fine, &write.validate) {
            let argv: Vec<_> = validate.iter().map(|w| w.replace("%s", &beside)).collect();
            let user = self.actor.name.clone();
            let done = self.call(&Call::new(&argv, &user));
            if done.status != 0 {
                fine = Err(Failure::Program(done));
            }
        }
        if let (Ok(()), Some(inode)) = (&fine, self.inode(&beside, Last::Keep)) {
            self.name(&place, inode);
        }
        self.remove(&beside);
        fine
    }

    fn act_directory(&mut self, path: &str, attrs: &Attrs) -> Acted {
        let place = at(path, self.walk(path, Last::Follow))?;
        if !self.is_dir(&place) {
            let place = self.vacant(path)?;
            if self.exists(&place) {
                return Err(format!("`{path}`: is no directory").into());
            }
            self.place(&place, Body::Directory, 0o755);
        }
        self.set(&place, attrs)
    }

    /// As `cp -a`, then a rename: links are copied as links, a directory with all below it.
    fn act_copy(&mut self, from: &str, to: &str) -> Acted {
        let source = at(from, self.walk(from, Last::Keep))?;
        if !self.exists(&source) {
            return Err(format!("`{from}`: does not exist").into());
        }
        let place = self.vacant(to)?;
        if below(&place, &source) {
            return Err(format!("`{from}`: cannot be copied into itself").into());
        }
        for path in self.tree(&source) {
            let Some(mut node) = self.node(&path, Last::Keep).cloned() else {
                continue;
            };
            if self.actor.uid != 0 {
                (node.uid, node.gid) = (self.actor.uid, self.actor.gid);
            }
            let copy = format!("{place}{}", &path[source.len()..]);
            self.place(&copy, Body::Directory, 0o700);
            if let Some(new) = self.node_mut(&copy, Last::Keep) {
                *new = node;
            }
        }
        Ok(())
    }

    /// `chown`, `chmod` and `touch` of a path itself.
    fn set(&mut self, path: &str, attrs: &Attrs) -> Acted {
        let owner = attrs.owner.as_ref().map(|name| {
            let known = self.user(name).map(|account| account.uid);
            known
                .or_else(|| name.parse().ok())
                .ok_or_else(|| format!("invalid user: `{name}`"))
        });
        let group = attrs.group.as_ref().map(|name| {
            let known = self.group(name).map(|(_, gid)| gid);
            known
                .or_else(|| name.parse().ok())
                .ok_or_else(|| format!("invalid group: `{name}`"))
        });
        let (owner, group, now) = (owner.transpose()?, group.transpose()?, self.now());
        let moment = |text: &Option<String>| match text.as_deref() {
            None => Ok(None),
            Some("now") => Ok(Some(now)),
            Some(text) => {
                let seconds = text.parse().map_err(|_| format!("invalid date `{text}`"));
                seconds.map(Some)
            }
        };
        let (atime, mtime) = (moment(&attrs.atime)?, moment(&attrs.mtime)?);
        let Some(node) = self.node_mut(path, Last::Keep) else {
            return Err(format!("`{path}`: does not exist").into());
        };
        if (owner.is_some() || group.is_some()) && matches!(node.body, Body::File(_)) {
            let lost = if node.mode & 0o010 != 0 {
                0o6000
            } else {
                0o4000
            };
            node.mode &= !lost;
        }
        node.uid = owner.unwrap_or(node.uid);
        node.gid = group.unwrap_or(node.gid);
        if !matches!(node.body, Body::Link(_)) {
            node.mode = attrs.mode.unwrap_or(node.mode);
        }
        node.atime = atime.unwrap_or(node.atime);
        node.mtime = mtime.unwrap_or(node.mtime);
        Ok(())
    }
}

fn argv(run: &Run) -> Vec<String> {
    let joined = run.joins.iter().flatten();
    run.argv.iter().chain(joined).cloned().collect()
}
