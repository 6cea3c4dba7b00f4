//! This machine as a host.

use std::{ffi::OsString, os::unix::process::ExitStatusExt as _, process::Stdio};

use async_trait::async_trait;
use tokio::process::Command;

use super::{Channel, Connection};
use crate::host::HostError;

/// Runs commands on this machine, each in a process group of its own: Ctrl-C in a terminal reaches
/// the controller alone.
#[derive(Clone, Debug)]
pub struct LocalConnection {
    shell: OsString,
    env: Vec<(OsString, OsString)>,
}

impl LocalConnection {
    /// By `/bin/sh`.
    pub fn new() -> Self {
        Self {
            shell: "/bin/sh".into(),
            env: Vec::new(),
        }
    }

    /// Another shell that reads the command.
    #[must_use]
    pub fn shell(mut self, program: impl Into<OsString>) -> Self {
        self.shell = program.into();
        self
    }

    /// A variable of the environment, over what this process has.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }
}

impl Default for LocalConnection {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Connection for LocalConnection {
    async fn open(&self, command: &str) -> Result<Channel, HostError> {
        let shell = self.shell.to_string_lossy();
        let lost = |error: std::io::Error| HostError::Unreachable(format!("`{shell}`: {error}"));
        let mut child = Command::new(&self.shell)
            .arg("-c")
            .arg(command)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(lost)?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(HostError::Unreachable("no pipes".into()));
        };
        let ended = async move {
            let status = child
                .wait()
                .await
                .map_err(|error| HostError::Lost(error.to_string()))?;
            Ok(status
                .code()
                .unwrap_or_else(|| 128 + status.signal().unwrap_or_default()))
        };
        Ok(Channel {
            stdin: Box::new(stdin),
            stdout: Box::new(stdout),
            stderr: Box::new(stderr),
            ended: Box::pin(ended),
        })
    }
}
