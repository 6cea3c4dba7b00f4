use proptest::prelude::*;

use super::*;
use crate::{
    ast::{Commands, LoopKind, MetaAction, OrTemplate, Strategy, Task},
    diagnostic::{Colour, render_all},
};

const MODULES: [&str; 8] = [
    "ansible.builtin.shell",
    "command",
    "copy",
    "debug",
    "file",
    "set_fact",
    "shell",
    "template",
];

fn read(text: &str) -> (Files, Playbook) {
    let mut files = Files::new();
    let file = files.add("site.yml", text);
    let (playbook, out) = read_playbook(&files, file, &MODULES);
    assert_eq!(render_all(&out, &files, Colour::Never), "");
    (files, playbook.unwrap())
}

/// The only task of a play.
fn task(text: &str) -> (Files, Task) {
    let indented = text.replace('\n', "\n      ");
    let (files, mut playbook) = read(&format!("- hosts: all\n  tasks:\n    - {indented}\n"));
    match playbook.plays[0].tasks.remove(0) {
        Item::Task(task) => (files, (*task).clone()),
        other => panic!("{other:?}"),
    }
}

fn args(text: &str) -> String {
    task(text).1.args.to_value().to_json().to_string()
}

#[test]
fn arguments_in_every_form() {
    for (text, wanted) in [
        (
            "file: {path: /x, mode: 0644}",
            r#"{"path":"/x","mode":"0644"}"#,
        ),
        (
            "file: path=/x state=directory mode=755",
            r#"{"path":"/x","state":"directory","mode":"755"}"#,
        ),
        (
            "ansible.builtin.copy: content='a b' dest=\"{{ home }}/x y\"",
            r#"{"content":"a b","dest":"{{ home }}/x y"}"#,
        ),
        ("action: file path=/x", r#"{"path":"/x"}"#),
        ("action: {module: file, path: /x}", r#"{"path":"/x"}"#),
        (
            "file: path=/x\nargs: {state: absent}",
            r#"{"path":"/x","state":"absent"}"#,
        ),
        (
            "command: echo a=b  c creates=/x chdir=/tmp",
            r#"{"cmd":"echo a=b  c","creates":"/x","chdir":"/tmp"}"#,
        ),
        (
            "shell: echo {{ x | default('creates=no') }}",
            r#"{"cmd":"echo {{ x | default('creates=no') }}"}"#,
        ),
        ("shell: |\n  a\n    b\n  c", r#"{"cmd":"a\n  b\nc"}"#),
        (
            "ansible.builtin.shell: echo $x > /y",
            r#"{"cmd":"echo $x > /y"}"#,
        ),
        (
            "ansible.legacy.command: /bin/false",
            r#"{"cmd":"/bin/false"}"#,
        ),
        ("command: {argv: [a, b]}", r#"{"argv":["a","b"]}"#),
        ("command:\nargs: {cmd: x}", r#"{"cmd":"x"}"#),
        ("debug:", "{}"),
        ("set_fact: {mode: 644}", r#"{"mode":644}"#),
    ] {
        assert_eq!(args(text), wanted, "{text}");
    }
}

#[test]
fn words_of_a_text_know_their_places() {
    let (files, task) = task("file: path=/x  state=directory");
    let entries = task.args.as_map().unwrap();
    assert_eq!(files.slice(entries[1].0.span), "state");
    assert_eq!(files.slice(entries[1].1.span), "directory");
    assert_eq!(files.slice(task.module.span), "file");
}

#[test]
fn everything_of_a_task() {
    let (_, task) = task(
        "name: n\nid: i\ncommand: x\nwhen: [a, b]\nregister: r\nchanged_when: false\nfailed_when: r.rc > 1
notify: [one, two]\ntags: a, b\nbecome: 'yes'\nignore_errors: '{{ x }}'\ncheck_mode: no
reads: []\nwrites: /x\ntriggered_by: t\nafter: [u@db1]\nonce: true\nvars: {a: 1, evenkeel: {commands: always}}
with_items: [1, 2]\nloop_control: {loop_var: l, index_var: n}\nenvironment: [{A: 1}, '{{ more }}']",
    );
    assert_eq!(task.id.unwrap().value, "i");
    assert_eq!(task.common.when.len(), 2);
    assert_eq!(task.register.unwrap().value, "r");
    assert_eq!(task.changed_when[0].kind, Kind::Bool(false));
    assert_eq!(task.common.notify.len(), 2);
    let tags: Vec<&str> = task
        .common
        .tags
        .iter()
        .map(|tag| tag.value.as_str())
        .collect();
    assert_eq!(tags, ["a", "b"]);
    assert_eq!(task.common.become_.unwrap().value, OrTemplate::Is(true));
    let template = OrTemplate::Template("{{ x }}".to_owned());
    assert_eq!(task.common.ignore_errors.unwrap().value, template);
    assert_eq!(task.common.check_mode.unwrap().value, OrTemplate::Is(false));
    assert_eq!(task.reads, Some(Vec::new()));
    assert_eq!(task.writes.unwrap()[0].value, "/x");
    assert_eq!(task.triggered_by[0].value, "t");
    assert_eq!(task.common.after.unwrap()[0].value, "u@db1");
    assert_eq!(task.once.unwrap().value, OrTemplate::Is(true));
    assert_eq!(task.common.vars.len(), 1);
    assert_eq!(task.common.commands.unwrap().value, Commands::Always);
    let looped = task.loop_.unwrap();
    assert_eq!(
        (looped.kind.value, looped.loop_var.value.as_str()),
        (LoopKind::Items, "l")
    );
    assert_eq!(looped.index_var.unwrap().value, "n");
    assert_eq!(task.common.environment.len(), 2);
}

#[test]
fn our_keys_under_vars() {
    let (_, task) =
        task("command: x\nvars:\n  evenkeel: {id: i, once: yes, reads: [/a], after: [b]}");
    assert_eq!(task.id.unwrap().value, "i");
    assert_eq!(task.once.unwrap().value, OrTemplate::Is(true));
    assert_eq!(task.reads.unwrap().len(), 1);
    assert_eq!(task.common.after.unwrap().len(), 1);
    assert!(task.common.vars.is_empty());
}

#[test]
fn plays_and_blocks() {
    let (_, playbook) = read(
        "- hosts: [web, '!old']\n  strategy: free\n  gather_facts: no\n  tasks:\n    - block:\n        - debug:\n        - meta: flush_handlers\n      rescue:\n        - debug:\n      always: []\n      when: x\n  handlers:\n    - {name: h, listen: [t], debug: }\n- hosts: localhost\n",
    );
    let play = &playbook.plays[0];
    assert_eq!(play.hosts.value, "web,!old");
    assert_eq!(play.strategy, Strategy::Free);
    assert_eq!(
        play.gather_facts.as_ref().unwrap().value,
        OrTemplate::Is(false)
    );
    let Item::Task(handler) = &play.handlers[0] else {
        panic!("a handler is a task");
    };
    assert_eq!(handler.listen[0].value, "t");
    let Item::Block(block) = &play.tasks[0] else {
        panic!("{:?}", play.tasks);
    };
    assert_eq!(
        (block.body.len(), block.rescue.len(), block.always.len()),
        (2, 1, 0)
    );
    assert_eq!(block.common.when[0].text, "x");
    let Item::Meta(meta) = &block.body[1] else {
        panic!("{:?}", block.body);
    };
    assert_eq!(meta.action.value, MetaAction::FlushHandlers);
    assert_eq!(playbook.plays.len(), 2);
}

#[test]
fn every_keyword_is_looked_at() {
    let mut files = Files::new();
    for keyword in keywords::KEYWORDS {
        // A map is wrong for nearly everything, and never silently taken.
        let accepts = [
            "vars",
            "environment",
            "args",
            "loop_control",
            "action",
            "local_action",
        ];
        // These would stand twice in the play.
        let twice = ["hosts", "tasks", "handlers"];
        if accepts.contains(&keyword.name) || twice.contains(&keyword.name) {
            continue;
        }
        let text = format!(
            "- hosts: all\n  {0}: {{a: b}}\n  tasks:\n    - command: x\n      {0}: {{a: b}}\n    - block: []\n      {0}: {{a: b}}\n  handlers:\n    - command: x\n      {0}: {{a: b}}\n",
            keyword.name
        );
        let file = files.add("k.yml", text);
        let (_, out) = read_playbook(&files, file, &MODULES);
        let wrong: Vec<u32> = out
            .iter()
            .filter_map(|error| error.at)
            .map(|at| files.place(at).line)
            .collect();
        for line in [2, 5, 7, 10] {
            let name = keyword.name;
            let doubled = name == "block" && line == 7;
            assert!(
                wrong.contains(&line) || doubled,
                "`{name}` on line {line}: {wrong:?}"
            );
        }
    }
}

proptest! {
    #[test]
    fn no_soup_of_keywords_panics(words in proptest::collection::vec(
        prop_oneof![
            Just("- "), Just("hosts: "), Just("tasks:\n"), Just("block:\n"), Just("\n"), Just("  "),
            Just("    "), Just("file: "), Just("command: x=1 'y\n"), Just("vars: "), Just("evenkeel: "),
            Just("{a: b}\n"), Just("[x, {y: 1}]\n"), Just("when: "), Just("loop: "), Just("mode: 644\n"),
            Just("args: "), Just("meta: "), Just("yes\n"), Just("é"), Just("!vault x\n"), Just("'{{ x }}'\n"),
            Just("action: "), Just("register: "), Just("handlers:\n"), Just("name: "), Just("~\n"),
        ],
        0..40,
    )) {
        let mut files = Files::new();
        let file = files.add("soup.yml", words.concat());
        let (playbook, out) = read_playbook(&files, file, &MODULES);
        prop_assert_eq!(playbook.is_none(), out.iter().any(Diagnostic::is_error));
        render_all(&out, &files, Colour::Never);
    }
}
