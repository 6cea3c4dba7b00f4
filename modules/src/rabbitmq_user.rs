//! Users of `RabbitMQ`: passwords, tags and permissions.

use std::collections::BTreeSet;

use evenkeel_engine::{
    Change, Done, Effect, Late, Module, NotYet, Plan, Probes, Refusal, Seen, Step, Stop, Text,
    Thing, Touches,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    args::is_default,
    look::Look,
    many::comma_list,
    rabbit::{self, Broker, Told, What, binaries, binary},
    useradd::UpdatePassword,
};

pub use crate::presence::State;

/// The module `rabbitmq-user`.
#[derive(Debug)]
pub struct RabbitmqUser;

/// Arguments of `rabbitmq-user`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The user.
    #[serde(alias = "username", alias = "name")]
    pub user: String,
    /// Its password; a new user has to have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Late<Text>>,
    /// Whether the password of a user that is there already is set too, if it is another one.
    #[serde(default, skip_serializing_if = "is_default")]
    pub update_password: UpdatePassword,
    /// Its tags (`administrator`, `monitoring` …): a list, or words with commas between; all others go.
    #[serde(
        default,
        deserialize_with = "listed",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "Option<Vec<String>>")]
    pub tags: Option<Vec<String>>,
    /// All its permissions: those in other virtual hosts go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<Permission>>,
    /// The virtual host of the three patterns that follow; `/` if unset. Permissions in others stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vhost: Option<String>,
    /// What it may make and delete, as a pattern; `^$`, nothing, if unset beside the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configure_priv: Option<String>,
    /// What it may write to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_priv: Option<String>,
    /// What it may read from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_priv: Option<String>,
    /// All its permissions by topic: others go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic_permissions: Option<Vec<TopicPermission>>,
    /// The node that is asked and told; the host's own if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Whether it is there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
}

/// What a user may do in a virtual host, as patterns for the names of queues and exchanges.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Permission {
    /// The virtual host.
    pub vhost: String,
    /// What it may make and delete; nothing if unset.
    #[serde(default = "nothing", alias = "configure")]
    pub configure_priv: String,
    /// What it may write to.
    #[serde(default = "nothing", alias = "write")]
    pub write_priv: String,
    /// What it may read from.
    #[serde(default = "nothing", alias = "read")]
    pub read_priv: String,
}

/// What a user may do with an exchange, as patterns for routing keys.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TopicPermission {
    /// The virtual host.
    pub vhost: String,
    /// The exchange; `amq.topic` if unset.
    #[serde(default = "topic")]
    pub exchange: String,
    /// What it may write.
    #[serde(default = "nothing", alias = "write")]
    pub write_priv: String,
    /// What it may read.
    #[serde(default = "nothing", alias = "read")]
    pub read_priv: String,
}

fn nothing() -> String {
    "^$".to_owned()
}

fn topic() -> String {
    "amq.topic".to_owned()
}

fn listed<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<String>>, D::Error> {
    comma_list(deserializer).map(Some)
}

/// What `register` gives.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Output {
    /// The user.
    pub user: String,
    /// Whether it is there.
    pub state: State,
}

/// What the broker knows of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Known {
    tags: BTreeSet<String>,
    /// Virtual host, configure, write, read.
    permissions: BTreeSet<[String; 4]>,
    /// Virtual host, exchange, write, read.
    topics: BTreeSet<[String; 4]>,
}

impl Known {
    fn of(told: &Told) -> Option<Self> {
        let Told::Of(value) = told else { return None };
        let rows = |at: usize| {
            value
                .get(at)
                .and_then(|rows| serde_json::from_value(rows.clone()).ok())
                .unwrap_or_default()
        };
        let tags = value
            .get(0)
            .and_then(|tags| serde_json::from_value(tags.clone()).ok())
            .unwrap_or_default();
        Some(Self {
            tags,
            permissions: rows(1),
            topics: rows(2),
        })
    }

