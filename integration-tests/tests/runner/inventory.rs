//! Inventories and patterns of hosts, beside the real `ansible-inventory`.

use std::{
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
};

use evenkeel::{
    files::Files,
    inventory::{Inventory, select},
};
use evenkeel_integration_tests::{Random, Scratch, need};
use serde_json::Value;

/// `##### NAME: ARGUMENTS`, then files as `=== PATH` and what is in them. Of a name with `[list]` the tree is not
/// compared: it shows line feeds as they are.
const CASES: &str = include_str!("inventory/cases.txt");

fn need_it() -> bool {
    need("ansible-inventory", "command -v ansible-inventory")
}

/// The JSON in its parts' order, without what only Ansible's own programs read.
fn json(text: &str, of: &str) -> String {
    let mut json: Value =
        serde_json::from_str(text).unwrap_or_else(|why| panic!("{of}: {why}: {text}"));
    if let Some(meta) = json.get_mut("_meta").and_then(Value::as_object_mut) {
        meta.remove("profile");
    }
    json.sort_all_objects();
    serde_json::to_string_pretty(&json).unwrap()
}

fn compare(case: &str) {
    let (head, body) = case.split_once('\n').unwrap();
    let (name, args) = head.split_once(": ").unwrap();
    let args: Vec<&str> = args.split(' ').collect();
    let scratch = Scratch::new();
    for file in body.split("=== ").skip(1) {
        let (path, text) = file.split_once('\n').unwrap();
        scratch.file(path, text);
        if text.starts_with("#!") {
            let mode = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(scratch.path(path), mode).unwrap();
        }
    }
    let both = |what: &[&str]| {
        let theirs = [what, &args].concat();
        let theirs = scratch
            .ended(scratch.within("ansible-inventory").args(theirs))
            .ok();
        let ours = scratch
            .evenkeel(&[&["inventory"], what, &args].concat())
            .ok();
        (ours.stdout, theirs.stdout)
    };
    let (ours, theirs) = both(&["--list"]);
    assert_eq!(json(&ours, name), json(&theirs, name), "{name}");
    if !name.ends_with("[list]") {
        let (ours, theirs) = both(&["--graph", "--vars"]);
        assert_eq!(ours.trim_end(), theirs.trim_end(), "{name}");
    }
}

#[test]
fn lists_trees_and_hosts_are_those_of_ansible() {
    if !need_it() {
        return;
    }
    let cases: Vec<&str> = CASES.split("##### ").skip(1).collect();
    assert!(cases.len() >= 20, "{}", cases.len());
    // Its program starts slowly: two at a time.
    let (left, right) = cases.split_at(cases.len() / 2);
    let all = |cases: &[&str]| {
        for case in cases {
            compare(case);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| all(left));
        all(right);
    });
}

#[test]
fn one_host_is_told_as_ansible_tells_it() {
    if !need_it() {
        return;
    }
    let scratch = Scratch::new();
    scratch.file(
        "hosts",
        "[web]\nw1 a=1 b='x y'\n[web:vars]\nc=[1, {'d': None}]\n",
    );
    let args = ["--host", "w1", "-i", "hosts"];
    let theirs = scratch
        .ended(scratch.within("ansible-inventory").args(args))
        .ok();
    let ours = scratch.evenkeel(&[&["inventory"], &args[..]].concat()).ok();
    assert_eq!(json(&ours.stdout, "ours"), json(&theirs.stdout, "theirs"));
}

const HOSTS: &str = "\
mail
lone.example.com

[db]
d1
w2

[web]
w3
w1
w2
w10

[eu:children]
web
db

[old]
o1.example.com
o2.example.com

[w1x]
web
";

/// Groups in groups in several places: in what order Ansible takes those differs from run to run.
const NESTED: &str = "
[us:children]
old
web
[far:children]
us
w1x
";

/// Asks Ansible's own library, for one start of it costs a second.
const ASK: &str = "
import json, sys
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
inventory = InventoryManager(loader=DataLoader(), sources=[sys.argv[1]])
for pattern in json.load(sys.stdin):
    try:
        print(json.dumps([host.name for host in inventory.get_hosts(pattern)]))
    except Exception as error:
        print(json.dumps(str(error)))
";

