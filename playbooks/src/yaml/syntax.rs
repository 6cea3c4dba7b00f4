//! Errors of syntax in plain words.

use granit_parser::{ErrorKind, ScanError};

use crate::{
    diagnostic::Diagnostic,
    files::{FileId, Files, Span},
};

/// What a parser's error means.
pub(super) fn explain(files: &Files, file: FileId, error: &ScanError) -> Diagnostic {
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
            (!open && !line[..at].contains('#')).then_some(start + at + 2)
        })
    })
}

fn indenting_tab(text: &str, error: usize) -> Option<usize> {
    let start = text[..error].rfind('\n').map_or(0, |at| at + 1);
    let indent = text[start..].len() - text[start..].trim_start_matches([' ', '\t']).len();
    text[start..start + indent].find('\t').map(|at| start + at)
}

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
        | E::UnexpectedEofImplicitFlowMapping => (
            "a bracket is opened and never closed",
            "close it; put quotes around a text that contains brackets",
        ),
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
