//! Variables of a host from a file.
//!
//! The file is on this machine, and the runner reads it: what it holds comes as an argument.

use std::collections::BTreeMap;

use evenkeel_engine::{
    Done, Late, Map, Module, Nature, Plan, Probes, Refusal, Seen, Stop, Touches, Value,
};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::args::is_default;

/// The module `include_vars`.
#[derive(Debug)]
pub struct IncludeVars;

/// What becomes of a map that is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Behaviour {
    /// The file's takes its place.
    #[default]
    Replace,
    /// Both are made one; it is refused.
    Merge,
}

/// Arguments of `include_vars`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// A file of variables as YAML or JSON on this machine, looked for in `vars/` beside the
    /// playbook, then beside it. `include_vars: FILE` is the same.
    pub file: String,
    /// A variable that takes all of them, as a map.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What becomes of a map that a variable holds already: only `replace`, which is what happens
    /// anyway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash_behaviour: Option<Behaviour>,
    /// What the file holds: the runner fills this in.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub variables: IndexMap<String, Late<Value>>,
    /// Where the file was found: the runner fills this in.
    #[serde(default, skip_serializing_if = "is_default")]
    pub included: Vec<String>,
}

impl Module for IncludeVars {
    const NAME: &'static str = "include_vars";
    const ALIASES: &'static [&'static str] = &[
        "include-vars",
        "ansible.builtin.include_vars",
        "ansible.legacy.include_vars",
    ];
    const NATURE: Nature = Nature::Passive;
    const ABOUT: &'static str = "sets variables of a host from a file";
    const EXAMPLE: &'static str = "\
- include_vars:
    file: app.yml
";
    const CHANGED_WHEN: &'static str = "Never.";
    const LIMITS: &'static str = "\
        Which variables a file sets is known when the playbook is read: where only facts or results \
        decide which file it is, each that fits is read then. Whole folders (`dir`) are not there.";
    type Args = Args;
    type Output = Map;

    fn check(args: &Args) -> Result<(), Refusal> {
        if args.hash_behaviour == Some(Behaviour::Merge) {
            return Err(Refusal::new("`hash_behaviour: merge` is not there").help(
                "include the file under a `name`, and join the maps with the filter `combine`",
            ));
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
        // One value that is not known yet must not hide the others.
        let value = |value: &Late<Value>| match value {
            Late::Known(value) => value.clone(),
            Late::NotYet(what) => Value::NotYet(what.clone()),
        };
        let variables = args.variables.iter();
        let variables = variables.map(|(name, late)| (name.clone(), value(late)));
        let included = args.included.iter();
        let pairs = [
            ("ansible_facts", Value::Map(variables.collect())),
            (
                "ansible_included_var_files",
                included.map(|path| Value::from(path.as_str())).collect(),
            ),
        ];
        Ok(pairs.map(|(name, value)| (name.to_owned(), value)).into())
    }

    fn touches(_: &Args) -> Touches {
        Touches::nothing()
    }

    fn subject(args: &Args) -> String {
        args.file.clone()
    }
}
