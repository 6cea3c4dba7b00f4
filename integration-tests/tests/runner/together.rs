//! More than one run, or more than one name, on one machine.

use evenkeel_integration_tests::{Scratch, until};

#[test]
fn of_two_runs_at_once_one_waits() {
    let scratch = Scratch::new();
    scratch.tasks(
        "
- name: wait for a word
  shell:
    cmd: |
      touch waiting
      for i in $(seq 600); do test -e word && break; sleep 0.05; done
      touch waited
    chdir: '{{ playbook_dir }}'
    creates: '{{ playbook_dir }}/waited'
",
    );
    scratch.file(
        "other.yml",
        "
- hosts: localhost
  gather_facts: false
  tasks:
    - name: the other
      copy: {dest: '{{ playbook_dir }}/other', content: other}
",
    );
    let first = scratch.start(&[]);
    until("the command waits", || scratch.has("waiting"));
    let second = scratch.start(&["other.yml"]);
    until("the second run says that it waits", || {
        second.said().contains("\"waiting\"")
    });
    assert!(!scratch.has("other"));
    scratch.file("word", "");
    first.wait().ok().changed(1);
    let second = second.wait().ok().changed(1);
    let waiting = second
        .events
        .iter()
        .find(|event| event["event"] == "waiting");
    let what = waiting.unwrap()["what"].as_str().unwrap();
    assert!(what.contains("run"), "{second}");
    assert_eq!(scratch.read("other"), "other");
    scratch.run(&[]).ok().changed(0).exchanges(1);
}

#[test]
fn ten_names_of_one_machine_share_its_ledger_and_lock() {
    let scratch = Scratch::new();
    let mut hosts = "[ten]\n".to_owned();
    for number in 0..10 {
        let line = format!("h{number} ansible_connection=local number={number}\n");
        hosts += &line;
    }
    scratch.file("hosts", &hosts);
    scratch.file(
        "site.yml",
        "
- hosts: ten
  gather_facts: false
  tasks:
    - name: a directory for all
      file: {path: '{{ playbook_dir }}/all', state: directory}
    - name: a file of each
      copy: {dest: '{{ playbook_dir }}/all/{{ inventory_hostname }}', content: '{{ number }}'}
      notify: tell
    - name: once each
      shell: echo {{ inventory_hostname }} >> once
      args: {chdir: '{{ playbook_dir }}'}
      once: true
  handlers:
    - name: tell
      shell: echo {{ inventory_hostname }} >> told
      args: {chdir: '{{ playbook_dir }}'}
",
    );
    let args = ["-i", "hosts"];
    let first = scratch.run(&args).ok();
    let first = first.never_says("\"waiting\"");
    assert_eq!(first.named("failed").len(), 0, "{first}");
    let sorted = |name: &str| {
        let text = scratch.read(name);
        let mut lines: Vec<_> = text.lines().map(ToOwned::to_owned).collect();
        lines.sort();
        lines
    };
    let names: Vec<_> = (0..10).map(|number| format!("h{number}")).collect();
    assert_eq!(sorted("told"), names);
    assert_eq!(sorted("once"), names);
    // The run let go of the lock: another one does not wait.
    let second = scratch
        .run(&args)
        .ok()
        .changed(0)
        .exchanges(10)
        .counts("assumed", 10);
    second.never_says("\"waiting\"");
    scratch.file("all/h3", "by hand");
    let third = scratch.run(&args).ok().changed(2).never_says("\"waiting\"");
    assert_eq!(third.named("changed"), ["a file of each", "tell"]);
    assert_eq!(sorted("told").len(), 11);
}

#[test]
fn a_host_that_is_gone_from_the_inventory_is_told() {
    let scratch = Scratch::new();
    scratch.file(
        "site.yml",
        "
- hosts: all
  gather_facts: false
  tasks:
    - copy: {dest: '{{ playbook_dir }}/of-{{ inventory_hostname }}', content: it}
",
    );
    scratch.file(
        "both.ini",
        "one ansible_connection=local\nother ansible_connection=local\n",
    );
    scratch.file("one.ini", "one ansible_connection=local\n");
    let told = "`other` is no longer managed";
    let both = scratch.run(&["-i", "both.ini"]).ok().changed(2);
    both.never_says("no longer managed");
    let limited = ["-i", "both.ini", "--limit", "one"];
    scratch.run(&limited).ok().never_says("no longer managed");
    scratch.plan(&["-i", "one.ini"]).ok().says(told);
    scratch.run(&["-i", "one.ini"]).ok().changed(0).says(told);
    // A run that changes something knows it no more.
    std::fs::remove_file(scratch.path("of-one")).unwrap();
    scratch.run(&["-i", "one.ini"]).ok().changed(1).says(told);
    let last = scratch.run(&["-i", "one.ini"]).ok();
    last.never_says("no longer managed");
}
