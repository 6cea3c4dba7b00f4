//! Seen, and a note of what was asked: so `observe` is `plan` that only notes its questions.

use std::cell::RefCell;

use evenkeel_engine::{AnyProbe as _, NotYet, Plan, Probe, Probes, Seen, Stop, ask};

/// What is seen, through which questions are noted.
#[derive(Debug)]
pub(crate) struct Look<'a> {
    seen: &'a Seen,
    asked: RefCell<Probes>,
}

impl<'a> Look<'a> {
    pub(crate) fn new(seen: &'a Seen) -> Self {
        Self {
            seen,
            asked: RefCell::default(),
        }
    }

    /// All that is seen, its past too.
    pub(crate) fn seen(&self) -> &'a Seen {
        self.seen
    }

    /// Notes a question that may be answered later: everything that can be asked at once is, so
    /// that one round is enough for a task that is in its state.
    pub(crate) fn ask<P: Probe>(&self, probe: &P) {
        let mut asked = self.asked.borrow_mut();
        if asked.iter().all(|known| known.key() != probe.key()) {
            asked.push(ask(probe.clone()));
        }
    }

    /// Notes what another module asks.
    pub(crate) fn ask_all(&self, probes: Probes) {
        let mut asked = self.asked.borrow_mut();
        for probe in probes {
            if asked.iter().all(|known| known.key() != probe.key()) {
                asked.push(probe);
            }
        }
    }

    /// Notes a question and gives its answer.
    pub(crate) fn get<P: Probe>(&self, probe: &P) -> Result<&'a P::Answer, NotYet> {
        self.ask(probe);
        self.seen.get(probe)
    }

    /// What `decide` asks of what is seen so far.
    pub(crate) fn observe(
        seen: &'a Seen,
        decide: impl FnOnce(&Self) -> Result<Plan, Stop>,
    ) -> Probes {
        let look = Self::new(seen);
        // What it decides is of no interest yet, nor is why it cannot.
        drop(decide(&look));
        look.asked.into_inner()
    }
}
