//! What came of a command line.

use std::{os::unix::process::ExitStatusExt as _, process::Output};

use serde_json::Value;

use crate::lab::is_marked;

/// What a program said, and how it ended. Checks return it, so that they can be written one after the
/// other; each says everything there is when it fails.
#[derive(Debug, Clone)]
pub struct Ended {
    /// The exit status; 128 and the signal for one that was killed.
    pub status: i32,
    /// All of stdout.
    pub stdout: String,
    /// All of stderr.
    pub stderr: String,
    /// The lines of stdout that are JSON.
    pub events: Vec<Value>,
}

/// How a task ended.
#[derive(Debug, Clone)]
pub struct Task(pub Value);

impl Ended {
    pub(crate) fn new(output: &Output) -> Self {
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let json = |line: &str| serde_json::from_str(line).ok();
        let signal = || 128 + output.status.signal().unwrap_or_default();
        Self {
            status: output.status.code().unwrap_or_else(signal),
            events: stdout.lines().filter_map(json).collect(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            stdout,
        }
    }

    /// No secret of a test is in what it said.
    #[track_caller]
    pub(crate) fn keeps_secrets(self) -> Self {
        let said = [&self.stdout, &self.stderr];
        assert!(
            !said.into_iter().any(|text| is_marked(text)),
            "a secret\n{self}"
        );
        self
    }

    /// It ended with this status.
    #[track_caller]
    pub fn status(self, status: i32) -> Self {
        assert_eq!(self.status, status, "status\n{self}");
        self
    }

    /// It ended well.
    #[track_caller]
    pub fn ok(self) -> Self {
        self.status(0)
    }

    /// That many tasks of all hosts changed something.
    #[track_caller]
    pub fn changed(self, count: u64) -> Self {
        self.counts("changed", count)
    }

    /// That many exchanges were made with all hosts.
    #[track_caller]
    pub fn exchanges(self, count: u64) -> Self {
        self.counts("exchanges", count)
    }

    /// A number of the recap, over all hosts.
    #[track_caller]
    pub fn counts(self, what: &str, count: u64) -> Self {
        assert_eq!(self.count(what), count, "{what}\n{self}");
        self
    }

    /// A number of the recap, over all hosts.
    #[track_caller]
    pub fn count(&self, what: &str) -> u64 {
        let hosts = self.last()["hosts"].as_object();
        let hosts = hosts.unwrap_or_else(|| panic!("no recap\n{self}"));
        hosts
            .values()
            .map(|host| host[what].as_u64().unwrap())
            .sum()
    }

    /// `run_finished`, or whatever came last.
    pub fn last(&self) -> &Value {
        self.events.last().unwrap_or(&Value::Null)
    }

    /// A task ended so.
    #[track_caller]
    pub fn outcome(self, task: &str, outcome: &str) -> Self {
        assert_eq!(self.task(task).outcome(), outcome, "`{task}`\n{self}");
        self
    }

    /// A task has a reason of this kind.
    #[track_caller]
    pub fn reason(self, task: &str, kind: &str) -> Self {
        assert_eq!(self.task(task).reason(), kind, "`{task}`\n{self}");
        self
    }

    /// How a task ended that ran once, on one host.
    #[track_caller]
    pub fn task(&self, name: &str) -> Task {
        let mut found = self.tasks().filter(|task| task.name() == name);
        match (found.next(), found.next()) {
            (Some(task), None) => task,
            (None, _) => panic!("`{name}` did not end\n{self}"),
            _ => panic!("`{name}` ended more than once\n{self}"),
        }
    }

    /// All tasks that ended, as they ended.
    pub fn tasks(&self) -> impl Iterator<Item = Task> {
        let finished = |event: &&Value| event["event"] == "task_finished";
        self.events.iter().filter(finished).cloned().map(Task)
    }

    /// The names of the tasks that ended so, in the order of the report.
    pub fn named(&self, outcome: &str) -> Vec<String> {
        let all = self.tasks().filter(|task| task.outcome() == outcome);
        all.map(|task| task.name().to_owned()).collect()
    }

    /// These tasks changed something, and no others.
    #[track_caller]
    pub fn changes_are(self, names: &[&str]) -> Self {
        assert_eq!(self.named("changed"), names, "what changed\n{self}");
        self
    }

    /// A plan: each task ended in the run as the plan says, unless it calls it unknown, and changed the same.
    #[track_caller]
    pub fn foretells(&self, run: &Self) {
        let of = |task: &Task| (task.host().to_owned(), task.name().to_owned());
        let mut done: Vec<_> = run.tasks().collect();
        for task in self.tasks() {
            let all = format!("planned\n{self}\ndone\n{run}");
            let same = done.iter().position(|done| of(done) == of(&task));
            let done =
                done.remove(same.unwrap_or_else(|| panic!("`{}` did not end\n{all}", task.name())));
            if task.outcome() != "unknown" {
                assert_eq!(task.outcome(), done.outcome(), "`{}`\n{all}", task.name());
                assert_eq!(task.whats(), done.whats(), "`{}`\n{all}", task.name());
            }
        }
    }

    /// All of stdout is this, where lengths of time are `[TIME]` and the scratch directory `[DIR]`.
    #[track_caller]
    pub fn stdout_is(self, scratch: &crate::Scratch, text: &str) -> Self {
        let time = regex::Regex::new(r"\b\d+(\.\d+)? m?s\b").unwrap();
        let dir = scratch.path("").display().to_string();
        let plain = self.stdout.replace(dir.trim_end_matches('/'), "[DIR]");
        let plain = time.replace_all(&plain, "[TIME]");
        assert_eq!(plain, text, "stdout, as it is:\n{plain}\n{}", self.stderr);
        self
    }

    /// Some text is nowhere in what it said.
    #[track_caller]
    pub fn never_says(self, text: &str) -> Self {
        assert!(!self.stdout.contains(text), "`{text}`\n{self}");
        assert!(!self.stderr.contains(text), "`{text}`\n{self}");
        self
    }

    /// Some text is in what it said on stdout or stderr.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        let said = self.stdout.contains(text) || self.stderr.contains(text);
        assert!(said, "it does not say `{text}`\n{self}");
        self
    }
}

impl Task {
    /// Its name.
    pub fn name(&self) -> &str {
        self.0["task"].as_str().unwrap_or_default()
    }

    /// Its host.
    pub fn host(&self) -> &str {
        self.0["host"].as_str().unwrap_or_default()
    }

    /// Its outcome.
    pub fn outcome(&self) -> &str {
        self.0["outcome"].as_str().unwrap_or_default()
    }

    /// The kind of its reason.
    pub fn reason(&self) -> &str {
        self.0["reason"]["kind"].as_str().unwrap_or_default()
    }

    /// What changed, its turns included: `changes[].what` each.
    pub fn whats(&self) -> Vec<String> {
        let mut all = whats(&self.0);
        for item in self.0["items"].as_array().into_iter().flatten() {
            all.extend(whats(item));
        }
        all
    }
}

fn whats(of: &Value) -> Vec<String> {
    let changes = of["changes"].as_array().into_iter().flatten();
    changes
        .map(|change| change["what"].as_str().unwrap_or_default().to_owned())
        .collect()
}

impl std::fmt::Display for Ended {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            status,
            stdout,
            stderr,
            ..
        } = self;
        write!(
            out,
            "status {status}\n---- stdout\n{stdout}---- stderr\n{stderr}----"
        )
    }
}
