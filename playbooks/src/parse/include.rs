//! What brings in tasks from elsewhere: `import_tasks`, `include_tasks`, `import_role`, `include_role`, the
//! roles of a play, and `import_playbook`.

use std::sync::Arc;

use super::{
    Reader,
    common::ours,
    keywords::{self, On},
    values::Fields,
};
use crate::{
    ast::{Common, Import, Include, Loop, OrTemplate, RoleCall, Vars, What},
    diagnostic::Diagnostic,
    files::Spanned,
    words::did_you_mean,
    yaml::{Kind, Node},
};

const WORDS: [&str; 4] = [
    "import_tasks",
    "include_tasks",
    "import_role",
    "include_role",
];

/// What may stand beside an include: it is about the include itself.
const BESIDE: [&str; 15] = [
    "name",
    "register",
    "vars",
    "tags",
    "when",
    "loop",
    "loop_control",
    "run_once",
    "no_log",
    "ignore_errors",
    "args",
    "listen",
    "collections",
    "debugger",
    "timeout",
];

/// Those of them that Ansible takes for the include alone, of which only a `when` can fail, and which shows nothing.
const OF_ITSELF: [&str; 3] = ["ignore_errors", "no_log", "timeout"];

/// What says something about a task's own result, and nothing about what is brought in.
const OF_TASKS: [&str; 10] = [
    "register",
    "changed_when",
    "failed_when",
    "until",
    "retries",
    "delay",
    "async",
    "poll",
    "id",
    "once",
];

const OF_ROLES: [&str; 9] = [
    "name",
    "role",
    "tasks_from",
    "vars_from",
    "defaults_from",
    "handlers_from",
    "public",
    "allow_duplicates",
    "rolespec_validate",
];

/// A word as it is meant, without its collection.
fn short(key: &str) -> &str {
    ["ansible.builtin.", "ansible.legacy."]
        .iter()
        .find_map(|collection| key.strip_prefix(collection))
        .unwrap_or(key)
}

/// What `action` calls, and what it gives to it.
fn called(action: &Node) -> Option<(String, Node)> {
    match &action.kind {
        Kind::Str(text) => {
            let (name, rest) = text.trim().split_once(char::is_whitespace)?;
            let rest = Node::str(rest.trim_start(), action.span);
            Some((name.to_owned(), rest))
        }
        Kind::Map(entries) => {
            let name = action.get("module")?.as_str()?.to_owned();
            let rest = entries.iter().filter(|(key, _)| key.text != "module");
            Some((name, Node::map(rest.cloned().collect(), action.span)))
        }
        _ => None,
    }
}

