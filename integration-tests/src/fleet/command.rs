//! A command on a simulated host.

use std::{os::unix::process::ExitStatusExt as _, process::Stdio, sync::Arc};

use russh::{
    Channel, ChannelMsg, ChannelReadHalf,
    server::{Handle, Msg},
};
use tokio::{
    io::{AsyncWriteExt as _, copy},
    process::{ChildStdin, Command},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

use super::Simulated;

/// Runs a line by `sh` and says how it ended.
pub(super) async fn run(channel: Channel<Msg>, handle: Handle, line: String, host: Arc<Simulated>) {
    let id = channel.id();
    let (read, write) = channel.split();
    let mut child = Command::new("sh")
        .args(["-c", &line])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", &host.home)
        .current_dir(&host.home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (stdin, mut stdout, mut stderr) = (
        child.stdin.take().unwrap(),
        child.stdout.take().unwrap(),
        child.stderr.take().unwrap(),
    );
    // Without bound: a session of russh that waits for the reader of one channel does nothing else.
    let (queue, queued) = unbounded_channel();
    let listening = tokio::spawn(listen(read, queue));
    let feeding = tokio::spawn(feed(queued, stdin));
    let (mut out, mut err) = (write.make_writer(), write.make_writer_ext(Some(1)));
    let both = async { tokio::join!(copy(&mut stdout, &mut out), copy(&mut stderr, &mut err)) };
    drop(both.await);
    let status = child.wait().await.unwrap();
    let code = status.code().or(status.signal().map(|signal| 128 + signal));
    let code = u32::try_from(code.unwrap_or(255)).unwrap_or(255);
    // A client that has gone wants to know nothing.
    let told = handle.exit_status_request(id, code).await.is_ok();
    if told && handle.eof(id).await.is_ok() {
        handle.close(id).await.unwrap_or_default();
    }
    listening.abort();
    feeding.abort();
}

async fn listen(mut read: ChannelReadHalf, queue: UnboundedSender<Vec<u8>>) {
    while let Some(message) = read.wait().await {
        match message {
            ChannelMsg::Data { data } => drop(queue.send(data.to_vec())),
            ChannelMsg::Eof | ChannelMsg::Close => return,
            _ => {}
        }
    }
}

async fn feed(mut queued: UnboundedReceiver<Vec<u8>>, mut stdin: ChildStdin) {
    while let Some(data) = queued.recv().await {
        // What ends early reads no more.
        if stdin.write_all(&data).await.is_err() {
            return;
        }
    }
}
