//! The order in which a reader finds a play's tasks, with the handlers at each flush.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use evenkeel_engine::Part;

use crate::{
    ast::{Block, Called, Common, Ends, Item, MetaAction, Part as Brought, Play, Task},
    template::Fault,
    vars::{Layer, Levels},
};

/// A task as it is listed.
#[derive(Clone)]
pub(crate) struct Entry<'a> {
    /// How many are listed before it.
    pub(crate) at: usize,
    /// The task.
    pub(crate) task: &'a Task,
    /// Its keywords and those around it, the outermost first.
    pub(crate) commons: Vec<&'a Common>,
    /// Variables of what is around it and its own; folders, hosts.
    pub(crate) levels: Arc<Levels>,
    /// Of which role it is.
    pub(crate) role: Option<Arc<str>>,
    /// Of what an include among handlers brings in: by which names that is called.
    pub(crate) called: Option<Arc<Called>>,
    /// Of a handler: on which hosts another one of the same name counts in its place.
    pub(crate) hidden: Arc<Cover>,
    /// The blocks it stands in, numbered over the play.
    pub(crate) blocks: Vec<(usize, Part)>,
    /// Of a handler: the entries since the last flush, whose notices it serves.
    pub(crate) serves: Option<std::ops::Range<usize>>,
    /// Of a handler: which of the play's it is.
    pub(crate) number: usize,
    /// Of a handler: how often it stood before.
    pub(crate) repeated: usize,
    /// The entries before it that may end the play.
    pub(crate) ended_by: Arc<[usize]>,
    /// Whether a rescue catches its failure.
    pub(crate) rescued: bool,
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
    /// Those of them that have a rescue.
    rescued: BTreeSet<usize>,
    more_tags: BTreeSet<&'a str>,
    handlers: Vec<Handler<'a>>,
    since: usize,
    flushed: usize,
    /// By handler, where it stood last.
    stood: BTreeMap<usize, usize>,
    /// The entries so far that may end the play.
    ended_by: Arc<[usize]>,
    /// Those of them that end only the role at hand.
    role_ended_by: Vec<usize>,
    /// Whether tags are selected.
    selected: &'s dyn Fn(&[&str]) -> bool,
}

/// A handler, with what is around it where it is written.
#[derive(Clone)]
struct Handler<'a> {
    task: &'a Task,
    around: Around<'a>,
    hidden: Arc<Cover>,
}

/// Hosts on which something is there already.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cover {
    all: bool,
    hosts: BTreeSet<String>,
}

impl Cover {
    /// Whether a host is among them.
    pub(crate) fn has(&self, host: &str) -> bool {
        self.all || self.hosts.contains(host)
    }

    fn add(&mut self, hosts: Option<&BTreeSet<String>>) {
        match hosts {
            None => self.all = true,
            Some(hosts) => self.hosts.extend(hosts.iter().cloned()),
        }
    }

    /// Whether all of these are among them.
    fn covers(&self, hosts: Option<&BTreeSet<String>>) -> bool {
        self.all || hosts.is_some_and(|hosts| hosts.is_subset(&self.hosts))
    }
}

#[derive(Clone)]
struct Around<'a> {
    commons: Vec<&'a Common>,
    levels: Arc<Levels>,
    role: Option<Arc<str>>,
    called: Option<Arc<Called>>,
    blocks: Vec<(usize, Part)>,
}

impl<'a> Around<'a> {
    fn inside(&self, common: &'a Common, faults: &mut Vec<Fault>) -> Self {
        let mut inside = self.clone();
        inside.commons.push(common);
        if !common.vars.is_empty() {
            let layer = Arc::new(Layer::new(&common.vars, faults));
            inside.levels = Arc::new(self.levels.with(layer));
        }
        inside
    }

    /// Within what was brought in, which has its variables already.
    fn within(&self, part: &'a Brought) -> Self {
        let mut within = self.clone();
        within.commons.push(&part.common);
        within.levels = Arc::clone(&part.levels);
        within.role.clone_from(&part.role);
        if within.called.is_none() {
            within.called.clone_from(&part.called);
        }
        within
    }

