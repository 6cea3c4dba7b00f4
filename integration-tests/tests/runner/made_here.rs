//! Files of this machine that the run itself makes, read by later tasks.

use evenkeel_integration_tests::Scratch;

const SITE: &str = "
- hosts: localhost
  gather_facts: false
  tasks:
  - name: a file
    copy: {content: '{{ said }}', dest: '{{ playbook_dir }}/made/a'}
  - name: of a command
    command: cp made/a made/b
    args: {chdir: '{{ playbook_dir }}'}
    changed_when: false
  - name: look it up
    copy: {content: \"{{ lookup('file', playbook_dir ~ '/made/a') }}!\", dest: '{{ playbook_dir }}/looked'}
  - name: copied
    copy: {src: '{{ playbook_dir }}/made/b', dest: '{{ playbook_dir }}/copied'}
  - name: a template
    template: {src: made/t.j2, dest: '{{ playbook_dir }}/rendered'}
  - name: fetched
    fetch: {src: '{{ playbook_dir }}/looked', dest: made/, flat: true}
  - name: and copied
    copy: {src: made/looked, dest: '{{ playbook_dir }}/back'}
  - name: what fits
    copy: {src: '{{ item }}', dest: '{{ playbook_dir }}/fits-'}
    with_fileglob: ['made/*.x']
";

#[test]
fn what_the_run_makes_is_read_when_it_is_made() {
    let scratch = Scratch::new();
    scratch.file("site.yml", SITE);
    scratch.file("made/t.j2", "{{ said }}\n");
    scratch.run(&["-e", "said=one"]).ok();
    for (name, holds) in [
        ("looked", "one!"),
        ("copied", "one"),
        ("rendered", "one\n"),
        ("back", "one!"),
    ] {
        assert_eq!(scratch.read(name), holds, "{name}");
    }
    scratch.run(&["-e", "said=one"]).ok().changed(0);
    // What was there is not what is there.
    scratch.run(&["-e", "said=two"]).ok();
    for (name, holds) in [
        ("looked", "two!"),
        ("copied", "two"),
        ("rendered", "two\n"),
        ("back", "two!"),
    ] {
        assert_eq!(scratch.read(name), holds, "{name}");
    }
}

#[test]
fn a_plan_knows_that_it_cannot_know() {
    let scratch = Scratch::new();
    scratch.file("site.yml", SITE);
    scratch.file("made/t.j2", "{{ said }}\n");
    scratch.plan(&["-e", "said=one"]).ok();
    assert!(!scratch.has("looked"));
}

#[test]
fn what_nobody_makes_is_missed_before_the_run() {
    let scratch = Scratch::new();
    scratch.file(
        "site.yml",
        "
- hosts: localhost
  gather_facts: false
  tasks:
  - copy: {content: a, dest: '{{ playbook_dir }}/a'}
  - copy: {src: '{{ playbook_dir }}/b', dest: '{{ playbook_dir }}/c'}
",
    );
    scratch.run(&[]).status(5).says("there is no file");
    assert!(!scratch.has("a"));
}
