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
