//! What a name in `name` may mean.

use std::cmp::Ordering;

use super::{probes::Nevra, version::Evr};

/// What is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Spec {
    /// A package: all that the text may mean, the likeliest first.
    Package(Vec<Reading>),
    /// A file that some package owns.
    File(String),
    /// A group, a module, a pattern, all packages: only dnf can say what it is.
    Resolved(String),
}

/// One way to read a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) name: String,
    pub(super) version: Option<(Relation, Evr)>,
    pub(super) arch: Option<String>,
}

/// How the installed version has to stand to the named one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
}

const ARCHES: [&str; 9] = [
    "noarch", "x86_64", "i686", "i386", "aarch64", "ppc64le", "s390x", "armv7hl", "riscv64",
];

/// Whether it names an archive, not a package.
pub(super) fn is_archive(text: &str) -> bool {
    text.strip_suffix(".rpm").is_some()
}

/// Whether it is a pattern.
pub(super) fn is_pattern(text: &str) -> bool {
    !text.starts_with('@') && text.contains(['*', '?', '['])
}

/// The name of an archive, without its directory and `.rpm`: what `rpm -q` knows it by.
pub(super) fn stem(text: &str) -> &str {
    let file = text.rsplit('/').next().unwrap_or(text);
    file.strip_suffix(".rpm").unwrap_or(file)
}

/// The same as dnf wants it, which takes an epoch in front of the version only.
pub(super) fn for_dnf(text: &str) -> String {
    let plain = || text.to_owned();
    let epoch = text.split_once(':').map_or("", |(epoch, _)| epoch);
    if epoch.is_empty() || !epoch.bytes().all(|byte| byte.is_ascii_digit()) {
        return plain();
    }
    let all = readings(text);
    let named = all.iter().rev().filter_map(|reading| {
        let (_, evr) = reading.version.as_ref()?;
        evr.version
            .starts_with(|c: char| c.is_ascii_digit())
            .then_some((reading, evr))
    });
    let Some((reading, evr)) = named.into_iter().next() else {
        return plain();
    };
    let arch = reading
        .arch
        .as_ref()
        .map_or_else(String::new, |arch| format!(".{arch}"));
    format!("{}-{evr}{arch}", reading.name)
}

pub(super) fn spec(text: &str) -> Spec {
    if text.starts_with('@') || is_pattern(text) {
        return Spec::Resolved(text.to_owned());
    }
    if let Some(reading) = relation(text) {
        return Spec::Package(vec![reading]);
    }
    if is_archive(text) {
        let readings: Vec<_> = readings(stem(text))
            .into_iter()
            .filter(|reading| reading.version.is_some())
            .collect();
        return if readings.is_empty() {
            Spec::Resolved(text.to_owned())
        } else {
            Spec::Package(readings)
        };
    }
    if text.starts_with('/') {
        return Spec::File(text.to_owned());
    }
    if text.contains("://") {
        return Spec::Resolved(text.to_owned());
    }
    Spec::Package(readings(text))
}

fn relation(text: &str) -> Option<Reading> {
    let at = text.find(['<', '>', '='])?;
    let (name, rest) = text.split_at(at);
    let end = rest.find(|c: char| !"<>=".contains(c))?;
    let relation = match &rest[..end] {
        "<" => Relation::Less,
        "<=" => Relation::LessOrEqual,
        "=" | "==" => Relation::Equal,
        ">=" => Relation::GreaterOrEqual,
        ">" => Relation::Greater,
        _ => return None,
    };
    Some(Reading {
        name: name.trim().to_owned(),
        version: Some((relation, Evr::parse(rest[end..].trim())?)),
        arch: None,
    })
}

/// `name`, `name.arch`, `name-version`, `name-version-release`, each with an architecture or not,
/// and an epoch in front of the name or of the version. A version and a release begin with a digit: `xz-devel` is no
/// version of `xz`, nor `java-11-openjdk` one of `java`. (One that does not is still known by rpm, as a whole.)
fn readings(text: &str) -> Vec<Reading> {
    let bare = |name: &str, arch: Option<&str>| Reading {
        name: name.to_owned(),
        version: None,
        arch: arch.map(str::to_owned),
    };
    let mut all = vec![bare(text, None)];
    let (stem, arch) = match text.rsplit_once('.') {
        Some((stem, arch)) if ARCHES.contains(&arch) => (stem, Some(arch)),
        _ => (text, None),
    };
    if arch.is_some() {
        all.push(bare(stem, arch));
    }
    let (epoch, stem) = match stem.split_once(':') {
        Some((epoch, rest)) if epoch.parse::<u64>().is_ok() => (Some(epoch), rest),
        _ => (None, stem),
    };
    let dashes: Vec<_> = stem.match_indices('-').map(|(at, _)| at).collect();
    for at in dashes.iter().rev().take(2) {
        let (name, version) = (&stem[..*at], &stem[at + 1..]);
        let version = match epoch {
            Some(epoch) => format!("{epoch}:{version}"),
            None => version.to_owned(),
        };
        let numbered = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        let evr = Evr::parse(&version).filter(|evr| {
            numbered(&evr.version) && (evr.release.is_empty() || numbered(&evr.release))
        });
        if let (false, Some(evr)) = (name.is_empty(), evr) {
            all.push(Reading {
                name: name.to_owned(),
                version: Some((Relation::Equal, evr)),
                arch: arch.map(str::to_owned),
            });
        }
    }
    all
}

