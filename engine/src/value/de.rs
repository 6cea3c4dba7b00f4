//! Trees to typed values.
//!
//! Lenient where playbooks are: `"yes"` is a boolean where one is asked for, `"8"` a number, `8` a
//! text. A leaf that is not known yet, where the type is not [`crate::Late`], is its own kind of error.

use std::{cell::RefCell, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned, IntoDeserializer as _, Visitor, value::StringDeserializer},
};

use serde_path_to_error::Segment;

use super::{Map, Value};
use crate::late::NotYet;

/// Why a tree is not of the type that was asked for.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BindError {
    /// A value that has to be known is not known yet.
    #[error(transparent)]
    NotYet(#[from] NotYet),
    /// The tree does not fit.
    #[error("{}{message}", if path.is_empty() { String::new() } else { format!("`{path}`: ") })]
    Wrong {
        /// Where in the tree, as `a.b[2]`; empty for the tree as a whole.
        path: String,
        /// What is wrong.
        message: String,
        /// The field that does not exist, and those that do, if that is what is wrong.
        unknown: Option<(String, Vec<String>)>,
    },
}

impl BindError {
    /// An error about the tree as a whole.
    pub fn message(message: impl fmt::Display) -> Self {
        Self::Wrong {
            path: String::new(),
            message: message.to_string(),
            unknown: None,
        }
    }

    fn at(self, at: String) -> Self {
        match self {
            Self::Wrong {
                path,
                message,
                unknown,
            } if path.is_empty() => Self::Wrong {
                path: at,
                message,
                unknown,
            },
            other => other,
        }
    }
}

impl de::Error for BindError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::message(message)
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let known: Vec<String> = expected.iter().map(|&name| name.to_owned()).collect();
        Self::Wrong {
            path: String::new(),
            message: format!("there is no argument `{field}`"),
            unknown: Some((field.to_owned(), known)),
        }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::message(format_args!("the argument `{field}` is missing"))
    }
}

impl serde::ser::Error for BindError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::message(message)
    }
}

/// A typed value of a tree; the error names the field as a path.
pub fn bind<T: DeserializeOwned>(value: &Value) -> Result<T, BindError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let not_yet = within(value, error.path()).and_then(Value::first_not_yet);
        match (error.into_inner(), not_yet) {
            // An argument that is read in a way of its own knows of no such values.
            (BindError::Wrong { unknown: None, .. }, Some(what)) => BindError::NotYet(what.clone()),
            (inner, _) if path == "." => inner,
            (inner, _) => inner.at(path),
        }
    })
}

/// What a path leads to, below the whole.
fn within<'a>(value: &'a Value, path: &serde_path_to_error::Path) -> Option<&'a Value> {
    let mut at = (value, false);
    for segment in path {
        let inner = match (segment, at.0) {
            (Segment::Seq { index }, Value::Seq(items)) => items.get(*index),
            (Segment::Map { key }, Value::Map(map)) => map.get(key),
            _ => None,
        };
        at = (inner?, true);
    }
    at.1.then_some(at.0)
}

/// The name under which [`Value`] asks our deserializer for the leaf itself.
const MARK: &str = "$evenkeel::value";

thread_local! {
    /// The value that our deserializer hands to `Value::deserialize` whole.
    static WHOLE: RefCell<Option<Value>> = const { RefCell::new(None) };
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(MARK, AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Value, D::Error> {
        inner.deserialize_any(self)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Value, D::Error> {
        Value::deserialize(inner)
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        // Our own deserializer leaves the whole value aside and visits nothing.
        Ok(WHOLE.with_borrow_mut(Option::take).unwrap_or(Value::Null))
    }
    fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::Seq(items))
    }
    fn visit_map<A: de::MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, value)) = access.next_entry()? {
            map.insert(key, value);
        }
        Ok(Value::Map(map))
    }
}

impl Value {
    fn unexpected(&self, wanted: &str) -> BindError {
        match self {
            Self::NotYet(what) => BindError::NotYet(what.clone()),
            other => BindError::message(format_args!("expected {wanted}, found {}", other.shown())),
        }
    }

