//! All cases through the engine's own run: what is foretold is what is done, the second run is quiet
//! and costs one exchange, and a run that is cut off is finished by the next, with its handlers.

use std::sync::{Arc, Mutex};

use evenkeel_engine::{
    Action, Bound, Cause, Resolve, Resolved, Step, Task, TaskList,
    event::{Event, Outcome, TaskFinished},
    fake::{self, Cut, FakeHost},
    host::Op,
    run::{Cancel, Options, Report, run},
    testing::Case,
};
use evenkeel_modules::command::{Args, Command};

use crate::support::{Expect, Wanted};

/// Arguments that are known.
struct Ready(Arc<dyn Bound>);

impl Resolve for Ready {
    fn resolve(&self, _: &dyn evenkeel_engine::Outputs) -> Result<Resolved, evenkeel_engine::Stop> {
        Ok(Resolved::One(Arc::clone(&self.0)))
    }
}

/// What a run told.
pub(crate) struct Told {
    pub(crate) events: Vec<Event>,
    pub(crate) report: Report,
    pub(crate) exchanges: usize,
}

impl Told {
    /// How the case's task ended.
    fn task(&self) -> Option<&TaskFinished> {
        self.events.iter().find_map(|event| match event {
            Event::TaskFinished(task) if task.name.id == "it" => Some(&**task),
            _ => None,
        })
    }
}

const HANDLER: &str = "the-handler";

/// The case's host, with the program that the handler runs.
pub(crate) fn host(expect: &Expect) -> FakeHost {
    expect.host.clone().program(HANDLER, |world, _| {
        world.note(HANDLER, "ran");
        fake::ok("")
    })
}

/// Runs the task of a case and a handler that it notifies.
pub(crate) async fn tell(
    expect: &Expect,
    bound: &Arc<dyn Bound>,
    host: &Arc<FakeHost>,
    options: Options,
) -> Told {
    let mut list = TaskList::new("cases");
    list.host(
        "here",
        Arc::clone(host) as Arc<dyn evenkeel_engine::host::Host>,
    );
    let body = Arc::new(Ready(Arc::clone(bound)));
    let task = Task::resolved(&expect.name, bound.module(), body);
    let task = list.task(task.id("it").as_user(expect.identity.clone()));
    list.task(
        Task::new::<Command>("handler", Args::cmd(HANDLER))
            .id("handler")
            .triggered_by(task)
            .handler(),
    );
    let events = Arc::new(Mutex::new(Vec::new()));
    let sink = {
        let events = Arc::clone(&events);
        move |event: &Event| events.lock().expect("no panic").push(event.clone())
    };
    let before = host.exchanges().len();
    let options = Options {
        keep: host.keeper(),
        downloads: host.downloads(),
        ..options
    };
    let report = run(Arc::new(list), options, Arc::new(sink), Cancel::default()).await;
    let events = events.lock().expect("no panic").clone();
    Told {
        events,
        report: report.expect("no cycle"),
        exchanges: host.exchanges().len() - before,
    }
}

fn whats(task: &TaskFinished) -> Vec<String> {
    task.changes
        .iter()
        .map(|change| change.what.clone())
        .collect()
}

fn names(changes: &[String]) -> Vec<String> {
    let name = |change: &String| change.split(": ").next().unwrap_or_default().to_owned();
    changes.iter().map(name).collect()
}

/// What is wrong with a case in a run.
async fn broken(expect: &Expect) -> Vec<String> {
    let Ok(bound) = expect.bound() else {
        return Vec::new();
    };
    match &expect.wanted {
        Wanted::Changes(changes) => {
            let case = Case::bound(&expect.name, expect.host.clone(), Arc::clone(&bound))
                .as_user(expect.identity.clone());
            let ran = case.run();
            let causes = ran.plan.changes.iter().map(|change| change.cause);
            let settles = bound
                .plan(&ran.seen)
                .is_ok_and(|plan| plan.changes.is_empty());
            let is_state = settles && causes.eq(ran.plan.changes.iter().map(|_| Cause::Differs));
            // What only waits or asks is told as unchanged, and in check mode as not known.
            let waits = !changes.is_empty()
                && ran
                    .plan
                    .changes
                    .iter()
                    .all(|change| matches!(change.cause, Cause::Wait | Cause::Asks));
            let idle = |step: &Step| matches!(&step.action, Action::Run(run) if run.idle.is_some());
            let mut steps = ran.plan.changes.iter().flat_map(|change| &change.steps);
            let looks = steps.clone().next().is_some() && steps.all(idle);
            let rehearsal = ran.plan.rehearsal.as_ref();
            let one = One {
                expect,
                bound,
                is_rehearsed: rehearsal.is_some_and(|one| one.question().is_ok()),
                changes: names(changes),
                is_state,
                waits,
                looks,
            };
            let mut found = one.foretold().await;
            found.extend(one.twice().await);
            if found.is_empty() {
                found.extend(one.cut().await);
            }
            found
        }
        Wanted::Refused(message) | Wanted::NotYet(message) => {
            let host = Arc::new(host(expect));
            let told = tell(expect, &bound, &host, Options::new()).await;
            let error = told
                .task()
                .and_then(|task| task.error.clone())
                .unwrap_or_default();
            let failed = told.task().map(|task| task.outcome) == Some(Outcome::Failed);
            let wrong = !failed || !error.message.contains(message) || host.steps() > 0;
            let what = format!("not failed with `{message}` before any step: {error:?}");
            wrong.then_some(what).into_iter().collect()
        }
        Wanted::Fails(message) => {
            let host = Arc::new(host(expect));
            let told = tell(expect, &bound, &host, Options::new()).await;
            let error = told
                .task()
                .and_then(|task| task.error.clone())
                .unwrap_or_default();
            let text = format!("{} {}", error.message, error.stderr.unwrap_or_default());
            let called = host.world().noted(HANDLER).is_some();
            let right = text.contains(message) && !called && told.report.hosts[0].failed == 1;
            let what = format!("no step failed with `{message}`: {text}");
            (!right).then_some(what).into_iter().collect()
        }
    }
}

