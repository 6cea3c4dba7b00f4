//! What decides whether a command has to run: `creates`, `removes`, `unless`, `onlyif`.

use std::collections::BTreeMap;

use evenkeel_engine::{
    Cause, Effect, NotYet, Probe, Probes, Refusal, Seen, Thing, ask, hex,
    probes::{Glob, Whoami},
    sha256,
};

/// The guards of a command.
pub(crate) struct Guards<'a> {
    pub(crate) creates: &'a [String],
    pub(crate) removes: &'a [String],
    pub(crate) unless: &'a [String],
    pub(crate) onlyif: &'a [String],
    pub(crate) chdir: Option<&'a str>,
}

/// What the guards say.
pub(crate) enum Decision {
    /// It need not run: which guard says so, and why.
    Rest(&'static str, Why),
    /// It has to.
    Run(Cause),
}

/// Why a command need not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// What it makes is there.
    Exists(String),
    /// What it takes away is not.
    Missing(String),
    /// Another command says so.
    Says(String),
}

impl Why {
    /// For `msg` of the result.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Exists(path) => format!("Did not run command since '{path}' exists"),
            Self::Missing(path) => format!("Did not run command since '{path}' does not exist"),
            Self::Says(what) => what.clone(),
        }
    }

    /// For `stdout` of the result.
    pub(crate) fn stdout(&self) -> String {
        match self {
            Self::Exists(path) => format!("skipped, since {path} exists"),
            Self::Missing(path) => format!("skipped, since {path} does not exist"),
            Self::Says(_) => String::new(),
        }
    }
}

impl Guards<'_> {
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        let named = [("creates", self.creates), ("removes", self.removes)];
        for (name, path) in named
            .iter()
            .flat_map(|(n, paths)| paths.iter().map(move |p| (n, p)))
        {
            if path.contains('$') {
                let what = format!("`{name}: {path}` holds a variable of the host");
                return Err(Refusal::new(what).help("write the path itself"));
            }
            if path.is_empty() {
                return Err(Refusal::new(format!("`{name}` is empty")));
            }
        }
        Ok(())
    }

    /// What has to be known; where home is comes first if a path needs it.
    pub(crate) fn observe(&self, seen: &Seen) -> Probes {
        let mut probes = Probes::new();
        let paths = self.creates.iter().chain(self.removes);
        if paths.clone().any(|path| self.needs_home(path)) || self.chdir.is_some_and(is_home) {
            probes.push(ask(Whoami));
        }
        let globs = paths.filter_map(|path| self.path(path, seen).ok());
        probes.extend(globs.map(|path| ask(Glob(path))));
        if let Ok(dir) = self.dir(seen)
            && !seen.is_called()
        {
            let commands = self.unless.iter().chain(self.onlyif);
            probes.extend(commands.map(|text| ask(Succeeds::new(text, dir.as_deref()))));
        }
        probes
    }

    /// What a run makes of the guards: nobody but the command knows.
    pub(crate) fn effects(&self, seen: &Seen) -> Vec<Effect> {
        let why = |what: &str| format!("`{what}` after the command");
        let mut effects = Vec::new();
        for path in self.creates.iter().chain(self.removes) {
            if let Ok(path) = self.path(path, seen) {
                effects.push(Effect::unknown(Glob(path.clone()), why(&path)));
            }
        }
        if let Ok(dir) = self.dir(seen) {
            for text in self.unless.iter().chain(self.onlyif) {
                effects.push(Effect::unknown(
                    Succeeds::new(text, dir.as_deref()),
                    why(text),
                ));
            }
        }
        effects
    }

    /// Who is notified runs, whatever the guards say.
    pub(crate) fn decide(&self, seen: &Seen) -> Result<Decision, NotYet> {
        if seen.is_called() {
            return Ok(Decision::Run(self.cause()));
        }
        let rests = [
            ("creates", self.creates_rests(seen)),
            ("removes", self.removes_rests(seen)),
            ("unless", self.command_rests(self.unless, true, seen)),
            ("onlyif", self.command_rests(self.onlyif, false, seen)),
        ];
        // One guard that says no decides, whatever the others would say.
        for (guard, rest) in &rests {
            if let Ok(Some(why)) = rest {
                return Ok(Decision::Rest(guard, why.clone()));
            }
        }
        for (_, rest) in rests {
            rest?;
        }
        Ok(Decision::Run(self.cause()))
    }

    fn cause(&self) -> Cause {
        let given = [
            ("creates", self.creates),
            ("removes", self.removes),
            ("unless", self.unless),
            ("onlyif", self.onlyif),
        ];
        let first = given.iter().find(|(_, list)| !list.is_empty());
        first.map_or(Cause::Unguarded, |(name, _)| Cause::Guard(name))
    }

    fn creates_rests(&self, seen: &Seen) -> Result<Option<Why>, NotYet> {
        let mut found = None;
        for path in self.creates {
            match seen.get(&Glob(self.path(path, seen)?))? {
                Some(_) => found = Some(Why::Exists(path.clone())),
                None => return Ok(None),
            }
        }
        Ok(found)
    }

    fn removes_rests(&self, seen: &Seen) -> Result<Option<Why>, NotYet> {
        let mut missing = None;
        for path in self.removes {
            if seen.get(&Glob(self.path(path, seen)?))?.is_some() {
                return Ok(None);
            }
            missing = Some(Why::Missing(path.clone()));
        }
        Ok(missing)
    }

    fn command_rests(
        &self,
        commands: &[String],
        rests_on: bool,
        seen: &Seen,
    ) -> Result<Option<Why>, NotYet> {
        let dir = self.dir(seen)?;
        for text in commands {
            if *seen.get(&Succeeds::new(text, dir.as_deref()))? == rests_on {
                let verb = if rests_on { "succeeds" } else { "fails" };
                return Ok(Some(Why::Says(format!("`{text}` {verb}"))));
            }
        }
        Ok(None)
    }

    /// The directory to run in, `~` resolved.
    pub(crate) fn dir(&self, seen: &Seen) -> Result<Option<String>, NotYet> {
        match self.chdir {
            Some(dir) if is_home(dir) => Ok(Some(home(dir, seen)?)),
            dir => Ok(dir.map(str::to_owned)),
        }
    }

    /// A path as the program would find it.
    fn path(&self, path: &str, seen: &Seen) -> Result<String, NotYet> {
        if path.starts_with('/') {
            return Ok(path.to_owned());
        }
        if is_home(path) {
            return home(path, seen);
        }
        let dir = match self.dir(seen)? {
            Some(dir) if dir.starts_with('/') => dir,
            Some(dir) => format!("{}/{dir}", seen.get(&Whoami)?.dir),
            None => seen.get(&Whoami)?.dir.clone(),
        };
        Ok(format!("{}/{path}", dir.trim_end_matches('/')))
    }

    fn needs_home(&self, path: &str) -> bool {
        let below_chdir = self.chdir.is_some_and(|dir| dir.starts_with('/'));
        is_home(path) || !(path.starts_with('/') || below_chdir)
    }
}

