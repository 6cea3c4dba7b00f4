//! Filters that hide texts: `password_hash`, `vault`, `unvault`.
//!
//! What has a random salt keeps it for the run: a text gives the same each time it is evaluated.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use bcrypt::Version;
use evenkeel_engine::Secret;
use minijinja::{
    Environment, Error,
    value::{Kwargs, Rest, Value as Jinja},
};
use sha2::{Digest as _, Sha256};

use super::{data::named, given, refuse};
use crate::{
    template::{crypt, session},
    vault::{DEFAULT, Envelope},
};

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_filter("password_hash", password_hash);
    env.add_filter("vault", vault);
    env.add_filter("unvault", unvault);
}

/// What was made in this run, by a digest of what it was made of: hashes take long, and salts have to stay.
static MADE: Mutex<BTreeMap<[u8; 32], String>> = Mutex::new(BTreeMap::new());

fn once(parts: &[&str], make: impl FnOnce() -> Result<String, Error>) -> Result<String, Error> {
    let mut key = Sha256::new();
    for part in parts {
        key.update(part.len().to_be_bytes());
        key.update(part);
    }
    let key: [u8; 32] = key.finalize().into();
    let made = || MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = made().get(&key) {
        return Ok(found.clone());
    }
    let new = make()?;
    // Who came first counts.
    Ok(made().entry(key).or_insert(new).clone())
}

fn random(bytes: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(bytes)
        .map_err(|error| refuse(format!("this machine gives no random numbers: {error}")))
}

/// A salt of so many letters.
fn salt(length: usize) -> Result<String, Error> {
    let mut bytes = vec![0; length];
    random(&mut bytes)?;
    let letter = |byte: &u8| char::from(crypt::LETTERS[usize::from(byte & 63)]);
    Ok(bytes.iter().map(letter).collect())
}

/// How a kind of hash is made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Md5,
    Sha256,
    Sha512,
    Bcrypt,
}

impl Kind {
    fn named(name: &str) -> Result<Self, Error> {
        Ok(match name {
            "md5" => Self::Md5,
            "sha256" => Self::Sha256,
            "sha512" => Self::Sha512,
            "bcrypt" | "blowfish" => Self::Bcrypt,
            other => {
                return Err(refuse(format!(
                    "`password_hash` knows no `{other}`: there are sha512, sha256, bcrypt, blowfish and md5"
                )));
            }
        })
    }

    /// By the name that `encrypt` of the lookup `password` has for it: `sha512_crypt`, `bcrypt` …
    fn of_crypt(name: &str) -> Result<Self, Error> {
        Self::named(name.strip_suffix("_crypt").unwrap_or(name))
    }
}

/// A salt for such a hash.
pub(super) fn salt_of(kind: &str) -> Result<String, Error> {
    match Kind::of_crypt(kind)? {
        Kind::Md5 => salt(8),
        Kind::Sha256 | Kind::Sha512 => salt(16),
        // Of its last letter only two bits count.
        Kind::Bcrypt => Ok(salt(21)? + "."),
    }
}

/// A password as such a hash, with this salt.
pub(super) fn hashed(
    password: &str,
    kind: &str,
    salt: &str,
    ident: Option<&str>,
) -> Result<String, Error> {
    let wanted = Wanted {
        kind: Kind::of_crypt(kind)?,
        salt: Some(salt.to_owned()),
        length: None,
        rounds: None,
        ident: ident.map(str::to_owned),
    };
    let parts = ["password", kind, password, salt, ident.unwrap_or_default()];
    once(&parts, || wanted.hash(password))
}

/// What is said of a hash.
struct Wanted {
    kind: Kind,
    salt: Option<String>,
    length: Option<usize>,
    rounds: Option<u32>,
    ident: Option<String>,
}

fn password_hash(password: &Jinja, args: Rest<Jinja>, kwargs: Kwargs) -> Result<String, Error> {
    session::derived();
    let names = ["hashtype", "salt", "salt_size", "rounds", "ident"];
    let [kind, salt, length, rounds, ident] = given("password_hash", &args, &kwargs, names)?;
    let Some(password) = password.as_str() else {
        if password.is_undefined() {
            return Err(Error::from(minijinja::ErrorKind::UndefinedError));
        }
        return Err(refuse(format!(
            "`password_hash` wants a text, found {}: `string` before it makes one",
            named(password.kind())
        )));
    };
    let name = kind.map_or_else(|| "sha512".to_owned(), |kind| kind.to_string());
    let kind = Kind::named(&name)?;
    let wanted = Wanted {
        kind,
        salt: salt
            .map(|salt| salt.to_string())
            .filter(|salt| !salt.is_empty()),
        length: length.map(usize::try_from).transpose()?,
        rounds: rounds.map(u32::try_from).transpose()?,
        ident: ident.map(|ident| ident.to_string()),
    };
    let number = |number: Option<String>| number.unwrap_or_default();
    once(
        &[
            "password_hash",
            &name,
            password,
            wanted.salt.as_deref().unwrap_or_default(),
            &number(wanted.length.map(|it| it.to_string())),
            &number(wanted.rounds.map(|it| it.to_string())),
            wanted.ident.as_deref().unwrap_or_default(),
        ],
        || wanted.hash(password),
    )
}

