//! Settings in INI files, read as Python's `configparser` reads them.

mod edit;
#[cfg(test)]
mod tests;
mod text;
mod values;

use evenkeel_engine::{
    Change, Done, Late, MASK, Module, Plan, Probes, Refusal, Seen, Stop, Touches,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    args::{Unsupported, is_default},
    attributes::Wanted,
    look::Look,
    many::{is_yes, yes},
    mode::Mode,
    rewrite::{Missing, Rewrite, Rewritten},
};
use edit::{Condition, Place, Style};
use text::Ini;
pub use values::{Sections, Values, With};

pub use crate::presence::State;

/// The module `ini-file`.
#[derive(Debug)]
pub struct IniFile;

/// Arguments of `ini-file`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The file, of at most 1 MiB.
    #[serde(alias = "dest")]
    pub path: String,
    /// The section, without brackets. Without it, what stands before the first section is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// The option. Without it, the section is to be there, or gone with all it holds.
    #[serde(default, alias = "key", skip_serializing_if = "Option::is_none")]
    pub option: Option<String>,
    /// Its value, or a list of values, each in a line of its own. A value of several lines goes on
    /// in indented lines.
    #[serde(default, alias = "values", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub value: Option<Late<Values>>,
    /// Many options at once: a map of sections, each a map of options and their values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<std::collections::BTreeMap<String, serde_json::Value>>")]
    pub sections: Option<Late<Sections>>,
    /// Whether it is to be there or gone.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
    /// Of several sections of the name the one is meant that has these options: a list of `option`
    /// and, if one of certain values is wanted, `value`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub section_has_values: Vec<With>,
    /// Writes `a=b` instead of `a = b`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub no_extra_spaces: bool,
    /// Leaves a line that has the value, whatever spaces are in it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ignore_spaces: bool,
    /// Takes an option without a value: it is written as its name alone.
    #[serde(default, skip_serializing_if = "is_default")]
    pub allow_no_value: bool,
    /// Whether other lines of the option go (the default); without it, values are added, or only
    /// these taken out.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub exclusive: bool,
    /// Whether `#option = other` becomes the option if no line sets it (the default); else a line is
    /// added and the comment stays.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub modify_inactive_option: bool,
    /// Whether a file that is missing is made, and the directories above it (the default).
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub create: bool,
    /// Keeps a copy of the old file beside it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub backup: bool,
    /// If the path is a link, changes what it leads to; else a file takes the link's place.
    #[serde(default, skip_serializing_if = "is_default")]
    pub follow: bool,
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

impl Module for IniFile {
    const NAME: &'static str = "ini-file";
    const ALIASES: &'static [&'static str] = &[
        "ini_file",
        "community.general.ini_file",
        "community.general.files.ini_file",
    ];
    const ABOUT: &'static str = "sets options of INI files and leaves the rest as it is";
    const EXAMPLE: &'static str = "\
- name: where Airflow keeps its data
  ini-file:
    path: /etc/airflow/airflow.cfg
    mode: \"0640\"
    sections:
      core:
        executor: CeleryExecutor
        load_examples: false
      database:
        sql_alchemy_conn: postgresql://airflow@db/airflow
