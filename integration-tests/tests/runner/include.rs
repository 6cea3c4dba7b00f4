//! Variables from files that facts, results and loops choose.

use evenkeel_integration_tests::Scratch;

fn scratch() -> Scratch {
    let scratch = Scratch::new();
    scratch.file(
        "vars/Linux.yml",
        "greeting: '{{ word }} from {{ inventory_hostname }}'\nword: hello\nport: 1\n",
    );
    scratch.file("vars/Plan9.yml", "greeting: never\nonly_there: 9\n");
    scratch.file("more.yml", "port: 2\nextra: {a: [1, x]}\n");
    scratch
}

#[test]
fn a_fact_chooses_the_file() {
    let scratch = scratch();
    scratch.file(
        "site.yml",
        "
- hosts: localhost
  vars: {greeting: of the play, port: 0}
  tasks:
    - name: include
      include_vars: '{{ ansible_system }}.yml'
      register: included
    - name: write
      copy:
        dest: '{{ playbook_dir }}/out'
        content: |
          {{ greeting }} {{ port }} {{ only_there | default('none') }}
          {{ included.ansible_facts.word }} {{ included.ansible_included_var_files | map('basename') | list }}
",
    );
    let planned = scratch.plan(&[]);
    let run = scratch
        .run(&[])
        .ok()
        .changed(1)
        .outcome("include", "unchanged");
    planned.foretells(&run);
    assert_eq!(
        scratch.read("out"),
        "hello from localhost 1 none\nhello ['Linux.yml']\n"
    );
    scratch.run(&[]).ok().changed(0).exchanges(1);
    // What is written on the command line is above all.
    scratch.run(&["-e", "word=bye"]).ok().changed(1);
    assert!(
        scratch
            .read("out")
            .starts_with("bye from localhost 1 none\n")
    );
}

#[test]
fn a_list_of_files_of_which_facts_choose_the_first() {
    let scratch = Scratch::new();
    scratch.file("roles/r/vars/of/Linux.yml", "greeting: found\n");
    scratch.file(
        "roles/r/tasks/main.yml",
        "
- include_vars: '{{ file }}'
  vars:
    file: \"{{ lookup('first_found', where) }}\"
    where:
      files: ['{{ ansible_facts.system }}-{{ ansible_facts.kernel }}.yml', '{{ ansible_facts.system }}.yml']
      paths: [vars/of]
- copy: {dest: '{{ playbook_dir }}/out', content: '{{ greeting }}'}
",
    );
    scratch.file("site.yml", "- hosts: localhost\n  roles: [r]\n");
    scratch.run(&[]).ok().changed(1);
    assert_eq!(scratch.read("out"), "found");
}

#[test]
fn the_last_file_wins_and_a_fact_that_was_set_wins_over_files() {
    let scratch = scratch();
    scratch.tasks(
        "
vars: {port: 0}
tasks:
- name: set
  set_fact: {word: set}
- name: include
  include_vars: '{{ item }}'
  loop: [Linux.yml, more.yml]
- name: under one name
  include_vars:
    file: vars/Linux.yml
    name: all
- name: skipped
  include_vars: file=Plan9.yml
  when: port == 0
- name: write
  copy: {dest: '{{ playbook_dir }}/out', content: '{{ greeting }} {{ word }} {{ port }} {{ extra.a[1] }} {{ all.port }}'}
  vars: {port: of the task}
",
    );
    scratch
        .run(&[])
        .ok()
        .changed(1)
        .outcome("skipped", "skipped");
    assert_eq!(scratch.read("out"), "set from localhost set 2 x 1");
    scratch.run(&[]).ok().changed(0);
}

#[test]
fn a_result_chooses_a_file_and_it_may_be_missing() {
    let scratch = scratch();
    scratch.tasks(
        "
tasks:
- name: ask
  command: cat '{{ playbook_dir }}/which'
  changed_when: false
  register: which
- name: include
  include_vars: '{{ which.stdout }}.yml'
- name: write
  copy: {dest: '{{ playbook_dir }}/out', content: '{{ greeting }}'}
",
    );
    scratch.file("which", "Plan9");
    scratch.run(&[]).ok().changed(1);
    assert_eq!(scratch.read("out"), "never");
    scratch.file("which", "Minix");
    let failed = scratch.run(&[]).status(2).outcome("include", "failed");
    failed
        .says("there is no file `Minix.yml` on this machine")
        .says("vars/Minix.yml");
}

