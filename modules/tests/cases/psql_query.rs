//! `psql`: SQL of the user's.

use std::sync::Arc;

use evenkeel_engine::{
    Done, Module as _, NotYet, Secret, Seen, Value,
    fake::{self, Call, FakeHost, World},
};
use evenkeel_modules::psql::{Psql, Read, Reading, Rehearsing, Set};

use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "psql: {query: ['SELECT %(b)s'], named_args: {b: c}, unless: [SELECT 1], onlyif: [SELECT 2], \
     autocommit: true, search_path: [a], long: true, timeout: 5, encoding: UTF8, as_single_query: true, \
     login_host: h, login_unix_socket: /s, login_port: 5, login_user: u, login_password: p, \
     login_db: d, session_role: r, ssl_mode: require, ca_cert: /a, ssl_cert: /c, ssl_key: /k, \
     trust_input: false}",
    "psql: {query: 'SELECT %s', positional_args: [a], path_to_script: /f}",
];

/// What a server draws by lot.
const WORD: &str = "0123456789abcdef01234567";

/// The statements that psql reads.
fn statements(stdin: &str) -> Vec<&str> {
    let parts = stdin.split("\\echo :ek at ").skip(1);
    parts
        .filter_map(|part| {
            let (_, rest) = part.split_once('\n')?;
            Some(rest.split_once("\n\\").map_or(rest, |(sql, _)| sql))
        })
        .collect()
}

/// A server that knows a few statements by their words.
fn server(world: &mut World, call: &Call) -> Done {
    let args = call.args();
    if !matches!(args[..], ["-c", _, "sh"]) {
        return fake::failed(2, "not a query");
    }
    served(world, &String::from_utf8_lossy(&call.stdin))
}

/// What comes of what psql reads.
fn served(world: &mut World, stdin: &str) -> Done {
    let all = statements(stdin);
    let whole = stdin.contains("\nBEGIN;\n");
    let (mut out, mut counts) = (vec![format!("{WORD}\n")], Vec::new());
    for (at, sql) in all.iter().enumerate() {
        let place = format!(
            "at {} {} {}\n",
            at + 1,
            all.len(),
            if whole { "whole" } else { "apart" }
        );
        let failed = |why: &str| Done {
            status: 3,
            stdout: place.clone().into_bytes(),
            stderr: format!("psql:<stdin>:12: ERROR:  {why}\nLINE 1: x\n        ^\n").into_bytes(),
            millis: 0,
        };
        if sql.contains("no_such_table") {
            return failed("relation \"no_such_table\" does not exist");
        }
        if sql.starts_with("VACUUM") && whole {
            return failed("VACUUM cannot run inside a transaction block");
        }
        out.push(format!("{WORD} {place}"));
        let counted = ["UPDATE", "INSERT", "DELETE"]
            .iter()
            .any(|verb| sql.starts_with(verb));
        let count = u32::from(!sql.contains("nobody"));
        if sql.starts_with("SELECT") || sql.contains("RETURNING") {
            out.push(format!("id{WORD}Finteger\n{WORD} rows\n"));
            if count > 0 {
                out.push("7\n".to_owned());
            }
        } else if !counted {
            out.push(format!(
                "{WORD} rows\n{}\n",
                sql.split(" t").next().unwrap_or_default()
            ));
        }
        let end = if counted { "did" } else { "end" };
        counts.push((counted, count));
        out.push(format!("{WORD} {end} {count}\n"));
        world.note("ran", "something");
    }
    out.push(format!("{WORD} done\n"));
    let idle = counts
        .iter()
        .all(|(counted, count)| *counted && *count == 0);
    Done {
        status: if idle { 4 } else { 0 },
        ..fake::ok(out.concat())
    }
}

fn host() -> FakeHost {
    FakeHost::new()
        .program("sh", server)
        .model(|world, one| Ok(rehearsed(world, one)))
}

/// What comes of a rehearsal: what the same server would do, were it not taken back.
fn rehearsed(world: &World, one: &Rehearsing) -> Vec<Done> {
    assert!(one.text.contains("\nROLLBACK;\n") && !one.text.contains("COMMIT"));
    vec![served(&mut world.clone(), &one.text)]
}

/// What a case asks, in the order in which it does.
fn asked(expect: &Expect) -> Vec<Reading> {
    let bound = expect.bound().expect("arguments that fit");
    let probes = bound.observe(&Seen::default());
    let reading = |probe: &Arc<dyn evenkeel_engine::AnyProbe>| {
        let reading = probe.as_any().downcast_ref::<Reading>();
        reading.expect("a query").clone()
    };
    probes.iter().map(reading).collect()
}

