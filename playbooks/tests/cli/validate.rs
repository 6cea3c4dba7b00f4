//! `validate` and what is wrong with playbooks.

use super::case::Case;

const WRONG: &str = "\
- name: set up
  hosts: localhost
  tasks:
    - name: make a directory
      flie:
        path: /nowhere
        state: directory
";

#[test]
fn what_is_right_is_counted() {
    let site = "\
- hosts: localhost
  gather_facts: false
  tasks:
    - debug:
        msg: hello
";
    let case = Case::new(&["validate", "site.yml"]).file("site.yml", site);
    let ended = case.stdout("1 play, 1 task: no errors\n").run();
    let object = "{\"event\":\"validated\",\"playbooks\":[\"site.yml\"],\"plays\":1,\"tasks\":1,\
                  \"errors\":[],\"warnings\":[],\"unguarded\":[]}\n";
    ended
        .then(&["validate", "site.yml", "--output", "json"])
        .stdout(object)
        .run();
}

#[test]
fn an_unknown_module_is_shown_with_its_line() {
    let page = "\
error[unknown_module]: there is no module `flie`
 --> site.yml:5:7
  |
5 |       flie:
  |       ^^^^
  = help: did you mean `file`?
";
    for command in ["validate", "run", "plan", "explain"] {
        Case::new(&[command, "site.yml"])
            .file("site.yml", WRONG)
            .stderr(page)
            .status(5)
            .run();
    }
}

#[test]
fn json_has_code_place_and_help() {
    let case = Case::new(&["validate", "site.yml", "--output", "json"]).file("site.yml", WRONG);
    let ended = case.any_stdout().status(5).run();
    let object: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let error = &object["errors"][0];
    assert_eq!(error["code"], "unknown_module");
    assert_eq!(error["file"], "site.yml");
    assert_eq!(error["line"], 5);
    assert_eq!(error["column"], 7);
    assert_eq!(error["help"], "did you mean `file`?");
}

#[test]
fn unguarded_commands_are_listed() {
    let site = "\
- hosts: localhost
  gather_facts: false
  tasks:
    - name: build
      command: make
    - name: build once
      command: make
      args:
        creates: built
";
    let case = Case::new(&["validate", "site.yml", "--output", "json"]).file("site.yml", site);
    let ended = case.any_stdout().run();
    let object: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let commands = object["unguarded"].as_array().unwrap();
    assert_eq!(commands.len(), 1, "{object}");
    assert_eq!(commands[0]["task"], "build");
    assert_eq!(commands[0]["line"], 4);
}

#[test]
fn a_missing_playbook_is_said() {
    let case = Case::new(&["run", "site.yml"]).any_stderr().status(5);
    let ended = case.run();
    assert!(ended.stderr.contains("site.yml"), "{}", ended.stderr);
}

const MIXED: &str = "\
- name: set up
  hosts: localhost
  gather_facts: false
  order: shuffle
  tasks:
    - name: a directory
      file:
        path: /nowhere
        sate: directory
    - name: note it
      command: date
      regster: noted
    - debug:
        msg: '{{ noted.stdout }}'
";

#[test]
fn mistakes_of_every_kind_are_shown_at_once_in_order() {
    let case = Case::new(&["validate", "site.yml"]).file("site.yml", MIXED);
    let ended = case.any_stderr().status(5).run();
    let places: Vec<&str> = ended
        .stderr
        .lines()
        .filter(|line| line.starts_with("error") || line.starts_with("warning"))
        .map(|line| line.split(':').next().unwrap())
        .collect();
    assert_eq!(
        places,
        [
            "warning[no_effect]",
            "error[unknown_argument]",
            "error[unknown_key]"
        ],
        "{}",
        ended.stderr
    );
    let ended = ended
        .then(&["validate", "site.yml", "--output", "json"])
        .any_stdout()
        .status(5)
        .run();
    let object: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(object["plays"], 1);
    assert!(object["tasks"].as_u64().unwrap() >= 2, "{object}");
    assert_eq!(object["errors"].as_array().unwrap().len(), 2, "{object}");
}

#[test]
fn a_refused_option_is_an_object_too() {
    let args = [
        "validate",
        "site.yml",
        "--vault-id=prod",
        "--output",
        "json",
    ];
    let ended = Case::new(&args).any_stdout().any_stderr().status(5).run();
    let object: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(object["errors"][0]["code"], "option", "{object}");
    assert_eq!(
        ended.stderr,
        "error: `--vault-id prod`: there is no file `prod`\n\
         help: `--vault-id prod@FILE`, or `--vault-id prod@prompt`\n"
    );
}

#[test]
fn templates_that_do_not_end_are_refused_where_they_stand() {
    let site = "\
- hosts: localhost
  gather_facts: false
  tasks:
    - debug: {msg: \"{% for i in range(1000000000) %}x{% endfor %}\"}
    - debug: {msg: \"{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}\"}
    - debug: {msg: \"{{ 'x' * 100000000000 }}\"}
    - debug: {msg: \"{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}\"}
";
    let page = "\
error[template_failed]: range has too many elements
 --> site.yml:4:33
  |
4 |     - debug: {msg: \"{% for i in range(1000000000) %}x{% endfor %}\"}
  |                                 ^^^^^

error[template_failed]: recursion limit exceeded
 --> site.yml:5:39
  |
5 |     - debug: {msg: \"{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}\"}
  |                                       ^

error[template_too_long]: the template does not come to an end in reasonable time
 --> site.yml:6:24
  |
6 |     - debug: {msg: \"{{ 'x' * 100000000000 }}\"}
  |                        ^^^^^^^^^^^^^^^^^^^^^^
  = help: look for a loop over very many items

error[template_too_long]: the template does not come to an end in reasonable time
 --> site.yml:7:60
  |
7 |     - debug: {msg: \"{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}\"}
  |                                                            ^^^^^
  = help: look for a loop over very many items
";
    let case = Case::new(&["validate", "site.yml"]).file("site.yml", site);
    case.stderr(page).status(5).run();
}

#[test]
fn what_a_looked_up_template_misses_is_said_of_that_template() {
    let page = "\
error[template_failed]: `lookup('template', …)`: `nope.a` is undefined (in `it.j2`): define it, or say what to do without it, as in `nope.a | default('')`
 --> site.yml:4:24
  |
4 |     - debug: {msg: \"{{ lookup('template', 'it.j2') }}\"}
  |                        ^^^^^^
";
    let site = "\
- hosts: localhost
  gather_facts: false
  tasks:
    - debug: {msg: \"{{ lookup('template', 'it.j2') }}\"}
";
    Case::new(&["validate", "site.yml"])
        .file("site.yml", site)
        .file("group_vars/all.yml", "one: 1\nbad: '{{ nope.a }}'\n")
        .file("templates/it.j2", "{{ bad }}\n")
        .stderr(page)
        .status(5)
        .run();
}
