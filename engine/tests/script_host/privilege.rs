//! Passwords, by programs that stand in for sudo, su and doas: on any machine, without root.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use evenkeel_engine::{
    Action, Identity, LocalConnection, Method, Run, ScriptHost, Secret,
    host::{Exchange, Host as _, HostError, LedgerPlace, LongStep, Op, OpResult, Reply, StepEnd},
};

use crate::support::{change, look, ran, sh, text, well};

/// A machine where the login user is `dep`, and its programs to become another are ours.
struct Fake {
    host: ScriptHost<LocalConnection>,
    dir: tempfile::TempDir,
    shell: &'static str,
}

impl Fake {
    fn new(shell: &'static str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let bin = dir.path().join("bin");
        fs::create_dir(&bin).unwrap();
        for name in ["sudo", "su", "doas", "id"] {
            let path = bin.join(name);
            fs::write(&path, include_str!("fake_become.sh")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let path = std::env::join_paths([bin.as_path(), Path::new("/usr/bin"), Path::new("/bin")]);
        let connection = LocalConnection::new()
            .shell(shell)
            .env("PATH", path.unwrap())
            .env("HOME", dir.path())
            .env("XDG_STATE_HOME", "")
            .env("FAKE", dir.path());
        let host = ScriptHost::new(connection)
            .shell(shell)
            .root_dir(dir.path().join("root ledger").to_str().unwrap());
        Self { host, dir, shell }
    }

    fn put(&self, name: &str, content: &str) {
        fs::write(self.dir.path().join(name), content).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path().join(name)).unwrap_or_default()
    }

    async fn run(&self, exchange: Exchange) -> Result<Reply, HostError> {
        self.host.exchange(exchange).await
    }

    async fn chain(&self, ops: Vec<Op>) -> Vec<OpResult> {
        ran(self.run(change(ops)).await.unwrap()).0
    }

    /// Why one step as somebody is refused, and what to do.
    async fn refusal(&self, who: Identity) -> (String, String) {
        match self.run(change(vec![step(who, sh("true"))])).await {
            Err(HostError::Privilege { why, help, .. }) => (why, help),
            other => panic!("{}: {other:?}", self.shell),
        }
    }
}

fn machines() -> [Fake; 2] {
    [Fake::new("dash"), Fake::new("bash")]
}

fn by(method: Method, user: &str, password: Option<&str>) -> Identity {
    Identity {
        method,
        secret: password.map(Secret::new),
        ..Identity::user(user)
    }
}

fn step(who: Identity, action: Action) -> Op {
    Op::Step {
        who,
        env: Vec::new(),
        action: Box::new(action),
        long: None,
        effects: Vec::new(),
        on_failure: None,
    }
}

fn reads(input: &str) -> Action {
    let mut run = Run::new(["sh", "-c", "id -un; cat"]);
    run.stdin = input.into();
    Action::Run(run)
}

fn stdout(result: &OpResult) -> &str {
    match result {
        OpResult::Stepped(StepEnd::Ok(done)) => text(&done.stdout).trim_end(),
        other => panic!("{other:?}"),
    }
}

/// The methods, each with a password of its own; su asks for that of who is become.
fn ways() -> Vec<Identity> {
    let mut ways = vec![
        by(Method::Sudo, "app", Some("pw of dep's $x `y` \\n")),
        by(Method::Su, "app2", Some("pw of app2")),
        by(Method::Su, "app3", Some("pw of app3")),
    ];
    if Path::new("/usr/bin/script").exists() {
        ways.push(by(Method::Doas, "app4", Some("pw of dep")));
    }
    ways
}

fn ask(machine: &Fake) {
    machine.put("sudo.pw", "pw of dep's $x `y` \\n\n");
    machine.put("doas.pw", "pw of dep\n");
    machine.put("su.app2.pw", "pw of app2\n");
    machine.put("su.app3.pw", "pw of app3\n");
}

#[tokio::test]
async fn several_passwords_in_one_exchange_whether_asked_for_or_not() {
    for machine in machines() {
        for asks in [true, false] {
            if asks {
                ask(&machine);
            } else {
                for name in ["sudo.pw", "doas.pw", "su.app2.pw", "su.app3.pw"] {
                    fs::remove_file(machine.dir.path().join(name)).unwrap();
                }
            }
            machine.put("lecture", "");
            let mut ops = Vec::new();
            for who in ways() {
                ops.push(step(who.clone(), reads("data\nof it")));
                ops.push(step(Identity::login(), reads("between")));
                ops.push(step(who, sh("umask; pwd")));
            }
            let results = machine.chain(ops).await;
            for (way, results) in ways().iter().zip(results.chunks(3)) {
                let user = way.user.as_deref().unwrap();
                assert_eq!(stdout(&results[0]), format!("{user}\ndata\nof it"));
                assert_eq!(stdout(&results[1]), "dep\nbetween");
                assert!(stdout(&results[2]).starts_with("0022\n"));
            }
            assert_eq!(machine.read("refused"), "", "{asks}");
        }
    }
}

#[tokio::test]
async fn a_wrong_password_is_tried_once_and_told() {
    for machine in machines() {
        ask(&machine);
        for way in ways() {
            let wrong = Identity {
                secret: Some(Secret::new("wrong")),
                ..way
            };
            machine.put("refused", "");
            let (why, help) = machine.refusal(wrong).await;
            assert!(why.contains("password is wrong"), "{why}");
            assert!(help.contains("it must be"), "{help}");
            assert_eq!(machine.read("refused"), "refused\n");
        }
    }
}

#[tokio::test]
async fn a_missing_password_is_told() {
    for machine in machines() {
        ask(&machine);
        for way in ways() {
            let none = Identity {
                secret: None,
                ..way
            };
            let (why, help) = machine.refusal(none).await;
            assert!(why.contains("none was given"), "{why}");
            assert!(help.contains("ansible_become_password"), "{help}");
        }
    }
}

#[tokio::test]
async fn a_terminal_is_given_to_who_wants_one() {
    if !Path::new("/usr/bin/script").exists() {
        return;
    }
    for machine in machines() {
        machine.put("requiretty", "");
        machine.put("sudo.pw", "pw\n");
        let who = by(Method::Sudo, "app", Some("pw"));
        let binary = "a\u{4}\u{3}\0\r\n".repeat(10_000);
        let ops = vec![
            step(who.clone(), reads(&binary)),
            step(who, Action::Run(Run::new(["sh", "-c", "exit 3"]))),
        ];
        let results = machine.chain(ops).await;
        match &results[..] {
            [
                OpResult::Stepped(StepEnd::Ok(first)),
                OpResult::Stepped(StepEnd::Failed(second)),
            ] => {
                assert_eq!(text(&first.stdout), format!("app\n{binary}"));
                assert_eq!(second.status, 3);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn the_password_is_nowhere_to_be_seen() {
    for machine in machines() {
        let password = "Sesame-4711-open";
        machine.put("sudo.pw", &format!("{password}\n"));
        let who = by(Method::Sudo, "app", Some(password));
        // Read from a file, so that the search does not find itself.
        let file = machine.dir.path().join("sudo.pw");
        let file = file.to_str().unwrap();
        let search = format!(
            "grep -l -a -F -f '{file}' /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null; true"
        );
        let long = Op::Step {
            who: who.clone(),
            env: Vec::new(),
            action: Box::new(sh(&search)),
            long: Some("search".into()),
            effects: Vec::new(),
            on_failure: None,
        };
        let wait = Op::Await {
            long: vec!["search".into()],
            millis: 30_000,
        };
        let journal = Op::Journal {
            lines: vec!["line".into()],
            sync: false,
        };
        let ops = vec![step(who, sh(&search)), journal, long, wait];
        let results = machine.chain(ops).await;
        assert_eq!(stdout(&results[0]), "");
        match &results[3] {
            OpResult::Awaited(steps) => match &steps[0] {
                LongStep::Ended(end) => assert_eq!(text(&well(end.clone()).stdout), ""),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
        let found = std::process::Command::new("grep")
            .args(["-r", "-l", "-F", password])
            .arg(machine.dir.path())
            .output()
            .unwrap();
        assert_eq!(text(&found.stdout).trim_end(), file);
    }
}

#[tokio::test]
async fn long_steps_take_a_password_and_a_limit_of_time() {
    for machine in machines() {
        ask(&machine);
        let mut ops = Vec::new();
        for (index, who) in ways().into_iter().enumerate() {
            ops.push(Op::Step {
                who,
                env: Vec::new(),
                action: Box::new(reads("input")),
                long: Some(format!("l{index}")),
                effects: Vec::new(),
                on_failure: None,
            });
        }
        let mut slow = Run::new(["sleep", "100"]);
        slow.seconds = Some(1);
        ops.push(Op::Step {
            who: ways().remove(0),
            env: Vec::new(),
            action: Box::new(Action::Run(slow)),
            long: Some("slow".into()),
            effects: Vec::new(),
            on_failure: None,
        });
        let started = machine.chain(ops).await;
        for result in &started {
            assert!(
                matches!(result, OpResult::Stepped(StepEnd::Started)),
                "{result:?}"
            );
        }
        for (index, who) in ways().into_iter().enumerate() {
            match ended(&machine, &format!("l{index}")).await {
                StepEnd::Ok(done) => {
                    let user = who.user.unwrap();
                    assert_eq!(text(&done.stdout), format!("{user}\ninput"));
                }
                other => panic!("{user:?}: {other:?}", user = who.user),
            }
        }
        assert!(matches!(
            ended(&machine, "slow").await,
            StepEnd::TimedOut(_)
        ));
    }
}

async fn ended(machine: &Fake, name: &str) -> StepEnd {
    let wait = Op::Await {
        long: vec![name.to_owned()],
        millis: 30_000,
    };
    match machine.chain(vec![wait]).await.remove(0) {
        OpResult::Awaited(mut steps) => match steps.remove(0) {
            LongStep::Ended(end) => end,
            other => panic!("{} {name}: {other:?}", machine.shell),
        },
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn root_conducts_and_needs_no_more_passwords() {
    for machine in machines() {
        machine.put("sudo.pw", "pw\n");
        let place = |password| LedgerPlace::Root(by(Method::Sudo, "root", Some(password)));
        let exchange = |password| Exchange {
            place: place(password),
            ..change(vec![
                step(Identity::user("root"), reads("one")),
                step(by(Method::Sudo, "app", Some("not asked for")), sh("id -un")),
                step(Identity::login(), sh("id -un")),
            ])
        };
        let wrong = machine.run(exchange("wrong")).await;
        match wrong {
            Err(HostError::Privilege { user, why, .. }) => {
                assert_eq!(user, "root");
                assert!(why.contains("password is wrong"), "{why}");
            }
            other => panic!("{other:?}"),
        }
        // Unlike the real one, ours asks root too.
        fs::remove_file(machine.dir.path().join("sudo.pw")).unwrap();
        let (ops, _, _) = ran(machine.run(exchange("pw")).await.unwrap());
        assert_eq!(stdout(&ops[0]), "root\none");
        assert!(!machine.read("argv").contains("not asked for"));
    }
}

#[tokio::test]
async fn who_cannot_be_become_spoils_no_other() {
    for machine in machines() {
        machine.put("sudo.pw", "pw\n");
        let probe = |who| Op::Observe {
            who,
            probes: vec![evenkeel_engine::ask(evenkeel_engine::probes::Whoami)],
        };
        let ops = vec![
            probe(by(Method::Sudo, "app", Some("wrong"))),
            probe(by(Method::Sudo, "nobody-there", Some("pw"))),
            step(by(Method::Sudo, "app", Some("pw")), sh("id -un")),
        ];
        let (ops, _, _) = ran(machine.run(change(ops)).await.unwrap());
        for (result, want) in ops.iter().zip(["password is wrong", "no user"]) {
            match result {
                OpResult::Observed(answers) => {
                    let why = answers[0].as_ref().unwrap_err();
                    assert!(why.0.contains(want), "{why}");
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(stdout(&ops[2]), "app");
    }
}

#[tokio::test]
async fn a_password_is_one_line() {
    for machine in machines() {
        let who = by(Method::Sudo, "app", Some("two\nlines"));
        let (why, _) = machine.refusal(who).await;
        assert!(why.contains("more than one line"), "{why}");
        let (ops, _, _) = ran(machine.run(look(Vec::new())).await.unwrap());
        assert!(ops.is_empty());
    }
}
