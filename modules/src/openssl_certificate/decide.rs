//! What differs from the key and the certificate that are wanted.

use evenkeel_engine::{
    Action, Cause, Change, Effect, NotYet, Plan, Refusal, Stop, Value,
    probes::{Kind as Is, Stat, Whoami},
};

use super::{
    Args, CertificateFile, Facts, Kept, KeyFile, Pair, State,
    made::{Leftover, Made, Place, beside, genpkey, place, req},
    wish::{self, Wish},
};
use crate::{
    attributes::{self, Wanted},
    look::Look,
    mode::{Mode, UMASK},
    paths,
};

pub(super) fn decide(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let path = paths::absolute(&args.path, look)?;
    let key = paths::absolute(&args.key, look)?;
    if args.state == State::Absent {
        return absent(look, &path, &key);
    }
    let (certificate, private) = (place(look, &path), place(look, &key));
    let mode = Mode::bits(0o600);
    args.wanted().ask(look);
    args.wanted_of_key(&mode).ask(look);
    let pair = Pair {
        path,
        key,
        within: u64::from(args.renew_before()) * 86_400,
    };
    let now = look.get(&pair);
    let (certificate, private, now) = (certificate?, private?, now?);
    refuse(&pair, now, look)?;
    for place in [&certificate, &private] {
        if place.stat.is_none() {
            attributes::parent_exists(look, &place.path)?;
        }
    }
    let wish = Wish::of(args)?;
    let new = key_differs(args, &wish, now);
    let remade = new.is_some();
    let mut changes = if let Some((before, cause)) = new {
        let change = Change::new("key", before, wish.kind.shown()).because(cause);
        let made = Made {
            run: genpkey(&wish.kind),
            wanted: args.wanted_of_key(&mode),
            new_mode: 0o600,
            effect: Effect::new(pair.clone(), with_a_new_key(&wish, now)),
        };
        vec![made.change(look, &private, change)?]
    } else {
        let named = |change: Change| Change {
            what: format!("key {}", change.what),
            ..change
        };
        kept(look, &private, args.wanted_of_key(&mode))?
            .map(named)
            .collect()
    };
    let differs = differences(args, &wish.facts, now, remade);
    if differs.is_empty() {
        changes.extend(kept(look, &certificate, args.wanted())?);
        return Ok(changes.into());
    }
    let cause = if args.force {
        Cause::Act
    } else {
        Cause::Differs
    };
    let mut told: Vec<Change> = differs
        .into_iter()
        .map(|(what, before, after)| Change::new(what, before, after).because(cause))
        .collect();
    if let Some(stat) = certificate.stat {
        let attributes = args.wanted().differences(look, stat)?;
        told.extend(attributes.into_iter().map(attributes::Difference::change));
    }
    if let Some(last) = told.pop() {
        changes.append(&mut told);
        let kept = Kept {
            key: KeyFile::Key(wish.kind.clone()),
            certificate: CertificateFile::Certificate(wish.facts.clone()),
        };
        let made = Made {
            run: req(args, &wish, &private.path),
            wanted: args.wanted(),
            new_mode: 0o666 & !UMASK,
            effect: Effect::new(pair, kept),
        };
        changes.push(made.change(look, &certificate, last)?);
    }
    Ok(changes.into())
}

/// What there is as soon as a new key is in its place: no certificate is of that key.
fn with_a_new_key(wish: &Wish, now: &Kept) -> Kept {
    let certificate = match &now.certificate {
        CertificateFile::Certificate(facts) => CertificateFile::Certificate(Facts {
            fits: false,
            ..facts.clone()
        }),
        other => other.clone(),
    };
    Kept {
        key: KeyFile::Key(wish.kind.clone()),
        certificate,
    }
}

fn absent(look: &Look<'_>, path: &str, key: &str) -> Result<Plan, Stop> {
    let mut changes = Vec::new();
    for path in [path, key] {
        look.ask(&Stat(path.to_owned()));
        look.ask(&Stat(beside(path)));
    }
    for (what, path) in [("certificate", path), ("key", key)] {
        for (what, path) in [(what, path.to_owned()), ("leftover", beside(path))] {
            let Some(stat) = look.get(&Stat(path.clone()))? else {
                continue;
            };
            if stat.kind == Is::Directory {
                return Err(Stop::refused(format!("`{path}` is a directory")));
            }
            let change = Change::new(what, path.clone(), None::<String>);
            changes.push(change.step(Action::Remove { path }));
        }
    }
    Ok(changes.into())
}

