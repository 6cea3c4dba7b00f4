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
    scripts(&lab);
}

/// Scripts of this machine: they come, run as who the task says, and nothing of them stays.
fn scripts(lab: &Lab) {
    let host = lab.host("h1");
    // As big as one that carries an archive behind its last line.
    let tail = "# filler\n".repeat(200_000);
    lab.file("files/it's.sh", &format!("#!/bin/sh\nid -un\npwd\nprintf '<%s>' \"$@\"\nls -l \"$0\" | cut -c 1-10\ntouch ran\nexit 0\n{tail}"));
    lab.file("files/plain.txt", "print 40 + 2\n");
    lab.file("files/broken.sh", "#!/no/such/shell\n");
    lab.file(
        "files/fails.sh",
        "#!/bin/sh\necho out; echo err >&2; exit 3\n",
    );
    host.sh("mkdir -p /srv/scripts; chmod 777 /srv/scripts");
    let before = host.sh("ls -A /tmp");
    lab.tasks(
        "
tasks:
- name: words
  script: \"\\\"it's.sh\\\" 'a b' $HOME {{ inventory_hostname }} creates=ran chdir=/srv/scripts 2>err\"
  register: words
- name: by another
  script: {cmd: plain.txt, executable: perl -ne 'eval'}
  register: by
  become: true
- name: what they said
  copy: {dest: /srv/scripts/said, content: '{{ words.stdout_lines | join(\" \") }}; {{ by.stdout }}'}
",
    );
    let plan = lab.plan(&[]).ok();
    assert_eq!(plan.task("words").outcome(), "changed", "{plan}");
    assert!(!host.is("test -e /srv/scripts/ran"));
    lab.run(&[]).ok();
    let said = host.sh("cat /srv/scripts/said");
    assert_eq!(
        said,
        "deploy /srv/scripts <a b></home/deploy><h1>-rwx------; 42"
    );
    assert_eq!(host.sh("ls -A /tmp"), before);
    assert!(host.is("test -e /srv/scripts/err"));
    let again = lab.run(&[]).ok();
    assert_eq!(again.task("words").outcome(), "unchanged", "{again}");

    let fails = |script: &str, message: &str| {
        lab.tasks(&format!("- name: it\n  script: {script}\n"));
        let ran = lab.run(&[]);
        assert_eq!(
            ran.task("it").0["error"]["message"].as_str(),
            Some(message),
            "{ran}"
        );
    };
    fails("fails.sh", "`sh` failed with status 3");
    fails(
        "broken.sh",
        "what the script is run by, or calls, is not on this host",
    );
    fails(
        "plain.txt",
        "what the script is run by, or calls, is not on this host",
    );
    lab.tasks("- name: it\n  script: nowhere.sh x\n");
    lab.run(&[]).status(5).says("nowhere.sh");
    assert_eq!(host.sh("ls -A /tmp"), before);
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
