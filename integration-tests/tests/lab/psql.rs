//! PostgreSQL: roles, databases and rights, on a server that runs. One host, and few runs: each looks at many things.

use evenkeel_integration_tests::{Host, Lab, need_lab, until};

/// What is looked for everywhere.
const PASSWORD: &str = "s3cret-of'airflow\\";

const AS: &str = "
become: true
become_user: postgres
tasks:
";

/// The tasks of the play, as the system's user of the server.
fn tasks(text: &str) -> String {
    format!("{AS}{text}")
}

/// What the server answers.
fn sql(host: &Host, database: &str, sql: &str) -> String {
    let quoted = sql.replace('\'', "'\\''");
    let line = format!("runuser -u postgres -- psql -XqAt -d {database} -c '{quoted}'");
    host.sh(&line).trim_end().to_owned()
}

/// Logs in by TCP with a password; how it ended and what was said. The password is in a file, as it
/// must be on no command line.
fn login(host: &Host, user: &str, password: &str, database: &str, sql: &str) -> (i32, String) {
    let quote = |text: &str| text.replace('\'', "'\\''");
    let line = format!(
        "PGPASSWORD='{}' psql -XqAtw -h 127.0.0.1 -U {user} -d {database} -c '{}' 2>&1\n",
        quote(password),
        quote(sql)
    );
    host.write("/root/login.sh", &line);
    let ended = host.try_sh("sh /root/login.sh; status=$?; rm /root/login.sh; exit $status");
    (ended.status, ended.stdout.trim_end().to_owned())
}

