//! What may start when: a pure data structure over a [`Graph`], without tasks, I/O or clocks.
//!
//! - A task can be decided once all that it waits for has ended; of those that can, the one listed
//!   first is next.
//! - A failure unwinds its host by the blocks its task stands in. What is listed after it is
//!   blocked, up to the rescue that takes it; without one, to the end of the host.
//! - Beyond that, being blocked travels along edges: to other hosts, and with
//!   [`FailureRule::KeepGoing`] on the host itself.
//!
//! A clone is cheap (flat vectors; the graph is shared), so that a run can look ahead with one.

mod layout;
#[cfg(test)]
mod tests;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    ops::Range,
    sync::Arc,
};

use layout::{Block, Carry, Layout, Link};

use crate::{Graph, HostId, Part, TaskId, TaskList};

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Well, or its failure is ignored.
    Done,
    /// It was not to run.
    Skipped,
    /// It failed.
    Failed,
}

/// What a failure that no rescue takes means for its host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailureRule {
    /// Nothing that is listed after it starts there.
    #[default]
    EndHost,
    /// Only what depends on it does not start.
    KeepGoing,
}

/// What comes next on a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Its turn has come: [`Schedule::start`] or [`Schedule::finish`] it.
    Run(TaskId),
    /// The rescue of a block that did not fail: [`Schedule::dismiss`] it without a word.
    NotNeeded(TaskId),
    /// It must not run; report it and [`Schedule::dismiss`] it.
    Blocked {
        /// Which.
        task: TaskId,
        /// The task whose failure is behind it.
        by: TaskId,
    },
    /// Nothing can be decided before a task that runs, or another host, has come further.
    Waiting,
    /// All tasks of the host have ended.
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Waits, or its turn has come.
    Open,
    Running,
    /// Became other tasks, which run for it.
    Expanded,
    Done,
    Failed,
    /// It failed, and a rescue takes that.
    Rescued,
    /// A failure that a rescue takes came before it in the block.
    PassedOver,
    Blocked,
}

impl State {
    fn has_ended(self) -> bool {
        !matches!(self, Self::Open | Self::Running | Self::Expanded)
    }

    /// Whether what waits for it with this carry must not run.
    fn blocks(self, carry: Carry) -> bool {
        match self {
            Self::Failed | Self::Blocked => carry != Carry::Nothing,
            Self::Rescued | Self::PassedOver => carry == Carry::Anything,
            _ => false,
        }
    }
}

/// Why a task must not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Blame {
    by: TaskId,
    /// Whether a rescue takes the failure, so that the host goes on.
    rescued: bool,
}

/// The tasks of one host that can be decided, by their place in the list.
#[derive(Clone, Debug, Default)]
struct Queue {
    /// May hold tasks that have been taken meanwhile, but not on top.
    ready: BinaryHeap<Reverse<(u32, u32)>>,
    open: usize,
}

/// The state of a run: what has ended, what runs, what may be next.
#[derive(Clone, Debug)]
pub struct Schedule {
    layout: Arc<Layout>,
    rule: FailureRule,
    /// Whether handlers whose play does not say have their turn after a failure.
    force_handlers: bool,
    states: Vec<State>,
    waits: Vec<u32>,
    blames: Vec<Option<Blame>>,
    /// What would have blocked a task that runs.
    missed: BTreeMap<usize, Blame>,
    /// Blocks (by their number in the layout) whose failure a rescue takes.
    failed_blocks: Vec<bool>,
    /// The hosts that failed in each play.
    failed_hosts: Vec<BTreeSet<HostId>>,
    hosts: Vec<Queue>,
    open: usize,
}

impl Schedule {
    /// Nothing has started.
    pub fn new(list: &TaskList, graph: &Graph, rule: FailureRule) -> Self {
        let (layout, waits) = Layout::new(list, graph);
        let mut schedule = Self {
            rule,
            force_handlers: false,
            states: vec![State::Open; waits.len()],
            blames: vec![None; waits.len()],
            missed: BTreeMap::new(),
            failed_blocks: vec![false; layout.blocks.len()],
            failed_hosts: vec![BTreeSet::new(); layout.plays()],
            hosts: vec![Queue::default(); list.hosts.len()],
            open: list.tasks.len(),
            waits,
            layout: Arc::new(layout),
        };
        for task in &list.tasks {
            schedule.hosts[task.host.index()].open += 1;
        }
        let free: Vec<_> = (0..schedule.waits.len())
            .filter(|&node| schedule.waits[node] == 0)
            .collect();
        for node in free {
            schedule.ready(node);
        }
        schedule
    }

