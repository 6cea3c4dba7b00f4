//! Plurals, lengths of time and columns: small pieces of prose.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr as _;

/// `1 host`, `2 hosts`.
pub fn count(number: u64, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

/// A length of time as people say it: `7 ms`, `4.1 s`, `3 min 20 s`.
pub fn duration(millis: u64) -> String {
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..59_950 => {
            let tenths = (millis + 50) / 100;
            format!("{}.{} s", tenths / 10, tenths % 10)
        }
        _ => {
            let seconds = (millis + 500) / 1_000;
            match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
                (0, minutes, 0) => format!("{minutes} min"),
                (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
                (hours, minutes, _) => format!("{hours} h {minutes} min"),
            }
        }
    }
}

/// The same for a clock that is looked at while it runs: in whole seconds.
pub fn so_far(millis: u64) -> String {
    duration(millis / 1_000 * 1_000).replace(".0 s", " s")
}

/// Fills with spaces up to a width on the terminal.
pub fn pad(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.width());
    format!("{text}{:missing$}", "")
}

/// Puts `prefix` before each line.
pub fn indent(text: &str, prefix: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let end = if line.is_empty() {
            prefix.trim_end()
        } else {
            prefix
        };
        // Writing to a string cannot fail.
        writeln!(out, "{end}{line}").expect("a string takes all");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        let said = [0, 7, 999, 1_000, 4_140, 59_949, 59_950, 200_000, 7_260_000].map(duration);
        let want = [
            "0 ms",
            "7 ms",
            "999 ms",
            "1.0 s",
            "4.1 s",
            "59.9 s",
            "1 min",
            "3 min 20 s",
            "2 h 1 min",
        ];
        assert_eq!(said, want);
    }

    #[test]
    fn counts_and_columns() {
        assert_eq!(count(1, "host"), "1 host");
        assert_eq!(count(0, "host"), "0 hosts");
        assert_eq!(pad("für", 5), "für  ");
    }
}
