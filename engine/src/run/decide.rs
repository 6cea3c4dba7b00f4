//! Deciding one task: what it turned out to be, what it would do, and why. Pure.

use std::{borrow::Cow, collections::BTreeSet, sync::Arc};

use super::{
    decided::{Decided, Fate, Item},
    known::{Known, Who},
    shape::touches,
};
use crate::{
    effects,
    fingerprint::Fingerprint,
    identity::Identity,
    late::NotYet,
    ledger::{Ledger, Record, Scope},
    module::{Bound, Nature, Refusal, Stop},
    probe::{AnyProbe, Key},
    probes::{Contents, Digest, Whoami},
    reason::Reason,
    secret::Text,
    seen::{Past, Seen},
    step::{Action, Cause, Diff, Plan},
    task::{Resolved, Task, TaskId},
    thing::Thing,
    value::{Map, Value},
};

/// What became of a look at one task.
pub(super) enum Decision {
    /// A handler that nobody notified: nothing is said of it.
    Quiet,
    /// Decided; it may have steps to take.
    Decided(Box<Decided>),
    /// Something has to be asked first.
    Ask(Vec<Question>),
    /// Something comes later in this run.
    NotYet(NotYet),
}

/// A probe as somebody.
pub(super) type Question = (Who, Arc<dyn AnyProbe>);

/// What a task asks, each question once.
#[derive(Default)]
struct Asked {
    questions: Vec<Question>,
    keys: BTreeSet<Key>,
}

/// How listeners stand to what they listen to.
pub(super) enum Call {
    /// Nobody called.
    None,
    /// Called, and why.
    Called(Reason),
    /// Whether one of them changed something is not known yet.
    NotYet(NotYet),
}

/// All that a decision is made of.
pub(super) struct Ground<'a> {
    pub(super) task: &'a Task,
    pub(super) id: TaskId,
    pub(super) who: Who,
    /// The user that it becomes.
    pub(super) user: Option<&'a str>,
    pub(super) resolved: Resolved,
    pub(super) environment: Vec<(String, Text)>,
    pub(super) known: &'a Known,
    pub(super) identities: usize,
    pub(super) ledger: &'a Ledger,
    pub(super) scope: Box<dyn Fn(&str) -> Scope + 'a>,
    /// Why it is called as a listener.
    pub(super) called: Option<Reason>,
    /// What was begun anew since.
    pub(super) renewed: Vec<Thing>,
    pub(super) diff: bool,
    /// Results of the ledger of a `once` command may be used.
    pub(super) serves: Vec<(Scope, String)>,
    pub(super) pays: bool,
    /// Results that it uses were foretold after a program that may write anything.
    pub(super) blurred: bool,
    /// So many of its turns are over, where they are taken one by one.
    pub(super) had: usize,
}

