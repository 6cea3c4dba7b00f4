//! The examples that come with the program.

use std::path::{Path, PathBuf};

use evenkeel_integration_tests::{Scratch, need};
use serde_json::json;

fn examples() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    root.join("playbooks/examples")
}

fn playbooks(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            playbooks(&path, found);
        } else if path.ends_with("site.yml") {
            found.push(path);
        }
    }
}

#[test]
fn no_example_has_an_unguarded_command() {
    let scratch = Scratch::new();
    let mut found = Vec::new();
    playbooks(&examples(), &mut found);
    assert!(!found.is_empty());
    for path in found {
        let mut args = vec!["validate", "--output", "json", path.to_str().unwrap()];
        let hosts = path.with_file_name("hosts.ini");
        if hosts.is_file() {
            args.extend(["-i", hosts.to_str().unwrap()]);
        }
        let ended = scratch.evenkeel(&args);
        let ended = ended.ok();
        assert_eq!(ended.last()["errors"], json!([]), "{ended}");
        assert_eq!(ended.last()["warnings"], json!([]), "{ended}");
        assert_eq!(ended.last()["unguarded"], json!([]), "{ended}");
    }
}

fn index() -> bool {
    let venv = "python3 -c 'import ensurepip, venv' && python3 -m pip download --no-deps -d \"$(mktemp -d)\" markdown==3.7";
    need("python3 with its venv module and a package index", venv)
}

#[test]
#[ignore = "network"]
fn the_quickstart_has_nothing_to_do_the_second_time() {
    if !index() {
        return;
    }
    let scratch = Scratch::new();
    let site = examples().join("quickstart/site.yml");
    let root = format!("root={}", scratch.path("root").display());
    let args = [site.to_str().unwrap(), "-e", &root];

    let plan = scratch.plan(&args).ok();
    assert!(!scratch.has("root"), "a plan changes nothing\n{plan}");
    let first = scratch.run(&args).ok().counts("unguarded", 0);
    assert!(
        scratch.read("root/public/index.html").contains("<h1"),
        "{first}"
    );
    plan.foretells(&first);

    let second = scratch.run(&args).ok().changed(0).exchanges(1);
    let second = second.counts("unguarded", 0);
    for task in second.tasks() {
        let quiet = ["unchanged", "assumed", "skipped"];
        assert!(quiet.contains(&task.outcome()), "{second}");
    }

    let titled = [&args[..], &["-e", "title=Hello"]].concat();
    let third = scratch.run(&titled).ok();
    let third = third.changes_are(&["write the page", "build the page"]);
    assert!(
        scratch.read("root/public/index.html").contains("Hello"),
        "{third}"
    );
}
