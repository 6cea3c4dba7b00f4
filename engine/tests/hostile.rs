//! A host that answers whatever it likes harms nobody but itself: the run ends, within a bound,
//! without a panic, whatever comes back.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use evenkeel_engine::{
    Channel, Connection, Late, LocalConnection, ScriptHost, Task, TaskList,
    event::Event,
    host::HostError,
    run::{Cancel, Mode, Options, run},
};
use evenkeel_modules::{command, copy, file, file_template, stat};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// What is done to one part of an honest answer: to the part with this number, modulo how many
/// there are.
#[derive(Clone, Debug)]
enum Twist {
    Drop,
    Repeat,
    Swap(usize),
    Words(String),
    Body(Vec<u8>),
    Cut(usize),
    Noise(Vec<u8>),
}

/// Lies about what a real shell answered.
struct Hostile {
    honest: LocalConnection,
    /// For each exchange, over and over.
    lies: Vec<Vec<(usize, Twist)>>,
    next: AtomicUsize,
}

fn nonce_of(script: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(script);
    let from = text.find("ek_nonce=")? + "ek_nonce=".len();
    Some(text[from..].lines().next()?.to_owned())
}

fn lie(answer: &[u8], nonce: &str, lies: &[(usize, Twist)]) -> Vec<u8> {
    let mark = format!("\n{nonce} ");
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for part in split(answer, mark.as_bytes()) {
        parts.push(part.to_vec());
    }
    for (at, twist) in lies {
        // The first is what comes before the first nonce.
        if parts.len() < 2 {
            break;
        }
        let at = 1 + at % (parts.len() - 1);
        let line = parts[at]
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap_or(0);
        match twist {
            Twist::Drop => drop(parts.remove(at)),
            Twist::Repeat => parts.insert(at, parts[at].clone()),
            Twist::Swap(other) => {
                let other = 1 + other % (parts.len() - 1);
                parts.swap(at, other);
            }
            Twist::Words(words) => {
                parts[at].splice(..line, words.bytes());
            }
            Twist::Body(body) => {
                parts[at].truncate(line + 1);
                parts[at].extend(body);
            }
            Twist::Cut(len) => parts[at].truncate(*len),
            Twist::Noise(noise) => parts[0].extend(noise),
        }
    }
    parts.join(mark.as_bytes())
}

fn split<'a>(bytes: &'a [u8], mark: &[u8]) -> Vec<&'a [u8]> {
    let (mut parts, mut from, mut at) = (Vec::new(), 0, 0);
    while at + mark.len() <= bytes.len() {
        if bytes[at..].starts_with(mark) {
            parts.push(&bytes[from..at]);
            at += mark.len();
            from = at;
        } else {
            at += 1;
        }
    }
    parts.push(&bytes[from..]);
    parts
}

#[async_trait]
impl Connection for Hostile {
    async fn open(&self, command: &str) -> Result<Channel, HostError> {
        let mut honest = self.honest.open(command).await?;
        let (ours, mut theirs) = tokio::io::duplex(1 << 20);
        let (mut out, stdout) = tokio::io::duplex(1 << 20);
        let lies = self.lies[self.next.fetch_add(1, Ordering::Relaxed) % self.lies.len()].clone();
        let ended = tokio::spawn(async move {
            let mut script = Vec::new();
            drop(theirs.read_to_end(&mut script).await);
            let nonce = nonce_of(&script).unwrap();
            drop(honest.stdin.write_all(&script).await);
            drop(honest.stdin.shutdown().await);
            let mut answer = Vec::new();
            drop(honest.stdout.read_to_end(&mut answer).await);
            drop(out.write_all(&lie(&answer, &nonce, &lies)).await);
            honest.ended.await
        });
        Ok(Channel {
            stdin: Box::new(ours),
            stdout: Box::new(stdout),
            stderr: Box::new(tokio::io::empty()),
            ended: Box::pin(async move { ended.await.unwrap() }),
        })
    }
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        &b""[..],
        b"root\n",
        b"0\n",
        b"/t/a\x0081a4|0|0|root|root|/t/a\0",
        b"!\0stat: cannot statx '/t/a': Permission denied\0",
        b"=\n",
        b"\x1b]0;owned\x07\x1b[2J",
        b"../../etc/passwd\0",
        b"99999999999999999999\n",
        b"{\"v\":1}\n=\n{}\n",
    ]);
    prop_oneof![
        known.prop_map(<[u8]>::to_vec),
        prop::collection::vec(any::<u8>(), 0..80),
    ]
}

