//! What a picture of the graph shows: tasks as rows, and which waits for which, and why.

use std::collections::{BTreeMap, BTreeSet};

use evenkeel_engine::{Condition, Graph, HostId, Kind, TaskId, TaskList, run::Masking};

/// Tasks and the order between them.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// The hosts, or groups of hosts whose tasks are the same.
    pub hosts: Vec<String>,
    /// The tasks, host by host, each host's in the order in which they may run.
    pub nodes: Vec<Node>,
    /// Who waits for whom, by the task that waits.
    pub edges: Vec<Edge>,
    /// Order that gave way: `to` is listed after `from`, and does not wait for it.
    pub dropped: Vec<Edge>,
}

/// A task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Which of the hosts.
    pub host: usize,
    /// What people call it.
    pub name: String,
    /// Its `id:`.
    pub id: Option<String>,
    /// The module.
    pub module: String,
    /// `file:line:column`.
    pub source: Option<String>,
    /// The play.
    pub play: String,
    /// Whether it is a handler.
    pub handler: bool,
    /// Whether it only gathers what others read.
    pub silent: bool,
    /// Whether tags select it.
    pub selected: bool,
    /// Its position in the order in which all edges go forward.
    pub turn: usize,
}

/// `to` waits for `from`: positions among the nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Which is waited for.
    pub from: usize,
    /// Which waits.
    pub to: usize,
    /// Why.
    pub why: Vec<Why>,
    /// Whether it follows from other edges, so that drawings need not show it.
    pub implied: bool,
}

/// A reason to wait.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Why {
    /// One word, see [`kind`].
    pub kind: &'static str,
    /// In words.
    pub text: String,
    /// What has to come of the other: `on_success`, `on_failure`, `when_done`.
    pub condition: &'static str,
}

/// What is to be shown.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only the tasks of this host.
    pub host: Option<HostId>,
    /// Only tasks of this name or id, with what they wait for and what waits for them.
    pub task: Option<String>,
    /// Leaves out what is surely skipped: nobody waits for it.
    pub drawing: bool,
}

/// All kinds: what somebody asked for before what was found.
const KINDS: [&str; 10] = [
    "after",
    "data",
    "trigger",
    "block",
    "control",
    "conflict",
    "everything",
    "hosts",
    "play",
    "in_order",
];
/// How many of them somebody asked for.
const ASKED: usize = 4;

impl Why {
    /// Whether it stands between all tasks of hosts or plays.
    pub(super) fn is_wide(&self) -> bool {
        matches!(self.kind, "hosts" | "play" | "in_order")
    }

    fn rank(&self) -> usize {
        let at = KINDS.iter().position(|kind| *kind == self.kind);
        at.expect("BUG: a kind is one of the kinds")
    }
}

/// What says most comes first.
pub(super) fn ranked(why: impl IntoIterator<Item = Why>) -> Vec<Why> {
    let mut why: Vec<_> = why.into_iter().collect();
    why.sort_by(|a, b| (a.rank(), a).cmp(&(b.rank(), b)));
    why.dedup();
    why
}

/// The word for a kind of edge.
pub fn kind(kind: &Kind) -> &'static str {
    match kind {
        Kind::After => "after",
        Kind::Data => "data",
        Kind::Trigger => "trigger",
        Kind::Block => "block",
        Kind::Control => "control",
        Kind::Conflict(_) => "conflict",
        Kind::Everything => "everything",
        Kind::Hosts => "hosts",
        Kind::Play => "play",
        Kind::InOrder => "in_order",
    }
}

fn condition(condition: Condition) -> &'static str {
    match condition {
        Condition::OnSuccess => "on_success",
        Condition::OnFailure => "on_failure",
        Condition::WhenDone => "when_done",
    }
}

impl Edge {
    /// All reasons, in words.
    pub fn text(&self) -> String {
        let texts: Vec<_> = self.why.iter().map(|why| why.text.as_str()).collect();
        texts.join(", ")
    }

    /// The kind that says most: what was asked for before what was found.
    pub fn kind(&self) -> &'static str {
        self.why.first().map_or("after", |why| why.kind)
    }

    /// Whether it holds whatever comes of the other.
    pub fn is_loose(&self) -> bool {
        self.why.iter().all(|why| why.condition == "when_done")
    }
}

