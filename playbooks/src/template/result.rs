//! What an evaluation comes to, given what it touched.

use evenkeel_engine::{Secret, Value};
use minijinja::value::Value as Jinja;

use super::{
    Fault, UNDEFINED,
    environment::printed,
    session::{self, Session},
    value::from_jinja,
};

/// The result of an expression. `transforms`: whether a filter in it may make something of a
/// secret in which it can no longer be found.
pub(super) fn value(
    transforms: bool,
    evaluate: impl FnOnce() -> Result<Jinja, minijinja::Error>,
    fault: impl FnOnce(&minijinja::Error) -> Fault,
) -> Result<Value, Fault> {
    let (result, session) = session::watch(|| evaluate().and_then(|value| from_jinja(&value)));
    settle(result, session, transforms, |error| fault(&error))
}

/// The result of a text.
pub(super) fn text<E>(
    render: impl FnOnce() -> Result<String, E>,
    fault: impl FnOnce(E) -> Fault,
) -> Result<Value, Fault> {
    let (result, session) = session::watch(render);
    settle(result.map(Value::Str), session, true, fault)
}

/// The result of a text with statements: where one value alone was printed, that value, as Ansible has it.
/// `last`: whether only the last of several has to be looked at.
pub(super) fn mixed(
    last: bool,
    render: impl FnOnce() -> Result<String, minijinja::Error>,
    fault: impl FnOnce(minijinja::Error) -> Fault,
) -> Result<Value, Fault> {
    let whole = || {
        let text = render()?;
        match session::alone(last) {
            Some(value) if printed(&value)? == text => from_jinja(&value),
            _ => Ok(Value::Str(text)),
        }
    };
    let (result, session) = session::watch(whole);
    settle(result, session, true, fault)
}

fn settle<E>(
    result: Result<Value, E>,
    session: Session,
    transforms: bool,
    fault: impl FnOnce(E) -> Fault,
) -> Result<Value, Fault> {
    if let Some(what) = session.not_yet {
        return Ok(Value::NotYet(what));
    }
    if let Some(fault) = session.fault {
        return Err(fault);
    }
    let value = result.map_err(|error| {
        let fault = because(fault(error), session.missing);
        match session.hint {
            Some(hint) => fault.help(hint),
            None => fault,
        }
    })?;
    let Session {
        used,
        passed,
        derived,
        ..
    } = session;
    if used.is_empty() && passed.is_empty() {
        return Ok(value);
    }
    let taint = Taint {
        all: derived || (transforms && !used.is_empty()),
        secrets: used.iter().chain(&passed).cloned().collect(),
    };
    match value {
        Value::Str(text) if !used.is_empty() => Ok(taint.secret(&text)),
        value => Ok(taint.mark(value)),
    }
}

/// Why what is undefined is that, if it is a variable that is made of something undefined.
fn because(fault: Fault, missing: Vec<(String, Fault)>) -> Fault {
    let named = fault.message.split('`').nth(1).unwrap_or_default();
    let named = named.split(['.', '[']).next().unwrap_or_default();
    let told = fault.code == UNDEFINED || fault.message.contains("undefined");
    let at = missing.iter().position(|(name, _)| name == named);
    let at = at.or_else(|| (told && !missing.is_empty()).then_some(0));
    match at.and_then(|at| missing.into_iter().nth(at)) {
        Some((_, why)) => why,
        None => fault,
    }
}

/// Secrets that went into a value.
struct Taint {
    /// Whether any text may come from one, also if the secret cannot be found in it.
    all: bool,
    secrets: Vec<Secret>,
}

impl Taint {
    fn secret(&self, text: &str) -> Value {
        Value::Secret(Secret::new(text).made_of(&self.secrets))
    }

    fn mark(&self, value: Value) -> Value {
        match value {
            Value::Str(text) if self.all || self.holds(&text) => self.secret(&text),
            Value::Seq(items) => items.into_iter().map(|item| self.mark(item)).collect(),
            Value::Map(map) => Value::Map(
                map.into_iter()
                    .map(|(key, value)| (key, self.mark(value)))
                    .collect(),
            ),
            other => other,
        }
    }

    fn holds(&self, text: &str) -> bool {
        self.secrets.iter().any(|secret| {
            let Ok(plain) = std::str::from_utf8(secret.reveal()) else {
                return true;
            };
            let quoted = serde_json::Value::from(plain).to_string();
            !plain.is_empty()
                && (text.contains(plain) || text.contains(&quoted[1..quoted.len() - 1]))
        })
    }
}