#[test]
fn what_is_wrong_with_files_is_said_before_anything_is_done() {
    let refused = |task: &str| {
        let scratch = scratch();
        scratch.file("vars/list-a.yml", "- 1\n");
        scratch.file("vars/open-a.yml", "a: 1\nb: [\n");
        let site = format!(
            "- hosts: localhost\n  tasks:\n    - copy: {{dest: '{{{{ playbook_dir }}}}/out', \
             content: x}}\n    - {task}\n"
        );
        scratch.file("site.yml", &site);
        let ended = scratch.run(&[]).status(5);
        assert!(!scratch.has("out"));
        ended
    };
    refused("include_vars: '{{ ansible_system }}.toml'")
        .says("no file of variables on this machine fits `*.toml`")
        .says("vars/*.toml");
    refused("include_vars: 'list-{{ ansible_system }}.yml'")
        .says("a file of variables holds a map of them, not a list")
        .says("vars/list-a.yml:1:1");
    refused("include_vars: open-a.yml").says("vars/open-a.yml:");
    refused("include_vars: Linus.yml")
        .says("there is no file `Linus.yml`")
        .says("did you mean `Linux.yml`?");
    refused("include_vars: {file: more.yml, hash_behaviour: merge}")
        .says("join the maps with the filter `combine`");
    refused("include_vars: {dir: none}").says("there is no file `none`");
    refused("include_vars: {dir: vars, file: more.yml}").says("one of `file` and `dir` is needed");
}

#[test]
fn a_fact_names_the_folder_and_the_variable() {
    let scratch = scratch();
    scratch.file("vars/Linux/a.yml", "a: of the folder\n");
    scratch.file("vars/m.yml", "m: of the file\n");
    let play = |dir: &str| {
        format!(
            "
- hosts: localhost
  tasks:
    - include_vars: {{dir: '{dir}'}}
    - include_vars: {{file: m.yml, name: '{{{{ ansible_system }}}}'}}
    - copy: {{dest: '{{{{ playbook_dir }}}}/out', content: '{{{{ a }}}}, {{{{ Linux.m }}}}'}}
"
        )
    };
    scratch.file("site.yml", &play("{{ ansible_system }}"));
    scratch.run(&[]).ok().changed(1);
    assert_eq!(scratch.read("out"), "of the folder, of the file");
    scratch.file("site.yml", &play("{{ ansible_system }}-x"));
    let missed = scratch.run(&[]).status(2);
    missed.says("there is no file `Linux-x` on this machine");
}

#[test]
fn a_folder_of_files_in_the_order_of_their_names() {
    let scratch = Scratch::new();
    for (name, text) in [
        ("vars/all/10.yml", "a: of 10\nb: of 10\n"),
        ("vars/all/20.yml", "b: of 20\nc: '{{ a }} and {{ b }}'\n"),
        ("vars/all/more/5.json", "{\"d\": 5}"),
        ("vars/all/readme.txt", "none"),
    ] {
        scratch.file(name, text);
    }
    scratch.tasks(
        "
- include_vars: {dir: all, ignore_unknown_extensions: true}
  register: files
- include_vars: {dir: all, depth: 1, extensions: [yml], ignore_unknown_extensions: true, name: mine}
- name: they are there
  assert:
    that:
      - a == 'of 10' and b == 'of 20' and c == 'of 10 and of 20' and d == 5
      - files.ansible_included_var_files | map('basename') | list == ['10.yml', '20.yml', '5.json']
      - mine.a == 'of 10' and mine.b == 'of 20' and mine.c == 'of 10 and of 20' and mine.d is undefined
",
    );
    scratch.plan(&[]).ok();
    scratch.run(&[]).ok().counts("unchanged", 3);
}
