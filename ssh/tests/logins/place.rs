//! A directory with keys, and the sshd and agents that use them.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use evenkeel_ssh::{
    Ask, Endpoint, Family, HostKeys, Identity, KeyFiles, Methods, NoTerminal, Patience, Route,
    Strictness,
};
use tempfile::TempDir;

const SSHD: &str = "/usr/sbin/sshd";

/// Keys of a user and of hosts.
pub(crate) struct Place {
    dir: TempDir,
    /// Whoever runs the tests: sshd lets nobody else in.
    user: String,
}

/// A program that ends with the test.
pub(crate) struct Runs {
    child: Child,
    /// What it listens on.
    pub(crate) port: u16,
}

impl Place {
    /// One with a key `host` of hosts and a key `user`, that hosts know; none where OpenSSH is not installed.
    pub(crate) fn new() -> Option<Self> {
        let there = |program: &str| {
            let found = Command::new(program)
                .arg("-?")
                .stderr(Stdio::null())
                .output();
            found.is_ok()
        };
        if !Path::new(SSHD).exists() || !there("ssh-keygen") || !there("ssh-agent") {
            eprintln!("skipped: no `sshd` or no `ssh-agent` here");
            return None;
        }
        let me = Command::new("id").arg("-un").output().unwrap();
        let place = Self {
            dir: tempfile::tempdir().unwrap(),
            user: String::from_utf8(me.stdout).unwrap().trim().to_owned(),
        };
        place.key("host", &["-t", "ed25519"]);
        place.key("user", &["-t", "ed25519"]);
        place.lets_in(&["user"]);
        Some(place)
    }

    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// `ssh-keygen`, in this directory.
    pub(crate) fn keygen(&self, arguments: &[&str]) {
        let mut keygen = Command::new("ssh-keygen");
        keygen.arg("-q").args(arguments);
        keygen.current_dir(self.dir.path());
        assert!(keygen.status().unwrap().success(), "{keygen:?}");
    }

    /// A new key without a passphrase.
    pub(crate) fn key(&self, name: &str, arguments: &[&str]) {
        self.keygen(&[&["-N", "", "-f", name], arguments].concat());
    }

    /// Hosts let these keys in, and no others.
    pub(crate) fn lets_in(&self, names: &[&str]) {
        let keys = names.iter().map(|name| self.read(&format!("{name}.pub")));
        self.write("authorized", &keys.collect::<String>());
    }

