//! What differs, and what dnf is told.

use evenkeel_engine::{
    AnyProbe, Cause, Change, Effect, NotYet, Plan, Step, Stop, Value,
    probes::{Stat, Which},
};

use super::{
    Args, Nevra, Package, Provides, State,
    dnf::{Dnf, would},
    probes::Matching,
    resolve::{Resolve, Said, Unless},
    spec::{Reading, Spec, for_dnf, is_archive, is_pattern, spec, stem},
    would::{Row, What, Would},
};
use crate::look::Look;

pub(super) fn plan(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    // Asked before anything is judged, so that one round is enough.
    let (dnf, yum) = (Which("dnf".to_owned()), Which("yum".to_owned()));
    look.ask(&dnf);
    look.ask(&yum);
    for name in &args.name {
        match spec(name) {
            Spec::Package(readings) => {
                for reading in readings {
                    look.ask(&Package(reading.name));
                }
                if args.state != State::Absent && !is_archive(name) {
                    look.ask(&Provides(name.clone()));
                }
            }
            Spec::File(path) => look.ask(&Provides(path)),
            Spec::Resolved(text) if args.state == State::Absent && is_pattern(&text) => {
                look.ask(&Matching(text));
            }
            Spec::Resolved(_) => {}
        }
    }
    ask_dnf(args, look);
    let program = if look.get(&dnf)?.is_some() {
        "dnf"
    } else if look.get(&yum)?.is_some() {
        "yum"
    } else {
        let what = "`dnf` or `yum` (they belong to RPM systems)";
        return Err(NotYet(what.to_owned()).into());
    };
    let task = Task {
        args,
        dnf: Dnf { args, program },
        look,
    };
    Ok(match args.state {
        State::Present | State::Latest if args.download_only => task.download()?,
        State::Present => task.present()?,
        State::Latest => task.latest()?,
        State::Absent => task.absent()?,
    }
    .into())
}

/// What only dnf can say is asked with the first round.
fn ask_dnf(args: &Args, look: &Look<'_>) {
    let names: Vec<&str> = args.name.iter().map(String::as_str).collect();
    if args.download_only {
        look.ask(&would(
            args,
            &["install"],
            &names,
            Unless::Never,
            Vec::new(),
        ));
        return;
    }
    let verb = match args.state {
        State::Absent => "remove",
        State::Present => "install",
        State::Latest if is_limited(args) => return,
        State::Latest => "install",
    };
    for name in names {
        if let Spec::Resolved(text) = spec(name)
            && !(args.state == State::Absent && is_pattern(&text))
        {
            let question = match text.as_str() {
                "*" if args.state == State::Latest => {
                    would(args, &["upgrade"], &[], Unless::Never, Vec::new())
                }
                text => would(args, &[verb], &[text], Unless::Never, Vec::new()),
            };
            look.ask(&question);
        }
    }
    if let (State::Latest, Some(question)) = (args.state, newest(args)) {
        look.ask(&question);
    }
    if args.name.is_empty() && args.autoremove {
        look.ask(&would(
            args,
            &["autoremove"],
            &[],
            Unless::Never,
            Vec::new(),
        ));
    }
}

/// Whether not all that is newer is wanted.
fn is_limited(args: &Args) -> bool {
    args.security || args.bugfix || args.update_only
}

/// The question whether all that is named is there, and the newest.
fn newest(args: &Args) -> Option<Resolve> {
    let named = args
        .name
        .iter()
        .filter(|name| !matches!(spec(name), Spec::Resolved(_)));
    let names: Vec<&str> = named.map(String::as_str).collect();
    let simple = names.iter().all(|name| by_name(name).is_some());
    let unless = if simple {
        Unless::Merged
    } else {
        Unless::Never
    };
    (!names.is_empty()).then(|| would(args, &["install"], &names, unless, Vec::new()))
}

/// What a plain name is looked for by.
fn by_name(name: &str) -> Option<String> {
    match spec(name) {
        Spec::Package(readings) if is_archive(name) => {
            (!readings.is_empty()).then(|| stem(name).to_owned())
        }
        Spec::Package(readings) => {
            let plain = readings.iter().any(|reading| reading.name == name);
            plain.then(|| for_dnf(name))
        }
        _ => None,
    }
}

struct Task<'a> {
    args: &'a Args,
    dnf: Dnf<'a>,
    look: &'a Look<'a>,
}

