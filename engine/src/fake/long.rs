//! Long steps of a fake host: they end some exchanges after they were started.

use std::collections::BTreeMap;

use crate::{host::StepEnd, identity::Identity, secret::Text, step::Action, step::Effect};

/// The spool.
#[derive(Clone, Debug, Default)]
pub(super) struct Spool {
    /// How many exchanges a long step lasts after the one that started it.
    pub(super) takes: u32,
    pub(super) steps: BTreeMap<String, Long>,
}

#[derive(Clone, Debug)]
pub(super) enum Long {
    Running { left: u32, job: Box<Job> },
    Ended(StepEnd),
    Lost,
}

#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) who: Identity,
    pub(super) env: Vec<(String, Text)>,
    pub(super) action: Action,
    pub(super) effects: Vec<Effect>,
}

impl Spool {
    pub(super) fn start(&mut self, name: &str, job: Job) {
        let left = self.takes;
        let job = Box::new(job);
        let running = Long::Running { left, job };
        // Found again, neither killed nor started twice.
        self.steps.entry(name.to_owned()).or_insert(running);
    }

    /// An exchange begins: what has run long enough is to be ended by the caller.
    pub(super) fn pass(&mut self) -> Vec<(String, Box<Job>)> {
        let mut due = Vec::new();
        for (name, step) in &mut self.steps {
            match step {
                Long::Running { left: 0, job } => due.push((name.clone(), job.clone())),
                Long::Running { left, .. } => *left -= 1,
                Long::Ended(_) | Long::Lost => {}
            }
        }
        due
    }

    /// One that lasts no longer than the exchange that started it.
    pub(super) fn due(&self, name: &str) -> Option<Box<Job>> {
        match self.steps.get(name)? {
            Long::Running { job, .. } if self.takes == 0 => Some(job.clone()),
            _ => None,
        }
    }

    /// The end of a step is known: it is removed. One that runs stays.
    pub(super) fn forget(&mut self, name: &str) {
        if !matches!(self.steps.get(name), Some(Long::Running { .. })) {
            self.steps.remove(name);
        }
    }

    pub(super) fn lose(&mut self) {
        for step in self.steps.values_mut() {
            if matches!(step, Long::Running { .. }) {
                *step = Long::Lost;
            }
        }
    }
}
