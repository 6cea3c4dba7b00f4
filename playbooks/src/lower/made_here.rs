//! Files of this machine that the run itself makes: what reads them waits for what makes them.
//!
//! `fetch` brings them, and so does each task that is done on this machine.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use evenkeel_engine::{HostId, Nature, Registry, Task, TaskId, Thing, Value};

use super::{
    args::in_playbook,
    include,
    program::{Form, Program},
};
use crate::{
    looked::{Looked, whole},
    open,
    vars::Scope,
};

/// The arguments that name what a task makes.
const MADE: [&str; 2] = ["dest", "path"];

/// The folders of a playbook and of a role whose files are written by people.
const OWN: [&str; 3] = ["files", "templates", "vars"];

/// Tasks that make files on this machine, in listed order.
#[derive(Debug, Default)]
pub(super) struct Makers {
    /// The machines of the list that are this one.
    here: BTreeSet<HostId>,
    by_path: BTreeMap<PathBuf, Vec<Maker>>,
    /// Those of which it is not known what they make.
    anything: Vec<Maker>,
}

#[derive(Clone, Debug)]
struct Maker {
    task: TaskId,
    name: String,
    /// For which host; nothing: for all of the play.
    host: Option<String>,
    /// Whether it makes what is below its path, too.
    below: bool,
    /// Of a command that may write everything: where. Such commands come one after the other, so that who waits for the
    /// last has waited for all of them.
    last_at: Option<HostId>,
}

/// Who makes something, and what it is called.
pub(super) type Awaited = (TaskId, String);

impl Makers {
    /// None yet; `here`: which machines of the list are this one.
    pub(super) fn new(here: BTreeSet<HostId>) -> Self {
        Self {
            here,
            ..Self::default()
        }
    }

    /// Notes what a task makes. `host`: for which; nothing for all of its play.
    pub(super) fn note(
        &mut self,
        (id, task): (TaskId, &Task),
        (program, scope): (&Program, &Scope),
        registry: &Registry,
        host: Option<&str>,
    ) {
        let Some(module) = registry.get(&program.module.value) else {
            return;
        };
        let fetches = module.name() == "fetch";
        if !fetches && !self.here.contains(&task.host) || module.nature() == Nature::Passive {
            return;
        }
        let command = module.nature() == Nature::Command;
        let made = match &task.writes {
            Some(writes) if !writes.contains(&Thing::Everything) => {
                Some(writes.iter().filter_map(path_of).collect())
            }
            _ if command => None,
            _ => paths(program, scope),
        };
        let maker = Maker {
            task: id,
            name: task.name.clone(),
            host: host.map(str::to_owned),
            below: module.name() != "file",
            last_at: (command && made.is_none()).then_some(task.host),
        };
        if let Some(made) = made {
            for path in made {
                self.by_path.entry(path).or_default().push(maker.clone());
            }
            return;
        }
        if maker.last_at.is_some() {
            let before =
                |other: &Maker| (other.last_at, &other.host) == (maker.last_at, &maker.host);
            self.anything.retain(|other| !before(other));
        }
        self.anything.push(maker);
    }

    /// The makers of what a task looked for on this machine. `before`: tasks from this one on are
    /// copies of it for other hosts.
    pub(super) fn of(
        &self,
        looked: &Looked,
        scope: &Scope,
        host: &str,
        before: TaskId,
    ) -> Vec<Awaited> {
        let mut found: BTreeMap<TaskId, &Maker> = BTreeMap::new();
        if looked.is_empty() || (self.by_path.is_empty() && self.anything.is_empty()) {
            return Vec::new();
        }
        let earlier = |maker: &&Maker| maker.task < before;
        for path in looked.keys() {
            let all: Vec<&Maker> = self.along(path).into_iter().filter(earlier).collect();
            add(&mut found, &all, host);
        }
        let nothing_there = !looked.is_empty() && !looked.values().any(|there| *there);
        // What belongs to the playbook is seldom rewritten by a command that it runs.
        let folders = scope.search_folders().iter();
        let own: Vec<PathBuf> = folders
            .flat_map(|folder| OWN.map(|kind| whole(&folder.join(kind))))
            .collect();
        let foreign = |path: &Path| !own.iter().any(|folder| path.starts_with(folder));
        let outside = looked.iter().any(|(path, there)| *there && foreign(path));
        if found.is_empty() && (nothing_there || outside) {
            let all: Vec<&Maker> = self.anything.iter().filter(earlier).collect();
            add(&mut found, &all, host);
        }
        let named = |(task, maker): (TaskId, &Maker)| (task, maker.name.clone());
        found.into_iter().map(named).collect()
    }

