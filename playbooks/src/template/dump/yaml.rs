//! YAML texts, byte for byte as `PyYAML` writes them: whoever moves here finds files unchanged.
//!
//! The rules are those of `PyYAML`'s `Emitter` and `Resolver`, for values without tags and anchors.

use std::sync::LazyLock;

use evenkeel_engine::{Map, Value};
use regex::Regex;

use super::entries;

/// How.
#[derive(Clone, Copy, Debug)]
pub(in crate::template) struct Layout {
    /// Blanks a level.
    pub(in crate::template) indent: usize,
    /// Where lines are broken, if they can be.
    pub(in crate::template) width: usize,
    /// Whether lists and maps stand on one line; if nothing is said, those without others in them.
    pub(in crate::template) flow: Option<bool>,
    /// Keys in order of the alphabet.
    pub(in crate::template) sort: bool,
    /// Letters beyond ASCII as they are.
    pub(in crate::template) unicode: bool,
    /// `---` before it.
    pub(in crate::template) start: bool,
    /// `...` behind it.
    pub(in crate::template) end: bool,
}

/// Keys of so many letters, or of several lines, stand behind a `?`: with their tag (`!!str`) they would have 128.
const LONGEST_KEY: usize = 128 - 5;

/// Texts that would be read as something else.
static RESOLVED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let parts = [
        "yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF",
        "~|null|Null|NULL|<<|=|",
        r"[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?",
        r"\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?",
        r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*",
        r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+",
        "[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+",
        "[0-9]{4}-[0-9]{2}-[0-9]{2}",
        r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::?[0-9]{2})?))?",
    ];
    Regex::new(&format!("^(?:{})$", parts.join("|"))).ok()
});

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_blank(c: char) -> bool {
    matches!(c, '\0' | ' ' | '\t' | '\r') || is_break(c)
}

/// What a text allows.
#[derive(Clone, Copy, Debug)]
struct Analysis {
    empty: bool,
    multiline: bool,
    flow_plain: bool,
    block_plain: bool,
    single_quoted: bool,
}

impl Analysis {
    fn of(text: &[char], unicode: bool) -> Self {
        let Some((first, rest)) = text.split_first() else {
            return Self {
                empty: true,
                multiline: false,
                flow_plain: false,
                block_plain: true,
                single_quoted: true,
            };
        };
        let blank = |at: usize| text.get(at).copied().is_none_or(is_blank);
        let marks = text.starts_with(&['-'; 3]) || text.starts_with(&['.'; 3]);
        let alone = *first == '-' && blank(1);
        let mut block = marks || alone || "#,[]{}&*!|>'\"%@`".contains(*first);
        let mut flow = block || "?:".contains(*first);
        block |= "?:".contains(*first) && blank(1);
        for (at, c) in (1..).zip(rest) {
            let colon = *c == ':';
            let comment = *c == '#' && is_blank(text[at - 1]);
            flow |= ",?[]{}".contains(*c) || colon || comment;
            block |= colon && blank(at + 1) || comment;
        }
        let pairs = || text.iter().zip(rest);
        let special = text.iter().any(|c| !printable(*c, unicode));
        let break_space = pairs().any(|(a, b)| is_break(*a) && *b == ' ');
        let space_break = pairs().any(|(a, b)| *a == ' ' && is_break(*b));
        let edge = |c: char| c == ' ' || is_break(c);
        let edges = edge(*first) || text.last().copied().is_some_and(edge);
        let multiline = text.iter().any(|c| is_break(*c));
        let plain = !(edges || break_space || space_break || special || multiline);
        Self {
            empty: false,
            multiline,
            flow_plain: plain && !flow,
            block_plain: plain && !block,
            single_quoted: !(break_space || space_break || special),
        }
    }
}

fn printable(c: char, unicode: bool) -> bool {
    let beyond = matches!(c, '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10fffe}');
    matches!(c, '\n' | ' '..='~') || unicode && beyond && c != '\u{feff}'
}

/// A text that is being written.
struct Emitter {
    out: String,
    layout: Layout,
    column: usize,
    /// Of what is being written; nothing at the top.
    indent: Option<usize>,
    flow_level: usize,
    /// Whether the last character is a blank.
    whitespace: bool,
    /// Whether this line has but blanks and marks of lists so far.
    indention: bool,
}

/// Where a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Top,
    Item,
    Key,
    Value,
}

/// The text of a value.
pub(in crate::template) fn yaml(value: &Value, layout: Layout) -> String {
    let indent = if (2..10).contains(&layout.indent) {
        layout.indent
    } else {
        2
    };
    let width = if layout.width > indent * 2 {
        layout.width
    } else {
        80
    };
    let mut emitter = Emitter {
        out: String::new(),
        layout: Layout {
            indent,
            width,
            ..layout
        },
        column: 0,
        indent: None,
        flow_level: 0,
        whitespace: true,
        indention: true,
    };
    if layout.start {
        emitter.mark("---", true);
    }
    emitter.node(value, Place::Top);
    emitter.write_indent();
    if layout.end {
        emitter.mark("...", true);
        emitter.write_indent();
    }
    emitter.out
}

