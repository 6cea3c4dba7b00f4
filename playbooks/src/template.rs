//! Jinja: texts and expressions, compiled when they are read, evaluated when they are needed.
//!
//! Results are values of ours: a list stays a list. What reads a value that is not known yet is not
//! known yet itself, and a text made with a secret is a secret.

mod about;
mod compiled;
mod crypt;
mod dump;
mod ending;
mod environment;
mod fault;
mod file;
mod filters;
mod growing;
pub(crate) mod lookups;
mod methods;
mod predicates;
mod random;
mod result;
mod rewrite;
pub(crate) mod runs;
mod scan;
mod session;
mod syntax;
mod told;
mod uses;
mod value;

use std::{fmt, sync::Arc};

use evenkeel_engine::{NotYet, Value};
use minijinja::{Expression, value::Value as Jinja};

use crate::{files::Span, vault::Keyring};

pub(crate) use about::about;
pub use fault::{DOUBT, Fault};
pub use file::{Marks, Reading, TemplateFile};
pub(crate) use filters::dict_to_items;
pub use uses::{Use, UseKind, Uses};

pub(crate) use environment::is_function;
use environment::{JINJA, Root};
use rewrite::{Backslash, Rewritten};
use scan::Region;

/// What a name in an expression can mean.
pub trait Variables: Send + Sync {
    /// The value of a variable; `None` if there is none of this name.
    fn get(&self, name: &str) -> Result<Option<Variable>, Fault>;
    /// All names, for suggestions.
    fn names(&self) -> Vec<String>;
    /// Why there may be more names than those.
    fn more_names(&self) -> Option<NotYet> {
        None
    }
    /// Whether all that a template is made of was written by people: then a text that it gives may be a condition. What a
    /// host said is never evaluated.
    fn is_of_people(&self, _: &Template) -> bool {
        false
    }
    /// The folders in which `lookup('file', …)` looks.
    fn folders(&self) -> Vec<std::path::PathBuf> {
        Vec::new()
    }
    /// The passwords with which it opens those that are encrypted.
    fn keys(&self) -> Arc<Keyring> {
        Arc::default()
    }
}

/// A variable's value.
#[derive(Clone, Debug)]
pub enum Variable {
    /// A value; leaves may be not known yet.
    Value(Value),
    /// A map that may have more keys than are known yet.
    Open(evenkeel_engine::Map, NotYet),
    /// A map whose values are made when they are looked at.
    Lazy(Arc<dyn Entries>),
}

/// A map whose values are made when they are looked at.
pub trait Entries: fmt::Debug + Send + Sync {
    /// The value of a key; `None` if there is none.
    fn get(&self, key: &str) -> Result<Option<Variable>, Fault>;
    /// All keys that have a value.
    fn keys(&self) -> Vec<String>;
}

/// A text that may have `{{ }}` and `{% %}` in it, or a bare expression.
pub struct Template {
    text: Arc<str>,
    span: Span,
    form: Form,
    uses: Uses,
    /// How many newlines its result ends with at least.
    newlines: usize,
    /// Whether it is an expression that is written in braces though it need not.
    braced: bool,
}

enum Form {
    /// One expression: its result is a value.
    Value(Expr),
    /// Texts and expressions: the result is a text.
    Parts(Vec<Part>),
    /// A text with statements in it, rewritten; and when a value that it prints is its result.
    Blocks(Rewritten, Alone),
}

/// When a value that a text prints is its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alone {
    /// If it is the only one.
    Only,
    /// If it is the last one: others may have been printed to the inside of a macro, or into a variable.
    Last,
    /// Never: one may have been printed there, and a text after it.
    Never,
}

enum Part {
    Text(String),
    Expr(Expr),
}

struct Expr {
    compiled: Arc<Expression<'static, 'static>>,
    rewritten: Rewritten,
    /// Where the expression begins in the text.
    base: usize,
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Template({:?})", self.text)
    }
}

/// Whether a text has to be rendered.
pub fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%") || text.contains("{#")
}

