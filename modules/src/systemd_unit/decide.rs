//! What differs, and what systemd is told.

use evenkeel_engine::{
    Cause, Change, Effect, NotYet, Plan, Refusal, Run, Step, Stop, Thing, Value,
    probes::{Answered, Ask},
};

use super::{AnyStale, Args, Scope, State, Unit, UnitNames, UnitState, act, file};
use crate::{copy::Body, look::Look};

pub(super) fn plan(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let mut task = Task {
        args,
        unit: args.unit(),
        state: UnitState::default(),
        changes: Vec::new(),
        rewritten: false,
        warnings: Vec::new(),
    };
    if args.daemon_reload {
        let stale = AnyStale {
            scope: args.scope(),
        };
        look.ask(&stale);
        if !args.name.is_empty() {
            look.ask(&task.unit);
        }
        if *look.get(&stale)? {
            task.reload_files();
        }
    }
    if args.name.is_empty() {
        return Ok(task.changes.into());
    }
    // One round of questions is enough for what is in its state.
    look.ask(&task.unit);
    let health = args.health.as_ref();
    let health = health.map(|_| Ask::new(act::look(args, &task.unit.name)));
    if let Some(health) = &health {
        look.ask(health);
    }
    let written = file::changes(args, look);
    task.look(look, written?)?;
    if task.rewritten && task.state.load == "masked" && args.masked != Some(false) {
        return Err(task.is_masked());
    }
    if args.masked == Some(false) && task.state.enabled.starts_with("masked") {
        task.unmask();
    } else if task.state.load == "masked" && args.masked != Some(true) && task.starts() {
        return Err(task.is_masked());
    }
    task.enable();
    task.run_state(look.seen().is_called() && look.seen().is_renewed(&task.thing()));
    if task.rewritten {
        // Also of what is not running systemd knows what it is now.
        task.refresh();
    }
    if let Some(health) = health.filter(|_| !task.acts()) {
        task.answers(&health, look)?;
    }
    if args.masked == Some(true) && !task.state.enabled.starts_with("masked") {
        task.mask(look)?;
    }
    let mut plan: Plan = task.changes.into();
    plan.warnings = task.warnings;
    Ok(plan)
}

struct Task<'a> {
    args: &'a Args,
    unit: Unit,
    /// As it is after the changes so far.
    state: UnitState,
    changes: Vec<Change>,
    /// Whether its file is another one now.
    rewritten: bool,
    warnings: Vec<String>,
}

