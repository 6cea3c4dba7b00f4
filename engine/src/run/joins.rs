//! Joining: like programs of several tasks (or turns of a loop) become one run, so that thirty
//! packages are one transaction. Pure.
//!
//! Only whole tasks join, and only where nothing acts between them. Each is told by itself. If the
//! joined run fails, its tasks are planned anew and run apart, one after the other, so that each
//! fails for itself.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    chain::{Entry, steps},
    decided::Decided,
    drive::Landed,
};
use crate::{
    probe::Key,
    step::{Action, Run, Step},
    task::{Task, TaskId, TaskList},
};

/// What may join.
pub(super) struct Rule<'a> {
    pub(super) list: &'a TaskList,
    /// Tasks whose joined run failed.
    pub(super) apart: &'a BTreeMap<TaskId, Box<Decided>>,
    /// `--in-order`: nothing does.
    pub(super) in_order: bool,
}

/// Tasks of a chain whose programs are one run.
pub(super) struct Group {
    /// Their positions in the chain.
    pub(super) members: Vec<usize>,
    /// The run's spool, if it is a long one.
    pub(super) spool: Option<String>,
}

impl Group {
    pub(super) fn first(&self) -> usize {
        self.members[0]
    }

    pub(super) fn last(&self) -> usize {
        self.members[self.members.len() - 1]
    }
}

/// A step of a task of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At {
    pub(super) entry: usize,
    pub(super) item: usize,
    pub(super) number: usize,
}

impl Rule<'_> {
    fn task(&self, decided: &Decided) -> &Task {
        &self.list.tasks[decided.task.index()]
    }

    /// The groups of a chain, in order.
    pub(super) fn groups(&self, all: &[Landed]) -> Vec<Group> {
        let entries: Vec<&Entry> = all.iter().map(|landed| &landed.entry).collect();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut open = false;
        for (at, entry) in entries.iter().enumerate() {
            if entry.epoch.is_none() {
                continue;
            }
            let whole = (entry.from == 0)
                .then(|| self.runs(&entry.decided))
                .flatten();
            let last = groups.last_mut().filter(|_| open && whole.is_some());
            match last {
                Some(group) if self.fits(&entries[group[0]..at], &entry.decided) => group.push(at),
                _ if whole.is_some() => groups.push(vec![at]),
                _ => {}
            }
            open = whole.is_some();
        }
        let group = |members: Vec<usize>| {
            let first = entries[members[0]];
            let runs = self.runs(&first.decided)?;
            let one = members.len() == 1 && runs.len() == 1;
            let long = runs.first().is_some_and(|run| run.long);
            let spool = first.epoch.as_ref().filter(|_| long);
            let spool = spool.map(|epoch| super::chain::spool(epoch, 0));
            (!one).then_some(Group { members, spool })
        };
        groups.into_iter().filter_map(group).collect()
    }

    /// Whether a task would be one run with the last of those that are going to act.
    pub(super) fn joins(&self, entries: &[Entry], decided: &Decided) -> bool {
        let last = entries.iter().rposition(|entry| entry.epoch.is_some());
        last.is_some_and(|last| {
            let all: Vec<&Entry> = entries.iter().collect();
            self.runs(decided).is_some()
                && self.runs(&all[last].decided).is_some()
                && self.fits(&all[last..], decided)
                && !overtakes(decided, &all)
        })
    }

    /// The programs of a task, if they may be one and nothing else is to be done.
    fn runs<'a>(&self, decided: &'a Decided) -> Option<Vec<&'a Run>> {
        let task = self.task(decided);
        let judge = task.judge.as_ref();
        let judged = judge.is_some_and(|judge| judge.judges_failure());
        if self.in_order || judged || self.apart.contains_key(&decided.task) {
            return None;
        }
        let joins = |(_, step): (usize, &'a Step)| match &step.action {
            Action::Run(run) => {
                let some = run.joins.as_ref().is_some_and(|more| !more.is_empty());
                (some && run.secret_argv.is_empty()).then_some(run)
            }
            _ => None,
        };
        let runs: Vec<&Run> = steps(decided).map(joins).collect::<Option<_>>()?;
        let first = *runs.first()?;
        runs.iter().all(|run| alike(first, run)).then_some(runs)
    }

    /// Whether a task is like the first of these, and waits for none of them.
    fn fits(&self, entries: &[&Entry], decided: &Decided) -> bool {
        let first = &entries[0].decided;
        let (one, other) = (self.task(first), self.task(decided));
        let (Some(a), Some(b)) = (self.runs(first), self.runs(decided)) else {
            return false;
        };
        let named = [&other.after, &other.needs, &other.heeds, &other.triggers];
        let mut named = named.into_iter().flatten();
        let waits = |id: &TaskId| entries.iter().any(|entry| entry.decided.task == *id);
        first.who == decided.who
            && one.environment == other.environment
            && alike(a[0], b[0])
            && !named.any(waits)
            && !overtakes(decided, entries)
    }
}

/// Whether a task makes something else of what one of these makes, as who first wants an old version of a package and
/// then the latest.
fn overtakes(decided: &Decided, entries: &[&Entry]) -> bool {
    let made = |decided: &Decided| -> BTreeSet<Key> {
        let effects = steps(decided).flat_map(|(_, step)| &step.effects);
        effects.map(|effect| effect.probe.key()).collect()
    };
    let mut acting = entries.iter().filter(|entry| entry.epoch.is_some());
    let makes = made(decided);
    acting.any(|entry| !made(&entry.decided).is_disjoint(&makes))
}

/// Whether two programs differ in nothing but what is joined.
fn alike(a: &Run, b: &Run) -> bool {
    let same = |run: &Run| (run.dir.clone(), run.umask, run.seconds, run.long);
    a.argv == b.argv
        && a.under == b.under
        && a.env == b.env
        && a.stdin == b.stdin
        && a.ok == b.ok
        && same(a) == same(b)
}

/// The one run of a group: each operand once, and as much time as all would have had.
pub(super) fn whole(group: &Group, all: &[Landed]) -> Option<(Run, Vec<Step>, Vec<At>)> {
    let mut joined: Option<Run> = None;
    let (mut operands, mut found, mut seconds) = (Vec::new(), Vec::new(), Some(0_u64));
    let (mut seen, mut all_steps) = (BTreeSet::new(), Vec::new());
    for &entry in &group.members {
        for (number, (item, step)) in steps(&all[entry].entry.decided).enumerate() {
            let Action::Run(run) = &step.action else {
                return None;
            };
            let more = run.joins.iter().flatten();
            operands.extend(more.filter(|word| seen.insert((*word).clone())).cloned());
            seconds = seconds.zip(run.seconds).map(|(a, b)| a.saturating_add(b));
            joined.get_or_insert_with(|| run.clone());
            found.push(At {
                entry,
                item,
                number,
            });
            all_steps.push(step.clone());
        }
    }
    let mut run = joined?;
    run.joins = None;
    run.argv.extend(operands);
    run.seconds = seconds;
    Some((run, all_steps, found))
}

/// The spools of long joined runs, by the position of each of their tasks.
pub(super) fn spools(groups: &[Group]) -> BTreeMap<usize, String> {
    let of = |group: &Group| {
        let spool = group.spool.clone();
        let members = group.members.clone();
        members
            .into_iter()
            .filter_map(move |at| Some((at, spool.clone()?)))
    };
    groups.iter().flat_map(of).collect()
}
