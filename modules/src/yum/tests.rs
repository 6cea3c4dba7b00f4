use evenkeel_engine::{
    Action, Run, Value, bind,
    probes::{Answered, Ask, Which},
};

use super::*;

fn args(json: serde_json::Value) -> Args {
    let args = bind(&Value::from(json)).unwrap();
    Yum::check(&args).unwrap();
    args
}

/// A host with dnf and these packages (`name-version-release`), and nothing else.
fn seen(args: &Args, packages: &[&str]) -> Seen {
    let mut seen = Seen::default()
        .with(&Which("dnf".to_owned()), Some("/usr/bin/dnf".to_owned()))
        .with(&Which("yum".to_owned()), None);
    for name in &args.name {
        seen = seen.with(&Provides(name.clone()), Vec::new());
        let spec::Spec::Package(readings) = spec::spec(name) else { continue };
        for reading in readings {
            let there = packages.iter().filter_map(|package| {
                let (name, evr) = package.split_once(' ')?;
                (name == reading.name).then(|| Nevra {
                    name: name.to_owned(),
                    evr: Evr::parse(evr).unwrap(),
                    arch: "x86_64".to_owned(),
                })
            });
            seen = seen.with(&Package(reading.name.clone()), there.collect());
        }
    }
    seen
}

fn plan(args: &Args, seen: &Seen) -> Vec<String> {
    let plan = Yum::plan(args, seen).unwrap();
    plan.changes.iter().map(|change| change.what.clone()).collect()
}

fn run(args: &Args, seen: &Seen) -> Run {
    let plan = Yum::plan(args, seen).unwrap();
    let Action::Run(run) = &plan.changes.last().unwrap().steps[0].action else { panic!() };
    run.clone()
}

#[test]
fn missing_packages_are_one_transaction() {
    let args = args(serde_json::json!({ "name": "a, b,c" }));
    let seen = seen(&args, &["b 1-1"]);
    assert_eq!(plan(&args, &seen), ["package `a`", "package `c`"]);
    let run = run(&args, &seen);
    assert_eq!(run.argv, ["dnf", "-y", "install"]);
    assert_eq!(run.joins.unwrap(), ["a", "c"]);
    assert!(run.long);
    assert_eq!(Yum::touches(&args).commutes, Some("packages"));
}

#[test]
fn present_never_upgrades() {
    let args = args(serde_json::json!({ "name": ["pkg"], "state": "installed" }));
    assert!(plan(&args, &seen(&args, &["pkg 1.0-1"])).is_empty());
}

#[test]
fn versions_decide() {
    let due = |name: &str, packages: &[&str], more: serde_json::Value| {
        let mut json = serde_json::json!({ "name": [name] });
        json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let args = args(json);
        !plan(&args, &seen(&args, packages)).is_empty()
    };
    let none = || serde_json::json!({});
    assert!(due("pkg >= 1.1", &["pkg 1.0-1"], none()));
    assert!(!due("pkg >= 1.1", &["pkg 1.1-1"], none()));
    assert!(due("pkg-1.1-1", &["pkg 1.0-1"], none()));
    assert!(!due("pkg-1.0-1", &["pkg 2.0-1"], none()));
    assert!(due("pkg-1.0-1", &["pkg 2.0-1"], serde_json::json!({ "allow_downgrade": true })));
    assert!(!due("1:pkg-1.0-1", &["pkg 1:1.0-1"], none()));
    assert!(!due("pkg-1.0-1", &["pkg 1:1.0-1"], none()));
    assert!(!due("number-11-name-11.0", &["number-11-name-11.0 1-1"], none()));
    assert!(!due("/srv/pkg-1.0-1.x86_64.rpm", &["pkg 2.0-1"], none()));
    assert!(due("/srv/pkg-2.0-1.x86_64.rpm", &["pkg 1.0-1"], none()));
}

#[test]
fn a_file_or_capability_is_there_with_its_provider() {
    for name in ["/usr/bin/vi", "mta"] {
        let args = args(serde_json::json!({ "name": name }));
        assert_eq!(plan(&args, &seen(&args, &[])), [format!("package `{name}`")]);
        let there = seen(&args, &[]).with(&Provides(name.to_owned()), vec!["x".to_owned()]);
        assert!(plan(&args, &there).is_empty());
    }
}

#[test]
fn what_is_not_there_need_not_be_removed() {
    let args = args(serde_json::json!({ "name": ["a", "b"], "state": "removed" }));
    assert!(plan(&args, &seen(&args, &[])).is_empty());
    let there = seen(&args, &["b 2-1"]);
    assert_eq!(plan(&args, &there), ["package `b`"]);
    assert_eq!(run(&args, &there).argv, ["dnf", "-y", "remove"]);
}

fn ask(words: &[&str], status: i32, stdout: &str, seen: Seen) -> Seen {
    let argv = ["env", "LC_ALL=C", "dnf", "--assumeno"].iter().chain(words).copied();
    seen.with(&Ask::new(argv), Answered { status, stdout: stdout.to_owned() })
}

#[test]
fn dnf_resolves_groups_patterns_and_upgrades() {
    let group = args(serde_json::json!({ "name": "@core" }));
    let base = || seen(&group, &[]);
    let there = ask(&["install", "@core"], 0, "Nothing to do.\nComplete!", base());
    assert!(plan(&group, &there).is_empty());
    let missing = ask(&["install", "@core"], 1, "Transaction Summary", base());
    assert_eq!(plan(&group, &missing), ["package `@core`"]);

    let latest = args(serde_json::json!({ "name": ["a", "b"], "state": "latest", "security": true }));
    let base = seen(&latest, &["a 1-1"]);
    let newer = ask(&["upgrade", "--security", "a"], 1, "Transaction Summary", base);
    assert_eq!(plan(&latest, &newer), ["package `b`", "package `a`"]);
    assert_eq!(run(&latest, &newer).argv, ["dnf", "-y", "upgrade", "--security"]);

    let only = args(serde_json::json!({ "name": "a", "state": "latest", "update_only": true }));
    assert!(plan(&only, &seen(&only, &[])).is_empty());
}

#[test]
fn without_dnf_it_cannot_be_decided() {
    let args = args(serde_json::json!({ "name": "a" }));
    let seen = seen(&args, &[]).with(&Which("dnf".to_owned()), None);
    let Err(Stop::NotYet(what)) = Yum::plan(&args, &seen) else { panic!() };
    assert!(what.0.starts_with("`dnf` or `yum`"));
}
