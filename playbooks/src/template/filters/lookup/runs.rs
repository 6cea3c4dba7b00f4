//! `pipe` and `lines`: what a program of this machine prints.

use std::{path::Path, process::Command, time::Duration};

use evenkeel_engine::NotYet;
use minijinja::{Error, State, value::Value as Jinja};

use super::refuse;
use crate::{
    bounded::{self, Trouble},
    looked,
    template::{runs, session},
};

/// How long a program may take.
const BOUND: Duration = Duration::from_secs(120);

/// All that each line of shell prints, without the blanks at its end.
pub(super) fn pipe(state: &State<'_, '_>, terms: &[Jinja]) -> Result<Vec<Jinja>, Error> {
    let one = |term: &Jinja| Ok(Jinja::from(printed(state, "pipe", term)?.trim_end()));
    terms.iter().map(one).collect()
}

/// Its lines.
pub(super) fn lines(state: &State<'_, '_>, terms: &[Jinja]) -> Result<Vec<Jinja>, Error> {
    let mut all = Vec::new();
    for term in terms {
        let text = printed(state, "lines", term)?;
        all.extend(text.lines().map(Jinja::from));
    }
    Ok(all)
}

/// That a task's turn has come; `does`: what comes of the lookup then.
pub(super) fn at_turn(name: &str, does: &str) -> Result<(), Error> {
    if runs::may() {
        return Ok(());
    }
    Err(session::not_yet(&NotYet::new(format!(
        "what `lookup('{name}', …)` {does} at the task's turn"
    ))))
}

fn printed(state: &State<'_, '_>, name: &str, term: &Jinja) -> Result<String, Error> {
    // It may read whatever tasks have made on this machine.
    looked::note(Path::new("/"), true);
    at_turn(name, "prints")?;
    let line = term.to_string();
    if session::has_secret() {
        let what =
            format!("`lookup('{name}', …)` runs no line with a secret in it: others would see it");
        return Err(refuse(format!(
            "{what}: let a task of `shell` with `stdin` do it, with `delegate_to: localhost`"
        )));
    }
    let folder = state
        .lookup("playbook_dir")
        .map(|folder| folder.to_string());
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &line]);
    if let Some(folder) = folder.filter(|folder| Path::new(folder).is_dir()) {
        command.current_dir(folder);
    }
    let printed = bounded::run(command, BOUND).map_err(|trouble| {
        let why = match trouble {
            Trouble::Spawn(error) => format!("cannot be run: {error}"),
            Trouble::Late => format!(
                "did not end within {} seconds, and was stopped",
                BOUND.as_secs()
            ),
            Trouble::Much => "prints more than 64 MiB".to_owned(),
            Trouble::Failed(status, said) => {
                let said = said.trim();
                let said = if said.is_empty() {
                    String::new()
                } else {
                    format!(": {said}")
                };
                format!("failed ({status}){said}")
            }
        };
        refuse(format!("`lookup('{name}', …)`: `{line}` {why}"))
    })?;
    Ok(String::from_utf8_lossy(&printed.text).into_owned())
}
