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
