//! Values that must not be printed, and texts that may hold one.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::value::Value;

/// Bytes that no log, event, process list or diff may show.
///
/// There is no `Display`; `Debug` and every foreign serializer print `***`. Only
/// [`Value::from_typed`] keeps the bytes, for fingerprints keyed per host.
///
/// A secret that was made of others knows them: where one of those shows alone, it is masked too.
#[derive(Clone)]
pub struct Secret(Arc<Inner>);

struct Inner {
    bytes: Box<[u8]>,
    parts: Vec<Secret>,
}

/// How a secret prints.
pub const MASK: &str = "***";

impl Secret {
    /// Wraps bytes.
    pub fn new(bytes: impl AsRef<[u8]>) -> Self {
        Self::with(bytes.as_ref(), Vec::new())
    }

    fn with(bytes: &[u8], parts: Vec<Self>) -> Self {
        Self(Arc::new(Inner {
            bytes: bytes.into(),
            parts,
        }))
    }

    /// The same, knowing what it was made of.
    #[must_use]
    pub fn made_of<'a>(self, parts: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut all: Vec<Self> = self.parts().to_vec();
        for part in parts {
            let bare = if part.parts().is_empty() {
                part.clone()
            } else {
                Self::new(part.reveal())
            };
            for one in std::iter::once(&bare).chain(part.parts()) {
                if *one != self && !all.contains(one) {
                    all.push(one.clone());
                }
            }
        }
        if all.len() == self.parts().len() {
            self
        } else {
            Self::with(self.reveal(), all)
        }
    }

    /// What it was made of, as far as that was secret.
    pub fn parts(&self) -> &[Self] {
        &self.0.parts
    }

    /// The bytes themselves; every use of this is a place to look at twice.
    pub fn reveal(&self) -> &[u8] {
        &self.0.bytes
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.reveal() == other.reveal()
    }
}

impl Eq for Secret {}

impl PartialOrd for Secret {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Secret {
    fn cmp(&self, other: &Self) -> Ordering {
        self.reveal().cmp(other.reveal())
    }
}

impl Hash for Secret {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.reveal().hash(state);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// A text of a playbook or of a program that embeds the engine: plain, or a secret.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Text {
    /// May be printed.
    Plain(String),
    /// Must not be printed.
    Secret(Secret),
}

impl Text {
    /// The bytes, secret or not.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Plain(text) => text.as_bytes(),
            Self::Secret(secret) => secret.reveal(),
        }
    }

    /// Whether this must not be printed.
    pub fn is_secret(&self) -> bool {
        matches!(self, Self::Secret(_))
    }

    /// What may be shown: the text, or [`MASK`].
    pub fn shown(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Secret(_) => MASK,
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.shown(), f)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::Plain(text.to_owned())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::Plain(text)
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(text) => serializer.serialize_str(text),
            Self::Secret(secret) => crate::value::leaf(&Value::Secret(secret.clone()), serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Secret(secret) => Ok(Self::Secret(secret)),
            value => match value.as_text() {
                Some(text) => Ok(Self::Plain(text)),
                None => Err(de::Error::custom(format_args!(
                    "expected a text, found {}",
                    value.kind()
                ))),
            },
        }
    }
}

impl schemars::JsonSchema for Text {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}
