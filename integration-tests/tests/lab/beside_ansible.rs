//! The same playbooks by Ansible on hosts that are the same: each task is told alike, and all ends in the same state.

use std::collections::{BTreeMap, BTreeSet};

use evenkeel_integration_tests::{
    Ended, Host, Lab, Task, need_ansible, need_collection, need_lab, until,
};

use super::apt::SHOP;

/// The hosts of each: ours, then Ansible's.
const DEBIAN: [&str; 2] = ["ours", "theirs"];
const RED_HAT: [&str; 2] = ["ours9", "theirs9"];

/// Where we tell something else on purpose: the task, and why.
const OTHERWISE: [(&str, &str); 3] = [
    (
        "an archive that is there",
        "what `creates` names is there: in its state for us, as with a command; Ansible skips it",
    ),
    (
        "provided by another",
        "it is one transaction with the task before it, so that who provides it was not there when it was asked",
    ),
    (
        "unlocked",
        "where there is no password, `usermod -U` refuses; Ansible calls that a change, each time",
    ),
];

/// What a later task of the same playbook makes something else of; and `an archive`, of which nobody but we ourselves
/// knows what was taken out of it.
const UNDONE: [&str; 13] = [
    "a user",
    "without other groups",
    "started by the other module",
    "stopped",
    "restarted",
    "a user of the system",
    "other groups",
    "gone with its home",
    "an archive",
    "a role",
    "a third",
    "which goes",
    "no longer allowed",
];

/// Makes an archive.
const TREE: &str = "cd /srv/files && mkdir -p tree/below && echo one >tree/one && ln -s one tree/below/link && \
                    chmod 600 tree/one && tar --sort=name --mtime=@1700000000 -czf tree.tar.gz tree && rm -r tree";

fn booted() -> Lab {
    let packages = ["postgresql", "cron", "python3-apt", "python3-psycopg2"];
    let plan = Lab::plan().packages(&packages).disk("600m");
    let plan = DEBIAN.iter().fold(plan, |plan, name| plan.host(name));
    let plan = plan.packages(&[]).rhel().disk("200m");
    let lab = RED_HAT
        .iter()
        .fold(plan, |plan, name| plan.host(name))
        .boot();
    let groups = format!(
        "\n[deb]\n{}\n\n[rhel]\n{}\n",
        DEBIAN.join("\n"),
        RED_HAT.join("\n")
    );
    lab.file("inventory.ini", &(lab.read("inventory.ini") + &groups));
    for name in DEBIAN {
        let host = lab.host(name);
        host.write("/root/shop", SHOP).sh("sh /root/shop");
        host.sh(TREE);
        until("PostgreSQL answers", || {
            host.is("runuser -u postgres -- psql -XqAtc 'SELECT 1'")
        });
    }
    lab
}

/// How each task ended, by the kind of its host and its name.
fn told(ended: &Ended) -> BTreeMap<(bool, String), String> {
    let told = |task: Task| {
        let which = (task.host().ends_with('9'), task.name().to_owned());
        (which, task.outcome().to_owned())
    };
    ended.tasks().map(told).collect()
}

/// Both do a playbook, each on its own hosts; what differs is said.
fn both_do(lab: &mut Lab, playbook: &str, text: &str, state: &dyn Fn(&Host) -> String) {
    lab.file(playbook, text);
    let is_there = |kind: &[&str; 2]| lab.hosts().iter().any(|host| host.name() == kind[0]);
    let kinds: Vec<_> = [DEBIAN, RED_HAT].into_iter().filter(is_there).collect();
    let of = |at: usize| {
        kinds
            .iter()
            .map(|kind| kind[at])
            .collect::<Vec<_>>()
            .join(",")
    };
    let ours = lab.run(&["--limit", &of(0), playbook]).ok();
    let theirs = lab.ansible(&["-i", "inventory.ini", "--limit", &of(1), playbook]);
    let (our, mut their) = (told(&ours), told(&theirs));
    for (task, _) in OTHERWISE {
        their.retain(|(_, name), _| name != task);
    }
    let differs = |task: &&_| our.get(*task) != their.get(*task);
    let differ: Vec<_> = their
        .keys()
        .filter(differs)
        .map(|task| (task, our.get(task), &their[task]))
        .collect();
    assert!(
        differ.is_empty(),
        "{differ:#?}\nours\n{ours}\nAnsible\n{theirs}"
    );
    theirs.ok();
    for [ours, theirs] in &kinds {
        let (ours, theirs) = (state(lab.host(ours)), state(lab.host(theirs)));
        let (ours, theirs): (BTreeSet<_>, BTreeSet<_>) =
            (ours.lines().collect(), theirs.lines().collect());
        let only = |one: &BTreeSet<&str>, other| {
            one.difference(other)
                .map(|&line| line.to_owned())
                .collect::<Vec<_>>()
        };
        let differ = (only(&ours, &theirs), only(&theirs, &ours));
        assert_eq!(
            differ,
            (Vec::new(), Vec::new()),
            "{playbook}: only ours, only Ansible's"
        );
    }
}

