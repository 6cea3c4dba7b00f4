//! Walking the schedule on one host: deciding tasks in listed order, as far as can be foreseen.

use std::sync::Arc;

use super::{
    board::{End, State, UNWRITTEN, listener_name},
    chain::Entry,
    decide::{Decision, Question, foretell},
    decided::{Decided, Fate, Item},
    drive::Loop,
    finish::{Context, Finished, shown},
    known::Known,
    rehearse::rehearse,
    shape::touches,
};
use crate::{
    event::{Outcome, TaskError},
    late::NotYet,
    module::Refusal,
    probe::Answer,
    reason::Reason,
    schedule::{Ended, Next},
    task::{Output, Outputs, Resolved, Task, TaskId, TaskList},
    thing::Thing,
    value::Value,
};

/// What has to be done next.
pub(super) enum Todo {
    /// Every task of this host is decided.
    Over,
    /// These have to be answered first, for a task whose turn has come.
    Ask(TaskId, Vec<Question>),
    /// These have to be sent; whether other tasks could go on beside their long steps.
    Send(Vec<Entry>, bool),
    /// A task whose steps were taken can be finished.
    Land,
    /// Only the end of a long step brings anything new.
    AwaitLong,
    /// Only another host brings anything new.
    AwaitOthers,
}

/// Results as the tasks of a host may read them.
pub(super) struct Results<'a> {
    pub(super) state: &'a State,
    pub(super) list: &'a TaskList,
    /// Whether it is the turn of who asks.
    pub(super) turn: bool,
}

impl Outputs for Results<'_> {
    fn is_turn(&self) -> bool {
        self.turn
    }

    fn of(&self, task: TaskId) -> Result<Arc<Output>, NotYet> {
        let output = self.state.outputs.get(task.index()).cloned().flatten();
        output.ok_or_else(|| {
            let name = self
                .list
                .tasks
                .get(task.index())
                .map_or("", |task| task.name.as_str());
            NotYet(format!("the result of `{name}`"))
        })
    }
}

/// What is foreseen: the state and the host as they will be.
struct Ahead {
    state: State,
    known: Known,
    entries: Vec<Entry>,
    /// A program ran of which nobody said what it writes.
    opaque: bool,
    /// It makes a link of which nobody knows where it will lead in the end.
    astray: bool,
    /// One of the entries has a long step.
    long: bool,
    /// What was known of links when the order between tasks was last set by them.
    links: u64,
}

impl Loop {
    /// Decides task after task; finishes what needs no step while nothing is foretold.
    pub(super) fn walk(&mut self) -> Todo {
        let shared = Arc::clone(&self.shared);
        self.heed_links();
        let mut ahead: Option<Ahead> = None;
        loop {
            if shared.cancel.is_stopped() {
                // What is left of tasks whose long step has ended does not start either.
                self.landed.append(&mut self.resumed);
                let landed = !self.landed.is_empty() && self.flights.is_empty();
                return if landed {
                    Todo::Land
                } else {
                    self.todo(None, Next::Waiting)
                };
            }
            let next = match &ahead {
                Some(ahead) => ahead.state.schedule.next(self.host),
                None => shared.board.state().schedule.next(self.host),
            };
            match (next, &mut ahead) {
                // Its steps were taken before it was known that another task comes first.
                (Next::Run(id) | Next::Blocked { task: id, .. }, _) if self.has_landed(id) => {
                    return match ahead {
                        Some(_) => self.todo(ahead, next),
                        None => Todo::Land,
                    };
                }
                (Next::Run(id), _) if self.goes_on(id) => match &mut ahead {
                    Some(ahead) => ahead.state.schedule.start(id),
                    None => shared.board.state().schedule.start(id),
                },
                (Next::NotNeeded(id), Some(ahead)) => {
                    ahead.state.schedule.dismiss(id);
                    ahead.state.pass_over(id, false);
                }
                (Next::NotNeeded(id), None) => {
                    let mut state = shared.board.state();
                    state.schedule.dismiss(id);
                    state.pass_over(id, false);
                    drop(state);
                    self.decided.insert(id);
                    shared.board.moved();
                }
                (Next::Blocked { task, by }, None) => self.blocked(task, by),
                (Next::Over | Next::Waiting | Next::Blocked { .. }, _) => {
                    return self.todo(ahead, next);
                }
                (Next::Run(id), None) if self.is_waiting(id) => {
                    return self.todo(None, Next::Waiting);
                }
                (Next::Run(id), None) => match self.here(id) {
                    Here::Done => {}
                    Here::Todo(todo) => return todo,
                    Here::Acts(first) => ahead = Some(*first),
                },
                (Next::Run(id), Some(far)) => {
                    if !self.foresee_task(id, far) {
                        return self.todo(ahead, next);
                    }
                }
            }
            let full = ahead.as_ref().is_some_and(|ahead| self.is_full(ahead));
            if full {
                return self.todo(ahead, next);
            }
        }
    }

