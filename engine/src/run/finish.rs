//! What came of a decided task: outcome, result, and what may be shown of it. Pure.

mod show;

use std::sync::Arc;

use super::{
    called::{self, Called},
    decide::view,
    decided::{Decided, Fate, Item},
    known::{Known, Readers},
    masking::Masking,
    pace,
    shape::touches,
    trouble::run_error,
};
use crate::{
    event::{ChangeShown, ItemFinished, Outcome, TaskError},
    late::NotYet,
    ledger::Ended,
    module::{Bound, Nature, Refusal, Stop},
    reason::Reason,
    seen::{Past, Seen},
    step::{Cause, Change, Done, Plan},
    task::{Judgement, Output, Outputs, Task},
    value::{Map, Value},
};

/// What the steps of one turn left.
#[derive(Clone, Debug, Default)]
pub(super) struct Ran {
    /// Of its `Run` steps that ended, in order.
    pub(super) done: Vec<Done>,
    /// How many of its steps ended, in whatever way.
    pub(super) taken: usize,
    /// How long its steps took, in milliseconds.
    pub(super) millis: u64,
    /// Why it did not come to its end.
    pub(super) trouble: Option<TaskError>,
}

/// What the steps of one turn left, and whether a later turn wrote over it.
struct Left<'a> {
    ran: &'a Ran,
    overtaken: bool,
}

/// What came of a task.
pub(super) struct Finished {
    pub(super) outcome: Outcome,
    pub(super) reason: Reason,
    pub(super) output: Arc<Output>,
    pub(super) error: Option<TaskError>,
    pub(super) items: Vec<ItemFinished>,
    pub(super) changes: Vec<ChangeShown>,
    pub(super) message: Option<serde_json::Value>,
    pub(super) called: Called,
    pub(super) warnings: Vec<String>,
    /// For the ledger, if steps were taken.
    pub(super) ended: Ended,
    pub(super) witness: Option<Value>,
}

/// What finishing looks at.
pub(super) struct Context<'a> {
    pub(super) task: &'a Task,
    pub(super) known: &'a Known,
    pub(super) outputs: &'a dyn Outputs,
    pub(super) masking: &'a Masking,
    pub(super) diff: bool,
}

#[derive(Clone)]
pub(super) struct Turned {
    pub(super) outcome: Outcome,
    pub(super) output: Output,
    pub(super) error: Option<TaskError>,
    pub(super) warnings: Vec<String>,
}

impl Turned {
    /// Whether it was ended because the time of its task was up: then it is neither judged nor tried again.
    pub(super) fn is_out_of_time(&self) -> bool {
        self.error
            .as_ref()
            .is_some_and(|error| error.timed_out.is_some())
    }
}

/// What came of one turn for good, where turns are taken one by one.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) turned: Turned,
    pub(super) changes: Vec<ChangeShown>,
    pub(super) millis: u64,
}

/// What may be shown of the changes of each item, while the host is still as it was.
pub(super) fn shown(decided: &Decided, context: &Context<'_>) -> Vec<Vec<ChangeShown>> {
    let shown = |item: &Item| match &item.fate {
        Fate::Act(plan) => show::changes(plan, decided.who, context),
        _ => Vec::new(),
    };
    decided.items.iter().map(shown).collect()
}

