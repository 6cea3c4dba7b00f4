//! The test `version`, with the orders that Ansible knows.

use std::{cmp::Ordering, str::FromStr as _};

use minijinja::{
    Error,
    value::{Kwargs, Rest, Value as Jinja},
};
use pep440_rs::Version as Pep440;

use super::super::filters::{given, refuse};

/// `installed is version('1.10', '>=')`.
pub(super) fn test(have: &Jinja, args: Rest<Jinja>, kwargs: Kwargs) -> Result<bool, Error> {
    let names = ["version", "operator", "strict", "version_type"];
    let [wanted, operator, strict, kind] = given("version", &args, &kwargs, names)?;
    if have.is_undefined() {
        return Err(Error::from(minijinja::ErrorKind::UndefinedError));
    }
    let (have, wanted) = (have.to_string(), wanted.unwrap_or_default().to_string());
    if have.is_empty() || wanted.is_empty() {
        return Err(refuse(
            "`version` wants two versions, and one of them is empty",
        ));
    }
    let kind = kind.map(|kind| kind.to_string());
    let kind = match (strict.map(|strict| strict.is_true()), kind.as_deref()) {
        (Some(_), Some(_)) => {
            return Err(refuse(
                "`version`: say `strict` or `version_type`, not both",
            ));
        }
        (Some(true), None) => "strict",
        (Some(false) | None, None) => "loose",
        (None, Some(kind)) => kind,
    };
    let order = match kind {
        "loose" => loose(&have, &wanted)?,
        "strict" => strict_of(&have)?.cmp(&strict_of(&wanted)?),
        "semver" | "semantic" => semver(&have, &wanted)?,
        "pep440" => pep440(&have)?.cmp(&pep440(&wanted)?),
        other => {
            return Err(refuse(format!(
                "`version` knows no type `{other}`: there are loose, strict, semver, semantic and pep440"
            )));
        }
    };
    let operator = operator.map_or_else(|| "eq".to_owned(), |operator| operator.to_string());
    Ok(match operator.as_str() {
        "==" | "=" | "eq" => order.is_eq(),
        "!=" | "<>" | "ne" => order.is_ne(),
        "<" | "lt" => order.is_lt(),
        "<=" | "le" => order.is_le(),
        ">" | "gt" => order.is_gt(),
        ">=" | "ge" => order.is_ge(),
        other => return Err(refuse(format!("`version` knows no operator `{other}`"))),
    })
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Number(u128),
    Word(String),
}

/// Runs of digits, runs of small letters, and what is between them but dots.
fn parts(version: &str) -> Vec<Part> {
    #[derive(PartialEq)]
    enum Run {
        Digits,
        Letters,
        Other,
    }
    let kind = |letter: char| match letter {
        '0'..='9' => Run::Digits,
        'a'..='z' => Run::Letters,
        _ => Run::Other,
    };
    let mut found = Vec::new();
    // A dot parts, whatever is before and after it.
    for piece in version.split('.') {
        let mut rest = piece;
        while let Some(first) = rest.chars().next() {
            let run = kind(first);
            let end = rest.find(|c| kind(c) != run).unwrap_or(rest.len());
            let (part, after) = rest.split_at(end);
            found.push(match (run, part.parse()) {
                (Run::Digits, Ok(number)) => Part::Number(number),
                _ => Part::Word(part.to_owned()),
            });
            rest = after;
        }
    }
    found
}

/// Part by part, as Python's `LooseVersion`; a number and a word have no order.
pub(in crate::template) fn loose(a: &str, b: &str) -> Result<Ordering, Error> {
    let (left, right) = (parts(a), parts(b));
    for pair in left.iter().zip(&right) {
        match pair {
            (Part::Number(a), Part::Number(b)) if a != b => return Ok(a.cmp(b)),
            (Part::Word(a), Part::Word(b)) if a != b => return Ok(a.cmp(b)),
            (Part::Number(x), Part::Word(y)) | (Part::Word(y), Part::Number(x)) => {
                return Err(refuse(format!(
                    "`version`: `{a}` and `{b}` cannot be compared: one has `{x}` where the other has `{y}`"
                )));
            }
            _ => {}
        }
    }
    Ok(left.len().cmp(&right.len()))
}

