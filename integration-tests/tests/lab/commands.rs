//! `command`, `shell` and what only a real kernel forbids, on a real host, over SSH with sudo.

use evenkeel_integration_tests::{Lab, need_lab};

#[test]
#[ignore = "needs root and a lab"]
fn commands_on_a_real_host() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().host("h1").boot();
    let host = lab.host("h1");
    host.sh("mkdir -p /srv/real && ln -s real /srv/by-link");
    lab.tasks(
        "
become: true
tasks:
- name: guarded
  shell: {cmd: 'pwd >made && echo $COLOUR >>made', chdir: /srv/by-link, creates: made}
  environment: {COLOUR: blue}
- name: it leaves something behind that runs on
  shell: 'nohup sleep 300 >/dev/null 2>&1 & echo $! >/srv/pid'
  args: {creates: /srv/pid}
- name: its failure is what is looked for
  command: sh -c 'echo out; echo err >&2; exit 3'
  register: looked
  changed_when: looked.rc == 4
  failed_when: looked.rc > 3
- name: what it said
  copy: {dest: /srv/said, content: '{{ looked.rc }} {{ looked.stdout }} {{ looked.stderr }}'}
",
    );
    lab.run(&[]).ok().changes_are(&[
        "guarded",
        "it leaves something behind that runs on",
        "what it said",
    ]);
    // The way it was told, as a shell keeps it.
    assert_eq!(host.sh("cat /srv/real/made"), "/srv/by-link\nblue\n");
    assert_eq!(host.sh("cat /srv/said"), "3 out err");
    assert!(host.is("kill -0 $(cat /srv/pid)"));
    lab.run(&[]).ok().changed(0);
    host.sh("kill $(cat /srv/pid)");

    lab.tasks("- name: no\n  command: sh -c 'echo out; echo err >&2; exit 3'\n");
    let no = lab.run(&[]).status(2);
    let error = &no.task("no").0["error"];
    assert_eq!(error["message"], "`sh` failed with status 3", "{no}");
    assert_eq!(
        (&error["stdout"], &error["stderr"]),
        (&"out".into(), &"err".into()),
        "{no}"
    );
    lab.tasks("- name: no\n  command: {cmd: 'true', chdir: /nowhere}\n");
    lab.run(&[]).status(2).says("/nowhere");
}

#[test]
#[ignore = "needs root and a lab"]
fn a_link_in_a_sticky_directory() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().host("h1").boot();
    let host = lab.host("h1");
    // Whose it is, the kernel does not let others follow.
    host.sh("install -d -m 1777 -o deploy /srv/sticky && touch /srv/target");
    host.sh("su oper -s /bin/sh -c 'ln -s /srv/elsewhere /srv/sticky/link'");
    lab.settles(
        "
become: true
tasks:
- name: link
  file: {path: /srv/sticky/link, src: /srv/target, state: link}
",
    );
    assert_eq!(host.sh("readlink /srv/sticky/link"), "/srv/target\n");
}
