//! Variables: layers of texts that are rendered when they are used.

mod hostvars;
mod levels;
mod looped;
mod magic;
mod tree;

use std::{cell::RefCell, collections::BTreeMap, path::PathBuf, sync::Arc};

use evenkeel_engine::{Map, NotYet, Output, TaskId, Value};

use crate::{
    ast::Vars,
    files::Span,
    open::{ANY, fits},
    template::{Fault, Template, Variable, Variables},
    vault::Keyring,
};

use hostvars::{HostVars, Own};

pub use levels::{Levels, Shown};
pub use looped::{Looped, OfLoop};
pub use magic::{Member, RolesOfPlay, World};
pub use tree::{OMIT, Tree, plain, without_omitted};
pub(crate) use tree::{WRONG, hidden};

/// Variables of one level of precedence.
#[derive(Debug, Default)]
pub struct Layer(BTreeMap<String, Tree>);

impl Layer {
    /// From what is written; mistakes go to `faults`.
    pub fn new(vars: &Vars, faults: &mut Vec<Fault>) -> Self {
        Self(
            vars.iter()
                .map(|(name, node)| (name.value.clone(), Tree::new(node, faults)))
                .collect(),
        )
    }

    /// From values whose texts may be templates; `at` is where they are written, roughly.
    pub fn of_map(map: &Map, at: Option<Span>, faults: &mut Vec<Fault>) -> Self {
        map.iter()
            .map(|(name, value)| (name.clone(), Tree::of_value(value, at, faults)))
            .collect()
    }

    /// From values as they are.
    pub fn values(map: Map) -> Self {
        Self(
            map.into_iter()
                .map(|(name, value)| (name, Tree::Is(value)))
                .collect(),
        )
    }

    /// Puts another layer over this one.
    pub fn over(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// A variable.
    pub fn get(&self, name: &str) -> Option<&Tree> {
        self.0.get(name)
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }
}

impl FromIterator<(String, Tree)> for Layer {
    fn from_iter<I: IntoIterator<Item = (String, Tree)>>(vars: I) -> Self {
        Self(vars.into_iter().collect())
    }
}

/// A task that leaves a variable behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Whose variable it is.
    pub host: Arc<str>,
    /// The variable.
    pub name: String,
    /// The task.
    pub task: TaskId,
    /// How.
    pub how: How,
    /// One more of those that stand for a task of which only the run tells where it is done: only if it is the one.
    pub spare: bool,
    /// Which turns of a loop it had, where others had the others.
    pub share: Option<Arc<Share>>,
    /// The loop of the task.
    pub of_loop: OfLoop,
    /// The files that an `include_vars` may read.
    pub sources: Sources,
}

/// Files of variables, by their paths: what in them is undefined when they are read may be made of what comes later.
#[derive(Clone, Default)]
pub struct Sources(Option<Arc<[Source]>>);

/// A file's path, and what it says.
type Source = (String, Arc<Layer>);

impl Sources {
    /// Of these files.
    pub fn new(files: Vec<(String, Arc<Layer>)>) -> Self {
        Self((!files.is_empty()).then(|| files.into()))
    }

    /// What all of them say of a variable.
    pub fn trees<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Tree> {
        let files = self.0.iter().flat_map(|files| files.iter());
        files.filter_map(move |(_, layer)| layer.get(name))
    }

    /// What one of them says of it.
    fn tree(&self, path: &str, name: &str) -> Option<&Tree> {
        let mut files = self.0.as_ref()?.iter();
        files.find(|(file, _)| file == path)?.1.get(name)
    }
}

impl PartialEq for Sources {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        }
    }
}

impl Eq for Sources {}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let files = self.0.iter().flat_map(|files| files.iter());
        f.debug_list().entries(files.map(|(path, _)| path)).finish()
    }
}

/// Turns of a loop that several tasks have among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The first of all these tasks.
    pub of: TaskId,
    /// Which turns, from 0.
    pub turns: Vec<usize>,
}

impl Written {
    /// Whether only the run tells which variable it is: each part of the name that is not known is [`ANY`].
    pub fn is_open(&self) -> bool {
        matches!(self.how, How::Fact | How::Included) && self.name.contains(ANY)
    }

