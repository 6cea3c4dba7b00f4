//! Runs one task on a fake host: looks, plans, applies, looks again. The smallest thing that obeys
//! the contract of hosts; the engine's run does much more.

use std::{fmt, sync::Arc};

use super::Case;
use crate::{
    fake::FakeHost,
    host::{Exchange, HostError, LedgerPlace, Lock, Op, OpResult, Reply, StepEnd},
    late::NotYet,
    module::{Refusal, Stop},
    probe::{Key, Probes, ask},
    probes::Whoami,
    seen::Seen,
    step::{Done, Plan, Step},
    value::Value,
};

const ROUNDS: usize = 3;
const ATTEMPTS: usize = 3;

/// Why a run came to nothing.
pub(super) enum Trouble {
    Refused(Refusal),
    NotYet(NotYet),
    Host(HostError),
    Rounds(Vec<Key>),
    Step { number: usize, text: String },
    Odd(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => write!(f, "refused: {refusal}"),
            Self::NotYet(what) => write!(f, "cannot be decided: {what}"),
            Self::Host(error) => error.fmt(f),
            Self::Rounds(keys) => write!(f, "asks on after {ROUNDS} rounds: {keys:?}"),
            Self::Step { number, text } => write!(f, "step {number} of the plan {text}"),
            Self::Odd(what) => f.write_str(what),
        }
    }
}

impl From<Stop> for Trouble {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::NotYet(what) => Self::NotYet(what),
            Stop::Refused(refusal) => Self::Refused(refusal),
        }
    }
}

impl From<HostError> for Trouble {
    fn from(error: HostError) -> Self {
        Self::Host(error)
    }
}

/// A whole run.
pub(super) struct Run {
    /// More than one if a file was edited meanwhile.
    pub(super) plans: Vec<Plan>,
    /// What was seen before the last plan, and asked for it.
    pub(super) before: (Seen, Probes),
    pub(super) after: Seen,
    pub(super) done: Vec<Done>,
}

impl Run {
    pub(super) fn output(&self, case: &Case) -> Result<Value, String> {
        let value = case.task.output(&self.after, &self.done);
        let mut value = value.map_err(|stop| format!("no output: {}", Trouble::from(stop)))?;
        if let Some(plan) = self.plans.last() {
            plan.tell(&mut value);
        }
        Ok(value)
    }
}

/// Looks until nothing more is asked.
pub(super) fn look(case: &Case, host: &FakeHost) -> Result<(Seen, Probes), Trouble> {
    let (past, witness) = case.past.clone();
    let mut seen = Seen::with_past(past, witness);
    let mut asked: Probes = Vec::new();
    let mut next: Probes = vec![ask(Whoami)];
    for _ in 0..ROUNDS {
        next.extend(case.task.observe(&seen));
        next.retain(|probe| !seen.asked(&probe.key()));
        next.sort_by_key(|probe| probe.key());
        next.dedup_by_key(|probe| probe.key());
        if next.is_empty() {
            return Ok((seen, asked));
        }
        let probes = std::mem::take(&mut next);
        for (probe, answer) in probes.iter().zip(answers(case, host, &probes)?) {
            seen.answer(probe.key(), answer);
        }
        asked.extend(probes);
    }
    let more = case.task.observe(&seen).into_iter();
    let more: Vec<_> = more.map(|probe| probe.key()).collect();
    let more: Vec<_> = more.into_iter().filter(|key| !seen.asked(key)).collect();
    if more.is_empty() {
        Ok((seen, asked))
    } else {
        Err(Trouble::Rounds(more))
    }
}

/// Asks probes, as the task.
pub(super) fn answers(
    case: &Case,
    host: &FakeHost,
    probes: &Probes,
) -> Result<Vec<crate::probe::Answer>, Trouble> {
    let observe = Op::Observe {
        who: case.identity.clone(),
        probes: probes.clone(),
    };
    match send(case, host, None, vec![observe], Vec::new())?.pop() {
        Some(OpResult::Observed(answers)) => Ok(answers),
        result => Err(odd(result.as_ref())),
    }
}

