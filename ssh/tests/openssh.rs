//! The system's `ssh` against a real sshd on loopback; skipped where they are not installed.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use evenkeel_engine::{Channel, Connection as _, host::HostError};
use evenkeel_ssh::{OpensshConnection, OpensshOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const SSHD: &str = "/usr/sbin/sshd";

/// An sshd for whoever runs the tests.
struct Sshd {
    child: Child,
    dir: tempfile::TempDir,
    port: u16,
}

impl Sshd {
    fn start() -> Option<Self> {
        let there = Path::new(SSHD).exists() && Command::new("ssh").arg("-V").output().is_ok();
        if !there {
            eprintln!("skipped: no `sshd` or no `ssh` here");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        for key in ["host", "user"] {
            let arguments = ["-q", "-t", "ed25519", "-N", "", "-f", &at(key)];
            assert!(
                Command::new("ssh-keygen")
                    .args(arguments)
                    .status()
                    .unwrap()
                    .success()
            );
        }
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let config = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\n\
             StrictModes no\nUsePAM no\n",
            at("host"),
            at("user.pub"),
        );
        fs::write(at("sshd_config"), config).unwrap();
        // Root's sshd wants it, and nothing makes it where no sshd runs as a service.
        drop(fs::create_dir_all("/run/sshd"));
        let child = Command::new(SSHD)
            .args(["-D", "-e", "-f", &at("sshd_config")])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let end = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < end, "sshd does not listen");
            std::thread::yield_now();
        }
        let host_key = fs::read_to_string(at("host.pub")).unwrap();
        fs::write(at("known_hosts"), format!("[127.0.0.1]:{port} {host_key}")).unwrap();
        fs::write(
            at("config"),
            format!(
                "Host sut\n HostName 127.0.0.1\n IdentityFile {}\n IdentitiesOnly yes\n \
                 UserKnownHostsFile {}\n GlobalKnownHostsFile none\n StrictHostKeyChecking yes\n",
                at("user"),
                at("known_hosts"),
            ),
        )
        .unwrap();
        Some(Self { child, dir, port })
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn options(&self) -> OpensshOptions {
        OpensshOptions {
            port: Some(self.port),
            config: Some(self.at("config")),
            temporary: self.dir.path().to_owned(),
            ..OpensshOptions::to("sut")
        }
    }

    /// The directories of masters that are left.
    fn masters(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.dir.path()).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.filter(|path| path.is_dir()).collect()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

async fn run(
    connection: &OpensshConnection,
    command: &str,
    input: &[u8],
) -> Result<(i32, Vec<u8>), HostError> {
    let Channel {
        mut stdin,
        mut stdout,
        ended,
        ..
    } = connection.open(command).await?;
    let mut out = Vec::new();
    let ((), read) = tokio::join!(
        async move {
            // What ends early reads no more; dropping it is the end of the input.
            drop(stdin.write_all(input).await);
        },
        stdout.read_to_end(&mut out),
    );
    read.unwrap();
    Ok((ended.await?, out))
}

#[tokio::test]
async fn commands_are_sessions_of_one_connection() {
    let Some(sshd) = Sshd::start() else { return };
    let connection = OpensshConnection::new(sshd.options());
    // More than any pipe holds, and every byte.
    let input: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    let (status, out) = run(&connection, "cat; exit 7", &input).await.unwrap();
    assert_eq!(status, 7);
    assert!(
        out == input,
        "{} of {} bytes came back",
        out.len(),
        input.len()
    );
    let ports = run(&connection, "echo $SSH_CONNECTION", b"").await.unwrap();
    assert_eq!(
        run(&connection, "echo $SSH_CONNECTION", b"").await.unwrap(),
        ports
    );
    assert_eq!(sshd.masters().len(), 1);
    drop(connection);
    assert_eq!(sshd.masters(), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_connection_that_is_lost_is_said_and_made_anew() {
    let Some(sshd) = Sshd::start() else { return };
    let connection = OpensshConnection::new(sshd.options());
    // The parent of the login shell is the process of sshd that holds the connection.
    let error = run(&connection, "kill -9 $PPID; cat", b"")
        .await
        .unwrap_err();
    assert!(matches!(error, HostError::Lost(_)), "{error}");
    assert_eq!(
        run(&connection, "echo again", b"").await.unwrap(),
        (0, b"again\n".to_vec())
    );
}

#[tokio::test]
async fn why_there_is_no_connection_is_told_apart() {
    let Some(sshd) = Sshd::start() else { return };
    let error = async |options| {
        let connection = OpensshConnection::new(options);
        run(&connection, "true", b"").await.unwrap_err()
    };
    let barred = |error: &HostError, part: &str| matches!(error, HostError::Barred { help, .. } if help.contains(part));

    // Nobody listens there.
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let refused = error(OpensshOptions {
        port: Some(free),
        ..sshd.options()
    })
    .await;
    assert!(
        matches!(&refused, HostError::Unreachable(why) if why.contains("refused")),
        "{refused}"
    );

    let wrong = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(sshd.at("other"))
        .status();
    assert!(wrong.unwrap().success());
    fs::copy(sshd.at("other.pub"), sshd.at("user.pub")).unwrap();
    let denied = error(sshd.options()).await;
    assert!(barred(&denied, "without a question"), "{denied:?}");

    fs::write(sshd.at("known_hosts"), "").unwrap();
    let unknown = error(sshd.options()).await;
    assert!(barred(&unknown, "call `ssh sut` once"), "{unknown:?}");

    let other = fs::read_to_string(sshd.at("other.pub")).unwrap();
    fs::write(
        sshd.at("known_hosts"),
        format!("[127.0.0.1]:{} {other}", sshd.port),
    )
    .unwrap();
    let changed = error(sshd.options()).await;
    assert!(barred(&changed, "ssh-keygen -R"), "{changed:?}");

    let missing = error(OpensshOptions {
        program: "no-ssh-here".into(),
        ..sshd.options()
    })
    .await;
    assert!(barred(&missing, "install OpenSSH"), "{missing:?}");
    assert_eq!(sshd.masters(), Vec::<PathBuf>::new());
}