/// The Python that runs Ansible.
fn python() -> Option<String> {
    let found = Command::new("sh")
        .args(["-c", "command -v ansible-inventory"])
        .output()
        .ok()?;
    let path = String::from_utf8(found.stdout).ok()?;
    let text = std::fs::read_to_string(path.trim()).ok()?;
    let first = text.lines().next()?.strip_prefix("#!")?.trim();
    (first.contains("python") && Path::new(first).exists()).then(|| first.to_owned())
}

/// A pattern of parts that people write.
fn pattern(random: &mut Random) -> String {
    const NAMES: [&str; 21] = [
        "all",
        "*",
        "web",
        "db",
        "eu",
        "us",
        "old",
        "w1",
        "w2",
        "mail",
        "ungrouped",
        "localhost",
        "w*",
        "*.example.com",
        "?1",
        "w[13]",
        "[!w]*",
        "~w\\d+",
        "~(d|o)[12]",
        "nope",
        "w1x",
    ];
    const PICKS: [&str; 8] = [
        "[0]", "[-1]", "[0:1]", "[1:]", "[-2]", "[1:2]", "[0:0]", "[1:9]",
    ];
    let mut pick = |count: usize| {
        let at = random.share() * f64::from(u32::try_from(count).unwrap());
        // Truncated on purpose.
        (0..count)
            .rev()
            .find(|n| f64::from(u32::try_from(*n).unwrap()) <= at)
            .unwrap()
    };
    let parts = 1 + pick(4);
    let glue = [":", ",", ", "][pick(3)];
    let mut whole = Vec::new();
    for _ in 0..parts {
        let name = NAMES[pick(NAMES.len())];
        let plain = !name.starts_with('~');
        let some = if plain && pick(4) == 0 {
            PICKS[pick(PICKS.len())]
        } else {
            ""
        };
        let sign = ["", "", "!", "&"][pick(4)];
        whole.push(format!("{sign}{name}{some}"));
    }
    whole.join(glue)
}

#[test]
fn patterns_select_what_they_select_for_ansible() {
    let Some(python) = need_it().then(python).flatten() else {
        return;
    };
    let scratch = Scratch::new();
    scratch.file("ask.py", ASK);
    let mut random = Random::new();
    let mut patterns: Vec<String> = [
        "all",
        "web:&eu",
        "web:!w1",
        "all:!eu",
        "!eu",
        "&eu",
        "web[0:2]",
        "web[-1]",
        "~w1?\\d$",
        "w1*",
        "a*",
        "u*",
        "web,db,!w2",
        "localhost",
        "nope",
        "eu[3]",
        "old:web",
        "*[2]",
        "all[1:3]",
        "web : db",
        "us:!old",
        "w1:w1",
        "o1.example.com",
        "~.*example",
        "*example*:&old",
        "web[0:2]:!web[1]",
        "web1[0]",
    ]
    .map(str::to_owned)
    .into();
    patterns.extend((0..2000).map(|_| pattern(&mut random)));
    let nested = format!("{HOSTS}{NESTED}");
    for (name, text, ordered) in [("hosts", HOSTS, true), ("nested", &nested, false)] {
        scratch.file(name, text);
        let answers = asked(&scratch, &python, name, &patterns);
        let source = scratch.path(name).display().to_string();
        let (inventory, wrong) = Inventory::read(&mut Files::new(), &[source]);
        assert!(wrong.is_empty());
        let mut differences = Vec::new();
        for (pattern, theirs) in patterns.iter().zip(answers) {
            // A position that is not there fails for them; here it is told as a part that selects nothing.
            let Some(mut theirs) = theirs else {
                continue;
            };
            // By position, something else comes where the order is another one.
            if !ordered && pattern.contains('[') {
                continue;
            }
            let found = select(&inventory, pattern);
            let mut ours = found.map_or_else(|why| vec![why], |found| found.hosts);
            if !ordered {
                ours.sort();
                theirs.sort();
            }
            if ours != theirs {
                differences.push(format!("{pattern}\n  ours {ours:?}\n  theirs {theirs:?}"));
            }
        }
        let count = differences.len();
        assert!(count == 0, "{name}: {count}: {}", differences.join("\n"));
    }
}

