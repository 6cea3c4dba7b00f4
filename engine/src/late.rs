//! What is not known yet: neither an error nor a default.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::value::Value;

/// A value that only a later moment of this run will give. The text says which, as a noun: "the
/// result of `build`", "what `id app` answers", "the user `app`". It is shown behind "not known
/// yet:" in check mode, and in the error if the task's turn comes and it is still missing. What can
/// be done about it may stand behind the last `; `.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("not known yet: {0}")]
pub struct NotYet(pub String);

impl NotYet {
    /// Names what is missing.
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }

    /// What is missing, and what can be done about it.
    pub(crate) fn parts(&self) -> (&str, Option<&str>) {
        // Names stand between backticks, and may hold anything.
        let whole = |(what, _): &(&str, &str)| what.matches('`').count() % 2 == 0;
        self.0
            .rsplit_once("; ")
            .filter(whole)
            .map_or((&self.0, None), |(what, remedy)| (what, Some(remedy)))
    }
}

/// An argument that `observe` and `touches` can do without: contents, passwords, values of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Late<T> {
    /// It is known.
    Known(T),
    /// It comes later in this run.
    NotYet(NotYet),
}

impl<T> Late<T> {
    /// A known value.
    pub fn of(value: impl Into<T>) -> Self {
        Self::Known(value.into())
    }

    /// The value, or what it waits for; `?` works on this in `plan` and `output`.
    pub fn get(&self) -> Result<&T, NotYet> {
        match self {
            Self::Known(value) => Ok(value),
            Self::NotYet(what) => Err(what.clone()),
        }
    }
}

impl<T> From<T> for Late<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

impl<T: Default> Default for Late<T> {
    fn default() -> Self {
        Self::Known(T::default())
    }
}

impl<T: Serialize> Serialize for Late<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(value) => value.serialize(serializer),
            Self::NotYet(what) => crate::value::leaf(&Value::NotYet(what.clone()), serializer),
        }
    }
}

impl<'de, T: de::DeserializeOwned> Deserialize<'de> for Late<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        match value.first_not_yet() {
            Some(what) => Ok(Self::NotYet(what.clone())),
            None => T::deserialize(&value)
                .map(Self::Known)
                .map_err(de::Error::custom),
        }
    }
}

impl<T: schemars::JsonSchema> schemars::JsonSchema for Late<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        T::json_schema(generator)
    }
}
