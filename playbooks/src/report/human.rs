//! The report that people read: a line for each task that did something or failed, what it did and
//! why; what is in its state is only counted.

mod detail;

use std::collections::{BTreeMap, BTreeSet};

use anstyle::Style;
use evenkeel_engine::{
    Reason,
    event::{
        ChangeShown, Event, Forgiven, ItemFinished, Outcome, Recap, TaskError, TaskFinished,
        TaskName,
    },
};
use indexmap::IndexMap;
use jiff::Timestamp;
use unicode_width::UnicodeWidthStr as _;

use super::{Report, Said, recap, style};
use crate::{printable, prose};

/// The report that people read.
#[derive(Debug, Default)]
pub struct Human {
    /// How often `-v` was said.
    verbose: u8,
    check: bool,
    host_width: usize,
    /// Whether the report has a line yet.
    any: bool,
    /// The play whose name was printed last.
    play: String,
    /// By host and what failed: how many tasks did not run.
    blocked: BTreeMap<(String, String), u64>,
    /// By host: tasks whose failure a rescue took.
    rescued: BTreeSet<(String, String)>,
}

/// The first three columns of a line.
struct Head<'a> {
    tag: &'a str,
    style: Style,
    host: &'a str,
    text: &'a str,
}

impl Human {
    /// A report that is as talkative as `-v` was said often.
    pub fn new(verbose: u8) -> Self {
        Self {
            verbose,
            ..Self::default()
        }
    }

    fn line(&self, head: &Head<'_>, rest: &str) -> String {
        let tag = style::paint(head.style, &prose::pad(head.tag, style::TAG));
        let host = prose::pad(&printable::line(head.host), self.host_width);
        let text = printable::line(head.text);
        let gap = if rest.is_empty() { "" } else { "  " };
        let line = format!("{tag}  {host}  {text}{gap}{rest}");
        format!("{}\n", line.trim_end())
    }

    /// The play's name, if it is not the one that was printed last.
    fn play(&mut self, play: &str) -> String {
        if play.is_empty() || play == self.play {
            return String::new();
        }
        let gap = if self.play.is_empty() { "" } else { "\n" };
        play.clone_into(&mut self.play);
        let title = format!("play {}", printable::line(play));
        format!("{gap}{}\n", style::paint(style::STRONG, &title))
    }

    fn finished(&mut self, task: &TaskFinished) -> String {
        if let Reason::Blocked { by } = &task.reason {
            let key = (task.name.host.clone(), by.clone());
            *self.blocked.entry(key).or_default() += 1;
        }
        if task.forgiven == Some(Forgiven::Rescued) {
            let key = (task.name.host.clone(), task.name.task.clone());
            self.rescued.insert(key);
        }
        if !self.is_shown(task) {
            return String::new();
        }
        let mut out = self.play(&task.name.play);
        out += &self.task_line(task);
        if self.verbose >= 2 && task.error.is_none() {
            out += &detail::source(&task.name);
        }
        if task.items.is_empty() {
            out += &self.body(
                &task.changes,
                task.error.as_ref(),
                task.message.as_ref(),
                &task.name,
            );
        } else {
            for item in &task.items {
                out += &self.item(item, &task.name);
            }
            if let Some(error) = task.error.as_ref().filter(|_| no_item_says_why(task)) {
                out += &detail::failure(error, &task.name, self.verbose);
            }
        }
        if let Some(result) = &task.result {
            out += &detail::result(result);
        }
        out
    }

    fn is_shown(&self, task: &TaskFinished) -> bool {
        let says = task.message.is_some() || task.items.iter().any(|item| item.message.is_some());
        match task.outcome {
            Outcome::Changed | Outcome::Unknown | Outcome::Failed => true,
            Outcome::Unchanged => self.verbose >= 1 || says,
            Outcome::Assumed | Outcome::Skipped | Outcome::Blocked => self.verbose >= 1,
        }
    }

