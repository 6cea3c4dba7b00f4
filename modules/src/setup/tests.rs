use std::{
    collections::BTreeMap,
    process::{Command, Stdio},
};

use evenkeel_engine::Probe as _;

use super::*;

/// What this machine answers, by `shell`.
fn ask_here(shell: &str, probes: &BTreeSet<Facts>) -> Seen {
    let operands = probes.iter().flat_map(Facts::operands);
    let operands: Vec<String> = operands
        .map(|word| String::from_utf8(word).unwrap())
        .collect();
    let output = Command::new(shell)
        .args([
            "-c",
            &format!("f() {{\n{}\n}}; f \"$@\"", Facts::SCRIPT),
            "sh",
        ])
        .args(operands)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let noise = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(noise, "", "{shell}");
    let batch: Vec<&Facts> = probes.iter().collect();
    let answers = <Facts as evenkeel_engine::Probe>::parse(&batch, &output.stdout).unwrap();
    let mut seen = Seen::default();
    for (probe, answer) in probes.iter().zip(answers) {
        let answer = answer.unwrap_or_else(|why| panic!("{shell}: {why}"));
        seen = seen.with(probe, answer);
    }
    seen
}

fn facts(shell: &str, args: &Args) -> Map {
    let probes = args.probes(&args.sections().unwrap());
    let seen = ask_here(shell, &probes);
    assert!(Setup::plan(args, &seen).unwrap().changes.is_empty());
    match Setup::output(args, &seen, &[])
        .unwrap()
        .swap_remove("ansible_facts")
    {
        Some(Value::Map(facts)) => facts,
        other => panic!("{other:?}"),
    }
}

fn args(subsets: &[&str], filters: &[&str]) -> Args {
    let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    Args {
        gather_subset: owned(subsets),
        filter: owned(filters),
        ..Args::default()
    }
}

fn there(program: &str) -> bool {
    let found = Command::new("sh")
        .args(["-c", &format!("command -v {program}")])
        .output();
    found.is_ok_and(|output| output.status.success())
}

#[test]
fn every_shell_answers_alike() {
    let moving = [
        "date_time",
        "env",
        "memfree",
        "memory_mb",
        "loadavg",
        "uptime",
        "mounts",
    ];
    let stable = |shell: &str| -> BTreeMap<String, String> {
        let all = facts(shell, &args(&[], &[]));
        all.into_iter()
            .filter(|(name, _)| !moving.iter().any(|word| name.contains(word)))
            .map(|(name, value)| (name, value.to_json().to_string()))
            .collect()
    };
    let expected = stable("sh");
    assert!(expected.len() > 60, "{expected:?}");
    for shell in ["dash", "bash"].into_iter().filter(|shell| there(shell)) {
        assert_eq!(stable(shell), expected, "{shell}");
    }
}

#[test]
fn only_what_is_asked_for_is_looked_up() {
    let sections = |subsets: &[&str], filters: &[&str]| args(subsets, filters).sections().unwrap();
    let only = |section| BTreeSet::from([section]);
    assert_eq!(
        sections(&[], &["ansible_os_family"]),
        only(Section::Distribution)
    );
    assert_eq!(sections(&[], &["pkg_mgr"]), only(Section::PkgMgr));
    assert_eq!(sections(&[], &["ansible_eth0"]), only(Section::Network));
    assert_eq!(
        sections(&["!all", "!min", "network"], &[]),
        only(Section::Network)
    );
    assert!(sections(&["!hardware"], &[]).contains(&Section::Network));
    assert!(!sections(&["!hardware"], &[]).contains(&Section::Mounts));
    assert!(!sections(&["min"], &[]).contains(&Section::Network));
    assert!(sections(&["hardware"], &[]).contains(&Section::Platform));
    let pkg = args(&[], &["pkg_mgr"]);
    assert_eq!(pkg.probes(&pkg.sections().unwrap()).len(), 2);
    assert_eq!(sections(&["!any", "!all"], &[]), sections(&["!all"], &[]));
    let wrong = Setup::check(&args(&["networks"], &[])).unwrap_err();
    assert_eq!(wrong.message, "there is no subset `networks` of facts");
    assert_eq!(sections(&["!all"], &[]), sections(&["min"], &[]));
}

