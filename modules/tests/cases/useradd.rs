//! `useradd`: what it decides. What the programs then do is in `tests/accounts.rs`.

use std::sync::Arc;

use evenkeel_engine::{
    Secret, Task, TaskList, Value, event::Outcome, fake::FakeHost, host::Host, run::Options,
};
use evenkeel_modules::{
    Ageing, Entry, Login, Numbers, Shadow, Taken, file::File, useradd::Useradd,
};

use crate::support::{Expect, case, outcomes};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "useradd: {name: app, state: absent, uid: 5, non_unique: true, group: web, groups: [a, b], \
     append: true, comment: c, home: /h, shell: /s, skeleton: /k, create_home: false, \
     move_home: true, system: true, password: x, update_password: on_create, password_lock: true, \
     expires: 5, password_expire_min: 1, password_expire_max: 2, password_expire_warn: 3, \
     password_expire_account_disable: 4, remove: true, force: true, generate_ssh_key: true, \
     ssh_key_bits: 2048, ssh_key_comment: c, ssh_key_file: k, ssh_key_passphrase: p, \
     ssh_key_type: ed25519, local: true, umask: '077', uid_min: 1, uid_max: 2}",
];

const DEFS: &str = "UID_MIN 1000\nUID_MAX 60000\nGID_MIN 1000\nGID_MAX 60000\nUSERGROUPS_ENAB yes\nUMASK 022\n\
    PASS_MAX_DAYS 99999\nPASS_MIN_DAYS 0\nPASS_WARN_AGE 7\n";

fn entry(name: &str, uid: u32) -> Entry {
    Entry {
        uid,
        gid: uid,
        comment: String::new(),
        home: format!("/home/{name}"),
        shell: "/bin/sh".to_owned(),
        shadow: Shadow::Known(Ageing {
            password: Secret::new("$6$a$old"),
            min: Some(0),
            max: Some(99999),
            warn: Some(7),
            inactive: None,
            expires: None,
        }),
        groups: Vec::new(),
    }
}

/// A host with programs whose effects are believed.
fn bare() -> FakeHost {
    let mut host = FakeHost::new()
        .file("/etc/login.defs", DEFS)
        .file("/etc/default/useradd", "SHELL=/bin/sh\n")
        .group("web", 50)
        .group("users", 100)
        .user("daemon", 1)
        .answers(
            Numbers,
            Taken {
                users: [0, 1, 1000].into(),
                groups: [0, 1, 50, 100, 1000].into(),
            },
        );
    for tool in ["useradd", "usermod", "userdel", "chpasswd", "chage"] {
        let path = format!("/usr/sbin/{tool}");
        host = host.file(&path, "").mode(&path, 0o755);
    }
    host
}

fn said(host: FakeHost, entry: Option<&Entry>) -> FakeHost {
    [false, true].into_iter().fold(host, |host, local| {
        host.answers(
            Login {
                name: "app".to_owned(),
                local,
            },
            entry.cloned(),
        )
    })
}

/// Without the user `app`.
fn without() -> FakeHost {
    said(bare(), None)
}

/// With it, and its home.
fn with(change: impl FnOnce(&mut Entry)) -> FakeHost {
    let mut entry = entry("app", 1001);
    change(&mut entry);
    said(bare().user("app", 1001).dir("/home/app"), Some(&entry))
}

fn same(_: &mut Entry) {}

pub(crate) fn cases() -> Vec<Expect> {
    let mut cases = made();
    cases.extend(changed());
    cases.extend(described());
    cases.extend(secrets());
    cases.extend(refused());
    cases
}

