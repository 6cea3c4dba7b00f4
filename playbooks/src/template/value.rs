//! Our values as minijinja's, and back, without loss.

use std::sync::Arc;

use evenkeel_engine::{Map, NotYet, Secret, Value};
use indexmap::IndexMap;
use minijinja::{
    Error, ErrorKind,
    value::{DynObject, Enumerator, Object, ObjectRepr, Value as Jinja, ValueKind},
};

use super::{filters::dates, session};

/// A value inside a list or map of ours.
#[derive(Clone, Debug)]
pub(crate) enum Leaf {
    Plain(Jinja),
    Secret(Secret),
    NotYet(NotYet),
}

/// A map of ours. With `rest`, it may have keys that are not known yet.
#[derive(Debug)]
pub(crate) struct MapObject {
    entries: IndexMap<String, Leaf>,
    rest: Option<NotYet>,
}

/// A list of ours.
#[derive(Debug)]
pub(crate) struct ListObject(Vec<Leaf>);

impl Leaf {
    /// Of a value of ours.
    pub(crate) fn new(value: &Value) -> Self {
        Self::Plain(match value {
            Value::Null => Jinja::from(()),
            Value::Bool(value) => Jinja::from(*value),
            Value::Int(value) => Jinja::from(*value),
            Value::UInt(value) => Jinja::from(*value),
            Value::Float(value) => Jinja::from(*value),
            Value::Str(text) => Jinja::from(text.as_str()),
            Value::Source(source) => Jinja::from(source.name()),
            Value::Secret(secret) => return Self::Secret(secret.clone()),
            Value::NotYet(what) => return Self::NotYet(what.clone()),
            Value::Seq(items) => {
                Jinja::from_object(ListObject(items.iter().map(Self::new).collect()))
            }
            Value::Map(map) => Jinja::from_object(MapObject {
                entries: entries(map),
                rest: None,
            }),
        })
    }

    /// Of a map of which only some keys are known.
    pub(crate) fn open(map: &Map, rest: NotYet) -> Self {
        Self::Plain(Jinja::from_object(MapObject {
            entries: entries(map),
            rest: Some(rest),
        }))
    }

    /// Looked at, because it was asked for by name.
    pub(crate) fn touch(&self) -> Jinja {
        if let Self::Secret(secret) = self {
            session::used(secret);
        }
        self.value()
    }

    /// Looked at, because a walk came past.
    fn pass(&self) -> Jinja {
        if let Self::Secret(secret) = self {
            session::passed(secret);
        }
        self.value()
    }

    fn value(&self) -> Jinja {
        match self {
            Self::Plain(value) => value.clone(),
            Self::Secret(secret) => Jinja::from(String::from_utf8_lossy(secret.reveal()).as_ref()),
            Self::NotYet(what) => session::not_yet(what).into(),
        }
    }

    /// Back, untouched.
    fn keep(&self) -> Result<Value, Error> {
        match self {
            Self::Plain(value) => from_jinja(value),
            Self::Secret(secret) => Ok(Value::Secret(secret.clone())),
            Self::NotYet(what) => Ok(Value::NotYet(what.clone())),
        }
    }
}

fn entries(map: &Map) -> IndexMap<String, Leaf> {
    map.iter()
        .map(|(key, value)| (key.clone(), Leaf::new(value)))
        .collect()
}

