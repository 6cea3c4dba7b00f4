//! `lineinfile`.

use evenkeel_engine::{
    NotYet, Secret, Value,
    fake::{FakeHost, failed, ok},
    hex, sha256,
    testing::Law,
};

use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "lineinfile: {path: /f, line: a, state: absent, regexp: r, search_string: s, insertafter: i, \
     insertbefore: j, backrefs: true, firstmatch: true, create: true, backup: true, \
     validate: check %s, owner: app, group: web, mode: '0640'}",
];

const TEXT: &str = "one\ntwo = 2\nthree\ntwo = 3\nend\n";

fn host() -> FakeHost {
    FakeHost::new()
        .user("app", 1000)
        .file("/etc/f", TEXT)
        .dir("/srv/d")
}

/// A case on `/etc/f`; `None`: the file stays as it is.
fn edit(name: &str, args: &str, before: &str, after: Option<&str>) -> Expect {
    let yaml = format!("lineinfile: {{path: /etc/f, {args}}}");
    let case = case(name, &yaml).on(host().file("/etc/f", before));
    match after {
        Some(text) => case
            .changes(["content"])
            .then("/etc/f", &format!("file = {text}")),
        None => case.then("/etc/f", &format!("file = {before}")),
    }
}

pub(crate) fn cases() -> Vec<Expect> {
    [
        inserted(),
        there(),
        replaced(),
        removed(),
        files(),
        refusals(),
    ]
    .concat()
}

fn inserted() -> Vec<Expect> {
    vec![
        edit(
            "LIF-02 at the beginning",
            "line: new, insertbefore: BOF",
            "a\nb\n",
            Some("new\na\nb\n"),
        )
        .gives("msg", "\"line added\"")
        .gives("backup", "\"\"")
        .gives("found", "nothing"),
        edit(
            "after BOF is the same",
            "line: new, insertafter: BOF",
            "a\n",
            Some("new\na\n"),
        ),
        edit(
            "LIF-03 at the end",
            "line: new, insertafter: EOF",
            "a\n",
            Some("a\nnew\n"),
        ),
        edit(
            "at the end without a newline",
            "line: new",
            "a\nb",
            Some("a\nb\nnew\n"),
        ),
        edit("into an empty file", "line: new", "", Some("new\n")),
        edit(
            "LIF-04 after the last that matches",
            "line: new, insertafter: '^two'",
            TEXT,
            Some("one\ntwo = 2\nthree\ntwo = 3\nnew\nend\n"),
        ),
        edit(
            "after the first that matches",
            "line: new, insertafter: '^two', firstmatch: true",
            TEXT,
            Some("one\ntwo = 2\nnew\nthree\ntwo = 3\nend\n"),
        ),
        edit(
            "after the last line",
            "line: new, insertafter: '^end'",
            TEXT,
            Some("one\ntwo = 2\nthree\ntwo = 3\nend\nnew\n"),
        ),
        edit(
            "LIF-05 before the last that matches",
            "line: new, insertbefore: '^two'",
            TEXT,
            Some("one\ntwo = 2\nthree\nnew\ntwo = 3\nend\n"),
        ),
        edit(
            "LIF-06 no such place",
            "line: new, insertafter: '^no'",
            "a\n",
            Some("a\nnew\n"),
        ),
        edit(
            "no such place, and the line is there",
            "line: a, insertbefore: '^no'",
            "a\nb\n",
            None,
        )
        .gives("msg", "\"\""),
    ]
}

