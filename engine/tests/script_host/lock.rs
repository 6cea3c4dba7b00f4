//! The ledger and its lock.

use std::{fs, process::Command};

use evenkeel_engine::{
    LocalConnection, ScriptHost,
    host::{Exchange, Host as _, HostError, LedgerPlace, Op, OpResult, Reply, Stopping},
};

use crate::support::{Machine, change, lock, look, machines, ran, sh, step};

fn lines<const N: usize>(lines: [&str; N]) -> Op {
    Op::Journal {
        lines: lines.map(String::from).to_vec(),
        sync: true,
    }
}

fn of_run(run: &str, serial: u64, ops: Vec<Op>) -> Exchange {
    Exchange {
        run: run.into(),
        lock: Some(lock(serial)),
        ..look(ops)
    }
}

#[tokio::test]
async fn a_ledger_is_written_and_read() {
    for machine in machines() {
        let none = machine.ledger().await;
        assert_eq!((none.serial, none.journal.as_str()), (0, ""));
        assert!(!none.machine.is_empty() && none.boot.len() == 36);
        assert!(!machine.ledger_dir().exists(), "looking writes nothing");

        let odd = "{\"it's\": \"$x `y` \\\\n %s é\"}";
        let snapshot = Op::Snapshot {
            lines: vec!["snap".into(), odd.into()],
        };
        let ops = vec![lines(["old"]), snapshot, lines([odd, "two"]), Op::Release];
        let (results, _, serial) = ran(machine.host.exchange(change(ops)).await.unwrap());
        assert!(
            results
                .iter()
                .all(|result| matches!(result, OpResult::Written))
        );
        assert_eq!(serial, 1, "it grows by one in each exchange");

        let ledger = machine.ledger().await;
        assert_eq!(ledger.serial, 1);
        assert_eq!(ledger.snapshot, format!("snap\n{odd}\n"));
        assert_eq!(ledger.journal, format!("{odd}\ntwo\n"));
        let again = of_run("run-2", 1, vec![lines(["three"])]);
        assert_eq!(ran(machine.host.exchange(again).await.unwrap()).2, 2);
        let later = machine.ledger().await;
        assert_eq!(later.journal, format!("{odd}\ntwo\nthree\n"));
    }
}

#[tokio::test]
async fn half_a_line_of_a_killed_script_stays_alone() {
    for machine in machines() {
        machine.chain(vec![lines(["one"]), Op::Release]).await;
        let file = machine.ledger_dir().join("ledger");
        let torn = format!("{}{{\"ha", fs::read_to_string(&file).unwrap());
        fs::write(&file, torn).unwrap();
        let next = of_run("run-2", 1, vec![lines(["two"])]);
        ran(machine.host.exchange(next).await.unwrap());
        assert_eq!(machine.ledger().await.journal, "one\n{\"ha\ntwo\n");
    }
}

#[tokio::test]
async fn another_run_waits_its_turn() {
    for machine in machines() {
        let mark = machine.path("mark");
        machine.chain(vec![lines(["one"])]).await;
        // The same run gets it again, whatever serial it has seen.
        machine.chain(vec![lines(["two"])]).await;
        let other = || of_run("run-2", 2, vec![step(sh(&format!(": >'{mark}'")))]);
        let reply = machine.again().exchange(other()).await.unwrap();
        assert!(
            matches!(&reply, Reply::Held(who) if who == "a test"),
            "{reply:?}"
        );
        assert!(!fs::exists(&mark).unwrap());
        machine.chain(vec![Op::Release]).await;

        let mut stale = other();
        stale.lock = Some(lock(1));
        let reply = machine.again().exchange(stale).await.unwrap();
        assert!(matches!(reply, Reply::Stale), "{reply:?}");
        assert!(!fs::exists(&mark).unwrap());
        let (ops, _, serial) = ran(machine.again().exchange(other()).await.unwrap());
        assert!(matches!(ops[..], [OpResult::Stepped(_)]));
        assert_eq!(serial, 2);
        assert!(fs::exists(&mark).unwrap());
    }
}

