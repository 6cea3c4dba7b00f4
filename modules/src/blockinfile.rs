//! A block of lines between two marks: there, or gone.

mod edit;

use evenkeel_engine::{
    Done, Late, Module, Plan, Probes, Refusal, Seen, Stop, Text, Touches, Value,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    args::{Unsupported, is_default},
    attributes::Wanted,
    look::Look,
    mode::Mode,
    pattern::Pattern,
    put,
    rewrite::{Missing, Rewrite, Rewritten},
};
use edit::{Block, Place};

/// The module `blockinfile`.
#[derive(Debug)]
pub struct Blockinfile;

/// Arguments of `blockinfile`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The file, of at most 1 MiB.
    #[serde(alias = "dest", alias = "destfile", alias = "name")]
    pub path: String,
    /// What stands between the marks. Without it, or if it is empty, the block is gone.
    #[serde(default, alias = "content", skip_serializing_if = "Option::is_none")]
    pub block: Option<Late<Text>>,
    /// Whether the block is to be there or gone.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
    /// The lines that mark the block; `{mark}` stands for `marker_begin` in the first and `marker_end`
    /// in the last. Left out, it is `# {mark} ANSIBLE MANAGED BLOCK`. Two blocks of a file need two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// What `{mark}` is in the first line (`BEGIN`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker_begin: Option<String>,
    /// What `{mark}` is in the last line (`END`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker_end: Option<String>,
    /// `EOF`, or a pattern: a block that is not there yet comes after the last line that matches;
    /// with `(?m)`, after the first place that matches, which may be several lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insertafter: Option<String>,
    /// `BOF`, or a pattern: it comes before that line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insertbefore: Option<String>,
    /// A blank line comes before the block, unless there is one or the file begins.
    #[serde(default, skip_serializing_if = "is_default")]
    pub prepend_newline: bool,
    /// A blank line comes after the block, unless there is one or the file ends.
    #[serde(default, skip_serializing_if = "is_default")]
    pub append_newline: bool,
    /// Makes a file that is missing, and the directories above it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub create: bool,
    /// Keeps a copy of the old file beside it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub backup: bool,
    /// A command that must accept the new file before it takes its place; `%s` is its path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validate: Option<String>,
    /// Owner: name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Group: name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Permission bits: `"0644"` or `u=rw,go=r`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
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

/// Whether the block is to be there or gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is there.
    #[default]
    Present,
    /// It is gone, with its marks.
    Absent,
}

impl Module for Blockinfile {
    const NAME: &'static str = "blockinfile";
    const ALIASES: &'static [&'static str] =
        &["ansible.builtin.blockinfile", "ansible.legacy.blockinfile"];
    const ABOUT: &'static str = "keeps a block of lines in a file, between two marks";
    const EXAMPLE: &'static str = "\
- name: the hosts of the cluster
  blockinfile:
    path: /etc/hosts
    marker: '# {mark} cluster'
    block: |
      10.0.0.1 db
      10.0.0.2 web
";
    const CHANGED_WHEN: &'static str = "\
        The block between its markers does not say what it should, or owner, group or mode \
        differ.";
    const LIMITS: &'static str = "\
        It keeps one block for each marker. For options of INI files see `ini-file`.";
    type Args = Args;
    type Output = Rewritten;

    fn check(args: &Args) -> Result<(), Refusal> {
        if args.path.is_empty() {
            return Err(Refusal::new("`path` is empty"));
        }
        if args.insertafter.is_some() && args.insertbefore.is_some() {
            let both = "`insertafter` and `insertbefore` exclude each other";
            return Err(Refusal::new(both));
        }
        if args.mode.as_ref().is_some_and(Mode::is_preserve) {
            return Err(Refusal::new("`mode: preserve` is for copies only"));
        }
        args.validate.as_deref().map(put::validator).transpose()?;
        args.place()?;
        let (begin, end) = args.marks()?;
        if let Some(Late::Known(text)) = &args.block {
            let marked = |line: &[u8]| line == begin.as_bytes() || line == end.as_bytes();
            if args.state == State::Present && text.bytes().split(|b| *b == b'\n').any(marked) {
                return Err(Refusal::new("a line of `block` is one of its own marks")
                    .help("the block could not be found again: choose another `marker`"));
            }
        }
        Ok(())
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide(args, &Look::new(seen))
    }

    fn output(args: &Args, after: &Seen, done: &[Done]) -> Result<Rewritten, Stop> {
        args.rewrite().output(after, done)
    }

    fn touches(args: &Args) -> Touches {
        args.rewrite().touches()
    }

    fn subject(args: &Args) -> String {
        args.path.clone()
    }
}