    fn has_landed(&self, id: TaskId) -> bool {
        self.landed
            .iter()
            .any(|landed| landed.entry.decided.task == id)
    }

    /// Whether it was begun before its turn, and has not ended.
    fn goes_on(&self, id: TaskId) -> bool {
        let flying = self.flights.iter().map(|flight| &flight.landed);
        let mut begun = flying.chain(&self.resumed);
        begun.any(|landed| landed.entry.decided.task == id)
    }

    fn todo(&self, ahead: Option<Ahead>, next: Next) -> Todo {
        let over = matches!(next, Next::Over);
        let more = matches!(next, Next::Run(_));
        match ahead {
            Some(ahead) => Todo::Send(ahead.entries, more),
            None if !self.resumed.is_empty() => Todo::Send(Vec::new(), more),
            None if !self.flights.is_empty() => Todo::AwaitLong,
            None if over => Todo::Over,
            None => Todo::AwaitOthers,
        }
    }

    /// Whether nothing may be foreseen after the last entry.
    fn is_full(&self, ahead: &Ahead) -> bool {
        let Some(last) = ahead.entries.last() else {
            return false;
        };
        if last.epoch.is_none() {
            return false;
        }
        let task = self.task(last.decided.task);
        let judged = task
            .judge
            .as_ref()
            .is_some_and(|judge| judge.judges_failure());
        judged
            || task.pace.is_some()
            || last.decided.has_more()
            || ahead.astray
            || self.shared.options.in_order
    }

    /// Decides a task at its own turn.
    fn here(&mut self, id: TaskId) -> Here {
        // What it waited for may have been done under another name of the machine.
        self.heed_others();
        let shared = Arc::clone(&self.shared);
        let mut decision = self.with_known(|it, known| {
            let state = shared.board.state();
            it.decide(id, &state, known, false)
        });
        if let Decision::Decided(decided) = &mut decision {
            self.take_one_turn(decided);
            if let Some(what) = decided.hangs().cloned() {
                decision = Decision::NotYet(what);
            }
        }
        match decision {
            Decision::Quiet => self.quiet(id),
            Decision::Ask(questions) => return Here::Todo(Todo::Ask(id, questions)),
            // What it waits for may be made by a long step that goes on.
            Decision::NotYet(_) if !self.flights.is_empty() => {
                return Here::Todo(Todo::AwaitLong);
            }
            Decision::NotYet(what) => self.not_known(id, &what),
            Decision::Decided(decided) if self.is_beside(&decided, &[]) => {
                return Here::Todo(Todo::AwaitLong);
            }
            Decision::Decided(decided) if decided.acts() && !self.foretelling(id) => {
                return Here::Acts(Box::new(self.begin(decided)));
            }
            Decision::Decided(mut decided) => {
                if decided.acts() {
                    if let Some(question) = rehearse(&mut decided, &self.known) {
                        return Here::Todo(Todo::Ask(id, vec![question]));
                    }
                    // A diff needs what the host holds before the change is foretold.
                    let context = self.context(self.task(id), &self.known, &NoResults);
                    decided.shown = shown(&decided, &context);
                    self.foretell_here(&decided);
                }
                self.finish_decided(&decided, None, None);
            }
        }
        Here::Done
    }

    /// Whether it would stand beside a long step that it commutes with: the order of two package
    /// installs does not matter, but not both at once. Beside one that goes on nothing is decided: what it will
    /// have done is not seen yet, and may be what a refusal misses.
    fn is_beside(&self, decided: &Decided, entries: &[Entry]) -> bool {
        let Some(word) = decided.commutes() else {
            return false;
        };
        let same = |entry: &Entry| entry.decided.commutes() == Some(word);
        let going = self.flights.iter().any(|flight| same(&flight.landed.entry));
        let mut long = entries.iter().filter(|entry| entry.decided.is_long());
        going || decided.acts() && long.any(same)
    }

    /// In check mode nothing is done, unless the task says so.
    pub(super) fn foretelling(&self, id: TaskId) -> bool {
        match self.task(id).check_mode {
            Some(check) => check,
            None => self.checking(),
        }
    }

    fn foretell_here(&mut self, decided: &Decided) {
        if !self.checking() {
            // Only this one task is foretold: the others find the host as it is.
            return;
        }
        let mut known = std::mem::take(&mut self.known);
        self.lay(decided, &mut known);
        self.known = known;
    }

    /// Lends out what is known: a copy for each task would cost more with each that is foretold.
    pub(super) fn with_known<T>(&mut self, with: impl FnOnce(&mut Self, &Known) -> T) -> T {
        let known = std::mem::take(&mut self.known);
        let result = with(self, &known);
        self.known = known;
        result
    }

