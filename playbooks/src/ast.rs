//! What a playbook says, checked as far as can be without variables. Every part knows its place.
//!
//! Nothing is inherited here: a block's `become` stands at the block only. What other files hold is not here
//! either, until `expand` puts it in the place of what names it.

use std::sync::Arc;

use crate::{
    files::{FileId, Span, Spanned},
    vars::Levels,
    words::did_you_mean,
    yaml::Node,
};

/// A playbook file.
#[derive(Clone, Debug)]
pub struct Playbook {
    /// The file.
    pub file: FileId,
    /// Its plays, in order.
    pub plays: Vec<Play>,
    /// `import_playbook`, each before the play of this number.
    pub imports: Vec<(usize, Import)>,
}

/// `import_playbook`.
#[derive(Clone, Debug)]
pub struct Import {
    /// The name of the file.
    pub file: Spanned<String>,
    /// `when`, `vars` and `tags`: of all its plays.
    pub common: Common,
}

/// A play: tasks for a pattern of hosts.
#[derive(Clone, Debug)]
pub struct Play {
    /// The whole of it.
    pub span: Span,
    /// `name`; may be a template.
    pub name: Option<Spanned<String>>,
    /// `hosts`: a pattern (a list is joined with commas); may be a template.
    pub hosts: Spanned<String>,
    /// Keywords that blocks and tasks also have.
    pub common: Common,
    /// `gather_facts`.
    pub gather_facts: Option<Flag>,
    /// `force_handlers`.
    pub force_handlers: Option<Flag>,
    /// `strategy`.
    pub strategy: Strategy,
    /// `serial`: how many hosts at a time, numbers or percentages; the last counts on.
    pub serial: Vec<Spanned<String>>,
    /// `max_fail_percentage`.
    pub max_fail_percentage: Option<Spanned<String>>,
    /// `order`; may be a template.
    pub order: Option<Spanned<OrTemplate<HostOrder>>>,
    /// `vars_files`: each a list of names of which the first file that is there counts.
    pub vars_files: Vec<Vec<Node>>,
    /// `vars_prompt`.
    pub prompts: Vec<Prompt>,
    /// `collections`: where roles that are named without one are looked for first.
    pub collections: Vec<Spanned<String>>,
    /// `roles`.
    pub roles: Vec<Arc<Include>>,
    /// `pre_tasks`.
    pub pre_tasks: Vec<Item>,
    /// `tasks`.
    pub tasks: Vec<Item>,
    /// `post_tasks`.
    pub post_tasks: Vec<Item>,
    /// `handlers`: tasks, and what brings tasks from elsewhere.
    pub handlers: Vec<Item>,
}

/// A variable that somebody is asked for.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// `name`.
    pub name: Spanned<String>,
    /// `prompt`: what is asked; else the name is.
    pub prompt: Option<String>,
    /// `default`: what counts where nothing is typed, or nobody can be asked.
    pub default: Option<Node>,
    /// `private`: what is typed is not shown, and is a secret. So it is unless it is said otherwise.
    pub private: bool,
    /// `confirm`: it is asked for twice.
    pub confirm: bool,
}

/// How hosts of a play keep step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// As if each task ended on all hosts before the next.
    #[default]
    Linear,
    /// Each host for itself.
    Free,
}

/// In which order the hosts of a play are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HostOrder {
    /// As the inventory has them.
    #[default]
    Inventory,
    /// The other way round.
    ReverseInventory,
    /// By name.
    Sorted,
    /// By name, the other way round.
    ReverseSorted,
}

impl HostOrder {
    const NAMES: [&str; 4] = ["inventory", "reverse_inventory", "sorted", "reverse_sorted"];
    /// Why hosts are not shuffled.
    pub(crate) const SHUFFLE: &str =
        "the same input gives the same order: hosts stay as the inventory has them";

    /// By its name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "inventory" | "shuffle" => Some(Self::Inventory),
            "reverse_inventory" => Some(Self::ReverseInventory),
            "sorted" => Some(Self::Sorted),
            "reverse_sorted" => Some(Self::ReverseSorted),
            _ => None,
        }
    }

    /// What to write where there is none of this name.
    pub(crate) fn instead(name: &str) -> String {
        did_you_mean(name, Self::NAMES)
            .unwrap_or_else(|| format!("`{}` are there", Self::NAMES.join("`, `")))
    }
}

