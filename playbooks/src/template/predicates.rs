//! Ansible's tests, as far as they are used and are not minijinja's already.

#![expect(
    clippy::needless_pass_by_value,
    reason = "minijinja hands arguments over by value"
)]

pub(super) mod version;

use std::{os::unix::fs::MetadataExt as _, path::Path};

use minijinja::{
    Environment, Error,
    value::{Kwargs, Rest, Value as Jinja, ValueKind},
};

use super::filters::{defined, given, items, pattern, ran, refuse};

/// All names that [`add`] adds.
pub(super) const NAMES: &[&str] = &[
    "abs",
    "all",
    "any",
    "callable",
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
    "vault_encrypted",
    "vaulted_file",
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
    for name in ["timedout", "unreachable"] {
        env.add_test(name, move |result: &Jinja| flag(result, name));
    }
    for name in ["finished", "started"] {
        // What does not run beside the others is both.
        env.add_test(name, move |it: &Jinja| {
            let found = result(it)?.get_attr(name)?.validated()?;
            Ok::<_, Error>(found.is_undefined() || found.is_true())
        });
    }
    env.add_test("reachable", |result: &Jinja| {
        flag(result, "unreachable").map(|unreachable| !unreachable)
    });
    add_texts(env);
    for name in ["version", "version_compare"] {
        env.add_test(name, version::test);
    }
    for name in ["subset", "issubset"] {
        env.add_test(name, move |a: &Jinja, b: &Jinja| subset(name, a, b));
    }
    for name in ["superset", "issuperset"] {
        env.add_test(name, move |a: &Jinja, b: &Jinja| subset(name, b, a));
    }
    env.add_test("contains", |list: &Jinja, item: &Jinja| {
        let (list, item) = (defined(list)?, defined(item)?);
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
    env.add_test(
        "truthy",
        |value: &Jinja, args: Rest<Jinja>, kwargs: Kwargs| truthy("truthy", value, &args, &kwargs),
    );
    env.add_test(
        "falsy",
        |value: &Jinja, args: Rest<Jinja>, kwargs: Kwargs| {
            truthy("falsy", value, &args, &kwargs).map(|truthy| !truthy)
        },
    );
    env.add_test("callable", |value: &Jinja| {
        value.kind() == ValueKind::Plain && super::filters::dates::kind(value).is_none()
    });
    // Texts and maps have a length and items, too.
    env.add_test("sequence", |value: &Jinja| {
        matches!(
            value.kind(),
            ValueKind::Seq | ValueKind::Map | ValueKind::String
        )
    });
    env.add_test("vault_encrypted", |value: &Jinja| {
        let text = value.as_str();
        text.is_some_and(|text| crate::vault::is_vault(text.as_bytes()))
    });
    env.add_test("vaulted_file", |path: String| {
        crate::files::is_vault(Path::new(&path))
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
    env.add_test("search", |text: String, find: String, kwargs: Kwargs| {
        let regex = pattern(&find, &kwargs)?;
        kwargs.assert_all_used()?;
        ran(regex.is_match(&text))
    });
    env.add_test("regex", |text: String, find: String, kwargs: Kwargs| {
        let kind = kwargs.get::<Option<String>>("match_type")?;
        let find = match kind.as_deref() {
            None | Some("search") => find,
            Some("match") => format!("\\A(?:{find})"),
            Some("fullmatch") => format!("\\A(?:{find})\\Z"),
            Some(other) => {
                return Err(refuse(format!(
                    "`regex`: `match_type` is `search`, `match` or `fullmatch`, not `{other}`"
                )));
            }
        };
        let regex = pattern(&find, &kwargs)?;
        kwargs.assert_all_used()?;
        ran(regex.is_match(&text))
    });
    env.add_test("urn", |text: String| {
        let scheme = text.split_once(':').map(|(scheme, _)| scheme);
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("urn"))
    });
    env.add_test("url", |text: String, args: Rest<Jinja>, kwargs: Kwargs| {
        let schemes = schemes("url", &args, &kwargs)?;
        let found = text.split_once("://").filter(|(_, rest)| {
            let server = rest.split(['/', '?', '#']).next();
            server.is_some_and(|server| !server.is_empty())
        });
        let scheme = found.map(|(scheme, _)| scheme).filter(|it| is_scheme(it));
        Ok::<_, Error>(scheme.is_some_and(|scheme| fits(&schemes, scheme)))
    });
    env.add_test("uri", |text: String, args: Rest<Jinja>, kwargs: Kwargs| {
        let schemes = schemes("uri", &args, &kwargs)?;
        let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
        Ok::<_, Error>(fits(&schemes, if is_scheme(scheme) { scheme } else { "" }))
    });
}

fn is_scheme(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.bytes().all(letter)
}

/// The schemes that will do; none: all.
fn schemes(test: &str, args: &[Jinja], kwargs: &Kwargs) -> Result<Vec<Jinja>, Error> {
    let [schemes] = given(test, args, kwargs, ["schemes"])?;
    schemes.map_or(Ok(Vec::new()), |schemes| items(test, &schemes))
}

fn fits(schemes: &[Jinja], scheme: &str) -> bool {
    let lower = scheme.to_lowercase();
    let same = |known: &Jinja| known.as_str() == Some(lower.as_str());
    schemes.is_empty() || schemes.iter().any(same)
}

/// Whether a value counts as true; with `convert_bool` also by what its text means.
fn truthy(test: &str, value: &Jinja, args: &[Jinja], kwargs: &Kwargs) -> Result<bool, Error> {
    let [convert] = given(test, args, kwargs, ["convert_bool"])?;
    let value = defined(value)?;
    let text = value.as_str().map(str::to_ascii_lowercase);
    Ok(
        match (convert.is_some_and(|it| it.is_true()), text.as_deref()) {
            (true, Some("yes" | "on" | "1" | "true" | "y" | "t")) => true,
            (true, Some("no" | "off" | "0" | "false" | "n" | "f")) => false,
            _ => value.is_true(),
        },
    )
}

fn subset(test: &str, a: &Jinja, b: &Jinja) -> Result<bool, Error> {
    let b = items(test, b)?;
    Ok(items(test, a)?.iter().all(|item| b.contains(item)))
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
    let own = result(value)?.get_attr("changed")?.validated()?;
    if !own.is_undefined() {
        return Ok(own.is_true());
    }
    let all = value.get_attr("results")?.validated()?;
    if all.is_undefined() {
        return Ok(false);
    }
    for item in items("changed", &all)? {
        if item.kind() == ValueKind::Map && flag(&item, "changed")? {
            return Ok(true);
        }
    }
    Ok(false)
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
