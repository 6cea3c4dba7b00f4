//! Trying again, and turns that are taken one by one.

use std::{borrow::Cow, time::Duration};

use tokio::time::Instant;

use super::{
    decided::{Decided, Fate, Item},
    drive::Loop,
    finish::{self, Context, Kept, Ran, Turned, failed, tried},
    long::LONG_WAIT,
    walk::Results,
};
use crate::{
    event::{Event, Outcome, TaskError},
    late::NotYet,
    ledger::{Ended, Line},
    module::Stop,
    task::{Outputs, Pace, TaskId, Tries},
    value::{Map, Value},
};

/// How far a task has come that takes its turns one by one.
#[derive(Default)]
pub(super) struct Paced {
    /// What came of the turns before this one.
    kept: Vec<Kept>,
    /// How often this one was tried.
    tried: u32,
    /// What it spent on tries that were not the last, in milliseconds.
    millis: u64,
    /// When it goes on.
    due: Option<Instant>,
    /// The last epoch in which a turn changed something.
    epoch: Option<String>,
}

/// What comes after a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    /// It is over, as it is.
    Enough,
    /// It is tried again after a while.
    Again(Tries),
    /// It may not be tried again.
    Exhausted(Tries),
}

/// After how many tries what comes next.
fn after(tries: Option<Tries>, tried: u32, holds: bool) -> After {
    match tries {
        Some(_) if holds => After::Enough,
        Some(tries) if tried <= tries.retries => After::Again(tries),
        Some(tries) => After::Exhausted(tries),
        None => After::Enough,
    }
}

impl Loop {
    /// Of a task that takes its turns one by one: leaves only the one that is due.
    pub(super) fn take_one_turn(&self, decided: &mut Decided) {
        let id = decided.task;
        if !self.takes_turns(decided) {
            return;
        }
        let kept = self.paced.get(&id).map_or(&[][..], |paced| &paced.kept);
        for (at, item) in decided.items.iter_mut().enumerate() {
            match kept.get(at) {
                Some(kept) => item.fate = Fate::Kept(Box::new(kept.clone())),
                None if at > kept.len() => item.fate = Fate::Later,
                None => decided.reason = item.reason.clone(),
            }
        }
    }

    /// So many turns of a task are over that takes them one by one.
    pub(super) fn turns_had(&self, id: TaskId) -> usize {
        self.paced.get(&id).map_or(0, |paced| paced.kept.len())
    }

    /// What is only foretold, and what never came to its arguments, is told as a whole.
    fn takes_turns(&self, decided: &Decided) -> bool {
        let id = decided.task;
        let one_by_one = self.task(id).pace.is_some()
            || decided.hangs().is_some()
            || decided.has_more()
            || self.turns_had(id) > 0;
        one_by_one && decided.scope.is_some() && !self.foretelling(decided.task)
    }

