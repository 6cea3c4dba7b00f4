//! `yum`.

use std::sync::{Arc, Mutex};

use evenkeel_engine::{
    Task, TaskList,
    event::{Event, Outcome},
    fake::{self, Call, FakeHost, World},
    host::Host,
    run::{Cancel, Options, run},
};
use evenkeel_modules::yum::{Evr, Nevra, Package, Provides, Yum};

use crate::support::{Expect, case};

fn key(name: &str) -> String {
    format!("rpm {name}")
}

/// A dnf that installs version 1-1 of what it is told.
fn dnf(world: &mut World, call: &Call) -> evenkeel_engine::Done {
    let words: Vec<_> = call
        .args()
        .into_iter()
        .filter(|word| !word.starts_with('-'))
        .collect();
    for name in &words[1..] {
        match words[0] {
            "remove" => world.forget(&key(name)),
            _ => world.note(key(name), "1"),
        }
    }
    fake::ok("Complete!\n")
}

fn host(packages: &[&str]) -> FakeHost {
    let host = FakeHost::new()
        .program("dnf", dnf)
        .model::<Package>(|world, Package(name)| {
            let nevra = |version: &str| Nevra {
                name: name.clone(),
                evr: Evr {
                    epoch: 0,
                    version: version.to_owned(),
                    release: "1".to_owned(),
                },
                arch: "noarch".to_owned(),
            };
            Ok(world.noted(&key(name)).map(nevra).into_iter().collect())
        })
        .model::<Provides>(|_, _| Ok(Vec::new()));
    host.change(|world| packages.iter().for_each(|name| world.note(key(name), "1")));
    host
}

pub(crate) fn cases() -> Vec<Expect> {
    vec![
        case(
            "DNF-01 missing packages are one transaction",
            "dnf: {name: [gcc, make]}",
        )
        .on(host(&[]))
        .changes(["package `gcc`: null -> \"installed\"", "package `make`"])
        .gives("packages.gcc", "\"1-1\""),
        case(
            "DNF-01 in its state",
            "package: {name: 'gcc, make', state: present}",
        )
        .on(host(&["gcc", "make"])),
        case(
            "DNF-02 what is there goes",
            "yum: {name: gcc, state: absent}",
        )
        .on(host(&["gcc"]))
        .changes(["package `gcc`: \"1-1\" -> null"])
        .gives("packages", "{}"),
        case(
            "DNF-06 what is not there need not go",
            "yum: {name: gcc, state: absent}",
        )
        .on(host(&[])),
        case(
            "DNF-20 arguments that are not supported are refused",
            "yum: {name: gcc, download_only: true}",
        )
        .refused("there is no argument `download_only`"),
    ]
}

/// A host whose dnf also notes how it was called, and fails where there is no such package.
fn shop() -> Arc<FakeHost> {
    Arc::new(host(&["old"]).program("dnf", |world, call| {
        let words: Vec<&str> = call
            .args()
            .into_iter()
            .filter(|w| !w.starts_with('-'))
            .collect();
        let calls = world.noted("calls").unwrap_or_default().to_owned();
        let line = words.join(" ");
        world.note("calls", format!("{calls}{line}\n"));
        if words.contains(&"bad") {
            return fake::failed(1, "No match for argument: bad\n");
        }
        dnf(world, call)
    }))
}

/// What dnf was called with, and how each task ended.
async fn joined(tasks: &[(&str, &str)], host: &Arc<FakeHost>) -> (Vec<String>, Vec<Outcome>) {
    let mut list = TaskList::new("yum");
    list.host("here", Arc::clone(host) as Arc<dyn Host>);
    for (name, state) in tasks {
        let args = serde_json::json!({ "name": [name], "state": state });
        let args = serde_json::from_value(args).expect("arguments of yum");
        list.task(Task::new::<Yum>(*name, args));
    }
    let told = Arc::new(Mutex::new(Vec::new()));
    let sink = {
        let told = Arc::clone(&told);
        move |event: &Event| {
            if let Event::TaskFinished(task) = event {
                told.lock().expect("no panic").push(task.outcome);
            }
        }
    };
    let ran = run(
        Arc::new(list),
        Options::new(),
        Arc::new(sink),
        Cancel::new(),
    )
    .await;
    ran.expect("a list that can run");
    let calls = host.world().noted("calls").unwrap_or_default().to_owned();
    let told = std::mem::take(&mut *told.lock().expect("no panic"));
    (calls.lines().map(str::to_owned).collect(), told)
}

#[tokio::test]
async fn tasks_of_one_kind_are_one_transaction() {
    let tasks = [
        ("gcc", "present"),
        ("make", "present"),
        ("rpm-build", "present"),
        ("old", "absent"),
    ];
    let host = shop();
    let (calls, told) = joined(&tasks, &host).await;
    assert_eq!(calls, ["install gcc make rpm-build", "remove old"]);
    assert_eq!(told, [Outcome::Changed; 4]);
    let (calls, told) = joined(&tasks, &host).await;
    assert_eq!(calls.len(), 2, "nothing more was called");
    assert_eq!(told, [Outcome::Unchanged; 4]);
}

#[tokio::test]
async fn where_the_transaction_fails_each_fails_for_itself() {
    let host = shop();
    let tasks = [("gcc", "present"), ("bad", "present"), ("make", "present")];
    let (calls, told) = joined(&tasks, &host).await;
    assert_eq!(
        calls,
        ["install gcc bad make", "install gcc", "install bad"]
    );
    assert_eq!(told, [Outcome::Changed, Outcome::Failed, Outcome::Blocked]);
}
