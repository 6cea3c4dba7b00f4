//! Keys of the curve P-256 whose number begins with a zero byte, one of 256: OpenSSH writes the number without it, and
//! the library reads only numbers of 32 bytes.
//!
//! The format is that of `PROTOCOL.key` of OpenSSH.

use data_encoding::BASE64;
use russh::keys::{
    PrivateKey,
    ssh_encoding::{self, Decode as _, Encode as _},
};

const MAGIC: &[u8] = b"openssh-key-v1\0";

/// Bytes of a number of the curve.
const SIZE: usize = 32;

/// The key in a text, if it is such a one: one that is encrypted with its passphrase.
pub(crate) fn read(text: &str, words: Option<&str>) -> Option<PrivateKey> {
    let (public, private) = match PrivateKey::from_openssh(text) {
        Ok(key) => (key.public_key().to_bytes().ok()?, decrypted(&key, words?)?),
        Err(_) => sections(text).ok()??,
    };
    let private = filled(&private).ok()??;
    let container = container(&public, &private).ok()?;
    PrivateKey::from_bytes(&container).ok()
}

fn decrypted(key: &PrivateKey, words: &str) -> Option<Vec<u8>> {
    let (secret, start) = key.kdf().derive_key_and_iv(key.cipher(), words).ok()?;
    let mut section = key.key_data().encrypted()?.to_vec();
    // One that also signs what it encrypts keeps that to itself.
    key.cipher()
        .decrypt(&secret, &start, &mut section, None)
        .ok()?;
    Some(section)
}

/// The public and the private section of a file that is not encrypted.
fn sections(text: &str) -> ssh_encoding::Result<Option<(Vec<u8>, Vec<u8>)>> {
    let lines = text.lines().map(str::trim);
    let body: String = lines.filter(|line| !line.starts_with("-----")).collect();
    let Ok(bytes) = BASE64.decode(body.as_bytes()) else {
        return Ok(None);
    };
    let Some(mut rest) = bytes.strip_prefix(MAGIC) else {
        return Ok(None);
    };
    let reader = &mut rest;
    let (cipher, _kdf) = (String::decode(reader)?, String::decode(reader)?);
    let (_options, count) = (bytes_of(reader)?, u32::decode(reader)?);
    let found = (bytes_of(reader)?, bytes_of(reader)?);
    Ok((cipher == "none" && count == 1).then_some(found))
}

fn bytes_of(reader: &mut &[u8]) -> ssh_encoding::Result<Vec<u8>> {
    Vec::decode(reader)
}

/// A private section with a number of all bytes, if it is of the curve and has less.
fn filled(mut section: &[u8]) -> ssh_encoding::Result<Option<Vec<u8>>> {
    let reader = &mut section;
    let checks = [u32::decode(reader)?, u32::decode(reader)?];
    if checks[0] != checks[1] {
        return Ok(None);
    }
    let (kind, curve) = (String::decode(reader)?, String::decode(reader)?);
    let (point, number) = (bytes_of(reader)?, bytes_of(reader)?);
    let comment = bytes_of(reader)?;
    if curve != "nistp256" || number.len() >= SIZE {
        return Ok(None);
    }
    let mut whole = vec![0; SIZE - number.len()];
    whole.extend(number);
    let mut out = Vec::new();
    checks[0].encode(&mut out)?;
    checks[1].encode(&mut out)?;
    kind.encode(&mut out)?;
    curve.encode(&mut out)?;
    point.encode(&mut out)?;
    whole.encode(&mut out)?;
    comment.encode(&mut out)?;
    // Without a cipher blocks have eight bytes.
    let fill = (1..).take(out.len().next_multiple_of(8) - out.len());
    out.extend(fill);
    Ok(Some(out))
}

/// A file that is not encrypted, of these sections.
fn container(public: &[u8], private: &[u8]) -> ssh_encoding::Result<Vec<u8>> {
    let mut out = MAGIC.to_vec();
    "none".encode(&mut out)?;
    "none".encode(&mut out)?;
    "".encode(&mut out)?;
    1_u32.encode(&mut out)?;
    public.encode(&mut out)?;
    private.encode(&mut out)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use russh::keys::decode_secret_key;

    use super::*;

    /// Made by `ssh-keygen` for this test.
    const SHORT: &str = include_str!("short_keys/short");
    /// The same, with the passphrase `apple pie`.
    const LOCKED: &str = include_str!("short_keys/locked");
    const PUBLIC: &str = include_str!("short_keys/short.pub");

    #[test]
    fn they_are_read_as_openssh_wrote_them() {
        for (text, words) in [(SHORT, None), (LOCKED, Some("apple pie"))] {
            // Once the library reads them, this file can go.
            assert!(decode_secret_key(text, words).is_err());
            let key = read(text, words).expect("a key");
            let public = key.public_key().to_openssh().expect("a line");
            assert!(PUBLIC.starts_with(&public), "{public}");
            key.sign("test", russh::keys::HashAlg::Sha256, b"it signs")
                .expect("a signature");
        }
        assert!(read(LOCKED, Some("plum pie")).is_none());
        assert!(read(LOCKED, None).is_none());
    }

    #[test]
    fn others_are_none() {
        for text in ["", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", PUBLIC] {
            assert!(read(text, None).is_none());
        }
    }
}