    /// Whether it is, or may be, this variable.
    pub fn may_be(&self, name: &str) -> bool {
        self.name == name || self.is_open() && fits(name, &self.name)
    }
}

/// How a task leaves a variable behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// `register`: in any case.
    Register,
    /// `set_fact`: if it is not skipped.
    Fact,
    /// `include_vars`: below `set_fact`, above the variables of plays and tasks.
    Included,
    /// `setup`: below the variables of plays and tasks.
    Gathered,
}

/// What a task has left behind, as far as it is known.
#[derive(Clone, Debug)]
pub struct Left {
    /// Which variable, and how.
    pub written: Written,
    /// The task's result.
    pub output: Result<Arc<Output>, NotYet>,
}

/// All variables that one task on one host sees. Cheap to clone.
#[derive(Clone)]
pub struct Scope(Arc<Inner>);

struct Inner {
    world: Arc<World>,
    host: String,
    /// Of blocks and tasks, and of the play; the highest first.
    layers: Vec<Arc<Layer>>,
    /// Of roles and includes, above results; the highest first.
    params: Vec<Arc<Layer>>,
    /// Of roles, below the inventory's; the highest first.
    defaults: Vec<Arc<Layer>>,
    /// What nobody writes and belongs to the place.
    magic: Option<Arc<Layer>>,
    /// Results, the last one last.
    left: Vec<Left>,
    /// The loop's item and the like.
    locals: Map,
    /// Which of them is an item that people wrote.
    item: Option<String>,
    folders: Vec<PathBuf>,
}

impl std::fmt::Debug for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scope({})", self.0.host)
    }
}

thread_local! {
    /// Variables that are being rendered just now, with their hosts.
    static BUSY: RefCell<Vec<(String, String)>> = const { RefCell::new(Vec::new()) };
}

impl Scope {
    /// Of a host; `layers` are those of its play, blocks and task, the highest first.
    pub fn new(
        world: Arc<World>,
        host: impl Into<String>,
        layers: Vec<Arc<Layer>>,
        folders: Vec<PathBuf>,
    ) -> Self {
        Self(Arc::new(Inner {
            world,
            host: host.into(),
            layers,
            params: Vec::new(),
            defaults: Vec::new(),
            magic: None,
            left: Vec::new(),
            locals: Map::new(),
            item: None,
            folders,
        }))
    }

    /// Of a host at a place of a play.
    pub fn at(world: Arc<World>, host: &str, levels: &Levels, shown: &Shown) -> Self {
        Self(Arc::new(Inner {
            world,
            host: host.to_owned(),
            layers: levels.layers(shown, host),
            params: levels.params_of(host),
            defaults: levels.lowest(shown),
            magic: levels.magic.clone(),
            left: Vec::new(),
            locals: Map::new(),
            item: None,
            folders: levels.folders.clone(),
        }))
    }

    fn with(&self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = Inner {
            world: Arc::clone(&self.0.world),
            host: self.0.host.clone(),
            layers: self.0.layers.clone(),
            params: self.0.params.clone(),
            defaults: self.0.defaults.clone(),
            magic: self.0.magic.clone(),
            left: self.0.left.clone(),
            locals: self.0.locals.clone(),
            item: self.0.item.clone(),
            folders: self.0.folders.clone(),
        };
        change(&mut inner);
        Self(Arc::new(inner))
    }

    /// The same with what earlier tasks left behind.
    #[must_use]
    pub fn with_left(&self, left: Vec<Left>) -> Self {
        self.with(|inner| inner.left = left)
    }

    /// The same with an item of a loop, or the like.
    #[must_use]
    pub fn with_locals(&self, locals: impl IntoIterator<Item = (String, Value)>) -> Self {
        self.with(|inner| inner.locals.extend(locals))
    }

    /// The same with the variables of a turn of a loop; `item`: which of them is an item that people wrote.
    #[must_use]
    pub fn with_turn(&self, locals: Vec<(String, Value)>, item: Option<String>) -> Self {
        self.with(|inner| {
            inner.locals.extend(locals);
            inner.item = item;
        })
    }

