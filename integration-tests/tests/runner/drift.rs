//! Only what differs runs, and it says why.

use evenkeel_integration_tests::Scratch;

const SITE: &str = "
vars:
  root: '{{ playbook_dir }}/root'
  port: 80
  colour: blue
tasks:
- name: the directory
  file: {path: '{{ root }}', state: directory, mode: '0755'}
- name: the first file
  id: first
  copy: {dest: '{{ root }}/first', content: \"port {{ port }}\\n\", mode: '0644'}
  notify: restart the first
- name: the second file
  copy: {dest: '{{ root }}/second', content: \"port {{ port }}, {{ colour }}\\n\", mode: '0644'}
  notify: restart the second
- name: the third file
  copy: {dest: '{{ root }}/third', content: \"{{ colour }}\\n\", mode: '0644'}
- name: what depends on the first
  command: sh -c 'echo again >> depends'
  args: {chdir: '{{ root }}'}
  reads: ['{{ root }}/first']
  writes: ['{{ root }}/depends']
  triggered_by: first
  once: true
handlers:
- name: restart the first
  command: sh -c 'echo first >> restarts'
  args: {chdir: '{{ root }}'}
- name: restart the second
  command: sh -c 'echo second >> restarts'
  args: {chdir: '{{ root }}'}
";

fn settled() -> Scratch {
    let scratch = Scratch::new();
    scratch.tasks(SITE);
    let first = scratch.run(&[]).ok().changed(7);
    first.reason("restart the first", "triggered");
    scratch.run(&[]).ok().changed(0).exchanges(1);
    scratch
}

#[test]
fn a_file_edited_by_hand_is_repaired_and_nothing_else() {
    let scratch = settled();
    scratch.file("root/first", "port 81\n");
    let repaired = [
        "the first file",
        "what depends on the first",
        "restart the first",
    ];
    let run = scratch.run(&[]).ok().changes_are(&repaired);
    let run = run.reason("the first file", "drift");
    let run = run.reason("restart the first", "triggered");
    run.outcome("the second file", "unchanged");
    assert_eq!(scratch.read("root/first"), "port 80\n");
    assert_eq!(scratch.read("root/restarts"), "first\nsecond\nfirst\n");
    assert_eq!(scratch.read("root/depends"), "again\nagain\n");
    scratch.run(&[]).ok().changed(0).exchanges(1);
}

#[test]
fn a_mode_changed_by_hand_is_drift_too() {
    use std::os::unix::fs::PermissionsExt as _;
    let scratch = settled();
    let mode = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(scratch.path("root/third"), mode).unwrap();
    let run = scratch.run(&[]).ok().changes_are(&["the third file"]);
    run.reason("the third file", "drift");
}

#[test]
fn a_variable_changed_runs_exactly_what_uses_it() {
    let scratch = settled();
    let run = scratch.run(&["-e", "colour=red"]).ok();
    let run = run.changes_are(&["the second file", "the third file", "restart the second"]);
    let run = run.reason("the second file", "argument_changed");
    let run = run.reason("the third file", "argument_changed");
    assert_eq!(run.task("the third file").0["reason"]["field"], "content");
    assert_eq!(scratch.read("root/second"), "port 80, red\n");
    scratch
        .run(&["-e", "colour=red"])
        .ok()
        .changed(0)
        .exchanges(1);
}

#[test]
fn a_local_file_changed_is_named() {
    let scratch = Scratch::new();
    scratch.tasks("- name: install\n  copy: {src: data, dest: '{{ playbook_dir }}/copied'}\n");
    scratch.file("files/data", "one\n").run(&[]).ok().changed(1);
    let run = scratch.file("files/data", "two\n").run(&[]).ok().changed(1);
    let run = run.reason("install", "file_changed");
    let path = run.task("install").0["reason"]["path"].to_string();
    assert!(path.contains("data"), "{run}");
    assert_eq!(scratch.read("copied"), "two\n");
}

const GUARDED: &str = "
vars:
  root: '{{ playbook_dir }}/root'
  port: 80
tasks:
- {name: the directory, file: {path: '{{ root }}', state: directory, mode: '0755'}}
- {name: one, copy: {dest: '{{ root }}/one', content: \"{{ port }}\\n\", mode: '0644'}}
- name: two
  command: {cmd: cp one two, chdir: '{{ root }}', unless: cmp one two}
  reads: ['{{ root }}/one', '{{ root }}/two']
- name: three
  command: {cmd: cp two three, chdir: '{{ root }}', unless: cmp two three}
  reads: ['{{ root }}/two', '{{ root }}/three']
";

#[test]
fn guards_of_tasks_that_say_what_they_read_are_asked_with_the_rest_and_again_once_something_changed()
 {
    let scratch = Scratch::new();
    scratch.tasks(GUARDED);
    scratch.run(&[]).ok().changed(4);
    scratch.run(&[]).ok().changed(0).exchanges(1);
    let other = ["-e", "port=81"];
    let again = scratch.run(&other).ok();
    again.changes_are(&["one", "two", "three"]);
    assert_eq!(scratch.read("root/three"), "81\n");
    scratch.run(&other).ok().changed(0).exchanges(1);
}
