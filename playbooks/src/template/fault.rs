//! Why an expression has no value, and where that is written.

use std::sync::Arc;

use evenkeel_engine::{Refusal, Stop, Value};
use evenkeel_modules::setup;
use minijinja::{Error, ErrorKind};

use super::{Use, Uses, Variable, Variables, is_template, syntax};
use crate::{
    diagnostic::Diagnostic,
    files::{FileId, Files, Span},
    words::closest,
};

/// A mistake in a template or expression, or in what it was given.
#[derive(Clone, Debug)]
pub struct Fault(Box<Parts>);

/// The code of what is allowed, but most likely not meant.
pub const DOUBT: &str = "doubtful";

/// What is in a [`Fault`].
#[derive(Clone, Debug)]
pub struct Parts {
    /// Stable, for machines.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Whether a failure at this place is counted on: it is told, and refuses nothing.
    foreseen: bool,
    /// The scalar.
    pub span: Option<Span>,
    /// The scalar's text, and the byte in it that is meant.
    text: Option<Arc<str>>,
    offset: Option<usize>,
    /// A line of another file than the scalar's (a template, or what it includes).
    elsewhere: Option<(FileId, usize)>,
}

impl std::ops::Deref for Fault {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl std::ops::DerefMut for Fault {
    fn deref_mut(&mut self) -> &mut Parts {
        &mut self.0
    }
}

impl Fault {
    /// A mistake whose place is not known yet.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            code,
            message: message.into(),
            help: None,
            foreseen: false,
            span: None,
            text: None,
            offset: None,
            elsewhere: None,
        }))
    }

    /// A mistake in a file, with its place there.
    pub(crate) fn of(found: &Diagnostic) -> Self {
        let fault = Self::new(found.code, found.message.clone());
        let fault = found.help.iter().cloned().fold(fault, Self::help);
        found.at.into_iter().fold(fault, Self::or_at)
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Where somebody counts on the task's failure.
    #[must_use]
    pub fn foreseen(mut self) -> Self {
        self.foreseen = true;
        self
    }

    /// At a byte of a scalar.
    #[must_use]
    pub fn at(mut self, span: Span, text: &str, offset: usize) -> Self {
        self.offset = Some(offset);
        self.at_text(span, text)
    }

    /// At a span, if no other place is known.
    #[must_use]
    pub fn or_at(mut self, span: Span) -> Self {
        self.span.get_or_insert(span);
        self
    }

    pub(super) fn at_text(mut self, span: Span, text: &str) -> Self {
        if self.span.is_none() {
            self.span = Some(span);
            self.text = Some(text.into());
        }
        self
    }

    /// At the same place of a text that was written anew: `place` maps its bytes to those of the text before.
    pub(super) fn in_text(
        mut self,
        span: Span,
        text: &str,
        place: impl FnOnce(usize) -> usize,
    ) -> Self {
        if self.span == Some(span) {
            self.offset = self.offset.map(place);
            self.text = Some(text.into());
        }
        self
    }

    pub(super) fn moved(mut self, place: impl FnOnce(usize) -> usize) -> Self {
        if self.span.is_none() {
            let offset = self.offset.map(place);
            self.offset = offset;
        }
        self
    }

    /// A mistake of syntax; `place` maps a byte of what was compiled to one of `text`.
    pub(super) fn syntax(
        error: &Error,
        text: &str,
        span: Span,
        place: impl FnOnce(usize) -> usize,
    ) -> Self {
        let detail = error
            .detail()
            .map_or_else(|| error.kind().to_string(), str::to_owned);
        let at = error
            .range()
            .map(|range| place(range.start).min(text.len()));
        let found = at.map(|at| syntax::explain(text, &detail, at));
        let (at, message, help) = match found {
            Some(found) => (Some(found.at), found.message, found.help),
            None => (None, None, None),
        };
        let message = message.unwrap_or(detail);
        let fault = Self::new("template_syntax", format!("not valid Jinja: {message}"));
        let fault = help.into_iter().fold(fault, Self::help);
        match at {
            Some(at) => fault.at(span, text, at),
            None => fault.at_text(span, text),
        }
    }

    /// A mistake that showed when `source` was evaluated.
    pub(super) fn from_jinja(error: &Error, source: &str, variables: &dyn Variables) -> Self {
        let inner = innermost(error);
        let mut range = inner.range();
        let mut part = range.as_mut().and_then(|range| named(source, range));
        let mut near = None;
        // What is called was given something undefined, as a method of one of the template's own.
        let called = range
            .as_ref()
            .is_some_and(|range| is_called(source, range.start))
            || part.is_some_and(|part| is_own(source, part));
        if inner.kind() == ErrorKind::UndefinedError && (called || !part.is_some_and(is_path)) {
            // An undefined result is nobody's instruction: the names in it are asked.
            let missing = Missing::find(source, variables);
            let start = source.len() - source.trim_start().len();
            range = Some(missing.as_ref().map_or(start..source.len(), |missing| {
                missing.at..missing.at + missing.path.len()
            }));
            let whole = part.unwrap_or(source).trim().to_owned();
            near = Some(missing.unwrap_or(Missing {
                path: whole,
                ..Missing::default()
            }));
            part = None;
        }
        let mut fault = match inner.kind() {
            ErrorKind::UndefinedError => match near {
                Some(missing) => missing.fault(variables),
                None => undefined(part, variables),
            },
            ErrorKind::OutOfFuel => Self::new(
                "template_too_long",
                "the template does not come to an end in reasonable time",
            )
            .help("look for a loop over very many items"),
            ErrorKind::TemplateNotFound => Self::new(
                "no_such_file",
                inner
                    .detail()
                    .unwrap_or("there is no such template")
                    .to_owned(),
            ),
            kind => Self::new(
                "template_failed",
                inner
                    .detail()
                    .map_or_else(|| kind.to_string(), str::to_owned),
            ),
        };
        fault.offset = range.map(|range| range.start);
        fault
    }

    pub(super) fn in_file(mut self, file: FileId, line: usize) -> Self {
        self.elsewhere = Some((file, line));
        self
    }

    /// The exact place, if the text can be found again at the span.
    fn place(&self, files: &Files) -> Option<Span> {
        let span = self.span?;
        let (Some(text), Some(offset)) = (&self.text, self.offset) else {
            return Some(span);
        };
        let Some(byte) = locate(files.slice(span), text, offset) else {
            return Some(span);
        };
        let start = span.start + u32::try_from(byte).ok()?;
        // The name that is meant; what is no name, to the end.
        let of_name = |c: char| c.is_alphanumeric() || "_.".contains(c);
        let rest = text.get(offset..).unwrap_or_default();
        let name = rest.find(|c| !of_name(c)).unwrap_or(rest.len());
        let end = match u32::try_from(name).ok()? {
            0 => span.end.max(start),
            name => start + name,
        };
        Some(Span { start, end, ..span })
    }

    /// For the list of all mistakes.
    pub fn diagnostic(&self, files: &Files) -> Diagnostic {
        // A place in files that are not at hand is none.
        let at = match &self.elsewhere {
            Some((file, _)) if !files.knows(*file) => None,
            Some((file, line)) => line_of(files, *file, *line),
            None if self.span.is_some_and(|span| !files.knows(span.file)) => None,
            None => self.place(files),
        };
        let mut diagnostic = match at {
            Some(at) => Diagnostic::error(self.code, at, self.message.clone()),
            None => Diagnostic::nowhere(self.code, self.message.clone()),
        };
        diagnostic.help.clone_from(&self.help);
        if self.code == DOUBT || self.foreseen {
            diagnostic = diagnostic.warning();
        }
        diagnostic
    }

    /// For a task that fails with it.
    pub fn stop(&self, files: &Files) -> Stop {
        let place = self.diagnostic(files).at.map(|at| files.place(at));
        let message = match place {
            Some(place) => format!("{} ({place})", self.message),
            None => self.message.clone(),
        };
        let refusal = Refusal::new(message);
        Stop::Refused(match &self.help {
            Some(help) => refusal.help(help),
            None => refusal,
        })
    }
}