/// One entry of a list of tasks.
#[derive(Clone, Debug)]
pub enum Item {
    /// A task; one of a file that is used often is there once.
    Task(Arc<Task>),
    /// A block.
    Block(Box<Block>),
    /// A word to the runner.
    Meta(Box<Meta>),
    /// Tasks that are written elsewhere.
    Include(Arc<Include>),
    /// Those tasks, in the place of what names them.
    Part(Box<Part>),
}

/// `import_tasks`, `include_tasks`, `import_role`, `include_role`, or a role of a play.
#[derive(Clone, Debug)]
pub struct Include {
    /// The whole of it.
    pub span: Span,
    /// `name` of the task.
    pub name: Option<Spanned<String>>,
    /// The word by which it is written; `roles` for those of a play.
    pub word: Spanned<&'static str>,
    /// Whether it is decided when its turn comes (`include_…`).
    pub dynamic: bool,
    /// What is brought in.
    pub what: What,
    /// Its keywords. Those of what is decided at its turn are about itself, not about what it brings.
    pub common: Common,
    /// `apply`: keywords of what it brings.
    pub apply: Common,
    /// Its loop.
    pub loop_: Option<Loop>,
    /// `register`: says whether it was skipped.
    pub register: Option<Spanned<String>>,
    /// `listen`: topics of a handler.
    pub listen: Vec<Spanned<String>>,
    /// `turns`: how many turns its loop may have, where only the run knows.
    pub turns: Option<usize>,
}

/// What an [`Include`] brings in.
#[derive(Clone, Debug)]
pub enum What {
    /// A file of tasks, by its name.
    Tasks(Node),
    /// A role.
    Role(Box<RoleCall>),
}

/// How a role is called.
#[derive(Clone, Debug)]
pub struct RoleCall {
    /// `name`.
    pub name: Node,
    /// `tasks_from`.
    pub tasks_from: Option<Node>,
    /// `vars_from`.
    pub vars_from: Option<Node>,
    /// `defaults_from`.
    pub defaults_from: Option<Node>,
    /// `handlers_from`.
    pub handlers_from: Option<Node>,
    /// Whether the play sees its variables.
    pub public: bool,
    /// Whether it may be there twice; `None`: as its `meta/main.yml` says.
    pub again: Option<bool>,
    /// Whether what it is given is checked against its specification.
    pub checked: bool,
    /// What is given to it beside `vars`: other keys of a role of a play.
    pub params: Vars,
}

/// Tasks that were written elsewhere, and what is around them there.
#[derive(Clone, Debug)]
pub struct Part {
    /// Where the play names it.
    pub span: Span,
    /// Keywords that all of them have; `vars` are among the levels.
    pub common: Common,
    /// Whether the tags around it are those of the place that names it, and select it alone.
    pub own_tags: Option<Vec<Spanned<String>>>,
    /// Variables, folders, hosts: all that holds here, with what is around it.
    pub levels: Arc<Levels>,
    /// Of which role they are.
    pub role: Option<Arc<str>>,
    /// Whether it is a role, whole: `meta: end_role` ends it.
    pub is_role: bool,
    /// Of an include among handlers: by which names all of it is called.
    pub called: Option<Arc<Called>>,
    /// The tasks.
    pub body: Vec<Item>,
}

/// How an include among handlers is called; what it brings in has no names of its own.
#[derive(Clone, Debug)]
pub struct Called {
    /// `name`.
    pub name: Option<Spanned<String>>,
    /// `listen`.
    pub listen: Vec<Spanned<String>>,
}

/// Tasks together, with what to do when one fails.
#[derive(Clone, Debug)]
pub struct Block {
    /// The whole of it.
    pub span: Span,
    /// `name`.
    pub name: Option<Spanned<String>>,
    /// Keywords; they hold for all tasks in it.
    pub common: Common,
    /// `block`.
    pub body: Vec<Item>,
    /// `rescue`.
    pub rescue: Vec<Item>,
    /// `always`.
    pub always: Vec<Item>,
}

/// `meta`.
#[derive(Clone, Debug)]
pub struct Meta {
    /// The whole of it.
    pub span: Span,
    /// `name`.
    pub name: Option<Spanned<String>>,
    /// What to do.
    pub action: Spanned<MetaAction>,
    /// Its keywords: `when` and `tags` matter.
    pub common: Common,
}

/// What `meta` can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetaAction {
    /// Handlers that were notified run here.
    FlushHandlers,
    /// Nothing.
    Noop,
}

