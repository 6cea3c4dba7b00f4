//! What a task wants of a key and its certificate.

use std::{collections::BTreeSet, net::IpAddr};

use evenkeel_engine::Refusal;

use super::{
    Args, Digest, Type, Values,
    facts::{CURVES, Facts, Kind, PURPOSES, USAGES, purpose},
};

/// What is wanted, in the form in which it is read from the host.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) kind: Kind,
    pub(super) facts: Facts,
}

/// An entry of a subject: its names, its number, how many characters it may have, and whether only of ASCII.
struct Entry(&'static [&'static str], &'static str, usize, bool);

const ENTRIES: [Entry; 17] = [
    Entry(&["CN", "commonName"], CN, 64, false),
    Entry(&["C", "countryName"], "2.5.4.6", 2, true),
    Entry(&["ST", "S", "stateOrProvinceName"], "2.5.4.8", 128, false),
    Entry(&["L", "localityName"], "2.5.4.7", 128, false),
    Entry(&["O", "organizationName"], "2.5.4.10", 64, false),
    Entry(&["OU", "organizationalUnitName"], "2.5.4.11", 64, false),
    Entry(&["emailAddress", "E"], "1.2.840.113549.1.9.1", 128, true),
    Entry(&["serialNumber"], "2.5.4.5", 64, true),
    Entry(&["SN", "surname"], "2.5.4.4", 32768, false),
    Entry(&["GN", "givenName"], "2.5.4.42", 32768, false),
    Entry(&["title"], "2.5.4.12", 32768, false),
    Entry(&["street", "streetAddress"], "2.5.4.9", 32768, false),
    Entry(&["postalCode"], "2.5.4.17", 32768, false),
    Entry(&["description"], "2.5.4.13", 32768, false),
    Entry(&["dnQualifier"], "2.5.4.46", 32768, true),
    Entry(
        &["DC", "domainComponent"],
        "0.9.2342.19200300.100.1.25",
        32768,
        true,
    ),
    Entry(&["UID", "userId"], "0.9.2342.19200300.100.1.1", 256, false),
];

/// The number of the common name.
const CN: &str = "2.5.4.3";

/// What an entry of a subject is called; its number if it has no name.
pub(super) fn called(number: &str) -> &str {
    let known = ENTRIES.iter().find(|entry| entry.1 == number);
    known.map_or(number, |entry| entry.0[0])
}

impl Wish {
    pub(super) fn of(args: &Args) -> Result<Self, Refusal> {
        let subject = subject(args)?;
        let days = args.days();
        if !(1..=36_500).contains(&days) {
            return Err(Refusal::new(format!(
                "`days: {days}` is not between 1 and 36500"
            )));
        }
        let before = args.renew_before();
        if before >= days {
            let what = format!("`renew_before: {before}` with `days: {days}`");
            return Err(Refusal::new(what)
                .help("it would be made anew each time: it has to hold longer than that"));
        }
        let digest = match (args.kind, args.digest) {
            (Type::Ed25519, Digest::Sha256) => None,
            (Type::Ed25519, _) => {
                return Err(Refusal::new("`digest` with `type: ed25519`")
                    .help("such a key has its own: leave `digest` away"));
            }
            (_, digest) => Some(name(digest).to_owned()),
        };
        Ok(Self {
            kind: kind(args)?,
            facts: Facts {
                names: names(args)?,
                usage: usage(args)?,
                extended: args
                    .extended_usage
                    .iter()
                    .map(|text| extended(text))
                    .collect::<Result<_, _>>()?,
                is_ca: args.is_ca,
                digest,
                own: true,
                fits: true,
                ends: false,
                subject,
            },
        })
    }
}

/// As `openssl` calls it.
pub(super) fn name(digest: Digest) -> &'static str {
    match digest {
        Digest::Sha256 => "sha256",
        Digest::Sha384 => "sha384",
        Digest::Sha512 => "sha512",
    }
}

fn kind(args: &Args) -> Result<Kind, Refusal> {
    if args.size.is_some() && args.kind != Type::Rsa {
        return Err(Refusal::new("`size` without `type: rsa`").help("an `ec` key has a `curve`"));
    }
    if args.curve.is_some() && args.kind != Type::Ec {
        return Err(Refusal::new("`curve` without `type: ec`"));
    }
    match args.kind {
        Type::Ed25519 => Ok(Kind::Ed25519),
        Type::Rsa => match args.size.unwrap_or(4096) {
            size @ 2048..=16384 => Ok(Kind::Rsa(size)),
            size => Err(
                Refusal::new(format!("`size: {size}` is not between 2048 and 16384"))
                    .help("TLS refuses smaller RSA keys, and larger ones take minutes"),
            ),
        },
        Type::Ec => {
            let wanted = args.curve.as_deref().unwrap_or("P-256");
            let same = |name: &str| name.eq_ignore_ascii_case(wanted);
            let known = CURVES
                .iter()
                .find(|(names, _)| names.iter().any(|name| same(name)));
            let (names, _) = known.ok_or_else(|| {
                Refusal::new(format!("`curve: {wanted}` is not known"))
                    .help("`P-256`, `P-384` and `P-521` are")
            })?;
            Ok(Kind::Ec(names[0].to_owned()))
        }
    }
}

fn subject(args: &Args) -> Result<Vec<(String, String)>, Refusal> {
    let mut subject = Vec::new();
    for (name, values) in &args.subject {
        let values = match values {
            Values::One(value) => std::slice::from_ref(value),
            Values::Many(values) => values,
        };
        for value in values {
            subject.push(entry("subject", name, value)?);
        }
    }
    if let Some(name) = &args.common_name {
        if subject.iter().any(|(number, _)| number == CN) {
            return Err(Refusal::new("`common_name`, and `CN` in `subject`")
                .help("write it in one of them"));
        }
        subject.push(entry("common_name", "CN", name)?);
    }
    if subject.is_empty() {
        return Err(Refusal::new("neither `common_name` nor `subject`")
            .help("`common_name: HOST` says whose certificate it is"));
    }
    Ok(subject)
}

