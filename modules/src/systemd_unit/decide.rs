//! What differs, and what systemd is told.

use evenkeel_engine::{
    Cause, Change, Effect, NotYet, Plan, Run, Step, Stop, Value, probes::Stat,
};

use super::{AnyStale, Args, Scope, State, Unit, UnitState};
use crate::look::Look;

pub(super) fn plan(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let mut task = Task { args, unit: args.unit(), state: UnitState::default(), changes: Vec::new() };
    if args.daemon_reload {
        let stale = AnyStale { scope: args.scope() };
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
    task.look(look)?;
    if args.masked == Some(false) && task.state.enabled.starts_with("masked") {
        task.unmask();
    } else if task.state.load == "masked" && args.masked != Some(true) && task.starts() {
        let name = &task.unit.name;
        let what = format!("the unit `{name}` unmasked (say `masked: false` to start it)");
        return Err(NotYet(what).into());
    }
    task.enable();
    task.run_state();
    if args.masked == Some(true) && !task.state.enabled.starts_with("masked") {
        task.mask();
    }
    Ok(task.changes.into())
}

struct Task<'a> {
    args: &'a Args,
    unit: Unit,
    /// As it is after the changes so far.
    state: UnitState,
    changes: Vec<Change>,
}

impl Task<'_> {
    /// What the unit is now. One whose file is there but that systemd has not read yet is like one
    /// that was never started.
    fn look(&mut self, look: &Look<'_>) -> Result<(), Stop> {
        self.state = look.get(&self.unit)?.clone();
        let name = &self.unit.name;
        match self.state.load.as_str() {
            "not-found" if on_disk(self.args.scope, name, look)? => {
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
            "not-found" => Err(NotYet(format!("the unit `{name}`")).into()),
            "error" | "bad-setting" => {
                let why = &self.state.error;
                Err(NotYet(format!("a valid file of the unit `{name}` (systemd says: {why})")).into())
            }
            _ => Ok(()),
        }
    }

    fn starts(&self) -> bool {
        matches!(self.args.state, Some(State::Started | State::Restarted | State::Reloaded))
    }

    fn reload_files(&mut self) {
        self.state.stale = false;
        let step = Step::from(self.systemctl(&["daemon-reload"]))
            .effect(Effect::new(AnyStale { scope: self.unit.scope }, false));
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
        let verb: &[&str] = if runtime { &["unmask", "--runtime"] } else { &["unmask"] };
        self.state = UnitState {
            load: "loaded".to_owned(),
            enabled: String::new(),
            stale: false,
            ..self.state.clone()
        };
        let why = format!("what `{}` is behind its mask", self.unit.name);
        let step = Step::from(self.systemctl(&[verb, &["--", &self.unit.name]].concat()))
            .effect(Effect::unknown(self.unit.clone(), why));
        self.changes.push(Change::new("masked", true, false).step(step));
    }

    fn mask(&mut self) {
        let mut words = vec!["mask"];
        words.extend(self.args.force.then_some("--force"));
        "masked".clone_into(&mut self.state.load);
        "masked".clone_into(&mut self.state.enabled);
        let step = self.step(&words, true);
        self.changes.push(Change::new("masked", false, true).step(step));
    }

    fn enable(&mut self) {
        let now = self.state.enabled.as_str();
        let (verb, word) = match self.args.enabled {
            // What is static or generated starts where others want it.
            Some(true) if !["enabled", "static", "generated", "transient"].contains(&now) => {
                ("enable", "enabled")
            }
            Some(false) if ["enabled", "enabled-runtime", ""].contains(&now) => ("disable", "disabled"),
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
        self.changes.push(Change::new("enabled", before, word).step(step));
    }

    fn run_state(&mut self) {
        let Some(wanted) = self.args.state else { return };
        let before = self.state.active.clone();
        let up = ["active", "reloading", "refreshing", "activating"].contains(&before.as_str());
        let (verb, what, cause) = match wanted {
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
        if verb != "stop" {
            self.refresh();
        }
        let mut words = vec![verb];
        words.extend(self.args.no_block.then_some("--no-block"));
        let after = match verb {
            "stop" => "inactive",
            _ if self.state.passing => "inactive",
            _ => "active",
        };
        after.clone_into(&mut self.state.active);
        let change = Change::new(what, before, if what == "state" { after.into() } else { Value::Null });
        let mut change = change.because(cause);
        if self.args.no_block {
            let why = format!("how `{}` ends what it was told", self.unit.name);
            let words = [&words[..], &["--", &self.unit.name]].concat();
            let step = Step::from(self.systemctl(&words));
            change = change.step(step.effect(Effect::unknown(self.unit.clone(), why)));
        } else {
            change = change.step(self.step(&words, true));
            if verb != "stop" && !self.state.passing {
                change = change.step(self.watch());
            }
        }
        self.changes.push(change);
    }

    /// A step about the unit, after which it is as noted.
    fn step(&self, words: &[&str], names_unit: bool) -> Step {
        let name: &[&str] = if names_unit { &["--", &self.unit.name] } else { &[] };
        let effect = Effect::new(self.unit.clone(), self.state.clone());
        Step::from(self.systemctl(&[words, name].concat())).effect(effect)
    }

    /// Waits until the unit is up, and sees whether it stays so.
    fn watch(&self) -> Step {
        let seconds = self.args.steady.unwrap_or(2).to_string();
        let scope = format!("--{}", self.unit.scope);
        let argv = ["sh", "-c", WATCH, "sh", &scope, &self.unit.name, &seconds];
        let effect = Effect::new(self.unit.clone(), self.state.clone());
        Step::from(Run::new(argv)).effect(effect)
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
const USER: &str = "XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/run/user/$(id -u)} exec systemctl --user \"$@\"";

/// Waits until a unit is up, then so many seconds whether it stays up with the same process; else
/// shows what it has said.
const WATCH: &str = r#"
XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}; export XDG_RUNTIME_DIR
look() {
  active= sub= pid=
  for line in $(systemctl "$1" show -p ActiveState,SubState,MainPID -- "$2"); do
    case $line in
      ActiveState=*) active=${line#*=} ;;
      SubState=*) sub=${line#*=} ;;
      MainPID=*) pid=${line#*=} ;;
    esac
  done
}
died() {
  printf '`%s` was started but is %s (%s)\n' "$2" "$active" "$sub" >&2
  journalctl "$1" --no-pager -q -n 20 -u "$2" >&2 2>/dev/null
  exit 1
}
tries=0
while look "$1" "$2"; do
  case $active/$sub in
    activating/auto-restart*) died "$1" "$2" ;;
    active/*|reloading/*|refreshing/*) break ;;
    activating/*) ;;
    *) died "$1" "$2" ;;
  esac
  tries=$((tries + 1))
  [ "$tries" -lt 300 ] || died "$1" "$2"
  sleep 1
done
first=$pid left=$3
while [ "$left" -gt 0 ]; do
  sleep 1
  left=$((left - 1))
  look "$1" "$2"
  [ "$active" = active ] && [ "$pid" = "$first" ] || died "$1" "$2"
done
"#;

/// Whether there is a file for a unit.
fn on_disk(scope: Scope, name: &str, look: &Look<'_>) -> Result<bool, NotYet> {
    let dirs: &[&str] = match scope {
        Scope::System => {
            &["/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"]
        }
        Scope::User => &["/etc/systemd/user", "/usr/lib/systemd/user"],
    };
    let template = name.split_once('@').and_then(|(stem, rest)| {
        let (_, suffix) = rest.rsplit_once('.')?;
        Some(format!("{stem}@.{suffix}"))
    });
    let names: Vec<&str> = [Some(name), template.as_deref()].into_iter().flatten().collect();
    let paths = dirs.iter().flat_map(|dir| names.iter().map(move |name| format!("{dir}/{name}")));
    let probes: Vec<_> = paths.map(Stat).collect();
    for probe in &probes {
        look.ask(probe);
    }
    for probe in &probes {
        if look.get(probe)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
