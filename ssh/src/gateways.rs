//! Gateways that several hosts are behind: one connection to each, for all of them.

use std::{
    collections::BTreeMap,
    fmt,
    net::IpAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::OnceCell;

use crate::{
    host_keys::Strictness,
    route::{Endpoint, Identity, Route},
    session::Session,
    trouble::Trouble,
};

/// Connections to gateways, shared by all routes that have this in common.
#[derive(Default)]
pub struct Gateways {
    attempts: Mutex<BTreeMap<Way, Attempt>>,
}

/// One attempt at a gateway: whoever wants it meanwhile waits for what comes of it.
type Attempt = Arc<OnceCell<Result<Arc<Session>, Trouble>>>;

/// How a gateway is reached: what leads there another way, or is trusted in another way, is another one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    command: Option<String>,
    hops: Vec<Hop>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Hop {
    host: String,
    port: u16,
    bind: Option<IpAddr>,
    user: String,
    key_alias: Option<String>,
    identities: Vec<Identity>,
    certificates: Vec<PathBuf>,
    agent: Option<PathBuf>,
    identities_only: bool,
    strictness: Strictness,
    /// Where what is known of host keys is: the same files are read once.
    host_keys: usize,
}

impl Hop {
    fn of(endpoint: &Endpoint) -> Self {
        Self {
            host: endpoint.host.clone(),
            port: endpoint.port,
            bind: endpoint.bind,
            user: endpoint.user.clone(),
            key_alias: endpoint.key_alias.clone(),
            identities: endpoint.identities.clone(),
            certificates: endpoint.certificates.clone(),
            agent: endpoint.agent.clone(),
            identities_only: endpoint.identities_only,
            strictness: endpoint.strictness,
            host_keys: Arc::as_ptr(&endpoint.host_keys).addr(),
        }
    }
}

impl Gateways {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The last gateway of a route, with all before it; none if the host is reached at once.
    pub(crate) async fn lead(&self, route: &Route) -> Result<Option<Arc<Session>>, Trouble> {
        let mut way = Way {
            command: route.command.clone(),
            hops: Vec::new(),
        };
        let mut before = None;
        for hop in &route.gateways {
            way.hops.push(Hop::of(hop));
            let attempt = self.attempt(&way);
            let connect = async {
                let name = format!("gateway `{}`", hop.shown());
                let session = Session::hop(route, hop, before.clone()).await;
                session.map(Arc::new).map_err(|trouble| trouble.on(&name))
            };
            before = Some(attempt.get_or_init(|| connect).await.clone()?);
        }
        Ok(before)
    }

    /// The attempt that is under way or has succeeded; a new one if it has failed, or the connection has ended.
    fn attempt(&self, way: &Way) -> Attempt {
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        let attempt = attempts.entry(way.clone()).or_default();
        let is_over = match attempt.get() {
            None => false,
            Some(Ok(session)) => session.is_closed(),
            Some(Err(_)) => true,
        };
        if is_over {
            *attempt = Attempt::default();
        }
        Arc::clone(attempt)
    }
}

impl fmt::Debug for Gateways {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateways").finish_non_exhaustive()
    }
}
