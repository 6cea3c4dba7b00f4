//! What is going on right now: on a terminal a few lines that come and go, elsewhere a line now and
//! then about what takes long.

use std::{
    io::IsTerminal as _,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use evenkeel_engine::event::{Event, TaskName};
use indexmap::IndexMap;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;

use super::{out, style};
use crate::{printable, prose};

/// How many running tasks are shown.
const LINES: usize = 8;
/// After how many seconds a running task is worth a line where there is no terminal; doubled each
/// time.
const LONG_SECONDS: i64 = 30;

/// What is going on: a fold over events.
#[derive(Debug, Default)]
pub struct Progress {
    check: bool,
    connecting: usize,
    finished: u64,
    running: IndexMap<(String, String), Running>,
}

#[derive(Debug)]
struct Running {
    task: String,
    since: Timestamp,
    said_at_seconds: i64,
}

impl Progress {
    /// Takes the next event.
    pub fn fold(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::RunStarted { hosts, check, .. } => {
                self.connecting = hosts.len();
                self.check = *check;
            }
            Event::HostConnected { .. } | Event::HostUnreachable { .. } => {
                self.connecting = self.connecting.saturating_sub(1);
            }
            Event::TaskStarted(name) => {
                let running = Running {
                    task: name.task.clone(),
                    since: at,
                    said_at_seconds: LONG_SECONDS,
                };
                self.running.insert(key(name), running);
            }
            Event::TaskFinished(task) => {
                self.finished += 1;
                self.running.shift_remove(&key(&task.name));
            }
            Event::RunFinished { .. } => {
                self.connecting = 0;
                self.running.clear();
            }
            Event::Waiting { .. }
            | Event::Warning { .. }
            | Event::TaskAsked { .. }
            | Event::TaskRetried { .. } => {}
        }
    }

    /// The lines for a terminal.
    pub fn lines(&self, at: Timestamp) -> Vec<String> {
        let mut lines = Vec::new();
        for ((host, _), running) in self.running.iter().take(LINES) {
            let time = prose::so_far(millis(running.since, at));
            let (host, task) = (printable::line(host), printable::line(&running.task));
            let time = style::paint(style::QUIET, &format!("({time})"));
            lines.push(format!("{host}  {task}  {time}"));
        }
        let more = self.running.len().saturating_sub(LINES);
        if more > 0 {
            lines.push(format!("and {} more", prose::count(more as u64, "task")));
        }
        if self.connecting > 0 {
            let hosts = prose::count(self.connecting as u64, "host");
            lines.push(format!("connecting to {hosts}"));
        } else if lines.is_empty() {
            let doing = if self.check { "looking" } else { "working" };
            let tasks = prose::count(self.finished, "task");
            lines.push(format!("{doing}, {tasks} done"));
        }
        lines
    }

    /// Lines about what has been running for long, each said once.
    pub fn overdue(&mut self, at: Timestamp) -> String {
        let mut out = String::new();
        for ((host, _), running) in &mut self.running {
            let millis = millis(running.since, at);
            if i64::try_from(millis / 1_000).unwrap_or(i64::MAX) < running.said_at_seconds {
                continue;
            }
            running.said_at_seconds *= 2;
            let (host, task) = (printable::line(host), printable::line(&running.task));
            let time = prose::so_far(millis);
            out += &format!("running  {host}  {task}  (for {time})\n");
        }
        out
    }
}

fn key(name: &TaskName) -> (String, String) {
    (name.host.clone(), name.id.clone())
}

fn millis(since: Timestamp, at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond() - since.as_millisecond()).unwrap_or_default()
}

/// Shows the progress on stderr while a run goes on; gone when dropped.
pub struct Live {
    shared: Arc<Shared>,
    bar: Option<ProgressBar>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    progress: Mutex<Progress>,
    ended: Mutex<bool>,
    wake: Condvar,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Live")
    }
}

impl Live {
    /// Begins: on a terminal with lines that come and go.
    pub fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            // The template is ours; it is right.
            bar.set_style(ProgressStyle::with_template("{msg}").expect("a good template"));
            bar
        });
        let thread = {
            let (shared, bar) = (Arc::clone(&shared), bar.clone());
            std::thread::spawn(move || shared.tick(bar.as_ref()))
        };
        Self {
            shared,
            bar,
            thread: Some(thread),
        }
    }

    /// Takes the next event.
    pub fn event(&self, event: &Event, at: Timestamp) {
        held(&self.shared.progress).fold(event, at);
    }

    /// Prints something else, with the lines out of the way.
    pub fn aside(&self, print: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}

impl Shared {
    fn tick(&self, bar: Option<&ProgressBar>) {
        let pause = Duration::from_millis(if bar.is_some() { 100 } else { 1_000 });
        let mut ended = held(&self.ended);
        while !*ended {
            let waited = self.wake.wait_timeout(ended, pause);
            ended = waited.unwrap_or_else(PoisonError::into_inner).0;
            let now = Timestamp::now();
            match bar {
                _ if *ended => {}
                Some(bar) => bar.set_message(held(&self.progress).lines(now).join("\n")),
                None => {
                    let overdue = held(&self.progress).overdue(now);
                    if !overdue.is_empty() {
                        out::talk(&overdue);
                    }
                }
            }
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        *held(&self.shared.ended) = true;
        self.shared.wake.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported by the panic hook.
            drop(thread.join());
        }
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(task: &str) -> Event {
        Event::TaskStarted(TaskName {
            host: "web".to_owned(),
            task: task.to_owned(),
            id: task.to_owned(),
            module: "command".to_owned(),
            source: None,
            play: String::new(),
            handler: false,
        })
    }

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn running_tasks_are_shown() {
        let mut progress = Progress::default();
        for number in 0..10 {
            progress.fold(&started(&format!("t{number}")), second(number));
        }
        let lines = progress.lines(second(11));
        assert_eq!(lines.len(), 9);
        assert!(lines[0].contains("web  t0"), "{lines:?}");
        assert!(lines[0].contains("(11 s)"), "{lines:?}");
        assert_eq!(lines[8], "and 2 tasks more");
    }

    #[test]
    fn what_takes_long_is_said_once_and_again_later() {
        let mut progress = Progress::default();
        progress.fold(&started("compile"), second(0));
        let said = [29, 30, 31, 59, 61, 119, 120].map(|at| progress.overdue(second(at)));
        let said: Vec<_> = said.iter().filter(|text| !text.is_empty()).collect();
        let want = [
            "running  web  compile  (for 30 s)\n",
            "running  web  compile  (for 1 min 1 s)\n",
            "running  web  compile  (for 2 min)\n",
        ];
        assert_eq!(said, want.iter().collect::<Vec<_>>());
    }
}