/// What came of a task; `ran` is nothing where its steps are only foretold.
pub(super) fn finish(decided: &Decided, ran: Option<&[Ran]>, context: &Context<'_>) -> Finished {
    let (seen, witness) = seen_after(decided, context);
    let mut turned = turns(decided, ran, &seen, context);
    let called = called::of(&mut turned, decided, context);
    let outcome = sum(&turned);
    let error = turned.iter().find_map(|turn| turn.error.clone());
    let all_shown = if decided.shown.is_empty() {
        shown(decided, context)
    } else {
        decided.shown.clone()
    };
    let done = |at: usize| match (ran, &decided.items.get(at)?.rehearsed) {
        (Some(ran), _) => Some(&ran[at].done),
        (None, Some(Ok(done))) => Some(done),
        (None, _) => None,
    };
    let shown = |at: usize| match (decided.items.get(at).map(|item| &item.fate), done(at)) {
        (Some(Fate::Kept(kept)), _) => kept.changes.clone(),
        // What was waited for is no change.
        (Some(Fate::Act(plan)), Some(done)) if plan.only_waits() || plan.was_idle(done) => {
            Vec::new()
        }
        _ => all_shown.get(at).cloned().unwrap_or_default(),
    };
    let (items, all_changes) = if decided.looped {
        let pairs = decided.items.iter().zip(&turned).enumerate();
        let items = pairs.map(|(at, (item, turn))| ItemFinished {
            item: label(item, context),
            outcome: turn.outcome,
            reason: item.reason.clone(),
            changes: shown(at),
            error: turn.error.clone(),
            message: message(item, turn, context),
        });
        (items.collect(), Vec::new())
    } else {
        (Vec::new(), shown(0))
    };
    let message = match (decided.items.first(), turned.first()) {
        (Some(item), Some(turn)) if !decided.looped => message(item, turn, context),
        _ => None,
    };
    let ended = match outcome {
        Outcome::Failed => Ended::Failed,
        Outcome::Changed => Ended::Changed,
        _ => Ended::Unchanged,
    };
    Finished {
        outcome,
        reason: decided.reason.clone(),
        error: if decided.looped {
            error.map(|error| summary(error, &turned))
        } else {
            error
        },
        items,
        changes: all_changes,
        message,
        called,
        warnings: turned
            .iter()
            .flat_map(|turn| turn.warnings.clone())
            .collect(),
        ended,
        witness,
        output: Arc::new(output(decided, turned)),
    }
}

/// What came of each turn.
fn turns(
    decided: &Decided,
    ran: Option<&[Ran]>,
    seen: &Seen,
    context: &Context<'_>,
) -> Vec<Turned> {
    let overtaken = overtaken(decided, context.task);
    let mut turned = Vec::with_capacity(decided.items.len());
    for (at, item) in decided.items.iter().enumerate() {
        let left = ran.map(|ran| Left {
            ran: &ran[at],
            overtaken: overtaken[at],
        });
        let of_loop = decided.looped.then_some((at, &item.value));
        turned.push(match (&item.fate, &context.task.pace) {
            (Fate::Kept(kept), _) => kept.turned.clone(),
            (_, Some(pace)) if ran.is_none() => {
                let turned = turn(item, of_loop, None, seen, Some(1), context);
                pace::foretell(turned, pace.as_ref(), of_loop, context)
            }
            _ => turn(item, of_loop, left.as_ref(), seen, None, context),
        });
    }
    if let (Some(pace), None, true) = (&context.task.pace, ran, decided.looped) {
        pace::cut(&mut turned, &decided.items, pace.as_ref(), context.outputs);
    }
    turned
}

/// What came of one turn, when it was tried for the so many-eth time.
pub(super) fn tried(
    decided: &Decided,
    at: usize,
    ran: Option<&[Ran]>,
    attempt: Option<u32>,
    context: &Context<'_>,
) -> Kept {
    let (seen, _) = seen_after(decided, context);
    let item = &decided.items[at];
    let left = ran.map(|ran| Left {
        ran: &ran[at],
        overtaken: false,
    });
    let of_loop = decided.looped.then_some((at, &item.value));
    let turned = turn(item, of_loop, left.as_ref(), &seen, attempt, context);
    let idle = match (&item.fate, ran) {
        (Fate::Act(plan), Some(ran)) => plan.only_waits() || plan.was_idle(&ran[at].done),
        _ => false,
    };
    let changes = match (decided.shown.get(at), idle) {
        (Some(shown), false) => shown.clone(),
        _ => Vec::new(),
    };
    Kept {
        turned,
        changes,
        millis: ran.map_or(0, |ran| ran[at].millis),
    }
}

/// What is seen after the steps, as the next run would see it.
fn seen_after(decided: &Decided, context: &Context<'_>) -> (Seen, Option<Value>) {
    let answers = view(context.known, decided.who, &decided.asked);
    let witness = match decided.items.as_slice() {
        [
            Item {
                bound: Some(bound), ..
            },
        ] => bound.witness(&answers),
        _ => None,
    };
    (answers.and_past(Past::Same, witness.clone()), witness)
}

