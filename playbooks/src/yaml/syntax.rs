//! Errors of syntax in plain words.

use granit_parser::{ErrorKind, ScanError};

use crate::{
    diagnostic::Diagnostic,
    files::{FileId, Files, Span},
};

/// What a parser's error means; `open`: where the innermost list or map in brackets begins that is not closed.
pub(super) fn explain(
    files: &Files,
    file: FileId,
    error: &ScanError,
    open: Option<Span>,
) -> Diagnostic {
    let text = files.text(file);
    let offset = error.marker().byte_offset().unwrap_or(text.len());
    let mut start = offset.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let here = |start: usize| {
        let byte = u32::try_from(start).unwrap_or(u32::MAX);
        let end = byte + u32::from(text[start..].chars().next().is_some_and(|c| c != '\n'));
        Span {
            file,
            start: byte,
            end,
        }
    };
    let span = here(start);
    if let Some(at) = bare_template(text, start) {
        return unquoted_template(Span {
            end: here(at).end + 1,
            ..here(at)
        });
    }
    if let Some(at) = indenting_tab(text, start) {
        return Diagnostic::error("yaml_syntax", here(at), "a tab is used to indent")
            .help("YAML wants spaces: replace the tab");
    }
    if let Some((at, c)) = control(text, start) {
        let message = format!("the character U+{:04X} cannot stand in YAML", u32::from(c));
        return Diagnostic::error("yaml_syntax", here(at), message)
            .help("remove it; within double quotes it is written as `\\x` and its number");
    }
    if let Some(open) = open.filter(|open| is_left_open(text, open.start as usize, start)) {
        return Diagnostic::error("yaml_syntax", here(open.start as usize), UNCLOSED.0)
            .also(span, "this is read as a part of it")
            .help(UNCLOSED.1);
    }
    if *error.kind() == ErrorKind::SimpleKeyExpected && after_block_scalar(text, start) {
        let message = "this line belongs to the text above it, and is not indented below its key";
        return Diagnostic::error("yaml_syntax", span, message)
            .help("indent all lines of the text below the line that ends with `|` or `>`");
    }
    let (message, help) = words(error.kind());
    let diagnostic = Diagnostic::error(
        "yaml_syntax",
        span,
        message.map_or_else(|| error.info(), str::to_owned),
    );
    match help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

/// `key: {{ x }}`: the commonest mistake of all.
pub(super) fn unquoted_template(span: Span) -> Diagnostic {
    Diagnostic::error(
        "unquoted_template",
        span,
        "a value that begins with a template needs quotes",
    )
    .help("write `\"{{ … }}\"`: without quotes, YAML reads `{` as the beginning of a map")
}

/// The last value before the error that begins with `{{`, on this line or the one before.
fn bare_template(text: &str, error: usize) -> Option<usize> {
    let line_start = text[..error].rfind('\n').map_or(0, |at| at + 1);
    let before = text[..line_start.saturating_sub(1)]
        .rfind('\n')
        .map_or(0, |at| at + 1);
    let line_end = text[error..].find('\n').map_or(text.len(), |at| error + at);
    [line_start, before].into_iter().find_map(|start| {
        let end = if start == line_start {
            line_end
        } else {
            line_start
        };
        let line = &text[start..end.max(start)];
        [": {{", "- {{"].iter().find_map(|what| {
            let at = line.find(what)?;
            let open = line[..at].matches(['"', '\'']).count() % 2 == 1;
            // A text before it is what needs quotes, from its beginning.
            let later = line[..at].contains(": ");
            (!open && !later && !line[..at].contains('#')).then_some(start + at + 2)
        })
    })
}

/// A tab before the first word of the line of an error, or of the next one.
fn indenting_tab(text: &str, error: usize) -> Option<usize> {
    let start = text[..error].rfind('\n').map_or(0, |at| at + 1);
    let next = text[error..].find('\n').map(|at| error + at + 1);
    [Some(start), next].into_iter().flatten().find_map(|start| {
        let indent = text[start..].len() - text[start..].trim_start_matches([' ', '\t']).len();
        text[start..start + indent].find('\t').map(|at| start + at)
    })
}

/// A character on the line of an error that YAML does not allow anywhere.
fn control(text: &str, error: usize) -> Option<(usize, char)> {
    let start = text[..error].rfind('\n').map_or(0, |at| at + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    let found = line
        .char_indices()
        .find(|(_, c)| c.is_control() && !matches!(c, '\t' | '\r' | '\u{85}'));
    found.map(|(at, c)| (start + at, c))
}

/// Whether a bracket of an earlier line was forgotten: the line of the error is not indented below that line.
fn is_left_open(text: &str, open: usize, error: usize) -> bool {
    let line = |at: usize| {
        let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
        let indent = text[start..].len() - text[start..].trim_start_matches(' ').len();
        (start, indent)
    };
    let ((first, indent), (last, other)) = (line(open), line(error));
    first < last && other <= indent && !text[last + other..].starts_with([']', '}'])
}

/// Whether the line before that of the error ends as one whose text is to follow, as `key: |`.
fn after_block_scalar(text: &str, error: usize) -> bool {
    let start = text[..error].rfind('\n').map_or(0, |at| at + 1);
    let before = text[..start].trim_end();
    let last = before.lines().next_back().unwrap_or_default();
    let last = last.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+'));
    [": |", ": >", " |", " >"]
        .iter()
        .any(|end| last.ends_with(end))
}

/// Of a bracket.
const UNCLOSED: (&str, &str) = (
    "a bracket is opened and never closed",
    "close it; put quotes around a text that contains brackets",
);

type Words = (Option<&'static str>, Option<&'static str>);

fn words(kind: &ErrorKind) -> Words {
    use ErrorKind as E;
    let (message, help) = match kind {
        E::UnclosedQuotedScalar => (
            "a quote is opened and never closed",
            "close it; a quote inside quotes is doubled ('it''s') or escaped (\"\\\"\")",
        ),
        E::UnclosedFlowCollection { .. }
        | E::UnexpectedEofFlowSequence
        | E::UnexpectedEofFlowMapping
        | E::UnexpectedEofImplicitFlowMapping => UNCLOSED,
        E::ExpectedFlowMappingSeparator | E::ExpectedFlowSequenceSeparator => (
            "a comma or a closing bracket is missing here",
            "put quotes around a text that contains commas, colons or brackets",
        ),
        E::MisplacedFlowCollectionEnd | E::MismatchedFlowCollectionEnd { .. } => (
            "this bracket closes nothing",
            "check the brackets; put quotes around a text that contains them",
        ),
        E::TabNotAllowed
        | E::TabInBlockIndentation
        | E::TabAtBlockScalarStart
        | E::TabInIndentation
        | E::TabInPlainScalar => (
            "a tab stands where YAML wants spaces",
            "replace the tab by spaces",
        ),
        E::MappingValueNotAllowed | E::InvalidColonPlacement => (
            "a `:` stands where no key can be",
            "put quotes around a text that contains `: `; check that keys of one map are indented alike",
        ),
        E::InvalidIndentation
        | E::ExpectedBlockMappingKey
        | E::ExpectedBlockSequenceEntry
        | E::MappingKeyNotAllowed
        | E::BlockSequenceEntryNotAllowed
        | E::InvalidBlockScalarIndent
        | E::InvalidQuotedScalarIndent => (
            "this line is not indented like the lines it belongs to",
            "keys of one map, and items of one list, begin in the same column",
        ),
        E::SimpleKeyExpected | E::InvalidSimpleKey => (
            "a `:` is missing after this key",
            "write `key: value`, with a space after the colon",
        ),
        E::UnknownAnchor => (
            "this alias names an anchor that does not stand before it",
            "`&name` defines an anchor; put quotes around a text that begins with `*`",
        ),
        E::UnexpectedCharacter { .. } => (
            "no value can begin with this character",
            "put quotes around the text",
        ),
        E::UnknownQuotedScalarEscape => (
            "this escape does not exist",
            "in double quotes a backslash is written `\\\\`; single quotes know no escapes",
        ),
        E::InvalidTrailingSingleQuotedScalar | E::InvalidTrailingDoubleQuotedScalar => (
            "text follows after the closing quote",
            "put the quotes around the whole value",
        ),
        E::RecursionLimitExceeded => (
            "lists and maps stand in each other too deep",
            "this looks like an accident: check the brackets",
        ),
        _ => return (None, None),
    };
    (Some(message), Some(help))
}
