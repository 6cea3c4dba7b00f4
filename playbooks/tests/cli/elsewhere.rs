//! What a host has done on another machine, and hosts that are away.

use super::case::{Case, Ended};

const HOSTS: &str = "\
[web]
w1
w2
[db]
d1
[all:vars]
ansible_connection=local
[db:vars]
where=the database
";

fn site(site: &str) -> Case {
    Case::new(&["run", "-i", "hosts", "site.yml"])
        .file("hosts", HOSTS)
        .file("site.yml", site)
}

fn log(ended: &Ended) -> Vec<String> {
    let log = std::fs::read_to_string(ended.path("log")).unwrap_or_default();
    log.lines().map(str::to_owned).collect()
}

#[test]
fn it_is_done_there_with_the_variables_of_the_host() {
    let playbook = "\
- name: sites
  hosts: w1
  gather_facts: false
  vars: {me: '{{ inventory_hostname }}'}
  tasks:
    - name: register at the database
      copy:
        dest: '{{ playbook_dir }}/{{ me }}.conf'
        content: 'i am {{ me }}, there is {{ hostvars.d1.where }}'
      delegate_to: \"{{ groups.db | first }}\"
      register: there
    - name: at home
      debug:
        msg: '{{ there.dest | basename }} {{ there is changed }}'
    - name: where nobody listed it
      local_action: command echo from here
      changed_when: false
      register: here
    - name: say so
      debug: {msg: '{{ here.stdout }}'}
";
    let wanted = "\
play sites
changed       w1 -> d1  register at the database  (the host differs)
    content: 30 bytes
says          w1  at home
    w1.conf True
says          w1  say so
    from here

host  changed  unchanged  failed  unguarded
w1          1          3       0          1

1 host: 1 changed, 3 unchanged in ";
    let ended = site(playbook).any_stdout().run();
    assert!(ended.stdout.starts_with(wanted), "{}", ended.stdout);
    let held = std::fs::read_to_string(ended.path("w1.conf")).unwrap();
    assert_eq!(held, "i am w1, there is the database");
}

#[test]
fn each_turn_of_a_loop_may_be_done_somewhere_else() {
    let playbook = "\
- hosts: w1
  gather_facts: false
  tasks:
    - name: everywhere
      shell: echo {{ item }} for {{ inventory_hostname }} >>{{ playbook_dir }}/log
      loop: \"{{ groups.web + groups.db }}\"
      delegate_to: '{{ item }}'
";
    let ended = site(playbook).any_stdout().run();
    assert_eq!(log(&ended), ["w1 for w1", "w2 for w1", "d1 for w1"]);
    for place in ["w1 -> w2 ", "w1 -> d1 "] {
        assert!(ended.stdout.contains(place), "{}", ended.stdout);
    }
}

#[test]
fn once_for_all_and_in_the_order_of_the_play() {
    let playbook = "\
- hosts: web
  gather_facts: false
  tasks:
    - shell: echo before {{ inventory_hostname }} >>{{ playbook_dir }}/log
    - shell: echo once {{ inventory_hostname }} >>{{ playbook_dir }}/log; echo token
      run_once: true
      delegate_to: d1
      register: token
    - shell: echo {{ token.stdout }} {{ inventory_hostname }} >>{{ playbook_dir }}/log
";
    let ended = site(playbook).any_stdout().run();
    let mut log = log(&ended);
    log[..2].sort();
    log[3..].sort();
    assert_eq!(
        log,
        ["before w1", "before w2", "once w1", "token w1", "token w2"]
    );
}

#[test]
fn facts_may_be_those_of_the_machine() {
    let playbook = "\
- hosts: web
  gather_facts: false
  tasks:
    - set_fact: {role: 'seen by {{ inventory_hostname }}'}
      delegate_to: d1
      delegate_facts: true
      run_once: true
    - set_fact: {role: mine}
    - debug: {msg: '{{ hostvars.d1.role }}, {{ role }}'}
";
    let ended = site(playbook).any_stdout().run();
    assert_eq!(
        ended.stdout.matches("seen by w1, mine").count(),
        2,
        "{}",
        ended.stdout
    );
}

#[test]
fn a_failure_there_ends_the_host_here() {
    let playbook = "\
- hosts: web
  gather_facts: false
  tasks:
    - name: there
      command: test {{ inventory_hostname }} != w1
      delegate_to: d1
    - name: after it
      shell: echo {{ inventory_hostname }} >>{{ playbook_dir }}/log
  handlers: []
- hosts: db
  gather_facts: false
  tasks:
    - shell: echo own >>{{ playbook_dir }}/log
";
    let ended = site(playbook).any_stdout().status(2).run();
    assert_eq!(log(&ended), ["w2", "own"], "{}", ended.stdout);
}

