//! Sets variables of a host for the rest of the run.

use std::collections::BTreeMap;

use evenkeel_engine::{
    Done, Late, Map, Module, Nature, Plan, Probes, Refusal, Seen, Stop, Touches, Value,
};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::SerializeMap as _,
};

/// The module `set_fact`.
#[derive(Debug)]
pub struct SetFact;

/// Arguments of `set_fact`: any names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Args {
    /// Names and values.
    pub facts: IndexMap<String, Late<Value>>,
    /// Accepted; facts live as long as the run.
    pub cacheable: bool,
}

impl Serialize for Args {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in &self.facts {
            map.serialize_entry(name, value)?;
        }
        if self.cacheable {
            map.serialize_entry("cacheable", &true)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Args {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut args = Self::default();
        for (name, value) in IndexMap::<String, Late<Value>>::deserialize(deserializer)? {
            if name == "cacheable" {
                let known = value.get().map_err(D::Error::custom)?;
                args.cacheable = known.to_typed().map_err(D::Error::custom)?;
            } else {
                args.facts.insert(name, value);
            }
        }
        Ok(args)
    }
}

impl JsonSchema for Args {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Args".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        BTreeMap::<String, serde_json::Value>::json_schema(generator)
    }
}

impl Module for SetFact {
    const NAME: &'static str = "set_fact";
    const ALIASES: &'static [&'static str] = &[
        "set-fact",
        "ansible.builtin.set_fact",
        "ansible.legacy.set_fact",
    ];
    const NATURE: Nature = Nature::Passive;
    const ABOUT: &'static str = "sets variables of a host";
    const EXAMPLE: &'static str = "\
- set_fact:
    app_home: /srv/app
    app_url: http://{{ inventory_hostname }}:8080/
";
    const CHANGED_WHEN: &'static str = "Never.";
    const LIMITS: &'static str = "Facts last as long as the run.";
    type Args = Args;
    type Output = Map;

    fn check(args: &Args) -> Result<(), Refusal> {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        for name in args.facts.keys() {
            if name.is_empty()
                || name.starts_with(|c: char| c.is_ascii_digit())
                || !name.chars().all(word)
            {
                return Err(
                    Refusal::new(format!("`{name}` is no name for a variable")).help(
                        "names are made of letters, digits and `_`, and do not begin with a digit",
                    ),
                );
            }
        }
        if args.facts.is_empty() {
            return Err(Refusal::new("no variable is set").help("write `name: value`"));
        }
        Ok(())
    }

    fn observe(_: &Args, _: &Seen) -> Probes {
        Probes::new()
    }

    fn plan(_: &Args, _: &Seen) -> Result<Plan, Stop> {
        Ok(Plan::nothing())
    }

    fn output(args: &Args, _: &Seen, _: &[Done]) -> Result<Map, Stop> {
        // One name that is not known yet must not hide the others.
        let value = |value: &Late<Value>| match value {
            Late::Known(value) => value.clone(),
            Late::NotYet(what) => Value::NotYet(what.clone()),
        };
        let facts = args.facts.iter();
        let facts = facts.map(|(name, late)| (name.clone(), value(late)));
        let facts = Value::Map(facts.collect());
        Ok([("ansible_facts".to_owned(), facts)].into_iter().collect())
    }

    fn touches(_: &Args) -> Touches {
        Touches::nothing()
    }

    fn subject(args: &Args) -> String {
        args.facts
            .keys()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(", ")
    }
}

#[cfg(test)]
mod tests {
    use evenkeel_engine::{Bound as _, NotYet, Secret, With, bind};

    use super::*;

    fn tree() -> Value {
        Value::Map(Map::from_iter([
            ("b".to_owned(), Value::Secret(Secret::new("x"))),
            (
                "a".to_owned(),
                [Value::from(1), "t".into()].into_iter().collect(),
            ),
            ("later".to_owned(), Value::NotYet(NotYet::new("y"))),
            ("cacheable".to_owned(), "yes".into()),
        ]))
    }

    #[test]
    fn the_output_has_the_map() {
        let args: Args = bind(&tree()).unwrap();
        assert!(args.cacheable);
        let output = With::<SetFact>(args).output(&Seen::default(), &[]).unwrap();
        let Value::Map(mut wanted) = tree() else {
            unreachable!()
        };
        wanted.shift_remove("cacheable");
        assert_eq!(output.get("ansible_facts"), Some(&Value::Map(wanted)));
    }

    #[test]
    fn arguments_survive_the_way_to_a_tree_and_back() {
        let args: Args = bind(&tree()).unwrap();
        assert_eq!(
            bind::<Args>(&Value::from_typed(&args).unwrap()).unwrap(),
            args
        );
    }

    #[test]
    fn names_are_checked() {
        let message = |json: serde_json::Value| {
            SetFact::check(&bind(&json.into()).unwrap())
                .unwrap_err()
                .message
        };
        assert_eq!(
            message(serde_json::json!({ "a-b": 1 })),
            "`a-b` is no name for a variable"
        );
        assert_eq!(
            message(serde_json::json!({ "1a": 1 })),
            "`1a` is no name for a variable"
        );
        assert_eq!(message(serde_json::json!({})), "no variable is set");
    }
}
