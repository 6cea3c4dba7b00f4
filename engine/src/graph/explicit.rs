//! Explicit edges, and the order that they leave.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
};

use petgraph::{Direction, graph::NodeIndex};

use super::{Condition, Cycle, Kind, Label, Node, Web, anchor, connect, cycle, node, task_id};
use crate::{BlockId, HostId, Part, TaskId, TaskList};

/// All tasks with the explicit edges between them.
pub(super) fn web(list: &TaskList) -> Web {
    let mut web = Web::new();
    for index in 0..list.tasks.len() {
        web.add_node(Node::Task(task_id(index)));
    }
    for (index, task) in list.tasks.iter().enumerate() {
        let to = NodeIndex::new(index);
        for (kind, sources) in [
            (Kind::After, &task.after),
            (Kind::Data, &task.needs),
            (Kind::Trigger, &task.triggers),
        ] {
            let distinct: BTreeSet<_> = sources.iter().copied().collect();
            for from in distinct {
                // A task may read what it registered itself in an earlier run of a loop.
                if kind == Kind::After || from.index() != index {
                    connect(&mut web, node(from), to, kind.clone());
                }
            }
        }
    }
    blocks(&mut web, list);
    web
}

/// Rescue tasks wait for the body, always tasks for both.
fn blocks(web: &mut Web, list: &TaskList) {
    let mut parts: BTreeMap<(BlockId, HostId), BTreeMap<Part, Vec<NodeIndex>>> = BTreeMap::new();
    for (index, task) in list.tasks.iter().enumerate() {
        for (block, part) in &task.blocks {
            let block = parts.entry((*block, list.owner(task.host))).or_default();
            block.entry(*part).or_default().push(NodeIndex::new(index));
        }
    }
    for mut block in parts.into_values() {
        let mut part = |part| block.remove(&part).unwrap_or_default();
        let (body, rescue, always) = (part(Part::Body), part(Part::Rescue), part(Part::Always));
        if rescue.is_empty() && always.is_empty() {
            continue;
        }
        let end_of_body = anchor(web, body, &Kind::Block);
        for task in &rescue {
            let label = Label {
                kind: Kind::Block,
                condition: Condition::OnFailure,
            };
            web.add_edge(end_of_body, *task, label);
        }
        if always.is_empty() {
            continue;
        }
        let end = anchor(web, rescue.into_iter().chain([end_of_body]), &Kind::Block);
        for task in always {
            connect(web, end, task, Kind::Block);
        }
    }
}

/// The order in which the tasks mean what they say: listed order, but a task comes after what it
/// explicitly waits for. It is the waiting task that moves, not what it waits for.
pub(super) fn sequence(list: &TaskList, web: &Web) -> Result<Vec<TaskId>, Cycle> {
    let mut waiting: Vec<usize> = web
        .node_indices()
        .map(|n| web.neighbors_directed(n, Direction::Incoming).count())
        .collect();
    // Anchors go first: nothing is gained by holding up what is behind them.
    let key = |n: NodeIndex| match web[n] {
        Node::Anchor => (0, n),
        Node::Task(_) => (1, n),
    };
    let mut ready: BinaryHeap<_> = web
        .node_indices()
        .filter(|n| waiting[n.index()] == 0)
        .map(|n| Reverse(key(n)))
        .collect();
    let mut sequence = Vec::with_capacity(list.tasks.len());
    while let Some(Reverse((_, next))) = ready.pop() {
        if let Node::Task(task) = web[next] {
            sequence.push(task);
        }
        for after in web.neighbors(next) {
            waiting[after.index()] -= 1;
            if waiting[after.index()] == 0 {
                ready.push(Reverse(key(after)));
            }
        }
    }
    if sequence.len() == list.tasks.len() {
        Ok(sequence)
    } else {
        Err(cycle::find(list, web, |n| waiting[n.index()] > 0))
    }
}
