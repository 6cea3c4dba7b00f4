//! The format: a line that says what it is, then lines of hexadecimal digits.
//!
//! The digits are those of three lines, again of digits: the salt, the seal and the encrypted bytes. The
//! password and the salt give a key to encrypt, a key to seal and the beginning of the counter.

use std::fmt::Write as _;

use aes::Aes256;
use ctr::{
    Ctr128BE,
    cipher::{KeyIvInit as _, StreamCipher as _},
};
use evenkeel_engine::{Secret, hex};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// How every vault begins.
const MARK: &str = "$ANSIBLE_VAULT;";
const CIPHER: &str = "AES256";
const ROUNDS: u32 = 10_000;
const BLOCK: usize = 16;
const COLUMNS: usize = 80;
/// The longest salt that is taken: `ansible-vault` writes 32 bytes.
const LONGEST_SALT: usize = 1024;

/// Whether a text is a vault, as far as its beginning says.
pub fn is_vault(text: &[u8]) -> bool {
    text.starts_with(MARK.as_bytes())
}

/// An encrypted text, taken apart.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    id: Option<String>,
    salt: Vec<u8>,
    seal: [u8; 32],
    body: Vec<u8>,
}

/// Why a text is no vault that can be opened, whatever the password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// It begins otherwise.
    #[error("it does not begin with `$ANSIBLE_VAULT;`")]
    NoVault,
    /// A format of another age.
    #[error("its format is `{0}`: 1.1 and 1.2 are there")]
    Version(String),
    /// Another cipher.
    #[error("its cipher is `{0}`: AES256 is there")]
    Cipher(String),
    /// Digits are missing, or something else stands between them.
    #[error("it is damaged: {0}")]
    Digits(&'static str),
}

impl Damage {
    /// What to do.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NoVault => {
                "put here what `evenkeel vault encrypt-string` prints, or take the tag away"
            }
            Self::Version(_) | Self::Cipher(_) => {
                "decrypt it with the program that made it, and encrypt it anew"
            }
            Self::Digits(_) => "take it from where it was encrypted: all of its lines",
        }
    }
}

/// Why a password does not open a vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The seal is of another password, or the text was changed.
    Seal,
    /// The seal fits, and yet the end is not one that any program writes.
    Padding,
}

impl Envelope {
    /// Takes a text apart.
    pub fn parse(text: &[u8]) -> Result<Self, Damage> {
        if !is_vault(text) {
            return Err(Damage::NoVault);
        }
        let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let digits = &text[first.len()..];
        let head = String::from_utf8_lossy(first);
        let mut words = head.split(';').skip(1).map(str::trim);
        let version = words.next().unwrap_or_default();
        let cipher = words.next().unwrap_or_default();
        let id = words.next().filter(|id| !id.is_empty());
        if !matches!(version, "1.1" | "1.2") {
            return Err(Damage::Version(short(version)));
        }
        if cipher != CIPHER {
            return Err(Damage::Cipher(short(cipher)));
        }
        let lines = bytes(digits, "what follows its first line is not hexadecimal")?;
        let mut lines = lines.split(|byte| *byte == b'\n');
        let mut next = |missing| lines.next().ok_or(Damage::Digits(missing));
        let salt = bytes(next("its salt is missing")?, "its salt is not hexadecimal")?;
        if salt.is_empty() {
            return Err(Damage::Digits("its salt is missing"));
        }
        if salt.len() > LONGEST_SALT {
            return Err(Damage::Digits("its salt is too long"));
        }
        let seal = bytes(next("its seal is missing")?, "its seal is not hexadecimal")?;
        let seal = seal[..]
            .try_into()
            .map_err(|_| Damage::Digits("its seal is not 32 bytes long"))?;
        let body = next("its encrypted bytes are missing")?;
        let body = bytes(body, "its encrypted bytes are not hexadecimal")?;
        if body.is_empty() || body.len() % BLOCK != 0 {
            return Err(Damage::Digits("its end is missing"));
        }
        Ok(Self {
            id: id.map(str::to_owned),
            salt,
            seal,
            body,
        })
    }

