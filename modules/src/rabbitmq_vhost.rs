//! Virtual hosts of `RabbitMQ`.

use evenkeel_engine::{
    Change, Done, Effect, Module, Plan, Probes, Refusal, Seen, Step, Stop, Thing, Touches,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    args::is_default,
    look::Look,
    rabbit::{self, Broker, Told, What, binary},
    rabbitmq_user::State,
};

/// The module `rabbitmq-vhost`.
#[derive(Debug)]
pub struct RabbitmqVhost;

/// Arguments of `rabbitmq-vhost`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The virtual host.
    #[serde(alias = "vhost")]
    pub name: String,
    /// Whether each message is copied to `amq.rabbitmq.trace`; left as it is if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracing: Option<bool>,
    /// The node that is asked and told; the host's own if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Whether it is there. What goes, goes with all its queues.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
}

/// What `register` gives.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Output {
    /// The virtual host.
    pub name: String,
    /// Whether it is there.
    pub state: State,
}

fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let about = Broker {
        node: args.node.clone(),
        what: What::Vhost(args.name.clone()),
    };
    let now = match look.get(&about)? {
        Told::Of(told) => Some(
            told.get(0)
                .and_then(serde_json::Value::as_bool)
                .unwrap_or_default(),
        ),
        _ => None,
    };
    let name = binary(&args.name);
    let (mut changes, mut orders) = (Vec::new(), Vec::new());
    let mut after = Told::Nothing;
    if args.state == State::Absent {
        if now.is_some() {
            changes.push(Change::new(
                "virtual host",
                args.name.as_str(),
                None::<&str>,
            ));
            orders.push(format!("rabbit_vhost:delete({name}, <<\"evenkeel\">>)"));
        }
    } else {
        if now.is_none() {
            changes.push(Change::new(
                "virtual host",
                None::<&str>,
                args.name.as_str(),
            ));
            orders.push(format!("rabbit_vhost:add({name}, <<\"evenkeel\">>)"));
        }
        let traced = now.unwrap_or_default();
        let wanted = args.tracing.unwrap_or(traced);
        if wanted != traced {
            changes.push(Change::new("tracing", traced, wanted));
            let verb = if wanted { "start" } else { "stop" };
            orders.push(format!("begin rabbit_trace:{verb}({name}), ok end"));
        }
        after = Told::Of(json!([wanted]));
    }
    if let Some(last) = changes.pop() {
        let step = Step::from(rabbit::order(args.node.as_ref(), &orders))
            .effect(Effect::new(about, after));
        changes.push(last.step(step));
    }
    Ok(changes.into())
}

impl Module for RabbitmqVhost {
    const NAME: &'static str = "rabbitmq-vhost";
    const ALIASES: &'static [&'static str] =
        &["rabbitmq_vhost", "community.rabbitmq.rabbitmq_vhost"];
    const ABOUT: &'static str = "keeps a virtual host of RabbitMQ";
    const EXAMPLE: &'static str = "\
- rabbitmq-vhost:
    name: airflow
";
    const CHANGED_WHEN: &'static str = "\
        The virtual host is not there (or is, with `state: absent`), or is traced and should not be, or the other way round.";
    const LIMITS: &'static str = "\
        It asks the broker through the host's `rabbitmqctl`, as `root` or `rabbitmq`; not over HTTP.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        rabbit::check_name("virtual host", &args.name)?;
        rabbit::check_node(args.node.as_ref())
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