#[tokio::test]
async fn waiting_ends_when_the_lock_is_given_back() {
    for machine in machines() {
        machine.chain(vec![lines(["one"])]).await;
        let mut other = of_run("run-2", 1, vec![lines(["two"])]);
        other.lock.as_mut().unwrap().wait_millis = 30_000;
        let host = machine.again();
        let waiting = tokio::spawn(async move { host.exchange(other).await });
        machine.chain(vec![Op::Release]).await;
        let (_, _, serial) = ran(waiting.await.unwrap().unwrap());
        assert_eq!(serial, 2);
    }
}

/// A shell that is not this process, so that the lock's holder can die: it hands on to `shell` and
/// is the parent of the script.
fn mortal(machine: &Machine) -> ScriptHost<LocalConnection> {
    use std::os::unix::fs::PermissionsExt as _;
    let inner = machine.shell;
    let program = machine.put(
        "mortal",
        format!("#!/bin/sh\n{inner} \"$@\"\nexit $?\n").as_bytes(),
    );
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let connection = LocalConnection::new()
        .shell(program)
        .env("HOME", machine.path(""))
        .env("XDG_STATE_HOME", machine.path(".local/state"));
    ScriptHost::new(connection).shell(inner)
}

#[tokio::test]
async fn the_lock_of_the_dead_is_taken_over_by_one() {
    for machine in machines() {
        let dying = of_run("run-0", 0, vec![lines(["one"])]);
        ran(mortal(&machine).exchange(dying).await.unwrap());
        assert!(machine.ledger_dir().join("lock").exists());

        let mut tries = Vec::new();
        for number in 1..=8 {
            let host = machine.again();
            let take = of_run(&format!("run-{number}"), 1, vec![lines(["mine"])]);
            tries.push(tokio::spawn(async move {
                // Who clears the dead away has to look again: they may have written since.
                match host.exchange(take.clone()).await.unwrap() {
                    Reply::Stale => host.exchange(take).await.unwrap(),
                    reply => reply,
                }
            }));
        }
        let mut won = 0;
        for reply in tries {
            match reply.await.unwrap() {
                Reply::Ran { .. } => won += 1,
                Reply::Held(_) => {}
                Reply::Stale => panic!("nobody wrote in between"),
            }
        }
        assert_eq!(won, 1);
        assert_eq!(machine.ledger().await.journal, "one\nmine\n");
        let left: Vec<_> = fs::read_dir(machine.ledger_dir())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .filter(|name| {
                let name = name.to_string_lossy();
                name.starts_with("dead.") || name.starts_with("take.")
            })
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[tokio::test]
async fn a_taker_that_died_half_way_is_taken_over_too() {
    for machine in machines() {
        machine.chain(vec![lines(["one"]), Op::Release]).await;
        let lock = machine.ledger_dir().join("lock");
        let dead = "script another-boot 1 1\n";
        for dir in ["run-0.abc", "run-0.abc/taker/run-9.def"] {
            fs::create_dir_all(lock.join(dir)).unwrap();
            fs::write(lock.join(dir).join("holder"), "the dead\n").unwrap();
            fs::write(lock.join(dir).join("procs"), dead).unwrap();
        }
        let next = of_run("run-9", 1, vec![lines(["two"])]);
        let reply = machine.host.exchange(next.clone()).await.unwrap();
        assert!(
            matches!(reply, Reply::Stale),
            "the dead may have written: {reply:?}"
        );
        ran(machine.host.exchange(next).await.unwrap());
        let owners: Vec<_> = fs::read_dir(&lock).unwrap().collect();
        assert_eq!(owners.len(), 1);
        let again = of_run("run-9", 1, vec![lines(["three"])]);
        ran(machine.host.exchange(again).await.unwrap());
        let other = of_run("run-8", 2, vec![]);
        let reply = machine.again().exchange(other).await.unwrap();
        assert!(matches!(reply, Reply::Held(_)), "{reply:?}");
    }
}

#[tokio::test]
async fn a_chain_stops_before_its_next_step() {
    for machine in machines() {
        let (begun, go, never) = (
            machine.path("begun"),
            machine.path("go"),
            machine.path("never"),
        );
        let wait = format!(": >'{begun}'; while [ ! -e '{go}' ]; do sleep 0.02; done");
        let exchange = Exchange {
            tail: vec![lines(["tail"])],
            ..change(vec![
                lines(["intent"]),
                step(sh(&wait)),
                lines(["result"]),
                lines(["next intent"]),
                step(sh(&format!(": >'{never}'"))),
            ])
        };
        let host = machine.again();
        let chain = tokio::spawn(async move { host.exchange(exchange).await });
        while !fs::exists(&begun).unwrap() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let stopping = Stopping {
            run: "run-1".into(),
            place: LedgerPlace::User,
        };
        let before = machine.host.traffic().exchanges;
        machine.host.stop(&stopping).await.unwrap();
        assert_eq!(machine.host.traffic().exchanges, before);
        fs::write(&go, "").unwrap();
        let (ops, tail, _) = ran(chain.await.unwrap().unwrap());
        assert!(matches!(
            ops[2..],
            [
                OpResult::Written,
                OpResult::NotReached,
                OpResult::NotReached
            ]
        ));
        assert!(matches!(tail[..], [OpResult::Written]));
        assert!(!fs::exists(&never).unwrap());
        let journal = machine.ledger().await.journal;
        assert_eq!(journal, "intent\nresult\ntail\n");
        // What this run sends later is not stopped.
        let results = machine
            .chain(vec![step(sh(&format!(": >'{never}'")))])
            .await;
        assert!(matches!(results[..], [OpResult::Stepped(_)]));
    }
}

#[tokio::test]
async fn a_chain_whose_controller_died_ends_its_step_and_writes_its_journal() {
    for machine in machines() {
        let (begun, go, never) = (
            machine.path("begun"),
            machine.path("go"),
            machine.path("never"),
        );
        let wait = format!(": >'{begun}'; while [ ! -e '{go}' ]; do sleep 0.02; done; echo much");
        let exchange = change(vec![
            lines(["intent"]),
            step(sh(&wait)),
            lines(["result"]),
            step(sh(&format!(": >'{never}'"))),
        ]);
        let host = machine.again();
        let chain = tokio::spawn(async move { host.exchange(exchange).await });
        while !fs::exists(&begun).unwrap() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        chain.abort();
        assert!(chain.await.unwrap_err().is_cancelled());
        fs::write(&go, "").unwrap();
        // The run's next exchange waits until that script has ended.
        let mut next = change(vec![Op::Ledger]);
        next.lock.as_mut().unwrap().wait_millis = 30_000;
        let (ops, _, _) = ran(machine.host.exchange(next).await.unwrap());
        let OpResult::Ledger(ledger) = &ops[0] else {
            panic!("{ops:?}")
        };
        assert!(ledger.journal.starts_with("intent\n"), "{}", ledger.journal);
        assert!(!fs::exists(&never).unwrap());
    }
}

#[tokio::test]
async fn a_ledger_that_cannot_be_kept_is_an_error_before_any_step() {
    for machine in machines() {
        let (dir, mark) = (machine.ledger_dir(), machine.path("mark"));
        fs::create_dir_all(dir.parent().unwrap()).unwrap();
        fs::write(&dir, "a file").unwrap();
        let ops = vec![lines(["x"]), step(sh(&format!(": >'{mark}'")))];
        let error = machine.host.exchange(change(ops)).await.unwrap_err();
        assert!(matches!(error, HostError::Ledger { .. }), "{error}");
        assert!(!fs::exists(&mark).unwrap());
    }
}

#[test]
fn the_scripts_are_clean() {
    let Ok(version) = Command::new("shellcheck").arg("--version").output() else {
        println!("skipped: no shellcheck here");
        return;
    };
    assert!(version.status.success());
    for entry in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/script")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "sh") {
            let output = Command::new("shellcheck")
                .args(["-s", "sh"])
                .arg(&path)
                .output();
            let output = output.unwrap();
            let found = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{found}");
        }
    }
}
