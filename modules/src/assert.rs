//! Ends the play of a host if a condition does not hold.

use evenkeel_engine::{
    BindError, Done, Late, Module, Nature, NotYet, Plan, Probes, Refusal, Seen, Stop, Touches,
    Value,
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::{args::is_default, many::one_or_many};

/// The module `assert`.
#[derive(Debug)]
pub struct Assert;

/// Arguments of `assert`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The conditions; all must hold.
    #[serde(deserialize_with = "one_or_many")]
    pub that: Vec<Check>,
    /// What to say if one does not.
    #[serde(default, alias = "msg", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>")]
    pub fail_msg: Option<Late<Value>>,
    /// What the result says if all hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>")]
    pub success_msg: Option<Late<Value>>,
    /// Has no effect: of conditions that hold nothing is said anyway.
    #[serde(default, skip_serializing_if = "is_default")]
    pub quiet: bool,
}

/// A condition: how it is written, and whether it holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// How it is written; empty if it is a bare boolean.
    pub text: String,
    /// Whether it holds.
    pub holds: Late<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    text: String,
    holds: Late<bool>,
}

impl<'de> Deserialize<'de> for Check {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if matches!(value, Value::Map(_)) {
            let Written { text, holds } = value.to_typed().map_err(D::Error::custom)?;
            return Ok(Self { text, holds });
        }
        match (value.to_typed(), value) {
            (Ok(holds), _) => Ok(Self {
                text: String::new(),
                holds: Late::Known(holds),
            }),
            (Err(BindError::NotYet(what)), _) => Ok(Self {
                text: String::new(),
                holds: Late::NotYet(what),
            }),
            // A condition is a matter of the front end, which has not evaluated it yet.
            (Err(_), Value::Str(text)) => Ok(Self {
                holds: Late::NotYet(NotYet(format!("whether `{text}` holds"))),
                text,
            }),
            (Err(error), _) => Err(D::Error::custom(error)),
        }
    }
}

impl JsonSchema for Check {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Condition".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}

/// What `register` gives.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
pub struct Output {
    /// `success_msg`, or that all conditions hold.
    pub msg: Value,
}

impl Module for Assert {
    const NAME: &'static str = "assert";
    const ALIASES: &'static [&'static str] = &["ansible.builtin.assert", "ansible.legacy.assert"];
    const NATURE: Nature = Nature::Control;
    const ABOUT: &'static str = "fails if a condition does not hold";
    const EXAMPLE: &'static str = "\
- assert:
    that:
      - app_port | int > 1023
    fail_msg: app_port must not need root
";
    const CHANGED_WHEN: &'static str = "Never.";
    const LIMITS: &'static str = "\
        It asks the host nothing: what a condition needs comes from facts, variables and registered \
        results.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        if args.that.is_empty() {
            return Err(Refusal::new("`that` is empty").help("list the conditions in `that`"));
        }
        Ok(())
    }

    fn observe(_: &Args, _: &Seen) -> Probes {
        Probes::new()
    }

    fn plan(args: &Args, _: &Seen) -> Result<Plan, Stop> {
        for (number, check) in (1..).zip(&args.that) {
            if *check.holds.get()? {
                continue;
            }
            let which = match check.text.as_str() {
                "" => format!("condition {number} does not hold"),
                text => format!("`{text}` does not hold"),
            };
            let said = match &args.fail_msg {
                Some(said) => format!("{}: {which}", plain(said.get()?)),
                None => which,
            };
            return Err(Stop::refused(said));
        }
        Ok(Plan::nothing())
    }

    fn output(args: &Args, _: &Seen, _: &[Done]) -> Result<Output, Stop> {
        let msg = match &args.success_msg {
            Some(said) => said.get()?.clone(),
            None => "all conditions hold".into(),
        };
        Ok(Output { msg })
    }

    fn touches(_: &Args) -> Touches {
        Touches::nothing()
    }

    fn subject(args: &Args) -> String {
        let texts: Vec<_> = args.that.iter().map(|check| check.text.as_str()).collect();
        texts.join(" and ")
    }
}

/// A message as people read it: texts as they are, lists line by line.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Seq(lines) => lines.iter().map(plain).collect::<Vec<_>>().join("\n"),
        _ => value
            .as_text()
            .unwrap_or_else(|| value.to_json().to_string()),
    }
}

#[cfg(test)]
mod tests {
    use evenkeel_engine::{Secret, bind};

    use super::*;

    fn args(json: serde_json::Value) -> Args {
        bind(&json.into()).unwrap()
    }

    fn refusal(args: &Args) -> String {
        match Assert::plan(args, &Seen::default()) {
            Err(Stop::Refused(refusal)) => refusal.message,
            other => panic!("not refused: {other:?}"),
        }
    }

    fn check(text: &str, holds: impl Into<Late<bool>>) -> Check {
        Check {
            text: text.into(),
            holds: holds.into(),
        }
    }

    #[test]
    fn the_first_condition_that_does_not_hold_is_named() {
        let mut args = args(serde_json::json!({ "that": [true] }));
        args.that = vec![check("a", true), check("b > 1", false), check("c", false)];
        assert_eq!(refusal(&args), "`b > 1` does not hold");
        args.fail_msg = Some(Late::Known("too few".into()));
        assert_eq!(refusal(&args), "too few: `b > 1` does not hold");
    }

    #[test]
    fn all_hold() {
        let args = args(serde_json::json!({ "that": [true, "yes"], "quiet": "on" }));
        assert!(
            Assert::plan(&args, &Seen::default())
                .unwrap()
                .changes
                .is_empty()
        );
        let output = Assert::output(&args, &Seen::default(), &[]).unwrap();
        assert_eq!(output.msg, Value::from("all conditions hold"));
    }

    #[test]
    fn a_bare_boolean_is_named_by_its_place() {
        let one = args(serde_json::json!({ "that": "no", "msg": ["a", 1] }));
        assert_eq!(refusal(&one), "a\n1: condition 1 does not hold");
    }

    #[test]
    fn what_is_not_known_yet_is_not_guessed() {
        let later = Late::NotYet(NotYet::new("x"));
        let mut args = args(serde_json::json!({ "that": [true] }));
        args.that = vec![check("a", true), check("b", later)];
        assert!(matches!(
            Assert::plan(&args, &Seen::default()),
            Err(Stop::NotYet(_))
        ));
    }

    #[test]
    fn a_tree_of_the_front_end_keeps_what_is_not_known_yet() {
        let typed = Args {
            that: vec![check("a", Late::NotYet(NotYet::new("x")))],
            fail_msg: None,
            success_msg: None,
            quiet: false,
        };
        let tree = Value::from_typed(&typed).unwrap();
        assert_eq!(bind::<Args>(&tree).unwrap().that, typed.that);
    }

    #[test]
    fn a_secret_in_a_message_is_masked() {
        let mut args = args(serde_json::json!({ "that": false }));
        args.fail_msg = Some(Late::Known(Value::Secret(Secret::new("hunter2"))));
        assert!(!refusal(&args).contains("hunter2"));
    }

    #[test]
    fn a_condition_that_nobody_evaluated_is_not_known_yet() {
        let args = args(serde_json::json!({ "that": ["a > 1"] }));
        assert_eq!(args.that[0].text, "a > 1");
        assert!(matches!(
            Assert::plan(&args, &Seen::default()),
            Err(Stop::NotYet(_))
        ));
    }

    #[test]
    fn nothing_to_check_is_refused() {
        let args = args(serde_json::json!({ "that": [] }));
        assert_eq!(Assert::check(&args).unwrap_err().message, "`that` is empty");
    }
}
