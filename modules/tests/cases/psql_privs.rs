//! Rights of roles in PostgreSQL: what is decided. What the server makes of it is seen in the lab.

use std::collections::BTreeMap;

use evenkeel_engine::fake::FakeHost;
use evenkeel_modules::psql::{
    Database, Kept, Login, Named, Object, Question, Right, Role, Server, Sort, Sql, Told,
};

use super::psql::{database_of, login, role, server};
use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "psql-privs: {type: language, objs: o, privs: USAGE, roles: r, login_db: d}",
    "psql-privs: {type: default_privs, objs: TABLES, schema: s, privs: SELECT, roles: r, grant_option: true, \
     state: absent, target_roles: o, fail_on_role: false, login_host: h, login_unix_socket: /s, login_port: 5, \
     login_user: u, login_password: p, login_db: d, session_role: r, ssl_mode: require, ca_cert: /a, \
     ssl_cert: /c, ssl_key: /k, trust_input: false}",
];

/// The server says this of the database `shop`.
fn says(host: FakeHost, kept: Kept, told: Told) -> FakeHost {
    let login = Login {
        database: "shop".to_owned(),
        ..login()
    };
    let question = Question::Kept(kept);
    host.answers(Sql { login, question }, told)
}

fn right(to: &str, what: &str) -> Right {
    Right {
        to: to.to_owned(),
        by: "boss".to_owned(),
        what: what.to_owned(),
        grant: false,
    }
}

/// Something of `boss`, with these rights.
fn object(sql: &str, rights: &[&str]) -> Object {
    let right = |text: &&str| {
        let (to, what) = text.split_once(' ').expect("a role and a right");
        let what = what
            .split_once('*')
            .map_or((what, false), |(what, _)| (what, true));
        let (to, by) = to.split_once('/').unwrap_or((to, "boss"));
        Right {
            by: by.to_owned(),
            what: what.0.to_owned(),
            grant: what.1,
            ..right(to, "")
        }
    };
    let mut acl: Vec<Right> = rights.iter().map(right).collect();
    acl.sort();
    Object {
        sql: sql.to_owned(),
        owner: "boss".to_owned(),
        by: vec!["boss".to_owned()],
        acl,
    }
}

/// The server, with its roles; also as another database sees it.
fn host() -> FakeHost {
    with(&server())
}

fn with(server: &Server) -> FakeHost {
    let mut host = FakeHost::new();
    for database in ["shop", "postgres"] {
        let login = Login {
            database: database.to_owned(),
            ..login()
        };
        let mut says = |question: Question, told: Told| {
            let login = login.clone();
            host = std::mem::take(&mut host).answers(Sql { login, question }, told);
        };
        says(Question::Server, Told::of(server));
        for name in ["app", "boss", "other", "a.b-C'\"; --", "postgres"] {
            says(Question::Role(name.to_owned()), Told::of(role()));
        }
        says(Question::Role("nobody".to_owned()), Told::of(None::<Role>));
    }
    host
}

fn table(name: &str) -> Kept {
    Kept::One(Sort::Table, "public".to_owned(), name.to_owned())
}

/// A table `t`, on which there are these rights.
fn t(rights: &[&str]) -> FakeHost {
    says(host(), table("t"), Told::of(object("public.t", rights)))
}

/// A database `shop` on the server, whose schema `public` lets `app` make tables, or not.
fn shop(acl: &[Right], makes: bool) -> FakeHost {
    let mut database: Database = database_of("boss");
    database.acl.extend_from_slice(acl);
    database.acl.sort();
    let question = Question::Database("shop".to_owned());
    let sql = Sql {
        login: login(),
        question,
    };
    let host = host().answers(sql, Told::of(database));
    says(host, Kept::Makes("app".to_owned()), Told::of(makes))
}

pub(crate) fn cases() -> Vec<Expect> {
    [
        tables(),
        options(),
        elsewhere(),
        to_come(),
        many(),
        refused(),
    ]
    .concat()
}

const ON: &str = "login_db: shop, objs: t";

/// A task, with these arguments behind those of [`ON`].
fn on(rest: &str) -> String {
    format!("psql-privs: {{{ON}, {rest}}}")
}

