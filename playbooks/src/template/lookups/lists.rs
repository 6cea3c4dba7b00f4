//! Kinds that go over what they are given.

use evenkeel_engine::{Map, NotYet, Value};

use super::Trouble;
use crate::{ast::LoopKind, template::dict_to_items};

fn list(name: &str, value: Value) -> Result<Vec<Value>, Trouble> {
    match value {
        Value::Seq(items) => Ok(items),
        Value::NotYet(what) => Err(Trouble::NotYet(what)),
        other => Err(Trouble::Wrong(
            format!("`{name}` wants a list, found {}", other.kind()),
            match other {
                Value::Map(_) => "write `{{ … | dict2items }}` to loop over a map".to_owned(),
                _ => "write a list, or an expression that gives one".to_owned(),
            },
        )),
    }
}

/// The items of a kind that goes over what it is given.
pub(super) fn of(kind: LoopKind, value: Value) -> Result<Vec<Value>, Trouble> {
    match kind {
        LoopKind::Loop => list("loop", value),
        LoopKind::List | LoopKind::Query(_) => open(value, Some(0)),
        LoopKind::Items => open(value, Some(1)),
        LoopKind::Flattened => open(value, None),
        LoopKind::Dict => match value {
            Value::Map(map) => list("with_dict", dict_to_items(&map)),
            Value::NotYet(what) => Err(Trouble::NotYet(what)),
            Value::Seq(maps) if maps.iter().all(|map| matches!(map, Value::Map(_))) => {
                let each = maps.into_iter().map(|map| of(kind, map));
                Ok(each.collect::<Result<Vec<_>, _>>()?.concat())
            }
            other => Err(Trouble::wrong(
                format!("`with_dict` wants a map, found {}", other.kind()),
                "write a map, or an expression that gives one",
            )),
        },
        LoopKind::IndexedItems => Ok(open(value, Some(1))?
            .into_iter()
            .zip(0_i64..)
            .map(|(item, index)| Value::Seq(vec![index.into(), item]))
            .collect()),
        LoopKind::Together => {
            let lists = lists("with_together", value)?;
            if lists.is_empty() {
                let help = "write the lists whose items belong together";
                return Err(Trouble::wrong("`with_together` wants lists", help));
            }
            let rows = lists.iter().map(Vec::len).max().unwrap_or(0);
            let cell = |list: &Vec<Value>, row: usize| list.get(row).cloned().unwrap_or_default();
            (0..rows)
                .map(|row| flat(lists.iter().map(|list| cell(list, row)).collect()))
                .collect()
        }
        LoopKind::Nested => {
            let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
            for list in lists("with_nested", value)? {
                let longer = |row: &Vec<Value>| -> Vec<Vec<Value>> {
                    let with = |item: &Value| [row.clone(), vec![item.clone()]].concat();
                    list.iter().map(with).collect()
                };
                rows = rows.iter().flat_map(longer).collect();
            }
            rows.into_iter().map(flat).collect()
        }
        LoopKind::Subelements => subelements(value),
        // The others go over what they find: see [`super::of`].
        _ => open(value, Some(0)),
    }
}

/// A row, with lists among its cells opened.
fn flat(row: Vec<Value>) -> Result<Value, Trouble> {
    open(Value::Seq(row), Some(1)).map(Value::Seq)
}

