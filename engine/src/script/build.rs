//! An exchange as a script.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    SetUp, batch,
    sections::{self, Wrappers},
    steps,
    text::{Needs, Piece, Script},
};
use crate::{
    host::{Exchange, HostError, LedgerPlace, Lock, Op, Stopping},
    identity::Identity,
    probe::{Answer, AnyProbe, Probes},
    source::{hex, sha256},
};

/// How many bytes of operands one call gets: below what one `exec` takes (a quarter of the stack's
/// limit, mostly 2 MiB).
const OPERANDS: usize = 1_000_000;

/// What an exchange sends, and what its answer is read with.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) text: Vec<u8>,
    pub(super) data: Vec<Piece>,
    /// For each observation (by operation, then by group): which of its probes were asked.
    pub(super) groups: BTreeMap<usize, Vec<Vec<usize>>>,
}

impl Sent {
    /// How many bytes it has.
    pub(super) fn bytes(&self) -> u64 {
        let data: u64 = self.data.iter().map(Piece::len).sum();
        self.text.len() as u64 + data
    }
}

/// SHA-256 of an expected output, as the host's `sha256sum` prints it.
pub(super) fn sum_of(expected: &[u8]) -> String {
    hex(&sha256(expected))
}

/// As whom the script that conducts an exchange runs.
pub(super) fn is_conductor(place: &LedgerPlace, who: &Identity) -> bool {
    match place {
        LedgerPlace::Root(_) => who.is_root(),
        LedgerPlace::User => who.user.is_none(),
    }
}

/// Writes the script of an exchange.
pub(super) fn exchange(setup: &SetUp, exchange: &Exchange) -> Result<Sent, HostError> {
    let mut script = Script::new(setup);
    let mut groups = BTreeMap::new();
    let all: Vec<&Op> = exchange.ops.iter().chain(&exchange.tail).collect();
    let count = exchange.ops.len();
    let foreign = |op: &Op| who_of(op).is_some_and(|who| !is_conductor(&exchange.place, who));
    let steps = all.iter().any(|op| matches!(op, Op::Step { .. }));
    let awaits = all
        .iter()
        .any(|op| matches!(op, Op::Await { .. } | Op::Drop { .. }));
    let writes = all
        .iter()
        .any(|op| matches!(op, Op::Journal { .. } | Op::Snapshot { .. } | Op::Release));
    let needs = Needs {
        sections: steps || all.iter().any(|op| foreign(op)),
        lock: exchange.lock.is_some() || writes || steps || awaits,
        steps: steps || awaits,
    };
    begin(&mut script, exchange)?;
    if steps {
        script.raw("ek_open_spool || exit 1\n");
    }
    let mut wrappers = Wrappers::default();
    let mut at = 0;
    while at < all.len() {
        if at == count {
            script.raw(format!("ek_next={count} ek_tail=1\n"));
        }
        let end = if at < count { count } else { all.len() };
        if goes_elsewhere(all[at], &exchange.place) {
            let last = sections::last(&all, at, end, &exchange.place);
            let all = &all[..=last];
            sections::write(&mut script, &mut groups, &mut wrappers, all, at, steps)?;
            at = last + 1;
        } else {
            let place = &exchange.place;
            let elsewhere = (at..end).find(|at| goes_elsewhere(all[*at], place));
            let end = elsewhere.unwrap_or(end);
            at = next(
                &mut script,
                &mut groups,
                &mut wrappers,
                &all,
                at,
                end,
                place,
            )?;
        }
    }
    if steps {
        script.raw("ek_close_spool\n");
    }
    script.raw("ek_line \"$ek_dir/serial\"\nek_say \"fin ${ek_text:-0}\"\n");
    let (text, data) = script.finish(needs);
    let (text, data) = match &exchange.place {
        LedgerPlace::User => (text, data),
        LedgerPlace::Root(identity) => sections::conducted_by_root(setup, identity, text, data)?,
    };
    Ok(Sent { text, data, groups })
}

/// Whether an operation runs in a section. Long steps are started by the conductor.
pub(super) fn goes_elsewhere(op: &Op, place: &LedgerPlace) -> bool {
    let long = matches!(op, Op::Step { long: Some(_), .. });
    !long && who_of(op).is_some_and(|who| !is_conductor(place, who))
}

pub(super) fn who_of(op: &Op) -> Option<&Identity> {
    match op {
        Op::Observe { who, .. } | Op::Guard { who, .. } | Op::Step { who, .. } => Some(who),
        _ => None,
    }
}

