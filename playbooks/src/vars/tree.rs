//! YAML whose texts may be templates.

use std::sync::Arc;

use evenkeel_engine::{Map, NotYet, Secret, Value};

use crate::{
    files::Span,
    template::{Fault, Template, Variables, is_template},
    vault::{self, Sealed},
    yaml::{Kind, Node},
};

/// What is said of a value that cannot be had since its text is wrong, which is an error of its own.
pub(crate) const WRONG: &str = "a text that is wrong";

/// What `omit` is: an argument with this value is as if it were not written.
pub const OMIT: &str = "__evenkeel_omitted_argument__";

/// A tree of values and templates.
#[derive(Debug)]
pub enum Tree {
    /// A value as it is.
    Is(Value),
    /// A text that has to be rendered.
    Text(Box<Template>),
    /// What has to be opened.
    Sealed(Arc<Sealed>, Span),
    /// What is secret once it is rendered.
    Hidden(Box<Self>),
    /// A list.
    Seq(Vec<Self>),
    /// A map; keys may be templates.
    Map(Vec<(Self, Self)>),
}

impl Tree {
    /// Compiles what is written; mistakes go to `faults`. Texts of a file that was encrypted are secrets.
    pub fn new(node: &Node, faults: &mut Vec<Fault>) -> Self {
        Self::compile(node, true, faults)
    }

    /// The same for words of a task: those of a file that was encrypted are no secrets.
    pub fn words(node: &Node, faults: &mut Vec<Fault>) -> Self {
        Self::compile(node, false, faults)
    }

    fn compile(node: &Node, hide: bool, faults: &mut Vec<Fault>) -> Self {
        if let Some(tag) = &node.tag {
            if tag.value.ends_with("unsafe") {
                return Self::Is(if hide { node.to_value() } else { plain(node) });
            }
        }
        match &node.kind {
            Kind::Str(text) if is_template(text) => {
                let text = Self::text(text, node.span, faults);
                if hide && node.secret {
                    Self::Hidden(Box::new(text))
                } else {
                    text
                }
            }
            Kind::Sealed(sealed) => Self::Sealed(Arc::clone(sealed), node.span),
            Kind::Seq(items) => {
                let items = items.iter();
                Self::Seq(
                    items
                        .map(|item| Self::compile(item, hide, faults))
                        .collect(),
                )
            }
            Kind::Map(entries) => Self::Map(
                entries
                    .iter()
                    .map(|(key, value)| {
                        (Self::key(key, faults), Self::compile(value, hide, faults))
                    })
                    .collect(),
            ),
            _ if hide => Self::Is(node.to_value()),
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
                // So that nothing that reads it is called wrong too.
                Self::Is(Value::NotYet(NotYet::new(WRONG)))
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
            Self::Sealed(sealed, at) => open(sealed, *at).map(Value::Secret),
            Self::Hidden(inner) => inner.render(variables).map(hidden),
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
            Self::Sealed(..) => Value::Secret(Secret::new("")),
            Self::Hidden(inner) => hidden(inner.source()),
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
            Self::Sealed(sealed, at) => {
                if let Err(fault) = open(sealed, *at) {
                    note(fault);
                }
            }
            Self::Hidden(inner) => inner.faults(variables, note),
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
            Self::Is(_) | Self::Sealed(..) => {}
            Self::Text(template) => visit(template),
            Self::Hidden(inner) => inner.templates(visit),
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

impl Tree {
    /// Every text in it that stands as it is, keys left out.
    pub(crate) fn texts(&self, visit: &mut dyn FnMut(&str)) {
        match self {
            Self::Is(Value::Str(text)) => visit(text),
            Self::Is(_) => {}
            Self::Seq(items) => items.iter().for_each(|item| item.texts(visit)),
            Self::Map(entries) => entries.iter().for_each(|(_, value)| value.texts(visit)),
            Self::Text(_) | Self::Sealed(..) | Self::Hidden(_) => {}
        }
    }
}

fn open(sealed: &Sealed, at: Span) -> Result<Secret, Fault> {
    sealed.open().map_err(|trouble| {
        Fault::new(vault::CODE, trouble.message)
            .help(trouble.help)
            .or_at(at)
    })
}

/// The same with each text in it a secret.
pub(crate) fn hidden(value: Value) -> Value {
    match value {
        Value::Str(text) if !text.is_empty() && text != OMIT => Value::Secret(Secret::new(text)),
        Value::Seq(items) => items.into_iter().map(hidden).collect(),
        Value::Map(map) => {
            let map = map.into_iter();
            Value::Map(map.map(|(key, value)| (key, hidden(value))).collect())
        }
        other => other,
    }
}

/// A node's value, with nothing rendered and nothing hidden.
pub fn plain(node: &Node) -> Value {
    match &node.kind {
        Kind::Null => Value::Null,
        Kind::Bool(value) => Value::Bool(*value),
        Kind::Int(value) => Value::Int(*value),
        Kind::UInt(value) => Value::UInt(*value),
        Kind::Float(value) => Value::Float(*value),
        Kind::Str(text) => Value::from(text.as_str()),
        Kind::Sealed(_) => Value::Secret(Secret::new("")),
        Kind::Secret(secret) => Value::Secret(secret.clone()),
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
