//! Statements as psql reads them from stdin.

use evenkeel_engine::{Content, Done, Refusal, Run, Secret};

use super::{
    super::{Login, ask, quote, step},
    lex::{Kind, tokens},
    statement::{Class, Statement},
};
use crate::command::limited;

/// The status with which the script says that nothing had to be changed.
pub(super) const IDLE: i32 = 4;

const LINES: &str = concat!(
    include_str!("../login.sh"),
    include_str!("sql.sh"),
    "ek_sql\n"
);

/// How statements are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// In one transaction that can only read, and that ends within a minute.
    Read,
    /// In one transaction.
    Whole,
    /// In one that is taken back, and that waits for nobody.
    Rehearse,
    /// Each by itself.
    Apart,
}

/// Who runs statements, and where names are looked for.
#[derive(Clone, Debug)]
pub(super) struct Session<'a> {
    pub(super) login: Login,
    pub(super) search_path: &'a [String],
    /// Whether there is a secret in the statements.
    pub(super) secret: bool,
}

/// The word between values is drawn by lot: nobody can write it into a database beforehand.
const BEGIN: &str = "\\set ek `od -An -N12 -tx1 /dev/urandom | tr -d ' \\n'`
\\echo :ek
\\set ek_f :ek F
\\set ek_r :ek R
\\set ek_n :ek N
\\pset fieldsep :ek_f
\\pset recordsep :ek_r
\\pset null :ek_n
SET standard_conforming_strings = on; SET client_min_messages = warning;
SET DateStyle = 'ISO'; SET extra_float_digits = 3; SET bytea_output = 'hex';
";

/// What the server says of a statement it refuses may quote a value of it: that is kept out of its log too.
const MUTE: &str = "\\o /dev/null
SELECT set_config('log_min_messages', 'panic', false) FROM pg_roles WHERE rolname = current_user AND rolsuper;
\\o
";

/// All that psql reads.
pub(super) fn text(statements: &[Statement], session: &Session<'_>, mode: Mode) -> String {
    let mut all = String::new();
    if session.secret {
        // The second line of a message may show a part of a statement, that is: of a secret.
        all += "\\set VERBOSITY terse\n";
    }
    all += BEGIN;
    all += match mode {
        Mode::Read => "SET statement_timeout = '60s'; SET lock_timeout = '10s';\n",
        Mode::Rehearse => "SET statement_timeout = '10s'; SET lock_timeout = '2s';\n",
        Mode::Whole | Mode::Apart => "",
    };
    if let Some(role) = &session.login.role {
        all += &["SET ROLE ", &quote::ident(role), ";\n"].concat();
    }
    if session.secret {
        all += step::QUIET;
        all += "\n";
        all += MUTE;
    }
    if !session.search_path.is_empty() {
        let path: Vec<_> = session
            .search_path
            .iter()
            .map(|name| quote::ident(name))
            .collect();
        all += &["SET search_path = ", &path.join(", "), ";\n"].concat();
    }
    all += match mode {
        Mode::Read => "BEGIN READ ONLY;\n",
        Mode::Whole | Mode::Rehearse => "BEGIN;\n",
        Mode::Apart => "",
    };
    for (at, one) in statements.iter().enumerate() {
        let place = [(at + 1).to_string(), statements.len().to_string()].join(" ");
        all += &["\\echo :ek at ", &place, " ", how(mode), "\n"].concat();
        all += &escaped(&one.sql);
        all += "\n";
        all += match (one.answers, one.class) {
            (true, _) => "\\gdesc\n\\echo :ek rows\n\\g\n",
            // What it was is printed.
            (false, Class::Acts) => "\\echo :ek rows\n\\set QUIET off\n\\g\n\\set QUIET on\n",
            (false, _) => "\\g\n",
        };
        let end = if one.class == Class::Counts {
            "did"
        } else {
            "end"
        };
        all += &["\\echo :ek ", end, " :ROW_COUNT\n"].concat();
    }
    all += match mode {
        Mode::Read => "ROLLBACK;\n",
        Mode::Whole => "COMMIT;\n",
        // What is checked only at the end is checked then.
        Mode::Rehearse => "SET CONSTRAINTS ALL IMMEDIATE;\nROLLBACK;\n",
        Mode::Apart => "",
    };
    all += "\\echo :ek done\n";
    all
}

