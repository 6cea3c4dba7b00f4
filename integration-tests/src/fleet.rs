//! Simulated hosts: SSH servers in this process, on loopback, that give `sh`. They need no root and no sshd.
//!
//! ```
//! use evenkeel_integration_tests::{Fleet, Scratch};
//!
//! let scratch = Scratch::new();
//! let fleet = Fleet::start(&scratch, 2);
//! scratch.file("site.yml", "
//! - hosts: all
//!   gather_facts: false
//!   tasks:
//!     - copy: {dest: '{{ host_home }}/greeting', content: 'hello'}
//! ");
//! scratch.run(&["-i", "inventory.ini"]).ok().changed(2);
//! assert_eq!(scratch.read("homes/h1/greeting"), "hello");
//! assert_eq!(fleet.logins(), 2);
//! ```
//!
//! They differ from each other in their port, their host key and their home directory, which is theirs alone and keeps
//! their ledger; otherwise all of them are this machine. `ada` logs in with a key, `eve` with [`PASSWORD`].

mod clients;
mod command;
mod guest;

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use russh::{
    MethodKind, MethodSet,
    keys::{PrivateKey, ssh_key::private::Ed25519Keypair},
    server::Config,
};
use tokio::runtime::{Builder, Runtime};

use self::guest::Guest;
use crate::Scratch;

/// What `eve` logs in with.
pub const PASSWORD: &str = "open sesame";

/// Hosts that run, until this is dropped.
#[derive(Debug)]
pub struct Fleet {
    _runtime: Runtime,
    ports: Vec<u16>,
    logins: Arc<AtomicUsize>,
}

/// A simulated host.
#[derive(Debug)]
struct Simulated {
    home: PathBuf,
    user_key: PrivateKey,
    logins: Arc<AtomicUsize>,
}

/// A key that is the same in every run.
fn key(of: &str, number: usize) -> PrivateKey {
    let mut seed = [0; 32];
    let number = number.to_be_bytes();
    for (to, from) in seed.iter_mut().zip(of.bytes().chain(number)) {
        *to = from;
    }
    Ed25519Keypair::from_seed(&seed).into()
}

impl Fleet {
    /// Starts `h1`, `h2` and so on. What their clients need is written into the scratch directory: `inventory.ini`,
    /// and in `.ssh` the settings, the key of `ada` and the keys of the hosts. Their homes are in `homes`.
    pub fn start(scratch: &Scratch, count: usize) -> Self {
        Self::within(&scratch.path(""), count)
    }

    /// The same, in any directory.
    pub fn within(dir: &Path, count: usize) -> Self {
        let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
        let logins = Arc::new(AtomicUsize::new(0));
        let mut ports = Vec::new();
        for number in 1..=count {
            let home = dir.join(format!("homes/h{number}"));
            fs::create_dir_all(&home).unwrap();
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            ports.push(listener.local_addr().unwrap().port());
            let host = Simulated {
                home,
                user_key: key("user", 0),
                logins: Arc::clone(&logins),
            };
            runtime.spawn(serve(listener, Arc::new(host), config(number)));
        }
        clients::write(dir, &ports);
        Self {
            _runtime: runtime,
            ports,
            logins,
        }
    }

    /// The port of a host, `1` being the first.
    pub fn port(&self, number: usize) -> u16 {
        self.ports[number - 1]
    }

    /// How often somebody was let in.
    pub fn logins(&self) -> usize {
        self.logins.load(Ordering::SeqCst)
    }

    /// The key of a host, as a line of known hosts has it: the kind and the key.
    pub fn host_key(number: usize) -> String {
        key("host", number).public_key().to_openssh().unwrap()
    }

    /// The fingerprint of the key of a host.
    pub fn fingerprint(number: usize) -> String {
        key("host", number)
            .fingerprint(russh::keys::HashAlg::Sha256)
            .to_string()
    }
}

fn config(number: usize) -> Arc<Config> {
    Arc::new(Config {
        methods: MethodSet::from(&[MethodKind::PublicKey, MethodKind::Password][..]),
        auth_rejection_time: Duration::ZERO,
        keys: vec![key("host", number)],
        nodelay: true,
        ..Config::default()
    })
}

async fn serve(listener: TcpListener, host: Arc<Simulated>, config: Arc<Config>) {
    listener.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let guest = Guest::new(Arc::clone(&host));
        let config = Arc::clone(&config);
        tokio::spawn(async move {
            // A client may leave at any moment.
            if let Ok(session) = russh::server::run_stream(config, stream, guest).await {
                drop(session.await);
            }
        });
    }
}
