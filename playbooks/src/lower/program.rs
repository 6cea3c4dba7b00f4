//! A task with all its texts compiled, before it is known on which host it runs.

use std::sync::Arc;

use evenkeel_engine::{NotYet, Registry, Value};

use super::{acts, chosen::Chosen};
use crate::{
    ast::{Common, Flag, LoopKind, OrTemplate, Task},
    files::{Span, Spanned},
    parse::REST,
    template::{Fault, Template, Variables as _, is_template},
    vars::{Looped, Scope, Tree},
    yaml::{Kind, Node},
};

/// A compiled task.
#[derive(Debug)]
pub(crate) struct Program {
    /// The task's name; the module's if it has none.
    pub(crate) name: Tree,
    /// Its module, as written.
    pub(crate) module: Spanned<String>,
    /// Where a template names its module: what says which it is.
    pub(crate) chosen: Option<Chosen>,
    /// All that must hold, those of blocks first.
    pub(crate) when: Vec<Condition>,
    /// Its loop.
    pub(crate) loop_: Option<Loop>,
    /// Its arguments.
    pub(crate) args: Vec<Arg>,
    /// `changed_when`.
    pub(crate) changed_when: Vec<Condition>,
    /// `failed_when`.
    pub(crate) failed_when: Vec<Condition>,
    /// `until`.
    pub(crate) until: Vec<Condition>,
    /// `retries`.
    pub(crate) retries: Option<(Tree, Span)>,
    /// `delay`.
    pub(crate) delay: Option<(Tree, Span)>,
    /// `timeout`.
    pub(crate) timeout: Option<(Tree, Span)>,
    /// `async`.
    pub(crate) async_: Option<(Tree, Span)>,
    /// `poll`.
    pub(crate) poll: Option<(Tree, Span)>,
    /// The variable that takes its result.
    pub(crate) register: Option<String>,
    /// `notify`: names of handlers, or lists of them.
    pub(crate) notify: Vec<(Tree, Span)>,
    /// Where it is done, if a template says so.
    pub(crate) delegate: Option<Tree>,
    /// The templates that say as whom it is done.
    pub(crate) acts: Vec<Tree>,
    /// Environments, each a map; the later ones win.
    pub(crate) environment: Vec<(Tree, Span)>,
}

/// A condition.
#[derive(Debug)]
pub(crate) enum Condition {
    /// Always the same.
    Is(bool),
    /// To be evaluated.
    Expr(Box<Template>),
}

/// A loop.
#[derive(Debug)]
pub(crate) struct Loop {
    /// How the list is read.
    pub(crate) kind: LoopKind,
    /// What is looped over.
    pub(crate) list: Tree,
    /// Where a lookup gives the items: the expression that makes them of the list.
    pub(crate) query: Option<Box<Template>>,
    /// Where it is written.
    pub(crate) span: Span,
    /// What it calls its items.
    pub(crate) names: Arc<Looped>,
    /// What people see of an item.
    pub(crate) label: Option<Tree>,
    /// The folder in which its files are looked for first.
    pub(crate) folder: &'static str,
    /// `pause`.
    pub(crate) pause: Option<(Tree, Span)>,
    /// `break_when`.
    pub(crate) break_when: Vec<Condition>,
}

/// An argument.
#[derive(Debug)]
pub(crate) struct Arg {
    /// Its name.
    pub(crate) name: Spanned<String>,
    /// Its name where that is a template (`set_fact`).
    pub(crate) called: Option<Tree>,
    /// Its value as written.
    pub(crate) node: Node,
    /// How its value is made.
    pub(crate) form: Form,
}

/// How an argument's value is made.
#[derive(Debug)]
pub(crate) enum Form {
    /// By rendering it.
    Tree(Tree),
    /// By judging conditions (`assert: that`).
    Conditions(Vec<Condition>),
    /// By evaluating an expression and naming it (`debug: var`).
    Named(Box<Template>),
    /// By rendering a map of arguments, of which those count that are not written.
    Rest(Tree),
}

