//! `blockinfile`.

use evenkeel_engine::{
    NotYet, Secret, Value,
    fake::{FakeHost, failed},
};

use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "blockinfile: {path: /f, block: b, state: absent, marker: 'x {mark}', marker_begin: b, marker_end: \
     e, insertafter: i, insertbefore: j, prepend_newline: true, append_newline: true, create: true, \
     backup: true, validate: check %s, owner: app, group: web, mode: '0640'}",
];

const BEGIN: &str = "# BEGIN ANSIBLE MANAGED BLOCK";
const END: &str = "# END ANSIBLE MANAGED BLOCK";

fn host() -> FakeHost {
    FakeHost::new().file("/etc/f", "a\nb\n").dir("/srv/d")
}

/// The block with its marks.
fn marked(text: &str) -> String {
    format!("{BEGIN}\n{text}{END}\n")
}

/// A case on `/etc/f`; `None`: the file stays as it is.
fn edit(name: &str, args: &str, before: &str, after: Option<&str>) -> Expect {
    let yaml = format!("blockinfile: {{path: /etc/f, {args}}}");
    let case = case(name, &yaml).on(host().file("/etc/f", before));
    match after {
        Some(text) => case
            .changes(["content"])
            .then("/etc/f", &format!("file = {text}")),
        None => case.then("/etc/f", &format!("file = {before}")),
    }
}

pub(crate) fn cases() -> Vec<Expect> {
    [blocks(), places(), blank(), files(), refusals()].concat()
}

fn blocks() -> Vec<Expect> {
    let x = marked("x\n");
    vec![
        edit(
            "BIF-01 at the end",
            "block: x",
            "a\n",
            Some(&format!("a\n{x}")),
        )
        .gives("msg", "\"Block inserted\""),
        edit("it is there", "block: x", &format!("{x}a\n"), None),
        edit(
            "BIF-02 another text",
            r#"block: "y\nz""#,
            &format!("a\n{x}b\n"),
            Some(&format!("a\n{}b\n", marked("y\nz\n"))),
        ),
        edit("BIF-03 it goes", "state: absent", &x, Some("")).gives("msg", "\"Block removed\""),
        edit(
            "an empty one goes",
            "block: ''",
            &format!("a\n{x}b\n"),
            Some("a\nb\n"),
        ),
        edit("it is gone", "block: x, state: absent", "a\n", None),
        edit(
            "BIF-04 two blocks",
            "block: y, marker: '; {mark} two'",
            &x,
            Some(&format!("{x}; BEGIN two\ny\n; END two\n")),
        ),
        edit(
            "words of the marks",
            "block: y, marker: '<!-- {mark} -->', marker_begin: from, marker_end: to",
            "",
            Some("<!-- from -->\ny\n<!-- to -->\n"),
        ),
        edit(
            "BIF-05 its last newline is no matter",
            r#"block: "x\n""#,
            &x,
            None,
        ),
        edit(
            "BIF-06 a file without a newline at the end",
            "block: x",
            "a",
            Some(&format!("a\n{x}")),
        ),
        edit(
            "its own last newline is missing",
            "block: x",
            x.trim_end(),
            Some(&x),
        ),
        edit(
            "BIF-09 other ends of lines stay",
            "block: y",
            &format!("a\r\n{x}b\r\n"),
            Some(&format!("a\r\n{}b\r\n", marked("y\n"))),
        ),
        edit(
            "BIF-13 marks the wrong way round",
            "block: y",
            &format!("a\n{END}\nx\n{BEGIN}\nb\n"),
            Some(&format!("a\n{}b\n", marked("y\n"))),
        ),
        edit(
            "hostile text",
            r#"block: "$(id) \\1 {mark} 'q' ☃ %s\\n", marker: "$(id)' {mark} \"☃""#,
            "",
            Some("$(id)' BEGIN \"☃\n$(id) \\1 {mark} 'q' ☃ %s\\n\n$(id)' END \"☃\n"),
        ),
    ]
}

