//! Other identities.

use std::fs;

use evenkeel_engine::{
    Action, Answer, Identity, LocalConnection, Method, Run, ScriptHost, ask,
    host::{Exchange, Host as _, HostError, LedgerPlace, LongStep, Op, OpResult, StepEnd},
    probes::{Me, Whoami},
};

use crate::support::{Machine, change, is_root, look, machines, ran, sh, text, typed, well};

fn su(user: &str) -> Identity {
    Identity {
        method: Method::Su,
        ..Identity::user(user)
    }
}

fn whoami(who: Identity) -> Op {
    Op::Observe {
        who,
        probes: vec![ask(Whoami)],
    }
}

fn step(who: Identity, action: Action, on_failure: Option<usize>) -> Op {
    Op::Step {
        who,
        env: Vec::new(),
        action: Box::new(action),
        long: None,
        effects: Vec::new(),
        on_failure,
    }
}

fn answer(result: &OpResult) -> &Answer {
    match result {
        OpResult::Observed(answers) => &answers[0],
        other => panic!("{other:?}"),
    }
}

fn stdout(result: &OpResult) -> &str {
    match result {
        OpResult::Stepped(StepEnd::Ok(done)) => text(&done.stdout).trim_end(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_identity_is_a_section() {
    if !is_root() {
        return;
    }
    for machine in machines() {
        let mut input = Run::new(["sh", "-c", "id -un; cat"]);
        input.stdin = "data of another".into();
        let ops = vec![
            whoami(Identity::login()),
            whoami(su("nobody")),
            step(su("nobody"), Action::Run(input), None),
            step(su("nobody"), sh("exit 1"), Some(6)),
            step(su("nobody"), sh("echo not reached"), None),
            step(Identity::login(), sh("echo not reached"), None),
            step(Identity::login(), sh("id -un"), None),
            step(su("nobody"), sh("exit 1"), Some(8)),
            step(su("nobody"), sh("id -un"), None),
            step(su("nobody"), sh("exit 1"), None),
            step(Identity::login(), sh("echo not reached"), None),
        ];
        let exchange = Exchange {
            tail: vec![whoami(su("nobody")), Op::Release],
            ..change(ops)
        };
        let (ops, tail, _) = ran(machine.host.exchange(exchange).await.unwrap());
        assert_eq!(typed::<Me>(answer(&ops[0])).account.name, "root");
        assert_eq!(typed::<Me>(answer(&ops[1])).account.name, "nobody");
        assert_eq!(stdout(&ops[2]), "nobody\ndata of another");
        assert!(matches!(ops[3], OpResult::Stepped(StepEnd::Failed(_))));
        assert!(matches!(
            ops[4..6],
            [OpResult::NotReached, OpResult::NotReached]
        ));
        assert_eq!(stdout(&ops[6]), "root");
        assert_eq!(stdout(&ops[8]), "nobody");
        assert!(matches!(ops[10], OpResult::NotReached));
        assert_eq!(typed::<Me>(answer(&tail[0])).account.name, "nobody");
        assert!(matches!(tail[1], OpResult::Written));
        assert_eq!(machine.litter().len(), 0);
    }
}

#[tokio::test]
async fn sudo_and_su() {
    if !is_root() {
        return;
    }
    for machine in machines() {
        // Root takes `su` where there is no `sudo`.
        let show = "id -un; echo $HOME";
        let ops = vec![
            step(Identity::user("nobody"), sh(show), None),
            step(su("nobody"), sh(show), None),
        ];
        let results = machine.chain(ops).await;
        assert_eq!(stdout(&results[0]), stdout(&results[1]));
        assert!(stdout(&results[0]).starts_with("nobody\n"));
    }
}

#[tokio::test]
async fn who_cannot_be_become_is_not_known_yet_or_an_error() {
    for machine in machines() {
        let nobody = || su("no-such-user");
        let ops = vec![whoami(nobody()), whoami(Identity::login())];
        let (ops, _, _) = ran(machine.host.exchange(look(ops)).await.unwrap());
        let why = answer(&ops[0]).as_ref().unwrap_err();
        assert!(why.0.contains("cannot become `no-such-user`"), "{why}");
        assert!(answer(&ops[1]).is_ok());

        let first = change(vec![step(nobody(), sh("true"), None)]);
        match machine.host.exchange(first).await {
            Err(HostError::Privilege { user, why, .. }) => {
                assert_eq!(user, "no-such-user");
                assert!(!why.is_empty());
            }
            other => panic!("{other:?}"),
        }
        let later = vec![
            step(Identity::login(), sh("true"), None),
            step(nobody(), sh("true"), Some(3)),
            step(Identity::login(), sh("echo not reached"), None),
            step(Identity::login(), sh("echo rescue"), None),
        ];
        let (ops, _, _) = ran(machine.host.exchange(change(later)).await.unwrap());
        match &ops[1] {
            OpResult::Stepped(StepEnd::Failed(done)) => {
                assert!(text(&done.stderr).contains("cannot become"));
            }
            other => panic!("{other:?}"),
        }
        assert!(matches!(ops[2], OpResult::NotReached));
        assert_eq!(stdout(&ops[3]), "rescue");
    }
}

#[tokio::test]
async fn a_killed_section_loses_no_data_of_others() {
    if !is_root() {
        return;
    }
    for machine in machines() {
        let kill = "kill -9 $(cut -d' ' -f4 /proc/$(cut -d' ' -f4 /proc/$PPID/stat)/stat)";
        let mut big = Run::new(["sh", "-c", kill]);
        big.stdin = vec![b'x'; 300_000].into();
        let ops = vec![
            step(su("nobody"), sh(kill), None),
            step(su("nobody"), Action::Run(big), None),
        ];
        let exchange = Exchange {
            tail: vec![whoami(su("nobody")), whoami(Identity::login())],
            ..change(ops)
        };
        let (ops, tail, _) = ran(machine.host.exchange(exchange).await.unwrap());
        assert!(
            !matches!(ops[1], OpResult::Stepped(StepEnd::Ok(_))),
            "{ops:?}"
        );
        assert_eq!(typed::<Me>(answer(&tail[0])).account.name, "nobody");
        assert_eq!(typed::<Me>(answer(&tail[1])).account.name, "root");
    }
}

#[tokio::test]
async fn long_steps_of_another() {
    if !is_root() {
        return;
    }
    for machine in machines() {
        let mut run = Run::new(["sh", "-c", "id -un; echo $A; cat"]);
        run.stdin = "input".into();
        let op = Op::Step {
            who: su("nobody"),
            env: vec![("A".into(), "it's".into())],
            action: Box::new(Action::Run(run)),
            long: Some("theirs".into()),
            effects: Vec::new(),
            on_failure: None,
        };
        let wait = Op::Await {
            long: vec!["theirs".into()],
            millis: 30_000,
        };
        let mut results = machine.chain(vec![op, wait]).await;
        match results.remove(1) {
            OpResult::Awaited(mut steps) => match steps.remove(0) {
                LongStep::Ended(end) => assert_eq!(text(&well(end).stdout), "nobody\nit's\ninput"),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }
}

fn in_place_of_root(machine: &Machine, program: &str) -> ScriptHost<LocalConnection> {
    let connection = LocalConnection::new()
        .shell(program)
        .env("HOME", machine.path(""));
    ScriptHost::new(connection)
        .shell(machine.shell)
        .root_dir(machine.path("root ledger"))
}

#[tokio::test]
async fn roots_ledger() {
    if !is_root() {
        return;
    }
    for machine in machines() {
        let host = in_place_of_root(&machine, machine.shell);
        let place = || LedgerPlace::Root(Identity::user("root"));
        let exchange = Exchange {
            place: place(),
            ..change(vec![
                Op::Journal {
                    lines: vec!["one".into()],
                    sync: false,
                },
                step(Identity::user("root"), sh("id -un"), None),
                step(Identity::login(), sh("id -un"), None),
                step(su("nobody"), sh("id -un"), None),
                Op::Ledger,
            ])
        };
        let (ops, _, _) = ran(host.exchange(exchange).await.unwrap());
        assert_eq!(stdout(&ops[1]), "root");
        assert_eq!(stdout(&ops[2]), "root");
        assert_eq!(stdout(&ops[3]), "nobody");
        assert!(matches!(&ops[4], OpResult::Ledger(ledger) if ledger.journal == "one\n"));
        assert!(fs::exists(machine.path("root ledger/ledger")).unwrap());
    }
}

#[tokio::test]
async fn a_login_user_who_may_not_become_root_is_told() {
    if !is_root() {
        return;
    }
    for machine in machines() {
        use std::os::unix::fs::PermissionsExt as _;
        let shell = machine.shell;
        let login = format!("#!/bin/sh\nexec su -s /bin/{shell} -c \"$2\" nobody\n");
        let login = machine.put("login", login.as_bytes());
        fs::set_permissions(&login, fs::Permissions::from_mode(0o755)).unwrap();
        let host = in_place_of_root(&machine, &login);
        let exchange = Exchange {
            place: LedgerPlace::Root(Identity::user("root")),
            ..look(vec![whoami(Identity::login())])
        };
        match host.exchange(exchange).await {
            Err(HostError::Privilege { user, why, .. }) => {
                assert_eq!(user, "root");
                assert!(!why.is_empty());
            }
            other => panic!("{other:?}"),
        }
    }
}
