//! A chain: the steps of several tasks as the operations of one exchange. Pure.
//!
//! The intents of all of them are on disk before the first step. A task's start and end are noted
//! in the journal by the host itself. Once a program ran of which nobody said what it writes, each
//! task after it goes on only if what it was planned on still holds.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    decide::Question,
    decided::{Decided, Fate, is_long},
    drive::Landed,
    finish::Ran,
    joins::{At, Group, whole},
    known::{Known, Readers, Who},
    links::Links,
    shape::touches,
};
use crate::{
    effects,
    host::Op,
    identity::Identity,
    ledger::Line,
    probe::{Answer, AnyProbe, Key, Probes},
    step::{Action, Step},
    task::{Task, TaskList},
    thing::Thing,
};

/// One task of a chain.
pub(super) struct Entry {
    pub(super) decided: Box<Decided>,
    /// The epoch it begins; nothing if it has no steps.
    pub(super) epoch: Option<String>,
    /// What it was planned on, as far as the host itself can check that.
    pub(super) planned_on: Vec<(Question, Answer)>,
    /// What its programs have to have made true, as far as the host itself can check that.
    pub(super) foretold: Vec<(Question, Answer)>,
    /// The first step that is still to be taken, counted over all items.
    pub(super) from: usize,
}

/// What an operation is for.
#[derive(Clone, Debug)]
pub(super) enum Slot {
    /// Nothing that anybody waits for.
    Note,
    /// A guard: after one that does not hold nothing is reached.
    Guard,
    /// A step of an entry: which item, which of the task's steps, the spool of a long one.
    Step {
        entry: usize,
        item: usize,
        number: usize,
        long: Option<String>,
    },
    /// An entry's files (item, and which of the task's steps) can be fetched now.
    Fetch {
        entry: usize,
        steps: Vec<(usize, usize)>,
    },
    /// One step that is a step of each of these.
    Joined {
        steps: Vec<At>,
        long: Option<String>,
    },
    /// Answers; after them the first `upto` entries can be finished.
    Observe {
        who: Who,
        probes: Probes,
        upto: usize,
    },
}

/// The operations of one exchange, each with what it is for.
#[derive(Default)]
pub(super) struct Chain {
    pub(super) ops: Vec<Op>,
    pub(super) slots: Vec<Slot>,
}

/// What a chain is made with.
pub(super) struct Around<'a> {
    pub(super) identities: &'a [Identity],
    pub(super) known: &'a Known,
    pub(super) list: &'a TaskList,
}

impl Chain {
    /// The lines go first; then the entries, those of a group as one; then everything they ask.
    pub(super) fn new(
        lines: Vec<String>,
        all: &[Landed],
        groups: &[Group],
        around: &Around<'_>,
    ) -> Self {
        let mut chain = Self::default();
        if !lines.is_empty() {
            chain.push(Slot::Note, Op::Journal { lines, sync: true });
        }
        let mut open = Open::default();
        let mut doubts = Doubts::default();
        // Links that the chain makes lead somewhere for what comes after them.
        let mut links = around.known.links().clone();
        let mut at = 0;
        while at < all.len() {
            // Those within a group that have nothing to do are looked at with it.
            let group = groups.iter().find(|group| group.first() == at);
            let end = group.map_or(at, Group::last);
            let part = &all[at..=end];
            let task = |landed: &Landed| &around.list.tasks[landed.entry.decided.task.index()];
            let written = part
                .iter()
                .flat_map(|landed| writes(&landed.entry, task(landed), around.known));
            let written: Vec<Thing> = written.collect();
            let others: Vec<Thing> = written
                .iter()
                .flat_map(|thing| links.others(thing, true))
                .collect();
            if written
                .iter()
                .chain(&others)
                .any(|thing| !open.readers.of(thing).is_empty())
            {
                chain.observe(&mut open, at, around);
            }
            for landed in part {
                doubts.before(&landed.entry);
            }
            // What goes on after a long step has begun: it is not kept from its end, neither by its
            // own doing, which was not there when it was planned, nor by what runs beside it.
            let begins = |landed: &Landed| landed.entry.epoch.is_some() && landed.entry.from == 0;
            if part.iter().any(begins) {
                chain.guard(doubts.take(), around);
            }
            if let Some(group) = group {
                chain.joined(group, all, around);
            } else {
                let Landed { entry, ran } = &all[at];
                chain.steps(at, entry, task(&all[at]), ran, around);
            }
            for Landed { entry, .. } in part {
                // What comes of a program that only begins here is asked at its end: a question now
                // would disturb it.
                if !begins_long(entry) {
                    open.add(&entry.decided.asked, &links);
                }
                doubts.after(entry);
                let made = links.version();
                for (_, step) in steps(&entry.decided) {
                    links.act(&step.action);
                }
                if links.version() != made {
                    open.index(&links);
                }
            }
            at = end + 1;
        }
        chain.observe(&mut open, all.len(), around);
        chain
    }

    fn push(&mut self, slot: Slot, op: Op) {
        self.ops.push(op);
        self.slots.push(slot);
    }

