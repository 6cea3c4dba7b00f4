//! What the modules of PostgreSQL ask, as SQL that answers one line of JSON, and the answers' types.

use std::collections::BTreeMap;

use evenkeel_engine::Thing;
use serde::{Deserialize, Serialize};

use super::{
    login::{Login, RELEASES},
    objects::{Kept, by},
    quote::literal,
};

/// A question to the catalogs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// What server it is; [`Server`].
    Server,
    /// A role; [`Role`] or null.
    Role(String),
    /// What would be left behind by a role; [`Left`] by database.
    LeftOf(String),
    /// A point in time as the server writes it; a text.
    Time(String),
    /// A database; [`Database`] or null.
    Database(String),
    /// Who is connected to a database, by role; a number each.
    Sessions(String),
    /// Whether there is a tablespace; a truth.
    Tablespace(String),
    /// An extension of the database of the login; [`Extension`].
    Extension(String),
    /// All extensions that are in the database of the login; their names, sorted.
    Extensions,
    /// The file with the rules of who may log in; [`Hba`].
    Hba,
    /// A setting of the server; [`Setting`] or null.
    Setting(String),
    /// Whether what `ALTER SYSTEM` wrote is newer than what the server has read; a truth.
    Unread,
    /// What has an access list.
    Kept(Kept),
}

/// A server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// As `150004`.
    pub version: u32,
    /// Why nothing can be written; empty if it can.
    pub read_only: String,
    /// Whether the login is a superuser's.
    pub superuser: bool,
    /// Its name among all servers.
    pub system: String,
    /// Whether new passwords are kept as `md5`.
    pub md5: bool,
}

/// A role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// May do all.
    pub superuser: bool,
    /// Has the rights of the roles it is a member of.
    pub inherit: bool,
    /// May make roles.
    pub createrole: bool,
    /// May make databases.
    pub createdb: bool,
    /// May log in.
    pub login: bool,
    /// May replicate.
    pub replication: bool,
    /// Is above row security.
    pub bypassrls: bool,
    /// How many sessions it may have; -1: any number.
    pub conn_limit: i32,
    /// When its password runs out.
    pub until: Option<String>,
    /// Its comment.
    pub comment: Option<String>,
    /// Its settings, in all databases.
    pub settings: BTreeMap<String, String>,
    /// What is kept of its password.
    pub hash: Option<String>,
    /// Whether that could be read.
    pub readable: bool,
}

/// What a role has in a database: things it owns, and things it has rights on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// How many it owns.
    pub owns: u32,
    /// On how many it has rights.
    pub rights: u32,
}

/// One right of an access list.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Right {
    /// Who has it; empty: everybody.
    pub to: String,
    /// Who gave it.
    pub by: String,
    /// As `CONNECT`.
    pub what: String,
    /// Whether it may be passed on.
    pub grant: bool,
}

/// A database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// Its owner.
    pub owner: String,
    /// As `UTF8`.
    pub encoding: String,
    /// Order of texts.
    pub collate: String,
    /// Classes of characters.
    pub ctype: String,
    /// How many sessions it may have; -1: any number.
    pub conn_limit: i32,
    /// Where it is kept.
    pub tablespace: String,
    /// Its comment.
    pub comment: Option<String>,
    /// In whose name the login can grant: its owner, if it has the owner's rights.
    pub by: Vec<String>,
    /// Its access list, sorted.
    pub acl: Vec<Right>,
}

/// An extension: what the server's host has of it, and what is in the database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    /// The version that new ones have, if the host has its files.
    pub default: Option<String>,
    /// The comment that new ones have.
    pub about: Option<String>,
    /// Versions that can be made, and the extensions they need.
    pub needs: BTreeMap<String, Vec<String>>,
    /// The schema that a version insists on.
    pub schemas: BTreeMap<String, Option<String>>,
    /// Whether a version may change its schema.
    pub movable: BTreeMap<String, bool>,
    /// From which version to which it can be brought.
    pub paths: Vec<(String, String)>,
    /// What is in the database.
    pub installed: Option<Installed>,
}

/// An extension that is in a database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// As `1.6`.
    pub version: String,
    /// Where its objects are.
    pub schema: String,
    /// Its comment.
    pub comment: Option<String>,
    /// Whether it may change its schema.
    pub movable: bool,
}

