//! The order between tasks: a graph with a kind and a condition on every edge. Pure.
//!
//! Explicit edges (`after`, data, triggers, the parts of a block) come first and give the order in
//! which the list is swept: listed order, but for tasks that wait for one listed after them. The
//! sweep adds the inferred edges with indexes, never by comparing all pairs; since each goes
//! forward in that order, no inferred edge can close a cycle. Nodes that are no task (anchors)
//! stand where n tasks wait for m others.

mod cycle;
mod explicit;
#[cfg(test)]
pub(crate) mod fixture;
mod paths;
mod sweep;
#[cfg(test)]
mod tests;
mod track;

use std::{collections::BTreeSet, fmt};

use petgraph::{
    Direction,
    graph::{DiGraph, NodeIndex},
    visit::EdgeRef as _,
};

use crate::{Nature, TaskId, TaskList, Thing, Touches};

pub use cycle::{Cycle, CycleLink};
pub(crate) use sweep::groups;

/// What the engine knows of a task when the graph is built.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    /// What it touches; `None`: not known yet, so everything.
    pub touches: Option<Touches>,
    /// What kind of thing its module is.
    pub nature: Nature,
    /// Whether its steps are long.
    pub long: bool,
}

/// How much order is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// What the tasks need.
    #[default]
    Inferred,
    /// `--in-order`: one task after the other, over all hosts.
    InOrder,
}

/// Why one task waits for another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It says so (`after:`).
    After,
    /// It reads the other's result.
    Data,
    /// The other's change makes it run (`triggered_by`, `notify`).
    Trigger,
    /// The other stands in an earlier part of its block.
    Block,
    /// The other can end the play.
    Control,
    /// Both touch a thing, and one of them writes it.
    Conflict(Thing),
    /// One of them may touch everything.
    Everything,
    /// It waits for the tasks listed before it on all hosts of its play.
    Hosts,
    /// The other stands in an earlier play.
    Play,
    /// `--in-order`.
    InOrder,
}

impl Kind {
    /// Whether a user or the meaning of the playbook asks for it, so that it never gives way.
    pub fn is_explicit(&self) -> bool {
        matches!(self, Self::After | Self::Data | Self::Trigger | Self::Block)
    }

    fn condition(&self) -> Condition {
        match self {
            Self::Block | Self::Hosts | Self::Play | Self::InOrder => Condition::WhenDone,
            _ => Condition::OnSuccess,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::After => f.write_str("`after`"),
            Self::Data => f.write_str("reads its result"),
            Self::Trigger => f.write_str("`triggered_by` or `notify`"),
            Self::Block => f.write_str("an earlier part of its block"),
            Self::Control => f.write_str("can end the play"),
            Self::Conflict(thing) => write!(f, "both touch {thing}"),
            Self::Everything => f.write_str("may touch everything"),
            Self::Hosts => f.write_str("listed before it on the hosts of its play"),
            Self::Play => f.write_str("an earlier play"),
            Self::InOrder => f.write_str("listed before it"),
        }
    }
}

/// What has to come of a task for those that wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// If it fails and no rescue takes that, those that wait are blocked. (An `after:` wants
    /// success itself: there a rescue does not help.)
    OnSuccess,
    /// Those that wait are needed only if it failed.
    OnFailure,
    /// Whatever came of it.
    WhenDone,
}

/// `to` waits for `from`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Which is waited for.
    pub from: TaskId,
    /// Which waits.
    pub to: TaskId,
    /// Why.
    pub kind: Kind,
    /// What has to come of `from`.
    pub condition: Condition,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Task(TaskId),
    Anchor,
}

#[derive(Clone, Debug)]
struct Label {
    kind: Kind,
    condition: Condition,
}

type Web = DiGraph<Node, Label>;

/// Tasks and the order between them. Never has a cycle.
#[derive(Clone, Debug)]
pub struct Graph {
    web: Web,
    tasks: usize,
    dropped: Vec<Edge>,
    /// The order in which the list was swept: all inferred edges go forward in it.
    sequence: Vec<TaskId>,
}

impl Graph {
    /// Builds the graph of a list; `shapes` has one entry for each of its tasks.
    pub fn build(list: &TaskList, shapes: &[Shape], order: Order) -> Result<Self, Cycle> {
        assert_eq!(list.tasks.len(), shapes.len(), "BUG: one shape for a task");
        let tasks = list.tasks.len();
        let explicit = explicit::web(list);
        let sequence = explicit::sequence(list, &explicit)?;
        let mut web = explicit.clone();
        sweep::infer(&mut web, list, shapes, &sequence, order);
        let dropped = if sequence.is_sorted() {
            Vec::new()
        } else {
            let mut listed = explicit;
            let from = listed.edge_count();
            let natural: Vec<_> = (0..tasks).map(task_id).collect();
            sweep::infer(&mut listed, list, shapes, &natural, order);
            contrary(&listed, from, &sequence)
        };
        Ok(Self {
            web,
            tasks,
            dropped,
            sequence,
        })
    }

