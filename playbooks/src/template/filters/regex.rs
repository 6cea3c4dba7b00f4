//! Filters of regular expressions, as Python has them.

use fancy_regex::{Captures, Regex, RegexBuilder};
use minijinja::{
    Environment, Error,
    value::{Kwargs, Rest, Value as Jinja},
};

use super::{given, refuse};

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_filter("regex_replace", replace);
    env.add_filter("regex_search", search);
    env.add_filter("regex_findall", find_all);
    env.add_filter("regex_escape", escape);
}

/// What a pattern is held to.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::template) struct Flags {
    pub(in crate::template) ignore_case: bool,
    pub(in crate::template) lines: bool,
    pub(in crate::template) dots: bool,
}

impl Flags {
    fn of(kwargs: &Kwargs) -> Result<Self, Error> {
        let flag = |name| {
            let value = kwargs.get::<Option<Jinja>>(name)?;
            Ok::<_, Error>(value.is_some_and(|value| value.is_true()))
        };
        Ok(Self {
            ignore_case: flag("ignorecase")?,
            lines: flag("multiline")?,
            dots: flag("dotall")?,
        })
    }
}

/// Compiles a Python pattern.
pub(in crate::template) fn compiled(text: &str, flags: Flags) -> Result<Regex, Error> {
    RegexBuilder::new(&ends(text, flags.lines))
        .case_insensitive(flags.ignore_case)
        .multi_line(flags.lines)
        .dot_matches_new_line(flags.dots)
        .build()
        .map_err(|error| refuse(format!("`{text}` is not a regular expression: {error}")))
}

/// The same, with its flags as keyword arguments.
pub(in crate::template) fn pattern(text: &str, kwargs: &Kwargs) -> Result<Regex, Error> {
    compiled(text, Flags::of(kwargs)?)
}

/// The same without flags.
pub(in crate::template) fn bare_pattern(text: &str) -> Result<Regex, Error> {
    compiled(text, Flags::default())
}

pub(in crate::template) fn ran<T>(result: Result<T, fancy_regex::Error>) -> Result<T, Error> {
    result.map_err(|error| refuse(format!("the regular expression failed: {error}")))
}

/// To Python `$` is also before a newline at the end of a text, and `\Z` never is.
fn ends(pattern: &str, lines: bool) -> String {
    let (mut out, mut class) = (String::new(), false);
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('Z') if !class => out.push_str("\\z"),
                Some(next) => out.extend(['\\', next]),
                None => out.push('\\'),
            },
            '[' if !class => {
                class = true;
                out.push('[');
                if letters.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                if letters.next_if_eq(&']').is_some() {
                    out.push_str("\\]");
                }
            }
            // To Rust it would begin a class within the class.
            '[' => out.push_str("\\["),
            ']' => {
                class = false;
                out.push(']');
            }
            '$' if !class && !lines => out.push_str("(?=\\n?\\z)"),
            _ => out.push(letter),
        }
    }
    out
}

/// Puts the groups into a Python replacement: `\1`, `\g<1>`, `\g<name>`, and `\n` and the like.
fn expand(with: &str, captures: &Captures<'_, str>) -> String {
    let group = |name: &str| found(name, captures).unwrap_or_default();
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

/// A group by its name or its number; nothing if it took no part.
fn found<'a>(name: &str, captures: &Captures<'a, str>) -> Option<&'a str> {
    let group = match name.parse::<usize>() {
        Ok(number) => captures.get(number),
        Err(_) => captures.name(name),
    };
    group.map(|group| group.as_str())
}

