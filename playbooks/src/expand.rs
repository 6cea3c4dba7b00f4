//! Puts what other files hold in the place of what names it: files of tasks, roles, files of variables.
//!
//! This is done once for a play, before its tasks are listed, and each file is read once. What a host decides is
//! decided here for each host, by its variables. What only facts and results decide stays open: each file that fits
//! what is known of a name is brought in, under the condition that the name is that of the file when its turn comes.

mod empty;
mod files;
mod find;
mod gate;
mod include;
mod known;
mod made;
mod meta;
mod role;
mod spec;
mod turns;
mod vars_files;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use evenkeel_engine::{NotYet, Registry, Value};

use crate::{
    ast::{Block, Called, Common, Ends, Include, Item, Part, Play, Task},
    diagnostic::Diagnostic,
    files::Span,
    lower::{Store, pattern},
    open::{ANY, fits},
    parse::{For, REST},
    template::{Fault, is_template},
    vars::{Layer, Levels, RolesOfPlay, Scope, Shown, Tree, World},
    yaml::Node,
};

pub(crate) use gate::{MORE, NOTE, is_more};
pub(crate) use made::Made;

pub(crate) use find::tidy;
pub(crate) use role::short;

use files::Parsed;
use role::{Ran, RoleAt};

/// How deep files may bring in each other.
const DEPTH: usize = 48;

/// Brings in files for one play after the other.
pub(crate) struct Expander<'a> {
    store: &'a Store,
    registry: &'a Registry,
    modules: Vec<&'a str>,
    /// Where roles are looked for beside the playbook.
    roles_path: &'a [PathBuf],
    parsed: BTreeMap<(PathBuf, For), Parsed>,
    roles: BTreeMap<PathBuf, Arc<meta::Meta>>,
    /// Names of variables that tasks leave behind, in listed order.
    left: Vec<String>,
    is_left: BTreeSet<String>,
    /// Those of them of which not all of the name is known.
    may_be_left: BTreeSet<String>,
    /// Whether a task may have made files on this machine.
    makes_here: bool,
    gates: usize,
    /// How many items were brought in.
    brought: usize,
    /// How often files brought in themselves since something else did.
    again: BTreeMap<PathBuf, usize>,
    stage: Stage,
    /// What is wrong.
    pub(crate) out: Vec<Diagnostic>,
    /// What is wrong with templates.
    pub(crate) faults: Vec<Fault>,
}

/// The play that is at hand.
#[derive(Default)]
struct Stage {
    world: Arc<World>,
    folder: PathBuf,
    shown: Shown,
    ran: Vec<Ran>,
    named: Vec<String>,
    dependencies: Vec<String>,
    handlers: Vec<Item>,
    /// Where its roles are looked for first.
    collections: Vec<String>,
}

/// A play with everything in its place.
pub(crate) struct Expanded {
    /// The play.
    pub(crate) play: Play,
    /// Its own variables, and where its files are looked for.
    pub(crate) levels: Arc<Levels>,
    /// What its roles show to all of it.
    pub(crate) shown: Arc<Shown>,
    /// Which roles it has.
    pub(crate) roles: RolesOfPlay,
}

/// Where something is brought in.
#[derive(Clone)]
struct Here {
    levels: Arc<Levels>,
    /// The folder of the file.
    folder: PathBuf,
    role: Option<Arc<RoleAt>>,
    /// The files that brought in each other up to here, and where.
    chain: Vec<(PathBuf, Span)>,
    of: For,
    /// Whether this is what an include among handlers brings in.
    is_called: bool,
    /// What stands here is for a role that keeps its variables to itself.
    is_private: bool,
    /// Whether a failure of what stands here is counted on.
    is_caught: bool,
}

