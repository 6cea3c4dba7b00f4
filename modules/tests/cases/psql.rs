//! Roles and databases of PostgreSQL: what is decided. What the server does is seen in the lab.

use std::collections::BTreeMap;

use evenkeel_engine::{
    Secret, Value,
    fake::{self, FakeHost},
};
use evenkeel_modules::psql::{Database, Left, Login, Question, Right, Role, Server, Sql, Told};

use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "psql-db: {name: app, state: rename, target: x}",
    "psql-db: {name: app, state: dump, target: /d/app.sql, target_opts: -n public}",
    "psql-db: {name: app, state: restore, target: /d/app.dir}",
    "psql-db: {name: app, state: absent, owner: o, encoding: UTF8, lc_collate: C, lc_ctype: C, \
     template: template0, conn_limit: 3, tablespace: t, comment: c, force: true, \
     login_host: h, login_unix_socket: /s, login_port: 5, login_user: u, login_password: p, \
     login_db: d, session_role: r, ssl_mode: require, ca_cert: /a, ssl_cert: /c, ssl_key: /k, \
     trust_input: false}",
    "psql-user: {name: app, state: absent, password: x, no_password_changes: true, \
     role_attr_flags: LOGIN, expires: '2030-01-01', conn_limit: 3, comment: c, \
     configuration: {work_mem: 16MB}, reset_unspecified_configuration: true, fail_on_user: false, \
     encrypted: false, login_host: h, login_unix_socket: /s, login_port: 5, login_user: u, login_password: p, \
     login_db: d, session_role: r, ssl_mode: require, ca_cert: /a, ssl_cert: /c, ssl_key: /k, \
     trust_input: false}",
];

pub(crate) fn login() -> Login {
    Login {
        user: "postgres".to_owned(),
        database: "postgres".to_owned(),
        ..Login::default()
    }
}

/// The server says this.
pub(crate) fn says(host: FakeHost, question: Question, told: Told) -> FakeHost {
    let login = login();
    host.answers(Sql { login, question }, told)
}

pub(crate) fn server() -> Server {
    Server {
        version: 150_004,
        superuser: true,
        system: "7".to_owned(),
        ..Server::default()
    }
}

pub(crate) fn role() -> Role {
    Role {
        inherit: true,
        login: true,
        conn_limit: -1,
        readable: true,
        ..Role::default()
    }
}

/// What servers keep of `airflow`, as `CREATE ROLE` of PostgreSQL 15 made it.
const SCRAM: &str = "SCRAM-SHA-256$4096:WJM6EOAsoGuxUwW10AeUbw==$1hKs2oTORvSv4TIQwSOc5KMOi11WM7B9iVPucOeCfMQ=:SDGjWx6VCQQXQ75O4YafwMQNLAr7EdtpVxdgKDa3KWE=";
/// The same, of a role `app`.
const MD5: &str = "md507ed7b54a8109be9df1f30ba3245299b";

/// A server with these, and without anything else that the cases ask for.
fn with(role: Option<Role>, database: Option<Database>) -> FakeHost {
    with_server(&server(), role, database)
}

fn with_server(server: &Server, role: Option<Role>, database: Option<Database>) -> FakeHost {
    let name = || "app".to_owned();
    let mut host = says(FakeHost::new(), Question::Server, Told::of(server));
    let left: BTreeMap<String, Left> = BTreeMap::new();
    let sessions: BTreeMap<String, u32> = BTreeMap::new();
    host = says(host, Question::LeftOf(name()), Told::of(left));
    host = says(host, Question::Sessions(name()), Told::of(sessions));
    for owner in ["boss", "a.b"] {
        host = says(
            host,
            Question::Role(owner.to_owned()),
            Told::of(self::role()),
        );
    }
    host = says(
        host,
        Question::Role("nobody".to_owned()),
        Told::of(None::<Role>),
    );
    for template in ["template0", "template1"] {
        host = says(
            host,
            Question::Database(template.to_owned()),
            Told::of(database_of("postgres")),
        );
    }
    host = says(
        host,
        Question::Database("other".to_owned()),
        Told::of(None::<Database>),
    );
    host = says(
        host,
        Question::Database("taken".to_owned()),
        Told::of(database_of("boss")),
    );
    host = says(
        host,
        Question::Tablespace("fast".to_owned()),
        Told::of(true),
    );
    host = says(
        host,
        Question::Tablespace("none".to_owned()),
        Told::of(false),
    );
    host = says(
        host,
        Question::Time("2030-01-01".to_owned()),
        Told::of("2030-01-01 00:00:00+00"),
    );
    let wrong =
        Told::Wrong("invalid input syntax for type timestamp with time zone: \"soon\"".to_owned());
    host = says(host, Question::Time("soon".to_owned()), wrong);
    host = says(host, Question::Role(name()), Told::of(role));
    says(host, Question::Database(name()), Told::of(database))
}

