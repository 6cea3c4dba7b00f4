//! Private keys in files: each is read, and its passphrase asked for, once for all hosts.

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use evenkeel_engine::Secret;
use russh::keys::{Certificate, PrivateKey, PublicKey, decode_secret_key};

use crate::short_keys;

/// Asks somebody for words.
pub trait Ask: Send + Sync {
    /// The passphrase of a key; `None` if there is nobody to ask.
    fn passphrase(&self, key: &Path) -> Option<Secret>;
}

/// Nobody can be asked.
#[derive(Clone, Copy, Debug)]
pub struct NoTerminal;

impl Ask for NoTerminal {
    fn passphrase(&self, _: &Path) -> Option<Secret> {
        None
    }
}

/// Private keys that were read.
pub struct KeyFiles {
    ask: Box<dyn Ask>,
    read: Mutex<BTreeMap<PathBuf, Result<Arc<PrivateKey>, KeyTrouble>>>,
}

/// Why a key file is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyTrouble {
    #[error("there is no such file")]
    Absent,
    #[error("its passphrase is not known")]
    Locked,
    #[error("that is not its passphrase")]
    WrongPassphrase,
    #[error(
        "that is not its passphrase, or it is locked in a way of earlier times that is not known \
         (`ssh-keygen -p -f FILE` writes it anew)"
    )]
    WrongOrOld,
    #[error("it is a public key, whose private one the agent does not hold")]
    Public,
    #[error("{0}")]
    Bad(String),
}

impl KeyTrouble {
    /// Whether somebody who knows its passphrase could use it.
    pub(crate) fn is_locked(&self) -> bool {
        matches!(
            self,
            Self::Locked | Self::WrongPassphrase | Self::WrongOrOld
        )
    }
}

impl KeyFiles {
    /// None yet; passphrases come from `ask`.
    pub fn new(ask: impl Ask + 'static) -> Self {
        Self {
            ask: Box::new(ask),
            read: Mutex::new(BTreeMap::new()),
        }
    }

    /// A key, read at the first call. It may wait for a person: not to be called where others wait.
    pub(crate) fn key(&self, file: &Path) -> Result<Arc<PrivateKey>, KeyTrouble> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = read.get(file) {
            return known.clone();
        }
        let key = self.load(file).map(Arc::new);
        read.insert(file.to_owned(), key.clone());
        key
    }

    fn load(&self, file: &Path) -> Result<PrivateKey, KeyTrouble> {
        let text = fs::read_to_string(file).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => KeyTrouble::Absent,
            _ => KeyTrouble::Bad(error.to_string()),
        })?;
        match decode_secret_key(&text, None) {
            _ if is_old_and_locked(&text) => {}
            Ok(key) => return Ok(key),
            Err(russh::keys::Error::KeyIsEncrypted) => {}
            Err(_) if PublicKey::from_openssh(text.trim()).is_ok() => {
                return Err(KeyTrouble::Public);
            }
            Err(error) => {
                let bad = || KeyTrouble::Bad(format!("it is no private key: {error}"));
                return short_keys::read(&text, None).ok_or_else(bad);
            }
        }
        let words = self.ask.passphrase(file).ok_or(KeyTrouble::Locked)?;
        let words = std::str::from_utf8(words.reveal()).map_err(|_| KeyTrouble::WrongPassphrase)?;
        let key = decode_secret_key(&text, Some(words)).ok();
        let key = key.or_else(|| short_keys::read(&text, Some(words)));
        key.ok_or_else(|| {
            if is_old_and_locked(&text) {
                KeyTrouble::WrongOrOld
            } else {
                KeyTrouble::WrongPassphrase
            }
        })
    }
}

/// Whether it is in a format of earlier times, and encrypted.
fn is_old_and_locked(text: &str) -> bool {
    text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----")
        || text.contains("Proc-Type: 4,ENCRYPTED")
}

impl fmt::Debug for KeyFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyFiles").finish_non_exhaustive()
    }
}

/// Certificates that may be of a key: the one beside it, and those that were named.
pub(crate) fn certificates(
    file: &Path,
    named: &[PathBuf],
    notes: &mut Vec<String>,
) -> Vec<Certificate> {
    let mut beside = file.as_os_str().to_owned();
    beside.push("-cert.pub");
    let beside = PathBuf::from(beside);
    let mut found = Vec::new();
    for path in std::iter::once(&beside).chain(named) {
        let read = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && *path == beside => continue,
            Err(error) => Err(error.to_string()),
            Ok(text) => Certificate::from_openssh(text.trim()).map_err(|error| error.to_string()),
        };
        match read {
            Ok(certificate) => found.push(certificate),
            Err(why) => notes.push(format!("certificate `{}`: {why}", path.display())),
        }
    }
    found
}
