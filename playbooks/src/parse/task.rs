//! Tasks and handlers.

use super::{
    Reader,
    common::{MOST_SECONDS, ours},
    keywords::{self, On},
    module::Args,
    values::{Fields, shorten},
};
use crate::{
    ast::Task,
    files::Spanned,
    yaml::{Kind, Node},
};

impl Reader<'_> {
    /// One task; `None` if it is none.
    pub(super) fn task(&mut self, node: &Node, on: On) -> Option<Task> {
        if !matches!(node.kind, Kind::Map(_)) {
            self.error_help(
                "wrong_type",
                node.span,
                format!(
                    "a task is a map: this is {}",
                    match node.kind {
                        Kind::Str(_) => format!("`{}`", shorten(&node.text)),
                        _ => node.kind_name().to_owned(),
                    }
                ),
                "`- name: …`, then the module as a key: `file:`, `command:` …",
            );
            return None;
        }
        let fields = self.fields("task", node)?;
        self.check_task_keywords(&fields, on);
        self.check_ours(&fields, on, &[]);
        if fields.get("hosts").is_some() {
            // A play among tasks, which has been said.
            return None;
        }
        let found = self.module(&fields, node, on);
        let common = self.common(&fields, on);
        let ours = ours(&fields);
        let field = |name: &str| fields.get(name).or_else(|| ours.get(name));
        let list = |reader: &mut Self, name| field(name).map(|node| reader.texts(name, node));
        let conditions = |reader: &mut Self, name| {
            field(name).map_or_else(Vec::new, |node| reader.expressions(name, node))
        };
        let (reads, writes) = (list(self, "reads"), list(self, "writes"));
        let task = Task {
            span: node.span,
            name: self.name(&fields),
            id: field("id").and_then(|node| self.id(node)),
            // Filled in below: everything else is checked even if there is no module.
            module: Spanned::new(String::new(), node.span),
            args: Node::map(Vec::new(), node.span),
            loop_: self.loop_of(&fields),
            common,
            register: field("register").and_then(|node| self.variable("register", node)),
            changed_when: conditions(self, "changed_when"),
            failed_when: conditions(self, "failed_when"),
            until: conditions(self, "until"),
            retries: self.retries(&fields),
            delay: self.delay(&fields),
            async_: self.length("async", &fields),
            poll: self.poll(&fields),
            listen: list(self, "listen").unwrap_or_default(),
            triggered_by: list(self, "triggered_by").unwrap_or_default(),
            reads,
            writes,
            once: field("once").and_then(|node| self.flag("once", node)),
            silent: false,
            ends: None,
            makes: None,
        };
        let Some(found) = found else {
            return self.stand_in(task);
        };
        let args = match &found.args {
            Args::Node(node) => node,
            Args::Made(node) => node,
        };
        let args = self.arguments(&found.module, args, fields.get("args"));
        let args = self.with_variables(&found.module, args);
        match found.module.value.as_str() {
            "add_host" => return self.adds(task, &found.module, args),
            "group_by" => return self.groups(task, &found.module, &args),
            _ => {}
        }
        Some(Task {
            module: found.module,
            args,
            ..task
        })
    }

    /// A task whose module nobody knows, which has been said: what else it says is looked at with all others.
    fn stand_in(&self, task: Task) -> Option<Task> {
        const DOES_NOTHING: &str = "debug";
        if !self.modules.contains(&DOES_NOTHING) {
            return None;
        }
        let text = |text: &str| Node::str(text, task.span);
        Some(Task {
            module: Spanned::new(DOES_NOTHING.to_owned(), task.span),
            args: Node::map(vec![(text("msg"), text(""))], task.span),
            silent: true,
            ..task
        })
    }

    /// `retries`.
    fn retries(&mut self, fields: &Fields<'_>) -> Option<Node> {
        let node = fields.get("retries")?;
        self.whole("retries", 1_000_000, node)?;
        Some(node.clone())
    }

    /// A whole number of seconds.
    fn length(&mut self, name: &str, fields: &Fields<'_>) -> Option<Node> {
        let node = fields.get(name)?;
        self.whole(name, MOST_SECONDS, node)?;
        Some(node.clone())
    }

    /// `poll`.
    fn poll(&mut self, fields: &Fields<'_>) -> Option<Node> {
        let (key, _) = fields.entry("poll")?;
        if fields.get("async").is_none() {
            let why = "it says how a task with `async` is waited for: say how long that may take by `async`";
            self.no_effect("poll", key.span, why);
        }
        self.length("poll", fields)
    }

    /// `delay`.
    fn delay(&mut self, fields: &Fields<'_>) -> Option<Node> {
        let (key, node) = fields.entry("delay")?;
        if fields.get("until").is_none() && fields.get("retries").is_none() {
            let why = "it stands between tries: say how often by `until` or `retries`";
            self.no_effect("delay", key.span, why);
        }
        self.seconds("delay", node)
    }

    fn check_task_keywords(&mut self, fields: &Fields<'_>, on: On) {
        let mut known = Fields::default();
        for (key, value) in fields.iter() {
            // Other keys are looked at when the module is searched for.
            if keywords::elsewhere(key.value).is_some() {
                known.push(key.clone(), value);
            }
        }
        self.check_keywords(&known, on);
    }

    fn id(&mut self, node: &Node) -> Option<Spanned<String>> {
        let id = self.text("id", node)?;
        let fits = !id.is_empty()
            && id
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':'));
        if !fits {
            self.error_help(
                "bad_name",
                id.span,
                format!("`{}` cannot be an `id`", shorten(&id)),
                "letters, digits and `_ - . / :` only",
            );
        }
        Some(id)
    }
}
