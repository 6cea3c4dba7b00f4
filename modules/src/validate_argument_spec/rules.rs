//! What the options of a map want of each other.

use evenkeel_engine::{Map, Value};

use super::{
    check::{Within, found_in, is_true},
    convert::shown,
};

/// `mutually_exclusive`.
pub(super) fn exclusive(option: &Value, given: &Map, within: &Within<'_>) -> Option<String> {
    let sets = sets(option, "mutually_exclusive").into_iter();
    let broken: Vec<String> = sets
        .filter(|set| count(set, given) > 1)
        .map(|set| set.join("|"))
        .collect();
    let what = format!("parameters are mutually exclusive: {}", broken.join(", "));
    (!broken.is_empty()).then(|| what + &found_in(within))
}

/// The first that is broken of each other kind.
pub(super) fn broken(option: &Value, given: &Map, within: &Within<'_>) -> Vec<String> {
    let all = [
        together(option, given),
        one_of(option, given),
        required_if(option, given),
        required_by(option, given),
    ];
    let all = all.into_iter().flatten();
    all.map(|what| what + &found_in(within)).collect()
}

fn together(option: &Value, given: &Map) -> Option<String> {
    let mut sets = sets(option, "required_together").into_iter();
    let set = sets.find(|set| (1..set.len()).contains(&count(set, given)))?;
    let names = set.join(", ");
    Some(format!("parameters are required together: {names}"))
}

fn one_of(option: &Value, given: &Map) -> Option<String> {
    let mut sets = sets(option, "required_one_of").into_iter();
    let set = sets.find(|set| count(set, given) == 0)?;
    let names = set.join(", ");
    Some(format!("one of the following is required: {names}"))
}

/// `[name, value, [names]]`, with `true` after it: one of the names is enough.
fn required_if(option: &Value, given: &Map) -> Option<String> {
    let Some(Value::Seq(rules)) = option.get("required_if") else {
        return None;
    };
    rules.iter().find_map(|rule| {
        let Value::Seq(parts) = rule else { return None };
        let [name, value, names, rest @ ..] = parts.as_slice() else {
            return None;
        };
        let name = name.as_text()?;
        if given.get(&name) != Some(value) {
            return None;
        }
        let names = texts(names);
        let any = rest.first().is_some_and(is_true);
        let missing: Vec<&str> = names
            .iter()
            .filter(|name| !given.contains_key(*name))
            .map(String::as_str)
            .collect();
        if missing.is_empty() || any && missing.len() < names.len() {
            return None;
        }
        Some(format!(
            "{name} is {} but {} of the following are missing: {}",
            shown(value),
            if any { "any" } else { "all" },
            missing.join(", ")
        ))
    })
}

fn required_by(option: &Value, given: &Map) -> Option<String> {
    let Some(Value::Map(rules)) = option.get("required_by") else {
        return None;
    };
    let has = |name: &str| given.get(name).is_some_and(|value| *value != Value::Null);
    rules
        .iter()
        .filter(|(name, _)| has(name))
        .find_map(|(name, names)| {
            let names = texts(names);
            let missing = names.iter().filter(|name| !has(name));
            let missing: Vec<&str> = missing.map(String::as_str).collect();
            let what = || {
                format!(
                    "missing parameter(s) required by '{name}': {}",
                    missing.join(", ")
                )
            };
            (!missing.is_empty()).then(what)
        })
}

fn count(set: &[String], given: &Map) -> usize {
    set.iter().filter(|name| given.contains_key(*name)).count()
}

/// Names: a list, or one alone.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Seq(items) => items.iter().filter_map(Value::as_text).collect(),
        other => other.as_text().into_iter().collect(),
    }
}

/// Lists of names; one list alone counts as well.
fn sets(option: &Value, rule: &str) -> Vec<Vec<String>> {
    let Some(Value::Seq(found)) = option.get(rule) else {
        return Vec::new();
    };
    if !found.iter().any(|item| matches!(item, Value::Seq(_))) {
        return vec![found.iter().filter_map(Value::as_text).collect()];
    }
    found.iter().map(texts).collect()
}
