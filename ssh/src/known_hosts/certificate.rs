//! Whether a host's certificate holds.

use russh::keys::{Algorithm, Certificate, ssh_key::HashAlg};
use thiserror::Error;

use crate::pattern;

/// Why a certificate does not count, although its authority is trusted.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum CertificateFault {
    /// It is a user's.
    #[error("it is a certificate of a user, not of a host")]
    NotOfAHost,
    /// Its time has not come.
    #[error("it is not valid yet")]
    NotYetValid,
    /// Its time is over.
    #[error("it has expired")]
    Expired,
    /// It is for other names.
    #[error("it is not for `{host}` but for {}", listed(principals))]
    OtherHost {
        /// The name that was looked for.
        host: String,
        /// The names that it is for.
        principals: Vec<String>,
    },
    /// It sets a condition that is not understood.
    #[error("it sets the condition `{0}`, which is not known")]
    CriticalOption(String),
    /// It is signed in a way that is not trusted any more.
    #[error("it is signed with `{0}`, which is not safe")]
    WeakSignature(String),
    /// Its signature is not its authority's.
    #[error("its signature is wrong")]
    BadSignature,
}

/// What is wrong with a certificate for `host` at `now`; whether its authority is trusted is the
/// caller's question.
pub(super) fn fault(shown: &Certificate, host: &str, now: u64) -> Option<CertificateFault> {
    let signed_with = shown.signature().algorithm();
    if matches!(signed_with, Algorithm::Dsa | Algorithm::Rsa { hash: None }) {
        return Some(CertificateFault::WeakSignature(signed_with.to_string()));
    }
    if !shown.cert_type().is_host() {
        return Some(CertificateFault::NotOfAHost);
    }
    if now < shown.valid_after() {
        return Some(CertificateFault::NotYetValid);
    }
    if now >= shown.valid_before() {
        return Some(CertificateFault::Expired);
    }
    let authority = shown.signature_key().fingerprint(HashAlg::Sha256);
    if shown.validate_at(now, [&authority]).is_err() {
        return Some(CertificateFault::BadSignature);
    }
    if let Some((name, _)) = shown.critical_options().iter().next() {
        return Some(CertificateFault::CriticalOption(name.clone()));
    }
    let principals = shown.valid_principals();
    let is_for = |principal: &String| pattern::matches(&principal.to_ascii_lowercase(), host);
    // One without names is for every host.
    (!principals.is_empty() && !principals.iter().any(is_for)).then(|| {
        CertificateFault::OtherHost {
            host: host.to_owned(),
            principals: principals.to_vec(),
        }
    })
}

fn listed(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
