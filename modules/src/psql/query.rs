//! SQL of the user's, through the host's `psql`.

mod answer;
mod decide;
mod fill;
mod lasting;
mod lex;
mod reading;
mod rehearsing;
mod result;
mod script;
mod statement;

use evenkeel_engine::{
    Done, Late, Module, Nature, Plan, Probes, Refusal, Seen, Stop, Text, Touches, Value,
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

use super::{login::with_login, quote};
use crate::{args::is_default, look::Look, many::one_or_many};

pub use answer::Set;
pub use reading::{Read, Reading};
pub use rehearsing::Rehearsing;
pub use result::Output;

/// The module `psql`.
#[derive(Debug)]
pub struct Psql;

with_login! {
/// Arguments of `psql`.
pub struct Args {
    /// SQL, or a list of it; each may be several statements. `%s` and `%(name)s` outside of texts and comments
    /// stand for values of `positional_args` and `named_args`; beside those, `%%` is a `%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<Late<Queries>>,
    /// A value for each `%s`: texts, numbers, truths, null; lists become arrays, maps `jsonb`. Each of several
    /// queries gets all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<serde_json::Value>>")]
    pub positional_args: Option<Late<Value>>,
    /// The values for `%(name)s`, also of `unless` and `onlyif`. One whose name has `password`, `secret` or `token`
    /// in it is kept out of the server's log, as secrets are, where the login may do that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<std::collections::BTreeMap<String, serde_json::Value>>")]
    pub named_args: Option<Late<Value>>,
    /// Does not run if one of these queries answers with a row whose first column is not null, false or 0. They run
    /// at each look at the host, in check mode too, in a transaction that can only read.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "is_default")]
    pub unless: Vec<String>,
    /// Does not run if one of these queries answers otherwise than with such a row. As `unless`, they only read.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "is_default")]
    pub onlyif: Vec<String>,
    /// Makes each statement a transaction of its own, as `VACUUM` and `CREATE DATABASE` need it. Otherwise all are
    /// one: if one fails, nothing is kept.
    #[serde(default, skip_serializing_if = "is_default")]
    pub autocommit: bool,
    /// The schemas in which names are looked for, in this order.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "is_default")]
    pub search_path: Vec<String>,
    /// Whether it may take long: then it runs detached from the connection, beside other work.
    #[serde(default, skip_serializing_if = "is_default")]
    pub long: bool,
    /// Time limit in seconds; an hour if unset, none for a `long` one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    /// Without effect: all goes to the server as UTF-8, and it knows what it keeps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// Without effect: each statement is told by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_single_query: Option<bool>,
    /// Refused: see `query`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_to_script: Option<String>,
}
}

/// One text of SQL, or several.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Queries(pub Vec<Text>);

impl<'de> Deserialize<'de> for Queries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts: Vec<Text> = one_or_many(deserializer)?;
        if texts.is_empty() {
            return Err(de::Error::custom("there is no query in it"));
        }
        Ok(Self(texts))
    }
}

impl JsonSchema for Queries {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Vec::<String>::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Vec::<String>::json_schema(generator)
    }
}

impl Module for Psql {
    const NAME: &'static str = "psql";
    const ALIASES: &'static [&'static str] = &["postgresql_query"];
    const NATURE: Nature = Nature::Command;
    const ABOUT: &'static str = "runs SQL in a database of PostgreSQL";
    const EXAMPLE: &'static str = "\
- name: the pool is there
  psql:
    login_db: airflow
    query: INSERT INTO slot_pool (pool, slots) VALUES (%(pool)s, %(slots)s)
    named_args:
      pool: etl
      slots: 16
    unless: SELECT 1 FROM slot_pool WHERE pool = %(pool)s
  become: true
  become_user: postgres
- name: how many pools there are
  psql:
    login_db: airflow
    query: SELECT count(*) AS pools FROM slot_pool
  become: true
  become_user: postgres
  register: pools
";
    const CHANGED_WHEN: &'static str = "\
        A statement ran that may change something: `INSERT`, `UPDATE`, `DELETE`, `MERGE` and `COPY` if they count a \
        row, all others in any case. Never by `SELECT`, `VALUES`, `TABLE`, `SHOW`, `EXPLAIN`, nor by what concerns \
        only the session (`SET`, `LOCK`, a cursor).";
    const LIMITS: &'static str = "\
        It needs `psql` 11 or newer on the host. A query that can only read (it calls no function but well-known ones) \
        runs in a transaction that can only read, in check mode too, so that its answer is known there. All others are \
        rehearsed in check mode: they run in a transaction that is taken back, checks that are put off until its end \
        too, so that what they would do, or why they would fail, is known. What no transaction takes back happens \
        there as well: a sequence that gives numbers to new rows (`serial`, `identity`) goes on, as it does in a \
        transaction that fails, and functions of yours do what they do outside of the database; rows and tables are \
        locked meanwhile, for at most 10 s a statement and 30 s in all. Not rehearsed, so unknown, are `autocommit`, `COPY`, \
        `nextval`, `setval`, `dblink`, `lo_export` and functions of the server that act beyond the transaction; what an \
        earlier task would change; what waits more than 2 s for a lock or takes longer than that. Without `unless` or \
        `onlyif` it runs again each time. Commands of psql (`\\d`, `\\copy`) and `COPY` from `STDIN` or to `STDOUT` are refused; a file of SQL is \
        read by `lookup('file', …)`. At most 1 MiB of rows is told. Numbers, truths, null, JSON and arrays of them \
        come as what they are, all else (dates, intervals) as text; a number with more than 17 digits comes as text.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        if args.path_to_script.is_some() {
            return Err(Refusal::new("`path_to_script` is not read")
                .help("write `query: \"{{ lookup('file', 'NAME.sql') }}\"`"));
        }
        if args.query.is_none() {
            return Err(Refusal::new("there is no `query`").help("say in it what to run"));
        }
        for name in &args.search_path {
            quote::check_name("search_path", name)?;
        }
        if args.timeout == Some(0) {
            return Err(Refusal::new("`timeout: 0` leaves no time"));
        }
        if let (false, Some(role)) = (args.trust_input, &args.session_role) {
            quote::check_trust("session_role", &role.as_str().into())?;
        }
        args.login().check()?;
        decide::check(args)
    }

    fn doubts(args: &Args) -> Vec<Refusal> {
        decide::doubts(args)
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide::plan(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide::plan(args, &Look::new(seen))
    }

    fn output(args: &Args, after: &Seen, done: &[Done]) -> Result<Output, Stop> {
        result::output(args, &Look::new(after), done)
    }

    fn touches(args: &Args) -> Touches {
        if decide::only_reads(args) {
            return Touches::nothing();
        }
        Touches::everything()
    }

    fn subject(args: &Args) -> String {
        let database = args.login().database;
        format!("{database}: {}", decide::shown(args))
    }
}