    /// The same with variables above all but facts that were set.
    #[must_use]
    pub fn over(&self, layer: &Arc<Layer>) -> Self {
        self.with(|inner| {
            let hides = |left: &Left| layer.get(&left.written.name).is_some();
            inner
                .left
                .retain(|left| left.written.how != How::Included || !hides(left));
            inner.layers.insert(0, Arc::clone(layer));
        })
    }

    /// What another host sees of the same, without the layers of plays and tasks.
    fn of_host(&self, host: &str) -> Self {
        self.with(|inner| {
            host.clone_into(&mut inner.host);
            inner.layers.clear();
            inner.params.clear();
            inner.defaults.clear();
            inner.magic = None;
            inner.locals.clear();
        })
    }

    /// For templates.
    pub fn variables(&self) -> Arc<dyn Variables> {
        Arc::new(self.clone())
    }

    /// The host.
    pub fn host(&self) -> &str {
        &self.0.host
    }

    /// The hosts of a group.
    pub fn hosts_of(&self, group: &str) -> Vec<String> {
        let groups = self.0.world.groups.iter();
        let mut found = groups.filter(|(name, _)| name == group);
        found
            .next()
            .map(|(_, hosts)| hosts.clone())
            .unwrap_or_default()
    }

    /// Groups of the inventory, with their hosts.
    pub fn groups(&self) -> &[(String, Vec<String>)] {
        &self.0.world.groups
    }

    /// The hosts of the play.
    pub fn hosts_of_play(&self) -> Vec<String> {
        self.0.world.all_play_hosts.clone()
    }

    /// Where a controller's files are looked for.
    pub fn search_folders(&self) -> &[PathBuf] {
        &self.0.folders
    }

    /// The same as whole paths: `ansible_search_path`.
    fn searched(&self) -> Value {
        let whole = |folder: &PathBuf| {
            let path = std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
            Value::from(crate::expand::tidy(&path).display().to_string())
        };
        self.0.folders.iter().map(whole).collect()
    }

    /// The rendered value of a variable, if it is there and known.
    pub fn value(&self, name: &str) -> Result<Option<Value>, Fault> {
        Ok(match self.get(name)? {
            Some(Variable::Value(value)) => Some(value),
            Some(Variable::Open(..) | Variable::Lazy(_)) | None => None,
        })
    }

    /// Whether anybody has written this variable, and not only the run itself.
    pub fn is_written(&self, name: &str) -> bool {
        let inner = &self.0;
        let layers = inner.params.iter().chain(&inner.layers);
        let mut layers = layers.chain(&inner.defaults);
        let member = inner.world.hosts.get(self.host());
        inner.world.extra.get(name).is_some()
            || layers.any(|layer| layer.get(name).is_some())
            || member.is_some_and(|member| member.vars.get(name).is_some())
    }

    /// Whether anybody writes this variable, or sets it by its name.
    pub fn is_named(&self, name: &str) -> bool {
        let mut left = self.0.left.iter();
        self.is_written(name) || left.any(|left| left.written.name == name)
    }

    /// Whether a variable is written where it wins over facts.
    pub fn is_over_facts(&self, name: &str) -> bool {
        let inner = &self.0;
        let mut layers = inner.params.iter().chain(&inner.layers);
        inner.world.extra.get(name).is_some() || layers.any(|layer| layer.get(name).is_some())
    }

    /// The text of a variable that is written in some layer: what it depends on.
    pub fn tree(&self, name: &str) -> Option<&Tree> {
        let inner = &self.0;
        let world = &inner.world;
        world
            .extra
            .get(name)
            .or_else(|| inner.params.iter().find_map(|layer| layer.get(name)))
            .or_else(|| inner.layers.iter().find_map(|layer| layer.get(name)))
            .or_else(|| world.hosts.get(&inner.host)?.vars.get(name))
            .or_else(|| inner.defaults.iter().find_map(|layer| layer.get(name)))
    }

    /// What nobody writes.
    fn magic(&self, name: &str) -> Option<Value> {
        let own = self.0.magic.as_ref().and_then(|layer| layer.get(name));
        match own {
            Some(Tree::Is(found)) => Some(found.clone()),
            _ => self.0.world.magic(&self.0.host, name),
        }
    }