    fn task_line(&self, task: &TaskFinished) -> String {
        let says = task.message.is_some() || task.items.iter().any(|item| item.message.is_some());
        let (tag, style) = match (task.forgiven, task.outcome) {
            (Some(Forgiven::Ignored), _) => ("ignored", style::CHANGE),
            (Some(Forgiven::Rescued), _) => ("rescued", style::CHANGE),
            (None, Outcome::Unchanged) if says => ("says", style::NOTE),
            (None, outcome) => style::outcome(outcome, self.check),
        };
        let mut why = Vec::new();
        match task.forgiven {
            Some(Forgiven::Ignored) => why.push("it failed, and that is ignored".to_owned()),
            Some(Forgiven::Rescued) => why.push("it failed, and a rescue takes it".to_owned()),
            // That it is in its state is what `unchanged` means, and an error says itself why.
            None if tag == "says" || task.outcome == Outcome::Failed => {}
            None if matches!(task.reason, Reason::InState) => {}
            None => {
                let reason = task.reason.to_string();
                let reason = reason.trim_start_matches("assumed: ");
                why.push(printable::line(reason).into_owned());
            }
        }
        if !task.items.is_empty() && tag != "says" {
            let same = task
                .items
                .iter()
                .filter(|item| item.outcome == task.outcome);
            why.push(format!(
                "{} of {}",
                same.count(),
                prose::count(task.items.len() as u64, "item")
            ));
        }
        if task.duration_ms >= 1_000 || self.verbose >= 2 {
            why.push(prose::duration(task.duration_ms));
        }
        let rest = if why.is_empty() {
            String::new()
        } else {
            style::paint(style::QUIET, &format!("({})", why.join("; ")))
        };
        let head = Head {
            tag,
            style,
            host: &task.name.host,
            text: &task.name.task,
        };
        self.line(&head, &rest)
    }

    fn item(&self, item: &ItemFinished, name: &TaskName) -> String {
        let says = item.message.is_some();
        let shown = matches!(
            item.outcome,
            Outcome::Changed | Outcome::Unknown | Outcome::Failed
        );
        if !shown && !says && self.verbose == 0 {
            return String::new();
        }
        let (tag, style) = match item.outcome {
            Outcome::Unchanged if says => ("says", style::NOTE),
            outcome => style::outcome(outcome, self.check),
        };
        let why = match item.reason {
            Reason::InState => String::new(),
            _ if says || item.outcome == Outcome::Failed => String::new(),
            ref reason => {
                let reason = reason.to_string();
                style::paint(style::QUIET, &format!("  ({})", printable::line(&reason)))
            }
        };
        let label = printable::line(&item.item);
        let tag = style::paint(style, tag);
        let body = self.body(
            &item.changes,
            item.error.as_ref(),
            item.message.as_ref(),
            name,
        );
        format!("    {label}: {tag}{why}\n{}", prose::indent(&body, "    "))
    }

    fn body(
        &self,
        changes: &[ChangeShown],
        error: Option<&TaskError>,
        message: Option<&serde_json::Value>,
        name: &TaskName,
    ) -> String {
        let mut out = String::new();
        for change in changes {
            out += &detail::change(change, self.verbose);
        }
        if let Some(error) = error {
            out += &detail::failure(error, name, self.verbose);
        }
        if let Some(message) = message {
            out += &detail::message(message);
        }
        out
    }

    fn warning(
        &mut self,
        host: &str,
        task: Option<&str>,
        source: Option<&str>,
        what: &str,
    ) -> String {
        let head = Head {
            tag: "warning",
            style: style::CHANGE,
            host,
            text: task.unwrap_or_default(),
        };
        let place = source.map(|place| format!("{}: ", printable::line(place)));
        let text = format!("{}{}", place.unwrap_or_default(), printable::block(what));
        if task.is_none() && !text.contains('\n') {
            return self.line(
                &Head {
                    text: &text,
                    ..head
                },
                "",
            );
        }
        self.line(&head, "") + &prose::indent(&text, "    ")
    }

