//! A server of PostgreSQL that runs: what is kept in a database, its settings, and who may log in. One host, and few
//! runs: each looks at many things.

use evenkeel_integration_tests::{Ended, Host, Lab, need_lab, until};

/// The rules of the server.
const HBA: &str = "/etc/postgresql/15/main/pg_hba.conf";

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

/// Runs tasks that fail: nothing is changed but by tasks before, and something is said.
fn fails(lab: &Lab, task: &str, changed: u64, words: &[&str]) {
    lab.tasks(&tasks(task));
    let run = lab.run(&[]).status(2).changed(changed);
    words.iter().fold(run, |run: Ended, word| run.says(word));
}

#[test]
#[ignore = "needs root and a lab"]
fn a_server_is_kept_as_it_is_described() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().postgresql().host("db").boot();
    let host = lab.host("db");
    host.wait_for_postgresql();
    extensions(&lab, host);
    cluster(&lab, host);
    rules(&lab, host);
    settings(&lab, host);
}

/// Each extension with its version, schema and comment.
fn installed(host: &Host) -> String {
    sql(
        host,
        "shop",
        "SELECT extname, extversion, nspname, coalesce(obj_description(e.oid, 'pg_extension'), '-') \
         FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace \
         WHERE extname <> 'plpgsql' ORDER BY 1",
    )
}

fn extensions(lab: &Lab, host: &Host) {
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
    let there = installed(host);
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
        installed(host),
        format!("citext|1.6|{schema}|{citext}\npg_trgm|1.6|{schema}|-")
    );
    no_extensions(lab, host);
}

