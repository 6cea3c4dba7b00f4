//! Requirements as people write them: in `name`, and in files for pip.

use std::str::FromStr as _;

use evenkeel_engine::Refusal;
use pep440_rs::{Operator, Version, VersionSpecifiers};
use pep508_rs::{PackageName, Requirement, VerbatimUrl, VersionOrUrl};

/// One thing that is to be installed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wanted {
    /// A package by name: whether it is there can be seen.
    Named {
        /// As it is given to pip.
        text: String,
        /// What it means.
        requirement: Box<Requirement<VerbatimUrl>>,
    },
    /// Only pip can say what it is.
    Opaque(String),
}

impl Wanted {
    /// As it is given to pip.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Named { text, .. } | Self::Opaque(text) => text,
        }
    }

    /// The package, if it has a name.
    pub(super) fn name(&self) -> Option<&PackageName> {
        match self {
            Self::Named { requirement, .. } => Some(&requirement.name),
            Self::Opaque(_) => None,
        }
    }
}

/// The versions that a requirement allows.
pub(super) fn versions(requirement: &Requirement<VerbatimUrl>) -> VersionSpecifiers {
    match &requirement.version_or_url {
        Some(VersionOrUrl::VersionSpecifier(versions)) => versions.clone(),
        Some(VersionOrUrl::Url(_)) | None => VersionSpecifiers::empty(),
    }
}

/// The one version that is allowed, if it is only one.
pub(super) fn pinned(requirement: &Requirement<VerbatimUrl>) -> Option<Version> {
    let versions = versions(requirement);
    let [one] = &*versions else { return None };
    matches!(one.operator(), Operator::Equal | Operator::ExactEqual).then(|| one.version().clone())
}

/// Reads one requirement.
pub(super) fn wanted(text: &str) -> Result<Wanted, Refusal> {
    let text = text.trim();
    let opaque = text.contains("://")
        || text.starts_with(['/', '.'])
        || text.contains(" @ ")
        || text.starts_with("git+");
    if opaque {
        return Ok(local(text).unwrap_or_else(|| Wanted::Opaque(text.to_owned())));
    }
    let requirement = Requirement::from_str(text).map_err(|error| {
        let why = error.message.to_string();
        Refusal::new(format!("`{text}` is no requirement that pip takes: {why}"))
            .help("write `name`, `name==1.2`, `name>=1,<2` or `name[extra]`")
    })?;
    Ok(Wanted::Named {
        text: text.to_owned(),
        requirement: Box::new(requirement),
    })
}

/// An archive on the host, or a wheel with a checksum: its name says what it is.
fn local(text: &str) -> Option<Wanted> {
    let (path, sum) = text.split_once("#sha256=").unwrap_or((text, ""));
    if path.contains(" @ ") || (path.contains("://") && sum.is_empty()) {
        return None;
    }
    let file = path.rsplit('/').next()?;
    let (name, version) = if let Some(stem) = file.strip_suffix(".whl") {
        let mut parts = stem.split('-');
        (parts.next()?, parts.next()?)
    } else {
        file.strip_suffix(".tar.gz")
            .or_else(|| file.strip_suffix(".zip"))?
            .rsplit_once('-')?
    };
    let requirement = Requirement::from_str(&format!("{name}=={version}")).ok()?;
    Some(Wanted::Named {
        text: text.to_owned(),
        requirement: Box::new(requirement),
    })
}

/// Splits what is written in `name` at its commas, but not those between versions or extras.
pub(super) fn split(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut depth = 0;
    let mut fresh = true;
    for piece in text.split_inclusive(',') {
        let bare = piece.strip_suffix(',').unwrap_or(piece);
        let more =
            !fresh && (depth > 0 || bare.trim_start().starts_with(['<', '>', '=', '!', '~']));
        match parts.last_mut() {
            Some(last) if more => {
                last.push(',');
                last.push_str(bare);
            }
            _ => parts.push(bare.to_owned()),
        }
        fresh = false;
        depth += bare.matches(['[', '(']).count();
        depth = depth.saturating_sub(bare.matches([']', ')']).count());
    }
    let trimmed = parts.iter().map(|part| part.trim().to_owned());
    trimmed.filter(|part| !part.is_empty()).collect()
}

/// A file for pip: what it wants, and which files it names.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Listing {
    /// What is to be installed.
    pub(super) wanted: Vec<Wanted>,
    /// `-r`: files of requirements.
    pub(super) requirements: Vec<String>,
    /// `-c`: files of constraints.
    pub(super) constraints: Vec<String>,
}

