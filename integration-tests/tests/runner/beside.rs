//! In breadth: many small plays as data (`beside/`), and each pair of levels of variables. What they say is what
//! Ansible says, play by play, in one run of each; where there is no Ansible, ours has to come to its end.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
    process::Stdio,
};

use evenkeel_integration_tests::{Ended, Scratch, need, need_ansible, need_collection, need_root};

/// What each play says: messages that begin with `= `, in order. Batches of a play are one.
type Said = Vec<(String, Vec<String>)>;

fn note(said: &mut Said, play: &str, message: Option<&str>) {
    if said.last().is_none_or(|(last, _)| last != play) {
        said.push((play.to_owned(), Vec::new()));
    }
    let message = message.and_then(|text| text.strip_prefix("= "));
    if let (Some((_, all)), Some(message)) = (said.last_mut(), message) {
        all.push(message.to_owned());
    }
}

fn of_ours(ended: &Ended) -> Said {
    let mut said = Said::new();
    for task in ended.tasks() {
        let play = task.0["play"].as_str().unwrap_or_default();
        note(&mut said, play, task.0["message"].as_str());
        for item in task.0["items"].as_array().into_iter().flatten() {
            note(&mut said, play, item["message"].as_str());
        }
    }
    said
}

fn of_ansible(text: &str) -> Said {
    let mut said = Said::new();
    let mut play = String::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("PLAY [") {
            name.split(']')
                .next()
                .unwrap_or_default()
                .clone_into(&mut play);
        }
        let message = line.trim().strip_prefix("\"msg\": ");
        let message = message.map(|text| text.trim_end_matches(','));
        let message = message.and_then(|text| serde_json::from_str::<String>(text).ok());
        if !play.is_empty() {
            note(&mut said, &play, message.as_deref());
        }
    }
    said
}

fn ansible(scratch: &Scratch, args: &[&str]) -> String {
    let mut ansible = scratch.within("ansible-playbook");
    ansible
        .args(args)
        .args(["-c", "local", "site.yml"])
        // By the Python that it runs with itself.
        .args([
            "-e",
            "ansible_python_interpreter={{ ansible_playbook_python }}",
        ])
        .current_dir(scratch.path(""))
        .env("ANSIBLE_LOCAL_TEMP", scratch.path(".tmp"))
        .env("ANSIBLE_REMOTE_TEMP", scratch.path(".tmp"))
        .env("ANSIBLE_GATHERING", "explicit")
        .env("ANSIBLE_CALLBACK_RESULT_FORMAT", "json")
        .env("LC_ALL", "C.UTF-8");
    let ran = ansible.stdin(Stdio::null()).output().unwrap();
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

/// Both say the same, told by plays; how much that is.
pub(super) fn same(scratch: &Scratch, args: &[&str]) -> usize {
    let ended = scratch.run(&[args, &["-c", "local"]].concat()).ok();
    let ours = of_ours(&ended);
    let count = ours.iter().map(|(_, said)| said.len()).sum();
    if need_ansible() {
        let text = ansible(scratch, args);
        let theirs: BTreeMap<_, _> = of_ansible(&text).into_iter().collect();
        let mut differ = String::new();
        for (play, said) in &ours {
            let other = theirs.get(play).map_or(&[][..], Vec::as_slice);
            if other != said {
                writeln!(
                    differ,
                    "{play}\n  here:    {said:#?}\n  Ansible: {other:#?}"
                )
                .unwrap();
            }
        }
        assert!(differ.is_empty(), "{differ}\n{text}");
    }
    count
}

fn copy(from: &Path, scratch: &Scratch, below: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name: PathBuf = below.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, scratch, &name);
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            scratch.file(name.to_str().unwrap(), &text);
        }
    }
}

#[test]
fn many_small_plays_say_what_they_say_for_ansible() {
    let scratch = Scratch::new();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/runner/beside");
    copy(&data, &scratch, Path::new(""));
    let text = scratch.read("tasks.yml");
    scratch.file("site.yml", &text);
    let count = same(&scratch, &["-i", "localhost,"]);
    assert!(count > 120, "{count} messages");
}

#[test]
fn as_whom_tasks_and_their_items_are_done() {
    let users = ["nobody", "games"].map(|user| need(user, &format!("id {user}")));
    if !need_root() || !need("sudo", "command -v sudo") || users.contains(&false) {
        return;
    }
    let scratch = Scratch::new();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/runner/beside");
    copy(&data, &scratch, Path::new(""));
    let text = scratch.read("become.yml");
    scratch.file("site.yml", &text);
    assert_eq!(same(&scratch, &["-i", "localhost,"]), 11);
}

