//! Which rights differ, and the statements that close it.

use std::collections::BTreeMap;

use evenkeel_engine::{Change, Effect, NotYet, Plan, Stop};

use super::{Args, Kind, State, kind};
use crate::{
    look::Look,
    psql::{
        self, Database, Kept, Login, Many, Object, Question, Right, Role, Server, Sql, Told,
        quote::ident,
        step::{self, Statements},
    },
};

/// A question, its answer, and what the rights in it are on.
struct Place {
    question: Question,
    answer: Answer,
    /// Words around: `ALTER DEFAULT PRIVILEGES …`, and what stands behind `ON`.
    front: String,
    on: &'static str,
    letter: char,
}

enum Answer {
    Database(Database),
    One(Object, String),
    All(BTreeMap<String, Object>),
}

/// Decides.
pub(super) fn plan(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let login = args.login();
    let wanted = questions(args);
    for (question, ..) in &wanted {
        look.ask(&Sql { login: login.clone(), question: question.clone() });
    }
    for role in &args.roles {
        if let Some(name) = named(role, &login) {
            look.ask(&Sql { login: login.clone(), question: Question::Role(name) });
        }
    }
    let server: Server = psql::get(look, &login, Question::Server)?;
    let mut warnings = Vec::new();
    let roles = roles(args, look, &login, &mut warnings)?;
    let mut places = Vec::new();
    for (question, front, on, letter) in wanted {
        let answer = answer(look, &login, &question)?;
        places.push(Place { question, answer, front, on, letter });
    }
    let me = login.role.clone().unwrap_or_else(|| login.user.clone());
    let mut found = Found { args, server: &server, me, statements: Vec::new(), changes: Vec::new(), warnings };
    let mut effects = Vec::new();
    for place in &mut places {
        let before = found.statements.len();
        found.place(place, &roles);
        if found.statements.len() > before {
            let sql = Sql { login: login.clone(), question: place.question.clone() };
            effects.push(Effect::new(sql, told(&place.answer)));
        }
    }
    if args.kind == Kind::Database && args.state == State::Present && server.version >= 150_000 {
        for place in &places {
            found.warnings.extend(no_tables(args, look, &login, place, &roles));
        }
    }
    let Found { statements, mut changes, warnings, .. } = found;
    if let Some(last) = changes.pop() {
        step::writable(&login, &server)?;
        let mut all = Statements::default();
        for sql in statements {
            all.add(sql);
        }
        let step = effects.into_iter().fold(all.step(&login, true), evenkeel_engine::Step::effect);
        changes.push(last.step(step));
    }
    Ok(warnings.into_iter().fold(Plan::from(changes), Plan::warning))
}

