//! What a task's arguments, condition and verdict come to, given the results so far.

use std::{fmt, path::PathBuf, sync::Arc};

use evenkeel_engine::{
    Identity, Judge, Judgement, Map, NotYet, Output, Outputs, Refusal, Registry, Resolve, Resolved,
    Stop, TaskId, Text, Turn, Value,
};

use super::{
    acts::{Acts, Part},
    args::{Failure, Making},
    broken::Broken,
    elsewhere, items, limit,
    made_here::Awaited,
    program::{Condition, Loop, Program},
    store::Store,
};
use crate::{
    template::{Fault, Template, Variable, Variables, lookups, runs},
    vars::{Left, Scope, Written, reached, registered, without_omitted},
};

/// A task on a host.
#[derive(Clone)]
pub(crate) struct Body {
    /// The task, compiled.
    pub(crate) program: Arc<Program>,
    /// All variables but what tasks leave behind.
    pub(crate) scope: Scope,
    /// What earlier tasks leave behind, as far as this one may read it; the last one last.
    pub(crate) written: Vec<Written>,
    /// In a rescue or `always`: the tasks whose failure it may be about, those of the innermost
    /// block first.
    pub(crate) failing: Arc<[Failing]>,
    /// Earlier tasks that end the play for its host, if they are not skipped; and their names.
    pub(crate) ended_by: Arc<[(TaskId, String)]>,
    /// Of a loop that is done in several places, which turns this task has.
    pub(crate) turns: Option<elsewhere::Turns>,
    /// Of a loop whose turns differ in as whom they are done, which turns this task has.
    pub(super) part: Option<Part>,
    /// Where only the run tells as whom it is done: what says it.
    pub(super) acts: Option<Arc<Acts>>,
    /// Tasks that may make files of this machine that this one reads; and their names.
    pub(crate) awaits: Arc<[Awaited]>,
    /// The modules.
    pub(crate) registry: Arc<Registry>,
    /// Local files.
    pub(crate) store: Arc<Store>,
}

/// A task whose failure a rescue may be about.
#[derive(Clone, Debug)]
pub(crate) struct Failing {
    /// The block whose rescue it is.
    pub(crate) block: usize,
    /// Which.
    pub(crate) task: TaskId,
    /// Its name.
    pub(crate) name: String,
    /// Its module.
    pub(crate) action: String,
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({})", self.program.module.value)
    }
}

/// Why a task has no arguments, with the places of what is wrong.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Something comes later.
    NotYet(NotYet),
    /// Mistakes; whether it is sure that the task's turn comes.
    Faults(Vec<Fault>),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Faults(vec![fault])
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotYet(what) => Self::NotYet(what),
            Failure::Faults(faults) => Self::Faults(faults),
        }
    }
}

impl From<NotYet> for Trouble {
    fn from(what: NotYet) -> Self {
        Self::NotYet(what)
    }
}

/// The condition that this has not ended the play, or the role.
pub(super) fn not_ended(name: &str) -> String {
    format!("not ended by `{name}`")
}

/// The first condition that does not hold.
pub(super) fn first_false<'a>(
    conditions: impl Iterator<Item = &'a Condition>,
    variables: &Arc<dyn Variables>,
) -> Result<Option<&'a Condition>, Trouble> {
    let mut later = None;
    for condition in conditions {
        let holds = match condition {
            Condition::Is(value) => Ok(*value),
            // After a condition that is not known, a mistake in the next is not sure to be reached.
            Condition::Expr(template) => match template.holds(variables) {
                Err(_) if later.is_some() => continue,
                other => other?,
            },
        };
        match holds {
            Ok(true) => {}
            Ok(false) => return Ok(Some(condition)),
            Err(_) if crate::expand::is_more(&condition.text()) => {
                return Err(NotYet::new(crate::expand::MORE).into());
            }
            Err(what) => {
                later.get_or_insert(what);
            }
        }
    }
    match later {
        Some(what) => Err(what.into()),
        None => Ok(None),
    }
}

