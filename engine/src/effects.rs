//! Effects of the engine's own actions on the engine's own probes: what will be answered after a
//! step, derived from what was answered before it.
//!
//! The same rules give check mode its foresight, let the engine run ahead, and are what the second
//! look is held against. Where an answer cannot be derived from what was seen, it is not known yet:
//! nothing is guessed. To know what a new path will be, [`effects`] wants `Whoami` and the `Stat`
//! of the parent directory; for names of owners, `User` and `Group`.

mod facts;
pub(crate) mod paths;
mod stats;

pub use paths::{covers, meets};

use std::sync::Arc;

use crate::{
    keep::{Kept, KeptFile},
    late::NotYet,
    probe::{Answer, AnyProbe, Key, Probe, downcast},
    probes::{EmptyDirectory, FileStat, Kind, Stat, Times},
    seen::Seen,
    step::{Action, Attrs, Content, Effect, Plan, Step, Write},
    thing::Thing,
};
use facts::Facts;
use paths::{ancestors, parent};

/// Finds what was answered; for views and stores of any kind.
pub type Look<'a> = dyn Fn(&Key) -> Option<Answer> + 'a;

/// A [`Look`] with types.
#[derive(Clone, Copy)]
struct View<'a>(&'a Look<'a>);

impl View<'_> {
    fn get<P: Probe>(self, probe: &P) -> Result<P::Answer, NotYet> {
        match (self.0)(&AnyProbe::key(probe)) {
            Some(answer) => downcast::<P>(&answer).cloned(),
            None => Err(NotYet(format!("{probe:?} was not asked"))),
        }
    }

    fn asked<P: Probe>(self, probe: &P) -> bool {
        (self.0)(&AnyProbe::key(probe)).is_some()
    }
}

/// What the action writes, so that answers that read it can be voided. Of a `Run` nothing is known
/// here: a command whose effects nobody stated is foretold to change nothing that was asked.
pub fn writes(action: &Action, look: &Look<'_>) -> Vec<Thing> {
    let view = View(look);
    match action {
        // What lies below a path is reached through a link that stood there.
        Action::Write(Write { path, .. }) => vec![replaced(path, view)],
        Action::HardLink { path: to, target } | Action::Copy { to, from: target } => {
            match view.get(&Stat(target.clone())) {
                Ok(Some(stat)) if stat.kind == Kind::File => vec![replaced(to, view)],
                _ => vec![Thing::Tree(to.clone())],
            }
        }
        Action::Link { path, .. } | Action::Remove { path } => vec![Thing::Tree(path.clone())],
        // A link to a directory will do.
        Action::Directory { path, .. } => own_and_target(path, view, Thing::Path),
        Action::Attrs {
            path,
            follow,
            recurse,
            ..
        } => {
            let thing = if *recurse { Thing::Tree } else { Thing::Path };
            if *follow {
                own_and_target(path, view, thing)
            } else {
                vec![thing(path.clone())]
            }
        }
        Action::Fetch(fetch) => vec![fetch.to.thing()],
        Action::Run(_) | Action::Settle { .. } => Vec::new(),
    }
}

fn own_and_target(path: &str, view: View<'_>, thing: fn(String) -> Thing) -> Vec<Thing> {
    let own = path.to_owned();
    match (view.get(&Stat(own.clone())), stats::follow(path, view)) {
        (_, Ok(target)) if target == path => vec![thing(own)],
        (_, Ok(target)) => vec![thing(own), thing(target)],
        // A link, and nobody knows where it leads.
        (Ok(_), Err(_)) => vec![Thing::Everything],
        (Err(_), Err(_)) => vec![thing(own)],
    }
}

fn replaced(path: &str, view: View<'_>) -> Thing {
    match view.get(&Stat(path.to_owned())) {
        Ok(None) => Thing::Path(path.to_owned()),
        Ok(Some(stat)) if stat.kind == Kind::File => Thing::Path(path.to_owned()),
        _ => Thing::Tree(path.to_owned()),
    }
}