/// `pg_hba.conf`, as the server sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hba {
    /// Where it is.
    pub path: String,
    /// What it holds, in hexadecimal digits; nothing if there is no such file.
    pub text: Option<String>,
    /// Whether it is newer than what the server has read.
    pub unread: bool,
}

/// A setting of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// Its name, as the server writes it.
    pub name: String,
    /// When it can be changed: `postmaster` (with a restart), `sighup`, `user` ...
    pub context: String,
    /// `bool`, `integer`, `real`, `string`, `enum`.
    pub kind: String,
    /// What its number counts, as `8kB` or `ms`.
    pub unit: Option<String>,
    /// The smallest number.
    pub min: Option<String>,
    /// The largest.
    pub max: Option<String>,
    /// The words it can be.
    pub words: Option<Vec<String>>,
    /// What it is if nobody sets it.
    pub default: Option<String>,
    /// What `ALTER SYSTEM` has written, which goes before all other files.
    pub altered: Option<String>,
    /// What the other files say.
    pub below: Option<String>,
    /// Whether it is set where no file reaches: on the command line of the server.
    pub fixed: bool,
    /// What the server runs with, of one that needs a restart.
    pub running: Option<String>,
    /// Whether the server waits for a restart with it.
    pub pending: bool,
}

/// An access list as rows of [`Right`], sorted; `kind` is its letter for `acldefault`.
pub(crate) fn acl(list: &str, kind: char, owner: &str) -> String {
    format!(
        "(SELECT coalesce(jsonb_agg(jsonb_build_object(\
         'to', CASE WHEN x.grantee = 0 THEN '' ELSE pg_get_userbyid(x.grantee) END, \
         'by', pg_get_userbyid(x.grantor), 'what', x.privilege_type, 'grant', x.is_grantable) \
         ORDER BY CASE WHEN x.grantee = 0 THEN '' ELSE pg_get_userbyid(x.grantee)::text END COLLATE \"C\", \
         pg_get_userbyid(x.grantor)::text COLLATE \"C\", x.privilege_type COLLATE \"C\"), '[]') \
         FROM {} x)",
        explode(&format!("coalesce({list}, acldefault('{kind}', {owner}))"))
    )
}

/// An extension of a database.
pub(crate) fn extension(login: &Login, name: &str) -> Thing {
    login.object(&format!("extension of {}:", login.database), name)
}

/// The rows of an access list.
pub(crate) fn explode(list: &str) -> String {
    format!("aclexplode({list})")
}

const SERVER: &str = "SELECT '@', jsonb_build_object(\
    'version', current_setting('server_version_num')::int, \
    'read_only', CASE WHEN pg_is_in_recovery() THEN 'it is a standby' \
      WHEN (SELECT reset_val FROM pg_settings WHERE name = 'default_transaction_read_only') = 'on' \
      THEN '`default_transaction_read_only` is on' ELSE '' END, \
    'superuser', (SELECT rolsuper FROM pg_roles WHERE rolname = current_user), \
    'system', (SELECT system_identifier::text FROM pg_control_system()), \
    'md5', current_setting('password_encryption') <> 'scram-sha-256');";

