//! `ini-file`.

use evenkeel_engine::{Map, NotYet, Secret, Value, fake::FakeHost, hex, sha256};

use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "ini-file: {path: /f, section: s, option: o, value: v, state: absent, section_has_values: \
     [{option: a, value: b}], no_extra_spaces: true, ignore_spaces: true, allow_no_value: true, \
     exclusive: false, modify_inactive_option: false, create: false, backup: true, follow: true, \
     validate: check %s, owner: app, group: web, mode: '0640'}",
    "ini-file: {path: /f, sections: {s: {o: v, p: [w, x]}}}",
];

const TEXT: &str =
    "; drinks\n[drinks]\nfav = lemonade\nbeverage = water\n\n# food\n[food]\nfav = bread\n";

fn host() -> FakeHost {
    FakeHost::new()
        .user("app", 1000)
        .file("/etc/f", TEXT)
        .dir("/srv/d")
}

/// A case on `/etc/f`; `None`: the file stays as it is.
fn edit(name: &str, args: &str, before: &str, after: Option<&str>) -> Expect {
    let yaml = format!("ini-file: {{path: /etc/f, {args}}}");
    let case = case(name, &yaml).on(host().file("/etc/f", before));
    match after {
        Some(text) => case.then("/etc/f", &format!("file = {text}")),
        None => case.then("/etc/f", &format!("file = {before}")),
    }
}

pub(crate) fn cases() -> Vec<Expect> {
    [
        set(),
        sections(),
        spaces(),
        inactive(),
        bare(),
        lists(),
        removed(),
        several(),
        dialect(),
        lines(),
        files(),
        many(),
        refusals(),
    ]
    .concat()
}

const FAV: &str = "section: drinks, option: fav, value: lemonade";

fn set() -> Vec<Expect> {
    vec![
        case(
            "INI-01 all is new",
            &format!("ini_file: {{dest: /srv/a/f, {FAV}}}"),
        )
        .on(host())
        .changes(["directory", "content", "[drinks] fav: null -> \"lemonade\""])
        .then(
            "/srv/a/f",
            "file 0644 root:root = [drinks]\nfav = lemonade\n",
        ),
        edit("INI-02 it is there", FAV, TEXT, None),
        edit(
            "INI-03 at the end of its section",
            "section: drinks, option: tea, value: green",
            TEXT,
            Some(&TEXT.replace("water\n", "water\ntea = green\n")),
        )
        .changes(["content", "[drinks] tea: null -> \"green\""]),
        edit(
            "INI-04 in its place",
            "section: drinks, option: fav, value: tea",
            TEXT,
            Some(&TEXT.replace("lemonade", "tea")),
        )
        .changes(["content", "[drinks] fav: \"lemonade\" -> \"tea\""]),
        edit(
            "INI-08 before all sections",
            "option: a, value: b",
            TEXT,
            Some(&format!("a = b\n{TEXT}")),
        )
        .changes(["content", "a"]),
        edit(
            "an option before all sections",
            "section: '', key: a, value: c",
            "a = b\n[s]\na = x\n",
            Some("a = c\n[s]\na = x\n"),
        )
        .changes(["content", "a: \"b\" -> \"c\""]),
        edit(
            "an option before a section that begins the file",
            "option: a, value: b",
            "[s]\na = x\n",
            Some("a = b\n[s]\na = x\n"),
        )
        .changes(["content", "a: null -> \"b\""]),
        edit(
            "an option before all sections goes",
            "option: a, state: absent",
            "a = b\n[s]\na = x\n",
            Some("[s]\na = x\n"),
        )
        .changes(["content", "a"]),
        edit(
            "INI-09 an empty value",
            "section: s, option: evolve, value: ''",
            "[s]\nevolve = x\n",
            Some("[s]\nevolve = \n"),
        )
        .changes(["content", "[s] evolve: \"x\" -> \"\""]),
    ]
}

fn sections() -> Vec<Expect> {
    vec![
        edit(
            "a section alone",
            "section: new",
            "[s]\n",
            Some("[s]\n[new]\n"),
        )
        .changes(["content", "[new]: null -> \"there\""]),
        edit("a section that is there", "section: s", "[s]\na=b", None),
        edit(
            "INI-20 other sections stay",
            "section: food, option: fav, value: rice",
            TEXT,
            Some(&TEXT.replace("bread", "rice")),
        )
        .changes(["content", "[food] fav"]),
        edit(
            "numbers and booleans",
            "section: s, option: a, value: true",
            "[s]\na = 1\n",
            Some("[s]\na = True\n"),
        )
        .changes(["content", "[s] a: \"1\" -> \"True\""]),
        edit(
            "percent signs are left alone",
            "section: s, option: a, value: '%(asctime)s %%'",
            "[s]\nb = %(a)s\n",
            Some("[s]\nb = %(a)s\na = %(asctime)s %%\n"),
        )
        .changes(["content", "[s] a"]),
    ]
}

