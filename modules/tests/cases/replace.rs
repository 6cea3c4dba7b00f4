//! `replace`.

use evenkeel_engine::{
    NotYet, Secret, Value,
    fake::{FakeHost, failed},
    hex, sha256,
    testing::Law,
};

use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "replace: {path: /f, regexp: r, replace: s, after: a, before: b, backup: true, \
     validate: check %s, owner: app, group: web, mode: '0640'}",
];

const TEXT: &str = "old.host 1\nx\nold.host 2\n";

fn host() -> FakeHost {
    FakeHost::new().file("/etc/f", TEXT).dir("/srv/d")
}

/// A case on `/etc/f`; `None`: the file stays as it is.
fn edit(name: &str, args: &str, before: &str, after: Option<&str>) -> Expect {
    let yaml = format!("replace: {{path: /etc/f, {args}}}");
    let case = case(name, &yaml).on(host().file("/etc/f", before));
    match after {
        Some(text) => case
            .changes(["content"])
            .then("/etc/f", &format!("file = {text}")),
        None => case.then("/etc/f", &format!("file = {before}")),
    }
}

pub(crate) fn cases() -> Vec<Expect> {
    [places(), sections(), files()].concat()
}

fn places() -> Vec<Expect> {
    vec![
        edit(
            "RPL-01 all places",
            r"regexp: '^old\.host (\d)$', replace: 'new \1'",
            TEXT,
            Some("new 1\nx\nnew 2\n"),
        ),
        edit("none matches", "regexp: '^no', replace: x", TEXT, None),
        edit(
            "RPL-02 nothing takes its place",
            r"regexp: '^x\n'",
            TEXT,
            Some("old.host 1\nold.host 2\n"),
        ),
        edit(
            "groups by name",
            r"regexp: '^(?P<key>\w+)=(.*)$', replace: '\g<key> = \2'",
            "a=1\r\nb=2",
            Some("a = 1\r\nb = 2"),
        ),
        edit(
            "it looks around",
            "regexp: '(?<=a)b', replace: c",
            "ab b\n",
            Some("ac b\n"),
        ),
        edit(
            "other bytes stay",
            "regexp: b, replace: c",
            "a\u{0}é b\n",
            Some("a\u{0}é c\n"),
        ),
        edit(
            "RPL-03 it would match again",
            "regexp: '^', replace: '# '",
            "a\n",
            Some("# a\n# "),
        )
        .warns("each run will change the file again")
        .without(Law::Quiet, "it acts each time")
        .without(Law::Cut, "it acts each time")
        .no_run("it acts each time"),
    ]
}

fn sections() -> Vec<Expect> {
    let text = "a 1\n<x>\na 1\n</x>\na 1\n";
    vec![
        edit(
            "RPL-04 after",
            "regexp: '^a 1', replace: b, after: '<x>'",
            text,
            Some("a 1\n<x>\nb\n</x>\nb\n"),
        ),
        edit(
            "RPL-05 before",
            "regexp: '^a 1', replace: b, before: '<x>'",
            text,
            Some("b\n<x>\na 1\n</x>\na 1\n"),
        ),
        edit(
            "RPL-06 between",
            "regexp: '^a 1', replace: b, after: '<x>', before: '</x>'",
            text,
            Some("a 1\n<x>\nb\n</x>\na 1\n"),
        ),
        edit(
            "RPL-07 no such section",
            "regexp: a, replace: b, after: '<y>'",
            text,
            None,
        )
        .warns("`after` and `before` are not in the file"),
    ]
}

fn files() -> Vec<Expect> {
    let backup = format!("/etc/f.{}~", &hex(&sha256(TEXT.as_bytes()))[..12]);
    let refused = |name: &str, args: &str, message: &str| {
        case(name, &format!("replace: {{{args}}}"))
            .on(host())
            .refused(message)
    };
    vec![
        case(
            "RPL-08 a backup",
            "replace: {dest: /etc/f, regexp: old, replace: new, backup: true}",
        )
        .on(host())
        .changes(["content"])
        .then(&backup, &format!("file = {TEXT}"))
        .gives("backup_file", &format!("\"{backup}\""))
        .gives("msg", "\"2 replacements made\"")
        .gives("rc", "0"),
        case(
            "its command refuses",
            "replace: {path: /etc/f, regexp: old, validate: check %s}",
        )
        .on(host().program("check", |_, _| failed(1, "no good")))
        .fails("no good"),
        case("RPL-09 no file", "replace: {path: /etc/no, regexp: x}")
            .on(host())
            .not_yet("the file `/etc/no`"),
        case(
            "only the mode",
            "replace: {path: /etc/f, regexp: no, mode: '0600'}",
        )
        .on(host())
        .changes(["mode"]),
        case(
            "what a link points to",
            "replace: {path: /srv/l, regexp: old, replace: new}",
        )
        .rounds(2, "the link, then what it leads to")
        .on(host().link("/srv/l", "/etc/f"))
        .changes(["content"])
        .then("/srv/l", "link -> /etc/f"),
        case("a secret", "replace: {path: /etc/f, regexp: '^x$'}")
            .on(host())
            .arg("replace", Value::Secret(Secret::new("password hunter22")))
            .changes(["content: \"***\" -> \"***\""])
            .gives("checksum", "nothing"),
        case(
            "what is not known yet",
            "replace: {path: /etc/f, regexp: x}",
        )
        .on(host())
        .arg("replace", Value::NotYet(NotYet::new("the address of db1")))
        .not_yet("the address of db1"),
        refused(
            "a directory",
            "path: /srv/d, regexp: x",
            "`/srv/d` is not a file: directory",
        ),
        refused(
            "a wrong pattern",
            "path: /etc/f, regexp: '('",
            "is no pattern",
        ),
        refused(
            "a wrong section",
            "path: /etc/f, regexp: x, after: '('",
            "is no pattern",
        ),
    ]
}
