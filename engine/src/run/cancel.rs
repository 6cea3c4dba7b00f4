//! Stopping a run: first gently, then at once.

use tokio_util::sync::CancellationToken;

/// Stops a run from outside. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    stop: CancellationToken,
    abort: CancellationToken,
}

impl Cancel {
    /// Not stopped.
    pub fn new() -> Self {
        Self::default()
    }

    /// Steps that are running end; nothing new starts (the first Ctrl-C).
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Nothing is waited for any more (the second).
    pub fn abort(&self) {
        self.stop.cancel();
        self.abort.cancel();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.is_cancelled()
    }

    pub(super) async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    pub(super) async fn aborted(&self) {
        self.abort.cancelled().await;
    }
}
