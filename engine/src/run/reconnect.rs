//! A connection that was lost: it is made again, and the host is asked what became of what was sent.
//!
//! What only looks, and what may be written twice, is sent again. Of what takes steps the host keeps
//! a record until it hears that the answer arrived: so no step is repeated blindly.

use std::time::{Duration, Instant};

use super::{
    chain::steps,
    drive::{Flight, Landed, Loop},
    exchange::Lost,
};
use crate::{
    event::Event,
    host::{Exchange, HostError, Op, OpResult, Over, Recall, Reply},
    module::Nature,
    task::Resolved,
};

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// So often in a row a connection may be lost without any task having ended.
const LOSSES: usize = 10;

/// So many attempts for one exchange at most, unless the host may be away for longer.
const ATTEMPTS: usize = 100;

/// What came of an exchange.
pub(super) enum Came {
    /// The answer.
    Reply(Reply),
    /// The answer was lost; what the host has noted of it.
    Found(Over),
    /// The answer was lost, and nobody knows what became of it: only the ledger does.
    Unknown,
}

/// What is left open of a chain whose answer was lost.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gap {
    /// Its script was killed.
    pub(super) killed: bool,
    /// The host was started again meanwhile.
    pub(super) restarted: bool,
}

impl Loop {
    /// One exchange, over as many connections as it takes within the bound.
    pub(super) async fn survive(&mut self, exchange: &Exchange) -> Result<Came, Lost> {
        let error = match self.once(exchange.clone()).await {
            Ok(reply) => {
                self.connected = true;
                return Ok(Came::Reply(reply));
            }
            Err(Lost::Host(error)) if self.can_come_back(&error, exchange.acts()) => error,
            Err(lost) => return Err(lost),
        };
        let never = !self.connected && matches!(error, HostError::Unreachable(_));
        self.shared.sink.event(&Event::Waiting {
            host: self.name.clone(),
            what: format!(
                "its connection{} ({})",
                if never { "" } else { ", which was lost" },
                self.masking.text(&error.to_string())
            ),
        });
        self.lost_once = true;
        // A connection that is lost again and again brings nothing.
        if self.decided.len() > self.decided_at_loss {
            self.losses = 0;
        }
        (self.losses, self.decided_at_loss) = (self.losses + 1, self.decided.len());
        let (mut attempts, mut last) = (0, None);
        let (mut begun, mut pause) = (Instant::now(), Duration::ZERO);
        let patience = self.patience(exchange, never);
        // So many attempts fit into it, and as many again.
        let fit = usize::try_from(patience.as_secs() / LONGEST_PAUSE.as_secs()).unwrap_or(ATTEMPTS);
        let most = ATTEMPTS.max(2 * fit);
        // Whether something may have been done that must not be done twice.
        let mut open = exchange.acts();
        loop {
            attempts += 1;
            let vain = self.losses > LOSSES || attempts > most;
            if vain || begun.elapsed() >= patience {
                let bound = patience.as_secs();
                let gone = match error {
                    _ if vain || bound == 0 => error,
                    HostError::Lost(why) | HostError::Unreachable(why) => {
                        given_up(&why, never, bound, last)
                    }
                    other => other,
                };
                return Err(gone.into());
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.shared.cancel.aborted() => return Err(Lost::Aborted),
            }
            pause = (pause * 2).clamp(Duration::from_millis(100), LONGEST_PAUSE);
            let came = if open {
                self.recall(exchange).await
            } else {
                self.once(exchange.clone())
                    .await
                    .map(|reply| Some(Came::Reply(reply)))
            };
            match came {
                Ok(Some(came)) => return Ok(came),
                Ok(None) if self.recalled_going => {
                    // It answers, and its script has bounds of its own.
                    (begun, pause, attempts) = (Instant::now(), Duration::ZERO, 0);
                }
                Ok(None) => open = false,
                Err(Lost::Host(again)) if self.can_come_back(&again, true) => {
                    // Resending may itself be cut off in the middle.
                    open = exchange.acts();
                    last = Some(match again {
                        HostError::Lost(why) | HostError::Unreachable(why) => why,
                        other => other.to_string(),
                    });
                }
                Err(lost) => return Err(lost),
            }
        }
    }

