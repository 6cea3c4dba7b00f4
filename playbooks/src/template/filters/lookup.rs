//! `lookup` and `query`: what the controller knows.

mod password;
mod rendered;
mod runs;
mod tables;
mod url;

use std::{path::PathBuf, sync::Arc};

use evenkeel_engine::{Secret, Value};
use minijinja::{
    Environment, Error, State,
    value::{Kwargs, Rest, Value as Jinja},
};

use super::{bare_pattern, ran, refuse};
use crate::{
    ast::LoopKind,
    files::{self, Files},
    template::{
        Fault, Variables,
        environment::{Root, VARIABLES},
        lookups::{self, Around, Trouble},
        random::Random,
        session,
        value::{read, to_jinja},
    },
    words::{did_you_mean, list},
};

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_filter("fileglob", fileglob);
    env.add_function(
        "lookup",
        |state: &mut State<'_, '_>, kind: String, terms: Rest<Jinja>, kwargs: Kwargs| {
            let whole = kwargs.get::<Option<bool>>("wantlist")?.unwrap_or(false);
            let found = look(state, &kind, &terms, &kwargs)?;
            if whole {
                return Ok::<_, Error>(Jinja::from(found.unwrap_or_default()));
            }
            let Some(mut found) = found else {
                return Ok(Jinja::from(()));
            };
            if found.len() == 1 {
                return Ok(found.remove(0));
            }
            // Only texts are joined.
            if found.is_empty() || found.iter().any(|item| item.as_str().is_none()) {
                return Ok(Jinja::from(found));
            }
            let texts: Vec<String> = found.iter().map(ToString::to_string).collect();
            Ok(Jinja::from(texts.join(",")))
        },
    );
    for name in ["query", "q"] {
        env.add_function(
            name,
            |state: &mut State<'_, '_>, kind: String, terms: Rest<Jinja>, kwargs: Kwargs| {
                kwargs.get::<Option<bool>>("wantlist")?;
                let found = look(state, &kind, &terms, &kwargs)?;
                Ok::<_, Error>(Jinja::from(found.unwrap_or_default()))
            },
        );
    }
}

/// What is found; nothing where a failure is to be ignored.
fn look(
    state: &State<'_, '_>,
    kind: &str,
    terms: &[Jinja],
    kwargs: &Kwargs,
) -> Result<Option<Vec<Jinja>>, Error> {
    let lenient = match kwargs.get::<Option<String>>("errors")?.as_deref() {
        None | Some("strict") => false,
        Some("ignore" | "warn") => true,
        Some(other) => {
            return Err(refuse(format!(
                "`errors` is `strict`, `warn` or `ignore`, not `{other}`"
            )));
        }
    };
    let short = kind.rsplit('.').next().unwrap_or(kind);
    let found = match short {
        "env" => env(terms, kwargs),
        "vars" => vars(state, terms, kwargs),
        "file" => terms
            .iter()
            .map(|term| file(state, &term.to_string(), kwargs))
            .collect(),
        "template" => rendered::of(state, terms, kwargs),
        "ini" => tables::ini(state, terms, kwargs),
        "csvfile" => tables::csv(state, terms, kwargs),
        "varnames" => names(state, terms),
        "random_choice" => choice(terms),
        "pipe" => runs::pipe(state, terms),
        "lines" => runs::lines(state, terms),
        "url" => url::of(state, terms, kwargs),
        "password" => password::of(state, terms, kwargs),
        "unvault" => each(terms, |name| whole(state, "unvault", name, (false, false))),
        other => others(state, other, terms, kwargs),
    };
    kwargs.assert_all_used()?;
    match found {
        Err(_) if lenient => Ok(None),
        found => found.map(Some),
    }
}

/// The files of this machine that fit a pattern.
fn fileglob(pattern: String) -> Result<Jinja, Error> {
    let folder = std::env::current_dir()
        .map_err(|error| refuse(format!("`fileglob`: there is no working folder: {error}")))?;
    let around = Around {
        folders: &[folder],
        kind: "",
        groups: &[],
    };
    let found = lookups::of(LoopKind::FileGlob, pattern.into(), &around);
    match found {
        Ok(found) => Ok(found.iter().map(to_jinja).collect()),
        Err(Trouble::NotYet(what)) => Err(session::not_yet(&what)),
        Err(Trouble::Wrong(message, _)) => Err(refuse(message)),
    }
}

