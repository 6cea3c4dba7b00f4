//! Handlers: blocks and includes among them, how they are called, in which order they run. Where Ansible is there, it
//! makes the same of the same playbook.

use evenkeel_integration_tests::Scratch;

use super::control::with_files;

/// A playbook whose commands run beside it.
fn here(text: &str) -> String {
    format!("module_defaults: {{shell: {{chdir: '{{{{ playbook_dir }}}}'}}}}\n{text}")
}

#[test]
fn an_include_among_handlers_is_called_by_its_own_name() {
    with_files(
        &here(
            "
post_tasks:
- shell: echo t2 >> out
  notify: inc 4
tasks:
- shell: echo t1 >> out
  notify: [inc, topic, x of an import]
handlers:
- {name: other, shell: echo first listed >> out, listen: topic}
- {name: inc, include_tasks: h.yml}
- {name: inc2, include_tasks: h2.yml, listen: topic, when: inventory_hostname == 'localhost'}
- {name: inc3, include_tasks: h.yml}
- {name: 'inc {{ 4 }}', include_tasks: h.yml}
- {name: inc5, import_tasks: i.yml}
",
        ),
        &[
            ("h.yml", "- {name: x, shell: echo h x >> out}\n- shell: echo h y >> out\n"),
            ("h2.yml", "- shell: echo h2 >> out\n- include_tasks: h.yml\n"),
            ("i.yml", "- {name: x of an import, shell: echo i x >> out}\n- {name: y, shell: echo i y >> out}\n"),
        ],
        "t1\nfirst listed\nh x\nh y\nh2\nh x\nh y\ni x\nt2\nh x\nh y\n",
    )
    .ok();
}

#[test]
fn each_task_of_a_block_among_handlers_is_one() {
    with_files(
        &here(
            "
tasks:
- shell: echo t1 >> out
  notify: [in block, nothing]
handlers:
- vars: {v: 7}
  when: v == 7
  block:
  - {name: in block, shell: 'echo in block {{ v }} >> out', notify: after}
  - {name: never, shell: echo never >> out}
  - {name: in block too, shell: echo in block too >> out, listen: in block}
  always:
  - {name: in always, shell: echo always >> out, listen: in block}
- {name: nothing, meta: noop}
- {name: after, shell: echo after >> out}
- {shell: echo one >> out, listen: in block}
- {shell: echo two >> out, listen: in block}
",
        ),
        &[],
        "t1\nin block 7\nin block too\nafter\none\ntwo\n",
    )
    .ok();
}

#[test]
fn handlers_notify_handlers_and_those_before_them_at_the_next_flush() {
    with_files(
        &here(
            "
vars: {svc: a}
post_tasks:
- shell: echo t2 >> out
- meta: flush_handlers
- shell: echo t3 >> out
  notify: '{{ [\"restart \" ~ svc, \"restart b\"] }}'
tasks:
- shell: echo t1 >> out
  notify: h2
handlers:
- {name: h1, shell: echo h1 >> out}
- {name: h2, shell: echo h2 >> out, notify: [h1, h3]}
- {name: h3, shell: echo h3 >> out, notify: h4}
- {name: h4, shell: echo h4 >> out, notify: h4}
- {name: 'restart {{ svc }}', shell: 'echo restart {{ svc }} >> out'}
- {name: restart b, shell: echo restart b >> out}
",
        ),
        &[],
        "t1\nh2\nh3\nh4\nt2\nh1\nh4\nt3\nh4\nrestart a\nrestart b\n",
    )
    .ok();
}

#[test]
fn a_flush_that_is_not_come_to_leaves_what_was_notified() {
    with_files(
        &here(
            "
tasks:
- block:
  - shell: echo t1 >> out
    notify: h1
  - meta: flush_handlers
  - shell: echo t2 >> out
    notify: h1
  - fail: {msg: x}
  - meta: flush_handlers
  rescue:
  - shell: echo rescue >> out
    notify: h2
  always:
  - meta: flush_handlers
  - shell: echo always >> out
- meta: flush_handlers
- shell: echo end >> out
  notify: h1
handlers:
- {name: h1, shell: echo h1 >> out}
- {name: h2, shell: echo h2 >> out}
",
        ),
        &[],
        "t1\nh1\nt2\nrescue\nh1\nh2\nalways\nend\nh1\n",
    )
    .ok();
}

#[test]
fn a_role_ends_for_its_host() {
    let ended = with_files(
        &here(
            "
roles: [ra]
tasks:
- include_role: {name: ra, tasks_from: two}
- shell: echo end >> out
",
        ),
        &[
            (
                "roles/ra/tasks/main.yml",
                "- {shell: echo a1 >> out, notify: hh}\n- {meta: end_role, when: x is defined}\n\
                 - shell: echo a2 >> out\n- include_tasks: inner.yml\n- meta: flush_handlers\n\
                 - {name: ended, shell: echo a3 >> out}\n",
            ),
            (
                "roles/ra/tasks/inner.yml",
                "- shell: echo i1 >> out\n- meta: end_role\n- shell: echo i2 >> out\n",
            ),
            (
                "roles/ra/tasks/two.yml",
                "- block:\n  - shell: echo w1 >> out\n  - meta: end_role\n  - shell: echo w2 >> out\n  always:\n\
                 \x20 - shell: echo always >> out\n",
            ),
            ("roles/ra/handlers/main.yml", "- {name: hh, shell: echo hh >> out}\n"),
        ],
        "a1\na2\ni1\nw1\nend\nhh\n",
    )
    .ok();
    assert_eq!(ended.count("failed"), 0);
}

