//! One line of a file: there, replaced, or gone.

mod edit;
mod pattern;

use evenkeel_engine::{
    Content, Done, Late, Module, NotYet, Plan, Probes, Refusal, Secret, Seen, Stop, Text, Thing,
    Touches, hex,
    probes::{Contents, Digest, Kind, Stat},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    args::{Unsupported, is_default},
    attributes::{self, Attributes, Wanted, kind_name},
    look::Look,
    mode::Mode,
    paths,
    put::{self, Put, Target},
};
use edit::Edit;
use pattern::Pattern;

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
    /// The file.
    pub path: String,
    /// SHA-256 of the file; left out if the line is a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// State, owner, group, mode.
    #[serde(flatten)]
    pub attributes: Attributes,
}

impl Module for Lineinfile {
    const NAME: &'static str = "lineinfile";
    const ALIASES: &'static [&'static str] = &["ansible.builtin.lineinfile", "ansible.legacy.lineinfile"];
    const ABOUT: &'static str = "keeps one line of a file";
    const EXAMPLE: &'static str = "\
- name: root does not log in
  lineinfile:
    path: /etc/ssh/sshd_config
    regexp: '^#?PermitRootLogin '
    line: PermitRootLogin no
    create: true
";
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
        excludes(args.backrefs, args.search_string.is_some(), "`backrefs` and `search_string`")?;
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
            return Err(Refusal::new("one of `line`, `regexp` and `search_string` is needed"));
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

    fn output(args: &Args, after: &Seen, _: &[Done]) -> Result<Output, Stop> {
        let look = Look::new(after);
        let path = paths::follow(&paths::absolute(&args.path, &look)?, &look)?;
        let secret = match &args.line {
            Some(Late::Known(line)) => line.is_secret(),
            Some(Late::NotYet(_)) => true,
            None => false,
        };
        let checksum = if secret {
            None
        } else {
            look.get(&Digest(path.clone()))?.map(|sha| hex(&sha))
        };
        let stat = look.get(&Stat(path.clone()))?.as_ref();
        Ok(Output {
            attributes: Attributes::of(stat),
            checksum,
            path,
        })
    }

    fn touches(args: &Args) -> Touches {
        if args.validate.is_some() || !paths::is_absolute(&args.path) {
            return Touches::everything();
        }
        let path = paths::clean(&args.path);
        let mut writes = vec![Thing::Path(path.clone())];
        if args.create {
            let above = paths::ancestors(&path).filter(|dir| *dir != "/");
            writes.extend(above.map(|dir| Thing::Path(dir.to_owned())));
        }
        if args.backup {
            // The backup's name is known only when the old content is.
            let dir = paths::parent(&path).unwrap_or("/");
            writes.push(Thing::Tree(dir.to_owned()));
        }
        Touches::writes(writes)
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
        Ok(match (self.insertafter.as_deref(), self.insertbefore.as_deref()) {
            (Some("BOF"), _) | (_, Some("BOF")) => edit::Place::Begin,
            (Some("EOF") | None, None | Some("EOF")) => edit::Place::End,
            (_, Some(pattern)) => edit::Place::Before(Pattern::new("insertbefore", pattern)?),
            (Some(pattern), _) => edit::Place::After(Pattern::new("insertafter", pattern)?),
        })
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

    fn is_secret(&self) -> bool {
        matches!(&self.line, Some(Late::Known(Text::Secret(_))))
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for (name, text) in [("regexp", &self.regexp), ("search_string", &self.search_string)] {
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

fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let put = Put {
        wanted: Wanted {
            owner: args.owner.as_deref(),
            group: args.group.as_deref(),
            mode: args.mode.as_ref(),
        },
        force: true,
        backup: args.backup,
        validate: args.validate.as_deref().map(put::validator).transpose()?,
    };
    put.wanted.ask(look);
    let path = paths::absolute(&args.path, look)?;
    look.ask(&Contents(path.clone()));
    Put::ask(look, &path);
    if args.create {
        paths::ancestors(&path).for_each(|dir| look.ask(&Stat(dir.to_owned())));
    }
    let mut target = Target {
        path: paths::follow_asking(&path, look, |end| {
            look.ask(&Digest(end.to_owned()));
            look.ask(&Contents(end.to_owned()));
        })?,
        asked: path,
        missing: Vec::new(),
    };
    let path = target.path.clone();
    look.ask(&Digest(path.clone()));
    let mut plan = match look.get(&Stat(path.clone()))? {
        None if args.state == State::Absent => Plan::nothing(),
        // An earlier task may make it.
        None if !args.create => return Err(NotYet(format!("the file `{path}`")).into()),
        None => created(args, look, &put, &mut target)?,
        Some(stat) if stat.kind == Kind::File => edited(args, look, &put, &target)?,
        Some(stat) => {
            let kind = kind_name(&stat.kind);
            return Err(Stop::refused(format!("`{path}` is not a file: {kind}")));
        }
    };
    plan.warnings = args.warnings();
    Ok(plan)
}

fn created(
    args: &Args,
    look: &Look<'_>,
    put: &Put<'_>,
    target: &mut Target,
) -> Result<Plan, Stop> {
    let Some(after) = args.edit()?.present(b"") else {
        return Ok(Plan::nothing());
    };
    let dir = paths::parent(&target.path).unwrap_or("/");
    target.missing = put::missing_levels(look, &paths::follow(dir, look)?)?;
    let missing = target.missing.iter().cloned();
    let mut changes = attributes::missing_directories(look, missing, Wanted::default())?;
    changes.extend(put.changes(look, target, &Ok(content(args, after)))?);
    Ok(changes.into())
}

fn edited(args: &Args, look: &Look<'_>, put: &Put<'_>, target: &Target) -> Result<Plan, Stop> {
    let path = &target.path;
    let before = look
        .get(&Contents(path.clone()))?
        .as_ref()
        .ok_or_else(|| NotYet(format!("what `{path}` holds")))?;
    let edit = args.edit()?;
    let after = match args.state {
        State::Present => edit.present(before),
        State::Absent => edit.absent(before),
    };
    let after = after.unwrap_or_else(|| before.clone());
    Ok(put.changes(look, target, &Ok(content(args, after)))?.into())
}

/// A file that took a secret line is secret as a whole.
fn content(args: &Args, bytes: Vec<u8>) -> Content {
    if args.is_secret() {
        Content::Secret(Secret::new(bytes))
    } else {
        bytes.into()
    }
}
