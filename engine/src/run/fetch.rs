//! Files of the host that are brought here: some bytes in each exchange, so that a file of any size
//! takes a bounded memory, and a lost connection costs one part of it.

use std::sync::{Arc, PoisonError, atomic::Ordering};

use sha2::{Digest as _, Sha256};

use super::{
    chain::steps,
    drive::{Landed, Loop},
    exchange::Lost,
    known::Who,
};
use crate::{
    host::{HostError, Op, OpResult, StepEnd},
    keep::{Incoming, KeptPlace},
    probe::{Answer, AnyProbe, ask, downcast},
    probes::{Chunk, Digest},
    source::Sha,
    step::{Action, Done, Fetch},
    task::TaskId,
};

/// A task whose turn it is to fetch files: items and numbers of its steps.
pub(super) struct Files {
    pub(super) landed: Landed,
    pub(super) steps: Vec<(usize, usize)>,
}

/// How many bytes are asked at once.
const PART: u64 = 8 * 1024 * 1024;

/// Why a file was not fetched.
enum Trouble {
    /// The task fails.
    Task(String),
    /// The host is lost.
    Host(Lost),
}

impl From<Lost> for Trouble {
    fn from(lost: Lost) -> Self {
        Self::Host(lost)
    }
}

fn because(why: impl Into<String>) -> Trouble {
    Trouble::Task(why.into())
}

impl Loop {
    /// Fetches the files of all tasks whose turn it is.
    pub(super) async fn fetch_files(&mut self) -> Result<(), Lost> {
        while let Some(Files { mut landed, steps }) = self.files.pop_front() {
            let next = steps.last().map_or(0, |(_, number)| number + 1);
            for (item, number) in steps {
                let end = self.fetch_step(&landed, number).await?;
                self.note_step(&mut landed, item, number, &end);
            }
            let failed = landed.ran.iter().any(|ran| ran.trouble.is_some());
            if !failed && next < super::chain::steps(&landed.entry.decided).count() {
                landed.entry.from = next;
                self.resumed.push(landed);
            } else {
                self.land(landed);
            }
        }
        self.after_loss().await
    }

    async fn fetch_step(&mut self, landed: &Landed, number: usize) -> Result<StepEnd, Lost> {
        let decided = &landed.entry.decided;
        let action = steps(decided).nth(number).map(|(_, step)| &step.action);
        let Some(Action::Fetch(fetch)) = action else {
            return Ok(StepEnd::Ok(Done::default()));
        };
        let begun = std::time::Instant::now();
        let end = self.fetch(decided.task, decided.who, fetch).await;
        let done = |stderr: Vec<u8>| Done {
            stderr,
            millis: super::millis(begun),
            ..Done::default()
        };
        match end {
            Ok(()) => Ok(StepEnd::Ok(done(Vec::new()))),
            Err(Trouble::Task(why)) => Ok(StepEnd::Failed(done(why.into_bytes()))),
            Err(Trouble::Host(lost)) => Err(lost),
        }
    }

    async fn fetch(&mut self, task: TaskId, who: Who, fetch: &Fetch) -> Result<(), Trouble> {
        let digest = self.digest_of(who, fetch).await?;
        if !self.claim(fetch, digest)? {
            return Ok(());
        }
        let secret = self.task(task).no_log;
        let (keep, place) = (Arc::clone(&self.shared.options.keep), fetch.to.clone());
        let here = |why: std::io::Error| because(format!("`{}`: {why}", fetch.to.path()));
        let begin = move || keep.begin(&place, secret);
        let mut file = blocking(begin).await.map_err(here)?;
        let (mut hasher, mut at) = (Sha256::new(), 0);
        loop {
            let len = fetch.len.map_or(PART, |all| (all - at).min(PART));
            let bytes = self.next_bytes(who, fetch, at, len).await?;
            let count = bytes.len() as u64;
            at += count;
            (file, hasher) = blocking(move || {
                hasher.update(&bytes);
                file.write(&bytes)?;
                Ok((file, hasher))
            })
            .await
            .map_err(here)?;
            if count < len || fetch.len == Some(at) {
                break;
            }
        }
        if hasher.finalize()[..] != digest {
            let why = "it changed while it was being read: run again when nothing writes to it";
            return Err(because(why));
        }
        blocking(move || Incoming::finish(file))
            .await
            .map_err(here)?;
        self.shared.fetches.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    /// What was seen of the files that this run has fetched is asked again.
    pub(super) fn forget_what_is_kept(&mut self) {
        let fetched = self.shared.fetched.lock();
        let fetched = fetched.unwrap_or_else(PoisonError::into_inner);
        let places: Vec<_> = fetched.keys().map(KeptPlace::thing).collect();
        drop(fetched);
        self.known.forget(&places);
    }

    /// What it must be when it is here.
    async fn digest_of(&mut self, who: Who, fetch: &Fetch) -> Result<Sha, Trouble> {
        if let Some(digest) = fetch.digest {
            return Ok(digest);
        }
        let answer = self.ask_now(who, ask(Digest(fetch.path.clone()))).await?;
        match downcast::<Digest>(&answer) {
            Ok(Some(digest)) => Ok(*digest),
            Ok(None) => Err(because("it is gone, or no file any more")),
            Err(why) => Err(because(why.0)),
        }
    }

    /// Asks one question.
    async fn ask_now(&mut self, who: Who, probe: Arc<dyn AnyProbe>) -> Result<Answer, Trouble> {
        let observe = Op::Observe {
            who: self.identities[who].clone(),
            probes: vec![probe],
        };
        let results = self.plain(vec![observe]).await?;
        let Some(OpResult::Observed(answers)) = results.first() else {
            let garbled = HostError::Garbled("questions without answers".to_owned());
            return Err(Lost::from(garbled).into());
        };
        answers.first().cloned().ok_or_else(|| because("no answer"))
    }

    /// The next bytes of a file.
    async fn next_bytes(
        &mut self,
        who: Who,
        fetch: &Fetch,
        at: u64,
        len: u64,
    ) -> Result<Vec<u8>, Trouble> {
        if self.shared.cancel.is_stopped() {
            return Err(because("the run was stopped before all of it was here"));
        }
        let chunk = Chunk {
            path: fetch.path.clone(),
            at,
            len,
        };
        let answer = self.ask_now(who, ask(chunk)).await?;
        match downcast::<Chunk>(&answer) {
            Ok(Some(bytes)) => Ok(bytes.clone()),
            Ok(None) => Err(because("it is gone, or no file any more")),
            Err(why) => Err(because(why.0)),
        }
    }

    /// Two hosts have no place in common, unless what they keep there is the same, or as good. Whether it is this one's turn.
    fn claim(&self, fetch: &Fetch, digest: Sha) -> Result<bool, Trouble> {
        let fetched = self.shared.fetched.lock();
        let mut fetched = fetched.unwrap_or_else(PoisonError::into_inner);
        match fetched.get(&fetch.to) {
            Some((host, _)) if fetch.alike && *host != self.name => Ok(false),
            Some((host, other)) if *host != self.name && *other != digest => Err(because(format!(
                "`{}` is already what was fetched from `{host}`, and that is another file: give each host a place of its own",
                fetch.to.path()
            ))),
            _ => {
                fetched.insert(fetch.to.clone(), (self.name.clone(), digest));
                Ok(true)
            }
        }
    }
}

/// What may take its time, where nobody waits for it.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(std::io::Error::other(error)),
    }
}