/// What Ansible made is in its state for us, but for what the playbook itself undoes.
fn stays(lab: &Lab, playbook: &str) {
    let again = lab.run(&["--limit", DEBIAN[1], playbook]).ok();
    let undone = |name: &String| !UNDONE.contains(&name.as_str());
    let changed: Vec<_> = again.named("changed").into_iter().filter(undone).collect();
    assert!(changed.is_empty(), "{changed:?} of {playbook}\n{again}");
}

fn packages(host: &Host) -> String {
    host.sh(
        "if command -v rpm >/dev/null && [ -d /srv/rpm ]; then rpm -qa | sort; grep . /etc/yum.repos.d/more.repo | sort
         else dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Version}\\n'; apt-mark showauto; fi",
    )
}

#[test]
#[ignore = "needs root and a lab"]
fn ansible_comes_to_the_same() {
    if !need_lab() || !need_ansible() {
        return;
    }
    let mut lab = booted();
    both_do(
        &mut lab,
        "packages.yml",
        include_str!("same/packages.yml"),
        &packages,
    );
    // But for the mode of a file of keys that was there: we keep it, Ansible makes it 0600.
    let units = |host: &Host| {
        if host.is("test -d /srv/rpm") {
            return String::new();
        }
        host.sh(
            "systemctl show -p Id -p ActiveState -p UnitFileState -p LoadState lab-one lab-two lab-three served
             crontab -l -u deploy; cat /etc/cron.d/lab; stat -c '%N %a %U:%G' /etc/cron.d/lab
             cat ~deploy/.ssh/authorized_keys; stat -c '%N %a %U:%G' ~deploy/.ssh; stat -c %U:%G ~deploy/.ssh/authorized_keys
             getent passwd sailor engine; getent group crew; id sailor; stat -c '%N %a %U:%G' /srv/sailor
             cat /etc/sysctl.d/90-lab.conf; stat -c '%N %a %U:%G' /etc/sysctl.d/90-lab.conf",
        ) + &host.tree("/opt")
            + &host.tree("/srv/sailor")
    };
    both_do(
        &mut lab,
        "units.yml",
        include_str!("same/units.yml"),
        &units,
    );
    stays(&lab, "units.yml");
    if !need_collection("community.postgresql") {
        return;
    }
    let databases = |host: &Host| {
        if host.is("test -d /srv/rpm") {
            return String::new();
        }
        host.sh(
            "runuser -u postgres -- psql -XAt <<'SQL'
SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolconnlimit, rolvaliduntil,
       rolconfig, shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY 1;
SELECT datname, pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype, datconnlimit, datacl
  FROM pg_database ORDER BY 1;
SELECT rolname, left(rolpassword, 14) FROM pg_authid WHERE rolpassword IS NOT NULL ORDER BY 1;
SQL",
        )
    };
    both_do(
        &mut lab,
        "databases.yml",
        include_str!("same/databases.yml"),
        &databases,
    );
    stays(&lab, "databases.yml");
}

#[test]
#[ignore = "needs root and a lab"]
fn ansible_makes_the_same_files_and_accounts() {
    if !need_lab() || !need_ansible() {
        return;
    }
    let plan = Lab::plan().tools();
    let mut lab = DEBIAN
        .iter()
        .fold(plan, |plan, name| plan.host(name))
        .boot();
    lab.file(
        "inventory.ini",
        &(lab.read("inventory.ini") + "\n[deb]\n" + &DEBIAN.join("\n") + "\n"),
    );
    for host in lab.hosts() {
        host.sh("mkdir -p /srv/files /srv/same");
        host.sh(TREE);
        host.write("/srv/files/odd.deb", "odd\n");
    }
    // But for days that pass between the two.
    let accounts = |host: &Host| {
        host.sh(
            "getent passwd; getent group; cut -d: -f1,2,4- /etc/shadow; cat /etc/gshadow
             for home in /home/* /srv/*; do stat -c '%N %a %U:%G' $home; done
             stat -c '%N %a %U:%G' /home/keyed/.ssh /home/keyed/.ssh/*; cut -d' ' -f1,3- /home/keyed/.ssh/*.pub",
        )
    };
    both_do(
        &mut lab,
        "accounts.yml",
        include_str!("same/accounts.yml"),
        &accounts,
    );
    if !need_collection("community.general") {
        return;
    }
    // But for the empty line that Ansible writes before the first section of an INI file.
    let files = |host: &Host| {
        let tree = host.tree("/srv/same");
        let others = tree.lines().filter(|line| !line.ends_with("  ./some.ini"));
        let others: Vec<_> = others.collect();
        others.join("\n")
            + &host.sh("cd /srv/same; echo; grep . some.ini; head -n 50 lines structure copied")
    };
    both_do(
        &mut lab,
        "files.yml",
        include_str!("same/files.yml"),
        &files,
    );
}
