use std::{fs, path::Path};

use async_trait::async_trait;
use evenkeel_engine::{
    Bound, Done, Late, Module, Part, Plan, Probes, Resolved, Secret, Seen, Stop, Thing, Touches,
    Value,
    host::{Exchange, Host, HostError, Reply, Stopping, Traffic},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::*;
use crate::{
    ast::Prompt,
    load::{HostVars, Loaded, load_with_files},
};

/// A module with a late argument, a file and a list.
struct Put;

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PutArgs {
    path: String,
    #[serde(default)]
    #[schemars(with = "Option<serde_json::Value>")]
    text: Option<Late<Value>>,
    #[serde(default)]
    src: Option<evenkeel_engine::Source>,
    #[serde(default)]
    count: Option<u8>,
}

impl Module for Put {
    const NAME: &'static str = "put";
    const ABOUT: &'static str = "for tests";
    const EXAMPLE: &'static str = "- put: {path: /x}";
    const FILES: &'static [&'static str] = &["src"];
    type Args = PutArgs;
    type Output = BTreeMap<String, String>;
    fn observe(_: &PutArgs, _: &Seen) -> Probes {
        Probes::new()
    }
    fn plan(_: &PutArgs, _: &Seen) -> Result<Plan, Stop> {
        Ok(Plan::nothing())
    }
    fn output(_: &PutArgs, _: &Seen, _: &[Done]) -> Result<Self::Output, Stop> {
        Ok(BTreeMap::new())
    }
    fn touches(args: &PutArgs) -> Touches {
        Touches::writes([Thing::Path(args.path.clone())])
    }
    fn subject(args: &PutArgs) -> String {
        args.path.clone()
    }
}

/// What the names of the real modules stand for here.
macro_rules! free_module {
    ($type:ident, $name:literal, $nature:expr) => {
        struct $type;
        impl Module for $type {
            const NAME: &'static str = $name;
            const ABOUT: &'static str = "for tests";
            const EXAMPLE: &'static str = "";
            const NATURE: Nature = $nature;
            type Args = BTreeMap<String, Late<serde_json::Value>>;
            type Output = BTreeMap<String, String>;
            fn observe(_: &Self::Args, _: &Seen) -> Probes {
                Probes::new()
            }
            fn plan(_: &Self::Args, _: &Seen) -> Result<Plan, Stop> {
                Ok(Plan::nothing())
            }
            fn output(_: &Self::Args, _: &Seen, _: &[Done]) -> Result<Self::Output, Stop> {
                Ok(BTreeMap::new())
            }
            fn touches(_: &Self::Args) -> Touches {
                Touches::nothing()
            }
            fn subject(_: &Self::Args) -> String {
                String::new()
            }
        }
    };
}
free_module!(SetFact, "set_fact", Nature::Passive);
free_module!(Debug, "debug", Nature::Passive);
free_module!(Assert, "assert", Nature::Control);
free_module!(Template_, "file-template", Nature::State);
free_module!(Command, "command", Nature::Command);
free_module!(Fail, "fail", Nature::Control);
free_module!(Spec, "validate_argument_spec", Nature::Control);

struct NoHost;

#[async_trait]
impl Host for NoHost {
    async fn exchange(&self, _: Exchange) -> Result<Reply, HostError> {
        panic!("nothing is sent when a playbook is loaded")
    }
    async fn stop(&self, _: &Stopping) -> Result<(), HostError> {
        Ok(())
    }
    fn traffic(&self) -> Traffic {
        Traffic::default()
    }
}

fn write(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().expect("it has a folder")).expect("made");
    fs::write(path, text).expect("written");
}

