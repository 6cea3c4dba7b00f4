//! Per task: would it run, why, and what it waits for.

use std::collections::BTreeMap;

use evenkeel_engine::event::{Event, Forgiven, ItemFinished, Outcome, TaskFinished};
use jiff::Timestamp;

use super::{Report, Said, style};
use crate::printable;

/// Which tasks stand before a task, each with the reason.
pub type Edges = BTreeMap<Named, Vec<String>>;

/// A task as events name it: host, name and place.
pub type Named = (String, String, Option<String>);

/// Explains each task of a run in check mode.
#[derive(Debug, Default)]
pub struct Explain {
    /// What each task waits for.
    edges: Edges,
    /// Only tasks of this name or id.
    only: Option<String>,
    said: u64,
}

impl Explain {
    /// Explains all tasks, or those of a name or id.
    pub fn new(edges: Edges, only: Option<String>) -> Self {
        Self {
            edges,
            only,
            said: 0,
        }
    }

    fn task(&mut self, task: &TaskFinished) -> String {
        let name = &task.name;
        if self
            .only
            .as_ref()
            .is_some_and(|only| *only != name.task && *only != name.id)
        {
            return String::new();
        }
        let gap = if self.said == 0 { "" } else { "\n" };
        self.said += 1;
        let place = name
            .source
            .as_ref()
            .map(|place| format!(", {}", printable::line(place)));
        let mut out = format!(
            "{gap}{}  {}  ({}{})\n",
            printable::line(&name.host),
            style::paint(style::STRONG, &printable::line(&name.task)),
            name.module,
            place.unwrap_or_default(),
        );
        out += &format!("  {}\n", verdict(task));
        for item in &task.items {
            out += &turn(item);
        }
        if let Some(error) = &task.error {
            out += &format!("  error: {}\n", printable::line(&error.message));
            if let Some(help) = &error.help {
                out += &format!("  help: {}\n", printable::line(help));
            }
        }
        let key = (name.host.clone(), name.task.clone(), name.source.clone());
        for edge in self.edges.get(&key).into_iter().flatten() {
            out += &format!("  after {}\n", printable::line(edge));
        }
        out
    }
}

impl Report for Explain {
    fn fold(&mut self, event: &Event, _: Timestamp) -> Said {
        let report = match event {
            Event::TaskFinished(task) => self.task(task),
            Event::HostUnreachable { host, error, help } => {
                let (host, error) = (printable::line(host), printable::line(error));
                let help = help.as_ref().map(|help| printable::line(help));
                let help = help.map(|help| format!("  help: {help}\n"));
                format!(
                    "{} {host}: {error}\n{}",
                    style::paint(style::BAD, "unreachable"),
                    help.unwrap_or_default()
                )
            }
            Event::RunFinished { .. } if self.said == 0 => {
                "no task has anything to say: handlers that nobody notifies stay silent\n"
                    .to_owned()
            }
            _ => String::new(),
        };
        Said {
            report,
            talk: String::new(),
        }
    }
}

fn verdict(task: &TaskFinished) -> String {
    let reason = task.reason.to_string();
    // What only reads runs, though nothing is changed by it.
    let reads = task.outcome == Outcome::Unchanged && !task.changes.is_empty();
    let mut out = if reads {
        let word = style::paint(style::GOOD, "would run, and change nothing");
        format!("{word}: {}", printable::line(&reason))
    } else {
        said(task.outcome, &reason)
    };
    match task.forgiven {
        Some(Forgiven::Ignored) => out += "; its failure would be ignored",
        Some(Forgiven::Rescued) => out += "; a rescue would take its failure",
        None => {}
    }
    let changed = task.changes.iter().map(|change| change.what.clone());
    let changed: Vec<_> = changed.collect();
    if !changed.is_empty() {
        let word = if reads { "does" } else { "changes" };
        out += &format!("; {word}: {}", printable::line(&changed.join(", ")));
    }
    out
}

fn turn(item: &ItemFinished) -> String {
    let verdict = said(item.outcome, &item.reason.to_string());
    format!("    {}: {verdict}\n", printable::line(&item.item))
}

fn said(outcome: Outcome, reason: &str) -> String {
    let (word, style) = match outcome {
        Outcome::Changed => ("would run", style::CHANGE),
        Outcome::Unchanged | Outcome::Assumed => ("would change nothing", style::GOOD),
        Outcome::Skipped => ("would be skipped", style::QUIET),
        Outcome::Unknown => ("cannot be known now", style::NOTE),
        Outcome::Failed => ("would fail", style::BAD),
        Outcome::Blocked => ("would not be reached", style::BAD),
    };
    format!("{}: {}", style::paint(style, word), printable::line(reason))
}
