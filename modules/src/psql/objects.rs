//! Questions for what has an access list: the list, its owner, and how the thing is named in SQL.

use serde::{Deserialize, Serialize};

use super::{
    questions::{Right, acl},
    quote::{ident, literal},
};

/// Something that has an access list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// A table, view or the like; [`Object`] or null.
    Table(String, String),
    /// A sequence; [`Object`] or null.
    Sequence(String, String),
    /// A function, as `f(int)`; [`Object`] or null.
    Function(String, String),
    /// All of a kind in a schema: [`Object`]s by name, or null if there is no such schema.
    All(Many, String),
    /// A schema; [`Object`] or null.
    Schema(String),
    /// What is granted on things that a role will make, in one schema or in all; [`Object`] or null.
    Default {
        /// Who makes them.
        role: String,
        /// Where, if not everywhere.
        schema: Option<String>,
        /// Their letter in `pg_default_acl`.
        letter: char,
    },
    /// A role, with its members as rights; [`Object`] or null.
    Group(String),
}

/// What a schema has many of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Many {
    /// Tables and views.
    Tables,
    /// Sequences.
    Sequences,
    /// Functions.
    Functions,
}

/// What has an access list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// Its name in SQL, as the server quotes it.
    pub sql: String,
    /// Its owner.
    pub owner: String,
    /// Its access list, sorted.
    pub acl: Vec<Right>,
}

const TABLES: &str = "c.relkind IN ('r', 'v', 'm', 'f', 'p')";
const SEQUENCES: &str = "c.relkind = 'S'";
const OF_SCHEMA: &str = "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace";

fn object(sql: &str, owner: &str, acl: &str) -> String {
    format!("jsonb_build_object('sql', {sql}, 'owner', pg_get_userbyid({owner}), 'acl', {acl})")
}

fn relation(letter: char) -> String {
    object("c.oid::regclass::text", "c.relowner", &acl("c.relacl", letter, "c.relowner"))
}

fn function() -> String {
    object("p.oid::regprocedure::text", "p.proowner", &acl("p.proacl", 'f', "p.proowner"))
}

impl Kept {
    /// An expression whose value is the answer. Every name in it is quoted here.
    pub(super) fn sql(&self) -> String {
        let one = |row: &str, rest: &str| format!("coalesce((SELECT {row} {rest}), 'null')");
        match self {
            Self::Table(schema, name) => one(&relation('r'), &of(schema, name, TABLES)),
            Self::Sequence(schema, name) => one(&relation('s'), &of(schema, name, SEQUENCES)),
            Self::Function(schema, signature) => {
                let (name, operands) = signature.split_at(signature.find('(').unwrap_or(signature.len()));
                let full = format!("{}.{}{operands}", ident(schema), ident(name));
                let rest = format!("FROM pg_proc p WHERE p.oid = to_regprocedure({})", literal(&full));
                one(&function(), &rest)
            }
            Self::All(many, schema) => all(*many, schema),
            Self::Schema(name) => {
                let row = object("quote_ident(n.nspname)", "n.nspowner", &acl("n.nspacl", 'n', "n.nspowner"));
                one(&row, &format!("FROM pg_namespace n WHERE n.nspname = {}", literal(name)))
            }
            Self::Default { role, schema, letter } => {
                let role = literal(role);
                let list = |place: &str| {
                    format!(
                        "(SELECT d.defaclacl FROM pg_default_acl d WHERE d.defaclrole = r.oid \
                         AND d.defaclnamespace = {place} AND d.defaclobjtype = '{letter}')"
                    )
                };
                let kind = letter.to_ascii_lowercase();
                let kind = if *letter == 'T' { 'T' } else { kind };
                match schema {
                    None => {
                        let row = object("''", "r.oid", &acl(&list("0"), kind, "r.oid"));
                        one(&row, &format!("FROM pg_roles r WHERE r.rolname = {role}"))
                    }
                    Some(schema) => {
                        let list = format!("coalesce({}, '{{}}'::aclitem[])", list("n.oid"));
                        let row = object("''", "r.oid", &acl(&list, kind, "r.oid"));
                        let schema = literal(schema);
                        one(&row, &format!(
                            "FROM pg_roles r, pg_namespace n WHERE r.rolname = {role} AND n.nspname = {schema}"
                        ))
                    }
                }
            }
            Self::Group(name) => {
                let members = "(SELECT coalesce(jsonb_agg(jsonb_build_object('to', m.name, 'by', '', \
                    'what', 'MEMBER', 'grant', m.admin) ORDER BY m.name COLLATE \"C\"), '[]') FROM (\
                    SELECT pg_get_userbyid(a.member)::text AS name, bool_or(a.admin_option) AS admin \
                    FROM pg_auth_members a WHERE a.roleid = g.oid GROUP BY 1) m)";
                let row = format!("jsonb_build_object('sql', quote_ident(g.rolname), 'owner', '', 'acl', {members})");
                one(&row, &format!("FROM pg_roles g WHERE g.rolname = {}", literal(name)))
            }
        }
    }

    /// What it is called in messages, and in what tasks touch.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::Table(schema, name) => format!("table {schema}.{name}"),
            Self::Sequence(schema, name) => format!("sequence {schema}.{name}"),
            Self::Function(schema, name) => format!("function {schema}.{name}"),
            Self::All(_, name) | Self::Schema(name) => format!("schema {name}"),
            Self::Default { role, schema: None, letter } => format!("defaults {letter} of {role}"),
            Self::Default { role, schema: Some(schema), letter } => {
                format!("defaults {letter} of {role} in {schema}")
            }
            Self::Group(name) => format!("role {name}"),
        }
    }
}

fn of(schema: &str, name: &str, kinds: &str) -> String {
    format!(
        "{OF_SCHEMA} WHERE n.nspname = {} AND c.relname = {} AND {kinds}",
        literal(schema),
        literal(name)
    )
}

fn all(many: Many, schema: &str) -> String {
    let schema = literal(schema);
    let (key, row, from) = match many {
        Many::Tables => ("c.relname", relation('r'), format!("{OF_SCHEMA} WHERE {TABLES}")),
        Many::Sequences => ("c.relname", relation('s'), format!("{OF_SCHEMA} WHERE {SEQUENCES}")),
        Many::Functions => (
            "p.oid::regprocedure::text",
            function(),
            "FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.prokind <> 'p'".to_owned(),
        ),
    };
    format!(
        "CASE WHEN EXISTS (SELECT FROM pg_namespace WHERE nspname = {schema}) THEN \
         (SELECT coalesce(jsonb_object_agg({key}, {row}), '{{}}') {from} AND n.nspname = {schema}) ELSE 'null' END"
    )
}