    /// All makers: who looks for what only results tell may look for what any of them makes. Where something of the
    /// names is known, those that may make what fits `wanted`, a place and a pattern.
    pub(super) fn all(
        &self,
        wanted: Option<&[(PathBuf, String)]>,
        host: &str,
        before: TaskId,
    ) -> Vec<Awaited> {
        let fits = |path: &Path, maker: &Maker| {
            let mut wanted = wanted.into_iter().flatten();
            wanted.any(|(place, pattern)| may_make(path, maker, place, pattern))
        };
        let known = self.by_path.iter().flat_map(|(path, makers)| {
            let makers = makers.iter();
            makers.filter(move |maker| wanted.is_none() || fits(path, maker))
        });
        let all = known.chain(&self.anything);
        let all: Vec<&Maker> = all.filter(|maker| maker.task < before).collect();
        let mut found: BTreeMap<TaskId, &Maker> = BTreeMap::new();
        add(&mut found, &all, host);
        let named = |(task, maker): (TaskId, &Maker)| (task, maker.name.clone());
        found.into_iter().map(named).collect()
    }

    /// Whether somebody surely makes something that a task looked for.
    pub(super) fn make(&self, looked: &Looked, before: TaskId) -> bool {
        let mut along = looked.keys().flat_map(|path| self.along(path));
        along.any(|maker| maker.task < before)
    }

    /// Those that make a path, what is above it, or what is below it.
    fn along(&self, path: &Path) -> Vec<&Maker> {
        let mut found: Vec<&Maker> = Vec::new();
        for above in path.ancestors().skip(1) {
            let makers = self.by_path.get(above).into_iter().flatten();
            found.extend(makers.filter(|maker| maker.below));
        }
        let below = self.by_path.range(path.to_owned()..);
        let below = below.take_while(|(other, _)| other.starts_with(path));
        found.extend(below.flat_map(|(_, makers)| makers));
        found
    }
}

/// Whether what is made at a path may be, or hold, what fits a pattern in a place.
fn may_make(path: &Path, maker: &Maker, place: &Path, pattern: &str) -> bool {
    let (deeper, last) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    let name = path.file_name().and_then(|name| name.to_str());
    maker.below && place.starts_with(path)
        || path.starts_with(place)
            && (!deeper.is_empty() || name.is_some_and(|name| open::fits(name, last)))
}

/// Those for the host itself, if there are any.
fn add<'m>(found: &mut BTreeMap<TaskId, &'m Maker>, all: &[&'m Maker], host: &str) {
    let own = |maker: &&&Maker| maker.host.as_deref().is_none_or(|of| of == host);
    let any_own = all.iter().any(|maker| own(&maker));
    let those = all.iter().filter(|maker| !any_own || own(maker));
    found.extend(those.map(|maker| (maker.task, *maker)));
}

fn path_of(thing: &Thing) -> Option<PathBuf> {
    match thing {
        Thing::Path(path) | Thing::Tree(path) => Some(whole(Path::new(path))),
        _ => None,
    }
}

/// What a task makes; nothing if that is not known.
fn paths(program: &Program, scope: &Scope) -> Option<Vec<PathBuf>> {
    let mut paths = Vec::new();
    if program.has_rest() {
        return None;
    }
    for turn in include::turns(program, scope) {
        let variables = turn.variables();
        for arg in MADE.iter().filter_map(|name| program.arg(name)) {
            let Form::Tree(tree) = &arg.form else {
                return None;
            };
            match tree.render(&variables) {
                Ok(Value::Str(path)) => paths.push(whole(Path::new(&in_playbook(&path, scope)))),
                Ok(Value::Null) => {}
                _ => return None,
            }
        }
    }
    Some(paths)
}
