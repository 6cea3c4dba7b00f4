//! The loop of one host: look, decide, send, look again, until nothing is left to decide.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use tokio::sync::OwnedRwLockWriteGuard;

use super::{
    Mode, Shared,
    board::Machine,
    chain::Entry,
    decide::{Decision, Question, identities},
    decided::Decided,
    door::Door,
    exchange::{Lost, Sent},
    fetch::Files,
    finish::Ran,
    known::{Known, Who},
    masking::Masking,
    pace::{Paced, until},
    walk::Todo,
};
use crate::{
    event::{Event, Recap},
    host::{Host, LedgerPlace, LongStep, Op, OpResult, StepEnd},
    identity::Identity,
    ledger::{Ended, Ledger, Line, Scope},
    probes::Whoami,
    task::{HostId, Resolved, Task, TaskId},
};

/// How long one exchange waits for a long step of an earlier run, in milliseconds.
const EARLIER_WAIT: u64 = 10_000;

/// What one host's loop holds.
pub(super) struct Loop {
    pub(super) shared: Arc<Shared>,
    pub(super) host: HostId,
    pub(super) name: String,
    pub(super) door: Arc<dyn Host>,
    pub(super) place: LedgerPlace,
    pub(super) identities: Vec<Identity>,
    /// This host's tasks, in listed order.
    pub(super) tasks: Vec<TaskId>,
    pub(super) ledger: Ledger,
    pub(super) boot: String,
    /// By listener: tasks of earlier runs that it is owed a turn for.
    pub(super) owing: BTreeMap<String, Vec<Scope>>,
    pub(super) known: Known,
    pub(super) masking: Masking,
    /// Names of tasks in the ledger, and how often each was given.
    pub(super) keys: BTreeMap<TaskId, String>,
    pub(super) used: BTreeMap<String, usize>,
    /// Arguments that will not change any more.
    pub(super) resolved: BTreeMap<TaskId, Resolved>,
    /// What undecided tasks have asked so far.
    pub(super) asked: BTreeMap<TaskId, Vec<Question>>,
    pub(super) decided: BTreeSet<TaskId>,
    /// Lines for the ledger that ride with the next write.
    pub(super) lines: Vec<Line>,
    /// Whether some of them must be written even if nothing else is.
    pub(super) must_write: bool,
    /// Long steps that go on.
    pub(super) flights: Vec<Flight>,
    /// Tasks whose files are fetched next.
    pub(super) files: VecDeque<Files>,
    /// Tasks whose steps ended, to be looked at again.
    pub(super) landed: Vec<Landed>,
    /// Tasks with steps left after a long one.
    pub(super) resumed: Vec<Landed>,
    pub(super) epochs: u32,
    pub(super) run_noted: bool,
    /// Tasks of which it was told that their steps were sent.
    pub(super) started: BTreeSet<TaskId>,
    /// Tasks whose joined run failed, as they were decided then: they run apart.
    pub(super) apart: BTreeMap<TaskId, Box<Decided>>,
    /// Tasks that take their turns one by one, and have begun.
    pub(super) paced: BTreeMap<TaskId, Paced>,
    /// What was known of links when the order between tasks was last set by them.
    pub(super) links_heeded: u64,
    /// How often names of this machine had changed it when this one looked.
    pub(super) seen_writes: u64,
    /// How often hosts had begun to change something when this one ran code of the user's.
    pub(super) seen_acts: u64,
    /// How many files hosts had brought to this machine when this one looked.
    pub(super) seen_fetches: u64,
    /// The machine, once it has said which it is.
    pub(super) machine: Arc<Machine>,
    /// Its turn on the machine, while it looks again at what others have changed.
    pub(super) kept: Option<OwnedRwLockWriteGuard<()>>,
    /// Tasks that ended after a program that may write anything was foretold to run.
    pub(super) blurred: BTreeSet<TaskId>,
    /// Exchanges in a row after which nothing was finished.
    pub(super) vain: u32,
    /// Whether the host has answered at all.
    pub(super) connected: bool,
    /// Whether the connection was lost since it was last looked whether the host is as it was.
    pub(super) lost_once: bool,
    /// Whether what was recalled last goes on.
    pub(super) recalled_going: bool,
    /// How often in a row the connection was lost without any task having ended, and how many had
    /// ended then.
    pub(super) losses: usize,
    pub(super) decided_at_loss: usize,
    /// Spools of long steps whose end is known, and the task whose end has to be written first.
    pub(super) read_spools: Vec<(Option<TaskId>, String)>,
    pub(super) recap: Recap,
}

