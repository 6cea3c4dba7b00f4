//! Which of several programs a name stands for: Debian's and Red Hat's system of alternatives.

use std::collections::BTreeMap;

use evenkeel_engine::{
    Change, Done, Effect, Module, NotYet, Plan, Probes, Refusal, Run, Seen, Step, Stop, Thing,
    Touches, probes::Stat,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{args::is_default, look::Look};

mod system;
pub use system::kept;
use system::{Choice, Known, things};

/// It is not in everybody's path.
const PROGRAM: &str = r#"PATH=$PATH:/usr/sbin:/sbin; exec update-alternatives "$@""#;

/// The module `alternatives`.
#[derive(Debug)]
pub struct Alternatives;

/// Arguments of `alternatives`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The name: `java`, `editor`.
    pub name: String,
    /// What it is to stand for.
    pub path: String,
    /// Where the link is that people use, as `/usr/bin/java`; needed where nothing is known of the name yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Its weight where nobody has chosen; that which it has, or 50, if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    /// What is to be true of it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
    /// Other names that change with it; those that it has if nothing is said.
    #[serde(default, alias = "slaves", skip_serializing_if = "Option::is_none")]
    pub subcommands: Option<Vec<Subcommand>>,
}

/// Another name that changes with the first.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subcommand {
    /// The name.
    pub name: String,
    /// What it stands for.
    pub path: String,
    /// Where its link is.
    pub link: String,
}

/// What is to be true of a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is one of the choices.
    Present,
    /// It is what the name stands for.
    #[default]
    Selected,
    /// It is one of the choices, and priorities choose.
    Auto,
    /// It is none of the choices.
    Absent,
}

/// What `register` gives.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Output {
    /// The name.
    pub name: String,
    /// The path.
    pub path: String,
}

impl Module for Alternatives {
    const NAME: &'static str = "alternatives";
    const ALIASES: &'static [&'static str] = &["community.general.alternatives"];
    const ABOUT: &'static str = "keeps which of several programs a name stands for";
    const EXAMPLE: &'static str = "\
- name: the newer Java
  alternatives:
    name: java
    path: /usr/lib/jvm/java-17-openjdk-amd64/bin/java
";
    const CHANGED_WHEN: &'static str = "\
        The path is no choice yet (or is one and should not be), has another priority or other subcommands than it is told to \
        have, or is not what the name stands for.";
    const LIMITS: &'static str = "\
        The `link` of a name that is known stays where it is. Families of Red Hat's systems are not written.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        let others = args.subcommands.iter().flatten();
        let names = others.clone().map(|other| &other.name);
        for name in names.chain([&args.name]) {
            if name.is_empty() || name.starts_with('-') || name.contains(['/', '\t', '\n', ' ']) {
                let message = format!("`{}` is no name of an alternative", name.escape_debug());
                return Err(
                    Refusal::new(message).help("it is a word such as `editor`, and no path")
                );
            }
        }
        let paths = others.flat_map(|other| [&other.path, &other.link]);
        for path in paths.chain([&args.path]).chain(&args.link) {
            if !path.starts_with('/') || path.contains(['\t', '\n']) {
                let message = format!("`{}` is no whole path", path.escape_debug());
                return Err(Refusal::new(message));
            }
        }
        Ok(())
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide(args, &Look::new(seen))
    }

    fn output(args: &Args, _: &Seen, _: &[Done]) -> Result<Output, Stop> {
        Ok(Output {
            name: args.name.clone(),
            path: args.path.clone(),
        })
    }

    fn touches(args: &Args) -> Touches {
        let links = args.subcommands.iter().flatten();
        let links = links.map(|other| &other.link).chain(&args.link);
        let links = links.map(|link| Thing::Path(link.clone()));
        let mut touches = Touches::writes(things().into_iter().chain(links));
        touches.reads.push(Thing::Path(args.path.clone()));
        touches
    }

    fn subject(args: &Args) -> String {
        args.name.clone()
    }
}

impl Args {
    /// The choice as it is told to be, where it is that now.
    fn wanted(&self, now: Option<&Choice>) -> Choice {
        let told = self.subcommands.as_ref().map(|all| -> BTreeMap<_, _> {
            let each = all.iter().cloned();
            each.map(|other| (other.name, (other.link, other.path)))
                .collect()
        });
        Choice {
            priority: self
                .priority
                .unwrap_or_else(|| now.map_or(50, |now| now.priority)),
            with: told.unwrap_or_else(|| now.map(|now| now.with.clone()).unwrap_or_default()),
        }
    }
}

fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let asked = kept(&args.name);
    let file = Stat(args.path.clone());
    look.ask(&asked);
    if args.state != State::Absent {
        look.ask(&file);
    }
    let now = look.get(&asked)?;
    if now.status != 0 {
        return Err(NotYet::new("`update-alternatives`").into());
    }
    let known = Known::read(&now.stdout);
    let choice = known.choices.get(&args.path);
    let mut plan = Steps {
        name: &args.name,
        known: Some(known.clone()),
        changes: Vec::new(),
    };
    if args.state == State::Absent {
        if choice.is_some() {
            plan.step(
                Change::new("choice", Some(args.path.as_str()), None::<&str>),
                vec!["--remove".to_owned(), args.name.clone(), args.path.clone()],
                |known| known.without(&args.path),
            );
        }
        return Ok(plan.changes.into());
    }
    let wanted = args.wanted(choice);
    if choice != Some(&wanted) {
        if look.get(&file)?.is_none() {
            return Err(NotYet(format!("the file `{}`", args.path)).into());
        }
        plan.install(args, choice, &wanted)?;
    }
    if args.state == State::Selected && plan.chosen() != Some(&args.path) {
        plan.step(
            Change::new(
                "chosen",
                Some(known.now.as_str()).filter(|now| !now.is_empty()),
                Some(args.path.as_str()),
            ),
            vec!["--set".to_owned(), args.name.clone(), args.path.clone()],
            |known| Some(known.set(&args.path)),
        );
    }
    if args.state == State::Auto && known.manual {
        plan.step(
            Change::new("mode", "manual", "auto"),
            vec!["--auto".to_owned(), args.name.clone()],
            Known::auto,
        );
    }
    Ok(plan.changes.into())
}

/// Steps that follow each other, and what is known after them.
struct Steps<'a> {
    name: &'a str,
    /// Nothing where that cannot be told.
    known: Option<Known>,
    changes: Vec<Change>,
}

impl Steps<'_> {
    /// What the name stands for after the steps so far.
    fn chosen(&self) -> Option<&String> {
        self.known.as_ref().map(|known| &known.now)
    }

    fn step(
        &mut self,
        change: Change,
        args: Vec<String>,
        then: impl FnOnce(Known) -> Option<Known>,
    ) {
        let run = Run {
            explain: Some(explain),
            ..Run::new(
                ["sh", "-c", PROGRAM, "update-alternatives"]
                    .map(str::to_owned)
                    .into_iter()
                    .chain(args),
            )
        };
        self.known = self.known.take().and_then(then);
        let asked = kept(self.name);
        let effect = match &self.known {
            Some(known) => Effect::new(asked, known.answer()),
            None => Effect::unknown(asked, "which of those with the highest priority is chosen"),
        };
        self.changes
            .push(change.step(Step::from(run).effect(effect)));
    }

    fn install(&mut self, args: &Args, now: Option<&Choice>, wanted: &Choice) -> Result<(), Stop> {
        let known = self.known.as_ref();
        let linked = known
            .map(|known| &known.link)
            .filter(|link| !link.is_empty());
        let Some(link) = linked.or(args.link.as_ref()).cloned() else {
            let message = format!(
                "nothing is known of `{}` yet, and where its link is",
                args.name
            );
            return Err(Refusal::new(message)
                .help(format!("say it: `link: /usr/bin/{}`", args.name))
                .into());
        };
        let priority = wanted.priority.to_string();
        let change = match now {
            None => Change::new("choice", None::<&str>, Some(args.path.as_str())),
            Some(now) if now.priority != wanted.priority => {
                Change::new("priority", now.priority.to_string(), priority.clone())
            }
            Some(now) => Change::new("subcommands", told(now), told(wanted)),
        };
        let mut argv = vec!["--install".to_owned(), link.clone()];
        argv.extend([args.name.clone(), args.path.clone(), priority]);
        for (name, (link, to)) in &wanted.with {
            argv.extend(["--slave", link, name, to].map(str::to_owned));
        }
        self.step(change, argv, |mut known| {
            known.link = link;
            known.with(&args.path, wanted.clone())
        });
        Ok(())
    }
}

/// Subcommands as people read them.
fn told(choice: &Choice) -> String {
    let each = choice.with.iter();
    let each = each.map(|(name, (_, to))| format!("{name}: {to}"));
    each.collect::<Vec<_>>().join(", ")
}

fn explain(done: &Done) -> Option<Refusal> {
    let said = String::from_utf8_lossy(&done.stderr);
    if said.contains("ermission denied") || said.contains("not permitted") {
        return Some(Refusal::new("only root may set alternatives").help("`become: true`"));
    }
    said.contains("is a slave of").then(|| {
        Refusal::new("the name changes with another one")
            .help("it is one of the `subcommands` of that name: set it there")
    })
}
