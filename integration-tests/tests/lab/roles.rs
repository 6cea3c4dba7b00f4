//! A role written as those that are shared are, by us and by Ansible on hosts that are the same: fresh, unchanged,
//! after variables changed, and with a task that fails in the middle and is then mended.

use std::collections::BTreeSet;

use evenkeel_integration_tests::{Ended, Host, Lab, need_ansible, need_lab};

use super::apt::SHOP;

/// The hosts: ours, then Ansible's.
const HOSTS: [&str; 2] = ["ours", "theirs"];

const FILES: [(&str, &str); 17] = [
    ("site.yml", include_str!("roles/site.yml")),
    (
        "roles/motd/defaults/main.yml",
        include_str!("roles/motd/defaults/main.yml"),
    ),
    (
        "roles/motd/meta/main.yml",
        include_str!("roles/motd/meta/main.yml"),
    ),
    (
        "roles/motd/tasks/main.yml",
        include_str!("roles/motd/tasks/main.yml"),
    ),
    (
        "roles/kiosk/meta/main.yml",
        include_str!("roles/kiosk/meta/main.yml"),
    ),
    (
        "roles/kiosk/meta/argument_specs.yml",
        include_str!("roles/kiosk/meta/argument_specs.yml"),
    ),
    (
        "roles/kiosk/defaults/main.yml",
        include_str!("roles/kiosk/defaults/main.yml"),
    ),
    (
        "roles/kiosk/vars/Debian.yml",
        include_str!("roles/kiosk/vars/Debian.yml"),
    ),
    (
        "roles/kiosk/vars/default.yml",
        include_str!("roles/kiosk/vars/default.yml"),
    ),
    (
        "roles/kiosk/tasks/main.yml",
        include_str!("roles/kiosk/tasks/main.yml"),
    ),
    (
        "roles/kiosk/tasks/setup-Debian.yml",
        include_str!("roles/kiosk/tasks/setup-Debian.yml"),
    ),
    (
        "roles/kiosk/tasks/setup-RedHat.yml",
        include_str!("roles/kiosk/tasks/setup-RedHat.yml"),
    ),
    (
        "roles/kiosk/tasks/configure.yml",
        include_str!("roles/kiosk/tasks/configure.yml"),
    ),
    (
        "roles/kiosk/tasks/users.yml",
        include_str!("roles/kiosk/tasks/users.yml"),
    ),
    (
        "roles/kiosk/handlers/main.yml",
        include_str!("roles/kiosk/handlers/main.yml"),
    ),
    (
        "roles/kiosk/templates/kiosk.conf.j2",
        include_str!("roles/kiosk/templates/kiosk.conf.j2"),
    ),
    (
        "roles/kiosk/templates/shelf.j2",
        include_str!("roles/kiosk/templates/shelf.j2"),
    ),
];

/// What is set at first, and after an upgrade.
const FIRST: &str = r#"{"kiosk_version": "1.0", "kiosk_shelves": [{"name": "books", "rows": 3, "labels": ["a", "b"]}, {"name": "maps"}]}"#;
const UPGRADED: &str = r#"{"kiosk_version": "2:1.2~rc1-1", "kiosk_port": 8081, "kiosk_log_level": "warn",
    "kiosk_shelves": [{"name": "books", "rows": 4}, {"name": "maps", "state": "absent"}, {"name": "toys"}],
    "kiosk_users": ["clerk", "keeper"], "kiosk_extra_options": {"limits": {"memory": "96M"}, "colour": null}}"#;

/// What a role makes of a host: files, packages, units, accounts.
fn state(host: &Host) -> String {
    let shown = host.sh(
        "cat /etc/motd /etc/default/kiosk /etc/kiosk/*.* /etc/kiosk/shelves.d/*
         stat -c '%N %a %U:%G' /etc/motd /etc/default/kiosk
         dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Version}\\n'
         systemctl show -p Id -p ActiveState -p UnitFileState served
         getent passwd; getent group",
    );
    shown + &host.tree("/etc/kiosk") + &host.tree("/var/lib/kiosk")
}

