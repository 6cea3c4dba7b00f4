//! What an expression uses: names with their paths and guards, filters, tests, functions.

use std::collections::BTreeSet;

use super::{
    rewrite::{embedded, terms},
    scan::{Kind, Region, Token, regions, tokens},
};
use crate::open::ANY;

/// One use of something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// Of what.
    pub kind: UseKind,
    /// Its name.
    pub name: String,
    /// The keys that follow a name, as far as they are constant.
    pub path: Vec<String>,
    /// The first key that is not constant, as an expression.
    pub key: Option<String>,
    /// The constant keys right after that.
    pub rest: Vec<String>,
    /// The test that follows, as in `build is changed`.
    pub test: Option<String>,
    /// Byte in the text.
    pub at: usize,
}

/// What is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UseKind {
    /// A variable.
    Name,
    /// A filter.
    Filter,
    /// A test.
    Test,
    /// A function.
    Function,
}

/// Everything that a template or expression uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// Each use, in order.
    pub all: Vec<Use>,
    /// Names that the text itself makes sure of: by `is defined`, `default`, `set`, `for` …
    pub guarded: BTreeSet<String>,
    /// Templates that are included, imported or extended.
    pub files: Vec<Named>,
}

/// The name of a template that another one brings in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The name; what only values tell of it is [`ANY`].
    pub name: String,
    /// Byte in the text.
    pub at: usize,
    /// Whether the file must be there.
    pub needed: bool,
}

/// The names that an expression may give: a list of which the first counts, the sides of an `if`.
fn file_names(tokens: &[Token<'_>]) -> Vec<String> {
    let ends = |token: &Token<'_>| {
        token.kind == Kind::Op && matches!(token.text, "[" | "]" | "(" | ")" | ",")
            || token.word("if")
            || token.word("else")
    };
    let name = |part: &[Token<'_>]| {
        let mut name = String::new();
        for token in part {
            match token.kind {
                Kind::Str => name.push_str(token.text.trim_matches(['"', '\''])),
                Kind::Op if matches!(token.text, "~" | "+") => {}
                _ if name.ends_with(ANY) => {}
                _ => name.push(ANY),
            }
        }
        name
    };
    let parts = tokens.split(ends).filter(|part| !part.is_empty());
    parts.map(name).collect()
}

pub(super) const WORDS: &[&str] = &[
    "and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "True", "False", "None",
    "loop", "self", "super", "caller", "varargs", "kwargs",
];

impl Uses {
    /// Of a bare expression.
    pub(crate) fn of_expression(text: &str, range: std::ops::Range<usize>) -> Self {
        let mut uses = Self::default();
        let tokens = tokens(text, range);
        uses.read(&tokens);
        for token in tokens.iter().filter(|token| token.kind == Kind::Str) {
            uses.read_embedded(text, token);
        }
        uses
    }

    /// Of the expressions in a quoted text.
    fn read_embedded(&mut self, text: &str, quoted: &Token<'_>) {
        for region in embedded(text, quoted) {
            if let Region::Expr(range) = region {
                self.read(&super::scan::tokens(text, range));
            }
        }
    }

    /// Of a template.
    pub(crate) fn of_template(text: &str) -> Self {
        let mut uses = Self::default();
        for region in regions(text) {
            let tokens = match region {
                Region::Expr(range) => {
                    let tokens = tokens(text, range);
                    uses.read(&tokens);
                    tokens
                }
                Region::Block(range) => {
                    let tokens = tokens(text, range);
                    uses.read_block(&tokens);
                    tokens
                }
                Region::Text(_) | Region::Comment(_) => continue,
            };
            for term in terms::templates(&tokens) {
                uses.read_embedded(text, &tokens[term]);
            }
        }
        uses
    }

    /// Names that are used.
    pub fn names(&self) -> impl Iterator<Item = &Use> {
        self.all.iter().filter(|used| used.kind == UseKind::Name)
    }

    /// Adds all of another's.
    pub fn extend(&mut self, other: &Self) {
        self.all.extend(other.all.iter().cloned());
        self.guarded.extend(other.guarded.iter().cloned());
    }

