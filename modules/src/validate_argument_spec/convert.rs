//! Values as the type that is wanted of them.

use evenkeel_engine::{MASK, Map, Value};

/// A value of this type, or why there is none.
pub(super) fn convert(kind: &str, value: &Value) -> Result<Value, String> {
    let cannot = |what: &str| Err(format!("{} cannot be converted to {what}", repr(value)));
    match kind {
        "str" | "path" => Ok(match value {
            Value::Str(_) | Value::Secret(_) => value.clone(),
            other => shown(other).into(),
        }),
        "raw" => Ok(value.clone()),
        "int" => match value {
            Value::Int(_) | Value::UInt(_) | Value::Bool(_) => Ok(value.clone()),
            _ => whole(value)
                .ok_or_else(|| format!("\"{}\" cannot be converted to an int", repr(value))),
        },
        "float" => match value {
            Value::Float(_) => Ok(value.clone()),
            _ => match text(value).and_then(|text| text.trim().parse::<f64>().ok()) {
                Some(number) => Ok(Value::Float(number)),
                None => cannot("a float"),
            },
        },
        "bool" => truth(value),
        "list" => match value {
            Value::Seq(_) => Ok(value.clone()),
            Value::Map(_) | Value::Null => cannot("a list"),
            other => {
                let text = text(other).unwrap_or_default();
                Ok(text.split(',').map(Value::from).collect())
            }
        },
        "dict" => match value {
            Value::Map(_) => Ok(value.clone()),
            Value::Str(text) => pairs(text),
            _ => cannot("a dict"),
        },
        "json" | "jsonarg" => match value {
            Value::Str(_) | Value::Secret(_) => Ok(value.clone()),
            Value::Map(_) | Value::Seq(_) => Ok(value.to_json().to_string().into()),
            _ => cannot("a json string"),
        },
        "bytes" | "bits" => {
            let size = text(value).and_then(|text| sized(&text, kind == "bits"));
            match (size, kind) {
                (Some(size), _) => Ok(Value::Int(size)),
                (None, "bits") => cannot("a Bit value"),
                (None, _) => cannot("a Byte value"),
            }
        }
        _ => Err("there is no such type".to_owned()),
    }
}

/// A whole number, also of a text or of a number that has nothing after its point.
fn whole(value: &Value) -> Option<Value> {
    let text = text(value)?;
    let text = text.trim();
    if let Ok(number) = text.parse::<i64>() {
        return Some(Value::Int(number));
    }
    let (number, rest) = text.split_once('.')?;
    let number = number.parse::<i64>().ok()?;
    rest.bytes()
        .all(|digit| digit == b'0')
        .then_some(Value::Int(number))
}

fn truth(value: &Value) -> Result<Value, String> {
    if let Value::Bool(_) = value {
        return Ok(value.clone());
    }
    let word = text(value).unwrap_or_else(|| repr(value));
    match word.trim().to_lowercase().as_str() {
        "y" | "yes" | "on" | "1" | "true" | "t" | "1.0" => Ok(true.into()),
        "n" | "no" | "off" | "0" | "false" | "f" | "0.0" => Ok(false.into()),
        _ => Err(format!(
            "The value {} is not a valid boolean. There are 'yes', 'on', '1', 'true', 't', 'y', and 'no', 'off', '0', 'false', 'f', 'n'",
            repr(value)
        )),
    }
}

/// A map as JSON, or as `key=value` words.
fn pairs(text: &str) -> Result<Value, String> {
    let wrong = || Err("dictionary requested, could not parse JSON or key=value".to_owned());
    if text.starts_with('{') {
        return match serde_json::from_str::<serde_json::Value>(text) {
            Ok(json @ serde_json::Value::Object(_)) => Ok(Value::from(json)),
            _ => Err("unable to evaluate string as dictionary".to_owned()),
        };
    }
    if !text.contains('=') {
        return wrong();
    }
    let Some(words) = shlex::split(&text.replace(',', " ")) else {
        return wrong();
    };
    let mut map = Map::new();
    for word in words {
        let Some((key, value)) = word.split_once('=') else {
            return wrong();
        };
        map.insert(key.trim().to_owned(), value.into());
    }
    Ok(Value::Map(map))
}

