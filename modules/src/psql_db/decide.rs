//! What differs of a database, and the statements that close it.

use std::collections::BTreeMap;

use evenkeel_engine::{Change, Effect, NotYet, Plan, Refusal, Stop, Value};

use super::{Args, State};
use crate::{
    look::Look,
    psql::{
        self, Database, Login, Question, Right, Server, Sql, Told,
        quote::{ident, literal},
        step::{self, Statements},
    },
};

/// Decides.
pub(super) fn plan(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let login = args.login();
    ask_all(args, look, &login);
    let server: Server = psql::get(look, &login, Question::Server)?;
    let now = database(look, &login, &args.name)?;
    let changes = match (args.state, now) {
        (State::Absent, None) => Vec::new(),
        (State::Absent, Some(_)) => vec![remove(args, look, &login, &server)?],
        (State::Rename, now) => rename(args, look, &login, now)?,
        (_, None) => create(args, look, &login)?,
        (_, Some(now)) => alter(args, look, &login, now)?,
    };
    if !changes.is_empty() {
        step::writable(&login, &server)?;
    }
    Ok(changes.into())
}

/// All that may be needed, so that one round is enough.
fn ask_all(args: &Args, look: &Look<'_>, login: &Login) {
    let ask = |question| {
        look.ask(&Sql {
            login: login.clone(),
            question,
        });
    };
    ask(Question::Server);
    ask(Question::Database(args.name.clone()));
    match args.state {
        State::Absent => ask(Question::Sessions(args.name.clone())),
        State::Rename => ask(Question::Database(args.target.clone().unwrap_or_default())),
        _ => {
            ask(Question::Database(template(args).to_owned()));
            if let Some(owner) = &args.owner {
                ask(Question::Role(owner.clone()));
            }
            if let Some(tablespace) = &args.tablespace {
                ask(Question::Tablespace(tablespace.clone()));
            }
        }
    }
}

fn template(args: &Args) -> &str {
    args.template.as_deref().unwrap_or("template1")
}

fn database(look: &Look<'_>, login: &Login, name: &str) -> Result<Option<Database>, Stop> {
    psql::get(look, login, Question::Database(name.to_owned()))
}

fn there(login: &Login, name: &str, then: Option<&Database>) -> Effect {
    let question = Question::Database(name.to_owned());
    Effect::new(
        Sql {
            login: login.clone(),
            question,
        },
        Told::of(then),
    )
}

