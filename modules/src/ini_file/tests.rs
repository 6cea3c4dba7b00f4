//! What must hold for any text, and what Python makes of it.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};

use super::{
    edit::{Place, Style, normal},
    text::{Ini, Kind},
};

const STYLE: Style = Style {
    tight: false,
    ignore_spaces: false,
    inactive: true,
    exclusive: true,
};

fn place(section: Option<&str>) -> Place<'_> {
    Place {
        section: section.map(str::as_bytes),
        conditions: &[],
    }
}

/// Files that people may have.
fn file() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        4 => "[abAB.] ?[=:] ?[xyz%#;= é]{0,6}",
        1 => "[ab.]",
        2 => "\\[(s|t|app:main| u )\\]",
        2 => "[#;] ?[ab] ?= ?[xyz]{0,3}",
        2 => "[#;] [a-z ]{0,9}",
        2 => "",
        3 => "[ \t]{1,4}[xyz]{1,3}",
        1 => "[ \t]{1,4}[ab] = [xyz]{0,3}",
        1 => "[ \t]{1,4}# [xyz]{0,3}",
        1 => " {1,3}",
    ];
    let end = prop_oneof![8 => Just("\n"), 1 => Just("\r\n")];
    let lines = proptest::collection::vec((line, end), 0..14);
    (lines, any::<bool>()).prop_map(|(lines, cut)| {
        let mut text: String = lines
            .iter()
            .flat_map(|(line, end)| [line.as_str(), end])
            .collect();
        if cut {
            text.pop();
        }
        text
    })
}

fn section() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        1 => Just(None),
        4 => "(s|t|new|app:main)".prop_map(Some),
    ]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[xyz%#;=: é]{0,6}",
        1 => "[xyz]{0,2}(\n ?[xyz=\\[\\]:]{0,4}){1,3}",
    ]
}

fn set(
    before: &str,
    section: Option<&str>,
    option: &str,
    values: &[Option<&str>],
) -> Option<String> {
    let mut ini = Ini::parse(before.as_bytes());
    let values: Vec<_> = values
        .iter()
        .map(|value| value.map(|v| v.as_bytes().to_vec()))
        .collect();
    ini.set(place(section), Some(option.as_bytes()), &values, STYLE)
        .ok()?;
    Some(String::from_utf8(ini.print()).unwrap())
}

/// Section, name, value.
type Set = (Vec<u8>, Vec<u8>, Option<Vec<u8>>);

/// What is set, without where its lines are.
fn settings(text: &str) -> Vec<Set> {
    let all = Ini::parse(text.as_bytes()).settings();
    all.into_iter()
        .map(|one| (one.section.1, one.name, one.value.as_deref().map(normal)))
        .collect()
}

fn comments(text: &str) -> Vec<Vec<u8>> {
    let lines = Ini::parse(text.as_bytes()).lines;
    let lines = lines.into_iter().filter(|line| line.kind == Kind::Comment);
    lines
        .map(|line| super::text::trim(&line.bytes).to_vec())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_come_out_as_they_went_in(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(Ini::parse(&bytes).print(), bytes);
    }

    #[test]
    fn any_file_comes_out_as_it_went_in(text in file()) {
        prop_assert_eq!(Ini::parse(text.as_bytes()).print(), text.into_bytes());
    }

    #[test]
    fn what_is_set_is_there_and_is_set_once(
        text in file(), section in section(), option in "[ab.A]", value in value(),
    ) {
        let section = section.as_deref();
        let Some(after) = set(&text, section, &option, &[Some(&value)]) else {
            // Its depths are at odds, which is told.
            return Ok(());
        };
        let again = set(&after, section, &option, &[Some(&value)]);
        prop_assert_eq!(again.as_deref(), Some(after.as_str()));
        let ini = Ini::parse(after.as_bytes());
        let shown = ini.shown(place(section), Some(option.as_bytes())).unwrap();
        let wanted = String::from_utf8(normal(value.as_bytes())).unwrap();
        prop_assert!(shown == wanted || shown.starts_with(&format!("{wanted}, ")), "{shown:?} {wanted:?}");
        // Nothing else is lost or set otherwise.
        let key = |one: &Set| {
            one.0 == section.unwrap_or_default().as_bytes() && one.1 == option.as_bytes()
        };
        let others = |text: &str| {
            let mut all = settings(text);
            all.retain(|one| !key(one));
            all
        };
        prop_assert_eq!(others(&text), others(&after));
        let (before, after) = (comments(&text), comments(&after));
        prop_assert!(before.len() - after.len() <= 1, "{:?} {:?}", before, after);
    }

    #[test]
    fn what_is_removed_is_gone_and_nothing_else_is(
        text in file(), section in section(), option in "[ab.]",
    ) {
        let mut ini = Ini::parse(text.as_bytes());
        if ini.remove(place(section.as_deref()), Some(option.as_bytes()), &[], true).is_err() {
            return Ok(());
        }
        let name = section.unwrap_or_default().into_bytes();
        let after = String::from_utf8(ini.print()).unwrap();
        let mut wanted = settings(&text);
        wanted.retain(|one| one.0 != name || one.1 != option.as_bytes());
        prop_assert_eq!(settings(&after), wanted);
        prop_assert_eq!(comments(&after), comments(&text));
    }

    #[test]
    fn all_values_of_a_list_are_there(
        text in file(), values in proptest::collection::vec("[xyz]{1,2}", 1..4), option in "[ab]",
    ) {
        let values: Vec<Option<&str>> = values.iter().map(|value| Some(value.as_str())).collect();
        let Some(after) = set(&text, Some("s"), &option, &values) else {
            return Ok(());
        };
        let again = set(&after, Some("s"), &option, &values);
        prop_assert_eq!(again.as_deref(), Some(after.as_str()));
        let mut backwards = values.clone();
        backwards.reverse();
        let again = set(&after, Some("s"), &option, &backwards);
        prop_assert_eq!(again.as_deref(), Some(after.as_str()));
    }
}

