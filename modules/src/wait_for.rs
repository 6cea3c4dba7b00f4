//! Waits until something has come: a port, a path, a line.
//!
//! It changes nothing, and says so. What has come already costs nothing: it is seen with the look
//! that every task gets. Otherwise the host itself waits, in the exchange of the tasks around it,
//! and beyond five minutes detached from the connection.

mod pattern;
mod ports;
mod probe;
mod words;

use evenkeel_engine::{
    Cause, Change, Done, Effect, Module, Nature, NotYet, Plan, Probes, Refusal, Run, Seen, Step,
    Stop, Thing, Touches, Value,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{args::is_default, look::Look, many::comma_list, paths};
use pattern::Pattern;
use ports::Target;
pub use probe::Reached;
pub(crate) use probe::sleep;

/// The module `wait_for`.
#[derive(Debug)]
pub struct WaitFor;

/// What is waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The path is there, the port open.
    Present,
    /// The same.
    #[default]
    Started,
    /// The port is closed.
    Stopped,
    /// Nobody is connected to the port of this host.
    Drained,
    /// The path is gone, the port closed.
    Absent,
}

/// Arguments of `wait_for`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Where the port is, as the host sees it; the host itself (`127.0.0.1`) if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// A TCP port. Of another host than itself, the host needs `bash`, `nc` or `python3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// A path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What is waited for: `started` if unset.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
    /// A line of the file that this matches, or, for a port, something that the server says by
    /// itself (the host needs `bash` for that). Matched line by line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search_regex: Option<String>,
    /// How long, in seconds, before it fails; 300 if unset. Alone: how long to pause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    /// How long to wait before looking for the first time, in seconds.
    #[serde(default, skip_serializing_if = "is_default")]
    pub delay: u64,
    /// How long to wait between two looks, in seconds; 1 if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sleep: Option<u64>,
    /// How long one attempt to connect may take, in seconds; 5 if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_timeout: Option<u64>,
    /// What it says when it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub msg: Option<String>,
    /// States of TCP that count as connected, for `drained`.
    #[serde(
        default,
        deserialize_with = "comma_list",
        skip_serializing_if = "is_default"
    )]
    pub active_connection_states: Vec<String>,
    /// Addresses whose connections do not count, for `drained`.
    #[serde(
        default,
        deserialize_with = "comma_list",
        skip_serializing_if = "is_default"
    )]
    pub exclude_hosts: Vec<String>,
}

/// What `register` gives.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Output {
    /// What was waited for.
    pub state: State,
    /// The path, if one was given.
    pub path: Option<String>,
    /// The port, if one was given.
    pub port: Option<u16>,
    /// The pattern, if one was given.
    pub search_regex: Option<String>,
    /// What its groups match, in order.
    pub match_groups: Value,
    /// What its groups with names match.
    pub match_groupdict: Value,
    /// How long it took, in whole seconds.
    pub elapsed: u64,
}

/// How long it waits if nothing is said, in seconds.
const LIMIT: u64 = 300;

/// The status with which the program says that it waited in vain, and that the host cannot tell.
const IN_VAIN: i32 = 1;
const CANNOT: i32 = 3;

impl Args {
    fn limit(&self) -> u64 {
        self.timeout.unwrap_or(LIMIT)
    }

    fn pattern(&self) -> Result<Option<Pattern>, Refusal> {
        self.search_regex.as_deref().map(Pattern::new).transpose()
    }

    fn target(&self) -> Option<Target<'_>> {
        let port = self.port?;
        let host = self.host.as_deref().unwrap_or(ports::SELF);
        Some(Target { host, port })
    }

    /// What the host is asked; nothing if only time has to pass.
    fn reached(&self, look: &Look<'_>) -> Result<Option<Reached>, Stop> {
        let pattern = self.pattern()?;
        if let Some(path) = &self.path {
            let path = paths::absolute(path, look)?;
            let (kind, pattern) = match (self.state, pattern) {
                (State::Absent, _) => ("gone", None),
                (_, Some(pattern)) => ("line", Some(pattern.operand())),
                (_, None) => ("there", None),
            };
            let operands = std::iter::once(path).chain(pattern).collect();
            return Ok(Some(Reached { kind, operands }));
        }
        let Some(target) = self.target() else {
            return Ok(None);
        };
        let connect = self.connect_timeout.unwrap_or(5).max(1);
        Ok(Some(match (self.state, pattern) {
            (State::Drained, _) => {
                target.drained(&self.active_connection_states, &self.exclude_hosts)?
            }
            (State::Stopped | State::Absent, _) => target.reached("shut", connect, None),
            (_, Some(pattern)) => target.reached("says", connect, Some(pattern.operand())),
            (_, None) => target.reached("open", connect, None),
        }))
    }

    /// Whether one look, as all tasks get it, can tell that nothing has to be waited for.
    fn can_be_seen(&self, reached: &Reached) -> bool {
        // Who wants a delay does not want to hear of what is there now; and a server is not to be
        // listened to at each look.
        self.delay == 0 && reached.kind != "says"
    }

    fn plan(&self, look: &Look<'_>) -> Result<Plan, Stop> {
        let Some(reached) = self.reached(look)? else {
            let seconds = self.delay + self.limit();
            let run = self.bounded(sleep(seconds), seconds);
            return Ok(self.waits(run.into()));
        };
        let mut effect = None;
        if self.can_be_seen(&reached) {
            // What is not known may come: then the host waits.
            if let Ok(Some(_)) = look.get(&reached) {
                return Ok(Plan::nothing());
            }
            effect = Some(match reached.kind {
                "line" => Effect::unknown(reached.clone(), "the line that comes"),
                _ => Effect::new(reached.clone(), Some(Vec::new())),
            });
        }
        let sleep = self.sleep.unwrap_or(1).max(1);
        let argv = reached.wait(self.limit(), self.delay, sleep);
        let attempt = self.connect_timeout.unwrap_or(5);
        let seconds = self.limit().max(self.delay) + attempt;
        let step = Step {
            effects: effect.into_iter().collect(),
            ..self.bounded(Run::new(argv), seconds).into()
        };
        Ok(self.waits(step))
    }

    /// The program bounds itself; a little later the host does.
    fn bounded(&self, run: Run, seconds: u64) -> Run {
        Run {
            seconds: Some(seconds + 30),
            long: self.limit().max(self.delay) > LIMIT,
            ..run
        }
    }

    fn waits(&self, step: Step) -> Plan {
        Change::new(
            format!("wait for {}", self.what()),
            Value::Null,
            Value::Null,
        )
        .step(step)
        .because(Cause::Wait)
        .into()
    }

    /// The line that was there without any waiting.
    fn line_seen(&self, look: &Look<'_>) -> Result<Vec<u8>, Stop> {
        let missing = || NotYet::new("the line that is waited for");
        let reached = self.reached(look)?.ok_or_else(missing)?;
        Ok(look.get(&reached)?.clone().ok_or_else(missing)?)
    }
}

