//! Quoting for sh.

/// Appends `bytes` as one word that no shell expands. `false` if a NUL is in them: no shell can hold
/// one.
pub(super) fn quote(into: &mut Vec<u8>, bytes: &[u8]) -> bool {
    into.push(b'\'');
    for byte in bytes {
        match byte {
            0 => return false,
            b'\'' => into.extend(br"'\''"),
            byte => into.push(*byte),
        }
    }
    into.push(b'\'');
    true
}

/// Whether a shell can export a variable of this name.
pub(super) fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_closed_and_opened_again() {
        let mut word = Vec::new();
        assert!(quote(&mut word, b"it's $HOME\n`x`"));
        assert_eq!(word, b"'it'\\''s $HOME\n`x`'");
        assert!(!quote(&mut word, b"a\0b"));
    }

    #[test]
    fn names_of_variables() {
        assert!(is_name("A_1"));
        assert!(!is_name("1A") && !is_name("") && !is_name("a-b") && !is_name("x=y"));
    }
}
