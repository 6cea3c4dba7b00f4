//! Ctrl-C, SIGTERM and SIGHUP: the first lets running steps end, the second stops at once.

use std::{future::poll_fn, io, sync::Arc, task::Poll};

use evenkeel_engine::run::Cancel;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::report::out::Printer;

/// Stops a run when signals come. Must be called inside the runtime.
pub(super) fn watch(cancel: Cancel, printer: Arc<Printer>) -> io::Result<()> {
    let kinds = [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
    ];
    let mut signals = kinds
        .into_iter()
        .map(signal)
        .collect::<io::Result<Vec<_>>>()?;
    tokio::spawn(async move {
        any(&mut signals).await;
        cancel.stop();
        printer.talk(
            "stopping: steps that are running end, nothing new starts; \
             once more to stop at once\n",
        );
        any(&mut signals).await;
        printer.talk("stopping at once: what runs on hosts is left to the next run\n");
        cancel.abort();
    });
    Ok(())
}

/// Waits for any of them.
async fn any(signals: &mut [Signal]) {
    poll_fn(|context| {
        let came = signals
            .iter_mut()
            .any(|one| one.poll_recv(context).is_ready());
        if came { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
