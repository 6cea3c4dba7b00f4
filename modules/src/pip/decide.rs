//! What differs, and what pip is told.

use std::collections::BTreeMap;

use evenkeel_engine::{
    Cause, Change, Effect, NotYet, Plan, Run, Step, Stop, Text, Thing, Value,
    probes::{Ask, Contents, Which},
};
use pep440_rs::VersionSpecifiers;
use pep508_rs::{
    ExtraName, MarkerEnvironment, MarkerEnvironmentBuilder, PackageName, Requirement, VerbatimUrl,
};

use super::{
    Args, Env, Extras, Installed, Interpreter, Pip, Release, State,
    requirement::{Listing, Wanted, listing, pinned, versions},
};
use crate::{look::Look, paths::absolute};

/// Where packages go.
pub(super) fn env(args: &Args, look: &Look<'_>) -> Result<Env, NotYet> {
    Ok(match (&args.virtualenv, &args.executable) {
        (Some(path), _) => Env::Venv(absolute(&args.below(path), look)?),
        (None, Some(pip)) => Env::Pip(pip.clone()),
        (None, None) => Env::Python("python3".to_owned()),
    })
}

pub(super) fn plan(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let env = env(args, look)?;
    let extra = Extra::of(args);
    let files = files(args, &extra, look);
    // Asked before anything is judged, so that one round is enough.
    let there = Which(program(&env));
    look.ask(&there);
    let named = args.wanted()?;
    for wanted in named.iter().chain(files.iter().flat_map(|files| &files.wanted)) {
        if let Wanted::Named { requirement, .. } = wanted {
            let probe = installed(&env, &requirement.name);
            look.ask(&probe);
            if !requirement.extras.is_empty() {
                look.ask(&Extras(probe));
            }
            if !requirement.extras.is_empty() || !requirement.marker.is_true() {
                look.ask(&Interpreter(env.clone()));
            }
        }
    }
    let files = files?;
    let wanted: Vec<Wanted> = named.into_iter().chain(files.wanted.clone()).collect();
    let exists = look.get(&there)?.is_some();
    let mut changes = Vec::new();
    if !exists {
        match (&env, args.state) {
            (Env::Venv(_), State::Absent) => return Ok(Plan::nothing()),
            (Env::Venv(path), _) => changes.push(make(args, path, &wanted, look)?),
            _ if wanted.is_empty() => return Ok(Plan::nothing()),
            _ => return Err(missing(&there.0).into()),
        }
    }
    if wanted.is_empty() {
        return Ok(changes.into());
    }
    let pip = Task { args, env, exists, extra, constraints: files.constraints };
    changes.extend(pip.changes(&wanted, look)?);
    Ok(changes.into())
}

fn missing(program: &str) -> NotYet {
    NotYet(format!(
        "`{program}` is not installed on the host: install it in a task before this one (`yum: {{name: {}}}`)",
        if program.starts_with("pip") { "python3-pip" } else { "python3" }
    ))
}

fn installed(env: &Env, name: &PackageName) -> Installed {
    Installed {
        env: env.clone(),
        name: name.clone(),
    }
}

/// The program whose absence means that there is no such environment.
fn program(env: &Env) -> String {
    match env {
        Env::Venv(path) => format!("{path}/bin/python"),
        Env::Python(program) | Env::Pip(program) => program.clone(),
    }
}

/// What `extra_args` says about what is wanted.
#[derive(Default)]
pub(super) struct Extra {
    pub(super) words: Vec<String>,
    pub(super) requirements: Vec<String>,
    pub(super) constraints: Vec<String>,
    upgrade: bool,
    /// What is installed cannot be seen where it goes, or is installed in any case.
    acts: bool,
}

impl Extra {
    pub(super) fn of(args: &Args) -> Self {
        let words = shlex::split(&args.extra_args).unwrap_or_default();
        let mut extra = Self::default();
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
                _ => (word.as_str(), None),
            };
            let mut value = || value.clone().or_else(|| rest.next().cloned());
            match name {
                "-r" | "--requirement" => extra.requirements.extend(value()),
                "-c" | "--constraint" => extra.constraints.extend(value()),
                "-U" | "--upgrade" => extra.upgrade = true,
                "--force-reinstall" | "-I" | "--ignore-installed" => extra.acts = true,
                "-t" | "--target" | "--prefix" | "--root" => extra.acts = true,
                _ => {}
            }
        }
        extra.words = words;
        extra
    }
}

