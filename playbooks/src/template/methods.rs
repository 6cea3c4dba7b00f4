//! Methods of Python's values that minijinja's contributions do not have.

use minijinja::{
    Error, ErrorKind, State,
    value::{Kwargs, Rest, Tuple, Value as Jinja, ValueKind, from_args},
};

use super::filters::{bare_pattern, ran, refuse};

/// How long a text may be made.
const LONGEST: usize = 1_000_000;

/// Calls a method; those that are not here are left to minijinja.
pub(super) fn call(
    state: &mut State<'_, '_>,
    value: &Jinja,
    name: &str,
    args: &[Jinja],
) -> Result<Jinja, Error> {
    let found = match value.kind() {
        ValueKind::String => text(value.as_str().unwrap_or_default(), name, args)?,
        ValueKind::Bytes => bytes(value, name, args)?,
        ValueKind::Seq => list(value, name, args)?,
        ValueKind::Map if name == "copy" && args.is_empty() => Some(value.clone()),
        ValueKind::Number if name == "is_integer" && args.is_empty() => Some(Jinja::from(
            f64::try_from(value.clone()).is_ok_and(|number| number.fract() == 0.0),
        )),
        _ => None,
    };
    match found {
        Some(found) => Ok(found),
        None => minijinja_contrib::pycompat::unknown_method_callback(state, value, name, args),
    }
}

fn list(value: &Jinja, name: &str, args: &[Jinja]) -> Result<Option<Jinja>, Error> {
    Ok(match (name, args) {
        ("index", [wanted]) => {
            let at = value.try_iter()?.position(|item| item == *wanted);
            let at = at.ok_or_else(|| refuse(format!("`{wanted}` is not in the list")))?;
            Some(Jinja::from(at))
        }
        ("copy", []) => Some(value.clone()),
        _ => None,
    })
}

fn bytes(value: &Jinja, name: &str, args: &[Jinja]) -> Result<Option<Jinja>, Error> {
    if name != "decode" {
        return Ok(None);
    }
    let (encoding, _): (Option<String>, Kwargs) = from_args(args)?;
    let encoding = encoding.unwrap_or_else(|| "utf-8".to_owned());
    let bytes = value.as_bytes().unwrap_or_default();
    super::filters::decoded(bytes, &encoding).map(|text| Some(Jinja::from(text)))
}