    /// What a task is finished with; nothing if it is to be tried again, or has turns left.
    pub(super) fn paced<'a>(
        &mut self,
        decided: &'a Decided,
        ran: Option<&[Ran]>,
        epoch: Option<String>,
    ) -> Option<(Cow<'a, Decided>, Option<String>)> {
        let id = decided.task;
        let is_kept = |item: &Item| matches!(item.fate, Fate::Kept(_));
        let at = decided.items.iter().position(|item| !is_kept(item));
        let (Some(at), true) = (at, self.takes_turns(decided)) else {
            self.paced.remove(&id);
            return Some((Cow::Borrowed(decided), epoch));
        };
        let mut paced = self.paced.remove(&id).unwrap_or_default();
        paced.tried += 1;
        let tried = self.tried(decided, at, ran, paced.tried);
        let mut kept = tried.kept;
        let stopped = self.shared.cancel.is_stopped();
        if let (After::Again(_), true) = (tried.after, stopped) {
            kept.turned.cut_short();
        } else if let After::Again(tries) = tried.after {
            paced.millis += kept.millis;
            paced.due = Some(Instant::now() + tries.delay);
            let label = decided.looped.then(|| decided.items[at].label.clone());
            let event = Event::TaskRetried {
                name: self.task_name(id),
                item: label.flatten().map(|label| {
                    if self.task(id).no_log {
                        crate::MASK.to_owned()
                    } else {
                        self.masking.text(&label)
                    }
                }),
                retry: paced.tried,
                retries: tries.retries,
                delay_ms: u64::try_from(tries.delay.as_millis()).unwrap_or(u64::MAX),
            };
            self.shared.sink.event(&event);
            // Whoever it waits for may change anything meanwhile.
            self.known.clear();
            self.round_ended(id, kept.turned.outcome, epoch);
            self.paced.insert(id, paced);
            return None;
        }
        kept.millis += std::mem::take(&mut paced.millis);
        let changed = kept.turned.outcome == Outcome::Changed;
        let last = tried.breaks || at + 1 == decided.items.len();
        if let (true, Some(epoch)) = (changed, &epoch) {
            paced.epoch = Some(epoch.clone());
        }
        if last {
            let mut whole = decided.clone();
            whole.items.truncate(at + 1);
            whole.items[at].fate = Fate::Kept(Box::new(kept));
            let telling = |item: &&Item| match &item.fate {
                Fate::Kept(kept) => {
                    matches!(kept.turned.outcome, Outcome::Changed | Outcome::Failed)
                }
                _ => false,
            };
            if let Some(item) = whole.items.iter().find(telling).or(whole.items.first()) {
                whole.reason = item.reason.clone();
            }
            return Some((Cow::Owned(whole), epoch.or(paced.epoch)));
        }
        self.round_ended(id, kept.turned.outcome, epoch);
        paced.kept.push(kept);
        paced.tried = 0;
        paced.due = (!tried.pause.is_zero()).then(|| Instant::now() + tried.pause);
        self.paced.insert(id, paced);
        None
    }

    /// What came of one try of a turn, and what comes after it.
    fn tried(&self, decided: &Decided, at: usize, ran: Option<&[Ran]>, number: u32) -> Tried {
        let task = self.task(decided.task);
        let state = self.shared.board.state();
        let results = Results {
            state: &state,
            list: &self.shared.list,
            turn: task.at_turn,
        };
        let context = self.context(task, &self.known, &results);
        let pace = task.pace.as_deref();
        let turn = decided.looped.then(|| (at, &decided.items[at].value));
        let skipped = matches!(decided.items[at].fate, Fate::Skip);
        let tries = match pace {
            Some(pace) if !skipped => pace.tries(turn, &results),
            _ => Ok(None),
        };
        let counted = matches!(tries, Ok(Some(_))).then_some(number);
        let mut kept = tried(decided, at, ran, counted, &context);
        let done = || -> Result<(After, bool, Duration), Stop> {
            let Some(pace) = pace else {
                return Ok((After::Enough, false, Duration::ZERO));
            };
            let tries = tries?.filter(|_| !kept.turned.is_out_of_time());
            let holds = tries.is_none() || pace.holds(&kept.turned.output, turn, &results)?;
            let after = after(tries, number, holds);
            if let After::Exhausted(tries) = after {
                exhausted(&mut kept.turned, tries, number);
            }
            let over = !matches!(after, After::Again(_));
            let breaks = match turn {
                Some(turn) if over => pace.breaks(&kept.turned.output, turn, &results)?,
                _ => false,
            };
            let pause = match turn {
                Some(_) => pace.pause(&results)?,
                None => Duration::ZERO,
            };
            Ok((after, breaks, pause))
        };
        let (after, breaks, pause) = done().unwrap_or_else(|stop| {
            kept.turned = stopped(stop);
            (After::Enough, false, Duration::ZERO)
        });
        kept.turned.error = kept
            .turned
            .error
            .take()
            .map(|error| finish::mask(error, &context));
        Tried {
            kept,
            after,
            breaks,
            pause,
        }
    }

    /// One round of a task is over, and another one comes.
    fn round_ended(&mut self, id: TaskId, outcome: Outcome, epoch: Option<String>) {
        if let Some(epoch) = epoch {
            self.lines.push(Line::End {
                epoch,
                ended: match outcome {
                    Outcome::Failed => Ended::Failed,
                    Outcome::Changed => Ended::Changed,
                    _ => Ended::Unchanged,
                },
                witness: None,
                result: None,
            });
        }
        let mut state = self.shared.board.state();
        if state.schedule.is_running(id) {
            state.schedule.put_back(id);
        }
    }

    /// Whether a task has to wait before it goes on.
    pub(super) fn is_waiting(&self, id: TaskId) -> bool {
        let due = self.paced.get(&id).and_then(|paced| paced.due);
        due.is_some_and(|due| due > Instant::now())
    }

    /// When the first of the tasks that wait goes on.
    pub(super) fn due(&self) -> Option<Instant> {
        let waiting = self.paced.iter().filter(|(id, _)| self.is_waiting(**id));
        waiting.filter_map(|(_, paced)| paced.due).min()
    }

    /// How long one exchange waits for a long step, in milliseconds.
    pub(super) fn long_wait(&self) -> u64 {
        self.due().map_or(LONG_WAIT, |due| {
            let left = due.saturating_duration_since(Instant::now()).as_millis();
            u64::try_from(left).unwrap_or(LONG_WAIT).clamp(1, LONG_WAIT)
        })
    }
}

