//! Lookups that run programs of this machine, ask a server, or write a file: only when the turn of their task has come, and never in
//! a plan.

use std::cell::Cell;

/// Their names.
const NAMES: [&str; 2] = ["lines", "pipe"];

thread_local! {
    static MAY: Cell<bool> = const { Cell::new(false) };
}

/// Evaluates something in which programs may run, or may not.
pub(crate) fn may_run<T>(may: bool, evaluate: impl FnOnce() -> T) -> T {
    let outer = MAY.replace(may);
    let found = evaluate();
    MAY.set(outer);
    found
}

/// Whether they may run now.
pub(in crate::template) fn may() -> bool {
    MAY.get()
}

/// Whether a text with a lookup may name one of them.
pub(crate) fn named_in(source: &str) -> bool {
    let mut words = source.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    // Many a variable has such a name: as a lookup it stands in quotes.
    let quoted = ["password'", "password\"", "url'", "url\""];
    words.any(|word| NAMES.contains(&word)) || quoted.iter().any(|name| source.contains(name))
}
