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
