//! What a plain scalar means: the rules of YAML 1.1 as `PyYAML` has them.

use super::Kind;

/// A number that no type of ours can hold.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLarge;

/// What a plain scalar means. Dates stay texts.
pub(super) fn resolve(text: &str) -> Result<Kind, TooLarge> {
    if let Some(constant) = null(text).or_else(|| boolean(text)) {
        return Ok(constant);
    }
    if let Some(digits) = float(text) {
        return Ok(Kind::Float(digits));
    }
    match int(text) {
        Some(number) => number,
        None => Ok(Kind::Str(text.to_owned())),
    }
}

/// `~`, `null`, nothing at all.
pub(super) fn null(text: &str) -> Option<Kind> {
    matches!(text, "" | "~" | "null" | "Null" | "NULL").then_some(Kind::Null)
}

/// `yes`, `no`, `on`, `off`, `true`, `false` in three spellings each.
pub(super) fn boolean(text: &str) -> Option<Kind> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Some(Kind::Bool(true))
        }
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Some(Kind::Bool(false))
        }
        _ => None,
    }
}

fn sign(text: &str) -> (bool, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    }
}

fn all(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte == b'_' || allowed(byte))
}

fn digits(text: &str) -> bool {
    all(text, |byte| byte.is_ascii_digit())
}

fn decimal(text: &str) -> bool {
    digits(text) && !text.starts_with('_')
}

/// The part of a sexagesimal number after a colon: at most 59.
fn sixtieth(text: &str) -> bool {
    match text.as_bytes() {
        [one] => one.is_ascii_digit(),
        [ten, one] => (b'0'..=b'5').contains(ten) && one.is_ascii_digit(),
        _ => false,
    }
}

/// A whole number; `None` if it is none.
pub(super) fn int(text: &str) -> Option<Result<Kind, TooLarge>> {
    let (negative, rest) = sign(text);
    let (radix, body) = if let Some(body) = rest.strip_prefix("0b") {
        (all(body, |byte| matches!(byte, b'0' | b'1'))).then_some((2, body))?
    } else if let Some(body) = rest.strip_prefix("0x") {
        all(body, |byte| byte.is_ascii_hexdigit()).then_some((16, body))?
    } else if rest == "0" {
        return Some(Ok(Kind::Int(0)));
    } else if let Some(body) = rest.strip_prefix('0') {
        all(body, |byte| (b'0'..=b'7').contains(&byte)).then_some((8, body))?
    } else {
        let mut parts = rest.split(':');
        let first = parts.next().filter(|first| decimal(first))?;
        if rest.contains(':') {
            return parts
                .clone()
                .all(sixtieth)
                .then(|| sexagesimal(negative, first, parts));
        }
        (10, first)
    };
    let plain: String = body.chars().filter(|c| *c != '_').collect();
    if plain.is_empty() {
        // `0x_`: PyYAML fails on it; a text harms nobody. `0_` is zero.
        return (radix == 8).then_some(Ok(Kind::Int(0)));
    }
    Some(u128::from_str_radix(&plain, radix).map_or(Err(TooLarge), |size| whole(negative, size)))
}

fn sexagesimal<'a>(
    negative: bool,
    first: &str,
    parts: impl Iterator<Item = &'a str>,
) -> Result<Kind, TooLarge> {
    let mut total: u128 = first.replace('_', "").parse().map_err(|_| TooLarge)?;
    for part in parts {
        let part: u128 = part.parse().map_err(|_| TooLarge)?;
        total = total
            .checked_mul(60)
            .and_then(|total| total.checked_add(part))
            .ok_or(TooLarge)?;
    }
    whole(negative, total)
}

fn whole(negative: bool, size: u128) -> Result<Kind, TooLarge> {
    if negative {
        let size = i128::try_from(size).map_err(|_| TooLarge)?;
        return i64::try_from(-size).map(Kind::Int).map_err(|_| TooLarge);
    }
    i64::try_from(size)
        .map(Kind::Int)
        .or_else(|_| u64::try_from(size).map(Kind::UInt))
        .map_err(|_| TooLarge)
}

/// A number with a fraction; `None` if it is none.
pub(super) fn float(text: &str) -> Option<f64> {
    let (negative, rest) = sign(text);
    let signed = |value: f64| if negative { -value } else { value };
    if matches!(rest, ".inf" | ".Inf" | ".INF") {
        return Some(signed(f64::INFINITY));
    }
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(f64::NAN);
    }
    if rest.contains(':') {
        return sexagesimal_float(rest).map(signed);
    }
    let (mantissa, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], &rest[at + 1..]),
        None => (rest, "+0"),
    };
    let power = exponent.strip_prefix(['+', '-'])?;
    if power.is_empty() || !power.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (before, after) = mantissa.split_once('.')?;
    let shaped = if before.is_empty() {
        // PyYAML takes no sign here.
        rest.len() == text.len() && decimal(after)
    } else {
        decimal(before) && (after.is_empty() || digits(after))
    };
    shaped.then(|| plain_float(rest)).flatten().map(signed)
}

fn plain_float(text: &str) -> Option<f64> {
    text.replace('_', "").parse().ok()
}

fn sexagesimal_float(rest: &str) -> Option<f64> {
    let (whole, fraction) = rest.split_once('.')?;
    if !fraction.is_empty() && !digits(fraction) {
        return None;
    }
    let mut parts = whole.split(':');
    let mut total = plain_float(parts.next().filter(|first| decimal(first))?)?;
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        if !sixtieth(part) {
            return None;
        }
        let value = if parts.peek().is_none() {
            plain_float(&format!("{part}.{fraction}"))?
        } else {
            plain_float(part)?
        };
        total = total * 60.0 + value;
    }
    Some(total)
}