/// Which turns of a loop cannot be looked at again, because a later turn writes what they look at.
fn overtaken(decided: &Decided, task: &Task) -> Vec<bool> {
    let mut overtaken = vec![false; decided.items.len()];
    if decided.items.len() < 2 {
        return overtaken;
    }
    let mut later = Readers::default();
    for (at, item) in decided.items.iter().enumerate().rev() {
        let (Fate::Act(_), Some(bound)) = (&item.fate, &item.bound) else {
            continue;
        };
        let (reads, writes) = touches(task, bound.as_ref());
        overtaken[at] = reads.iter().any(|thing| !later.of(thing).is_empty());
        later.add(writes, &());
    }
    overtaken
}

fn label(item: &Item, context: &Context<'_>) -> String {
    let label = item.label.as_deref().unwrap_or_default();
    if context.task.no_log {
        crate::MASK.to_owned()
    } else {
        context.masking.text(label)
    }
}

/// What a module says: `debug`, for one.
fn message(item: &Item, turn: &Turned, context: &Context<'_>) -> Option<serde_json::Value> {
    let bound = item.bound.as_ref()?;
    let said = bound.says().filter(|_| !context.task.no_log)?;
    Some(context.masking.json(turn.output.value.get(said)?.to_json()))
}

fn summary(first: TaskError, turned: &[Turned]) -> TaskError {
    let failed = turned
        .iter()
        .filter(|turn| turn.outcome == Outcome::Failed)
        .count();
    if failed < 2 {
        return first;
    }
    let message = format!(
        "{failed} of {} items failed; the first: {}",
        turned.len(),
        first.message
    );
    TaskError { message, ..first }
}

/// The outcome of a task from those of its turns.
fn sum(turned: &[Turned]) -> Outcome {
    let any = |outcome| turned.iter().any(|turn| turn.outcome == outcome);
    let worst = [
        Outcome::Failed,
        Outcome::Changed,
        Outcome::Unknown,
        Outcome::Unchanged,
    ];
    match worst.into_iter().find(|outcome| any(*outcome)) {
        Some(outcome) => outcome,
        None if any(Outcome::Assumed) => Outcome::Assumed,
        None => Outcome::Skipped,
    }
}

fn output(decided: &Decided, mut turned: Vec<Turned>) -> Output {
    if !decided.looped {
        return turned.pop().map(|turn| turn.output).unwrap_or_default();
    }
    let unknown = turned
        .iter()
        .find_map(|turn| turn.output.changed.first_not_yet().cloned());
    let changed = turned.iter().any(|turn| turn.output.changed.is_true());
    let results = turned.iter().zip(&decided.items).map(|(turn, item)| {
        let mut value = turn.output.to_value();
        if let Value::Map(map) = &mut value {
            map.insert("item".to_owned(), item.value.clone());
        }
        value
    });
    Output {
        changed: match unknown {
            Some(what) if !changed => Value::NotYet(what),
            _ => changed.into(),
        },
        failed: turned.iter().any(|turn| turn.output.failed),
        skipped: turned.iter().all(|turn| turn.output.skipped),
        value: results.collect(),
        looped: true,
    }
}

