//! Every probe of the engine, with odd names.

use std::os::unix::fs::{PermissionsExt as _, symlink};

use evenkeel_engine::{
    Identity, Probes, Sha, ask,
    host::{Host as _, Op, OpResult},
    probes::{
        Answered, Ask, Chunk, Contents, Digest, EmptyDirectory, FileStat, Glob, Group, Inode, Kind,
        Length, RealPath, Stat, Times, User, Which, Whoami,
    },
    sha256,
};

use crate::support::{Machine, law, look, machines, ran, typed};

const ODD: [&str; 12] = [
    "plain",
    "two words",
    "it's",
    "a\"b`c$d\\e",
    "line\nbreak",
    "x -> y",
    "-dash",
    "*",
    "pipe|bar",
    "!bang",
    "ünïcode",
    "it's -> \n'odd'",
];

fn files(machine: &Machine) -> Vec<String> {
    let mut paths = Vec::new();
    for name in ODD {
        paths.push(machine.put(name, name.as_bytes()));
        let link = machine.path(&format!("link to {name}"));
        symlink(format!("{name} -> z"), &link).unwrap();
        paths.push(link);
        paths.push(machine.path(&format!("missing {name}")));
        let dir = machine.path(&format!("dir {name}"));
        std::fs::create_dir(&dir).unwrap();
        paths.push(dir);
    }
    std::fs::write(machine.path("dir plain/.hidden"), "").unwrap();
    paths.push(machine.path("plain/below a file"));
    paths.push("/dev/null".into());
    paths
}

#[tokio::test]
async fn the_law_holds_for_probes_of_paths() {
    for machine in machines() {
        let mut probes = Probes::new();
        for path in files(&machine) {
            probes.push(ask(Stat(path.clone())));
            probes.push(ask(Digest(path.clone())));
            probes.push(ask(Contents(path.clone())));
            probes.push(ask(Glob(path.clone())));
            probes.push(ask(Inode(path.clone())));
            probes.push(ask(Times(path.clone())));
            probes.push(ask(EmptyDirectory(path.clone())));
            probes.push(ask(RealPath(path)));
        }
        law(&machine, &probes).await;
    }
}

#[tokio::test]
async fn the_law_holds_for_programs_and_accounts() {
    for machine in machines() {
        let probes = vec![
            ask(Which("sh".into())),
            ask(Which("no such program".into())),
            ask(Which("-v".into())),
            ask(Which("cd".into())),
            ask(User("root".into())),
            ask(User("nobody-of-this-name".into())),
            ask(Group("root".into())),
            ask(Group("0".into())),
            ask(Group("no-such-group".into())),
            ask(Whoami),
            ask(Ask::new(["printf", "%s", "it's"])),
        ];
        law(&machine, &probes).await;
    }
}

#[tokio::test]
async fn files_are_what_they_are() {
    for machine in machines() {
        let odd = "it's -> \n'odd'";
        let path = machine.put(odd, b"\0\xff bytes\n");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o4751)).unwrap();
        let link = machine.path("l");
        symlink("a -> b", &link).unwrap();
        let answers = machine
            .observe(&vec![
                ask(Stat(path.clone())),
                ask(Stat(link)),
                ask(Stat(machine.path("none\nsuch"))),
                ask(Digest(path.clone())),
                ask(Contents(path)),
            ])
            .await;
        let stat: Option<FileStat> = typed(&answers[0]);
        let stat = stat.unwrap();
        assert_eq!((stat.kind, stat.mode), (Kind::File, 0o4751));
        let link: Option<FileStat> = typed(&answers[1]);
        assert_eq!(link.unwrap().kind, Kind::Link("a -> b".into()));
        assert_eq!(typed::<Option<FileStat>>(&answers[2]), None);
        assert_eq!(
            typed::<Option<Sha>>(&answers[3]),
            Some(sha256(b"\0\xff bytes\n"))
        );
        assert_eq!(
            typed::<Option<Vec<u8>>>(&answers[4]),
            Some(b"\0\xff bytes\n".to_vec())
        );
    }
}

/// Nor does it spoil what is known of other paths.
#[tokio::test]
async fn what_has_too_long_a_name_is_not_there() {
    for machine in machines() {
        let long = machine.path(&"é".repeat(128));
        let none = machine.path("none");
        let answers = machine
            .observe(&vec![ask(Stat(long)), ask(Stat(none))])
            .await;
        assert_eq!(typed::<Option<FileStat>>(&answers[0]), None);
        assert_eq!(typed::<Option<FileStat>>(&answers[1]), None);
    }
}

#[tokio::test]
async fn a_fifo_is_not_read() {
    for machine in machines() {
        let path = machine.path("fifo");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        let probes = vec![ask(Digest(path.clone())), ask(Contents(path.clone()))];
        law(&machine, &probes).await;
        let stat: Option<FileStat> = typed(&machine.observe(&vec![ask(Stat(path))]).await[0]);
        assert_eq!(stat.unwrap().kind, Kind::Other(0o010_000));
    }
}

