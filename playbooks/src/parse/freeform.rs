//! Arguments written as one text: `path=/x state=directory`.

/// A part of a text: what it says, and where it begins and ends in the text, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// A quote or a template that is never closed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unclosed(pub(super) &'static str);

/// The words of a text, parted by white space outside of quotes and templates. Quotes stay.
pub(super) fn words(text: &str) -> Result<Vec<Word>, Unclosed> {
    let mut words = Vec::new();
    let mut start = None;
    let mut quote: Option<char> = None;
    let mut depth = 0_usize;
    let mut comment = false;
    let mut skip = 0;
    for (at, letter) in text.char_indices() {
        if at < skip {
            continue;
        }
        let rest = &text[at..];
        if depth > 0 {
            if ["}}", "%}", "#}"]
                .iter()
                .any(|close| rest.starts_with(close))
            {
                depth -= 1;
                skip = at + 2;
            } else if let (false, Some(length)) = (comment, quoted(rest)) {
                // What looks like an end within quotes is none.
                skip = at + length;
            }
        } else if let Some(open) = quote {
            if letter == '\\' {
                skip = at + 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
            } else if letter == open {
                quote = None;
            }
        } else if ["{{", "{%", "{#"].iter().any(|open| rest.starts_with(open)) {
            depth += 1;
            comment = rest.starts_with("{#");
            skip = at + 2;
            start.get_or_insert(at);
        } else if letter.is_whitespace() {
            if let Some(start) = start.take() {
                words.push(word(text, start, at));
            }
        } else {
            if matches!(letter, '"' | '\'') {
                quote = Some(letter);
            }
            start.get_or_insert(at);
        }
    }
    if depth > 0 {
        return Err(Unclosed("template"));
    }
    if quote.is_some() {
        return Err(Unclosed("quote"));
    }
    if let Some(start) = start {
        words.push(word(text, start, text.len()));
    }
    Ok(words)
}

/// How long the quoted text is with which this begins.
fn quoted(text: &str) -> Option<usize> {
    let open = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            letter if letter == open => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn word(text: &str, start: usize, end: usize) -> Word {
    Word {
        text: text[start..end].to_owned(),
        start,
        end,
    }
}

/// A word as `key=value`: the key, which may hold templates, and the value without the quotes around it and with what its
/// escapes stand for.
pub(super) fn pair(word: &Word) -> Option<(Word, Word)> {
    let at = end_of_key(&word.text)?;
    let key = &word.text[..at];
    let value = &word.text[at + 1..];
    let key = Word {
        text: key.to_owned(),
        start: word.start,
        end: word.start + at,
    };
    let value = Word {
        text: unescape(unquote(value)),
        start: key.end + 1,
        end: word.end,
    };
    Some((key, value))
}

/// Where the `=` stands after a key.
fn end_of_key(text: &str) -> Option<usize> {
    let mut at = 0;
    while let Some(letter) = text[at..].chars().next() {
        let rest = &text[at..];
        if rest.starts_with("{{") {
            at += rest.find("}}")? + 2;
        } else if letter == '=' {
            return (at > 0).then_some(at);
        } else if letter.is_alphanumeric() || matches!(letter, '_' | '-') {
            at += letter.len_utf8();
        } else {
            return None;
        }
    }
    None
}

/// Takes one pair of quotes away that stands around all of it.
fn unquote(text: &str) -> &str {
    let inner = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}

/// Puts in what escapes stand for, within templates as well: those of Python's texts, as Ansible takes them here. What is
/// none of them stays.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (letter, length) =
            escape(&rest[1..]).map_or(('\\', 0), |(letter, length)| (letter, length));
        out.push(letter);
        rest = &rest[1 + length..];
    }
    out.push_str(rest);
    out
}

/// The letter that is written by what stands behind a backslash, and how much of it that is, in bytes.
fn escape(behind: &str) -> Option<(char, usize)> {
    let number = |digits: usize| {
        let digit = behind.get(1..=digits)?;
        let is_number = digit.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u32::from_str_radix(digit, 16).ok().filter(|_| is_number)?;
        Some((char::from_u32(number)?, 1 + digits))
    };
    let plain = |letter| Some((letter, 1));
    match behind.chars().next()? {
        letter @ ('\\' | '\'' | '"') => plain(letter),
        'a' => plain('\u{7}'),
        'b' => plain('\u{8}'),
        'f' => plain('\u{c}'),
        'n' => plain('\n'),
        'r' => plain('\r'),
        't' => plain('\t'),
        'v' => plain('\u{b}'),
        'x' => number(2),
        'u' => number(4),
        'U' => number(8),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        words(text)
            .unwrap()
            .into_iter()
            .map(|word| word.text)
            .collect()
    }

    #[test]
    fn quotes_and_templates_hold_together() {
        assert_eq!(
            texts("a=1  b='x y' c={{ d | default('q r') }}/z"),
            ["a=1", "b='x y'", "c={{ d | default('q r') }}/z"]
        );
        assert_eq!(
            texts(r#"echo "it\"s" here"#),
            ["echo", r#""it\"s""#, "here"]
        );
        assert_eq!(
            texts(r#"a --format {{ '{{' }}.Names {{ "}}'" }} {# it's #} b"#),
            [
                "a",
                "--format",
                "{{ '{{' }}.Names",
                r#"{{ "}}'" }}"#,
                "{# it's #}",
                "b"
            ]
        );
        assert_eq!(words("a 'b"), Err(Unclosed("quote")));
        assert_eq!(words("a {{ b"), Err(Unclosed("template")));
        assert_eq!(texts(""), [""; 0]);
        assert_eq!(texts("é=ü \\"), ["é=ü", "\\"]);
    }

    #[test]
    fn pairs() {
        let both = |text: &str| {
            let words = words(text).unwrap();
            pair(&words[0]).map(|(key, value)| (key.text, value.text))
        };
        assert_eq!(both("a=1"), Some(("a".to_owned(), "1".to_owned())));
        assert_eq!(both("a='x y'"), Some(("a".to_owned(), "x y".to_owned())));
        assert_eq!(both("a=b=c"), Some(("a".to_owned(), "b=c".to_owned())));
        assert_eq!(both("a="), Some(("a".to_owned(), String::new())));
        let value = |text: &str| both(text).map(|(_, value)| value);
        for (written, meant) in [
            (r#"a="x\\y\nz\t\"q\" 'p'""#, "x\\y\nz\t\"q\" 'p'"),
            (r"a=\x41\u00e9\U0001F600\101\0", r"Aé😀\101\0"),
            (r"a=\s+\d\x4\u12\ud800", r"\s+\d\x4\u12\ud800"),
            (r"a='\\1'", r"\1"),
            (r"a={{b|c('\\n')}}", r"{{b|c('\n')}}"),
            (r"a=é\é\", r"é\é\"),
        ] {
            assert_eq!(value(written).as_deref(), Some(meant), "{written}");
        }
        let named = both("{{ a == b }}_c={{ d }}");
        assert_eq!(
            named,
            Some(("{{ a == b }}_c".to_owned(), "{{ d }}".to_owned()))
        );
        assert_eq!(both("{{ a == b }}"), None);
        assert_eq!(both("/etc/x=y"), None);
        assert_eq!(both("=y"), None);
        assert_eq!(both("'a=b'"), None);
    }
}
