//! Plays for hosts and groups that earlier plays make (`add_host`, `group_by`).

use std::{collections::BTreeSet, sync::Arc};

use super::{Read, members};
use crate::{
    ast::{Ends, Item, Play, Task},
    diagnostic::Diagnostic,
    expand::Made,
    files::{Span, Spanned},
    inventory,
    lower::Store,
    open::fits,
    yaml::Node,
};

/// A host that is in a group if the run finds so.
#[derive(Clone, Debug)]
pub(super) struct Perhaps {
    host: String,
    /// What the group's name fits.
    pattern: String,
    /// The variable that holds the name.
    variable: String,
}

/// Whether tasks make hosts or groups.
pub(super) fn any(items: &[Item]) -> bool {
    items.iter().any(|item| match item {
        Item::Task(task) => task.makes.is_some(),
        Item::Block(block) => any(&block.body) || any(&block.rescue) || any(&block.always),
        Item::Part(part) => any(&part.body),
        Item::Meta(_) | Item::Include(_) => false,
    })
}

impl Read {
    /// Puts what a play makes where the plays after it find it.
    pub(super) fn take(
        &mut self,
        made: Vec<Made>,
        limit: Option<&String>,
        store: &Store,
        out: &mut Vec<Diagnostic>,
    ) {
        if made.is_empty() {
            return;
        }
        for one in made {
            match one {
                Made::Host(name, groups, vars) => {
                    self.inventory
                        .hosts
                        .entry(name.clone())
                        .or_default()
                        .vars
                        .extend(vars);
                    for group in groups {
                        self.inventory.put(&group, &name);
                    }
                }
                Made::Member(host, group, parents) => {
                    self.inventory.put(&group, &host);
                    for parent in parents {
                        self.inventory.nest(&parent, &group);
                    }
                }
                Made::Perhaps(host, pattern, variable) => self.perhaps.push(Perhaps {
                    host,
                    pattern,
                    variable,
                }),
            }
        }
        let mut files = store.writing();
        self.members = members::all(&self.inventory, &self.folders, &mut files, out);
        drop(files);
        if let Some(Ok(found)) = limit.map(|limit| inventory::limit(&self.inventory, limit)) {
            self.limit = Some(found.hosts);
        }
    }

    /// The hosts that may be in a group that only the run makes, if a pattern is the name of one.
    pub(super) fn perhaps(&self, pattern: &str) -> Option<Vec<&Perhaps>> {
        let pattern = pattern.trim();
        let plain = !pattern.contains([',', ':', '!', '&', '*', '?', '[', '~', '{']);
        let known = self.inventory.has_group(pattern) || self.inventory.hosts.contains_key(pattern);
        if !plain || known || pattern == "localhost" {
            return None;
        }
        let fitting = self.perhaps.iter();
        let fitting: Vec<&Perhaps> = fitting.filter(|one| fits(pattern, &one.pattern)).collect();
        (!fitting.is_empty()).then_some(fitting)
    }

    /// The hosts of a play for such a group, before the run has decided.
    pub(super) fn candidates(&self, pattern: &str) -> Option<Vec<String>> {
        let mut hosts: Vec<String> = Vec::new();
        for one in self.perhaps(pattern)? {
            if !hosts.contains(&one.host) {
                hosts.push(one.host.clone());
            }
        }
        Some(hosts)
    }

    /// A play for such a group ends at once for hosts that are not in it.
    pub(super) fn gated(&self, play: &Play, out: &mut Vec<Diagnostic>) -> Option<Play> {
        let group = play.hosts.value.trim();
        let at = play.hosts.span;
        let found = self.perhaps(group)?;
        let variables: BTreeSet<&str> = found.iter().map(|one| one.variable.as_str()).collect();
        self.refuse_variables(group, at, out);
        let name = group.replace('\\', "\\\\").replace('\'', "\\'");
        let others = variables.iter().map(|variable| {
            // One name, or those of a loop.
            let names = format!("[{variable} | default('')] | flatten");
            format!("'{name}' not in {names} | map('string') | map('replace', ' ', '-')")
        });
        let condition = others.collect::<Vec<_>>().join(" and ");
        let text = |text: &str| Node::str(text, at);
        let mut gate = Task::made(
            Spanned::new(format!("this host is not in the group {group}"), at),
            Spanned::new("debug".to_owned(), at),
            Node::map(
                vec![(text("msg"), text("this host is not in the group"))],
                at,
            ),
        );
        gate.common.when = vec![text(&condition)];
        gate.common.tags = vec![Spanned::new("always".to_owned(), at)];
        gate.ends = Some(Ends::Host);
        gate.silent = true;
        let mut play = play.clone();
        play.pre_tasks.insert(0, Item::Task(Arc::new(gate)));
        Some(play)
    }

    /// Variables of a group have to be known before the run.
    fn refuse_variables(&self, group: &str, at: Span, out: &mut Vec<Diagnostic>) {
        for folder in &self.folders {
            for end in ["", ".yml", ".yaml", ".json"] {
                let path = folder.join("group_vars").join(format!("{group}{end}"));
                if path.exists() {
                    let message = format!(
                        "only the run knows who is in `{group}`, so that `{}` cannot be read",
                        path.display()
                    );
                    out.push(Diagnostic::error("known_too_late", at, message).help(
                        "read it in the play: `vars_files`, or `include_vars` with the same condition",
                    ));
                }
            }
        }
    }
}
