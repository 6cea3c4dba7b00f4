//! A cycle of explicit edges, told whole.

use std::fmt;

use petgraph::{Direction, graph::NodeIndex, visit::EdgeRef};

use super::{Kind, Node, Web};
use crate::{Place, TaskId, TaskList};

/// Tasks that wait for each other by what the user wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// Each waits for the next one, the last one for the first.
    pub links: Vec<CycleLink>,
}

/// One task of a [`Cycle`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CycleLink {
    /// Which.
    pub task: TaskId,
    /// What people call it.
    pub name: String,
    /// The name of its host.
    pub host: String,
    /// Where it is written.
    pub place: Option<Place>,
    /// Why it waits for the next one.
    pub kind: Kind,
}

impl fmt::Display for CycleLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` on {}", self.name, self.host)?;
        match &self.place {
            Some(place) => write!(f, " ({place})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tasks wait for each other, so none of them can start:")?;
        for (index, link) in self.links.iter().enumerate() {
            let next = &self.links[(index + 1) % self.links.len()];
            write!(f, "\n  {link} waits for {next}: {}", link.kind)?;
        }
        f.write_str("\nremove one of these ties")
    }
}

impl std::error::Error for Cycle {}

/// A cycle among the nodes that could not be put in order. Each of them waits for another one of
/// them, so following any of these backwards must come round.
pub(super) fn find(list: &TaskList, web: &Web, stuck: impl Fn(NodeIndex) -> bool) -> Cycle {
    let mut path: Vec<(NodeIndex, Kind)> = Vec::new();
    let mut met = vec![usize::MAX; web.node_count()];
    let mut at = web
        .node_indices()
        .find(|&n| stuck(n))
        .expect("BUG: a cycle without nodes");
    while met[at.index()] == usize::MAX {
        met[at.index()] = path.len();
        let edge = web
            .edges_directed(at, Direction::Incoming)
            .filter(|edge| stuck(edge.source()))
            .min_by_key(EdgeRef::source)
            .expect("BUG: a node that waits for nothing is stuck");
        path.push((at, edge.weight().kind.clone()));
        at = edge.source();
    }
    let links = path.drain(met[at.index()]..).filter_map(|(at, kind)| {
        let Node::Task(id) = web[at] else {
            return None;
        };
        let task = &list.tasks[id.index()];
        Some(CycleLink {
            task: id,
            name: task.name.clone(),
            host: list.hosts[task.host.index()].name.clone(),
            place: task.place.clone(),
            kind,
        })
    });
    let mut links: Vec<_> = links.collect();
    // Begin with the one that is listed first.
    if let Some(first) = (0..links.len()).min_by_key(|&index| links[index].task) {
        links.rotate_left(first);
    }
    Cycle { links }
}
