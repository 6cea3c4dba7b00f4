//! The variables of the turns of a loop, and what of them stands in its results.

use std::sync::Arc;

use evenkeel_engine::{Map, Value};

/// What a loop calls its items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looped {
    /// The item's variable.
    pub var: String,
    /// The index's variable.
    pub index: Option<String>,
    /// Whether there is `ansible_loop`.
    pub extended: bool,
    /// And whether all items are in it.
    pub all_items: bool,
}

impl Looped {
    /// The variables of a turn.
    pub fn locals(&self, index: usize, items: &[Value]) -> Vec<(String, Value)> {
        let item = items.get(index).cloned().unwrap_or_default();
        let mut locals = self.own(index, item);
        if self.extended {
            locals.push(("ansible_loop".to_owned(), self.about(index, items)));
        }
        locals
    }

    /// The same without `ansible_loop`.
    pub fn own(&self, index: usize, item: Value) -> Vec<(String, Value)> {
        let mut locals = vec![
            (self.var.clone(), item),
            ("ansible_loop_var".to_owned(), self.var.as_str().into()),
        ];
        if let Some(name) = &self.index {
            locals.push((name.clone(), count(index)));
            locals.push(("ansible_index_var".to_owned(), name.as_str().into()));
        }
        locals
    }

    /// `ansible_loop`.
    fn about(&self, index: usize, items: &[Value]) -> Value {
        let left = items.len().saturating_sub(index);
        let mut about: Map = [
            ("index", count(index + 1)),
            ("index0", count(index)),
            ("first", (index == 0).into()),
            ("last", (left == 1).into()),
            ("length", count(items.len())),
            ("revindex", count(left)),
            ("revindex0", count(left.saturating_sub(1))),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect();
        if self.all_items {
            about.insert("allitems".to_owned(), Value::Seq(items.to_vec()));
        }
        if let Some(next) = items.get(index + 1) {
            about.insert("nextitem".to_owned(), next.clone());
        }
        if let Some(previous) = index.checked_sub(1).and_then(|before| items.get(before)) {
            about.insert("previtem".to_owned(), previous.clone());
        }
        Value::Map(about)
    }

    /// The results of its turns, each with the variables of its turn.
    pub fn told(&self, results: &[Value]) -> Value {
        let item = |result: &Value| result.get("item").cloned().unwrap_or_default();
        let items: Vec<Value> = results.iter().map(item).collect();
        let told = results.iter().enumerate().map(|(index, result)| {
            let Value::Map(map) = result else {
                return result.clone();
            };
            let mut map = map.clone();
            map.shift_remove("item");
            map.extend(self.locals(index, &items));
            Value::Map(map)
        });
        told.collect()
    }
}

/// A task whose loop it is, if it has one.
pub type OfLoop = Option<Arc<Looped>>;

fn count(number: usize) -> Value {
    i64::try_from(number).unwrap_or(i64::MAX).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_have_the_variables_of_their_turns() {
        let looped = Looped {
            var: "who".to_owned(),
            index: Some("at".to_owned()),
            extended: false,
            all_items: true,
        };
        let result = |item: &str| {
            Value::Map(Map::from_iter([
                ("rc".to_owned(), 0.into()),
                ("item".to_owned(), item.into()),
            ]))
        };
        let told = looped.told(&[result("a"), result("b")]).to_json();
        assert_eq!(
            told.to_string(),
            r#"[{"rc":0,"who":"a","ansible_loop_var":"who","at":0,"ansible_index_var":"at"},{"rc":0,"who":"b","ansible_loop_var":"who","at":1,"ansible_index_var":"at"}]"#
        );
    }
}
