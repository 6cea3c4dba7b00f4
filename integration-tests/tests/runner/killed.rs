//! Runs that die.

use evenkeel_integration_tests::{Scratch, until};

/// The command waits, for half a minute at most, so that a run can be killed between a change and its
/// handler.
const SITE: &str = "
vars:
  root: '{{ playbook_dir }}/root'
tasks:
- name: the directory
  file: {path: '{{ root }}', state: directory}
- name: the settings
  copy: {dest: '{{ root }}/settings', content: one}
  notify: restart
- name: wait for a word
  shell:
    cmd: |
      touch waiting
      for i in $(seq 600); do test -e word && break; sleep 0.05; done
      touch waited
    chdir: '{{ root }}'
    creates: '{{ root }}/waited'
handlers:
- name: restart
  shell: echo restarted >> restarts
  args: {chdir: '{{ root }}'}
";

#[test]
fn what_a_killed_run_owed_is_done_by_the_next() {
    let scratch = Scratch::new();
    scratch.tasks(SITE);
    let running = scratch.start(&[]);
    until("the command waits", || scratch.has("root/waiting"));
    running.signal("KILL");
    scratch.file("root/word", "");
    running.wait().status(137);
    assert_eq!(scratch.read("root/settings"), "one");
    assert!(!scratch.has("root/restarts"));

    let next = scratch.run(&[]).ok();
    let next = next.outcome("the settings", "unchanged");
    let next = next.outcome("restart", "changed").reason("restart", "owed");
    assert_eq!(next.task("restart").0["reason"]["by"], "the settings");
    assert_eq!(scratch.read("root/restarts"), "restarted\n");
    scratch.run(&[]).ok().changed(0).exchanges(1);
}
