//! What to do about a mistake of syntax: what was meant is mostly plain from what stands there.

use std::ops::Range;

use super::{
    environment, predicates,
    scan::{Kind, Region, Token, regions, tokens},
};
use crate::words::closest;

/// A mistake of syntax in plain words.
#[derive(Debug)]
pub(super) struct Found {
    /// The byte that is meant.
    pub(super) at: usize,
    /// What is wrong, if the parser's words do not say it.
    pub(super) message: Option<String>,
    /// What to do.
    pub(super) help: Option<String>,
}

/// Statements, and whether something has to close them.
const STATEMENTS: [(&str, bool); 20] = [
    ("autoescape", true),
    ("block", true),
    ("break", false),
    ("call", true),
    ("continue", false),
    ("do", false),
    ("elif", false),
    ("else", false),
    ("extends", false),
    ("filter", true),
    ("for", true),
    ("from", false),
    ("if", true),
    ("import", false),
    ("include", false),
    ("macro", true),
    ("raw", true),
    ("set", true),
    ("trans", true),
    ("with", true),
];

/// What the parser found wrong at a byte of a text.
pub(super) fn explain(text: &str, detail: &str, at: usize) -> Found {
    let regions = regions(text);
    let at = at.min(text.len());
    if let Some(found) = unclosed(text, detail, &regions) {
        return found;
    }
    Found {
        at,
        message: None,
        help: statement(text, detail, at, &regions).or_else(|| expression(text, at, &regions)),
    }
}

/// What is opened and never closed: it begins elsewhere than the parser noticed it.
fn unclosed(text: &str, detail: &str, regions: &[Region]) -> Option<Found> {
    let open = |at, what: &str, close: &str| Found {
        at,
        message: Some(format!("{what} is opened here and never closed")),
        help: Some(format!("close it by `{close}`")),
    };
    if detail.contains("end of comment") {
        let at = regions.iter().rev().find_map(|region| match region {
            Region::Comment(range) => Some(range.start),
            _ => None,
        });
        return at.map(|at| open(at, "a comment", "#}"));
    }
    let stack = stack(text, regions);
    let last = stack.last()?;
    let what = format!("`{{% {} %}}`", last.text);
    let close = format!("{{% end{} %}}", last.text);
    if detail.contains("end of raw block") {
        return Some(open(last.at, &what, &close));
    }
    let ended = detail.contains("unexpected end of input") && detail.contains("end of block");
    (ended && regions.iter().all(|region| closed(text, region)))
        .then(|| open(last.at, &what, &close))
}

/// Whether the mark that opens a piece has one that closes it.
fn closed(text: &str, region: &Region) -> bool {
    let rest = |range: &Range<usize>| text[range.end..].trim_start_matches(['-', '+']);
    match region {
        Region::Text(_) | Region::Comment(_) => true,
        Region::Expr(range) => rest(range).starts_with("}}"),
        Region::Block(range) => rest(range).starts_with("%}"),
    }
}

/// Statements that are open at the end of these pieces.
fn stack<'a>(text: &'a str, regions: &[Region]) -> Vec<Token<'a>> {
    let mut open: Vec<Token<'a>> = Vec::new();
    for region in regions {
        let Region::Block(range) = region else {
            continue;
        };
        let words = tokens(text, range.clone());
        let Some(first) = words.first() else { continue };
        if let Some(ended) = first.text.strip_prefix("end") {
            if open.last().is_some_and(|last| last.text == ended) {
                open.pop();
            }
        } else if STATEMENTS.contains(&(first.text, true))
            && !(first.word("set") && words.iter().any(|word| word.is("=")))
        {
            open.push(*first);
        }
    }
    open
}

