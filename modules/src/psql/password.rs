//! Passwords of roles: what the server keeps of them is computed here, so that the clear text never
//! goes to a host.

use std::fmt::Write as _;

use evenkeel_engine::{Secret, sha256};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// How often a new password is hashed, as PostgreSQL does it.
const ITERATIONS: u32 = 4096;

/// What `pg_authid` keeps of a password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Verifier {
    /// `md5` and 32 digits.
    Md5(String),
    /// `SCRAM-SHA-256$…`.
    Scram {
        iterations: u32,
        salt: Vec<u8>,
        stored: Vec<u8>,
        server: Vec<u8>,
    },
}

impl Verifier {
    /// Reads what is kept, or a password that is given as its hash.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some(digits) = text.strip_prefix("md5") {
            let fits = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            return fits.then(|| Self::Md5(text.to_owned()));
        }
        let rest = text.strip_prefix("SCRAM-SHA-256$")?;
        let (head, keys) = rest.split_once('$')?;
        let (iterations, salt) = head.split_once(':')?;
        let (stored, server) = keys.split_once(':')?;
        let verifier = Self::Scram {
            iterations: iterations.parse().ok().filter(|count| *count > 0)?,
            salt: decode(salt)?,
            stored: decode(stored)?,
            server: decode(server)?,
        };
        match &verifier {
            Self::Scram { stored, server, .. } if stored.len() == 32 && server.len() == 32 => {
                Some(verifier)
            }
            _ => None,
        }
    }

    /// Whether it is of this password of this role.
    pub(crate) fn fits(&self, role: &str, password: &[u8]) -> bool {
        match self {
            Self::Md5(_) => *self == md5(role, password),
            Self::Scram {
                iterations, salt, ..
            } => *self == scram(password, salt, *iterations),
        }
    }

    /// As the server writes it.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Md5(text) => text.clone(),
            Self::Scram {
                iterations,
                salt,
                stored,
                server,
            } => format!(
                "SCRAM-SHA-256${iterations}:{}${}:{}",
                encode(salt),
                encode(stored),
                encode(server)
            ),
        }
    }
}

/// The old kind.
pub(crate) fn md5(role: &str, password: &[u8]) -> Verifier {
    let digest = md5::compute([password, role.as_bytes()].concat());
    Verifier::Md5(format!("md5{digest:x}"))
}

/// The new kind.
fn scram(password: &[u8], salt: &[u8], iterations: u32) -> Verifier {
    let mut salted = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha256>(&prepared(password), salt, iterations, &mut salted);
    let client = keyed(&salted, b"Client Key");
    Verifier::Scram {
        iterations,
        salt: salt.to_vec(),
        stored: sha256(&client).to_vec(),
        server: keyed(&salted, b"Server Key"),
    }
}

/// A new verifier. A salt has to differ from all others, and need not be secret: every client that
/// says the role's name is told it. So it is made of what names the server, the role and its former
/// password's hash; of nothing that tells of the new password.
pub(crate) fn new(role: &str, password: &[u8], server: &str, before: Option<&Secret>) -> Verifier {
    let mut ground = Vec::new();
    let before = before.map_or(&[][..], Secret::reveal);
    for part in [
        &b"evenkeel salt"[..],
        server.as_bytes(),
        role.as_bytes(),
        before,
    ] {
        ground.extend(part.len().to_be_bytes());
        ground.extend(part);
    }
    scram(password, &sha256(&ground)[..16], ITERATIONS)
}

/// As the server prepares it: by `SASLprep` if it is text that this allows, else as it is.
fn prepared(password: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(password).ok();
    let prepared = text.and_then(|text| stringprep::saslprep(text).ok());
    prepared.map_or_else(|| password.to_vec(), |text| text.as_bytes().to_vec())
}

fn keyed(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length is a key");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn encode(bytes: &[u8]) -> String {
    data_encoding::BASE64.encode(bytes)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    data_encoding::BASE64.decode(text.as_bytes()).ok()
}

/// What of a verifier may be shown: its kind.
pub(crate) fn shown(hash: &str) -> String {
    let mut kind = String::new();
    let name = if hash.starts_with("md5") {
        "md5"
    } else {
        "scram-sha-256"
    };
    write!(kind, "({name})").expect("a String takes all");
    kind
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From a server (PostgreSQL 15): `CREATE ROLE … PASSWORD …`, then `pg_authid`.
    const KEPT: [(&str, &str, &str); 4] = [
        (
            "k1",
            "airflow",
            "SCRAM-SHA-256$4096:WJM6EOAsoGuxUwW10AeUbw==$1hKs2oTORvSv4TIQwSOc5KMOi11WM7B9iVPucOeCfMQ=:SDGjWx6VCQQXQ75O4YafwMQNLAr7EdtpVxdgKDa3KWE=",
        ),
        // Prepared: to `paIX x`.
        (
            "k2",
            "p\u{aa}\u{2168} \u{ad}x",
            "SCRAM-SHA-256$4096:tiuArr2zfBmaMT5keCJL1A==$gaLsITlY+EifeWXClDFKGoNCTgvGqpWI8grjb+3Rl6c=:NIfIY5FxJr67Uijedtd8BYV0Ul9sLfdY+APuc58OLfU=",
        ),
        // Not allowed, and so taken as it is.
        (
            "k3",
            "bell\u{7}",
            "SCRAM-SHA-256$4096:FOpAoS/RbUi4XVlDSt5mSA==$ZzpERJPxtk7h+hdrEVFIvMAt/2zAf8oP+94PF60yiZA=:qSXnuJgk0MGjgbRX+VoU64nFhkwQTRMVvobdOmWmfis=",
        ),
        ("k4", "airflow", "md5c228de280f533e96e4378320c380e405"),
    ];

    #[test]
    fn the_hashes_of_servers_are_known() {
        for (role, password, kept) in KEPT {
            let verifier = Verifier::parse(kept).unwrap();
            assert!(verifier.fits(role, password.as_bytes()), "{role}");
            assert!(!verifier.fits(role, b"another"), "{role}");
            assert_eq!(verifier.text(), kept);
        }
    }

    #[test]
    fn a_new_hash_fits_and_tells_of_no_password() {
        let one = new("app", b"secret", "1", None);
        assert!(one.fits("app", b"secret"));
        assert!(!one.fits("app", b"Secret"));
        assert_eq!(
            Verifier::parse(&one.text()).map(|v| v.text()),
            Some(one.text())
        );
        let salt = |verifier: &Verifier| match verifier {
            Verifier::Scram { salt, .. } => salt.clone(),
            Verifier::Md5(_) => Vec::new(),
        };
        // The salt is public: it must not depend on the password, and must on all else.
        assert_eq!(salt(&one), salt(&new("app", b"other", "1", None)));
        let before = Secret::new(one.text());
        let others = [
            new("ap", b"secret", "1", None),
            new("app", b"secret", "2", None),
            new("app", b"secret", "1", Some(&before)),
        ];
        assert!(others.iter().all(|other| salt(other) != salt(&one)));
    }

    #[test]
    fn what_is_no_hash_is_a_password() {
        for text in [
            "",
            "md5",
            "md5abc",
            "SCRAM-SHA-256$4096:x",
            "md5zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
        ] {
            assert!(Verifier::parse(text).is_none(), "{text}");
        }
    }
}
