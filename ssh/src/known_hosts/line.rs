//! One line of a `known_hosts` file.

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use russh::keys::PublicKey;
use sha1::Sha1;

use crate::pattern;

/// What a line says about its key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Marker {
    /// A host's own key.
    None,
    /// `@cert-authority`: it signs host certificates.
    Authority,
    /// `@revoked`: never to be accepted.
    Revoked,
}

/// A line that could be read.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) marker: Marker,
    pub(super) names: Names,
    pub(super) key: PublicKey,
}

/// Which hosts a line is about.
#[derive(Clone, Debug)]
pub(super) enum Names {
    /// Patterns, in small letters.
    Plain(Vec<String>),
    /// One name, behind a keyed hash.
    Hashed { salt: [u8; 20], hash: [u8; 20] },
}

impl Names {
    /// Whether the line is about `name`, which is in small letters.
    pub(super) fn cover(&self, name: &str) -> bool {
        match self {
            Self::Plain(patterns) => {
                pattern::list_matches(patterns.iter().map(String::as_str), name)
            }
            Self::Hashed { salt, hash } => hash_of(salt, name) == *hash,
        }
    }
}

/// Reads a line; nothing for an empty one and a comment.
pub(super) fn parse(text: &str) -> Result<Option<Line>, String> {
    let mut rest = text.trim_matches([' ', '\t', '\r']);
    if rest.is_empty() || rest.starts_with('#') {
        return Ok(None);
    }
    let marker = match rest.starts_with('@').then(|| word(&mut rest)) {
        None => Marker::None,
        Some("@cert-authority") => Marker::Authority,
        Some("@revoked") => Marker::Revoked,
        Some(other) => return Err(format!("`{}` is no marker", short(other))),
    };
    let names = names(word(&mut rest))?;
    if rest.is_empty() {
        return Err("it ends after the names of the hosts".into());
    }
    let kind = word(&mut rest);
    if kind.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("its key is of version 1 of the protocol, which nobody speaks any more".into());
    }
    let blob = word(&mut rest);
    // What follows is a comment, which may hold anything.
    let key = PublicKey::from_openssh(&format!("{kind} {blob}"))
        .map_err(|error| format!("its `{}` key cannot be read: {error}", short(kind)))?;
    Ok(Some(Line { marker, names, key }))
}

/// The field of names for one host: hashed with a salt, if there is one.
pub(super) fn write_names(name: &str, salt: Option<[u8; 20]>) -> String {
    match salt {
        None => name.to_owned(),
        Some(salt) => format!(
            "|1|{}|{}",
            BASE64.encode(&salt),
            BASE64.encode(&hash_of(&salt, name))
        ),
    }
}

fn names(field: &str) -> Result<Names, String> {
    let Some(hashed) = field.strip_prefix('|') else {
        let patterns = field.to_ascii_lowercase();
        return Ok(Names::Plain(
            patterns.split(',').map(str::to_owned).collect(),
        ));
    };
    let part =
        |text: &str| -> Option<[u8; 20]> { BASE64.decode(text.as_bytes()).ok()?.try_into().ok() };
    let mut parts = hashed.split('|');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some("1"), Some(salt), Some(hash), None) => part(salt)
            .zip(part(hash))
            .map(|(salt, hash)| Names::Hashed { salt, hash })
            .ok_or_else(|| "its hashed name is damaged".to_owned()),
        _ => Err("its hashed name is of a form that is not known".into()),
    }
}

fn hash_of(salt: &[u8; 20], name: &str) -> [u8; 20] {
    // A key shorter than a block of SHA-1 is filled up with zeros.
    let mut block = [0; 64];
    block[..salt.len()].copy_from_slice(salt);
    let mut mac = Hmac::<Sha1>::new(&block.into());
    mac.update(name.as_bytes());
    mac.finalize().into_bytes().into()
}

/// Takes the first word and the blanks after it.
fn word<'a>(rest: &mut &'a str) -> &'a str {
    let end = rest.find([' ', '\t']).unwrap_or(rest.len());
    let (word, after) = rest.split_at(end);
    *rest = after.trim_start_matches([' ', '\t']);
    word
}

/// As much of something odd as a message can bear.
fn short(text: &str) -> String {
    text.chars()
        .take(40)
        .flat_map(char::escape_default)
        .collect()
}
