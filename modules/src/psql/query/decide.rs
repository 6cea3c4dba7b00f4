//! What a query needs: whether it is run at all, and how.

use evenkeel_engine::{
    Cause, Change, Late, Map, NotYet, Plan, Refusal, Rehearsal, Stop, Text, Value,
};

use super::{
    Args, Queries, Read, Reading, Rehearsing,
    fill::{Values, fill, missing, mixed, places},
    lasting::lasting,
    script::{Mode, Session, run, text},
    statement::{Class, Statement, Turn, split},
};
use crate::look::Look;

/// What is to be run.
pub(super) struct Work {
    pub(super) statements: Vec<Statement>,
    secret: bool,
}

impl Work {
    fn has(&self, is: impl Fn(Class) -> bool) -> bool {
        self.statements.iter().any(|one| is(one.class))
    }

    /// Whether nothing but reading can come of it.
    fn is_pure(&self) -> bool {
        self.statements.iter().all(|one| one.pure)
    }
}

/// What a text of SQL holds; of a secret one nothing is shown.
fn plain(text: &Text) -> String {
    String::from_utf8_lossy(text.bytes()).into_owned()
}

fn hidden(text: &Text, why: Refusal) -> Refusal {
    if text.is_secret() {
        Refusal::new("the query, which is secret, cannot be run as it is: it is no SQL, or its values do not fit it")
            .help("keep the secret out of it: put it into `named_args`")
    } else {
        why
    }
}

fn queries(args: &Args) -> Option<&Late<Queries>> {
    args.query.as_ref()
}

/// What is shown of the query, in one line.
pub(super) fn shown(args: &Args) -> String {
    match queries(args) {
        Some(Late::Known(Queries(texts))) => {
            let texts: Vec<&str> = texts.iter().map(Text::shown).collect();
            let words = texts.join("; ");
            words.split_whitespace().collect::<Vec<_>>().join(" ")
        }
        Some(Late::NotYet(what)) => what.to_string(),
        None => String::new(),
    }
}

/// Its beginning, for what is told of it.
fn short(args: &Args) -> String {
    const LONGEST: usize = 80;
    let all = shown(args);
    match all.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &all[..at]),
        None => all,
    }
}

/// The values for the places of a query.
fn values(args: &Args) -> Result<Values<'_>, Stop> {
    match &args.positional_args {
        None => named(args),
        Some(Late::NotYet(what)) => Err(what.clone().into()),
        Some(Late::Known(Value::Seq(items))) => Ok(Values::List(items)),
        Some(Late::Known(_)) => Err(Stop::refused("`positional_args` is no list")),
    }
}

fn named(args: &Args) -> Result<Values<'_>, Stop> {
    match &args.named_args {
        None => Ok(Values::None),
        Some(Late::NotYet(what)) => Err(what.clone().into()),
        Some(Late::Known(Value::Map(map))) => Ok(Values::Named(map)),
        Some(Late::Known(_)) => Err(Stop::refused("`named_args` is no map of names and values")),
    }
}

/// The statements, with their values.
pub(super) fn work(args: &Args) -> Result<Work, Stop> {
    let mut work = Work {
        statements: Vec::new(),
        secret: false,
    };
    let Some(queries) = queries(args) else {
        return Err(Stop::refused("there is no `query`"));
    };
    let values = values(args)?;
    for one in &queries.get()?.0 {
        let filled = fill(&plain(one), values).map_err(|why| match why {
            Stop::Refused(why) => hidden(one, why).into(),
            why @ Stop::NotYet(_) => why,
        })?;
        work.secret |= filled.secret || one.is_secret();
        work.statements
            .extend(split(&filled.sql).map_err(|why| hidden(one, why))?);
    }
    Ok(work)
}

/// What can be said of the arguments before anything is asked.
pub(super) fn check(args: &Args) -> Result<(), Refusal> {
    if args.positional_args.is_some() && args.named_args.is_some() {
        return Err(Refusal::new(
            "`positional_args` and `named_args` exclude each other",
        ));
    }
    let values = match values(args) {
        Ok(values) => Some(values),
        Err(Stop::NotYet(_)) => None,
        Err(Stop::Refused(why)) => return Err(why),
    };
    check_guards(args)?;
    let Some(Late::Known(Queries(texts))) = queries(args) else {
        return Ok(());
    };
    let mut used = 0;
    for one in texts {
        let found = split(&plain(one)).map_err(|why| hidden(one, why))?;
        if found.is_empty() {
            return Err(Refusal::new("a query is empty").help("leave it out"));
        }
        check_turns(&found, args.autocommit)?;
        if let Some(values) = values {
            used += check_places(&plain(one), values).map_err(|why| hidden(one, why))?;
        }
    }
    match values {
        Some(Values::List(list)) if used == 0 && !list.is_empty() => Err(Refusal::new(format!(
            "`positional_args` has {} values, and the query no `%s`",
            list.len()
        ))
        .help("write `%s`, without quotes, where a value is to stand")),
        // A value that cannot be written as SQL.
        _ => match work(args) {
            Err(Stop::Refused(why)) => Err(why),
            _ => Ok(()),
        },
    }
}

