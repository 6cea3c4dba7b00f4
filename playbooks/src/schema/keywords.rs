//! What values keywords take, and what they are for.

use serde_json::{Value, json};

/// A keyword where it may stand.
pub(super) struct Keyword {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) about: &'static str,
    /// What to do instead, if it is refused.
    pub(super) refused: Option<&'static str>,
}

/// The values of a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One line.
    Text,
    /// A boolean.
    Flag,
    /// An expression or several.
    Expressions,
    /// A text or a list of texts.
    Texts,
    /// A map.
    Map,
    /// A number.
    Number,
    /// A list of tasks.
    Tasks,
    /// A list of handlers.
    Handlers,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// Hosts; they cannot be left out.
    Hosts,
    /// Anything.
    Any,
}

impl Kind {
    pub(super) fn schema(self) -> Value {
        let name = match self {
            Self::Text => "text",
            Self::Flag => "flag",
            Self::Expressions => "expressions",
            Self::Texts => "texts",
            Self::Map => "map",
            Self::Number => "number",
            Self::Tasks => "tasks",
            Self::Handlers => "handlers",
            Self::Hosts => "hosts",
            Self::OneOf(values) => return json!({"enum": values}),
            Self::Any => return json!({}),
        };
        json!({"$ref": format!("#/$defs/{name}")})
    }
}

/// Something with a template in it.
pub(super) const TEMPLATE: &str = "\\{[{%#]";
/// How booleans may be written as text.
const BOOLEANS: &str = "^\\s*([Yy]([Ee][Ss])?|YES|[Nn]([Oo])?|NO|[Tt](rue)?|TRUE|[Ff](alse)?|FALSE|[Oo](n|ff)|ON|OFF|1|0|1\\.0|0\\.0)\\s*$";

