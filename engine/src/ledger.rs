//! What earlier runs did on a host: a snapshot and a journal of lines, replayed into records.
//!
//! A line is a JSON object; `k` says what it is. Lines of a kind that this version does not know are
//! kept out of the model, but a ledger of a newer format is refused. The ledger speaks of what *we*
//! did; it is never taken for the state of the host.

mod line;
mod view;

use std::collections::{BTreeMap, BTreeSet};

pub use line::{Ended, Line, Scope};
pub use view::{LedgerView, RecordView, RunView, forget, show};

use serde::{Deserialize, Serialize};

use crate::{fingerprint::Fingerprint, host::LedgerText, source::hex, value::Value};

/// The format of the lines.
pub const FORMAT: u32 = 1;

/// The ledger of one machine.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// The machine it is bound to.
    pub machine: String,
    /// The directory it is kept in.
    pub dir: String,
    /// The serial it was read at; 0 where there was none.
    pub serial: u64,
    /// Tasks by scope.
    pub records: BTreeMap<Scope, Record>,
    /// Which epochs of which tasks a listener has served.
    pub served: BTreeMap<Scope, BTreeMap<Scope, String>>,
    /// Runs, oldest first.
    pub runs: Vec<Line>,
    /// The random value that keys digests of secrets.
    pub key: Vec<u8>,
    /// Whether `key` still has to be written.
    pub key_is_new: bool,
    /// Bytes of the journal: it is folded into the snapshot when it grows.
    pub journal_len: usize,
}

/// What is known of one task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its module.
    pub module: String,
    /// What people called it.
    pub name: String,
    /// The fingerprint with which it last ended well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub print: Option<Fingerprint>,
    /// The last epoch: renewed before its first step in each run that changes something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<String>,
    /// How that epoch ended; `None`: it was cut off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
    /// Who listened to that epoch.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub listeners: BTreeSet<String>,
    /// What the module wants to know next time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<Value>,
    /// The result of a `once` command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// When the run of that epoch started.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub at: String,
    /// The run of that epoch.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub run: String,
    /// The name of the spool of a long step that may still be running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub long: Option<String>,
}

impl Record {
    /// Whether listeners that have not served its epoch are owed a turn.
    pub fn owes(&self) -> bool {
        self.epoch.is_some() && self.ended != Some(Ended::Unchanged)
    }

    /// Whether it was cut off in the middle.
    pub fn interrupted(&self) -> bool {
        self.epoch.is_some() && self.ended.is_none()
    }
}

/// A ledger that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// It was written by a newer version.
    #[error("the ledger has format {0}; this version knows {FORMAT} and older")]
    Newer(u32),
}

/// Which ledger it is: a machine has one for root and one for each user.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Home {
    machine: String,
    dir: String,
}

impl Ledger {
    /// Which one it is.
    pub fn home(&self) -> Home {
        Home {
            machine: self.machine.clone(),
            dir: self.dir.clone(),
        }
    }

    /// Reads what a host has. A ledger that was copied from another machine counts as none. The
    /// last line of the journal may be torn: it is dropped.
    pub fn read(text: &LedgerText) -> Result<Self, LedgerError> {
        let mut ledger = Self {
            machine: text.machine.clone(),
            dir: text.dir.clone(),
            serial: text.serial,
            journal_len: text.journal.len(),
            ..Self::default()
        };
        let mut pending = Begun::default();
        let lines = text.snapshot.lines().chain(text.journal.lines());
        for line in lines.filter_map(|line| serde_json::from_str::<Line>(line).ok()) {
            match line {
                Line::Ledger { v, .. } if v > FORMAT => return Err(LedgerError::Newer(v)),
                Line::Ledger { machine, .. } if machine != text.machine => {
                    let Self {
                        machine,
                        dir,
                        serial,
                        journal_len,
                        ..
                    } = ledger;
                    ledger = Self {
                        machine,
                        dir,
                        serial,
                        journal_len,
                        ..Self::default()
                    };
                    ledger.renew_key();
                    return Ok(ledger);
                }
                line => ledger.replay(line, &mut pending),
            }
        }
        ledger.settle(pending, &text.boot);
        if ledger.key.is_empty() {
            ledger.renew_key();
        }
        Ok(ledger)
    }

