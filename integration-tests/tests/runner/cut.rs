//! Runs that are cut off at random moments, and run again at once.

#![expect(
    clippy::print_stdout,
    reason = "a test that fails tells its seed, to be run again"
)]

use std::time::{Duration, Instant};

use evenkeel_integration_tests::{Ended, Random, Scratch};

/// Each step can be repeated but `once`, and the handlers make something of what was there before: a lost one
/// shows in the tree.
const SITE: &str = "
vars:
  root: '{{ playbook_dir }}/root'
tasks:
- name: directories
  file: {path: '{{ root }}/{{ item }}', state: directory, mode: '0755'}
  loop: [one, two]
- name: the settings
  copy: {dest: '{{ root }}/settings', content: \"port 80\\n\", mode: '0644'}
  notify: apply
- name: a long step
  shell:
    cmd: sleep 0.2 && echo long > long
    chdir: '{{ root }}'
    creates: '{{ root }}/long'
    long: true
  reads: []
  writes: ['{{ root }}/long']
- name: a line
  lineinfile: {path: '{{ root }}/colours', line: blue, create: true, mode: '0644'}
  notify: apply
- name: just once
  id: just-once
  shell: sleep 0.1 && echo once >> once
  args: {chdir: '{{ root }}'}
  once: true
- block:
    - name: try
      command: test -e try
      args: {chdir: '{{ root }}'}
      changed_when: false
  rescue:
    - name: rescue
      copy: {dest: '{{ root }}/rescued', content: rescued, mode: '0644'}
  always:
    - name: always
      copy: {dest: '{{ root }}/one/always', content: always, mode: '0644'}
      notify: apply the other
handlers:
- name: apply
  shell: sleep 0.05 && cat settings colours > applied
  args: {chdir: '{{ root }}'}
- name: apply the other
  shell: cat one/always > two/applied
  args: {chdir: '{{ root }}'}
";

/// The tree that an uncut run leaves, and how long that takes.
fn uncut() -> (String, Duration) {
    let scratch = Scratch::new();
    scratch.tasks(SITE);
    let begun = Instant::now();
    scratch.run(&[]).ok();
    let took = begun.elapsed();
    assert_eq!(scratch.read("root/applied"), "port 80\nblue\n");
    (scratch.tree("root"), took)
}

/// A run that was sent a signal after a while.
fn cut(scratch: &Scratch, signal: &str, after: Duration) -> Ended {
    scratch.tasks(SITE);
    let running = scratch.start(&[]);
    std::thread::sleep(after);
    running.signal(signal);
    running.wait()
}

/// All is as an uncut run leaves it, and nothing is left to do.
fn settled(scratch: &Scratch, tree: &str, before: &Ended, again: &Ended) {
    let is = scratch.tree("root");
    assert_eq!(is, tree, "\ncut\n{before}\nagain\n{again}");
    scratch.run(&[]).ok().changed(0);
}

#[test]
#[ignore = "slow"]
fn killed_at_random_moments() {
    let (tree, took) = uncut();
    let mut random = Random::new();
    for _ in 0..20 {
        let scratch = Scratch::new();
        let after = took.mul_f64(random.share());
        println!("killed after {after:?} of {took:?}");
        let before = cut(&scratch, "KILL", after);
        let mut again = scratch.run(&[]);
        if again.status == 2 {
            // Whether it did its work cannot be known: somebody has to look.
            assert_eq!(again.named("failed"), ["just once"], "{before}\n{again}");
            again = again
                .says("ledger forget")
                .reason("just once", "interrupted");
            println!("{}", again.task("just once").0["error"]);
            std::fs::remove_file(scratch.path("root/once")).ok();
            scratch
                .evenkeel(&["ledger", "forget", "localhost", "just-once"])
                .ok();
            again = scratch.run(&[]);
        }
        let again = again.ok();
        settled(&scratch, &tree, &before, &again);
    }
}

fn stopped(signal: &str) {
    let (tree, took) = uncut();
    let mut random = Random::new();
    for _ in 0..10 {
        let scratch = Scratch::new();
        let after = took.mul_f64(random.share());
        println!("{signal} after {after:?} of {took:?}");
        let before = cut(&scratch, signal, after);
        // Before the first event nobody listens for signals yet, and after the last nobody does any more.
        let finished = before.last()["event"] == "run_finished";
        if finished && before.status != 0 {
            assert_eq!(before.status, 130, "{before}");
            assert_eq!(before.last()["interrupted"], true, "{before}");
        } else if !finished {
            assert!(before.events.is_empty(), "{before}");
        }
        let again = scratch.run(&[]).ok();
        settled(&scratch, &tree, &before, &again);
    }
}

#[test]
#[ignore = "slow"]
fn interrupted_at_random_moments() {
    stopped("INT");
}

#[test]
#[ignore = "slow"]
fn terminated_at_random_moments() {
    stopped("TERM");
}