    /// Kind and text, for messages.
    fn shown(&self) -> String {
        match self.as_text() {
            Some(text) if text.chars().count() <= 60 => format!("{} `{text}`", self.kind()),
            _ => self.kind().to_owned(),
        }
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "on" | "true" | "1" | "y" | "t" => Some(true),
        "no" | "off" | "false" | "0" | "n" | "f" => Some(false),
        _ => None,
    }
}

macro_rules! whole_numbers {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
            match self {
                Value::Int(number) => visitor.visit_i64(*number),
                Value::UInt(number) => visitor.visit_u64(*number),
                Value::Str(text) => match text.trim().parse::<i64>() {
                    Ok(number) => visitor.visit_i64(number),
                    Err(_) => Err(self.unexpected("a whole number")),
                },
                #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
                Value::Float(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
                    visitor.visit_i64(*number as i64)
                }
                _ => Err(self.unexpected("a whole number")),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for &'de Value {
    type Error = BindError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        match self {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Int(value) => visitor.visit_i64(*value),
            Value::UInt(value) => visitor.visit_u64(*value),
            Value::Float(value) => visitor.visit_f64(*value),
            Value::Str(value) => visitor.visit_borrowed_str(value),
            Value::Seq(items) => visitor.visit_seq(de::value::SeqDeserializer::new(items.iter())),
            Value::Map(map) => {
                let entries = map.iter().map(|(key, value)| (key.as_str(), value));
                visitor.visit_map(de::value::MapDeserializer::new(entries))
            }
            Value::Secret(_) | Value::Source(_) | Value::NotYet(_) => {
                Err(self.unexpected("a plain value"))
            }
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        let found = match self {
            Value::Bool(value) => Some(*value),
            Value::Int(0) => Some(false),
            Value::Int(1) => Some(true),
            Value::Str(text) => boolean(text),
            _ => None,
        };
        match found {
            Some(value) => visitor.visit_bool(value),
            None => Err(self.unexpected("a boolean")),
        }
    }

    whole_numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        match self {
            #[expect(
                clippy::cast_precision_loss,
                reason = "a number with a fraction was asked for"
            )]
            Value::Int(number) => visitor.visit_f64(*number as f64),
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Str(text) => match text.trim().parse() {
                Ok(number) => visitor.visit_f64(number),
                Err(_) => Err(self.unexpected("a number")),
            },
            _ => Err(self.unexpected("a number")),
        }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        match (self, self.as_text()) {
            (Value::Str(text), _) => visitor.visit_borrowed_str(text),
            (_, Some(text)) => visitor.visit_string(text),
            (Value::Secret(_), None) => Err(BindError::message(
                "a secret cannot stand here: the argument would be printed",
            )),
            _ => Err(self.unexpected("a text")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        match self {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        match self {
            Value::Null => visitor.visit_unit(),
            _ => Err(self.unexpected("nothing")),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, BindError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, BindError> {
        if name == MARK {
            WHOLE.with_borrow_mut(|slot| *slot = Some(self.clone()));
            return visitor.visit_unit();
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        match self {
            Value::Seq(_) => self.deserialize_any(visitor),
            _ => Err(self.unexpected("a list")),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, BindError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, BindError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        match self {
            Value::Map(_) => self.deserialize_any(visitor),
            _ => Err(self.unexpected("a map")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, BindError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, BindError> {
        match self {
            Value::Map(map) if map.len() == 1 => {
                let entries = map.iter().map(|(key, value)| (key.as_str(), value));
                visitor.visit_enum(de::value::MapAccessDeserializer::new(
                    de::value::MapDeserializer::new(entries),
                ))
            }
            _ => match self.as_text() {
                Some(text) if variants.contains(&text.as_str()) => {
                    let name: StringDeserializer<BindError> = text.into_deserializer();
                    visitor.visit_enum(name)
                }
                _ => Err(self.unexpected(&one_of(variants))),
            },
        }
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        visitor.visit_unit()
    }
}

fn one_of(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.join(""),
    }
}

impl<'de> de::IntoDeserializer<'de, BindError> for &'de Value {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}