impl Ground<'_> {
    /// Decides a task whose condition and arguments are resolved.
    pub(super) fn decide(self) -> Decision {
        if let Resolved::Skip(condition) = &self.resolved {
            let condition = condition.clone();
            let reason = Reason::WhenFalse { condition };
            let items = vec![skipped(None, Value::Null, reason.clone())];
            return self.done(None, None, reason, items, false);
        }
        let (turns, looped) = turns(&self.resolved);
        let bounds: Vec<_> = turns
            .iter()
            .filter_map(|turn| turn.2.as_ref().ok())
            .collect();
        let scope = (self.scope)(&self.key(&bounds, looped));
        let record = self.ledger.records.get(&scope);
        let reads = match self.digests_of_reads(bounds.first().map(AsRef::as_ref)) {
            Ok(reads) => reads,
            Err(questions) => return Decision::Ask(questions),
        };
        let print = self.print(&turns_args(&bounds, looped), bounds.first(), reads);
        let before = Before {
            record,
            past: past(record, print.as_ref()),
            print: print.as_ref(),
        };
        let mut asked = Asked::default();
        let items = match self.items(turns, &before, &mut asked) {
            Ok(items) => items,
            Err(decision) => return decision,
        };
        if let Some(questions) = self.contents_for_diffs(&items, &mut asked.questions) {
            return Decision::Ask(questions);
        }
        let telling = |item: &&Item| matches!(item.fate, Fate::Act(_) | Fate::Refuse(_));
        let reason = match items.iter().find(telling).or(items.first()) {
            Some(item) => item.reason.clone(),
            None => Reason::InState,
        };
        let mut decision = self.done(Some(scope), print, reason, items, looped);
        if let Decision::Decided(decided) = &mut decision {
            decided.asked = asked.questions;
        }
        decision
    }

    /// One item for each turn, or what has to be known first.
    fn items(
        &self,
        turns: Vec<Turned>,
        before: &Before<'_>,
        asked: &mut Asked,
    ) -> Result<Vec<Item>, Decision> {
        // What earlier turns will do is laid over what is known.
        let mut known = Cow::Borrowed(self.known);
        let last = turns.len().saturating_sub(1);
        let (mut items, mut missing) = (Vec::new(), Vec::new());
        for (at, (label, value, body)) in turns.into_iter().enumerate() {
            let bound = match body {
                Ok(bound) => bound,
                Err(condition) => {
                    items.push(skipped(label, value, Reason::WhenFalse { condition }));
                    continue;
                }
            };
            if let Some(refusal) = bound.broken() {
                items.push(broken(label, value, refusal));
                continue;
            }
            let decided = if at < self.had {
                Ok((Fate::Later, Reason::InState))
            } else {
                self.one(&bound, &known, before, asked)
            };
            let (fate, reason) = match decided {
                Ok(decided) => decided,
                Err(Decision::Ask(open)) => {
                    missing.extend(open);
                    continue;
                }
                // Once the turns before it are over it is known.
                Err(Decision::NotYet(what)) if matches!(known, Cow::Owned(_)) => {
                    (Fate::Hangs(what), Reason::Differs)
                }
                Err(decision) => return Err(decision),
            };
            if let Fate::Act(plan) = &fate
                && at < last
            {
                let known = known.to_mut();
                foretell(known, self.who, self.identities, plan, self.task, &bound);
            }
            items.push(Item {
                label,
                value,
                bound: Some(bound),
                fate,
                reason,
                rehearsed: None,
            });
        }
        if missing.is_empty() {
            Ok(items)
        } else {
            Err(Decision::Ask(missing))
        }
    }

    /// What is to become of one turn, or what has to be known first.
    fn one(
        &self,
        bound: &Arc<dyn Bound>,
        known: &Known,
        before: &Before<'_>,
        asked: &mut Asked,
    ) -> Result<(Fate, Reason), Decision> {
        let (seen, open) = self
            .look(bound.as_ref(), known, before, asked)
            .map_err(Decision::NotYet)?;
        if open.is_empty() {
            self.fate(bound, &seen, before).map_err(Decision::NotYet)
        } else {
            Err(Decision::Ask(open))
        }
    }

    fn done(
        self,
        scope: Option<Scope>,
        print: Option<Fingerprint>,
        reason: Reason,
        items: Vec<Item>,
        looped: bool,
    ) -> Decision {
        Decision::Decided(Box::new(Decided {
            task: self.id,
            who: self.who,
            scope,
            print,
            reason,
            items,
            looped,
            serves: self.serves,
            pays: self.pays,
            asked: Vec::new(),
            environment: self.environment,
            shown: Vec::new(),
        }))
    }

    /// The task's name in the ledger: its `id`, else module and subject.
    fn key(&self, bounds: &[&Arc<dyn Bound>], looped: bool) -> String {
        match (&self.task.id, bounds.first()) {
            (Some(id), _) => id.clone(),
            (None, Some(bound)) if !looped => {
                let mut subject = bound.subject();
                if self.task.no_log && bound.nature() == Nature::Command {
                    // The subject of a command is its line: an argument like others.
                    let digest = crate::source::sha256(subject.as_bytes());
                    subject = crate::source::hex(&digest[..8]);
                }
                format!("{} {subject}", bound.module())
            }
            (None, _) => format!("{} loop {}", self.task.module, self.task.name),
        }
    }

    /// What else than its arguments decides what a task does.
    fn print(
        &self,
        args: &Value,
        bound: Option<&&Arc<dyn Bound>>,
        reads: Vec<(String, Value)>,
    ) -> Option<Fingerprint> {
        let mut extras = Vec::new();
        if let Some(user) = self.user {
            extras.push(("become_user", Value::from(user)));
        }
        let environment: Map = self
            .environment
            .iter()
            .map(|(name, text)| {
                let value = match text {
                    Text::Plain(text) => text.as_str().into(),
                    Text::Secret(secret) => Value::Secret(secret.clone()),
                };
                (name.clone(), value)
            })
            .collect();
        if !environment.is_empty() {
            extras.push(("environment", Value::Map(environment)));
        }
        let files: Vec<(String, Value)> = reads
            .into_iter()
            .map(|(path, digest)| (format!("file:{path}"), digest))
            .collect();
        extras.extend(
            files
                .iter()
                .map(|(name, digest)| (name.as_str(), digest.clone())),
        );
        let module = bound.map_or(self.task.module.as_str(), |bound| bound.module());
        Fingerprint::of(module, args, &extras, &self.ledger.key)
    }

    /// For a `once` command: digests of the files that it says it reads.
    fn digests_of_reads(
        &self,
        bound: Option<&dyn Bound>,
    ) -> Result<Vec<(String, Value)>, Vec<Question>> {
        let command = bound.is_some_and(|bound| bound.nature() == Nature::Command);
        let reads = if command && self.task.once {
            self.task.reads.as_deref()
        } else {
            None
        };
        let (mut digests, mut questions) = (Vec::new(), Vec::new());
        for path in reads
            .unwrap_or_default()
            .iter()
            .filter_map(|thing| match thing {
                Thing::Path(path) => Some(path),
                _ => None,
            })
        {
            let probe = Digest(path.clone());
            match self.known.get(self.who, &AnyProbe::key(&probe)) {
                None => questions.push((self.who, crate::probe::ask(probe))),
                Some(answer) => {
                    let digest = crate::probe::downcast::<Digest>(answer)
                        .ok()
                        .copied()
                        .flatten();
                    let text = digest.map(|sha| crate::source::hex(&sha));
                    digests.push((path.clone(), text.into()));
                }
            }
        }
        if questions.is_empty() {
            Ok(digests)
        } else {
            Err(questions)
        }
    }

    /// What the module may see, and what has to be asked for it first.
    fn look(
        &self,
        bound: &dyn Bound,
        known: &Known,
        before: &Before<'_>,
        asked: &mut Asked,
    ) -> Result<(Seen, Vec<Question>), NotYet> {
        let witness = before.record.and_then(|record| record.witness.clone());
        let mut seen = Seen::with_past(before.past, witness)
            .called(self.called.is_some())
            .and_renewed(self.renewed.clone());
        let mut open = Vec::new();
        let me = crate::probe::ask(Whoami);
        // Three rounds of answers, and one to see that nothing more is wanted.
        for _ in 0..4 {
            let mut more = false;
            for probe in bound.observe(&seen).into_iter().chain([Arc::clone(&me)]) {
                let key = probe.key();
                if seen.asked(&key) {
                    continue;
                }
                if key.has_nul() {
                    more = true;
                    seen.answer(key, Err(NotYet::new("what has a NUL byte in its name")));
                    continue;
                }
                if asked.keys.insert(key.clone()) {
                    asked.questions.push((self.who, Arc::clone(&probe)));
                }
                match known.get(self.who, &key) {
                    Some(answer) => {
                        more = true;
                        seen.answer(key, answer.clone());
                    }
                    None => open.push((self.who, probe)),
                }
            }
            if !open.is_empty() || !more {
                return Ok((seen, open));
            }
        }
        Err(NotYet(format!(
            "what `{}` wants to know: it asks again and again",
            bound.module()
        )))
    }

    /// What is to become of one turn, and why.
    fn fate(
        &self,
        bound: &Arc<dyn Bound>,
        seen: &Seen,
        before: &Before<'_>,
    ) -> Result<(Fate, Reason), NotYet> {
        if let Err(refusal) = bound.check() {
            return Ok((Fate::Refuse(refusal), Reason::Differs));
        }
        let plan = match bound.plan(seen) {
            Ok(plan) => plan,
            Err(Stop::NotYet(what)) => return Err(what),
            Err(Stop::Refused(refusal)) => {
                return match self.doubt(bound.as_ref()) {
                    Some(what) => Err(what),
                    None => Ok((Fate::Refuse(refusal), Reason::Differs)),
                };
            }
        };
        let Some(first) = plan.changes.first() else {
            let reason = match plan.guard {
                Some(which) => Reason::Guard {
                    which: which.to_owned(),
                },
                None => Reason::InState,
            };
            let warnings = plan.warnings;
            return Ok((Fate::Rest { warnings }, reason));
        };
        // What can be rehearsed is.
        let command = bound.nature() == Nature::Command && first.cause == Cause::Unguarded;
        if self.task.check_mode == Some(true) && command && plan.rehearsal.is_none() {
            return Ok((Fate::Skip, Reason::OnlyForetold));
        }
        let once =
            self.task.once && first.cause == Cause::Unguarded && bound.nature() == Nature::Command;
        if once && self.called.is_none() {
            match (before.past, before.record) {
                (Past::Interrupted, Some(_)) => return Ok((self.cut_off(), Reason::Interrupted)),
                (Past::Same, Some(record)) => {
                    let (date, result) = (record.at.clone(), record.result.clone());
                    return Ok((Fate::Assume { result }, Reason::Assumed { date }));
                }
                _ => {}
            }
        }
        let reason = self.why(first.cause, once, before);
        Ok((Fate::Act(plan), reason))
    }

    /// Why it is not known whether it will be refused: a command that runs before it may make true
    /// what it misses.
    fn doubt(&self, bound: &dyn Bound) -> Option<NotYet> {
        let looks = !bound.observe(&Seen::default()).is_empty();
        let by = self.known.blur().filter(|_| looks || self.blurred)?;
        Some(NotYet(format!("what `{by}` changes")))
    }

    fn cut_off(&self) -> Fate {
        let name = self.task.id.as_deref().unwrap_or(&self.task.name);
        Fate::Refuse(
            Refusal::new("an earlier run was cut off in the middle of this `once` command").help(
                format!(
                    "look at the host: if the command has to run again, forget that it was \
                     started with `evenkeel ledger forget HOST '{name}'`"
                ),
            ),
        )
    }

    fn why(&self, cause: Cause, once: bool, before: &Before<'_>) -> Reason {
        if let Some(reason) = &self.called {
            return reason.clone();
        }
        let changed = || {
            let old = before.record.and_then(|record| record.print.as_ref());
            before
                .print
                .zip(old)
                .and_then(|(new, old)| new.changed_since(old))
        };
        match (cause, before.past) {
            (Cause::Wait, _) => Reason::Waits,
            (Cause::Asks, _) => Reason::Asks,
            (_, Past::Interrupted) => Reason::Interrupted,
            (Cause::Unguarded, _) if once => changed().unwrap_or(Reason::Once),
            (Cause::Unguarded, _) => Reason::Unguarded,
            (Cause::Act, _) => Reason::Act,
            (Cause::Guard(which), _) => Reason::Guard {
                which: which.to_owned(),
            },
            (Cause::Differs, Past::Never) => Reason::Differs,
            (Cause::Differs, Past::Same) => Reason::Drift,
            (Cause::Differs, Past::Changed) => changed().unwrap_or(Reason::Differs),
        }
    }

    /// A diff of a file needs what the file holds now.
    fn contents_for_diffs(
        &self,
        items: &[Item],
        asked: &mut Vec<Question>,
    ) -> Option<Vec<Question>> {
        if !self.diff || !self.task.diff || self.task.no_log {
            return None;
        }
        let mut questions = Vec::new();
        for item in items {
            let Fate::Act(plan) = &item.fate else {
                continue;
            };
            for change in &plan.changes {
                let Some(Diff::File { path, .. }) = &change.diff else {
                    continue;
                };
                let probe = Contents(path.clone());
                if self.known.get(self.who, &AnyProbe::key(&probe)).is_none() {
                    questions.push((self.who, crate::probe::ask(probe)));
                }
            }
        }
        asked.extend(questions.iter().cloned());
        (!questions.is_empty()).then_some(questions)
    }
}