impl Condition {
    /// From what is written under `when`, `changed_when` …
    pub(crate) fn new(node: &Node, faults: &mut Vec<Fault>) -> Self {
        match &node.kind {
            Kind::Bool(value) => Self::Is(*value),
            Kind::Int(number) => Self::Is(*number != 0),
            Kind::Null => Self::Is(true),
            Kind::Str(text) => match Template::expression(text, node.span) {
                Ok(template) => Self::Expr(Box::new(template)),
                Err(found) => {
                    faults.extend(found.into_iter().map(|fault| match bare(text, node.span) {
                        Some(bare) => fault.help(format!(
                            "a condition is an expression by itself: write `{bare}`"
                        )),
                        _ => fault,
                    }));
                    Self::Is(true)
                }
            },
            _ => {
                let message = format!(
                    "a condition is a text or a boolean, not {}",
                    node.kind_name()
                );
                faults.push(Fault::new("not_a_condition", message).or_at(node.span));
                Self::Is(true)
            }
        }
    }

    /// As it is written.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Is(value) => value.to_string(),
            Self::Expr(template) => template.source().trim().to_owned(),
        }
    }

    /// Its template, if it is one.
    pub(crate) fn template(&self) -> Option<&Template> {
        match self {
            Self::Is(_) => None,
            Self::Expr(template) => Some(template),
        }
    }
}

/// A condition without the braces in it, if that is one.
fn bare(text: &str, span: Span) -> Option<String> {
    if !is_template(text) || text.contains("{%") || text.contains("{#") {
        return None;
    }
    let bare = text.replace("{{", " ").replace("}}", " ");
    let bare = bare.split_whitespace().collect::<Vec<_>>().join(" ");
    Template::expression(&bare, span).is_ok().then_some(bare)
}

/// The variable that has the terms of a loop's lookup.
const TERMS: &str = "evenkeel_terms";

impl Loop {
    /// The expression by which a kind of loop makes its items, if it takes one.
    pub(crate) fn query(kind: LoopKind, span: Span) -> Option<Box<Template>> {
        let LoopKind::Query(name) = kind else {
            return None;
        };
        let text = format!("query('{name}', *{TERMS})");
        Template::expression(&text, span).ok().map(Box::new)
    }

    /// What the lookup gives for these terms; nothing where the list is what is looped over.
    pub(super) fn found(&self, terms: Value, scope: &Scope) -> Option<Result<Value, Fault>> {
        let query = self.query.as_ref()?;
        let terms = match terms {
            list @ (Value::Seq(_) | Value::NotYet(_)) => list,
            one => Value::Seq(vec![one]),
        };
        let scope = scope.with_locals([(TERMS.to_owned(), terms)]);
        Some(query.evaluate(&scope.variables()))
    }

    /// What a turn sees.
    pub(super) fn turn(&self, scope: &Scope, index: usize, items: &[Value]) -> Scope {
        let mut people = matches!(self.kind, LoopKind::Loop | LoopKind::List | LoopKind::Items);
        let mut is_of_people = |template| people &= scope.is_of_people(template);
        self.list.templates(&mut is_of_people);
        let item = people.then(|| self.names.var.clone());
        scope.with_turn(self.locals(index, items), item)
    }

    /// The variables of a turn.
    pub(crate) fn locals(&self, index: usize, items: &[Value]) -> Vec<(String, Value)> {
        self.names.locals(index, items)
    }

    /// The variables of a turn of which the item is not known, nor how many there are.
    pub(crate) fn unknown(&self, what: &NotYet) -> Vec<(String, Value)> {
        let later = || Value::NotYet(what.clone());
        let mut locals = self.names.own(0, later());
        if let Some(name) = &self.names.index {
            locals.retain(|(local, _)| local != name);
            locals.push((name.clone(), later()));
        }
        if self.names.extended {
            locals.push(("ansible_loop".to_owned(), later()));
        }
        locals
    }

    /// Whether a variable is another one in each turn.
    pub(crate) fn has(&self, name: &str) -> bool {
        name == self.names.var
            || self.names.index.as_deref() == Some(name)
            || (self.names.extended && name == "ansible_loop")
    }
}

/// A yes or no that is written as it is; `otherwise`, if it is not written.
fn switch(name: &str, flag: Option<&Flag>, otherwise: bool, faults: &mut Vec<Fault>) -> bool {
    match flag.map(|flag| (&flag.value, flag.span)) {
        None => otherwise,
        Some((OrTemplate::Is(value), _)) => *value,
        Some((OrTemplate::Template(_), span)) => {
            let message = format!("`{name}` is no template");
            let fault = Fault::new("unsupported", message).help("write `true` or `false`");
            faults.push(fault.or_at(span));
            otherwise
        }
    }
}

