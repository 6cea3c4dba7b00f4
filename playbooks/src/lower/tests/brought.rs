//! Tasks that come from other files: of includes and of roles.

use super::*;

/// A folder with files: `== NAME` begins each.
fn folder(text: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    let text = format!("\n{text}");
    for part in text.split("\n== ").skip(1) {
        let (name, text) = part.split_once('\n').expect("a name stands on a line");
        write(dir.path(), name.trim(), text);
    }
    dir
}

fn load_all(text: &str) -> Loaded {
    let dir = folder(text);
    load_dir(dir.path(), |_| ()).unwrap_or_else(|found| panic!("{found}"))
}

/// The mistakes, without the name of the folder.
fn wrong(text: &str) -> String {
    let dir = folder(text);
    match load_dir(dir.path(), |_| ()) {
        Err(found) => found.replace(&format!("{}/", dir.path().display()), ""),
        Ok(_) => panic!("nothing is wrong with it"),
    }
}

/// What tasks say and come to, each on a line: its name, its host, its `text` or why it is skipped.
fn told(loaded: &Loaded, known: &Known) -> String {
    let mut lines = Vec::new();
    for (index, task) in loaded.list.tasks.iter().enumerate() {
        let host = &loaded.list.hosts[task.host.index()].name;
        let what = match resolve(loaded, index, known) {
            Ok(Resolved::One(bound)) => bound.args().to_json()["text"].to_string(),
            Ok(Resolved::Skip(why)) => format!("skipped: {why}"),
            Ok(Resolved::Loop(turns)) => format!("{} turns", turns.len()),
            Err(Stop::NotYet(_)) => "later".to_owned(),
            Err(other) => format!("{other:?}"),
        };
        let silent = if task.silent { " (silent)" } else { "" };
        lines.push(format!("{} @{host}: {what}{silent}", task.name));
    }
    lines.join("\n")
}

fn tell(text: &str) -> String {
    told(&load_all(text), &Known::default())
}

#[test]
fn tasks_of_a_file_stand_where_it_is_imported() {
    let text = "
== site.yml
- hosts: localhost
  vars: {x: 1}
  tasks:
    - import_tasks: a/one.yml
      vars: {x: 2}
      when: x == 2
      tags: [t]
    - ansible.builtin.include_tasks:
        file: a/one.yml
        apply: {tags: [applied], become: true}
      vars: {x: 3}
      tags: [own]
    - {name: end, put: {path: /z, text: '{{ x }}'}}
== a/one.yml
- {name: one, put: {path: /a, text: '{{ x }}'}}
- include_tasks: two.yml
== a/two.yml
- {name: two, put: {path: /b, text: '{{ x }} {{ playbook_dir | basename | length > 0 }}'}}
";
    assert_eq!(
        tell(text),
        "one @localhost: 2
two @localhost: \"2 True\"
one @localhost: 3
two @localhost: \"3 True\"
end @localhost: 1"
    );
    let loaded = load_all(text);
    let places: Vec<String> = loaded
        .list
        .tasks
        .iter()
        .map(|task| {
            let place = task.place.as_ref().unwrap().to_string();
            place.rsplit('/').next().unwrap_or_default().to_owned()
        })
        .collect();
    assert_eq!(
        places,
        [
            "one.yml:1:3",
            "two.yml:1:3",
            "one.yml:1:3",
            "two.yml:1:3",
            "site.yml:13:7"
        ]
    );
    assert_eq!(loaded.tags, ["applied", "own", "t"]);
    assert_eq!(loaded.tasks, 5);
    let users: Vec<bool> = loaded
        .list
        .tasks
        .iter()
        .map(|task| task.identity.user.is_some())
        .collect();
    assert_eq!(users, [false, false, true, true, false]);
}

#[test]
fn tags_of_an_import_are_those_of_its_tasks_and_of_an_include_its_own() {
    let text = "
== site.yml
- hosts: localhost
  tasks:
    - {import_tasks: one.yml, tags: [imported]}
    - {include_tasks: one.yml, tags: [included]}
    - include_tasks: {file: one.yml, apply: {tags: [inner]}}
      tags: [inner]
== one.yml
- {name: plain, put: {path: /a}}
- {name: tagged, put: {path: /a}, tags: [included]}
";
    let dir = folder(text);
    let selected = |tags: &[&str]| -> Vec<bool> {
        let tags = tags.iter().map(|&tag| tag.to_owned()).collect();
        let loaded = load_dir(dir.path(), |request| request.tags = tags).expect("it is right");
        let tasks = loaded.list.tasks.iter();
        tasks.map(|task| task.selected).collect()
    };
    // What an include that is not selected would bring in is not there at all.
    assert_eq!(selected(&["imported"]), [true, true]);
    assert_eq!(selected(&["included"]), [false, true, false, true]);
    assert_eq!(selected(&["inner"]), [false, false, true, true]);
    assert_eq!(selected(&[]), [true; 6]);
}

