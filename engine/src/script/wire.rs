//! Sending a script and taking in its answer, both at once.

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::{build::Sent, text::Piece};
use crate::{connection::Channel, host::HostError, step::Content};

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
        let read;
        let bytes: &[u8] = match piece {
            Piece::Bytes(bytes) => bytes,
            Piece::Content(Content::Plain(bytes)) => bytes,
            Piece::Content(Content::Secret(secret)) => secret.reveal(),
            Piece::Content(Content::Source(source)) => {
                let file = source.clone();
                read = tokio::task::spawn_blocking(move || file.read())
                    .await
                    .map_err(std::io::Error::other)
                    .and_then(|read| read)
                    .map_err(|error| HostError::Source {
                        name: source.name().to_owned(),
                        why: error.to_string(),
                    })?;
                &read
            }
        };
        if stdin.write_all(bytes).await.is_err() {
            return Ok(sent);
        }
        sent += bytes.len() as u64;
    }
    // Whoever does not want its input has ended; its answer says how.
    drop(stdin.shutdown().await);
    Ok(sent)
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