    fn lay(&self, decided: &Decided, known: &mut Known) {
        let task = self.task(decided.task);
        for item in decided.items.iter().filter(|item| !item.changes_nothing()) {
            if let (Fate::Act(plan), Some(bound)) = (&item.fate, &item.bound) {
                foretell(known, decided.who, self.identities.len(), plan, task, bound);
            }
        }
    }

    fn begin(&mut self, decided: Box<Decided>) -> Ahead {
        let known = self.known.clone();
        let state = self.shared.board.state().clone();
        let mut ahead = Ahead {
            state,
            links: known.links().version(),
            known,
            entries: Vec::new(),
            opaque: false,
            long: false,
            astray: false,
        };
        self.enter(decided, &mut ahead);
        ahead
    }

    /// Decides a task on what is foretold; false if it has to wait for its own turn.
    fn foresee_task(&mut self, id: TaskId, ahead: &mut Ahead) -> bool {
        if self.task(id).pace.is_some() || self.task(id).at_turn || self.turns_had(id) > 0 {
            return false;
        }
        match self.decide(id, &ahead.state, &ahead.known, false) {
            Decision::Quiet => {
                ahead.state.schedule.finish(id, Ended::Skipped);
                ahead.state.pass_over(id, self.changed_before(id));
                ahead.entries.push(Self::quiet_entry(id));
                true
            }
            Decision::Ask(_) | Decision::NotYet(_) => false,
            Decision::Decided(decided) => {
                let refuses = |item: &Item| matches!(item.fate, Fate::Refuse(_));
                let refused = decided.items.iter().any(refuses);
                if refused || decided.hangs().is_some() || self.foretelling(id) {
                    return false;
                }
                // What comes before it may be what it tells of.
                if decided
                    .asked
                    .iter()
                    .any(|(_, probe)| probe.runs_user_code())
                {
                    return false;
                }
                if ahead.opaque && !can_be_guarded(&decided, &ahead.known) {
                    return false;
                }
                let joins = self.joining().joins(&ahead.entries, &decided);
                if self.is_beside(&decided, if joins { &[] } else { &ahead.entries }) {
                    return false;
                }
                self.enter(decided, ahead);
                true
            }
        }
    }

    /// A handler that stays quiet, as far as can be foreseen: looked at again when it is its turn.
    fn quiet_entry(id: TaskId) -> Entry {
        let decided = Decided {
            task: id,
            who: 0,
            scope: None,
            print: None,
            reason: Reason::InState,
            items: Vec::new(),
            looped: false,
            serves: Vec::new(),
            pays: false,
            asked: Vec::new(),
            environment: Vec::new(),
            shown: Vec::new(),
        };
        Entry {
            decided: Box::new(decided),
            epoch: None,
            planned_on: Vec::new(),
            foretold: Vec::new(),
            from: 0,
        }
    }

    fn enter(&mut self, mut decided: Box<Decided>, ahead: &mut Ahead) {
        let id = decided.task;
        let acts = decided.acts();
        let epoch = acts.then(|| {
            self.epochs += 1;
            format!(
                "{}.{}-{}",
                self.shared.options.run, self.host.0, self.epochs
            )
        });
        let on = planned_on(&decided, &ahead.known);
        let task = self.task(id);
        decided.shown = shown(&decided, &self.context(task, &ahead.known, &NoResults));
        self.lay(&decided, &mut ahead.known);
        let (finished, end) =
            self.finished(&decided, None, epoch.as_ref(), &ahead.state, &ahead.known);
        let task = self.task(id);
        ahead.opaque |= decided.is_opaque(task);
        let foretold = if decided.promises() {
            planned_on(&decided, &ahead.known)
        } else {
            Vec::new()
        };
        if finished.outcome != Outcome::Failed {
            let listener = self.scope(&listener_name(task));
            ahead.state.serve(listener, &decided.serves);
        }
        ahead.state.outputs[id.index()] = Some(Arc::clone(&finished.output));
        ahead.state.end(id, end);
        if decided.is_long() {
            ahead.state.schedule.start(id);
            // Its result comes with its end.
            ahead.state.outputs[id.index()] = None;
            ahead.state.ends.remove(&id);
        } else {
            let ended = if acts {
                Ended::Done
            } else {
                ended(finished.outcome)
            };
            ahead.state.schedule.finish(id, ended);
        }
        ahead.long |= decided.is_long();
        let beside = ahead.long || !self.flights.is_empty();
        ahead.astray |= !self.open_targets(&decided, &ahead.known).is_empty();
        let version = ahead.known.links().version();
        if beside && std::mem::replace(&mut ahead.links, version) != version {
            // Links that are foretold lead somewhere for what may run beside a long step.
            self.order_by_links(&ahead.known, &mut ahead.state.schedule);
        }
        ahead.entries.push(Entry {
            decided,
            epoch,
            planned_on: on,
            foretold,
            from: 0,
        });
    }

