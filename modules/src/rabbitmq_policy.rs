//! Policies of `RabbitMQ`.

use std::collections::BTreeMap;

use evenkeel_engine::{
    Change, Done, Effect, Module, NotYet, Plan, Probes, Refusal, Seen, Step, Stop, Thing, Touches,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    args::is_default,
    look::Look,
    rabbit::{self, Broker, Told, What, binary},
    rabbitmq_user::State,
};

/// The module `rabbitmq-policy`.
#[derive(Debug)]
pub struct RabbitmqPolicy;

/// Arguments of `rabbitmq-policy`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The policy.
    pub name: String,
    /// Its virtual host; `/` if unset.
    #[serde(default = "root", skip_serializing_if = "is_root")]
    pub vhost: String,
    /// A pattern for the names that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// What it is for: `all`, `exchanges`, `queues`, `classic_queues`, `quorum_queues` or `streams`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub apply_to: ApplyTo,
    /// What it says: keys such as `max-length`, and their values.
    #[serde(default, alias = "definition", skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, Value>>,
    /// Of several policies for one name, the one with the highest counts.
    #[serde(default, skip_serializing_if = "is_default")]
    pub priority: Priority,
    /// The node that is asked and told; the host's own if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Whether it is there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
}

/// What a policy is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApplyTo {
    /// Exchanges and queues.
    #[default]
    All,
    /// Exchanges.
    Exchanges,
    /// Queues of all kinds.
    Queues,
    /// Classic queues.
    ClassicQueues,
    /// Quorum queues.
    QuorumQueues,
    /// Streams.
    Streams,
}

impl ApplyTo {
    fn text(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Exchanges => "exchanges",
            Self::Queues => "queues",
            Self::ClassicQueues => "classic_queues",
            Self::QuorumQueues => "quorum_queues",
            Self::Streams => "streams",
        }
    }
}

/// A number, which may be written as a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Priority(pub i64);

impl<'de> Deserialize<'de> for Priority {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "`priority` is a number")]
        enum Either {
            Number(i64),
            Text(String),
        }
        match Either::deserialize(deserializer)? {
            Either::Number(number) => Ok(Self(number)),
            Either::Text(text) => {
                text.trim().parse().map(Self).map_err(|_| {
                    serde::de::Error::custom(format!("`priority: {text}` is no number"))
                })
            }
        }
    }
}

fn root() -> String {
    "/".to_owned()
}

fn is_root(vhost: &String) -> bool {
    vhost == "/"
}

/// What `register` gives.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Output {
    /// The policy.
    pub name: String,
    /// Its virtual host.
    pub vhost: String,
    /// Whether it is there.
    pub state: State,
}

impl Args {
    fn ask(&self, what: What) -> Broker {
        Broker {
            node: self.node.clone(),
            what,
        }
    }

    /// What the broker tells of it when it is as it should be.
    fn wanted(&self) -> Value {
        json!([
            self.pattern.as_deref().unwrap_or_default(),
            self.apply_to.text(),
            self.priority.0,
            self.definition()
        ])
    }

    fn definition(&self) -> Value {
        json!(self.tags.clone().unwrap_or_default())
    }
}

/// A value as people read it.
fn shown(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let about = args.ask(What::Policy(args.vhost.clone(), args.name.clone()));
    let vhost = args.ask(What::Vhost(args.vhost.clone()));
    look.ask(&about);
    if args.state == State::Present {
        look.ask(&vhost);
    }
    let now = match look.get(&about)? {
        Told::Of(now) => Some(now),
        _ => None,
    };
    let (at, name) = (binary(&args.vhost), binary(&args.name));
    let (mut changes, order, after) = if args.state == State::Absent {
        let gone = now.map(|_| Change::new("policy", args.name.as_str(), None::<&str>));
        let order = format!("rabbit_policy:delete({at}, {name}, <<\"evenkeel\">>)");
        (Vec::from_iter(gone), order, Told::Nothing)
    } else {
        if *look.get(&vhost)? == Told::Nothing {
            return Err(NotYet(format!("the virtual host `{}`", args.vhost)).into());
        }
        let wanted = args.wanted();
        let order = format!(
            "rabbit_policy:parse_set({at}, {name}, {}, {}, {}, {}, <<\"evenkeel\">>)",
            binary(args.pattern.as_deref().unwrap_or_default()),
            binary(args.definition().to_string()),
            binary(args.priority.0.to_string()),
            binary(args.apply_to.text()),
        );
        (
            differences(&args.name, now, &wanted),
            order,
            Told::Of(wanted),
        )
    };
    if let Some(last) = changes.pop() {
        let step = Step::from(rabbit::order(args.node.as_ref(), &[order]));
        changes.push(last.step(step.effect(Effect::new(about, after))));
    }
    Ok(changes.into())
}

fn differences(name: &str, now: Option<&Value>, wanted: &Value) -> Vec<Change> {
    let Some(now) = now else {
        return vec![Change::new("policy", None::<&str>, name)];
    };
    let mut changes = Vec::new();
    for (at, what) in ["pattern", "apply_to", "priority", "definition"]
        .into_iter()
        .enumerate()
    {
        let old = now.get(at).unwrap_or(&Value::Null);
        if *old != wanted[at] {
            changes.push(Change::new(what, shown(old), shown(&wanted[at])));
        }
    }
    changes
}

impl Module for RabbitmqPolicy {
    const NAME: &'static str = "rabbitmq-policy";
    const ALIASES: &'static [&'static str] =
        &["rabbitmq_policy", "community.rabbitmq.rabbitmq_policy"];
    const ABOUT: &'static str = "keeps a policy of RabbitMQ";
    const EXAMPLE: &'static str = "\
- rabbitmq-policy:
    name: short
    vhost: airflow
    pattern: '^tasks'
    apply_to: queues
    tags: {max-length: 1000}
";
    const CHANGED_WHEN: &'static str = "\
        The policy is not there (or is, with `state: absent`), or its pattern, definition, priority or what it is for are \
        others.";
    const LIMITS: &'static str = "\
        It asks the broker through the host's `rabbitmqctl`, as `root` or `rabbitmq`; not over HTTP. Which keys there are \
        the broker knows: a wrong one is refused by it, not in check mode.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        rabbit::check_name("policy", &args.name)?;
        rabbit::check_name("virtual host", &args.vhost)?;
        rabbit::check_node(args.node.as_ref())?;
        if args.state == State::Absent {
            return Ok(());
        }
        if args.pattern.is_none() {
            return Err(Refusal::new("`pattern` is missing")
                .help("`.*` is for all names of the virtual host"));
        }
        if args.tags.as_ref().is_none_or(BTreeMap::is_empty) {
            return Err(Refusal::new("`tags` is missing or empty")
                .help("say what the policy is to do, such as `tags: {max-length: 1000}`"));
        }
        Ok(())
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide(args, &Look::new(seen))
    }

    fn output(args: &Args, _: &Seen, _: &[Done]) -> Result<Output, Stop> {
        Ok(Output {
            name: args.name.clone(),
            vhost: args.vhost.clone(),
            state: args.state,
        })
    }

    fn touches(_: &Args) -> Touches {
        Touches::writes([Thing::Object(rabbit::OBJECT.to_owned())])
            .reading([Thing::Unit("rabbitmq-server.service".to_owned())])
    }

    fn subject(args: &Args) -> String {
        args.name.clone()
    }
}
