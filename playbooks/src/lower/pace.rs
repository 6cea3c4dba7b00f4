//! How often a task is tried (`until`, `retries`, `delay`), and what is between the turns of its loop
//! (`pause`, `break_when`).

use std::{sync::Arc, time::Duration};

use evenkeel_engine::{Output, Outputs, Pace, Stop, Tries, Value};

use super::{
    body::{Body, Trouble, first_false},
    program::Condition,
};
use crate::{
    files::Span,
    parse::seconds,
    template::{Fault, Variables},
    vars::Tree,
};

/// How often a task is tried again that says `until` alone.
const RETRIES: u32 = 3;

/// How long it waits before each, if it does not say so.
const DELAY: Duration = Duration::from_secs(5);

/// Of a task on a host.
#[derive(Clone, Debug)]
pub(crate) struct Rhythm(Body);

impl Rhythm {
    /// If it has one of its own.
    pub(crate) fn of(body: &Body) -> Option<Self> {
        let program = &body.program;
        let tried = !program.until.is_empty() || program.retries.is_some();
        let looped = program.loop_.as_ref();
        let between =
            looped.is_some_and(|found| found.pause.is_some() || !found.break_when.is_empty());
        (tried || between).then(|| Self(body.clone()))
    }

    fn all(&self, conditions: &[Condition], variables: &Arc<dyn Variables>) -> Result<bool, Stop> {
        first_false(conditions.iter(), variables)
            .map(|found| found.is_none())
            .map_err(|trouble| self.0.stop(trouble))
    }

    fn number<T>(
        &self,
        found: &(Tree, Span),
        variables: &Arc<dyn Variables>,
        wanted: (&str, &str),
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, Stop> {
        number(found, variables, wanted, read).map_err(|trouble| self.0.stop(trouble))
    }
}

/// A number as it comes of a template.
pub(super) fn number<T>(
    (tree, span): &(Tree, Span),
    variables: &Arc<dyn Variables>,
    (name, wanted): (&str, &str),
    read: impl Fn(&str) -> Option<T>,
) -> Result<T, Trouble> {
    let value = tree.render(variables).map_err(|fault| fault.or_at(*span))?;
    if let Value::NotYet(what) = value {
        return Err(what.into());
    }
    let text = match &value {
        Value::Bool(_) | Value::Secret(_) => None,
        value => value.as_text(),
    };
    let number = text.as_deref().and_then(|text| read(text.trim()));
    number.ok_or_else(|| {
        let found = match (&value, text) {
            (_, Some(text)) => format!("`{text}`"),
            (value, None) => value.kind().to_owned(),
        };
        let message = format!("`{name}` wants {wanted}: this is {found}");
        Fault::new("wrong_type", message).or_at(*span).into()
    })
}

impl Pace for Rhythm {
    fn tries(
        &self,
        turn: Option<(usize, &Value)>,
        outputs: &dyn Outputs,
    ) -> Result<Option<Tries>, Stop> {
        let program = &self.0.program;
        if program.until.is_empty() && program.retries.is_none() {
            return Ok(None);
        }
        let variables = self.0.judging(None, turn, outputs)?;
        let retries = match &program.retries {
            Some(number) => {
                let wanted = ("retries", "a whole number, 0 or more");
                self.number(number, &variables, wanted, |text| text.parse().ok())?
            }
            None => RETRIES,
        };
        let delay = match &program.delay {
            Some(number) => {
                let wanted = ("delay", "a number of seconds, 0 or more");
                self.number(number, &variables, wanted, seconds)?
            }
            None => DELAY,
        };
        // As in Ansible, what is never tried again is not asked whether it has to be.
        Ok((retries > 0).then_some(Tries { retries, delay }))
    }

    fn holds(
        &self,
        result: &Output,
        turn: Option<(usize, &Value)>,
        outputs: &dyn Outputs,
    ) -> Result<bool, Stop> {
        let until = &self.0.program.until;
        if until.is_empty() {
            return Ok(!result.failed);
        }
        let body = &self.0;
        body.at_turn(outputs, || {
            let variables = body.judging(Some(result), turn, outputs)?;
            self.all(until, &variables)
        })
    }

    fn pause(&self, outputs: &dyn Outputs) -> Result<Duration, Stop> {
        let found = self.0.program.loop_.as_ref();
        let Some(number) = found.and_then(|found| found.pause.as_ref()) else {
            return Ok(Duration::ZERO);
        };
        let variables = self.0.current(outputs).variables();
        let wanted = ("pause", "a number of seconds, 0 or more");
        self.number(number, &variables, wanted, seconds)
    }

    fn breaks(
        &self,
        result: &Output,
        turn: (usize, &Value),
        outputs: &dyn Outputs,
    ) -> Result<bool, Stop> {
        match &self.0.program.loop_ {
            Some(found) if !found.break_when.is_empty() => {
                let variables = self.0.judging(Some(result), Some(turn), outputs)?;
                self.all(&found.break_when, &variables)
            }
            _ => Ok(false),
        }
    }
}
