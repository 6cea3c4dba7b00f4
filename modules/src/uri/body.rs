//! What is sent.

use evenkeel_engine::{Refusal, Value, hex, sha256};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a body is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// A text as it is.
    #[default]
    Raw,
    /// JSON of any value; a text is taken for JSON already.
    Json,
    /// Fields of a form, in one line; a text is taken as it is.
    FormUrlencoded,
    /// Fields of a form, each a text or a map with `content`, `filename` and `mime_type`.
    FormMultipart,
}

/// The bytes that are sent, and what they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    pub(super) kind: Option<String>,
    /// Whether some of it must not be shown.
    pub(super) secret: bool,
}

/// A value as a body.
pub(super) fn encode(value: &Value, format: Format) -> Result<Body, Refusal> {
    let secret = !value.secrets().is_empty();
    let of = |bytes: Vec<u8>, kind: &str| Body {
        bytes,
        kind: (!kind.is_empty()).then(|| kind.to_owned()),
        secret,
    };
    Ok(match (format, scalar(value)) {
        (Format::Raw, Some(bytes)) => of(bytes, ""),
        (Format::Raw, None) => {
            let what = format!("`body` is {}, which is no text", value.kind());
            return Err(Refusal::new(what)
                .help("say what is to be made of it: `body_format: json`, for one"));
        }
        (Format::Json, _) => {
            let bytes = match value {
                Value::Str(text) => text.as_bytes().to_vec(),
                Value::Secret(text) => text.reveal().to_vec(),
                other => {
                    let mut bytes = Vec::new();
                    json(other, &mut bytes)?;
                    bytes
                }
            };
            of(bytes, "application/json")
        }
        (Format::FormUrlencoded, _) => {
            let bytes = match value {
                Value::Str(text) => text.as_bytes().to_vec(),
                Value::Secret(text) => text.reveal().to_vec(),
                other => urlencoded(other)?,
            };
            of(bytes, "application/x-www-form-urlencoded")
        }
        (Format::FormMultipart, _) => {
            let (bytes, mark) = multipart(value)?;
            of(bytes, &format!("multipart/form-data; boundary={mark}"))
        }
    })
}

/// A text, number or boolean as bytes.
fn scalar(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::Secret(secret) => Some(secret.reveal().to_vec()),
        Value::Null => Some(Vec::new()),
        other => other.as_text().map(String::into_bytes),
    }
}

/// JSON in which secrets are what they are.
fn json(value: &Value, to: &mut Vec<u8>) -> Result<(), Refusal> {
    let text = |text: &str| serde_json::Value::from(text).to_string().into_bytes();
    match value {
        Value::Secret(secret) => {
            let plain = std::str::from_utf8(secret.reveal());
            to.extend(text(
                plain.map_err(|_| Refusal::new("a secret in `body` is no text"))?,
            ));
        }
        Value::Seq(items) => {
            to.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    to.extend(b", ");
                }
                json(item, to)?;
            }
            to.push(b']');
        }
        Value::Map(map) => {
            to.push(b'{');
            for (at, (name, item)) in map.iter().enumerate() {
                if at > 0 {
                    to.extend(b", ");
                }
                to.extend(text(name));
                to.extend(b": ");
                json(item, to)?;
            }
            to.push(b'}');
        }
        other => to.extend(other.to_json().to_string().into_bytes()),
    }
    Ok(())
}

/// The fields of a form: of a map, or a list of pairs. A field with a list is there several times.
fn fields(value: &Value) -> Result<Vec<(&str, &Value)>, Refusal> {
    let wrong = || {
        Refusal::new(format!(
            "`body` is {}, not the fields of a form",
            value.kind()
        ))
        .help("write a map of names and values")
    };
    let pairs: Vec<(&str, &Value)> = match value {
        Value::Map(map) => map
            .iter()
            .map(|(name, value)| (name.as_str(), value))
            .collect(),
        Value::Seq(items) => {
            let pair = |item: &'_ Value| match item {
                Value::Seq(pair) => match &pair[..] {
                    [Value::Str(_), _] => Ok(()),
                    _ => Err(wrong()),
                },
                _ => Err(wrong()),
            };
            items.iter().try_for_each(pair)?;
            let pairs = items.iter().filter_map(|item| match item {
                Value::Seq(pair) => Some((pair[0].as_str()?, &pair[1])),
                _ => None,
            });
            pairs.collect()
        }
        _ => return Err(wrong()),
    };
    let flat = pairs.into_iter().flat_map(|(name, value)| match value {
        Value::Seq(items) => items.iter().map(|item| (name, item)).collect(),
        one => vec![(name, one)],
    });
    Ok(flat.collect())
}

fn urlencoded(value: &Value) -> Result<Vec<u8>, Refusal> {
    let mut line = Vec::new();
    for (name, value) in fields(value)? {
        let value = scalar(value)
            .ok_or_else(|| Refusal::new(format!("the field `{name}` of `body` is no text")))?;
        if !line.is_empty() {
            line.push(b'&');
        }
        percent(name.as_bytes(), &mut line);
        line.push(b'=');
        percent(&value, &mut line);
    }
    Ok(line)
}

