//! `copy`.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use evenkeel_engine::{
    NotYet, Secret, Source, Value,
    fake::{FakeHost, failed, ok},
    hex, sha256,
};

use crate::support::{Expect, below, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "copy: {dest: /f, src: '@files/app.conf', content: text, remote_src: true, owner: app, \
     group: web, mode: '0640', directory_mode: '0750', force: false, backup: true, \
     validate: check %s, follow: true, checksum: 00ff, decrypt: false, local_follow: true}",
];

fn host() -> FakeHost {
    FakeHost::new()
        .user("app", 1000)
        .file("/srv/f", "old\n")
        .dir("/srv/d")
}

fn source(name: &str, text: &str) -> Value {
    Value::Source(Source::inline(name, text.as_bytes().to_vec()))
}

fn short(text: &str) -> String {
    hex(&sha256(text.as_bytes()))[..12].to_owned()
}

fn backup(path: &str, text: &str) -> String {
    format!("{path}.{}~", short(text))
}

pub(crate) fn cases() -> Vec<Expect> {
    [
        contents(),
        with_care(),
        refusals(),
        places(),
        trees(),
        on_the_host(),
    ]
    .concat()
}

fn contents() -> Vec<Expect> {
    // Of `new` and the end of its line, as `sha1sum` prints it.
    let sha = "389cc6b7ae5a659383eab5dfc253764eccf84732";
    vec![
        case(
            "CPY-01 a new file",
            "copy: {content: \"new\\n\", dest: /srv/n, mode: '0600', owner: app}",
        )
        .on(host())
        .changes(["content"])
        .then("/srv/n", "file 0600 app:root = new\n")
        .gives("checksum", &format!("\"{sha}\""))
        .gives("dest", "\"/srv/n\""),
        case(
            "what is there is left",
            "copy: {content: \"old\\n\", dest: /srv/f}",
        )
        .on(host()),
        case(
            "CPY-02 another content",
            "copy: {content: \"new\\n\", dest: /srv/f}",
        )
        .on(host().mode("/srv/f", 0o640).owned("/srv/f", "app", "app"))
        .changes(["content: \"other content\" -> \"4 bytes\""])
        .then("/srv/f", "file 0640 app:app = new\n"),
        case(
            "CPY-03 another mode only",
            "copy: {content: \"old\\n\", dest: /srv/f, mode: u=rw}",
        )
        .on(host().mode("/srv/f", 0o755))
        .changes(["mode: \"0755\" -> \"0655\""])
        .then("/srv/f", "file 0655 root:root = old\n"),
        case(
            "content and mode at once",
            "copy: {content: new, dest: /srv/f, mode: '0600', group: app}",
        )
        .on(host())
        .changes(["content", "group", "mode"])
        .then("/srv/f", "file 0600 root:app = new"),
        case(
            "CPY-05 force: false leaves what is there",
            "copy: {content: new, dest: /srv/f, force: no, mode: '0600'}",
        )
        .on(host())
        .then("/srv/f", "file 0644 root:root = old\n"),
        case(
            "force: false makes what is not",
            "copy: {content: new, dest: /srv/n, force: no}",
        )
        .on(host())
        .changes(["content"]),
        case(
            "a map is written as JSON",
            "copy: {content: {a: [1, true]}, dest: /srv/n}",
        )
        .on(host())
        .changes(["content"])
        .then("/srv/n", "file = {\"a\": [1, true]}"),
        case("an empty content", "copy: {content: '', dest: /srv/f}")
            .on(host())
            .changes(["content"])
            .then("/srv/f", "file 0644 root:root = "),
    ]
}

