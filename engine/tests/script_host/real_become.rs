//! Passwords for the real sudo, su and doas of this machine, which see an `/etc` of our own: in a
//! mount namespace, so that nothing of the machine is changed. Needs root.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{PermissionsExt as _, chown},
    process::Command,
};

use evenkeel_engine::{
    Action, Identity, LocalConnection, Method, Run, ScriptHost, Secret,
    host::{Exchange, Host as _, HostError, LedgerPlace, LongStep, Op, OpResult, StepEnd},
};

use crate::support::{change, is_root, ran, sh, text};

/// The accounts: `ek` logs in, `ekapp` has a password, `ekoff` has neither that nor a shell.
const PASSWD: &str = "ek:x:64711:64711::HOME:/bin/bash
ekapp:x:64712:64712::/nonexistent:/bin/sh
ekoff:x:64713:64713::/:/usr/sbin/nologin
";
const GROUP: &str = "ek:x:64711:\nekapp:x:64712:\nekoff:x:64713:\n";
/// `login-pw`, `app-pw`, `root-pw`.
const LOGIN: &str = "$6$evenkeel$zSc4CIn89hcMGLieCqf79wn7lKxmXYgxKAWYN/apBhS/0iSErR9P9dak5vPj78YGZ8PNkaPT5Th31kiP.CwQY1";
const APP: &str = "$6$evenkeel$PSYh1HOadCIOSbGCfD90n76SY1SjkwklvPAXAYrQ/FzKUD0.L.aTbGcwFC9QxyxZ9dSHSJFuzrvFmZZTKUV4V/";
const ROOT: &str = "$6$evenkeel$TRodMmBk.9LvbZcYNy3mvfQIKhgBnM.kfc5M.VWwY28wHxprpYCyXrTIyO0PwzB7C9tH3Sv9bnVbn8JCS2p4R/";

struct Real {
    host: ScriptHost<LocalConnection>,
    /// Removed with the last test of it.
    _dir: tempfile::TempDir,
}

impl Real {
    /// A machine with these lines in sudoers.
    fn new(shell: &'static str, sudoers: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let copied = Command::new("cp")
            .args(["-a", "/etc", &path("etc")])
            .status();
        assert!(copied.unwrap().success());
        fs::create_dir(path("home")).unwrap();
        chown(path("home"), Some(64711), Some(64711)).unwrap();
        let append = |name: &str, text: &str| {
            let file = fs::OpenOptions::new()
                .append(true)
                .create(true)
                .open(path(name));
            file.unwrap().write_all(text.as_bytes()).unwrap();
        };
        append("etc/passwd", &PASSWD.replace("HOME", &path("home")));
        append("etc/group", GROUP);
        let shadow = fs::read_to_string(path("etc/shadow")).unwrap();
        let others = shadow.lines().filter(|line| !line.starts_with("root:"));
        let mut lines: Vec<String> = others.map(str::to_owned).collect();
        for (name, hash) in [
            ("root", ROOT),
            ("ek", LOGIN),
            ("ekapp", APP),
            ("ekoff", "!"),
        ] {
            lines.push(format!("{name}:{hash}:19000:0:99999:7:::"));
        }
        let shadow = lines.join("\n") + "\n";
        fs::write(path("etc/shadow"), shadow).unwrap();
        append("etc/sudoers", sudoers);
        fs::write(path("etc/doas.conf"), "permit ek\n").unwrap();
        fs::set_permissions(path("etc/doas.conf"), fs::Permissions::from_mode(0o600)).unwrap();
        let login = format!(
            "#!/bin/sh\nexec unshare -m --propagation private sh -c 'mount --bind {etc} /etc && {{ mkdir -p /run/sudo; mount -t tmpfs none /run/sudo; }} && exec \
             setpriv --reuid 64711 --regid 64711 --clear-groups --reset-env {shell} -c \"$1\"' sh \
             \"$2\"\n",
            etc = path("etc"),
        );
        fs::write(path("login"), login).unwrap();
        fs::set_permissions(path("login"), fs::Permissions::from_mode(0o755)).unwrap();
        let host = ScriptHost::new(LocalConnection::new().shell(path("login")))
            .shell(shell)
            .root_dir(path("root ledger"));
        Self { host, _dir: dir }
    }

    async fn refusal(&self, who: Identity) -> String {
        let exchange = change(vec![step(who, sh("true"), None)]);
        match self.host.exchange(exchange).await {
            Err(HostError::Privilege { why, .. }) => why,
            other => panic!("{other:?}"),
        }
    }
}

fn by(method: Method, user: &str, password: Option<&str>) -> Identity {
    Identity {
        method,
        secret: password.map(Secret::new),
        ..Identity::user(user)
    }
}

fn step(who: Identity, action: Action, long: Option<String>) -> Op {
    Op::Step {
        who,
        env: Vec::new(),
        action: Box::new(action),
        long,
        effects: Vec::new(),
        on_failure: None,
    }
}

