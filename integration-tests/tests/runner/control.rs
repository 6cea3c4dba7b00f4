//! Words of control: `module_defaults`, loops. Where Ansible is there, it makes the same of the same playbook.

use std::process::Stdio;

use evenkeel_integration_tests::{Ended, Scratch, need_ansible};

/// Runs tasks that write into `out`, and compares with what Ansible makes of them, if it is there.
pub(super) fn both(tasks: &str, out: &str) -> Ended {
    with_files(tasks, &[], out)
}

/// The same with files beside the playbook.
pub(super) fn with_files(tasks: &str, files: &[(&str, &str)], out: &str) -> Ended {
    let place = || {
        let scratch = Scratch::new();
        scratch.tasks(tasks);
        for (name, text) in files {
            scratch.file(name, text);
        }
        scratch
    };
    let ours = place();
    let ended = ours.run(&[]);
    assert_eq!(ours.read("out"), out, "{ended}");
    if need_ansible() {
        let theirs = place();
        let mut ansible = theirs.within("ansible-playbook");
        ansible.args(["-i", "localhost,", "-c", "local", "site.yml"]);
        // By the Python that it runs with itself.
        let python = "ansible_python_interpreter={{ ansible_playbook_python }}";
        ansible.args(["-e", python]);
        ansible
            .current_dir(theirs.path(""))
            .env("ANSIBLE_LOCAL_TEMP", theirs.path(".tmp"))
            .env("ANSIBLE_REMOTE_TEMP", theirs.path(".tmp"))
            // Where it asks for jobs, and where they are, hang on different ideas of who is at home.
            .env("ANSIBLE_ASYNC_DIR", theirs.path(".jobs"))
            .env("LC_ALL", "C.UTF-8");
        let ran = ansible.stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert!(theirs.has("out"), "{said}");
        assert_eq!(theirs.read("out"), out, "Ansible\n{said}");
    }
    ended
}

#[test]
fn templates_include_by_names_that_values_tell() {
    let part = "{{ name }} of {{ ansible_facts.system }}\n";
    let whole = "{% for name in names %}\n{% include ['part-' ~ name ~ '.j2', 'usual.j2'] %}\n{% endfor %}\n\
                 {% include 'sub/' + names[0] + '.j2' %}\n{% include 'a.j2' if names else 'b.j2' %}\n\
                 {% set file = 'usual.j2' %}{% set name = 'x' %}{% include file %}\n\
                 {% include ['none.j2', names[1] ~ '.j2'] ignore missing %}\n\
                 {% import 'of-' ~ names[1] ~ '.j2' as more %}{{ more.word('y') }}\n";
    with_files(
        "
max_fail_percentage: \"{{ nothing | default(nor_this) | default(100) }}\"
vars: {names: [one, two]}
tasks:
- setup:
- template: {src: whole.j2, dest: '{{ playbook_dir }}/out'}
",
        &[
            ("templates/whole.j2", whole),
            ("templates/part-one.j2", part),
            ("templates/usual.j2", "usual {{ name }}\n"),
            ("templates/sub/one.j2", "sub\n"),
            ("templates/a.j2", "a\n"),
            (
                "templates/of-two.j2",
                "{% macro word(x) %}{{ x }}!{% endmacro %}\n",
            ),
            ("templates/broken.j2", "{% if %}\n"),
        ],
        "one of Linuxusual twosubausual xy!\n",
    );
}

#[test]
fn defaults_of_modules_are_those_of_the_nearest() {
    both(
        "
vars: {who: '{{ item | default(0) }}'}
module_defaults:
  ansible.builtin.shell: {chdir: '{{ playbook_dir }}/a', stdin: of the play}
tasks:
- file: {path: '{{ playbook_dir }}/{{ item }}', state: directory}
  loop: [a, b, 1, 2]
- shell: (basename $PWD; cat) >> ../out
- shell: (basename $PWD; cat) >> ../out
  args: {chdir: '{{ playbook_dir }}/b'}
- module_defaults:
    shell: {chdir: '{{ playbook_dir }}/b'}
  block:
  - shell: (basename $PWD; cat) >> ../out
  - ansible.builtin.shell:
      cmd: (basename $PWD; cat) >> ../out
      stdin: of the task
  - shell: basename $PWD >> ../out
    loop: [1, 2]
    module_defaults: {shell: {chdir: '{{ playbook_dir }}/{{ who }}'}}
",
        "a\nof the play\nb\nof the play\nb\nb\nof the task\n1\n2\n",
    )
    .ok();
}