    /// Whether handlers have their turn after a failure on their host, where their play does not say.
    pub fn force_handlers(&mut self, force: bool) {
        self.force_handlers = force;
    }

    /// The first task in listed order on this host that can be decided now. Tasks that run hold up
    /// only what waits for them.
    pub fn next(&self, host: HostId) -> Next {
        let queue = &self.hosts[host.index()];
        let Some(&Reverse((_, node))) = queue.ready.peek() else {
            return if queue.open == 0 {
                Next::Over
            } else {
                Next::Waiting
            };
        };
        let task = self.layout.task(node as usize);
        if !self.is_needed(node as usize) {
            return Next::NotNeeded(task);
        }
        match self.blames[node as usize] {
            Some(Blame { by, .. }) => Next::Blocked { task, by },
            None => Next::Run(task),
        }
    }

    /// A task runs (a long step, or it was sent): others may be next meanwhile.
    pub fn start(&mut self, task: TaskId) {
        let node = self.layout.node(task);
        self.assert_turn(node);
        self.states[node] = State::Running;
        self.tidy(self.layout.host(node));
    }

    /// It turns out that one task has to wait for another of its host; the graph knows of no way
    /// back. Nothing happens where either has gone too far for that.
    pub fn wait(&mut self, from: TaskId, to: TaskId) {
        let (from, to) = (self.layout.node(from), self.layout.node(to));
        if self.states[from].has_ended() || self.states[to] != State::Open {
            return;
        }
        let link = Link {
            to,
            carry: Carry::Failure,
        };
        Arc::make_mut(&mut self.layout).links[from].push(link);
        self.waits[to] += 1;
        let host = self.layout.host(to);
        let queue = &mut self.hosts[host.index()].ready;
        queue.retain(|Reverse((_, node))| *node as usize != to);
        self.tidy(host);
    }

    /// A task that was started is to be decided anew: what was begun of it is lost.
    pub fn put_back(&mut self, task: TaskId) {
        let node = self.layout.node(task);
        assert!(
            self.states[node] == State::Running,
            "BUG: task {} does not run",
            task.0
        );
        self.states[node] = State::Open;
        // What failed meanwhile did not stop it; it keeps it from starting again.
        self.blames[node] = self.blames[node].or(self.missed.remove(&node));
        self.ready(node);
    }

    /// A task whose turn had come has ended.
    pub fn finish(&mut self, task: TaskId, ended: Ended) {
        let node = self.layout.node(task);
        if self.states[node] != State::Running {
            self.assert_turn(node);
            if !self.is_needed(node) || self.blames[node].is_some() {
                return self.dismiss(task);
            }
        }
        let state = match ended {
            Ended::Done | Ended::Skipped => State::Done,
            Ended::Failed if self.rescued(task) => State::Rescued,
            Ended::Failed => State::Failed,
        };
        if ended == Ended::Failed {
            self.unwind(node);
        }
        self.end(node, state);
    }

    /// A task that [`Schedule::next`] called blocked or not needed is dealt with.
    pub fn dismiss(&mut self, task: TaskId) {
        let node = self.layout.node(task);
        self.assert_turn(node);
        let state = if self.is_needed(node) {
            assert!(
                self.blames[node].is_some(),
                "BUG: task {} was dismissed at its turn",
                task.0
            );
            self.verdict(node)
        } else {
            State::Done
        };
        self.end(node, state);
    }

    /// Nothing starts on a host any more, not even rescue and always: it cannot be reached (`by`:
    /// the task that found out), or the run was stopped. Without `by` there is nothing to blame, and
    /// what has not started is dropped without a word. What runs may end.
    pub fn end_host(&mut self, host: HostId, by: Option<TaskId>) {
        let layout = Arc::clone(&self.layout);
        for &node in &layout.hosts[host.index()] {
            if self.states[node] != State::Open {
                continue;
            }
            let task = layout.task(node);
            // No rescue can take an earlier failure any more.
            let blamed = self.blames[node].map_or(by.unwrap_or(task), |old| old.by);
            self.blames[node] = Some(Blame {
                by: blamed,
                rescued: false,
            });
            if by.is_none() {
                self.end(node, State::Blocked);
            }
        }
    }