fn reads() -> Action {
    let mut run = Run::new(["sh", "-c", "id -un; umask; cat"]);
    run.stdin = "data\0\u{4}\r\n".into();
    run.seconds = Some(60);
    Action::Run(run)
}

fn ways() -> Vec<Identity> {
    let mut ways = vec![
        by(Method::Sudo, "root", Some("login-pw")),
        by(Method::Sudo, "ekapp", Some("login-pw")),
        by(Method::Sudo, "ekoff", Some("login-pw")),
        Identity {
            flags: vec!["-i".into()],
            ..by(Method::Sudo, "ekapp", Some("login-pw"))
        },
        by(Method::Su, "ekapp", Some("app-pw")),
        by(Method::Su, "root", Some("root-pw")),
    ];
    if fs::exists("/usr/bin/doas").unwrap() {
        ways.push(by(Method::Doas, "root", Some("login-pw")));
        ways.push(by(Method::Doas, "ekapp", Some("login-pw")));
    }
    ways
}

const SUDOERS: [&str; 3] = [
    "ek ALL=(ALL:ALL) ALL\n",
    "Defaults requiretty\nDefaults !use_pty\nDefaults lecture=always\nek ALL=(ALL:ALL) ALL\n",
    "Defaults requiretty\nDefaults use_pty\nDefaults timestamp_type=global\nek ALL=(ALL:ALL) ALL\n",
];

#[tokio::test]
#[ignore = "needs root, sudo and su"]
async fn all_ways_with_passwords_in_one_exchange() {
    if !is_root() {
        return;
    }
    for (shell, sudoers) in ["dash", "bash", "dash"].into_iter().zip(SUDOERS) {
        let real = Real::new(shell, sudoers);
        let mut ops = Vec::new();
        for (index, who) in ways().into_iter().enumerate() {
            ops.push(step(who.clone(), reads(), None));
            ops.push(step(who, reads(), Some(format!("l{index}"))));
        }
        ops.push(Op::Release);
        let exchange = change(ops);
        let (results, _, _) = ran(real.host.exchange(exchange).await.unwrap());
        for (index, (who, results)) in ways().iter().zip(results.chunks(2)).enumerate() {
            let want = format!("{}\n0022\ndata\0\u{4}\r\n", who.user.as_deref().unwrap());
            match &results[0] {
                OpResult::Stepped(StepEnd::Ok(done)) => assert_eq!(text(&done.stdout), want),
                other => panic!("{who:?} {sudoers}: {other:?}"),
            }
            let wait = Op::Await {
                long: vec![format!("l{index}")],
                millis: 60_000,
            };
            let (ended, _, _) = ran(real.host.exchange(change(vec![wait])).await.unwrap());
            match &ended[0] {
                OpResult::Awaited(steps) => match &steps[0] {
                    LongStep::Ended(StepEnd::Ok(done)) => assert_eq!(text(&done.stdout), want),
                    other => panic!("{who:?} {sudoers}: {other:?}"),
                },
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test]
#[ignore = "needs root, sudo and su"]
async fn refusals_are_told() {
    if !is_root() {
        return;
    }
    let real = Real::new("dash", SUDOERS[0]);
    for who in ways() {
        let wrong = Identity {
            secret: Some(Secret::new("wrong")),
            ..who.clone()
        };
        let why = real.refusal(wrong).await;
        assert!(why.contains("password is wrong"), "{who:?}: {why}");
        let why = real
            .refusal(Identity {
                secret: None,
                ..who.clone()
            })
            .await;
        assert!(why.contains("none was given"), "{who:?}: {why}");
        let missing = Identity {
            user: Some("no-such-user".into()),
            ..who.clone()
        };
        let why = real.refusal(missing).await;
        assert!(why.contains("no user `no-such-user`"), "{who:?}: {why}");
    }
    let forbidden = Real::new("bash", "");
    let why = forbidden
        .refusal(by(Method::Sudo, "root", Some("login-pw")))
        .await;
    assert!(why.contains("does not allow it"), "{why}");
}

#[tokio::test]
#[ignore = "needs root, sudo and su"]
async fn root_becomes_another_without_a_password() {
    if !is_root() {
        return;
    }
    for root in ways().into_iter().filter(Identity::is_root) {
        let real = Real::new("dash", SUDOERS[0]);
        let other = by(root.method, "ekapp", None);
        let exchange = Exchange {
            place: LedgerPlace::Root(root.clone()),
            ..change(vec![step(root, reads(), None), step(other, reads(), None)])
        };
        let (results, _, _) = ran(real.host.exchange(exchange).await.unwrap());
        for (result, user) in results.iter().zip(["root", "ekapp"]) {
            match result {
                OpResult::Stepped(StepEnd::Ok(done)) => {
                    assert!(text(&done.stdout).starts_with(user));
                }
                other => panic!("{other:?}"),
            }
        }
    }
}