";
    const CHANGED_WHEN: &'static str = "\
        An option of the file does not say what it should, is missing or is one too many; or owner, \
        group or mode differ.";
    const LIMITS: &'static str = "\
        It keeps comments and order, and never sorts. It does not expand `%(name)s`.";
    type Args = Args;
    type Output = Rewritten;

    fn check(args: &Args) -> Result<(), Refusal> {
        if args.path.is_empty() {
            return Err(Refusal::new("`path` is empty"));
        }
        if args.mode.as_ref().is_some_and(Mode::is_preserve) {
            return Err(Refusal::new("`mode: preserve` is for copies only"));
        }
        args.validate
            .as_deref()
            .map(crate::put::validator)
            .transpose()?;
        let one = args.section.is_some() || args.option.is_some() || args.value.is_some();
        if one && args.sections.is_some() {
            return Err(Refusal::new(
                "`sections` excludes `section`, `option` and `value`",
            ));
        }
        if args.value.is_some() && args.option.is_none() {
            return Err(Refusal::new("`value` needs `option`"));
        }
        if args.sections.is_none() && args.section().is_none() && args.option.is_none() {
            return Err(Refusal::new(
                "one of `section`, `option` and `sections` is needed",
            ));
        }
        if args
            .section_has_values
            .iter()
            .any(|with| with.option.is_empty())
        {
            return Err(Refusal::new("an `option` of `section_has_values` is empty"));
        }
        match args.wanted() {
            Ok(wanted) => wanted.iter().try_for_each(|one| one.check(args)),
            // It is checked when it is known.
            Err(_) => Ok(()),
        }
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

/// One option, or one section, that is wanted.
#[derive(Clone, Debug)]
struct Wish<'a> {
    section: Option<&'a str>,
    option: Option<&'a str>,
    values: &'a Values,
}

const NO_VALUE: &Values = &Values::Bare;

impl Wish<'_> {
    /// How it is called in reports.
    fn name(&self) -> String {
        let section = self.section.map(|name| format!("[{name}]"));
        let parts = section
            .into_iter()
            .chain(self.option.map(ToOwned::to_owned));
        parts.collect::<Vec<_>>().join(" ")
    }

    fn check(&self, args: &Args) -> Result<(), Refusal> {
        let name = self.name();
        if let Some(section) = self.section
            && (section.contains([']', '\n', '\r', '\0']) || section.trim() != section)
        {
            let why = "it has a `]`, the end of a line, or spaces around it";
            return Err(Refusal::new(format!(
                "`{section}` is no name of a section: {why}"
            )));
        }
        let Some(option) = self.option else {
            return Ok(());
        };
        let bare = matches!(self.values, Values::Bare);
        if option.contains(['\r', '\0']) || !edit::is_name(option.as_bytes(), bare) {
            return Err(Refusal::new(format!("`{option}` is no name of an option"))
                .help("`=`, `: `, the end of a line, spaces around it, and `#`, `;` or `[` as its first letter would not be read back"));
        }
        if args.state == State::Present && bare && !args.allow_no_value {
            return Err(Refusal::new(format!("`{name}` has no value")).help(
                "`value: ''` is an empty one; `allow_no_value: true` writes the name alone",
            ));
        }
        if args.state == State::Present
            && matches!(self.values, Values::Many(all) if all.is_empty())
        {
            return Err(
                Refusal::new(format!("the list of values of `{name}` is empty"))
                    .help("`state: absent` takes the option out"),
            );
        }
        for text in self.values {
            if !edit::is_value(text.bytes()) {
                return Err(Refusal::new(format!(
                    "the value of `{name}` cannot be read back: one of its lines begins with `#` or `;`"
                )));
            }
        }
        Ok(())
    }

    fn values(&self) -> Vec<Option<Vec<u8>>> {
        match self.values {
            Values::Bare => vec![None],
            values => values
                .iter()
                .map(|text| Some(text.bytes().to_vec()))
                .collect(),
        }
    }

    fn is_secret(&self) -> bool {
        self.values.iter().any(evenkeel_engine::Text::is_secret)
    }
}

impl Args {
    /// The one section; an empty name is none.
    fn section(&self) -> Option<&str> {
        self.section.as_deref().filter(|name| !name.is_empty())
    }

