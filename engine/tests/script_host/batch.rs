//! Many small files in one go: the same as one by one, with fewer programs.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
};

use evenkeel_engine::{
    Action, Attrs, Content, Secret, Write,
    host::{Op, OpResult, StepEnd},
    sha256,
};

use crate::support::{Machine, change, machines, ran, step};
use evenkeel_engine::host::Host as _;

const PROGRAMS: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

fn new(path: String, content: &str) -> Write {
    Write {
        path,
        content: content.into(),
        if_was: Some(None),
        ..Write::default()
    }
}

fn old(path: String, was: &[u8], content: &str) -> Write {
    Write {
        if_was: Some(Some(sha256(was))),
        ..new(path, content)
    }
}

async fn all(machine: &Machine, writes: Vec<Write>) -> Vec<OpResult> {
    let steps = writes.into_iter().map(|write| step(Action::Write(write)));
    machine.chain(steps.collect()).await
}

fn journal(line: &str) -> Op {
    Op::Journal {
        lines: vec![line.to_owned()],
        sync: false,
    }
}

/// A file with a line of the journal before and after it.
fn noted(machine: &Machine, name: &str) -> [Op; 3] {
    [
        journal(&format!("begin {name}")),
        step(Action::Write(new(machine.path(name), name))),
        journal(&format!("end {name}")),
    ]
}

fn how(results: &[OpResult]) -> Vec<&'static str> {
    let end = |result: &OpResult| match result {
        OpResult::Stepped(StepEnd::Ok(_)) => "ok",
        OpResult::Stepped(StepEnd::Failed(_)) => "failed",
        OpResult::Stepped(StepEnd::Edited) => "edited",
        OpResult::Written => "written",
        OpResult::NotReached => "-",
        other => panic!("{other:?}"),
    };
    results.iter().map(end).collect()
}

fn mode_of(path: &str) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

fn read(path: &str) -> Vec<u8> {
    fs::read(path).unwrap()
}

#[track_caller]
fn clean(machine: &Machine) {
    assert_eq!(machine.litter(), Vec::<std::path::PathBuf>::new());
}

#[tokio::test]
async fn new_files_and_old_ones_in_several_directories() {
    for machine in machines() {
        fs::create_dir(machine.path("d 'x'")).unwrap();
        let kept = machine.put("kept", b"was");
        fs::set_permissions(&kept, fs::Permissions::from_mode(0o4750)).unwrap();
        let changed = machine.put("changed", b"was too");
        let odd: String = ('\u{1}'..='\u{2ff}').chain(['\n', '\'', '\n']).collect();
        let mut mode = old(changed.clone(), b"was too", "");
        mode.attrs = Attrs {
            mode: Some(0o600),
            ..Attrs::default()
        };
        let mut fresh = new(machine.path("-n"), "-n\n\n");
        fresh.new_mode = Some(0o2755);
        let mut secret = new(machine.path("d 'x'/secret\n"), "");
        secret.content = Content::Secret(Secret::new("psst"));
        secret.attrs.mode = Some(0o400);
        let writes = vec![
            old(kept.clone(), b"was", "is"),
            mode,
            fresh,
            new(machine.path("d 'x'/odd"), &odd),
            secret,
        ];
        assert_eq!(how(&all(&machine, writes).await), ["ok"; 5]);
        assert_eq!((read(&kept), mode_of(&kept)), (b"is".to_vec(), 0o4750));
        assert_eq!((read(&changed), mode_of(&changed)), (Vec::new(), 0o600));
        let fresh = machine.path("-n");
        assert_eq!(
            (read(&fresh), mode_of(&fresh)),
            (b"-n\n\n".to_vec(), 0o2755)
        );
        let found = machine.path("d 'x'/odd");
        assert_eq!((read(&found), mode_of(&found)), (odd.into_bytes(), 0o644));
        let found = machine.path("d 'x'/secret\n");
        assert_eq!((read(&found), mode_of(&found)), (b"psst".to_vec(), 0o400));
        clean(&machine);
    }
}

