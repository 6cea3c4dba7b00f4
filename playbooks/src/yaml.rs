//! YAML with places: each node knows where it stands, and each scalar how it was written.

mod merge;
mod read;
mod scalar;
mod syntax;

use evenkeel_engine::{Map, Value};

pub use read::read;

use crate::files::{Span, Spanned};

/// A node of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Where it stands.
    pub span: Span,
    /// A scalar as it was written, without quotes and escapes; empty for lists and maps.
    pub text: String,
    /// A scalar without quotes, so that its type was guessed from its text.
    pub plain: bool,
    /// A tag that is not one of YAML's own: `!vault`, `!unsafe` …
    pub tag: Option<Spanned<String>>,
}

/// What a [`Node`] is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Nothing.
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
    /// A list.
    Seq(Vec<Node>),
    /// A map, in the order in which it is written; no key stands twice.
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// A text.
    pub fn str(text: impl Into<String>, span: Span) -> Self {
        let text = text.into();
        Self {
            kind: Kind::Str(text.clone()),
            span,
            text,
            plain: false,
            tag: None,
        }
    }

    /// A map.
    pub fn map(entries: Vec<(Self, Self)>, span: Span) -> Self {
        Self {
            kind: Kind::Map(entries),
            span,
            text: String::new(),
            plain: false,
            tag: None,
        }
    }

    /// The text of a text.
    pub fn as_str(&self) -> Option<&str> {
        if let Kind::Str(text) = &self.kind {
            Some(text)
        } else {
            None
        }
    }

    /// The items of a list.
    pub fn as_seq(&self) -> Option<&[Self]> {
        if let Kind::Seq(items) = &self.kind {
            Some(items)
        } else {
            None
        }
    }

    /// The entries of a map.
    pub fn as_map(&self) -> Option<&[(Self, Self)]> {
        if let Kind::Map(entries) = &self.kind {
            Some(entries)
        } else {
            None
        }
    }

    /// The value of a key that is a text.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_map()?
            .iter()
            .find(|(name, _)| name.as_str() == Some(key))
            .map(|(_, value)| value)
    }

    /// Is it nothing?
    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    /// What it is, for messages: `a text`, `a list` …
    pub fn kind_name(&self) -> &'static str {
        match self.kind {
            Kind::Null => "nothing",
            Kind::Bool(_) => "a boolean",
            Kind::Int(_) | Kind::UInt(_) => "a whole number",
            Kind::Float(_) => "a number",
            Kind::Str(_) => "a text",
            Kind::Seq(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }

    /// As a tree of values, without places, styles and tags. Keys that are not texts become their
    /// text.
    pub fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Int(value) => Value::Int(*value),
            Kind::UInt(value) => Value::UInt(*value),
            Kind::Float(value) => Value::Float(*value),
            Kind::Str(text) => Value::Str(text.clone()),
            Kind::Seq(items) => items.iter().map(Self::to_value).collect(),
            Kind::Map(entries) => Value::Map(
                entries
                    .iter()
                    .map(|(key, value)| (key.text.clone(), value.to_value()))
                    .collect::<Map>(),
            ),
        }
    }
}

#[cfg(test)]
mod tests;