fn spaces() -> Vec<Expect> {
    let bar = "section: s, option: bar, value: baz";
    vec![
        edit(
            "INI-15 other spaces",
            bar,
            "[s]\nbar=baz\n",
            Some("[s]\nbar = baz\n"),
        )
        .changes(["content", "[s] bar: \"written otherwise\" -> \"baz\""]),
        edit(
            "other spaces are ignored",
            &format!("{bar}, ignore_spaces: true"),
            "[s]\nbar=  baz \n",
            None,
        ),
        edit(
            "another value is not ignored",
            &format!("{bar}, ignore_spaces: true"),
            "[s]\nbar=x\n",
            Some("[s]\nbar = baz\n"),
        )
        .changes(["content", "[s] bar"]),
        edit(
            "INI-16 no spaces are written",
            &format!("{bar}, no_extra_spaces: true"),
            "[s]\n",
            Some("[s]\nbar=baz\n"),
        )
        .changes(["content", "[s] bar"]),
        edit("INI-17 spaces in brackets", bar, "[ s ]\nbar = baz\n", None),
        edit(
            "the depth of a line stays",
            bar,
            "[s]\n\tname = x\n\tbar = y\n\tz = 1\n",
            Some("[s]\n\tname = x\n\tbar = baz\n\tz = 1\n"),
        )
        .changes(["content", "[s] bar"]),
        edit(
            "a new line is as deep as the others",
            bar,
            "[s]\n\tname = x\n",
            Some("[s]\n\tname = x\n\tbar = baz\n"),
        )
        .changes(["content", "[s] bar"]),
    ]
}

fn inactive() -> Vec<Expect> {
    let bar = "section: s, option: foo, value: bar";
    vec![
        edit("INI-13 a comment becomes the option", bar, "[s]\n#foo=bar\nz = 1\n", Some("[s]\nfoo = bar\nz = 1\n"))
            .changes(["content", "[s] foo: null -> \"bar\""]),
        edit("with another value", bar, "[s]\n; foo = x\n", Some("[s]\nfoo = bar\n"))
            .changes(["content", "[s] foo"]),
        edit(
            "a comment stays",
            &format!("{bar}, modify_inactive_option: false"),
            "[s]\n#foo=bar\nz = 1\n",
            Some("[s]\n#foo=bar\nz = 1\nfoo = bar\n"),
        )
        .changes(["content", "[s] foo"]),
        edit(
            "a line that sets it comes first",
            bar,
            "[s]\n#foo=bar\nfoo = x\n",
            Some("[s]\n#foo=bar\nfoo = bar\n"),
        )
        .changes(["content", "[s] foo"]),
        edit(
            "INI-14 prose is no option",
            "section: PHP, option: output_buffering, value: 4096",
            "[PHP]\n; output_buffering\n; output_buffering is 0 by default\n;output_buffering = 0\n",
            Some("[PHP]\n; output_buffering\n; output_buffering is 0 by default\noutput_buffering = 4096\n"),
        )
        .changes(["content", "[PHP] output_buffering"]),
    ]
}

fn bare() -> Vec<Expect> {
    let bare = "section: s, option: skip, allow_no_value: true";
    vec![
        edit(
            "INI-07 a name alone",
            bare,
            "[s]\na = b\n",
            Some("[s]\na = b\nskip\n"),
        )
        .changes(["content", "[s] skip: null -> \"\""]),
        edit("a name alone is there", bare, "[s]\nskip\n", None),
        edit(
            "it had a value",
            bare,
            "[s]\nskip = 1\n",
            Some("[s]\nskip\n"),
        )
        .changes(["content", "[s] skip"]),
        edit(
            "it gets a value",
            &format!("{bare}, value: 1"),
            "[s]\nskip\n",
            Some("[s]\nskip = 1\n"),
        )
        .changes(["content", "[s] skip"]),
        edit(
            "a comment of a name alone",
            bare,
            "[s]\n#skip\n",
            Some("[s]\nskip\n"),
        )
        .changes(["content", "[s] skip"]),
    ]
}