    /// All tags here, and more.
    fn tags(&self, more: &'a [crate::files::Spanned<String>]) -> Vec<&'a str> {
        let tags = self.commons.iter().flat_map(|common| &common.tags);
        tags.chain(more).map(|tag| tag.value.as_str()).collect()
    }
}

/// Lists a play; `levels` are those of the play itself.
pub(crate) fn list<'a>(
    play: &'a Play,
    levels: &Arc<Levels>,
    selected: &dyn Fn(&[&str]) -> bool,
    faults: &mut Vec<Fault>,
) -> Listing<'a> {
    let around = Around {
        commons: vec![&play.common],
        levels: Arc::clone(levels),
        role: None,
        called: None,
        blocks: Vec::new(),
    };
    let mut listing = Builder {
        entries: Vec::new(),
        blocks: 0,
        rescued: BTreeSet::new(),
        more_tags: BTreeSet::new(),
        handlers: handlers(play, &around, faults),
        since: 0,
        flushed: 0,
        stood: BTreeMap::new(),
        ended_by: Arc::default(),
        role_ended_by: Vec::new(),
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

/// The handlers of a play. Of two of one name and role the last counts; of two of one name in several roles
/// the last counts unless the role is named.
fn handlers<'a>(play: &'a Play, around: &Around<'a>, faults: &mut Vec<Fault>) -> Vec<Handler<'a>> {
    let mut all = Vec::new();
    collect(&play.handlers, around, &mut all, faults);
    let (mut names, mut kept) = (BTreeMap::new(), BTreeMap::new());
    let mut found: Vec<Handler<'a>> = Vec::new();
    // What the last include brought in: how it is called, where it is hidden, and whether it is there at all.
    let mut include: Option<(Arc<Called>, Arc<Cover>, bool)> = None;
    for mut handler in all.into_iter().rev() {
        let called = handler.around.called.clone();
        if let (Some(called), Some((same, hidden, kept))) = (&called, &include)
            && Arc::ptr_eq(called, same)
        {
            handler.hidden = Arc::clone(hidden);
            if *kept {
                found.push(handler);
            }
            continue;
        }
        let name = match &called {
            Some(called) => called.name.clone(),
            None => handler.task.name.clone(),
        };
        let Some(name) = name.map(|name| name.value) else {
            include = called.map(|called| (called, Arc::default(), true));
            found.push(handler);
            continue;
        };
        let hosts = handler.around.levels.hosts.clone();
        let of_name: &mut Cover = names.entry(name.clone()).or_default();
        handler.hidden = Arc::new(of_name.clone());
        of_name.add(hosts.as_deref());
        let same: &mut Cover = kept.entry((handler.around.role.clone(), name)).or_default();
        let covered = same.covers(hosts.as_deref());
        include = called.map(|called| (called, Arc::clone(&handler.hidden), !covered));
        if covered {
            continue;
        }
        if !same.hosts.is_empty() {
            // It is there for the others.
            if let Some(hosts) = &hosts {
                let left = hosts.difference(&same.hosts).cloned().collect();
                handler.around.levels = Arc::new(Levels {
                    hosts: Some(Arc::new(left)),
                    ..(*handler.around.levels).clone()
                });
            }
        }
        same.add(hosts.as_deref());
        found.push(handler);
    }
    found.reverse();
    found
}

fn collect<'a>(
    items: &'a [Item],
    around: &Around<'a>,
    all: &mut Vec<Handler<'a>>,
    faults: &mut Vec<Fault>,
) {
    for item in items {
        match item {
            Item::Task(task) => all.push(Handler {
                task,
                around: around.clone(),
                hidden: Arc::default(),
            }),
            Item::Part(part) => collect(&part.body, &around.within(part), all, faults),
            // Each of its tasks is a handler by itself.
            Item::Block(block) => {
                let inside = around.inside(&block.common, faults);
                collect(&block.body, &inside, all, faults);
            }
            // `meta` has become a task where it was read.
            Item::Meta(_) | Item::Include(_) => {}
        }
    }
}

