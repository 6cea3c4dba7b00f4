//! Words of a command line, and their expansion on the host.

use std::fmt::Write as _;

use evenkeel_engine::{Refusal, Text};

/// Splits a line as a shell would.
pub(crate) fn words(line: &Text) -> Result<Vec<String>, Refusal> {
    let text = std::str::from_utf8(line.bytes())
        .map_err(|_| Refusal::new("the command line is not UTF-8"))?;
    shlex::split(text).ok_or_else(|| {
        Refusal::new(format!("`{}`: a quote is not closed", line.shown()))
            .help("close it, or give the words as a list in `argv`")
    })
}

/// The argument list that expands `$NAME`, `${NAME}` and a leading `~` on the host; the list itself
/// if there is nothing to expand. What is not set stays as it is written.
///
/// The words go to `sh` quoted, so that nothing in them but these is read by it.
pub(super) fn expanding(words: Vec<String>) -> Vec<String> {
    let parts: Vec<_> = words.iter().map(|word| quoted(word)).collect();
    if parts.iter().all(|part| !part.1) {
        return words;
    }
    let line: Vec<_> = parts.into_iter().map(|part| part.0).collect();
    vec![
        "sh".to_owned(),
        "-c".to_owned(),
        format!("exec {}", line.join(" ")),
    ]
}

/// A word for `sh`, and whether something in it is expanded.
fn quoted(word: &str) -> (String, bool) {
    let (mut out, mut literal, mut expands) = (String::new(), String::new(), false);
    let mut rest = word;
    if let Some(user) = tilde(word) {
        out.push_str(user);
        rest = &word[user.len()..];
        expands = true;
    }
    while !rest.is_empty() {
        let at = rest.find('$').unwrap_or(rest.len());
        literal.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some((name, braces)) = variable(rest) else {
            let step = rest.chars().next().map_or(0, char::len_utf8);
            literal.push_str(&rest[..step]);
            rest = &rest[step..];
            continue;
        };
        if !literal.is_empty() {
            out.push_str(&single(&literal));
            literal.clear();
        }
        let (open, close) = if braces { ("{", "\\}") } else { ("", "") };
        write!(out, "\"${{{name}-\\${open}{name}{close}}}\"")
            .expect("writing to a String cannot fail");
        rest = &rest[name.len() + if braces { 3 } else { 1 }..];
        expands = true;
    }
    if !literal.is_empty() || out.is_empty() {
        out.push_str(&single(&literal));
    }
    (out, expands)
}

/// `~` or `~user` at the beginning of a word, with the slash after it.
fn tilde(word: &str) -> Option<&str> {
    let end = word.find('/').unwrap_or(word.len());
    let (head, name) = (&word[..end], word[..end].strip_prefix('~')?);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    // `~-` and `~+` mean something to shells.
    let known = name.bytes().all(plain) && !name.starts_with(['-', '+']);
    // The slash must not be quoted, or the shell sees no `~`.
    known.then(|| &word[..head.len() + usize::from(end < word.len())])
}

/// The name of a variable at the beginning, and whether it stands in braces.
fn variable(text: &str) -> Option<(&str, bool)> {
    let text = text.strip_prefix('$')?;
    let (text, braces) = match text.strip_prefix('{') {
        Some(inner) => (inner, true),
        None => (text, false),
    };
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let end = text
        .bytes()
        .position(|byte| !word(byte))
        .unwrap_or(text.len());
    let name = &text[..end];
    let fits = !name.is_empty() && !name.as_bytes()[0].is_ascii_digit();
    let closed = !braces || text[end..].starts_with('}');
    (fits && closed).then_some((name, braces))
}

/// In single quotes.
fn single(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(words: &[&str]) -> Vec<String> {
        expanding(words.iter().map(|&word| word.to_owned()).collect())
    }

    #[test]
    fn words_without_variables_go_as_they_are() {
        let words = [
            "printf", "%s\n", "a b", "it's", "$(id)", "$$", "cost $5", "a~b", "",
        ];
        assert_eq!(expand(&words), words);
    }

    #[test]
    fn only_names_are_expanded() {
        let words = expand(&["echo", "a$HOME'b", "${X}`id`$(id)", "~/x y", "~root", "$"]);
        assert_eq!(words[..2], ["sh", "-c"]);
        assert_eq!(
            words[2],
            r#"exec 'echo' 'a'"${HOME-\$HOME}"''\''b' "${X-\${X\}}"'`id`$(id)' ~/'x y' ~root '$'"#
        );
    }

    #[test]
    fn the_host_sees_what_was_meant() {
        let words = [
            "printf",
            "[%s]",
            "$SET $UNSET ${UNSET}",
            "'\"`id`$(id)\\$SET",
            "~/a b",
            "",
        ];
        for shell in ["dash", "bash"] {
            let argv = expand(&words);
            let out = std::process::Command::new(shell)
                .args(&argv[1..])
                .env_clear()
                .env("PATH", "/usr/bin:/bin")
                .env("HOME", "/home/x")
                .env("SET", "one 'two' \"$three\"")
                .output();
            let out = out.unwrap();
            let set = "one 'two' \"$three\"";
            assert_eq!(
                String::from_utf8(out.stdout).unwrap(),
                format!("[{set} $UNSET ${{UNSET}}]['\"`id`$(id)\\{set}][/home/x/a b][]"),
                "{shell}"
            );
        }
    }
}
