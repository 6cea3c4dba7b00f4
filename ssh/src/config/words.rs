//! The words of a line of the configuration.

/// The blanks between words.
const BLANK: [char; 2] = [' ', '\t'];

/// The keyword of a line, in small letters, and what follows it; nothing for an empty line and a
/// comment.
pub(super) fn keyword(line: &str) -> Option<(String, &str)> {
    let line = line.trim_matches([' ', '\t', '\r', '\x0c']);
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let end = line
        .find(|byte: char| BLANK.contains(&byte) || byte == '=')
        .unwrap_or(line.len());
    let (keyword, rest) = line.split_at(end);
    let rest = rest.trim_start_matches(BLANK);
    let rest = rest.strip_prefix('=').unwrap_or(rest);
    Some((
        keyword.trim_matches('"').to_ascii_lowercase(),
        rest.trim_start_matches(BLANK),
    ))
}

/// Splits what follows a keyword: at blanks that are neither quoted nor escaped, up to a word that
/// starts with `#`. Nothing if a quote is not closed.
pub(super) fn split(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = text.trim_start_matches(BLANK);
    while !rest.is_empty() && !rest.starts_with('#') {
        let (word, after) = word(rest)?;
        words.push(word);
        rest = after.trim_start_matches(BLANK);
    }
    Some(words)
}

fn word(text: &str) -> Option<(String, &str)> {
    let mut word = String::new();
    let mut quote = None;
    let mut chars = text.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        match (char, quote) {
            ('\\', _) => {
                let next = chars.peek().map(|(_, next)| *next);
                let escaped = next.filter(|next| {
                    matches!(next, '\'' | '"' | '\\') || (*next == ' ' && quote.is_none())
                });
                if escaped.is_some() {
                    chars.next();
                }
                word.push(escaped.unwrap_or('\\'));
            }
            (' ' | '\t', None) => return Some((word, &text[at..])),
            ('"' | '\'', None) => quote = Some(char),
            (_, Some(open)) if open == char => quote = None,
            _ => word.push(char),
        }
    }
    quote.is_none().then_some((word, ""))
}

#[cfg(test)]
mod tests {
    use super::{keyword, split};

    #[test]
    fn keywords_end_at_a_blank_or_an_equals_sign() {
        for (line, wanted) in [
            ("Port 22", Some(("port", "22"))),
            ("  port=22\r", Some(("port", "22"))),
            ("PORT \t=  22", Some(("port", "22"))),
            ("Port", Some(("port", ""))),
            ("Port ==22", Some(("port", "=22"))),
            ("  # Port 22", None),
            ("", None),
        ] {
            let found = keyword(line);
            let found = found.as_ref().map(|(word, rest)| (word.as_str(), *rest));
            assert_eq!(found, wanted, "{line}");
        }
    }

    #[test]
    fn words_may_be_quoted_and_escaped() {
        for (text, wanted) in [
            ("a b\tc", Some(vec!["a", "b", "c"])),
            (r#""a b" 'c "d"'"#, Some(vec!["a b", "c \"d\""])),
            (r#"a\ b "c\"d" e\f"#, Some(vec!["a b", "c\"d", r"e\f"])),
            ("a # b", Some(vec!["a"])),
            ("a#b", Some(vec!["a#b"])),
            (r#""""#, Some(vec![""])),
            (r#""a"#, None),
            ("", Some(vec![])),
        ] {
            let wanted = wanted.map(|words| words.into_iter().map(str::to_owned).collect());
            assert_eq!(split(text), wanted, "{text}");
        }
    }
}