fn load_dir(dir: &Path, change: impl FnOnce(&mut Request)) -> Result<Loaded, String> {
    let registry = Registry::default()
        .with::<Put>()
        .with::<SetFact>()
        .with::<Debug>()
        .with::<Assert>()
        .with::<Template_>()
        .with::<Fail>()
        .with::<Spec>()
        .with::<Command>();
    let mut request = Request {
        playbooks: vec![dir.join("site.yml")],
        ..Request::default()
    };
    if dir.join("hosts").is_file() {
        request.inventory = vec![dir.join("hosts").display().to_string()];
    }
    change(&mut request);
    let connect = |_: &HostVars| Ok(Arc::new(NoHost) as Arc<dyn Host>);
    load_with_files(&request, &Arc::new(registry), &connect).map_err(
        |crate::load::Refused {
             diagnostics: found,
             files,
             ..
         }| {
            let show = |error: &crate::diagnostic::Diagnostic| {
                let place = error.at.map(|at| files.position(at.file, at.start));
                let place = place.map_or(String::new(), |at| format!("{}:{} ", at.line, at.column));
                let help = error
                    .help
                    .as_ref()
                    .map_or(String::new(), |help| format!("; {help}"));
                format!("{place}{} {}{help}", error.code, error.message)
            };
            found.iter().map(show).collect::<Vec<_>>().join("\n")
        },
    )
}

fn loaded(playbook: &str) -> Loaded {
    let dir = tempfile::tempdir().expect("a folder");
    write(dir.path(), "site.yml", playbook);
    load_dir(dir.path(), |_| ()).unwrap_or_else(|found| panic!("{found}"))
}

fn mistakes(playbook: &str) -> String {
    let dir = tempfile::tempdir().expect("a folder");
    write(dir.path(), "site.yml", playbook);
    match load_dir(dir.path(), |_| ()) {
        Err(found) => found,
        Ok(_) => panic!("nothing is wrong with it"),
    }
}

/// Results of tasks, by position.
#[derive(Default)]
struct Known(BTreeMap<u32, Output>);

impl Outputs for Known {
    fn of(&self, task: TaskId) -> Result<Arc<Output>, NotYet> {
        let found = self.0.get(&task.0).cloned();
        found.map(Arc::new).ok_or_else(|| NotYet::new("a result"))
    }
}

fn output(changed: bool, json: serde_json::Value) -> Output {
    Output {
        changed: changed.into(),
        value: json.into(),
        ..Output::default()
    }
}

fn resolve(loaded: &Loaded, task: usize, known: &Known) -> Result<Resolved, Stop> {
    loaded.list.tasks[task].body.resolve(known)
}

fn args(resolved: Result<Resolved, Stop>) -> serde_json::Value {
    match resolved {
        Ok(Resolved::One(bound)) => bound.args().to_json(),
        other => panic!("{other:?}"),
    }
}

fn names(loaded: &Loaded) -> Vec<String> {
    loaded
        .list
        .tasks
        .iter()
        .map(|task| task.name.clone())
        .collect()
}

mod brought;
mod logins;
mod specs;
mod words;

#[test]
fn variables_conditions_and_results() {
    let loaded = loaded(
        "- hosts: localhost
  vars: {port: 80, url: 'http://h:{{ port }}/'}
  tasks:
    - name: first {{ port }}
      put: {path: /a, text: '{{ url }}'}
      register: one
    - name: second
      put: {path: /b, text: '{{ one.stdout | default(omit) }}'}
      when: one is changed
    - name: third
      put: {path: /c, text: '{{ omit }}'}
      when: [false, one.rc == 0]
",
    );
    assert_eq!(names(&loaded), ["first 80", "second", "third"]);
    assert_eq!(
        args(resolve(&loaded, 0, &Known::default()))["text"],
        "http://h:80/"
    );
    let second = &loaded.list.tasks[1];
    assert_eq!(
        (second.needs.clone(), second.heeds.clone()),
        (vec![TaskId(0)], vec![TaskId(0)])
    );
    assert!(matches!(
        resolve(&loaded, 1, &Known::default()),
        Err(Stop::NotYet(_))
    ));
    let known = Known([(0, output(true, serde_json::json!({"stdout": "x"})))].into());
    assert_eq!(args(resolve(&loaded, 1, &known))["text"], "x");
    let known = Known([(0, output(false, serde_json::json!({})))].into());
    assert!(
        matches!(resolve(&loaded, 1, &known), Ok(Resolved::Skip(why)) if why == "one is changed")
    );
    assert!(matches!(
        resolve(&loaded, 2, &Known::default()),
        Ok(Resolved::Skip(_))
    ));
    assert_eq!((loaded.plays, loaded.tasks), (1, 3));
}