/// What the engine's own probes will answer after the action, from what they answered before it.
pub fn effects(action: &Action, look: &Look<'_>) -> Vec<Effect> {
    let view = View(look);
    match action {
        Action::Write(write) => written(write, view),
        Action::Directory { path, attrs } => directory(path, attrs, view),
        Action::Link { path, target } => {
            let link = |stat: FileStat| FileStat {
                kind: Kind::Link(target.clone()),
                mode: 0o777,
                ..stat
            };
            let facts = Facts {
                stat: stats::fresh(path, 0o777, view).map(link).map(Some),
                ..Facts::unknown("what a link points to")
            };
            made(path, facts, view)
        }
        Action::HardLink { path, target } => {
            let facts = match Facts::seen(target, view) {
                facts if matches!(&facts.stat, Ok(Some(stat)) if stat.kind == Kind::File) => facts,
                _ => Facts::unknown("the target of a hard link"),
            };
            made(path, facts, view)
        }
        Action::Attrs {
            path,
            attrs,
            follow,
            recurse,
        } => {
            let mut effects = changed(path, attrs, *follow, view);
            let inside = |target: String| target != *path && paths::below(path, &target);
            if *recurse && *follow && stats::follow(path, view).is_ok_and(inside) {
                effects.extend(Facts::unknown("a link in the tree it leads to").effects(path));
            }
            effects
        }
        Action::Copy { from, to } => made(to, stats::copied(from, view), view),
        Action::Remove { path } => removed(path, view),
        Action::Fetch(fetch) => {
            let kept = Kept(fetch.to.clone());
            let file = Effect::unknown(KeptFile(fetch.to.clone()), "what is kept of it");
            let digest = fetch.digest.map(|digest| Ok(Some(digest)));
            let kept = digest.map_or_else(
                || Effect::unknown(kept.clone(), "what is kept of it"),
                |digest| Effect::new(kept.clone(), digest),
            );
            vec![kept, file]
        }
        Action::Run(_) => Vec::new(),
        Action::Settle { until, .. } => vec![until.clone()],
    }
}

/// Effects of a step: those of its action, then those it states.
pub fn of_step(step: &Step, look: &Look<'_>) -> Vec<Effect> {
    let mut all = effects(&step.action, look);
    all.extend(step.effects.iter().cloned());
    all
}

/// Lays a plan over what was seen: voids the answers to `asked` that read what a step writes, then
/// notes what the step foretells. For tests of single modules.
pub fn foretell(seen: &mut Seen, asked: &[Arc<dyn AnyProbe>], plan: &Plan) {
    for step in plan.changes.iter().flat_map(|change| &change.steps) {
        let look = |key: &Key| seen.raw(key).cloned();
        let (effects, writes) = (of_step(step, &look), writes(&step.action, &look));
        for probe in asked {
            if let Some(thing) = voided(&probe.reads(), &writes) {
                let why = NotYet(format!("{probe:?} after {thing} was written"));
                seen.answer(probe.key(), Err(why));
            }
        }
        seen.foretell(&effects);
    }
}

/// Which of the things written makes an answer with these `reads` void.
pub fn voided<'a>(reads: &[Thing], writes: &'a [Thing]) -> Option<&'a Thing> {
    writes
        .iter()
        .find(|write| reads.iter().any(|read| meets(read, write)))
}

fn written(write: &Write, view: View<'_>) -> Vec<Effect> {
    let facts = Facts {
        stat: stats::written(write, view).map(Some),
        digest: Ok(Some(write.content.digest())),
        contents: contents(&write.content),
        empty: Ok(None),
        ..Facts::unknown("an inode and times of a new file")
    };
    made(&write.path, facts, view)
}

/// Local files are not read for foresight.
fn contents(content: &Content) -> Result<Option<Vec<u8>>, NotYet> {
    match content {
        Content::Source(source) => Err(NotYet(format!("the bytes of `{}`", source.name()))),
        content if content.len() > crate::probes::CONTENTS_LIMIT as u64 => {
            Err(NotYet::new("the bytes of a large file"))
        }
        Content::Plain(bytes) => Ok(Some(bytes.to_vec())),
        Content::Secret(secret) => Ok(Some(secret.reveal().to_vec())),
    }
}

