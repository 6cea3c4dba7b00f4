//! Diagnostics as people and machines read them.

use anstyle::{AnsiColor, Style};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::{Diagnostic, Severity};
use crate::files::{Files, Span};

/// Whether to colour. Colour never carries meaning of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Plain text.
    Never,
    /// With escape sequences.
    Always,
}

/// The longest line that is shown whole.
const WIDTH: usize = 120;

impl Diagnostic {
    /// For people: what, where, the line, and what to do. Ends with a line feed.
    pub fn render(&self, files: &Files, colour: Colour) -> String {
        let paint = Paint(colour);
        let (word, style) = match self.severity {
            Severity::Error => ("error", AnsiColor::Red.on_default().bold()),
            Severity::Warning => ("warning", AnsiColor::Yellow.on_default().bold()),
        };
        let head = paint.with(style, &format!("{word}[{}]", self.code));
        let mut out = format!(
            "{head}: {}\n",
            paint.with(Style::new().bold(), &self.message)
        );
        let mut places: Vec<(Span, &str)> = self.at.iter().map(|at| (*at, "")).collect();
        places.extend(self.also.iter().map(|(at, why)| (*at, why.as_str())));
        let gutter = places
            .iter()
            .map(|(at, _)| files.position(at.file, at.start).line.to_string().len())
            .max()
            .unwrap_or(0);
        for (index, (at, why)) in places.into_iter().enumerate() {
            let mark = if index == 0 && self.at.is_some() {
                '^'
            } else {
                '-'
            };
            let style = if mark == '^' {
                style
            } else {
                AnsiColor::Blue.on_default().bold()
            };
            snippet(&mut out, files, at, gutter, (mark, why), paint, style);
        }
        if let Some(help) = &self.help {
            let word = paint.with(AnsiColor::Green.on_default().bold(), "help");
            line(
                &mut out,
                &format!("{:gutter$} = {word}: {}", "", clean(help)),
            );
        }
        out
    }

    /// For machines: `code`, `file`, `line`, `column`, `message`, `help`.
    pub fn to_json(&self, files: &Files) -> serde_json::Value {
        let place = self.at.map(|at| files.place(at));
        serde_json::json!({
            "code": self.code,
            "file": place.as_ref().map(|place| &*place.file),
            "line": place.as_ref().map(|place| place.line),
            "column": place.as_ref().map(|place| place.column),
            "message": self.message,
            "help": self.help,
        })
    }
}

/// All of them, parted by empty lines.
pub fn render_all(diagnostics: &[Diagnostic], files: &Files, colour: Colour) -> String {
    let pages: Vec<String> = diagnostics
        .iter()
        .map(|diagnostic| diagnostic.render(files, colour))
        .collect();
    pages.join("\n")
}

#[derive(Clone, Copy)]
struct Paint(Colour);

impl Paint {
    fn with(self, style: Style, text: &str) -> String {
        match self.0 {
            Colour::Never => clean(text),
            Colour::Always => format!("{style}{}{style:#}", clean(text)),
        }
    }
}

fn line(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push('\n');
}

fn snippet(
    out: &mut String,
    files: &Files,
    at: Span,
    gutter: usize,
    (mark, why): (char, &str),
    paint: Paint,
    style: Style,
) {
    let place = files.place(at);
    let arrow = if mark == '^' { "-->" } else { ":::" };
    line(out, &format!("{:gutter$}{arrow} {place}", ""));
    let text = if files.is_secret(at.file) {
        ""
    } else {
        files.line(at.file, place.line)
    };
    if text.trim().is_empty() && why.is_empty() {
        return;
    }
    let first = place.column as usize - 1;
    let length = files
        .slice(at)
        .lines()
        .next()
        .map_or(0, |line| line.chars().count());
    let (shown, indent, width) = window(text, first, length.max(1));
    line(out, &format!("{:gutter$} |", ""));
    line(out, &format!("{:>gutter$} | {shown}", place.line));
    let marks = mark.to_string().repeat(width);
    let note = if why.is_empty() {
        marks
    } else {
        format!("{marks} {why}")
    };
    let mut under = format!("{:gutter$} | {:indent$}", "", "");
    under.push_str(&paint.with(style, &note));
    line(out, &under);
}

/// The line as it is shown, and where the marks begin and how many there are.
fn window(text: &str, first: usize, length: usize) -> (String, usize, usize) {
    let letters: Vec<char> = text.chars().collect();
    let skipped = if letters.len() <= WIDTH {
        0
    } else {
        first.saturating_sub(WIDTH / 2)
    };
    let last = letters.len().min(skipped + WIDTH);
    let show = |from: usize, to: usize| -> String {
        let (from, to) = (from.min(letters.len()), to.min(letters.len()));
        letters[from..to.max(from)]
            .iter()
            .map(|c| visible(*c))
            .collect()
    };
    let mut shown = show(skipped, last);
    let mut indent = show(skipped, first).width();
    if skipped > 0 {
        shown.insert(0, '…');
        indent += 1;
    }
    if last < letters.len() {
        shown.push('…');
    }
    let width = show(first, (first + length).min(last)).width().max(1);
    (shown, indent, width)
}

/// A letter that neither moves the cursor nor hides.
fn visible(letter: char) -> String {
    match letter {
        '\t' => "    ".to_owned(),
        c if c.is_control() || c.width().is_none() => "\u{fffd}".to_owned(),
        c => c.to_string(),
    }
}

/// Text without control characters: what came from a file must not steer the terminal.
fn clean(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_control() && c != '\n' {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(files: &mut Files, text: &str, word: &str) -> Span {
        let file = files.add("a.yml", text);
        let start = text.find(word).unwrap();
        let end = start + word.len();
        Span {
            file,
            start: start.try_into().unwrap(),
            end: end.try_into().unwrap(),
        }
    }

    #[test]
    fn shows_the_line() {
        let mut files = Files::new();
        let at = span(&mut files, "a:\n\twörd: 漢字 bad\n", "bad");
        let error = Diagnostic::error("x_y", at, "it is `\u{1b}[31mbad`").help("mend it");
        assert_eq!(
            error.render(&files, Colour::Never),
            "error[x_y]: it is `\\u{1b}[31mbad`\n --> a.yml:2:11\n  |\n2 |     wörd: 漢字 bad\n  |                ^^^\n  = help: mend it\n"
        );
        assert_eq!(
            error.to_json(&files).to_string(),
            r#"{"code":"x_y","file":"a.yml","line":2,"column":11,"message":"it is `\u001b[31mbad`","help":"mend it"}"#
        );
        assert!(
            error
                .render(&files, Colour::Always)
                .contains("\u{1b}[1m\u{1b}[31merror")
        );
    }

    #[test]
    fn long_lines_are_cut() {
        let mut files = Files::new();
        let text = format!("{}bad{}", "x".repeat(500), "y".repeat(500));
        let at = span(&mut files, &text, "bad");
        let page = Diagnostic::error("c", at, "m").render(&files, Colour::Never);
        assert!(
            page.lines().all(|line| line.chars().count() < 140),
            "{page}"
        );
        let (code, marks) = (page.lines().nth(3).unwrap(), page.lines().nth(4).unwrap());
        let column = marks.find('^').unwrap();
        assert_eq!(code.chars().skip(column).take(3).collect::<String>(), "bad");
    }

    #[test]
    fn without_a_place() {
        let error = Diagnostic::nowhere("c", "m").warning();
        assert_eq!(
            error.render(&Files::new(), Colour::Never),
            "warning[c]: m\n"
        );
    }
}
