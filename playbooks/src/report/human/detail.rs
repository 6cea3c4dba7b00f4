//! What stands below a task's line: changes, failures, messages, results.

use evenkeel_engine::event::{ChangeShown, TaskError, TaskName};
use serde_json::Value;
use unicode_width::UnicodeWidthChar as _;

use crate::{printable, prose, report::style};

/// How much of a value is shown on a line.
const VALUE_WIDTH: usize = 90;
/// How much of the output of a failed command is shown.
const OUTPUT_LINES: usize = 45;

/// `mode: 0644 -> 0600`, and the diff if there is one.
pub(super) fn change(change: &ChangeShown, verbose: u8) -> String {
    let what = printable::line(&change.what);
    let what = match verbose {
        0 => shorten(&what),
        _ => what.into_owned(),
    };
    let said = match (&change.before, &change.after) {
        (Value::Null, Value::Null) => what,
        (Value::Null, after) => format!("{what}: {}", value(after, verbose)),
        (before, Value::Null) => format!("{what}: {} -> nothing", value(before, verbose)),
        (before, after) => format!(
            "{what}: {} -> {}",
            value(before, verbose),
            value(after, verbose)
        ),
    };
    let diff = change.diff.as_deref().map(diff).unwrap_or_default();
    format!("    {said}\n{diff}")
}

/// A value on one line.
fn value(value: &Value, verbose: u8) -> String {
    let text = match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let text = printable::line(&text);
    if verbose >= 1 {
        return text.into_owned();
    }
    shorten(&text)
}

/// Cuts what is longer than a line takes.
fn shorten(text: &str) -> String {
    let mut width = 0;
    for (at, c) in text.char_indices() {
        width += c.width().unwrap_or_default();
        if width > VALUE_WIDTH {
            return format!("{}…", &text[..at]);
        }
    }
    text.to_owned()
}

fn diff(diff: &str) -> String {
    let mut out = String::new();
    for line in printable::block(diff).lines() {
        let style = match line.as_bytes().first() {
            Some(b'+') => style::ADDED,
            Some(b'-') => style::REMOVED,
            Some(b'@') => style::NOTE,
            _ => style::QUIET,
        };
        out += &format!("      {}\n", style::paint(style, line));
    }
    out
}

/// What went wrong, where, by which command, what it printed, and what to do.
pub(super) fn failure(error: &TaskError, name: &TaskName, verbose: u8) -> String {
    let mut out = labelled("error", style::BAD, &error.message);
    if let Some(place) = &name.source {
        out += &labelled("at", style::QUIET, place);
    }
    if let Some(command) = &error.command {
        out += &labelled("command", style::QUIET, command);
    }
    if let Some(status) = error.status {
        out += &labelled("status", style::QUIET, &status.to_string());
    }
    if let Some(text) = &error.stdout {
        out += &output("stdout", text, verbose);
    }
    if let Some(text) = &error.stderr {
        out += &output("stderr", text, verbose);
    }
    if let Some(help) = &error.help {
        out += &labelled("help", style::NOTE, help);
    }
    out
}

/// What to do about something.
pub(super) fn help(text: &str) -> String {
    labelled("help", style::NOTE, text)
}

fn labelled(label: &str, style: anstyle::Style, text: &str) -> String {
    let text = printable::block(text);
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let mut out = format!("    {}: {first}\n", style::paint(style, label));
    for line in lines {
        out += &prose::indent(line, "      ");
    }
    out
}

/// The end of what a program printed.
fn output(label: &str, text: &str, verbose: u8) -> String {
    let text = printable::block(text.trim_end());
    if text.is_empty() {
        return String::new();
    }
    let lines: Vec<_> = text.lines().collect();
    let hidden = match verbose {
        0 => lines.len().saturating_sub(OUTPUT_LINES),
        _ => 0,
    };
    let label = style::paint(style::QUIET, label);
    let note = match hidden {
        0 => String::new(),
        _ => format!(
            " (the last {OUTPUT_LINES} of {} lines; -v shows all)",
            lines.len()
        ),
    };
    let body = prose::indent(&lines[hidden..].join("\n"), "      | ");
    format!("    {label}:{note}\n{body}")
}

/// What `debug` says.
pub(super) fn message(message: &Value) -> String {
    prose::indent(&printable::block(&text(message)), "    ")
}

/// What `register` gives.
pub(super) fn result(result: &Value) -> String {
    labelled("result", style::QUIET, &result.to_string())
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => serde_json::to_string_pretty(other).expect("a value is JSON"),
    }
}

/// Where the task stands.
pub(super) fn source(name: &TaskName) -> String {
    match &name.source {
        Some(place) => labelled("at", style::QUIET, place),
        None => String::new(),
    }
}
