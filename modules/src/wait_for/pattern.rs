//! A regular expression as `grep -E` and bash take it: the host searches, byte by byte and line by
//! line. Groups are found again in the line that it sends back.

use evenkeel_engine::{Map, Refusal, Value};
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::{
    ParserBuilder,
    hir::{Class, Hir, HirKind, Look, Repetition},
};

/// A pattern, for the host and for us.
pub(super) struct Pattern {
    ours: Regex,
    extended: Vec<u8>,
}

impl Pattern {
    pub(super) fn new(text: &str) -> Result<Self, Refusal> {
        let wrong =
            |why: String| {
                Refusal::new(format!("`search_regex: {text}` cannot be searched for: {why}")).help(
                "it is matched against each line, without looking around and without references \
                 to its own groups",
            )
            };
        let last = |why: String| why.lines().last().unwrap_or_default().to_owned();
        let mut parser = ParserBuilder::new()
            .unicode(false)
            .utf8(false)
            .multi_line(true)
            .build();
        let hir = parser
            .parse(text)
            .map_err(|why| wrong(last(why.to_string())))?;
        let ours = RegexBuilder::new(text)
            .unicode(false)
            .multi_line(true)
            .build();
        let ours = ours.map_err(|why| wrong(last(why.to_string())))?;
        let mut extended = Vec::new();
        write(&hir, &mut extended).map_err(|why| wrong(why.to_owned()))?;
        Ok(Self { ours, extended })
    }

    /// The pattern as an operand that `printf %b` turns into its bytes.
    pub(super) fn operand(&self) -> String {
        let written = |byte: &u8| match *byte {
            byte if byte.is_ascii_alphanumeric() || b" .*+?()|^$,_".contains(&byte) => {
                char::from(byte).to_string()
            }
            byte => format!("\\0{byte:03o}"),
        };
        self.extended.iter().map(written).collect()
    }

    /// What groups match in the line: all in order, and those with names.
    pub(super) fn groups(&self, line: &[u8]) -> (Value, Value) {
        let Some(found) = self.ours.captures(line) else {
            return (Value::Seq(Vec::new()), Value::Map(Map::new()));
        };
        let text = |group: Option<regex::bytes::Match<'_>>| match group {
            Some(group) => String::from_utf8_lossy(group.as_bytes())
                .into_owned()
                .into(),
            None => Value::Null,
        };
        let all = found.iter().skip(1).map(text).collect();
        let names = self.ours.capture_names().flatten();
        let named = names
            .map(|name| (name.to_owned(), text(found.name(name))))
            .collect();
        (all, Value::Map(named))
    }
}

const LINES: &str = "it matches over the end of a line";

fn write(hir: &Hir, out: &mut Vec<u8>) -> Result<(), &'static str> {
    match hir.kind() {
        HirKind::Empty => out.extend(b"()"),
        HirKind::Literal(literal) => {
            for byte in &literal.0 {
                one(*byte, out)?;
            }
        }
        HirKind::Class(class) => set(&bytes(class), out)?,
        HirKind::Look(look) => out.extend(match look {
            Look::Start | Look::StartLF => b"^".as_slice(),
            Look::End | Look::EndLF => b"$",
            Look::WordAscii | Look::WordUnicode => br"\b",
            Look::WordAsciiNegate | Look::WordUnicodeNegate => br"\B",
            _ => return Err("it looks for half a boundary of a word"),
        }),
        HirKind::Repetition(Repetition { min, max, sub, .. }) => {
            out.push(b'(');
            write(sub, out)?;
            out.push(b')');
            let times = match (min, max) {
                (0, None) => "*".to_owned(),
                (1, None) => "+".to_owned(),
                (0, Some(1)) => "?".to_owned(),
                (min, None) => format!("{{{min},}}"),
                (min, Some(max)) if min == max => format!("{{{min}}}"),
                (min, Some(max)) => format!("{{{min},{max}}}"),
            };
            out.extend(times.into_bytes());
        }
        HirKind::Capture(capture) => {
            out.push(b'(');
            write(&capture.sub, out)?;
            out.push(b')');
        }
        HirKind::Concat(parts) => {
            for part in parts {
                match part.kind() {
                    HirKind::Alternation(_) => {
                        out.push(b'(');
                        write(part, out)?;
                        out.push(b')');
                    }
                    _ => write(part, out)?,
                }
            }
        }
        HirKind::Alternation(parts) => {
            for (at, part) in parts.iter().enumerate() {
                if at > 0 {
                    out.push(b'|');
                }
                write(part, out)?;
            }
        }
    }
    Ok(())
}

fn one(byte: u8, out: &mut Vec<u8>) -> Result<(), &'static str> {
    match byte {
        b'\n' => return Err(LINES),
        0 => return Err("it matches a NUL"),
        b'\\' | b'.' | b'[' | b'(' | b')' | b'*' | b'+' | b'?' | b'{' | b'}' | b'|' | b'^'
        | b'$' => {
            out.extend([b'\\', byte]);
        }
        byte => out.push(byte),
    }
    Ok(())
}

/// Which bytes a class holds.
fn bytes(class: &Class) -> [bool; 256] {
    let mut held = [false; 256];
    match class {
        Class::Bytes(class) => {
            for range in class.iter() {
                held[usize::from(range.start())..=usize::from(range.end())].fill(true);
            }
        }
        // Where Unicode is off, only what is ASCII comes as characters.
        Class::Unicode(class) => {
            for range in class.iter() {
                let (start, end) = (range.start() as usize, range.end() as usize);
                held[start.min(255)..=end.min(255)].fill(true);
            }
        }
    }
    held
}

/// A bracket expression. No line holds a newline, no text of a shell a NUL.
fn set(held: &[bool; 256], out: &mut Vec<u8>) -> Result<(), &'static str> {
    let has = |byte: u8| held[usize::from(byte)];
    let of_lines: Vec<u8> = (1..=255).filter(|byte| *byte != b'\n').collect();
    if of_lines.iter().all(|byte| has(*byte)) {
        out.push(b'.');
        return Ok(());
    }
    let kept: Vec<u8> = of_lines.into_iter().filter(|byte| has(*byte)).collect();
    match kept.as_slice() {
        [] => return Err(LINES),
        [byte] => return one(*byte, out),
        _ => {}
    }
    // These mean something of their own between brackets, unless they stand at certain places.
    let special = |byte: u8| b"]^-[\\".contains(&byte);
    out.push(b'[');
    if has(b']') {
        out.push(b']');
    }
    let mut plain = kept
        .iter()
        .copied()
        .filter(|byte| !special(*byte))
        .peekable();
    while let Some(start) = plain.next() {
        let mut end = start;
        while plain
            .peek()
            .is_some_and(|next| end.checked_add(1) == Some(*next))
        {
            end = plain.next().unwrap_or(end);
        }
        out.push(start);
        if end > start {
            if end > start + 1 {
                out.push(b'-');
            }
            out.push(end);
        }
    }
    for byte in [b'\\', b'[', b'^', b'-'] {
        if has(byte) {
            out.push(byte);
        }
    }
    if kept == b"-^" {
        // At the beginning `^` would turn the set around.
        let end = out.len();
        out[end - 2..].reverse();
    }
    out.push(b']');
    Ok(())
}

#[cfg(test)]
mod tests;
