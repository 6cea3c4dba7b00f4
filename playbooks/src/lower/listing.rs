//! The order in which a reader finds a play's tasks, with the handlers at each flush.

use std::{collections::BTreeSet, sync::Arc};

use evenkeel_engine::Part;

use crate::{
    ast::{Block, Common, Item, MetaAction, Play, Task},
    template::Fault,
    vars::Layer,
};

/// A task as it is listed.
#[derive(Clone)]
pub(crate) struct Entry<'a> {
    /// The task.
    pub(crate) task: &'a Task,
    /// Its keywords and those around it, the outermost first.
    pub(crate) commons: Vec<&'a Common>,
    /// Variables of what is around it and its own, the highest first.
    pub(crate) layers: Vec<Arc<Layer>>,
    /// The blocks it stands in, numbered over the play.
    pub(crate) blocks: Vec<(usize, Part)>,
    /// Of a handler: the entries since the last flush, whose notices it serves.
    pub(crate) serves: Option<std::ops::Range<usize>>,
    /// Of a handler: how often it stood before.
    pub(crate) repeated: usize,
}

/// A play as a list.
pub(crate) struct Listing<'a> {
    /// Tasks in order.
    pub(crate) entries: Vec<Entry<'a>>,
    /// How many blocks there are.
    pub(crate) blocks: usize,
    /// Tags of what is no task: a flush of handlers.
    pub(crate) more_tags: BTreeSet<&'a str>,
}

/// A list that is being made.
struct Builder<'a, 's> {
    entries: Vec<Entry<'a>>,
    blocks: usize,
    more_tags: BTreeSet<&'a str>,
    handlers: Vec<&'a Task>,
    since: usize,
    flushed: usize,
    seen: BTreeSet<usize>,
    /// Handlers see the play's keywords and variables, wherever they are flushed.
    play: Around<'a>,
    /// Whether tags are selected.
    selected: &'s dyn Fn(&[&str]) -> bool,
}

#[derive(Clone)]
struct Around<'a> {
    commons: Vec<&'a Common>,
    layers: Vec<Arc<Layer>>,
    blocks: Vec<(usize, Part)>,
}

impl<'a> Around<'a> {
    fn inside(&self, common: &'a Common, faults: &mut Vec<Fault>) -> Self {
        let mut commons = self.commons.clone();
        commons.push(common);
        let mut layers = Vec::new();
        if !common.vars.is_empty() {
            layers.push(Arc::new(Layer::new(&common.vars, faults)));
        }
        layers.extend(self.layers.iter().cloned());
        Self {
            commons,
            layers,
            blocks: self.blocks.clone(),
        }
    }
}

/// Lists a play.
pub(crate) fn list<'a>(
    play: &'a Play,
    selected: &dyn Fn(&[&str]) -> bool,
    faults: &mut Vec<Fault>,
) -> Listing<'a> {
    let around = Around {
        commons: Vec::new(),
        layers: Vec::new(),
        blocks: Vec::new(),
    }
    .inside(&play.common, faults);
    let mut listing = Builder {
        entries: Vec::new(),
        blocks: 0,
        more_tags: BTreeSet::new(),
        handlers: last_of_each_name(&play.handlers),
        since: 0,
        flushed: 0,
        seen: BTreeSet::new(),
        play: around.clone(),
        selected,
    };
    for section in [&play.pre_tasks, &play.tasks, &play.post_tasks] {
        listing.items(section, &around, faults);
        listing.flush(&[], faults);
    }
    Listing {
        entries: listing.entries,
        blocks: listing.blocks,
        more_tags: listing.more_tags,
    }
}

/// Of two handlers of one name the last counts.
fn last_of_each_name(handlers: &[Task]) -> Vec<&Task> {
    let name = |task: &Task| task.name.as_ref().map(|name| name.value.clone());
    handlers
        .iter()
        .enumerate()
        .filter(|(index, task)| {
            name(task).is_none()
                || !handlers[index + 1..]
                    .iter()
                    .any(|later| name(later) == name(task))
        })
        .map(|(_, task)| task)
        .collect()
}

impl<'a> Builder<'a, '_> {
    fn items(&mut self, items: &'a [Item], around: &Around<'a>, faults: &mut Vec<Fault>) {
        for item in items {
            match item {
                Item::Task(task) => self.task(task, around, None, 0, faults),
                Item::Block(block) => self.block(block, around, faults),
                Item::Meta(meta) => {
                    let commons = around.commons.iter().copied().chain([&meta.common]);
                    let tags: Vec<&'a str> = commons
                        .flat_map(|common| &common.tags)
                        .map(|tag| tag.value.as_str())
                        .collect();
                    self.more_tags.extend(&tags);
                    if meta.action.value == MetaAction::FlushHandlers && (self.selected)(&tags) {
                        self.flush(&around.blocks, faults);
                    }
                }
            }
        }
    }

    fn block(&mut self, block: &'a Block, around: &Around<'a>, faults: &mut Vec<Fault>) {
        let number = self.blocks;
        self.blocks += 1;
        let inside = around.inside(&block.common, faults);
        let parts = [
            (&block.body, Part::Body),
            (&block.rescue, Part::Rescue),
            (&block.always, Part::Always),
        ];
        for (items, part) in parts {
            let mut blocks = around.blocks.clone();
            blocks.push((number, part));
            let here = Around {
                commons: inside.commons.clone(),
                layers: inside.layers.clone(),
                blocks,
            };
            self.items(items, &here, faults);
        }
    }

    fn task(
        &mut self,
        task: &'a Task,
        around: &Around<'a>,
        serves: Option<std::ops::Range<usize>>,
        repeated: usize,
        faults: &mut Vec<Fault>,
    ) {
        let inside = around.inside(&task.common, faults);
        self.entries.push(Entry {
            task,
            commons: inside.commons,
            layers: inside.layers,
            blocks: inside.blocks,
            serves,
            repeated,
        });
    }

    /// Puts the handlers here, if anything was listed since they stood last.
    fn flush(&mut self, blocks: &[(usize, Part)], faults: &mut Vec<Fault>) {
        if self.since == self.entries.len() {
            return;
        }
        let around = Around {
            blocks: blocks.to_vec(),
            ..self.play.clone()
        };
        let since = self.since;
        for (index, handler) in self.handlers.clone().into_iter().enumerate() {
            let repeated = if self.seen.insert(index) {
                0
            } else {
                self.flushed
            };
            let until = self.entries.len();
            self.task(handler, &around, Some(since..until), repeated, faults);
        }
        self.flushed += 1;
        self.since = self.entries.len();
    }
}
