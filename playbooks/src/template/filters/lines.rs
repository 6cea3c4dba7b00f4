//! Filters that lay out lines.

use std::sync::LazyLock;

use fancy_regex::Regex;
use minijinja::{
    Environment, Error,
    value::{Kwargs, Rest, Value as Jinja},
};

use super::{given, refuse, regex::ran};

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_filter("indent", indent);
    env.add_filter("wordwrap", wordwrap);
}

/// How wide a line may be.
const WIDEST: usize = 1_000_000;

fn lines(text: &str) -> Vec<&str> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let cut = |line| str::strip_suffix(line, '\r').unwrap_or(line);
    text.split('\n').map(cut).collect()
}

/// Blanks before each line but the first, and but empty ones.
fn indent(text: String, args: Rest<Jinja>, kwargs: Kwargs) -> Result<String, Error> {
    let [width, first, blank] = given("indent", &args, &kwargs, ["width", "first", "blank"])?;
    let is = |value: Option<Jinja>| value.is_some_and(|value| value.is_true());
    let before = match width {
        None => " ".repeat(4),
        Some(width) => match width.as_str() {
            Some(text) => text.to_owned(),
            None => match usize::try_from(width)? {
                width if width <= WIDEST => " ".repeat(width),
                width => return Err(refuse(format!("`indent`: {width} is more than {WIDEST}"))),
            },
        },
    };
    let (first, blank) = (is(first), is(blank));
    // A newline at the end begins one more line.
    let text = format!("{text}\n");
    let lines = lines(&text).into_iter().enumerate().map(|(index, line)| {
        let indented = if index == 0 {
            first
        } else {
            blank || !line.is_empty()
        };
        format!("{}{line}", if indented { &before } else { "" })
    });
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

/// Where a line may end: between blanks and words, after hyphens within words, and around dashes.
static PARTS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let letter = r"[^\d\W]";
    let mark = r#"[\w!"'&.,?]"#;
    let blank = r"[\t\n\x0b\x0c\r ]";
    let solid = r"[^\t\n\x0b\x0c\r ]";
    let hyphen = format!(r"-(?:(?<={letter}{{2}}-)|(?<={letter}-{letter}-))(?={letter}-?{letter})");
    let ends = format!(r"(?:{hyphen}|(?={blank}|\z)|(?<={mark})(?=-{{2,}}\w))");
    Regex::new(&format!(
        r"{blank}+|(?<={mark})-{{2,}}(?=\w)|{solid}+?{ends}"
    ))
    .ok()
});

fn parts(text: &str, hyphens: bool) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    if let Some(regex) = PARTS.as_ref().filter(|_| hyphens) {
        let mut at = 0;
        for part in regex.find_iter(text) {
            let part = ran(part)?;
            if part.start() > at {
                found.push(text[at..part.start()].to_owned());
            }
            found.push(part.as_str().to_owned());
            at = part.end();
        }
        if at < text.len() {
            found.push(text[at..].to_owned());
        }
        return Ok(found);
    }
    let mut last = None;
    for letter in text.chars() {
        let blank = letter.is_whitespace();
        match found.last_mut() {
            Some(part) if last == Some(blank) => part.push(letter),
            _ => found.push(letter.to_string()),
        }
        last = Some(blank);
    }
    Ok(found)
}

/// How lines are broken.
#[derive(Clone, Copy)]
struct Wrap {
    width: usize,
    long_words: bool,
    hyphens: bool,
}

fn len(text: &str) -> usize {
    text.chars().count()
}

impl Wrap {
    fn line(self, text: &str) -> Result<Vec<String>, Error> {
        let mut rest = parts(text, self.hyphens)?;
        rest.reverse();
        let mut out: Vec<String> = Vec::new();
        while !rest.is_empty() {
            let (mut line, mut used): (Vec<String>, usize) = (Vec::new(), 0);
            if !out.is_empty() && rest.last().is_some_and(|part| part.trim().is_empty()) {
                rest.pop();
            }
            while let Some(part) = rest.last() {
                let length = len(part);
                if used + length > self.width {
                    break;
                }
                used += length;
                line.extend(rest.pop());
            }
            if let Some(part) = rest.pop_if(|part| len(part) > self.width) {
                self.too_long(part, used, &mut line, &mut rest);
            }
            if line.last().is_some_and(|part| part.trim().is_empty()) {
                line.pop();
            }
            if !line.is_empty() {
                out.push(line.concat());
            }
        }
        Ok(out)
    }

    /// A part that fits on no line.
    fn too_long(self, part: String, used: usize, line: &mut Vec<String>, rest: &mut Vec<String>) {
        let room = self.width.saturating_sub(used).max(1);
        if !self.long_words {
            if line.is_empty() {
                line.push(part);
            } else {
                rest.push(part);
            }
            return;
        }
        let letters: Vec<char> = part.chars().collect();
        let mut end = room.min(letters.len());
        if self.hyphens && letters.len() > room {
            let hyphen = letters[..room].iter().rposition(|letter| *letter == '-');
            if let Some(at) = hyphen.filter(|at| letters[..*at].iter().any(|c| *c != '-')) {
                end = at + 1;
            }
        }
        line.push(letters[..end].iter().collect());
        if end < letters.len() {
            rest.push(letters[end..].iter().collect());
        }
    }
}

/// Lines that are not longer than a width.
fn wordwrap(text: String, args: Rest<Jinja>, kwargs: Kwargs) -> Result<String, Error> {
    let names = [
        "width",
        "break_long_words",
        "wrapstring",
        "break_on_hyphens",
    ];
    let [width, long_words, between, hyphens] = given("wordwrap", &args, &kwargs, names)?;
    let is = |value: Option<Jinja>| value.is_none_or(|value| value.is_true());
    let wrap = Wrap {
        width: width.map_or(Ok(79), usize::try_from)?,
        long_words: is(long_words),
        hyphens: is(hyphens),
    };
    if wrap.width == 0 {
        return Err(refuse("`wordwrap`: no letter fits on a line of width 0"));
    }
    let between = between.map_or_else(|| "\n".to_owned(), |text| text.to_string());
    let wrapped = lines(&text)
        .into_iter()
        .map(|line| Ok(wrap.line(line)?.join(&between)));
    Ok(wrapped.collect::<Result<Vec<_>, Error>>()?.join(&between))
}