#[test]
fn filters_are_patterns() {
    let names = |filters: &[&str]| -> Vec<String> {
        facts("sh", &args(&[], filters)).into_keys().collect()
    };
    assert_eq!(
        names(&["ansible_swap*_mb"]),
        ["ansible_swaptotal_mb", "ansible_swapfree_mb"]
    );
    assert_eq!(
        names(&["fips", "is_chroot"]),
        ["ansible_is_chroot", "ansible_fips"]
    );
    assert_eq!(
        names(&["user_[iu]*"]),
        ["ansible_user_id", "ansible_user_uid"]
    );
}

/// Facts that differ from one moment to the next, or by how the question is asked.
const MOVING: &[&str] = &[
    "ansible_date_time",
    "ansible_env",
    "ansible_loadavg",
    "ansible_memfree_mb",
    "ansible_memory_mb",
    "ansible_swapfree_mb",
    "ansible_uptime_seconds",
    // Of the interpreter that runs Ansible.
    "ansible_python",
    "ansible_python_version",
    "gather_subset",
];

#[test]
fn facts_are_those_of_ansible() {
    if !there("ansible") {
        eprintln!("skipped: there is no `ansible` on PATH");
        return;
    }
    let output = Command::new("ansible")
        .args(["localhost", "-c", "local", "-m", "setup"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text[text.find('{').unwrap()..]).unwrap();
    let theirs = &json["ansible_facts"];
    let theirs = theirs.as_object().unwrap();
    let ours = Value::Map(facts("sh", &args(&[], &[]))).to_json();
    let mut wrong = Vec::new();
    for (name, value) in theirs {
        let bare = name.strip_prefix("ansible_").unwrap_or(name);
        if MOVING.contains(&name.as_str()) || not_gathered(bare) {
            continue;
        }
        let (ours, theirs) = (steady(bare, &ours[name]), steady(bare, value));
        if ours != theirs {
            wrong.push(format!("{name}: {ours} here, {theirs} there"));
        }
    }
    for name in ["date_time", "memory_mb", "loadavg", "env", "python"] {
        let name = format!("ansible_{name}");
        let keys = |value: &serde_json::Value| -> BTreeSet<String> {
            let map = value.as_object();
            map.into_iter()
                .flat_map(|map| map.keys().cloned())
                .collect()
        };
        let (ours, theirs) = (keys(&ours[&name]), keys(&theirs[&name]));
        if name != "ansible_env" && ours != theirs {
            wrong.push(format!("{name}: {ours:?} here, {theirs:?} there"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A fact without what changes, and without what only `ethtool` tells.
fn steady(name: &str, value: &serde_json::Value) -> serde_json::Value {
    let mut value = value.clone();
    if let Some(map) = value.as_object_mut() {
        for key in [
            "features",
            "timestamping",
            "hw_timestamp_filters",
            "phc_index",
        ] {
            map.remove(key);
        }
    }
    if let (true, Some(list)) = (sorted(name), value.as_array_mut()) {
        list.sort_by_key(ToString::to_string);
    }
    if let ("mounts", Some(list)) = (name, value.as_array_mut()) {
        for mount in list {
            if let Some(mount) = mount.as_object_mut() {
                mount.retain(|key, _| !key.contains("available") && !key.contains("used"));
            }
        }
    }
    value
}

/// Lists whose order means nothing.
fn sorted(name: &str) -> bool {
    name == "interfaces"
        || name == "mounts"
        || name.starts_with("virtualization_tech")
        || name.starts_with("all_ipv")
}