pub(crate) fn database_of(owner: &str) -> Database {
    let right = |to: &str, what: &str| Right {
        to: to.to_owned(),
        by: owner.to_owned(),
        what: what.to_owned(),
        grant: false,
    };
    Database {
        owner: owner.to_owned(),
        encoding: "UTF8".to_owned(),
        collate: "C.UTF-8".to_owned(),
        ctype: "C.UTF-8".to_owned(),
        conn_limit: -1,
        tablespace: "pg_default".to_owned(),
        comment: None,
        by: vec![owner.to_owned()],
        acl: vec![right("", "CONNECT"), right("", "TEMPORARY")],
    }
}

fn a_role(change: impl FnOnce(&mut Role)) -> FakeHost {
    let mut role = role();
    change(&mut role);
    with(Some(role), None)
}

fn a_database(change: impl FnOnce(&mut Database)) -> FakeHost {
    let mut database = database_of("postgres");
    change(&mut database);
    with(None, Some(database))
}

pub(crate) fn cases() -> Vec<Expect> {
    [
        roles(),
        passwords(),
        refused_roles(),
        databases(),
        dumps(),
        refused_databases(),
    ]
    .concat()
}

fn roles() -> Vec<Expect> {
    let settings = |text: &str| BTreeMap::from([("work_mem".to_owned(), text.to_owned())]);
    vec![
        case("PGU-01 a new role", "postgresql_user: {name: app}")
            .on(with(None, None))
            .changes(["role: null -> \"app\""])
            .gives("user", "\"app\""),
        case("PGU-01 it is there", "psql-user: {name: app}").on(a_role(|_| {})),
        case("PGU-02 a role goes", "psql-user: {name: app, state: absent}")
            .on(a_role(|_| {}))
            .changes(["role: \"app\" -> null"]),
        case("PGU-02 it is not there", "psql-user: {name: app, state: absent}").on(with(None, None)),
        case("PGU-07 a date", "psql-user: {name: app, expires: 2030-01-01}")
            .on(a_role(|_| {}))
            .changes(["expires: null -> \"2030-01-01 00:00:00+00\""]),
        case("PGU-07 the same date in another zone", "psql-user: {name: app, expires: 2030-01-01}")
            .on(a_role(|role| role.until = Some("2030-01-01 00:00:00+00".to_owned()))),
        case("PGU-07 no date", "psql-user: {name: app, expires: soon}")
            .on(a_role(|_| {}))
            .refused("invalid input syntax"),
        case("PGU-08 flags in any case", "psql-user: {name: app, role_attr_flags: 'createDB,superuser'}")
            .on(a_role(|role| role.createrole = true))
            .changes(["createdb: false -> true", "superuser: false -> true"]),
        case("PGU-08 they are set", "psql-user: {name: app, role_attr_flags: CREATEDB}")
            .on(a_role(|role| (role.createdb, role.superuser) = (true, true))),
        case("PGU-08 a new role that may not log in", "psql-user: {name: app, role_attr_flags: [NOLOGIN]}")
            .on(with(None, None))
            .changes(["role"]),
        case("PGU-10 a comment", "psql-user: {name: app, comment: it is mine}")
            .on(a_role(|_| {}))
            .changes(["comment: null -> \"it is mine\""]),
        case("PGU-10 the same comment", "psql-user: {name: app, comment: c}")
            .on(a_role(|role| role.comment = Some("c".to_owned()))),
        case("PGU-10 no comment any more", "psql-user: {name: app, comment: ''}")
            .on(a_role(|role| role.comment = Some("c".to_owned())))
            .changes(["comment: \"c\" -> null"]),
        case("PGU-11 a setting", "psql-user: {name: app, configuration: {WORK_MEM: 16MB}}")
            .on(a_role(|role| role.settings = settings("4MB")))
            .changes(["configuration.work_mem: \"4MB\" -> \"16MB\""]),
        case("PGU-11 the same setting", "psql-user: {name: app, configuration: {work_mem: 16MB}}")
            .on(a_role(|role| role.settings = settings("16MB"))),
        case(
            "PGU-11 other settings go",
            "psql-user: {name: app, configuration: {jit: false}, reset_unspecified_configuration: true}",
        )
        .on(a_role(|role| role.settings = settings("4MB")))
        .changes(["configuration.jit: null -> \"off\"", "configuration.work_mem: \"4MB\" -> null"]),
        case("PGU-15 no session at all", "psql-user: {name: app, conn_limit: 0}")
            .on(a_role(|_| {}))
            .changes(["conn_limit: -1 -> 0"]),
        case("PGU-15 still none", "psql-user: {name: app, conn_limit: 0}")
            .on(a_role(|role| role.conn_limit = 0)),
    ]
}

