//! Filters that write texts in another alphabet: base64, URLs, HTML.

use base64::{
    Engine as _, alphabet,
    engine::{
        GeneralPurpose,
        general_purpose::{NO_PAD, STANDARD, URL_SAFE},
    },
};
use minijinja::{
    Environment, Error,
    value::{Kwargs, Rest, Value as Jinja, ValueKind},
};

use super::{data::items, defined, given, refuse};
use crate::template::session;

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_filter("b64encode", b64encode);
    env.add_filter("b64decode", b64decode);
    env.add_filter("urlencode", urlencode);
    for name in ["e", "escape"] {
        env.add_filter(name, |value: &Jinja| {
            let value = defined(value)?;
            Ok::<_, Error>(if value.is_safe() {
                value.clone()
            } else {
                Jinja::from_safe_string(escaped(&value.to_string()))
            })
        });
    }
    env.add_filter("forceescape", |value: &Jinja| {
        let text = defined(value)?.to_string();
        Ok::<_, Error>(Jinja::from_safe_string(escaped(&text)))
    });
    env.add_filter("striptags", stripped);
    env.add_filter("xmlattr", attributes);
}

/// As Python takes it: what is left of the last bits does not matter.
const LETTERS: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    NO_PAD.with_decode_allow_trailing_bits(true),
);

/// The bytes of a text in an encoding of Python's name.
pub(in crate::template) fn encoded(text: &str, encoding: &str) -> Result<Vec<u8>, Error> {
    let narrow = |most: u32| {
        let byte = |c: char| {
            u8::try_from(u32::from(c))
                .ok()
                .filter(|_| u32::from(c) < most)
        };
        let bytes = text.chars().map(byte).collect::<Option<Vec<u8>>>();
        bytes.ok_or_else(|| {
            refuse(format!(
                "the text has letters that `{encoding}` does not have"
            ))
        })
    };
    let units = || text.encode_utf16();
    match named(encoding).as_str() {
        "utf8" => Ok(text.as_bytes().to_vec()),
        "ascii" | "usascii" => narrow(128),
        "latin1" | "iso88591" => narrow(256),
        "utf16le" => Ok(units().flat_map(u16::to_le_bytes).collect()),
        "utf16be" => Ok(units().flat_map(u16::to_be_bytes).collect()),
        "utf16" => {
            let all = std::iter::once(0xfeff).chain(units());
            Ok(all.flat_map(u16::to_le_bytes).collect())
        }
        _ => Err(unknown(encoding)),
    }
}

/// The text of bytes in an encoding of Python's name.
pub(in crate::template) fn decoded(bytes: &[u8], encoding: &str) -> Result<String, Error> {
    let wrong = || refuse(format!("what comes out is not {}", encoding.to_uppercase()));
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let pairs = bytes.chunks_exact(2);
        if !pairs.remainder().is_empty() {
            return Err(wrong());
        }
        let units: Vec<u16> = pairs.map(|pair| unit([pair[0], pair[1]])).collect();
        String::from_utf16(&units).map_err(|_| wrong())
    };
    match named(encoding).as_str() {
        "utf8" => String::from_utf8(bytes.to_vec()).map_err(|_| wrong()),
        "ascii" | "usascii" if bytes.is_ascii() => {
            Ok(bytes.iter().map(|byte| char::from(*byte)).collect())
        }
        "ascii" | "usascii" => Err(wrong()),
        "latin1" | "iso88591" => Ok(bytes.iter().map(|byte| char::from(*byte)).collect()),
        "utf16le" => wide(bytes, u16::from_le_bytes),
        "utf16be" => wide(bytes, u16::from_be_bytes),
        "utf16" => match bytes {
            [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
            [0xff, 0xfe, rest @ ..] | rest => wide(rest, u16::from_le_bytes),
        },
        _ => Err(unknown(encoding)),
    }
}

fn named(encoding: &str) -> String {
    let letters = encoding.chars().filter(|c| !matches!(c, '-' | '_' | ' '));
    letters.collect::<String>().to_ascii_lowercase()
}

fn unknown(encoding: &str) -> Error {
    refuse(format!(
        "there is no encoding `{encoding}`: there are `utf-8`, `ascii`, `latin-1`, `utf-16`, `utf-16-le` and `utf-16-be`"
    ))
}

fn options(filter: &str, args: &[Jinja], kwargs: &Kwargs) -> Result<(String, bool), Error> {
    let [encoding, url] = given(filter, args, kwargs, ["encoding", "urlsafe"])?;
    let encoding = encoding.map_or_else(|| "utf-8".to_owned(), |name| name.to_string());
    Ok((encoding, url.is_some_and(|url| url.is_true())))
}

fn b64encode(text: String, args: Rest<Jinja>, kwargs: Kwargs) -> Result<String, Error> {
    session::derived();
    let (encoding, url) = options("b64encode", &args, &kwargs)?;
    let bytes = encoded(&text, &encoding)?;
    Ok(if url {
        URL_SAFE.encode(bytes)
    } else {
        STANDARD.encode(bytes)
    })
}

