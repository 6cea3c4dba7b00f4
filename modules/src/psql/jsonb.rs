//! JSON as PostgreSQL prints a `jsonb`: the same bytes, so that the host can check what it answers.

use serde_json::Value as Json;

/// The text of a value, as the server would print it.
pub(crate) fn text(value: &Json) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Json, out: &mut String) {
    match value {
        Json::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                write(item, out);
            }
            out.push(']');
        }
        Json::Object(map) => {
            // Shorter keys come first.
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort_by(|a, b| (a.len(), a.as_bytes()).cmp(&(b.len(), b.as_bytes())));
            out.push('{');
            for (at, key) in keys.into_iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                out.push_str(&Json::from(key.as_str()).to_string());
                out.push_str(": ");
                write(&map[key], out);
            }
            out.push('}');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_the_server_prints() {
        // From `SELECT jsonb_build_object(…)` of PostgreSQL 15.
        let printed = "{\"b\": 1, \"aa\": \"x\\ny\\t\\u0001\\\"\\\\/\u{7f}ä\", \"ab\": [], \"abc\": [null, true, {\"z\": {}}]}";
        let value: Json = serde_json::from_str(printed).unwrap();
        assert_eq!(text(&value), printed);
    }
}
