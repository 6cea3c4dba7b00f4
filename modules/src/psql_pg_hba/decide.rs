//! What differs of the file, and whether the server has read it.

use evenkeel_engine::{
    Change, Effect, MASK, Plan, Refusal, Seen, Stop, hex,
    probes::{Contents, Stat},
};

use super::{
    Args, Output, PLACES, Row,
    edit::{Edited, Told, edit},
    line::{Line, What},
};
use crate::{
    attributes::{Attributes, Wanted},
    look::Look,
    paths,
    psql::{self, Hba, Question, Sql, reload, step::Statements},
    rewrite::{Missing, Rewrite},
};

impl Args {
    /// Whether the server is asked.
    pub(super) fn asks(&self) -> bool {
        self.dest.is_none() || self.reloads()
    }

    /// Whether the server reads the file again.
    fn reloads(&self) -> bool {
        self.reload.unwrap_or(self.dest.is_none())
    }

    pub(super) fn rewrite<'a>(&'a self, path: &'a str, secret: bool) -> Rewrite<'a> {
        Rewrite {
            missing: if self.create {
                Missing::Create
            } else {
                Missing::Wait
            },
            wanted: Wanted {
                owner: self.owner.as_deref(),
                group: self.group.as_deref(),
                mode: self.mode.as_ref(),
            },
            backup: self.backup,
            secret,
            ..Rewrite::new(path)
        }
    }

    fn asked(&self) -> Sql {
        Sql {
            login: self.login(),
            question: Question::Hba,
        }
    }

    /// Whether only the text matters.
    fn is_bare(&self) -> bool {
        self.owner.is_none() && self.group.is_none() && self.mode.is_none()
    }
}

/// The file as the server sees it.
fn hba(args: &Args, look: &Look<'_>) -> Result<Hba, Stop> {
    psql::get(look, &args.login(), Question::Hba).map_err(|stop| match stop {
        Stop::Refused(refusal) if refusal.message.contains("permission denied") => refusal
            .help("log in as a superuser (`become_user: postgres`), or give `dest` and `reload: false`")
            .into(),
        stop => stop,
    })
}

/// The bytes that hexadecimal digits say.
fn bytes(text: &str) -> Vec<u8> {
    let digit = |byte: u8| {
        (byte as char)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
            .unwrap_or(0)
    };
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
        .collect()
}

/// Decides.
pub(super) fn plan(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    if args.asks() {
        look.ask(&args.asked());
    }
    let (mut plan, edited, path, seen) = if let Some(path) = &args.dest {
        // All is asked in the same round.
        let (plan, edited) = file(args, look, path, None)?;
        let seen = if args.asks() {
            Some(hba(args, look)?)
        } else {
            None
        };
        (plan, edited, path.clone(), seen)
    } else {
        let seen = hba(args, look)?;
        let path = usual(&seen.path)?;
        let known = seen.text.as_deref().filter(|_| args.is_bare()).map(bytes);
        let (plan, edited) = file(args, look, &path, known.as_deref())?;
        (plan, edited, path, Some(seen))
    };
    plan.warnings.extend(edited.warnings.iter().cloned());
    if args.order.is_some() {
        let why = "`order` has no effect: lines stay where they are, and a new one comes before the \
                   first that would hide it";
        plan.warnings.push(why.to_owned());
    }
    if let Some(seen) = seen {
        server(args, look, &mut plan, &path, &seen, &edited);
    }
    Ok(plan)
}

/// What differs of the file. If its text is known, and as it should be, the file is not looked at.
fn file(
    args: &Args,
    look: &Look<'_>,
    path: &str,
    known: Option<&[u8]>,
) -> Result<(Plan, Edited), Stop> {
    let wishes = args.wishes()?;
    let secret = wishes.iter().any(|wish| wish.secret);
    let mut edited = Edited::default();
    let mut edits = |before: &[u8]| -> Result<Option<Vec<u8>>, Stop> {
        edited = edit(before, &wishes, args.overwrite).map_err(|why| Refusal {
            message: format!("`{path}`: {}", why.message),
            ..why
        })?;
        Ok(Some(edited.text.clone()).filter(|text| text != before))
    };
    if let Some(text) = known
        && edits(text)?.is_none()
    {
        return Ok((Plan::nothing(), edited));
    }
    let mut plan = args.rewrite(path, secret).plan(look, edits)?;
    told(&mut plan, &edited);
    Ok((plan, edited))
}

