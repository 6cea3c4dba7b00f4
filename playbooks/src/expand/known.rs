//! What is known of a name, a condition or a list before the run, host by host.

use std::{collections::BTreeSet, sync::Arc};

use evenkeel_engine::{NotYet, TaskId, Value};

use super::Expander;
use crate::{
    ast::Task,
    files::Span,
    lower::{Condition, Looking, Mentions, Program, candidates, pattern},
    template::{Fault, Template},
    vars::{How, Left, Levels, Scope, Sources, Tree, Written},
};

/// A text on a host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Text {
    /// It is this.
    Is(String),
    /// It is decided later; each part that is not known is `ANY`.
    Open(String),
}

/// A condition on a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Yes,
    No,
    Open,
}

impl Expander<'_> {
    /// The hosts that something is for; a nameless one if there are none, so that all is checked nevertheless.
    pub(super) fn hosts(&self, levels: &Levels) -> Vec<String> {
        let all = self.stage.world.all_play_hosts.iter();
        if self.stage.world.all_play_hosts.is_empty() {
            return vec![String::new()];
        }
        all.filter(|host| levels.has(host)).cloned().collect()
    }

    pub(super) fn scope(&self, levels: &Levels, host: &str) -> Scope {
        levels.scope(Arc::clone(&self.stage.world), host, &self.stage.shown)
    }

    /// What templates may read.
    pub(super) fn mentions(&self, templates: &[&Template], scope: &Scope, at: Span) -> Mentions {
        let looking = Looking {
            registry: self.registry,
            store: self.store,
            scope,
            at,
        };
        looking.of_templates(templates)
    }

    /// Variables of a host, where what tasks and facts give is not known yet. `None`: nothing is known of what these
    /// templates read.
    pub(super) fn before_the_run(
        &self,
        templates: &[&Template],
        levels: &Levels,
        host: &str,
        at: Span,
    ) -> Option<Scope> {
        let scope = self.scope(levels, host);
        let mentions = self.mentions(templates, &scope, at);
        if mentions.any || !mentions.others.is_empty() {
            return None;
        }
        let later = |name: &str, how| Left {
            written: Written {
                host: host.into(),
                name: name.to_owned(),
                task: TaskId(0),
                how,
                spare: false,
                share: None,
                of_loop: None,
                sources: Sources::default(),
            },
            output: Err(NotYet::new(format!("`{name}`"))),
        };
        let facts = &mentions.facts;
        let mut left: Vec<Left> = Vec::new();
        if !facts.is_empty() {
            left.push(later("ansible_facts", How::Gathered));
        }
        let of_facts = facts.names.iter().map(|name| format!("ansible_{name}"));
        left.extend(of_facts.map(|name| later(&name, How::Gathered)));
        let set = mentions.names.iter().filter(|name| self.is_left(name));
        left.extend(set.map(|name| later(name, How::Register)));
        Some(scope.with_left(left))
    }

    /// A text that may be a template.
    pub(super) fn text(
        &self,
        tree: &Tree,
        levels: &Levels,
        host: &str,
        at: Span,
    ) -> Result<Text, Fault> {
        let templates = templates(tree);
        if templates.is_empty() {
            return Ok(Text::Is(tree.source().as_text().unwrap_or_default()));
        }
        let Some(scope) = self.before_the_run(&templates, levels, host, at) else {
            return Ok(Text::Open(pattern(tree, at, &self.scope(levels, host))));
        };
        match tree.render(&scope.variables()) {
            Ok(Value::NotYet(_)) => Ok(Text::Open(pattern(tree, at, &scope))),
            Ok(value) => value.as_text().map(Text::Is).ok_or_else(|| {
                let what = format!("expected a name, found {}", value.kind());
                Fault::new("wrong_type", what).or_at(at)
            }),
            Err(fault) => Err(fault.or_at(at)),
        }
    }

    /// Conditions, all of which must hold.
    pub(super) fn holds(
        &self,
        conditions: &[Condition],
        levels: &Levels,
        host: &str,
        at: Span,
    ) -> Holds {
        let mut found = Holds::Yes;
        for condition in conditions {
            let holds = match condition {
                Condition::Is(true) => Holds::Yes,
                Condition::Is(false) => Holds::No,
                Condition::Expr(template) => {
                    match self.before_the_run(&[template], levels, host, at) {
                        None => Holds::Open,
                        Some(scope) => match template.holds(&scope.variables()) {
                            Ok(Ok(true)) => Holds::Yes,
                            Ok(Ok(false)) => Holds::No,
                            // A mistake in it is told when its turn comes.
                            Ok(Err(_)) | Err(_) => Holds::Open,
                        },
                    }
                }
            };
            match holds {
                Holds::No => return Holds::No,
                Holds::Open => found = Holds::Open,
                Holds::Yes => {}
            }
        }
        found
    }

    /// The names that conditions read, with those that these are made of.
    pub(super) fn read_by(
        &self,
        conditions: &[Condition],
        levels: &Levels,
        at: Span,
    ) -> BTreeSet<String> {
        let templates: Vec<&Template> = conditions.iter().filter_map(Condition::template).collect();
        let hosts = self.hosts(levels);
        let mut names = BTreeSet::new();
        for host in hosts.iter().take(1) {
            let scope = self.scope(levels, host);
            names.extend(self.mentions(&templates, &scope, at).names);
        }
        names
    }

    /// The variables that an `include_vars` may set.
    pub(super) fn included(&self, task: &Task, here: &super::Here) -> BTreeSet<String> {
        let program = Program::new(task, &[], self.registry, &mut Vec::new());
        let mut names = BTreeSet::new();
        let mut levels = (*here.levels).clone();
        if !task.common.vars.is_empty() {
            let layer = crate::vars::Layer::new(&task.common.vars, &mut Vec::new());
            levels = levels.with(Arc::new(layer));
        }
        let mut templates = Vec::new();
        program.templates(&mut |template| templates.push(template));
        let hosts = self.hosts(&levels);
        let count = if templates.is_empty() { 1 } else { hosts.len() };
        for host in hosts.iter().take(count) {
            let scope = self
                .before_the_run(&templates, &levels, host, task.span)
                .unwrap_or_else(|| self.scope(&levels, host));
            let mut found = candidates(&program, &scope, self.store);
            if found.may_be_any() && self.makes_here {
                found.may_be_made(&program);
            }
            names.extend(found.names);
        }
        names
    }
}

/// All templates of a tree.
pub(super) fn templates(tree: &Tree) -> Vec<&Template> {
    let mut found = Vec::new();
    tree.templates(&mut |template| found.push(template));
    found
}
