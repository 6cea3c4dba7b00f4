//! Actions on files.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
};

use evenkeel_engine::{
    Action, Attrs, Content, Effect, Identity, Sha, Write, ask,
    host::{Exchange, Host as _, Op, OpResult, StepEnd},
    probes::Digest,
    sha256,
};

use crate::support::{
    Machine, badly, change, is_root, look, machines, ran, run, sh, step, text, well,
};

fn write(path: &str, content: &str) -> Write {
    Write {
        path: path.to_owned(),
        content: content.into(),
        ..Write::default()
    }
}

fn mode_of(path: &str) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

fn mode(bits: u32) -> Attrs {
    Attrs {
        mode: Some(bits),
        ..Attrs::default()
    }
}

/// No step leaves anything lying about.
fn clean(machine: &Machine) {
    assert_eq!(machine.litter(), Vec::<std::path::PathBuf>::new());
}

#[tokio::test]
async fn writes_files() {
    for machine in machines() {
        let path = machine.path("it's a -> \n'file'");
        well(machine.step(Action::Write(write(&path, "one\n"))).await);
        assert_eq!(fs::read(&path).unwrap(), b"one\n");
        assert_eq!(mode_of(&path), 0o644);

        // An existing file keeps its mode, unless another is asked for.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o4700)).unwrap();
        well(machine.step(Action::Write(write(&path, ""))).await);
        assert_eq!(
            (fs::read(&path).unwrap().len(), mode_of(&path)),
            (0, 0o4700)
        );
        let mut again = write(&path, "three");
        again.attrs = mode(0o600);
        again.content = Content::Plain((*b"\0\xff'$x`\n\n").into());
        well(machine.step(Action::Write(again)).await);
        assert_eq!(fs::read(&path).unwrap(), b"\0\xff'$x`\n\n");
        assert_eq!(mode_of(&path), 0o600);

        let fresh = machine.path("fresh");
        let mut new = write(&fresh, "x");
        new.new_mode = Some(0o640);
        well(machine.step(Action::Write(new)).await);
        assert_eq!(mode_of(&fresh), 0o640);
        clean(&machine);
    }
}

/// What is large is summed up as it comes, and known again when it is looked at in the same exchange.
#[tokio::test]
async fn writes_large_files() {
    let much = |seed: u32| -> Vec<u8> {
        let byte = |at| u8::try_from(at / 7 % 251 + seed).expect("a small number");
        (0..5_000_000_u32).map(byte).collect()
    };
    let (old, new) = (much(0), much(1));
    for machine in machines() {
        let path = machine.path("large");
        let large = |content: &[u8], was: Option<Option<Sha>>| {
            let mut write = write(&path, "");
            write.content = Content::Plain(content.into());
            write.if_was = was;
            step(Action::Write(write))
        };
        let looked = || Op::Observe {
            who: Identity::login(),
            probes: vec![ask(Digest(path.clone()))],
        };
        let digest = |result: &OpResult| match result {
            OpResult::Observed(answers) => {
                let answer = answers[0].as_ref().unwrap();
                *answer.downcast_ref::<Option<Sha>>().unwrap()
            }
            other => panic!("{other:?}"),
        };
        let done = machine.chain(vec![large(&old, Some(None)), looked()]).await;
        assert!(fs::read(&path).unwrap() == old);
        assert_eq!(digest(&done[1]), Some(sha256(&old)));

        // Somebody else's content is not replaced, and what is replaced is what was looked at.
        let done = machine
            .chain(vec![large(&new, Some(Some(sha256(b"planned on"))))])
            .await;
        assert!(matches!(done[0], OpResult::Stepped(StepEnd::Edited)));
        let was = Some(Some(sha256(&old)));
        // What a later step makes of it is seen.
        let more = step(sh(&format!("echo more >>'{path}'")));
        let done = machine
            .chain(vec![large(&new, was), looked(), more, looked()])
            .await;
        assert_eq!(digest(&done[1]), Some(sha256(&new)));
        let both = [&new[..], b"more\n"].concat();
        assert_eq!(digest(&done[3]), Some(sha256(&both)));
        clean(&machine);
    }
}

#[tokio::test]
async fn a_file_replaces_a_link_and_not_what_it_leads_to() {
    for machine in machines() {
        let target = machine.put("target", b"kept");
        let link = machine.path("link");
        symlink(&target, &link).unwrap();
        well(machine.step(Action::Write(write(&link, "new"))).await);
        assert!(fs::symlink_metadata(&link).unwrap().is_file());
        assert_eq!(fs::read(&target).unwrap(), b"kept");
    }
}

