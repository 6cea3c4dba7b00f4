//! Roles of PostgreSQL: what they may, their passwords and settings.

mod decide;
mod flags;

use std::collections::BTreeMap;

use evenkeel_engine::{
    Done, Late, Module, Plan, Probes, Refusal, Seen, Stop, Text, Touches, Value,
};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::{
    args::is_default,
    look::Look,
    many::{is_yes, yes},
    psql::{Login, Role, login::with_login, quote, step},
};
use flags::Flag;

pub use crate::presence::State;

/// The module `psql-user`.
#[derive(Debug)]
pub struct PsqlUser;

with_login! {
/// Arguments of `psql-user`.
pub struct Args {
    /// The role.
    #[serde(alias = "user")]
    pub name: String,
    /// Whether it is there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
    /// Its password, or what `pg_authid` keeps of one (`SCRAM-SHA-256$…`, `md5…`); an empty one
    /// takes it away. Only its hash goes to the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Late<Text>>,
    /// Leaves the password of a role that exists.
    #[serde(default, skip_serializing_if = "is_default")]
    pub no_password_changes: bool,
    /// What it may: `LOGIN`, `NOCREATEDB` …, with commas between. What is not named stays; a new
    /// role may log in.
    #[serde(default, deserialize_with = "flags::read", skip_serializing_if = "is_default")]
    pub role_attr_flags: Vec<Flag>,
    /// When its password runs out: a date, or `infinity`. Without a zone it is in that of the
    /// server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// How many sessions it may have; -1: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conn_limit: Option<i32>,
    /// Its comment; an empty one takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Its settings, as `work_mem: 16MB`.
    #[serde(default, deserialize_with = "settings", skip_serializing_if = "is_default")]
    pub configuration: BTreeMap<String, String>,
    /// Takes away settings that `configuration` does not name.
    #[serde(default, skip_serializing_if = "is_default")]
    pub reset_unspecified_configuration: bool,
    /// Whether it is an error that a role cannot be removed (the default).
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub fail_on_user: bool,
    /// Without effect: no server since PostgreSQL 10 keeps passwords as they are.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub encrypted: bool,
}
}

fn settings<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let map: BTreeMap<String, Value> = BTreeMap::deserialize(deserializer)?;
    let text = |(name, value): (String, Value)| {
        let text = match &value {
            Value::Bool(on) => Some(if *on { "on" } else { "off" }.to_owned()),
            value => value.as_text(),
        };
        let text = text.ok_or_else(|| D::Error::custom(format!("`{name}` is not a text")))?;
        Ok((name.to_lowercase(), text))
    };
    map.into_iter().map(text).collect()
}

/// What `register` gives.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Output {
    /// The role.
    pub user: String,
    /// The statements that ran, without secrets.
    pub queries: Vec<String>,
}

impl Module for PsqlUser {
    const NAME: &'static str = "psql-user";
    const ALIASES: &'static [&'static str] = &["postgresql_user"];
    const ABOUT: &'static str = "keeps a role of PostgreSQL with its password, rights and settings";
    const EXAMPLE: &'static str = "\
- psql-user:
    name: airflow
    password: change-me
    role_attr_flags: NOCREATEDB,NOSUPERUSER
  become: true
  become_user: postgres
";
    const CHANGED_WHEN: &'static str = "The role is not there, or its password, flags, limits, comment or settings are not as it says.";
    const LIMITS: &'static str = "\
        It needs `psql` on the host, and PostgreSQL 10 or newer. A password whose hash the login cannot \
        read (it needs a superuser) is set on each run. Rights on objects are no matter of this module. A role that owns \
        things or has rights is not removed.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        quote::check_name("name", &args.name)?;
        if ["public", "none"].contains(&args.name.as_str()) || args.name.starts_with("pg_") {
            return Err(
                Refusal::new(format!("`{}` cannot be the name of a role", args.name)).help(
                    "PostgreSQL keeps `public`, `none` and all that begins with `pg_` for itself",
                ),
            );
        }
        if args.conn_limit.is_some_and(|limit| limit < -1) {
            return Err(Refusal::new(
                "`conn_limit` is a number of sessions, or -1 for any",
            ));
        }
        if let Some(Late::Known(password)) = &args.password
            && password.bytes().contains(&0)
        {
            return Err(Refusal::new("`password` contains a NUL"));
        }
        for name in args.configuration.keys() {
            let fits = |c: char| c.is_ascii_alphanumeric() || "_.".contains(c);
            if name.is_empty() || !name.chars().all(fits) {
                return Err(Refusal::new(format!(
                    "`configuration`: `{name}` is no name of a setting"
                )));
            }
        }
        flags::check(&args.role_attr_flags)?;
        if !args.trust_input {
            quote::check_trust("name", &args.name.as_str().into())?;
            for (what, text) in [("comment", &args.comment), ("expires", &args.expires)] {
                let text = text.clone().unwrap_or_default();
                quote::check_trust(what, &text.into())?;
            }
            for (name, value) in &args.configuration {
                quote::check_trust(name, &value.as_str().into())?;
            }
            if let Some(Late::Known(password)) = &args.password {
                quote::check_trust("password", password)?;
            }
        }
        args.login().check()
    }

    fn doubts(args: &Args) -> Vec<Refusal> {
        if args.encrypted {
            return Vec::new();
        }
        vec![
            Refusal::new("`encrypted: false` has no effect: no server since PostgreSQL 10 keeps passwords as they are")
                .help("leave it out"),
        ]
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide::plan(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide::plan(args, &Look::new(seen))
    }

    fn output(args: &Args, _: &Seen, done: &[Done]) -> Result<Output, Stop> {
        Ok(Output {
            user: args.name.clone(),
            queries: step::said(done),
        })
    }

    fn touches(args: &Args) -> Touches {
        let login = args.login();
        let role = login.object("role", &args.name);
        let reads = [login.object("settings", ""), login.object("rights", "")];
        Touches::writes([login.order(), role])
            .reading(reads)
            .reading(Login::units())
    }

    fn subject(args: &Args) -> String {
        args.name.clone()
    }
}

impl Args {
    /// What becomes of a new role that nothing is said of.
    fn fresh() -> Role {
        Role {
            inherit: true,
            login: true,
            conn_limit: -1,
            readable: true,
            ..Role::default()
        }
    }
}
