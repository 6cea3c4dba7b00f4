//! Words of control: `module_defaults`, loops. Where Ansible is there, it makes the same of the same playbook.

use std::process::Stdio;

use evenkeel_integration_tests::{Ended, Scratch, need_ansible};

/// Runs tasks that write into `out`, and compares with what Ansible makes of them, if it is there.
fn both(tasks: &str, out: &str) -> Ended {
    with_files(tasks, &[], out)
}

/// The same with files beside the playbook.
fn with_files(tasks: &str, files: &[(&str, &str)], out: &str) -> Ended {
    let place = || {
        let scratch = Scratch::new();
        scratch.tasks(tasks);
        for (name, text) in files {
            scratch.file(name, text);
        }
        scratch
    };
    let ours = place();
    let ended = ours.run(&[]);
    assert_eq!(ours.read("out"), out, "{ended}");
    if need_ansible() {
        let theirs = place();
        let mut ansible = theirs.within("ansible-playbook");
        ansible.args(["-i", "localhost,", "-c", "local", "site.yml"]);
        // By the Python that it runs with itself.
        let python = "ansible_python_interpreter={{ ansible_playbook_python }}";
        ansible.args(["-e", python]);
        ansible
            .current_dir(theirs.path(""))
            .env("ANSIBLE_LOCAL_TEMP", theirs.path(".tmp"))
            .env("ANSIBLE_REMOTE_TEMP", theirs.path(".tmp"))
            .env("LC_ALL", "C.UTF-8");
        let ran = ansible.stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert!(theirs.has("out"), "{said}");
        assert_eq!(theirs.read("out"), out, "Ansible\n{said}");
    }
    ended
}

#[test]
fn defaults_of_modules_are_those_of_the_nearest() {
    both(
        "
vars: {who: '{{ item | default(0) }}'}
module_defaults:
  ansible.builtin.shell: {chdir: '{{ playbook_dir }}/a', stdin: of the play}
tasks:
- file: {path: '{{ playbook_dir }}/{{ item }}', state: directory}
  loop: [a, b, 1, 2]
- shell: (basename $PWD; cat) >> ../out
- shell: (basename $PWD; cat) >> ../out
  args: {chdir: '{{ playbook_dir }}/b'}
- module_defaults:
    shell: {chdir: '{{ playbook_dir }}/b'}
  block:
  - shell: (basename $PWD; cat) >> ../out
  - ansible.builtin.shell:
      cmd: (basename $PWD; cat) >> ../out
      stdin: of the task
  - shell: basename $PWD >> ../out
    loop: [1, 2]
    module_defaults: {shell: {chdir: '{{ playbook_dir }}/{{ who }}'}}
",
        "a\nof the play\nb\nof the play\nb\nb\nof the task\n1\n2\n",
    )
    .ok();
}

#[test]
fn a_default_that_its_module_has_not_is_refused_where_it_stands() {
    let scratch = Scratch::new();
    scratch.tasks(
        "
module_defaults:
  file: {pth: /x}
tasks:
- debug: {msg: x}
- module_defaults: {file: {state: '{{ there_is_none }}'}}
  block:
  - file: {path: /nowhere/x}
",
    );
    scratch
        .run(&[])
        .status(5)
        .says("`pth`")
        .says("site.yml:5:12")
        .says("did you mean `path`?")
        .says("`there_is_none`")
        .says("site.yml:8:43");
}
