//! SQL of a playbook, on a server of PostgreSQL that runs. One host, and few runs: each looks at many things.

use evenkeel_integration_tests::{Ended, Host, Lab, need_lab};

/// A text that tries to be more than one.
const HOSTILE: &str = r#"it's $$ $(touch /tmp/pwned) `id` \\ \" \n\t☃ %s %(x)s :USER :'PORT'; DROP TABLE t; -- /* E'\\'"#;

/// The tasks of the play, as the system's user of the server.
fn tasks(text: &str) -> String {
    format!(
        "\nvars:\n  hostile: \"{HOSTILE}\"\nbecome: true\nbecome_user: postgres\ntasks:\n{text}"
    )
}

/// What the server answers.
fn sql(host: &Host, sql: &str) -> String {
    let quoted = sql.replace('\'', "'\\''");
    let line = format!("runuser -u postgres -- psql -XqAt -d shop -c '{quoted}'");
    host.sh(&line).trim_end().to_owned()
}

#[test]
#[ignore = "needs root and a lab"]
fn sql_of_a_playbook() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().postgresql().host("db").boot();
    let host = lab.host("db");
    host.wait_for_postgresql();
    guarded(&lab, host);
    acts(&lab, host);
    rehearsed(&lab, host);
    foretold_failures(&lab, host);
    not_rehearsed(&lab, host);
    values(&lab);
    fails(&lab, host);
}

