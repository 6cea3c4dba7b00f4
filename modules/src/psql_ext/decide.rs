//! What differs of an extension, and the statements that close it.

use std::collections::BTreeSet;

use evenkeel_engine::{Change, Effect, NotYet, Plan, Refusal, Seen, Stop, Value};

use super::{Args, Output, State};
use crate::{
    look::Look,
    psql::{
        self, Extension, Installed, Login, Question, Server, Sql, Told,
        quote::{ident, literal},
        step::{self, Statements},
    },
};

/// Decides.
pub(super) fn plan(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let login = args.login();
    // All are asked before one of them is needed.
    look.ask(&asked(&login, &args.name));
    look.ask(&Sql {
        login: login.clone(),
        question: Question::Extensions,
    });
    let server: Server = psql::get(look, &login, Question::Server)?;
    let now = extension(look, &login, &args.name)?;
    let changes = match (args.state, &now.installed) {
        (State::Absent, None) => Vec::new(),
        (State::Absent, Some(installed)) => vec![remove(args, look, &now, installed)?],
        (State::Present, None) => vec![create(args, look, &now)?],
        (State::Present, Some(installed)) => alter(args, look, &now, installed.clone())?,
    };
    if !changes.is_empty() {
        step::writable(&login, &server)?;
    }
    Ok(changes.into())
}

/// All that are in the database. They are looked at only where they matter: what a cascade made or
/// took along is not known.
fn all(look: &Look<'_>, login: &Login) -> Result<BTreeSet<String>, Stop> {
    psql::get(look, login, Question::Extensions)
}

/// The result, of what is there afterwards.
pub(super) fn output(args: &Args, after: &Seen, queries: Vec<String>) -> Result<Output, Stop> {
    let login = args.login();
    let now: Extension = psql::get(
        &Look::new(after),
        &login,
        Question::Extension(args.name.clone()),
    )?;
    Ok(Output {
        ext: args.name.clone(),
        version: now
            .installed
            .map(|installed| installed.version)
            .unwrap_or_default(),
        queries,
    })
}

fn asked(login: &Login, name: &str) -> Sql {
    let question = Question::Extension(name.to_owned());
    Sql {
        login: login.clone(),
        question,
    }
}

fn extension(look: &Look<'_>, login: &Login, name: &str) -> Result<Extension, Stop> {
    psql::get(look, login, Question::Extension(name.to_owned()))
}

fn then(login: &Login, name: &str, now: &Extension, installed: Option<Installed>) -> Effect {
    let after = Extension {
        installed,
        ..now.clone()
    };
    Effect::new(asked(login, name), Told::of(after))
}

fn remove(
    args: &Args,
    look: &Look<'_>,
    now: &Extension,
    installed: &Installed,
) -> Result<Change, Stop> {
    let login = &args.login();
    let mut statements = Statements::default();
    let cascade = if args.cascade { " CASCADE" } else { "" };
    statements.add(format!("DROP EXTENSION {}{cascade}", ident(&args.name)));
    let step = statements
        .step(login, true)
        .effect(then(login, &args.name, now, None))
        .effect(all_then(args, look, login)?);
    let was = format!("{} {}", args.name, installed.version);
    Ok(Change::new("extension", was.as_str(), Value::Null).step(step))
}

/// The version that is wanted, where one is.
fn wanted<'a>(args: &'a Args, now: &'a Extension) -> Option<&'a str> {
    match args.version.as_deref() {
        Some("latest") => now.default.as_deref(),
        version => version,
    }
}

/// What the server's host does not have is, as a rule, in a package that is not installed yet.
fn no_files(args: &Args, login: &Login) -> Stop {
    let what = format!(
        "the extension `{}` on the host of {}",
        args.name,
        login.server()
    );
    NotYet(format!(
        "{what} (install the package it comes from, or correct `name`)"
    ))
    .into()
}

fn no_version(args: &Args, now: &Extension, version: &str) -> Stop {
    let known: Vec<String> = now.needs.keys().map(|known| format!("`{known}`")).collect();
    let what = format!(
        "there is no version `{version}` of the extension `{}`; there are {}",
        args.name,
        known.join(", ")
    );
    Refusal::new(what)
        .help("name one of these, or `latest`")
        .into()
}

/// What it needs has to be there; with `cascade` it is made.
fn needed(args: &Args, look: &Look<'_>, now: &Extension, version: &str) -> Result<(), Stop> {
    let needs = now.needs.get(version).filter(|needs| !needs.is_empty());
    let Some(needs) = needs.filter(|_| !args.cascade) else {
        return Ok(());
    };
    let there = all(look, &args.login())?;
    match needs.iter().find(|name| !there.contains(*name)) {
        None => Ok(()),
        Some(name) => {
            let what = format!("the extension `{name}`, which `{}` needs", args.name);
            Err(NotYet(format!("{what} (`cascade: true` makes it as well)")).into())
        }
    }
}

