//! Patterns as Ansible's users write them: Python's regular expressions.

use std::ops::Range;

use evenkeel_engine::Refusal;
use regex::bytes::Regex;

/// Where the groups of a match are, with their names; the first is the whole match.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    groups: Vec<(Option<String>, Option<Range<usize>>)>,
}

impl Found {
    /// Where the whole match is.
    pub(crate) fn whole(&self) -> Range<usize> {
        self.groups[0].1.clone().unwrap_or_default()
    }

    /// Where a group is, by its number or name.
    pub(crate) fn group(&self, name: &str) -> Option<Range<usize>> {
        let by_number = name
            .parse::<usize>()
            .ok()
            .and_then(|at| self.groups.get(at));
        let by_name = || {
            let mut groups = self.groups.iter();
            groups.find(|(known, _)| known.as_deref() == Some(name))
        };
        by_number.or_else(by_name)?.1.clone()
    }

    /// `template` with what the groups are in the text; `\1`, `\g<1>` and `\g<name>` stand for them.
    fn expand(&self, text: &[u8], template: &[u8]) -> Vec<u8> {
        expanded(template, &|name| Some(text[self.group(name)?].to_vec()))
    }
}

/// Which lines are meant.
#[derive(Clone, Debug)]
pub(crate) enum Pattern {
    /// A text that is in the line.
    Part(String),
    /// A regular expression.
    Plain(Regex),
    /// One that looks around itself, which bytes cannot.
    Fancy(Box<fancy_regex::Regex>),
}

impl Pattern {
    pub(crate) fn new(argument: &str, text: &str) -> Result<Self, Refusal> {
        Self::with(argument, "", text)
    }

    /// One with flags before it, such as `(?m)`.
    pub(crate) fn with(argument: &str, flags: &str, text: &str) -> Result<Self, Refusal> {
        // The end of the text is written differently.
        let text = format!("{flags}{}", text.replace("\\Z", "\\z"));
        let error = match Regex::new(&text) {
            Ok(regex) => return Ok(Self::Plain(regex)),
            Err(error) => error.to_string(),
        };
        if let Ok(regex) = fancy_regex::Regex::new(&text) {
            return Ok(Self::Fancy(Box::new(regex)));
        }
        let why = error.lines().last().unwrap_or_default();
        let why = why.trim_start_matches("error: ");
        Err(Refusal::new(format!(
            "`{argument}: {text}` is no pattern: {why}"
        )))
    }

    /// Whether a line, without its newline, is meant.
    pub(crate) fn matches(&self, line: &[u8]) -> bool {
        match self {
            Self::Part(part) => {
                part.is_empty() || line.windows(part.len()).any(|here| here == part.as_bytes())
            }
            Self::Plain(regex) => regex.is_match(line),
            Self::Fancy(regex) => regex
                .is_match(String::from_utf8_lossy(line).as_ref())
                .unwrap_or(false),
        }
    }

    /// `template` with what the groups match in the line; `\1`, `\g<1>` and `\g<name>` stand for
    /// them.
    pub(crate) fn expand(&self, line: &[u8], template: &[u8]) -> Option<Vec<u8>> {
        let text = match self {
            Self::Fancy(_) => String::from_utf8_lossy(line).into_owned().into_bytes(),
            _ => line.to_vec(),
        };
        let found = self.find_at(&text, 0).ok()??;
        Some(found.expand(&text, template))
    }

    /// The first match that begins at a place or behind it.
    pub(crate) fn find_at(&self, text: &[u8], at: usize) -> Result<Option<Found>, String> {
        if at > text.len() {
            return Ok(None);
        }
        let groups = match self {
            Self::Part(_) => None,
            Self::Plain(regex) => regex.captures_at(text, at).map(|found| {
                let spans = found.iter().map(|group| group.map(|group| group.range()));
                named(regex.capture_names(), spans)
            }),
            Self::Fancy(regex) => {
                let text = std::str::from_utf8(text).map_err(|_| {
                    "a pattern that looks around itself needs a text of UTF-8".to_owned()
                })?;
                let found = regex.captures_from_pos(text, at);
                found.map_err(|why| why.to_string())?.map(|found| {
                    let spans = found.iter().map(|group| group.map(|group| group.range()));
                    named(regex.capture_names(), spans)
                })
            }
        };
        Ok(groups.map(|groups| Found { groups }))
    }

