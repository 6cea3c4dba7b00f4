//! The gallery of mistakes: one file, one mistake, one page. The whole page is compared.
//!
//! `EVENKEEL_BLESS=1 cargo test -p evenkeel --test errors` writes the pages anew.

use std::{fs, path::Path};

use evenkeel::{
    diagnostic::{Colour, Diagnostic, render_all},
    files::Files,
    parse::{check_references, read_playbook},
};

const MODULES: [&str; 14] = [
    "assert", "command", "copy", "debug", "dnf", "fail", "file", "script", "set_fact", "shell",
    "systemd", "template", "user", "yum",
];

fn page(path: &Path, name: &str) -> String {
    let mut files = Files::new();
    let text = fs::read_to_string(path).expect("the case is there");
    let file = files.add(name, text);
    let (playbook, mut found) = read_playbook(&files, file, &MODULES);
    assert_eq!(
        playbook.is_none(),
        found.iter().any(Diagnostic::is_error),
        "{name}"
    );
    if let Some(playbook) = playbook {
        found.extend(check_references(&[playbook]));
    }
    render_all(&found, &files, Colour::Never)
}

#[test]
fn gallery() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/errors");
    let bless = std::env::var_os("EVENKEEL_BLESS").is_some();
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let mut wrong = Vec::new();
    let cases: Vec<&String> = names
        .iter()
        .filter(|name| name.strip_suffix(".yml").is_some())
        .collect();
    assert!(cases.len() > 40, "the gallery is not found");
    for name in cases {
        let page = page(&folder.join(name), name);
        let stderr = folder.join(name.replace(".yml", ".stderr"));
        if bless {
            fs::write(&stderr, &page).unwrap();
        } else if fs::read_to_string(&stderr).unwrap_or_default() != page {
            wrong.push(format!("{name} now says:\n{page}"));
        }
        if page.is_empty() != name.starts_with("ok_") {
            wrong.push(format!(
                "{name}: an `ok_` case says nothing, any other says something"
            ));
        }
    }
    for name in names.iter().filter(|name| name.ends_with(".stderr")) {
        let case = name.replace(".stderr", ".yml");
        assert!(names.contains(&case), "{name} belongs to no case");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
