//! Settings of PostgreSQL: some are lists of names, and are kept in another way than plain texts.

use super::quote::{ident, literal};

/// Those whose value is a list of names that may have to be quoted.
const LISTS: [&str; 6] = [
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
];

/// Whether its value is a list of names.
pub(crate) fn is_list(name: &str) -> bool {
    LISTS.contains(&name)
}

/// The name of a setting; one of an extension has a dot.
pub(crate) fn name(name: &str) -> String {
    name.split('.').map(ident).collect::<Vec<_>>().join(".")
}

/// The elements of a list: `"$user", public`.
fn elements(text: &str) -> Vec<String> {
    let (mut all, mut one, mut quoted) = (Vec::new(), String::new(), false);
    let mut was_quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                one.push('"');
            }
            '"' => {
                quoted = !quoted;
                was_quoted = true;
            }
            ',' if !quoted => {
                all.push((std::mem::take(&mut one), std::mem::take(&mut was_quoted)));
            }
            c if c.is_whitespace() && !quoted => {}
            c => one.push(c),
        }
    }
    all.push((one, was_quoted));
    let kept = all
        .into_iter()
        .filter(|(text, quoted)| *quoted || !text.is_empty());
    kept.map(|(text, _)| text).collect()
}

/// Its value as SQL.
pub(crate) fn value(name: &str, text: &str) -> String {
    if !is_list(name) {
        return literal(text);
    }
    let all = elements(text);
    if all.is_empty() {
        return "''".to_owned();
    }
    all.iter()
        .map(|element| literal(element))
        .collect::<Vec<_>>()
        .join(", ")
}

/// How the catalog keeps it.
pub(crate) fn stored(name: &str, text: &str) -> String {
    if !is_list(name) {
        return text.to_owned();
    }
    let all = elements(text);
    if all.is_empty() {
        return "\"\"".to_owned();
    }
    all.iter()
        .map(|element| bare(element))
        .collect::<Vec<_>>()
        .join(", ")
}

/// As `quote_identifier` of the server does it, but for reserved words.
fn bare(element: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let first = element.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    if first && element.chars().all(plain) {
        element.to_owned()
    } else {
        ident(element)
    }
}

/// Whether two texts are the same value, as the catalog keeps one and a playbook says the other.
pub(crate) fn same(name: &str, kept: &str, wanted: &str) -> bool {
    if is_list(name) {
        elements(kept) == elements(wanted)
    } else {
        kept == wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_lists() {
        assert_eq!(
            value("search_path", "\"$user\", a b,public"),
            "'$user', 'ab', 'public'"
        );
        assert_eq!(value("search_path", "\"A, b\""), "'A, b'");
        assert_eq!(
            stored("search_path", "\"$user\",public"),
            "\"$user\", public"
        );
        assert!(same("search_path", "\"$user\", public", "\"$user\",public"));
        assert!(!same("search_path", "a", "b"));
        assert_eq!(value("work_mem", "16MB"), "'16MB'");
        assert!(same("work_mem", "16MB", "16MB"));
        assert_eq!(name("auto_explain.log_min"), "\"auto_explain\".\"log_min\"");
    }
}