impl Module for WaitFor {
    const NAME: &'static str = "wait_for";
    const ALIASES: &'static [&'static str] =
        &["ansible.builtin.wait_for", "ansible.legacy.wait_for"];
    /// What is listed after it comes after it, what is listed before it before it.
    const NATURE: Nature = Nature::Control;
    const ABOUT: &'static str = "waits for a port, a path or a line";
    const EXAMPLE: &'static str = "\
- name: the database answers
  wait_for:
    port: 5432
    timeout: 60
";
    const CHANGED_WHEN: &'static str = "Never: it waits.";
    const LIMITS: &'static str = "\
        It looks from the host, not from here: use `delegate_to: localhost` for that.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        let exclusive = |a: bool, b: bool, what: &str| {
            if a && b {
                return Err(Refusal::new(format!("{what} exclude each other")));
            }
            Ok(())
        };
        exclusive(
            args.port.is_some(),
            args.path.is_some(),
            "`port` and `path`",
        )?;
        exclusive(
            args.host.is_some(),
            args.path.is_some(),
            "`host` and `path`",
        )?;
        if args.port == Some(0) {
            return Err(Refusal::new("there is no port 0"));
        }
        let (state, word) = match args.state {
            State::Drained => (true, "drained"),
            State::Stopped => (true, "stopped"),
            _ => (false, ""),
        };
        if state && args.path.is_some() {
            return Err(
                Refusal::new(format!("`state: {word}` is about a port, not about a path"))
                    .help("a path is waited for with `present` or `absent`"),
            );
        }
        if args.target().is_none() && args.path.is_none() {
            if args.state != State::Started {
                return Err(Refusal::new(
                    "neither `port` nor `path` says what is waited for",
                ));
            }
            if args.search_regex.is_some() {
                return Err(Refusal::new("`search_regex` needs `port` or `path`"));
            }
        }
        let ends = matches!(args.state, State::Stopped | State::Drained | State::Absent);
        exclusive(
            args.search_regex.is_some(),
            ends,
            "`search_regex` and the wait for an end",
        )?;
        let counts = !args.exclude_hosts.is_empty() || !args.active_connection_states.is_empty();
        if counts && args.state != State::Drained {
            return Err(Refusal::new(
                "`exclude_hosts` and `active_connection_states` need `state: drained`",
            ));
        }
        if let (State::Drained, Some(target)) = (args.state, args.target()) {
            target.drained(&args.active_connection_states, &args.exclude_hosts)?;
        }
        args.pattern().map(drop)
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| args.plan(look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        args.plan(&Look::new(seen))
    }

    fn output(args: &Args, after: &Seen, done: &[Done]) -> Result<Output, Stop> {
        let done = done.last();
        match done.map(|done| done.status) {
            Some(IN_VAIN) => return Err(Stop::Refused(args.in_vain())),
            Some(CANNOT) => return Err(Stop::Refused(args.cannot())),
            _ => {}
        }
        let (mut groups, mut named) = (
            Value::Seq(Vec::new()),
            Value::Map(evenkeel_engine::Map::new()),
        );
        if let Some(pattern) = args.pattern()? {
            let line = match done {
                Some(done) => done.stdout.clone(),
                None => args.line_seen(&Look::new(after))?,
            };
            (groups, named) = pattern.groups(line.strip_suffix(b"\n").unwrap_or(&line));
        }
        Ok(Output {
            state: args.state,
            path: args.path.clone(),
            port: args.port,
            search_regex: args.search_regex.clone(),
            match_groups: groups,
            match_groupdict: named,
            elapsed: done.map_or(0, |done| done.millis / 1000),
        })
    }

    fn touches(_: &Args) -> Touches {
        Touches::nothing().reading([Thing::Everything])
    }

    fn subject(args: &Args) -> String {
        args.what()
    }
}

#[cfg(test)]
mod tests;
