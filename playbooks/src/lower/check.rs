//! What is surely wrong with a task, though nothing is known of results yet.

use std::sync::Arc;

use evenkeel_engine::{NotYet, Outputs, Value};

use super::{
    args::Failure,
    body::{Body, Care, Trouble, items_of},
    limit,
    program::{Condition, Form, Loop},
};
use crate::{
    template::{DOUBT, Fault, Variables},
    vars::{Scope, Tree},
};

/// Mistakes that are mistakes also where a task may never be reached.
const SURE: [&str; 4] = [
    "unknown_argument",
    "missing_argument",
    "wrong_argument",
    "unknown_module",
];

/// Whether a task's turn comes, as far as its condition tells.
enum Reached {
    Surely,
    Perhaps,
    Never,
}

impl Body {
    /// All mistakes that are sure to show.
    pub(crate) fn check(&self, nothing: &dyn Outputs) -> Vec<Fault> {
        let scope = self.current(nothing);
        let mut faults = Vec::new();
        let chosen = self.program.chosen.is_some();
        if !chosen && self.registry.get(&self.program.module.value).is_none() {
            self.check_unknown(&scope, &mut faults);
            return faults;
        }
        if !self.awaits.is_empty() {
            self.check_names(nothing, &mut faults);
            return faults;
        }
        let reached = match &self.program.loop_ {
            None => {
                let conditions = self.program.when.iter();
                reached(conditions, &scope.variables(), &mut faults)
            }
            Some(found) => self.check_loop(found, &scope, &mut faults),
        };
        match reached {
            Reached::Never => {}
            Reached::Perhaps => self.check_names(nothing, &mut faults),
            Reached::Surely => {
                if let Err(Trouble::Faults(found)) = self.programs_environment(nothing) {
                    faults.extend(found);
                }
                if self.program.loop_.is_none() {
                    self.check_arguments(&scope, nothing, &mut faults);
                }
                self.check_verdict(&scope, &mut faults);
            }
        }
        faults
    }

    /// A module that nobody has is one where only the run tells whether the task is for a host.
    fn check_unknown(&self, scope: &Scope, faults: &mut Vec<Fault>) {
        let conditions = match &self.program.loop_ {
            None => self.program.when.iter().collect(),
            Some(found) => self.conditions(found).1,
        };
        let module = &self.program.module;
        let message = format!("there is no module `{}`", module.value);
        let fault = Fault::new("unknown_module", message)
            .help("`evenkeel modules` lists all there are")
            .or_at(module.span);
        match reached(conditions.into_iter(), &scope.variables(), faults) {
            Reached::Never => {}
            Reached::Perhaps => faults.push(fault.foreseen()),
            Reached::Surely => faults.push(fault),
        }
    }

    /// Names and types of arguments are wrong in any case.
    fn check_names(&self, nothing: &dyn Outputs, faults: &mut Vec<Fault>) {
        let making = self.making(&self.scope, Care::Lenient);
        let unknown = making.map_or_else(|_| Vec::new(), |making| making.unknown_names());
        if !unknown.is_empty() {
            faults.extend(unknown);
            return;
        }
        if let Err(Trouble::Faults(found)) = self.make(nothing, Care::Lenient) {
            let found = found.into_iter();
            faults.extend(
                found
                    .filter(|fault| SURE.contains(&fault.code))
                    .map(|fault| {
                        if self.by_template(&fault) {
                            fault.foreseen()
                        } else {
                            fault
                        }
                    }),
            );
        }
    }

    /// Whether a mistake in an argument comes of what a template gives, not of what is written.
    fn by_template(&self, fault: &Fault) -> bool {
        let args = self.program.args.iter();
        if self.program.chosen.is_some() {
            return true;
        }
        if fault.code == "missing_argument" {
            // It is written, and left out by `omit`.
            return args.into_iter().any(|arg| {
                matches!(arg.form, Form::Tree(_))
                    && fault
                        .message
                        .contains(&format!("`{}` is missing", arg.name.value))
            });
        }
        let Some(at) = fault.span else { return false };
        args.into_iter().any(|arg| {
            let node = arg.node.span;
            let within = node.file == at.file && node.start <= at.start && at.end <= node.end;
            within && matches!(&arg.form, Form::Tree(tree) if has_template(tree))
        })
    }

