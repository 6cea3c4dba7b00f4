//! A program of the user's, without a shell.

mod guard;
pub(crate) mod split;

use evenkeel_engine::{
    Action, Cause, Change, Done, Effect, Late, Module, Nature, NotYet, Plan, Probes, Refusal, Run,
    Secret, Seen, Step, Stop, Text, Touches, Value,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    args::is_default,
    many::{is_yes, one_or_many, yes},
};

pub use guard::Succeeds;
pub(crate) use guard::{Decision, Guards};

/// The module `command`.
#[derive(Debug)]
pub struct Command;

/// Arguments of `command`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The program and its arguments in one line, split as a shell would, but run without one.
    #[serde(
        default,
        alias = "_raw_params",
        skip_serializing_if = "Option::is_none"
    )]
    pub cmd: Option<Late<Text>>,
    /// The program and its arguments as a list, each taken as it is.
    #[serde(default, skip_serializing_if = "is_default")]
    pub argv: Vec<Late<Text>>,
    /// Does not run if these paths exist; patterns (`*`, `?`, `[…]`) are allowed.
    #[serde(
        default,
        deserialize_with = "one_or_many",
        skip_serializing_if = "is_default"
    )]
    pub creates: Vec<String>,
    /// Does not run if none of these paths exists; patterns are allowed.
    #[serde(
        default,
        deserialize_with = "one_or_many",
        skip_serializing_if = "is_default"
    )]
    pub removes: Vec<String>,
    /// Does not run if one of these commands succeeds. They run through `sh`, at each look at the
    /// host, in check mode too: they must only read.
    #[serde(
        default,
        deserialize_with = "one_or_many",
        skip_serializing_if = "is_default"
    )]
    pub unless: Vec<String>,
    /// Does not run if one of these commands fails. As `unless`, they must only read.
    #[serde(
        default,
        deserialize_with = "one_or_many",
        skip_serializing_if = "is_default"
    )]
    pub onlyif: Vec<String>,
    /// The directory to run in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chdir: Option<String>,
    /// What the program reads from stdin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<Late<Text>>,
    /// Whether a newline is added to `stdin` (the default).
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub stdin_add_newline: bool,
    /// Whether `$NAME` and a leading `~` in arguments are expanded on the host (the default).
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub expand_argument_vars: bool,
    /// Whether empty lines at the end of the output are dropped (the default).
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub strip_empty_ends: bool,
    /// Whether it may take long: then it runs detached from the connection, beside other work.
    #[serde(default, skip_serializing_if = "is_default")]
    pub long: bool,
    /// Time limit in seconds; an hour if unset, none for a `long` one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            cmd: None,
            argv: Vec::new(),
            creates: Vec::new(),
            removes: Vec::new(),
            unless: Vec::new(),
            onlyif: Vec::new(),
            chdir: None,
            stdin: None,
            stdin_add_newline: true,
            expand_argument_vars: true,
            strip_empty_ends: true,
            long: false,
            timeout: None,
        }
    }
}

impl Args {
    /// A command line.
    pub fn cmd(line: impl Into<Text>) -> Self {
        Self {
            cmd: Some(Late::Known(line.into())),
            ..Self::default()
        }
    }

    fn guards(&self) -> Guards<'_> {
        Guards {
            creates: &self.creates,
            removes: &self.removes,
            unless: &self.unless,
            onlyif: &self.onlyif,
            chdir: self.chdir.as_deref(),
        }
    }

    /// The words, each as it was written.
    fn words(&self) -> Result<Vec<Text>, Stop> {
        let Some(line) = &self.cmd else {
            let words = self.argv.iter().map(|word| word.get().cloned());
            return Ok(words.collect::<Result<_, _>>()?);
        };
        let line = line.get()?;
        let words = split::words(line).map_err(Stop::Refused)?;
        Ok(match line {
            Text::Plain(_) => words.into_iter().map(Text::Plain).collect(),
            Text::Secret(_) => words
                .into_iter()
                .map(|word| Text::Secret(Secret::new(word)))
                .collect(),
        })
    }

    fn secrets(&self) -> Vec<Secret> {
        let whole = self.cmd.iter().filter_map(|line| secret(line.get().ok()?));
        // The program's name is no secret, whatever else the line holds.
        let words = self.words().unwrap_or_default();
        let words = words.iter().skip(usize::from(self.cmd.is_some()));
        whole.chain(words.filter_map(secret)).collect()
    }
}