/// What the files on the host say.
struct Files {
    wanted: Vec<Wanted>,
    constraints: BTreeMap<PackageName, VersionSpecifiers>,
}

/// A file that is named by a file that is named by a file … is followed so far.
const DEPTH: usize = 3;

fn files(args: &Args, extra: &Extra, look: &Look<'_>) -> Result<Files, Stop> {
    let mut all = Files {
        wanted: Vec::new(),
        constraints: BTreeMap::new(),
    };
    let requirements = args.requirements.iter().chain(&extra.requirements);
    let mut open: Vec<(String, bool, usize)> =
        requirements.map(|file| (args.below(file), true, 0)).collect();
    let constraints = args.constraints.iter().chain(&extra.constraints);
    open.extend(constraints.map(|file| (args.below(file), false, 0)));
    for (file, ..) in open.iter().filter(|(file, ..)| !file.contains("://")) {
        look.ask(&Contents(file.clone()));
    }
    while let Some((file, wants, depth)) = open.pop() {
        if file.contains("://") {
            // What a server says today is not looked at.
            if wants {
                all.wanted.push(Wanted::Opaque(format!("-r {file}")));
            }
            continue;
        }
        let bytes = look.get(&Contents(file.clone()))?.as_ref();
        let bytes = bytes.ok_or_else(|| NotYet(format!("`{file}` does not exist")))?;
        let Listing { wanted, requirements, constraints } = listing(bytes);
        if wants {
            all.wanted.extend(wanted);
        } else {
            constrain(&mut all.constraints, &wanted);
        }
        let dir = file.rsplit_once('/').map_or("", |(dir, _)| dir);
        let near = |name: String| {
 if name.starts_with('/') || name.contains("://") { name } else { format!("{dir}/{name}") }
 };
        if depth < DEPTH {
            open.extend(requirements.into_iter().map(|name| (near(name), wants, depth + 1)));
            open.extend(constraints.into_iter().map(|name| (near(name), false, depth + 1)));
        }
    }
    Ok(all)
}

fn constrain(all: &mut BTreeMap<PackageName, VersionSpecifiers>, wanted: &[Wanted]) {
    for wanted in wanted {
        if let Wanted::Named { requirement, .. } = wanted {
            let more = versions(requirement);
            let known = all.entry(requirement.name.clone()).or_default();
            *known = known.iter().cloned().chain(more.iter().cloned()).collect();
        }
    }
}

/// Makes the virtual environment.
fn make(args: &Args, path: &str, wanted: &[Wanted], look: &Look<'_>) -> Result<Change, Stop> {
    let command = match (&args.virtualenv_command, &args.virtualenv_python) {
        (Some(command), _) => command.clone(),
        (None, Some(python)) => format!("{python} -m venv"),
        (None, None) => "python3 -m venv".to_owned(),
    };
    let mut argv = shlex::split(&command).unwrap_or_default();
    let Some(maker) = argv.first() else {
        return Err(Stop::refused("`virtualenv_command` is empty"));
    };
    if look.get(&Which(maker.clone()))?.is_none() {
        return Err(missing(maker).into());
    }
    if args.virtualenv_site_packages {
        argv.push("--system-site-packages".to_owned());
    }
    if let (Some(_), Some(python)) = (&args.virtualenv_command, &args.virtualenv_python) {
        argv.extend(["-p".to_owned(), python.clone()]);
    }
    argv.push(path.to_owned());
    let python = program(&Env::Venv(path.to_owned()));
    let run = Run {
        dir: args.chdir.clone(),
        umask: umask(args),
        ..Run::new(argv)
    };
    let env = Env::Venv(path.to_owned());
    let mut step = Step::from(run).effect(Effect::new(Which(python.clone()), Some(python)));
    for wanted in wanted {
        if let Wanted::Named { requirement, .. } = wanted {
            let probe = installed(&env, &requirement.name);
            let bundled = ["pip", "setuptools", "wheel"].contains(&probe.name.as_ref());
 step = step.effect(if bundled { Effect::unknown(probe, "what a new environment comes with") } else { Effect::new(probe, None) });
        }
    }
    let version = Interpreter(env);
    let step = step.effect(Effect::unknown(version, "the Python of the new environment"));
    Ok(Change::new("virtual environment", false, true).step(step))
}

