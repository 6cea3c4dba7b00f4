//! What is known of the keys of hosts, in files; read once for all hosts.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use russh::keys::{PublicKey, PublicKeyOrCertificate};

use crate::known_hosts::{HostKeyAlgorithms, KnownHosts, Lookup, Verdict};

/// What becomes of a host whose key is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strictness {
    /// It is refused.
    #[default]
    Yes,
    /// Its key is written down and trusted from then on.
    AcceptNew,
    /// Any key is taken, and none written down; a host whose key has changed is told no password.
    Off,
}

/// Files of known hosts.
#[derive(Debug)]
pub struct HostKeys {
    files: Vec<PathBuf>,
    hash_names: bool,
    read: Mutex<Option<Arc<KnownHosts>>>,
}

impl HostKeys {
    /// Of these files, which need not be there; the first takes new keys.
    pub fn new(files: impl IntoIterator<Item = PathBuf>) -> Self {
        Self {
            files: files.into_iter().collect(),
            hash_names: false,
            read: Mutex::new(None),
        }
    }

    /// Names that are added cannot be read from the file.
    #[must_use]
    pub fn hash_names(mut self, hash: bool) -> Self {
        self.hash_names = hash;
        self
    }

    /// Where new keys are written to.
    pub(crate) fn first(&self) -> Option<&PathBuf> {
        self.files.first()
    }

    fn known(&self) -> io::Result<Arc<KnownHosts>> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*read {
            return Ok(Arc::clone(known));
        }
        let mut texts = Vec::new();
        for file in &self.files {
            match fs::read(file) {
                Ok(bytes) => texts.push((
                    file.display().to_string(),
                    String::from_utf8_lossy(&bytes).into_owned(),
                )),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    let text = format!("`{}`: {error}", file.display());
                    return Err(io::Error::new(error.kind(), text));
                }
            }
        }
        let texts = texts
            .iter()
            .map(|(file, text)| (file.as_str(), text.as_str()));
        let known = Arc::new(KnownHosts::parse(texts));
        *read = Some(Arc::clone(&known));
        Ok(known)
    }

    /// What it means that a host shows this.
    pub(crate) fn check(
        &self,
        host: &Lookup,
        shown: &PublicKeyOrCertificate,
    ) -> io::Result<Verdict> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default().as_secs();
        Ok(self.known()?.check(host, shown, now))
    }

    /// What to ask a host for.
    pub(crate) fn algorithms(&self, host: &Lookup) -> io::Result<HostKeyAlgorithms> {
        Ok(self.known()?.algorithms_for(host))
    }

    /// Writes down the key of a host.
    pub(crate) fn learn(&self, host: &Lookup, key: &PublicKey) -> io::Result<()> {
        let salt = if self.hash_names {
            let mut salt = [0; 20];
            getrandom::fill(&mut salt).map_err(io::Error::other)?;
            Some(salt)
        } else {
            None
        };
        let file = self
            .first()
            .ok_or_else(|| io::Error::other("there is no file for it"))?;
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        let line = KnownHosts::line_for(host, key, salt);
        // A file may lack its last newline.
        let unended =
            fs::read(file).is_ok_and(|text| text.last().is_some_and(|last| *last != b'\n'));
        let line = format!("{}{line}", if unended { "\n" } else { "" });
        // In one write: others may write at the same time.
        OpenOptions::new()
            .append(true)
            .create(true)
            .open(file)?
            .write_all(line.as_bytes())?;
        *read = None;
        Ok(())
    }
}
