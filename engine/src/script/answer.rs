//! Reading what a script printed. Nothing in it is believed without its nonce.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    SetUp,
    build::who_of,
    denied::{self, Denied},
    sections::as_root,
    wire::Received,
};
use crate::{
    host::{
        Exchange, HostError, LedgerPlace, LedgerText, LongStep, Op, OpResult, Over, Recall, Reply,
        StepEnd,
    },
    identity::Identity,
    late::NotYet,
    probe::{Answer, AnyProbe, Probes},
    step::Done,
};

/// A part of an answer: the words after the nonce, and all up to the next part.
struct Part<'a> {
    words: Vec<&'a str>,
    body: &'a [u8],
}

/// Cuts an answer into parts. What stands before the first is noise.
fn parts<'a>(output: &'a [u8], nonce: &str) -> Vec<Part<'a>> {
    let mark = [b"\n", nonce.as_bytes(), b" "].concat();
    let mut starts = Vec::new();
    let mut from = 0;
    while let Some(found) = find(&output[from..], &mark) {
        starts.push(from + found);
        from += found + mark.len();
    }
    let mut parts = Vec::new();
    for (index, start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(output.len());
        let whole = &output[start + mark.len()..end];
        // A part whose line is cut off is none.
        let Some(line) = whole.iter().position(|byte| *byte == b'\n') else {
            continue;
        };
        let Ok(text) = std::str::from_utf8(&whole[..line]) else {
            continue;
        };
        parts.push(Part {
            words: text.split(' ').filter(|word| !word.is_empty()).collect(),
            body: &whole[line + 1..],
        });
    }
    parts
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = haystack[from..].iter().position(|b| *b == needle[0]) {
        if haystack[from + at..].starts_with(needle) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

/// What one operation printed, before its answers are read.
#[derive(Default)]
struct Found<'a> {
    groups: BTreeMap<usize, (&'a [u8], Option<i32>)>,
    ledger: BTreeMap<&'a str, &'a [u8]>,
    guard: Option<&'a str>,
    wrote: bool,
    begun: bool,
    did: Vec<&'a str>,
    out: &'a [u8],
    err: &'a [u8],
    awaited: bool,
    long: BTreeMap<&'a str, Long<'a>>,
    barred: Option<Denied>,
}

#[derive(Default)]
struct Long<'a> {
    words: Vec<&'a str>,
    out: &'a [u8],
    err: &'a [u8],
}

/// Reads the answer to an exchange.
pub(super) fn read(
    setup: &SetUp,
    exchange: &Exchange,
    groups: &BTreeMap<usize, Vec<Vec<usize>>>,
    received: &Received,
) -> Result<Reply, HostError> {
    let parts = parts(&received.stdout, &setup.nonce);
    let count = exchange.ops.len() + exchange.tail.len();
    let mut found: Vec<Found<'_>> = (0..count).map(|_| Found::default()).collect();
    let mut serial = None;
    for part in &parts {
        match part.words[..] {
            ["held"] => return Ok(Reply::Held(shown(part.body))),
            ["stale"] => return Ok(Reply::Stale),
            ["sick"] => return Err(sick(part.body)),
            ["denied", status] => {
                return Err(denied(&exchange.place, status, part.body));
            }
            ["fin", number] => serial = number.parse().ok(),
            ["barred", from, to, status] => {
                let (Ok(from), Ok(to)) = (from.parse::<usize>(), to.parse::<usize>()) else {
                    continue;
                };
                let after = to.saturating_add(1);
                let who = exchange.ops.iter().chain(&exchange.tail).nth(from);
                let who = who.and_then(who_of).cloned().unwrap_or_default();
                let why = denied::explain(&who, status.parse().unwrap_or(1), &shown(part.body));
                for found in found.iter_mut().take(after).skip(from) {
                    found.barred = Some(why.clone());
                }
            }
            [verb, op, ref rest @ ..] => {
                if let Some(found) = op.parse::<usize>().ok().and_then(|op| found.get_mut(op)) {
                    note(found, verb, rest, part.body);
                }
            }
            _ => {}
        }
    }
    let Some(serial) = serial else {
        return Err(cut_off(received, parts.is_empty()));
    };
    let mut results = Vec::with_capacity(count);
    let all = exchange.ops.iter().chain(&exchange.tail);
    let mut acted = false;
    for (at, (op, found)) in all.zip(&found).enumerate() {
        if let (Op::Step { who, .. }, Some(why), false) = (op, &found.barred, acted) {
            return Err(why.clone().of(who));
        }
        acted |= found.begun;
        results.push(result(op, found, groups.get(&at)));
    }
    let tail = results.split_off(exchange.ops.len());
    Ok(Reply::Ran {
        ops: results,
        tail,
        serial,
    })
}

