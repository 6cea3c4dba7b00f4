//! Units of systemd: running, enabled, masked.

mod decide;
mod probes;

use std::collections::BTreeMap;

use evenkeel_engine::{Done, Module, Plan, Probes, Refusal, Seen, Stop, Thing, Touches};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{args::is_default, look::Look};
pub use probes::{AnyStale, Unit, UnitState};

/// The module `systemd-unit`.
#[derive(Debug)]
pub struct SystemdUnit;

/// Arguments of `systemd-unit`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The unit; `.service` if it has no suffix.
    #[serde(default, alias = "unit", alias = "service", skip_serializing_if = "is_default")]
    pub name: String,
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
    /// For how many seconds it has to stay up after a start; 2 if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steady: Option<u32>,
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
        The unit is not in the state, not enabled or masked as it says, its file differs, or `restarted` \
        or `reloaded` was asked for.";
    const LIMITS: &'static str = "\
        It installs no package that brings a unit. Hosts without systemd are refused.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        let about_unit = args.state.is_some() || args.enabled.is_some() || args.masked.is_some();
        if args.name.is_empty() && (about_unit || !args.daemon_reload) {
            return Err(Refusal::new("the argument `name` is missing").help("say which unit"));
        }
        if args.name.contains(['*', '?', '[']) {
            return Err(Refusal::new(format!("`{}` is a pattern", args.name))
                .help("name each unit, with a loop if there are many"));
        }
        if args.name.starts_with('-') || args.name.contains(|c: char| c.is_whitespace() || c == '/') {
            return Err(Refusal::new(format!("`{}` is no name of a unit", args.name)));
        }
        let starts = matches!(args.state, Some(State::Started | State::Restarted | State::Reloaded));
        if args.masked == Some(true) && starts {
            return Err(Refusal::new("a masked unit cannot be started")
                .help("leave out `masked: true`, or say `state: stopped`"));
        }
        Ok(())
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide::plan(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide::plan(args, &Look::new(seen))
    }

    fn output(args: &Args, after: &Seen, _: &[Done]) -> Result<Output, Stop> {
        let mut status = BTreeMap::new();
        let unit = args.unit();
        if !args.name.is_empty() {
            let state = after.get(&unit)?;
            status.insert("ActiveState".to_owned(), state.active.clone());
            status.insert("LoadState".to_owned(), state.load.clone());
            status.insert("UnitFileState".to_owned(), state.enabled.clone());
        }
        Ok(Output { name: args.name.clone(), status })
    }

    fn touches(args: &Args) -> Touches {
        if args.state.is_some() || args.daemon_reload {
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
    ".service", ".socket", ".device", ".mount", ".automount", ".swap", ".target", ".path", ".timer",
    ".slice", ".scope",
];

impl Args {
    fn unit(&self) -> Unit {
        let whole = SUFFIXES.iter().any(|suffix| self.name.ends_with(suffix));
        Unit {
            scope: self.scope(),
            name: if whole { self.name.clone() } else { format!("{}.service", self.name) },
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
