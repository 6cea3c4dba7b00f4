//! What archives hold, unpacked.

mod decide;
mod unpacked;

use evenkeel_engine::{
    Done, Module, Plan, Probes, Refusal, Seen, Stop, Text, Touches, probes::Contents,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use unpacked::{Members, Unpacked};

use crate::{
    args::is_default,
    copy::Src,
    download::{Request, is_web},
    look::Look,
    mode::Mode,
};

/// The module `unarchive`.
#[derive(Debug)]
pub struct Unarchive;

/// Arguments of `unarchive`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The archive: a file of this machine, an address, or with `remote_src` a path of the host.
    pub src: Src,
    /// The directory, which has to be there.
    pub dest: String,
    /// Whether `src` is a path of the host (or an address).
    #[serde(default, skip_serializing_if = "is_default")]
    pub remote_src: bool,
    /// If this path is there, nothing is done, and nothing transferred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creates: Option<String>,
    /// Only these members: names, or patterns as the shell's.
    #[serde(default, skip_serializing_if = "is_default")]
    pub include: Vec<String>,
    /// Not these members.
    #[serde(default, skip_serializing_if = "is_default")]
    pub exclude: Vec<String>,
    /// More options for `tar` or `unzip`: `--strip-components=1`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub extra_opts: Vec<String>,
    /// Files that are newer than those of the archive are kept, and contents are not compared later.
    #[serde(default, skip_serializing_if = "is_default")]
    pub keep_newer: bool,
    /// Whether the result has the names of the members.
    #[serde(default, skip_serializing_if = "is_default")]
    pub list_files: bool,
    /// Owner of every member: name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Group of every member: name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Permission bits of every member: `"0755"` or `u=rwX,go=rX`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
}

/// What `register` gives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Output {
    /// The archive.
    pub src: String,
    /// The directory.
    pub dest: String,
    /// The members, with `list_files`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Vec<String>>,
}

impl Module for Unarchive {
    const NAME: &'static str = "unarchive";
    const ALIASES: &'static [&'static str] =
        &["ansible.builtin.unarchive", "ansible.legacy.unarchive"];
    const ABOUT: &'static str = "keeps what an archive holds unpacked";
    const EXAMPLE: &'static str = "\
- name: the application
  unarchive:
    src: https://example.com/app-1.2.tar.gz
    dest: /opt/app
    owner: app
    mode: u=rwX,go=rX
    extra_opts: [--strip-components=1]
";
    const CHANGED_WHEN: &'static str = "\
This archive was not unpacked there in this way to the end, by this module; or a member is gone, or has another \
content, target, type, owner, group or mode than it was left with. Members that are right are not touched again.";
    const LIMITS: &'static str = "\
What was unpacked is recorded on the host, in `/var/lib/evenkeel-unarchive` (or `.evenkeel-unarchive` of the home of \
who is not root): the archive is not needed to see that all is right, and what others unpacked is unpacked once more. \
An address stands for its archive: it is not asked whether that is another by now; it is fetched as `get-url` does it. The host needs GNU `tar`, `find` \
and the archive's own program, or `unzip`. Members that lead out of the directory, devices, named pipes, setuid files \
and names with line ends are refused, as is what would not fit on the disk; and a link is never written through. A \
directory of the name `.` in an archive does not change `dest` itself.";
    const FILES: &'static [&'static str] = &["src"];
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        if args.dest.is_empty() {
            return Err(Refusal::new("`dest` is empty"));
        }
        match &args.src {
            Src::Local(source) if source.tree().is_some() => {
                return Err(Refusal::new(format!(
                    "`src`: `{}` is a directory",
                    source.name()
                )));
            }
            Src::Local(source) if args.remote_src => {
                let what = format!(
                    "`src`: `{}` is a local file, but `remote_src` is set",
                    source.name()
                );
                return Err(Refusal::new(what));
            }
            Src::Local(source) if source.is_empty() => {
                return Err(Refusal::new(format!(
                    "`src`: `{}` is an empty file",
                    source.name()
                )));
            }
            Src::Local(_) => {}
            Src::Host(text) if is_web(text) => Request::new(text.as_str()).check()?,
            Src::Host(text) if args.remote_src && text.starts_with('/') => {}
            Src::Host(text) => {
                return Err(Refusal::new(format!(
                    "`src: {text}` is neither an address nor a local file"
                ))
                .help("a file of the host needs `remote_src: true` and its whole path"));
            }
        }
        if !args.include.is_empty() && !args.exclude.is_empty() {
            return Err(Refusal::new("`include` and `exclude` exclude each other"));
        }
        if let Some(name) = args.include.iter().find(|name| name.starts_with('-')) {
            return Err(
                Refusal::new(format!("`include: {name}` looks like an option"))
                    .help("write `./` before it"),
            );
        }
        if args.mode.as_ref().is_some_and(Mode::is_preserve) {
            return Err(Refusal::new("`mode: preserve` is what no `mode` does"));
        }
        let leads_out = |option: &&String| {
            let long = [
                "--absolute-names",
                "--directory",
                "--to-command",
                "--use-compress",
                "--checkpoint",
                "--rsh",
                "--file",
            ];
            let short = |letter: char| {
                option.starts_with('-') && !option.starts_with("--") && option.contains(letter)
            };
            long.iter().any(|name| option.starts_with(name)) || "PCIfd".chars().any(short)
        };
        if let Some(option) = args.extra_opts.iter().find(leads_out) {
            let what = format!("`extra_opts`: `{option}` would write elsewhere, or run something");
            return Err(Refusal::new(what));
        }
        Ok(())
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide::decide(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide::decide(args, &Look::new(seen))
    }

    fn output(args: &Args, after: &Seen, _: &[Done]) -> Result<Output, Stop> {
        let look = Look::new(after);
        let files = if args.list_files && !decide::is_created(args, &look)? {
            let names = look
                .get(&Contents(decide::names(args, &look)?))?
                .as_deref()
                .unwrap_or_default();
            let names = String::from_utf8_lossy(names);
            Some(
                names
                    .lines()
                    .map(|name| name.trim_start_matches("./").to_owned())
                    .collect(),
            )
        } else {
            None
        };
        Ok(Output {
            src: args.shown(),
            dest: args.dest.clone(),
            files,
        })
    }

    fn touches(_: &Args) -> Touches {
        // Where records are kept depends on who the task runs as.
        Touches::everything()
    }

    fn subject(args: &Args) -> String {
        args.dest.clone()
    }
}

impl Args {
    /// What the archive is called.
    fn shown(&self) -> String {
        match &self.src {
            Src::Local(source) => source.name().to_owned(),
            Src::Host(text) if is_web(text) => Request::new(text.as_str()).shown(),
            Src::Host(text) => text.clone(),
        }
    }

    /// The request, if the archive is at an address.
    fn request(&self) -> Option<Request> {
        match &self.src {
            Src::Host(url) if is_web(url) => Some(Request::new(Text::from(url.as_str()))),
            _ => None,
        }
    }

    fn owners(&self) -> String {
        match (&self.owner, &self.group) {
            (None, None) => String::new(),
            (Some(owner), None) => owner.clone(),
            (owner, Some(group)) => format!("{}:{group}", owner.as_deref().unwrap_or_default()),
        }
    }
}