    fn told(&self) -> Told {
        Told::Of(json!([self.tags, self.permissions, self.topics]))
    }
}

impl Args {
    fn ask(&self, what: What) -> Broker {
        Broker {
            node: self.node.clone(),
            what,
        }
    }

    /// The permissions that it is to have, where something is said about them.
    fn permissions(&self, now: &BTreeSet<[String; 4]>) -> Option<BTreeSet<[String; 4]>> {
        if let Some(all) = &self.permissions {
            let row = |one: &Permission| {
                [
                    &one.vhost,
                    &one.configure_priv,
                    &one.write_priv,
                    &one.read_priv,
                ]
                .map(Clone::clone)
            };
            return Some(all.iter().map(row).collect());
        }
        let said = [
            &self.vhost,
            &self.configure_priv,
            &self.write_priv,
            &self.read_priv,
        ];
        if said.iter().all(|one| one.is_none()) {
            return None;
        }
        let vhost = self.vhost.clone().unwrap_or_else(|| "/".to_owned());
        let [configure, write, read] = [&self.configure_priv, &self.write_priv, &self.read_priv]
            .map(|one| one.clone().unwrap_or_else(nothing));
        let others = now.iter().filter(|row| row[0] != vhost).cloned();
        Some(
            others
                .chain([[vhost.clone(), configure, write, read]])
                .collect(),
        )
    }

    fn topics(&self) -> Option<BTreeSet<[String; 4]>> {
        let row = |one: &TopicPermission| {
            [&one.vhost, &one.exchange, &one.write_priv, &one.read_priv].map(Clone::clone)
        };
        self.topic_permissions
            .as_ref()
            .map(|all| all.iter().map(row).collect())
    }
}

/// Who is noted as having done it.
const ACTOR: &str = "<<\"evenkeel\">>";

/// A change of what the broker knows of a user: what differs, as people read it, and what closes it.
struct Differences {
    changes: Vec<Change>,
    orders: Vec<String>,
}

impl Differences {
    fn add(&mut self, change: Change, orders: impl IntoIterator<Item = String>) {
        self.changes.push(change);
        self.orders.extend(orders);
    }

    fn tags(&mut self, name: &str, now: &BTreeSet<String>, wanted: &BTreeSet<String>) {
        if now == wanted {
            return;
        }
        let text = |tags: &BTreeSet<String>| {
            tags.iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(",")
        };
        let order = format!(
            "rabbit_auth_backend_internal:set_tags({}, [binary_to_atom(T, utf8) || T <- {}], {ACTOR})",
            binary(name),
            binaries(wanted)
        );
        self.add(Change::new("tags", text(now), text(wanted)), [order]);
    }

    /// Rows whose first `key` cells say what they are about. `what` is `permissions` or `topic_permissions`.
    fn rows(
        &mut self,
        name: &str,
        what: &str,
        key: usize,
        now: &BTreeSet<[String; 4]>,
        wanted: &BTreeSet<[String; 4]>,
    ) {
        let name = binary(name);
        let cells = |row: &[String]| row.iter().map(binary).collect::<Vec<_>>().join(", ");
        let shown = |row: &[String; 4]| row[key..].join(" ");
        let about =
            |row: &[String; 4]| format!("{} in {}", what.replace('_', " "), row[..key].join(" "));
        let same = |a: &[String; 4], b: &[String; 4]| a[..key] == b[..key];
        for row in wanted.difference(now) {
            let old = now.iter().find(|old| same(old, row));
            let order = format!(
                "rabbit_auth_backend_internal:set_{what}({name}, {}, {ACTOR})",
                cells(row)
            );
            self.add(Change::new(about(row), old.map(shown), shown(row)), [order]);
        }
        for row in now
            .iter()
            .filter(|old| !wanted.iter().any(|row| same(old, row)))
        {
            let order = format!(
                "rabbit_auth_backend_internal:clear_{what}({name}, {}, {ACTOR})",
                cells(&row[..key])
            );
            self.add(Change::new(about(row), shown(row), None::<&str>), [order]);
        }
    }
}

fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let (about, hash) = (
        args.ask(What::User(args.user.clone())),
        args.ask(What::Hash(args.user.clone())),
    );
    look.ask(&about);
    if args.password.is_some() {
        look.ask(&hash);
    }
    let wanted_vhosts = args
        .permissions(&BTreeSet::new())
        .into_iter()
        .chain(args.topics())
        .flatten();
    let vhosts: BTreeSet<String> = wanted_vhosts.map(|row| row[0].clone()).collect();
    let vhosts: Vec<Broker> = vhosts
        .into_iter()
        .map(|vhost| args.ask(What::Vhost(vhost)))
        .collect();
    if args.state == State::Present {
        for vhost in &vhosts {
            look.ask(vhost);
        }
    }
    let now = Known::of(look.get(&about)?);
    let name = binary(&args.user);
    let mut found = Differences {
        changes: Vec::new(),
        orders: Vec::new(),
    };
    let (mut after, mut secret) = (Told::Nothing, false);
    if args.state == State::Absent {
        if now.is_some() {
            let order = format!("rabbit_auth_backend_internal:delete_user({name}, {ACTOR})");
            found.add(
                Change::new("user", args.user.as_str(), None::<&str>),
                [order],
            );
        }
    } else {
        for vhost in &vhosts {
            if let (What::Vhost(vhost), Told::Nothing) = (&vhost.what, look.get(vhost)?) {
                return Err(NotYet(format!("the virtual host `{vhost}`")).into());
            }
        }
        secret = password(args, now.is_some(), &hash, look, &mut found)?;
        let now = now.unwrap_or_default();
        let mut wanted = now.clone();
        if let Some(tags) = &args.tags {
            wanted.tags = tags.iter().cloned().collect();
        }
        wanted.permissions = args
            .permissions(&now.permissions)
            .unwrap_or(wanted.permissions);
        wanted.topics = args.topics().unwrap_or(wanted.topics);
        found.tags(&args.user, &now.tags, &wanted.tags);
        found.rows(
            &args.user,
            "permissions",
            1,
            &now.permissions,
            &wanted.permissions,
        );
        found.rows(
            &args.user,
            "topic_permissions",
            2,
            &now.topics,
            &wanted.topics,
        );
        after = wanted.told();
    }
    in_one_order(args, found, (about, after), secret.then_some(hash))
}

/// All differences as one order, since each would start Erlang; `secret` is the hash, if the password is among them.
fn in_one_order(
    args: &Args,
    found: Differences,
    (about, after): (Broker, Told),
    secret: Option<Broker>,
) -> Result<Plan, Stop> {
    let Differences {
        mut changes,
        orders,
    } = found;
    let Some(last) = changes.pop() else {
        return Ok(changes.into());
    };
    let order = match &secret {
        Some(_) => rabbit::secret_order,
        None => rabbit::order,
    };
    let mut step = Step::from(order(args.node.as_ref(), &orders)).effect(Effect::new(about, after));
    if args.state == State::Absent {
        let hash = args.ask(What::Hash(args.user.clone()));
        step = step.effect(Effect::new(hash, Told::Nothing));
    } else if let (Some(hash), Some(password)) = (secret, &args.password) {
        // With another salt, but of the same password.
        let hash_then = rabbit::hash(password.get()?.bytes());
        step = step.effect(Effect::new(hash, hash_then));
    }
    changes.push(last.step(step));
    Ok(changes.into())
}