/// Reads a requirements or constraints file. What cannot be read is kept as it is: pip may know.
pub(super) fn listing(bytes: &[u8]) -> Listing {
    let text = String::from_utf8_lossy(bytes)
        .replace("\\\r\n", "")
        .replace("\\\n", "");
    let mut listing = Listing::default();
    for line in text.lines() {
        let line = without_comment(line).trim();
        if line.is_empty() {
            continue;
        }
        if line.starts_with('-') {
            option(line, &mut listing);
            continue;
        }
        // Options of one requirement (`--hash=…`) do not say which version it is.
        let end = line.find(" --").unwrap_or(line.len());
        let opaque = || Wanted::Opaque(line.to_owned());
        listing.wanted.push(if line.contains("${") {
            opaque()
        } else {
            wanted(&line[..end]).unwrap_or_else(|_| opaque())
        });
    }
    listing
}

fn option(line: &str, listing: &mut Listing) {
    let cut = line.find([' ', '=']).unwrap_or(line.len());
    let (name, value) = (
        &line[..cut],
        line[cut..].trim_start_matches([' ', '=']).trim(),
    );
    match name {
        "-r" | "--requirement" => listing.requirements.push(value.to_owned()),
        "-c" | "--constraint" => listing.constraints.push(value.to_owned()),
        "-e" | "--editable" => listing.wanted.push(Wanted::Opaque(line.to_owned())),
        // The others say where packages come from.
        _ => {}
    }
}

fn without_comment(line: &str) -> &str {
    if line.starts_with('#') {
        return "";
    }
    let at = line.find(" #").or_else(|| line.find("\t#"));
    at.map_or(line, |at| &line[..at])
}

/// The name of a package in a text that is nothing else.
pub(super) fn bare_name(text: &str) -> Option<PackageName> {
    PackageName::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_between_versions_and_extras_do_not_split() {
        assert_eq!(split("a>1,b<2"), ["a>1", "b<2"]);
        assert_eq!(split("a >1, <2 , b"), ["a >1, <2", "b"]);
        assert_eq!(split("pkg[extra1,extra2]==1"), ["pkg[extra1,extra2]==1"]);
        assert_eq!(split("pkg[a,b]>=1,!=2,c"), ["pkg[a,b]>=1,!=2", "c"]);
        assert_eq!(split("a (>=1,<2), b"), ["a (>=1,<2)", "b"]);
        assert_eq!(split(""), Vec::<String>::new());
    }

    #[test]
    fn names_are_normalised() {
        let Wanted::Named { requirement, .. } = wanted("Junit-XML").unwrap() else {
            panic!()
        };
        assert_eq!(Some(requirement.name), bare_name("junit_xml"));
    }

    #[test]
    fn archives_say_what_they_are() {
        let pin = |text: &str| match wanted(text).unwrap() {
            Wanted::Named { requirement, .. } => requirement.to_string(),
            Wanted::Opaque(_) => "-".to_owned(),
        };
        assert_eq!(pin("/srv/My_App-1.2-py3-none-any.whl"), "my-app==1.2");
        assert_eq!(pin("./a-b-2.0.tar.gz"), "a-b==2.0");
        assert_eq!(pin("https://x.org/a-1-py3-none-any.whl"), "-");
        assert_eq!(pin("https://x.org/a-1-py3-none-any.whl#sha256=00"), "a==1");
        assert_eq!(pin("git+https://x.org/a@main#egg=a"), "-");
        assert_eq!(pin("/srv/a"), "-");
    }

    #[test]
    fn what_is_no_requirement_is_refused() {
        let error = wanted("no such !!").unwrap_err();
        assert!(
            error.message.starts_with("`no such !!` is no requirement"),
            "{error}"
        );
    }

    #[test]
    fn only_one_version_is_a_pin() {
        let pin = |text: &str| match wanted(text).unwrap() {
            Wanted::Named { requirement, .. } => pinned(&requirement).map(|v| v.to_string()),
            Wanted::Opaque(_) => None,
        };
        assert_eq!(pin("a==1.0").as_deref(), Some("1.0"));
        assert_eq!(pin("a==1.*"), None);
        assert_eq!(pin("a>=1"), None);
        assert_eq!(pin("a"), None);
    }

    #[test]
    fn files_are_read() {
        let text =
            b"# all\n--index-url https://x.org/simple\nflask==2.0 \\\n  --hash=sha256:00 # web\n\
            a ; python_version < '3.8'\n-r more.txt\n--constraint=pins.txt\n-e ./mine\n\
            git+https://x.org/b\nc @ ${WHERE}/c.whl\n";
        let listing = listing(text);
        let texts: Vec<_> = listing.wanted.iter().map(Wanted::text).collect();
        assert_eq!(
            texts,
            [
                "flask==2.0",
                "a ; python_version < '3.8'",
                "-e ./mine",
                "git+https://x.org/b",
                "c @ ${WHERE}/c.whl"
            ]
        );
        assert!(matches!(listing.wanted[0], Wanted::Named { .. }));
        assert!(
            listing.wanted[2..]
                .iter()
                .all(|w| matches!(w, Wanted::Opaque(_)))
        );
        assert_eq!(listing.requirements, ["more.txt"]);
        assert_eq!(listing.constraints, ["pins.txt"]);
    }
}
