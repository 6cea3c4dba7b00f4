//! A light reading of Jinja: which names, filters, tests and functions a text uses, and where.
//!
//! minijinja compiles and evaluates; it does not say where a filter stands or what guards a name.

use std::ops::Range;

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Region {
    /// Plain text.
    Text(Range<usize>),
    /// The inside of `{{ }}`.
    Expr(Range<usize>),
    /// The inside of `{% %}`.
    Block(Range<usize>),
    /// A comment, whole.
    Comment(Range<usize>),
}

/// A token of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
    /// Byte in the whole text.
    pub(crate) at: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Name,
    Str,
    Number,
    Op,
}

impl Token<'_> {
    pub(crate) fn is(&self, op: &str) -> bool {
        self.kind == Kind::Op && self.text == op
    }

    pub(crate) fn word(&self, name: &str) -> bool {
        self.kind == Kind::Name && self.text == name
    }

    pub(crate) fn end(&self) -> usize {
        self.at + self.text.len()
    }
}

/// The pieces of a template. What is not closed ends with the text; minijinja reports it.
pub(crate) fn regions(text: &str) -> Vec<Region> {
    let (mut found, mut at, mut plain) = (Vec::new(), 0, 0);
    while let Some(open) = text[at..].find('{').map(|open| at + open) {
        let close = match text.as_bytes().get(open + 1) {
            Some(b'{') => "}}",
            Some(b'%') => "%}",
            Some(b'#') => "#}",
            _ => {
                at = open + 1;
                continue;
            }
        };
        if plain < open {
            found.push(Region::Text(plain..open));
        }
        let inner = open + 2;
        let end = closing(text, inner, close);
        let body = trimmed(text, inner..end);
        at = (end + 2).min(text.len());
        found.push(match close {
            "}}" => Region::Expr(body.clone()),
            "%}" => Region::Block(body.clone()),
            _ => Region::Comment(open..at),
        });
        if close == "%}" && text[body].trim() == "raw" {
            let rest = &text[at..];
            let stop = rest.find("endraw").unwrap_or(rest.len());
            let stop = rest[..stop].rfind("{%").unwrap_or(stop);
            found.push(Region::Text(at..at + stop));
            at += stop;
        }
        plain = at;
    }
    if plain < text.len() {
        found.push(Region::Text(plain..text.len()));
    }
    found
}

/// Whether the inside of `{{ }}` has braces that close it.
pub(crate) fn is_closed(text: &str, inner: &Range<usize>) -> bool {
    let rest = text[inner.end..].trim_start_matches(['-', '+']);
    rest.starts_with("}}")
}

/// The inside without the marks of whitespace control.
fn trimmed(text: &str, inner: Range<usize>) -> Range<usize> {
    let (mut start, mut end) = (inner.start, inner.end);
    if text[start..end].starts_with(['-', '+']) {
        start += 1;
    }
    if start < end && text[start..end].ends_with(['-', '+']) {
        end -= 1;
    }
    start..end
}

/// Where the closing mark stands, outside of quotes and braces.
fn closing(text: &str, from: usize, close: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut braces) = (from, 0_u32);
    while at < bytes.len() {
        if braces == 0 && text.as_bytes()[at..].starts_with(close.as_bytes()) {
            return at;
        }
        match bytes[at] {
            b'"' | b'\'' if close != "#}" => at = string_end(bytes, at) - 1,
            b'{' if close == "}}" => braces += 1,
            b'}' if close == "}}" => braces = braces.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// The byte after a quoted text.
fn string_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            byte if byte == bytes[from] => return at + 1,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// The tokens of an expression or of the inside of a block.
pub(crate) fn tokens(text: &str, range: Range<usize>) -> Vec<Token<'_>> {
    let bytes = &text.as_bytes()[..range.end];
    let (mut found, mut at) = (Vec::new(), range.start);
    while at < bytes.len() {
        let (kind, end) = match bytes[at] {
            byte if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            b'"' | b'\'' => (Kind::Str, string_end(bytes, at)),
            byte if byte.is_ascii_digit() => (Kind::Number, run(bytes, at, |b| b.is_ascii_digit())),
            byte if byte == b'_' || byte.is_ascii_alphabetic() || !byte.is_ascii() => (
                Kind::Name,
                run(bytes, at, |b| {
                    b == b'_' || b.is_ascii_alphanumeric() || !b.is_ascii()
                }),
            ),
            _ => {
                let two = text.get(at..at + 2).unwrap_or_default();
                let long = matches!(two, "==" | "!=" | "<=" | ">=" | "**" | "//");
                (Kind::Op, at + if long { 2 } else { 1 })
            }
        };
        let end = end.min(range.end);
        found.push(Token {
            kind,
            text: &text[at..end],
            at,
        });
        at = end;
    }
    found
}

fn run(bytes: &[u8], from: usize, belongs: impl Fn(u8) -> bool) -> usize {
    let rest = bytes[from..].iter().position(|byte| !belongs(*byte));
    rest.map_or(bytes.len(), |count| from + count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_a_template() {
        let text = "a{{ x }}b{%- if '%}' -%}{# c #}{% raw %}{{ y }}{% endraw %}";
        let shown: Vec<String> = regions(text)
            .into_iter()
            .map(|region| match region {
                Region::Text(range) => format!("T{}", &text[range]),
                Region::Expr(range) => format!("E{}", &text[range]),
                Region::Block(range) => format!("B{}", &text[range]),
                Region::Comment(range) => format!("C{}", &text[range]),
            })
            .collect();
        assert_eq!(
            shown,
            [
                "Ta",
                "E x ",
                "Tb",
                "B if '%}' ",
                "C{# c #}",
                "B raw ",
                "T{{ y }}",
                "B endraw "
            ]
        );
    }

    #[test]
    fn braces_and_quotes_inside() {
        let text = "{{ {'a': {'b': '}}'}}['a'] }}";
        assert_eq!(regions(text), [Region::Expr(2..27)]);
        let words: Vec<&str> = tokens("x.y != 'a b' | d(1)", 0..19)
            .iter()
            .map(|token| token.text)
            .collect();
        assert_eq!(
            words,
            ["x", ".", "y", "!=", "'a b'", "|", "d", "(", "1", ")"]
        );
    }
}