fn with_care() -> Vec<Expect> {
    let sha = hex(&sha256(b"new\n"));
    vec![
        case(
            "CPY-16 a content that is not known yet",
            "copy: {dest: /srv/f}",
        )
        .on(host())
        .arg(
            "content",
            Value::NotYet(NotYet::new("the result of `build`")),
        )
        .not_yet("the result of `build`"),
        case("CPY-18 a secret is not shown", "copy: {dest: /srv/f}")
            .on(host())
            .arg("content", Value::Secret(Secret::new("hunter22")))
            .changes(["content: \"***\" -> \"***\""])
            .then("/srv/f", "file = hunter22")
            .gives("checksum", "nothing"),
        case(
            "CPY-14 a command accepts the new file",
            "copy: {content: new, dest: /srv/f, validate: visudo -cf %s}",
        )
        .on(host().program("visudo", |_, _| ok("")))
        .changes(["content"])
        .then("/srv/f", "file = new"),
        case(
            "a command refuses the new file",
            "copy: {content: new, dest: /srv/f, validate: visudo -cf %s}",
        )
        .on(host().program("visudo", |_, _| failed(1, "syntax error")))
        .fails("syntax error")
        .then("/srv/f", "file = old\n"),
        case(
            "CPY-15 a backup",
            "copy: {content: new, dest: /srv/f, backup: yes}",
        )
        .on(host().mode("/srv/f", 0o600))
        .changes(["content"])
        .then("/srv/f", "file 0600 root:root = new")
        .then(&backup("/srv/f", "old\n"), "file 0600 root:root = old\n")
        .gives("backup_file", &format!("\"{}\"", backup("/srv/f", "old\n"))),
        case(
            "CPY-19 a setgid directory gives its group",
            "copy: {content: new, dest: /srv/d/n}",
        )
        .on(host().owned("/srv/d", "root", "app").mode("/srv/d", 0o2755))
        .changes(["content"])
        .then("/srv/d/n", "file 0644 root:app"),
        case(
            "CPY-23 another checksum",
            &format!("copy: {{content: new, dest: /srv/f, checksum: '{sha}'}}"),
        )
        .refused("the source has the checksum"),
        case(
            "the checksum that was given",
            &format!("copy: {{content: \"new\\n\", dest: /srv/n, checksum: 'sha256:{sha}'}}"),
        )
        .on(host())
        .changes(["content"]),
    ]
}

fn refusals() -> Vec<Expect> {
    vec![
        case(
            "an address",
            "copy: {src: 'https://example.org/a', dest: /srv/n}",
        )
        .refused("is an address"),
        case("CPY-06 neither src nor content", "copy: {dest: /srv/f}")
            .refused("`src` or `content`"),
        case("src and content", "copy: {dest: /srv/f, content: x}")
            .arg("src", source("x", ""))
            .refused("exclude each other"),
        case("no dest", "copy: {content: x}").refused("the argument `dest` is missing"),
        case("an empty src", "copy: {src: '', dest: /srv/f}").refused("`src` is empty"),
        case(
            "content for a directory",
            "copy: {content: x, dest: /srv/d}",
        )
        .on(host())
        .refused("`/srv/d` is a directory"),
        case("content for a slash", "copy: {content: x, dest: /srv/d/}").refused("ends in `/`"),
        case(
            "a checksum that is none",
            "copy: {content: x, dest: /srv/f, checksum: abc}",
        )
        .refused("is not a SHA-256"),
        case(
            "validate without %s",
            "copy: {content: x, dest: /srv/f, validate: visudo -c}",
        )
        .refused("has no `%s`"),
        case("links as links", "copy: {dest: /srv/f, local_follow: no}")
            .arg("src", source("x", ""))
            .refused("`local_follow: false` is not supported"),
        case(
            "CPY-13 the directory is missing",
            "copy: {content: x, dest: /srv/no/f}",
        )
        .on(host())
        .not_yet("the directory `/srv/no`"),
    ]
}