/// A task whose steps were sent.
pub(super) struct Landed {
    pub(super) entry: Entry,
    pub(super) ran: Vec<Ran>,
}

/// A task whose long step goes on.
pub(super) struct Flight {
    pub(super) landed: Landed,
    /// Item and number of the steps that it is: several if they were joined.
    pub(super) steps: Vec<(usize, usize)>,
    /// The same for all whose steps were joined.
    pub(super) spool: String,
    pub(super) joined: bool,
    /// The boot it was started in.
    pub(super) boot: String,
}

/// Runs the tasks of one host.
pub(super) async fn drive(shared: Arc<Shared>, host: HostId) -> Recap {
    let mut it = Loop::new(shared, host);
    let result = it.work_or_pass().await;
    if let Err(lost) = &result {
        it.unreachable(lost);
    }
    let traffic = it.door.traffic();
    let board = &it.shared.board;
    {
        let mut state = board.state();
        match result {
            Ok(()) => state.schedule.end_host(host, None),
            // Nobody will hear how it ends: other hosts must not wait for it.
            Err(_) => state.schedule.lose_host(host),
        }
    }
    board.moved();
    it.recap.exchanges = traffic.exchanges;
    (it.recap.sent_bytes, it.recap.received_bytes) = (traffic.sent, traffic.received);
    it.recap
}

impl Loop {
    fn new(shared: Arc<Shared>, host: HostId) -> Self {
        let list = &shared.list;
        let entry = list.hosts[host.index()].clone();
        let tasks: Vec<TaskId> = (0..)
            .map(TaskId)
            .zip(&list.tasks)
            .filter(|(_, t)| t.host == host)
            .map(|(id, _)| id)
            .collect();
        let all = identities(tasks.iter().map(|id| &list.tasks[id.index()]));
        let place = match all.iter().find(|identity| identity.is_root()) {
            Some(root) => LedgerPlace::Root(root.clone()),
            None => LedgerPlace::User,
        };
        let mut masking = Masking::default();
        masking.learn(all.iter().filter_map(|identity| identity.secret.clone()));
        Self {
            host,
            name: entry.name,
            door: Arc::new(Door::new(
                entry.host,
                &shared.options,
                shared.cancel.clone(),
            )),
            place,
            identities: all,
            tasks,
            masking,
            ledger: Ledger::default(),
            boot: String::new(),
            owing: BTreeMap::new(),
            known: Known::default(),
            keys: BTreeMap::new(),
            used: BTreeMap::new(),
            resolved: BTreeMap::new(),
            asked: BTreeMap::new(),
            decided: BTreeSet::new(),
            lines: Vec::new(),
            must_write: false,
            flights: Vec::new(),
            files: VecDeque::new(),
            landed: Vec::new(),
            resumed: Vec::new(),
            epochs: 0,
            run_noted: false,
            started: BTreeSet::new(),
            apart: BTreeMap::new(),
            paced: BTreeMap::new(),
            links_heeded: 0,
            seen_writes: 0,
            seen_acts: 0,
            seen_fetches: 0,
            machine: Arc::default(),
            kept: None,
            blurred: BTreeSet::new(),
            vain: 0,
            connected: false,
            lost_once: false,
            recalled_going: false,
            losses: 0,
            decided_at_loss: 0,
            read_spools: Vec::new(),
            recap: Recap::default(),
            shared,
        }
    }

    pub(super) fn task(&self, id: TaskId) -> &Task {
        &self.shared.list.tasks[id.index()]
    }

    /// Which of the host's identities it is; one that only the run tells is added.
    pub(super) fn who(&mut self, identity: &Identity) -> Who {
        let known = self.identities.iter().position(|one| one == identity);
        known.unwrap_or_else(|| {
            self.masking.learn(identity.secret.clone());
            self.identities.push(identity.clone());
            self.identities.len() - 1
        })
    }

    pub(super) fn checking(&self) -> bool {
        self.shared.options.mode == Mode::Check
    }

    pub(super) fn scope(&self, task: &str) -> Scope {
        Scope {
            project: self.shared.list.project.clone(),
            host: self.name.clone(),
            task: task.to_owned(),
        }
    }

    pub(super) async fn work(&mut self) -> Result<(), Lost> {
        if self.tasks.is_empty() {
            return Ok(());
        }
        self.connect().await?;
        let home = self.ledger.home();
        self.shared.board.arrive(&home);
        let result = self.go_on().await;
        // In one turn: who leaves last gives the lock back, and nobody has lines left by then.
        self.kept = None;
        let turn = self.turn().await;
        let last = self.shared.board.leave(&home);
        let closed = self.close(last).await;
        drop(turn);
        result.and(closed)
    }