    pub(super) fn end_of(
        &self,
        decided: &Decided,
        finished: &Finished,
        epoch: Option<String>,
    ) -> End {
        let changed = match &finished.output.changed {
            Value::NotYet(_) => None,
            changed => Some(changed.is_true()),
        };
        let changed = if finished.outcome == Outcome::Failed {
            Some(false)
        } else {
            changed
        };
        let task = decided.task;
        let renews = match finished.outcome {
            Outcome::Changed => decided.renews(),
            _ => Vec::new(),
        };
        End {
            changed,
            called: finished.called.clone(),
            renews,
            at: 0,
            scope: decided.scope.clone().unwrap_or_else(|| {
                // Nothing of it is written; the name only has to be its own.
                self.scope(&format!("task {}", task.0))
            }),
            epoch: epoch.unwrap_or_else(|| UNWRITTEN.to_owned()),
        }
    }

    pub(super) fn context<'a>(
        &'a self,
        task: &'a Task,
        known: &'a Known,
        outputs: &'a dyn Outputs,
    ) -> Context<'a> {
        Context {
            task,
            known,
            outputs,
            masking: &self.masking,
            diff: self.shared.options.diff,
        }
    }

    /// A task whose turn has come, and that depends on what is still not known.
    fn not_known(&mut self, id: TaskId, what: &NotYet) {
        if self.foretelling(id) {
            self.void_writes(id);
            self.unknown(id, what);
            return;
        }
        let (what, own) = what.parts();
        let refusal = Refusal::new(format!("what it needs is missing: {what}")).help(own.map_or_else(
            || {
                "no earlier task makes it: make it in a task before this one, or correct what names it"
                    .to_owned()
            },
            str::to_owned,
        ));
        if let Decision::Decided(decided) = Self::refused(id, refusal) {
            self.finish_decided(&decided, None, None);
        }
    }

    /// Check mode: what a task of which nothing is known may write is not known either. As
    /// everywhere, what may write everything is taken to change nothing that was asked.
    fn void_writes(&mut self, id: TaskId) {
        let shared = Arc::clone(&self.shared);
        let resolved = {
            let state = shared.board.state();
            let resolved = self.resolve(id, &state, false);
            resolved.or_else(|_| self.foresee_arguments(id, &state))
        };
        let bounds: Vec<_> = match resolved {
            Ok(Resolved::One(bound)) => vec![bound],
            Ok(Resolved::Loop(turns)) => turns.into_iter().filter_map(|t| t.body.ok()).collect(),
            Ok(Resolved::Skip(_)) | Err(_) => return,
        };
        let task = self.task(id);
        let mut writes: Vec<Thing> = bounds
            .iter()
            .flat_map(|bound| touches(task, bound.as_ref()).1)
            .collect();
        if writes.contains(&Thing::Everything) {
            let name = self.task(id).name.clone();
            self.known.veiled_by(&name);
        }
        writes.retain(|thing| *thing != Thing::Everything);
        let writes = self.known.by_all_names(&writes, true);
        self.known
            .void(&writes, &format!("what `{}` makes", self.task(id).name));
    }

    pub(super) fn failed_with(&mut self, id: TaskId, error: TaskError) {
        let mut refusal = Refusal::new(error.message);
        refusal.help = error.help;
        if let Decision::Decided(decided) = Self::refused(id, refusal) {
            self.finish_decided(&decided, None, None);
        }
    }
}

/// What became of a task at its own turn.
enum Here {
    Done,
    Todo(Todo),
    Acts(Box<Ahead>),
}

/// Before any task has ended.
pub(super) struct NoResults;

impl Outputs for NoResults {
    fn of(&self, _: TaskId) -> Result<Arc<Output>, NotYet> {
        Err(NotYet::new("a result"))
    }
}

pub(super) fn ended(outcome: Outcome) -> Ended {
    match outcome {
        Outcome::Skipped => Ended::Skipped,
        Outcome::Failed => Ended::Failed,
        _ => Ended::Done,
    }
}

fn planned_on(decided: &Decided, known: &Known) -> Vec<(Question, Answer)> {
    let answer = |(who, probe): &Question| {
        let answer = known.get(*who, &probe.key())?;
        probe.expected(answer)?;
        Some(((*who, Arc::clone(probe)), answer.clone()))
    };
    decided.asked.iter().filter_map(answer).collect()
}

/// Whether the host itself can check all that the task was planned on.
fn can_be_guarded(decided: &Decided, known: &Known) -> bool {
    decided.asked.iter().all(|(who, probe)| {
        probe.kind() == "whoami"
            || known
                .get(*who, &probe.key())
                .is_some_and(|answer| probe.expected(answer).is_some())
    })
}
