//! The door to a host as a run goes through it: questions about this machine do not go out.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;

use super::Options;
use crate::{
    host::{Exchange, Host, HostError, Op, OpResult, Recall, Reply, Stopping, Traffic},
    keep::{Keep, Kept, KeptPlace},
    late::NotYet,
    probe::Answer,
};

/// A host, and what is kept of it here.
pub(super) struct Door {
    host: Arc<dyn Host>,
    keep: Arc<dyn Keep>,
}

/// By operation: which of its questions are about this machine.
type Own = BTreeMap<usize, Vec<(usize, KeptPlace)>>;

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
            for (place, kept) in questions {
                let answer = self.kept(kept).await;
                answers.insert(place.min(answers.len()), answer);
            }
        }
    }

    async fn kept(&self, place: KeptPlace) -> Answer {
        let keep = Arc::clone(&self.keep);
        // Large files take their time.
        let digest = tokio::task::spawn_blocking(move || keep.digest(&place)).await;
        match digest {
            Ok(digest) => Ok(Arc::new(digest.map_err(|why| why.to_string()))),
            Err(why) => Err(NotYet(why.to_string())),
        }
    }
}

/// Takes the questions about this machine out of operations.
fn take(ops: &mut [Op]) -> Own {
    let mut own = Own::new();
    for (at, op) in ops.iter_mut().enumerate() {
        let Op::Observe { probes, .. } = op else {
            continue;
        };
        let place = |probe: &Arc<dyn crate::probe::AnyProbe>| {
            let kept: Option<&Kept> = probe.as_any().downcast_ref();
            kept.map(|kept| kept.0.clone())
        };
        let all: Vec<_> = (0..)
            .zip(&*probes)
            .filter_map(|(position, probe)| Some((position, place(probe)?)))
            .collect();
        if !all.is_empty() {
            probes.retain(|probe| place(probe).is_none());
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
