//! Facts: gathered where they are used, at no cost of their own.

use super::case::Case;

/// What the last line of `--output json` says of a host's exchanges.
fn exchanges(stdout: &str, host: &str) -> u64 {
    let last: serde_json::Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
    let recap = &last["hosts"][host];
    assert_eq!(recap["changed"], 0, "{stdout}");
    recap["exchanges"].as_u64().unwrap()
}

#[test]
fn conditions_and_contents_cost_no_exchange() {
    let site = "\
- hosts: localhost
  tasks:
    - name: write
      copy:
        dest: '{{ playbook_dir }}/out'
        content: \"{{ ansible_system }} {{ ansible_facts.user_id is defined }}\\n\"
        mode: '0600'
      when: ansible_system == 'Linux'
    - name: never
      copy: {dest: '{{ playbook_dir }}/never', content: x}
      when: ansible_os_family == 'Plan 9'
";
    let first = "\
play localhost
changed       localhost  write  (the host differs)
    content: 11 bytes

host       changed  unchanged  skipped  failed
localhost        1          0        1       0

1 host: 1 changed, 1 skipped in [TIME], 3 exchanges
";
    let ended = Case::new(&["run", "site.yml"])
        .file("site.yml", site)
        .stdout(first)
        .run();
    let out = std::fs::read_to_string(ended.path("out")).unwrap();
    assert_eq!(out, "Linux True\n");
    let again = ended
        .then(&["run", "--output", "json", "site.yml"])
        .any_stdout()
        .run();
    assert_eq!(exchanges(&again.stdout, "localhost"), 1);
    assert!(!again.stdout.contains("gather facts"), "{}", again.stdout);
}

#[test]
fn a_path_made_of_a_fact_costs_one() {
    let site = "\
- hosts: localhost
  tasks:
    - copy: {dest: '{{ playbook_dir }}/on-{{ ansible_system }}', content: x, mode: '0600'}
    - command: test -n \"$LOGIN\"
      environment: {LOGIN: '{{ ansible_user_id }}'}
      args: {creates: '{{ playbook_dir }}/on-Linux'}
";
    let ended = Case::new(&["run", "site.yml"])
        .file("site.yml", site)
        .any_stdout()
        .run();
    let again = ended
        .then(&["run", "--output", "json", "site.yml"])
        .any_stdout()
        .run();
    assert_eq!(exchanges(&again.stdout, "localhost"), 2);
}

#[test]
fn who_gathers_no_facts_has_none() {
    let site = "\
- hosts: localhost
  gather_facts: false
  tasks:
    - debug: msg=\"{{ ansible_system | default('none') }} {{ ansible_facts }}\"
    - debug: msg=never
      when: ansible_system is defined
";
    let says = "\
play localhost
says          localhost  debug
    none {}

host       changed  unchanged  skipped  failed
localhost        0          1        1       0

1 host: 0 changed, 1 unchanged, 1 skipped in [TIME], 1 exchange
";
    Case::new(&["run", "site.yml"])
        .file("site.yml", site)
        .stdout(says)
        .run();
    let refused = "\
error[undefined_variable]: `ansible_system` is undefined: no play gathered this fact of the host, or the host has none
 --> site.yml:4:20
  |
4 |     - debug: msg={{ansible_system}}
  |                    ^^^^^^^^^^^^^^
  = help: look for `gather_facts: false` on the play, or give it a default, as in `ansible_system | default('')`
";
    Case::new(&["run", "site.yml"])
        .file(
            "site.yml",
            "- hosts: localhost\n  gather_facts: false\n  tasks:\n    - debug: msg={{ansible_system}}\n",
        )
        .stderr(refused)
        .status(5)
        .run();
}

#[test]
fn setup_gathers_what_it_is_told() {
    let site = "\
- hosts: localhost
  gather_facts: false
  tasks:
    - setup: {filter: [ansible_system, user_uid], gather_subset: min}
      register: found
    - assert:
        that:
          - found.ansible_facts | length == 2
          - ansible_system == 'Linux'
          - ansible_facts.user_uid is integer
          - ansible_facts.kernel is not defined
";
    Case::new(&["run", "site.yml"])
        .file("site.yml", site)
        .any_stdout()
        .run();
}

#[test]
fn other_hosts_are_asked_for_what_is_read_of_them() {
    let site = "\
- hosts: b
  gather_facts: false
  tasks:
    - command: echo of {{ inventory_hostname }}
      register: said
      changed_when: false
    - set_fact: {port: '{{ 80 + 1 }}'}
- hosts: a
  gather_facts: false
  vars: {other: b}
  tasks:
    - assert:
        that:
          - hostvars.b.said.stdout == 'of b'
          - hostvars[other].port == 81
          - hostvars[other]['ansible_system'] == 'Linux'
          - hostvars.c.ansible_facts.system == 'Linux'
          - ansible_system is not defined
          - groups['all'] | map('extract', hostvars, 'color') | list == ['red', 'blue', 'green']
          - hostvars.c.who == 'c is green'
          - hostvars['d'] is not defined
          - vars['other'] == 'b'
";
    let hosts = "\
[all:vars]
ansible_connection=local
who=\"{{ inventory_hostname }} is {{ color }}\"
[all]
a color=red
b color=blue
c color=green
";
    let ended = Case::new(&["run", "--output", "json", "-i", "hosts", "site.yml"])
        .file("site.yml", site)
        .file("hosts", hosts)
        .any_stdout()
        .run();
    // All are names of one machine: what one of them does there makes others look again.
    for (host, most) in [("c", 2), ("a", 3)] {
        assert!(exchanges(&ended.stdout, host) <= most, "{}", ended.stdout);
    }
}
