//! Statements: where one ends, and what it does by its first words.

use evenkeel_engine::Refusal;

use super::lex::{Kind, Token, tokens};

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    /// Without what is around it.
    pub(super) sql: String,
    /// What it does.
    pub(super) class: Class,
    /// Its first word that says so, in capitals.
    pub(super) verb: String,
    /// Whether it answers with rows.
    pub(super) answers: bool,
    /// Whether no more than reading can come of it.
    pub(super) pure: bool,
}

/// What a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// It only reads, as far as can be seen.
    Reads,
    /// It has changed something if it counts rows.
    Counts,
    /// It concerns the session alone.
    Session,
    /// It begins or ends a transaction.
    Transaction(Turn),
    /// It changes something.
    Acts,
}

/// What becomes of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Begins,
    Ends,
    GoesOn,
}

/// The statements of a text.
pub(super) fn split(sql: &str) -> Result<Vec<Statement>, Refusal> {
    if sql.contains('\0') {
        return Err(Refusal::new("the query contains a NUL"));
    }
    let all = tokens(sql)?;
    let (mut parts, mut part) = (Vec::new(), Vec::new());
    let (mut parens, mut bodies) = (0_u32, 0_u32);
    for token in all {
        let text = token.of(sql);
        match (token.kind, text) {
            (Kind::Other, "\\") => return Err(no_psql(&sql[token.at.start..])),
            (Kind::Other, ";") if parens == 0 && bodies == 0 => {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            (Kind::Other, "(") => parens += 1,
            (Kind::Other, ")") => parens = parens.saturating_sub(1),
            (Kind::Word, word) if parens == 0 && makes_routine(&part, sql) => {
                // A body of SQL: what ends it also ends a CASE in it.
                match word.to_ascii_lowercase().as_str() {
                    "begin" => bodies += 1,
                    "case" if bodies > 0 => bodies += 1,
                    "end" => bodies = bodies.saturating_sub(1),
                    _ => {}
                }
            }
            _ => {}
        }
        part.push(token);
    }
    parts.push(part);
    let filled = parts
        .into_iter()
        .filter(|part| part.iter().any(Token::counts));
    filled.map(|part| statement(sql, &part)).collect()
}

/// What is for psql, not for the server.
fn no_psql(rest: &str) -> Refusal {
    let word: String = rest
        .chars()
        .take_while(|c| !c.is_whitespace())
        .take(20)
        .collect();
    Refusal::new(format!(
        "`{word}`: a backslash outside of a text begins a command of psql, which is no SQL"
    ))
    .help("write the SQL for it, or run `psql` with `command`")
}

/// Whether a statement that begins so may have a body.
fn makes_routine(part: &[Token], sql: &str) -> bool {
    let mut words = part
        .iter()
        .filter(|token| token.counts())
        .map(|token| token.of(sql).to_ascii_lowercase());
    if words.next().as_deref() != Some("create") {
        return false;
    }
    let mut third = words.next();
    if third.as_deref() == Some("or") {
        words.next();
        third = words.next();
    }
    matches!(third.as_deref(), Some("function" | "procedure"))
}

/// A token as it is looked at: words in small letters, texts and quoted names are none.
struct Seen {
    kind: Kind,
    text: String,
    /// How many parentheses are open.
    depth: u32,
}

impl Seen {
    fn is(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }
}

fn statement(sql: &str, part: &[Token]) -> Result<Statement, Refusal> {
    let part: Vec<&Token> = part.iter().collect();
    let counts = |token: &&&Token| token.counts();
    let first = part.iter().find(counts).map_or(0, |token| token.at.start);
    let last = part
        .iter()
        .rev()
        .find(counts)
        .map_or(sql.len(), |token| token.at.end);
    let mut depth = 0;
    let mut seen = Vec::new();
    for token in part.iter().filter(counts) {
        let text = token.of(sql).to_ascii_lowercase();
        if text == ")" {
            depth = u32::saturating_sub(depth, 1);
        }
        let kind = token.kind;
        seen.push(Seen { kind, text, depth });
        if token.of(sql) == "(" {
            depth += 1;
        }
    }
    let about = about(&seen);
    if about.verb == "copy"
        && seen
            .iter()
            .any(|token| token.is("stdin") || token.is("stdout"))
    {
        return Err(Refusal::new(
            "`COPY` from `STDIN` or to `STDOUT` is between psql and the server",
        )
        .help(
            "write `INSERT`, or `COPY` with a file of the server; or run `psql` with `command`",
        ));
    }
    Ok(Statement {
        sql: sql[first..last].to_owned(),
        class: about.class,
        answers: about.answers,
        pure: about.pure,
        verb: about.verb.to_ascii_uppercase(),
    })
}

struct About {
    class: Class,
    verb: String,
    answers: bool,
    pure: bool,
}

/// Words that change rows, wherever they stand.
const WRITES: [&str; 4] = ["insert", "update", "delete", "merge"];

fn about(all: &[Seen]) -> About {
    let start = all.iter().position(|token| token.text != "(");
    let all = &all[start.unwrap_or(0)..];
    let depth = all.first().map_or(0, |token| token.depth);
    let first = all.first().map_or("", |token| token.text.as_str());
    let top = |token: &&Seen| token.depth == depth;
    let has = |words: &[&str]| {
        all.iter()
            .any(|token| words.iter().any(|word| token.is(word)))
    };
    let verb = if first == "with" {
        let main = |token: &&Seen| {
            WRITES
                .iter()
                .chain(&["select", "values", "table"])
                .any(|word| token.is(word))
        };
        all.iter()
            .filter(top)
            .find(main)
            .map_or("with", |token| &token.text)
    } else {
        first
    };
    let second = all.get(1).map_or("", |token| token.text.as_str());
    let class = match verb {
        "select" | "values" | "table" => {
            let into = all.iter().any(|token| token.is("into"));
            let inside = first == "with" && modifies(all);
            if into || inside {
                Class::Acts
            } else {
                Class::Reads
            }
        }
        "show" => Class::Reads,
        "explain" => explained(all),
        "insert" | "update" | "delete" | "merge" | "copy" => {
            let others =
                first == "with" && all.iter().any(|token| token.depth > depth && writes(token));
            if others && modifies(all) {
                Class::Acts
            } else {
                Class::Counts
            }
        }
        "set" if second == "transaction" => Class::Transaction(Turn::GoesOn),
        "set" | "reset" | "discard" | "declare" | "fetch" | "move" | "close" | "lock"
        | "listen" | "unlisten" | "deallocate" | "load" => Class::Session,
        "begin" | "start" => Class::Transaction(Turn::Begins),
        "commit" | "end" | "abort" => Class::Transaction(Turn::Ends),
        "rollback" if has(&["to"]) => Class::Transaction(Turn::GoesOn),
        "rollback" if second != "prepared" => Class::Transaction(Turn::Ends),
        "savepoint" | "release" => Class::Transaction(Turn::GoesOn),
        "prepare" if second == "transaction" => Class::Transaction(Turn::Ends),
        "prepare" => Class::Session,
        _ => Class::Acts,
    };
    // `COMMIT PREPARED` is about a transaction of another session.
    let class = match (class, second) {
        (Class::Transaction(Turn::Ends), "prepared") => Class::Acts,
        (class, _) => class,
    };
    let answers = match verb {
        "select" | "values" | "table" => !has(&["into"]),
        "show" | "explain" | "fetch" | "call" | "execute" => true,
        "insert" | "update" | "delete" | "merge" => has(&["returning"]),
        _ => false,
    };
    let pure = class == Class::Reads && is_pure(verb, all);
    About {
        class,
        verb: verb.to_owned(),
        answers,
        pure,
    }
}

/// Whether a query that reads can do no more than that.
fn is_pure(verb: &str, all: &[Seen]) -> bool {
    let analyzed = |token: &Seen| token.is("analyze") || token.is("analyse");
    match verb {
        // What is explained is not done.
        "explain" => !all.iter().any(analyzed),
        _ => !all.iter().any(writes) && !locks(all) && calls_are_pure(all),
    }
}

fn writes(token: &Seen) -> bool {
    WRITES.iter().any(|word| token.is(word))
}

/// Whether one of its `WITH` queries changes rows: such a query begins behind a parenthesis.
fn modifies(all: &[Seen]) -> bool {
    let pairs = all.iter().zip(all.iter().skip(1));
    pairs
        .into_iter()
        .any(|(open, token)| open.text == "(" && writes(token))
}

/// Whether it locks rows: `FOR UPDATE`, `FOR KEY SHARE` …
fn locks(all: &[Seen]) -> bool {
    let pairs = all.iter().zip(all.iter().skip(1));
    pairs.into_iter().any(|(a, b)| {
        a.is("for")
            && ["update", "no", "share", "key"]
                .iter()
                .any(|word| b.is(word))
    })
}

/// What is explained is done if it is to be analyzed.
fn explained(all: &[Seen]) -> Class {
    let analyzed = |token: &Seen| token.is("analyze") || token.is("analyse");
    let depth = all.first().map_or(0, |token| token.depth);
    let skip = all.iter().skip(1).position(|token| {
        let option = analyzed(token) || token.is("verbose");
        token.depth == depth && token.text != "(" && token.text != ")" && !option
    });
    let Some(skip) = skip else {
        return Class::Acts;
    };
    let (options, rest) = all.split_at(skip + 1);
    match about(rest).class {
        _ if !options.iter().any(analyzed) => Class::Reads,
        Class::Reads => Class::Reads,
        _ => Class::Acts,
    }
}

/// What stands before a parenthesis, and neither writes nor does anything outside of the database: words of
/// SQL, types, and functions that are always there.
const PURE: &str = " abs age all and any array array_agg array_length array_lower array_position array_remove \
    array_to_json array_to_string array_upper as asc avg between bit bool_and bool_or btrim by cardinality case cast \
    ceil ceiling char char_length character character_length coalesce col_description concat concat_ws count cube \
    cume_dist current_database current_schema current_schemas current_setting date_part date_trunc decimal decode \
    dense_rank distinct else encode every except exists extract filter first_value float floor format format_type from \
    generate_series generate_subscripts greatest group has_column_privilege has_database_privilege \
    has_function_privilege has_schema_privilege has_sequence_privilege has_table_privilege having ilike in initcap \
    intersect interval is json_agg json_array_elements json_array_elements_text json_array_length json_build_array \
    json_build_object json_each json_each_text json_object json_object_agg json_object_keys json_typeof \
    jsonb_agg jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object \
    jsonb_each jsonb_each_text jsonb_object jsonb_object_agg jsonb_object_keys jsonb_pretty jsonb_set jsonb_typeof \
    justify_days justify_hours justify_interval lag last_value lateral lead least left length like limit lower lpad \
    ltrim make_date make_interval make_time make_timestamp materialized max md5 min mod not now nth_value ntile nullif \
    numeric obj_description octet_length offset on or order ordinality over overlay partition percent_rank \
    percentile_cont percentile_disc pg_database_size pg_encoding_to_char pg_get_constraintdef pg_get_expr \
    pg_get_functiondef pg_get_indexdef pg_get_triggerdef pg_get_userbyid pg_get_viewdef pg_has_role \
    pg_is_in_recovery pg_postmaster_start_time pg_relation_size pg_size_pretty pg_table_is_visible pg_table_size \
    pg_total_relation_size pg_typeof position power precision quote_ident quote_literal quote_nullable rank \
    regexp_count regexp_match regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table repeat replace \
    reverse right rollup round row row_number row_to_json rpad rtrim select sets shobj_description sign some \
    split_part sqrt starts_with string_agg string_to_array strpos substr substring sum then time timestamp timestamptz \
    to_char to_date to_hex to_json to_jsonb to_number to_regclass to_regnamespace to_regproc to_regrole to_regtype \
    to_timestamp translate trim trunc union unnest upper using values varchar varying version when where within with ";

/// Whether it is one of those.
pub(super) fn is_known(name: &str) -> bool {
    PURE.split_whitespace().any(|word| word == name)
}

/// Whether nothing is called that might do more than reading.
fn calls_are_pure(all: &[Seen]) -> bool {
    let known = |name: &Seen| is_known(&name.text);
    let back = |at: usize, by: usize| at.checked_sub(by).map(|at| &all[at]);
    let is = |token: Option<&Seen>, word: &str| token.is_some_and(|token| token.is(word));
    (1..all.len()).all(|at| {
        let name = &all[at - 1];
        let is_call = all[at].text == "(" && matches!(name.kind, Kind::Word | Kind::Name);
        if !is_call || is(back(at, 2), "as") {
            // Behind `AS` are names of columns.
            return true;
        }
        let owned = back(at, 2).is_some_and(|token| token.text == ".");
        let ours = !owned || is(back(at, 3), "pg_catalog");
        name.kind == Kind::Word && known(name) && ours
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sql: &str) -> Vec<String> {
        let all = split(sql).unwrap();
        all.into_iter().map(|one| one.sql).collect()
    }

    fn one(sql: &str) -> Statement {
        let mut all = split(sql).unwrap();
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    #[test]
    fn statements_end_at_semicolons() {
        assert_eq!(
            texts("SELECT 1; -- one;\n\n/* ; */ SELECT ';' ;; SELECT \";\"\n-- end"),
            ["SELECT 1", "SELECT ';'", "SELECT \";\""]
        );
        assert_eq!(texts(" ; -- nothing\n"), [""; 0]);
        assert_eq!(texts("DO $$BEGIN x; END$$; SELECT 1").len(), 2);
        let rule = "CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM a; DELETE FROM b)";
        assert_eq!(texts(rule), [rule]);
    }

    #[test]
    fn bodies_of_functions_are_whole() {
        let body = "CREATE OR REPLACE FUNCTION f(a int) RETURNS int BEGIN ATOMIC\n SELECT 1; \
                    SELECT CASE a WHEN 1 THEN 2 END; END";
        assert_eq!(texts(&format!("{body}; SELECT 2")), [body, "SELECT 2"]);
        let body = "create procedure p() begin atomic insert into t values (1); end";
        assert_eq!(texts(body), [body]);
        // Elsewhere the words mean other things.
        assert_eq!(texts("BEGIN; SELECT 1; END").len(), 3);
        assert_eq!(texts("CREATE TABLE t (a int); SELECT 1").len(), 2);
    }

    #[test]
    fn what_is_for_psql_is_refused() {
        for sql in [
            "\\dt",
            "SELECT 1 \\g",
            "SELECT 1\n\\! rm -rf /\n",
            "SELECT 1 \\; SELECT 2",
        ] {
            let why = split(sql).unwrap_err();
            assert!(why.message.contains("begins a command of psql"), "{why}");
        }
        assert_eq!(
            texts("SELECT '\\dt', E'\\\\!', $$\\g$$, \"\\\" -- \\q").len(),
            1
        );
        for sql in ["COPY t FROM STDIN", "copy (select 1) to stdout"] {
            let why = split(sql).unwrap_err();
            assert!(why.message.contains("between psql and the server"), "{why}");
        }
        assert_eq!(one("COPY t FROM '/stdin'").class, Class::Counts);
        assert!(split("SELECT 'a\0'").is_err());
    }

    #[test]
    fn what_a_statement_does() {
        for (class, all) in [
            (
                Class::Reads,
                &[
                    "select 1",
                    "(SELECT 1) UNION (SELECT 2)",
                    "VALUES (1)",
                    "TABLE t",
                    "SHOW work_mem",
                    "/* a */ SELECT f()",
                    "WITH a AS (SELECT 1) SELECT * FROM a",
                    "WITH RECURSIVE a(b) AS (VALUES (1)) TABLE a",
                    "EXPLAIN DELETE FROM t",
                    "EXPLAIN (ANALYZE, BUFFERS) SELECT 1",
                    "EXPLAIN ANALYZE VERBOSE SELECT 1",
                    "SELECT * FROM t FOR UPDATE",
                    "SELECT 'a' AS \"into\"",
                ][..],
            ),
            (
                Class::Counts,
                &[
                    "INSERT INTO t VALUES (1)",
                    "update t set a = 1",
                    "DELETE FROM t",
                    "MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE",
                    "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a",
                    "WITH a AS (SELECT 1) UPDATE t SET b = (SELECT 1 FROM u)",
                    "COPY t TO '/tmp/f'",
                ],
            ),
            (
                Class::Acts,
                &[
                    "CREATE TABLE t ()",
                    "SELECT 1 INTO t",
                    "GRANT a TO b",
                    "VACUUM",
                    "DO $$BEGIN END$$",
                    "CALL p()",
                    "EXECUTE p",
                    "WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a",
                    "WITH a AS (DELETE FROM t RETURNING *) INSERT INTO u SELECT * FROM a",
                    "EXPLAIN ANALYZE DELETE FROM t",
                    "COMMIT PREPARED 'x'",
                    "REFRESH MATERIALIZED VIEW v",
                ],
            ),
        ] {
            for sql in all {
                assert_eq!(one(sql).class, class, "{sql}");
            }
        }
    }

    #[test]
    fn what_is_about_sessions_and_transactions() {
        for (class, all) in [
            (
                Class::Session,
                &[
                    "SET work_mem = '1MB'",
                    "RESET ALL",
                    "LOCK t",
                    "FETCH 1 FROM c",
                    "PREPARE p AS DELETE FROM t",
                ][..],
            ),
            (
                Class::Transaction(Turn::Begins),
                &["BEGIN", "START TRANSACTION"],
            ),
            (
                Class::Transaction(Turn::Ends),
                &[
                    "COMMIT",
                    "END",
                    "ROLLBACK",
                    "ABORT",
                    "PREPARE TRANSACTION 'x'",
                ],
            ),
            (
                Class::Transaction(Turn::GoesOn),
                &[
                    "SAVEPOINT a",
                    "RELEASE a",
                    "ROLLBACK TO a",
                    "SET TRANSACTION READ ONLY",
                ],
            ),
        ] {
            for sql in all {
                assert_eq!(one(sql).class, class, "{sql}");
            }
        }
    }

    #[test]
    fn what_can_only_read() {
        for sql in [
            "SELECT count(*), max(a) FROM t WHERE b IN (1, 2) AND EXISTS (SELECT 1)",
            "SELECT a::numeric(10,2), pg_catalog.version() FROM f AS x(a, b) ORDER BY 1 LIMIT (1)",
            "WITH a AS (SELECT 1) SELECT 'nextval(''s'')' FROM a",
            "SHOW work_mem",
            "EXPLAIN DELETE FROM t",
            "EXPLAIN (COSTS off) SELECT f()",
            "SELECT row_number() OVER (PARTITION BY a) FROM t",
        ] {
            assert!(one(sql).pure, "{sql}");
        }
        for sql in [
            "SELECT nextval('s')",
            "SELECT pg_reload_conf()",
            "SELECT public.count(1)",
            "SELECT a.f(1)",
            "SELECT \"count\"(1)",
            "SELECT 1 FROM t FOR UPDATE",
            "SELECT 1 FROM t FOR NO KEY UPDATE",
            "SELECT pg_terminate_backend /* it */ (1)",
            "EXPLAIN ANALYZE SELECT 1",
            "INSERT INTO t VALUES (1)",
            "SET work_mem = 1",
        ] {
            assert!(!one(sql).pure, "{sql}");
        }
    }

    #[test]
    fn what_answers_with_rows() {
        for sql in [
            "SELECT 1",
            "DELETE FROM t RETURNING a",
            "SHOW all",
            "CALL p()",
            "(VALUES (1))",
        ] {
            assert!(one(sql).answers, "{sql}");
        }
        for sql in [
            "DELETE FROM t",
            "CREATE TABLE a AS SELECT 1",
            "SELECT 1 INTO a",
            "BEGIN",
        ] {
            assert!(!one(sql).answers, "{sql}");
        }
        assert_eq!(one("with a as (select 1) delete from t").verb, "DELETE");
    }
}