/// The folder in which the files of a module's loop are looked for first.
fn folder_of(module: &str) -> &'static str {
    if module.contains("template") {
        "templates"
    } else if module.contains("var") {
        "vars"
    } else {
        "files"
    }
}

fn conditions(nodes: &[Node], faults: &mut Vec<Fault>) -> Vec<Condition> {
    nodes
        .iter()
        .map(|node| Condition::new(node, faults))
        .collect()
}

fn number(node: Option<&Node>, faults: &mut Vec<Fault>) -> Option<(Tree, Span)> {
    node.map(|node| (Tree::words(node, faults), node.span))
}

impl Program {
    /// Compiles a task with what stands around it, the outermost first.
    pub(crate) fn new(
        task: &Task,
        commons: &[&Common],
        registry: &Registry,
        faults: &mut Vec<Fault>,
    ) -> Self {
        let module = module_name(&task.module.value, registry);
        let when = commons.iter().flat_map(|common| &common.when);
        let notify = commons.iter().flat_map(|common| &common.notify);
        let environment = commons.iter().flat_map(|common| &common.environment);
        let name = match &task.name {
            Some(name) => Tree::text(&name.value, name.span, faults),
            None => Tree::Is(task.module.value.as_str().into()),
        };
        let given = task.args.as_map().unwrap_or_default();
        // The nearest `module_defaults` for the module counts, whole, as in Ansible.
        let defaults = commons
            .iter()
            .flat_map(|common| &common.module_defaults)
            .rfind(|defaults| module_name(&defaults.module.value, registry) == module);
        let defaults = defaults.and_then(|defaults| defaults.args.as_map());
        let not_given = |key: &Node| !given.iter().any(|(argument, _)| argument.text == key.text);
        let defaults = defaults.unwrap_or_default().iter();
        let args = given
            .iter()
            .chain(defaults.filter(|(key, _)| not_given(key)));
        if module == "debug"
            && let (Some(_), Some((key, _))) = (
                given.iter().find(|(key, _)| key.text == "msg"),
                given.iter().find(|(key, _)| key.text == "var"),
            )
        {
            let message = "`msg` and `var` exclude each other";
            let fault = Fault::new("wrong_arguments", message);
            faults.push(fault.help("make two tasks of it").or_at(key.span));
        }
        Self {
            name,
            module: task.module.clone(),
            chosen: is_template(&task.module.value).then(|| Chosen::new(task, commons, faults)),
            when: when.map(|node| Condition::new(node, faults)).collect(),
            notify: notify
                .map(|word| (Tree::text(&word.value, word.span, faults), word.span))
                .collect(),
            delegate: commons
                .iter()
                .rev()
                .find_map(|common| common.delegate_to.as_ref())
                .filter(|word| is_template(&word.value))
                .map(|word| Tree::text(&word.value, word.span, faults)),
            acts: acts::templates(commons, &mut Vec::new()),
            environment: environment
                .map(|node| (Tree::words(node, faults), node.span))
                .collect(),
            loop_: task.loop_.as_ref().map(|found| Loop {
                kind: found.kind.value,
                list: Tree::words(&found.expr, faults),
                query: Loop::query(found.kind.value, found.expr.span),
                span: found.expr.span,
                names: Arc::new(Looped {
                    var: found.loop_var.value.clone(),
                    index: found.index_var.as_ref().map(|name| name.value.clone()),
                    extended: switch("extended", found.extended.as_ref(), false, faults),
                    all_items: switch(
                        "extended_allitems",
                        found.extended_allitems.as_ref(),
                        true,
                        faults,
                    ),
                }),
                label: found.label.as_ref().map(|label| Tree::words(label, faults)),
                folder: folder_of(&task.module.value),
                pause: number(found.pause.as_ref(), faults),
                break_when: conditions(&found.break_when, faults),
            }),
            args: args
                .map(|(key, value)| Arg::new(module, key, value, faults))
                .collect(),
            changed_when: conditions(&task.changed_when, faults),
            failed_when: conditions(&task.failed_when, faults),
            until: conditions(&task.until, faults),
            retries: number(task.retries.as_ref(), faults),
            delay: number(task.delay.as_ref(), faults),
            async_: number(task.async_.as_ref(), faults),
            poll: number(task.poll.as_ref(), faults),
            timeout: number(
                commons
                    .iter()
                    .rev()
                    .find_map(|common| common.timeout.as_ref()),
                faults,
            ),
            register: task.register.as_ref().map(|name| name.value.clone()),
        }
    }