impl<'a> Builder<'a, '_> {
    fn items(&mut self, items: &'a [Item], around: &Around<'a>, faults: &mut Vec<Fault>) {
        for item in items {
            match item {
                Item::Task(task) => self.task(task, around, None, faults),
                Item::Block(block) => self.block(block, around, faults),
                Item::Meta(meta) => {
                    let tags = around.tags(&meta.common.tags);
                    self.more_tags.extend(&tags);
                    if meta.action.value == MetaAction::FlushHandlers && (self.selected)(&tags) {
                        self.flush(&around.blocks, faults);
                    }
                }
                Item::Part(part) => self.part(part, around, faults),
                // What could not be brought in has been told.
                Item::Include(_) => {}
            }
        }
    }

    fn part(&mut self, part: &'a Brought, around: &Around<'a>, faults: &mut Vec<Fault>) {
        if let Some(own) = &part.own_tags {
            let tags = around.tags(own);
            self.more_tags.extend(&tags);
            if !(self.selected)(&tags) {
                return;
            }
        }
        if !part.is_role {
            return self.items(&part.body, &around.within(part), faults);
        }
        let outer = std::mem::take(&mut self.role_ended_by);
        self.items(&part.body, &around.within(part), faults);
        let inner = std::mem::replace(&mut self.role_ended_by, outer);
        if !inner.is_empty() {
            let all = self.ended_by.iter().copied();
            self.ended_by = all.filter(|index| !inner.contains(index)).collect();
        }
    }

    fn block(&mut self, block: &'a Block, around: &Around<'a>, faults: &mut Vec<Fault>) {
        let number = self.blocks;
        self.blocks += 1;
        self.rescued
            .extend((!block.rescue.is_empty()).then_some(number));
        let inside = around.inside(&block.common, faults);
        let parts = [
            (&block.body, Part::Body),
            (&block.rescue, Part::Rescue),
            (&block.always, Part::Always),
        ];
        for (items, part) in parts {
            let mut here = inside.clone();
            here.blocks.push((number, part));
            self.items(items, &here, faults);
        }
    }

    fn task(
        &mut self,
        task: &'a Task,
        around: &Around<'a>,
        served: Option<Served>,
        faults: &mut Vec<Fault>,
    ) {
        let inside = around.inside(&task.common, faults);
        let served = served.unwrap_or_default();
        let catches =
            |(number, part): &(usize, Part)| *part == Part::Body && self.rescued.contains(number);
        self.entries.push(Entry {
            at: self.entries.len(),
            rescued: inside.blocks.iter().any(catches),
            task,
            commons: inside.commons,
            levels: inside.levels,
            role: inside.role,
            called: inside.called,
            blocks: inside.blocks,
            hidden: served.hidden,
            serves: served.entries,
            number: served.number,
            repeated: served.repeated,
            ended_by: Arc::clone(&self.ended_by),
        });
        if task.ends.is_some() {
            let index = self.entries.len() - 1;
            let all = self.ended_by.iter().copied();
            self.ended_by = all.chain([index]).collect();
            if task.ends == Some(Ends::Role) {
                self.role_ended_by.push(index);
            }
        }
    }

    /// Puts the handlers here, if anything was listed since they stood last.
    fn flush(&mut self, blocks: &[(usize, Part)], faults: &mut Vec<Fault>) {
        // What a handler notifies that stood before it has its turn at the next flush.
        let mut of_handlers = self.handlers.iter();
        let echoes = of_handlers.any(|handler| !handler.task.common.notify.is_empty());
        if self.since == self.entries.len() && !echoes {
            return;
        }
        for (index, handler) in self.handlers.clone().into_iter().enumerate() {
            let here = self.entries.len();
            let stood = self.stood.get(&index).copied();
            if self.role_ended_by.is_empty() && blocks.is_empty() {
                self.stood.insert(index, here);
            } else {
                // It may not come to that: then what was notified waits on. What has been served is not served again.
                self.stood.entry(index).or_insert(0);
            }
            let repeated = if stood.is_none() { 0 } else { self.flushed };
            let served = Served {
                entries: Some(stood.unwrap_or(0)..here),
                number: index,
                repeated,
                hidden: handler.hidden,
            };
            let mut around = handler.around;
            around.blocks = blocks.to_vec();
            self.task(handler.task, &around, Some(served), faults);
        }
        self.flushed += 1;
        self.since = self.entries.len();
    }
}

/// How a handler stands where it is flushed.
#[derive(Default)]
struct Served {
    entries: Option<std::ops::Range<usize>>,
    number: usize,
    repeated: usize,
    hidden: Arc<Cover>,
}
