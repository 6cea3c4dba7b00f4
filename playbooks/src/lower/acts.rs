//! As whom a task acts where only the run tells it, or where the turns of its loop differ in it (`become_user: "{{ item }}"`).

use std::{fmt, sync::Arc};

use evenkeel_engine::{Identity, NotYet};

use super::{
    body::{Trouble, items_of},
    elsewhere::Place,
    keywords::{self, Keywords},
    listing::Entry,
    program::{Loop, Program},
};
use crate::{
    ast::{Common, OrTemplate},
    load::Privilege,
    settings::Settings,
    template::{Fault, is_template},
    vars::{Scope, Tree, reached},
};

/// What says as whom a task acts.
pub(super) struct Acts {
    /// Of what stands around the task and of itself, no more than that.
    commons: Vec<Common>,
    /// The machine's variables, where that is another one than the host's.
    machine: Option<Scope>,
    privilege: Privilege,
    settings: Settings,
}

impl fmt::Debug for Acts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Acts")
    }
}

impl Acts {
    pub(super) fn new(
        entry: &Entry<'_>,
        machine: Option<&Scope>,
        (privilege, settings): (&Privilege, &Settings),
    ) -> Self {
        let only = |common: &&Common| Common {
            become_: common.become_.clone(),
            become_user: common.become_user.clone(),
            become_method: common.become_method.clone(),
            become_flags: common.become_flags.clone(),
            ..Common::default()
        };
        Self {
            commons: entry.commons.iter().map(only).collect(),
            machine: machine.cloned(),
            privilege: privilege.clone(),
            settings: settings.clone(),
        }
    }

    /// With these variables.
    pub(super) fn identity(&self, scope: &Scope) -> Result<Identity, Trouble> {
        let commons: Vec<&Common> = self.commons.iter().collect();
        let words = Keywords::around(&commons, scope).on(self.machine.as_ref());
        match words.identity(&self.privilege, &self.settings) {
            Err(fault) if fault.code == keywords::LATE => {
                Err(NotYet::new("as whom it is done").into())
            }
            found => Ok(found?),
        }
    }
}

/// The turns of a loop that one task has of those that differ in as whom they are done.
#[derive(Clone, Debug)]
pub(super) struct Part {
    acts: Arc<Acts>,
    /// As whom.
    pub(super) identity: Identity,
    /// Which of these tasks it is, from 0.
    pub(super) number: usize,
    /// Which turns of the loop.
    pub(super) turns: Vec<usize>,
}

impl Part {
    /// Whether a turn with these variables is done in this task.
    pub(super) fn has(&self, scope: &Scope) -> Result<bool, Trouble> {
        Ok(self.acts.identity(scope)? == self.identity)
    }
}

/// The templates that say as whom a task is done.
pub(super) fn templates(commons: &[&Common], faults: &mut Vec<Fault>) -> Vec<Tree> {
    let mut found = Vec::new();
    for common in commons {
        let texts = [
            &common.become_user,
            &common.become_method,
            &common.become_flags,
        ];
        let texts = texts.into_iter().flatten();
        let texts = texts.map(|word| (word.value.as_str(), word.span));
        let flag = common.become_.iter().filter_map(|flag| match &flag.value {
            OrTemplate::Template(text) => Some((text.as_str(), flag.span)),
            OrTemplate::Is(_) => None,
        });
        let all = texts.chain(flag).filter(|(text, _)| is_template(text));
        found.extend(all.map(|(text, at)| Tree::text(text, at, faults)));
    }
    found
}

/// Whether as whom a task is done may differ from turn to turn of its loop.
fn is_of_item(program: &Program, found: &Loop, scope: &Scope) -> bool {
    let mut reads = false;
    for tree in &program.acts {
        tree.templates(&mut |template| {
            reached(scope, template, &mut |template| {
                reads |= template.uses().names().any(|used| found.has(&used.name));
            });
        });
    }
    reads
}

/// The places of a task, each for one as whom it is done there.
pub(super) fn split(
    places: Vec<Place>,
    acts: impl Fn(&Place) -> Acts,
    program: &Program,
    scope: &Scope,
) -> Result<Vec<Place>, Fault> {
    let Some(found) = program.loop_.as_ref() else {
        return Ok(places);
    };
    if !is_of_item(program, found, scope) {
        return Ok(places);
    }
    let items = match items_of(found, scope) {
        Ok(items) => items,
        Err(Trouble::Faults(mut faults)) => return Err(faults.remove(0)),
        Err(Trouble::NotYet(what)) => return Err(too_late(found, &what)),
    };
    let mut all = Vec::new();
    for place in places {
        let acts = Arc::new(acts(&place));
        let mut identities: Vec<(Identity, Vec<usize>)> = Vec::new();
        for index in 0..items.len() {
            let own = found.turn(scope, index, &items);
            if let Some(turns) = &place.turns
                && !matches!(turns.has(&own), Ok(true))
            {
                continue;
            }
            let identity = match acts.identity(&own) {
                Ok(identity) => identity,
                Err(Trouble::Faults(mut faults)) => return Err(faults.remove(0)),
                Err(Trouble::NotYet(what)) => return Err(too_late(found, &what)),
            };
            match identities.iter_mut().find(|(one, _)| *one == identity) {
                Some((_, turns)) => turns.push(index),
                None => identities.push((identity, vec![index])),
            }
        }
        if identities.is_empty() {
            // It has no turns here.
            identities.push((Identity::login(), Vec::new()));
        }
        for (identity, turns) in identities {
            all.push(Place {
                part: Some(Part {
                    acts: Arc::clone(&acts),
                    identity,
                    number: all.len(),
                    turns,
                }),
                ..place.clone()
            });
        }
    }
    Ok(all)
}

fn too_late(found: &Loop, what: &NotYet) -> Fault {
    let message = format!(
        "as whom the turns of a loop are done must be known before the run: {}",
        what.0
    );
    Fault::new(keywords::LATE, message)
        .help("bring the task in by `include_tasks` with the loop: of what is brought in, `become_user` may read the item")
        .or_at(found.span)
}