    /// What a task may have set of which it is not known which variable it sets.
    fn perhaps(&self, name: &str) -> Option<Value> {
        let mut left = self.0.left.iter().rev();
        let found = left.find(|left| {
            left.written.is_open()
                && left.written.may_be(name)
                && *left.written.host == *self.0.host
        })?;
        match &found.output {
            Ok(output) => given(output, name),
            Err(what) => Some(Value::NotYet(what.clone())),
        }
    }

    /// The result of a loop whose turns several tasks had, in the order of the turns.
    fn whole(&self, name: &str, of: TaskId) -> Result<Output, NotYet> {
        let mut whole = Output {
            changed: false.into(),
            skipped: true,
            looped: true,
            ..Output::default()
        };
        let (mut turns, mut later): (Vec<(usize, Value)>, Option<NotYet>) = (Vec::new(), None);
        for left in &self.0.left {
            let written = &left.written;
            let Some(share) = written.share.as_ref().filter(|share| share.of == of) else {
                continue;
            };
            if written.name != name || *written.host != *self.0.host {
                continue;
            }
            let output = match &left.output {
                Ok(output) => output,
                Err(what) => {
                    later = Some(what.clone());
                    continue;
                }
            };
            match &output.value {
                Value::Seq(results) => {
                    turns.extend(share.turns.iter().copied().zip(results.iter().cloned()));
                }
                Value::NotYet(what) => return Err(what.clone()),
                _ if output.skipped => {}
                _ => return Ok((**output).clone()),
            }
            whole.skipped &= output.skipped;
            whole.failed |= output.failed;
            if !whole.changed.is_true() && output.changed != Value::Bool(false) {
                whole.changed = output.changed.clone();
            }
        }
        // After a failure the others have no result.
        if let (Some(what), false) = (later, whole.failed) {
            return Err(what);
        }
        turns.sort_by_key(|(turn, _)| *turn);
        whole.value = turns.into_iter().map(|(_, result)| result).collect();
        Ok(whole)
    }

    /// What tasks left behind: results and facts that were set, or what files gave (`included`).
    fn left(&self, name: &str, included: bool) -> Option<Variable> {
        let mine = |left: &&Left| {
            left.written.name == name
                && left.written.how != How::Gathered
                && (left.written.how == How::Included) == included
                && *left.written.host == *self.0.host
        };
        // Whether it may be one of those that only the run tells apart.
        let mut open = false;
        for left in self.0.left.iter().rev().filter(mine) {
            let output = match &left.output {
                Ok(output) if left.written.spare && output.skipped => continue,
                Ok(output) if left.written.spare && matches!(output.value, Value::NotYet(_)) => {
                    open = true;
                    continue;
                }
                Err(_) if left.written.spare => {
                    open = true;
                    continue;
                }
                Ok(output) if output.skipped && std::mem::take(&mut open) => {
                    let what = NotYet::new("where a task is done, and what comes of it");
                    return Some(Variable::Value(Value::NotYet(what)));
                }
                Ok(output) => output,
                Err(what) => return Some(Variable::Value(Value::NotYet(what.clone()))),
            };
            match left.written.how {
                How::Register => {
                    let of_loop = left.written.of_loop.as_deref();
                    return Some(match &left.written.share {
                        None => told(output, of_loop),
                        Some(share) => match self.whole(name, share.of) {
                            Ok(whole) => told(&whole, of_loop),
                            Err(what) => Variable::Value(Value::NotYet(what)),
                        },
                    });
                }
                // Of a loop those turns count that went well.
                How::Fact | How::Included | How::Gathered
                    if output.skipped || output.failed && !output.looped => {}
                How::Gathered => {}
                How::Included | How::Fact => {
                    if let Some(value) = given(output, name) {
                        return Some(Variable::Value(value));
                    }
                }
            }
        }
        None
    }
}

impl Scope {
    /// Whether a host, or a program, may have said what is in a variable.
    fn is_of_hosts(&self, name: &str) -> bool {
        let inner = &self.0;
        ["hostvars", "vars"].contains(&name)
            || inner.left.iter().any(|left| left.written.may_be(name))
            || inner.locals.contains_key(name) && inner.item.as_deref() != Some(name)
    }