fn passwords() -> Vec<Expect> {
    let hash = |hash: &str| {
        let hash = hash.to_owned();
        a_role(move |role| role.hash = Some(hash))
    };
    let secret = |text: &str| Value::Secret(Secret::new(text));
    let old = Server {
        md5: true,
        ..server()
    };
    let md5 = Role {
        hash: Some(MD5.to_owned()),
        ..role()
    };
    let unseen = Role {
        readable: false,
        ..role()
    };
    let plain = "psql-user: {name: app}";
    vec![
        case("PGU-03 the password is right", plain)
            .arg("password", secret("airflow"))
            .on(hash(SCRAM)),
        case("PGU-03 another password", plain)
            .arg("password", secret("other"))
            .on(hash(SCRAM))
            .changes(["password: \"(scram-sha-256)\" -> \"(scram-sha-256)\""]),
        case("PGU-03 a new role with a password", plain)
            .arg("password", secret("airflow"))
            .on(with(None, None))
            .changes(["role"]),
        case("PGU-03 md5, where the server still makes it", plain)
            .arg("password", secret("airflow"))
            .on(with_server(&old, Some(md5), None)),
        case("PGU-04 a hash is given", plain)
            .arg("password", secret(SCRAM))
            .on(hash(SCRAM)),
        case("PGU-04 an md5 hash is given", plain)
            .arg("password", secret(MD5))
            .on(hash(MD5)),
        case("PGU-04 another hash", plain)
            .arg("password", secret(MD5))
            .on(hash(SCRAM))
            .changes(["password: \"(scram-sha-256)\" -> \"(md5)\""]),
        case(
            "PGU-05 no password any more",
            "psql-user: {name: app, password: ''}",
        )
        .on(hash(SCRAM))
        .changes(["password: \"(scram-sha-256)\" -> null"]),
        case("PGU-05 none", "psql-user: {name: app, password: ''}").on(a_role(|_| {})),
        case(
            "PGU-06 it is left",
            "psql-user: {name: app, no_password_changes: true}",
        )
        .arg("password", secret("other"))
        .on(hash(SCRAM)),
        case("PGU-16 md5 becomes scram", plain)
            .arg("password", secret("airflow"))
            .on(hash(MD5))
            .changes(["password: \"(md5)\" -> \"(scram-sha-256)\""]),
        case("a password that nobody can look at", plain)
            .arg("password", secret("airflow"))
            .on(with(Some(unseen), None))
            .changes(["password"])
            .warns("nobody can tell whether the password of `app` differs"),
    ]
}