    /// Starts an sshd, with more lines in its configuration, in which `%` is this directory. Its key is
    /// `host` if they name no other.
    pub(crate) fn sshd(&self, lines: &str) -> Runs {
        // Root's sshd wants it, and nothing makes it where no sshd runs as a service.
        drop(fs::create_dir_all("/run/sshd"));
        let mut text = format!(
            "{lines}\nAuthorizedKeysFile %/authorized\nPidFile none\nStrictModes no\nUsePAM no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        );
        if !lines.contains("HostKey ") {
            text += "HostKey %/host\n";
        }
        let text = text.replace('%', self.dir.path().to_str().unwrap());
        loop {
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = free.local_addr().unwrap().port();
            drop(free);
            let name = format!("sshd-{port}");
            self.write(&name, &format!("ListenAddress 127.0.0.1:{port}\n{text}"));
            let mut sshd = Command::new(SSHD);
            sshd.args(["-D", "-E"])
                .arg(self.path(&format!("{name}.log")));
            sshd.arg("-f").arg(self.path(&name));
            let mut runs = Runs::start(&mut sshd, port);
            if runs.stands(|| TcpStream::connect(("127.0.0.1", port)).is_ok()) {
                self.knows(port, "host");
                return runs;
            }
            // Somebody else may have taken the port; anything else is a mistake in the lines.
            let log = self.read(&format!("{name}.log"));
            assert!(log.contains("Address already in use"), "{log}\n{text}");
        }
    }

    /// Starts an agent that listens at `agent` and holds these keys.
    pub(crate) fn agent(&self, names: &[&str]) -> Runs {
        let socket = self.path("agent");
        drop(fs::remove_file(&socket));
        let mut agent = Command::new("ssh-agent");
        agent.arg("-D").arg("-a").arg(&socket);
        let mut runs = Runs::start(&mut agent, 0);
        assert!(runs.stands(|| UnixStream::connect(&socket).is_ok()));
        for name in names {
            self.ssh_add(&[self.path(name).to_str().unwrap()], "");
        }
        runs
    }

    /// `ssh-add`, that gives words if it is asked.
    pub(crate) fn ssh_add(&self, arguments: &[&str], words: &str) {
        let script = "#!/bin/sh\necho \"$WORDS\"\n";
        self.write("ask", script);
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        fs::set_permissions(self.path("ask"), open).unwrap();
        let mut add = Command::new("ssh-add");
        add.arg("-q").args(arguments).env("WORDS", words);
        add.env("SSH_AUTH_SOCK", self.path("agent"));
        add.env("SSH_ASKPASS", self.path("ask"))
            .env("SSH_ASKPASS_REQUIRE", "force");
        add.env("DISPLAY", "none")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        assert!(add.status().unwrap().success(), "{add:?}");
    }

    /// The user knows that a host has this key.
    pub(crate) fn knows(&self, port: u16, key: &str) {
        let known = fs::read_to_string(self.path("known")).unwrap_or_default();
        let key = self.read(&format!("{key}.pub"));
        self.write("known", &format!("{known}[127.0.0.1]:{port} {key}"));
    }

    /// The way to a host with these keys and nothing else.
    pub(crate) fn route(&self, sshd: &Runs, keys: &[&str]) -> Route {
        Route {
            command: None,
            gateways: Vec::new(),
            host: self.endpoint(sshd, keys),
            patience: Patience {
                connect: Duration::from_secs(30),
                ..Patience::default()
            },
            key_files: Arc::new(KeyFiles::new(NoTerminal)),
            shared: Arc::default(),
        }
    }

    pub(crate) fn endpoint(&self, sshd: &Runs, keys: &[&str]) -> Endpoint {
        Endpoint {
            host: "127.0.0.1".to_owned(),
            port: sshd.port,
            family: Family::Any,
            bind: None,
            key_alias: None,
            user: self.user.clone(),
            identities: self.identities(keys),
            certificates: Vec::new(),
            agent: None,
            identities_only: false,
            password: None,
            methods: Methods::default(),
            host_keys: Arc::new(HostKeys::new([self.path("known")])),
            strictness: Strictness::Yes,
        }
    }

    pub(crate) fn identities(&self, names: &[&str]) -> Vec<Identity> {
        let names = names.iter().map(|name| Identity {
            file: self.path(name),
            named: true,
        });
        names.collect()
    }
}

impl Runs {
    fn start(command: &mut Command, port: u16) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn().unwrap();
        Self { child, port }
    }

    /// Waits until something is so; not if it ends before that.
    fn stands(&mut self, mut is_so: impl FnMut() -> bool) -> bool {
        let end = Instant::now() + Duration::from_secs(30);
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < end, "it does not listen");
            if is_so() {
                return true;
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
        false
    }
}

impl Drop for Runs {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Somebody who answers, and counts how often.
#[derive(Clone, Debug)]
pub(crate) struct Somebody {
    words: &'static str,
    asked: Arc<std::sync::atomic::AtomicUsize>,
}

impl Somebody {
    pub(crate) fn says(words: &'static str) -> Self {
        Self {
            words,
            asked: Arc::default(),
        }
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(std::sync::atomic::Ordering::SeqCst)
    }
}

impl Ask for Somebody {
    fn passphrase(&self, _: &Path) -> Option<evenkeel_engine::Secret> {
        self.asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Some(evenkeel_engine::Secret::new(self.words))
    }
}