fn percent(bytes: &[u8], to: &mut Vec<u8>) {
    for byte in bytes {
        match byte {
            b' ' => to.push(b'+'),
            byte if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) => to.push(*byte),
            byte => to.extend(format!("%{byte:02X}").into_bytes()),
        }
    }
}

/// The fields, and the mark between them: one that is in none.
fn multipart(value: &Value) -> Result<(Vec<u8>, String), Refusal> {
    let mut parts = Vec::new();
    for (name, value) in fields(value)? {
        let wrong = || {
            Refusal::new(format!("the field `{name}` of `body` has no content")).help(
                "write a text, or a map with `content` (of a file: `{{ lookup('file', …) }}`)",
            )
        };
        let (content, file, kind) = match value {
            Value::Map(map) => {
                let known = ["content", "filename", "mime_type"];
                if let Some(odd) = map.keys().find(|key| !known.contains(&key.as_str())) {
                    return Err(Refusal::new(format!(
                        "the field `{name}` of `body` has an unknown `{odd}`"
                    )));
                }
                let text = |key: &str| map.get(key).and_then(Value::as_str);
                let content = map.get("content").and_then(scalar).ok_or_else(wrong)?;
                (content, text("filename"), text("mime_type"))
            }
            one => (scalar(one).ok_or_else(wrong)?, None, None),
        };
        let mut head = format!("Content-Disposition: form-data; name=\"{}\"", quoted(name)?);
        if let Some(file) = file {
            head = format!("{head}; filename=\"{}\"", quoted(file)?);
        }
        match (kind, file) {
            (Some(kind), _) => head = format!("{head}\r\nContent-Type: {}", quoted(kind)?),
            (None, Some(_)) => head.push_str("\r\nContent-Type: application/octet-stream"),
            (None, None) => {}
        }
        parts.push([head.as_bytes(), b"\r\n\r\n", &content, b"\r\n"].concat());
    }
    let mark = format!("evenkeel-{}", &hex(&sha256(&parts.concat()))[..32]);
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend(format!("--{mark}\r\n").into_bytes());
        bytes.extend(part);
    }
    bytes.extend(format!("--{mark}--\r\n").into_bytes());
    Ok((bytes, mark))
}

fn quoted(text: &str) -> Result<String, Refusal> {
    if text.contains(char::is_control) {
        return Err(Refusal::new(
            "a name in `body` holds a line break or a control character",
        ));
    }
    Ok(text.replace('"', "%22"))
}

#[cfg(test)]
mod tests {
    use evenkeel_engine::Secret;

    use super::*;

    fn text(yaml: &str, format: Format) -> String {
        let value: Value = serde_yaml::from_str(yaml).unwrap();
        String::from_utf8(encode(&value, format).unwrap().bytes).unwrap()
    }

    #[test]
    fn bodies() {
        assert_eq!(text("a b", Format::Raw), "a b");
        assert_eq!(
            text("{a: [1, x\"y, null, true], b: {}}", Format::Json),
            r#"{"a": [1, "x\"y", null, true], "b": {}}"#
        );
        assert_eq!(text("'{\"a\": 1}'", Format::Json), "{\"a\": 1}");
        assert_eq!(
            text("{a: 'b c&d', e: [1, ü]}", Format::FormUrlencoded),
            "a=b+c%26d&e=1&e=%C3%BC"
        );
        assert_eq!(text("[[a, b], [a, c]]", Format::FormUrlencoded), "a=b&a=c");
    }

    #[test]
    fn parts_of_a_form() {
        let body = text(
            "{a: b, f: {content: 'x', filename: 'n\".txt', mime_type: text/plain}}",
            Format::FormMultipart,
        );
        let mark = body.lines().next().unwrap();
        let wanted = format!(
            "{mark}\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n\
             {mark}\r\nContent-Disposition: form-data; name=\"f\"; filename=\"n%22.txt\"\r\n\
             Content-Type: text/plain\r\n\r\nx\r\n{mark}--\r\n"
        );
        assert_eq!(body, wanted);
    }

    #[test]
    fn secrets_are_sent_and_known_as_such() {
        let value = Value::Map(
            [("p".to_owned(), Value::Secret(Secret::new("a\"b")))]
                .into_iter()
                .collect(),
        );
        let body = encode(&value, Format::Json).unwrap();
        assert_eq!(body.bytes, br#"{"p": "a\"b"}"#);
        assert!(body.secret);
        assert_eq!(
            encode(&value, Format::FormUrlencoded).unwrap().bytes,
            b"p=a%22b"
        );
    }

    #[test]
    fn what_is_no_body() {
        let map: Value = serde_yaml::from_str("{a: {b: c}}").unwrap();
        for format in [Format::Raw, Format::FormUrlencoded, Format::FormMultipart] {
            encode(&map, format).unwrap_err();
        }
    }
}
