//! Names and texts in SQL: quoted here, never by whoever wrote a playbook.

use evenkeel_engine::{Refusal, Text};

/// PostgreSQL cuts longer names off without a word; two names could become one.
const LONGEST: usize = 63;

/// An identifier, always in quotes: so case, dots, dashes and reserved words mean nothing.
pub(crate) fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text. It is right whatever `standard_conforming_strings` says.
pub(crate) fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if text.contains('\\') {
        format!("E'{}'", quoted.replace('\\', "\\\\"))
    } else {
        format!("'{quoted}'")
    }
}

/// Whether something can be the name of anything in a database.
pub(crate) fn check_name(what: &str, name: &str) -> Result<(), Refusal> {
    if name.is_empty() {
        return Err(Refusal::new(format!("`{what}` is empty")));
    }
    if name.contains('\0') {
        return Err(Refusal::new(format!("`{what}` contains a NUL")));
    }
    if name.len() > LONGEST {
        return Err(Refusal::new(format!(
            "`{what}: {name}` has {} bytes, and a name of PostgreSQL at most {LONGEST}",
            name.len()
        ))
        .help("choose a shorter name: PostgreSQL would cut it off, and the next run not find it"));
    }
    Ok(())
}

/// What looks as if somebody wanted to break out of a quoted name; for `trust_input: false`.
pub(crate) fn check_trust(what: &str, text: &Text) -> Result<(), Refusal> {
    let text = String::from_utf8_lossy(text.bytes()).to_lowercase();
    let marks = [";", "--", "/*", "'", "\"", "\\", "$$"];
    let found = marks.iter().find(|mark| text.contains(**mark));
    match found {
        None => Ok(()),
        Some(mark) => Err(Refusal::new(format!(
            "`{what}` contains `{mark}`, and `trust_input` is off"
        ))
        .help("it would be quoted and do no harm: leave out `trust_input: false` if it is meant")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_stay_what_they_are() {
        assert_eq!(ident("a\"; DROP ROLE b; --"), "\"a\"\"; DROP ROLE b; --\"");
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("a\\'; SELECT"), "E'a\\\\''; SELECT'");
    }

    #[test]
    fn long_names_are_not_cut_off() {
        assert!(check_name("name", &"ä".repeat(31)).is_ok());
        let why = check_name("name", &"ä".repeat(32)).unwrap_err();
        assert!(why.message.contains("has 64 bytes"), "{why}");
        assert!(check_name("name", "").is_err());
        assert!(check_name("name", "a\0b").is_err());
    }
}
