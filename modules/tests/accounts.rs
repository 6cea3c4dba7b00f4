//! `useradd` and `group` with the real programs and real files of accounts, on copies: the tests run
//! in a mount namespace of their own, in which `/etc` and `/home` are others. That needs root; without
//! it they are skipped with a word.

#![expect(clippy::disallowed_methods, reason = "tests look at this machine")]
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

#[path = "real/support.rs"]
mod support;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt as _, symlink},
    path::Path,
    process::Command,
};

use evenkeel_engine::{
    event::{Outcome, TaskFinished},
    run::Options,
};
use support::{tasks, twice};

const INSIDE: &str = "EVENKEEL_TEST_OTHER_ETC";

/// `/etc` and what lies around homes are copies or empty; nothing of them is seen outside.
const OTHER: &str = r#"
set -e
mount --make-rprivate /
dir=$1; shift
mkdir "$dir/etc" "$dir/home" "$dir/srv"
cp -a /etc/. "$dir/etc/"
mount --bind "$dir/etc" /etc
mount --bind "$dir/home" /home
mount --bind "$dir/srv" /srv
exec "$@"
"#;

/// Runs the test of this name again where it can do no harm; true there.
fn other_etc(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|id| id.stdout == b"0\n");
    let can = || {
        Command::new("unshare")
            .args(["-m", "true"])
            .status()
            .is_ok_and(|s| s.success())
    };
    let has = || Path::new("/usr/sbin/useradd").exists();
    if !(root && can() && has()) {
        eprintln!("skipped: needs root, `unshare` and `useradd`");
        return false;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let me = std::env::current_exe().expect("this program");
    let ran = Command::new("unshare")
        .args(["-m", "sh", "-c", OTHER, "sh"])
        .arg(dir.path())
        .arg(me)
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .expect("`unshare`");
    let (out, err) = (
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr),
    );
    assert!(ran.status.success(), "{out}\n{err}");
    assert!(out.contains("1 passed"), "{out}\n{err}");
    false
}

/// The line of a database.
fn line(database: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(format!("/etc/{database}")).expect("a database");
    let front = format!("{name}:");
    text.lines()
        .find(|line| line.starts_with(&front))
        .map(str::to_owned)
}

fn field(database: &str, name: &str, at: usize) -> String {
    let line = line(database, name).unwrap_or_else(|| panic!("no `{name}` in `{database}`"));
    line.split(':').nth(at).expect("a field").to_owned()
}

/// The groups that list a user.
fn groups(name: &str) -> Vec<String> {
    let text = fs::read_to_string("/etc/group").expect("a database");
    let of = |line: &str| {
        let (group, members) = (line.split(':').next()?, line.rsplit(':').next()?);
        members
            .split(',')
            .any(|member| member == name)
            .then(|| group.to_owned())
    };
    text.lines().filter_map(of).collect()
}

fn bits(path: &str) -> String {
    let stat = fs::symlink_metadata(path).unwrap_or_else(|why| panic!("`{path}`: {why}"));
    format!("{:04o} {}:{}", stat.mode() & 0o7777, stat.uid(), stat.gid())
}

/// Runs one task: how it ended.
async fn one(yaml: &str) -> TaskFinished {
    let temp = tempfile::tempdir().expect("a directory");
    tasks(temp.path(), Options::new(), &[yaml]).await.remove(0)
}

/// Runs one task twice: it changes something, then nothing.
async fn settles(yaml: &str) {
    let temp = tempfile::tempdir().expect("a directory");
    twice(temp.path(), &[yaml]).await;
}

async fn unchanged(yaml: &str) {
    let task = one(yaml).await;
    assert_eq!(
        task.outcome,
        Outcome::Unchanged,
        "{yaml}: {:?} {:?}",
        task.error,
        task.changes
    );
}

async fn fails(yaml: &str, why: &str) {
    let task = one(yaml).await;
    let error = task
        .error
        .unwrap_or_else(|| panic!("{yaml} is {:?}", task.outcome));
    let text = format!("{} {}", error.message, error.stderr.unwrap_or_default());
    assert!(text.contains(why), "{yaml}: {text}");
}

const HASH: &str = "$6$salt$IxDD3jeSOb5eB1CX5LBsqZFVkJdido3OUILO5Ifz5iwMuTS4XMS130MTSuDDl3aCI6WouIL9AjRbLCelDCy.g.";

