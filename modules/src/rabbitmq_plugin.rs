//! Plugins of `RabbitMQ`.

use std::collections::BTreeSet;

use evenkeel_engine::{
    Change, Done, Effect, Module, NotYet, Plan, Probes, Refusal, Run, Seen, Step, Stop, Thing,
    Touches,
    probes::{Answered, Ask},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{args::is_default, look::Look, many::comma_list, rabbit};

/// The module `rabbitmq-plugin`.
#[derive(Debug)]
pub struct RabbitmqPlugin;

/// Arguments of `rabbitmq-plugin`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The plugins: a list, or words with commas between.
    #[serde(alias = "name", deserialize_with = "comma_list")]
    #[schemars(with = "Vec<String>")]
    pub names: Vec<String>,
    /// Whether other plugins that are enabled stay so; if not, `names` are all that are.
    #[serde(default, skip_serializing_if = "is_default")]
    pub new_only: bool,
    /// Whether the broker that runs is told, or only its file is written.
    #[serde(default, skip_serializing_if = "is_default")]
    pub broker_state: BrokerState,
    /// Whether they are enabled.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
}

/// Whether the broker is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BrokerState {
    /// It runs, and is told.
    #[default]
    Online,
    /// It reads of it when it starts.
    Offline,
}

/// Whether plugins are enabled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// They are.
    #[default]
    Enabled,
    /// They are not.
    Disabled,
}

/// What `register` gives.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Output {
    /// Those of `names` that are enabled.
    pub enabled: Vec<String>,
    /// Those of `names` that are not.
    pub disabled: Vec<String>,
}

/// `rabbitmq-plugins list` would start Erlang.
const LIST: &str = r#"
PATH=$PATH:/usr/sbin:/sbin:/usr/lib/rabbitmq/bin
command -v rabbitmq-plugins >/dev/null 2>&1 || exit 127
file=
if [ -r /etc/rabbitmq/rabbitmq-env.conf ]; then
  file=$(sed -n 's/^[[:space:]]*\(RABBITMQ_\)\{0,1\}ENABLED_PLUGINS_FILE=["'\'']\{0,1\}\([^"'\'' ]*\).*/\2/p' /etc/rabbitmq/rabbitmq-env.conf | tail -n 1)
fi
file=${file:-/etc/rabbitmq/enabled_plugins}
if [ -e "$file" ]; then
  [ -r "$file" ] || exit 13
  sed 's/%.*//' "$file" | tr -cs 'a-zA-Z0-9_' '\n' | LC_ALL=C sort -u | sed -n 's/^./E &/p'
fi
for one in /usr/lib/rabbitmq/lib/rabbitmq_server-*/plugins/* /usr/lib/rabbitmq/plugins/* /opt/rabbitmq/plugins/*; do
  [ -e "$one" ] || continue
  one=${one##*/}
  printf 'P %s\n' "${one%%-*}"
done | LC_ALL=C sort -u
exit 0
"#;

/// What a host is asked: lines `E NAME` for what is enabled, `P NAME` for what is there.
pub fn question() -> Ask {
    Ask::new(["sh", "-c", LIST]).reading([Thing::Object(rabbit::OBJECT.to_owned())])
}

/// What is enabled, and what is there.
#[derive(Debug, Default)]
struct Known {
    enabled: BTreeSet<String>,
    there: BTreeSet<String>,
}

impl Known {
    fn of(answer: &Answered) -> Result<Self, Stop> {
        match answer.status {
            0 => {}
            127 => {
                let missing = "RabbitMQ (there is no `rabbitmq-plugins` on this host)";
                return Err(NotYet::new(missing).into());
            }
            _ => {
                return Err(
                    Refusal::new("the file of the enabled plugins cannot be read")
                        .help("only `root` and `rabbitmq` may read it: `become: true`")
                        .into(),
                );
            }
        }
        let of = |kind: &str| {
            let lines = answer.stdout.lines();
            let names = lines.filter_map(|line| line.strip_prefix(kind));
            names.map(str::to_owned).collect()
        };
        Ok(Self {
            enabled: of("E "),
            there: of("P "),
        })
    }

    fn answer(&self) -> Answered {
        let enabled = self.enabled.iter().map(|name| format!("E {name}"));
        let there = self.there.iter().map(|name| format!("P {name}"));
        let lines: Vec<String> = enabled.chain(there).collect();
        Answered {
            status: 0,
            stdout: lines.join("\n"),
        }
    }
}

fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let mut known = Known::of(look.get(&question())?)?;
    let named: BTreeSet<String> = args.names.iter().cloned().collect();
    let wanted: BTreeSet<String> = match (args.state, args.new_only) {
        (State::Enabled, false) => named,
        (State::Enabled, true) => known.enabled.union(&named).cloned().collect(),
        (State::Disabled, _) => known.enabled.difference(&named).cloned().collect(),
    };
    if wanted == known.enabled {
        return Ok(Plan::nothing());
    }
    let new: Vec<&String> = wanted.difference(&known.enabled).collect();
    // Where none was found, they are elsewhere: the broker will say.
    if let Some(missing) = new.iter().find(|name| !known.there.contains(**name))
        && !known.there.is_empty()
    {
        return Err(NotYet(format!(
            "the plugin `{missing}` among those of RabbitMQ on this host"
        ))
        .into());
    }
    let gone: Vec<&String> = known.enabled.difference(&wanted).collect();
    let enabled = new
        .iter()
        .map(|name| Change::new(format!("plugin {name}"), "disabled", "enabled"));
    let disabled = gone
        .iter()
        .map(|name| Change::new(format!("plugin {name}"), "enabled", "disabled"));
    let mut changes: Vec<Change> = enabled.chain(disabled).collect();
    known.enabled = wanted;
    if let Some(last) = changes.pop() {
        let step = Step::from(order(args, &known.enabled));
        changes.push(last.step(step.effect(Effect::new(question(), known.answer()))));
    }
    Ok(changes.into())
}

