//! How long a task may take on its host (`timeout`, `async`), and whether its end is waited for (`poll`).

use std::sync::Arc;

use evenkeel_engine::{
    Action, Bound, Cause, Done, Map, Nature, NotYet, Plan, Seen, Stop, Value, Wrap,
};
use evenkeel_modules::async_status::job::{Job, detached};

use super::{body::Trouble, pace::number, program::Program};
use crate::{files::Span, parse::MOST_SECONDS, template::Variables, vars::Tree};

/// What bounds a task, or a turn of its loop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Limits {
    /// Seconds that it has while it is waited for.
    seconds: Option<u64>,
    /// What `async` makes of it.
    job: Option<Async>,
}

/// A task with `async`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Async {
    /// Its end is waited for.
    Awaited,
    /// It has so many seconds, and nobody waits (`poll: 0`).
    Beside(u64),
}

/// The limits of a task, or of a turn of its loop.
pub(super) fn of(program: &Program, variables: &Arc<dyn Variables>) -> Result<Limits, Trouble> {
    let whole = |found: &Option<(Tree, Span)>, name: &str| {
        let Some(found) = found else {
            return Ok::<Option<u64>, Trouble>(None);
        };
        let wanted = format!("a whole number of seconds up to {MOST_SECONDS}");
        let fits = |number: &u64| *number <= u64::from(MOST_SECONDS);
        let read = |text: &str| text.parse().ok().filter(fits);
        number(found, variables, (name, &wanted), read).map(Some)
    };
    let limit = |seconds: Option<u64>| seconds.filter(|seconds| *seconds > 0);
    let timeout = limit(whole(&program.timeout, "timeout")?);
    let Some(beside) = limit(whole(&program.async_, "async")?) else {
        return Ok(Limits {
            seconds: timeout,
            job: None,
        });
    };
    Ok(match whole(&program.poll, "poll")? {
        Some(0) => Limits {
            seconds: timeout,
            job: Some(Async::Beside(beside)),
        },
        _ => Limits {
            seconds: Some(timeout.map_or(beside, |timeout| timeout.min(beside))),
            job: Some(Async::Awaited),
        },
    })
}

/// A module with its arguments within these limits.
pub(super) fn bounded(bound: Arc<dyn Bound>, limits: Limits) -> Arc<dyn Bound> {
    match limits {
        Limits {
            seconds: None,
            job: None,
        } => bound,
        limits => Arc::new(Limited { bound, limits }),
    }
}

/// A module all of whose programs have to end within a limit, or that is begun and not waited for.
struct Limited {
    bound: Arc<dyn Bound>,
    limits: Limits,
}

impl Limited {
    /// How long it may go on beside the run, where its end is not waited for. What keeps a state is: only then it is
    /// known whether the state has come about.
    fn beside(&self) -> Option<u64> {
        match self.limits.job {
            Some(Async::Beside(seconds)) if self.bound.nature() == Nature::Command => Some(seconds),
            _ => None,
        }
    }

    /// How long it has while it is waited for.
    fn seconds(&self) -> Option<u64> {
        match self.limits.job {
            Some(Async::Beside(beside)) => {
                Some(self.limits.seconds.map_or(beside, |own| own.min(beside)))
            }
            _ => self.limits.seconds,
        }
    }

    /// Programs run apart from the connection: each has what those before it have left of the limit.
    fn limit(&self, action: &mut Action) {
        let Some(limit) = self.seconds() else { return };
        match action {
            Action::Run(run) => {
                run.seconds = Some(run.seconds.map_or(limit, |own| own.min(limit)));
                run.limit = Some(limit);
                run.long = true;
            }
            Action::Settle { millis, .. } => *millis = (*millis).min(limit * 1000),
            _ => {}
        }
    }
}

/// The same plan, whose program is only begun.
fn begun(mut plan: Plan, seconds: u64) -> Plan {
    for change in &mut plan.changes {
        // What guards it says so again when it has ended, not when it has begun.
        if let Cause::Guard(_) = change.cause {
            change.cause = Cause::Act;
        }
        for step in &mut change.steps {
            step.effects.clear();
            if let Action::Run(run) = &mut step.action {
                *run = detached(run.clone(), seconds);
            }
        }
    }
    plan
}

/// What a module gives, with what is said of its job.
fn with_job(mut value: Value, job: &Job) -> Result<Value, Stop> {
    let job = Value::from_typed(job).map_err(|error| Stop::refused(error.to_string()))?;
    if let (Value::Map(map), Value::Map(job)) = (&mut value, job) {
        map.extend(job);
    }
    Ok(value)
}

impl Wrap for Limited {
    fn inner(&self) -> &dyn Bound {
        self.bound.as_ref()
    }
    fn plan(&self, seen: &Seen) -> Result<Plan, Stop> {
        let mut plan = self.bound.plan(seen)?;
        if let Some(seconds) = self.beside() {
            return Ok(begun(plan, seconds));
        }
        let steps = plan.changes.iter_mut().flat_map(|change| &mut change.steps);
        for step in steps {
            self.limit(&mut step.action);
        }
        Ok(plan)
    }
    fn output(&self, after: &Seen, done: &[Done]) -> Result<Value, Stop> {
        match (self.beside(), done.last()) {
            (Some(_), Some(done)) => match Job::begun(done) {
                Some(job) => with_job(Map::new().into(), &job),
                // Why is told by the failure of its step.
                None => Ok(Map::new().into()),
            },
            (Some(_), None) if !self.bound.plan(after)?.changes.is_empty() => {
                Err(NotYet::new("what its job is called").into())
            }
            _ => {
                let value = self.bound.output(after, done)?;
                match self.limits.job {
                    Some(_) => with_job(value, &Job::ended()),
                    None => Ok(value),
                }
            }
        }
    }
}
