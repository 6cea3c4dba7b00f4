//! What is wrong with arguments, all of it, in the words that Ansible has for it.

use evenkeel_engine::{Map, Value};

use super::{
    convert::{convert, shown, type_of},
    rules,
};

/// Where something is wrong: the options of maps around it, the outermost first.
pub(super) type Within<'a> = [&'a str];

/// What is wrong with what is given.
pub(super) fn all(spec: &Map, given: &Map) -> Vec<String> {
    let mut checking = Checking::default();
    let mut given = given.clone();
    aliases(spec, &mut given);
    checking.odd(spec, &given, &[]);
    checking.values(spec, &mut given, &[]);
    checking.below(spec, &mut given, &[]);
    let unsupported = checking.unsupported();
    checking.errors.extend(unsupported);
    checking.errors
}

#[derive(Default)]
struct Checking {
    errors: Vec<String>,
    /// What nobody wants, and what is wanted there.
    odd: Vec<(String, String)>,
}

impl Checking {
    /// What is given and not wanted.
    fn odd(&mut self, spec: &Map, given: &Map, within: &Within<'_>) {
        let mut names: Vec<&str> = spec.keys().map(String::as_str).collect();
        let mut others: Vec<String> = spec.values().flat_map(aliases_of).collect();
        names.sort_unstable();
        others.sort_unstable();
        let odd: Vec<&String> = given
            .keys()
            .filter(|key| !spec.contains_key(*key) && !others.contains(key))
            .collect();
        let mut known = names.join(", ");
        if !others.is_empty() {
            known = format!("{known} ({})", others.join(", "));
        }
        for name in odd {
            let path = within.iter().copied().chain([name.as_str()]);
            let path = path.collect::<Vec<_>>().join(".");
            self.odd.push((path, known.clone()));
        }
    }

    fn unsupported(&self) -> Option<String> {
        let mut odd: Vec<&(String, String)> = self.odd.iter().collect();
        odd.sort();
        odd.dedup_by_key(|(path, _)| path.as_str());
        let (_, known) = odd.first()?;
        let names: Vec<&str> = odd.iter().map(|(path, _)| path.as_str()).collect();
        let names = names.join(", ");
        Some(format!("{names}. Supported parameters include: {known}."))
    }

    /// Whether all is there that has to be, and is what it has to be.
    fn values(&mut self, spec: &Map, given: &mut Map, within: &Within<'_>) {
        for (name, option) in spec {
            let default = option.get("default").filter(|value| **value != Value::Null);
            if let (Some(default), false) = (default, given.contains_key(name)) {
                given.insert(name.clone(), default.clone());
            }
        }
        let required = |(name, option): &(&String, &Value)| {
            option.get("required").is_some_and(is_true) && !given.contains_key(*name)
        };
        let missing = spec.iter().filter(required).map(|(name, _)| name.as_str());
        let missing: Vec<&str> = missing.collect();
        if !missing.is_empty() {
            let what = format!("missing required arguments: {}", missing.join(", "));
            self.errors.push(what + &found_in(within));
        }
        for (name, option) in spec {
            if let Some(value) = given.get_mut(name) {
                self.kind(name, option, value, within);
            }
        }
        for (name, option) in spec {
            if let Some(value) = given.get(name) {
                self.errors.extend(choice(name, option, value, within));
            }
        }
    }

    /// Makes a value what it has to be.
    fn kind(&mut self, name: &str, option: &Value, value: &mut Value, within: &Within<'_>) {
        let word = |key: &str| option.get(key).and_then(Value::as_text);
        let required = option.get("required").is_some_and(is_true);
        if *value == Value::Null && !required {
            return;
        }
        let kind = word("type").unwrap_or_else(|| "str".to_owned());
        match convert(&kind, value) {
            Ok(converted) => *value = converted,
            Err(why) => {
                let of = type_of(value);
                let place = match within {
                    [] => String::new(),
                    within => format!(" found in '{}'.", within.join(" -> ")),
                };
                self.errors.push(format!(
                    "argument '{name}' is of type {of}{place} and we were unable to convert to {kind}: {why}"
                ));
                return;
            }
        }
        let (Some(kind), Value::Seq(items)) = (word("elements"), value) else {
            return;
        };
        // What is wrong with an item is told once.
        items.retain_mut(|item| {
            let why = match convert(&kind, item) {
                Ok(converted) => {
                    *item = converted;
                    return true;
                }
                Err(why) => why,
            };
            let of = type_of(item);
            let place = match within {
                [] => String::new(),
                within => format!(" found in '{}'", within.join(" -> ")),
            };
            self.errors.push(format!(
                "Elements value for option '{name}'{place} is of type {of} and we were unable to convert to {kind}: {why}"
            ));
            false
        });
    }