#[tokio::test]
async fn what_is_not_as_planned_ends_the_list_where_it_stands() {
    for machine in machines() {
        let path = |name: &str| machine.path(name);
        // Edited since; come into being since; a link since; gone since.
        let cases: [&dyn Fn() -> Write; 4] = [
            &|| old(machine.put("bad", b"edited"), b"was", "x"),
            &|| new(machine.put("bad", b"somebody's"), "x"),
            &|| {
                symlink("nowhere", path("bad")).unwrap();
                new(path("bad"), "x")
            },
            &|| old(path("bad"), b"was", "x"),
        ];
        for case in cases {
            let bad = case();
            let before = fs::read(path("bad")).ok();
            let writes = vec![
                new(path("a"), "a"),
                new(path("b"), "b"),
                bad,
                new(path("c"), "c"),
            ];
            assert_eq!(
                how(&all(&machine, writes).await),
                ["ok", "ok", "edited", "-"]
            );
            assert_eq!(
                (read(&path("a")), read(&path("b"))),
                (b"a".to_vec(), b"b".to_vec())
            );
            assert_eq!(fs::read(path("bad")).ok(), before);
            assert!(!fs::exists(path("c")).unwrap());
            clean(&machine);
            for name in ["a", "b", "bad"] {
                drop(fs::remove_file(path(name)));
            }
        }
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_written_fails_for_itself() {
    for machine in machines() {
        let path = |name: &str| machine.path(name);
        let mut owner = new(path("owner"), "x");
        owner.attrs.owner = Some("nobody-of-this-name".into());
        for bad in [new(path("no/dir/x"), "x"), owner] {
            let writes = vec![
                new(path("a"), "a"),
                new(path("b"), "b"),
                bad,
                new(path("c"), "c"),
            ];
            assert_eq!(
                how(&all(&machine, writes).await),
                ["ok", "ok", "failed", "-"]
            );
            assert!(!fs::exists(path("c")).unwrap());
            clean(&machine);
            fs::remove_file(path("a")).unwrap();
            fs::remove_file(path("b")).unwrap();
        }
    }
}

#[tokio::test]
async fn a_name_that_is_taken_at_the_last_moment_fails_alone() {
    for machine in machines() {
        let path = |name: &str| machine.path(name);
        // A directory takes the name after everything was looked at: `sync` is the last program before.
        let bin = path("bin");
        fs::create_dir(&bin).unwrap();
        let fake = format!("#!/bin/sh\nmkdir -p '{}'\n", path("taken"));
        fs::write(format!("{bin}/sync"), fake).unwrap();
        fs::set_permissions(format!("{bin}/sync"), fs::Permissions::from_mode(0o755)).unwrap();
        let host = machine.with_path(&format!("{bin}:{PROGRAMS}"));
        let names = ["a", "b", "taken", "c"];
        let ops = names.iter().flat_map(|name| noted(&machine, name));
        let results = ran(host.exchange(change(ops.collect())).await.unwrap()).0;
        let ends = how(&results);
        assert_eq!(
            ends[..6],
            ["written", "ok", "written", "written", "ok", "written"]
        );
        // What stood behind it was whole before it was known to fail.
        assert_eq!((ends[7], ends[8]), ("edited", "-"));
        assert!(path("taken").ends_with("taken") && fs::metadata(path("taken")).unwrap().is_dir());
        let ledger = machine.ledger().await.journal;
        assert!(
            ledger.contains("end b") && !ledger.contains("end taken"),
            "{ledger}"
        );
        clean(&machine);
    }
}

#[tokio::test]
async fn the_journal_has_each_step_between_its_lines() {
    for machine in machines() {
        let ops = ["a", "b", "c"]
            .iter()
            .flat_map(|name| noted(&machine, name));
        let results = machine.chain(ops.collect()).await;
        assert_eq!(how(&results), ["written", "ok", "written"].repeat(3));
        let ledger = machine.ledger().await.journal;
        let lines: Vec<&str> = ledger.lines().collect();
        assert_eq!(
            lines,
            ["begin a", "begin b", "begin c", "end a", "end b", "end c"]
        );
    }
}

/// Counted by programs that note that they were started.
#[tokio::test]
async fn a_hundred_files_take_a_few_programs() {
    for machine in machines() {
        let (bin, log) = (machine.path("bin"), machine.path("log"));
        fs::create_dir(&bin).unwrap();
        for name in [
            "mkdir",
            "head",
            "sha256sum",
            "chmod",
            "chown",
            "stat",
            "sync",
            "mv",
            "rm",
        ] {
            let real = PROGRAMS
                .split(':')
                .map(|dir| Path::new(dir).join(name))
                .find(|path| path.exists())
                .unwrap();
            let script = format!(
                "#!/bin/sh\necho {name} >>'{log}'\nexec {} \"$@\"\n",
                real.display()
            );
            fs::write(format!("{bin}/{name}"), script).unwrap();
            fs::set_permissions(format!("{bin}/{name}"), fs::Permissions::from_mode(0o755))
                .unwrap();
        }
        let host = machine.with_path(&format!("{bin}:{PROGRAMS}"));
        let writes = (0..100).map(|n| step(Action::Write(new(machine.path(&n.to_string()), "x"))));
        let results = ran(host.exchange(change(writes.collect())).await.unwrap()).0;
        assert_eq!(how(&results), ["ok"; 100]);
        let started = fs::read_to_string(&log).unwrap();
        assert!(started.lines().count() <= 40, "{started}");
    }
}