pub(crate) fn secret(text: &Text) -> Option<Secret> {
    match text {
        Text::Plain(_) => None,
        Text::Secret(secret) => Some(secret.clone()),
    }
}

/// What `register` gives for `command` and `shell`.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
pub struct Output {
    /// What ran: a list of words (`command`) or a text (`shell`).
    pub cmd: Value,
    /// Exit status.
    pub rc: i32,
    /// What it printed.
    pub stdout: String,
    /// The same, line by line.
    pub stdout_lines: Vec<String>,
    /// What it printed on stderr.
    pub stderr: String,
    /// The same, line by line.
    pub stderr_lines: Vec<String>,
    /// How long it took, as `0:00:01.250000`; nothing if it did not run.
    pub delta: Option<String>,
    /// Why it did not run; empty if it did.
    pub msg: String,
}

impl Module for Command {
    const NAME: &'static str = "command";
    const ALIASES: &'static [&'static str] = &["ansible.builtin.command", "ansible.legacy.command"];
    const NATURE: Nature = Nature::Command;
    const ABOUT: &'static str = "runs a program without a shell";
    const EXAMPLE: &'static str = "\
- command:
    cmd: /opt/app/bin/migrate --all
    chdir: /opt/app
    unless: /opt/app/bin/migrate --check
";
    const CHANGED_WHEN: &'static str = "\
        It ran: always, unless `creates`, `removes`, `unless` or `onlyif` find that there is nothing to \
        do, or `changed_when` says otherwise.";
    const LIMITS: &'static str = "\
        It goes through no shell: no pipes, globs or `&&` (see `shell`). What it changes it cannot \
        foretell: a plan says that it would run, and calls unknown what depends on it. Without guards it \
        runs again every time.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        check_line(args.cmd.as_ref(), args.argv.is_empty())?;
        if args.cmd.is_some() && !args.argv.is_empty() {
            let help = "keep `argv`: its words are taken as they are";
            return Err(Refusal::new("`cmd` and `argv` exclude each other").help(help));
        }
        if let Some(Late::Known(line)) = &args.cmd {
            split::words(line)?;
        }
        args.guards().check()
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        args.guards().observe(seen)
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        let cause = match args.guards().decide(seen)? {
            Decision::Rest(guard, _) => return Ok(Plan::guarded(guard)),
            Decision::Run(cause) => cause,
        };
        let words = args.words()?;
        let bare = words.iter().map(Text::bytes);
        let bare: Vec<_> = bare
            .map(|w| String::from_utf8_lossy(w).into_owned())
            .collect();
        let argv = if args.expand_argument_vars {
            split::expanding(bare)
        } else {
            bare
        };
        let run = Run {
            dir: args.guards().dir(seen)?,
            stdin: stdin(args.stdin.as_ref(), args.stdin_add_newline)?,
            secret_argv: args.secrets(),
            ..limited(argv, args.long, args.timeout)
        };
        Ok(change(
            &Self::subject(args),
            cause,
            run,
            args.guards().effects(seen),
        ))
    }

    fn output(args: &Args, after: &Seen, done: &[Done]) -> Result<Output, Stop> {
        let cmd: Value = args.words()?.into_iter().map(text_value).collect();
        output(cmd, &args.guards(), args.strip_empty_ends, after, done)
    }

    fn unrun(args: &Args) -> Option<Output> {
        let cmd = args.words().ok()?.into_iter().map(text_value).collect();
        Some(unrun(cmd, WOULD_RUN))
    }

    fn touches(_: &Args) -> Touches {
        Touches::everything()
    }

    fn subject(args: &Args) -> String {
        match &args.cmd {
            Some(line) => shown(line),
            None => args.argv.iter().map(shown).collect::<Vec<_>>().join(" "),
        }
    }
}