#[test]
fn results_may_tell_where_it_is_done() {
    let playbook = "\
- hosts: web
  gather_facts: false
  tasks:
    - {command: echo d1, register: name, changed_when: false}
    - {set_fact: {mine: '{{ inventory_hostname }}'}}
    - name: there
      shell: echo {{ where | default('at home') }} of {{ hostvars.d1.where }} >> {{ playbook_dir }}/log; echo done
      delegate_to: '{{ name.stdout }}'
      register: done
    - {debug: {msg: 'it is {{ done.stdout }}'}}
    - {name: not at all, command: 'false', delegate_to: '{{ name.stdout }}', when: name.stdout != 'd1', register: done}
    - {debug: {msg: '{{ done is skipped }}'}}
    - {name: at home, command: echo at home, delegate_to: '{{ mine }}', register: done, changed_when: false}
    - {debug: {msg: '{{ done.stdout }}'}}
    - name: by turns
      shell: echo {{ item }} >> {{ playbook_dir }}/turns
      delegate_to: '{{ item }}'
      loop: '{{ [name.stdout, inventory_hostname] }}'
      run_once: true
    - {name: nowhere, command: 'true', delegate_to: '{{ name.stdout }}x', ignore_errors: true, run_once: true}
";
    let ended = site(playbook).any_stdout().any_stderr().run();
    assert_eq!(
        log(&ended),
        ["at home of the database"; 2],
        "{}",
        ended.stdout
    );
    let turns = std::fs::read_to_string(ended.path("turns")).unwrap();
    let mut turns: Vec<&str> = turns.lines().collect();
    turns.sort_unstable();
    assert_eq!(turns, ["d1", "w1"], "{}", ended.stdout);
    let count = |text: &str| ended.stdout.matches(text).count();
    assert_eq!(count("it is done\n"), 2, "{}", ended.stdout);
    assert_eq!(count("    true\n"), 2, "{}", ended.stdout);
    assert_eq!(count("    at home\n"), 2, "{}", ended.stdout);
    assert_eq!(count("  there  "), 2, "{}", ended.stdout);
    assert!(ended.stdout.contains("w1 -> d1"), "{}", ended.stdout);
    assert!(
        ended
            .stdout
            .contains("there is no host `d1x` in the inventory"),
        "{}",
        ended.stdout
    );
    let planned = Case::new(&["plan", "-i", "hosts", "site.yml"])
        .file("hosts", HOSTS)
        .file("site.yml", playbook)
        .any_stdout()
        .any_stderr()
        .run();
    let count = planned.stdout.matches("  there  ").count();
    assert_eq!(count, 2, "{}", planned.stdout);
    assert!(!planned.stdout.contains("include"), "{}", planned.stdout);
}

#[test]
fn nobody_asks_machines_that_are_not_meant() {
    let playbook = "\
- hosts: w1
  gather_facts: false
  tasks:
    - {command: echo w1, register: name, changed_when: false}
    - {command: echo it is done, delegate_to: '{{ name.stdout }}', register: done}
    - {debug: {msg: '{{ done.stdout }}'}}
";
    let ended = Case::new(&["run", "-i", "hosts", "site.yml"])
        .file("hosts", AWAY)
        .file("site.yml", playbook)
        .any_stdout()
        .run();
    assert!(ended.stdout.contains("it is done\n"), "{}", ended.stdout);
    assert!(!ended.stdout.contains("away"), "{}", ended.stdout);
}

#[test]
fn what_another_host_finds_out_is_waited_for() {
    let playbook = "\
- hosts: web
  gather_facts: false
  tasks:
    - shell: echo of {{ inventory_hostname }}
      when: inventory_hostname == 'w1'
      changed_when: false
      register: said
    - set_fact: {me: 'fact {{ inventory_hostname }}'}
    - debug: {msg: \"{{ hostvars.w1.said.stdout }}, {{ groups.web | map('extract', hostvars, 'me') | join('+') }}\"}
      when: hostvars['w1'].said.stdout is match('of')
";
    let ended = site(playbook).any_stdout().run();
    let said = ended.stdout.matches("of w1, fact w1+fact w2\n").count();
    assert_eq!(said, 2, "{}", ended.stdout);
}

/// Nothing listens there: it is refused at once.
const AWAY: &str = "\
[web]
w1 ansible_connection=local
away ansible_host=127.0.0.1 ansible_port=1 ansible_user=nobody
";

#[test]
fn a_host_that_is_away_may_be_passed_over() {
    let playbook = "\
- name: all that are there
  hosts: web
  gather_facts: false
  ignore_unreachable: true
  tasks:
    - name: look
      command: echo it is there
      changed_when: false
      register: it
    - name: say so
      debug: {msg: \"{{ 'away' if it.unreachable | default(false) else it.stdout }}\"}
";
    let ended = Case::new(&["run", "-i", "hosts", "site.yml"])
        .file("hosts", AWAY)
        .file("site.yml", playbook)
        .any_stdout()
        .any_stderr()
        .run();
    for line in [
        "says          away  say so\n    away\n",
        "    it is there\n",
        "1 ignored",
    ] {
        assert!(ended.stdout.contains(line), "{line}: {}", ended.stdout);
    }
    let strict = playbook.replace("  ignore_unreachable: true\n", "");
    Case::new(&["run", "-i", "hosts", "site.yml"])
        .file("hosts", AWAY)
        .file("site.yml", &strict)
        .any_stdout()
        .any_stderr()
        .status(4)
        .run();
}
