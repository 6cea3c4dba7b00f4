//! The connection against a server in this process: no root, no machine but this one.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod server;
mod several;

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use evenkeel_engine::{Channel, Connection as _, Secret, host::HostError};
use evenkeel_ssh::{
    Endpoint, Family, HostKeys, Identity, KeyFiles, Methods, NoTerminal, Patience, Route,
    SshConnection, Strictness,
    known_hosts::{KnownHosts, Lookup},
};
use russh::keys::{PrivateKey, ssh_key::LineEnding};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use server::{Manners, Server, key};

/// No test waits longer for anything.
const BOUND: Duration = Duration::from_secs(60);

/// Files of a user who may log in with key 2 and knows servers with key 1.
struct User {
    dir: TempDir,
}

impl User {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write_key(&self, name: &str, key: &PrivateKey) -> PathBuf {
        let path = self.path(name);
        let text = key.to_openssh(LineEnding::LF).unwrap();
        fs::write(&path, text.as_bytes()).unwrap();
        path
    }

    fn knows(&self, port: u16, key: &PrivateKey) {
        let line = KnownHosts::line_for(&Lookup::new("127.0.0.1", port), key.public_key(), None);
        let mut text = fs::read_to_string(self.path("known")).unwrap_or_default();
        text += &line;
        fs::write(self.path("known"), text).unwrap();
    }

    /// The way to a server that is known.
    fn route(&self, server: &Server) -> Route {
        self.knows(server.port, &key(1));
        self.stranger(server.port)
    }

    /// The way to whatever listens there.
    fn stranger(&self, port: u16) -> Route {
        let file = self.write_key("key", &key(2));
        Route {
            command: None,
            gateways: Vec::new(),
            host: self.endpoint(port, file),
            patience: Patience {
                connect: Duration::from_secs(20),
                again: Duration::from_secs(20),
                ..Patience::default()
            },
            key_files: Arc::new(KeyFiles::new(NoTerminal)),
            shared: Arc::default(),
        }
    }

    fn endpoint(&self, port: u16, file: PathBuf) -> Endpoint {
        Endpoint {
            host: "127.0.0.1".to_owned(),
            port,
            family: Family::Any,
            bind: None,
            key_alias: None,
            user: "ada".to_owned(),
            identities: vec![Identity { file, named: true }],
            certificates: Vec::new(),
            agent: None,
            identities_only: false,
            password: None,
            methods: Methods::default(),
            host_keys: Arc::new(HostKeys::new([self.path("known")])),
            strictness: Strictness::Yes,
        }
    }
}

struct Ended {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    status: Result<i32, HostError>,
}

async fn finish(channel: Channel, input: &[u8]) -> Ended {
    let Channel {
        mut stdin,
        mut stdout,
        mut stderr,
        ended,
    } = channel;
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let all = async {
        let feed = async {
            drop(stdin.write_all(input).await);
            drop(stdin.shutdown().await);
        };
        let ((), a, b) = tokio::join!(
            feed,
            stdout.read_to_end(&mut out),
            stderr.read_to_end(&mut err)
        );
        a.unwrap();
        b.unwrap();
        ended.await
    };
    let status = timeout(BOUND, all).await.expect("it ends");
    Ended {
        stdout: out,
        stderr: err,
        status,
    }
}

async fn say(connection: &SshConnection, command: &str, input: &[u8]) -> Result<Ended, HostError> {
    let opened = timeout(BOUND, connection.open(command))
        .await
        .expect("it opens or not");
    Ok(finish(opened?, input).await)
}

/// Why there is no way, and what to do.
async fn barred(route: Route) -> (String, String) {
    match say(&SshConnection::new(route), "true", b"").await {
        Err(HostError::Barred { why, help }) => (why, help),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it let us in"),
    }
}

