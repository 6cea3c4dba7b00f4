//! Small modules against the programs they are for: debconf, dpkg, the C library, ssh.

use evenkeel_integration_tests::{Lab, need_lab};

const KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIKLAmC2xGmWKr6OTZ4wPGJ0zqHd4hOMP9q0bXzGkQyVu";

const SITE: &str = "
become: true
tasks:
- name: an answer
  debconf: {name: lab, question: lab/place, vtype: select, value: \"it's $(touch /pwned) here\"}
- name: a truth
  debconf: {name: lab, question: lab/yes, vtype: boolean, value: yes, unseen: true}
- name: a password
  debconf: {name: lab, question: lab/password, vtype: password, value: s3cret-of-lab}
- name: it is held
  dpkg_selections: {name: dpkg, selection: hold}
- name: its time
  timezone: {name: Asia/Tokyo}
- name: a host that ssh knows
  known_hosts: {name: git.lab, key: git.lab ssh-ed25519 KEY, path: /etc/ssh/ssh_known_hosts, hash_host: true}
";

const AGAIN: &str = "
become: true
tasks:
- name: an answer
  debconf: {name: lab, question: lab/place, vtype: select, value: there}
- name: a password
  debconf: {name: lab, question: lab/password, vtype: password, value: s3cret-of-another}
- name: it is held
  dpkg_selections: {name: dpkg, selection: install}
- name: its time
  timezone: {name: Etc/UTC}
- name: a host that ssh knows
  known_hosts: {name: git.lab, path: /etc/ssh/ssh_known_hosts, state: absent}
";

const FRAGMENTS: &str = "
become: true
tasks:
- assemble: {src: /srv/parts, dest: /etc/whole.conf, regexp: '^[0-9]', delimiter: '# --', mode: '0640', backup: true}
";

#[test]
#[ignore = "needs root and a lab"]
fn answers_selections_zones_and_hosts_are_what_programs_read() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().host("one").boot();
    let host = lab.host("one");
    // A host may have no zones.
    host.sh("mkdir -p /usr/share/zoneinfo/Asia /usr/share/zoneinfo/Etc; cd /usr/share/zoneinfo; for z in Asia/Tokyo Etc/UTC; do [ -e $z ] || printf TZif2 >$z; done");
    let site = |text: &str| text.replace("KEY", KEY);
    lab.settles(&site(SITE)).never_says("s3cret");
    let shown = host.sh("debconf-show lab");
    assert!(
        shown.contains("* lab/place: it's $(touch /pwned) here\n"),
        "{shown}"
    );
    assert!(shown.contains("  lab/yes: true\n"), "{shown}");
    assert!(!host.is("test -e /pwned"));
    assert_eq!(
        host.sh("echo GET lab/password | debconf-communicate lab"),
        "0 s3cret-of-lab\n"
    );
    assert_eq!(
        host.sh("dpkg --get-selections dpkg"),
        "dpkg\t\t\t\t\t\thold\n"
    );
    assert_eq!(
        host.sh("readlink /etc/localtime"),
        "../usr/share/zoneinfo/Asia/Tokyo\n"
    );
    let found = host.sh("ssh-keygen -F git.lab -f /etc/ssh/ssh_known_hosts");
    assert!(found.contains("|1|") && found.contains(KEY), "{found}");

    lab.settles(AGAIN).never_says("s3cret");
    assert_eq!(
        host.sh("echo GET lab/place | debconf-communicate lab; echo GET lab/password | debconf-communicate lab"),
        "0 there\n0 s3cret-of-another\n"
    );
    assert_eq!(
        host.sh("dpkg --get-selections dpkg"),
        "dpkg\t\t\t\t\t\tinstall\n"
    );
    assert!(!host.is("ssh-keygen -F git.lab -f /etc/ssh/ssh_known_hosts"));
}