    /// The first exchange: the ledger, who we are, and what every task wants to know.
    async fn connect(&mut self) -> Result<(), Lost> {
        let begun = Instant::now();
        let mut questions = self.gather();
        for who in 0..self.identities.len() {
            questions.push((who, crate::probe::ask(Whoami)));
        }
        let then = self.shared.board.now();
        self.look(&questions, true).await?;
        self.machine = self.shared.board.machine(&self.ledger.machine);
        if self.machine.is_as_it_was(then) {
            self.seen_writes = self.machine.writes.load(Ordering::SeqCst);
        } else {
            // Under another name it was changed meanwhile.
            self.look_in_quiet(&questions).await?;
        }
        let duration_ms = super::millis(begun);
        self.shared.sink.event(&Event::HostConnected {
            host: self.name.clone(),
            duration_ms,
        });
        self.outlive_earlier_run().await?;
        self.await_earlier_run().await
    }

    async fn go_on(&mut self) -> Result<(), Lost> {
        let mut rounds = 0;
        loop {
            if self.shared.cancel.is_stopped() && self.flights.is_empty() && self.landed.is_empty()
            {
                return Ok(());
            }
            self.after_loss().await?;
            if !self.landed.is_empty() {
                let open = self.unanswered_of_landed();
                if !open.is_empty() {
                    self.look_in_quiet(&open).await?;
                }
                if self.finish_landed() {
                    continue;
                }
                if self.shared.cancel.is_stopped() && self.flights.is_empty() {
                    return Ok(());
                }
            }
            let next_move = {
                let shared = Arc::clone(&self.shared);
                async move { shared.board.next_move().await }
            };
            let mut next_move = std::pin::pin!(next_move);
            // Registered before the walk looks, so that no move is missed.
            let waiting = futures_poll_once(next_move.as_mut()).await;
            let todo = self.walk();
            if !matches!(todo, Todo::Ask(..) | Todo::Send(..)) {
                // Others are not kept waiting.
                self.kept = None;
            }
            match todo {
                Todo::Over => return Ok(()),
                Todo::Ask(id, mut questions) => {
                    rounds += 1;
                    if rounds <= 3 {
                        // What this one asks is among it.
                        let mut keys: BTreeSet<_> = questions
                            .iter()
                            .map(|(who, probe)| (*who, probe.key()))
                            .collect();
                        let mut more = self.gather();
                        more.retain(|(who, probe)| keys.insert((*who, probe.key())));
                        questions.extend(more);
                    }
                    let begun = Instant::now();
                    self.look_in_quiet(&questions).await?;
                    self.tell_asked(id, super::millis(begun));
                }
                Todo::Send(entries, more) => {
                    rounds = 0;
                    self.send(entries, more).await?;
                }
                Todo::Land => {}
                Todo::AwaitLong => self.await_long().await?,
                Todo::AwaitOthers if waiting => {
                    tokio::select! {
                        () = next_move => {}
                        () = until(self.due()) => {}
                        () = self.shared.cancel.stopped() => {}
                    }
                }
                Todo::AwaitOthers => {}
            }
        }
    }

    fn tell_asked(&self, id: TaskId, duration_ms: u64) {
        if !self.checking() {
            let name = self.task_name(id);
            self.shared
                .sink
                .event(&Event::TaskAsked { name, duration_ms });
        }
    }

    /// All that undecided tasks want to know and that was not asked, as far as it can be foreseen.
    pub(super) fn gather(&mut self) -> Vec<Question> {
        let mut all = self.link_questions();
        let mut keys = BTreeSet::new();
        for id in self.tasks.clone() {
            if self.decided.contains(&id) {
                continue;
            }
            for (who, probe) in self.foresee(id) {
                let key = (who, probe.key());
                if self.known.get(who, &key.1).is_none() && keys.insert(key) {
                    all.push((who, probe));
                }
            }
        }
        all
    }

    /// What one task wants to know next. Code of the user's runs before its turn only where the task says what it reads,
    /// surely comes to its turn, and nothing was done yet: what is done next would make its answer void.
    fn foresee(&mut self, id: TaskId) -> Vec<Question> {
        let shared = Arc::clone(&self.shared);
        let state = shared.board.state();
        let told = self.started.is_empty()
            && self.task(id).reads.is_some()
            && self.resolve(id, &state, false).is_ok();
        let decision = self.with_known(|it, known| it.decide(id, &state, known, true));
        let Decision::Ask(questions) = decision else {
            return Vec::new();
        };
        let quiet =
            |(_, probe): &Question| !probe.only_at_its_turn() && (told || !probe.runs_user_code());
        questions.into_iter().filter(quiet).collect()
    }

