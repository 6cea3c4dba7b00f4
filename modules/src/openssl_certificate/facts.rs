//! What a certificate and a public key say.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use der::{AnyRef, Reader as _, SliceReader, Tag, Tagged as _, asn1::ObjectIdentifier};

/// What kind of key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// RSA, of so many bits.
    Rsa(u32),
    /// On a curve of this name.
    Ec(String),
    /// Ed25519.
    Ed25519,
    /// Another, by the number of its algorithm.
    Other(String),
}

impl Kind {
    /// As it is told.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Rsa(bits) => format!("rsa {bits}"),
            Self::Ec(curve) => format!("ec {curve}"),
            Self::Ed25519 => "ed25519".to_owned(),
            Self::Other(number) => format!("another ({number})"),
        }
    }
}

/// What a certificate says, as far as a task can want it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The entries of its subject: the numbers of their types, and their values.
    pub subject: Vec<(String, String)>,
    /// Whether its issuer is its subject.
    pub own: bool,
    /// For what it holds, as `DNS:name`.
    pub names: BTreeSet<String>,
    /// What its key may be used for.
    pub usage: BTreeSet<String>,
    /// For what: names, or numbers.
    pub extended: BTreeSet<String>,
    /// Whether it is an authority's.
    pub is_ca: bool,
    /// What is signed; nothing if the kind of key says that.
    pub digest: Option<String>,
    /// Whether its public key is that of the key beside it.
    pub fits: bool,
    /// Whether it ends soon.
    pub ends: bool,
}

/// Curves: names that are understood, the one that is told first, and numbers.
pub(super) const CURVES: [(&[&str], &str); 3] = [
    (&["P-256", "prime256v1", "secp256r1"], "1.2.840.10045.3.1.7"),
    (&["P-384", "secp384r1"], "1.3.132.0.34"),
    (&["P-521", "secp521r1"], "1.3.132.0.35"),
];

/// What keys may be used for, in the order of the bits.
pub(super) const USAGES: [&str; 9] = [
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
];

/// For what.
pub(super) const PURPOSES: [(&str, &str); 6] = [
    ("serverAuth", "1.3.6.1.5.5.7.3.1"),
    ("clientAuth", "1.3.6.1.5.5.7.3.2"),
    ("codeSigning", "1.3.6.1.5.5.7.3.3"),
    ("emailProtection", "1.3.6.1.5.5.7.3.4"),
    ("timeStamping", "1.3.6.1.5.5.7.3.8"),
    ("OCSPSigning", "1.3.6.1.5.5.7.3.9"),
];

/// How signatures are made: numbers, and what is signed.
const SIGNATURES: [(&str, Option<&str>); 10] = [
    ("1.2.840.113549.1.1.4", Some("md5")),
    ("1.2.840.113549.1.1.5", Some("sha1")),
    ("1.2.840.113549.1.1.11", Some("sha256")),
    ("1.2.840.113549.1.1.12", Some("sha384")),
    ("1.2.840.113549.1.1.13", Some("sha512")),
    ("1.2.840.10045.4.1", Some("sha1")),
    ("1.2.840.10045.4.3.2", Some("sha256")),
    ("1.2.840.10045.4.3.3", Some("sha384")),
    ("1.2.840.10045.4.3.4", Some("sha512")),
    ("1.3.101.112", None),
];

/// What kind a public key is, of its DER.
pub(super) fn kind(public: &[u8]) -> Kind {
    known_kind(public).unwrap_or(Kind::Other("unknown".to_owned()))
}

fn known_kind(public: &[u8]) -> Option<Kind> {
    let [info] = all(public)?[..] else {
        return None;
    };
    let [algorithm, bits] = all(info.value())?[..] else {
        return None;
    };
    let algorithm = all(algorithm.value())?;
    let (first, parameters) = algorithm.split_first()?;
    let first = number(first)?;
    Some(match first.as_str() {
        "1.2.840.113549.1.1.1" => Kind::Rsa(modulus(bits.value().get(1..)?)?),
        "1.2.840.10045.2.1" => {
            // One that spells its curve out has no name of it.
            let curve = number(parameters.first()?)?;
            let known = CURVES.iter().find(|(_, number)| *number == curve);
            Kind::Ec(known.map_or(curve.clone(), |(names, _)| names[0].to_owned()))
        }
        "1.3.101.112" => Kind::Ed25519,
        _ => Kind::Other(first),
    })
}