#[tokio::test]
async fn users_are_made_and_changed() {
    if !other_etc("users_are_made_and_changed") {
        return;
    }
    settles("group: {name: one, gid: 7001}").await;
    settles("group: {name: two}").await;
    settles("group: {name: three}").await;
    settles(
        "user: {name: alice, uid: 7100, groups: [one, two], comment: Alice A, shell: /bin/bash}",
    )
    .await;
    assert_eq!(
        line("passwd", "alice").unwrap(),
        "alice:x:7100:7100:Alice A:/home/alice:/bin/bash"
    );
    assert_eq!(groups("alice"), ["one", "two"]);
    assert_eq!(bits("/home/alice"), "0755 7100:7100");
    assert!(Path::new("/home/alice/.bashrc").exists());
    // Groups: replaced, added, by number, none.
    settles("user: {name: alice, groups: two}").await;
    assert_eq!(groups("alice"), ["two"]);
    settles("user: {name: alice, groups: 'one, three', append: true}").await;
    assert_eq!(groups("alice"), ["one", "two", "three"]);
    unchanged("user: {name: alice, groups: [two, '7001', three]}").await;
    unchanged("user: {name: alice}").await;
    fails(
        "user: {name: alice, groups: no-such-group}",
        "the group `no-such-group`",
    )
    .await;
    settles("user: {name: alice, groups: []}").await;
    assert!(groups("alice").is_empty());
    // Home: only said to be elsewhere, then moved.
    settles("user: {name: alice, home: /home/elsewhere, create_home: false}").await;
    assert!(Path::new("/home/alice").exists() && !Path::new("/home/elsewhere").exists());
    settles("user: {name: alice, home: /home/alice, create_home: false}").await;
    settles("user: {name: alice, home: /home/moved, move_home: true}").await;
    assert!(Path::new("/home/moved/.bashrc").exists() && !Path::new("/home/alice").exists());
    settles("user: {name: alice, group: one, uid: 7101, shell: ~/sh, comment: ''}").await;
    assert_eq!(field("passwd", "alice", 3), "7001");
    assert_eq!(bits("/home/moved"), "0755 7101:7001");
    // What is above a home is made too.
    settles("user: {name: bob, home: /srv/a/b/bob, system: true}").await;
    let uid: u32 = field("passwd", "bob", 2).parse().unwrap();
    assert!((100..1000).contains(&uid), "{uid}");
    assert!(bits("/srv/a/b/bob").ends_with(&format!("{uid}:{}", field("passwd", "bob", 3))));
    // A group of the user's name is there already.
    settles("group: {name: carol}").await;
    settles("user: {name: carol, umask: '077', uid_min: 8000, uid_max: 8010}").await;
    assert_eq!(field("passwd", "carol", 2), "8000");
    assert!(bits("/home/carol").starts_with("0700"));
    assert_eq!(field("passwd", "carol", 3), "100");
    fails(
        "user: {name: dave, uid: 8000}",
        "belongs to the user `carol`",
    )
    .await;
    settles("user: {name: dave, uid: 8000, non_unique: true}").await;
    settles("user: {name: alice, state: absent}").await;
    assert!(Path::new("/home/moved").exists() && line("passwd", "alice").is_none());
    settles("user: {name: bob, state: absent, remove: true}").await;
    assert!(!Path::new("/srv/a/b/bob").exists());
}

#[tokio::test]
async fn homes_are_made_later_and_links_are_not_followed() {
    if !other_etc("homes_are_made_later_and_links_are_not_followed") {
        return;
    }
    fs::create_dir("/srv/skel").unwrap();
    fs::write("/srv/skel/.profile", "x\n").unwrap();
    fs::write("/srv/target", "of root\n").unwrap();
    symlink("/srv/target", "/srv/skel/link").unwrap();
    settles("user: {name: erin, uid: 7200, create_home: false, skeleton: /srv/skel}").await;
    assert!(!Path::new("/home/erin").exists());
    unchanged("user: {name: erin, create_home: false}").await;
    settles("user: {name: erin, skeleton: /srv/skel}").await;
    assert_eq!(bits("/home/erin"), "0755 7200:7200");
    assert_eq!(bits("/home/erin/.profile"), "0644 7200:7200");
    assert_eq!(
        fs::read_link("/home/erin/link").unwrap(),
        Path::new("/srv/target")
    );
    assert_eq!(bits("/srv/target"), "0644 0:0");
    settles("user: {name: frank, uid: 7201, skeleton: /srv/skel}").await;
    assert_eq!(bits("/home/frank/.profile"), "0644 7201:7201");
    assert_eq!(bits("/srv/target"), "0644 0:0");
    let defs = fs::read_to_string("/etc/login.defs").unwrap() + "\nHOME_MODE 0750\n";
    fs::write("/etc/login.defs", defs).unwrap();
    fs::remove_dir_all("/home/erin").unwrap();
    settles("user: {name: erin}").await;
    assert_eq!(bits("/home/erin"), "0750 7200:7200");
    settles("user: {name: gina, umask: '077'}").await;
    assert!(bits("/home/gina").starts_with("0700"));
}