fn there() -> Vec<Expect> {
    vec![
        edit(
            "LIF-17 it is there elsewhere",
            "line: a, insertafter: '^b'",
            "a\nb\n",
            None,
        ),
        edit(
            "LIF-18 text is taken as it is",
            r#"line: "a 'b' \\n \\1 $x""#,
            "x\n",
            Some("x\na 'b' \\n \\1 $x\n"),
        ),
        edit("a line with its end", r#"line: "a\n""#, "a\n", None),
        edit("two lines", r#"line: "b\nc""#, "a\n", Some("a\nb\nc\n")),
        edit(
            "two lines that are there",
            r#"line: "b\nc", regexp: '^b'"#,
            "b\nc\na\n",
            None,
        ),
    ]
}

fn replaced() -> Vec<Expect> {
    vec![
        edit(
            "LIF-07 the last that matches",
            "regexp: '^two', line: two = 9",
            TEXT,
            Some("one\ntwo = 2\nthree\ntwo = 9\nend\n"),
        )
        .gives("msg", "\"line replaced\""),
        edit(
            "the first that matches",
            "regexp: '^two', line: two = 9, firstmatch: yes",
            TEXT,
            Some("one\ntwo = 9\nthree\ntwo = 3\nend\n"),
        ),
        edit(
            "by a text in it",
            "search_string: '= 2', line: two = 2 = 2",
            TEXT,
            Some("one\ntwo = 2 = 2\nthree\ntwo = 3\nend\n"),
        ),
        edit(
            "LIF-08 a match leaves the place aside",
            "regexp: '^one', line: one!, insertafter: EOF",
            TEXT,
            Some("one!\ntwo = 2\nthree\ntwo = 3\nend\n"),
        )
        .warns_not(),
        edit(
            "LIF-09 a pattern that does not match its line",
            "regexp: '^x=', line: y=1",
            "a\n",
            Some("a\ny=1\n"),
        )
        .warns("`line` is not matched by its own pattern"),
        edit(
            "the end of a line is matched",
            "regexp: '^one$', line: one",
            "one\r\none\n",
            None,
        ),
        edit(
            "other lines keep their ends",
            "regexp: '^b', line: bb",
            "a\r\nb\nc\r\n",
            Some("a\r\nbb\nc\r\n"),
        ),
        edit(
            "it looks around",
            "regexp: '^a(?!b)', line: ax",
            "ab\nac\n",
            Some("ab\nax\n"),
        ),
        edit(
            "LIF-10 groups",
            r"regexp: '^(\w+) = (\d)$', line: '\2 is \g<1>', backrefs: true",
            TEXT,
            Some("one\ntwo = 2\nthree\n3 is two\nend\n"),
        )
        .warns("each run will change the file again")
        .without(Law::Quiet, "an earlier line matches then")
        .without(Law::Foretold, "an earlier line matches then")
        .without(Law::Cut, "an earlier line matches then")
        .no_run("an earlier line matches then: it acts each time"),
        edit(
            "groups without a match",
            r"regexp: '^(no)', line: '\1', backrefs: true",
            TEXT,
            None,
        ),
        edit(
            "LIF-16 an empty pattern",
            "regexp: '', line: last",
            "a\nb\n",
            Some("a\nlast\n"),
        )
        .warns("`regexp` is empty"),
    ]
}

fn removed() -> Vec<Expect> {
    vec![
        edit(
            "LIF-12 by pattern",
            "regexp: '^two', state: absent",
            TEXT,
            Some("one\nthree\nend\n"),
        )
        .gives("msg", "\"2 line(s) removed\"")
        .gives("found", "2"),
        edit(
            "by the whole line",
            "line: two = 2, state: absent",
            TEXT,
            Some("one\nthree\ntwo = 3\nend\n"),
        ),
        edit(
            "by a text in it",
            "search_string: e, state: absent",
            TEXT,
            Some("two = 2\ntwo = 3\n"),
        ),
        edit(
            "none is left to go",
            "regexp: '^no', state: absent",
            TEXT,
            None,
        ),
        case(
            "LIF-13 no file",
            "lineinfile: {path: /etc/no, line: x, state: absent}",
        )
        .on(host()),
    ]
}

fn files() -> Vec<Expect> {
    let backup = format!("/etc/f.{}~", &hex(&sha256(TEXT.as_bytes()))[..12]);
    vec![
        case(
            "LIF-01 the file is missing",
            "lineinfile: {path: /etc/no, line: x}",
        )
        .on(host())
        .not_yet("the file `/etc/no`"),
        case(
            "LIF-23 a missing file is made",
            "lineinfile: {path: /srv/a/b/f, line: x, create: yes, mode: '0600'}",
        )
        .on(host())
        .changes(["directory", "directory", "content"])
        .then("/srv/a/b", "directory 0755 root:root")
        .then("/srv/a/b/f", "file 0600 root:root = x\n"),
        case(
            "LIF-14 its command refuses",
            "lineinfile: {path: /etc/f, line: x, validate: check %s}",
        )
        .on(host().program("check", |_, _| failed(1, "no good")))
        .fails("no good"),
        case(
            "its command accepts",
            "lineinfile: {path: /etc/f, line: x, validate: check %s}",
        )
        .on(host().program("check", |_, _| ok("")))
        .changes(["content"]),
        case(
            "LIF-15 a backup",
            "lineinfile: {path: /etc/f, line: x, backup: true}",
        )
        .on(host())
        .changes(["content"])
        .then(&backup, &format!("file = {TEXT}")),
        case("LIF-19 a directory", "lineinfile: {path: /srv/d, line: x}")
            .on(host())
            .refused("`/srv/d` is not a file: directory"),
        case(
            "LIF-20 what a link points to",
            "lineinfile: {path: /srv/l, line: x}",
        )
        .rounds(2, "the link, then what it leads to")
        .on(host().file("/etc/f", "").link("/srv/l", "/etc/f"))
        .changes(["content"])
        .then("/srv/l", "link -> /etc/f")
        .then("/etc/f", "file = x\n"),
        case(
            "LIF-21 only the mode",
            "lineinfile: {path: /etc/f, line: end, mode: '0600', owner: app}",
        )
        .on(host())
        .changes(["owner", "mode"])
        .then("/etc/f", &format!("file 0600 app:root = {TEXT}")),
        case(
            "LIF-24 a relative path",
            "lineinfile: {path: file, line: x, create: true}",
        )
        .rounds(2, "the home directory, then the paths below it")
        .on(host())
        .changes(["content"])
        .then("/root/file", "file = x\n"),
        case(
            "a secret line",
            "lineinfile: {path: /etc/f, regexp: '^password'}",
        )
        .on(host())
        .arg("line", Value::Secret(Secret::new("password hunter22")))
        .changes(["content: \"***\" -> \"***\""])
        .gives("checksum", "nothing"),
        case("a line that is not known yet", "lineinfile: {path: /etc/f}")
            .on(host())
            .arg("line", Value::NotYet(NotYet::new("the address of db1")))
            .not_yet("the address of db1"),
    ]
}

fn refusals() -> Vec<Expect> {
    let refused = |name: &str, args: &str, message: &str| {
        case(name, &format!("lineinfile: {{path: /etc/f, {args}}}")).refused(message)
    };
    vec![
        refused(
            "LIF-11 groups without a pattern",
            "line: x, backrefs: true",
            "`backrefs` needs `regexp`",
        ),
        refused(
            "LIF-22 two places",
            "line: x, insertbefore: a, insertafter: b",
            "exclude each other",
        ),
        refused(
            "two patterns",
            "line: x, regexp: a, search_string: b",
            "exclude each other",
        ),
        refused("no line", "regexp: a", "`line` is missing"),
        refused(
            "nothing to go",
            "state: absent",
            "one of `line`, `regexp` and `search_string`",
        ),
        refused("a wrong pattern", "line: x, regexp: '('", "is no pattern"),
    ]
}