/// The first play: what a database server is made of, and names that try to break out.
const MAKE: &str = "
- name: the role
  psql-user: {name: airflow, password: \"s3cret-of'airflow\\\\\"}
- name: the database
  psql-db: {name: airflow, owner: airflow, encoding: UTF8, template: template0}
- name: by TCP
  psql-user: {name: small, comment: by maker, login_host: 127.0.0.1, login_user: maker, login_password: s3cret-maker}
- name: everything
  postgresql_user:
    name: all
    role_attr_flags: CREATEDB,nologin,Replication
    expires: '2031-02-03 04:05'
    conn_limit: 0
    comment: \"it's $(touch /tmp/pwned) \\\\ \\n \"
    configuration: {work_mem: 16MB, search_path: '\"$user\", public', jit: false}
- name: hostile
  psql-user: {name: \"a.b-C'\\\\\\\"; DROP ROLE all; -- $(touch /tmp/pwned) ☃\", comment: \"'; DROP ROLE all; --\"}
- name: dashes
  psql-user: {name: --version}
- name: a line break
  psql-user: {name: \"a\\nb\\tc\"}
- name: its owner
  psql-db: {name: \"a.b-C'\\\\\\\"; DROP ROLE all; -- $(touch /tmp/pwned) ☃\", owner: \"a\\nb\\tc\", comment: \"\\\\! touch /tmp/pwned\"}
- name: the database of dashes
  psql-db: {name: --help, owner: --version}
- name: a shop
  postgresql_db: {name: shop, lc_collate: C, lc_ctype: C, template: template0, encoding: utf-8, conn_limit: '0', comment: mine, owner: all}
- name: old
  psql-db: {name: old}
";

/// The second: what somebody changed by hand is as it was, and what is wanted now is another.
const CHANGE: &str = "
- name: the role
  psql-user: {name: airflow, password: \"s3cret-of'airflow\\\\\"}
- name: everything
  psql-user: {name: all, password: s3cret-of-all, role_attr_flags: LOGIN, expires: infinity, comment: '', configuration: {jit: false}, reset_unspecified_configuration: true}
- name: a shop
  psql-db: {name: shop, owner: postgres, conn_limit: 9, comment: ''}
- name: renamed
  psql-db: {name: old, state: rename, target: new}
";

const REMOVE: &str = "
- name: by force
  psql-db: {name: airflow, state: absent, force: true}
- name: databases first
  psql-db: {name: --help, state: absent}
- name: then roles
  psql-user: {name: --version, state: absent}
- name: and more
  psql-user: {name: small, state: absent}
";

#[test]
#[ignore = "needs root and a lab"]
fn postgresql_is_kept_as_it_is_described() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().postgresql().host("db").boot();
    let host = lab.host("db");
    host.wait_for_postgresql();
    // All statements are logged, as a careless administrator may want it.
    sql(
        host,
        "postgres",
        "CREATE ROLE maker LOGIN CREATEROLE PASSWORD $$s3cret-maker$$",
    );
    sql(host, "postgres", "ALTER SYSTEM SET log_statement = $$all$$");
    sql(host, "postgres", "SELECT pg_reload_conf()");

    made(&lab, host);
    changed(&lab, host);
    failures(&lab, host);
    removed(&lab, host);
    started(&lab, host);

    // Nor are verifiers of passwords in a log, which the lab does not know for secrets.
    let verifier = "'SCRAM-SHA-256$'";
    let found = format!("grep -rlF -- {verifier} /var/log /root /home /tmp || true");
    assert_eq!(host.sh(&found), "");
    assert!(host.is(&format!(
        "! journalctl -b -a --no-pager | grep -qF {verifier}"
    )));
    assert!(host.is("grep -rqF 'CREATE DATABASE' /var/log/postgresql"));
}

/// How the password of `airflow` is kept.
const KIND: &str = "SELECT left(rolpassword, 14) FROM pg_authid WHERE rolname = 'airflow'";

fn made(lab: &Lab, host: &Host) {
    let run = lab.settles(&tasks(MAKE)).never_says("s3cret");
    assert_eq!(run.count("changed"), 11);
    let table = "CREATE TABLE t (a int)";
    let logged_in = login(host, "airflow", PASSWORD, "airflow", table);
    assert_eq!(logged_in, (0, String::new()));
    assert_eq!(sql(host, "postgres", KIND), "SCRAM-SHA-256$");
    let flags = "SELECT rolcreatedb, rolcanlogin, rolreplication, rolconnlimit, rolvaliduntil FROM pg_roles WHERE rolname = 'all'";
    assert_eq!(
        sql(host, "postgres", flags),
        "t|f|t|0|2031-02-03 04:05:00+00"
    );
    let settings = "SELECT unnest(setconfig) FROM pg_db_role_setting ORDER BY 1";
    assert_eq!(
        sql(host, "postgres", settings),
        "jit=off\nsearch_path=\"$user\", public\nwork_mem=16MB"
    );
    let owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname LIKE 'a.b%' OR datname = '--help' ORDER BY datname";
    assert_eq!(sql(host, "postgres", owner), "--version\na\nb\tc");
    assert!(!host.is("test -e /tmp/pwned"));
}

fn changed(lab: &Lab, host: &Host) {
    // Somebody kept the password in the old way, another one's at all.
    let old = format!(
        "SET log_statement = 'none'; SET password_encryption = md5; ALTER ROLE airflow PASSWORD '{}';
         ALTER ROLE \"all\" PASSWORD 'other';",
        PASSWORD.replace('\'', "''")
    );
    host.write("/root/old.sql", &old);
    host.sh("runuser -u postgres -- psql -XqAt </root/old.sql; rm /root/old.sql");
    assert!(sql(host, "postgres", KIND).starts_with("md5"));
    lab.tasks(&tasks(CHANGE));
    let run = lab.run(&[]).ok().changed(4).never_says("s3cret");
    assert_eq!(run.task("the role").whats(), ["password"]);
    assert_eq!(
        run.task("everything").whats(),
        [
            "login",
            "expires",
            "password",
            "comment",
            "configuration.search_path",
            "configuration.work_mem"
        ]
    );
    assert_eq!(
        run.task("a shop").whats(),
        ["owner", "conn_limit", "comment"]
    );
    lab.run(&[]).ok().changed(0).exchanges(1);
    assert_eq!(sql(host, "postgres", KIND), "SCRAM-SHA-256$");
    for user in ["airflow", "all"] {
        let password = if user == "all" {
            "s3cret-of-all"
        } else {
            PASSWORD
        };
        sql(host, "postgres", "ALTER ROLE \"all\" CONNECTION LIMIT 5");
        let logged_in = login(host, user, password, "airflow", "SELECT 1");
        assert_eq!(logged_in, (0, "1".to_owned()));
    }
    let all = "SELECT datname, pg_get_userbyid(datdba), datcollate, datconnlimit, shobj_description(oid, 'pg_database') FROM pg_database WHERE datname IN ('shop', 'old', 'new') ORDER BY 1";
    let shown = sql(host, "postgres", all);
    assert!(shown.contains("shop|postgres|C|9|"), "{shown}");
    assert!(shown.contains("new|") && !shown.contains("old|"), "{shown}");
}

/// Each fails with words that help, and changes nothing.
const FAILURES: &str = "
- name: it owns things
  psql-user: {name: airflow, state: absent}
  ignore_errors: true
- name: it is used
  psql-db: {name: airflow, state: absent}
  ignore_errors: true
- name: another encoding
  psql-db: {name: shop, encoding: LATIN1}
  ignore_errors: true
- name: no such role
  psql-db: {name: shop, owner: nobody}
  ignore_errors: true
- name: a wrong password
  psql-user: {name: boss, login_host: 127.0.0.1, login_user: airflow, login_password: no}
  ignore_errors: true
- name: no server there
  psql-user: {name: boss, login_host: 127.0.0.1, login_port: 9}
  ignore_errors: true
- name: no such session role
  psql-user: {name: boss, session_role: nobody}
  ignore_errors: true
";

fn failures(lab: &Lab, host: &Host) {
    let sleep = "psql -Xq -d airflow -c 'SELECT pg_sleep(1000)'";
    host.sh(&format!(
        "systemd-run -q --collect --uid=postgres --unit=busy {sleep}"
    ));
    until("somebody is connected", || {
        let count = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'airflow'";
        sql(host, "postgres", count) == "1"
    });
    lab.tasks(&tasks(FAILURES));
    let mut run = lab.run(&[]).ok().changed(0);
    for words in [
        "the role `airflow` cannot be removed: it owns 1 object of the server, owns 1 object of database `airflow`",
        "REASSIGN OWNED BY",
        "the database `airflow` cannot be removed: it has sessions (1 of `postgres`)",
        "force: true",
        "changing `encoding` of a database is not supported: `shop` has `UTF8`, not `LATIN1`",
        "what it needs is missing: the role `nobody`",
        "password authentication failed for user \\\"airflow\\\"",
        "correct `login_user` and `login_password`",
        "Is the server running",
        "start it, or correct `login_host` and `login_port`",
        "role \\\"nobody\\\" does not exist",
    ] {
        run = run.says(words);
    }
}

fn removed(lab: &Lab, host: &Host) {
    let run = lab.settles(&tasks(REMOVE));
    assert_eq!(run.count("changed"), 4);
    host.sh("systemctl stop busy 2>/dev/null || true");
}

/// A server that takes no changes, and one that an earlier task starts.
fn started(lab: &Lab, host: &Host) {
    sql(
        host,
        "postgres",
        "ALTER SYSTEM SET default_transaction_read_only = on",
    );
    sql(host, "postgres", "SELECT pg_reload_conf()");
    lab.tasks(&tasks(
        "
- name: nothing can be written
  psql-user: {name: newcomer}
",
    ));
    lab.run(&[])
        .status(2)
        .changed(0)
        .says("PostgreSQL takes no changes: `default_transaction_read_only` is on");
    let writes = "SET default_transaction_read_only = off";
    let reset = "ALTER SYSTEM RESET default_transaction_read_only";
    host.sh(&format!(
        "runuser -u postgres -- psql -XqAt -c '{writes}' -c '{reset}'"
    ));
    host.sh("systemctl stop postgresql.service 'postgresql@*'");
    lab.tasks(&tasks(
        "
- name: it starts
  systemd-unit: {name: postgresql.service, state: restarted}
  become_user: root
- name: a role
  psql-user: {name: later}
",
    ));
    lab.plan(&[]).ok().outcome("a role", "unknown");
    lab.run(&[]).ok().changed(2);
    assert_eq!(
        sql(
            host,
            "postgres",
            "SELECT count(*) FROM pg_roles WHERE rolname = 'later'"
        ),
        "1"
    );
}
