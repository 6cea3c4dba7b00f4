//! Jobs and variables in crontabs.

mod probe;
mod table;

use evenkeel_engine::{
    Action, Change, Content, Done, Effect, Late, MASK, Module, Plan, Probes, Refusal, Run, Secret,
    Seen, Stop, Text, Touches, probes::Contents,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    args::is_default,
    look::Look,
    paths,
    rewrite::{Missing, Rewrite},
};
pub use probe::Crontab;
use table::{Edited, Place, Wish};

pub use crate::presence::State;

/// The module `cron`.
#[derive(Debug)]
pub struct Cron;

/// Arguments of `cron`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// What the job is found by: a comment above it. With `env`, the variable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whose crontab it is; that of who acts if unset. In a `cron_file`, who runs the job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The command line. With `env`, the value.
    #[serde(default, alias = "value", skip_serializing_if = "Option::is_none")]
    pub job: Option<Late<Text>>,
    /// Whether it is to be there or gone.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: State,
    /// A file below `/etc/cron.d`, or an absolute path, instead of a user's crontab. Without a
    /// `name`, `state: absent` removes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron_file: Option<String>,
    /// Keeps a copy of the old `cron_file` beside it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub backup: bool,
    /// `0` to `59`, `*/5`, `1,2` …; each if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minute: Option<Text>,
    /// `0` to `23`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hour: Option<Text>,
    /// The day of the month: `1` to `31`.
    #[serde(default, alias = "dom", skip_serializing_if = "Option::is_none")]
    pub day: Option<Text>,
    /// `1` to `12`, or `jan` …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub month: Option<Text>,
    /// `0` (Sunday) to `7` (Sunday), or `mon` …
    #[serde(default, alias = "dow", skip_serializing_if = "Option::is_none")]
    pub weekday: Option<Text>,
    /// A time by name instead: `reboot`, `hourly`, `daily`, `weekly`, `monthly`, `yearly`, `annually`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub special_time: Option<Special>,
    /// The job is there as a comment, and does not run.
    #[serde(default, skip_serializing_if = "is_default")]
    pub disabled: bool,
    /// It is about a variable, not about a job.
    #[serde(default, skip_serializing_if = "is_default")]
    pub env: bool,
    /// A new variable comes after this one; at the beginning if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insertafter: Option<String>,
    /// It comes before this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insertbefore: Option<String>,
}

/// Times by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "they say what they are")]
pub enum Special {
    Annually,
    Daily,
    Hourly,
    Monthly,
    Reboot,
    Weekly,
    Yearly,
}

/// What `register` gives.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Output {
    /// The file, if it is not a user's crontab.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron_file: Option<String>,
}

impl Module for Cron {
    const NAME: &'static str = "cron";
    const ALIASES: &'static [&'static str] = &["ansible.builtin.cron", "ansible.legacy.cron"];
    const ABOUT: &'static str = "keeps jobs and variables in crontabs";
    const EXAMPLE: &'static str = "\
- name: old logs go at night
  cron:
    name: old logs
    user: app
    hour: \"3\"
    minute: \"30\"
    job: find /var/log/app -mtime +30 -delete
";
    const CHANGED_WHEN: &'static str = "\
        The job, variable or file of jobs is not there as it says, or is there though it \
        should not be.";
    const LIMITS: &'static str = "\
        It finds its jobs again by the comment with their name: jobs without one are left \
        alone. It installs no cron.";
    type Args = Args;
    type Output = Output;

    fn check(args: &Args) -> Result<(), Refusal> {
        args.check_file()?;
        if args.insertafter.is_some() && args.insertbefore.is_some() {
            return Err(Refusal::new(
                "`insertafter` and `insertbefore` exclude each other",
            ));
        }
        if (args.insertafter.is_some() || args.insertbefore.is_some()) && !args.env {
            return Err(Refusal::new(
                "`insertafter` and `insertbefore` need `env: true`",
            ));
        }
        if args.backup && args.cron_file.is_none() {
            return Err(Refusal::new("`backup` needs `cron_file`")
                .help("a user's crontab is no file beside which a copy could be kept"));
        }
        let Some(name) = args.name.as_deref() else {
            if args.cron_file.is_some() && args.state == State::Absent && !args.env {
                return Ok(());
            }
            return Err(Refusal::new("`name` is missing"));
        };
        if name.is_empty() || name.contains(['\n', '\r', '\0']) {
            return Err(Refusal::new("`name` is empty, or more than one line"));
        }
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if args.env && (!name.chars().all(word) || name.starts_with(|c: char| c.is_ascii_digit())) {
            return Err(Refusal::new(format!("`{name}` is no name for a variable")));
        }
        if args.state == State::Present {
            let job = args
                .job
                .as_ref()
                .ok_or_else(|| Refusal::new("`job` is missing"))?;
            if let Late::Known(job) = job {
                check_job(job)?;
            }
            args.times()?;
        }
        Ok(())
    }

    fn observe(args: &Args, seen: &Seen) -> Probes {
        Look::observe(seen, |look| decide(args, look))
    }

    fn plan(args: &Args, seen: &Seen) -> Result<Plan, Stop> {
        decide(args, &Look::new(seen))
    }

    fn output(args: &Args, _: &Seen, _: &[Done]) -> Result<Output, Stop> {
        let cron_file = args.file();
        Ok(Output { cron_file })
    }

    fn touches(args: &Args) -> Touches {
        match args.file() {
            Some(path) => args.rewrite(&path).touches(),
            None => Touches::writes([args.crontab().thing()]),
        }
    }

    fn subject(args: &Args) -> String {
        let name = args.name.as_deref().unwrap_or_default();
        let place = args.cron_file.as_deref().or(args.user.as_deref());
        format!("{} {name}", place.unwrap_or_default())
            .trim()
            .to_owned()
    }
}

