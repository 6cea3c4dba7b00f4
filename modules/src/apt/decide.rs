//! What differs, and what apt is told.

use std::cmp::Ordering;

use evenkeel_engine::{
    Action, AnyProbe, Cause, Change, Effect, NotYet, Plan, Refusal, Stop, Value, probes::Glob,
};

use super::{
    Args, State, Upgrade,
    call::{Apt, would},
    changes::{Foreseen, Wanted},
    explain::is_interrupted,
    probes::{Age, Archive, Begun, Held, Lists, Matching, Package},
    resolve::{Resolve, Said},
    spec::{Spec, Wish, spec},
    version::{compare, without_epoch},
    would::{Row, What, Would},
};
use crate::look::Look;

/// Where apt keeps archives that it has fetched.
const ARCHIVES: &str = "/var/cache/apt/archives/*.deb";

pub(super) fn plan(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    ask(args, look);
    let mut task = Task {
        args,
        look,
        specs: args.specs()?,
        age: None,
    };
    match task.age() {
        Ok(age) => task.age = age,
        Err(why) => {
            // What it asks beyond that is asked with the first round.
            drop(task.decide());
            return Err(why.into());
        }
    }
    let changes = task.decide()?;
    if args.state != State::Fixed && !changes.is_empty() && *look.get(&Begun)? {
        return Err(is_interrupted().into());
    }
    Ok(task.with_lists(changes).into())
}

impl Task<'_> {
    fn decide(&self) -> Result<Vec<Change>, Stop> {
        let (task, args) = (self, self.args);
        let mut changes = match args.state {
            _ if args.upgrade != Upgrade::No => task.upgrade()?,
            State::Fixed => task.fixed()?,
            State::BuildDep => task.by_apt(
                &["build-dep"],
                &task.words(),
                "what is needed to build them",
            )?,
            State::Latest if task.is_everything() => task.upgrade()?,
            State::Present => task.present()?,
            State::Latest => task.latest()?,
            State::Absent => task.absent()?,
        };
        if args.name.is_empty()
            && args.deb.is_none()
            && args.autoremove
            && args.upgrade == Upgrade::No
        {
            changes.extend(task.by_apt(&["autoremove"], &[], "packages that nothing needs")?);
        }
        if args.autoclean {
            changes.extend(task.by_apt(
                &["autoclean"],
                &[],
                "archives that cannot be fetched any more",
            )?);
        }
        if args.clean {
            changes.extend(task.clean()?);
        }
        Ok(changes)
    }
}

/// Asks all that can be asked before anything is known.
fn ask(args: &Args, look: &Look<'_>) {
    look.ask(&Begun);
    if args.updates() {
        look.ask(&Lists(args.cache_valid_time));
    }
    for name in args.names() {
        match spec(name) {
            Ok(Spec::Package(wish)) => {
                look.ask(&Package(wish.name.clone()));
                if args.state == State::Absent && args.purge {
                    look.ask(&leftovers(&wish.name));
                }
            }
            Ok(Spec::Address(address)) => look.ask(&Package(address.name)),
            Ok(Spec::File(path)) => look.ask(&Archive(path)),
            Ok(Spec::Pattern(pattern)) if args.state == State::Absent => {
                look.ask(&Matching {
                    pattern: pattern.clone(),
                    leftovers: false,
                });
                if args.purge {
                    look.ask(&leftovers(&pattern));
                }
            }
            Ok(Spec::Pattern(text) | Spec::Task(text)) if args.state != State::BuildDep => {
                look.ask(&would(args, &[args.verb()], &[text], false));
            }
            _ => {}
        }
    }
    if args.autoremove && args.names().next().is_none() {
        look.ask(&would(args, &["autoremove"], &[], false));
    }
    if args.state == State::Fixed {
        look.ask(&would(args, &["install", "--fix-broken"], &[], false));
    }
    if args.autoclean {
        look.ask(&would(args, &["autoclean"], &[], false));
    }
    if args.clean {
        look.ask(&Glob(ARCHIVES.to_owned()));
    }
}

fn leftovers(pattern: &str) -> Matching {
    Matching {
        pattern: pattern.to_owned(),
        leftovers: true,
    }
}

impl Args {
    fn specs(&self) -> Result<Vec<(String, Spec)>, Stop> {
        let all = self
            .names()
            .filter(|name| *name != "*" || self.state != State::Latest);
        let read = |name: &String| Ok((name.clone(), spec(name)?));
        all.map(read)
            .collect::<Result<_, Refusal>>()
            .map_err(Stop::from)
    }

