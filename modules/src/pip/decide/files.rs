//! What files on the host say is wanted.

use std::collections::BTreeMap;

use evenkeel_engine::{NotYet, Stop, probes::Contents};
use pep440_rs::VersionSpecifiers;
use pep508_rs::PackageName;

use crate::{
    look::Look,
    pip::{
        Args,
        requirement::{Listing, Wanted, listing, versions},
    },
};

/// What `extra_args` says about what is wanted.
#[derive(Default)]
pub(in crate::pip) struct Extra {
    pub(in crate::pip) words: Vec<String>,
    pub(in crate::pip) requirements: Vec<String>,
    pub(in crate::pip) constraints: Vec<String>,
    pub(super) upgrade: bool,
    /// What is installed cannot be seen where it goes, or is installed in any case.
    pub(super) acts: bool,
}

impl Extra {
    pub(in crate::pip) fn of(args: &Args) -> Self {
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
pub(super) struct Files {
    pub(super) wanted: Vec<Wanted>,
    pub(super) constraints: BTreeMap<PackageName, VersionSpecifiers>,
}

/// A file that is named by a file that is named by a file … is followed so far.
const DEPTH: usize = 3;

pub(super) fn files(args: &Args, extra: &Extra, look: &Look<'_>) -> Result<Files, Stop> {
    let mut all = Files {
        wanted: Vec::new(),
        constraints: BTreeMap::new(),
    };
    let requirements = args.requirements.iter().chain(&extra.requirements);
    let mut open: Vec<(String, bool, usize)> = requirements
        .map(|file| (args.below(file), true, 0))
        .collect();
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
        let bytes = bytes.ok_or_else(|| NotYet(format!("the file `{file}`")))?;
        let Listing {
            wanted,
            requirements,
            constraints,
        } = listing(bytes);
        if wants {
            all.wanted.extend(wanted);
        } else {
            constrain(&mut all.constraints, &wanted);
        }
        let dir = file.rsplit_once('/').map_or("", |(dir, _)| dir);
        let near = |name: String| {
            if name.starts_with('/') || name.contains("://") {
                name
            } else {
                format!("{dir}/{name}")
            }
        };
        if depth < DEPTH {
            open.extend(
                requirements
                    .into_iter()
                    .map(|name| (near(name), wants, depth + 1)),
            );
            open.extend(
                constraints
                    .into_iter()
                    .map(|name| (near(name), false, depth + 1)),
            );
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