impl Task<'_> {
    /// What the unit is now. One whose file is there but that systemd has not read yet is like one
    /// that was never started.
    fn look(&mut self, look: &Look<'_>, written: Vec<Change>) -> Result<(), Stop> {
        self.state = look.get(&self.unit)?.clone();
        if self.state.active == OFFLINE && self.args.state.is_some() {
            return Err(Refusal::new(
                "systemd does not run on this host: nothing can be started or stopped",
            )
            .help("`enabled`, `masked` and `content` work there; leave out `state`")
            .into());
        }
        if !written.is_empty() {
            let content = self
                .args
                .content
                .as_ref()
                .and_then(|content| content.get().ok());
            let foretold = file::foretold(content.map(Body::content).as_ref(), &self.state);
            if self.state.load == "masked" {
                self.state.stale = true;
            } else {
                self.state = foretold;
            }
            self.rewritten = written.iter().any(|change| change.what == "content");
            self.changes.extend(written);
            return Ok(());
        }
        let name = &self.unit.name;
        match self.state.load.as_str() {
            "not-found" if file::on_disk(self.args.scope, name, look)?.is_some() => {
                self.state = UnitState {
                    load: "loaded".to_owned(),
                    active: "inactive".to_owned(),
                    enabled: "disabled".to_owned(),
                    stale: true,
                    ..UnitState::default()
                };
                Ok(())
            }
            // To keep something from being started it need not be there.
            "not-found" if self.args.masked == Some(true) && self.args.state.is_none() => Ok(()),
            "not-found" => {
                let names = UnitNames {
                    scope: self.unit.scope,
                };
                Err(not_found(name, look.get(&names)?).into())
            }
            // Its file was mended since, or systemd reads it anew when it is told to.
            "error" | "bad-setting" if self.state.stale => {
                "loaded".clone_into(&mut self.state.load);
                Ok(())
            }
            "error" | "bad-setting" => {
                let why = load_error(&self.state.error);
                let found = look
                    .get(&file::verify(self.unit.scope, name))?
                    .stdout
                    .trim();
                let why = if found.is_empty() { &why } else { found };
                Err(NotYet(format!(
                    "a valid file of the unit `{name}` (systemd says: {why})"
                ))
                .into())
            }
            _ => Ok(()),
        }
    }

    fn is_masked(&self) -> Stop {
        let name = &self.unit.name;
        NotYet(format!(
            "the unit `{name}` unmasked (say `masked: false` to start it)"
        ))
        .into()
    }

    /// What tasks that were called have to know of its start.
    fn thing(&self) -> Thing {
        match self.args.scope {
            Scope::System => Thing::Unit(self.unit.name.clone()),
            Scope::User => Thing::Unit(format!("user:{}", self.unit.name)),
        }
    }

    /// Whether a change starts it.
    fn acts(&self) -> bool {
        self.changes.iter().any(|change| change.renews.is_some())
    }

    fn starts(&self) -> bool {
        matches!(
            self.args.state,
            Some(State::Started | State::Restarted | State::Reloaded)
        )
    }

    fn reload_files(&mut self) {
        self.state.stale = false;
        let step = Step::from(self.systemctl(&["daemon-reload"])).effect(Effect::new(
            AnyStale {
                scope: self.unit.scope,
            },
            false,
        ));
        let change = Change::new("unit files that systemd has read", "old ones", "all");
        self.changes.push(change.step(step));
    }

    /// Units are started from the files as they are now.
    fn refresh(&mut self) {
        if self.state.stale {
            self.state.stale = false;
            let step = self.step(&["daemon-reload"], false);
            let change = Change::new("unit files that systemd has read", "old ones", "all");
            self.changes.push(change.step(step));
        }
    }

    fn unmask(&mut self) {
        let runtime = self.state.enabled == "masked-runtime";
        let verb: &[&str] = if runtime {
            &["unmask", "--runtime"]
        } else {
            &["unmask"]
        };
        self.state = UnitState {
            load: "loaded".to_owned(),
            enabled: String::new(),
            stale: false,
            ..self.state.clone()
        };
        let why = format!("what `{}` is behind its mask", self.unit.name);
        let step = Step::from(self.systemctl(&[verb, &["--", &self.unit.name]].concat()))
            .effect(Effect::unknown(self.unit.clone(), why));
        self.changes
            .push(Change::new("masked", true, false).step(step));
    }

    fn mask(&mut self, look: &Look<'_>) -> Result<(), Stop> {
        if !self.args.force
            && let Some(path) = file::stands_in_the_way(self.args, look)?
        {
            let what = format!(
                "`{}` cannot be masked: `{path}`, its own file, stands where the mask would be",
                self.unit.name
            );
            return Err(Refusal::new(what)
                .help("remove the file, or say `state: stopped` and `enabled: false`; `force: true` overwrites it")
                .into());
        }
        let mut words = vec!["mask"];
        words.extend(self.args.force.then_some("--force"));
        "masked".clone_into(&mut self.state.load);
        "masked".clone_into(&mut self.state.enabled);
        let step = self.step(&words, true);
        self.changes
            .push(Change::new("masked", false, true).step(step));
        Ok(())
    }

    fn enable(&mut self) {
        let now = self.state.enabled.as_str();
        let name = &self.unit.name;
        if self.args.enabled == Some(true) && now == "static" {
            self.warnings.push(format!(
                "`{name}` has no `[Install]` section: it cannot be enabled, and starts only when something else wants it"
            ));
        }
        if self.state.sysv && self.args.enabled.is_some() {
            self.warnings.push(format!(
                "`{name}` is a script of System V: a unit file would tell systemd more"
            ));
        }
        let (verb, word) = match self.args.enabled {
            // What is static or generated starts where others want it.
            Some(true) if !["enabled", "static", "generated", "transient"].contains(&now) => {
                ("enable", "enabled")
            }
            Some(false) if ["enabled", "enabled-runtime", ""].contains(&now) => {
                ("disable", "disabled")
            }
            _ => return,
        };
        let (runtime, before) = (now == "enabled-runtime", now.to_owned());
        let mut words = vec![verb];
        words.extend((runtime && verb == "disable").then_some("--runtime"));
        words.extend((self.args.force && verb == "enable").then_some("--force"));
        let behind_mask = now.is_empty();
        word.clone_into(&mut self.state.enabled);
        let step = if behind_mask {
            // Only now it is known whether it can be enabled at all.
            let why = format!("whether `{}` can be enabled", self.unit.name);
            let words = [&words[..], &["--", &self.unit.name]].concat();
            Step::from(self.systemctl(&words)).effect(Effect::unknown(self.unit.clone(), why))
        } else {
            self.step(&words, true)
        };
        self.changes
            .push(Change::new("enabled", before, word).step(step));
    }

    /// `renewed`: this is a call, and the unit was started since whatever called.
    fn run_state(&mut self, renewed: bool) {
        let Some(wanted) = self.args.state else {
            return;
        };
        let before = self.state.active.clone();
        let up = UP.contains(&before.as_str());
        let acts = matches!(wanted, State::Restarted | State::Reloaded);
        if acts && renewed && before == "active" {
            return;
        }
        // What runs is what its file says.
        let other = self.args.content.is_some() && self.state.stale;
        let (verb, what, cause) = match wanted {
            State::Started if up && other => ("restart", "its old file runs", Cause::Differs),
            State::Started if up => return,
            State::Started if self.state.passing => ("start", "started", Cause::Act),
            State::Started => ("start", "state", Cause::Differs),
            State::Stopped => {
                if !up && !["auto-restart", "deactivating"].contains(&before.as_str()) {
                    return;
                }
                ("stop", "state", Cause::Differs)
            }
            State::Restarted => ("restart", "restarted", Cause::Act),
            State::Reloaded if up => ("reload", "reloaded", Cause::Act),
            State::Reloaded => ("start", "started", Cause::Act),
        };
        let after = if verb == "stop" || self.state.passing {
            "inactive"
        } else {
            "active"
        };
        let change = match what {
            "state" => Change::new(what, before, after),
            "its old file runs" => Change::new(what, true, false),
            what => Change::new(what, before, Value::Null),
        };
        if verb != "stop" {
            self.refresh();
        }
        after.clone_into(&mut self.state.active);
        let change = change.because(cause);
        let (run, change) = match verb {
            "stop" => {
                let block: &[&str] = if self.args.no_block {
                    &["--no-block"]
                } else {
                    &[]
                };
                let seconds = self.args.timeout.map_or(600, u64::from);
                let run = self.systemctl(&[&["stop"], block, &["--", &self.unit.name]].concat());
                (
                    Run {
                        seconds: Some(seconds),
                        ..run
                    },
                    change,
                )
            }
            "reload" => (act::run(self.args, verb, &self.unit.name), change),
            _ => (
                act::run(self.args, verb, &self.unit.name),
                change.renews(self.thing()),
            ),
        };
        let effect = if self.args.no_block {
            Effect::unknown(
                self.unit.clone(),
                format!("how `{}` ends what it was told", self.unit.name),
            )
        } else {
            Effect::new(self.unit.clone(), self.state.clone())
        };
        let mut step = Step::from(run).effect(effect);
        if self.args.health.is_some() {
            let health = Ask::new(act::look(self.args, &self.unit.name));
            step = step.effect(answering(&health));
        }
        self.changes.push(change.step(step));
    }

    /// It runs: it has to answer as well.
    fn answers(&mut self, health: &Ask, look: &Look<'_>) -> Result<(), Stop> {
        if look.get(health)?.status == 0 {
            return Ok(());
        }
        let run = act::run(self.args, "check", &self.unit.name);
        let change =
            Change::new("wait until it answers", Value::Null, Value::Null).because(Cause::Wait);
        self.changes
            .push(change.step(Step::from(run).effect(answering(health))));
        Ok(())
    }

    /// A step about the unit, after which it is as noted.
    fn step(&self, words: &[&str], names_unit: bool) -> Step {
        let name: &[&str] = if names_unit {
            &["--", &self.unit.name]
        } else {
            &[]
        };
        let effect = Effect::new(self.unit.clone(), self.state.clone());
        Step::from(self.systemctl(&[words, name].concat())).effect(effect)
    }

    fn systemctl(&self, words: &[&str]) -> Run {
        let argv: &[&str] = match self.args.scope {
            Scope::System => &["systemctl"],
            Scope::User => &["sh", "-c", USER, "sh"],
        };
        Run::new([argv, words].concat())
    }
}

