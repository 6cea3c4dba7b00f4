//! What an exchange brought: tasks are finished, long steps followed, failures told.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    chain::{Chain, Entry, Slot, first_spool, steps, writes},
    decide::{Decision, Question},
    drive::{Flight, Landed, Loop},
    exchange::{Lost, Sent},
    fetch::Files,
    finish::Ran,
    joins::{At, spools},
    reconnect::Gap,
    trouble::{action_error, run_error, time_error},
};
use crate::{
    event::{Event, TaskError},
    host::{HostError, Op, OpResult, StepEnd},
    ledger::Line,
    step::{Action, Done},
    task::TaskId,
};

impl Loop {
    /// Sends a chain and finishes what can be finished. `more`: tasks may go on beside its long
    /// steps.
    pub(super) async fn send(&mut self, entries: Vec<Entry>, more: bool) -> Result<(), Lost> {
        let Some(_alone) = self.alone().await else {
            // Another name of this machine has changed it: look again.
            return Ok(());
        };
        let all = self.sending(entries);
        let first = all.first().map(|landed| landed.entry.decided.task);
        let mut ops = self.preamble();
        let before = ops.len();
        let chain = self.whole_chain(&all);
        ops.extend(chain.ops);
        let (awaited, looks) = self.long_of(&chain.slots, &all);
        let mut tail = Vec::new();
        if !awaited.is_empty() {
            let millis = if more { 0 } else { self.long_wait() };
            tail.push(Op::Await {
                long: awaited.clone(),
                millis,
            });
            tail.extend(self.look_ops(&looks));
        }
        tail.extend(self.drops());
        let mut gap = None;
        let (results, tail) = match self.stoppable(ops, tail).await {
            Ok(Sent::Ran(results, tail)) => (results, tail),
            Ok(Sent::Found(over)) => {
                gap = Some(Gap {
                    killed: !over.whole,
                    restarted: over.restarted,
                });
                (over.ops, Vec::new())
            }
            Ok(Sent::Stale) => {
                for landed in &all {
                    self.plan_anew(landed);
                }
                return self.start_over().await;
            }
            Err(Lost::Host(HostError::Privilege { user, why, help })) => {
                self.cannot_become(&all, user, why, help)?;
                // Steps before it may have been taken: the ledger knows.
                return self.start_over().await;
            }
            Err(lost) => return Err(lost),
        };
        let stepped = |result: &OpResult| matches!(result, OpResult::Stepped(_));
        if gap.is_none() || results.iter().any(stepped) {
            self.written();
        }
        let finished = self.decided.len();
        let results: Vec<OpResult> = results.into_iter().skip(before).collect();
        let all = all.into_iter().map(|landed| Sending {
            landed,
            stage: Stage::Waiting,
        });
        let (acted, again) = self.read_chain(all.collect(), &chain.slots, results, gap);
        self.after_loss().await?;
        self.long_steps(&awaited, tail, &looks);
        self.fetch_files().await?;
        self.finish_landed();
        self.in_vain(first, acted || self.decided.len() > finished);
        if again {
            return self.start_over().await;
        }
        Ok(())
    }

    /// What is sent: first the rest of tasks whose long step has ended, then what was decided.
    fn sending(&mut self, entries: Vec<Entry>) -> Vec<Landed> {
        let mut all: Vec<Landed> = std::mem::take(&mut self.resumed);
        for entry in entries {
            let id = entry.decided.task;
            if entry.epoch.is_some() && self.started.insert(id) {
                let name = self.task_name(id);
                self.shared.sink.event(&Event::TaskStarted(name));
            }
            let ran = vec![Ran::default(); entry.decided.items.len()];
            all.push(Landed { entry, ran });
        }
        all
    }

    /// The chain, with what is looked at after it.
    fn whole_chain(&self, all: &[Landed]) -> Chain {
        let groups = self.joining().groups(all);
        let lines = self.intents(all, &spools(&groups));
        let mut chain = Chain::new(lines, all, &groups, &self.chain_around());
        let opaque = |l: &Landed| l.entry.decided.is_opaque(self.task(l.entry.decided.task));
        if all.iter().any(opaque) {
            let open = self.questions_after(all);
            chain.ask(&open, all.len(), &self.chain_around());
        }
        let targets = all.iter().map(|landed| &landed.entry.decided);
        let open: Vec<Question> = targets
            .flat_map(|decided| self.open_targets(decided, &self.known))
            .collect();
        chain.ask(&open, all.len(), &self.chain_around());
        chain
    }

