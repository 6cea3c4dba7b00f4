//! What the databases of a host say.

use evenkeel_engine::{
    Done, Map, Module, Nature, NotYet, Plan, Probes, Refusal, Seen, Stop, Thing, Touches, Value,
    ask, probes::Ask,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::many::{is_yes, yes};

/// The module `getent`.
#[derive(Debug)]
pub struct Getent;

/// Arguments of `getent`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// `passwd`, `group`, `hosts`, `services` …
    pub database: String,
    /// One entry; all if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Where it is looked for, as `files`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// What parts an entry: `:` for users and groups, else space.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// Whether an entry that is not there is a failure (the default).
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub fail_key: bool,
}

/// What `register` gives.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Output {
    /// `getent_DATABASE`: a map of entries, each the list of its parts, or nothing if it is not there.
    pub ansible_facts: Map,
}

impl Module for Getent {
    const NAME: &'static str = "getent";
    const ALIASES: &'static [&'static str] = &["ansible.builtin.getent", "ansible.legacy.getent"];
    const NATURE: Nature = Nature::Passive;
    const ABOUT: &'static str = "asks the databases of a host: users, groups, hosts, services";
    const EXAMPLE: &'static str = "\
- getent:
    database: passwd
    key: root
";
    const CHANGED_WHEN: &'static str = "Never.";
    const LIMITS: &'static str = "\
        What it finds is in the registered result, not in variables of the host.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let name = &args.database;
        if name.is_empty() || !name.chars().all(word) {
            return Err(Refusal::new(format!("`{name}` is no name of a database")));
        }
        if args
            .key
            .as_deref()
            .is_some_and(|key| key.is_empty() || key.starts_with('-'))
        {
            return Err(Refusal::new("`key` is empty, or begins with `-`"));
        }
        if args.split.as_deref() == Some("") {
            return Err(Refusal::new("`split` is empty"));
        }
        Ok(())
    }

    fn observe(args: &Args, _: &Seen) -> Probes {
        vec![ask(args.question())]
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        entries(args, seen)?;
        Ok(Plan::nothing())
    }

    fn output(args: &Args, after: &Seen, _: &[Done]) -> Result<Output, Stop> {
        let name = format!("getent_{}", args.database);
        let ansible_facts = Map::from_iter([(name, Value::Map(entries(args, after)?))]);
        Ok(Output { ansible_facts })
    }

    fn touches(_: &Args) -> Touches {
        Touches::nothing()
    }

    fn subject(args: &Args) -> String {
        let key = args.key.as_deref().unwrap_or_default();
        format!("{} {key}", args.database).trim().to_owned()
    }
}

impl Args {
    fn question(&self) -> Ask {
        let mut argv = vec!["getent".to_owned()];
        argv.extend(
            self.service
                .iter()
                .flat_map(|service| ["-s".to_owned(), service.clone()]),
        );
        argv.push(self.database.clone());
        argv.extend(self.key.clone());
        let key = self.key.clone().unwrap_or_default();
        // Who makes a user or a group comes before.
        let reads = match (self.database.as_str(), &self.key) {
            ("passwd" | "shadow", Some(_)) => vec![Thing::User(key)],
            ("group" | "gshadow", Some(_)) => vec![Thing::Group(key)],
            _ => vec![Thing::Everything],
        };
        Ask::new(argv).reading(reads)
    }
}

fn entries(args: &Args, seen: &Seen) -> Result<Map, Stop> {
    let answer = seen.get(&args.question())?;
    let key = args.key.as_deref();
    let database = &args.database;
    match answer.status {
        0 => {}
        1 => {
            return Err(Stop::refused(format!(
                "`{database}` is no database that `getent` knows"
            )));
        }
        2 if !args.fail_key => {
            let missing = key.map(|key| (key.to_owned(), Value::Null));
            return Ok(missing.into_iter().collect());
        }
        // An earlier task may make it.
        2 => {
            let key = key.unwrap_or_default();
            return Err(NotYet(format!("the entry `{key}` of `{database}`")).into());
        }
        3 => {
            return Err(Stop::refused(format!(
                "`{database}` cannot be listed: give a `key`"
            )));
        }
        127 => return Err(NotYet::new("the program `getent`").into()),
        other => {
            return Err(Stop::refused(format!(
                "`getent {database}` ended with {other}"
            )));
        }
    }
    let colon = matches!(database.as_str(), "passwd" | "shadow" | "group" | "gshadow");
    let mut found = Map::new();
    for line in answer.stdout.lines().filter(|line| !line.is_empty()) {
        let parts: Vec<&str> = match args.split.as_deref() {
            Some(split) => line.split(split).collect(),
            None if colon => line.split(':').collect(),
            None => line.split_whitespace().collect(),
        };
        let Some((name, parts)) = parts.split_first() else {
            continue;
        };
        // Several lines of one name are one entry, a list of lists.
        let parts: Vec<Value> = parts.iter().map(|part| Value::from(*part)).collect();
        match found.get_mut(*name) {
            None => {
                found.insert((*name).to_owned(), Value::Seq(parts));
            }
            Some(Value::Seq(known)) if matches!(known.first(), Some(Value::Seq(_))) => {
                known.push(Value::Seq(parts));
            }
            Some(known) => *known = Value::Seq(vec![known.clone(), Value::Seq(parts)]),
        }
    }
    Ok(found)
}
