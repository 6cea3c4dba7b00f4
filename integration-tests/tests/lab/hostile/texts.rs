//! Texts that programs stumble over, each with a word for it.

use std::fmt::Write as _;

/// What is put into arguments. None of them may ever become a part of a program: then there would be `/pwned`.
pub(super) fn texts() -> Vec<(&'static str, String)> {
    let mut all: Vec<_> = PLAIN
        .iter()
        .map(|(word, text)| (*word, (*text).to_owned()))
        .collect();
    // The longest name that a file can have, of letters that are two bytes each.
    all.push(("long", "é".repeat(127) + "x"));
    all
}

const PLAIN: [(&str, &str); 12] = [
    (
        "program",
        "$(touch /pwned)`touch /pwned`'; touch /pwned; '\"; touch /pwned; \"",
    ),
    ("operators", "&& touch /pwned | touch /pwned >/pwned # x"),
    ("dash", "-rf"),
    ("help", "--help"),
    ("lines", "a\ntouch /pwned\nb"),
    ("spaces", " a  b\t"),
    ("slashes", "a\\b\\\\ \\n\\x41\\0 %s%n $HOME${IFS}\\"),
    ("unicode", "e\u{301} \u{202e}\u{5d0}\u{5d1}\u{200f} 漢"),
    ("glob", "*[a-z]?"),
    ("braces", "{{ 1 + 1 }}{% x #}:b=c,d"),
    ("home", "~root"),
    // Only where it is no part of a path.
    ("up", "../../../../escaped"),
];

/// The word of `sh` that is this text.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A field of `fstab` that is this text.
pub(super) fn field(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        if matches!(letter, ' ' | '\t' | '\n' | '\\') {
            write!(out, "\\{:03o}", u32::from(letter)).unwrap();
        } else {
            out.push(letter);
        }
    }
    out
}

/// A text of a playbook that is this text once it is rendered.
pub(super) fn raw(text: &str) -> String {
    if ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark)) {
        format!("{{% raw %}}{text}{{% endraw %}}")
    } else {
        text.to_owned()
    }
}