pub(crate) fn check_line(line: Option<&Late<Text>>, no_argv: bool) -> Result<(), Refusal> {
    let blank = match line {
        Some(Late::Known(line)) => line.bytes().trim_ascii().is_empty(),
        Some(Late::NotYet(_)) => false,
        None => no_argv,
    };
    if blank {
        return Err(Refusal::new("no command given").help("say what to run in `cmd`"));
    }
    Ok(())
}

pub(crate) fn text_value(text: Text) -> Value {
    match text {
        Text::Plain(text) => text.into(),
        Text::Secret(secret) => Value::Secret(secret),
    }
}

/// What people see of a text.
pub(crate) fn shown(text: &Late<Text>) -> String {
    match text {
        Late::Known(text) => text.shown().to_owned(),
        Late::NotYet(what) => what.to_string(),
    }
}

pub(crate) fn stdin(
    text: Option<&Late<Text>>,
    newline: bool,
) -> Result<evenkeel_engine::Content, NotYet> {
    let Some(text) = text else {
        return Ok(evenkeel_engine::Content::default());
    };
    let text = text.get()?;
    if !newline {
        return Ok(text.into());
    }
    let bytes = [text.bytes(), b"\n"].concat();
    Ok(match text {
        Text::Plain(_) => bytes.into(),
        Text::Secret(_) => evenkeel_engine::Content::Secret(Secret::new(bytes)),
    })
}

/// How long a command that is not `long` may take, in seconds.
const LIMIT: u64 = 3600;

pub(crate) fn limited(argv: Vec<String>, long: bool, timeout: Option<u64>) -> Run {
    Run {
        seconds: timeout.or_else(|| (!long).then_some(LIMIT)),
        long,
        ..Run::new(argv)
    }
}

pub(crate) fn change(what: &str, cause: Cause, run: Run, effects: Vec<Effect>) -> Plan {
    let step = Step {
        effects,
        ..Action::Run(run).into()
    };
    Change::new(format!("run `{what}`"), Value::Null, Value::Null)
        .step(step)
        .because(cause)
        .into()
}

/// The result of a command that ran, or that a guard kept from running.
pub(crate) fn output(
    cmd: Value,
    guards: &Guards<'_>,
    strip: bool,
    after: &Seen,
    done: &[Done],
) -> Result<Output, Stop> {
    let Some(done) = done.last() else {
        return match guards.decide(after)? {
            Decision::Rest(_, why) => Ok(Output {
                stdout_lines: why.stdout().lines().map(str::to_owned).collect(),
                stdout: why.stdout(),
                ..unrun(cmd, why.message())
            }),
            Decision::Run(_) => Err(NotYet::new("what the command prints").into()),
        };
    };
    let (stdout, stderr) = (text(&done.stdout, strip), text(&done.stderr, strip));
    Ok(Output {
        cmd,
        rc: done.status,
        stdout_lines: stdout.lines().map(str::to_owned).collect(),
        stderr_lines: stderr.lines().map(str::to_owned).collect(),
        stdout,
        stderr,
        delta: Some(delta(done.millis)),
        msg: match done.status {
            0 => "",
            _ => "non-zero return code",
        }
        .to_owned(),
    })
}

/// The result of a command that did not run.
pub(crate) fn unrun(cmd: Value, msg: impl Into<String>) -> Output {
    Output {
        cmd,
        rc: 0,
        stdout: String::new(),
        stdout_lines: Vec::new(),
        stderr: String::new(),
        stderr_lines: Vec::new(),
        delta: None,
        msg: msg.into(),
    }
}

/// What is said of one that only says what it would do.
pub(crate) const WOULD_RUN: &str = "Command would have run if not in check mode";

pub(crate) fn text(bytes: &[u8], strip: bool) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = if strip {
        text.trim_end_matches(['\r', '\n'])
    } else {
        &text
    };
    text.to_owned()
}

/// As Python prints a duration: `0:00:01.250000`.
pub(crate) fn delta(millis: u64) -> String {
    let (seconds, rest) = (millis / 1000, millis % 1000);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{hours}:{minutes:02}:{:02}.{rest:03}000", seconds % 60)
}

#[cfg(test)]
mod tests;