    /// Adds questions at the end.
    pub(super) fn ask(&mut self, questions: &[Question], upto: usize, around: &Around<'_>) {
        let mut open = Open::default();
        open.add(questions, around.known.links());
        self.observe(&mut open, upto, around);
    }

    /// Asks what is open. All of it must be answered before entries are finished, so only the last
    /// look of several identities says how far.
    fn observe(&mut self, open: &mut Open, upto: usize, around: &Around<'_>) {
        let all = std::mem::take(open).by_identity(around.identities.len());
        let last = all.len();
        for (at, (who, probes)) in all.into_iter().enumerate() {
            let upto = if at + 1 == last { upto } else { 0 };
            let op = Op::Observe {
                who: around.identities[who].clone(),
                probes: probes.clone(),
            };
            self.push(Slot::Observe { who, probes, upto }, op);
        }
    }

    fn guard(&mut self, holds: Vec<(Question, Answer)>, around: &Around<'_>) {
        let mut by: Vec<Vec<_>> = vec![Vec::new(); around.identities.len()];
        for ((who, probe), answer) in holds {
            by[who].push((probe, answer));
        }
        for (who, holds) in by.into_iter().enumerate() {
            if !holds.is_empty() {
                let who = around.identities[who].clone();
                self.push(Slot::Guard, Op::Guard { who, holds });
            }
        }
    }

    /// The steps of several tasks as one.
    fn joined(&mut self, group: &Group, all: &[Landed], around: &Around<'_>) {
        let (run, parts, steps) = whole(group, all).expect("BUG: a group of what cannot be joined");
        let epochs = |line: fn(String) -> Line| {
            let epochs = group
                .members
                .iter()
                .filter_map(|at| all[*at].entry.epoch.clone());
            epochs.map(|epoch| line(epoch).text()).collect()
        };
        let started: Vec<String> = epochs(|epoch| Line::Start { epoch });
        let note = |lines| Op::Journal { lines, sync: false };
        self.push(Slot::Note, note(started));
        let first = &all[group.first()].entry.decided;
        let op = Op::Step {
            who: around.identities[first.who].clone(),
            env: around.list.tasks[first.task.index()].environment.clone(),
            action: Box::new(Action::Run(run)),
            effects: parts.into_iter().flat_map(|step| step.effects).collect(),
            long: group.spool.clone(),
            on_failure: None,
        };
        let long = group.spool.clone();
        let is_long = long.is_some();
        self.push(Slot::Joined { steps, long }, op);
        if !is_long {
            let done: Vec<String> = epochs(|epoch| Line::Done { epoch, ok: true });
            self.push(Slot::Note, note(done));
        }
    }

    fn steps(&mut self, at: usize, entry: &Entry, task: &Task, ran: &[Ran], around: &Around<'_>) {
        let Some(epoch) = &entry.epoch else { return };
        let note = |line: Line| Op::Journal {
            lines: vec![line.text()],
            sync: false,
        };
        if entry.from == 0 {
            self.push(
                Slot::Note,
                note(Line::Start {
                    epoch: epoch.clone(),
                }),
            );
        }
        let steps: Vec<_> = steps(&entry.decided).enumerate().skip(entry.from).collect();
        let spent = |item: usize| ran.get(item).map_or(0, |ran: &Ran| ran.millis / 1000);
        let judged = task
            .judge
            .as_ref()
            .is_some_and(|judge| judge.judges_failure());
        for (number, (item, step)) in &steps {
            if matches!(step.action, Action::Fetch(_)) {
                let files = steps.iter().filter(|(at, _)| at >= number);
                let files =
                    files.take_while(|(_, (_, step))| matches!(step.action, Action::Fetch(_)));
                let slot = Slot::Fetch {
                    entry: at,
                    steps: files.map(|(number, (item, _))| (*item, *number)).collect(),
                };
                // Nothing is done on the host: it only has to be known that all before it went well.
                let op = Op::Journal {
                    lines: Vec::new(),
                    sync: false,
                };
                self.push(slot, op);
                return;
            }
            let mut action = step.action.clone();
            let mut long = None;
            if let Action::Run(run) = &mut action {
                if judged {
                    run.ok.clear();
                }
                run.argv.extend(run.joins.take().unwrap_or_default());
                if let Some(limit) = run.limit {
                    let left = limit.saturating_sub(spent(*item)).max(1);
                    run.seconds = Some(run.seconds.map_or(left, |seconds| seconds.min(left)));
                }
                if run.long {
                    long = Some(spool(epoch, *number));
                }
            }
            let (is_long, spooled) = (long.is_some(), long.clone());
            let op = Op::Step {
                who: around.identities[entry.decided.who].clone(),
                env: entry.decided.environment.clone(),
                action: Box::new(action),
                effects: step.effects.clone(),
                long,
                on_failure: None,
            };
            let slot = Slot::Step {
                entry: at,
                item: *item,
                number: *number,
                long: spooled,
            };
            self.push(slot, op);
            if is_long {
                // What follows it waits for its end.
                return;
            }
        }
        if judged {
            // Whether it ended well is for the judge to say.
            return;
        }
        self.push(
            Slot::Note,
            note(Line::Done {
                epoch: epoch.clone(),
                ok: ran.iter().all(|ran| ran.trouble.is_none()),
            }),
        );
    }
}

