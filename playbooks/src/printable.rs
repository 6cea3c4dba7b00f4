//! Text that came from a host or a file, made harmless for a terminal.
//!
//! Escape sequences could move the cursor, rewrite what was printed or fill the clipboard; marks of
//! writing direction could show a command other than the one that ran. Both are shown, not obeyed.

use std::borrow::Cow;

/// One line: control characters, newlines too, are shown.
pub fn line(text: &str) -> Cow<'_, str> {
    shown(text, |_| false)
}

/// Several lines: newlines and tabs stay.
pub fn block(text: &str) -> Cow<'_, str> {
    // A program that ends its lines like DOS, or draws a progress bar, means a new line.
    if text.contains('\r') {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        return Cow::Owned(shown(&text, |c| c == '\n' || c == '\t').into_owned());
    }
    shown(text, |c| c == '\n' || c == '\t')
}

/// A line of JSON: what a terminal could obey is escaped as JSON escapes it.
pub fn json(line: &str) -> Cow<'_, str> {
    if !line.contains(obeyed) {
        return Cow::Borrowed(line);
    }
    // Such characters stand inside strings only: JSON has none outside of them.
    let escaped = line.chars().fold(String::new(), |mut out, c| {
        if obeyed(c) {
            out.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            out.push(c);
        }
        out
    });
    Cow::Owned(escaped)
}

fn shown(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(|c| obeyed(c) && !stays(c)) {
        return Cow::Borrowed(text);
    }
    let shown = text.chars().fold(String::new(), |mut out, c| {
        match c {
            c if !obeyed(c) || stays(c) => out.push(c),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{0}'..='\u{7f}' => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => out.extend(c.escape_unicode()),
        }
        out
    });
    Cow::Owned(shown)
}

/// Whether a terminal does something else with it than showing it.
fn obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_shown() {
        assert_eq!(line("a\u{1b}[31mb\nc"), "a\\x1b[31mb\\nc");
        assert_eq!(line("\u{9b}2J\u{202e}x"), "\\u{9b}2J\\u{202e}x");
        assert_eq!(line("für ✓"), "für ✓");
    }

    #[test]
    fn blocks_keep_their_lines() {
        assert_eq!(block("a\tb\r\nc\u{7}"), "a\tb\nc\\x07");
        assert_eq!(block("10%\r20%\r"), "10%\n20%\n");
    }

    #[test]
    fn json_stays_json() {
        let text = serde_json::to_string("a\u{1b}\u{9b}\u{202e}").unwrap();
        let safe = json(&text).into_owned();
        assert_eq!(safe, r#""a\u001b\u009b\u202e""#);
        assert_eq!(
            serde_json::from_str::<String>(&safe).unwrap(),
            "a\u{1b}\u{9b}\u{202e}"
        );
    }
}
