//! What ties a task to others: results it reads, ids it waits for.

use std::collections::BTreeMap;

use evenkeel_engine::{Part, TaskId};

use super::{
    Lowering,
    body::Failing,
    keywords,
    listing::{Entry, Listing},
    program::{self, Program},
};
use crate::{
    files::Span,
    template::{Fault, Template},
    vars::{How, Scope, Written, reached},
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
        for reference in std::mem::take(&mut self.references) {
            let (id, host) = match reference.id.split_once('@') {
                Some((id, host)) => (id, host),
                None => (reference.id.as_str(), reference.host.as_str()),
            };
            let found = self.ids.get(&(id.to_owned(), host.to_owned())).copied();
            match found {
                Some(found) if reference.triggers => {
                    self.list.tasks[reference.task.index()].triggers.push(found);
                }
                Some(found) => self.list.tasks[reference.task.index()].after.push(found),
                // The task is there, but not on this host: nothing to wait for.
                None if self.ids.keys().any(|(other, _)| other == id)
                    && !reference.id.contains('@') => {}
                None => {
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

    /// What a task may read of what others leave behind: the candidates, and those whose
    /// `.changed` it reads.
    pub(super) fn reads(
        &self,
        program: &Program,
        scope: &Scope,
        host: &str,
    ) -> (Vec<Written>, Vec<TaskId>) {
        let Some(written) = self.written.get(host) else {
            return (Vec::new(), Vec::new());
        };
        let of_file = self.template_names(program, scope);
        let (mut names, mut changed): (Vec<String>, Vec<String>) = (of_file.clone(), Vec::new());
        let mut any = false;
        let mut visit = |template: &Template| {
            for used in template.uses().names() {
                let about = used
                    .path
                    .first()
                    .is_some_and(|key| key == "changed" || key == "results")
                    || used
                        .test
                        .as_deref()
                        .is_some_and(|test| test == "changed" || test == "change");
                if about {
                    changed.push(used.name.clone());
                }
                names.push(used.name.clone());
            }
            // `lookup('vars', …)` and a template's includes may read anything.
            any |= template.source().contains("lookup(") && template.source().contains("vars");
        };
        let mut direct: Vec<&Template> = Vec::new();
        program.templates(&mut |template| direct.push(template));
        for template in direct {
            reached(scope, template, &mut visit);
        }
        for used in of_file {
            if let Some(tree) = scope.tree(&used) {
                let mut inner = Vec::new();
                tree.templates(&mut |template| inner.push(template));
                for template in inner {
                    reached(scope, template, &mut visit);
                }
            }
        }
        let mut found: Vec<Written> = Vec::new();
        let mut settled: Vec<&str> = Vec::new();
        for (written, surely) in written.iter().rev() {
            if (any || names.contains(&written.name)) && !settled.contains(&written.name.as_str()) {
                if *surely && written.how == How::Register {
                    settled.push(&written.name);
                }
                found.push(written.clone());
            }
        }
        found.reverse();
        let heeds = found
            .iter()
            .filter(|written| changed.contains(&written.name));
        let heeds = heeds.map(|written| written.task).collect();
        (found, heeds)
    }

    /// The names that the template file of a task uses, if its path is known.
    fn template_names(&self, program: &Program, scope: &Scope) -> Vec<String> {
        let module = self.registry.get(&program.module.value);
        if module.is_none_or(|module| module.name() != "file-template") {
            return Vec::new();
        }
        let Some(program::Form::Tree(tree)) = program.arg("src").map(|arg| &arg.form) else {
            return Vec::new();
        };
        let names = |path: &str| -> Vec<String> {
            let found = self.store.template(
                path,
                scope.search_folders(),
                crate::template::Whitespace::default(),
            );
            found.map_or_else(
                |_| Vec::new(),
                |(template, _)| {
                    template
                        .uses()
                        .names()
                        .map(|used| used.name.clone())
                        .collect()
                },
            )
        };
        if let Ok(evenkeel_engine::Value::Str(path)) = tree.render(&scope.variables()) {
            return names(&path);
        }
        // A path that depends on an item or a result: it may read whatever is left behind.
        let all = self.written.get(scope.host()).into_iter().flatten();
        all.map(|(written, _)| written.name.clone()).collect()
    }

    /// The tasks of whose failure a rescue, or what always runs, speaks.
    pub(super) fn failing(
        &self,
        listing: &Listing<'_>,
        entry: &Entry<'_>,
        host: &str,
        placed: &BTreeMap<(usize, String), TaskId>,
    ) -> Vec<Failing> {
        let parts = entry.blocks.iter().rev();
        let mut found = Vec::new();
        for &(block, part) in parts.filter(|(_, part)| *part != Part::Body) {
            for (index, other) in listing.entries.iter().enumerate() {
                let mut others = other.blocks.iter();
                if !others.any(|(number, earlier)| *number == block && *earlier < part) {
                    continue;
                }
                let Some(id) = placed.get(&(index, host.to_owned())) else {
                    continue;
                };
                let task = &self.list.tasks[id.index()];
                if !task.ignore_errors {
                    found.push(Failing {
                        block,
                        task: *id,
                        name: task.name.clone(),
                        action: task.module.clone(),
                    });
                }
            }
        }
        found
    }

    /// Notes what a task leaves behind.
    pub(super) fn leave(&mut self, entry: &Entry<'_>, program: &Program, host: &str, task: TaskId) {
        let surely =
            entry.serves.is_none() && entry.blocks.iter().all(|(_, part)| *part == Part::Body);
        let mut add = |name: &str, how| {
            let name = name.to_owned();
            let list = self.written.entry(host.to_owned()).or_default();
            list.push((Written { name, task, how }, surely));
        };
        if let Some(name) = &program.register {
            add(name, How::Register);
        }
        let module = self.registry.get(&entry.task.module.value);
        if module.is_some_and(|module| module.name() == "set_fact") {
            for arg in program
                .args
                .iter()
                .filter(|arg| arg.name.value != "cacheable")
            {
                add(&arg.name.value, How::Fact);
            }
        }
    }

    pub(super) fn refer(&mut self, entry: &Entry<'_>, scope: &Scope, host: &str, task: TaskId) {
        if let Some(id) = &entry.task.id {
            if entry.repeated == 0 {
                self.ids.insert((id.value.clone(), host.to_owned()), task);
            }
        }
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
