//! Gets files of web servers for hosts that have no program for it.
//!
//! [`Downloader`] is what a program gives to a run as
//! [`Options::downloads`](evenkeel_engine::run::Options::downloads). A file is got once for all hosts
//! of a run, and kept in a cache: what has come is gone on with, and what is whole is got again only
//! if the server has something else. [`answer`] is for what is small, wanted at once and kept nowhere.

mod answer;
mod cache;
mod client;
mod sum;

use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use evenkeel_engine::{
    Source,
    download::{Checksum, Downloads, Got, Order},
};

pub use answer::{Bounds, answer};
use cache::{Entry, Whole};
use client::{Answer, Came};

/// How long one file may take; the next run goes on with it.
const LIMIT: Duration = Duration::from_secs(3600);

/// How often one file is gone on with in a run, if more of it comes each time.
const TRIES: usize = 5;

/// Gets files, each once.
#[derive(Debug)]
pub struct Downloader {
    cache: PathBuf,
    orders: Mutex<BTreeMap<String, Arc<Turn>>>,
}

/// What has come of an order; who wants the same waits for it.
type Turn = tokio::sync::Mutex<Option<Whole>>;

impl Downloader {
    /// Keeps what it gets in a directory, which is made when it is needed and is for its owner alone.
    pub fn new(cache: impl Into<PathBuf>) -> Self {
        Self {
            cache: cache.into(),
            orders: Mutex::default(),
        }
    }

    fn turn(&self, order: &Order) -> Arc<Turn> {
        let orders = self.orders.lock();
        let mut orders = orders.unwrap_or_else(PoisonError::into_inner);
        Arc::clone(orders.entry(order.id()).or_default())
    }

    async fn fetch(&self, order: &Order) -> io::Result<Whole> {
        let (cache, id) = (self.cache.clone(), order.id());
        let entry = blocking(move || Entry::open(&cache, &id)).await?;
        let mut known = entry.whole();
        if let (Some(whole), Some(sum)) = (&known, &order.checksum) {
            if differs(whole, sum).await?.is_none() {
                return Ok(whole.clone());
            }
            // What it must not be is not asked for again.
            known = None;
        }
        let mut tries = 0;
        loop {
            let part = entry.part();
            let had = part.len();
            match client::get(order, known.as_ref(), part).await? {
                Answer::Unchanged => return known.ok_or_else(|| unasked("304 Not Modified")),
                Answer::Came(came) => return whole(&entry, came, order).await,
                Answer::Cut { len, why } => {
                    tries += 1;
                    if len <= had || tries == TRIES {
                        return Err(io::Error::other(why));
                    }
                }
                // What was there of it is of no use: once more from its beginning.
                Answer::Anew if had > 0 => entry.forget_part()?,
                Answer::Anew => return Err(unasked("a part")),
            }
        }
    }
}

fn unasked(what: &str) -> io::Error {
    io::Error::other(format!(
        "the server answers with {what}, which was not asked for"
    ))
}

#[async_trait]
impl Downloads for Downloader {
    async fn get(&self, order: &Order) -> io::Result<Got> {
        let turn = self.turn(order);
        let mut known = turn.lock().await;
        let again = match (&*known, &order.checksum) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(whole), Some(sum)) => differs(whole, sum).await?.is_some(),
        };
        if again {
            let fetched = tokio::time::timeout(LIMIT, self.fetch(order)).await;
            let late = |_| {
                let minutes = LIMIT.as_secs() / 60;
                let what =
                    format!("it was not whole after {minutes} minutes; the next run goes on");
                io::Error::new(io::ErrorKind::TimedOut, what)
            };
            *known = Some(fetched.map_err(late)??);
        }
        let Some(Whole { path, name, .. }) = known.clone() else {
            return Err(io::Error::other("nothing came"));
        };
        drop(known);
        let shown = order.shown.clone();
        let source = blocking(move || Source::open(shown, &path)).await?;
        Ok(Got { source, name })
    }
}

/// What came is made what it shall be, held against its checksum, and takes its place.
async fn whole(entry: &Entry, came: Came, order: &Order) -> io::Result<Whole> {
    let (entry, decompress) = (entry.clone(), order.decompress);
    let sum = order.checksum.clone();
    blocking(move || {
        if decompress && came.is_packed {
            entry.unpack_part()?;
        }
        if let Some(sum) = sum {
            let real = sum::of(sum.algorithm, &entry.part_path())?;
            if real != sum.digits {
                entry.forget_part()?;
                let name = sum.algorithm.name();
                let what = format!(
                    "its {name} is {real}, not {}: nothing was changed",
                    sum.digits
                );
                return Err(io::Error::other(what));
            }
        }
        entry.finish(came.tag, came.name)
    })
    .await
}

/// The checksum of what is there, if it is not the one that is asked for.
async fn differs(whole: &Whole, sum: &Checksum) -> io::Result<Option<String>> {
    let (path, sum) = (whole.path.clone(), sum.clone());
    blocking(move || {
        let real = sum::of(sum.algorithm, &path)?;
        Ok((real != sum.digits).then_some(real))
    })
    .await
}

/// What may take its time, where nobody waits for it.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(io::Error::other(error)),
    }
}

#[cfg(test)]
mod tests;