/// How many bits the modulus of an RSA key has.
fn modulus(key: &[u8]) -> Option<u32> {
    let [key] = all(key)?[..] else {
        return None;
    };
    let numbers = all(key.value())?;
    let bytes = numbers.first()?.value();
    let bytes = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
    let bits = u32::try_from(bytes.len()).ok()?.checked_mul(8)?;
    Some(bits - bytes.first()?.leading_zeros())
}

/// All that stands in these bytes, one after another.
fn all(bytes: &[u8]) -> Option<Vec<AnyRef<'_>>> {
    let mut reader = SliceReader::new(bytes).ok()?;
    let mut found = Vec::new();
    while !reader.is_finished() {
        found.push(reader.decode().ok()?);
    }
    Some(found)
}

/// `1.2.3`.
fn number(value: &AnyRef<'_>) -> Option<String> {
    if value.tag() != Tag::ObjectIdentifier {
        return None;
    }
    Some(
        ObjectIdentifier::from_bytes(value.value())
            .ok()?
            .to_string(),
    )
}

/// The number behind a tag that means something only where it stands: `[3]`.
fn place(value: &AnyRef<'_>) -> Option<u32> {
    value
        .tag()
        .is_context_specific()
        .then(|| value.tag().number().value())
}

/// What a certificate says, of its DER. Nothing if it makes no sense.
pub(super) fn facts(certificate: &[u8], public: Option<&[u8]>, ends: bool) -> Option<Facts> {
    let [whole] = all(certificate)?[..] else {
        return None;
    };
    let [signed, algorithm, _] = all(whole.value())?[..] else {
        return None;
    };
    let mut parts = all(signed.value())?;
    if place(parts.first()?) == Some(0) {
        // The version.
        parts.remove(0);
    }
    let [_, _, issuer, _, subject, key, ref rest @ ..] = parts[..] else {
        return None;
    };
    let signature = number(all(algorithm.value())?.first()?)?;
    let digest = SIGNATURES
        .iter()
        .find(|(known, _)| *known == signature)
        .map_or(Some(signature.as_str()), |(_, digest)| *digest);
    let public = match public {
        Some(public) => all(public)?.first().copied(),
        None => None,
    };
    let mut facts = Facts {
        subject: entries(subject.value())?,
        own: issuer == subject,
        digest: digest.map(ToOwned::to_owned),
        fits: public == Some(key),
        ends,
        ..Facts::default()
    };
    if let Some(extensions) = rest.iter().find(|part| place(part) == Some(3)) {
        for extension in all(all(extensions.value())?.first()?.value())? {
            extend(&mut facts, &extension)?;
        }
    }
    Some(facts)
}

/// The entries of a subject.
fn entries(name: &[u8]) -> Option<Vec<(String, String)>> {
    let mut found = Vec::new();
    for set in all(name)? {
        for entry in all(set.value())? {
            let [kind, value] = all(entry.value())?[..] else {
                return None;
            };
            found.push((number(&kind)?, text(&value)));
        }
    }
    Some(found)
}

/// Adds what an extension says.
fn extend(facts: &mut Facts, extension: &AnyRef<'_>) -> Option<()> {
    let parts = all(extension.value())?;
    // Whether it is critical may stand between.
    let (kind, value) = (number(parts.first()?)?, parts.last()?.value());
    match kind.as_str() {
        "2.5.29.17" => {
            let names = all(all(value)?.first()?.value())?;
            facts.names = names.iter().map(name).collect();
        }
        "2.5.29.15" => {
            let bits = all(value)?.first()?.value();
            let set = |at: usize| {
                let byte = bits.get(1 + at / 8).copied().unwrap_or_default();
                byte & (0x80 >> (at % 8)) != 0
            };
            let has = USAGES.iter().enumerate().filter(|(at, _)| set(*at));
            facts.usage = has.map(|(_, name)| (*name).to_owned()).collect();
        }
        "2.5.29.37" => {
            let purposes = all(all(value)?.first()?.value())?;
            let named = purposes.iter().map(|id| Some(purpose(&number(id)?)));
            facts.extended = named.collect::<Option<_>>()?;
        }
        "2.5.29.19" => {
            let parts = all(all(value)?.first()?.value())?;
            let first = parts.first().filter(|part| part.tag() == Tag::Boolean);
            facts.is_ca = first.is_some_and(|yes| yes.value() != [0]);
        }
        _ => {}
    }
    Some(())
}