fn env(terms: &[Jinja], kwargs: &Kwargs) -> Result<Vec<Jinja>, Error> {
    let default = kwargs.get::<Option<Jinja>>("default")?;
    let one = |term: &Jinja| match std::env::var(term.to_string()) {
        Ok(text) => Jinja::from(text),
        Err(_) => default.clone().unwrap_or_else(|| Jinja::from("")),
    };
    Ok(terms.iter().map(one).collect())
}

fn vars(state: &State<'_, '_>, terms: &[Jinja], kwargs: &Kwargs) -> Result<Vec<Jinja>, Error> {
    let default = kwargs.get::<Option<Jinja>>("default")?;
    let one = |term: &Jinja| {
        let name = term.to_string();
        let found = state.lookup(&name).filter(|value| !value.is_undefined());
        found.or_else(|| default.clone()).ok_or_else(|| {
            refuse(format!(
                "`lookup('vars', …)`: there is no variable `{name}`"
            ))
        })
    };
    terms.iter().map(one).collect()
}

/// Those that are loops as well.
fn others(
    state: &State<'_, '_>,
    name: &str,
    terms: &[Jinja],
    kwargs: &Kwargs,
) -> Result<Vec<Jinja>, Error> {
    let mut known: Vec<&str> = lookups::KINDS.iter().map(|(name, _)| *name).collect();
    known.extend(lookups::ALONE);
    known.sort_unstable();
    let Some((_, kind)) = lookups::KINDS.iter().find(|(known, _)| *known == name) else {
        let help = lookups::instead(name)
            .map(str::to_owned)
            .or_else(|| did_you_mean(name, known.iter().copied()));
        let help = help.unwrap_or_else(|| format!("there are {}", list(&known, "and")));
        return Err(refuse(format!("there is no lookup `{name}`: {help}")));
    };
    let mut given = terms.iter().map(read).collect::<Result<Vec<Value>, _>>()?;
    match options(name, kwargs)? {
        // They are the defaults of each term.
        Some(Value::Str(pairs)) if !given.is_empty() => {
            let terms = given.iter().filter_map(Value::as_text);
            given = terms.map(|term| format!("{pairs} {term}").into()).collect();
        }
        more => given.extend(more),
    }
    let groups = groups(state);
    let folders = folders(state);
    let around = Around {
        folders: &folders,
        kind: "files",
        groups: &groups,
    };
    match lookups::of(*kind, Value::Seq(given), &around) {
        Ok(found) => Ok(found.iter().map(to_jinja).collect()),
        Err(Trouble::NotYet(what)) => Err(session::not_yet(&what)),
        Err(Trouble::Wrong(message, help)) => {
            let message = message.replace("with_", "");
            Err(refuse(format!("`lookup('{name}', …)`: {message}: {help}")))
        }
    }
}

/// What is given by name, as one more term.
fn options(name: &str, kwargs: &Kwargs) -> Result<Option<Value>, Error> {
    let names: &[&str] = match name {
        "sequence" => &["start", "end", "count", "stride", "format"],
        "first_found" => &["files", "paths", "skip"],
        "subelements" => &["skip_missing"],
        _ => &[],
    };
    let mut map = evenkeel_engine::Map::new();
    for name in names {
        if let Some(value) = kwargs.get::<Option<Jinja>>(name)? {
            map.insert((*name).to_owned(), read(&value)?);
        }
    }
    if map.is_empty() {
        return Ok(None);
    }
    if name != "sequence" {
        return Ok(Some(Value::Map(map)));
    }
    let pair = |(name, value): (&String, &Value)| {
        let value = value.as_text().unwrap_or_default();
        let quoted = shlex::try_quote(&value).map(std::borrow::Cow::into_owned);
        format!("{name}={}", quoted.unwrap_or_default())
    };
    let pairs: Vec<String> = map.iter().map(pair).collect();
    Ok(Some(pairs.join(" ").into()))
}

