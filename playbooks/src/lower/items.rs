//! What a loop goes over.

use evenkeel_engine::{MASK, NotYet, Value};

use crate::{ast::LoopKind, template::dict_to_items};

/// Why there are no items.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// They come later.
    NotYet(NotYet),
    /// What is wrong, and what to do.
    Wrong(String, String),
}

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

/// The items.
pub(crate) fn of(kind: LoopKind, value: Value) -> Result<Vec<Value>, Trouble> {
    match kind {
        LoopKind::List => list("loop", value),
        LoopKind::Items => open(value, Some(1)),
        LoopKind::Flattened => open(value, None),
        LoopKind::Dict => match value {
            Value::Map(map) => list("with_dict", dict_to_items(&map)),
            Value::NotYet(what) => Err(Trouble::NotYet(what)),
            other => Err(Trouble::Wrong(
                format!("`with_dict` wants a map, found {}", other.kind()),
                "write a map, or an expression that gives one".to_owned(),
            )),
        },
        LoopKind::IndexedItems => Ok(open(value, Some(1))?
            .into_iter()
            .zip(0_i64..)
            .map(|(item, index)| Value::Seq(vec![index.into(), item]))
            .collect()),
        LoopKind::Together => {
            let lists = lists("with_together", value)?;
            let rows = lists.iter().map(Vec::len).max().unwrap_or(0);
            let cell = |list: &Vec<Value>, row: usize| list.get(row).cloned().unwrap_or_default();
            Ok((0..rows)
                .map(|row| lists.iter().map(|list| cell(list, row)).collect())
                .collect())
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
            Ok(rows.into_iter().map(Value::Seq).collect())
        }
    }
}

fn lists(name: &str, value: Value) -> Result<Vec<Vec<Value>>, Trouble> {
    list(name, value)?
        .into_iter()
        .map(|inner| open(inner, Some(0)))
        .collect()
}

/// The items of a list, with so many levels of lists in it opened; a scalar is a list of one.
fn open(value: Value, levels: Option<usize>) -> Result<Vec<Value>, Trouble> {
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

/// What people see of an item.
pub(crate) fn label(item: &Value) -> String {
    match item {
        Value::Secret(_) => MASK.to_owned(),
        Value::Map(_) | Value::Seq(_) => item.to_json().to_string(),
        other => other.as_text().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(kind: LoopKind, json: serde_json::Value) -> serde_json::Value {
        let items = of(kind, Value::from(json)).expect("they are known");
        items.into_iter().collect::<Value>().to_json()
    }

    #[test]
    fn every_kind_of_loop() {
        use serde_json::json;
        assert_eq!(items(LoopKind::List, json!([[1], 2])), json!([[1], 2]));
        assert_eq!(
            items(LoopKind::Items, json!([[1, [2]], 3])),
            json!([1, [2], 3])
        );
        assert_eq!(items(LoopKind::Items, json!("a")), json!(["a"]));
        assert_eq!(
            items(LoopKind::Flattened, json!([[1, [2]], 3])),
            json!([1, 2, 3])
        );
        assert_eq!(
            items(LoopKind::Dict, json!({"a": 1})),
            json!([{"key": "a", "value": 1}])
        );
        assert_eq!(
            items(LoopKind::IndexedItems, json!(["a"])),
            json!([[0, "a"]])
        );
        assert_eq!(
            items(LoopKind::Together, json!([[1, 2], ["a"]])),
            json!([[1, "a"], [2, null]])
        );
        assert_eq!(
            items(LoopKind::Nested, json!([[1, 2], ["a"]])),
            json!([[1, "a"], [2, "a"]])
        );
        assert!(matches!(
            of(LoopKind::List, "x".into()),
            Err(Trouble::Wrong(..))
        ));
        let later = Value::NotYet(NotYet::new("x"));
        assert!(matches!(of(LoopKind::List, later), Err(Trouble::NotYet(_))));
    }
}
