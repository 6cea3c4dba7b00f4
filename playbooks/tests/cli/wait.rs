//! What only waits changes nothing, and says so.

use super::case::Case;

const SITE: &str = "\
- name: settle
  hosts: localhost
  gather_facts: false
  tasks:
    - name: what takes a while
      shell:
        cmd: touch begun; (sleep 1; echo ready 7 >log) >/dev/null 2>&1 &
        chdir: '{{ playbook_dir }}'
        creates: '{{ playbook_dir }}/begun'
    - name: it is ready
      wait_for:
        path: '{{ playbook_dir }}/log'
        search_regex: ready (\\d+)
        timeout: 60
      register: ready
    - name: say so
      debug:
        msg: '{{ ready.match_groups }} {{ ready.changed }}'
";

#[test]
fn a_wait_is_unchanged_and_the_next_run_does_not_wait() {
    let first = "\
play settle
changed       localhost  what takes a while  (its `creates` says so)
    run `touch begun; (sleep 1; echo ready 7 >log) >/dev/null 2>&1 &`
says          localhost  say so
    ['7'] False

host       changed  unchanged  failed
localhost        1          2       0

1 host: 1 changed, 2 unchanged in [TIME], 3 exchanges
";
    let second = "\
play settle
says          localhost  say so
    ['7'] False

host       changed  unchanged  failed
localhost        0          3       0

1 host: 0 changed, 3 unchanged in [TIME], 1 exchange
";
    let check = "\
play settle
would change  localhost  what takes a while  (its `creates` says so)
    run `touch begun; (sleep 1; echo ready 7 >log) >/dev/null 2>&1 &`
unknown       localhost  it is ready  (what it waits for was not there yet)
    wait for a line like `ready (\\d+)` in `[DIR]/log`
unknown       localhost  say so  (not known yet: what is waited for)

host       would change  unchanged  unknown  failed
localhost             1          0        2       0

1 host: 1 would change, 2 unknown in [TIME], 1 exchange
nothing was changed: this was a check
";
    let ended = Case::new(&["run", "--check", "site.yml"])
        .file("site.yml", SITE)
        .stdout(check)
        .run();
    let ended = ended.then(&["run", "site.yml"]).stdout(first).run();
    ended.then(&["run", "site.yml"]).stdout(second).run();
}

#[test]
fn a_wait_in_vain_fails_in_its_own_words() {
    let site = "\
- hosts: localhost
  gather_facts: false
  tasks:
    - name: never
      wait_for: {path: '{{ playbook_dir }}/no', timeout: 0, msg: the application did not start}
    - name: not reached
      debug: {msg: no}
";
    let wanted = "\
play localhost
failed        localhost  never
    error: the application did not start
    at: site.yml:4:7
blocked       localhost  1 task did not run, because `never` failed

host       changed  unchanged  failed  blocked
localhost        0          0       1        1

1 host: 0 changed, 1 failed, 1 blocked in [TIME], 4 exchanges
";
    Case::new(&["run", "site.yml"])
        .file("site.yml", site)
        .stdout(wanted)
        .status(2)
        .run();
}
