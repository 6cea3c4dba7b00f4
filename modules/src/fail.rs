//! Ends the play of a host.

use evenkeel_engine::{Done, Late, Module, Nature, Plan, Probes, Seen, Stop, Touches, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::assert::plain;

/// The module `fail`.
#[derive(Debug)]
pub struct Fail;

/// Arguments of `fail`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// What is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>")]
    pub msg: Option<Late<Value>>,
}

/// What `register` gives: nothing of its own.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Output {}

impl Module for Fail {
    const NAME: &'static str = "fail";
    const ALIASES: &'static [&'static str] = &["ansible.builtin.fail", "ansible.legacy.fail"];
    const NATURE: Nature = Nature::Control;
    const ABOUT: &'static str = "fails with a message";
    const EXAMPLE: &'static str = "\
- fail:
    msg: this host needs 4 GiB of memory
  when: ansible_memtotal_mb < 4096
";
    const CHANGED_WHEN: &'static str = "Never: it fails.";
    const LIMITS: &'static str = "It undoes nothing; a `rescue` of its block can.";
    type Args = Args;
    type Output = Output;

    fn observe(_: &Args, _: &Seen) -> Probes {
        Probes::new()
    }

    fn plan(args: &Args, _: &Seen) -> Result<Plan, Stop> {
        Err(Stop::refused(match &args.msg {
            Some(said) => plain(said.get()?),
            None => "the playbook asks to fail here".to_owned(),
        }))
    }

    fn output(_: &Args, _: &Seen, _: &[Done]) -> Result<Output, Stop> {
        Ok(Output {})
    }

    fn touches(_: &Args) -> Touches {
        Touches::nothing()
    }

    fn subject(args: &Args) -> String {
        match &args.msg {
            Some(Late::Known(said)) => plain(said),
            Some(Late::NotYet(what)) => what.to_string(),
            None => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use evenkeel_engine::{NotYet, bind};

    use super::*;

    fn plan(json: serde_json::Value) -> Stop {
        let args: Args = bind(&json.into()).unwrap();
        Fail::plan(&args, &Seen::default()).unwrap_err()
    }

    #[test]
    fn it_fails_with_its_message() {
        assert_eq!(
            plan(serde_json::json!({ "msg": "no" })),
            Stop::refused("no")
        );
        let bare = Stop::refused("the playbook asks to fail here");
        assert_eq!(plan(serde_json::json!({})), bare);
    }

    #[test]
    fn a_message_that_is_not_known_yet_is_waited_for() {
        let args = Args {
            msg: Some(Late::NotYet(NotYet::new("x"))),
        };
        let stop = Fail::plan(&args, &Seen::default()).unwrap_err();
        assert_eq!(stop, Stop::NotYet(NotYet::new("x")));
    }
}
