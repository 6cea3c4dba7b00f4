//! Extensions of a database of PostgreSQL.

mod decide;

use evenkeel_engine::{Done, Module, Plan, Probes, Refusal, Seen, Stop, Touches};
use serde::{Deserialize, Serialize};

use crate::{
    args::is_default,
    look::Look,
    psql::{Login, login::with_login, questions, quote, step},
};

pub use crate::presence::State;

/// The module `psql-ext`.
#[derive(Debug)]
pub struct PsqlExt;

with_login! {
/// Arguments of `psql-ext`. The extension is in the database of the login, `login_db`.
pub struct Args {
    /// The extension.
    #[serde(alias = "ext")]
    pub name: String,
    /// Whether it is there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
    /// The schema its objects are in. If unset, a new one goes to the schema it names itself, else
    /// to `public`, and one that is there stays where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Its version, in quotes, or `latest`: the one that the packages of the server take for new
    /// ones. If unset, one that is there stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Makes the extensions it needs as well; with `state: absent`, removes all that needs it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cascade: bool,
    /// Its comment; an empty one takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}
}

/// What `register` gives.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Output {
    /// The extension.
    pub ext: String,
    /// Its version now; empty if it is not there.
    pub version: String,
    /// The statements that ran.
    pub queries: Vec<String>,
}

impl Module for PsqlExt {
    const NAME: &'static str = "psql-ext";
    const ALIASES: &'static [&'static str] = &["postgresql_ext"];
    const ABOUT: &'static str = "keeps an extension of a database of PostgreSQL";
    const EXAMPLE: &'static str = "\
- psql-ext:
    name: pg_trgm
    login_db: airflow
  become: true
  become_user: postgres
";
    const CHANGED_WHEN: &'static str = "\
        The extension is not there, or its version, schema or comment is not as it says.";
    const LIMITS: &'static str = "\
        It needs `psql` on the host, and does not install the package the extension comes from. What \
        `cascade` makes or removes besides the extension is not listed by a plan. That the schema exists, \
        and that nothing needs an extension that is removed without `cascade`, is seen when it is done.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        let names = [("name", Some(&args.name)), ("schema", args.schema.as_ref())];
        for (what, name) in names {
            let Some(name) = name else { continue };
            quote::check_name(what, name)?;
            if !args.trust_input {
                quote::check_trust(what, &name.as_str().into())?;
            }
        }
        let texts = [("version", &args.version), ("comment", &args.comment)];
        for (what, text) in texts {
            let Some(text) = text else { continue };
            if text.contains('\0') {
                return Err(Refusal::new(format!("`{what}` contains a NUL")));
            }
            if !args.trust_input {
                quote::check_trust(what, &text.as_str().into())?;
            }
        }
        if args.version.as_deref() == Some("") {
            return Err(Refusal::new("`version` is empty")
                .help("leave it out: then one that is there stays as it is"));
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
        let mut writes = vec![login.order()];
        writes.push(questions::extension(&login, &args.name));
        // What it brings along.
        writes.push(login.object("rights", ""));
        writes.push(login.object("extensions of", &login.database));
        let others = login.object("extensions made or removed with others of", &login.database);
        if args.cascade {
            writes.push(others.clone());
        }
        let mut reads = vec![
            login.object("settings", ""),
            login.object("database", &login.database),
            login.object("extensions of", &login.database),
            others,
        ];
        reads.push(login.object("role", login.role.as_ref().unwrap_or(&login.user)));
        Touches::writes(writes)
            .reading(reads)
            .reading(Login::units())
    }

    fn subject(args: &Args) -> String {
        args.name.clone()
    }
}