/// Reads the answer to a call of `stop`.
pub(super) fn stopped(
    setup: &SetUp,
    place: &LedgerPlace,
    received: &Received,
) -> Result<(), HostError> {
    let parts = parts(&received.stdout, &setup.nonce);
    for part in &parts {
        match part.words[..] {
            ["fin", _] => return Ok(()),
            ["sick"] => return Err(sick(part.body)),
            ["denied", status] => return Err(denied(place, status, part.body)),
            _ => {}
        }
    }
    Err(cut_off(received, parts.is_empty()))
}

/// The nonce and the questions of an exchange.
pub(super) type Sendings = (String, BTreeMap<usize, Vec<Vec<usize>>>);

/// Reads what became of an exchange whose answer was lost. Its record has the form of an answer.
pub(super) fn recalled(
    setup: &SetUp,
    lost: &Exchange,
    (lost_nonce, groups): &Sendings,
    received: &Received,
) -> Result<Recall, HostError> {
    let parts_of_this = parts(&received.stdout, &setup.nonce);
    let (mut recall, mut whole) = (None, false);
    for part in &parts_of_this {
        match part.words[..] {
            ["sick"] => return Err(sick(part.body)),
            ["denied", status] => return Err(denied(&lost.place, status, part.body)),
            ["fin"] => whole = true,
            ["never"] => recall = Some(Recall::Never),
            ["going"] => recall = Some(Recall::Going),
            ["over", same] => {
                let record = parts(&received.stdout, lost_nonce);
                recall = Some(Recall::Over(over(lost, groups, &record, same == "0")));
            }
            _ => {}
        }
    }
    match recall.filter(|_| whole) {
        Some(recall) => Ok(recall),
        None => Err(cut_off(received, parts_of_this.is_empty())),
    }
}

fn over(
    lost: &Exchange,
    groups: &BTreeMap<usize, Vec<Vec<usize>>>,
    record: &[Part<'_>],
    restarted: bool,
) -> Over {
    let mut found: Vec<Found<'_>> = lost.ops.iter().map(|_| Found::default()).collect();
    let mut ended = false;
    for part in record {
        match part.words[..] {
            ["end"] => ended = true,
            [verb, op, ref rest @ ..] => {
                if let Some(found) = op.parse::<usize>().ok().and_then(|op| found.get_mut(op)) {
                    note(found, verb, rest, part.body);
                }
            }
            _ => {}
        }
    }
    let is_cut = |found: &Found<'_>| found.begun && found.did.is_empty();
    let is_whole = |at: usize, found: &Found<'_>| {
        let asked = groups.get(&at).map_or(0, Vec::len);
        found.groups.len() == asked && found.groups.values().all(|(_, end)| end.is_some())
    };
    let all = lost.ops.iter().zip(&found).enumerate();
    let ops = all.map(|(at, (op, found))| match op {
        Op::Step { .. } if is_cut(found) => OpResult::NotReached,
        Op::Observe { .. } if !is_whole(at, found) => OpResult::NotReached,
        _ => result(op, found, groups.get(&at)),
    });
    Over {
        ops: ops.collect(),
        whole: ended,
        restarted,
    }
}

fn sick(body: &[u8]) -> HostError {
    let text = shown(body);
    let (dir, why) = text.split_once('\n').unwrap_or((&text, "unknown"));
    HostError::Ledger {
        dir: dir.to_owned(),
        why: why.to_owned(),
    }
}

/// Root, who keeps the ledger, could not be become.
fn denied(place: &LedgerPlace, status: &str, body: &[u8]) -> HostError {
    let root = match place {
        LedgerPlace::Root(identity) => as_root(identity),
        LedgerPlace::User => Identity::login(),
    };
    denied::explain(&root, status.parse().unwrap_or(1), &shown(body)).of(&root)
}