#[test]
fn facts_set_by_tasks() {
    let loaded = loaded(
        "- hosts: localhost
  tasks:
    - set_fact: {version: '1'}
    - set_fact: {version: '2'}
      when: one is defined
    - put: {path: /v, text: 'v{{ version }}'}
",
    );
    assert_eq!(loaded.list.tasks[2].needs, [TaskId(0), TaskId(1)]);
    let mut known = Known(
        [(
            0,
            output(
                false,
                serde_json::json!({"ansible_facts": {"version": "1"}}),
            ),
        )]
        .into(),
    );
    // Late: the path is known, the text is not.
    assert_eq!(args(resolve(&loaded, 2, &known))["path"], "/v");
    assert!(args(resolve(&loaded, 2, &known))["text"]["not_known"].is_string());
    known.0.insert(
        1,
        Output {
            skipped: true,
            changed: false.into(),
            ..Output::default()
        },
    );
    assert_eq!(args(resolve(&loaded, 2, &known))["text"], "v1");
    known.0.insert(
        1,
        output(
            false,
            serde_json::json!({"ansible_facts": {"version": "2"}}),
        ),
    );
    assert_eq!(args(resolve(&loaded, 2, &known))["text"], "v2");
}

#[test]
fn loops() {
    let loaded = loaded(
        "- hosts: localhost
  tasks:
    - put: {path: '/{{ item.n }}', text: '{{ i }}'}
      loop: [{n: a}, {n: b}]
      loop_control: {index_var: i, label: 'item {{ item.n }}'}
      when: item.n != 'a'
",
    );
    let Ok(Resolved::Loop(turns)) = resolve(&loaded, 0, &Known::default()) else {
        panic!("a loop");
    };
    assert_eq!(turns[0].label, "item a");
    assert_eq!(
        turns[0].body.as_ref().err().map(String::as_str),
        Some("item.n != 'a'")
    );
    let bound: &Arc<dyn Bound> = turns[1].body.as_ref().unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(
        bound.args().to_json(),
        serde_json::json!({"path": "/b", "text": 1})
    );
}

#[test]
fn handlers_stand_at_each_flush() {
    let loaded = loaded(
        "- hosts: localhost
  pre_tasks:
    - {name: pre, put: {path: /p}, notify: restart}
  tasks:
    - {name: a, put: {path: /a}, notify: [reload]}
    - meta: flush_handlers
    - {name: b, put: {path: /b}, notify: topic}
  handlers:
    - {name: restart, put: {path: /r}, listen: topic}
    - {name: reload, put: {path: /l}, notify: restart}
    - {name: last, put: {path: /z}, listen: topic}
",
    );
    assert_eq!(
        names(&loaded),
        ["pre", "restart", "a", "reload", "b", "restart", "last"]
    );
    let triggers = |index: usize| loaded.list.tasks[index].triggers.clone();
    assert_eq!(triggers(1), [TaskId(0)]);
    assert_eq!(triggers(3), [TaskId(2)]);
    // `reload` notified it when it had stood before it.
    assert_eq!(triggers(5), [TaskId(3), TaskId(4)]);
    assert!(loaded.list.tasks[5].handler && !loaded.list.tasks[4].handler);
}

