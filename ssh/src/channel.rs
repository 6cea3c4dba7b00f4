//! A command on a host as streams: what comes over a channel of SSH is carried to readers, what a
//! writer gives is carried to the channel, and neither is kept in memory if the other is slow.

use evenkeel_engine::{Channel, host::HostError};
use russh::{ChannelMsg, Sig, client::Msg};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    sync::oneshot,
};

use crate::session::Lifeline;

/// How much is under way between a channel and its reader.
const UNDER_WAY: usize = 64 * 1024;

/// Streams over a channel on which a command was started. `lifeline` keeps the connection up as
/// long as it is needed.
pub(crate) fn streams(channel: russh::Channel<Msg>, lifeline: Lifeline) -> Channel {
    let (stdin, stdin_here) = duplex(UNDER_WAY);
    let (stdout_here, stdout) = duplex(UNDER_WAY);
    let (stderr_here, stderr) = duplex(UNDER_WAY);
    let (tell, told) = oneshot::channel();
    let (mut receiving, sending) = channel.split();
    let writer = tokio::spawn(feed(stdin_here, sending.make_writer()));
    tokio::spawn(async move {
        let mut tell = tell;
        let mut out = Out {
            stdout: Some(stdout_here),
            stderr: Some(stderr_here),
        };
        let ended = tokio::select! {
            ended = receive(&mut receiving, &mut out, &lifeline) => Some(ended),
            // Nobody listens any more.
            () = tell.closed() => None,
        };
        writer.abort();
        if ended.is_none() {
            drop(sending.close().await);
        }
        drop(out);
        if let Some(ended) = ended {
            // Whoever does not want to know has gone.
            drop(tell.send(ended));
        }
        drop(lifeline);
    });
    let ended = async move {
        told.await
            .unwrap_or_else(|_| Err(HostError::Lost("the controller ends".to_owned())))
    };
    Channel {
        stdin: Box::new(stdin),
        stdout: Box::new(stdout),
        stderr: Box::new(stderr),
        ended: Box::pin(ended),
    }
}

struct Out {
    stdout: Option<DuplexStream>,
    stderr: Option<DuplexStream>,
}

async fn receive(
    channel: &mut russh::ChannelReadHalf,
    out: &mut Out,
    lifeline: &Lifeline,
) -> Result<i32, HostError> {
    let mut status = None;
    loop {
        match channel.wait().await {
            Some(ChannelMsg::Data { data }) => pass(&mut out.stdout, &data).await,
            Some(ChannelMsg::ExtendedData { data, ext: 1 }) => pass(&mut out.stderr, &data).await,
            Some(ChannelMsg::Eof) => {
                out.stdout = None;
                out.stderr = None;
            }
            Some(ChannelMsg::ExitStatus { exit_status }) => {
                status = Some(i32::try_from(exit_status).unwrap_or(255));
            }
            Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                status = Some(128 + number(&signal_name));
            }
            Some(ChannelMsg::Failure) => {
                return Err(HostError::Barred {
                    why: "it lets us in but starts no command".to_owned(),
                    help: "look at the account's `command=` in `authorized_keys` and at \
                           `ForceCommand` and `PermitTTY` in the host's `sshd_config`"
                        .to_owned(),
                });
            }
            Some(ChannelMsg::Close) => {
                return status.ok_or_else(|| {
                    HostError::Lost("the host closed it before the command ended".to_owned())
                });
            }
            None => return Err(HostError::Lost(lifeline.why_lost())),
            Some(_) => {}
        }
    }
}

/// Who does not read any more does not hinder the other stream.
async fn pass(to: &mut Option<DuplexStream>, data: &[u8]) {
    if let Some(stream) = to {
        if stream.write_all(data).await.is_err() {
            *to = None;
        }
    }
}

/// Carries what is written to the host, until the writer shuts down or the host wants no more.
async fn feed(mut from: DuplexStream, to: impl tokio::io::AsyncWrite) {
    let mut to = std::pin::pin!(to);
    let mut buffer = vec![0; 32 * 1024];
    loop {
        match from.read(&mut buffer).await {
            Ok(0) | Err(_) => {
                drop(to.shutdown().await);
                return;
            }
            Ok(count) => {
                if to.write_all(&buffer[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// The number that Linux gives a signal.
fn number(signal: &Sig) -> i32 {
    match signal {
        Sig::HUP => 1,
        Sig::INT => 2,
        Sig::QUIT => 3,
        Sig::ILL => 4,
        Sig::ABRT => 6,
        Sig::FPE => 8,
        Sig::KILL => 9,
        Sig::USR1 => 10,
        Sig::SEGV => 11,
        Sig::PIPE => 13,
        Sig::ALRM => 14,
        Sig::TERM => 15,
        Sig::Custom(name) => match name.as_str() {
            "BUS" => 7,
            "USR2" => 12,
            _ => 127,
        },
    }
}