fn umask(args: &Args) -> Option<u32> {
    u32::from_str_radix(args.umask.as_ref()?, 8).ok()
}

/// What is decided about packages once the environment and the files are known.
struct Task<'a> {
    args: &'a Args,
    env: Env,
    exists: bool,
    extra: Extra,
    constraints: BTreeMap<PackageName, VersionSpecifiers>,
}

/// One package that is not as it should be.
struct Differs {
    name: PackageName,
    before: Option<Release>,
    wanted: String,
    after: Option<Release>,
}

impl Task<'_> {
    fn changes(&self, wanted: &[Wanted], look: &Look<'_>) -> Result<Vec<Change>, Stop> {
        let upgrade = self.args.state == State::Latest || self.extra.upgrade;
        if self.args.state == State::Absent {
            return self.remove(wanted, look);
        }
        let differing = self.differing(wanted, look)?;
        let opaque = wanted.iter().find(|wanted| matches!(wanted, Wanted::Opaque(_)));
        let acts = self.args.state == State::ForceReinstall || self.extra.acts;
        let (cause, what) = if acts {
            (Cause::Act, "packages, again".to_owned())
        } else if !differing.is_empty() {
            (Cause::Differs, String::new())
        } else if let Some(opaque) = opaque {
            // Only pip can tell whether it is there as it is now.
            (Cause::Act, format!("`{}`", opaque.text()))
        } else if upgrade {
            match self.newer(wanted, look)? {
                Newer::None => return Ok(Vec::new()),
                Newer::These(names) => (Cause::Act, format!("newer {names}")),
                Newer::Unknown => (Cause::Act, "newer packages".to_owned()),
            }
        } else if self.files_changed(look) {
            (Cause::Act, "what the requirements and constraints say".to_owned())
        } else {
            return Ok(Vec::new());
        };
        self.refuse_managed(look)?;
        let step = self.install(wanted, &differing, upgrade);
        if differing.is_empty() || cause == Cause::Act {
            return Ok(vec![Change::new(what, Value::Null, Value::Null).step(step).because(cause)]);
        }
        let mut changes: Vec<Change> = differing
            .into_iter()
            .map(|differs| {
                let before = differs.before.map(|release| release.0);
                Change::new(format!("package `{}`", differs.name), before, differs.wanted)
            })
            .collect();
        // One transaction for all of them.
        if let Some(last) = changes.last_mut() {
            last.steps.push(step);
        }
        Ok(changes)
    }

    fn differing(&self, wanted: &[Wanted], look: &Look<'_>) -> Result<Vec<Differs>, Stop> {
        let mut differing = Vec::new();
        for wanted in wanted {
            let Wanted::Named { requirement, .. } = wanted else { continue };
            if !self.applies(requirement, &[], look)? {
                continue;
            }
            let before = self.there(&requirement.name, look)?;
            if self.satisfied(requirement, before.as_ref(), look, 0)? {
                continue;
            }
            let versions = versions(requirement).to_string();
            differing.push(Differs {
                name: requirement.name.clone(),
                before,
                wanted: if versions.is_empty() { "installed".to_owned() } else { versions },
                after: pinned(requirement).map(|version| Release(version.to_string())),
            });
        }
        Ok(differing)
    }

    fn there(&self, name: &PackageName, look: &Look<'_>) -> Result<Option<Release>, NotYet> {
        let probe = installed(&self.env, name);
        if !self.exists {
            look.ask(&probe);
            return Ok(None);
        }
        look.get(&probe).cloned()
    }

    /// Whether what is there will do: its version, and what its extras require.
    fn satisfied(
        &self,
        requirement: &Requirement<VerbatimUrl>,
        there: Option<&Release>,
        look: &Look<'_>,
        depth: usize,
    ) -> Result<bool, Stop> {
        let Some(release) = there else { return Ok(false) };
        let wanted = versions(requirement);
        let constraint = self.constraints.get(&requirement.name);
        let mut all = wanted.iter().chain(constraint.into_iter().flat_map(|c| c.iter()));
        let version = release.version();
        let fits = match &version {
            Some(version) => all.all(|specifier| specifier.contains(version)),
            None => all.next().is_none(),
        };
        if !fits || requirement.extras.is_empty() || depth > DEPTH {
            return Ok(fits);
        }
        let probe = Extras(installed(&self.env, &requirement.name));
        let Some(lines) = look.get(&probe)? else { return Ok(true) };
        for line in lines {
            let Ok(needs) = line.parse::<Requirement<VerbatimUrl>>() else { continue };
            if self.applies(&needs, &requirement.extras, look)? {
                let there = self.there(&needs.name, look)?;
                if !self.satisfied(&needs, there.as_ref(), look, depth + 1)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Whether the markers of a requirement hold.
    fn applies(
        &self,
        requirement: &Requirement<VerbatimUrl>,
        extras: &[ExtraName],
        look: &Look<'_>,
    ) -> Result<bool, Stop> {
        if requirement.marker.is_true() {
            return Ok(true);
        }
        if !requirement.marker.evaluate_extras(extras) {
            return Ok(false);
        }
        let python = look.get(&Interpreter(self.env.clone()))?.as_ref();
        let python = python.ok_or_else(|| missing(&program(&self.env)))?;
        let env = markers(&python.version, &python.machine)
            .ok_or_else(|| NotYet(format!("what Python `{}` is", python.version)))?;
        Ok(requirement.marker.evaluate(&env, extras))
    }

    fn refuse_managed(&self, look: &Look<'_>) -> Result<(), Stop> {
        let (Env::Python(program) | Env::Pip(program)) = &self.env else { return Ok(()) };
        if self.args.break_system_packages {
            return Ok(());
        }
        match look.get(&Interpreter(self.env.clone()))? {
            Some(python) if python.managed => Err(Stop::Refused(
                evenkeel_engine::Refusal::new(format!(
                    "the packages of `{program}` belong to the distribution"
                ))
                .help("give a `virtualenv`, or `break_system_packages: true`"),
            )),
            _ => Ok(()),
        }
    }

    /// Whether a file that says what is wanted has changed since the task last ended well: it may
    /// say something about packages that only others require.
    fn files_changed(&self, look: &Look<'_>) -> bool {
        let seen = look.seen();
        let now = <Pip as evenkeel_engine::Module>::witness(self.args, seen);
        seen.witness().is_some() && seen.witness() != now.as_ref()
    }

    fn remove(&self, wanted: &[Wanted], look: &Look<'_>) -> Result<Vec<Change>, Stop> {
        let (mut changes, mut names) = (Vec::new(), Vec::new());
        for wanted in wanted {
            let Wanted::Named { requirement, .. } = wanted else {
                return Err(Stop::refused(format!(
                    "`{}` does not say the name of the package to remove",
                    wanted.text()
                )));
            };
            if let Some(release) = self.there(&requirement.name, look)? {
                let what = format!("package `{}`", requirement.name);
                changes.push(Change::new(what, release.0, Value::Null));
                names.push(requirement.name.clone());
            }
        }
        if let Some(last) = changes.last_mut() {
            self.refuse_managed(look)?;
            let mut argv = self.pip("uninstall");
            argv.push("-y".to_owned());
            argv.extend(names.iter().map(ToString::to_string));
            let mut step = Step::from(self.run(argv));
            for name in names {
                step = step.effect(Effect::new(installed(&self.env, &name), None));
            }
            last.steps.push(step);
        }
        Ok(changes)
    }

    fn install(&self, wanted: &[Wanted], differing: &[Differs], upgrade: bool) -> Step {
        let mut argv = self.pip("install");
        if upgrade || self.args.state == State::ForceReinstall {
            argv.push("--upgrade".to_owned());
        }
        if self.args.state == State::ForceReinstall {
            argv.push("--force-reinstall".to_owned());
        }
        argv.extend(self.sources());
        argv.extend(self.args.requirements.iter().flat_map(|file| ["-r".to_owned(), file.clone()]));
        argv.extend(self.named());
        let mut step = Step::from(self.run(argv));
        if let Env::Venv(_) = &self.env {
            let python = program(&self.env);
            step = step.effect(Effect::new(Which(python.clone()), Some(python)));
        }
        for wanted in wanted {
            let Wanted::Named { requirement, .. } = wanted else { continue };
            let probe = installed(&self.env, &requirement.name);
            let differs = differing.iter().find(|differs| differs.name == requirement.name);
            step = match differs {
                Some(Differs { after: Some(release), .. }) => {
                    step.effect(Effect::new(probe, Some(release.clone())))
                }
                None if !upgrade && self.args.state == State::Present => step,
                _ => {
                    let why = format!("which version of `{}` pip takes", requirement.name);
                    step.effect(Effect::unknown(probe, why))
                }
            };
        }
        step
    }

    /// Arguments that say where packages come from.
    fn sources(&self) -> Vec<String> {
        let mut words = Vec::new();
        if self.args.no_index {
            words.push("--no-index".to_owned());
        }
        if let Some(place) = &self.args.find_links {
            words.extend(["--find-links".to_owned(), place.clone()]);
        }
        for file in &self.args.constraints {
            words.extend(["-c".to_owned(), file.clone()]);
        }
        words.extend(self.extra.words.iter().cloned());
        words
    }

    /// What the arguments name.
    fn named(&self) -> Vec<String> {
        let wanted = self.args.wanted().unwrap_or_default();
        let words = |wanted: &Wanted| match wanted {
            Wanted::Opaque(text) if text.starts_with("-e ") => {
                vec!["-e".to_owned(), text["-e ".len()..].to_owned()]
            }
            wanted => vec![wanted.text().to_owned()],
        };
        wanted.iter().flat_map(words).collect()
    }

    fn pip(&self, verb: &str) -> Vec<String> {
        let mut argv = match &self.env {
            Env::Venv(_) | Env::Python(_) => {
                vec![program(&self.env), "-m".to_owned(), "pip".to_owned()]
            }
            Env::Pip(program) => vec![program.clone()],
        };
        argv.push(verb.to_owned());
        argv
    }

    fn run(&self, argv: Vec<String>) -> Run {
        let mut env = vec![
            ("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
            ("PIP_NO_INPUT", "1"),
        ];
        if self.args.break_system_packages {
            env.push(("PIP_BREAK_SYSTEM_PACKAGES", "1"));
        }
        Run {
            env: env.iter().map(|(name, value)| ((*name).to_owned(), Text::from(*value))).collect(),
            dir: self.args.chdir.clone(),
            umask: umask(self.args),
            seconds: Some(LIMIT),
            long: true,
            ..Run::new(argv)
        }
    }

    /// What pip would upgrade. It is asked each time: what is newest, only an index knows.
    fn newer(&self, wanted: &[Wanted], look: &Look<'_>) -> Result<Newer, NotYet> {
        if !self.exists {
            return Ok(Newer::Unknown);
        }
        if wanted.iter().all(|w| matches!(w, Wanted::Named { requirement, .. } if pinned(requirement).is_some()))
        {
            return Ok(Newer::None);
        }
        let mut argv = self.pip("install");
        argv.extend(["--dry-run", "--upgrade", "--no-input"].map(str::to_owned));
        argv.extend(self.sources());
        let file = |file: &String| ["-r".to_owned(), self.args.below(file)];
        argv.extend(self.args.requirements.iter().flat_map(file));
        argv.extend(self.named());
        let mut ask = Ask::new(argv);
        if let Env::Venv(path) = &self.env {
            ask = ask.reading([Thing::Tree(path.clone())]);
        }
        let answer = look.get(&ask)?;
        if answer.status != 0 {
            return Ok(Newer::Unknown);
        }
        let line = answer.stdout.lines().find_map(|line| line.strip_prefix("Would install "));
        Ok(line.map_or(Newer::None, |names| Newer::These(names.trim().to_owned())))
    }
}

/// An install that compiles takes long; one that takes longer than this hangs.
const LIMIT: u64 = 4 * 3600;

/// What pip says about newer versions.
enum Newer {
    None,
    These(String),
    /// It is too old to be asked, or the index cannot be reached.
    Unknown,
}

/// What markers are held against.
fn markers(version: &str, machine: &str) -> Option<MarkerEnvironment> {
    let mut parts = version.split('.');
    let short = format!("{}.{}", parts.next()?, parts.next()?);
    let full = match parts.next() {
        Some(patch) => format!("{short}.{patch}"),
        None => format!("{short}.0"),
    };
    MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
        implementation_name: "cpython",
        implementation_version: &full,
        os_name: "posix",
        platform_machine: machine,
        platform_python_implementation: "CPython",
        platform_release: "",
        platform_system: "Linux",
        platform_version: "",
        python_full_version: &full,
        python_version: &short,
        sys_platform: "linux",
    })
    .ok()
}
