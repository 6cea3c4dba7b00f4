//! A script of this machine, run on a host.

use evenkeel_engine::{
    Content, Done, Late, Module, Nature, NotYet, Plan, Probes, Refusal, Run, Seen, Source, Stop,
    Text, Touches, Value,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    args::is_default,
    command::{Decision, Guards, change, limited, output, secret, shown, split, text_value},
    copy::Src,
    many::{is_yes, one_or_many, yes},
};

pub use crate::command::Output;

/// The module `script`.
#[derive(Debug)]
pub struct Script;

/// Arguments of `script`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The script, a file of this machine, and its arguments in one line, which a shell of the host reads: quote what
    /// comes from variables (`| quote`).
    #[serde(
        default,
        alias = "_raw_params",
        skip_serializing_if = "Option::is_none"
    )]
    pub cmd: Option<Late<Text>>,
    /// The script alone; its arguments are `argv` then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub src: Option<Src>,
    /// The arguments as a list, each taken as it is.
    #[serde(default, skip_serializing_if = "is_default")]
    pub argv: Vec<Late<Text>>,
    /// What it is run by, such as `/usr/bin/python3`; the first line of the script says it if unset.
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
    /// Does not run if one of these commands succeeds. They run on the host through `sh`, at each look at it, in check
    /// mode too: they must only read.
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
    /// The directory of the host to run in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chdir: Option<String>,
    /// Whether empty lines at the end of the output are dropped (the default).
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub strip_empty_ends: bool,
    /// Whether it may take long: then it runs detached from the connection, beside other work.
    #[serde(default, skip_serializing_if = "is_default")]
    pub long: bool,
    /// Time limit in seconds; an hour if unset, none for a `long` one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    /// Whether a vaulted script is decrypted (the default).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decrypt: Option<bool>,
}

/// Takes the script from stdin into a private directory, and removes it when it has run.
const RUN: &str = r#"
ek_dir=$(mktemp -d) || exit 126
trap 'rm -rf -- "$ek_dir"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
ek_file=$ek_dir/$1 ek_by=$2 ek_rest=$3
shift 3
cat >"$ek_file" && chmod 0700 "$ek_file" || exit 126
eval "$ek_by \"\$ek_file\" \"\$@\" $ek_rest" </dev/null
"#;

impl Args {
    fn guards(&self) -> Guards<'_> {
        Guards {
            creates: &self.creates,
            removes: &self.removes,
            unless: &self.unless,
            onlyif: &self.onlyif,
            chdir: self.chdir.as_deref(),
        }
    }

    /// The words behind the script, and what a shell is to read.
    fn words(&self) -> Result<(Vec<Text>, String), Stop> {
        let Some(line) = &self.cmd else {
            let words = self.argv.iter().map(|word| word.get().cloned());
            return Ok((words.collect::<Result<_, _>>()?, String::new()));
        };
        let line = line.get()?;
        split::words(line).map_err(Stop::Refused)?;
        Ok((
            Vec::new(),
            rest(&String::from_utf8_lossy(line.bytes())).to_owned(),
        ))
    }

    fn source(&self) -> Result<&Source, Stop> {
        match &self.src {
            Some(Src::Local(source)) => Ok(source),
            Some(Src::Host(path)) => Err(Stop::refused(format!(
                "`{path}` is no file of this machine"
            ))),
            None => Err(NotYet::new("which script is run").into()),
        }
    }
}

impl Module for Script {
    const NAME: &'static str = "script";
    const ALIASES: &'static [&'static str] = &["ansible.builtin.script", "ansible.legacy.script"];
    const NATURE: Nature = Nature::Command;
    const ABOUT: &'static str = "runs a script of this machine on a host";
    const EXAMPLE: &'static str = "\
- script:
    cmd: migrate.sh --all
    chdir: /opt/app
    creates: /opt/app/migrated
