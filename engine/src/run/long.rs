//! Long steps: they go on on the host while others are done beside them.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    chain::{Entry, Slot, steps},
    decided::Decided,
    drive::{Flight, Landed, Loop},
    exchange::Lost,
    known::Who,
};
use crate::{
    host::{LongStep, Op, OpResult, StepEnd},
    ledger::{Ended, Line},
    probe::Probes,
    step::Done,
};

/// How long one exchange waits for a long step when nothing else is to be done, in milliseconds.
pub(super) const LONG_WAIT: u64 = 20_000;

/// After the end of which long step, as whom, what.
pub(super) type Look = (String, Who, Probes);

impl Loop {
    /// The long steps that are waited for, and what is looked at after each.
    pub(super) fn long_of(&self, slots: &[Slot], all: &[Landed]) -> (Vec<String>, Vec<Look>) {
        let flying = self
            .flights
            .iter()
            .map(|f| (f.spool.as_str(), f.landed.entry.decided.as_ref()));
        let started = slots.iter().flat_map(|slot| {
            let (entries, long): (Vec<usize>, _) = match slot {
                Slot::Step { entry, long, .. } => (vec![*entry], long),
                Slot::Joined { steps, long } => (steps.iter().map(|at| at.entry).collect(), long),
                _ => (Vec::new(), &None),
            };
            let long = long.as_deref();
            let of = move |at: usize| Some((long?, all[at].entry.decided.as_ref()));
            entries.into_iter().filter_map(of)
        });
        let long: Vec<(&str, &Decided)> = flying.chain(started).collect();
        let mut awaited: Vec<String> = Vec::new();
        for (spool, _) in &long {
            if awaited.iter().all(|known| known != spool) {
                awaited.push((*spool).to_owned());
            }
        }
        (awaited, Self::looks(&long))
    }

    /// Looks after the end of long steps, to be asked in the same exchange that waits for them.
    fn looks(flights: &[(&str, &Decided)]) -> Vec<Look> {
        let mut looks: Vec<Look> = Vec::new();
        let mut keys = BTreeSet::new();
        for (spool, decided) in flights {
            for (who, probe) in &decided.asked {
                if !keys.insert((*spool, *who, probe.key())) {
                    continue;
                }
                let same = |look: &&mut Look| look.0 == *spool && look.1 == *who;
                match looks.iter_mut().find(same) {
                    Some(look) => look.2.push(Arc::clone(probe)),
                    None => looks.push(((*spool).to_owned(), *who, vec![Arc::clone(probe)])),
                }
            }
        }
        looks
    }

    pub(super) fn look_ops(&self, looks: &[Look]) -> Vec<Op> {
        let op = |(_, who, probes): &Look| Op::Observe {
            who: self.identities[*who].clone(),
            probes: probes.clone(),
        };
        looks.iter().map(op).collect()
    }

    /// Waits for the end of a long step.
    pub(super) async fn await_long(&mut self) -> Result<(), Lost> {
        let (awaited, looks) = self.long_of(&[], &[]);
        let mut ops = vec![Op::Await {
            long: awaited.clone(),
            millis: self.long_wait(),
        }];
        ops.extend(self.look_ops(&looks));
        let results = self.plain(ops).await?;
        self.after_loss().await?;
        self.long_steps(&awaited, results, &looks);
        Ok(())
    }

    /// How the long steps stand that were waited for, and what was seen after each.
    pub(super) fn long_steps(&mut self, awaited: &[String], tail: Vec<OpResult>, looks: &[Look]) {
        let mut tail = tail.into_iter();
        let Some(OpResult::Awaited(standing)) = tail.next() else {
            return;
        };
        let answers: Vec<OpResult> = tail.collect();
        for (spool, standing) in awaited.iter().zip(standing) {
            let end = match standing {
                LongStep::Running => continue,
                LongStep::Ended(end) => end,
                LongStep::Lost if self.went_down(spool) => continue,
                LongStep::Lost => StepEnd::Failed(Done {
                    status: 137,
                    stderr:
                        b"it is gone without a status: it was killed, or the host was restarted"
                            .to_vec(),
                    ..Done::default()
                }),
            };
            let (ended, going): (Vec<_>, Vec<_>) = std::mem::take(&mut self.flights)
                .into_iter()
                .partition(|flight| flight.spool == *spool);
            self.flights = going;
            let mut over = false;
            for flight in ended {
                // Tasks that part are told later, by a run of their own.
                let parts = flight.joined && !matches!(end, StepEnd::Ok(_));
                let told = (!parts).then_some(flight.landed.entry.decided.task);
                self.read_spools.push((told, spool.clone()));
                over |= self.ended(flight, &end);
            }
            // Who failed, or has steps left, is looked at when that is over.
            for (look, result) in looks.iter().zip(&answers) {
                if let (true, OpResult::Observed(answers)) = (over && look.0 == *spool, result) {
                    for (probe, answer) in look.2.iter().zip(answers) {
                        self.known.learn(look.1, probe.as_ref(), answer.clone());
                    }
                }
            }
        }
    }

    /// A long step has ended; whether that was the last of its task, and well.
    fn ended(&mut self, flight: Flight, end: &StepEnd) -> bool {
        let Flight {
            mut landed,
            steps: of,
            joined,
            ..
        } = flight;
        if joined && !matches!(end, StepEnd::Ok(_)) {
            self.known.clear();
            self.part(&landed.entry);
            return false;
        }
        for (item, number) in &of {
            self.note_step(&mut landed, *item, *number, end);
        }
        if landed.ran.iter().any(|ran| ran.trouble.is_some()) {
            self.land(landed);
            return false;
        }
        let next = of.last().map_or(0, |(_, number)| number + 1);
        if steps(&landed.entry.decided).count() > next {
            landed.entry.from = next;
            self.resumed.push(landed);
            return false;
        }
        self.landed.push(landed);
        true
    }

    /// Its joined run failed: it is decided anew, and runs by itself. How much of it was done nobody
    /// knows, so who listens to it is owed a turn until it has ended.
    pub(super) fn part(&mut self, entry: &Entry) {
        let id = entry.decided.task;
        self.apart.insert(id, entry.decided.clone());
        if let Some(epoch) = entry.epoch.clone() {
            self.lines.push(Line::End {
                epoch,
                ended: Ended::Failed,
                witness: None,
                result: None,
            });
        }
        let mut state = self.shared.board.state();
        if state.schedule.is_running(id) {
            state.schedule.put_back(id);
        }
    }
}
