//! `lookup` and `query`: what the controller knows.

use std::path::PathBuf;

use evenkeel_engine::{Secret, Value};
use minijinja::{
    Environment, Error, State,
    value::{Kwargs, Rest, Value as Jinja},
};

use super::refuse;
use crate::{
    files::{self, Files},
    template::{
        Fault,
        environment::{Root, VARIABLES},
        lookups::{self, Around, Trouble},
        session,
        value::{read, to_jinja},
    },
    words::{did_you_mean, list},
};

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_function(
        "lookup",
        |state: &mut State<'_, '_>, kind: String, terms: Rest<Jinja>, kwargs: Kwargs| {
            let whole = kwargs.get::<Option<bool>>("wantlist")?.unwrap_or(false);
            let mut found = look(state, &kind, &terms, &kwargs)?;
            if whole {
                return Ok::<_, Error>(Jinja::from(found));
            }
            if found.len() == 1 {
                return Ok(found.remove(0));
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
                Ok::<_, Error>(Jinja::from(found))
            },
        );
    }
}

fn look(
    state: &State<'_, '_>,
    kind: &str,
    terms: &[Jinja],
    kwargs: &Kwargs,
) -> Result<Vec<Jinja>, Error> {
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
        other => others(state, other, terms, kwargs),
    };
    kwargs.assert_all_used()?;
    match found {
        Err(_) if lenient => Ok(Vec::new()),
        found => found,
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
    known.push("vars");
    let Some((_, kind)) = lookups::KINDS.iter().find(|(known, _)| *known == name) else {
        let help = lookups::instead(name)
            .map(str::to_owned)
            .or_else(|| did_you_mean(name, known.iter().copied()));
        let help = help.unwrap_or_else(|| format!("there are {}", list(&known, "and")));
        return Err(refuse(format!("there is no lookup `{name}`: {help}")));
    };
    let mut given = terms.iter().map(read).collect::<Result<Vec<Value>, _>>()?;
    given.extend(options(name, kwargs)?);
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

fn folders(state: &State<'_, '_>) -> Vec<PathBuf> {
    state
        .lookup(VARIABLES)
        .and_then(|root| {
            root.downcast_object_ref::<Root>()
                .map(|root| root.variables().folders())
        })
        .unwrap_or_default()
}

fn file(state: &State<'_, '_>, name: &str, kwargs: &Kwargs) -> Result<Jinja, Error> {
    let rstrip = kwargs.get::<Option<bool>>("rstrip")?.unwrap_or(true);
    let folders = folders(state);
    let below = |folder: &PathBuf| [folder.join("files").join(name), folder.join(name)];
    let path = folders
        .iter()
        .flat_map(below)
        .find(|path| path.is_file())
        .ok_or_else(|| refuse(format!("`lookup('file', …)`: there is no file `{name}`")))?;
    if files::is_vault(&path) {
        let keys = state.lookup(VARIABLES).and_then(|root| {
            let root = root.downcast_object_ref::<Root>()?;
            Some(root.variables().keys())
        });
        let mut files = Files::with_keys(keys.unwrap_or_default());
        let file = files.load(&path).map_err(|error| {
            let fault = Fault::new(error.code, format!("`{name}`: {}", error.message));
            session::fault(error.help.iter().cloned().fold(fault, Fault::help))
        })?;
        let text = files.text(file);
        let text = if rstrip { text.trim_end() } else { text };
        session::used(&Secret::new(text));
        return Ok(Jinja::from(text));
    }
    let text = std::fs::read_to_string(&path).map_err(|error| {
        refuse(format!(
            "`lookup('file', …)`: cannot read `{name}`: {error}"
        ))
    })?;
    Ok(Jinja::from(if rstrip { text.trim_end() } else { &text }))
}