/// What a loop goes over.
pub(crate) fn items_of(found: &Loop, scope: &Scope) -> Result<Vec<Value>, Trouble> {
    let list = found
        .list
        .render(&scope.variables())
        .map_err(|fault| fault.or_at(found.span))?;
    let list = match found.found(list.clone(), scope) {
        None => list,
        Some(found_by) => found_by.map_err(|fault| fault.or_at(found.span))?,
    };
    let around = lookups::Around {
        folders: scope.search_folders(),
        kind: found.folder,
        groups: scope.groups(),
    };
    lookups::of(found.kind, list, &around).map_err(|trouble| match trouble {
        lookups::Trouble::NotYet(what) => Trouble::NotYet(what),
        lookups::Trouble::Wrong(message, help) => Fault::new("not_a_list", message)
            .help(help)
            .or_at(found.span)
            .into(),
    })
}

/// How exact a task is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Care {
    /// As at its turn.
    Strict,
    /// Where its condition is not known yet, as if that held.
    Foresee,
    /// As if its condition held; what cannot be had counts as not known yet.
    Lenient,
}

impl Care {
    /// The first condition that does not hold, as far as it is asked for.
    fn first_false<'a>(
        self,
        conditions: impl Iterator<Item = &'a Condition>,
        variables: &Arc<dyn Variables>,
    ) -> Result<Option<&'a Condition>, Trouble> {
        match (self, first_false(conditions, variables)) {
            (Self::Lenient, _) | (Self::Foresee, Err(Trouble::NotYet(_))) => Ok(None),
            (_, found) => found,
        }
    }
}

impl Body {
    pub(super) fn current(&self, outputs: &dyn Outputs) -> Scope {
        let left = |written: &Written| Left {
            written: written.clone(),
            output: outputs.of(written.task),
        };
        self.scope
            .with_left(self.written.iter().map(left).collect())
            .with_locals(self.failure(outputs))
    }

    /// `ansible_failed_task` and `ansible_failed_result`, if a task failed.
    fn failure(&self, outputs: &dyn Outputs) -> Vec<(String, Value)> {
        let both = |task, result| {
            let names = ["ansible_failed_task", "ansible_failed_result"];
            names
                .map(str::to_owned)
                .into_iter()
                .zip([task, result])
                .collect()
        };
        for block in self.failing.chunk_by(|one, other| one.block == other.block) {
            let mut later = None;
            for failing in block.iter().rev() {
                match outputs.of(failing.task) {
                    Ok(output) if output.failed => {
                        let task = [("name", &failing.name), ("action", &failing.action)];
                        let task = task.map(|(key, text)| (key.to_owned(), text.as_str().into()));
                        return both(Value::Map(task.into()), output.to_value());
                    }
                    Ok(_) => {}
                    Err(what) => later = Some(Value::NotYet(what)),
                }
            }
            if let Some(later) = later {
                return both(later.clone(), later);
            }
        }
        Vec::new()
    }

    /// What has ended the play here.
    fn ended(&self, outputs: &dyn Outputs, care: Care) -> Result<Option<&str>, NotYet> {
        for (task, name) in &*self.ended_by {
            let said = outputs.of(*task).and_then(|output| match &output.value {
                _ if output.skipped || output.failed => Ok(false),
                Value::NotYet(what) => Err(what.clone()),
                _ => Ok(true),
            });
            match said {
                Ok(true) => return Ok(Some(name)),
                Err(what) if care == Care::Strict => return Err(what),
                Ok(false) | Err(_) => {}
            }
        }
        Ok(None)
    }

    /// What of this machine's files is still to be made by others, or would be in a run.
    fn awaited(&self, outputs: &dyn Outputs) -> Option<NotYet> {
        let what = |name: &str| NotYet::new(format!("what `{name}` makes on this machine"));
        self.awaits.iter().find_map(|(task, name)| {
            let Ok(output) = outputs.of(*task) else {
                return Some(what(name));
            };
            let checks = || self.scope.value("ansible_check_mode").ok().flatten();
            let changed = matches!(output.changed, Value::NotYet(_) | Value::Bool(true))
                || matches!(output.value, Value::NotYet(_));
            let foretold = changed && checks() == Some(Value::Bool(true));
            foretold.then(|| what(name))
        })
    }

