//! Arguments and names of variables that only a template gives, beside Ansible where it is there.

use super::control::both;
use evenkeel_integration_tests::Scratch;

#[test]
fn one_template_gives_arguments() {
    both(
        "
vars:
  line: {cmd: 'echo $A >> out', chdir: '{{ playbook_dir }}'}
  many:
  - {that: '{{ 1 + 1 == 2 }}'}
  - {that: [1 == 2]}
tasks:
- shell: echo $A >> out
  args: '{{ {\"chdir\": line.chdir} }}'
  environment: {A: whole}
- shell: {cmd: echo own >> out}
  args: '{{ line }}'
- set_fact:
  args: '{{ {\"one\": 1, \"two\": line.chdir} }}'
- assert: '{{ item }}'
  loop: '{{ many }}'
  ignore_errors: true
  register: held
- debug: '{{ said }}'
  vars: {said: {msg: '{{ one }}'}}
  register: told
- shell: echo {{ held.results | map(attribute='failed') | join(' ') }} {{ told.msg }} {{ two == playbook_dir }} >> out
  args: {chdir: '{{ playbook_dir }}'}
",
        "whole\nown\nFalse True 1 True\n",
    )
    .ok();
}

#[test]
fn the_run_tells_which_variables_are_set() {
    both(
        "
vars: {old_two: lower}
tasks:
- command: printf 'one\\ntwo'
  register: names
- set_fact: '{{ item }}={{ index }}'
  loop: '{{ names.stdout_lines }}'
  loop_control: {index_var: index}
- set_fact: {'old_{{ item }}': '{{ item }}'}
  with_items: '{{ names.stdout_lines }}'
- set_fact: {told: \"{{ query('varnames', '^old_') | sort | join(' ') }}\"}
- shell: echo {{ one }} {{ two }} {{ old_one }} {{ old_two }} {{ other is defined }} {{ told }} {{ lookup('vars', 'old_' ~ names.stdout_lines.0) }} >> out
  args: {chdir: '{{ playbook_dir }}'}
",
        "0 1 one two False old_one old_two one\n",
    )
    .ok();
}

#[test]
fn a_template_that_gives_no_arguments_is_told() {
    let scratch = Scratch::new();
    scratch.tasks("vars: {text: x}\ntasks:\n- file: '{{ text }}'\n- debug: '{{ {\"mgs\": 1} }}'\n- debug:\n  when: \"{{ text }} == 1\"\n");
    scratch
        .run(&[])
        .status(5)
        .says("arguments are a map: this template gives a text")
        .says("`mgs`")
        .says("did you mean `msg`?")
        .says("a condition is an expression by itself: write `text == 1`");
}

#[test]
fn programs_of_this_machine_run_when_their_task_has_its_turn() {
    let tasks = "
vars:
  all: \"{{ query('lines', 'cat made; echo ran >> count') }}\"
tasks:
- copy: {content: \"one\\ntwo\\n\", dest: '{{ playbook_dir }}/made'}
- shell: echo {{ item }} {{ lookup('pipe', 'pwd') == playbook_dir }} >> out
  args: {chdir: '{{ playbook_dir }}'}
  loop: '{{ all }}'
- debug: {msg: \"{{ lookup('pipe', 'echo no; exit 3') }}\"}
  ignore_errors: true
  register: broken
- shell: echo {{ broken is failed }} >> out
  args: {chdir: '{{ playbook_dir }}'}
";
    both(tasks, "one True\ntwo True\nTrue\n").ok();
    let scratch = Scratch::new();
    scratch.tasks(tasks);
    scratch.plan(&[]).says("shell");
    assert!(!scratch.has("count"), "a plan runs nothing");
    scratch.run(&[]).ok();
    assert_eq!(scratch.read("count"), "ran\n");
}

#[test]
fn what_never_changes_anything_owes_nothing_where_it_failed() {
    let scratch = Scratch::new();
    scratch.tasks(
        "
tasks:
- command: 'false'
  ignore_errors: true
  changed_when: false
  register: r
- debug: {msg: 'changed: {{ r is changed }}'}
",
    );
    for _ in 0..2 {
        scratch.run(&[]).ok().says("changed: False");
    }
}

#[test]
fn a_map_is_a_list_of_one_to_loops_of_the_old_form() {
    both(
        "
vars: {map: {a: 1}}
tasks:
- shell: echo {{ item.0 }} {{ item.1.b }} >> out
  args: {chdir: '{{ playbook_dir }}'}
  with_indexed_items: {b: 2}
- shell: echo {{ item.a }} >> out
  args: {chdir: '{{ playbook_dir }}'}
  with_list: '{{ map }}'
",
        "0 2\n1\n",
    )
    .ok();
}