/// How many of the values a query takes; it may take none.
fn check_places(sql: &str, values: Values<'_>) -> Result<usize, Refusal> {
    let (count, names) = places(sql, values)?;
    match values {
        Values::List(_) if !names.is_empty() => {
            Err(mixed(&format!("`%({})s`", names[0]), "named_args"))
        }
        Values::Named(_) if count > 0 => Err(mixed("`%s`", "positional_args")),
        Values::List(list) if count > 0 && count != list.len() => Err(Refusal::new(format!(
            "`positional_args` has {} values, and the query {count} `%s`",
            list.len()
        ))
        .help("give a value for each `%s`; a `%` that is meant as it is, is written `%%`")),
        Values::Named(map) => match names.iter().find(|name| !map.contains_key(*name)) {
            Some(name) => Err(missing(name)),
            None => Ok(names.len()),
        },
        _ => Ok(count),
    }
}

/// Whether transactions begin and end where they may.
fn check_turns(all: &[Statement], autocommit: bool) -> Result<(), Refusal> {
    let mut open = false;
    for one in all {
        match one.class {
            Class::Transaction(_) if !autocommit => {
                return Err(Refusal::new(format!(
                    "`{}` in a query that is one transaction in any case",
                    one.verb
                ))
                .help("leave it out, or set `autocommit: true` and begin and end transactions yourself"));
            }
            Class::Transaction(Turn::Begins) => open = true,
            Class::Transaction(Turn::Ends) => open = false,
            _ => {}
        }
    }
    if open {
        return Err(Refusal::new(
            "the query begins a transaction and does not end it: nothing of it would be kept",
        )
        .help("add `COMMIT`"));
    }
    Ok(())
}

/// The guards, each with the statement it is.
fn guards(args: &Args) -> Result<Vec<(&'static str, &String, Reading)>, Stop> {
    let given = [("unless", &args.unless), ("onlyif", &args.onlyif)];
    let all = given
        .into_iter()
        .flat_map(|(name, list)| list.iter().map(move |sql| (name, sql)));
    all.map(|(name, sql)| {
        let filled = fill(sql, named(args)?)?;
        let statements = split(&filled.sql)?;
        let session = session(args, filled.secret);
        Ok((name, sql, reading(&statements, session)))
    })
    .collect()
}

fn check_guards(args: &Args) -> Result<(), Refusal> {
    for (name, list) in [("unless", &args.unless), ("onlyif", &args.onlyif)] {
        for sql in list {
            let all = split(sql)?;
            let reads = |one: &Statement| one.class == Class::Reads && one.answers;
            if all.len() != 1 || !all.iter().all(reads) {
                return Err(Refusal::new(format!(
                    "`{name}: {sql}` is not one query that only reads"
                ))
                .help("write one `SELECT` that gives a row, or none"));
            }
            if let Ok(values @ Values::Named(_)) = named(args) {
                check_places(sql, values)?;
            }
        }
    }
    Ok(())
}

/// Who runs statements, and where.
fn session(args: &Args, secret: bool) -> Session<'_> {
    Session {
        login: args.login(),
        search_path: &args.search_path,
        secret,
    }
}

/// Statements that are run where they can only read.
fn reading(statements: &[Statement], session: Session<'_>) -> Reading {
    Reading {
        text: text(statements, &session, Mode::Read),
        login: session.login,
        secret: session.secret,
        calls: !statements.iter().all(|one| one.pure),
    }
}

/// The query as a question, if nothing but reading can come of it.
pub(super) fn question(args: &Args, work: &Work) -> Option<Reading> {
    work.is_pure()
        .then(|| reading(&work.statements, session(args, work.secret)))
}

/// Whether nothing but reading can come of the query, as far as is known.
pub(super) fn only_reads(args: &Args) -> bool {
    work(args).is_ok_and(|work| work.is_pure())
}

/// Which guard says that nothing is to be run, and in what words.
pub(super) fn rests(args: &Args, look: &Look<'_>) -> Result<Option<(&'static str, String)>, Stop> {
    if look.seen().is_called() {
        return Ok(None);
    }
    let guards = guards(args)?;
    for (.., question) in &guards {
        look.ask(question);
    }
    let mut unknown = None;
    for (name, sql, question) in guards {
        let yes = match look.get(&question) {
            Ok(Read::Sets(sets)) => sets.first().is_some_and(super::Set::says_yes),
            Ok(Read::Wrong(why)) => {
                let what = format!("what `{name}: {sql}` answers (PostgreSQL says: {why})");
                unknown = unknown.or(Some(NotYet::new(what)));
                continue;
            }
            Err(what) => {
                unknown = unknown.or(Some(what));
                continue;
            }
        };
        // One guard that says no decides, whatever the others would say.
        if yes == (name == "unless") {
            let verb = if yes { "says yes" } else { "says no" };
            return Ok(Some((name, format!("`{sql}` {verb}"))));
        }
    }
    unknown.map_or(Ok(None), |what| Err(what.into()))
}

