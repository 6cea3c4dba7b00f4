//! Sources of Debian packages.

mod source;

use std::collections::BTreeMap;

use evenkeel_engine::{
    Action, Change, Content, Done, Effect, Module, NotYet, Plan, Probe, Probes, Refusal, Seen,
    Stop, Thing, Touches, Value,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    apt::{Age, Lists, fetching_step},
    args::is_default,
    attributes::Wanted,
    look::Look,
    many::{is_yes, yes},
    mode::Mode,
    put::{Put, Target},
};
use source::Source;

/// The module `apt-repository`.
#[derive(Debug)]
pub struct AptRepository;

/// Arguments of `apt-repository`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The source, as a line: `deb [signed-by=/etc/apt/keyrings/x.asc] https://x.example/debian stable main`.
    pub repo: String,
    /// Whether it is there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
    /// The name of the file below `/etc/apt/sources.list.d`, without `.list`; made of the address if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// The mode of the file; of a new one 0644.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Fetches the lists of packages if the sources are newer (the default).
    #[serde(
        default = "yes",
        alias = "update-cache",
        skip_serializing_if = "is_yes"
    )]
    pub update_cache: bool,
    /// How often a fetching is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_cache_retries: Option<u32>,
    /// Only for what is short for a source, which is refused: without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codename: Option<String>,
    /// Without effect: what apt fetches is checked as apt is configured.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub validate_certs: bool,
    /// Without effect: nothing of Python is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install_python_apt: Option<bool>,
}

/// Whether it is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is.
    #[default]
    Present,
    /// It is not; nor is the file, if no source is left there.
    Absent,
}

/// What `register` gives.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Output {
    /// The source.
    pub repo: String,
    /// Whether it is there.
    pub state: State,
    /// The files that have it.
    pub paths: Vec<String>,
}

/// All files of sources: `*.list` and `*.sources`, each with its text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sources;

/// The directory of the files.
pub(crate) const DIR: &str = "/etc/apt";