fn places() -> Vec<Expect> {
    let x = marked("x\n");
    let text = "one\ntwo\none\ntwo\nend\n";
    vec![
        edit(
            "at the beginning",
            "block: x, insertbefore: BOF",
            "a\n",
            Some(&format!("{x}a\n")),
        ),
        edit(
            "BIF-07 after the last that matches",
            "block: x, insertafter: '^two$'",
            text,
            Some(&format!("one\ntwo\none\ntwo\n{x}end\n")),
        ),
        edit(
            "before the last that matches",
            "block: x, insertbefore: '^two'",
            text,
            Some(&format!("one\ntwo\none\n{x}two\nend\n")),
        ),
        edit(
            "no such place",
            "block: x, insertbefore: '^no'",
            "a\n",
            Some(&format!("a\n{x}")),
        ),
        edit(
            "it is there elsewhere",
            "block: x, insertafter: '^two'",
            &format!("{x}{text}"),
            None,
        ),
        edit(
            "BIF-08 after several lines",
            r"block: x, insertafter: '(?m)^one\ntwo$'",
            text,
            Some(&format!("one\ntwo\n{x}one\ntwo\nend\n")),
        ),
        edit(
            "before several lines",
            r"block: x, insertbefore: '(?m)^two\nend'",
            text,
            Some(&format!("one\ntwo\none\n{x}two\nend\n")),
        ),
        edit(
            "without the flag a pattern is for one line",
            r"block: x, insertafter: '^one\ntwo$'",
            text,
            Some(&format!("{text}{x}")),
        ),
        edit(
            "after a line that looks around",
            "block: x, insertafter: '^one(?!x)'",
            "onex\none\nonex\n",
            Some(&format!("onex\none\n{x}onex\n")),
        ),
    ]
}

fn blank() -> Vec<Expect> {
    let x = marked("x\n");
    let both = "block: x, insertafter: a, append_newline: true, prepend_newline: true";
    vec![
        edit(
            "BIF-10 blank lines around",
            both,
            "a\nb\n",
            Some(&format!("a\n\n{x}\nb\n")),
        ),
        edit("none at the ends", both, "", Some(&x)),
        edit("there they are", both, &format!("a\n\n{x}\nb\n"), None),
        edit(
            "BIF-11 none where it goes",
            "state: absent, append_newline: true, prepend_newline: true",
            &format!("a\n{x}b\n"),
            Some("a\nb\n"),
        ),
    ]
}

fn files() -> Vec<Expect> {
    let x = marked("x\n");
    vec![
        case(
            "BIF-12 a missing file is made",
            "blockinfile: {dest: /srv/a/f, block: x, create: true, mode: '0600'}",
        )
        .on(host())
        .changes(["directory", "content"])
        .then("/srv/a/f", &format!("file 0600 root:root = {x}"))
        .gives("msg", "\"File created\""),
        case("it is not made", "blockinfile: {path: /etc/no, block: x}")
            .on(host())
            .not_yet("the file `/etc/no`"),
        case(
            "no file and no block",
            "blockinfile: {path: /etc/no, state: absent, create: true}",
        )
        .on(host()),
        case("a directory", "blockinfile: {path: /srv/d, block: x}")
            .on(host())
            .refused("`/srv/d` is not a file: directory"),
        case(
            "BIF-15 its command refuses",
            "blockinfile: {path: /etc/f, block: x, validate: check %s}",
        )
        .on(host().program("check", |_, _| failed(1, "no good")))
        .fails("no good"),
        case(
            "BIF-17 what changes",
            "blockinfile: {path: /etc/f, block: x}",
        )
        .on(host())
        .changes(["content: \"other content\" -> \"64 bytes\""]),
        case(
            "BIF-18 what a link points to",
            "blockinfile: {path: /srv/l, block: x}",
        )
        .rounds(2, "the link, then what it leads to")
        .on(host().link("/srv/l", "/etc/f"))
        .changes(["content"])
        .then("/srv/l", "link -> /etc/f")
        .then("/etc/f", &format!("file = a\nb\n{x}")),
        case("a secret block", "blockinfile: {path: /etc/f}")
            .on(host())
            .arg("block", Value::Secret(Secret::new("password hunter22")))
            .changes(["content: \"***\" -> \"***\""])
            .gives("checksum", "nothing"),
        case(
            "a block that is not known yet",
            "blockinfile: {path: /etc/f}",
        )
        .on(host())
        .arg("block", Value::NotYet(NotYet::new("the address of db1")))
        .not_yet("the address of db1"),
    ]
}

fn refusals() -> Vec<Expect> {
    let refused = |name: &str, args: &str, message: &str| {
        case(name, &format!("blockinfile: {{path: /etc/f, {args}}}"))
            .on(host())
            .refused(message)
    };
    vec![
        edit(
            "BIF-14 one mark is missing",
            "block: x",
            &format!("{BEGIN}\nx\n"),
            None,
        )
        .refused("`/etc/f` has the line `# BEGIN ANSIBLE MANAGED BLOCK`, but not `# END"),
        refused(
            "BIF-16 marks that are one",
            "block: x, marker: '# block'",
            "both marks of the block are `# block`",
        ),
        refused(
            "a mark of two lines",
            r##"block: x, marker: "# {mark}\n""##,
            "more than one line",
        ),
        refused(
            "a mark in the block",
            r#"block: "a\n# END ANSIBLE MANAGED BLOCK""#,
            "one of its own marks",
        ),
        refused(
            "two places",
            "block: x, insertbefore: a, insertafter: b",
            "exclude each other",
        ),
        refused(
            "a wrong pattern",
            "block: x, insertafter: '('",
            "is no pattern",
        ),
    ]
}