/// What is to be done.
pub(super) fn plan(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let work = work(args);
    // All that can be asked at once is.
    let question = work.as_ref().ok().and_then(|work| question(args, work));
    if let Some(question) = &question {
        look.ask(question);
    }
    if let Some((guard, _)) = rests(args, look)? {
        return Ok(Plan::guarded(guard));
    }
    let work = work?;
    if let Some(question) = &question
        && let Read::Sets(_) = look.get(question)?
    {
        return Ok(Plan::nothing());
    }
    let acts = work.has(|class| class == Class::Acts);
    let counts = work.has(|class| class == Class::Counts);
    let mode = if args.autocommit {
        Mode::Apart
    } else {
        Mode::Whole
    };
    let session = session(args, work.secret);
    let limit = (args.long, args.timeout);
    let idle = counts && !acts;
    let run = run(
        text(&work.statements, &session, mode),
        &session,
        idle,
        limit,
    );
    let rehearsal = rehearsal(&work.statements, &session, mode, idle);
    let cause = match (args.unless.is_empty(), args.onlyif.is_empty()) {
        _ if !acts && !counts => Cause::Asks,
        (false, _) => Cause::Guard("unless"),
        (_, false) => Cause::Guard("onlyif"),
        _ => Cause::Unguarded,
    };
    let what = format!("run `{}`", short(args));
    let change = Change::new(what, Value::Null, Value::Null);
    Ok(Plan::from(change.step(run).because(cause)).rehearsal(rehearsal))
}

/// How it can be told what the statements would do: they run, and are taken back.
fn rehearsal(all: &[Statement], session: &Session<'_>, mode: Mode, idle: bool) -> Rehearsal {
    if mode == Mode::Apart {
        return Rehearsal::none(
            "what the query does: with `autocommit` nothing of it could be taken back",
        );
    }
    match all.iter().find_map(lasting) {
        Some(why) => Rehearsal::none(format!("what the query does: {why}")),
        None => Rehearsal::new(Rehearsing {
            text: text(all, session, Mode::Rehearse),
            login: session.login.clone(),
            secret: session.secret,
            idle,
        }),
    }
}

/// What another module keeps as it should be, by the words that a statement begins with.
const BETTER: [(&[&str], &str); 10] = [
    (&["GRANT"], "psql-privs"),
    (&["REVOKE"], "psql-privs"),
    (&["ALTER", "DEFAULT", "PRIVILEGES"], "psql-privs"),
    (&["ALTER", "SYSTEM"], "psql-set"),
    (&["CREATE", "ROLE"], "psql-user"),
    (&["CREATE", "USER"], "psql-user"),
    (&["ALTER", "ROLE"], "psql-user"),
    (&["ALTER", "USER"], "psql-user"),
    (&["CREATE", "DATABASE"], "psql-db"),
    (&["CREATE", "EXTENSION"], "psql-ext"),
];

/// What is most likely not meant.
pub(super) fn doubts(args: &Args) -> Vec<Refusal> {
    let mut all = Vec::new();
    if args.encoding.is_some() {
        all.push(
            Refusal::new("`encoding` has no effect: all goes to the server as UTF-8, and it knows what it keeps")
                .help("leave it out"),
        );
    }
    let Some(Late::Known(Queries(texts))) = queries(args) else {
        return all;
    };
    if args.unless.is_empty() && args.onlyif.is_empty() {
        for one in texts.iter().filter(|text| !text.is_secret()) {
            for statement in split(&plain(one)).unwrap_or_default() {
                all.extend(better(&statement));
            }
        }
    }
    if let Some(Late::Known(Value::Map(map))) = &args.named_args {
        all.extend(unused(map, texts, args));
    }
    all
}

fn better(statement: &Statement) -> Option<Refusal> {
    let words: Vec<String> = statement
        .sql
        .split_whitespace()
        .take(3)
        .map(str::to_ascii_uppercase)
        .collect();
    let (begin, module) = BETTER.iter().find(|(begin, _)| {
        words.len() >= begin.len() && words.iter().zip(*begin).all(|(a, b)| a == b)
    })?;
    let what = format!(
        "`{}` runs each time, and is told as changed each time",
        begin.join(" ")
    );
    let help =
        format!("use `{module}`, which looks first; or say in `unless` when it need not run");
    Some(Refusal::new(what).help(help))
}

fn unused(map: &Map, texts: &[Text], args: &Args) -> Option<Refusal> {
    let all = texts
        .iter()
        .map(plain)
        .chain(args.unless.iter().cloned())
        .chain(args.onlyif.iter().cloned());
    let mut used: Vec<String> = Vec::new();
    for sql in all {
        used.extend(places(&sql, Values::Named(map)).ok()?.1);
    }
    let name = map.keys().find(|name| !used.contains(name))?;
    Some(
        Refusal::new(format!("`named_args`: nothing asks for `{name}`")).help(format!(
            "write `%({name})s`, without quotes, where it is to stand"
        )),
    )
}
