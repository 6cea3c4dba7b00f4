//! The door to a host as a run goes through it: questions about this machine do not go out.

use std::{any::Any, collections::BTreeMap, sync::Arc};

use async_trait::async_trait;

use super::Options;
use crate::{
    host::{Exchange, Host, HostError, Op, OpResult, Recall, Reply, Stopping, Traffic},
    keep::{Keep, Kept, KeptFile},
    late::NotYet,
    probe::{Answer, AnyProbe},
};

/// A host, and what is kept of it here.
pub(super) struct Door {
    host: Arc<dyn Host>,
    keep: Arc<dyn Keep>,
}

/// By operation: which of its questions are about this machine.
type Own = BTreeMap<usize, Vec<(usize, Here)>>;

/// A question about this machine.
#[derive(Clone)]
enum Here {
    Digest(Kept),
    File(KeptFile),
}

impl Here {
    fn of(probe: &dyn AnyProbe) -> Option<Self> {
        let probe = probe.as_any();
        let digest = probe.downcast_ref().cloned().map(Self::Digest);
        digest.or_else(|| probe.downcast_ref().cloned().map(Self::File))
    }

    fn answer(self, keep: &dyn Keep) -> Arc<dyn Any + Send + Sync> {
        let why = |why: std::io::Error| why.to_string();
        match self {
            Self::Digest(Kept(place)) => Arc::new(keep.digest(&place).map_err(why)),
            Self::File(KeptFile(place)) => Arc::new(keep.source(&place).map_err(why)),
        }
    }
}

impl Door {
    pub(super) fn new(host: Arc<dyn Host>, options: &Options) -> Self {
        let keep = Arc::clone(&options.keep);
        Self { host, keep }
    }

    /// Puts the answers about this machine into what came back.
    async fn answered(&self, own: Own, results: &mut [OpResult]) {
        for (at, questions) in own {
            let Some(OpResult::Observed(answers)) = results.get_mut(at) else {
                continue;
            };
            for (place, question) in questions {
                let answer = self.here(question).await;
                answers.insert(place.min(answers.len()), answer);
            }
        }
    }

    async fn here(&self, question: Here) -> Answer {
        let keep = Arc::clone(&self.keep);
        // Large files take their time.
        let answer = tokio::task::spawn_blocking(move || question.answer(&*keep)).await;
        answer.map_err(|why| NotYet(why.to_string()))
    }
}

/// Takes the questions about this machine out of operations.
fn take(ops: &mut [Op]) -> Own {
    let mut own = Own::new();
    for (at, op) in ops.iter_mut().enumerate() {
        let Op::Observe { probes, .. } = op else {
            continue;
        };
        let here = |probe: &Arc<dyn AnyProbe>| Here::of(probe.as_ref());
        let all: Vec<_> = (0..)
            .zip(&*probes)
            .filter_map(|(position, probe)| Some((position, here(probe)?)))
            .collect();
        if !all.is_empty() {
            probes.retain(|probe| here(probe).is_none());
            own.insert(at, all);
        }
    }
    own
}

/// Whether nothing is left that the host has to be asked.
fn is_answered(exchange: &Exchange) -> bool {
    let mut all = exchange.ops.iter().chain(&exchange.tail);
    all.all(|op| matches!(op, Op::Observe { probes, .. } if probes.is_empty()))
}

#[async_trait]
impl Host for Door {
    async fn exchange(&self, mut exchange: Exchange) -> Result<Reply, HostError> {
        let (ops, tail) = (take(&mut exchange.ops), take(&mut exchange.tail));
        if ops.is_empty() && tail.is_empty() {
            return self.host.exchange(exchange).await;
        }
        let mut reply = if exchange.lock.is_none() && is_answered(&exchange) {
            let nothing = |ops: &[Op]| vec![OpResult::Observed(Vec::new()); ops.len()];
            Reply::Ran {
                ops: nothing(&exchange.ops),
                tail: nothing(&exchange.tail),
                serial: 0,
            }
        } else {
            self.host.exchange(exchange).await?
        };
        if let Reply::Ran {
            ops: of_ops,
            tail: of_tail,
            ..
        } = &mut reply
        {
            self.answered(ops, of_ops).await;
            self.answered(tail, of_tail).await;
        }
        Ok(reply)
    }

    async fn recall(&self, lost: &Exchange) -> Result<Recall, HostError> {
        let mut lost = lost.clone();
        let ops = take(&mut lost.ops);
        take(&mut lost.tail);
        let mut recall = self.host.recall(&lost).await?;
        if let Recall::Over(over) = &mut recall {
            self.answered(ops, &mut over.ops).await;
        }
        Ok(recall)
    }

    async fn stop(&self, exchange: &Stopping) -> Result<(), HostError> {
        self.host.stop(exchange).await
    }

    fn traffic(&self) -> Traffic {
        self.host.traffic()
    }
}