#[test]
fn what_is_below_folders_is_told_alike() {
    if !need_collection("community.general") {
        return;
    }
    let scratch = Scratch::new();
    scratch.file("files/one/a.txt", "a");
    scratch.file("files/one/sub/b.txt", "bb");
    scratch.file("files/two/a.txt", "other");
    scratch.file("files/two/sub/c.txt", "");
    std::os::unix::fs::symlink("a.txt", scratch.path("files/one/link")).unwrap();
    std::os::unix::fs::symlink("sub", scratch.path("files/one/down")).unwrap();
    scratch.file(
        "site.yml",
        r#"
- name: what is below folders
  hosts: localhost
  vars:
    all: "{{ query('community.general.filetree', 'one/', 'two') | sort(attribute='path') }}"
  tasks:
  - debug: {msg: "= {{ all | map(attribute='path') }} {{ all | map(attribute='state') }}"}
  - debug: {msg: "= {{ all | map(attribute='mode') }} {{ all | map(attribute='size') }}"}
  - debug: {msg: "= {{ all | map(attribute='owner') | unique }} {{ all | map(attribute='gid') | unique }}"}
  - debug: {msg: "= {{ all | map(attribute='root') | map('basename') }}"}
  - debug: {msg: "= {{ all | selectattr('src', 'defined') | map(attribute='src') | map('basename') }}"}
  - debug: {msg: "= {{ all | map(attribute='mtime') | map('int') }}"}
  - debug: {msg: "= {{ item.path }} {{ lookup('file', item.src) }}"}
    with_community.general.filetree: two/
    when: item.state == 'file' and item.path == 'a.txt'
  - debug: {msg: "= {{ query('community.general.filetree', 'none/') }}"}
"#,
    );
    assert_eq!(same(&scratch, &["-i", "localhost,"]), 8);
}

/// Levels at which a variable can be written, the lowest first.
const LEVELS: [&str; 18] = [
    "role_defaults",
    "group_in_inventory",
    "all_beside_inventory",
    "all_beside_playbook",
    "group_beside_inventory",
    "group_beside_playbook",
    "host_in_inventory",
    "host_beside_inventory",
    "host_beside_playbook",
    "play",
    "vars_file",
    "role_vars",
    "block",
    "task",
    "include_vars",
    "set_fact",
    "role_param",
    "extra",
];

/// For each pair of levels a variable that both write.
#[test]
fn of_each_pair_of_levels_the_same_wins() {
    let scratch = Scratch::new();
    let mut at: BTreeMap<&str, String> =
        LEVELS.iter().map(|level| (*level, String::new())).collect();
    let mut inventory = ("[web:vars]\n".to_owned(), "localhost".to_owned());
    let (mut line, mut pairs) = ("= ".to_owned(), 0);
    for (low, lower) in LEVELS.iter().enumerate() {
        for (high, higher) in LEVELS.iter().enumerate().skip(low + 1) {
            let name = format!("v_{low}_{high}");
            for level in [lower, higher] {
                match *level {
                    "group_in_inventory" => {
                        writeln!(inventory.0, "{name}={level}").unwrap();
                    }
                    "host_in_inventory" => {
                        write!(inventory.1, " {name}={level}").unwrap();
                    }
                    level => {
                        write!(at.get_mut(level).unwrap(), "{name}: {level}, ").unwrap();
                    }
                }
            }
            write!(line, "{name}={{{{ {name} }}}} ").unwrap();
            pairs += 1;
        }
    }
    let map = |level: &str| format!("{{{}}}", at[level].trim_end_matches(", "));
    let (of_group, of_host) = inventory;
    scratch.file("inv/hosts", &format!("[web]\n{of_host}\n{of_group}"));
    for (file, level) in [
        ("roles/r/defaults/main.yml", "role_defaults"),
        ("roles/r/vars/main.yml", "role_vars"),
        ("inv/group_vars/all.yml", "all_beside_inventory"),
        ("group_vars/all.yml", "all_beside_playbook"),
        ("inv/group_vars/web.yml", "group_beside_inventory"),
        ("group_vars/web.yml", "group_beside_playbook"),
        ("inv/host_vars/localhost.yml", "host_beside_inventory"),
        ("host_vars/localhost.yml", "host_beside_playbook"),
        ("of_play.yml", "vars_file"),
        ("of_task.yml", "include_vars"),
        ("extra.yml", "extra"),
    ] {
        scratch.file(file, &format!("{}\n", map(level)));
    }
    let (block, task, set) = (map("block"), map("task"), map("set_fact"));
    scratch.file(
        "roles/r/tasks/main.yml",
        &format!(
            "- include_vars: {{file: '{{{{ playbook_dir }}}}/of_task.yml'}}\n- set_fact: {set}\n- vars: {block}\n  block:\n  \
             - {{debug: {{msg: '{line}'}}, vars: {task}}}\n"
        ),
    );
    let param = map("role_param").replacen('{', "{role: r, ", 1);
    scratch.file(
        "site.yml",
        &format!(
            "- {{name: levels, hosts: localhost, vars: {}, vars_files: [of_play.yml], roles: [{param}]}}\n",
            map("play")
        ),
    );
    assert_eq!(pairs, 153);
    assert_eq!(same(&scratch, &["-i", "inv", "-e", "@extra.yml"]), 1);
}
