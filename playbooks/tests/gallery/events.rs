//! Runs made by hand, that have everything in them that a run can have.

use evenkeel_engine::{
    Reason,
    event::{
        ChangeShown, Event, Forgiven, ItemFinished, Outcome, Recap, TaskError, TaskFinished,
        TaskName,
    },
};
use indexmap::IndexMap;
use serde_json::{Value, json};

const PLAY: &str = "deploy the application";

/// All runs, with titles.
pub(crate) fn runs() -> Vec<(&'static str, Vec<Event>)> {
    vec![
        ("run", run()),
        ("plan", plan()),
        ("failures", failures()),
        ("many hosts, nothing to do", many()),
        ("interrupted", interrupted()),
    ]
}

fn name(host: &str, task: &str, id: &str) -> TaskName {
    TaskName {
        host: host.to_owned(),
        task: task.to_owned(),
        id: id.to_owned(),
        module: "file".to_owned(),
        source: Some("site.yml:12:7".to_owned()),
        play: PLAY.to_owned(),
        handler: false,
    }
}

struct Made(TaskFinished);

fn task(host: &str, task: &str, outcome: Outcome, reason: Reason) -> Made {
    let id = format!("t{}", task.len() % 7);
    Made(TaskFinished {
        name: name(host, task, &id),
        outcome,
        reason,
        changes: Vec::new(),
        error: None,
        forgiven: None,
        items: Vec::new(),
        message: None,
        result: None,
        duration_ms: 7,
    })
}

impl Made {
    fn change(mut self, what: &str, before: Value, after: Value) -> Self {
        self.0.changes.push(change(what, before, after, None));
        self
    }
    fn with(mut self, edit: impl FnOnce(&mut TaskFinished)) -> Self {
        edit(&mut self.0);
        self
    }
    fn event(self) -> Event {
        Event::TaskFinished(Box::new(self.0))
    }
}

fn change(what: &str, before: Value, after: Value, diff: Option<&str>) -> ChangeShown {
    ChangeShown {
        what: what.to_owned(),
        before,
        after,
        diff: diff.map(ToOwned::to_owned),
    }
}

fn item(item: &str, outcome: Outcome, reason: Reason) -> ItemFinished {
    ItemFinished {
        item: item.to_owned(),
        outcome,
        reason,
        changes: Vec::new(),
        error: None,
        message: None,
    }
}

fn started(hosts: &[&str], check: bool) -> Event {
    Event::RunStarted {
        playbooks: vec!["site.yml".to_owned()],
        hosts: hosts.iter().map(ToString::to_string).collect(),
        check,
    }
}

fn connected(host: &str) -> Event {
    Event::HostConnected {
        host: host.to_owned(),
        duration_ms: 81,
    }
}

fn finished(hosts: IndexMap<String, Recap>, ok: bool) -> Event {
    Event::RunFinished {
        ok,
        interrupted: false,
        duration_ms: 4_140,
        hosts,
    }
}

fn field(field: &str) -> Reason {
    Reason::ArgumentChanged {
        field: field.to_owned(),
    }
}