    fn read_block(&mut self, tokens: &[Token<'_>]) {
        let names = |tokens: &[Token<'_>]| -> Vec<String> {
            let names = tokens.iter().filter(|token| token.kind == Kind::Name);
            names.map(|token| token.text.to_owned()).collect()
        };
        let Some(first) = tokens.first() else { return };
        let stop = match first.text {
            "for" => tokens.iter().position(|token| token.word("in")),
            "set" | "with" => tokens.iter().position(|token| token.is("=")),
            "macro" | "import" | "from" | "call" => Some(tokens.len()),
            "block" | "filter" => return,
            _ => None,
        };
        if matches!(first.text, "include" | "import" | "extends" | "from") {
            let after = |token: &Token<'_>| {
                ["ignore", "with", "without", "import", "as"].map(|word| token.word(word))
                    != [false; 5]
            };
            let name = &tokens[1..];
            let end = name.iter().position(after).unwrap_or(name.len());
            let names = file_names(&name[..end]);
            let alone =
                names.len() == 1 && name.first().is_some_and(|token| token.kind == Kind::Str);
            let needed = alone && !tokens.iter().any(|token| token.word("ignore"));
            let at = name.first().map_or(first.at, |token| token.at);
            self.files.extend(names.into_iter().map(|name| Named {
                needed: needed && !name.contains(ANY),
                name,
                at,
            }));
            if matches!(first.text, "include" | "extends") {
                self.read(&name[..end]);
                return;
            }
        }
        if let Some(stop) = stop.or((first.text == "set").then_some(tokens.len())) {
            self.guarded.extend(names(&tokens[..stop]));
        }
        if !matches!(first.text, "import" | "from" | "macro") {
            self.read(&tokens[1..]);
        }
        if first.text == "for" {
            self.guarded.insert("recursive".to_owned());
        }
    }

