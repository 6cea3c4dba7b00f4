//! Typed values to trees.

use std::cell::RefCell;

use serde::{
    Serialize, Serializer,
    ser::{self, SerializeMap as _},
};

use super::{BindError, Map, Value};

/// The name under which a special leaf asks our serializer to take it from [`LEAF`].
const MARK: &str = "$evenkeel::leaf";

thread_local! {
    /// The leaf that is being serialized by [`leaf`] just now, if our own serializer is at work.
    static LEAF: RefCell<Option<Value>> = const { RefCell::new(None) };
}

/// Serializes a secret, a source or a not-yet: our serializer gets the leaf itself, every other one
/// what may be shown of it.
pub(crate) fn leaf<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
    LEAF.with_borrow_mut(|slot| *slot = Some(value.clone()));
    let result = serializer.serialize_newtype_struct(MARK, &value.to_json());
    LEAF.with_borrow_mut(|slot| *slot = None);
    result
}

pub(super) fn to_value<T: Serialize + ?Sized>(value: &T) -> Result<Value, BindError> {
    value.serialize(ToValue)
}

struct ToValue;

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::UInt(value) => serializer.serialize_u64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Str(value) => serializer.serialize_str(value),
            Self::Secret(_) | Self::Source(_) | Self::NotYet(_) => leaf(self, serializer),
            Self::Seq(items) => serializer.collect_seq(items),
            Self::Map(map) => {
                let mut out = serializer.serialize_map(Some(map.len()))?;
                for (key, value) in map {
                    out.serialize_entry(key, value)?;
                }
                out.end()
            }
        }
    }
}

impl Serializer for ToValue {
    type Ok = Value;
    type Error = BindError;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Tagged<Items>;
    type SerializeMap = Entries;
    type SerializeStruct = Entries;
    type SerializeStructVariant = Tagged<Entries>;