impl Template {
    /// Compiles a text. The span is that of the scalar it came from.
    pub fn text(text: &str, span: Span) -> Result<Self, Vec<Fault>> {
        let uses = Uses::of_template(text);
        let form = match &scan::regions(ending::without(text))[..] {
            [Region::Expr(range)] if scan::is_closed(text, range) => {
                Form::Value(Expr::new(text, range.clone(), span, Backslash::Stays)?)
            }
            regions if simple(text, regions) => Form::Parts(
                regions
                    .iter()
                    .map(|region| match region {
                        Region::Expr(range) => {
                            Expr::new(text, range.clone(), span, Backslash::Stays).map(Part::Expr)
                        }
                        Region::Text(range) | Region::Block(range) | Region::Comment(range) => {
                            Ok(Part::Text(text[range.clone()].to_owned()))
                        }
                    })
                    .collect::<Result<_, _>>()?,
            ),
            _ => {
                let rewritten = Rewritten::template(text, Backslash::Stays);
                JINJA.template_from_str(&rewritten.text).map_err(|error| {
                    vec![Fault::syntax(&error, text, span, |at| rewritten.old(at))]
                })?;
                let alone = Alone::of(text, &scan::regions(ending::without(text)));
                Form::Blocks(rewritten, alone)
            }
        };
        let newlines = ending::newlines(text);
        Ok(Self {
            newlines,
            ..Self::checked(text, span, form, uses)?
        })
    }

    /// Compiles a bare expression, as `when` has it. `{{ }}` around it is tolerated.
    pub fn expression(text: &str, span: Span) -> Result<Self, Vec<Fault>> {
        let (range, braced) = match &scan::regions(text.trim_end())[..] {
            [Region::Expr(range)] if scan::is_closed(text, range) => (range.clone(), true),
            _ => (0..text.len(), false),
        };
        let uses = Uses::of_expression(text, range.clone());
        let form = Form::Value(Expr::new(text, range, span, Backslash::Escapes)?);
        Ok(Self {
            braced,
            ..Self::checked(text, span, form, uses)?
        })
    }

    fn checked(text: &str, span: Span, form: Form, uses: Uses) -> Result<Self, Vec<Fault>> {
        let faults = environment::unknown(&uses, text, span);
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self {
            text: text.into(),
            span,
            form,
            uses,
            newlines: 0,
            braced: false,
        })
    }

    /// What it uses.
    pub fn uses(&self) -> &Uses {
        &self.uses
    }

    /// The text as it is written.
    pub fn source(&self) -> &str {
        &self.text
    }

    /// Where it is written.
    pub fn span(&self) -> Span {
        self.span
    }

    /// The place of a byte in it, for diagnostics.
    pub fn fault_at(&self, code: &'static str, at: usize, message: impl Into<String>) -> Fault {
        Fault::new(code, message).at(self.span, &self.text, at)
    }

    /// Evaluates it. The result is [`Value::NotYet`] if it touched something that is not known yet.
    pub fn evaluate(&self, variables: &Arc<dyn Variables>) -> Result<Value, Fault> {
        Ok(ending::restored(self.result(variables)?, self.newlines))
    }

    fn result(&self, variables: &Arc<dyn Variables>) -> Result<Value, Fault> {
        match &self.form {
            Form::Value(expr) => result::value(
                environment::transforms(&self.uses),
                || expr.eval(variables),
                |error| self.fault(error, expr, variables),
            ),
            Form::Parts(parts) => result::text(
                || {
                    let mut out = String::new();
                    for part in parts {
                        match part {
                            Part::Text(text) => out.push_str(text),
                            Part::Expr(expr) => {
                                let value = expr.eval(variables);
                                let value = value.and_then(|value| environment::printed(&value));
                                out.push_str(&value.map_err(|error| (error, expr))?);
                            }
                        }
                    }
                    Ok(out)
                },
                |(error, expr): (minijinja::Error, &Expr)| self.fault(&error, expr, variables),
            ),
            Form::Blocks(rewritten, alone) => {
                let render = || {
                    let template = JINJA.template_from_str(&rewritten.text)?;
                    template.render(Root::value(variables))
                };
                let fault = |error: minijinja::Error| {
                    Fault::from_jinja(&error, &rewritten.text, &**variables)
                        .moved(|at| rewritten.old(at))
                        .at_text(self.span, &self.text)
                };
                match alone {
                    Alone::Never => result::text(render, fault),
                    Alone::Only | Alone::Last => {
                        result::mixed(*alone == Alone::Last, render, fault)
                    }
                }
            }
        }
    }

    /// Evaluates a condition: yes, no, or not known yet.
    pub fn holds(&self, variables: &Arc<dyn Variables>) -> Result<Result<bool, NotYet>, Fault> {
        let value = self.evaluate(variables)?;
        Ok(match value {
            Value::NotYet(what) => Err(what),
            Value::Secret(secret) => Ok(!secret.reveal().is_empty()),
            Value::Str(text) if self.braced || self.is_bare_word() => {
                return self.judge(&text, variables);
            }
            other => Ok(truth(&other)),
        })
    }

    /// Whether it is but a name, so that a text in it may mean a boolean.
    pub(crate) fn is_bare_word(&self) -> bool {
        matches!(&self.uses.all[..], [used] if used.kind == UseKind::Name)
    }

    fn fault(
        &self,
        error: &minijinja::Error,
        expr: &Expr,
        variables: &Arc<dyn Variables>,
    ) -> Fault {
        Fault::from_jinja(error, &expr.rewritten.text, &**variables)
            .moved(|at| expr.rewritten.old(at) + expr.base)
            .at_text(self.span, &self.text)
    }
}