#[tokio::test]
async fn passwords_are_set_locked_and_run_out() {
    if !other_etc("passwords_are_set_locked_and_run_out") {
        return;
    }
    let with = |more: &str| format!("user: {{name: alice, {more}}}");
    let set = with(&format!("password: '{HASH}'"));
    settles(&set).await;
    assert_eq!(field("shadow", "alice", 1), HASH);
    unchanged(&with("password: '$6$other$x', update_password: on_create")).await;
    settles(&with("password_lock: true")).await;
    assert_eq!(field("shadow", "alice", 1), format!("!{HASH}"));
    unchanged(&set).await;
    settles(&with(&format!("password: '{HASH}', password_lock: false"))).await;
    assert_eq!(field("shadow", "alice", 1), HASH);
    settles(&with("password: '!'")).await;
    unchanged(&with("password: '!', password_lock: false")).await;
    settles(&with("expires: 1.7e9")).await;
    assert_eq!(field("shadow", "alice", 7), "19675");
    unchanged(&with("expires: 1699999999")).await;
    settles(&with("expires: -1")).await;
    assert_eq!(field("shadow", "alice", 7), "");
    settles(&with(
        "password_expire_min: 0, password_expire_max: 90, password_expire_warn: 0, \
         password_expire_account_disable: 0",
    ))
    .await;
    let days: Vec<_> = (3..7).map(|at| field("shadow", "alice", at)).collect();
    assert_eq!(days, ["0", "90", "0", "0"]);
    settles(&format!(
        "user: {{name: bob, password: '{HASH}', password_lock: true}}"
    ))
    .await;
    assert_eq!(field("shadow", "bob", 1), format!("!{HASH}"));
    // Without an entry in the shadow database.
    let text = fs::read_to_string("/etc/shadow").unwrap();
    let rest: Vec<_> = text
        .lines()
        .filter(|line| !line.starts_with("bob:"))
        .collect();
    fs::write("/etc/shadow", rest.join("\n") + "\n").unwrap();
    unchanged("user: {name: bob, expires: -1}").await;
    settles("user: {name: bob, expires: 10000000}").await;
    assert_eq!(field("shadow", "bob", 7), "115");
}

#[tokio::test]
async fn keys_are_made_by_their_users() {
    if !other_etc("keys_are_made_by_their_users") {
        return;
    }
    if !Path::new("/usr/bin/ssh-keygen").exists() {
        return;
    }
    settles("user: {name: alice, uid: 7300, generate_ssh_key: true, ssh_key_type: ed25519, ssh_key_comment: a b}").await;
    assert_eq!(bits("/home/alice/.ssh"), "0700 7300:7300");
    assert_eq!(bits("/home/alice/.ssh/id_ed25519"), "0600 7300:7300");
    let public = fs::read_to_string("/home/alice/.ssh/id_ed25519.pub").unwrap();
    assert!(public.ends_with(" a b\n"), "{public}");
    unchanged("user: {name: alice, generate_ssh_key: true, ssh_key_type: ed25519}").await;
    // A link that was planted leads nowhere.
    fs::remove_file("/home/alice/.ssh/id_ed25519").unwrap();
    fs::remove_file("/home/alice/.ssh/id_ed25519.pub").unwrap();
    fs::write("/srv/secret", "of root\n").unwrap();
    symlink("/srv/secret", "/home/alice/.ssh/id_ed25519.pub").unwrap();
    let yaml = "user: {name: alice, generate_ssh_key: true, ssh_key_type: ed25519, ssh_key_passphrase: hunter2}";
    settles(yaml).await;
    assert_eq!(fs::read_to_string("/srv/secret").unwrap(), "of root\n");
    let file = "/home/alice/.ssh/id_ed25519";
    let opens = |word: &str| {
        Command::new("ssh-keygen")
            .args(["-y", "-P", word, "-f", file])
            .output()
            .unwrap()
    };
    assert!(opens("hunter2").status.success() && !opens("").status.success());
    assert_eq!(
        one("user: {name: alice, generate_ssh_key: true, ssh_key_type: ed25519, force: true}")
            .await
            .outcome,
        Outcome::Changed
    );
    assert!(opens("").status.success());
}

