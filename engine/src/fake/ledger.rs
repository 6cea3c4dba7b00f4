//! Ledger and lock of a fake host.

use crate::host::{HostError, Lock, Reply};

/// What is on disk of the ledger. A fake host keeps one, wherever a run wants it.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    pub(super) serial: u64,
    pub(super) snapshot: String,
    pub(super) journal: String,
    boots: u64,
    /// Its machine id, if it is not the usual one.
    pub(super) machine: Option<String>,
}

impl Ledger {
    pub(super) fn text(&self) -> crate::host::LedgerText {
        crate::host::LedgerText {
            machine: self
                .machine
                .clone()
                .unwrap_or_else(|| "fake-machine".to_owned()),
            dir: "/var/lib/evenkeel".to_owned(),
            boot: format!("boot-{}", self.boots),
            serial: self.serial,
            snapshot: self.snapshot.clone(),
            journal: self.journal.clone(),
        }
    }

    pub(super) fn boots(&mut self) {
        self.boots += 1;
    }

    pub(super) fn append(&mut self, lines: &[String]) -> Result<(), HostError> {
        self.journal.push_str(&joined(lines)?);
        Ok(())
    }

    pub(super) fn replace(&mut self, lines: &[String]) -> Result<(), HostError> {
        self.snapshot = joined(lines)?;
        self.journal.clear();
        Ok(())
    }
}

fn joined(lines: &[String]) -> Result<String, HostError> {
    if let Some(line) = lines.iter().find(|line| line.contains('\n')) {
        return Err(HostError::Garbled(format!(
            "a line with a newline: {line:?}"
        )));
    }
    Ok(lines.iter().flat_map(|line| [line, "\n"]).collect())
}

/// Who holds the lock.
#[derive(Clone, Debug, Default)]
pub(super) struct LockState(Option<Held>);

#[derive(Clone, Debug)]
struct Held {
    run: String,
    holder: String,
    alive: bool,
    /// After so many refusals it is given back.
    refusals: Option<u32>,
}

impl LockState {
    pub(super) fn take(&mut self, run: &str, holder: &str) {
        self.0 = Some(Held {
            run: run.to_owned(),
            holder: holder.to_owned(),
            alive: true,
            refusals: None,
        });
    }

    pub(super) fn give_back_after(&mut self, attempts: u32) {
        if let Some(held) = &mut self.0 {
            held.refusals = Some(attempts);
        }
    }

    pub(super) fn release(&mut self) {
        self.0 = None;
    }

    pub(super) fn die(&mut self) {
        if let Some(held) = &mut self.0 {
            held.alive = false;
        }
    }

    pub(super) fn is_held_by(&self, run: &str) -> bool {
        self.0.as_ref().is_some_and(|held| held.run == run)
    }

    /// Takes it as asked; a reply if it was not got.
    pub(super) fn ask(&mut self, run: &str, lock: &Lock, ledger: &mut Ledger) -> Option<Reply> {
        match &mut self.0 {
            // Nothing moves here while a run waits.
            Some(held) if held.run != run && held.alive && held.refusals != Some(0) => {
                held.refusals = held.refusals.map(|left| left - 1);
                return Some(Reply::Held(held.holder.clone()));
            }
            Some(held) if held.run == run => {}
            _ if ledger.serial != lock.serial => return Some(Reply::Stale),
            _ => {}
        }
        self.take(run, &lock.holder);
        None
    }
}
