//! A command line of the user's, through a shell.

use evenkeel_engine::{
    Done, Late, Module, Nature, Plan, Probes, Refusal, Run, Seen, Stop, Text, Touches,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    args::is_default,
    command::{
        Decision, Guards, Output, WOULD_RUN, change, check_line, limited, output, secret, shown,
        stdin, text_value, unrun,
    },
    many::{is_yes, one_or_many, yes},
};

/// The module `shell`.
#[derive(Debug)]
pub struct Shell;

/// Arguments of `shell`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// What the shell runs; may have many lines.
    #[serde(alias = "_raw_params")]
    pub cmd: Late<Text>,
    /// The shell; `/bin/sh` if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executable: Option<String>,
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
    /// What the shell's programs read from stdin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<Late<Text>>,
    /// Whether a newline is added to `stdin` (the default).
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub stdin_add_newline: bool,
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

impl Args {
    /// A command line.
    pub fn cmd(line: impl Into<Text>) -> Self {
        Self {
            cmd: Late::Known(line.into()),
            executable: None,
            creates: Vec::new(),
            removes: Vec::new(),
            unless: Vec::new(),
            onlyif: Vec::new(),
            chdir: None,
            stdin: None,
            stdin_add_newline: true,
            strip_empty_ends: true,
            long: false,
            timeout: None,
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
}

impl Module for Shell {
    const NAME: &'static str = "shell";
    const ALIASES: &'static [&'static str] = &[
        "ansible.builtin.shell",
        "ansible.legacy.shell",
        "raw",
        "ansible.builtin.raw",
        "ansible.legacy.raw",
    ];
    const NATURE: Nature = Nature::Command;
    const ABOUT: &'static str = "runs a command line through a shell";
    const EXAMPLE: &'static str = "\
- shell:
    cmd: openssl rand -hex 32 > secret.key
    chdir: /etc/app
    creates: secret.key
";
    const CHANGED_WHEN: &'static str = "As for `command`.";
    const LIMITS: &'static str = "\
        The line itself is the host's affair: quote what comes from variables (`| quote`).";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        check_line(Some(&args.cmd), false)?;
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
        let line = args.cmd.get()?;
        let text = std::str::from_utf8(line.bytes())
            .map_err(|_| Stop::refused("the command line is not UTF-8"))?;
        let shell = args.executable.as_deref().unwrap_or("/bin/sh");
        let argv = [shell, "-c", text].map(str::to_owned).into();
        let run = Run {
            dir: args.guards().dir(seen)?,
            stdin: stdin(args.stdin.as_ref(), args.stdin_add_newline)?,
            secret_argv: secret(line).into_iter().collect(),
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
        let cmd = text_value(args.cmd.get()?.clone());
        output(cmd, &args.guards(), args.strip_empty_ends, after, done)
    }

    fn unrun(args: &Args) -> Option<Output> {
        let cmd = text_value(args.cmd.get().ok()?.clone());
        Some(unrun(cmd, WOULD_RUN))
    }

    fn touches(_: &Args) -> Touches {
        Touches::everything()
    }

    fn subject(args: &Args) -> String {
        shown(&args.cmd)
    }
}

#[cfg(test)]
mod tests {
    use evenkeel_engine::{Action, Value, bind};

    use super::*;

    fn args(yaml: &str) -> Args {
        let json: serde_json::Value = serde_yaml::from_str(yaml).unwrap();
        bind(&Value::from(json)).unwrap()
    }

    #[test]
    fn many_lines_go_to_the_shell_as_they_are() {
        let args = args("cmd: |\n  cat <<E\n    a  b\n  E\nexecutable: /bin/bash");
        let plan = Shell::plan(&args, &Seen::default()).unwrap();
        let Action::Run(run) = &plan.changes[0].steps[0].action else {
            panic!("no Run")
        };
        assert_eq!(run.argv, ["/bin/bash", "-c", "cat <<E\n  a  b\nE\n"]);
    }

    #[test]
    fn it_has_no_option_for_expanding() {
        let json = serde_json::json!({ "cmd": "x", "expand_argument_vars": false });
        assert!(bind::<Args>(&json.into()).is_err());
    }
}
