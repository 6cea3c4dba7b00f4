use evenkeel_engine::{Action, Run, Value, bind, probes::Which};

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
        let spec::Spec::Package(readings) = spec::spec(name) else {
            continue;
        };
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

/// The same, where dnf says this to whatever it is asked.
fn said(args: &Args, mut seen: Seen, status: i32, text: &str) -> Seen {
    for probe in Yum::observe(args, &seen) {
        if let Some(question) = probe.as_any().downcast_ref::<Resolve>() {
            seen = said_to(question, seen, status, text);
        }
    }
    seen
}

fn said_to(question: &Resolve, seen: Seen, status: i32, text: &str) -> Seen {
    let said = Said {
        status,
        merged: false,
        text: text.to_owned(),
    };
    seen.with(question, said)
}

/// What is asked of dnf.
fn asked(args: &Args, seen: &Seen) -> Vec<String> {
    let probes = Yum::observe(args, seen);
    let questions = probes
        .iter()
        .filter_map(|probe| probe.as_any().downcast_ref::<Resolve>());
    let words = |question: &Resolve| {
        let head = question
            .head
            .iter()
            .filter(|word| !word.starts_with("--setopt"));
        head.chain(&question.names)
            .cloned()
            .collect::<Vec<_>>()
            .join(" ")
    };
    questions.map(words).collect()
}

/// A table of dnf's with these rows, each below what stands over it.
fn table(rows: &[(&str, &str)]) -> String {
    let rows = rows
        .iter()
        .map(|(head, row)| format!("{head}:\n {row} shop 5.9 k\n"));
    let rows: Vec<String> = rows.collect();
    format!(
        "Dependencies resolved.\n{}\nOperation aborted.",
        rows.concat()
    )
}

/// What is to be changed; where dnf is asked, it is busy.
fn plan(args: &Args, seen: &Seen) -> Vec<String> {
    let seen = said(args, seen.clone(), 200, "");
    let plan = Yum::plan(args, &seen).unwrap();
    plan.changes
        .iter()
        .map(|change| change.what.clone())
        .collect()
}

fn run(args: &Args, seen: &Seen) -> Run {
    let seen = said(args, seen.clone(), 200, "");
    let plan = Yum::plan(args, &seen).unwrap();
    let Action::Run(mut run) = plan.changes.last().unwrap().steps[0].action.clone() else {
        panic!()
    };
    run.argv.retain(|word| !word.starts_with("--setopt"));
    run
}

#[test]
fn a_package_with_a_longer_name_is_another() {
    for (name, there) in [
        ("xz-devel", "xz 5.2-1"),
        ("openssl-devel.x86_64", "openssl 3.0-1"),
        ("java-11-openjdk", "java 17-1"),
        ("python3-pip", "python3 3.9-1"),
        ("perl-App-cpanminus", "perl-App 1-1"),
    ] {
        let args = args(serde_json::json!({ "name": name }));
        let seen = seen(&args, &[there]);
        assert_eq!(plan(&args, &seen), [format!("package `{name}`")]);
    }
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
        json.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let args = args(json);
        !plan(&args, &seen(&args, packages)).is_empty()
    };
    let none = || serde_json::json!({});
    assert!(due("pkg >= 1.1", &["pkg 1.0-1"], none()));
    assert!(!due("pkg >= 1.1", &["pkg 1.1-1"], none()));
    assert!(due("pkg-1.1-1", &["pkg 1.0-1"], none()));
    assert!(!due("pkg-1.0-1", &["pkg 2.0-1"], none()));
    assert!(due(
        "pkg-1.0-1",
        &["pkg 2.0-1"],
        serde_json::json!({ "allow_downgrade": true })
    ));
    assert!(!due("1:pkg-1.0-1", &["pkg 1:1.0-1"], none()));
    assert!(!due("pkg-1.0-1", &["pkg 1:1.0-1"], none()));
    assert!(!due(
        "number-11-name-11.0",
        &["number-11-name-11.0 1-1"],
        none()
    ));
    assert!(!due("/srv/pkg-1.0-1.x86_64.rpm", &["pkg 2.0-1"], none()));
    assert!(due("/srv/pkg-2.0-1.x86_64.rpm", &["pkg 1.0-1"], none()));
}

