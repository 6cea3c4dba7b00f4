//! Exchanges of one host: looking, sending under the lock, closing.

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use tokio::sync::OwnedRwLockWriteGuard;

use super::{board::Alone, decide::Question, drive::Loop, reconnect::Came};
use crate::{
    event::Event,
    host::{Exchange, HostError, LedgerText, Lock, Op, OpResult, Over, Reply},
    ledger::{Ledger, Line},
    probe::Probes,
    task::TaskId,
};

/// Why a host's loop ended before its time.
#[derive(Debug)]
pub(super) enum Lost {
    /// The host, or something on it, failed us.
    Host(HostError),
    /// Another run held the lock for too long.
    Locked(String),
    /// Nothing is waited for any more.
    Aborted,
}

impl From<HostError> for Lost {
    fn from(error: HostError) -> Self {
        Self::Host(error)
    }
}

/// How long one exchange waits for another run's lock, in milliseconds.
const LOCK_WAIT: u64 = 5_000;

/// A journal of more bytes than this is folded into the snapshot.
const JOURNAL_LIMIT: usize = 256 * 1024;

/// What came back of an exchange under the lock.
pub(super) enum Sent {
    /// What each operation gave.
    Ran(Vec<OpResult>, Vec<OpResult>),
    /// The answer was lost with its connection; what the host has noted.
    Found(Over),
    /// Another run has written since we looked; or the answer was lost, and only the ledger knows
    /// what was done.
    Stale,
}

impl Loop {
    fn request(&self, lock: Option<Lock>, ops: Vec<Op>, tail: Vec<Op>) -> Exchange {
        Exchange {
            run: self.shared.options.run.clone(),
            place: self.place.clone(),
            lock,
            ops,
            tail,
        }
    }

    /// One exchange over one connection.
    pub(super) async fn once(&self, exchange: Exchange) -> Result<Reply, Lost> {
        let _permit = self.shared.forks.acquire().await;
        let reply = tokio::select! {
            reply = self.door.exchange(exchange) => reply?,
            () = self.shared.cancel.aborted() => return Err(Lost::Aborted),
        };
        Ok(reply)
    }

    /// Operations that need no lock.
    pub(super) async fn plain(&mut self, ops: Vec<Op>) -> Result<Vec<OpResult>, Lost> {
        let request = self.request(None, ops, Vec::new());
        match self.survive(&request).await? {
            Came::Reply(Reply::Ran { ops, .. }) => Ok(ops),
            _ => Err(HostError::Garbled("a lock that nobody asked for".to_owned()).into()),
        }
    }

    /// Asks; with the ledger if `ledger`.
    pub(super) async fn look(&mut self, questions: &[Question], ledger: bool) -> Result<(), Lost> {
        let mut ops = Vec::new();
        if ledger {
            ops.push(Op::Ledger);
        }
        let mut slots = Vec::new();
        for who in 0..self.identities.len() {
            let probes: Probes = questions
                .iter()
                .filter(|(as_whom, _)| *as_whom == who)
                .map(|(_, probe)| probe.clone())
                .collect();
            if !probes.is_empty() {
                slots.push((ops.len(), who, probes.clone()));
                ops.push(Op::Observe {
                    who: self.identities[who].clone(),
                    probes,
                });
            }
        }
        if ops.is_empty() {
            return Ok(());
        }
        let results = self.plain(ops).await?;
        if ledger {
            let Some(OpResult::Ledger(text)) = results.first() else {
                return Err(HostError::Garbled("no ledger".to_owned()).into());
            };
            self.read_ledger(text)?;
        }
        for (at, who, probes) in slots {
            let Some(OpResult::Observed(answers)) = results.get(at) else {
                return Err(HostError::Garbled("questions without answers".to_owned()).into());
            };
            for (probe, answer) in probes.iter().zip(answers) {
                self.known.learn(who, probe.as_ref(), answer.clone());
            }
        }
        Ok(())
    }