/// The user's manager is found by a directory that a login sets, and `sudo` does not.
const USER: &str =
    "XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/run/user/$(id -u)} exec systemctl --user \"$@\"";

/// What a health check answers that is well.
fn answering(health: &Ask) -> Effect {
    Effect::new(
        health.clone(),
        Answered {
            status: 0,
            stdout: String::new(),
        },
    )
}

/// What systemd calls the states in which a unit runs, or is about to.
const UP: [&str; 4] = ["active", "reloading", "refreshing", "activating"];

/// The state of all units where no systemd runs.
const OFFLINE: &str = "offline";

/// `org.freedesktop.systemd1.NoSuchUnit "Unit a.service not found."` without the name of the error.
fn load_error(error: &str) -> String {
    let text = error.split_once('"').map_or(error, |(_, text)| text);
    text.trim_end_matches(['"', '\\']).replace('\\', "")
}

/// What is missing, and what is called almost like it.
fn not_found(name: &str, names: &[String]) -> NotYet {
    let stem = |name: &str| {
        name.rsplit_once('.')
            .map_or(name, |(stem, _)| stem)
            .to_lowercase()
    };
    let wanted = stem(name);
    let near = |other: &String| {
        let other = stem(other);
        other.contains(&wanted)
            || (other.len() > 2 && wanted.contains(&other))
            || distance(&other, &wanted) <= wanted.len() / 4
    };
    let mut near: Vec<&String> = names.iter().filter(|other| near(other)).collect();
    near.sort_by_key(|other| (distance(&stem(other), &wanted), other.len()));
    let near: Vec<String> = near
        .into_iter()
        .take(5)
        .map(|name| format!("`{name}`"))
        .collect();
    NotYet(match near.as_slice() {
        [] => format!("the unit `{name}`"),
        near => format!("the unit `{name}` (there is {})", near.join(", ")),
    })
}

/// How many letters have to be changed.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (at, from) in a.chars().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], at + 1);
        for (to, letter) in b.iter().enumerate() {
            let best = (corner + usize::from(from != *letter))
                .min(row[to] + 1)
                .min(row[to + 1] + 1);
            corner = std::mem::replace(&mut row[to + 1], best);
        }
    }
    row[b.len()]
}