/// Questions, the words in front, those behind `ON`, and the letter of the rights.
fn questions(args: &Args) -> Vec<(Question, String, &'static str, char)> {
    let schema = args.schema.clone().unwrap_or_else(|| "public".to_owned());
    let kept = |kept, on, letter| (Question::Kept(kept), String::new(), on, letter);
    let each = |name: &String| {
        let all = name == kind::ALL_IN_SCHEMA;
        let (schema, name) = (schema.clone(), name.clone());
        match args.kind {
            Kind::Table if all => kept(Kept::All(Many::Tables, schema), "TABLE ", 'r'),
            Kind::Sequence if all => kept(Kept::All(Many::Sequences, schema), "SEQUENCE ", 'S'),
            Kind::Function if all => kept(Kept::All(Many::Functions, schema), "FUNCTION ", 'f'),
            Kind::Table => kept(Kept::Table(schema, name), "TABLE ", 'r'),
            Kind::Sequence => kept(Kept::Sequence(schema, name), "SEQUENCE ", 'S'),
            Kind::Function => kept(Kept::Function(schema, name.replace(':', ",")), "FUNCTION ", 'f'),
            Kind::Schema => kept(Kept::Schema(name), "SCHEMA ", 'n'),
            _ => kept(Kept::Group(name), "", 'm'),
        }
    };
    match args.kind {
        Kind::Database => {
            let each = |name| (Question::Database(name), String::new(), "DATABASE ", 'd');
            args.databases().into_iter().map(each).collect()
        }
        Kind::DefaultPrivs => {
            let mut all = Vec::new();
            for role in &args.target_roles {
                for (word, letter) in args.objs.iter().filter_map(|word| kind::made(word)) {
                    let place = args.schema.as_ref().map(|schema| format!("IN SCHEMA {} ", ident(schema)));
                    let front =
                        format!("ALTER DEFAULT PRIVILEGES FOR ROLE {} {}", ident(role), place.unwrap_or_default());
                    let (role, schema) = (role.clone(), args.schema.clone());
                    all.push((Question::Kept(Kept::Default { role, schema, letter }), front, word, letter));
                }
            }
            all
        }
        _ => args.objs.iter().map(each).collect(),
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

/// Roles as access lists name them, each with what it is.
fn roles(
    args: &Args,
    look: &Look<'_>,
    login: &Login,
    warnings: &mut Vec<String>,
) -> Result<Vec<(String, Role)>, Stop> {
    let mut roles = Vec::new();
    for word in &args.roles {
        let Some(name) = named(word, login) else {
            roles.push((String::new(), Role::default()));
            continue;
        };
        let role: Option<Role> = psql::get(look, login, Question::Role(name.clone()))?;
        match role {
            Some(role) => roles.push((name, role)),
            None if args.fail_on_role => return Err(NotYet(format!("the role `{name}`")).into()),
            None => warnings.push(format!("there is no role `{name}`: it is passed over (`fail_on_role: false`)")),
        }
    }
    Ok(roles)
}

fn answer(look: &Look<'_>, login: &Login, question: &Question) -> Result<Answer, Stop> {
    let missing = |what: String| Stop::from(NotYet(what));
    match question {
        Question::Kept(kept @ Kept::All(..)) => {
            let all: Option<_> = psql::get(look, login, question.clone())?;
            all.map(Answer::All).ok_or_else(|| missing(format!("the {} of database `{}`", kept.label(), login.database)))
        }
        Question::Kept(kept) => {
            let one: Option<Object> = psql::get(look, login, question.clone())?;
            let label = kept.label();
            one.map(|one| Answer::One(one, label.clone()))
                .ok_or_else(|| missing(format!("the {label} of database `{}`", login.database)))
        }
        question => {
            let Question::Database(name) = question else { unreachable!("only databases are asked so") };
            let one: Option<Database> = psql::get(look, login, question.clone())?;
            one.map(Answer::Database).ok_or_else(|| missing(format!("the database `{name}`")))
        }
    }
}

fn told(answer: &Answer) -> Told {
    match answer {
        Answer::Database(database) => Told::of(Some(database)),
        Answer::One(object, _) => Told::of(Some(object)),
        Answer::All(all) => Told::of(Some(all)),
    }
}

struct Found<'a> {
    args: &'a Args,
    server: &'a Server,
    me: String,
    statements: Vec<String>,
    changes: Vec<Change>,
    warnings: Vec<String>,
}

/// What is granted where.
struct On<'a> {
    label: String,
    /// As in SQL, with its kind.
    sql: String,
    front: &'a str,
    letter: char,
    by: String,
}

impl Found<'_> {
    fn place(&mut self, place: &mut Place, roles: &[(String, Role)]) {
        let Place { question, answer, front, on, letter } = place;
        let mut one = |label: String, sql: String, owner: &str, acl: &mut Vec<Right>| {
            // Who owns it gives its rights, also through a superuser.
            let own = owner.is_empty() || self.server.superuser || !front.is_empty();
            let by = if own { owner.to_owned() } else { self.me.clone() };
            let on = On { label, sql: format!("{on}{sql}"), front, letter: *letter, by };
            for (role, _) in roles {
                self.role(&on, role, acl);
            }
        };
        match answer {
            Answer::Database(database) => {
                let Question::Database(name) = question else { return };
                let owner = database.owner.clone();
                one(format!("database {name}"), ident(name), &owner, &mut database.acl);
            }
            Answer::One(object, label) => {
                let owner = object.owner.clone();
                one(label.clone(), object.sql.clone(), &owner, &mut object.acl);
            }
            Answer::All(all) => {
                for object in all.values_mut() {
                    let (owner, sql) = (object.owner.clone(), object.sql.clone());
                    one(sql.clone(), sql, &owner, &mut object.acl);
                }
            }
        }
    }

    /// The rights of one role on one thing.
    fn role(&mut self, on: &On<'_>, role: &str, acl: &mut Vec<Right>) {
        let args = self.args;
        let all = kind::rights(on.letter, self.server.version);
        let whole = args.privs.is_empty() || args.privs.iter().any(|word| word == "ALL");
        let wanted = all.into_iter().filter(|what| whole || args.privs.iter().any(|word| word == what));
        let wanted: Vec<&str> = wanted.collect();
        let before = shown(acl, role);
        let (mut grant, mut revoke, mut option) = (Vec::new(), Vec::new(), Vec::new());
        for what in wanted {
            let has = |right: &&Right| right.to == role && right.what == what;
            let any = acl.iter().find(has).is_some();
            let may = acl.iter().filter(has).any(|right| right.grant);
            let own = acl.iter().filter(has).find(|right| right.by == on.by).map(|right| right.grant);
            let others = acl.iter().filter(has).find(|right| right.by != on.by);
            match (args.state, args.grant_option) {
                (State::Present, Some(true)) if !may => grant.push(what),
                (State::Present, _) if !any => grant.push(what),
                (State::Present, Some(false)) | (State::Absent, Some(true)) if own == Some(true) => option.push(what),
                (State::Absent, None | Some(false)) if own.is_some() => revoke.push(what),
                _ => {}
            }
            if let (State::Absent, None | Some(false), Some(right)) = (args.state, args.grant_option, others) {
                self.warnings.push(format!(
                    "{}: `{}` has `{what}` from `{}` too, and only that role can take it away",
                    on.label, to(role), right.by
                ));
            }
        }
        let with = args.grant_option == Some(true);
        for what in &grant {
            match acl.iter_mut().find(|right| right.to == role && right.what == *what && right.by == on.by) {
                Some(right) => right.grant |= with,
                None => acl.push(Right {
                    to: role.to_owned(), by: on.by.clone(), what: (*what).to_owned(), grant: with,
                }),
            }
        }
        let mine = |right: &Right, words: &[&str]| {
            right.to == role && right.by == on.by && words.contains(&right.what.as_str())
        };
        acl.retain(|right| !mine(right, &revoke));
        for right in acl.iter_mut().filter(|right| mine(right, &option)) {
            right.grant = false;
        }
        acl.sort();
        let (lists, words) = ([&grant, &revoke, &option], ["GRANT", "REVOKE", "REVOKE OPTION"]);
        let changed = lists.iter().any(|list| !list.is_empty());
        for (list, word) in lists.into_iter().zip(words).filter(|(list, _)| !list.is_empty()) {
            self.statements.push(statement(on, word, &list.join(", "), role, with));
        }
        if changed {
            self.changes.push(Change::new(format!("{}: {}", on.label, to(role)), before, shown(acl, role)));
        }
    }
}