#[test]
fn a_condition_of_an_include_is_looked_at_once() {
    let text = "
== site.yml
- hosts: localhost
  tasks:
    - {set_fact: {again: yes}}
    - {include_tasks: one.yml, when: again | bool}
    - {import_tasks: one.yml, when: again | bool}
== one.yml
- {set_fact: {again: no}}
- {name: after, put: {path: /a, text: done}}
";
    let loaded = load_all(text);
    let set = |value: &str| {
        output(
            false,
            serde_json::json!({"ansible_facts": {"again": value}}),
        )
    };
    let note = |value: &str| {
        output(
            false,
            serde_json::json!({"ansible_facts": {"evenkeel_include_1": value}}),
        )
    };
    let known = Known(
        [
            (0, set("yes")),
            (1, note("yes")),
            (2, set("no")),
            (4, set("no")),
        ]
        .into(),
    );
    let told = told(&loaded, &known);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), 6, "{told}");
    assert_eq!(lines[1], "include_tasks: one.yml @localhost: null (silent)");
    assert_eq!(lines[3], "after @localhost: \"done\"");
    assert_eq!(lines[5], "after @localhost: skipped: again | bool");
    assert_eq!(loaded.tasks, 5);
}

#[test]
fn loops_bring_in_once_for_each_item_and_host() {
    let text = "
== hosts
[all]
a files='[\"x\", \"y\"]'
b files='[\"y\"]'
== site.yml
- hosts: all
  tasks:
    - include_tasks: '{{ file }}.yml'
      loop: '{{ files }}'
      loop_control: {loop_var: file, index_var: n}
      when: n < 1 or file == 'y'
    - include_tasks: x.yml
      vars: {file: once, n: 9}
      when: inventory_hostname == 'b'
== x.yml
- {name: x, put: {path: /x, text: '{{ file }}{{ n }}'}}
== y.yml
- {name: y, put: {path: /y, text: '{{ file }}{{ n }}'}}
";
    assert_eq!(
        tell(text),
        "x @a: \"x0\"
y @b: \"y0\"
y @a: \"y1\"
x @b: \"once9\""
    );
}

#[test]
fn facts_decide_among_the_files_that_fit() {
    let text = "
== site.yml
- hosts: localhost
  gather_facts: false
  tasks:
    - {set_fact: {system: Debian}}
    - include_tasks: 'os/{{ system }}.yml'
== os/Debian.yml
- {name: debian, put: {path: /d, text: '{{ system }}'}}
== os/RedHat.yml
- {name: red hat, put: {path: /r, text: '{{ system }}'}}
== os/Windows.yml
- {name: windows, win_put: {path: /r}}
";
    let loaded = load_all(text);
    let warned: Vec<&str> = loaded.warnings.iter().map(|found| found.code).collect();
    assert_eq!(warned, ["unknown_module"]);
    let said = told(&loaded, &Known::default());
    assert!(said.contains("red hat @localhost: later"), "{said}");
    let known = Known(
        [
            (
                0,
                output(
                    false,
                    serde_json::json!({"ansible_facts": {"system": "Debian"}}),
                ),
            ),
            (
                1,
                output(
                    false,
                    serde_json::json!({"ansible_facts": {"evenkeel_include_1": "os/Debian.yml"}}),
                ),
            ),
        ]
        .into(),
    );
    let said = told(&loaded, &known);
    let names: Vec<&str> = said
        .lines()
        .map(|line| line.split(" @").next().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "set_fact",
            "include_tasks: os/{{ system }}.yml",
            "include_tasks: os/{{ system }}.yml",
            "debian",
            "red hat",
            "include_tasks: os/{{ system }}.yml"
        ]
    );
    assert!(said.contains("debian @localhost: \"Debian\""), "{said}");
    assert!(
        said.contains("red hat @localhost: skipped: evenkeel_include_1"),
        "{said}"
    );
    let told_skips: Vec<bool> = loaded
        .list
        .tasks
        .iter()
        .map(|task| task.mute.is_empty())
        .collect();
    assert_eq!(told_skips, [true, true, false, false, false, false]);
}