";
    const CHANGED_WHEN: &'static str = "As for `command`.";
    const LIMITS: &'static str = "\
        What the first line of the script names must be on the host (or `executable`). It reads nothing from stdin. It \
        lies in a private directory below `$TMPDIR` or `/tmp` while it runs.";
    const FILES: &'static [&'static str] = &["src"];
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        match (&args.cmd, &args.src) {
            (None, None) => {
                return Err(
                    Refusal::new("no script given").help("name a file of this machine in `cmd`")
                );
            }
            (Some(_), _) if !args.argv.is_empty() => {
                return Err(Refusal::new("`cmd` and `argv` exclude each other")
                    .help("name the script in `src`"));
            }
            (_, Some(Src::Host(path))) => {
                return Err(Refusal::new(format!("`{path}` is no file of this machine")));
            }
            (_, Some(Src::Local(source))) if source.tree().is_some() => {
                return Err(Refusal::new(format!("`{}` is a directory", source.name())));
            }
            _ => {}
        }
        if let Some(Late::Known(line)) = &args.cmd {
            split::words(line)?;
        }
        if args
            .executable
            .as_ref()
            .is_some_and(|text| shlex::split(text).is_none_or(|words| words.is_empty()))
        {
            return Err(Refusal::new("`executable` is no program"));
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
        let source = args.source()?;
        let name = source
            .name()
            .rsplit('/')
            .next()
            .filter(|name| !name.is_empty())
            .unwrap_or("script");
        let by = shlex::split(args.executable.as_deref().unwrap_or_default()).unwrap_or_default();
        let by = shlex::try_join(by.iter().map(String::as_str))
            .map_err(|_| Stop::refused("`executable` is no program"))?;
        let (words, rest) = args.words()?;
        let mut argv: Vec<String> = ["sh", "-c", RUN, "script", name, &by, &rest]
            .map(str::to_owned)
            .into();
        argv.extend(
            words
                .iter()
                .map(|word| String::from_utf8_lossy(word.bytes()).into_owned()),
        );
        let whole = args.cmd.iter().filter_map(|line| secret(line.get().ok()?));
        let run = Run {
            dir: args.guards().dir(seen)?,
            stdin: Content::from(source),
            secret_argv: whole.chain(words.iter().filter_map(secret)).collect(),
            explain: Some(explain),
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
        let cmd = match &args.cmd {
            Some(line) => text_value(line.get()?.clone()),
            None => Value::from(Self::subject(args)),
        };
        output(cmd, &args.guards(), args.strip_empty_ends, after, done)
    }

    fn touches(_: &Args) -> Touches {
        Touches::everything()
    }

    fn subject(args: &Args) -> String {
        match (&args.cmd, &args.src) {
            (Some(line), _) => shown(line),
            (None, Some(Src::Local(source))) => {
                let words = args.argv.iter().map(shown);
                std::iter::once(source.name().to_owned())
                    .chain(words)
                    .collect::<Vec<_>>()
                    .join(" ")
            }
            _ => String::new(),
        }
    }
}

/// A line without its first word.
fn rest(line: &str) -> &str {
    let line = line.trim_start();
    let (mut quote, mut escaped) = (None, false);
    let end = line.char_indices().find(|(_, c)| {
        match (quote, *c) {
            _ if escaped => escaped = false,
            (None | Some('"'), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(*c),
            (None, c) => return c.is_whitespace(),
            _ => {}
        }
        false
    });
    end.map_or("", |(end, _)| line[end..].trim_start())
}

/// Why a script does not even begin.
fn explain(done: &Done) -> Option<Refusal> {
    match done.status {
        126 => Some(Refusal::new("the script cannot be run on this host").help(
            "its first line has to name a program (`#!/bin/sh`), or `executable` does; where `/tmp` is mounted `noexec`, `executable` is needed",
        )),
        127 => Some(Refusal::new("what the script is run by, or calls, is not on this host").help(
            "its first line, or `executable`, names a program that has to be installed first",
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_first_word_is_the_script() {
        for (line, rest) in [
            ("a.sh", ""),
            ("  a.sh  b 'c d' ", "b 'c d' "),
            ("'a b'\\ c\" d\" e", "e"),
            ("a\\\\ b", "b"),
            ("\"a\\\" b\" c>d", "c>d"),
            ("a\n b\n", "b\n"),
        ] {
            assert_eq!(super::rest(line), rest, "{line}");
        }
    }
}
