//! Laws that every module keeps, checked on a [`FakeHost`]: for authors of modules.
//!
//! A [`Case`] is a host, a module and arguments. [`laws`] checks all laws on each case and prints
//! every one that is broken, with the case and what differed; what is left for the module's own
//! tests is what it is about: `case.run()` gives the plan, the world after it and the output.
//!
//! ```
//! use evenkeel_engine::{
//!     Action, Attrs, Change, Done, Module, Plan, Probes, Seen, Stop, Thing, Touches, Write, ask,
//!     fake::FakeHost,
//!     probes::{Contents, Stat},
//!     testing::{Case, laws},
//! };
//!
//! /// Keeps `/etc/motd`.
//! struct Motd;
//!
//! #[derive(serde::Deserialize, serde::Serialize, schemars::JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Args {
//!     /// What people read when they log in.
//!     text: String,
//! }
//!
//! impl Module for Motd {
//!     const NAME: &'static str = "motd";
//!     const ABOUT: &'static str = "keeps the message of the day";
//!     const EXAMPLE: &'static str = "- motd: { text: hello }";
//!     type Args = Args;
//!     type Output = ();
//!
//!     fn observe(_: &Args, _: &Seen) -> Probes {
//!         // `Stat` of the path and its directory is what the effects of `Write` are derived from.
//!         vec![
//!             ask(Contents("/etc/motd".into())),
//!             ask(Stat("/etc/motd".into())),
//!             ask(Stat("/etc".into())),
//!         ]
//!     }
//!     fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
//!         let now = seen.get(&Contents("/etc/motd".into()))?;
//!         if now.as_deref() == Some(args.text.as_bytes()) {
//!             return Ok(Plan::nothing());
//!         }
//!         let write = Write {
//!             path: "/etc/motd".into(),
//!             content: args.text.as_str().into(),
//!             attrs: Attrs { mode: Some(0o644), ..Attrs::default() },
//!             ..Write::default()
//!         };
//!         Ok(Change::new("content", "old", "new").step(Action::Write(write)).into())
//!     }
//!     fn output(_: &Args, _: &Seen, _: &[Done]) -> Result<(), Stop> {
//!         Ok(())
//!     }
//!     fn touches(_: &Args) -> Touches {
//!         Touches::writes([Thing::Path("/etc/motd".into())])
//!     }
//!     fn subject(_: &Args) -> String {
//!         "/etc/motd".into()
//!     }
//! }
//!
//! let args = || Args { text: "hello".into() };
//! let case = Case::new::<Motd>("an old text", FakeHost::new().file("/etc/motd", "bye"), args());
//! assert_eq!(case.run().world.text("/etc/motd").unwrap(), "hello");
//! laws([
//!     case,
//!     Case::new::<Motd>("no file", FakeHost::new(), args()),
//!     Case::new::<Motd>("in its state", FakeHost::new().file("/etc/motd", "hello"), args()),
//! ]);
//! ```

mod drive;
mod mutate;
mod rules;

use std::{fmt, sync::Arc};

use crate::{
    fake::{FakeHost, World},
    identity::Identity,
    module::{Bound, Module, Refusal, With},
    seen::{Past, Seen},
    step::{Cause, Plan},
    value::Value,
};

pub use mutate::mutations;

/// A host, a module and arguments.
#[derive(Clone)]
pub struct Case {
    name: String,
    host: FakeHost,
    task: Arc<dyn Bound>,
    identity: Identity,
    past: (Past, Option<Value>),
    without: Vec<(Law, String)>,
    refuses: Option<String>,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Case({}: {})", self.name, self.task.module())
    }
}

/// What every module promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Law {
    /// Looking, planning and rehearsing change nothing on the host, and three rounds of questions suffice.
    Look,
    /// The same answers give the same questions and the same plan.
    SameOrder,
    /// What was planned is what was done: all steps, in order, and each ended well.
    Applied,
    /// After its steps it has nothing left to change (but for what acts by nature), and gives its
    /// output.
    Quiet,
    /// What effects foretold is what is seen afterwards; a plan on foretold answers is empty or
    /// not known yet. What a rehearsal says is what the run leaves.
    Foretold,
    /// Cut off at any step, the next run brings the host to where it would have come.
    Cut,
    /// No secret of its arguments is in anything that may be printed.
    Secrets,
    /// `touches` covers what it changed, and what it asked.
    Touches,
    /// A request that cannot be fulfilled is refused, as the case says.
    Refuses,
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Look => "looking changes nothing",
            Self::SameOrder => "same answers, same plan",
            Self::Applied => "what was planned is done",
            Self::Quiet => "the second run is quiet",
            Self::Foretold => "what is foretold comes true",
            Self::Cut => "a run cut off is finished by the next",
            Self::Secrets => "secrets are kept",
            Self::Touches => "`touches` covers all",
            Self::Refuses => "what cannot be done is refused",
        })
    }
}