    fn renew_key(&mut self) {
        let mut key = [0; 32];
        getrandom::fill(&mut key).expect("the system gives random bytes");
        self.key = hex(&key).into_bytes();
        self.key_is_new = true;
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each kind of line")]
    fn replay(&mut self, line: Line, pending: &mut Begun) {
        match line {
            Line::Ledger { .. } => {}
            Line::Key { key } => {
                self.key = key.into_bytes();
                self.key_is_new = false;
            }
            Line::Run { .. } => self.runs.push(line),
            Line::Intent {
                task,
                epoch,
                module,
                name,
                print,
                listeners,
                at,
                run,
                long,
                boot,
            } => {
                let begun = Record {
                    module,
                    name,
                    print,
                    listeners,
                    at,
                    run,
                    long,
                    epoch: Some(epoch.clone()),
                    ..Record::default()
                };
                let state = Pending {
                    task,
                    begun,
                    boot,
                    started: false,
                    done: None,
                };
                let epochs = pending.of_tasks.entry(state.task.clone()).or_default();
                epochs.push(epoch.clone());
                pending.epochs.insert(epoch, state);
            }
            Line::Start { epoch } => self.started(&epoch, pending),
            Line::Void { epoch } => {
                pending.epochs.remove(&epoch);
            }
            Line::Done { epoch, ok } => {
                if let Some(state) = pending.epochs.get_mut(&epoch) {
                    state.done = Some(ok);
                }
            }
            Line::End {
                epoch,
                ended,
                witness,
                result,
            } => {
                if let Some(state) = pending.epochs.remove(&epoch) {
                    self.end(state, Some(ended), witness, result);
                }
            }
            Line::Record { task, record } => {
                self.records.insert(task, *record);
            }
            Line::State {
                task,
                module,
                name,
                print,
                witness,
            } => {
                let record = self.records.entry(task).or_default();
                Record {
                    module,
                    name,
                    print: Some(print),
                    witness,
                    ..record.clone()
                }
                .clone_into(record);
            }
            Line::Served { listener, tasks } => {
                self.served.entry(listener).or_default().extend(tasks);
            }
            Line::Forget { task } => {
                for epoch in pending.of_tasks.remove(&task).unwrap_or_default() {
                    pending.epochs.remove(&epoch);
                }
                self.records.remove(&task);
            }
        }
    }

    /// A task's first step begins. What an older epoch of it came to is settled first: the new one
    /// takes its place.
    fn started(&mut self, epoch: &str, pending: &mut Begun) {
        let Some(state) = pending.epochs.get_mut(epoch) else {
            return;
        };
        state.started = true;
        let mine = vec![epoch.to_owned()];
        let all = pending.of_tasks.insert(state.task.clone(), mine);
        let older = all.into_iter().flatten().filter(|other| other != epoch);
        for older in older.filter_map(|older| pending.epochs.remove(&older)) {
            if older.started {
                let ended = older.done.map(Ended::of_steps);
                self.end(older, ended, None, None);
            }
        }
    }

    fn end(
        &mut self,
        state: Pending,
        ended: Option<Ended>,
        witness: Option<Value>,
        result: Option<Value>,
    ) {
        let old = self.records.remove(&state.task).unwrap_or_default();
        let well = matches!(ended, Some(Ended::Changed | Ended::Unchanged));
        let record = if ended == Some(Ended::Unchanged)
            && self.unserved(&state.task, &old).next().is_some()
        {
            // That nothing changed this time pays nobody.
            Record {
                epoch: old.epoch,
                listeners: old.listeners,
                ended: Some(Ended::Changed),
                witness,
                result,
                long: None,
                ..state.begun
            }
        } else if well {
            Record {
                ended,
                witness,
                result,
                long: None,
                ..state.begun
            }
        } else {
            // The last good end is what reasons are measured against.
            let long = if ended.is_none() {
                state.begun.long.clone()
            } else {
                None
            };
            Record {
                ended,
                long,
                print: old.print,
                witness: old.witness,
                result: old.result,
                ..state.begun
            }
        };
        self.records.insert(state.task, record);
    }

    /// What was begun and has no end: steps that were done count as changed, what was started as
    /// cut off; what was only meant is forgotten, unless the machine went down with it.
    fn settle(&mut self, pending: Begun, boot: &str) {
        for state in pending.epochs.into_values() {
            if state.started || state.boot != boot {
                let ended = state.done.map(Ended::of_steps);
                self.end(state, ended, None, None);
            }
        }
    }

    /// The last epoch of a task in earlier runs.
    pub fn epoch(&self, task: &Scope) -> Option<&String> {
        self.records.get(task)?.epoch.as_ref()
    }

    /// What listeners of a host and project are owed a turn for: tasks by listener.
    pub fn owing(&self, of: &Scope) -> BTreeMap<String, Vec<Scope>> {
        let mut owing: BTreeMap<String, Vec<Scope>> = BTreeMap::new();
        let records = self.records.range(Scope::all_of(&of.project, &of.host));
        for (task, record) in records {
            for listener in self.unserved(task, record) {
                let tasks = owing.entry(listener.clone()).or_default();
                tasks.push(task.clone());
            }
        }
        owing
    }

    /// Tasks of earlier runs that this listener is owed a turn for.
    pub fn owed<'a>(
        &'a self,
        listener: &'a Scope,
    ) -> impl Iterator<Item = (&'a Scope, &'a Record)> + 'a {
        let owes = |(task, record): &(&'a Scope, &'a Record)| {
            self.unserved(task, record)
                .any(|name| *name == listener.task)
        };
        self.records
            .range(Scope::all_of(&listener.project, &listener.host))
            .filter(owes)
    }

    /// Who listened to the epoch of this record and has not served it.
    fn unserved<'a>(
        &'a self,
        task: &'a Scope,
        record: &'a Record,
    ) -> impl Iterator<Item = &'a String> + 'a {
        let served = move |name: &&String| {
            let listener = Scope {
                task: (*name).clone(),
                ..task.clone()
            };
            let tasks = self.served.get(&listener);
            tasks.and_then(|tasks| tasks.get(task)) == record.epoch.as_ref()
        };
        let listeners = record.listeners.iter().filter(|_| record.owes());
        listeners.filter(move |name| !served(name))
    }

    /// The lines of a snapshot that says the same.
    pub fn lines(&self) -> Vec<Line> {
        let mut lines = vec![Line::Ledger {
            v: FORMAT,
            machine: self.machine.clone(),
        }];
        if let Ok(key) = String::from_utf8(self.key.clone()) {
            lines.push(Line::Key { key });
        }
        // A hundred runs are enough to see who did what.
        let skip = self.runs.len().saturating_sub(100);
        lines.extend(self.runs.iter().skip(skip).cloned());
        lines.extend(self.records.iter().map(|(task, record)| Line::Record {
            task: task.clone(),
            record: Box::new(record.clone()),
        }));
        lines.extend(self.served.iter().map(|(listener, tasks)| Line::Served {
            listener: listener.clone(),
            tasks: tasks.clone().into_iter().collect(),
        }));
        lines
    }

    /// The first lines of a ledger, or of one whose key is new.
    pub fn head(&self) -> Vec<Line> {
        if !self.key_is_new {
            return Vec::new();
        }
        let key = String::from_utf8_lossy(&self.key).into_owned();
        vec![
            Line::Ledger {
                v: FORMAT,
                machine: self.machine.clone(),
            },
            Line::Key { key },
        ]
    }
}

/// Epochs that were begun and have not ended.
#[derive(Default)]
struct Begun {
    epochs: BTreeMap<String, Pending>,
    /// Of each task; some may have ended.
    of_tasks: BTreeMap<Scope, Vec<String>>,
}

struct Pending {
    task: Scope,
    begun: Record,
    boot: String,
    started: bool,
    done: Option<bool>,
}