fn begin(script: &mut Script<'_>, exchange: &Exchange) -> Result<(), HostError> {
    script.raw("ek_login=${2-} ek_parent=${3-$PPID} ek_tail=\n");
    script.assign("ek_run", exchange.run.as_bytes())?;
    script.raw("ek_say go\n");
    place(script, &exchange.place)?;
    if let Some(Lock {
        serial,
        wait_millis,
        holder,
    }) = &exchange.lock
    {
        script.raw("ek_acquire");
        script.words([
            serial.to_string(),
            wait_millis.div_ceil(10).to_string(),
            holder.replace('\n', " "),
        ])?;
        script.raw("\nek_say locked\n");
    }
    Ok(())
}

fn place(script: &mut Script<'_>, place: &LedgerPlace) -> Result<(), HostError> {
    match place {
        LedgerPlace::User => {
            script.raw("ek_place \"${XDG_STATE_HOME:-${HOME:-/}/.local/state}/evenkeel\"\n");
        }
        LedgerPlace::Root(_) => {
            let dir = script.setup.root_dir.clone();
            script.raw("ek_place").word(dir)?.raw("\n");
        }
    }
    Ok(())
}

/// The script that says what became of the exchange with this nonce.
pub(super) fn recall(setup: &SetUp, lost: &Exchange, nonce: &str) -> Result<Sent, HostError> {
    let mut script = Script::new(setup);
    script.raw("ek_parent=${3-$PPID}\nek_say go\n");
    place(&mut script, &lost.place)?;
    script.raw("ek_recall").word(nonce)?;
    script.raw(format!(" {RECALL}\n"));
    let (text, data) = script.finish(Needs {
        lock: true,
        steps: true,
        ..Needs::default()
    });
    let (text, data) = match &lost.place {
        LedgerPlace::User => (text, data),
        LedgerPlace::Root(identity) => sections::conducted_by_root(setup, identity, text, data)?,
    };
    Ok(Sent {
        text,
        data,
        groups: BTreeMap::new(),
    })
}

/// How long one recall waits for the end of what goes on, in hundredths of a second.
const RECALL: u64 = 1000;

/// The script that asks the chains of a run to stop.
pub(super) fn stop(setup: &SetUp, stopping: &Stopping) -> Result<Sent, HostError> {
    let mut script = Script::new(setup);
    script.raw("ek_say go\n");
    place(&mut script, &stopping.place)?;
    script
        .raw("ek_halt \"$ek_dir\"")
        .word(&stopping.run)?
        .raw("\n");
    script.raw("ek_say \"fin 0\"\n");
    let (text, data) = script.finish(Needs {
        lock: true,
        ..Needs::default()
    });
    let (text, data) = match &stopping.place {
        LedgerPlace::User => (text, data),
        LedgerPlace::Root(identity) => sections::conducted_by_root(setup, identity, text, data)?,
    };
    Ok(Sent {
        text,
        data,
        groups: BTreeMap::new(),
    })
}

/// Whether the chain may be stopped before this operation: before guards and steps, and before the
/// journal lines that stand right before a step, which announce it.
fn stops(all: &[&Op], at: usize) -> bool {
    match all[at] {
        Op::Guard { .. } | Op::Step { .. } => true,
        Op::Journal { .. } => matches!(all.get(at + 1), Some(Op::Step { .. })),
        _ => false,
    }
}

/// Writes the operation `at` of the script's own identity, or a batch of them that begins with it;
/// which comes after it. Operations from `end` on are not its own.
pub(super) fn next(
    script: &mut Script<'_>,
    groups: &mut BTreeMap<usize, Vec<Vec<usize>>>,
    wrappers: &mut Wrappers,
    all: &[&Op],
    at: usize,
    end: usize,
    place: &LedgerPlace,
) -> Result<usize, HostError> {
    let Some(batch) = batch::find(script, &all[..end], at) else {
        own(script, groups, wrappers, all, at, place)?;
        return Ok(at + 1);
    };
    batch.write(script, all, at)?;
    script.raw("[ -n \"$ek_all\" ] || {\n");
    for at in at..batch.end {
        script.raw(format!("case \"$ek_ok \" in *' {at} '*) ;; *)\n"));
        own(script, groups, wrappers, all, at, place)?;
        script.raw(";; esac\n");
    }
    script.raw("}\n");
    Ok(batch.end)
}

