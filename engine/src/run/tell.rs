//! Finishing tasks for good: the schedule, results, the ledger's lines, the recap and the events.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    board::{End, State, UNWRITTEN, listener_name, name_for},
    called::Called,
    decided::{Decided, Fate},
    drive::Loop,
    exchange::Lost,
    finish::{Finished, Ran, finish},
    known::Known,
    walk::{Results, ended},
};
use crate::{
    event::{Event, Forgiven, Outcome, TaskError, TaskFinished, TaskName},
    late::NotYet,
    ledger::{Line, Scope},
    reason::Reason,
    schedule::Ended,
    task::{Output, Task, TaskId},
    value::Value,
};

/// Results that are kept for `register` of a `once` command that is skipped: at most so many bytes.
const RESULT_LIMIT: usize = 64 * 1024;

impl Loop {
    /// Finishes a task; `ran` is nothing where its steps are only foretold or there are none.
    pub(super) fn finish_decided(
        &mut self,
        decided: &Decided,
        ran: Option<&[Ran]>,
        epoch: Option<String>,
    ) {
        let Some((decided, epoch)) = self.paced(decided, ran, epoch) else {
            return;
        };
        let (decided, shared) = (decided.as_ref(), Arc::clone(&self.shared));
        let id = decided.task;
        if self.known.blur().is_some() {
            self.blurred.insert(id);
        }
        let task = &shared.list.tasks[id.index()];
        let mut state = shared.board.state();
        let (finished, mut told) = self.finished(decided, ran, epoch.as_ref(), &state, &self.known);
        let failed = finished.outcome == Outcome::Failed;
        let ignored = failed && task.ignore_errors;
        let end = if ignored {
            Ended::Done
        } else {
            ended(finished.outcome)
        };
        state.schedule.finish(id, end);
        let rescued = failed && !ignored && state.schedule.rescued(id);
        state.outputs[id.index()] = Some(Arc::clone(&finished.output));
        // What failed half-way may have changed something: its listeners are owed.
        if failed && !ignored {
            told.changed = Some(false);
        }
        state.end(id, told);
        // A handler of which nothing is told was not come to: it is still owed its turn.
        if !(failed || task.handler && is_mute(task, &finished.reason)) {
            state.serve(self.scope(&listener_name(task)), &decided.serves);
        }
        drop(state);
        self.decided.insert(id);
        self.note(decided, &finished, epoch, task);
        let forgiven = match (ignored, rescued) {
            (true, _) => Some(Forgiven::Ignored),
            (_, true) => Some(Forgiven::Rescued),
            _ => None,
        };
        if !(task.silent || is_mute(task, &finished.reason)) || failed {
            self.count(finished.outcome, &finished.reason, forgiven);
            let kept = decided.items.iter().filter_map(|item| match &item.fate {
                Fate::Kept(kept) => Some(kept.millis),
                _ => None,
            });
            let duration_ms = if decided.is_kept() {
                kept.sum()
            } else {
                ran.map_or(0, |ran| ran.iter().map(|ran| ran.millis).sum())
            };
            self.emit(id, finished, forgiven, duration_ms);
        }
        shared.board.moved();
    }

    /// What came of a task (or will, as far as that is foretold), and how that is told to others.
    pub(super) fn finished(
        &self,
        decided: &Decided,
        ran: Option<&[Ran]>,
        epoch: Option<&String>,
        state: &State,
        known: &Known,
    ) -> (Finished, End) {
        let list = &self.shared.list;
        let results = Results {
            state,
            list,
            turn: self.task(decided.task).at_turn,
        };
        let context = self.context(self.task(decided.task), known, &results);
        let mut finished = finish(decided, ran, &context);
        let mut epoch = epoch.cloned();
        if let Some(scope) = &decided.scope
            && !finished.output.changed.is_true()
            && self.still_changed(decided.task, scope)
        {
            let output = Output {
                changed: true.into(),
                ..finished.output.as_ref().clone()
            };
            finished.output = Arc::new(output);
            epoch = self.ledger.epoch(scope).cloned();
        }
        let end = self.end_of(decided, &finished, epoch);
        (finished, end)
    }