fn cut_off(received: &Received, nothing: bool) -> HostError {
    let stderr = shown(&received.stderr);
    let end = stderr.lines().last().unwrap_or_default();
    let status = received.status;
    if nothing && (0..128).contains(&status) {
        // It is the login that runs something else: nothing lost it, and it is so the next time, too.
        let said = shown(&received.stdout);
        let said = said.lines().rev().find(|line| !line.trim().is_empty());
        let said = match said.unwrap_or(end).trim() {
            "" => "nothing".to_owned(),
            said => format!("`{said}`"),
        };
        HostError::Barred {
            why: format!("no script ran, the login ended with status {status} and said {said}"),
            help:
                "the user's login has to run commands by `sh`: look at its shell in `/etc/passwd` \
                   (`nologin`, a restricted shell?), and at `ForceCommand` of its sshd or `command=` of the key"
                    .to_owned(),
        }
    } else if nothing {
        HostError::Unreachable(format!("no script ran (status {status}): {end}"))
    } else {
        HostError::Lost(format!(
            "the answer ended in the middle (status {status}): {end}"
        ))
    }
}

fn note<'a>(found: &mut Found<'a>, verb: &str, rest: &[&'a str], body: &'a [u8]) {
    match (verb, rest) {
        ("obs", [group]) => {
            if let Ok(group) = group.parse() {
                found.groups.insert(group, (body, None));
            }
        }
        ("end", [status]) => {
            if let Some(mut last) = found.groups.last_entry() {
                last.get_mut().1 = status.parse().ok();
            }
        }
        ("led", [field]) => {
            found.ledger.insert(field, body);
        }
        ("guard", [answer]) => found.guard = Some(answer),
        ("wrote", []) => found.wrote = true,
        ("step", []) => found.begun = true,
        ("did", words) => found.did = words.to_vec(),
        ("out", []) => found.out = body,
        ("err", []) => found.err = body,
        ("awaited", []) => found.awaited = true,
        ("long", [name, words @ ..]) => found.long.entry(name).or_default().words = words.to_vec(),
        ("lout", [name]) => found.long.entry(name).or_default().out = body,
        ("lerr", [name]) => found.long.entry(name).or_default().err = body,
        _ => {}
    }
}

fn result(op: &Op, found: &Found<'_>, groups: Option<&Vec<Vec<usize>>>) -> OpResult {
    match op {
        Op::Ledger if found.ledger.contains_key("end") => OpResult::Ledger(ledger(&found.ledger)),
        Op::Observe { who, probes } => match &found.barred {
            Some(why) => {
                let user = who.user.as_deref().unwrap_or("the login user");
                let not_yet = NotYet(format!("cannot become `{user}`: {}", why.why));
                OpResult::Observed(probes.iter().map(|_| Err(not_yet.clone())).collect())
            }
            None if found.groups.is_empty() && !probes.is_empty() => OpResult::NotReached,
            None => OpResult::Observed(answers(probes, groups, found)),
        },
        Op::Guard { .. } => match (found.guard, &found.barred) {
            (_, Some(_)) => OpResult::Guarded(Some(0)),
            (Some("yes"), None) => OpResult::Guarded(None),
            (Some(at), None) => OpResult::Guarded(Some(at.parse().unwrap_or(0))),
            (None, None) => OpResult::NotReached,
        },
        Op::Journal { .. } | Op::Snapshot { .. } | Op::Drop { .. } | Op::Release if found.wrote => {
            OpResult::Written
        }
        Op::Step { who, long, .. } => step(found, who.user.as_deref(), long.is_some()),
        Op::Await { long, .. } if found.awaited => OpResult::Awaited(
            long.iter()
                .map(|name| standing(found.long.get(name.as_str())))
                .collect(),
        ),
        _ => OpResult::NotReached,
    }
}

