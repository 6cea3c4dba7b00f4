//! A program of this machine that carries a command's streams.

use std::{
    collections::VecDeque, ffi::OsString, os::unix::process::ExitStatusExt as _, process::Stdio,
};

use evenkeel_engine::{Channel, host::HostError};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    process::{ChildStderr, Command},
    sync::oneshot,
};

/// How much of what a program says of itself is kept.
const TAIL: usize = 2 * 1024;
/// How much of it is under way to a reader.
const UNDER_WAY: usize = 16 * 1024;

/// Starts a program. It gets a process group of its own: Ctrl-C in a terminal reaches the
/// controller alone.
///
/// `lost` says whether a status, with the end of what was said on stderr, means that the way to the
/// command was lost, rather than how the command ended.
pub(crate) fn start(
    argv: &[OsString],
    lost: impl FnOnce(i32, &str) -> Option<HostError> + Send + 'static,
) -> Result<Channel, HostError> {
    let Some((program, arguments)) = argv.split_first() else {
        return Err(HostError::Unreachable("no program to start".into()));
    };
    let failed = |error: std::io::Error| {
        let name = program.to_string_lossy();
        match error.kind() {
            std::io::ErrorKind::NotFound => HostError::Barred {
                why: format!("there is no program `{name}` on this machine"),
                help: format!("install `{name}` where evenkeel runs, or choose another connection"),
            },
            _ => HostError::Unreachable(format!("`{name}`: {error}")),
        }
    };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(failed)?;
    let (Some(stdin), Some(stdout), Some(said)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(HostError::Unreachable("no pipes".into()));
    };
    let (to_reader, stderr) = duplex(UNDER_WAY);
    let (tell, told) = oneshot::channel();
    tokio::spawn(async move {
        // Whoever does not want to know has gone.
        drop(tell.send(copy(said, to_reader).await));
    });
    let ended = async move {
        let status = child.wait().await;
        let status = status.map_err(|error| HostError::Lost(error.to_string()))?;
        let status = status
            .code()
            .unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
        match lost(status, told.await.unwrap_or_default().trim_end()) {
            Some(error) => Err(error),
            None => Ok(status),
        }
    };
    Ok(Channel {
        stdin: Box::new(stdin),
        stdout: Box::new(stdout),
        stderr: Box::new(stderr),
        ended: Box::pin(ended),
    })
}

/// Carries stderr to its reader, if it has one, and gives its end.
async fn copy(mut from: ChildStderr, mut to: DuplexStream) -> String {
    let (mut tail, mut buffer, mut read_by) = (VecDeque::new(), vec![0; 8 * 1024], true);
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let chunk = &buffer[..count];
        tail.extend(chunk);
        let extra = tail.len().saturating_sub(TAIL);
        tail.drain(..extra);
        read_by = read_by && to.write_all(chunk).await.is_ok();
    }
    String::from_utf8_lossy(tail.make_contiguous()).into_owned()
}
