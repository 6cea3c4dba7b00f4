//! Ansible's tests, as far as they are used and are not minijinja's already.

#![expect(
    clippy::needless_pass_by_value,
    reason = "minijinja hands arguments over by value"
)]

use std::{cmp::Ordering, os::unix::fs::MetadataExt as _, path::Path};

use minijinja::{
    Environment, Error,
    value::{Kwargs, Value as Jinja, ValueKind},
};

use super::filters::{items, pattern, ran, refuse};

/// All names that [`add`] adds.
pub(super) const NAMES: &[&str] = &[
    "abs",
    "all",
    "any",
    "change",
    "changed",
    "contains",
    "directory",
    "exists",
    "failed",
    "failure",
    "falsy",
    "file",
    "finished",
    "is_abs",
    "is_dir",
    "is_file",
    "is_link",
    "is_mount",
    "is_same_file",
    "isnan",
    "issubset",
    "issuperset",
    "link",
    "link_exists",
    "match",
    "mount",
    "nan",
    "reachable",
    "regex",
    "same_file",
    "search",
    "skip",
    "skipped",
    "started",
    "subset",
    "succeeded",
    "success",
    "successful",
    "superset",
    "timedout",
    "truthy",
    "unreachable",
    "uri",
    "url",
    "urn",
    "version",
    "version_compare",
];

pub(super) fn add(env: &mut Environment<'static>) {
    for name in ["changed", "change"] {
        env.add_test(name, |result: &Jinja| changed(result));
    }
    for name in ["failed", "failure"] {
        env.add_test(name, |result: &Jinja| flag(result, "failed"));
    }
    for name in ["succeeded", "success", "successful"] {
        env.add_test(name, |result: &Jinja| {
            flag(result, "failed").map(|failed| !failed)
        });
    }
    for name in ["skipped", "skip"] {
        env.add_test(name, |result: &Jinja| flag(result, "skipped"));
    }
    for name in ["finished", "started", "timedout", "unreachable"] {
        env.add_test(name, move |result: &Jinja| flag(result, name));
    }
    env.add_test("reachable", |result: &Jinja| {
        flag(result, "unreachable").map(|unreachable| !unreachable)
    });
    add_texts(env);
    for name in ["version", "version_compare"] {
        env.add_test(name, version);
    }
    for name in ["subset", "issubset"] {
        env.add_test(name, move |a: &Jinja, b: &Jinja| subset(name, a, b));
    }
    for name in ["superset", "issuperset"] {
        env.add_test(name, move |a: &Jinja, b: &Jinja| subset(name, b, a));
    }
    env.add_test("contains", |list: &Jinja, item: &Jinja| {
        match list.as_str() {
            Some(text) => Ok(text.contains(&item.to_string())),
            None => Ok::<_, Error>(list.try_iter()?.any(|found| found == *item)),
        }
    });
    env.add_test("any", |list: &Jinja| {
        Ok::<_, Error>(items("any", list)?.iter().any(Jinja::is_true))
    });
    env.add_test("all", |list: &Jinja| {
        Ok::<_, Error>(items("all", list)?.iter().all(Jinja::is_true))
    });
    env.add_test("truthy", |value: &Jinja| defined(value).map(Jinja::is_true));
    env.add_test("falsy", |value: &Jinja| {
        defined(value).map(|value| !value.is_true())
    });
    for name in ["nan", "isnan"] {
        env.add_test(name, |value: f64| value.is_nan());
    }
    add_paths(env);
}

/// They look at this machine.
fn add_paths(env: &mut Environment<'static>) {
    for name in ["exists", "link_exists"] {
        let link = name != "exists";
        env.add_test(name, move |path: String| {
            let path = Path::new(&path);
            path.exists() || (link && path.is_symlink())
        });
    }
    for name in ["file", "is_file"] {
        env.add_test(name, |path: String| Path::new(&path).is_file());
    }
    for name in ["directory", "is_dir"] {
        env.add_test(name, |path: String| Path::new(&path).is_dir());
    }
    for name in ["link", "is_link"] {
        env.add_test(name, |path: String| Path::new(&path).is_symlink());
    }
    for name in ["abs", "is_abs"] {
        env.add_test(name, |path: String| path.starts_with('/'));
    }
    for name in ["mount", "is_mount"] {
        env.add_test(name, |path: String| mounted(Path::new(&path)));
    }
    for name in ["same_file", "is_same_file"] {
        env.add_test(name, move |a: String, b: String| {
            let found = |path: &str| {
                std::fs::metadata(path)
                    .map(|found| (found.dev(), found.ino()))
                    .map_err(|error| refuse(format!("`{name}`: cannot look at `{path}`: {error}")))
            };
            Ok::<_, Error>(found(&a)? == found(&b)?)
        });
    }
}

/// Whether a file system begins at a folder: it is on another device than the one above it, or is the same one.
fn mounted(path: &Path) -> bool {
    let found = |path: &Path| std::fs::symlink_metadata(path).ok();
    let Some(here) = found(path).filter(|here| !here.is_symlink()) else {
        return false;
    };
    let above = found(&path.join(".."));
    above.is_some_and(|above| here.dev() != above.dev() || here.ino() == above.ino())
}