    /// What a file of an `include_vars` says of a variable that could not be made when the file was read.
    fn put_off(&self, name: &str) -> Option<&Tree> {
        let mine = |left: &&Left| {
            left.written.name == name
                && left.written.how == How::Included
                && *left.written.host == *self.0.host
        };
        self.0.left.iter().rev().filter(mine).find_map(|left| {
            let output = left.output.as_ref().ok()?;
            let turns = match &output.value {
                Value::Seq(turns) => &turns[..],
                one => std::slice::from_ref(one),
            };
            let of = |turn: &Value| match turn.get("ansible_included_var_files") {
                Some(Value::Seq(paths)) => paths.clone(),
                _ => Vec::new(),
            };
            let paths = turns
                .iter()
                .rev()
                .flat_map(|turn| of(turn).into_iter().rev());
            let mut paths = paths.filter_map(|path| path.as_text());
            paths.find_map(|path| left.written.sources.tree(&path, name))
        })
    }

    /// A variable, as it is written.
    fn made(&self, name: &str, tree: &Tree) -> Result<Option<Variable>, Fault> {
        let inner = &self.0;
        let circle = BUSY.with_borrow(|busy| {
            let same = |(host, other): &(String, String)| *host == inner.host && other == name;
            let at = busy.iter().position(same)?;
            let names: Vec<&str> = busy[at..]
                .iter()
                .map(|(_, name)| name.as_str())
                .chain([name])
                .collect();
            Some(names.join(" -> "))
        });
        if let Some(circle) = circle {
            let message = format!("the variable `{name}` is made of itself: {circle}");
            return Err(Fault::new("variable_circle", message));
        }
        BUSY.with_borrow_mut(|busy| busy.push((inner.host.clone(), name.to_owned())));
        let rendered = tree.render(&self.variables());
        BUSY.with_borrow_mut(Vec::pop);
        rendered.map(|value| Some(Variable::Value(value)))
    }

    /// A gathered fact, or all of them as `ansible_facts`.
    fn gathered(&self, name: &str) -> Option<Value> {
        let mine = |left: &&Left| {
            left.written.how == How::Gathered
                && left.written.name == name
                && *left.written.host == *self.0.host
        };
        let mut all = Map::new();
        for left in self.0.left.iter().filter(mine) {
            let output = match &left.output {
                Ok(output) if output.skipped || output.failed => continue,
                Ok(output) => output,
                Err(what) => return Some(Value::NotYet(what.clone())),
            };
            let turns = match &output.value {
                Value::NotYet(what) => return Some(Value::NotYet(what.clone())),
                Value::Seq(turns) => &turns[..],
                one => std::slice::from_ref(one),
            };
            for turn in turns {
                if let Some(Value::Map(facts)) = turn.get("ansible_facts") {
                    all.extend(facts.clone());
                }
            }
        }
        if name != "ansible_facts" {
            return all.swap_remove(name);
        }
        let bare = |name: String| match name.strip_prefix("ansible_") {
            Some(bare) => bare.to_owned(),
            None => name,
        };
        let all = all.into_iter().map(|(name, value)| (bare(name), value));
        Some(Value::Map(all.collect()))
    }
}

/// The result of a task as a variable; that of a loop with the variables of its turns.
fn told(output: &Output, of_loop: Option<&Looped>) -> Variable {
    match (of_loop, &output.value) {
        (Some(looped), Value::Seq(results)) if output.looped => registered(&Output {
            value: looped.told(results),
            ..output.clone()
        }),
        _ => registered(output),
    }
}

/// A result as a variable: what is not known of it stays open.
pub fn registered(output: &Output) -> Variable {
    let Value::NotYet(what) = &output.value else {
        return Variable::Value(output.to_value());
    };
    let known = Output {
        value: Value::Null,
        ..output.clone()
    };
    match known.to_value() {
        Value::Map(map) => Variable::Open(map, what.clone()),
        other => Variable::Value(other),
    }
}

/// The names of what a `set_fact` has set.
fn keys(output: &Output) -> impl Iterator<Item = &String> {
    let turns = match &output.value {
        Value::Seq(turns) => &turns[..],
        one => std::slice::from_ref(one),
    };
    turns
        .iter()
        .flat_map(|turn| match turn.get("ansible_facts") {
            Some(Value::Map(map)) => map.keys().collect::<Vec<_>>(),
            _ => Vec::new(),
        })
}