fn tables() -> Vec<Expect> {
    vec![
        case("PGP-01 a right on a table", "postgresql_privs: {db: shop, obj: t, priv: SELECT, role: app}")
            .on(t(&["boss SELECT"]))
            .changes(["table public.t for app: null -> \"SELECT\""]),
        case("PGP-01 it is there", &on("privs: SELECT, roles: app")).on(t(&["app SELECT"])),
        case("PGP-01 it is everybody's", &on("privs: SELECT, roles: app"))
            .on(t(&["boss SELECT", " SELECT"]))
            .changes(["table public.t for app: null -> \"SELECT\""]),
        case("PGP-02 one more", &on("privs: 'select,Update', roles: app"))
            .on(t(&["app SELECT"]))
            .changes(["table public.t for app: \"SELECT\" -> \"SELECT, UPDATE\""]),
        case("PGP-02 one less", &on("privs: [UPDATE], roles: app, state: absent"))
            .on(t(&["app SELECT", "app UPDATE"]))
            .changes(["table public.t for app: \"SELECT, UPDATE\" -> \"SELECT\""]),
        case("PGP-02 none at all", &on("privs: ALL, roles: app, state: absent"))
            .on(t(&["app SELECT", "app UPDATE"]))
            .changes(["table public.t for app: \"SELECT, UPDATE\" -> null"]),
        case("PGP-02 there is none", &on("privs: ALL, roles: app, state: absent")).on(t(&["boss SELECT"])),
        case("PGP-08 everybody, in any case", &on("privs: SELECT, roles: public"))
            .on(t(&[]))
            .changes(["table public.t for PUBLIC: null -> \"SELECT\""]),
        case("PGP-08 who logs in", &on("privs: SELECT, roles: Session_User"))
            .on(t(&[]))
            .changes(["table public.t for postgres: null -> \"SELECT\""]),
        case("PGP-11 hostile names", "psql-privs: {login_db: shop, objs: [\"x, \\\"y\"], privs: SELECT, roles: [\"a.b-C'\\\"; --\"]}")
            .on(says(host(), table("x, \"y"), Told::of(object("public.\"x, \"\"y\"", &[]))))
            .changes(["table public.x, \"y for a.b-C'\"; --"]),
    ]
}

fn options() -> Vec<Expect> {
    vec![
        case("PGP-09 it may be passed on", &on("privs: SELECT, roles: app, grant_option: true"))
            .on(t(&["app SELECT"]))
            .changes(["table public.t for app: \"SELECT\" -> \"SELECT*\""]),
        case("PGP-09 it may already", &on("privs: SELECT, roles: app, grant_option: true")).on(t(&["app SELECT*"])),
        case("PGP-09 no longer", &on("privs: SELECT, roles: app, grant_option: false"))
            .on(t(&["app SELECT*"]))
            .changes(["table public.t for app: \"SELECT*\" -> \"SELECT\""]),
        case("PGP-09 nothing is said of it", &on("privs: SELECT, roles: app")).on(t(&["app SELECT*"])),
        case("PGP-09 only that goes", &on("privs: SELECT, roles: app, grant_option: true, state: absent"))
            .on(t(&["app SELECT*"]))
            .changes(["table public.t for app: \"SELECT*\" -> \"SELECT\""]),
        case("others have it from there", &on("privs: SELECT, roles: app, state: absent"))
            .on(t(&["app SELECT*", "other/app SELECT"]))
            .refused("`SELECT` cannot be taken from `app`: it gave it to `other`"),
        case("it is another's gift", &on("privs: SELECT, roles: other, state: absent"))
            .on(t(&["app SELECT*", "other/app SELECT"]))
            .warns("`other` has `SELECT` from `app`, and only that role can take it away (`session_role: app`)"),
    ]
}