#[test]
fn blocks_pass_on_their_keywords() {
    let loaded = loaded(
        "- hosts: localhost
  tasks:
    - block:
        - {name: body, put: {path: /a, text: '{{ x }}'}, tags: [t]}
      rescue:
        - {name: rescue, put: {path: /b}}
      always:
        - {name: always, put: {path: /c}}
      when: x == 1
      vars: {x: 1}
      become: true
      become_user: app
      tags: [b]
      ignore_errors: true
      environment: {LANG: C}
",
    );
    let parts: Vec<Part> = loaded
        .list
        .tasks
        .iter()
        .map(|task| task.blocks[0].1)
        .collect();
    assert_eq!(parts, [Part::Body, Part::Rescue, Part::Always]);
    let body = &loaded.list.tasks[0];
    assert_eq!(body.identity.user.as_deref(), Some("app"));
    assert!(body.ignore_errors);
    let environment = body.body.environment(&Known::default()).unwrap();
    assert_eq!(environment, Some(vec![("LANG".to_owned(), "C".into())]));
    assert_eq!(args(resolve(&loaded, 0, &Known::default()))["text"], 1);
    assert_eq!(loaded.tags, ["b", "t"]);
}

#[test]
fn passwords_come_from_variables_of_the_method() {
    let play = |vars: &str| {
        let text = format!(
            "- hosts: localhost\n  become: true\n  vars: {vars}\n  tasks:\n    - put: {{path: /a}}\n"
        );
        loaded(&text).list.tasks[0].identity.clone()
    };
    let sudo =
        play("{ansible_become_password: a, ansible_sudo_pass: \"b\\n\", ansible_su_pass: c}");
    assert_eq!(sudo.secret.unwrap().reveal(), b"b");
    let su = play(
        "{ansible_become_method: ansible.builtin.su, ansible_become_pass: a, ansible_su_flags: '-l x'}",
    );
    assert_eq!(su.secret.unwrap().reveal(), b"a");
    assert_eq!(
        (su.method, su.flags.len()),
        (evenkeel_engine::Method::Su, 2)
    );
    assert_eq!(play("{ansible_become_password: ''}").secret, None);
}

#[test]
fn hosts_groups_and_their_variables() {
    let dir = tempfile::tempdir().expect("a folder");
    write(
        dir.path(),
        "hosts",
        "[web]\nw1 own=host\nw2\n[db]\nd1\n[web:vars]\nown=group\nport=80\n",
    );
    write(
        dir.path(),
        "group_vars/all.yml",
        "port: 1\nfrom_all: '{{ inventory_hostname }}'\n",
    );
    write(
        dir.path(),
        "group_vars/web.yml",
        "extra: '{{ groups.db[0] }}'\n",
    );
    write(dir.path(), "host_vars/w2.yml", "port: 8080\n");
    write(
        dir.path(),
        "site.yml",
        "- hosts: web
  tasks:
    - {name: one, put: {path: /a, text: '{{ [own, port, from_all, extra, hostvars.d1.port, group_names] }}'}, id: one}
    - {name: two, put: {path: /b}, after: [one]}
",
    );
    let loaded = load_dir(dir.path(), |_| ()).unwrap_or_else(|found| panic!("{found}"));
    assert_eq!(names(&loaded), ["one", "one", "two", "two"]);
    let text = |task| args(resolve(&loaded, task, &Known::default()))["text"].clone();
    assert_eq!(
        text(0),
        // `group_vars/all` wins over what the inventory itself says of groups, as in Ansible.
        serde_json::json!(["host", 1, "w1", "d1", 1, ["web"]])
    );
    assert_eq!(
        text(1),
        serde_json::json!(["group", 8080, "w2", "d1", 1, ["web"]])
    );
    assert_eq!(loaded.list.tasks[3].after, [TaskId(1)]);
    let limited = load_dir(dir.path(), |request| request.limit = Some("w2".to_owned()));
    assert_eq!(
        limited
            .unwrap_or_else(|found| panic!("{found}"))
            .list
            .tasks
            .len(),
        2
    );
    let extra = load_dir(dir.path(), |request| {
        request.extra_vars = vec!["own=cli".to_owned()];
    });
    let extra = extra.unwrap_or_else(|found| panic!("{found}"));
    assert_eq!(
        args(resolve(&extra, 0, &Known::default()))["text"][0],
        "cli"
    );
}