struct One<'a> {
    expect: &'a Expect,
    bound: Arc<dyn Bound>,
    changes: Vec<String>,
    is_state: bool,
    waits: bool,
    /// Whether check mode tells exactly what its run would do, whatever that is.
    is_rehearsed: bool,
    /// Whether only its run can tell if there is anything to change.
    looks: bool,
}

impl One<'_> {
    /// What it changes, and how it is told.
    fn wanted(&self, check: bool) -> (Outcome, &[String]) {
        match (self.changes.is_empty(), self.waits) {
            _ if check && !self.is_rehearsed && (self.waits || self.looks) => {
                (Outcome::Unknown, &self.changes)
            }
            (true, _) | (_, true) => (Outcome::Unchanged, &[]),
            (false, false) => (Outcome::Changed, &self.changes),
        }
    }

    async fn tell(&self, host: &Arc<FakeHost>, options: Options) -> Told {
        tell(self.expect, &self.bound, host, options).await
    }

    fn ended(&self, told: &Told, when: &str) -> Option<String> {
        let Some(task) = told.task() else {
            return Some(format!("{when}: it did not end"));
        };
        let (outcome, changes) = self.wanted(when == "check mode");
        let same = task.outcome == outcome && whats(task) == changes;
        (!same).then(|| {
            let error = task.error.as_ref().map(|error| &error.message);
            format!(
                "{when}: {:?} {:?}, not {:?} {:?} ({error:?})",
                task.outcome,
                whats(task),
                outcome,
                changes
            )
        })
    }

    /// Check mode says what a run would do, and does nothing.
    async fn foretold(&self) -> Vec<String> {
        let host = Arc::new(host(self.expect));
        let before = host.world();
        let told = self.tell(&host, Options::new().check()).await;
        let mut found: Vec<_> = self.ended(&told, "check mode").into_iter().collect();
        let world = host.world();
        found.extend(
            world
                .changed_since(&before)
                .into_iter()
                .map(|path| format!("check mode wrote `{path}`")),
        );
        found.extend(
            world
                .differences(&before)
                .into_iter()
                .map(|what| format!("check mode changed {what}")),
        );
        let acts = |op: &Op| !matches!(op, Op::Ledger | Op::Observe { .. });
        let exchanges = host.exchanges();
        let acted = exchanges
            .iter()
            .any(|one| one.lock.is_some() || one.ops.iter().chain(&one.tail).any(acts));
        if acted {
            found.push("check mode took the lock, or did more than look".to_owned());
        }
        found
    }

    /// The first run changes what is said, the second nothing, at the price of one exchange.
    async fn twice(&self) -> Vec<String> {
        let host = Arc::new(host(self.expect));
        let first = self.tell(&host, Options::new()).await;
        let mut found: Vec<_> = self.ended(&first, "the first run").into_iter().collect();
        let called = host.world().noted(HANDLER).is_some();
        if called != (self.wanted(false).0 == Outcome::Changed) {
            found.push(format!("the first run: the handler ran: {called}"));
        }
        if !self.is_state {
            return found;
        }
        let (before, steps) = (host.world(), host.steps());
        let second = self.tell(&host, Options::new()).await;
        let quiet = second
            .task()
            .is_some_and(|task| task.outcome == Outcome::Unchanged);
        if !quiet {
            let task = second.task().map(|task| (task.outcome, whats(task)));
            found.push(format!("the second run: {task:?}"));
        }
        if second.exchanges != self.expect.rounds {
            found.push(format!("the second run: {} exchanges", second.exchanges));
        }
        if host.steps() != steps {
            found.push("the second run took steps".to_owned());
        }
        let world = host.world();
        found.extend(
            world
                .differences(&before)
                .into_iter()
                .map(|what| format!("the second run changed {what}")),
        );
        found
    }

    /// Cut off at any step, the next run ends where the run would have, and the handler runs.
    async fn cut(&self) -> Vec<String> {
        let uncut = Arc::new(host(self.expect));
        let base = uncut.steps();
        self.tell(&uncut, Options::new()).await;
        let mut found = Vec::new();
        for step in 1..=uncut.steps() - base {
            for side in [Cut::Before, Cut::After] {
                let place = format!("cut {side:?} step {step}").to_lowercase();
                let host = Arc::new(host(self.expect).break_at(base + step, side));
                let dies = Options {
                    reconnect: std::time::Duration::ZERO,
                    ..Options::new()
                };
                self.tell(&host, dies).await;
                let next = self.tell(&host, Options::new()).await;
                if !next.report.ok {
                    let error = next.task().map(|task| (task.outcome, task.error.clone()));
                    found.push(format!("{place}: the next run failed: {error:?}"));
                    continue;
                }
                if !self.waits && host.world().noted(HANDLER).is_none() {
                    found.push(format!("{place}: the handler is lost"));
                }
                if self.is_state {
                    let differs = host.world().differences(&uncut.world()).into_iter();
                    found.extend(differs.map(|what| format!("{place}: {what}")));
                }
            }
        }
        found
    }
}

#[tokio::test]
async fn every_case_in_a_run() {
    let mut found = Vec::new();
    for expect in crate::all() {
        let name = expect.name.clone();
        if !expect.runs {
            continue;
        }
        found.extend(
            broken(&expect)
                .await
                .into_iter()
                .map(|what| format!("{name}: {what}")),
        );
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}
