//! `seuser`, `serole`, `setype` and `selevel` of modules of files: what `SELinux` is to call the path.

use std::sync::Arc;

use evenkeel_engine::{AnyModule, Bound, Map, Value};
use evenkeel_modules::labelled::{Label, Labelled, PARTS};

use super::args::{Failure, unknown_argument};
use crate::{files::Span, template::Fault};

/// Takes what is said of it off the arguments of a module that may have that.
pub(super) fn take(
    args: &mut Map,
    module: &dyn AnyModule,
    at: impl Fn(&str) -> Span,
) -> Result<Label, Failure> {
    let mut label = Label::default();
    // Where a module has some of these names only, they mean something else (`seuser` of a login).
    let is_of_files = || {
        PARTS
            .iter()
            .all(|(name, _)| unknown_argument(module, module.name(), name).is_none())
    };
    if !PARTS.iter().any(|(name, _)| args.contains_key(*name)) || !is_of_files() {
        return Ok(label);
    }
    for ((name, _), wanted) in PARTS.iter().zip(&mut label.0) {
        match args.shift_remove(*name) {
            None | Some(Value::Null) => {}
            Some(Value::Str(text)) => *wanted = Some(text),
            Some(Value::NotYet(what)) => return Err(Failure::NotYet(what)),
            Some(other) => {
                let message = format!("`{name}`: expected a text, found {}", other.kind());
                return Err(Fault::new("wrong_argument", message).or_at(at(name)).into());
            }
        }
    }
    Ok(label)
}

/// The module with what `SELinux` is to call its path.
pub(super) fn labelled(bound: Arc<dyn Bound>, label: Label) -> Arc<dyn Bound> {
    if label.is_empty() {
        return bound;
    }
    Arc::new(Labelled { bound, label })
}
