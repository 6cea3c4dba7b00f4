//! What can be made to go wrong.

use std::{collections::BTreeMap, collections::BTreeSet};

use super::{FakeHost, failed};
use crate::step::Done;

/// On which side of a step the connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The step did not take effect.
    Before,
    /// It took effect, but nothing after it.
    After,
}

/// Faults by number of step or exchange, from 1, over the whole life of the host. Each comes once.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    pub(super) cut: Option<(u64, Cut)>,
    pub(super) no_request: BTreeSet<u64>,
    pub(super) no_reply: BTreeSet<u64>,
    /// By exchange: after how many operations nobody listens any more.
    pub(super) link: BTreeMap<u64, usize>,
    /// From this exchange on nothing reaches it.
    pub(super) away: Option<u64>,
    pub(super) comes: u64,
    /// Whether a cut is the power's.
    pub(super) cuts_power: bool,
    pub(super) fails: BTreeMap<u64, Done>,
    pub(super) times_out: BTreeSet<u64>,
    pub(super) stops: BTreeSet<u64>,
}

/// Faults. Steps and exchanges are counted from 1 over the life of the host.
impl FakeHost {
    /// The connection and all that runs for it dies at the n-th step. What was done, and what the
    /// journal took, stays; the next exchange finds the host as it is then.
    #[must_use]
    pub fn break_at(self, step: u64, cut: Cut) -> Self {
        self.set_break(step, cut);
        self
    }

    /// The same, for a host that is in use.
    pub fn set_break(&self, step: u64, cut: Cut) {
        self.state().faults.cut = Some((step, cut));
    }

    /// The n-th exchange never reaches the host.
    #[must_use]
    pub fn breaks_connection(self, exchange: u64) -> Self {
        self.state().faults.no_request.insert(exchange);
        self
    }

    /// The n-th exchange is carried out, but its answer is lost.
    #[must_use]
    pub fn loses_answer(self, exchange: u64) -> Self {
        self.state().faults.no_reply.insert(exchange);
        self
    }

    /// The connection is lost in the n-th exchange after so many of its operations: no step begins
    /// after that, and there is no answer.
    #[must_use]
    pub fn loses_connection(self, exchange: u64, after: usize) -> Self {
        self.state().faults.link.insert(exchange, after);
        self
    }

    /// From the n-th exchange on nothing reaches the host.
    #[must_use]
    pub fn goes_away(self, exchange: u64) -> Self {
        self.state().faults.away = Some(exchange);
        self
    }

    /// Nothing reaches the host before the n-th exchange.
    #[must_use]
    pub fn comes_at(self, exchange: u64) -> Self {
        self.state().faults.comes = exchange;
        self
    }

    /// Where [`FakeHost::break_at`] cuts, it is the power that is cut: the host starts again.
    #[must_use]
    pub fn cuts_power(self) -> Self {
        self.state().faults.cuts_power = true;
        self
    }

    /// The n-th step fails without effect.
    #[must_use]
    pub fn fails_step(self, step: u64) -> Self {
        let done = failed(1, "made to fail\n");
        self.state().faults.fails.insert(step, done);
        self
    }

    /// The n-th step runs out of time without effect.
    #[must_use]
    pub fn times_out_step(self, step: u64) -> Self {
        self.state().faults.times_out.insert(step);
        self
    }

    /// The run is asked to stop while the n-th step runs.
    #[must_use]
    pub fn stops_at(self, step: u64) -> Self {
        self.state().faults.stops.insert(step);
        self
    }

    /// Another run holds the lock, until [`FakeHost::lets_go`] or [`FakeHost::dies`].
    #[must_use]
    pub fn held_by(self, run: &str, holder: &str) -> Self {
        self.state().lock.take(run, holder);
        self
    }

    /// Another run holds the lock and gives it back after it was asked for so many times.
    #[must_use]
    pub fn held_for(self, attempts: u32, run: &str, holder: &str) -> Self {
        self.state().lock.take(run, holder);
        self.state().lock.give_back_after(attempts);
        self
    }

    /// Whoever holds the lock gives it back.
    pub fn lets_go(&self) {
        self.state().lock.release();
    }

    /// Whoever holds the lock dies with it; long steps go on.
    pub fn dies(&self) {
        self.state().lock.die();
    }

    /// Long steps are still running for so many exchanges after the one that started them.
    #[must_use]
    pub fn long_steps_take(self, exchanges: u32) -> Self {
        self.state().long.takes = exchanges;
        self
    }

    /// The host restarts: whoever held the lock is dead, and what ran is lost.
    pub fn reboots(&self) {
        self.state().restart();
    }
}