#[test]
fn a_file_or_capability_is_there_with_its_provider() {
    for name in ["/usr/bin/vi", "mta"] {
        let args = args(serde_json::json!({ "name": name }));
        assert_eq!(
            plan(&args, &seen(&args, &[])),
            [format!("package `{name}`")]
        );
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

#[test]
fn dnf_resolves_groups_patterns_and_upgrades() {
    let group = args(serde_json::json!({ "name": "@core" }));
    let seen_of = |args: &Args, packages: &[&str]| seen(args, packages);
    let base = || seen_of(&group, &[]);
    assert_eq!(asked(&group, &base()), ["--assumeno install @core"]);
    let there = said(&group, base(), 0, "Nothing to do.\nComplete!");
    assert!(Yum::plan(&group, &there).unwrap().changes.is_empty());
    let missing = table(&[("Installing group/module packages", "gcc x86_64 1-1")]);
    let missing = said(&group, base(), 1, &missing);
    let told = |args: &Args, seen: &Seen| -> Vec<String> {
        let plan = Yum::plan(args, seen).unwrap();
        plan.changes
            .iter()
            .map(|change| change.what.clone())
            .collect()
    };
    assert_eq!(told(&group, &missing), ["package `@core`", "package `gcc`"]);

    let latest =
        args(serde_json::json!({ "name": ["a", "b"], "state": "latest", "security": true }));
    let base = seen_of(&latest, &["a 1-1"]);
    assert_eq!(
        asked(&latest, &base),
        [
            "--best --assumeno upgrade --security a",
            "--best --assumeno install b"
        ]
    );
    let mut newer = base;
    for probe in Yum::observe(&latest, &newer) {
        let Some(question) = probe.as_any().downcast_ref::<Resolve>() else {
            continue;
        };
        let row = match question.names[0].as_str() {
            "a" => ("Upgrading", "a noarch 2-1"),
            _ => ("Installing", "b noarch 1-1"),
        };
        newer = said_to(question, newer, 1, &table(&[row]));
    }
    assert_eq!(told(&latest, &newer), ["package `b`", "package `a`"]);
    assert_eq!(
        run(&latest, &newer).argv,
        ["dnf", "--best", "-y", "upgrade", "--security"]
    );

    let only = args(serde_json::json!({ "name": "a", "state": "latest", "update_only": true }));
    assert!(plan(&only, &seen_of(&only, &[])).is_empty());
}

#[test]
fn what_dnf_resolves_is_foretold() {
    let args = args(serde_json::json!({ "name": "a-1.0" }));
    let text = table(&[
        ("Installing", "a noarch 1.0-1"),
        ("Installing dependencies", "b noarch 2-1"),
    ]);
    let seen = said(&args, seen(&args, &[]), 1, &text);
    let plan = Yum::plan(&args, &seen).unwrap();
    let told: Vec<String> = plan
        .changes
        .iter()
        .map(|change| format!("{}: {}", change.what, change.after.to_json()))
        .collect();
    assert_eq!(told, ["package `a-1.0`: \"1.0-1\"", "package `b`: \"2-1\""]);
    let mut after = seen;
    after.foretell(&plan.changes.last().unwrap().steps[0].effects);
    assert!(Yum::plan(&args, &after).unwrap().changes.is_empty());
}

#[test]
fn what_dnf_cannot_do_is_refused() {
    let args = args(serde_json::json!({ "name": ["a", "nosuch"] }));
    let text = "No match for argument: nosuch\nError: Unable to find a match: nosuch";
    let seen = said(&args, seen(&args, &[]), 2, text);
    let Err(Stop::Refused(why)) = Yum::plan(&args, &seen) else {
        panic!()
    };
    assert_eq!(why.message, "no repository that is on has `nosuch`");
}

#[test]
fn without_dnf_it_cannot_be_decided() {
    let args = args(serde_json::json!({ "name": "a" }));
    let seen = seen(&args, &[]).with(&Which("dnf".to_owned()), None);
    let Err(Stop::NotYet(what)) = Yum::plan(&args, &seen) else {
        panic!()
    };
    assert!(what.0.starts_with("`dnf` or `yum`"));
}
