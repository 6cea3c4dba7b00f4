//! A run as one page of HTML: nothing outside it is asked for, and no script is needed.

mod critical;
mod page;
mod timeline;

use std::collections::BTreeMap;

use evenkeel_engine::event::{Event, Recap, TaskFinished};
use indexmap::IndexMap;
use jiff::Timestamp;

/// Collects what a page tells.
#[derive(Debug, Default)]
pub struct Html {
    graph: Graph,
    playbooks: Vec<String>,
    check: bool,
    begun: Option<Timestamp>,
    /// By host and id: when steps were sent.
    sent: BTreeMap<(String, String), Timestamp>,
    /// By host and id: how many milliseconds the host took to say what a task wanted to know at its turn.
    asked: BTreeMap<(String, String), u64>,
    tasks: Vec<Timed>,
    unreachable: Vec<Unreachable>,
    warnings: Vec<Warning>,
    end: Option<End>,
}

/// The drawing of the graph, and words about it.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// SVG.
    pub drawing: String,
    /// What it leaves out.
    pub note: String,
    /// All tasks, each after those that it waits for; none where there are too many.
    pub waits: Vec<Waits>,
}

/// What a task waits for.
#[derive(Clone, Debug)]
pub struct Waits {
    /// The name of its host.
    pub host: String,
    /// What events call it.
    pub id: String,
    /// Others, by their place in the list.
    pub for_these: Vec<usize>,
}

/// A task, with when it ran.
#[derive(Debug)]
struct Timed {
    task: TaskFinished,
    /// Milliseconds after the run began.
    from: u64,
    to: u64,
    /// How many milliseconds went by before that with questions about it.
    asked: u64,
}

impl Timed {
    /// How many milliseconds it took, questions included.
    fn took(&self) -> u64 {
        self.asked + (self.to - self.from)
    }
}

#[derive(Debug)]
struct Unreachable {
    host: String,
    error: String,
    help: Option<String>,
}

#[derive(Debug)]
struct Warning {
    host: String,
    task: Option<String>,
    message: String,
}

#[derive(Debug)]
struct End {
    ok: bool,
    interrupted: bool,
    duration_ms: u64,
    hosts: IndexMap<String, Recap>,
}

impl Html {
    /// A page with this drawing of the graph.
    pub fn new(graph: Graph) -> Self {
        Self {
            graph,
            ..Self::default()
        }
    }

    /// Takes the next event.
    pub fn fold(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::RunStarted {
                playbooks, check, ..
            } => {
                self.playbooks.clone_from(playbooks);
                self.check = *check;
                self.begun = Some(at);
            }
            Event::HostUnreachable { host, error, help } => self.unreachable.push(Unreachable {
                host: host.clone(),
                error: error.clone(),
                help: help.clone(),
            }),
            Event::Warning {
                host,
                task,
                message,
                ..
            } => self.warnings.push(Warning {
                host: host.clone(),
                task: task.clone(),
                message: message.clone(),
            }),
            Event::TaskAsked { name, duration_ms } => {
                let key = (name.host.clone(), name.id.clone());
                *self.asked.entry(key).or_default() += duration_ms;
            }
            Event::TaskStarted(name) => {
                self.sent.insert((name.host.clone(), name.id.clone()), at);
            }
            Event::TaskFinished(task) => self.finished(task, at),
            Event::RunFinished {
                ok,
                interrupted,
                duration_ms,
                hosts,
            } => {
                self.end = Some(End {
                    ok: *ok,
                    interrupted: *interrupted,
                    duration_ms: *duration_ms,
                    hosts: hosts.clone(),
                });
            }
            Event::HostConnected { .. } | Event::Waiting { .. } | Event::TaskRetried { .. } => {}
        }
    }

    fn finished(&mut self, task: &TaskFinished, at: Timestamp) {
        let key = (task.name.host.clone(), task.name.id.clone());
        let begun = self.begun.unwrap_or(at);
        let since =
            |at: Timestamp| u64::try_from(at.duration_since(begun).as_millis()).unwrap_or_default();
        let to = since(at);
        let sent = self.sent.remove(&key).map(since);
        // Its own steps are shorter than the exchange that they were part of.
        let from = to.saturating_sub(task.duration_ms);
        self.tasks.push(Timed {
            task: task.clone(),
            from: sent.map_or(from, |sent| from.max(sent)),
            to,
            asked: self.asked.remove(&key).unwrap_or_default(),
        });
    }

    /// The page, once the run has ended.
    pub fn page(&self) -> Option<String> {
        Some(page::page(self, self.end.as_ref()?))
    }
}