fn directory(path: &str, attrs: &Attrs, view: View<'_>) -> Vec<Effect> {
    let before = Facts::seen(path, view);
    match &before.stat {
        Ok(None) => {
            let facts = Facts {
                stat: stats::directory(path, attrs, view).map(Some),
                digest: Ok(None),
                contents: Ok(None),
                empty: Ok(Some(true)),
                ..Facts::unknown("an inode and times of a new directory")
            };
            made(path, facts, view)
        }
        Ok(Some(stat)) if matches!(stat.kind, Kind::Directory | Kind::Link(_)) => {
            changed(path, attrs, true, view)
        }
        _ => made(path, Facts::unknown("what stands there"), view),
    }
}

/// A path that is there now, and was not or was something else.
fn made(path: &str, facts: Facts, view: View<'_>) -> Vec<Effect> {
    let mut effects = facts.effects(path);
    let mut above = ancestors(path);
    if let Some(parent) = above.next() {
        effects.push(Effect::new(EmptyDirectory(parent.to_owned()), Some(false)));
    }
    for dir in above {
        let probe = EmptyDirectory(dir.to_owned());
        if view.asked(&probe) {
            effects.push(Effect::new(probe, Some(false)));
        }
    }
    effects.extend(times_of_parent(path, view));
    effects
}

fn changed(path: &str, attrs: &Attrs, follow: bool, view: View<'_>) -> Vec<Effect> {
    let target = if follow {
        stats::follow(path, view)
    } else {
        Ok(path.to_owned())
    };
    let Ok(target) = target else {
        let facts = Facts {
            inode: Facts::seen(path, view).inode,
            ..Facts::unknown("where the link leads")
        };
        return [facts.effects(path), restated_above(path, view)].concat();
    };
    let before = Facts::seen(&target, view);
    let facts = Facts {
        stat: before
            .stat
            .clone()
            .and_then(|stat| stat.map(|stat| stats::with(&stat, attrs, view)).transpose()),
        times: match &before.stat {
            // They are of what the link leads to.
            Ok(Some(stat)) if matches!(stat.kind, Kind::Link(_)) => before.times.clone(),
            _ => stats::times(&before.times, attrs),
        },
        ..before
    };
    let mut effects = Vec::new();
    if target != path {
        // The link itself stays; what is seen through it does not.
        let through = Facts {
            times: facts.times.clone(),
            ..Facts::seen(path, view)
        };
        effects.extend(through.effects(path));
        effects.extend(restated_above(path, view));
    }
    effects.extend(facts.effects(&target));
    effects.extend(restated_above(&target, view));
    effects
}

fn removed(path: &str, view: View<'_>) -> Vec<Effect> {
    let was_there = !matches!(view.get(&Stat(path.to_owned())), Ok(None));
    let mut effects = Facts::gone().effects(path);
    effects.extend(restated_above(path, view));
    if was_there && let Some(dir) = parent(path) {
        let probe = EmptyDirectory(dir.to_owned());
        if !matches!(view.get(&probe), Ok(Some(true))) {
            let why = format!("whether `{dir}` is empty then");
            effects.push(Effect::unknown(probe, why));
        }
        effects.extend(times_of_parent(path, view));
    }
    effects
}

/// Whether directories above are empty is not changed by what happens to an existing path.
fn restated_above(path: &str, view: View<'_>) -> Vec<Effect> {
    ancestors(path)
        .map(|dir| EmptyDirectory(dir.to_owned()))
        .filter_map(|probe| Some(Effect::new(probe.clone(), view.get(&probe).ok()?)))
        .collect()
}

fn times_of_parent(path: &str, view: View<'_>) -> Option<Effect> {
    let probe = Times(parent(path)?.to_owned());
    let why = format!("the times of `{}`", probe.0);
    view.asked(&probe).then(|| Effect::unknown(probe, why))
}

#[cfg(test)]
mod tests;
