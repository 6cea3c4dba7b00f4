//! The same playbooks by Ansible on hosts that are the same: each task is told alike, and all ends in the same state.

use std::collections::BTreeMap;

use evenkeel_integration_tests::{
    Ended, Host, Lab, Task, need_ansible, need_collection, need_lab, until,
};

use super::apt::SHOP;

/// The hosts of each: ours, then Ansible's.
const DEBIAN: [&str; 2] = ["ours", "theirs"];
const RED_HAT: [&str; 2] = ["ours9", "theirs9"];

/// Where we tell something else on purpose: the task, and why.
const OTHERWISE: [(&str, &str); 1] = [(
    "provided by another",
    "it is one transaction with the task before it, so that who provides it was not there when it was asked",
)];

/// What a later task of the same playbook makes something else of; and `an archive`, of which nobody but we ourselves
/// knows what was taken out of it.
const UNDONE: [&str; 21] = [
    "a user",
    "without other groups",
    "an archive",
    "lists",
    "one version",
    "the first of two",
    "then the latest",
    "with what it needs",
    "without what needs it",
    "purged",
    "the latest",
    "started by the other module",
    "stopped",
    "restarted",
    "a user of the system",
    "other groups",
    "gone with its home",
    "a third",
    "which goes",
    "a role",
    "no longer allowed",
];

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
        host.sh("cd /srv/files && mkdir -p tree/below && echo one >tree/one && ln -s one tree/below/link && \
                 chmod 600 tree/one && tar --sort=name --mtime=@1700000000 -czf tree.tar.gz tree && rm -r tree");
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
    let of = |at: usize| format!("{},{}", DEBIAN[at], RED_HAT[at]);
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
    for [ours, theirs] in [DEBIAN, RED_HAT] {
        assert_eq!(
            state(lab.host(ours)),
            state(lab.host(theirs)),
            "{playbook}: ours, then Ansible's"
        );
    }
    // What Ansible made is in its state for us, but for what the playbook itself undoes.
    let again = lab.run(&["--limit", &of(1), playbook]).ok();
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
}
