//! Public keys of `OpenPGP` (RFC 4880): as much of them as tells one from another.

use data_encoding::BASE64;
use sha1::{Digest as _, Sha1};

/// A public key with its subkeys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// Its own, and then those of its subkeys: 40 upper-case hexadecimal digits each.
    pub(crate) fingerprints: Vec<String>,
    /// When it was made, in seconds since 1970.
    pub(crate) made: u32,
    /// All its packets.
    packets: Vec<u8>,
}

/// What a key in armor begins with.
pub(crate) const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const END: &str = "-----END PGP PUBLIC KEY BLOCK-----";

impl Key {
    /// The key alone, in armor.
    pub(crate) fn armor(&self) -> String {
        let body = BASE64.encode(&self.packets);
        let mut text = format!("{BEGIN}\n\n");
        for line in body.as_bytes().chunks(64) {
            text.push_str(&String::from_utf8_lossy(line));
            text.push('\n');
        }
        let sum = BASE64.encode(&crc24(&self.packets).to_be_bytes()[1..]);
        text + &format!("={sum}\n{END}\n")
    }
}

/// The checksum of armor.
fn crc24(bytes: &[u8]) -> u32 {
    let mut crc = 0x00B7_04CE_u32;
    for byte in bytes {
        crc ^= u32::from(*byte) << 16;
        for _ in 0..8 {
            crc <<= 1;
            if crc & 0x0100_0000 != 0 {
                crc ^= 0x0186_4CFB;
            }
        }
    }
    crc & 0x00FF_FFFF
}

/// The keys in a file, in armor or not; at least one.
pub(crate) fn keys(bytes: &[u8]) -> Result<Vec<Key>, String> {
    let packets = if bytes.first().is_some_and(|byte| byte & 0x80 != 0) {
        bytes.to_vec()
    } else {
        dearmor(&String::from_utf8_lossy(bytes))?
    };
    let mut keys: Vec<Key> = Vec::new();
    let mut rest = &packets[..];
    while !rest.is_empty() {
        let (tag, head, len) = header(rest)?;
        let whole = head.checked_add(len).and_then(|end| rest.get(..end));
        let whole = whole.ok_or("its end is missing")?;
        let body = &whole[head..];
        match tag {
            6 => keys.push(Key {
                fingerprints: vec![fingerprint(body)?],
                made: made(body),
                packets: whole.to_vec(),
            }),
            5 | 7 => return Err("it is a secret key".to_owned()),
            tag => {
                let key = keys.last_mut().ok_or("it does not begin with a key")?;
                if tag == 14 {
                    key.fingerprints.push(fingerprint(body)?);
                }
                key.packets.extend_from_slice(whole);
            }
        }
        rest = &rest[whole.len()..];
    }
    if keys.is_empty() {
        return Err("there is no key in it".to_owned());
    }
    Ok(keys)
}

/// The bytes in all armor of a text.
fn dearmor(text: &str) -> Result<Vec<u8>, String> {
    if text.contains("-----BEGIN PGP PRIVATE KEY BLOCK-----") {
        return Err("it is a secret key".to_owned());
    }
    let mut all = Vec::new();
    let mut lines = text.lines().map(str::trim);
    let mut any = false;
    while lines.by_ref().any(|line| line == BEGIN) {
        any = true;
        let mut body = String::new();
        let mut sum = None;
        let mut heads = true;
        let mut ended = false;
        for line in lines.by_ref() {
            if line == END {
                ended = true;
                break;
            }
            if heads {
                // Lines of a header hold a colon; an empty line ends them.
                heads = line.contains(": ") || line.ends_with(':');
                if heads || line.is_empty() {
                    heads = !line.is_empty();
                    continue;
                }
            }
            match line.strip_prefix('=') {
                Some(rest) if rest.len() == 4 => sum = Some(rest.to_owned()),
                _ => body.push_str(line),
            }
        }
        if !ended {
            return Err(format!("the line `{END}` is missing"));
        }
        let bytes = BASE64
            .decode(body.as_bytes())
            .map_err(|_| "its armor is damaged")?;
        let right = BASE64.encode(&crc24(&bytes).to_be_bytes()[1..]);
        if sum.is_some_and(|sum| sum != right) {
            return Err("its armor is damaged: the checksum differs".to_owned());
        }
        all.extend(bytes);
    }
    if !any {
        return Err(format!("there is no line `{BEGIN}`"));
    }
    Ok(all)
}

