//! Values as JSON and YAML texts, laid out as Python's libraries do it.

use std::fmt::Write as _;

use evenkeel_engine::{Map, Value};

/// How.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    /// Blanks a level; 0 for JSON: all on one line.
    pub(super) indent: usize,
    /// Keys in order of the alphabet.
    pub(super) sort: bool,
    /// Letters beyond ASCII as `\u…`.
    pub(super) ascii: bool,
}

fn entries(map: &Map, sort: bool) -> Vec<(&String, &Value)> {
    let mut entries: Vec<_> = map.iter().collect();
    if sort {
        entries.sort_by_key(|(key, _)| *key);
    }
    entries
}

/// JSON.
pub(super) fn json(value: &Value, options: Options) -> String {
    let mut out = String::new();
    json_into(&mut out, value, options, 0);
    out
}

fn json_into(out: &mut String, value: &Value, options: Options, depth: usize) {
    match value {
        Value::Seq(items) => {
            let items: Vec<_> = items.iter().map(|item| (None, item)).collect();
            json_list(out, ('[', ']'), &items, options, depth);
        }
        Value::Map(map) => {
            let items = entries(map, options.sort);
            let items: Vec<_> = items
                .into_iter()
                .map(|(key, value)| (Some(key), value))
                .collect();
            json_list(out, ('{', '}'), &items, options, depth);
        }
        scalar => out.push_str(&json_scalar(scalar, options.ascii)),
    }
}

fn json_list(
    out: &mut String,
    (open, close): (char, char),
    items: &[(Option<&String>, &Value)],
    options: Options,
    depth: usize,
) {
    let newline = |out: &mut String, depth: usize| {
        if options.indent > 0 {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', options.indent * depth));
        }
    };
    out.push(open);
    for (index, (key, value)) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(if options.indent > 0 { "," } else { ", " });
        }
        newline(out, depth + 1);
        if let Some(key) = key {
            out.push_str(&json_text(key, options.ascii));
            out.push_str(": ");
        }
        json_into(out, value, options, depth + 1);
    }
    if !items.is_empty() {
        newline(out, depth);
    }
    out.push(close);
}

fn json_scalar(value: &Value, ascii: bool) -> String {
    match value {
        Value::Bool(true) => "true".to_owned(),
        Value::Bool(false) => "false".to_owned(),
        Value::Int(_) | Value::UInt(_) | Value::Float(_) => value.as_text().unwrap_or_default(),
        Value::Str(text) => json_text(text, ascii),
        Value::Secret(secret) => json_text(&String::from_utf8_lossy(secret.reveal()), ascii),
        Value::Source(source) => json_text(source.name(), ascii),
        Value::Null | Value::NotYet(_) | Value::Seq(_) | Value::Map(_) => "null".to_owned(),
    }
}

fn json_text(text: &str, ascii: bool) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    if !ascii || quoted.is_ascii() {
        return quoted;
    }
    let mut out = String::new();
    for c in quoted.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                write!(out, "\\u{unit:04x}").expect("writing to a String cannot fail");
            }
        }
    }
    out
}

/// YAML in block style.
pub(super) fn yaml(value: &Value, options: Options) -> String {
    let mut out = String::new();
    match value {
        Value::Seq(items) if !items.is_empty() => yaml_seq(&mut out, items, options, 0),
        Value::Map(map) if !map.is_empty() => yaml_map(&mut out, map, options, 0, false),
        scalar => {
            out.push_str(&yaml_scalar(scalar, 0));
            out.push('\n');
        }
    }
    out
}

fn yaml_seq(out: &mut String, items: &[Value], options: Options, indent: usize) {
    for item in items {
        out.extend(std::iter::repeat_n(' ', indent));
        out.push('-');
        match item {
            Value::Seq(inner) if !inner.is_empty() => {
                out.push('\n');
                yaml_seq(out, inner, options, indent + options.indent);
            }
            Value::Map(map) if !map.is_empty() => {
                let pad = options.indent.max(2);
                out.extend(std::iter::repeat_n(' ', pad - 1));
                yaml_map(out, map, options, indent + pad, true);
            }
            scalar => {
                out.push(' ');
                out.push_str(&yaml_scalar(scalar, indent + options.indent));
                out.push('\n');
            }
        }
    }
}