    /// The task's parts with these results.
    pub(crate) fn make(&self, outputs: &dyn Outputs, care: Care) -> Result<Resolved, Trouble> {
        let made = self.make_now(outputs, care);
        match (self.awaited(outputs), made) {
            (Some(_), Ok(Resolved::Skip(why))) => Ok(Resolved::Skip(why)),
            // Questions about what is there already do no harm.
            (Some(_), Ok(made)) if care != Care::Strict => Ok(made),
            (Some(what), _) => Err(what.into()),
            (None, made) => made,
        }
    }

    fn make_now(&self, outputs: &dyn Outputs, care: Care) -> Result<Resolved, Trouble> {
        match &self.turns {
            Some(turns) if turns.is_spare() => self.make_spare(outputs, care),
            _ => self.make_one(outputs, care),
        }
    }

    fn make_one(&self, outputs: &dyn Outputs, care: Care) -> Result<Resolved, Trouble> {
        if let Some(name) = self.ended(outputs, care)? {
            return Ok(Resolved::Skip(not_ended(name)));
        }
        let scope = self.current(outputs);
        match &self.program.loop_ {
            None => {
                let variables = scope.variables();
                if let Some(found) = care.first_false(self.program.when.iter(), &variables)? {
                    return Ok(Resolved::Skip(found.text()));
                }
                if !self.is_here(&scope, care)? {
                    return Ok(Resolved::Skip(elsewhere::HERE.to_owned()));
                }
                Ok(Resolved::One(self.bound(&scope, care)?))
            }
            Some(found) => self.turns(found, &scope, care),
        }
    }

    /// Whether a task is done on the machine that this one stands for.
    fn is_here(&self, scope: &Scope, care: Care) -> Result<bool, Trouble> {
        match self.turns.as_ref().map(|turns| turns.has(scope)) {
            None => Ok(true),
            Some(Err(Trouble::NotYet(_))) if care == Care::Lenient => Ok(true),
            Some(here) => here,
        }
    }

    /// One more of those that stand for a task of which only the run tells where it is done: nothing is said of it
    /// unless it is the one.
    fn make_spare(&self, outputs: &dyn Outputs, care: Care) -> Result<Resolved, Trouble> {
        let skipped = || Ok(Resolved::Skip(elsewhere::HERE.to_owned()));
        if self.program.loop_.is_none() {
            match self.is_here(&self.current(outputs), care) {
                Ok(true) => {}
                // What is wrong is told by the first of them.
                Ok(false) | Err(Trouble::Faults(_)) => return skipped(),
                Err(Trouble::NotYet(_)) => return Err(NotYet::new(crate::expand::MORE).into()),
            }
        }
        match self.make_one(outputs, care) {
            Ok(Resolved::Skip(_)) => skipped(),
            Err(Trouble::NotYet(_)) => Err(NotYet::new(crate::expand::MORE).into()),
            made => made,
        }
    }

    fn bound(&self, scope: &Scope, care: Care) -> Result<Arc<dyn evenkeel_engine::Bound>, Trouble> {
        let bound = self.making(scope, care)?.bound()?;
        match limit::of(&self.program, &scope.variables()) {
            Ok(limit) => Ok(limit::bounded(bound, limit)),
            Err(_) if care == Care::Lenient => Ok(bound),
            Err(trouble) => Err(trouble),
        }
    }