    pub(super) fn read_ledger(&mut self, text: &LedgerText) -> Result<(), Lost> {
        self.boot.clone_from(&text.boot);
        let mut text = text.clone();
        // What waits to be written counts as well.
        for line in &self.lines {
            text.journal.push_str(&line.text());
            text.journal.push('\n');
        }
        self.ledger = Ledger::read(&text).map_err(|error| HostError::Garbled(error.to_string()))?;
        self.shared.board.share_key(&mut self.ledger);
        self.owing = self.ledger.owing(&self.scope(""));
        self.shared.board.tell_others(&self.owing, &self.ledger);
        let shared = &self.shared;
        shared.before.learn(
            &self.name,
            &self.ledger,
            &shared.list.project,
            &shared.options.run,
        );
        Ok(())
    }

    /// Sends under the lock; waits for another run within the bound.
    pub(super) async fn locked(&mut self, ops: Vec<Op>, tail: Vec<Op>) -> Result<Sent, Lost> {
        let home = self.ledger.home();
        let audit = &self.shared.options.audit;
        let holder = format!("{} on {} since {}", audit.who, audit.from, audit.at);
        let begun = Instant::now();
        let mut told = false;
        let lock = Lock {
            serial: self.ledger.serial,
            wait_millis: 200,
            holder,
        };
        let mut request = self.request(Some(lock), ops, tail);
        loop {
            match self.survive(&request).await? {
                Came::Reply(Reply::Ran { ops, tail, serial }) => {
                    self.shared.board.locked(&home);
                    self.ledger.serial = serial;
                    return Ok(Sent::Ran(ops, tail));
                }
                Came::Found(over) => {
                    self.shared.board.locked(&home);
                    return Ok(Sent::Found(over));
                }
                Came::Unknown => {
                    self.shared.board.locked(&home);
                    return Ok(Sent::Stale);
                }
                Came::Reply(Reply::Stale) => return Ok(Sent::Stale),
                Came::Reply(Reply::Held(by)) if begun.elapsed() > self.shared.options.lock_wait => {
                    return Err(Lost::Locked(by));
                }
                Came::Reply(Reply::Held(by)) => {
                    if !told {
                        let what = format!("the lock of another run: {by}");
                        self.shared.sink.event(&Event::Waiting {
                            host: self.name.clone(),
                            what,
                        });
                    }
                    told = true;
                    if let Some(lock) = &mut request.lock {
                        lock.wait_millis = LOCK_WAIT;
                    }
                    if self.shared.cancel.is_stopped() {
                        // Nothing was begun, and nothing will be.
                        return Err(Lost::Aborted);
                    }
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        }
    }

    /// Lines that go before anything else of this run on the machine: the ledger's head, and who
    /// runs what. Until [`Loop::written`] says that they are, they are given again.
    pub(super) fn preamble(&self) -> Vec<Op> {
        let mut lines: Vec<String> = self.ledger.head().iter().map(Line::text).collect();
        if !self.run_noted {
            let audit = self.shared.options.audit.clone();
            let line = Line::Run {
                run: self.shared.options.run.clone(),
                project: self.shared.list.project.clone(),
                who: audit.who,
                from: audit.from,
                commit: audit.commit,
                at: audit.at,
                hosts: audit.hosts,
            };
            lines.push(line.text());
        }
        if lines.is_empty() {
            return Vec::new();
        }
        vec![Op::Journal { lines, sync: false }]
    }

    /// Spools of long steps that are read; after the lines that say how they ended. Tasks that were
    /// joined share one: it is there until all of them are told.
    pub(super) fn drops(&mut self) -> Option<Op> {
        let untold = |(task, _): &&(Option<TaskId>, String)| {
            task.is_some_and(|id| !self.decided.contains(&id))
        };
        let kept: BTreeSet<String> = self
            .read_spools
            .iter()
            .filter(untold)
            .map(|(_, spool)| spool.clone())
            .collect();
        let (stay, go): (Vec<_>, Vec<_>) = std::mem::take(&mut self.read_spools)
            .into_iter()
            .partition(|(_, spool)| kept.contains(spool));
        self.read_spools = stay;
        let long: BTreeSet<String> = go.into_iter().map(|(_, spool)| spool).collect();
        let long: Vec<String> = long.into_iter().collect();
        (!long.is_empty()).then_some(Op::Drop { long })
    }

    /// What waited to be written is.
    pub(super) fn written(&mut self) {
        self.lines.clear();
        self.run_noted = true;
        self.ledger.key_is_new = false;
    }

    /// The machine for this name alone, while it changes it; nothing if another name of the run
    /// has changed it since this one looked. Then it looks again, and keeps its turn until it acts
    /// or waits for something: of many names each looks again but once.
    pub(super) async fn alone(&mut self) -> Option<Alone> {
        let turn = match self.kept.take() {
            Some(turn) => turn,
            None => self.turn().await,
        };
        if self.heed_others() {
            self.kept = Some(turn);
            return None;
        }
        self.seen_writes = self.machine.writes.fetch_add(1, Ordering::SeqCst) + 1;
        let (shared, machine) = (Arc::clone(&self.shared), Arc::clone(&self.machine));
        Some(Alone::new(shared, machine, turn))
    }

    /// The machine for this name alone. All names of a run hold one lock, so the host does not keep
    /// them from writing its ledger at the same moment: this does.
    pub(super) async fn turn(&self) -> OwnedRwLockWriteGuard<()> {
        Arc::clone(&self.machine.turn).write_owned().await
    }

    /// If another name of the run has changed the machine, nothing counts that was seen before; if a host has brought
    /// a file to this machine, what was kept here does not.
    pub(super) fn heed_others(&mut self) -> bool {
        let fetches = self.shared.fetches.load(Ordering::SeqCst);
        let fetched = fetches != self.seen_fetches;
        if fetched {
            self.seen_fetches = fetches;
            self.forget_what_is_kept();
        }
        let writes = self.machine.writes.load(Ordering::SeqCst);
        let changed = writes != self.seen_writes;
        if changed {
            self.seen_writes = writes;
            self.known.clear();
        }
        changed || fetched
    }

    /// Asks while no other name of the run changes the machine: questions that belong together
    /// must not be answered half before and half after a change.
    pub(super) async fn look_in_quiet(&mut self, questions: &[Question]) -> Result<(), Lost> {
        if self.kept.is_some() {
            return self.look(questions, false).await;
        }
        let quiet = Arc::clone(&self.machine.turn).read_owned().await;
        self.heed_others();
        let looked = self.look(questions, false).await;
        drop(quiet);
        looked
    }

    /// Writes what is left to be written, and gives the lock back if this was the last name of the
    /// run on the machine. It is this name's turn.
    pub(super) async fn close(&mut self, release: bool) -> Result<(), Lost> {
        let held = release || self.shared.board.is_locked(&self.ledger.home());
        if !held && !self.must_write && self.read_spools.is_empty() {
            return Ok(());
        }
        let release = release || !held;
        let mut tail = Vec::new();
        if release {
            tail.extend(self.snapshot().await?);
        }
        let mut ops = Vec::new();
        if !self.lines.is_empty() {
            ops = self.preamble();
            ops.push(self.journal());
        }
        ops.extend(self.drops());
        if release {
            tail.push(Op::Release);
        }
        if ops.is_empty() && tail.is_empty() {
            return Ok(());
        }
        match self.locked(ops, tail).await? {
            // Another run came between: what we meant to note is for it to find out again.
            Sent::Stale | Sent::Found(_) | Sent::Ran(..) => Ok(()),
        }
    }

    fn journal(&self) -> Op {
        let lines = self.lines.iter().map(Line::text).collect();
        Op::Journal { lines, sync: true }
    }

    /// A long journal is folded into the snapshot, by the last name of the run, while nobody else
    /// can write.
    async fn snapshot(&mut self) -> Result<Option<Op>, Lost> {
        let too_long = self.ledger.journal_len > JOURNAL_LIMIT;
        if !too_long || self.shared.cancel.is_stopped() {
            return Ok(None);
        }
        let mut ops = self.preamble();
        ops.push(self.journal());
        ops.push(Op::Ledger);
        let Sent::Ran(mut results, _) = self.locked(ops, Vec::new()).await? else {
            return Ok(None);
        };
        self.written();
        let Some(OpResult::Ledger(text)) = results.pop() else {
            return Ok(None);
        };
        let ledger = Ledger::read(&text).map_err(|error| HostError::Garbled(error.to_string()))?;
        let lines = ledger.lines().iter().map(Line::text).collect();
        Ok(Some(Op::Snapshot { lines }))
    }
}