    /// A module with arguments, and nothing else.
    pub(super) fn with_arguments(module: Spanned<String>, args: Vec<Arg>) -> Self {
        Self {
            name: Tree::Is(Value::Null),
            module,
            chosen: None,
            when: Vec::new(),
            loop_: None,
            args,
            changed_when: Vec::new(),
            failed_when: Vec::new(),
            until: Vec::new(),
            retries: None,
            delay: None,
            timeout: None,
            async_: None,
            poll: None,
            register: None,
            notify: Vec::new(),
            delegate: None,
            acts: Vec::new(),
            environment: Vec::new(),
        }
    }

    /// All its templates.
    pub(crate) fn templates<'a>(&'a self, visit: &mut dyn FnMut(&'a Template)) {
        if let Some(chosen) = &self.chosen {
            chosen.name.templates(visit);
        }
        let judged = self
            .changed_when
            .iter()
            .chain(&self.failed_when)
            .chain(&self.until);
        let numbers = self.retries.iter().chain(&self.delay).chain(self.limits());
        for (tree, _) in numbers {
            tree.templates(visit);
        }
        self.when
            .iter()
            .chain(judged)
            .filter_map(Condition::template)
            .for_each(&mut *visit);
        if let Some(found) = &self.loop_ {
            found.list.templates(visit);
            if let Some(query) = &found.query {
                visit(query);
            }
            if let Some(label) = &found.label {
                label.templates(visit);
            }
            if let Some((pause, _)) = &found.pause {
                pause.templates(visit);
            }
            found
                .break_when
                .iter()
                .filter_map(Condition::template)
                .for_each(&mut *visit);
        }
        for tree in self.delegate.iter().chain(&self.acts) {
            tree.templates(visit);
        }
        for (tree, _) in self.environment.iter().chain(&self.notify) {
            tree.templates(visit);
        }
        for arg in &self.args {
            if let Some(name) = &arg.called {
                name.templates(visit);
            }
            match &arg.form {
                Form::Tree(tree) | Form::Rest(tree) => tree.templates(visit),
                Form::Conditions(all) => all
                    .iter()
                    .filter_map(Condition::template)
                    .for_each(&mut *visit),
                Form::Named(template) => visit(template),
            }
        }
    }

    /// `timeout`, `async`, `poll`.
    pub(crate) fn limits(&self) -> impl Iterator<Item = &(Tree, Span)> {
        let all = [&self.timeout, &self.async_, &self.poll];
        all.into_iter().flatten()
    }

    /// Whether a template gives arguments that are not written.
    pub(crate) fn has_rest(&self) -> bool {
        let mut args = self.args.iter();
        args.any(|arg| matches!(arg.form, Form::Rest(_)))
    }

    /// An argument.
    pub(crate) fn arg(&self, name: &str) -> Option<&Arg> {
        self.args.iter().find(|arg| arg.name.value == name)
    }
}

impl Arg {
    pub(super) fn new(module: &str, key: &Node, node: &Node, faults: &mut Vec<Fault>) -> Self {
        let name = Spanned::new(key.text.clone(), key.span);
        let form = match (module, name.as_str(), &node.kind) {
            (_, REST, _) => Form::Rest(Tree::words(node, faults)),
            ("assert", "that", Kind::Seq(items)) => Form::Conditions(conditions(items, faults)),
            ("assert", "that", _) => Form::Conditions(vec![Condition::new(node, faults)]),
            ("debug", "var", Kind::Str(text)) => match Template::expression(text, node.span) {
                Ok(template) => Form::Named(Box::new(template)),
                Err(found) => {
                    faults.extend(found);
                    Form::Tree(Tree::Is(node_text(node)))
                }
            },
            _ => Form::Tree(Tree::words(node, faults)),
        };
        let called = (module == super::named::MODULE && is_template(&name.value))
            .then(|| Tree::text(&name.value, name.span, faults));
        Self {
            name,
            called,
            node: node.clone(),
            form,
        }
    }
}

/// What a module is called here, if there is one.
pub(super) fn module_name<'a>(written: &'a str, registry: &'a Registry) -> &'a str {
    registry
        .get(written)
        .map_or(written, |module| module.name())
}

fn node_text(node: &Node) -> Value {
    node.text.as_str().into()
}