/// A case with what the server answers to what it asks.
fn answered<const N: usize>(expect: Expect, answers: [Read; N]) -> Expect {
    let asked = asked(&expect);
    assert_eq!(asked.len(), N, "{}", expect.name);
    let host = asked
        .into_iter()
        .zip(answers)
        .fold(host(), |host, (question, answer)| {
            host.answers(question, answer)
        });
    expect.on(host)
}

/// A row for each text, in one column.
fn rows(kind: &str, texts: &[Option<&str>]) -> Read {
    Read::Sets(vec![Set {
        columns: vec![("a".to_owned(), kind.to_owned())],
        rows: texts
            .iter()
            .map(|text| vec![text.map(str::to_owned)])
            .collect(),
        count: texts.len() as u64,
        tag: String::new(),
    }])
}

pub(crate) fn cases() -> Vec<Expect> {
    let mut cases = reads();
    cases.extend(runs());
    cases.extend(guards());
    cases.extend(failures());
    cases.extend(refusals());
    cases.extend(misfits());
    cases
}

fn reads() -> Vec<Expect> {
    vec![
        answered(
            case(
                "PGQ-01 rows of a query that only reads",
                "psql: {query: 'SELECT a FROM t WHERE b = 1'}",
            ),
            [rows("integer", &[Some("1"), None])],
        )
        .gives("query_result", "[{\"a\":1},{\"a\":null}]")
        .gives("query_all_results", "[[{\"a\":1},{\"a\":null}]]")
        .gives("rowcount", "2")
        .gives("statusmessage", "\"SELECT 2\"")
        .gives("query", "\"SELECT a FROM t WHERE b = 1\""),
        answered(
            case(
                "PGQ-01 by its other name",
                "postgresql_query: {query: SHOW work_mem, db: app}",
            ),
            [rows("text", &[Some("4MB")])],
        )
        .gives("query_result", "[{\"a\":\"4MB\"}]")
        .gives("statusmessage", "\"SHOW\""),
        case(
            "PGQ-01 a function may do anything",
            "psql: {query: 'SELECT f(1)'}",
        )
        .on(host())
        .changes(["run `SELECT f(1)`"])
        .gives("query_result", "[{\"id\":7}]"),
        answered(
            case(
                "it cannot be asked so",
                "psql: {query: 'SELECT id FROM nobodys_view'}",
            ),
            [Read::Wrong(
                "cannot execute UPDATE in a read-only transaction".to_owned(),
            )],
        )
        .changes(["run `SELECT id FROM nobodys_view`"])
        .gives("query_result", "[]"),
    ]
}

fn runs() -> Vec<Expect> {
    let secret = || Value::Secret(Secret::new("hunter2\"c0ffee"));
    vec![
        case("PGQ-02 a row is changed", "psql: {query: UPDATE t SET a = 1}")
            .on(host())
            .changes(["run `UPDATE t SET a = 1`"])
            .gives("rowcount", "1")
            .gives("statusmessage", "\"UPDATE 1\"")
            .gives("query_result", "[]"),
        case(
            "PGQ-04 values of all kinds",
            "psql: {query: 'INSERT INTO t VALUES (%s, %s, %s) RETURNING id', positional_args: [\"it's\", [1, 2], null]}",
        )
        .on(host())
        .changes(["run `INSERT INTO t VALUES (%s, %s, %s) RETURNING id`"])
        .gives("query_result", "[{\"id\":7}]")
        .gives("statusmessage", "\"INSERT 0 1\""),
        case(
            "PGQ-04 values by their names",
            "psql: {query: 'INSERT INTO t VALUES (%(a)s)', named_args: {a: 5}}",
        )
        .on(host())
        .changes(["run `INSERT INTO t VALUES (%(a)s)`"]),
        case("a secret value", "psql: {query: 'INSERT INTO t VALUES (%(a)s)'}")
            .arg("named_args", Value::Map([("a".to_owned(), secret())].into_iter().collect()))
            .on(host())
            .changes(["run `INSERT INTO t VALUES (%(a)s)`"]),
        case("a secret query", "psql: {}")
            .arg("query", Value::Secret(Secret::new("INSERT INTO t VALUES ('hunter2c0ffee')")))
            .on(host())
            .changes(["run `***`"])
            .gives("query", "\"***\""),
        case("PGQ-05 a table is made", "psql: {query: CREATE TABLE t ()}")
            .on(host())
            .changes(["run `CREATE TABLE t ()`"])
            .gives("statusmessage", "\"CREATE TABLE\"")
            .gives("rowcount", "0"),
        case("PGQ-06 by itself", "psql: {query: VACUUM t, autocommit: true}")
            .on(host())
            .changes(["run `VACUUM t`"]),
        case(
            "PGQ-07 several statements",
            "psql: {query: ['UPDATE t SET a = 1; SELECT f(2)', DELETE FROM t]}",
        )
        .on(host())
        .changes(["run `UPDATE t SET a = 1; SELECT f(2); DELETE FROM t`"])
        .gives("query_all_results", "[[],[{\"id\":7}],[]]")
        .gives("query_result", "[{\"id\":7}]")
        .gives("query_list", "[\"UPDATE t SET a = 1; SELECT f(2)\",\"DELETE FROM t\"]")
        .gives("query", "\"DELETE FROM t\"")
        .gives("rowcount", "3")
        .gives("statusmessage", "\"DELETE 1\""),
        case("only the session", "psql: {query: ['SET work_mem = 1', 'LOCK t']}")
            .on(host())
            .changes(["run `SET work_mem = 1; LOCK t`"]),
        case("a value that comes later", "psql: {query: 'UPDATE t SET a = %(a)s'}")
            .arg(
                "named_args",
                Value::Map(
                    [("a".to_owned(), Value::NotYet(NotYet::new("the result of `x`")))]
                        .into_iter()
                        .collect(),
                ),
            )
            .on(host())
            .not_yet("the result of `x`"),
    ]
}