fn elsewhere() -> Vec<Expect> {
    let db = |rest: &str| format!("psql-privs: {{type: database, objs: shop, roles: app, {rest}}}");
    let named = |named, name: &str, rights: &[&str]| {
        says(
            host(),
            Kept::Named(named, name.to_owned()),
            Told::of(object(name, rights)),
        )
    };
    let public = || named(Named::Schema, "public", &[" USAGE"]);
    let group = |acl: &[Right]| {
        let object = Object {
            by: vec![String::new()],
            owner: String::new(),
            acl: acl.to_vec(),
            ..object("admins", &[])
        };
        let (login, question) = (login(), Question::Kept(Kept::Group("admins".to_owned())));
        host().answers(Sql { login, question }, Told::of(object))
    };
    let member = |grant| Right {
        by: String::new(),
        grant,
        ..right("app", "MEMBER")
    };
    let all = [
        right("app", "CONNECT"),
        right("app", "CREATE"),
        right("app", "TEMPORARY"),
    ];
    let f = Kept::One(
        Sort::Function,
        "public".to_owned(),
        "f(integer,text)".to_owned(),
    );
    vec![
        case("PGP-04 rights on a database", &db("privs: 'create,Connect'"))
            .on(shop(&[], true))
            .changes(["database shop for app: null -> \"CONNECT, CREATE\""]),
        case("PGP-04 the database it logs in to", "psql-privs: {type: database, db: shop, roles: app, privs: TEMP}")
            .on(shop(&[], true))
            .changes(["database shop for app: null -> \"TEMPORARY\""]),
        case("PGP-04 all, and they are there", &db("privs: ALL")).on(shop(&all, true)).warns_not(),
        case("all, but no table can be made", &db("privs: ALL"))
            .on(shop(&all, false))
            .warns("since PostgreSQL 15, rights on the database `shop` let `app` make no table in its schema `public`"),
        case("PGP-05 the schema public", "psql-privs: {db: shop, type: schema, objs: public, privs: ALL, roles: app}")
            .on(public())
            .changes(["schema public for app: null -> \"CREATE, USAGE\""]),
        case("a language", "psql-privs: {db: shop, type: language, objs: plpgsql, privs: ALL, roles: app}")
            .on(named(Named::Language, "plpgsql", &[]))
            .changes(["language plpgsql for app: null -> \"USAGE\""]),
        case("PGP-12 a function", "psql-privs: {db: shop, type: function, objs: 'f(integer:text)', privs: EXECUTE, roles: app}")
            .on(says(host(), f, Told::of(object("public.f(integer,text)", &[]))))
            .changes(["function public.f(integer,text) for app: null -> \"EXECUTE\""]),
        case("PGP-14 a member", "psql-privs: {type: group, objs: admins, roles: app}")
            .on(group(&[]))
            .changes(["role admins for app: null -> \"MEMBER\""]),
        case("PGP-14 it is one", "psql-privs: {type: group, objs: admins, roles: app}").on(group(&[member(true)])),
        case("PGP-14 a member that makes members", "psql-privs: {type: group, objs: admins, roles: app, admin_option: true}")
            .on(group(&[member(false)]))
            .changes(["role admins for app: \"MEMBER\" -> \"MEMBER*\""]),
        case("PGP-14 none any more", "psql-privs: {type: group, objs: admins, roles: app, state: absent}")
            .on(group(&[member(false)]))
            .changes(["role admins for app: \"MEMBER\" -> null"]),
    ]
}

fn to_come() -> Vec<Expect> {
    let made = |rights: &[&str]| {
        let kept = Kept::Default {
            role: "boss".to_owned(),
            schema: Some("s".to_owned()),
            letter: 'r',
        };
        says(host(), kept, Told::of(object("", rights)))
    };
    let task = |rest: &str| {
        format!(
            "psql-privs: {{db: shop, type: default_privs, target_roles: boss, schema: s, objs: tables, roles: app, {rest}}}"
        )
    };
    vec![
        case(
            "PGP-06 what a role will make",
            &task("privs: 'SELECT,INSERT'"),
        )
        .on(made(&[]))
        .changes(["tables of boss in s to come for app: null -> \"INSERT, SELECT\""]),
        case("PGP-06 it is so", &task("privs: SELECT")).on(made(&["app INSERT", "app SELECT"])),
        case("PGP-06 no longer", &task("privs: ALL, state: absent"))
            .on(made(&["app SELECT"]))
            .changes(["tables of boss in s to come for app: \"SELECT\" -> null"]),
        case(
            "PGP-06 of whom",
            "psql-privs: {db: shop, type: default_privs, objs: TABLES, privs: ALL, roles: app}",
        )
        .refused("`type: default_privs` needs `target_roles`"),
        case(
            "PGP-06 schemas in a schema",
            &task("privs: ALL").replace("tables", "SCHEMAS"),
        )
        .refused("`SCHEMAS` are in no `schema`"),
    ]
}

