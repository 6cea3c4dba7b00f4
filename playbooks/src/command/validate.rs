//! `evenkeel validate`: loads everything, touches no host.

use serde_json::{Value, json};

use super::load;
use crate::{
    cli::{PlainOutput, Validate},
    diagnostic::Diagnostic,
    exit::Exit,
    files::Files,
    load::{Request, Unguarded},
    printable, prose,
    report::out,
};

/// `evenkeel validate`.
pub(super) fn validate(args: &Validate) -> Exit {
    match args.output {
        PlainOutput::Human => human(args),
        PlainOutput::Json => json(args),
    }
}

fn human(args: &Validate) -> Exit {
    let loaded = match load::load(&args.selection, false, false) {
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

fn json(args: &Validate) -> Exit {
    let request = match load::request(&args.selection, false, false) {
        Ok(request) => request,
        Err(exit) => return exit,
    };
    let mut object = object(&request);
    let exit = match load::read(&request) {
        Ok(loaded) => {
            object["plays"] = loaded.plays.into();
            object["tasks"] = loaded.tasks.into();
            object["warnings"] = all(&loaded.warnings, &loaded.files);
            object["unguarded"] = loaded.unguarded.iter().map(command).collect();
            Exit::Good
        }
        Err((diagnostics, files)) => {
            refuse(&mut object, diagnostics, &files);
            Exit::Input
        }
    };
    out::report(&format!("{}\n", printable::json(&object.to_string())));
    exit
}

/// The object of playbooks in which nothing was read yet.
fn object(request: &Request) -> Value {
    let playbooks = request
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

/// Puts what is wrong into the object.
fn refuse(object: &mut Value, diagnostics: Vec<Diagnostic>, files: &Files) {
    let (errors, warnings): (Vec<_>, Vec<_>) =
        diagnostics.into_iter().partition(Diagnostic::is_error);
    object["errors"] = all(&errors, files);
    object["warnings"] = all(&warnings, files);
}

/// The line of a run in JSON that does not come about, because its playbooks are wrong.
pub(super) fn refused(request: &Request, diagnostics: Vec<Diagnostic>, files: &Files) -> String {
    let mut object = object(request);
    refuse(&mut object, diagnostics, files);
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
