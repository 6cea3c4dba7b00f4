//! A run that goes on while the test does other things.

use std::{
    io::Read,
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use crate::Ended;

/// A run that was started.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: (Said, JoinHandle<()>),
    stderr: (Said, JoinHandle<()>),
}

/// What was read so far.
type Said = Arc<Mutex<Vec<u8>>>;

impl Running {
    pub(crate) fn new(command: &mut Command) -> Self {
        command.stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        Self {
            child,
            stdout: follow(stdout),
            stderr: follow(stderr),
        }
    }

    /// What it has said so far on stdout.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&self.stdout.0.lock().unwrap()).into_owned()
    }

    /// Sends a signal by its name, such as `KILL`. That the program has ended already is no mistake.
    pub fn signal(&self, name: &str) -> &Self {
        let mut kill = Command::new("kill");
        kill.args([format!("-{name}"), self.child.id().to_string()]);
        kill.stderr(Stdio::null());
        assert!(kill.status().is_ok());
        self
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Ended {
        let status = self.child.wait().unwrap();
        let all = |(said, reader): (Said, JoinHandle<()>)| {
            reader.join().unwrap();
            std::mem::take(&mut *said.lock().unwrap())
        };
        Ended::new(&Output {
            status,
            stdout: all(self.stdout),
            stderr: all(self.stderr),
        })
        .keeps_secrets()
    }

    /// Waits for its end. Beside what came of it: how much memory it had at most, in bytes.
    pub fn wait_and_weigh(mut self) -> (Ended, u64) {
        let status = format!("/proc/{}/status", self.child.id());
        let mut most = 0;
        while self.is_running() {
            let text = std::fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
            most = most.max(kilobytes.unwrap_or(0) * 1024);
            std::thread::park_timeout(Duration::from_millis(2));
        }
        (self.wait(), most)
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

fn follow(mut from: impl Read + Send + 'static) -> (Said, JoinHandle<()>) {
    let said = Said::default();
    let into = Arc::clone(&said);
    let reader = std::thread::spawn(move || {
        let mut part = [0; 4096];
        loop {
            match from.read(&mut part).unwrap() {
                0 => return,
                count => into.lock().unwrap().extend(&part[..count]),
            }
        }
    });
    (said, reader)
}

/// Waits until something is so, for at most a minute.
#[track_caller]
pub fn until(what: &str, is_so: impl FnMut() -> bool) {
    assert!(within_a_minute(is_so), "not within a minute: {what}");
}

/// Whether something is so within a minute.
pub(crate) fn within_a_minute(mut is_so: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        if Instant::now() > end {
            return false;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
    true
}