#[test]
fn what_hosts_make_that_are_left_out_is_taken_to_be_there() {
    let dir = tempfile::tempdir().expect("a folder");
    write(dir.path(), "hosts", "[db]\nd1\nd2\n[web]\nw1\n");
    write(
        dir.path(),
        "site.yml",
        "- hosts: db\n  tasks:\n  - {id: made, debug: {msg: made}}\n\
         - hosts: web\n  tasks:\n  - {debug: {msg: one}, after: made@db}\n  \
         - {debug: {msg: two}, after: made@db}\n",
    );
    let limited = |hosts: &str| {
        let loaded = load_dir(dir.path(), |request| request.limit = Some(hosts.to_owned()));
        let loaded = loaded.unwrap_or_else(|found| panic!("{found}"));
        let said = loaded.warnings.iter().map(|found| found.message.clone());
        let after = loaded.list.tasks.iter().map(|task| task.after.len());
        (said.collect::<Vec<_>>(), after.collect::<Vec<_>>())
    };
    assert_eq!(limited("all"), (vec![], vec![0, 0, 2, 2]));
    assert_eq!(limited("w1:d2"), (vec![], vec![0, 1, 1]));
    let said = "what `made@db` makes is taken to be there: `--limit` leaves out who makes it";
    assert_eq!(limited("w1"), (vec![said.to_owned()], vec![0, 0]));
    write(
        dir.path(),
        "site.yml",
        "- hosts: web\n  tasks:\n  - {debug: {msg: one}, after: made@dbs}\n",
    );
    let refused = load_dir(dir.path(), |request| request.limit = Some("w1".to_owned()));
    assert!(refused.is_err());
}

#[test]
fn files_and_templates_of_the_controller() {
    let dir = tempfile::tempdir().expect("a folder");
    write(dir.path(), "files/a.txt", "hello");
    write(
        dir.path(),
        "templates/b.j2",
        // As in Ansible, neither the newline after a block counts nor the one that ends what is included.
        "{% include 'c.j2' %}\n\nport {{ port }}\n{% if one is changed %}\nnew\n{% endif %}\n",
    );
    write(dir.path(), "templates/c.j2", "# {{ name }}\n");
    write(
        dir.path(),
        "site.yml",
        "- hosts: localhost
  vars: {port: 80, name: app}
  tasks:
    - {put: {path: /a, src: a.txt}, register: one}
    - {file-template: {src: b.j2, dest: /b}}
",
    );
    let loaded = load_dir(dir.path(), |_| ()).unwrap_or_else(|found| panic!("{found}"));
    assert_eq!(args(resolve(&loaded, 0, &Known::default()))["src"], "a.txt");
    assert_eq!(loaded.list.tasks[1].needs, [TaskId(0)]);
    assert!(args(resolve(&loaded, 1, &Known::default()))["content"]["not_known"].is_string());
    let known = Known([(0, output(true, serde_json::json!({})))].into());
    assert_eq!(
        args(resolve(&loaded, 1, &known))["content"],
        "# app\nport 80\nnew\n"
    );

    write(dir.path(), "templates/c.j2", "#\n{{ nmae }}");
    let found = load_dir(dir.path(), |_| ()).err().unwrap_or_default();
    assert!(
        found.starts_with("2:4 undefined_variable `nmae` is undefined; did you mean `name`?"),
        "{found}"
    );
    write(dir.path(), "files/a.txt", "");
    fs::remove_file(dir.path().join("files/a.txt")).expect("removed");
    write(dir.path(), "files/a.text", "");
    let found = load_dir(dir.path(), |_| ()).err().unwrap_or_default();
    assert!(
        found.contains(
            "4:29 no_such_file there is no file `a.txt` on this machine; did you mean `a.text`?"
        ),
        "{found}"
    );
}

