//! The order between tasks whose paths meet through links: found out once the host was asked where
//! they lead.

use std::sync::Arc;

use super::{
    decide::Question,
    decided::Decided,
    drive::Loop,
    known::{Known, Who},
};
use crate::{
    effects::paths::{joined, parent},
    graph::{self, Graph, Order, Shape},
    module::Nature,
    probe::{AnyProbe, ask},
    probes::{RealPath, Stat},
    schedule::Schedule,
    step::Action,
    task::{TaskId, TaskList},
    thing::Thing,
};

/// What the graph was made of, by host.
pub(super) struct Ground {
    shapes: Vec<Shape>,
    /// The tasks of each host, so that edges go forward.
    hosts: Vec<Vec<TaskId>>,
    in_order: bool,
}

impl Ground {
    pub(super) fn new(list: &TaskList, shapes: Vec<Shape>, graph: &Graph, order: Order) -> Self {
        let mut hosts = vec![Vec::new(); list.hosts.len()];
        for id in graph.sequence() {
            hosts[list.tasks[id.index()].host.index()].push(*id);
        }
        Self {
            shapes,
            hosts,
            in_order: order == Order::InOrder,
        }
    }

    /// The paths of which it matters where they lead. What a task writes is written where its
    /// directory is; of what a command names, and of trees, the last part may be a link, too.
    fn paths<'a>(&'a self, tasks: &'a [TaskId]) -> impl Iterator<Item = &'a str> {
        let of = |id: &TaskId| {
            let shape = &self.shapes[id.index()];
            let whole = shape.nature == Nature::Command;
            let touches = shape.touches.iter();
            let things = touches.flat_map(|touches| touches.reads.iter().chain(&touches.writes));
            things.filter_map(move |thing| match thing {
                Thing::Path(path) if !whole => parent(path),
                Thing::Path(path) | Thing::Tree(path) => Some(path.as_str()),
                _ => None,
            })
        };
        tasks
            .iter()
            .flat_map(of)
            .filter(|path| path.starts_with('/') && *path != "/")
    }
}

impl Loop {
    /// Asks where paths lead that were not asked for yet; as root if anything becomes root, who may
    /// look everywhere.
    pub(super) fn link_questions(&self) -> Vec<Question> {
        let who = self.who_looks();
        let ground = &self.shared.ground;
        let mut paths: Vec<&str> = ground.paths(&ground.hosts[self.host.index()]).collect();
        paths.sort_unstable();
        paths.dedup();
        let questions = paths
            .into_iter()
            .map(|path| (who, ask(RealPath(path.to_owned()))));
        let open = |(who, probe): &Question| self.known.get(*who, &probe.key()).is_none();
        questions.filter(open).collect()
    }

    /// Where links lead that a task is going to make, as far as that was not looked at: of a link to
    /// a link, or below one, only the first part of the way is known.
    pub(super) fn open_targets(&self, decided: &Decided, known: &Known) -> Vec<Question> {
        let who = self.who_looks();
        let mut open = Vec::new();
        for action in decided.actions() {
            let Action::Link { path, target } = action else {
                continue;
            };
            let to = joined(path, target);
            let dir = parent(&to).unwrap_or("/").to_owned();
            let (real, above) = (ask(RealPath(to.clone())), ask(RealPath(dir)));
            let stat = ask(Stat(to));
            let is_known = |who, probe: &Arc<dyn AnyProbe>| known.get(who, &probe.key()).is_some();
            let seen = is_known(who, &above) && is_known(decided.who, &stat);
            if !seen && !is_known(who, &real) {
                open.extend([(who, real), (who, above)]);
            }
        }
        open
    }

    fn who_looks(&self) -> Who {
        let root = self.identities.iter().position(crate::Identity::is_root);
        root.unwrap_or(0)
    }

    /// Lets tasks wait for those listed before them with which they meet through links.
    pub(super) fn order_by_links(&self, known: &Known, schedule: &mut Schedule) {
        let ground = &self.shared.ground;
        if ground.in_order {
            return;
        }
        let others = |thing: &Thing| known.links().others(thing, true);
        let tasks = &ground.hosts[self.host.index()];
        for (from, to) in graph::linked(&self.shared.list, &ground.shapes, tasks, &others) {
            schedule.wait(from, to);
        }
    }

    /// The same for what is, not for what is foretold; only if something more is known of links.
    pub(super) fn heed_links(&mut self) {
        let version = self.known.links().version();
        if std::mem::replace(&mut self.links_heeded, version) != version {
            let mut state = self.shared.board.state();
            self.order_by_links(&self.known, &mut state.schedule);
        }
    }
}