/// With guards it is as any other module: a second run looks, and changes nothing.
fn guarded(lab: &Lab, host: &Host) {
    let run = lab.settles(&tasks(
        "
- name: the database
  psql-db: {name: shop}
- name: the tables
  psql:
    login_db: shop
    query:
      - CREATE SCHEMA other
      - |
        -- A comment; with a semicolon.
        CREATE TABLE t (id int PRIMARY KEY, name text, tags text[]);
        CREATE TABLE other.t (id int, name text);
        INSERT INTO other.t VALUES (9, 'there');
    unless: SELECT to_regclass('other.t') IS NOT NULL
- name: a hostile row
  community.postgresql.postgresql_query:
    db: shop
    query: INSERT INTO t (id, name) VALUES (1, %(name)s)
    named_args: {name: '{{ hostile }}'}
    unless: SELECT FROM t WHERE name = %(name)s
- name: a secret row
  psql:
    login_db: shop
    query: INSERT INTO t (id, name) SELECT 2, %(secret)s WHERE %(secret)s <> ''
    named_args: {secret: \"s3cret-of'shop\\\\\"}
    unless: SELECT count(*) FROM t WHERE name = %(secret)s
  no_log: true
- name: a function of the database's own
  psql:
    login_db: shop
    query: |
      CREATE FUNCTION twice(a int) RETURNS int LANGUAGE SQL BEGIN ATOMIC
        SELECT a;
        SELECT CASE a WHEN 1 THEN 2 ELSE a * 2 END;
      END;
      CREATE FUNCTION body() RETURNS text LANGUAGE plpgsql AS $f$BEGIN RETURN 'a;b'; END$f$
    onlyif: SELECT to_regproc('body') IS NULL
- name: what is there
  psql: {login_db: shop, query: 'SELECT id, name FROM t WHERE id < 2 ORDER BY id'}
  register: there
- name: it came back as it was
  assert:
    that:
      - \"there.query_result == [{'id': 1, 'name': hostile}]\"
      - there.rowcount == 1
      - there.statusmessage == 'SELECT 1'
",
    ));
    assert_eq!(run.count("changed"), 5);
    assert!(!host.is("test -e /tmp/pwned"));
    assert_eq!(
        sql(host, "SELECT name FROM t WHERE id = 2"),
        "s3cret-of'shop\\"
    );
    assert_eq!(sql(host, "SELECT twice(1), body()"), "2|a;b");
}

/// What a statement changes is told by what it did, and check mode does nothing.
fn acts(lab: &Lab, host: &Host) {
    lab.tasks(&tasks(
        "
- name: one row
  psql: {login_db: shop, query: UPDATE t SET tags = %s WHERE id = ANY(%s), positional_args: [[a, \"b'\"], [1, 7]]}
  register: one
- name: no row
  psql: {login_db: shop, query: UPDATE t SET id = 5 WHERE id = 77}
- name: a table
  psql: {login_db: shop, query: CREATE TABLE made (a int)}
  register: made
- name: rows that are given back
  psql: {login_db: shop, query: \"INSERT INTO made VALUES (3), (4) RETURNING a, a * 2 AS twice\"}
  register: given
- name: by itself
  psql: {login_db: shop, query: VACUUM made, autocommit: true}
- name: its own transactions
  psql: {login_db: shop, query: BEGIN; DELETE FROM made WHERE a = 4; ROLLBACK, autocommit: true}
- name: several
  psql:
    login_db: shop
    query: [SET LOCAL work_mem = '1MB', \"SELECT a FROM made ORDER BY a; UPDATE made SET a = a WHERE a = 3\", SHOW work_mem]
  register: several
- name: where names are looked for
  psql: {login_db: shop, query: SELECT name FROM t, search_path: [other, public]}
  register: other
- name: a function may do anything
  psql: {login_db: shop, query: 'SELECT twice(4) AS it'}
  register: called
- name: all of it
  assert:
    that:
      - one.statusmessage == 'UPDATE 1'
      - made.statusmessage == 'CREATE TABLE'
      - \"given.query_result == [{'a': 3, 'twice': 6}, {'a': 4, 'twice': 8}]\"
      - given.statusmessage == 'INSERT 0 2'
      - \"several.query_all_results == [[], [{'a': 3}, {'a': 4}], [], [{'work_mem': '1MB'}]]\"
      - several.statusmessage == 'SHOW'
      - \"other.query_result == [{'name': 'there'}]\"
      - called.query_result[0].it == 8
",
    ));
    let before = sql(host, "SELECT * FROM t ORDER BY id");
    // What an earlier one would change keeps a task from being rehearsed.
    lab.plan(&[]).ok().changed(3).counts("unknown", 6);
    assert_eq!(sql(host, "SELECT * FROM t ORDER BY id"), before);
    assert_eq!(sql(host, "SELECT to_regclass('made')"), "");
    lab.run(&[]).ok().changes_are(&[
        "one row",
        "a table",
        "rows that are given back",
        "by itself",
        "its own transactions",
        "several",
    ]);
    assert_eq!(sql(host, "SELECT tags FROM t WHERE id = 1"), "{a,b'}");
    assert_eq!(sql(host, "SELECT a FROM made ORDER BY a"), "3\n4");
    // No answer is taken for an end, whatever is in it.
    let empty = sql(
        host,
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'evenkeel'",
    );
    assert_eq!(empty, "0");
}

/// What a plan says, and that it leaves nothing behind.
fn plans(lab: &Lab, host: &Host, task: &str) -> Ended {
    lab.tasks(&tasks(task));
    let all = "SELECT * FROM made ORDER BY a; SELECT count(*) FROM pg_class WHERE relnamespace >= 16384 OR relnamespace = 2200";
    let before = sql(host, all);
    let plan = lab.plan(&[]);
    assert_eq!(sql(host, all), before);
    plan
}

/// A plan tells what the run then does, and its result.
fn rehearsed(lab: &Lab, host: &Host) {
    sql(
        host,
        "CREATE TABLE numbered (id serial PRIMARY KEY, name text); CREATE TABLE child (a int REFERENCES numbered (id) DEFERRABLE INITIALLY DEFERRED)",
    );
    for (outcome, query, wanted) in [
        (
            "changed",
            "INSERT INTO made VALUES (7), (8) RETURNING a, now() IS NOT NULL AS yes",
            "it.query_result == [{'a': 7, 'yes': true}, {'a': 8, 'yes': true}] and it.statusmessage == 'INSERT 0 2'",
        ),
        (
            "changed",
            "UPDATE made SET a = 9 WHERE a = 8",
            "it.rowcount == 1 and it.statusmessage == 'UPDATE 1'",
        ),
        (
            "unchanged",
            "UPDATE made SET a = 9 WHERE a = 8",
            "it.rowcount == 0 and it.statusmessage == 'UPDATE 0'",
        ),
        (
            "changed",
            "CREATE TABLE planned (a int); INSERT INTO planned VALUES (1)",
            "it.statusmessage == 'INSERT 0 1' and it.query_all_results == [[], []]",
        ),
        (
            "unchanged",
            "SELECT twice(5) AS b",
            "it.query_result == [{'b': 10}]",
        ),
        (
            "changed",
            "INSERT INTO numbered (name) VALUES (%(secret)s)",
            "it.rowcount == 1",
        ),
    ] {
        let more = secret_of(query);
        let task = format!(
            "
- name: sql
  psql: {{login_db: shop, query: \"{query}\"{more}}}
  register: it
- name: as it says
  assert: {{that: [\"{wanted}\"]}}
"
        );
        let plan = plans(lab, host, &task).ok();
        let run = lab.run(&[]).ok();
        for ended in [&plan, &run] {
            assert_eq!(ended.task("sql").outcome(), outcome, "{query}\n{ended}");
            assert_eq!(ended.count("unknown"), 0, "{query}\n{ended}");
        }
        plan.foretells(&run);
    }
    // A number that was given to a row is given only once, although the row was taken back.
    assert_eq!(sql(host, "SELECT id FROM numbered"), "2");
}

/// What PostgreSQL would refuse is foretold with the words of the run.
fn foretold_failures(lab: &Lab, host: &Host) {
    for (query, words) in [
        (
            "UPDATE made SET nothing = 1",
            "PostgreSQL refuses it: column \\\"nothing\\\" of relation \\\"made\\\" does not exist",
        ),
        (
            "DELETE FROM made; INSERT INTO numbered VALUES (2)",
            "PostgreSQL refuses statement 2 of 2: duplicate key value violates unique constraint",
        ),
        (
            "INSERT INTO child VALUES (777)",
            "PostgreSQL refuses the end of the transaction: insert or update on table \\\"child\\\" violates foreign key",
        ),
        (
            "VACUUM made",
            "PostgreSQL refuses it: VACUUM cannot run inside a transaction block",
        ),
        (
            "INSERT INTO numbered (id) VALUES (%(secret)s)",
            "hidden by `no_log`",
        ),
    ] {
        let more = secret_of(query);
        let log = if more.is_empty() {
            ""
        } else {
            "\n  no_log: true"
        };
        let task =
            format!("\n- name: sql\n  psql: {{login_db: shop, query: \"{query}\"{more}}}{log}\n");
        plans(lab, host, &task).status(2).says(words);
        lab.run(&[]).status(2).says(words);
    }
    assert!(!host.is("grep -rqs 's3cret of rehearsals' /var/log/postgresql"));
}

/// The arguments of a text that asks for a secret.
fn secret_of(query: &str) -> &'static str {
    if query.contains("%(secret)s") {
        ", named_args: {secret: \"s3cret of rehearsals\"}"
    } else {
        ""
    }
}

/// What cannot be taken back is not tried, and nobody is waited for.
fn not_rehearsed(lab: &Lab, host: &Host) {
    sql(host, "CREATE SEQUENCE counter");
    for (args, why) in [
        (
            "query: DELETE FROM made, autocommit: true",
            "with `autocommit` nothing of it could be taken back",
        ),
        (
            "query: \"SELECT setval('counter', 50)\"",
            "what `setval()` does cannot be taken back",
        ),
        (
            "query: \"COPY made TO '/tmp/made-of-a-plan'\"",
            "`COPY` works on a file or a program of the server",
        ),
    ] {
        let task = format!("\n- name: sql\n  psql: {{login_db: shop, {args}}}\n");
        let plan = plans(lab, host, &task).ok().counts("unknown", 1).says(why);
        assert_eq!(plan.task("sql").outcome(), "unknown");
    }
    assert!(!host.is("test -e /tmp/made-of-a-plan"));
    assert_eq!(
        sql(host, "SELECT last_value, is_called FROM counter"),
        "1|f"
    );
    host.sh(
        "runuser -u postgres -- env PGAPPNAME=holder setsid psql -Xq -d shop -c 'BEGIN; LOCK TABLE made; SELECT pg_sleep(600)' \
         >/dev/null 2>&1 </dev/null &",
    );
    host.sh(
        "timeout 30 sh -c 'until runuser -u postgres -- psql -XqAt -d shop -c \"SELECT 1 FROM pg_locks WHERE granted AND \
         relation = '\\''made'\\''::regclass AND mode = '\\''AccessExclusiveLock'\\''\" | grep -q 1; do :; done'",
    );
    lab.tasks(&tasks(
        "\n- name: sql\n  psql: {login_db: shop, query: UPDATE made SET a = a}\n",
    ));
    let plan = lab.plan(&[]);
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'holder'";
    assert_eq!(sql(host, end), "1");
    plan.ok()
        .counts("unknown", 1)
        .says("PostgreSQL says: canceling statement due to lock timeout");
    lab.run(&[]).ok().changed(1);
}

/// Values keep what they are, and what is read can be checked in check mode.
fn values(lab: &Lab) {
    lab.settles(&tasks(
        "
- name: of all types
  psql:
    login_db: shop
    query: |
      SELECT 1 AS i, 1.50::numeric(5,2) AS d, 'NaN'::float8 AS nan, true AS yes, NULL::int AS none, '' AS empty,
        interval '1 day 2 hours' AS iv, date '2024-02-03' AS day, '{\"a\": [1, null]}'::jsonb AS j,
        ARRAY['x,y', NULL, '\"'] AS list, E'a\\n\\n' AS lines, 9007199254740993 AS big, %s AS given, %s AS map, 5 %% 3 AS rest
    positional_args: [-1, {k: [\"it's\"]}]
  register: all
- name: each as it is
  assert:
    that:
      - all.query_result[0].i == 1
      - all.query_result[0].d == 1.5
      - all.query_result[0].nan == 'NaN'
      - all.query_result[0].yes == true
      - all.query_result[0].none == none
      - all.query_result[0].empty == ''
      - all.query_result[0].iv == '1 day 02:00:00'
      - all.query_result[0].day == '2024-02-03'
      - \"all.query_result[0].j == {'a': [1, none]}\"
      - \"all.query_result[0].list == ['x,y', none, '\\\"']\"
      - \"all.query_result[0].lines == 'a\\n\\n'\"
      - all.query_result[0].big == 9007199254740993
      - all.query_result[0].given == -1
      - \"all.query_result[0].map == {'k': [\\\"it's\\\"]}\"
      - all.query_result[0].rest == 2
- name: explained
  psql: {login_db: shop, query: EXPLAIN (COSTS off) SELECT 1}
  register: explained
- name: no rows
  psql: {login_db: shop, query: SELECT 1 AS a WHERE false}
  register: nothing
- name: as it is
  assert:
    that:
      - \"explained.query_result == [{'QUERY PLAN': 'Result'}]\"
      - nothing.query_result == []
      - nothing.rowcount == 0
",
    ));
}

/// It fails, changes nothing, and says this.
fn says(lab: &Lab, task: &str, words: &[&str]) -> Ended {
    lab.tasks(&tasks(task));
    let run = lab.run(&[]).status(2).changed(0);
    words.iter().fold(run, |run, word| run.says(word))
}

/// Each fails with words that help, and leaves nothing behind.
fn fails(lab: &Lab, host: &Host) {
    let before = sql(host, "SELECT * FROM made ORDER BY a");
    says(
        lab,
        "
- name: all or nothing
  psql: {login_db: shop, query: [DELETE FROM made, INSERT INTO nowhere VALUES (1)]}
",
        &[
            "PostgreSQL refuses statement 2 of 2: relation \\\"nowhere\\\" does not exist",
            "nothing was kept: all statements are one transaction",
        ],
    );
    says(
        lab,
        "
- name: not in a transaction
  psql: {login_db: shop, query: VACUUM made}
",
        &[
            "PostgreSQL refuses it: VACUUM cannot run inside a transaction block",
            "set `autocommit: true`: then each statement is a transaction of its own",
        ],
    );
    says(
        lab,
        "
- name: a guard that asks for nothing
  psql: {login_db: shop, query: DELETE FROM made, unless: SELECT 1 FROM nowhere}
",
        &[
            "what `unless: SELECT 1 FROM nowhere` answers (PostgreSQL says: relation \\\"nowhere\\\" does not exist",
        ],
    );
    says(
        lab,
        "
- name: a guard that would write
  psql: {login_db: shop, query: DELETE FROM made, unless: \"SELECT setval(pg_get_serial_sequence('s', 'id'), 1) FROM made\"}
",
        &["PostgreSQL says: relation \\\"s\\\" does not exist"],
    );
    more_fails(lab);
    assert_eq!(sql(host, "SELECT * FROM made ORDER BY a"), before);
}

fn more_fails(lab: &Lab) {
    says(
        lab,
        "
- name: no such table
  psql: {login_db: shop, query: SELECT * FROM nowhere}
",
        &["PostgreSQL refuses it: relation \\\"nowhere\\\" does not exist"],
    );
    says(
        lab,
        "
- name: no such database
  psql: {login_db: nowhere, query: SELECT f()}
",
        &[
            "the login to PostgreSQL failed: ",
            "database \\\"nowhere\\\" does not exist",
        ],
    );
    says(
        lab,
        "
- name: a secret that is refused
  psql:
    login_db: shop
    query: INSERT INTO made VALUES (%(password)s)
    named_args: {password: \"s3cret'shop\"}
  no_log: true
",
        &["hidden by `no_log`"],
    )
    .never_says("s3cret");
    says(
        lab,
        "
- name: rows without end
  psql: {login_db: shop, query: \"SELECT repeat('x', 1000) FROM generate_series(1, 3000)\"}
",
        &["its rows are too many to be told"],
    );
}
