//! SQL as tokens: where texts, names and comments begin and end. Nothing more of SQL is understood here.

use std::ops::Range;

use evenkeel_engine::Refusal;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Spaces and line ends.
    Space,
    /// `-- …` or `/* … */`.
    Comment,
    /// A text: `'…'`, `E'…'`, `$tag$…$tag$`.
    Text,
    /// A name in quotes.
    Name,
    /// A name or a word without quotes.
    Word,
    /// All else, character by character; numbers are one.
    Other,
}

/// A token and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) at: Range<usize>,
}

impl Token {
    pub(super) fn of<'s>(&self, sql: &'s str) -> &'s str {
        &sql[self.at.clone()]
    }

    /// Whether it means anything to the server.
    pub(super) fn counts(&self) -> bool {
        !matches!(self.kind, Kind::Space | Kind::Comment)
    }
}

/// What has no end.
fn open(what: &str, text: &str) -> Refusal {
    let line = text.lines().next().unwrap_or_default();
    let line: String = line.chars().take(40).collect();
    Refusal::new(format!("{what} has no end: `{line}`")).help("close it")
}

/// The tokens of a text; together they are all of it.
pub(super) fn tokens(sql: &str) -> Result<Vec<Token>, Refusal> {
    let mut all: Vec<Token> = Vec::new();
    let mut at = 0;
    while at < sql.len() {
        let rest = &sql[at..];
        let word = all
            .last()
            .filter(|token| token.kind == Kind::Word)
            .map(|token| token.of(sql).to_ascii_lowercase());
        let (kind, length) = next(rest, word.as_deref())?;
        let prefix = matches!(word.as_deref(), Some("e" | "b" | "x" | "n"));
        if kind == Kind::Text && rest.starts_with('\'') && prefix {
            // The letter belongs to the text.
            let last = all.last_mut().expect("the word before it");
            last.kind = Kind::Text;
            last.at.end = at + length;
        } else {
            let at = at..at + length;
            all.push(Token { kind, at });
        }
        at += length;
    }
    Ok(all)
}

/// What a text begins with, and how long that is; `word` stands right before it.
fn next(rest: &str, word: Option<&str>) -> Result<(Kind, usize), Refusal> {
    let first = rest.chars().next().expect("a text that is not empty");
    Ok(match first {
        c if c.is_ascii_whitespace() || c == '\u{b}' => (
            Kind::Space,
            run(rest, |c| c.is_ascii_whitespace() || c == '\u{b}'),
        ),
        '-' if rest.starts_with("--") => (Kind::Comment, run(rest, |c| c != '\n' && c != '\r')),
        '/' if rest.starts_with("/*") => (
            Kind::Comment,
            comment(rest).ok_or_else(|| open("a comment", rest))?,
        ),
        '\'' => {
            let length = text(rest, word == Some("e"));
            (Kind::Text, length.ok_or_else(|| open("a text", rest))?)
        }
        '"' => {
            let length = quoted(rest, '"', false);
            (Kind::Name, length.ok_or_else(|| open("a name", rest))?)
        }
        '$' => match tag(rest) {
            Some(tag) => {
                let end = rest[tag.len()..].find(tag);
                let length = end.map(|end| end + 2 * tag.len());
                (Kind::Text, length.ok_or_else(|| open("a text", rest))?)
            }
            None => (Kind::Other, 1),
        },
        c if c.is_ascii_digit() => {
            let part = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_';
            (Kind::Other, run(rest, part))
        }
        c if begins_word(c) => (Kind::Word, run(rest, is_word)),
        c => (Kind::Other, c.len_utf8()),
    })
}