fn made() -> Vec<Expect> {
    vec![
        case("USR-01 a new user", "useradd: {name: app}")
            .on(without())
            .changes(["user: null -> \"app\"", "home: null -> \"/home/app\""])
            .then("/home/app", "directory 0755 app:app")
            .gives("uid", "1001")
            .gives("home", "\"/home/app\""),
        case("USR-01 in its state", "useradd: {name: app}").on(with(same)),
        case(
            "USR-02 with a number",
            "useradd: {name: app, uid: 4000, create_home: false}",
        )
        .on(without())
        .changes(["user"])
        .gives("uid", "4000"),
        case("USR-02 with its number", "useradd: {name: app, uid: 1001}").on(with(same)),
        case(
            "USR-17 a group of its name is there",
            "useradd: {name: app}",
        )
        .on(without().group("app", 1005))
        .changes(["user", "home"])
        .gives("gid", "100"),
        case(
            "USR-23 of the system",
            "useradd: {name: app, system: true, create_home: false}",
        )
        .on(without())
        .changes(["user"])
        .gives("uid", "999"),
        case(
            "USR-08 above its home nothing is there",
            "useradd: {name: app, home: /srv/a/app}",
        )
        .on(without())
        .changes(["directory", "directory", "user", "home"])
        .then("/srv/a", "directory 0755 root:root"),
        case(
            "USR-25 the group is not there yet",
            "useradd: {name: app, groups: docker}",
        )
        .on(without())
        .not_yet("the group `docker`"),
        case("USR-16 it goes", "useradd: {name: app, state: absent}")
            .on(with(same))
            .changes(["user: \"app\" -> null"])
            .then("/home/app", "directory"),
        case(
            "USR-16 it goes with its home",
            "useradd: {name: app, state: absent, remove: true}",
        )
        .on(with(same))
        .changes(["user", "home"])
        .then("/home/app", "nothing"),
        case(
            "USR-16 it is not there",
            "useradd: {name: app, state: absent}",
        )
        .on(without()),
    ]
}

fn changed() -> Vec<Expect> {
    let grouped = |entry: &mut Entry| entry.groups = vec!["users".to_owned()];
    vec![
        case(
            "USR-03 groups are replaced",
            "useradd: {name: app, groups: [web]}",
        )
        .on(with(grouped))
        .changes(["groups: \"users\" -> \"web\""]),
        case(
            "USR-03 groups are added",
            "useradd: {name: app, groups: web, append: true}",
        )
        .on(with(grouped))
        .changes(["groups: \"users\" -> \"users,web\""]),
        case(
            "USR-03 a group by number",
            "useradd: {name: app, groups: ['100']}",
        )
        .on(with(grouped)),
        case(
            "USR-04 out of all groups",
            "useradd: {name: app, groups: ''}",
        )
        .on(with(grouped))
        .changes(["groups: \"users\" -> \"\""]),
        case("USR-04 not given", "useradd: {name: app}").on(with(grouped)),
        case("USR-05 append alone", "useradd: {name: app, append: true}")
            .on(with(grouped))
            .warns("`append` has no effect"),
        case(
            "USR-06 no such group",
            "useradd: {name: app, groups: nosuch}",
        )
        .on(with(same))
        .not_yet("the group `nosuch`"),
        case(
            "USR-07 another home",
            "useradd: {name: app, home: /srv/app, create_home: false}",
        )
        .on(with(same))
        .changes(["home: \"/home/app\" -> \"/srv/app\""])
        .then("/srv/app", "nothing"),
        case(
            "USR-07 its home moves",
            "useradd: {name: app, home: /opt/app, move_home: true}",
        )
        .on(with(same))
        .changes(["home"])
        .then("/opt/app", "directory 0755 root:root")
        .then("/home/app", "nothing"),
    ]
}

fn described() -> Vec<Expect> {
    vec![
        case(
            "USR-24 nothing differs",
            "useradd: {name: app, comment: '', shell: /bin/sh, home: /home/app}",
        )
        .on(with(same)),
        case(
            "USR-24 shell and comment",
            "useradd: {name: app, comment: x, shell: /bin/bash}",
        )
        .on(with(same))
        .changes([
            "comment: \"\" -> \"x\"",
            "shell: \"/bin/sh\" -> \"/bin/bash\"",
        ]),
        case(
            "USR-18 a shell below the home of who acts",
            "useradd: {name: app, shell: ~/sh}",
        )
        .on(with(same))
        .changes(["shell: \"/bin/sh\" -> \"/root/sh\""]),
        case(
            "USR-14 it is closed",
            "useradd: {name: app, expires: 86400.5}",
        )
        .on(with(same))
        .changes(["expires: null -> 1"]),
        case("USR-14 never", "useradd: {name: app, expires: -1}").on(with(same)),
        case(
            "USR-15 days",
            "useradd: {name: app, password_expire_max: 90, password_expire_warn: 0}",
        )
        .on(with(same))
        .changes([
            "password_expire_max: 99999 -> 90",
            "password_expire_warn: 7 -> 0",
        ]),
        case(
            "USR-26 only root reads passwords",
            "useradd: {name: app, expires: 0}",
        )
        .on(with(|entry| entry.shadow = Shadow::Hidden))
        .not_yet("which only root can read"),
    ]
}

