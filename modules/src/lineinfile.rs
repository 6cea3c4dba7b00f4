//! One line of a file: there, replaced, or gone.

mod edit;

use evenkeel_engine::{
    Cause, Done, Late, Module, Plan, Probes, Refusal, Seen, Stop, Text, Touches,
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
use edit::Edit;

/// The module `lineinfile`.
#[derive(Debug)]
pub struct Lineinfile;

/// Arguments of `lineinfile`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The file, of at most 1 MiB.
    #[serde(alias = "dest", alias = "destfile", alias = "name")]
    pub path: String,
    /// The line, without its end.
    #[serde(default, alias = "value", skip_serializing_if = "Option::is_none")]
    pub line: Option<Late<Text>>,
    /// Whether the line is to be there or gone.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
    /// Which line is replaced (the last that matches), or which are removed (all that match).
    #[serde(default, alias = "regex", skip_serializing_if = "Option::is_none")]
    pub regexp: Option<String>,
    /// The same by a text that is in the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search_string: Option<String>,
    /// `EOF`, `BOF`, or a pattern: a line that is not there yet comes after the last line that
    /// matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insertafter: Option<String>,
    /// `BOF`, or a pattern: it comes before that line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insertbefore: Option<String>,
    /// `\1` and `\g<name>` in `line` stand for what the groups of `regexp` match; without a match
    /// nothing is done.
    #[serde(default, alias = "backref", skip_serializing_if = "is_default")]
    pub backrefs: bool,
    /// The first line that matches instead of the last.
    #[serde(default, skip_serializing_if = "is_default")]
    pub firstmatch: bool,
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

/// Whether the line is to be there or gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is there, once.
    #[default]
    Present,
    /// It is gone.
    Absent,
}

/// What `register` gives.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Output {
    /// The file, and what was done with it.
    #[serde(flatten)]
    pub file: Rewritten,
    /// Where the old text is; empty if it is nowhere.
    #[serde(default)]
    pub backup: String,
    /// How many lines were removed, with `state: absent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<u64>,
}

impl Module for Lineinfile {
    const NAME: &'static str = "lineinfile";
    const ALIASES: &'static [&'static str] =
        &["ansible.builtin.lineinfile", "ansible.legacy.lineinfile"];
    const ABOUT: &'static str = "keeps one line of a file";
    const EXAMPLE: &'static str = "\
- name: root does not log in
  lineinfile:
    path: /etc/ssh/sshd_config
    regexp: '^#?PermitRootLogin '
    line: PermitRootLogin no
    create: true
";
    const CHANGED_WHEN: &'static str = "\
        The line is not in the file where it should be, or owner, group or mode differ.";
    const LIMITS: &'static str = "\
        It keeps one line. For options of INI files see `ini-file`; for a whole file `file-template` is \
        easier to read and to foretell.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        let excludes = |a: bool, b: bool, names: &str| {
            let refusal = Refusal::new(format!("{names} exclude each other"));
            if a && b { Err(refusal) } else { Ok(()) }
        };
        excludes(
            args.insertafter.is_some(),
            args.insertbefore.is_some(),
            "`insertafter` and `insertbefore`",
        )?;
        excludes(
            args.regexp.is_some(),
            args.search_string.is_some(),
            "`regexp` and `search_string`",
        )?;
        excludes(
            args.backrefs,
            args.search_string.is_some(),
            "`backrefs` and `search_string`",
        )?;
        if args.path.is_empty() {
            return Err(Refusal::new("`path` is empty"));
        }
        if args.backrefs && args.regexp.is_none() {
            return Err(Refusal::new("`backrefs` needs `regexp`"));
        }
        if args.state == State::Present && args.line.is_none() {
            return Err(Refusal::new("`line` is missing"));
        }
        if args.line.is_none() && args.regexp.is_none() && args.search_string.is_none() {
            return Err(Refusal::new(
                "one of `line`, `regexp` and `search_string` is needed",
            ));
        }
        if args.mode.as_ref().is_some_and(Mode::is_preserve) {
            return Err(Refusal::new("`mode: preserve` is for copies only"));
        }
        args.validate.as_deref().map(put::validator).transpose()?;
        args.matcher()?;
        args.place()?;
        Ok(())
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide(args, &Look::new(seen))
    }

    fn output(args: &Args, after: &Seen, done: &[Done]) -> Result<Output, Stop> {
        Ok(Output {
            file: args.rewrite().output(after, done)?,
            backup: String::new(),
            found: (args.state == State::Absent).then_some(0),
        })
    }

    fn touches(args: &Args) -> Touches {
        args.rewrite().touches()
    }

    fn subject(args: &Args) -> String {
        args.path.clone()
    }
}

