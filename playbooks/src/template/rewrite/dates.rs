//! `a - b` and `a + b` become calls of a function where dates are about: minijinja's operators know none.

use super::{
    super::{
        filters::dates::FUNCTION,
        scan::{Kind, Token},
        uses::WORDS,
    },
    Rank,
};

/// Whether a text makes a date.
pub(super) fn makes(tokens: &[Token<'_>]) -> bool {
    tokens.iter().enumerate().any(|(index, token)| {
        token.word("to_datetime")
            || token.word("now") && tokens.get(index + 1).is_some_and(|next| next.is("("))
    })
}

/// Whether a token ends an operand.
fn ends_value(token: &Token<'_>) -> bool {
    match token.kind {
        Kind::Str | Kind::Number => true,
        Kind::Name => {
            !WORDS.contains(&token.text)
                || matches!(
                    token.text,
                    "true" | "false" | "none" | "True" | "False" | "None"
                )
        }
        Kind::Op => token.is(")") || token.is("]") || token.is("}"),
    }
}

fn opens(token: &Token<'_>) -> bool {
    token.is("(") || token.is("[") || token.is("{")
}

fn closes(token: &Token<'_>) -> bool {
    token.is(")") || token.is("]") || token.is("}")
}

/// Whether a sum ends here, at its own depth.
fn bounds(tokens: &[Token<'_>], index: usize) -> bool {
    let token = &tokens[index];
    let before = index.checked_sub(1).map(|at| &tokens[at]);
    match token.kind {
        Kind::Op => matches!(
            token.text,
            "," | ":" | "=" | "==" | "!=" | "<" | ">" | "<=" | ">="
        ),
        Kind::Name => {
            let word = matches!(token.text, "and" | "or" | "in" | "if" | "else" | "not");
            let member = before.is_some_and(|it| it.is(".") || it.is("|") || it.word("is"));
            word && !member
        }
        Kind::Str | Kind::Number => false,
    }
}

/// Where the sum begins in which a sign stands, and where the operand after the sign ends.
fn reach(tokens: &[Token<'_>], sign: usize, first: usize) -> (usize, usize) {
    let mut start = first;
    let mut depth = 0_usize;
    for index in (first..sign).rev() {
        let token = &tokens[index];
        if closes(token) {
            depth += 1;
        } else if opens(token) {
            if depth == 0 {
                start = index + 1;
                break;
            }
            depth -= 1;
        } else if depth == 0 && bounds(tokens, index) {
            start = index + 1;
            break;
        }
    }
    let mut depth = 0_usize;
    let mut end = tokens.len();
    for index in sign + 1..tokens.len() {
        let token = &tokens[index];
        if opens(token) {
            depth += 1;
        } else if closes(token) {
            if depth == 0 {
                end = index;
                break;
            }
            depth -= 1;
        } else if depth == 0 && (bounds(tokens, index) || binary(tokens, index)) {
            end = index;
            break;
        }
    }
    (start, end)
}

/// Whether a token is a sign between two operands.
pub(super) fn binary(tokens: &[Token<'_>], index: usize) -> bool {
    let sign = tokens[index].is("-") || tokens[index].is("+");
    sign && index > 0 && ends_value(&tokens[index - 1])
}

/// Puts the function around sums; `first`: the token at which expressions may begin.
pub(super) fn sums(
    tokens: &[Token<'_>],
    first: usize,
    pieces: &mut Vec<(usize, Rank, String)>,
    blanks: &mut Vec<std::ops::Range<usize>>,
) {
    for index in first..tokens.len() {
        if !binary(tokens, index) || index < first + 1 {
            continue;
        }
        let (start, end) = reach(tokens, index, first);
        if start >= index || end <= index + 1 {
            continue;
        }
        let sign = &tokens[index];
        pieces.push((tokens[start].at, Rank::Literal, format!("{FUNCTION}(")));
        pieces.push((sign.at, Rank::Within, ",".to_owned()));
        blanks.push(sign.at..sign.end());
        let after = tokens[end - 1].end();
        pieces.push((after, Rank::EndOfLiteral, format!(",'{}')", sign.text)));
    }
}