#[test]
fn what_is_no_handler_is_refused_where_it_stands() {
    let scratch = Scratch::new();
    scratch.tasks(
        "
tasks:
- meta: end_role
handlers:
- {name: a, include_role: {name: r}}
- {name: b, meta: flush_handlers}
",
    );
    scratch
        .run(&[])
        .status(5)
        .says("`include_role` is no handler")
        .says("`meta: flush_handlers` is no handler");
    scratch.tasks("- meta: end_role\n");
    scratch
        .run(&[])
        .status(5)
        .says("`meta: end_role` stands outside of a role");
}

#[test]
fn a_task_is_done_here_for_a_host_that_need_not_be_there() {
    let scratch = Scratch::new();
    scratch.file("hosts", "far ansible_host=127.0.0.9\n");
    scratch.file(
        "site.yml",
        "
- hosts: far
  gather_facts: false
  tasks:
  - block:
    - shell: echo for {{ inventory_hostname }} {{ item }} >> {{ playbook_dir }}/out
      loop: [1, 2]
      register: r
    connection: local
  - shell: echo {{ r.results | length }} >> {{ playbook_dir }}/out
    connection: local
",
    );
    scratch.run(&["-i", "hosts"]).ok();
    assert_eq!(scratch.read("out"), "for far 1\nfor far 2\n2\n");
    scratch.file(
        "site.yml",
        "- {hosts: far, tasks: [{connection: docker, debug: {msg: x}}]}\n",
    );
    scratch
        .run(&["-i", "hosts"])
        .status(5)
        .says("`connection: docker` is not supported on a task");
}

#[test]
fn whom_a_task_notifies_may_be_told_by_items_results_and_variables() {
    with_files(
        &here(
            "
vars: {both: [restart b, topic x], of: {web: [restart a, restart c]}}
tasks:
- shell: echo {{ item }} >> out
  loop: [a, b]
  notify: restart {{ item }}
- meta: flush_handlers
- shell: echo {{ item.name }} >> out
  loop: [{name: two, calls: [restart a, restart c]}, {name: one, calls: restart b}, {name: skipped, calls: nobody}]
  when: item.name != 'skipped'
  notify: '{{ item.calls }}'
- meta: flush_handlers
- shell: echo restart c
  register: who
- shell: echo by result >> out
  notify: ['{{ who.stdout }}', restart a]
- meta: flush_handlers
- shell: echo by variable >> out
  notify: '{{ both }}'
- meta: flush_handlers
- set_fact: {late: '{{ of.web if who is changed else [] }}'}
- shell: echo by fact >> out
  notify: '{{ late }}'
- shell: echo nobody >> out
  notify: '{{ omit }}'
handlers:
- {name: restart a, shell: echo A >> out}
- {name: restart b, shell: echo B >> out}
- {name: restart c, shell: echo C >> out, listen: topic x}
",
        ),
        &[],
        "a\nb\nA\nB\ntwo\none\nA\nB\nC\nby result\nA\nC\nby variable\nB\nC\nby fact\nnobody\nA\nC\n",
    )
    .ok();
}

/// Ansible lets each item notify as soon as one has changed.
#[test]
fn only_items_that_changed_notify() {
    let scratch = Scratch::new();
    scratch.tasks(&here(
        "
tasks:
- shell: echo {{ item }} >> out
  loop: [a, b, c]
  changed_when: item == 'b'
  notify: restart {{ item }}
handlers:
- {name: restart a, shell: echo A >> out}
- {name: restart b, shell: echo B >> out}
- {name: restart c, shell: echo C >> out}
",
    ));
    let ended = scratch.run(&[]);
    assert_eq!(scratch.read("out"), "a\nb\nc\nB\n", "{ended}");
    ended.ok();
}

#[test]
fn a_handler_that_turns_out_not_to_exist_is_a_failure() {
    let scratch = Scratch::new();
    let tasks = |notify: &str| {
        here(&format!(
            "
tasks:
- shell: echo restart d
  register: who
- shell: echo done >> out
  loop: [b]
  notify: {notify}
handlers:
- {{name: restart a, shell: echo A >> out}}
"
        ))
    };
    scratch.tasks(&tasks("'{{ who.stdout }}'"));
    let ended = scratch.run(&[]);
    ended
        .status(2)
        .says("this play has no handler `restart d` (site.yml:10:15)")
        .says("did you mean `restart a`?");
    // What items are is known before.
    scratch.tasks(&tasks("restart {{ item }}"));
    scratch
        .run(&[])
        .status(5)
        .says("site.yml:10:15")
        .says("this play has no handler `restart b`");
}
