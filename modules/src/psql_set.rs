//! Settings of a server of PostgreSQL.

mod decide;
mod value;

use std::collections::BTreeMap;

use evenkeel_engine::{
    Done, Module, Plan, Probes, Refusal, Secret, Seen, Stop, Text, Touches, Value,
};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::{
    args::is_default,
    look::Look,
    psql::{Login, guc, login::with_login, quote, step},
};

/// The module `psql-set`.
#[derive(Debug)]
pub struct PsqlSet;

with_login! {
/// Arguments of `psql-set`.
pub struct Args {
    /// The setting, as `work_mem`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its value, with a unit where it has one, as `16MB`. `default` is as `reset`.
    #[serde(default, deserialize_with = "one", skip_serializing_if = "Option::is_none")]
    pub value: Option<Text>,
    /// Takes away what this module (`ALTER SYSTEM`) has set: then `postgresql.conf` counts, or else
    /// the default of the server.
    #[serde(default, skip_serializing_if = "is_default")]
    pub reset: bool,
    /// Several settings at once, as `work_mem: 16MB`.
    #[serde(default, deserialize_with = "many", skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, Text>,
}
}

/// A value as the server takes it: yes is `on`, a list has commas.
fn text(value: &Value) -> Option<Text> {
    match value {
        Value::Bool(on) => Some(if *on { "on" } else { "off" }.into()),
        Value::Seq(items) => {
            let texts: Option<Vec<Text>> = items.iter().map(text).collect();
            let texts = texts?;
            let secret = texts.iter().any(Text::is_secret);
            let bytes = texts
                .iter()
                .map(Text::bytes)
                .collect::<Vec<_>>()
                .join(&b", "[..]);
            Some(if secret {
                Text::Secret(Secret::new(bytes))
            } else {
                String::from_utf8_lossy(&bytes).into_owned().into()
            })
        }
        Value::Secret(secret) => Some(Text::Secret(secret.clone())),
        value => value.as_text().map(Into::into),
    }
}

fn one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Text>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        value => text(&value)
            .map(Some)
            .ok_or_else(|| D::Error::custom("it is not a text")),
    }
}

fn many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Text>, D::Error> {
    let map: BTreeMap<String, Value> = BTreeMap::deserialize(deserializer)?;
    let one = |(name, value): (String, Value)| match text(&value) {
        Some(text) => Ok((name, text)),
        None => Err(D::Error::custom(format!("`{name}` is not a text"))),
    };
    map.into_iter().map(one).collect()
}

/// What `register` gives.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Output {
    /// The setting, where `name` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether the server waits for a restart with one of them.
    pub restart_required: bool,
    /// Each setting.
    pub settings: BTreeMap<String, Now>,
    /// The statements that ran.
    pub executed_commands: Vec<String>,
}

/// A setting afterwards.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
pub struct Now {
    /// What the files of the server say, or its default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// When it can be changed: `postmaster` (with a restart), `sighup`, `user` …
    pub context: String,
    /// Whether the server waits for a restart with it.
    pub restart_required: bool,
}

/// One setting that is wanted; nothing: not set by this module.
#[derive(Clone, Copy, Debug)]
struct Wish<'a> {
    name: &'a str,
    value: Option<&'a Text>,
}

impl Args {
    fn wishes(&self) -> Vec<Wish<'_>> {
        let kept = |text: &&Text| !text.bytes().eq_ignore_ascii_case(b"default");
        let single = self.name.iter().map(|name| Wish {
            name,
            value: self.value.as_ref().filter(kept),
        });
        let many = self.settings.iter().map(|(name, text)| Wish {
            name,
            value: Some(text).filter(kept),
        });
        single.chain(many).collect()
    }
}

/// Names that `ALTER SYSTEM` does not take.
const NOT_THERE: [&str; 2] = ["config_file", "data_directory"];

fn check_name(name: &str) -> Result<(), Refusal> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$');
    let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !first || !name.chars().all(plain) || name.ends_with('.') || name.contains("..") {
        return Err(Refusal::new(format!("`{name}` is no name of a setting"))
            .help("as `work_mem`, or `auto_explain.log_analyze` for one of a library"));
    }
    if NOT_THERE.contains(&name.to_lowercase().as_str()) {
        return Err(
            Refusal::new(format!("`{name}` cannot be set by the server itself"))
                .help("it is an argument of the server when it starts, or in `postgresql.conf`"),
        );
    }
    Ok(())
}

