//! Several hosts: batches, what is done once for all, what a failure means for the others.

use super::case::{Case, Ended};

const HOSTS: &str = "[web]\nw1\nw2\nw3\n[web:vars]\nansible_connection=local\n";

fn site(site: &str) -> Case {
    Case::new(&["run", "-i", "hosts", "site.yml"])
        .file("hosts", HOSTS)
        .file("site.yml", site)
        .any_stdout()
        .any_stderr()
}

fn log(ended: &Ended) -> Vec<String> {
    let log = std::fs::read_to_string(ended.path("log")).unwrap_or_default();
    log.lines().map(str::to_owned).collect()
}

#[test]
fn batches_come_one_after_the_other() {
    let ended = site(
        "\
- hosts: web
  serial: [1, '100%']
  tasks:
    - shell: \"echo one {{ inventory_hostname }} {{ ansible_play_batch | length }} {{ ansible_play_hosts | length }} >>{{ playbook_dir }}/log\"
    - shell: echo two {{ inventory_hostname }} >>{{ playbook_dir }}/log
",
    )
    .run();
    let log = log(&ended);
    assert_eq!(log[..2], ["one w1 1 3", "two w1"]);
    let mut middle = log[2..4].to_vec();
    middle.sort();
    assert_eq!(middle, ["one w2 2 3", "one w3 2 3"]);
    assert_eq!(log.len(), 6, "{log:?}");
}

#[test]
fn a_batch_that_failed_is_the_last() {
    let ended = site(
        "\
- hosts: web
  serial: 1
  order: reverse_sorted
  tasks:
    - shell: echo {{ inventory_hostname }} >>{{ playbook_dir }}/log
    - command: test {{ inventory_hostname }} != w2
",
    )
    .status(2)
    .run();
    assert_eq!(log(&ended), ["w3", "w2"]);
}

#[test]
fn once_for_all() {
    let ended = site(
        "\
- hosts: web
  tasks:
    - name: token
      id: token
      shell: echo made >>{{ playbook_dir }}/log; echo secret-{{ inventory_hostname }}
      run_once: true
      register: token
    - copy: {dest: '{{ playbook_dir }}/{{ inventory_hostname }}', content: '{{ token.stdout }}', mode: '0600'}
      after: [token@web]
",
    )
    .run();
    assert_eq!(log(&ended), ["made"]);
    for host in ["w1", "w2", "w3"] {
        let held = std::fs::read_to_string(ended.path(host)).unwrap();
        assert_eq!(held, "secret-w1", "{host}");
    }
}

#[test]
fn any_error_is_fatal() {
    let ended = site(
        "\
- hosts: web
  any_errors_fatal: true
  tasks:
    - command: test {{ inventory_hostname }} != w2
    - shell: echo never >>{{ playbook_dir }}/log
- hosts: web
  tasks:
    - shell: echo never >>{{ playbook_dir }}/log
",
    )
    .status(2)
    .run();
    assert!(log(&ended).is_empty(), "{}", ended.stdout);
}
