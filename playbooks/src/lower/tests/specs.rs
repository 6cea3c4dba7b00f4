//! What the options of a role's maps want of each other (`argument_specs`).

use super::*;

#[test]
fn options_of_a_map_want_things_of_each_other() {
    let dir = tempfile::tempdir().expect("a folder");
    write(dir.path(), "roles/r/tasks/main.yml", "[]\n");
    write(
        dir.path(),
        "roles/r/meta/argument_specs.yml",
        "argument_specs:
  main:
    options:
      o:
        type: dict
        mutually_exclusive: [[a, b]]
        required_together: [[c, d]]
        required_one_of: [[a, b, c]]
        required_if: [[a, special, [e]]]
        required_by: {e: [f]}
        options:
          a: {aliases: [aa]}
          b: {type: int}
          c: {choices: [x, y]}
          d: {}
          e: {}
          f: {}
          g: {type: list, elements: int}
",
    );
    let given = |o: &str| {
        let play = format!("- {{hosts: localhost, roles: [{{role: r, o: {o}}}]}}\n");
        write(dir.path(), "site.yml", &play);
        match load_dir(dir.path(), |_| ()) {
            Ok(_) => String::new(),
            Err(found) => {
                let wants = found.split("` wants ").nth(1);
                let wants = wants.or_else(|| found.split(" wants ").nth(1));
                wants
                    .unwrap_or(&found)
                    .split(';')
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            }
        }
    };
    for (o, wrong) in [
        ("{a: 1}", ""),
        ("{aa: 1, g: [1, '2']}", ""),
        ("{a: 1, c: x, d: 1, e: 1, f: 1}", ""),
        ("{a: 1, b: 2}", "`o` to have one of `a` and `b` and no more"),
        ("{c: x}", "`o` to have `c` and `d` together"),
        ("{e: 1, f: 1}", "`o` to have one of `a`, `b` and `c`"),
        ("{a: special}", "`o` to have `e`, as its `a` is `special`"),
        ("{a: 1, e: 1}", "`o` to have `f`, as it has `e`"),
        (
            "{a: 1, g: [1, x]}",
            "each item of `o.g` to be a whole number: `x` is not",
        ),
        (
            "{a: 1, z: 1}",
            "no `o.z`: in `o` there are `a`, `b`, `c`, `d`, `e`, `f` and `g`",
        ),
    ] {
        assert_eq!(given(o), wrong, "{o}");
    }
}

/// A role that wants a number, and what a play with it says when it is read: its mistakes, else its warnings.
fn said(tasks: &str) -> String {
    let dir = tempfile::tempdir().expect("a folder");
    write(dir.path(), "roles/r/tasks/main.yml", "- debug: {msg: in}\n");
    write(
        dir.path(),
        "roles/r/meta/argument_specs.yml",
        "argument_specs: {main: {options: {n: {type: int, required: true}}}}\n",
    );
    let play = format!("- hosts: localhost\n  tasks:\n{tasks}");
    write(dir.path(), "site.yml", &play);
    let first = |said: &str| said.lines().next().unwrap_or_default().to_owned();
    match load_dir(dir.path(), |_| ()) {
        Ok(loaded) => {
            let codes = loaded.warnings.iter().map(|found| found.code);
            let looks = loaded.list.tasks.iter();
            let looks = looks.filter(|task| task.name.contains("Validating"));
            format!("{:?} {}", codes.collect::<Vec<_>>(), looks.count())
        }
        Err(found) => first(&found),
    }
}

#[test]
fn arguments_are_looked_at_when_they_are_known() {
    let wrong = "3:5 role_argument the role `r` (`main` of its `argument_specs`) wants";
    for (tasks, found) in [
        ("  - include_role: {name: r}\n    vars: {n: 1}\n", "[] 0"),
        (
            "  - include_role: {name: r}\n    vars: {n: x}\n",
            &format!(
                "{wrong} `n` to be a whole number, and it is a text; give `n` below `vars:` of the role"
            ),
        ),
        (
            "  - include_role: {name: r}\n",
            &format!("{wrong} `n`, and nothing gives it; give `n` below `vars:` of the role"),
        ),
        // Somebody counts on it.
        (
            "  - block: [{include_role: {name: r}}]\n    rescue: [{debug: {msg: it}}]\n",
            "[\"role_argument\"] 1",
        ),
        (
            "  - {include_role: {name: r, apply: {ignore_errors: true}}}\n",
            "[\"role_argument\"] 1",
        ),
        (
            "  - block: [{import_role: {name: r}}]\n    ignore_errors: true\n",
            "[\"role_argument\"] 1",
        ),
        // A rescue takes no failure of its own.
        (
            "  - block: [{debug: {msg: a}}]\n    rescue: [{include_role: {name: r}}]\n",
            &format!("{wrong} `n`, and nothing gives it; give `n` below `vars:` of the role")
                .replace("3:5", "4:14"),
        ),
        // It is told at its turn.
        (
            "  - {command: a, register: c}\n  - {include_role: {name: r}, vars: {n: '{{ c.x }}'}}\n",
            "[] 1",
        ),
        // It may not be reached.
        (
            "  - {command: a, register: c}\n  - {include_role: {name: r}, when: c.x}\n",
            "[] 1",
        ),
        ("  - {include_role: {name: r}, when: false}\n", "[] 0"),
        (
            "  - {command: a, register: c}\n  - include_role: {name: r, rolespec_validate: false}\n    vars: {n: '{{ c.x }}'}\n",
            "[] 0",
        ),
    ] {
        assert_eq!(said(tasks), *found, "{tasks}");
    }
}