/// About the word with which a statement begins.
fn statement(text: &str, detail: &str, at: usize, regions: &[Region]) -> Option<String> {
    let region = regions.iter().position(|region| match region {
        Region::Block(range) => range.start <= at && at <= range.end,
        _ => false,
    })?;
    let Region::Block(range) = &regions[region] else {
        return None;
    };
    let words = tokens(text, range.clone());
    let first = words.first()?;
    if first.word("else") && words.get(1).is_some_and(|word| word.word("if")) {
        return Some("write `{% elif … %}`".to_owned());
    }
    if !detail.starts_with("unknown statement") {
        return None;
    }
    if first.text.starts_with("end") || matches!(first.text, "else" | "elif") {
        return Some(match stack(text, &regions[..region]).last() {
            Some(open) => format!(
                "`{{% {} … %}}` before it is open: `{{% end{0} %}}` closes that",
                open.text
            ),
            None => format!(
                "nothing is open here that `{{% {} %}}` could end",
                first.text
            ),
        });
    }
    let meant = match first.text {
        "elseif" | "elsif" => Some("elif"),
        "foreach" => Some("for"),
        word => closest(word, STATEMENTS.map(|(name, _)| name)),
    };
    Some(match meant {
        Some(name) => format!("did you mean `{{% {name} … %}}`?"),
        None => "a statement begins with `if`, `for`, `set`, `include`, `macro` …; a value is printed by `{{ … }}`".to_owned(),
    })
}

/// About what stands in an expression where the parser stopped.
fn expression(text: &str, at: usize, regions: &[Region]) -> Option<String> {
    let within = regions.iter().find_map(|region| match region {
        Region::Expr(range) | Region::Block(range) if range.start <= at && at <= range.end => {
            Some(range.clone())
        }
        _ => None,
    });
    let bare = !regions
        .iter()
        .any(|region| !matches!(region, Region::Text(_)));
    let within = within.or_else(|| bare.then_some(0..text.len()));
    let range = within.clone().unwrap_or(0..text.len());
    let rest = &text[at..];
    for (sign, help) in [
        ("&&", "write `and`"),
        ("?", "write `A if CONDITION else B`"),
        ("$", "names of variables stand without `$`"),
        ("`", "texts stand in `'` or `\"`"),
    ] {
        if rest.starts_with(sign) {
            return Some(help.to_owned());
        }
    }
    if rest.starts_with('|') && text[..at].ends_with('|') {
        return Some("write `or`".to_owned());
    }
    if rest.starts_with('=') && !rest.starts_with("==") {
        return Some("`==` compares".to_owned());
    }
    if rest.starts_with('!') && !rest.starts_with("!=") {
        return Some("write `not`".to_owned());
    }
    let words = tokens(text, range.clone());
    if words
        .windows(2)
        .any(|pair| pair[0].is("{") && pair[1].is("{"))
        && !words.iter().any(|word| word.is(":"))
    {
        return Some("an expression stands in one pair of `{{ }}`: names in it without".to_owned());
    }
    if within.is_some_and(|range| range.end == text.len() && !bare) {
        return Some("an expression ends with `}}`, a statement with `%}`".to_owned());
    }
    brackets(&words).or_else(|| neighbours(&words, at))
}