fn words() -> impl Strategy<Value = String> {
    let verb = prop::sample::select(vec![
        "go", "locked", "held", "stale", "sick", "denied", "fin", "barred", "obs", "end", "led",
        "guard", "wrote", "step", "did", "out", "err", "awaited", "long", "lout", "lerr", "",
    ]);
    let known = vec![
        "ok",
        "failed",
        "edited",
        "timedout",
        "yes",
        "text",
        "serial",
        "end",
        "machine",
        "dir",
        "boot",
        "running",
        "ended",
        "-1",
        "18446744073709551615",
    ];
    let word = prop_oneof![
        (0..12_u32).prop_map(|number| number.to_string()),
        prop::sample::select(known).prop_map(str::to_owned),
    ];
    let words = prop::collection::vec(word, 0..5);
    (verb, words).prop_map(|(verb, words)| format!("{verb} {}", words.join(" ")))
}

fn twist() -> impl Strategy<Value = (usize, Twist)> {
    let twist = prop_oneof![
        Just(Twist::Drop),
        Just(Twist::Repeat),
        any::<usize>().prop_map(Twist::Swap),
        words().prop_map(Twist::Words),
        body().prop_map(Twist::Body),
        (0..40_usize).prop_map(Twist::Cut),
        prop::collection::vec(any::<u8>(), 0..200).prop_map(Twist::Noise),
    ];
    (any::<usize>(), twist)
}

/// Tasks of several kinds: files, a program, a loop of looks.
fn list(host: Hostile, root: &str) -> TaskList {
    let mut list = TaskList::new("hostile");
    let limit = 1 << 20;
    let here = list.host("here", Arc::new(ScriptHost::new(host).answer_limit(limit)));
    let path = |name: &str| format!("{root}/{name}");
    list.task(
        Task::new::<file::File>(
            "a directory",
            file::Args {
                path: path("d"),
                state: Some(file::State::Directory),
                ..Default::default()
            },
        )
        .on(here),
    );
    let template = list.task(
        Task::new::<file_template::FileTemplate>(
            "a file",
            file_template::Args {
                dest: path("a"),
                content: Late::of("text\n".to_owned()),
                ..Default::default()
            },
        )
        .on(here),
    );
    list.task(
        Task::new::<copy::Copy>(
            "another",
            copy::Args {
                dest: path("d/b"),
                content: Some(Late::of("text\n".to_owned())),
                ..Default::default()
            },
        )
        .on(here),
    );
    list.task(
        Task::new::<command::Command>(
            "a program",
            command::Args {
                argv: ["true"].map(Late::of).to_vec(),
                creates: vec![path("c")],
                ..Default::default()
            },
        )
        .on(here)
        .triggered_by(template),
    );
    list.task(
        Task::new::<stat::Stat>(
            "a look",
            stat::Args {
                path: path("a"),
                ..Default::default()
            },
        )
        .on(here),
    );
    list
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn no_answer_panics_or_hangs_a_run(
        lies in prop::collection::vec(prop::collection::vec(twist(), 0..4), 1..6),
        check in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let honest = LocalConnection::new().env("HOME", dir.path());
            let host = Hostile { honest, lies, next: AtomicUsize::new(0) };
            let list = list(host, dir.path().to_str().unwrap());
            let options = Options {
                mode: if check { Mode::Check } else { Mode::Apply },
                lock_wait: Duration::from_millis(20),
                diff: true,
                reconnect: Duration::from_millis(30),
                ..Options::new()
            };
            let events = |_: &Event| {};
            let ended = run(Arc::new(list), options, Arc::new(events), Cancel::new());
            let report = tokio::time::timeout(Duration::from_secs(20), ended).await;
            let report = report.expect("the run goes on for ever").unwrap();
            assert_eq!(report.hosts.len(), 1);
        });
    }
}
