//! Ctrl-C: what runs may end, nothing new starts.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use super::case::Case;

/// The step ends when the host has been told to stop before the next one: at most after 30 seconds.
const SITE: &str = "\
- name: set up
  hosts: localhost
  gather_facts: false
  tasks:
    - name: take a while
      shell:
        cmd: |
          touch begun
          for i in $(seq 600); do
            ls .state/evenkeel/lock/*/stop.* && break
            sleep 0.05
          done
          touch ended
        chdir: '{{ playbook_dir }}'
        creates: '{{ playbook_dir }}/ended'
    - name: come after it
      command: touch after
      args:
        chdir: '{{ playbook_dir }}'
        creates: '{{ playbook_dir }}/after'
";

#[test]
fn the_running_step_ends_and_nothing_starts() {
    let case = Case::new(&["run", "site.yml"]).file("site.yml", SITE);
    let mut program = case.program();
    let running = program
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let there = |name: &str| case.path(name).exists();
    wait("the step begins", || there("begun"));
    let killed = Command::new("kill")
        .args(["-INT", &running.id().to_string()])
        .status();
    assert!(killed.unwrap().success());
    let output = running.wait_with_output().unwrap();
    let shown = super::case::shown(&output);
    assert_eq!(output.status.code(), Some(130), "{shown}");
    assert!(there("ended"), "{shown}");
    assert!(!there("after"), "{shown}");
    assert!(
        shown.contains("stopping: steps that are running end"),
        "{shown}"
    );
    assert!(
        shown.contains("interrupted: the next run goes on from here"),
        "{shown}"
    );
}

fn wait(what: &str, is_true: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !is_true() {
        assert!(Instant::now() < end, "not in time: {what}");
        std::thread::yield_now();
    }
}
