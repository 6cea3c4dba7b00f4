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
