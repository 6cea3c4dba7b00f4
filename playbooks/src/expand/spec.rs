//! What a role says that it wants to be given (`argument_specs`), against what it is given.

mod rules;

use std::{collections::BTreeSet, path::Path, sync::Arc};

use evenkeel_engine::Value;

use super::{
    Expander, Here,
    known::{Holds, templates},
};
use crate::{
    ast::{Common, Include, Item, Task},
    diagnostic::Diagnostic,
    files::Spanned,
    lower::Condition,
    parse::wanted,
    template::{Template, Variable, Variables as _},
    vars::plain,
    yaml::{Kind, Node},
};

/// What gives a variable to a role.
enum Given {
    Value(Value),
    Nothing,
    /// That is known at its turn.
    Later,
    /// It is wrong in itself, which is told where it is used.
    Wrong,
}

impl Expander<'_> {
    /// Checks what each host gives to a role, as far as it is known before the run. What is not known then, or is wrong
    /// where a failure is counted on, is looked at by a task before those of the role.
    pub(super) fn check_spec(
        &mut self,
        include: &Include,
        spec: &str,
        node: &Node,
        here: &Here,
    ) -> Option<Item> {
        let options = node.get("options").and_then(Node::as_map)?;
        let at = here.role.clone()?;
        let (role, path) = (&*at.name, &*at.path);
        let is_caught = here.is_caught
            || include.apply.ignore_errors.is_some()
            || !include.dynamic && include.common.ignore_errors.is_some();
        let whens: Vec<Condition> = include
            .common
            .when
            .iter()
            .map(|node| Condition::new(node, &mut Vec::new()))
            .collect();
        let (mut is_later, mut is_wrong) = (false, false);
        let mut broken: BTreeSet<&str> = BTreeSet::new();
        for host in self.hosts(&here.levels) {
            // Without hosts nobody gives anything.
            let holds = self.holds(&whens, &here.levels, &host, include.span);
            if host.is_empty() || holds == Holds::No {
                continue;
            }
            for (name, option) in options {
                let wrong = match self.given(&name.text, here, &host, include) {
                    Given::Value(value) => wrong(&name.text, &value, option),
                    Given::Nothing => required(option),
                    Given::Later => {
                        is_later = true;
                        None
                    }
                    Given::Wrong => {
                        broken.insert(&name.text);
                        None
                    }
                };
                let Some(wrong) = wrong else { continue };
                is_wrong = true;
                if holds == Holds::Yes {
                    let found = told(include, (role, spec), (name, option), wrong);
                    self.out
                        .push(if is_caught { found.warning() } else { found });
                }
            }
        }
        let at_its_turn = is_later || is_wrong;
        at_its_turn.then(|| looks(include, (role, spec, path), node, &broken))
    }

    /// What gives a variable.
    fn given(&self, name: &str, here: &Here, host: &str, include: &Include) -> Given {
        if self.is_left(name) {
            return Given::Later;
        }
        let Ok(template) = Template::expression(name, include.span) else {
            return Given::Wrong;
        };
        let scope = self.before_the_run(&[&template], &here.levels, host, include.span);
        let Some(scope) = scope else {
            return Given::Later;
        };
        if let Some(tree) = scope.tree(name) {
            let all = templates(tree);
            let known = self.before_the_run(&all, &here.levels, host, include.span);
            if known.is_none() {
                return Given::Later;
            }
        }
        match scope.get(name) {
            Ok(Some(Variable::Value(value))) if !has_open(&value) => Given::Value(value),
            Ok(Some(_)) => Given::Later,
            Ok(None) => Given::Nothing,
            Err(_) => Given::Wrong,
        }
    }
}

