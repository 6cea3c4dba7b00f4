//! What pip is told.

use evenkeel_engine::{
    Change, Effect, NotYet, Run, Step, Stop, Text, Thing,
    probes::{Ask, Which},
};

use super::{Differs, Task, installed, missing, program};
use crate::{
    look::Look,
    pip::{
        Args, Env, Interpreter, State,
        requirement::{Wanted, pinned},
    },
};

/// Makes the virtual environment.
pub(super) fn make(
    args: &Args,
    path: &str,
    wanted: &[Wanted],
    look: &Look<'_>,
) -> Result<Change, Stop> {
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
            step = step.effect(if bundled {
                Effect::unknown(probe, "what a new environment comes with")
            } else {
                Effect::new(probe, None)
            });
        }
    }
    let version = Interpreter(env);
    let step = step.effect(Effect::unknown(
        version,
        "the Python of the new environment",
    ));
    Ok(Change::new("virtual environment", false, true).step(step))
}

fn umask(args: &Args) -> Option<u32> {
    u32::from_str_radix(args.umask.as_ref()?, 8).ok()
}

impl Task<'_> {
    pub(super) fn install(&self, wanted: &[Wanted], differing: &[Differs], upgrade: bool) -> Step {
        let mut argv = self.pip("install");
        if upgrade || self.args.state == State::ForceReinstall {
            argv.push("--upgrade".to_owned());
        }
        if self.args.state == State::ForceReinstall {
            argv.push("--force-reinstall".to_owned());
        }
        argv.extend(self.sources());
        argv.extend(
            self.args
                .requirements
                .iter()
                .flat_map(|file| ["-r".to_owned(), file.clone()]),
        );
        argv.extend(self.named());
        let mut step = Step::from(self.run(argv));
        if let Env::Venv(_) = &self.env {
            let python = program(&self.env);
            step = step.effect(Effect::new(Which(python.clone()), Some(python)));
        }
        for wanted in wanted {
            let Wanted::Named { requirement, .. } = wanted else {
                continue;
            };
            let probe = installed(&self.env, &requirement.name);
            let differs = differing
                .iter()
                .find(|differs| differs.name == requirement.name);
            step = match differs {
                Some(Differs {
                    after: Some(release),
                    ..
                }) => step.effect(Effect::new(probe, Some(release.clone()))),
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

    pub(super) fn pip(&self, verb: &str) -> Vec<String> {
        let mut argv = match &self.env {
            Env::Venv(_) | Env::Python(_) => {
                vec![program(&self.env), "-m".to_owned(), "pip".to_owned()]
            }
            Env::Pip(program) => vec![program.clone()],
        };
        argv.push(verb.to_owned());
        argv
    }

    pub(super) fn run(&self, argv: Vec<String>) -> Run {
        let mut env = vec![
            ("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
            ("PIP_NO_INPUT", "1"),
        ];
        if self.args.break_system_packages {
            env.push(("PIP_BREAK_SYSTEM_PACKAGES", "1"));
        }
        Run {
            env: env
                .iter()
                .map(|(name, value)| ((*name).to_owned(), Text::from(*value)))
                .collect(),
            dir: self.args.chdir.clone(),
            umask: umask(self.args),
            seconds: Some(LIMIT),
            long: true,
            ..Run::new(argv)
        }
    }

    /// What pip would upgrade. It is asked each time: what is newest, only an index knows.
    pub(super) fn newer(&self, wanted: &[Wanted], look: &Look<'_>) -> Result<Newer, NotYet> {
        if !self.exists {
            return Ok(Newer::Unknown);
        }
        if wanted.iter().all(
            |w| matches!(w, Wanted::Named { requirement, .. } if pinned(requirement).is_some()),
        ) {
            return Ok(Newer::None);
        }
        let answer = look.get(&self.dry_run())?;
        if answer.status != 0 {
            return Ok(Newer::Unknown);
        }
        let line = answer
            .stdout
            .lines()
            .find_map(|line| line.strip_prefix("Would install "));
        Ok(line.map_or(Newer::None, |names| Newer::These(names.trim().to_owned())))
    }

    /// The question what pip would upgrade.
    pub(super) fn dry_run(&self) -> Ask {
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
        ask
    }
}

/// An install that compiles takes long; one that takes longer than this hangs.
const LIMIT: u64 = 4 * 3600;

/// What pip says about newer versions.
pub(super) enum Newer {
    None,
    These(String),
    /// It is too old to be asked, or the index cannot be reached.
    Unknown,
}