    /// The options of maps.
    fn below(&mut self, spec: &Map, given: &mut Map, within: &Within<'_>) {
        for (name, option) in spec {
            let is = |key: &str, kind: &str| {
                option.get(key).and_then(Value::as_text).as_deref() == Some(kind)
            };
            let has_options = is("type", "dict") || is("type", "list") && is("elements", "dict");
            if !has_options {
                continue;
            }
            let Some(Value::Map(inner)) = option.get("options") else {
                continue;
            };
            if option.get("apply_defaults").is_some_and(is_true)
                && given.get(name).is_none_or(|value| *value == Value::Null)
            {
                given.insert(name.clone(), Value::Map(Map::new()));
            }
            let items = match given.get_mut(name) {
                None | Some(Value::Null) => continue,
                Some(Value::Seq(items)) => items.as_mut_slice(),
                Some(one) => std::slice::from_mut(one),
            };
            let within = [within, &[name.as_str()]].concat();
            for item in items {
                let Value::Map(map) = item else {
                    self.errors.push(format!(
                        "value of '{name}' must be of type dict or list of dicts"
                    ));
                    continue;
                };
                aliases(inner, map);
                self.odd(inner, map, &within);
                self.errors.extend(rules::exclusive(option, map, &within));
                self.values(inner, map, &within);
                self.errors.extend(rules::broken(option, map, &within));
                self.below(inner, map, &within);
            }
        }
    }
}

/// What is given by another name is given by its own.
fn aliases(spec: &Map, given: &mut Map) {
    for (name, option) in spec {
        for alias in aliases_of(option) {
            if let Some(value) = given.get(&alias) {
                given.insert(name.clone(), value.clone());
            }
        }
    }
}

fn aliases_of(option: &Value) -> Vec<String> {
    match option.get("aliases") {
        Some(Value::Seq(names)) => names.iter().filter_map(Value::as_text).collect(),
        _ => Vec::new(),
    }
}

fn choice(name: &str, option: &Value, value: &Value, within: &Within<'_>) -> Option<String> {
    let Some(Value::Seq(choices)) = option.get("choices") else {
        return None;
    };
    let all = texts(choices);
    if let Value::Seq(items) = value {
        let odd: Vec<Value> = items
            .iter()
            .filter(|item| !choices.contains(item))
            .cloned()
            .collect();
        let what = format!(
            "value of {name} must be one or more of: {all}. Got no match for: {}",
            texts(&odd)
        );
        return (!odd.is_empty()).then(|| what + &found_in(within));
    }
    // A word that YAML takes for yes or no is meant as it was written, where only one choice fits.
    let meant = |yes: bool| {
        let words = if yes {
            ["y", "yes", "on", "1", "true", "t"]
        } else {
            ["n", "no", "off", "0", "false", "f"]
        };
        let fits =
            |choice: &&Value| matches!(choice, Value::Str(text) if words.contains(&text.as_str()));
        choices.iter().filter(fits).count() == 1
    };
    let is_meant = match value {
        Value::Str(text) if text == "True" => meant(true),
        Value::Str(text) if text == "False" => meant(false),
        _ => false,
    };
    if choices.contains(value) || is_meant {
        return None;
    }
    let got = shown(value);
    let what = format!("value of {name} must be one of: {all}, got: {got}");
    Some(what + &found_in(within))
}

pub(super) fn texts(values: &[Value]) -> String {
    values.iter().map(shown).collect::<Vec<_>>().join(", ")
}

pub(super) fn found_in(within: &Within<'_>) -> String {
    if within.is_empty() {
        return String::new();
    }
    format!(" found in {}", within.join(" -> "))
}

pub(super) fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(yes) => *yes,
        other => other.as_text().is_some_and(|text| {
            ["true", "yes", "on", "1", "y", "t"].contains(&text.to_lowercase().as_str())
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(spec: &str, given: &str) -> Vec<String> {
        let map = |text: &str| {
            let json: serde_json::Value = serde_json::from_str(text).unwrap();
            match Value::from(json) {
                Value::Map(map) => map,
                other => panic!("{other:?}"),
            }
        };
        all(&map(spec), &map(given))
    }

    #[test]
    fn all_that_is_wrong_is_told_in_order() {
        let spec = r#"{"m": {"required": true}, "i": {"type": "int"}, "c": {"choices": ["a", "b"]},
            "l": {"type": "list", "elements": "int", "aliases": ["ll"]}}"#;
        let given = r#"{"i": "abc", "c": "z", "ll": [1, "q"], "odd": 1}"#;
        assert_eq!(
            errors(spec, given),
            [
                "missing required arguments: m",
                "argument 'i' is of type str and we were unable to convert to int: \"'abc'\" cannot be converted to an int",
                "Elements value for option 'l' is of type str and we were unable to convert to int: \"'q'\" cannot be converted to an int",
                "value of c must be one of: a, b, got: z",
                "odd. Supported parameters include: c, i, l, m (ll).",
            ]
        );
        assert_eq!(
            errors(spec, r#"{"m": 1, "i": "7", "c": "a", "l": "1,2"}"#),
            [""; 0]
        );
    }

    #[test]
    fn options_of_maps_are_looked_at() {
        let spec = r#"{"cfg": {"type": "dict", "mutually_exclusive": [["a", "b"]], "required_by": {"a": ["c"]},
            "required_if": [["b", 1, ["d", "e"]]], "options": {"a": {}, "b": {"type": "int"}, "c": {}, "d": {}, "e": {},
            "n": {"type": "list", "elements": "dict", "options": {"q": {"required": true}}}}}}"#;
        assert_eq!(
            errors(
                spec,
                r#"{"cfg": {"a": "x", "b": "1", "d": 1, "n": [{"q": 1}, {}]}}"#
            ),
            [
                "parameters are mutually exclusive: a|b found in cfg",
                "b is 1 but all of the following are missing: e found in cfg",
                "missing parameter(s) required by 'a': c found in cfg",
                "missing required arguments: q found in cfg -> n",
            ]
        );
    }
}
