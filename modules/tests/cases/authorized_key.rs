//! `authorized_key`.

use evenkeel_engine::{NotYet, Secret, Value, fake::FakeHost};
use evenkeel_modules::{Entry, Login, Shadow};

use crate::support::{Expect, case};

const A: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB";
const B: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJC";
const FILE: &str = "/home/app/.ssh/authorized_keys";

fn host() -> FakeHost {
    let entry = Entry {
        uid: 1000,
        gid: 1000,
        comment: String::new(),
        home: "/home/app".to_owned(),
        shell: "/bin/sh".to_owned(),
        shadow: Shadow::Hidden,
        groups: Vec::new(),
    };
    let login = Login {
        name: "app".to_owned(),
        local: false,
    };
    FakeHost::new()
        .user("app", 1000)
        .dir("/home/app")
        .owned("/home/app", "app", "app")
        .answers(login, Some(entry))
}

/// With a file of keys.
fn with(text: &str) -> FakeHost {
    host()
        .dir("/home/app/.ssh")
        .file(FILE, text)
        .owned(FILE, "app", "app")
        .mode(FILE, 0o600)
}

fn edit(name: &str, args: &str, before: &str, after: Option<&str>) -> Expect {
    let yaml = format!("authorized_key: {{user: app, {args}}}");
    let case = case(name, &yaml).on(with(before));
    let text = after.unwrap_or(before);
    case.then(FILE, &format!("file 0600 app:app = {text}"))
}

pub(crate) fn cases() -> Vec<Expect> {
    [keys(), gone(), files(), refusals()].concat()
}

fn keys() -> Vec<Expect> {
    let (a, b) = (format!("{A} me\n"), format!("{B} you\n"));
    vec![
        edit(
            "AUK-01 another key",
            &format!("key: '{B} you'"),
            &a,
            Some(&format!("{a}{b}")),
        )
        .changes(["content", "ssh-ed25519 …QkJCQkJC you"]),
        edit(
            "AUK-02 it is there",
            &format!("key: '{A} me'"),
            &format!("# who\n{b}{a}"),
            None,
        ),
        edit(
            "AUK-03 another comment",
            &format!("key: '{A} we'"),
            &a,
            Some(&format!("{A} we\n")),
        )
        .changes(["content", "ssh-ed25519 …QUFBQUFB we"]),
        edit(
            "a comment of its own",
            &format!("key: '{A} me', comment: it's $(id)")
                .replace("it's", "it''s")
                .replace("comment: it''s $(id)", "comment: 'it''s $(id)'"),
            "",
            Some(&format!("{A} it's $(id)\n")),
        )
        .changes(["content", "ssh-ed25519 …QUFBQUFB it's $(id)"]),
        edit(
            "AUK-04 options",
            &format!("key: '{A} me', key_options: 'no-pty,command=\"echo hi\"'"),
            &a,
            Some(&format!("no-pty,command=\"echo hi\" {a}")),
        )
        .changes(["content", "ssh-ed25519 …QUFBQUFB me"]),
        edit(
            "options are there",
            &format!("key: 'no-pty {A} me'"),
            &format!("no-pty {a}"),
            None,
        ),
        edit(
            "options go",
            &format!("key: '{A} me'"),
            &format!("no-pty {a}"),
            Some(&a),
        )
        .changes(["content", "ssh-ed25519 …QUFBQUFB me"]),
    ]
}

fn gone() -> Vec<Expect> {
    let (a, b) = (format!("{A} me\n"), format!("{B} you\n"));
    vec![
        edit(
            "AUK-05 it goes",
            &format!("key: '{A}', state: absent"),
            &format!("no-pty {a}{b}"),
            Some(&b),
        )
        .changes(["content", "ssh-ed25519 …QUFBQUFB me"]),
        edit(
            "it is gone",
            &format!("key: '{A}', state: absent"),
            &b,
            None,
        ),
        edit(
            "AUK-06 all others go",
            &format!("key: \"{A} me\\n{B} we\\n\", exclusive: true"),
            &format!("# who\n\nssh-rsa x y\n{b}{a}{a}"),
            Some(&format!("# who\n\n{B} we\n{a}")),
        )
        .changes([
            "content",
            "a line that is no key",
            "ssh-ed25519 …QkJCQkJC we",
            "ssh-ed25519 …QUFBQUFB me",
        ]),
        edit(
            "AUK-07 several keys in their order",
            &format!("key: \"{B} you\\n# c\\n\\n{A} me\""),
            "",
            Some(&format!("{b}{a}")),
        )
        .changes([
            "content",
            "ssh-ed25519 …QkJCQkJC you",
            "ssh-ed25519 …QUFBQUFB me",
        ]),
        edit(
            "a file without a newline at the end",
            &format!("key: '{B} you'"),
            a.trim_end(),
            Some(&format!("{a}{b}")),
        )
        .changes(["content", "ssh-ed25519 …QkJCQkJC you"]),
    ]
}

