//! The modules about files on a real machine, without root: each task runs twice, below a directory
//! of its own. The first run changes what it says, the second nothing.

#![expect(clippy::disallowed_methods, reason = "tests look at this machine")]

#[path = "real/support.rs"]
mod support;

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
};

use evenkeel_engine::{event::Outcome, run::Options};
use support::{tasks, twice};

fn mode(path: &Path) -> u32 {
    fs::metadata(path)
        .expect("it is there")
        .permissions()
        .mode()
        & 0o7777
}

#[tokio::test]
async fn files_and_links() {
    let temp = tempfile::tempdir().expect("a directory");
    let dir = temp.path();
    twice(
        dir,
        &[
            "file: {path: '@/a b/c', state: directory, mode: '2750'}",
            "copy: {dest: '@/a b/f', content: \"one\\ntwo\\n\", mode: '0640'}",
            "file: {path: '@/l', src: a b/f, state: link}",
            "file: {path: '@/h', src: '@/a b/f', state: hard}",
            "file: {path: '@/a b/f', modification_time: '202001010000.00'}",
            "file: {path: '@/new', state: touch, mode: 'u=rw,go=', access_time: preserve, \
             modification_time: preserve}",
            "lineinfile: {path: '@/made/by/line', line: x = 1, create: true}",
            "file-template: {dest: '@/t', content: \"a 'b' $c\\n\"}",
        ],
    )
    .await;
    assert_eq!(mode(&dir.join("a b/c")), 0o2750);
    assert_eq!(mode(&dir.join("new")), 0o600);
    assert_eq!(
        fs::read_to_string(dir.join("t")).expect("a file"),
        "a 'b' $c\n"
    );
    let (f, h) = (dir.join("a b/f"), dir.join("h"));
    let inode = |path: &Path| fs::metadata(path).expect("it is there").ino();
    assert_eq!(inode(&f), inode(&h));
    assert_eq!(
        fs::metadata(&f).expect("it is there").mtime(),
        1_577_836_800
    );
}

#[tokio::test]
async fn what_is_there_is_changed() {
    let temp = tempfile::tempdir().expect("a directory");
    let dir = temp.path();
    for (name, text) in [
        ("f", "old\n"),
        ("g", "old\n"),
        ("d/x", ""),
        ("d/s/y", ""),
        ("gone", ""),
    ] {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, text).expect("a file");
    }
    std::os::unix::fs::symlink("g", dir.join("l")).expect("a link");
    std::os::unix::fs::symlink("nowhere", dir.join("d/dangling")).expect("a link");
    fs::hard_link(dir.join("f"), dir.join("f2")).expect("a link");
    twice(
        dir,
        &[
            "copy: {dest: '@/f', content: new, backup: true, validate: grep -q new %s}",
            "lineinfile: {path: '@/l', regexp: '^o', line: other}",
            "file: {path: '@/d', recurse: true, mode: 'u=rwX,go='}",
            "file: {path: '@/gone', state: absent}",
            "copy: {src: '@/d/', dest: '@/copied', remote_src: true}",
        ],
    )
    .await;
    let read = |name: &str| fs::read_to_string(dir.join(name)).expect("a file");
    assert_eq!(read("f"), "new");
    assert_eq!(read("f2"), "old\n", "a new file takes the place of the old");
    assert_eq!(read("g"), "other\n");
    assert!(dir.join("l").is_symlink());
    for (name, bits) in [
        ("d", 0o700),
        ("d/x", 0o600),
        ("d/s", 0o700),
        ("copied/s/y", 0o600),
    ] {
        assert_eq!(mode(&dir.join(name)), bits, "{name}");
    }
    assert_eq!(
        fs::read_link(dir.join("copied/dangling")).expect("a link"),
        Path::new("nowhere")
    );
    assert!(!dir.join("gone").exists());
    let names = fs::read_dir(dir).expect("a directory");
    let names: Vec<_> = names
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    let backups = names
        .iter()
        .filter(|name| name.to_string_lossy().ends_with('~'));
    assert_eq!(backups.count(), 1);
}

#[tokio::test]
async fn what_cannot_be_fails() {
    let temp = tempfile::tempdir().expect("a directory");
    let dir = temp.path();
    fs::write(dir.join("f"), "old").expect("a file");
    let ended = tasks(
        dir,
        Options::new(),
        &["copy: {dest: '@/f', content: new, validate: 'false %s'}"],
    )
    .await;
    assert_eq!(ended[0].outcome, Outcome::Failed, "{:?}", ended[0]);
    assert_eq!(fs::read_to_string(dir.join("f")).expect("a file"), "old");
    let ended = tasks(
        dir,
        Options::new(),
        &["file: {path: '@/f', owner: no-such-user-here}"],
    )
    .await;
    assert_eq!(ended[0].outcome, Outcome::Failed, "{:?}", ended[0]);
    let error = ended[0].error.clone().expect("an error").message;
    assert!(error.contains("the user `no-such-user-here`"), "{error}");
}

#[tokio::test]
async fn check_mode_foretells_and_touches_nothing() {
    let temp = tempfile::tempdir().expect("a directory");
    let dir = temp.path();
    let yaml = [
        "file: {path: '@/a/b', state: directory, mode: '0700'}",
        "copy: {dest: '@/a/b/f', content: new}",
        "lineinfile: {path: '@/a/b/f', line: more}",
        "file: {path: '@/a/l', src: b/f, state: link}",
        "stat: {path: '@/a/b/f'}",
        "file: {path: '@/a/b/f', owner: no-such-user-here}",
    ];
    let ended = tasks(dir, Options::new().check(), &yaml).await;
    let outcomes: Vec<_> = ended.iter().map(|task| task.outcome).collect();
    let changed = Outcome::Changed;
    let wanted = [
        changed,
        changed,
        changed,
        changed,
        Outcome::Unchanged,
        Outcome::Unknown,
    ];
    assert_eq!(outcomes, wanted, "{ended:?}");
    assert_eq!(fs::read_dir(dir).expect("a directory").count(), 0);
}

/// Needs no network: pip is what a new environment comes with.
#[tokio::test]
async fn packages_are_looked_at_without_python() {
    let made = std::process::Command::new("python3")
        .args(["-m", "venv", "--help"])
        .output();
    if !made.is_ok_and(|made| made.status.success()) {
        return;
    }
    let temp = tempfile::tempdir().expect("a directory");
    let dir = temp.path();
    let yaml = [
        "pip: {name: 'pip>=1', virtualenv: '@/venv'}",
        "pip: {name: [not-there, gone_too], state: absent, virtualenv: '@/venv'}",
    ];
    let ended = tasks(dir, Options::new(), &yaml).await;
    let outcomes: Vec<_> = ended.iter().map(|task| task.outcome).collect();
    assert_eq!(
        outcomes,
        [Outcome::Changed, Outcome::Unchanged],
        "{ended:?}"
    );
    // Whoever starts it now leaves a trace.
    let python = dir.join("venv/bin/python");
    fs::remove_file(&python).expect("a link");
    let trace = dir.join("started");
    fs::write(
        &python,
        format!("#!/bin/sh\ntouch '{}'\nexit 1\n", trace.display()),
    )
    .expect("a file");
    fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).expect("its mode");
    for task in tasks(dir, Options::new(), &yaml).await {
        assert_eq!(task.outcome, Outcome::Unchanged, "{:?}", task.error);
    }
    assert!(!trace.exists());
}
