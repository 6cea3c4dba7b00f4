//! The patterns of `known_hosts` and of ssh's configuration: `*`, `?`, and `!` before one.

/// Whether `pattern` covers all of `text`. Bytes are compared as they are.
///
/// It goes back to the last `*` only, so the time is bounded by the product of the lengths.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&byte) if byte == b'?' || byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, from)) = star else { return false };
                p = at + 1;
                t = from + 1;
                star = Some((at, t));
            }
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// Whether one of the patterns covers `text` and none with `!` does.
pub(crate) fn list_matches<'a>(patterns: impl IntoIterator<Item = &'a str>, text: &str) -> bool {
    let mut found = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(negated) if matches(negated, text) => return false,
            Some(_) => {}
            None => found = found || matches(pattern, text),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{list_matches, matches};

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text, wanted) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("**", "abc", true),
            ("a*c", "abbbc", true),
            ("a*c", "abbbd", false),
            ("*.example.com", "www.example.com", true),
            ("*.example.com", "example.com", false),
            ("192.0.2.?", "192.0.2.7", true),
            ("192.0.2.?", "192.0.2.17", false),
            ("*ab*ab", "xabyabab", true),
            ("?", "", false),
        ] {
            assert_eq!(matches(pattern, text), wanted, "{pattern} {text}");
        }
    }

    #[test]
    fn a_long_pattern_of_stars_is_quick() {
        assert!(!matches(&"*a".repeat(1000), &"a".repeat(999)));
    }

    #[test]
    fn one_that_is_negated_wins_wherever_it_stands() {
        let list = ["*.example.com", "!db.example.com"];
        assert!(list_matches(list, "www.example.com"));
        assert!(!list_matches(list, "db.example.com"));
        assert!(!list_matches(["!db.example.com"], "www.example.com"));
    }
}
