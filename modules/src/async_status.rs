//! How a job stands that a task has begun and not waited for.

pub mod job;

use evenkeel_engine::{
    Cause, Change, Done, Module, NotYet, Plan, Probes, Refusal, Seen, Stop, Touches, Value,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::{delta, text};
use job::{ENDED, Standing, look, status};

/// The module `async_status`.
#[derive(Debug)]
pub struct AsyncStatus;

/// Arguments of `async_status`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// What the job is called: `ansible_job_id` of the task that began it.
    pub jid: String,
    /// Whether it is looked at (`status`, the default), or its record is removed (`cleanup`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
}

/// What is done with the record of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It is looked at.
    #[default]
    Status,
    /// It is removed.
    Cleanup,
}

/// What `register` gives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Output {
    /// What the job is called.
    pub ansible_job_id: String,
    /// Whether it has begun.
    pub started: bool,
    /// Whether it has ended, in whatever way.
    pub finished: bool,
    /// Its exit status, once it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rc: Option<i32>,
    /// What it printed; nothing before it has ended.
    pub stdout: String,
    /// The same, line by line.
    pub stdout_lines: Vec<String>,
    /// What it printed on stderr.
    pub stderr: String,
    /// The same, line by line.
    pub stderr_lines: Vec<String>,
    /// How long it took, as `0:00:01.250000`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta: Option<String>,
    /// What became of it, where that is not its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub msg: Option<String>,
    /// The job whose record was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased: Option<String>,
}

impl Args {
    fn mode(&self) -> &'static str {
        match self.mode.unwrap_or_default() {
            Mode::Status => "status",
            Mode::Cleanup => "cleanup",
        }
    }
}

impl Module for AsyncStatus {
    const NAME: &'static str = "async-status";
    const ALIASES: &'static [&'static str] = &[
        "async_status",
        "ansible.builtin.async_status",
        "ansible.legacy.async_status",
    ];
    const ABOUT: &'static str =
        "says how a job stands that a task began with `async` and `poll: 0`";
    const EXAMPLE: &'static str = "\
- name: the export has ended
  async_status:
    jid: j0a1B2c3D4e5F
";
    const CHANGED_WHEN: &'static str = "The job has ended well: what it did is there from then on.";
    const LIMITS: &'static str = "\
        It does not wait: `until` does (`until: job.finished`, with `retries` and `delay`). It asks as whoever it acts as: \
        that has to be who began the job. A job that has failed fails it.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if args.jid.is_empty() || args.jid.starts_with('.') || !args.jid.chars().all(fits) {
            return Err(Refusal::new("`jid` is no name of a job").help(
                "`ansible_job_id` of what a task with `async` and `poll: 0` registers is one",
            ));
        }
        Ok(())
    }

    fn observe(_: &Args, _: &Seen) -> Probes {
        Probes::new()
    }

    fn plan(args: &Args, _: &Seen) -> Result<Plan, Stop> {
        if args.jid == ENDED {
            return Ok(Plan::nothing());
        }
        let change = Change::new(format!("job {}", args.jid), Value::Null, Value::Null);
        let run = look(&args.jid, args.mode());
        Ok(change.step(run).because(Cause::Act).into())
    }

    fn output(args: &Args, _: &Seen, done: &[Done]) -> Result<Output, Stop> {
        let cleanup = args.mode.unwrap_or_default() == Mode::Cleanup;
        let output = Output {
            ansible_job_id: args.jid.clone(),
            started: !cleanup,
            finished: !cleanup,
            erased: cleanup.then(|| args.jid.clone()),
            ..Output::default()
        };
        if args.jid == ENDED {
            return Ok(output);
        }
        let Some(done) = done.last() else {
            return Err(NotYet::new("how the job stands").into());
        };
        if done.status == status::UNKNOWN {
            return Ok(Output {
                started: true,
                finished: true,
                erased: None,
                msg: Some("could not find job".to_owned()),
                ..output
            });
        }
        if cleanup {
            return Ok(output);
        }
        let (stdout, stderr) = (after_line(&done.stdout), text(&done.stderr, true));
        Ok(match Standing::of(done) {
            Some(Standing::Ended { up: true, .. }) => Output {
                msg: Some("Timeout exceeded".to_owned()),
                ..output
            },
            Some(Standing::Ended { rc, millis, .. }) => Output {
                rc: Some(rc),
                stdout_lines: stdout.lines().map(str::to_owned).collect(),
                stderr_lines: stderr.lines().map(str::to_owned).collect(),
                stdout,
                stderr,
                delta: Some(delta(millis)),
                msg: (rc != 0).then(|| "non-zero return code".to_owned()),
                ..output
            },
            Some(Standing::Running) => Output {
                finished: false,
                ..output
            },
            Some(Standing::Lost) | None => Output {
                msg: Some("the job is gone without a status".to_owned()),
                ..output
            },
        })
    }

    /// What the job did is there once it has ended.
    fn touches(_: &Args) -> Touches {
        Touches::everything()
    }

    fn subject(args: &Args) -> String {
        args.jid.clone()
    }
}

/// What the job printed: all behind the first line.
fn after_line(stdout: &[u8]) -> String {
    let mut parts = stdout.splitn(2, |byte| *byte == b'\n');
    text(parts.nth(1).unwrap_or_default(), true)
}