    /// Whether an earlier run changed it and died before those who read `.changed` had ended.
    fn still_changed(&self, id: TaskId, scope: &Scope) -> bool {
        let Some(record) = self
            .ledger
            .records
            .get(scope)
            .filter(|record| record.owes())
        else {
            return false;
        };
        self.shared.board.heeders(id).any(|name| {
            let served = self.ledger.served.get(&self.scope(name));
            record.listeners.contains(name)
                && served.and_then(|tasks| tasks.get(scope)) != record.epoch.as_ref()
        })
    }

    /// The same of a handler that nobody called in this run.
    pub(super) fn changed_before(&self, id: TaskId) -> bool {
        let key = self.keys.get(&id);
        key.is_some_and(|key| self.still_changed(id, &self.scope(key)))
    }

    /// Lines for the ledger.
    fn note(&mut self, decided: &Decided, finished: &Finished, epoch: Option<String>, task: &Task) {
        if self.foretelling(decided.task) {
            return;
        }
        let failed = finished.outcome == Outcome::Failed;
        if !failed && !decided.serves.is_empty() {
            let mut tasks = decided.serves.clone();
            tasks.retain(|(_, epoch)| epoch != UNWRITTEN);
            if !tasks.is_empty() {
                let listener = self.scope(&listener_name(task));
                self.lines.push(Line::Served { listener, tasks });
            }
            self.must_write |= decided.pays;
        }
        let witness = finished.witness.clone();
        if let Some(epoch) = epoch {
            self.release(decided, &finished.called, &epoch);
            let result = task
                .once
                .then(|| self.storable(decided, &finished.output))
                .flatten();
            // What never changes anything owes nobody a turn, also where it failed.
            let judge = task.judge.as_ref().filter(|_| failed && !task.once);
            let never = judge.and_then(|judge| judge.always_changed()) == Some(false);
            self.lines.push(Line::End {
                epoch,
                ended: if never {
                    crate::ledger::Ended::Unchanged
                } else {
                    finished.ended
                },
                witness,
                result,
            });
            return;
        }
        let (Some(scope), Some(print)) = (&decided.scope, &decided.print) else {
            return;
        };
        let rests = matches!(finished.outcome, Outcome::Unchanged);
        let known = self
            .ledger
            .records
            .get(scope)
            .and_then(|record| record.print.as_ref());
        let command = decided.items.iter().any(|item| {
            item.bound
                .as_ref()
                .is_some_and(|b| b.nature() != crate::module::Nature::State)
        });
        if rests && !command && known != Some(print) {
            self.lines.push(Line::State {
                task: scope.clone(),
                module: task.module.clone(),
                name: task.name.clone(),
                print: print.clone(),
                witness,
            });
        }
    }

    /// Listeners that a change did not call are owed no turn for it.
    fn release(&mut self, decided: &Decided, called: &Called, epoch: &str) {
        let shared = Arc::clone(&self.shared);
        let (Called::These(called), Some(scope)) = (called, &decided.scope) else {
            return;
        };
        let listening = shared.list.tasks.iter().zip(0..);
        let listening = listening.filter(|(task, _)| task.triggers.contains(&decided.task));
        let (called, quiet): (Vec<_>, Vec<_>) =
            listening.partition(|(_, id)| called.contains(&TaskId(*id)));
        // The turns of a handler, of which there is one for each flush, go by one name.
        let names = |tasks: Vec<(&Task, u32)>| -> BTreeSet<String> {
            let tasks = tasks
                .into_iter()
                .map(|(task, _)| name_for(&shared.list, decided.task, task));
            tasks.collect()
        };
        let called = names(called);
        for name in names(quiet).difference(&called) {
            let owed = self.owing.get(name).is_some_and(|of| of.contains(scope));
            if !owed {
                self.lines.push(Line::Served {
                    listener: self.scope(name),
                    tasks: vec![(scope.clone(), epoch.to_owned())],
                });
            }
        }
    }

