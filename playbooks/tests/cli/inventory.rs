//! `evenkeel inventory` and `evenkeel facts`.

use super::case::Case;

const HOSTS: &str = "\
mail ansible_port=2222
[web]
web[1:2] kind=web
[web:vars]
level=inventory
port=80
[eu:children]
web
[eu:vars]
level=eu
zones=['a', 'b']
";

fn site(args: &[&str]) -> Case {
    Case::new(args)
        .file("inv/10-hosts", HOSTS)
        .file(
            "inv/20-more.yml",
            "all:\n  children:\n    db: {hosts: {db1: {n: [1]}}}\n",
        )
        .file(
            "inv/group_vars/all.yml",
            "level: all\nwho: '{{ inventory_hostname }}'\n",
        )
        .file("inv/group_vars/web/a.yml", "k: 1\n")
        .file("inv/group_vars/web/b.yml", "k: 2\n")
        .file("inv/host_vars/web2.yml", "port: 81\n")
        .file("inv/README.md", "no inventory\n")
        .file("play/group_vars/web.yml", "k: 3\n")
}

#[test]
fn groups_are_a_tree() {
    let tree = "\
@all:
  |--@ungrouped:
  |  |--mail
  |--@db:
  |  |--db1
  |--@eu:
  |  |--@web:
  |  |  |--web1
  |  |  |--web2
";
    site(&["inventory", "-i", "inv", "--graph"])
        .stdout(tree)
        .run();
    let vars = "\
@web:
  |--web1
  |  |--{k = 2}
  |  |--{kind = web}
  |  |--{level = all}
  |  |--{port = 80}
  |  |--{who = {{ inventory_hostname }}}
  |  |--{zones = ['a', 'b']}
  |--web2
  |  |--{k = 2}
  |  |--{kind = web}
  |  |--{level = all}
  |  |--{port = 81}
  |  |--{who = {{ inventory_hostname }}}
  |  |--{zones = ['a', 'b']}
  |--{k = 2}
  |--{level = inventory}
  |--{port = 80}
";
    site(&["inventory", "-i", "inv", "--graph", "--vars", "web"])
        .stdout(vars)
        .run();
    site(&["inventory", "-i", "inv", "--graph", "wep"])
        .stderr("error: the inventory has no group `wep`\nhelp: did you mean `web`?\n")
        .status(5)
        .run();
}

#[test]
fn a_host_and_all_hosts_as_json() {
    let host = "\
{
  \"k\": 3,
  \"kind\": \"web\",
  \"level\": \"all\",
  \"port\": 81,
  \"who\": \"{{ inventory_hostname }}\",
  \"zones\": [
    \"a\",
    \"b\"
  ]
}
";
    let args = [
        "inventory",
        "-i",
        "inv",
        "--playbook-dir",
        "play",
        "--host",
        "web2",
    ];
    site(&args).stdout(host).run();
    let list = "\
{
  \"_meta\": {
    \"hostvars\": {
      \"db1\": {
        \"level\": \"all\",
        \"n\": [
          1
        ],
        \"who\": \"{{ inventory_hostname }}\"
      }
    }
  },
  \"all\": {
    \"children\": [
      \"ungrouped\",
      \"db\",
      \"eu\"
    ]
  },
  \"db\": {
    \"hosts\": [
      \"db1\"
    ]
  },
  \"eu\": {
    \"children\": [
      \"web\"
    ]
  }
}
";
    site(&["inventory", "-i", "inv", "--list", "-l", "db"])
        .stdout(list)
        .run();
}

#[test]
fn facts_of_this_machine() {
    let says = "\
{
  \"localhost\": {
    \"ansible_system\": \"Linux\"
  }
}
";
    Case::new(&["facts", "--filter", "ansible_system", "localhost"])
        .stdout(says)
        .run();
    let all = Case::new(&["facts"]).any_stdout().run();
    let all: serde_json::Value = serde_json::from_str(&all.stdout).unwrap();
    assert!(all["localhost"]["ansible_distribution"].is_string());
}