/// Writes an operation of the script's own identity.
fn own(
    script: &mut Script<'_>,
    groups: &mut BTreeMap<usize, Vec<Vec<usize>>>,
    wrappers: &mut Wrappers,
    all: &[&Op],
    at: usize,
    place: &LedgerPlace,
) -> Result<(), HostError> {
    let stop = if stops(all, at) { " stop" } else { "" };
    script.raw(format!("if ek_at {at}{stop}; then\n"));
    match all[at] {
        Op::Ledger => {
            script.raw("ek_ledger\n");
        }
        Op::Observe { probes, .. } => {
            groups.insert(at, observe(script, probes)?);
        }
        Op::Guard { holds, .. } => guard(script, at, holds)?,
        Op::Journal { lines, sync } => {
            script.raw(format!("ek_journal {}", u8::from(*sync)));
            script.words(lines)?.raw("\n");
        }
        Op::Snapshot { lines } => {
            script.raw("ek_snapshot").words(lines)?.raw("\n");
        }
        Op::Step {
            who,
            env,
            action,
            long,
            on_failure,
            effects: _,
        } => {
            let target = on_failure.map_or("$ek_end".to_owned(), |to| to.to_string());
            script.raw(format!("ek_else={target}\n"));
            match (long, &**action) {
                (Some(name), crate::step::Action::Run(run)) => {
                    let own = is_conductor(place, who);
                    let wrapper = wrappers.function(script, who, own)?;
                    script.raw(format!("if ek_become {wrapper}; then\n"));
                    steps::long(script, name, env, run, &wrapper)?;
                    script.raw(format!("else ek_barred {at} \"{at}:{target}\"\nfi\n"));
                }
                _ => steps::step(script, at, env, action)?,
            }
        }
        Op::Await { long, millis } => {
            script.raw(format!("ek_await {}", millis.div_ceil(10)));
            script.words(long)?.raw("\n");
        }
        Op::Drop { long } => {
            script.raw("ek_drop").words(long)?.raw("\n");
        }
        Op::Release => {
            script.raw("ek_release\n");
        }
    }
    script.raw("fi\n");
    Ok(())
}

/// Splits probes into calls: by kind, none with too many bytes.
fn calls(probes: &[Arc<dyn AnyProbe>]) -> Vec<Vec<usize>> {
    let mut by_kind: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, probe) in probes.iter().enumerate() {
        by_kind.entry(probe.kind()).or_default().push(index);
    }
    let mut calls = Vec::new();
    for indices in by_kind.into_values() {
        let (mut call, mut bytes) = (Vec::new(), 0);
        for index in indices {
            let operands = probes[index].key().1;
            // Each costs a pointer and a NUL too.
            let size: usize = operands.iter().map(|operand| operand.len() + 9).sum();
            if bytes + size > OPERANDS && !call.is_empty() {
                calls.push(std::mem::take(&mut call));
                bytes = 0;
            }
            bytes += size;
            call.push(index);
        }
        calls.push(call);
    }
    calls
}

fn observe(script: &mut Script<'_>, probes: &Probes) -> Result<Vec<Vec<usize>>, HostError> {
    let calls = calls(probes);
    for (group, call) in calls.iter().enumerate() {
        let first = &probes[call[0]];
        let function = script.probe(first.kind(), first.script());
        script.raw(format!("ek_ask {group} {function}"));
        for index in call {
            script.words(probes[*index].key().1)?;
        }
        script.raw("\n");
    }
    Ok(calls)
}

fn guard(
    script: &mut Script<'_>,
    at: usize,
    holds: &[(Arc<dyn AnyProbe>, Answer)],
) -> Result<(), HostError> {
    let mut expected = Vec::new();
    for (probe, answer) in holds {
        let Some(bytes) = probe.expected(answer) else {
            return Err(HostError::Garbled(format!(
                "BUG: the answer of `{}` cannot be guarded: it has no normal form",
                probe.kind()
            )));
        };
        expected.push(bytes);
    }
    let probes: Probes = holds.iter().map(|(probe, _)| Arc::clone(probe)).collect();
    let calls = calls(&probes);
    let mut all = Vec::new();
    script.raw(format!("ek_g{at}() {{\ncase $1 in\nall)\n"));
    for call in &calls {
        let first = &probes[call[0]];
        let function = script.probe(first.kind(), first.script());
        script.raw("(").raw(&function);
        for index in call {
            script.words(probes[*index].key().1)?;
            all.extend(&expected[*index]);
        }
        script.raw(")\n");
    }
    script.raw(";;\n");
    for (index, probe) in probes.iter().enumerate() {
        script.raw(format!("{index}) ek_p_{}", probe.kind()));
        script.words(probe.key().1)?.raw(" ;;\n");
    }
    script.raw("esac\n}\n");
    script.raw(format!("ek_guard {} ek_g{at}", sum_of(&all)));
    script.words(expected.iter().map(|bytes| sum_of(bytes)))?;
    script.raw("\n");
    Ok(())
}
