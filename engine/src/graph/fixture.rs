//! Lists of tasks without machines, for tests of order.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;

use super::{Cycle, Graph, Order, Shape};
use crate::{
    HostId, Nature, Outputs, Resolved, Stop, Task, TaskId, TaskList, Thing, Touches,
    host::{Exchange, Host, HostError, Reply, Stopping, Traffic},
};

struct Nowhere;

#[async_trait]
impl Host for Nowhere {
    async fn exchange(&self, _: Exchange) -> Result<Reply, HostError> {
        unreachable!("a test of order asks no host")
    }
    async fn stop(&self, _: &Stopping) -> Result<(), HostError> {
        unreachable!("a test of order stops no host")
    }
    fn traffic(&self) -> Traffic {
        Traffic::default()
    }
}

/// A list with the shapes of its tasks.
pub(crate) struct Lot {
    pub(crate) list: TaskList,
    pub(crate) shapes: Vec<Shape>,
}

impl Lot {
    pub(crate) fn new(hosts: usize) -> Self {
        let mut list = TaskList::new("test");
        for host in 0..hosts {
            list.host(format!("h{host}"), Arc::new(Nowhere));
        }
        Self {
            list,
            shapes: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, host: u32, touches: Touches) -> TaskId {
        let skip =
            |_: &dyn Outputs| -> Result<Resolved, Stop> { Ok(Resolved::Skip(String::new())) };
        let name = format!("t{}", self.list.tasks.len());
        let task = Task::resolved(name, "test", Arc::new(skip)).on(HostId(host));
        self.shapes.push(Shape {
            touches: Some(touches),
            nature: Nature::State,
            long: false,
        });
        self.list.task(task)
    }

    pub(crate) fn nature(&mut self, task: TaskId, nature: Nature) -> TaskId {
        self.shapes[task.index()].nature = nature;
        task
    }

    pub(crate) fn edit(&mut self, task: TaskId) -> &mut Task {
        &mut self.list.tasks[task.index()]
    }

    pub(crate) fn graph(&self) -> Graph {
        self.try_graph(Order::Inferred).expect("there is no cycle")
    }

    pub(crate) fn try_graph(&self, order: Order) -> Result<Graph, Cycle> {
        Graph::build(&self.list, &self.shapes, order)
    }
}

pub(crate) fn path(path: &str) -> Thing {
    Thing::Path(path.to_owned())
}

pub(crate) fn tree(path: &str) -> Thing {
    Thing::Tree(path.to_owned())
}

/// For each task all that it waits for, directly or not.
pub(crate) fn closure(count: usize, edges: &[(TaskId, TaskId)]) -> Vec<BTreeSet<TaskId>> {
    let mut behind = vec![BTreeSet::new(); count];
    for &(from, to) in edges {
        behind[to.index()].insert(from);
    }
    loop {
        let before: usize = behind.iter().map(BTreeSet::len).sum();
        for at in 0..count {
            let more: BTreeSet<TaskId> = behind[at]
                .iter()
                .flat_map(|task: &TaskId| behind[task.index()].iter().copied())
                .collect();
            behind[at].extend(more);
        }
        if behind.iter().map(BTreeSet::len).sum::<usize>() == before {
            return behind;
        }
    }
}
