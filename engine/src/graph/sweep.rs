//! Inferred edges: one sweep over the tasks, with indexes.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem::{self, discriminant},
};

use petgraph::{Direction, graph::NodeIndex, visit::EdgeRef as _};

use super::{
    Kind, Node, Order, Shape, Web, anchor, connect, node,
    paths::{self, Known, Slot},
    sources, task_id,
    track::{Mode, Track},
};
use crate::{HostId, Meets, Nature, Task, TaskId, TaskList, Thing, Touches};

/// Adds the inferred edges; all go forward in `sequence`.
pub(super) fn infer(
    web: &mut Web,
    list: &TaskList,
    shapes: &[Shape],
    sequence: &[TaskId],
    order: Order,
) {
    let touches: Vec<_> = list.tasks.iter().zip(shapes).map(needs).collect();
    let mut hosts = vec![OfHost::default(); list.hosts.len()];
    for (task, needs) in list.tasks.iter().zip(&touches) {
        if let (Needs::These(touches), None) = (needs, list.hosts[task.host.index()].stands_for) {
            hosts[task.host.index()].known.add(touches);
        }
    }
    for at in list.hosts.iter().filter_map(|entry| entry.at) {
        hosts[at.index()].visits = Some(Track::default());
    }
    let groups = groups(list);
    let (mut plays, mut batches) = (Plays::new(list), Batches::new(list));
    let mut last = None;
    let mut waits = Vec::new();
    for &id in sequence {
        let (task, shape) = (&list.tasks[id.index()], &shapes[id.index()]);
        let play = task.play as usize;
        let group = groups[id.index()];
        if let Some(gate) = plays.before(play, web) {
            waits.push((gate, Kind::Play));
        }
        if !task.free {
            let stops = matches!(shape.nature, Nature::Command | Nature::Control);
            if stops || task.meets != Meets::Freely {
                let gate = batches.before(play, group, web);
                waits.extend(gate.map(|gate| (gate, Kind::Hosts)));
            }
            waits.extend(batches.lead(play).map(|lead| (lead, Kind::Hosts)));
        }
        let ahead = batches.throttled(play, group, task.throttle as usize);
        waits.extend(ahead.map(|ahead| (ahead, Kind::Hosts)));
        let entry = &list.hosts[task.host.index()];
        let (needs, nature) = match entry.stands_for {
            // What a host has done elsewhere comes after all that is listed before it for that
            // host, and before all that is listed after it.
            Some(_) => (&Needs::All(Mode::Alone), Nature::Control),
            None => (&touches[id.index()], shape.nature),
        };
        let owner = list.owner(task.host);
        hosts[owner.index()].enter(node(id), needs, nature, web, &mut waits);
        // So it is on the machine, if that is a host too; but a failure is not passed on there.
        let (at, mode) = match entry.stands_for {
            Some(owner) => (entry.at.filter(|at| *at != owner), Mode::Visiting(group)),
            None => (Some(task.host), LIVES),
        };
        if let Some(visits) = at.and_then(|at| hosts[at.index()].visits.as_mut()) {
            visits.enter(node(id), mode, &Kind::Hosts, web, &mut waits);
        }
        if order == Order::InOrder {
            waits.extend(last.replace(node(id)).map(|last| (last, Kind::InOrder)));
        }
        plays.add(play, node(id));
        batches.add(play, group, node(id), task.meets == Meets::All);
        // One conflict is enough between two tasks; the derived order keeps equal kinds together.
        waits.sort();
        waits.dedup_by_key(|(from, kind)| (*from, discriminant(kind)));
        for (from, kind) in waits.drain(..) {
            connect(web, from, node(id), kind);
        }
    }
}