/// Two or three numbers, and perhaps `a` or `b` with another one.
fn strict_of(version: &str) -> Result<(Vec<u64>, (u8, u64)), Error> {
    let wrong = || {
        refuse(format!(
            "`version`: `{version}` is no strict version, as `1.2.3` or `1.2b1` is"
        ))
    };
    let digits = |text: &str| {
        let all = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        all.then(|| text.parse::<u64>().ok()).flatten()
    };
    let (numbers, pre) = match version.find(['a', 'b']) {
        Some(at) => {
            let rank = u8::from(version[at..].starts_with('b'));
            let number = digits(&version[at + 1..]).ok_or_else(wrong)?;
            (&version[..at], (rank, number))
        }
        None => (version, (2, 0)),
    };
    let numbers: Option<Vec<u64>> = numbers.split('.').map(digits).collect();
    let mut numbers = numbers
        .filter(|all| matches!(all.len(), 2 | 3))
        .ok_or_else(wrong)?;
    numbers.resize(3, 0);
    Ok((numbers, pre))
}

/// A version of semver: its numbers, and what is before a release.
struct Semver {
    numbers: [u64; 3],
    pre: Vec<Part>,
}

fn semver_of(version: &str) -> Result<Semver, Error> {
    let wrong = || {
        refuse(format!(
            "`version`: `{version}` is no semantic version, as `1.2.3` or `1.2.3-rc1` is"
        ))
    };
    let (version, _) = version.split_once('+').unwrap_or((version, ""));
    let (numbers, pre) = match version.split_once('-') {
        Some((numbers, pre)) => (numbers, pre.split('.').collect()),
        None => (version, Vec::new()),
    };
    let number = |text: &str| {
        let plain = text == "0" || !text.starts_with('0');
        let all = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        (plain && all).then(|| text.parse::<u64>().ok()).flatten()
    };
    let numbers: Option<Vec<u64>> = numbers.split('.').map(number).collect();
    let numbers = numbers.and_then(|all| <[u64; 3]>::try_from(all).ok());
    let mut parts = Vec::new();
    for part in pre {
        if part.is_empty() {
            return Err(wrong());
        }
        parts.push(match part.parse() {
            Ok(number) => Part::Number(number),
            Err(_) => Part::Word(part.to_owned()),
        });
    }
    Ok(Semver {
        numbers: numbers.ok_or_else(wrong)?,
        pre: parts,
    })
}

fn semver(a: &str, b: &str) -> Result<Ordering, Error> {
    let (a, b) = (semver_of(a)?, semver_of(b)?);
    Ok(a.numbers.cmp(&b.numbers).then_with(|| {
        // A release is after all that is before it.
        match (a.pre.is_empty(), b.pre.is_empty()) {
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            _ => a.pre.cmp(&b.pre),
        }
    }))
}

fn pep440(version: &str) -> Result<Pep440, Error> {
    Pep440::from_str(version).map_err(|_| {
        refuse(format!(
            "`version`: `{version}` is no version of Python's packages"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loose_versions() {
        for (a, b) in [
            ("1.9", "1.10"),
            ("1.2", "1.2.1"),
            ("3.9.16", "3.10"),
            ("1.0", "1.0.0"),
        ] {
            assert_eq!(loose(a, b).unwrap(), Ordering::Less, "{a} < {b}");
        }
        assert!(loose("v1", "1").is_err());
    }

    #[test]
    fn semantic_versions() {
        for (a, b) in [
            ("1.0.0-alpha", "1.0.0-alpha.1"),
            ("1.0.0-alpha.1", "1.0.0-alpha.beta"),
            ("1.0.0-2", "1.0.0-11"),
            ("1.0.0-rc.1", "1.0.0"),
        ] {
            assert_eq!(semver(a, b).unwrap(), Ordering::Less, "{a} < {b}");
        }
        assert_eq!(semver("1.0.0+a", "1.0.0+b").unwrap(), Ordering::Equal);
        assert!(semver("1.0", "1.0.0").is_err());
    }
}
