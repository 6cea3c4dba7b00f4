//! Questions for what has an access list: the list, its owner, and how the thing is named in SQL.

use evenkeel_engine::Thing;
use serde::{Deserialize, Serialize};

use super::{
    login::Login,
    questions::{Right, acl, explode},
    quote::{ident, literal},
};

/// Something that has an access list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// A thing in a schema, with its schema and name; a routine as `f(int)`. [`Object`] or null.
    One(Sort, String, String),
    /// All of a sort in a schema: [`Object`]s by name, or null if there is no such schema.
    All(Sort, String),
    /// A thing in no schema. [`Object`] or null.
    Named(Named, String),
    /// What is granted on things that a role will make, in one schema or in all; [`Object`] or null.
    Default {
        /// Who makes them.
        role: String,
        /// Where, if not everywhere.
        schema: Option<String>,
        /// Their letter for `acldefault`.
        letter: char,
    },
    /// A role, with its members as rights; [`Object`] or null.
    Group(String),
    /// Whether a role may make things in the schema `public`; a truth, or null.
    Makes(String),
}

/// What stands in schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// Tables and views.
    Table,
    /// Sequences.
    Sequence,
    /// Functions.
    Function,
    /// Procedures.
    Procedure,
    /// Types and domains.
    Type,
}

/// What stands in no schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named {
    /// Schemas.
    Schema,
    /// Languages.
    Language,
    /// Tablespaces.
    Tablespace,
    /// Foreign data wrappers.
    Wrapper,
    /// Foreign servers.
    Server,
    /// Parameters of the server.
    Parameter,
}

/// What has an access list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// Its name in SQL, as the server quotes it.
    pub sql: String,
    /// Its owner.
    pub owner: String,
    /// In whose name the login can grant: its owner, if it has the owner's rights.
    pub by: Vec<String>,
    /// Its access list, sorted.
    pub acl: Vec<Right>,
}

const OF_SCHEMA: &str = "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace";

/// In whose name the login can grant.
pub(super) fn by(list: &str, owner: &str) -> String {
    let other = explode(list);
    format!(
        "CASE WHEN pg_has_role(current_user, {owner}, 'USAGE') THEN jsonb_build_array(pg_get_userbyid({owner})) \
         ELSE (SELECT coalesce(jsonb_agg(DISTINCT pg_get_userbyid(x.grantee)), '[]') FROM {other} x \
         WHERE x.is_grantable AND x.grantee <> 0 AND pg_has_role(current_user, x.grantee, 'USAGE')) END"
    )
}

fn object(sql: &str, owner: &str, list: &str, letter: char) -> String {
    let (acl, by) = (acl(list, letter, owner), by(list, owner));
    format!(
        "jsonb_build_object('sql', {sql}, 'owner', pg_get_userbyid({owner}), 'by', {by}, 'acl', {acl})"
    )
}

/// The one row there may be, or null.
fn one(row: &str, rest: &str) -> String {
    format!("coalesce((SELECT {row} {rest}), 'null')")
}

impl Sort {
    /// The letter of its rights for `acldefault`.
    pub(crate) fn letter(self) -> char {
        match self {
            Self::Table => 'r',
            Self::Sequence => 's',
            Self::Function | Self::Procedure => 'f',
            Self::Type => 'T',
        }
    }