    /// A chain that brings nothing is sent again, but not for ever.
    fn in_vain(&mut self, first: Option<TaskId>, brought: bool) {
        self.vain = if brought || !self.flights.is_empty() {
            0
        } else {
            self.vain + 1
        };
        let Some(first) = first.filter(|_| self.vain >= 3) else {
            return;
        };
        self.vain = 0;
        if !self.shared.board.state().schedule.is_turn(first) {
            return;
        }
        let error = TaskError {
            message: "the host changed under it three times while it was to be done".to_owned(),
            help: Some("something else is at work on the same things".to_owned()),
            ..TaskError::default()
        };
        self.resumed
            .retain(|landed| landed.entry.decided.task != first);
        self.failed_with(first, error);
    }

    /// Sends; when somebody stops the run meanwhile, the host is told to stop before its next step.
    async fn stoppable(&mut self, ops: Vec<Op>, tail: Vec<Op>) -> Result<Sent, Lost> {
        let (cancel, door) = (self.shared.cancel.clone(), self.door.clone());
        let stopping = crate::host::Stopping {
            run: self.shared.options.run.clone(),
            place: self.place.clone(),
        };
        let (sent, stopped) = {
            let sending = self.locked(ops, tail);
            tokio::pin!(sending);
            tokio::select! {
                sent = &mut sending => return sent,
                () = cancel.stopped() => {}
            }
            let stopped = door.stop(&stopping).await;
            (sending.await, stopped)
        };
        if let (Err(error), Ok(_)) = (&stopped, &sent) {
            self.warn(
                None,
                &format!("the host could not be told to stop: {error}"),
            );
        }
        sent
    }

    /// Another run has written since we looked: nothing that was seen counts any more.
    pub(super) async fn start_over(&mut self) -> Result<(), Lost> {
        self.known.clear();
        self.asked.clear();
        let mut questions = self.gather();
        for who in 0..self.identities.len() {
            questions.push((who, crate::probe::ask(crate::probes::Whoami)));
        }
        self.look(&questions, true).await
    }

    fn cannot_become(
        &mut self,
        all: &[Landed],
        user: String,
        why: String,
        help: String,
    ) -> Result<(), Lost> {
        let acting = |landed: &&Landed| {
            let who = landed.entry.decided.who;
            landed.entry.epoch.is_some()
                && self.identities[who].user.as_deref() == Some(user.as_str())
        };
        let Some(first) = all.iter().find(acting).or(all.first()) else {
            return Err(HostError::Privilege { user, why, help }.into());
        };
        let error = TaskError {
            message: format!("cannot become `{user}`: {why}"),
            help: Some(help),
            ..TaskError::default()
        };
        self.failed_with(first.entry.decided.task, error);
        // Of the others some had begun: their turn comes again.
        for landed in all {
            if !self.decided.contains(&landed.entry.decided.task) {
                self.plan_anew(landed);
            }
        }
        Ok(())
    }

    /// What tasks that come after a chain have asked: a program whose effects nobody stated may
    /// change the answers.
    fn questions_after(&self, all: &[Landed]) -> Vec<Question> {
        let inside: BTreeSet<TaskId> = all.iter().map(|l| l.entry.decided.task).collect();
        let later = self
            .tasks
            .iter()
            .filter(|id| !self.decided.contains(id) && !inside.contains(id));
        let open = later.filter_map(|id| self.asked.get(id)).flatten();
        open.filter(|(_, probe)| !probe.runs_user_code() && !probe.only_at_its_turn())
            .cloned()
            .collect()
    }

    /// The lines that wait to be written, and what is going to be done.
    fn intents(&self, all: &[Landed], joined: &BTreeMap<usize, String>) -> Vec<String> {
        let mut lines: Vec<String> = self.lines.iter().map(Line::text).collect();
        for (at, landed) in all.iter().enumerate().filter(|(_, it)| it.entry.from == 0) {
            let decided = &landed.entry.decided;
            let (Some(epoch), Some(task)) = (&landed.entry.epoch, &decided.scope) else {
                continue;
            };
            let line = Line::Intent {
                task: task.clone(),
                epoch: epoch.clone(),
                module: self.task(decided.task).module.clone(),
                name: self.masking.text(&self.task(decided.task).name),
                print: decided.print.clone(),
                listeners: self.shared.board.listeners(decided.task),
                at: self.shared.options.audit.at.clone(),
                run: self.shared.options.run.clone(),
                long: joined
                    .get(&at)
                    .cloned()
                    .or_else(|| first_spool(decided, epoch)),
                boot: self.boot.clone(),
            };
            lines.push(line.text());
        }
        lines
    }