    /// The result of a command, if it may be kept.
    fn storable(&self, decided: &Decided, output: &Output) -> Option<Value> {
        let secret = decided
            .items
            .iter()
            .filter_map(|item| item.bound.as_ref())
            .any(|bound| !bound.args().secrets().is_empty());
        let json = output.value.to_json();
        let masked = self.masking.json(json.clone());
        let task = self.task(decided.task);
        let small = json.to_string().len() <= RESULT_LIMIT;
        (!secret && !task.no_log && small && masked == json).then(|| output.value.clone())
    }

    fn count(&mut self, outcome: Outcome, reason: &Reason, forgiven: Option<Forgiven>) {
        let recap = &mut self.recap;
        let counter = match (outcome, forgiven) {
            (Outcome::Failed, Some(Forgiven::Ignored)) => &mut recap.ignored,
            (Outcome::Failed, Some(Forgiven::Rescued)) => &mut recap.rescued,
            (Outcome::Failed, None) => &mut recap.failed,
            (Outcome::Changed, _) => &mut recap.changed,
            (Outcome::Unchanged, _) => &mut recap.unchanged,
            (Outcome::Assumed, _) => &mut recap.assumed,
            (Outcome::Skipped, _) => &mut recap.skipped,
            (Outcome::Unknown, _) => &mut recap.unknown,
            (Outcome::Blocked, _) => &mut recap.blocked,
        };
        *counter += 1;
        if *reason == Reason::Unguarded {
            recap.unguarded += 1;
        }
    }

    pub(super) fn task_name(&self, id: TaskId) -> TaskName {
        let list = &self.shared.list;
        let task = self.task(id);
        TaskName {
            host: self.name.clone(),
            task: self.masking.text(&task.name),
            id: task
                .id
                .clone()
                .unwrap_or_else(|| format!("task-{}", id.0 + 1)),
            module: task.module.clone(),
            source: task.place.as_ref().map(ToString::to_string),
            play: list
                .plays
                .get(task.play as usize)
                .cloned()
                .unwrap_or_default(),
            handler: task.handler,
        }
    }

    fn emit(
        &mut self,
        id: TaskId,
        finished: Finished,
        forgiven: Option<Forgiven>,
        duration_ms: u64,
    ) {
        let task = self.task(id);
        for message in &finished.warnings {
            let message = if task.no_log {
                crate::MASK.to_owned()
            } else {
                message.clone()
            };
            self.warn(Some(id), &message);
        }
        let result = (self.shared.options.results && !task.no_log)
            .then(|| self.masking.json(finished.output.to_value().to_json()));
        let reason = self.masking.reason(finished.reason);
        let mut items = finished.items;
        for item in &mut items {
            item.reason = self.masking.reason(item.reason.clone());
        }
        let event = TaskFinished {
            name: self.task_name(id),
            outcome: finished.outcome,
            reason,
            changes: finished.changes,
            error: finished.error,
            forgiven,
            items,
            message: finished.message,
            result,
            duration_ms,
        };
        self.shared
            .sink
            .event(&Event::TaskFinished(Box::new(event)));
    }

    pub(super) fn warn(&self, id: Option<TaskId>, message: &str) {
        let name = id.map(|id| self.task_name(id));
        self.shared.sink.event(&Event::Warning {
            host: self.name.clone(),
            source: name.as_ref().and_then(|name| name.source.clone()),
            task: name.map(|name| name.task),
            message: self.masking.text(message),
        });
    }

    /// A handler that nobody called has had its turn.
    pub(super) fn quiet(&mut self, id: TaskId) {
        let changed = self.changed_before(id);
        let mut state = self.shared.board.state();
        state.schedule.finish(id, Ended::Skipped);
        state.pass_over(id, changed);
        drop(state);
        self.decided.insert(id);
        self.shared.board.moved();
    }

