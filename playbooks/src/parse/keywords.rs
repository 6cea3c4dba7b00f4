//! Every keyword of Ansible's plays, blocks and tasks, and ours: what we do with each.

use crate::words::list;

/// Where a keyword stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    Play,
    Block,
    Task,
    Handler,
}

impl On {
    fn letter(self) -> char {
        match self {
            Self::Play => 'p',
            Self::Block => 'b',
            Self::Task => 't',
            Self::Handler => 'h',
        }
    }

    /// For messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Play => "a play",
            Self::Block => "a block",
            Self::Task => "a task",
            Self::Handler => "a handler",
        }
    }
}

/// What we do with a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// We read it.
    Read,
    /// Nothing depends on it here: accepted with a warning that says why.
    NoEffect(&'static str),
    /// Refused, with what to do.
    Refused(&'static str),
}

/// One keyword.
#[derive(Debug)]
pub(super) struct Keyword {
    pub(super) name: &'static str,
    /// `p`lay, `b`lock, `t`ask, `h`andler.
    pub(super) on: &'static str,
    pub(super) status: Status,
}

use Status::{NoEffect, Read, Refused};

const fn kw(name: &'static str, on: &'static str, status: Status) -> Keyword {
    Keyword { name, on, status }
}

const COLLECTIONS: &str = "the modules of this version are all there are, and roles are looked for in `collections` of the play: leave it out";
const FACTS: &str = "only facts that are used are gathered: leave it out";

/// All of them.
pub(super) const KEYWORDS: &[Keyword] = &[
    kw("name", "pbth", Read),
    kw("vars", "pbth", Read),
    kw("tags", "pbth", Read),
    kw("when", "bth", Read),
    kw("environment", "pbth", Read),
    kw("become", "pbth", Read),
    kw("become_user", "pbth", Read),
    kw("become_method", "pbth", Read),
    kw("become_flags", "pbth", Read),
    kw(
        "become_exe",
        "pbth",
        Refused("put the program on the PATH of the login user"),
    ),
    kw("connection", "pbth", Read),
    kw("remote_user", "pbth", Read),
    kw("user", "p", Read),
    kw("port", "pbth", Read),
    kw("check_mode", "pbth", Read),
    kw("diff", "pbth", Read),
    kw("no_log", "pbth", Read),
    kw("ignore_errors", "pbth", Read),
    kw("ignore_unreachable", "pbth", Read),
    kw("any_errors_fatal", "pbth", Read),
    kw("run_once", "pbth", Read),
    kw("delegate_to", "bth", Read),
    kw("delegate_facts", "bth", Read),
    kw("throttle", "pbth", Read),
    kw("timeout", "pbth", Read),
    kw(
        "debugger",
        "pbth",
        Refused("`evenkeel explain` shows what a task would do, and why"),
    ),
    kw("module_defaults", "pbth", Read),
    kw("collections", "p", Read),
    kw("collections", "bth", NoEffect(COLLECTIONS)),
    kw("notify", "bth", Read),
    // Ours.
    kw("after", "bth", Read),
    kw(
        "after",
        "p",
        Refused("plays keep their order on each host; `after:` stands on tasks and blocks"),
    ),
    kw("commands", "pbth", Read),
    kw("id", "th", Read),
    kw("triggered_by", "th", Read),
    kw("reads", "th", Read),
    kw("writes", "th", Read),
    kw("once", "th", Read),
    // Plays.
    kw("hosts", "p", Read),
    kw("gather_facts", "p", Read),
    kw("gather_subset", "p", NoEffect(FACTS)),
    kw("gather_timeout", "p", NoEffect(FACTS)),
    kw(
        "fact_path",
        "p",
        Refused("local facts are not read: put them into `host_vars`"),
    ),
    kw("strategy", "p", Read),
    kw("order", "p", Read),
    kw("force_handlers", "p", Read),
    kw("max_fail_percentage", "p", Read),
    kw("serial", "p", Read),
    kw("pre_tasks", "p", Read),
    kw("tasks", "p", Read),
    kw("post_tasks", "p", Read),
    kw("handlers", "p", Read),
    kw("roles", "p", Read),
    kw("vars_files", "p", Read),
    kw("vars_prompt", "p", Read),
    kw(
        "validate_argspec",
        "p",
        Refused("argument specifications are not checked"),
    ),
    // Blocks.
    kw("block", "b", Read),
    kw("rescue", "b", Read),
    kw("always", "b", Read),
    // Tasks.
    kw("action", "th", Read),
    kw("local_action", "th", Read),
    kw("args", "th", Read),
    kw("register", "th", Read),
    kw("changed_when", "th", Read),
    kw("failed_when", "th", Read),
    kw("loop", "th", Read),
    kw("loop_control", "th", Read),
    kw("until", "th", Read),
    kw("retries", "th", Read),
    kw("delay", "th", Read),
    kw("async", "th", Read),
    kw("poll", "th", Read),
    kw("listen", "h", Read),
];

/// Those that may stand on something.
pub(super) fn names(on: On) -> impl Iterator<Item = &'static str> {
    KEYWORDS
        .iter()
        .filter(move |keyword| keyword.on.contains(on.letter()))
        .map(|keyword| keyword.name)
}

/// What to do with a keyword of tasks that stands among the arguments of a module.
pub(crate) fn outside(name: &str, module: &str) -> Option<String> {
    let keyword = find(name, On::Task).is_some() || is_with(name);
    keyword
        .then(|| format!("it is a keyword of the task: it stands beside `{module}`, not below it"))
}

/// A keyword, if it may stand here.
pub(super) fn find(name: &str, on: On) -> Option<&'static Keyword> {
    KEYWORDS
        .iter()
        .find(|keyword| keyword.name == name && keyword.on.contains(on.letter()))
}

/// Where a keyword that may not stand here may stand: "on a task or a handler".
pub(super) fn elsewhere(name: &str) -> Option<String> {
    // On a task they are modules.
    if ["gather_facts", "user"].contains(&name) {
        return None;
    }
    let places: Vec<&str> = [On::Play, On::Block, On::Task, On::Handler]
        .into_iter()
        .filter(|on| find(name, *on).is_some())
        .map(On::name)
        .collect();
    (!places.is_empty()).then(|| list(&places, "or").replace('`', ""))
}

/// Is it a loop of the old form?
pub(super) fn is_with(name: &str) -> bool {
    name.starts_with("with_")
}
