//! Arguments that only facts and results give, whatever their type.

use evenkeel_integration_tests::Scratch;

#[test]
fn lists_paths_and_files_of_this_machine_may_come_late() {
    let scratch = Scratch::new();
    scratch.file("files/one.txt", "1\n");
    scratch.file("files/tree/a/b", "b\n");
    scratch.file(
        "site.yml",
        "
- hosts: localhost
  vars:
    here: '{{ playbook_dir }}'
    usual: 0640
  tasks:
  - name: which
    command: echo one
    register: which
    changed_when: false
  - name: a file
    copy: {src: '{{ which.stdout }}.txt', dest: '{{ here }}/to.txt', mode: '{{ usual }}'}
  - name: a folder
    copy: {src: \"{{ (ansible_system == 'Linux') | ternary('tree/', 'none/') }}\", dest: '{{ here }}/to'}
  - name: a guard
    command: touch {{ here }}/guarded-{{ which.stdout }}
    args:
      creates: \"{{ here + '/guarded-' + which.stdout }}\"
  - name: look
    find: {paths: ['{{ here }}/to{{ which.stdout[3:] }}'], recurse: true}
    register: found
  - name: write
    copy:
      dest: '{{ here }}/out'
      content: |
        {% set names = [] %}{% for file in found.files %}{% set _ = names.append(file.path | basename) %}{% endfor %}
        {{ names }} {{ ansible_connection }} {{ ansible_run_tags }} {{ inventory_dir is defined }}
",
    );
    let planned = scratch.plan(&[]);
    // In a run of its own, so that what was found is what was copied.
    let run = scratch.run(&[]).ok().changed(4);
    planned.foretells(&run);
    assert_eq!(scratch.read("to.txt"), "1\n");
    assert_eq!(scratch.read("out"), "['b'] local ['all'] False\n");
    scratch.run(&[]).ok().changed(0);
}

#[test]
fn templates_of_a_loop_may_read_facts() {
    let scratch = Scratch::new();
    scratch.file("templates/a.j2", "{{ ansible_system }} {{ it }}\n");
    scratch.file(
        "templates/b.j2",
        "{{ hostvars[inventory_hostname].ansible_kernel is defined }} {{ more }}\n",
    );
    scratch.file("templates/Linux.j2", "{{ ansible_os_family is defined }}\n");
    scratch.file(
        "site.yml",
        "
- hosts: localhost
  vars:
    more: '{{ ansible_architecture is defined }}'
  tasks:
  - name: known names
    template: {src: '{{ it }}.j2', dest: '{{ playbook_dir }}/{{ it }}'}
    loop: [a, b]
    loop_control: {loop_var: it}
  - name: names that a fact gives
    template: {src: '{{ item }}.j2', dest: '{{ playbook_dir }}/{{ item }}'}
    with_items: ['{{ ansible_system }}']
",
    );
    scratch.run(&[]).ok().changed(2);
    assert_eq!(scratch.read("a"), "Linux a\n");
    assert_eq!(scratch.read("b"), "True True\n");
    assert_eq!(scratch.read("Linux"), "True\n");
    scratch.run(&[]).ok().changed(0);
}
