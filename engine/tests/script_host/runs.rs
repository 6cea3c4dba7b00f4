//! Programs.

use std::fs;

use evenkeel_engine::{
    Action, Content, Run, Secret, Text,
    host::{Host as _, HostError, Op, OpResult, StepEnd},
};

use crate::support::{badly, change, machines, run, sh, step, text, well};

#[tokio::test]
async fn a_program_gets_what_it_was_given() {
    for machine in machines() {
        let dir = machine.path("some 'dir'");
        fs::create_dir(&dir).unwrap();
        let mut given = Run::new([
            "sh",
            "-c",
            "pwd; umask; echo \"$A|$B|$*\"; cat",
            "x",
            "a'b",
            "",
        ]);
        given.dir = Some(dir.clone());
        given.umask = Some(0o077);
        given.env = vec![("B".into(), Text::Secret(Secret::new("s3'cret\n")))];
        given.stdin = Content::Secret(Secret::new(b"in\0put\n"));
        let op = Op::Step {
            who: evenkeel_engine::Identity::login(),
            env: vec![("A".into(), "a".into()), ("B".into(), "of the task".into())],
            action: Box::new(Action::Run(given)),
            long: None,
            effects: Vec::new(),
            on_failure: None,
        };
        let OpResult::Stepped(end) = machine.chain(vec![op]).await.remove(0) else {
            panic!()
        };
        let expected = format!("{dir}\n0077\na|s3'cret\n|a'b \nin\0put\n");
        assert_eq!(text(&well(end).stdout), expected);
    }
}

#[tokio::test]
async fn how_programs_end() {
    for machine in machines() {
        let done = badly(machine.step(sh("echo out; echo err >&2; exit 3")).await);
        assert_eq!((done.status, text(&done.stdout)), (3, "out\n"));
        assert_eq!(text(&done.stderr), "err\n");
        let done = badly(machine.step(run(["no-such-program"])).await);
        assert_eq!(done.status, 127);
        assert!(text(&done.stderr).contains("no-such-program"));
        let done = badly(machine.step(sh("kill -9 $$")).await);
        assert_eq!(done.status, 137);
        let done = badly(machine.step(sh("kill -TERM $$")).await);
        assert_eq!(done.status, 143);
        let mut any = Run::new(["sh", "-c", "exit 5"]);
        any.ok = Vec::new();
        assert_eq!(
            well(machine.step(any.clone().into_action()).await).status,
            5
        );
        any.ok = vec![0, 5];
        any.seconds = None;
        assert_eq!(well(machine.step(any.into_action()).await).status, 5);
        let mut slow = Run::new(["sh", "-c", "echo begun; sleep 100"]);
        slow.seconds = Some(1);
        match machine.step(slow.into_action()).await {
            StepEnd::TimedOut(done) => assert_eq!(text(&done.stdout), "begun\n"),
            other => panic!("{other:?}"),
        }
        // 124 by itself is no time-out.
        assert_eq!(badly(machine.step(sh("exit 124")).await).status, 124);
        // A pipe that breaks ends a program as ever.
        let done = well(machine.step(sh("yes | head -n 1")).await);
        assert_eq!((text(&done.stdout), text(&done.stderr)), ("y\n", ""));
    }
}

trait IntoAction {
    fn into_action(self) -> Action;
}

impl IntoAction for Run {
    fn into_action(self) -> Action {
        Action::Run(self)
    }
}

#[tokio::test]
async fn what_is_left_in_the_background_does_not_hold_us_up() {
    for machine in machines() {
        // It ends with the machine's directory, at the latest.
        let stay = machine.put("stay", b"");
        let leave = format!("(while [ -e '{stay}' ]; do sleep 0.02; done) & echo left");
        let done = well(machine.step(sh(&leave)).await);
        assert_eq!(text(&done.stdout), "left\n");
        assert!(done.millis < 5_000);
        fs::remove_file(stay).unwrap();
    }
}

#[tokio::test]
async fn much_output_keeps_its_beginning_and_end() {
    for machine in machines() {
        let much = "head -c 3000000 /dev/zero | tr '\\0' a; echo the end";
        let done = well(
            machine
                .step(sh(&format!("echo begin; {much}; {{ {much}; }} >&2")))
                .await,
        );
        for stream in [&done.stdout, &done.stderr] {
            assert_eq!(stream.len() as u64, evenkeel_engine::OUTPUT_LIMIT);
            assert!(stream.ends_with(b"the end\n"));
        }
        assert!(done.stdout.starts_with(b"begin\n"));
    }
}

#[tokio::test]
async fn a_megabyte_of_input() {
    for machine in machines() {
        let input: Vec<u8> = (0..1_000_000_u32)
            .flat_map(u32::to_le_bytes)
            .take(1 << 20)
            .collect();
        let mut given = Run::new(["cat"]);
        given.stdin = input.clone().into();
        let mut ignored = Run::new(["true"]);
        ignored.stdin = input.clone().into();
        let results = machine
            .chain(vec![step(ignored.into_action()), step(given.into_action())])
            .await;
        match &results[1] {
            OpResult::Stepped(StepEnd::Ok(done)) => assert_eq!(done.stdout, input),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn no_secret_is_in_any_argument_list() {
    for machine in machines() {
        let show = "for p in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$p 2>/dev/null; done; cat";
        let mut given = Run::new(["sh", "-c", show]);
        given.env = vec![("A".into(), Text::Secret(Secret::new("hunter2-in-env")))];
        given.stdin = Content::Secret(Secret::new("hunter3"));
        let done = well(machine.step(given.into_action()).await);
        let stdout = String::from_utf8_lossy(&done.stdout);
        assert!(!stdout.contains("hunter2"));
        assert!(stdout.ends_with("hunter3"));
    }
}

#[tokio::test]
async fn what_no_shell_can_hold_is_refused() {
    for machine in machines() {
        let reply = machine
            .host
            .exchange(change(vec![step(run(["a\0b"]))]))
            .await;
        assert!(matches!(reply, Err(HostError::Garbled(_))));
        let mut bad = Run::new(["true"]);
        bad.env = vec![("A; rm -rf".into(), "x".into())];
        let reply = machine
            .host
            .exchange(change(vec![step(bad.into_action())]))
            .await;
        assert!(matches!(reply, Err(HostError::Garbled(_))));
    }
}
