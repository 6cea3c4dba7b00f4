use std::collections::BTreeMap;

use evenkeel_engine::{Map, Secret};

use super::*;
use crate::files::Files;

struct Fixed(BTreeMap<String, Variable>);

impl Variables for Fixed {
    fn get(&self, name: &str) -> Result<Option<Variable>, Fault> {
        Ok(self.0.get(name).cloned())
    }
    fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
    fn is_of_people(&self, template: &Template) -> bool {
        let mut names = template.uses().names();
        names.all(|used| used.name != "said")
    }
}

fn variables() -> Arc<dyn Variables> {
    let json = |json: serde_json::Value| Variable::Value(Value::from(json));
    let known: Map = [("changed".to_owned(), Value::Bool(true))]
        .into_iter()
        .collect();
    let later = || NotYet::new("the result of `build`");
    let half: Map = [
        ("rc".to_owned(), Value::Int(0)),
        ("stdout".to_owned(), Value::NotYet(later())),
    ]
    .into_iter()
    .collect();
    let db: Map = [
        ("user".to_owned(), Value::from("app")),
        (
            "password".to_owned(),
            Value::Secret(Secret::new("s3cret\"x")),
        ),
    ]
    .into_iter()
    .collect();
    Arc::new(Fixed(
        [
            ("name", json("web".into())),
            ("ports", json(serde_json::json!([80, 443]))),
            (
                "nested",
                json(serde_json::json!({"a": {"b": 1}, "n": null})),
            ),
            ("big", Variable::Value(Value::UInt(u64::MAX))),
            ("half", Variable::Value(Value::Map(half))),
            ("open", Variable::Open(known, later())),
            ("later", Variable::Value(Value::NotYet(later()))),
            ("db", Variable::Value(Value::Map(db))),
            ("no", json("no".into())),
            ("so", json("ports[0] == 80 and name == 'web'".into())),
            ("said", json("name == 'web'".into())),
            ("not_so", json("name == 'db'".into())),
            (
                "all_so",
                json(serde_json::json!(["ports", true, "name == 'web'"])),
            ),
            ("waits", json("half.stdout == 'x'".into())),
            ("reads", json("lookup('pipe', 'id') is defined".into())),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into(),
    ))
}

fn span(files: &mut Files, text: &str) -> Span {
    let file = files.add("t.yml", text);
    Span {
        file,
        start: 0,
        end: u32::try_from(text.len()).expect("small"),
    }
}

fn render(text: &str) -> Value {
    let mut files = Files::new();
    let at = span(&mut files, text);
    let template = Template::text(text, at).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
    template
        .evaluate(&variables())
        .unwrap_or_else(|fault| panic!("{text}: {fault:?}"))
}

fn value(text: &str) -> serde_json::Value {
    render(text).to_json()
}

fn condition(text: &str) -> Option<bool> {
    let mut files = Files::new();
    let at = span(&mut files, text);
    let template =
        Template::expression(text, at).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
    let result = template.holds(&variables());
    result
        .unwrap_or_else(|fault| panic!("{text}: {fault:?}"))
        .ok()
}

/// What is wrong, as `line:column message`.
fn wrong(text: &str) -> String {
    let mut files = Files::new();
    let at = span(&mut files, text);
    let fault = match Template::text(text, at) {
        Err(mut faults) => faults.remove(0),
        Ok(template) => match template.evaluate(&variables()) {
            Err(fault) => fault,
            Ok(value) => panic!("{text}: gave {value:?}"),
        },
    };
    let diagnostic = fault.diagnostic(&files);
    let at = files.place(diagnostic.at.expect("it has a place"));
    let help = diagnostic
        .help
        .map_or(String::new(), |help| format!("; {help}"));
    format!("{}:{} {}{help}", at.line, at.column, diagnostic.message)
}

#[test]
fn values_stay_what_they_are() {
    assert_eq!(value("{{ ports }}"), serde_json::json!([80, 443]));
    assert_eq!(value("{{ ports[1] }}"), 443);
    assert_eq!(value("{{ nested.n }}"), serde_json::Value::Null);
    assert_eq!(value("{{ big }}"), u64::MAX);
    assert_eq!(value("{{ 1.0 }}"), 1.0);
    assert_eq!(
        value("{{ name }}:{{ ports }}{{ nested.n }}"),
        "web:[80, 443]"
    );
    assert_eq!(value("{% for p in ports %}{{ p }};{% endfor %}"), "80;443;");
    assert_eq!(value("{{ {'a': name} }}"), serde_json::json!({"a": "web"}));
    assert_eq!(value("a: {{ true }}\n"), "a: True\n");
}

#[test]
fn filters_of_ansible() {
    for (text, wanted) in [
        (
            "{{ 'a/b.tar.gz' | basename | splitext }}",
            serde_json::json!(["b.tar", ".gz"]),
        ),
        (
            "{{ {'a': {'x': 1}} | combine({'a': {'y': 2}}, recursive=true) }}",
            serde_json::json!({"a": {"x": 1, "y": 2}}),
        ),
        (
            "{{ {'a': 1} | dict2items }}",
            serde_json::json!([{"key": "a", "value": 1}]),
        ),
        (
            "{{ [1, [2, [3]]] | flatten }}",
            serde_json::json!([1, 2, 3]),
        ),
        (
            "{{ [1, [2, [3]]] | flatten(levels=1) }}",
            serde_json::json!([1, 2, [3]]),
        ),
        (
            "{{ 'abc-12' | regex_replace('^([a-z]+)-(\\d+)$', '\\2-\\1') }}",
            serde_json::json!("12-abc"),
        ),
        (
            "{{ 'v1.2' | regex_search('v(\\d+)', '\\1') }}",
            serde_json::json!(["1"]),
        ),
        (
            "{{ [1, 2] | difference([2]) | union([3]) }}",
            serde_json::json!([1, 3]),
        ),
        ("{{ 'a b' | quote }}", serde_json::json!("'a b'")),
        ("{{ 'hello' | b64encode }}", serde_json::json!("aGVsbG8=")),
        ("{{ 'aGVsbG8=' | b64decode }}", serde_json::json!("hello")),
        (
            "{{ nested | to_json }}",
            serde_json::json!("{\"a\": {\"b\": 1}, \"n\": null}"),
        ),
        (
            "{{ '{\"a\": [1]}' | from_json }}",
            serde_json::json!({"a": [1]}),
        ),
        ("{{ (1 == 1) | ternary('y', 'n') }}", serde_json::json!("y")),
        ("{{ 'yes' | bool }}", serde_json::json!(true)),
        (
            "{{ ports | map('string') | join(',') }}",
            serde_json::json!("80,443"),
        ),
        (
            "{{ '1.5 GB' | human_to_bytes }}",
            serde_json::json!(1_610_612_736),
        ),
        ("{{ missing | default('x') }}", serde_json::json!("x")),
        ("{{ nested.q.r | default('x') }}", serde_json::json!("x")),
        ("{{ missing.q.r | d(1) }}", serde_json::json!(1)),
        ("{{ ['/a', 'b'] | path_join }}", serde_json::json!("/a/b")),
    ] {
        assert_eq!(value(text), wanted, "{text}");
    }
}

#[test]
fn conditions() {
    for (text, wanted) in [
        ("name == 'web' and 80 in ports", true),
        ("missing is defined", false),
        ("nested.q.r is defined", false),
        ("missing is not defined or missing", true),
        ("'1.10' is version('1.9', '>')", true),
        ("name is match('w')", true),
        ("name is match('eb')", false),
        ("no", false),
        ("{{ name == 'web' }}", true),
        ("ports | length > 1", true),
    ] {
        assert_eq!(condition(text), Some(wanted), "{text}");
    }
}

#[test]
fn conditions_that_variables_hold() {
    for (text, wanted) in [
        ("{{ so }}", Some(true)),
        ("{{ not_so }}", Some(false)),
        ("{{ no }}", Some(false)),
        ("{{ [not_so, so] | last }}", Some(true)),
        ("{{ waits }}", None),
    ] {
        assert_eq!(condition(text), wanted, "{text}");
    }
    let fault = |text: &str| {
        let mut files = Files::new();
        let at = span(&mut files, text);
        let template = Template::expression(text, at).unwrap();
        template.holds(&variables()).unwrap_err().message.clone()
    };
    assert_eq!(
        fault("so"),
        "`so` is the text `ports[0] == 80 and name == 'web'`, which is neither true nor false"
    );
    // What a host says is never evaluated.
    assert_eq!(
        fault("{{ said }}"),
        "`{{ said }}` is the text `name == 'web'`, which is neither true nor false"
    );
    // It reads variables, and nothing else.
    assert_eq!(
        fault("{{ reads }}"),
        "`{{ reads }}` is the text `lookup('pipe', 'id') is defined`, which is neither true nor false"
    );
    assert_eq!(
        fault("{{ name }}"),
        "`{{ name }}` is the condition `web`: `web` is undefined"
    );
    let all = |text: &str| {
        let mut files = Files::new();
        let at = span(&mut files, text);
        let template = Template::expression(text, at).unwrap();
        let all = template.all_told(&variables()).unwrap()?;
        let all = all.into_iter();
        Some(
            all.map(|(text, holds)| (text, holds.ok()))
                .collect::<Vec<_>>(),
        )
    };
    let told = [("ports", true), ("True", true), ("name == 'web'", true)];
    let told = told.map(|(text, holds)| (text.to_owned(), Some(holds)));
    assert_eq!(all("{{ all_so }}"), Some(told.to_vec()));
    assert_eq!(all("{{ so }}"), None);
    assert_eq!(all("all_so"), None);
}

#[test]
fn what_touches_the_unknown_is_unknown() {
    for text in [
        "half.stdout == 'x'",
        "half.stdout is defined",
        "half.stdout | default('x') == 'x'",
        "'x' in half.stdout",
        "half == {'rc': 0, 'stdout': 'x'}",
        "half | to_json == ''",
        "half.values() | list | length > 0",
        "[half] | map(attribute='stdout') | list | length == 1",
        "later is none",
        "later or true",
        "not later",
        "later in [1]",
        "[1, 2] == [1, later]",
        "open.stdout is defined",
        "'stdout' in open",
        "open | length == 1",
        "open is failed",
        "half.rc == 0 and half.stdout",
    ] {
        assert_eq!(condition(text), None, "{text}");
    }
    for (text, wanted) in [
        ("half.rc == 0", true),
        ("half.rc == 1 and half.stdout == 'x'", false),
        ("half.rc == 0 or later", true),
        ("open is changed", true),
        ("half.nothing is defined", false),
    ] {
        assert_eq!(condition(text), Some(wanted), "{text}");
    }
    assert!(matches!(render("x{{ later }}"), Value::NotYet(_)));
    assert!(matches!(
        render("{% for x in [half] %}{{ x }}{% endfor %}"),
        Value::NotYet(_)
    ));
    let whole = render("{{ half }}");
    assert_eq!(whole.get("rc"), Some(&Value::Int(0)));
    assert!(whole.first_not_yet().is_some());
    assert!(matches!(render("{{ open }}"), Value::NotYet(_)));
}

#[test]
fn newlines_at_the_end_are_those_of_the_text_or_more() {
    for (text, wanted) in [
        ("{{ 'a' }}\n", "a\n"),
        ("{{ 'a\n' }}\n", "a\n"),
        ("x{{ 'a\n' }}\n", "xa\n"),
        ("x{{ 'a\n\n' }}\n", "xa\n\n"),
        ("{{ 'a\n' }}\n\n", "a\n\n"),
        ("{{ '' }}\n", "\n"),
        ("{% if true %}a{% endif %}\n", "a\n"),
        ("{% for i in [1, 2] %}\n{{ i }}\n{% endfor %}\n", "1\n2\n"),
        ("a{# b #}\n", "a\n"),
        ("{{ 'a\n' }} \n", "a\n \n"),
        ("\n{{ 'a\n' }}", "\na\n"),
    ] {
        assert_eq!(value(text), wanted, "{text:?}");
    }
    // As in a block of text that is to be a list.
    assert_eq!(value("{{ [1, 2] }}\n"), serde_json::json!([1, 2]));
    assert_eq!(value("{{ [1, 2] }}\n\n"), "[1, 2]\n\n");
    let secret = render("{{ db.password }}\n");
    assert!(
        matches!(&secret, Value::Secret(secret) if secret.reveal() == b"s3cret\"x\n"),
        "{secret:?}"
    );
}

#[test]
fn secrets_stay_secret() {
    assert!(matches!(render("{{ db.password }}"), Value::Secret(_)));
    assert!(matches!(
        render("postgres://{{ db.user }}:{{ db.password }}@h"),
        Value::Secret(_)
    ));
    assert!(matches!(
        render("{{ db.password | b64encode }}"),
        Value::Secret(_)
    ));
    assert!(matches!(render("{{ db | to_json }}"), Value::Secret(_)));
    assert_eq!(value("{{ db.user }}"), "app");
    let items = render("{{ db | dict2items }}");
    let shown = items.to_json();
    assert_eq!(
        shown[1],
        serde_json::json!({"key": "password", "value": "***"})
    );
    assert_eq!(shown[0], serde_json::json!({"key": "user", "value": "app"}));
    assert!(!format!("{:?}", render("{{ [db.password, db.user] }}")).contains("s3cret"));
    assert_eq!(condition("db.password == 's3cret\"x'"), Some(true));
}

#[test]
fn mistakes_have_places() {
    for (text, wanted) in [
        (
            "{{ nmae }}",
            "1:4 `nmae` is undefined; did you mean `name`?",
        ),
        (
            "x\n  {{ ports | lenght }}",
            "2:14 there is no filter `lenght`; did you mean `length`?",
        ),
        (
            "{{ name is definde }}",
            "1:12 there is no test `definde`; did you mean `defined`?",
        ),
        (
            "{{ lokup('env', 'X') }}",
            "1:4 there is no function `lokup`; did you mean `lookup`?",
        ),
        (
            "{{ nested.a.b.c.d }}",
            "1:4 `nested.a.b.c` is undefined; define it, or say what to do without it, as in `nested.a.b.c | default('')`",
        ),
        (
            "{{ nested.a.x == '0644' }}",
            "1:4 `nested.a.x` is undefined; define it, or say what to do without it, as in `nested.a.x | default('')`",
        ),
        (
            "{{ 'a' if name and db.usr > 1 }}",
            "1:20 `db.usr` is undefined; did you mean `db.user`?",
        ),
        (
            "{{ ansible_default_ipv4.address }}",
            "1:4 `ansible_default_ipv4.address` is undefined: no play gathered this fact of the host, or the host has none; look for `gather_facts: false` on the play, or give it a default, as in `ansible_default_ipv4.address | default('')`",
        ),
    ] {
        assert_eq!(wrong(text), wanted, "{text}");
    }
    assert!(
        wrong("a {{ name").starts_with("1:"),
        "{}",
        wrong("a {{ name")
    );
    assert!(wrong("{{ 'a' + }}").contains("not valid Jinja"));
    assert!(wrong("{{ 1 + name }}").starts_with("1:4 "));
    assert!(
        wrong("{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}")
            .contains("does not come to an end")
    );
}

#[test]
fn filters_and_tests_of_collections() {
    assert_eq!(value("{{ [1, 2] | ansible.builtin.length }}"), 2);
    assert_eq!(condition("name is ansible.builtin.truthy"), Some(true));
    assert_eq!(condition("name is not ansible.builtin.truthy"), Some(false));
    assert_eq!(condition("not nested.a.b"), Some(false));
    let text =
        "{{ ['a', 'b'] | map('ansible.builtin.upper') | select('ansible.builtin.ne', 'B') }}";
    assert_eq!(value(text), serde_json::json!(["A"]));
    let text = "{{ [{'a': 1}, {}] | selectattr('a', \"ansible.builtin.defined\") | list }}";
    assert_eq!(value(text), serde_json::json!([{"a": 1}]));
    assert_eq!(
        wrong("{{ name | debops.debops.globmatch }}"),
        "1:11 there is no filter `debops.debops.globmatch`; it is a plugin of the collection `debops.debops`, \
         written in Python, which is not run here"
    );
    assert_eq!(
        wrong("{{ [name] | map('my.own.thing') }}"),
        "1:18 there is no filter `my.own.thing`; it is a plugin of the collection `my.own`, written in Python, \
         which is not run here"
    );
    assert_eq!(
        wrong("{{ name | ansible.builtin.uper }}"),
        "1:11 there is no filter `uper`; did you mean `upper`?"
    );
}

#[test]
fn what_is_undefined_is_named_not_the_filter() {
    for (text, name) in [
        ("{{ nope | bool }}", "nope"),
        ("{{ nope | lower | trim }}", "nope"),
        ("{{ 'a' if name and nope | bool else 'b' }}", "nope"),
        ("{{ nested.a.x | int }}", "nested.a.x"),
        ("{{ nope is truthy }}", "nope"),
    ] {
        assert!(
            wrong(text).contains(&format!(" `{name}` is undefined;")),
            "{text}: {}",
            wrong(text)
        );
    }
}

#[test]
fn templates_change_their_lists_and_maps() {
    for (text, result) in [
        (
            "{% set l = [] %}{% for x in [1, 2] %}{% set _ = l.append(x * 2) %}{% endfor %}-{{ l }}",
            "-[2, 4]",
        ),
        (
            "{% set l = ports | list %}{% do l.extend([1]) %}{{ l | sort | join(',') }} {{ ports }}",
            "1,80,443 [80, 443]",
        ),
        (
            "{% set d = {} %}{% set _ = d.update({name: [1]}) %}{% set _ = d[name].append(2) %}-{{ d }}",
            "-{'web': [1, 2]}",
        ),
        (
            "{% set d = dict(a=1) %}{% set _ = d.update(b=2) %}{% set _ = d.setdefault('c', []).append(3) %}\
             {{ d.keys() | list }} {{ d.c }} {{ 'b' in d }} {{ d | length }} {{ d.get('x', 9) }}",
            "['a', 'b', 'c'] [3] True 3 9",
        ),
        (
            "{% set ns = namespace(all=[]) %}{% for x in 'ab' %}{% set _ = ns.all.insert(0, x) %}{% endfor %}\
             -{{ ns.all }}",
            "-['b', 'a']",
        ),
        (
            "{% set a = [3, 1] %}{% set b = a %}{% set _ = b.append(2) %}{% set _ = a.sort() %}{{ a.pop() }}{{ b }}",
            "3[1, 2]",
        ),
        (
            "{% set a = [1, 2, 3] %}{% set _ = a.remove(2) %}{% for x in a %}{% set _ = a.append(x) %}{% endfor %}\
             {{ a }}{{ a[-1] }}{{ a.index(3) }}{{ a.copy() == a }}",
            "[1, 3, 1, 3]31True",
        ),
    ] {
        assert_eq!(value(text), result, "{text}");
    }
    for (text, message) in [
        (
            "{% set l = [] %}{% set _ = l.append(l) %}",
            "a list or map cannot be put into itself",
        ),
        (
            "{% set l = [] %}{% set d = {'l': l} %}{% set _ = l.append([d]) %}",
            "a list or map cannot be put into itself",
        ),
        (
            "{% set l = [1] %}{% for i in range(40) %}{% set _ = l.extend(l) %}{% endfor %}",
            "a list or map of more than 1000000 items",
        ),
        (
            "{% set l = [] %}{{ l.pop() }}",
            "`pop`: there is no such item in the list",
        ),
        (
            "{% set d = {} %}{% set _ = d.update(3) %}",
            "`update` wants a list, found number",
        ),
        (
            "{% set l = [] %}{% set _ = l.append(nope) %}",
            "`nope` is undefined",
        ),
        (
            "{% set _ = ports.append(1) %}",
            "sequence has no method named append",
        ),
    ] {
        assert!(wrong(text).contains(message), "{text}: {}", wrong(text));
    }
}

#[test]
fn arguments_by_name_and_methods_of_lists() {
    for (text, result) in [
        (
            "{{ nope | default('x', boolean=true) }}{{ '' | d('y', true) }}",
            "xy",
        ),
        (
            "{{ no | default(default_value='x', boolean=false) }}{{ nope | d }}",
            "no",
        ),
        (
            "{{ 102400000 | human_readable(isbits=True, unit='G') }}",
            "0.10 Gb",
        ),
        (
            "{{ 10240 | human_readable }} {{ 1 | human_readable(true) }}",
            "10.00 KB 1.00 bits",
        ),
        (
            "{{ ports.index(443) }}{{ '1.0' is version('2.0', '<', true) }}",
            "1True",
        ),
    ] {
        assert_eq!(value(text), result, "{text}");
    }
    let text = "{{ lookup('dict', {'b': 1, 'a': 2}) | map(attribute='key') | sort }}";
    assert_eq!(value(text), serde_json::json!(["a", "b"]));
    assert_eq!(value("{{ lookup('items', ['a', 'b']) }}"), "a,b");
    assert!(wrong("{{ ports.index(1) }}").contains("`1` is not in the list"));
}
