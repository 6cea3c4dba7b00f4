//! A module and a probe of your own, outside the workspace, with its unit tests.
//!
//! `git-config` keeps a setting in a file of git. Deciding is pure: what has to be known is a value
//! (`observe`), what differs is a value (`plan`). There is nothing to mock in a test of it.
//!
//! ```text
//! cargo run --example own_module [FILE]
//! cargo test --example own_module
//! ```

#![expect(clippy::print_stdout, reason = "it shows what happens")]

use std::{collections::BTreeMap, error::Error, sync::Arc};

use evenkeel_engine::{
    Change, Done, Effect, LocalConnection, Module, NotYet, Plan, Probe, Probes, Run, ScriptHost,
    Seen, Step, Stop, Task, TaskList, Thing, Touches, ask,
    event::Event,
    run::{Cancel, Options, run},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The question: what does this key say in this file?
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Setting {
    file: String,
    key: String,
}

impl Probe for Setting {
    const KIND: &'static str = "git_setting";
    // All questions of a run are one call: the operands come two by two. Answers carry their names,
    // so that their order says nothing.
    const SCRIPT: &'static str = r#"
command -v git >/dev/null 2>&1 || { printf 'missing\0'; return 0; }
while [ $# -gt 0 ]; do
  if ek_value=$(git config --file "$1" --get "$2" 2>/dev/null); then
    printf '%s\0%s\0%s\0' "$1" "$2" "$ek_value"
  fi
  shift 2
done"#;
    type Answer = Option<String>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![
            self.file.clone().into_bytes(),
            self.key.clone().into_bytes(),
        ]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        if output == b"missing\0" {
            return Ok(batch
                .iter()
                .map(|_| Err(NotYet::new("`git`, which is missing")))
                .collect());
        }
        let text = std::str::from_utf8(output).map_err(|error| error.to_string())?;
        let mut found = BTreeMap::new();
        let mut fields = text.split_terminator('\0');
        while let (Some(file), Some(key), Some(value)) =
            (fields.next(), fields.next(), fields.next())
        {
            found.insert((file, key), value.to_owned());
        }
        let answer = |it: &&Self| Ok(found.get(&(it.file.as_str(), it.key.as_str())).cloned());
        Ok(batch.iter().map(answer).collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let line = answer
            .as_ref()
            .map(|value| format!("{}\0{}\0{value}\0", self.file, self.key));
        Some(line.unwrap_or_default().into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        vec![Thing::Path(self.file.clone())]
    }
}

/// Keeps a setting in a file of git.
struct GitConfig;

/// Arguments of `git-config`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Args {
    /// The file; git makes it if it does not exist.
    file: String,
    /// The setting, as `section.name`.
    key: String,
    /// What it is to say.
    value: String,
}

impl Args {
    fn setting(&self) -> Setting {
        Setting {
            file: self.file.clone(),
            key: self.key.clone(),
        }
    }
}

impl Module for GitConfig {
    const NAME: &'static str = "git-config";
    const ABOUT: &'static str = "keeps a setting in a file of git";
    const EXAMPLE: &'static str = "
- name: sign with this name
  git-config: { file: /etc/gitconfig, key: user.name, value: Ada }
";
    type Args = Args;
    /// What the setting said before.
    type Output = Option<String>;

    fn observe(args: &Args, _: &Seen) -> Probes {
        vec![ask(args.setting())]
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        let now = seen.get(&args.setting())?;
        if now.as_ref() == Some(&args.value) {
            return Ok(Plan::nothing());
        }
        let set = Run::new([
            "git",
            "config",
            "--file",
            &args.file,
            &args.key,
            &args.value,
        ]);
        // What the probe will answer then: check mode, and running ahead, rest on it.
        let effect = Effect::new(args.setting(), Some(args.value.clone()));
        let change = Change::new(args.key.as_str(), now.clone(), args.value.as_str());
        Ok(change.step(Step::from(set).effect(effect)).into())
    }

    fn output(args: &Args, after: &Seen, _: &[Done]) -> Result<Self::Output, Stop> {
        Ok(after.get(&args.setting())?.clone())
    }

    fn touches(args: &Args) -> Touches {
        Touches::writes([Thing::Path(args.file.clone())])
    }

    fn subject(args: &Args) -> String {
        format!("{} {}", args.file, args.key)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let file = match std::env::args().nth(1) {
        Some(file) => file,
        None => format!(
            "{}/evenkeel-own-module.conf",
            std::env::temp_dir().display()
        ),
    };
    let mut list = TaskList::new("own-module");
    list.host("here", Arc::new(ScriptHost::new(LocalConnection::new())));
    let args = |key: &str, value: &str| Args {
        file: file.clone(),
        key: key.to_owned(),
        value: value.to_owned(),
    };
    list.task(Task::new::<GitConfig>("a name", args("user.name", "Ada")));
    let email = list.task(Task::new::<GitConfig>(
        "an address",
        args("user.email", "ada@example.org"),
    ));

    let sink = |event: &Event| {
        if let Event::TaskFinished(task) = event {
            println!("{:<12} {:?}: {}", task.name.task, task.outcome, task.reason);
            for change in &task.changes {
                println!("    {}: {} -> {}", change.what, change.before, change.after);
            }
        }
    };
    let report = run(
        Arc::new(list),
        Options::new(),
        Arc::new(sink),
        Cancel::new(),
    )
    .await?;
    println!("\nthe address is {:?}", report.output::<GitConfig>(email)?);
    if report.ok {
        Ok(())
    } else {
        Err("not everything is in its state".into())
    }
}

#[cfg(test)]
mod tests {
    use evenkeel_engine::{
        fake::FakeHost,
        testing::{Case, laws},
    };

    use super::*;

    fn args() -> Args {
        Args {
            file: "/f".to_owned(),
            key: "a.b".to_owned(),
            value: "new".to_owned(),
        }
    }

    #[test]
    fn a_setting_that_says_so_is_left_alone() {
        let seen = Seen::default().with(&args().setting(), Some("new".to_owned()));
        assert!(GitConfig::plan(&args(), &seen).unwrap().changes.is_empty());
    }

    #[test]
    fn another_value_is_replaced_and_then_all_is_quiet() {
        let mut seen = Seen::default().with(&args().setting(), Some("old".to_owned()));
        let plan = GitConfig::plan(&args(), &seen).unwrap();
        assert_eq!(plan.changes[0].before, "old".into());
        seen.foretell(&plan.changes[0].steps[0].effects);
        assert!(GitConfig::plan(&args(), &seen).unwrap().changes.is_empty());
    }

    #[test]
    fn it_keeps_the_laws() {
        let host = |value: Option<&str>| {
            FakeHost::new().answers(args().setting(), value.map(str::to_owned))
        };
        laws([
            Case::new::<GitConfig>("another value", host(Some("old")), args()),
            Case::new::<GitConfig>("no value", host(None), args()),
            Case::new::<GitConfig>("in its state", host(Some("new")), args()),
        ]);
    }

    #[test]
    fn answers_are_matched_by_name() {
        let other = Setting {
            key: "c.d".to_owned(),
            ..args().setting()
        };
        let batch = [&args().setting(), &other];
        let answers = Setting::parse(&batch, b"/f\0c.d\0x\0").unwrap();
        assert_eq!(answers, [Ok(None), Ok(Some("x".to_owned()))]);
        assert_eq!(
            other.expected(&Some("x".to_owned())).unwrap(),
            b"/f\0c.d\0x\0"
        );
    }
}
