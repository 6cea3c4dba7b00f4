//! Plays.

use super::{Reader, keywords::On, values::Fields};
use crate::{
    ast::{HostOrder, OrTemplate, Play, Strategy},
    files::{Span, Spanned},
    words::did_you_mean,
    yaml::{Kind, Node},
};

impl Reader<'_> {
    /// One play; `None` if it is so wrong that nothing can be said.
    pub(super) fn play(&mut self, node: &Node) -> Option<Play> {
        let fields = self.fields("play", node)?;
        self.check_keywords(&fields, On::Play);
        self.check_ours(&fields, On::Play, &[]);
        for (key, _) in fields.iter() {
            if super::keywords::find(key, On::Play).is_none() && self.known(key.value).is_some() {
                self.error_help(
                    "misplaced",
                    key.span,
                    format!("the module `{}` stands on a play", key.value),
                    "tasks stand in a list below `tasks:`",
                );
            }
        }
        if let (Some((user, _)), Some(_)) = (fields.entry("user"), fields.get("remote_user")) {
            self.error_help(
                "misplaced",
                user.span,
                "`user` and `remote_user` are the same, and this play says both",
                "leave `user` out",
            );
        }
        let common = self.common(&fields, On::Play);
        let hosts = self.hosts(&fields, node.span);
        let items = |reader: &mut Self, name| {
            fields
                .get(name)
                .map_or_else(Vec::new, |node| reader.items(name, node))
        };
        Some(Play {
            span: node.span,
            name: self.name(&fields),
            hosts: hosts?,
            common,
            gather_facts: fields
                .get("gather_facts")
                .and_then(|node| self.flag("gather_facts", node)),
            force_handlers: fields
                .get("force_handlers")
                .and_then(|node| self.flag("force_handlers", node)),
            strategy: self.strategy(&fields),
            serial: fields
                .get("serial")
                .map_or_else(Vec::new, |node| self.texts("serial", node)),
            max_fail_percentage: fields
                .get("max_fail_percentage")
                .and_then(|node| self.text("max_fail_percentage", node)),
            order: self.order(&fields),
            vars_files: fields
                .get("vars_files")
                .map_or_else(Vec::new, |node| self.vars_files(node)),
            prompts: fields
                .get("vars_prompt")
                .map_or_else(Vec::new, |node| self.prompts(node)),
            collections: fields
                .get("collections")
                .map_or_else(Vec::new, |node| self.texts("collections", node)),
            roles: fields
                .get("roles")
                .map_or_else(Vec::new, |node| self.roles("roles", node)),
            pre_tasks: items(self, "pre_tasks"),
            tasks: items(self, "tasks"),
            post_tasks: items(self, "post_tasks"),
            handlers: fields
                .get("handlers")
                .map_or_else(Vec::new, |node| self.handlers(node)),
        })
    }

    /// Names of files, each of which may be a list of which the first that is there counts.
    fn vars_files(&mut self, node: &Node) -> Vec<Vec<Node>> {
        let items = match &node.kind {
            Kind::Null => return Vec::new(),
            Kind::Seq(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let mut all = Vec::new();
        for item in items {
            let names = item.as_seq().unwrap_or(std::slice::from_ref(item));
            let (names, others): (Vec<&Node>, Vec<&Node>) =
                names.iter().partition(|name| name.as_str().is_some());
            for other in others {
                self.wrong_type("vars_files", "names of files, or lists of names", other);
            }
            all.push(names.into_iter().cloned().collect());
        }
        all
    }

    fn hosts(&mut self, fields: &Fields<'_>, play: Span) -> Option<Spanned<String>> {
        let Some((_, node)) = fields.entry("hosts") else {
            // Only the first line: the whole play would be shown else.
            let line = Span {
                end: play.start + 1,
                ..play
            };
            self.error_help(
                "missing_key",
                line,
                "this play says no `hosts`",
                "`hosts: all`, a name, a group or a pattern",
            );
            return None;
        };
        let hosts = self.texts("hosts", node);
        if hosts.is_empty() || hosts.iter().any(|host| host.trim().is_empty()) {
            if !matches!(&node.kind, Kind::Map(_)) {
                self.error(
                    "wrong_type",
                    node.span,
                    "`hosts` wants a pattern of hosts: nothing is there",
                );
            }
            return None;
        }
        let joined: Vec<&str> = hosts.iter().map(|host| host.value.as_str()).collect();
        Some(Spanned::new(joined.join(","), node.span))
    }

    fn order(&mut self, fields: &Fields<'_>) -> Option<Spanned<OrTemplate<HostOrder>>> {
        let node = fields.get("order")?;
        let name = self.text("order", node)?;
        if crate::template::is_template(&name) {
            return Some(Spanned::new(OrTemplate::Template(name.value), node.span));
        }
        if name.value == "shuffle" {
            self.no_effect("order: shuffle", node.span, HostOrder::SHUFFLE);
        }
        let Some(order) = HostOrder::named(&name) else {
            let what = format!("the order `{}` is not supported", name.value);
            self.error_help("unsupported", node.span, what, HostOrder::instead(&name));
            return None;
        };
        Some(Spanned::new(OrTemplate::Is(order), node.span))
    }

    fn strategy(&mut self, fields: &Fields<'_>) -> Strategy {
        let Some(node) = fields.get("strategy") else {
            return Strategy::Linear;
        };
        let Some(name) = self.text("strategy", node) else {
            return Strategy::Linear;
        };
        // Whatever it comes to, hosts run as they do.
        if crate::template::is_template(&name) {
            let why = "hosts run without waiting for each other in any case";
            self.no_effect("strategy", node.span, why);
            return Strategy::Free;
        }
        let known = ["linear", "free", "host_pinned"];
        match name.strip_prefix("ansible.builtin.").unwrap_or(&name) {
            "linear" => {
                let why =
                    "hosts run without waiting for each other; `--in-order` keeps them in step";
                self.no_effect("strategy: linear", node.span, why);
                Strategy::Linear
            }
            "free" | "host_pinned" => Strategy::Free,
            other => {
                let help = did_you_mean(other, known).unwrap_or_else(|| {
                    "`linear` is the default; `free` lets hosts run on without waiting for each other".to_owned()
                });
                self.error_help(
                    "unsupported",
                    node.span,
                    format!("the strategy `{other}` is not supported"),
                    help,
                );
                Strategy::Linear
            }
        }
    }
}