fn places() -> Vec<Expect> {
    vec![
        case(
            "CPY-07 into a directory",
            "copy: {dest: /srv/d, mode: '0600'}",
        )
        .on(host())
        .arg("src", source("files/app.conf", "x"))
        .changes(["content"])
        .then("/srv/d", "directory 0755 root:root")
        .then("/srv/d/app.conf", "file 0600 root:root = x")
        .gives("dest", "\"/srv/d/app.conf\""),
        case(
            "a slash makes the directory",
            "copy: {dest: /srv/x/y/, directory_mode: '0700'}",
        )
        .on(host())
        .arg("src", source("app.conf", "x"))
        .changes([
            "directory: null -> \"/srv/x\"",
            "directory: null -> \"/srv/x/y\"",
            "content",
        ])
        .then("/srv/x/y", "directory 0700 root:root")
        .then("/srv/x/y/app.conf", "file = x"),
        case(
            "CPY-08 the mode of the source",
            "copy: {dest: /srv/n, mode: preserve}",
        )
        .on(host())
        .arg("src", local("run.sh"))
        .changes(["content"])
        .then("/srv/n", "file 0755 root:root = run\n"),
        case(
            "CPY-12 follow edits what a link points to",
            "copy: {content: new, dest: /srv/l, follow: true}",
        )
        .rounds(2, "the link, then what it leads to")
        .on(host().link("/srv/l", "f"))
        .changes(["content"])
        .then("/srv/l", "link -> f")
        .then("/srv/f", "file = new"),
        case(
            "without follow a link is replaced",
            "copy: {content: new, dest: /srv/l}",
        )
        .on(host().link("/srv/l", "f"))
        .changes(["content"])
        .then("/srv/l", "file 0644 root:root = new")
        .then("/srv/f", "file = old\n"),
        case(
            "CPY-24 a relative dest",
            "copy: {content: x, dest: file.txt}",
        )
        .rounds(2, "the home directory, then the paths below it")
        .on(host())
        .changes(["content"])
        .then("/root/file.txt", "file = x"),
    ]
}

/// A file or directory of this machine, made for the tests.
fn local(name: &str) -> Value {
    static MADE: LazyLock<PathBuf> = LazyLock::new(|| {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("copy");
        for below in ["tree/sub", "tree/empty"] {
            fs::create_dir_all(dir.join(below)).expect("a directory");
        }
        for (path, text, mode) in [
            ("run.sh", "run\n", 0o755),
            ("tree/a", "a\n", 0o644),
            ("tree/sub/b", "b\n", 0o600),
        ] {
            fs::write(dir.join(path), text).expect("a file");
            fs::set_permissions(dir.join(path), Permissions::from_mode(mode)).expect("its mode");
        }
        dir
    });
    let path = MADE.join(name.trim_end_matches('/'));
    Value::Source(Source::open(name, &path).expect("a local file"))
}

fn trees() -> Vec<Expect> {
    vec![
        case(
            "CPY-09 a tree with its name",
            "copy: {dest: /srv/d, mode: preserve}",
        )
        .on(host())
        .arg("src", local("tree"))
        .changes(["directory", "content", "directory", "directory", "content"])
        .then("/srv/d/tree/a", "file 0644 root:root = a\n")
        .then("/srv/d/tree/sub/b", "file 0600 root:root = b\n"),
        case("CPY-25 empty directories are made", "copy: {dest: /srv/d}")
            .on(host())
            .arg("src", local("tree/"))
            .changes(["content", "directory", "directory", "content"])
            .then("/srv/d/empty", "directory 0755 root:root")
            .then("/srv/d/sub/b", "file 0644 root:root = b\n"),
        case(
            "CPY-10 the mode of new directories",
            "copy: {dest: /srv/d, directory_mode: '0700', owner: app}",
        )
        .on(host().dir("/srv/d/sub"))
        .arg("src", local("tree/"))
        .changes(["content", "directory", "content"])
        .then("/srv/d", "directory 0755 root:root")
        .then("/srv/d/sub", "directory 0755 root:root")
        .then("/srv/d/empty", "directory 0700 app:root")
        .then("/srv/d/a", "file 0644 app:root = a\n"),
        case("a tree where a file is", "copy: {dest: /srv/d}")
            .on(host().file("/srv/d/sub", ""))
            .arg("src", local("tree/"))
            .refused("`/srv/d/sub` is not a directory"),
    ]
}

