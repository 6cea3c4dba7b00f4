//! Tasks that fail.

use evenkeel_integration_tests::{Scratch, need, need_root};

#[test]
fn a_failed_task_ends_its_host_and_the_handler_is_owed() {
    let scratch = Scratch::new();
    scratch.tasks(
        "
tasks:
- name: write
  copy: {dest: '{{ playbook_dir }}/written', content: one}
  notify: tell
- name: fail
  command: test -e '{{ playbook_dir }}/remedy'
  changed_when: false
- name: after it
  copy: {dest: '{{ playbook_dir }}/after', content: one}
- name: and then
  debug: {msg: not said}
handlers:
- name: tell
  shell: echo told >> '{{ playbook_dir }}/told'
",
    );
    let failed = scratch.run(&[]).status(2);
    let failed = failed.outcome("write", "changed").outcome("fail", "failed");
    let failed = failed
        .outcome("after it", "blocked")
        .outcome("and then", "blocked");
    let failed = failed.counts("failed", 1).counts("blocked", 3);
    assert_eq!(failed.task("fail").0["error"]["status"], 1, "{failed}");
    assert!(!scratch.has("after") && !scratch.has("told"));

    scratch.file("remedy", "");
    let run = scratch.run(&[]).ok().outcome("write", "unchanged");
    run.reason("tell", "owed").outcome("after it", "changed");
    assert_eq!(scratch.read("told"), "told\n");
    scratch.run(&[]).ok().changed(0);
    assert_eq!(scratch.read("told"), "told\n");
}

#[test]
fn another_host_goes_on() {
    let scratch = Scratch::new();
    scratch.file(
        "hosts",
        "good ansible_connection=local\nbad ansible_connection=local\n",
    );
    scratch.file(
        "site.yml",
        "
- hosts: all
  gather_facts: false
  tasks:
    - name: fail on one
      fail: {msg: 'not on {{ inventory_hostname }}'}
      when: inventory_hostname == 'bad'
    - name: go on
      copy: {dest: '{{ playbook_dir }}/{{ inventory_hostname }}', content: went on}
",
    );
    scratch.run(&["-i", "hosts"]).status(2).says("not on bad");
    assert!(scratch.has("good") && !scratch.has("bad"));
}

#[test]
fn rescue_and_always() {
    let scratch = Scratch::new();
    scratch.tasks(
        "
- block:
    - name: fail
      command: 'false'
    - name: not reached
      debug: {msg: unreached}
  rescue:
    - name: rescue
      copy: {dest: '{{ playbook_dir }}/rescued', content: rescued}
  always:
    - name: always
      copy: {dest: '{{ playbook_dir }}/always', content: always}
- name: go on
  copy: {dest: '{{ playbook_dir }}/on', content: went on}
",
    );
    let run = scratch.run(&[]).ok().counts("rescued", 1).changed(3);
    run.outcome("rescue", "changed")
        .outcome("always", "changed");
    assert!(scratch.has("rescued") && scratch.has("always") && scratch.has("on"));
}

#[test]
fn always_comes_after_a_failure_that_nothing_rescues() {
    let scratch = Scratch::new();
    scratch.tasks(
        "
- block:
    - name: fail
      command: 'false'
  always:
    - name: always
      copy: {dest: '{{ playbook_dir }}/always', content: always}
- name: not reached
  copy: {dest: '{{ playbook_dir }}/on', content: went on}
",
    );
    let run = scratch.run(&[]).status(2).outcome("always", "changed");
    run.outcome("not reached", "blocked");
    assert!(scratch.has("always") && !scratch.has("on"));
}

#[test]
fn ignored_failures_are_counted_and_their_result_is_there() {
    let scratch = Scratch::new();
    scratch.tasks(
        "
- name: fail
  command: sh -c 'echo why >&2; exit 3'
  register: result
  ignore_errors: true
- name: say
  copy: {dest: '{{ playbook_dir }}/said', content: '{{ result.rc }} {{ result.stderr }} {{ result is failed }}'}
",
    );
    scratch
        .run(&[])
        .ok()
        .counts("ignored", 1)
        .counts("failed", 0);
    assert_eq!(scratch.read("said"), "3 why True");
}

#[test]
fn what_no_log_hides_is_nowhere() {
    let secret = "correct-horse-battery";
    let scratch = Scratch::new();
    scratch.tasks(
        "
- name: write a secret
  copy: {dest: '{{ playbook_dir }}/kept', content: '{{ word }}', mode: '0600'}
  no_log: true
- name: use it in a program
  shell: 'echo {{ word }}; echo {{ word }} >&2; touch used'
  args: {chdir: '{{ playbook_dir }}', creates: '{{ playbook_dir }}/used'}
  register: said
  no_log: true
- name: fail with it
  shell: 'echo {{ word }} >&2; exit 1'
  no_log: true
  ignore_errors: true
",
    );
    let word = format!("word={secret}");
    for args in [&["plan"][..], &["run", "--diff", "-vvv"], &["run"]] {
        for output in ["human", "json", "junit"] {
            let all = [args, &["--output", output, "site.yml", "-e", &word]].concat();
            scratch.evenkeel(&all).ok().never_says(secret);
        }
    }
    assert_eq!(scratch.read("kept"), secret);
    let kept = scratch.tree(".state");
    assert!(!kept.contains(secret), "{kept}");
    scratch
        .evenkeel(&["ledger", "show", "localhost"])
        .ok()
        .never_says(secret);
}

const BECOME: &str = "
- name: as somebody else
  shell: id -un > made && echo \"$HOME\" >> made
  args: {chdir: '{{ playbook_dir }}/theirs', creates: '{{ playbook_dir }}/theirs/made'}
  become: true
  become_user: nobody
- name: a file of theirs
  copy: {dest: '{{ playbook_dir }}/theirs/file', content: theirs}
  become: true
  become_user: nobody
- name: as oneself
  shell: id -un > mine
  args: {chdir: '{{ playbook_dir }}', creates: '{{ playbook_dir }}/mine'}
";

fn becomes(method: &str) {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    if !need_root()
        || !need("user `nobody`", "id nobody")
        || !need(method, &format!("command -v {method}"))
    {
        return;
    }
    let scratch = Scratch::new();
    scratch.tasks(BECOME);
    let open = |mode| std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(scratch.path(""), open(0o755)).unwrap();
    std::fs::create_dir(scratch.path("theirs")).unwrap();
    std::fs::set_permissions(scratch.path("theirs"), open(0o777)).unwrap();
    let args = ["--become-method", method];
    scratch.run(&args).ok().changed(3);
    assert!(scratch.read("theirs/made").starts_with("nobody\n"));
    assert_eq!(scratch.read("mine"), "root\n");
    let owner = |name: &str| scratch.path(name).metadata().unwrap().uid();
    assert_eq!(owner("theirs/file"), owner("theirs/made"));
    assert_ne!(owner("theirs/file"), 0);
    scratch.run(&args).ok().changed(0).exchanges(1);
}

#[test]
#[ignore = "root"]
fn becoming_another_user_by_su() {
    becomes("su");
}

#[test]
#[ignore = "root"]
fn becoming_another_user_by_sudo() {
    becomes("sudo");
}
