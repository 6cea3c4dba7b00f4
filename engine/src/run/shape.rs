//! What is known of tasks before any host was asked: the ground of the graph. Pure.

use std::{collections::BTreeSet, sync::Arc};

use super::{aliases, walk::NoResults};
use crate::{
    graph::Shape,
    module::{Bound, Nature},
    task::{Resolved, Task, TaskId, TaskList},
    thing::{Thing, Touches},
};

/// Reads and writes of a task: what its keys say, else what its module says.
pub(super) fn touches(task: &Task, bound: &dyn Bound) -> (Vec<Thing>, Vec<Thing>) {
    let touches = bound.touches();
    match (bound.nature(), &task.reads, &task.writes) {
        (Nature::Command | Nature::State, Some(reads), Some(writes)) => {
            (reads.clone(), writes.clone())
        }
        (Nature::Command, Some(reads), None) => (reads.clone(), Vec::new()),
        (Nature::Command, None, Some(writes)) => (vec![Thing::Everything], writes.clone()),
        (Nature::State, Some(reads), None) => (reads.clone(), touches.writes),
        // What touches everything may read everything.
        (Nature::State, None, Some(writes)) if touches.writes.contains(&Thing::Everything) => {
            (vec![Thing::Everything], writes.clone())
        }
        (Nature::State, None, Some(writes)) => (touches.reads, writes.clone()),
        _ => (touches.reads, touches.writes),
    }
}

/// The tasks whose condition is false before any host was asked.
pub(super) fn surely_skipped(list: &TaskList) -> BTreeSet<TaskId> {
    let skips = |task: &Task| {
        task.body
            .resolve(&NoResults)
            .is_ok_and(|found| found.is_skipped())
    };
    (0..)
        .map(TaskId)
        .zip(&list.tasks)
        .filter(|(_, task)| skips(task))
        .map(|(id, _)| id)
        .collect()
}

/// What each task touches, as far as that is known before any host was asked.
pub(super) fn shapes(list: &TaskList) -> Vec<Shape> {
    let shape = |task: &Task| {
        let resolved = task.body.resolve(&NoResults);
        let bounds: Vec<Arc<dyn Bound>> = match resolved.or_else(|_| task.body.foresee(&NoResults))
        {
            Ok(Resolved::One(bound)) => vec![bound],
            Ok(Resolved::Loop(turns)) => turns.into_iter().filter_map(|t| t.body.ok()).collect(),
            Ok(Resolved::Skip(_)) => Vec::new(),
            Err(_) => {
                return Shape {
                    touches: None,
                    nature: Nature::State,
                    long: false,
                };
            }
        };
        let mut all = Touches::default();
        for bound in &bounds {
            let (reads, writes) = touches(task, bound.as_ref());
            all.reads.extend(reads);
            all.writes.extend(writes);
            let touches = bound.touches();
            all.commutes = touches.commutes;
            all.links.extend(touches.links);
        }
        let nature = bounds
            .first()
            .map_or(Nature::Passive, |bound| bound.nature());
        Shape {
            touches: Some(all),
            nature,
            long: false,
        }
    };
    let mut shapes = list.tasks.iter().map(shape).collect::<Vec<_>>();
    aliases::add(list, &mut shapes);
    shapes
}