    /// What is said beside the report.
    fn talk(&self, event: &Event) -> String {
        match event {
            Event::HostConnected { host, duration_ms } if self.verbose >= 1 => {
                let text = format!("connected in {}", prose::duration(*duration_ms));
                self.short("connected", style::QUIET, host, &text)
            }
            Event::Waiting { host, what } => self.short("waiting", style::NOTE, host, what),
            Event::TaskRetried {
                name,
                item,
                retry,
                retries,
                delay_ms,
            } => {
                let item = item
                    .as_ref()
                    .map_or(String::new(), |item| format!(" ({item})"));
                let again = match delay_ms {
                    0 => "at once".to_owned(),
                    delay => format!("in {}", prose::duration(*delay)),
                };
                let text = format!("{}{item}: {retry}/{retries} {again}", name.task);
                self.short("retry", style::NOTE, &name.host, &text)
            }
            Event::TaskStarted(name) if self.verbose >= 3 => {
                self.short("started", style::QUIET, &name.host, &name.task)
            }
            _ => String::new(),
        }
    }

    /// A line that has nothing in brackets.
    fn short(&self, tag: &str, style: Style, host: &str, text: &str) -> String {
        let head = Head {
            tag,
            style,
            host,
            text,
        };
        self.line(&head, "")
    }

    fn end(&self, hosts: &IndexMap<String, Recap>, end: &recap::End) -> String {
        let mut out = String::new();
        // With `-v` each has had its line.
        if self.verbose == 0 {
            out = self.blocked();
        }
        if self.any || !out.is_empty() {
            out.push('\n');
        }
        out + &recap::recap(hosts, end)
    }

    fn blocked(&self) -> String {
        let mut out = String::new();
        for (key, number) in &self.blocked {
            let (host, by) = key;
            let tasks = prose::count(*number, "task");
            out += &if self.rescued.contains(key) {
                let text = format!("{tasks}, because `{by}` failed and a rescue took it");
                self.short("passed over", style::QUIET, host, &text)
            } else {
                let text = format!("{tasks} did not run, because `{by}` failed");
                self.short("blocked", style::BAD, host, &text)
            };
        }
        out
    }
}

/// Whether the error of a loop is not the one of an item.
fn no_item_says_why(task: &TaskFinished) -> bool {
    task.items.iter().all(|item| item.error.is_none())
}

impl Report for Human {
    fn fold(&mut self, event: &Event, _: Timestamp) -> Said {
        let mut report = String::new();
        match event {
            Event::RunStarted { hosts, check, .. } => {
                self.check = *check;
                let widths = hosts.iter().map(|host| printable::line(host).width());
                self.host_width = widths.max().unwrap_or_default();
            }
            Event::HostUnreachable { host, error, help } => {
                report = self.short("unreachable", style::BAD, host, error);
                if let Some(help) = help {
                    report += &detail::help(help);
                }
            }
            Event::Warning {
                host,
                task,
                source,
                message,
            } => report = self.warning(host, task.as_deref(), source.as_deref(), message),
            Event::TaskFinished(task) => report = self.finished(task),
            Event::RunFinished {
                interrupted,
                duration_ms,
                hosts,
                ..
            } => {
                let end = recap::End {
                    check: self.check,
                    interrupted: *interrupted,
                    duration_ms: *duration_ms,
                    all: self.verbose >= 1,
                };
                report = self.end(hosts, &end);
            }
            Event::HostConnected { .. }
            | Event::Waiting { .. }
            | Event::TaskAsked { .. }
            | Event::TaskStarted(_)
            | Event::TaskRetried { .. } => {}
        }
        self.any |= !report.is_empty();
        Said {
            report,
            talk: self.talk(event),
        }
    }
}