/// What is wanted and not there, and what is there instead.
struct Wanted {
    name: String,
    before: Value,
}

impl Wanted {
    fn new(name: impl Into<String>, before: impl Into<Value>) -> Self {
        Self {
            name: name.into(),
            before: before.into(),
        }
    }
}

/// What dnf resolved, and by which questions.
#[derive(Default)]
struct Foreseen {
    rows: Vec<Row>,
    merged: bool,
    asked: Vec<Resolve>,
}

impl Task<'_> {
    fn present(&self) -> Result<Vec<Change>, Stop> {
        let (mut wanted, mut resolved) = (Vec::new(), Vec::new());
        for name in &self.args.name {
            match spec(name) {
                Spec::Package(readings) => {
                    if let Some(before) = self.missing(name, &readings)? {
                        wanted.push(Wanted::new(name, before));
                    }
                }
                Spec::File(path) => {
                    if self.look.get(&Provides(path))?.is_empty() {
                        wanted.push(Wanted::new(name, Value::Null));
                    }
                }
                Spec::Resolved(text) => resolved.push(text),
            }
        }
        if self.args.name.is_empty() && self.args.update_cache {
            let change = Change::new("lists of packages", Value::Null, "fetched");
            let step = self.dnf.run(&["makecache"], None);
            return Ok(vec![change.step(step).because(Cause::Act)]);
        }
        // All questions are asked at once.
        for text in &resolved {
            self.look.ask(&self.by_itself(&["install"], text));
        }
        let mut foreseen = self.all(&["install"], &mut wanted)?;
        for text in resolved {
            if self.one(&["install"], &text, &mut foreseen)? {
                wanted.push(Wanted::new(text, Value::Null));
            }
        }
        Ok(self.changes(&["install"], wanted, &foreseen))
    }

    /// What is there instead, if a package is not there as it is wanted.
    fn missing(&self, name: &str, readings: &[Reading]) -> Result<Option<Value>, NotYet> {
        let mut before = Value::Null;
        for reading in readings {
            for there in self.look.get(&Package(reading.name.clone()))? {
                let newer = !self.args.allow_downgrade && reading.is_older_than(there);
                if reading.fits(there) || newer {
                    return Ok(None);
                }
                before = there.evr.to_string().into();
            }
        }
        let provided = before == Value::Null
            && !is_archive(name)
            && !self.look.get(&Provides(name.to_owned()))?.is_empty();
        Ok((!provided).then_some(before))
    }

    fn latest(&self) -> Result<Vec<Change>, Stop> {
        let mut names: Vec<&str> = Vec::new();
        let mut others = Vec::new();
        for name in &self.args.name {
            match spec(name) {
                Spec::Resolved(text) => others.push(text),
                _ => names.push(name),
            }
        }
        let everything = others.iter().position(|name| name == "*");
        let mut limits = Vec::new();
        limits.extend(self.args.security.then_some("--security"));
        limits.extend(self.args.bugfix.then_some("--bugfix"));
        let upgrade: Vec<&str> = ["upgrade"].into_iter().chain(limits).collect();
        if let Some(at) = everything {
            others.remove(at);
            self.look
                .ask(&would(self.args, &upgrade, &[], Unless::Never, Vec::new()));
        }
        let mut changes = if is_limited(self.args) {
            self.limited(&upgrade, &names, others)?
        } else {
            self.newest(&names, others)?
        };
        if everything.is_some() {
            let question = would(self.args, &upgrade, &[], Unless::Never, Vec::new());
            let (would, question) = self.ask(question, &upgrade)?;
            match would {
                Would::Nothing => {}
                Would::Cannot(why) => return Err(why.into()),
                would => changes.extend(self.whole(
                    "all packages",
                    "newest",
                    &upgrade,
                    (would, question),
                )),
            }
        }
        Ok(changes)
    }

    /// All in the newest version, as one transaction.
    fn newest(&self, names: &[&str], others: Vec<String>) -> Result<Vec<Change>, Stop> {
        let (mut foreseen, mut wanted) = (Foreseen::default(), Vec::new());
        if let Some(question) = newest(self.args) {
            let (would, question) = self.ask(question, &["install"])?;
            let rows = match would {
                Would::Nothing => Some(Vec::new()),
                Would::Cannot(why) => return Err(why.into()),
                Would::This { rows, merged } => {
                    foreseen.merged = merged;
                    foreseen.asked.push(question);
                    Some(rows)
                }
                Would::Unknown => None,
            };
            for name in names {
                let due = match &rows {
                    Some(rows) => self.is_in(name, rows)?,
                    None => true,
                };
                if due {
                    wanted.push(Wanted::new(*name, self.now(name)));
                }
            }
            foreseen.rows.extend(rows.into_iter().flatten());
        }
        for text in others {
            if self.one(&["install"], &text, &mut foreseen)? {
                wanted.push(Wanted::new(text, Value::Null));
            }
        }
        Ok(self.changes(&["install"], wanted, &foreseen))
    }

    /// Whether a transaction is about what is meant by a name: it, who provides it, or, where nobody
    /// does so far, whoever will.
    fn is_in(&self, name: &str, rows: &[Row]) -> Result<bool, NotYet> {
        if row(name, rows).is_some() {
            return Ok(true);
        }
        let there = match spec(name) {
            Spec::Package(readings) => {
                if !is_archive(name) && self.missing(name, &readings)?.is_some() {
                    return Ok(!rows.is_empty());
                }
                Vec::new()
            }
            Spec::File(path) => self.look.get(&Provides(path))?.clone(),
            Spec::Resolved(_) => Vec::new(),
        };
        if there.is_empty() {
            return Ok(!rows.is_empty() && matches!(spec(name), Spec::File(_)));
        }
        Ok(rows.iter().any(|row| there.contains(&row.package.name)))
    }

    /// Only what closes holes, mends bugs, or is there already.
    fn limited(
        &self,
        verb: &[&str],
        names: &[&str],
        others: Vec<String>,
    ) -> Result<Vec<Change>, Stop> {
        let (mut wanted, mut there) = (Vec::new(), Vec::new());
        for &name in names {
            let missing = match spec(name) {
                Spec::Package(readings) => self.missing(name, &readings)?,
                Spec::File(path) => {
                    let owners = self.look.get(&Provides(path))?;
                    owners.is_empty().then_some(Value::Null)
                }
                Spec::Resolved(_) => continue,
            };
            match missing {
                Some(_) if self.args.update_only => {}
                Some(before) => wanted.push(Wanted::new(name, before)),
                None => there.push(name),
            }
        }
        for text in &others {
            self.look.ask(&self.by_itself(verb, text));
        }
        if !there.is_empty() {
            self.look.ask(&self.about(verb, &there));
        }
        let foreseen = self.all(&["install"], &mut wanted)?;
        let mut newer = Foreseen::default();
        let mut outdated = self.outdated(verb, &there, &mut newer)?;
        for text in others {
            if self.one(verb, &text, &mut newer)? {
                outdated.push(Wanted::new(text, Value::Null));
            }
        }
        let mut changes = self.changes(&["install"], wanted, &foreseen);
        changes.extend(self.changes(verb, outdated, &newer));
        Ok(changes)
    }

    /// The question what is newer of these.
    fn about(&self, verb: &[&str], there: &[&str]) -> Resolve {
        let simple = there.iter().all(|name| by_name(name).is_some());
        let unless = if simple {
            Unless::Merged
        } else {
            Unless::Never
        };
        would(self.args, verb, there, unless, Vec::new())
    }

    /// Those of what is installed that have something newer.
    fn outdated(
        &self,
        verb: &[&str],
        there: &[&str],
        foreseen: &mut Foreseen,
    ) -> Result<Vec<Wanted>, Stop> {
        if there.is_empty() {
            return Ok(Vec::new());
        }
        let (would, question) = self.ask(self.about(verb, there), verb)?;
        let simple = question.unless == Unless::Merged;
        let named = |name: &&&str| -> Option<Wanted> { Some(Wanted::new(**name, self.now(name))) };
        Ok(match would {
            Would::Nothing => Vec::new(),
            Would::Cannot(why) => return Err(why.into()),
            Would::This { rows, merged } if simple => {
                foreseen.asked.push(question);
                let of = |name: &&&str| row(name, &rows).is_some();
                let found = there
                    .iter()
                    .filter(of)
                    .filter_map(|name| named(&name))
                    .collect();
                foreseen.rows.extend(rows);
                foreseen.merged |= merged;
                found
            }
            Would::This { rows, .. } => {
                foreseen.asked.push(question);
                foreseen.rows.extend(rows);
                there.iter().filter_map(|name| named(&name)).collect()
            }
            Would::Unknown => there.iter().filter_map(|name| named(&name)).collect(),
        })
    }

    fn absent(&self) -> Result<Vec<Change>, Stop> {
        let (mut wanted, mut resolved) = (Vec::new(), Vec::new());
        for name in &self.args.name {
            match spec(name) {
                Spec::Package(readings) => {
                    for reading in &readings {
                        let there = self.look.get(&Package(reading.name.clone()))?;
                        if let Some(there) = there.iter().find(|there| reading.fits(there)) {
                            wanted.push(Wanted::new(name, there.evr.to_string()));
                            break;
                        }
                    }
                }
                Spec::File(path) => {
                    let owners = self.look.get(&Provides(path))?;
                    wanted.extend(owners.iter().map(|owner| Wanted::new(owner, true)));
                }
                Spec::Resolved(text) if is_pattern(&text) => {
                    if !self.look.get(&Matching(text.clone()))?.is_empty() {
                        resolved.push(text);
                    }
                }
                Spec::Resolved(text) => resolved.push(text),
            }
        }
        if self.args.name.is_empty() && self.args.autoremove {
            let verb = ["autoremove"];
            let question = would(self.args, &verb, &[], Unless::Never, Vec::new());
            let would = self.ask(question, &verb)?;
            return Ok(match would.0 {
                Would::Nothing => Vec::new(),
                _ => self.whole("packages that nothing needs", "", &verb, would),
            });
        }
        for text in &resolved {
            self.look.ask(&self.by_itself(&["remove"], text));
        }
        let mut foreseen = Foreseen::default();
        if !wanted.is_empty() {
            let names: Vec<&str> = wanted.iter().map(|one| one.name.as_str()).collect();
            let labels = names.iter().map(|name| for_dnf(name)).collect();
            let question = would(self.args, &["remove"], &names, Unless::Gone, labels);
            self.take(question, &["remove"], &mut foreseen)?;
        }
        for text in resolved {
            if self.one(&["remove"], &text, &mut foreseen)? {
                wanted.push(Wanted::new(text, true));
            }
        }
        Ok(self.changes(&["remove"], wanted, &foreseen))
    }

    /// Archives of a directory: those that dnf would fetch and that are not there.
    fn download(&self) -> Result<Vec<Change>, Stop> {
        let names: Vec<&str> = self.args.name.iter().map(String::as_str).collect();
        let question = would(self.args, &["install"], &names, Unless::Never, Vec::new());
        let (would, _) = self.ask(question, &["install"])?;
        let rows = match would {
            Would::Nothing => return Ok(Vec::new()),
            Would::Cannot(why) => return Err(why.into()),
            Would::This { rows, .. } => Some(rows),
            Would::Unknown => None,
        };
        let step = self.dnf.run(&["install"], Some(self.args.name.clone()));
        let (Some(rows), Some(dir)) = (rows, &self.args.download_dir) else {
            let change = Change::new("archives of packages", Value::Null, "fetched");
            return Ok(vec![change.step(step).because(Cause::Act)]);
        };
        let paths = rows
            .iter()
            .filter(|row| row.what != What::Removed)
            .map(|row| {
                let Nevra { name, evr, arch } = &row.package;
                let (version, release) = (&evr.version, &evr.release);
                format!(
                    "{}/{name}-{version}-{release}.{arch}.rpm",
                    dir.trim_end_matches('/')
                )
            });
        let paths: Vec<String> = paths.collect();
        for path in &paths {
            self.look.ask(&Stat(path.clone()));
        }
        let mut changes = Vec::new();
        let mut step = step;
        for path in paths {
            if self.look.get(&Stat(path.clone()))?.is_none() {
                let why = "when it was fetched";
                step = step.effect(Effect::unknown(Stat(path.clone()), why));
                changes.push(Change::new(
                    format!("archive `{path}`"),
                    Value::Null,
                    "fetched",
                ));
            }
        }
        if let Some(last) = changes.last_mut() {
            last.steps.push(step);
        }
        Ok(changes)
    }

    /// What is installed by a name.
    fn now(&self, name: &str) -> Value {
        let Spec::Package(readings) = spec(name) else {
            return Value::Null;
        };
        let there = readings.into_iter().filter_map(|reading| {
            let there = self.look.get(&Package(reading.name)).ok()?;
            there.last().map(|there| there.evr.to_string())
        });
        there.into_iter().next().map_or(Value::Null, Value::from)
    }

    /// What dnf makes of all that is missing.
    /// Where it finds nothing to do (`skip_broken`), nothing is wanted any more.
    fn all(&self, verb: &[&str], wanted: &mut Vec<Wanted>) -> Result<Foreseen, Stop> {
        let mut foreseen = Foreseen::default();
        if wanted.is_empty() {
            return Ok(foreseen);
        }
        let names: Vec<&str> = wanted.iter().map(|one| one.name.as_str()).collect();
        let labels: Option<Vec<String>> = names.iter().map(|name| by_name(name)).collect();
        let (unless, labels) = match labels {
            Some(labels) => (Unless::Installed, labels),
            None => (Unless::Never, Vec::new()),
        };
        let question = would(self.args, verb, &names, unless, labels);
        if !self.take(question, verb, &mut foreseen)? {
            wanted.clear();
        }
        Ok(foreseen)
    }

    fn take(
        &self,
        question: Resolve,
        verb: &[&str],
        foreseen: &mut Foreseen,
    ) -> Result<bool, Stop> {
        let (would, question) = self.ask(question, verb)?;
        match would {
            Would::Nothing => Ok(false),
            Would::Cannot(why) => Err(why.into()),
            Would::Unknown => Ok(true),
            Would::This { rows, merged } => {
                foreseen.rows.extend(rows);
                foreseen.merged |= merged;
                foreseen.asked.push(question);
                Ok(true)
            }
        }
    }

    /// A text of which only dnf can say what it means.
    fn by_itself(&self, verb: &[&str], text: &str) -> Resolve {
        would(self.args, verb, &[text], Unless::Never, Vec::new())
    }

    /// Whether there is something to do for it.
    fn one(&self, verb: &[&str], text: &str, foreseen: &mut Foreseen) -> Result<bool, Stop> {
        self.take(self.by_itself(verb, text), verb, foreseen)
    }

    /// What dnf would do. What an earlier task of the run makes may decide about that: then it is
    /// not known, but it is no reason to wait.
    fn ask(&self, question: Resolve, verb: &[&str]) -> Result<(Would, Resolve), NotYet> {
        self.look.ask(&question);
        let would = match self.look.get(&question) {
            Ok(said) => said.would(verb[0]),
            Err(_) if self.look.seen().asked(&AnyProbe::key(&question)) => Would::Unknown,
            Err(why) => return Err(why),
        };
        Ok((would, question))
    }

    /// A change of everything at once, with what dnf foresees.
    fn whole(
        &self,
        what: &str,
        after: &str,
        verb: &[&str],
        (would, _): (Would, Resolve),
    ) -> Vec<Change> {
        let mut changes = match would {
            Would::This { rows, .. } => rows.iter().map(|row| self.drawn(row)).collect(),
            _ => Vec::new(),
        };
        if changes.is_empty() {
            changes.push(Change::new(what, Value::Null, after));
        }
        if let Some(last) = changes.last_mut() {
            last.steps.push(self.dnf.run(verb, None));
        }
        changes
    }

    /// What becomes of a package that nobody has named.
    fn drawn(&self, row: &Row) -> Change {
        let what = format!("package `{}`", row.package.name);
        let version = row.package.evr.to_string();
        match row.what {
            What::Removed => Change::new(what, version, Value::Null),
            What::Installed => Change::new(what, Value::Null, version),
            What::Upgraded | What::Downgraded => {
                let before = self.look.seen().get(&Package(row.package.name.clone()));
                let before = before.ok().and_then(|there| there.last());
                let before = before.map(|there| there.evr.to_string());
                Change::new(what, before, version)
            }
        }
    }

    /// One change for each package, one transaction for all.
    fn changes(&self, verb: &[&str], wanted: Vec<Wanted>, foreseen: &Foreseen) -> Vec<Change> {
        if wanted.is_empty() {
            return Vec::new();
        }
        let removes = verb == ["remove"];
        let names: Vec<String> = wanted.iter().map(|one| one.name.clone()).collect();
        let mut named = Vec::new();
        let mut changes: Vec<Change> = Vec::new();
        let mut step = self.dnf.run(verb, Some(names.clone()));
        let lone = lone(&names, foreseen);
        for Wanted { name, before } in wanted {
            let found = row(&name, &foreseen.rows);
            let lone = lone.filter(|(of, _)| *of == name).map(|(_, row)| row);
            named.extend(lone.map(|row| row.package.name.clone()));
            named.extend(found.map(|row| row.package.name.clone()));
            let after = match (found, lone) {
                _ if removes => Value::Null,
                (Some(row), _) => row.package.evr.to_string().into(),
                (None, Some(row)) => format!("{}-{}", row.package.name, row.package.evr).into(),
                (None, None) => "installed".into(),
            };
            step = self.effects(step, &name, found.or(lone), removes);
            changes.push(Change::new(format!("package `{name}`"), before, after));
        }
        if !foreseen.merged {
            let mut told: Vec<&str> = named.iter().map(String::as_str).collect();
            for row in &foreseen.rows {
                let name = row.package.name.as_str();
                if !told.contains(&name) && !names.iter().any(|wanted| wanted == name) {
                    told.push(name);
                    changes.push(self.drawn(row));
                }
            }
        }
        for question in &foreseen.asked {
            step = step.effect(Effect::new(question.clone(), Said::nothing()));
        }
        if let Some(last) = changes.last_mut() {
            last.steps.push(step);
        }
        changes
    }

    /// What will be answered about a package once it is there, or gone.
    fn effects(&self, mut step: Step, name: &str, found: Option<&Row>, removes: bool) -> Step {
        let Spec::Package(readings) = spec(name) else {
            return match found {
                _ if removes && is_pattern(name) => {
                    step.effect(Effect::new(Matching(name.to_owned()), Vec::new()))
                }
                Some(row) if !removes => {
                    let provider = vec![row.package.name.clone()];
                    step.effect(Effect::new(Provides(name.to_owned()), provider))
                }
                _ => step.effect(Effect::unknown(
                    Provides(name.to_owned()),
                    "what provides it",
                )),
            };
        };
        for reading in readings {
            let package = Package(reading.name.clone());
            let Ok(there) = self.look.get(&package) else {
                continue;
            };
            let effect = match found {
                _ if removes => Effect::new(package, Vec::new()),
                Some(row) if row.package.name != reading.name => continue,
                Some(row) if there.len() < 2 && !reading.name.starts_with("kernel") => {
                    Effect::new(package, vec![row.package.clone()])
                }
                _ => {
                    let why = format!("which version of `{name}` the repositories have");
                    Effect::unknown(package, why)
                }
            };
            step = step.effect(effect);
        }
        if !removes && !is_archive(name) {
            let provides = Provides(name.to_owned());
            step = step.effect(match found {
                Some(found) if row(name, std::slice::from_ref(found)).is_none() => {
                    Effect::new(provides, vec![found.package.name.clone()])
                }
                Some(_) => Effect::new(provides, vec![name.to_owned()]),
                None => Effect::unknown(provides, "what provides it"),
            });
        }
        step
    }
}