/// A module with arguments.
#[derive(Clone, Debug)]
pub struct Task {
    /// The whole of it.
    pub span: Span,
    /// `name`; may be a template.
    pub name: Option<Spanned<String>>,
    /// `id`.
    pub id: Option<Spanned<String>>,
    /// The module, as written; `local_action` and `action` are resolved.
    pub module: Spanned<String>,
    /// Its arguments: always a map (empty if there are none). `args:` and `key=value` texts are
    /// merged in; the free text of `command`, `shell`, `script` and `raw` is the key `cmd`.
    pub args: Node,
    /// `loop` or a `with_` form.
    pub loop_: Option<Loop>,
    /// Keywords that blocks and plays also have.
    pub common: Common,
    /// `register`.
    pub register: Option<Spanned<String>>,
    /// `changed_when`; all must hold.
    pub changed_when: Vec<Node>,
    /// `failed_when`; all must hold.
    pub failed_when: Vec<Node>,
    /// `until`; all must hold.
    pub until: Vec<Node>,
    /// `retries`: a whole number, or a template.
    pub retries: Option<Node>,
    /// `delay`: seconds, or a template.
    pub delay: Option<Node>,
    /// `async`: seconds that it may take beside the run, or a template; 0: it is a task as others.
    pub async_: Option<Node>,
    /// `poll`: 0, or a template: its end is not waited for.
    pub poll: Option<Node>,
    /// `listen`: topics of a handler.
    pub listen: Vec<Spanned<String>>,
    /// `triggered_by`: ids of tasks whose change makes this one run.
    pub triggered_by: Vec<Spanned<String>>,
    /// `reads`: all that the command reads; `Some` of nothing means nothing.
    pub reads: Option<Vec<Spanned<String>>>,
    /// `writes`: all that the command writes.
    pub writes: Option<Vec<Spanned<String>>>,
    /// `once`: the command runs once for each checksum.
    pub once: Option<Flag>,
    /// It is ours, and no report tells it.
    pub silent: bool,
    /// Nothing that is listed after it is done, if it is not skipped (`meta: end_…`).
    pub ends: Option<Ends>,
    /// What it makes for the plays after its own.
    pub makes: Option<Makes>,
}

impl Task {
    /// One that nobody wrote: it stands where its arguments do, and has no keywords.
    pub(crate) fn made(name: Spanned<String>, module: Spanned<String>, args: Node) -> Self {
        Self {
            span: args.span,
            name: Some(name),
            id: None,
            module,
            args,
            loop_: None,
            common: Common::default(),
            register: None,
            changed_when: Vec::new(),
            failed_when: Vec::new(),
            until: Vec::new(),
            retries: None,
            delay: None,
            async_: None,
            poll: None,
            listen: Vec::new(),
            triggered_by: Vec::new(),
            reads: None,
            writes: None,
            once: None,
            silent: false,
            ends: None,
            makes: None,
        }
    }
}

/// What a task makes of the inventory.
#[derive(Clone, Debug)]
pub enum Makes {
    /// Hosts (`add_host`): its arguments.
    Host(Node),
    /// A group of each host (`group_by`).
    Group {
        /// `key`.
        key: Node,
        /// `parents`.
        parents: Option<Node>,
        /// The variable that takes the group's name when its turn comes.
        variable: String,
    },
}

/// What a task ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// The role that it stands in, for its host.
    Role,
    /// The play, for its host.
    Host,
    /// The play, for all hosts of its batch.
    Batch,
    /// The play, for all hosts of this batch and those after it.
    Play,
}

/// A loop.
#[derive(Clone, Debug)]
pub struct Loop {
    /// Which.
    pub kind: Spanned<LoopKind>,
    /// What is looped over: a list, a map, or a template.
    pub expr: Node,
    /// The name of the item's variable; `item` unless `loop_control` says otherwise. It may be a template.
    pub loop_var: Spanned<String>,
    /// `index_var`.
    pub index_var: Option<Spanned<String>>,
    /// `label`: a template.
    pub label: Option<Node>,
    /// `extended`: there is `ansible_loop`.
    pub extended: Option<Flag>,
    /// `extended_allitems`: with all items in it.
    pub extended_allitems: Option<Flag>,
    /// `pause`: seconds between items, or a template.
    pub pause: Option<Node>,
    /// `break_when`: if all hold after an item, no more come.
    pub break_when: Vec<Node>,
}

