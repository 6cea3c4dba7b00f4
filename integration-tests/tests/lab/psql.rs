//! PostgreSQL: roles, databases and all that is in them, on a server that runs.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

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

/// Looks at all command lines of this machine, those of its labs among them.
struct Watch {
    stop: Arc<AtomicBool>,
    thread: thread::JoinHandle<Vec<String>>,
}

impl Watch {
    fn new(secret: &'static str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut found = Vec::new();
            while !until.load(Ordering::Relaxed) {
                for entry in fs::read_dir("/proc").unwrap().flatten() {
                    let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
                    let line = String::from_utf8_lossy(&line).into_owned();
                    if line.contains(secret) {
                        found.push(line);
                    }
                }
                thread::yield_now();
            }
            found
        });
        Self { stop, thread }
    }

    fn found(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// The seed's statements, made right.
const AIRFLOW: &str = "
- name: the role
  psql-user:
    name: airflow
    password: \"s3cret-of'airflow\\\\\"
- name: the database
  psql-db:
    name: airflow
    owner: airflow
    encoding: UTF8
    template: template0
";

#[test]
#[ignore = "needs root and a lab"]
fn postgresql_is_kept_as_it_is_described() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().packages(&["postgresql"]).host("db").boot();
    let host = lab.host("db");
    until("PostgreSQL answers", || {
        host.is("runuser -u postgres -- psql -XqAtc 'SELECT 1'")
    });
    // All statements are logged, as a careless administrator may want it.
    sql(host, "postgres", "ALTER SYSTEM SET log_statement = 'all'");
    sql(host, "postgres", "SELECT pg_reload_conf()");
    let watch = Watch::new("s3cret");

    airflow(&lab, host);
    roles(&lab, host);
    databases(&lab, host);
    failures(&lab, host);

    // The password was on no command line, in no log and in no record; nor was its hash.
    assert_eq!(watch.found(), Vec::<String>::new());
    for hidden in ["s3cret", "SCRAM-SHA-256$"] {
        let found = format!("grep -rlF -- '{hidden}' /var/log /root /home /tmp || true");
        assert_eq!(host.sh(&found), "", "{hidden}");
        let journal = host.sh("journalctl -b -a --no-pager");
        assert!(!journal.contains(hidden), "{hidden}");
    }
    assert!(host.is("grep -rqF 'CREATE DATABASE' /var/log/postgresql"));
}

fn airflow(lab: &Lab, host: &Host) {
    lab.settles(&tasks(AIRFLOW)).changed(2).never_says("s3cret");
    let (status, said) = login(
        host,
        "airflow",
        PASSWORD,
        "airflow",
        "CREATE TABLE t (a int)",
    );
    assert_eq!((status, said.as_str()), (0, ""));
    let kind = "SELECT left(rolpassword, 14) FROM pg_authid WHERE rolname = 'airflow'";
    assert_eq!(sql(host, "postgres", kind), "SCRAM-SHA-256$");

    // Somebody changes it by hand.
    sql(
        host,
        "postgres",
        "SET log_statement = 'none'; ALTER ROLE airflow PASSWORD 'other'",
    );
    assert_ne!(login(host, "airflow", PASSWORD, "airflow", "SELECT 1").0, 0);
    lab.plan(&[]).ok().changed(1).outcome("the role", "changed");
    let run = lab.run(&[]).ok().changed(1);
    assert_eq!(run.task("the role").whats(), ["password"]);
    assert_eq!(
        login(host, "airflow", PASSWORD, "airflow", "SELECT 1"),
        (0, "1".to_owned())
    );
    lab.run(&[]).ok().changed(0).exchanges(1);

    // An old hash of the same password: replaced once.
    let old = format!(
        "SET log_statement = 'none'; SET password_encryption = md5; ALTER ROLE airflow PASSWORD '{}';",
        PASSWORD.replace('\'', "''")
    );
    host.write("/root/old.sql", &old);
    host.sh("runuser -u postgres -- psql -XqAt </root/old.sql; rm /root/old.sql");
    assert!(sql(host, "postgres", kind).starts_with("md5"));
    lab.run(&[]).ok().changed(1);
    assert_eq!(sql(host, "postgres", kind), "SCRAM-SHA-256$");

    // By TCP as another role, which may make roles and cannot read hashes.
    sql(
        host,
        "postgres",
        "CREATE ROLE maker LOGIN CREATEROLE PASSWORD 'maker-pw'",
    );
    let by_tcp = "
- name: by TCP
  psql-user: {name: small, comment: by maker, login_host: 127.0.0.1, login_user: maker, login_password: maker-pw, login_db: airflow}
";
    lab.settles(by_tcp).changed(1).never_says("maker-pw");
    sql(host, "postgres", "DROP ROLE small; DROP ROLE maker");
}