    /// A host cannot be reached any more: what runs there has failed, and nothing more is done.
    pub fn lose_host(&mut self, host: HostId) {
        let layout = Arc::clone(&self.layout);
        let nodes = &layout.hosts[host.index()];
        for &node in nodes {
            if self.states[node] == State::Running {
                self.finish(layout.task(node), Ended::Failed);
            }
        }
        let next = nodes.iter().find(|node| self.states[**node] == State::Open);
        if let Some(next) = next {
            self.fail_play(*next);
        }
        self.end_host(host, None);
    }

    /// A task whose turn has come turns out to be `into` tasks: a loop or an include that is named
    /// by results. They stand at its place in the list, one after the other, on its host and in
    /// its blocks; what waited for it waits for all of them. Returns their ids, which follow all
    /// ids given so far.
    pub fn expand(&mut self, task: TaskId, into: usize) -> Range<u32> {
        let node = self.layout.node(task);
        self.assert_turn(node);
        let count = u32::try_from(into).expect("fewer than 2^32 tasks");
        let layout = Arc::make_mut(&mut self.layout);
        let new = layout.expand(node, into);
        let host = layout.host(node);
        let first = u32::try_from(layout.infos()).expect("fewer than 2^32 tasks") - count;
        if into == 0 {
            self.end(node, State::Done);
            return first..first;
        }
        self.states[node] = State::Expanded;
        self.states.resize(new.end, State::Open);
        self.blames.resize(new.end, None);
        // Each waits for the one before it, and `task` for all of them.
        self.waits.resize(new.end, 1);
        self.waits[new.start] = 0;
        self.waits[node] = count;
        self.open += into;
        self.hosts[host.index()].open += into;
        // Places in the list have moved.
        for queue in &mut self.hosts {
            let ready = std::mem::take(&mut queue.ready).into_iter();
            let key = |node| Reverse((self.layout.rank(node as usize), node));
            queue.ready = ready.map(|Reverse((_, node))| key(node)).collect();
        }
        self.ready(new.start);
        self.tidy(host);
        first..first + count
    }

    /// Whether a task can be finished: it runs, or its turn has come.
    pub fn is_turn(&self, task: TaskId) -> bool {
        let node = self.layout.node(task);
        match self.states[node] {
            State::Running => true,
            State::Open => self.waits[node] == 0,
            _ => false,
        }
    }

    /// Whether a task was started and has not ended.
    pub fn is_running(&self, task: TaskId) -> bool {
        self.states[self.layout.node(task)] == State::Running
    }

    /// Whether all tasks have ended.
    pub fn is_over(&self) -> bool {
        self.open == 0
    }

    /// Whether a rescue takes the failure of this task.
    pub fn rescued(&self, task: TaskId) -> bool {
        let blocks = self.layout.blocks_of(self.layout.node(task));
        blocks
            .iter()
            .any(|&(block, part)| part == Part::Body && self.layout.blocks[block].has_rescue)
    }

    /// Whether every block whose rescue it belongs to has failed.
    fn is_needed(&self, node: usize) -> bool {
        let mut blocks = self.layout.blocks_of(node).iter();
        blocks.all(|&(block, part)| part != Part::Rescue || self.failed_blocks[block])
    }

    fn assert_turn(&self, node: usize) {
        assert!(
            self.states[node] == State::Open && self.waits[node] == 0,
            "BUG: it is not the turn of task {}",
            self.layout.task(node).0
        );
    }

    /// A failure: blocks what is listed after it, block by block from the inside, up to the rescue
    /// that takes it.
    fn unwind(&mut self, failed: usize) {
        let layout = Arc::clone(&self.layout);
        let by = layout.task(failed);
        let rescued = self.rescued(by);
        if !rescued {
            self.fail_play(failed);
        }
        if !rescued && self.rule == FailureRule::KeepGoing {
            return;
        }
        let blame = Blame { by, rescued };
        for &(block, part) in layout.blocks_of(failed).iter().rev() {
            let Block { has_rescue, nodes } = &layout.blocks[block];
            for &node in layout.later(nodes, failed) {
                if layout.blocks_of(node).contains(&(block, part)) {
                    self.blame(failed, node, blame);
                }
            }
            if part == Part::Body && *has_rescue {
                self.failed_blocks[block] = true;
                return;
            }
        }
        for &node in layout.later(&layout.owned[layout.owner(failed).index()], failed) {
            self.blame(failed, node, blame);
        }
    }

