//! The host layer over a connection: one exchange is one script.
//!
//! The command line is the same for all: `sh -c 'eval "$(head -c N)"'`. The script comes over
//! stdin, then its data. What it prints is cut into parts by lines that begin with a nonce, so that
//! neither a noisy login shell nor the output of a program can be taken for an answer.

mod answer;
mod batch;
mod build;
mod denied;
mod quote;
mod sections;
mod steps;
mod text;
mod wire;

use std::{
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;

use crate::{
    connection::Connection,
    host::{Exchange, Host, HostError, Op, Recall, Reply, Stopping, Traffic},
    source::hex,
    step::{Action, Run},
};

/// What all scripts of a host have in common, and the nonce of this one.
#[derive(Clone, Debug)]
struct SetUp {
    nonce: String,
    shell: String,
    root_dir: String,
    /// Where relative paths and programs start.
    work_dir: Option<String>,
}

impl SetUp {
    /// What ends the lines that a section drops. It shows in argument lists, so it must not tell the
    /// nonce.
    fn mark(&self) -> String {
        let sum = crate::source::sha256(self.nonce.as_bytes());
        hex(&sum[..16])
    }
}

/// A host that is reached over a [`Connection`] and needs nothing but `sh` and coreutils.
pub struct ScriptHost<C> {
    connection: C,
    shell: String,
    root_dir: String,
    work_dir: Option<String>,
    limit: u64,
    /// The last exchange with steps.
    last: Mutex<Option<answer::Sendings>>,
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
            work_dir: None,
            limit: 256 * 1024 * 1024,
            last: Mutex::new(None),
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

    /// Where relative paths and programs start, for whoever may go there; by default, and for others, their home.
    #[must_use]
    pub fn work_dir(mut self, dir: impl Into<String>) -> Self {
        self.work_dir = Some(dir.into());
        self
    }

    /// How many bytes of an answer are taken before it counts as nonsense; by default 256 MiB.
    #[must_use]
    pub fn answer_limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Option<answer::Sendings>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_up(&self) -> Result<SetUp, HostError> {
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce)
            .map_err(|error| HostError::Garbled(format!("no random numbers: {error}")))?;
        Ok(SetUp {
            nonce: hex(&nonce),
            shell: self.shell.clone(),
            root_dir: self.root_dir.clone(),
            work_dir: self.work_dir.clone(),
        })
    }

    async fn send(&self, sent: &build::Sent) -> Result<wire::Received, HostError> {
        // The parent of a script is what the lock of a host counts as its holder: with `exec` it is not
        // the login's shell, which ends with the script, but what lives as long as the connection.
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
        if exchange.acts() && exchange.lock.is_some() {
            *self.last() = Some((setup.nonce.clone(), sent.groups.clone()));
        }
        self.exchanges.fetch_add(1, Ordering::Relaxed);
        let bound = patience(&exchange) + carriage(sent.bytes());
        let received = within(bound, self.send(&sent)).await?;
        self.sent.fetch_add(received.sent, Ordering::Relaxed);
        self.received.fetch_add(received.bytes(), Ordering::Relaxed);
        answer::read(&setup, &exchange, &sent.groups, &received)
    }

    async fn recall(&self, lost: &Exchange) -> Result<Recall, HostError> {
        let Some(last) = self.last().clone() else {
            return Ok(Recall::Never);
        };
        let setup = self.set_up()?;
        let sent = build::recall(&setup, lost, &last.0)?;
        self.exchanges.fetch_add(1, Ordering::Relaxed);
        let received = within(LOOK, self.send(&sent)).await?;
        self.sent.fetch_add(received.sent, Ordering::Relaxed);
        self.received.fetch_add(received.bytes(), Ordering::Relaxed);
        answer::recalled(&setup, lost, &last, &received)
    }

    async fn stop(&self, stopping: &Stopping) -> Result<(), HostError> {
        let setup = self.set_up()?;
        let sent = build::stop(&setup, stopping)?;
        let received = within(LOOK, self.send(&sent)).await?;
        self.sent.fetch_add(received.sent, Ordering::Relaxed);
        self.received.fetch_add(received.bytes(), Ordering::Relaxed);
        answer::stopped(&setup, &stopping.place, &received)
    }

    fn traffic(&self) -> Traffic {
        Traffic {
            exchanges: self.exchanges.load(Ordering::Relaxed),
            sent: self.sent.load(Ordering::Relaxed),
            received: self.received.load(Ordering::Relaxed),
        }
    }
}

/// How long a host may take for the questions of one operation: a dead network file system must not
/// hang a run.
const LOOK: Duration = Duration::from_secs(300);

/// How long a host may take for an action on files, which copies at most some gigabytes.
const FILES: Duration = Duration::from_secs(600);

/// How long a host may take for an exchange: the sum of the bounds of all that is in it.
fn patience(exchange: &Exchange) -> Duration {
    let of = |op: &Op| match op {
        Op::Observe { .. } | Op::Guard { .. } => LOOK,
        Op::Await { millis, .. } => Duration::from_millis(*millis),
        Op::Drop { .. } => FILES,
        Op::Step {
            long: None, action, ..
        } => match action.as_ref() {
            Action::Run(Run {
                seconds: Some(seconds),
                ..
            }) => Duration::from_secs(*seconds),
            Action::Run(Run { seconds: None, .. }) => UNBOUNDED,
            Action::Settle { millis, .. } => Duration::from_millis(*millis),
            _ => FILES,
        },
        _ => Duration::ZERO,
    };
    let wait = exchange.lock.as_ref().map_or(0, |lock| lock.wait_millis);
    let all = exchange.ops.iter().chain(&exchange.tail);
    all.map(of)
        .fold(LOOK + Duration::from_millis(wait), Duration::saturating_add)
}

/// How long so many bytes may be on their way.
fn carriage(bytes: u64) -> Duration {
    const SLOWEST: u64 = 16 * 1024;
    Duration::from_secs(bytes / SLOWEST)
}

/// For a program that was given no limit and does not run detached either.
const UNBOUNDED: Duration = Duration::from_secs(24 * 3600);

async fn within<T>(
    bound: Duration,
    answer: impl Future<Output = Result<T, HostError>>,
) -> Result<T, HostError> {
    tokio::time::timeout(bound, answer)
        .await
        .unwrap_or_else(|_| {
            let seconds = bound.as_secs();
            Err(HostError::TimedOut(format!(
                "gave no answer within {seconds} s"
            )))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{host::LedgerPlace, identity::Identity};

    #[test]
    fn patience_is_the_sum_of_the_bounds() {
        let run = Run {
            seconds: Some(50),
            ..Run::new(["x"])
        };
        let step = Op::Step {
            who: Identity::login(),
            env: Vec::new(),
            action: Box::new(Action::Run(run)),
            effects: Vec::new(),
            long: None,
            on_failure: None,
        };
        let exchange = Exchange {
            run: "r".to_owned(),
            place: LedgerPlace::User,
            lock: None,
            ops: vec![step.clone(), step],
            tail: vec![Op::Await {
                long: Vec::new(),
                millis: 2_000,
            }],
        };
        assert_eq!(patience(&exchange), LOOK + Duration::from_secs(102));
    }
}
