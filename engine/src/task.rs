//! What a run is given: hosts and tasks in listed order. Front ends and programs build it.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    host::Host,
    identity::Identity,
    late::NotYet,
    module::{Bound, Module, Stop, With},
    secret::Text,
    thing::Thing,
    value::Value,
};

/// A task of a [`TaskList`], by position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct TaskId(pub u32);

/// A host of a [`TaskList`], by position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct HostId(pub u32);

/// A block of a [`TaskList`], by position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct BlockId(pub u32);

impl TaskId {
    /// As an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl HostId {
    /// As an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Where something stands in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as the user named it.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Hosts, and tasks in the order in which a reader finds them.
#[derive(Default)]
pub struct TaskList {
    /// Scopes the ledger: `project:` of the settings, or the name of the playbook's folder.
    pub project: String,
    /// The hosts.
    pub hosts: Vec<HostEntry>,
    /// Names of plays, in order.
    pub plays: Vec<String>,
    /// The tasks of all hosts, in listed order. Position is identity ([`TaskId`]).
    pub tasks: Vec<Task>,
    /// How many blocks there are; tasks refer to them.
    pub blocks: u32,
}

impl fmt::Debug for TaskList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskList")
            .field("project", &self.project)
            .field("tasks", &self.tasks)
            .finish_non_exhaustive()
    }
}

/// A host under its name.
#[derive(Clone)]
pub struct HostEntry {
    /// The inventory's name.
    pub name: String,
    /// The machine.
    pub host: Arc<dyn Host>,
    /// For tasks that a host has done elsewhere (`delegate_to`): whose they are.
    pub stands_for: Option<HostId>,
    /// And the host of the list on which they are done, if it is one.
    pub at: Option<HostId>,
}

impl fmt::Debug for HostEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostEntry({})", self.name)
    }
}

impl TaskList {
    /// An empty list.
    pub fn new(project: impl Into<String>) -> Self {
        Self {
            project: project.into(),
            plays: vec![String::new()],
            ..Self::default()
        }
    }

    /// Adds a host.
    pub fn host(&mut self, name: impl Into<String>, host: Arc<dyn Host>) -> HostId {
        self.entry(HostEntry {
            name: name.into(),
            host,
            stands_for: None,
            at: None,
        })
    }

    /// Adds a machine on which `owner` has tasks done (`delegate_to`), under a name of its own: its
    /// tasks are the owner's in everything but where they are done. `at`: the machine is a host of
    /// the list too.
    pub fn elsewhere(
        &mut self,
        owner: HostId,
        at: Option<HostId>,
        name: impl Into<String>,
        host: Arc<dyn Host>,
    ) -> HostId {
        self.entry(HostEntry {
            name: name.into(),
            host,
            stands_for: Some(owner),
            at,
        })
    }

    fn entry(&mut self, entry: HostEntry) -> HostId {
        self.hosts.push(entry);
        HostId(u32::try_from(self.hosts.len() - 1).expect("fewer than 2^32 hosts"))
    }

    /// Whose tasks those of a host are: the host's own, but where it stands for another.
    pub fn owner(&self, host: HostId) -> HostId {
        let entry = self.hosts.get(host.index());
        entry.and_then(|entry| entry.stands_for).unwrap_or(host)
    }

    /// Adds a task after all others.
    pub fn task(&mut self, task: Task) -> TaskId {
        self.tasks.push(task);
        TaskId(u32::try_from(self.tasks.len() - 1).expect("fewer than 2^32 tasks"))
    }

    /// A fresh block for [`Task::blocks`].
    pub fn block(&mut self) -> BlockId {
        self.blocks += 1;
        BlockId(self.blocks - 1)
    }
}