#[tokio::test]
async fn streams_and_status() {
    let (user, server) = (User::new(), Server::start(Manners::default()).await);
    let connection = SshConnection::new(user.route(&server));
    let ended = say(&connection, "cat; echo oops >&2; exit 3", b"hello")
        .await
        .unwrap();
    assert_eq!(ended.stdout, b"hello");
    assert_eq!(ended.stderr, b"oops\n");
    assert_eq!(ended.status, Ok(3));
    let killed = say(&connection, "kill -KILL $$", b"").await.unwrap();
    assert_eq!(killed.status, Ok(137));
    // A script that wants no more of its input must not hang its writer.
    let early = say(&connection, "exit 0", &vec![0; 8 << 20]).await.unwrap();
    assert_eq!(early.status, Ok(0));
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn much_goes_both_ways() {
    let (user, server) = (User::new(), Server::start(Manners::default()).await);
    let connection = SshConnection::new(user.route(&server));
    let much: Vec<u8> = (0..24_u32 << 20).map(|at| (at / 7 % 251) as u8).collect();
    let ended = say(&connection, "cat", &much).await.unwrap();
    assert!(ended.stdout == much, "{} bytes", ended.stdout.len());
    assert_eq!(ended.status, Ok(0));
}

#[tokio::test]
async fn one_channel_at_a_time_is_enough_and_who_cannot_wait_gets_another_connection() {
    let server = Server::start(Manners {
        sessions: 1,
        ..Manners::default()
    })
    .await;
    let user = User::new();
    let connection = SshConnection::new(user.route(&server));
    for _ in 0..3 {
        assert_eq!(say(&connection, "true", b"").await.unwrap().status, Ok(0));
    }
    assert_eq!(server.connections(), 1);
    let busy = connection.open("cat").await.unwrap();
    assert_eq!(say(&connection, "exit 4", b"").await.unwrap().status, Ok(4));
    assert_eq!(server.connections(), 2);
    assert_eq!(finish(busy, b"x").await.stdout, b"x");
}

#[tokio::test]
async fn a_link_that_is_cut_is_said_and_made_again() {
    let (user, server) = (User::new(), Server::start(Manners::default()).await);
    let connection = SshConnection::new(user.route(&server));
    // Enough for the login, not for the answer.
    server.cut_next(100_000);
    let ended = say(&connection, "head -c 1000000 /dev/zero", b"")
        .await
        .unwrap();
    assert!(
        matches!(ended.status, Err(HostError::Lost(_))),
        "{:?}",
        ended.status
    );
    let again = say(&connection, "echo back", b"").await.unwrap();
    assert_eq!(again.stdout, b"back\n");
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_connection_that_breaks_at_any_byte_of_its_beginning_is_tried_again() {
    let (user, server) = (User::new(), Server::start(Manners::default()).await);
    for after in [0, 1, 20, 60, 700, 1200, 1800, 2200] {
        server.cut_next(after);
        let connection = SshConnection::new(user.route(&server));
        let ended = say(&connection, "echo in", b"").await;
        let ended = match ended {
            Ok(ended) if ended.status.is_err() => say(&connection, "echo in", b"").await,
            other => other,
        };
        assert_eq!(ended.unwrap().stdout, b"in\n", "cut after {after}");
    }
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    let server = Server::start(Manners {
        mute: true,
        ..Manners::default()
    })
    .await;
    let user = User::new();
    let mut route = user.route(&server);
    route.patience.connect = Duration::from_millis(300);
    let error = say(&SshConnection::new(route), "true", b"")
        .await
        .err()
        .unwrap();
    assert!(
        matches!(&error, HostError::Barred { why, .. } if why.contains("no answer within")),
        "{error}"
    );
}

#[tokio::test]
async fn passwords() {
    for asks in [false, true] {
        let server = Server::start(Manners {
            keys: Vec::new(),
            password: Some("open sesame"),
            asks,
            ..Manners::default()
        })
        .await;
        let user = User::new();
        let mut route = user.route(&server);
        route.host.password = Some(Secret::new("open sesame"));
        let ended = say(&SshConnection::new(route.clone()), "exit 5", b"")
            .await
            .unwrap();
        assert_eq!(ended.status, Ok(5));
        route.host.password = Some(Secret::new("wrong"));
        let (why, help) = barred(route.clone()).await;
        let method = if asks {
            "keyboard-interactive"
        } else {
            "password"
        };
        assert!(why.contains("`ada` was not let in"), "{why}");
        assert!(why.contains(&format!("The host takes {method}")), "{why}");
        assert!(why.contains("the password"), "{why}");
        assert!(!why.contains("wrong"), "{why}");
        assert!(help.contains("ansible_password"), "{help}");
        route.host.password = None;
        let (_, help) = barred(route).await;
        assert!(help.contains("this host wants a password"), "{help}");
    }
}

#[tokio::test]
async fn a_key_that_is_refused_is_named() {
    let (user, server) = (User::new(), Server::start(Manners::default()).await);
    let mut route = user.route(&server);
    let other = user.write_key("other", &key(3));
    let missing = user.path("missing");
    route.host.identities = [&other, &missing]
        .map(|file| Identity {
            file: file.clone(),
            named: true,
        })
        .to_vec();
    let (why, help) = barred(route).await;
    let print = key(3).fingerprint(russh::keys::HashAlg::Sha256).to_string();
    assert!(why.contains("The host takes publickey"), "{why}");
    assert!(why.contains(&print), "{why}");
    assert!(
        why.contains(&format!(
            "key `{}`: there is no such file",
            missing.display()
        )),
        "{why}"
    );
    assert!(help.contains("authorized_keys"), "{help}");
}

#[tokio::test]
async fn a_key_that_two_files_hold_is_offered_once() {
    let (user, server) = (User::new(), Server::start(Manners::default()).await);
    let mut route = user.route(&server);
    let same = ["one", "two"].map(|name| user.write_key(name, &key(3)));
    let files = [&same[0], &same[0], &same[1]];
    route.host.identities = files
        .map(|file| Identity {
            file: file.clone(),
            named: true,
        })
        .to_vec();
    let (why, _) = barred(route).await;
    let print = key(3).fingerprint(russh::keys::HashAlg::Sha256).to_string();
    assert_eq!(why.matches(&print).count(), 1, "{why}");
}

#[tokio::test]
async fn hosts_that_are_not_known() {
    let (user, server) = (User::new(), Server::start(Manners::default()).await);
    let mut route = user.stranger(server.port);
    let print = key(1).fingerprint(russh::keys::HashAlg::Sha256).to_string();
    let (why, help) = barred(route.clone()).await;
    assert!(
        why.contains("its key is not known") && why.contains(&print),
        "{why}"
    );
    assert!(
        help.contains("ssh-keyscan -p") && help.contains("accept-new"),
        "{help}"
    );
    assert!(!user.path("known").exists());
    route.host.strictness = Strictness::AcceptNew;
    let ended = say(&SshConnection::new(route.clone()), "exit 6", b"")
        .await
        .unwrap();
    assert_eq!(ended.status, Ok(6));
    let text = fs::read_to_string(user.path("known")).unwrap();
    assert!(
        text.starts_with(&format!("[127.0.0.1]:{} ssh-ed25519 ", server.port)),
        "{text}"
    );
    route.host.strictness = Strictness::Yes;
    let ended = say(&SshConnection::new(route), "exit 7", b"")
        .await
        .unwrap();
    assert_eq!(ended.status, Ok(7));
}

#[tokio::test]
async fn a_key_that_has_changed_or_is_revoked() {
    let (user, server) = (User::new(), Server::start(Manners::default()).await);
    let mut route = user.stranger(server.port);
    user.knows(server.port, &key(9));
    for strictness in [Strictness::Yes, Strictness::AcceptNew] {
        route.host.strictness = strictness;
        let (why, help) = barred(route.clone()).await;
        let place = format!("{}:1", user.path("known").display());
        assert!(why.contains("CHANGED") && why.contains(&place), "{why}");
        assert!(help.contains("ssh-keygen -f"), "{help}");
    }
    let text = key(1).public_key().to_openssh().unwrap();
    fs::write(user.path("known"), format!("@revoked * {text}\n")).unwrap();
    route.host.host_keys = Arc::new(HostKeys::new([user.path("known")]));
    let (why, _) = barred(route).await;
    assert!(why.contains("REVOKED") && why.contains("known:1"), "{why}");
}

#[tokio::test]
async fn through_two_gateways() {
    let gate = || Manners {
        forwards: true,
        ..Manners::default()
    };
    let (first, second) = (Server::start(gate()).await, Server::start(gate()).await);
    let (user, server) = (User::new(), Server::start(Manners::default()).await);
    let mut route = user.route(&server);
    for gateway in [&first, &second] {
        user.knows(gateway.port, &key(1));
        let hop = user.endpoint(gateway.port, user.path("key"));
        route.gateways.push(hop);
    }
    let connection = SshConnection::new(route.clone());
    let ended = say(&connection, "echo through", b"").await.unwrap();
    assert_eq!(ended.stdout, b"through\n");
    assert_eq!(
        (
            first.connections(),
            second.connections(),
            server.connections()
        ),
        (1, 1, 1)
    );
    // A gateway whose key has changed is as bad as a host whose key has.
    route.gateways[1].host_keys = Arc::new(HostKeys::new([]));
    let (why, _) = barred(route.clone()).await;
    let name = format!(
        "gateway `127.0.0.1 port {}`: its key is not known",
        second.port
    );
    assert!(why.starts_with(&name), "{why}");
    // A dead one is named.
    route.gateways[0].port = 1;
    let error = say(&SshConnection::new(route), "true", b"")
        .await
        .err()
        .unwrap();
    let text = error.to_string();
    assert!(
        text.starts_with(
            "cannot be reached: gateway `127.0.0.1 port 1`: 127.0.0.1:1: connection refused"
        ),
        "{text}"
    );
}

/// So many connections at once on one way, on each of which a command ends with 5.
async fn all(route: &Route, count: usize) -> Vec<Result<Result<i32, HostError>, HostError>> {
    let mut each = Vec::new();
    for _ in 0..count {
        let connection = SshConnection::new(route.clone());
        each.push(tokio::spawn(async move {
            let ended = say(&connection, "exit 5", b"").await;
            ended.map(|ended| ended.status)
        }));
    }
    let mut ended = Vec::new();
    for one in each {
        ended.push(one.await.unwrap());
    }
    ended
}

#[tokio::test]
async fn hosts_behind_one_gateway_share_the_connection_to_it() {
    let gate = Server::start(Manners {
        forwards: true,
        ..Manners::default()
    })
    .await;
    let (user, server) = (User::new(), Server::start(Manners::default()).await);
    let mut route = user.route(&server);
    user.knows(gate.port, &key(1));
    route.gateways = vec![user.endpoint(gate.port, user.path("key"))];
    assert_eq!(all(&route, 5).await, [const { Ok(Ok(5)) }; 5]);
    assert_eq!((gate.connections(), server.connections()), (1, 5));

    // Who trusts other keys does not get a connection that somebody else trusts.
    let mut doubtful = route.clone();
    doubtful.gateways[0].host_keys = Arc::new(HostKeys::new([]));
    let (why, _) = barred(doubtful).await;
    assert!(why.contains("its key is not known"), "{why}");

    // A dead one is asked for once for all who wait, and not once for each.
    let before = gate.connections();
    let mute = Server::start(Manners {
        mute: true,
        ..Manners::default()
    })
    .await;
    user.knows(mute.port, &key(1));
    let mut nowhere = route.clone();
    nowhere.patience.connect = Duration::from_millis(300);
    nowhere.gateways = vec![user.endpoint(mute.port, user.path("key"))];
    nowhere.gateways[0].host_keys = Arc::clone(&route.gateways[0].host_keys);
    for ended in all(&nowhere, 3).await {
        let error = ended.err().unwrap().to_string();
        assert!(error.contains("no answer within"), "{error}");
    }
    assert_eq!((gate.connections(), mute.connections()), (before, 1));
}

#[tokio::test]
async fn a_command_may_lead_there() {
    let (user, server) = (User::new(), Server::start(Manners::default()).await);
    let mut route = user.route(&server);
    route.command = Some(format!(
        "exec bash -c 'exec 3<>/dev/tcp/127.0.0.1/{}; cat <&3 & cat >&3'",
        server.port
    ));
    let connection = SshConnection::new(route);
    assert_eq!(say(&connection, "exit 8", b"").await.unwrap().status, Ok(8));
}