fn files() -> Vec<Expect> {
    let a = format!("{A} me\n");
    vec![
        case("AUK-08 directory and file are made", &format!("authorized_key: {{user: app, key: '{A} me'}}"))
            .on(host())
            .changes(["directory", "content", "ssh-ed25519 …QUFBQUFB me"])
            .then("/home/app/.ssh", "directory 0700 app:app")
            .then(FILE, &format!("file 0600 app:app = {a}")),
        case("no directory is made", &format!("authorized_key: {{user: app, key: '{A}', manage_dir: false}}"))
            .on(host())
            .not_yet("the directory `/home/app/.ssh`"),
        case("AUK-09 another file", &format!("ansible.posix.authorized_key: {{user: app, key: '{A} me', path: /etc/ssh/keys/app}}"))
            .on(host().dir("/etc/ssh"))
            .changes(["directory", "content", "ssh-ed25519 …QUFBQUFB me"])
            .then("/etc/ssh/keys/app", &format!("file 0600 app:app = {a}")),
        case("AUK-10 a link is not followed", &format!("authorized_key: {{user: app, key: '{A} me'}}"))
            .on(host().dir("/home/app/.ssh").file("/etc/shadow", "x").link(FILE, "/etc/shadow"))
            .refused("is a link to `/etc/shadow`"),
        case("a link is followed", &format!("authorized_key: {{user: app, key: '{A} me', follow: true}}"))
            .rounds(2, "the link, then what it leads to")
            .on(host().dir("/home/app/.ssh").file("/etc/keys", "").link(FILE, "/etc/keys"))
            .changes(["content", "ssh-ed25519 …QUFBQUFB me"])
            .then("/etc/keys", &format!("file 0644 root:root = {a}")),
        case("nobody to log in as", &format!("authorized_key: {{user: app, key: '{A}'}}"))
            .on(FakeHost::new().answers(Login { name: "app".to_owned(), local: false }, None))
            .not_yet("the user `app`"),
        case("a key that is not known yet", "authorized_key: {user: app}")
            .on(with(""))
            .arg("key", Value::NotYet(NotYet::new("the key of web1")))
            .not_yet("the key of web1"),
        case("a key that is not to be shown", "authorized_key: {user: app}")
            .on(with(""))
            .arg("key", Value::Secret(Secret::new(A)))
            .changes(["content: \"***\" -> \"***\"", "key: null -> \"***\""])
            .gives("checksum", "nothing"),
        case("no file and no key", &format!("authorized_key: {{user: app, key: '{A}', state: absent}}")).on(host()),
    ]
}

fn refusals() -> Vec<Expect> {
    let refused = |name: &str, args: &str, message: &str| {
        case(name, &format!("authorized_key: {{user: app, {args}}}"))
            .on(host())
            .refused(message)
    };
    vec![
        refused(
            "AUK-11 no key",
            "key: nonsense",
            "no word of it is a kind of keys",
        ),
        refused(
            "half a key",
            "key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE",
            "is not whole",
        ),
        refused(
            "a private key",
            "key: '-----BEGIN OPENSSH PRIVATE KEY-----'",
            "is a private key",
        ),
        refused(
            "an address",
            "key: https://example.org/x.keys",
            "is an address",
        ),
        refused("nothing", "key: ''", "holds no key"),
        refused(
            "two lines of options",
            &format!("key: '{A}', key_options: \"no-pty\\n{B}\""),
            "more than one line",
        ),
        refused(
            "options that are not closed",
            &format!("key: '{A}', key_options: 'command=\"x'"),
            "would not be read back",
        ),
        refused(
            "a relative path",
            &format!("key: '{A}', path: x"),
            "`path` is not absolute",
        ),
    ]
}