/// Changes of all kinds, messages, loops, notes.
fn run() -> Vec<Event> {
    let text = |text: &str| text.to_owned();
    let diff = "--- /srv/app/app.conf\n+++ /srv/app/app.conf\n@@ -1,2 +1,2 @@\n port = 80\n-name = a\n+name = \u{1b}[31mb\n";
    let warning = |task: Option<&str>, message: &str| Event::Warning {
        host: text("web1"),
        task: task.map(ToOwned::to_owned),
        source: task.map(|_| text("site.yml:12:7")),
        message: text(message),
    };
    vec![
        started(&["web1", "database-1"], false),
        connected("web1"),
        Event::Waiting {
            host: text("web1"),
            what: text("another run holds the lock: ada on laptop since 12:00"),
        },
        Event::TaskStarted(name("web1", "make the directory", "t1")),
        task(
            "web1",
            "make the directory",
            Outcome::Changed,
            Reason::Differs,
        )
        .change("directory", Value::Null, json!("/srv/app"))
        .change("mode", Value::Null, json!("0750"))
        .event(),
        task(
            "database-1",
            "make the directory",
            Outcome::Unchanged,
            Reason::InState,
        )
        .event(),
        task(
            "web1",
            "write the configuration",
            Outcome::Changed,
            field("content"),
        )
        .change("mode", json!("0644"), json!("0600"))
        .with(|task| {
            task.changes.push(change(
                "content",
                json!("42 bytes"),
                json!("45 bytes"),
                Some(diff),
            ));
            task.result = Some(json!({"changed": true, "path": "/srv/app/app.conf"}));
        })
        .event(),
        task(
            "web1",
            "remove the old one",
            Outcome::Changed,
            Reason::Drift,
        )
        .change("file", json!("/srv/old"), Value::Null)
        .event(),
        task(
            "web1",
            "a long value",
            Outcome::Changed,
            Reason::FileChanged {
                path: text("files/a"),
            },
        )
        .change("line", json!(""), json!("x".repeat(200)))
        .change("list", json!(["a", 1]), json!({"a": true}))
        .event(),
        task("web1", "compile", Outcome::Changed, Reason::Unguarded)
            .change("run", Value::Null, json!("make -j4"))
            .with(|task| task.duration_ms = 312_000)
            .event(),
        task(
            "web1",
            "migrate",
            Outcome::Assumed,
            Reason::Assumed {
                date: text("2026-01-02"),
            },
        )
        .event(),
        task(
            "web1",
            "only on Debian",
            Outcome::Skipped,
            Reason::WhenFalse {
                condition: text("ansible_os_family == 'Debian'"),
            },
        )
        .event(),
        task("web1", "not now", Outcome::Skipped, Reason::NotSelected).event(),
        task("web1", "greet", Outcome::Unchanged, Reason::InState)
            .with(|task| task.message = Some(json!("hello \u{1b}]0;title\u{7}\nand welcome")))
            .event(),
        task("web1", "show facts", Outcome::Unchanged, Reason::InState)
            .with(|task| task.message = Some(json!({"cores": 4, "names": ["a", "b"]})))
            .event(),
        task("web1", "make users", Outcome::Changed, Reason::Differs)
            .with(|task| {
                let mut ada = item("ada", Outcome::Changed, Reason::Differs);
                ada.changes
                    .push(change("user", Value::Null, json!("ada"), None));
                let bob = item("bob", Outcome::Unchanged, Reason::InState);
                let when = Reason::WhenFalse {
                    condition: text("item.wanted"),
                };
                task.items = vec![ada, bob, item("eve", Outcome::Skipped, when)];
            })
            .event(),
        task("web1", "greet all", Outcome::Unchanged, Reason::InState)
            .with(|task| {
                let mut ada = item("ada", Outcome::Unchanged, Reason::InState);
                ada.message = Some(json!("hello ada"));
                task.items = vec![ada];
            })
            .event(),
        warning(
            None,
            "this host has no machine id: its ledger is bound to nothing",
        ),
        warning(
            Some("write the configuration"),
            "the module did not converge:\nits second plan is not empty",
        ),
        task(
            "web1",
            "restart",
            Outcome::Changed,
            Reason::Triggered {
                by: text("write the configuration"),
            },
        )
        .with(|task| {
            task.name.handler = true;
            "second play".clone_into(&mut task.name.play);
        })
        .event(),
        task(
            "web1",
            "reload",
            Outcome::Changed,
            Reason::Owed {
                by: text("write the configuration"),
                since: text("2026-01-02 12:00"),
            },
        )
        .event(),
        task("web1", "touch", Outcome::Changed, Reason::Act).event(),
        task(
            "web1",
            "unpack",
            Outcome::Changed,
            Reason::Guard {
                which: text("creates"),
            },
        )
        .event(),
        task("web1", "seed", Outcome::Changed, Reason::Once).event(),
        finished(
            [
                (
                    text("web1"),
                    Recap {
                        changed: 12,
                        unchanged: 3,
                        assumed: 1,
                        skipped: 2,
                        unguarded: 1,
                        exchanges: 3,
                        ..Recap::default()
                    },
                ),
                (
                    text("database-1"),
                    Recap {
                        unchanged: 1,
                        exchanges: 1,
                        ..Recap::default()
                    },
                ),
            ]
            .into_iter()
            .collect(),
            true,
        ),
    ]
}