fn b64decode(text: String, args: Rest<Jinja>, kwargs: Kwargs) -> Result<String, Error> {
    session::derived();
    let (encoding, url) = options("b64decode", &args, &kwargs)?;
    let text = if url {
        text.replace('-', "+").replace('_', "/")
    } else {
        text
    };
    let (mut letters, mut pads, mut whole) = (String::new(), 0, false);
    for letter in text.chars().filter(|c| !c.is_ascii_whitespace()) {
        if letter == '=' {
            pads += 1;
            // Behind the end there may be anything.
            if letters.len() % 4 >= 2 && letters.len() % 4 + pads >= 4 {
                whole = true;
                break;
            }
            continue;
        }
        pads = 0;
        letters.push(letter);
    }
    if !whole && letters.len() % 4 != 0 {
        return Err(refuse(
            "`b64decode`: the text is cut off: base64 comes in fours, with `=` at the end",
        ));
    }
    let bytes = LETTERS.decode(letters);
    let bytes = bytes.map_err(|_| refuse("`b64decode`: the text is not base64"))?;
    decoded(&bytes, &encoding).map_err(|error| {
        refuse(format!(
            "`b64decode`: {}",
            error.detail().unwrap_or_default()
        ))
    })
}

/// Percent signs for all but letters, digits and `kept`.
fn quoted(text: &str, kept: &str, plus: bool) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        let letter = char::from(byte);
        if byte.is_ascii_alphanumeric() || "_.-~".contains(letter) || kept.contains(letter) {
            out.push(letter);
        } else if plus && byte == b' ' {
            out.push('+');
        } else {
            let digits = format!("{byte:02X}");
            out.extend(["%", &digits]);
        }
    }
    out
}

/// A text for a path, or a map or list of pairs as a query.
fn urlencode(value: &Jinja) -> Result<String, Error> {
    session::derived();
    let pairs: Vec<(Jinja, Jinja)> = match value.kind() {
        ValueKind::Undefined => return Err(Error::from(minijinja::ErrorKind::UndefinedError)),
        ValueKind::Map => value
            .try_iter()?
            .map(|key| Ok((key.clone(), value.get_item(&key)?)))
            .collect::<Result<_, Error>>()?,
        ValueKind::Seq | ValueKind::Iterable => items("urlencode", value)?
            .iter()
            .map(
                |pair| match <[Jinja; 2]>::try_from(items("urlencode", pair)?) {
                    Ok([key, value]) => Ok((key, value)),
                    Err(_) => Err(refuse("`urlencode` wants a list of pairs")),
                },
            )
            .collect::<Result<_, Error>>()?,
        _ => return Ok(quoted(&value.to_string(), "/", false)),
    };
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(key, value)| {
            let quoted = |part: &Jinja| quoted(&part.to_string(), "", true);
            format!("{}={}", quoted(key), quoted(value))
        })
        .collect();
    Ok(pairs.join("&"))
}

/// For HTML.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(letter),
        }
    }
    out
}

/// What is between the two, gone.
fn without(text: &str, open: &str, close: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(start) = rest.find(open) {
        let Some(end) = rest[start..].find(close) else {
            break;
        };
        out.push_str(&rest[..start]);
        rest = &rest[start + end + close.len()..];
    }
    out + rest
}

/// HTML as a plain text on one line.
fn stripped(text: String) -> String {
    session::derived();
    let text = without(&without(&text, "<!--", "-->"), "<", ">");
    let words: Vec<&str> = text.split_whitespace().collect();
    let (line, mut out) = (words.join(" "), String::new());
    let mut rest = line.as_str();
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let name = rest.split_once(';').map(|(name, _)| &name[1..]);
        let letter = name.and_then(|name| match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            "nbsp" => Some('\u{a0}'),
            _ => {
                let number = name.strip_prefix('#')?;
                let number = match number.strip_prefix(['x', 'X']) {
                    Some(digits) => u32::from_str_radix(digits, 16),
                    None => number.parse(),
                };
                number.ok().and_then(char::from_u32)
            }
        });
        let found = letter.zip(name);
        out.push(found.map_or('&', |(letter, _)| letter));
        rest = &rest[found.map_or(1, |(_, name)| name.len() + 2)..];
    }
    out + rest
}

/// A map as attributes of XML.
fn attributes(map: &Jinja, args: Rest<Jinja>, kwargs: Kwargs) -> Result<String, Error> {
    let [space] = given("xmlattr", &args, &kwargs, ["autospace"])?;
    if map.kind() != ValueKind::Map {
        return Err(refuse("`xmlattr` wants a map"));
    }
    let mut all = Vec::new();
    for key in map.try_iter()? {
        let (name, value) = (key.to_string(), map.get_item(&key)?);
        if value.is_none() || value.is_undefined() {
            continue;
        }
        if name.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '>' | '=')) {
            return Err(refuse(format!(
                "`xmlattr`: `{name}` is no name of an attribute"
            )));
        }
        let value = escaped(&value.to_string());
        all.push(format!("{}=\"{value}\"", escaped(&name)));
    }
    let space = space.is_none_or(|space| space.is_true()) && !all.is_empty();
    Ok(format!("{}{}", if space { " " } else { "" }, all.join(" ")))
}