/// A law that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The case's name, behind the module's.
    pub case: String,
    /// The law.
    pub law: Law,
    /// What differed.
    pub what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { case, law, what } = self;
        write!(f, "{case}: the law that {law} is broken: {what}")
    }
}

/// What a run of one case came to.
#[derive(Clone, Debug)]
pub struct Ran {
    /// What was planned first.
    pub plan: Plan,
    /// The world after it.
    pub world: World,
    /// What `register` would give.
    pub output: Value,
    /// What was seen after it.
    pub seen: Seen,
}

impl Ran {
    /// The changes, each as `what: before -> after`.
    pub fn changes(&self) -> Vec<String> {
        changes(&self.plan)
    }
}

fn changes(plan: &Plan) -> Vec<String> {
    let line = |change: &crate::step::Change| {
        let (before, after) = (change.before.to_json(), change.after.to_json());
        format!("{}: {before} -> {after}", change.what)
    };
    plan.changes.iter().map(line).collect()
}

impl Case {
    /// A module with arguments on a host, as the user who is logged in.
    pub fn new<M: Module>(name: impl Into<String>, host: FakeHost, args: M::Args) -> Self {
        Self::bound(name, host, Arc::new(With::<M>(args)))
    }

    /// The same for a module whose types are erased: what a registry gives for a tree.
    pub fn bound(name: impl Into<String>, host: FakeHost, task: Arc<dyn Bound>) -> Self {
        Self {
            name: format!("{} ({})", task.module(), name.into()),
            host,
            task,
            identity: Identity::default(),
            past: (Past::Never, None),
            without: Vec::new(),
            refuses: None,
        }
    }

    /// As somebody else.
    #[must_use]
    pub fn as_user(mut self, identity: Identity) -> Self {
        self.identity = identity;
        self
    }

    /// What the ledger knows of the task.
    #[must_use]
    pub fn past(mut self, past: Past, witness: Option<Value>) -> Self {
        self.past = (past, witness);
        self
    }

    /// The case cannot keep a law, for this reason.
    #[must_use]
    pub fn without(mut self, law: Law, reason: impl Into<String>) -> Self {
        self.without.push((law, reason.into()));
        self
    }

    /// The request is refused, with a message that contains this.
    #[must_use]
    pub fn refuses(mut self, message: impl Into<String>) -> Self {
        self.refuses = Some(message.into());
        self
    }

    /// Runs it once.
    ///
    /// # Panics
    /// If it refuses, cannot be decided, or a step fails.
    pub fn run(&self) -> Ran {
        let host = self.host.clone();
        match drive::run(self, &host) {
            Ok(ran) => Ran {
                output: ran.output(self).unwrap_or_else(|why| panic!("{why}")),
                plan: ran.plans.into_iter().next().unwrap_or_default(),
                world: host.world(),
                seen: ran.after,
            },
            Err(why) => panic!("{}: {why}", self.name),
        }
    }

    /// Why it is refused, if it is.
    pub fn refusal(&self) -> Option<Refusal> {
        match drive::run(self, &self.host.clone()) {
            Err(drive::Trouble::Refused(refusal)) => Some(refusal),
            _ => None,
        }
    }

    /// The laws that do not hold.
    pub fn broken(&self) -> Vec<Broken> {
        let excused = |law: Law| self.without.iter().any(|(known, _)| *known == law);
        let found = rules::all(self).into_iter();
        found
            .filter(|(law, _)| !excused(*law))
            .map(|(law, what)| Broken {
                case: self.name.clone(),
                law,
                what,
            })
            .collect()
    }
}

/// Checks all laws on all cases.
///
/// # Panics
/// If one is broken; the message lists all that are.
pub fn laws(cases: impl IntoIterator<Item = Case>) {
    let broken: Vec<_> = cases.into_iter().flat_map(|case| case.broken()).collect();
    let lines: Vec<_> = broken.iter().map(ToString::to_string).collect();
    assert!(broken.is_empty(), "\n{}", lines.join("\n"));
}

/// Whether something is left to be done after a plan, beyond what acts by nature and commands.
fn quiet(plan: &Plan) -> bool {
    let differs = |change: &crate::step::Change| change.cause == Cause::Differs;
    !plan.changes.iter().any(differs)
}

/// Whether the plan only closes differences.
fn is_state(plan: &Plan) -> bool {
    plan.changes.iter().all(|c| c.cause == Cause::Differs)
}

#[cfg(test)]
mod tests;