fn told(
    include: &Include,
    (role, spec): (&str, &str),
    (name, option): (&Node, &Node),
    wrong: Wrong,
) -> Diagnostic {
    let of = format!("the role `{role}` (`{spec}` of its `argument_specs`)");
    let message = match wrong {
        Wrong::Missing => format!("{of} wants `{}`, and nothing gives it", name.text),
        Wrong::Other(what) => format!("{of} wants {what}"),
    };
    let about = option.get("description").map(|about| match about.as_seq() {
        Some(lines) => lines
            .first()
            .map(|line| line.text.clone())
            .unwrap_or_default(),
        None => about.text.clone(),
    });
    let error = Diagnostic::error("role_argument", include.span, message)
        .also(name.span, "this is what it wants");
    match about.filter(|about| !about.is_empty()) {
        Some(about) => error.help(format!("`{}`: {about}", name.text)),
        None => error.help(format!("give `{}` below `vars:` of the role", name.text)),
    }
}

/// The task that looks at what is given at its turn, and says nothing if all is well.
fn looks(
    include: &Include,
    (role, spec, path): (&str, &str, &Path),
    node: &Node,
    broken: &BTreeSet<&str>,
) -> Item {
    let at = include.word.span;
    let text = |text: &str| Node::str(text, at);
    let empty = Node::map(Vec::new(), at);
    let options = node.get("options").unwrap_or(&empty);
    let variables = wanted::variables(options);
    let variables = variables.iter().filter_map(Node::as_map).flatten();
    let variables = variables.filter(|(name, _)| !broken.contains(name.text.as_str()));
    let mut context = vec![
        (text("type"), text("role")),
        (text("name"), text(role)),
        (text("argument_spec_name"), text(spec)),
        (text("path"), as_written(&text(&path.to_string_lossy()))),
    ];
    let mut name = format!("Validating arguments against arg spec '{spec}'");
    if let Some(about) = node
        .get("short_description")
        .filter(|about| !about.text.is_empty())
    {
        name = format!("{name} - {}", about.text);
    }
    if let Some(absolute) = std::path::absolute(path)
        .ok()
        .filter(|_| path.is_relative())
        && let Some((_, path)) = context.last_mut()
    {
        *path = as_written(&text(&absolute.to_string_lossy()));
    }
    let args = vec![
        (text("argument_spec"), as_written(options)),
        (
            text("variables"),
            Node::map(variables.cloned().collect(), at),
        ),
        (text("validate_args_context"), Node::map(context, at)),
    ];
    let common = Common {
        tags: vec![Spanned::new("always".to_owned(), at)],
        ..Common::default()
    };
    Item::Task(Arc::new(Task {
        silent: true,
        common,
        ..Task::made(
            Spanned::new(name.replace("{{", "{ {").replace("{%", "{ %"), at),
            Spanned::new(wanted::MODULE.to_owned(), at),
            Node::map(args, include.span),
        )
    }))
}

/// As it is written, but for values of `default`: what looks like a template is none.
fn as_written(node: &Node) -> Node {
    let mut node = node.clone();
    match &mut node.kind {
        Kind::Str(text) if text.contains("{{") || text.contains("{%") || text.contains("{#") => {
            node.tag = Some(Spanned::new("!unsafe".to_owned(), node.span));
        }
        Kind::Seq(items) => items.iter_mut().for_each(|item| *item = as_written(item)),
        Kind::Map(entries) => {
            for (_, value) in entries.iter_mut().filter(|(key, _)| key.text != "default") {
                *value = as_written(value);
            }
        }
        _ => {}
    }
    node
}

fn has_open(value: &Value) -> bool {
    match value {
        Value::NotYet(_) => true,
        Value::Seq(items) => items.iter().any(has_open),
        Value::Map(map) => map.values().any(has_open),
        _ => false,
    }
}

enum Wrong {
    Missing,
    Other(String),
}

fn required(option: &Node) -> Option<Wrong> {
    let required = option.get("required").is_some_and(|node| {
        matches!(
            node.text.to_lowercase().as_str(),
            "true" | "yes" | "on" | "1"
        )
    });
    (required && option.get("default").is_none()).then_some(Wrong::Missing)
}