fn replace(text: String, args: Rest<Jinja>, kwargs: Kwargs) -> Result<String, Error> {
    let names = [
        "pattern",
        "replacement",
        "ignorecase",
        "multiline",
        "count",
        "mandatory_count",
    ];
    let [find, with, ignore_case, lines, count, wanted] =
        given("regex_replace", &args, &kwargs, names)?;
    let text_of = |value: Option<Jinja>| value.map(|value| value.to_string()).unwrap_or_default();
    let (find, with) = (text_of(find), text_of(with));
    let number = |value: Option<Jinja>| value.map_or(Ok(0), usize::try_from);
    let (count, wanted) = (number(count)?, number(wanted)?);
    let flag = |value: Option<Jinja>| value.is_some_and(|value| value.is_true());
    let flags = Flags {
        ignore_case: flag(ignore_case),
        lines: flag(lines),
        dots: false,
    };
    let regex = compiled(&find, flags)?;
    let mut times = 0;
    let made = regex.try_replacen(&text, count, |captures: &Captures<'_, str>| {
        times += 1;
        expand(&with, captures)
    });
    let made = ran(made)?.into_owned();
    if wanted > 0 && times != wanted {
        return Err(refuse(format!(
            "`regex_replace`: `{find}` is to match {wanted} times, and does so {times} times"
        )));
    }
    Ok(made)
}

/// The match, or the groups that are named (`'\\1'`, `'\\g<name>'`); nothing where there is none.
fn search(
    text: String,
    find: String,
    groups: Rest<String>,
    kwargs: Kwargs,
) -> Result<Jinja, Error> {
    let regex = pattern(&find, &kwargs)?;
    kwargs.assert_all_used()?;
    let wanted = groups.iter().map(|group| {
        let name = group
            .strip_prefix("\\g<")
            .and_then(|name| name.strip_suffix('>'));
        let number = group.strip_prefix('\\').filter(|number| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        });
        name.or(number).ok_or_else(|| {
            refuse(format!(
                "`regex_search`: `{group}` names no group; write `\\1` or `\\g<name>`"
            ))
        })
    });
    let wanted: Vec<&str> = wanted.collect::<Result<_, _>>()?;
    let Some(captures) = ran(regex.captures(text.as_str()))? else {
        return Ok(Jinja::from(()));
    };
    if wanted.is_empty() {
        return Ok(Jinja::from(found("0", &captures)));
    }
    let known = |name: &&str| match name.parse::<usize>() {
        Ok(number) => number < captures.len(),
        Err(_) => regex.capture_names().flatten().any(|known| known == *name),
    };
    if let Some(name) = wanted.iter().find(|name| !known(name)) {
        return Err(refuse(format!(
            "`regex_search`: `{find}` has no group `{name}`"
        )));
    }
    let groups = wanted
        .iter()
        .map(|name| Jinja::from(found(name, &captures)));
    Ok(groups.collect())
}

/// All matches: the whole, the one group, or lists of groups.
fn find_all(text: String, find: String, args: Rest<Jinja>, kwargs: Kwargs) -> Result<Jinja, Error> {
    let [lines, ignore_case] = given("regex_findall", &args, &kwargs, ["multiline", "ignorecase"])?;
    let flag = |value: Option<Jinja>| value.is_some_and(|value| value.is_true());
    let flags = Flags {
        ignore_case: flag(ignore_case),
        lines: flag(lines),
        dots: false,
    };
    let regex = compiled(&find, flags)?;
    let mut all = Vec::new();
    for captures in regex.captures_iter(text.as_str()) {
        let captures = ran(captures)?;
        let group = |number| Jinja::from(captures.get(number).map_or("", |found| found.as_str()));
        all.push(match captures.len() {
            1 => group(0),
            2 => group(1),
            groups => (1..groups).map(group).collect(),
        });
    }
    Ok(all.into())
}

/// A text as a pattern that matches it: for Python, or for the basic expressions of POSIX.
fn escape(text: String, args: Rest<Jinja>, kwargs: Kwargs) -> Result<String, Error> {
    let [kind] = given("regex_escape", &args, &kwargs, ["re_type"])?;
    let special = match kind.as_ref().and_then(Jinja::as_str) {
        None if kind.is_none() => "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}",
        Some("python") => "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}",
        Some("posix_basic") => "[].^$*\\",
        _ => {
            return Err(refuse(
                "`regex_escape`: the type is `python` or `posix_basic`",
            ));
        }
    };
    let mut out = String::new();
    for letter in text.chars() {
        if special.contains(letter) {
            out.push('\\');
        }
        out.push(letter);
    }
    Ok(out)
}