#[test]
fn mistakes_of_includes() {
    let site = |task: &str, more: &str| {
        wrong(&format!(
            "== site.yml\n- hosts: localhost\n  tasks:\n    - {task}\n{more}"
        ))
    };
    for (task, more, page) in [
        (
            "import_role: {name: r, tasks_from: ../../../other.yml}",
            "== roles/r/tasks/main.yml\n- put: {path: /a}\n== other.yml\n- put: {path: /a}\n",
            "3:42 outside_of_role `other.yml` is outside of the role; a role brings in files of its own; what is elsewhere `include_tasks` and `include_vars` bring in",
        ),
        (
            "import_tasks: on.yml",
            "== one.yml\n- put: {path: /a}\n",
            "3:21 no_such_file there is no file `on.yml` on this machine; did you mean `one.yml`? Looked for `on.yml`",
        ),
        (
            "import_tasks: one.yml",
            "== one.yml\n- import_tasks: two.yml\n== two.yml\n- import_tasks: one.yml\n",
            "1:3 include_circle files bring in each other without end: one.yml -> two.yml -> one.yml; a `when:` on one of them that is known before the run ends it",
        ),
        (
            "import_tasks: one.yml",
            "== one.yml\n- put: {path: /a, sorce: x}\n- no_such: {}\n",
            "1:19 unknown_argument there is no argument `sorce` of `put`; there are `path`, `text`, `src` and `count`\n2:3 unknown_module there is no module `no_such`; `evenkeel modules` lists all there are",
        ),
        (
            "{import_tasks: one.yml, loop: [1]}",
            "== one.yml\n- put: {path: /a}\n",
            "3:31 misplaced `import_tasks` takes no loop: it is there once; write `include_tasks`",
        ),
        (
            "{include_tasks: one.yml, become: true}",
            "== one.yml\n- put: {path: /a}\n",
            "3:32 misplaced `become` does not stand on `include_tasks`; put it below `apply:`, or write `import_tasks`",
        ),
        (
            "{include_tasks: one.yml, loop: '{{ lines }}', id: x}",
            "== one.yml\n- put: {path: /a}\n",
            "3:53 misplaced `id` does not stand on `include_tasks`: it is no task; it stands on the tasks that are brought in",
        ),
        (
            "include_role: {nam: x}",
            "",
            "3:7 missing_key `include_role` does not say its `name`; `include_role: {name: …}`\n3:22 unknown_key `include_role` has no argument `nam`; did you mean `name`?",
        ),
        (
            "include_role: {name: ngnix}",
            "== roles/nginx/tasks/main.yml\n- put: {path: /a}\n",
            "",
        ),
    ] {
        let found = site(task, more);
        if page.is_empty() {
            assert!(
                found.starts_with("3:28 unknown_role there is no role `ngnix`; did you mean `nginx`? Looked for `roles/ngnix`"),
                "{found}"
            );
        } else {
            assert_eq!(found, page, "{task}");
        }
    }
}

#[test]
fn files_of_variables_of_a_play() {
    let text = "
== hosts
a kind=one
b kind=two
== site.yml
- hosts: all
  vars: {x: of the play, y: of the play}
  vars_files:
    - common.yml
    - ['{{ kind }}.yml', default.yml]
  tasks:
    - {name: t, put: {path: /a, text: '{{ x }} {{ y }} {{ z }}'}}
== vars/common.yml
x: of the file
z: '{{ inventory_hostname }}'
== one.yml
y: first
== default.yml
y: default
";
    assert_eq!(
        tell(text),
        "t @a: \"of the file first a\"\nt @b: \"of the file default b\""
    );
    assert_eq!(
        wrong("== site.yml\n- hosts: localhost\n  vars_files: [[a.yml, b.yml]]\n"),
        "2:17 no_such_file none of these files is on this machine; looked for `vars/a.yml`, `a.yml`, `vars/b.yml`, `b.yml`"
    );
}

