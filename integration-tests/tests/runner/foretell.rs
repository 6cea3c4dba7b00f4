//! A plan foretells what a run does.

use evenkeel_integration_tests::Scratch;

const SITE: &str = "
vars:
  root: '{{ playbook_dir }}/root'
tasks:
- name: directories
  file: {path: '{{ root }}/{{ item }}', state: directory, mode: '0750'}
  loop: [one, two/three]
- name: an empty file
  file: {path: '{{ root }}/one/empty', state: touch, mode: '0600', access_time: preserve, modification_time: preserve}
- name: a link
  file: {path: '{{ root }}/link', src: one, state: link}
- name: nothing to remove
  file: {path: '{{ root }}/nothing', state: absent}
- name: text
  copy: {dest: '{{ root }}/one/text', content: \"a line\\n\", mode: '0644'}
  notify: tell
- name: a copied file
  copy: {src: data, dest: '{{ root }}/two/'}
- name: a template
  template: {src: page.j2, dest: '{{ root }}/page', mode: '0640'}
- name: a line in what was written
  lineinfile: {path: '{{ root }}/one/text', line: another line}
- name: look
  stat: {path: '{{ root }}/page'}
  register: text
- name: a condition on what was looked at
  debug: {msg: it is there}
  when: text.stat.exists
- name: it holds
  assert: {that: text.stat.exists}
- name: never
  fail: {msg: never}
  when: not text.stat.exists
- name: a fact
  set_fact: {size: '{{ text.stat.size }}'}
- name: a command
  shell: 'echo made | tee made'
  args: {chdir: '{{ root }}', creates: '{{ root }}/made'}
  register: made
- name: once
  command: touch once
  args: {chdir: '{{ root }}'}
  once: true
- name: what a command said
  copy: {dest: '{{ root }}/said', content: '{{ made.stdout }}'}
handlers:
- name: tell
  shell: echo told >> told
  args: {chdir: '{{ root }}'}
";

fn scratch() -> Scratch {
    let scratch = Scratch::new();
    scratch.tasks(SITE).file("files/data", "data\n");
    scratch.file("templates/page.j2", "a page\n");
    scratch
}

#[test]
fn a_plan_on_an_empty_machine_is_what_the_run_then_does() {
    let scratch = scratch();
    let plan = scratch.plan(&[]).ok();
    assert!(!scratch.has("root") && !scratch.has(".state"), "{plan}");
    let run = scratch.run(&[]).ok();
    plan.foretells(&run);
    assert_eq!(plan.named("unknown"), ["what a command said"], "{plan}");
    assert_eq!(run.task("what a command said").outcome(), "changed");
    assert_eq!(scratch.read("root/one/text"), "a line\nanother line\n");
    assert_eq!(scratch.read("root/said"), "made");
    assert_eq!(scratch.read("root/told"), "told\n");
    assert_eq!(plan.task("tell").reason(), "triggered");
}

#[test]
fn a_plan_of_what_is_in_its_state_foretells_nothing() {
    let scratch = Scratch::new();
    scratch.tasks("- name: text\n  copy: {dest: '{{ playbook_dir }}/text', content: text}\n");
    scratch.run(&[]).ok().changed(1);
    let before = scratch.tree("");
    scratch.plan(&["--exit-code"]).ok().changed(0).exchanges(1);
    assert_eq!(scratch.tree(""), before);
    scratch.file("text", "by hand");
    let plan = scratch.plan(&["--exit-code"]).status(3).changed(1);
    let plan = plan.reason("text", "drift");
    plan.foretells(&scratch.run(&[]).ok());
}
