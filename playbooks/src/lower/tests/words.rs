//! Words of tasks that are templates: what is known before the run counts, what is not is told.

use super::*;

#[test]
fn names_of_facts_may_be_templates_of_what_is_known() {
    let known = loaded(
        "- hosts: localhost
  vars: {name_of: thing}
  tasks:
    - set_fact: {'{{ name_of }}_x': 1}
    - set_fact: {'of_{{ item }}': '{{ item }}!'}
      loop: [a, b]
    - put: {path: '{{ thing_x }} {{ of_b }}'}
",
    );
    assert_eq!(args(resolve(&known, 0, &Known::default()))["thing_x"], 1);
    let needs: Vec<u32> = known.list.tasks[2].needs.iter().map(|id| id.0).collect();
    assert_eq!(needs, [0, 1]);
    // A name that only the run tells: who reads what may be meant waits.
    let open = loaded(
        "- hosts: localhost
  tasks:
    - command: {cmd: x}
      register: r
    - set_fact: {'{{ r.stdout }}_x': 1}
    - put: {path: '{{ a_x }}'}
    - put: {path: '{{ a_y | default(0) }}'}
",
    );
    let needs: Vec<u32> = open.list.tasks[2].needs.iter().map(|id| id.0).collect();
    assert_eq!(needs, [1]);
    let needs: Vec<u32> = open.list.tasks[3].needs.iter().map(|id| id.0).collect();
    assert_eq!(needs, [0; 0]);
}

#[test]
fn keywords_that_only_the_run_tells_are_refused_and_no_log_hides_all() {
    let loaded = loaded(
        "- hosts: localhost
  vars: {hidden: never}
  tasks:
    - command: {cmd: x}
      register: r
    - put: {path: /a}
      no_log: '{{ r is changed }}'
    - put: {path: '{{ item }}'}
      loop: [/b, /c]
      no_log: '{{ item == \"/b\" }}'
    - put: {path: /d}
      tags: ['{{ hidden }}']
",
    );
    let told: Vec<(bool, bool)> = loaded
        .list
        .tasks
        .iter()
        .map(|task| (task.no_log, task.selected))
        .collect();
    assert_eq!(
        told,
        [(false, true), (true, true), (true, true), (false, false)]
    );
    let found = mistakes(
        "- hosts: localhost
  tasks:
    - put: {path: '{{ item }}'}
      loop: [/b, /c]
      ignore_errors: '{{ item == \"/b\" }}'
",
    );
    assert_eq!(
        found,
        "5:22 known_too_late this must be known before the run: it reads an item of the loop; write a value, or a \
         variable of the inventory, the play or the command line"
    );
}

#[test]
fn roles_of_a_play_are_known_by_name() {
    let dir = tempfile::tempdir().expect("a folder");
    write(
        dir.path(),
        "roles/web/meta/main.yml",
        "dependencies: [base]\n",
    );
    write(dir.path(), "roles/web/tasks/main.yml", "[]\n");
    write(dir.path(), "roles/base/tasks/main.yml", "[]\n");
    write(
        dir.path(),
        "site.yml",
        "- name: the play
  hosts: localhost
  roles: [web]
  tasks:
    - put: {path: '{{ ansible_play_name }} {{ role_names }} {{ ansible_dependent_role_names }} {{ ansible_role_names }}'}
",
    );
    let loaded = load_dir(dir.path(), |_| ()).unwrap();
    let args = args(resolve(&loaded, 0, &Known::default()));
    assert_eq!(args["path"], "the play ['web'] ['base'] ['base', 'web']");
}

#[test]
fn variables_of_loops_are_named_before_the_run() {
    let said = |control: &str| {
        let dir = tempfile::tempdir().expect("a folder");
        write(dir.path(), "hosts", "[all]\na of=one\nb of=two\n");
        write(dir.path(), "inc.yml", "- debug: {msg: '{{ who }}'}\n");
        let play = format!(
            "- hosts: all\n  vars: {{lv: who}}\n  tasks:\n  - {{command: a, register: c}}\n  - {{set_fact: {{late: who}}}}\n  - debug: {{msg: '{{{{ who }}}}'}}\n    loop: [1]\n    loop_control: {{{control}}}\n  \
             - include_tasks: inc.yml\n    loop: [1]\n    loop_control: {{{control}}}\n"
        );
        write(dir.path(), "site.yml", &play);
        load_dir(dir.path(), |_| ()).map_or_else(|found| found, |_| "loads".to_owned())
    };
    assert_eq!(
        said("loop_var: '{{ lv }}', index_var: '{{ lv }}_at'"),
        "loads"
    );
    let late = "what a loop's variable is called must be known before the run: ";
    for (control, wrong) in [
        ("loop_var: '{{ c.stdout }}'", "`c.stdout`"),
        ("loop_var: who, index_var: '{{ late }}'", "`late`"),
    ] {
        let found = said(control);
        let lines: Vec<&str> = found.lines().collect();
        assert_eq!(lines.len(), 2, "{found}");
        let wanted = format!("known_too_late {late}{wrong} is not; write the name");
        assert!(lines.iter().all(|line| line.contains(&wanted)), "{found}");
    }
    let found = said("loop_var: '{{ of }}'");
    assert!(
        found.contains("unsupported a loop's variable has another name on each host"),
        "{found}"
    );
    let found = said("loop_var: '{{ lv }}-'");
    assert!(
        found.contains("bad_name `who-` cannot be the name of a variable"),
        "{found}"
    );
    let found = said("loop_var: 'w-'");
    assert!(found.contains("bad_name `w-`"), "{found}");
}