/// One entry: its number and its value.
fn entry(at: &str, name: &str, value: &str) -> Result<(String, String), Refusal> {
    let same = |known: &str| known.eq_ignore_ascii_case(name);
    let known = ENTRIES
        .iter()
        .find(|entry| entry.0.contains(&name))
        .or_else(|| {
            ENTRIES
                .iter()
                .find(|entry| entry.0.iter().any(|known| same(known)))
        });
    let number = match known {
        Some(entry) => entry.1,
        None if is_number(name) => name,
        None => {
            let names: Vec<&str> = ENTRIES.iter().map(|entry| entry.0[0]).collect();
            return Err(
                Refusal::new(format!("`{at}`: `{name}` is no entry of a subject")).help(format!(
                    "there are {}, and numbers (`2.5.4.3`)",
                    names.join(", ")
                )),
            );
        }
    };
    let wrong = |why: String| Err(Refusal::new(format!("`{at}`: `{name}` {why}")));
    if value.is_empty() {
        return wrong("is empty".to_owned());
    }
    if value.chars().any(char::is_control) {
        return wrong("holds a line end or another control character".to_owned());
    }
    if let Some(Entry(_, _, limit, ascii)) = known {
        let length = value.chars().count();
        if length > *limit {
            return wrong(format!("has {length} characters; {limit} is the most"));
        }
        if number == "2.5.4.6" && length != 2 {
            return wrong("is not the two letters of a country (`DE`)".to_owned());
        }
        if *ascii && !value.is_ascii() {
            return wrong("may hold ASCII only".to_owned());
        }
    }
    Ok((number.to_owned(), value.to_owned()))
}

/// Whether it is the number of something: `1.2.3`.
fn is_number(text: &str) -> bool {
    let arcs: Vec<&str> = text.split('.').collect();
    arcs.len() > 2
        && arcs
            .iter()
            .all(|arc| !arc.is_empty() && arc.len() < 10 && arc.bytes().all(|b| b.is_ascii_digit()))
        && der::asn1::ObjectIdentifier::new(text).is_ok()
}

fn names(args: &Args) -> Result<BTreeSet<String>, Refusal> {
    let Some(given) = &args.san else {
        let name = args.common_name.as_deref().filter(|_| !args.is_ca);
        return Ok(name.and_then(of_host).into_iter().collect());
    };
    given.iter().map(|text| alternative(text)).collect()
}

/// The common name as an alternative one, if it is that of a host.
fn of_host(name: &str) -> Option<String> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Some(format!("IP:{address}"));
    }
    is_host(name).then(|| format!("DNS:{}", name.to_ascii_lowercase()))
}

fn is_host(name: &str) -> bool {
    let name = name.strip_prefix("*.").unwrap_or(name);
    let label = |label: &str| {
        !label.is_empty()
            && label.len() < 64
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    name.len() < 254 && name.split('.').all(label)
}

fn alternative(text: &str) -> Result<String, Refusal> {
    let wrong = |why: &str| Refusal::new(format!("`san`: `{text}` {why}"));
    let kinds = "write `DNS:name`, `IP:address`, `email:address` or `URI:address`";
    let (kind, value) = text
        .split_once(':')
        .ok_or_else(|| wrong("has no kind").help(kinds))?;
    let value = value.trim();
    let plain = !value.is_empty() && value.bytes().all(|b| b.is_ascii_graphic());
    match kind.trim() {
        "IP" | "IP Address" => match value.parse::<IpAddr>() {
            Ok(address) => Ok(format!("IP:{address}")),
            Err(_) => Err(wrong("is no address")),
        },
        "DNS" if is_host(value) => Ok(format!("DNS:{}", value.to_ascii_lowercase())),
        "DNS" => Err(wrong("is no name of a host")
            .help("other letters than ASCII are written as `xn--…` (`idn2 NAME` tells it)")),
        // Else `copy` and `move` would mean something.
        "email" if plain && value.contains('@') => Ok(format!("email:{value}")),
        "email" => Err(wrong("is no address of mail")),
        "URI" if plain && value.contains(':') => Ok(format!("URI:{value}")),
        "URI" => Err(wrong("is no address")),
        _ => Err(wrong("is of a kind that is not supported").help(kinds)),
    }
}

fn usage(args: &Args) -> Result<BTreeSet<String>, Refusal> {
    let Some(given) = &args.usage else {
        let of_authority = ["keyCertSign", "cRLSign"].map(ToOwned::to_owned);
        return Ok(of_authority.into_iter().filter(|_| args.is_ca).collect());
    };
    let one = |text: &String| {
        let known = USAGES.iter().find(|name| name.eq_ignore_ascii_case(text));
        known.map(|name| (*name).to_owned()).ok_or_else(|| {
            let names = USAGES.join(", ");
            Refusal::new(format!("`usage`: `{text}` is not known"))
                .help(format!("there are {names}"))
        })
    };
    given.iter().map(one).collect()
}

fn extended(text: &str) -> Result<String, Refusal> {
    if is_number(text) {
        return Ok(purpose(text));
    }
    let known = PURPOSES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(text));
    known.map(|(name, _)| (*name).to_owned()).ok_or_else(|| {
        let names = PURPOSES.map(|(name, _)| name).join(", ");
        Refusal::new(format!("`extended_usage`: `{text}` is not known"))
            .help(format!("there are {names}, and numbers (`1.3.6.1…`)"))
    })
}