impl Probe for Sources {
    const KIND: &'static str = "apt_sources";
    const SCRIPT: &'static str = r#"
(
  LC_ALL=C
  for ek_f in "$1"/sources.list "$1"/sources.list.d/*.list "$1"/sources.list.d/*.sources; do
    if [ -f "$ek_f" ]; then printf '%s\0' "$ek_f"; cat "$ek_f" 2>/dev/null; printf '\0'; fi
  done
)"#;
    type Answer = BTreeMap<String, String>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![DIR.into()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut files = BTreeMap::new();
        let mut parts = output.split(|byte| *byte == 0);
        while let (Some(path), Some(text)) = (parts.next(), parts.next()) {
            files.insert(lossy(path), lossy(text));
        }
        Ok(batch.iter().map(|_| Ok(files.clone())).collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        // Files of stanzas are told after the others.
        let (lists, stanzas): (Vec<_>, Vec<_>) = answer.iter().partition(|(path, _)| is_list(path));
        let all = lists.into_iter().chain(stanzas);
        Some(
            all.flat_map(|(path, text)| format!("{path}\0{text}\0").into_bytes())
                .collect(),
        )
    }

    fn reads(&self) -> Vec<Thing> {
        vec![
            Thing::Path(format!("{DIR}/sources.list")),
            Thing::Tree(format!("{DIR}/sources.list.d")),
        ]
    }
}

fn is_list(path: &str) -> bool {
    !path.ends_with(".sources")
}

impl Module for AptRepository {
    const NAME: &'static str = "apt-repository";
    const ALIASES: &'static [&'static str] = &[
        "apt_repository",
        "ansible.builtin.apt_repository",
        "ansible.legacy.apt_repository",
    ];
    const ABOUT: &'static str = "keeps sources of Debian packages configured";
    const EXAMPLE: &'static str = "\
- apt-repository:
    repo: deb [signed-by=/etc/apt/keyrings/tools.asc] https://packages.example.com/debian stable main
    filename: tools
";
    const CHANGED_WHEN: &'static str = "\
        The source is in no file, is there with other options or switched off, or is there though it should not \
        be; or, with `update_cache`, the lists of packages are older than the sources.";
    const LIMITS: &'static str = "\
        A source of Launchpad (`ppa:`) has to be written out. It brings no key: put the key into a file by a task \
        before, and name that by `signed-by`. Files of stanzas (`*.sources`) are read, but not written.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        if args.repo.contains(['\n', '\r', '\0']) {
            return Err(Refusal::new("`repo` is more than one line")
                .help("each source is a task of its own"));
        }
        Source::check(&args.repo)?;
        let fits = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        if let Some(name) = &args.filename
            && (name.is_empty() || name.starts_with('.') || !name.chars().all(fits))
        {
            let why = Refusal::new(format!("`{name}` cannot be the name of a file of sources"));
            return Err(why.help("apt reads only names of letters, digits, `_`, `-` and `.`"));
        }
        if args.mode.as_ref().is_some_and(Mode::is_preserve) {
            return Err(Refusal::new("`mode: preserve` is for copies only"));
        }
        Ok(())
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide(args, &Look::new(seen))
    }

    fn output(args: &Args, after: &Seen, _: &[Done]) -> Result<Output, Stop> {
        let source = Source::check(&args.repo)?;
        let files = after.get(&Sources)?;
        let has = |(path, text): &(&String, &String)| {
            if is_list(path) {
                source::without(text, &source).is_some()
            } else {
                source::in_stanzas(text, &source)
            }
        };
        Ok(Output {
            repo: args.repo.clone(),
            state: args.state,
            paths: files
                .iter()
                .filter(has)
                .map(|(path, _)| path.clone())
                .collect(),
        })
    }

    fn touches(args: &Args) -> Touches {
        if args.update_cache {
            // Packages come after their source: it does not commute with them.
            return Touches::everything();
        }
        Touches::writes([
            Thing::Path(format!("{DIR}/sources.list")),
            Thing::Tree(format!("{DIR}/sources.list.d")),
        ])
    }

    fn subject(args: &Args) -> String {
        args.repo.clone()
    }
}

impl Args {
    /// The file that a new source comes to.
    fn path(&self, source: &Source) -> String {
        let name = match &self.filename {
            Some(name) => name.trim_end_matches(".list").to_owned(),
            None => source::file_name(source),
        };
        format!("{DIR}/sources.list.d/{name}.list")
    }

    /// The line as it is written.
    fn line(&self) -> String {
        self.repo.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let source = Source::check(&args.repo)?;
    let own = args.path(&source);
    look.ask(&Sources);
    Put::ask(look, &own);
    if args.update_cache {
        look.ask(&Lists(None));
    }
    let files = look.get(&Sources)?;
    let written = match args.state {
        State::Present => present(args, &source, &own, files),
        State::Absent => absent(&source, files)?,
    };
    let mut changes = Vec::new();
    let mut after = files.clone();
    for (path, text) in written {
        if let Some(text) = text {
            after.insert(path.clone(), text.clone());
            changes.extend(put(args, look, &path, text)?);
        } else {
            after.remove(&path);
            Put::ask(look, &path);
            let change = Change::new("file", path.as_str(), Value::Null);
            changes.push(change.step(Action::Remove { path }));
        }
    }
    let same = after == *files;
    for step in changes
        .iter_mut()
        .flat_map(|change: &mut Change| &mut change.steps)
    {
        step.effects.push(Effect::new(Sources, after.clone()));
    }
    if args.update_cache {
        let age = *look.get(&Lists(None))?;
        if !same || age != Age::Fresh {
            let before = if same {
                age.told()
            } else {
                "older than the sources"
            };
            let step = fetching_step(args.update_cache_retries)
                .effect(Effect::new(Lists(None), Age::Fresh));
            changes.push(Change::new("lists of packages", before, "fetched").step(step));
        }
    }
    Ok(changes.into())
}

/// Files that are to be written, with their text.
type Written = Vec<(String, Option<String>)>;

fn present(args: &Args, source: &Source, own: &str, files: &BTreeMap<String, String>) -> Written {
    let line = args.line();
    let lists = || files.iter().filter(|(path, _)| is_list(path));
    let is = |text: &&String| {
        text.lines()
            .any(|line| Source::parse(line).as_ref() == Some(source))
    };
    if let Some((path, text)) = lists().find(|(_, text)| is(text)) {
        // Its mode may differ all the same.
        let mode = args.mode.is_some() && path == own;
        return mode
            .then(|| (path.clone(), Some(text.clone())))
            .into_iter()
            .collect();
    }
    if files
        .iter()
        .any(|(path, text)| !is_list(path) && source::in_stanzas(text, source))
    {
        return Vec::new();
    }
    let there =
        lists().find_map(|(path, text)| Some((path.clone(), source::with(text, source, &line)?)));
    let (path, text) = there.unwrap_or_else(|| {
        let mut text = files.get(own).cloned().unwrap_or_default();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        (own.to_owned(), format!("{text}{line}\n"))
    });
    vec![(path, Some(text))]
}

fn absent(source: &Source, files: &BTreeMap<String, String>) -> Result<Written, Stop> {
    let mut written = Vec::new();
    for (path, text) in files {
        if !is_list(path) {
            if source::in_stanzas(text, source) {
                let why = Refusal::new(format!("the source is in `{path}`, a file of stanzas"));
                return Err(why.help("this module does not write such files: remove it by `file`, or write it whole by `copy`").into());
            }
            continue;
        }
        if let Some(rest) = source::without(text, source) {
            let keeps = source::any(&rest) || !path.contains("/sources.list.d/");
            written.push((path.clone(), keeps.then_some(rest)));
        }
    }
    Ok(written)
}

fn put(args: &Args, look: &Look<'_>, path: &str, text: String) -> Result<Vec<Change>, Stop> {
    let mode = args.mode.as_ref().filter(|_| args.state == State::Present);
    let wanted = Wanted {
        mode,
        ..Wanted::default()
    };
    let put = Put {
        wanted,
        force: true,
        backup: false,
        validate: None,
    };
    Put::ask(look, path);
    let target = Target {
        path: path.to_owned(),
        asked: path.to_owned(),
        missing: Vec::new(),
    };
    put.changes(look, &target, &Ok(Content::from(text.into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_sources_are_read() {
        let output = b"/etc/apt/sources.list\0deb http://x s main\n\0/etc/apt/sources.list.d/a.sources\0Types: deb\n\0";
        let answers = Sources::parse(&[&Sources], output).unwrap();
        let files = answers[0].as_ref().unwrap();
        assert_eq!(files["/etc/apt/sources.list"], "deb http://x s main\n");
        assert_eq!(Sources.expected(files).unwrap(), output);
    }
}
