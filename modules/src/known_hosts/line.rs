//! A line of a file of known hosts.

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::{Digest as _, Sha1};

/// A line: a mark, the names of hosts, the type of the key, the key, and what comes after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    mark: Option<String>,
    pub(super) hosts: String,
    kind: String,
    key: String,
    comment: String,
}

impl Line {
    /// The line; nothing if it is empty, a comment or something else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.starts_with('#') {
            return None;
        }
        let mut words = text.split_whitespace();
        let mut first = words.next()?;
        let mark = first.starts_with('@').then(|| first.to_owned());
        if mark.is_some() {
            first = words.next()?;
        }
        let (kind, key) = (words.next()?.to_owned(), words.next()?.to_owned());
        Some(Self {
            mark,
            hosts: first.to_owned(),
            kind,
            key,
            comment: words.collect::<Vec<_>>().join(" "),
        })
    }

    /// Whether it is about this host.
    pub(super) fn is_of(&self, name: &str) -> bool {
        if let Some(salted) = self.hosts.strip_prefix("|1|") {
            let Some((salt, sum)) = salted.split_once('|') else {
                return false;
            };
            let (salt, sum) = (
                BASE64.decode(salt.as_bytes()),
                BASE64.decode(sum.as_bytes()),
            );
            return matches!((salt, sum), (Ok(salt), Ok(sum)) if hashed(&salt, name) == sum);
        }
        self.hosts
            .split(',')
            .any(|host| host.eq_ignore_ascii_case(name))
    }

    pub(super) fn is_hashed(&self) -> bool {
        self.hosts.starts_with('|')
    }

    /// Whether it is a key of the same type, for the same use.
    pub(super) fn is_type(&self, other: &Self) -> bool {
        self.kind == other.kind && self.mark == other.mark
    }

    /// Whether it is the same key, for the same use.
    pub(super) fn is_key(&self, other: &Self) -> bool {
        self.is_type(other) && self.key == other.key
    }

    /// With the name as a hash. Salted by the name and the key, so that it is the same whenever it is made, and
    /// another one for each host.
    pub(super) fn hashed(&self, name: &str) -> Self {
        let salt = Sha1::digest(format!("{name} {}", self.key));
        let sum = hashed(&salt, name);
        Self {
            hosts: format!("|1|{}|{}", BASE64.encode(&salt), BASE64.encode(&sum)),
            ..self.clone()
        }
    }

    /// As it is written.
    pub(super) fn text(&self) -> String {
        let mark = self.mark.as_deref().unwrap_or_default();
        let words = [mark, &self.hosts, &self.kind, &self.key, &self.comment];
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        words.join(" ") + "\n"
    }
}

/// What ssh makes of a salt and a name.
fn hashed(salt: &[u8], name: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha1>::new_from_slice(salt).expect("any length is a key");
    mac.update(name.to_ascii_lowercase().as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `ssh-keygen -H` of `example.org`.
    #[test]
    fn what_ssh_keygen_hashed_is_known() {
        let line = Line::parse(
            "|1|CLIUblYEpzf9ZWkLuk9KLIAVMAQ=|jY+LFl5NMMQBexEWOlvyUkkkFK0= ssh-ed25519 AAAA",
        )
        .unwrap();
        assert!(line.is_of("example.org"));
        assert!(!line.is_of("example.com"));
    }
}
