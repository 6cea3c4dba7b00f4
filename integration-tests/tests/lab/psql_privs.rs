//! Rights in PostgreSQL, on a server that runs. One host, and few runs: each looks at many things.

use evenkeel_integration_tests::{Host, Lab, need_lab};

/// What the server answers.
fn sql(host: &Host, database: &str, sql: &str) -> String {
    host.write("/root/ask.sql", sql);
    let line = format!(
        "runuser -u postgres -- psql -XqAt -v ON_ERROR_STOP=1 -d {database} </root/ask.sql"
    );
    host.sh(&line).trim_end().to_owned()
}

/// Logs in by TCP, and what it says there.
fn by(host: &Host, user: &str, database: &str, sql: &str) -> (i32, String) {
    host.write("/root/by.sql", sql);
    let line = format!(
        "PGPASSWORD=secret psql -XqAtw -v ON_ERROR_STOP=1 -h 127.0.0.1 -U {user} -d {database} </root/by.sql 2>&1"
    );
    let ended = host.try_sh(&line);
    (ended.status, ended.stdout.trim_end().to_owned())
}

/// The tasks of the play, as the system's user of the server.
fn tasks(text: &str) -> String {
    format!("\nbecome: true\nbecome_user: postgres\ntasks:\n{text}")
}

/// What there is to have rights on, with names that try to break out.
const WORLD: &str = r#"
CREATE ROLE reader LOGIN PASSWORD 'secret';
CREATE ROLE writer LOGIN PASSWORD 'secret';
CREATE ROLE boss LOGIN PASSWORD 'secret';
CREATE ROLE clerk;
CREATE ROLE admins;
CREATE ROLE old;
CREATE ROLE "a.b-C'\""; DROP ROLE old; -- $(touch /tmp/pwned)";
GRANT boss TO clerk;
CREATE DATABASE shop OWNER boss;
\connect shop
SET ROLE boss;
CREATE SCHEMA stock;
CREATE SCHEMA empty;
CREATE TABLE stock.items (id serial PRIMARY KEY, name text);
CREATE TABLE stock.sold (id int) PARTITION BY RANGE (id);
CREATE TABLE stock.sold1 PARTITION OF stock.sold FOR VALUES FROM (1) TO (9);
CREATE VIEW stock.names AS SELECT name FROM stock.items;
CREATE MATERIALIZED VIEW stock.kept AS SELECT 1 AS a;
CREATE TABLE "t'"" ; -- x" (a int);
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE FUNCTION stock.f(a int, b text) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION stock.f() RETURNS int LANGUAGE sql AS 'SELECT 2';
CREATE PROCEDURE stock.p(a int) LANGUAGE sql AS 'SELECT 1';
REVOKE ALL ON FUNCTION stock.f(int, text), stock.f() FROM PUBLIC;
GRANT SELECT ON stock.items TO old;
GRANT SELECT ON stock.items TO writer WITH GRANT OPTION;
RESET ROLE;
CREATE FOREIGN DATA WRAPPER wrapper;
CREATE SERVER far FOREIGN DATA WRAPPER wrapper;
"#;

/// All kinds of rights.
const GRANT: &str = r#"
- name: airflow
  psql-user: {name: airflow, password: secret}
- name: its database
  psql-db: {name: airflow, encoding: UTF8, template: template0}
- name: the database
  postgresql_privs: {type: database, db: airflow, privs: ALL, roles: airflow}
- name: a table
  postgresql_privs: {db: shop, schema: stock, objs: items, privs: 'select,INSERT', role: reader}
- name: everything in a schema
  psql-privs: {db: shop, schema: stock, objs: ALL_IN_SCHEMA, privs: SELECT, roles: 'reader,public'}
- name: no tables
  psql-privs: {db: shop, schema: empty, objs: ALL_IN_SCHEMA, privs: ALL, roles: reader}
- name: sequences
  psql-privs: {db: shop, schema: stock, type: sequence, objs: ALL_IN_SCHEMA, privs: USAGE, roles: reader}
- name: a function
  psql-privs: {db: shop, schema: stock, type: function, objs: 'f(int:text)', privs: EXECUTE, roles: reader}
- name: procedures
  psql-privs: {db: shop, schema: stock, type: procedure, objs: ALL_IN_SCHEMA, privs: ALL, roles: reader}
- name: schemas
  psql-privs: {db: shop, type: schema, objs: 'stock,empty', privs: USAGE, roles: 'reader,writer'}
- name: a type
  psql-privs: {db: shop, type: type, objs: mood, privs: USAGE, roles: reader, grant_option: true}
- name: a language
  psql-privs: {db: shop, type: language, objs: plpgsql, privs: USAGE, roles: reader}
