//! The schema of playbooks takes what the reader takes, and refuses what is surely wrong.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{fs, path::Path};

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};

struct Judge {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Judge {
    fn new() -> Self {
        let schema = evenkeel::schema::schema(&evenkeel_modules::standard());
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource("schema.json", schema).unwrap();
        let index = compiler.compile("schema.json", &mut schemas).unwrap();
        Self { schemas, index }
    }

    fn of(&self, playbook: &Value) -> Result<(), String> {
        let judged = self.schemas.validate(playbook, self.index);
        judged.map_err(|error| format!("{error:#}"))
    }
}

fn file(name: &str) -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    serde_yaml::from_str(&fs::read_to_string(path).unwrap()).ok()
}

#[test]
fn every_example_of_every_module_fits() {
    let judge = Judge::new();
    for module in evenkeel_modules::standard().iter() {
        let tasks: Value = serde_yaml::from_str(module.example()).unwrap();
        let play = json!([{"hosts": "all", "tasks": tasks, "handlers": []}]);
        let judged = judge.of(&play);
        assert_eq!(judged, Ok(()), "{}", module.name());
    }
}

#[test]
fn whole_playbooks_fit() {
    let judge = Judge::new();
    let names = [
        "examples/quickstart/site.yml",
        "tests/errors/ok_everything.yml",
        "tests/errors/ok_module_defaults.yml",
    ];
    for name in names {
        assert_eq!(judge.of(&file(name).unwrap()), Ok(()), "{name}");
    }
    // The spellings of Ansible's users.
    let text = "\
- import_playbook: other.yml
- hosts: [web, db]
  become: yes
  serial: ['10%', 5]
  roles: [common, {role: web, tags: x}]
  vars: {a: 1}
  pre_tasks:
    - ansible.builtin.apt: name=nginx state=present update_cache=yes
    - command: ls
      args: {chdir: /tmp, creates: /tmp/x}
      register: seen
      when: a == 1
      tags: one,two
    - block:
        - shell: |
            echo a
            echo b
      rescue:
        - debug: msg=failed
      always:
        - debug:
            var: seen
    - file: {dest: /tmp/x, state: '{{ wanted }}', mode: 0644, recurse: 'yes'}
      with_items: [a, b]
      notify: restart
    - set_fact: {anything: 1}
    - include_role: {name: x}
    - meta: flush_handlers
    - action: ping
  handlers:
    - name: restart
      ansible.builtin.service: {name: nginx, state: restarted}
      listen: web
";
    let playbook: Value = serde_yaml::from_str(text).unwrap();
    assert_eq!(judge.of(&playbook), Ok(()));
}

#[test]
fn what_is_broken_does_not_fit() {
    let judge = Judge::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/errors");
    let words = [
        "block_register",
        "play_after",
        "play_hosts_empty",
        "play_is_map",
        "play_is_text",
        "play_misspelled",
        "play_module",
        "play_no_hosts",
        "play_tasks_map",
        "task_no_module",
        "task_is_text",
        "task_become",
        "task_commands",
        "task_is_play",
    ];
    let fitting: Vec<_> = (words.iter())
        .filter(|word| folder.join(format!("{word}.yml")).exists())
        .filter(|word| {
            file(&format!("tests/errors/{word}.yml")).is_none_or(|value| judge.of(&value).is_ok())
        })
        .collect();
    assert_eq!(fitting, [&""; 0]);
    let task = |task: Value| json!([{"hosts": "all", "tasks": [task]}]);
    for wrong in [
        task(json!({"flie": {"path": "/x"}})),
        task(json!({"file": {"path": "/x", "stat": "directory"}})),
        task(json!({"file": {"path": "/x", "state": "dir"}})),
        task(json!({"file": {"path": "/x", "recurse": "perhaps"}})),
        task(json!({"file": ["path"]})),
        task(json!({"name": "nothing"})),
        task(json!({"ping": null, "tasg": "x"})),
        task(json!({"ping": null, "vars_files": "x"})),
        task(json!({"block": {"ping": null}})),
        json!([]),
        json!({}),
        json!([{"hosts": "all", "tasks": [], "handler": []}]),
    ] {
        assert!(judge.of(&wrong).is_err(), "{wrong}");
    }
}

#[test]
fn names_of_ansible_say_what_they_are() {
    let schema = evenkeel::schema::schema(&evenkeel_modules::standard());
    let file = &schema["$defs"]["module.file"]["anyOf"][0]["properties"];
    assert_eq!(file["dest"]["description"], "The same as `path`.");
    assert!(file["path"]["description"].as_str().unwrap().len() > 3);
    let task = &schema["$defs"]["task"]["properties"];
    assert_eq!(task["user"]["$ref"], "#/$defs/module.useradd");
}
