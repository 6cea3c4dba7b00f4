//! The engine's own tree of values: what arguments, results and facts are made of.
//!
//! JSON is not enough: leaves may be secrets, local files, or not known yet, and `1`, `1.0` and
//! `"1"` are three values.

mod de;
mod ser;

use indexmap::IndexMap;
use serde::{Serialize, de::DeserializeOwned};

pub use de::{BindError, bind};
pub(crate) use ser::leaf;

use crate::{
    late::NotYet,
    secret::{MASK, Secret},
    source::Source,
};

/// A map that keeps the order in which keys were written.
pub type Map = IndexMap<String, Value>;

/// A tree of values.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// Nothing.
    #[default]
    Null,
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number above `i64::MAX`.
    UInt(u64),
    /// A number with a fraction.
    Float(f64),
    /// A text.
    Str(String),
    /// A text that must not be printed.
    Secret(Secret),
    /// A file on the controller.
    Source(Source),
    /// Comes later in this run.
    NotYet(NotYet),
    /// A list.
    Seq(Vec<Self>),
    /// A map.
    Map(Map),
}

impl Value {
    /// The tree of a typed value; secrets, sources and what is not known yet stay what they are.
    /// Fields of structs that are `None` are left out, so that a new optional argument changes no
    /// fingerprint.
    pub fn from_typed<T: Serialize>(value: &T) -> Result<Self, BindError> {
        ser::to_value(value)
    }

    /// A typed value of this tree; the error names the field.
    pub fn to_typed<T: DeserializeOwned>(&self) -> Result<T, BindError> {
        bind(self)
    }

    /// What it is, for messages: `a text`, `a list` …
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::UInt(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::Str(_) => "a text",
            Self::Secret(_) => "a secret",
            Self::Source(_) => "a local file",
            Self::NotYet(_) => "a value not known yet",
            Self::Seq(_) => "a list",
            Self::Map(_) => "a map",
        }
    }

    /// A scalar as a text: numbers and booleans as they print, nothing for lists, maps and secrets.
    pub fn as_text(&self) -> Option<String> {
        match self {
            Self::Str(text) => Some(text.clone()),
            Self::Bool(true) => Some("True".to_owned()),
            Self::Bool(false) => Some("False".to_owned()),
            Self::Int(number) => Some(number.to_string()),
            Self::UInt(number) => Some(number.to_string()),
            Self::Float(number) => Some(format!("{number:?}")),
            Self::Null | Self::Secret(_) | Self::Source(_) => None,
            Self::NotYet(_) | Self::Seq(_) | Self::Map(_) => None,
        }
    }

    /// The text of a `Str`.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::Str(text) = self {
            Some(text)
        } else {
            None
        }
    }

    /// The value of a key of a map.
    pub fn get(&self, key: &str) -> Option<&Self> {
        if let Self::Map(map) = self {
            map.get(key)
        } else {
            None
        }
    }

    /// Is it the boolean `true`?
    pub fn is_true(&self) -> bool {
        matches!(self, Self::Bool(true))
    }

    /// The first leaf, in order, that is not known yet.
    pub fn first_not_yet(&self) -> Option<&NotYet> {
        match self {
            Self::NotYet(what) => Some(what),
            Self::Seq(items) => items.iter().find_map(Self::first_not_yet),
            Self::Map(map) => map.values().find_map(Self::first_not_yet),
            _ => None,
        }
    }

    /// Every secret in the tree, so that output can be masked.
    pub fn secrets(&self) -> Vec<Secret> {
        let mut found = Vec::new();
        self.collect_secrets(&mut found);
        found
    }

    fn collect_secrets(&self, found: &mut Vec<Secret>) {
        match self {
            Self::Secret(secret) => found.push(secret.clone()),
            Self::Seq(items) => items.iter().for_each(|item| item.collect_secrets(found)),
            Self::Map(map) => map.values().for_each(|value| value.collect_secrets(found)),
            _ => {}
        }
    }

    /// For events and reports: secrets are masked, a local file is its name, what is not known yet
    /// is `{"not_known": …}`.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => (*value).into(),
            Self::Int(value) => (*value).into(),
            Self::UInt(value) => (*value).into(),
            Self::Float(value) => (*value).into(),
            Self::Str(value) => value.clone().into(),
            Self::Secret(_) => MASK.into(),
            Self::Source(source) => source.name().into(),
            Self::NotYet(what) => serde_json::json!({ "not_known": what.0 }),
            Self::Seq(items) => items.iter().map(Self::to_json).collect(),
            Self::Map(map) => {
                Json::Object(map.iter().map(|(k, v)| (k.clone(), v.to_json())).collect())
            }
        }
    }
}

impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(value),
            Json::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(int), _) => Self::Int(int),
                (None, Some(uint)) => Self::UInt(uint),
                (None, None) => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => Self::Str(text),
            Json::Array(items) => items.into_iter().map(Self::from).collect(),
            Json::Object(map) => Self::Map(
                map.into_iter()
                    .map(|(key, value)| (key, value.into()))
                    .collect(),
            ),
        }
    }
}

impl FromIterator<Self> for Value {
    fn from_iter<I: IntoIterator<Item = Self>>(items: I) -> Self {
        Self::Seq(items.into_iter().collect())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Int(value.into())
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        i64::try_from(value).map_or(Self::UInt(value), Self::Int)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Str(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Str(value)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