/// The name of a purpose, if it has one.
pub(super) fn purpose(number: &str) -> String {
    let known = PURPOSES.iter().find(|(_, known)| *known == number);
    known.map_or(number, |(name, _)| name).to_owned()
}

/// What an entry of a subject holds.
fn text(value: &AnyRef<'_>) -> String {
    let bytes = value.value();
    if value.tag() == Tag::BmpString {
        let units = bytes
            .chunks_exact(2)
            .map(|two| u16::from_be_bytes([two[0], two[1]]));
        return char::decode_utf16(units)
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
    }
    String::from_utf8_lossy(bytes).into_owned()
}

fn name(name: &AnyRef<'_>) -> String {
    let text = String::from_utf8_lossy(name.value());
    match place(name) {
        Some(1) => format!("email:{text}"),
        Some(2) => format!("DNS:{}", text.to_ascii_lowercase()),
        Some(6) => format!("URI:{text}"),
        Some(7) => match address(name.value()) {
            Some(address) => format!("IP:{address}"),
            None => "IP:?".to_owned(),
        },
        _ => "a name of another kind".to_owned(),
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(four).into());
    }
    <[u8; 16]>::try_from(bytes)
        .ok()
        .map(|sixteen| Ipv6Addr::from(sixteen).into())
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;

    use super::*;

    /// Made by `openssl` with all that a task can say.
    const CERTIFICATE: &str = include_str!("sample.b64");

    fn sample() -> Vec<u8> {
        BASE64.decode(CERTIFICATE.trim().as_bytes()).unwrap()
    }

    #[test]
    fn all_of_a_certificate() {
        let bytes = sample();
        let facts = facts(&bytes, None, true).unwrap();
        let text = |items: &[&str]| items.iter().map(|&item| item.to_owned()).collect();
        assert_eq!(
            facts,
            Facts {
                subject: [
                    ("2.5.4.6", "DE"),
                    ("2.5.4.10", "☃, Inc"),
                    ("2.5.4.3", "web.example"),
                ]
                .map(|(number, value)| (number.to_owned(), value.to_owned()))
                .into(),
                own: true,
                names: text(&[
                    "DNS:web.example",
                    "IP:192.0.2.7",
                    "IP:2001:db8::1",
                    "URI:x://y",
                    "email:a@b"
                ]),
                usage: text(&["keyCertSign", "decipherOnly", "keyAgreement"]),
                extended: text(&["serverAuth", "1.2.3.4"]),
                is_ca: true,
                digest: Some("sha384".to_owned()),
                fits: false,
                ends: true,
            }
        );
    }

    #[test]
    fn what_is_cut_off_or_changed_makes_no_sense_but_does_no_harm() {
        let whole = sample();
        for end in 0..whole.len() {
            assert_eq!(facts(&whole[..end], None, false), None, "{end}");
        }
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xff;
            drop(facts(&bytes, Some(&bytes), false));
            drop(kind(&bytes));
        }
    }

    #[test]
    fn kinds_of_keys() {
        assert_eq!(
            modulus(&[0x30, 0x08, 0x02, 0x03, 0x00, 0x80, 0x01, 0x02, 0x01, 0x03]),
            Some(16)
        );
        assert_eq!(kind(b"x"), Kind::Other("unknown".to_owned()));
        let ed = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
        assert_eq!(kind(&BASE64.decode(ed.as_bytes()).unwrap()), Kind::Ed25519);
    }
}