/// What is meant by a range of the source. minijinja points at the key that was asked of something
/// undefined: what stands before it is meant.
fn named<'a>(source: &'a str, range: &mut std::ops::Range<usize>) -> Option<&'a str> {
    let part = source.get(range.clone())?;
    if !part.starts_with(['.', '[']) {
        return Some(part.trim());
    }
    let belongs = |c: char| c.is_alphanumeric() || "_.[]'\"".contains(c);
    let before = source[..range.start].trim_end_matches(belongs);
    range.start = before.len();
    let chain = &source[range.clone()];
    let end = chain.rfind(['.', '[']).unwrap_or(chain.len());
    Some(chain[..end].trim())
}

/// Whether a text is but a name with keys.
fn is_path(part: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || "_.[]'\"".contains(c);
    !part.is_empty() && part.chars().all(fits)
}

/// Whether what stands at a byte is the name of a filter or of a test.
fn is_called(source: &str, at: usize) -> bool {
    let before = source.get(..at).unwrap_or_default().trim_end();
    let word = before.rsplit(|c: char| !c.is_alphanumeric() && c != '_');
    before.ends_with('|') || word.take(1).any(|word| matches!(word, "is" | "not"))
}

/// Whether a path begins with a name that the template gives itself.
fn is_own(source: &str, path: &str) -> bool {
    let name = path.split(['.', '[']).next().unwrap_or_default();
    is_template(source) && Uses::of_template(source).guarded.contains(name)
}

/// What is not there.
#[derive(Default)]
struct Missing {
    /// The name with its keys, up to the one that is not there.
    path: String,
    /// The byte at which it begins.
    at: usize,
    /// A key that is there and looks alike, in the same form.
    near: Option<String>,
}

