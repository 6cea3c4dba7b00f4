//! Patterns as Ansible's users write them: Python's regular expressions.

use evenkeel_engine::Refusal;
use regex::bytes::Regex;

/// What a group of a match holds, by its number or name.
type Groups<'a> = Box<dyn Fn(&str) -> Option<Vec<u8>> + 'a>;

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
        // The end of the text is written differently.
        let text = text.replace("\\Z", "\\z");
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
        let groups: Groups<'_> = match self {
            Self::Part(_) => return None,
            Self::Plain(regex) => {
                let found = regex.captures(line)?;
                Box::new(move |name| {
                    let group = match name.parse() {
                        Ok(number) => found.get(number),
                        Err(_) => found.name(name),
                    };
                    group.map(|group| group.as_bytes().to_vec())
                })
            }
            Self::Fancy(regex) => {
                let text = String::from_utf8_lossy(line).into_owned();
                let found = regex.captures(&text).ok()??;
                let groups: Vec<(Option<String>, Option<Vec<u8>>)> = regex
                    .capture_names()
                    .zip(found.iter())
                    .map(|(name, group)| {
                        let bytes = group.map(|group| group.as_str().as_bytes().to_vec());
                        (name.map(ToOwned::to_owned), bytes)
                    })
                    .collect();
                Box::new(move |name| {
                    let by_number = name.parse::<usize>().ok().and_then(|at| groups.get(at));
                    let by_name = || {
                        groups
                            .iter()
                            .find(|(known, _)| known.as_deref() == Some(name))
                    };
                    by_number.or_else(by_name)?.1.clone()
                })
            }
        };
        Some(expanded(template, &*groups))
    }
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
    fn a_wrong_pattern_is_refused() {
        let refusal = Pattern::new("regexp", "(a").unwrap_err();
        assert!(refusal.message.contains("unclosed group"), "{refusal}");
    }
}
