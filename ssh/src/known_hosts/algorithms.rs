//! Which host keys to ask for.

use russh::keys::{Algorithm, EcdsaCurve, ssh_key::HashAlg};

use super::line::{Line, Marker};

/// Algorithms of host keys, most wanted first.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HostKeyAlgorithms {
    /// For plain keys.
    pub keys: Vec<Algorithm>,
    /// For certificates; empty where no authority is trusted for the host.
    pub certificates: Vec<Algorithm>,
}

/// All that a host may use, best first.
const ALL: [Algorithm; 6] = [
    Algorithm::Ed25519,
    Algorithm::Ecdsa {
        curve: EcdsaCurve::NistP256,
    },
    Algorithm::Ecdsa {
        curve: EcdsaCurve::NistP384,
    },
    Algorithm::Ecdsa {
        curve: EcdsaCurve::NistP521,
    },
    Algorithm::Rsa {
        hash: Some(HashAlg::Sha512),
    },
    Algorithm::Rsa {
        hash: Some(HashAlg::Sha256),
    },
];

/// The order for a host that these lines are about.
pub(super) fn order<'a>(lines: impl Iterator<Item = &'a Line>) -> HostKeyAlgorithms {
    let mut known = Vec::new();
    let mut authority = false;
    for line in lines {
        match line.marker {
            Marker::None => known.push(line.key.algorithm()),
            Marker::Authority => authority = true,
            Marker::Revoked => {}
        }
    }
    let is_known = |algorithm: &&Algorithm| known.iter().any(|known| same_key(known, algorithm));
    let (first, last): (Vec<_>, Vec<_>) = ALL.iter().partition(is_known);
    HostKeyAlgorithms {
        keys: first.into_iter().chain(last).cloned().collect(),
        certificates: if authority { ALL.to_vec() } else { Vec::new() },
    }
}

/// Whether a key of type `known` can sign with `algorithm`.
fn same_key(known: &Algorithm, algorithm: &Algorithm) -> bool {
    match (known, algorithm) {
        (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }) => true,
        (known, algorithm) => known == algorithm,
    }
}