/// Names of the tasks that changed something.
fn changed(ended: &Ended) -> BTreeSet<String> {
    ended.named("changed").into_iter().collect()
}

struct Both(Lab);

impl Both {
    fn boot() -> Self {
        let plan = Lab::plan().packages(&["python3-apt"]).disk("600m");
        let plan = HOSTS.iter().fold(plan, |plan, name| plan.host(name));
        let lab = plan.boot();
        lab.file(
            "inventory.ini",
            &(lab.read("inventory.ini") + "\n[deb]\nours\ntheirs\n"),
        );
        for (name, text) in FILES {
            lab.file(name, text);
        }
        for host in lab.hosts() {
            host.write("/root/shop", SHOP)
                .sh("sh /root/shop && apt-get -qq update");
        }
        Self(lab)
    }

    /// The role with these variables, by both; what differs in the end is said.
    fn both_do(&mut self, what: &str, variables: &str, more: &[&str]) -> [Ended; 2] {
        let given = ["-i", "inventory.ini", "-e", variables, "site.yml"];
        let args = |host| [&given[..], &["--limit", host], more].concat();
        let ours = self.0.run(&args(HOSTS[0])[2..]);
        let theirs = self.0.ansible(&args(HOSTS[1]));
        let [our, their] = HOSTS.map(|name| state(self.0.host(name)));
        let (our, their): (BTreeSet<_>, BTreeSet<_>) =
            (our.lines().collect(), their.lines().collect());
        let differ: Vec<_> = our.symmetric_difference(&their).collect();
        assert!(
            differ.is_empty(),
            "{what}: {differ:#?}\nours\n{ours}\nAnsible\n{theirs}"
        );
        [ours, theirs]
    }

    /// Since when the service runs.
    fn began(&self) -> String {
        let asked = "systemctl show -p ExecMainStartTimestampMonotonic --value served";
        self.0.host(HOSTS[0]).sh(asked)
    }
}

#[test]
#[ignore = "needs root and a lab"]
fn a_role_of_the_usual_make() {
    if !need_lab() || !need_ansible() {
        return;
    }
    let mut both = Both::boot();

    let [ours, theirs] = both.both_do("fresh", FIRST, &[]).map(Ended::ok);
    assert_eq!(changed(&ours), changed(&theirs), "{ours}\n{theirs}");

    let [ours, theirs] = both.both_do("unchanged", FIRST, &[]).map(Ended::ok);
    assert_eq!(changed(&theirs), BTreeSet::new(), "{theirs}");
    ours.changed(0);

    let [ours, theirs] = both.both_do("upgraded", UPGRADED, &[]).map(Ended::ok);
    assert_eq!(changed(&ours), changed(&theirs), "{ours}\n{theirs}");

    // It fails after configuration was changed, before handlers ran.
    let before = both.began();
    let [ours, theirs] = both.both_do("failing", FIRST, &["-e", "kiosk_broken=true"]);
    assert_eq!(changed(&ours), changed(&theirs), "{ours}\n{theirs}");
    ours.status(2).outcome("kiosk : made to fail", "failed");
    theirs.status(2);
    assert_eq!(both.began(), before);

    // What was notified then is done now; Ansible has forgotten it, so that only shelves are as they were.
    let ours = both
        .0
        .run(&["-e", FIRST, "site.yml", "--limit", HOSTS[0]])
        .ok();
    assert!(changed(&ours).contains("kiosk : restart kiosk"), "{ours}");
    assert_ne!(both.began(), before);
    both.0
        .ansible(&[
            "-i",
            "inventory.ini",
            "-e",
            FIRST,
            "site.yml",
            "--limit",
            HOSTS[1],
        ])
        .ok();
    let but_for_handlers = |name| {
        let all = state(both.0.host(name));
        let lines: Vec<_> = all.lines().map(str::to_owned).collect();
        lines
            .into_iter()
            .filter(|line| !line.contains("./shelves") && !line.contains("./said"))
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(but_for_handlers(HOSTS[0]), but_for_handlers(HOSTS[1]));
}
