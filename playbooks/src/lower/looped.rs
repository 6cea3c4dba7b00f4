//! `loop_var` and `index_var` that are templates: they are known before the run, and alike on all hosts.

use std::sync::Arc;

use evenkeel_engine::Value;

use crate::{
    ast,
    files::Spanned,
    parse::wanted::{is_template, is_variable_name},
    template::Fault,
    vars::{Looped, Scope, Tree},
};

/// Gives a loop the names that its templates give.
pub(super) fn name(
    written: &ast::Loop,
    names: &mut Arc<Looped>,
    scopes: impl FnOnce() -> Vec<Scope>,
) -> Result<(), Fault> {
    let index = written.index_var.as_ref();
    let mut all = index.into_iter().chain([&written.loop_var]);
    if !all.any(|name| is_template(&name.value)) {
        return Ok(());
    }
    let scopes = scopes();
    let found = Looped {
        var: loop_name(&written.loop_var, &scopes)?,
        index: index.map(|name| loop_name(name, &scopes)).transpose()?,
        ..(**names).clone()
    };
    *names = Arc::new(found);
    Ok(())
}

/// The name of a variable of a loop.
pub(crate) fn loop_name(word: &Spanned<String>, scopes: &[Scope]) -> Result<String, Fault> {
    if !is_template(&word.value) {
        return Ok(word.value.clone());
    }
    let mut faults = Vec::new();
    let tree = Tree::text(&word.value, word.span, &mut faults);
    if let Some(fault) = faults.pop() {
        return Err(fault);
    }
    let wrong = |code, what: &str, help: &str| {
        Fault::new(code, what.to_owned())
            .help(help)
            .or_at(word.span)
    };
    let too_late = |what: &str| {
        let what =
            format!("what a loop's variable is called must be known before the run: {what} is not");
        let help = "write the name, or a template of variables of the playbook and the inventory";
        wrong("known_too_late", &what, help)
    };
    let mut found: Option<String> = None;
    for scope in scopes {
        let name = match tree.render(&scope.variables()) {
            Ok(Value::NotYet(what)) => return Err(too_late(&what.to_string())),
            Ok(value) => value.as_text().unwrap_or_default(),
            // It may be what a task leaves behind.
            Err(fault) if fault.code == "undefined_variable" => {
                let name = fault.message.split('`').nth(1);
                return Err(too_late(&format!("`{}`", name.unwrap_or(&word.value))));
            }
            Err(fault) => return Err(fault.or_at(word.span)),
        };
        if !is_variable_name(&name) {
            let what = format!("`{name}` cannot be the name of a variable");
            let help = "letters, digits and `_` only, no digit at the beginning";
            return Err(wrong("bad_name", &what, help));
        }
        if found.as_ref().is_some_and(|other| *other != name) {
            let what = "a loop's variable has another name on each host";
            return Err(wrong("unsupported", what, "write one name for all"));
        }
        found = Some(name);
    }
    // Without hosts nothing runs.
    Ok(found.unwrap_or_else(|| "item".to_owned()))
}
