//! YAML whose texts may be templates.

use std::sync::Arc;

use evenkeel_engine::{Map, Value};

use crate::{
    files::Span,
    template::{Fault, Template, Variables, is_template},
    yaml::{Kind, Node},
};

/// What `omit` is: an argument with this value is as if it were not written.
pub const OMIT: &str = "__evenkeel_omitted_argument__";

/// A tree of values and templates.
#[derive(Debug)]
pub enum Tree {
    /// A value as it is.
    Is(Value),
    /// A text that has to be rendered.
    Text(Box<Template>),
    /// A list.
    Seq(Vec<Self>),
    /// A map; keys may be templates.
    Map(Vec<(Self, Self)>),
}

impl Tree {
    /// Compiles what is written; mistakes go to `faults`.
    pub fn new(node: &Node, faults: &mut Vec<Fault>) -> Self {
        if let Some(tag) = &node.tag {
            if tag.value.ends_with("unsafe") {
                return Self::Is(plain(node));
            }
        }
        match &node.kind {
            Kind::Str(text) if is_template(text) => Self::text(text, node.span, faults),
            Kind::Seq(items) => {
                Self::Seq(items.iter().map(|item| Self::new(item, faults)).collect())
            }
            Kind::Map(entries) => Self::Map(
                entries
                    .iter()
                    .map(|(key, value)| (Self::key(key, faults), Self::new(value, faults)))
                    .collect(),
            ),
            _ => Self::Is(plain(node)),
        }
    }

    /// A text that may be a template.
    pub fn text(text: &str, span: Span, faults: &mut Vec<Fault>) -> Self {
        if !is_template(text) {
            return Self::Is(Value::from(text));
        }
        match Template::text(text, span) {
            Ok(template) => Self::Text(Box::new(template)),
            Err(found) => {
                faults.extend(found);
                Self::Is(Value::Null)
            }
        }
    }

    /// Of a value whose texts may be templates.
    pub fn of_value(value: &Value, at: Option<Span>, faults: &mut Vec<Fault>) -> Self {
        match (value, at) {
            (Value::Str(text), Some(at)) => Self::text(text, at, faults),
            (Value::Seq(items), _) => Self::Seq(
                items
                    .iter()
                    .map(|item| Self::of_value(item, at, faults))
                    .collect(),
            ),
            (Value::Map(map), _) => Self::Map(
                map.iter()
                    .map(|(key, value)| {
                        (
                            Self::Is(key.as_str().into()),
                            Self::of_value(value, at, faults),
                        )
                    })
                    .collect(),
            ),
            (other, _) => Self::Is(other.clone()),
        }
    }

    fn key(node: &Node, faults: &mut Vec<Fault>) -> Self {
        match &node.kind {
            Kind::Str(text) => Self::text(text, node.span, faults),
            _ => Self::Is(Value::from(plain(node).as_text().unwrap_or_default())),
        }
    }

    /// The value with these variables; leaves may be not known yet.
    pub fn render(&self, variables: &Arc<dyn Variables>) -> Result<Value, Fault> {
        match self {
            Self::Is(value) => Ok(value.clone()),
            Self::Text(template) => template.evaluate(variables),
            Self::Seq(items) => items.iter().map(|item| item.render(variables)).collect(),
            Self::Map(entries) => {
                let mut map = Map::new();
                for (key, value) in entries {
                    let key = match key.render(variables)? {
                        Value::NotYet(what) => return Ok(Value::NotYet(what)),
                        key => key.as_text().ok_or_else(|| {
                            Fault::new("not_a_name", format!("a key of a map is {}", key.kind()))
                        })?,
                    };
                    map.insert(key, value.render(variables)?);
                }
                Ok(Value::Map(map))
            }
        }
    }

    /// As it is written, with nothing rendered.
    pub fn source(&self) -> Value {
        match self {
            Self::Is(value) => value.clone(),
            Self::Text(template) => template.source().into(),
            Self::Seq(items) => items.iter().map(Self::source).collect(),
            Self::Map(entries) => {
                let text = |key: &Self| key.source().as_text().unwrap_or_default();
                let entries = entries.iter();
                Value::Map(
                    entries
                        .map(|(key, value)| (text(key), value.source()))
                        .collect(),
                )
            }
        }
    }

    /// Calls for each mistake that rendering finds.
    pub fn faults(&self, variables: &Arc<dyn Variables>, note: &mut dyn FnMut(Fault)) {
        match self {
            Self::Is(_) => {}
            Self::Text(template) => {
                if let Err(fault) = template.evaluate(variables) {
                    note(fault);
                }
            }
            Self::Seq(items) => items.iter().for_each(|item| item.faults(variables, note)),
            Self::Map(entries) => {
                for (key, value) in entries {
                    key.faults(variables, note);
                    value.faults(variables, note);
                }
            }
        }
    }

    /// Calls for each template in it.
    pub fn templates<'a>(&'a self, visit: &mut dyn FnMut(&'a Template)) {
        match self {
            Self::Is(_) => {}
            Self::Text(template) => visit(template),
            Self::Seq(items) => items.iter().for_each(|item| item.templates(visit)),
            Self::Map(entries) => {
                for (key, value) in entries {
                    key.templates(visit);
                    value.templates(visit);
                }
            }
        }
    }
}

/// A node's value, with nothing rendered.
pub fn plain(node: &Node) -> Value {
    match &node.kind {
        Kind::Null => Value::Null,
        Kind::Bool(value) => Value::Bool(*value),
        Kind::Int(value) => Value::Int(*value),
        Kind::UInt(value) => Value::UInt(*value),
        Kind::Float(value) => Value::Float(*value),
        Kind::Str(text) => Value::from(text.as_str()),
        Kind::Seq(items) => items.iter().map(plain).collect(),
        Kind::Map(entries) => Value::Map(
            entries
                .iter()
                .map(|(key, value)| (plain(key).as_text().unwrap_or_default(), plain(value)))
                .collect(),
        ),
    }
}

/// A value without the parts that are `omit`; `None` if it is `omit` itself.
pub fn without_omitted(value: Value) -> Option<Value> {
    match value {
        Value::Str(text) if text == OMIT => None,
        Value::Seq(items) => Some(items.into_iter().filter_map(without_omitted).collect()),
        Value::Map(map) => Some(Value::Map(
            map.into_iter()
                .filter_map(|(key, value)| Some((key, without_omitted(value)?)))
                .collect(),
        )),
        other => Some(other),
    }
}
