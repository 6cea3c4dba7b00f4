//! `rpm-key` against the real rpm, and what dnf makes of the keys.

use evenkeel_integration_tests::{Lab, need_lab};

fn play(tasks: &str) -> String {
    format!("become: true\ntasks:\n{tasks}")
}

fn task(args: &str) -> String {
    play(&format!("- name: it\n  rpm_key: {args}\n"))
}

#[test]
#[ignore = "needs root and a lab"]
fn rpm_keys_are_imported_and_removed() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().rhel().disk("200m").host("h1").boot();
    let host = lab.host("h1");
    let prints = |name: &str| -> Vec<String> {
        let text = host.sh(&format!("cat /srv/rpm/{name}.fingerprints"));
        text.lines().map(str::to_owned).collect()
    };
    let keys = || host.sh("rpm -q gpg-pubkey || true");
    let (own, other) = (prints("lab"), prints("other"));
    let none = "package gpg-pubkey is not installed\n";
    assert_eq!(keys(), none);

    // RK-03: nothing is imported.
    let fails = |args: &str, message: &str| {
        lab.tasks(&task(args));
        let ran = lab.run(&[]);
        let said = &ran.task("it").0["error"]["message"];
        assert_eq!(said.as_str(), Some(message), "{ran}");
    };
    let lab_key = "/srv/rpm/lab.asc";
    let wrong = &other[0];
    fails(
        &format!("{{key: {lab_key}, fingerprint: {wrong}}}"),
        &format!("`{wrong}` does not match any key fingerprints of `{lab_key}`"),
    );
    fails(
        "{key: /etc/passwd}",
        "`/etc/passwd` is no key for rpm: there is no line `-----BEGIN PGP PUBLIC KEY BLOCK-----`",
    );
    assert_eq!(keys(), none);

    // A package is not installed before its key is there. (The repository names no key here.)
    host.sh("sed -i '/^gpgkey/d' /etc/yum.repos.d/lab.repo");
    let seal = "- name: seal\n  yum: {name: seal, enablerepo: signed}\n";
    lab.tasks(&play(seal));
    lab.run(&[]).outcome("seal", "failed");

    // RK-05, RK-01, RK-04: the first key there is, with a fingerprint of each kind.
    let both = own.join(", ");
    let with = format!(
        "- name: it\n  rpm_key: {{key: {lab_key}, fingerprint: [{both}]}}\n  register: out\n"
    );
    lab.settles(&play(&with)).changed(1);
    let name = keys().trim().to_owned();
    assert!(own[0].to_lowercase().contains(&name[11..19]), "{name}");
    lab.settles(&play(seal)).changed(1);
    assert_eq!(host.sh("rpm -q --qf '%{NAME}' seal"), "seal");

    // Of a server whose key is there by its fingerprint nothing is asked; else this machine asks, as the host cannot.
    lab.settles(&task("{key: /srv/rpm/other.asc}")).changed(1);
    let url = "http://127.0.0.1:1/other.asc";
    fails(
        &format!("{{key: '{url}'}}"),
        "`http://127.0.0.1:1/other.asc`: Connection refused",
    );
    let known = format!("{{key: '{url}', fingerprint: {}}}", other[0]);
    lab.tasks(&task(&known));
    lab.run(&[]).ok().changed(0).exchanges(1);

    // RK-02: by its id, by its file; two at once.
    lab.settles(&task(&format!(
        "{{key: {}, state: absent}}",
        &other[0][24..]
    )))
    .changed(1);
    assert_eq!(keys().trim(), name);
    lab.settles(&task(&format!("{{key: {lab_key}, state: absent}}")))
        .changed(1);
    assert_eq!(keys(), none);

    // RK-06
    lab.tasks(&play("- name: gone\n  yum: {name: seal, state: absent}\n"));
    lab.run(&[]).ok().changed(1);
    lab.tasks(&play(seal));
    lab.run(&[]).outcome("seal", "failed");
    assert!(!host.is("rpm -K /srv/rpm/signed/seal-*.rpm"));
    several(&lab, &name);
}

/// What is in one file, and what is read here; and who may.
fn several(lab: &Lab, name: &str) {
    let host = lab.host("h1");
    let keys = || host.sh("rpm -q gpg-pubkey || true");
    host.sh("cat /srv/rpm/lab.asc /srv/rpm/other.asc >/srv/both.asc");
    lab.settles(&task("{key: /srv/both.asc}")).changed(1);
    assert_eq!(keys().lines().count(), 2);
    lab.settles(&task("{key: /srv/both.asc, state: absent}"))
        .changed(1);
    lab.file("here.asc", &host.sh("cat /srv/rpm/lab.asc"));
    lab.settles(&task("{key: \"{{ lookup('file', 'here.asc') }}\"}"))
        .changed(1);
    assert_eq!(keys().trim(), name);
    lab.tasks("- name: it\n  rpm_key: {key: /srv/both.asc}\n");
    let ran = lab.run(&[]);
    let said = &ran.task("it").0["error"]["message"];
    assert_eq!(
        said.as_str(),
        Some("only root may change the keys of rpm"),
        "{ran}"
    );
}
