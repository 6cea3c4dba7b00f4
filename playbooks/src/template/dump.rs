//! Values as JSON and YAML texts, laid out as Python's libraries do it.

mod yaml;

use std::fmt::Write as _;

use evenkeel_engine::{Map, Value};

pub(super) use yaml::{Layout, yaml};

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

/// JSON; `marks` are what stands between items, and after a key.
pub(super) fn json(value: &Value, options: Options, marks: Option<&(String, String)>) -> String {
    let item = if options.indent > 0 { "," } else { ", " };
    let marks = marks.map_or((item, ": "), |(item, key)| (item, key));
    let layout = Json { options, marks };
    let mut out = String::new();
    json_into(&mut out, value, layout, 0);
    out
}

#[derive(Clone, Copy)]
struct Json<'a> {
    options: Options,
    marks: (&'a str, &'a str),
}

fn json_into(out: &mut String, value: &Value, json: Json<'_>, depth: usize) {
    let options = json.options;
    match value {
        Value::Seq(items) => {
            let items: Vec<_> = items.iter().map(|item| (None, item)).collect();
            json_list(out, ('[', ']'), &items, json, depth);
        }
        Value::Map(map) => {
            let items = entries(map, options.sort);
            let items: Vec<_> = items
                .into_iter()
                .map(|(key, value)| (Some(key), value))
                .collect();
            json_list(out, ('{', '}'), &items, json, depth);
        }
        scalar => out.push_str(&json_scalar(scalar, options.ascii)),
    }
}

fn json_list(
    out: &mut String,
    (open, close): (char, char),
    items: &[(Option<&String>, &Value)],
    json: Json<'_>,
    depth: usize,
) {
    let options = json.options;
    let newline = |out: &mut String, depth: usize| {
        if options.indent > 0 {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', options.indent * depth));
        }
    };
    out.push(open);
    for (index, (key, value)) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(json.marks.0);
        }
        newline(out, depth + 1);
        if let Some(key) = key {
            out.push_str(&json_text(key, options.ascii));
            out.push_str(json.marks.1);
        }
        json_into(out, value, json, depth + 1);
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
        Value::Float(number) if number.is_nan() => "NaN".to_owned(),
        Value::Float(number) if number.is_infinite() => {
            let sign = if *number < 0.0 { "-" } else { "" };
            format!("{sign}Infinity")
        }
        Value::Float(number) => float(*number),
        Value::Int(_) | Value::UInt(_) => value.as_text().unwrap_or_default(),
        Value::Str(text) => json_text(text, ascii),
        Value::Secret(secret) => json_text(&String::from_utf8_lossy(secret.reveal()), ascii),
        Value::Source(source) => json_text(source.name(), ascii),
        Value::Null | Value::NotYet(_) | Value::Seq(_) | Value::Map(_) => "null".to_owned(),
    }
}

/// A number as Python writes it.
pub(super) fn float(number: f64) -> String {
    if number.is_nan() || number.is_infinite() {
        return number.to_string().to_lowercase();
    }
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        return format!("{number:?}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
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
            json(&tree, options, None),
            r#"{"b": [1, 2.5], "a": {"x": "\u00e9\n"}, "c": [], "d": null}"#
        );
        let nice = Options {
            indent: 4,
            sort: true,
            ascii: true,
        };
        assert_eq!(
            json(&value(serde_json::json!({"b": [1], "a": {}})), nice, None),
            "{\n    \"a\": {},\n    \"b\": [\n        1\n    ]\n}"
        );
    }
}