/// What Ansible selects by each pattern; nothing where it refuses it.
fn asked(
    scratch: &Scratch,
    python: &str,
    hosts: &str,
    patterns: &[String],
) -> Vec<Option<Vec<String>>> {
    let mut child = scratch
        .within(python)
        .args(["ask.py", hosts])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let asked = serde_json::to_string(patterns).unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(asked.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let answers = String::from_utf8(output.stdout).unwrap();
    assert_eq!(answers.lines().count(), patterns.len());
    let answers = answers.lines();
    answers
        .map(|answer| serde_json::from_str(answer).ok())
        .collect()
}

const MAKERS: &str = "
- hosts: web
  gather_facts: true
  tasks:
    - name: add some
      add_host: name={{ item }} groups=new,web hello=42 ansible_connection=local
      loop: [n1, n2]
    - name: by kind
      group_by: {key: 'kind_{{ kind }}', parents: kinds}
    - name: what it is
      command: echo {{ inventory_hostname }}
      register: out
      changed_when: false
    - name: by fact
      ansible.builtin.group_by:
        key: os_{{ ansible_facts.system }}
    - name: by result
      group_by:
        key: said {{ out.stdout }}
      when: out.stdout != 'w1'
    - name: by each
      group_by: {key: 'each {{ item }}_{{ kind }}'}
      loop: [one, two]
      when: item == 'one' or kind == 'b'
    - name: words
      command: printf '{{ inventory_hostname }}\\nall'
      register: words
      changed_when: false
    - name: by results
      group_by: {key: 'word_{{ item }}'}
      loop: '{{ words.stdout_lines }}'
";

/// A play for some hosts, which tells them and in which groups they are.
fn teller(hosts: &str) -> String {
    let path = "{{ playbook_dir }}/out/{{ told }}-{{ inventory_hostname }}";
    format!(
        "- hosts: {hosts}\n  gather_facts: false\n  vars: {{told: {hosts}}}\n  tasks:\n    \
         - name: tell {hosts}\n      copy:\n        dest: '{path}'\n        \
         content: \"{{{{ hello | default('-') }}}} {{{{ group_names | join(' ') }}}}\"\n"
    )
}

#[test]
fn hosts_and_groups_that_a_run_makes() {
    let scratch = Scratch::new();
    scratch.file("out/.keep", "");
    scratch.file(
        "hosts",
        "[web]\nw1 kind=a\nw2 kind=b\n[all:vars]\nansible_connection=local\n",
    );
    let groups = [
        "new",
        "kind_a",
        "kinds",
        "os_Linux",
        "said-w2",
        "said-w1",
        "os_Darwin",
        "each-one_a",
        "each-two_a",
        "each-two_b",
        "word_w1",
        "word_all",
    ];
    let plays: Vec<String> = groups.map(teller).into();
    scratch.file("site.yml", &format!("{MAKERS}{}", plays.concat()));
    let args = ["-i", "hosts"];
    // A group that a result decides is not known before the run.
    let planned = scratch.plan(&args).ok();
    assert_eq!(planned.count("unknown"), 12, "{planned}");
    let run = scratch.run(&args).ok();
    let told: Vec<String> = scratch
        .tree("out")
        .lines()
        .filter(|line| line.contains('-'))
        .map(|line| line.replace(" 644 ", " "))
        .collect();
    let wanted = [
        "each-one_a-w1 \"- each-one_a kind_a kinds web\"",
        "each-two_b-w2 \"- each-one_b each-two_b kind_b kinds web\"",
        "kind_a-w1 \"- each-one_a kind_a kinds web\"",
        "kinds-w1 \"- each-one_a kind_a kinds web\"",
        "kinds-w2 \"- each-one_b each-two_b kind_b kinds web\"",
        "new-n1 \"42 new web\"",
        "new-n2 \"42 new web\"",
        "os_Linux-w1 \"- each-one_a kind_a kinds web\"",
        "os_Linux-w2 \"- each-one_b each-two_b kind_b kinds web\"",
        "said-w2-w2 \"- each-one_b each-two_b kind_b kinds web\"",
        "word_all-w1 \"- each-one_a kind_a kinds web\"",
        "word_all-w2 \"- each-one_b each-two_b kind_b kinds web\"",
        "word_w1-w1 \"- each-one_a kind_a kinds web\"",
    ];
    assert_eq!(told, wanted, "{run}");
    run.changed(13);
    scratch.run(&args).ok().changed(0);
    // A limit holds for what is made too.
    let limited = scratch.run(&["-i", "hosts", "--limit", "new:w1"]).ok();
    let names: Vec<String> = limited.tasks().map(|task| task.host().to_owned()).collect();
    assert!(names.iter().any(|name| name == "n1") && names.iter().all(|name| name != "w2"));
}
