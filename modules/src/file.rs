//! A path in a state: directory, file, link, absent.

use evenkeel_engine::{
    Change, Done, Module, Plan, Probes, Seen, Stop, Thing, Touches, ask, probes::Stat,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::args::is_default;

/// The module `file`.
#[derive(Debug)]
pub struct File;

/// Arguments of `file`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The path.
    #[serde(alias = "dest", alias = "name")]
    pub path: String,
    /// What is to be there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
}

/// What is to be there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A directory.
    #[default]
    Directory,
    /// Nothing.
    Absent,
}

/// What `register` gives.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Output {
    /// The path.
    pub path: String,
}

impl Module for File {
    const NAME: &'static str = "file";
    const ALIASES: &'static [&'static str] = &["ansible.builtin.file"];
    const ABOUT: &'static str = "keeps a path in a state: file, directory, link or absent";
    const EXAMPLE: &'static str = "\
- file:
    path: /srv/app
    state: directory
";
    type Args = Args;
    type Output = Output;

    fn observe(args: &Args, _: &Seen) -> Probes {
        vec![ask(Stat(args.path.clone()))]
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        let there = seen.get(&Stat(args.path.clone()))?.is_some();
        let step = match args.state {
            State::Directory if !there => evenkeel_engine::Action::Directory {
                path: args.path.clone(),
                attrs: evenkeel_engine::Attrs::default(),
            },
            State::Absent if there => evenkeel_engine::Action::Remove {
                path: args.path.clone(),
            },
            State::Directory | State::Absent => return Ok(Plan::nothing()),
        };
        Ok(Change::new("directory", there, !there).step(step).into())
    }

    fn output(args: &Args, _: &Seen, _: &[Done]) -> Result<Output, Stop> {
        Ok(Output {
            path: args.path.clone(),
        })
    }

    fn touches(args: &Args) -> Touches {
        Touches::writes([Thing::Tree(args.path.clone())])
    }

    fn subject(args: &Args) -> String {
        args.path.clone()
    }
}