/// One try of a turn.
struct Tried {
    kept: Kept,
    after: After,
    breaks: bool,
    pause: Duration,
}

impl Turned {
    /// It was to be tried again, but the run was stopped.
    fn cut_short(&mut self) {
        self.error.get_or_insert_with(|| TaskError {
            message: "the run was stopped before it was tried again".to_owned(),
            ..TaskError::default()
        });
        self.output.failed = true;
        self.outcome = Outcome::Failed;
    }
}

/// Until then; without a time for ever.
pub(super) async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Notes in a result how often it was tried.
pub(super) fn count(turned: &mut Turned, attempt: u32) {
    let value = &mut turned.output.value;
    if let Value::Null = value {
        *value = Map::new().into();
    }
    if let Value::Map(map) = value {
        map.insert("attempts".to_owned(), i64::from(attempt).into());
    }
}

/// It may not be tried again: its result says that it failed, and so it did unless its `failed_when` lets that pass.
fn exhausted(turned: &mut Turned, tries: Tries, tried: u32) {
    // As in Ansible, the last try is not counted.
    count(turned, tries.retries);
    let times = match tried {
        2 => "twice".to_owned(),
        tried => format!("{tried} times"),
    };
    turned.output.failed = true;
    let let_pass = turned.output.value.get("failed_when_result") == Some(&Value::Bool(false));
    if let_pass && turned.error.is_none() {
        turned.warnings.push(format!(
            "it was tried {times}, and what it waits for did not come; its `failed_when` lets that pass"
        ));
        return;
    }
    let error = match turned.error.take() {
        Some(error) => TaskError {
            message: format!("{} (it was tried {times})", error.message),
            ..error
        },
        None => TaskError {
            message: format!("it was tried {times}, and what it waits for did not come"),
            help: Some(format!(
                "its `until` never held: give it more time by `retries` (now {}) or `delay` (now {} s), \
                 or see why it does not",
                tries.retries,
                tries.delay.as_secs_f64()
            )),
            status: status(&turned.output.value),
            stdout: text(&turned.output.value, "stdout"),
            stderr: text(&turned.output.value, "stderr"),
            ..TaskError::default()
        },
    };
    if let Value::Map(map) = &mut turned.output.value {
        let message = Value::from(error.message.as_str());
        match map.get("msg").and_then(Value::as_text) {
            Some(old) if !old.is_empty() => {}
            _ => {
                map.insert("msg".to_owned(), message);
            }
        }
    }
    turned.error = Some(error);
    turned.outcome = Outcome::Failed;
}

