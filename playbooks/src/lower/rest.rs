//! Arguments that one template gives: `debug: "{{ options }}"`, `args: "{{ options }}"`.

use evenkeel_engine::{Map, Value};

use super::{
    args::{Failure, Making, judged, later, named},
    program::Condition,
};
use crate::{
    files::Span,
    template::{Fault, Template},
    vars::{Tree, without_omitted},
};

/// Adds those that are not written. What `debug` names and `assert` judges are expressions here too.
pub(super) fn add(
    args: &mut Map,
    making: &Making<'_>,
    (tree, at): (&Tree, Span),
) -> Result<(), Failure> {
    let variables = making.scope.variables();
    let rest = match tree.render(&variables) {
        Ok(rest) => rest,
        Err(_) if making.lenient => later(),
        Err(fault) => return Err(fault.or_at(at).into()),
    };
    let rest = match without_omitted(rest) {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Map(rest)) => rest,
        Some(Value::NotYet(what)) => return Err(Failure::NotYet(what)),
        Some(other) => {
            let message = format!("arguments are a map: this template gives {}", other.kind());
            let fault = Fault::new("wrong_type", message)
                .help("a map of them, or each argument on a line of its own");
            return Err(fault.or_at(at).into());
        }
    };
    for (name, value) in rest {
        let (name, value) = match (making.module.name(), name.as_str(), value) {
            ("debug", "var", Value::Str(text)) => {
                let template = Template::expression(&text, at).map_err(Failure::Faults)?;
                let value = named(&template, &variables).map_err(|fault| fault.or_at(at))?;
                ("msg".to_owned(), value)
            }
            ("assert", "that", value) => {
                let all = match value {
                    Value::Seq(all) => all,
                    one => vec![one],
                };
                let judged = all.into_iter().map(|one| {
                    let condition = condition(one, at)?;
                    Ok(judged(&condition, &variables).map_err(|fault| fault.or_at(at))?)
                });
                (name, Value::Seq(judged.collect::<Result<_, Failure>>()?))
            }
            (_, _, value) => (name, value),
        };
        if !args.contains_key(&name) {
            args.insert(name, value);
        }
    }
    Ok(())
}

/// A condition that a template gave.
fn condition(value: Value, at: Span) -> Result<Condition, Failure> {
    match value {
        Value::Bool(holds) => Ok(Condition::Is(holds)),
        Value::Str(text) => {
            let template = Template::expression(&text, at).map_err(Failure::Faults)?;
            Ok(Condition::Expr(Box::new(template)))
        }
        Value::NotYet(what) => Err(Failure::NotYet(what)),
        other => {
            let message = format!("a condition is a text or a boolean, not {}", other.kind());
            Err(Fault::new("not_a_condition", message).or_at(at).into())
        }
    }
}