/// What is wrong with a value.
fn wrong(name: &str, value: &Value, option: &Node) -> Option<Wrong> {
    let kind = option.get("type").map_or("str", |node| node.text.as_str());
    if *value == Value::Null {
        return None;
    }
    if !is_a(kind, value) {
        let what = format!("`{name}` to be {}, and it is {}", named(kind), value.kind());
        return Some(Wrong::Other(what));
    }
    let choices: Vec<Value> = option
        .get("choices")
        .and_then(Node::as_seq)
        .unwrap_or_default()
        .iter()
        .map(plain)
        .collect();
    let same = |choice: &Value, value: &Value| {
        choice == value
            || choice
                .as_text()
                .is_some_and(|text| Some(text) == value.as_text())
    };
    let values = match value {
        Value::Seq(items) => items.as_slice(),
        value => std::slice::from_ref(value),
    };
    let odd = values
        .iter()
        .find(|value| !choices.is_empty() && !choices.iter().any(|choice| same(choice, value)));
    if let Some(odd) = odd {
        let texts: Vec<String> = choices.iter().filter_map(Value::as_text).collect();
        let odd = odd.as_text().unwrap_or_default();
        let list = crate::words::list(&texts, "or");
        return Some(Wrong::Other(format!(
            "`{name}` to be {list}, and it is `{odd}`"
        )));
    }
    let kind = option.get("elements").map_or("", |node| node.text.as_str());
    if let (Value::Seq(items), false) = (value, kind.is_empty())
        && let Some(odd) = items.iter().find(|item| !is_a(kind, item))
    {
        let what = match odd.as_text() {
            Some(text) => format!("`{text}` is not"),
            None => format!("{} is not", odd.kind()),
        };
        return Some(Wrong::Other(format!(
            "each item of `{name}` to be {}: {what}",
            named(kind)
        )));
    }
    for value in values {
        if let Value::Map(map) = value
            && let Some(what) = rules::broken(name, map, option)
        {
            return Some(Wrong::Other(what));
        }
    }
    let inner = option
        .get("options")
        .and_then(Node::as_map)
        .unwrap_or_default();
    for (key, option) in inner {
        for value in values {
            let Value::Map(map) = value else { continue };
            let path = format!("{name}.{}", key.text);
            let found = match rules::given(map, &key.text, option) {
                None => required(option)
                    .map(|_| Wrong::Other(format!("`{path}`, and nothing gives it"))),
                Some(value) => wrong(&path, value, option),
            };
            if found.is_some() {
                return found;
            }
        }
    }
    None
}

fn named(kind: &str) -> &'static str {
    match kind {
        "int" => "a whole number",
        "float" => "a number",
        "bool" => "`true` or `false`",
        "list" => "a list",
        "dict" => "a map",
        _ => "a text",
    }
}

/// Whether a value is of a kind, or can be taken for one.
fn is_a(kind: &str, value: &Value) -> bool {
    let text = value.as_text();
    match kind {
        "int" => {
            matches!(value, Value::Int(_) | Value::UInt(_))
                || text.is_some_and(|text| text.trim().parse::<i64>().is_ok())
        }
        "float" => text.is_some_and(|text| text.trim().parse::<f64>().is_ok()),
        "bool" => {
            matches!(value, Value::Bool(_))
                || text.is_some_and(|text| {
                    let words = [
                        "yes", "no", "true", "false", "on", "off", "y", "n", "t", "f", "1", "0",
                    ];
                    words.contains(&text.to_lowercase().as_str())
                })
        }
        // A text is a list of what stands between its commas.
        "list" => !matches!(value, Value::Map(_) | Value::Bool(_)),
        "dict" => matches!(value, Value::Map(_)),
        "str" | "path" => !matches!(value, Value::Seq(_) | Value::Map(_)),
        _ => true,
    }
}
