//! What the options of a map want of each other: `mutually_exclusive`, `required_together` and their like.

use evenkeel_engine::{Map, Value};

use crate::{words::list, yaml::Node};

/// Whether an option is given, by its name or by an alias.
pub(super) fn given<'v>(map: &'v Map, name: &str, option: &Node) -> Option<&'v Value> {
    let aliases = option.get("aliases").and_then(Node::as_seq);
    let aliases = aliases.unwrap_or_default().iter();
    [name]
        .into_iter()
        .chain(aliases.map(|alias| alias.text.as_str()))
        .find_map(|name| map.get(name))
}

/// What is wrong with a map as a whole.
pub(super) fn broken(name: &str, map: &Map, spec: &Node) -> Option<String> {
    let options = spec.get("options").and_then(Node::as_map)?;
    let has = |wanted: &str| {
        let option = options.iter().find(|(key, _)| key.text == wanted);
        let value = match option {
            Some((key, option)) => given(map, &key.text, option),
            None => map.get(wanted),
        };
        value.is_some_and(|value| *value != Value::Null)
    };
    unknown(name, map, options)
        .or_else(|| exclusive(name, spec, &has))
        .or_else(|| together(name, spec, &has))
        .or_else(|| one_of(name, spec, &has))
        .or_else(|| required_if(name, map, spec, &has))
        .or_else(|| required_by(name, spec, &has))
}

fn unknown(name: &str, map: &Map, options: &[(Node, Node)]) -> Option<String> {
    let known = |key: &str| {
        options.iter().any(|(name, option)| {
            let aliases = option.get("aliases").and_then(Node::as_seq);
            name.text == key
                || aliases
                    .unwrap_or_default()
                    .iter()
                    .any(|alias| alias.text == key)
        })
    };
    let odd = map.keys().find(|key| !known(key))?;
    let names: Vec<String> = options.iter().map(|(name, _)| name.text.clone()).collect();
    Some(format!(
        "no `{name}.{odd}`: in `{name}` there are {}",
        list(&names, "and")
    ))
}

fn exclusive(name: &str, spec: &Node, has: &dyn Fn(&str) -> bool) -> Option<String> {
    let sets = sets(spec, "mutually_exclusive").into_iter();
    let mut broken = sets.filter(|set| set.iter().filter(|key| has(key)).count() > 1);
    let set = broken.next()?;
    Some(format!(
        "`{name}` to have one of {} and no more",
        list(&set, "and")
    ))
}

fn together(name: &str, spec: &Node, has: &dyn Fn(&str) -> bool) -> Option<String> {
    let sets = sets(spec, "required_together").into_iter();
    let mut broken = sets.filter(|set| {
        let count = set.iter().filter(|key| has(key)).count();
        count > 0 && count < set.len()
    });
    let set = broken.next()?;
    Some(format!("`{name}` to have {} together", list(&set, "and")))
}

fn one_of(name: &str, spec: &Node, has: &dyn Fn(&str) -> bool) -> Option<String> {
    let sets = sets(spec, "required_one_of").into_iter();
    let mut broken = sets.filter(|set| !set.is_empty() && !set.iter().any(|key| has(key)));
    let set = broken.next()?;
    Some(format!("`{name}` to have one of {}", list(&set, "and")))
}

/// `[key, value, [names]]`, with `true` after it: one of the names is enough.
fn required_if(name: &str, map: &Map, spec: &Node, has: &dyn Fn(&str) -> bool) -> Option<String> {
    for rule in spec
        .get("required_if")
        .and_then(Node::as_seq)
        .unwrap_or_default()
    {
        let Some([key, value, names, rest @ ..]) = rule.as_seq() else {
            continue;
        };
        let is = map.get(&key.text).and_then(Value::as_text);
        if is.is_none() || is != crate::vars::plain(value).as_text() {
            continue;
        }
        let names = texts(names);
        let any = rest
            .first()
            .is_some_and(|any| any.text.to_lowercase() == "true");
        let missing: Vec<String> = names.iter().filter(|name| !has(name)).cloned().collect();
        if missing.is_empty() || any && missing.len() < names.len() {
            continue;
        }
        let word = if any { "or" } else { "and" };
        let what = list(&missing, word);
        return Some(format!(
            "`{name}` to have {what}, as its `{}` is `{}`",
            key.text, value.text
        ));
    }
    None
}

fn required_by(name: &str, spec: &Node, has: &dyn Fn(&str) -> bool) -> Option<String> {
    let rules = spec.get("required_by").and_then(Node::as_map);
    for (key, names) in rules.unwrap_or_default() {
        if !has(&key.text) {
            continue;
        }
        let names = texts(names).into_iter();
        let missing: Vec<String> = names.filter(|name| !has(name)).collect();
        if !missing.is_empty() {
            let what = list(&missing, "and");
            return Some(format!("`{name}` to have {what}, as it has `{}`", key.text));
        }
    }
    None
}

/// Names: a list, or one alone.
fn texts(node: &Node) -> Vec<String> {
    match node.as_seq() {
        Some(items) => items.iter().map(|item| item.text.clone()).collect(),
        None => vec![node.text.clone()],
    }
}

/// Lists of names; one list alone counts as well.
fn sets(spec: &Node, rule: &str) -> Vec<Vec<String>> {
    let Some(found) = spec.get(rule).and_then(Node::as_seq) else {
        return Vec::new();
    };
    if found.iter().all(|item| item.as_seq().is_none()) {
        return vec![found.iter().map(|item| item.text.clone()).collect()];
    }
    found.iter().map(texts).collect()
}
