//! The variables that a `set_fact` sets: their names may be templates.

use std::collections::BTreeSet;

use evenkeel_engine::{NotYet, Value};

use super::{
    body::Body,
    include,
    program::{Arg, Form},
};
use crate::{open::ANY, template::Fault, vars::Scope};

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

/// The names of what an argument sets: one, or those that a template gives.
fn names_of(arg: &Arg, scope: &Scope) -> Result<Result<Vec<String>, NotYet>, Fault> {
    let Form::Rest(tree) = &arg.form else {
        return Ok(name_of(arg, scope)?.map(|name| vec![name]));
    };
    Ok(match tree.render(&scope.variables())? {
        Value::NotYet(what) => Err(what),
        Value::Map(map) => Ok(map.keys().cloned().collect()),
        _ => Ok(Vec::new()),
    })
}

/// What a task sets, in all turns of its loop. Of names that are not known yet, each part that is not is [`ANY`].
pub(super) fn names(body: &Body, scope: &Scope) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let args = body.program.args.iter();
    let (open, plain): (Vec<&Arg>, Vec<&Arg>) = args
        .filter(|arg| arg.name.value != "cacheable")
        .partition(|arg| arg.called.is_some() || matches!(arg.form, Form::Rest(_)));
    found.extend(plain.iter().map(|arg| arg.name.value.clone()));
    if open.is_empty() {
        return found;
    }
    for turn in include::turns(&body.program, scope) {
        for arg in &open {
            match names_of(arg, &turn) {
                Ok(Ok(names)) => found.extend(names),
                Ok(Err(_)) => {
                    let called = arg.called.as_ref();
                    let name = called.map(|name| include::pattern(name, arg.name.span, &turn));
                    found.insert(name.unwrap_or_else(|| ANY.to_string()));
                }
                // What is wrong with it shows where arguments are made, if they are.
                Err(_) => {}
            }
        }
    }
    found
}