fn guards() -> Vec<Expect> {
    let unless = "psql: {query: UPDATE t SET a = 1, unless: SELECT a FROM t}";
    let onlyif = "psql: {query: UPDATE t SET a = 1, onlyif: SELECT a FROM t}";
    let named = "psql: {query: 'INSERT INTO t VALUES (%(a)s)', unless: 'SELECT 1 FROM t WHERE a = %(a)s', named_args: {a: x}}";
    let change = "run `UPDATE t SET a = 1`";
    vec![
        answered(case("a row says that it need not run", unless), [rows("integer", &[Some("1")])])
            .gives("msg", "\"`SELECT a FROM t` says yes\"")
            .gives("query_result", "[]"),
        answered(case("no row says that it has to run", unless), [rows("integer", &[])])
            .changes([change]),
        answered(case("a false row is none", unless), [rows("boolean", &[Some("f")])]).changes([change]),
        answered(case("an empty row is none", unless), [rows("text", &[None])]).changes([change]),
        answered(case("a count of 0 is none", unless), [rows("bigint", &[Some("0")])]).changes([change]),
        answered(case("only if there is a row", onlyif), [rows("integer", &[Some("1")])]).changes([change]),
        answered(case("only if there is a row, and there is none", onlyif), [rows("integer", &[])])
            .gives("msg", "\"`SELECT a FROM t` says no\""),
        answered(case("a guard with a value", named), [rows("integer", &[Some("1")])])
            .gives("msg", "\"`SELECT 1 FROM t WHERE a = %(a)s` says yes\""),
        answered(
            case(
                "a guard that calls a function",
                "psql: {query: UPDATE t SET a = 1, unless: SELECT f()}",
            ),
            [rows("boolean", &[Some("t")])],
        )
        .gives("msg", "\"`SELECT f()` says yes\"")
        .rounds(2, "nobody knows what the function does, so it is asked only at its turn"),
        answered(
            case("a guard that asks for nothing that is there", unless),
            [Read::Wrong("relation \"t\" does not exist".to_owned())],
        )
        .not_yet("what `unless: SELECT a FROM t` answers (PostgreSQL says: relation \"t\" does not exist)"),
    ]
}

fn failures() -> Vec<Expect> {
    vec![
        case("PGQ-06 not in a transaction", "psql: {query: VACUUM t}")
            .on(host())
            .fails("VACUUM cannot run inside a transaction block"),
        case(
            "PGQ-07 nothing is kept",
            "psql: {query: [UPDATE t SET a = 1, DELETE FROM no_such_table]}",
        )
        .on(host())
        .fails("relation \"no_such_table\" does not exist"),
    ]
}

fn refused(name: &str, args: &str, why: &str) -> Expect {
    case(name, &format!("psql: {{{args}}}")).refused(why)
}

