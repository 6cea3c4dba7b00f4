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

use crate::{args::is_default, many::one_or_many};

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
    #[serde(default, skip_serializing_if = "is_default")]
    pub file: String,
    /// Instead of `file`: a folder, of which all files are read in the order of their names; the last one wins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<String>,
    /// How many levels of folders are read: 1 is `dir` alone; 0 (the default) is all.
    #[serde(default, skip_serializing_if = "is_default")]
    pub depth: u32,
    /// Of a folder: a regular expression that is found in the names of the files that are read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files_matching: Option<String>,
    /// Of a folder: regular expressions for the ends of names that are left out.
    #[serde(
        default,
        deserialize_with = "one_or_many",
        skip_serializing_if = "is_default"
    )]
    pub ignore_files: Vec<String>,
    /// Of a folder: what names may end in; `yaml`, `yml` and `json` if unset.
    #[serde(
        default,
        deserialize_with = "one_or_many",
        skip_serializing_if = "is_default"
    )]
    pub extensions: Vec<String>,
    /// Of a folder: files that end otherwise are left out, instead of being a mistake.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ignore_unknown_extensions: bool,
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
        Which variables a file sets is known when the playbook is read: where facts decide which file it is, each that fits is \
        read then. Of a file that only results name, or that the run itself makes, it is known at the task's turn: what reads \
        a variable that may be meant waits for it, and is not known before the run. `depth` counts levels.";
    type Args = Args;
    type Output = Map;

    fn check(args: &Args) -> Result<(), Refusal> {
        if args.file.is_empty() == args.dir.is_none() {
            return Err(Refusal::new("one of `file` and `dir` is needed")
                .help("`file` is one file of variables, `dir` a folder of them"));
        }
        let of_folders = [
            ("depth", args.depth != 0),
            ("files_matching", args.files_matching.is_some()),
            ("ignore_files", !args.ignore_files.is_empty()),
            ("extensions", !args.extensions.is_empty()),
            ("ignore_unknown_extensions", args.ignore_unknown_extensions),
        ];
        let given = of_folders.iter().find(|(_, is_given)| *is_given);
        if let (None, Some((name, _))) = (&args.dir, given) {
            return Err(Refusal::new(format!("`{name}` is about a folder"))
                .help("write `dir` instead of `file`, or leave it away"));
        }
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
        args.dir.clone().unwrap_or_else(|| args.file.clone())
    }
}
