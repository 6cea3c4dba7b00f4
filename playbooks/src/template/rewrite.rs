//! What Ansible's users may write, in words that minijinja understands; each byte keeps its place.

mod dates;
pub(super) mod terms;

use super::{
    growing,
    scan::{Kind, Region, Token, regions, tokens},
    uses::{Chain, WORDS, bare, closing, collection, guards, names_one},
};

/// What a backslash in a quoted text of an expression is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backslash {
    /// As in Jinja: in files, in conditions, and within `{% %}`.
    Escapes,
    /// Itself, as Ansible has it within `{{ }}` of a playbook: `regex_replace('(a)', '\1')`.
    Stays,
}

/// Where a quoted text needs further backslashes, so that those in it stay.
fn doubled(quoted: &Token<'_>) -> Vec<usize> {
    let quote = quoted.text.chars().next();
    let mut out = Vec::new();
    let mut chars = quoted.text.char_indices();
    while let Some((at, c)) = chars.next() {
        if c == '\\' {
            let next = chars.next().map(|(_, next)| next);
            let times = if next == Some('\\') || next == quote {
                2
            } else {
                1
            };
            out.extend(vec![quoted.at + at; times]);
        }
    }
    out
}

/// Where an `if` within an expression has no `else`: the bytes at which it ends.
fn elses(piece: &Piece<'_>) -> Vec<usize> {
    let tokens = &piece.tokens;
    let first = tokens.first().filter(|_| piece.statement);
    // `{% for x in y if z %}` is a filter.
    let filters = first.is_some_and(|token| token.word("for"));
    let mut found = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        let member = index > 0 && (tokens[index - 1].is(".") || tokens[index - 1].is("|"));
        let ends = |open: &mut Vec<usize>, deeper: usize| {
            let before = open.len();
            open.retain(|at| *at < deeper);
            before - open.len()
        };
        let at = index
            .checked_sub(1)
            .map_or(token.at, |last| tokens[last].end());
        if token.is("(") || token.is("[") || token.is("{") {
            depth += 1;
        } else if token.is(")") || token.is("]") || token.is("}") {
            found.extend(vec![at; ends(&mut open, depth)]);
            depth = depth.saturating_sub(1);
        } else if token.is(",") || token.is(":") {
            found.extend(vec![at; ends(&mut open, depth)]);
        } else if token.word("if") && !member {
            let statement = piece.statement && index == 0;
            if !(statement || filters && depth == 0) {
                open.push(depth);
            }
        } else if token.word("else") && !member && open.last() == Some(&depth) {
            open.pop();
        }
    }
    if let Some(last) = tokens.last() {
        found.extend(vec![last.end(); open.len()]);
    }
    found
}

/// What stands right of `%`: whether it is a list of values in parentheses, and where it ends.
fn operand(tokens: &[Token<'_>], start: usize) -> Option<(bool, usize)> {
    let first = tokens.get(start)?;
    let mut at = if first.is("(") || first.is("[") || first.is("{") {
        let close = closing(tokens, start)?;
        let mut depth = 0;
        let many = first.is("(")
            && tokens[start..close].iter().any(|token| {
                if token.is("(") || token.is("[") || token.is("{") {
                    depth += 1;
                } else if token.is(")") || token.is("]") || token.is("}") {
                    depth -= 1;
                }
                depth == 1 && token.is(",")
            });
        if many {
            return Some((true, tokens[close].end()));
        }
        close + 1
    } else if first.kind == Kind::Op {
        return None;
    } else {
        start + 1
    };
    loop {
        match &tokens[at..] {
            [dot, name, ..] if (dot.is(".") || dot.is("|")) && name.kind != Kind::Op => at += 2,
            [open, ..] if open.is("(") || open.is("[") => at = closing(tokens, at)? + 1,
            _ => return Some((false, tokens[at - 1].end())),
        }
    }
}

/// Whether what stands between these is all that `default` is given.
fn is_default(before: &[Token<'_>], after: &[Token<'_>]) -> bool {
    let [.., pipe, name, open] = before else {
        return false;
    };
    let is_called = pipe.is("|") && (name.word("default") || name.word("d")) && open.is("(");
    is_called && after.first().is_some_and(|token| token.is(")"))
}

/// A text in which `a.b.c | default(x)` and `a.b.c is defined` hold also where `a` or `a.b` are
/// undefined, as Ansible's users expect, and where its bytes stood before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rewritten {
    pub(crate) text: String,
    /// Insertions: the byte before which text was put in (in the old text), and how much.
    inserted: Vec<(usize, usize)>,
}