fn lists() -> Vec<Expect> {
    let list = "section: s, option: a, values: [x, y, x]";
    vec![
        edit(
            "INI-18 all of a list",
            list,
            "[s]\na = y\nb = 1\n",
            Some("[s]\na = y\nb = 1\na = x\n"),
        )
        .changes(["content", "[s] a: \"y\" -> \"y, x\""]),
        edit("in any order", list, "[s]\na = y\na = x\n", None),
        edit(
            "others go",
            list,
            "[s]\na = z\na = x\na = w\n",
            Some("[s]\na = y\na = x\n"),
        )
        .changes(["content", "[s] a"]),
        edit(
            "others stay",
            &format!("{list}, exclusive: false"),
            "[s]\na = z\na = x\n",
            Some("[s]\na = z\na = x\na = y\n"),
        )
        .changes(["content", "[s] a"]),
    ]
}

fn removed() -> Vec<Expect> {
    vec![
        edit(
            "INI-05 an option goes",
            "section: drinks, option: fav, state: absent",
            TEXT,
            Some(&TEXT.replace("fav = lemonade\n", "")),
        )
        .changes(["content", "[drinks] fav: \"lemonade\" -> null"]),
        edit(
            "it is gone",
            "section: food, option: x, state: absent",
            TEXT,
            None,
        ),
        edit(
            "its section is gone",
            "section: x, option: x, state: absent",
            TEXT,
            None,
        ),
        edit(
            "a section goes",
            "section: drinks, state: absent",
            TEXT,
            Some("; drinks\n[food]\nfav = bread\n"),
        )
        .changes(["content", "[drinks]: \"there\" -> null"]),
        edit(
            "all sections of a name go",
            "section: s, state: absent",
            "[s]\na=1\n[t]\n[s]\nb=2\n",
            Some("[t]\n"),
        )
        .changes(["content", "[s]"]),
        case(
            "no file",
            "ini-file: {path: /etc/no, section: s, state: absent}",
        )
        .on(host()),
        edit(
            "INI-19 only these values go",
            "section: s, option: a, value: [x], state: absent, exclusive: false",
            "[s]\na = x\na = y\n",
            Some("[s]\na = y\n"),
        )
        .changes(["content", "[s] a"]),
        edit(
            "no values, none go",
            "section: s, option: a, state: absent, exclusive: false",
            "[s]\na = x\n",
            None,
        ),
        edit(
            "a comment amid a value stays",
            "section: s, option: a, state: absent",
            "[s]\na = x\n  # why\n  y\nb = 1\n",
            Some("[s]\n  # why\nb = 1\n"),
        )
        .changes(["content", "[s] a"]),
    ]
}

fn several() -> Vec<Expect> {
    let text = "[peer]\nname = a\nip = 1\n[peer]\nname = b\nip = 2\n";
    let with = |name: &str| {
        format!(
            "section: peer, option: ip, value: 9, section_has_values: [{{option: name, value: {name}}}]"
        )
    };
    vec![
        edit(
            "INI-21 one of several sections",
            &with("b"),
            text,
            Some(&text.replace('2', "9")),
        )
        .changes(["content", "[peer] ip: \"2\" -> \"9\""]),
        edit(
            "none of them",
            &with("c"),
            text,
            Some(&format!("{text}[peer]\nname = c\nip = 9\n")),
        )
        .changes(["content", "[peer] ip: null -> \"9\""]),
        edit(
            "the one that has an option",
            "section: peer, option: ip, value: 9, section_has_values: [{option: port}]",
            "[peer]\nip = 1\n[peer]\nport = 1\n",
            Some("[peer]\nip = 1\n[peer]\nport = 1\nip = 9\n"),
        )
        .changes(["content", "[peer] ip"]),
    ]
}

fn dialect() -> Vec<Expect> {
    vec![
        edit(
            "INI-10 a byte order mark",
            FAV,
            "\u{feff}[drinks]\nfav = x\n",
            Some("\u{feff}[drinks]\nfav = lemonade\n"),
        )
        .changes(["content", "[drinks] fav"]),
        edit(
            "INI-11 without a newline at the end",
            "section: s, option: b, value: 2",
            "[s]\na = 1",
            Some("[s]\na = 1\nb = 2\n"),
        )
        .changes(["content", "[s] b"]),
        edit(
            "nothing else is wrong with it",
            "section: s, option: a, value: 1",
            "[s]\na = 1",
            None,
        ),
        edit(
            "INI-12 letters of all kinds",
            "section: été, option: naïve, value: '☃ x'",
            "[été]\nnaïve = x\n",
            Some("[été]\nnaïve = ☃ x\n"),
        )
        .changes(["content", "[été] naïve"]),
        edit(
            "INI-22 names that are patterns",
            "section: 'app:main', option: sqlalchemy.url, value: 'postgresql:///?a=b'",
            "[app:main]\nsqlalchemyxurl = 1\nsqlalchemy.url = x\n[app]\n",
            Some("[app:main]\nsqlalchemyxurl = 1\nsqlalchemy.url = postgresql:///?a=b\n[app]\n"),
        )
        .changes(["content", "[app:main] sqlalchemy.url"]),
        edit(
            "names of shells",
            r#"section: "$(id); 'x'", option: '`id`', value: '"; rm -rf / #'"#,
            "",
            Some("[$(id); 'x']\n`id` = \"; rm -rf / #\n"),
        )
        .changes(["content", "[$(id); 'x'] `id`"]),
    ]
}

