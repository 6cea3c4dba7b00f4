//! What a role says that it wants to be given (`argument_specs`), against what it is given.

mod rules;

use evenkeel_engine::Value;

use super::{
    Expander, Here,
    known::{Holds, templates},
};
use crate::{
    ast::Include,
    diagnostic::Diagnostic,
    lower::Condition,
    template::{Template, Variable, Variables as _},
    vars::plain,
    yaml::Node,
};

impl Expander<'_> {
    /// Checks what each host gives to a role, as far as it is known before the run.
    pub(super) fn check_spec(
        &mut self,
        include: &Include,
        (role, spec): (&str, &str),
        node: &Node,
        here: &Here,
    ) {
        let Some(options) = node.get("options").and_then(Node::as_map) else {
            return;
        };
        let whens: Vec<Condition> = include
            .common
            .when
            .iter()
            .map(|node| Condition::new(node, &mut Vec::new()))
            .collect();
        for host in self.hosts(&here.levels) {
            // Without hosts nobody gives anything.
            if host.is_empty()
                || self.holds(&whens, &here.levels, &host, include.span) != Holds::Yes
            {
                continue;
            }
            for (name, option) in options {
                let Some(value) = self.given(&name.text, here, &host, include) else {
                    continue;
                };
                let wrong = match value {
                    None => required(option),
                    Some(value) => wrong(&name.text, &value, option),
                };
                if let Some(wrong) = wrong {
                    let of = format!("the role `{role}` (`{spec}` of its `argument_specs`)");
                    let message = match wrong {
                        Wrong::Missing => {
                            format!("{of} wants `{}`, and nothing gives it", name.text)
                        }
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
                    self.out
                        .push(match about.filter(|about| !about.is_empty()) {
                            Some(about) => error.help(format!("`{}`: {about}", name.text)),
                            None => error
                                .help(format!("give `{}` below `vars:` of the role", name.text)),
                        });
                }
            }
        }
    }

    /// The value of a variable; `None` if that is not known, or wrong in itself.
    #[expect(clippy::option_option, reason = "not known, not there, or a value")]
    fn given(
        &self,
        name: &str,
        here: &Here,
        host: &str,
        include: &Include,
    ) -> Option<Option<Value>> {
        if self.is_left(name) {
            return None;
        }
        let template = Template::expression(name, include.span).ok()?;
        let scope = self.before_the_run(&[&template], &here.levels, host, include.span)?;
        if let Some(tree) = scope.tree(name) {
            let all = templates(tree);
            self.before_the_run(&all, &here.levels, host, include.span)?;
        }
        match scope.get(name).ok()? {
            Some(Variable::Value(value)) if !has_open(&value) => Some(Some(value)),
            Some(_) => None,
            None => Some(None),
        }
    }
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
