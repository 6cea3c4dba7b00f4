//! Two controllers that are at the same hosts.

use evenkeel_integration_tests::{Lab, Running, need_lab, until};

/// Each command that runs leaves a line, and the first waits until it may go on.
const SITE: &str = "
become: true
vars:
  root: /srv/app
tasks:
- name: the directory
  file: {path: '{{ root }}', state: directory, mode: '0755'}
- name: the settings
  copy: {dest: '{{ root }}/settings', content: \"port 80\\n\", mode: '0644'}
  notify: apply
- name: a long step
  shell:
    cmd: |
      echo begun >>steps
      for i in $(seq 600); do test -e go && break; sleep 0.05; done
      echo ended >>steps
      echo made >made
    chdir: '{{ root }}'
    creates: '{{ root }}/made'
- name: after it
  lineinfile: {path: '{{ root }}/made', line: more, create: true, mode: '0644'}
  notify: apply
handlers:
- name: apply
  shell: cat settings made >applied
  args: {chdir: '{{ root }}'}
";

fn booted() -> Lab {
    let lab = Lab::plan().host("web").host("db").host("mail").boot();
    lab.tasks(SITE);
    lab
}

/// One that is in the middle of a long step on all hosts.
fn in_the_middle(lab: &Lab) -> Running {
    let running = lab.start(&[]);
    for host in lab.hosts() {
        let begun = || host.is("grep -q begun /srv/app/steps");
        until("the long step runs", begun);
    }
    running
}

/// One more, which has said on each host whom it waits for.
fn waiting(lab: &Lab) -> Running {
    let waiting = lab.start(&["--lock-wait", "300"]);
    until("it says of each host that it waits", || {
        let said = waiting.said();
        let held = said
            .lines()
            .filter(|line| line.contains("the lock of another run: "));
        held.count() == lab.hosts().len()
    });
    waiting
}

fn go(lab: &Lab) {
    for host in lab.hosts() {
        host.sh("touch /srv/app/go");
    }
}

fn whole(lab: &Lab) {
    for host in lab.hosts() {
        assert_eq!(host.sh("cat /srv/app/applied"), "port 80\nmade\nmore\n");
    }
}

#[test]
#[ignore = "needs root and a lab"]
fn a_second_controller_waits_for_the_first_and_says_for_whom() {
    if !need_lab() {
        return;
    }
    let lab = booted();
    let first = in_the_middle(&lab);
    let second = waiting(&lab);
    // Who will not wait is told who is there.
    let third = lab.run(&["--lock-wait", "0"]).status(4).says("--lock-wait");
    let me = lab.within("id").arg("-un").output().unwrap().stdout;
    let me = String::from_utf8(me).unwrap();
    for said in [&third.stdout, &second.said()] {
        assert!(said.contains("another run"), "{said}");
        assert!(said.contains(me.trim()), "{said}");
    }
    go(&lab);
    first.wait().ok().changed(15);
    second.wait().ok().changed(0);
    whole(&lab);
    for host in lab.hosts() {
        assert_eq!(host.sh("cat /srv/app/steps"), "begun\nended\n");
    }
    lab.run(&[]).ok().changed(0).exchanges(3);
}

#[test]
#[ignore = "needs root and a lab"]
fn a_second_controller_ends_what_the_first_was_killed_at() {
    if !need_lab() {
        return;
    }
    let lab = booted();
    let first = in_the_middle(&lab);
    let second = waiting(&lab);
    first.signal("KILL");
    first.wait();
    go(&lab);
    second.wait().ok();
    whole(&lab);
    lab.run(&[]).ok().changed(0).exchanges(3);
}
