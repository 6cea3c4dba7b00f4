//! Real shells at the other end of a connection that is lost at any byte: nothing is done twice,
//! nothing is left half-written, nothing is forgotten.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    collections::VecDeque,
    fs,
    path::Path,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use async_trait::async_trait;
use evenkeel_engine::{
    Channel, Connection, Late, LocalConnection, ScriptHost, Task, TaskList,
    event::Event,
    host::HostError,
    run::{Cancel, Options, Report, run},
};
use evenkeel_modules::{command, file_template};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::watch,
};

/// After how many bytes a connection is lost.
#[derive(Clone, Copy, Debug)]
enum Loss {
    Sent(usize),
    Received(usize),
}

/// A connection that is lost as planned, one entry for each command; then it holds.
struct Lossy {
    honest: LocalConnection,
    plan: Mutex<VecDeque<Option<Loss>>>,
    /// How many bytes each command answered.
    seen: Arc<Mutex<Vec<usize>>>,
}

/// What both streams of a channel know.
struct Link {
    left: Option<usize>,
    lost: watch::Sender<bool>,
}

struct In(Option<Box<dyn AsyncWrite + Send + Unpin>>, Link);
struct Out {
    inner: Option<Box<dyn AsyncRead + Send + Unpin>>,
    link: Link,
    seen: Arc<Mutex<Vec<usize>>>,
    number: usize,
}

impl AsyncWrite for In {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let this = &mut *self;
        if this.1.left == Some(0) || *this.1.lost.borrow() {
            this.0 = None;
            this.1.lost.send_replace(true);
        }
        let Some(inner) = &mut this.0 else {
            return Poll::Ready(Err(std::io::ErrorKind::BrokenPipe.into()));
        };
        let most = this.1.left.unwrap_or(bytes.len()).min(bytes.len());
        let wrote = std::task::ready!(Pin::new(inner).poll_write(cx, &bytes[..most]))?;
        this.1.left = this.1.left.map(|left| left - wrote);
        Poll::Ready(Ok(wrote))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.0 = None;
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Out {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let this = &mut *self;
        if this.link.left == Some(0) || *this.link.lost.borrow() {
            this.inner = None;
            this.link.lost.send_replace(true);
        }
        let Some(inner) = &mut this.inner else {
            return Poll::Ready(Ok(()));
        };
        let most = this.link.left.unwrap_or(usize::MAX).min(buffer.remaining());
        let mut part = buffer.take(most);
        std::task::ready!(Pin::new(inner).poll_read(cx, &mut part))?;
        let read = part.filled().len();
        buffer.advance(read);
        this.link.left = this.link.left.map(|left| left - read);
        this.seen.lock().unwrap()[this.number] += read;
        Poll::Ready(Ok(()))
    }
}

#[async_trait]
impl Connection for Lossy {
    async fn open(&self, command: &str) -> Result<Channel, HostError> {
        let number = {
            let mut seen = self.seen.lock().unwrap();
            seen.push(0);
            seen.len() - 1
        };
        let loss = self.plan.lock().unwrap().pop_front().flatten();
        let channel = self.honest.open(command).await?;
        let lost = watch::Sender::new(false);
        let link = |left| Link {
            left,
            lost: lost.clone(),
        };
        let (sent, received) = match loss {
            Some(Loss::Sent(bytes)) => (Some(bytes), None),
            Some(Loss::Received(bytes)) => (None, Some(bytes)),
            None => (None, None),
        };
        let ended = channel.ended;
        let is_lost = lost.clone();
        Ok(Channel {
            stdin: Box::new(In(Some(channel.stdin), link(sent))),
            stdout: Box::new(Out {
                inner: Some(channel.stdout),
                link: link(received),
                seen: Arc::clone(&self.seen),
                number,
            }),
            stderr: channel.stderr,
            ended: Box::pin(async move {
                let status = ended.await?;
                if *is_lost.borrow() {
                    return Err(HostError::Lost("made to be".to_owned()));
                }
                Ok(status)
            }),
        })
    }
}

