//! What an evaluation touched: values not known yet make its result unknown, secrets make it secret.
//!
//! Values reach minijinja through objects of ours, so every look at such a leaf passes here, however
//! it was looked at: by a test, a filter, a comparison, a loop. What is not touched does not count:
//! `false and build.stdout` is decided.

use std::cell::RefCell;

use evenkeel_engine::{NotYet, Secret};
use minijinja::{Error, ErrorKind};

/// What was touched so far.
#[derive(Debug, Default)]
pub(crate) struct Session {
    /// The first leaf that is not known yet.
    pub(crate) not_yet: Option<NotYet>,
    /// Secrets that were asked for by name.
    pub(crate) used: Vec<Secret>,
    /// Secrets that a walk over a whole list or map came past.
    pub(crate) passed: Vec<Secret>,
    /// Whether a filter made something of a text in which the text can no longer be found.
    pub(crate) derived: bool,
    /// Why a variable could not be had: said instead of minijinja's error.
    pub(crate) fault: Option<super::Fault>,
    /// Variables that are made of something undefined, and so are undefined themselves: which, and why.
    pub(crate) missing: Vec<(String, super::Fault)>,
    /// What `undef` says has to be done.
    pub(crate) hint: Option<String>,
    /// How many values were printed, and the last of them.
    emitted: (usize, Option<minijinja::Value>),
}

thread_local! {
    static SESSIONS: RefCell<Vec<Session>> = const { RefCell::new(Vec::new()) };
}

/// Runs an evaluation and says what it touched.
pub(crate) fn watch<T>(evaluate: impl FnOnce() -> T) -> (T, Session) {
    SESSIONS.with_borrow_mut(|sessions| sessions.push(Session::default()));
    let result = evaluate();
    let session = SESSIONS.with_borrow_mut(Vec::pop).unwrap_or_default();
    (result, session)
}

fn note(with: impl FnOnce(&mut Session)) {
    SESSIONS.with_borrow_mut(|sessions| {
        if let Some(session) = sessions.last_mut() {
            with(session);
        }
    });
}

/// A leaf that is not known yet was touched; the error ends the evaluation.
pub(crate) fn not_yet(what: &NotYet) -> Error {
    note(|session| {
        session.not_yet.get_or_insert_with(|| what.clone());
    });
    Error::new(ErrorKind::InvalidOperation, what.to_string())
}

/// A secret was asked for by name.
pub(crate) fn used(secret: &Secret) {
    note(|session| session.used.push(secret.clone()));
}

/// A secret was come past.
pub(crate) fn passed(secret: &Secret) {
    note(|session| session.passed.push(secret.clone()));
}

/// Whether a secret was asked for.
pub(crate) fn has_secret() -> bool {
    SESSIONS.with_borrow(|sessions| {
        let mut all = sessions.iter();
        all.any(|session| !session.used.is_empty() || !session.passed.is_empty())
    })
}

/// A filter made something of a text in which it can no longer be found.
pub(crate) fn derived() {
    note(|session| session.derived = true);
}

/// A variable could not be had; the error ends the evaluation.
pub(crate) fn fault(fault: super::Fault) -> Error {
    let error = Error::new(ErrorKind::InvalidOperation, fault.message.clone());
    note(|session| {
        session.fault.get_or_insert(fault);
    });
    error
}

/// A variable is made of something undefined.
pub(crate) fn missing(name: &str, fault: super::Fault) {
    note(|session| session.missing.push((name.to_owned(), fault)));
}

/// Something is undefined on purpose.
pub(crate) fn hint(hint: String) {
    note(|session| session.hint = Some(hint));
}

/// A value was printed.
pub(crate) fn emitted(value: &minijinja::Value) {
    note(|session| session.emitted = (session.emitted.0 + 1, Some(value.clone())));
}

/// The value that alone was printed, or the last one if `last` says that it will do.
pub(crate) fn alone(last: bool) -> Option<minijinja::Value> {
    let (count, value) = SESSIONS.with_borrow(|sessions| {
        let session = sessions.last();
        session
            .map(|session| session.emitted.clone())
            .unwrap_or_default()
    });
    value.filter(|_| count == 1 || last)
}