fn check_job(job: &Text) -> Result<(), Refusal> {
    let bytes = job.bytes().trim_ascii_end();
    if bytes.iter().any(|byte| matches!(byte, b'\n' | b'\r' | 0)) {
        return Err(Refusal::new("`job` is more than one line")
            .help("cron takes a line for a job: put the rest into a script"));
    }
    Ok(())
}

impl Args {
    fn check_file(&self) -> Result<(), Refusal> {
        let Some(file) = &self.cron_file else {
            return Ok(());
        };
        if self.file().as_deref() == Some("/etc/crontab") {
            return Err(Refusal::new("`/etc/crontab` is the system's own")
                .help("name a file of its own: `cron_file: app` is `/etc/cron.d/app`"));
        }
        let odd = file.is_empty() || (file.contains('/') && !paths::is_absolute(file));
        if odd || file == "." || file == ".." {
            return Err(Refusal::new(format!(
                "`cron_file: {file}` is no name of a file"
            )));
        }
        if self.user.is_none() && self.state == State::Present && !self.env {
            return Err(Refusal::new("`cron_file` needs `user`: who runs the job"));
        }
        let user = self.user.as_deref().unwrap_or("root");
        if user.is_empty() || user.contains(char::is_whitespace) {
            return Err(Refusal::new(format!("`user: {user}` is no name of a user")));
        }
        Ok(())
    }

    fn file(&self) -> Option<String> {
        let file = self.cron_file.as_deref()?;
        Some(if paths::is_absolute(file) {
            paths::clean(file)
        } else {
            paths::join("/etc/cron.d", file)
        })
    }

    fn crontab(&self) -> Crontab {
        Crontab(self.user.clone())
    }

    /// When the job runs, as cron writes it.
    fn times(&self) -> Result<String, Refusal> {
        let given = [
            &self.minute,
            &self.hour,
            &self.day,
            &self.month,
            &self.weekday,
        ];
        if let Some(special) = self.special_time {
            if given.iter().any(|field| field.is_some()) {
                return Err(Refusal::new("`special_time` excludes the other times"));
            }
            return Ok(format!("@{}", format!("{special:?}").to_lowercase()));
        }
        let mut times = Vec::new();
        for (text, field) in given.into_iter().zip(table::FIELDS) {
            let text = text.as_ref().map_or("*", |text| text.shown());
            if !table::is_field(text, field) {
                let (name, least, most, _) = field;
                let why = format!("`{name}: {text}` is not understood by cron");
                return Err(Refusal::new(why).help(format!(
                    "`*`, numbers from {least} to {most}, `1-5`, `*/2`, or several with commas"
                )));
            }
            times.push(text);
        }
        Ok(times.join(" "))
    }

    fn wish(&self, name: &str) -> Result<Wish, Stop> {
        let value = match (&self.job, self.state) {
            (Some(job), State::Present) => {
                let job = job.get()?;
                check_job(job)?;
                Some(job.bytes().trim_ascii_end().to_vec())
            }
            _ => None,
        };
        if self.env {
            let line = value.map(|value| [name.as_bytes(), b"=\"", &value, b"\""].concat());
            let place = match (&self.insertafter, &self.insertbefore) {
                (Some(other), _) => Place::After(other.clone()),
                (_, Some(other)) => Place::Before(other.clone()),
                _ => Place::Begin,
            };
            let name = name.to_owned();
            return Ok(Wish::Variable { name, line, place });
        }
        let mut front = if self.disabled { "#" } else { "" }.to_owned() + &self.times()? + " ";
        if let (Some(_), Some(user)) = (&self.cron_file, &self.user) {
            front.extend([user.as_str(), " "]);
        }
        let line = value.map(|value| [front.as_bytes(), &value].concat());
        let name = name.to_owned();
        Ok(Wish::Job { name, line })
    }