    pub(super) fn making<'a>(
        &'a self,
        scope: &'a Scope,
        care: Care,
    ) -> Result<Making<'a>, Trouble> {
        let program = match &self.program.chosen {
            None => Arc::clone(&self.program),
            Some(chosen) => chosen.program(&self.program.module, scope, &self.registry)?,
        };
        let name = &program.module.value;
        let Some(module) = self.registry.get(name) else {
            let fault = Fault::new("unknown_module", format!("there is no module `{name}`"));
            return Err(fault.or_at(program.module.span).into());
        };
        Ok(Making {
            program,
            module,
            store: &self.store,
            scope,
            lenient: care == Care::Lenient,
        })
    }

    /// Conditions about each item, and those about the whole task.
    pub(super) fn conditions(&self, found: &Loop) -> (Vec<&Condition>, Vec<&Condition>) {
        let about_item = |condition: &&Condition| {
            condition.template().is_some_and(|template| {
                let mut reads = false;
                reached(&self.scope, template, &mut |template| {
                    reads |= template.uses().names().any(|used| found.has(&used.name));
                });
                reads
            })
        };
        self.program.when.iter().partition(about_item)
    }

    /// Whether it is `set_fact`: a turn of a loop sees what those before it set.
    pub(super) fn sets(&self) -> bool {
        let module = self.registry.get(&self.program.module.value);
        module.is_some_and(|module| module.name() == "set_fact")
    }

    fn turns(&self, found: &Loop, scope: &Scope, care: Care) -> Result<Resolved, Trouble> {
        let variables = scope.variables();
        let (of_items, of_task) = self.conditions(found);
        if let Some(no) = care.first_false(of_task.into_iter(), &variables)? {
            return Ok(self.passed_over(found, scope, no.text()));
        }
        let items = items_of(found, scope)?;
        let mut scope = scope.clone();
        let mut turns = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let own = found.turn(&scope, index, &items);
            if !self.has_turn(&own)? {
                continue;
            }
            match self.turn(found, &own, &of_items, item.clone(), care) {
                Ok((turn, set)) => {
                    // `list: "{{ list | default([]) + [item] }}"`: a turn sees what those before it set.
                    scope = scope.with_locals(set);
                    turns.push(turn);
                }
                // That turn fails, the others have theirs.
                Err(Trouble::Faults(faults)) if care == Care::Strict => {
                    turns.push(self.broken_turn(item, faults));
                }
                Err(trouble) => return Err(trouble),
            }
        }
        let late = self.turns.as_ref().is_some_and(elsewhere::Turns::is_late);
        let spare = self.turns.as_ref().is_some_and(elsewhere::Turns::is_spare);
        if turns.is_empty() && (spare || late && !items.is_empty()) {
            return Ok(Resolved::Skip(elsewhere::HERE.to_owned()));
        }
        Ok(Resolved::Loop(turns))
    }

    /// Whether a turn with these variables is one of this task.
    fn has_turn(&self, scope: &Scope) -> Result<bool, Trouble> {
        let here = self.turns.as_ref().map(|turns| turns.has(scope));
        if here.transpose()? == Some(false) {
            return Ok(false);
        }
        self.part.as_ref().map_or(Ok(true), |part| part.has(scope))
    }

    /// A loop that is skipped; its result has all items, if they can be told.
    fn passed_over(&self, found: &Loop, scope: &Scope, condition: String) -> Resolved {
        let noted = condition.starts_with(crate::expand::NOTE);
        if self.program.register.is_none() || noted || self.turns.is_some() {
            return Resolved::Skip(condition);
        }
        let Ok(items) = items_of(found, scope) else {
            return Resolved::Skip(condition);
        };
        let mut turns = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let own = found.turn(scope, index, &items);
            if !matches!(self.has_turn(&own), Ok(true)) {
                continue;
            }
            let label = found.label.as_ref();
            let label = label.and_then(|label| label.render(&own.variables()).ok());
            turns.push(Turn {
                label: items::label(label.as_ref().unwrap_or(item)),
                item: item.clone(),
                body: Err(condition.clone()),
            });
        }
        if turns.is_empty() {
            return Resolved::Skip(condition);
        }
        Resolved::Loop(turns)
    }

    fn turn(
        &self,
        found: &Loop,
        scope: &Scope,
        conditions: &[&Condition],
        item: Value,
        care: Care,
    ) -> Result<(Turn, Map), Trouble> {
        let variables = scope.variables();
        let no = care.first_false(conditions.iter().copied(), &variables)?;
        let body = match no {
            Some(no) => Err(no.text()),
            None => Ok(self.bound(scope, care)?),
        };
        let label = match &found.label {
            Some(label) => label.render(&variables)?,
            None => item.clone(),
        };
        let set = if self.sets() && body.is_ok() {
            self.making(scope, care)?.values()?
        } else {
            Map::new()
        };
        let label = items::label(&label);
        Ok((Turn { label, item, body }, set))
    }

    /// A turn whose condition, arguments or label cannot be made.
    fn broken_turn(&self, item: &Value, faults: Vec<Fault>) -> Turn {
        let refusal = match self.stop(Trouble::Faults(faults)) {
            Stop::Refused(refusal) => refusal,
            Stop::NotYet(what) => Refusal::new(what.to_string()),
        };
        Turn {
            label: items::label(item),
            item: item.clone(),
            body: Ok(Arc::new(Broken {
                module: self.module(),
                refusal,
            })),
        }
    }

    /// The name of its module, as far as that is known.
    fn module(&self) -> &'static str {
        let module = self.registry.get(&self.program.module.value);
        module.map_or("", evenkeel_engine::AnyModule::name)
    }

    /// The environment of its programs; what stands further in wins.
    pub(crate) fn programs_environment(
        &self,
        outputs: &dyn Outputs,
    ) -> Result<Vec<(String, Text)>, Trouble> {
        let mut all: Vec<(String, Text)> = Vec::new();
        if self.program.environment.is_empty() {
            return Ok(all);
        }
        let variables = self.current(outputs).variables();
        for (tree, span) in &self.program.environment {
            let wrong = |message: String| Fault::new("wrong_type", message).or_at(*span);
            let value = tree
                .render(&variables)
                .map_err(|fault| fault.or_at(*span))?;
            let map = match without_omitted(value) {
                None => continue,
                Some(Value::Map(map)) => map,
                Some(Value::Seq(maps)) if maps.iter().all(|map| matches!(map, Value::Map(_))) => {
                    let maps = maps.into_iter().filter_map(|map| match map {
                        Value::Map(map) => Some(map),
                        _ => None,
                    });
                    maps.flatten().collect()
                }
                Some(Value::NotYet(what)) => return Err(what.into()),
                Some(other) => {
                    let message = format!("`environment` wants a map, found {}", other.kind());
                    return Err(wrong(message).into());
                }
            };
            for (name, value) in map {
                let text = match value {
                    Value::Secret(secret) => Text::Secret(secret),
                    Value::NotYet(what) => return Err(what.into()),
                    Value::Null => Text::Plain("None".to_owned()),
                    value => Text::Plain(value.as_text().ok_or_else(|| {
                        wrong(format!("`{name}` of `environment` is {}", value.kind()))
                    })?),
                };
                all.retain(|(other, _)| *other != name);
                all.push((name, text));
            }
        }
        Ok(all)
    }

    /// What may be read when a result is judged, that of one turn of a loop.
    pub(super) fn judging(
        &self,
        result: Option<&Output>,
        turn: Option<(usize, &Value)>,
        outputs: &dyn Outputs,
    ) -> Result<Arc<dyn Variables>, Stop> {
        let program = &self.program;
        let mut scope = self.current(outputs);
        if let (Some(found), Some((index, item))) = (&program.loop_, turn) {
            let items = if found.names.extended {
                items_of(found, &scope).map_err(|trouble| self.stop(trouble))?
            } else {
                Vec::new()
            };
            scope = found.turn(&scope, index, &items);
            scope = scope.with_locals([(found.names.var.clone(), item.clone())]);
        }
        let (Some(name), Some(result)) = (&program.register, result) else {
            return Ok(scope.variables());
        };
        scope = scope.with_locals([(name.clone(), result.to_value())]);
        let variables = scope.variables();
        if matches!(result.value, Value::NotYet(_)) {
            return Ok(Arc::new(Foretold {
                name: name.clone(),
                result: registered(result),
                others: variables,
            }));
        }
        Ok(variables)
    }

    /// Evaluates something; at the task's turn, lookups that run programs may do so, but not in a plan.
    pub(super) fn at_turn<T>(&self, outputs: &dyn Outputs, evaluate: impl FnOnce() -> T) -> T {
        let plans = || self.scope.value("ansible_check_mode").ok().flatten();
        let turn = outputs.is_turn() && plans() != Some(Value::Bool(true));
        runs::may_run(turn, evaluate)
    }

    /// For the engine: mistakes become the task's failure.
    pub(super) fn stop(&self, trouble: Trouble) -> Stop {
        match trouble {
            Trouble::NotYet(what) => Stop::NotYet(what),
            Trouble::Faults(faults) => match faults.first() {
                Some(fault) => self.store.with_files(|files| fault.stop(files)),
                None => Stop::refused("its arguments cannot be made"),
            },
        }
    }
}

