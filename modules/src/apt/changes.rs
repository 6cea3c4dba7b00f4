//! Changes of packages, and what will be answered about them afterwards.

use evenkeel_engine::{Change, Effect, Step, Value};

use super::{
    State,
    decide::Task,
    probes::{Archive, Deb, Found, Held, Matching, Package},
    resolve::{Resolve, Said},
    spec::{Spec, Wish, spec},
    would::{Row, What},
};

/// What is to be changed, and what is there instead.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// As the task says it.
    pub(super) label: String,
    pub(super) before: Value,
    /// The package, if it is known which.
    pub(super) package: String,
    pub(super) wish: Option<Wish>,
    /// The version that it will have, if apt need not be asked.
    pub(super) version: Option<String>,
    /// The pattern that has found it.
    pub(super) pattern: Option<String>,
}

impl Wanted {
    pub(super) fn new(label: &str, before: impl Into<Value>) -> Self {
        Self {
            label: label.to_owned(),
            before: before.into(),
            ..Self::default()
        }
    }

    /// A package that somebody wishes for.
    pub(super) fn of(label: &str, wish: &Wish, before: Option<String>) -> Self {
        Self {
            package: wish.name.clone(),
            wish: Some(wish.clone()),
            ..Self::new(label, before)
        }
    }

    /// As apt is told.
    pub(super) fn word(&self, removes: bool) -> String {
        match &self.wish {
            Some(wish) if removes => wish.bare(),
            Some(wish) => wish.word(),
            None => self.label.clone(),
        }
    }
}

/// What apt resolved, and by which questions.
#[derive(Debug, Default)]
pub(super) struct Foreseen {
    pub(super) rows: Vec<Row>,
    /// Names that other tasks have asked for with the same question.
    pub(super) others: Vec<String>,
    /// Whether another task tells what nobody has named.
    pub(super) silent: bool,
    pub(super) asked: Vec<Resolve>,
}

impl Foreseen {
    fn row(&self, wanted: &Wanted) -> Option<&Row> {
        let arch = wanted.wish.as_ref().and_then(|wish| wish.arch.as_ref());
        self.rows.iter().find(|row| {
            row.name == wanted.package
                && arch.is_none_or(|arch| {
                    row.arch
                        .as_ref()
                        .is_none_or(|other| other == arch || other == "all")
                })
        })
    }

    /// Whether somebody has named it.
    fn is_named(&self, row: &Row) -> bool {
        let bare = |word: &str| {
            word.split(['=', ':', '/'])
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        self.others.iter().any(|word| bare(word) == row.name)
    }
}

impl Task<'_> {
    /// One change for each package, one transaction for all.
    pub(super) fn changes(&self, wanted: &[Wanted], foreseen: &Foreseen) -> Vec<Change> {
        if wanted.is_empty() {
            return Vec::new();
        }
        let removes = self.args.state == State::Absent;
        let verb = match self.args.state {
            State::Absent if self.args.purge => "purge",
            State::Absent => "remove",
            _ => "install",
        };
        let words: Vec<String> = wanted.iter().map(|one| one.word(removes)).collect();
        let mut step = self.apt().run(&[verb], Some(words));
        let mut changes: Vec<Change> = Vec::new();
        for one in wanted {
            let row = foreseen.row(one);
            let after = match row
                .and_then(|row| row.after.clone())
                .or_else(|| one.version.clone())
            {
                _ if removes => Value::Null,
                Some(version) => version.into(),
                None => "installed".into(),
            };
            step = self.effects(step, one, row, removes);
            changes.push(Change::new(
                format!("package `{}`", one.label),
                one.before.clone(),
                after,
            ));
        }
        if !foreseen.silent {
            let named = |row: &&Row| {
                wanted.iter().any(|one| one.package == row.name) || foreseen.is_named(row)
            };
            let drawn = foreseen.rows.iter().filter(|row| !named(row));
            changes.extend(drawn.map(Self::drawn));
        }
        if let Some(last) = changes.last_mut() {
            last.steps.push(Self::noted(step, foreseen));
        }
        changes
    }

    /// What becomes of a package that nobody has named.
    pub(super) fn drawn(row: &Row) -> Change {
        let (before, after) = (row.before.clone(), row.after.clone());
        match row.what {
            What::Deleted => {
                let version = before.unwrap_or_default();
                Change::new(format!("archive of `{}`", row.name), version, Value::Null)
            }
            What::Configured => {
                let what = format!("package `{}`", row.name);
                Change::new(what, "not set up", after)
            }
            What::Installed | What::Removed | What::Purged => {
                Change::new(format!("package `{}`", row.name), before, after)
            }
        }
    }

    /// Nothing that was asked about is to be done any more.
    pub(super) fn noted(mut step: Step, foreseen: &Foreseen) -> Step {
        for question in &foreseen.asked {
            step = step.effect(Effect::new(question.clone(), Said::nothing()));
        }
        step
    }

    /// What will be answered about a package once it is there, or gone.
    fn effects(&self, mut step: Step, one: &Wanted, row: Option<&Row>, removes: bool) -> Step {
        if let Some(pattern) = &one.pattern {
            for leftovers in [false, true] {
                if !leftovers || self.args.purge {
                    let pattern = pattern.clone();
                    step = step.effect(Effect::new(Matching { pattern, leftovers }, Vec::new()));
                }
            }
        }
        if let (
            Ok(Spec::File(path)),
            Some(Row {
                after: Some(version),
                ..
            }),
        ) = (spec(&one.label), row)
        {
            let held = Held::Deb {
                name: one.package.clone(),
                version: version.clone(),
                there: Some(version.clone()),
            };
            // Another archive of the same package finds another version.
            let package = Effect::unknown(Package(one.package.clone()), "which version is there");
            return step
                .effect(Effect::new(Archive(path), held))
                .effect(package);
        }
        if one.package.is_empty() {
            return step;
        }
        let package = Package(one.package.clone());
        let Ok(found) = self.look.seen().get(&package) else {
            return step;
        };
        let few = found.debs.len() < 2;
        let arch = one.wish.as_ref().and_then(|wish| wish.arch.as_ref());
        if removes {
            if self.args.purge && one.pattern.is_none() {
                let leftovers = Matching {
                    pattern: one.package.clone(),
                    leftovers: true,
                };
                step = step.effect(Effect::new(leftovers, Vec::new()));
            }
            return if few {
                step.effect(Effect::new(package, Found::default()))
            } else {
                step.effect(Effect::unknown(package, "what of it stays"))
            };
        }
        step.effect(match row {
            Some(Row {
                after: Some(version),
                arch: Some(of),
                ..
            }) if few && arch.is_none() => {
                let held = found.debs.iter().any(Deb::is_held);
                let deb = Deb {
                    state: if held { "hi" } else { "ii" }.to_owned(),
                    arch: of.clone(),
                    version: version.clone(),
                    native: true,
                };
                let debs = vec![deb];
                Effect::new(
                    package,
                    Found {
                        debs,
                        ..Found::default()
                    },
                )
            }
            _ => Effect::unknown(
                package,
                format!("which version of `{}` the sources have", one.label),
            ),
        })
    }
}
