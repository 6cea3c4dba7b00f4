//! Connections: the one thing a way to a host must be able to do.

mod local;

pub use local::LocalConnection;

use std::{fmt, pin::Pin};

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::host::HostError;

/// A way to a host: starts one command as the login user, with streams in and out.
///
/// It knows no identities, files or scripts; [`ScriptHost`](crate::ScriptHost) builds those on it.
#[async_trait]
pub trait Connection: Send + Sync {
    /// Starts `command`, which the login user's shell reads. The first call connects.
    async fn open(&self, command: &str) -> Result<Channel, HostError>;
}

/// A command that runs on a host.
///
/// Dropping it closes the streams and does not kill the command: a script ends by itself before its
/// next step once nobody listens.
pub struct Channel {
    /// What the command reads; shutting it down is the end of its input.
    pub stdin: Box<dyn AsyncWrite + Send + Unpin>,
    /// What it prints.
    pub stdout: Box<dyn AsyncRead + Send + Unpin>,
    /// What it prints on stderr.
    pub stderr: Box<dyn AsyncRead + Send + Unpin>,
    /// Resolves when the command has ended: its exit status, 128 + the number of a signal. An
    /// error if the connection was lost before that.
    pub ended: Pin<Box<dyn Future<Output = Result<i32, HostError>> + Send>>,
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").finish_non_exhaustive()
    }
}
