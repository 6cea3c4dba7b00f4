//! The lines of an INI file, as Python's `configparser` reads them, with every byte kept.

/// What a line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing but space.
    Blank,
    /// `# …` or `; …`, wherever it stands.
    Comment,
    /// `[name]`.
    Header(Vec<u8>),
    /// `name = value`, `name: value`, or a name alone.
    Entry(Entry),
    /// It goes on with the value of the entry above: it is indented deeper.
    More,
}

/// What stands in a line that sets something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// All before the first sign that may end a name, trimmed.
    pub(super) name: Vec<u8>,
    /// What comes behind the sign, trimmed; nothing if there is no sign.
    pub(super) value: Option<Vec<u8>>,
}

/// A line with its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) bytes: Vec<u8>,
    pub(super) kind: Kind,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ini {
    /// Whether it begins with a byte order mark.
    bom: bool,
    pub(super) lines: Vec<Line>,
}

const BOM: &[u8] = b"\xef\xbb\xbf";

/// What Python strips of a line of ASCII.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r' | 0x1c..=0x1f)
}

pub(super) fn trim(bytes: &[u8]) -> &[u8] {
    let bytes = trim_end(bytes);
    &bytes[indent(bytes)..]
}

pub(super) fn trim_end(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| !is_space(*byte));
    &bytes[..end.map_or(0, |at| at + 1)]
}

/// How many characters of space a line begins with.
pub(super) fn indent(line: &[u8]) -> usize {
    let first = line.iter().position(|byte| !is_space(*byte));
    first.unwrap_or(line.len())
}

/// What ends a line.
pub(super) fn ending(line: &[u8]) -> &[u8] {
    if line.ends_with(b"\r\n") {
        b"\r\n"
    } else if line.ends_with(b"\n") {
        b"\n"
    } else {
        b""
    }
}

impl Entry {
    /// What a line without space around it says.
    pub(super) fn read(text: &[u8]) -> Self {
        match delimiter(text) {
            Some(at) => Self {
                name: trim_end(&text[..at]).to_vec(),
                value: Some(trim(&text[at + 1..]).to_vec()),
            },
            None => Self {
                name: text.to_vec(),
                value: None,
            },
        }
    }
}

/// Where the sign stands that ends a name: the first `=`, or a `:` before it. A `:` within a word of a
/// line with a `=` behind belongs to the name: other programs than Python have such names.
fn delimiter(text: &[u8]) -> Option<usize> {
    let equals = text.iter().position(|byte| *byte == b'=');
    let colon = text.iter().enumerate().position(|(at, byte)| {
        let ends = text
            .get(at + 1)
            .is_none_or(|next| *next == b'=' || is_space(*next));
        *byte == b':' && (ends || equals.is_none())
    });
    match (equals, colon) {
        (Some(equals), Some(colon)) => Some(equals.min(colon)),
        (one, other) => one.or(other),
    }
}

/// The name between brackets.
fn header(text: &[u8]) -> Option<Vec<u8>> {
    let inner = text.strip_prefix(b"[")?;
    let end = inner.iter().position(|byte| *byte == b']')?;
    (end > 0).then(|| trim(&inner[..end]).to_vec())
}

pub(super) fn is_comment(text: &[u8]) -> bool {
    matches!(text.first(), Some(b'#' | b';'))
}

impl Ini {
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let (bom, text) = match bytes.strip_prefix(BOM) {
            Some(text) => (true, text),
            None => (false, bytes),
        };
        let mut lines = Vec::new();
        // How deep the entry is that lines may go on with.
        let mut open: Option<usize> = None;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let text = trim(line);
            let depth = indent(line);
            let kind = if text.is_empty() {
                Kind::Blank
            } else if is_comment(text) {
                Kind::Comment
            } else if open.is_some_and(|entry| depth > entry) {
                Kind::More
            } else if let Some(name) = header(text) {
                open = None;
                Kind::Header(name)
            } else {
                let entry = Entry::read(text);
                // A name alone has no value that could go on.
                open = entry.value.as_ref().map(|_| depth);
                Kind::Entry(entry)
            };
            lines.push(Line {
                bytes: line.to_vec(),
                kind,
            });
        }
        Self { bom, lines }
    }

    pub(super) fn print(&self) -> Vec<u8> {
        let mut bytes = if self.bom { BOM.to_vec() } else { Vec::new() };
        for line in &self.lines {
            bytes.extend_from_slice(&line.bytes);
        }
        bytes
    }

    /// How its lines end.
    pub(super) fn newline(&self) -> &'static [u8] {
        let windows = self
            .lines
            .first()
            .is_some_and(|line| line.bytes.ends_with(b"\r\n"));
        if windows { b"\r\n" } else { b"\n" }
    }

    /// The line behind the last that belongs to the value of an entry.
    pub(super) fn end_of(&self, entry: usize) -> usize {
        let mut end = entry + 1;
        for (at, line) in self.lines.iter().enumerate().skip(entry + 1) {
            match line.kind {
                Kind::More => end = at + 1,
                Kind::Blank | Kind::Comment => {}
                Kind::Header(_) | Kind::Entry(_) => break,
            }
        }
        end
    }

    /// The value of an entry: its lines without space around them; nothing of a name alone.
    pub(super) fn value(&self, entry: usize) -> Option<Vec<u8>> {
        let Kind::Entry(Entry { value, .. }) = &self.lines[entry].kind else {
            return None;
        };
        let mut value = value.clone()?;
        for line in &self.lines[entry + 1..self.end_of(entry)] {
            if line.kind != Kind::Comment {
                value.push(b'\n');
                value.extend_from_slice(trim(&line.bytes));
            }
        }
        Some(value)
    }

    /// Whether a line stands within the value of an entry above it.
    pub(super) fn is_within(&self, line: usize) -> bool {
        let above = (0..line).rev();
        let mut entries = above.filter(|at| matches!(self.lines[*at].kind, Kind::Entry(_)));
        entries
            .next()
            .is_some_and(|entry| self.end_of(entry) > line)
    }

    /// All that is set, in order.
    pub(super) fn settings(&self) -> Vec<Setting> {
        self.settings_where(|_| true)
    }

    /// What these lines set.
    pub(super) fn settings_where(&self, counts: impl Fn(usize) -> bool) -> Vec<Setting> {
        let mut section = (0, Vec::new());
        let mut found = Vec::new();
        for (at, line) in self.lines.iter().enumerate() {
            match &line.kind {
                Kind::Header(name) => section = (section.0 + 1, name.clone()),
                Kind::Entry(entry) if counts(at) => found.push(Setting {
                    section: section.clone(),
                    name: entry.name.clone(),
                    value: self.value(at),
                }),
                _ => {}
            }
        }
        found
    }
}

/// Something that is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) section: (usize, Vec<u8>),
    pub(super) name: Vec<u8>,
    pub(super) value: Option<Vec<u8>>,
}