fn lines() -> Vec<Expect> {
    vec![
        edit(
            "a colon",
            "section: s, option: key, value: new",
            "[s]\nkey: old\nkey:x = 1\n",
            Some("[s]\nkey = new\nkey:x = 1\n"),
        )
        .changes(["content", "[s] key: \"old\" -> \"new\""]),
        edit(
            "a value of several lines",
            r#"section: s, option: a, value: "x\n\ny = 1\n""#,
            "[s]\na = old\n   more\nb = 1\n",
            Some("[s]\na = x\n\n\ty = 1\nb = 1\n"),
        )
        .changes(["content", "[s] a: \"old\\nmore\" -> \"x\\n\\ny = 1\""]),
        edit(
            "a line of a value is no option",
            "section: s, option: y, value: 2",
            "[s]\na = x\n  y = 1\n",
            Some("[s]\na = x\n  y = 1\ny = 2\n"),
        )
        .changes(["content", "[s] y: null -> \"2\""]),
        edit(
            "ends of lines as on Windows",
            "section: s, option: b, value: 2",
            "[s]\r\na = 1\r\n[t]\r\n",
            Some("[s]\r\na = 1\r\nb = 2\r\n[t]\r\n"),
        )
        .changes(["content", "[s] b"]),
        edit(
            "names that differ in case",
            "section: s, option: Executor, value: 2",
            "[s]\nexecutor = 1\n",
            Some("[s]\nexecutor = 1\nExecutor = 2\n"),
        )
        .changes(["content", "[s] Executor"])
        .warns("is also there as `executor`"),
        edit(
            "no bytes of text",
            FAV,
            "[drinks]\nfav = lemonade\nx = \0\u{1}\n",
            None,
        )
        .warns_not(),
    ]
}

fn files() -> Vec<Expect> {
    let backup = format!("/etc/f.{}~", &hex(&sha256(TEXT.as_bytes()))[..12]);
    let linked = || {
        FakeHost::new()
            .user("app", 1000)
            .file("/etc/f", TEXT)
            .owned("/etc/f", "app", "app")
            .mode("/etc/f", 0o600)
            .link("/srv/l", "/etc/f")
    };
    let tea = "section: drinks, option: fav, value: tea";
    let after = TEXT.replace("lemonade", "tea");
    vec![
        case(
            "INI-23 a link is replaced",
            &format!("ini-file: {{path: /srv/l, {tea}}}"),
        )
        .on(linked())
        .changes(["content", "[drinks] fav"])
        .then("/srv/l", &format!("file 0600 app:app = {after}"))
        .then("/etc/f", &format!("file = {TEXT}")),
        case(
            "a link is followed",
            &format!("ini-file: {{path: /srv/l, {tea}, follow: true}}"),
        )
        .rounds(2, "the link, then what it leads to")
        .on(linked())
        .changes(["content", "[drinks] fav"])
        .then("/srv/l", "link -> /etc/f")
        .then("/etc/f", &format!("file 0600 app:app = {after}")),
        case(
            "a link to what is right",
            &format!("ini-file: {{path: /srv/l, {FAV}}}"),
        )
        .rounds(2, "the link, then what it leads to")
        .on(linked())
        .then("/srv/l", "link -> /etc/f"),
        case(
            "INI-24 a backup",
            &format!("ini-file: {{path: /etc/f, {tea}, backup: true}}"),
        )
        .on(host())
        .changes(["content", "[drinks] fav"])
        .then(&backup, &format!("file = {TEXT}")),
        case(
            "only the mode",
            &format!("ini-file: {{path: /etc/f, {FAV}, mode: '0640', group: app}}"),
        )
        .on(host().group("app", 1000))
        .changes(["group", "mode"])
        .then("/etc/f", &format!("file 0640 root:app = {TEXT}")),
        case(
            "it is not made",
            &format!("ini-file: {{path: /etc/no, {FAV}, create: false}}"),
        )
        .on(host())
        .not_yet("the file `/etc/no`"),
        case("a directory", &format!("ini-file: {{path: /srv/d, {FAV}}}"))
            .on(host())
            .refused("`/srv/d` is not a file: directory"),
    ]
}