fn many() -> Vec<Expect> {
    let two = says(
        t(&[]),
        table("u"),
        Told::of(object("public.u", &["app SELECT"])),
    );
    let all = |all: &[(&str, &[&str])]| {
        let object = |(name, rights): &(&str, &[&str])| {
            (
                (*name).to_owned(),
                object(&format!("public.{name}"), rights),
            )
        };
        let all: BTreeMap<String, Object> = all.iter().map(object).collect();
        says(
            host(),
            Kept::All(Sort::Table, "public".to_owned()),
            Told::of(all),
        )
    };
    let none = says(
        host(),
        Kept::All(Sort::Table, "none".to_owned()),
        Told::of(None::<Object>),
    );
    let task = "psql-privs: {db: shop, objs: ALL_IN_SCHEMA, privs: SELECT, roles: app}";
    vec![
        case(
            "PGP-03 some on some",
            "psql-privs: {db: shop, objs: 't,u', privs: SELECT, roles: 'app,other'}",
        )
        .on(two)
        .changes([
            "table public.t for app: null -> \"SELECT\"",
            "table public.t for other: null -> \"SELECT\"",
            "table public.u for other: null -> \"SELECT\"",
        ]),
        case("PGP-07 all in a schema", task)
            .on(all(&[
                ("a", &["app SELECT"]),
                ("b", &[]),
                ("c", &["boss SELECT"]),
            ]))
            .changes([
                "public.b for app: null -> \"SELECT\"",
                "public.c for app: null -> \"SELECT\"",
            ]),
        case("PGP-07 none in a schema", task).on(all(&[])),
        case(
            "PGP-07 no such schema",
            "psql-privs: {db: shop, objs: ALL_IN_SCHEMA, schema: none, privs: SELECT, roles: app}",
        )
        .on(none)
        .not_yet("the schema `none` in the database `shop`"),
    ]
}

fn refused() -> Vec<Expect> {
    let gone = || says(host(), table("t"), Told::of(None::<Object>));
    let poor = Server {
        superuser: false,
        ..server()
    };
    let foreign = Object {
        by: Vec::new(),
        ..object("public.t", &[])
    };
    let standby = Server {
        read_only: "it is a standby".to_owned(),
        ..server()
    };
    vec![
        case("PGP-10 no such role", &on("privs: SELECT, roles: nobody"))
            .on(t(&[]))
            .not_yet("the role `nobody`"),
        case(
            "PGP-10 no such role, and that is fine",
            &on("privs: SELECT, roles: 'nobody,app', fail_on_role: false"),
        )
        .on(t(&["app SELECT"]))
        .warns("there is no role `nobody`: it is passed over"),
        case(
            "PGP-10 who is not there has no rights",
            &on("privs: SELECT, roles: nobody, state: absent"),
        )
        .on(t(&[])),
        case("no such table", &on("privs: SELECT, roles: app"))
            .on(gone())
            .not_yet("the table `public.t` in the database `shop`"),
        case(
            "no such table, and no rights on it",
            &on("privs: SELECT, roles: app, state: absent"),
        )
        .on(gone()),
        case(
            "PGP-12 a function without its arguments",
            "psql-privs: {db: shop, type: function, objs: f, privs: ALL, roles: app}",
        )
        .refused("`objs: f` has no arguments"),
        case(
            "PGP-15 all schemas in a schema",
            "psql-privs: {db: shop, type: schema, objs: ALL_IN_SCHEMA, privs: ALL, roles: app}",
        )
        .refused("`objs: ALL_IN_SCHEMA` needs `type: table`"),
        case("another's table", &on("privs: SELECT, roles: app"))
            .on(says(with(&poor), table("t"), Told::of(foreign)))
            .refused("the role `postgres` may neither give nor take `SELECT` on table public.t"),
        case("a standby", &on("privs: SELECT, roles: app"))
            .on(says(
                with(&standby),
                table("t"),
                Told::of(object("public.t", &[])),
            ))
            .refused("PostgreSQL takes no changes: it is a standby"),
        case("no right of tables", &on("privs: EXECUTE, roles: app"))
            .refused("there is no right `EXECUTE` on this"),
        case(
            "in which database",
            "psql-privs: {objs: t, privs: ALL, roles: app}",
        )
        .refused("`login_db` is missing"),
        case(
            "everybody passes it on",
            &on("privs: ALL, roles: PUBLIC, grant_option: true"),
        )
        .refused("`PUBLIC` can neither pass rights on nor be a member"),
        case(
            "a suspicious name",
            &on("privs: ALL, roles: 'a; DROP', trust_input: false"),
        )
        .refused("`roles` contains `;`, and `trust_input` is off"),
    ]
}
