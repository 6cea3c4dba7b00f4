//! Long steps: started, lost sight of, found again.

use std::fs;

use evenkeel_engine::{
    Action, Identity, Run, Secret, Text,
    host::{Host as _, LongStep, Op, OpResult, StepEnd},
};

use crate::support::{Machine, change, machines, ran, text};

fn long(name: &str, run: Run) -> Op {
    Op::Step {
        who: Identity::login(),
        env: vec![("SECRET".into(), Text::Secret(Secret::new("it's")))],
        action: Box::new(Action::Run(run)),
        long: Some(name.into()),
        effects: Vec::new(),
        on_failure: None,
    }
}

fn script(text: &str) -> Run {
    Run::new(["sh", "-c", text])
}

fn await_all<const N: usize>(names: [&str; N], millis: u64) -> Op {
    Op::Await {
        long: names.map(String::from).to_vec(),
        millis,
    }
}

async fn standing(machine: &Machine, op: Op) -> Vec<LongStep> {
    match machine.chain(vec![op]).await.remove(0) {
        OpResult::Awaited(steps) => steps,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_long_step_outlives_its_exchange() {
    for machine in machines() {
        let go = machine.path("go");
        let mut run = script(&format!(
            "echo \"$SECRET\"; cat; while [ ! -e '{go}' ]; do sleep 0.02; done; echo e >&2; exit 4"
        ));
        run.stdin = "in\0put\n".into();
        run.ok = vec![0, 4];
        let started = machine.chain(vec![long("one", run)]).await;
        assert!(matches!(started[..], [OpResult::Stepped(StepEnd::Started)]));
        let steps = standing(&machine, await_all(["one"], 0)).await;
        assert!(matches!(steps[..], [LongStep::Running]), "{steps:?}");
        let steps = standing(&machine, await_all(["one"], 100)).await;
        assert!(matches!(steps[..], [LongStep::Running]), "{steps:?}");

        // Its lock is held by it, even for a run whose controller is gone.
        let procs: Vec<_> = fs::read_dir(machine.ledger_dir().join("lock"))
            .unwrap()
            .map(|entry| fs::read_to_string(entry.unwrap().path().join("procs")).unwrap())
            .collect();
        assert!(procs[0].contains("long "), "{procs:?}");

        fs::write(&go, "").unwrap();
        match &standing(&machine, await_all(["one"], 30_000)).await[..] {
            [LongStep::Ended(StepEnd::Ok(done))] => {
                assert_eq!(done.status, 4);
                assert_eq!(text(&done.stdout), "it's\nin\0put\n");
                assert_eq!(text(&done.stderr), "e\n");
            }
            other => panic!("{other:?}"),
        }
        // Its answer may be lost: it stays until somebody says that its end is known.
        let steps = standing(&machine, await_all(["one"], 0)).await;
        assert!(matches!(steps[..], [LongStep::Ended(_)]), "{steps:?}");
        let long = vec!["one".to_owned()];
        machine.chain(vec![Op::Drop { long }]).await;
        let steps = standing(&machine, await_all(["one"], 0)).await;
        assert!(matches!(steps[..], [LongStep::Lost]), "removed: {steps:?}");
    }
}

#[tokio::test]
async fn long_steps_fail_time_out_and_get_lost() {
    for machine in machines() {
        let pid = machine.path("pid");
        let mut slow = script("sleep 100");
        slow.seconds = Some(1);
        let ops = vec![
            long("bad", script("exit 3")),
            long("slow", slow),
            long("none", Run::new(["no-such-program"])),
            long("lost", script(&format!("echo $PPID >'{pid}'; sleep 100"))),
        ];
        machine.chain(ops).await;
        let end = async |name: &str| {
            standing(&machine, await_all([name], 30_000))
                .await
                .remove(0)
        };
        match end("bad").await {
            LongStep::Ended(StepEnd::Failed(done)) => assert_eq!(done.status, 3),
            other => panic!("{other:?}"),
        }
        match end("none").await {
            LongStep::Ended(StepEnd::Failed(done)) => assert_eq!(done.status, 127),
            other => panic!("{other:?}"),
        }
        match end("slow").await {
            LongStep::Ended(StepEnd::TimedOut(done)) => assert!(done.millis >= 900),
            other => panic!("{other:?}"),
        }
        // Its group is killed, watcher and all.
        let note = machine.ledger_dir().join("spool/lost/pid");
        let note = fs::read_to_string(note).unwrap();
        let watcher = note.split(' ').nth(1).unwrap();
        let kill = format!("kill -9 -$(cut -d' ' -f5 /proc/{watcher}/stat)");
        let killed = std::process::Command::new("sh")
            .args(["-c", &kill])
            .status();
        assert!(killed.unwrap().success());
        assert!(matches!(end("lost").await, LongStep::Lost));
    }
}

#[tokio::test]
async fn waiting_ends_with_the_first() {
    for machine in machines() {
        let go = machine.path("go");
        let wait = script(&format!("while [ ! -e '{go}' ]; do sleep 0.02; done"));
        let ops = vec![
            long("slow", wait),
            long("fast", script("true")),
            await_all(["slow", "fast"], 30_000),
        ];
        let (results, _, _) = ran(machine.host.exchange(change(ops)).await.unwrap());
        match &results[2] {
            OpResult::Awaited(steps) => assert!(
                matches!(
                    steps[..],
                    [LongStep::Running, LongStep::Ended(StepEnd::Ok(_))]
                ),
                "{steps:?}"
            ),
            other => panic!("{other:?}"),
        }
        fs::write(&go, "").unwrap();
        let steps = standing(&machine, await_all(["slow"], 30_000)).await;
        assert!(matches!(steps[..], [LongStep::Ended(StepEnd::Ok(_))]));
    }
}
