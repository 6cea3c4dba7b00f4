//! Filters of pages and columns.

use minijinja::{
    Environment, Error,
    value::{Kwargs, Rest, Value as Jinja},
};

use super::{given, refuse};
use crate::template::session;

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_filter("center", center);
    env.add_filter("filesizeformat", size);
    env.add_filter("urldecode", |text: String| unquote(&text));
}

/// Blanks on both sides; of an odd number one more is on the left where the width is odd, as Python has it.
fn center(text: String, args: Rest<Jinja>, kwargs: Kwargs) -> Result<String, Error> {
    let [width] = given("center", &args, &kwargs, ["width"])?;
    let width = width.map_or(Ok(80), usize::try_from)?;
    if width > WIDEST {
        return Err(refuse(format!("`center`: {width} is more than {WIDEST}")));
    }
    let blanks = width.saturating_sub(text.chars().count());
    let left = blanks / 2 + (blanks & width & 1);
    let (left, right) = (" ".repeat(left), " ".repeat(blanks - left));
    Ok(format!("{left}{text}{right}"))
}

/// How wide a column may be.
const WIDEST: usize = 1_000_000;

/// A size for people: powers of 1000, or of 1024.
fn size(value: &Jinja, args: Rest<Jinja>, kwargs: Kwargs) -> Result<String, Error> {
    let [binary] = given("filesizeformat", &args, &kwargs, ["binary"])?;
    let binary = binary.is_some_and(|it| it.is_true());
    let bytes = match value.as_str() {
        Some(text) => text.trim().parse().ok(),
        None => f64::try_from(value.clone()).ok(),
    };
    let Some(bytes) = bytes.filter(|bytes| bytes.is_finite()) else {
        return Err(refuse(format!(
            "`filesizeformat` wants a number, found {}",
            super::data::named(value.kind())
        )));
    };
    let base = if binary { 1024.0 } else { 1000.0 };
    if (bytes - 1.0).abs() < f64::EPSILON {
        return Ok("1 Byte".to_owned());
    }
    if bytes < base {
        return Ok(format!("{:.0} Bytes", bytes.trunc()));
    }
    let (mut scaled, mut letter) = (bytes / base, 0);
    while scaled >= base && letter + 1 < LETTERS.len() {
        scaled /= base;
        letter += 1;
    }
    let letter = LETTERS[letter];
    Ok(match (binary, letter) {
        (true, letter) => format!("{scaled:.1} {letter}iB"),
        (false, 'K') => format!("{scaled:.1} kB"),
        (false, letter) => format!("{scaled:.1} {letter}B"),
    })
}

const LETTERS: [char; 8] = ['K', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];

/// `+` is a blank, `%41` is `A`; what is not written so stays.
fn unquote(text: &str) -> String {
    session::derived();
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while let Some(byte) = bytes.get(at) {
        let code = bytes.get(at + 1..at + 3).and_then(|digits| {
            let digits = std::str::from_utf8(digits).ok()?;
            let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            plain.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
        });
        match (byte, code) {
            (b'%', Some(code)) => {
                out.push(code);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(*byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}