fn is_home(path: &str) -> bool {
    path == "~" || path.starts_with("~/")
}

fn home(path: &str, seen: &Seen) -> Result<String, NotYet> {
    let home = &seen.get(&Whoami)?.home;
    Ok(format!("{}{}", home.trim_end_matches('/'), &path[1..]))
}

/// Whether a command of the user's succeeds, run through `sh`, at most a minute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Succeeds {
    /// What is run.
    pub text: String,
    /// The directory it is run in; the identity's home if empty.
    pub dir: String,
}

impl Succeeds {
    fn new(text: &str, dir: Option<&str>) -> Self {
        Self {
            text: text.to_owned(),
            dir: dir.unwrap_or_default().to_owned(),
        }
    }

    /// The name under which the answer comes back.
    fn token(&self) -> String {
        hex(&sha256(format!("{}\0{}", self.dir, self.text).as_bytes())[..12])
    }
}

impl Probe for Succeeds {
    const KIND: &'static str = "succeeds";
    const SCRIPT: &'static str = r#"
while [ $# -ge 3 ]; do
  ( if [ -n "$2" ]; then cd "$2" || exit 1; fi
    exec timeout 60 sh -c "$3" ) </dev/null >/dev/null 2>&1
  case $? in 0) ek_r=yes ;; 124|137) ek_r=late ;; *) ek_r=no ;; esac
  printf '%s %s\n' "$1" "$ek_r"
  shift 3
done"#;
    type Answer = bool;

    fn operands(&self) -> Vec<Vec<u8>> {
        [self.token(), self.dir.clone(), self.text.clone()]
            .map(String::into_bytes)
            .into()
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<bool, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        let mut found = BTreeMap::new();
        for line in text.lines() {
            let (token, word) = line.split_once(' ').ok_or_else(|| format!("`{line}`"))?;
            found.insert(token, word);
        }
        let answer = |probe: &&Self| match found.get(probe.token().as_str()) {
            Some(&"yes") => Ok(true),
            Some(&"no") => Ok(false),
            Some(_) => Err(NotYet(format!(
                "the end of `{}` (it ran for a minute)",
                probe.text
            ))),
            None => Err(NotYet(format!("whether `{}` succeeds", probe.text))),
        };
        Ok(batch.iter().map(answer).collect())
    }

    fn expected(&self, answer: &bool) -> Option<Vec<u8>> {
        let word = if *answer { "yes" } else { "no" };
        Some(format!("{} {word}\n", self.token()).into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        vec![Thing::Everything]
    }

    fn runs_user_code(&self) -> bool {
        true
    }
}