/// How a loop reads what it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LoopKind {
    /// `loop`: the list as it is.
    Loop,
    /// `with_list`: the same; what is no list is a list of one.
    List,
    /// `with_items`: one level of lists in the list is opened; a scalar is a list of one.
    Items,
    /// `with_dict`: items are `{key, value}`.
    Dict,
    /// `with_indexed_items`: items are `[index, item]`.
    IndexedItems,
    /// `with_flattened`: all levels are opened.
    Flattened,
    /// `with_together`: the first of each list, then the second of each …
    Together,
    /// `with_nested`, `with_cartesian`: every combination.
    Nested,
    /// `with_subelements`: each item with each element of a list in it.
    Subelements,
    /// `with_sequence`: numbers as texts.
    Sequence,
    /// `with_fileglob`: files of this machine that fit a pattern.
    FileGlob,
    /// `with_community.general.filetree`: what is below folders of this machine.
    FileTree,
    /// `with_first_found`: the first of these files of this machine that there is.
    FirstFound,
    /// `with_file`: what files of this machine hold.
    File,
    /// `with_env`: variables of our own environment.
    Env,
    /// `with_inventory_hostnames`: hosts that a pattern selects.
    Hostnames,
    /// What any other lookup gives, of this name.
    Query(&'static str),
}

/// A value, or a template that will give one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrTemplate<T> {
    /// The value.
    Is(T),
    /// The text of a template.
    Template(String),
}

/// A yes or no that may be a template.
pub type Flag = Spanned<OrTemplate<bool>>;

/// Variables in the order in which they are written.
pub type Vars = Vec<(Spanned<String>, Node)>;

/// Keywords that plays, blocks and tasks share.
#[derive(Clone, Debug, Default)]
pub struct Common {
    /// `when`: texts of expressions, or booleans; all must hold. Not on plays.
    pub when: Vec<Node>,
    /// `vars`, without `evenkeel`.
    pub vars: Vars,
    /// `tags`.
    pub tags: Vec<Spanned<String>>,
    /// `environment`: maps, or templates that give one; later ones win.
    pub environment: Vec<Node>,
    /// `become`.
    pub become_: Option<Flag>,
    /// `become_user`.
    pub become_user: Option<Spanned<String>>,
    /// `become_method`.
    pub become_method: Option<Spanned<String>>,
    /// `become_flags`.
    pub become_flags: Option<Spanned<String>>,
    /// `connection`.
    pub connection: Option<Spanned<String>>,
    /// `remote_user`.
    pub remote_user: Option<Spanned<String>>,
    /// `port`.
    pub port: Option<Spanned<OrTemplate<u32>>>,
    /// `check_mode`.
    pub check_mode: Option<Flag>,
    /// `diff`.
    pub diff: Option<Flag>,
    /// `no_log`.
    pub no_log: Option<Flag>,
    /// `ignore_errors`.
    pub ignore_errors: Option<Flag>,
    /// `ignore_unreachable`: a host that is away is passed over.
    pub ignore_unreachable: Option<Flag>,
    /// `delegate_to`, `local_action`: on which machine it is done. Not on plays.
    pub delegate_to: Option<Spanned<String>>,
    /// `delegate_facts`: what is found out there is that machine's.
    pub delegate_facts: Option<Flag>,
    /// `run_once`: for all hosts of the play, on the first of them.
    pub run_once: Option<Flag>,
    /// `any_errors_fatal`: a failure ends the play on all hosts.
    pub any_errors_fatal: Option<Flag>,
    /// `throttle`: on so many hosts at once at most.
    pub throttle: Option<Spanned<OrTemplate<u32>>>,
    /// `timeout`: seconds after which a task has failed, or a template; 0: none.
    pub timeout: Option<Node>,
    /// `notify`: names or topics of handlers. Not on plays.
    pub notify: Vec<Spanned<String>>,
    /// `after`: ids of tasks (`id`, `id@host`), on plays names of plays. `Some` of nothing frees a play.
    pub after: Option<Vec<Spanned<String>>>,
    /// `commands`.
    pub commands: Option<Spanned<Commands>>,
    /// `module_defaults`; of two for one module the later wins, whole.
    pub module_defaults: Vec<ModuleDefaults>,
}

/// Arguments of a module for tasks that do not give them.
#[derive(Clone, Debug)]
pub struct ModuleDefaults {
    /// The module, as written, without its collection.
    pub module: Spanned<String>,
    /// Its arguments: always a map.
    pub args: Node,
}

/// What commands do unless something guards them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commands {
    /// They run once for each checksum.
    Once,
    /// They run every time.
    Always,
}
