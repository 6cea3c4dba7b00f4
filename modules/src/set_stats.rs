//! Says numbers and words about a run.

use evenkeel_engine::{Done, Late, Module, Nature, Plan, Probes, Seen, Stop, Touches, Value};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::args::is_default;

/// The module `set_stats`.
#[derive(Debug)]
pub struct SetStats;

/// Arguments of `set_stats`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Names and values.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub data: IndexMap<String, Late<Value>>,
    /// Whether they are of each host; part of the result.
    #[serde(default, skip_serializing_if = "is_default")]
    pub per_host: bool,
    /// Whether values of one name add up (the default); part of the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregate: Option<bool>,
}

/// What `register` gives.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Output {
    /// What was given.
    pub ansible_stats: Stats,
}

/// What was given to `set_stats`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Stats {
    /// Names and values.
    pub data: IndexMap<String, Value>,
    /// Whether they are of each host.
    pub per_host: bool,
    /// Whether values of one name add up.
    pub aggregate: bool,
}

impl Module for SetStats {
    const NAME: &'static str = "set_stats";
    const ALIASES: &'static [&'static str] =
        &["ansible.builtin.set_stats", "ansible.legacy.set_stats"];
    const NATURE: Nature = Nature::Passive;
    const ABOUT: &'static str = "says numbers and words about a run";
    const EXAMPLE: &'static str = "\
- set_stats:
    data:
      deployed_version: \"2.7.3\"
";
    const CHANGED_WHEN: &'static str = "Never.";
    const LIMITS: &'static str = "\
        Each is said where it is set, and stands in the events of `--output json`; nothing adds them \
        up at the end of the run.";
    const SAYS: Option<&'static str> = Some("ansible_stats");
    type Args = Args;
    type Output = Output;

    fn observe(_: &Args, _: &Seen) -> Probes {
        Probes::new()
    }

    fn plan(args: &Args, _: &Seen) -> Result<Plan, Stop> {
        for value in args.data.values() {
            value.get()?;
        }
        Ok(Plan::nothing())
    }

    fn output(args: &Args, _: &Seen, _: &[Done]) -> Result<Output, Stop> {
        let mut data = IndexMap::new();
        for (name, value) in &args.data {
            data.insert(name.clone(), value.get()?.clone());
        }
        Ok(Output {
            ansible_stats: Stats {
                data,
                per_host: args.per_host,
                aggregate: args.aggregate.unwrap_or(true),
            },
        })
    }

    fn touches(_: &Args) -> Touches {
        Touches::nothing()
    }

    fn subject(args: &Args) -> String {
        let names: Vec<&str> = args.data.keys().map(String::as_str).collect();
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use evenkeel_engine::bind;

    use super::*;

    #[test]
    fn what_is_given_is_told() {
        let args: Args = bind(&serde_json::json!({ "data": { "a": 1, "b": [2] } }).into()).unwrap();
        assert!(
            SetStats::plan(&args, &Seen::default())
                .unwrap()
                .changes
                .is_empty()
        );
        let output = SetStats::output(&args, &Seen::default(), &[]).unwrap();
        assert_eq!(
            serde_json::to_value(output).unwrap(),
            serde_json::json!({
                "ansible_stats": { "data": { "a": 1, "b": [2] }, "per_host": false, "aggregate": true }
            })
        );
    }
}
