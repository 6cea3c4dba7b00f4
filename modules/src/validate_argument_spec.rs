//! Ends the play of a host if what is given is not what is wanted.

mod check;
mod convert;
mod rules;

use evenkeel_engine::{
    Done, Late, Map, Module, Nature, NotYet, Plan, Probes, Refusal, Seen, Stop, Touches, Value,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The module `validate_argument_spec`.
#[derive(Debug)]
pub struct ValidateArgumentSpec;

/// Arguments of `validate_argument_spec`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// What is wanted: by name, what each argument has to be.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub argument_spec: Late<Value>,
    /// What is given; it comes before variables of the same names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    pub provided_arguments: Option<Late<Value>>,
    /// What the result says of where this is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    pub validate_args_context: Option<Late<Value>>,
    /// The variables of the names that are wanted; a playbook need not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    pub variables: Option<Late<Value>>,
}

/// What `register` gives.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Output {
    /// That all is as it is wanted.
    pub msg: String,
    /// `validate_args_context`.
    pub validate_args_context: Value,
}

impl Module for ValidateArgumentSpec {
    const NAME: &'static str = "validate_argument_spec";
    const ALIASES: &'static [&'static str] = &[
        "ansible.builtin.validate_argument_spec",
        "ansible.legacy.validate_argument_spec",
    ];
    const NATURE: Nature = Nature::Control;
    const ABOUT: &'static str = "fails if arguments are not what is wanted";
    const EXAMPLE: &'static str = "\
- validate_argument_spec:
    argument_spec:
      app_port: {type: int, required: true}
      app_mode: {choices: [web, worker], default: web}
";
    const CHANGED_WHEN: &'static str = "Never.";
    const LIMITS: &'static str = "\
        It asks the host nothing. Of what is wrong it tells all, in `argument_errors`, beside \
        `argument_spec_data` and `validate_args_context`.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        if let Late::Known(spec) = &args.argument_spec
            && !matches!(spec, Value::Map(_))
        {
            let what = format!("`argument_spec` is a map of names, not {}", spec.kind());
            return Err(Refusal::new(what).help("`name: {type: int, required: true}`"));
        }
        Ok(())
    }

    fn observe(_: &Args, _: &Seen) -> Probes {
        Probes::new()
    }

    fn plan(args: &Args, _: &Seen) -> Result<Plan, Stop> {
        let spec = map("argument_spec", Some(&args.argument_spec))?;
        let mut given = map("variables", args.variables.as_ref())?;
        given.extend(map("provided_arguments", args.provided_arguments.as_ref())?);
        let errors = check::all(&spec, &given);
        if errors.is_empty() {
            return Ok(Plan::nothing());
        }
        let message = format!("Validation of arguments failed:\n{}", errors.join("\n"));
        let errors: Value = errors.iter().map(|error| error.as_str().into()).collect();
        let context = map("validate_args_context", args.validate_args_context.as_ref())?;
        let result = Map::from_iter([
            ("argument_errors".to_owned(), errors),
            ("argument_spec_data".to_owned(), Value::Map(spec)),
            ("validate_args_context".to_owned(), Value::Map(context)),
        ]);
        Err(Refusal::new(message).result(result).into())
    }

    fn output(args: &Args, _: &Seen, _: &[Done]) -> Result<Output, Stop> {
        let context = map("validate_args_context", args.validate_args_context.as_ref())?;
        Ok(Output {
            msg: "The arg spec validation passed".to_owned(),
            validate_args_context: Value::Map(context),
        })
    }

    fn touches(_: &Args) -> Touches {
        Touches::nothing()
    }

    fn subject(args: &Args) -> String {
        match &args.argument_spec {
            Late::Known(Value::Map(spec)) => spec.keys().cloned().collect::<Vec<_>>().join(", "),
            _ => String::new(),
        }
    }
}

/// A map of which all is known.
fn map(name: &str, value: Option<&Late<Value>>) -> Result<Map, Stop> {
    let Some(value) = value else {
        return Ok(Map::new());
    };
    let value = value.get()?;
    if let Some(what) = value.first_not_yet() {
        return Err(NotYet::new(what.to_string()).into());
    }
    match value {
        Value::Map(map) => Ok(map.clone()),
        Value::Null => Ok(Map::new()),
        other => Err(Stop::refused(format!(
            "`{name}` is a map, not {}",
            other.kind()
        ))),
    }
}