/// The spool of a long step of an epoch, by the step's position in its task.
pub(super) fn spool(epoch: &str, number: usize) -> String {
    format!("{}-{number}", epoch.replace('.', "-"))
}

/// The spool of the first long step of a task.
pub(super) fn first_spool(decided: &Decided, epoch: &str) -> Option<String> {
    let is_long = |step: &Step| matches!(&step.action, Action::Run(run) if run.long);
    steps(decided)
        .position(|(_, step)| is_long(step))
        .map(|number| spool(epoch, number))
}

/// Whether a long step is still to be taken.
fn begins_long(entry: &Entry) -> bool {
    let mut left = steps(&entry.decided).skip(entry.from);
    entry.epoch.is_some() && left.any(|(_, step)| is_long(&step.action))
}

/// The steps of a decided task with the item each belongs to.
pub(super) fn steps(decided: &Decided) -> impl Iterator<Item = (usize, &Step)> {
    decided.items.iter().enumerate().flat_map(|(at, item)| {
        let changes = match &item.fate {
            Fate::Act(plan) => plan.changes.as_slice(),
            _ => &[],
        };
        changes
            .iter()
            .flat_map(|change| &change.steps)
            .map(move |step| (at, step))
    })
}

/// What the steps of an entry write, as far as that is known.
pub(super) fn writes(entry: &Entry, task: &Task, known: &Known) -> Vec<Thing> {
    let look = |key: &Key| known.get(entry.decided.who, key).cloned();
    let mut all: Vec<Thing> = steps(&entry.decided)
        .flat_map(|(_, step)| effects::writes(&step.action, &look))
        .collect();
    if entry
        .decided
        .actions()
        .any(|action| matches!(action, Action::Run(_)))
    {
        for item in &entry.decided.items {
            all.extend(
                item.bound
                    .iter()
                    .flat_map(|bound| touches(task, bound.as_ref()).1),
            );
        }
    }
    // What steps state that probes will answer is written too.
    all.extend(
        steps(&entry.decided)
            .flat_map(|(_, step)| &step.effects)
            .flat_map(|effect| effect.probe.reads())
            .filter(|thing| *thing != Thing::Everything),
    );
    all.sort();
    all.dedup();
    all
}

/// What has to hold before the next task acts: once a program ran, it may have gone otherwise than
/// foretold. Then the chain ends, and the rest is planned anew.
#[derive(Default)]
struct Doubts {
    a_program_ran: bool,
    holds: BTreeMap<(Who, Key), (Question, Answer)>,
}

impl Doubts {
    fn before(&mut self, entry: &Entry) {
        if self.a_program_ran && entry.from == 0 {
            self.add(&entry.planned_on);
        }
    }

    fn after(&mut self, entry: &Entry) {
        self.a_program_ran |= entry.decided.runs_programs();
        if !entry.decided.is_long() {
            self.add(&entry.foretold);
        }
    }

    fn add(&mut self, holds: &[(Question, Answer)]) {
        for ((who, probe), answer) in holds {
            let hold = ((*who, probe.clone()), answer.clone());
            self.holds.insert((*who, probe.key()), hold);
        }
    }

    fn take(&mut self) -> Vec<(Question, Answer)> {
        std::mem::take(&mut self.holds).into_values().collect()
    }
}

/// Questions that were not asked again yet since their task's steps.
#[derive(Default)]
struct Open {
    questions: Vec<Question>,
    keys: BTreeSet<(Who, Key)>,
    readers: Readers<()>,
}

impl Open {
    fn add(&mut self, questions: &[Question], links: &Links) {
        for (who, probe) in questions {
            if self.keys.insert((*who, probe.key())) {
                self.readers.add(probe.reads(), &());
                self.other_names(probe.as_ref(), links);
                self.questions.push((*who, probe.clone()));
            }
        }
    }

    /// More is known of where paths lead.
    fn index(&mut self, links: &Links) {
        let questions = std::mem::take(&mut self.questions);
        for (_, probe) in &questions {
            self.other_names(probe.as_ref(), links);
        }
        self.questions = questions;
    }

    fn other_names(&mut self, probe: &dyn AnyProbe, links: &Links) {
        let reads = probe.reads();
        let others = reads.iter().flat_map(|thing| links.others(thing, true));
        self.readers.add(others, &());
    }

    fn by_identity(self, identities: usize) -> Vec<(Who, Probes)> {
        let mut by: Vec<(Who, Probes)> = (0..identities).map(|who| (who, Vec::new())).collect();
        for (who, probe) in self.questions {
            by[who].1.push(probe);
        }
        by.retain(|(_, probes)| !probes.is_empty());
        by
    }
}