#[tokio::test]
async fn nobodys_edit_is_lost() {
    for machine in machines() {
        let path = machine.put("f", b"edited");
        let planned = |was: Option<Sha>| {
            let mut write = write(&path, "new");
            write.if_was = Some(was);
            Action::Write(write)
        };
        for was in [Some(sha256(b"planned on")), None] {
            let end = machine.step(planned(was)).await;
            assert!(matches!(end, StepEnd::Edited), "{end:?}");
            assert_eq!(fs::read(&path).unwrap(), b"edited");
        }
        well(machine.step(planned(Some(sha256(b"edited")))).await);
        assert_eq!(fs::read(&path).unwrap(), b"new");
        fs::remove_file(&path).unwrap();
        let end = machine.step(planned(Some(sha256(b"new")))).await;
        assert!(matches!(end, StepEnd::Edited), "{end:?}");
        well(machine.step(planned(None)).await);
        clean(&machine);
    }
}

#[tokio::test]
async fn what_a_program_does_not_accept_is_not_written() {
    for machine in machines() {
        let path = machine.put("sudoers", b"old");
        let checked = |content| {
            let mut write = write(&path, content);
            let check = "echo looked at; grep -q good \"$1\" || { echo bad >&2; exit 7; }";
            write.validate = Some(["sh", "-c", check, "x", "%s"].map(String::from).to_vec());
            Action::Write(write)
        };
        let done = badly(machine.step(checked("evil")).await);
        assert_eq!((done.status, text(&done.stderr)), (7, "bad\n"));
        assert_eq!(text(&done.stdout), "looked at\n");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        well(machine.step(checked("good")).await);
        assert_eq!(fs::read(&path).unwrap(), b"good");
        clean(&machine);
    }
}

#[tokio::test]
async fn a_write_that_fails_leaves_the_old_file_and_the_rest_of_the_data_in_place() {
    for machine in machines() {
        let (good, dir) = (machine.path("good"), machine.path("dir"));
        fs::create_dir(&dir).unwrap();
        let bad = machine.path("no/such/dir/file");
        let failing = |action, on_failure| match step(action) {
            Op::Step {
                who, env, action, ..
            } => Op::Step {
                who,
                env,
                action,
                long: None,
                effects: Vec::new(),
                on_failure: Some(on_failure),
            },
            op => op,
        };
        let results = machine
            .chain(vec![
                failing(Action::Write(write(&bad, "rm -rf /nowhere\n")), 2),
                step(Action::Write(write(&dir, "skipped data\n"))),
                failing(Action::Write(write(&dir, "over a directory\n")), 3),
                step(Action::Write(write(&good, "good"))),
            ])
            .await;
        assert!(
            matches!(
                results[..],
                [
                    OpResult::Stepped(StepEnd::Failed(_)),
                    OpResult::NotReached,
                    OpResult::Stepped(StepEnd::Failed(_)),
                    OpResult::Stepped(StepEnd::Ok(_)),
                ]
            ),
            "{results:?}"
        );
        assert_eq!(fs::read(&good).unwrap(), b"good");
        assert!(fs::metadata(&dir).unwrap().is_dir());
        clean(&machine);
    }
}

#[tokio::test]
async fn directories_links_copies() {
    for machine in machines() {
        let dir = machine.path("-d 'x'");
        let make = |attrs| Action::Directory {
            path: dir.clone(),
            attrs,
        };
        well(machine.step(make(Attrs::default())).await);
        assert_eq!(mode_of(&dir), 0o755);
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o2755)).unwrap();
        well(machine.step(make(mode(0o750))).await);
        assert_eq!(mode_of(&dir), 0o750, "setgid goes too");

        let file = machine.put("file", b"content");
        let link = machine.path("link");
        let to = |target: &str| Action::Link {
            path: link.clone(),
            target: target.to_owned(),
        };
        well(machine.step(to("-a -> 'b'")).await);
        well(machine.step(to("file")).await);
        assert_eq!(fs::read_link(&link).unwrap().to_str(), Some("file"));

        let hard = Action::HardLink {
            path: machine.path("hard"),
            target: file.clone(),
        };
        well(machine.step(hard.clone()).await);
        well(machine.step(hard).await);
        assert_eq!(fs::metadata(&file).unwrap().nlink(), 2);

        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let copy = Action::Copy {
            from: file,
            to: machine.path("copy"),
        };
        well(machine.step(copy).await);
        assert_eq!(fs::read(machine.path("copy")).unwrap(), b"content");
        assert_eq!(mode_of(&machine.path("copy")), 0o640);
        clean(&machine);

        let over = Action::Link {
            path: dir.clone(),
            target: "x".into(),
        };
        assert!(!badly(machine.step(over).await).stderr.is_empty());
        clean(&machine);
    }
}