/// All that are in the database afterwards; what a cascade takes along is not known.
fn all_then(args: &Args, look: &Look<'_>, login: &Login) -> Result<Effect, Stop> {
    let question = Question::Extensions;
    let probe = Sql {
        login: login.clone(),
        question,
    };
    if args.cascade {
        return Ok(Effect::unknown(probe, "which extensions go along"));
    }
    let mut there = all(look, login)?;
    match args.state {
        State::Present => there.insert(args.name.clone()),
        State::Absent => there.remove(&args.name),
    };
    Ok(Effect::new(probe, Told::of(there)))
}

fn create(args: &Args, look: &Look<'_>, now: &Extension) -> Result<Change, Stop> {
    let login = &args.login();
    let (Some(default), false) = (&now.default, now.needs.is_empty()) else {
        return Err(no_files(args, login));
    };
    let version = wanted(args, now).unwrap_or(default);
    let Some(own) = now.schemas.get(version) else {
        return Err(no_version(args, now, version));
    };
    if let (Some(own), Some(other)) = (own, &args.schema)
        && own != other
    {
        return Err(only_in(args, own, other));
    }
    needed(args, look, now, version)?;
    let schema = own
        .clone()
        .or_else(|| args.schema.clone())
        .unwrap_or_else(|| "public".to_owned());
    let mut sql = format!("CREATE EXTENSION {}", ident(&args.name));
    // One with a schema of its own makes it, if it is not named.
    if own.is_none() {
        sql.extend([" SCHEMA ", &ident(&schema)]);
    }
    sql.extend([" VERSION ", &literal(version)]);
    if args.cascade {
        sql += " CASCADE";
    }
    let mut statements = Statements::default();
    statements.add(sql);
    let mut comment = now.about.clone();
    if let Some(text) = &args.comment {
        comment = Some(text.clone()).filter(|text| !text.is_empty());
        if comment != now.about {
            statements.add(comment_on(&args.name, comment.as_deref()));
        }
    }
    let installed = Installed {
        version: version.to_owned(),
        schema,
        comment,
        movable: now.movable.get(version).copied().unwrap_or_default(),
    };
    let said = format!("{} {version}", args.name);
    let step = statements
        .step(login, true)
        .effect(then(login, &args.name, now, Some(installed)))
        .effect(all_then(args, look, login)?);
    Ok(Change::new("extension", Value::Null, said.as_str()).step(step))
}

fn only_in(args: &Args, own: &str, other: &str) -> Stop {
    let what = format!(
        "the extension `{}` can be in the schema `{own}` only, not in `{other}`",
        args.name
    );
    Refusal::new(what).help("leave out `schema`").into()
}

fn comment_on(name: &str, comment: Option<&str>) -> String {
    let text = comment.map_or_else(|| "NULL".to_owned(), literal);
    format!("COMMENT ON EXTENSION {} IS {text}", ident(name))
}

fn alter(
    args: &Args,
    look: &Look<'_>,
    now: &Extension,
    mut installed: Installed,
) -> Result<Vec<Change>, Stop> {
    let login = &args.login();
    let name = ident(&args.name);
    let (mut changes, mut statements) = (Vec::new(), Statements::default());
    if args.version.is_some() && now.default.is_none() {
        return Err(no_files(args, login));
    }
    let version = wanted(args, now).filter(|version| **version != *installed.version);
    if let Some(version) = version {
        if !now.needs.contains_key(version) && !now.paths.iter().any(|(_, to)| to == version) {
            return Err(no_version(args, now, version));
        }
        let path = (installed.version.clone(), version.to_owned());
        if !now.paths.contains(&path) {
            let what = format!(
                "there is no way from version `{}` of the extension `{}` to `{version}`",
                installed.version, args.name
            );
            return Err(Refusal::new(what)
                .help("an extension goes back only if its author wrote how; remove it and make it anew if what needs it may go")
                .into());
        }
        needed(args, look, now, version)?;
        changes.push(Change::new("version", installed.version.as_str(), version));
        statements.add(format!(
            "ALTER EXTENSION {name} UPDATE TO {}",
            literal(version)
        ));
        version.clone_into(&mut installed.version);
        if let Some(movable) = now.movable.get(version) {
            installed.movable = *movable;
        }
    }
    let schema = args
        .schema
        .as_ref()
        .filter(|schema| **schema != installed.schema);
    if let Some(schema) = schema {
        if !installed.movable {
            return Err(only_in(args, &installed.schema, schema));
        }
        changes.push(Change::new(
            "schema",
            installed.schema.as_str(),
            schema.as_str(),
        ));
        statements.add(format!(
            "ALTER EXTENSION {name} SET SCHEMA {}",
            ident(schema)
        ));
        installed.schema.clone_from(schema);
    }
    if let Some(comment) = &args.comment {
        let wanted = Some(comment.clone()).filter(|text| !text.is_empty());
        if wanted != installed.comment {
            changes.push(Change::new(
                "comment",
                installed.comment.clone(),
                wanted.clone(),
            ));
            statements.add(comment_on(&args.name, wanted.as_deref()));
            installed.comment = wanted;
        }
    }
    let Some(last) = changes.pop() else {
        return Ok(Vec::new());
    };
    let step = statements
        .step(login, true)
        .effect(then(login, &args.name, now, Some(installed)));
    changes.push(last.step(step));
    Ok(changes)
}