/// An expression, or a statement, that is rewritten.
pub(crate) struct Piece<'a> {
    tokens: Vec<Token<'a>>,
    backslash: Backslash,
    /// Whether it is a statement: its first word is one of Jinja's.
    statement: bool,
    /// Whether a quoted text in it may be a template: `'{{ name }}' == 'web'`.
    embedded: bool,
}

/// What is put in before a byte; of several, those that end something come first, the inner ones before
/// the outer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    EndOfLiteral,
    Within,
    Else,
    EndOfSet,
    Set,
    Literal,
    Open,
}

/// Whether a method is called that changes a list or a map.
fn changes(all: &[Piece<'_>]) -> bool {
    let calls = |window: &[Token<'_>]| {
        let [dot, name, open] = window else {
            return false;
        };
        dot.is(".") && open.is("(") && growing::METHODS.contains(&name.text)
    };
    all.iter().any(|piece| piece.tokens.windows(3).any(calls))
}

/// What a template may change: its own lists and maps, and what it gives a name.
fn growing(piece: &Piece<'_>, pieces: &mut Vec<(usize, Rank, String)>) {
    let tokens = &piece.tokens;
    let open = || format!("{}(", growing::FUNCTION);
    for (index, token) in tokens.iter().enumerate() {
        let before = index.checked_sub(1).map(|at| tokens[at]);
        let begins = before.is_none_or(|before| match before.kind {
            Kind::Op => !(before.is(")") || before.is("]") || before.is("}")),
            Kind::Name => WORDS.contains(&before.text),
            Kind::Str | Kind::Number => false,
        });
        if !(begins && (token.is("[") || token.is("{"))) {
            continue;
        }
        if let Some(close) = closing(tokens, index) {
            pieces.push((token.at, Rank::Literal, open()));
            pieces.push((tokens[close].end(), Rank::EndOfLiteral, ")".to_owned()));
        }
    }
    let sets = piece.statement && tokens.first().is_some_and(|token| token.word("set"));
    let equals = tokens.iter().position(|token| token.is("="));
    let (true, Some(equals), Some(last)) = (sets, equals, tokens.last()) else {
        return;
    };
    let mut depth = 0_usize;
    let several = tokens.iter().any(|token| {
        if token.is("(") || token.is("[") || token.is("{") {
            depth += 1;
        } else if token.is(")") || token.is("]") || token.is("}") {
            depth = depth.saturating_sub(1);
        }
        depth == 0 && token.is(",")
    });
    if !several && equals + 1 < tokens.len() {
        pieces.push((tokens[equals].end(), Rank::Set, open()));
        pieces.push((last.end(), Rank::EndOfSet, ")".to_owned()));
    }
}

/// The templates in a quoted text: where their expressions are, in the whole text.
pub(super) fn embedded(text: &str, quoted: &Token<'_>) -> Vec<Region> {
    if quoted.text.len() < 2 || !quoted.text.contains("{{") {
        return Vec::new();
    }
    let start = quoted.at + 1;
    let shift = |range: std::ops::Range<usize>| range.start + start..range.end + start;
    let inner = regions(&text[start..quoted.end() - 1]).into_iter();
    inner
        .map(|region| match region {
            Region::Text(range) => Region::Text(shift(range)),
            Region::Expr(range) => Region::Expr(shift(range)),
            Region::Block(range) => Region::Block(shift(range)),
            Region::Comment(range) => Region::Comment(shift(range)),
        })
        .collect()
}

/// A quoted text that is a template becomes what it is made of: `'a{{ b }}'` is `('a'~(b))`.
fn opened(
    text: &str,
    quoted: &Token<'_>,
    pieces: &mut Vec<(usize, Rank, String)>,
    blanks: &mut Vec<std::ops::Range<usize>>,
) {
    let parts = embedded(text, quoted);
    let plain = |part: &Region| matches!(part, Region::Text(_) | Region::Expr(_));
    if parts.is_empty() || !parts.iter().all(plain) {
        return;
    }
    let quote = &quoted.text[..1];
    blanks.push(quoted.at..quoted.at + 1);
    blanks.push(quoted.end() - 1..quoted.end());
    pieces.push((quoted.at, Rank::Literal, "(".to_owned()));
    for (index, part) in parts.iter().enumerate() {
        let joint = if index == 0 { "" } else { "~" };
        match part {
            Region::Text(range) => {
                pieces.push((range.start, Rank::Within, format!("{joint}{quote}")));
                pieces.push((range.end, Rank::EndOfLiteral, quote.to_owned()));
            }
            Region::Expr(range) => {
                let open = text[..range.start].rfind("{{").unwrap_or(range.start);
                let close = text[range.end..]
                    .find("}}")
                    .map_or(range.end, |at| range.end + at + 2);
                blanks.push(open..range.start);
                blanks.push(range.end..close);
                pieces.push((open, Rank::Within, format!("{joint}(")));
                pieces.push((close, Rank::EndOfLiteral, ")".to_owned()));
            }
            Region::Block(_) | Region::Comment(_) => {}
        }
    }
    pieces.push((quoted.end(), Rank::EndOfSet, ")".to_owned()));
}

/// `'%s' % x` becomes `'%s' |format(x)`.
fn formatted(
    tokens: &[Token<'_>],
    sign: usize,
    pieces: &mut Vec<(usize, Rank, String)>,
    blanks: &mut Vec<std::ops::Range<usize>>,
) {
    let Some((many, end)) = operand(tokens, sign + 1) else {
        return;
    };
    let token = &tokens[sign];
    blanks.push(token.at..token.end());
    let filter = if many { "|format" } else { "|format(" };
    pieces.push((token.at, Rank::Within, filter.to_owned()));
    if !many {
        pieces.push((end, Rank::Within, ")".to_owned()));
    }
}

impl Rewritten {
    /// Of pieces of `text`.
    fn new(text: &str, all: &[Piece<'_>]) -> Self {
        let mut pieces: Vec<(usize, Rank, String)> = Vec::new();
        let (mut blanks, mut renamed) = (Vec::new(), Vec::new());
        if changes(all) {
            for piece in all {
                growing(piece, &mut pieces);
            }
        }
        if all.iter().any(|piece| dates::makes(&piece.tokens)) {
            for piece in all {
                let first = usize::from(piece.statement);
                dates::sums(&piece.tokens, first, &mut pieces, &mut blanks);
            }
        }
        for piece in all {
            let Piece {
                tokens,
                backslash,
                embedded,
                ..
            } = piece;
            pieces.extend(
                elses(piece)
                    .into_iter()
                    .map(|at| (at, Rank::Else, " else ''".to_owned())),
            );
            let terms = terms::templates(tokens);
            for (index, token) in tokens.iter().enumerate() {
                if *embedded && token.kind == Kind::Str || terms.contains(&index) {
                    opened(text, token, &mut pieces, &mut blanks);
                }
                if token.is("+") && !dates::binary(tokens, index) {
                    blanks.push(token.at..token.end());
                }
                if token.kind == Kind::Str && *backslash == Backslash::Stays {
                    let more = doubled(token).into_iter();
                    pieces.extend(more.map(|at| (at, Rank::Within, "\\".to_owned())));
                }
                let before = index.checked_sub(1).map(|at| tokens[at]);
                if token.is("%") && before.is_some_and(|text| text.kind == Kind::Str) {
                    formatted(tokens, index, &mut pieces, &mut blanks);
                }
                let length = collection(tokens, index);
                let is_not = index > 1 && tokens[index - 2].word("is");
                if length > 0
                    && before
                        .is_some_and(|it| it.is("|") || it.word("is") || is_not && it.word("not"))
                {
                    blanks.push(token.at..tokens[index + length].at);
                    continue;
                }
                if names_one(tokens, index).is_some() {
                    // The name of `map('ansible.builtin.upper')` begins later.
                    let (quote, name) = (&token.text[..1], &token.text[1..token.text.len() - 1]);
                    let start = token.end() - bare(name).len() - 2;
                    renamed.extend((start > token.at).then(|| (token.at..start + 1, quote)));
                }
                let member = index > 0 && (tokens[index - 1].is(".") || tokens[index - 1].is("|"));
                if token.kind != Kind::Name || member || WORDS.contains(&token.text) {
                    continue;
                }
                let chain = Chain::read(tokens, index);
                let after = &tokens[chain.end..];
                let guarded = guards(after) || is_default(&tokens[..index], after);
                if chain.links.len() > 1 && guarded {
                    let parentheses = "(".repeat(chain.links.len() - 1);
                    pieces.push((token.at, Rank::Open, parentheses));
                    let inner = &chain.links[..chain.links.len() - 1];
                    let default = |end: &usize| (*end, Rank::Within, "|default({}))".to_owned());
                    pieces.extend(inner.iter().map(default));
                }
            }
        }
        let mut text = text.to_owned();
        for range in blanks {
            text.replace_range(range.clone(), &" ".repeat(range.len()));
        }
        for (range, quote) in renamed {
            let blanks = " ".repeat(range.len() - 1);
            text.replace_range(range, &format!("{blanks}{quote}"));
        }
        Self::with(&text, pieces)
    }

    fn with(text: &str, mut pieces: Vec<(usize, Rank, String)>) -> Self {
        pieces.sort_by_key(|(at, rank, _)| (*at, *rank));
        let (mut out, mut from, mut inserted) = (String::with_capacity(text.len()), 0, Vec::new());
        for (at, _, piece) in pieces {
            out.push_str(&text[from..at]);
            out.push_str(&piece);
            inserted.push((at, piece.len()));
            from = at;
        }
        out.push_str(&text[from..]);
        Self {
            text: out,
            inserted,
        }
    }

    /// Of a bare expression; `embedded`: whether quoted texts in it may be templates.
    pub(crate) fn expression(text: &str, backslash: Backslash, embedded: bool) -> Self {
        let piece = Piece {
            tokens: tokens(text, 0..text.len()),
            backslash,
            statement: false,
            embedded,
        };
        Self::new(text, &[piece])
    }

    /// Of a template.
    pub(crate) fn template(text: &str, backslash: Backslash) -> Self {
        let pieces: Vec<Piece<'_>> = regions(text)
            .into_iter()
            .filter_map(|region| match region {
                Region::Expr(range) => Some(Piece {
                    tokens: tokens(text, range),
                    backslash,
                    statement: false,
                    embedded: false,
                }),
                Region::Block(range) => Some(Piece {
                    tokens: tokens(text, range),
                    backslash: Backslash::Escapes,
                    statement: true,
                    embedded: false,
                }),
                Region::Text(_) | Region::Comment(_) => None,
            })
            .collect();
        Self::new(text, &pieces)
    }

    /// Where a byte of the new text stood in the old one.
    pub(crate) fn old(&self, byte: usize) -> usize {
        let mut shift = 0;
        for (at, len) in &self.inserted {
            if byte < at + shift {
                break;
            }
            if byte < at + shift + len {
                return *at;
            }
            shift += len;
        }
        byte - shift
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_if_without_else_gives_an_empty_text() {
        let expression = |text| Rewritten::expression(text, Backslash::Escapes, false).text;
        assert_eq!(expression("a if b"), "a if b else ''");
        assert_eq!(expression("a if b else c"), "a if b else c");
        assert_eq!(
            expression("[(a if b), c if d, e.if]"),
            "[(a if b else ''), c if d else '', e.if]"
        );
        let template = |text| Rewritten::template(text, Backslash::Escapes).text;
        for same in [
            "{% if a %}{% elif b %}{% endif %}",
            "{% for x in y if x %}{% endfor %}",
        ] {
            assert_eq!(template(same), same);
        }
        assert_eq!(
            template("{% set a = b if c %}"),
            "{% set a = b if c else '' %}"
        );
        assert_eq!(template("{{ a if b }}!"), "{{ a if b else '' }}!");
    }

    #[test]
    fn quoted_templates_of_conditions() {
        let expression = |text| Rewritten::expression(text, Backslash::Escapes, true).text;
        assert_eq!(expression("'{{ a }}' == b"), "( (   a   ) ) == b");
        assert_eq!(
            expression("'x{{ a }}-{{ b }}'"),
            "( 'x'~(   a   )~'-'~(   b   ) )"
        );
        assert_eq!(expression("'x' == {}"), "'x' == {}");
    }

    #[test]
    fn percent_formats() {
        let expression = |text| Rewritten::expression(text, Backslash::Escapes, false).text;
        assert_eq!(
            expression("'%s' % x.y | upper + 1"),
            "'%s' |format(  x.y | upper) + 1"
        );
        assert_eq!(
            expression("'%s-%d' % (a, b(c))"),
            "'%s-%d' |format  (a, b(c))"
        );
        assert_eq!(expression("'%s' % (a)"), "'%s' |format(  (a))");
        assert_eq!(expression("7 % 2"), "7 % 2");
    }

    #[test]
    fn nested_undefined_is_let_through() {
        let new = Rewritten::expression("x and a.b['k'].c is defined", Backslash::Escapes, false);
        assert_eq!(
            new.text,
            "x and (((a|default({})).b|default({}))['k']|default({})).c is defined"
        );
        let byte = new.text.find("defined").expect("it is there");
        assert_eq!(new.old(byte), "x and a.b['k'].c is ".len());
        assert_eq!(
            Rewritten::expression("a.b == 1", Backslash::Escapes, false).text,
            "a.b == 1"
        );
    }
}
