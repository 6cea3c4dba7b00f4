//! Typed readers of nodes: each says what it wanted where it finds something else.

use std::time::Duration;

use super::Reader;
use crate::{
    ast::{Flag, OrTemplate},
    diagnostic::Diagnostic,
    files::{Span, Spanned},
    yaml::{Kind, Node},
};

/// The entries of a map whose keys are texts.
#[derive(Debug, Default)]
pub(super) struct Fields<'n> {
    entries: Vec<(Spanned<&'n str>, &'n Node)>,
}

impl<'n> Fields<'n> {
    pub(super) fn get(&self, name: &str) -> Option<&'n Node> {
        self.entry(name).map(|(_, value)| value)
    }

    pub(super) fn entry(&self, name: &str) -> Option<(Spanned<&'n str>, &'n Node)> {
        self.entries
            .iter()
            .find(|(key, _)| key.value == name)
            .map(|(key, value)| (key.clone(), *value))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(Spanned<&'n str>, &'n Node)> {
        self.entries.iter()
    }

    pub(super) fn push(&mut self, key: Spanned<&'n str>, value: &'n Node) {
        self.entries.push((key, value));
    }
}

/// How long so many seconds are, as they are written.
pub(crate) fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.trim().replace('_', "").parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// Does a text hold a template?
pub(crate) fn is_template(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|open| text.contains(open))
}

/// A name for a variable, as Jinja can read it.
pub(crate) fn is_variable_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters
        .next()
        .is_some_and(|c| c.is_alphabetic() || c == '_')
        && letters.all(|c| c.is_alphanumeric() || c == '_')
        && !matches!(
            name,
            "true"
                | "false"
                | "none"
                | "True"
                | "False"
                | "None"
                | "not"
                | "in"
                | "is"
                | "and"
                | "or"
                | "if"
                | "else"
        )
}

/// What to write instead of a value of another type.
fn remedy(wanted: &str, node: &Node) -> Option<&'static str> {
    match (wanted, &node.kind) {
        ("a text", Kind::Map(_)) => Some("put quotes around a text that contains `: `"),
        ("a condition", Kind::Map(_)) => Some(
            "a condition is a text as `name == 'value'`: put quotes around one that contains `: `",
        ),
        ("a map" | "a map of texts", Kind::Str(_)) => Some("write `name: value` lines below it"),
        _ => None,
    }
}

