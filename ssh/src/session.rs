//! One connection to one machine: a stream, keys exchanged, the host known, the user logged in.

use std::{
    any::Any,
    borrow::Cow,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use russh::{
    Preferred,
    client::{self, DisconnectReason, Handle, Msg},
    compression,
    keys::{Algorithm, HashAlg, PublicKey, PublicKeyOrCertificate},
};
use tokio::time::timeout;

use crate::{
    auth,
    host_keys::{HostKeys, Strictness},
    known_hosts::{CertificateFault, Lookup, Verdict},
    route::{Endpoint, Patience, Route},
    stream::{self, plain},
    trouble::Trouble,
};

/// A connection on which commands can be started.
pub(crate) struct Session {
    handle: Handle<Guard>,
    told: Arc<Told>,
    /// What it leads through, kept up as long as this is.
    _under: Under,
}

/// What a connection leads through: a gateway's, or a command.
type Under = Box<dyn Any + Send + Sync>;

/// What keeps a connection up while a channel of it is in use.
#[derive(Clone, Debug)]
pub(crate) struct Lifeline(Arc<Session>);

impl Lifeline {
    /// Why the connection ended.
    pub(crate) fn why_lost(&self) -> String {
        self.0.told.why_ended()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

impl Session {
    /// Goes the whole route.
    pub(crate) async fn connect(route: &Route) -> Result<Arc<Self>, Trouble> {
        let gateway = route.shared.lead(route).await?;
        Self::hop(route, &route.host, gateway)
            .await
            .map(Arc::new)
            .map_err(|trouble| trouble.on(&route.host.shown()))
    }

    /// One machine of it, through the gateway before it.
    pub(crate) async fn hop(
        route: &Route,
        to: &Endpoint,
        gateway: Option<Arc<Self>>,
    ) -> Result<Self, Trouble> {
        let patience = &route.patience;
        let told = Arc::new(Told::default());
        let shaken = shake(route, to, gateway, &told);
        let seconds = patience.connect.as_secs();
        let (mut handle, under) = timeout(patience.connect, shaken).await.map_err(|_| {
            Trouble::passing(format!(
                "no answer within {seconds} s (`--timeout` waits longer)"
            ))
        })??;
        let login = auth::log_in(&mut handle, to, &route.key_files, &told);
        let seconds = patience.login.as_secs();
        timeout(patience.login, login)
            .await
            .map_err(|_| Trouble::passing(format!("the login did not end within {seconds} s")))??;
        Ok(Self {
            handle,
            told,
            _under: under,
        })
    }

    /// Whether it is known to have ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// A channel for a command.
    pub(crate) async fn channel(&self) -> Result<russh::Channel<Msg>, russh::Error> {
        self.handle.channel_open_session().await
    }

    /// What keeps it up.
    pub(crate) fn lifeline(self: &Arc<Self>) -> Lifeline {
        Lifeline(Arc::clone(self))
    }

    /// A stream to another machine.
    async fn tunnel(&self, to: &Endpoint) -> Result<russh::ChannelStream<Msg>, Trouble> {
        let port = u32::from(to.port);
        let opened = self
            .handle
            .channel_open_direct_tcpip(&to.host, port, "127.0.0.1", 0);
        match opened.await {
            Ok(channel) => Ok(channel.into_stream()),
            Err(russh::Error::ChannelOpenFailure(
                russh::ChannelOpenFailure::AdministrativelyProhibited,
            )) => Err(Trouble::lasting(
                "the gateway before it forwards no connections",
                "allow it there (`AllowTcpForwarding`, `PermitOpen` in `sshd_config`), or name another gateway \
                 (`ProxyJump` in the configuration of ssh)",
            )),
            Err(russh::Error::ChannelOpenFailure(reason)) => Err(Trouble::passing(format!(
                "the gateway before it cannot connect to it ({reason:?})"
            ))),
            Err(_) => Err(Trouble::passing(format!(
                "the gateway before it was lost: {}",
                self.told.why_ended()
            ))),
        }
    }
}

/// Gets a stream, exchanges keys over it and makes sure of the host.
async fn shake(
    route: &Route,
    to: &Endpoint,
    gateway: Option<Arc<Session>>,
    told: &Arc<Told>,
) -> Result<(Handle<Guard>, Under), Trouble> {
    let guard = Guard {
        lookup: to.lookup(),
        host: to.host.clone(),
        port: to.port,
        host_keys: Arc::clone(&to.host_keys),
        strictness: to.strictness,
        told: Arc::clone(told),
    };
    let config = Arc::new(config(to, &route.patience)?);
    let (shaken, under) = match (gateway, &route.command) {
        (Some(gateway), _) => {
            let stream = gateway.tunnel(to).await?;
            let shaken = client::connect_stream(config, stream, guard).await;
            (shaken, Box::new(gateway) as Under)
        }
        (None, Some(command)) => {
            let (child, stream) = stream::command(command)?;
            let shaken = client::connect_stream(config, stream, guard).await;
            (shaken, Box::new(child) as Under)
        }
        (None, None) => {
            let stream = stream::tcp(to, &route.patience).await?;
            let shaken = client::connect_stream(config, stream, guard).await;
            (shaken, Box::new(()) as Under)
        }
    };
    let handle = shaken.map_err(|error| told.refused().unwrap_or_else(|| handshake(&error)))?;
    Ok((handle, under))
}

fn config(to: &Endpoint, patience: &Patience) -> Result<client::Config, Trouble> {
    // Kinds that are known of this host first: another one would have to be refused.
    let asked = to.host_keys.algorithms(&to.lookup());
    let asked = asked.map_err(|error| unreadable(&error))?;
    let preferred = Preferred {
        key: asked.keys.into(),
        host_key_certificates: asked.certificates.into(),
        compression: Cow::Borrowed(&[compression::NONE]),
        ..Preferred::DEFAULT
    };
    Ok(client::Config {
        client_id: russh::SshId::Standard(
            concat!("SSH-2.0-evenkeel_", env!("CARGO_PKG_VERSION")).into(),
        ),
        preferred,
        nodelay: true,
        keepalive_interval: patience.keepalive,
        keepalive_max: patience.keepalives,
        ..client::Config::default()
    })
}

fn unreadable(error: &std::io::Error) -> Trouble {
    Trouble::lasting(
        format!("whether its key is known cannot be read: {}", plain(error)),
        "make the file of known hosts readable",
    )
}

/// Why keys were not exchanged.
fn handshake(error: &russh::Error) -> Trouble {
    match error {
        russh::Error::NoCommonAlgo { kind, theirs, .. } => Trouble::lasting(
            format!(
                "it offers no {} that evenkeel knows: {}",
                match kind {
                    russh::AlgorithmKind::Kex => "key exchange",
                    russh::AlgorithmKind::Key => "kind of host key",
                    russh::AlgorithmKind::Cipher => "cipher",
                    russh::AlgorithmKind::Compression => "compression",
                    russh::AlgorithmKind::Mac => "MAC",
                },
                theirs.join(", ")
            ),
            "allow a current one in the host's `sshd_config`, or reach it with the system's ssh: \
             `ansible_connection: openssh`",
        ),
        russh::Error::Version => Trouble::lasting(
            "what answers there is no SSH server",
            "correct the port: `ansible_port`, or `Port` in the configuration of ssh",
        ),
        russh::Error::IO(error) => Trouble::passing(format!(
            "the connection broke before keys were exchanged: {}",
            plain(error)
        )),
        russh::Error::HUP | russh::Error::Disconnect => Trouble::passing(
            "it closed the connection before keys were exchanged (too many logins at once: \
             `MaxStartups`; or a firewall)",
        ),
        other => Trouble::passing(format!("keys could not be exchanged: {other}")),
    }
}

/// What the task of a connection tells the others.
#[derive(Debug, Default)]
pub(crate) struct Told {
    refused: Mutex<Option<Trouble>>,
    ended: Mutex<Option<String>>,
    doubtful: AtomicBool,
}

impl Told {
    fn refused(&self) -> Option<Trouble> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.clone()
    }

    /// Whether its key has changed, and nobody minds: it is told no password.
    pub(crate) fn is_doubtful(&self) -> bool {
        self.doubtful.load(Ordering::Relaxed)
    }

    /// What the host, or the connection, said at the end.
    pub(crate) fn ended(&self) -> Option<String> {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.clone()
    }

    fn why_ended(&self) -> String {
        self.ended().unwrap_or_else(|| "it was closed".to_owned())
    }
}

/// Lets only the right host in.
pub(crate) struct Guard {
    lookup: Lookup,
    host: String,
    port: u16,
    host_keys: Arc<HostKeys>,
    strictness: Strictness,
    told: Arc<Told>,
}

impl Guard {
    fn judge(&self, shown: &PublicKeyOrCertificate) -> Result<(), Trouble> {
        let verdict = self.host_keys.check(&self.lookup, shown);
        let key: PublicKey = match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => key.clone(),
            PublicKeyOrCertificate::Certificate(certificate) => {
                certificate.public_key().clone().into()
            }
        };
        match (verdict, self.strictness) {
            (Ok(Verdict::Known(_) | Verdict::Certified(_)), _) => Ok(()),
            (Ok(Verdict::Unknown { .. }) | Err(_), Strictness::Off) => Ok(()),
            (Ok(Verdict::Changed { .. }), Strictness::Off) => {
                self.told.doubtful.store(true, Ordering::Relaxed);
                Ok(())
            }
            (Ok(Verdict::Unknown { certificate: None }), Strictness::AcceptNew) => {
                let learnt = self.host_keys.learn(&self.lookup, &key);
                learnt.map_err(|error| {
                    Trouble::lasting(
                        format!("its key cannot be written down: {}", plain(&error)),
                        "make the file of known hosts writable, or name another one \
                         (`UserKnownHostsFile` in the configuration of ssh)",
                    )
                })
            }
            (Ok(verdict), _) => Err(self.refusal(&verdict, &key)),
            (Err(error), _) => Err(unreadable(&error)),
        }
    }

    fn refusal(&self, verdict: &Verdict, key: &PublicKey) -> Trouble {
        let print = key.fingerprint(HashAlg::Sha256);
        let shows = format!("{} {print}", key.algorithm());
        let name = self.lookup.known_as();
        let file = self.host_keys.first();
        let file = file.map_or_else(
            || "known_hosts".to_owned(),
            |file| file.display().to_string(),
        );
        match verdict {
            Verdict::Changed { known, certificate } => {
                let places = known.iter().map(|known| {
                    format!(
                        "{} {} ({})",
                        known.algorithm, known.fingerprint, known.place
                    )
                });
                let places: Vec<String> = places.collect();
                Trouble::lasting(
                    format!(
                        "its key has CHANGED: it shows {shows}, known is {}{}. Either it was set up \
                         anew, or somebody else answers in its place",
                        places.join(", "),
                        fault(certificate.as_ref())
                    ),
                    format!(
                        "ask whoever set it up; if the new key is right, take out the old one: \
                         `ssh-keygen -f '{file}' -R '{name}'`, and write the new one down"
                    ),
                )
            }
            Verdict::Revoked(place) => Trouble::lasting(
                format!("its key is REVOKED: {shows} ({place})"),
                "give the host a new key and write that down; whoever revoked the old one knows why",
            ),
            Verdict::Unknown { certificate } => Trouble::lasting(
                format!(
                    "its key is not known: {shows}{}",
                    fault(certificate.as_ref())
                ),
                format!(
                    "compare it with what `ssh-keygen -lf /etc/ssh/ssh_host_{}_key.pub` prints on the \
                     host, then add it: `ssh-keyscan -p {} {} >> '{file}'`; or have keys trusted at \
                     first sight: `StrictHostKeyChecking accept-new` in the configuration of ssh",
                    family(&key.algorithm()),
                    self.port,
                    self.host,
                ),
            ),
            Verdict::Known(_) | Verdict::Certified(_) => {
                Trouble::passing("BUG: a known key was refused")
            }
        }
    }
}

/// Why its certificate did not help.
fn fault(fault: Option<&CertificateFault>) -> String {
    fault.map_or_else(String::new, |fault| {
        format!("; its certificate does not hold: {fault}")
    })
}

/// As the files of host keys are called.
fn family(algorithm: &Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Rsa { .. } => "rsa",
        Algorithm::Ecdsa { .. } => "ecdsa",
        _ => "ed25519",
    }
}

impl client::Handler for Guard {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        shown: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        match self.judge(shown) {
            Ok(()) => Ok(true),
            Err(trouble) => {
                let refused = &self.told.refused;
                *refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(trouble);
                Ok(false)
            }
        }
    }

    async fn disconnected(
        &mut self,
        reason: DisconnectReason<Self::Error>,
    ) -> Result<(), Self::Error> {
        let why = match &reason {
            DisconnectReason::ReceivedDisconnect(said) => {
                format!("the host ended it: {}", said.message.trim())
            }
            DisconnectReason::Error(russh::Error::IO(error)) => plain(error),
            DisconnectReason::Error(russh::Error::KeepaliveTimeout) => {
                "the host is silent".to_owned()
            }
            DisconnectReason::Error(russh::Error::HUP | russh::Error::Disconnect) => {
                "the host closed it".to_owned()
            }
            DisconnectReason::Error(error) => error.to_string(),
        };
        *self
            .told
            .ended
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(why);
        Ok(())
    }
}