/// See [`super::linked`].
pub(super) fn linked(
    list: &TaskList,
    shapes: &[Shape],
    tasks: &[TaskId],
    others: &dyn Fn(&Thing) -> Vec<Thing>,
) -> Vec<(TaskId, TaskId)> {
    let named = |id: &TaskId| {
        let mut needs = needs((&list.tasks[id.index()], &shapes[id.index()]));
        let mut moved = false;
        if let Needs::These(touches) = &mut needs {
            for things in [&mut touches.reads, &mut touches.writes] {
                let more: Vec<Thing> = things.iter().flat_map(others).collect();
                moved |= !more.is_empty();
                things.extend(more);
            }
        }
        (needs, moved)
    };
    let all: Vec<(Needs, bool)> = tasks.iter().map(named).collect();
    if all.iter().all(|(_, moved)| !moved) {
        return Vec::new();
    }
    let (mut host, mut web) = (OfHost::default(), Web::new());
    for (at, (needs, _)) in all.iter().enumerate() {
        if let Needs::These(touches) = needs {
            host.known.add(touches);
        }
        web.add_node(Node::Task(task_id(at)));
    }
    let mut waits = Vec::new();
    for (at, (needs, _)) in all.iter().enumerate() {
        let node = NodeIndex::new(at);
        host.enter(node, needs, Nature::Passive, &mut web, &mut waits);
        for (from, kind) in waits.drain(..) {
            connect(&mut web, from, node, kind);
        }
    }
    let mut pairs = BTreeSet::new();
    for (to, (_, moved)) in all.iter().enumerate() {
        let edges = web.edges_directed(NodeIndex::new(to), Direction::Incoming);
        let conflicts = edges.filter(|edge| matches!(edge.weight().kind, Kind::Conflict(_)));
        for from in conflicts.flat_map(|edge| sources(&web, edge.source(), |_| true)) {
            if *moved || all[from.index()].1 {
                pairs.insert((tasks[from.index()], tasks[to]));
            }
        }
    }
    pairs.into_iter().collect()
}

/// What a task needs of its host.
enum Needs {
    Nothing,
    These(Touches),
    All(Mode),
}

fn needs((task, shape): (&Task, &Shape)) -> Needs {
    // As whom it is done may be anybody, whom earlier tasks make.
    let known = shape.touches.as_ref().filter(|_| !task.late_identity);
    let Some(touches) = known else {
        return Needs::All(match shape.nature {
            Nature::Passive | Nature::Control => READS_ALL,
            Nature::State | Nature::Command => Mode::Alone,
        });
    };
    if touches.writes.contains(&Thing::Everything) {
        return Needs::All(touches.commutes.map_or(Mode::Alone, Mode::Commuting));
    }
    if touches.reads.contains(&Thing::Everything) {
        let nothing_written = touches.writes.is_empty();
        return Needs::All(if nothing_written {
            READS_ALL
        } else {
            Mode::Alone
        });
    }
    if touches.reads.is_empty() && touches.writes.is_empty() {
        return Needs::Nothing;
    }
    let mut touches = touches.clone();
    paths::implied(&mut touches, &task.identity);
    Needs::These(touches)
}

/// Those that read everything and write nothing go well together.
const READS_ALL: Mode = Mode::Commuting("reads everything");

/// A machine's own tasks do not wait for each other because of what others have done there.
const LIVES: Mode = Mode::Commuting("lives there");

#[derive(Clone, Default)]
struct OfHost {
    known: Known,
    all: Track,
    things: BTreeMap<Slot, Track>,
    control: Option<NodeIndex>,
    /// Its own tasks and those that others have done there; nothing where nobody has.
    visits: Option<Track>,
}

impl OfHost {
    fn enter(
        &mut self,
        node: NodeIndex,
        needs: &Needs,
        nature: Nature,
        web: &mut Web,
        waits: &mut Vec<(NodeIndex, Kind)>,
    ) {
        waits.extend(self.control.map(|control| (control, Kind::Control)));
        if nature == Nature::Control {
            self.control = Some(node);
        }
        match needs {
            Needs::Nothing => {}
            Needs::All(mode) => {
                self.all.enter(node, *mode, &Kind::Everything, web, waits);
                // Whatever comes now waits for this one, and so for all before it.
                self.things.clear();
            }
            Needs::These(touches) => {
                let (kind, mode) = (Kind::Everything, Mode::Reading);
                self.all.enter(node, mode, &kind, web, waits);
                for (slot, mode) in self.known.slots(touches) {
                    let kind = slot.kind();
                    let track = self.things.entry(slot).or_default();
                    track.enter(node, mode, &kind, web, waits);
                }
            }
        }
    }
}

