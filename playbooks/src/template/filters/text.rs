//! Filters of texts.

use fancy_regex::{Captures, Regex, RegexBuilder};
use minijinja::{
    Environment, Error,
    value::{Kwargs, Rest, Value as Jinja},
};

use super::refuse;
use crate::template::session;

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_filter("regex_replace", regex_replace);
    env.add_filter("regex_search", regex_search);
    env.add_filter("regex_findall", regex_findall);
    env.add_filter("regex_escape", |text: String| {
        fancy_regex::escape(&text).into_owned()
    });
    env.add_filter("quote", quote);
    env.add_filter("comment", comment);
    env.add_filter("b64encode", |text: String| {
        session::derived();
        base64(text.as_bytes())
    });
    env.add_filter("b64decode", b64decode);
    env.add_filter("urlsplit", urlsplit);
    env.add_filter("join", join);
    env.add_filter("wordcount", |text: String| {
        text.split(|c: char| !c.is_alphanumeric() && c != '_')
            .filter(|word| !word.is_empty())
            .count()
    });
    env.add_filter("truncate", truncate);
}

/// Compiles a Python pattern, with its flags as keyword arguments.
pub(in crate::template) fn pattern(text: &str, kwargs: &Kwargs) -> Result<Regex, Error> {
    let flag = |name| Ok::<_, Error>(kwargs.get::<Option<bool>>(name)?.unwrap_or(false));
    RegexBuilder::new(text)
        .case_insensitive(flag("ignorecase")?)
        .multi_line(flag("multiline")?)
        .dot_matches_new_line(flag("dotall")?)
        .build()
        .map_err(|error| refuse(format!("`{text}` is not a regular expression: {error}")))
}

/// The same without flags.
pub(in crate::template) fn bare_pattern(text: &str) -> Result<Regex, Error> {
    pattern(text, &Kwargs::from_iter(Vec::<(String, Jinja)>::new()))
}

pub(in crate::template) fn ran<T>(result: Result<T, fancy_regex::Error>) -> Result<T, Error> {
    result.map_err(|error| refuse(format!("the regular expression failed: {error}")))
}

/// Puts the groups into a Python replacement: `\1`, `\g<1>`, `\g<name>`, and `\n` and the like.
fn expand(with: &str, captures: &Captures<'_, str>) -> String {
    let group = |name: &str| match name.parse::<usize>() {
        Ok(number) => captures.get(number).map_or("", |found| found.as_str()),
        Err(_) => captures.name(name).map_or("", |found| found.as_str()),
    };
    let (mut out, mut rest) = (String::new(), with);
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some((name, after)) = rest
            .strip_prefix("g<")
            .and_then(|named| named.split_once('>'))
        {
            out.push_str(group(name));
            rest = after;
            continue;
        }
        let digits = rest.bytes().take(2).take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            out.push_str(group(&rest[..digits]));
            rest = &rest[digits..];
            continue;
        }
        let Some(letter) = rest.chars().next() else {
            out.push('\\');
            break;
        };
        match letter {
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            '\\' => out.push('\\'),
            other => out.extend(['\\', other]),
        }
        rest = &rest[letter.len_utf8()..];
    }
    out.push_str(rest);
    out
}

fn regex_replace(
    text: String,
    find: Option<String>,
    with: Option<String>,
    kwargs: Kwargs,
) -> Result<String, Error> {
    let find = find.map_or_else(|| kwargs.get("pattern"), Ok)?;
    let with = match with {
        Some(with) => with,
        None => kwargs
            .get::<Option<String>>("replacement")?
            .unwrap_or_default(),
    };
    let count = kwargs.get::<Option<usize>>("count")?.unwrap_or(0);
    let regex = pattern(&find, &kwargs)?;
    kwargs.assert_all_used()?;
    ran(
        regex.try_replacen(&text, count, |captures: &Captures<'_, str>| {
            expand(&with, captures)
        }),
    )
    .map(std::borrow::Cow::into_owned)
}

