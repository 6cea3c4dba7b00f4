//! Whether a host can be worked on.

use evenkeel_engine::{
    Done, Module, Nature, Plan, Probes, Seen, Stop, Text, Touches, ask, probes::Whoami,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The module `ping`.
#[derive(Debug)]
pub struct Ping;

/// Arguments of `ping`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// What is answered; `pong` if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Text>,
}

/// What `register` gives.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Output {
    /// What was asked for.
    pub ping: Text,
}

impl Module for Ping {
    const NAME: &'static str = "ping";
    const ALIASES: &'static [&'static str] = &["ansible.builtin.ping", "ansible.legacy.ping"];
    const NATURE: Nature = Nature::Passive;
    const ABOUT: &'static str = "asks a host whether it can be worked on";
    const EXAMPLE: &'static str = "\
- ping:
";
    type Args = Args;
    type Output = Output;

    fn observe(_: &Args, _: &Seen) -> Probes {
        // Who acts there: so that it is reached, and `become` works.
        vec![ask(Whoami)]
    }

    fn plan(_: &Args, seen: &Seen) -> Result<Plan, Stop> {
        seen.get(&Whoami)?;
        Ok(Plan::nothing())
    }

    fn output(args: &Args, _: &Seen, _: &[Done]) -> Result<Output, Stop> {
        let ping = args.data.clone().unwrap_or_else(|| "pong".into());
        Ok(Output { ping })
    }

    fn touches(_: &Args) -> Touches {
        Touches::nothing()
    }

    fn subject(_: &Args) -> String {
        String::new()
    }
}
