//! Files of hosts that are kept here, over ssh.

use std::{fs, os::unix::fs::PermissionsExt as _};

use evenkeel_engine::{hex, sha256};
use evenkeel_integration_tests::{Host, Lab, need_lab, until};

fn tasks(text: &str) -> String {
    format!("become: true\ntasks:\n{text}")
}

const TASKS: &str = r#"
- name: for root alone
  fetch: {src: /srv/only-root, dest: kept}
- name: large
  fetch: {src: /srv/large, dest: kept/}
- name: odd
  fetch: {src: "{{ item }}", dest: kept}
  loop:
    - "/srv/-o 'x' $(touch pwned)"
    - "/srv/a\nb ☃"
    - /srv/link
- name: hidden
  fetch: {src: /srv/only-root, dest: hidden}
  no_log: true
- name: flat
  fetch: {src: /srv/only-root, dest: "flat/{{ inventory_hostname }}.txt", flat: true}
- name: the same everywhere
  fetch: {src: /etc/debian_version, dest: flat/, flat: true}
- name: nothing there
  fetch: {src: /srv/no, dest: kept, fail_on_missing: false}
  register: nothing
- assert: {that: [nothing is not changed, "'/srv/no' in nothing.msg"]}
"#;

#[test]
#[ignore = "needs root and a lab"]
fn files_of_hosts_are_kept_here() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().host("left").host("right").boot();
    for host in lab.hosts() {
        host.sh(
            "hostname >/srv/only-root && chmod 600 /srv/only-root && ln -s only-root /srv/link \
             && head -c 67108871 /dev/urandom >/srv/large && chmod 600 /srv/large",
        );
        host.write("/srv/odd", "odd\n");
        host.sh(r#"cp /srv/odd "$(printf "/srv/-o 'x' \$(touch pwned)")" && cp /srv/odd "$(printf '/srv/a\nb ☃')""#);
    }
    settles(&lab);
    repairs(&lab);
    fails(&lab);
    a_line_that_breaks(&lab);
}

fn same(lab: &Lab, host: &Host, src: &str, kept: &str) {
    let there = host.sh(&format!("sha256sum <{src}"));
    let here = fs::read(lab.path(kept)).unwrap();
    assert_eq!(
        there.split(' ').next().unwrap(),
        hex(&sha256(&here)),
        "{kept}"
    );
}

fn mode(lab: &Lab, path: &str) -> u32 {
    fs::metadata(lab.path(path)).unwrap().permissions().mode() & 0o777
}

/// FE-13: first, foretold, and again.
fn settles(lab: &Lab) {
    let run = lab.settles(&tasks(TASKS));
    assert!(!lab.has("pwned"));
    for host in lab.hosts() {
        let name = host.name();
        let kept = |src: &str| format!("kept/{name}/srv/{src}");
        same(lab, host, "/srv/large", &kept("large"));
        same(lab, host, "/srv/only-root", &kept("link"));
        same(lab, host, "/srv/odd", &kept("-o 'x' $(touch pwned)"));
        same(lab, host, "/srv/odd", &kept("a\nb ☃"));
        same(lab, host, "/srv/only-root", &format!("flat/{name}.txt"));
        assert_eq!(lab.read(&kept("only-root")), format!("{name}\n"));
        assert_eq!(mode(lab, &format!("hidden/{name}/srv/only-root")), 0o600);
        assert_eq!(mode(lab, &kept("only-root")), mode(lab, "site.yml"));
        assert!(!lab.has(&kept("no")));
        assert!(host.is("! find / -xdev -name pwned -not -path '/proc/*' | grep ."));
        // What is large goes over the line once, not once a run.
        let recap = &run.last()["hosts"][name];
        assert!(
            recap["received_bytes"].as_u64().unwrap() < 100_000_000,
            "{recap}"
        );
    }
    let again = lab.run(&[]).ok();
    for host in lab.hosts() {
        let recap = &again.last()["hosts"][host.name()];
        assert!(
            recap["received_bytes"].as_u64().unwrap() < 100_000,
            "{recap}"
        );
    }
    assert_eq!(
        lab.read("flat/debian_version"),
        lab.hosts()[0].sh("cat /etc/debian_version")
    );
}

/// FE-14: what somebody changed here, or there, is fetched again.
fn repairs(lab: &Lab) {
    fs::write(lab.path("kept/left/srv/large"), "by hand").unwrap();
    fs::remove_file(lab.path("flat/right.txt")).unwrap();
    lab.run(&[]).ok().changed(2);
    same(lab, lab.host("left"), "/srv/large", "kept/left/srv/large");
    assert_eq!(lab.read("flat/right.txt"), "right\n");
    lab.host("left").sh("echo more >>/srv/large");
    lab.run(&[]).ok().changed(1);
    same(lab, lab.host("left"), "/srv/large", "kept/left/srv/large");
    lab.run(&[]).ok().changed(0).exchanges(2);
}

/// FE-15: what it says.
fn fails(lab: &Lab) {
    let says = |text: &str, message: &str| {
        lab.tasks(text);
        let ended = lab.run(&[]).status(2);
        let errors: Vec<String> = ended
            .events
            .iter()
            .filter_map(|event| event["error"]["message"].as_str())
            .map(str::to_owned)
            .collect();
        assert!(
            errors.iter().any(|error| error == message),
            "{errors:#?}\n{ended}"
        );
    };
    says(
        "- fetch: {src: /srv/no, dest: kept}",
        "what it needs is missing: the file `/srv/no`",
    );
    says(
        "- fetch: {src: /srv/only-root, dest: kept}",
        "what it needs is missing: `/srv/only-root`: permission denied",
    );
    says(
        "- fetch: {src: /srv, dest: kept}",
        "`/srv` is not a file: directory",
    );
    let flat = lab.path("flat").display().to_string();
    says(
        "- fetch: {src: /srv/odd, dest: flat, flat: true}",
        &format!("nothing can be kept at `{flat}`: it is a directory"),
    );
    fs::write(lab.path("file"), "").unwrap();
    let file = lab.path("file/left/srv/odd").display().to_string();
    says(
        "- fetch: {src: /srv/odd, dest: file}",
        &format!("nothing can be kept at `{file}`: Not a directory (os error 20)"),
    );
    lab.tasks(&tasks(
        "- fetch: {src: /srv/only-root, dest: one, flat: true}",
    ));
    let one = lab
        .run(&[])
        .status(2)
        .says("and that is another file: give each host a place of its own");
    assert_eq!(one.named("failed").len(), 1, "{one}");
    assert!(["left\n", "right\n"].contains(&lab.read("one").as_str()));
}

/// FE-16: the connection is lost in the middle of a file.
fn a_line_that_breaks(lab: &Lab) {
    let left = lab.host("left");
    lab.tasks(&tasks("- fetch: {src: /srv/large, dest: anew}"));
    let running = lab.start(&["--limit", "left"]);
    let dir = lab.path("anew/left/srv");
    let begun = || {
        let hidden = fs::read_dir(&dir).into_iter().flatten().flatten();
        let sizes = hidden.filter_map(|entry| fs::metadata(entry.path().join("file")).ok());
        sizes.map(|meta| meta.len()).sum::<u64>() > 0 || dir.join("large").exists()
    };
    until("a part of it is here", begun);
    left.kill_sessions();
    running.wait().status(0);
    same(lab, left, "/srv/large", "anew/left/srv/large");
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
}