#[test]
fn a_default_that_its_module_has_not_is_refused_where_it_stands() {
    let scratch = Scratch::new();
    scratch.tasks(
        "
module_defaults:
  file: {pth: /x}
tasks:
- debug: {msg: x}
- module_defaults: {file: {state: '{{ there_is_none }}'}}
  block:
  - file: {path: /nowhere/x}
",
    );
    scratch
        .run(&[])
        .status(5)
        .says("`pth`")
        .says("site.yml:5:12")
        .says("did you mean `path`?")
        .says("`there_is_none`")
        .says("site.yml:8:43");
}

#[test]
fn loops_of_the_old_form() {
    let ended = with_files(
        "
vars:
  users: [{name: a, keys: [1, 2]}, {name: b}]
  it: '{{ item }}'
tasks:
- shell: echo {{ item }} >> out
  args: &here {chdir: '{{ playbook_dir }}'}
  with_sequence: start=4 end=0 stride=-2 format=n%02x
- shell: echo {{ item.0.name }} {{ item.1 }} {{ 'keys' in item.0.keys() }} >> out
  args: *here
  with_subelements: ['{{ users }}', keys, {skip_missing: true}]
- shell: echo {{ item | basename }} >> out
  args: *here
  with_fileglob: ['*.conf', 'sub/*']
- shell: cat {{ item }} >> out
  args: *here
  with_first_found:
  - '{{ inventory_hostname }}.none'
  - sub/y
- shell: echo never >> out
  args: *here
  with_first_found: [{files: [none], skip: true}]
- shell: echo {{ item }} >> out
  args: *here
  with_file: a.conf
- shell: echo {{ item }} >> out
  args: *here
  with_inventory_hostnames: all:!nobody
- shell: echo {{ item.0 }}{{ item.1 }} >> out
  args: *here
  with_cartesian: [[1, 2], [x]]
- shell: echo {{ it }} {{ ansible_loop.index }}/{{ ansible_loop.length }} {{ ansible_loop.nextitem | default('-') }}
    {{ ansible_loop.previtem | default('-') }} {{ ansible_loop.last }} {{ ansible_loop.allitems | length }}
    {{ ansible_loop.revindex0 }} {{ ansible_loop_var }} >> out
  args: *here
  loop: [a, b, c]
  when: it != 'b'
  loop_control: {extended: true, label: '{{ ansible_loop.index0 }}'}
- shell: echo {{ query('sequence', '2-6/2') | join('+') }} {{ lookup('sequence', start=1, end=3) }}
    {{ lookup('file', 'a.conf') }} {{ q('dict', {'a':1})[0].key }} {{ lookup('nested', [1], [2,3], wantlist=true) | length }}
    {{ lookup('first_found', ['none', 'sub/y']) | basename }} {{ lookup('fileglob', '*.conf') | basename }} {{ q('items', [1, [2]]) }}
    {{ lookup('file', 'nothing', errors='ignore') }} {{ lookup('first_found', files=['none'], skip=true, wantlist=true) }} >> out
  args: *here
",
        &[
            ("files/a.conf", "in a\n"),
            ("files/sub/y", "in y\n"),
            ("sub/y", "not this\n"),
        ],
        "n04\nn02\nn00\na 1 False\na 2 False\na.conf\ny\nin y\nin a\nlocalhost\n1x\n2x\n\
         a 1/3 b - False 3 2 item\nc 3/3 - b True 3 0 item\n2+4+6 1,2,3 in a a 2 y a.conf [1, [2]] []\n",
    );
    ended.ok();
}

