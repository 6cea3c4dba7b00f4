//! PostgreSQL, through the host's `psql`: the module `psql`, and what the modules `psql-…` have in common.

pub(crate) mod ask;
pub(crate) mod guc;
mod jsonb;
pub(crate) mod login;
pub(crate) mod objects;
pub(crate) mod password;
mod query;
pub(crate) mod questions;
pub(crate) mod quote;
pub(crate) mod reload;
pub(crate) mod step;

use evenkeel_engine::{NotYet, Stop};
use serde::de::DeserializeOwned;

use crate::look::Look;
pub use ask::{Sql, Told};
pub use login::Login;
pub use objects::{Kept, Named, Object, Sort};
pub use query::{Args, Output, Psql, Queries, Read, Reading, Rehearsing, Set};
pub use questions::{
    Database, Extension, Hba, Installed, Left, Question, Right, Role, Server, Setting,
};

/// Asks a server, and reads what it says in its type.
pub(crate) fn get<T: DeserializeOwned>(
    look: &Look<'_>,
    login: &Login,
    question: Question,
) -> Result<T, Stop> {
    let sql = Sql {
        login: login.clone(),
        question,
    };
    let told = look.get(&sql)?;
    told.read()
        .map_err(|why| Stop::refused(format!("{} says: {why}", login.server())))
}

/// A role that has to be there.
pub(crate) fn need_role(look: &Look<'_>, login: &Login, name: &str) -> Result<Role, Stop> {
    let role: Option<Role> = get(look, login, Question::Role(name.to_owned()))?;
    role.ok_or_else(|| NotYet(format!("the role `{name}`")).into())
}