fn how(mode: Mode) -> &'static str {
    match mode {
        Mode::Apart => "apart",
        _ => "whole",
    }
}

/// A statement of which psql takes nothing for itself: neither a variable (`:name`) nor the end.
fn escaped(sql: &str) -> String {
    let all = tokens(sql).unwrap_or_default();
    let text = |token: &super::lex::Token| match (token.kind, token.of(sql)) {
        (Kind::Other, text @ (":" | ";")) => format!("\\{text}"),
        (_, text) => text.to_owned(),
    };
    all.iter().map(text).collect()
}

/// The program that runs statements; `idle` if it can be that nothing is changed; at last whether it may take
/// long, and its time limit.
pub(super) fn run(
    text: String,
    session: &Session<'_>,
    idle: bool,
    (long, timeout): (bool, Option<u64>),
) -> Run {
    let argv = ["sh", "-c", LINES, "sh"].map(str::to_owned).to_vec();
    let mut env = session.login.env();
    env.push(("EK_IDLE".to_owned(), if idle { "1" } else { "" }.into()));
    env.push(("EK_BOUND".to_owned(), "".into()));
    Run {
        dir: Some("/".to_owned()),
        env,
        stdin: if session.secret {
            Content::Secret(Secret::new(text))
        } else {
            Content::from(text.as_str())
        },
        ok: if idle { vec![0, IDLE] } else { vec![0] },
        idle: idle.then_some(IDLE),
        explain: Some(explain),
        ..limited(argv, long, timeout)
    }
}

/// What is to be said of a failure that somebody lets pass.
pub(super) fn run_message(done: &Done) -> String {
    explain(done).map_or_else(
        || format!("`psql` failed with status {}", done.status),
        |why| why.message,
    )
}

/// What a failure means.
fn explain(done: &Done) -> Option<Refusal> {
    let said = String::from_utf8_lossy(&done.stderr);
    if done.status == 127 {
        return Some(
            Refusal::new("there is no `psql` on the host")
                .help("install the package `postgresql-client` (or `postgresql`) first"),
        );
    }
    let Some(why) = ask::query_error(&said) else {
        let (said, help) = ask::no_login_said(&said)?;
        let refusal = Refusal::new(format!("the login to PostgreSQL failed: {said}"));
        return Some(match help {
            "" => refusal,
            help => refusal.help(help),
        });
    };
    let place = String::from_utf8_lossy(&done.stdout);
    let words: Vec<&str> = place.split_whitespace().collect();
    let (which, count, apart) = match words[..] {
        ["at", which, count, how] => (which, count, how == "apart"),
        // All statements ended well: what is left is the end of the transaction.
        ["end" | "did", ..] => {
            return Some(
                Refusal::new(format!(
                    "PostgreSQL refuses the end of the transaction: {why}"
                ))
                .help("a check was put off until then; nothing was kept"),
            );
        }
        _ => {
            return Some(Refusal::new(format!(
                "PostgreSQL refuses the session: {why}"
            )));
        }
    };
    let what = if count == "1" {
        format!("PostgreSQL refuses it: {why}")
    } else {
        format!("PostgreSQL refuses statement {which} of {count}: {why}")
    };
    let refusal = Refusal::new(what);
    Some(if why.contains("cannot run inside a transaction block") {
        refusal.help("set `autocommit: true`: then each statement is a transaction of its own")
    } else if count == "1" {
        refusal
    } else if apart {
        refusal.help("the statements before it are kept: `autocommit` is on")
    } else {
        refusal.help("nothing was kept: all statements are one transaction")
    })
}

