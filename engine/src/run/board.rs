//! What the loops of all hosts share: the schedule, results, and who keeps which ledger.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::{Notify, OwnedRwLockWriteGuard};

use super::{Shared, called::Called};

use crate::{
    graph::Graph,
    ledger::{Home, Ledger, Record, Scope},
    schedule::{FailureRule, Schedule},
    task::{Output, Task, TaskId, TaskList},
    thing::Thing,
};

/// The epoch of a change that no step made: foretold, or by `changed_when`.
pub(super) const UNWRITTEN: &str = "unwritten";

/// How a task ended, for those that listen to it.
#[derive(Clone, Debug)]
pub(super) struct End {
    /// Whether it changed something; in check mode it may be unknown.
    pub(super) changed: Option<bool>,
    /// Its name in the ledger.
    pub(super) scope: Scope,
    /// The epoch it began in this run, or [`UNWRITTEN`].
    pub(super) epoch: String,
    /// Whom its change calls.
    pub(super) called: Called,
    /// What it began anew.
    pub(super) renews: Vec<Thing>,
    /// The how manieth end it was; [`State::end`] says.
    pub(super) at: usize,
}

/// The state of a run. Cloning it is how a host's loop looks ahead.
#[derive(Clone)]
pub(super) struct State {
    pub(super) schedule: Schedule,
    pub(super) outputs: Vec<Option<Arc<Output>>>,
    pub(super) ends: BTreeMap<TaskId, End>,
    /// How many ends there were.
    count: usize,
    /// Which epochs of which tasks a listener has served in this run.
    pub(super) served: BTreeMap<Scope, BTreeMap<Scope, String>>,
}

impl State {
    /// A task that was not to run has ended without a word; who reads its result finds that.
    pub(super) fn pass_over(&mut self, id: TaskId, changed: bool) {
        let output = Output {
            changed: changed.into(),
            skipped: true,
            ..Output::default()
        };
        self.outputs[id.index()] = Some(Arc::new(output));
    }

    /// A task ended.
    pub(super) fn end(&mut self, id: TaskId, end: End) {
        self.count += 1;
        let at = self.count;
        self.ends.insert(id, End { at, ..end });
    }

    /// What tasks of a host have begun anew since that many ends.
    pub(super) fn renewed_since<'a>(
        &'a self,
        at: usize,
        is_here: impl Fn(TaskId) -> bool + 'a,
    ) -> impl Iterator<Item = &'a Thing> {
        let later = move |(id, end): &(&TaskId, &End)| end.at > at && is_here(**id);
        let ended = self.ends.iter().filter(|(_, end)| !end.renews.is_empty());
        ended.filter(later).flat_map(|(_, end)| &end.renews)
    }

    /// A listener had its turn for these epochs.
    pub(super) fn serve(&mut self, listener: Scope, epochs: &[(Scope, String)]) {
        let served = self.served.entry(listener).or_default();
        served.extend(epochs.iter().cloned());
    }
}

/// What the run has to do with one ledger, whose machine may go by several names.
#[derive(Debug, Default)]
struct Ours {
    names: usize,
    locked: bool,
    /// The key of its ledger, once a name has read or made it.
    key: Vec<u8>,
}

/// A machine, which may go by several names of the run.
#[derive(Debug, Default)]
pub(super) struct Machine {
    /// Held alone by a name that changes it, and together by names that only look: a look that sees
    /// half of a change is worth nothing.
    pub(super) turn: Arc<tokio::sync::RwLock<()>>,
    /// How often a name has begun to change it.
    pub(super) writes: AtomicU64,
    /// When the last change ended, by the board's clock.
    ended: AtomicU64,
    /// How many have ended.
    done: AtomicU64,
}

impl Machine {
    /// Whether nobody has changed it since then, and nobody does now.
    pub(super) fn is_as_it_was(&self, then: u64) -> bool {
        let ended = self.done.load(Ordering::SeqCst) == self.writes.load(Ordering::SeqCst);
        ended && self.ended.load(Ordering::SeqCst) <= then
    }
}

/// A machine for one name alone.
pub(super) struct Alone {
    shared: Arc<Shared>,
    machine: Arc<Machine>,
    _turn: OwnedRwLockWriteGuard<()>,
}

impl Alone {
    pub(super) fn new(
        shared: Arc<Shared>,
        machine: Arc<Machine>,
        turn: OwnedRwLockWriteGuard<()>,
    ) -> Self {
        Self {
            shared,
            machine,
            _turn: turn,
        }
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        let now = self.shared.board.clock.fetch_add(1, Ordering::SeqCst) + 1;
        self.machine.ended.store(now, Ordering::SeqCst);
        self.machine.done.fetch_add(1, Ordering::SeqCst);
    }
}

