//! Says something.

use evenkeel_engine::{Done, Late, Map, Module, Nature, Plan, Probes, Seen, Stop, Touches, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::args::is_default;

/// The module `debug`.
#[derive(Debug)]
pub struct Debug;

/// Arguments of `debug`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// What to say: any value. Instead of it, `var: name` says what a variable holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>")]
    pub msg: Option<Late<Value>>,
    /// What `msg` holds is the value of this expression, under its text: the result has it by that name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub of: Option<String>,
    /// Only with so many `-v`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub verbosity: u32,
}

/// What `register` gives.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
pub struct Output {
    /// What was said.
    pub msg: Value,
    /// With `var`: what it holds, under its name.
    #[serde(flatten)]
    pub named: Map,
}

impl Module for Debug {
    const NAME: &'static str = "debug";
    const ALIASES: &'static [&'static str] = &["ansible.builtin.debug", "ansible.legacy.debug"];
    const NATURE: Nature = Nature::Passive;
    const ABOUT: &'static str = "says something";
    const EXAMPLE: &'static str = "\
- debug:
    msg: the application is on port {{ app_port }}
";
    const CHANGED_WHEN: &'static str = "Never.";
    const LIMITS: &'static str = "It goes to no host.";
    const SAYS: Option<&'static str> = Some("msg");
    type Args = Args;
    type Output = Output;

    fn observe(_: &Args, _: &Seen) -> Probes {
        Probes::new()
    }

    fn plan(args: &Args, _: &Seen) -> Result<Plan, Stop> {
        if let Some(said) = &args.msg {
            said.get()?;
        }
        Ok(Plan::nothing())
    }

    fn output(args: &Args, _: &Seen, _: &[Done]) -> Result<Output, Stop> {
        let msg = match &args.msg {
            Some(said) => said.get()?.clone(),
            None => "Hello world!".into(),
        };
        let named = match (&args.of, &msg) {
            (Some(name), Value::Map(said)) if name != "msg" => said
                .get(name)
                .map(|value| [(name.clone(), value.clone())].into_iter().collect())
                .unwrap_or_default(),
            _ => Map::new(),
        };
        Ok(Output { msg, named })
    }

    fn touches(_: &Args) -> Touches {
        Touches::nothing()
    }

    fn subject(args: &Args) -> String {
        match &args.msg {
            Some(Late::Known(said)) => said.to_json().to_string(),
            Some(Late::NotYet(what)) => what.to_string(),
            None => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use evenkeel_engine::{Bound as _, NotYet, Secret, With, bind};

    use super::*;

    #[test]
    fn it_says_any_value_and_changes_nothing() {
        let said = serde_json::json!({ "answer": { "a": [1, true, "x"] } });
        let args: Args =
            bind(&serde_json::json!({ "msg": said, "verbosity": "2" }).into()).unwrap();
        assert!(
            Debug::plan(&args, &Seen::default())
                .unwrap()
                .changes
                .is_empty()
        );
        let output = Debug::output(&args, &Seen::default(), &[]).unwrap();
        assert_eq!(output.msg.to_json(), said);
    }

    #[test]
    fn what_a_variable_holds_is_in_the_result_by_its_name() {
        let said = serde_json::json!({ "a.b": [1] });
        let args: Args = bind(&serde_json::json!({ "msg": said, "of": "a.b" }).into()).unwrap();
        let output = With::<Debug>(args).output(&Seen::default(), &[]).unwrap();
        assert_eq!(
            output.to_json(),
            serde_json::json!({ "msg": said, "a.b": [1] })
        );
    }

    #[test]
    fn a_secret_stays_one() {
        let args = Args {
            msg: Some(Late::Known(Value::Secret(Secret::new("x")))),
            of: None,
            verbosity: 0,
        };
        let output = With::<Debug>(args).output(&Seen::default(), &[]).unwrap();
        assert!(matches!(output.get("msg"), Some(Value::Secret(_))));
    }

    #[test]
    fn what_is_not_known_yet_is_not_said() {
        let args = Args {
            msg: Some(Late::NotYet(NotYet::new("x"))),
            of: None,
            verbosity: 0,
        };
        assert!(matches!(
            Debug::plan(&args, &Seen::default()),
            Err(Stop::NotYet(_))
        ));
    }
}