/// Check mode.
fn plan() -> Vec<Event> {
    let unknown = Reason::NotKnown {
        what: "the result of `build`".to_owned(),
    };
    vec![
        started(&["web1"], true),
        connected("web1"),
        task(
            "web1",
            "make the directory",
            Outcome::Changed,
            Reason::Differs,
        )
        .change("directory", Value::Null, json!("/srv/app"))
        .with(|task| "t1".clone_into(&mut task.name.id))
        .event(),
        task(
            "web1",
            "write the configuration",
            Outcome::Changed,
            field("content"),
        )
        .change("content", json!("42 bytes"), json!("45 bytes"))
        .change("mode", json!("0644"), json!("0600"))
        .with(|task| "t2".clone_into(&mut task.name.id))
        .event(),
        task("web1", "build", Outcome::Changed, Reason::Unguarded).event(),
        task("web1", "report what was built", Outcome::Unknown, unknown).event(),
        task("web1", "make users", Outcome::Changed, Reason::Differs)
            .with(|task| {
                task.items = vec![
                    item("ada", Outcome::Changed, Reason::Differs),
                    item("bob", Outcome::Unchanged, Reason::InState),
                ];
            })
            .event(),
        task("web1", "in its state", Outcome::Unchanged, Reason::InState).event(),
        task("web1", "skipped", Outcome::Skipped, Reason::NotSelected).event(),
        task("web1", "refuse", Outcome::Failed, Reason::Differs)
            .with(|task| {
                task.error = Some(TaskError {
                    message: "`/srv/app` is a file".to_owned(),
                    help: Some("remove it, or choose another `path`".to_owned()),
                    ..TaskError::default()
                });
            })
            .event(),
        finished(
            [(
                "web1".to_owned(),
                Recap {
                    changed: 4,
                    unchanged: 1,
                    skipped: 1,
                    unknown: 1,
                    failed: 1,
                    unguarded: 2,
                    exchanges: 1,
                    ..Recap::default()
                },
            )]
            .into_iter()
            .collect(),
            false,
        ),
    ]
}

/// Failures of all kinds.
fn failures() -> Vec<Event> {
    let text = |text: &str| text.to_owned();
    let blocked = |task_name: &str| {
        let by = Reason::Blocked { by: text("build") };
        task("web1", task_name, Outcome::Blocked, by).event()
    };
    let output = (1..=60).map(|line| format!("line {line}\u{1b}[0m\n"));
    let error = TaskError {
        message: text("the command ended with status 2"),
        help: Some(text(
            "see what the compiler says above,\nor set `long: true`",
        )),
        command: Some(text("make -j4 'a b'")),
        timed_out: None,
        status: Some(2),
        stdout: Some(output.collect()),
        stderr: Some(text("make: *** [all] Error 2\r\n")),
    };
    let plain = TaskError {
        message: text("no such user: `app`"),
        ..TaskError::default()
    };
    vec![
        started(&["web1", "web2"], false),
        connected("web1"),
        Event::HostUnreachable {
            host: text("web2"),
            error: text("cannot be reached: connection refused"),
            help: None,
        },
        task("web1", "may fail", Outcome::Failed, Reason::Differs)
            .with(|task| {
                task.error = Some(plain.clone());
                task.forgiven = Some(Forgiven::Ignored);
            })
            .event(),
        task(
            "web1",
            "will be rescued",
            Outcome::Failed,
            Reason::Interrupted,
        )
        .with(|task| {
            task.error = Some(plain.clone());
            task.forgiven = Some(Forgiven::Rescued);
        })
        .event(),
        task("web1", "make users", Outcome::Failed, Reason::Differs)
            .with(|task| {
                let mut ada = item("ada", Outcome::Failed, Reason::Differs);
                ada.error = Some(plain.clone());
                task.items = vec![ada, item("bob", Outcome::Changed, Reason::Differs)];
                task.error = Some(TaskError {
                    message: text("1 item failed"),
                    ..plain.clone()
                });
            })
            .event(),
        task("web1", "build", Outcome::Failed, Reason::Unguarded)
            .with(|task| {
                task.error = Some(error);
                task.duration_ms = 2_000;
            })
            .event(),
        blocked("install"),
        blocked("start"),
        finished(
            [
                (
                    text("web1"),
                    Recap {
                        failed: 2,
                        blocked: 2,
                        rescued: 1,
                        ignored: 1,
                        exchanges: 2,
                        ..Recap::default()
                    },
                ),
                (
                    text("web2"),
                    Recap {
                        unreachable: true,
                        ..Recap::default()
                    },
                ),
            ]
            .into_iter()
            .collect(),
            false,
        ),
    ]
}

fn many() -> Vec<Event> {
    let hosts: Vec<_> = (1..=30).map(|number| format!("h{number}")).collect();
    let names: Vec<_> = hosts.iter().map(String::as_str).collect();
    let mut recaps: IndexMap<_, _> = hosts
        .iter()
        .map(|host| {
            (
                host.clone(),
                Recap {
                    unchanged: 5,
                    exchanges: 1,
                    ..Recap::default()
                },
            )
        })
        .collect();
    recaps["h7"].changed = 1;
    vec![started(&names, false), finished(recaps, true)]
}

fn interrupted() -> Vec<Event> {
    let recap = Recap {
        changed: 1,
        exchanges: 2,
        ..Recap::default()
    };
    vec![
        started(&["web1"], false),
        Event::RunFinished {
            ok: false,
            interrupted: true,
            duration_ms: 900,
            hosts: [("web1".to_owned(), recap)].into_iter().collect(),
        },
    ]
}