    /// What it is called.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Sequence => "sequence",
            Self::Function => "function",
            Self::Procedure => "procedure",
            Self::Type => "type",
        }
    }

    /// Which rows of its catalog it is.
    fn kinds(self) -> &'static str {
        match self {
            Self::Table => "c.relkind IN ('r', 'v', 'm', 'f', 'p')",
            Self::Sequence => "c.relkind = 'S'",
            Self::Function => "p.prokind <> 'p'",
            Self::Procedure => "p.prokind = 'p'",
            Self::Type => "t.typelem = 0",
        }
    }

    fn row(self) -> String {
        match self {
            Self::Table | Self::Sequence => object(
                "c.oid::regclass::text",
                "c.relowner",
                "c.relacl",
                self.letter(),
            ),
            Self::Function | Self::Procedure => {
                object("p.oid::regprocedure::text", "p.proowner", "p.proacl", 'f')
            }
            Self::Type => object("t.oid::regtype::text", "t.typowner", "t.typacl", 'T'),
        }
    }

    fn one(self, schema: &str, name: &str) -> String {
        let kinds = self.kinds();
        let rest = match self {
            Self::Table | Self::Sequence => format!(
                "{OF_SCHEMA} WHERE {kinds} AND n.nspname = {} AND c.relname = {}",
                literal(schema),
                literal(name)
            ),
            Self::Function | Self::Procedure => {
                let (name, operands) = name.split_at(name.find('(').unwrap_or(name.len()));
                let full = format!("{}.{}{operands}", ident(schema), ident(name));
                format!(
                    "FROM pg_proc p WHERE {kinds} AND p.oid = to_regprocedure({})",
                    literal(&full)
                )
            }
            Self::Type => {
                let (schema, name) = (literal(schema), literal(name));
                format!(
                    "FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace \
                     WHERE n.nspname = {schema} AND t.typname = {name}"
                )
            }
        };
        one(&self.row(), &rest)
    }

    fn all(self, schema: &str) -> String {
        let (schema, row, kinds) = (literal(schema), self.row(), self.kinds());
        let (key, from) = match self {
            Self::Table | Self::Sequence => ("c.relname", OF_SCHEMA),
            Self::Function | Self::Procedure => (
                "p.oid::regprocedure::text",
                "FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace",
            ),
            Self::Type => (
                "t.typname",
                "FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace",
            ),
        };
        format!(
            "CASE WHEN EXISTS (SELECT FROM pg_namespace WHERE nspname = {schema}) THEN \
             (SELECT coalesce(jsonb_object_agg({key}, {row}), '{{}}') {from} WHERE {kinds} AND n.nspname = {schema}) \
             ELSE 'null' END"
        )
    }
}

impl Named {
    /// The letter of its rights for `acldefault`.
    pub(crate) fn letter(self) -> char {
        match self {
            Self::Schema => 'n',
            Self::Language => 'l',
            Self::Tablespace => 't',
            Self::Wrapper => 'F',
            Self::Server => 'S',
            Self::Parameter => 'p',
        }
    }

    /// What it is called.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::Language => "language",
            Self::Tablespace => "tablespace",
            Self::Wrapper => "foreign data wrapper",
            Self::Server => "foreign server",
            Self::Parameter => "parameter",
        }
    }

    fn one(self, name: &str) -> String {
        let (table, prefix) = match self {
            Self::Schema => ("pg_namespace", "nsp"),
            Self::Language => ("pg_language", "lan"),
            Self::Tablespace => ("pg_tablespace", "spc"),
            Self::Wrapper => ("pg_foreign_data_wrapper", "fdw"),
            Self::Server => ("pg_foreign_server", "srv"),
            Self::Parameter => return parameter(name),
        };
        let row = object(
            &format!("quote_ident(o.{prefix}name)"),
            &format!("o.{prefix}owner"),
            &format!("o.{prefix}acl"),
            self.letter(),
        );
        one(
            &row,
            &format!("FROM {table} o WHERE o.{prefix}name = {}", literal(name)),
        )
    }
}

/// A parameter has a row only if something was granted on it; it belongs to the first superuser.
fn parameter(name: &str) -> String {
    let sql: Vec<String> = name.split('.').map(ident).collect();
    let row = object(&literal(&sql.join(".")), "10", "a.paracl", 'p');
    let name = literal(name);
    one(
        &row,
        &format!(
            "FROM (SELECT lower({name}) AS name) v LEFT JOIN pg_parameter_acl a ON a.parname = v.name"
        ),
    )
}

/// Rights on things to come. A list for one schema adds to that for all; that for all takes the place
/// of what is usual.
fn default(role: &str, schema: Option<&str>, letter: char) -> String {
    let role = literal(role);
    // The catalog has a letter of its own for sequences.
    let kind = if letter == 's' { 'S' } else { letter };
    let list = |place: &str| {
        format!(
            "(SELECT d.defaclacl FROM pg_default_acl d WHERE d.defaclrole = r.oid \
             AND d.defaclnamespace = {place} AND d.defaclobjtype = '{kind}')"
        )
    };
    match schema {
        None => {
            let row = object("''", "r.oid", &list("0"), letter);
            one(&row, &format!("FROM pg_roles r WHERE r.rolname = {role}"))
        }
        Some(schema) => {
            // No list is none at all here.
            let list = format!("coalesce({}, acldefault('c', r.oid))", list("n.oid"));
            let row = object("''", "r.oid", &list, letter);
            let schema = literal(schema);
            one(
                &row,
                &format!(
                    "FROM pg_roles r, pg_namespace n WHERE r.rolname = {role} AND n.nspname = {schema}"
                ),
            )
        }
    }
}

