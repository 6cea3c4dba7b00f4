//! The rules of PostgreSQL on who may log in.

mod address;
mod decide;
mod edit;
mod line;
mod wish;

use evenkeel_engine::{Done, Module, Plan, Probes, Refusal, Seen, Stop, Text, Thing, Touches};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    args::{Unsupported, is_default},
    attributes::Attributes,
    look::Look,
    mode::Mode,
    psql::{Login, login::with_login},
};
pub use line::Kind;
pub use wish::{Entry, Method, State};

/// The module `psql-pg-hba`.
#[derive(Debug)]
pub struct PsqlPgHba;

with_login! {
/// Arguments of `psql-pg-hba`. Without `contype` and `rules` it only looks.
pub struct Args {
    /// The file. If unset, the server is asked for it, so it must run, on this host.
    #[serde(default, alias = "path", skip_serializing_if = "Option::is_none")]
    pub dest: Option<String>,
    /// Whether the rule is there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
    /// The kind of connections: `local` by the socket, `host` by TCP, of these `hostssl` with TLS,
    /// `hostnossl` without, `hostgssenc` and `hostnogssenc`. A rule takes the place of one for the
    /// same databases, users and addresses, if one connection could be of both kinds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contype: Option<Kind>,
    /// The databases, with commas between or as a list: names, `all` (the default; without
    /// replication), `sameuser`, `samerole`, `replication`. In quotes (`"all"`) it is a name. There
    /// is one line for each database and user.
    #[serde(default, deserialize_with = "wish::names", skip_serializing_if = "Option::is_none")]
    pub databases: Option<Vec<String>>,
    /// The roles, likewise: names, `all` (the default), `+role` for its members.
    #[serde(default, deserialize_with = "wish::names", skip_serializing_if = "Option::is_none")]
    pub users: Option<Vec<String>>,
    /// From where: an address, a network as `10.0.0.0/8`, a name, the end of one (`.example.org`),
    /// `all`, `samenet`, or `samehost` (the default).
    #[serde(default, alias = "source", alias = "src", skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The mask of an address without a length, as `255.0.0.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub netmask: Option<String>,
    /// How somebody shows who he is; `md5` if unset, which takes SCRAM as well. `scram-sha-256`
    /// takes nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
    /// Options of the method, as `map=users`, with spaces between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Text>,
    /// A comment behind the rule. If unset, one that is there stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Several rules at once, each with the arguments of one, in their order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Vec<Entry>>,
    /// Whether arguments of a single rule beside `rules` are an error (`conflict`, the default), or
    /// what a rule does not say itself (`combine`).
    #[serde(default, skip_serializing_if = "is_default")]
    pub rules_behavior: Behavior,
    /// These rules and no others, in their order. Comments of lines of their own stay.
    #[serde(default, skip_serializing_if = "is_default")]
    pub overwrite: bool,
    /// Without effect: comments always stay where they are.
    #[serde(default, skip_serializing_if = "is_default")]
    pub keep_comments_at_rules: bool,
    /// Without effect: lines stay where they are, and a new one comes before the first that would
    /// hide it, else last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// Whether the server reads the file again when it is newer than what it has read. It is asked
    /// for that, and what is wrong with the file is an error. If unset: yes without `dest`, no
    /// with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reload: Option<bool>,
    /// Makes a file that is missing, and the directories above it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub create: bool,
    /// Keeps a copy of the old file beside it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub backup: bool,
    /// Owner of the file: name or number. The server must be able to read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Group: name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Permission bits: `"0640"` or `u=rw,go=r`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub seuser: Option<Unsupported>,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub serole: Option<Unsupported>,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub setype: Option<Unsupported>,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub selevel: Option<Unsupported>,
    /// Not supported.
    #[serde(default, alias = "attr", skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub attributes: Option<Unsupported>,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub unsafe_writes: Option<Unsupported>,
}
}

/// How `rules` go with the arguments of a single rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Behavior {
    /// Not at all.
    #[default]
    Conflict,
    /// They are what a rule does not say itself.
    Combine,
}

/// What `register` gives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Output {
    /// The file.
    pub path: String,
    /// Its rules, in their order.
    pub pg_hba: Vec<Row>,
    /// State, owner, group, mode, where they were looked at.
    #[serde(flatten)]
    pub attributes: Attributes,
}

/// A rule of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Row {
    /// As `host`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its databases.
    pub db: String,
    /// Its roles.
    pub usr: String,
    /// From where; empty for `local`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub src: String,
    /// How.
    pub method: String,
    /// Options of the method; secrets are masked.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub options: String,
}

/// Directories in which packages keep the file.
const PLACES: [&str; 3] = ["/etc/postgresql", "/var/lib/pgsql", "/var/lib/postgresql"];

impl Module for PsqlPgHba {
    const NAME: &'static str = "psql-pg-hba";
    const ALIASES: &'static [&'static str] = &["postgresql_pg_hba"];
    const ABOUT: &'static str =
        "keeps rules of PostgreSQL on who may log in from where (`pg_hba.conf`)";
    const EXAMPLE: &'static str = "\
- name: the nodes of the cluster reach their database
  psql-pg-hba:
    contype: host
    databases: airflow
    users: airflow
    address: 10.77.88.0/24
    method: scram-sha-256
  become: true
  become_user: postgres
";
    const CHANGED_WHEN: &'static str = "\
        A rule is not there, differs, is hidden by one before it, or is there though it should not be; owner, \
        group or mode differ; or, with `reload`, the server has not read the file as it is.";
    const LIMITS: &'static str = "\
        It works on the host of the server. With `dest`, the server is not told (unless `reload: true`): notify a \
        handler that reloads its unit. Rules that overlap without one hiding the other keep their order. Of a rule \
        that is to go, lines with several databases or users are left, with a warning. Of a login that cannot read \
        the file by the server (`pg_read_server_files`), say `dest` and `reload: false`.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        if args.dest.as_deref() == Some("") {
            return Err(
                Refusal::new("`dest` is empty").help("leave it out: then the server is asked")
            );
        }
        if args.dest.is_none() && args.create {
            return Err(Refusal::new("`create` needs `dest`"));
        }
        if args.mode.as_ref().is_some_and(Mode::is_preserve) {
            return Err(Refusal::new("`mode: preserve` is for copies only"));
        }
        let wishes = args.wishes()?;
        if args.overwrite && !wishes.iter().any(|wish| wish.state == State::Present) {
            return Err(Refusal::new(
                "`overwrite` without a rule that is to be there: nobody could log in",
            )
            .help("add rules, one for the system's user of the server among them"));
        }
        args.login().check()
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide::plan(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide::plan(args, &Look::new(seen))
    }

    fn output(args: &Args, after: &Seen, _: &[Done]) -> Result<Output, Stop> {
        decide::output(args, after)
    }

    fn touches(args: &Args) -> Touches {
        let login = args.login();
        let mut touches = match &args.dest {
            Some(path) => args.rewrite(path, false).touches(),
            None => Touches::writes(PLACES.map(|dir| Thing::Tree(dir.to_owned()))),
        };
        if args.asks() {
            touches
                .writes
                .extend([login.order(), login.object("pg_hba.conf", "")]);
            touches.reads.push(login.object("settings", ""));
            touches
                .reads
                .push(login.object("role", login.role.as_ref().unwrap_or(&login.user)));
            touches.reads.extend(Login::units());
        }
        touches
    }

    fn subject(args: &Args) -> String {
        args.dest
            .clone()
            .unwrap_or_else(|| "pg_hba.conf".to_owned())
    }
}
