//! What of a list and its graph a schedule needs, laid out flat and shared between clones.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

use crate::{
    BlockId, Graph, HostId, Part, Task, TaskId, TaskList,
    graph::{Condition, Kind, groups},
};

/// What a node passes on to those that wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carry {
    /// Only that it has ended.
    Nothing,
    /// A failure that no rescue takes.
    Failure,
    /// Every failure.
    Anything,
}

/// To whom, and what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub(super) to: usize,
    pub(super) carry: Carry,
}

/// A block, on one host.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    /// Whether there is something that takes a failure of its body.
    pub(super) has_rescue: bool,
    /// The tasks of all its parts, by rank.
    pub(super) nodes: Vec<usize>,
}

#[derive(Clone, Debug)]
struct Info {
    /// Place in the list.
    rank: u32,
    host: HostId,
    /// Whose task it is, wherever it is done.
    owner: HostId,
    handler: bool,
    /// Whether a failure leaves it its turn, if its play says so.
    forced: Option<bool>,
    /// Outermost first; numbers of [`Layout::blocks`].
    blocks: Arc<[(usize, Part)]>,
    play: usize,
    family: usize,
    /// Copies of one task for several hosts share it.
    group: usize,
    /// How many percent of its play's hosts may have failed, and it with them.
    bears: Option<u32>,
}

fn hosts_by(list: &TaskList, by: impl Fn(&Task) -> u32) -> Vec<BTreeSet<HostId>> {
    let mut all: Vec<BTreeSet<HostId>> = Vec::new();
    for task in &list.tasks {
        let at = by(task) as usize;
        if all.len() <= at {
            all.resize(at + 1, BTreeSet::new());
        }
        all[at].insert(list.owner(task.host));
    }
    all
}

/// Nodes are the tasks of the list, then anchors, then tasks that others became.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    listed: usize,
    anchors: usize,
    /// Of tasks; by id.
    infos: Vec<Info>,
    /// By node.
    pub(super) links: Vec<Vec<Link>>,
    /// The tasks that are done on each host, by rank.
    pub(super) hosts: Vec<Vec<usize>>,
    /// The tasks of each host, by rank; those too that it has done elsewhere.
    pub(super) owned: Vec<Vec<usize>>,
    pub(super) blocks: Vec<Block>,
    /// The hosts of each play, and of all batches of one.
    play_hosts: Vec<BTreeSet<HostId>>,
    family_hosts: Vec<BTreeSet<HostId>>,
}

impl Layout {
    /// With the number of nodes that each node waits for.
    pub(super) fn new(list: &TaskList, graph: &Graph) -> (Self, Vec<u32>) {
        let (nodes, edges) = graph.layout();
        let mut links = vec![Vec::new(); nodes];
        let mut waits = vec![0; nodes];
        for (from, to, kind, condition) in edges {
            let carry = match (kind, condition) {
                (Kind::After, _) => Carry::Anything,
                (_, Condition::OnSuccess) => Carry::Failure,
                _ => Carry::Nothing,
            };
            links[from].push(Link { to, carry });
            waits[to] += 1;
        }
        let mut layout = Self {
            listed: list.tasks.len(),
            anchors: nodes - list.tasks.len(),
            infos: Vec::with_capacity(list.tasks.len()),
            links,
            hosts: vec![Vec::new(); list.hosts.len()],
            owned: vec![Vec::new(); list.hosts.len()],
            blocks: Vec::new(),
            play_hosts: hosts_by(list, |task| task.play),
            family_hosts: hosts_by(list, |task| task.family),
        };
        let groups = groups(list);
        let mut numbers: BTreeMap<(BlockId, HostId), usize> = BTreeMap::new();
        for (node, task) in list.tasks.iter().enumerate() {
            let owner = list.owner(task.host);
            layout.hosts[task.host.index()].push(node);
            layout.owned[owner.index()].push(node);
            let mut path = Vec::with_capacity(task.blocks.len());
            for &(block, part) in &task.blocks {
                let new = layout.blocks.len();
                let number = *numbers.entry((block, owner)).or_insert(new);
                if number == new {
                    layout.blocks.push(Block::default());
                }
                let block = &mut layout.blocks[number];
                block.has_rescue |= part == Part::Rescue && task.selected;
                block.nodes.push(node);
                path.push((number, part));
            }
            layout.infos.push(Info {
                rank: u32::try_from(node).expect("fewer than 2^32 tasks"),
                host: task.host,
                owner,
                handler: task.handler,
                forced: task.forced,
                blocks: path.into(),
                play: task.play as usize,
                family: task.family as usize,
                group: groups[node],
                bears: task.bears,
            });
        }
        (layout, waits)
    }

    pub(super) fn node(&self, task: TaskId) -> usize {
        match task.index() {
            id if id < self.listed => id,
            id => id + self.anchors,
        }
    }