fn secrets() -> Vec<Expect> {
    let hash = |text: &str| Value::Secret(Secret::new(text));
    vec![
        case("USR-11 another password", "useradd: {name: app}")
            .arg(
                "password",
                hash("$5$salt$kI8RZ5eTSpXHV2VNhZ5e0V6xyIyrvLcaPrRcVSFmL1C"),
            )
            .on(with(same))
            .changes(["password"])
            .warns_not(),
        case("USR-11 no hash", "useradd: {name: app, password: secret}")
            .on(with(same))
            .changes(["password"])
            .warns("does not look encrypted"),
        case("USR-11 none", "useradd: {name: app, password: '!'}")
            .on(with(same))
            .changes(["password"])
            .warns_not(),
        case(
            "USR-12 only of a new one",
            "useradd: {name: app, password: '*', update_password: on_create}",
        )
        .on(with(same)),
        case(
            "USR-12 of a new one",
            "useradd: {name: app, password: '*', update_password: on_create}",
        )
        .on(without())
        .changes(["user", "home", "password"]),
        case("USR-13 locked", "useradd: {name: app, password_lock: true}")
            .on(with(same))
            .changes(["password_lock: false -> true"]),
        case(
            "USR-13 unlocked",
            "useradd: {name: app, password_lock: false}",
        )
        .on(with(same)),
        case(
            "USR-19 a key",
            "useradd: {name: app, generate_ssh_key: true}",
        )
        .on(with(same))
        .changes(["ssh_key: null -> \"/home/app/.ssh/id_rsa\""])
        .then("/home/app/.ssh/id_rsa", "file 0600 app:app"),
        case(
            "USR-19 a key is kept",
            "useradd: {name: app, generate_ssh_key: true}",
        )
        .on(with(same)
            .file("/home/app/.ssh/id_rsa", "key")
            .link("/home/app/.ssh/id_rsa.pub", "/etc/login.defs"))
        .gives("ssh_public_key", "\"\""),
    ]
}

fn refused() -> Vec<Expect> {
    vec![
        case(
            "USR-21 a range and local",
            "useradd: {name: app, local: true, uid_min: 5}",
        )
        .refused("`local` excludes"),
        case(
            "USR-22 a mask and local",
            "useradd: {name: app, local: true, umask: '077'}",
        )
        .refused("`local` excludes"),
        case("USR-22 no mask", "useradd: {name: app, umask: '099'}").refused("not octal"),
        case("USR-27 no name", "useradd: {name: '-x'}").refused("cannot be the name"),
        case("USR-27 a colon", "useradd: {name: app, comment: 'a:b'}").refused("contains a colon"),
        case("a tab", "useradd: {name: app, shell: \"/bin/a\\tb\"}").refused("control character"),
        case("USR-27 whose number is it", "useradd: {name: app, uid: 1}")
            .on(without())
            .refused("belongs to the user `daemon`"),
        case("USR-27 BusyBox has others", "useradd: {name: app}")
            .on({
                let host = without();
                host.change(|world| world.remove("/usr/sbin/useradd"));
                host
            })
            .not_yet("the program `useradd`"),
        case(
            "USR-20 a directory has the name",
            "useradd: {name: app, local: true}",
        )
        .on(without().user("app", 70000))
        .refused("a directory has a user `app` too"),
    ]
}

/// What a plan says of directories below the home of a new user, owned by that user.
async fn directories(create_home: bool) -> Vec<Outcome> {
    let mut list = TaskList::new("useradd");
    list.host("here", Arc::new(without()) as Arc<dyn Host>);
    let user = serde_json::json!({
        "name": "app", "uid": 77, "group": "web", "home": "/srv/app", "create_home": create_home,
    });
    let user = serde_json::from_value(user).expect("arguments");
    list.task(Task::new::<Useradd>("user", user));
    for path in ["/srv/app", "/srv/app/data"] {
        let directory =
            serde_json::json!({"path": path, "state": "directory", "owner": "app", "group": "web"});
        let directory = serde_json::from_value(directory).expect("arguments");
        list.task(Task::new::<File>(path, directory));
    }
    outcomes(list, Options::new().check()).await
}

#[tokio::test]
async fn a_plan_knows_what_is_made_in_a_home_that_is_not() {
    let all = Outcome::Changed;
    assert_eq!(directories(false).await, [all; 3]);
    // What a skeleton brings is not known.
    assert_eq!(directories(true).await[2], Outcome::Unknown);
}
