use evenkeel_engine::{
    Probe as _, bind,
    probes::{Account, Glob, Me, Whoami},
};

use super::*;

fn args(json: serde_json::Value) -> Args {
    bind(&json.into()).unwrap()
}

fn run(plan: &Plan) -> &Run {
    let Action::Run(run) = &plan.changes[0].steps[0].action else {
        panic!("no Run: {plan:?}")
    };
    run
}

fn plan(args: &Args, seen: &Seen) -> Plan {
    Command::check(args).unwrap();
    Command::plan(args, seen).unwrap()
}

fn glob(seen: Seen, path: &str, there: bool) -> Seen {
    seen.with(&Glob(path.to_owned()), there.then(|| path.to_owned()))
}

#[test]
fn a_bare_command_runs_each_time() {
    let args = args(serde_json::json!({ "_raw_params": "touch '/tmp/a b'" }));
    let plan = plan(&args, &Seen::default());
    assert_eq!(plan.changes[0].cause, Cause::Unguarded);
    assert_eq!(run(&plan).argv, ["touch", "/tmp/a b"]);
    assert_eq!(run(&plan).ok, [0]);
}

#[test]
fn creates_and_removes_decide_alone() {
    let args = args(serde_json::json!({ "cmd": "x", "creates": "/a", "removes": ["/b", "/c"] }));
    let world = |a, b, c| {
        let seen = glob(Seen::default(), "/a", a);
        glob(glob(seen, "/b", b), "/c", c)
    };
    assert_eq!(plan(&args, &world(true, true, true)).guard, Some("creates"));
    assert_eq!(
        plan(&args, &world(false, false, false)).guard,
        Some("removes")
    );
    let due = plan(&args, &world(false, false, true));
    assert_eq!(due.changes[0].cause, Cause::Guard("creates"));
    // One guard that says no is enough, even if the other cannot be answered.
    assert_eq!(
        plan(&args, &glob(Seen::default(), "/a", true)).guard,
        Some("creates")
    );
    assert!(matches!(
        Command::plan(&args, &glob(Seen::default(), "/a", false)),
        Err(Stop::NotYet(_))
    ));
}

#[test]
fn relative_paths_are_below_chdir_or_home() {
    let account = Account {
        name: "u".into(),
        uid: 1,
        group: "u".into(),
        gid: 1,
    };
    let me = Me {
        account,
        home: "/home/u".into(),
        dir: "/home/u".into(),
    };
    let below = args(serde_json::json!({ "cmd": "x", "chdir": "/srv/", "creates": "done" }));
    assert_eq!(
        plan(&below, &glob(Seen::default(), "/srv/done", true)).guard,
        Some("creates")
    );
    let home =
        args(serde_json::json!({ "cmd": "x", "chdir": "~/app", "creates": ["done", "~/y"] }));
    let first = Command::observe(&home, &Seen::default());
    assert_eq!(first.len(), 1, "home has to be known first: {first:?}");
    let seen = Seen::default().with(&Whoami, me);
    let asked: Vec<_> = Command::observe(&home, &seen)
        .iter()
        .map(|p| format!("{p:?}"))
        .collect();
    assert_eq!(
        asked[1..],
        ["Glob(\"/home/u/app/done\")", "Glob(\"/home/u/y\")"]
    );
    let seen = glob(glob(seen, "/home/u/app/done", false), "/home/u/y", true);
    assert_eq!(run(&plan(&home, &seen)).dir.as_deref(), Some("/home/u/app"));
}

#[test]
fn commands_guard() {
    let args = args(serde_json::json!({ "cmd": "x", "unless": ["a", "b"], "onlyif": "c" }));
    let seen = |a: bool, b: bool, c: bool| {
        [("a", a), ("b", b), ("c", c)]
            .iter()
            .fold(Seen::default(), |seen, (text, answer)| {
                seen.with(
                    &Succeeds {
                        text: (*text).into(),
                        dir: String::new(),
                    },
                    *answer,
                )
            })
    };
    assert_eq!(plan(&args, &seen(false, true, true)).guard, Some("unless"));
    assert_eq!(
        plan(&args, &seen(false, false, false)).guard,
        Some("onlyif")
    );
    let due = plan(&args, &seen(false, false, true));
    assert_eq!(due.changes[0].cause, Cause::Guard("unless"));
    assert!(
        Command::observe(&args, &Seen::default())
            .iter()
            .all(|probe| probe.runs_user_code())
    );
}