fn ledger(fields: &BTreeMap<&str, &[u8]>) -> LedgerText {
    let text = |name| shown(fields.get(name).copied().unwrap_or_default());
    let lines = String::from_utf8_lossy(fields.get("text").copied().unwrap_or_default());
    let lines: Vec<&str> = lines.lines().filter(|line| !line.is_empty()).collect();
    let (snapshot, journal) = match lines.iter().position(|line| *line == "=") {
        Some(at) => (&lines[..at], &lines[at + 1..]),
        None => (&lines[..0], &lines[..]),
    };
    let join = |lines: &[&str]| {
        let end = if lines.is_empty() { "" } else { "\n" };
        lines.join("\n") + end
    };
    LedgerText {
        machine: text("machine"),
        dir: text("dir"),
        boot: text("boot"),
        serial: text("serial").parse().unwrap_or(0),
        snapshot: join(snapshot),
        journal: join(journal),
    }
}

fn answers(probes: &Probes, groups: Option<&Vec<Vec<usize>>>, found: &Found<'_>) -> Vec<Answer> {
    let none = NotYet("the host did not say".into());
    let mut answers: Vec<Answer> = probes.iter().map(|_| Err(none.clone())).collect();
    for (group, indices) in groups.into_iter().flatten().enumerate() {
        let batch: Vec<Arc<dyn AnyProbe>> =
            indices.iter().map(|at| Arc::clone(&probes[*at])).collect();
        let Some(first) = batch.first() else { continue };
        let kind = first.kind();
        let parsed = match found.groups.get(&group) {
            None | Some((_, None)) => Err("it was cut off".to_owned()),
            Some((_, Some(127))) => Err("a program that it needs is missing".into()),
            Some((_, Some(status @ 126..))) => Err(format!("it ended with status {status}")),
            Some((output, _)) => first.parse(&batch, output),
        };
        match parsed {
            Ok(parsed) => {
                for (at, answer) in indices.iter().zip(parsed) {
                    answers[*at] = answer;
                }
            }
            Err(why) => {
                let why = NotYet(format!("what the probe `{kind}` answers: {}", clip(&why)));
                for at in indices {
                    answers[*at] = Err(why.clone());
                }
            }
        }
    }
    answers
}

/// A message is no place for a megabyte.
pub(super) fn clip(text: &str) -> String {
    if text.chars().count() <= 300 {
        return text.to_owned();
    }
    text.chars().take(300).chain("…".chars()).collect()
}

fn step(found: &Found<'_>, user: Option<&str>, long: bool) -> OpResult {
    let done = |status: &str, millis: &str| Done {
        status: status.parse().unwrap_or(-1),
        stdout: found.out.to_vec(),
        stderr: found.err.to_vec(),
        millis: millis.parse().unwrap_or(0),
    };
    let end = match found.did[..] {
        ["ok", ..] if long => StepEnd::Started,
        ["ok", status, millis] => StepEnd::Ok(done(status, millis)),
        ["timedout", status, millis] => StepEnd::TimedOut(done(status, millis)),
        ["edited", ..] => StepEnd::Edited,
        ["failed", status, millis] => StepEnd::Failed(done(status, millis)),
        _ => {
            let why = match &found.barred {
                Some(denied) => format!(
                    "cannot become `{}`: {}\n{}",
                    user.unwrap_or("the login user"),
                    denied.why,
                    denied.help
                ),
                None if found.begun => "its script was killed".to_owned(),
                None => return OpResult::NotReached,
            };
            StepEnd::Failed(Done {
                status: -1,
                stderr: why.into_bytes(),
                ..Done::default()
            })
        }
    };
    OpResult::Stepped(end)
}

fn standing(long: Option<&Long<'_>>) -> LongStep {
    let Some(long) = long else {
        return LongStep::Lost;
    };
    match long.words[..] {
        ["running"] => LongStep::Running,
        ["ended", status, millis, timed_out, ref accepted @ ..] => {
            let done = Done {
                status: status.parse().unwrap_or(-1),
                stdout: long.out.to_vec(),
                stderr: long.err.to_vec(),
                millis: millis.parse().unwrap_or(0),
            };
            LongStep::Ended(if timed_out == "1" {
                StepEnd::TimedOut(done)
            } else if accepted.is_empty() || accepted.contains(&status) {
                StepEnd::Ok(done)
            } else {
                StepEnd::Failed(done)
            })
        }
        _ => LongStep::Lost,
    }
}