fn refused_roles() -> Vec<Expect> {
    let owning = |host| {
        let left = BTreeMap::from([("shop".to_owned(), Left { owns: 2, rights: 1 })]);
        says(host, Question::LeftOf("app".to_owned()), Told::of(left))
    };
    let standby = Server {
        read_only: "it is a standby".to_owned(),
        ..server()
    };
    let long = format!("psql-user: {{name: {}}}", "x".repeat(64));
    vec![
        case(
            "PGU-08 an unknown flag",
            "psql-user: {name: app, role_attr_flags: 'LOGIN,FLYING'}",
        )
        .refused("Invalid role_attr_flags specified: FLYING"),
        case(
            "PGU-08 both a flag and its opposite",
            "psql-user: {name: app, role_attr_flags: 'LOGIN,NOLOGIN'}",
        )
        .refused("names both `LOGIN` and `NOLOGIN`"),
        case(
            "PGU-09 it owns things",
            "psql-user: {name: app, state: absent}",
        )
        .on(owning(a_role(|_| {})))
        .refused("it owns 2 objects of database `shop`, has rights on 1 object of database `shop`"),
        case(
            "PGU-09 it owns things, and that is fine",
            "psql-user: {name: app, state: absent, fail_on_user: false}",
        )
        .on(owning(a_role(|_| {})))
        .warns("cannot be removed: it owns 2 objects"),
        case("PGU-12 a standby", "psql-user: {name: app}")
            .on(with_server(&standby, None, None))
            .refused("PostgreSQL takes no changes: it is a standby"),
        case(
            "PGU-14 a suspicious name",
            "psql-user: {name: 'app\"; DROP ROLE boss; --', trust_input: false}",
        )
        .refused("`name` contains `;`, and `trust_input` is off"),
        case("a name that would be cut off", &long).refused("has 64 bytes"),
        case("a name of the server's own", "psql-user: {name: pg_boss}")
            .refused("cannot be the name of a role"),
    ]
}

fn databases() -> Vec<Expect> {
    let all = "postgresql_db: {name: app, owner: boss, encoding: utf-8, lc_collate: C, lc_ctype: C, \
               template: template0, conn_limit: '3', tablespace: fast, comment: mine}";
    vec![
        case("PGD-01 a new database", "psql-db: {name: app}")
            .on(with(None, None))
            .changes(["database: null -> \"app\""])
            .gives("db", "\"app\""),
        case("PGD-01 it is there", "psql-db: {name: app}").on(a_database(|_| {})),
        case("PGD-01 it goes", "psql-db: {name: app, state: absent}")
            .on(a_database(|_| {}))
            .changes(["database: \"app\" -> null"]),
        case(
            "PGD-01 it is not there",
            "psql-db: {name: app, state: absent}",
        )
        .on(with(None, None)),
        case("PGD-02 another owner", "psql-db: {name: app, owner: a.b}")
            .on(a_database(|_| {}))
            .changes(["owner: \"postgres\" -> \"a.b\""]),
        case("PGD-02 the owner", "psql-db: {name: app, owner: postgres}").on(a_database(|_| {})),
        case(
            "PGD-03 the encoding by another name",
            "psql-db: {name: app, encoding: utf-8}",
        )
        .on(a_database(|_| {})),
        case(
            "PGD-04 no session at all",
            "psql-db: {name: app, conn_limit: 0}",
        )
        .on(a_database(|_| {}))
        .changes(["conn_limit: -1 -> 0"]),
        case("PGD-04 still none", "psql-db: {name: app, conn_limit: '0'}")
            .on(a_database(|d| d.conn_limit = 0)),
        case("PGD-05 it moves", "psql-db: {name: app, tablespace: fast}")
            .on(a_database(|_| {}))
            .changes(["tablespace: \"pg_default\" -> \"fast\""]),
        case(
            "PGD-05 it has moved",
            "psql-db: {name: app, tablespace: fast}",
        )
        .on(a_database(|d| "fast".clone_into(&mut d.tablespace))),
        case("PGD-07 with all that can be said", all)
            .on(with(None, None))
            .changes(["database"]),
        case("PGD-08 a comment", "psql-db: {name: app, comment: mine}")
            .on(a_database(|_| {}))
            .changes(["comment: null -> \"mine\""]),
        case("PGD-08 nothing is said of it", "psql-db: {name: app}")
            .on(a_database(|d| d.comment = Some("mine".to_owned()))),
        case(
            "PGD-08 no comment any more",
            "psql-db: {name: app, comment: ''}",
        )
        .on(a_database(|d| d.comment = Some("mine".to_owned())))
        .changes(["comment: \"mine\" -> null"]),
        case(
            "PGD-11 another name",
            "psql-db: {name: app, state: rename, target: other}",
        )
        .on(a_database(|_| {}))
        .changes(["name: \"app\" -> \"other\""]),
        case(
            "PGD-11 it has it",
            "psql-db: {name: app, state: rename, target: taken}",
        )
        .on(with(None, None)),
    ]
}