#[test]
#[ignore = "needs root and a lab"]
fn a_file_is_put_together_of_fragments() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().host("one").boot();
    let host = lab.host("one");
    host.sh("mkdir /srv/parts; cd /srv/parts; printf 'b\\n' >20; printf a >10; echo x >README; ln -s 10 30");
    lab.tasks(FRAGMENTS);
    lab.run(&[]).ok().changed(1);
    assert_eq!(
        host.sh("cat /etc/whole.conf; stat -c ' %a' /etc/whole.conf"),
        "a\n# --\nb\n# --\na 640\n"
    );
    lab.run(&[]).ok().changed(0);
    host.sh("rm /srv/parts/20");
    lab.run(&[]).ok().changed(1);
    assert_eq!(host.sh("cat /etc/whole.conf"), "a\n# --\na");
    assert!(host.is("ls /etc/whole.conf.*~"));
}

const CHOSEN: &str = "
become: true
tasks:
- name: the heavier
  alternatives: {name: edit, path: /opt/two, link: /usr/local/bin/edit, priority: 30, state: present}
- name: another, that is chosen
  alternatives:
    name: edit
    path: /opt/one
    priority: 20
    subcommands: [{name: edit.1, path: /opt/one.1, link: /usr/local/share/edit.1}]
";

const AUTO: &str = "
become: true
tasks:
- alternatives: {name: edit, path: /opt/two, state: auto}
";

const LIGHTER: &str = "
become: true
tasks:
- alternatives: {name: edit, path: /opt/two, priority: 10, state: present}
";

const ALONE: &str = "
become: true
tasks:
- alternatives: {name: edit, path: /opt/one, state: absent}
- alternatives: {name: edit, path: /opt/two, state: absent}
";

#[test]
#[ignore = "needs root and a lab"]
fn a_name_stands_for_what_is_chosen() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().host("one").boot();
    let host = lab.host("one");
    host.sh("mkdir -p /opt; for f in one two; do printf '#!/bin/sh\\necho %s\\n' $f >/opt/$f; chmod 755 /opt/$f; done; touch /opt/one.1");
    let says = |mode: &str, what: &str| {
        let shown = host.sh("update-alternatives --query edit");
        assert!(shown.contains(&format!("Status: {mode}\n")), "{shown}");
        assert_eq!(host.sh("/usr/local/bin/edit"), format!("{what}\n"));
    };
    lab.settles(CHOSEN);
    says("manual", "one");
    assert_eq!(
        host.sh("readlink -f /usr/local/share/edit.1"),
        "/opt/one.1\n"
    );
    lab.settles(AUTO);
    says("auto", "two");
    assert!(!host.is("test -e /usr/local/share/edit.1"));
    // By its own hand it is chosen again; what goes with a choice stays where nothing is said of it.
    lab.settles(LIGHTER);
    says("auto", "one");
    lab.settles(&CHOSEN.replace("priority: 20", "priority: 25"));
    says("manual", "one");
    assert!(
        host.sh("update-alternatives --query edit")
            .contains("Alternative: /opt/one\nPriority: 25\nSlaves:\n edit.1 /opt/one.1\n")
    );
    lab.settles(ALONE);
    assert!(!host.is("update-alternatives --query edit"));
    assert!(!host.is("test -L /usr/local/bin/edit"));

    lab.tasks("\nbecome: true\ntasks:\n- alternatives: {name: edit, path: /opt/one}\n");
    lab.run(&[]).status(2).says("say it: `link: /usr/bin/edit`");
}

const LIMITS: &str = "
become: true
tasks:
- pam_limits: {domain: app, limit_type: '-', limit_item: nofile, value: 300, dest: /etc/security/limits.d/app.conf}
- pam_limits: {domain: app, limit_type: soft, limit_item: core, value: 7, use_max: true, comment: for the tests}
";

#[test]
#[ignore = "needs root and a lab"]
fn limits_hold_at_the_next_login() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().host("one").boot();
    let host = lab.host("one");
    host.sh("useradd -m -s /bin/sh app");
    // The shell counts blocks of 512 bytes.
    let has = || host.sh("su - app -c 'ulimit -Sn; ulimit -Hn; ulimit -Sc'");
    lab.settles(LIMITS);
    assert_eq!(has(), "300\n300\n14\n");
    lab.settles(&LIMITS.replace("300", "250").replace("value: 7", "value: 5"));
    assert_eq!(has(), "250\n250\n14\n");
    lab.settles(
        &LIMITS
            .replace("use_max", "use_min")
            .replace("value: 7", "value: 5"),
    );
    assert_eq!(has(), "300\n300\n10\n");
}
