//! Sending a script and taking in its answer, both at once.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::{build::Sent, text::Piece};
use crate::{connection::Channel, host::HostError, source::Source, step::Content};

/// How much of stderr is kept, from its end.
const STDERR: usize = 64 * 1024;

/// What came back.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
    pub(super) status: i32,
    pub(super) sent: u64,
    stderr_bytes: u64,
}

impl Received {
    pub(super) fn bytes(&self) -> u64 {
        self.stdout.len() as u64 + self.stderr_bytes
    }
}

/// Runs a script over a channel.
pub(super) async fn carry(
    channel: Channel,
    script: &Sent,
    limit: u64,
) -> Result<Received, HostError> {
    let Channel {
        stdin,
        stdout,
        stderr,
        ended,
    } = channel;
    let (sent, out, (err, stderr_bytes)) = tokio::try_join!(
        async { send(stdin, script).await },
        async { take(stdout, limit).await },
        async { Ok(keep_end(stderr).await) },
    )?;
    let status = ended.await?;
    Ok(Received {
        stdout: out,
        stderr: err,
        status,
        sent,
        stderr_bytes,
    })
}

/// A script that ends early reads no more: that is no error here.
async fn send(
    mut stdin: Box<dyn AsyncWrite + Send + Unpin>,
    script: &Sent,
) -> Result<u64, HostError> {
    if stdin.write_all(&script.text).await.is_err() {
        return Ok(0);
    }
    let mut sent = script.text.len() as u64;
    for piece in &script.data {
        let took = match piece {
            Piece::Bytes(bytes) => stdin.write_all(bytes).await.is_ok(),
            Piece::Content(Content::Plain(bytes)) => stdin.write_all(bytes).await.is_ok(),
            Piece::Content(Content::Secret(secret)) => {
                stdin.write_all(secret.reveal()).await.is_ok()
            }
            Piece::Content(Content::Source(source)) => stream(&mut stdin, source).await?,
        };
        if !took {
            return Ok(sent);
        }
        sent += piece.len();
    }
    // Whoever does not want its input has ended; its answer says how.
    drop(stdin.shutdown().await);
    Ok(sent)
}

/// Sends a local file piece by piece, never as a whole in memory. Whether the other side took it.
///
/// What follows it in the stream is found by its length: a file that is no longer what it was ends
/// the stream here, and the host throws away what it has of it.
async fn stream(
    stdin: &mut (dyn AsyncWrite + Send + Unpin),
    source: &Source,
) -> Result<bool, HostError> {
    let unreadable = |error: io::Error| HostError::Source {
        name: source.name().to_owned(),
        why: error.to_string(),
    };
    let mut reader = source.reader().map_err(unreadable)?;
    loop {
        let read = tokio::task::spawn_blocking(move || reader.next().map(|chunk| (chunk, reader)));
        let (chunk, rest) = read
            .await
            .map_err(io::Error::other)
            .and_then(|read| read)
            .map_err(unreadable)?;
        reader = rest;
        if chunk.is_empty() {
            return Ok(true);
        }
        if stdin.write_all(&chunk).await.is_err() {
            return Ok(false);
        }
    }
}

async fn take(
    mut stdout: Box<dyn AsyncRead + Send + Unpin>,
    limit: u64,
) -> Result<Vec<u8>, HostError> {
    let (mut all, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
    loop {
        match stdout.read(&mut buffer).await {
            Ok(0) | Err(_) => return Ok(all),
            Ok(count) if all.len() as u64 + count as u64 > limit => {
                return Err(HostError::Garbled(format!("more than {limit} bytes")));
            }
            Ok(count) => all.extend(&buffer[..count]),
        }
    }
}

async fn keep_end(mut stderr: Box<dyn AsyncRead + Send + Unpin>) -> (Vec<u8>, u64) {
    let (mut end, mut all, mut buffer) = (Vec::new(), 0, vec![0; 16 * 1024]);
    loop {
        match stderr.read(&mut buffer).await {
            Ok(0) | Err(_) => return (end, all),
            Ok(count) => {
                all += count as u64;
                end.extend(&buffer[..count]);
                if end.len() > 2 * STDERR {
                    end.drain(..end.len() - STDERR);
                }
            }
        }
    }
}