const ROLE: &str = "SELECT has_table_privilege('pg_catalog.pg_authid', 'SELECT') AS ek_auth \\gset
\\if :ek_auth
SELECT '@', coalesce((SELECT #ROW || jsonb_build_object('hash', r.rolpassword, 'readable', true) \
FROM pg_authid r WHERE r.rolname = #NAME), 'null');
\\else
SELECT '@', coalesce((SELECT #ROW || '{\"hash\": null, \"readable\": false}' \
FROM pg_roles r WHERE r.rolname = #NAME), 'null');
\\endif";

const ROW: &str = "jsonb_build_object('superuser', r.rolsuper, 'inherit', r.rolinherit, \
    'createrole', r.rolcreaterole, 'createdb', r.rolcreatedb, 'login', r.rolcanlogin, \
    'replication', r.rolreplication, 'bypassrls', r.rolbypassrls, 'conn_limit', r.rolconnlimit, \
    'until', r.rolvaliduntil::text, 'comment', shobj_description(r.oid, 'pg_authid'), \
    'settings', (SELECT coalesce(jsonb_object_agg(split_part(s, '=', 1), \
      substr(s, position('=' in s) + 1)), '{}') FROM pg_db_role_setting d, unnest(d.setconfig) s \
      WHERE d.setrole = r.oid AND d.setdatabase = 0))";

const LEFT: &str = "SELECT '@', (SELECT coalesce(jsonb_object_agg(l.db, l.left), '{}') FROM (\
    SELECT coalesce(b.datname, '') AS db, jsonb_build_object(\
      'owns', count(*) FILTER (WHERE s.deptype = 'o'), \
      'rights', count(*) FILTER (WHERE s.deptype <> 'o')) AS left \
    FROM pg_shdepend s LEFT JOIN pg_database b ON b.oid = s.dbid \
    WHERE s.refclassid = 'pg_authid'::regclass \
      AND s.refobjid = (SELECT oid FROM pg_roles WHERE rolname = #NAME) GROUP BY 1) l);";

/// Without a zone it is in that of the server.
const TIME: &str = "RESET TimeZone;
SELECT #NAME::timestamptz AS ek_time \\gset
SET TimeZone = 'UTC';
SELECT '@', to_jsonb((:'ek_time'::timestamptz)::text);";

const DATABASE: &str = "SELECT '@', coalesce((SELECT jsonb_build_object(\
    'owner', pg_get_userbyid(d.datdba), 'encoding', pg_encoding_to_char(d.encoding), \
    'collate', d.datcollate, 'ctype', d.datctype, 'conn_limit', d.datconnlimit, \
    'tablespace', (SELECT spcname FROM pg_tablespace t WHERE t.oid = d.dattablespace), \
    'comment', shobj_description(d.oid, 'pg_database'), 'by', #BY, 'acl', #ACL) \
    FROM pg_database d WHERE d.datname = #NAME), 'null');";

const SESSIONS: &str = "SELECT '@', (SELECT coalesce(jsonb_object_agg(s.who, s.n), '{}') FROM (\
    SELECT coalesce(usename, '') AS who, count(*) AS n FROM pg_stat_activity \
    WHERE datname = #NAME AND pid <> pg_backend_pid() GROUP BY 1) s);";

const TABLESPACE: &str =
    "SELECT '@', to_jsonb(EXISTS (SELECT FROM pg_tablespace WHERE spcname = #NAME));";

const EXTENSION: &str = "SELECT '@', jsonb_build_object(\
    'default', (SELECT default_version FROM pg_available_extensions WHERE name = #NAME), \
    'about', (SELECT comment FROM pg_available_extensions WHERE name = #NAME), \
    'needs', v.needs, 'schemas', v.schemas, 'movable', v.movable, \
    'paths', (SELECT coalesce(jsonb_agg(jsonb_build_array(p.source, p.target) \
      ORDER BY p.source COLLATE \"C\", p.target COLLATE \"C\"), '[]') \
      FROM pg_available_extensions a, LATERAL pg_extension_update_paths(a.name) p \
      WHERE a.name = #NAME AND p.path IS NOT NULL), \
    'installed', (SELECT jsonb_build_object('version', e.extversion, 'schema', n.nspname, \
      'comment', obj_description(e.oid, 'pg_extension'), 'movable', e.extrelocatable) \
      FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = #NAME)) \
    FROM (SELECT coalesce(jsonb_object_agg(version, coalesce(to_jsonb(requires), '[]')), '{}') AS needs, \
      coalesce(jsonb_object_agg(version, to_jsonb(schema)), '{}') AS schemas, \
      coalesce(jsonb_object_agg(version, relocatable), '{}') AS movable \
      FROM pg_available_extension_versions WHERE name = #NAME) v;";

const EXTENSIONS: &str = "SELECT '@', (SELECT coalesce(jsonb_agg(extname \
    ORDER BY extname::text COLLATE \"C\"), '[]') FROM pg_extension);";

const HBA: &str = "SELECT '@', (SELECT jsonb_build_object('path', f.path, \
    'text', encode(pg_read_binary_file(f.path, 0, 16777216, true), 'hex'), \
    'unread', coalesce((pg_stat_file(f.path, true)).modification > pg_conf_load_time(), true)) \
    FROM (SELECT current_setting('hba_file') AS path) f);";

/// What a file says last counts.
const SETTING: &str = "SELECT '@', coalesce((SELECT jsonb_build_object(\
    'name', s.name, 'context', s.context, 'kind', s.vartype, 'unit', s.unit, \
    'min', s.min_val, 'max', s.max_val, 'words', to_jsonb(s.enumvals), 'default', s.boot_val, \
    'altered', (SELECT f.setting FROM pg_file_settings f WHERE lower(f.name) = lower(s.name) \
      AND f.sourcefile ~ #AUTO ORDER BY f.seqno DESC LIMIT 1), \
    'below', (SELECT f.setting FROM pg_file_settings f WHERE lower(f.name) = lower(s.name) \
      AND f.sourcefile !~ #AUTO ORDER BY f.seqno DESC LIMIT 1), \
    'fixed', s.source = 'command line', \
    'running', CASE WHEN s.context = 'postmaster' THEN s.setting END, \
    'pending', s.pending_restart) \
    FROM pg_settings s WHERE lower(s.name) = lower(#NAME)), 'null');";

const UNREAD: &str = "SELECT '@', to_jsonb(coalesce((pg_stat_file(\
    current_setting('data_directory') || '/postgresql.auto.conf', true)).modification \
    > pg_conf_load_time(), false));";

/// Where `pg_hba.conf` is, as packages make it.
fn usual_hba() -> Vec<Thing> {
    let of = |release| {
        [
            format!("/etc/postgresql/{release}/main/pg_hba.conf"),
            format!("/var/lib/pgsql/{release}/data/pg_hba.conf"),
        ]
    };
    let mut all: Vec<String> = RELEASES.flat_map(of).collect();
    all.push("/var/lib/pgsql/data/pg_hba.conf".to_owned());
    all.into_iter().map(Thing::Path).collect()
}

impl Question {
    /// The statements; the answer's line begins with the token.
    pub(crate) fn sql(&self, token: &str) -> String {
        let named = |sql: &str, name: &str| {
            // The name comes last: whatever it holds is not looked at again.
            let sql = sql.replace("#ROW", ROW);
            let sql = sql.replace("#ACL", &acl("d.datacl", 'd', "d.datdba"));
            let sql = sql.replace("#BY", &by("d.datacl", "d.datdba"));
            sql.replace('@', token).replace("#NAME", &literal(name))
        };
        match self {
            Self::Server => named(SERVER, ""),
            Self::Role(name) => named(ROLE, name),
            Self::LeftOf(name) => named(LEFT, name),
            Self::Time(text) => named(TIME, text),
            Self::Database(name) => named(DATABASE, name),
            Self::Sessions(name) => named(SESSIONS, name),
            Self::Tablespace(name) => named(TABLESPACE, name),
            Self::Extension(name) => named(EXTENSION, name),
            Self::Extensions => named(EXTENSIONS, ""),
            Self::Hba => named(HBA, ""),
            Self::Setting(name) => named(
                &SETTING.replace("#AUTO", "'/postgresql[.]auto[.]conf$'"),
                name,
            ),
            Self::Unread => named(UNREAD, ""),
            Self::Kept(kept) => format!("SELECT '{token}', {};", kept.sql()),
        }
    }

    /// What the answer depends on.
    pub(crate) fn reads(&self, login: &Login) -> Vec<Thing> {
        match self {
            Self::Server => vec![login.object("settings", "")],
            Self::Role(name) => vec![login.object("role", name)],
            Self::LeftOf(name) => vec![login.object("role", name), login.object("rights", "")],
            Self::Time(_) => Vec::new(),
            Self::Database(name) => vec![login.object("database", name)],
            Self::Sessions(name) => vec![login.object("sessions of database", name)],
            Self::Tablespace(name) => vec![login.object("tablespace", name)],
            Self::Extension(name) => vec![
                login.object("database", &login.database),
                extension(login, name),
                login.object("extensions made or removed with others of", &login.database),
            ],
            Self::Extensions => vec![
                login.object("database", &login.database),
                login.object("extensions of", &login.database),
            ],
            Self::Hba => {
                let mut reads = usual_hba();
                reads.push(login.object("pg_hba.conf", ""));
                reads
            }
            Self::Setting(name) => vec![login.object("setting", &name.to_lowercase())],
            Self::Unread => vec![login.object("files to be read", "")],
            Self::Kept(kept) => kept.reads(login),
        }
    }
}
