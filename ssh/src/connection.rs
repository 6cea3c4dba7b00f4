//! The connection of a host: made at first use, kept, made again when it was lost.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use evenkeel_engine::{Channel, Connection, host::HostError};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};

use crate::{channel, route::Route, session::Session, trouble::Trouble};

/// A host over SSH.
///
/// Commands share one connection, each with a channel of its own. If a host allows one channel only
/// (`MaxSessions 1`) and it is in use, a second connection is made for the command that cannot
/// wait.
pub struct SshConnection {
    route: Route,
    session: Mutex<Slot>,
}

#[derive(Default)]
struct Slot {
    session: Option<Arc<Session>>,
    /// Whether there ever was one: then it is worth to wait for its return.
    stood: bool,
}

/// Between attempts at a host that does not answer.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// How often a host is tried that was never there.
const ATTEMPTS: usize = 3;

impl SshConnection {
    /// A host that is reached like this. Nothing happens before the first command.
    pub fn new(route: Route) -> Self {
        Self {
            route,
            session: Mutex::new(Slot::default()),
        }
    }

    /// The connection, made if there is none.
    async fn session(&self) -> Result<Arc<Session>, HostError> {
        let mut slot = self.session.lock().await;
        if let Some(session) = slot.session.take_if(|session| !session.is_closed()) {
            slot.session = Some(Arc::clone(&session));
            return Ok(session);
        }
        slot.session = None;
        let session = self.connect(slot.stood).await?;
        slot.session = Some(Arc::clone(&session));
        slot.stood = true;
        Ok(session)
    }

    async fn connect(&self, stood: bool) -> Result<Arc<Session>, HostError> {
        let patience = &self.route.patience;
        let bound = if stood {
            patience.again
        } else {
            patience.connect
        };
        let give_up = Instant::now() + bound;
        let mut pause = FIRST_PAUSE;
        let mut attempts = 1;
        loop {
            let trouble = match Session::connect(&self.route).await {
                Ok(session) => return Ok(session),
                Err(trouble) => trouble,
            };
            let lasting = matches!(trouble, Trouble::Lasting { .. });
            let enough = !stood && attempts >= ATTEMPTS;
            if lasting || enough || Instant::now() + pause >= give_up {
                // One that stood may come back; one that never did is hardly worth to wait for.
                return Err(if stood {
                    trouble.into()
                } else {
                    trouble.given_up(self.route.advice())
                });
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            attempts += 1;
        }
    }
}

impl fmt::Debug for SshConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SshConnection")
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Connection for SshConnection {
    async fn open(&self, command: &str) -> Result<Channel, HostError> {
        // A connection that died in peace shows it only now: nothing was begun on it.
        let mut tries_left = 1;
        let (session, channel) = loop {
            let session = self.session().await?;
            match session.channel().await {
                Ok(channel) => break (session, channel),
                Err(russh::Error::ChannelOpenFailure(_)) => {
                    let spare = Session::connect(&self.route).await?;
                    let channel = spare.channel().await.map_err(|error| refused(&error))?;
                    break (spare, channel);
                }
                Err(_) if tries_left > 0 => tries_left -= 1,
                Err(_) => {
                    return Err(HostError::Unreachable(session.lifeline().why_lost()));
                }
            }
        };
        let lifeline = session.lifeline();
        if channel.exec(true, command).await.is_err() {
            return Err(HostError::Lost(lifeline.why_lost()));
        }
        Ok(channel::streams(channel, lifeline))
    }
}

fn refused(error: &russh::Error) -> HostError {
    HostError::Barred {
        why: format!("it lets us in but opens no channel: {error}"),
        help: "look at `MaxSessions` in the host's `sshd_config`: it must be at least 1".to_owned(),
    }
}
