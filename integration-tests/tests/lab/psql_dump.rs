//! Databases of PostgreSQL as files, and back. Root writes the files, whom the server knows reads the database.

use std::fmt::Write as _;

use evenkeel_integration_tests::{Host, Lab, need_lab};

const HOSTILE: &str = "a'b\\c \"d\" = $(touch /tmp/pwned) ☃";
/// Each form, with what makes plain of it.
const FORMS: [(&str, &str); 8] = [
    ("sql", "cat"),
    ("none", "cat"),
    ("gz", "gzip -dc"),
    ("bz2", "bzip2 -dc"),
    ("xz", "xz -dc"),
    ("tar", "pg_restore -f -"),
    ("pgc", "pg_restore -f -"),
    ("dir", "pg_restore -f -"),
];

fn tasks(text: &str) -> String {
    format!("become: true\ntasks:\n{text}")
}

fn sql(host: &Host, database: &str, sql: &str) -> String {
    host.write("/root/ask.sql", sql);
    let database = database.replace('\'', "'\\''");
    let line = format!(
        "PGDATABASE='{database}' runuser -u postgres -- psql -XqAt </root/ask.sql; rm /root/ask.sql"
    );
    host.sh(&line).trim_end().to_owned()
}

#[test]
#[ignore = "needs root and a lab"]
fn databases_are_dumped_and_restored() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().postgresql().host("db").boot();
    let host = lab.host("db");
    host.wait_for_postgresql();
    let quoted = HOSTILE.replace('"', "\"\"");
    sql(host, "postgres", &format!("CREATE DATABASE \"{quoted}\";"));
    let rows = "CREATE TABLE t (a int PRIMARY KEY, b text); INSERT INTO t SELECT i, 'row ' || i FROM generate_series(1, 1000) i;";
    sql(host, HOSTILE, rows);
    host.sh("mkdir /dumps; chmod 755 /dumps");
    each_form(&lab, host);
    failures(&lab, host);
    assert!(!host.is("test -e /tmp/pwned"));
    // Nothing is left of the ways there.
    assert_eq!(host.sh("find /dumps -name '.*' -mindepth 1"), "");
}

fn yaml(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn each_form(lab: &Lab, host: &Host) {
    let mut text = String::new();
    for (end, _) in FORMS {
        writeln!(
            text,
            "- postgresql_db: {{name: {}, state: dump, target: '/dumps/it''s.{end}'}}",
            yaml(HOSTILE)
        )
        .unwrap();
    }
    lab.tasks(&tasks(&text));
    // It is told as what it is before it is done, and writes nothing then.
    assert_eq!(lab.plan(&[]).ok().count("changed"), FORMS.len() as u64);
    assert_eq!(host.sh("ls -A /dumps"), "");
    lab.run(&[]).ok().changed(FORMS.len() as u64);
    // Each time anew, in the place of the old.
    lab.run(&[]).ok().changed(FORMS.len() as u64);
    for (end, plain) in FORMS {
        let path = format!("\"/dumps/it's.{end}\"");
        assert!(
            host.sh(&format!("{plain} {path}")).contains("row 1000"),
            "{end}"
        );
        let mode = if end == "dir" { "root 700" } else { "root 600" };
        assert_eq!(host.sh(&format!("stat -c '%U %a' {path}")).trim(), mode);
    }
    let mut text = String::new();
    for (end, _) in FORMS {
        sql(host, "postgres", &format!("CREATE DATABASE back_{end};"));
        writeln!(
            text,
            "- psql-db: {{name: back_{end}, state: restore, target: '/dumps/it''s.{end}'}}"
        )
        .unwrap();
    }
    // Whom the server knows has to read a directory by itself.
    host.sh("chown -R postgres \"/dumps/it's.dir\"");
    lab.tasks(&tasks(&text));
    assert_eq!(lab.plan(&[]).ok().count("changed"), FORMS.len() as u64);
    lab.run(&[]).ok().changed(FORMS.len() as u64);
    for (end, _) in FORMS {
        let sum = "SELECT count(*), sum(a), max(b) FROM t";
        assert_eq!(
            sql(host, &format!("back_{end}"), sum),
            "1000|500500|row 999"
        );
    }
}

fn failures(lab: &Lab, host: &Host) {
    let failing = |args: &str| {
        lab.tasks(&tasks(&format!("- psql-db: {args}\n")));
        lab.run(&[]).status(2).changed(0)
    };
    // In a pipe, where the packer ends well: the old dump stays as it is.
    let before = host.sh("sha256sum </dumps/it\\'s.gz");
    failing("{name: back_sql, state: dump, target: '/dumps/it''s.gz', target_opts: -t none}")
        .says("no matching tables were found");
    assert_eq!(host.sh("sha256sum </dumps/it\\'s.gz"), before);
    failing("{name: back_sql, state: dump, target: /dumps}")
        .says("`/dumps` is a directory, and no dump");
    failing("{name: back_sql, state: dump, target: /none/d.sql}").says("No such file or directory");
    failing("{name: none, state: dump, target: /dumps/d.sql}")
        .says("what it needs is missing: the database `none`");
    failing("{name: none, state: restore, target: '/dumps/it''s.gz'}")
        .says("what it needs is missing: the database `none`");
    failing("{name: back_sql, state: restore, target: /dumps/none}")
        .says("what it needs is missing: the file `/dumps/none`");
    failing("{name: back_sql, state: dump, target: /dumps/d.zst}")
        .says("there is no `zstd` on the host");
    // What is there already: nothing of the file is kept.
    sql(host, "postgres", "CREATE DATABASE half; ");
    sql(
        host,
        "half",
        "CREATE FUNCTION stop() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no keys here'; END$$; \
         CREATE EVENT TRIGGER no ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION stop();",
    );
    for end in ["gz", "pgc"] {
        failing(&format!(
            "{{name: half, state: restore, target: '/dumps/it''s.{end}'}}"
        ))
        .says("no keys here");
        assert_eq!(
            sql(
                host,
                "half",
                "SELECT count(*) FROM pg_class WHERE relname = 't'"
            ),
            "0"
        );
    }
    // Half an archive.
    host.sh("head -c 2000 /dumps/it\\'s.gz >/dumps/half.gz");
    failing("{name: half, state: restore, target: /dumps/half.gz}").says("unexpected end of file");
    host.sh("rm /dumps/half.gz");
}