/// The one name that is no package's, and the one package that comes for it: who provides it.
fn lone<'a>(names: &'a [String], foreseen: &'a Foreseen) -> Option<(&'a str, &'a Row)> {
    let of = |name: &&String| row(name, &foreseen.rows).is_none();
    let mut strangers = names.iter().filter(of);
    let (name, others) = (strangers.next()?, strangers.next());
    let is_named = |row: &&Row| {
        names
            .iter()
            .any(|name| self::row(name, std::slice::from_ref(row)).is_some())
    };
    let mut rows = foreseen
        .rows
        .iter()
        .filter(|row| !row.drawn && !is_named(row));
    let (row, more) = (rows.next()?, rows.next());
    let alone = others.is_none() && more.is_none() && !foreseen.merged;
    (alone && !name.starts_with('@') && !is_pattern(name)).then_some((name.as_str(), row))
}

/// The row of a package that is asked for by this name.
fn row<'a>(name: &str, rows: &'a [Row]) -> Option<&'a Row> {
    let Spec::Package(readings) = spec(name) else {
        return None;
    };
    let of = |reading: &Reading| {
        rows.iter().find(|row| {
            row.package.name == reading.name
                && reading
                    .arch
                    .as_ref()
                    .is_none_or(|arch| *arch == row.package.arch)
        })
    };
    readings.iter().find_map(of)
}