fn on_the_host() -> Vec<Expect> {
    vec![
        case(
            "a file of the host",
            "copy: {src: /srv/f, dest: /srv/n, remote_src: true}",
        )
        .on(host().owned("/srv/f", "app", "app").mode("/srv/f", 0o600))
        .changes(["content"])
        .then("/srv/n", "file 0644 root:root = old\n")
        .then("/srv/.n.evenkeel", "nothing"),
        case(
            "a file of the host with its mode",
            "copy: {src: /srv/f, dest: /srv/d, remote_src: true, mode: preserve}",
        )
        .on(host().mode("/srv/f", 0o600))
        .changes(["content"])
        .then("/srv/d/f", "file 0600 root:root = old\n"),
        case(
            "a file of the host over another",
            "copy: {src: /srv/f, dest: /srv/o, remote_src: true, backup: true}",
        )
        .on(host().file("/srv/o", "other").owned("/srv/o", "app", "app"))
        .changes(["content"])
        .then("/srv/o", "file 0644 app:app = old\n")
        .then(&backup("/srv/o", "other"), "file = other"),
        case(
            "a file of the host that is there already",
            "copy: {src: /srv/f, dest: /srv/o, remote_src: true, mode: '0600'}",
        )
        .on(host().file("/srv/o", "old\n"))
        .changes(["mode"]),
        case(
            "what an earlier run left beside the file goes",
            "copy: {src: /srv/f, dest: /srv/o, remote_src: true}",
        )
        .on(host().file("/srv/o", "old\n").file("/srv/.o.evenkeel", "x"))
        .changes(["leftover"])
        .then("/srv/.o.evenkeel", "nothing"),
        case(
            "a file of the host that is not there",
            "copy: {src: /srv/no, dest: /srv/o, remote_src: true}",
        )
        .on(host())
        .not_yet("`/srv/no` on the host"),
        case(
            "CPY-22 a directory of the host",
            "copy: {src: /srv/t, dest: /srv/d, remote_src: true, owner: app}",
        )
        .rounds(2, "what is in the directory, then the digests of that")
        .on(host_with_tree().file("/srv/d/t/sub/b", "old"))
        .changes(["content", "link", "content", "owner"])
        .then("/srv/d/t", "directory 0755 root:root")
        .then("/srv/d/t/a", "file 0755 app:root = a")
        .then("/srv/d/t/l", "link -> a")
        .then("/srv/d/t/sub/b", "file 0644 app:root = b")
        .then("/srv/t/a", "file 0755 root:root = a"),
        case(
            "what is in a directory of the host",
            "copy: {src: /srv/t/, dest: /srv/n, remote_src: true, mode: '0600'}",
        )
        .rounds(2, "what is in the directory, then the digests of that")
        .on(host_with_tree())
        .changes(["directory", "content", "link", "directory", "content"])
        .then("/srv/n", "directory 0755 root:root")
        .then("/srv/n/a", "file 0600 root:root = a")
        .then("/srv/n/sub/b", "file 0600 root:root = b"),
        case(
            "a directory of the host over a file",
            "copy: {src: /srv/t/, dest: /srv/d, remote_src: true}",
        )
        .on(host_with_tree().file("/srv/d/sub", ""))
        .refused("`/srv/d/sub` is not a directory"),
    ]
}

fn host_with_tree() -> FakeHost {
    below(
        host()
            .file("/srv/t/a", "a")
            .mode("/srv/t/a", 0o755)
            .link("/srv/t/l", "a")
            .file("/srv/t/sub/b", "b"),
    )
}
