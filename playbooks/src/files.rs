//! The files that were read: names, texts and places in them.

use std::{path::Path, sync::Arc};

use evenkeel_engine::Place;

use crate::{
    diagnostic::Diagnostic,
    vault::{self, Envelope, Keyring},
};

/// The largest file that is read.
const LIMIT: u64 = 64 * 1024 * 1024;

/// A file of [`Files`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

impl FileId {
    /// Which of the files that were read it is.
    pub(crate) fn number(self) -> u32 {
        self.0
    }
}

/// A stretch of a file, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

impl Span {
    /// From here to the end of `other`, which is in the same file.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self {
            end: other.end.max(self.end),
            ..self
        }
    }
}

/// A value and where it is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// A value at a place.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }

    /// Another value at the same place.
    pub fn map<U>(self, with: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned::new(with(self.value), self.span)
    }
}

impl<T> std::ops::Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// All files that were read.
#[derive(Clone, Debug, Default)]
pub struct Files {
    all: Vec<File>,
    /// The id of the first of them.
    first: u32,
    keys: Arc<Keyring>,
}

#[derive(Clone, Debug)]
struct File {
    name: Arc<str>,
    text: Arc<str>,
    lines: Vec<u32>,
    /// Whether it was encrypted: its lines are not shown.
    secret: bool,
}

/// Line and column, both from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl Files {
    /// No files.
    pub fn new() -> Self {
        Self::default()
    }

    /// No files yet; those that are encrypted are opened with these passwords.
    pub fn with_keys(keys: Arc<Keyring>) -> Self {
        Self {
            keys,
            ..Self::default()
        }
    }

    /// The same beside other files: none of them is taken for one of those.
    pub(crate) fn apart(keys: Arc<Keyring>) -> Self {
        Self {
            first: 1 << 31,
            ..Self::with_keys(keys)
        }
    }

    /// Whether a file is one of these.
    pub(crate) fn knows(&self, file: FileId) -> bool {
        let at = file.0.checked_sub(self.first);
        at.is_some_and(|at| (at as usize) < self.all.len())
    }

    fn at(&self, file: FileId) -> usize {
        (file.0 - self.first) as usize
    }

    /// The passwords of vaults.
    pub fn keys(&self) -> &Arc<Keyring> {
        &self.keys
    }

    /// Adds a file under the name by which its user knows it. Files above 4 GiB are cut.
    pub fn add(&mut self, name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> FileId {
        let text = text.into();
        let lines = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| small(at + 1)))
            .collect();
        self.all.push(File {
            name: name.into(),
            text,
            lines,
            secret: false,
        });
        FileId(self.first + small(self.all.len() - 1))
    }

    /// Whether a file was encrypted: what it holds is secret.
    pub fn is_secret(&self, file: FileId) -> bool {
        self.all[self.at(file)].secret
    }

    /// Reads a file and adds it under the path as it is given. One that is encrypted is opened.
    pub fn load(&mut self, path: &Path) -> Result<FileId, Box<Diagnostic>> {
        let name = path.display().to_string();
        let refuse = |why: &str| {
            Box::new(Diagnostic::nowhere(
                "cannot_read",
                format!("cannot read `{name}`: {why}"),
            ))
        };
        let metadata = std::fs::metadata(path).map_err(|error| refuse(&reason(&error)))?;
        if metadata.is_dir() {
            return Err(refuse("it is a directory"));
        }
        if metadata.len() > LIMIT {
            return Err(refuse("it is larger than 64 MiB"));
        }
        let bytes = std::fs::read(path).map_err(|error| refuse(&reason(&error)))?;
        if vault::is_vault(&bytes) {
            return self.open(&name, &bytes);
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(self.add(name, text)),
            Err(error) => Err(Box::new(self.not_utf8(&name, &error))),
        }
    }

    /// Opens a file that is encrypted.
    fn open(&mut self, name: &str, bytes: &[u8]) -> Result<FileId, Box<Diagnostic>> {
        let wrong = |files: &mut Self, message: String, help: String| {
            let file = files.add(name, String::from_utf8_lossy(bytes).into_owned());
            let line = bytes.iter().position(|byte| *byte == b'\n');
            let at = Span {
                file,
                start: 0,
                end: small(line.unwrap_or(bytes.len())),
            };
            Box::new(Diagnostic::error(vault::CODE, at, message).help(help))
        };
        let envelope = match Envelope::parse(bytes) {
            Ok(envelope) => envelope,
            Err(damage) => {
                let message = format!("this file is encrypted, and cannot be opened: {damage}");
                return Err(wrong(self, message, damage.help().to_owned()));
            }
        };
        self.keys.prepare();
        let plain = match self.keys.open(&envelope) {
            Ok(plain) => plain,
            Err(trouble) => return Err(wrong(self, trouble.message, trouble.help)),
        };
        let Ok(text) = std::str::from_utf8(plain.reveal()) else {
            let message = "what is encrypted here is not UTF-8".to_owned();
            return Err(wrong(self, message, "encrypt a file of text".to_owned()));
        };
        let file = self.add(name, text);
        let at = self.at(file);
        self.all[at].secret = true;
        Ok(file)
    }

    fn not_utf8(&mut self, name: &str, error: &std::string::FromUtf8Error) -> Diagnostic {
        // All before the first bad byte stays where it is.
        let start = small(error.utf8_error().valid_up_to());
        let byte = error
            .as_bytes()
            .get(start as usize)
            .copied()
            .unwrap_or_default();
        let file = self.add(name, String::from_utf8_lossy(error.as_bytes()).into_owned());
        let at = Span {
            file,
            start,
            end: start + 1,
        };
        Diagnostic::error(
            "not_utf8",
            at,
            format!("the byte 0x{byte:02x} is not UTF-8"),
        )
        .help(match error.as_bytes() {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
                "save the file as UTF-8, it is UTF-16: `iconv -f utf16 -t utf8` does it"
            }
            _ => "save the file as UTF-8: `iconv -f latin1 -t utf8` does it for most old files",
        })
    }

    /// What the user calls it.
    pub fn name(&self, file: FileId) -> &Arc<str> {
        &self.all[self.at(file)].name
    }

    /// What is in it.
    pub fn text(&self, file: FileId) -> &Arc<str> {
        &self.all[self.at(file)].text
    }

    /// What is written at a span.
    pub fn slice(&self, span: Span) -> &str {
        self.text(span.file)
            .get(span.start as usize..span.end as usize)
            .unwrap_or_default()
    }

    /// Line and column of a byte.
    pub fn position(&self, file: FileId, byte: u32) -> Position {
        let file = &self.all[self.at(file)];
        let index = file.lines.partition_point(|start| *start <= byte) - 1;
        let before = &file.text[file.lines[index] as usize..];
        let wanted = (byte - file.lines[index]) as usize;
        let column = before
            .char_indices()
            .take_while(|(at, _)| *at < wanted)
            .count();
        Position {
            line: small(index + 1),
            column: small(column + 1),
        }
    }

    /// A line without its end; lines count from 1.
    pub fn line(&self, file: FileId, line: u32) -> &str {
        let file = &self.all[self.at(file)];
        let index = line.max(1) as usize - 1;
        let Some(start) = file.lines.get(index) else {
            return "";
        };
        let rest = &file.text[*start as usize..];
        rest.split('\n')
            .next()
            .unwrap_or_default()
            .trim_end_matches('\r')
    }

    /// A span's beginning, as the engine takes it.
    pub fn place(&self, span: Span) -> Place {
        let at = self.position(span.file, span.start);
        Place {
            file: Arc::clone(self.name(span.file)),
            line: at.line,
            column: at.column,
        }
    }
}