#[test]
fn a_variable_is_explained() {
    let explain = |variable: &str| {
        let args = [
            "inventory",
            "-i",
            "inv",
            "--playbook-dir",
            "play",
            "--host",
            "web2",
            "--explain",
            variable,
        ];
        site(&args)
    };
    let told = "  10  host_vars of `web2` beside the playbook, play/host_vars/web2.yml:2:1: 82
hides
   9  host_vars of `web2` beside the inventory, inv/host_vars/web2.yml:1:1: 81
   3  group `web` in the inventory, inv/10-hosts:6:1: 80
";
    let own = "---\nport: 82\n";
    explain("port")
        .file("play/host_vars/web2.yml", own)
        .stdout(told)
        .run();
    let told = "   7  group_vars of `web` beside the playbook, play/group_vars/web.yml:1:1: 3
hides
   6  group_vars of `web` beside the inventory, inv/group_vars/web/b.yml:1:1: 2
   6  group_vars of `web` beside the inventory, inv/group_vars/web/a.yml:1:1: 1
";
    explain("k").stdout(told).run();
    explain("kind")
        .stdout("   8  `web2` in the inventory, inv/10-hosts:3:10: \"web\"\n")
        .run();
    explain("prt")
        .stderr(
            "error: nothing in the inventory says `prt` of `web2`\nhelp: did you mean `port`?\n",
        )
        .status(5)
        .run();
    Case::new(&["inventory", "--list", "--explain", "x"])
        .stderr("error: `--explain` is about one host\nhelp: `--host HOST --explain VAR`\n")
        .status(5)
        .run();
}

