use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::*;
use crate::{
    diagnostic::{Colour, render_all},
    files::Files,
};

fn parse(text: &str) -> (Files, Vec<Node>, Vec<Diagnostic>) {
    let mut files = Files::new();
    let file = files.add("a.yml", text);
    let (documents, out) = read(&files, file);
    (files, documents, out)
}

fn one(text: &str) -> Node {
    let (files, mut documents, out) = parse(text);
    assert_eq!(render_all(&out, &files, Colour::Never), "");
    assert_eq!(documents.len(), 1, "{text}");
    documents.remove(0)
}

/// A node as the helper in Python prints the same value.
fn shown(node: &Node) -> String {
    match &node.kind {
        Kind::Null => "null".to_owned(),
        Kind::Bool(value) => format!("bool {value}"),
        Kind::Int(value) => format!("int {value}"),
        Kind::UInt(value) => format!("int {value}"),
        Kind::Float(value) if value.is_nan() => "float nan".to_owned(),
        Kind::Float(value) => format!("float {:016x}", value.to_bits()),
        Kind::Str(text) => format!("str {text:?}"),
        Kind::Sealed(_) | Kind::Secret(_) => node.kind_name().to_owned(),
        Kind::Seq(items) => format!(
            "[{}]",
            items.iter().map(shown).collect::<Vec<_>>().join(", ")
        ),
        Kind::Map(entries) => {
            let entries = entries
                .iter()
                .map(|(k, v)| format!("{}: {}", shown(k), shown(v)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Prints what `PyYAML` reads from each text of a JSON list; dates are texts.
const HELPER: &str = r#"
import json, struct, sys, yaml
class Loader(yaml.SafeLoader): pass
text = lambda loader, node: node.value
for tag in ("timestamp", "value"):
    Loader.add_constructor("tag:yaml.org,2002:" + tag, text)
def shown(v):
    if v is None: return "null"
    if isinstance(v, bool): return "bool " + str(v).lower()
    if isinstance(v, int): return "int %d" % v
    if isinstance(v, float): return "float nan" if v != v else "float " + struct.pack(">d", v).hex()
    if isinstance(v, str): return "str " + json.dumps(v, ensure_ascii=False)
    if isinstance(v, list): return "[" + ", ".join(map(shown, v)) + "]"
    return "{" + ", ".join(shown(k) + ": " + shown(w) for k, w in v.items()) + "}"
for text in json.load(sys.stdin):
    try: print(json.dumps(shown(yaml.load(text, Loader))))
    except Exception as error: print(json.dumps("error"))
"#;

/// What `PyYAML` makes of the texts; `None` where it is not there.
fn pyyaml(texts: &[&str]) -> Option<Vec<String>> {
    let have = Command::new("python3")
        .args(["-c", "import yaml"])
        .stderr(Stdio::null())
        .status();
    if !have.is_ok_and(|status| status.success()) {
        println!("skipped: python3 with PyYAML is not here");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("texts.json");
    std::fs::write(&input, serde_json::to_string(texts).unwrap()).unwrap();
    let output = Command::new("python3")
        .args(["-c", HELPER])
        .stdin(std::fs::File::open(&input).unwrap())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines = String::from_utf8(output.stdout).unwrap();
    Some(
        lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
    )
}

const SCALARS: &str = "0644 0o644 0x1f 0X1F 1_000 12:30:45 yes Yes YES yEs y Y n no on On off OFF true True TRUE tRue ~ null Null NULL nUll 1e3 1.5e3 1.5e+3 1.5E-3 .5 -.5 +.5 1. 1.e+3 .inf -.INF +.inf .Inf .nan .NaN .NAN -.nan +1 -1 0b101 0b2 0 00 -0 +0 08 09 0_7 0_ _1 1_ 1__0 -0644 +0644 190:20:30.15 1:30. 1:30.5_0 2001-12-14 2001-12-14T21:59:43Z = 1:60 12:5 0.1_0 1e+3 18446744073709551615 9223372036854775807 9223372036854775808 -9223372036854775808 0x 0b 1,000 - 0:30 01:30 1:00 22:22 -1:30 1_0:30 1:2:3:4 1.2.3 10.0.0.1 1-2 --1 +-1 ._5 .e+3 . .. -0x1F 0xg 0x1_f 0.0 -0.0 1e 1.5e 1.5e+ 1.5e+1_0 'yes' \"yes\" \"0644\" '' \"\" é 日本 a:b a#b 1.7976931348623157e+308 1.0e+400 0.1 123456789.123456789 ";

#[test]
fn scalars_mean_what_they_mean_to_pyyaml() {
    let texts: Vec<&str> = SCALARS
        .split(' ')
        .chain(["2001-12-14 21:59:43.10 -5", "a b", "yes no"])
        .collect();
    let Some(expected) = pyyaml(&texts) else {
        return;
    };
    for (text, expected) in texts.iter().zip(expected) {
        let (_, documents, out) = parse(text);
        let found = match documents.first() {
            Some(node) => shown(node),
            None if out.is_empty() => "null".to_owned(),
            None => "error".to_owned(),
        };
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn documents_mean_what_they_mean_to_pyyaml() {
    let texts = [
        "a: 1\nb: [x, 'y', \"z\\n\", 1.5]\nc: {d: , e: ~}\n",
        "base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3\n  z: 4\n",
        "a: &a {x: 1}\nb: &b {x: 2, y: 3}\nc: {<<: [*a, *b], z: 1}\nd:\n  <<: *a\n  <<: *b\n",
        "text: |\n  one\n   two\n\n  three\nfold: >-\n  one\n  two\n\n  three\nkeep: |+\n  x\n\nend: 1\n",
        "plain: one\n  two\n  three\nquoted: 'one\n  two'\n",
        "text: |\n  no newline",
        "- - a\n  - b\n- c: 1\n  d: 2\n-\n  e: 3\n",
        "? a\n: b\n",
        "!!str 1: !!str yes\nb: !!int '12'\nc: !!float 3\nd: !!bool yes\ne: ! 12\n",
        "{a, b: , c: d}",
        "[a: 1, b]",
        "a: \"\\u00e9\\x41\\t\\\\\"\n",
        "--- \na: 1\n...\n",
        "\u{feff}a: 1\n",
        "a: 1 # comment\n# more\nb: 'x # y'\n",
        "a:\r\n  b: 1\r\n",
        "key with spaces: 'it''s'\nurl: http://x/y#z\ntime: 12:30\n",
        "a: [1,2,\n 3]\nb: {x: 1,\n y: 2}\n",
        "on: 1\n5: x\n",
        "",
        "# nothing\n",
        "a: *b\n",
        "a: [1\n",
        "a: b: c\n",
    ];
    let Some(expected) = pyyaml(&texts) else {
        return;
    };
    for (text, expected) in texts.iter().zip(expected) {
        let (_, documents, out) = parse(text);
        let found = match documents.first() {
            Some(node) => shown(node),
            None if out.is_empty() => "null".to_owned(),
            None => "error".to_owned(),
        };
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn nodes_know_their_places_and_sources() {
    let text = "a:\n  mode: 0644\n  list:\n    - 'x'\n    - {b: \"y\"}\n  empty:\nlast: !unsafe '{{ x }}'\n";
    let (files, documents, _) = parse(text);
    let root = &documents[0];
    let slice = |node: &Node| files.slice(node.span).to_owned();
    let a = root.get("a").unwrap();
    let mode = a.get("mode").unwrap();
    assert_eq!(
        (mode.kind.clone(), mode.text.as_str(), mode.plain),
        (Kind::Int(420), "0644", true)
    );
    assert_eq!(slice(mode), "0644");
    let items = a.get("list").unwrap().as_seq().unwrap();
    assert_eq!(slice(&items[0]), "'x'");
    assert!(!items[0].plain);
    assert_eq!(slice(&items[1]), "{b: \"y\"}");
    assert_eq!(
        files.place(a.get("empty").unwrap().span).to_string(),
        "a.yml:6:8"
    );
    assert_eq!(
        slice(a),
        "mode: 0644\n  list:\n    - 'x'\n    - {b: \"y\"}\n  empty"
    );
    let last = root.get("last").unwrap();
    assert_eq!(last.tag.as_ref().unwrap().value, "!unsafe");
    assert_eq!(files.slice(last.tag.as_ref().unwrap().span), "!unsafe");
    assert_eq!(slice(last), "'{{ x }}'");
}

#[test]
fn values() {
    let json = one("a: [1, 2.5, yes, ~, x]\n5: {b: 0644}\n")
        .to_value()
        .to_json();
    assert_eq!(
        json.to_string(),
        r#"{"a":[1,2.5,true,null,"x"],"5":{"b":420}}"#
    );
}

#[test]
fn bombs_and_depth_are_refused_quickly() {
    let mut bomb = "a0: &a0 [x, x]\n".to_owned();
    for level in 1..60 {
        let below = level - 1;
        let line = format!("a{level}: &a{level} [*a{below}, *a{below}]\n");
        bomb.push_str(&line);
    }
    assert_eq!(parse(&bomb).2[0].code, "yaml_alias");
    let mut merges = "a0: &a0 {x: 1}\n".to_owned();
    for level in 1..200 {
        let line = format!(
            "a{level}: &a{level} {{k{level}: {{<<: *a{}}}}}\n",
            level - 1
        );
        merges.push_str(&line);
    }
    assert_eq!(parse(&merges).2[0].code, "yaml_depth");
    for deep in [
        "[".repeat(50_000),
        "- ".repeat(50_000),
        "{a: ".repeat(50_000),
    ] {
        assert!(matches!(
            parse(&deep).2[0].code,
            "yaml_depth" | "yaml_syntax"
        ));
    }
    // Wide is fine, and not slow.
    let wide: Vec<String> = (0..20_000).map(|n| format!("k{n}: v\n")).collect();
    assert_eq!(one(&wide.concat()).as_map().unwrap().len(), 20_000);
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>()) {
        let (files, _, out) = parse(&text);
        render_all(&out, &files, Colour::Always);
    }

    #[test]
    fn nothing_like_yaml_panics(text in "[ \\n\\t:\\-\\[\\]{},&*!|>'\"%@#?a0é~<]{0,60}") {
        let (files, documents, out) = parse(&text);
        render_all(&out, &files, Colour::Never);
        for document in &documents {
            spans_fit(document, &files);
        }
    }
}

fn spans_fit(node: &Node, files: &Files) {
    let text = files.text(node.span.file);
    assert!(node.span.start <= node.span.end && node.span.end as usize <= text.len());
    assert!(
        text.get(node.span.start as usize..node.span.end as usize)
            .is_some()
    );
    match &node.kind {
        Kind::Seq(items) => items.iter().for_each(|item| spans_fit(item, files)),
        Kind::Map(entries) => entries.iter().for_each(|(key, value)| {
            spans_fit(key, files);
            spans_fit(value, files);
        }),
        _ => {}
    }
}