/// The tag of a packet, how long its header is, and its body.
fn header(bytes: &[u8]) -> Result<(u8, usize, usize), String> {
    let short = || "its end is missing".to_owned();
    let at = |index: usize| bytes.get(index).copied().map(usize::from).ok_or_else(short);
    let number = |from: usize, len: usize| {
        (from..from + len).try_fold(0, |sum, index| Ok::<_, String>(sum << 8 | at(index)?))
    };
    let first = bytes[0];
    if first & 0x80 == 0 {
        return Err("it is damaged".to_owned());
    }
    let parts = || "it is in parts without a length".to_owned();
    if first & 0x40 == 0 {
        let tag = (first >> 2) & 0xf;
        let len = match first & 3 {
            0 => 1,
            1 => 2,
            2 => 4,
            _ => return Err(parts()),
        };
        return Ok((tag, 1 + len, number(1, len)?));
    }
    let tag = first & 0x3f;
    match at(1)? {
        len @ 0..=191 => Ok((tag, 2, len)),
        len @ 192..=223 => Ok((tag, 3, ((len - 192) << 8) + at(2)? + 192)),
        255 => Ok((tag, 6, number(2, 4)?)),
        _ => Err(parts()),
    }
}

fn made(body: &[u8]) -> u32 {
    body.get(1..5)
        .and_then(|four| four.try_into().ok())
        .map_or(0, u32::from_be_bytes)
}

fn fingerprint(body: &[u8]) -> Result<String, String> {
    match body.first() {
        Some(4) => {}
        Some(version) => {
            return Err(format!(
                "it is a key of version {version}, and only version 4 is read"
            ));
        }
        None => return Err("it is damaged".to_owned()),
    }
    let len = u16::try_from(body.len()).map_err(|_| "it is too long")?;
    let mut hash = Sha1::new();
    hash.update([0x99]);
    hash.update(len.to_be_bytes());
    hash.update(body);
    Ok(evenkeel_engine::hex(&hash.finalize()).to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = include_str!("../tests/cases/rpm_key.asc");
    /// As gpg prints them.
    const PRINTS: &str = include_str!("../tests/cases/rpm_key.fingerprints");

    #[test]
    fn fingerprints_are_those_of_gpg() {
        let found = keys(KEY.as_bytes()).unwrap();
        let prints: Vec<&str> = PRINTS.lines().collect();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].fingerprints, prints);
        assert_eq!(keys(found[0].armor().as_bytes()).unwrap(), found);
        assert_eq!(keys(&found[0].packets).unwrap(), found);
        let twice = format!("Two of them:\n{KEY}\nand\n{KEY}");
        assert_eq!(keys(twice.as_bytes()).unwrap().len(), 2);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let damaged = KEY.replacen("mDME", "mDMF", 1);
        assert!(damaged != KEY);
        let cut = KEY.lines().take(5).collect::<Vec<_>>().join("\n");
        let packets = keys(KEY.as_bytes()).unwrap()[0].packets.clone();
        for (bytes, why) in [
            (&b""[..], "there is no line"),
            (b"<html>", "there is no line"),
            (b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n", "a secret key"),
            (damaged.as_bytes(), "the checksum differs"),
            (cut.as_bytes(), "is missing"),
            (&packets[..packets.len() - 1], "its end is missing"),
            (&packets[..20], "its end is missing"),
            (&[0x95, 0, 1, 4], "a secret key"),
            (&[0x99, 0, 1, 6], "version 6"),
            (&[0xB4, 1, 65], "does not begin with a key"),
        ] {
            let said = keys(bytes).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
        // Whatever is cut off, it is an error or fewer packets, never a panic.
        for end in 0..packets.len() {
            drop(keys(&packets[..end]));
        }
    }
}
