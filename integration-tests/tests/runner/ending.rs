//! Plays that end before their last task (`meta: end_host`, `end_batch`, `end_play`), and facts that are cleared.

use evenkeel_integration_tests::Scratch;

/// Runs these plays on three names of this machine; gives the tasks that were done, `HOST TASK`, sorted.
fn done(plays: &str) -> Vec<String> {
    let scratch = Scratch::new();
    let hosts = ["a", "b", "c"].map(|name| format!("{name} ansible_connection=local\n"));
    scratch.file("hosts", &hosts.concat());
    scratch.file("site.yml", plays);
    let plan = scratch.plan(&["-i", "hosts"]).ok();
    let ran = scratch.run(&["-i", "hosts"]).ok();
    let told = |outcome: &str, name: &str| outcome != "skipped" && !name.starts_with("meta:");
    let all = |ended: &evenkeel_integration_tests::Ended| {
        let tasks = ended
            .tasks()
            .filter(|task| told(task.outcome(), task.name()));
        let mut tasks: Vec<String> = tasks
            .map(|task| format!("{} {}", task.host(), task.name()))
            .collect();
        tasks.sort();
        tasks
    };
    assert_eq!(all(&plan), all(&ran), "{plan}{ran}");
    all(&ran)
}

const TASKS: &str = "
    - name: first
      debug: {msg: x}
    - meta: END
      when: inventory_hostname == 'a'
    - name: second
      debug: {msg: x}
    - block:
        - name: third
          debug: {msg: x}
      always:
        - name: always
          debug: {msg: x}
- hosts: all
  tasks:
    - name: next play
      debug: {msg: x}
";

fn ended_by(word: &str, head: &str) -> Vec<String> {
    let play = format!("- hosts: all\n{head}  tasks:{TASKS}");
    done(&play.replace("END", word))
}

fn of(hosts: &[&str], tasks: &[&str]) -> Vec<String> {
    let all = hosts
        .iter()
        .flat_map(|host| tasks.iter().map(move |task| format!("{host} {task}")));
    let mut all: Vec<String> = all.collect();
    all.sort();
    all
}

const ALL: [&str; 5] = ["first", "second", "third", "always", "next play"];

#[test]
fn a_host_ends_its_play() {
    let mut wanted = of(&["b", "c"], &ALL);
    wanted.extend(of(&["a"], &["first", "next play"]));
    wanted.sort();
    assert_eq!(ended_by("end_host", ""), wanted);
}

#[test]
fn all_hosts_end_the_play_if_the_first_says_so() {
    let wanted = of(&["a", "b", "c"], &["first", "next play"]);
    assert_eq!(ended_by("end_play", ""), wanted);
}

#[test]
fn of_a_batch_its_first_host_says_whether_it_ends() {
    let mut wanted = of(&["c"], &ALL);
    wanted.extend(of(&["a", "b"], &["first", "next play"]));
    wanted.sort();
    assert_eq!(ended_by("end_batch", "  serial: 2\n"), wanted);
}

#[test]
fn the_batches_after_a_play_that_has_ended_do_not_begin() {
    let mut wanted = of(&["a", "b", "c"], &["next play"]);
    wanted.extend(of(&["a", "b"], &["first"]));
    wanted.sort();
    assert_eq!(ended_by("end_play", "  serial: 2\n"), wanted);
}

#[test]
fn handlers_of_a_host_that_has_ended_its_play_have_no_turn() {
    let play = "
- hosts: all
  tasks:
    - name: changes
      command: 'true'
      notify: handler
    - meta: end_host
      when: inventory_hostname == 'b'
  handlers:
    - name: handler
      debug: {msg: x}
";
    let scratch = Scratch::new();
    scratch.file(
        "hosts",
        "a ansible_connection=local\nb ansible_connection=local\n",
    );
    scratch.file("site.yml", play);
    let ran = scratch.run(&["-i", "hosts"]).ok();
    let mut handlers: Vec<_> = ran
        .tasks()
        .filter(|task| task.name() == "handler")
        .map(|task| format!("{} {}", task.host(), task.outcome()))
        .collect();
    handlers.sort();
    assert_eq!(handlers, ["a unchanged", "b skipped"], "{ran}");
}

#[test]
fn what_ends_a_play_may_be_a_result() {
    let scratch = Scratch::new();
    scratch.tasks(
        "
- name: look
  command: echo stop
  changed_when: false
  register: look
- meta: end_play
  when: look.stdout == 'stop'
- name: not done
  copy: {dest: '{{ playbook_dir }}/not', content: x}
",
    );
    let plan = scratch.plan(&[]).ok();
    assert_eq!(plan.task("not done").outcome(), "unknown", "{plan}");
    scratch.run(&[]).ok().changed(0);
    assert!(!scratch.has("not"));
    let never = scratch.read("site.yml").replace("== 'stop'", "== 'go'");
    scratch.file("site.yml", &never);
    scratch.run(&[]).ok().changed(1);
    assert!(scratch.has("not"));
}