fn text(value: &Value, name: &str) -> Option<String> {
    let text = value.get(name)?.as_text()?;
    (!text.is_empty()).then_some(text)
}

fn status(value: &Value) -> Option<i32> {
    match value.get("rc") {
        Some(Value::Int(status)) => i32::try_from(*status).ok(),
        _ => None,
    }
}

fn stopped(stop: Stop) -> Turned {
    failed(match stop {
        Stop::Refused(refusal) => TaskError {
            message: refusal.message,
            help: refusal.help,
            ..TaskError::default()
        },
        Stop::NotYet(NotYet(what)) => TaskError {
            message: format!("what it needs is missing: {what}"),
            ..TaskError::default()
        },
    })
}

/// What is foretold of a turn that may be tried again: nobody waits.
pub(super) fn foretell(
    mut turned: Turned,
    pace: &dyn Pace,
    turn: Option<(usize, &Value)>,
    context: &Context<'_>,
) -> Turned {
    if turned.output.skipped || turned.error.is_some() {
        return turned;
    }
    let held = match pace.tries(turn, context.outputs) {
        Ok(None) => {
            if let Value::Map(map) = &mut turned.output.value {
                map.shift_remove("attempts");
            }
            return turned;
        }
        Ok(Some(_)) => pace.holds(&turned.output, turn, context.outputs),
        Err(stop) => Err(stop),
    };
    let what = match held {
        Ok(true) => return turned,
        Ok(false) => NotYet::new("what is waited for"),
        Err(Stop::NotYet(what)) => what,
        Err(stop) => return stopped(stop),
    };
    turned.outcome = Outcome::Unknown;
    turned.output.value = Value::NotYet(what);
    turned
}

/// In a plan: after which turn there are no more, and of which nobody knows whether they come.
pub(super) fn cut(turned: &mut [Turned], items: &[Item], pace: &dyn Pace, outputs: &dyn Outputs) {
    let mut sure = true;
    let mut over = false;
    for (at, (turned, item)) in turned.iter_mut().zip(items).enumerate() {
        if over {
            turned.outcome = Outcome::Skipped;
            turned.output.skipped = true;
            turned.output.changed = false.into();
            continue;
        }
        if !sure && !turned.output.skipped {
            let what = NotYet::new("whether the loop is broken off before it");
            turned.outcome = Outcome::Unknown;
            turned.output.changed = Value::NotYet(what.clone());
            turned.output.value = Value::NotYet(what);
            continue;
        }
        match pace.breaks(&turned.output, (at, &item.value), outputs) {
            Ok(breaks) => over = breaks,
            Err(Stop::NotYet(_)) => sure = false,
            Err(stop) => *turned = stopped(stop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tries(retries: u32) -> Tries {
        let delay = Duration::from_secs(5);
        Tries { retries, delay }
    }

    #[test]
    fn a_task_is_tried_until_it_holds_or_may_not_be_tried_again() {
        let all = |retries, held_at: u32| {
            let mut tried = 0;
            loop {
                tried += 1;
                match after(Some(tries(retries)), tried, tried == held_at) {
                    After::Again(_) => {}
                    other => return (tried, matches!(other, After::Enough)),
                }
            }
        };
        assert_eq!(all(3, 1), (1, true));
        assert_eq!(all(3, 4), (4, true));
        assert_eq!(all(3, 5), (4, false));
        assert_eq!(all(1, 9), (2, false));
    }

    #[test]
    fn what_nobody_waits_for_is_tried_once() {
        assert_eq!(after(None, 1, false), After::Enough);
    }
}