fn turn(
    item: &Item,
    of_loop: Option<(usize, &Value)>,
    left: Option<&Left<'_>>,
    seen: &Seen,
    attempt: Option<u32>,
    context: &Context<'_>,
) -> Turned {
    let mut turned = match (&item.fate, &item.bound) {
        (Fate::Refuse(refusal), _) => refused(refusal.clone()),
        (Fate::Rest { warnings }, Some(bound)) => Turned {
            warnings: warnings.clone(),
            ..rested(bound.as_ref(), seen, Outcome::Unchanged)
        },
        (Fate::Assume { result }, _) => Turned {
            outcome: Outcome::Assumed,
            output: Output {
                changed: false.into(),
                value: result.clone().unwrap_or_default(),
                ..Output::default()
            },
            error: None,
            warnings: Vec::new(),
        },
        (Fate::Act(plan), Some(bound)) => match (left, &item.rehearsed) {
            (Some(left), _) => acted(plan, bound.as_ref(), left, seen),
            (None, Some(Ok(done))) => {
                let left = Left {
                    ran: &as_if_run(plan, done),
                    // The host is as it was.
                    overtaken: true,
                };
                acted(plan, bound.as_ref(), &left, seen)
            }
            (None, rehearsed) => {
                let why = rehearsed.as_ref().and_then(|done| done.as_ref().err());
                let turned = would_act(plan, bound.as_ref(), why, seen);
                only_told(turned, bound.as_ref(), context.task)
            }
        },
        (Fate::Done, Some(bound)) => rested(bound.as_ref(), seen, Outcome::Changed),
        (Fate::Kept(kept), _) => kept.turned.clone(),
        (
            Fate::Skip
            | Fate::Rest { .. }
            | Fate::Act(_)
            | Fate::Done
            | Fate::Later
            | Fate::Hangs(_),
            bound,
        ) => passed_over(item, bound.as_deref()),
    };
    if let Some(attempt) = attempt {
        pace::count(&mut turned, attempt);
    }
    // What was ended because its time was up is judged by nobody.
    let refused = matches!(item.fate, Fate::Refuse(_));
    let judged = (matches!(item.fate, Fate::Act(_) | Fate::Rest { .. } | Fate::Done)
        || refused && item.bound.is_some())
        && !turned.is_out_of_time();
    if let (Some(judge), true) = (&context.task.judge, judged) {
        let verdict = match judge.always_changed() {
            Some(changed) if !judge.judges_failure() => Ok(Judgement {
                changed: Some(changed),
                failed: None,
            }),
            _ => judge.judge(&turned.output, of_loop, context.outputs),
        };
        // A refusal stands where its result does not have what it is judged by.
        if !refused || verdict.is_ok() {
            apply(&mut turned, verdict);
        }
    }
    if turned.outcome != Outcome::Changed {
        // A guard that stays open matters only where it lets a change through each time.
        turned
            .warnings
            .retain(|warning| !warning.starts_with(STAYS_OPEN));
    }
    turned.error = turned.error.map(|error| mask(error, context));
    turned
}

/// How the warning begins that a guard still lets its command run.
const STAYS_OPEN: &str = "after it ran, its ";

fn apply(turned: &mut Turned, verdict: Result<Judgement, Stop>) {
    match verdict {
        Ok(Judgement {
            changed,
            failed: says,
        }) => {
            match says {
                Some(true) if turned.error.is_none() => {
                    turned.error = Some(TaskError {
                        message: "its `failed_when` is true".to_owned(),
                        ..TaskError::default()
                    });
                }
                Some(false) => turned.error = None,
                _ => {}
            }
            if let (Some(says), Value::Map(map)) = (says, &mut turned.output.value) {
                map.insert("failed_when_result".to_owned(), says.into());
            }
            turned.output.failed = turned.error.is_some();
            if let Some(changed) = changed {
                turned.output.changed = changed.into();
            }
            if turned.outcome != Outcome::Unknown || changed.is_some() {
                turned.outcome = match turned.output.changed.is_true() {
                    _ if turned.error.is_some() => Outcome::Failed,
                    true => Outcome::Changed,
                    false => Outcome::Unchanged,
                };
            }
        }
        Err(Stop::NotYet(what)) => {
            turned.outcome = Outcome::Unknown;
            turned.output.changed = Value::NotYet(what);
        }
        Err(Stop::Refused(refusal)) => {
            *turned = refused(refusal);
        }
    }
}

pub(super) fn failed(error: TaskError) -> Turned {
    let mut value = Map::from_iter([("msg".to_owned(), Value::from(error.message.as_str()))]);
    if let Some(seconds) = error.timed_out {
        let period = Value::from(i64::try_from(seconds).unwrap_or(i64::MAX));
        let msg = format!("Timed out after {seconds} second(s).");
        value.insert("msg".to_owned(), msg.into());
        value.insert(
            "timedout".to_owned(),
            Map::from_iter([("period".to_owned(), period)]).into(),
        );
    }
    Turned {
        outcome: Outcome::Failed,
        output: Output {
            changed: false.into(),
            failed: true,
            value: Value::Map(value),
            ..Output::default()
        },
        error: Some(error),
        warnings: Vec::new(),
    }
}