fn yaml_map(out: &mut String, map: &Map, options: Options, indent: usize, mut inline: bool) {
    for (key, value) in entries(map, options.sort) {
        if !std::mem::take(&mut inline) {
            out.extend(std::iter::repeat_n(' ', indent));
        }
        out.push_str(&yaml_text(key, indent));
        out.push(':');
        match value {
            Value::Seq(items) if !items.is_empty() => {
                out.push('\n');
                yaml_seq(out, items, options, indent);
            }
            Value::Map(inner) if !inner.is_empty() => {
                out.push('\n');
                yaml_map(out, inner, options, indent + options.indent, false);
            }
            scalar => {
                out.push(' ');
                out.push_str(&yaml_scalar(scalar, indent + options.indent));
                out.push('\n');
            }
        }
    }
}

fn yaml_scalar(value: &Value, indent: usize) -> String {
    match value {
        Value::Seq(_) => "[]".to_owned(),
        Value::Map(_) => "{}".to_owned(),
        Value::Str(text) => yaml_text(text, indent),
        Value::Secret(secret) => yaml_text(&String::from_utf8_lossy(secret.reveal()), indent),
        Value::Source(source) => yaml_text(source.name(), indent),
        other => json_scalar(other, true),
    }
}

/// Plain where that reads back as the same text, else quoted; several lines as a block.
fn yaml_text(text: &str, indent: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let tidy = lines
        .iter()
        .all(|line| !line.ends_with(' ') && !line.contains(['\t', '\r']));
    if lines.len() > 1 && tidy && !text.starts_with([' ', '\n']) {
        let mark = match (text.ends_with("\n\n"), text.ends_with('\n')) {
            (true, _) => "|+",
            (false, true) => "|",
            (false, false) => "|-",
        };
        let pad = " ".repeat(indent.max(1));
        let body: Vec<String> = lines
            .iter()
            .map(|line| {
                if line.is_empty() {
                    String::new()
                } else {
                    format!("{pad}{line}")
                }
            })
            .collect();
        return format!("{mark}\n{}", body.join("\n"));
    }
    if text.contains(|c: char| c.is_control()) {
        return json_text(text, false);
    }
    if plain(text) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

fn plain(text: &str) -> bool {
    let words = [
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "~",
    ];
    let first = text.chars().next();
    let numeric = first.is_some_and(|c| c.is_ascii_digit() || "+-.".contains(c))
        && text
            .chars()
            .all(|c| c.is_ascii_hexdigit() || "+-._:xoeTZ ".contains(c));
    !text.is_empty()
        && text.trim() == text
        && !numeric
        && !words.contains(&text.to_ascii_lowercase().as_str())
        && !matches!(text, "=" | "<<")
        && !first.is_some_and(|c| "!&*?|>@`\"'%#,[]{}".contains(c))
        && !(text.starts_with(['-', ':'])
            && text[1..].chars().next().is_none_or(char::is_whitespace))
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: serde_json::Value) -> Value {
        Value::from(json)
    }

    #[test]
    fn json_as_python_lays_it_out() {
        let options = Options {
            indent: 0,
            sort: false,
            ascii: true,
        };
        let tree = value(serde_json::json!({"b": [1, 2.5], "a": {"x": "é\n"}, "c": [], "d": null}));
        assert_eq!(
            json(&tree, options),
            r#"{"b": [1, 2.5], "a": {"x": "\u00e9\n"}, "c": [], "d": null}"#
        );
        let nice = Options {
            indent: 4,
            sort: true,
            ascii: true,
        };
        assert_eq!(
            json(&value(serde_json::json!({"b": [1], "a": {}})), nice),
            "{\n    \"a\": {},\n    \"b\": [\n        1\n    ]\n}"
        );
    }

    #[test]
    fn yaml_as_python_lays_it_out() {
        let options = Options {
            indent: 4,
            sort: true,
            ascii: true,
        };
        let tree = value(serde_json::json!({
            "b": ["yes", "x: y", 1, {"k": "v", "l": true}], "a": {"m": "12", "e": []}, "t": "a\nb\n"
        }));
        let text = yaml(&tree, options);
        assert_eq!(
            text,
            "a:\n    e: []\n    m: '12'\nb:\n- 'yes'\n- 'x: y'\n- 1\n-   k: v\n    l: true\nt: |\n    a\n    b\n"
        );
    }
}