    /// Something before it failed. A handler is told of only if it was called.
    pub(super) fn blocked(&mut self, id: TaskId, by: TaskId) {
        let shared = Arc::clone(&self.shared);
        let task = &shared.list.tasks[id.index()];
        let mut state = shared.board.state();
        state.schedule.dismiss(id);
        state.pass_over(id, false);
        let me = id;
        let called = task.triggers.iter().any(|id| {
            state
                .ends
                .get(id)
                .is_some_and(|end| end.changed == Some(true) && end.called.calls(me) != Ok(false))
        });
        drop(state);
        self.decided.insert(id);
        if !task.handler || called {
            let reason = Reason::Blocked {
                by: self.task(by).name.clone(),
            };
            self.simply(id, Outcome::Blocked, reason);
        }
        shared.board.moved();
    }

    /// Check mode: it depends on something not known yet.
    pub(super) fn unknown(&mut self, id: TaskId, what: &NotYet) {
        let output = Output {
            changed: Value::NotYet(what.clone()),
            value: Value::NotYet(what.clone()),
            ..Output::default()
        };
        let mut state = self.shared.board.state();
        state.schedule.finish(id, Ended::Done);
        state.outputs[id.index()] = Some(Arc::new(output));
        state.end(
            id,
            End {
                changed: None,
                called: Called::All,
                scope: self.scope(""),
                epoch: UNWRITTEN.to_owned(),
                renews: Vec::new(),
                at: 0,
            },
        );
        drop(state);
        self.decided.insert(id);
        self.simply(
            id,
            Outcome::Unknown,
            Reason::NotKnown {
                what: what.0.clone(),
            },
        );
        self.shared.board.moved();
    }

    /// It failed because its host is away, and bears that.
    pub(super) fn borne(&mut self, id: TaskId, error: TaskError) {
        self.told(id, Outcome::Failed, Reason::Unreachable, Some(error));
    }

    fn simply(&mut self, id: TaskId, outcome: Outcome, reason: Reason) {
        self.told(id, outcome, reason, None);
    }

    /// `borne`: it failed with this, and that is ignored.
    fn told(&mut self, id: TaskId, outcome: Outcome, reason: Reason, borne: Option<TaskError>) {
        let forgiven = borne.as_ref().map(|_| Forgiven::Ignored);
        let task = self.task(id);
        if task.silent || is_mute(task, &reason) {
            return;
        }
        self.count(outcome, &reason, forgiven);
        let event = TaskFinished {
            name: self.task_name(id),
            outcome,
            reason: self.masking.reason(reason),
            changes: Vec::new(),
            error: borne,
            forgiven,
            items: Vec::new(),
            message: None,
            result: None,
            duration_ms: 0,
        };
        self.shared
            .sink
            .event(&Event::TaskFinished(Box::new(event)));
    }

    pub(super) fn unreachable(&mut self, lost: &Lost) {
        let (error, help) = match lost {
            Lost::Host(error) => (error.to_string(), error.help()),
            Lost::Locked(by) => (
                format!("another run holds the lock: {by}"),
                Some("nothing was changed; wait longer for it (`--lock-wait SECONDS`), or end it"),
            ),
            Lost::Aborted => return,
        };
        self.recap.unreachable = true;
        let error = self.masking.text(&error);
        let help = help.map(|help| self.masking.text(help));
        self.shared.sink.event(&Event::HostUnreachable {
            host: self.name.clone(),
            error,
            help,
        });
    }
}

/// Whether a task that does not run for this reason is not told.
fn is_mute(task: &Task, reason: &Reason) -> bool {
    match reason {
        Reason::WhenFalse { condition } => task.mute.contains(condition),
        Reason::NotKnown { what } => task.mute.contains(what),
        Reason::Blocked { .. } | Reason::NotSelected | Reason::Unreachable => task.spare,
        _ => false,
    }
}
