//! What is left of connections when nobody holds them any more: nothing. A program of its own, since
//! open files are counted.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "connection/server.rs"]
mod server;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use evenkeel_engine::Connection as _;
use evenkeel_ssh::{
    Endpoint, Family, HostKeys, Identity, KeyFiles, Methods, NoTerminal, Patience, Route,
    SshConnection, Strictness,
    known_hosts::{KnownHosts, Lookup},
};
use russh::keys::ssh_key::LineEnding;
use server::{Manners, Server, key};
use tokio::io::AsyncReadExt as _;

/// No test waits longer for anything.
const BOUND: Duration = Duration::from_secs(60);

fn route(dir: &Path, server: &Server) -> Route {
    let (known, file) = (dir.join("known"), dir.join("key"));
    let at = Lookup::new("127.0.0.1", server.port);
    fs::write(&known, KnownHosts::line_for(&at, key(1).public_key(), None)).unwrap();
    fs::write(&file, key(2).to_openssh(LineEnding::LF).unwrap().as_bytes()).unwrap();
    Route {
        command: None,
        shared: Arc::default(),
        gateways: Vec::new(),
        host: Endpoint {
            host: "127.0.0.1".to_owned(),
            port: server.port,
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
            host_keys: Arc::new(HostKeys::new([known])),
            strictness: Strictness::Yes,
        },
        patience: Patience::default(),
        key_files: Arc::new(KeyFiles::new(NoTerminal)),
    }
}

/// Runs a command and hears how it ends; or leaves in the middle of it.
async fn visit(connection: &SshConnection, to_the_end: bool) {
    let command = if to_the_end {
        "echo here"
    } else {
        "echo here; exec cat"
    };
    let Ok(mut channel) = connection.open(command).await else {
        return;
    };
    let mut said = [0; 4];
    let heard = channel.stdout.read_exact(&mut said).await;
    if to_the_end && heard.is_ok() {
        drop(channel.stdin);
        drop(channel.ended.await);
    }
}

/// The open files of this process, by what they are.
fn open_files() -> Vec<PathBuf> {
    let all = fs::read_dir("/proc/self/fd").unwrap();
    all.filter_map(|entry| fs::read_link(entry.unwrap().path()).ok())
        .collect()
}

#[tokio::test]
async fn connections_that_are_dropped_leave_no_open_file() {
    if !Path::new("/proc/self/fd").exists() {
        println!("skipped: this system does not list open files");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(Manners::default()).await;
    // What the first use opens for good (the runtime's signals, say) is no leak.
    visit(&SshConnection::new(route(dir.path(), &server)), true).await;
    let mut before = Vec::new();
    let begun = Instant::now();
    while before != open_files() && begun.elapsed() < BOUND {
        before = open_files();
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    for round in 0..24 {
        if round % 3 == 2 {
            // In the middle of a greeting, a key exchange, a login, an answer.
            server.cut_next(round * 150);
        }
        let connection = SshConnection::new(route(dir.path(), &server));
        tokio::time::timeout(BOUND, visit(&connection, round % 2 == 0))
            .await
            .unwrap();
    }
    assert!(server.connections() > 20);
    let begun = Instant::now();
    while open_files().len() > before.len() {
        assert!(
            begun.elapsed() < BOUND,
            "{before:#?} before, now {:#?}",
            open_files()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