/// A module with arguments, on a host: a node of the graph.
#[derive(Clone)]
pub struct Task {
    /// What people call it.
    pub name: String,
    /// What others refer to; also its name in the ledger.
    pub id: Option<String>,
    /// Where it is written.
    pub place: Option<Place>,
    /// The module's name, for messages.
    pub module: String,
    /// On which host.
    pub host: HostId,
    /// In which play (index into [`TaskList::plays`]).
    pub play: u32,
    /// Its arguments, now or when they are known.
    pub body: Arc<dyn Resolve>,
    /// Judges the result (`changed_when`, `failed_when`).
    pub judge: Option<Arc<dyn Judge>>,
    /// How often it is tried, and how the turns of its loop follow each other.
    pub pace: Option<Arc<dyn Pace>>,
    /// As whom.
    pub identity: Identity,
    /// As whom only the run tells ([`Resolve::identity`]): it may be anybody.
    pub late_identity: bool,
    /// Environment of its programs.
    pub environment: Vec<(String, Text)>,
    /// Tasks that must have ended well before (`after:`).
    pub after: Vec<TaskId>,
    /// Tasks whose results its condition or arguments read.
    pub needs: Vec<TaskId>,
    /// It reads what the tasks that it needs make outside of the hosts, such as files of the controller, or what
    /// programs of the controller print: it is decided when they have ended, never on what is foretold of them.
    pub at_turn: bool,
    /// Those of `needs` whose `.changed` it reads: it must not miss a change because a run died.
    pub heeds: Vec<TaskId>,
    /// Tasks whose change makes this one run (`triggered_by`, `notify`).
    pub triggers: Vec<TaskId>,
    /// Which of the tasks that listen to it its change calls; all of them, if nothing says so.
    pub calls: Option<Arc<dyn Calls>>,
    /// Runs only when triggered or owed, and says nothing otherwise.
    pub handler: bool,
    /// Of a handler: whether it has its turn even after a failure on its host in its play. `None`:
    /// as [`crate::run::Options::force_handlers`] says.
    pub forced: Option<bool>,
    /// The blocks it stands in, outermost first.
    pub blocks: Vec<(BlockId, Part)>,
    /// A failure does not end the host (`ignore_errors`).
    pub ignore_errors: bool,
    /// If its host cannot be reached, it is passed over, and the host goes on
    /// (`ignore_unreachable`).
    pub ignore_unreachable: bool,
    /// `check_mode:` of the task; `Some(false)` runs even in check mode.
    pub check_mode: Option<bool>,
    /// Shows nothing of arguments and results.
    pub no_log: bool,
    /// For commands: run once for each checksum.
    pub once: bool,
    /// Whether a diff may be shown.
    pub diff: bool,
    /// All that it reads, where its module cannot know that: of a command, of a unit that starts. With `writes`, it
    /// no longer touches everything.
    pub reads: Option<Vec<Thing>>,
    /// All that it writes, likewise.
    pub writes: Option<Vec<Thing>>,
    /// Whether tags select it; else it is reported as skipped.
    pub selected: bool,
    /// Nothing is said of it as long as it goes well: it only gathers what other tasks read.
    pub silent: bool,
    /// Conditions of which nothing is said where they do not hold, and what may be not known without a word: it is then
    /// as if it were not written.
    pub mute: Vec<String>,
    /// It is one more of what an earlier task stands for: nothing is said of it where it does not come to its turn.
    pub spare: bool,
    /// How it stands to what is listed before and after it on other hosts of its play.
    pub meets: Meets,
    /// Waits for no other host unless it must (`strategy: free`).
    pub free: bool,
    /// Of its copies for several hosts so many run at once; 0: all (`throttle`).
    pub throttle: u32,
    /// If it fails, and then more than so many percent of its play's hosts have failed, the play and
    /// all after it end on all of them (`any_errors_fatal`: 0).
    pub bears: Option<u32>,
    /// The play as it is written: batches (`serial`) are plays of their own that share it.
    pub family: u32,
}

/// How a task stands to the other hosts of its play.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Meets {
    /// It waits for none of them because of its place in the list.
    #[default]
    Freely,
    /// What is listed before it ends first, on all of them.
    Earlier,
    /// That, and what is listed after it waits for it, on all of them: it is done for all
    /// (`run_once`).
    All,
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.module, self.name)
    }
}

/// Which part of a block a task stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// `block`.
    Body,
    /// `rescue`: runs only if the body failed.
    Rescue,
    /// `always`: runs in any case.
    Always,
}

impl Task {
    /// A task of a module with typed arguments, on the first host.
    pub fn new<M: Module>(name: impl Into<String>, args: M::Args) -> Self {
        Self::resolved(name, M::NAME, Arc::new(Ready(Arc::new(With::<M>(args)))))
    }

    /// A task whose arguments come from `body`.
    pub fn resolved(name: impl Into<String>, module: &str, body: Arc<dyn Resolve>) -> Self {
        Self {
            name: name.into(),
            id: None,
            place: None,
            module: module.to_owned(),
            host: HostId(0),
            play: 0,
            body,
            judge: None,
            pace: None,
            identity: Identity::default(),
            late_identity: false,
            environment: Vec::new(),
            after: Vec::new(),
            needs: Vec::new(),
            at_turn: false,
            heeds: Vec::new(),
            triggers: Vec::new(),
            calls: None,
            handler: false,
            forced: None,
            blocks: Vec::new(),
            ignore_errors: false,
            ignore_unreachable: false,
            check_mode: None,
            no_log: false,
            once: false,
            diff: true,
            reads: None,
            writes: None,
            selected: true,
            silent: false,
            mute: Vec::new(),
            spare: false,
            meets: Meets::Freely,
            free: false,
            throttle: 0,
            bears: None,
            family: 0,
        }
    }

    /// Names it.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Puts it on a host.
    #[must_use]
    pub fn on(mut self, host: HostId) -> Self {
        self.host = host;
        self
    }