    pub(super) fn is_anchor(&self, node: usize) -> bool {
        (self.listed..self.listed + self.anchors).contains(&node)
    }

    /// How many tasks there are by now.
    pub(super) fn infos(&self) -> usize {
        self.infos.len()
    }

    fn id(&self, node: usize) -> usize {
        assert!(!self.is_anchor(node), "BUG: an anchor is taken for a task");
        if node < self.listed {
            node
        } else {
            node - self.anchors
        }
    }

    pub(super) fn task(&self, node: usize) -> TaskId {
        TaskId(u32::try_from(self.id(node)).expect("fewer than 2^32 tasks"))
    }

    pub(super) fn host(&self, node: usize) -> HostId {
        self.infos[self.id(node)].host
    }

    /// Whose it is: a failure is this host's.
    pub(super) fn owner(&self, node: usize) -> HostId {
        self.infos[self.id(node)].owner
    }

    pub(super) fn rank(&self, node: usize) -> u32 {
        self.infos[self.id(node)].rank
    }

    pub(super) fn blocks_of(&self, node: usize) -> &[(usize, Part)] {
        &self.infos[self.id(node)].blocks
    }

    /// Its play, how many hosts that has, and how many percent of them may fail.
    pub(super) fn limit(&self, node: usize) -> (usize, usize, Option<u32>) {
        let info = &self.infos[self.id(node)];
        (info.play, self.play_hosts[info.play].len(), info.bears)
    }

    /// How many plays there are.
    pub(super) fn plays(&self) -> usize {
        self.play_hosts.len()
    }

    /// The hosts of its play, over all batches.
    pub(super) fn fellows(&self, node: usize) -> impl Iterator<Item = HostId> {
        let family = self.infos[self.id(node)].family;
        self.family_hosts[family].iter().copied()
    }

    /// Whether two tasks are copies of one for several hosts.
    pub(super) fn are_copies(&self, one: usize, other: usize) -> bool {
        let (one, other) = (&self.infos[self.id(one)], &self.infos[self.id(other)]);
        one.group == other.group
    }

    /// Those of `nodes` (by rank) that are listed after a task.
    pub(super) fn later<'a>(&self, nodes: &'a [usize], than: usize) -> &'a [usize] {
        let rank = self.rank(than);
        &nodes[nodes.partition_point(|&node| self.rank(node) <= rank)..]
    }

    /// Whether `late` is a handler that has its turn though `early` failed; `usually`: where its play
    /// does not say.
    pub(super) fn is_forced(&self, early: usize, late: usize, usually: bool) -> bool {
        let (early, late) = (&self.infos[self.id(early)], &self.infos[self.id(late)]);
        let forced = late.handler && late.forced.unwrap_or(usually);
        forced && (early.owner, early.play) == (late.owner, late.play)
    }

    /// Whether `late` stands in a later part of a block that `early` stands in: a failure of
    /// `early` is what it is there for.
    pub(super) fn shields(&self, early: usize, late: usize) -> bool {
        let (early, late) = (self.blocks_of(early), self.blocks_of(late));
        let fork = early.iter().zip(late).find(|(a, b)| a != b);
        fork.is_some_and(|(a, b)| a.0 == b.0 && a.1 < b.1)
    }

    /// Adds `into` tasks behind `node` in the list, chained, and `node` after the last of them.
    pub(super) fn expand(&mut self, node: usize, into: usize) -> Range<usize> {
        let new = self.links.len()..self.links.len() + into;
        let info = self.infos[self.id(node)].clone();
        let count = u32::try_from(into).expect("fewer than 2^32 tasks");
        let at = self.hosts[info.host.index()].partition_point(|&n| self.rank(n) <= info.rank);
        self.hosts[info.host.index()]
            .splice(at..at, new.clone())
            .for_each(drop);
        let at = self.owned[info.owner.index()].partition_point(|&n| self.rank(n) <= info.rank);
        self.owned[info.owner.index()]
            .splice(at..at, new.clone())
            .for_each(drop);
        for &(block, _) in &*info.blocks {
            let nodes = &self.blocks[block].nodes;
            let at = nodes.partition_point(|&n| self.rank(n) <= info.rank);
            let nodes = &mut self.blocks[block].nodes;
            nodes.splice(at..at, new.clone()).for_each(drop);
        }
        for other in &mut self.infos {
            if other.rank > info.rank {
                other.rank += count;
            }
        }
        for (rank, child) in (info.rank + 1..).zip(new.clone()) {
            let info = Info {
                rank,
                ..info.clone()
            };
            self.infos.push(info);
            let whole = Link {
                to: node,
                carry: Carry::Anything,
            };
            let next = Link {
                to: child + 1,
                carry: Carry::Failure,
            };
            let is_last = child + 1 == new.end;
            self.links.push(if is_last {
                vec![whole]
            } else {
                vec![whole, next]
            });
        }
        new
    }
}
