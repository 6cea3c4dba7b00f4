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
    for reads in [
        "copy: {src: '{{ playbook_dir }}/b', dest: '{{ playbook_dir }}/c'}",
        "include_vars: '{{ playbook_dir }}/b.yml'",
    ] {
        let scratch = Scratch::new();
        let makes = "copy: {content: a, dest: '{{ playbook_dir }}/a'}";
        scratch.tasks(&format!("\n- {makes}\n- {reads}\n"));
        scratch.run(&[]).status(5).says("there is no file");
        assert!(!scratch.has("a"), "{reads}");
    }
}

const VARIABLES: &str = "
- name: files of variables that the run makes
  hosts: localhost
  vars: {known: inventory, b: 1}
  tasks:
  - file: {path: '{{ playbook_dir }}/made/sub', state: directory}
  - copy: {dest: '{{ playbook_dir }}/made/a.yml', content: \"of_it: {{ said }}\\nother: '{{ '{{' }} of_it {{ '}}' }}!'\\n\"}
  - include_vars: made/a.yml
  - debug: {msg: '= {{ of_it }} {{ other }} {{ known }}'}
  - copy: {dest: '{{ playbook_dir }}/made/a.yml', content: \"of_it: two\\nabout: '{{ '{{' }} known {{ '}}' }}'\\n\"}
  - include_vars: {file: '{{ playbook_dir }}/made/a.yml', name: under}
    register: got
  - debug: {msg: \"= {{ under }} {{ got.ansible_included_var_files | map('basename') | list }} {{ got.ansible_facts }}\"}
  - include_vars: made/a.yml
  - debug: {msg: '= {{ of_it }} {{ about }}'}
  - tempfile: {suffix: .yml}
    register: t
  - copy: {dest: '{{ t.path }}', content: \"of_temp: '{{ '{{' }} b + 1 {{ '}}' }}'\\nknown: file\\n\"}
  - include_vars: '{{ t.path }}'
  - debug: {msg: '= {{ of_temp }} {{ known }}'}
  - include_vars: {file: '{{ t.path }}', name: 'of_{{ t.path | basename | length > 0 }}'}
  - debug: {msg: '= {{ of_True }}'}
  - file: {path: '{{ t.path }}', state: absent}
  - copy: {dest: '{{ playbook_dir }}/made/sub/x.yml', content: \"of_dir: 3\\n\"}
  - copy: {dest: '{{ playbook_dir }}/made/sub/y.yml', content: \"of_dir: 4\\nlast: yes\\n\"}
  - include_vars: {dir: '{{ playbook_dir }}/made/sub'}
  - debug: {msg: '= {{ of_dir }} {{ last }}'}
  - find: {paths: '{{ playbook_dir }}/made', patterns: '*.yml', recurse: true}
    register: found
  - include_vars: '{{ item.path }}'
    loop: \"{{ found.files | sort(attribute='path') }}\"
  - debug: {msg: '= {{ of_dir }} {{ last }} {{ of_it }}'}
  - command: echo {{ playbook_dir }}/made/sub
    register: d
    changed_when: false
  - include_vars: {dir: '{{ d.stdout }}', name: whole}
  - debug: {msg: '= {{ whole }}'}
  - include_tasks: {file: \"{{ 'inc' if whole.of_dir == 4 else 'none' }}.yml\"}
  - include_vars: '{{ playbook_dir }}/made/sub/none.yml'
    ignore_errors: true
  - debug: {msg: '= end {{ known }}'}
";

#[test]
fn files_of_variables_that_the_run_makes() {
    let scratch = Scratch::new();
    scratch.file("site.yml", VARIABLES);
    scratch.file("inc.yml", "- debug: {msg: '= inc {{ last }}'}\n");
    // What is there from the run before does not count; both tools find the same.
    for said in ["one", "three"] {
        let said = format!("said={said}");
        let args = ["-i", "localhost,", "-e", &said];
        assert_eq!(super::beside::same(&scratch, &args), 10);
    }
    scratch
        .plan(&["-i", "localhost,", "-c", "local", "-e", "said=four"])
        .ok();
}
