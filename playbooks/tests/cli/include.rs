//! Files of variables that facts choose: what is wrong with any of them is said before a run.

use super::case::Case;

#[test]
fn what_is_wrong_with_files_of_variables() {
    let site = "\
- hosts: localhost
  tasks:
    - include_vars: \"os-{{ ansible_system }}.yml\"
    - include_vars: \"{{ ansible_system }}.toml\"
    - include_vars: {file: vars/os-a.yml, nme: all}
";
    let stderr = "\
error[no_such_file]: no file of variables on this machine fits `*.toml`
 --> site.yml:4:21
  |
4 |     - include_vars: \"{{ ansible_system }}.toml\"
  |                     ^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: looked for `./vars/*.toml`, `./*.toml`

error[unknown_argument]: there is no argument `nme` of `include_vars`
 --> site.yml:5:43
  |
5 |     - include_vars: {file: vars/os-a.yml, nme: all}
  |                                           ^^^
  = help: did you mean `name`?

error[not_a_map]: a file of variables holds a map of them, not a list
 --> ./vars/os-b.yml:1:1
  |
1 | - b
  | ^^^
  = help: write `name: value` lines
";
    Case::new(&["validate", "site.yml"])
        .file("site.yml", site)
        .file("vars/os-a.yml", "a: 1\n")
        .file("vars/os-b.yml", "- b\n")
        .stderr(stderr)
        .status(5)
        .run();
}

#[test]
fn what_may_be_for_other_hosts_is_a_warning() {
    let site = "\
- hosts: localhost
  tasks:
    - include_vars: \"RedHat-{{ ansible_distribution_major_version }}.yml\"
      when: ansible_os_family == 'RedHat'
    - acme.general.seport: {ports: 1, proto: tcp}
      when: ansible_selinux.status == 'enabled'
    - acme.general.never: a=1
      when: false
";
    let stderr = "\
warning[no_such_file]: no file of variables on this machine fits `RedHat-*.yml`
 --> site.yml:3:21
  |
3 |     - include_vars: \"RedHat-{{ ansible_distribution_major_version }}.yml\"
  |                     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: looked for `./vars/RedHat-*.yml`, `./RedHat-*.yml`

warning[unknown_module]: there is no module `acme.general.seport`
 --> site.yml:5:7
  |
5 |     - acme.general.seport: {ports: 1, proto: tcp}
  |       ^^^^^^^^^^^^^^^^^^^
  = help: `evenkeel modules` lists all there are
";
    Case::new(&["validate", "site.yml"])
        .file("site.yml", site)
        .file("vars/other.yml", "a: 1\n")
        .stderr(stderr)
        .stdout("1 play, 3 tasks: no errors\n")
        .status(0)
        .run();
    let sure = "\
- hosts: localhost
  tasks:
    - acme.general.seport: {ports: 1}
      when: ansible_check_mode or not ansible_check_mode
    - acme.general.tempalte: {src: a}
      when: ansible_os_family == 'RedHat'
";
    let stderr = "\
error[unknown_module]: there is no module `acme.general.seport`
 --> site.yml:3:7
  |
3 |     - acme.general.seport: {ports: 1}
  |       ^^^^^^^^^^^^^^^^^^^
  = help: `evenkeel modules` lists all there are

error[unknown_module]: there is no module `acme.general.tempalte`
 --> site.yml:5:7
  |
5 |     - acme.general.tempalte: {src: a}
  |       ^^^^^^^^^^^^^^^^^^^^^
  = help: did you mean `template`?
";
    Case::new(&["validate", "site.yml"])
        .file("site.yml", sure)
        .stderr(stderr)
        .status(5)
        .run();
}

#[test]
fn a_pause_is_unchanged() {
    let site = "\
- hosts: localhost
  gather_facts: false
  tasks:
    - pause: {seconds: 1, prompt: wait a little}
      register: paused
    - assert:
        that:
          - paused is not changed
          - paused.delta >= 1
          - paused.stdout is match('Paused for [0-9.]+ seconds')
          - not paused.user_input
";
    let stdout = "\
host       changed  unchanged  failed
localhost        0          2       0

1 host: 0 changed, 2 unchanged in [TIME], 3 exchanges
";
    Case::new(&["run", "site.yml"])
        .file("site.yml", site)
        .stdout(stdout)
        .run();
}
