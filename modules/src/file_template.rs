//! Files made from templates. Who renders the template is the front end; this is what it holds then.

use evenkeel_engine::{
    Content, Done, Late, Module, Plan, Probes, Refusal, Secret, Seen, Stop, Touches,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    args::{Unsupported, is_default},
    attributes::{self, Wanted},
    copy::{self, Body, Output},
    look::Look,
    mode::Mode,
    paths,
    put::{self, Put},
    systemd_unit::lint,
};

/// The module `file-template`.
#[derive(Debug)]
pub struct FileTemplate;

/// Arguments of `file-template`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Where the file goes; a directory if it ends in `/` or is one.
    #[serde(alias = "path")]
    pub dest: String,
    /// The template, below `templates/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub src: Option<String>,
    /// What the template gives. Playbooks leave it out: it comes from `src`.
    #[schemars(with = "Option<String>")]
    pub content: Late<Body>,
    /// How lines end: `\n` (the default), `\r\n` or `\r`.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(with = "String")]
    pub newline_sequence: Newline,
    /// Whether the newline after a block of the template is dropped (the default).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trim_blocks: Option<bool>,
    /// Whether spaces before a block of the template are dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lstrip_blocks: Option<bool>,
    /// What an expression begins with; `{{`, unless it is said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variable_start_string: Option<String>,
    /// What an expression ends with; `}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variable_end_string: Option<String>,
    /// What a block begins with; `{%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_start_string: Option<String>,
    /// What a block ends with; `%}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_end_string: Option<String>,
    /// What a comment begins with; `{#`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment_start_string: Option<String>,
    /// What a comment ends with; `#}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment_end_string: Option<String>,
    /// Owner: name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Group: name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Permission bits: `"0644"`, `u=rw,go=r`, or `preserve` for those of the template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Whether an existing file is replaced when it holds something else (the default).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub force: Option<bool>,
    /// Keeps a copy of the old file beside it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub backup: bool,
    /// A command that must accept the new file before it takes its place; `%s` is its path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validate: Option<String>,
    /// If the destination is a link, writes what it points to instead of replacing it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub follow: bool,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub seuser: Option<Unsupported>,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub serole: Option<Unsupported>,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub setype: Option<Unsupported>,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub selevel: Option<Unsupported>,
    /// Not supported.
    #[serde(default, alias = "attr", skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub attributes: Option<Unsupported>,
    /// Not supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub unsafe_writes: Option<Unsupported>,
}

/// How lines end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Newline {
    /// As everywhere but on Windows.
    #[default]
    #[serde(rename = "\n", alias = "\\n")]
    Unix,
    /// As on Windows.
    #[serde(rename = "\r\n", alias = "\\r\\n")]
    Windows,
    /// As on old machines.
    #[serde(rename = "\r", alias = "\\r")]
    Old,
}

impl Newline {
    /// The content with these ends of lines.
    fn end(self, body: &Body) -> Content {
        let end = match self {
            Self::Unix => return body.content(),
            Self::Windows => "\r\n",
            Self::Old => "\r",
        };
        let mut bytes = Vec::new();
        for line in body.0.bytes().split_inclusive(|byte| *byte == b'\n') {
            match line.strip_suffix(b"\n") {
                Some(line) => {
                    bytes.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
                    bytes.extend_from_slice(end.as_bytes());
                }
                None => bytes.extend_from_slice(line),
            }
        }
        if body.is_secret() {
            Content::Secret(Secret::new(bytes))
        } else {
            bytes.into()
        }
    }
}

impl Module for FileTemplate {
    const NAME: &'static str = "file-template";
    const ALIASES: &'static [&'static str] = &[
        "template",
        "ansible.builtin.template",
        "ansible.legacy.template",
    ];
    const ABOUT: &'static str = "puts files made from templates in their place";
    const EXAMPLE: &'static str = "\
- name: the settings of the application
  file-template:
    src: app.conf.j2
    dest: /etc/app.conf
    mode: \"0640\"
";
    const CHANGED_WHEN: &'static str = "\
        What comes of the template is not what the file holds, or owner, group or mode differ.";
    const LIMITS: &'static str = "\
        It reads the template here, not on the host. Lookups that read this machine happen when the \
        playbook is loaded.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        if args.dest.is_empty() {
            return Err(Refusal::new("`dest` is empty"));
        }
        if args.mode.as_ref().is_some_and(Mode::is_preserve) {
            return Err(Refusal::new("`mode: preserve` needs a template in a file"));
        }
        args.validate.as_deref().map(put::validator).transpose()?;
        Ok(())
    }

    fn doubts(args: &Args) -> Vec<Refusal> {
        let content = args.content.get().map(Body::content);
        content.map_or_else(
            |_| Vec::new(),
            |content| lint::of_file(&args.dest, &content),
        )
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide(args, &Look::new(seen))
    }

    fn output(args: &Args, after: &Seen, _: &[Done]) -> Result<Output, Stop> {
        let look = Look::new(after);
        let target = put::target(&look, &args.dest, args.name(), args.follow)?;
        let written = match args.content.get() {
            Ok(body) if !body.is_secret() => {
                copy::Written::Content(args.newline_sequence.end(body))
            }
            _ => copy::Written::Secret,
        };
        Ok(copy::result(&look, &target.path, written)?)
    }

    fn touches(args: &Args) -> Touches {
        if args.validate.is_some() || !paths::is_absolute(&args.dest) {
            return Touches::everything();
        }
        copy::writes(&args.dest, args.name(), args.backup)
    }

    fn subject(args: &Args) -> String {
        args.dest.clone()
    }
}

impl Args {
    /// What the file is called if it goes into a directory.
    fn name(&self) -> Option<&str> {
        self.src.as_deref().map(paths::name)
    }
}

fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let wanted = Wanted {
        owner: args.owner.as_deref(),
        group: args.group.as_deref(),
        mode: args.mode.as_ref(),
    };
    wanted.ask(look);
    let target = put::target(look, &args.dest, args.name(), args.follow)?;
    let content = args
        .content
        .get()
        .map(|body| args.newline_sequence.end(body));
    let put = Put {
        wanted,
        force: args.force.unwrap_or(true),
        backup: args.backup,
        validate: args.validate.as_deref().map(put::validator).transpose()?,
    };
    let directories = Wanted {
        mode: None,
        ..wanted
    };
    let missing = target.missing.iter().cloned();
    let mut changes = attributes::missing_directories(look, missing, directories)?;
    changes.extend(put.changes(look, &target, &content)?);
    Ok(changes.into())
}