    /// All tasks, so that every edge goes forward.
    pub fn sequence(&self) -> &[TaskId] {
        &self.sequence
    }

    /// How many tasks there are.
    pub fn len(&self) -> usize {
        self.tasks
    }

    /// Whether there are no tasks.
    pub fn is_empty(&self) -> bool {
        self.tasks == 0
    }

    /// How many edges are stored, those from and to anchors counted: what the graph costs.
    pub fn stored_edges(&self) -> usize {
        self.web.edge_count()
    }

    /// What a task waits for, in listed order. Anchors are looked through, so this may be long; what
    /// follows from other edges is left out where the index left it out.
    pub fn edges_into(&self, task: TaskId) -> Vec<Edge> {
        let mut edges = BTreeSet::new();
        for edge in self.web.edges_directed(node(task), Direction::Incoming) {
            let label = edge.weight();
            for from in sources(&self.web, edge.source(), |_| true) {
                edges.insert(Edge {
                    from,
                    to: task,
                    kind: label.kind.clone(),
                    condition: label.condition,
                });
            }
        }
        edges.into_iter().collect()
    }

    /// All edges, by the task that waits.
    pub fn edges(&self) -> impl Iterator<Item = Edge> + '_ {
        (0..self.tasks).flat_map(|index| self.edges_into(task_id(index)))
    }

    /// Inferred edges that gave way to explicit ones: in listed order, `from` came before `to`.
    pub fn dropped(&self) -> &[Edge] {
        &self.dropped
    }

    /// How many nodes there are, tasks first; and the edges: from, to, kind, condition.
    pub(crate) fn layout(
        &self,
    ) -> (
        usize,
        impl Iterator<Item = (usize, usize, &Kind, Condition)>,
    ) {
        let edges = self.web.edge_references().map(|edge| {
            let label = edge.weight();
            let (from, to) = (edge.source().index(), edge.target().index());
            (from, to, &label.kind, label.condition)
        });
        (self.web.node_count(), edges)
    }
}

/// Pairs of tasks of one host (given so that edges go forward) that touch the same thing where at
/// least one of them touches something that has other names, too: the earlier comes first.
pub(crate) fn linked(
    list: &TaskList,
    shapes: &[Shape],
    tasks: &[TaskId],
    others: &dyn Fn(&Thing) -> Vec<Thing>,
) -> Vec<(TaskId, TaskId)> {
    sweep::linked(list, shapes, tasks, others)
}

/// The tasks an edge comes from: the node itself, or those behind an anchor that `wanted` lets in.
fn sources(web: &Web, start: NodeIndex, wanted: impl Fn(NodeIndex) -> bool) -> Vec<TaskId> {
    let (mut found, mut open, mut met) = (Vec::new(), vec![start], BTreeSet::new());
    while let Some(next) = open.pop() {
        match web[next] {
            Node::Task(task) => found.push(task),
            Node::Anchor => open.extend(
                web.neighbors_directed(next, Direction::Incoming)
                    .filter(|&n| wanted(n) && met.insert(n)),
            ),
        }
    }
    found
}

/// The inferred edges of `listed` that `sequence` turns round.
fn contrary(listed: &Web, explicit: usize, sequence: &[TaskId]) -> Vec<Edge> {
    let mut latest = vec![0; listed.node_count()];
    for (rank, task) in sequence.iter().enumerate() {
        latest[task.index()] = rank;
    }
    // Anchors are added after what they wait for, so one pass tells the latest task behind each.
    for anchor in sequence.len()..latest.len() {
        let behind = listed.neighbors_directed(NodeIndex::new(anchor), Direction::Incoming);
        latest[anchor] = behind.map(|n| latest[n.index()]).max().unwrap_or(0);
    }
    let mut edges = BTreeSet::new();
    for edge in listed.edge_references().skip(explicit) {
        let Node::Task(to) = listed[edge.target()] else {
            continue;
        };
        let late = |n: NodeIndex| latest[n.index()] > latest[to.index()];
        if late(edge.source()) {
            edges.extend(
                sources(listed, edge.source(), late)
                    .into_iter()
                    .map(|from| Edge {
                        from,
                        to,
                        kind: edge.weight().kind.clone(),
                        condition: edge.weight().condition,
                    }),
            );
        }
    }
    edges.into_iter().collect()
}

fn node(task: TaskId) -> NodeIndex {
    NodeIndex::new(task.index())
}

fn task_id(index: usize) -> TaskId {
    TaskId(u32::try_from(index).expect("fewer than 2^32 tasks"))
}

fn connect(web: &mut Web, from: NodeIndex, to: NodeIndex, kind: Kind) {
    let condition = kind.condition();
    web.add_edge(from, to, Label { kind, condition });
}

/// A node that stands for all of `from`.
fn anchor(web: &mut Web, from: impl IntoIterator<Item = NodeIndex>, kind: &Kind) -> NodeIndex {
    let anchor = web.add_node(Node::Anchor);
    for source in from {
        connect(web, source, anchor, kind.clone());
    }
    anchor
}
