//! Arguments that are one thing or a list of them.

use evenkeel_engine::Value;
use serde::{
    Deserialize as _, Deserializer,
    de::{DeserializeOwned, Error as _},
};

/// For `deserialize_with`: one thing, a list of them, or nothing.
pub(crate) fn one_or_many<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(Vec::new()),
        Value::Seq(items) => items
            .iter()
            .map(|item| T::deserialize(item).map_err(D::Error::custom))
            .collect(),
        one => Ok(vec![T::deserialize(&one).map_err(D::Error::custom)?]),
    }
}

/// For `deserialize_with`: a text with commas, or a list of such texts.
pub(crate) fn comma_list<'de, D>(deserializer: D) -> Result<Vec<String>, D::Error>
where
    D: Deserializer<'de>,
{
    let items: Vec<String> = one_or_many(deserializer)?;
    Ok(items
        .iter()
        .flat_map(|item| item.split(','))
        .map(|item| item.trim().to_owned())
        .filter(|item| !item.is_empty())
        .collect())
}

/// For `serde(default = …)`.
pub(crate) fn yes() -> bool {
    true
}

/// For `skip_serializing_if` where the default is true.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
pub(crate) fn is_yes(value: &bool) -> bool {
    *value
}
