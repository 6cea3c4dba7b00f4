//! Rehearsals: what tells exactly how steps would end, and leaves nothing behind.

use std::sync::Arc;

use crate::{
    late::NotYet,
    probe::{Answer, AnyProbe, Probe},
    step::Done,
};

/// How it can be found out what the steps of a plan would do, without doing it: a transaction that is taken back, a
/// program's own dry run.
///
/// It is a question that is asked instead of taking the steps, only where they are foretold, and only if nothing that
/// the host is foretold to do before would change what it reads. Its answer is what the [`Run`](crate::Run) steps of
/// the plan would leave, one after the other, up to the first that fails: outcome, result and failure are then made
/// of it as of a run. A question that cannot be answered (`NotYet`) leaves them unknown, for that reason.
#[derive(Clone, Debug)]
pub struct Rehearsal(Result<Arc<dyn AnyProbe>, NotYet>);

impl Rehearsal {
    /// By this question. It must end by itself, soon, and keep nobody else from their work for longer.
    pub fn new<P: Probe<Answer = Vec<Done>>>(probe: P) -> Self {
        Self(Ok(Arc::new(probe)))
    }

    /// There can be none, for this reason: a noun that says what is not known without it.
    pub fn none(why: impl Into<String>) -> Self {
        Self(Err(NotYet::new(why)))
    }

    /// The question, or why there is none.
    pub fn question(&self) -> Result<&Arc<dyn AnyProbe>, NotYet> {
        self.0.as_ref().map_err(Clone::clone)
    }

    /// What it answered.
    pub(crate) fn read(answer: &Answer) -> Result<Vec<Done>, NotYet> {
        let any = answer.as_ref().map_err(Clone::clone)?;
        let done = any.downcast_ref::<Vec<Done>>();
        Ok(done
            .expect("BUG: two types of probes have one name")
            .clone())
    }
}