    /// Encrypts bytes; `salt` must never have been used before.
    pub fn seal(plain: &[u8], password: &Secret, id: Option<&str>, salt: &[u8; 32]) -> Self {
        let keys = Keys::derive(password, salt);
        let padding = BLOCK - plain.len() % BLOCK;
        let mut body = Vec::with_capacity(plain.len() + padding);
        body.extend_from_slice(plain);
        body.resize(
            plain.len() + padding,
            u8::try_from(padding).unwrap_or_default(),
        );
        keys.crypt(&mut body);
        let seal = keys.mac(&body).finalize().into_bytes().into();
        Self {
            id: id.map(str::to_owned),
            salt: salt.to_vec(),
            seal,
            body,
        }
    }

    /// The bytes in it, if this is its password.
    pub fn open(&self, password: &Secret) -> Result<Zeroizing<Vec<u8>>, Misfit> {
        let keys = Keys::derive(password, &self.salt);
        // It takes as long whichever byte differs.
        keys.mac(&self.body)
            .verify_slice(&self.seal)
            .map_err(|_| Misfit::Seal)?;
        let mut plain = Zeroizing::new(self.body.clone());
        keys.crypt(&mut plain);
        let padding = plain.last().copied().map_or(0, usize::from);
        let end = plain.len().checked_sub(padding).ok_or(Misfit::Padding)?;
        let fits = (1..=BLOCK).contains(&padding)
            && plain[end..]
                .iter()
                .all(|byte| usize::from(*byte) == padding);
        if !fits {
            return Err(Misfit::Padding);
        }
        plain.truncate(end);
        Ok(plain)
    }

    /// Whose password it wants, where it says so.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// As it is written: lines of 80 columns, with a line feed at the end.
    pub fn text(&self) -> String {
        let mut text = match &self.id {
            Some(id) => format!("{MARK}1.2;{CIPHER};{id}\n"),
            None => format!("{MARK}1.1;{CIPHER}\n"),
        };
        let lines = [&self.salt[..], &self.seal, &self.body].map(hex);
        let digits = hex(lines.join("\n").as_bytes());
        for line in digits.as_bytes().chunks(COLUMNS) {
            writeln!(text, "{}", String::from_utf8_lossy(line)).expect("a String takes all");
        }
        text
    }
}

impl std::fmt::Debug for Envelope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Envelope({:?}, {} bytes)", self.id, self.body.len())
    }
}

/// What a password and a salt give.
struct Keys(Zeroizing<[u8; 80]>);

impl Keys {
    fn derive(password: &Secret, salt: &[u8]) -> Self {
        let mut keys = Zeroizing::new([0; 80]);
        pbkdf2::pbkdf2_hmac::<Sha256>(password.reveal(), salt, ROUNDS, &mut *keys);
        Self(keys)
    }

    fn crypt(&self, bytes: &mut [u8]) {
        let (key, start) = (&self.0[..32], &self.0[64..]);
        let mut cipher = Ctr128BE::<Aes256>::new_from_slices(key, start)
            .expect("BUG: these are the lengths of AES-256");
        cipher.apply_keystream(bytes);
    }

    fn mac(&self, body: &[u8]) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0[32..64]).expect("BUG: a key of any length does");
        mac.update(body);
        mac
    }
}

/// Bytes from their digits; white space between them is nothing.
fn bytes(digits: &[u8], wrong: &'static str) -> Result<Vec<u8>, Damage> {
    let mut found = Vec::with_capacity(digits.len() / 2);
    let mut high = None;
    for byte in digits.iter().filter(|byte| !byte.is_ascii_whitespace()) {
        let digit = char::from(*byte)
            .to_digit(16)
            .ok_or(Damage::Digits(wrong))?;
        let digit = u8::try_from(digit).unwrap_or_default();
        match high.take() {
            None => high = Some(digit),
            Some(high) => found.push(high << 4 | digit),
        }
    }
    match high {
        None => Ok(found),
        Some(_) => Err(Damage::Digits("a digit is missing")),
    }
}

fn short(word: &str) -> String {
    word.chars()
        .filter(|letter| !letter.is_control())
        .take(20)
        .collect()
}