#[test]
fn the_guards_script_tells_success_from_failure() {
    let ask = |text: &str, dir: &str| Succeeds {
        text: text.into(),
        dir: dir.into(),
    };
    let probes = [
        ask("test -d /", ""),
        ask("exit 3", ""),
        ask("no-such-program-here", ""),
        ask("[ \"$PWD\" = /usr ]; cat", "/usr"),
        ask("true", "/no such dir"),
        ask("printf 'a\\nb'; true 'quote'", ""),
    ];
    for shell in ["dash", "bash"] {
        let out = std::process::Command::new(shell)
            .args([
                "-c",
                &format!("ask() {{ {}\n}}; ask \"$@\"", Succeeds::SCRIPT),
                "ek",
            ])
            .args(
                probes
                    .iter()
                    .flat_map(Succeeds::operands)
                    .map(|o| String::from_utf8(o).unwrap()),
            )
            .output()
            .unwrap();
        let answers = Succeeds::parse(&probes.iter().collect::<Vec<_>>(), &out.stdout).unwrap();
        let wanted = [true, false, false, true, false, true].map(Ok).to_vec();
        assert_eq!(answers, wanted, "{shell}");
        let said: Vec<u8> = probes
            .iter()
            .zip(&answers)
            .flat_map(|(probe, answer)| probe.expected(answer.as_ref().unwrap()).unwrap())
            .collect();
        assert_eq!(said, out.stdout, "{shell}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let refused = |json| Command::check(&args(json)).unwrap_err().message;
    assert_eq!(refused(serde_json::json!({})), "no command given");
    assert_eq!(
        refused(serde_json::json!({ "cmd": "  " })),
        "no command given"
    );
    let both = serde_json::json!({ "cmd": "a", "argv": ["a"] });
    assert_eq!(refused(both), "`cmd` and `argv` exclude each other");
    let open = serde_json::json!({ "cmd": "echo 'a" });
    assert_eq!(refused(open), "`echo 'a`: a quote is not closed");
    let host = serde_json::json!({ "cmd": "a", "creates": "$HOME/x" });
    assert_eq!(
        refused(host),
        "`creates: $HOME/x` holds a variable of the host"
    );
}

#[test]
fn argv_is_taken_as_it_is() {
    let args = args(serde_json::json!({ "argv": ["echo", "a  'b\" $x", "$HOME"],
        "expand_argument_vars": false }));
    assert_eq!(
        run(&plan(&args, &Seen::default())).argv,
        ["echo", "a  'b\" $x", "$HOME"]
    );
}

#[test]
fn stdin_gets_a_newline_unless_told_otherwise() {
    let with = args(serde_json::json!({ "cmd": "cat", "stdin": "a" }));
    let without =
        args(serde_json::json!({ "cmd": "cat", "stdin": "a", "stdin_add_newline": "no" }));
    let bytes = |args: &Args| run(&plan(args, &Seen::default())).stdin.read().unwrap();
    assert_eq!(bytes(&with), b"a\n");
    assert_eq!(bytes(&without), b"a");
    assert_eq!(
        run(&plan(
            &args(serde_json::json!({ "cmd": "cat" })),
            &Seen::default()
        ))
        .stdin
        .len(),
        0
    );
}

#[test]
fn secrets_are_named_and_never_shown() {
    let mut args = Args::cmd(Text::Secret(Secret::new("login --password hunter2")));
    args.stdin = Some(Late::Known(Text::Secret(Secret::new("hunter3"))));
    let plan = plan(&args, &Seen::default());
    assert!(run(&plan).stdin.is_secret());
    assert!(run(&plan).secret_argv.contains(&Secret::new("hunter2")));
    assert!(
        run(&plan)
            .secret_argv
            .contains(&Secret::new("login --password hunter2"))
    );
    assert_eq!(Command::subject(&args), "***");
    let output = Command::output(&args, &Seen::default(), &[Done::default()]).unwrap();
    assert!(!format!("{output:?}").contains("hunter"));
}

#[test]
fn what_is_not_known_yet_waits_unless_a_guard_says_no() {
    let mut args = Args::cmd("x");
    args.cmd = Some(Late::NotYet(NotYet::new("the result of `a`")));
    assert!(matches!(
        Command::plan(&args, &Seen::default()),
        Err(Stop::NotYet(_))
    ));
    args.creates = vec!["/a".into()];
    assert_eq!(
        plan(&args, &glob(Seen::default(), "/a", true)).guard,
        Some("creates")
    );
}

#[test]
fn the_result_is_what_the_program_left() {
    let args = Args::cmd("x 'a b'");
    let done = Done {
        status: 3,
        stdout: b"one\n\n two \n\r\n".to_vec(),
        stderr: b"\xff!".to_vec(),
        millis: 3_725_250,
    };
    let output = Command::output(&args, &Seen::default(), std::slice::from_ref(&done)).unwrap();
    assert_eq!(
        output.cmd,
        ["x", "a b"].into_iter().map(Value::from).collect()
    );
    assert_eq!(
        (output.rc, output.msg.as_str()),
        (3, "non-zero return code")
    );
    assert_eq!(output.stdout, "one\n\n two ");
    assert_eq!(output.stdout_lines, ["one", "", " two "]);
    assert_eq!(output.stderr, "\u{fffd}!");
    assert_eq!(output.delta.as_deref(), Some("1:02:05.250000"));
    let kept = Args {
        strip_empty_ends: false,
        ..args
    };
    let output = Command::output(&kept, &Seen::default(), &[done]).unwrap();
    assert_eq!(output.stdout, "one\n\n two \n\r\n");
}

#[test]
fn the_result_of_a_command_that_would_run_is_not_known_yet() {
    let mut args = Args::cmd("x");
    assert!(matches!(
        Command::output(&args, &Seen::default(), &[]),
        Err(Stop::NotYet(_))
    ));
    args.creates = vec!["/a".into()];
    let seen = glob(Seen::default(), "/a", true);
    let output = Command::output(&args, &seen, &[]).unwrap();
    assert_eq!(
        (output.rc, output.msg.as_str()),
        (0, "Did not run command since '/a' exists")
    );
}

#[test]
fn limits() {
    let limits = |json| {
        let args = args(json);
        let plan = plan(&args, &Seen::default());
        (run(&plan).long, run(&plan).seconds)
    };
    assert_eq!(
        limits(serde_json::json!({ "cmd": "x" })),
        (false, Some(3600))
    );
    assert_eq!(
        limits(serde_json::json!({ "cmd": "x", "long": true })),
        (true, None)
    );
    assert_eq!(
        limits(serde_json::json!({ "cmd": "x", "long": true, "timeout": 5 })),
        (true, Some(5))
    );
}
