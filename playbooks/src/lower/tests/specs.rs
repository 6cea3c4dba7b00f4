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
