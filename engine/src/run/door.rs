//! The door to a host as a run goes through it: questions about this machine do not go out.

use std::{any::Any, collections::BTreeMap, io, sync::Arc};

use async_trait::async_trait;

use super::{Cancel, Options};
use crate::{
    download::{Downloaded, DownloadedText, Downloads, Got, Order},
    host::{Exchange, Host, HostError, Op, OpResult, Recall, Reply, Stopping, Traffic},
    keep::{Keep, Kept, KeptFile},
    late::NotYet,
    probe::{Answer, AnyProbe},
};

/// A host, and what is kept of it or got for it here.
pub(super) struct Door {
    host: Arc<dyn Host>,
    keep: Arc<dyn Keep>,
    downloads: Arc<dyn Downloads>,
    cancel: Cancel,
}

/// How long a text of a server may be.
const TEXT_LIMIT: u64 = 700_000;

/// By operation: which of its questions are about this machine.
type Own = BTreeMap<usize, Vec<(usize, Here)>>;

/// A question about this machine.
#[derive(Clone)]
enum Here {
    Digest(Kept),
    File(KeptFile),
    Download(Downloaded),
    Text(DownloadedText),
}

impl Here {
    fn of(probe: &dyn AnyProbe) -> Option<Self> {
        fn cast<P: Clone + 'static>(probe: &dyn AnyProbe) -> Option<P> {
            probe.as_any().downcast_ref().cloned()
        }
        cast(probe)
            .map(Self::Digest)
            .or_else(|| cast(probe).map(Self::File))
            .or_else(|| cast(probe).map(Self::Download))
            .or_else(|| cast(probe).map(Self::Text))
    }
}

impl Door {
    pub(super) fn new(host: Arc<dyn Host>, options: &Options, cancel: Cancel) -> Self {
        Self {
            host,
            keep: Arc::clone(&options.keep),
            downloads: Arc::clone(&options.downloads),
            cancel,
        }
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
        match question {
            Here::Digest(Kept(place)) => blocking(move || keep.digest(&place)).await,
            Here::File(KeptFile(place)) => blocking(move || keep.source(&place)).await,
            Here::Download(Downloaded(order)) => Ok(erase(self.download(&order).await)),
            Here::Text(DownloadedText(order)) => match self.download(&order).await {
                Ok(got) => blocking(move || text(&got)).await,
                Err(why) => Ok(erase(Err::<String, _>(why))),
            },
        }
    }

    /// Gets a file of a server to this machine.
    async fn download(&self, order: &Order) -> io::Result<Got> {
        tokio::select! {
            got = self.downloads.get(order) => got,
            () = self.cancel.stopped() => {
                Err(io::Error::other("the run was stopped before all of it was here"))
            }
        }
    }
}

fn text(got: &Got) -> io::Result<String> {
    if got.source.len() > TEXT_LIMIT {
        let what = format!("{} bytes are no small file", got.source.len());
        return Err(io::Error::other(what));
    }
    let bytes = got.source.read()?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn erase<T: Send + Sync + 'static>(answer: io::Result<T>) -> Arc<dyn Any + Send + Sync> {
    Arc::new(answer.map_err(|why| why.to_string()))
}

/// What may take its time, where nobody waits for it: large files do.
async fn blocking<T: Send + Sync + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Answer {
    match tokio::task::spawn_blocking(work).await {
        Ok(answer) => Ok(erase(answer)),
        Err(why) => Err(NotYet(why.to_string())),
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