/// What is there and must not be lost, or cannot be known.
fn refuse(pair: &Pair, now: &Kept, look: &Look<'_>) -> Result<(), Stop> {
    let (path, key) = (&pair.path, &pair.key);
    let denied = |path: &str| -> Stop {
        let me = look
            .get(&Whoami)
            .map_or("this user", |me| me.account.name.as_str());
        Refusal::new(format!("`{path}` cannot be read by `{me}`"))
            .help("with `become: true` it can")
            .into()
    };
    match &now.key {
        KeyFile::Denied => return Err(denied(key)),
        KeyFile::Encrypted => {
            return Err(
                Refusal::new(format!("the key `{key}` has a passphrase: it is not replaced"))
                    .help(format!(
                        "take the passphrase off (`openssl pkey -in {key} -out NEW`), name another file, or remove it"
                    ))
                    .into(),
            );
        }
        KeyFile::Other => {
            return Err(
                Refusal::new(format!("`{key}` holds no private key: it is not replaced"))
                    .help("name another file, or remove it")
                    .into(),
            );
        }
        KeyFile::Absent | KeyFile::Damaged | KeyFile::Key(_) => {}
    }
    match &now.certificate {
        CertificateFile::Denied => Err(denied(path)),
        CertificateFile::Key => Err(Refusal::new(format!(
            "`{path}` holds a private key: it is not replaced by a certificate"
        ))
        .help("`path` is the certificate, `key` the private key")
        .into()),
        CertificateFile::Other => Err(Refusal::new(format!(
            "`{path}` holds no certificate: it is not replaced"
        ))
        .help("name another file, or remove it")
        .into()),
        CertificateFile::Absent | CertificateFile::Damaged | CertificateFile::Certificate(_) => {
            Ok(())
        }
    }
}

/// What a key is that has to be made anew, and why.
fn key_differs(args: &Args, wish: &Wish, now: &Kept) -> Option<(Value, Cause)> {
    match &now.key {
        KeyFile::Key(kind) if *kind != wish.kind => Some((kind.shown().into(), Cause::Differs)),
        KeyFile::Key(kind) if args.force => Some((kind.shown().into(), Cause::Act)),
        KeyFile::Key(_) => None,
        KeyFile::Damaged => Some(("damaged".into(), Cause::Differs)),
        _ => Some((Value::Null, Cause::Differs)),
    }
}

/// A difference: what, before, after.
type Differs = (&'static str, Value, Value);

/// Why a certificate has to be made anew.
fn differences(args: &Args, wish: &Facts, now: &Kept, remade: bool) -> Vec<Differs> {
    let text = |text: &str| Value::from(text);
    let facts = match &now.certificate {
        CertificateFile::Certificate(facts) => facts,
        CertificateFile::Damaged => {
            return vec![("certificate", text("damaged"), subject(wish))];
        }
        _ => return vec![("certificate", Value::Null, subject(wish))],
    };
    let mut differs = Vec::new();
    let mut differ = |differing: bool, what, before: Value, after: Value| {
        if differing {
            differs.push((what, before, after));
        }
    };
    let fits = facts.fits && !remade;
    differ(
        !fits,
        "certificate",
        text("of another key"),
        text("of the key"),
    );
    differ(!facts.own, "issuer", text("another"), text("itself"));
    differ(
        facts.subject != wish.subject,
        "subject",
        subject(facts),
        subject(wish),
    );
    for (what, before, after) in [
        ("names", &facts.names, &wish.names),
        ("usage", &facts.usage, &wish.usage),
        ("extended usage", &facts.extended, &wish.extended),
    ] {
        let list = |set: &std::collections::BTreeSet<String>| -> Value {
            Value::Seq(set.iter().map(|name| name.as_str().into()).collect())
        };
        differ(before != after, what, list(before), list(after));
    }
    differ(
        facts.is_ca != wish.is_ca,
        "is_ca",
        facts.is_ca.into(),
        wish.is_ca.into(),
    );
    let digest = |facts: &Facts| Value::from(facts.digest.clone());
    // Another kind of key has another digest anyway.
    differ(
        facts.digest != wish.digest && fits,
        "digest",
        digest(facts),
        digest(wish),
    );
    let ends = format!("ends within {} days", args.renew_before());
    let holds = format!("holds {} days", args.days());
    differ(facts.ends, "validity", text(&ends), text(&holds));
    differs
}

/// `O=Example, CN=host`, for people.
fn subject(facts: &Facts) -> Value {
    let entries = facts
        .subject
        .iter()
        .map(|(number, value)| format!("{}={value}", wish::called(number)));
    entries.collect::<Vec<_>>().join(", ").into()
}

/// What differs around a file whose content stays.
fn kept(
    look: &Look<'_>,
    place: &Place<'_>,
    wanted: Wanted<'_>,
) -> Result<impl Iterator<Item = Change>, NotYet> {
    let mut changes = match place.stat {
        Some(stat) => wanted.changes(look, &place.path, stat)?,
        None => Vec::new(),
    };
    if place.leftover == Leftover::There {
        let path = beside(&place.path);
        let change = Change::new("leftover", path.clone(), None::<String>);
        changes.push(change.step(Action::Remove { path }));
    }
    Ok(changes.into_iter())
}