/// Whether a file is encrypted, as far as its beginning says.
pub(crate) fn is_vault(path: &Path) -> bool {
    use std::io::Read as _;
    let mut start = Vec::new();
    let file = std::fs::File::open(path);
    let read = file.and_then(|file| file.take(15).read_to_end(&mut start));
    read.is_ok() && vault::is_vault(&start)
}

/// What the system says, without its number.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string().to_lowercase();
    text.split(" (os error")
        .next()
        .unwrap_or_default()
        .to_owned()
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Files::new();
        let missing = files.load(&folder.path().join("no.yml")).unwrap_err();
        assert!(
            missing
                .message
                .ends_with("no.yml`: no such file or directory"),
            "{missing:?}"
        );
        assert!(
            files
                .load(folder.path())
                .unwrap_err()
                .message
                .ends_with("it is a directory")
        );
        let latin = folder.path().join("latin.yml");
        std::fs::write(&latin, b"a: caf\xe9\n").unwrap();
        let error = files.load(&latin).unwrap_err();
        assert_eq!(error.message, "the byte 0xe9 is not UTF-8");
        assert_eq!(files.place(error.at.unwrap()).column, 7);
    }

    #[test]
    fn positions_count_characters() {
        let mut files = Files::new();
        let id = files.add("a.yml", "é: x\r\nb: y\n");
        assert_eq!(files.position(id, 0), Position { line: 1, column: 1 });
        assert_eq!(files.position(id, 4), Position { line: 1, column: 4 });
        assert_eq!(files.position(id, 7), Position { line: 2, column: 1 });
        assert_eq!(files.line(id, 1), "é: x");
        assert_eq!(files.line(id, 3), "");
        assert_eq!(files.line(id, 9), "");
        let span = Span {
            file: id,
            start: 10,
            end: 11,
        };
        assert_eq!(files.slice(span), "y");
        assert_eq!(files.place(span).to_string(), "a.yml:2:4");
    }
}
