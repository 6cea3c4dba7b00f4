//! One connection to one machine: a stream, keys exchanged, the host known, the user logged in.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use russh::{
    Preferred,
    client::{self, DisconnectReason, Handle, Msg},
    compression,
    keys::{Algorithm, PublicKeyOrCertificate},
};
use tokio::{net::TcpStream, time::timeout};

use crate::{
    auth,
    host_keys::{HostKeys, Strictness, Verdict},
    route::{Endpoint, Patience, Route},
    trouble::Trouble,
};

/// A connection on which commands can be started.
pub(crate) struct Session {
    handle: Handle<Guard>,
    told: Arc<Told>,
    /// The gateway that it leads through, kept up as long as this is.
    _gateway: Option<Arc<Self>>,
}

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
        let mut gateway: Option<Arc<Self>> = None;
        for hop in &route.gateways {
            let name = format!("gateway `{}`", hop.shown());
            let session = Self::hop(route, hop, gateway).await;
            gateway = Some(Arc::new(session.map_err(|trouble| trouble.on(&name))?));
        }
        Self::hop(route, &route.host, gateway)
            .await
            .map(Arc::new)
            .map_err(|trouble| trouble.on(&route.host.shown()))
    }

    async fn hop(
        route: &Route,
        to: &Endpoint,
        gateway: Option<Arc<Self>>,
    ) -> Result<Self, Trouble> {
        let patience = &route.patience;
        let told = Arc::new(Told::default());
        let guard = Guard {
            host: to.key_name().to_owned(),
            port: to.port,
            host_keys: Arc::clone(&to.host_keys),
            strictness: to.strictness,
            told: Arc::clone(&told),
        };
        let config = Arc::new(config(to, patience));
        let shaken = async {
            if let Some(gateway) = &gateway {
                let stream = gateway.tunnel(to).await?;
                Ok(client::connect_stream(config, stream, guard).await)
            } else {
                let stream = tcp(to, patience).await?;
                Ok(client::connect_stream(config, stream, guard).await)
            }
        };
        let seconds = patience.connect.as_secs();
        let shaken = timeout(patience.connect, shaken).await.map_err(|_| {
            Trouble::passing(format!(
                "no answer within {seconds} s (`--timeout` waits longer)"
            ))
        })??;
        let mut handle = shaken.map_err(|error| {
            let refused = told.refused();
            refused.unwrap_or_else(|| handshake(&error))
        })?;
        let login = auth::log_in(&mut handle, to, &route.key_files, &told);
        let seconds = patience.login.as_secs();
        timeout(patience.login, login)
            .await
            .map_err(|_| Trouble::passing(format!("the login did not end within {seconds} s")))??;
        Ok(Self {
            handle,
            told,
            _gateway: gateway,
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

async fn tcp(to: &Endpoint, patience: &Patience) -> Result<TcpStream, Trouble> {
    let addresses = tokio::net::lookup_host((to.host.as_str(), to.port)).await;
    let addresses = addresses.map_err(|error| {
        let text = error.to_string();
        let text = text.trim_start_matches("failed to lookup address information: ");
        let why = format!("the name `{}` has no address: {text}", to.host);
        if text.contains("emporary") {
            Trouble::passing(why)
        } else {
            Trouble::lasting(
                why,
                "correct the name, or say where the host is by `ansible_host` or `HostName`",
            )
        }
    })?;
    let mut why = "the name has no address".to_owned();
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // An exchange waits for each small packet: it must leave at once.
                drop(stream.set_nodelay(true));
                // What was written into a dead link must not be waited for by the kernel for
                // a quarter of an hour; keepalives say nothing while a write is stuck.
                if let Some(keepalive) = patience.keepalive {
                    let beats = u32::try_from(patience.keepalives).unwrap_or(u32::MAX);
                    let bound = keepalive.saturating_mul(beats.saturating_add(1));
                    drop(socket2::SockRef::from(&stream).set_tcp_user_timeout(Some(bound)));
                }
                return Ok(stream);
            }
            Err(error) => why = format!("{address}: {}", plain(&error)),
        }
    }
    Err(Trouble::passing(format!(
        "{why}; is sshd running there, on this port?"
    )))
}

/// An error of the system without its number.
fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(at) => text[..at].to_lowercase(),
        None => text,
    }
}

