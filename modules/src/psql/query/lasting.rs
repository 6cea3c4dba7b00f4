//! What outlives a transaction that is taken back, as far as it can be seen in a statement.

use super::{
    lex::{Kind, Token, tokens},
    statement::{Statement, is_known},
};

/// Functions that act outside of the transaction, or on the bounds of a rehearsal.
const LASTING: [&str; 5] = ["nextval", "setval", "lo_export", "lo_import", "set_config"];

/// Those of the server whose names begin with `pg_`, and that do nothing which outlives a transaction.
const HARMLESS: [&str; 8] = [
    "pg_advisory_xact_lock",
    "pg_advisory_xact_lock_shared",
    "pg_backend_pid",
    "pg_get_serial_sequence",
    "pg_notify",
    "pg_sleep",
    "pg_try_advisory_xact_lock",
    "pg_try_advisory_xact_lock_shared",
];

/// Settings that hold a rehearsal within its bounds.
const BOUNDS: [&str; 3] = ["lock_timeout", "statement_timeout", "transaction_timeout"];

/// What of the statement keeps it from being taken back, as it is told.
pub(super) fn lasting(one: &Statement) -> Option<String> {
    let begins = match one.verb.as_str() {
        "COPY" => Some("`COPY` works on a file or a program of the server"),
        "CHECKPOINT" => Some("`CHECKPOINT` cannot be taken back"),
        "LOAD" => Some("`LOAD` cannot be taken back"),
        "RESET" => Some("`RESET` would take the time limits of a rehearsal away"),
        _ => None,
    };
    if let Some(why) = begins {
        return Some(why.to_owned());
    }
    within(&one.sql, one.verb == "DO")
}

/// What keeps a text of SQL from being taken back; `deep`: texts in it are SQL too.
fn within(sql: &str, deep: bool) -> Option<String> {
    let Ok(all) = tokens(sql) else {
        return Some("a text in it cannot be read".to_owned());
    };
    let all: Vec<&Token> = all.iter().filter(|token| token.counts()).collect();
    all.iter().enumerate().find_map(|(at, token)| {
        let text = token.of(sql);
        let name = match token.kind {
            Kind::Word => text.to_ascii_lowercase(),
            Kind::Name => text.trim_matches('"').to_owned(),
            Kind::Text if deep => return within(&inner(text), true),
            _ => return None,
        };
        let called = all.get(at + 1).is_some_and(|next| next.of(sql) == "(");
        if called && lasts(&name) {
            return Some(format!("what `{name}()` does cannot be taken back"));
        }
        BOUNDS
            .contains(&name.as_str())
            .then(|| format!("`{name}` would take the time limits of a rehearsal away"))
    })
}

/// What stands in a text.
fn inner(text: &str) -> String {
    let dollar = text.strip_prefix('$').and_then(|rest| {
        let tag = rest.find('$')? + 2;
        text.get(tag..text.len() - tag)
    });
    match dollar {
        Some(inside) => inside.to_owned(),
        None => text
            .trim_start_matches(['e', 'E', 'n', 'N'])
            .trim_matches('\'')
            .replace("''", "'"),
    }
}

/// Whether a function does what no transaction takes back.
fn lasts(name: &str) -> bool {
    let ours = name.starts_with("pg_") && !is_known(name) && !HARMLESS.contains(&name);
    ours || LASTING.contains(&name) || name.starts_with("dblink")
}

#[cfg(test)]
mod tests {
    use super::{super::statement::split, *};

    fn why(sql: &str) -> Option<String> {
        split(sql).unwrap().iter().find_map(lasting)
    }

    #[test]
    fn what_can_be_taken_back() {
        for sql in [
            "INSERT INTO t (id, name) VALUES (1, 'nextval(1)')",
            "CREATE TABLE t (a int DEFAULT 3, b varchar(3) CHECK (b <> ''))",
            "SELECT f(1)",
            "NOTIFY a",
            "SELECT pg_notify('a', 'b')",
            "TRUNCATE t",
            "UPDATE t SET size = pg_database_size('a'), nextval = 3",
            "SET LOCAL work_mem = '1MB'",
            "DO $$BEGIN INSERT INTO t VALUES (1); END$$",
            // The server refuses it within a transaction.
            "VACUUM t",
            "CREATE INDEX CONCURRENTLY i ON t (a)",
        ] {
            assert_eq!(why(sql), None, "{sql}");
        }
    }

    #[test]
    fn what_cannot() {
        for (sql, what) in [
            ("SELECT nextval('s')", "`nextval()`"),
            (
                "INSERT INTO t VALUES (pg_catalog.SETVAL('s', 1))",
                "`setval()`",
            ),
            ("SELECT \"setval\" ('s', 1)", "`setval()`"),
            ("SELECT * FROM dblink_exec('', 'x')", "`dblink_exec()`"),
            ("SELECT lo_export(1, '/f')", "`lo_export()`"),
            (
                "SELECT pg_terminate_backend /* it */ (1)",
                "`pg_terminate_backend()`",
            ),
            ("SELECT pg_reload_conf()", "`pg_reload_conf()`"),
            (
                "INSERT INTO t SELECT pg_read_file('/f')",
                "`pg_read_file()`",
            ),
            ("COPY t TO PROGRAM 'x'", "`COPY`"),
            ("COPY t FROM '/f'", "`COPY`"),
            (
                "WITH a AS (SELECT setval('s', 1)) DELETE FROM t",
                "`setval()`",
            ),
            ("DO $$BEGIN PERFORM dblink('a', 'b'); END$$", "`dblink()`"),
            ("DO 'BEGIN PERFORM setval(''s'', 1); END'", "`setval()`"),
            ("SET LOCAL statement_timeout = 0", "`statement_timeout`"),
            (
                "SELECT set_config('lock_timeout', '0', false)",
                "`set_config()`",
            ),
            ("RESET ALL", "`RESET`"),
            ("CHECKPOINT", "`CHECKPOINT`"),
        ] {
            let why = why(sql).unwrap_or_default();
            assert!(why.contains(what), "{sql}: {why}");
        }
    }
}
