//! Keywords that plays, blocks and tasks share.

use super::{
    Reader,
    keywords::{self, On, Status},
    values::{Fields, is_template},
};
use crate::{
    ast::{Commands, Common, Vars},
    diagnostic::Diagnostic,
    files::{Span, Spanned},
    words::did_you_mean,
    yaml::{Kind, Node},
};

/// The longest `timeout`, as in Ansible.
pub(crate) const MOST_SECONDS: u32 = 100_000_000;

impl Reader<'_> {
    /// `name`; may be left empty.
    pub(super) fn name(&mut self, fields: &Fields<'_>) -> Option<Spanned<String>> {
        let node = fields.get("name").filter(|node| !node.is_null())?;
        self.text("name", node)
    }

    /// Complains about keywords that are not supported. Those that nobody knows are left.
    pub(super) fn check_keywords(&mut self, fields: &Fields<'_>, on: On) {
        for (key, value) in fields.iter() {
            let name = key.value;
            let Some(keyword) = keywords::find(name, on) else {
                self.misplaced(key, value, on);
                continue;
            };
            let instead = match keyword.status {
                Status::Read => continue,
                Status::NoEffect(why) => {
                    self.no_effect(name, key.span, why);
                    continue;
                }
                Status::Refused(instead) => instead,
            };
            self.error_help(
                "unsupported",
                key.span,
                format!("`{name}` is not supported yet"),
                instead,
            );
        }
    }

    /// A word on what is accepted and changes nothing.
    pub(super) fn no_effect(&mut self, what: &str, at: Span, why: &str) {
        let message = format!("`{what}` has no effect");
        let warning = Diagnostic::error("no_effect", at, message).warning();
        self.out.push(warning.help(why));
    }

    /// A keyword of something else, or of nothing. Tasks look for their module among the latter.
    fn misplaced(&mut self, key: &Spanned<&str>, value: &Node, on: On) {
        let name = key.value;
        if let Some(places) = keywords::elsewhere(name) {
            let task = matches!(on, On::Task | On::Handler);
            // `listen`, `block` and the like have a meaning of their own on tasks.
            self.error_help(
                "misplaced",
                key.span,
                format!("`{name}` does not stand on {}", on.name()),
                if task && matches!(name, "hosts" | "tasks") {
                    "this looks like a play: plays stand in the outermost list of the file"
                        .to_owned()
                } else {
                    format!("it stands on {places}")
                },
            );
        } else if matches!(on, On::Play | On::Block) {
            if self.known(name).is_some() && on == On::Play {
                return;
            }
            let help = did_you_mean(name, keywords::names(on));
            let what = if value.as_map().is_some() && self.known(name).is_some() {
                format!("the module `{name}` stands on {}", on.name())
            } else {
                format!("{} has no keyword `{name}`", on.name())
            };
            self.unknown_key(key, what, help);
        }
    }

    /// Nobody knows this key.
    pub(super) fn unknown_key(&mut self, key: &Spanned<&str>, what: String, help: Option<String>) {
        let error = Diagnostic::error("unknown_key", key.span, what);
        self.out.push(match help {
            Some(help) => error.help(help),
            None => error,
        });
    }

    /// What plays, blocks and tasks share.
    pub(super) fn common(&mut self, fields: &Fields<'_>, on: On) -> Common {
        let ours = ours(fields);
        let mut common = Common {
            vars: self.vars(fields),
            ..Common::default()
        };
        let all = fields.iter().chain(ours.iter());
        for (key, node) in all {
            if keywords::find(key.value, on).is_some() {
                self.common_field(&mut common, key.value, node, on);
            }
        }
        common
    }

    fn common_field(&mut self, common: &mut Common, name: &str, node: &Node, on: On) {
        match name {
            "when" => common.when = self.expressions(name, node),
            "tags" => common.tags = self.comma_texts(name, node),
            "environment" => common.environment = self.environment(node),
            "become" => common.become_ = self.flag(name, node),
            "become_user" => common.become_user = self.text(name, node),
            "become_method" => common.become_method = self.become_method(node),
            "become_flags" => common.become_flags = self.text(name, node),
            "connection" => common.connection = self.connection(node, on),
            "remote_user" => common.remote_user = self.text(name, node),
            // Its older name, on plays.
            "user" => common.remote_user = self.text(name, node),
            "port" => common.port = self.whole(name, 65_535, node),
            "check_mode" => common.check_mode = self.flag(name, node),
            "diff" => common.diff = self.flag(name, node),
            "no_log" => common.no_log = self.flag(name, node),
            "ignore_errors" => common.ignore_errors = self.flag(name, node),
            "ignore_unreachable" => common.ignore_unreachable = self.flag(name, node),
            "delegate_to" => common.delegate_to = self.text(name, node),
            "delegate_facts" => common.delegate_facts = self.flag(name, node),
            "local_action" => {
                common.delegate_to = Some(Spanned::new("localhost".to_owned(), node.span));
            }
            "run_once" => common.run_once = self.flag(name, node),
            "any_errors_fatal" => common.any_errors_fatal = self.flag(name, node),
            "throttle" => common.throttle = self.whole(name, 1_000_000, node),
            "timeout" => {
                common.timeout = self.whole(name, MOST_SECONDS, node).map(|_| node.clone());
            }
            "notify" => common.notify = self.texts(name, node),
            "after" => common.after = Some(self.texts(name, node)),
            "commands" => common.commands = self.commands(node),
            "module_defaults" => common.module_defaults = self.module_defaults(node),
            _ => {}
        }
    }

    /// Below a play only the machine that we run on may be meant, or what holds without the word.
    fn connection(&mut self, node: &Node, on: On) -> Option<Spanned<String>> {
        let word = self.text("connection", node)?;
        if on == On::Play {
            return Some(word);
        }
        let known = ["local", "ssh", "smart", "paramiko", "paramiko_ssh"];
        let short = word.strip_prefix("ansible.builtin.").unwrap_or(&word);
        if !known.contains(&short) && !is_template(short) {
            self.error_help(
                "unsupported",
                node.span,
                format!("`connection: {short}` is not supported on {}", on.name()),
                "`local` is there, and `ssh`; else set `ansible_connection` in the inventory",
            );
        }
        Some(Spanned::new(short.to_owned(), node.span))
    }

    fn become_method(&mut self, node: &Node) -> Option<Spanned<String>> {
        let name = self.text("become_method", node)?;
        let short = name
            .strip_prefix("ansible.builtin.")
            .unwrap_or(&name)
            .to_owned();
        let known = ["sudo", "su", "doas"];
        if !known.contains(&short.as_str()) && !is_template(&short) {
            let help = did_you_mean(&short, known)
                .unwrap_or_else(|| "`sudo`, `su` and `doas` are there".to_owned());
            self.error_help(
                "unsupported",
                node.span,
                format!("the become method `{short}` is not supported"),
                help,
            );
            return None;
        }
        Some(Spanned::new(short, node.span))
    }

    fn commands(&mut self, node: &Node) -> Option<Spanned<Commands>> {
        let value = match node.as_str() {
            Some("once") => Commands::Once,
            Some("always") => Commands::Always,
            _ => {
                self.wrong_type("commands", "`once` or `always`", node);
                return None;
            }
        };
        Some(Spanned::new(value, node.span))
    }

    fn environment(&mut self, node: &Node) -> Vec<Node> {
        let items = match &node.kind {
            Kind::Null => return Vec::new(),
            Kind::Seq(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let mut found = Vec::new();
        for item in items {
            match &item.kind {
                Kind::Map(entries) => {
                    for (key, value) in entries {
                        if matches!(value.kind, Kind::Seq(_) | Kind::Map(_)) {
                            self.wrong_type(&key.text, "a text", value);
                        }
                    }
                    found.push(item.clone());
                }
                Kind::Str(text) if is_template(text) => found.push(item.clone()),
                _ => self.wrong_type("environment", "a map of texts", item),
            }
        }
        found
    }

    /// `vars`, without our own keys.
    fn vars(&mut self, fields: &Fields<'_>) -> Vars {
        let Some(node) = fields.get("vars").filter(|node| !node.is_null()) else {
            return Vec::new();
        };
        let mut vars = Vec::new();
        for (key, value) in self.fields("vars", node).unwrap_or_default().iter() {
            if key.value != "evenkeel" {
                self.check_variable(key.value, key.span);
                let name = Spanned::new(key.value.to_owned(), key.span);
                vars.push((name, (*value).clone()));
            }
        }
        vars
    }

    /// Complains about what stands under `vars: {evenkeel: …}` and is not ours.
    pub(super) fn check_ours(&mut self, fields: &Fields<'_>, on: On, more: &[&str]) {
        let Some(node) = fields.get("vars").and_then(|vars| vars.get("evenkeel")) else {
            return;
        };
        let Some(ours) = self.fields("evenkeel", node) else {
            return;
        };
        let known = [
            "id",
            "after",
            "triggered_by",
            "reads",
            "writes",
            "once",
            "commands",
        ];
        let known: Vec<&str> = known
            .into_iter()
            .filter(|name| keywords::find(name, on).is_some())
            .chain(more.iter().copied())
            .collect();
        for (key, _) in ours.iter() {
            if !known.contains(&key.value) {
                let help = did_you_mean(key.value, known.iter().copied());
                let what = format!("`evenkeel` has no key `{}` on {}", key.value, on.name());
                self.unknown_key(key, what, help);
            } else if let Some((first, _)) = fields.entry(key.value) {
                self.out.push(
                    Diagnostic::error(
                        "duplicate_key",
                        key.span,
                        format!("`{}` is said twice", key.value),
                    )
                    .also(first.span, "also here")
                    .help("remove one of them"),
                );
            }
        }
    }
}

/// Our own keys under `vars: {evenkeel: …}`, so that a playbook can stay runnable by Ansible.
pub(super) fn ours<'n>(fields: &Fields<'n>) -> Fields<'n> {
    let mut ours = Fields::default();
    let inner = fields.get("vars").and_then(|vars| vars.get("evenkeel"));
    for (key, value) in inner.and_then(Node::as_map).unwrap_or_default() {
        ours.push(Spanned::new(key.text.as_str(), key.span), value);
    }
    ours
}