impl Wanted {
    fn hash(&self, password: &str) -> Result<String, Error> {
        match self.kind {
            Kind::Bcrypt => self.bcrypt(password),
            Kind::Md5 if self.rounds.is_some() => {
                Err(refuse("`password_hash`: `md5` has no `rounds`"))
            }
            Kind::Md5 => Ok(crypt::md5(password, &self.salt(8)?)),
            Kind::Sha256 => {
                let rounds = self.rounds(535_000)?;
                crypt::sha256(password, &self.salt(16)?, rounds).map_err(not_made)
            }
            Kind::Sha512 => {
                let rounds = self.rounds(656_000)?;
                crypt::sha512(password, &self.salt(16)?, rounds).map_err(not_made)
            }
        }
    }

    fn rounds(&self, usual: u32) -> Result<u32, Error> {
        match self.rounds.unwrap_or(usual) {
            rounds @ 1000..=999_999_999 => Ok(rounds),
            rounds => Err(refuse(format!(
                "`password_hash`: {rounds} rounds: it takes from 1000 to 999999999"
            ))),
        }
    }

    fn salt(&self, longest: usize) -> Result<String, Error> {
        let length = self.length.unwrap_or(longest);
        if length > longest {
            return Err(refuse(format!(
                "`password_hash`: a salt has {longest} letters at most, not {length}"
            )));
        }
        let Some(said) = &self.salt else {
            return salt(length);
        };
        if said.len() > longest {
            return Err(refuse(format!(
                "`password_hash`: the salt has {} letters, and may have {longest}: `salt[:{longest}]` takes so many",
                said.chars().count()
            )));
        }
        if let Some(wrong) = said
            .chars()
            .find(|c| !u8::try_from(*c).is_ok_and(|byte| crypt::LETTERS.contains(&byte)))
        {
            return Err(refuse(format!(
                "`password_hash`: a salt has letters, digits, `.` and `/`, not `{wrong}`"
            )));
        }
        Ok(said.clone())
    }

    fn bcrypt(&self, password: &str) -> Result<String, Error> {
        let cost = self.rounds.unwrap_or(12);
        if !(4..=20).contains(&cost) {
            return Err(refuse(format!(
                "`password_hash`: `rounds` of bcrypt is a power of two, from 4 to 20, not {cost}"
            )));
        }
        let version = match self.ident.as_deref().unwrap_or("2b") {
            "2a" => Version::TwoA,
            "2b" => Version::TwoB,
            "2y" => Version::TwoY,
            other => {
                return Err(refuse(format!(
                    "`password_hash`: `ident` is `2a`, `2b` or `2y`, not `{other}`"
                )));
            }
        };
        let mut salt = [0; 16];
        if let Some(said) = &self.salt {
            salt = crypt::salt_of_bcrypt(said).ok_or_else(|| {
                refuse("`password_hash`: a salt of bcrypt has 22 letters, digits, `.` or `/`")
            })?;
        } else {
            random(&mut salt)?;
        }
        crypt::bcrypt(password, salt, cost, version).map_err(not_made)
    }
}

fn not_made(why: impl std::fmt::Display) -> Error {
    refuse(format!("`password_hash`: {why}"))
}

/// A text, encrypted as `ansible-vault` does it.
fn vault(text: String, args: Rest<Jinja>, kwargs: Kwargs) -> Result<String, Error> {
    session::derived();
    let names = ["secret", "salt", "vault_id", "wrap_object", "vaultid"];
    let [secret, salt, id, _, old] = given("vault", &args, &kwargs, names)?;
    let secret = password("vault", secret)?;
    let id = id
        .or(old)
        .map_or_else(|| "filter_default".to_owned(), |id| id.to_string());
    let salt = salt.map(|salt| salt.to_string());
    let parts = [
        "vault",
        &text,
        &String::from_utf8_lossy(secret.reveal()),
        salt.as_deref().unwrap_or_default(),
        &id,
    ];
    once(&parts, || {
        let mut bytes = [0; 32];
        match &salt {
            None => random(&mut bytes)?,
            Some(said) => {
                let said = <[u8; 32]>::try_from(said.as_bytes());
                bytes = said.map_err(|_| refuse("`vault`: a salt has 32 letters"))?;
            }
        }
        let id = Some(id.as_str()).filter(|id| *id != DEFAULT);
        Ok(Envelope::seal(text.as_bytes(), &secret, id, &bytes).text())
    })
}

/// What was encrypted; it is secret.
fn unvault(text: String, args: Rest<Jinja>, kwargs: Kwargs) -> Result<String, Error> {
    let names = ["secret", "vault_id", "vaultid"];
    let [secret, _, _] = given("unvault", &args, &kwargs, names)?;
    let secret = password("unvault", secret)?;
    if !crate::vault::is_vault(text.as_bytes()) {
        return Ok(text);
    }
    let envelope = Envelope::parse(text.as_bytes())
        .map_err(|damage| refuse(format!("`unvault`: {damage}")))?;
    let plain = envelope
        .open(&secret)
        .map_err(|_| refuse("`unvault`: it was encrypted with another password"))?;
    let plain = std::str::from_utf8(&plain)
        .map_err(|_| refuse("`unvault`: what comes out is not UTF-8"))?;
    session::used(&Secret::new(plain));
    Ok(plain.to_owned())
}

fn password(filter: &str, secret: Option<Jinja>) -> Result<Secret, Error> {
    match secret.as_ref().and_then(Jinja::as_str) {
        Some(text) if !text.is_empty() => Ok(Secret::new(text)),
        _ => Err(refuse(format!("`{filter}` wants a password, a text"))),
    }
}
