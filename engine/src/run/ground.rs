//! What a decision stands on: who called, which arguments and environment a task has, its name in
//! the ledger.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    board::{State, listener_name},
    decide::{Call, Decision, Ground},
    decided::{Decided, Fate, Item},
    drive::Loop,
    known::Known,
    walk::Results,
};
use crate::{
    identity::Identity,
    late::NotYet,
    ledger::Scope,
    module::{Refusal, Stop},
    reason::Reason,
    task::{Resolved, Task, TaskId},
    thing::Thing,
    value::Value,
};

impl Loop {
    /// Decides one task on what is (or is foretold to be) known. `early`: long before its turn, to
    /// learn what it wants to ask.
    pub(super) fn decide(
        &mut self,
        id: TaskId,
        state: &State,
        known: &Known,
        early: bool,
    ) -> Decision {
        let shared = Arc::clone(&self.shared);
        let task = &shared.list.tasks[id.index()];
        if !task.selected && !task.handler {
            return Self::unselected(id);
        }
        let (call, serves, pays) = if early {
            (Call::None, Vec::new(), false)
        } else {
            self.call(id, task, state)
        };
        let is_called = matches!(call, Call::Called(_));
        let renewed = is_called.then(|| self.renewed(id, task, state));
        let called = match call {
            Call::NotYet(what) => return Decision::NotYet(what),
            Call::Called(reason) => Some(reason),
            Call::None if task.handler && !early => return Decision::Quiet,
            Call::None => None,
        };
        let resolved = match self.resolve(id, state, !early && task.at_turn) {
            Ok(resolved) => resolved,
            Err(Stop::NotYet(what)) => match early.then(|| self.foresee_arguments(id, state)) {
                Some(Ok(resolved)) => resolved,
                _ => return Decision::NotYet(what),
            },
            Err(Stop::Refused(refusal)) => return Self::refused(id, refusal),
        };
        let (environment, identity) = match self.around(id, &resolved, state, early) {
            Ok(both) => both,
            Err(Stop::NotYet(what)) => return Decision::NotYet(what),
            Err(Stop::Refused(refusal)) => return Self::refused(id, refusal),
        };
        let who = self.who(&identity);
        if early || !self.resolved.contains_key(&id) {
            self.learn_secrets(&resolved, &environment);
        }
        let scope = self.scope("");
        let mut keys = std::mem::take(&mut self.keys);
        let mut used = std::mem::take(&mut self.used);
        let decision = {
            let key = std::cell::RefCell::new((&mut keys, &mut used));
            let masking = &self.masking;
            let named = |wanted: &str| {
                let wanted = &masking.text(wanted);
                let (keys, used) = &mut *key.borrow_mut();
                // Early looks come in listed order too, so that the ordinals are those of the list.
                let name = keys.entry(id).or_insert_with(|| ordinal(used, wanted));
                Scope {
                    task: name.clone(),
                    ..scope.clone()
                }
            };
            let ground = Ground {
                task,
                id,
                who,
                user: identity.user.as_deref(),
                resolved,
                environment,
                known,
                identities: self.identities.len(),
                ledger: &self.ledger,
                scope: Box::new(named),
                called,
                renewed: renewed.unwrap_or_default(),
                diff: self.shared.options.diff,
                serves,
                pays,
                blurred: task.needs.iter().any(|need| self.blurred.contains(need)),
                had: if early { 0 } else { self.turns_had(id) },
            };
            ground.decide()
        };
        let decision = match (decision, self.apart.get(&id)) {
            (Decision::Decided(decided), Some(joined)) => {
                Decision::Decided(Box::new(decided.with_what_was_done(joined)))
            }
            (decision, _) => decision,
        };
        (self.keys, self.used) = (keys, used);
        self.note_questions(id, &decision);
        decision
    }

    fn note_questions(&mut self, id: TaskId, decision: &Decision) {
        match decision {
            Decision::Ask(questions) => {
                self.asked
                    .entry(id)
                    .or_default()
                    .extend(questions.iter().cloned());
            }
            Decision::Decided(decided) => {
                self.asked.insert(id, decided.asked.clone());
            }
            _ => {}
        }
    }

    fn unselected(id: TaskId) -> Decision {
        Decision::Decided(Box::new(Decided {
            task: id,
            who: 0,
            scope: None,
            print: None,
            reason: Reason::NotSelected,
            items: vec![Item {
                label: None,
                value: Value::Null,
                bound: None,
                fate: Fate::Skip,
                reason: Reason::NotSelected,
                rehearsed: None,
            }],
            looped: false,
            serves: Vec::new(),
            pays: false,
            asked: Vec::new(),
            environment: Vec::new(),
            shown: Vec::new(),
        }))
    }

