//! What differs of a role, and the statements that close it.

use evenkeel_engine::{Cause, Change, Effect, Plan, Refusal, Secret, Stop, Value};

use super::{Args, State};
use crate::{
    look::Look,
    psql::{
        self, Left, Login, Question, Role, Server, Sql, Told, guc,
        password::{self, Verifier},
        quote::{ident, literal},
        step::{self, Statements},
    },
};
use std::collections::BTreeMap;

/// Decides.
pub(super) fn plan(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let login = args.login();
    let role = Sql {
        login: login.clone(),
        question: Question::Role(args.name.clone()),
    };
    // All that may be needed is asked at once.
    look.ask(&role);
    if args.state == State::Absent {
        look.ask(&Sql {
            login: login.clone(),
            question: Question::LeftOf(args.name.clone()),
        });
    }
    if let Some(time) = &args.expires {
        look.ask(&Sql {
            login: login.clone(),
            question: Question::Time(time.clone()),
        });
    }
    let server: Server = psql::get(look, &login, Question::Server)?;
    let now: Option<Role> = psql::get(look, &login, role.question)?;
    let plan = match (args.state, now) {
        (State::Absent, None) => return Ok(Plan::nothing()),
        (State::Absent, Some(_)) => remove(args, look, &login)?,
        (State::Present, now) => keep(args, look, &login, &server, now)?,
    };
    if !plan.changes.is_empty() {
        step::writable(&login, &server)?;
    }
    Ok(plan)
}

fn remove(args: &Args, look: &Look<'_>, login: &Login) -> Result<Plan, Stop> {
    let left: BTreeMap<String, Left> = psql::get(look, login, Question::LeftOf(args.name.clone()))?;
    if left.values().any(|left| left.owns + left.rights > 0) {
        let mut parts = Vec::new();
        for (database, left) in &left {
            let place = match database.as_str() {
                "" => "the server".to_owned(),
                name => format!("database `{name}`"),
            };
            let many = |count: u32| if count == 1 { "object" } else { "objects" };
            if left.owns > 0 {
                parts.push(format!("owns {} {} of {place}", left.owns, many(left.owns)));
            }
            if left.rights > 0 {
                parts.push(format!(
                    "has rights on {} {} of {place}",
                    left.rights,
                    many(left.rights)
                ));
            }
        }
        let what = format!(
            "the role `{}` cannot be removed: it {}",
            args.name,
            parts.join(", ")
        );
        if !args.fail_on_user {
            return Ok(Plan::nothing().warning(what));
        }
        let name = ident(&args.name);
        return Err(Refusal::new(what)
            .help(format!(
                "give what it owns to another role (`REASSIGN OWNED BY {name} TO …`), take its rights \
                 away (`DROP OWNED BY {name}`) in each database, or set `fail_on_user: false`"
            ))
            .into());
    }
    let mut statements = Statements::default();
    statements.add(format!("DROP ROLE {}", ident(&args.name)));
    let step = effect(args, login, statements, None);
    Ok(Change::new("role", args.name.as_str(), Value::Null)
        .step(step)
        .into())
}

fn effect(
    args: &Args,
    login: &Login,
    statements: Statements,
    then: Option<&Role>,
) -> evenkeel_engine::Step {
    let role = Sql {
        login: login.clone(),
        question: Question::Role(args.name.clone()),
    };
    let step = statements.step(login, true);
    let step = step.effect(Effect::new(role, Told::of(then)));
    if then.is_none() {
        let left = Sql {
            login: login.clone(),
            question: Question::LeftOf(args.name.clone()),
        };
        return step.effect(Effect::new(left, Told::of(BTreeMap::<String, Left>::new())));
    }
    step
}

/// Changes as they are found, and the words of `CREATE ROLE` or `ALTER ROLE`.
struct Found<'a> {
    args: &'a Args,
    new: bool,
    role: Role,
    changes: Vec<Change>,
    /// Words, and what may be shown of them.
    words: Vec<(String, String)>,
    secret: bool,
    after: Vec<String>,
    cause: Cause,
    warning: Option<String>,
}

impl Found<'_> {
    fn change(&mut self, what: &str, before: impl Into<Value>, after: impl Into<Value>) {
        // A new role is one change.
        if !self.new {
            self.changes.push(Change::new(what, before, after));
        }
    }

    fn word(&mut self, word: impl Into<String>) {
        let word = word.into();
        self.words.push((word.clone(), word));
    }
}

fn keep(
    args: &Args,
    look: &Look<'_>,
    login: &Login,
    server: &Server,
    now: Option<Role>,
) -> Result<Plan, Stop> {
    let new = now.is_none();
    let mut found = Found {
        args,
        new,
        role: now.unwrap_or_else(Args::fresh),
        changes: Vec::new(),
        words: Vec::new(),
        secret: false,
        after: Vec::new(),
        cause: Cause::Differs,
        warning: None,
    };
    if new {
        found.role.readable = server.superuser;
        found
            .changes
            .push(Change::new("role", Value::Null, args.name.as_str()));
        found.word("LOGIN");
    }
    found.flags();
    found.expires(look, login)?;
    found.limit();
    found.password(server)?;
    found.described();
    let Some(last) = found.changes.pop() else {
        return Ok(Plan {
            warnings: found.warning.into_iter().collect(),
            ..Plan::default()
        });
    };
    let name = ident(&args.name);
    let mut statements = Statements::default();
    if !found.words.is_empty() {
        let verb = if new { "CREATE" } else { "ALTER" };
        let (words, shown): (Vec<_>, Vec<_>) = found.words.into_iter().unzip();
        let sql = |words: &[String]| format!("{verb} ROLE {name} {}", words.join(" "));
        if found.secret {
            statements.add_secret(sql(&words), sql(&shown));
        } else {
            statements.add(sql(&words));
        }
    }
    for sql in found.after {
        statements.add(sql);
    }
    let step = effect(args, login, statements, Some(&found.role));
    found.changes.push(last.step(step).because(found.cause));
    let mut plan = Plan::from(found.changes);
    plan.warnings.extend(found.warning);
    Ok(plan)
}