impl<'a> Expander<'a> {
    /// Nothing is brought in yet.
    pub(crate) fn new(store: &'a Store, registry: &'a Registry, roles_path: &'a [PathBuf]) -> Self {
        // Within `rescue` these are there.
        let is_left = ["ansible_failed_task", "ansible_failed_result"];
        Self {
            store,
            registry,
            modules: registry.names(),
            roles_path,
            parsed: BTreeMap::new(),
            roles: BTreeMap::new(),
            left: Vec::new(),
            is_left: is_left.map(str::to_owned).into(),
            may_be_left: BTreeSet::new(),
            makes_here: false,
            gates: 0,
            brought: 0,
            again: BTreeMap::new(),
            stage: Stage::default(),
            out: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Brings in what a play names. `folder` is that of its playbook; the answers are those to its `vars_prompt`.
    pub(crate) fn play(
        &mut self,
        play: &Play,
        (folder, answers): (&Path, Option<Arc<Layer>>),
        world: &Arc<World>,
    ) -> Expanded {
        let folder = if folder == Path::new(".") {
            PathBuf::new()
        } else {
            folder.to_owned()
        };
        self.stage = Stage {
            world: Arc::clone(world),
            folder: folder.clone(),
            collections: (play.collections.iter())
                .map(|name| name.value.clone())
                .collect(),
            ..Stage::default()
        };
        let mut levels = Levels {
            folders: vec![shown_folder(&folder)],
            ..Levels::default()
        };
        if !play.common.vars.is_empty() {
            let layer = Layer::new(&play.common.vars, &mut self.faults);
            levels.play.push(Arc::new(layer));
        }
        if let Some(answers) = answers {
            levels.play.insert(0, answers);
        }
        self.vars_files(play, &mut levels);
        let levels = Arc::new(levels);
        let mut new = play.clone();
        // They are among the levels.
        new.common.vars.clear();
        new.roles.clear();
        let here = Here {
            levels: Arc::clone(&levels),
            folder,
            role: None,
            chain: Vec::new(),
            of: For::Tasks,
            is_called: false,
            is_private: false,
            is_caught: false,
        };
        new.pre_tasks = self.items(&play.pre_tasks, &here);
        let roles: Vec<Item> = play.roles.iter().cloned().map(Item::Include).collect();
        new.tasks = self.items(&roles, &here);
        // Those of roles come before the play's own, so that the play's own count.
        let of_roles = std::mem::take(&mut self.stage.handlers);
        new.tasks.extend(self.items(&play.tasks, &here));
        new.post_tasks = self.items(&play.post_tasks, &here);
        let handlers = Here {
            of: For::Handlers,
            ..here
        };
        new.handlers = of_roles;
        new.handlers.extend(self.items(&play.handlers, &handlers));
        new.handlers.append(&mut self.stage.handlers);
        Expanded {
            play: new,
            levels,
            roles: RolesOfPlay {
                named: std::mem::take(&mut self.stage.named),
                dependencies: Some(std::mem::take(&mut self.stage.dependencies)),
            },
            shown: Arc::new(std::mem::take(&mut self.stage.shown)),
        }
    }

    fn items(&mut self, items: &[Item], here: &Here) -> Vec<Item> {
        let mut new = Vec::with_capacity(items.len());
        for item in items {
            match item {
                Item::Task(task) => {
                    self.leaves(task, here);
                    if task.ends == Some(Ends::Role) && here.role.is_none() {
                        let what = "`meta: end_role` stands outside of a role";
                        let found = Diagnostic::error("misplaced", task.span, what);
                        self.out
                            .push(found.help("it ends the role whose tasks it is among"));
                    }
                    new.push(item.clone());
                }
                Item::Block(block) => new.push(Item::Block(Box::new(self.block(block, here)))),
                Item::Include(include) if here.of == For::Handlers && include.dynamic => {
                    new.push(self.handler(include, here));
                }
                Item::Include(include) => new.extend(self.include(include, here)),
                Item::Meta(_) | Item::Part(_) => new.push(item.clone()),
            }
        }
        new
    }

    /// An include among handlers: its name calls all that it brings in.
    fn handler(&mut self, include: &Arc<Include>, here: &Here) -> Item {
        let body = self.include(include, here);
        if here.is_called {
            return Item::Part(Box::new(around(include, here, None, body)));
        }
        let called = Called {
            name: include.name.clone(),
            listen: include.listen.clone(),
        };
        let part = around(include, here, Some(Arc::new(called)), body);
        Item::Part(Box::new(part))
    }

    fn block(&mut self, block: &Block, here: &Here) -> Block {
        let mut here = here.clone();
        if !block.common.vars.is_empty() && has_include(block) {
            // Its mistakes are told where tasks are listed.
            let layer = Arc::new(Layer::new(&block.common.vars, &mut Vec::new()));
            here.levels = Arc::new(here.levels.with(layer));
        }
        let inner = Here {
            is_caught: here.is_caught
                || !block.rescue.is_empty()
                || block.common.ignore_errors.is_some(),
            ..here.clone()
        };
        Block {
            span: block.span,
            name: block.name.clone(),
            common: block.common.clone(),
            body: self.items(&block.body, &inner),
            rescue: self.items(&block.rescue, &here),
            always: self.items(&block.always, &here),
        }
    }

    /// The names that an argument of `set_fact` may give to variables, as far as they are known.
    fn set_names(&self, task: &Task, key: &Node, here: &Here) -> Vec<String> {
        if key.text == REST {
            return vec![ANY.to_string()];
        }
        if !is_template(&key.text) {
            return vec![key.text.clone()];
        }
        let tree = Tree::text(&key.text, key.span, &mut Vec::new());
        let host = self
            .stage
            .world
            .play_hosts
            .first()
            .cloned()
            .unwrap_or_default();
        let scope = here
            .levels
            .scope(Arc::clone(&self.stage.world), &host, &self.stage.shown);
        let turns = match &task.loop_ {
            None => vec![scope],
            Some(found) => {
                let list = Tree::words(&found.expr, &mut Vec::new());
                let items = match list.render(&scope.variables()) {
                    Ok(Value::Seq(items)) => items,
                    _ => vec![Value::NotYet(NotYet::new("an item of the loop"))],
                };
                let turn = |item| scope.with_locals([(found.loop_var.value.clone(), item)]);
                items.into_iter().map(turn).collect()
            }
        };
        let name = |scope: &Scope| match tree.render(&scope.variables()) {
            Ok(Value::NotYet(_)) | Err(_) => pattern(&tree, key.span, scope),
            Ok(name) => name.as_text().unwrap_or_default(),
        };
        turns.iter().map(name).collect()
    }

    /// Whether a task before this place leaves a variable behind, or may do so.
    fn is_left(&self, name: &str) -> bool {
        self.is_left.contains(name) || self.may_be_left.iter().any(|open| fits(name, open))
    }

    /// Notes the variables that a task leaves behind.
    fn leaves(&mut self, task: &Task, here: &Here) {
        let mut names: Vec<String> = Vec::new();
        names.extend(task.register.iter().map(|name| name.value.clone()));
        let module = self.registry.get(&task.module.value);
        match module.map(evenkeel_engine::AnyModule::name) {
            Some("set_fact") => {
                let args = task.args.as_map().unwrap_or_default();
                for (key, _) in args {
                    names.extend(self.set_names(task, key, here));
                }
            }
            Some("include_vars") => names.extend(self.included(task, here)),
            module => {
                let here = |host: &String| host == "localhost";
                self.makes_here |= module == Some("fetch")
                    || task.common.delegate_to.is_some()
                    || self.stage.world.all_play_hosts.iter().any(here);
            }
        }
        for name in names {
            if name.contains(ANY) {
                self.may_be_left.insert(name.clone());
            }
            self.is_left.insert(name.clone());
            self.left.push(name);
        }
    }
}

/// What an include brings in, as it stands where it is named.
fn around(include: &Include, here: &Here, called: Option<Arc<Called>>, body: Vec<Item>) -> Part {
    Part {
        span: include.span,
        common: Common::default(),
        own_tags: None,
        levels: Arc::clone(&here.levels),
        role: here.role.as_ref().map(|role| Arc::clone(&role.name)),
        is_role: false,
        called,
        body,
    }
}

/// A folder as it is opened.
fn shown_folder(folder: &Path) -> PathBuf {
    if folder.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        folder.to_owned()
    }
}

/// Whether anything is brought in within a block.
fn has_include(block: &Block) -> bool {
    let parts = [&block.body, &block.rescue, &block.always];
    parts.into_iter().flatten().any(|item| match item {
        Item::Include(_) => true,
        Item::Block(block) => has_include(block),
        Item::Task(task) => task.module.value.contains("include_vars"),
        Item::Meta(_) | Item::Part(_) => false,
    })
}

/// What an include is, for messages.
fn title(include: &Include) -> String {
    match &include.what {
        crate::ast::What::Tasks(file) => format!("`{}: {}`", include.word.value, file.text),
        crate::ast::What::Role(call) => format!("`{}: {}`", include.word.value, call.name.text),
    }
}