- name: a wrapper
  psql-privs: {db: shop, type: foreign_data_wrapper, objs: wrapper, privs: ALL, roles: reader}
- name: a server
  psql-privs: {db: shop, type: foreign_server, objs: far, privs: ALL, roles: reader}
- name: a tablespace
  psql-privs: {type: tablespace, objs: pg_default, privs: CREATE, roles: reader}
- name: a parameter
  psql-privs: {type: parameter, objs: 'log_statement,my.Own', privs: ALL, roles: reader}
- name: members
  psql-privs: {type: group, objs: admins, roles: [reader, writer], admin_option: true}
- name: what boss will make
  psql-privs: {db: shop, type: default_privs, target_roles: boss, schema: stock, objs: 'TABLES,SEQUENCES', privs: ALL, roles: writer}
- name: what boss will make anywhere
  psql-privs: {db: shop, type: default_privs, target_roles: boss, objs: ALL_DEFAULT, privs: ALL, roles: reader}
- name: functions are not for everybody
  psql-privs: {db: shop, type: default_privs, target_roles: boss, objs: FUNCTIONS, privs: ALL, roles: PUBLIC, state: absent}
- name: hostile
  psql-privs: {db: shop, objs: ["t'\" ; -- x"], privs: ALL, roles: ["a.b-C'\\\"; DROP ROLE old; -- $(touch /tmp/pwned)"], grant_option: true}
- name: the owner
  psql-privs: {db: shop, objs: ["t'\" ; -- x"], privs: SELECT, roles: boss, grant_option: true}
- name: old
  psql-privs: {db: shop, schema: stock, objs: items, privs: ALL, roles: old, state: absent}
"#;

/// What is taken away again, and what was never there.
const REVOKE: &str = r"
- name: a table
  psql-privs: {db: shop, schema: stock, objs: items, privs: INSERT, roles: reader, state: absent}
- name: everything in a schema
  psql-privs: {db: shop, schema: stock, objs: ALL_IN_SCHEMA, privs: ALL, roles: public, state: absent}
- name: no longer to be passed on
  psql-privs: {db: shop, type: type, objs: mood, privs: USAGE, roles: reader, grant_option: false}
- name: members
  psql-privs: {type: group, objs: admins, roles: writer, state: absent}
- name: no longer made by boss
  psql-privs: {db: shop, type: default_privs, target_roles: boss, schema: stock, objs: 'TABLES,SEQUENCES', privs: ALL, roles: writer, state: absent}
- name: a member of boss gives in its name
  psql-privs: {db: shop, session_role: clerk, schema: stock, objs: sold, privs: INSERT, roles: reader}
- name: who may pass it on does
  psql-privs: {db: shop, session_role: writer, schema: stock, objs: items, privs: SELECT, roles: clerk}
- name: nobody
  psql-privs: {db: shop, schema: stock, objs: 'items,gone', privs: ALL, roles: nobody, state: absent}
- name: the schema public
  psql-privs: {db: airflow, type: schema, objs: public, privs: ALL, roles: airflow}
";

/// Each fails with words that help, and changes nothing.
const FAILURES: &str = "
- name: no such table
  psql-privs: {db: shop, objs: gone, privs: ALL, roles: reader}
  ignore_errors: true
- name: no such database
  psql-privs: {db: gone, objs: t, privs: ALL, roles: reader}
  ignore_errors: true
- name: no such role
  psql-privs: {db: shop, schema: stock, objs: items, privs: ALL, roles: nobody}
  ignore_errors: true
- name: another's
  psql-privs: {db: shop, session_role: reader, schema: stock, objs: sold, privs: INSERT, roles: writer}
  ignore_errors: true
- name: others have it from it
  psql-privs: {db: shop, schema: stock, objs: items, privs: ALL, roles: writer, state: absent}
  ignore_errors: true
- name: no such type of a function
  psql-privs: {db: shop, schema: stock, type: function, objs: 'f(gone)', privs: ALL, roles: reader}
  ignore_errors: true
- name: a wrong type of a function
  psql-privs: {db: shop, schema: stock, type: function, objs: 'f(text)', privs: ALL, roles: reader}
  ignore_errors: true
";

/// All access lists of a database, and members.
const LISTS: &str = "
SELECT 'class', oid::regclass::text, relacl::text FROM pg_class WHERE relacl IS NOT NULL UNION ALL
SELECT 'schema', nspname, nspacl::text FROM pg_namespace UNION ALL
SELECT 'routine', oid::regprocedure::text, proacl::text FROM pg_proc WHERE proacl IS NOT NULL UNION ALL
SELECT 'default', defaclobjtype::text || defaclnamespace::regnamespace::text, defaclacl::text FROM pg_default_acl UNION ALL
SELECT 'database', datname, datacl::text FROM pg_database UNION ALL
SELECT 'member', roleid::regrole::text || member::regrole, admin_option::text FROM pg_auth_members
ORDER BY 1, 2";

