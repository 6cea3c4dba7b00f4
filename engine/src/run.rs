//! A run: look, decide, act, look again. Everything that is decided is decided by pure functions of
//! what was seen; this module and its children carry values from one to the next.
//!
//! - Each host has a loop of its own ([`drive`]); what they share is the [`board`].
//! - The loop asks once, then walks the schedule as far as it can foresee ([`walk`]), deciding each
//!   task ([`decide`]); what needs no step is finished at once.
//! - What needs steps goes out as one chain ([`chain`]); then the loop sees what became of it,
//!   finishes those tasks ([`finish`]), and walks on.

mod aliases;
mod away;
mod board;
mod called;
mod cancel;
mod chain;
mod decide;
mod decided;
mod door;
mod drive;
mod exchange;
mod fetch;
mod finish;
mod gone;
mod ground;
mod joins;
mod known;
mod linked;
mod links;
mod long;
mod masking;
mod pace;
mod reconnect;
mod rehearse;
mod settle;
mod shape;
mod tell;
mod trouble;
mod walk;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use indexmap::IndexMap;
use serde::de::DeserializeOwned;

pub use cancel::Cancel;
pub use masking::Masking;

use crate::{
    download::{DownloadNothing, Downloads},
    event::{Event, Recap, Sink},
    graph::{Cycle, Graph, Order},
    keep::{Keep, KeepNothing, KeptPlace},
    module::Module,
    schedule::FailureRule,
    source::Sha,
    task::{Output, TaskId, TaskList},
    value::BindError,
};
use board::Board;

/// Whether things are done, or only foretold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Brings hosts to their state.
    #[default]
    Apply,
    /// Foretells what would be done; writes nothing and takes no lock.
    Check,
}

/// How to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Apply, or check.
    pub mode: Mode,
    /// Put diffs into events.
    pub diff: bool,
    /// Exactly one task after the other as listed.
    pub in_order: bool,
    /// After a failure go on with what does not depend on it.
    pub keep_going: bool,
    /// After a failure the handlers of that host still have their turn, unless their play says no.
    pub force_handlers: bool,
    /// How many hosts are talked to at once.
    pub forks: usize,
    /// How long to wait for another run's lock, over all.
    pub lock_wait: Duration,
    /// How long a host whose connection was lost may stay away; zero: it is not waited for.
    pub reconnect: Duration,
    /// The run's id: letters, digits and `-`; no two runs share it.
    pub run: String,
    /// What it is called: the playbooks.
    pub playbooks: Vec<String>,
    /// Who runs it, for the ledger.
    pub audit: Audit,
    /// Put results into events.
    pub results: bool,
    /// Where files of hosts are kept, for modules that fetch some (`fetch`): by default nowhere.
    /// [`LocalFiles`](crate::keep::LocalFiles) keeps them in the file system of this machine.
    pub keep: Arc<dyn Keep>,
    /// What gets files of servers, for hosts that have no program for it (`get-url`): by default
    /// nothing does.
    pub downloads: Arc<dyn Downloads>,
}

/// Who ran what, from where, when: kept in the ledger.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// The user.
    pub who: String,
    /// The machine.
    pub from: String,
    /// The commit of the playbooks.
    pub commit: Option<String>,
    /// When the run started (RFC 3339): the engine has no clock of its own.
    pub at: String,
    /// All hosts that are managed, whether or not this run is about them. The ledgers of hosts keep them, so that a later
    /// run can tell which of them it knows no more. Empty: nobody is missed.
    pub hosts: Vec<String>,
}

impl Options {
    /// The usual options, with a random id.
    pub fn new() -> Self {
        let mut random = [0; 8];
        getrandom::fill(&mut random).expect("the system gives random bytes");
        Self {
            mode: Mode::Apply,
            diff: false,
            in_order: false,
            keep_going: false,
            force_handlers: false,
            forks: 200,
            lock_wait: Duration::from_secs(600),
            reconnect: Duration::from_secs(180),
            run: crate::source::hex(&random),
            playbooks: Vec::new(),
            audit: Audit::default(),
            results: false,
            keep: Arc::new(KeepNothing),
            downloads: Arc::new(DownloadNothing),
        }
    }

    /// The same, only foretelling.
    #[must_use]
    pub fn check(mut self) -> Self {
        self.mode = Mode::Check;
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// By host, in the order of the list.
    pub hosts: IndexMap<String, Recap>,
    /// Whether somebody stopped it.
    pub interrupted: bool,
    /// Whether all hosts are in their state (check mode: the plan could be made).
    pub ok: bool,
    outputs: Vec<Option<Arc<Output>>>,
}

/// Why a result cannot be had.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum OutputError {
    /// The task did not end, or was skipped.
    #[error("the task has no result")]
    None,
    /// It is not of the type.
    #[error(transparent)]
    Type(#[from] BindError),
}

impl Report {
    /// The result of a task, as its module's type.
    pub fn output<M: Module>(&self, task: TaskId) -> Result<M::Output, OutputError> {
        self.output_as(task)
    }

    /// The result of a task, as any type it fits.
    pub fn output_as<T: DeserializeOwned>(&self, task: TaskId) -> Result<T, OutputError> {
        let output = self.output_of(task).filter(|output| !output.skipped);
        Ok(output.ok_or(OutputError::None)?.value.to_typed()?)
    }

