//! Which keys are offered, in which order.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use russh::keys::{
    Certificate, HashAlg, PrivateKey, PublicKey,
    agent::{AgentIdentity, client::AgentClient},
};
use tokio::net::UnixStream;

use super::{certified, tried::Tried};
use crate::{
    key_files::{self, KeyFiles, KeyTrouble},
    route::{Endpoint, Identity},
};

/// Somebody who signs for us.
pub(super) type Agent = AgentClient<UnixStream>;

/// A key to offer.
pub(super) enum Candidate {
    /// From a file.
    File { key: Arc<PrivateKey>, file: PathBuf },
    /// From a file, with what an authority says about it.
    Certified {
        key: Arc<PrivateKey>,
        certificate: Box<Certificate>,
        file: PathBuf,
    },
    /// That the agent holds.
    Agent(Box<AgentIdentity>),
}

impl Candidate {
    /// As an error names it.
    pub(super) fn shown(&self, user: &str) -> String {
        let doubt = |certificate: &Certificate| match certified::doubt(certificate, user) {
            Some(doubt) => format!(" ({doubt})"),
            None => String::new(),
        };
        match self {
            Self::File { key, file } => {
                let print = key.fingerprint(HashAlg::Sha256);
                format!("key `{}` ({print})", file.display())
            }
            Self::Certified {
                certificate, file, ..
            } => format!(
                "certificate `{}` of key `{}`{}",
                certificate.key_id(),
                file.display(),
                doubt(certificate)
            ),
            Self::Agent(identity) => {
                let doubt = match &**identity {
                    AgentIdentity::Certificate { certificate, .. } => doubt(certificate),
                    AgentIdentity::PublicKey { .. } => String::new(),
                };
                format!("{} of the agent{doubt}", super::print(identity))
            }
        }
    }
}

/// What there is to offer: keys that were named, the agent's others, those that lie about.
pub(super) async fn of(
    to: &Endpoint,
    key_files: &Arc<KeyFiles>,
    tried: &mut Tried,
) -> (Option<Agent>, Vec<Candidate>) {
    let (agent, mut held) = match &to.agent {
        Some(socket) => match ask(socket).await {
            Ok((agent, held)) => (Some(agent), held),
            Err(why) => {
                tried.note(format!("the agent at `{}`: {why}", socket.display()));
                (None, Vec::new())
            }
        },
        None => (None, Vec::new()),
    };
    let mut candidates = Vec::new();
    if !to.methods.keys {
        return (None, candidates);
    }
    let (named, about): (Vec<_>, Vec<_>) = to.identities.iter().partition(|one| one.named);
    for identity in named {
        add(to, identity, &mut held, key_files, &mut candidates, tried).await;
    }
    let mut last = Vec::new();
    for identity in about {
        add(to, identity, &mut held, key_files, &mut last, tried).await;
    }
    if !to.identities_only {
        let others = held.into_iter().map(Box::new).map(Candidate::Agent);
        candidates.extend(others);
    }
    candidates.extend(last);
    once(&mut candidates);
    (agent, candidates)
}

/// Nothing is offered twice: hosts count attempts, and a key may be named by several files and settings.
fn once(candidates: &mut Vec<Candidate>) {
    let (mut keys, mut certificates) = (Vec::new(), Vec::new());
    candidates.retain(|candidate| match candidate {
        Candidate::File { key, .. } => is_new(&mut keys, key.public_key().key_data()),
        Candidate::Certified { certificate, .. } => is_new(&mut certificates, certificate.as_ref()),
        Candidate::Agent(identity) => match identity.as_ref() {
            AgentIdentity::PublicKey { key, .. } => is_new(&mut keys, key.key_data()),
            AgentIdentity::Certificate { certificate, .. } => {
                is_new(&mut certificates, certificate)
            }
        },
    });
}

fn is_new<T: Clone + PartialEq>(seen: &mut Vec<T>, one: &T) -> bool {
    let new = !seen.contains(one);
    if new {
        seen.push(one.clone());
    }
    new
}

async fn ask(socket: &Path) -> Result<(Agent, Vec<AgentIdentity>), String> {
    let mut agent = AgentClient::connect_uds(socket)
        .await
        .map_err(|error| error.to_string())?;
    let held = agent.request_identities().await;
    let held = held.map_err(|error| error.to_string())?;
    Ok((agent, held))
}

async fn add(
    to: &Endpoint,
    identity: &Identity,
    held: &mut Vec<AgentIdentity>,
    key_files: &Arc<KeyFiles>,
    candidates: &mut Vec<Candidate>,
    tried: &mut Tried,
) {
    if let Some(public) = public(&identity.file) {
        let (ours, others) = held.drain(..).partition(|one| of_agent(one) == public);
        *held = others;
        let ours: Vec<AgentIdentity> = ours;
        if !ours.is_empty() {
            let ours = ours.into_iter().map(Box::new).map(Candidate::Agent);
            candidates.extend(ours);
            return;
        }
    }
    let (files, path) = (Arc::clone(key_files), identity.file.clone());
    // It may wait for somebody to type a passphrase.
    let key = tokio::task::spawn_blocking(move || files.key(&path)).await;
    let key = match key.unwrap_or_else(|error| Err(KeyTrouble::Bad(error.to_string()))) {
        Ok(key) => key,
        Err(KeyTrouble::Absent) if !identity.named => return,
        Err(why) => {
            if why.is_locked() {
                tried.locked.push(identity.file.clone());
            }
            tried.note(format!("key `{}`: {why}", identity.file.display()));
            return;
        }
    };
    let file = identity.file.clone();
    for certificate in key_files::certificates(&file, &to.certificates, &mut tried.notes) {
        if certificate.public_key() == key.public_key().key_data() {
            candidates.push(Candidate::Certified {
                key: Arc::clone(&key),
                certificate: Box::new(certificate),
                file: file.clone(),
            });
        }
    }
    candidates.push(Candidate::File { key, file });
}

fn of_agent(identity: &AgentIdentity) -> russh::keys::ssh_key::public::KeyData {
    match identity {
        AgentIdentity::PublicKey { key, .. } => key.key_data().clone(),
        AgentIdentity::Certificate { certificate, .. } => certificate.public_key().clone(),
    }
}

/// The public half of a key file, which needs no passphrase: from beside it, or from itself.
fn public(file: &Path) -> Option<russh::keys::ssh_key::public::KeyData> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".pub");
    let read = |path: &Path| fs::read_to_string(path).ok();
    let beside = read(Path::new(&beside));
    let text = beside.or_else(|| read(file))?;
    let key = PublicKey::from_openssh(text.trim()).ok();
    let key = key.or_else(|| Some(PrivateKey::from_openssh(text).ok()?.public_key().clone()))?;
    Some(key.key_data().clone())
}
