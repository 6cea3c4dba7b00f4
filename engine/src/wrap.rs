//! A module with its arguments, and something laid over it.

use crate::{
    module::{Bound, Nature, Refusal, Stop},
    probe::Probes,
    seen::Seen,
    step::{Done, Plan},
    thing::Touches,
    value::Value,
};

/// What is laid over a module: it says only in what it differs, all else is the module's.
pub trait Wrap: Send + Sync {
    /// The module.
    fn inner(&self) -> &dyn Bound;

    /// [`Bound::args`].
    fn args(&self) -> Value {
        self.inner().args()
    }

    /// [`Bound::check`].
    fn check(&self) -> Result<(), Refusal> {
        self.inner().check()
    }

    /// [`Bound::observe`].
    fn observe(&self, seen: &Seen) -> Probes {
        self.inner().observe(seen)
    }

    /// [`Bound::plan`].
    fn plan(&self, seen: &Seen) -> Result<Plan, Stop> {
        self.inner().plan(seen)
    }

    /// [`Bound::output`].
    fn output(&self, after: &Seen, done: &[Done]) -> Result<Value, Stop> {
        self.inner().output(after, done)
    }
}

impl<W: Wrap> Bound for W {
    fn module(&self) -> &'static str {
        self.inner().module()
    }
    fn nature(&self) -> Nature {
        self.inner().nature()
    }
    fn args(&self) -> Value {
        Wrap::args(self)
    }
    fn check(&self) -> Result<(), Refusal> {
        Wrap::check(self)
    }
    fn doubts(&self) -> Vec<Refusal> {
        self.inner().doubts()
    }
    fn observe(&self, seen: &Seen) -> Probes {
        Wrap::observe(self, seen)
    }
    fn plan(&self, seen: &Seen) -> Result<Plan, Stop> {
        Wrap::plan(self, seen)
    }
    fn output(&self, after: &Seen, done: &[Done]) -> Result<Value, Stop> {
        Wrap::output(self, after, done)
    }
    fn touches(&self) -> Touches {
        self.inner().touches()
    }
    fn subject(&self) -> String {
        self.inner().subject()
    }
    fn witness(&self, after: &Seen) -> Option<Value> {
        self.inner().witness(after)
    }
    fn unrun(&self) -> Option<Value> {
        self.inner().unrun()
    }
    fn broken(&self) -> Option<Refusal> {
        self.inner().broken()
    }
    fn awaits(&self) -> u64 {
        self.inner().awaits()
    }
    fn says(&self) -> Option<&'static str> {
        self.inner().says()
    }
}
