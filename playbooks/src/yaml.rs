//! YAML with places: each node knows where it stands, and each scalar how it was written.

mod merge;
mod read;
mod scalar;
mod syntax;

use std::sync::Arc;

use evenkeel_engine::{Map, Secret, Value};

pub use read::read;

use crate::{
    diagnostic::Diagnostic,
    files::{Span, Spanned},
    vault::{self, Sealed},
};

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
    /// A text of a file that was encrypted as a whole.
    pub secret: bool,
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
    /// A text that is encrypted: `!vault`.
    Sealed(Arc<Sealed>),
    /// What was encrypted.
    Secret(Secret),
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
            secret: false,
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
            secret: false,
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
            Kind::Sealed(_) => "an encrypted text",
            Kind::Secret(_) => "a secret",
            Kind::Seq(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }

    /// Opens all that is encrypted in it; what stays closed becomes nothing, and says why.
    pub fn open(&mut self, out: &mut Vec<Diagnostic>) {
        match &mut self.kind {
            Kind::Sealed(sealed) => {
                self.kind = match sealed.open() {
                    Ok(secret) => Kind::Secret(secret),
                    Err(trouble) => {
                        out.push(
                            Diagnostic::error(vault::CODE, self.span, trouble.message)
                                .help(trouble.help),
                        );
                        Kind::Null
                    }
                };
            }
            Kind::Seq(items) => items.iter_mut().for_each(|item| item.open(out)),
            Kind::Map(entries) => entries.iter_mut().for_each(|(_, value)| value.open(out)),
            _ => {}
        }
    }

    /// As a tree of values, without places, styles and tags. Keys that are not texts become their
    /// text. What is still encrypted is a secret without a value: [`Node::open`] comes first.
    pub fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Int(value) => Value::Int(*value),
            Kind::UInt(value) => Value::UInt(*value),
            Kind::Float(value) => Value::Float(*value),
            Kind::Str(text) if self.secret && !text.is_empty() => Value::Secret(Secret::new(text)),
            Kind::Str(text) => Value::Str(text.clone()),
            Kind::Sealed(_) => Value::Secret(Secret::new("")),
            Kind::Secret(secret) => Value::Secret(secret.clone()),
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
