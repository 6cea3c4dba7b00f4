//! `find` and `tempfile`.

use evenkeel_engine::{
    download::Algorithm,
    fake::{FakeHost, ok},
    testing::Law,
};
use evenkeel_modules::{
    Sum,
    find::{Entry, Found, Tree},
};

use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "find: {paths: [/a], patterns: [b], excludes: [c], use_regex: true, file_type: any, recurse: true, \
     depth: 2, hidden: true, follow: true, age: 1d, age_stamp: atime, size: 1k, limit: 3, get_checksum: true, checksum_algorithm: md5}",
    "find: {paths: [/a], contains: b, read_whole_file: true}",
    "tempfile: {state: directory, path: /d, prefix: p, suffix: s}",
];

fn entry(path: &str, kind: char, size: u64, modified: i64) -> Entry {
    Entry {
        path: path.to_owned(),
        kind,
        mode: 0o640,
        size,
        owner: (0, "root".to_owned()),
        group: (5, "web".to_owned()),
        times: [1, 2, modified],
        numbers: [9, 8, 1],
    }
}

fn host(depth: Option<u32>, entries: Option<Vec<Entry>>) -> FakeHost {
    let tree = Tree {
        path: "/srv".to_owned(),
        depth,
        follow: false,
    };
    FakeHost::new().answers(tree, Found { now: 1000, entries })
}

/// How many files hold something.
fn holding(name: &str, args: &str, count: &str) -> Expect {
    let entries = vec![entry("/srv/a", 'f', 12, 1), entry("/srv/b", 'f', 1, 1)];
    let host = host(Some(1), Some(entries))
        .dir("/srv")
        .file("/srv/a", "a = 1\nb = 2\n")
        .file("/srv/b", b"\xff");
    case(name, &format!("find: {{paths: /srv, {args}}}"))
        .on(host)
        .rounds(2, "which files there are is known before they are read")
        .gives("matched", count)
}

fn sum(path: &str) -> Sum {
    Sum {
        algorithm: Algorithm::Md5,
        path: path.to_owned(),
    }
}

fn tree() -> Vec<Entry> {
    vec![
        entry("/srv/.hidden", 'f', 1, 900),
        entry("/srv/a.log", 'f', 2048, 100),
        entry("/srv/b $(id)\n☃.log", 'f', 10, 990),
        entry("/srv/d", 'd', 4096, 1),
        entry("/srv/l", 'l', 3, 1),
    ]
}

pub(crate) fn cases() -> Vec<Expect> {
    [found(), made(), refusals()].concat()
}

fn found() -> Vec<Expect> {
    let find = |name: &str, args: &str, count: &str, first: &str| {
        let case = case(name, &format!("find: {{paths: /srv/, {args}}}"))
            .on(host(Some(1), Some(tree())))
            .gives("matched", count)
            .gives("examined", "5");
        if first.is_empty() {
            case
        } else {
            case.gives("files", first)
        }
    };
    vec![
        find("FND-01 files", "file_type: file", "2", ""),
        find(
            "FND-02 by name",
            "patterns: '*.log', excludes: 'b*'",
            "1",
            "",
        ),
        find(
            "by a pattern of Python",
            "patterns: ['^a\\.', x], use_regex: true",
            "1",
            "",
        ),
        find("FND-03 old ones", "age: 10m", "1", ""),
        find("young ones", "age: -60", "1", ""),
        find("by another time", "age: 1s, age_stamp: ctime", "2", ""),
        find("FND-04 large ones", "size: 1k", "1", ""),
        find("small ones", "size: -1k", "1", ""),
        find("FND-05 hidden ones", "hidden: true", "3", ""),
        find("directories", "file_type: directory", "1", ""),
        find("links", "file_type: link", "1", ""),
        find("all of them", "file_type: any, hidden: yes", "5", ""),
        find("not too many", "file_type: any, limit: 2", "2", ""),
        case(
            "checksums of files",
            "find: {paths: /srv, get_checksum: true, checksum_algorithm: md5, limit: 1}",
        )
        .on(host(Some(1), Some(vec![entry("/srv/a", 'f', 12, 1)]))
            .always(sum("/srv/a"), Some("0f".to_owned())))
        .rounds(2, "which files there are is known before they are read")
        .gives("matched", "1"),
        case("FND-06 all below", "find: {paths: [/srv], recurse: true}")
            .on(host(
                None,
                Some(vec![
                    entry("/srv/.git/x", 'f', 1, 1),
                    entry("/srv/d/x", 'f', 1, 1),
                ]),
            ))
            .gives("matched", "1"),
        holding("FND-08 a line begins so", r"contains: '\w+\s*=\s*2$'", "1"),
        holding("FND-08 no line begins so", "contains: '= 2'", "0"),
        holding(
            "FND-08 somewhere in the text",
            "contains: '= 1\\s+b', read_whole_file: true",
            "1",
        ),
        case("FND-07 no directory", "find: {paths: /srv}")
            .on(host(Some(1), None))
            .gives("matched", "0")
            .gives("skipped_paths", r#"{"/srv":"it is no directory"}"#),
    ]
}

fn made() -> Vec<Expect> {
    let host = || FakeHost::new().program("mktemp", |_, _| ok("/tmp/ansible.12345678\n"));
    vec![
        case("TMP-01 a file", "tempfile:")
            .on(host())
            .without(Law::Quiet, "it makes one each time")
            .no_run("it makes one each time")
            .changes(["file: null -> \"/tmp/ansible.XXXXXXXX\""])
            .gives("path", "\"/tmp/ansible.12345678\""),
        case(
            "TMP-02 a directory",
            "tempfile: {state: directory, path: /srv/, prefix: -a$(id), suffix: .x}",
        )
        .on(host())
        .without(Law::Quiet, "it makes one each time")
        .no_run("it makes one each time")
        .changes(["directory: null -> \"/srv/-a$(id)XXXXXXXX.x\""]),
    ]
}

fn refusals() -> Vec<Expect> {
    let refused = |name: &str, yaml: &str, message: &str| case(name, yaml).refused(message);
    vec![
        refused("no directories", "find: {paths: []}", "`paths` is empty"),
        refused(
            "no pattern",
            "find: {paths: /a, contains: '('}",
            "`contains: (` is no pattern",
        ),
        refused(
            "what a directory holds",
            "find: {paths: /a, contains: a, file_type: directory}",
            "`contains` is about what files hold",
        ),
        refused("a relative one", "find: {paths: x}", "is not absolute"),
        refused(
            "no age",
            "find: {paths: /a, age: old}",
            "`age: old` is no limit",
        ),
        refused(
            "a wrong pattern",
            "find: {paths: /a, patterns: '(', use_regex: true}",
            "is no pattern",
        ),
        refused(
            "TMP-03 a path as a part",
            "tempfile: {prefix: a/b}",
            "no part of a name",
        ),
    ]
}
