//! What differs, and what dnf is told.

use evenkeel_engine::{
    Cause, Change, Effect, NotYet, Plan, Run, Step, Stop, Value,
    probes::{Ask, Which},
};

use super::{
    Args, Nevra, Package, Provides, State,
    spec::{Reading, Spec, is_archive, spec},
};
use crate::look::Look;

/// A transaction may take long; one that takes longer than this hangs.
const LIMIT: u64 = 2 * 3600;

pub(super) fn plan(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    // Asked before anything is judged, so that one round is enough.
    let (dnf, yum) = (Which("dnf".to_owned()), Which("yum".to_owned()));
    look.ask(&dnf);
    look.ask(&yum);
    for name in &args.name {
        if let Spec::Package(readings) = spec(name) {
            for reading in readings {
                look.ask(&Package(reading.name));
            }
        }
    }
    let program = if look.get(&dnf)?.is_some() {
        "dnf"
    } else if look.get(&yum)?.is_some() {
        "yum"
    } else {
        let what = "`dnf` or `yum` (they belong to RPM systems)";
        return Err(NotYet(what.to_owned()).into());
    };
    let task = Task { args, program };
    Ok(match args.state {
        State::Present => task.present(look)?,
        State::Latest => task.latest(look)?,
        State::Absent => task.absent(look)?,
    }
    .into())
}

struct Task<'a> {
    args: &'a Args,
    program: &'static str,
}

/// What dnf says it would do.
enum Would {
    Nothing,
    /// Something, or it cannot: then it will say why.
    Something,
}

