//! `known_hosts`: which keys hosts are known by.
//!
//! Pure: made of the texts of files, it decides what the key means that a host shows. Names may be
//! hashed, patterns, negated and with a port; lines may revoke a key or name an authority that
//! signs host keys. What a line means is what it means to OpenSSH.

mod algorithms;
mod certificate;
mod line;
mod lookup;

use russh::keys::{
    Algorithm, Certificate, PublicKey, PublicKeyOrCertificate,
    ssh_key::{Fingerprint, HashAlg, public::KeyData},
};

pub use algorithms::HostKeyAlgorithms;
pub use certificate::CertificateFault;
use line::{Line, Marker};
pub use lookup::Lookup;

use crate::place::Place;

/// A line that cannot be read. It counts as if it were not there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Damaged {
    /// Where it is.
    pub place: Place,
    /// What is wrong with it.
    pub why: String,
}

/// A key by which a host is known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KnownKey {
    /// Its type.
    pub algorithm: Algorithm,
    /// Its digest, as `ssh-keygen -l` prints it.
    pub fingerprint: Fingerprint,
    /// The line that says so.
    pub place: Place,
}

/// What a host's key means.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// The host is known by this key.
    Known(Place),
    /// The host's certificate is good, and signed by the authority of this line.
    Certified(Place),
    /// Nothing is known of the host, or only keys that it may not have shown.
    Unknown {
        /// Why a certificate that a trusted authority signed did not count.
        certificate: Option<CertificateFault>,
    },
    /// The host is known, by other keys.
    Changed {
        /// Those keys; at least one.
        known: Vec<KnownKey>,
        /// Why a certificate that a trusted authority signed did not count.
        certificate: Option<CertificateFault>,
    },
    /// The key, or the authority that signed it, is revoked by this line.
    Revoked(Place),
}

impl Verdict {
    /// Whether the host may be trusted.
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Known(_) | Self::Certified(_))
    }
}

/// What the files say that are in force.
#[derive(Clone, Debug, Default)]
pub struct KnownHosts {
    lines: Vec<(Place, Line)>,
    damaged: Vec<Damaged>,
}

impl KnownHosts {
    /// Reads files, each given as its name and its text. The user's come before the system's.
    pub fn parse<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut all = Self::default();
        for (file, text) in files {
            for (index, text) in text.split('\n').enumerate() {
                let place = || Place {
                    file: file.to_owned(),
                    line: index + 1,
                };
                match line::parse(text) {
                    Ok(None) => {}
                    Ok(Some(line)) => all.lines.push((place(), line)),
                    Err(why) => all.damaged.push(Damaged {
                        place: place(),
                        why,
                    }),
                }
            }
        }
        all
    }

    /// The lines that could not be read.
    pub fn damaged(&self) -> &[Damaged] {
        &self.damaged
    }

    /// What the key or the certificate means that a host shows, at `now` in seconds since 1970.
    pub fn check(&self, host: &Lookup, shown: &PublicKeyOrCertificate, now: u64) -> Verdict {
        let verdict = self.check_name(host, &host.known_as(), shown, now);
        let verdict = match (&verdict, host.known_without_port()) {
            // A key that is known without a port holds for every port, but does not bind it.
            (Verdict::Unknown { .. }, Some(name)) => {
                match self.check_name(host, &name, shown, now) {
                    Verdict::Changed { .. } | Verdict::Unknown { .. } => verdict,
                    better => better,
                }
            }
            _ => verdict,
        };
        match host.address_known_as() {
            Some(address) if verdict.is_good() => {
                match self.check_name(host, &address, shown, now) {
                    bad @ (Verdict::Changed { .. } | Verdict::Revoked(_)) => bad,
                    _ => verdict,
                }
            }
            _ => verdict,
        }
    }

    /// The algorithms to ask a host for, those first by which it is known: a host known by its RSA
    /// key would otherwise show another one and look as if it had changed.
    pub fn algorithms_for(&self, host: &Lookup) -> HostKeyAlgorithms {
        let mut names = vec![host.known_as()];
        if !self
            .lines_for(&names[0])
            .any(|(_, line)| line.marker != Marker::Revoked)
        {
            names.extend(host.known_without_port());
        }
        algorithms::order(
            names
                .iter()
                .flat_map(|name| self.lines_for(name))
                .map(|(_, line)| line),
        )
    }

    /// The line to append so that `host` is known by `key`, with its end; its name is hashed if
    /// there is a salt, which must be random.
    pub fn line_for(host: &Lookup, key: &PublicKey, salt: Option<[u8; 20]>) -> String {
        let names = line::write_names(&host.known_as(), salt);
        let bare = PublicKey::new(key.key_data().clone(), "");
        // A key that came over the wire can always be written.
        let key = bare.to_openssh().unwrap_or_default();
        format!("{names} {}\n", key.trim_end())
    }

    fn lines_for(&self, name: &str) -> impl Iterator<Item = &(Place, Line)> {
        self.lines
            .iter()
            .filter(move |(_, line)| line.names.cover(name))
    }

    fn check_name(
        &self,
        host: &Lookup,
        name: &str,
        shown: &PublicKeyOrCertificate,
        now: u64,
    ) -> Verdict {
        let lines: Vec<_> = self.lines_for(name).collect();
        match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => check_key(&lines, key.key_data()),
            PublicKeyOrCertificate::Certificate(shown) => {
                check_certificate(&lines, host, shown, now)
            }
        }
    }
}

fn check_key(lines: &[&(Place, Line)], key: &KeyData) -> Verdict {
    if let Some(place) = find(lines, Marker::Revoked, key) {
        return Verdict::Revoked(place);
    }
    if let Some(place) = find(lines, Marker::None, key) {
        return Verdict::Known(place);
    }
    let known: Vec<_> = lines
        .iter()
        .filter(|(_, line)| line.marker == Marker::None)
        .map(|(place, line)| KnownKey {
            algorithm: line.key.algorithm(),
            fingerprint: line.key.fingerprint(HashAlg::Sha256),
            place: place.clone(),
        })
        .collect();
    if known.is_empty() {
        Verdict::Unknown { certificate: None }
    } else {
        Verdict::Changed {
            known,
            certificate: None,
        }
    }
}

/// A certificate that does not count is still a key.
fn check_certificate(
    lines: &[&(Place, Line)],
    host: &Lookup,
    shown: &Certificate,
    now: u64,
) -> Verdict {
    if let Some(place) = find(lines, Marker::Revoked, shown.signature_key()) {
        return Verdict::Revoked(place);
    }
    let by_key = check_key(lines, shown.public_key());
    let Some(place) = find(lines, Marker::Authority, shown.signature_key()) else {
        return by_key;
    };
    let fault = match certificate::fault(shown, host.principal(), now) {
        None if matches!(by_key, Verdict::Revoked(_)) => return by_key,
        None => return Verdict::Certified(place),
        Some(fault) => Some(fault),
    };
    match by_key {
        Verdict::Unknown { .. } => Verdict::Unknown { certificate: fault },
        Verdict::Changed { known, .. } => Verdict::Changed {
            known,
            certificate: fault,
        },
        other => other,
    }
}

fn find(lines: &[&(Place, Line)], marker: Marker, key: &KeyData) -> Option<Place> {
    lines
        .iter()
        .find(|(_, line)| line.marker == marker && line.key.key_data() == key)
        .map(|(place, _)| place.clone())
}
