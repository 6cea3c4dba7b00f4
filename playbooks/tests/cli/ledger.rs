//! What runs leave behind on a host.

use super::case::Case;

const SITE: &str = "\
- name: set up
  hosts: localhost
  gather_facts: false
  tasks:
    - name: note the time
      id: note
      shell: date > '{{ playbook_dir }}/note'
      once: true
";

/// What differs from machine to machine and from run to run, by words.
fn normal(text: &str, dir: &std::path::Path) -> String {
    let mut text = text.replace(dir.to_str().unwrap(), "[DIR]");
    let folder = dir.file_name().unwrap().to_str().unwrap();
    text = text.replace(folder, "[PROJECT]");
    for (pattern, word) in [
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "[TIME]"),
        (r"(?m)^machine \S+$", "machine [MACHINE]"),
        (
            r"  [0-9a-f]{16} of (\S+) by \S+ on \S+",
            "  [RUN] of $1 by [USER] on [HOST]",
        ),
    ] {
        let pattern = regex::Regex::new(pattern).unwrap();
        text = pattern.replace_all(&text, word).into_owned();
    }
    text
}

#[test]
fn all_of_a_ledger_is_shown() {
    let site = "\
- hosts: localhost
  gather_facts: false
  tasks:
    - name: make a directory
      file: {path: '{{ playbook_dir }}/made', state: directory}
      notify: tell
    - name: look
      id: look
      command: ls '{{ playbook_dir }}/made'
      changed_when: false
    - name: break
      command: 'false'
  handlers:
    - name: tell
      command: echo
";
    let ended = Case::new(&["run", "site.yml"])
        .file("site.yml", site)
        .any_stdout()
        .status(2)
        .run();
    let ended = ended
        .then(&["ledger", "show", "localhost"])
        .any_stdout()
        .run();
    let shown = normal(&ended.stdout, ended.path("x").parent().unwrap());
    let wanted = "\
machine [MACHINE]

project [PROJECT], host localhost
  failed       command false  (break)  [TIME]
  changed      file [DIR]/made  (make a directory)  [TIME]  owes handler:tell
  unchanged    look  [TIME]

runs
  [TIME]  [RUN] of [PROJECT] by [USER] on [HOST]
";
    assert_eq!(shown, wanted);
}

#[test]
fn what_was_recorded_is_shown_and_forgotten() {
    let nothing = "no run has recorded anything here\n";
    let case = Case::new(&["ledger", "show", "localhost"]).file("site.yml", SITE);
    let ended = case.stdout(nothing).run();
    let ended = ended.then(&["run", "site.yml"]).any_stdout().run();
    let ended = ended
        .then(&["ledger", "show", "localhost"])
        .any_stdout()
        .run();
    let shown = ended.stdout.clone();
    assert!(
        shown.contains("\n  changed      note  (note the time)  2"),
        "{shown}"
    );
    let stderr = "error: the ledger of `localhost` knows no task `not`\n\
                  help: `evenkeel ledger show` lists them; `--become` means the ledger that root \
                  keeps\n";
    let wrong = ended.then(&["ledger", "forget", "localhost", "not"]);
    let ended = wrong.stderr(stderr).status(5).run();
    let ended = ended.then(&["run", "site.yml"]).any_stdout().run();
    assert!(
        ended.stdout.contains("1 host: 0 changed, 1 assumed in"),
        "{}",
        ended.stdout
    );
    let forget = ended.then(&["ledger", "forget", "localhost", "note"]);
    let ended = forget.stdout("1 task forgotten\n").run();
    let ended = ended.then(&["run", "site.yml"]).any_stdout().run();
    assert!(
        ended.stdout.contains("1 host: 1 changed in"),
        "{}",
        ended.stdout
    );
}