impl Object for MapObject {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        match key.as_str() {
            Some(name) => self.get_value_by_str(name),
            None => self.get_value_by_str(&key.to_string()),
        }
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Jinja> {
        match (self.entries.get(key), &self.rest) {
            (Some(leaf), _) => Some(leaf.touch()),
            (None, Some(what)) => Some(session::not_yet(what).into()),
            (None, None) => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        if let Some(what) = &self.rest {
            session::not_yet(what);
        }
        let object = Arc::clone(self);
        Enumerator::KeyValueIter(Box::new((0..self.entries.len()).map(move |index| {
            object.entries.get_index(index).map_or_else(
                || (Jinja::UNDEFINED, Jinja::UNDEFINED),
                |(key, leaf)| (Jinja::from(key.as_str()), leaf.pass()),
            )
        })))
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        if let Some(what) = &self.rest {
            session::not_yet(what);
        }
        Some(self.entries.len())
    }
}

impl Object for ListObject {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        let index = i64::try_from(key.clone()).ok()?;
        let len = i64::try_from(self.0.len()).ok()?;
        let index = if index < 0 { len + index } else { index };
        Some(self.0.get(usize::try_from(index).ok()?)?.pass())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.0.len())
    }
}

/// Back to a value of ours. Lists and maps of ours come back as they were, untouched.
pub(crate) fn from_jinja(value: &Jinja) -> Result<Value, Error> {
    if let Some(map) = value.downcast_object_ref::<MapObject>() {
        if let Some(what) = &map.rest {
            return Ok(Value::NotYet(what.clone()));
        }
        let entries = map.entries.iter();
        return entries
            .map(|(key, leaf)| Ok((key.clone(), leaf.keep()?)))
            .collect::<Result<Map, Error>>()
            .map(Value::Map);
    }
    if let Some(list) = value.downcast_object_ref::<ListObject>() {
        return list.0.iter().map(Leaf::keep).collect();
    }
    match value.kind() {
        ValueKind::None => Ok(Value::Null),
        ValueKind::Bool => Ok(Value::Bool(value.is_true())),
        ValueKind::Number => number(value),
        ValueKind::String => Ok(Value::Str(value.as_str().unwrap_or_default().to_owned())),
        ValueKind::Bytes => Ok(Value::Str(value.to_string())),
        ValueKind::Seq | ValueKind::Iterable => {
            value.try_iter()?.map(|item| from_jinja(&item)).collect()
        }
        ValueKind::Map => from_map(value),
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        _ if dates::kind(value).is_some_and(|kind| kind != "timedelta") => {
            Ok(Value::Str(value.to_string()))
        }
        _ if dates::kind(value).is_some() => Err(Error::new(
            ErrorKind::InvalidOperation,
            "the result is what is between two dates: take `.days` or `.total_seconds()` of it",
        )),
        _ => Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("the result is {}, not a value", value.kind()),
        )),
    }
}

/// As [`from_jinja`], for filters that read the whole value: what is not known yet ends them.
pub(crate) fn read(value: &Jinja) -> Result<Value, Error> {
    let value = from_jinja(value)?;
    if let Some(what) = value.first_not_yet() {
        return Err(session::not_yet(what));
    }
    value.secrets().iter().for_each(session::passed);
    Ok(value)
}

/// A value of ours for minijinja; secrets in it are touched when they are looked at.
pub(crate) fn to_jinja(value: &Value) -> Jinja {
    Leaf::new(value).touch()
}

fn number(value: &Jinja) -> Result<Value, Error> {
    if !value.is_integer() {
        return Ok(Value::Float(f64::try_from(value.clone())?));
    }
    if let Ok(int) = i64::try_from(value.clone()) {
        return Ok(Value::Int(int));
    }
    u64::try_from(value.clone()).map(Value::UInt).map_err(|_| {
        Error::new(
            ErrorKind::InvalidOperation,
            format!("the number {value} is too large"),
        )
    })
}

fn from_map(value: &Jinja) -> Result<Value, Error> {
    let Some(object) = value.as_object() else {
        return Ok(Value::Map(Map::new()));
    };
    pairs(object)
        .map(|(key, value)| {
            let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
            Ok((key, from_jinja(&value)?))
        })
        .collect::<Result<Map, Error>>()
        .map(Value::Map)
}

fn pairs(object: &DynObject) -> impl Iterator<Item = (Jinja, Jinja)> {
    object.try_iter_pairs().into_iter().flatten()
}
