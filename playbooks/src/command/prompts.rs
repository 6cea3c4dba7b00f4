//! Asks on the terminal for what `vars_prompt` names.

use std::collections::BTreeMap;

use evenkeel_engine::{Secret, Value};

use super::password;
use crate::{ast::Prompt, diagnostic::Diagnostic};

/// How often something is asked for that is to be typed twice.
const TIMES: usize = 3;

/// The answers, by variable. Where there is no terminal nobody is asked; where nothing is typed the default counts.
pub(super) fn answers(prompts: &[Prompt]) -> Result<BTreeMap<String, Value>, Diagnostic> {
    let mut answers = BTreeMap::new();
    if !password::is_there() {
        return Ok(answers);
    }
    for prompt in prompts {
        let typed = twice(prompt)?;
        if typed.is_empty() && prompt.default.is_some() {
            continue;
        }
        let value = if prompt.private {
            Value::Secret(Secret::new(typed))
        } else {
            Value::Str(typed)
        };
        answers.insert(prompt.name.value.clone(), value);
    }
    Ok(answers)
}

/// What is typed, the same twice if that is wanted.
fn twice(prompt: &Prompt) -> Result<String, Diagnostic> {
    let question = match prompt.shown_default() {
        Some(default) if !prompt.private => format!("{} [{default}]", prompt.question()),
        _ => prompt.question(),
    };
    for _ in 0..TIMES {
        let typed = ask(prompt, &question)?;
        if !prompt.confirm || ask(prompt, &format!("confirm {question}"))? == typed {
            return Ok(typed);
        }
    }
    let what = format!(
        "what was typed for `{}` differed each time",
        prompt.name.value
    );
    Err(Diagnostic::nowhere("unanswered", what).help("type the same twice"))
}

fn ask(prompt: &Prompt, question: &str) -> Result<String, Diagnostic> {
    let typed = if prompt.private {
        password::ask(question).map(|typed| String::from_utf8_lossy(typed.reveal()).into_owned())
    } else {
        password::ask_openly(question)
    };
    typed.map_err(|error| {
        let name = &prompt.name.value;
        let what = format!("`{name}` cannot be asked for: {error}");
        Diagnostic::nowhere("unanswered", what)
            .help(format!("`-e {name}=…` gives it, or `-e @FILE`"))
    })
}