    /// A failure that nobody takes may be one too many for its play: then it ends on all its hosts.
    /// The same task still runs on those that have not come to it.
    fn fail_play(&mut self, failed: usize) {
        let layout = Arc::clone(&self.layout);
        let (play, hosts, bears) = layout.limit(failed);
        self.failed_hosts[play].insert(layout.owner(failed));
        let count = self.failed_hosts[play].len();
        if bears.is_none_or(|bears| count * 100 <= bears as usize * hosts) {
            return;
        }
        let blame = Blame {
            by: layout.task(failed),
            rescued: false,
        };
        for host in layout
            .fellows(failed)
            .filter(|host| *host != layout.owner(failed))
        {
            let nodes = &layout.owned[host.index()];
            // What its own copy stands in says what still runs: `always`.
            let copy = nodes.iter().find(|node| layout.are_copies(failed, **node));
            for &node in layout.later(nodes, failed) {
                if !layout.are_copies(failed, node) {
                    self.blame(copy.copied().unwrap_or(failed), node, blame);
                }
            }
        }
    }

    fn blame(&mut self, failed: usize, node: usize, blame: Blame) {
        if self.layout.shields(failed, node)
            || self.layout.is_forced(failed, node, self.force_handlers)
        {
            return;
        }
        if self.states[node] == State::Running {
            self.missed.entry(node).or_insert(blame);
        }
        if self.states[node] != State::Open {
            return;
        }
        match &mut self.blames[node] {
            // The rescue that took the first failure is itself blocked by this one.
            Some(old) => old.rescued &= blame.rescued,
            none => *none = Some(blame),
        }
    }

    /// A node has ended: passes that on.
    fn end(&mut self, node: usize, state: State) {
        let layout = Arc::clone(&self.layout);
        let mut ended = vec![(node, state)];
        while let Some((node, state)) = ended.pop() {
            self.states[node] = state;
            if !layout.is_anchor(node) {
                self.open -= 1;
                self.hosts[layout.host(node).index()].open -= 1;
                self.tidy(layout.host(node));
            }
            for &Link { to, carry } in &layout.links[node] {
                if state.blocks(carry) {
                    self.pass_on(node, to);
                }
                self.waits[to] -= 1;
                if self.waits[to] > 0 || self.states[to].has_ended() {
                    continue;
                }
                if layout.is_anchor(to) || self.states[to] == State::Expanded {
                    ended.push((to, self.verdict(to)));
                } else {
                    self.ready(to);
                }
            }
        }
    }

    /// `from` ended so that `to` must not run.
    fn pass_on(&mut self, from: usize, to: usize) {
        let by = match self.blames[from] {
            Some(blame) if self.states[from] != State::Failed => blame.by,
            _ => self.layout.task(from),
        };
        let (origin, is_task) = (self.layout.node(by), !self.layout.is_anchor(to));
        if is_task
            && (self.layout.shields(origin, to)
                || self.layout.is_forced(origin, to, self.force_handlers))
        {
            // What comes after a handler that has its turn anyhow still waits for what failed.
            for at in 0..self.layout.links[to].len() {
                let Link { to: next, carry } = self.layout.links[to][at];
                if carry != Carry::Nothing && self.states[next] == State::Open {
                    self.pass_on(from, next);
                }
            }
            return;
        }
        // The tasks that one became are what it is: if a rescue takes theirs, it takes its failure.
        let taken = matches!(self.states[from], State::Rescued | State::PassedOver);
        let rescued = taken && self.states[to] == State::Expanded;
        self.blames[to].get_or_insert(Blame { by, rescued });
    }

    /// How a node ends that does not run itself.
    fn verdict(&self, node: usize) -> State {
        match self.blames[node] {
            None => State::Done,
            Some(Blame { rescued: true, .. }) => State::PassedOver,
            Some(_) => State::Blocked,
        }
    }

    fn ready(&mut self, node: usize) {
        if self.layout.is_anchor(node) {
            // Only one that stands for nothing is free from the start.
            self.end(node, State::Done);
            return;
        }
        let key = (
            self.layout.rank(node),
            u32::try_from(node).expect("fewer than 2^32 nodes"),
        );
        self.hosts[self.layout.host(node).index()]
            .ready
            .push(Reverse(key));
    }

    /// Takes from the top of a queue what is no longer to be decided.
    fn tidy(&mut self, host: HostId) {
        let queue = &mut self.hosts[host.index()];
        while let Some(Reverse((_, node))) = queue.ready.peek()
            && self.states[*node as usize] != State::Open
        {
            queue.ready.pop();
        }
    }
}