impl Reader<'_> {
    /// What brings in tasks; `None` if this is a task, `Some(None)` if it is too wrong.
    #[expect(clippy::option_option, reason = "not one, a wrong one, or one")]
    pub(super) fn include(&mut self, node: &Node, on: On) -> Option<Option<Include>> {
        let entries = node.as_map()?;
        let named = |name: &str| WORDS.into_iter().find(|word| *word == short(name));
        let found = entries
            .iter()
            .find_map(|(key, value)| Some((Spanned::new(named(&key.text)?, key.span), value)));
        if let Some((key, value)) = found {
            return Some(self.include_of(&key, value, node, on));
        }
        let (at, (key, value, action)) =
            entries.iter().enumerate().find_map(|(at, (key, value))| {
                let (name, rest) = (key.text == "action").then(|| called(value))??;
                Some((at, (Spanned::new(named(&name)?, key.span), rest, key)))
            })?;
        let mut entries = entries.to_vec();
        entries[at] = (Node::str(key.value, action.span), value.clone());
        let node = Node::map(entries, node.span);
        Some(self.include_of(&key, &value, &node, on))
    }

    fn include_of(
        &mut self,
        key: &Spanned<&'static str>,
        value: &Node,
        node: &Node,
        on: On,
    ) -> Option<Include> {
        let fields = self.fields("task", node)?;
        let dynamic = key.starts_with("include");
        self.check_include(&fields, key, dynamic, on);
        let name = Spanned::new(key.value.to_owned(), key.span);
        // `include_tasks: a.yml`: the whole text is a name.
        let whole = value
            .as_str()
            .filter(|text| key.ends_with("_tasks") && !text.trim_start().starts_with("file="));
        let arguments = match whole {
            Some(_) => {
                let file = (Node::str("file", value.span), value.clone());
                self.arguments(
                    &name,
                    &Node::map(vec![file], value.span),
                    fields.get("args"),
                )
            }
            None => self.arguments(&name, value, fields.get("args")),
        };
        let given = self.fields(key.value, &arguments)?;
        let known: Vec<&str> = if key.ends_with("_role") {
            OF_ROLES.iter().copied().chain(["apply"]).collect()
        } else {
            vec!["file", "apply"]
        };
        for (argument, _) in given.iter() {
            if !known.contains(&argument.value) {
                let what = format!("`{}` has no argument `{}`", key.value, argument.value);
                let help = did_you_mean(argument.value, known.iter().copied())
                    .or_else(|| keywords::outside(argument.value, key.value))
                    .unwrap_or_else(|| "what is given to it stands below `vars:`".to_owned());
                self.unknown_key(argument, what, Some(help));
            } else if argument.value == "apply" && !dynamic {
                self.error_help(
                    "misplaced",
                    argument.span,
                    format!("`apply` does not stand on `{}`", key.value),
                    "what stands beside it holds for all that it brings in",
                );
            }
        }
        if on == On::Handler && key.ends_with("_role") {
            self.error_help(
                "misplaced",
                key.span,
                format!("`{}` is no handler", key.value),
                "name the role among `roles`, or bring in a file of tasks of it",
            );
        }
        let what = if key.ends_with("_role") {
            What::Role(Box::new(self.role_call(key, &given, &arguments)?))
        } else {
            let Some(file) = given.get("file") else {
                self.missing(key, "file");
                return None;
            };
            What::Tasks(self.a_name("file", file)?)
        };
        let apply = given
            .get("apply")
            .filter(|apply| !apply.is_null())
            .and_then(|apply| {
                let fields = self.fields("apply", apply)?;
                self.check_keywords(&fields, On::Block);
                Some(self.common(&fields, On::Block))
            });
        Some(Include {
            span: node.span,
            name: self.name(&fields),
            word: key.clone(),
            dynamic,
            what,
            common: self.common(&fields, on),
            apply: apply.unwrap_or_default(),
            loop_: self.plain_loop(&fields),
            register: self.registers(&fields, dynamic, on),
            listen: fields
                .get("listen")
                .map_or_else(Vec::new, |node| self.texts("listen", node)),
            turns: self.turns(&fields),
        })
    }

    /// `register`: what is there from the start leaves nothing behind, as in Ansible.
    fn registers(&mut self, fields: &Fields<'_>, dynamic: bool, on: On) -> Option<Spanned<String>> {
        let (key, node) = fields.entry("register").filter(|_| on != On::Handler)?;
        if !dynamic {
            let why = "what is imported is there from the start, and no task: register one that it brings in";
            self.no_effect("register", key.span, why);
            return None;
        }
        self.variable("register", node)
    }

    /// Its loop: what it brings in is known before any of it is done, so nothing is between its turns.
    fn plain_loop(&mut self, fields: &Fields<'_>) -> Option<Loop> {
        let found = self.loop_of(fields)?;
        let refused = [
            (
                found.pause.as_ref(),
                "pause",
                "put a `pause` task among what is brought in",
            ),
            (
                found.break_when.first(),
                "break_when",
                "put a `when` on what is brought in, or select the items before",
            ),
        ];
        for (node, name, help) in refused {
            if let Some(node) = node {
                let what = format!("`{name}` is not supported on what brings in tasks");
                self.error_help("unsupported", node.span, what, help);
            }
        }
        Some(found)
    }

    /// `vars: {evenkeel: {turns: …}}`.
    fn turns(&mut self, fields: &Fields<'_>) -> Option<usize> {
        let ours = ours(fields);
        let (_, node) = ours.entry("turns")?;
        match self.whole("turns", 10_000, node)?.value {
            OrTemplate::Is(turns) => usize::try_from(turns).ok(),
            OrTemplate::Template(_) => {
                self.wrong_type("turns", "a number, and no template", node);
                None
            }
        }
    }

    fn missing(&mut self, key: &Spanned<&str>, what: &str) {
        let (message, help) = if key.value == "roles" {
            (
                "this entry of `roles` does not say which role it is".to_owned(),
                format!("`{what}: NAME`"),
            )
        } else {
            (
                format!("`{}` does not say its `{what}`", key.value),
                format!("`{}: {{{what}: …}}`", key.value),
            )
        };
        self.error_help("missing_key", key.span, message, help);
    }

    fn check_include(&mut self, fields: &Fields<'_>, key: &Spanned<&str>, dynamic: bool, on: On) {
        for (word, _) in fields.iter() {
            let name = word.value;
            if WORDS.contains(&short(name)) {
                if short(name) != key.value {
                    let message =
                        format!("this task has two modules: `{}` and `{name}`", key.value);
                    self.error_help(
                        "two_modules",
                        word.span,
                        message,
                        "make two tasks of it: each begins with `- `",
                    );
                }
                continue;
            }
            let may_fail = name == "ignore_errors" && fields.get("when").is_some();
            if dynamic && OF_ITSELF.contains(&name) && !may_fail {
                let why =
                    "it is about the include, not about what is brought in: put it below `apply:`";
                self.no_effect(name, word.span, why);
            }
            let is_loop = name == "loop_control" || name == "loop" || keywords::is_with(name);
            if is_loop && !dynamic {
                self.error_help(
                    "misplaced",
                    word.span,
                    format!("`{}` takes no loop: it is there once", key.value),
                    format!("write `{}`", key.replace("import", "include")),
                );
            } else if OF_TASKS.contains(&name)
                && !dynamic
                && !["id", "once", "register"].contains(&name)
            {
                let why = "what it would say something about is the tasks that are brought in: write it there";
                self.no_effect(name, word.span, why);
            } else if OF_TASKS.contains(&name) && (name != "register" || on == On::Handler) {
                self.error_help(
                    "misplaced",
                    word.span,
                    format!("`{name}` does not stand on `{}`: it is no task", key.value),
                    "it stands on the tasks that are brought in",
                );
            } else if dynamic && !BESIDE.contains(&name) && keywords::elsewhere(name).is_some() {
                self.error_help(
                    "misplaced",
                    word.span,
                    format!("`{name}` does not stand on `{}`", key.value),
                    format!(
                        "put it below `apply:`, or write `{}`",
                        key.replace("include", "import")
                    ),
                );
            } else if keywords::elsewhere(name).is_none() && !keywords::is_with(name) {
                let help = did_you_mean(name, keywords::names(on));
                let what = format!("{} has no keyword `{name}`", on.name());
                self.unknown_key(word, what, help);
            }
        }
        let mut known = Fields::default();
        for (word, value) in fields.iter() {
            let said = OF_TASKS.contains(&word.value) || dynamic && !BESIDE.contains(&word.value);
            if keywords::elsewhere(word.value).is_some() && !said {
                known.push(word.clone(), value);
            }
        }
        self.check_keywords(&known, on);
        let mut words = fields.iter().map(|(word, _)| word.value);
        let looped = words.any(|word| word == "loop" || keywords::is_with(word));
        let more: &[&str] = if dynamic && looped { &["turns"] } else { &[] };
        self.check_ours(fields, on, more);
    }

    /// A name of a file or a role: a text, and not an empty one.
    fn a_name(&mut self, what: &str, node: &Node) -> Option<Node> {
        match &node.kind {
            Kind::Str(text) if !text.trim().is_empty() => Some(node.clone()),
            Kind::Int(_) | Kind::Float(_) | Kind::UInt(_) => {
                Some(Node::str(node.text.clone(), node.span))
            }
            _ => {
                self.wrong_type(what, "a name", node);
                None
            }
        }
    }

    fn role_call(
        &mut self,
        key: &Spanned<&str>,
        given: &Fields<'_>,
        whole: &Node,
    ) -> Option<RoleCall> {
        let Some(name) = given.get("name").or_else(|| given.get("role")) else {
            let key = Spanned::new(
                key.value,
                if key.value == "roles" {
                    whole.span
                } else {
                    key.span
                },
            );
            self.missing(&key, if key.value == "roles" { "role" } else { "name" });
            return None;
        };
        let dynamic = key.starts_with("include");
        let name = self.a_name("name", name)?;
        let from = |reader: &mut Self, what: &str| {
            given
                .get(what)
                .filter(|node| !node.is_null())
                .and_then(|node| reader.a_name(what, node))
        };
        let yes = |reader: &mut Self, what: &str| {
            let flag = given.get(what).and_then(|node| reader.flag(what, node))?;
            match flag.value {
                OrTemplate::Is(value) => Some(value),
                OrTemplate::Template(_) => {
                    reader.error_help(
                        "wrong_type",
                        flag.span,
                        format!("`{what}` is `true` or `false`, and no template"),
                        "write which it is",
                    );
                    None
                }
            }
        };
        Some(RoleCall {
            name,
            tasks_from: from(self, "tasks_from"),
            vars_from: from(self, "vars_from"),
            defaults_from: from(self, "defaults_from"),
            handlers_from: from(self, "handlers_from"),
            public: yes(self, "public").unwrap_or(!dynamic),
            // A role of a play is there once, any other each time.
            again: yes(self, "allow_duplicates").or((key.value != "roles").then_some(true)),
            checked: yes(self, "rolespec_validate").unwrap_or(true),
            params: Vars::new(),
        })
    }

    /// `roles` of a play, or the dependencies of a role.
    pub(super) fn roles(&mut self, name: &str, node: &Node) -> Vec<Arc<Include>> {
        match &node.kind {
            Kind::Null => Vec::new(),
            Kind::Seq(items) => items
                .iter()
                .filter_map(|item| self.role(item))
                .map(Arc::new)
                .collect(),
            _ => {
                self.error_help(
                    "wrong_type",
                    node.span,
                    format!(
                        "`{name}` wants a list of roles: this is {}",
                        node.kind_name()
                    ),
                    "begin each role with `- `",
                );
                Vec::new()
            }
        }
    }

    fn role(&mut self, node: &Node) -> Option<Include> {
        let word = Spanned::new("roles", node.span);
        if node.as_map().is_none() {
            let name = self.a_name("role", node)?;
            let entry = (Node::str("role", node.span), name);
            return self.role(&Node::map(vec![entry], node.span));
        }
        let fields = self.fields("role", node)?;
        let mut ours = Fields::default();
        let (mut common, mut params) = (Fields::default(), Vars::new());
        let from_requirements = fields.get("src").filter(|_| fields.get("role").is_none());
        if let (Some(src), None) = (from_requirements, fields.get("name")) {
            self.error_help(
                "missing_key",
                src.span,
                "a role is named by `role`",
                "`src` is for `requirements.yml`, from which `ansible-galaxy install` fetches it",
            );
            return None;
        }
        for (key, value) in fields.iter() {
            match key.value {
                "role" | "name" | "tasks_from" | "vars_from" | "defaults_from"
                | "handlers_from" | "public" | "allow_duplicates" => {
                    ours.push(key.clone(), value);
                }
                // Where it comes from is `ansible-galaxy`'s.
                "src" | "scm" | "version" => {}
                "delegate_to" | "delegate_facts" | "register" | "loop" => self.error_help(
                    "misplaced",
                    key.span,
                    format!("`{}` does not stand on a role", key.value),
                    "put it on the tasks, or `include_role` within a block",
                ),
                name if keywords::find(name, On::Block).is_some()
                    && !["block", "rescue", "always"].contains(&name) =>
                {
                    common.push(key.clone(), value);
                }
                name => {
                    self.check_variable(name, key.span);
                    params.push((Spanned::new(name.to_owned(), key.span), (*value).clone()));
                }
            }
        }
        self.check_keywords(&common, On::Block);
        let mut call = self.role_call(&word, &ours, node)?;
        // With parameters of its own it is another one.
        call.params = params;
        call.public = true;
        Some(Include {
            span: node.span,
            name: None,
            word,
            dynamic: false,
            what: What::Role(Box::new(call)),
            common: self.common(&common, On::Block),
            apply: Common::default(),
            loop_: None,
            register: None,
            listen: Vec::new(),
            turns: None,
        })
    }

    /// `import_playbook`; `None` if this is a play.
    #[expect(clippy::option_option, reason = "not one, a wrong one, or one")]
    pub(super) fn import_playbook(&mut self, node: &Node) -> Option<Option<Import>> {
        let (key, value) = node
            .as_map()?
            .iter()
            .find(|(key, _)| short(&key.text) == "import_playbook")?;
        let fields = self.fields("import_playbook", node)?;
        for (word, _) in fields.iter() {
            if !["name", "when", "vars", "tags", key.text.as_str()].contains(&word.value) {
                self.out.push(
                    Diagnostic::error(
                        "misplaced",
                        word.span,
                        format!("`{}` does not stand on `import_playbook`", word.value),
                    )
                    .help("`name`, `when`, `vars` and `tags` may stand here"),
                );
            }
        }
        let file = self.text("import_playbook", value);
        Some(file.map(|file| Import {
            file,
            common: self.common(&fields, On::Task),
        }))
    }
}
