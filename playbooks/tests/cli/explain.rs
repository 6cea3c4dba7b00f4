//! What `explain` says of a task: whether it would run, why, and what it waits for.

use super::case::Case;

const SITE: &str = "\
- name: set up
  hosts: localhost
  gather_facts: false
  tasks:
    - name: make a directory
      file:
        path: '{{ playbook_dir }}/made'
        state: directory
        mode: '0750'
    - name: write a note
      id: note
      copy:
        content: |
          hello
        dest: '{{ playbook_dir }}/made/note'
        mode: '0640'
      notify: tell
    - name: look
      command: cat '{{ playbook_dir }}/made/note'
      changed_when: false
  handlers:
    - name: tell
      command: echo
";

#[test]
fn a_task_before_and_after_a_run() {
    let look = "\
localhost  look  (command, site.yml:18:7)
  would run, and change nothing: nothing says when it need not run; does: run `cat '[DIR]/made/note'`
  after `make a directory`: may touch everything
  after `write a note`: may touch everything
";
    let handler = "\
localhost  tell  (command, site.yml:22:7)
  would run: triggered by `write a note`; changes: run `echo`
  after `write a note`: `triggered_by` or `notify`
  after `look`: may touch everything
";
    let quiet = "no task has anything to say: handlers that nobody notifies stay silent\n";
    let explain = |task| ["explain", "site.yml", "--task", task];
    let ended = Case::new(&explain("look"))
        .file("site.yml", SITE)
        .stdout(look)
        .run();
    let ended = ended.then(&explain("tell")).stdout(handler).run();
    let ended = ended.then(&explain("note")).any_stdout().run();
    let first = "\
localhost  write a note  (copy, site.yml:10:7)
  would run: the host differs; changes: content
  after `make a directory`: both touch `";
    assert!(ended.stdout.starts_with(first), "{}", ended.stdout);
    let ended = ended.then(&["run", "site.yml"]).any_stdout().run();
    let ended = ended.then(&explain("note")).any_stdout().run();
    let second = "\
localhost  write a note  (copy, site.yml:10:7)
  would change nothing: in its state
  after `make a directory`: both touch `";
    assert!(ended.stdout.starts_with(second), "{}", ended.stdout);
    assert_eq!(ended.stdout.lines().count(), 3, "{}", ended.stdout);
    let ended = ended.then(&explain("tell")).stdout(quiet).run();
    let wrong = "error: no task has the name or id `tel`\nhelp: did you mean `tell`?\n";
    ended.then(&explain("tel")).stderr(wrong).status(5).run();
}
