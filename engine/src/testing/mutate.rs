//! Arguments that differ in one place.

use crate::{
    secret::Secret,
    source::Source,
    value::{Map, Value},
};

/// For each leaf, list and map of the tree: its path, and the tree with only that changed. Numbers
/// grow by one, texts by a letter, booleans flip, lists and maps lose their last entry and lists
/// also get it twice. A fingerprint must tell all of them from the original.
pub fn mutations(args: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    walk(args, "", &mut |path, value| all.push((path, value)));
    all
}

fn walk(value: &Value, path: &str, found: &mut dyn FnMut(String, Value)) {
    match value {
        Value::Seq(items) => {
            for (at, item) in items.iter().enumerate() {
                walk(item, &join(path, &at.to_string()), &mut |path, changed| {
                    let mut items = items.clone();
                    items[at] = changed;
                    found(path, Value::Seq(items));
                });
            }
            match items.split_last() {
                Some((last, rest)) => {
                    found(path.to_owned(), Value::Seq(rest.to_vec()));
                    let longer = items.iter().chain([last]).cloned().collect();
                    found(path.to_owned(), longer);
                }
                None => found(path.to_owned(), Value::Seq(vec!["x".into()])),
            }
        }
        Value::Map(map) => {
            for (key, item) in map {
                walk(item, &join(path, key), &mut |path, changed| {
                    let mut map = map.clone();
                    map.insert(key.clone(), changed);
                    found(path, Value::Map(map));
                });
            }
            let mut shorter = map.clone();
            if shorter.pop().is_some() {
                found(path.to_owned(), Value::Map(shorter));
            } else {
                let longer = Map::from_iter([("x".to_owned(), Value::Null)]);
                found(path.to_owned(), Value::Map(longer));
            }
        }
        leaf => found(path.to_owned(), changed(leaf)),
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

fn changed(leaf: &Value) -> Value {
    match leaf {
        Value::Null => Value::Bool(false),
        Value::Bool(value) => Value::Bool(!value),
        Value::Int(value) => Value::Int(value.wrapping_add(1)),
        Value::UInt(value) => Value::UInt(value.wrapping_sub(1)),
        Value::Float(value) => Value::Float(value + 1.0),
        Value::Str(text) => Value::Str(format!("{text}x")),
        Value::Secret(secret) => Value::Secret(Secret::new([secret.reveal(), b"x"].concat())),
        Value::Source(source) => {
            let other = [&source.digest()[..], b"x"].concat();
            Value::Source(Source::inline(source.name(), other))
        }
        Value::NotYet(what) => Value::Str(what.0.clone()),
        Value::Seq(_) | Value::Map(_) => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_changes_alone() {
        let args: Value = serde_json::json!({"a": 1, "b": ["x", true], "c": {}}).into();
        let all = mutations(&args);
        let paths: Vec<_> = all.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["a", "b.0", "b.1", "b", "b", "c", ""]);
        assert!(all.iter().all(|(_, value)| *value != args));
        assert_eq!(
            all[1].1.get("b"),
            Some(&serde_json::json!(["xx", true]).into())
        );
    }
}