/// Definitions that keywords and modules share.
pub(super) fn shared() -> [(&'static str, Value); 8] {
    [
        (
            "text",
            json!({"type": ["string", "number", "boolean", "null"]}),
        ),
        (
            "flag",
            json!({"anyOf": [{"type": ["boolean", "null"]}, {"enum": [0, 1]},
            {"type": "string", "pattern": format!("{TEMPLATE}|{BOOLEANS}")}]}),
        ),
        (
            "expressions",
            json!({"anyOf": [{"type": ["string", "boolean", "number", "null"]},
            {"type": "array", "items": {"type": ["string", "boolean", "number", "array"]}}]}),
        ),
        (
            "texts",
            json!({"anyOf": [{"type": ["string", "number", "null"]},
            {"type": "array", "items": {"type": ["string", "number", "boolean", "array", "null"]}}]}),
        ),
        (
            "map",
            json!({"anyOf": [{"type": ["object", "null"]}, {"type": "array"}, {"type": "string"}]}),
        ),
        (
            "number",
            json!({"anyOf": [{"type": ["number", "null"]},
            {"type": "string", "pattern": format!("{TEMPLATE}|^\\s*[-+]?[0-9.]+%?\\s*$")}]}),
        ),
        (
            "hosts",
            json!({"anyOf": [{"type": ["string", "number"], "minLength": 1},
            {"type": "array", "minItems": 1, "items": {"type": ["string", "number"]}}]}),
        ),
        ("templated", json!({"type": "string", "pattern": TEMPLATE})),
    ]
}

/// The keywords that may stand on `p`lays, `b`locks, `t`asks or `h`andlers.
pub(super) fn on(letter: char) -> impl Iterator<Item = Keyword> {
    let here = super::known().filter(move |(_, on, _)| on.contains(letter));
    here.map(|(name, _, refused)| {
        let (kind, about) = described(name).unwrap_or((Kind::Any, ""));
        Keyword {
            name,
            kind,
            about,
            refused,
        }
    })
}

fn described(name: &str) -> Option<(Kind, &'static str)> {
    let found = ABOUT.iter().find(|(known, ..)| *known == name);
    found.map(|(_, kind, about)| (*kind, *about))
}

use Kind::{Any, Expressions, Flag, Handlers, Hosts, Number, OneOf, Tasks, Text, Texts};

const ABOUT: &[(&str, Kind, &str)] = &[
    ("name", Text, "What people call it."),
    ("vars", Kind::Map, "Variables."),
    (
        "tags",
        Texts,
        "Words by which `--tags` and `--skip-tags` select.",
    ),
    (
        "when",
        Expressions,
        "It is done only where all of this holds.",
    ),
    (
        "environment",
        Kind::Map,
        "Variables of the environment of its programs.",
    ),
    ("become", Flag, "Whether it is done as another user."),
    ("become_user", Text, "As whom; root if nothing is said."),
    ("become_method", Text, "How: `sudo`, `su` or `doas`."),
    ("become_flags", Text, "Options for sudo, su or doas."),
    ("become_exe", Text, "The program that becomes another user."),
    ("connection", Text, "How hosts are reached."),
    ("remote_user", Text, "As whom to log in."),
    ("user", Text, "The older name of `remote_user`, on plays."),
    ("port", Number, "The port to log in at."),
    (
        "check_mode",
        Flag,
        "Whether it only foretells (true), or is done even in check mode (false).",
    ),
    ("diff", Flag, "Whether differences may be shown."),
    ("no_log", Flag, "Nothing of arguments and results is shown."),
    ("ignore_errors", Flag, "A failure does not end the host."),
    (
        "ignore_unreachable",
        Flag,
        "A host that cannot be reached is passed over, and goes on.",
    ),
    (
        "any_errors_fatal",
        Flag,
        "A failure on one host ends the play on all.",
    ),
    ("run_once", Flag, "It is done on the first host, for all."),
    ("delegate_to", Text, "Another host on which it is done."),
    ("delegate_facts", Flag, "Facts are those of the other host."),
    ("throttle", Number, "On how many hosts at once."),
    ("timeout", Number, "After how many seconds it has failed."),
    ("debugger", Text, "When the debugger starts."),
    (
        "module_defaults",
        Any,
        "Arguments for all tasks of a module.",
    ),
    ("collections", Any, "Where modules are looked for."),
    (
        "notify",
        Texts,
        "Handlers that run if this changes something.",
    ),
    ("after", Texts, "Names or ids of tasks that it waits for."),
    (
        "commands",
        OneOf(&["once", "always"]),
        "`once`: commands run once for each checksum.",
    ),
    (
        "id",
        Text,
        "A name for other tasks to refer to, and for the ledger.",
    ),
    ("triggered_by", Texts, "Tasks whose change makes it due."),
    (
        "reads",
        Texts,
        "All that a command or another task reads, in the place of what its module says.",
    ),
    ("writes", Texts, "All that it writes, likewise."),
    ("once", Flag, "A command runs once for each checksum."),
    ("hosts", Hosts, "Names, groups or patterns of hosts."),
    (
        "gather_facts",
        Flag,
        "Whether facts may be gathered; only those that are used are.",
    ),
    ("gather_subset", Texts, "Which kinds of facts are gathered."),
    ("gather_timeout", Number, "How long facts may take."),
    ("fact_path", Text, "Where local facts are."),
    (
        "strategy",
        Text,
        "`linear`, or `free`: hosts do not wait for each other.",
    ),
    ("order", Text, "The order of hosts."),
    (
        "force_handlers",
        Flag,
        "Handlers run even after a failure on their host.",
    ),
    (
        "max_fail_percentage",
        Number,
        "If more hosts fail, the play ends on all.",
    ),
    (
        "serial",
        Any,
        "How many hosts at a time: a number, a percentage, or a list of them.",
    ),
    ("pre_tasks", Tasks, "Tasks before the roles."),
    ("tasks", Tasks, "Tasks."),
    ("post_tasks", Tasks, "Tasks after all others."),
    ("handlers", Handlers, "What runs when it is notified."),
    (
        "roles",
        Any,
        "Roles: names, or maps with `role:` and variables.",
    ),
    ("vars_files", Any, "Files of variables."),
    ("vars_prompt", Any, "Variables that are asked for."),
    (
        "validate_argspec",
        Any,
        "Argument specifications that are checked.",
    ),
    ("block", Tasks, "Tasks that belong together."),
    ("rescue", Tasks, "What is done if one of them failed."),
    ("always", Tasks, "What is done in any case."),
    (
        "action",
        Any,
        "A module and its arguments in one text or map.",
    ),
    ("local_action", Any, "The same, done on this machine."),
    ("args", Kind::Map, "More arguments of the module."),
    ("register", Text, "A variable for the result."),
    ("changed_when", Expressions, "When it counts as changed."),
    ("failed_when", Expressions, "When it counts as failed."),
    ("loop", Any, "It is done for each of these."),
    ("loop_control", Kind::Map, "Names and labels of a loop."),
    ("until", Expressions, "It is done again until this holds."),
    ("retries", Number, "How often it is tried."),
    ("delay", Number, "Seconds between two tries."),
    ("async", Number, "How many seconds it may run detached."),
    ("poll", Number, "How often a detached task is looked at."),
    (
        "listen",
        Texts,
        "More names under which a handler is notified.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_keyword_that_is_read_is_described() {
        let missing: Vec<_> = (super::super::known())
            .filter(|(name, _, refused)| refused.is_none() && described(name).is_none())
            .map(|(name, ..)| name)
            .collect();
        assert_eq!(missing, [""; 0]);
    }
}