fn roles(lab: &Lab, host: &Host) {
    let run = lab.settles(&tasks(
        "
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
",
    ));
    assert_eq!(run.count("changed"), 6);
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

    // Single flags change, others stay; settings that are not named go; all of it goes.
    let run = lab.settles(&tasks(
        "
- name: everything
  psql-user: {name: all, role_attr_flags: LOGIN, expires: infinity, comment: '', configuration: {jit: false}, reset_unspecified_configuration: true}
",
    ));
    assert_eq!(
        run.task("everything").whats(),
        [
            "login",
            "expires",
            "comment",
            "configuration.search_path",
            "configuration.work_mem"
        ]
    );
    let flags =
        "SELECT rolcreatedb, rolcanlogin, rolvaliduntil FROM pg_roles WHERE rolname = 'all'";
    assert_eq!(sql(host, "postgres", flags), "t|t|infinity");
    let run = lab.settles(&tasks(
        "
- name: databases first
  psql-db: {name: --help, state: absent}
- name: then roles
  psql-user: {name: --version, state: absent}
- name: and more
  psql-user: {name: all, state: absent}
",
    ));
    assert_eq!(run.count("changed"), 3);
}

fn databases(lab: &Lab, host: &Host) {
    let run = lab.settles(&tasks(
        "
- name: an owner
  psql-user: {name: boss}
- name: a database
  postgresql_db: {name: shop, lc_collate: C, lc_ctype: C, template: template0, encoding: utf-8, conn_limit: '0', comment: mine, owner: boss}
- name: another
  psql-db: {name: old}
- name: renamed
  psql-db: {name: old, state: rename, target: new}
",
    ));
    assert_eq!(run.count("changed"), 4);
    let all = "SELECT datname, pg_get_userbyid(datdba), datcollate, datconnlimit, shobj_description(oid, 'pg_database') FROM pg_database WHERE datname IN ('shop', 'old', 'new') ORDER BY 1";
    assert_eq!(
        sql(host, "postgres", all),
        "new|postgres|C.UTF-8|-1|\nshop|boss|C|0|mine"
    );
    let run = lab.settles(&tasks(
        "
- name: a database
  psql-db: {name: shop, owner: postgres, conn_limit: 9, comment: ''}
- name: gone
  psql-db: {name: new, state: absent}
",
    ));
    assert_eq!(
        run.task("a database").whats(),
        ["owner", "conn_limit", "comment"]
    );
}

/// Each fails before anything is changed, with words that help.
fn failures(lab: &Lab, host: &Host) {
    let fails = |task: &str, words: &[&str]| {
        lab.tasks(&tasks(task));
        let mut run = lab.run(&[]).status(2).changed(0);
        for word in words {
            run = run.says(word);
        }
    };
    fails(
        "
- name: it owns things
  psql-user: {name: airflow, state: absent}
",
        &[
            "the role `airflow` cannot be removed: it owns 1 object of the server, owns 1 object of database `airflow`",
            "REASSIGN OWNED BY",
        ],
    );
    let sleep = "psql -Xq -d airflow -c 'SELECT pg_sleep(1000)'";
    host.sh(&format!(
        "systemd-run -q --collect --uid=postgres --unit=busy {sleep}"
    ));
    until("somebody is connected", || {
        sql(
            host,
            "postgres",
            "SELECT count(*) FROM pg_stat_activity WHERE datname = 'airflow'",
        ) == "1"
    });
    fails(
        "
- name: it is used
  psql-db: {name: airflow, state: absent}
",
        &[
            "the database `airflow` cannot be removed: it has sessions (1 of `postgres`)",
            "force: true",
        ],
    );
    lab.settles(&tasks(
        "
- name: by force
  psql-db: {name: airflow, state: absent, force: true}
",
    ))
    .changed(1);
    host.sh("systemctl stop busy 2>/dev/null || true");
    fails(
        "
- name: another encoding
  psql-db: {name: shop, encoding: LATIN1}
",
        &["changing `encoding` of a database is not supported: `shop` has `UTF8`, not `LATIN1`"],
    );
    fails(
        "
- name: no such role
  psql-db: {name: shop, owner: nobody}
",
        &["what it needs is missing: the role `nobody`"],
    );
    fails(
        "
- name: a wrong password
  psql-user: {name: boss, login_host: 127.0.0.1, login_user: airflow, login_password: no}
",
        &[
            "password authentication failed for user \\\"airflow\\\"",
            "correct `login_user` and `login_password`",
        ],
    );
    fails(
        "
- name: no server there
  psql-user: {name: boss, login_host: 127.0.0.1, login_port: 9}
",
        &[
            "Is the server running",
            "start it, or correct `login_host` and `login_port`",
        ],
    );
    fails(
        "
- name: no such session role
  psql-user: {name: boss, session_role: nobody}
",
        &["role \\\"nobody\\\" does not exist"],
    );
    sql(
        host,
        "postgres",
        "ALTER SYSTEM SET default_transaction_read_only = on",
    );
    sql(host, "postgres", "SELECT pg_reload_conf()");
    fails(
        "
- name: nothing can be written
  psql-user: {name: newcomer}
",
        &["PostgreSQL takes no changes: `default_transaction_read_only` is on"],
    );
    sql(
        host,
        "postgres",
        "SET default_transaction_read_only = off; ALTER SYSTEM RESET default_transaction_read_only",
    );
    sql(host, "postgres", "SELECT pg_reload_conf()");
    host.sh("systemctl stop postgresql.service 'postgresql@*'");
    lab.tasks(&tasks(
        "
- name: it starts
  systemd-unit: {name: postgresql@15-main, state: started}
  become_user: root
- name: a role
  psql-user: {name: later}
",
    ));
    lab.plan(&[]).ok().outcome("a role", "unknown");
    lab.run(&[]).ok().changed(2);
    lab.run(&[]).ok().changed(0).exchanges(1);
}