    fn is_secret(&self) -> bool {
        match &self.job {
            Some(Late::Known(job)) => job.is_secret(),
            Some(Late::NotYet(_)) => true,
            None => false,
        }
    }

    fn rewrite<'a>(&self, path: &'a str) -> Rewrite<'a> {
        Rewrite {
            missing: match self.state {
                State::Present => Missing::Create,
                State::Absent => Missing::Fine,
            },
            backup: self.backup,
            secret: self.is_secret(),
            ..Rewrite::new(path)
        }
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if let (Some(file), State::Present) = (&self.cron_file, self.state) {
            let known = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            if !paths::name(file).chars().all(known) {
                warnings.push(format!("cron of Debian passes over `{file}`: its name has other signs than letters, digits, `_` and `-`"));
            }
        }
        warnings
    }

    /// What differs, as one line before and after.
    fn change(&self, name: &str, edited: &Edited) -> Change {
        let text = |line: &Option<Vec<u8>>| {
            line.as_ref().map(|line| {
                if self.is_secret() {
                    MASK.to_owned()
                } else {
                    String::from_utf8_lossy(line).into_owned()
                }
            })
        };
        let (before, after) = (text(&edited.before), text(&edited.after));
        if before == after && !self.is_secret() {
            return Change::new(name, "not marked", after);
        }
        Change::new(name, before, after)
    }
}

fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let mut plan = match args.file() {
        Some(path) => in_file(args, look, &path)?,
        None => in_crontab(args, look)?,
    };
    plan.warnings = args.warnings();
    Ok(plan)
}

fn edited(args: &Args, name: &str, before: &[u8]) -> Result<Edited, Stop> {
    let edited = args.wish(name)?.edit(before);
    Ok(edited.map_err(|table::NoPlace(other)| {
        Refusal::new(format!(
            "the crontab has no variable `{other}` to put `{name}` beside"
        ))
    })?)
}

fn in_crontab(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let probe = args.crontab();
    let before = look.get(&probe)?.clone().unwrap_or_default();
    let name = args.name.as_deref().unwrap_or_default();
    let edited = edited(args, name, &before)?;
    if edited.text == before {
        return Ok(Plan::nothing());
    }
    let mut argv = vec!["crontab"];
    if let Some(user) = &args.user {
        argv.extend(["-u", user]);
    }
    argv.push("-");
    let mut run = Run::new(argv);
    // The table may have secrets of others in it: it is not told, and it is no argument.
    run.stdin = Content::Secret(Secret::new(&edited.text));
    let effect = Effect::new(probe, Some(edited.text.clone()));
    let change = args.change(name, &edited);
    Ok(change
        .step(evenkeel_engine::Step::from(run).effect(effect))
        .into())
}

fn in_file(args: &Args, look: &Look<'_>, path: &str) -> Result<Plan, Stop> {
    let rewrite = args.rewrite(path);
    let mut told = None;
    let mut emptied = false;
    let plan = rewrite.plan(look, |before| {
        let Some(name) = &args.name else {
            emptied = true;
            return Ok(None);
        };
        let edited = edited(args, name, before)?;
        if edited.text == before {
            return Ok(None);
        }
        emptied = edited.text.trim_ascii().is_empty();
        told = Some(args.change(name, &edited));
        Ok(Some(edited.text))
    });
    let mut plan = plan?;
    if emptied && args.state == State::Absent {
        look.ask(&Contents(path.to_owned()));
        let path = path.to_owned();
        let gone = Change::new("file", path.as_str(), None::<&str>).step(Action::Remove { path });
        let backup = plan.changes.into_iter().flat_map(|change| change.steps);
        let backup = backup.filter(|step| matches!(step.action, Action::Copy { .. }));
        let steps = backup.chain(gone.steps).collect();
        return Ok(Plan::from(
            told.into_iter()
                .chain([Change { steps, ..gone }])
                .collect::<Vec<_>>(),
        ));
    }
    let at = plan
        .changes
        .iter()
        .position(|change| change.what == "content");
    let at = at.map_or(plan.changes.len(), |at| at + 1);
    plan.changes.splice(at..at, told);
    Ok(plan)
}