fn text(text: &str, name: &str, args: &[Jinja]) -> Result<Option<Jinja>, Error> {
    for kind in [places, kinds, made] {
        if let Some(found) = kind(text, name, args)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Where something is in a text.
fn places(text: &str, name: &str, args: &[Jinja]) -> Result<Option<Jinja>, Error> {
    Ok(Some(match name {
        "startswith" | "endswith" if args.len() > 1 => {
            let (ends, from, to): (Jinja, i64, Option<i64>) = from_args(args)?;
            let (part, _) = within(text, Some(from), to);
            let fits = |end: &str| match name {
                "startswith" => part.starts_with(end),
                _ => part.ends_with(end),
            };
            match ends.as_str() {
                Some(end) => fits(end).into(),
                None => ends
                    .try_iter()?
                    .any(|end| end.as_str().is_some_and(fits))
                    .into(),
            }
        }
        "find" | "rfind" | "index" | "rindex" => {
            let (what, from, to): (String, Option<i64>, Option<i64>) = from_args(args)?;
            let (part, start) = within(text, from, to);
            let found = match name {
                "find" | "index" => part.find(&what),
                _ => part.rfind(&what),
            };
            match found {
                Some(at) => Jinja::from(start + part[..at].chars().count()),
                None if name.ends_with("find") => Jinja::from(-1),
                None => {
                    return Err(refuse(format!("`{name}`: `{what}` is not in the text")));
                }
            }
        }
        "count" if args.len() > 1 => {
            let (what, from, to): (String, i64, Option<i64>) = from_args(args)?;
            within(text, Some(from), to).0.matches(&what).count().into()
        }
        _ => return Ok(None),
    }))
}

/// Of what letters a text is.
fn kinds(text: &str, name: &str, args: &[Jinja]) -> Result<Option<Jinja>, Error> {
    Ok(Some(match name {
        "isdecimal" => all(text, args, decimal)?,
        "isdigit" => all(text, args, |c| {
            decimal(c) || "¹²³⁰⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉".contains(c)
        })?,
        "isidentifier" => {
            let (): () = from_args(args)?;
            let starts = text.starts_with(|c: char| c == '_' || c.is_alphabetic());
            Jinja::from(starts && text.chars().all(|c| c == '_' || c.is_alphanumeric()))
        }
        "isprintable" => {
            let (): () = from_args(args)?;
            Jinja::from(!text.chars().any(char::is_control))
        }
        "istitle" => {
            let (): () = from_args(args)?;
            Jinja::from(titled(text))
        }
        _ => return Ok(None),
    }))
}

/// What is made of a text.
fn made(text: &str, name: &str, args: &[Jinja]) -> Result<Option<Jinja>, Error> {
    Ok(Some(match name {
        "rjust" | "ljust" | "center" => padded(text, name, args)?,
        "zfill" => {
            let (width,): (usize,) = from_args(args)?;
            let blanks = missing(text, width)?;
            let sign = text.starts_with(['+', '-']);
            let (sign, digits) = text.split_at(usize::from(sign));
            Jinja::from(format!("{sign}{}{digits}", "0".repeat(blanks)))
        }
        "swapcase" => {
            let (): () = from_args(args)?;
            let swapped = text.chars().map(|c| {
                if c.is_uppercase() {
                    c.to_lowercase().to_string()
                } else {
                    c.to_uppercase().to_string()
                }
            });
            Jinja::from(swapped.collect::<String>())
        }
        "casefold" => {
            let (): () = from_args(args)?;
            Jinja::from(text.to_lowercase().replace('ß', "ss"))
        }
        "split" | "rsplit" => split(text, name, args)?,
        "partition" | "rpartition" => {
            let (mark,): (String,) = from_args(args)?;
            if mark.is_empty() {
                return Err(refuse(format!("`{name}`: an empty text parts nothing")));
            }
            let found = match name {
                "partition" => text.split_once(&mark),
                _ => text.rsplit_once(&mark),
            };
            let parts = match (found, name) {
                (Some((left, right)), _) => [left, &mark, right],
                (None, "partition") => [text, "", ""],
                (None, _) => ["", "", text],
            };
            Jinja::from(Tuple::from(parts.map(Jinja::from).to_vec()))
        }
        "removeprefix" => {
            let (mark,): (String,) = from_args(args)?;
            Jinja::from(text.strip_prefix(&mark).unwrap_or(text))
        }
        "removesuffix" => {
            let (mark,): (String,) = from_args(args)?;
            Jinja::from(text.strip_suffix(&mark).unwrap_or(text))
        }
        "expandtabs" => {
            let (size,): (Option<usize>,) = from_args(args)?;
            Jinja::from(untabbed(text, size.unwrap_or(8))?)
        }
        "encode" => {
            let (encoding, _): (Option<String>, Rest<Jinja>) = from_args(args)?;
            let encoding = encoding.unwrap_or_else(|| "utf-8".to_owned());
            Jinja::from_bytes(super::filters::encoded(text, &encoding)?)
        }
        "translate" => translated(text, args)?,
        _ => return Ok(None),
    }))
}

/// A part of a text by numbers of letters, and the letter it begins at.
fn within(text: &str, from: Option<i64>, to: Option<i64>) -> (&str, usize) {
    let count = text.chars().count();
    let place = |index: i64| {
        let len = i64::try_from(count).unwrap_or(i64::MAX);
        let index = if index < 0 { len + index } else { index };
        usize::try_from(index.clamp(0, len)).unwrap_or(0)
    };
    let start = from.map_or(0, place);
    let end = to.map_or(count, place).max(start);
    let byte = |letter: usize| {
        let mut bytes = text.char_indices().map(|(byte, _)| byte);
        bytes.nth(letter).unwrap_or(text.len())
    };
    (&text[byte(start)..byte(end)], start)
}

/// How many letters a text is short of a width.
fn missing(text: &str, width: usize) -> Result<usize, Error> {
    if width > LONGEST {
        return Err(refuse(format!("a width of {width} is more than {LONGEST}")));
    }
    Ok(width.saturating_sub(text.chars().count()))
}

fn padded(text: &str, name: &str, args: &[Jinja]) -> Result<Jinja, Error> {
    let (width, fill): (usize, Option<String>) = from_args(args)?;
    let fill = fill.unwrap_or_else(|| " ".to_owned());
    if fill.chars().count() != 1 {
        return Err(refuse(format!(
            "`{name}` fills with one letter, not `{fill}`"
        )));
    }
    let blanks = missing(text, width)?;
    let left = match name {
        "rjust" => blanks,
        "ljust" => 0,
        _ => blanks / 2 + (blanks & width & 1),
    };
    let (left, right) = (fill.repeat(left), fill.repeat(blanks - left));
    Ok(Jinja::from(format!("{left}{text}{right}")))
}

fn decimal(c: char) -> bool {
    c.is_ascii_digit()
        || !c.is_ascii()
            && bare_pattern(r"^\d$").is_ok_and(|digit| {
                ran(digit.is_match(c.encode_utf8(&mut [0; 4]) as &str)).unwrap_or(false)
            })
}

fn all(text: &str, args: &[Jinja], fits: impl Fn(char) -> bool) -> Result<Jinja, Error> {
    let (): () = from_args(args)?;
    Ok(Jinja::from(!text.is_empty() && text.chars().all(fits)))
}

/// Whether each run of letters begins with the only capital of it.
fn titled(text: &str) -> bool {
    let (mut inside, mut any) = (false, false);
    for c in text.chars() {
        match (c.is_uppercase(), c.is_lowercase()) {
            (true, _) if inside => return false,
            (_, true) if !inside => return false,
            (upper, lower) => inside = upper || lower,
        }
        any |= inside;
    }
    any
}

fn split(text: &str, name: &str, args: &[Jinja]) -> Result<Jinja, Error> {
    let (mark, most, kwargs): (Option<Jinja>, Option<i64>, Kwargs) = from_args(args)?;
    let mark = mark.map_or_else(|| kwargs.get::<Option<Jinja>>("sep"), |it| Ok(Some(it)))?;
    let most = most.map_or_else(|| kwargs.get::<Option<i64>>("maxsplit"), |it| Ok(Some(it)))?;
    kwargs.assert_all_used()?;
    let most = most.and_then(|most| usize::try_from(most).ok());
    let parts: Vec<&str> = match mark.filter(|mark| !mark.is_none()) {
        None => blanks(text, name == "rsplit", most),
        Some(mark) => {
            let Some(mark) = mark.as_str().filter(|mark| !mark.is_empty()) else {
                return Err(refuse(format!(
                    "`{name}` wants a text to part at, found `{mark}`"
                )));
            };
            match (name, most) {
                (_, None) => text.split(mark).collect(),
                ("split", Some(most)) => text.splitn(most.saturating_add(1), mark).collect(),
                (_, Some(most)) => {
                    let parts = text.rsplitn(most.saturating_add(1), mark);
                    let mut parts: Vec<&str> = parts.collect();
                    parts.reverse();
                    parts
                }
            }
        }
    };
    Ok(parts.into_iter().map(Jinja::from).collect())
}

/// Split at white space, of which there may be more than one.
fn blanks(text: &str, back: bool, most: Option<usize>) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        if most.is_some_and(|most| parts.len() == most) {
            parts.push(rest);
            break;
        }
        let found = if back {
            rest.rfind(char::is_whitespace).map(|at| {
                let after = rest[at..].trim_start();
                (after, rest[..at].trim_end())
            })
        } else {
            rest.find(char::is_whitespace)
                .map(|at| (&rest[..at], rest[at..].trim_start()))
        };
        let (part, others) = found.unwrap_or((rest, ""));
        parts.push(part);
        rest = others;
    }
    if back {
        parts.reverse();
    }
    parts
}

