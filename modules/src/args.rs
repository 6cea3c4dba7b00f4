//! What the arguments of many modules have in common.

use evenkeel_engine::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

/// For `skip_serializing_if`: a fingerprint does not change when an optional argument is added.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// An argument of Ansible's that has no effect here: only "no" is taken, so that nothing is
/// silently ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unsupported;

impl<'de> Deserialize<'de> for Unsupported {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Null | Value::Bool(false) => Ok(Self),
            Value::Str(text) if matches!(text.as_str(), "no" | "false" | "") => Ok(Self),
            _ => Err(de::Error::custom(
                "not supported: set it with a task of `command` (`chcon`, `chattr`, `setfacl`)",
            )),
        }
    }
}