/// How many bytes, or bits, are meant by `1.5G`.
fn sized(text: &str, bits: bool) -> Option<i64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let number: f64 = number.parse().ok()?;
    let unit = unit.trim();
    let mut letters = unit.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    let rest = letters.as_str();
    let (own, other) = if bits { ('b', "bit") } else { ('B', "byte") };
    let power = match first {
        None => 0,
        Some('B') if rest.is_empty() || unit.to_lowercase().starts_with(other) => 0,
        Some(letter) => {
            let power = "KMGTPEZY".find(letter)? + 1;
            let fits = rest.is_empty()
                || rest == own.to_string()
                || rest.to_lowercase().starts_with(other);
            fits.then_some(power)?
        }
    };
    let size = number * 1024_f64.powi(i32::try_from(power).ok()?);
    #[expect(clippy::cast_possible_truncation, reason = "it is bounded")]
    (size.is_finite() && size.abs() < 9e18).then_some(size.round() as i64)
}

/// The text of a scalar.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Secret(secret) => Some(String::from_utf8_lossy(secret.reveal()).into_owned()),
        Value::Seq(_) | Value::Map(_) | Value::Null => None,
        other => other.as_text(),
    }
}

/// What the type of a value is called.
pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null | Value::NotYet(_) => "NoneType",
        Value::Bool(_) => "bool",
        Value::Int(_) | Value::UInt(_) => "int",
        Value::Float(_) => "float",
        Value::Str(_) | Value::Secret(_) | Value::Source(_) => "str",
        Value::Seq(_) => "list",
        Value::Map(_) => "dict",
    }
}

/// A value within a sentence.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Secret(_) => MASK.to_owned(),
        Value::Str(text) => text.clone(),
        other => repr(other),
    }
}

/// A value as Python writes it.
fn repr(value: &Value) -> String {
    match value {
        Value::Null | Value::NotYet(_) => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Secret(_) => format!("'{MASK}'"),
        Value::Seq(items) => {
            let items: Vec<String> = items.iter().map(repr).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(map) => {
            let pair = |(key, value): (&String, &Value)| format!("'{key}': {}", repr(value));
            let pairs: Vec<String> = map.iter().map(pair).collect();
            format!("{{{}}}", pairs.join(", "))
        }
        Value::Str(text) if text.contains('\'') && !text.contains('"') => format!("\"{text}\""),
        Value::Str(text) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
        other => other.as_text().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, size) in [
            ("10", Some(10)),
            ("1K", Some(1024)),
            ("1.5M", Some(1_572_864)),
            ("2GB", Some(2_147_483_648)),
            ("3B", Some(3)),
            ("3Kb", None),
            ("x", None),
        ] {
            assert_eq!(sized(text, false), size, "{text}");
        }
        assert_eq!(sized("2Kb", true), Some(2048));
    }

    #[test]
    fn what_can_be_taken_for_a_type_is() {
        let ok = |kind, value: Value| convert(kind, &value).unwrap();
        assert_eq!(ok("int", "7".into()), Value::Int(7));
        assert_eq!(ok("int", "7.0".into()), Value::Int(7));
        assert!(convert("int", &"7.5".into()).is_err());
        assert_eq!(ok("bool", "Yes".into()), true.into());
        assert_eq!(ok("str", Value::Int(3)), "3".into());
        assert_eq!(
            ok("list", "a,b".into()),
            ["a", "b"].into_iter().map(Value::from).collect()
        );
        assert_eq!(ok("dict", "a=1 b=2".into()).get("b"), Some(&"2".into()));
        assert_eq!(
            ok("dict", "{\"a\": 1}".into()).get("a"),
            Some(&Value::Int(1))
        );
        assert!(convert("dict", &"a".into()).is_err());
    }
}