/// What a `set_fact` or an `include_vars` has set.
fn given(output: &Output, name: &str) -> Option<Value> {
    let of = |value: &Value| value.get("ansible_facts")?.get(name).cloned();
    match &output.value {
        Value::NotYet(what) => Some(Value::NotYet(what.clone())),
        Value::Seq(turns) => turns.iter().rev().find_map(of),
        value => of(value),
    }
}

impl Variables for Scope {
    fn get(&self, name: &str) -> Result<Option<Variable>, Fault> {
        let inner = &self.0;
        let value = |value: Value| Ok(Some(Variable::Value(value)));
        match name {
            "hostvars" => return Ok(Some(Variable::Lazy(Arc::new(HostVars(self.clone()))))),
            "vars" => return Ok(Some(Variable::Lazy(Arc::new(Own(self.clone()))))),
            "ansible_search_path" => return value(self.searched()),
            _ => {}
        }
        if let Some(found) = self.magic(name) {
            return value(found);
        }
        if inner.world.extra.get(name).is_none() {
            if let Some(local) = inner.locals.get(name) {
                return value(local.clone());
            }
            let over = inner.params.iter().any(|layer| layer.get(name).is_some());
            let left = (!over).then(|| self.left(name, false)).flatten();
            let included = || (!over).then(|| self.left(name, true)).flatten();
            if let Some(left) = left.or_else(included) {
                return Ok(Some(left));
            }
            if let Some(tree) = self.put_off(name).filter(|_| !over) {
                return self.made(name, tree);
            }
        }
        if !self.is_over_facts(name) {
            if let Some(fact) = self.gathered(name) {
                return value(fact);
            }
        }
        let Some(tree) = self.tree(name) else {
            if let Some(open) = self.perhaps(name) {
                return value(open);
            }
            return Ok(inner.world.usual(&inner.host, name).map(Variable::Value));
        };
        self.made(name, tree)
    }

    fn names(&self) -> Vec<String> {
        let inner = &self.0;
        let mut names: Vec<String> = inner.world.names(&inner.host);
        let layers = inner.layers.iter().chain(&inner.params);
        let layers = layers.chain(&inner.defaults).chain(&inner.magic);
        names.extend(layers.flat_map(|layer| layer.names().cloned()));
        names.extend(inner.locals.keys().cloned());
        for left in &inner.left {
            match &left.output {
                Ok(output) if left.written.is_open() => {
                    names.extend(
                        keys(output)
                            .filter(|name| left.written.may_be(name))
                            .cloned(),
                    );
                }
                Ok(output) if left.written.how == How::Fact => {
                    let name = &left.written.name;
                    names.extend(given(output, name).map(|_| name.clone()));
                }
                Err(_) if left.written.is_open() => {}
                _ => names.push(left.written.name.clone()),
            }
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    fn is_of_people(&self, template: &Template) -> bool {
        let mut people = true;
        reached(self, template, &mut |inner| {
            let mut names = inner.uses().names();
            people &= !inner.looks_up() && !names.any(|used| self.is_of_hosts(&used.name));
        });
        people
    }

    fn more_names(&self) -> Option<NotYet> {
        let mut left = self.0.left.iter().filter(|left| left.written.is_open());
        left.find_map(|left| left.output.as_ref().err().cloned())
    }

    fn folders(&self) -> Vec<PathBuf> {
        self.0.folders.clone()
    }

    fn keys(&self) -> Arc<Keyring> {
        Arc::clone(&self.0.world.keys)
    }
}

/// Every template that a template may reach through variables, itself first.
pub fn reached<'a>(scope: &'a Scope, from: &'a Template, visit: &mut dyn FnMut(&'a Template)) {
    let mut names: Vec<String> = Vec::new();
    let mut open = vec![from];
    while let Some(template) = open.pop() {
        visit(template);
        for used in template.uses().names() {
            if names.contains(&used.name) {
                continue;
            }
            names.push(used.name.clone());
            if let Some(tree) = scope.tree(&used.name) {
                tree.templates(&mut |inner| open.push(inner));
            }
        }
    }
}