fn remove(args: &Args, look: &Look<'_>, login: &Login, server: &Server) -> Result<Change, Stop> {
    let name = ident(&args.name);
    let sessions: BTreeMap<String, u32> =
        psql::get(look, login, Question::Sessions(args.name.clone()))?;
    let mut statements = Statements::default();
    if !args.force && !sessions.is_empty() {
        let who: Vec<String> = sessions
            .iter()
            .map(|(who, count)| format!("{count} of `{who}`"))
            .collect();
        let what = format!(
            "the database `{}` cannot be removed: it has sessions ({})",
            args.name,
            who.join(", ")
        );
        return Err(Refusal::new(what)
            .help("stop what is connected to it, or end its sessions with `force: true`")
            .into());
    }
    if args.force && server.version >= 130_000 {
        statements.add(format!("DROP DATABASE {name} WITH (FORCE)"));
    } else {
        if args.force {
            statements.add(format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
            statements.add(format!(
                "DO $ek$BEGIN PERFORM pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE datname = {} AND pid <> pg_backend_pid(); END$ek$",
                literal(&args.name)
            ));
        }
        statements.add(format!("DROP DATABASE {name}"));
    }
    let sessions = Sql {
        login: login.clone(),
        question: Question::Sessions(args.name.clone()),
    };
    let step = statements.step(login, false);
    let step = step
        .effect(there(login, &args.name, None))
        .effect(Effect::new(
            sessions,
            Told::of(BTreeMap::<String, u32>::new()),
        ));
    Ok(Change::new("database", args.name.as_str(), Value::Null).step(step))
}

fn rename(
    args: &Args,
    look: &Look<'_>,
    login: &Login,
    now: Option<Database>,
) -> Result<Vec<Change>, Stop> {
    let target = args.target.clone().unwrap_or_default();
    let then = database(look, login, &target)?;
    let now = match (now, then) {
        (None, Some(_)) => return Ok(Vec::new()),
        (None, None) => {
            return Err(NotYet(format!("the database `{}`, or `{target}`", args.name)).into());
        }
        (Some(_), Some(_)) => {
            let what = format!(
                "both `{}` and `{target}` exist: none can take the other's name",
                args.name
            );
            return Err(Refusal::new(what)
                .help("remove or rename one of them")
                .into());
        }
        (Some(now), None) => now,
    };
    let mut statements = Statements::default();
    statements.add(format!(
        "ALTER DATABASE {} RENAME TO {}",
        ident(&args.name),
        ident(&target)
    ));
    let step = statements.step(login, true);
    let step =
        step.effect(there(login, &args.name, None))
            .effect(there(login, &target, Some(&now)));
    Ok(vec![
        Change::new("name", args.name.as_str(), target.as_str()).step(step),
    ])
}

/// What everybody and the owner may do with a new database.
fn first_rights(owner: &str) -> Vec<Right> {
    let mut rights = Vec::new();
    for (to, whats) in [
        ("", &["CONNECT", "TEMPORARY"][..]),
        (owner, &["CONNECT", "CREATE", "TEMPORARY"]),
    ] {
        rights.extend(whats.iter().map(|what| Right {
            to: to.to_owned(),
            by: owner.to_owned(),
            what: (*what).to_owned(),
            grant: false,
        }));
    }
    rights
}

fn create(args: &Args, look: &Look<'_>, login: &Login) -> Result<Vec<Change>, Stop> {
    let from = database(look, login, template(args))?;
    let from = from.ok_or_else(|| NotYet(format!("the database `{}`", template(args))))?;
    if let Some(owner) = &args.owner {
        psql::need_role(look, login, owner)?;
    }
    need_tablespace(args, look, login)?;
    let owner = args
        .owner
        .clone()
        .unwrap_or_else(|| login.role.as_ref().unwrap_or(&login.user).clone());
    let mut sql = format!("CREATE DATABASE {}", ident(&args.name));
    let names = [("OWNER", &args.owner), ("TEMPLATE", &args.template)];
    for (word, value) in names {
        sql += &value
            .as_ref()
            .map(|value| format!(" {word} {}", ident(value)))
            .unwrap_or_default();
    }
    let texts = [
        ("ENCODING", &args.encoding),
        ("LC_COLLATE", &args.lc_collate),
        ("LC_CTYPE", &args.lc_ctype),
    ];
    for (word, value) in texts {
        sql += &value
            .as_ref()
            .map(|value| format!(" {word} {}", literal(value)))
            .unwrap_or_default();
    }
    let place = args
        .tablespace
        .as_ref()
        .map(|place| format!(" TABLESPACE {}", ident(place)));
    sql += &place.unwrap_or_default();
    sql += &args
        .conn_limit
        .map(|limit| format!(" CONNECTION LIMIT {limit}"))
        .unwrap_or_default();
    let mut statements = Statements::default();
    statements.add(sql);
    let comment = args.comment.clone().filter(|text| !text.is_empty());
    if let Some(comment) = &comment {
        statements.add(comment_on(&args.name, Some(comment)));
    }
    let or = |text: &Option<String>, other: String| text.clone().unwrap_or(other);
    let then = Database {
        acl: first_rights(&owner),
        by: vec![owner.clone()],
        owner,
        encoding: args.encoding.as_deref().map_or(from.encoding, canonical),
        collate: or(&args.lc_collate, from.collate),
        ctype: or(&args.lc_ctype, from.ctype),
        conn_limit: args.conn_limit.unwrap_or(-1),
        tablespace: or(&args.tablespace, from.tablespace),
        comment,
    };
    let step = statements
        .step(login, false)
        .effect(there(login, &args.name, Some(&then)));
    Ok(vec![
        Change::new("database", Value::Null, args.name.as_str()).step(step),
    ])
}

fn need_tablespace(args: &Args, look: &Look<'_>, login: &Login) -> Result<(), Stop> {
    let Some(name) = &args.tablespace else {
        return Ok(());
    };
    let there: bool = psql::get(look, login, Question::Tablespace(name.clone()))?;
    if there {
        Ok(())
    } else {
        Err(NotYet(format!("the tablespace `{name}`")).into())
    }
}

fn comment_on(name: &str, comment: Option<&str>) -> String {
    let text = comment.map_or_else(|| "NULL".to_owned(), literal);
    format!("COMMENT ON DATABASE {} IS {text}", ident(name))
}

/// An encoding as the server names it: `utf-8` is `UTF8`.
fn canonical(encoding: &str) -> String {
    let name: String = encoding
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let upper = name.to_uppercase();
    match upper.as_str() {
        "UNICODE" => "UTF8".to_owned(),
        "SQLASCII" => "SQL_ASCII".to_owned(),
        "EUCJP" | "EUCCN" | "EUCKR" | "EUCTW" => format!("EUC_{}", &upper[3..]),
        "ISO88591" => "LATIN1".to_owned(),
        "ISO885915" => "LATIN9".to_owned(),
        _ => upper,
    }
}

/// Refuses what no server can change.
fn fixed(args: &Args, now: &Database) -> Result<(), Stop> {
    let encoding = args.encoding.as_deref().map(canonical);
    let all = [
        ("encoding", encoding, &now.encoding),
        ("lc_collate", args.lc_collate.clone(), &now.collate),
        ("lc_ctype", args.lc_ctype.clone(), &now.ctype),
    ];
    for (what, wanted, is) in all {
        if let Some(wanted) = wanted.filter(|wanted| wanted != is) {
            let what = format!(
                "changing `{what}` of a database is not supported: `{}` has `{is}`, not `{wanted}`",
                args.name
            );
            return Err(Refusal::new(what)
                .help("dump it, make it anew with the other, and restore it; or name what it has")
                .into());
        }
    }
    Ok(())
}

fn alter(
    args: &Args,
    look: &Look<'_>,
    login: &Login,
    mut now: Database,
) -> Result<Vec<Change>, Stop> {
    fixed(args, &now)?;
    let name = ident(&args.name);
    let (mut changes, mut list) = (Vec::new(), Vec::new());
    if let Some(owner) = args.owner.as_ref().filter(|owner| **owner != now.owner) {
        psql::need_role(look, login, owner)?;
        changes.push(Change::new("owner", now.owner.as_str(), owner.as_str()));
        list.push(format!("ALTER DATABASE {name} OWNER TO {}", ident(owner)));
        now.acl = handed_over(now.acl, &now.owner, owner);
        now.owner.clone_from(owner);
        // Who can hand it over has the rights of both.
        now.by = vec![owner.clone()];
    }
    if let Some(limit) = args.conn_limit.filter(|limit| *limit != now.conn_limit) {
        changes.push(Change::new(
            "conn_limit",
            i64::from(now.conn_limit),
            i64::from(limit),
        ));
        list.push(format!("ALTER DATABASE {name} CONNECTION LIMIT {limit}"));
        now.conn_limit = limit;
    }
    if let Some(comment) = &args.comment {
        let wanted = Some(comment.clone()).filter(|text| !text.is_empty());
        if wanted != now.comment {
            changes.push(Change::new("comment", now.comment.clone(), wanted.clone()));
            list.push(comment_on(&args.name, wanted.as_deref()));
            now.comment = wanted;
        }
    }
    let moved = args
        .tablespace
        .as_ref()
        .filter(|place| **place != now.tablespace);
    if let Some(place) = moved {
        need_tablespace(args, look, login)?;
        changes.push(Change::new(
            "tablespace",
            now.tablespace.as_str(),
            place.as_str(),
        ));
        // Last: it cannot be part of a transaction.
        list.push(format!(
            "ALTER DATABASE {name} SET TABLESPACE {}",
            ident(place)
        ));
        now.tablespace.clone_from(place);
    }
    let Some(last) = changes.pop() else {
        return Ok(Vec::new());
    };
    let mut statements = Statements::default();
    for sql in list {
        statements.add(sql);
    }
    let step = statements
        .step(login, moved.is_none())
        .effect(there(login, &args.name, Some(&now)));
    changes.push(last.step(step));
    Ok(changes)
}

/// What the old owner had and gave is the new one's.
fn handed_over(acl: Vec<Right>, old: &str, new: &str) -> Vec<Right> {
    let named = |name: String| if name == old { new.to_owned() } else { name };
    let mut all: BTreeMap<(String, String, String), bool> = BTreeMap::new();
    for right in acl {
        let key = (named(right.to), named(right.by), right.what);
        *all.entry(key).or_default() |= right.grant;
    }
    all.into_iter()
        .map(|((to, by, what), grant)| Right {
            to,
            by,
            what,
            grant,
        })
        .collect()
}
