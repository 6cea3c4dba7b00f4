//! One playbook over three hosts, also when the controller dies and when a link does.

use std::time::Instant;

use evenkeel_integration_tests::{Lab, Random, need_lab, until};

/// A step that takes a while, and handlers that make something of what was there before: a lost one shows in the
/// tree.
const SITE: &str = "
become: true
vars:
  root: /srv/app
tasks:
- name: directories
  file: {path: '{{ root }}/{{ item }}', state: directory, mode: '0755'}
  loop: [one, two]
- name: the settings
  copy: {dest: '{{ root }}/settings', content: \"port 80 on {{ inventory_hostname }}\\n\", mode: '0640'}
  notify: apply
- name: a long step
  shell:
    cmd: touch begun && sleep 0.4 && echo long > long
    chdir: '{{ root }}'
    creates: '{{ root }}/long'
- name: a line
  lineinfile: {path: '{{ root }}/colours', line: blue, create: true, mode: '0644'}
  notify: apply
- name: files
  copy: {dest: '{{ root }}/two/{{ item }}', content: '{{ item }}', mode: '0644', owner: deploy}
  loop: [a, b, c, d]
handlers:
- name: apply
  shell: sleep 0.1 && cat settings colours > applied
  args: {chdir: '{{ root }}'}
";

fn booted() -> Lab {
    let lab = Lab::plan().host("web").host("db").host("mail").boot();
    lab.tasks(SITE);
    lab
}

/// What is below the root on all hosts.
fn trees(lab: &Lab) -> Vec<String> {
    lab.hosts()
        .iter()
        .map(|host| host.tree("/srv/app"))
        .collect()
}

/// As if no run had ever been there.
fn emptied(lab: &Lab) {
    for host in lab.hosts() {
        host.sh("rm -rf /srv/app /var/lib/evenkeel");
    }
}

#[test]
#[ignore = "needs root and a lab"]
fn one_playbook_over_three_hosts() {
    if !need_lab() {
        return;
    }
    let lab = booted();
    lab.run(&[]).ok().changed(18);
    for host in lab.hosts() {
        let applied = host.sh("cat /srv/app/applied");
        assert_eq!(applied, format!("port 80 on {}\nblue\n", host.name()));
        let of = host.sh("stat -c '%a %U' /srv/app/settings /srv/app/two/a");
        assert_eq!(of, "640 root\n644 deploy\n");
    }
    lab.run(&[]).ok().changed(0).exchanges(3);

    lab.host("db")
        .sh("chmod 600 /srv/app/two/a && echo red >>/srv/app/settings");
    let again = lab.run(&[]).ok();
    assert_eq!(again.last()["hosts"]["db"]["changed"], 3, "{again}");
    assert_eq!(again.last()["hosts"]["web"]["changed"], 0, "{again}");
    lab.run(&[]).ok().changed(0).exchanges(3);
}

#[test]
#[ignore = "needs root and a lab"]
fn a_controller_that_was_killed_leaves_work_that_the_next_run_ends() {
    if !need_lab() {
        return;
    }
    let lab = booted();
    let begun = Instant::now();
    lab.run(&[]).ok();
    let (whole, took) = (trees(&lab), begun.elapsed());
    let mut random = Random::new();
    for _ in 0..8 {
        emptied(&lab);
        let running = lab.start(&[]);
        std::thread::sleep(took.mul_f64(random.share()));
        running.signal("KILL");
        let killed = running.wait();
        let again = lab.run(&[]).ok();
        assert_eq!(trees(&lab), whole, "\nkilled\n{killed}\nagain\n{again}");
        lab.run(&[]).ok().changed(0).exchanges(3);
    }
}

#[test]
#[ignore = "needs root and a lab"]
fn a_link_that_is_cut_for_a_while_is_survived() {
    if !need_lab() {
        return;
    }
    let lab = booted();
    let running = lab.start(&[]);
    let db = lab.host("db");
    until("the long step runs", || db.is("test -e /srv/app/begun"));
    db.cut();
    until("the step has ended meanwhile", || {
        db.is("test -e /srv/app/long")
    });
    db.mend();
    let cut = running.wait().ok().changed(18);
    for host in lab.hosts() {
        let applied = host.sh("cat /srv/app/applied");
        assert_eq!(
            applied,
            format!("port 80 on {}\nblue\n", host.name()),
            "{cut}"
        );
    }
    lab.run(&[]).ok().changed(0).exchanges(3);
}