/// What the words before and after the place say.
fn neighbours(words: &[Token<'_>], at: usize) -> Option<String> {
    let here = words.iter().position(|word| word.at >= at)?;
    let word = &words[here];
    let before = here.checked_sub(1).map(|last| &words[last])?;
    if before.word("is") || before.kind == Kind::Op && !(before.is(")") || before.is("]")) {
        return None;
    }
    let filter = here
        .checked_sub(2)
        .is_some_and(|bar| words[bar].is("|") && before.kind == Kind::Name);
    if filter && (matches!(word.kind, Kind::Str | Kind::Number) || word.kind == Kind::Name) {
        return Some(format!(
            "what a filter is given stands in parentheses: `{}({})`",
            before.text, word.text
        ));
    }
    if word.kind == Kind::Name && is_test(word.text) {
        return Some(match words.get(here + 1) {
            Some(next) if matches!(next.kind, Kind::Str | Kind::Number | Kind::Name) => {
                format!("a test comes after `is`: `is {}({})`", word.text, next.text)
            }
            _ => format!("a test comes after `is`: `is {}`", word.text),
        });
    }
    matches!(word.kind, Kind::Name | Kind::Str | Kind::Number).then(|| {
        format!(
            "an operator or a comma is missing between `{}` and `{}`",
            before.text, word.text
        )
    })
}

/// The bracket that is open at the end.
fn brackets(words: &[Token<'_>]) -> Option<String> {
    let mut open: Vec<&str> = Vec::new();
    for word in words {
        match word.text {
            "(" | "[" | "{" if word.kind == Kind::Op => open.push(word.text),
            ")" | "]" | "}" if word.kind == Kind::Op => {
                open.pop();
            }
            _ => {}
        }
    }
    let last = *open.last()?;
    let close = match last {
        "(" => ")",
        "[" => "]",
        _ => "}",
    };
    Some(format!(
        "a `{last}` is opened and never closed by `{close}`"
    ))
}

/// Whether there is a test of this name that people write as a word of its own.
pub(super) fn is_test(name: &str) -> bool {
    environment::TESTS.contains(&name) || predicates::NAMES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::explain;
    use crate::{
        files::{Files, Span},
        template::Template,
    };

    fn said(text: &str, expression: bool) -> String {
        let mut files = Files::new();
        let span = Span {
            file: files.add("t.yml", text),
            start: 0,
            end: u32::try_from(text.len()).unwrap_or_default(),
        };
        let made = if expression {
            Template::expression(text, span)
        } else {
            Template::text(text, span)
        };
        let faults = made.err().unwrap_or_default();
        let fault = faults.first();
        fault.map_or_else(String::new, |fault| {
            format!(
                "{}; {}",
                fault.message,
                fault.help.as_deref().unwrap_or("no help")
            )
        })
    }

    #[test]
    fn conditions() {
        for (text, help) in [
            ("a = 'b'", "`==` compares"),
            ("a is defined && b", "write `and`"),
            ("a || b", "write `or`"),
            ("!a", "write `not`"),
            ("a ? b : c", "write `A if CONDITION else B`"),
            ("$a == 1", "names of variables stand without `$`"),
            (
                "(a is defined and (b is defined)",
                "a `(` is opened and never closed by `)`",
            ),
            (
                "a.stdout contains 'x'",
                "a test comes after `is`: `is contains('x')`",
            ),
            (
                "a | default 'x'",
                "what a filter is given stands in parentheses: `default('x')`",
            ),
            (
                "a b",
                "an operator or a comma is missing between `a` and `b`",
            ),
            (
                "{{ a",
                "an expression ends with `}}`, a statement with `%}`",
            ),
        ] {
            let said = said(text, true);
            assert!(said.ends_with(&format!("; {help}")), "{text}: {said}");
        }
    }

    #[test]
    fn texts() {
        for (text, help) in [
            (
                "{{ a }",
                "an expression ends with `}}`, a statement with `%}`",
            ),
            (
                "{{ a",
                "an expression ends with `}}`, a statement with `%}`",
            ),
            (
                "x {{ a",
                "an expression ends with `}}`, a statement with `%}`",
            ),
            ("{{ [1,2 }}", "a `[` is opened and never closed by `]`"),
            (
                "{{ a[{{ b }}] }}",
                "an expression stands in one pair of `{{ }}`: names in it without",
            ),
            (
                "{% if a %}\n{% else if b %}\n{% endif %}",
                "write `{% elif … %}`",
            ),
            (
                "\n{% for a in b %}\n{% endif %}",
                "`{% for … %}` before it is open: `{% endfor %}` closes that",
            ),
            (
                "{% endif %}",
                "nothing is open here that `{% endif %}` could end",
            ),
            ("{% foreach a in b %}", "did you mean `{% for … %}`?"),
            ("{% inclde 'a' %}", "did you mean `{% include … %}`?"),
        ] {
            let said = said(text, false);
            assert!(said.ends_with(&format!("; {help}")), "{text}: {said}");
        }
    }

    #[test]
    fn what_is_never_closed_is_told_where_it_begins() {
        for (text, at, message) in [
            (
                "a\n{% for x in y %}\n{{ x }}",
                5,
                "`{% for %}` is opened here and never closed",
            ),
            ("a {# b", 2, "a comment is opened here and never closed"),
            (
                "{% raw %}{{ x",
                3,
                "`{% raw %}` is opened here and never closed",
            ),
        ] {
            let detail = match text {
                _ if text.contains("{#") => "unexpected end of comment",
                _ if text.contains("raw") => "unexpected end of raw block",
                _ => "unexpected end of input, expected end of block",
            };
            let found = explain(text, detail, text.len());
            assert_eq!(
                (found.at, found.message.as_deref()),
                (at, Some(message)),
                "{text}"
            );
            assert!(said(text, false).contains(message), "{text}");
        }
    }
}
