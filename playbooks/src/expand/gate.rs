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

/// What a condition holds that is about a turn after the first one.
const LATER: &str = "[1:]";

/// What is not known where it is not known whether there is such a turn: nothing is told of it.
pub(crate) const MORE: &str = "how many turns the loop of its include has";

/// Whether a condition is whether a loop has more turns than one.
pub(crate) fn is_more(condition: &str) -> bool {
    condition.starts_with(NOTE) && condition.contains(LATER)
}

/// A note.
pub(super) struct Gate {
    name: String,
    /// What was decided, as an expression.
    decided: String,
    span: Span,
}

impl Gate {
    pub(super) fn new(number: usize, span: Span) -> Self {
        let name = format!("{NOTE}{number}");
        Self {
            decided: name.clone(),
            name,
            span,
        }
    }

    /// The same note, of one turn of a loop: it is a result with one for each turn.
    pub(super) fn of_turn(&self, turn: usize) -> Self {
        Self {
            name: self.name.clone(),
            decided: format!(
                "(({} | default({{}})).ansible_facts | default({{}})).{}",
                self.result(turn),
                self.name_of_turns()
            ),
            span: self.span,
        }
    }

    /// The result of a turn, if there was one.
    pub(super) fn result(&self, turn: usize) -> String {
        let all = self.results();
        match turn.checked_sub(1) {
            None => format!("{all}[0]"),
            Some(later) => format!("{all}{LATER}[{later}]"),
        }
    }

    /// The results of all turns.
    pub(super) fn results(&self) -> String {
        format!("({}.results | default([]))", self.name)
    }

    /// The variable that a note of a loop leaves behind.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn name_of_turns(&self) -> String {
        format!("{}_decided", self.name)
    }

    /// The task that takes the note: what is decided, if it is reached.
    pub(super) fn note(&self, include: &Include, decided: &Node) -> Item {
        let args = vec![(Node::str(self.name.clone(), self.span), decided.clone())];
        let common = Common {
            when: include.common.when.clone(),
            tags: include.common.tags.clone(),
            ignore_errors: include.common.ignore_errors.clone(),
            ..Common::default()
        };
        let task = task("set_fact", args, common, include);
        Item::Task(Arc::new(Task {
            silent: true,
            ..task
        }))
    }

    /// The task whose result is that of the include itself.
    pub(super) fn registered(&self, include: &Include, register: &Spanned<String>) -> Item {
        let reached = Node::str(REACHED, self.span);
        let args = vec![(Node::str(self.name.clone(), self.span), reached)];
        let common = Common {
            when: include.common.when.clone(),
            tags: include.common.tags.clone(),
            run_once: include.common.run_once.clone(),
            ignore_errors: include.common.ignore_errors.clone(),
            ..Common::default()
        };
        let task = task("set_fact", args, common, include);
        Item::Task(Arc::new(Task {
            silent: true,
            loop_: include.loop_.clone(),
            register: Some(register.clone()),
            ..task
        }))
    }

    /// The task that takes the notes of all turns.
    pub(super) fn notes(&self, include: &Include, decided: &Node) -> Item {
        let args = vec![(Node::str(self.name_of_turns(), self.span), decided.clone())];
        let common = Common {
            when: include.common.when.clone(),
            tags: include.common.tags.clone(),
            ignore_errors: include.common.ignore_errors.clone(),
            ..Common::default()
        };
        let task = task("set_fact", args, common, include);
        Item::Task(Arc::new(Task {
            silent: true,
            loop_: include.loop_.clone(),
            register: Some(Spanned::new(self.name.clone(), self.span)),
            ..task
        }))
    }

    /// The condition that this was decided.
    pub(super) fn is(&self, text: &str) -> Node {
        let text = text.replace('\\', "\\\\").replace('\'', "\\'");
        let Self { name, decided, .. } = self;
        let text = if name == decided {
            format!("{name} | default('') | string == '{text}'")
        } else {
            format!("{name} is defined and {decided} | default('') | string == '{text}'")
        };
        Node::str(text, self.span)
    }

    /// The condition that anything was decided.
    pub(super) fn reached(&self) -> Node {
        let Self { name, decided, .. } = self;
        Node::str(
            format!("{name} is defined and {decided} is defined"),
            self.span,
        )
    }

    /// The task that fails if something was decided that is none of these.
    pub(super) fn none_of(&self, include: &Include, texts: &[String], what: &str) -> Item {
        let Self { name, decided, .. } = self;
        let known: Vec<String> = texts
            .iter()
            .map(|text| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")))
            .collect();
        let reached = if name == decided {
            String::new()
        } else {
            format!("{decided} is defined and ")
        };
        let condition = format!(
            "{name} is defined and {reached}({decided} | string) not in [{}]",
            known.join(", ")
        );
        let message = format!("there is no {what} `{{{{ {decided} }}}}`");
        self.fails(include, condition, &message)
    }

    /// The task that fails if a loop has more turns than were made ready.
    pub(super) fn too_many(&self, include: &Include, most: usize) -> Item {
        let Self { name, .. } = self;
        let all = self.results();
        let condition = format!("{name} is defined and {all} | length > {most}");
        let message = format!(
            "`{}` has {{{{ {all} | length }}}} turns, and {most} were made ready when the playbook was read: say \
             how many there may be, by `vars: {{evenkeel: {{turns: {{{{ {all} | length }}}}}}}}` beside it",
            include.word.value
        );
        self.fails(include, condition, &message)
    }

    fn fails(&self, include: &Include, condition: String, message: &str) -> Item {
        let common = Common {
            when: vec![Node::str(condition, self.span)],
            tags: include.common.tags.clone(),
            ..Common::default()
        };
        failing(include, common, message)
    }
}

/// A task that fails when its turn comes.
pub(super) fn fail(include: &Include, message: &str) -> Item {
    let text = message.replace("{{", "{ {").replace("{%", "{ %");
    failing(include, Common::default(), &text)
}

/// A task that fails with what a template says, and of which nothing is told where it is skipped.
fn failing(include: &Include, common: Common, message: &str) -> Item {
    let at = include.word.span;
    let args = vec![(Node::str("msg", at), Node::str(message, at))];
    Item::Task(Arc::new(Task {
        silent: true,
        ..task("fail", args, common, include)
    }))
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
        is_role: false,
        called: None,
        body,
    }))
}