fn refused(refusal: Refusal) -> Turned {
    let mut turned = failed(TaskError {
        message: refusal.message,
        help: refusal.help,
        ..TaskError::default()
    });
    if let (Some(more), Value::Map(result)) = (refusal.result, &mut turned.output.value) {
        result.extend(*more);
    }
    turned
}

fn rested(bound: &dyn Bound, seen: &Seen, outcome: Outcome) -> Turned {
    let value = match bound.output(seen, &[]) {
        Ok(value) => value,
        Err(Stop::NotYet(what)) => Value::NotYet(what),
        Err(Stop::Refused(refusal)) => {
            return refused(refusal);
        }
    };
    let changed = outcome == Outcome::Changed;
    let output = Output {
        changed: changed.into(),
        value,
        ..Output::default()
    };
    Turned {
        outcome,
        output,
        error: None,
        warnings: Vec::new(),
    }
}

/// What steps left that were rehearsed.
fn as_if_run(plan: &Plan, done: &[Done]) -> Ran {
    let trouble = plan.runs().zip(done).find(|(run, done)| !run.accepts(done));
    Ran {
        done: done.to_vec(),
        taken: plan.changes.iter().map(|change| change.steps.len()).sum(),
        millis: 0,
        trouble: trouble.map(|(run, done)| run_error(run, done)),
    }
}

/// What is foretold of steps; `why` there is no rehearsal that says it.
fn would_act(plan: &Plan, bound: &dyn Bound, why: Option<&NotYet>, seen: &Seen) -> Turned {
    let or = |what: &str| why.cloned().unwrap_or_else(|| NotYet::new(what));
    if plan.only_waits() {
        let asks = |change: &Change| change.cause == Cause::Asks;
        return would_wait(
            plan,
            or(if plan.changes.iter().any(asks) {
                "what is answered"
            } else {
                "what is waited for"
            }),
        );
    }
    if plan.may_be_idle() {
        return would_look(plan, or("whether there is anything to change"));
    }
    let mut turned = rested(bound, seen, Outcome::Changed);
    plan.tell(&mut turned.output.value);
    if bound.nature() == Nature::Command {
        // It is going to run, whatever its guards would say of what is foretold.
        turned.output.value = Value::NotYet(or("the result of the command"));
    }
    Turned {
        warnings: plan.warnings.clone(),
        ..turned
    }
}

/// What is foretold of a command that its task says is not to run is its result.
fn only_told(mut turned: Turned, bound: &dyn Bound, task: &Task) -> Turned {
    let told =
        (task.check_mode == Some(true) && bound.nature() == Nature::Command).then(|| bound.unrun());
    if let Some(told) = told.flatten() {
        turned.output.value = told;
    }
    turned
}

/// A turn that was skipped; its result says why, or what a command would have.
fn passed_over(item: &Item, bound: Option<&dyn Bound>) -> Turned {
    let value = match (&item.reason, bound) {
        (Reason::WhenFalse { condition }, _) => {
            let condition = match condition.as_str() {
                "false" => false.into(),
                text => Value::from(text),
            };
            let pairs = [
                ("skip_reason", "Conditional result was False".into()),
                ("false_condition", condition),
            ];
            Value::Map(pairs.map(|(name, value)| (name.to_owned(), value)).into())
        }
        (_, Some(bound)) => bound.unrun().unwrap_or_default(),
        _ => Value::Null,
    };
    Turned {
        outcome: Outcome::Skipped,
        output: Output {
            changed: false.into(),
            skipped: true,
            value,
            ..Output::default()
        },
        error: None,
        warnings: Vec::new(),
    }
}

