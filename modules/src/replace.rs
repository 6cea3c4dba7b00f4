//! All places of a file that match a pattern, replaced.

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

/// The module `replace`.
#[derive(Debug)]
pub struct Replace;

/// Arguments of `replace`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The file, of at most 1 MiB.
    #[serde(alias = "dest", alias = "destfile", alias = "name")]
    pub path: String,
    /// What is replaced: a pattern of Python; `^` and `$` match at each line.
    pub regexp: String,
    /// What takes its place; `\1` and `\g<name>` stand for what the groups match. Left out, what
    /// matches is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replace: Option<Late<Text>>,
    /// Only what comes after this pattern is looked at; `.` matches newlines too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Only what comes before this pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
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

/// What `register` gives.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Output {
    /// The file, and what was done with it.
    #[serde(flatten)]
    pub file: Rewritten,
    /// Always 0, as Ansible has it.
    #[serde(default)]
    pub rc: i32,
}

impl Module for Replace {
    const NAME: &'static str = "replace";
    const ALIASES: &'static [&'static str] = &["ansible.builtin.replace", "ansible.legacy.replace"];
    const ABOUT: &'static str = "replaces all places of a file that match a pattern";
    const EXAMPLE: &'static str = "\
- name: the new name of the database
  replace:
    path: /etc/app.conf
    regexp: '^(db_host *=).*$'
    replace: '\\1 db.example.org'
";
    const CHANGED_WHEN: &'static str = "\
        The expression matches something that is not yet what it is replaced by, or owner, \
        group or mode differ.";
    const LIMITS: &'static str = "\
        An expression that matches its own replacement changes the file each time: that is \
        told. For one line see `lineinfile`.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        if args.path.is_empty() {
            return Err(Refusal::new("`path` is empty"));
        }
        if args.mode.as_ref().is_some_and(Mode::is_preserve) {
            return Err(Refusal::new("`mode: preserve` is for copies only"));
        }
        args.validate.as_deref().map(put::validator).transpose()?;
        args.pattern()?;
        args.section()?;
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
            rc: 0,
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
    fn pattern(&self) -> Result<Pattern, Refusal> {
        Pattern::with("regexp", "(?m)", &self.regexp)
    }

    /// What is between the two patterns.
    fn section(&self) -> Result<Option<Pattern>, Refusal> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let (name, text) = match (given(&self.after), given(&self.before)) {
            (Some(after), Some(before)) => ("after", format!("{after}(?P<subsection>.*?){before}")),
            (Some(after), None) => ("after", format!("{after}(?P<subsection>.*)")),
            (None, Some(before)) => ("before", format!("(?P<subsection>.*){before}")),
            (None, None) => return Ok(None),
        };
        Pattern::with(name, "(?s)", &text).map(Some)
    }

    /// What a text becomes, and in how many places it changes; nothing if `after` and `before` are not in it.
    fn replaced(&self, text: &[u8]) -> Result<Option<(Vec<u8>, usize)>, Stop> {
        let refused = |why: String| Refusal::new(format!("`{}`: {why}", self.path));
        let range = match self.section()? {
            None => 0..text.len(),
            Some(section) => {
                let found = section.find_at(text, 0).map_err(refused)?;
                match found.and_then(|found| found.group("subsection")) {
                    Some(range) => range,
                    None => return Ok(None),
                }
            }
        };
        let template = match &self.replace {
            Some(text) => text.get()?.bytes(),
            None => b"",
        };
        let inner = self.pattern()?.replace_all(&text[range.clone()], template);
        let (inner, count) = inner.map_err(refused)?;
        let whole = [&text[..range.start], &inner, &text[range.end..]].concat();
        Ok(Some((whole, count)))
    }

    fn rewrite(&self) -> Rewrite<'_> {
        Rewrite {
            missing: Missing::Wait,
            wanted: Wanted {
                owner: self.owner.as_deref(),
                group: self.group.as_deref(),
                mode: self.mode.as_ref(),
            },
            backup: self.backup,
            validate: self.validate.as_deref(),
            secret: match &self.replace {
                Some(Late::Known(text)) => text.is_secret(),
                Some(Late::NotYet(_)) => true,
                None => false,
            },
            ..Rewrite::new(&self.path)
        }
    }
}

fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let (mut again, mut found, mut places) = (false, true, 0);
    let mut plan = args.rewrite().plan(look, |before| {
        let Some((after, count)) = args.replaced(before)? else {
            found = false;
            return Ok(None);
        };
        again = args
            .replaced(&after)?
            .is_some_and(|(next, _)| next != after);
        places = count;
        Ok(Some(after))
    })?;
    Rewrite::tell(&mut plan, "msg", format!("{places} replacements made"));
    if again {
        // There is no state to come to.
        for change in plan
            .changes
            .iter_mut()
            .filter(|change| change.what == "content")
        {
            change.cause = Cause::Act;
        }
        return Ok(plan
            .warning("`regexp` matches what it has written: each run will change the file again"));
    }
    if !found {
        return Ok(plan.warning("`after` and `before` are not in the file: nothing is replaced"));
    }
    Ok(plan)
}