#[cfg(test)]
mod tests {
    use super::{super::statement::split, *};

    fn session() -> Session<'static> {
        Session {
            login: Login::default(),
            search_path: &[],
            secret: false,
        }
    }

    #[test]
    fn psql_takes_nothing_for_itself() {
        assert_eq!(
            escaped("SELECT a[1:b]::int, ':c', $$;:d$$, \":e\" -- :f;"),
            "SELECT a[1\\:b]\\:\\:int, ':c', $$;:d$$, \":e\" -- :f;"
        );
    }

    #[test]
    fn statements_are_in_one_transaction() {
        let all = split("UPDATE t SET a = 1 RETURNING a; DROP TABLE t").unwrap();
        let whole = text(&all, &session(), Mode::Whole);
        let (_, whole) = whole.split_once("BEGIN;\n").unwrap();
        assert_eq!(
            whole,
            "\\echo :ek at 1 2 whole\nUPDATE t SET a = 1 RETURNING a\n\\gdesc\n\\echo :ek rows\n\\g\n\\echo :ek did :ROW_COUNT\n\
             \\echo :ek at 2 2 whole\nDROP TABLE t\n\\echo :ek rows\n\\set QUIET off\n\\g\n\\set QUIET on\n\\echo :ek end :ROW_COUNT\n\
             COMMIT;\n\\echo :ek done\n"
        );
        let apart = text(&all, &session(), Mode::Apart);
        assert!(!apart.contains("BEGIN") && apart.contains("at 2 2 apart"));
        let read = text(&all[..1], &session(), Mode::Read);
        assert!(read.contains("BEGIN READ ONLY;") && read.contains("ROLLBACK;"));
        let (before, rehearsed) = text(&all, &session(), Mode::Rehearse)
            .split_once("BEGIN;\n")
            .map(|(before, rest)| (before.to_owned(), rest.to_owned()))
            .unwrap();
        assert!(before.contains("SET lock_timeout = '2s'"));
        assert_eq!(
            rehearsed,
            whole.replace("COMMIT;", "SET CONSTRAINTS ALL IMMEDIATE;\nROLLBACK;")
        );
    }

    #[test]
    fn failures_say_which_statement_it_was() {
        let failed = |stdout: &str, stderr: &str| {
            let done = Done {
                status: 3,
                stdout: stdout.into(),
                stderr: stderr.into(),
                millis: 0,
            };
            let why = explain(&done).unwrap();
            [why.message, why.help.unwrap_or_default()].join(" | ")
        };
        let error = "psql:<stdin>:12: ERROR:  relation \"t\" does not exist\nLINE 1: SELECT * FROM t\n        ^\n";
        let none = Done {
            status: 127,
            ..Done::default()
        };
        assert_eq!(
            explain(&none).unwrap().message,
            "there is no `psql` on the host"
        );
        assert_eq!(
            failed("at 1 1 whole\n", error),
            "PostgreSQL refuses it: relation \"t\" does not exist | "
        );
        assert_eq!(
            failed("at 2 3 whole\n", error),
            "PostgreSQL refuses statement 2 of 3: relation \"t\" does not exist | nothing was kept: all statements are one transaction"
        );
        assert_eq!(
            failed("end 0\n", error),
            "PostgreSQL refuses the end of the transaction: relation \"t\" does not exist | a check was put off until then; nothing was kept"
        );
        assert_eq!(
            failed(
                "at 1 1 whole\n",
                "psql:<stdin>:9: ERROR:  VACUUM cannot run inside a transaction block\n"
            ),
            "PostgreSQL refuses it: VACUUM cannot run inside a transaction block | set `autocommit: true`: then each statement is a transaction of its own"
        );
        assert_eq!(
            failed(
                "",
                "psql: error: FATAL:  password authentication failed for user \"x\"\n"
            ),
            "the login to PostgreSQL failed: FATAL:  password authentication failed for user \"x\" | correct `login_user` and `login_password`"
        );
    }
}
