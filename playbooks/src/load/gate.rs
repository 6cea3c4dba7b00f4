//! Many hosts may have tasks done on one machine, each over a connection of its own: not all of them
//! knock at the same moment.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use evenkeel_engine::host::{Exchange, Host, HostError, Recall, Reply, Stopping, Traffic};
use tokio::sync::Semaphore;

/// So many connections to one machine are made at once; sshd turns others away from ten on.
const AT_ONCE: usize = 4;

/// Before one machine.
pub(super) struct Gate(Arc<Semaphore>);

impl Default for Gate {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Gate {
    /// A way to the machine that waits at the gate until it stands.
    pub(super) fn before(&self, door: Arc<dyn Host>) -> Arc<dyn Host> {
        Arc::new(Gated {
            door,
            gate: Arc::clone(&self.0),
            stands: AtomicBool::new(false),
        })
    }
}

struct Gated {
    door: Arc<dyn Host>,
    gate: Arc<Semaphore>,
    stands: AtomicBool,
}

impl fmt::Debug for Gated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gated")
    }
}

#[async_trait::async_trait]
impl Host for Gated {
    async fn exchange(&self, exchange: Exchange) -> Result<Reply, HostError> {
        if self.stands.load(Ordering::Relaxed) {
            return self.door.exchange(exchange).await;
        }
        let _pass = self.gate.acquire().await;
        let reply = self.door.exchange(exchange).await;
        self.stands.store(reply.is_ok(), Ordering::Relaxed);
        reply
    }

    async fn recall(&self, lost: &Exchange) -> Result<Recall, HostError> {
        self.door.recall(lost).await
    }

    async fn stop(&self, exchange: &Stopping) -> Result<(), HostError> {
        self.door.stop(exchange).await
    }

    fn traffic(&self) -> Traffic {
        self.door.traffic()
    }
}
