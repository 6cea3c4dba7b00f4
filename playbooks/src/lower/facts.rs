//! Facts are gathered where they are used: which play gathers which facts of which host.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use evenkeel_engine::{Map, Outputs, Registry, Resolved, Task, Value};

use super::{
    Lowering, Prepared, Target,
    keywords::{self, Keywords},
    mentions::{Looking, Mentions, Wanted},
    scope,
    store::Store,
};
use crate::{
    template::Fault,
    vars::{How, Scope, Sources, Written},
};

/// Whether a module of its own looks it up, as a task.
fn is_of_a_task(fact: &str) -> bool {
    ["packages", "services"].contains(&fact) || fact.starts_with("getent_")
}

/// What each play gathers: by its position, hosts with their facts.
#[derive(Debug, Default)]
pub(crate) struct Gathering(BTreeMap<usize, BTreeMap<String, Wanted>>);

impl Gathering {
    /// Looks through all plays. `within`: hosts that may be asked though no play has them.
    pub(crate) fn new(
        targets: &[Target<'_>],
        prepared: &[Prepared<'_>],
        registry: &Registry,
        store: &Store,
        within: &dyn Fn(&str) -> bool,
    ) -> Self {
        let mut it = Self::default();
        if registry.get("setup").is_none() {
            return it;
        }
        let gathers: Vec<bool> = targets.iter().map(gathers).collect();
        for (play, (target, prepared)) in targets.iter().zip(prepared).enumerate() {
            // The latest play up to this one that gathers facts of the host.
            let gatherer = |host: &String| {
                (0..=play).rev().find(|&earlier| {
                    gathers[earlier] && targets[earlier].world.play_hosts.contains(host)
                })
            };
            for host in &target.world.play_hosts {
                let mentions = mentions(target, prepared, host, registry, store);
                if !mentions.facts.is_empty() {
                    if let Some(earlier) = gatherer(host) {
                        it.want(earlier, host, &mentions.facts);
                    }
                }
                for others in mentions
                    .others
                    .iter()
                    .filter(|others| !others.facts.is_empty())
                {
                    for other in &others.hosts {
                        match gatherer(other) {
                            Some(earlier) => it.want(earlier, other, &others.facts),
                            None if within(other) && other != host => {
                                it.want(play, other, &others.facts);
                            }
                            None => {}
                        }
                    }
                }
            }
        }
        it
    }

    fn want(&mut self, play: usize, host: &str, facts: &Wanted) {
        let mut facts = facts.clone();
        facts.names.retain(|name| !is_of_a_task(name));
        if facts.is_empty() {
            return;
        }
        let of_play = self.0.entry(play).or_default();
        of_play.entry(host.to_owned()).or_default().add(&facts);
    }

    /// Hosts of which a play gathers facts.
    pub(crate) fn hosts(&self, play: usize) -> impl Iterator<Item = &String> {
        self.0.get(&play).into_iter().flat_map(BTreeMap::keys)
    }
}

/// Whether a play gathers facts: unless it says that it does not.
fn gathers(target: &Target<'_>) -> bool {
    let scope = Scope::new(Arc::clone(&target.world), "", Vec::new(), Vec::new());
    let said = target.play.gather_facts.as_ref();
    said.is_none_or(|said| keywords::flag(said, &scope).unwrap_or(true))
}

/// What all tasks of a play may read on a host.
fn mentions(
    target: &Target<'_>,
    prepared: &Prepared<'_>,
    host: &str,
    registry: &Registry,
    store: &Store,
) -> Mentions {
    let mut all = Mentions::default();
    let entries = prepared.listing.entries.iter().zip(&prepared.programs);
    for (entry, program) in entries.filter(|(entry, _)| entry.levels.has(host)) {
        let scope = scope(target, entry, host);
        let looking = Looking {
            registry,
            store,
            scope: &scope,
            at: program.module.span,
        };
        let found = looking.of(program);
        all.facts.add(&found.facts);
        all.others.extend(found.others);
    }
    all
}

impl Lowering<'_> {
    /// Adds the silent tasks that gather what a play and those after it read.
    pub(super) fn gather(&mut self, target: &Target<'_>, play: usize, gathering: &Gathering) {
        let Some(wanted) = gathering.0.get(&play) else {
            return;
        };
        for (host, wanted) in wanted {
            match self.gatherer(target, host, wanted) {
                Ok(task) => {
                    let task = self.list.task(task);
                    let written = Written {
                        host: host.as_str().into(),
                        name: "ansible_facts".to_owned(),
                        task,
                        how: How::Gathered,
                        spare: false,
                        share: None,
                        of_loop: None,
                        sources: Sources::default(),
                    };
                    let list = self.written.entry(host.clone()).or_default();
                    list.push((written, true));
                }
                Err(fault) => self.faults.push(fault),
            }
        }
    }

    fn gatherer(&self, target: &Target<'_>, host: &str, wanted: &Wanted) -> Result<Task, Fault> {
        let names: BTreeSet<&String> = wanted.names.iter().filter(|_| !wanted.all).collect();
        let filter: Value = names
            .into_iter()
            .map(|name| Value::from(name.as_str()))
            .collect();
        let args: Map = [("filter".to_owned(), filter)].into_iter().collect();
        let module = self.registry.get("setup");
        let bound = module
            .ok_or_else(|| Fault::new("unknown_module", "there is no module `setup`"))?
            .bind(&Value::Map(args))
            .map_err(|error| Fault::new("wrong_arguments", error.to_string()))?;
        let body = move |_: &dyn Outputs| Ok(Resolved::One(Arc::clone(&bound)));
        let mut task = Task::resolved("gather facts", "setup", Arc::new(body));
        let scope = Scope::new(Arc::clone(&target.world), host, Vec::new(), Vec::new());
        let commons = [&target.play.common];
        let own = target.world.play_hosts.iter().any(|other| other == host);
        let words = Keywords::around(if own { &commons } else { &[] }, &scope);
        task.identity = words.identity(&self.request.privilege, self.settings)?;
        task.host = self
            .hosts
            .get(host)
            .copied()
            .unwrap_or(evenkeel_engine::HostId(0));
        task.place = Some(self.store.with_files(|files| files.place(target.play.span)));
        let bears = words.flag(|common| common.ignore_unreachable.as_ref())?;
        task.ignore_unreachable = bears.unwrap_or(false);
        task.silent = true;
        Ok(task)
    }
}