#[tokio::test]
async fn attributes() {
    for machine in machines() {
        let dir = machine.path("d");
        fs::create_dir(&dir).unwrap();
        let file = machine.put("d/f", b"");
        let link = machine.path("d/l");
        symlink("/etc/passwd", &link).unwrap();
        let attrs = |path: &str, attrs, follow, recurse| Action::Attrs {
            path: path.to_owned(),
            attrs,
            follow,
            recurse,
        };
        let before = fs::metadata("/etc/passwd").unwrap();
        well(machine.step(attrs(&dir, mode(0o700), true, true)).await);
        assert_eq!((mode_of(&dir), mode_of(&file)), (0o700, 0o700));
        let times = Attrs {
            mtime: Some("1000000000".into()),
            atime: Some("1100000000".into()),
            ..Attrs::default()
        };
        well(machine.step(attrs(&file, times.clone(), true, false)).await);
        let meta = fs::metadata(&file).unwrap();
        assert_eq!((meta.mtime(), meta.atime()), (1_000_000_000, 1_100_000_000));
        well(machine.step(attrs(&link, times, false, false)).await);
        assert_eq!(fs::symlink_metadata(&link).unwrap().mtime(), 1_000_000_000);
        if is_root() {
            let owner = Attrs {
                owner: Some("12345".into()),
                group: Some("54321".into()),
                ..Attrs::default()
            };
            well(machine.step(attrs(&dir, owner, true, true)).await);
            for path in [&dir, &file, &link] {
                let meta = fs::symlink_metadata(path).unwrap();
                assert_eq!((meta.uid(), meta.gid()), (12345, 54321), "{path}");
            }
            well(machine.step(Action::Write(write(&file, "kept"))).await);
            let meta = fs::metadata(&file).unwrap();
            assert_eq!((meta.uid(), meta.gid()), (12345, 54321));
            let group = Attrs {
                group: Some("0".into()),
                ..Attrs::default()
            };
            well(machine.step(attrs(&file, group, true, false)).await);
            assert_eq!(fs::metadata(&file).unwrap().gid(), 0);
        }
        let after = fs::metadata("/etc/passwd").unwrap();
        assert_eq!(
            (before.mode(), before.uid(), before.mtime()),
            (after.mode(), after.uid(), after.mtime())
        );
        let done = badly(
            machine
                .step(attrs(&machine.path("none"), mode(0o1), true, false))
                .await,
        );
        assert!(text(&done.stderr).contains("does not exist"));
    }
}

#[tokio::test]
async fn removing() {
    for machine in machines() {
        let dir = machine.path("-rf\n*");
        fs::create_dir_all(format!("{dir}/a/b")).unwrap();
        let remove = |path: &str| Action::Remove {
            path: path.to_owned(),
        };
        well(machine.step(remove(&dir)).await);
        assert!(!fs::exists(&dir).unwrap());
        well(machine.step(remove(&dir)).await);
        for path in ["", "/", "//", "/.", "/..", "relative"] {
            let done = badly(machine.step(remove(path)).await);
            assert!(text(&done.stderr).contains("not removed"), "{path}");
        }
    }
}

#[tokio::test]
async fn settling() {
    for machine in machines() {
        let path = machine.path("f");
        let until = |millis| Action::Settle {
            until: Effect::new(Digest(path.clone()), Some(sha256(b"x"))),
            millis,
        };
        let done = badly(machine.step(until(150)).await);
        assert!(text(&done.stderr).contains("in time"));
        let late = format!(
            "(while [ ! -e '{path}.go' ]; do sleep 0.01; done; printf x >'{path}') >/dev/null 2>&1 & : >'{path}.go'"
        );
        let results = machine
            .chain(vec![step(sh(&late)), step(until(10_000))])
            .await;
        assert!(
            matches!(results[1], OpResult::Stepped(StepEnd::Ok(_))),
            "{results:?}"
        );
    }
}

#[tokio::test]
async fn a_failure_jumps_or_ends_the_list_and_the_tail_is_done() {
    for machine in machines() {
        let note = |text: &str| Op::Journal {
            lines: vec![text.to_owned()],
            sync: true,
        };
        let mut fails = step(run(["false"]));
        if let Op::Step { on_failure, .. } = &mut fails {
            *on_failure = Some(3);
        }
        let exchange = Exchange {
            tail: vec![note("tail"), Op::Ledger, Op::Release],
            ..change(vec![
                step(run(["true"])),
                fails,
                note("not reached"),
                step(run(["false"])),
                note("not reached either"),
            ])
        };
        let (ops, tail, serial) = ran(machine.host.exchange(exchange).await.unwrap());
        assert!(matches!(ops[1], OpResult::Stepped(StepEnd::Failed(_))));
        assert!(matches!(ops[2], OpResult::NotReached));
        assert!(matches!(ops[3], OpResult::Stepped(StepEnd::Failed(_))));
        assert!(matches!(ops[4], OpResult::NotReached));
        assert!(matches!(&tail[1], OpResult::Ledger(ledger) if ledger.journal == "tail\n"));
        assert_eq!(serial, 1);
        clean(&machine);
        let looked = ran(machine.host.exchange(look(vec![])).await.unwrap());
        assert_eq!(looked.2, 1);
    }
}
