//! Whether the host at the other end is the one it should be.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use russh::keys::{Algorithm, Certificate, PublicKey, known_hosts};

/// What is known of the keys of hosts.
pub trait HostKeys: fmt::Debug + Send + Sync {
    /// What is known of a host that shows this key.
    fn check(&self, host: &str, port: u16, key: &PublicKey) -> Verdict;

    /// What is known of a host that shows this certificate.
    fn check_certificate(&self, host: &str, port: u16, certificate: &Certificate) -> Verdict;

    /// The kinds of keys that are known of a host, to be asked for first.
    fn known_kinds(&self, host: &str, port: u16) -> Vec<Algorithm>;

    /// Whether an authority may vouch for a host, so that certificates are asked for.
    fn has_authority(&self, host: &str, port: u16) -> bool;

    /// Writes down the key of a host that was not known; gives the file it was written to.
    fn learn(&self, host: &str, port: u16, key: &PublicKey) -> io::Result<PathBuf>;
}

/// What is known of a host that shows a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the host's.
    Known,
    /// Nothing is known of the host.
    Unknown,
    /// The host had another one.
    Changed {
        /// Where that stands: `FILE:LINE`.
        place: String,
    },
    /// It must not be trusted any more.
    Revoked {
        /// Where that stands: `FILE:LINE`.
        place: String,
    },
    /// A certificate that does not hold: for another host, expired, of nobody we trust.
    NotValid(String),
    /// What is known cannot be read.
    Unreadable(String),
}

/// What becomes of a host whose key is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strictness {
    /// It is refused.
    #[default]
    Yes,
    /// Its key is written down and trusted from then on.
    AcceptNew,
    /// Any key is taken, also one that changed. For machines that live for minutes.
    Off,
}

/// Files in the format of `known_hosts`.
#[derive(Clone, Debug)]
pub struct KnownHostsFiles {
    /// The first is the one that new keys are written to.
    pub files: Vec<PathBuf>,
}

impl KnownHostsFiles {
    fn in_file(file: &Path, host: &str, port: u16, key: &PublicKey) -> Verdict {
        match known_hosts::check_known_hosts_path(host, port, key, file) {
            Ok(true) => Verdict::Known,
            Ok(false) => Verdict::Unknown,
            Err(russh::keys::Error::KeyChanged { line }) => Verdict::Changed {
                place: format!("{}:{line}", file.display()),
            },
            Err(error) => Verdict::Unreadable(format!("{}: {error}", file.display())),
        }
    }
}

impl HostKeys for KnownHostsFiles {
    fn check(&self, host: &str, port: u16, key: &PublicKey) -> Verdict {
        let mut worst = Verdict::Unknown;
        for file in self.files.iter().filter(|file| file.exists()) {
            match Self::in_file(file, host, port, key) {
                Verdict::Known => return Verdict::Known,
                Verdict::Unknown => {}
                other if worst == Verdict::Unknown => worst = other,
                _ => {}
            }
        }
        worst
    }

    fn check_certificate(&self, _: &str, _: u16, _: &Certificate) -> Verdict {
        Verdict::Unknown
    }

    fn known_kinds(&self, host: &str, port: u16) -> Vec<Algorithm> {
        let files = self.files.iter();
        let known =
            files.filter_map(|file| known_hosts::known_host_keys_path(host, port, file).ok());
        known.flatten().map(|(_, key)| key.algorithm()).collect()
    }

    fn has_authority(&self, _: &str, _: u16) -> bool {
        false
    }

    fn learn(&self, host: &str, port: u16, key: &PublicKey) -> io::Result<PathBuf> {
        let file = self
            .files
            .first()
            .ok_or_else(|| io::Error::other("no file to write it to"))?;
        known_hosts::learn_known_hosts_path(host, port, key, file).map_err(io::Error::other)?;
        Ok(file.clone())
    }
}