    /// All that is wanted, in order.
    fn wanted(&self) -> Result<Vec<Wish<'_>>, Stop> {
        let Some(sections) = &self.sections else {
            return Ok(vec![Wish {
                section: self.section(),
                option: self.option.as_deref(),
                values: match &self.value {
                    Some(values) => values.get()?,
                    None => NO_VALUE,
                },
            }]);
        };
        let mut all = Vec::new();
        for (section, options) in &sections.get()?.0 {
            let section = Some(section.as_str()).filter(|name| !name.is_empty());
            if options.is_empty() {
                all.push(Wish {
                    section,
                    option: None,
                    values: NO_VALUE,
                });
            }
            all.extend(options.iter().map(|(option, values)| Wish {
                section,
                option: Some(option),
                values,
            }));
        }
        Ok(all)
    }

    fn is_secret(&self) -> bool {
        match self.wanted() {
            Ok(wanted) => wanted.iter().any(Wish::is_secret),
            Err(_) => true,
        }
    }

    fn style(&self) -> Style {
        Style {
            tight: self.no_extra_spaces,
            ignore_spaces: self.ignore_spaces,
            inactive: self.modify_inactive_option,
            exclusive: self.exclusive,
        }
    }

    fn rewrite(&self) -> Rewrite<'_> {
        Rewrite {
            missing: match self.state {
                State::Absent => Missing::Fine,
                State::Present if self.create => Missing::Create,
                State::Present => Missing::Wait,
            },
            follow: self.follow,
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
}

fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let mut said = Vec::new();
    let mut warnings = Vec::new();
    let mut plan = args.rewrite().plan(look, |before| {
        let mut ini = Ini::parse(before);
        for wish in args.wanted()? {
            wish.check(args)?;
            said.extend(fulfil(args, &wish, &mut ini)?);
            warnings.extend(alike(args, &wish, &ini));
        }
        Ok(Some(ini.print()))
    })?;
    // Behind the one change that writes the file.
    let at = plan
        .changes
        .iter()
        .position(|change| change.what == "content");
    let at = at.map_or(plan.changes.len(), |at| at + 1);
    plan.changes.splice(at..at, said);
    plan.warnings = warnings;
    Ok(plan)
}

/// Does what is wanted to the text, and says what changed.
fn fulfil(args: &Args, wish: &Wish<'_>, ini: &mut Ini) -> Result<Option<Change>, Stop> {
    let conditions: Vec<Condition> = args
        .section_has_values
        .iter()
        .map(With::condition)
        .collect();
    let place = Place {
        section: wish.section.map(str::as_bytes),
        conditions: &conditions,
    };
    let option = wish.option.map(str::as_bytes);
    let old = ini.clone();
    let edited = match args.state {
        State::Present => ini.set(place, option, &wish.values(), args.style()),
        State::Absent => {
            let values = match wish.values {
                Values::Bare => Vec::new(),
                _ => wish.values(),
            };
            ini.remove(place, option, &values, args.exclusive)
        }
    };
    edited.map_err(|edit::Entangled| {
        let name = wish.name();
        Refusal::new(format!("`{name}` cannot be set without a change of what is beside it"))
            .help("the lines of its section begin at different depths: a line that is deeper than the one above goes on with its value")
    })?;
    if *ini == old {
        return Ok(None);
    }
    let (before, after) = (old.shown(place, option), ini.shown(place, option));
    Ok(Some(if wish.is_secret() {
        let mask = |shown: Option<String>| shown.map(|_| MASK);
        Change::new(wish.name(), mask(before), mask(after))
    } else if before == after {
        // Another section, or other spaces.
        Change::new(wish.name(), "written otherwise", after)
    } else {
        Change::new(wish.name(), before, after)
    }))
}

/// Python takes names that differ in the case of letters only as one.
fn alike(args: &Args, wish: &Wish<'_>, ini: &Ini) -> Option<String> {
    let option = wish.option.filter(|_| args.state == State::Present)?;
    let place = Place {
        section: wish.section.map(str::as_bytes),
        conditions: &[],
    };
    let other = ini.alike(place, option.as_bytes())?;
    let name = wish.name();
    Some(format!(
        "`{name}` is also there as `{other}`: Python's configparser takes both as one"
    ))
}