/// Looks, plans and applies, then looks again.
pub(super) fn run(case: &Case, host: &FakeHost) -> Result<Run, Trouble> {
    case.task.check().map_err(Trouble::Refused)?;
    let mut plans = Vec::new();
    for _ in 0..ATTEMPTS {
        let before = look(case, host)?;
        let plan = case.task.plan(&before.0)?;
        plans.push(plan.clone());
        let Some(done) = apply(case, host, &plan)? else {
            continue;
        };
        let (after, _) = look(case, host)?;
        return Ok(Run {
            plans,
            before,
            after,
            done,
        });
    }
    Err(Trouble::Odd(
        "its file is edited again and again".to_owned(),
    ))
}

/// Takes the steps of a plan in one exchange; nothing if a file was edited since it was made.
fn apply(case: &Case, host: &FakeHost, plan: &Plan) -> Result<Option<Vec<Done>>, Trouble> {
    let steps: Vec<&Step> = plan.changes.iter().flat_map(|c| &c.steps).collect();
    if steps.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let serial = match send(case, host, None, vec![Op::Ledger], Vec::new())?.pop() {
        Some(OpResult::Ledger(ledger)) => ledger.serial,
        result => return Err(odd(result.as_ref())),
    };
    let lock = Lock {
        serial,
        wait_millis: 0,
        holder: "a test".to_owned(),
    };
    let journal = |line: &str| Op::Journal {
        lines: vec![line.to_owned()],
        sync: true,
    };
    let mut ops = vec![journal("begun")];
    ops.extend(steps.iter().map(|step| Op::Step {
        who: case.identity.clone(),
        env: Vec::new(),
        action: Box::new(step.action.clone()),
        effects: step.effects.clone(),
        long: None,
        on_failure: None,
    }));
    let tail = vec![journal("ended"), Op::Release];
    let results = send(case, host, Some(lock), ops, tail)?;
    let (seen, mut done) = (Seen::default(), Vec::new());
    for (at, (result, step)) in results.into_iter().skip(1).zip(&steps).enumerate() {
        let trouble = |text: &str, one: &Done| {
            let stderr = String::from_utf8_lossy(&one.stderr);
            let mut text = format!("({:?}) {text}: {}", step.action, stderr.trim_end());
            // A module may know better what it means.
            if let Err(Stop::Refused(why)) = case.task.output(&seen, std::slice::from_ref(one)) {
                text = format!("{text}\n{why}");
            }
            Trouble::Step {
                number: at + 1,
                text,
            }
        };
        match result {
            OpResult::Stepped(StepEnd::Ok(one)) => {
                if matches!(step.action, crate::step::Action::Run(_)) {
                    done.push(one);
                }
            }
            OpResult::Stepped(StepEnd::Edited) => return Ok(None),
            OpResult::Stepped(StepEnd::Failed(one)) => {
                return Err(trouble(&format!("failed with status {}", one.status), &one));
            }
            OpResult::Stepped(StepEnd::TimedOut(one)) => {
                return Err(trouble("ran out of time", &one));
            }
            result => return Err(odd(Some(&result))),
        }
    }
    Ok(Some(done))
}

fn send(
    case: &Case,
    host: &FakeHost,
    lock: Option<Lock>,
    ops: Vec<Op>,
    tail: Vec<Op>,
) -> Result<Vec<OpResult>, Trouble> {
    let exchange = Exchange {
        run: format!("test-{}", Arc::as_ptr(&case.task).addr()),
        place: LedgerPlace::User,
        lock,
        ops,
        tail,
    };
    match host.exchange_now(&exchange)? {
        Reply::Ran { ops, .. } => Ok(ops),
        reply => Err(Trouble::Odd(format!("the lock was not got: {reply:?}"))),
    }
}

fn odd(result: Option<&OpResult>) -> Trouble {
    Trouble::Odd(format!("the host answered {result:?}"))
}