    /// A task that an earlier run left in the middle may still be going on there, in a script that
    /// outlived its controller: with the lock in hand nothing does, and the ledger says how it ended.
    async fn outlive_earlier_run(&mut self) -> Result<(), Lost> {
        let here = self.scope("");
        let mine = |scope: &Scope| (&scope.project, &scope.host) == (&here.project, &here.host);
        let mut records = self.ledger.records.iter();
        if self.checking() || !records.any(|(scope, record)| mine(scope) && record.interrupted()) {
            return Ok(());
        }
        match self.locked(Vec::new(), Vec::new()).await? {
            Sent::Stale => self.start_over().await,
            Sent::Found(_) | Sent::Ran(..) => Ok(()),
        }
    }

    /// A long step of an earlier run may still be going on: nothing is done beside it.
    async fn await_earlier_run(&mut self) -> Result<(), Lost> {
        let scopes = self.scope("");
        let running: Vec<(Scope, String)> = self
            .ledger
            .records
            .iter()
            .filter(|(scope, _)| (&scope.project, &scope.host) == (&scopes.project, &scopes.host))
            .filter_map(|(scope, record)| Some((scope.clone(), record.long.clone()?)))
            .collect();
        if running.is_empty() || self.checking() {
            return Ok(());
        }
        // Tasks that were joined share one.
        let mut spools: BTreeMap<String, Vec<Scope>> = BTreeMap::new();
        for (scope, spool) in running {
            spools.entry(spool).or_default().push(scope);
        }
        for (spool, scopes) in spools {
            self.await_spool(&scopes, &spool).await?;
            if self.shared.cancel.is_stopped() {
                return Ok(());
            }
        }
        // What it did is not what was seen.
        self.known.clear();
        let questions = self.gather();
        self.look(&questions, false).await
    }

    async fn await_spool(&mut self, tasks: &[Scope], spool: &str) -> Result<(), Lost> {
        let begun = Instant::now();
        let name = tasks.first().map_or("", |scope| scope.task.as_str());
        loop {
            let wait = Op::Await {
                long: vec![spool.to_owned()],
                millis: EARLIER_WAIT,
            };
            let mut results = self.plain(vec![wait, Op::Ledger]).await?.into_iter();
            let (Some(OpResult::Awaited(steps)), Some(OpResult::Ledger(text))) =
                (results.next(), results.next())
            else {
                return Ok(());
            };
            let ended = match steps.first() {
                Some(LongStep::Running) => {
                    if begun.elapsed() > self.shared.options.lock_wait {
                        return Err(Lost::Locked(format!("`{name}` of an earlier run")));
                    }
                    self.shared.sink.event(&Event::Waiting {
                        host: self.name.clone(),
                        what: format!("`{name}`, which an earlier run started"),
                    });
                    if self.shared.cancel.is_stopped() {
                        return Ok(());
                    }
                    continue;
                }
                Some(LongStep::Ended(StepEnd::Ok(_))) => Ended::Changed,
                Some(LongStep::Ended(_)) => Ended::Failed,
                // Nobody knows how it ended: it stays interrupted.
                Some(LongStep::Lost) | None => return Ok(()),
            };
            for task in tasks {
                self.lines.push(Line::End {
                    epoch: self.ledger.epoch(task).cloned().unwrap_or_default(),
                    ended,
                    witness: None,
                    result: None,
                });
            }
            self.read_spools.push((None, spool.to_owned()));
            self.must_write = true;
            return self.read_ledger(&text);
        }
    }

    pub(super) fn chain_around(&self) -> super::chain::Around<'_> {
        super::chain::Around {
            identities: &self.identities,
            known: &self.known,
            list: &self.shared.list,
        }
    }

    pub(super) fn joining(&self) -> super::joins::Rule<'_> {
        super::joins::Rule {
            list: &self.shared.list,
            apart: &self.apart,
            in_order: self.shared.options.in_order,
        }
    }
}

/// Polls a future once: whether it is still pending.
pub(super) async fn futures_poll_once<F: Future + Unpin>(mut future: F) -> bool {
    std::future::poll_fn(|context| {
        let pending = std::pin::Pin::new(&mut future).poll(context).is_pending();
        std::task::Poll::Ready(pending)
    })
    .await
}
