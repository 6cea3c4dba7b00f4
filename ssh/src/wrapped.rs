//! Hosts that are inside this machine: containers, and directories with a system in them.

use std::ffi::OsString;

use async_trait::async_trait;
use evenkeel_engine::{Channel, Connection, host::HostError};

use crate::program;

/// Runs commands through a program that enters a host, as `docker exec` and `chroot` do.
///
/// That the program could not enter shows as a script that never began: its own status is no
/// concern here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WrappedConnection {
    argv: Vec<OsString>,
}

impl WrappedConnection {
    /// A running container, entered by `program exec` as `user` or as its own: `docker` and
    /// `podman` alike. `options` come before `exec`.
    pub fn container(
        program: impl Into<OsString>,
        options: &[String],
        container: &str,
        user: Option<&str>,
    ) -> Self {
        let mut argv = vec![program.into()];
        argv.extend(options.iter().map(OsString::from));
        argv.extend(["exec", "-i"].map(OsString::from));
        if let Some(user) = user {
            argv.extend(["--user", user].map(OsString::from));
        }
        // A name that starts with `-` would be an option.
        argv.extend(["--", container].map(OsString::from));
        Self { argv }
    }

    /// A directory with a system in it, entered by `program`, which needs root.
    pub fn chroot(program: impl Into<OsString>, dir: impl Into<OsString>) -> Self {
        Self {
            argv: vec![program.into(), "--".into(), dir.into()],
        }
    }
}

#[async_trait]
impl Connection for WrappedConnection {
    async fn open(&self, command: &str) -> Result<Channel, HostError> {
        let mut argv = self.argv.clone();
        argv.extend(["/bin/sh", "-c", command].map(OsString::from));
        program::start(&argv, |_, _| None)
    }
}
