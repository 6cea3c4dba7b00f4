//! Names by which tasks refer to each other: over all playbooks of a run.

use std::collections::BTreeMap;

use super::values::is_template;
use crate::{
    ast::{Common, Item, Play, Playbook, Task},
    diagnostic::Diagnostic,
    files::{Span, Spanned},
    words::did_you_mean,
};

/// Doubled ids; `after`, `triggered_by` and `notify` of what does not exist.
pub fn check_references(playbooks: &[Playbook]) -> Vec<Diagnostic> {
    let plays = playbooks.iter().flat_map(|playbook| &playbook.plays);
    check_plays(&plays.collect::<Vec<_>>())
}

/// The same of plays, with all that they bring in.
pub(crate) fn check_plays(plays: &[&Play]) -> Vec<Diagnostic> {
    let mut check = Check::default();
    for play in plays {
        if let Some(name) = &play.name {
            check.plays.insert(&name.value, name.span);
        }
        walk(play, &mut |part| check.define(&part));
    }
    for play in plays {
        check.play(play);
    }
    check.out.sort_by_key(|diagnostic| diagnostic.at);
    check.out
}

/// A task, a handler or a block, as a walk meets it.
struct Part<'p> {
    common: &'p Common,
    task: Option<&'p Task>,
    /// Whether a condition, or a failure, decides whether it is reached.
    guarded: bool,
}

fn walk<'p>(play: &'p Play, visit: &mut dyn FnMut(Part<'p>)) {
    let guarded = !play.common.when.is_empty();
    for items in [&play.pre_tasks, &play.tasks, &play.post_tasks] {
        walk_items(items, guarded, visit);
    }
    walk_items(&play.handlers, guarded, visit);
}

fn walk_items<'p>(items: &'p [Item], guarded: bool, visit: &mut dyn FnMut(Part<'p>)) {
    let around = guarded;
    let within = |common: &Common| around || !common.when.is_empty();
    for item in items {
        match item {
            Item::Task(task) => visit(Part {
                common: &task.common,
                task: Some(task),
                guarded: within(&task.common),
            }),
            Item::Block(block) => {
                let guarded = within(&block.common);
                visit(Part {
                    common: &block.common,
                    task: None,
                    guarded,
                });
                walk_items(&block.body, guarded, visit);
                walk_items(&block.rescue, true, visit);
                walk_items(&block.always, guarded, visit);
            }
            Item::Part(part) => {
                let guarded = within(&part.common);
                visit(Part {
                    common: &part.common,
                    task: None,
                    guarded,
                });
                walk_items(&part.body, guarded, visit);
            }
            Item::Include(include) => visit(Part {
                common: &include.common,
                task: None,
                guarded: within(&include.common),
            }),
            Item::Meta(_) => {}
        }
    }
}

/// The names by which handlers are called; `role : name`, too.
fn names_of(items: &[Item], role: Option<&str>, names: &mut Vec<String>, open: &mut bool) {
    for item in items {
        match item {
            Item::Part(part) => match &part.called {
                Some(called) => {
                    let role = part.role.as_deref();
                    name_of(called.name.as_ref(), &called.listen, role, names, open);
                }
                None => names_of(&part.body, part.role.as_deref(), names, open),
            },
            Item::Task(handler) => {
                name_of(handler.name.as_ref(), &handler.listen, role, names, open);
                names.extend(handler.id.iter().map(|id| id.value.clone()));
            }
            // What could not be brought in may have any.
            Item::Include(_) => *open = true,
            Item::Block(block) => names_of(&block.body, role, names, open),
            Item::Meta(_) => {}
        }
    }
}

fn name_of(
    name: Option<&Spanned<String>>,
    listen: &[Spanned<String>],
    role: Option<&str>,
    names: &mut Vec<String>,
    open: &mut bool,
) {
    for name in name.into_iter().chain(listen) {
        *open |= is_template(name);
        names.push(name.value.clone());
    }
    if let (Some(role), Some(name)) = (role, name) {
        names.push(format!("{role} : {}", name.value));
    }
}

/// Whether two names of handlers are the same, however the spaces around their `:` are.
fn same(known: &str, name: &str) -> bool {
    if known == name {
        return true;
    }
    let bare = |name: &str| name.split(':').map(str::trim).collect::<Vec<_>>().join(":");
    known.contains(" : ") && bare(known) == bare(name)
}

#[derive(Default)]
struct Check<'p> {
    ids: BTreeMap<&'p str, Span>,
    plays: BTreeMap<&'p str, Span>,
    out: Vec<Diagnostic>,
}

impl<'p> Check<'p> {
    fn define(&mut self, part: &Part<'p>) {
        let Some(id) = part.task.and_then(|task| task.id.as_ref()) else {
            return;
        };
        // A file may be there more than once.
        let first = self.ids.insert(&id.value, id.span);
        if let Some(first) = first.filter(|first| *first != id.span) {
            self.out.push(
                Diagnostic::error(
                    "duplicate_id",
                    id.span,
                    format!("two tasks have the id `{}`", id.value),
                )
                .also(first, "the first is here")
                .help("an id names one task: rename one of them"),
            );
        }
    }

    fn play(&mut self, play: &'p Play) {
        for name in play.common.after.iter().flatten() {
            if !self.plays.contains_key(name.as_str()) && !self.ids.contains_key(bare(name)) {
                let known = self.plays.keys().copied().chain(self.ids.keys().copied());
                let help = did_you_mean(name, known);
                self.unknown("unknown_id", name, "there is no play and no task", help);
            }
        }
        let mut handlers: Vec<String> = Vec::new();
        let mut open = false;
        names_of(&play.handlers, None, &mut handlers, &mut open);
        walk(play, &mut |part| {
            let triggers = part.task.map_or(&[][..], |task| &task.triggered_by);
            for id in part.common.after.iter().flatten().chain(triggers) {
                self.id(id);
            }
            // Under a condition it may never be called: that is told where the condition is looked at.
            for name in part.common.notify.iter().filter(|_| !part.guarded) {
                if !open && !is_template(name) && !handlers.iter().any(|known| same(known, name)) {
                    let help = did_you_mean(name, handlers.iter().map(String::as_str));
                    self.unknown("unknown_handler", name, "this play has no handler", help);
                }
            }
        });
    }

    fn id(&mut self, id: &Spanned<String>) {
        if !self.ids.contains_key(bare(id)) && !is_template(id) {
            let help = did_you_mean(bare(id), self.ids.keys().copied());
            self.unknown("unknown_id", id, "no task has the id", help);
        }
    }

    fn unknown(
        &mut self,
        code: &'static str,
        name: &Spanned<String>,
        what: &str,
        help: Option<String>,
    ) {
        let error = Diagnostic::error(code, name.span, format!("{what} `{}`", name.value));
        self.out.push(match help {
            Some(help) => error.help(help),
            None if code == "unknown_handler" => error.help("add it below `handlers:` of the play"),
            None => error.help("give the task that is meant an `id:`"),
        });
    }
}

/// An id without the host it is asked on.
fn bare(id: &str) -> &str {
    id.split_once('@').map_or(id, |(id, _)| id)
}