impl Found<'_> {
    fn flags(&mut self) {
        for flag in &self.args.role_attr_flags {
            let before = self.role.clone();
            if flag.set(&mut self.role) || (self.new && flag.about() == "login") {
                if self.new && flag.about() == "login" {
                    self.words.retain(|(word, _)| word != "LOGIN");
                }
                let mut was = before;
                // What it was before is what it is not now.
                let now_on = !flag.word().starts_with("NO");
                flag.set(&mut was);
                self.change(&flag.about(), !now_on, now_on);
                self.word(flag.word());
            }
        }
    }

    fn expires(&mut self, look: &Look<'_>, login: &Login) -> Result<(), Stop> {
        let Some(time) = &self.args.expires else {
            return Ok(());
        };
        let wanted: String = psql::get(look, login, Question::Time(time.clone()))?;
        if self.role.until.as_ref() != Some(&wanted) {
            let before = self.role.until.clone();
            self.change("expires", before, wanted.as_str());
            self.word(format!("VALID UNTIL {}", literal(&wanted)));
            self.role.until = Some(wanted);
        }
        Ok(())
    }

    fn limit(&mut self) {
        if let Some(limit) = self.args.conn_limit
            && limit != self.role.conn_limit
        {
            self.change(
                "conn_limit",
                i64::from(self.role.conn_limit),
                i64::from(limit),
            );
            self.word(format!("CONNECTION LIMIT {limit}"));
            self.role.conn_limit = limit;
        }
    }

    fn password(&mut self, server: &Server) -> Result<(), Stop> {
        let Some(password) = &self.args.password else {
            return Ok(());
        };
        if !self.new && self.args.no_password_changes {
            return Ok(());
        }
        let password = password.get()?;
        let readable = self.role.readable;
        let kept = self.role.hash.clone();
        let wanted = wanted(&self.args.name, password.bytes(), server, kept.as_deref());
        if !self.new && !readable {
            self.warning = Some(format!(
                "`pg_authid` cannot be read by this login, so nobody can tell whether the password of `{}` \
                 differs: it is set each time (log in as a superuser, or set `no_password_changes: true`)",
                self.args.name
            ));
            self.cause = Cause::Act;
        } else if wanted == kept {
            return Ok(());
        }
        let kind = |hash: &Option<String>| hash.as_ref().map(|hash| password::shown(hash));
        self.change("password", kind(&kept), kind(&wanted));
        match &wanted {
            Some(hash) => {
                self.secret = true;
                self.words.push((
                    format!("PASSWORD {}", literal(hash)),
                    "PASSWORD '***'".to_owned(),
                ));
            }
            None => self.word("PASSWORD NULL"),
        }
        self.role.hash = wanted.filter(|_| readable);
        Ok(())
    }

    fn described(&mut self) {
        let name = ident(&self.args.name);
        if let Some(comment) = &self.args.comment {
            let wanted = Some(comment.clone()).filter(|text| !text.is_empty());
            if wanted != self.role.comment {
                let before = self.role.comment.clone();
                self.change("comment", before, wanted.clone());
                let text = wanted.as_deref().map_or_else(|| "NULL".to_owned(), literal);
                self.after.push(format!("COMMENT ON ROLE {name} IS {text}"));
                self.role.comment = wanted;
            }
        }
        for (key, value) in &self.args.configuration {
            let before = self.role.settings.get(key).cloned();
            if before
                .as_deref()
                .is_some_and(|before| guc::same(key, before, value))
            {
                continue;
            }
            self.change(&format!("configuration.{key}"), before, value.as_str());
            self.after.push(format!(
                "ALTER ROLE {name} SET {} TO {}",
                guc::name(key),
                guc::value(key, value)
            ));
            self.role
                .settings
                .insert(key.clone(), guc::stored(key, value));
        }
        if self.args.reset_unspecified_configuration {
            let unnamed: Vec<String> = self.role.settings.keys().cloned().collect();
            for key in unnamed
                .into_iter()
                .filter(|key| !self.args.configuration.contains_key(key))
            {
                let before = self.role.settings.remove(&key);
                self.change(&format!("configuration.{key}"), before, Value::Null);
                self.after
                    .push(format!("ALTER ROLE {name} RESET {}", guc::name(&key)));
            }
        }
    }
}

/// What is to be kept of the password: what is kept already, if that is of it.
fn wanted(role: &str, password: &[u8], server: &Server, kept: Option<&str>) -> Option<String> {
    if password.is_empty() {
        return None;
    }
    if let Some(given) = std::str::from_utf8(password).ok().and_then(Verifier::parse) {
        return Some(given.text());
    }
    if let Some(old) = kept.and_then(Verifier::parse) {
        // An old md5 hash is replaced where the server now makes the better kind.
        let good = matches!(old, Verifier::Scram { .. }) || server.md5;
        if good && old.fits(role, password) {
            return kept.map(ToOwned::to_owned);
        }
    }
    let new = if server.md5 {
        password::md5(role, password)
    } else {
        password::new(
            role,
            password,
            &server.system,
            kept.map(Secret::new).as_ref(),
        )
    };
    Some(new.text())
}