/// Whether a value counts as true, as Python has it.
pub fn truth(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Int(number) => *number != 0,
        Value::UInt(number) => *number != 0,
        Value::Float(number) => *number != 0.0,
        Value::Str(text) => !text.is_empty(),
        Value::Secret(secret) => !secret.reveal().is_empty(),
        Value::Source(_) | Value::NotYet(_) => true,
        Value::Seq(items) => !items.is_empty(),
        Value::Map(map) => !map.is_empty(),
    }
}

/// Whether a text is but texts and expressions, without statements and control of whitespace.
fn simple(text: &str, regions: &[Region]) -> bool {
    regions.iter().all(|region| match region {
        Region::Text(_) => true,
        Region::Expr(range) => {
            text[..range.start].ends_with("{{") && text[range.end..].starts_with("}}")
        }
        Region::Block(_) | Region::Comment(_) => false,
    })
}

impl Alone {
    fn of(text: &str, regions: &[Region]) -> Self {
        let captures = |region: &Region| {
            let Region::Block(range) = region else {
                return false;
            };
            let words = scan::tokens(text, range.clone());
            let first = words.first().map_or("", |word| word.text);
            matches!(first, "macro" | "call" | "filter")
                || first == "set" && !words.iter().any(|word| word.is("="))
        };
        let mut shown = regions.iter().rev().filter(|region| match region {
            Region::Text(range) => !text[range.clone()].trim().is_empty(),
            Region::Comment(_) => false,
            Region::Expr(_) | Region::Block(_) => true,
        });
        match shown.next() {
            _ if !regions.iter().any(captures) => Self::Only,
            Some(Region::Expr(_)) => Self::Last,
            _ => Self::Never,
        }
    }
}

impl Expr {
    fn new(
        text: &str,
        range: std::ops::Range<usize>,
        span: Span,
        backslash: Backslash,
    ) -> Result<Self, Vec<Fault>> {
        let base = range.start;
        let condition = backslash == Backslash::Escapes;
        let rewritten = Rewritten::expression(&text[range], backslash, condition);
        let compiled = compiled::expression(&rewritten.text).map_err(|error| {
            vec![Fault::syntax(&error, text, span, |at| {
                rewritten.old(at) + base
            })]
        })?;
        Ok(Self {
            compiled,
            rewritten,
            base,
        })
    }

    fn eval(&self, variables: &Arc<dyn Variables>) -> Result<Jinja, minijinja::Error> {
        self.compiled.eval(Root::value(variables))
    }
}

#[cfg(test)]
mod tests;