    /// Reads what each operation of a chain gave, in order. Whether a step was taken, and whether a
    /// task has to be planned anew, on what the ledger says of it: part of the answer was lost.
    fn read_chain(
        &mut self,
        mut all: Vec<Sending>,
        slots: &[Slot],
        results: Vec<OpResult>,
        gap: Option<Gap>,
    ) -> (bool, bool) {
        let restarted = gap.is_some_and(|gap| gap.restarted);
        let mut broken = false;
        for (slot, result) in slots.iter().zip(results) {
            match (slot, result) {
                (Slot::Note, _) => {}
                (_, OpResult::NotReached) => broken = true,
                (Slot::Observe { .. }, _) if restarted => broken = true,
                (Slot::Observe { who, probes, upto }, OpResult::Observed(answers)) => {
                    for (probe, answer) in probes.iter().zip(answers) {
                        self.known.learn(*who, probe.as_ref(), answer);
                    }
                    self.finish_upto(&mut all[..*upto]);
                }
                (Slot::Guard, OpResult::Guarded(held)) => broken |= held.is_some(),
                (
                    Slot::Step {
                        entry,
                        item,
                        number,
                        long,
                    },
                    OpResult::Stepped(end),
                ) => {
                    broken |= matches!(end, StepEnd::Edited);
                    self.stepped(&mut all[*entry], *item, *number, long.as_deref(), &end);
                }
                (Slot::Fetch { entry, steps }, OpResult::Written) => {
                    all[*entry].stage = Stage::Fetching(steps.clone());
                }
                (Slot::Joined { steps, long }, OpResult::Stepped(end)) => {
                    broken |= !matches!(end, StepEnd::Ok(_) | StepEnd::Started);
                    self.stepped_as_one(&mut all, steps, long.as_deref(), &end);
                }
                _ => broken = true,
            }
        }
        let acted = |sending: &Sending| !matches!(sending.stage, Stage::Waiting);
        let any = all.iter().any(acted);
        let again = self.go_on_from(all, gap) || restarted;
        if broken {
            // What was not reached is asked, and decided, anew.
            self.known.clear();
        }
        (any, again)
    }

    /// What becomes of the tasks of a chain now. Whether one has to be planned anew.
    fn go_on_from(&mut self, all: Vec<Sending>, gap: Option<Gap>) -> bool {
        let mut again = false;
        for mut sending in all {
            if let Some(gap) = gap {
                let told = matches!(
                    sending.stage,
                    Stage::Finished | Stage::Flying { .. } | Stage::Fetching(_) | Stage::Apart
                );
                if !told && Self::is_open(&sending.landed, gap) {
                    again = true;
                    self.plan_anew(&sending.landed);
                    continue;
                }
                if let Stage::Acted = sending.stage
                    && let Some(from) = unfinished(&sending.landed)
                {
                    sending.landed.entry.from = from;
                    self.begin_now(sending.landed.entry.decided.task);
                    self.resumed.push(sending.landed);
                    continue;
                }
            }
            match sending.stage {
                Stage::Flying {
                    steps,
                    spool,
                    joined,
                } => {
                    let id = sending.landed.entry.decided.task;
                    self.begin_now(id);
                    self.flights.push(Flight {
                        landed: sending.landed,
                        steps,
                        spool,
                        joined,
                        boot: self.boot.clone(),
                    });
                }
                Stage::Fetching(steps) => {
                    self.begin_now(sending.landed.entry.decided.task);
                    let landed = sending.landed;
                    self.files.push_back(Files { landed, steps });
                }
                Stage::Apart => self.part(&sending.landed.entry),
                Stage::Acted => self.land(sending.landed),
                // What came before it ended the chain: the rest of it is sent with the next.
                Stage::Waiting if sending.landed.entry.from > 0 => {
                    self.resumed.push(sending.landed);
                }
                Stage::Waiting => self.not_begun(&sending.landed.entry),
                Stage::Finished => {}
            }
        }
        again
    }