    pub(super) fn refused(id: TaskId, refusal: Refusal) -> Decision {
        let Decision::Decided(mut decided) = Self::unselected(id) else {
            unreachable!()
        };
        decided.reason = Reason::Differs;
        decided.items[0].fate = Fate::Refuse(refusal);
        decided.items[0].reason = Reason::Differs;
        Decision::Decided(decided)
    }

    /// The condition and arguments; kept once they cannot change any more.
    pub(super) fn resolve(
        &mut self,
        id: TaskId,
        state: &State,
        turn: bool,
    ) -> Result<Resolved, Stop> {
        if let Some(resolved) = self.resolved.get(&id) {
            return Ok(resolved.clone());
        }
        let task = self.task(id);
        let results = Results {
            state,
            list: &self.shared.list,
            turn,
        };
        let resolved = task.body.resolve(&results)?;
        // At its turn what it needs has ended; what it runs to know is run once for each of its tries.
        let settled = task.needs.is_empty() || turn;
        if settled && task.pace.is_none() && is_whole(&resolved) {
            self.resolved.insert(id, resolved.clone());
        }
        Ok(resolved)
    }

    /// The arguments of a task whose condition is not known yet.
    pub(super) fn foresee_arguments(&self, id: TaskId, state: &State) -> Result<Resolved, Stop> {
        let list = &self.shared.list;
        let turn = false;
        self.task(id).body.foresee(&Results { state, list, turn })
    }

    /// The environment of a task's programs, and as whom it is done.
    fn around(
        &self,
        id: TaskId,
        resolved: &Resolved,
        state: &State,
        early: bool,
    ) -> Result<(Vec<(String, crate::Text)>, Identity), Stop> {
        let turn = !early && self.task(id).at_turn;
        let environment = match self.environment(id, state, turn) {
            // What is asked of the host does not depend on it.
            Err(Stop::NotYet(_)) if early => Vec::new(),
            environment => environment?,
        };
        Ok((environment, self.identity(id, resolved, state, turn)?))
    }

    /// As whom a task is done.
    fn identity(
        &self,
        id: TaskId,
        resolved: &Resolved,
        state: &State,
        turn: bool,
    ) -> Result<Identity, Stop> {
        let task = self.task(id);
        if matches!(resolved, Resolved::Skip(_)) {
            return Ok(task.identity.clone());
        }
        let list = &self.shared.list;
        let late = task.body.identity(&Results { state, list, turn })?;
        Ok(late.unwrap_or_else(|| task.identity.clone()))
    }

    /// The environment of a task's programs.
    fn environment(
        &self,
        id: TaskId,
        state: &State,
        turn: bool,
    ) -> Result<Vec<(String, crate::Text)>, Stop> {
        let task = self.task(id);
        let list = &self.shared.list;
        let late = task.body.environment(&Results { state, list, turn })?;
        Ok(late.unwrap_or_else(|| task.environment.clone()))
    }

    fn learn_secrets(&mut self, resolved: &Resolved, environment: &[(String, crate::Text)]) {
        let mut secrets = Vec::new();
        let mut of = |bound: &Arc<dyn crate::module::Bound>| secrets.extend(bound.args().secrets());
        match resolved {
            Resolved::Skip(_) => {}
            Resolved::One(bound) => of(bound),
            Resolved::Loop(turns) => turns
                .iter()
                .filter_map(|t| t.body.as_ref().ok())
                .for_each(of),
        }
        secrets.extend(environment.iter().filter_map(|(_, text)| match text {
            crate::Text::Secret(secret) => Some(secret.clone()),
            crate::Text::Plain(_) => None,
        }));
        self.masking.learn(secrets);
    }