fn groups(state: &State<'_, '_>) -> Vec<(String, Vec<String>)> {
    let Some(groups) = state.lookup("groups") else {
        return Vec::new();
    };
    let Ok(Value::Map(groups)) = read(&groups) else {
        return Vec::new();
    };
    let hosts = |hosts: Value| match hosts {
        Value::Seq(hosts) => hosts.iter().filter_map(Value::as_text).collect(),
        _ => Vec::new(),
    };
    groups
        .into_iter()
        .map(|(name, all)| (name, hosts(all)))
        .collect()
}

/// The variables of the evaluation.
fn variables(state: &State<'_, '_>) -> Option<Arc<dyn Variables>> {
    let root = state.lookup(VARIABLES)?;
    root.downcast_object_ref::<Root>().map(Root::shared)
}

fn folders(state: &State<'_, '_>) -> Vec<PathBuf> {
    variables(state).map_or_else(Vec::new, |variables| variables.folders())
}

/// Where a file of this machine is.
fn path(state: &State<'_, '_>, lookup: &str, kind: &str, name: &str) -> Result<PathBuf, Error> {
    let around = Around {
        folders: &folders(state),
        kind,
        groups: &[],
    };
    lookups::files::found(name, &around).map_err(|trouble| match trouble {
        Trouble::NotYet(what) => session::not_yet(&what),
        Trouble::Wrong(message, help) => {
            refuse(format!("`lookup('{lookup}', …)`: {message}: {help}"))
        }
    })
}

/// What a file of this machine holds; one that is encrypted is opened, and secret.
fn whole(
    state: &State<'_, '_>,
    lookup: &str,
    name: &str,
    (lstrip, rstrip): (bool, bool),
) -> Result<Jinja, Error> {
    let cut = |text: &str| {
        let text = if lstrip { text.trim_start() } else { text };
        Jinja::from(if rstrip { text.trim_end() } else { text })
    };
    let path = path(state, lookup, "files", name)?;
    if files::is_vault(&path) {
        let keys = variables(state).map(|variables| variables.keys());
        let mut files = Files::apart(keys.unwrap_or_default());
        let file = files.load(&path).map_err(|error| {
            let fault = Fault::new(error.code, format!("`{name}`: {}", error.message));
            session::fault(error.help.iter().cloned().fold(fault, Fault::help))
        })?;
        let text = cut(files.text(file));
        session::used(&Secret::new(text.as_str().unwrap_or_default()));
        return Ok(text);
    }
    let text = std::fs::read_to_string(&path).map_err(|error| {
        refuse(format!(
            "`lookup('{lookup}', …)`: cannot read `{name}`: {error}"
        ))
    })?;
    Ok(cut(&text))
}

fn file(state: &State<'_, '_>, name: &str, kwargs: &Kwargs) -> Result<Jinja, Error> {
    let rstrip = kwargs.get::<Option<bool>>("rstrip")?.unwrap_or(true);
    let lstrip = kwargs.get::<Option<bool>>("lstrip")?.unwrap_or(false);
    whole(state, "file", name, (lstrip, rstrip))
}

/// What each name gives.
fn each(terms: &[Jinja], find: impl Fn(&str) -> Result<Jinja, Error>) -> Result<Vec<Jinja>, Error> {
    terms.iter().map(|term| find(&term.to_string())).collect()
}

/// Names of variables that fit a pattern, in the order of the alphabet.
fn names(state: &State<'_, '_>, terms: &[Jinja]) -> Result<Vec<Jinja>, Error> {
    let variables = variables(state);
    if let Some(what) = variables.as_ref().and_then(|found| found.more_names()) {
        return Err(session::not_yet(&what));
    }
    let mut all = variables.map_or_else(Vec::new, |variables| variables.names());
    all.sort_unstable();
    all.dedup();
    let mut found = Vec::new();
    for term in terms {
        let Some(text) = term.as_str() else {
            return Err(refuse(format!(
                "`lookup('varnames', …)` wants patterns, found {}",
                super::data::named(term.kind())
            )));
        };
        let regex = bare_pattern(text)?;
        for name in &all {
            if ran(regex.is_match(name.as_str()))? {
                found.push(Jinja::from(name.as_str()));
            }
        }
    }
    Ok(found)
}

/// One of several, another one each time.
fn choice(terms: &[Jinja]) -> Result<Vec<Jinja>, Error> {
    if terms.is_empty() {
        return Ok(Vec::new());
    }
    let index = Random::System.index(terms.len())?;
    Ok(vec![terms[index].clone()])
}