    /// Does it as somebody else.
    #[must_use]
    pub fn as_user(mut self, identity: Identity) -> Self {
        self.identity = identity;
        self
    }

    /// Orders it after another task.
    #[must_use]
    pub fn after(mut self, task: TaskId) -> Self {
        self.after.push(task);
        self
    }

    /// Orders it after each of these tasks.
    #[must_use]
    pub fn after_all(mut self, tasks: impl IntoIterator<Item = TaskId>) -> Self {
        self.after.extend(tasks);
        self
    }

    /// Runs it when another task has changed something.
    #[must_use]
    pub fn triggered_by(mut self, task: TaskId) -> Self {
        self.triggers.push(task);
        self
    }

    /// Runs it when any of these tasks has changed something.
    #[must_use]
    pub fn triggered_by_any(mut self, tasks: impl IntoIterator<Item = TaskId>) -> Self {
        self.triggers.extend(tasks);
        self
    }

    /// Runs it only then, and says nothing otherwise.
    #[must_use]
    pub fn handler(mut self) -> Self {
        self.handler = true;
        self
    }

    /// Says all that it reads ([`Task::reads`]).
    #[must_use]
    pub fn reads(mut self, things: impl Into<Vec<Thing>>) -> Self {
        self.reads = Some(things.into());
        self
    }

    /// Says all that it writes ([`Task::writes`]).
    #[must_use]
    pub fn writes(mut self, things: impl Into<Vec<Thing>>) -> Self {
        self.writes = Some(things.into());
        self
    }

    /// Gives its programs a variable more.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<Text>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Runs a command once for each checksum.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.once = true;
        self
    }
}

/// Arguments that may come late: Jinja in the playbook runner, a closure for programs.
pub trait Resolve: Send + Sync {
    /// The arguments, as far as they can be known from the results so far. Called again while it
    /// answers [`Stop::NotYet`] or leaves late arguments open; pure.
    fn resolve(&self, outputs: &dyn Outputs) -> Result<Resolved, Stop>;

    /// The arguments where only the condition is not known yet: what they ask of the host can be
    /// asked, and what they touch is known, whatever the condition will be. Pure.
    fn foresee(&self, outputs: &dyn Outputs) -> Result<Resolved, Stop> {
        self.resolve(outputs)
    }

    /// As whom it is done where that depends on results; nothing where [`Task::identity`] has it. Pure.
    fn identity(&self, outputs: &dyn Outputs) -> Result<Option<Identity>, Stop> {
        let _: &dyn Outputs = outputs;
        Ok(None)
    }

    /// The environment of its programs where that depends on results; nothing where
    /// [`Task::environment`] has it. Pure.
    fn environment(&self, outputs: &dyn Outputs) -> Result<Option<Vec<(String, Text)>>, Stop> {
        let _: &dyn Outputs = outputs;
        Ok(None)
    }
}

impl Resolved {
    /// Whether nothing of it is done.
    pub fn is_skipped(&self) -> bool {
        match self {
            Self::Skip(_) => true,
            Self::One(_) => false,
            Self::Loop(turns) => !turns.is_empty() && turns.iter().all(|turn| turn.body.is_err()),
        }
    }
}

/// What a task turned out to be.
#[derive(Clone)]
pub enum Resolved {
    /// Its condition is false; the text is the condition.
    Skip(String),
    /// One module with its arguments.
    One(Arc<dyn Bound>),
    /// A loop: one turn after the other; reported as one task.
    Loop(Vec<Turn>),
}

impl fmt::Debug for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Skip(condition) => write!(f, "Skip({condition})"),
            Self::One(bound) => write!(f, "One({})", bound.module()),
            Self::Loop(turns) => write!(f, "Loop({} turns)", turns.len()),
        }
    }
}

/// One turn of a loop.
#[derive(Clone)]
pub struct Turn {
    /// What people see of the item.
    pub label: String,
    /// The item itself.
    pub item: Value,
    /// The module with its arguments; the condition if that is false for this item.
    pub body: Result<Arc<dyn Bound>, String>,
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Turn({})", self.label)
    }
}

struct Ready(Arc<dyn Bound>);

impl Resolve for Ready {
    fn resolve(&self, _: &dyn Outputs) -> Result<Resolved, Stop> {
        Ok(Resolved::One(Arc::clone(&self.0)))
    }
}

impl<F> Resolve for F
where
    F: Fn(&dyn Outputs) -> Result<Resolved, Stop> + Send + Sync,
{
    fn resolve(&self, outputs: &dyn Outputs) -> Result<Resolved, Stop> {
        self(outputs)
    }
}

/// Results of tasks, as far as they are known.
pub trait Outputs {
    /// The result of a task; not known yet until it has ended (or is foretold).
    fn of(&self, task: TaskId) -> Result<Arc<Output>, NotYet>;