impl Emitter {
    fn write(&mut self, text: &str) {
        self.column += text.chars().count();
        self.out.push_str(text);
    }

    fn write_chars(&mut self, text: &[char]) {
        self.column += text.len();
        self.out.extend(text);
    }

    /// A mark that ends what is only blanks and marks of lists.
    fn mark(&mut self, mark: &str, apart: bool) {
        if apart && !self.whitespace {
            self.write(" ");
        }
        self.whitespace = false;
        self.indention = false;
        self.write(mark);
    }

    /// `-`, `?` and `:` at the beginning of a line.
    fn bullet(&mut self, mark: &str) {
        let indention = self.indention;
        self.mark(mark, true);
        self.indention = indention;
    }

    fn line_break(&mut self, with: char) {
        self.whitespace = true;
        self.indention = true;
        self.column = 0;
        self.out.push(with);
    }

    fn write_indent(&mut self) {
        let indent = self.indent.unwrap_or(0);
        if !self.indention || self.column > indent || self.column == indent && !self.whitespace {
            self.line_break('\n');
        }
        if self.column < indent {
            self.whitespace = true;
            self.write(&" ".repeat(indent - self.column));
        }
    }

    /// Does something a level deeper.
    fn deeper(&mut self, flow: bool, indentless: bool, with: impl FnOnce(&mut Self)) {
        let before = self.indent;
        self.indent = Some(match before {
            None if flow => self.layout.indent,
            None => 0,
            Some(indent) if indentless => indent,
            Some(indent) => indent + self.layout.indent,
        });
        with(self);
        self.indent = before;
    }

    fn is_flow(&self, value: &Value) -> bool {
        let flat = |value: &Value| !matches!(value, Value::Seq(_) | Value::Map(_));
        let (empty, flat) = match value {
            Value::Seq(items) => (items.is_empty(), items.iter().all(flat)),
            Value::Map(map) => (map.is_empty(), map.values().all(flat)),
            _ => return false,
        };
        self.flow_level > 0 || empty || self.layout.flow.unwrap_or(flat)
    }

    fn node(&mut self, value: &Value, place: Place) {
        let flow = self.is_flow(value);
        match value {
            Value::Seq(items) if flow => self.flow_seq(items),
            Value::Map(map) if flow => self.flow_map(map),
            Value::Seq(items) => {
                let indentless = matches!(place, Place::Key | Place::Value) && !self.indention;
                self.deeper(false, indentless, |this| {
                    for item in items {
                        this.write_indent();
                        this.bullet("-");
                        this.node(item, Place::Item);
                    }
                });
            }
            Value::Map(map) => self.deeper(false, false, |this| {
                for (key, value) in entries(map, this.layout.sort) {
                    this.write_indent();
                    if this.is_simple(key) {
                        this.text(key, Place::Key);
                        this.mark(":", false);
                    } else {
                        this.bullet("?");
                        this.text(key, Place::Value);
                        this.write_indent();
                        this.bullet(":");
                    }
                    this.node(value, Place::Value);
                }
            }),
            Value::Str(text) => self.text(text, place),
            Value::Secret(secret) => self.text(&String::from_utf8_lossy(secret.reveal()), place),
            Value::Source(source) => self.text(source.name(), place),
            other => {
                let plain: Vec<char> = scalar(other).chars().collect();
                self.deeper(true, false, |this| this.plain(&plain, place != Place::Key));
            }
        }
    }

    fn open(&mut self, mark: &str) {
        self.mark(mark, true);
        self.whitespace = true;
        self.flow_level += 1;
    }

    fn close(&mut self, mark: &str) {
        self.flow_level -= 1;
        self.mark(mark, false);
    }

    /// Before an item of a list or map on one line.
    fn next(&mut self, first: bool) {
        if !first {
            self.mark(",", false);
        }
        if self.column > self.layout.width {
            self.write_indent();
        }
    }

    fn flow_seq(&mut self, items: &[Value]) {
        self.open("[");
        self.deeper(true, false, |this| {
            for (index, item) in items.iter().enumerate() {
                this.next(index == 0);
                this.node(item, Place::Item);
            }
        });
        self.close("]");
    }

    fn flow_map(&mut self, map: &Map) {
        self.open("{");
        self.deeper(true, false, |this| {
            for (index, (key, value)) in entries(map, this.layout.sort).into_iter().enumerate() {
                this.next(index == 0);
                if this.is_simple(key) {
                    this.text(key, Place::Key);
                    this.mark(":", false);
                } else {
                    this.mark("?", true);
                    this.text(key, Place::Value);
                    if this.column > this.layout.width {
                        this.write_indent();
                    }
                    this.mark(":", true);
                }
                this.node(value, Place::Value);
            }
        });
        self.close("}");
    }

