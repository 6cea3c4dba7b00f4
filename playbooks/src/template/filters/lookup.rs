//! `lookup` and `query`: what the controller knows.

use std::path::PathBuf;

use evenkeel_engine::Secret;
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
        session,
    },
};

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_function(
        "lookup",
        |state: &mut State<'_, '_>, kind: String, terms: Rest<Jinja>, kwargs: Kwargs| {
            let mut found = look(state, &kind, &terms, &kwargs)?;
            kwargs.assert_all_used()?;
            if found.len() == 1 {
                return Ok::<_, Error>(found.remove(0));
            }
            let texts: Vec<String> = found.iter().map(ToString::to_string).collect();
            Ok(Jinja::from(texts.join(",")))
        },
    );
    for name in ["query", "q"] {
        env.add_function(
            name,
            |state: &mut State<'_, '_>, kind: String, terms: Rest<Jinja>, kwargs: Kwargs| {
                let found = look(state, &kind, &terms, &kwargs)?;
                kwargs.assert_all_used()?;
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
    let default = kwargs.get::<Option<Jinja>>("default")?;
    let short = kind.rsplit('.').next().unwrap_or(kind);
    let one = |term: &Jinja| -> Result<Jinja, Error> {
        let name = term.to_string();
        match short {
            "env" => Ok(match std::env::var(&name) {
                Ok(text) => Jinja::from(text),
                Err(_) => default.clone().unwrap_or_else(|| Jinja::from("")),
            }),
            "file" => file(state, &name, kwargs),
            "vars" => state
                .lookup(&name)
                .filter(|value| !value.is_undefined())
                .or_else(|| default.clone())
                .ok_or_else(|| {
                    refuse(format!(
                        "`lookup('vars', …)`: there is no variable `{name}`"
                    ))
                }),
            other => Err(refuse(format!(
                "the lookup `{other}` is not supported; supported are `env`, `file` and `vars`"
            ))),
        }
    };
    terms.iter().map(one).collect()
}

fn file(state: &State<'_, '_>, name: &str, kwargs: &Kwargs) -> Result<Jinja, Error> {
    let rstrip = kwargs.get::<Option<bool>>("rstrip")?.unwrap_or(true);
    let folders: Vec<PathBuf> = state
        .lookup(VARIABLES)
        .and_then(|root| {
            root.downcast_object_ref::<Root>()
                .map(|root| root.variables().folders())
        })
        .unwrap_or_default();
    let path = folders
        .iter()
        .flat_map(|folder| [folder.join("files").join(name), folder.join(name)])
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
