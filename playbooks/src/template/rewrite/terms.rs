//! Quoted texts that a lookup is given: as in Ansible they may be templates themselves.

use super::{Kind, Token};

/// The quoted texts that stand alone among the terms of `lookup(…)` and its like, also within lists and maps there.
pub(in crate::template) fn templates(tokens: &[Token<'_>]) -> Vec<usize> {
    let (mut found, mut open) = (Vec::new(), Vec::new());
    for (index, token) in tokens.iter().enumerate() {
        let before = index.checked_sub(1).map(|at| &tokens[at]);
        match token.text {
            "(" if token.kind == Kind::Op => {
                let member = index > 1 && tokens[index - 2].is(".");
                let lookup = ["lookup", "query", "q"];
                open.push(before.is_some_and(|name| {
                    name.kind == Kind::Name && lookup.contains(&name.text) && !member
                }));
            }
            // What stands in them is a term where they are one.
            "[" | "{" if token.kind == Kind::Op => {
                let within = open.last().copied().unwrap_or(false);
                open.push(within && before.is_some_and(begins));
            }
            ")" | "]" | "}" if token.kind == Kind::Op => {
                open.pop();
            }
            _ if token.kind == Kind::Str
                && open.last() == Some(&true)
                && token.text.contains("{{")
                && before.is_some_and(begins)
                && tokens.get(index + 1).is_some_and(ends) =>
            {
                found.push(index);
            }
            _ => {}
        }
    }
    found
}

fn begins(before: &Token<'_>) -> bool {
    ["(", "[", "{", ",", ":"].iter().any(|sign| before.is(sign))
}

fn ends(after: &Token<'_>) -> bool {
    [")", "]", "}", ",", ":"].iter().any(|sign| after.is(sign))
}

#[cfg(test)]
mod tests {
    use super::{super::tokens, templates};

    #[test]
    fn constants_among_terms() {
        for (text, expected) in [
            ("lookup('env', '{{ a }}')", vec!["'{{ a }}'"]),
            (
                "q('list', ['{{ a }}', {'k': '{{ b }}'}])",
                vec!["'{{ a }}'", "'{{ b }}'"],
            ),
            ("lookup('env', 'x', default='{{ a }}')", vec![]),
            ("lookup('list', '{{ a }}' | upper)", vec![]),
            ("lookup('list', 'b' ~ '{{ a }}')", vec![]),
            ("lookup('list', f('{{ a }}'))", vec![]),
            ("x.lookup('{{ a }}')", vec![]),
            ("a | default('{{ a }}')", vec![]),
        ] {
            let tokens = tokens(text, 0..text.len());
            let found = templates(&tokens);
            let found: Vec<&str> = found.iter().map(|at| tokens[*at].text).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
