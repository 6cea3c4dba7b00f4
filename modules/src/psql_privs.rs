//! Rights of roles on what is in PostgreSQL.

mod decide;
mod kind;

use evenkeel_engine::{Done, Module, Plan, Probes, Refusal, Seen, Stop, Touches};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    args::is_default,
    look::Look,
    many::{is_yes, yes},
    psql::{Login, login::with_login, quote, step},
};
pub use kind::Kind;

/// The module `psql-privs`.
#[derive(Debug)]
pub struct PsqlPrivs;

with_login! {
/// Arguments of `psql-privs`.
pub struct Args {
    /// What the rights are on.
    #[serde(default, rename = "type", skip_serializing_if = "is_default")]
    pub kind: Kind,
    /// The things, with commas between; a function with its arguments, `f(int:text)`; `ALL_IN_SCHEMA` for
    /// tables, sequences and functions; `TABLES`, `SEQUENCES`, `FUNCTIONS`, `TYPES`, `SCHEMAS` for
    /// `default_privs`; roles for `group`. With `type: database` it is `login_db` if unset.
    #[serde(default, alias = "obj", deserialize_with = "crate::many::comma_list", skip_serializing_if = "is_default")]
    pub objs: Vec<String>,
    /// The schema they are in; `public` if unset. For `default_privs`: all, if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// The rights, with commas between, or `ALL`.
    #[serde(default, alias = "priv", deserialize_with = "kind::read", skip_serializing_if = "is_default")]
    pub privs: Vec<String>,
    /// The roles that have them, with commas between; `PUBLIC` is everybody.
    #[serde(alias = "role", deserialize_with = "crate::many::comma_list")]
    pub roles: Vec<String>,
    /// Whether the roles may pass the rights on; left as it is if unset. With `state: absent` and `true` only that is
    /// taken away.
    #[serde(default, alias = "admin_option", skip_serializing_if = "Option::is_none")]
    pub grant_option: Option<bool>,
    /// Whether they have them.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
    /// With `type: default_privs`: the roles whose things of the future are meant.
    #[serde(default, deserialize_with = "crate::many::comma_list", skip_serializing_if = "is_default")]
    pub target_roles: Vec<String>,
    /// Whether a role that is not there is an error (the default); else it is passed over.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub fail_on_role: bool,
}
}

/// Whether rights are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// They are.
    #[default]
    Present,
    /// They are not.
    Absent,
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
        It needs `psql` on the host. Rights on types, languages, tablespaces, parameters, foreign servers and procedures \
        are not there. A right that another role gave is not taken away: that is told. A grant that others \
        depend on is not taken away with them (there is no `CASCADE`).";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        kind::check(args)?;
        let mut names: Vec<(&str, &String)> = args.roles.iter().map(|name| ("roles", name)).collect();
        names.extend(args.target_roles.iter().map(|name| ("target_roles", name)));
        names.extend(args.schema.iter().map(|name| ("schema", name)));
        let functions = args.kind == Kind::Function;
        names.extend(args.objs.iter().filter(|_| !functions).map(|name| ("objs", name)));
        for (what, name) in &names {
            quote::check_name(what, name)?;
        }
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
        Ok(Output { queries: step::said(done) })
    }

    fn touches(args: &Args) -> Touches {
        let login = args.login();
        let mut writes = vec![login.order(), login.object("rights", "")];
        if args.kind == Kind::Database {
            writes.extend(args.databases().iter().map(|name| login.object("database", name)));
        }
        let mut reads = vec![login.object("settings", ""), login.object("database", &login.database)];
        reads.extend(args.roles.iter().chain(&args.target_roles).map(|name| login.object("role", name)));
        Touches::writes(writes).reading(reads).reading(Login::units())
    }

    fn subject(args: &Args) -> String {
        args.roles.join(", ")
    }
}

impl Args {
    /// The databases that rights are on.
    fn databases(&self) -> Vec<String> {
        if self.objs.is_empty() { vec![self.login().database] } else { self.objs.clone() }
    }
}
