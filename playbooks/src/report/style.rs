//! Colours and column widths. A colour never says what no word says.

use anstyle::{AnsiColor, Style};
use evenkeel_engine::event::Outcome;

pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const CHANGE: Style = AnsiColor::Yellow.on_default();
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(super) const NOTE: Style = AnsiColor::Cyan.on_default();
pub(super) const QUIET: Style = Style::new().dimmed();
pub(super) const STRONG: Style = Style::new().bold();
pub(super) const ADDED: Style = AnsiColor::Green.on_default();
pub(super) const REMOVED: Style = AnsiColor::Red.on_default();

/// Width of the first column: the longest word in it.
pub(super) const TAG: usize = "would change".len();

/// A text in a style.
pub(super) fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// How an outcome is called and shown.
pub(super) fn outcome(outcome: Outcome, check: bool) -> (&'static str, Style) {
    match outcome {
        Outcome::Changed if check => ("would change", CHANGE),
        Outcome::Changed => ("changed", CHANGE),
        Outcome::Unchanged => ("unchanged", GOOD),
        Outcome::Assumed => ("assumed", GOOD),
        Outcome::Skipped => ("skipped", QUIET),
        Outcome::Unknown => ("unknown", NOTE),
        Outcome::Failed => ("failed", BAD),
        Outcome::Blocked => ("blocked", BAD),
    }
}
