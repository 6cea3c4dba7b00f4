//! The host layer over a connection: one exchange is one script.
//!
//! The command line is the same for all: `sh -c 'eval "$(head -c N)"'`. The script comes over
//! stdin, then its data. What it prints is cut into parts by lines that begin with a nonce, so that
//! neither a noisy login shell nor the output of a program can be taken for an answer.

mod answer;
mod build;
mod quote;
mod sections;
mod steps;
mod text;
mod wire;

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;

use crate::{
    connection::Connection,
    host::{Exchange, Host, HostError, Reply, Stopping, Traffic},
    source::hex,
};

/// What all scripts of a host have in common, and the nonce of this one.
#[derive(Clone, Debug)]
struct SetUp {
    nonce: String,
    shell: String,
    root_dir: String,
}

/// A host that is reached over a [`Connection`] and needs nothing but `sh` and coreutils.
pub struct ScriptHost<C> {
    connection: C,
    shell: String,
    root_dir: String,
    limit: u64,
    exchanges: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
}

impl<C: Connection> ScriptHost<C> {
    /// A host at the other end of a connection.
    pub fn new(connection: C) -> Self {
        Self {
            connection,
            shell: "sh".into(),
            root_dir: "/var/lib/evenkeel".into(),
            limit: 256 * 1024 * 1024,
            exchanges: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
        }
    }

    /// The shell that runs the scripts, by default `sh`; one word.
    #[must_use]
    pub fn shell(mut self, program: impl Into<String>) -> Self {
        self.shell = program.into();
        self
    }

    /// Where root keeps the ledger, by default `/var/lib/evenkeel`.
    #[must_use]
    pub fn root_dir(mut self, dir: impl Into<String>) -> Self {
        self.root_dir = dir.into();
        self
    }

    /// How many bytes of an answer are taken before it counts as nonsense; by default 256 MiB.
    #[must_use]
    pub fn answer_limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    fn set_up(&self) -> Result<SetUp, HostError> {
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce)
            .map_err(|error| HostError::Garbled(format!("no random numbers: {error}")))?;
        Ok(SetUp {
            nonce: hex(&nonce),
            shell: self.shell.clone(),
            root_dir: self.root_dir.clone(),
        })
    }

    async fn send(&self, sent: &build::Sent) -> Result<wire::Received, HostError> {
        let command = format!(
            "exec {} -c 'eval \"$(head -c {})\"'",
            self.shell,
            sent.text.len()
        );
        let channel = self.connection.open(&command).await?;
        wire::carry(channel, sent, self.limit).await
    }
}

impl<C> fmt::Debug for ScriptHost<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptHost").finish_non_exhaustive()
    }
}

#[async_trait]
impl<C: Connection> Host for ScriptHost<C> {
    async fn exchange(&self, exchange: Exchange) -> Result<Reply, HostError> {
        let setup = self.set_up()?;
        let sent = build::exchange(&setup, &exchange)?;
        self.exchanges.fetch_add(1, Ordering::Relaxed);
        let received = self.send(&sent).await?;
        self.sent.fetch_add(received.sent, Ordering::Relaxed);
        self.received.fetch_add(received.bytes(), Ordering::Relaxed);
        answer::read(&setup, &exchange, &sent.groups, &received)
    }

    async fn stop(&self, stopping: &Stopping) -> Result<(), HostError> {
        let setup = self.set_up()?;
        let sent = build::stop(&setup, stopping)?;
        let received = self.send(&sent).await?;
        self.sent.fetch_add(received.sent, Ordering::Relaxed);
        self.received.fetch_add(received.bytes(), Ordering::Relaxed);
        answer::stopped(&setup, &received)
    }

    fn traffic(&self) -> Traffic {
        Traffic {
            exchanges: self.exchanges.load(Ordering::Relaxed),
            sent: self.sent.load(Ordering::Relaxed),
            received: self.received.load(Ordering::Relaxed),
        }
    }
}