    /// A failed turn of a loop ends the chain, but does not keep the other turns from theirs.
    pub(super) fn land(&mut self, mut landed: Landed) {
        let left = || {
            let failed = landed.ran.iter().rposition(|ran| ran.trouble.is_some())?;
            let mut later = steps(&landed.entry.decided);
            later.position(|(item, _)| item > failed && landed.ran[item].taken == 0)
        };
        match left() {
            Some(from) => {
                landed.entry.from = from;
                self.begin_now(landed.entry.decided.task);
                self.resumed.push(landed);
            }
            None => self.landed.push(landed),
        }
    }

    /// It has begun, and others may go on beside it.
    fn begin_now(&self, id: TaskId) {
        let mut state = self.shared.board.state();
        if state.schedule.is_turn(id) && !state.schedule.is_running(id) {
            state.schedule.start(id);
        }
    }

    /// It was meant to be done, and nothing of it was: it owes nobody anything.
    fn not_begun(&mut self, entry: &Entry) {
        if let Some(epoch) = entry.epoch.clone() {
            self.lines.push(Line::Void { epoch });
        }
    }

    /// Finishes the tasks of a chain that stand before a look, now that it was taken. If one turns
    /// out otherwise than foreseen, those behind it have to wait for it.
    fn finish_upto(&mut self, all: &mut [Sending]) {
        for sending in all {
            let acts = sending.landed.entry.epoch.is_some();
            match sending.stage {
                Stage::Flying { .. } | Stage::Fetching(_) | Stage::Finished => continue,
                // Its turn comes again.
                Stage::Apart => return,
                Stage::Waiting if acts => return,
                Stage::Waiting | Stage::Acted => {}
            }
            if !self.finish_one(&sending.landed) {
                return;
            }
            sending.stage = Stage::Finished;
        }
    }

    fn stepped(
        &mut self,
        sending: &mut Sending,
        item: usize,
        number: usize,
        long: Option<&str>,
        end: &StepEnd,
    ) {
        match (end, long) {
            (StepEnd::Edited, _) if sending.landed.ran.iter().all(|ran| ran.taken == 0) => {
                sending.stage = Stage::Waiting;
            }
            (StepEnd::Started, Some(spool)) => {
                sending.stage = Stage::Flying {
                    steps: vec![(item, number)],
                    spool: spool.to_owned(),
                    joined: false,
                };
            }
            _ => {
                sending.stage = Stage::Acted;
                self.note_step(&mut sending.landed, item, number, end);
            }
        }
    }

    /// A joined run: what came of it came of each of its tasks, unless it failed.
    fn stepped_as_one(
        &mut self,
        all: &mut [Sending],
        steps: &[At],
        long: Option<&str>,
        end: &StepEnd,
    ) {
        for at in steps {
            let sending = &mut all[at.entry];
            match (end, long) {
                (StepEnd::Ok(_), _) => {
                    sending.stage = Stage::Acted;
                    self.note_step(&mut sending.landed, at.item, at.number, end);
                }
                (StepEnd::Started, Some(spool)) => match &mut sending.stage {
                    Stage::Flying { steps, .. } => steps.push((at.item, at.number)),
                    stage => {
                        *stage = Stage::Flying {
                            steps: vec![(at.item, at.number)],
                            spool: spool.to_owned(),
                            joined: true,
                        };
                    }
                },
                _ => sending.stage = Stage::Apart,
            }
        }
    }

