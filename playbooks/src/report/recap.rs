//! The end of a report: a table of hosts and a closing sentence.

use evenkeel_engine::event::Recap;
use indexmap::IndexMap;
use unicode_width::UnicodeWidthStr as _;

use super::style;
use crate::{printable, prose};

/// With more hosts than this, those where nothing happened share a line.
const HOSTS: usize = 20;

/// What else there is to say about the end of a run.
pub(super) struct End {
    pub(super) check: bool,
    pub(super) interrupted: bool,
    pub(super) duration_ms: u64,
    /// Whether hosts where nothing happened have lines of their own in any case.
    pub(super) all: bool,
}

/// A column: its title, its number, and whether it is shown when all numbers are zero.
type Column = (&'static str, fn(&Recap) -> u64, bool);

fn columns(check: bool) -> [Column; 10] {
    let changed = if check { "would change" } else { "changed" };
    [
        (changed, |host| host.changed, true),
        ("unchanged", |host| host.unchanged, true),
        ("assumed", |host| host.assumed, false),
        ("skipped", |host| host.skipped, false),
        ("unknown", |host| host.unknown, false),
        ("failed", |host| host.failed, true),
        ("blocked", |host| host.blocked, false),
        ("rescued", |host| host.rescued, false),
        ("ignored", |host| host.ignored, false),
        ("unguarded", |host| host.unguarded, false),
    ]
}

/// The table and the closing sentence.
pub(super) fn recap(hosts: &IndexMap<String, Recap>, end: &End) -> String {
    format!("{}\n{}", table(hosts, end), closing(hosts, end))
}

fn table(hosts: &IndexMap<String, Recap>, end: &End) -> String {
    let shown: Vec<Column> = columns(end.check)
        .into_iter()
        .filter(|(_, number, always)| *always || hosts.values().any(|host| number(host) > 0))
        .collect();
    let folded = hosts.len() > HOSTS && !end.all;
    let rows: Vec<_> = hosts
        .iter()
        .filter(|(_, host)| !folded || !is_quiet(host))
        .map(|(name, host)| (printable::line(name), host))
        .collect();
    let names = rows.iter().map(|(name, _)| name.width());
    let width = names.max().unwrap_or_default().max("host".len());
    let mut out = prose::pad("host", width);
    for (title, ..) in &shown {
        out += &format!("  {title}");
    }
    out.push('\n');
    for (name, host) in &rows {
        out += &prose::pad(name, width);
        for (title, number, _) in &shown {
            let number = number(host);
            let cell = format!("{number:>width$}", width = title.len());
            let style = style_of(title);
            out += "  ";
            out += &match number {
                0 => cell,
                _ => style::paint(style, &cell),
            };
        }
        if host.unreachable {
            out += &format!("  {}", style::paint(style::BAD, "unreachable"));
        }
        out.push('\n');
    }
    let quiet = hosts.len() - rows.len();
    if quiet > 0 {
        out += &format!(
            "{} more, where nothing happened\n",
            prose::count(quiet as u64, "host")
        );
    }
    out
}

/// Whether nothing happened there that somebody wants to know.
fn is_quiet(host: &Recap) -> bool {
    let happened = host.changed + host.unknown + host.failed + host.blocked + host.rescued;
    happened + host.ignored + host.unguarded == 0 && !host.unreachable
}

fn style_of(title: &str) -> anstyle::Style {
    match title {
        "failed" | "blocked" => style::BAD,
        "unchanged" | "assumed" => style::GOOD,
        "skipped" => style::QUIET,
        "unknown" => style::NOTE,
        _ => style::CHANGE,
    }
}

fn closing(hosts: &IndexMap<String, Recap>, end: &End) -> String {
    let sum = |number: fn(&Recap) -> u64| hosts.values().map(number).sum::<u64>();
    let mut parts = Vec::new();
    for (title, number, _) in columns(end.check) {
        let number = sum(number);
        if title != "unguarded" && (number > 0 || matches!(title, "changed" | "would change")) {
            parts.push(format!("{number} {title}"));
        }
    }
    let unreachable = hosts.values().filter(|host| host.unreachable).count();
    if unreachable > 0 {
        parts.push(format!(
            "{} unreachable",
            prose::count(unreachable as u64, "host")
        ));
    }
    let mut out = format!(
        "{}: {} in {}, {}\n",
        prose::count(hosts.len() as u64, "host"),
        parts.join(", "),
        prose::duration(end.duration_ms),
        prose::count(sum(|host| host.exchanges), "exchange"),
    );
    let unguarded = sum(|host| host.unguarded);
    if unguarded > 0 {
        let ran = if end.check { "would run" } else { "ran" };
        let they = if unguarded == 1 {
            "it need"
        } else {
            "they need"
        };
        out += &format!(
            "{} {ran} because nothing says when {they} not; `evenkeel validate` shows what would\n",
            prose::count(unguarded, "command"),
        );
    }
    if end.interrupted {
        out += "interrupted: the next run goes on from here\n";
    } else if end.check {
        out += "nothing was changed: this was a check\n";
    }
    out
}