    /// Whether something that the task listens to changed, in this run or in one that died.
    fn call(
        &self,
        me_id: TaskId,
        task: &Task,
        state: &State,
    ) -> (Call, Vec<(Scope, String)>, bool) {
        if task.triggers.is_empty() && task.heeds.is_empty() && !task.handler {
            return (Call::None, Vec::new(), false);
        }
        let me = self.scope(&listener_name(task));
        let (mut reason, mut serves, mut unknown) = (None, BTreeMap::new(), None);
        for id in task.triggers.iter().chain(&task.heeds) {
            let Some(end) = state.ends.get(id) else {
                continue;
            };
            let triggers = task.triggers.contains(id);
            let name = &self.task(*id).name;
            let calls = end.called.calls(me_id);
            // What an earlier run owes is paid, whomever this change calls.
            let owed = || {
                self.owing
                    .get(&me.task)
                    .is_some_and(|of| of.contains(&end.scope))
            };
            match end.changed {
                Some(true) if triggers && calls.is_err() => {
                    unknown = calls.err().cloned();
                }
                Some(true) if triggers && calls == Ok(false) && !owed() => {}
                None if triggers => {
                    unknown = Some(NotYet(format!("whether `{name}` changes something")));
                }
                Some(true) if !self.has_served(state, &me, &end.scope, &end.epoch) => {
                    serves.insert(end.scope.clone(), end.epoch.clone());
                    if triggers && reason.is_none() {
                        reason = Some(Reason::Triggered { by: name.clone() });
                    }
                }
                _ => {}
            }
        }
        let mut pays = false;
        let owed = self.owing.get(&me.task).into_iter().flatten();
        for (scope, record) in owed.filter_map(|scope| self.ledger.records.get_key_value(scope)) {
            let epoch = record.epoch.clone().unwrap_or_default();
            if self.has_served(state, &me, scope, &epoch) {
                continue;
            }
            pays = true;
            serves.entry(scope.clone()).or_insert(epoch);
            let listens = self.listens(task, scope);
            if listens && reason.is_none() {
                let (by, since) = (record.name.clone(), record.at.clone());
                reason = Some(Reason::Owed { by, since });
            }
        }
        for (scope, record) in self.shared.board.changed_abroad(&me.task, &self.name) {
            let epoch = record.epoch.clone().unwrap_or_default();
            let now = state.served.get(&me);
            let now = now.is_some_and(|tasks| tasks.contains_key(&scope));
            if now || self.has_served(state, &me, &scope, &epoch) {
                continue;
            }
            pays = true;
            serves.entry(scope.clone()).or_insert(epoch);
            if self.listens(task, &scope) && reason.is_none() {
                let (by, since) = (record.name, record.at);
                reason = Some(Reason::Owed { by, since });
            }
        }
        let call = match (reason, unknown) {
            (Some(reason), _) => Call::Called(reason),
            (None, Some(what)) => Call::NotYet(what),
            (None, None) => Call::None,
        };
        (call, serves.into_iter().collect(), pays)
    }

    /// What this run has begun anew on this host since the last task changed something that calls
    /// this one.
    fn renewed(&self, id: TaskId, task: &Task, state: &State) -> Vec<Thing> {
        let ends = task.triggers.iter().filter_map(|id| state.ends.get(id));
        let changed =
            ends.filter(|end| end.changed == Some(true) && end.called.calls(id) != Ok(false));
        let since = changed.map(|end| end.at).max().unwrap_or_default();
        let renewed = state.renewed_since(since, |id| self.task(id).host == task.host);
        renewed.cloned().collect()
    }

    /// Whether a change of another task makes this one run, and is not only read by it.
    fn listens(&self, task: &Task, to: &Scope) -> bool {
        let is_it = |id: &&TaskId| self.keys.get(id) == Some(&to.task);
        let heeded = task.heeds.iter().find(is_it);
        match heeded {
            Some(id) => task.triggers.contains(id),
            None if task.triggers.is_empty() => task.handler && task.heeds.is_empty(),
            None => true,
        }
    }

    /// Whether a listener has had its turn for an epoch, or a later one, in this run or an earlier.
    fn has_served(&self, state: &State, me: &Scope, task: &Scope, epoch: &String) -> bool {
        let now = state.served.get(me).and_then(|tasks| tasks.get(task));
        let then = || self.ledger.served.get(me).and_then(|tasks| tasks.get(task));
        now.is_some_and(|now| now == epoch || self.ledger.epoch(task) == Some(epoch))
            || then() == Some(epoch)
    }
}

fn ordinal(used: &mut BTreeMap<String, usize>, wanted: &str) -> String {
    let count = used.entry(wanted.to_owned()).or_default();
    *count += 1;
    if *count == 1 {
        wanted.to_owned()
    } else {
        format!("{wanted} #{count}")
    }
}

fn is_whole(resolved: &Resolved) -> bool {
    match resolved {
        Resolved::Skip(_) => true,
        Resolved::One(bound) => bound.args().first_not_yet().is_none(),
        Resolved::Loop(turns) => turns
            .iter()
            .filter_map(|turn| turn.body.as_ref().ok())
            .all(|bound| bound.args().first_not_yet().is_none()),
    }
}
