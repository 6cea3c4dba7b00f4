//! Mistakes of whole projects: a file below `tests/mistakes` holds the files of a project, each under a line
//! `== NAME`, and last, under `== stderr`, all that `validate` and `run` must say of it. Both refuse it, and touch
//! nothing. `EVENKEEL_BLESS=1 cargo test --test cli mistakes` writes the pages anew; the difference is the review.

use std::{collections::BTreeMap, fs, path::Path};

use super::case::Case;

/// The parts of a page, in order.
fn parts(page: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for part in page.split("\n== ") {
        let part = part.strip_prefix("== ").unwrap_or(part);
        let (name, text) = part.split_once('\n').unwrap_or((part, ""));
        found.push((name, text));
    }
    found
}

/// What a command says that refuses a project; nothing is done.
fn refused(command: &str, files: &[(&str, &str)]) -> String {
    let inventory = files.iter().map(|(name, _)| *name);
    let inventory = inventory.rev().find(|name| name.starts_with("inv"));
    let inventory = inventory.unwrap_or("localhost,");
    let mut case = Case::new(&[command, "-i", inventory, "-c", "local", "site.yml"]);
    for (name, text) in files {
        case = case.file(name, &format!("{text}\n"));
    }
    let folder = case.path("");
    let ended = case.any_stderr().status(5).run();
    assert!(!ended.path("touched").exists(), "{command} did something");
    let folder = folder.to_str().unwrap().trim_end_matches('/');
    ended.stderr.replace(folder, "[DIR]")
}

#[test]
fn mistakes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes");
    let bless = std::env::var_os("EVENKEEL_BLESS").is_some();
    let pages: BTreeMap<_, _> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect();
    assert!(pages.len() > 60, "the pages are not found");
    for (path, page) in pages {
        let mut files = parts(&page);
        let (_, wanted) = files.pop().filter(|(name, _)| *name == "stderr").unwrap();
        let said = refused("validate", &files);
        assert!(
            said.starts_with("error") || said.starts_with("warning"),
            "{}: {said}",
            path.display()
        );
        if bless {
            let before = page.len() - wanted.len();
            fs::write(&path, format!("{}{said}", &page[..before])).unwrap();
            continue;
        }
        assert_eq!(said, wanted, "{}", path.display());
        assert_eq!(refused("run", &files), wanted, "run {}", path.display());
    }
}
