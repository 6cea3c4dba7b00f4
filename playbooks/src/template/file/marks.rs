//! Templates with other marks than `{{ }}`, `{% %}` and `{# #}`: written anew with these, before anything reads them.

use std::ops::Range;

use crate::template::Fault;

/// The marks of a template, as a task or its first line may set them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Marks {
    variable: (String, String),
    block: (String, String),
    comment: (String, String),
}

/// Of what a mark is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Variable,
    Block,
    Comment,
}

impl Default for Marks {
    fn default() -> Self {
        let pair = |start: &str, end: &str| (start.to_owned(), end.to_owned());
        Self {
            variable: pair("{{", "}}"),
            block: pair("{%", "%}"),
            comment: pair("{#", "#}"),
        }
    }
}

/// A text with the usual marks, and where its pieces were.
#[derive(Clone, Debug, Default)]
pub(super) struct Translated {
    pub(super) text: String,
    /// Where pieces begin: in the text, and where that was before.
    pieces: Vec<(usize, usize)>,
}

impl Marks {
    /// By what tasks and first lines call them.
    pub const NAMES: [&str; 6] = [
        "variable_start_string",
        "variable_end_string",
        "block_start_string",
        "block_end_string",
        "comment_start_string",
        "comment_end_string",
    ];

    /// Sets one by its name; false if that is none, or the mark is empty.
    pub fn set(&mut self, name: &str, mark: &str) -> bool {
        let place = match name {
            "variable_start_string" => &mut self.variable.0,
            "variable_end_string" => &mut self.variable.1,
            "block_start_string" => &mut self.block.0,
            "block_end_string" => &mut self.block.1,
            "comment_start_string" => &mut self.comment.0,
            "comment_end_string" => &mut self.comment.1,
            _ => return false,
        };
        mark.clone_into(place);
        !mark.trim().is_empty()
    }

    /// Two that begin alike cannot be told from each other.
    pub(super) fn check(&self) -> Result<(), Fault> {
        let [a, b, c] = [&self.variable.0, &self.block.0, &self.comment.0];
        if a != b && b != c && a != c {
            return Ok(());
        }
        let what = "two kinds of marks of the template begin alike";
        let help = "expressions, blocks and comments begin with different marks";
        Err(Fault::new("template_header", what).help(help))
    }

    /// The mark that begins first, the longest of those at one place.
    fn next(&self, text: &str, from: usize) -> Option<(usize, Of)> {
        let all = [
            (&self.variable.0, Of::Variable),
            (&self.block.0, Of::Block),
            (&self.comment.0, Of::Comment),
        ];
        let found = all.into_iter().filter_map(|(mark, of)| {
            let at = from + text[from..].find(mark.as_str())?;
            Some((at, std::cmp::Reverse(mark.len()), of))
        });
        let first = found.min_by_key(|(at, length, _)| (*at, *length))?;
        Some((first.0, first.2))
    }

    fn of(&self, of: Of) -> &(String, String) {
        match of {
            Of::Variable => &self.variable,
            Of::Block => &self.block,
            Of::Comment => &self.comment,
        }
    }

    /// The text with the usual marks; what is not closed stays open.
    pub(super) fn translated(&self, old: &str) -> Translated {
        let mut new = Translated::default();
        let mut at = 0;
        while let Some((start, of)) = self.next(old, at) {
            new.literal(old, at..start, true);
            let (open, close) = self.of(of);
            let inner = start + open.len();
            let end = closing(old, inner, close, of);
            let (first, last) = match of {
                Of::Variable => ("{{", "}}"),
                Of::Block => ("{%", "%}"),
                Of::Comment => ("{#", "#}"),
            };
            new.push(first, start);
            let body = inner..end.unwrap_or(old.len());
            if of == Of::Comment {
                // It says nothing, but its lines count, and what it does to blanks around it.
                let text = &old[body.clone()];
                let sign = |end: Option<char>| end.filter(|c| matches!(c, '-' | '+'));
                let first = sign(text.chars().next());
                let last = sign(text.chars().next_back()).filter(|_| text.len() > 1);
                let lines = text.chars().filter(|c| *c == '\n');
                let kept: String = first.into_iter().chain(lines).chain(last).collect();
                new.push(&kept, body.start);
            } else {
                new.push(&old[body.clone()], body.start);
            }
            let Some(end) = end else {
                return new;
            };
            new.push(last, end);
            at = end + close.len();
            if of == Of::Block && old[body].trim_matches(['-', '+']).trim() == "raw" {
                let stop = self.end_of_raw(old, at);
                new.push(&old[at..stop], at);
                at = stop;
            }
        }
        new.literal(old, at..old.len(), false);
        new
    }