/// `[LIST, KEY, {skip_missing: …}]`: each item with each element of the list in it that a key names.
fn subelements(value: Value) -> Result<Vec<Value>, Trouble> {
    let help = "write `- LIST`, `- KEY`, and `- skip_missing: true` if items may be without";
    let wrong = |message: String| Trouble::wrong(message, help);
    let terms = list("with_subelements", value)?;
    let (outer, key, flags) = match &terms[..] {
        [outer, key] => (outer, key, None),
        [outer, key, flags] => (outer, key, Some(flags)),
        _ => {
            let message = format!(
                "`with_subelements` wants two or three terms, not {}",
                terms.len()
            );
            return Err(wrong(message));
        }
    };
    let outer: Vec<&Value> = match outer {
        Value::NotYet(what) => return Err(Trouble::NotYet(what.clone())),
        Value::Map(map) if is_skipped(map) => return Ok(Vec::new()),
        Value::Map(map) => map.values().collect(),
        Value::Seq(items) => items.iter().collect(),
        other => {
            let message = format!(
                "`with_subelements` wants a list first, found {}",
                other.kind()
            );
            return Err(wrong(message));
        }
    };
    let Value::Str(key) = key else {
        let message = format!(
            "`with_subelements` wants a key second, found {}",
            key.kind()
        );
        return Err(wrong(message));
    };
    let skip = skips(flags).map_err(wrong)?;
    let mut found = Vec::new();
    for item in outer {
        let Value::Map(map) = item else {
            if let Value::NotYet(what) = item {
                return Err(Trouble::NotYet(what.clone()));
            }
            let message = format!("`with_subelements` goes over maps, found {}", item.kind());
            return Err(wrong(message));
        };
        if is_skipped(map) {
            continue;
        }
        let parts: Vec<&str> = key.split('.').collect();
        match inner(map, &parts) {
            Ok(elements) => {
                let item = Value::Map(without(map, &parts));
                let pair = |element: &Value| Value::Seq(vec![item.clone(), element.clone()]);
                found.extend(elements.iter().map(pair));
            }
            Err(Missing::Later(what)) => return Err(Trouble::NotYet(what)),
            Err(Missing::Key) if skip => {}
            Err(Missing::Key) => return Err(wrong(format!("an item has no `{key}`"))),
            Err(Missing::List(kind)) => {
                return Err(wrong(format!("`{key}` of an item is {kind}, not a list")));
            }
        }
    }
    Ok(found)
}

/// Whether items without the list are passed over.
fn skips(flags: Option<&Value>) -> Result<bool, String> {
    Ok(match flags {
        None => false,
        Some(Value::Map(flags)) => {
            if let Some(other) = flags.keys().find(|flag| *flag != "skip_missing") {
                return Err(format!("`with_subelements` has no flag `{other}`"));
            }
            flags.get("skip_missing").is_some_and(|flag| {
                let text = flag.as_text().unwrap_or_default().to_lowercase();
                matches!(text.as_str(), "true" | "yes" | "on" | "1" | "y" | "t")
            })
        }
        Some(other) => {
            let message = format!(
                "`with_subelements` wants flags third, found {}",
                other.kind()
            );
            return Err(message);
        }
    })
}

/// Why an item has no list under a key.
enum Missing {
    Key,
    List(&'static str),
    Later(NotYet),
}

fn inner<'v>(map: &'v Map, parts: &[&str]) -> Result<&'v [Value], Missing> {
    let [first, rest @ ..] = parts else {
        return Err(Missing::Key);
    };
    match (map.get(*first), rest) {
        (None, _) => Err(Missing::Key),
        (Some(Value::NotYet(what)), _) => Err(Missing::Later(what.clone())),
        (Some(Value::Seq(items)), []) => Ok(items),
        (Some(other), []) => Err(Missing::List(other.kind())),
        (Some(Value::Map(map)), rest) => inner(map, rest),
        (Some(_), _) => Err(Missing::Key),
    }
}

/// An item without the list that is gone over, as Ansible gives it.
fn without(map: &Map, parts: &[&str]) -> Map {
    let mut map = map.clone();
    match parts {
        [] => {}
        [last] => {
            map.shift_remove(*last);
        }
        [first, rest @ ..] => {
            if let Some(Value::Map(below)) = map.get_mut(*first) {
                *below = without(below, rest);
            }
        }
    }
    map
}

/// The result of a task that was skipped.
fn is_skipped(map: &Map) -> bool {
    map.get("skipped")
        .is_some_and(|skipped| *skipped != Value::Bool(false))
}

fn lists(name: &str, value: Value) -> Result<Vec<Vec<Value>>, Trouble> {
    list(name, value)?
        .into_iter()
        .map(|inner| open(inner, Some(0)))
        .collect()
}

/// The items of a list, with so many levels of lists in it opened; a scalar is a list of one.
pub(super) fn open(value: Value, levels: Option<usize>) -> Result<Vec<Value>, Trouble> {
    match value {
        Value::NotYet(what) => Err(Trouble::NotYet(what)),
        Value::Seq(items) if levels == Some(0) => Ok(items),
        Value::Seq(items) => {
            let below = levels.map(|levels| levels - 1);
            let mut out = Vec::new();
            for item in items {
                match item {
                    Value::Seq(_) => out.extend(open(item, below)?),
                    Value::NotYet(what) => return Err(Trouble::NotYet(what)),
                    other => out.push(other),
                }
            }
            Ok(out)
        }
        other => Ok(vec![other]),
    }
}
