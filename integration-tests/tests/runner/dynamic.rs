//! What only the run decides about includes: loops over facts and results.

use evenkeel_integration_tests::Scratch;

use super::control::with_files;

const ONE: &str = "\
- shell: echo {{ item }} {{ i | default('-') }} {{ ansible_loop.nextitem | default('-') }}
    {{ ansible_loop.last | default('-') }} {{ ansible_loop.allitems | default([]) | length }} >> out
  args: {chdir: '{{ playbook_dir }}'}
- shell: echo {{ it }} >> out
  args: {chdir: '{{ playbook_dir }}'}
  loop: ['{{ item }}1', 2]
  loop_control: {loop_var: it}
  when: item is not search('b')
";

#[test]
fn an_include_goes_over_results() {
    with_files(
        "
tasks:
- command: printf 'a\\nb\\nc\\n'
  register: r
  changed_when: false
- include_tasks: one.yml
  loop: '{{ r.stdout_lines }}'
- include_tasks: {file: one.yml}
  loop: '{{ r.stdout_lines }}'
  when: x != 'b'
  vars: {item: '_{{ x }}_'}
  loop_control: {loop_var: x, index_var: i, extended: true}
- include_tasks: one.yml
  loop: '{{ r.none | default([]) }}'
- include_tasks: one.yml
  with_items: '{{ r.results }}'
  when: r.results is defined
- set_fact: {all: []}
- include_tasks: add.yml
  with_dict: \"{{ {'k': r.stdout_lines[0], 'l': r.stdout_lines[1]} }}\"
- shell: echo {{ all | join('+') }} >> {{ playbook_dir }}/out
",
        &[
            ("one.yml", ONE),
            (
                "add.yml",
                "- set_fact: {all: '{{ all + [item.key, item.value] }}'}\n",
            ),
        ],
        "a - - - 0\na1\n2\nb - - - 0\nc - - - 0\nc1\n2\n\
         _a_ 0 b False 3\n_a_1\n2\n_c_ 2 - True 3\n_c_1\n2\nk+a+l+b\n",
    )
    .ok();
}

#[test]
fn items_of_results_name_files_and_roles_and_includes_stand_in_each_other() {
    let say =
        "- shell: echo {{ role_name | default('file') }} {{ item }} >> {{ playbook_dir }}/out\n";
    with_files(
        "
tasks:
- command: printf 'a\\nb\\nc\\n'
  register: r
  changed_when: false
- include_tasks: is_{{ item }}.yml
  loop: '{{ r.stdout_lines }}'
  when: item != 'c'
- include_role: {name: 'its_{{ item }}'}
  with_items: ['{{ r.stdout_lines[1] }}', [a]]
- block:
  - include_tasks: outer.yml
    loop: '{{ r.stdout_lines[:2] }}'
    loop_control: {loop_var: out}
  rescue:
  - shell: echo rescued {{ ansible_failed_result.msg }} >> {{ playbook_dir }}/out
",
        &[
            ("is_a.yml", say),
            ("is_b.yml", say),
            ("roles/its_a/tasks/main.yml", say),
            ("roles/its_b/tasks/main.yml", say),
            (
                "outer.yml",
                "- include_tasks: is_a.yml\n  loop: '{{ r.stdout_lines }}'\n  when: item >= out\n\
                 - fail: {msg: 'at {{ out }}'}\n  when: out == 'b'\n",
            ),
        ],
        "file a\nfile b\nits_b b\nits_a a\nfile a\nfile b\nfile c\nfile b\nfile c\nrescued at b\n",
    )
    .ok();
}

#[test]
fn a_name_that_no_item_may_have_fails_at_its_turn() {
    let scratch = Scratch::new();
    scratch.tasks(
        "
tasks:
- command: printf 'a\\nz\\n'
  register: r
  changed_when: false
- include_tasks: is_{{ item }}.yml
  loop: '{{ r.stdout_lines }}'
",
    );
    scratch.file("is_a.yml", "- debug: {msg: 'here is {{ item }}'}\n");
    scratch
        .run(&[])
        .status(2)
        .says("here is a")
        .says("there is no file of tasks `is_z.yml`");
}