#[test]
fn the_first_file_that_there_is_may_hold_variables() {
    let scratch = Scratch::new();
    scratch.file("vars/Linux.yml", "word: of Linux\n");
    scratch.file("vars/default.yml", "word: of any\n");
    scratch.file(
        "site.yml",
        "
- hosts: localhost
  tasks:
    - include_vars: '{{ item }}'
      with_first_found: ['{{ ansible_distribution }}-{{ ansible_hostname }}.yml', '{{ ansible_system }}.yml', default.yml]
    - copy: {dest: '{{ playbook_dir }}/out', content: '{{ word }}'}
",
    );
    scratch.run(&[]).ok();
    assert_eq!(scratch.read("out"), "of Linux");
}

#[test]
fn templates_that_are_looked_up_see_facts_and_results() {
    let scratch = Scratch::new();
    scratch.file(
        "templates/a.j2",
        "{{ ansible_system }} {{ out.stdout }} {{ f }} {{ lookup('template', 'b.j2') }}\n",
    );
    scratch.file("templates/b.j2", "{{ ansible_facts.os_family is defined }}");
    scratch.file(
        "site.yml",
        "
- hosts: localhost
  tasks:
  - command: echo hi
    register: out
  - set_fact: {f: \"{{ out.stdout }}\"}
  - copy:
      dest: \"{{ playbook_dir }}/out\"
      content: \"{{ lookup('template', 'a.j2') }}{{ lookup('template', name ~ '.j2') }}\"
    vars: {name: a}
",
    );
    scratch.run(&[]).ok();
    assert_eq!(scratch.read("out"), "Linux hi hi True\n".repeat(2));
}

/// Text that a host said may be anybody's.
#[test]
fn what_hosts_say_is_no_condition() {
    let scratch = Scratch::new();
    scratch.file(
        "site.yml",
        r#"
- hosts: localhost
  gather_facts: false
  vars: {so: r.stdout is defined, of_result: "{{ r.stdout }}"}
  tasks:
  - {shell: "echo \"token == 'abc'\"", register: r, changed_when: false}
  - {debug: {msg: written}, when: "{{ so }}"}
  - {debug: {msg: said}, when: "{{ r.stdout }}", ignore_errors: true}
  - {debug: {msg: said}, when: "{{ of_result }}", ignore_errors: true}
  - {assert: {that: "{{ r.stdout_lines }}"}, ignore_errors: true}
  - {assert: {that: "{{ item }}"}, loop: "{{ r.stdout_lines }}", ignore_errors: true}
"#,
    );
    let ended = scratch.run(&["-e", "token=abc"]).ok();
    let said = "is the text `token == 'abc'`, which is neither true nor false";
    let refused = ended.tasks().filter(|task| task.outcome() == "failed");
    let refused: Vec<String> = refused.map(|task| task.0.to_string()).collect();
    assert_eq!(refused.len(), 4, "{ended}");
    assert!(refused.iter().all(|task| task.contains(said)), "{ended}");
}

#[test]
fn loops_that_cannot_be_are_refused() {
    let scratch = Scratch::new();
    scratch.tasks(
        "
- debug: {msg: x}
  with_config: DEFAULT_ROLES_PATH
- debug: {msg: x}
  with_sequense: end=3
- debug: {msg: x}
  with_subelements: {a: 1}
",
    );
    let refused = scratch.evenkeel(&["validate", "site.yml"]).status(5);
    for said in [
        "`with_config` is not supported",
        "did you mean `with_sequence`?",
        "`with_subelements` wants a list",
    ] {
        assert!(refused.stderr.contains(said), "{said}\n{refused}");
    }
    scratch.tasks(
        "
- debug: {msg: x}
  with_sequence: start=3 end=1
- debug: {msg: x}
  with_first_found: [none.yml]
- debug: {msg: \"{{ lookup('sequense', 'end=3') }}\"}
",
    );
    let refused = scratch.evenkeel(&["validate", "site.yml"]).status(5);
    for said in [
        "from 3 by 1 it never comes to 1",
        "of these files there is none: `none.yml`",
        "there is no lookup `sequense`: did you mean `sequence`?",
    ] {
        assert!(refused.stderr.contains(said), "{said}\n{refused}");
    }
}

#[test]
fn tasks_are_tried_again() {
    both(
        "
vars: {times: 2}
tasks:
- shell: echo x >> tries; test $(wc -l < tries) = 3
  args: {chdir: '{{ playbook_dir }}'}
  register: third
  until: third is succeeded
  delay: 0
- command: 'false'
  register: alone
  until: alone.rc == 0
  delay: 0
  ignore_errors: true
- command: 'false'
  register: never
  retries: '{{ times }}'
  delay: 0.01
  ignore_errors: true
- command: 'true'
  register: well
  until: well.rc == 1
  retries: 1
  delay: 0
  ignore_errors: true
- command: 'true'
  register: once
  until: once.rc == 1
  retries: 0
- command: 'false'
  register: held
  until: held.rc == 1
  ignore_errors: true
- command: 'true'
  register: judged
  until: judged.rc == 0
  failed_when: judged.attempts == 1
  ignore_errors: true
- command: '{{ item }}'
  loop: ['true', 'false']
  register: looped
  until: looped.rc == 0
  retries: 1
  delay: 0
  ignore_errors: true
- block:
  - command: 'false'
    until: false
    retries: 1
    delay: 0
  rescue:
  - set_fact: {rescued: '{{ ansible_failed_result.attempts }}'}
- shell: echo '{{ item }}' >> ../out
  args: {chdir: '{{ playbook_dir }}/d'}
  loop: >-
    {{ [third.attempts, alone.attempts, alone.failed, never.attempts, well.attempts, well.failed,
        once.attempts is defined, once.failed, held.attempts, held.failed, judged.attempts, judged.failed,
        looped.results[0].attempts, looped.results[1].attempts, looped.failed, rescued] }}
"
        .replace("tasks:\n", "tasks:\n- file: {path: '{{ playbook_dir }}/d', state: directory}\n")
        .as_str(),
        "3\n3\nTrue\n2\n1\nTrue\nFalse\nFalse\n1\nTrue\n1\nTrue\n1\n1\nTrue\n1\n",
    )
    .ok();
}

#[test]
fn a_loop_is_broken_off_and_pauses() {
    both(
        "
tasks:
- shell: echo '{{ item }}' >> out
  args: {chdir: '{{ playbook_dir }}'}
  loop: [1, 2, 3]
  register: some
  loop_control: {pause: 0.01, break_when: some.rc == 0 and item == 2}
- shell: echo '{{ some.results | length }}' >> out
  args: {chdir: '{{ playbook_dir }}'}
",
        "1\n2\n2\n",
    )
    .ok();
}

#[test]
fn what_is_not_a_number_or_not_defined_is_refused_before_anything_is_done() {
    let scratch = Scratch::new();
    scratch.tasks(
        "
tasks:
- command: touch {{ playbook_dir }}/out
  until: nope.rc == 0
- command: 'true'
  retries: '{{ nobody }}'
",
    );
    let ended = scratch.run(&[]);
    ended
        .status(5)
        .says("`nope.rc` is undefined")
        .says("`nobody` is undefined");
    assert!(!scratch.has("out"));
    scratch.tasks(
        "
vars: {many: x}
tasks:
- command: 'true'
  retries: '{{ many }}'
",
    );
    scratch
        .run(&[])
        .status(2)
        .says("`retries` wants a whole number, 0 or more: this is `x`");
}

#[test]
fn one_host_at_a_time_keeps_the_listed_order() {
    let scratch = Scratch::new();
    scratch.file(
        "hosts",
        "b ansible_connection=local\na ansible_connection=local\n",
    );
    scratch.file(
        "site.yml",
        "
- hosts: all
  gather_facts: false
  tasks:
  - shell: echo {{ inventory_hostname }} one >> {{ playbook_dir }}/out
  - shell: echo {{ inventory_hostname }} two >> {{ playbook_dir }}/out
",
    );
    scratch.run(&["-i", "hosts", "--forks", "1"]).ok();
    assert_eq!(scratch.read("out"), "b one\na one\nb two\na two\n");
}