#[test]
#[ignore = "needs root and a lab"]
fn rights_are_as_they_are_described() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().postgresql().host("db").boot();
    let host = lab.host("db");
    host.wait_for_postgresql();
    sql(host, "postgres", WORLD);
    granted(&lab, host);
    revoked(&lab, host);
    failures(&lab, host);
}

fn granted(lab: &Lab, host: &Host) {
    // The plan leaves all lists as they are.
    let before = sql(host, "shop", LISTS);
    lab.tasks(&tasks(GRANT));
    lab.plan(&[]).ok();
    assert_eq!(sql(host, "shop", LISTS), before);
    let run = lab.settles(&tasks(GRANT));
    assert_eq!(run.count("changed"), 22);
    assert!(!host.is("test -e /tmp/pwned"));
    let table = "CREATE TABLE t (a int)";
    // Rights on the database are not enough, and that is told.
    let (status, said) = by(host, "airflow", "airflow", table);
    assert!(
        status != 0 && said.contains("permission denied for schema public"),
        "{said}"
    );
    lab.run(&[])
        .ok()
        .changed(0)
        .says("since PostgreSQL 15, rights on the database `airflow` let `airflow` make no table");

    let reads = "SELECT count(*) FROM stock.names; SELECT count(*) FROM stock.sold; SELECT a FROM stock.kept; \
        INSERT INTO stock.items (name) VALUES ('x'); SELECT stock.f(1, 'x'); CALL stock.p(1); SELECT 'good'::mood;";
    assert_eq!(
        by(host, "reader", "shop", reads),
        (0, "0\n0\n1\n1\ngood".to_owned())
    );
    for denied in [
        "SELECT stock.f()",
        "DELETE FROM stock.items",
        "CREATE TABLE stock.mine (a int)",
    ] {
        let (status, said) = by(host, "reader", "shop", denied);
        assert!(status != 0 && said.contains("permission denied"), "{said}");
    }
    // What boss makes later is there for others.
    let made = "CREATE TABLE stock.later (a int); CREATE TABLE public.later (a int); CREATE FUNCTION stock.later() \
        RETURNS int LANGUAGE sql AS 'SELECT 3';";
    assert_eq!(by(host, "boss", "shop", made), (0, String::new()));
    let (status, said) = by(
        host,
        "writer",
        "shop",
        "INSERT INTO stock.later VALUES (1); SELECT stock.later()",
    );
    assert!(
        status != 0 && said.contains("permission denied for function later"),
        "{said}"
    );
    let later =
        "SELECT count(*) FROM stock.later; SELECT count(*) FROM public.later; SELECT stock.later()";
    assert_eq!(by(host, "reader", "shop", later), (0, "1\n0\n3".to_owned()));
}

fn revoked(lab: &Lab, host: &Host) {
    let run = lab.settles(&tasks(REVOKE));
    assert_eq!(run.count("changed"), 8);
    assert_eq!(
        by(host, "airflow", "airflow", "CREATE TABLE t (a int)"),
        (0, String::new())
    );
    let (status, said) = by(
        host,
        "reader",
        "shop",
        "INSERT INTO stock.items (name) VALUES ('x')",
    );
    assert!(status != 0 && said.contains("permission denied"), "{said}");
    let acl = "SELECT relacl FROM pg_class WHERE oid = 'stock.items'::regclass";
    let acl = sql(host, "shop", acl);
    assert_eq!(
        acl,
        "{boss=arwdDxt/boss,writer=r*/boss,reader=r/boss,clerk=r/writer}"
    );
    let members = "SELECT member::regrole, admin_option FROM pg_auth_members WHERE roleid = 'admins'::regrole";
    assert_eq!(sql(host, "shop", members), "reader|t");
}

fn failures(lab: &Lab, host: &Host) {
    let before = sql(host, "shop", LISTS);
    lab.tasks(&tasks(FAILURES));
    let mut run = lab.run(&[]).ok().changed(0);
    for words in [
        "what it needs is missing: the table `public.gone` in the database `shop`",
        "what it needs is missing: the database `gone`",
        "what it needs is missing: the role `nobody`",
        "the role `reader` may neither give nor take `INSERT` on table stock.sold: it has not the rights of its \
         owner `boss`, nor may it pass these on",
        "log in as `boss` or as a superuser",
        "table stock.items: `SELECT` cannot be taken from `writer`: it gave it to `clerk`",
        "take it from `clerk` first (`session_role: writer`)",
        "type \\\"gone\\\" does not exist",
        "the function `stock.f(text)` in the database `shop`",
    ] {
        run = run.says(words);
    }
    assert_eq!(sql(host, "shop", LISTS), before);
}