/// Each fails before anything is changed, with words that help.
fn no_extensions(lab: &Lab, host: &Host) {
    let before = installed(host);
    fails(
        lab,
        "
- name: nobody has it
  psql-ext: {name: no-such-extension, login_db: shop}
",
        0,
        &[
            "the extension `no-such-extension` on the host of PostgreSQL",
            "install the package it comes from",
        ],
    );
    fails(
        lab,
        "
- name: no way back
  psql-ext: {name: pg_trgm, login_db: shop, version: '1.3'}
",
        0,
        &["there is no way from version `1.6` of the extension `pg_trgm` to `1.3`"],
    );
    fails(
        lab,
        "
- name: not without the other
  psql-ext: {name: earthdistance, login_db: shop}
",
        0,
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
    assert_eq!(installed(host), before);
}

/// Logs in by TCP with a password; whether it succeeds, and what is said. The password is in a file, as it must be on
/// no command line.
fn login(host: &Host) -> (bool, String) {
    let line = format!(
        "PGPASSWORD=s3cret-of-airflow psql -XqAtw -h {} -U airflow -d airflow -c 'SELECT current_user' 2>&1\n",
        host.address()
    );
    host.write("/root/login.sh", &line);
    host.sh("chmod 600 /root/login.sh");
    let ended = host.try_sh("sh /root/login.sh; status=$?; rm /root/login.sh; exit $status");
    (ended.status == 0, ended.stdout.trim_end().to_owned())
}

/// From a server as its package makes it to one that others reach.
fn cluster(lab: &Lab, host: &Host) {
    let before = host.sh(&format!("cat {HBA}"));
    let address = host.address();
    let run = lab.settles(&tasks(&format!(
        "
- name: settings
  psql-set:
    settings:
      listen_addresses: [localhost, {address}]
      max_connections: 90
      work_mem: 16MB
      log_min_messages: warning
  register: set
- name: a restart
  systemd-unit: {{name: postgresql, state: restarted}}
  become_user: root
  when: set.restart_required
- name: a role
  psql-user: {{name: airflow, password: s3cret-of-airflow}}
- name: its database
  psql-db: {{name: airflow, owner: airflow}}
- name: its rule
  psql-pg-hba: {{contype: host, databases: airflow, users: airflow, address: {address}, method: scram-sha-256, comment: mine}}
- name: hostile
  psql-pg-hba: {{contype: local, users: ['a\"b, c # d', '$(touch /tmp/pwned)'], method: reject}}
"
    )));
    // What the server's default says already is no change.
    assert_eq!(run.count("changed"), 6);
    assert_eq!(
        run.task("settings").whats(),
        ["listen_addresses", "max_connections", "work_mem"]
    );
    assert_eq!(login(host), (true, "airflow".to_owned()));
    let show = "SELECT current_setting('max_connections'), current_setting('work_mem')";
    assert_eq!(sql(host, "postgres", show), "90|16MB");
    // All that was there is there, byte for byte.
    let after = host.sh(&format!("cat {HBA}"));
    let ours = |line: &&str| line.contains('\t');
    let kept = after.split_inclusive('\n').filter(|line| !ours(line));
    assert_eq!(kept.collect::<String>(), before);
    assert_eq!(
        after.lines().filter(ours).collect::<Vec<_>>(),
        [
            "local\tall\t\"a\"\"b, c # d\"\treject".to_owned(),
            "local\tall\t\"$(touch /tmp/pwned)\"\treject".to_owned(),
            format!("host\tairflow\tairflow\t{address}/32\tscram-sha-256\t# mine"),
        ]
    );
    let stat = host.sh(&format!("stat -c '%U:%G %a' {HBA}"));
    assert_eq!(stat.trim_end(), "postgres:postgres 640");
    let users = "SELECT user_name FROM pg_hba_file_rules WHERE auth_method = 'reject'";
    assert_eq!(
        sql(host, "postgres", users),
        "{\"a\\\"b, c # d\"}\n{\"$(touch /tmp/pwned)\"}"
    );
    assert!(!host.is("test -e /tmp/pwned"));
}

/// Rules that change, that somebody else wrote, and that are wrong.
fn rules(lab: &Lab, host: &Host) {
    let address = host.address();
    let rule = |method: &str| {
        tasks(&format!(
            "
- name: its rule
  postgresql_pg_hba: {{dest: {HBA}, reload: true, contype: host, databases: airflow, users: airflow, source: {address}, method: {method}}}
"
        ))
    };
    lab.settles(&rule("reject"));
    let (is_in, said) = login(host);
    assert!(
        !is_in && said.contains("pg_hba.conf rejects connection"),
        "{said}"
    );
    lab.settles(&rule("scram-sha-256"));
    assert!(login(host).0);
    // Somebody writes into the file, and tells nobody.
    until("the clock has gone on", || {
        sql(
            host,
            "postgres",
            "SELECT date_trunc('second', clock_timestamp()) > pg_conf_load_time()",
        ) == "t"
    });
    host.sh(&format!("echo '# by hand' >>{HBA}"));
    let run = lab.settles(&tasks(
        "
- name: it is there
  psql-pg-hba: {contype: local, users: postgres, method: peer}
",
    ));
    assert_eq!(run.task("it is there").whats(), ["read by the server"]);
    // What only the server can know to be wrong.
    let absent = "
- name: no server
  psql-pg-hba: {contype: host, users: x, address: 10.0.0.0/8, method: ldap, state: absent}
";
    fails(
        lab,
        &absent.replace(", state: absent", ""),
        0,
        &[
            "the server takes no rule of /etc/postgresql/15/main/pg_hba.conf, its line",
            "until then it goes on with the rules it has",
        ],
    );
    lab.settles(&tasks(absent));
    assert!(login(host).0);
    host.sh(&format!(
        "cp -p {HBA} /root/hba; echo 'host all all' >>{HBA}"
    ));
    fails(
        lab,
        absent,
        0,
        &[
            "is no rule: it has no address",
            "correct the line, or remove it",
        ],
    );
    host.sh(&format!("cp -p /root/hba {HBA}; rm /root/hba"));
}

/// Settings that are taken away, secret, wrong, or not read.
fn settings(lab: &Lab, host: &Host) {
    let run = lab.settles(&tasks(
        "
- name: away
  postgresql_set: {name: work_mem, reset: true}
- name: hostile
  psql-set: {name: cluster_name, value: \"it's \\\\ $(touch /tmp/pwned)\"}
- name: in another unit
  psql-set: {settings: {max_connections: '90', maintenance_work_mem: 65536kB}}
",
    ));
    assert_eq!(run.count("changed"), 2);
    let show = "SELECT current_setting('work_mem'), setting FROM pg_file_settings WHERE name = 'cluster_name' \
                ORDER BY seqno DESC LIMIT 1";
    assert_eq!(
        sql(host, "postgres", show),
        "4MB|it's \\ $(touch /tmp/pwned)"
    );
    assert!(!host.is("test -e /tmp/pwned"));
    fails(
        lab,
        "
- name: the server knows better
  psql-set: {name: log_destination, value: nowhere}
",
        0,
        &["invalid value for parameter \\\"log_destination\\\": \\\"nowhere\\\""],
    );
    fails(
        lab,
        "
- name: too much
  psql-set: {name: work_mem, value: 1PB}
",
        0,
        &[
            "`work_mem` is a number, and `1PB` is none",
            "a number and one of B, kB, MB, GB, TB",
        ],
    );
    fails(
        lab,
        "
- name: not there
  psql-set: {name: work_memory, value: 1MB}
",
        0,
        &["there is no setting `work_memory` in PostgreSQL 15"],
    );
    host.sh("echo no_such_setting = 1 >>/etc/postgresql/15/main/postgresql.conf");
    fails(
        lab,
        "
- name: not read
  psql-set: {name: work_mem, value: 8MB}
",
        0,
        &["the server would not read its configuration: unrecognized configuration parameter"],
    );
    host.sh("sed -i '$d' /etc/postgresql/15/main/postgresql.conf");
    let run = lab.settles(&tasks(
        "
- name: not read
  psql-set: {name: work_mem, value: 8MB}
",
    ));
    assert_eq!(run.task("not read").whats(), ["read by the server"]);
    assert_eq!(sql(host, "postgres", "SHOW work_mem"), "8MB");
}