impl Reader<'_> {
    /// Says that something else was wanted.
    pub(super) fn wrong_type(&mut self, name: &str, wanted: &str, node: &Node) {
        let found = match &node.kind {
            Kind::Null => "nothing is there".to_owned(),
            Kind::Seq(_) | Kind::Map(_) => format!("this is {}", node.kind_name()),
            _ => format!("this is `{}`", shorten(&node.text)),
        };
        let message = format!("`{name}` wants {wanted}: {found}");
        match remedy(wanted, node) {
            Some(help) => self.error_help("wrong_type", node.span, message, help),
            None => self.error("wrong_type", node.span, message),
        }
    }

    /// The fields of a map.
    pub(super) fn fields<'n>(&mut self, what: &str, node: &'n Node) -> Option<Fields<'n>> {
        let Some(entries) = node.as_map() else {
            self.wrong_type(what, "a map", node);
            return None;
        };
        let mut fields = Fields::default();
        for (key, value) in entries {
            // `on:` and `yes:` are texts to whoever wrote them.
            match key.kind {
                Kind::Str(_) | Kind::Bool(_) => {
                    fields.push(Spanned::new(key.text.as_str(), key.span), value);
                }
                _ => self.error(
                    "wrong_type",
                    key.span,
                    format!(
                        "a key of `{what}` must be a text: this is {}",
                        key.kind_name()
                    ),
                ),
            }
        }
        Some(fields)
    }

    /// Yes or no, in all of Ansible's spellings, or a template.
    pub(super) fn flag(&mut self, name: &str, node: &Node) -> Option<Flag> {
        let value = match &node.kind {
            Kind::Bool(value) => OrTemplate::Is(*value),
            Kind::Int(number @ (0 | 1)) => OrTemplate::Is(*number == 1),
            Kind::Str(text) if is_template(text) => OrTemplate::Template(text.clone()),
            Kind::Str(text) => match text.to_lowercase().as_str() {
                "yes" | "y" | "true" | "t" | "on" | "1" => OrTemplate::Is(true),
                "no" | "n" | "false" | "f" | "off" | "0" => OrTemplate::Is(false),
                _ => {
                    self.wrong_type(name, "`true` or `false`", node);
                    return None;
                }
            },
            _ => {
                self.wrong_type(name, "`true` or `false`", node);
                return None;
            }
        };
        Some(Spanned::new(value, node.span))
    }

    /// A text; other scalars as they are written.
    pub(super) fn text(&mut self, name: &str, node: &Node) -> Option<Spanned<String>> {
        match &node.kind {
            Kind::Null | Kind::Seq(_) | Kind::Map(_) => {
                self.wrong_type(name, "a text", node);
                None
            }
            _ => Some(Spanned::new(node.text.clone(), node.span)),
        }
    }

    /// One text, or a list of texts.
    pub(super) fn texts(&mut self, name: &str, node: &Node) -> Vec<Spanned<String>> {
        match &node.kind {
            Kind::Null => Vec::new(),
            Kind::Seq(items) => items
                .iter()
                .filter_map(|item| self.text(name, item))
                .collect(),
            _ => self.text(name, node).into_iter().collect(),
        }
    }

    /// Texts that may also be parted by commas.
    pub(super) fn comma_texts(&mut self, name: &str, node: &Node) -> Vec<Spanned<String>> {
        let split = |text: &Spanned<String>| {
            text.split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(|part| Spanned::new(part.to_owned(), text.span))
                .collect::<Vec<_>>()
        };
        self.texts(name, node).iter().flat_map(split).collect()
    }

    /// A whole number from 0 to `most`, or a template.
    pub(super) fn whole(
        &mut self,
        name: &str,
        most: u32,
        node: &Node,
    ) -> Option<Spanned<OrTemplate<u32>>> {
        let value = match &node.kind {
            Kind::Str(text) if is_template(text) => Some(OrTemplate::Template(text.clone())),
            Kind::Int(_) | Kind::Str(_) => node
                .text
                .trim()
                .parse()
                .ok()
                .filter(|number| *number <= most)
                .map(OrTemplate::Is),
            _ => None,
        };
        if value.is_none() {
            self.wrong_type(name, &format!("a whole number up to {most}"), node);
        }
        value.map(|value| Spanned::new(value, node.span))
    }

    /// A number of seconds that is not negative, or a template.
    pub(super) fn seconds(&mut self, name: &str, node: &Node) -> Option<Node> {
        let fits = match &node.kind {
            Kind::Str(text) if is_template(text) => true,
            Kind::Int(_) | Kind::Float(_) | Kind::Str(_) => seconds(&node.text).is_some(),
            _ => false,
        };
        if !fits {
            self.wrong_type(name, "a number of seconds, 0 or more", node);
        }
        fits.then(|| node.clone())
    }

    /// One expression, or a list of them.
    pub(super) fn expressions(&mut self, name: &str, node: &Node) -> Vec<Node> {
        let items = match &node.kind {
            Kind::Seq(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let mut found = Vec::new();
        for item in items {
            match &item.kind {
                Kind::Bool(_) => found.push(item.clone()),
                Kind::Str(text) if !text.trim().is_empty() => found.push(item.clone()),
                _ => self.wrong_type(name, "a condition", item),
            }
        }
        found
    }

    /// A name of a variable.
    pub(super) fn variable(&mut self, name: &str, node: &Node) -> Option<Spanned<String>> {
        let found = self.text(name, node)?;
        self.check_variable(&found.value, found.span);
        Some(found)
    }

    /// Is this a name that templates can read?
    pub(super) fn check_variable(&mut self, name: &str, span: Span) {
        if !is_variable_name(name) {
            let fixed: String = name
                .chars()
                .map(|c| if c.is_alphanumeric() { c } else { '_' })
                .collect();
            let error = Diagnostic::error(
                "bad_name",
                span,
                format!("`{}` cannot be the name of a variable", shorten(name)),
            );
            self.out.push(if is_variable_name(&fixed) {
                error.help(format!("letters, digits and `_` only: `{fixed}`"))
            } else {
                error.help("letters, digits and `_` only, no digit at the beginning")
            });
        }
    }
}

/// The beginning of a text, for messages.
pub(super) fn shorten(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() > 60 {
        format!("{}…", line.chars().take(60).collect::<String>())
    } else if line.len() < text.trim_end().len() {
        format!("{line}…")
    } else {
        line.to_owned()
    }
}
