//! Users' certificates: how their keys sign, and what may be wrong with them.

use std::time::{SystemTime, UNIX_EPOCH};

use russh::{
    SendError,
    keys::{
        Certificate, HashAlg, PrivateKey,
        agent::AgentIdentity,
        signature::Signer as _,
        ssh_encoding::Encode as _,
        ssh_key::{self, private::KeypairData},
    },
};

/// Signs with the key of a file. What russh has for that signs with SHA-1 if the key is one of RSA.
pub(super) struct Signs<'a>(pub(super) &'a PrivateKey);

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub(super) enum SignError {
    #[error(transparent)]
    Sent(#[from] SendError),
    #[error("{0}")]
    Key(#[from] ssh_key::Error),
    #[error("{0}")]
    Written(#[from] russh::keys::ssh_encoding::Error),
}

impl Signs<'_> {
    fn signature(&self, hash: Option<HashAlg>, data: &[u8]) -> ssh_key::Result<ssh_key::Signature> {
        let signed = match self.0.key_data() {
            KeypairData::Rsa(pair) => (pair, hash).try_sign(data),
            _ => self.0.try_sign(data),
        };
        signed.map_err(|_| ssh_key::Error::Crypto)
    }

    fn sign(&self, hash: Option<HashAlg>, mut data: Vec<u8>) -> Result<Vec<u8>, SignError> {
        let mut signature = Vec::new();
        self.signature(hash, &data)?.encode(&mut signature)?;
        signature.encode(&mut data)?;
        Ok(data)
    }
}

impl russh::Signer for Signs<'_> {
    type Error = SignError;

    fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        hash: Option<HashAlg>,
        to_sign: Vec<u8>,
    ) -> impl Future<Output = Result<Vec<u8>, Self::Error>> + Send {
        std::future::ready(self.sign(hash, to_sign))
    }
}

/// What is wrong with a certificate that a host refuses, if that can be seen from here.
pub(super) fn doubt(certificate: &Certificate, user: &str) -> Option<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or_default().as_secs();
    if !certificate.cert_type().is_user() {
        return Some("it is a host's".to_owned());
    }
    if now >= certificate.valid_before() {
        return Some("it has expired".to_owned());
    }
    if now < certificate.valid_after() {
        return Some("it is not valid yet".to_owned());
    }
    let names = certificate.valid_principals();
    // One for nobody is taken by hosts that map names (`AuthorizedPrincipalsFile`) only.
    if !names.iter().any(|name| name == user) {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        return Some(match names.as_slice() {
            [] => "it names nobody".to_owned(),
            names => format!("it is for {}", names.join(", ")),
        });
    }
    None
}
