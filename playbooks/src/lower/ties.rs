//! What ties a task to others: results it reads, ids it waits for.

use std::{collections::BTreeSet, sync::Arc};

use evenkeel_engine::{Part, TaskId};

use super::{
    Lowering, Placed,
    body::Failing,
    keywords,
    listing::{Entry, Listing},
    mentions::{Looking, Wanted},
    program::Program,
};
use crate::{
    files::Span,
    template::Fault,
    vars::{How, Scope, Share, Sources, Written},
    words::closest,
};

/// `after` or `triggered_by` of a task.
pub(super) struct Reference {
    task: TaskId,
    host: String,
    id: String,
    at: Span,
    triggers: bool,
}

impl Lowering<'_> {
    /// Resolves `after` and `triggered_by`, when all plays are there.
    pub(crate) fn finish(&mut self) {
        let mut told = BTreeSet::new();
        for reference in std::mem::take(&mut self.references) {
            let (id, host) = match reference.id.split_once('@') {
                Some((id, host)) => (id, host),
                None => (reference.id.as_str(), reference.host.as_str()),
            };
            let group = self.groups.iter().find(|(name, _)| name == host);
            let hosts = match group {
                Some((_, hosts)) if reference.id.contains('@') => hosts.clone(),
                _ => vec![host.to_owned()],
            };
            let find = |host: &String| self.ids.get(&(id.to_owned(), host.clone())).copied();
            let mut found: Vec<TaskId> = hosts.iter().filter_map(find).collect();
            found.dedup();
            if found == [reference.task] && !reference.id.contains('@') {
                let fault = Fault::new("cycle", format!("`{id}` waits for itself"));
                let fault = fault.help("name the task that it has to wait for");
                self.faults.push(fault.or_at(reference.at));
            }
            let ties = found.iter().map(|on| (reference.task, *on));
            self.ties.extend(ties.map(|tie| (tie, reference.at)));
            let task = &mut self.list.tasks[reference.task.index()];
            let into = if reference.triggers {
                &mut task.triggers
            } else {
                &mut task.after
            };
            match found.is_empty() {
                // One that runs for all hosts does not wait for itself.
                false => into.extend(found.into_iter().filter(|id| *id != reference.task)),
                // The task is there, but not on this host: nothing to wait for.
                true if self.ids.keys().any(|(other, _)| other == id)
                    && !reference.id.contains('@') => {}
                true if reference.id.contains('@') && self.are_left_out(&hosts) => {
                    let fault = Fault::new(
                        "left_out",
                        format!(
                            "what `{}` makes is taken to be there: `--limit` leaves out who makes it",
                            reference.id
                        ),
                    );
                    if told.insert(reference.id) {
                        self.faults.push(fault.foreseen().or_at(reference.at));
                    }
                }
                true => {
                    let fault = Fault::new(
                        "unknown_task",
                        format!("there is no task with the id `{}`", reference.id),
                    );
                    let near = closest(id, self.ids.keys().map(|(id, _)| id.as_str()));
                    let fault = match near {
                        Some(near) => fault.help(format!("did you mean `{near}`?")),
                        None => fault,
                    };
                    self.faults.push(fault.or_at(reference.at));
                }
            }
        }
    }

    /// Whether these are hosts of the inventory, and `--limit` leaves none of them.
    fn are_left_out(&self, hosts: &[String]) -> bool {
        let all = self.groups.iter().find(|(name, _)| name == "all");
        let known = |host| all.is_some_and(|(_, all)| all.contains(host));
        let Some(limit) = &self.limit else {
            return false;
        };
        let left_out = |host| known(host) && !limit.contains(host);
        !hosts.is_empty() && hosts.iter().all(left_out)
    }

    /// What a task may read of what others leave behind: the candidates, and those whose
    /// `.changed` it reads. `before`: tasks from this one on are copies of it for other hosts.
    pub(super) fn reads(
        &self,
        program: &Program,
        scope: &Scope,
        host: &str,
        before: TaskId,
    ) -> (Vec<Written>, Vec<TaskId>, bool) {
        let looking = Looking {
            registry: &self.registry,
            store: &self.store,
            scope,
            at: program.module.span,
        };
        let mentions = looking.of(program);
        let mut found = self.left_by(host, &mentions.names, mentions.any, &mentions.facts);
        self.put_off(&looking, host, &mut found);
        let heeds = found
            .iter()
            .filter(|written| mentions.changed.contains(&written.name));
        let heeds = heeds.map(|written| written.task).collect();
        for others in &mentions.others {
            for other in &others.hosts {
                let mut more = self.left_by(other, &others.names, false, &others.facts);
                self.put_off(&looking, other, &mut more);
                let earlier = |written: &Written| other == host || written.task < before;
                found.extend(more.into_iter().filter(earlier));
            }
        }
        found.sort_by(|a, b| (a.task, &a.name).cmp(&(b.task, &b.name)));
        found.dedup();
        (found, heeds, mentions.runs)
    }

    /// Adds what variables are made of that files of `include_vars` hold: it may come after the file was read.
    fn put_off(&self, looking: &Looking<'_>, host: &str, found: &mut Vec<Written>) {
        let mut known: BTreeSet<String> = found.iter().map(|it| it.name.clone()).collect();
        let mut from = 0;
        while from < found.len() {
            let mut templates = Vec::new();
            for written in &found[from..] {
                for tree in written.sources.trees(&written.name) {
                    tree.templates(&mut |template| templates.push(template));
                }
            }
            let mentions = looking.of_templates(&templates);
            let names: BTreeSet<String> = mentions.names.difference(&known).cloned().collect();
            known.extend(names.iter().cloned());
            from = found.len();
            found.extend(self.left_by(host, &names, false, &mentions.facts));
            if names.is_empty() {
                break;
            }
        }
    }

    /// What earlier tasks leave behind of these variables of a host.
    pub(super) fn left_by(
        &self,
        host: &str,
        names: &BTreeSet<String>,
        any: bool,
        facts: &Wanted,
    ) -> Vec<Written> {
        let (mut found, mut settled): (Vec<Written>, BTreeSet<&str>) =
            (Vec::new(), BTreeSet::new());
        for (written, surely) in self.written.get(host).into_iter().flatten().rev() {
            if written.how == How::Gathered && written.name != "ansible_facts" {
                let fits = |name: &&String| match written.name.strip_suffix('*') {
                    Some(start) => name.starts_with(start),
                    None => **name == written.name,
                };
                found.extend(names.iter().filter(fits).map(|name| Written {
                    name: name.clone(),
                    ..written.clone()
                }));
            } else if written.how == How::Gathered {
                let of_facts = facts.names.iter().map(|name| format!("ansible_{name}"));
                let all = (!facts.is_empty()).then(|| "ansible_facts".to_owned());
                let any = names.iter().filter(|_| any || facts.all).cloned();
                let wanted: BTreeSet<String> = of_facts.chain(all).chain(any).collect();
                found.extend(wanted.into_iter().map(|name| Written {
                    name,
                    ..written.clone()
                }));
            } else if written.is_open() {
                found.extend(any.then(|| written.clone()));
                let fits = names.iter().filter(|name| written.may_be(name));
                let fits = fits.filter(|name| !settled.contains(name.as_str()));
                found.extend(fits.map(|name| Written {
                    name: name.clone(),
                    ..written.clone()
                }));
            } else if (any || names.contains(&written.name))
                && !settled.contains(written.name.as_str())
            {
                if *surely && written.how == How::Register {
                    settled.insert(&written.name);
                }
                found.push(written.clone());
            }
        }
        found
    }

    /// The tasks of whose failure a rescue, or what always runs, speaks.
    pub(super) fn failing(
        &self,
        listing: &Listing<'_>,
        entry: &Entry<'_>,
        host: &str,
        placed: &Placed,
    ) -> Vec<Failing> {
        let parts = entry.blocks.iter().rev();
        let mut found = Vec::new();
        for &(block, part) in parts.filter(|(_, part)| *part != Part::Body) {
            for (index, other) in listing.entries.iter().enumerate() {
                let mut others = other.blocks.iter();
                if !others.any(|(number, earlier)| *number == block && *earlier < part) {
                    continue;
                }
                let role = other.role.as_ref().map(|role| format!("{role} : "));
                let own = |name: &str| {
                    let bare = role
                        .as_ref()
                        .and_then(|role| name.strip_prefix(role.as_str()));
                    bare.unwrap_or(name).to_owned()
                };
                for id in placed.get(&(index, host.to_owned())).into_iter().flatten() {
                    let task = &self.list.tasks[id.index()];
                    if !task.ignore_errors {
                        found.push(Failing {
                            block,
                            task: *id,
                            name: own(&task.name),
                            action: task.module.clone(),
                        });
                    }
                }
            }
        }
        found
    }

    /// Notes what a task leaves behind: its result with its host, facts with whose they are.
    pub(super) fn leave(
        &mut self,
        entry: &Entry<'_>,
        program: &Program,
        (host, facts_of): (&str, &str),
        (task, spare, share): (TaskId, bool, Option<&Arc<Share>>),
        (included, sources, set): (&BTreeSet<String>, &Sources, &BTreeSet<String>),
    ) {
        let surely = !spare
            && share.is_none()
            && entry.serves.is_none()
            && entry.blocks.iter().all(|(_, part)| *part == Part::Body);
        let mut add = |host: &str, name: &str, how| {
            // What is noted of an include is read by the names that the engine has.
            let noted = name.starts_with(crate::expand::NOTE);
            let of_loop = program.loop_.as_ref().filter(|_| !noted);
            let name = name.to_owned();
            let list = self.written.entry(host.to_owned()).or_default();
            let host = host.into();
            let written = Written {
                host,
                name,
                task,
                how,
                spare,
                share: share.cloned(),
                of_loop: of_loop.map(|found| Arc::clone(&found.names)),
                sources: match how {
                    How::Included => sources.clone(),
                    _ => Sources::default(),
                },
            };
            list.push((written, surely));
        };
        if let Some(name) = &program.register {
            add(host, name, How::Register);
        }
        let module = self.registry.get(&entry.task.module.value);
        let module = module.map(evenkeel_engine::AnyModule::name);
        // A new name is a fact, too. What is found under a name without `ansible_` is a variable of that name.
        let bare = match module {
            Some("setup" | "hostname") => Some(None),
            Some("package-facts") => Some(Some("packages")),
            Some("service-facts") => Some(Some("services")),
            Some("getent") => Some(Some("getent_*")),
            _ => None,
        };
        if let Some(bare) = bare {
            for name in bare.into_iter().chain(["ansible_facts"]) {
                add(facts_of, name, How::Gathered);
            }
        }
        for name in included {
            add(facts_of, name, How::Included);
        }
        for name in set {
            add(facts_of, name, How::Fact);
        }
    }

    /// Notes by which id others may wait for it.
    pub(super) fn name(&mut self, entry: &Entry<'_>, host: &str, task: TaskId) {
        if let Some(id) = &entry.task.id {
            if entry.repeated == 0 {
                self.ids.insert((id.value.clone(), host.to_owned()), task);
            }
        }
    }

    pub(super) fn refer(&mut self, entry: &Entry<'_>, scope: &Scope, host: &str, task: TaskId) {
        let after = entry.commons[1..]
            .iter()
            .filter_map(|common| common.after.as_ref())
            .flatten();
        let triggers = entry.task.triggered_by.iter();
        let all = after
            .map(|id| (id, false))
            .chain(triggers.map(|id| (id, true)));
        for (id, triggers) in all {
            match keywords::text(id, scope) {
                Ok(text) => self.references.push(Reference {
                    task,
                    host: host.to_owned(),
                    id: text,
                    at: id.span,
                    triggers,
                }),
                Err(fault) => self.faults.push(fault),
            }
        }
    }
}