fn acted(plan: &Plan, bound: &dyn Bound, left: &Left<'_>, seen: &Seen) -> Turned {
    let idle = |done: &[Done]| plan.only_waits() || plan.was_idle(done);
    let Left { ran, overtaken } = left;
    if let Some(error) = ran.trouble.as_ref().filter(|it| it.timed_out.is_some()) {
        return failed(error.clone());
    }
    let value = match bound.output(seen, &ran.done) {
        Ok(value) => value,
        Err(Stop::NotYet(NotYet(what))) => {
            Map::from_iter([("msg".to_owned(), format!("not known: {what}").into())]).into()
        }
        Err(Stop::Refused(refusal)) => {
            return refused(refusal);
        }
    };
    let mut warnings = plan.warnings.clone();
    let error = match &ran.trouble {
        Some(error) => Some(error.clone()),
        None if ran.taken < plan.changes.iter().map(|change| change.steps.len()).sum() => {
            Some(TaskError {
                message: "the run was stopped before it came to its end".to_owned(),
                ..TaskError::default()
            })
        }
        None => bad_status(plan, &ran.done).or_else(|| match overtaken {
            true => None,
            false => second_look(bound, seen, &mut warnings),
        }),
    };
    let mut output = Output {
        changed: (!idle(&ran.done)).into(),
        value,
        ..Output::default()
    };
    plan.tell(&mut output.value);
    if let Some(error) = &error {
        output.failed = true;
        if let Value::Map(map) = &mut output.value {
            map.entry("msg".to_owned())
                .or_insert_with(|| error.message.as_str().into());
        }
    }
    let outcome = match error.is_some() {
        true => Outcome::Failed,
        false if idle(&ran.done) => Outcome::Unchanged,
        false => Outcome::Changed,
    };
    Turned {
        outcome,
        output,
        error,
        warnings,
    }
}

/// Whether it comes, and when, nobody can foretell; but nothing is changed by waiting.
fn would_wait(plan: &Plan, what: NotYet) -> Turned {
    Turned {
        outcome: Outcome::Unknown,
        output: Output {
            changed: false.into(),
            value: Value::NotYet(what),
            ..Output::default()
        },
        error: None,
        warnings: plan.warnings.clone(),
    }
}

/// Only the run itself can tell whether there is anything to change.
fn would_look(plan: &Plan, what: NotYet) -> Turned {
    Turned {
        outcome: Outcome::Unknown,
        output: Output {
            changed: Value::NotYet(what.clone()),
            value: Value::NotYet(what),
            ..Output::default()
        },
        error: None,
        warnings: plan.warnings.clone(),
    }
}

/// A status that is not accepted, where any was let through for `failed_when` to judge.
fn bad_status(plan: &Plan, done: &[Done]) -> Option<TaskError> {
    let (run, done) = plan
        .runs()
        .zip(done)
        .find(|(run, done)| !run.ok.is_empty() && !run.ok.contains(&done.status))?;
    Some(run_error(run, done))
}

/// After its steps a module must have nothing left to do.
fn second_look(bound: &dyn Bound, seen: &Seen, warnings: &mut Vec<String>) -> Option<TaskError> {
    let plan = bound.plan(seen).ok()?;
    let left = |cause: fn(&Cause) -> bool| {
        plan.changes
            .iter()
            .filter(move |change| cause(&change.cause))
            .map(|c| c.what.as_str())
    };
    for change in &plan.changes {
        if let Cause::Guard(which) = change.cause {
            warnings.push(format!(
                "{STAYS_OPEN}`{which}` still says that it has to run: it will run again each time"
            ));
        }
    }
    let what: Vec<&str> = left(|cause| *cause == Cause::Differs).collect();
    if what.is_empty() {
        return None;
    }
    Some(TaskError {
        message: format!(
            "the steps ended well, but the host still differs in: {}",
            what.join(", ")
        ),
        help: Some(format!(
            "something undid the change at once, or the module `{}` is at fault",
            bound.module()
        )),
        ..TaskError::default()
    })
}

pub(super) fn mask(error: TaskError, context: &Context<'_>) -> TaskError {
    if context.task.no_log {
        return TaskError {
            message: "failed; what it says is hidden by `no_log`".to_owned(),
            help: Some("take `no_log` off for one run in a safe place to see it".to_owned()),
            status: error.status,
            timed_out: error.timed_out,
            ..TaskError::default()
        };
    }
    let text = |text: String| context.masking.text(&text);
    TaskError {
        message: text(error.message),
        help: error.help.map(text),
        command: error.command.map(text),
        status: error.status,
        timed_out: error.timed_out,
        stdout: error.stdout.map(text),
        stderr: error.stderr.map(text),
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}