#[test]
fn a_role_with_all_its_folders() {
    let text = "
== site.yml
- hosts: localhost
  vars: {num: 1}
  pre_tasks:
    - {name: pre, put: {path: /p, text: '{{ of_default }}'}, notify: restart}
  roles:
    - {role: web, num: 2, tags: [w]}
    - role: web
      num: 2
      tags: [w]
  tasks:
    - {name: task, put: {path: /t, text: '{{ of_role }} {{ num }}'}, notify: ['web : restart', topic]}
  handlers:
    - {name: restart, put: {path: /h, text: of the play}}
== roles/web/meta/main.yml
dependencies: [base]
== roles/web/defaults/main.yml
of_default: web {{ num }}
of_role: never
== roles/web/vars/main.yaml
of_role: vars
num: of the role
== roles/web/tasks/main.yml
- {name: one, put: {path: /a, text: '{{ num }} {{ of_role }} {{ of_base }} {{ role_name }} {{ ansible_parent_role_names }}'}}
- include_tasks: more.yml
== roles/web/tasks/more.yml
- {name: more, put: {path: /m, text: '{{ role_path | basename }}'}}
== roles/web/files/f
text
== roles/web/handlers/main.yml
- {name: restart, put: {path: /r, text: '{{ num }}'}, listen: topic}
== roles/base/tasks/main.yml
- {name: base, put: {path: /b, text: '{{ of_role }} {{ ansible_parent_role_names }}'}}
== roles/base/vars/main.yml
of_base: from base
";
    assert_eq!(
        tell(text),
        "pre @localhost: \"web of the role\"
restart @localhost: \"of the play\"
base : base @localhost: \"vars ['web']\"
web : one @localhost: \"2 vars from base web []\"
web : more @localhost: \"web\"
task @localhost: \"vars of the role\"
web : restart @localhost: \"2\""
            .replace("\"2\"", "2")
    );
}

#[test]
fn roles_that_tasks_bring_in() {
    let text = "
== site.yml
- hosts: localhost
  tasks:
    - import_role: {name: app, tasks_from: other}
      vars: {given: 1}
    - include_role: {name: app}
      vars: {given: '{{ n }}'}
      loop: [2, 3]
      loop_control: {loop_var: n}
    - {name: after, put: {path: /z, text: '{{ secret | default(\"hidden\") }}'}}
    - include_role:
        name: app
        defaults_from: low
        apply: {become: true}
== roles/app/defaults/main.yml
given: default
== roles/app/defaults/low.yml
given: low
== roles/app/tasks/main.yml
- {name: main, put: {path: /a, text: '{{ given }}'}, notify: told}
== roles/app/tasks/other.yml
- {name: other, put: {path: /o, text: '{{ given }}'}}
== roles/app/handlers/main.yml
- {name: told, put: {path: /h, text: '{{ given }}'}}
";
    assert_eq!(
        tell(text),
        "app : other @localhost: 1
app : main @localhost: 2
app : main @localhost: 3
after @localhost: \"hidden\"
app : main @localhost: \"low\"
app : told @localhost: \"low\""
    );
}

#[test]
fn what_a_role_wants_to_be_given() {
    let role = "
== roles/app/meta/argument_specs.yml
argument_specs:
  main:
    options:
      num: {type: int, required: true, description: where it listens}
      mode: {choices: [fast, slow]}
      other: {type: list, elements: str}
== roles/app/tasks/main.yml
- {name: main, put: {path: /a, text: '{{ num }}'}}
";
    let of = |vars: &str| {
        format!("== site.yml\n- hosts: localhost\n  roles:\n    - {{role: app{vars}}}\n{role}")
    };
    load_all(&of(", num: '80', mode: slow, other: [a]"));
    assert_eq!(
        wrong(&of(", mode: slo")),
        "3:7 role_argument the role `app` (`main` of its `argument_specs`) wants `mode` to be `fast` or `slow`, and it is `slo`; give `mode` below `vars:` of the role
3:7 role_argument the role `app` (`main` of its `argument_specs`) wants `num`, and nothing gives it; `num`: where it listens
1:42 undefined_variable `num` is undefined; define it, or say what to do without it, as in `num | default('')`"
    );
    assert!(wrong(&of(", num: many, other: {}")).contains("wants `num` to be a whole number"));
}

