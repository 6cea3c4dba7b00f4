//! Programs of this machine that are run for what they print, within a bound of time.

use std::{
    io::{self, Read},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// A program may print so many bytes.
const LIMIT: u64 = 64 * 1024 * 1024;

/// What a program printed.
pub(crate) struct Printed {
    pub(crate) text: Vec<u8>,
    pub(crate) said: String,
}

/// Why there is nothing of it.
pub(crate) enum Trouble {
    /// It cannot be started.
    Spawn(io::Error),
    /// It did not end in time, and was stopped.
    Late,
    /// It prints more than 64 MiB.
    Much,
    /// How it ended, and what it said.
    Failed(ExitStatus, String),
}

/// Runs a program.
pub(crate) fn run(mut command: Command, bound: Duration) -> Result<Printed, Trouble> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(Trouble::Spawn)?;
    let end = Instant::now() + bound;
    let (tell_text, text) = mpsc::channel();
    let (tell_said, said) = mpsc::channel();
    listen(child.stdout.take(), tell_text);
    listen(child.stderr.take(), tell_said);
    let left = || end.saturating_duration_since(Instant::now());
    let outcome = text
        .recv_timeout(left())
        .ok()
        .and_then(|text| Some((text, said.recv_timeout(left()).ok()?)))
        .and_then(|found| Some((found, ended(&mut child, end)?)));
    let Some(((text, said), status)) = outcome else {
        // Whether it can be ended is its own affair.
        drop(child.kill());
        drop(child.wait());
        return Err(Trouble::Late);
    };
    let said = String::from_utf8_lossy(&said).into_owned();
    let too_much = u64::try_from(text.len()).unwrap_or(u64::MAX) > LIMIT;
    if too_much {
        return Err(Trouble::Much);
    }
    if status.success() {
        return Ok(Printed { text, said });
    }
    Err(Trouble::Failed(status, said))
}

/// Reads to the end, and tells it.
fn listen(from: Option<impl Read + Send + 'static>, tell: mpsc::Sender<Vec<u8>>) {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(from) = from {
            // What was read until then counts.
            drop(from.take(LIMIT + 1).read_to_end(&mut bytes));
        }
        drop(tell.send(bytes));
    });
}

/// How it ended, if it does in time.
fn ended(child: &mut Child, end: Instant) -> Option<ExitStatus> {
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        if Instant::now() >= end {
            return None;
        }
        // It has closed its output: this is a matter of moments.
        thread::sleep(Duration::from_millis(2));
    }
}
