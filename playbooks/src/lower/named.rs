//! The variables that a `set_fact` sets: their names may be templates, of what is known before the run.

use std::collections::BTreeSet;

use evenkeel_engine::{NotYet, Value};

use super::{body::Body, body::items_of, program::Arg};
use crate::{template::Fault, vars::Scope};

/// The module.
pub(super) const MODULE: &str = "set_fact";

/// The name of an argument as it is; one that is not known yet is none.
pub(super) fn name_of(arg: &Arg, scope: &Scope) -> Result<Result<String, NotYet>, Fault> {
    let at = arg.name.span;
    let Some(tree) = &arg.called else {
        return Ok(Ok(arg.name.value.clone()));
    };
    match tree
        .render(&scope.variables())
        .map_err(|fault| fault.or_at(at))?
    {
        Value::NotYet(what) => Ok(Err(what)),
        value => value.as_text().map(Ok).ok_or_else(|| {
            let what = format!("the name of a variable is {}", value.kind());
            Fault::new("not_a_name", what).or_at(at)
        }),
    }
}

/// What a task sets, in all turns of its loop; and what is wrong with names that are not known.
pub(super) fn names(body: &Body, scope: &Scope) -> (BTreeSet<String>, Vec<Fault>) {
    let (mut found, mut faults) = (BTreeSet::new(), Vec::new());
    let args = body.program.args.iter();
    let (open, plain): (Vec<&Arg>, Vec<&Arg>) = args
        .filter(|arg| arg.name.value != "cacheable")
        .partition(|arg| arg.called.is_some());
    found.extend(plain.iter().map(|arg| arg.name.value.clone()));
    if open.is_empty() {
        return (found, faults);
    }
    let turns = match &body.program.loop_ {
        None => vec![scope.clone()],
        Some(looped) => {
            if let Ok(items) = items_of(looped, scope) {
                let turn = |index| scope.with_locals(looped.locals(index, &items));
                (0..items.len()).map(turn).collect()
            } else {
                let what = NotYet::new("an item of the loop");
                vec![scope.with_locals(looped.unknown(&what))]
            }
        }
    };
    for arg in open {
        for turn in &turns {
            match name_of(arg, turn) {
                Ok(Ok(name)) => {
                    found.insert(name);
                }
                Ok(Err(what)) => {
                    let message = format!(
                        "which variable is set has to be known before the run: its name reads {}",
                        what.0
                    );
                    let help = "set one map, and let its keys vary: `all: \"{{ all | default({}) | combine({name: value}) }}\"`";
                    let fault = Fault::new("known_too_late", message).help(help);
                    faults.push(fault.or_at(arg.name.span));
                    break;
                }
                // What is wrong with it shows where arguments are made, if they are.
                Err(_) => {}
            }
        }
    }
    (found, faults)
}