fn to(role: &str) -> &str {
    if role.is_empty() { "PUBLIC" } else { role }
}

fn statement(on: &On<'_>, word: &str, whats: &str, role: &str, with: bool) -> String {
    let role = if role.is_empty() { "PUBLIC".to_owned() } else { ident(role) };
    // Members are not rights: they have words of their own.
    let member = on.letter == 'm';
    let (what, option) = if member {
        (on.sql.clone(), "ADMIN")
    } else {
        (format!("{whats} ON {}", on.sql), "GRANT")
    };
    let front = on.front;
    match word {
        "GRANT" if with => format!("{front}GRANT {what} TO {role} WITH {option} OPTION"),
        "GRANT" => format!("{front}GRANT {what} TO {role}"),
        "REVOKE" => format!("{front}REVOKE {what} FROM {role}"),
        _ => format!("{front}REVOKE {option} OPTION FOR {what} FROM {role}"),
    }
}

/// What a role has, as a text; `*` where it may be passed on.
fn shown(acl: &[Right], role: &str) -> Option<String> {
    let mut all: BTreeMap<&str, bool> = BTreeMap::new();
    for right in acl.iter().filter(|right| right.to == role) {
        *all.entry(&right.what).or_default() |= right.grant;
    }
    let text = |(what, grant): (&str, bool)| format!("{what}{}", if grant { "*" } else { "" });
    let words: Vec<String> = all.into_iter().map(text).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// Since PostgreSQL 15 rights on a database let nobody make tables in its schema `public`.
fn no_tables(
    args: &Args,
    look: &Look<'_>,
    login: &Login,
    place: &Place,
    roles: &[(String, Role)],
) -> Vec<String> {
    let (Question::Database(name), Answer::Database(database)) = (&place.question, &place.answer) else {
        return Vec::new();
    };
    if !args.privs.iter().any(|word| ["ALL", "CREATE"].contains(&word.as_str())) {
        return Vec::new();
    }
    let there = Login { database: name.clone(), ..login.clone() };
    let question = Question::Kept(Kept::Schema("public".to_owned()));
    let Ok(Some(public)) = psql::get::<Option<Object>>(look, &there, question) else { return Vec::new() };
    let may = |role: &str| {
        let of = |right: &Right| right.what == "CREATE" && (right.to.is_empty() || right.to == role);
        public.owner == role || public.acl.iter().any(of)
    };
    let poor = |(role, is): &&(String, Role)| !role.is_empty() && !is.superuser && database.owner != *role && !may(role);
    let text = |(role, _): &(String, Role)| {
        format!(
            "since PostgreSQL 15, rights on the database `{name}` let `{role}` make no table in its schema `public`: \
             make it the owner (`psql-db: {{name: {name}, owner: {role}}}`), or grant it there \
             (`psql-privs: {{login_db: {name}, type: schema, objs: public, privs: ALL, roles: {role}}}`)"
        )
    };
    roles.iter().filter(poor).map(text).collect()
}
