//! What is wrong with the user's files: collected, and shown all at once.

mod render;

use crate::files::Span;

pub use render::{Colour, render_all};

/// One mistake, or one word of warning.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// Stable, `snake_case`: for machines.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong: a fragment without a full stop.
    pub message: String,
    /// Where.
    pub at: Option<Span>,
    /// Other places that matter, each with a word on why.
    pub also: Vec<(Span, String)>,
    /// What to do.
    pub help: Option<String>,
}

/// How bad a [`Diagnostic`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing can be run.
    Error,
    /// Worth knowing.
    Warning,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(code: &'static str, at: Span, message: impl Into<String>) -> Self {
        Self {
            at: Some(at),
            ..Self::nowhere(code, message)
        }
    }

    /// An error that has no place in a file.
    pub fn nowhere(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            at: None,
            also: Vec::new(),
            help: None,
        }
    }

    /// The same, but only a warning.
    #[must_use]
    pub fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Names another place.
    #[must_use]
    pub fn also(mut self, at: Span, why: impl Into<String>) -> Self {
        self.also.push((at, why.into()));
        self
    }

    /// Is it an error?
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