fn untabbed(text: &str, size: usize) -> Result<String, Error> {
    missing("", size)?;
    let (mut out, mut column) = (String::new(), 0);
    for c in text.chars() {
        match c {
            '\t' if size > 0 => {
                let blanks = size - column % size;
                out.extend(std::iter::repeat_n(' ', blanks));
                column += blanks;
            }
            '\t' => {}
            '\n' | '\r' => {
                out.push(c);
                column = 0;
            }
            _ => {
                out.push(c);
                column += 1;
            }
        }
        missing("", out.len())?;
    }
    Ok(out)
}

/// Each letter by what a map has for its number.
fn translated(text: &str, args: &[Jinja]) -> Result<Jinja, Error> {
    let (map,): (Jinja,) = from_args(args)?;
    if map.kind() != ValueKind::Map {
        return Err(Error::new(
            ErrorKind::InvalidOperation,
            "`translate` wants a map of numbers of letters",
        ));
    }
    let mut out = String::new();
    for c in text.chars() {
        let found = map.get_item(&Jinja::from(u32::from(c)))?;
        match u32::try_from(found.clone()).ok().and_then(char::from_u32) {
            _ if found.is_undefined() => out.push(c),
            _ if found.is_none() => {}
            Some(other) => out.push(other),
            None => out.push_str(&found.to_string()),
        }
    }
    Ok(Jinja::from(out))
}