fn begins_word(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

fn is_word(c: char) -> bool {
    begins_word(c) || c.is_ascii_digit() || c == '$'
}

/// How long a text is that consists of these.
fn run(text: &str, is: impl Fn(char) -> bool) -> usize {
    text.find(|c| !is(c)).unwrap_or(text.len())
}

/// How long a comment is; they nest.
fn comment(rest: &str) -> Option<usize> {
    let (mut depth, mut at) = (0_u32, 0);
    while at < rest.len() {
        let here = &rest[at..];
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    None
}

/// How long something in quotes is; a quote in it is doubled, or follows a backslash if `escapes`.
fn quoted(rest: &str, quote: char, escapes: bool) -> Option<usize> {
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && escapes {
            chars.next();
        } else if c == quote {
            if chars.peek().is_none_or(|(_, next)| *next != quote) {
                return Some(at + 1);
            }
            chars.next();
        }
    }
    None
}

/// How long a text in quotes is. One with escapes goes on in the next line, if that begins with a quote.
fn text(rest: &str, escapes: bool) -> Option<usize> {
    let mut end = quoted(rest, '\'', escapes)?;
    while escapes && let Some(next) = continued(&rest[end..]) {
        end += next + quoted(&rest[end + next..], '\'', true)?;
    }
    Some(end)
}

/// Where the quote is that goes on with a text: behind spaces and comments with a line end in them.
fn continued(rest: &str) -> Option<usize> {
    let (mut at, mut line) = (0, false);
    loop {
        let here = &rest[at..];
        let space = run(here, |c| c.is_ascii_whitespace());
        line |= here[..space].contains(['\n', '\r']);
        at += space;
        match &rest[at..] {
            here if line && here.starts_with('\'') => return Some(at),
            here if here.starts_with("--") => at += run(here, |c| c != '\n' && c != '\r'),
            _ => return None,
        }
    }
}

/// What begins a text between dollars, and ends it: `$$`, `$tag$`.
fn tag(rest: &str) -> Option<&str> {
    let name = &rest[1..];
    let length = run(name, |c| is_word(c) && c != '$');
    let is_tag = name[length..].starts_with('$') && !name.starts_with(|c: char| c.is_ascii_digit());
    is_tag.then(|| &rest[..length + 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(sql: &str) -> Vec<(Kind, &str)> {
        let all = tokens(sql).unwrap();
        assert_eq!(
            all.iter().map(|token| token.of(sql)).collect::<String>(),
            sql
        );
        let counts = all.iter().filter(|token| token.kind != Kind::Space);
        counts.map(|token| (token.kind, token.of(sql))).collect()
    }

    fn one(sql: &str) -> (Kind, &str) {
        let all = said(sql);
        assert_eq!(all.len(), 1, "{all:?}");
        all[0]
    }

    #[test]
    fn texts_end_where_the_server_ends_them() {
        for text in [
            "'a'",
            "'it''s; \\'",
            "''",
            "E'it\\'s; \\\\'",
            "e'a''b'",
            "E'a'\n  'b\\'c'",
            "E'a' -- it's\n 'b\\''",
            "$$a;'$b$\"$$",
            "$tag$ $$ ; $tag $tag$",
            "$ä$;$ä$",
            "x'1f'",
            "B'01'",
            "n'a;b'",
            "'new\nline'",
        ] {
            assert_eq!(one(text), (Kind::Text, text));
        }
    }

    #[test]
    fn names_and_comments() {
        assert_eq!(one("\"a;\"\"b'\""), (Kind::Name, "\"a;\"\"b'\""));
        assert_eq!(one("-- it's; $$"), (Kind::Comment, "-- it's; $$"));
        assert_eq!(
            one("/* a /* ' */ ; */"),
            (Kind::Comment, "/* a /* ' */ ; */")
        );
        assert_eq!(one("a$b$c"), (Kind::Word, "a$b$c"));
        assert_eq!(one("größe"), (Kind::Word, "größe"));
        let words = said("-- a\r\nb/*c*/d-- e\n''");
        let kinds: Vec<_> = words.iter().map(|(_, text)| *text).collect();
        assert_eq!(kinds, ["-- a", "b", "/*c*/", "d", "-- e", "''"]);
    }

    #[test]
    fn what_only_looks_like_one() {
        assert_eq!(
            said("$1 + 2$"),
            [
                (Kind::Other, "$"),
                (Kind::Other, "1"),
                (Kind::Other, "+"),
                (Kind::Other, "2"),
                (Kind::Other, "$"),
            ]
        );
        // A backslash is a letter as any other here.
        assert_eq!(said("'\\' ;"), [(Kind::Text, "'\\'"), (Kind::Other, ";")]);
        // Only a text with escapes minds what stands in its next lines.
        assert_eq!(said("'a'\n'b'").len(), 2);
        assert_eq!(said("E'a' 'b'").len(), 2);
        assert_eq!(
            said("type 'a'"),
            [(Kind::Word, "type"), (Kind::Text, "'a'")]
        );
        assert_eq!(said("e 'a\\'").len(), 2);
    }

    #[test]
    fn what_has_no_end() {
        for (sql, why) in [
            ("'a''", "a text has no end: `'a''`"),
            ("E'a\\'", "a text has no end: `'a\\'`"),
            ("$a$ $b$", "a text has no end: `$a$ $b$`"),
            ("\"a", "a name has no end: `\"a`"),
            ("/* /* */", "a comment has no end: `/* /* */`"),
        ] {
            assert_eq!(tokens(sql).unwrap_err().message, why);
        }
    }
}