impl Missing {
    /// The first name of an expression or template that is undefined, or that has not the keys
    /// that are asked of it.
    fn find(source: &str, variables: &dyn Variables) -> Option<Self> {
        let uses = if is_template(source) {
            Uses::of_template(source)
        } else {
            Uses::of_expression(source, 0..source.len())
        };
        let mut names = uses.names().filter(|used| {
            let guarded = uses.guarded.contains(&used.name);
            !guarded && used.test.as_deref().is_none_or(|test| test != "defined")
        });
        names.find_map(|used| Self::of(used, variables))
    }

    fn of(used: &Use, variables: &dyn Variables) -> Option<Self> {
        let mut path = used.name.clone();
        let Some(mut at) = variables.get(&used.name).ok()? else {
            return Some(Self {
                path,
                at: used.at,
                near: None,
            });
        };
        for key in &used.path {
            let (inner, keys) = match &at {
                Variable::Value(Value::Map(map)) => {
                    let inner = map.get(key).cloned().map(Variable::Value);
                    (inner, map.keys().cloned().collect())
                }
                Variable::Lazy(entries) => (entries.get(key).ok()?, entries.keys()),
                Variable::Value(_) | Variable::Open(..) => return None,
            };
            let before = path.clone();
            path = format!("{path}.{key}");
            let Some(inner) = inner else {
                let method = matches!(key.as_str(), "items" | "keys" | "values" | "get");
                let near = closest(key, keys.iter().map(String::as_str));
                return (!method).then(|| Self {
                    path,
                    at: used.at,
                    near: near.map(|near| format!("{before}.{near}")),
                });
            };
            at = inner;
        }
        None
    }

    fn fault(self, variables: &dyn Variables) -> Fault {
        let fault = undefined(Some(&self.path), variables);
        match self.near {
            Some(near) => fault.help(format!("did you mean `{near}`?")),
            None => fault,
        }
    }
}

fn undefined(part: Option<&str>, variables: &dyn Variables) -> Fault {
    let Some(part) = part.filter(|part| !part.is_empty()) else {
        return Fault::new("undefined_variable", "a variable is undefined");
    };
    if let Some(fault) = fact(part) {
        return fault;
    }
    let fault = Fault::new("undefined_variable", format!("`{part}` is undefined"));
    let names = variables.names();
    let near = if part.contains(['.', '[']) {
        near_fact(part, "ansible_facts.")
    } else {
        let near = closest(part, names.iter().map(String::as_str)).map(str::to_owned);
        near.or_else(|| near_fact(part, "ansible_"))
    };
    match near {
        Some(name) => fault.help(format!("did you mean `{name}`?")),
        None if is_path(part) => fault.help(format!(
            "define it, or say what to do without it, as in `{part} | default('')`"
        )),
        None => fault.help(format!(
            "define it, or say what to do without it, as in `({part}) | default('')`"
        )),
    }
}

/// A fact whose name looks alike, with what stands before it.
fn near_fact(part: &str, before: &str) -> Option<String> {
    let name = part.strip_prefix(before)?;
    let near = closest(name, setup::names())?;
    Some(format!("{before}{near}"))
}

/// A fact that is not there has a message of its own: nobody forgot to define it.
fn fact(part: &str) -> Option<Fault> {
    let mut keys = part
        .split(['.', '[', ']', '"', '\''])
        .filter(|key| !key.is_empty());
    let name = keys.next()?;
    let bare = match name.strip_prefix("ansible_")? {
        "facts" => keys.next()?,
        bare => bare,
    };
    let default = format!("give it a default, as in `{part} | default('')`");
    if setup::not_gathered(bare) {
        let fault = Fault::new(
            "facts_later",
            format!("`{part}` is not there: the fact `{bare}` is not gathered in this version"),
        );
        return Some(fault.help(format!(
            "set it in the inventory or under `vars:`, or {default}"
        )));
    }
    if !setup::is_fact(bare) {
        return None;
    }
    let fault = Fault::new(
        "undefined_variable",
        format!(
            "`{part}` is undefined: no play gathered this fact of the host, or the host has none"
        ),
    );
    Some(fault.help(format!(
        "look for `gather_facts: false` on the play, or {default}"
    )))
}

/// The error that all others are about.
pub(super) fn innermost(error: &Error) -> &Error {
    let mut at = error;
    while let Some(inner) =
        std::error::Error::source(at).and_then(|source| source.downcast_ref::<Error>())
    {
        at = inner;
    }
    at
}

/// Where a byte of a scalar's value stands in the scalar as it is written.
fn locate(slice: &str, text: &str, offset: usize) -> Option<usize> {
    if let Some(at) = slice.find(text) {
        return Some(at + offset);
    }
    let before = text.get(..offset)?;
    let number = before.matches('\n').count();
    let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
    let wanted = text.lines().nth(number)?;
    // A block scalar: the first line is its header.
    let mut start = 0;
    for (index, line) in slice.split_inclusive('\n').enumerate() {
        if index == number + 1 {
            return line.find(wanted).map(|indent| start + indent + column);
        }
        start += line.len();
    }
    None
}

fn line_of(files: &Files, file: FileId, line: usize) -> Option<Span> {
    let start: usize = files
        .text(file)
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let start = u32::try_from(start).ok()?;
    Some(Span {
        file,
        start,
        end: start,
    })
}