fn misfits() -> Vec<Expect> {
    vec![
        refused(
            "PGQ-04 too few values",
            "query: 'SELECT %s, %s', positional_args: [1]",
            "has 1 values, and the query 2 `%s`",
        ),
        refused(
            "PGQ-04 too many values",
            "query: 'SELECT %s', positional_args: [1, 2]",
            "has 2 values, and the query 1 `%s`",
        ),
        refused(
            "PGQ-04 no place",
            "query: 'SELECT 1', positional_args: [1]",
            "has 1 values, and the query no `%s`",
        ),
        refused(
            "PGQ-04 no such name",
            "query: 'SELECT %(a)s', named_args: {b: 1}",
            "`named_args` has no `a`",
        ),
        refused(
            "PGQ-04 both",
            "query: 'SELECT %s', positional_args: [1], named_args: {b: 1}",
            "exclude each other",
        ),
        refused(
            "PGQ-04 within quotes",
            "query: \"SELECT '%(a)s'\", named_args: {a: 1}",
            "`%(a)s` stands within quotes",
        ),
        refused(
            "PGQ-04 no list",
            "query: SELECT 1, positional_args: {a: 1}",
            "`positional_args` is no list",
        ),
        refused(
            "PGQ-04 no map",
            "query: SELECT 1, named_args: [1]",
            "`named_args` is no map",
        ),
    ]
}

fn refusals() -> Vec<Expect> {
    vec![
        refused("no query", "login_db: app", "there is no `query`"),
        refused("an empty list", "query: []", "there is no query in it"),
        refused(
            "an empty query",
            "query: [SELECT 1, ' -- nothing']",
            "a query is empty",
        ),
        refused(
            "a file",
            "path_to_script: /f.sql",
            "`path_to_script` is not read",
        ),
        refused(
            "a command of psql",
            "query: \"\\\\d t\"",
            "`\\d`: a backslash outside of a text",
        ),
        refused(
            "rows by stdin",
            "query: COPY t FROM STDIN",
            "between psql and the server",
        ),
        refused("an open text", "query: \"SELECT 'a\"", "a text has no end"),
        refused(
            "PGQ-06 its own transaction",
            "query: BEGIN; UPDATE t SET a = 1; COMMIT",
            "`BEGIN` in a query that is one transaction",
        ),
        refused(
            "no end",
            "query: BEGIN; UPDATE t SET a = 1, autocommit: true",
            "begins a transaction and does not end it",
        ),
        refused(
            "a guard that writes",
            "query: SELECT 1, unless: DELETE FROM t",
            "is not one query that only reads",
        ),
        refused(
            "two guards in one",
            "query: SELECT 1, onlyif: SELECT 1; SELECT 2",
            "is not one query that only reads",
        ),
        refused(
            "a guard without its value",
            "query: 'SELECT %(a)s', named_args: {a: 1}, unless: 'SELECT %(b)s'",
            "`named_args` has no `b`",
        ),
        refused("no time", "query: SELECT 1, timeout: 0", "leaves no time"),
        refused(
            "a suspicious role",
            "query: SELECT 1, session_role: 'a; b', trust_input: false",
            "`session_role` contains `;`",
        ),
        case("a secret that is no SQL", "psql: {}")
            .arg("query", Value::Secret(Secret::new("SELECT 'hunter2c0ffee")))
            .refused("the query, which is secret, cannot be run as it is"),
    ]
}

fn doubts(yaml: &str) -> Vec<String> {
    let args = case("", yaml).args();
    let args = Value::Map(args).to_typed().expect("arguments that fit");
    Psql::doubts(&args)
        .into_iter()
        .map(|doubt| doubt.message)
        .collect()
}

#[test]
fn rights_have_a_module_of_their_own() {
    assert_eq!(
        doubts("psql: {query: [grant a to b, SELECT 1, ALTER SYSTEM SET a = 1, GRANTED]}"),
        [
            "`GRANT` runs each time, and is told as changed each time",
            "`ALTER SYSTEM` runs each time, and is told as changed each time",
        ]
    );
    assert_eq!(
        doubts("psql: {query: grant a to b, unless: SELECT 1}"),
        [""; 0]
    );
    assert_eq!(
        doubts(
            "psql: {query: 'SELECT %(a)s', named_args: {a: 1, b: 2, c: 3}, unless: 'SELECT %(c)s', encoding: UTF8}"
        ),
        [
            "`encoding` has no effect: all goes to the server as UTF-8, and it knows what it keeps",
            "`named_args`: nothing asks for `b`",
        ]
    );
}