impl Args {
    /// Which lines are meant, beside those that are equal to `line`.
    fn matcher(&self) -> Result<Option<Pattern>, Refusal> {
        match (&self.regexp, &self.search_string) {
            (Some(regexp), _) => Pattern::new("regexp", regexp).map(Some),
            (_, Some(text)) => Ok(Some(Pattern::Part(text.clone()))),
            _ => Ok(None),
        }
    }

    fn place(&self) -> Result<edit::Place, Refusal> {
        Ok(
            match (self.insertafter.as_deref(), self.insertbefore.as_deref()) {
                (Some("BOF"), _) | (_, Some("BOF")) => edit::Place::Begin,
                (Some("EOF") | None, None | Some("EOF")) => edit::Place::End,
                (_, Some(pattern)) => edit::Place::Before(Pattern::new("insertbefore", pattern)?),
                (Some(pattern), _) => edit::Place::After(Pattern::new("insertafter", pattern)?),
            },
        )
    }

    fn edit(&self) -> Result<Edit, Stop> {
        let line = match &self.line {
            Some(line) => line.get()?.bytes().to_vec(),
            None => Vec::new(),
        };
        Ok(Edit {
            line: self.line.is_some().then_some(line),
            matcher: self.matcher()?,
            place: self.place()?,
            backrefs: self.backrefs,
            firstmatch: self.firstmatch,
        })
    }

    /// A file that took a secret line is secret as a whole.
    fn is_secret(&self) -> bool {
        match &self.line {
            Some(Late::Known(line)) => line.is_secret(),
            Some(Late::NotYet(_)) => true,
            None => false,
        }
    }

    fn rewrite(&self) -> Rewrite<'_> {
        Rewrite {
            missing: match self.state {
                State::Absent => Missing::Fine,
                State::Present if self.create => Missing::Create,
                State::Present => Missing::Wait,
            },
            wanted: Wanted {
                owner: self.owner.as_deref(),
                group: self.group.as_deref(),
                mode: self.mode.as_ref(),
            },
            backup: self.backup,
            validate: self.validate.as_deref(),
            secret: self.is_secret(),
            ..Rewrite::new(&self.path)
        }
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for (name, text) in [
            ("regexp", &self.regexp),
            ("search_string", &self.search_string),
        ] {
            if text.as_deref() == Some("") {
                warnings.push(format!("`{name}` is empty: it matches every line"));
            }
        }
        if let (State::Present, false, Ok(Some(pattern)), Some(Late::Known(line))) =
            (self.state, self.backrefs, self.matcher(), &self.line)
            && !pattern.matches(line.bytes())
        {
            warnings.push(
                "`line` is not matched by its own pattern: when `line` changes, the old line stays"
                    .to_owned(),
            );
        }
        warnings
    }
}

fn lines(text: &[u8]) -> i64 {
    let count = text.split_inclusive(|byte| *byte == b'\n').count();
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let (mut again, mut more) = (false, 0);
    let mut plan = args.rewrite().plan(look, |before| {
        let edit = args.edit()?;
        let after = match args.state {
            State::Present => {
                let after = edit.present(before);
                again = after
                    .as_ref()
                    .is_some_and(|after| edit.present(after).is_some());
                after
            }
            State::Absent => edit.absent(before),
        };
        more = lines(after.as_deref().unwrap_or(before)) - lines(before);
        Ok(after)
    })?;
    let msg = match (args.state, more) {
        (State::Present, 0) => "line replaced".to_owned(),
        (State::Present, _) => "line added".to_owned(),
        (State::Absent, _) => {
            Rewrite::tell(&mut plan, "found", -more);
            format!("{} line(s) removed", -more)
        }
    };
    Rewrite::tell(&mut plan, "msg", msg);
    // It has a name of its own here.
    let tells = plan.changes.iter().flat_map(|change| &change.tells);
    let mut backup = tells.filter(|(name, _)| *name == "backup_file");
    if let Some((_, path)) = backup.next().cloned() {
        Rewrite::tell(&mut plan, "backup", path);
    }
    plan.warnings = args.warnings();
    if again {
        // There is no state to come to.
        for change in plan
            .changes
            .iter_mut()
            .filter(|change| change.what == "content")
        {
            change.cause = Cause::Act;
        }
        let why = "`regexp` matches another line then: each run will change the file again";
        plan.warnings.push(why.to_owned());
    }
    Ok(plan)
}
