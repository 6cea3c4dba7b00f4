use std::fs;

use serde_json::{Value as Json, json};

use super::{files::fits, *};

fn around<'a>(folders: &'a [PathBuf], groups: &'a [(String, Vec<String>)]) -> Around<'a> {
    Around {
        folders,
        kind: "files",
        groups,
    }
}

fn items(kind: LoopKind, given: Json) -> Json {
    let items = of(kind, Value::from(given), &around(&[], &[])).expect("they are known");
    items.into_iter().collect::<Value>().to_json()
}

fn wrong(kind: LoopKind, given: Json) -> String {
    match of(kind, Value::from(given), &around(&[], &[])) {
        Err(Trouble::Wrong(message, help)) => format!("{message}; {help}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_kind_that_goes_over_what_it_is_given() {
    for (kind, given, wanted) in [
        (LoopKind::Loop, json!([[1], 2]), json!([[1], 2])),
        (LoopKind::List, json!([[1], 2]), json!([[1], 2])),
        (LoopKind::List, json!({"a": 1}), json!([{"a": 1}])),
        (
            LoopKind::IndexedItems,
            json!({"a": 1}),
            json!([[0, {"a": 1}]]),
        ),
        (LoopKind::Items, json!([[1, [2]], 3]), json!([1, [2], 3])),
        (LoopKind::Items, json!("a"), json!(["a"])),
        (LoopKind::Flattened, json!([[1, [2]], 3]), json!([1, 2, 3])),
        (
            LoopKind::Dict,
            json!({"a": 1}),
            json!([{"key": "a", "value": 1}]),
        ),
        (
            LoopKind::Dict,
            json!([{"a": 1}, {"b": 2}]),
            json!([{"key": "a", "value": 1}, {"key": "b", "value": 2}]),
        ),
        (LoopKind::IndexedItems, json!(["a"]), json!([[0, "a"]])),
        (
            LoopKind::Together,
            json!([[1, 2], ["a"]]),
            json!([[1, "a"], [2, null]]),
        ),
        (
            LoopKind::Nested,
            json!([[1, 2], ["a"]]),
            json!([[1, "a"], [2, "a"]]),
        ),
        (
            LoopKind::Nested,
            json!([[[1, 2]], ["a"]]),
            json!([[1, 2, "a"]]),
        ),
        (
            LoopKind::Subelements,
            json!([[{"n": "x", "k": {"l": [1, 2]}}, {"n": "y"}], "k.l", {"skip_missing": true}]),
            json!([[{"n": "x", "k": {}}, 1], [{"n": "x", "k": {}}, 2]]),
        ),
        (
            LoopKind::Subelements,
            json!([{"a": {"l": [1]}, "b": {"l": [2], "skipped": true}}, "l"]),
            json!([[{}, 1]]),
        ),
    ] {
        assert_eq!(items(kind, given.clone()), wanted, "{kind:?} {given}");
    }
    assert!(wrong(LoopKind::Loop, json!("x")).starts_with("`loop` wants a list"));
    for (given, said) in [
        (json!([[{"n": 1}], "l"]), "an item has no `l`"),
        (json!([[{"l": 1}], "l"]), "`l` of an item is a whole number"),
        (json!([[1], "l"]), "goes over maps"),
        (json!([[], 1]), "wants a key second"),
        (json!([[]]), "wants two or three terms, not 1"),
        (json!([[], "l", {"skip": true}]), "has no flag `skip`"),
    ] {
        let found = wrong(LoopKind::Subelements, given);
        assert!(found.contains(said), "{found}");
    }
    let later = Value::NotYet(NotYet::new("x"));
    let found = of(LoopKind::List, later, &around(&[], &[]));
    assert!(matches!(found, Err(Trouble::NotYet(_))));
}

#[test]
fn numbers_in_every_form() {
    for (term, wanted) in [
        ("3", "1 2 3"),
        ("5-8", "5 6 7 8"),
        ("2-10/4", "2 6 10"),
        ("4:host%02d", "host01 host02 host03 host04"),
        (
            "start=5 end=11 stride=2 format=0x%02x",
            "0x05 0x07 0x09 0x0b",
        ),
        ("start=0x0f00 count=2 format=%04x", "0f00 0f01"),
        ("start=0 count=3 stride=2", "0 2 4"),
        ("start=3 end=1 stride=-1", "3 2 1"),
        ("count=0", ""),
        ("end=4 stride=0", ""),
        ("end=2 format='a %3d b'", "a   1 b a   2 b"),
    ] {
        let found = of(LoopKind::Sequence, term.into(), &around(&[], &[])).expect(term);
        let found: Vec<String> = found.iter().filter_map(Value::as_text).collect();
        assert_eq!(found.join(" "), wanted, "{term}");
    }
    for (term, said) in [
        ("start=1", "wants an `end` or a `count`;"),
        ("end=1 count=2", "not both"),
        ("start=3 end=1", "from 3 by 1 it never comes to 1"),
        ("end=1 stride=-1 start=0", "never comes to 1"),
        (
            "end=x",
            "`end` of `with_sequence` is a whole number, not `x`",
        ),
        ("stop=3", "has no `stop`"),
        ("end=2 format=%d%d", "is no format for one number"),
        ("end=2 format=x", "is no format"),
        ("what", "cannot read `what`"),
        ("end=99999999999", "too many"),
    ] {
        let found = wrong(LoopKind::Sequence, json!(term));
        assert!(found.contains(said), "{term}: {found}");
    }
}

#[test]
fn files_of_this_machine() {
    let temp = tempfile::tempdir().expect("a folder");
    let at = |name: &str| temp.path().join(name);
    for folder in ["files/sub", "vars"] {
        fs::create_dir_all(at(folder)).expect("made");
    }
    for name in [
        "files/b.conf",
        "files/a.conf",
        "files/.c.conf",
        "x.conf",
        "files/sub/y",
        "vars/v.yml",
    ] {
        fs::write(at(name), format!("{name}\n\n")).expect("written");
    }
    let folders = [temp.path().to_owned()];
    let found = |kind, given: Json, folder| {
        let around = Around {
            kind: folder,
            ..around(&folders, &[])
        };
        let found = match of(kind, Value::from(given), &around) {
            Ok(found) => found,
            Err(trouble) => return format!("{trouble:?}"),
        };
        let texts: Vec<String> = found.iter().filter_map(Value::as_text).collect();
        texts
            .join(" ")
            .replace(&format!("{}/", temp.path().display()), "")
    };
    for (given, wanted) in [
        (json!("*.conf"), "files/a.conf files/b.conf"),
        (json!(["x*", "sub/*"]), "x.conf files/sub/y"),
        (json!("nothing*"), ""),
        (json!(at("*.conf").display().to_string()), "x.conf"),
    ] {
        assert_eq!(found(LoopKind::FileGlob, given, "files"), wanted);
    }
    assert_eq!(
        found(LoopKind::File, json!("a.conf"), "files"),
        "files/a.conf"
    );
    assert!(found(LoopKind::File, json!("z"), "files").contains("there is no file `z`"));
    for (given, folder, wanted) in [
        (json!(["z", "a.conf", "x.conf"]), "files", "files/a.conf"),
        (json!("z,x.conf"), "files", "x.conf"),
        (
            json!([{"files": ["z", "v.yml"], "paths": ["q", "vars"]}]),
            "files",
            "vars/v.yml",
        ),
        (json!({"files": "v.yml"}), "vars", "vars/v.yml"),
        (json!([{"files": ["z"], "skip": true}]), "files", ""),
    ] {
        assert_eq!(found(LoopKind::FirstFound, given, folder), wanted);
    }
    assert!(found(LoopKind::FirstFound, json!(["z"]), "files").contains("there is none: `z`"));
    // One that is there is found before one that is not known.
    let later = || Value::NotYet(NotYet::new("x"));
    let around = around(&folders, &[]);
    let first = of(
        LoopKind::FirstFound,
        Value::Seq(vec!["x.conf".into(), later()]),
        &around,
    );
    assert_eq!(first.map(|found| found.len()).unwrap_or_default(), 1);
    let later = of(
        LoopKind::FirstFound,
        Value::Seq(vec![later(), "x.conf".into()]),
        &around,
    );
    assert!(matches!(later, Err(Trouble::NotYet(_))));
}

#[test]
fn hosts_by_pattern() {
    let hosts = |names: &[&str]| {
        names
            .iter()
            .map(|&name| name.to_owned())
            .collect::<Vec<_>>()
    };
    let groups = [
        ("all".to_owned(), hosts(&["a", "b", "c"])),
        ("web".to_owned(), hosts(&["b"])),
    ];
    let around = around(&[], &groups);
    for (pattern, wanted) in [
        ("all:!web", vec!["a", "c"]),
        ("web", vec!["b"]),
        ("nobody", vec![]),
    ] {
        let found = of(LoopKind::Hostnames, pattern.into(), &around).expect(pattern);
        let found: Vec<String> = found.iter().filter_map(Value::as_text).collect();
        assert_eq!(found, wanted);
    }
}

#[test]
fn patterns_of_names() {
    for (pattern, name, wanted) in [
        ("*.y*ml", "a.yaml", true),
        ("*.yml", "a.yaml", false),
        ("?.[a-c]", "x.b", true),
        ("?.[!a-c]", "x.b", false),
        ("*", ".hidden", false),
        (".*", ".hidden", true),
        ("[", "[", true),
        ("a*b*c", "axxbyyc", true),
        ("a*b*c", "axxbyy", false),
    ] {
        assert_eq!(fits(pattern, name), wanted, "{pattern} {name}");
    }
}