fn add_texts(env: &mut Environment<'static>) {
    env.add_test("match", |text: String, find: String, kwargs: Kwargs| {
        let regex = pattern(&format!("\\A(?:{find})"), &kwargs)?;
        kwargs.assert_all_used()?;
        ran(regex.is_match(&text))
    });
    for name in ["search", "regex"] {
        env.add_test(name, |text: String, find: String, kwargs: Kwargs| {
            let regex = pattern(&find, &kwargs)?;
            kwargs.assert_all_used()?;
            ran(regex.is_match(&text))
        });
    }
    env.add_test("urn", |text: String| {
        let scheme = text.split_once(':').map(|(scheme, _)| scheme);
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("urn"))
    });
    for name in ["url", "uri"] {
        env.add_test(name, |text: String| {
            let split = text.split_once("://");
            split.is_some_and(|(scheme, rest)| {
                !rest.is_empty()
                    && !scheme.is_empty()
                    && scheme
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'+')
            })
        });
    }
}

fn subset(test: &str, a: &Jinja, b: &Jinja) -> Result<bool, Error> {
    let b = items(test, b)?;
    Ok(items(test, a)?.iter().all(|item| b.contains(item)))
}

fn defined(value: &Jinja) -> Result<&Jinja, Error> {
    if value.is_undefined() {
        return Err(Error::from(minijinja::ErrorKind::UndefinedError));
    }
    Ok(value)
}

fn result(value: &Jinja) -> Result<&Jinja, Error> {
    match defined(value)?.kind() {
        ValueKind::Map => Ok(value),
        kind => Err(refuse(format!(
            "this test wants the result of a task, found {kind}"
        ))),
    }
}

fn flag(value: &Jinja, name: &str) -> Result<bool, Error> {
    Ok(result(value)?.get_attr(name)?.validated()?.is_true())
}

fn changed(value: &Jinja) -> Result<bool, Error> {
    flag(value, "changed")
}

/// A value of an object of ours may be an error: that it is not known yet.
trait Validated: Sized {
    fn validated(self) -> Result<Self, Error>;
}

impl Validated for Jinja {
    fn validated(self) -> Result<Self, Error> {
        match self.kind() {
            ValueKind::Invalid => Err(refuse(self.to_string())),
            _ => Ok(self),
        }
    }
}

/// `installed is version('1.10', '>=')`.
fn version(
    have: String,
    wanted: String,
    operator: Option<String>,
    strict: Option<bool>,
    kwargs: Kwargs,
) -> Result<bool, Error> {
    let operator = match operator {
        Some(operator) => operator,
        None => kwargs
            .get::<Option<String>>("operator")?
            .unwrap_or_else(|| "==".to_owned()),
    };
    // Both schemes order the versions that occur in playbooks in the same way.
    if strict.is_none() {
        kwargs.get::<Option<bool>>("strict")?;
    }
    kwargs.get::<Option<String>>("version_type")?;
    kwargs.assert_all_used()?;
    let order = compare(&have, &wanted);
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

/// Runs of digits as numbers, the rest as texts; where one ends, a text after it is a pre-release.
fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (parts(a), parts(b));
    for index in 0..a.len().max(b.len()) {
        let order = match (a.get(index), b.get(index)) {
            (Some(Part::Number(a)), Some(Part::Number(b))) => a.cmp(b),
            (Some(Part::Word(a)), Some(Part::Word(b))) => a.cmp(b),
            (Some(Part::Number(_)), Some(Part::Word(_))) => Ordering::Greater,
            (Some(Part::Word(_)), Some(Part::Number(_))) => Ordering::Less,
            (Some(Part::Number(0)), None) | (None, Some(Part::Number(0))) => Ordering::Equal,
            (Some(Part::Number(_)), None) | (None, Some(Part::Word(_))) => Ordering::Greater,
            (Some(Part::Word(_)), None) | (None, Some(Part::Number(_))) => Ordering::Less,
            (None, None) => Ordering::Equal,
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

enum Part {
    Number(u64),
    Word(String),
}

fn parts(version: &str) -> Vec<Part> {
    let mut found = Vec::new();
    for piece in version.trim().split(['.', '-', '_', '+', '~']) {
        let mut rest = piece;
        while let Some(first) = rest.chars().next() {
            let digits = first.is_ascii_digit();
            let end = rest
                .find(|c: char| c.is_ascii_digit() != digits)
                .unwrap_or(rest.len());
            let (run, after) = rest.split_at(end);
            found.push(if digits {
                Part::Number(run.parse().unwrap_or(u64::MAX))
            } else {
                Part::Word(run.to_ascii_lowercase())
            });
            rest = after;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        for (a, b) in [
            ("1.9", "1.10"),
            ("2.0rc1", "2.0"),
            ("1.2", "1.2.1"),
            ("3.9.16", "3.10"),
        ] {
            assert_eq!(compare(a, b), Ordering::Less, "{a} < {b}");
        }
        assert_eq!(compare("1.0", "1.0.0"), Ordering::Equal);
    }
}