/// Label, item and body of a turn; a plain task is one turn without a label.
type Turned = (Option<String>, Value, Result<Arc<dyn Bound>, String>);

/// What the ledger knows of a task.
struct Before<'a> {
    record: Option<&'a Record>,
    past: Past,
    print: Option<&'a Fingerprint>,
}

fn turns(resolved: &Resolved) -> (Vec<Turned>, bool) {
    match resolved {
        Resolved::Skip(_) => (Vec::new(), false),
        Resolved::One(bound) => (vec![(None, Value::Null, Ok(Arc::clone(bound)))], false),
        Resolved::Loop(turns) => {
            let turn = |turn: &crate::task::Turn| {
                let label = Some(turn.label.clone());
                (label, turn.item.clone(), turn.body.clone())
            };
            (turns.iter().map(turn).collect(), true)
        }
    }
}

fn skipped(label: Option<String>, value: Value, reason: Reason) -> Item {
    Item {
        label,
        value,
        bound: None,
        fate: Fate::Skip,
        reason,
        rehearsed: None,
    }
}

/// A turn without arguments.
fn broken(label: Option<String>, value: Value, refusal: Refusal) -> Item {
    Item {
        fate: Fate::Refuse(refusal),
        ..skipped(label, value, Reason::Differs)
    }
}