/// The user itself and its password; whether there is a secret among the orders then.
fn password(
    args: &Args,
    there: bool,
    hash: &Broker,
    look: &Look<'_>,
    found: &mut Differences,
) -> Result<bool, Stop> {
    let name = binary(&args.user);
    let Some(password) = &args.password else {
        if there {
            return Ok(false);
        }
        return Err(Refusal::new(format!(
            "a new user needs a password, and there is no user `{}`",
            args.user
        ))
        .help("give it a `password`, from a vault or the environment")
        .into());
    };
    if !there {
        let order = format!(
            "rabbit_auth_backend_internal:add_user({name}, {}, {ACTOR})",
            binary(password.get()?.bytes())
        );
        found.add(
            Change::new("user", None::<&str>, args.user.as_str()),
            [order],
        );
        return Ok(true);
    }
    if args.update_password == UpdatePassword::OnCreate {
        return Ok(false);
    }
    let bytes = password.get()?.bytes();
    let is_it = match look.get(hash)? {
        Told::Hash(hash, how) => rabbit::is_password(hash, how, bytes).ok_or_else(|| {
            Stop::from(
                Refusal::new(format!(
                    "nobody here can compare passwords that are stored by `{how}`"
                ))
                .help("say `update_password: on_create`"),
            )
        })?,
        _ => false,
    };
    if !is_it {
        let order = format!(
            "rabbit_auth_backend_internal:change_password({name}, {}, {ACTOR})",
            binary(bytes)
        );
        found.add(
            Change::new("password", evenkeel_engine::MASK, evenkeel_engine::MASK),
            [order],
        );
    }
    Ok(!is_it)
}

impl Module for RabbitmqUser {
    const NAME: &'static str = "rabbitmq-user";
    const ALIASES: &'static [&'static str] = &["rabbitmq_user", "community.rabbitmq.rabbitmq_user"];
    const ABOUT: &'static str = "keeps a user of RabbitMQ with its password, tags and permissions";
    const EXAMPLE: &'static str = "\
- rabbitmq-user:
    user: airflow
    password: \"{{ broker_password }}\"
    permissions:
      - {vhost: airflow, configure_priv: \".*\", write_priv: \".*\", read_priv: \".*\"}
";
    const CHANGED_WHEN: &'static str = "\
        The user is not there (or is, with `state: absent`), or its password, tags or permissions are others.";
    const LIMITS: &'static str = "\
        It asks the broker through the host's `rabbitmqctl`, as `root` or `rabbitmq`; not over HTTP. What the arguments say \
        nothing about stays as it is.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        rabbit::check_name("user", &args.user)?;
        rabbit::check_node(args.node.as_ref())?;
        let single = [
            &args.vhost,
            &args.configure_priv,
            &args.write_priv,
            &args.read_priv,
        ];
        if args.permissions.is_some() && single.iter().any(|one| one.is_some()) {
            return Err(Refusal::new(
                "`permissions` and the permissions of one `vhost` exclude each other",
            ));
        }
        let twice = |what: &str, names: Vec<String>| {
            let mut seen = BTreeSet::new();
            match names.into_iter().find(|name| !seen.insert(name.clone())) {
                Some(name) => Err(Refusal::new(format!("`{what}` names `{name}` twice"))),
                None => Ok(()),
            }
        };
        let vhosts = args
            .permissions
            .iter()
            .flatten()
            .map(|one| one.vhost.clone());
        twice("permissions", vhosts.collect())?;
        let topics = args
            .topic_permissions
            .iter()
            .flatten()
            .map(|one| format!("{} {}", one.vhost, one.exchange));
        twice("topic_permissions", topics.collect())?;
        match args
            .password
            .as_ref()
            .and_then(|password| password.get().ok())
        {
            Some(password) if password.bytes().is_empty() => Err(Refusal::new(
                "`password` is empty: RabbitMQ lets nobody in without one",
            )),
            _ => Ok(()),
        }
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide(args, &Look::new(seen))
    }

    fn output(args: &Args, _: &Seen, _: &[Done]) -> Result<Output, Stop> {
        Ok(Output {
            user: args.user.clone(),
            state: args.state,
        })
    }

    fn touches(_: &Args) -> Touches {
        Touches::writes([Thing::Object(rabbit::OBJECT.to_owned())])
            .reading([Thing::Unit("rabbitmq-server.service".to_owned())])
    }

    fn subject(args: &Args) -> String {
        args.user.clone()
    }
}
