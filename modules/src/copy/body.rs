//! What a file is to hold, and where that comes from.

use evenkeel_engine::{Content, Secret, Source, Text, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A text; maps and lists are written as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body(pub Text);

impl Body {
    /// Whether it must not be shown.
    pub fn is_secret(&self) -> bool {
        self.0.is_secret()
    }

    /// The bytes for a file.
    pub fn content(&self) -> Content {
        Content::from(&self.0)
    }
}

impl From<&str> for Body {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl Default for Body {
    fn default() -> Self {
        Self("".into())
    }
}

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        match &value {
            Value::Secret(secret) => Ok(Self(Text::Secret(secret.clone()))),
            Value::Map(_) | Value::Seq(_) => {
                let mut json = String::new();
                write_json(&value, &mut json);
                Ok(Self(if value.secrets().is_empty() {
                    Text::Plain(json)
                } else {
                    Text::Secret(Secret::new(json).made_of(&value.secrets()))
                }))
            }
            other => match other.as_text() {
                Some(text) => Ok(Self(Text::Plain(text))),
                None => Err(de::Error::custom(format_args!(
                    "expected a text, found {}",
                    other.kind()
                ))),
            },
        }
    }
}

impl JsonSchema for Body {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}

/// JSON with a space after `,` and `:`, as users of Ansible know it; secrets are in clear.
fn write_json(value: &Value, into: &mut String) {
    match value {
        Value::Seq(items) => {
            into.push('[');
            for (at, item) in items.iter().enumerate() {
                into.push_str(if at > 0 { ", " } else { "" });
                write_json(item, into);
            }
            into.push(']');
        }
        Value::Map(map) => {
            into.push('{');
            for (at, (key, item)) in map.iter().enumerate() {
                into.push_str(if at > 0 { ", " } else { "" });
                into.push_str(&serde_json::Value::from(key.as_str()).to_string());
                into.push_str(": ");
                write_json(item, into);
            }
            into.push('}');
        }
        Value::Secret(secret) => {
            let text = String::from_utf8_lossy(secret.reveal());
            into.push_str(&serde_json::Value::from(text).to_string());
        }
        other => into.push_str(&other.to_json().to_string()),
    }
}

/// Where the bytes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Src {
    /// A file or directory of this machine.
    Local(Source),
    /// A path of the host.
    Host(String),
}

impl Default for Src {
    fn default() -> Self {
        Self::Host(String::new())
    }
}

impl Serialize for Src {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Local(source) => source.serialize(serializer),
            Self::Host(path) => serializer.serialize_str(path),
        }
    }
}

impl<'de> Deserialize<'de> for Src {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Source(source) => Ok(Self::Local(source)),
            Value::Str(path) => Ok(Self::Host(path)),
            other => Err(de::Error::custom(format_args!(
                "expected a file, found {}",
                other.kind()
            ))),
        }
    }
}

impl JsonSchema for Src {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "LocalFile".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use evenkeel_engine::{Map, bind};

    use super::*;

    #[test]
    fn maps_become_json() {
        let json = serde_json::json!({"b": [1, "x\"y", null, true], "a": {}});
        let Body(text) = bind(&Value::from(json)).unwrap();
        assert_eq!(text.shown(), r#"{"b": [1, "x\"y", null, true], "a": {}}"#);
    }

    #[test]
    fn a_secret_makes_all_of_it_secret() {
        let secret = Value::Secret(Secret::new("p\"w"));
        let Body(text) = bind(&Value::Map(Map::from_iter([("a".into(), secret)]))).unwrap();
        assert!(text.is_secret());
        assert_eq!(text.bytes(), br#"{"a": "p\"w"}"#);
    }
}
