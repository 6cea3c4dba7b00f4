//! Carries out an exchange on the model.

use std::collections::BTreeSet;

use super::{
    World,
    faults::{Cut, Faults},
    ledger::{Ledger, LockState},
    long::{Job, Long, Spool},
};
use crate::{
    host::{Exchange, HostError, LongStep, Op, OpResult, Over, Recall, Reply, StepEnd},
    identity::Identity,
    late::NotYet,
    probe::Probes,
    probes::Account,
    secret::Text,
    step::{Action, Done, Effect},
};

/// A host with all that is on it.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) world: World,
    pub(super) login: String,
    pub(super) ledger: Ledger,
    pub(super) lock: LockState,
    pub(super) long: Spool,
    pub(super) faults: Faults,
    pub(super) log: Vec<String>,
    pub(super) exchanges: Vec<Exchange>,
    pub(super) steps: u64,
    stopping: BTreeSet<String>,
    /// What was noted of the last exchange with steps.
    record: Option<Over>,
}

/// What an exchange has come to.
struct Going<'a> {
    exchange: &'a Exchange,
    serial_counted: bool,
    /// After so many operations nobody listens any more.
    link: Option<usize>,
}

/// A step as an operation holds it.
struct Taken<'a> {
    who: &'a Identity,
    env: &'a [(String, Text)],
    action: &'a Action,
    effects: &'a [Effect],
    long: Option<&'a str>,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            world: World::new(),
            login: "root".to_owned(),
            ledger: Ledger::default(),
            lock: LockState::default(),
            long: Spool::default(),
            faults: Faults::default(),
            log: Vec::new(),
            exchanges: Vec::new(),
            steps: 0,
            stopping: BTreeSet::new(),
            record: None,
        }
    }

    pub(super) fn root(&self) -> Account {
        let root = Account {
            name: "root".to_owned(),
            uid: 0,
            group: "root".to_owned(),
            gid: 0,
        };
        self.world.user("root").unwrap_or(root)
    }

    pub(super) fn stop(&mut self, run: &str) {
        self.stopping.insert(run.to_owned());
    }

    pub(super) fn exchange(&mut self, exchange: &Exchange) -> Result<Reply, HostError> {
        self.exchanges.push(exchange.clone());
        let number = self.exchanges.len() as u64;
        if exchange.acts() {
            self.record = None;
        }
        if self.faults.no_request.remove(&number) {
            return Err(lost());
        }
        let away = self.faults.away.is_some_and(|from| number >= from);
        if away || number < self.faults.comes {
            return Err(HostError::Unreachable("it is away".to_owned()));
        }
        for (name, job) in self.long.pass() {
            self.finish(&name, &job)?;
        }
        if let Some(lock) = &exchange.lock
            && let Some(refused) = self.lock.ask(&exchange.run, lock, &mut self.ledger)
        {
            return Ok(refused);
        }
        if exchange.acts() {
            self.record = Some(Over {
                ops: vec![OpResult::NotReached; exchange.ops.len()],
                whole: true,
                restarted: false,
            });
        }
        let mut going = Going {
            exchange,
            serial_counted: false,
            link: self.faults.link.remove(&number),
        };
        let ops = self.chain(&mut going)?;
        let mut tail = Vec::new();
        for op in &exchange.tail {
            if matches!(op, Op::Step { .. } | Op::Guard { .. } | Op::Ledger) {
                return Err(garbled("a tail holds no steps, guards and ledgers"));
            }
            tail.push(self.one(op, &mut going)?.0);
        }
        if self.faults.no_reply.remove(&number) || going.link.is_some() {
            self.lock.die();
            return Err(lost());
        }
        let serial = self.ledger.serial;
        Ok(Reply::Ran { ops, tail, serial })
    }

    fn chain(&mut self, going: &mut Going<'_>) -> Result<Vec<OpResult>, HostError> {
        let ops = &going.exchange.ops;
        let mut results = vec![OpResult::NotReached; ops.len()];
        let mut at = 0;
        while let Some(op) = ops.get(at) {
            let acts = matches!(op, Op::Step { .. });
            if acts && self.stopping.remove(&going.exchange.run) {
                self.log.push("stopped".to_owned());
                break;
            }
            if going.link.is_some_and(|after| at >= after) && announces(ops, at) {
                self.log.push("gone".to_owned());
                break;
            }
            let one = self.one(op, going);
            if let Some(record) = self.record.as_mut().filter(|_| going.exchange.acts()) {
                match &one {
                    Ok((result, _)) => record.ops[at] = result.clone(),
                    Err(HostError::Lost(_)) => record.whole = false,
                    Err(_) => {}
                }
            }
            let (result, next) = one?;
            results[at] = result;
            at = match next {
                Next::On => at + 1,
                Next::End => break,
                Next::At(target) if target > at => target,
                Next::At(_) => return Err(garbled("`on_failure` leads back")),
            };
        }
        Ok(results)
    }

    fn one(&mut self, op: &Op, going: &mut Going<'_>) -> Result<(OpResult, Next), HostError> {
        let result = match op {
            Op::Ledger => OpResult::Ledger(self.ledger.text()),
            Op::Observe { who, probes } => OpResult::Observed(self.observe(who, probes)),
            Op::Guard { who, holds } => {
                let broken = self.guard(who, holds)?;
                let next = broken.map_or(Next::On, |_| Next::End);
                return Ok((OpResult::Guarded(broken), next));
            }
            Op::Journal { lines, .. } => {
                self.writes_ledger(going)?;
                self.ledger.append(lines)?;
                self.log
                    .extend(lines.iter().map(|l| format!("journal: {l}")));
                OpResult::Written
            }
            Op::Snapshot { lines } => {
                self.writes_ledger(going)?;
                self.ledger.replace(lines)?;
                self.log.push("snapshot".to_owned());
                OpResult::Written
            }
            Op::Step {
                who,
                env,
                action,
                effects,
                long,
                on_failure,
            } => {
                let taken = Taken {
                    who,
                    env,
                    action,
                    effects,
                    long: long.as_deref(),
                };
                let end = self.step(&taken, &going.exchange.run)?;
                let next = match (&end, on_failure) {
                    (StepEnd::Ok(_) | StepEnd::Started, _) => Next::On,
                    (_, Some(target)) => Next::At(*target),
                    (_, None) => Next::End,
                };
                return Ok((OpResult::Stepped(end), next));
            }
            Op::Await { long, millis } => OpResult::Awaited(self.wait(long, *millis)?),
            Op::Drop { long } => {
                for name in long {
                    self.long.forget(name);
                }
                OpResult::Written
            }
            Op::Release => {
                if self.lock.is_held_by(&going.exchange.run) {
                    self.lock.release();
                }
                self.log.push("release".to_owned());
                OpResult::Written
            }
        };
        Ok((result, Next::On))
    }

    fn writes_ledger(&mut self, going: &mut Going<'_>) -> Result<(), HostError> {
        if !self.lock.is_held_by(&going.exchange.run) {
            return Err(garbled("the ledger was to be written without the lock"));
        }
        if !going.serial_counted {
            going.serial_counted = true;
            self.ledger.serial += 1;
        }
        Ok(())
    }

    /// Becomes somebody; an error names who cannot be become.
    fn become_who(&mut self, who: &Identity) -> Result<(), HostError> {
        let name = who.user.as_deref().unwrap_or(&self.login);
        let account = self.world.user(name);
        self.world.actor = account.ok_or_else(|| HostError::Privilege {
            user: name.to_owned(),
            why: "no such user".to_owned(),
            help: "make it first".to_owned(),
        })?;
        Ok(())
    }

    fn observe(&mut self, who: &Identity, probes: &Probes) -> Vec<crate::probe::Answer> {
        for probe in probes {
            self.log
                .push(format!("observe as {}: {probe:?}", self.name(who)));
        }
        if let Err(why) = self.become_who(who) {
            let why = NotYet(why.to_string());
            return probes.iter().map(|_| Err(why.clone())).collect();
        }
        let answers = probes.iter().map(|probe| self.world.answer(probe.as_ref()));
        answers.collect()
    }

    fn guard(
        &mut self,
        who: &Identity,
        holds: &[(
            std::sync::Arc<dyn crate::probe::AnyProbe>,
            crate::probe::Answer,
        )],
    ) -> Result<Option<usize>, HostError> {
        for (probe, answer) in holds {
            if probe.expected(answer).is_none() {
                let text = format!("{probe:?} has no normal form to be held against");
                return Err(HostError::Garbled(text));
            }
        }
        if self.become_who(who).is_err() {
            return Ok((!holds.is_empty()).then_some(0));
        }
        let world = &mut self.world;
        let mut holds = holds.iter();
        let broken = holds.position(|(probe, wanted)| {
            let answer = world.answer(probe.as_ref());
            !probe.same(&answer, wanted)
        });
        let shown = broken.map_or("holds".to_owned(), |at| format!("broken at {at}"));
        self.log.push(format!("guard: {shown}"));
        Ok(broken)
    }

    fn name(&self, who: &Identity) -> String {
        who.user.clone().unwrap_or_else(|| self.login.clone())
    }

    fn step(&mut self, step: &Taken<'_>, run: &str) -> Result<StepEnd, HostError> {
        self.become_who(step.who)?;
        self.steps += 1;
        let number = self.steps;
        let cut = self.faults.cut.filter(|(at, _)| *at == number);
        if cut.is_some() {
            self.faults.cut = None;
        }
        if matches!(cut, Some((_, Cut::Before))) {
            return Err(self.cut());
        }
        let end = if let Some(done) = self.faults.fails.remove(&number) {
            StepEnd::Failed(done)
        } else if self.faults.times_out.remove(&number) {
            StepEnd::TimedOut(Done::default())
        } else if let Some(name) = step.long {
            let job = Job {
                who: step.who.clone(),
                env: step.env.to_vec(),
                action: step.action.clone(),
                effects: step.effects.to_vec(),
            };
            self.long.start(name, job);
            StepEnd::Started
        } else {
            self.world.act(step.action, step.env, step.effects)?
        };
        if self.faults.stops.remove(&number) {
            self.stop(run);
        }
        let (who, shown) = (self.name(step.who), word(&end));
        let line = format!("step as {who}: {:?}: {shown}", step.action);
        self.log.push(line);
        if cut.is_some() {
            return Err(self.cut());
        }
        Ok(end)
    }

    /// The connection is cut: what ran for it is dead, so the lock is free.
    fn cut(&mut self) -> HostError {
        self.lock.die();
        self.log.push("cut".to_owned());
        if self.faults.cuts_power {
            self.restart();
        }
        lost()
    }

    /// Whoever held the lock is dead, and what ran is lost.
    pub(super) fn restart(&mut self) {
        self.lock.die();
        self.long.lose();
        self.ledger.boots();
        if let Some(record) = &mut self.record {
            record.restarted = true;
        }
    }

    /// What was noted of the last exchange with steps.
    pub(super) fn recall(&mut self) -> Result<Recall, HostError> {
        let number = self.exchanges.len() as u64;
        if self.faults.away.is_some_and(|from| number >= from) {
            return Err(HostError::Unreachable("it is away".to_owned()));
        }
        self.log.push("recall".to_owned());
        Ok(self.record.clone().map_or(Recall::Never, Recall::Over))
    }

    fn finish(&mut self, name: &str, job: &Job) -> Result<(), HostError> {
        self.become_who(&job.who)?;
        let end = self.world.act(&job.action, &job.env, &job.effects)?;
        self.log.push(format!("long step `{name}`: {}", word(&end)));
        self.long.steps.insert(name.to_owned(), Long::Ended(end));
        Ok(())
    }

    /// Waiting ends what has no exchange left to last; only looking ends nothing.
    fn wait(&mut self, names: &[String], millis: u64) -> Result<Vec<LongStep>, HostError> {
        let mut steps = Vec::new();
        for name in names {
            if let Some(job) = self.long.due(name).filter(|_| millis > 0) {
                self.finish(name, &job)?;
            }
            steps.push(match self.long.steps.get(name) {
                Some(Long::Running { .. }) => LongStep::Running,
                Some(Long::Ended(end)) => LongStep::Ended(end.clone()),
                Some(Long::Lost) | None => LongStep::Lost,
            });
        }
        Ok(steps)
    }
}

/// Whether a list may be stopped before this: steps, guards, and the lines that announce a step.
fn announces(ops: &[Op], at: usize) -> bool {
    match &ops[at] {
        Op::Step { .. } | Op::Guard { .. } => true,
        Op::Journal { .. } => matches!(ops.get(at + 1), Some(Op::Step { .. })),
        _ => false,
    }
}

enum Next {
    On,
    End,
    At(usize),
}

fn word(end: &StepEnd) -> &'static str {
    match end {
        StepEnd::Ok(_) => "ok",
        StepEnd::Failed(_) => "failed",
        StepEnd::TimedOut(_) => "timed out",
        StepEnd::Edited => "edited",
        StepEnd::Started => "started",
    }
}

fn lost() -> HostError {
    HostError::Lost("it was cut".to_owned())
}

fn garbled(text: &str) -> HostError {
    HostError::Garbled(text.to_owned())
}
