//! Databases of PostgreSQL.

mod decide;
mod dump;

use evenkeel_engine::{Done, Module, Plan, Probes, Refusal, Seen, Stop, Thing, Touches};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    args::is_default,
    look::Look,
    psql::{Login, login::with_login, quote, step},
};

/// The module `psql-db`.
#[derive(Debug)]
pub struct PsqlDb;

with_login! {
/// Arguments of `psql-db`.
pub struct Args {
    /// The database.
    pub name: String,
    /// Whether it is there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
    /// Its owner. Since PostgreSQL 15 only the owner may make tables in its schema `public`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// How its texts are kept, as `UTF8`; it cannot be changed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// How its texts are ordered, as `C.UTF-8`; it cannot be changed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lc_collate: Option<String>,
    /// What is a letter in it, as `C.UTF-8`; it cannot be changed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lc_ctype: Option<String>,
    /// The database that a new one is a copy of; one with another encoding or order needs
    /// `template0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// How many sessions it may have; -1: any number.
    #[serde(default, deserialize_with = "limit", skip_serializing_if = "Option::is_none")]
    pub conn_limit: Option<i32>,
    /// Where it is kept; a move needs that nobody is connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tablespace: Option<String>,
    /// Its comment; an empty one takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// With `state: absent`: ends the sessions of others.
    #[serde(default, skip_serializing_if = "is_default")]
    pub force: bool,
    /// With `state: rename`: its new name. With `dump` and `restore`: the file, with its whole path. It is SQL, or by
    /// the ending of its name packed SQL (`.gz`, `.bz2`, `.xz`, `.zst`), or an archive of `pg_dump` (`.pgc`,
    /// `.tar`, or `.dir` for a directory).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// With `state: dump` and `restore`: more options for `pg_dump`, `pg_restore` or `psql`.
    #[serde(
        default,
        alias = "dump_extra_args",
        alias = "restore_extra_args",
        skip_serializing_if = "Option::is_none"
    )]
    pub target_opts: Option<String>,
}
}

/// What becomes of a database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is there.
    #[default]
    Present,
    /// It is not.
    Absent,
    /// It has the name `target`.
    Rename,
    /// It is written to the file `target`, each time.
    Dump,
    /// It gets what the file `target` holds, each time.
    Restore,
}

/// A number, were it in quotes.
fn limit<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<i32>, D::Error> {
    let value: Option<evenkeel_engine::Value> = Option::deserialize(deserializer)?;
    let Some(text) = value.and_then(|value| value.as_text()) else {
        return Ok(None);
    };
    let number = text.trim().parse().ok().filter(|limit| *limit >= -1);
    let wrong = || serde::de::Error::custom("it is a number of sessions, or -1 for any");
    number.map(Some).ok_or_else(wrong)
}

/// What `register` gives.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Output {
    /// The database.
    pub db: String,
    /// The statements that ran.
    pub executed_commands: Vec<String>,
}

impl Module for PsqlDb {
    const NAME: &'static str = "psql-db";
    const ALIASES: &'static [&'static str] = &["postgresql_db"];
    const ABOUT: &'static str = "keeps a database of PostgreSQL";
    const EXAMPLE: &'static str = "\
- psql-db:
    name: airflow
    owner: airflow
    encoding: UTF8
    template: template0
  become: true
  become_user: postgres
";
    const CHANGED_WHEN: &'static str = "The database is not there, or its owner, limit, comment, tablespace or name is not as it says. `dump` and \
        `restore` always do.";
    const LIMITS: &'static str = "\
        It needs `psql` on the host. Encoding and order of a database that exists cannot be changed, and are \
        refused. What a dump or the database holds is not compared: both are made again each time; a dump takes its place \
        when it is whole, can be read by who runs the task alone, and is restored in one transaction.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        let mut names = vec![("name", Some(&args.name))];
        names.extend([
            ("owner", args.owner.as_ref()),
            ("template", args.template.as_ref()),
            ("tablespace", args.tablespace.as_ref()),
        ]);
        if args.state == State::Rename {
            names.push(("target", args.target.as_ref()));
        }
        for (what, name) in names {
            let Some(name) = name else { continue };
            quote::check_name(what, name)?;
            if !args.trust_input {
                quote::check_trust(what, &name.as_str().into())?;
            }
        }
        if args.state == State::Rename && args.target.is_none() {
            return Err(Refusal::new("`state: rename` needs `target`, the new name"));
        }
        match args.state {
            State::Dump | State::Restore => dump::check(args)?,
            State::Rename => {}
            _ if args.target.is_some() => {
                return Err(Refusal::new(
                    "`target` needs `state: rename`, `dump` or `restore`",
                ));
            }
            _ => {}
        }
        if args.target_opts.is_some() && !matches!(args.state, State::Dump | State::Restore) {
            return Err(Refusal::new(
                "`target_opts` needs `state: dump` or `restore`",
            ));
        }
        let texts = [
            &args.encoding,
            &args.lc_collate,
            &args.lc_ctype,
            &args.comment,
        ];
        if texts.into_iter().flatten().any(|text| text.contains('\0')) {
            return Err(Refusal::new("a text contains a NUL"));
        }
        if args.state == State::Absent && args.login().database == args.name {
            return Err(Refusal::new(format!(
                "`{}` cannot be removed by a login to itself",
                args.name
            ))
            .help("leave out `login_db`, or name another database there"));
        }
        args.login().check()
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide(args, &Look::new(seen))
    }

    fn output(args: &Args, _: &Seen, done: &[Done]) -> Result<Output, Stop> {
        Ok(Output {
            db: args.name.clone(),
            executed_commands: step::said(done),
        })
    }

    fn touches(args: &Args) -> Touches {
        let login = args.login();
        match args.state {
            State::Dump => {
                // All that a database holds.
                let file = args.target.clone().unwrap_or_default();
                return Touches::writes([Thing::Tree(file), login.order()])
                    .reading([Thing::Everything])
                    .reading(Login::units());
            }
            State::Restore => return Touches::everything(),
            _ => {}
        }
        let mut writes = vec![login.order(), login.object("database", &args.name)];
        writes.extend(
            args.target
                .iter()
                .map(|name| login.object("database", name)),
        );
        writes.push(login.object("sessions of database", &args.name));
        // What roles own and may.
        writes.push(login.object("rights", ""));
        let template = args.template.as_deref().unwrap_or("template1");
        let mut reads = vec![
            login.object("settings", ""),
            login.object("database", template),
        ];
        reads.extend(
            [&args.owner]
                .into_iter()
                .flatten()
                .map(|name| login.object("role", name)),
        );
        reads.push(login.object("role", login.role.as_ref().unwrap_or(&login.user)));
        reads.extend(
            args.tablespace
                .iter()
                .map(|name| login.object("tablespace", name)),
        );
        Touches::writes(writes)
            .reading(reads)
            .reading(Login::units())
    }

    fn subject(args: &Args) -> String {
        args.name.clone()
    }
}

fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    match args.state {
        State::Dump => dump::dump(args, look),
        State::Restore => dump::restore(args, look),
        _ => decide::plan(args, look),
    }
}
