//! What a task has to do.

use evenkeel_engine::{Effect, NotYet, Plan, Step, Stop};

use super::{
    Args, Kind, State,
    grants::Grants,
    places::{self, Answer, Place},
};
use crate::{
    look::Look,
    psql::{
        self, Kept, Login, Question, Role, Server, Sql,
        step::{self, Statements},
    },
};

/// Decides.
pub(super) fn plan(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let login = args.at();
    let places = places::places(args);
    ask(args, look, &login, &places);
    let server: Server = psql::get(look, &login, Question::Server)?;
    let me = login.role.clone().unwrap_or_else(|| login.user.clone());
    let mut grants = Grants {
        args,
        version: server.version,
        me,
        statements: Vec::new(),
        changes: Vec::new(),
        warnings: Vec::new(),
    };
    let roles = roles(args, look, &login, &mut grants.warnings)?;
    let mut effects = Vec::new();
    for place in &places {
        let Some(mut answer) = places::answer(args, look, &login, &place.question)? else {
            continue;
        };
        let before = grants.statements.len();
        for mut thing in answer.things() {
            for role in &roles {
                grants.role(place, &mut thing, role)?;
            }
        }
        if grants.statements.len() > before {
            effects.push(Effect::new(
                sql(&login, place.question.clone()),
                answer.told(),
            ));
        }
        if let Answer::Database(name, now) = &answer
            && server.version >= 150_000
        {
            let poor = roles.iter().filter(|role| now.owner != **role);
            grants
                .warnings
                .extend(poor.filter_map(|role| no_tables(args, look, &login, name, role)));
        }
    }
    let Grants {
        statements,
        mut changes,
        warnings,
        ..
    } = grants;
    if let Some(last) = changes.pop() {
        step::writable(&login, &server)?;
        let mut all = Statements::default();
        for sql in statements {
            all.add(sql);
        }
        let step = effects
            .into_iter()
            .fold(all.step(&login, true), Step::effect);
        changes.push(last.step(step));
    }
    Ok(warnings
        .into_iter()
        .fold(Plan::from(changes), Plan::warning))
}

fn sql(login: &Login, question: Question) -> Sql {
    Sql {
        login: login.clone(),
        question,
    }
}

/// All that may be needed is asked at once.
fn ask(args: &Args, look: &Look<'_>, login: &Login, places: &[Place]) {
    for place in places {
        look.ask(&sql(login, place.question.clone()));
    }
    for role in args.roles.iter().filter_map(|role| named(role, login)) {
        look.ask(&sql(login, Question::Role(role.clone())));
        if warned(args) {
            for name in args.databases() {
                look.ask(&sql(
                    &within(login, &name),
                    Question::Kept(Kept::Makes(role.clone())),
                ));
            }
        }
    }
}

/// The same login, to another database.
fn within(login: &Login, database: &str) -> Login {
    Login {
        database: database.to_owned(),
        ..login.clone()
    }
}

/// The role that a word means; none for everybody.
fn named(word: &str, login: &Login) -> Option<String> {
    match word.to_uppercase().as_str() {
        "PUBLIC" => None,
        "SESSION_USER" => Some(login.user.clone()),
        "CURRENT_USER" | "CURRENT_ROLE" => Some(login.role.as_ref().unwrap_or(&login.user).clone()),
        _ => Some(word.to_owned()),
    }
}

/// Roles as access lists name them.
fn roles(
    args: &Args,
    look: &Look<'_>,
    login: &Login,
    warnings: &mut Vec<String>,
) -> Result<Vec<String>, Stop> {
    let mut roles = Vec::new();
    for word in &args.roles {
        let Some(name) = named(word, login) else {
            roles.push(String::new());
            continue;
        };
        let role: Option<Role> = psql::get(look, login, Question::Role(name.clone()))?;
        match role {
            Some(_) => roles.push(name),
            // Who is not there has no rights.
            None if args.state == State::Absent => {}
            None if args.fail_on_role => return Err(NotYet(format!("the role `{name}`")).into()),
            None => warnings.push(format!(
                "there is no role `{name}`: it is passed over (`fail_on_role: false`)"
            )),
        }
    }
    Ok(roles)
}

/// Whether somebody may believe that these rights are enough to make tables.
fn warned(args: &Args) -> bool {
    args.kind == Kind::Database
        && args.state == State::Present
        && args.privs.iter().any(|word| word == "ALL")
}

/// Since PostgreSQL 15 rights on a database let nobody make tables in its schema `public`.
fn no_tables(
    args: &Args,
    look: &Look<'_>,
    login: &Login,
    name: &str,
    role: &str,
) -> Option<String> {
    if !warned(args) || role.is_empty() {
        return None;
    }
    let question = Question::Kept(Kept::Makes(role.to_owned()));
    let makes: Option<bool> = psql::get(look, &within(login, name), question).ok()?;
    (makes == Some(false)).then(|| {
        format!(
            "since PostgreSQL 15, rights on the database `{name}` let `{role}` make no table in its schema `public`: \
             make it the owner (`psql-db: {{name: {name}, owner: {role}}}`), or grant it there too \
             (`psql-privs: {{login_db: {name}, type: schema, objs: public, privs: ALL, roles: {role}}}`)"
        )
    })
}
