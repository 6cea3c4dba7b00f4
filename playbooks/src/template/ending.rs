//! Newlines at the end of a text: what is rendered has as many as its template has, or more if they come from
//! a value. A lone expression before one newline is still a lone expression: a list in a block of text is a list.

use evenkeel_engine::{Secret, Value};

/// A template without the newline that ends it.
pub(super) fn without(template: &str) -> &str {
    template.strip_suffix('\n').unwrap_or(template)
}

/// What was rendered of a template [`without`] its end, with the newlines that are missing.
pub(super) fn restored(value: Value, wanted: usize) -> Value {
    match value {
        Value::Str(mut text) => {
            let missing = wanted.saturating_sub(count(text.as_bytes()));
            text.extend(std::iter::repeat_n('\n', missing));
            Value::Str(text)
        }
        Value::Secret(secret) if count(secret.reveal()) < wanted => {
            let mut bytes = secret.reveal().to_vec();
            bytes.resize(bytes.len() + wanted - count(&bytes), b'\n');
            Value::Secret(Secret::new(bytes).made_of([&secret]))
        }
        other => other,
    }
}

/// How many newlines end a template.
pub(super) fn newlines(template: &str) -> usize {
    count(template.as_bytes())
}

fn count(text: &[u8]) -> usize {
    text.iter().rev().take_while(|&&byte| byte == b'\n').count()
}