/// All of them by one call: each starts Erlang.
fn order(args: &Args, wanted: &BTreeSet<String>) -> Run {
    let how = match args.broker_state {
        BrokerState::Online => "--online",
        BrokerState::Offline => "--offline",
    };
    let argv = ["sh", "-c", ORDER, "rabbitmq-plugins", how];
    let argv = argv.into_iter().chain(wanted.iter().map(String::as_str));
    Run {
        seconds: Some(300),
        explain: Some(explain),
        ..Run::new(argv)
    }
}

const ORDER: &str = r#"
PATH=$PATH:/usr/sbin:/sbin:/usr/lib/rabbitmq/bin
cd / || exit 1
how=$1
shift
LC_ALL=C.UTF-8 exec rabbitmq-plugins -q set "$how" "$@"
"#;

/// What a call that failed means.
fn explain(done: &Done) -> Option<Refusal> {
    let text = [done.stdout.as_slice(), b"\n", done.stderr.as_slice()].concat();
    let text = String::from_utf8_lossy(&text);
    if text.contains("plugins_not_found") {
        return Some(
            Refusal::new("RabbitMQ has no such plugin")
                .help("`rabbitmq-plugins list` shows those that it has; install the package of another one first"),
        );
    }
    let why = rabbit::known(&text)?;
    Some(
        Refusal::new(format!("RabbitMQ does not change its plugins: {why}"))
            .help("or say `broker_state: offline`: it reads of them when it starts"),
    )
}

impl Module for RabbitmqPlugin {
    const NAME: &'static str = "rabbitmq-plugin";
    const ALIASES: &'static [&'static str] =
        &["rabbitmq_plugin", "community.rabbitmq.rabbitmq_plugin"];
    const ABOUT: &'static str = "keeps plugins of RabbitMQ enabled or disabled";
    const EXAMPLE: &'static str = "\
- rabbitmq-plugin:
    names: [rabbitmq_management]
    new_only: true
";
    const CHANGED_WHEN: &'static str = "\
        A plugin is enabled that should not be, or the other way round.";
    const LIMITS: &'static str = "\
        It installs no plugins. Which are enabled is read in the broker's file, not asked of the broker.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        if args.names.is_empty() {
            return Err(Refusal::new("`names` is empty"));
        }
        let odd = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
        match args
            .names
            .iter()
            .find(|name| name.is_empty() || name.contains(odd))
        {
            Some(name) => Err(Refusal::new(format!(
                "`{}` is no name of a plugin",
                name.escape_debug()
            ))
            .help("it is like `rabbitmq_management`")),
            None => Ok(()),
        }
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide(args, &Look::new(seen))
    }

    fn output(args: &Args, after: &Seen, _: &[Done]) -> Result<Output, Stop> {
        let known = Known::of(Look::new(after).get(&question())?)?;
        let named = args.names.iter().cloned();
        let (enabled, disabled) = named.partition(|name| known.enabled.contains(name));
        Ok(Output { enabled, disabled })
    }

    fn touches(_: &Args) -> Touches {
        let files = Thing::Path("/etc/rabbitmq/enabled_plugins".to_owned());
        Touches::writes([Thing::Object(rabbit::OBJECT.to_owned()), files])
            .reading([Thing::Unit("rabbitmq-server.service".to_owned())])
    }

    fn subject(args: &Args) -> String {
        args.names.join(",")
    }
}
