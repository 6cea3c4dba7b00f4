//! What `openssl req` is told. It reads it from stdin: no value is ever a word of a command.

use std::fmt::Write as _;

use super::facts::Facts;

/// The configuration for a certificate that says this.
pub(super) fn config(facts: &Facts) -> String {
    let mut text =
        "[req]\nprompt = no\nutf8 = yes\nstring_mask = utf8only\ndistinguished_name = subject\n\
                    x509_extensions = extensions\n[subject]\n"
            .to_owned();
    for (at, (number, value)) in facts.subject.iter().enumerate() {
        // The first number only tells entries of one type apart.
        line(&mut text, &format!("{at}.{number}"), &quoted(value));
    }
    text.push_str("[extensions]\nsubjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n");
    let is_ca = if facts.is_ca { "TRUE" } else { "FALSE" };
    line(
        &mut text,
        "basicConstraints",
        &format!("critical, CA:{is_ca}"),
    );
    let listed = |names: &std::collections::BTreeSet<String>| {
        names.iter().cloned().collect::<Vec<_>>().join(", ")
    };
    if !facts.usage.is_empty() {
        let usage = format!("critical, {}", listed(&facts.usage));
        line(&mut text, "keyUsage", &usage);
    }
    if !facts.extended.is_empty() {
        line(&mut text, "extendedKeyUsage", &listed(&facts.extended));
    }
    if !facts.names.is_empty() {
        text.push_str("subjectAltName = @names\n[names]\n");
        for (at, name) in facts.names.iter().enumerate() {
            if let Some((kind, value)) = name.split_once(':') {
                line(&mut text, &format!("{kind}.{at}"), &quoted(value));
            }
        }
    }
    text
}

fn line(text: &mut String, name: &str, value: &str) {
    writeln!(text, "{name} = {value}").expect("a text can grow");
}

/// A value of which nothing means anything: spaces stay, `$` and `#` are only letters.
fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_only_values() {
        assert_eq!(quoted(r#" a"b\c $d #e "#), r#"" a\"b\\c $d #e ""#);
    }
}