    /// Notes how a step ended, and that what it wrote is no longer what was seen.
    pub(super) fn note_step(
        &mut self,
        landed: &mut Landed,
        item: usize,
        number: usize,
        end: &StepEnd,
    ) {
        let decided = &landed.entry.decided;
        let task = self.task(decided.task);
        let Some((_, step)) = steps(decided).nth(number) else {
            return;
        };
        let ran = &mut landed.ran[item];
        ran.taken += 1;
        ran.millis += millis_of(end);
        let trouble = match (&step.action, end) {
            (Action::Run(_), StepEnd::Ok(done)) => {
                ran.done.push(done.clone());
                None
            }
            (Action::Run(run), StepEnd::Failed(done)) => {
                ran.done.push(done.clone());
                Some(run_error(run, done))
            }
            (Action::Run(run), StepEnd::TimedOut(done)) => {
                ran.done.push(done.clone());
                Some(time_error(run, done, ran.millis))
            }
            (action, StepEnd::Failed(done) | StepEnd::TimedOut(done)) => {
                Some(action_error(action, done))
            }
            (action, StepEnd::Edited) => {
                let done = Done {
                    stderr: b"somebody else has changed it meanwhile".to_vec(),
                    ..Done::default()
                };
                Some(action_error(action, &done))
            }
            _ => None,
        };
        ran.trouble = trouble;
        let opaque = decided.is_opaque(task) && matches!(step.action, Action::Run(_));
        if opaque {
            self.known.clear();
        } else {
            let written = writes(&landed.entry, task, &self.known);
            self.known.forget(&written);
        }
        if matches!(end, StepEnd::Ok(_)) {
            self.known.act(&step.action);
        }
    }

    /// What has still to be answered before landed tasks can be finished.
    pub(super) fn unanswered_of_landed(&self) -> Vec<Question> {
        let asked = self
            .landed
            .iter()
            .flat_map(|landed| &landed.entry.decided.asked);
        asked
            .filter(|(who, probe)| self.known.get(*who, &probe.key()).is_none())
            .cloned()
            .collect()
    }

    /// Finishes those landed tasks that are answered and whose turn has come, in listed order.
    /// Whether there were any.
    pub(super) fn finish_landed(&mut self) -> bool {
        let mut any = false;
        self.landed.sort_by_key(|landed| landed.entry.decided.task);
        for landed in std::mem::take(&mut self.landed) {
            let known = |(who, probe): &Question| self.known.get(*who, &probe.key()).is_some();
            if landed.entry.decided.asked.iter().all(known) && self.finish_one(&landed) {
                any = true;
            } else {
                self.landed.push(landed);
            }
        }
        any
    }

    /// Finishes a task of a chain; false if it has to wait for another turn.
    fn finish_one(&mut self, landed: &Landed) -> bool {
        let Landed { entry, ran } = landed;
        let id = entry.decided.task;
        let shared = std::sync::Arc::clone(&self.shared);
        if self.decided.contains(&id) {
            return true;
        }
        if !shared.board.state().schedule.is_turn(id) {
            return false;
        }
        if let Some(epoch) = &entry.epoch {
            self.finish_decided(&entry.decided, Some(ran), Some(epoch.clone()));
            return true;
        }
        // It was decided on what was foretold: what was seen must say the same.
        let decision = self.with_known(|it, known| {
            let state = shared.board.state();
            it.decide(id, &state, known, false)
        });
        match decision {
            Decision::Quiet => self.quiet(id),
            Decision::Decided(decided) if !decided.acts() => {
                self.finish_decided(&decided, None, None);
            }
            // The walk comes to it again.
            Decision::Decided(_) | Decision::Ask(_) | Decision::NotYet(_) => return false,
        }
        true
    }
}

/// The first step that is left of a task all of whose steps so far ended well.
fn unfinished(landed: &Landed) -> Option<usize> {
    let taken: usize = landed.ran.iter().map(|ran| ran.taken).sum();
    let well = landed.ran.iter().all(|ran| ran.trouble.is_none());
    (well && taken < steps(&landed.entry.decided).count()).then_some(taken)
}

/// A task of a chain that was sent.
struct Sending {
    landed: Landed,
    stage: Stage,
}

/// How far a task of a chain has come.
enum Stage {
    /// No step of it was taken.
    Waiting,
    /// All its steps that were reached have ended.
    Acted,
    /// A long step of it goes on.
    Flying {
        steps: Vec<(usize, usize)>,
        spool: String,
        joined: bool,
    },
    /// Files of the host are to be fetched: items and numbers of its steps.
    Fetching(Vec<(usize, usize)>),
    /// The run that it had joined failed.
    Apart,
    /// It was looked at again, and told.
    Finished,
}

/// How long a step took.
fn millis_of(end: &StepEnd) -> u64 {
    match end {
        StepEnd::Ok(done) | StepEnd::Failed(done) | StepEnd::TimedOut(done) => done.millis,
        StepEnd::Edited | StepEnd::Started => 0,
    }
}