    /// The result of a task.
    pub fn output_of(&self, task: TaskId) -> Option<&Output> {
        self.outputs.get(task.index())?.as_deref()
    }
}

/// A list of tasks that cannot be run.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RunError {
    /// Explicit edges close a cycle.
    #[error(transparent)]
    Cycle(#[from] Cycle),
}

/// What all hosts of a run share.
struct Shared {
    list: Arc<TaskList>,
    options: Options,
    sink: Arc<dyn Sink>,
    cancel: Cancel,
    board: Board,
    ground: linked::Ground,
    before: gone::Before,
    forks: tokio::sync::Semaphore,
    /// What this run has fetched: for which host, and what it is.
    fetched: std::sync::Mutex<BTreeMap<KeptPlace, (String, Sha)>>,
    /// How many of them have come.
    fetches: AtomicU64,
    /// How often a host has begun to change something.
    acts: AtomicU64,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// The graph of a list as it is known before any host was asked.
pub fn graph(list: &TaskList, in_order: bool) -> Result<Graph, RunError> {
    Ok(ground(list, in_order)?.0)
}

/// The tasks that are surely skipped: their conditions are false whatever the hosts are like.
pub fn skipped(list: &TaskList) -> BTreeSet<TaskId> {
    shape::surely_skipped(list)
}

/// The graph, with what it was made of.
fn ground(list: &TaskList, in_order: bool) -> Result<(Graph, linked::Ground), RunError> {
    let order = if in_order {
        Order::InOrder
    } else {
        Order::Inferred
    };
    let shapes = shape::shapes(list);
    let graph = Graph::build(list, &shapes, order)?;
    let ground = linked::Ground::new(list, shapes, &graph, order);
    Ok((graph, ground))
}

/// Runs a list of tasks. Events come in order; the report is their sum, with the results.
pub async fn run(
    list: Arc<TaskList>,
    options: Options,
    sink: Arc<dyn Sink>,
    cancel: Cancel,
) -> Result<Report, RunError> {
    let begun = std::time::Instant::now();
    let (graph, ground) = ground(&list, options.in_order)?;
    let rule = if options.keep_going {
        FailureRule::KeepGoing
    } else {
        FailureRule::EndHost
    };
    sink.event(&Event::RunStarted {
        playbooks: options.playbooks.clone(),
        hosts: own_names(&list).map(|(_, name)| name).collect(),
        check: options.mode == Mode::Check,
    });
    let board = Board::new(&list, &graph, rule);
    board
        .state()
        .schedule
        .force_handlers(options.force_handlers);
    let forks = tokio::sync::Semaphore::new(options.forks.max(1));
    let shared = Arc::new(Shared {
        list,
        options,
        sink,
        cancel,
        board,
        ground,
        before: gone::Before::default(),
        forks,
        fetched: std::sync::Mutex::default(),
        fetches: AtomicU64::default(),
        acts: AtomicU64::default(),
    });
    let mut loops = tokio::task::JoinSet::new();
    for host in (0..).map(crate::task::HostId).take(shared.list.hosts.len()) {
        let shared = Arc::clone(&shared);
        loops.spawn(async move { (host, drive::drive(shared, host).await) });
    }
    let mut recaps: Vec<Recap> = vec![Recap::default(); shared.list.hosts.len()];
    while let Some(joined) = loops.join_next().await {
        match joined {
            Ok((host, recap)) => recaps[host.index()] = recap,
            Err(error) => {
                if let Ok(panic) = error.try_into_panic() {
                    std::panic::resume_unwind(panic);
                }
            }
        }
    }
    if let Some(warning) = shared.before.warning(&shared.options.audit) {
        shared.sink.event(&warning);
    }
    let sum = |(id, name): (crate::task::HostId, String)| {
        let all = (0..).map(crate::task::HostId).zip(&recaps);
        let mut its = all
            .filter(|(of, _)| shared.list.owner(*of) == id)
            .map(|(_, recap)| recap);
        let mut sum = its.next().cloned().unwrap_or_default();
        its.for_each(|recap| sum.add(recap));
        (name, sum)
    };
    let hosts: IndexMap<String, Recap> = own_names(&shared.list).map(sum).collect();
    let interrupted = shared.cancel.is_stopped();
    // A task that was blocked is no failure of its own: what blocked it may have been rescued.
    let bad = |recap: &Recap| recap.failed > 0 || recap.unreachable;
    let ok = !interrupted && !hosts.values().any(bad);
    shared.sink.event(&Event::RunFinished {
        ok,
        interrupted,
        duration_ms: millis(begun),
        hosts: hosts.clone(),
    });
    Ok(Report {
        hosts,
        interrupted,
        ok,
        outputs: shared.board.outputs(),
    })
}

/// The hosts under their own names: not the machines on which they have tasks done.
fn own_names(list: &TaskList) -> impl Iterator<Item = (crate::task::HostId, String)> {
    let all = (0..).map(crate::task::HostId).zip(&list.hosts);
    all.filter(|(_, entry)| entry.stands_for.is_none())
        .map(|(id, entry)| (id, entry.name.clone()))
}

fn millis(since: std::time::Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