#[test]
fn a_role_that_is_not_there() {
    let text = "
== site.yml
- hosts: localhost
  roles: [geerlingguy.nginx, a.b.c]
== requirements.yml
roles:
  - name: geerlingguy.nginx
";
    let found = wrong(text);
    assert!(
        found.contains("2:11 unknown_role there is no role `geerlingguy.nginx`; `requirements.yml` lists it: `ansible-galaxy install -r requirements.yml` fetches it; looked for `roles/geerlingguy.nginx`"),
        "{found}"
    );
    assert!(
        found.contains("2:30 unknown_role there is no role `a.b.c`; `ansible-galaxy collection install a.b` fetches its collection; looked for `collections/ansible_collections/a/b/roles/c`"),
        "{found}"
    );
}

#[test]
fn roles_are_looked_for_in_collections() {
    let text = "
== site.yml
- hosts: localhost
  collections: [a.b]
  roles: [one]
  tasks:
    - include_role: {name: own}
== collections/ansible_collections/a/b/roles/one/tasks/main.yml
- {name: one, put: {path: /1, text: '{{ role_name }}'}}
- import_role: {name: beside}
== collections/ansible_collections/a/b/roles/one/meta/main.yml
dependencies: [two]
collections: [c.d]
== collections/ansible_collections/a/b/roles/beside/tasks/main.yml
- {name: beside, put: {path: /b, text: own collection}}
== collections/ansible_collections/c/d/roles/beside/tasks/main.yml
- {name: beside, put: {path: /b, text: another}}
== collections/ansible_collections/c/d/roles/two/tasks/main.yml
- {name: two, put: {path: /2, text: listed}}
== roles/one/tasks/main.yml
- {name: one, put: {path: /1, text: not this}}
== roles/own/tasks/main.yml
- {name: own, put: {path: /o, text: no collection has it}}
";
    assert_eq!(
        tell(text),
        "two : two @localhost: \"listed\"
one : one @localhost: \"one\"
beside : beside @localhost: \"own collection\"
own : own @localhost: \"no collection has it\""
    );
}

#[test]
fn a_file_that_brings_in_itself_until_a_result_says_so_is_made_ready_so_often() {
    let text = "
== site.yml
- hosts: localhost
  tasks:
    - include_tasks: again.yml
== again.yml
- {name: tried, put: {path: /a, text: x}, register: it}
- include_tasks: again.yml
  when: it.changed
- include_tasks: again.yml
  when: it.failed
";
    let loaded = load_all(text);
    let named = |name: &str| {
        let tasks = loaded.list.tasks.iter();
        tasks.filter(|task| task.name == name).count()
    };
    assert_eq!(named("tried"), 65);
    // What is beyond fails there; nothing is said of it before.
    assert!(loaded.list.tasks.iter().any(|task| task.module == "fail"));
    assert!(loaded.warnings.is_empty());
}

#[test]
fn a_file_that_brings_in_itself_as_all_know_is_brought_in_as_often_as_it_says() {
    let text = "
== site.yml
- hosts: localhost
  tasks:
    - include_tasks: again.yml
== again.yml
- {name: 'at {{ item | default(0) }}', put: {path: /a, text: x}}
- include_tasks: again.yml
  loop: '{{ [] if item is defined and item > 9 else range((item | default(0)) * 10 + 1, (item | default(0)) * 10 + 10) | list }}'
";
    // Ten branches of nine leaves each, and the root.
    assert_eq!(
        load_all(text)
            .list
            .tasks
            .iter()
            .filter(|task| task.module == "put")
            .count(),
        91
    );
}

#[test]
fn playbooks_import_each_other() {
    let text = "
== site.yml
- import_playbook: sub/other.yml
  vars: {x: imported}
  when: x == 'imported'
  tags: [t]
- hosts: localhost
  tasks:
    - {name: last, put: {path: /l, text: own}}
== sub/other.yml
- hosts: localhost
  vars: {x: own}
  tasks:
    - {name: first, put: {path: /f, text: '{{ x }}'}, tags: [u]}
    - import_tasks: more.yml
== sub/more.yml
- {name: more, put: {path: /m, text: '{{ x }}'}}
";
    assert_eq!(
        tell(text),
        "first @localhost: \"imported\"
more @localhost: \"imported\"
last @localhost: \"own\""
    );
    assert_eq!(load_all(text).tags, ["t", "u"]);
    let circle = "== site.yml\n- import_playbook: site.yml\n";
    let found = wrong(circle);
    assert!(
        found.contains("1:20 include_circle playbooks import each other"),
        "{found}"
    );
}