#[test]
fn mistakes_are_found_at_their_places() {
    let task = |text: &str| mistakes(&format!("- hosts: localhost\n  tasks:\n    - {text}\n"));
    assert_eq!(
        task("put: {pth: /a}"),
        "3:13 unknown_argument there is no argument `pth` of `put`; did you mean `path`?"
    );
    assert_eq!(
        task("put: {path: /a, count: many}"),
        "3:30 wrong_argument `count`: expected a whole number, found a text `many`"
    );
    assert!(
        task("put: {text: a}").starts_with("3:7 missing_argument the argument `path` is missing")
    );
    assert_eq!(
        task("put: {path: '/{{ nmae }}'}"),
        "3:24 undefined_variable `nmae` is undefined; define it, or say what to do without it, as in `nmae | default('')`"
    );
    assert!(task("put: {path: /a}\n      when: x is definde").starts_with("4:18 unknown_test"));
    assert_eq!(
        task("put: {path: /a}\n      loop: '{{ 1 }}'"),
        "4:13 not_a_list `loop` wants a list, found a whole number; write a list, or an expression that gives one"
    );
    // Not sure to be reached, or guarded: no mistake before the run.
    loaded(
        "- hosts: localhost\n  tasks:\n    - {put: {path: /a, text: '{{ x }}'}, when: x is defined}\n    - {put: {path: /b}, register: r}\n    - {put: {path: '{{ y }}'}, when: r is changed}\n",
    );
    let loaded = loaded(
        "- hosts: localhost\n  tasks:\n    - {put: {path: /b}, register: r}\n    - {put: {path: '{{ omit }}'}, when: r is changed}\n    - {put: {path: /b, count: '{{ [1] }}'}, when: r is changed}\n",
    );
    let said: Vec<&str> = (loaded.warnings.iter())
        .map(|warning| warning.code)
        .collect();
    assert_eq!(said, ["missing_argument", "wrong_argument"]);
    // But its arguments are wrong in any case.
    assert!(mistakes("- hosts: localhost\n  tasks:\n    - {put: {path: /b}, register: r}\n    - {put: {pth: a}, when: r is changed}\n").contains("4:14 unknown_argument"));
}

#[test]
fn circles_and_judges() {
    assert!(mistakes("- hosts: localhost\n  vars: {a: '{{ b }}', b: '{{ a }}'}\n  tasks:\n    - put: {path: '{{ a }}'}\n").contains("variable_circle the variable `a` is made of itself: a -> b -> a"));
    let loaded = loaded(
        "- hosts: localhost
  tasks:
    - command: {cmd: x}
      register: out
      changed_when: out.rc == 3
      failed_when: [out.rc != 0, out.rc != 3]
    - command: {cmd: y}
      changed_when: false
",
    );
    let judge = loaded.list.tasks[0].judge.clone().expect("it has one");
    let verdict = |rc: i64| {
        judge.judge(
            &output(true, serde_json::json!({"rc": rc})),
            None,
            &Known::default(),
        )
    };
    let shown = |rc| {
        verdict(rc)
            .map(|found| (found.changed, found.failed))
            .expect("known")
    };
    assert_eq!(shown(0), (Some(false), Some(false)));
    assert_eq!(shown(3), (Some(true), Some(false)));
    assert_eq!(shown(1), (Some(false), Some(true)));
    assert!(judge.judges_failure() && judge.always_changed().is_none());
    let second = loaded.list.tasks[1].judge.clone().expect("it has one");
    assert_eq!(second.always_changed(), Some(false));
    assert_eq!(loaded.unguarded.len(), 2);
    assert_eq!(loaded.unguarded[0].place.line, 3);
}

#[test]
fn judges_of_loops_see_the_item() {
    let loaded = loaded(
        "- hosts: localhost
  tasks:
    - command: {cmd: x}
      loop: [a, b]
      loop_control: {index_var: n}
      register: out
      changed_when: item == 'b' and n == 1
",
    );
    let judge = loaded.list.tasks[0].judge.clone().expect("it has one");
    let verdict = |turn: (usize, &str)| {
        let found = judge.judge(
            &output(true, serde_json::json!({"rc": 0})),
            Some((turn.0, &turn.1.into())),
            &Known::default(),
        );
        found.expect("known").changed
    };
    assert_eq!(verdict((0, "a")), Some(false));
    assert_eq!(verdict((1, "b")), Some(true));
}