    fn serialize_bool(self, value: bool) -> Result<Value, BindError> {
        Ok(Value::Bool(value))
    }
    fn serialize_i8(self, value: i8) -> Result<Value, BindError> {
        Ok(Value::Int(value.into()))
    }
    fn serialize_i16(self, value: i16) -> Result<Value, BindError> {
        Ok(Value::Int(value.into()))
    }
    fn serialize_i32(self, value: i32) -> Result<Value, BindError> {
        Ok(Value::Int(value.into()))
    }
    fn serialize_i64(self, value: i64) -> Result<Value, BindError> {
        Ok(Value::Int(value))
    }
    fn serialize_u8(self, value: u8) -> Result<Value, BindError> {
        Ok(Value::Int(value.into()))
    }
    fn serialize_u16(self, value: u16) -> Result<Value, BindError> {
        Ok(Value::Int(value.into()))
    }
    fn serialize_u32(self, value: u32) -> Result<Value, BindError> {
        Ok(Value::Int(value.into()))
    }
    fn serialize_u64(self, value: u64) -> Result<Value, BindError> {
        Ok(value.into())
    }
    fn serialize_f32(self, value: f32) -> Result<Value, BindError> {
        Ok(Value::Float(value.into()))
    }
    fn serialize_f64(self, value: f64) -> Result<Value, BindError> {
        Ok(Value::Float(value))
    }
    fn serialize_char(self, value: char) -> Result<Value, BindError> {
        Ok(Value::Str(value.into()))
    }
    fn serialize_str(self, value: &str) -> Result<Value, BindError> {
        Ok(Value::Str(value.to_owned()))
    }
    fn serialize_bytes(self, value: &[u8]) -> Result<Value, BindError> {
        Ok(value
            .iter()
            .map(|byte| Value::Int((*byte).into()))
            .collect())
    }
    fn serialize_none(self) -> Result<Value, BindError> {
        Ok(Value::Null)
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, BindError> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<Value, BindError> {
        Ok(Value::Null)
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, BindError> {
        Ok(Value::Null)
    }
    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Value, BindError> {
        Ok(variant.into())
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Value, BindError> {
        match LEAF.with_borrow_mut(Option::take) {
            Some(leaf) if name == MARK => Ok(leaf),
            _ => value.serialize(self),
        }
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Value, BindError> {
        Ok(Value::Map(Map::from_iter([(
            variant.to_owned(),
            to_value(value)?,
        )])))
    }
    fn serialize_seq(self, len: Option<usize>) -> Result<Items, BindError> {
        Ok(Items(Vec::with_capacity(len.unwrap_or(0))))
    }
    fn serialize_tuple(self, len: usize) -> Result<Items, BindError> {
        self.serialize_seq(Some(len))
    }
    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Items, BindError> {
        self.serialize_seq(Some(len))
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Tagged<Items>, BindError> {
        Ok(Tagged(variant, self.serialize_seq(Some(len))?))
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Entries, BindError> {
        Ok(Entries::default())
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Entries, BindError> {
        Ok(Entries::default())
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Tagged<Entries>, BindError> {
        Ok(Tagged(variant, Entries::default()))
    }
}

pub(super) struct Items(Vec<Value>);

#[derive(Default)]
pub(super) struct Entries {
    map: Map,
    key: Option<String>,
}

pub(super) struct Tagged<T>(&'static str, T);

impl ser::SerializeSeq for Items {
    type Ok = Value;
    type Error = BindError;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), BindError> {
        self.0.push(to_value(value)?);
        Ok(())
    }
    fn end(self) -> Result<Value, BindError> {
        Ok(Value::Seq(self.0))
    }
}

impl ser::SerializeTuple for Items {
    type Ok = Value;
    type Error = BindError;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), BindError> {
        ser::SerializeSeq::serialize_element(self, value)
    }
    fn end(self) -> Result<Value, BindError> {
        ser::SerializeSeq::end(self)
    }
}

impl ser::SerializeTupleStruct for Items {
    type Ok = Value;
    type Error = BindError;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), BindError> {
        ser::SerializeSeq::serialize_element(self, value)
    }
    fn end(self) -> Result<Value, BindError> {
        ser::SerializeSeq::end(self)
    }
}

impl ser::SerializeTupleVariant for Tagged<Items> {
    type Ok = Value;
    type Error = BindError;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), BindError> {
        ser::SerializeSeq::serialize_element(&mut self.1, value)
    }
    fn end(self) -> Result<Value, BindError> {
        Ok(Value::Map(Map::from_iter([(
            self.0.to_owned(),
            Value::Seq(self.1.0),
        )])))
    }
}

impl ser::SerializeMap for Entries {
    type Ok = Value;
    type Error = BindError;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), BindError> {
        let key = to_value(key)?;
        self.key = Some(
            key.as_text()
                .ok_or_else(|| BindError::message("a key must be a text"))?,
        );
        Ok(())
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), BindError> {
        let key = self.key.take().unwrap_or_default();
        self.map.insert(key, to_value(value)?);
        Ok(())
    }
    fn end(self) -> Result<Value, BindError> {
        Ok(Value::Map(self.map))
    }
}

impl ser::SerializeStruct for Entries {
    type Ok = Value;
    type Error = BindError;
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), BindError> {
        let value = to_value(value)?;
        if value != Value::Null {
            self.map.insert(key.to_owned(), value);
        }
        Ok(())
    }
    fn end(self) -> Result<Value, BindError> {
        Ok(Value::Map(self.map))
    }
}

impl ser::SerializeStructVariant for Tagged<Entries> {
    type Ok = Value;
    type Error = BindError;
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), BindError> {
        ser::SerializeStruct::serialize_field(&mut self.1, key, value)
    }
    fn end(self) -> Result<Value, BindError> {
        Ok(Value::Map(Map::from_iter([(
            self.0.to_owned(),
            Value::Map(self.1.map),
        )])))
    }
}