    fn verb(&self) -> &'static str {
        match self.state {
            State::Absent if self.purge => "purge",
            State::Absent => "remove",
            _ => "install",
        }
    }

    /// Whether nothing but lists are fetched.
    fn only_updates(&self) -> bool {
        let named = self.names().next().is_some();
        let more = self.autoremove || self.autoclean || self.clean || self.upgrade != Upgrade::No;
        !named && !more && self.state != State::Fixed
    }
}

pub(super) struct Task<'a> {
    pub(super) args: &'a Args,
    pub(super) look: &'a Look<'a>,
    specs: Vec<(String, Spec)>,
    /// Why lists are fetched first, whatever else is to be done.
    pub(super) age: Option<Age>,
}

impl Task<'_> {
    fn age(&self) -> Result<Option<Age>, NotYet> {
        if !self.args.updates() {
            return Ok(None);
        }
        let age = *self.look.get(&Lists(self.args.cache_valid_time))?;
        let by_state =
            matches!(self.args.state, State::Present | State::Absent) && !self.specs.is_empty();
        let always = self.args.cache_valid_time.is_none() && !by_state;
        Ok((always || age != Age::Fresh).then_some(age))
    }

    /// Whether lists are fetched before something is installed.
    pub(super) fn fetches(&self) -> bool {
        let wanted = self.args.updates() && self.args.cache_valid_time.is_none();
        self.age.is_some() || (wanted && self.args.state != State::Absent)
    }

    pub(super) fn apt(&self) -> Apt<'_> {
        Apt {
            args: self.args,
            update: self.fetches(),
        }
    }

    fn is_everything(&self) -> bool {
        self.args.name.iter().any(|name| name == "*")
    }

    /// Names as apt is told.
    fn words(&self) -> Vec<String> {
        let word = |(name, spec): &(String, Spec)| match spec {
            Spec::Package(wish) => wish.word(),
            _ => name.clone(),
        };
        self.specs.iter().map(word).collect()
    }

    fn present(&self) -> Result<Vec<Change>, Stop> {
        let mut wanted = Vec::new();
        for (name, spec) in &self.specs {
            wanted.extend(self.missing(name, spec)?);
        }
        let mut foreseen = self.all(&wanted)?;
        for (name, spec) in &self.specs {
            if let Spec::Pattern(text) | Spec::Task(text) = spec
                && self.one(text, &mut foreseen)?
            {
                wanted.push(Wanted::new(name, Value::Null));
            }
        }
        self.guard(&foreseen.rows)?;
        Ok(self.changes(&wanted, &foreseen))
    }

    /// What is there instead, if it is not as wanted.
    fn missing(&self, name: &str, spec: &Spec) -> Result<Option<Wanted>, Stop> {
        match spec {
            Spec::Package(wish) => self.lacks(name, wish),
            Spec::File(path) => match self.look.get(&Archive(path.clone()))? {
                Held::Missing => Err(NotYet(format!("the archive `{path}`")).into()),
                Held::Odd => Err(Stop::refused(format!(
                    "`{path}` is no archive of a Debian package"
                ))),
                Held::Deb {
                    name: of,
                    version,
                    there,
                } => {
                    let order = there.as_ref().map(|there| compare(there, version));
                    let newer = !self.args.allow_downgrade && order == Some(Ordering::Greater);
                    if order == Some(Ordering::Equal)
                        || newer
                        || (order.is_none() && self.args.only_upgrade)
                    {
                        return Ok(None);
                    }
                    let mut wanted = Wanted::new(name, there.clone());
                    wanted.package.clone_from(of);
                    Ok(Some(wanted))
                }
            },
            Spec::Address(address) => {
                let found = self.look.get(&Package(address.name.clone()))?;
                let there = found.debs.iter().find(|deb| deb.native && deb.is_whole());
                let order = there.map(|deb| compare(without_epoch(&deb.version), &address.version));
                let newer = !self.args.allow_downgrade && order == Some(Ordering::Greater);
                if order == Some(Ordering::Equal)
                    || newer
                    || (order.is_none() && self.args.only_upgrade)
                {
                    return Ok(None);
                }
                let mut wanted = Wanted::new(name, there.map(|deb| deb.version.clone()));
                wanted.package.clone_from(&address.name);
                wanted.version = Some(address.version.clone());
                Ok(Some(wanted))
            }
            Spec::Pattern(_) | Spec::Task(_) => Ok(None),
        }
    }

    fn lacks(&self, name: &str, wish: &Wish) -> Result<Option<Wanted>, Stop> {
        let found = self.look.get(&Package(wish.name.clone()))?;
        if found.debs.iter().any(|deb| wish.fits(deb)) {
            return Ok(None);
        }
        let there = found.debs.iter().find(|deb| wish.is_of(deb));
        // What is provided is there, unless it is a package of its own, too. If lists were never fetched, only
        // those that are fetched first tell.
        let provided =
            wish.is_any() && !found.providers.is_empty() && !found.sold.unwrap_or(self.fetches());
        if there.is_none() && (provided || self.args.only_upgrade) {
            return Ok(None);
        }
        let before = there.map(|deb| {
            if deb.is_whole() {
                deb.version.clone()
            } else {
                format!("{}, not set up", deb.version)
            }
        });
        Ok(Some(Wanted::of(name, wish, before)))
    }

    fn latest(&self) -> Result<Vec<Change>, Stop> {
        let words = self.words();
        let (mut wanted, mut foreseen) = (Vec::new(), Foreseen::default());
        if words.is_empty() {
            return Ok(Vec::new());
        }
        // An address is judged by its name; apt has not seen it yet.
        let (fetched, known): (Vec<_>, Vec<_>) = self
            .specs
            .iter()
            .partition(|(_, spec)| matches!(spec, Spec::Address(_)));
        let known_words: Vec<String> = known
            .iter()
            .map(|(name, spec)| {
                if let Spec::Package(wish) = spec {
                    wish.word()
                } else {
                    name.clone()
                }
            })
            .collect();
        let is_known = known_words.is_empty()
            || self.take(
                would(self.args, &["install"], &known_words, true),
                &mut foreseen,
            )?;
        for (name, spec) in &fetched {
            wanted.extend(self.missing(name, spec)?);
        }
        for (name, spec) in &known {
            let missing = self.missing(name, spec)?;
            let Spec::Package(wish) = spec else {
                if !is_known || !foreseen.rows.is_empty() || missing.is_some() {
                    wanted.push(missing.unwrap_or_else(|| Wanted::new(name, Value::Null)));
                }
                continue;
            };
            let found = self.look.get(&Package(wish.name.clone()))?;
            let there = found.debs.iter().find(|deb| wish.is_of(deb));
            let in_rows = |row: &Row| {
                row.name == wish.name || (there.is_none() && found.providers.contains(&row.name))
            };
            if missing.is_some() || foreseen.rows.iter().any(in_rows) {
                wanted.push(missing.unwrap_or_else(|| {
                    let mut wanted = Wanted::new(name, there.map(|deb| deb.version.clone()));
                    wanted.package.clone_from(&wish.name);
                    wanted
                }));
            }
        }
        self.guard(&foreseen.rows)?;
        let mut changes = self.changes(&wanted, &foreseen);
        if self.age.is_some() && changes.is_empty() {
            // What the new lists say is not known: all are to be as they say.
            let mut change = Change::new("packages", Value::Null, "newest");
            change.steps.push(self.apt().run(&["install"], Some(words)));
            changes.push(change);
        }
        Ok(changes)
    }

    fn absent(&self) -> Result<Vec<Change>, Stop> {
        let mut wanted = Vec::new();
        for (name, spec) in &self.specs {
            match spec {
                Spec::Package(wish) => {
                    let found = self.look.get(&Package(wish.name.clone()))?;
                    let there = found
                        .debs
                        .iter()
                        .find(|deb| wish.is_of(deb) && (wish.is_any() || wish.fits(deb)));
                    let left =
                        self.args.purge && !self.look.get(&leftovers(&wish.name))?.is_empty();
                    let before = match there {
                        Some(deb) => deb.version.clone(),
                        None if left && found.debs.is_empty() => "configuration".to_owned(),
                        None => continue,
                    };
                    let mut one = Wanted::new(name, before);
                    one.package.clone_from(&wish.name);
                    one.wish = Some(wish.clone());
                    wanted.push(one);
                }
                Spec::Pattern(pattern) => {
                    let matching = Matching {
                        pattern: pattern.clone(),
                        leftovers: false,
                    };
                    let mut names = self.look.get(&matching)?.clone();
                    if self.args.purge {
                        names.extend(self.look.get(&leftovers(pattern))?.clone());
                    }
                    // Each by its name: what apt takes the pattern for is not our matter then.
                    for name in names {
                        let mut one = Wanted::new(&name, true);
                        one.package.clone_from(&name);
                        one.pattern = Some(pattern.clone());
                        wanted.push(one);
                    }
                }
                Spec::Task(text) => {
                    let mut foreseen = Foreseen::default();
                    if self.one(text, &mut foreseen)? {
                        wanted.push(Wanted::new(name, true));
                    }
                }
                Spec::File(_) | Spec::Address(_) => {}
            }
        }
        let foreseen = self.all(&wanted)?;
        self.guard(&foreseen.rows)?;
        Ok(self.changes(&wanted, &foreseen))
    }

    fn upgrade(&self) -> Result<Vec<Change>, Stop> {
        match self.args.upgrade {
            Upgrade::Full | Upgrade::Dist => self.by_apt(&["dist-upgrade"], &[], "all packages"),
            _ => self.by_apt(&["upgrade", "--with-new-pkgs"], &[], "all packages"),
        }
    }

    /// What only apt can say.
    fn by_apt(&self, verb: &[&str], names: &[String], what: &str) -> Result<Vec<Change>, Stop> {
        let question = would(self.args, verb, names, false);
        let mut foreseen = Foreseen::default();
        let known = self.take(question, &mut foreseen)?;
        self.guard(&foreseen.rows)?;
        let mut changes: Vec<Change> = foreseen.rows.iter().map(Self::drawn).collect();
        let later = self.age.is_some() && verb != ["autoclean"] && verb != ["autoremove"];
        if changes.is_empty() && (!known || later) {
            changes.push(Change::new(what, Value::Null, "as the lists say"));
        }
        if let Some(last) = changes.last_mut() {
            let mut step = self.apt().run(verb, None);
            if let Action::Run(run) = &mut step.action {
                run.argv.extend(names.iter().cloned());
            }
            last.steps.push(Self::noted(step, &foreseen));
        }
        Ok(changes)
    }

    fn fixed(&self) -> Result<Vec<Change>, Stop> {
        let question = would(self.args, &["install", "--fix-broken"], &[], false);
        let broken = *self.look.get(&Begun)?;
        let mut foreseen = Foreseen::default();
        if !broken {
            self.take(question.clone(), &mut foreseen)?;
            if foreseen.rows.is_empty() {
                return Ok(Vec::new());
            }
        }
        let mut changes: Vec<Change> = foreseen.rows.iter().map(Self::drawn).collect();
        if broken {
            changes.push(Change::new("what dpkg has begun", "interrupted", "ended"));
        }
        if let Some(last) = changes.last_mut() {
            let mut steps = Vec::new();
            if broken || foreseen.rows.iter().any(|row| row.what == What::Configured) {
                let configured = self.apt().configure();
                steps.push(configured.effect(Effect::new(Begun, false)));
            }
            let step = self.apt().run(&["install", "--fix-broken"], None);
            steps.push(Self::noted(step, &foreseen).effect(Effect::new(question, Said::nothing())));
            last.steps = steps;
        }
        Ok(changes)
    }

    fn clean(&self) -> Result<Vec<Change>, Stop> {
        let archives = Glob(ARCHIVES.to_owned());
        let Some(first) = self.look.get(&archives)? else {
            return Ok(Vec::new());
        };
        let change = Change::new("archives", first.as_str(), Value::Null);
        let step = self
            .apt()
            .run(&["clean"], None)
            .effect(Effect::new(archives, None));
        Ok(vec![change.step(step)])
    }

    /// What apt makes of all that is wanted.
    fn all(&self, wanted: &[Wanted]) -> Result<Foreseen, Stop> {
        let words: Vec<String> = wanted
            .iter()
            .filter(|one| one.version.is_none())
            .map(|one| one.word(self.args.state == State::Absent))
            .collect();
        let mut foreseen = Foreseen::default();
        if !words.is_empty() {
            self.take(
                would(self.args, &[self.args.verb()], &words, true),
                &mut foreseen,
            )?;
        }
        Ok(foreseen)
    }

    /// Whether there is something to do for a text of which only apt can say what it means.
    fn one(&self, text: &str, foreseen: &mut Foreseen) -> Result<bool, Stop> {
        let before = foreseen.rows.len();
        let question = would(self.args, &[self.args.verb()], &[text.to_owned()], false);
        let known = self.take(question, foreseen)?;
        Ok(!known || foreseen.rows.len() > before)
    }

    /// Takes what apt says; whether it is known.
    fn take(&self, question: Resolve, foreseen: &mut Foreseen) -> Result<bool, Stop> {
        let Some(said) = self.said(&question)? else {
            return Ok(false);
        };
        match said.would(self.args.verb(), self.fetches()) {
            Would::Cannot(why) => Err(why.into()),
            Would::Unknown => Ok(false),
            Would::This(rows) => {
                foreseen.rows.extend(rows);
                foreseen.others.extend(said.others.iter().cloned());
                foreseen.silent |= !said.teller;
                foreseen.asked.push(question);
                Ok(true)
            }
        }
    }

    /// What apt said. What an earlier task of the run makes may decide about that: then it is not
    /// known, but it is no reason to wait.
    fn said(&self, question: &Resolve) -> Result<Option<&Said>, NotYet> {
        self.look.ask(question);
        match self.look.get(question) {
            Ok(said) => Ok(Some(said)),
            Err(_) if self.look.seen().asked(&AnyProbe::key(question)) => Ok(None),
            Err(why) => Err(why),
        }
    }

    /// Refuses what apt would refuse only when it is to act.
    fn guard(&self, rows: &[Row]) -> Result<(), Stop> {
        let args = self.args;
        for row in rows.iter().filter(|row| row.what == What::Installed) {
            let (Some(before), Some(after)) = (&row.before, &row.after) else {
                continue;
            };
            if !args.allow_downgrade && !args.force && compare(before, after) == Ordering::Greater {
                let why = format!(
                    "`{}` is there in version {before}, which is newer than {after}",
                    row.name
                );
                return Err(Refusal::new(why)
                    .help("`allow_downgrade: true` puts the older one in its place")
                    .into());
            }
        }
        for (_, spec) in &self.specs {
            let Spec::Package(wish) = spec else { continue };
            let found = self.look.get(&Package(wish.name.clone()))?;
            let held = found
                .debs
                .iter()
                .any(|deb| deb.is_held() && wish.is_of(deb));
            let changed = |row: &&Row| row.name == wish.name && row.what != What::Configured;
            if held
                && !args.allow_change_held_packages
                && !args.force
                && rows.iter().any(|row| changed(&row))
            {
                let why = Refusal::new(format!("`{}` is held: it is to stay as it is", wish.name));
                let help = "`allow_change_held_packages: true` changes it all the same; `apt-mark unhold` ends that";
                return Err(why.help(help).into());
            }
            let row = rows
                .iter()
                .find(|row| row.name == wish.name && row.what == What::Installed);
            if let (
                Some(least),
                Some(Row {
                    after: Some(after), ..
                }),
            ) = (&wish.least, row)
                && compare(after, least) == Ordering::Less
                && !self.fetches()
            {
                let why = format!(
                    "no source of packages has `{}` in version {least} or newer: the newest is {after}",
                    wish.name
                );
                return Err(Refusal::new(why)
                    .help("`update_cache: true` fetches the lists anew")
                    .into());
            }
        }
        let gone = rows
            .iter()
            .find(|row| row.what == What::Removed || row.what == What::Purged);
        if args.fail_on_autoremove
            && args.state != State::Absent
            && let Some(gone) = gone
        {
            let why = format!(
                "`{}` would have to be removed, and `fail_on_autoremove` forbids that",
                gone.name
            );
            return Err(Stop::refused(why));
        }
        Ok(())
    }

    /// The lists are told with the first change, or fetched alone.
    fn with_lists(&self, mut changes: Vec<Change>) -> Vec<Change> {
        let due = self
            .age
            .or((self.fetches() && !changes.is_empty()).then_some(Age::Fresh));
        let Some(age) = due else {
            return changes;
        };
        let before = (age != Age::Fresh).then(|| age.told());
        let mut lists = Change::new("lists of packages", before, "fetched");
        let alone = age == Age::Fresh && self.args.only_updates();
        if alone {
            lists = lists.because(Cause::Act);
        }
        let fresh = || Effect::new(Lists(self.args.cache_valid_time), Age::Fresh);
        match changes
            .iter_mut()
            .flat_map(|change| &mut change.steps)
            .next()
        {
            Some(step) => step.effects.push(fresh()),
            None if alone => lists.steps.push(self.apt().fetch_alone().effect(fresh())),
            None => lists.steps.push(self.apt().fetch().effect(fresh())),
        }
        changes.insert(0, lists);
        changes
    }
}