fn group(name: &str) -> String {
    let members = "(SELECT coalesce(jsonb_agg(jsonb_build_object('to', m.name, 'by', '', \
        'what', 'MEMBER', 'grant', m.admin) ORDER BY m.name COLLATE \"C\"), '[]') FROM (\
        SELECT pg_get_userbyid(a.member)::text AS name, bool_or(a.admin_option) AS admin \
        FROM pg_auth_members a WHERE a.roleid = g.oid GROUP BY 1) m)";
    let row = format!(
        "jsonb_build_object('sql', quote_ident(g.rolname), 'owner', '', 'by', '[\"\"]'::jsonb, 'acl', {members})"
    );
    one(
        &row,
        &format!("FROM pg_roles g WHERE g.rolname = {}", literal(name)),
    )
}

impl Kept {
    /// An expression whose value is the answer. Every name in it is quoted here.
    pub(super) fn sql(&self) -> String {
        match self {
            Self::One(sort, schema, name) => sort.one(schema, name),
            Self::All(sort, schema) => sort.all(schema),
            Self::Named(named, name) => named.one(name),
            Self::Default {
                role,
                schema,
                letter,
            } => default(role, schema.as_deref(), *letter),
            Self::Group(name) => group(name),
            Self::Makes(role) => one(
                "to_jsonb(has_schema_privilege(r.oid, n.oid, 'CREATE'))",
                &format!(
                    "FROM pg_roles r, pg_namespace n WHERE n.nspname = 'public' AND r.rolname = {}",
                    literal(role)
                ),
            ),
        }
    }

    /// What it is called in messages.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::One(sort, schema, name) => format!("{} {schema}.{name}", sort.word()),
            Self::All(_, name) => format!("schema {name}"),
            Self::Named(named, name) => format!("{} {name}", named.word()),
            Self::Default {
                role,
                schema,
                letter,
            } => {
                let what = match letter {
                    'r' => "tables",
                    's' => "sequences",
                    'f' => "functions",
                    'T' => "types",
                    _ => "schemas",
                };
                let place = schema.as_ref().map(|schema| format!(" in {schema}"));
                format!("{what} of {role}{} to come", place.unwrap_or_default())
            }
            Self::Group(name) => format!("role {name}"),
            Self::Makes(name) => format!("what role {name} makes"),
        }
    }

    /// Whether it is the same for all databases of the server.
    fn shared(&self) -> bool {
        matches!(
            self,
            Self::Group(_) | Self::Named(Named::Tablespace | Named::Parameter, _)
        )
    }

    /// What it is to the order of tasks: itself, and what it is one of.
    pub(crate) fn things(&self, login: &Login, writes: bool) -> Vec<Thing> {
        let place = if self.shared() {
            String::new()
        } else {
            format!("{} of database ", login.database)
        };
        let thing = |what: String| login.object("rights in", &format!("{place}{what}"));
        let whole = |sort: &Sort, schema: &str| thing(format!("all {}s of {schema}", sort.word()));
        let some = |sort: &Sort, schema: &str| thing(format!("some {}s of {schema}", sort.word()));
        match self {
            // Who grants on one writes what those read who look at all of them, and the other way round.
            Self::One(sort, schema, _) => {
                let own = thing(self.label());
                vec![
                    own,
                    if writes {
                        some(sort, schema)
                    } else {
                        whole(sort, schema)
                    },
                ]
            }
            Self::All(sort, schema) => vec![some(sort, schema), whole(sort, schema)],
            Self::Makes(_) => vec![login.object("rights", "")],
            _ => vec![thing(self.label())],
        }
    }

    /// What else its answer depends on.
    pub(super) fn reads(&self, login: &Login) -> Vec<Thing> {
        let mut reads = self.things(login, false);
        match self {
            Self::Default { role, .. } | Self::Group(role) | Self::Makes(role) => {
                reads.push(login.object("role", role));
            }
            _ => {}
        }
        if !self.shared() {
            reads.push(login.object("database", &login.database));
        }
        reads
    }
}
