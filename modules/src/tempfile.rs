//! A file or a directory of a name that nobody else has.

use evenkeel_engine::{
    Cause, Change, Done, Module, NotYet, Plan, Probes, Refusal, Run, Seen, Stop, Thing, Touches,
    Value,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{args::is_default, paths};

/// The module `tempfile`.
#[derive(Debug)]
pub struct Tempfile;

/// Arguments of `tempfile`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// What is made.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
    /// Where; `/tmp` if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How its name begins; `ansible.` if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// How its name ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suffix: Option<String>,
}

/// What is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A file that only its owner may read and write.
    #[default]
    File,
    /// A directory that only its owner may enter.
    Directory,
}

/// What `register` gives.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Output {
    /// Where it is.
    pub path: String,
}

impl Module for Tempfile {
    const NAME: &'static str = "tempfile";
    const ALIASES: &'static [&'static str] =
        &["ansible.builtin.tempfile", "ansible.legacy.tempfile"];
    const ABOUT: &'static str = "makes a file or a directory of a new name, each time";
    const EXAMPLE: &'static str = "\
- tempfile:
    state: directory
    suffix: .build
  register: build
";
    const CHANGED_WHEN: &'static str = "Always: each run makes a new one.";
    const LIMITS: &'static str = "Nobody removes it but a task of yours.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        for (name, part) in [("prefix", &args.prefix), ("suffix", &args.suffix)] {
            let part = part.as_deref().unwrap_or_default();
            if part.contains(['/', '\n', '\0']) || part.len() > 200 {
                return Err(Refusal::new(format!("`{name}` is no part of a name"))
                    .help("it has a `/` or a newline, or more than 200 bytes"));
            }
            if part.ends_with('X') {
                // It could not be told from what is filled in.
                return Err(Refusal::new(format!("`{name}` ends in `X`")));
            }
        }
        if args
            .path
            .as_deref()
            .is_some_and(|path| !paths::is_absolute(path))
        {
            return Err(Refusal::new("`path` is not absolute"));
        }
        Ok(())
    }

    fn observe(_: &Args, _: &Seen) -> Probes {
        Probes::new()
    }

    fn plan(args: &Args, _: &Seen) -> Result<Plan, Stop> {
        let mut argv = vec!["mktemp".to_owned()];
        let what = match args.state {
            State::File => "file",
            State::Directory => {
                argv.push("-d".to_owned());
                "directory"
            }
        };
        argv.extend([
            "-p".to_owned(),
            args.dir(),
            "--".to_owned(),
            args.template(),
        ]);
        let place = paths::join(&args.dir(), &args.template());
        let change = Change::new(what, Value::Null, place).because(Cause::Act);
        Ok(change.step(Run::new(argv)).into())
    }

    fn output(_: &Args, _: &Seen, done: &[Done]) -> Result<Output, Stop> {
        let done = done
            .last()
            .ok_or_else(|| NotYet::new("the name that is chosen"))?;
        let path = String::from_utf8_lossy(&done.stdout);
        let path = path.trim_end_matches('\n').to_owned();
        Ok(Output { path })
    }

    fn touches(args: &Args) -> Touches {
        Touches::writes([Thing::Path(paths::join(&args.dir(), &args.template()))])
    }

    fn subject(args: &Args) -> String {
        paths::join(&args.dir(), &args.template())
    }
}

impl Args {
    fn dir(&self) -> String {
        paths::clean(self.path.as_deref().unwrap_or("/tmp"))
    }

    fn template(&self) -> String {
        let prefix = self.prefix.as_deref().unwrap_or("ansible.");
        let suffix = self.suffix.as_deref().unwrap_or_default();
        format!("{prefix}XXXXXXXX{suffix}")
    }
}