impl Picture {
    /// The picture of a list and its graph.
    pub fn of(list: &TaskList, graph: &Graph, wanted: &Wanted) -> Self {
        let masking = Masking::of(list);
        let shown = shown(list, graph, wanted);
        let order = rows(list, graph, &shown);
        let mut hosts = Vec::new();
        let mut places = BTreeMap::new();
        let mut nodes = Vec::new();
        for (id, turn) in order {
            let task = &list.tasks[id.index()];
            let host = *places.entry(task.host).or_insert_with(|| {
                hosts.push(list.hosts[task.host.index()].name.clone());
                hosts.len() - 1
            });
            nodes.push((
                id,
                Node {
                    host,
                    name: masking.text(&task.name),
                    id: task.id.clone(),
                    module: task.module.clone(),
                    source: task.place.as_ref().map(ToString::to_string),
                    play: list
                        .plays
                        .get(task.play as usize)
                        .cloned()
                        .unwrap_or_default(),
                    handler: task.handler,
                    silent: task.silent,
                    selected: task.selected,
                    turn,
                },
            ));
        }
        let at: BTreeMap<_, _> = (nodes.iter().enumerate())
            .map(|(row, (id, _))| (*id, row))
            .collect();
        let edge = |found: &[evenkeel_engine::Edge]| {
            let mut by_pair: BTreeMap<(usize, usize), Vec<Why>> = BTreeMap::new();
            for edge in found {
                let (Some(from), Some(to)) = (at.get(&edge.from), at.get(&edge.to)) else {
                    continue;
                };
                by_pair.entry((*to, *from)).or_default().push(Why {
                    kind: kind(&edge.kind),
                    text: masking.text(&edge.kind.to_string()),
                    condition: condition(edge.condition),
                });
            }
            let edges = by_pair.into_iter().map(|((to, from), why)| Edge {
                from,
                to,
                why: ranked(why),
                implied: false,
            });
            edges.collect::<Vec<_>>()
        };
        let edges = nodes
            .iter()
            .flat_map(|(id, _)| edge(&graph.edges_into(*id)));
        let mut picture = Self {
            edges: edges.collect(),
            dropped: edge(graph.dropped()),
            hosts,
            nodes: nodes.into_iter().map(|(_, node)| node).collect(),
        };
        picture.find_implied();
        picture
    }

    /// Marks what follows from other edges. What somebody wrote is never marked.
    fn find_implied(&mut self) {
        let count = self.nodes.len();
        let words = count.div_ceil(64);
        // For each task, all that it waits for, also through others.
        let mut before = vec![0_u64; count * words];
        let mut into: Vec<Vec<usize>> = vec![Vec::new(); count];
        for (index, edge) in self.edges.iter().enumerate() {
            into[edge.to].push(index);
        }
        let turn = |row: usize| self.nodes[row].turn;
        let mut rows: Vec<_> = (0..count).collect();
        rows.sort_by_key(|row| turn(*row));
        let mut implied = BTreeSet::new();
        for to in rows {
            let mut all = vec![0_u64; words];
            // The latest first: it has most of the others behind it.
            let mut edges = into[to].clone();
            edges.sort_by_key(|edge| std::cmp::Reverse(turn(self.edges[*edge].from)));
            for index in edges {
                let from = self.edges[index].from;
                if all[from / 64] & (1 << (from % 64)) != 0 {
                    implied.insert(index);
                    continue;
                }
                for (word, behind) in all.iter_mut().zip(&before[from * words..]) {
                    *word |= behind;
                }
                all[from / 64] |= 1 << (from % 64);
            }
            before[to * words..][..words].copy_from_slice(&all);
        }
        for index in implied {
            let edge = &mut self.edges[index];
            edge.implied = !edge.why.iter().any(|why| why.rank() < ASKED);
        }
    }

    /// The edges that a drawing shows.
    pub fn drawn(&self) -> impl Iterator<Item = &Edge> {
        self.edges.iter().filter(|edge| !edge.implied)
    }

    /// By node: how many tasks stand before it on its longest way. Nodes that have the same do not wait for each other.
    pub fn depths(&self) -> Vec<usize> {
        let mut edges: Vec<_> = self.edges.iter().collect();
        edges.sort_by_key(|edge| self.nodes[edge.from].turn);
        let mut depths = vec![0; self.nodes.len()];
        for edge in edges {
            depths[edge.to] = depths[edge.to].max(depths[edge.from] + 1);
        }
        depths
    }
}

/// The tasks that are wanted, by their turns.
fn shown(list: &TaskList, graph: &Graph, wanted: &Wanted) -> BTreeMap<TaskId, usize> {
    let of_host = |id: &TaskId| {
        let host = list.tasks[id.index()].host;
        wanted.host.is_none_or(|host_| list.owner(host) == host_)
    };
    let turns = graph.sequence().iter().enumerate();
    let mut all: BTreeMap<_, _> = turns
        .map(|(turn, id)| (*id, turn))
        .filter(|(id, _)| of_host(id))
        .collect();
    if wanted.drawing && wanted.task.is_none() {
        let skipped = evenkeel_engine::run::skipped(list);
        all.retain(|id, _| !skipped.contains(id));
    }
    if let Some(name) = &wanted.task {
        let is = |id: TaskId| {
            let task = &list.tasks[id.index()];
            task.name == *name || task.id.as_ref() == Some(name)
        };
        let mut near: BTreeSet<_> = all.keys().copied().filter(|id| is(*id)).collect();
        let tasks = near.clone();
        for id in all.keys() {
            for edge in graph.edges_into(*id) {
                if tasks.contains(&edge.to) {
                    near.insert(edge.from);
                }
                if tasks.contains(&edge.from) {
                    near.insert(edge.to);
                }
            }
        }
        all.retain(|id, _| near.contains(id));
    }
    all
}

/// Host by host, each host's tasks by their turns.
fn rows(list: &TaskList, graph: &Graph, shown: &BTreeMap<TaskId, usize>) -> Vec<(TaskId, usize)> {
    let mut rows: Vec<_> = graph
        .sequence()
        .iter()
        .filter_map(|id| Some((*id, *shown.get(id)?)))
        .collect();
    rows.sort_by_key(|(id, turn)| {
        let host = list.tasks[id.index()].host;
        (list.owner(host), host, *turn)
    });
    rows
}