/// Files, commands that note that they ran, a long one, a handler of another identity's shell.
fn list(dir: &Path, plan: Vec<Option<Loss>>) -> (TaskList, Arc<Mutex<Vec<usize>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let host = ScriptHost::new(Lossy {
        honest: LocalConnection::new()
            .env("HOME", dir)
            .env("XDG_STATE_HOME", ""),
        plan: Mutex::new(plan.into()),
        seen: Arc::clone(&seen),
    });
    let mut list = TaskList::new("lossy");
    let on = list.host("box", Arc::new(host));
    let file = |name: &str, content: &str| {
        let args = file_template::Args {
            dest: dir.join(name).to_str().unwrap().to_owned(),
            content: Late::of(content.to_owned()),
            ..Default::default()
        };
        Task::new::<file_template::FileTemplate>(name, args).on(on)
    };
    let log = dir.join("log");
    let noted = |name: &str, long: bool| {
        let line = format!("echo {name} >>'{}'; echo said {name}", log.display());
        let args = command::Args {
            argv: ["sh", "-c", &line].map(Late::of).to_vec(),
            long,
            ..Default::default()
        };
        Task::new::<command::Command>(name, args).on(on)
    };
    let first = list.task(file("a", "one\n"));
    list.task(noted("plain", false));
    list.task(noted("once", false).once());
    for name in ["b1", "b2", "b3", "b4"] {
        list.task(file(name, "many\n"));
    }
    list.task(noted("long", true));
    list.task(file("c", &"big\n".repeat(20_000)));
    list.task(noted("handler", false).handler().triggered_by(first));
    (list, seen)
}

async fn go(dir: &Path, plan: Vec<Option<Loss>>) -> (Report, Vec<String>, Vec<usize>) {
    let (list, seen) = list(dir, plan);
    let told = Arc::new(Mutex::new(Vec::new()));
    let sink = {
        let told = Arc::clone(&told);
        move |event: &Event| {
            if let Event::TaskFinished(task) = event {
                let line = format!("{}: {:?} {:?}", task.name.task, task.outcome, task.error);
                told.lock().unwrap().push(line);
            }
        }
    };
    let report = run(
        Arc::new(list),
        Options::new(),
        Arc::new(sink),
        Cancel::new(),
    );
    let report = report.await.unwrap();
    let mut told = std::mem::take(&mut *told.lock().unwrap());
    told.sort();
    let seen = seen.lock().unwrap().clone();
    (report, told, seen)
}

fn check(dir: &Path, what: &str) {
    let read = |name: &str| fs::read_to_string(dir.join(name)).unwrap_or_default();
    assert_eq!(read("a"), "one\n", "{what}");
    for name in ["b1", "b2", "b3", "b4"] {
        assert_eq!(read(name), "many\n", "{what}");
    }
    assert_eq!(read("c").len(), 80_000, "{what}");
    let log = read("log");
    let mut ran: Vec<&str> = log.lines().collect();
    ran.sort_unstable();
    assert_eq!(ran, ["handler", "long", "once", "plain"], "{what}");
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    let wanted = [".local", "a", "b1", "b2", "b3", "b4", "c", "log"];
    assert_eq!(names, wanted, "{what}");
    let spool = dir.join(".local/state/evenkeel/spool");
    let left: Vec<_> = fs::read_dir(spool)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    assert!(left.is_empty(), "{what}: {left:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_done_twice_wherever_the_connection_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let (calm, told, seen) = go(dir.path(), Vec::new()).await;
    assert!(calm.ok, "{told:#?}");
    check(dir.path(), "undisturbed");
    // Each exchange, at places spread over what is sent and received.
    for (at, received) in seen.iter().enumerate() {
        let mut losses = vec![
            Loss::Sent(0),
            Loss::Sent(500),
            Loss::Sent(30_000),
            Loss::Sent(70_000),
        ];
        losses.extend((0..6).map(|part| Loss::Received(received * part / 6)));
        losses.push(Loss::Received(received.saturating_sub(1)));
        for loss in losses {
            let dir = tempfile::tempdir().unwrap();
            let mut plan = vec![None; at];
            plan.push(Some(loss));
            let (report, now, _) = go(dir.path(), plan).await;
            let what = format!("{loss:?} of exchange {at}");
            assert!(report.ok, "{what}: {now:#?}");
            assert_eq!(now, told, "{what}");
            check(dir.path(), &what);
        }
    }
}
