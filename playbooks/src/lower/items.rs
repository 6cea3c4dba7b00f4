//! What people see of the items of a loop.

use evenkeel_engine::{MASK, Value};

/// What people see of an item.
pub(crate) fn label(item: &Value) -> String {
    match item {
        Value::Secret(_) => MASK.to_owned(),
        Value::Map(_) | Value::Seq(_) => item.to_json().to_string(),
        other => other.as_text().unwrap_or_default(),
    }
}