fn turns_args(bounds: &[&Arc<dyn Bound>], looped: bool) -> Value {
    match bounds {
        [bound] if !looped => bound.args(),
        _ => {
            let numbered = bounds.iter().enumerate();
            Value::Map(
                numbered
                    .map(|(at, bound)| (format!("item {at}"), bound.args()))
                    .collect(),
            )
        }
    }
}

fn past(record: Option<&Record>, print: Option<&Fingerprint>) -> Past {
    match record {
        None => Past::Never,
        Some(record) if record.interrupted() => Past::Interrupted,
        Some(record) => match (&record.print, print) {
            (None, _) => Past::Never,
            (Some(old), Some(new)) if old.total == new.total => Past::Same,
            (Some(_), _) => Past::Changed,
        },
    }
}

/// Lays what a plan would do over what is known.
pub(super) fn foretell(
    known: &mut Known,
    who: Who,
    identities: usize,
    plan: &Plan,
    task: &Task,
    bound: &Arc<dyn Bound>,
) {
    for step in plan.changes.iter().flat_map(|change| &change.steps) {
        let mut blurs = false;
        let (told, writes) = {
            let look = |key: &Key| known.get(who, key).cloned();
            let mut writes = effects::writes(&step.action, &look);
            if let Action::Run(_) = &step.action {
                let reads_only = task.judge.as_ref().and_then(|judge| judge.always_changed());
                if touches(task, bound.as_ref()).1.contains(&Thing::Everything)
                    && reads_only != Some(false)
                {
                    blurs = true;
                }
                // What writes everything is foretold to change nothing that was asked.
                let declared = touches(task, bound.as_ref()).1;
                let declared = declared.into_iter();
                let declared: Vec<Thing> = declared
                    .filter(|thing| *thing != Thing::Everything && !step.spares.contains(thing))
                    .collect();
                writes.extend(known.by_all_names(&declared, true));
            }
            (effects::of_step(step, &look), writes)
        };
        if blurs {
            known.blurred_by(&task.name);
        }
        known.void(&writes, &format!("what `{}` makes", task.name));
        known.act(&step.action);
        known.foretell(who, identities, &told);
    }
}

/// The result of one turn, as far as it can be foretold.
pub(super) fn view(known: &Known, who: Who, asked: &[Question]) -> Seen {
    let mut seen = Seen::default();
    for (_, probe) in asked.iter().filter(|(as_whom, _)| *as_whom == who) {
        let key = probe.key();
        if let Some(answer) = known.get(who, &key) {
            let answer = answer.clone();
            seen.answer(key, answer);
        }
    }
    seen
}

/// The identities of a host's tasks; the first is the login user.
pub(super) fn identities<'a>(tasks: impl Iterator<Item = &'a Task>) -> Vec<Identity> {
    let mut all = vec![Identity::login()];
    for task in tasks {
        if !all.contains(&task.identity) {
            all.push(task.identity.clone());
        }
    }
    all
}