impl Args {
    /// The two lines that mark the block.
    fn marks(&self) -> Result<(String, String), Refusal> {
        let marker = self
            .marker
            .as_deref()
            .unwrap_or("# {mark} ANSIBLE MANAGED BLOCK");
        let made = |mark: Option<&str>, default| marker.replace("{mark}", mark.unwrap_or(default));
        let begin = made(self.marker_begin.as_deref(), "BEGIN");
        let end = made(self.marker_end.as_deref(), "END");
        if begin == end {
            let why = format!("both marks of the block are `{begin}`: it would not be found again");
            return Err(Refusal::new(why)
                .help("`marker` needs `{mark}`, and `marker_begin` and `marker_end` must differ"));
        }
        if begin.contains('\n') || end.contains('\n') {
            return Err(Refusal::new("a mark of the block is more than one line")
                .help("it would not be found again: write `marker` without a newline"));
        }
        Ok((begin, end))
    }

    /// The text between the marks; nothing if the block is to be gone.
    fn text(&self) -> Result<Option<Vec<u8>>, Stop> {
        let text = match (&self.block, self.state) {
            (Some(text), State::Present) => text.get()?.bytes().to_vec(),
            _ => Vec::new(),
        };
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    fn place(&self) -> Result<Place, Refusal> {
        Ok(
            match (self.insertafter.as_deref(), self.insertbefore.as_deref()) {
                (Some("BOF"), _) | (_, Some("BOF")) => Place::Begin,
                (Some("EOF") | None, None | Some("EOF")) => Place::End,
                (_, Some(pattern)) => Place::Before(Pattern::new("insertbefore", pattern)?),
                (Some(pattern), _) => Place::After(Pattern::new("insertafter", pattern)?),
            },
        )
    }

    fn block(&self) -> Result<Block, Stop> {
        let (begin, end) = self.marks()?;
        let place = self.insertafter.as_deref().or(self.insertbefore.as_deref());
        Ok(Block {
            begin: begin.into_bytes(),
            end: end.into_bytes(),
            text: self.text()?,
            place: self.place()?,
            lines: place.is_some_and(is_for_lines),
            prepend_newline: self.prepend_newline,
            append_newline: self.append_newline,
        })
    }

    fn is_gone(&self) -> bool {
        self.state == State::Absent || matches!(self.text(), Ok(None))
    }

    fn rewrite(&self) -> Rewrite<'_> {
        Rewrite {
            missing: match self.create && self.state == State::Present {
                _ if self.is_gone() => Missing::Fine,
                true => Missing::Create,
                false => Missing::Wait,
            },
            wanted: Wanted {
                owner: self.owner.as_deref(),
                group: self.group.as_deref(),
                mode: self.mode.as_ref(),
            },
            backup: self.backup,
            validate: self.validate.as_deref(),
            secret: match &self.block {
                Some(Late::Known(text)) => text.is_secret(),
                Some(Late::NotYet(_)) => true,
                None => false,
            },
            ..Rewrite::new(&self.path)
        }
    }
}

/// Whether a pattern begins with a flag that makes it one for several lines.
fn is_for_lines(pattern: &str) -> bool {
    let flags = pattern
        .strip_prefix("(?")
        .and_then(|rest| rest.split_once(')'));
    flags.is_some_and(|(flags, _)| {
        flags.contains('m') && flags.chars().all(|flag| flag.is_ascii_lowercase())
    })
}

fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let mut is_new = false;
    let mut plan = args.rewrite().plan(look, |before| {
        is_new = before.is_empty();
        let edited = args.block()?.edit(before).map_err(|half| {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let (there, missing) = (text(&half.there), text(&half.missing));
            let why = format!("`{}` has the line `{there}`, but not `{missing}`", args.path);
            Refusal::new(why).help("it is not known what belongs to the block: put the missing line where it was, or remove the other")
        })?;
        Ok(Some(edited))
    })?;
    let is_made = is_new
        && plan
            .changes
            .iter()
            .any(|change| change.before == Value::Null);
    let msg = match (args.is_gone(), is_made) {
        (true, _) => "Block removed",
        (false, true) => "File created",
        (false, false) => "Block inserted",
    };
    Rewrite::tell(&mut plan, "msg", msg);
    Ok(plan)
}