impl Task<'_> {
    fn present(&self, look: &Look<'_>) -> Result<Vec<Change>, Stop> {
        let (mut wanted, mut resolved) = (Vec::new(), Vec::new());
        for name in &self.args.name {
            match spec(name) {
                Spec::Package(readings) => {
                    if let Some(before) = self.missing(name, &readings, look)? {
                        wanted.push((name.clone(), before));
                    }
                }
                Spec::File(path) => {
                    if look.get(&Provides(path))?.is_empty() {
                        wanted.push((name.clone(), Value::Null));
                    }
                }
                Spec::Resolved(text) => resolved.push(text),
            }
        }
        for text in resolved {
            if matches!(self.would(&["install"], &[&text], look)?, Would::Something) {
                wanted.push((text, Value::Null));
            }
        }
        if wanted.is_empty() && self.args.update_cache && self.args.name.is_empty() {
            let mut argv = self.options();
            argv.push("makecache".to_owned());
            let change = Change::new("lists of packages", Value::Null, Value::Null);
            return Ok(vec![change.step(Self::run(argv, None)).because(Cause::Act)]);
        }
        Ok(self.changes(&["install"], wanted, "installed"))
    }

    /// What is there instead, if a package is not there as it is wanted.
    fn missing(
        &self,
        name: &str,
        readings: &[Reading],
        look: &Look<'_>,
    ) -> Result<Option<Value>, NotYet> {
        let mut before = Value::Null;
        for reading in readings {
            for there in look.get(&Package(reading.name.clone()))? {
                let newer = !self.args.allow_downgrade && reading.is_older_than(there);
                if reading.fits(there) || newer {
                    return Ok(None);
                }
                before = there.evr.to_string().into();
            }
        }
        let archive = is_archive(name);
        if before == Value::Null && !archive && !look.get(&Provides(name.to_owned()))?.is_empty() {
            return Ok(None);
        }
        Ok(Some(before))
    }

    fn latest(&self, look: &Look<'_>) -> Result<Vec<Change>, Stop> {
        let (mut wanted, mut there) = (Vec::new(), Vec::new());
        for name in &self.args.name {
            let missing = match spec(name) {
                Spec::Package(readings) => self.missing(name, &readings, look)?,
                Spec::File(path) => look.get(&Provides(path))?.is_empty().then_some(Value::Null),
                Spec::Resolved(_) => None,
            };
            match missing {
                Some(_) if self.args.update_only => {}
                Some(before) => wanted.push((name.clone(), before)),
                None => there.push(name.as_str()),
            }
        }
        let mut changes = self.changes(&["install"], wanted, "installed");
        let mut verb = vec!["upgrade"];
        verb.extend(self.args.security.then_some("--security"));
        verb.extend(self.args.bugfix.then_some("--bugfix"));
        let everything = there.contains(&"*");
        let names: &[&str] = if everything { &[] } else { &there };
        if !there.is_empty() && matches!(self.would(&verb, names, look)?, Would::Something) {
            let names = names.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
            if everything {
                let argv = self.command(&verb);
                let change = Change::new("all packages", Value::Null, "newest");
                changes.push(change.step(Self::run(argv, None)));
            } else {
                changes.extend(self.changes(&verb, names, "newest"));
            }
        }
        Ok(changes)
    }

    fn absent(&self, look: &Look<'_>) -> Result<Vec<Change>, Stop> {
        let mut wanted: Vec<(String, Value)> = Vec::new();
        for name in &self.args.name {
            match spec(name) {
                Spec::Package(readings) => {
                    let there = readings.iter().map(|reading| {
                        let there = look.get(&Package(reading.name.clone()))?;
                        Ok(there.iter().find(|there| reading.fits(there)))
                    });
                    let there: Vec<Option<&Nevra>> = there.collect::<Result<_, NotYet>>()?;
                    if let Some(there) = there.into_iter().flatten().next() {
                        wanted.push((there.name.clone(), there.evr.to_string().into()));
                    }
                }
                Spec::File(path) => {
                    let owners = look.get(&Provides(path))?;
                    wanted.extend(owners.iter().map(|owner| (owner.clone(), true.into())));
                }
                Spec::Resolved(text) => {
                    if matches!(self.would(&["remove"], &[&text], look)?, Would::Something) {
                        wanted.push((text, true.into()));
                    }
                }
            }
        }
        if self.args.name.is_empty() && self.args.autoremove {
            return match self.would(&["autoremove"], &[], look)? {
                Would::Nothing => Ok(Vec::new()),
                Would::Something => {
                    let change = Change::new("packages that nothing needs", true, false);
                    Ok(vec![change.step(Self::run(self.command(&["autoremove"]), None))])
                }
            };
        }
        let mut changes = self.changes(&["remove"], wanted, "");
        for change in &mut changes {
            change.after = Value::Null;
        }
        Ok(changes)
    }

    /// One change for each package, one transaction for all.
    fn changes(&self, verb: &[&str], wanted: Vec<(String, Value)>, after: &str) -> Vec<Change> {
        let names: Vec<_> = wanted.iter().map(|(name, _)| name.clone()).collect();
        let mut changes: Vec<Change> = wanted
            .into_iter()
            .map(|(name, before)| Change::new(format!("package `{name}`"), before, after))
            .collect();
        let Some(last) = changes.last_mut() else { return changes };
        let removes = verb == ["remove"];
        let mut step = Self::run(self.command(verb), Some(names.clone()));
        for name in names {
            let Spec::Package(readings) = spec(&name) else { continue };
            for reading in readings {
                step = step.effect(if removes {
                    Effect::new(Package(reading.name), Vec::new())
                } else {
                    let why = format!("which version of `{name}` the repositories have");
                    Effect::unknown(Package(reading.name), why)
                });
            }
        }
        last.steps.push(step);
        changes
    }

    fn run(argv: Vec<String>, joins: Option<Vec<String>>) -> Step {
        Step::from(Run {
            joins,
            seconds: Some(LIMIT),
            long: true,
            env: vec![("LC_ALL".to_owned(), "C".into())],
            ..Run::new(argv)
        })
    }

    fn command(&self, verb: &[&str]) -> Vec<String> {
        let mut argv = self.options();
        argv.push("-y".to_owned());
        argv.extend(verb.iter().map(|&word| word.to_owned()));
        argv
    }

    /// Asks dnf to resolve without doing anything: each time, since repositories change.
    fn would(&self, verb: &[&str], names: &[&str], look: &Look<'_>) -> Result<Would, NotYet> {
        let mut argv = vec!["env".to_owned(), "LC_ALL=C".to_owned()];
        argv.extend(self.options());
        argv.push("--assumeno".to_owned());
        argv.extend(verb.iter().chain(names).map(|&word| word.to_owned()));
        let answer = look.get(&Ask::new(argv))?;
        let quiet = ["Nothing to do", "No packages marked for removal", "No packages to remove"];
        let nothing = answer.status == 0
            && (answer.stdout.is_empty() || quiet.iter().any(|text| answer.stdout.contains(text)));
        Ok(if nothing { Would::Nothing } else { Would::Something })
    }

    fn options(&self) -> Vec<String> {
        let args = self.args;
        let mut words = vec![self.program.to_owned()];
        let mut add = |word: String| words.push(word);
        args.enablerepo.iter().for_each(|repo| add(format!("--enablerepo={repo}")));
        args.disablerepo.iter().for_each(|repo| add(format!("--disablerepo={repo}")));
        args.exclude.iter().for_each(|name| add(format!("--exclude={name}")));
        args.enable_plugin.iter().for_each(|name| add(format!("--enableplugin={name}")));
        args.disable_plugin.iter().for_each(|name| add(format!("--disableplugin={name}")));
        let valued = [
            ("--disableexcludes", &args.disable_excludes),
            ("--config", &args.conf_file),
            ("--releasever", &args.releasever),
        ];
        for (name, value) in valued {
            if let Some(value) = value {
                add(format!("{name}={value}"));
            }
        }
        let flags = [
            (args.update_cache && !args.cacheonly, "--refresh"),
            (args.cacheonly, "--cacheonly"),
            (args.disable_gpg_check, "--nogpgcheck"),
            (args.allowerasing, "--allowerasing"),
            (args.nobest, "--nobest"),
            (args.skip_broken, "--skip-broken"),
            (!args.install_weak_deps, "--setopt=install_weak_deps=False"),
            (!args.validate_certs, "--setopt=sslverify=False"),
        ];
        flags.iter().filter(|(on, _)| *on).for_each(|(_, flag)| add((*flag).to_owned()));
        words
    }
}
