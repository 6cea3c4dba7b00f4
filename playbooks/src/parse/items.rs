//! Lists of tasks, blocks, and `meta`.

use std::sync::Arc;

use super::{Reader, keywords::On, values::Fields};
use crate::{
    ast::{Block, Ends, Item, Meta, MetaAction, Task},
    files::Spanned,
    words::did_you_mean,
    yaml::{Kind, Node},
};

const METAS: [&str; 10] = [
    "flush_handlers",
    "noop",
    "end_role",
    "reset_connection",
    "refresh_inventory",
    "clear_host_errors",
    "end_host",
    "end_batch",
    "end_play",
    "clear_facts",
];

impl Reader<'_> {
    /// A list of tasks and blocks.
    pub(super) fn items(&mut self, name: &str, node: &Node) -> Vec<Item> {
        let mut items = Vec::new();
        for item in self.task_list(name, node) {
            if ["block", "rescue", "always"]
                .iter()
                .any(|key| item.get(key).is_some())
            {
                items.extend(
                    self.block(item, On::Task)
                        .map(|block| Item::Block(Box::new(block))),
                );
            } else if let Some(action) = item
                .get("meta")
                .or_else(|| item.get("ansible.builtin.meta"))
            {
                items.extend(self.meta(item, action, On::Task));
            } else {
                items.extend(self.task_or_include(item, On::Task));
            }
        }
        items
    }

    fn task_or_include(&mut self, item: &Node, on: On) -> Option<Item> {
        if let Some(found) = self.include(item, on) {
            return found.map(|include| Item::Include(Arc::new(include)));
        }
        self.task(item, on).map(|task| Item::Task(Arc::new(task)))
    }

    /// The handlers of a play.
    pub(super) fn handlers(&mut self, node: &Node) -> Vec<Item> {
        let mut handlers = Vec::new();
        for item in self.task_list("handlers", node) {
            if ["block", "rescue", "always"]
                .iter()
                .any(|key| item.get(key).is_some())
            {
                let block = self.block(item, On::Handler);
                handlers.extend(block.map(|block| Item::Block(Box::new(block))));
            } else if let Some(action) = item
                .get("meta")
                .or_else(|| item.get("ansible.builtin.meta"))
            {
                handlers.extend(self.meta_handler(item, action));
            } else {
                handlers.extend(self.task_or_include(item, On::Handler));
            }
        }
        handlers
    }

    fn task_list<'n>(&mut self, name: &str, node: &'n Node) -> &'n [Node] {
        match &node.kind {
            Kind::Null => &[],
            Kind::Seq(items) => items,
            Kind::Map(_) => {
                self.error_help(
                    "wrong_type",
                    node.span,
                    format!("`{name}` wants a list of tasks: this is a map"),
                    "begin each task with `- `",
                );
                &[]
            }
            _ => {
                self.wrong_type(name, "a list of tasks", node);
                &[]
            }
        }
    }

    /// `meta` among handlers: a task that does nothing, or ends the play.
    fn meta_handler(&mut self, node: &Node, action: &Node) -> Option<Item> {
        let listen = node.get("listen");
        let listen = listen.map_or_else(Vec::new, |node| self.texts("listen", node));
        let task = match self.meta(node, action, On::Handler)? {
            Item::Task(task) => Task {
                listen,
                ..(*task).clone()
            },
            Item::Meta(meta) if meta.action.value == MetaAction::FlushHandlers => {
                self.error_help(
                    "misplaced",
                    action.span,
                    "`meta: flush_handlers` is no handler",
                    "it stands among tasks",
                );
                return None;
            }
            Item::Meta(meta) => {
                let name = meta.name.clone();
                let name = name.unwrap_or_else(|| Spanned::new("meta".to_owned(), action.span));
                let text = |text: &str| Node::str(text, action.span);
                let args = Node::map(vec![(text("msg"), text("nothing"))], action.span);
                Task {
                    span: node.span,
                    common: meta.common.clone(),
                    listen,
                    silent: true,
                    ..Task::made(name, Spanned::new("debug".to_owned(), action.span), args)
                }
            }
            _ => return None,
        };
        Some(Item::Task(Arc::new(task)))
    }

    /// A block; of handlers, each of its tasks is one.
    fn block(&mut self, node: &Node, on: On) -> Option<Block> {
        let fields = self.fields("block", node)?;
        self.check_keywords(&fields, On::Block);
        self.check_ours(&fields, On::Block, &[]);
        let part = |reader: &mut Self, name| {
            if let Some((
                key,
                Node {
                    kind: Kind::Null, ..
                },
            )) = fields.entry(name)
            {
                reader.error_help(
                    "wrong_type",
                    key.span,
                    format!("`{name}` wants a list of tasks: nothing is there"),
                    "indent its tasks below it; `[]` is a list without tasks",
                );
            }
            let read = |node| match on {
                On::Handler => reader.handlers(node),
                _ => reader.items(name, node),
            };
            fields.get(name).map_or_else(Vec::new, read)
        };
        if on == On::Handler {
            for name in ["rescue", "always"] {
                if let Some((key, _)) = fields.entry(name) {
                    let why = "each task of a block among handlers is a handler by itself";
                    self.no_effect(name, key.span, why);
                }
            }
        }
        let block = Block {
            span: node.span,
            name: self.name(&fields),
            common: self.common(&fields, On::Block),
            body: part(self, "block"),
            rescue: part(self, "rescue"),
            always: part(self, "always"),
        };
        if fields.get("block").is_none() {
            let (key, _) = fields.entry("rescue").or_else(|| fields.entry("always"))?;
            self.error_help(
                "missing_key",
                key.span,
                format!("there is a `{}` here, but no `block`", key.value),
                "`block:` has the tasks whose failure it is about",
            );
        }
        Some(block)
    }

    fn meta(&mut self, node: &Node, action: &Node, on: On) -> Option<Item> {
        let fields = self.fields("meta", node)?;
        self.check_meta(node, &fields, on);
        let word = self.text("meta", action)?;
        let value = match word.value.as_str() {
            "flush_handlers" => MetaAction::FlushHandlers,
            "noop" => MetaAction::Noop,
            quiet @ ("clear_facts" | "reset_connection" | "refresh_inventory"
            | "clear_host_errors") => {
                let what = format!("meta: {quiet}");
                self.no_effect(&what, word.span, instead(quiet));
                MetaAction::Noop
            }
            "end_role" if on == On::Handler => {
                self.error_help(
                    "misplaced",
                    word.span,
                    "`meta: end_role` is no handler",
                    "it stands among the tasks of a role",
                );
                return None;
            }
            "end_role" => return Some(self.ending(node, &fields, &word, Ends::Role)),
            "end_host" => return Some(self.ending(node, &fields, &word, Ends::Host)),
            "end_batch" => return Some(self.ending(node, &fields, &word, Ends::Batch)),
            "end_play" => return Some(self.ending(node, &fields, &word, Ends::Play)),
            other => {
                let help = did_you_mean(other, METAS)
                    .unwrap_or_else(|| format!("there are `{}`", METAS.join("`, `")));
                self.error_help(
                    "unsupported",
                    action.span,
                    format!("`meta: {}` is not supported", super::values::shorten(other)),
                    help,
                );
                return None;
            }
        };
        if let (MetaAction::FlushHandlers, Some(when)) = (value, node.get("when")) {
            self.error_help(
                "unsupported",
                when.span,
                "`meta: flush_handlers` takes no `when`",
                "put the condition on the handlers: they run here only if they were notified",
            );
        }
        Some(Item::Meta(Box::new(Meta {
            span: node.span,
            name: self.name(&fields),
            action: Spanned::new(value, action.span),
            common: self.common(&fields, On::Task),
        })))
    }

    /// What may stand beside `meta`.
    fn check_meta(&mut self, node: &Node, fields: &Fields<'_>, on: On) {
        for (key, _) in fields.iter() {
            let fits = match key.value {
                "name" | "when" | "tags" | "vars" | "meta" | "ansible.builtin.meta" => true,
                "listen" => on == On::Handler,
                _ => false,
            };
            if !fits {
                self.error_help(
                    "misplaced",
                    key.span,
                    format!("`{}` does not stand on `meta`", key.value),
                    "`name`, `when`, `tags` and `vars` may stand here",
                );
            }
        }
        if let Some(ours) = node.get("vars").and_then(|vars| vars.get("evenkeel")) {
            let what = "`evenkeel` does not stand on `meta`";
            self.error_help(
                "misplaced",
                ours.span,
                what,
                "it stands on tasks, blocks and plays",
            );
        }
    }

    /// What ends a play is a task that only says so; what is listed after it looks at how it ended.
    fn ending(
        &mut self,
        node: &Node,
        fields: &Fields<'_>,
        word: &Spanned<String>,
        ends: Ends,
    ) -> Item {
        let name = self.name(fields);
        let name = name.unwrap_or_else(|| Spanned::new(format!("meta: {}", word.value), word.span));
        let what = match ends {
            Ends::Role => "the role ends for this host",
            Ends::Host => "the play ends for this host",
            Ends::Batch => "the play ends for all hosts of this batch",
            Ends::Play => "the play ends for all hosts",
        };
        let text = |text: &str| Node::str(text, word.span);
        Item::Task(Arc::new(Task {
            span: node.span,
            common: self.common(fields, On::Task),
            ends: Some(ends),
            ..Task::made(
                name,
                Spanned::new("debug".to_owned(), word.span),
                Node::map(vec![(text("msg"), text(what))], word.span),
            )
        }))
    }
}

/// What holds here where a `meta` has no effect.
fn instead(action: &str) -> &'static str {
    match action {
        "clear_facts" => "facts are looked at anew where they are used",
        "reset_connection" => {
            "`become` sees new groups of a user at once; the user who logs in has them in the next run"
        }
        "refresh_inventory" => {
            "this run has read the inventory, and sees what `add_host` adds; hosts that a program of an inventory tells \
             only now are for a playbook that is run after this one"
        }
        _ => "a host that failed stays out of the play; the next run takes it in again",
    }
}