    fn read(&mut self, tokens: &[Token<'_>]) {
        for (index, token) in tokens.iter().enumerate() {
            let before = index.checked_sub(1).map(|at| tokens[at]);
            let after = tokens.get(index + 1);
            if token.kind != Kind::Name || before.is_some_and(|token| token.is(".")) {
                continue;
            }
            let after_not = before.is_some_and(|token| token.word("not"))
                && index >= 2
                && tokens[index - 2].word("is");
            if before.is_some_and(|token| token.is("|")) {
                let last = index + collection(tokens, index);
                self.push(UseKind::Filter, &joined(&tokens[index..=last]), token.at);
                self.filter(tokens, last);
            } else if (before.is_some_and(|token| token.word("is")) && !token.word("not"))
                || after_not
            {
                let last = index + collection(tokens, index);
                self.push(UseKind::Test, &joined(&tokens[index..=last]), token.at);
            } else if WORDS.contains(&token.text) || after.is_some_and(|token| token.is("=")) {
                // A keyword, or the name of an argument.
            } else if after.is_some_and(|token| token.is("(")) {
                self.push(UseKind::Function, token.text, token.at);
            } else {
                self.name(tokens, index);
            }
        }
    }

    fn push(&mut self, kind: UseKind, name: &str, at: usize) {
        self.all.push(Use {
            kind,
            name: bare(name).to_owned(),
            path: Vec::new(),
            key: None,
            rest: Vec::new(),
            test: None,
            at,
        });
    }

    /// The filter or test whose name a filter is given: `map('upper')`, `select('defined')`.
    fn filter(&mut self, tokens: &[Token<'_>], index: usize) {
        for at in [index + 2, index + 4] {
            let found = tokens.get(at).and_then(|_| names_one(tokens, at));
            if let (Some(kind), true) = (
                found,
                at == index + 2 || tokens[index].text.ends_with("attr"),
            ) {
                let text = tokens[at].text;
                let name = &text[1..text.len() - 1];
                self.push(kind, name, tokens[at].at + 1);
            }
        }
    }

    fn name(&mut self, tokens: &[Token<'_>], index: usize) {
        let chain = Chain::read(tokens, index);
        let rest = &tokens[chain.end..];
        if guards(rest) {
            self.guarded.insert(tokens[index].text.to_owned());
        }
        let test = match rest {
            [is, not, test, ..] if is.word("is") && not.word("not") => Some(test.text.to_owned()),
            [is, test, ..] if is.word("is") => Some(test.text.to_owned()),
            _ => None,
        };
        self.all.push(Use {
            kind: UseKind::Name,
            name: tokens[index].text.to_owned(),
            path: chain.path,
            key: chain.key,
            rest: chain.rest,
            test,
            at: tokens[index].at,
        });
    }
}

/// Collections whose filters, tests and lookups are known by their last names.
const COLLECTIONS: [&str; 6] = [
    "ansible.builtin",
    "ansible.legacy",
    "ansible.netcommon",
    "ansible.utils",
    "community.crypto",
    "community.general",
];

/// A name without one of those collections.
pub(super) fn bare(name: &str) -> &str {
    let parts = name.rsplit_once('.');
    let known = parts.filter(|(collection, _)| COLLECTIONS.contains(collection));
    known.map_or(name, |(_, last)| last)
}

/// How many tokens name a collection, as in `ansible.builtin.regex_replace`.
pub(super) fn collection(tokens: &[Token<'_>], index: usize) -> usize {
    match &tokens[index..] {
        [one, dot, two, second, name, ..]
            if [one, two, name]
                .iter()
                .all(|token| token.kind == Kind::Name)
                && dot.is(".")
                && second.is(".") =>
        {
            4
        }
        _ => 0,
    }
}

/// The text that stands from one token to another.
fn joined(tokens: &[Token<'_>]) -> String {
    tokens.iter().map(|token| token.text).collect()
}

/// Where the name of a filter or test is given as a text: `map('upper')`, `selectattr('x', 'defined')`.
pub(super) fn names_one(tokens: &[Token<'_>], index: usize) -> Option<UseKind> {
    let word = |back: usize| {
        let word = index.checked_sub(back).map(|at| tokens[at].text);
        word.unwrap_or_default()
    };
    if tokens[index].kind != Kind::Str || tokens[index].text.len() < 2 {
        return None;
    }
    match (word(2), word(4)) {
        ("map", _) if word(1) == "(" => Some(UseKind::Filter),
        ("select" | "reject", _) if word(1) == "(" => Some(UseKind::Test),
        (_, "selectattr" | "rejectattr") if word(3) == "(" => Some(UseKind::Test),
        _ => None,
    }
}

/// Whether what follows a name makes sure that it need not be defined.
pub(super) fn guards(rest: &[Token<'_>]) -> bool {
    match rest {
        [is, not, test, ..] if is.word("is") && not.word("not") => {
            test.word("defined") || test.word("undefined")
        }
        [is, test, ..] if is.word("is") => test.word("defined") || test.word("undefined"),
        [pipe, filter, ..] if pipe.is("|") => filter.word("default") || filter.word("d"),
        _ => false,
    }
}

/// A name and the keys after it.
pub(super) struct Chain {
    path: Vec<String>,
    key: Option<String>,
    rest: Vec<String>,
    /// Where each link ends (bytes), the name first.
    pub(super) links: Vec<usize>,
    /// The token after it.
    pub(super) end: usize,
}

impl Chain {
    pub(super) fn read(tokens: &[Token<'_>], index: usize) -> Self {
        let mut chain = Self {
            path: Vec::new(),
            key: None,
            rest: Vec::new(),
            links: vec![tokens[index].end()],
            end: index + 1,
        };
        let mut near = true;
        loop {
            match &tokens[chain.end..] {
                [dot, key, rest @ ..] if dot.is(".") && key.kind != Kind::Op => {
                    if rest.first().is_some_and(|token| token.is("(")) {
                        return chain;
                    }
                    chain.constant(key.text, near);
                    chain.links.push(key.end());
                    chain.end += 2;
                }
                [open, ..] if open.is("[") => {
                    let Some(close) = closing(tokens, chain.end) else {
                        return chain;
                    };
                    match &tokens[chain.end + 1..close] {
                        [key] if key.kind == Kind::Str => {
                            chain.constant(key.text.trim_matches(['"', '\'']), near);
                        }
                        key if chain.key.is_none() => {
                            let words: Vec<&str> = key.iter().map(|token| token.text).collect();
                            chain.key = Some(words.join(" "));
                        }
                        _ => near = false,
                    }
                    chain.links.push(tokens[close].end());
                    chain.end = close + 1;
                }
                _ => return chain,
            }
        }
    }
}

impl Chain {
    /// Notes a constant key; `near`: whether only one key before it was not constant.
    fn constant(&mut self, key: &str, near: bool) {
        match (&self.key, near) {
            (None, _) => self.path.push(key.to_owned()),
            (Some(_), true) => self.rest.push(key.to_owned()),
            (Some(_), false) => {}
        }
    }
}

pub(super) fn closing(tokens: &[Token<'_>], open: usize) -> Option<usize> {
    let mut depth = 0_u32;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        if token.is("[") || token.is("(") || token.is("{") {
            depth += 1;
        } else if token.is("]") || token.is(")") || token.is("}") {
            depth -= 1;
            if depth == 0 {
                return Some(index);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let uses = Uses::of_template(text);
        let show = |used: &Use| {
            let mut path = String::new();
            for key in &used.path {
                path += ".";
                path += key;
            }
            let test = used
                .test
                .as_ref()
                .map_or(String::new(), |test| format!(" is {test}"));
            format!("{:?} {}{path}{test} {}", used.kind, used.name, used.at)
        };
        uses.all.iter().map(show).collect()
    }

    #[test]
    fn names_filters_tests_and_functions() {
        assert_eq!(
            shown("{{ a.b['c'][d] | map('upper', x=1) }}{{ f(g) is not none }}"),
            [
                "Name a.b.c 3",
                "Name d 12",
                "Filter map 17",
                "Filter upper 22",
                "Function f 40",
                "Name g 42",
                "Test none 52"
            ]
        );
        assert_eq!(
            shown("{% if build is changed %}"),
            ["Name build is changed 6", "Test changed 15"]
        );
    }

    #[test]
    fn guards() {
        let uses = Uses::of_template(
            "{% for x in y %}{{ x }}{{ a.b | d(1) }}{{ c is not defined }}{{ e }}{% endfor %}",
        );
        let guarded: Vec<&str> = uses.guarded.iter().map(String::as_str).collect();
        assert_eq!(guarded, ["a", "c", "for", "recursive", "x"]);
    }
}