impl Reading {
    /// Whether an installed package is what is meant. One version without an epoch means any epoch.
    pub(super) fn fits(&self, there: &Nevra) -> bool {
        let arch = self.arch.as_ref().is_none_or(|arch| *arch == there.arch);
        let Some((relation, wanted)) = &self.version else {
            return arch;
        };
        let order = order(there, *relation, wanted);
        arch && match relation {
            Relation::Less => order == Ordering::Less,
            Relation::LessOrEqual => order != Ordering::Greater,
            Relation::Equal => order == Ordering::Equal,
            Relation::GreaterOrEqual => order != Ordering::Less,
            Relation::Greater => order == Ordering::Greater,
        }
    }

    /// Whether what is installed is newer than the one version that is meant.
    pub(super) fn is_older_than(&self, there: &Nevra) -> bool {
        match &self.version {
            Some((Relation::Equal, wanted)) => {
                order(there, Relation::Equal, wanted) == Ordering::Greater
            }
            _ => false,
        }
    }
}

fn order(there: &Nevra, relation: Relation, wanted: &Evr) -> Ordering {
    let mut there = there.evr.clone();
    if wanted.epoch == 0 && relation == Relation::Equal {
        there.epoch = 0;
    }
    there.compare(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let Spec::Package(readings) = spec(text) else {
            panic!("{text}")
        };
        readings
            .iter()
            .map(|reading| {
                let version = reading.version.as_ref().map(|(_, evr)| format!("={evr}"));
                let arch = reading.arch.as_ref().map(|arch| format!("/{arch}"));
                format!(
                    "{}{}{}",
                    reading.name,
                    version.unwrap_or_default(),
                    arch.unwrap_or_default()
                )
            })
            .collect()
    }

    #[test]
    fn a_text_may_mean_many_things() {
        assert_eq!(names("bash"), ["bash"]);
        assert_eq!(names("glibc.i686"), ["glibc.i686", "glibc/i686"]);
        assert_eq!(names("foo-1.0-2"), ["foo-1.0-2", "foo-1.0=2", "foo=1.0-2"]);
        assert_eq!(
            names("1:foo-1.0-2.x86_64")[2..],
            ["foo-1.0=1:2/x86_64", "foo=1:1.0-2/x86_64"]
        );
        assert_eq!(names("foo-1:1.0-2")[2], "foo=1:1.0-2");
        assert_eq!(names("number-11-name-11.0")[0], "number-11-name-11.0");
        for name in ["xz-devel", "java-11-openjdk", "perl-App-cpanminus"] {
            assert_eq!(names(name), [name]);
        }
        assert_eq!(
            names("/srv/foo-1.0-2.noarch.rpm"),
            ["foo-1.0=2/noarch", "foo=1.0-2/noarch"]
        );
    }

    #[test]
    fn dnf_wants_epochs_in_front_of_versions() {
        assert_eq!(for_dnf("1:berry-1.0"), "berry-1:1.0");
        assert_eq!(
            for_dnf("1:berry-core-1.0-2.el9.noarch"),
            "berry-core-1:1.0-2.el9.noarch"
        );
        for same in [
            "berry-1:1.0",
            "berry",
            "@brook:2",
            "http://a/b-1-1.noarch.rpm",
        ] {
            assert_eq!(for_dnf(same), same);
        }
    }

    #[test]
    fn relations_are_read() {
        let Spec::Package(one) = spec("pkg >= 1.1") else {
            panic!()
        };
        let there = |version: &str| Nevra {
            name: "pkg".to_owned(),
            evr: Evr::parse(version).unwrap(),
            arch: "noarch".to_owned(),
        };
        assert!(one[0].fits(&there("1.1-1")) && one[0].fits(&there("2:0-1")));
        assert!(!one[0].fits(&there("1.0-9")));
    }

    #[test]
    fn what_only_dnf_can_say() {
        assert_eq!(spec("@core"), Spec::Resolved("@core".to_owned()));
        assert_eq!(spec("firefox*"), Spec::Resolved("firefox*".to_owned()));
        assert_eq!(spec("/usr/bin/vi"), Spec::File("/usr/bin/vi".to_owned()));
        assert!(matches!(spec("https://x.org/latest"), Spec::Resolved(_)));
    }
}
