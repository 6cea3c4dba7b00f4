//! What options may be set to.

use evenkeel_engine::{Text, Value};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::edit::Condition;

/// The values of an option.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Values {
    /// None: the name alone.
    #[default]
    Bare,
    /// One.
    One(Text),
    /// Any number, each in a line of its own.
    Many(Vec<Text>),
}

impl Values {
    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Text> {
        match self {
            Self::Bare => [].iter(),
            Self::One(one) => std::slice::from_ref(one).iter(),
            Self::Many(all) => all.iter(),
        }
    }

    fn is_bare(&self) -> bool {
        *self == Self::Bare
    }
}

impl<'a> IntoIterator for &'a Values {
    type Item = &'a Text;
    type IntoIter = std::slice::Iter<'a, Text>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = |value: &Value| Text::deserialize(value).map_err(de::Error::custom);
        match Value::deserialize(deserializer)? {
            Value::Null => Ok(Self::Bare),
            Value::Seq(items) => items
                .iter()
                .map(text)
                .collect::<Result<_, _>>()
                .map(Self::Many),
            one => text(&one).map(Self::One),
        }
    }
}

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bare => serializer.serialize_unit(),
            Self::One(one) => one.serialize(serializer),
            Self::Many(all) => all.serialize(serializer),
        }
    }
}

/// Sections with their options; a section without any is only to be there, or to be gone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sections(pub IndexMap<String, IndexMap<String, Values>>);

impl<'de> Deserialize<'de> for Sections {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let all: IndexMap<String, Option<IndexMap<String, Values>>> =
            IndexMap::deserialize(deserializer)?;
        let all = all
            .into_iter()
            .map(|(name, options)| (name, options.unwrap_or_default()));
        Ok(Self(all.collect()))
    }
}

/// What a section is told by.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// An option that it has.
    pub option: String,
    /// One of the values that it has.
    #[serde(default, alias = "values", skip_serializing_if = "Values::is_bare")]
    #[schemars(with = "Option<String>")]
    pub value: Values,
}

impl With {
    pub(super) fn condition(&self) -> Condition {
        Condition {
            option: self.option.clone().into_bytes(),
            values: self
                .value
                .iter()
                .map(|text| text.bytes().to_vec())
                .collect(),
        }
    }
}
