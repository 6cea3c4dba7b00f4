use super::*;

/// Files as roles bring them.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("templates/list.j2", "{{ [1, 2] }}\n"),
        (
            "templates/lines.j2",
            "user: {{ user | default(db.user) }}\n{% if true %}\ny: {{ 'a\\tb' }}\n{% endif %}\n",
        ),
        ("templates/secret.j2", "p={{ db.password }}\n"),
        (
            "templates/outer.j2",
            "<{{ lookup('template', 'inner.j2') }}>",
        ),
        ("templates/inner.j2", "{% include 'part.j2' %}!"),
        ("templates/part.j2", "part {{ db.user }}"),
        ("templates/round.j2", "x{{ lookup('template', 'back.j2') }}"),
        ("templates/back.j2", "y{{ lookup('template', 'round.j2') }}"),
        ("templates/wrong.j2", "one\ntwo {{ db.usr }}\n"),
        ("templates/filter.j2", "one\n\n  {{ 1 | nope }}\n"),
        ("templates/managed.j2", "# {{ ansible_managed }}\n"),
        (
            "files/x.ini",
            "[s]\nKey = a %% b\nlong = 1\n  2\n\n  3\n# c\n; d\nkey2: x = y\nref = %(key2)s!\nempty =\nloop = %(loop)s\nodd = 5%\n[DEFAULT]\nd = def\n[t]\nuser = t\n",
        ),
        ("files/twice.ini", "[s]\na = 1\nA = 2\n"),
        ("files/bare.ini", "[s]\nflag\n"),
        ("files/none.ini", "a = 1\n"),
        ("files/x.properties", "a.b = c\nd: e\n# x\nf g = h\n"),
        ("files/x.csv", "k,v,w\na,\"x, \"\"y\"\"\",z\n\nb,2\n"),
        ("files/ansible.csv", "a\tb\n"),
    ] {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

#[test]
fn files_give_what_they_give_to_ansible() {
    let folder = folder();
    for (text, wanted) in [
        ("lookup('template', 'list.j2')", "[1, 2]"),
        (
            "lookup('template', 'lines.j2')",
            r#""user: app\ny: a\tb\n""#,
        ),
        (
            "lookup('ansible.builtin.template', 'lines.j2', template_vars={'user': 'me'}, convert_data=false)",
            r#""user: me\ny: a\tb\n""#,
        ),
        (
            "query('template', 'outer.j2', 'list.j2')",
            r#"["<part app!>", [1, 2]]"#,
        ),
        (
            "lookup('template', 'managed.j2')",
            r##""# Ansible managed\n""##,
        ),
        ("query('random_choice', ['a'])", r#"[["a"]]"#),
        ("query('random_choice', 'a')", r#"["a"]"#),
        ("query('random_choice')", "[]"),
        (
            "query('ini', 'key', 'long', 'key2', 'ref', 'empty', 'd', 'nope', section='s', file='x.ini')",
            r#"["a % b", "1\n2\n\n3", "x = y", "x = y!", "", "def", ""]"#,
        ),
        (
            "query('ini', 'nope', section='s', file='x.ini', default='dd')",
            r#"["dd"]"#,
        ),
        (
            "query('ini', '.*', section='t', file='x.ini', re=true)",
            r#"["def", "t"]"#,
        ),
        (
            "query('ini', 'Key', section='s', file='x.ini', case_sensitive=true, interpolation=false)",
            r#"["a %% b"]"#,
        ),
        ("query('ini', 'user section=t file=x.ini')", r#"["t"]"#),
        (
            "query('ini', 'a.b', 'd', 'f g', type='properties', file='x.properties')",
            r#"["c", "e", "h"]"#,
        ),
        (
            "query('csvfile', 'a', 'b', 'q', file='x.csv', delimiter=',')",
            r#"["x, \"y\"", "2"]"#,
        ),
        (
            "query('csvfile', 'a', file='x.csv', delimiter=',', col=2)",
            r#"["z"]"#,
        ),
        (
            "query('csvfile', 'x, \"y\"', file='x.csv', delimiter=',', keycol=1, col=0)",
            r#"["a"]"#,
        ),
        (
            "query('csvfile', 'q', file='x.csv', delimiter=',', default='d')",
            r#"["d"]"#,
        ),
        ("query('csvfile', 'a')", r#"["b"]"#),
        (
            "query('csvfile', 'a file=x.csv delimiter=, col=2')",
            r#"["z"]"#,
        ),
        (
            "query('unvault', 'x.properties')",
            r#"["a.b = c\nd: e\n# x\nf g = h\n"]"#,
        ),
        ("query('varnames', '^d', 'nope')", r#"["db"]"#),
        ("query('template', 'nope.j2', errors='ignore')", "[]"),
    ] {
        let found = within(folder.path(), &format!("{{{{ {text} }}}}"));
        let found = found.unwrap_or_else(|wrong| panic!("{text}: {wrong}"));
        let wanted: serde_json::Value = serde_json::from_str(wanted).unwrap();
        assert_eq!(found.to_json(), wanted, "{text}");
    }
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_its_place() {
    let folder = folder();
    for (text, wanted) in [
        (
            "lookup('template', 'wrong.j2')",
            "1:4 `lookup('template', …)`: `db.usr` is undefined (@/templates/wrong.j2:2:8): define it, or say",
        ),
        (
            "lookup('template', 'filter.j2')",
            "1:4 `lookup('template', …)`: there is no filter `nope` (@/templates/filter.j2:3:10)",
        ),
        (
            "lookup('template', 'nope.j2')",
            "1:4 `lookup('template', …)`: there is no file `nope.j2` on this machine: looked for `@/templates/nope.j2`, `@/nope.j2`",
        ),
        (
            "lookup('template', 'round.j2')",
            "the template is made of itself: @/templates/round.j2 -> @/templates/back.j2 -> @/templates/round.j2",
        ),
        (
            "lookup('template', 'list.j2', variable_start_string='')",
            "1:4 `lookup('template', …)`: `variable_start_string` is empty",
        ),
        (
            "lookup('template', 'list.j2', template_vars=[1])",
            "`template_vars` is a map of variables, not a list",
        ),
        (
            "lookup('template', 'list.j2', nope=1)",
            "unknown keyword argument 'nope'",
        ),
        (
            "query('ini', 'a', section='z', file='x.ini')",
            "1:4 `lookup('ini', …)`: `x.ini`: there is no section `z`: there are `s` and `t`",
        ),
        (
            "query('ini', 'loop', section='s', file='x.ini')",
            "refers to too many others, or to itself",
        ),
        (
            "query('ini', 'odd', section='s', file='x.ini')",
            "`x.ini`: in `5%` a `%` is neither `%%` nor `%(NAME)s`: `interpolation=false` takes it as it is",
        ),
        (
            "query('ini', 'a', section='s', file='twice.ini')",
            "`twice.ini`: line 3: `a` is there already",
        ),
        (
            "query('ini', 'flag', section='s', file='bare.ini')",
            "`bare.ini`: line 2: neither a section nor a setting with `=`",
        ),
        (
            "query('ini', 'a', section='s', file='none.ini')",
            "`none.ini`: line 1: a setting before the first section",
        ),
        (
            "query('ini', 'user sectoin=t file=x.ini')",
            "there is no option `sectoin`: did you mean `section`?",
        ),
        (
            "query('csvfile', 'b', file='x.csv', delimiter=',', col=2)",
            "`x.csv`: the row of `b` has no column 2: it has 2, counted from 0",
        ),
        (
            "query('csvfile', 'b', file='x.csv', delimiter='::')",
            "a delimiter is one ASCII character, or `TAB`, not `::`",
        ),
        (
            "lookup('password', 'x length=y')",
            "`length` is a whole number",
        ),
        ("lookup('url', 'x')", "begins with `https://`"),
        ("lookup('tempalte', 'a')", "did you mean `template`?"),
    ] {
        let found = within(folder.path(), &format!("{{{{ {text} }}}}"));
        let wrong = found
            .expect_err(text)
            .replace(folder.path().to_str().unwrap(), "@");
        assert!(wrong.contains(wanted), "{text}: {wrong}");
    }
}

#[test]
fn a_template_made_with_a_secret_is_secret() {
    let folder = folder();
    for text in [
        "{{ lookup('template', 'secret.j2') }}",
        "a {{ lookup('template', 'secret.j2') | b64encode }}",
    ] {
        let found = within(folder.path(), text).unwrap();
        assert!(matches!(found, Value::Secret(_)), "{text}");
    }
    let found = within(
        folder.path(),
        "{{ [lookup('template', 'secret.j2'), 'a'] }}",
    )
    .unwrap();
    assert_eq!(found.to_json(), serde_json::json!(["***", "a"]));
}

#[test]
fn what_is_wrong_with_a_password_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let found = within(folder.path(), "{{ lookup('password', 'x length=y') }}");
    let wrong = found.expect_err("no number");
    assert!(wrong.contains("`length` is a whole number"), "{wrong}");
    let found = within(folder.path(), "{{ query('varnames', '(') }}");
    let wrong = found.expect_err("no pattern");
    assert!(wrong.contains("is not a regular expression"), "{wrong}");
}