    fn is_simple(&self, key: &str) -> bool {
        let chars: Vec<char> = key.chars().collect();
        let analysis = Analysis::of(&chars, self.layout.unicode);
        chars.len() < LONGEST_KEY && !analysis.empty && !analysis.multiline
    }

    fn text(&mut self, text: &str, place: Place) {
        let chars: Vec<char> = text.chars().collect();
        let analysis = Analysis::of(&chars, self.layout.unicode);
        let key = place == Place::Key;
        let other = RESOLVED.as_ref().is_some_and(|regex| regex.is_match(text));
        let fits = !(key && analysis.multiline);
        let plain = if self.flow_level > 0 {
            analysis.flow_plain
        } else {
            analysis.block_plain
        };
        self.deeper(true, false, |this| {
            if !other && fits && plain {
                this.plain(&chars, !key);
            } else if analysis.single_quoted && fits {
                this.single_quoted(&chars, !key);
            } else {
                this.double_quoted(&chars, !key);
            }
        });
    }

    fn plain(&mut self, text: &[char], split: bool) {
        if text.is_empty() {
            return;
        }
        if !self.whitespace {
            self.write(" ");
        }
        self.whitespace = false;
        self.indention = false;
        for (run, spaces) in runs(text, |c| c == ' ') {
            if spaces && run.len() == 1 && self.column > self.layout.width && split {
                self.write_indent();
                self.whitespace = false;
                self.indention = false;
            } else {
                self.write_chars(run);
            }
        }
    }

    fn single_quoted(&mut self, text: &[char], split: bool) {
        self.mark("'", true);
        let kind = |c: char| (c == ' ', is_break(c));
        let mut at = 0;
        for (run, (spaces, breaks)) in runs(text, kind) {
            let inside = at > 0 && at + run.len() < text.len();
            at += run.len();
            if spaces && run.len() == 1 && self.column > self.layout.width && split && inside {
                self.write_indent();
            } else if breaks {
                if run[0] == '\n' {
                    self.line_break('\n');
                }
                for c in run {
                    self.line_break(*c);
                }
                self.write_indent();
            } else {
                let quoted: String = run.iter().collect();
                self.write(&quoted.replace('\'', "''"));
            }
        }
        self.mark("'", false);
    }

    fn double_quoted(&mut self, text: &[char], split: bool) {
        self.mark("\"", true);
        let mut start = 0;
        for end in 0..=text.len() {
            let c = text.get(end).copied();
            if c.is_none_or(|c| is_escaped(c, self.layout.unicode)) {
                self.write_chars(&text[start.min(end)..end]);
                start = start.max(end);
                if let Some(c) = c {
                    self.write(&escaped(c));
                    start = end + 1;
                }
            }
            let middle = end > 0 && end + 1 < text.len();
            let long = self.column + end > self.layout.width + start;
            if middle && (c == Some(' ') || start >= end) && long && split {
                self.write_chars(&text[start.min(end)..end]);
                self.write("\\");
                start = start.max(end);
                self.write_indent();
                self.whitespace = false;
                self.indention = false;
                if text[start] == ' ' {
                    self.write("\\");
                }
            }
        }
        self.mark("\"", false);
    }
}

/// Stretches of one kind.
fn runs<K: PartialEq>(text: &[char], kind: impl Fn(char) -> K) -> Vec<(&[char], K)> {
    let same = text.chunk_by(|a, b| kind(*a) == kind(*b));
    same.map(|run| (run, kind(run[0]))).collect()
}

fn is_escaped(c: char, unicode: bool) -> bool {
    let kept = matches!(c, '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}') && unicode;
    matches!(
        c,
        '"' | '\\' | '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}'
    ) || !(matches!(c, ' '..='~') || kept)
}

fn escaped(c: char) -> String {
    let short = match c {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' | '\\' => c,
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        _ => {
            let number = u32::from(c);
            return match number {
                0..=0xff => format!("\\x{number:02X}"),
                0x100..=0xffff => format!("\\u{number:04X}"),
                _ => format!("\\U{number:08X}"),
            };
        }
    };
    format!("\\{short}")
}

/// What is no text.
fn scalar(value: &Value) -> String {
    match value {
        Value::Bool(true) => "true".to_owned(),
        Value::Bool(false) => "false".to_owned(),
        Value::Float(number) => float(*number),
        Value::Int(_) | Value::UInt(_) => value.as_text().unwrap_or_default(),
        _ => "null".to_owned(),
    }
}

/// As Python writes it, with a point.
fn float(number: f64) -> String {
    if number.is_nan() {
        return ".nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let text = number.to_string();
        return if text.contains('.') {
            text
        } else {
            text + ".0"
        };
    }
    let digits = if digits.contains('.') {
        digits.to_owned()
    } else {
        format!("{digits}.0")
    };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests;