/// Numbers the listed tasks: copies of one task for several hosts follow each other.
pub(crate) fn groups(list: &TaskList) -> Vec<usize> {
    let mut hosts: BTreeSet<HostId> = BTreeSet::new();
    let mut group = 0;
    let mut groups = Vec::with_capacity(list.tasks.len());
    for (index, task) in list.tasks.iter().enumerate() {
        let copy = index > 0 && {
            let last = &list.tasks[index - 1];
            (last.play, &last.place, &last.module, &last.name)
                == (task.play, &task.place, &task.module, &task.name)
        };
        if !copy || hosts.contains(&task.host) {
            hosts.clear();
            group += 1;
        }
        hosts.insert(task.host);
        groups.push(group);
    }
    groups
}

/// Plays wait for the plays before them.
struct Plays {
    /// Tasks of each play that no gate covers yet.
    open: Vec<Vec<NodeIndex>>,
    /// What a task of each play waits for.
    gates: Vec<Option<NodeIndex>>,
    /// Gates up to here cover all that came so far.
    covered: usize,
}

impl Plays {
    fn new(list: &TaskList) -> Self {
        let plays = list.tasks.iter().map(|task| task.play as usize + 1).max();
        let plays = plays.unwrap_or(0);
        Self {
            open: vec![Vec::new(); plays],
            gates: vec![None; plays],
            covered: 0,
        }
    }

    fn before(&mut self, play: usize, web: &mut Web) -> Option<NodeIndex> {
        for at in self.covered..play {
            let mut from = mem::take(&mut self.open[at]);
            from.extend(self.gates[at]);
            from.extend(self.gates[at + 1]);
            self.gates[at + 1] = match from[..] {
                [] => None,
                [only] => Some(only),
                _ => Some(anchor(web, from, &Kind::Play)),
            };
        }
        self.covered = self.covered.max(play);
        self.gates[play]
    }

    fn add(&mut self, play: usize, node: NodeIndex) {
        self.open[play].push(node);
        self.covered = self.covered.min(play);
    }
}

/// Within a play of several hosts, some tasks wait for all that is listed before them.
struct Batches(Vec<Option<Batch>>);

#[derive(Clone, Default)]
struct Batch {
    gate: Option<NodeIndex>,
    /// What all that is listed after it waits for.
    lead: Option<NodeIndex>,
    open: Vec<NodeIndex>,
    group: usize,
    copies: Vec<NodeIndex>,
}

impl Batches {
    fn new(list: &TaskList) -> Self {
        let mut hosts: BTreeMap<usize, BTreeSet<HostId>> = BTreeMap::new();
        for task in &list.tasks {
            hosts
                .entry(task.play as usize)
                .or_default()
                .insert(list.owner(task.host));
        }
        let plays = hosts.keys().max().map_or(0, |play| play + 1);
        let several = |play| hosts.get(&play).is_some_and(|hosts| hosts.len() > 1);
        Self(
            (0..plays)
                .map(|play| several(play).then(Batch::default))
                .collect(),
        )
    }

    fn before(&mut self, play: usize, group: usize, web: &mut Web) -> Option<NodeIndex> {
        let batch = self.0[play].as_mut()?;
        batch.turn(group);
        if !batch.open.is_empty() {
            let from = mem::take(&mut batch.open).into_iter().chain(batch.gate);
            batch.gate = Some(anchor(web, from, &Kind::Hosts));
        }
        batch.gate
    }

    fn lead(&self, play: usize) -> Option<NodeIndex> {
        self.0[play].as_ref()?.lead
    }

    /// The copy that has to end before the next one starts, where only so many may run at once.
    fn throttled(&mut self, play: usize, group: usize, most: usize) -> Option<NodeIndex> {
        let batch = self.0[play].as_mut().filter(|_| most > 0)?;
        batch.turn(group);
        let before = batch.copies.len().checked_sub(most)?;
        Some(batch.copies[before])
    }

    fn add(&mut self, play: usize, group: usize, node: NodeIndex, leads: bool) {
        if let Some(batch) = &mut self.0[play] {
            batch.turn(group);
            batch.copies.push(node);
            if leads {
                batch.lead = Some(node);
            }
        }
    }
}

impl Batch {
    /// Copies of one task do not wait for each other.
    fn turn(&mut self, group: usize) {
        if self.group != group {
            self.group = group;
            self.open.append(&mut self.copies);
        }
    }
}
