//! Text inside XML and HTML: shown, never obeyed.

use crate::printable;

/// A text for an element or an attribute in double quotes. What a terminal could obey is shown here too: the file may
/// be looked at in one.
pub(super) fn escaped(text: &str) -> String {
    let text = printable::block(text);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '&' => out += "&amp;",
            '"' => out += "&quot;",
            '\n' => out += "&#10;",
            // Not a character to XML.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// A text of one line.
pub(super) fn line(text: &str) -> String {
    escaped(&printable::line(text))
}
