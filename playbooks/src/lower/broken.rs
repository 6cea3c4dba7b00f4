//! A turn of a loop whose arguments cannot be made: it fails of that, and the other turns have theirs.

use evenkeel_engine::{Bound, Done, Nature, Plan, Probes, Refusal, Seen, Stop, Touches, Value};

/// Stands in the place of the module and its arguments.
pub(super) struct Broken {
    pub(super) module: &'static str,
    pub(super) refusal: Refusal,
}

impl Broken {
    fn refused(&self) -> Stop {
        Stop::Refused(self.refusal.clone())
    }
}

impl Bound for Broken {
    fn module(&self) -> &'static str {
        self.module
    }
    fn nature(&self) -> Nature {
        Nature::Passive
    }
    fn args(&self) -> Value {
        Value::Null
    }
    fn check(&self) -> Result<(), Refusal> {
        Err(self.refusal.clone())
    }
    fn observe(&self, _: &Seen) -> Probes {
        Probes::new()
    }
    fn plan(&self, _: &Seen) -> Result<Plan, Stop> {
        Err(self.refused())
    }
    fn output(&self, _: &Seen, _: &[Done]) -> Result<Value, Stop> {
        Err(self.refused())
    }
    fn touches(&self) -> Touches {
        Touches::default()
    }
    fn subject(&self) -> String {
        String::new()
    }
    fn witness(&self, _: &Seen) -> Option<Value> {
        None
    }
    fn broken(&self) -> Option<Refusal> {
        Some(self.refusal.clone())
    }
}
