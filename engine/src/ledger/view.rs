//! Reading a ledger for people, and forgetting what it holds.

use serde::Serialize;

use super::{Ended, Ledger, Line, Scope};
use crate::host::{Exchange, Host, HostError, LedgerPlace, Lock, Op, OpResult, Reply};

/// What a ledger holds.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LedgerView {
    /// Machine id.
    pub machine: String,
    /// Grows with every write; 0: there is no ledger.
    pub serial: u64,
    /// Tasks.
    pub records: Vec<RecordView>,
    /// Runs that changed something, oldest first.
    pub runs: Vec<RunView>,
}

/// One task of a ledger.
#[derive(Clone, Debug, Serialize)]
pub struct RecordView {
    /// Project.
    pub project: String,
    /// The inventory's name of the host.
    pub host: String,
    /// The task's name in the ledger.
    pub task: String,
    /// What people called it.
    pub name: String,
    /// Module.
    pub module: String,
    /// How it last ended: `changed`, `unchanged`, `failed`, `interrupted`, or `in_state` if it never
    /// had to do anything.
    pub ended: &'static str,
    /// When the run started in which it last did something.
    pub at: String,
    /// That run.
    pub run: String,
    /// Listeners that are still owed a turn.
    pub owes: Vec<String>,
}

/// One run of a ledger.
#[derive(Clone, Debug, Serialize)]
pub struct RunView {
    /// Its id.
    pub run: String,
    /// Project.
    pub project: String,
    /// Who started it.
    pub who: String,
    /// On which machine.
    pub from: String,
    /// The commit of its playbooks.
    pub commit: Option<String>,
    /// When.
    pub at: String,
}

/// Reads the ledger of a host.
pub async fn show(host: &dyn Host, place: LedgerPlace) -> Result<LedgerView, HostError> {
    let ledger = read(host, place).await?;
    let owes = |scope: &Scope, record: &super::Record| {
        let listener = |name: &&String| {
            let listener = Scope {
                task: (*name).clone(),
                ..scope.clone()
            };
            let served = ledger
                .served
                .get(&listener)
                .and_then(|tasks| tasks.get(scope));
            record.owes() && served != record.epoch.as_ref()
        };
        record.listeners.iter().filter(listener).cloned().collect()
    };
    let records = ledger.records.iter().map(|(scope, record)| RecordView {
        project: scope.project.clone(),
        host: scope.host.clone(),
        task: scope.task.clone(),
        name: record.name.clone(),
        module: record.module.clone(),
        ended: match (record.ended, record.interrupted()) {
            (_, true) => "interrupted",
            (Some(Ended::Changed), _) => "changed",
            (Some(Ended::Unchanged), _) => "unchanged",
            (Some(Ended::Failed), _) => "failed",
            (None, false) => "in_state",
        },
        at: record.at.clone(),
        run: record.run.clone(),
        owes: owes(scope, record),
    });
    let runs = ledger.runs.iter().filter_map(|line| match line.clone() {
        Line::Run {
            run,
            project,
            who,
            from,
            commit,
            at,
            ..
        } => Some(RunView {
            run,
            project,
            who,
            from,
            commit,
            at,
        }),
        _ => None,
    });
    Ok(LedgerView {
        machine: ledger.machine.clone(),
        serial: ledger.serial,
        records: records.collect(),
        runs: runs.collect(),
    })
}

/// Forgets a task by its name in the ledger, its `id` or what people called it; all tasks if none
/// is named. How many were forgotten.
pub async fn forget(
    host: &dyn Host,
    place: LedgerPlace,
    what: Option<&str>,
) -> Result<usize, HostError> {
    // Another run may have written since the ledger was read: then it is read again.
    for _ in 0..5 {
        let ledger = read(host, place.clone()).await?;
        let gone = named(&ledger, what);
        if gone.is_empty() {
            return Ok(0);
        }
        let lines = gone
            .iter()
            .map(|task| Line::Forget { task: task.clone() }.text())
            .collect();
        let exchange = Exchange {
            run: format!("forget-{}", ledger.serial),
            place: place.clone(),
            lock: Some(Lock {
                serial: ledger.serial,
                wait_millis: 10_000,
                holder: "evenkeel ledger forget".to_owned(),
            }),
            ops: vec![Op::Journal { lines, sync: true }],
            tail: vec![Op::Release],
        };
        match host.exchange(exchange).await? {
            Reply::Ran { .. } => return Ok(gone.len()),
            Reply::Held(holder) => {
                return Err(HostError::Unreachable(format!("locked by {holder}")));
            }
            Reply::Stale => {}
        }
    }
    Err(HostError::Unreachable(
        "other runs write to its ledger all the time".to_owned(),
    ))
}

/// Tasks by their name in the ledger or what people called them; all if none is named.
fn named(ledger: &Ledger, what: Option<&str>) -> Vec<Scope> {
    let is_meant = |(scope, record): &(&Scope, &super::Record)| {
        what.is_none_or(|what| scope.task == what || record.name == what)
    };
    ledger
        .records
        .iter()
        .filter(is_meant)
        .map(|(scope, _)| scope.clone())
        .collect()
}

async fn read(host: &dyn Host, place: LedgerPlace) -> Result<Ledger, HostError> {
    let exchange = Exchange {
        run: "show".to_owned(),
        place,
        lock: None,
        ops: vec![Op::Ledger],
        tail: Vec::new(),
    };
    let Reply::Ran { ops, .. } = host.exchange(exchange).await? else {
        return Err(HostError::Garbled("a lock nobody asked for".to_owned()));
    };
    let Some(OpResult::Ledger(text)) = ops.first() else {
        return Err(HostError::Garbled("no ledger".to_owned()));
    };
    Ledger::read(text).map_err(|error| HostError::Garbled(error.to_string()))
}
