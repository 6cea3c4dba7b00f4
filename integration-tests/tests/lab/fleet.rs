//! A playbook and an inventory as they are written for Ansible, over ten hosts as `deploy` with sudo; and what Ansible
//! itself makes of them on hosts that are the same.

use std::{fmt::Write as _, fs, path::Path};

use evenkeel_integration_tests::{Host, Lab, need_ansible, need_lab};

const NAMES: [&str; 10] = ["h1", "h2", "h3", "h4", "h5", "h6", "h7", "h8", "h9", "h10"];

/// One host of each group, and those that have variables of their own or are left out of something: Ansible takes
/// minutes for ten.
const OF_EACH_KIND: [&str; 5] = ["h1", "h2", "h5", "h7", "h8"];

/// Everything that Ansible reads: the same files for both.
fn prepared(lab: &Lab) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/fleet");
    copied(&from, "", lab);
    let mut reach = String::new();
    let key = lab.path(".ssh/id_ed25519");
    for host in lab.hosts() {
        let (name, address) = (host.name(), host.address());
        writeln!(reach, "{name} ansible_host={address}").unwrap();
    }
    let key = key.display();
    write!(reach, "\n[all:vars]\nansible_ssh_private_key_file={key}\n").unwrap();
    lab.file("reach.ini", &reach);
}

fn copied(from: &Path, name: &str, lab: &Lab) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{name}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            copied(&path, &format!("{name}/"), lab);
        } else {
            lab.file(&name, &fs::read_to_string(path).unwrap());
        }
    }
}

const INVENTORY: [&str; 4] = ["-i", "hosts.yml", "-i", "reach.ini"];

/// All that the playbook has to do with.
fn state(host: &Host) -> String {
    let files = "/etc/motd /etc/default/fleet /usr/local/bin/service /home/deploy/mine";
    let files = format!(
        "for f in {files}; do test ! -e $f || {{ stat -c '%N %a %U:%G' $f; sha256sum $f; }}; done"
    );
    let accounts = "for file in passwd group shadow gshadow; do getent $file | grep fleet; done; \
                    stat -c '%N %a %U:%G' /home/fleet";
    host.tree("/srv/fleet") + &host.sh(&files) + &host.sh(accounts)
}

#[test]
#[ignore = "needs root and a lab"]
fn ten_hosts_by_a_playbook_written_for_ansible() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().hosts(10).boot();
    prepared(&lab);
    let first = lab.run(&INVENTORY).ok();
    assert_eq!(first.count("failed"), 0, "{first}");
    let (h1, h2, h8) = (lab.host("h1"), lab.host("h2"), lab.host("h8"));
    assert_eq!(h2.sh("cat /etc/default/fleet"), "NAME=h2\nPORT=8888\n");
    assert_eq!(h8.sh("cat /srv/fleet/log/said"), "port 9000\n");
    // A file of variables of all hosts wins over what a group has in the inventory itself.
    assert_eq!(
        h1.sh("cat /srv/fleet/log/restarted"),
        "# h1 in fleet, web\nport = 9000\ncolour.1 = RED\ncolour.2 = GREEN\ncolour.3 = BLUE\n[sites]\n\
         shop = 8081 # first\nblog = 8082\n"
    );
    assert!(lab.host("h5").is("test -d /srv/fleet/data") && !h8.is("test -e /srv/fleet/data"));
    let again = lab.run(&INVENTORY).ok().changed(0);
    for name in NAMES {
        assert_eq!(
            again.last()["hosts"][name]["exchanges"],
            1,
            "{name}\n{again}"
        );
    }

    if !need_ansible() {
        return;
    }
    let states = |lab: &Lab| OF_EACH_KIND.map(|name| (name, state(lab.host(name))));
    let ours = states(&lab);
    drop(lab);
    let plan = Lab::plan().tools();
    let mut lab = OF_EACH_KIND
        .iter()
        .fold(plan, |plan, name| plan.host(name))
        .boot();
    prepared(&lab);
    let limit = OF_EACH_KIND.join(",");
    let args = ["--limit", &limit, "site.yml"];
    lab.ansible(&[&INVENTORY[..], &args].concat()).ok();
    for (ours, theirs) in ours.into_iter().zip(states(&lab)) {
        assert_eq!(ours, theirs, "ours, then theirs");
    }
    // And what Ansible made is in its state for us, but for the commands that only look.
    lab.run(&[&INVENTORY[..], &["--limit", &limit]].concat())
        .ok()
        .changed(0);
}
