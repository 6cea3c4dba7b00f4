//! What differs.

mod call;
mod files;
mod fits;

use std::collections::BTreeMap;

use evenkeel_engine::{Cause, Change, Effect, NotYet, Plan, Step, Stop, Value, probes::Which};
use pep440_rs::VersionSpecifiers;
use pep508_rs::{PackageName, Requirement, VerbatimUrl};

use super::{
    Args, Distributions, Env, Extras, Installed, Interpreter, Pip, Release, State,
    requirement::{Wanted, pinned, versions},
    site::among,
};
use crate::{look::Look, paths::absolute};
use call::{Newer, make};
pub(super) use files::Extra;
use files::files;

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
    let listed = files.iter().flat_map(|files| &files.wanted);
    for (wanted, named) in
        (named.iter().map(|one| (one, true))).chain(listed.map(|one| (one, false)))
    {
        if let Wanted::Named { requirement, .. } = wanted {
            let probe = installed(&env, &requirement.name);
            if named {
                look.ask(&probe);
            }
            if !requirement.extras.is_empty() {
                look.ask(&Extras(probe));
                look.ask(&Distributions(env.clone()));
            }
            if !requirement.extras.is_empty() || !requirement.marker.is_true() {
                look.ask(&Interpreter(env.clone()));
            }
        }
    }
    if args.requirements.is_some() || !extra.requirements.is_empty() {
        // So that a file that holds is known to hold without another question.
        look.ask(&Distributions(env.clone()));
        look.ask(&Interpreter(env.clone()));
    }
    let mut pip = Task {
        args,
        env: env.clone(),
        exists: false,
        extra,
        constraints: BTreeMap::new(),
    };
    if pip.upgrades() && !(named.is_empty() && args.requirements.is_none()) {
        look.ask(&pip.dry_run());
    }
    let files = files?;
    let wanted: Vec<Wanted> = named.into_iter().chain(files.wanted).collect();
    pip.constraints = files.constraints;
    pip.exists = look.get(&there)?.is_some();
    let mut changes = Vec::new();
    if !pip.exists {
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
    changes.extend(pip.changes(&wanted, look)?);
    Ok(changes.into())
}

fn missing(program: &str) -> NotYet {
    NotYet(format!(
        "`{program}` (of the package `{}`)",
        if program.starts_with("pip") {
            "python3-pip"
        } else {
            "python3"
        }
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
    /// Whether what is there has to be the newest.
    fn upgrades(&self) -> bool {
        self.args.state == State::Latest || self.extra.upgrade
    }

    fn changes(&self, wanted: &[Wanted], look: &Look<'_>) -> Result<Vec<Change>, Stop> {
        let upgrade = self.upgrades();
        if self.args.state == State::Absent {
            return self.remove(wanted, look);
        }
        let differing = self.differing(wanted, look)?;
        let opaque = wanted
            .iter()
            .find(|wanted| matches!(wanted, Wanted::Opaque(_)));
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
                Newer::These(names) => (Cause::Differs, format!("newer {names}")),
                Newer::Unknown => (Cause::Act, "newer packages".to_owned()),
            }
        } else if self.files_changed(look) {
            (
                Cause::Act,
                "what the requirements and constraints say".to_owned(),
            )
        } else {
            return Ok(Vec::new());
        };
        self.refuse_managed(look)?;
        let mut step = self.install(wanted, &differing, upgrade);
        if upgrade && self.exists {
            let why = "which versions are the newest then";
            step = step.effect(Effect::unknown(self.dry_run(), why));
        }
        if differing.is_empty() || cause == Cause::Act {
            return Ok(vec![
                Change::new(what, Value::Null, Value::Null)
                    .step(step)
                    .because(cause),
            ]);
        }
        let mut changes: Vec<Change> = differing
            .into_iter()
            .map(|differs| {
                let before = differs.before.map(|release| release.0);
                Change::new(
                    format!("package `{}`", differs.name),
                    before,
                    differs.wanted,
                )
            })
            .collect();
        // One transaction for all of them.
        if let Some(last) = changes.last_mut() {
            last.steps.push(step);
        }
        Ok(changes)
    }

    fn differing(&self, wanted: &[Wanted], look: &Look<'_>) -> Result<Vec<Differs>, Stop> {
        let named = self.args.wanted()?;
        let named: Vec<_> = named.iter().filter_map(Wanted::name).cloned().collect();
        let (mut differing, mut open) = (Vec::new(), None);
        for wanted in wanted {
            let Wanted::Named { requirement, .. } = wanted else {
                continue;
            };
            let is_named = named.contains(&requirement.name);
            match self.differs(requirement, is_named, look) {
                Ok(differs) => differing.extend(differs),
                // The others have their questions too: a file may name hundreds.
                Err(Stop::NotYet(what)) => open = open.or(Some(what)),
                Err(refused) => return Err(refused),
            }
        }
        open.map_or(Ok(differing), |what| Err(what.into()))
    }

    fn differs(
        &self,
        requirement: &Requirement<VerbatimUrl>,
        is_named: bool,
        look: &Look<'_>,
    ) -> Result<Option<Differs>, Stop> {
        if !self.applies(requirement, &[], look)? {
            return Ok(None);
        }
        let before = if is_named {
            self.there(&requirement.name, look)?
        } else {
            self.mentioned(&requirement.name, look)?
        };
        if self.satisfied(requirement, before.as_ref(), look, 0)? {
            return Ok(None);
        }
        let versions = versions(requirement).to_string();
        Ok(Some(Differs {
            name: requirement.name.clone(),
            before,
            wanted: if versions.is_empty() {
                "installed".to_owned()
            } else {
                versions
            },
            after: pinned(requirement).map(|version| Release(version.to_string())),
        }))
    }

    fn there(&self, name: &PackageName, look: &Look<'_>) -> Result<Option<Release>, NotYet> {
        let probe = installed(&self.env, name);
        if !self.exists {
            look.ask(&probe);
            return Ok(None);
        }
        look.get(&probe).cloned()
    }

    /// The same for what is not named by the task itself: by a file, or by an extra.
    fn mentioned(&self, name: &PackageName, look: &Look<'_>) -> Result<Option<Release>, NotYet> {
        let all = look.get(&Distributions(self.env.clone()))?.as_deref();
        match among(all.unwrap_or_default(), name) {
            Some(release) => Ok(Some(release)),
            // Metadata of an older kind, or none at all.
            None => self.there(name, look),
        }
    }

    fn refuse_managed(&self, look: &Look<'_>) -> Result<(), Stop> {
        let (Env::Python(program) | Env::Pip(program)) = &self.env else {
            return Ok(());
        };
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
}
