//! Units of systemd: their files, running, enabled, masked.

mod act;
mod decide;
mod file;
mod health;
pub(crate) mod lint;
mod probes;
mod told;

use std::collections::BTreeMap;

use evenkeel_engine::{
    Done, Late, Module, Plan, Probes, Refusal, Seen, Stop, Text, Thing, Touches,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{args::is_default, copy::Body, look::Look};
pub use health::Health;
pub use probes::{AnyStale, Unit, UnitNames, UnitState};

/// The module `systemd-unit`.
#[derive(Debug)]
pub struct SystemdUnit;

/// Arguments of `systemd-unit`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The unit; `.service` if it has no suffix.
    #[serde(
        default,
        alias = "unit",
        alias = "service",
        skip_serializing_if = "is_default"
    )]
    pub name: String,
    /// The file of the unit, as text. A template (`app@.service`) is the file of all its instances.
    /// systemd has to find it valid (`systemd-analyze verify`) before it replaces the old one. A unit
    /// that runs and is to be `started` is restarted when its file changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub content: Option<Late<Body>>,
    /// A template below `templates/` that gives `content`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub src: Option<String>,
    /// Whether a new file has to be found valid by systemd (the default).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<bool>,
    /// What it does now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// Whether it starts with the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Whether it cannot be started at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masked: Option<bool>,
    /// Makes systemd read changed unit files, of all units. Those of this unit it reads anyway.
    #[serde(default, alias = "daemon-reload", skip_serializing_if = "is_default")]
    pub daemon_reload: bool,
    /// The machine's manager, or the user's own.
    #[serde(default, skip_serializing_if = "is_default")]
    pub scope: Scope,
    /// Does not wait until it has started or stopped.
    #[serde(default, skip_serializing_if = "is_default")]
    pub no_block: bool,
    /// Overwrites links in the way when it is enabled or masked.
    #[serde(default, skip_serializing_if = "is_default")]
    pub force: bool,
    /// For how many seconds a service has to stay up after a start or restart; 5 if unset, and 0 to
    /// look no longer than systemd does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steady: Option<u32>,
    /// How many seconds systemd may take to start, stop or reload it; 300 if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u32>,
    /// What shows that it does its work, beyond running: `url`, `port` or `command`. A unit that runs
    /// but does not answer is waited for, then the task fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// Without effect: a restart is one order to systemd, which starts it once it has stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sleep: Option<u32>,
    /// Without effect: systemd knows whether a unit runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Without effect: systemd has targets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runlevel: Option<Text>,
    /// Without effect: what a unit is started with is in its file.
    #[serde(default, alias = "args", skip_serializing_if = "Option::is_none")]
    pub arguments: Option<String>,
}

/// What a unit does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It runs.
    #[serde(alias = "running")]
    Started,
    /// It does not run.
    Stopped,
    /// It is restarted each time.
    Restarted,
    /// It reads its configuration each time.
    Reloaded,
}

/// Which manager.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The machine's.
    #[default]
    System,
    /// The user's own.
    User,
}

/// What `register` gives.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Output {
    /// The unit.
    pub name: String,
    /// Properties as systemd calls them: `ActiveState`, `LoadState`, `UnitFileState`.
    pub status: BTreeMap<String, String>,
}

impl Module for SystemdUnit {
    const NAME: &'static str = "systemd-unit";
    const ALIASES: &'static [&'static str] = &[
        "systemd",
        "systemd_service",
        "service",
        "ansible.builtin.systemd",
        "ansible.builtin.systemd_service",
        "ansible.builtin.service",
        "ansible.legacy.systemd",
        "ansible.legacy.systemd_service",
        "ansible.legacy.service",
    ];
    const ABOUT: &'static str = "keeps units of systemd running, enabled, masked";
    const EXAMPLE: &'static str = "\
- systemd-unit:
    name: airflow-webserver
    state: started
    enabled: true