#[tokio::test]
async fn groups_are_made_changed_and_removed() {
    if !other_etc("groups_are_made_changed_and_removed") {
        return;
    }
    settles("group: {name: one}").await;
    let gid = field("group", "one", 2);
    unchanged(&format!("group: {{name: one, gid: {gid}}}")).await;
    settles("group: {name: one, gid: 7400}").await;
    assert_eq!(field("group", "one", 2), "7400");
    fails(
        "group: {name: two, gid: 7400}",
        "belongs to the group `one`",
    )
    .await;
    settles("group: {name: two, gid: 7400, non_unique: true}").await;
    settles("group: {name: three, system: true}").await;
    assert!(field("group", "three", 2).parse::<u32>().unwrap() < 1000);
    settles("group: {name: four, gid_min: 7500, gid_max: 7501}").await;
    assert_eq!(field("group", "four", 2), "7500");
    settles("group: {name: five, local: true}").await;
    settles("user: {name: alice, group: four}").await;
    fails("group: {name: four, state: absent}", "primary group").await;
    settles("group: {name: four, state: absent, force: true}").await;
    assert!(line("group", "four").is_none());
    settles("group: {name: one, state: absent}").await;
}

/// What check mode foretells is what the run then does, also where a task needs what an earlier one
/// would make.
#[tokio::test]
async fn check_mode_foretells_numbers_homes_and_groups() {
    if !other_etc("check_mode_foretells_numbers_homes_and_groups") {
        return;
    }
    let temp = tempfile::tempdir().expect("a directory");
    let yaml = [
        "group: {name: web}",
        "user: {name: alice, groups: web, expires: 0}",
        "user: {name: sys, comment: changed}",
        "user: {name: daemonx, system: true, group: web, create_home: false}",
        "user: {name: bob}",
        "file: {path: /srv/d, state: directory, owner: alice, group: web}",
        "user: {name: alice, groups: web}",
    ];
    let mut options = Options::new().check();
    options.results = true;
    let before = fs::read("/etc/passwd").unwrap();
    let foretold = tasks(temp.path(), options.clone(), &yaml).await;
    assert_eq!(fs::read("/etc/passwd").unwrap(), before);
    options = Options::new();
    options.results = true;
    let done = tasks(temp.path(), options, &yaml).await;
    for (foretold, done) in foretold.iter().zip(&done) {
        let name = &done.name.task;
        assert_eq!(
            foretold.outcome, done.outcome,
            "{name}: {:?} {:?}",
            foretold, done.error
        );
        assert!(done.result.is_some());
        assert_eq!(foretold.result, done.result, "{name}");
    }
    assert_eq!(done.last().unwrap().outcome, Outcome::Unchanged);
    assert_eq!(
        bits("/srv/d").split(' ').nth(1).unwrap(),
        format!(
            "{}:{}",
            field("passwd", "alice", 2),
            field("group", "web", 2)
        )
    );
}

/// Every account of this machine, described as it is, is unchanged: without root, and without a copy.
#[tokio::test]
async fn every_account_of_this_machine_is_as_it_is() {
    let text = fs::read_to_string("/etc/passwd").expect("accounts");
    let mut tasks_of = BTreeMap::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, uid, gid, comment, home, shell] = fields[..] else {
            continue;
        };
        let mut args = serde_json::json!({
            "name": name, "uid": uid, "non_unique": true, "group": gid, "comment": comment, "create_home": false,
        });
        for (key, text) in [("home", home), ("shell", shell)] {
            args[key] = text.into();
        }
        tasks_of.insert(
            name.to_owned(),
            serde_json::json!({ "user": args }).to_string(),
        );
    }
    let yaml: Vec<&str> = tasks_of.values().map(String::as_str).collect();
    let temp = tempfile::tempdir().expect("a directory");
    for task in tasks(temp.path(), Options::new(), &yaml).await {
        assert_eq!(
            task.outcome,
            Outcome::Unchanged,
            "{}: {:?} {:?}",
            task.name.task,
            task.error,
            task.changes
        );
    }
    assert!(yaml.len() > 3);
}
