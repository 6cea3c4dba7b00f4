//! What the rights are on: questions, and their answers.

use std::collections::BTreeMap;

use evenkeel_engine::{NotYet, Stop};

use super::{
    Args, State,
    kind::{self, Shape},
};
use crate::{
    look::Look,
    psql::{self, Database, Kept, Login, Object, Question, Right, Told, quote::ident},
};

/// A question for things that have access lists, and how they stand in a statement.
pub(super) struct Place {
    pub(super) question: Question,
    /// `ALTER DEFAULT PRIVILEGES …`, if anything.
    pub(super) front: String,
    /// What stands behind `ON`, before the name.
    pub(super) on: String,
    /// The letter of the rights.
    pub(super) letter: char,
}

/// What a place is now.
pub(super) enum Answer {
    Database(String, Database),
    One(String, Object),
    All(BTreeMap<String, Object>),
}

/// One thing that has an access list.
pub(super) struct Thing<'a> {
    pub(super) label: String,
    pub(super) sql: String,
    pub(super) owner: &'a str,
    pub(super) by: &'a [String],
    pub(super) acl: &'a mut Vec<Right>,
}

/// All places of a task.
pub(super) fn places(args: &Args) -> Vec<Place> {
    let schema = args.schema.clone().unwrap_or_else(|| "public".to_owned());
    let plain = |kept: Kept, on: &str, letter| Place {
        question: Question::Kept(kept),
        front: String::new(),
        on: format!("{on} ").to_uppercase(),
        letter,
    };
    let objs = args.objs.iter();
    match args.kind.shape() {
        Shape::Database => {
            let database = |name| Place {
                question: Question::Database(name),
                front: String::new(),
                on: "DATABASE ".to_owned(),
                letter: 'd',
            };
            args.databases().into_iter().map(database).collect()
        }
        Shape::Sort(sort) => {
            let kept = |name: &String| {
                if name == kind::ALL_IN_SCHEMA {
                    return Kept::All(sort, schema.clone());
                }
                // Colons stand for the commas between types.
                let name = if sort.letter() == 'f' {
                    commas(name)
                } else {
                    name.clone()
                };
                Kept::One(sort, schema.clone(), name)
            };
            objs.map(|name| plain(kept(name), sort.word(), sort.letter()))
                .collect()
        }
        Shape::Named(named) => objs
            .map(|name| {
                plain(
                    Kept::Named(named, name.clone()),
                    named.word(),
                    named.letter(),
                )
            })
            .collect(),
        Shape::Group => objs
            .map(|name| plain(Kept::Group(name.clone()), "", 'm'))
            .collect(),
        Shape::Default => defaults(args),
    }
}

/// A single colon is a comma; two of them are no more than they are.
fn commas(name: &str) -> String {
    name.replace("::", "\0")
        .replace(':', ",")
        .replace('\0', "::")
}

fn defaults(args: &Args) -> Vec<Place> {
    let schema = args.place();
    let mut all = Vec::new();
    for role in &args.target_roles {
        for (word, letter) in args
            .objs
            .iter()
            .flat_map(|word| kind::made(word, schema.is_some()))
        {
            let place = schema.map(|schema| format!("IN SCHEMA {} ", ident(schema)));
            all.push(Place {
                question: Question::Kept(Kept::Default {
                    role: role.clone(),
                    schema: schema.map(str::to_owned),
                    letter,
                }),
                front: format!(
                    "ALTER DEFAULT PRIVILEGES FOR ROLE {} {}",
                    ident(role),
                    place.unwrap_or_default()
                ),
                on: word.to_owned(),
                letter,
            });
        }
    }
    all
}

/// What a place is now. What is not there has no rights that could be taken away.
pub(super) fn answer(
    args: &Args,
    look: &Look<'_>,
    login: &Login,
    question: &Question,
) -> Result<Option<Answer>, Stop> {
    let (found, label) = match question {
        Question::Database(name) => {
            let now: Option<Database> = psql::get(look, login, question.clone())?;
            (
                now.map(|now| Answer::Database(name.clone(), now)),
                format!("the database `{name}`"),
            )
        }
        Question::Kept(kept) => {
            let label = kept.label();
            let found = if let Kept::All(..) = kept {
                psql::get::<Option<_>>(look, login, question.clone())?.map(Answer::All)
            } else {
                let one: Option<Object> = psql::get(look, login, question.clone())?;
                one.map(|one| Answer::One(label.clone(), one))
            };
            let place = match kept {
                Kept::Group(_) => String::new(),
                _ => format!(" in the database `{}`", login.database),
            };
            let label = match kept {
                Kept::Default {
                    role, schema: None, ..
                } => format!("the role `{role}`"),
                Kept::Default {
                    role,
                    schema: Some(schema),
                    ..
                } => {
                    format!("the role `{role}`, or the schema `{schema}`{place}")
                }
                _ => format!("the {}{place}", quoted(&label)),
            };
            (found, label)
        }
        _ => return Ok(None),
    };
    match found {
        None if args.state == State::Present => Err(NotYet(label).into()),
        found => Ok(found),
    }
}

/// A label with its last word in quotes.
fn quoted(label: &str) -> String {
    let words = ["foreign data wrapper ", "foreign server "];
    let long = words
        .iter()
        .find(|word| label.starts_with(**word))
        .map(|word| word.len());
    let at = long
        .or_else(|| label.find(' ').map(|at| at + 1))
        .unwrap_or_default();
    format!("{}`{}`", &label[..at], &label[at..])
}

impl Answer {
    /// Everything in it that has an access list.
    pub(super) fn things(&mut self) -> Vec<Thing<'_>> {
        fn thing(label: String, object: &mut Object) -> Thing<'_> {
            let Object {
                sql,
                owner,
                by,
                acl,
            } = object;
            Thing {
                label,
                sql: sql.clone(),
                owner,
                by,
                acl,
            }
        }
        match self {
            Self::Database(name, now) => vec![Thing {
                label: format!("database {name}"),
                sql: ident(name),
                owner: &now.owner,
                by: &now.by,
                acl: &mut now.acl,
            }],
            Self::One(label, object) => vec![thing(label.clone(), object)],
            Self::All(all) => all
                .values_mut()
                .map(|object| thing(object.sql.clone(), object))
                .collect(),
        }
    }

    /// What the question is answered then.
    pub(super) fn told(&self) -> Told {
        match self {
            Self::Database(_, now) => Told::of(Some(now)),
            Self::One(_, object) => Told::of(Some(object)),
            Self::All(all) => Told::of(Some(all)),
        }
    }
}