impl Resolve for Body {
    fn resolve(&self, outputs: &dyn Outputs) -> Result<Resolved, Stop> {
        self.at_turn(outputs, || self.make(outputs, Care::Strict))
            .map_err(|trouble| self.stop(trouble))
    }

    fn foresee(&self, outputs: &dyn Outputs) -> Result<Resolved, Stop> {
        self.make(outputs, Care::Foresee)
            .map_err(|trouble| self.stop(trouble))
    }

    fn identity(&self, outputs: &dyn Outputs) -> Result<Option<Identity>, Stop> {
        let Some(acts) = &self.acts else {
            return Ok(None);
        };
        let identity = self.at_turn(outputs, || acts.identity(&self.current(outputs)));
        identity.map(Some).map_err(|trouble| self.stop(trouble))
    }

    fn environment(&self, outputs: &dyn Outputs) -> Result<Option<Vec<(String, Text)>>, Stop> {
        let environment = self.at_turn(outputs, || self.programs_environment(outputs));
        environment.map(Some).map_err(|trouble| self.stop(trouble))
    }
}

/// `changed_when` and `failed_when` of a task on a host.
#[derive(Clone, Debug)]
pub(crate) struct Verdict(pub Body);

impl Verdict {
    fn all(
        &self,
        conditions: &[Condition],
        variables: &Arc<dyn Variables>,
    ) -> Result<Option<bool>, Stop> {
        if conditions.is_empty() {
            return Ok(None);
        }
        match first_false(conditions.iter(), variables) {
            Ok(found) => Ok(Some(found.is_none())),
            Err(trouble) => Err(self.0.stop(trouble)),
        }
    }
}