const PYTHON: &str = r"
import configparser, json, sys
out = []
for text in json.load(sys.stdin):
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True, default_section='no such')
    parser.optionxform = str
    try:
        parser.read_string(text)
        out.append([[s, o, v] for s in parser.sections() for o, v in parser.items(s)])
    except Exception as error:
        out.append(None)
json.dump(out, sys.stdout)
";

/// What Python reads in these files: the last of each option counts.
type Read = Option<Vec<(String, String, Option<String>)>>;

fn python(texts: &[String]) -> Option<Vec<Read>> {
    let mut child = Command::new("python3")
        .args(["-c", PYTHON])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let json = serde_json::to_vec(texts).unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(&json).unwrap());
    let out = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(out.status.success());
    Some(serde_json::from_slice(&out.stdout).unwrap())
}

/// What we read, as Python puts it.
fn ours(text: &str) -> Vec<(String, String, Option<String>)> {
    let mut found: Vec<(String, String, Option<String>)> = Vec::new();
    let text_of = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    for (section, name, value) in settings(text) {
        let (section, name, value) = (text_of(section), text_of(name), value.map(text_of));
        match found
            .iter_mut()
            .find(|one| one.0 == section && one.1 == name)
        {
            Some(one) => one.2 = value,
            None => found.push((section, name, value)),
        }
    }
    found.sort();
    found
}

/// Files that Python accepts; it reads each as we do, before and after something is set.
#[test]
fn python_reads_it_as_we_do() {
    let mut runner = TestRunner::deterministic();
    let strategy = (file(), section(), "[ab.]", value());
    let colon = regex::Regex::new("(?m)^[^=\n]*?:[^ =\n][^\n]*=").unwrap();
    let samples: Vec<_> = (0..1500)
        .map(|_| strategy.new_tree(&mut runner).unwrap().current())
        // There we differ: a `:` within a word is part of the name.
        .filter(|sample| !colon.is_match(&sample.0))
        .collect();
    let texts: Vec<String> = samples
        .iter()
        // Python has names of sections with spaces around them.
        .map(|sample| sample.0.replace("[ u ]", "[u]"))
        .collect();
    let after: Vec<String> = samples
        .iter()
        .zip(&texts)
        .map(|((_, section, option, value), text)| {
            let section = section.as_deref().unwrap_or("s");
            set(text, Some(section), option, &[Some(value)]).unwrap_or_default()
        })
        .collect();
    let Some(read) = python(&[texts.clone(), after.clone()].concat()) else {
        return;
    };
    let mut compared = 0;
    for (at, (text, read)) in texts.iter().chain(&after).zip(&read).enumerate() {
        let Some(read) = read else { continue };
        let mut read = read.clone();
        read.sort();
        assert_eq!(ours(text), read, "file {at}:\n{text}");
        compared += 1;
        if let Some(sample) = at.checked_sub(texts.len()).map(|at| &samples[at]) {
            let section = sample.1.as_deref().unwrap_or("s");
            let wanted = String::from_utf8(normal(sample.3.as_bytes())).unwrap();
            let is_set = |one: &(String, String, Option<String>)| {
                one.0 == section && one.1 == sample.2 && one.2.as_ref() == Some(&wanted)
            };
            // Of several sections of one name the last counts for Python, and the first is set.
            let header = format!("[{section}]");
            let twice = text.lines().filter(|line| line.trim() == header).count() > 1;
            assert!(
                text.is_empty() || twice || read.iter().any(is_set),
                "file {at}:\n{text}"
            );
        }
    }
    assert!(compared > 800, "{compared}");
}

/// Our own name for what Python cannot hold is refused where it is set.
#[test]
fn what_cannot_be_read_back_is_no_name() {
    use super::edit::{is_name, is_value};
    for name in [
        "a",
        "sqlalchemy.url",
        "a b",
        "é",
        "-x",
        "$(id)",
        "a;b",
        "\"q\"",
        "app:main",
    ] {
        assert!(is_name(name.as_bytes(), false), "{name}");
    }
    for name in ["", "#a", ";a", "[a", "a=b", "a: b", " a", "a ", "a\nb"] {
        assert!(!is_name(name.as_bytes(), false), "{name}");
    }
    assert!(!is_name(b"app:main", true));
    assert!(is_value(b"# x") && is_value(b"a\nb\n\nc") && !is_value(b"a\n # b"));
}
