//! Rights of roles on what is in PostgreSQL.

mod decide;
mod grants;
mod kind;
mod places;

use evenkeel_engine::{Done, Module, Plan, Probes, Refusal, Seen, Stop, Touches};
use serde::{Deserialize, Serialize};

use crate::{
    args::is_default,
    look::Look,
    many::{is_yes, yes},
    psql::{Login, Question, login::with_login, quote, step},
};
pub use kind::Kind;

pub use crate::presence::State;

/// The module `psql-privs`.
#[derive(Debug)]
pub struct PsqlPrivs;

with_login! {
/// Arguments of `psql-privs`.
pub struct Args {
    /// What the rights are on.
    #[serde(default, rename = "type", skip_serializing_if = "is_default")]
    pub kind: Kind,
    /// The things, a list or with commas between; a routine with the types of its arguments, as `f(int:text)`;
    /// `ALL_IN_SCHEMA` for all tables, sequences, functions or procedures of `schema`. For `default_privs`:
    /// `TABLES`, `SEQUENCES`, `FUNCTIONS`, `TYPES`, `SCHEMAS`, or `ALL_DEFAULT`; for `group`: the roles that
    /// `roles` are members of; for `database`: `login_db` if unset.
    #[serde(default, alias = "obj", deserialize_with = "kind::names", skip_serializing_if = "is_default")]
    pub objs: Vec<String>,
    /// The schema they are in; `public` if unset. For `default_privs`: all, if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// The rights, in any case, with commas between, or `ALL`.
    #[serde(default, alias = "priv", deserialize_with = "kind::read", skip_serializing_if = "is_default")]
    pub privs: Vec<String>,
    /// The roles that have them, a list or with commas between; `PUBLIC` is everybody, `SESSION_USER` who logs in.
    #[serde(alias = "role", deserialize_with = "kind::names")]
    pub roles: Vec<String>,
    /// Whether the roles may pass the rights on; left as it is if unset. With `state: absent` and `true` only that is
    /// taken away.
    #[serde(default, alias = "admin_option", skip_serializing_if = "Option::is_none")]
    pub grant_option: Option<bool>,
    /// Whether they have them.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
    /// With `type: default_privs`: the roles whose things of the future are meant.
    #[serde(default, deserialize_with = "kind::names", skip_serializing_if = "is_default")]
    pub target_roles: Vec<String>,
    /// Whether a role that is not there is an error (the default); else it is passed over with a warning.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub fail_on_role: bool,
}
}

/// What `register` gives.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Output {
    /// The statements that ran.
    pub queries: Vec<String>,
}

impl Module for PsqlPrivs {
    const NAME: &'static str = "psql-privs";
    const ALIASES: &'static [&'static str] = &["postgresql_privs"];
    const ABOUT: &'static str = "keeps rights of roles in PostgreSQL";
    const EXAMPLE: &'static str = "\
- psql-privs:
    login_db: airflow
    type: schema
    objs: public
    privs: ALL
    roles: airflow
  become: true
  become_user: postgres
";
    const CHANGED_WHEN: &'static str = "A right is missing that is wanted, or there that is not.";
    const LIMITS: &'static str = "\
        It needs `psql` on the host, and PostgreSQL 11 or newer. Rights on single columns and on large objects are \
        not there. A right that another role gave is not taken away: that is told. Nothing is taken away from \
        others with it (there is no `CASCADE`): that is refused. With `state: absent`, what or who is not there has no \
        rights. With `default_privs` rights are added to what there is; `target_roles` has to be said.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        kind::check(args)?;
        let mut names: Vec<(&str, &String)> =
            args.roles.iter().map(|name| ("roles", name)).collect();
        names.extend(args.target_roles.iter().map(|name| ("target_roles", name)));
        names.extend(args.schema.iter().map(|name| ("schema", name)));
        // The types of a routine are more than a name.
        let routine = matches!(args.kind, Kind::Function | Kind::Procedure);
        names.extend(
            args.objs
                .iter()
                .filter(|_| !routine)
                .map(|name| ("objs", name)),
        );
        for (what, name) in &names {
            quote::check_name(what, name)?;
        }
        if args.objs.iter().any(|name| name.contains('\0')) {
            return Err(Refusal::new("`objs` contains a NUL"));
        }
        names.extend(
            args.objs
                .iter()
                .filter(|_| routine)
                .map(|name| ("objs", name)),
        );
        if !args.trust_input {
            for (what, name) in names {
                quote::check_trust(what, &name.as_str().into())?;
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

    fn output(_: &Args, _: &Seen, done: &[Done]) -> Result<Output, Stop> {
        Ok(Output {
            queries: step::said(done),
        })
    }

    fn touches(args: &Args) -> Touches {
        let login = args.at();
        let mut writes = vec![login.order(), login.object("rights", "")];
        for place in places::places(args) {
            match place.question {
                Question::Kept(kept) => writes.extend(kept.things(&login, true)),
                _ => writes.extend(
                    args.databases()
                        .iter()
                        .map(|name| login.object("database", name)),
                ),
            }
        }
        let mut reads = vec![
            login.object("settings", ""),
            login.object("database", &login.database),
        ];
        reads.extend(
            args.roles
                .iter()
                .chain(&args.target_roles)
                .map(|name| login.object("role", name)),
        );
        if args.kind == Kind::Group {
            reads.extend(args.objs.iter().map(|name| login.object("role", name)));
        }
        Touches::writes(writes)
            .reading(reads)
            .reading(Login::units())
    }

    fn subject(args: &Args) -> String {
        args.roles.join(", ")
    }
}

impl Args {
    /// The databases that rights are on.
    fn databases(&self) -> Vec<String> {
        if self.objs.is_empty() {
            self.login_db.clone().into_iter().collect()
        } else {
            self.objs.clone()
        }
    }

    /// Where it logs in: not to the database itself if the rights are on that, as it may not be there yet.
    fn at(&self) -> Login {
        let mut login = self.login();
        if self.kind == Kind::Database && self.databases() == [login.database.clone()] {
            "postgres".clone_into(&mut login.database);
        }
        login
    }

    /// The schema of what roles will make; `not-specified` is none.
    fn place(&self) -> Option<&str> {
        self.schema
            .as_deref()
            .filter(|schema| *schema != "not-specified")
    }
}
