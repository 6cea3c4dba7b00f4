//! What an address answers, whole and in memory: for what is small and wanted at once.

use std::{io, io::Read as _, sync::mpsc, thread, time::Duration};

use evenkeel_engine::download::Order;
use flate2::read::MultiGzDecoder;
use reqwest::header::CONTENT_ENCODING;

use crate::client::{REDIRECTS, request, said};

/// How far an answer may go.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How long all of it may take.
    pub time: Duration,
    /// How many bytes it may have, unpacked.
    pub bytes: usize,
    /// Whether a server may send elsewhere.
    pub redirects: bool,
}

/// Asks for an address, and waits for the answer. Whoever calls may be within a runtime or not. An error
/// names no secret.
///
/// # Errors
///
/// If there is no answer within the bounds, or it is not one of success.
pub fn answer(order: &Order, bounds: Bounds) -> io::Result<Vec<u8>> {
    let order = order.clone();
    let (tell, told) = mpsc::channel();
    // A runtime of its own, in a thread of its own: nothing may wait within another runtime.
    thread::Builder::new().spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let answer = runtime.and_then(|runtime| {
            let bounded = async { tokio::time::timeout(bounds.time, get(&order, bounds)).await };
            let answer = runtime.block_on(bounded);
            // A look-up of a name may hang longer than that.
            runtime.shutdown_background();
            answer.unwrap_or_else(|_| Err(late(bounds)))
        });
        // Who asked may have gone.
        drop(tell.send(answer));
    })?;
    let grace = Duration::from_secs(5);
    match told.recv_timeout(bounds.time + grace) {
        Ok(answer) => answer,
        Err(mpsc::RecvTimeoutError::Timeout) => Err(late(bounds)),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            Err(io::Error::other("who asked for it has ended"))
        }
    }
}

fn late(bounds: Bounds) -> io::Error {
    let what = format!("it was not whole after {} s", bounds.time.as_secs());
    io::Error::new(io::ErrorKind::TimedOut, what)
}

fn much(bounds: Bounds) -> io::Error {
    let most = bounds.bytes >> 20;
    io::Error::other(format!("the answer has more than {most} MiB"))
}

async fn get(order: &Order, bounds: Bounds) -> io::Result<Vec<u8>> {
    let redirects = if bounds.redirects { REDIRECTS } else { 0 };
    let request = request(order, redirects)?;
    let mut response = request.send().await.map_err(|error| said(error, order))?;
    let status = response.status();
    if !status.is_success() {
        return Err(io::Error::other(format!("the server answers `{status}`")));
    }
    let coding = response.headers().get(CONTENT_ENCODING);
    let coding = coding.and_then(|coding| coding.to_str().ok());
    let is_packed = order.decompress && coding.is_some_and(|coding| coding.contains("gzip"));
    let mut bytes = Vec::new();
    while let Some(part) = response.chunk().await.map_err(|error| said(error, order))? {
        bytes.extend_from_slice(&part);
        if bytes.len() > bounds.bytes {
            return Err(much(bounds));
        }
    }
    if !is_packed {
        return Ok(bytes);
    }
    let mut whole = Vec::new();
    let most = u64::try_from(bounds.bytes).unwrap_or(u64::MAX);
    let packed = MultiGzDecoder::new(bytes.as_slice());
    packed
        .take(most.saturating_add(1))
        .read_to_end(&mut whole)
        .map_err(|error| io::Error::other(format!("the answer cannot be unpacked: {error}")))?;
    if whole.len() > bounds.bytes {
        return Err(much(bounds));
    }
    Ok(whole)
}
