//! Lets time pass.
//!
//! It changes nothing, and says so. The host itself waits, in the exchange of the tasks around it,
//! and beyond five minutes detached from the connection.

use evenkeel_engine::{
    Cause, Change, Done, Module, Nature, Plan, Probes, Refusal, Run, Seen, Stop, Thing, Touches,
    Value,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wait_for;

/// The module `pause`.
#[derive(Debug)]
pub struct Pause;

/// Arguments of `pause`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// How long, in seconds; never less than one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// How long, in minutes, instead of `seconds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<u64>,
    /// What is said about it. It asks nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// Accepted: there is no answer that could be shown.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub echo: bool,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_yes(value: &bool) -> bool {
    *value
}

/// What `register` gives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Output {
    /// How long it took, in whole seconds.
    pub delta: u64,
    /// As it was given.
    pub echo: bool,
    /// 0.
    pub rc: i32,
    /// How long it took, in words.
    pub stdout: String,
    /// Nothing.
    pub stderr: String,
    /// Nothing: nobody is asked.
    pub user_input: String,
}

/// More than this is no pause but a mistake: thirty days.
const MOST: u64 = 30 * 24 * 60 * 60;

/// What takes longer is detached from the connection.
const LONG: u64 = 300;

impl Args {
    /// How long, in seconds.
    fn length(&self) -> u64 {
        let minutes = self.minutes.map(|minutes| minutes.saturating_mul(60));
        self.seconds.or(minutes).unwrap_or_default().max(1)
    }

    fn what(&self) -> String {
        let length = match self.minutes {
            Some(minutes @ 1..) => format!("{minutes} min"),
            _ => format!("{} s", self.length()),
        };
        match &self.prompt {
            Some(prompt) => format!("{length} ({})", prompt.trim_end()),
            None => length,
        }
    }

    /// As Ansible says it: with two digits at most, at least one.
    fn took(&self, millis: u64) -> String {
        let (unit, hundredths) = match self.minutes {
            Some(_) => ("minutes", (millis + 300) / 600),
            None => ("seconds", (millis + 5) / 10),
        };
        let digits = format!("{:02}", hundredths % 100);
        let digits = digits.strip_suffix('0').unwrap_or(&digits);
        format!("Paused for {}.{digits} {unit}", hundredths / 100)
    }
}

impl Module for Pause {
    const NAME: &'static str = "pause";
    const ALIASES: &'static [&'static str] = &["ansible.builtin.pause", "ansible.legacy.pause"];
    /// What is listed after it comes after it, what is listed before it before it.
    const NATURE: Nature = Nature::Control;
    const ABOUT: &'static str = "lets time pass";
    const EXAMPLE: &'static str = "\
- name: old connections end
  pause:
    seconds: 20
";
    const CHANGED_WHEN: &'static str = "Never: it waits.";
    const LIMITS: &'static str = "\
        It asks nobody, so a `prompt` needs a length. The hosts wait, all at the same time, each at \
        its place in the play. `wait_for` waits until something has come, which is shorter and surer.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        if args.seconds.is_some() && args.minutes.is_some() {
            return Err(Refusal::new("`seconds` and `minutes` exclude each other"));
        }
        if args.seconds.is_none() && args.minutes.is_none() {
            let asks = match args.prompt {
                Some(_) => "`prompt` without `seconds` or `minutes` asks somebody",
                None => "without `seconds` or `minutes` it waits for somebody",
            };
            return Err(Refusal::new(format!("{asks}, and a run asks nobody")).help(
                "give an answer by `-e NAME=VALUE`, say how long to pause, or wait for what \
                     comes with `wait_for`",
            ));
        }
        if args.length() > MOST {
            let name = args.minutes.map_or("seconds", |_| "minutes");
            return Err(Refusal::new(format!("`{name}` is longer than thirty days")));
        }
        Ok(())
    }

    fn observe(_: &Args, _: &Seen) -> Probes {
        Probes::new()
    }

    fn plan(args: &Args, _: &Seen) -> Result<Plan, Stop> {
        let seconds = args.length();
        let run = Run {
            seconds: Some(seconds + 30),
            long: seconds > LONG,
            ..wait_for::sleep(seconds)
        };
        let name = format!("pause for {}", args.what());
        let change = Change::new(name, Value::Null, Value::Null);
        Ok(change.step(run).because(Cause::Wait).into())
    }

    fn output(args: &Args, _: &Seen, done: &[Done]) -> Result<Output, Stop> {
        let millis = done.last().map_or(0, |done| done.millis);
        Ok(Output {
            delta: millis / 1000,
            echo: args.echo,
            stdout: args.took(millis),
            ..Output::default()
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
mod tests {
    use evenkeel_engine::{Action, bind};

    use super::*;

    fn args(json: serde_json::Value) -> Args {
        bind(&Value::from(json)).expect("arguments")
    }

    fn run(args: &Args) -> Run {
        let plan = Pause::plan(args, &Seen::default()).expect("a plan");
        let Action::Run(run) = plan.changes[0].steps[0].action.clone() else {
            panic!("no program");
        };
        run
    }

    #[test]
    fn a_long_one_is_detached_and_each_is_bounded() {
        let short = run(&args(serde_json::json!({ "seconds": "20" })));
        assert_eq!((short.seconds, short.long), (Some(50), false));
        let long = run(&args(serde_json::json!({ "minutes": 6 })));
        assert_eq!((long.seconds, long.long), (Some(390), true));
        let none = args(serde_json::json!({ "seconds": 0 }));
        assert_eq!(run(&none).seconds, Some(31));
    }

    #[test]
    fn how_long_it_took_is_said_as_ansible_says_it() {
        let said = |json, millis| {
            let done = Done {
                millis,
                ..Done::default()
            };
            let output = Pause::output(&args(json), &Seen::default(), &[done]).unwrap();
            (output.delta, output.stdout)
        };
        let seconds = || serde_json::json!({ "seconds": 3 });
        assert_eq!(said(seconds(), 3002), (3, "Paused for 3.0 seconds".into()));
        assert_eq!(said(seconds(), 3148), (3, "Paused for 3.15 seconds".into()));
        let minutes = serde_json::json!({ "minutes": 1 });
        assert_eq!(said(minutes, 65_999), (65, "Paused for 1.1 minutes".into()));
    }
}
