//! What is decided when its turn comes: a silent task notes it, and what is brought in looks at the note.

use std::sync::Arc;

use crate::{
    ast::{Common, Include, Item, Part, Task},
    files::{Span, Spanned},
    vars::Levels,
    yaml::Node,
};

/// How the names of notes begin.
pub(crate) const NOTE: &str = "evenkeel_include_";

/// What stands in a note where only a condition is decided.
pub(super) const REACHED: &str = "yes";

/// A note.
pub(super) struct Gate {
    name: String,
    span: Span,
}

impl Gate {
    pub(super) fn new(number: usize, span: Span) -> Self {
        Self {
            name: format!("{NOTE}{number}"),
            span,
        }
    }

    /// The task that takes the note: what is decided, if it is reached.
    pub(super) fn note(&self, include: &Include, decided: &Node) -> Item {
        let args = vec![(Node::str(self.name.clone(), self.span), decided.clone())];
        let common = Common {
            when: include.common.when.clone(),
            tags: include.common.tags.clone(),
            ..Common::default()
        };
        let task = task("set_fact", args, common, include);
        Item::Task(Arc::new(Task {
            silent: true,
            ..task
        }))
    }

    /// The condition that this was decided.
    pub(super) fn is(&self, text: &str) -> Node {
        let text = text.replace('\\', "\\\\").replace('\'', "\\'");
        let name = &self.name;
        Node::str(
            format!("{name} | default('') | string == '{text}'"),
            self.span,
        )
    }

    /// The task that fails if something was decided that is none of these.
    pub(super) fn none_of(&self, include: &Include, texts: &[String], what: &str) -> Item {
        let name = &self.name;
        let known: Vec<String> = texts
            .iter()
            .map(|text| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")))
            .collect();
        let condition = format!(
            "{name} is defined and ({name} | string) not in [{}]",
            known.join(", ")
        );
        let common = Common {
            when: vec![Node::str(condition, self.span)],
            tags: include.common.tags.clone(),
            ..Common::default()
        };
        let message = format!("there is no {what} `{{{{ {name} }}}}`");
        let args = vec![(Node::str("msg", self.span), Node::str(message, self.span))];
        let task = task("fail", args, common, include);
        Item::Task(Arc::new(Task {
            silent: true,
            ..task
        }))
    }
}

/// A task that fails when its turn comes.
pub(super) fn fail(include: &Include, message: &str) -> Item {
    let text = message.replace("{{", "{ {").replace("{%", "{ %");
    let args = vec![(
        Node::str("msg", include.span),
        Node::str(text, include.span),
    )];
    Item::Task(Arc::new(task("fail", args, Common::default(), include)))
}

fn task(module: &str, args: Vec<(Node, Node)>, common: Common, include: &Include) -> Task {
    let name = include.name.clone();
    let name = name
        .unwrap_or_else(|| Spanned::new(super::title(include).replace('`', ""), include.word.span));
    Task {
        common,
        ..Task::made(
            name,
            Spanned::new(module.to_owned(), include.word.span),
            Node::map(args, include.span),
        )
    }
}

/// A place for tasks of ours, with the variables of the include.
pub(super) fn ours(
    include: &Include,
    levels: &Arc<Levels>,
    role: Option<Arc<str>>,
    body: Vec<Item>,
) -> Item {
    Item::Part(Box::new(Part {
        span: include.span,
        common: Common::default(),
        own_tags: Some(include.common.tags.clone()),
        levels: Arc::clone(levels),
        role,
        body,
    }))
}