/// See the module.
pub(super) struct Board {
    state: Mutex<State>,
    homes: Mutex<BTreeMap<Home, Ours>>,
    machines: Mutex<BTreeMap<String, Arc<Machine>>>,
    /// Counts the changes of all machines.
    clock: AtomicU64,
    moved: Notify,
    /// For each task, those that must not miss its change.
    listeners: BTreeMap<TaskId, BTreeSet<String>>,
    /// Those of them that read its `.changed`.
    heeders: BTreeMap<TaskId, BTreeSet<String>>,
    /// By listeners on other hosts: what earlier runs changed that they listen to.
    abroad: Mutex<BTreeMap<String, BTreeMap<Scope, Record>>>,
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

/// The name of a listener on another host, in the ledger of what it listens to. What it has served
/// is in the ledger of its own host.
fn abroad(name: &str, host: &str) -> String {
    format!("{name}@{host}")
}

/// The name of a task as a listener, in the ledger of the task that it listens to.
pub(super) fn name_for(list: &TaskList, to: TaskId, listener: &Task) -> String {
    let name = listener_name(listener);
    let to = list.tasks.get(to.index());
    if to.is_none_or(|to| to.host == listener.host) {
        name
    } else {
        abroad(&name, &list.hosts[listener.host.index()].name)
    }
}

impl Board {
    pub(super) fn new(list: &TaskList, graph: &Graph, rule: FailureRule) -> Self {
        let mut listeners: BTreeMap<TaskId, BTreeSet<String>> = BTreeMap::new();
        let mut heeders = listeners.clone();
        for task in &list.tasks {
            let note = |map: &mut BTreeMap<TaskId, BTreeSet<String>>, to: TaskId| {
                let name = name_for(list, to, task);
                map.entry(to).or_default().insert(name);
            };
            for to in &task.triggers {
                note(&mut listeners, *to);
            }
            for to in &task.heeds {
                note(&mut listeners, *to);
                note(&mut heeders, *to);
            }
        }
        let state = State {
            schedule: Schedule::new(list, graph, rule),
            outputs: vec![None; list.tasks.len()],
            ends: BTreeMap::new(),
            count: 0,
            served: BTreeMap::new(),
        };
        Self {
            state: Mutex::new(state),
            homes: Mutex::default(),
            machines: Mutex::default(),
            clock: AtomicU64::new(0),
            moved: Notify::new(),
            listeners,
            heeders,
            abroad: Mutex::default(),
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

    /// What a host's ledger says that listeners on other hosts may be owed.
    pub(super) fn tell_others(&self, owing: &BTreeMap<String, Vec<Scope>>, ledger: &Ledger) {
        let mut abroad = self
            .abroad
            .lock()
            .expect("nothing panics while it holds this");
        for (listener, tasks) in owing.iter().filter(|(listener, _)| listener.contains('@')) {
            let records = tasks
                .iter()
                .filter_map(|task| ledger.records.get_key_value(task));
            let records = records.map(|(task, record)| (task.clone(), record.clone()));
            abroad.entry(listener.clone()).or_default().extend(records);
        }
    }

    /// What changed on other hosts in earlier runs that this listener listened to.
    pub(super) fn changed_abroad(&self, listener: &str, host: &str) -> Vec<(Scope, Record)> {
        let all = self
            .abroad
            .lock()
            .expect("nothing panics while it holds this");
        let found = all.get(&abroad(listener, host)).into_iter().flatten();
        found
            .map(|(task, record)| (task.clone(), record.clone()))
            .collect()
    }

    pub(super) fn heeders(&self, task: TaskId) -> impl Iterator<Item = &String> {
        self.heeders.get(&task).into_iter().flatten()
    }

    /// Wakes loops that wait for other hosts.
    pub(super) fn moved(&self) {
        self.moved.notify_waiters();
    }

    /// Completes when another loop has moved the state after this was called.
    pub(super) fn next_move(&self) -> tokio::sync::futures::Notified<'_> {
        self.moved.notified()
    }

    /// A name of the run keeps this ledger.
    pub(super) fn arrive(&self, home: &Home) {
        self.home(home, |it| it.names += 1);
    }

    /// A name of the run needs it no more. Whether it has to give the lock back, as the
    /// last of those that may use it.
    pub(super) fn leave(&self, home: &Home) -> bool {
        self.home(home, |it| {
            it.names -= 1;
            let last = it.names == 0 && it.locked;
            it.locked &= !last;
            last
        })
    }

    /// Whether this run holds its lock.
    pub(super) fn is_locked(&self, home: &Home) -> bool {
        self.home(home, |it| it.locked)
    }

    pub(super) fn locked(&self, home: &Home) {
        self.home(home, |it| it.locked = true);
    }

    /// Names with one ledger key digests of secrets alike: the first that comes says how.
    pub(super) fn share_key(&self, ledger: &mut Ledger) {
        self.home(&ledger.home(), |it| {
            if ledger.key_is_new && !it.key.is_empty() {
                // To write it twice does no harm.
                ledger.key.clone_from(&it.key);
            } else {
                it.key.clone_from(&ledger.key);
            }
        });
    }

    /// Now, in changes of machines.
    pub(super) fn now(&self) -> u64 {
        self.clock.load(Ordering::SeqCst)
    }

    /// The machine that calls itself so.
    pub(super) fn machine(&self, name: &str) -> Arc<Machine> {
        let mut machines = self
            .machines
            .lock()
            .expect("nothing panics while it holds this");
        Arc::clone(machines.entry(name.to_owned()).or_default())
    }

    fn home<T>(&self, home: &Home, with: impl FnOnce(&mut Ours) -> T) -> T {
        let mut homes = self
            .homes
            .lock()
            .expect("nothing panics while it holds this");
        with(homes.entry(home.clone()).or_default())
    }
}