fn check_value(args: &Args, wish: &Wish<'_>) -> Result<(), Refusal> {
    let Some(value) = wish.value else {
        return Ok(());
    };
    if value
        .bytes()
        .iter()
        .any(|byte| matches!(byte, b'\n' | b'\r' | 0))
    {
        return Err(
            Refusal::new(format!("the value of `{}` is not one line", wish.name))
                .help("PostgreSQL keeps a setting in a line of its file"),
        );
    }
    if value.is_secret() {
        let what = format!(
            "the value of `{}` is a secret, and PostgreSQL writes each new value into its log",
            wish.name
        );
        return Err(Refusal::new(what)
            .help("keep the secret in a file that the setting names, as `passfile=/path` does"));
    }
    if !args.trust_input {
        quote::check_trust(wish.name, value)?;
    }
    if guc::is_list(&wish.name.to_lowercase()) && value.bytes().is_empty() {
        let what = format!(
            "`{}` is empty, which the server would read as a list of one empty name",
            wish.name
        );
        return Err(Refusal::new(what).help("`default` takes it away"));
    }
    Ok(())
}

impl Module for PsqlSet {
    const NAME: &'static str = "psql-set";
    const ALIASES: &'static [&'static str] = &["postgresql_set"];
    const ABOUT: &'static str = "keeps settings of a server of PostgreSQL (`ALTER SYSTEM`)";
    const EXAMPLE: &'static str = "\
- name: the server listens to the cluster
  psql-set:
    settings:
      listen_addresses: localhost, 10.77.88.1
      work_mem: 16MB
  become: true
  become_user: postgres
  register: set
- name: what needs a restart has one
  systemd-unit:
    name: postgresql
    state: restarted
  when: set.restart_required
";
    const CHANGED_WHEN: &'static str = "\
        What the server's files say of a setting is another value (`128MB` is `131072kB`), or the server has not \
        read what is there.";
    const LIMITS: &'static str = "\
        The login must be a superuser's. The server reads its files again, and with them all else that is new \
        there; what needs a restart is not restarted, but told as `restart_required`. What is set on the server's \
        command line, and values that are out of range, are refused before anything is changed; several settings \
        are not changed as one: those before one that the server refuses stay. PostgreSQL writes new values into its log, so a secret is refused. Settings of a role are \
        `configuration` of `psql-user`.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        let one = args.name.is_some() || args.value.is_some() || args.reset;
        if one && !args.settings.is_empty() {
            return Err(Refusal::new(
                "`settings` excludes `name`, `value` and `reset`",
            ));
        }
        if args.settings.is_empty() {
            if args.name.is_none() {
                return Err(Refusal::new("one of `name` and `settings` is needed"));
            }
            if args.value.is_some() == args.reset {
                return Err(Refusal::new("one of `value` and `reset` is needed"));
            }
        }
        let wishes = args.wishes();
        for (at, wish) in wishes.iter().enumerate() {
            check_name(wish.name)?;
            check_value(args, wish)?;
            let twice = wishes[..at]
                .iter()
                .find(|other| other.name.eq_ignore_ascii_case(wish.name));
            if let Some(other) = twice {
                let what = format!("`{}` and `{}` are one setting", other.name, wish.name);
                return Err(Refusal::new(what));
            }
        }
        args.login().check()
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide::plan(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide::plan(args, &Look::new(seen))
    }

    fn output(args: &Args, after: &Seen, done: &[Done]) -> Result<Output, Stop> {
        decide::output(args, after, step::said(done))
    }

    fn touches(args: &Args) -> Touches {
        let login = args.login();
        let mut writes = vec![login.order(), login.object("files to be read", "")];
        for wish in args.wishes() {
            let name = wish.name.to_lowercase();
            // What other modules ask of the server in general.
            if ["password_encryption", "default_transaction_read_only"].contains(&name.as_str()) {
                writes.push(login.object("settings", ""));
            }
            writes.push(login.object("setting", &name));
        }
        let reads = vec![
            login.object("settings", ""),
            login.object("role", login.role.as_ref().unwrap_or(&login.user)),
        ];
        Touches::writes(writes)
            .reading(reads)
            .reading(Login::units())
    }

    fn subject(args: &Args) -> String {
        let names: Vec<&str> = args.wishes().iter().map(|wish| wish.name).collect();
        names.join(", ")
    }
}