#[test]
fn programs_print_inventories() {
    use std::os::unix::fs::PermissionsExt as _;
    let script = "#!/bin/sh\necho careful >&2\necho '{\"web\": {\"hosts\": [\"w1\"], \"vars\": {\"a\": 1}}, \"_meta\": {\"hostvars\": {}}}'\n";
    let case = |args: &[&str], mode: u32| {
        let case = Case::new(args).file("hosts.sh", script);
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(case.path("hosts.sh"), mode).unwrap();
        case
    };
    let args = ["inventory", "-i", "hosts.sh", "--host", "w1"];
    case(&args, 0o755)
        .stdout("{\n  \"a\": 1\n}\n")
        .stderr("warning[inventory_script]: the inventory script `hosts.sh --list` says: careful\n")
        .run();
    case(&args, 0o644)
        .stderr(
            "error[inventory]: `hosts.sh` begins with `#!`, and may not be executed\n = help: `chmod +x` makes it a \
             script that prints an inventory; a file of hosts begins otherwise\n",
        )
        .status(5)
        .run();
    Case::new(&["inventory", "-i", "aws_ec2.yml", "--list"])
        .file("aws_ec2.yml", "plugin: amazon.aws.aws_ec2\nregions: [eu-1]\n")
        .stderr("error[unsupported]: `amazon.aws.aws_ec2` is an inventory plugin of Ansible, and those are not run here
 --> aws_ec2.yml:1:1
  |
1 | plugin: amazon.aws.aws_ec2
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: put a script in its place, which is run: `#!/bin/sh`, then `exec ansible-inventory -i FILE \"$@\"`; or a list that does not change: `ansible-inventory -i FILE --list > hosts.json`, and a script with `exec cat hosts.json`
")
        .status(5)
        .run();
}

#[test]
fn a_limit_that_nobody_knows_is_told() {
    let run = |limit: &str| {
        Case::new(&["plan", "-i", "h1,web,", "-l", limit, "site.yml"])
            .file(
                "site.yml",
                "- hosts: all\n  gather_facts: false\n  tasks: []\n",
            )
            .file("limit", "# some\nh1\nwbe\n")
            .any_stdout()
    };
    run("wbe")
        .stderr(
            "error[pattern]: `--limit wbe`: `wbe` matches no host and no group: did you mean `web`?\n = help: `evenkeel \
             inventory --graph` shows which hosts and groups there are\n",
        )
        .status(5)
        .run();
    run("@limit")
        .stderr("warning[pattern]: `--limit @limit`: `wbe` matches no host and no group: did you mean `web`?\n")
        .run();
    run("@none")
        .stderr("error[pattern]: `--limit @none`: cannot read `none`: No such file or directory (os error 2)\n")
        .status(5)
        .run();
}

#[test]
fn settings_say_which_inventory() {
    let case = |args: &[&str]| {
        Case::new(args)
            .file(
                "ansible.cfg",
                "[defaults]\ninventory = inv/one\nforks = 3\ngathering = smart\n",
            )
            .file("inv/one", "[web]\none\n")
            .file("two", "[web]\ntwo\n")
            .file("three", "[web]\nthree\n")
            .file(
                "site.yml",
                "- hosts: web\n  gather_facts: false\n  tasks: [{debug: {msg: hello}}]\n",
            )
    };
    let tree = |name: &str| format!("@all:\n  |--@ungrouped:\n  |--@web:\n  |  |--{name}\n");
    let graph = ["inventory", "--graph"];
    case(&graph).stdout(&tree("one")).run();
    case(&graph)
        .file("evenkeel.yml", "inventory: two\n")
        .stdout(&tree("two"))
        .run();
    let env = case(&graph).file("evenkeel.yml", "inventory: two\n");
    env.env("ANSIBLE_INVENTORY", "three")
        .stdout(&tree("three"))
        .run();
    let line = case(&["inventory", "--graph", "-i", "two"]);
    line.env("ANSIBLE_INVENTORY", "three")
        .stdout(&tree("two"))
        .run();
    // A playbook sees the same; what has no meaning here is named.
    case(&["validate", "site.yml"])
        .env("ANSIBLE_STRATEGY", "debug")
        .any_stdout()
        .stderr(
            "warning[ansible_cfg]: ansible.cfg: not followed: `gathering`\n\nwarning[ansible_cfg]: variables of the \
             environment that are not followed: `ANSIBLE_STRATEGY`\n",
        )
        .run();
    case(&graph)
        .env("ANSIBLE_FORKS", "0")
        .stderr(
            "error: `ANSIBLE_FORKS` wants a number from 1 on: this is `0`\nhelp: correct it, or `unset ANSIBLE_FORKS`\n",
        )
        .status(5)
        .run();
    case(&["validate", "site.yml"])
        .file("evenkeel.yml", "forkes: 3\nssh: {usr: me, user: you}\n")
        .any_stdout()
        .stderr(
            "error[unknown_key]: there is no setting `forkes`
 --> evenkeel.yml:1:1
  |
1 | forkes: 3
  | ^^^^^^
  = help: did you mean `forks`?

error[unknown_key]: `ssh` has no setting `usr`
 --> evenkeel.yml:2:7
  |
2 | ssh: {usr: me, user: you}
  |       ^^^
  = help: did you mean `user`?
",
        )
        .status(5)
        .run();
}

#[test]
fn what_a_run_would_make_too_late_is_refused() {
    let site = "\
- hosts: all
  gather_facts: false
  tasks:
    - command: echo h9
      register: out
      changed_when: false
    - add_host:
        name: '{{ out.stdout }}'
    - add_host: {groups: x}
    - group_by: {kye: x}
    - group_by: {key: 'of_{{ out.stdout }}'}
- hosts: of_h9
  gather_facts: false
  tasks: []
";
    let case = |text: &str| {
        Case::new(&["validate", "-i", "h1,", "site.yml"])
            .file("site.yml", text)
            .file("group_vars/of_h9.yml", "a: 1\n")
            .any_stdout()
            .status(5)
    };
    case(site)
        .stderr(
            "error[known_too_late]: which host is added must be known before the run: `name` reads facts or results
 --> site.yml:8:15
  |
8 |         name: '{{ out.stdout }}'
  |               ^^^^^^^^^^^^^^^^^^
  = help: put the host into the inventory, or the plays for it into a playbook that is run after this one

error[no_argument]: `add_host` wants a `name`
 --> site.yml:9:7
  |
9 |     - add_host: {groups: x}
  |       ^^^^^^^^
  = help: `name: HOST`, `groups: [a, b]`; other keys are its variables

error[unknown_argument]: `group_by` has no argument `kye`
  --> site.yml:10:18
   |
10 |     - group_by: {kye: x}
   |                  ^^^
   = help: did you mean `key`?

error[known_too_late]: only the run knows who is in `of_h9`, so that `./group_vars/of_h9.yml` cannot be read
  --> site.yml:12:10
   |
12 | - hosts: of_h9
   |          ^^^^^
   = help: read it in the play: `vars_files`, or `include_vars` with the same condition
",
        )
        .run();
}
