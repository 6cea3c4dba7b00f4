//! What the loops of all hosts share: the schedule, results, and who is on which machine.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};

use tokio::sync::Notify;

use crate::{
    graph::Graph,
    ledger::Scope,
    schedule::{FailureRule, Schedule},
    task::{Output, Task, TaskId, TaskList},
};

/// How a task ended, for those that listen to it.
#[derive(Clone, Debug)]
pub(super) struct End {
    /// Whether it changed something; in check mode it may be unknown.
    pub(super) changed: Option<bool>,
    /// Its name in the ledger.
    pub(super) scope: Option<Scope>,
    /// The epoch it began in this run.
    pub(super) epoch: Option<String>,
}

/// The state of a run. Cloning it is how a host's loop looks ahead.
#[derive(Clone)]
pub(super) struct State {
    pub(super) schedule: Schedule,
    pub(super) outputs: Vec<Option<Arc<Output>>>,
    pub(super) ends: BTreeMap<TaskId, End>,
}

/// One machine, which may go by several names.
#[derive(Debug, Default)]
struct Machine {
    names: usize,
    locked: bool,
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// See the module.
pub(super) struct Board {
    state: Mutex<State>,
    machines: Mutex<BTreeMap<String, Machine>>,
    moved: Notify,
    /// For each task, those that must not miss its change.
    listeners: BTreeMap<TaskId, BTreeSet<String>>,
}

/// The name of a task as a listener, in the ledger.
pub(super) fn listener_name(task: &Task) -> String {
    let name = task.id.as_ref().unwrap_or(&task.name);
    if task.handler {
        format!("handler:{name}")
    } else {
        name.clone()
    }
}

impl Board {
    pub(super) fn new(list: &TaskList, graph: &Graph, rule: FailureRule) -> Self {
        let mut listeners: BTreeMap<TaskId, BTreeSet<String>> = BTreeMap::new();
        for task in &list.tasks {
            for to in task.triggers.iter().chain(&task.heeds) {
                listeners
                    .entry(*to)
                    .or_default()
                    .insert(listener_name(task));
            }
        }
        let state = State {
            schedule: Schedule::new(list, graph, rule),
            outputs: vec![None; list.tasks.len()],
            ends: BTreeMap::new(),
        };
        Self {
            state: Mutex::new(state),
            machines: Mutex::default(),
            moved: Notify::new(),
            listeners,
        }
    }

    /// The state; never held over an await.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("no loop panics while it holds the state")
    }

    pub(super) fn outputs(&self) -> Vec<Option<Arc<Output>>> {
        self.state().outputs.clone()
    }

    pub(super) fn listeners(&self, task: TaskId) -> BTreeSet<String> {
        self.listeners.get(&task).cloned().unwrap_or_default()
    }

    /// Wakes loops that wait for other hosts.
    pub(super) fn moved(&self) {
        self.moved.notify_waiters();
    }

    /// Completes when another loop has moved the state after this was called.
    pub(super) fn next_move(&self) -> tokio::sync::futures::Notified<'_> {
        self.moved.notified()
    }

    /// A name of the run is on this machine.
    pub(super) fn arrive(&self, machine: &str) {
        self.machine(machine, |it| it.names += 1);
    }

    /// A name of the run needs the machine no more. Whether it has to give the lock back, as the
    /// last of those that may use it.
    pub(super) fn leave(&self, machine: &str) -> bool {
        self.machine(machine, |it| {
            it.names -= 1;
            let last = it.names == 0 && it.locked;
            it.locked &= !last;
            last
        })
    }

    /// Whether this run holds the machine's lock.
    pub(super) fn is_locked(&self, machine: &str) -> bool {
        self.machine(machine, |it| it.locked)
    }

    pub(super) fn locked(&self, machine: &str) {
        self.machine(machine, |it| it.locked = true);
    }

    /// The turn to use the machine's lock, which is the run's: its names use it one after the other.
    pub(super) fn turn(&self, machine: &str) -> Arc<tokio::sync::Mutex<()>> {
        self.machine(machine, |it| Arc::clone(&it.turn))
    }

    fn machine<T>(&self, name: &str, with: impl FnOnce(&mut Machine) -> T) -> T {
        let mut machines = self
            .machines
            .lock()
            .expect("nothing panics while it holds this");
        with(machines.entry(name.to_owned()).or_default())
    }
}
