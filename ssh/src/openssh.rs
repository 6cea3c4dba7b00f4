//! Hosts over the system's own `ssh`: for what russh cannot do (security keys, Kerberos, `Match`
//! with `exec`), and for whoever trusts it more.
//!
//! One `ssh` in the background, the master, holds the connection; each command is a session of it.
//! Everything that `ssh` reads counts, its configuration above all. It can ask nothing: there is no
//! terminal for it.

mod trouble;

use std::{ffi::OsString, fs, path::PathBuf, process::Stdio, sync::Arc, time::Duration};

use async_trait::async_trait;
use evenkeel_engine::{Channel, Connection, host::HostError};
use tempfile::TempDir;
use tokio::{process::Command, sync::Mutex, time::timeout};

use crate::program;

/// How `ssh` is to be called.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OpensshOptions {
    /// The program.
    pub program: OsString,
    /// The host, as `ssh` is to be told it.
    pub host: String,
    /// Who logs in, if it is not for the configuration to say.
    pub user: Option<String>,
    /// The port, if it is not for the configuration to say.
    pub port: Option<u16>,
    /// A key file, before those of the configuration.
    pub identity_file: Option<PathBuf>,
    /// The only configuration to read, instead of the usual ones.
    pub config: Option<PathBuf>,
    /// More arguments. They count more than ours.
    pub arguments: Vec<OsString>,
    /// How long it may take until a connection stands.
    pub connect_timeout: Duration,
    /// Where the master's socket is made, in a directory of its own.
    pub temporary: PathBuf,
}

impl OpensshOptions {
    /// To a host with nothing else said.
    pub fn to(host: impl Into<String>) -> Self {
        Self {
            program: "ssh".into(),
            host: host.into(),
            user: None,
            port: None,
            identity_file: None,
            config: None,
            arguments: Vec::new(),
            connect_timeout: Duration::from_secs(30),
            temporary: "/tmp".into(),
        }
    }

    /// The beginning of every call.
    fn argv(&self, socket: &PathBuf) -> Vec<OsString> {
        let mut argv = vec![self.program.clone()];
        argv.extend(self.arguments.iter().cloned());
        if let Some(config) = &self.config {
            argv.extend(["-F".into(), config.into()]);
        }
        if let Some(user) = &self.user {
            argv.extend(["-l".into(), user.into()]);
        }
        if let Some(port) = self.port {
            argv.extend(["-p".into(), port.to_string().into()]);
        }
        if let Some(file) = &self.identity_file {
            argv.extend(["-i".into(), file.into()]);
        }
        argv.extend(["-T".into(), "-S".into(), socket.into()]);
        for option in [
            "BatchMode=yes",
            "ServerAliveInterval=15",
            "ServerAliveCountMax=3",
            "ClearAllForwardings=yes",
            "ForwardX11=no",
            "RemoteCommand=none",
            "PermitLocalCommand=no",
            "LogLevel=ERROR",
        ] {
            argv.extend(["-o".into(), option.into()]);
        }
        let seconds = self.connect_timeout.as_secs().max(1);
        argv.extend(["-o".into(), format!("ConnectTimeout={seconds}").into()]);
        argv
    }

    /// The host, where it cannot be taken for an option.
    fn destination(&self) -> [OsString; 2] {
        ["--".into(), OsString::from(&self.host)]
    }
}

/// A connection over the system's `ssh`. The master ends with it.
#[derive(Clone, Debug)]
pub struct OpensshConnection {
    options: Arc<OpensshOptions>,
    master: Arc<Mutex<Option<Master>>>,
}

impl OpensshConnection {
    /// Nothing is started until the first command is.
    pub fn new(options: OpensshOptions) -> Self {
        Self {
            options: Arc::new(options),
            master: Arc::default(),
        }
    }

    /// The socket of a master that runs.
    async fn socket(&self) -> Result<PathBuf, HostError> {
        let mut slot = self.master.lock().await;
        if let Some(master) = slot.as_ref() {
            // A master that has ended took its socket along; one that was killed answers nobody.
            if master.is_there().await {
                return Ok(master.socket());
            }
        }
        *slot = None;
        let master = Master::start(&self.options).await?;
        Ok(slot.insert(master).socket())
    }
}

#[async_trait]
impl Connection for OpensshConnection {
    async fn open(&self, command: &str) -> Result<Channel, HostError> {
        let socket = self.socket().await?;
        let mut argv = self.options.argv(&socket);
        argv.extend(["-o".into(), "ControlMaster=no".into()]);
        argv.extend(self.options.destination());
        argv.push(command.into());
        // What keeps the master is kept until the command has ended.
        let kept = Arc::clone(&self.master);
        program::start(&argv, move |status, said| {
            drop(kept);
            trouble::lost(status, said)
        })
    }
}

/// An `ssh` in the background that holds a connection.
#[derive(Debug)]
struct Master {
    options: Arc<OpensshOptions>,
    dir: TempDir,
}

impl Master {
    /// Connects and logs in.
    async fn start(options: &Arc<OpensshOptions>) -> Result<Self, HostError> {
        let failed = |error: std::io::Error| {
            let dir = options.temporary.display();
            HostError::Unreachable(format!("no directory can be made in `{dir}`: {error}"))
        };
        let dir = tempfile::Builder::new()
            .prefix("evenkeel-")
            .tempdir_in(&options.temporary)
            .map_err(failed)?;
        let master = Self {
            options: Arc::clone(options),
            dir,
        };
        // Not a pipe: the process that stays in the background would hold it open.
        let log = master.dir.path().join("log");
        let file = fs::File::create(&log).map_err(failed)?;
        let mut argv = options.argv(&master.socket());
        // Should we be killed, it ends by itself once it has nothing to do.
        for option in ["ControlMaster=yes", "ControlPersist=120"] {
            argv.extend(["-o".into(), option.into()]);
        }
        argv.extend(["-N".into(), "-f".into()]);
        argv.extend(options.destination());
        let mut command = Command::new(&argv[0]);
        command
            .args(&argv[1..])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .process_group(0)
            .kill_on_drop(true);
        // Its own limit is for connecting alone; logging in may hang too.
        let limit = options.connect_timeout * 2;
        let status = match timeout(limit, command.status()).await {
            Ok(Ok(status)) => status,
            Ok(Err(error)) => return Err(trouble::no_program(&options.program, &error)),
            Err(_) => {
                return Err(HostError::Unreachable(format!(
                    "`ssh` did not log in within {} seconds",
                    limit.as_secs()
                )));
            }
        };
        if status.success() {
            return Ok(master);
        }
        let said = fs::read(&log).unwrap_or_default();
        Err(trouble::refused(
            &options.host,
            &String::from_utf8_lossy(&said),
        ))
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("s")
    }

    async fn is_there(&self) -> bool {
        tokio::net::UnixStream::connect(self.socket()).await.is_ok()
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        let mut argv = self.options.argv(&self.socket());
        argv.extend(["-O".into(), "exit".into()]);
        argv.extend(self.options.destination());
        // It answers at once; if it is dead already, so much the better.
        let ended = std::process::Command::new(&argv[0])
            .args(&argv[1..])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        drop(ended);
    }
}
