use super::*;

const CASES: &[Case] = &[
    ("['/a/b/c', '/a/b/d', '/a/b'] | commonpath", r#""/a/b""#),
    ("['a/./b', 'a/b/../c'] | commonpath", r#""a/b""#),
    ("['/a', '/b'] | commonpath", r#""/""#),
    ("['a', 'b'] | commonpath", r#""""#),
    (
        "'$evenkeel_not_there/${evenkeel_not_there}/$$ ${' | expandvars",
        r#""$evenkeel_not_there/${evenkeel_not_there}/$$ ${""#,
    ),
    ("'C:\\\\a\\\\b' | win_basename", r#""b""#),
    ("'C:\\\\a\\\\b' | win_dirname", r#""C:\\\\a""#),
    ("'C:\\\\a\\\\b' | win_splitdrive", r#"["C:", "\\\\a\\\\b"]"#),
    (
        "'//server/share/x' | win_splitdrive",
        r#"["//server/share", "/x"]"#,
    ),
    ("'C:' | win_dirname", r#""C:""#),
    ("'a/b' | win_basename", r#""b""#),
    ("'/../..//usr/./bin/..' | realpath", r#""/usr""#),
    (
        "'/proc/self/root/evenkeel-not-there/../x' | realpath",
        r#""/x""#,
    ),
    ("'/a' is abs", "true"),
    ("'a' is abs", "false"),
    ("'/' is mount", "true"),
    ("'/proc' is mount", "true"),
    ("'/proc/self' is mount", "false"),
    ("'/evenkeel-not-there' is mount", "false"),
    ("'/usr' is same_file('/usr/../usr')", "true"),
    ("'/usr' is same_file('/')", "false"),
    ("'/usr' is is_dir", "true"),
    ("'/proc/self' is is_link", "true"),
    ("'/evenkeel-not-there' is link_exists", "false"),
    ("[1] is issubset([1, 2])", "true"),
    ("[1] is issuperset([1, 2])", "false"),
    ("'urn:isbn:1' is urn", "true"),
    ("'http://x' is urn", "false"),
    ("{'unreachable': true} is unreachable", "true"),
    ("{} is reachable", "true"),
    ("'ab' | center(5)", r#""  ab ""#),
    ("'abc' | center(6)", r#"" abc  ""#),
    ("'abc' | center(2)", r#""abc""#),
    ("1 | filesizeformat", r#""1 Byte""#),
    ("999 | filesizeformat", r#""999 Bytes""#),
    ("1000 | filesizeformat", r#""1.0 kB""#),
    ("13000000 | filesizeformat", r#""13.0 MB""#),
    ("13000000 | filesizeformat(true)", r#""12.4 MiB""#),
    (
        "'12345678901234' | filesizeformat(binary=true)",
        r#""11.2 TiB""#,
    ),
    ("'a%20b+c%zz%' | urldecode", r#""a b c%zz%""#),
    ("'%C3%A9%ff' | urldecode", r#""é�""#),
    (
        "[{'n': 'a', 'v': 1}, {'n': 'b', 'v': 2}] | rekey_on_member('n')",
        r#"{"a": {"n": "a", "v": 1}, "b": {"n": "b", "v": 2}}"#,
    ),
    (
        "{'x': {'n': 'a'}, 'y': {'n': 'a', 'z': 1}} | rekey_on_member('n', duplicates='overwrite')",
        r#"{"a": {"n": "a", "z": 1}}"#,
    ),
];

#[test]
fn paths_and_pages_are_what_they_are_to_ansible() {
    hold("jinja2", CASES);
}

#[test]
fn odd_input_is_told() {
    for (text, wanted) in [
        ("{{ [] | commonpath }}", "1:9 `commonpath` of no paths"),
        (
            "{{ ['/a', 'b'] | commonpath }}",
            "1:18 `commonpath` of paths of which some begin with `/`, and some do not",
        ),
        (
            "{{ none | filesizeformat }}",
            "1:11 `filesizeformat` wants a number, found nothing",
        ),
        (
            "{{ [{'a': 1}] | rekey_on_member('b') }}",
            "1:17 `rekey_on_member`: an item has no `b`",
        ),
        (
            "{{ [{'a': 1}, {'a': 1}] | rekey_on_member('a') }}",
            "1:27 `rekey_on_member`: two items have the `a` `1`; `duplicates='overwrite'` takes the last",
        ),
        (
            "{{ '/evenkeel-not-there' is same_file('/') }}",
            "1:29 `same_file`: cannot look at `/evenkeel-not-there`: No such file or directory (os error 2)",
        ),
    ] {
        assert_eq!(wrong(text), wanted, "{text}");
    }
}

#[test]
fn links_are_followed_and_end() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    std::fs::create_dir(root.join("real")).unwrap();
    std::os::unix::fs::symlink("real", root.join("to")).unwrap();
    std::os::unix::fs::symlink("round", root.join("round")).unwrap();
    let root = root.to_str().unwrap();
    let real = |path: &str| value(&format!("{{{{ '{root}/{path}' | realpath }}}}"));
    assert_eq!(real("to/../to/x"), format!("{root}/real/x"));
    assert!(real("round/x").as_str().unwrap().ends_with("round/x"));
}
