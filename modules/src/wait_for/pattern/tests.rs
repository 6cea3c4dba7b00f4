use std::process::{Command, Stdio};

use super::Pattern;

/// Whether `grep -E` finds the pattern in a line, byte by byte.
fn found(pattern: &Pattern, line: &[u8]) -> bool {
    let script = r#"printf '%b' "$2" >"$3"; LC_ALL=C grep -aEq -e "$(printf '%b' "$1")" "$3""#;
    let temp = tempfile::NamedTempFile::new().expect("a file");
    let bytes: Vec<String> = line.iter().map(|byte| format!("\\0{byte:03o}")).collect();
    let status = Command::new("sh")
        .args(["-c", script, "sh", &pattern.operand(), &bytes.concat()])
        .arg(temp.path())
        .stderr(Stdio::inherit())
        .status();
    match status.expect("a shell").code() {
        Some(0) => true,
        Some(1) => false,
        other => panic!("grep ended with {other:?}"),
    }
}

#[test]
fn the_host_finds_what_we_find() {
    let patterns = [
        "completed",
        r"^OpenSSH[_ ](?P<v>\d+\.\d+)",
        "a.c$",
        r"(?:ab|cd){2,3}x?",
        r"[^a-c]+-[]^-]",
        r"\bword\b",
        r"\Bord",
        "(?i)hello",
        r"a\s+b|c\.d",
        r"\$\{x\}\*",
        "é",
        "[-^]",
        r"[\]\[\\]",
        "",
        "x*?y",
        r"[\w.-]+@\w+",
        "(|a)b",
        "[,-]",
        r"\x2d\t",
    ];
    let lines: [&[u8]; 16] = [
        b"it is completed",
        b"OpenSSH_9.2 x",
        b"abc",
        b"ababcdx",
        b"d-]",
        b"a word here",
        b"swords",
        b"HELLO",
        b"a \t b",
        b"c.d ${x}*",
        "caf\u{e9}".as_bytes(),
        b"^",
        b"[\\]",
        b"\xff\xfe y",
        b"me.a@b",
        b"-\t,",
    ];
    for text in patterns {
        let pattern = Pattern::new(text).unwrap_or_else(|why| panic!("{text}: {why}"));
        for line in lines {
            let shown = String::from_utf8_lossy(line);
            assert_eq!(
                found(&pattern, line),
                pattern.ours.is_match(line),
                "{text} in {shown}"
            );
        }
    }
}

#[test]
fn what_no_line_can_match_is_refused() {
    for text in ["a\nb", r"a\nb", "a(?=b)", r"(a)\1", "(", r"[\n]"] {
        assert!(Pattern::new(text).is_err(), "{text}");
    }
}
