//! What is kept in a database of PostgreSQL, on a server that runs.

use evenkeel_integration_tests::{Host, Lab, need_lab, until};

/// The tasks of the play, as the system's user of the server.
fn tasks(text: &str) -> String {
    format!("\nbecome: true\nbecome_user: postgres\ntasks:\n{text}")
}

/// What the server answers.
fn sql(host: &Host, database: &str, sql: &str) -> String {
    let quoted = sql.replace('\'', "'\\''");
    let line = format!("runuser -u postgres -- psql -XqAt -d {database} -c '{quoted}'");
    host.sh(&line).trim_end().to_owned()
}

/// Each extension with its version, schema and comment.
fn extensions(host: &Host) -> String {
    sql(
        host,
        "shop",
        "SELECT extname, extversion, nspname, coalesce(obj_description(e.oid, 'pg_extension'), '-') \
         FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace \
         WHERE extname <> 'plpgsql' ORDER BY 1",
    )
}

#[test]
#[ignore = "needs root and a lab"]
fn extensions_are_kept_as_they_are_described() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().packages(&["postgresql"]).host("db").boot();
    let host = lab.host("db");
    until("PostgreSQL answers", || {
        host.is("runuser -u postgres -- psql -XqAtc 'SELECT 1'")
    });
    sql(host, "postgres", "CREATE DATABASE shop");
    let schema = "ext \"$(touch /tmp/pwned)'";
    sql(
        host,
        "shop",
        "CREATE SCHEMA \"ext \"\"$(touch /tmp/pwned)'\"",
    );

    let run = lab.settles(&tasks(
        "
- name: new
  postgresql_ext: {name: pg_trgm, db: shop, version: '1.3', comment: \"it's \\\\ $(touch /tmp/pwned)\"}
- name: its own comment
  psql-ext: {name: citext, login_db: shop, schema: \"ext \\\"$(touch /tmp/pwned)'\"}
- name: a name with a dash
  psql-ext: {name: uuid-ossp, login_db: shop, comment: ''}
- name: with what it needs
  psql-ext: {name: earthdistance, login_db: shop, cascade: true}
- name: a new database
  psql-db: {name: fresh}
- name: in the new database
  psql-ext: {name: hstore, login_db: fresh}
- name: there since ever
  psql-ext: {name: plpgsql, login_db: shop}
",
    ));
    assert_eq!(run.count("changed"), 6);
    assert_eq!(sql(host, "fresh", "SELECT 'a=>1'::hstore -> 'a'"), "1");
    let citext = "data type for case-insensitive character strings";
    let there = extensions(host);
    let lines: Vec<&str> = there.lines().collect();
    assert_eq!(lines[0], format!("citext|1.6|{schema}|{citext}"));
    assert!(lines[1].starts_with("cube|"), "{there}");
    assert!(lines[2].starts_with("earthdistance|"), "{there}");
    assert_eq!(lines[3], "pg_trgm|1.3|public|it's \\ $(touch /tmp/pwned)");
    assert_eq!(lines[4], "uuid-ossp|1.1|public|-");
    assert!(!host.is("test -e /tmp/pwned"));

    let run = lab.settles(&tasks(
        "
- name: newer, moved
  psql-ext: {name: pg_trgm, login_db: shop, version: latest, schema: \"ext \\\"$(touch /tmp/pwned)'\", comment: ''}
- name: gone, and what needs it
  psql-ext: {name: cube, login_db: shop, state: absent, cascade: true}
- name: gone
  psql-ext: {name: uuid-ossp, login_db: shop, state: absent}
- name: never there
  psql-ext: {name: no-such-extension, login_db: shop, state: absent}
",
    ));
    assert_eq!(run.count("changed"), 3);
    assert_eq!(
        run.task("newer, moved").whats(),
        ["version", "schema", "comment"]
    );
    assert_eq!(
        extensions(host),
        format!("citext|1.6|{schema}|{citext}\npg_trgm|1.6|{schema}|-")
    );
    failures(&lab, host);
}

/// Each fails before anything is changed, with words that help.
fn failures(lab: &Lab, host: &Host) {
    let before = extensions(host);
    let fails = |task: &str, words: &[&str]| {
        lab.tasks(&tasks(task));
        let mut run = lab.run(&[]).status(2).changed(0);
        for word in words {
            run = run.says(word);
        }
    };
    fails(
        "
- name: nobody has it
  psql-ext: {name: no-such-extension, login_db: shop}
",
        &[
            "the extension `no-such-extension` on the host of PostgreSQL",
            "install the package it comes from",
        ],
    );
    fails(
        "
- name: no way back
  psql-ext: {name: pg_trgm, login_db: shop, version: '1.3'}
",
        &["there is no way from version `1.6` of the extension `pg_trgm` to `1.3`"],
    );
    fails(
        "
- name: not without the other
  psql-ext: {name: earthdistance, login_db: shop}
",
        &["the extension `cube`, which `earthdistance` needs"],
    );
    sql(
        host,
        "shop",
        "CREATE TABLE t (a \"ext \"\"$(touch /tmp/pwned)'\".citext)",
    );
    lab.tasks(&tasks(
        "
- name: it is used
  psql-ext: {name: citext, login_db: shop, state: absent}
",
    ));
    lab.run(&[])
        .status(2)
        .says("cannot drop extension citext because other objects depend on it");
    assert_eq!(extensions(host), before);
}