#[test]
fn failures_that_are_caught_are_told_and_refuse_nothing() {
    let loaded = loaded(
        "- hosts: localhost
  strategy: '{{ nothing }}'
  tasks:
    - {name: ignored, put: {path: '{{ nope }}'}, ignore_errors: true}
    - block:
        - {name: caught, put: {path: /a}, when: nope.a}
        - block:
            - {name: deep, put: {path: /a}, loop: '{{ 7 }}'}
          always:
            - {name: always, put: {path: /b}}
      rescue:
        - {name: rescue, put: {path: '{{ ansible_host }}'}}
",
    );
    assert_eq!(loaded.list.tasks.len(), 5);
    let said: Vec<&str> = loaded
        .warnings
        .iter()
        .map(|warning| &*warning.message)
        .collect();
    assert_eq!(
        said,
        [
            "`strategy` has no effect",
            "`nope` is undefined",
            "`nope.a` is undefined",
            "`loop` wants a list, found a whole number",
        ]
    );
    let again = mistakes(
        "- hosts: localhost
  tasks:
    - block:
        - {put: {path: /a}}
      rescue:
        - {put: {path: '{{ nope }}'}}
      always:
        - {put: {path: '{{ neither }}'}}
    - {put: {paht: /a}, ignore_errors: true}
",
    );
    let places: Vec<&str> = again
        .lines()
        .filter_map(|line| line.split(" `").next())
        .collect();
    assert_eq!(
        places,
        [
            "6:28 undefined_variable",
            "8:28 undefined_variable",
            "9:14 unknown_argument there is no argument",
        ]
    );
}

#[test]
fn variables_are_asked_for() {
    let play = "- hosts: localhost
  vars: {user: of the play, port: of the play}
  vars_prompt:
    - {name: user, prompt: who, private: no, default: ada}
    - name: password
    - {name: port, default: 80, private: false}
  tasks:
    - put: {path: '{{ user }}', text: '{{ password }} {{ port }}'}
";
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "site.yml", play);
    // Nobody was asked yet.
    let loaded = load_dir(dir.path(), |_| ()).unwrap();
    let questions: Vec<String> = loaded.prompts.iter().map(Prompt::question).collect();
    assert_eq!(questions, ["who", "input for password", "input for port"]);
    assert!(matches!(
        resolve(&loaded, 0, &Known::default()),
        Err(Stop::NotYet(_))
    ));
    // What the command line gives is not asked for.
    let loaded = load_dir(dir.path(), |request| {
        request.extra_vars = vec!["user=eve".to_owned()];
    });
    assert_eq!(loaded.unwrap().prompts.len(), 2);
    let answered = |answers: &[(&str, Value)]| {
        let answers = answers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()));
        load_dir(dir.path(), |request| {
            request.answers = Some(answers.collect());
        })
    };
    let password = Value::Secret(Secret::new("s3cret"));
    let loaded = answered(&[("password", password.clone())]).unwrap();
    assert!(loaded.prompts.is_empty());
    let args = match resolve(&loaded, 0, &Known::default()) {
        Ok(Resolved::One(bound)) => bound.args(),
        other => panic!("{other:?}"),
    };
    assert_eq!(args.secrets().len(), 1);
    assert_eq!(args.to_json()["path"], "ada");
    let loaded = answered(&[("password", password), ("user", "eve".into())]).unwrap();
    assert_eq!(
        self::args(resolve(&loaded, 0, &Known::default()))["path"],
        "eve"
    );
    assert_eq!(
        answered(&[]).unwrap_err(),
        "5:13 unanswered nobody can be asked for `password`, and it has no `default`; `-e password=…` gives it, or \
         `-e @FILE`"
    );
}