fn dumps() -> Vec<Expect> {
    vec![
        case(
            "PGD-09 a dump",
            "psql-db: {name: app, state: dump, target: /d.sql.gz}",
        )
        .on(a_database(|_| {}).program("sh", |_, _| fake::ok("")))
        .no_run("it makes one each time")
        .changes(["dump: null -> \"/d.sql.gz\""]),
        case(
            "PGD-10 restored",
            "psql-db: {name: app, state: restore, target: /d.pgc}",
        )
        .on(a_database(|_| {})
            .file("/d.pgc", "x")
            .program("sh", |_, _| fake::ok("")))
        .no_run("it reads it each time")
        .changes(["restored from: null -> \"/d.pgc\""]),
        case(
            "a dump to nowhere",
            "psql-db: {name: app, state: dump, target: d.sql}",
        )
        .refused("`target: d.sql` is no whole path of a file"),
        case("a dump without a file", "psql-db: {name: app, state: dump}")
            .refused("need `target`, the whole path of a file of the host"),
        case(
            "options of a dump",
            "psql-db: {name: app, target_opts: -n x}",
        )
        .refused("`target_opts` needs `state: dump` or `restore`"),
        case(
            "a quote in options of a dump",
            "psql-db: {name: app, state: dump, target: /d, target_opts: \"-n 'x\"}",
        )
        .refused("`target_opts` has a quote that is not closed"),
        case(
            "PGD-10 no database",
            "psql-db: {name: app, state: restore, target: /d.sql}",
        )
        .on(with(None, None).file("/d.sql", "SELECT 1;"))
        .not_yet("the database `app`"),
        case(
            "PGD-10 no file",
            "psql-db: {name: app, state: restore, target: /d.sql}",
        )
        .on(a_database(|_| {}))
        .not_yet("the file `/d.sql`"),
        case(
            "PGD-10 a directory",
            "psql-db: {name: app, state: restore, target: /d}",
        )
        .on(a_database(|_| {}).dir("/d"))
        .refused("`/d` is a directory"),
        case(
            "PGD-09 no database",
            "psql-db: {name: app, state: dump, target: /d.sql}",
        )
        .on(with(None, None))
        .not_yet("the database `app`"),
    ]
}

fn refused_databases() -> Vec<Expect> {
    let busy = |host| {
        let sessions = BTreeMap::from([("airflow".to_owned(), 2_u32)]);
        says(
            host,
            Question::Sessions("app".to_owned()),
            Told::of(sessions),
        )
    };
    vec![
        case(
            "PGD-03 another encoding",
            "psql-db: {name: app, encoding: LATIN1}",
        )
        .on(a_database(|_| {}))
        .refused(
            "changing `encoding` of a database is not supported: `app` has `UTF8`, not `LATIN1`",
        ),
        case(
            "PGD-03 another order",
            "psql-db: {name: app, lc_collate: de_DE.UTF-8}",
        )
        .on(a_database(|_| {}))
        .refused("`app` has `C.UTF-8`"),
        case(
            "PGD-06 somebody is connected",
            "psql-db: {name: app, state: absent}",
        )
        .on(busy(a_database(|_| {})))
        .refused("it has sessions (2 of `airflow`)"),
        case(
            "PGD-06 nobody is any more",
            "psql-db: {name: app, state: absent, force: true}",
        )
        .on(busy(a_database(|_| {})))
        .changes(["database"]),
        case(
            "PGD-11 both are there",
            "psql-db: {name: app, state: rename, target: taken}",
        )
        .on(a_database(|_| {}))
        .refused("both `app` and `taken` exist"),
        case(
            "PGD-11 none is there",
            "psql-db: {name: app, state: rename, target: other}",
        )
        .on(with(None, None))
        .not_yet("the database `app`, or `other`"),
        case("PGD-11 no name", "psql-db: {name: app, state: rename}").refused("needs `target`"),
        case(
            "an owner that there is not",
            "psql-db: {name: app, owner: nobody}",
        )
        .on(with(None, None))
        .not_yet("the role `nobody`"),
        case(
            "a tablespace that there is not",
            "psql-db: {name: app, tablespace: none}",
        )
        .on(a_database(|_| {}))
        .not_yet("the tablespace `none`"),
        case(
            "it is logged in to",
            "psql-db: {name: app, state: absent, login_db: app}",
        )
        .refused("a login to itself"),
    ]
}