#[test]
fn as_many_turns_are_made_ready_as_are_asked_for() {
    let site = |turns: &str| {
        let scratch = Scratch::new();
        let tasks = format!(
            "
tasks:
- command: seq 40
  register: r
  changed_when: false
- include_tasks: one.yml
  loop: '{{{{ r.stdout_lines }}}}'
{turns}"
        );
        scratch.tasks(&tasks);
        scratch.file(
            "one.yml",
            "- shell: echo {{ item }} >> {{ playbook_dir }}/out\n",
        );
        scratch
    };
    let few = site("");
    few.run(&[])
        .status(2)
        .says("`include_tasks` has 40 turns, and 32 were made ready")
        .says("turns: 40");
    assert!(!few.has("out"));
    let enough = site("  vars: {evenkeel: {turns: 40}}\n");
    enough.run(&[]).ok().changed(40);
    assert!(enough.read("out").ends_with("39\n40\n"));
    site("  vars: {evenkeel: {turn: 3}}\n")
        .run(&[])
        .status(5)
        .says("did you mean `turns`?");
    site("  vars: {evenkeel: {turns: many}}\n")
        .run(&[])
        .status(5)
        .says("`turns`")
        .says("site.yml:10:32");
}

#[test]
fn a_plan_says_once_what_it_does_not_know_of_turns() {
    let scratch = Scratch::new();
    scratch.tasks(
        "
tasks:
- command: printf 'a\\nb\\n'
  register: r
- include_tasks: one.yml
  loop: '{{ r.stdout_lines }}'
- copy: {dest: '{{ playbook_dir }}/after', content: x}
",
    );
    scratch.file(
        "one.yml",
        "- name: one\n  copy: {dest: '{{ playbook_dir }}/{{ item }}', content: x}\n",
    );
    let planned = scratch.plan(&[]);
    let told = planned.tasks().filter(|task| task.name() == "one").count();
    assert_eq!(told, 1, "{planned}");
    let listed = scratch.run(&["--list-tasks"]);
    assert_eq!(listed.stdout.matches("one.yml:1").count(), 1, "{listed}");
    scratch.run(&[]).ok().changed(4);
    assert!(scratch.has("a") && scratch.has("b"));
}

#[test]
fn facts_that_tasks_look_up_are_variables() {
    with_files(
        r#"
vars: {getent_services: mine}
tasks:
- getent: {database: passwd, key: root}
- shell: echo {{ getent_passwd.root[1] }} {{ ansible_facts['getent_passwd'].root[1] }} {{ getent_group is defined }} >> {{ playbook_dir }}/out
- getent: {database: '{{ item }}', key: root}
  loop: [group, passwd]
- shell: echo {{ getent_group.root | length }} >> {{ playbook_dir }}/out
  when: "'root' in getent_group and getent_shadow is not defined"
- getent: {database: services, key: ssh}
- shell: echo {{ getent_services }} {{ ansible_facts.getent_services | length }} >> {{ playbook_dir }}/out
"#,
        &[],
        "0 0 False\n3\nmine 1\n",
    )
    .ok();
}

#[test]
fn files_are_found_by_what_they_hold() {
    with_files(
        r"
tasks:
- find: {paths: '{{ playbook_dir }}', patterns: '*.ini', contains: 'zend_extension(\s+)?=(\s+)?opcache\.so'}
  register: lines
- find: {paths: '{{ playbook_dir }}', patterns: '*.ini', contains: 'b\s+zend', read_whole_file: true}
  register: whole
- shell: echo {{ item | map(attribute='path') | map('basename') | sort | join(' ') }} >> {{ playbook_dir }}/out
  loop: ['{{ lines.files }}', '{{ whole.files }}']
",
        &[
            ("a.ini", "; b\nzend_extension = opcache.so\n"),
            ("b.ini", "; zend_extension=opcache.so\n"),
            ("c.ini", "zend_extension=opcache.so"),
        ],
        "a.ini c.ini\na.ini\n",
    )
    .ok();
}