";
    const CHANGED_WHEN: &'static str = "\
        The unit is not in the state, not enabled or masked as it says, or its file differs. `restarted` and \
        `reloaded` report one each time, but for a handler whose unit this run has started since it was called.";
    const LIMITS: &'static str = "\
        It installs no package that brings a unit. Hosts without systemd are refused; where it is installed but does \
        not run (a chroot), units are enabled and masked, and no more. It writes no drop-ins: `copy` does.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        args.check_name()?;
        let starts = matches!(
            args.state,
            Some(State::Started | State::Restarted | State::Reloaded)
        );
        if args.masked == Some(true) && starts {
            return Err(Refusal::new("a masked unit cannot be started")
                .help("leave out `masked: true`, or say `state: stopped`"));
        }
        if args.content.is_some() && args.masked == Some(true) {
            return Err(Refusal::new("a masked unit has no file of its own")
                .help("leave out `content`, or `masked: true`"));
        }
        if args.verify == Some(true) && args.content.is_none() {
            return Err(Refusal::new("`verify` needs `content`"));
        }
        let Some(health) = &args.health else {
            return Ok(());
        };
        if !starts || args.no_block {
            return Err(
                Refusal::new("`health` needs a unit that is started and waited for")
                    .help("say `state: started`, and leave out `no_block`"),
            );
        }
        health.check()
    }

    fn doubts(args: &Args) -> Vec<Refusal> {
        let content = args.content.as_ref().and_then(|content| content.get().ok());
        let mut doubts = content.map_or_else(Vec::new, |body| {
            lint::of_service(&args.unit().name, &body.content())
        });
        let installs = |body: &Body| String::from_utf8_lossy(body.0.bytes()).contains("[Install]");
        if args.enabled == Some(true) && content.is_some_and(|body| !installs(body)) {
            doubts.push(
                Refusal::new(format!(
                    "`{}` has no `[Install]` section: it cannot be enabled",
                    args.unit().name
                ))
                .help("write `[Install]` and `WantedBy=multi-user.target`, or leave out `enabled`"),
            );
        }
        doubts
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide::plan(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide::plan(args, &Look::new(seen))
    }

    fn output(args: &Args, after: &Seen, done: &[Done]) -> Result<Output, Stop> {
        if let Some(refusal) = told::refusal(&args.unit().name, done) {
            return Err(refusal.into());
        }
        let mut status = BTreeMap::new();
        let unit = args.unit();
        if !args.name.is_empty() {
            let state = after.get(&unit)?;
            status.insert("ActiveState".to_owned(), state.active.clone());
            status.insert("LoadState".to_owned(), state.load.clone());
            status.insert("UnitFileState".to_owned(), state.enabled.clone());
        }
        Ok(Output {
            name: args.name.clone(),
            status,
        })
    }

    fn touches(args: &Args) -> Touches {
        if args.state.is_some() || args.daemon_reload || args.content.is_some() {
            return Touches::everything();
        }
        let dirs = ["/usr/lib/systemd", "/run/systemd"].map(|dir| Thing::Tree(dir.to_owned()));
        let links = Thing::Tree("/etc/systemd".to_owned());
        match args.scope {
            Scope::System => Touches::writes([Thing::Unit(args.unit().name), links]).reading(dirs),
            Scope::User => Touches::everything(),
        }
    }

    fn subject(args: &Args) -> String {
        args.name.clone()
    }
}

const SUFFIXES: [&str; 11] = [
    ".service",
    ".socket",
    ".device",
    ".mount",
    ".automount",
    ".swap",
    ".target",
    ".path",
    ".timer",
    ".slice",
    ".scope",
];

impl Args {
    fn check_name(&self) -> Result<(), Refusal> {
        let about_unit = self.state.is_some()
            || self.enabled.is_some()
            || self.masked.is_some()
            || self.content.is_some();
        let name = &self.name;
        if name.is_empty() && (about_unit || !self.daemon_reload) {
            return Err(Refusal::new("the argument `name` is missing").help("say which unit"));
        }
        if name.contains(['*', '?', '[']) {
            return Err(Refusal::new(format!("`{name}` is a pattern"))
                .help("name each unit, with a loop if there are many"));
        }
        let wrong = |c: char| !(c.is_ascii_alphanumeric() || ":-_.@\\".contains(c));
        if name.starts_with('-') || name.contains(wrong) || name.len() > 255 {
            return Err(
                Refusal::new(format!("`{}` is no name of a unit", name.escape_debug())).help(
                    "names hold letters, digits and `:-_.\\@`; `systemd-escape` writes others so",
                ),
            );
        }
        if name.starts_with('@') {
            return Err(Refusal::new(format!(
                "`{name}` is no name of a unit: nothing stands before `@`"
            )));
        }
        let template = self.unit().name.contains("@.");
        if template && (self.state.is_some() || self.masked == Some(true)) {
            return Err(Refusal::new(format!("`{name}` is a template: only its instances run"))
                .help("name an instance, such as `app@1`; a template may be enabled, and have its `content`"));
        }
        Ok(())
    }

    fn unit(&self) -> Unit {
        let whole = SUFFIXES.iter().any(|suffix| self.name.ends_with(suffix));
        Unit {
            scope: self.scope(),
            name: if whole {
                self.name.clone()
            } else {
                format!("{}.service", self.name)
            },
        }
    }

    fn scope(&self) -> &'static str {
        match self.scope {
            Scope::System => "system",
            Scope::User => "user",
        }
    }
}

#[cfg(test)]
mod tests;