    /// Whether the turn of the one that asks has come: only then may it run something to know it, if it says that it
    /// is decided at its turn.
    fn is_turn(&self) -> bool {
        false
    }
}

/// The result of a task: what `register` gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Output {
    /// Whether it changed something, by `changed_when` if there is one. Not known yet where that
    /// reads a result that is not.
    pub changed: Value,
    /// Whether it failed (and that was ignored or rescued).
    pub failed: bool,
    /// Whether it was skipped.
    pub skipped: bool,
    /// The module's output; for a failed task a map with `msg`, for a skipped one what says why, for a loop the list of each turn's
    /// [`Output`] as [`Output::to_value`] makes it, with `item` in each.
    pub value: Value,
    /// Whether it is of a loop.
    pub looped: bool,
}

impl Output {
    /// As one map: the module's output with `changed`, `failed`, `skipped`; `results` of a loop.
    pub fn to_value(&self) -> Value {
        if self.looped && matches!(&self.value, Value::Seq(turns) if turns.is_empty()) {
            return self.of_no_turns();
        }
        let mut map = match &self.value {
            Value::Map(map) => map.clone(),
            Value::Null => crate::value::Map::new(),
            other if self.looped => {
                let message = match (self.failed, self.skipped) {
                    (true, _) => "One or more items failed",
                    (false, true) => "All items skipped",
                    (false, false) => "All items completed",
                };
                let pairs = [("results", other.clone()), ("msg", message.into())];
                pairs
                    .map(|(name, value)| (name.to_owned(), value))
                    .into_iter()
                    .collect()
            }
            other => [("value".to_owned(), other.clone())].into_iter().collect(),
        };
        map.insert("changed".to_owned(), self.changed.clone());
        map.insert("failed".to_owned(), self.failed.into());
        if self.skipped {
            map.insert("skipped".to_owned(), true.into());
        }
        Value::Map(map)
    }

    /// A loop over nothing, as Ansible tells it.
    fn of_no_turns(&self) -> Value {
        let pairs = [
            ("changed", self.changed.clone()),
            ("skipped", true.into()),
            ("skipped_reason", "No items in the list".into()),
            ("results", self.value.clone()),
        ];
        Value::Map(pairs.map(|(name, value)| (name.to_owned(), value)).into())
    }
}

/// Judges results: `changed_when`, `failed_when`.
pub trait Judge: Send + Sync {
    /// What is constantly said of `changed`, whatever the result is.
    fn always_changed(&self) -> Option<bool>;
    /// Whether failure is judged: then any exit status is accepted at first.
    fn judges_failure(&self) -> bool;
    /// What the result means; `None` where nothing is said. In a loop it is the result of one turn;
    /// `turn` is its index and item.
    fn judge(
        &self,
        result: &Output,
        turn: Option<(usize, &Value)>,
        outputs: &dyn Outputs,
    ) -> Result<Judgement, Stop>;
}

/// Which of the tasks that a change may call ([`Task::triggers`]) it calls, where only the run tells. Pure.
pub trait Calls: Send + Sync {
    /// Those that a change calls; in a loop the change of one turn, `turn` is its index and item. A refusal
    /// fails the task.
    fn called(
        &self,
        turn: Option<(usize, &Value)>,
        outputs: &dyn Outputs,
    ) -> Result<Vec<TaskId>, Stop>;
}

/// What a [`Judge`] says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// Whether it changed something.
    pub changed: Option<bool>,
    /// Whether it failed.
    pub failed: Option<bool>,
}

/// How often a task is tried (`until`, `retries`), and how the turns of its loop follow each other
/// (`pause`, `break_when`). Such a task takes its turns one by one. Pure: the engine waits.
pub trait Pace: Send + Sync {
    /// How often it may be tried again; nothing where it is tried once, whatever comes of it.
    fn tries(
        &self,
        turn: Option<(usize, &Value)>,
        outputs: &dyn Outputs,
    ) -> Result<Option<Tries>, Stop>;
    /// Whether a result is what is waited for.
    fn holds(
        &self,
        result: &Output,
        turn: Option<(usize, &Value)>,
        outputs: &dyn Outputs,
    ) -> Result<bool, Stop>;
    /// How long nothing is done between two turns.
    fn pause(&self, outputs: &dyn Outputs) -> Result<Duration, Stop>;
    /// Whether there are no more turns after this one.
    fn breaks(
        &self,
        result: &Output,
        turn: (usize, &Value),
        outputs: &dyn Outputs,
    ) -> Result<bool, Stop>;
}

/// How often a task may be tried again, and how long nothing is done before each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tries {
    /// How often after the first time.
    pub retries: u32,
    /// How long it waits before each.
    pub delay: Duration,
}