#[tokio::test]
async fn asking_programs() {
    for machine in machines() {
        let answers = machine
            .observe(&vec![
                ask(Ask::new(["sh", "-c", "printf 'a|b\\n\\n'; exit 3"])),
                ask(Ask::new(["no-such-program", "x"])),
                ask(Ask::new(["printf", "%s", "two  words\n'and' $more"])),
                ask(Ask::new(["head", "-c", "100000", "/dev/zero"])),
                ask(Ask::new(["seq", "100000"])),
                ask(Ask::new(["cat"])),
            ])
            .await;
        let answered = |at: usize| typed::<Answered>(&answers[at]);
        let is = |status, stdout: &str| Answered {
            status,
            stdout: stdout.into(),
        };
        assert_eq!(answered(0), is(3, "a|b"));
        assert_eq!(answered(1), is(127, ""));
        assert_eq!(answered(2), is(0, "two  words\n'and' $more"));
        assert_eq!(answered(5), is(0, ""));
        let long = answered(4);
        assert_eq!(long.stdout.len(), 65536);
        assert!(long.stdout.starts_with("1\n2\n"));
    }
}

#[tokio::test]
async fn one_guard_that_does_not_hold_is_named() {
    for machine in machines() {
        let probes: Probes = (0..5)
            .map(|n| ask(Digest(machine.put(&format!("f{n}"), b"x"))))
            .collect();
        let answers = machine.observe(&probes).await;
        machine.put("f3", b"y");
        let guard = Op::Guard {
            who: Identity::login(),
            holds: probes.into_iter().zip(answers).collect(),
        };
        let after = Op::Observe {
            who: Identity::login(),
            probes: vec![ask(Whoami)],
        };
        let reply = machine.host.exchange(look(vec![guard, after])).await;
        let (results, _, _) = ran(reply.unwrap());
        assert!(
            matches!(
                results[..],
                [OpResult::Guarded(Some(3)), OpResult::NotReached]
            ),
            "{results:?}"
        );
    }
}

/// A probe that prints nonsense, and one whose function is killed.
mod broken {
    use evenkeel_engine::{NotYet, Probe, Thing};

    macro_rules! probe {
        ($name:ident, $kind:literal, $script:literal) => {
            #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
            pub(super) struct $name;

            impl Probe for $name {
                const KIND: &'static str = $kind;
                const SCRIPT: &'static str = $script;
                type Answer = ();
                fn operands(&self) -> Vec<Vec<u8>> {
                    Vec::new()
                }
                fn parse(batch: &[&Self], out: &[u8]) -> Result<Vec<Result<(), NotYet>>, String> {
                    if out == b"fine" {
                        Ok(batch.iter().map(|_| Ok(())).collect())
                    } else {
                        Err("nonsense".into())
                    }
                }
                fn expected(&self, (): &()) -> Option<Vec<u8>> {
                    Some(b"fine".to_vec())
                }
                fn reads(&self) -> Vec<Thing> {
                    Vec::new()
                }
            }
        };
    }

    probe!(Nonsense, "a_nonsense", "echo nonsense; exit 3");
    probe!(
        Killed,
        "b_killed",
        "printf fine; kill -9 $(exec sh -c 'echo $PPID')"
    );
    probe!(Missing, "c_missing", "no_such_program_at_all");
    probe!(
        Noisy,
        "d_noisy",
        "printf '\\nabc end 0 0\\n' >&2; cd /nowhere 2>/dev/null; printf fine"
    );
}

#[tokio::test]
async fn one_failing_section_spoils_no_other() {
    for machine in machines() {
        let answers = machine
            .observe(&vec![
                ask(broken::Nonsense),
                ask(broken::Killed),
                ask(broken::Missing),
                ask(broken::Noisy),
                ask(Which("sh".into())),
            ])
            .await;
        assert!(answers[0].as_ref().unwrap_err().0.contains("nonsense"));
        assert!(answers[1].is_err());
        assert!(answers[2].as_ref().unwrap_err().0.contains("missing"));
        assert!(answers[3].is_ok());
        assert!(answers[4].is_ok());
    }
}

#[tokio::test]
async fn a_file_comes_in_parts() {
    for machine in machines() {
        let mut probes = Probes::new();
        let part = |path: &String, at, len| {
            let path = path.clone();
            ask(Chunk { path, at, len })
        };
        let bytes: Vec<u8> = (0..=255).cycle().take(3_000_000).collect();
        let whole = machine.put("it's\nwhole", &bytes);
        for (at, len) in [
            (0, 1_500_000),
            (1_500_000, 1_500_000),
            (2_999_999, 9),
            (3_000_000, 9),
        ] {
            probes.push(part(&whole, at, len));
        }
        probes.push(part(&whole, 7, 0));
        for path in files(&machine) {
            probes.push(part(&path, 1, 3));
            probes.push(ask(Length(path)));
        }
        let answers = machine.observe(&probes).await;
        for (at, from, to) in [
            (0, 0, 1_500_000),
            (1, 1_500_000, 3_000_000),
            (2, 2_999_999, 3_000_000),
            (3, 0, 0),
            (4, 7, 7),
        ] {
            let got: Vec<u8> = typed::<Option<_>>(&answers[at]).unwrap();
            assert!(got == bytes[from..to], "{at}");
        }
        for (probe, answer) in probes.iter().zip(&answers).skip(5) {
            let path = String::from_utf8(probe.key().1[0].clone()).unwrap();
            let meta = std::fs::metadata(&path)
                .ok()
                .filter(std::fs::Metadata::is_file);
            if probe.kind() == "length" {
                assert_eq!(
                    typed::<Option<u64>>(answer),
                    meta.map(|meta| meta.len()),
                    "{path}"
                );
            } else {
                let held = meta.map(|_| std::fs::read(&path).unwrap());
                let held = held.map(|held| held.iter().skip(1).take(3).copied().collect());
                assert_eq!(typed::<Option<Vec<u8>>>(answer), held, "{path}");
            }
        }
    }
}