/// A path that the order of tasks knows of.
fn usual(path: &str) -> Result<String, Stop> {
    let below = |dir: &&str| {
        path.strip_prefix(*dir)
            .is_some_and(|rest| rest.starts_with('/'))
    };
    if PLACES.iter().any(below) {
        return Ok(path.to_owned());
    }
    let what =
        format!("the server keeps its rules in `{path}`, which is not where packages put them");
    Err(Refusal::new(what)
        .help(format!("say `dest: {path}`, and `reload: true`"))
        .into())
}

/// Each rule that differs, behind the one change that writes the file.
fn told(plan: &mut Plan, edited: &Edited) {
    let Some(at) = plan
        .changes
        .iter()
        .position(|change| change.what == "content")
    else {
        return;
    };
    let shown = |text: &Option<String>, secret: bool| {
        text.as_ref().map(|text| {
            if secret {
                MASK.to_owned()
            } else {
                text.clone()
            }
        })
    };
    let change = |told: &Told| {
        Change::new(
            "rule",
            shown(&told.before, told.secret),
            shown(&told.after, told.secret),
        )
    };
    let at = at + 1;
    plan.changes.splice(at..at, edited.told.iter().map(change));
}

/// What the server sees then, and its turn to read it.
fn server(args: &Args, look: &Look<'_>, plan: &mut Plan, path: &str, seen: &Hba, edited: &Edited) {
    let login = args.login();
    let asked = args.asked();
    let written = plan
        .changes
        .iter_mut()
        .find(|change| change.what == "content");
    let is_written = written.is_some();
    // With `dest` it may be another file.
    let its_own = path == seen.path || paths::follow(path, look).is_ok_and(|end| end == seen.path);
    let mut then = seen.clone();
    if is_written && its_own {
        then.text = Some(hex(&edited.text));
    }
    let told = |unread| {
        psql::Told::of(Hba {
            unread,
            ..then.clone()
        })
    };
    if let Some(step) = written
        .and_then(|change| change.steps.last_mut())
        .filter(|_| its_own)
    {
        step.effects.push(Effect::new(asked.clone(), told(true)));
    }
    if args.reloads() && (is_written || seen.unread) {
        let mut statements = Statements::default();
        statements.reload(reload::RULES_ARE_RIGHT);
        let step = statements
            .step(&login, false)
            .effect(Effect::new(asked, told(false)));
        plan.changes
            .push(Change::new("read by the server", false, true).step(step));
    }
}

/// The rules that are there afterwards.
pub(super) fn output(args: &Args, after: &Seen) -> Result<Output, Stop> {
    let look = Look::new(after);
    let (path, text) = if let Some(path) = &args.dest {
        let end = paths::follow(&paths::absolute(path, &look)?, &look)?;
        let text = look.get(&Contents(end))?.clone();
        (path.clone(), text)
    } else {
        let seen = hba(args, &look)?;
        (seen.path, seen.text.as_deref().map(bytes))
    };
    let text = text.unwrap_or_default();
    let stat = after.get(&Stat(path.clone())).ok().and_then(Option::as_ref);
    let rows = Line::all(&text)
        .into_iter()
        .filter_map(|line| match line.what {
            What::Rule(rule, _) => Some(row(&rule)),
            _ => None,
        });
    Ok(Output {
        pg_hba: rows.collect(),
        attributes: Attributes::of(stat),
        path,
    })
}

fn row(rule: &super::line::Rule) -> Row {
    let list = |tokens: &[super::line::Token]| {
        tokens
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(",")
    };
    let option = |token: &super::line::Token| match token.text.split_once('=') {
        Some((name, _)) if name.contains("passwd") || name.contains("secret") => {
            format!("{name}={MASK}")
        }
        _ => token.to_string(),
    };
    Row {
        kind: rule.kind.word().to_owned(),
        db: list(&rule.databases),
        usr: list(&rule.users),
        src: rule.source.to_string(),
        method: rule.method.clone(),
        options: rule
            .options
            .iter()
            .map(option)
            .collect::<Vec<_>>()
            .join(" "),
    }
}