    /// Where the block is that ends a `raw` before this byte.
    fn end_of_raw(&self, text: &str, from: usize) -> usize {
        let mut at = from;
        while let Some(found) = text[at..].find(&self.block.0) {
            let start = at + found;
            let inner = text[start + self.block.0.len()..].trim_start_matches(['-', '+']);
            if inner.trim_start().starts_with("endraw") {
                return start;
            }
            at = start + self.block.0.len();
        }
        text.len()
    }
}

impl Translated {
    fn push(&mut self, text: &str, old: usize) {
        self.pieces.push((self.text.len(), old));
        self.text.push_str(text);
    }

    /// What is no template: a brace that would begin one is written as one that is printed.
    fn literal(&mut self, old: &str, range: Range<usize>, before_mark: bool) {
        let bytes = old.as_bytes();
        let mut from = range.start;
        for at in range.clone().filter(|at| bytes[*at] == b'{') {
            let begins = match bytes.get(at + 1).filter(|_| at + 1 < range.end) {
                Some(next) => matches!(next, b'{' | b'%' | b'#'),
                None => before_mark,
            };
            if begins {
                self.push(&old[from..at], from);
                self.push("{{ '{' }}", at);
                from = at + 1;
            }
        }
        self.push(&old[from..range.end], from);
    }

    /// Where a byte of the text was before.
    pub(super) fn old(&self, at: usize) -> usize {
        let piece = self.pieces.partition_point(|(new, _)| *new <= at);
        let (new, old) = piece
            .checked_sub(1)
            .map_or((0, 0), |last| self.pieces[last]);
        let next = self.pieces.get(piece).map_or(usize::MAX, |(_, old)| *old);
        (old + (at - new)).min(next)
    }
}

/// Where a mark stands that closes, outside of quotes and brackets.
fn closing(text: &str, from: usize, close: &str, of: Of) -> Option<usize> {
    if of == Of::Comment {
        return Some(from + text[from..].find(close)?);
    }
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (from, 0_usize);
    while at < bytes.len() {
        if depth == 0 && bytes[at..].starts_with(close.as_bytes()) {
            return Some(at);
        }
        match bytes[at] {
            quote @ (b'"' | b'\'') => {
                at += 1;
                while at < bytes.len() && bytes[at] != quote {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
            }
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(pairs: &[(&str, &str)]) -> Marks {
        let mut marks = Marks::default();
        for (name, mark) in pairs {
            assert!(marks.set(name, mark), "{name}");
        }
        marks
    }

    #[test]
    fn other_marks_become_the_usual_ones() {
        let squares = marks(&[
            ("variable_start_string", "[["),
            ("variable_end_string", "]]"),
            ("block_start_string", "[%"),
            ("block_end_string", "%]"),
            ("comment_start_string", "[#"),
            ("comment_end_string", "#]"),
        ]);
        for (old, new) in [
            ("a [[ x ]] b", "a {{ x }} b"),
            ("[[ x[0]['a]]'] ]]", "{{ x[0]['a]]'] }}"),
            ("[% if x -%]y[% endif %]", "{% if x -%}y{% endif %}"),
            ("a [# no #}\n -#]b", "a {#\n-#}b"),
            ("{{ $value }}", "{{ '{' }}{ $value }}"),
            ("{[[ x ]]", "{{ '{' }}{{ x }}"),
            (
                "[% raw %][[ a ]][% endraw %]b",
                "{% raw %}[[ a ]]{% endraw %}b",
            ),
            ("[[ x", "{{ x"),
            ("{ }", "{ }"),
        ] {
            assert_eq!(squares.translated(old).text, new, "{old}");
        }
    }

    #[test]
    fn places_are_found_again() {
        let dollars = marks(&[
            ("variable_start_string", "${"),
            ("variable_end_string", "}"),
        ]);
        let old = "a {{ b }} ${x} c ${ y }";
        let translated = dollars.translated(old);
        assert_eq!(translated.text, "a {{ '{' }}{ b }} {{x}} c {{ y }}");
        for name in ["x", "y", " c "] {
            let at = translated.text.find(name).unwrap();
            assert_eq!(translated.old(at), old.find(name).unwrap(), "{name}");
        }
    }
}