    /// The text with every match replaced, as Python does it: also one of nothing right behind
    /// another match.
    pub(crate) fn replace_all(
        &self,
        text: &[u8],
        template: &[u8],
    ) -> Result<(Vec<u8>, usize), String> {
        let (mut out, mut count, mut kept, mut at) = (Vec::new(), 0, 0, 0);
        while let Some(found) = self.find_at(text, at)? {
            let whole = found.whole();
            out.extend_from_slice(&text[kept..whole.start]);
            out.extend(found.expand(text, template));
            count += 1;
            kept = whole.end;
            at = if whole.is_empty() {
                whole.end + width(&text[whole.end..])
            } else {
                whole.end
            };
        }
        out.extend_from_slice(text.get(kept..).unwrap_or_default());
        Ok((out, count))
    }
}

/// How many bytes the first letter has; beyond the end it is one.
fn width(text: &[u8]) -> usize {
    let more = text.iter().skip(1).take_while(|byte| **byte & 0xc0 == 0x80);
    1 + more.count()
}

fn named<'a>(
    names: impl Iterator<Item = Option<&'a str>>,
    spans: impl Iterator<Item = Option<Range<usize>>>,
) -> Vec<(Option<String>, Option<Range<usize>>)> {
    let names = names.map(|name| name.map(ToOwned::to_owned));
    names.zip(spans).collect()
}

/// Python's templates: groups, and the usual escapes.
fn expanded(template: &[u8], groups: &dyn Fn(&str) -> Option<Vec<u8>>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = template;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        let digits = rest
            .iter()
            .take(2)
            .take_while(|b| b.is_ascii_digit())
            .count();
        if digits > 0 {
            let name = String::from_utf8_lossy(&rest[..digits]);
            out.extend(groups(&name).unwrap_or_default());
            rest = &rest[digits..];
        } else if let Some(inner) = rest.strip_prefix(b"g<")
            && let Some(end) = inner.iter().position(|byte| *byte == b'>')
        {
            let name = String::from_utf8_lossy(&inner[..end]);
            out.extend(groups(&name).unwrap_or_default());
            rest = &inner[end + 1..];
        } else if let Some((first, tail)) = rest.split_first() {
            match first {
                b'n' => out.push(b'\n'),
                b't' => out.push(b'\t'),
                b'r' => out.push(b'\r'),
                b'\\' => out.push(b'\\'),
                other => out.extend([b'\\', *other]),
            }
            rest = tail;
        } else {
            out.push(b'\\');
        }
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_expanded() {
        for regexp in [r"^(?P<key>\w+)=(.*)$", r"^(?P<key>\w+)=(?!x)(.*)$"] {
            let pattern = Pattern::new("regexp", regexp).unwrap();
            let line = pattern.expand(b"a=b", br"\1 \g<key>\t\2\g<0>\d\\").unwrap();
            assert_eq!(line, b"a a\tba=b\\d\\", "{regexp}");
            assert_eq!(pattern.expand(b"no", br"\1"), None);
        }
    }

    #[test]
    fn all_matches_are_replaced_as_python_does() {
        let replaced = |pattern: &str, text: &str, template: &str| {
            let pattern = Pattern::with("regexp", "(?m)", pattern).unwrap();
            let out = pattern.replace_all(text.as_bytes(), template.as_bytes());
            String::from_utf8(out.unwrap().0).unwrap()
        };
        assert_eq!(replaced("x*", "abxd", "-"), "-a-b--d-");
        assert_eq!(replaced("^", "a\né\n", "# "), "# a\n# é\n# ");
        assert_eq!(replaced("$", "é", "!"), "é!");
        assert_eq!(replaced("(?<=a)b", "ab b ab", "c"), "ac b ac");
        assert_eq!(replaced(r"(\w+)=(\w+)", "a=b c=d", r"\2=\g<1>"), "b=a d=c");
        let around = Pattern::new("regexp", "(?<=a)b").unwrap();
        assert!(around.replace_all(b"a\xff", b"").is_err());
    }

    #[test]
    fn a_wrong_pattern_is_refused() {
        let refusal = Pattern::new("regexp", "(a").unwrap_err();
        assert!(refusal.message.contains("unclosed group"), "{refusal}");
    }
}