impl Judge for Verdict {
    fn always_changed(&self) -> Option<bool> {
        let conditions = &self.0.program.changed_when;
        if conditions
            .iter()
            .any(|condition| matches!(condition, Condition::Is(false)))
        {
            return Some(false);
        }
        let constant = !conditions.is_empty()
            && conditions
                .iter()
                .all(|condition| matches!(condition, Condition::Is(true)));
        constant.then_some(true)
    }

    fn judges_failure(&self) -> bool {
        !self.0.program.failed_when.is_empty()
    }

    fn judge(
        &self,
        result: &Output,
        turn: Option<(usize, &Value)>,
        outputs: &dyn Outputs,
    ) -> Result<Judgement, Stop> {
        self.0
            .at_turn(outputs, || self.judged(result, turn, outputs))
    }
}

impl Verdict {
    fn judged(
        &self,
        result: &Output,
        turn: Option<(usize, &Value)>,
        outputs: &dyn Outputs,
    ) -> Result<Judgement, Stop> {
        let program = &self.0.program;
        let open = matches!(result.value, Value::NotYet(_));
        let variables = self.0.judging(Some(result), turn, outputs)?;
        let failed = match self.all(&program.failed_when, &variables) {
            // It is foretold to go well.
            Err(Stop::NotYet(_)) if open => None,
            failed => failed?,
        };
        Ok(Judgement {
            changed: self.all(&program.changed_when, &variables)?,
            failed,
        })
    }
}

/// Variables, and a result of which not all is known yet.
struct Foretold {
    name: String,
    result: Variable,
    others: Arc<dyn Variables>,
}

impl Variables for Foretold {
    fn get(&self, name: &str) -> Result<Option<Variable>, Fault> {
        if name == self.name {
            return Ok(Some(self.result.clone()));
        }
        self.others.get(name)
    }

    fn names(&self) -> Vec<String> {
        self.others.names()
    }

    fn is_of_people(&self, template: &Template) -> bool {
        let names = template.uses().names();
        names.into_iter().all(|used| used.name != self.name) && self.others.is_of_people(template)
    }

    fn folders(&self) -> Vec<PathBuf> {
        self.others.folders()
    }
}