    /// What became of an exchange; nothing if it has to be asked, or sent, again.
    async fn recall(&mut self, lost: &Exchange) -> Result<Option<Came>, Lost> {
        let recall = {
            let _permit = self.shared.forks.acquire().await;
            tokio::select! {
                recall = self.door.recall(lost) => recall?,
                () = self.shared.cancel.aborted() => return Err(Lost::Aborted),
            }
        };
        self.recalled_going = matches!(recall, Recall::Going);
        Ok(match recall {
            Recall::Never | Recall::Going => None,
            Recall::Over(over) => Some(Came::Found(over)),
            Recall::Unknown => Some(Came::Unknown),
        })
    }

    /// Whether another connection may help. A host that never answered is not waited for.
    fn can_come_back(&self, error: &HostError, acts: bool) -> bool {
        match error {
            HostError::Lost(_) => true,
            HostError::Unreachable(_) => self.connected || !self.awaits().is_zero(),
            HostError::TimedOut(_) => acts,
            _ => false,
        }
    }

    /// How long it is tried. Who says that nothing is waited for means that, too.
    fn patience(&self, exchange: &Exchange, never: bool) -> Duration {
        let awaits = self.awaits();
        match self.shared.options.reconnect {
            _ if never => awaits,
            Duration::ZERO => awaits,
            bound => bound.max(awaits).max(Duration::from_secs(exchange.away())),
        }
    }

    /// How long tasks that are still to come wait for this host.
    fn awaits(&self) -> Duration {
        let open = self.tasks.iter().filter(|id| !self.decided.contains(id));
        let bodies = open.filter_map(|id| match self.resolved.get(id) {
            Some(Resolved::One(bound)) if !self.checking() => Some(bound.awaits()),
            _ => None,
        });
        Duration::from_secs(bodies.max().unwrap_or(0))
    }

    /// After a connection was lost: the host may have been started again, and then nothing counts
    /// that was seen of it.
    pub(super) async fn after_loss(&mut self) -> Result<(), Lost> {
        if !std::mem::take(&mut self.lost_once) {
            return Ok(());
        }
        let results = self.plain(vec![Op::Ledger]).await?;
        let Some(OpResult::Ledger(text)) = results.first() else {
            return Err(HostError::Garbled("no ledger".to_owned()).into());
        };
        if text.boot == self.boot {
            return Ok(());
        }
        self.warn(None, "the host was started again in the middle of the run");
        self.start_over().await
    }

    /// Whether a task of a chain has to be planned anew: nobody knows how far it came, or what it
    /// did may not have outlived a restart.
    pub(super) fn is_open(landed: &Landed, gap: Gap) -> bool {
        if landed.entry.epoch.is_none() {
            return false;
        }
        let taken: usize = landed.ran.iter().map(|ran| ran.taken).sum();
        let decided = &landed.entry.decided;
        let well = landed.ran.iter().all(|ran| ran.trouble.is_none());
        if well && taken < steps(decided).count() {
            return gap.killed || gap.restarted;
        }
        let bounds = decided.items.iter().filter_map(|item| item.bound.as_ref());
        let mut natures = bounds.map(|bound| bound.nature());
        gap.restarted && natures.any(|nature| nature != Nature::Command)
    }

    /// Whether a long step went down with its host, which was started again: its tasks are planned anew.
    pub(super) fn went_down(&mut self, spool: &str) -> bool {
        let is_it = |flight: &Flight| flight.spool == spool && flight.boot != self.boot;
        let (down, going): (Vec<_>, Vec<_>) = std::mem::take(&mut self.flights)
            .into_iter()
            .partition(is_it);
        self.flights = going;
        for flight in &down {
            self.plan_anew(&flight.landed);
        }
        !down.is_empty()
    }

    /// The walk comes to it again. What the ledger says of it counts: it was begun, and cut off.
    pub(super) fn plan_anew(&mut self, landed: &Landed) {
        let id = landed.entry.decided.task;
        self.resolved.remove(&id);
        let mut state = self.shared.board.state();
        if state.schedule.is_running(id) {
            state.schedule.put_back(id);
        }
    }
}

/// What is said of a host that did not come; `never`: it never answered.
fn given_up(why: &str, never: bool, bound: u64, last: Option<String>) -> HostError {
    if never {
        return HostError::Unreachable(format!("{why}; it did not come within {bound} s"));
    }
    let last = last.map_or_else(String::new, |last| format!(": {last}"));
    HostError::Lost(format!(
        "{why}; it did not come back within {bound} s (`--reconnect` waits longer){last}"
    ))
}
