//! `file-template`.

use evenkeel_engine::{
    NotYet, Secret, Value,
    fake::{FakeHost, failed},
};

use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "file-template: {dest: /f, src: f.j2, content: text, newline_sequence: \"\\r\\n\", \
     trim_blocks: false, lstrip_blocks: true, variable_start_string: \"[[\", variable_end_string: \"]]\", \
     block_start_string: \"[%\", block_end_string: \"%]\", comment_start_string: \"[#\", \
     comment_end_string: \"#]\", owner: app, group: web, mode: '0640', force: false, \
     backup: true, validate: check %s, follow: true}",
];

fn host() -> FakeHost {
    FakeHost::new()
        .user("app", 1000)
        .file("/etc/app.conf", "old\n")
        .dir("/srv/d")
}

pub(crate) fn cases() -> Vec<Expect> {
    vec![
        case("TPL-01 a new file", "template: {src: app.j2, dest: /srv/app, content: \"a\\n\", mode: '0600', owner: app}")
            .on(host())
            .changes(["content"])
            .then("/srv/app", "file 0600 app:root = a\n"),
        case("TPL-02 another content", "ansible.builtin.template: {src: app.j2, dest: /etc/app.conf, content: \"new\\n\"}")
            .on(host())
            .changes(["content"])
            .then("/etc/app.conf", "file 0644 root:root = new\n"),
        case("TPL-06 CRLF stays", "file-template: {dest: /etc/app.conf, content: \"a\\r\\nb\\r\\n\"}")
            .on(host())
            .changes(["content"])
            .then("/etc/app.conf", "file = a\r\nb\r\n"),
        case("lines end as they are told to", "template: {dest: /etc/app.conf, content: \"a\\nb\\r\\nc\", newline_sequence: '\\r\\n'}")
            .on(host())
            .changes(["content"])
            .then("/etc/app.conf", "file = a\r\nb\r\nc"),
        case("TPL-07 preserve is the runner's", "file-template: {dest: /srv/x, content: x, mode: preserve}")
            .refused("`mode: preserve` needs a template in a file"),
        case("TPL-08 into a directory", "template: {src: conf/app.j2, dest: /srv/d, content: x, mode: '0600'}")
            .on(host())
            .changes(["content"])
            .then("/srv/d", "directory 0755 root:root")
            .then("/srv/d/app.j2", "file 0600 root:root = x"),
        case("TPL-09 follow edits what a link points to", "template: {src: a, dest: /srv/l, content: x, follow: yes}").rounds(2, "the link, then what it leads to")
            .on(host().link("/srv/l", "/etc/app.conf"))
            .changes(["content"])
            .then("/srv/l", "link -> /etc/app.conf")
            .then("/etc/app.conf", "file = x"),
        case("TPL-10 what is there keeps its inode", "template: {src: a, dest: /etc/app.conf, content: \"old\\n\", mode: '0600'}")
            .on(host())
            .changes(["mode"]),
        case("TPL-11 an unusual name", "template: {src: a, dest: \"/srv/d/it's \\\"{{ x }}\\\" \\\\ here\", content: x}")
            .on(host())
            .changes(["content"])
            .then("/srv/d/it's \"{{ x }}\" \\ here", "file = x"),
        case("TPL-14 an empty file", "template: {src: a, dest: /etc/app.conf, content: ''}")
            .on(host())
            .changes(["content"])
            .then("/etc/app.conf", "file 0644 root:root = "),
        case("TPL-15 refused by its command", "template: {src: a, dest: /etc/app.conf, content: x, validate: 'check %s', backup: yes}")
            .on(host().program("check", |_, _| failed(2, "line 1")))
            .fails("line 1"),
        case("TPL-17 a content that is not known yet", "template: {src: a, dest: /etc/app.conf}")
            .on(host())
            .arg("content", Value::NotYet(NotYet::new("the facts of db1")))
            .not_yet("the facts of db1"),
        case("a secret is not shown", "template: {src: a, dest: /etc/app.conf}")
            .on(host())
            .arg("content", Value::Secret(Secret::new("password = hunter22")))
            .changes(["content: \"***\" -> \"***\""])
            .gives("checksum", "nothing"),
    ]
}