    fn check_arguments(&self, scope: &Scope, nothing: &dyn Outputs, faults: &mut Vec<Fault>) {
        let bound = self
            .making(scope, Care::Strict)
            .map(|making| making.bound());
        let found = match bound {
            Ok(Ok(bound)) => {
                if let Err(Trouble::Faults(found)) = limit::of(&self.program, &scope.variables()) {
                    faults.extend(found);
                }
                let at = self
                    .program
                    .arg("content")
                    .or_else(|| self.program.arg("src"));
                let at = at.map_or(self.program.module.span, |arg| arg.name.span);
                faults.extend(bound.doubts().into_iter().map(|doubt| {
                    let fault = Fault::new(DOUBT, doubt.message).or_at(at);
                    doubt.help.into_iter().fold(fault, Fault::help)
                }));
                return;
            }
            Err(Trouble::NotYet(_)) => return,
            // Types of the others are wrong in any case.
            Ok(Err(Failure::NotYet(_))) => return self.check_names(nothing, faults),
            Ok(Err(Failure::Faults(found))) | Err(Trouble::Faults(found)) => found,
        };
        // That was the first; what is wrong with other arguments is said too.
        let before = faults.len();
        let variables = scope.variables();
        for arg in &self.program.args {
            let mut note = |fault: Fault| faults.push(fault.or_at(arg.node.span));
            match &arg.form {
                Form::Tree(tree) | Form::Rest(tree) => tree.faults(&variables, &mut note),
                Form::Conditions(all) => {
                    let templates = all.iter().filter_map(Condition::template);
                    templates
                        .filter_map(|template| template.holds(&variables).err())
                        .for_each(note);
                }
                Form::Named(_) => {}
            }
        }
        if faults.len() == before {
            // A file that is not there says nothing of the other arguments.
            let missing = found.iter().all(|fault| fault.code == "no_such_file");
            faults.extend(found);
            if missing {
                self.check_names(nothing, faults);
            }
        } else {
            self.check_names(nothing, faults);
        }
    }

    /// A loop over what is known: each turn as a task of its own.
    fn check_loop(&self, found: &Loop, scope: &Scope, faults: &mut Vec<Fault>) -> Reached {
        let (of_items, of_task) = self.conditions(found);
        match reached(of_task.into_iter(), &scope.variables(), faults) {
            Reached::Surely => {}
            other => return other,
        }
        let before = faults.len();
        found.list.faults(&scope.variables(), &mut |fault| {
            faults.push(fault.or_at(found.span));
        });
        if faults.len() > before {
            return Reached::Perhaps;
        }
        let items = match items_of(found, scope) {
            Ok(items) => items,
            Err(Trouble::Faults(wrong)) => {
                faults.extend(wrong);
                return Reached::Perhaps;
            }
            Err(Trouble::NotYet(_)) => return Reached::Perhaps,
        };
        let mut sure = true;
        for index in 0..items.len() {
            let own = found.turn(scope, index, &items);
            match reached(of_items.iter().copied(), &own.variables(), faults) {
                Reached::Surely if sure => {}
                Reached::Never => continue,
                _ => return Reached::Perhaps,
            }
            let before = faults.len();
            self.check_arguments(&own, &Later, faults);
            if let Some(label) = &found.label {
                label.faults(&own.variables(), &mut |fault| {
                    faults.push(fault.or_at(found.span));
                });
            }
            // What one turn sets, the next may read.
            sure = !self.sets();
            if faults.len() > before {
                break;
            }
        }
        Reached::Surely
    }

    /// `changed_when` and `failed_when`: the result is not known, all else must be there.
    fn check_verdict(&self, scope: &Scope, faults: &mut Vec<Fault>) {
        let later = NotYet::new("the result of the task");
        let mut scope = scope.clone();
        if let Some(found) = &self.program.loop_ {
            scope = scope.with_locals(found.unknown(&later));
        }
        if let Some(name) = &self.program.register {
            scope = scope.with_locals([(name.clone(), Value::NotYet(later))]);
        }
        let variables = scope.variables();
        self.check_notices(&scope, faults);
        let program = &self.program;
        let breaks = program.loop_.iter().map(|found| &found.break_when);
        let judged = [&program.changed_when, &program.failed_when, &program.until];
        for conditions in judged.into_iter().chain(breaks) {
            reached(conditions.iter(), &variables, faults);
        }
        let pause = program
            .loop_
            .iter()
            .filter_map(|found| found.pause.as_ref());
        let tries = program.retries.iter().chain(&program.delay);
        for (tree, span) in tries.chain(program.limits()).chain(pause) {
            tree.faults(&variables, &mut |fault| faults.push(fault.or_at(*span)));
        }
    }
}

/// Nothing is known.
struct Later;

impl Outputs for Later {
    fn of(&self, _: evenkeel_engine::TaskId) -> Result<Arc<evenkeel_engine::Output>, NotYet> {
        Err(NotYet::new("a result"))
    }
}

/// What conditions come to; mistakes in those that are sure to be looked at are noted.
fn reached<'a>(
    conditions: impl Iterator<Item = &'a Condition>,
    variables: &Arc<dyn Variables>,
    faults: &mut Vec<Fault>,
) -> Reached {
    let mut found = Reached::Surely;
    for condition in conditions {
        let holds = match condition {
            Condition::Is(value) => Ok(*value),
            Condition::Expr(template) => match template.holds(variables) {
                Ok(holds) => holds,
                Err(fault) => {
                    if matches!(found, Reached::Surely) {
                        faults.push(fault);
                    }
                    found = Reached::Perhaps;
                    continue;
                }
            },
        };
        match holds {
            Ok(true) => {}
            Ok(false) => return Reached::Never,
            Err(_) => found = Reached::Perhaps,
        }
    }
    found
}

fn has_template(tree: &Tree) -> bool {
    let mut any = false;
    tree.templates(&mut |_| any = true);
    any
}
