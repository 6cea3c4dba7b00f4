//! Conditions that a variable holds: `when: "{{ wanted }}"` with `wanted: web_port > 1023`, `that: "{{ checks }}"`.

use std::sync::Arc;

use evenkeel_engine::{NotYet, Value};

use super::{Fault, Template, UseKind, Variables, truth};

/// Lookups read files and run programs: a condition that is the value of a variable does not.
const LOOKUPS: [&str; 3] = ["lookup", "query", "q"];

/// What a text means as a boolean, if it is a word for one.
pub(super) fn word(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" | "" => Some(false),
        _ => None,
    }
}

/// A condition that a variable holds: its text, and whether it holds.
pub(crate) type Told = (String, Result<bool, NotYet>);

impl Template {
    /// A condition that is the value of a variable, if a text can be one.
    pub(crate) fn told(&self, text: &str) -> Option<Self> {
        let told = Self::expression(text, self.span).ok()?;
        (!super::is_template(text) && !told.looks_up()).then_some(told)
    }

    /// Whether it reads files, runs programs or asks servers.
    pub(crate) fn looks_up(&self) -> bool {
        let looks = |used: &super::Use| {
            used.kind == UseKind::Function && LOOKUPS.contains(&used.name.as_str())
        };
        self.uses.all.iter().any(looks)
    }

    /// Whether what a variable holds may be a condition here: it stands in braces, where an expression stands by itself.
    pub(crate) fn tells(&self) -> bool {
        self.braced && self.is_bare_word()
    }

    /// Whether a text that it gave holds.
    pub(super) fn judge(
        &self,
        text: &str,
        variables: &Arc<dyn Variables>,
    ) -> Result<Result<bool, NotYet>, Fault> {
        if let Some(means) = word(text) {
            return Ok(Ok(means));
        }
        let may = self.braced && variables.is_of_people(self);
        let Some(told) = self.told(text).filter(|_| may) else {
            let message = format!(
                "`{}` is the text `{text}`, which is neither true nor false",
                self.text
            );
            return Err(self
                .fault_at("not_a_condition", 0, message)
                .help("compare it, or use the filter `bool`"));
        };
        let within = |fault: Fault| {
            let message = format!(
                "`{}` is the condition `{text}`: {}",
                self.text, fault.message
            );
            self.fault_at(fault.code, 0, message)
        };
        Ok(match told.evaluate(variables).map_err(within)? {
            Value::NotYet(what) => Err(what),
            Value::Str(other) => {
                let Some(means) = word(&other) else {
                    let message = format!(
                        "`{}` is the text `{text}`, and that is `{other}`, which is neither true nor false",
                        self.text
                    );
                    return Err(self
                        .fault_at("not_a_condition", 0, message)
                        .help("compare it, or use the filter `bool`"));
                };
                Ok(means)
            }
            other => Ok(truth(&other)),
        })
    }

    /// Each condition of a list that it gives, with its text; `None` if it gives no list.
    pub(crate) fn all_told(
        &self,
        variables: &Arc<dyn Variables>,
    ) -> Result<Option<Vec<Told>>, Fault> {
        if !self.braced {
            return Ok(None);
        }
        let Value::Seq(items) = self.evaluate(variables)? else {
            return Ok(None);
        };
        let each = items.into_iter().map(|item| {
            let holds = match &item {
                Value::NotYet(what) => Err(what.clone()),
                Value::Str(text) => self.judge(text, variables)?,
                other => Ok(truth(other)),
            };
            let written = || self.text.trim().to_owned();
            let text = item.as_text().unwrap_or_else(written);
            Ok((text, holds))
        });
        each.collect::<Result<_, Fault>>().map(Some)
    }
}
