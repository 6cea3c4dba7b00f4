//! `evenkeel validate`: loads everything, touches no host.

use serde_json::{Value, json};

use super::load;
use crate::{
    cli::{PlainOutput, Selection, Validate},
    diagnostic::Diagnostic,
    exit::Exit,
    files::Files,
    load::{Refused, Unguarded},
    printable, prose,
    report::out,
};

/// `evenkeel validate`.
pub(super) fn validate(args: &Validate) -> Exit {
    checked(&args.selection, args.output == PlainOutput::Json)
}

/// The same for what else asks for it.
pub(super) fn checked(selection: &Selection, as_json: bool) -> Exit {
    if as_json {
        json(selection)
    } else {
        human(selection)
    }
}

fn human(selection: &Selection) -> Exit {
    let loaded = match load::load(selection, false, false) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    out::report(&unguarded(&loaded.unguarded));
    out::report(&format!(
        "{}, {}: no errors\n",
        prose::count(loaded.plays as u64, "play"),
        prose::count(loaded.tasks as u64, "task"),
    ));
    Exit::Good
}

/// The commands that nothing guards, each with the line that would.
fn unguarded(commands: &[Unguarded]) -> String {
    let mut out = String::new();
    for command in commands {
        out += &format!(
            "unguarded  {}: `{}` runs every time\n",
            command.place,
            printable::line(&command.task),
        );
        out += &prose::indent(&printable::block(&command.remedy), "    ");
    }
    out
}

fn json(selection: &Selection) -> Exit {
    let request = match load::request(selection, false, false) {
        Ok(request) => request,
        Err(error) => {
            out::report(&refused(selection, Refused::of(error.clone())));
            return load::said(&error);
        }
    };
    match load::read(&request, &selection.connection) {
        Ok(loaded) => {
            let mut object = object(selection);
            object["plays"] = loaded.plays.into();
            object["tasks"] = loaded.tasks.into();
            object["warnings"] = all(&loaded.warnings, &loaded.files);
            object["unguarded"] = loaded.unguarded.iter().map(command).collect();
            out::report(&line(&object));
            Exit::Good
        }
        Err(found) => {
            out::report(&refused(selection, found));
            Exit::Input
        }
    }
}

/// The object of playbooks in which nothing was read yet.
fn object(selection: &Selection) -> Value {
    let playbooks = selection
        .playbooks
        .iter()
        .map(|path| path.display().to_string());
    json!({
        "event": "validated",
        "playbooks": playbooks.collect::<Vec<_>>(),
        "plays": 0,
        "tasks": 0,
        "errors": [],
        "warnings": [],
        "unguarded": [],
    })
}

/// The line of playbooks that are wrong; of a run in JSON that does not come about, too.
pub(super) fn refused(selection: &Selection, refused: Refused) -> String {
    let (errors, warnings): (Vec<_>, Vec<_>) = refused
        .diagnostics
        .into_iter()
        .partition(Diagnostic::is_error);
    let mut object = object(selection);
    object["plays"] = refused.plays.into();
    object["tasks"] = refused.tasks.into();
    object["errors"] = all(&errors, &refused.files);
    object["warnings"] = all(&warnings, &refused.files);
    line(&object)
}

fn line(object: &Value) -> String {
    format!("{}\n", printable::json(&object.to_string()))
}

fn all(diagnostics: &[Diagnostic], files: &Files) -> Value {
    diagnostics
        .iter()
        .map(|diagnostic| diagnostic.to_json(files))
        .collect()
}

fn command(command: &Unguarded) -> Value {
    json!({
        "task": command.task,
        "module": command.module,
        "file": &*command.place.file,
        "line": command.place.line,
        "column": command.place.column,
        "help": command.remedy,
    })
}
