//! The script on this machine: both ways, and in every shell that there is.

use std::{
    io::Write as _,
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
    thread,
};

use evenkeel_engine::{Action, Done, Probe as _, Seen, bind};

use super::*;

fn args(json: serde_json::Value) -> Args {
    bind(&Value::from(json)).expect("arguments")
}

fn shells() -> impl Iterator<Item = &'static str> {
    let there = |shell: &&str| Command::new(shell).args(["-c", ":"]).output().is_ok();
    ["sh", "bash", "dash"].into_iter().filter(there)
}

/// What one look answers.
fn look(args: &Args) -> Vec<Option<Vec<u8>>> {
    let seen = Seen::default();
    let reached = args
        .reached(&Look::new(&seen))
        .expect("known")
        .expect("a question");
    let ask = |shell: &'static str| {
        let script = format!("f() {{\n{}\n}}\nf \"$@\"", Reached::SCRIPT);
        let mut call = Command::new(shell);
        call.args(["-c", &script, "look"]);
        for operand in reached.operands() {
            call.arg(String::from_utf8(operand).expect("text"));
        }
        let output = call
            .stderr(Stdio::inherit())
            .output()
            .expect("a shell")
            .stdout;
        let answers = Reached::parse(&[&reached], &output).expect("an answer");
        let answer = answers.into_iter().next().expect("one").expect("known");
        assert_eq!(
            reached.expected(&answer).expect("a form"),
            output,
            "{shell}"
        );
        answer
    };
    shells().map(ask).collect()
}

/// Whether one look says that it has come, in all shells.
fn is_there(args: &Args) -> bool {
    let all = look(args);
    let first = all[0].is_some();
    assert!(all.iter().all(|one| one.is_some() == first), "{all:?}");
    first
}

/// The step that waits.
fn program(args: &Args) -> Action {
    let plan = args.plan(&Look::new(&Seen::default())).expect("a plan");
    plan.changes[0].steps[0].action.clone()
}

/// Waits as the host would.
fn wait(args: &Args) -> Done {
    let Action::Run(run) = program(args) else {
        panic!("no program");
    };
    let output = Command::new(&run.argv[0])
        .args(&run.argv[1..])
        .output()
        .expect("a shell");
    Done {
        status: output.status.code().expect("a status"),
        stdout: output.stdout,
        stderr: output.stderr,
        millis: 0,
    }
}

fn result(args: &Args, done: &Done) -> Result<Output, Stop> {
    WaitFor::output(args, &Seen::default(), std::slice::from_ref(done))
}

#[test]
fn a_port_is_open_or_closed() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    for host in ["127.0.0.1", "localhost"] {
        let of =
            |state: &str| args(serde_json::json!({"host": host, "port": port, "state": state}));
        assert!(is_there(&of("started")));
        assert!(!is_there(&of("stopped")));
    }
    drop(listener);
    let of = |state: &str| args(serde_json::json!({"port": port, "state": state, "timeout": 0}));
    assert!(!is_there(&of("present")));
    assert!(is_there(&of("absent")));
    let done = wait(&of("started"));
    assert_eq!(done.status, IN_VAIN, "{done:?}");
    let Err(Stop::Refused(why)) = result(&of("started"), &done) else {
        panic!("it came");
    };
    assert_eq!(
        why.message,
        format!("Timeout when waiting for 127.0.0.1:{port} (0 s)")
    );
}

#[test]
fn what_comes_later_is_waited_for() {
    let temp = tempfile::tempdir().expect("a directory");
    let path = temp.path().join("later");
    // It comes when the program waits between two looks.
    let sleep = temp.path().join("sleep");
    std::fs::write(&sleep, format!("#!/bin/sh\n: >'{}'\n", path.display())).expect("a file");
    std::fs::set_permissions(&sleep, std::fs::Permissions::from_mode(0o755)).expect("its mode");
    let later = args(serde_json::json!({"path": path}));
    let Action::Run(run) = program(&later) else {
        panic!("no program");
    };
    let paths = std::env::var("PATH").expect("a path");
    let mut call = Command::new(&run.argv[0]);
    call.args(&run.argv[1..])
        .env("PATH", format!("{}:{paths}", temp.path().display()));
    assert_eq!(call.status().expect("a shell").code(), Some(0));
    assert!(is_there(&later));
}

#[test]
fn a_server_is_heard() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { break };
            // Who only tries whether it is open is gone already.
            drop(stream.write_all(b"hello\nSSH-2.0-OpenSSH_9.2"));
            kept.push(stream);
        }
    });
    let yaml = |regex: &str, timeout: u64| {
        args(serde_json::json!({"port": port, "search_regex": regex, "timeout": timeout}))
    };
    let right = yaml(r"OpenSSH_(?P<version>[\d.]+)", 30);
    let done = wait(&right);
    assert_eq!(done.status, 0, "{done:?}");
    let output = result(&right, &done).expect("a result");
    assert_eq!(
        output.match_groupdict.to_json(),
        serde_json::json!({"version": "9.2"})
    );
    let done = wait(&yaml("dropbear", 1));
    assert_eq!(done.status, IN_VAIN, "{done:?}");
}

#[test]
fn connections_are_counted() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let of = |more: serde_json::Value| {
        let mut all = serde_json::json!({"port": port, "state": "drained", "timeout": 0});
        all.as_object_mut()
            .expect("a map")
            .extend(more.as_object().expect("a map").clone());
        args(all)
    };
    assert!(is_there(&of(serde_json::json!({}))));
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    let _other_end = listener.accept().expect("a connection");
    assert!(!is_there(&of(serde_json::json!({}))));
    assert!(!is_there(&of(serde_json::json!({"host": "0.0.0.0"}))));
    assert!(is_there(&of(
        serde_json::json!({"exclude_hosts": "127.0.0.1"})
    )));
    assert!(is_there(&of(serde_json::json!({"host": "127.0.0.9"}))));
    assert!(is_there(&of(
        serde_json::json!({"active_connection_states": ["SYN_RECV", "TIME_WAIT"]})
    )));
    drop(stream);
}

#[test]
fn a_path_and_a_line() {
    let temp = tempfile::tempdir().expect("a directory");
    let path = temp.path().join("a log 'x'");
    let of = |more: serde_json::Value| {
        let mut all = serde_json::json!({"path": path, "timeout": 0});
        all.as_object_mut()
            .expect("a map")
            .extend(more.as_object().expect("a map").clone());
        args(all)
    };
    let (there, gone) = (
        of(serde_json::json!({})),
        of(serde_json::json!({"state": "absent"})),
    );
    let line = of(serde_json::json!({"search_regex": r"^done: (\w+) (?P<n>\d+)$"}));
    assert!(!is_there(&there) && is_there(&gone) && !is_there(&line));
    assert_eq!(wait(&line).status, IN_VAIN);
    // Neither ASCII nor UTF-8.
    std::fs::write(&path, b"caf\xe9 \xff\xfe\ndone: it 17\n").expect("a file");
    assert!(is_there(&there) && !is_there(&gone));
    assert_eq!(look(&line)[0].as_deref(), Some(b"done: it 17".as_slice()));
    let done = wait(&line);
    let output = result(&line, &done).expect("a result");
    assert_eq!(
        output.match_groups.to_json(),
        serde_json::json!(["it", "17"])
    );
    assert_eq!(
        output.match_groupdict.to_json(),
        serde_json::json!({"n": "17"})
    );
}
