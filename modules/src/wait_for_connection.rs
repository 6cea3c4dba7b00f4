//! Waits until a host can be worked on.
//!
//! The engine does the waiting: it tries to connect until the host answers or the time is over.

use evenkeel_engine::{
    Cause, Change, Done, Module, Nature, Plan, Probes, Run, Seen, Stop, Thing, Touches, Value, ask,
    probes::Whoami,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wait_for;

/// The module `wait_for_connection`.
#[derive(Debug)]
pub struct WaitForConnection;

/// Arguments of `wait_for_connection`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// How many seconds it may take; 600 if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    /// How many seconds pass before it is looked; so that a host which is about to go down has gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<u64>,
    /// Without effect: attempts follow each other at growing distances, of 5 s at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sleep: Option<u64>,
    /// Without effect: see `--timeout`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_timeout: Option<u64>,
}

/// What `register` gives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Output {
    /// How long it paused, in whole seconds.
    pub elapsed: u64,
}

impl Args {
    fn patience(&self) -> u64 {
        self.timeout.unwrap_or(600)
    }
}

impl Module for WaitForConnection {
    const NAME: &'static str = "wait_for_connection";
    const ALIASES: &'static [&'static str] = &[
        "ansible.builtin.wait_for_connection",
        "ansible.legacy.wait_for_connection",
    ];
    /// What is listed after it comes after it, what is listed before it before it.
    const NATURE: Nature = Nature::Control;
    const ABOUT: &'static str = "waits until a host can be worked on";
    const EXAMPLE: &'static str = "\
- name: the new machine has started
  wait_for_connection:
    timeout: 300
";
    const CHANGED_WHEN: &'static str = "Never: it waits.";
    const LIMITS: &'static str = "\
        A run connects to all its hosts at its start, so it waits there for a host whose tasks hold \
        this, for as long as `timeout` says; `evenkeel plan` does not wait. A key, a password or a host \
        key that is refused is no reason to wait. What is waited for at the start is not in `elapsed`.";
    type Args = Args;
    type Output = Output;

    fn observe(_: &Args, _: &Seen) -> Probes {
        vec![ask(Whoami)]
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        seen.get(&Whoami)?;
        let Some(delay @ 1..) = args.delay else {
            return Ok(Plan::nothing());
        };
        let run = Run {
            seconds: Some(delay + 30),
            away: Some(args.patience()),
            ..wait_for::sleep(delay)
        };
        let change = Change::new(format!("pause for {delay} s"), Value::Null, Value::Null);
        Ok(change.step(run).because(Cause::Wait).into())
    }

    fn output(_: &Args, _: &Seen, done: &[Done]) -> Result<Output, Stop> {
        let millis = done.last().map_or(0, |done| done.millis);
        Ok(Output {
            elapsed: millis / 1000,
        })
    }

    fn touches(_: &Args) -> Touches {
        Touches::nothing().reading([Thing::Everything])
    }

    fn subject(_: &Args) -> String {
        String::new()
    }

    fn awaits(args: &Args) -> u64 {
        args.patience()
    }
}