fn config(to: &Endpoint, patience: &Patience) -> client::Config {
    let mut preferred = Preferred {
        compression: std::borrow::Cow::Borrowed(&[compression::NONE]),
        ..Preferred::DEFAULT
    };
    let (host, port) = (to.key_name(), to.port);
    let mut kinds = preferred.key.to_vec();
    let known = to.host_keys.known_kinds(host, port);
    // Kinds that are known of this host first: another one would have to be refused.
    kinds.sort_by_key(|kind| !known.iter().any(|known| same_kind(known, kind)));
    if to.host_keys.has_authority(host, port) {
        preferred.host_key_certificates = kinds.clone().into();
    }
    preferred.key = kinds.into();
    client::Config {
        client_id: russh::SshId::Standard(
            concat!("SSH-2.0-evenkeel_", env!("CARGO_PKG_VERSION")).into(),
        ),
        preferred,
        nodelay: true,
        keepalive_interval: patience.keepalive,
        keepalive_max: patience.keepalives,
        ..client::Config::default()
    }
}

/// RSA keys are of one kind, whatever they are hashed with.
fn same_kind(a: &Algorithm, b: &Algorithm) -> bool {
    a == b || matches!((a, b), (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }))
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
}

impl Told {
    fn refused(&self) -> Option<Trouble> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.clone()
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
    host: String,
    port: u16,
    host_keys: Arc<dyn HostKeys>,
    strictness: Strictness,
    told: Arc<Told>,
}

impl Guard {
    fn name(&self) -> String {
        match self.port {
            22 => self.host.clone(),
            port => format!("[{}]:{port}", self.host),
        }
    }

    fn judge(&self, shown: &PublicKeyOrCertificate) -> Result<(), Trouble> {
        if self.strictness == Strictness::Off {
            return Ok(());
        }
        let (host, port) = (self.host.as_str(), self.port);
        let (verdict, key) = match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => {
                (self.host_keys.check(host, port, key), key.clone())
            }
            PublicKeyOrCertificate::Certificate(certificate) => (
                self.host_keys.check_certificate(host, port, certificate),
                certificate.public_key().clone().into(),
            ),
        };
        let print = key.fingerprint(russh::keys::HashAlg::Sha256);
        let kind = key.algorithm();
        let name = self.name();
        match verdict {
            Verdict::Known => Ok(()),
            Verdict::Unknown if self.strictness == Strictness::AcceptNew => {
                let learnt = self.host_keys.learn(host, port, &key);
                learnt.map(drop).map_err(|error| {
                    Trouble::lasting(
                        format!("its key cannot be written down: {error}"),
                        "make the file of known hosts writable, or name another one \
                         (`UserKnownHostsFile`)",
                    )
                })
            }
            Verdict::Unknown => Err(Trouble::lasting(
                format!("its key is not known: {kind} {print}"),
                format!(
                    "if that is what `ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub` prints on the host, \
                     accept it: `ssh-keyscan -p {port} {host}` prints the line for \
                     `~/.ssh/known_hosts`; or trust keys at first sight: \
                     `StrictHostKeyChecking accept-new` in the configuration of ssh"
                ),
            )),
            Verdict::Changed { place } => Err(Trouble::lasting(
                format!(
                    "ITS KEY HAS CHANGED: it shows {kind} {print}, known is another one ({place}). \
                     Either the host was set up anew, or somebody else answers in its place"
                ),
                format!(
                    "ask whoever set it up; if the new key is right, take the old one out: \
                     `ssh-keygen -R '{name}'`"
                ),
            )),
            Verdict::Revoked { place } => Err(Trouble::lasting(
                format!("its key is revoked: {kind} {print} ({place})"),
                "give the host a new key (`ssh-keygen -A` there, after the old ones are gone), and \
                 write it down in the file of known hosts",
            )),
            Verdict::NotValid(why) => Err(Trouble::lasting(
                format!("its certificate does not hold: {why}"),
                "have the host's certificate signed anew, or correct the line `@cert-authority` in \
                 the file of known hosts",
            )),
            Verdict::Unreadable(why) => Err(Trouble::lasting(
                format!("whether its key is known cannot be read: {why}"),
                "make the file of known hosts readable",
            )),
        }
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