fn many() -> Vec<Expect> {
    let airflow = "\
[core]
# The executor.
# executor = SequentialExecutor
load_examples = True

[database]
sql_alchemy_conn = sqlite:///airflow.db
";
    let after = "\
[core]
# The executor.
executor = CeleryExecutor
load_examples = False

[database]
sql_alchemy_conn = postgresql://db
[celery]
broker_url = amqp://mq
";
    let sections = "sections: {core: {executor: CeleryExecutor, load_examples: false}, \
                    database: {sql_alchemy_conn: 'postgresql://db'}, celery: {broker_url: 'amqp://mq'}}";
    let secret = |value: Value| {
        let options = Map::from_iter([("conn".to_owned(), value)]);
        Value::Map(Map::from_iter([("db".to_owned(), Value::Map(options))]))
    };
    vec![
        edit(
            "INI-25 many at once",
            &format!("{sections}, mode: '0640'"),
            airflow,
            Some(after),
        )
        .changes([
            "content",
            "[core] executor: null -> \"CeleryExecutor\"",
            "[core] load_examples: \"True\" -> \"False\"",
            "[database] sql_alchemy_conn",
            "[celery] broker_url",
            "mode",
        ]),
        edit("all is there", sections, after, None),
        edit(
            "many go at once",
            "sections: {core: {executor: null, load_examples: null}, celery: null}, state: absent",
            after,
            Some("[core]\n# The executor.\n\n[database]\nsql_alchemy_conn = postgresql://db\n"),
        )
        .changes([
            "content",
            "[core] executor",
            "[core] load_examples",
            "[celery]",
        ]),
        case(
            "a secret value",
            "ini-file: {path: /etc/f, section: drinks, option: fav}",
        )
        .on(host())
        .arg("value", Value::Secret(Secret::new("hunter22")))
        .changes([
            "content: \"***\" -> \"***\"",
            "[drinks] fav: \"***\" -> \"***\"",
        ])
        .gives("checksum", "nothing"),
        case("a secret among many", "ini-file: {path: /etc/f}")
            .on(host())
            .arg("sections", secret(Value::Secret(Secret::new("hunter22"))))
            .changes(["content: \"***\" -> \"***\"", "[db] conn: null -> \"***\""])
            .gives("checksum", "nothing"),
        case("a value that is not known yet", "ini-file: {path: /etc/f}")
            .on(host())
            .arg(
                "sections",
                secret(Value::NotYet(NotYet::new("the address of db1"))),
            )
            .not_yet("the address of db1"),
    ]
}

fn refusals() -> Vec<Expect> {
    let refused = |name: &str, args: &str, message: &str| {
        case(name, &format!("ini-file: {{path: /etc/f, {args}}}")).refused(message)
    };
    vec![
        refused(
            "INI-06 no value",
            "section: s, option: a",
            "`[s] a` has no value",
        ),
        refused(
            "no value of many",
            "sections: {s: {a: null}}",
            "`[s] a` has no value",
        ),
        refused(
            "nothing is named",
            "state: absent",
            "one of `section`, `option` and `sections`",
        ),
        refused(
            "two ways",
            "section: s, sections: {s: {a: 1}}",
            "`sections` excludes",
        ),
        refused(
            "a value of nothing",
            "section: s, value: 1",
            "`value` needs `option`",
        ),
        refused(
            "an empty list",
            "section: s, option: a, value: []",
            "is empty",
        ),
        refused(
            "an option with a sign",
            "section: s, option: 'a=b', value: 1",
            "no name of an option",
        ),
        refused(
            "an option that is a comment",
            "section: s, option: '#a', value: 1",
            "no name of an option",
        ),
        refused(
            "an option of two lines",
            r#"section: s, option: "a\n[t]\nb", value: 1"#,
            "no name of an option",
        ),
        refused(
            "a section of two lines",
            r#"section: "s]\n[t", option: a, value: 1"#,
            "no name of a section",
        ),
        refused(
            "a value with a comment in it",
            r#"section: s, option: a, value: "x\n# y""#,
            "cannot be read back",
        ),
        edit(
            "depths at odds",
            "section: s, option: a, value: 1",
            "[s]\na\n  b = 2\n",
            None,
        )
        .refused("cannot be set without a change of what is beside it"),
    ]
}