/// The match, or the groups that are named (`'\\1'`, `'\\g<name>'`); nothing where there is none.
fn regex_search(
    text: String,
    find: String,
    groups: Rest<String>,
    kwargs: Kwargs,
) -> Result<Jinja, Error> {
    let regex = pattern(&find, &kwargs)?;
    kwargs.assert_all_used()?;
    let Some(captures) = ran(regex.captures(text.as_str()))? else {
        return Ok(Jinja::from(()));
    };
    if groups.is_empty() {
        return Ok(Jinja::from(
            captures.get(0).map_or("", |found| found.as_str()),
        ));
    }
    Ok(groups
        .iter()
        .map(|group| expand(group, &captures))
        .collect())
}

/// All matches: the whole, the one group, or lists of groups.
fn regex_findall(text: String, find: String, kwargs: Kwargs) -> Result<Jinja, Error> {
    let regex = pattern(&find, &kwargs)?;
    kwargs.assert_all_used()?;
    let mut found = Vec::new();
    for captures in regex.captures_iter(text.as_str()) {
        let captures = ran(captures)?;
        let group = |number| Jinja::from(captures.get(number).map_or("", |found| found.as_str()));
        found.push(match captures.len() {
            1 => group(0),
            2 => group(1),
            groups => (1..groups).map(group).collect(),
        });
    }
    Ok(found.into())
}

/// For a shell.
fn quote(value: Jinja) -> String {
    let text = if value.is_none() {
        String::new()
    } else {
        value.to_string()
    };
    if text.is_empty() {
        return "''".to_owned();
    }
    let safe = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if text.chars().all(safe) {
        text
    } else {
        format!("'{}'", text.replace('\'', "'\"'\"'"))
    }
}

/// A comment of `#` lines, or in another style.
fn comment(text: String, style: Option<String>, kwargs: Kwargs) -> Result<String, Error> {
    let style = style.unwrap_or_else(|| "plain".to_owned());
    let (begin, line, end) = match style.as_str() {
        "plain" => ("", "# ", ""),
        "erlang" => ("", "% ", ""),
        "c" => ("", "// ", ""),
        "cblock" => ("/*", " * ", " */"),
        "xml" => ("<!--", " - ", "-->"),
        other => {
            return Err(refuse(format!(
                "`comment` knows no style `{other}`; it knows plain, erlang, c, cblock and xml"
            )));
        }
    };
    let line = kwargs
        .get::<Option<String>>("decoration")?
        .unwrap_or_else(|| line.to_owned());
    let prefix = kwargs
        .get::<Option<String>>("prefix")?
        .unwrap_or_else(|| line.clone());
    let postfix = kwargs
        .get::<Option<String>>("postfix")?
        .unwrap_or_else(|| line.clone());
    let newline = kwargs
        .get::<Option<String>>("newline")?
        .unwrap_or_else(|| "\n".to_owned());
    kwargs.assert_all_used()?;
    let mut lines: Vec<String> = Vec::new();
    lines.extend((!begin.is_empty()).then(|| begin.to_owned()));
    lines.extend((!prefix.is_empty()).then(|| prefix.trim_end().to_owned()));
    lines.extend(
        text.split('\n')
            .map(|text| format!("{line}{text}").trim_end().to_owned()),
    );
    lines.extend((!postfix.is_empty()).then(|| postfix.trim_end().to_owned()));
    lines.extend((!end.is_empty()).then(|| end.to_owned()));
    Ok(lines.join(&newline))
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64, with padding.
pub(in crate::template) fn base64(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let word = at(0) << 16 | at(1) << 8 | at(2);
        for index in 0..4 {
            out.push(if index <= chunk.len() {
                char::from(BASE64[(word >> (18 - 6 * index) & 63) as usize])
            } else {
                '='
            });
        }
    }
    out
}

