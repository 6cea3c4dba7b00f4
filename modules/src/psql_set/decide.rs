//! What differs of settings, and the statements that close it.

use std::collections::BTreeMap;

use evenkeel_engine::{Change, Effect, NotYet, Plan, Refusal, Seen, Stop, Text};

use super::{Args, Now, Output, Wish, value};
use crate::{
    look::Look,
    psql::{self, Login, Question, Server, Setting, Sql, Told, guc, step::Statements},
};

fn asked(login: &Login, question: Question) -> Sql {
    Sql {
        login: login.clone(),
        question,
    }
}

fn setting(look: &Look<'_>, login: &Login, name: &str) -> Result<Option<Setting>, Stop> {
    psql::get(look, login, Question::Setting(name.to_owned())).map_err(|stop| match stop {
        Stop::Refused(why) if why.message.contains("permission denied") => why
            .help("log in as a superuser (`become_user: postgres`)")
            .into(),
        stop => stop,
    })
}

/// Decides.
pub(super) fn plan(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let login = args.login();
    let wishes = args.wishes();
    // All are asked before one of them is needed.
    for wish in &wishes {
        look.ask(&asked(&login, Question::Setting(wish.name.to_owned())));
    }
    look.ask(&asked(&login, Question::Unread));
    let server: Server = psql::get(look, &login, Question::Server)?;
    let (mut plan, mut statements) = (Plan::nothing(), Statements::default());
    let (mut effects, mut waiting) = (Vec::new(), Vec::new());
    for wish in &wishes {
        let now = setting(look, &login, wish.name)?;
        let now = now.ok_or_else(|| unknown(wish.name, &server))?;
        if let Some(change) = differs(wish, &now, &mut statements)? {
            plan.changes.push(change);
            effects.push(then(&login, wish, now));
        } else if now.pending {
            waiting.push(format!("`{}`", wish.name));
        }
    }
    let unread: bool = psql::get(look, &login, Question::Unread)?;
    if !waiting.is_empty() {
        plan.warnings.push(format!(
            "the server waits for a restart with {}",
            waiting.join(", ")
        ));
    }
    if plan.changes.is_empty() && !unread {
        return Ok(plan);
    }
    writable(&login, &server)?;
    if plan.changes.is_empty() {
        plan.changes
            .push(Change::new("read by the server", false, true));
    }
    statements.reload("");
    let mut step = statements.step(&login, false);
    step = step.effect(Effect::new(
        asked(&login, Question::Unread),
        Told::of(false),
    ));
    for effect in effects {
        step = step.effect(effect);
    }
    if let Some(last) = plan.changes.pop() {
        plan.changes.push(last.step(step));
    }
    Ok(plan)
}

/// Settings can be changed on a standby too.
fn writable(login: &Login, server: &Server) -> Result<(), Stop> {
    if server.superuser {
        return Ok(());
    }
    let role = login.role.as_ref().unwrap_or(&login.user);
    let what = format!("`{role}` may not change settings of {}", login.server());
    Err(Refusal::new(what)
        .help("log in as a superuser (`become_user: postgres`)")
        .into())
}

fn unknown(name: &str, server: &Server) -> Stop {
    if name.contains('.') {
        let what = "(the library it is of must be loaded first: `shared_preload_libraries`, and a restart)";
        return NotYet(format!("the setting `{name}` {what}")).into();
    }
    let release = server.version / 10_000;
    Refusal::new(format!(
        "there is no setting `{name}` in PostgreSQL {release}"
    ))
    .help("correct its name; `SHOW ALL` lists those of this server")
    .into()
}

/// What the files say, or else the default.
fn filed(setting: &Setting) -> Option<String> {
    setting.altered.clone().or_else(|| beneath(setting))
}

/// The same without `ALTER SYSTEM`.
fn beneath(setting: &Setting) -> Option<String> {
    setting.below.clone().or_else(|| setting.default.clone())
}

fn text(value: &Text) -> String {
    String::from_utf8_lossy(value.bytes()).into_owned()
}

/// What differs of one.
fn differs(
    wish: &Wish<'_>,
    now: &Setting,
    statements: &mut Statements,
) -> Result<Option<Change>, Stop> {
    let before = filed(now);
    let name = guc::name(&now.name);
    let change = match wish.value {
        None if now.altered.is_none() => return Ok(None),
        None => {
            statements.add(format!("ALTER SYSTEM RESET {name}"));
            Change::new(now.name.as_str(), before, beneath(now))
        }
        Some(wanted) => {
            let plain = text(wanted);
            if before
                .as_deref()
                .is_some_and(|before| value::same(now, before, &plain))
            {
                return Ok(None);
            }
            value::check(now, &plain)?;
            let value = guc::value(&now.name, &plain);
            statements.add(format!("ALTER SYSTEM SET {name} = {value}"));
            Change::new(now.name.as_str(), before, plain)
        }
    };
    if now.context == "internal" {
        let what = format!(
            "`{}` is a fact of the server, which cannot be set",
            now.name
        );
        return Err(Stop::refused(what));
    }
    if now.fixed {
        let what = format!(
            "`{}` is set on the command line of the server, which goes before what its files say",
            now.name
        );
        return Err(Refusal::new(what)
            .help("take it away there (the options of its unit)")
            .into());
    }
    Ok(Some(change))
}

/// The setting afterwards.
fn then(login: &Login, wish: &Wish<'_>, mut now: Setting) -> Effect {
    let probe = asked(login, Question::Setting(wish.name.to_owned()));
    let open = |probe| Effect::unknown(probe, "what the server makes of the setting");
    now.altered = wish.value.map(|value| guc::stored(&now.name, &text(value)));
    match pending(&now) {
        Some(pending) => {
            now.pending = pending;
            Effect::new(probe, Told::of(Some(now)))
        }
        None => open(probe),
    }
}

/// Whether the server waits for a restart once it has read this.
fn pending(then: &Setting) -> Option<bool> {
    let Some(running) = &then.running else {
        return Some(false);
    };
    let filed = then.altered.as_ref().or(then.below.as_ref())?;
    match then.kind.as_str() {
        "string" => Some(running != filed),
        // Other names of a word are not told.
        "enum" => {
            let words = then.words.as_ref()?;
            let known = words.iter().any(|word| word.eq_ignore_ascii_case(filed));
            known.then(|| !value::same(then, running, filed))
        }
        // Often it stands for a number that the server finds itself.
        "integer" if filed.trim() == "-1" => None,
        _ => Some(!value::same(then, running, filed)),
    }
}

/// The result, of what is there afterwards.
pub(super) fn output(args: &Args, after: &Seen, said: Vec<String>) -> Result<Output, Stop> {
    let (look, login) = (Look::new(after), args.login());
    let mut settings = BTreeMap::new();
    for wish in args.wishes() {
        let Some(now) = setting(&look, &login, wish.name)? else {
            continue;
        };
        let one = Now {
            value: filed(&now),
            restart_required: now.pending,
            context: now.context,
        };
        settings.insert(wish.name.to_owned(), one);
    }
    Ok(Output {
        name: args.name.clone(),
        restart_required: settings.values().any(|one| one.restart_required),
        settings,
        executed_commands: said,
    })
}
