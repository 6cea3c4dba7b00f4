use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::{prelude::*, strategy::ValueTree as _};

use super::*;

const PLAIN: Layout = Layout {
    indent: 2,
    width: 80,
    flow: None,
    sort: true,
    unicode: true,
    start: false,
    end: false,
};

const NICE: Layout = Layout {
    indent: 4,
    flow: Some(false),
    ..PLAIN
};

fn value(json: serde_json::Value) -> Value {
    Value::from(json)
}

#[test]
fn as_pyyaml_lays_it_out() {
    let tree = value(serde_json::json!({
        "b": ["yes", "x: y", 1, {"k": "v", "l": true}], "a": {"m": "12", "e": [], "d": [[2, 3]]},
        "t": "a\nb\n", "n": null, "f": 1e30, "q": "it's", "tab": "a\tb"
    }));
    assert_eq!(
        yaml(&tree, NICE),
        "a:\n    d:\n    -   - 2\n        - 3\n    e: []\n    m: '12'\nb:\n- 'yes'\n- 'x: y'\n- 1\n-   k: v\n    l: true\n\
         f: 1.0e+30\nn: null\nq: it's\nt: 'a\n\n    b\n\n    '\ntab: \"a\\tb\"\n"
    );
    assert_eq!(
        yaml(&tree, PLAIN),
        "a:\n  d:\n  - [2, 3]\n  e: []\n  m: '12'\nb:\n- 'yes'\n- 'x: y'\n- 1\n- {k: v, l: true}\n\
         f: 1.0e+30\nn: null\nq: it's\nt: 'a\n\n  b\n\n  '\ntab: \"a\\tb\"\n"
    );
    let words = ["aaaaaaaaa"; 12].join(" ");
    let long = value(serde_json::json!({"long": words}));
    let line = ["aaaaaaaaa"; 8].join(" ");
    assert_eq!(
        yaml(&long, NICE),
        format!("long: {line}\n    {}\n", ["aaaaaaaaa"; 4].join(" "))
    );
    assert_eq!(yaml(&"x".into(), PLAIN), "x\n");
    assert_eq!(yaml(&value(serde_json::json!({})), NICE), "{}\n");
    let layout = Layout {
        start: true,
        end: true,
        ..NICE
    };
    assert_eq!(
        yaml(&value(serde_json::json!([1])), layout),
        "---\n- 1\n...\n"
    );
}

/// Values of every kind, with texts that are hard to write.
fn values() -> impl Strategy<Value = serde_json::Value> {
    let word = prop_oneof![
        "[ -~]{0,12}",
        "[a-c :#,'\"\\[\\]{}?!&*|>%@`=.~-]{0,8}",
        "[a-z]{1,9}( {1,2}[a-z']{1,12}){0,14}",
        "([a-z ]{0,6}\n){1,3}[a-z ]{0,4}",
        "[\u{0}\u{7}\u{1b}\t\u{85}\u{a0}éß\u{2028}😀\u{feff}a b]{0,6}( {1,2}[a-zé]{3,12}){0,12}",
        "[0-9_:.+e-]{0,9}",
        prop::sample::select(vec![
            "yes",
            "No",
            "null",
            "~",
            "<<",
            "=",
            "0x1f",
            "1_0",
            "12:30",
            "2020-01-01",
            "---",
            "..."
        ])
        .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        word.clone().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<bool>().prop_map(serde_json::Value::from),
        (-1e20..1e20_f64).prop_map(serde_json::Value::from),
        prop::sample::select(vec![0.0, 1e16, 1e15, 1e-4, 1e-5, 123.456, 5e-324])
            .prop_map(serde_json::Value::from),
        Just(serde_json::Value::Null),
    ];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        let map = prop::collection::vec((word.clone(), inner.clone()), 0..5);
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(serde_json::Value::from),
            map.prop_map(|pairs| serde_json::Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// What `PyYAML` writes, if it is there: a text a value.
fn pyyaml(values: &[serde_json::Value], options: &str) -> Option<Vec<String>> {
    let program = format!(
        "import json, sys, yaml\n\
         print(json.dumps([yaml.safe_dump(value, {options}) for value in json.load(sys.stdin)]))"
    );
    let mut child = Command::new("python3")
        .args(["-c", &program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let text = serde_json::to_vec(values).ok()?;
    child.stdin.take()?.write_all(&text).ok()?;
    let said = child.wait_with_output().ok()?;
    serde_json::from_slice(&said.stdout).ok()
}

/// Byte for byte, where Python has `PyYAML`.
#[test]
fn any_value_is_written_as_pyyaml_writes_it() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let values: Vec<serde_json::Value> = (0..1500)
        .map(|_| values().new_tree(&mut runner).expect("a value").current())
        .collect();
    for (layout, options) in [
        (PLAIN, "allow_unicode=True, default_flow_style=None"),
        (
            NICE,
            "allow_unicode=True, default_flow_style=False, indent=4",
        ),
        (
            Layout {
                flow: Some(true),
                width: 30,
                sort: false,
                unicode: false,
                start: true,
                ..PLAIN
            },
            "default_flow_style=True, width=30, sort_keys=False, explicit_start=True",
        ),
    ] {
        let Some(wanted) = pyyaml(&values, options) else {
            eprintln!("skipped: there is no python3 with PyYAML");
            return;
        };
        for (json, wanted) in values.iter().zip(wanted) {
            // Of a text alone PyYAML says that the document ends there; Ansible leaves that out.
            let wanted = match wanted.strip_suffix("...\n") {
                Some(shorter) if !json.is_array() && !json.is_object() => shorter,
                _ => &wanted,
            };
            assert_eq!(yaml(&value(json.clone()), layout), wanted, "{json}");
        }
    }
}