fn b64decode(text: String) -> Result<String, Error> {
    session::derived();
    let (mut bytes, mut word, mut bits) = (Vec::new(), 0_u32, 0_u32);
    for byte in text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=')
    {
        let Some(value) = BASE64.iter().position(|known| *known == byte) else {
            return Err(refuse("`b64decode`: the text is not base64"));
        };
        word = word << 6 | u32::try_from(value).unwrap_or(0);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((word >> bits & 255) as u8);
        }
    }
    String::from_utf8(bytes).map_err(|_| refuse("`b64decode`: what comes out is not UTF-8"))
}

fn some(value: &Jinja) -> Option<Jinja> {
    (!value.is_none() && !value.is_undefined()).then(|| value.clone())
}

/// Shortens a text that is more than `leeway` too long, at a blank unless words may be cut.
fn truncate(text: String, args: Rest<Jinja>, kwargs: Kwargs) -> Result<String, Error> {
    let at = |index: usize, name: &str| match args.get(index) {
        Some(given) => Ok(given.clone()),
        None => Ok::<_, Error>(kwargs.get::<Option<Jinja>>(name)?.unwrap_or_default()),
    };
    let length: Option<usize> = some(&at(0, "length")?).map(usize::try_from).transpose()?;
    let killwords = at(1, "killwords")?.is_true();
    let end: Option<String> = some(&at(2, "end")?).map(|it| it.to_string());
    let leeway: Option<usize> = some(&at(3, "leeway")?).map(usize::try_from).transpose()?;
    kwargs.assert_all_used()?;
    let (length, leeway) = (length.unwrap_or(255), leeway.unwrap_or(5));
    let end = end.unwrap_or_else(|| "...".to_owned());
    if text.chars().count() <= length.saturating_add(leeway) {
        return Ok(text);
    }
    let Some(kept) = length.checked_sub(end.chars().count()) else {
        return Err(refuse(format!(
            "`truncate`: `{end}` alone is longer than {length}"
        )));
    };
    let mut out: String = text.chars().take(kept).collect();
    if !killwords && let Some(blank) = out.rfind(' ') {
        out.truncate(blank);
    }
    Ok(out + &end)
}

fn urlsplit(url: String, part: Option<String>) -> Result<Jinja, Error> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", &url));
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let slash = rest.find('/').unwrap_or(rest.len());
    let (netloc, path) = rest.split_at(slash);
    let (user, server) = netloc.rsplit_once('@').unwrap_or(("", netloc));
    let (username, password) = user.split_once(':').unwrap_or((user, ""));
    let (hostname, port) = match server.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (name, port),
        _ => (server, ""),
    };
    let port = port.parse::<u16>().map_or(Jinja::from(()), Jinja::from);
    let parts = [
        ("scheme", Jinja::from(scheme)),
        ("netloc", Jinja::from(netloc)),
        ("path", Jinja::from(path)),
        ("query", Jinja::from(query)),
        ("fragment", Jinja::from(fragment)),
        ("username", Jinja::from(username)),
        ("password", Jinja::from(password)),
        ("hostname", Jinja::from(hostname.trim_matches(['[', ']']))),
        ("port", port),
    ];
    match part {
        None => Ok(parts.into_iter().collect()),
        Some(wanted) => parts
            .into_iter()
            .find(|(name, _)| *name == wanted)
            .map(|(_, value)| value)
            .ok_or_else(|| refuse(format!("`urlsplit`: a URL has no part `{wanted}`"))),
    }
}

/// As Python's: every item is printed as Jinja prints it.
fn join(
    items: &Jinja,
    between: Option<String>,
    attribute: Option<Kwargs>,
) -> Result<String, Error> {
    let name = match &attribute {
        Some(kwargs) => kwargs.get::<Option<String>>("attribute")?,
        None => None,
    };
    let mut texts = Vec::new();
    for item in items.try_iter()? {
        let item = match &name {
            Some(name) => item.get_attr(name)?,
            None => item,
        };
        texts.push(crate::template::environment::printed(&item)?);
    }
    Ok(texts.join(&between.unwrap_or_default()))
}
