//! What the example of a cluster promises beyond its first run: every drift, changed variables, rolling restarts, workers that
//! come and go, kills and power-offs at moments that nobody chose, an upgrade, and its removal. `docs/testing.md` has the command.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use evenkeel_integration_tests::{Ended, Lab, MARK, need_lab};

use super::airflow::{
    PASSWORDS, begin, booted, booted_by, bounded, changed, finished, inventory, passwords, play,
    quiet, run, sql, succeeds, works,
};

mod changes;
mod drifts;
mod moments;
mod order;
mod red_hat;
mod upgrade;

/// What runs in the cluster, of which some is on each host.
const UNITS: [&str; 6] = [
    "airflow-flower",
    "airflow-scheduler",
    "airflow-webserver",
    "airflow-worker",
    "postgresql@15-main",
    "rabbitmq-server",
];

#[test]
#[ignore = "needs root, a lab, and many minutes"]
fn what_somebody_changed_is_put_right() {
    if !need_lab() {
        return;
    }
    let Some(mut lab) = booted(&["node2", "node3"]) else {
        return;
    };
    // Its units run until the end.
    lab.keep_quiet();
    first_run(&lab);
    let mut wrong = Vec::new();
    drifts::all(&lab, &mut wrong);
    keeps_secrets(&lab);
    assert_eq!(wrong, [""; 0]);
}

#[test]
#[ignore = "needs root, a lab, and many minutes"]
fn what_is_said_anew_is_done() {
    if !need_lab() {
        return;
    }
    let Some(mut lab) = booted(&["node2", "node3", "node4"]) else {
        return;
    };
    lab.keep_quiet();
    lab.file("dags/long_tasks.py", changes::LONG_TASKS);
    first_run(&lab);
    let mut wrong = Vec::new();
    changes::all(&lab, &mut wrong);
    keeps_secrets(&lab);
    assert_eq!(wrong, [""; 0]);
}

#[test]
#[ignore = "needs root, a lab, and many minutes"]
fn hosts_like_red_hats() {
    if !need_lab() {
        return;
    }
    let Some(mut lab) = booted_by(Lab::plan().rhel(), &["node2", "node3"]) else {
        return;
    };
    lab.keep_quiet();
    red_hat::prepare(&lab);
    first_run(&lab);
    works(&lab);
    quiet(&lab);
    lab.host("node2").sh("rpm -e xz-devel");
    assert_eq!(changed(&run(&lab, &[])), ["node2 host : packages"]);
}

#[test]
#[ignore = "needs root, a lab, and many minutes"]
fn the_graph_is_faster_than_the_list() {
    if !need_lab() {
        return;
    }
    let Some((list, _)) = order::first_run(&["--in-order"]) else {
        return;
    };
    let (graph, share) = order::first_run(&[]).unwrap();
    println!("in order it takes {:.2} times as long", list / graph);
    assert!(graph < list, "{graph} s by the graph, {list} s in order");
    // On a machine that does nothing else it is 1.25 at most.
    assert!(share <= 2.0, "{share}");
}

/// From bare hosts: the plan knows the whole of it.
fn first_run(lab: &Lab) {
    let plan = play(lab, "plan", "site.yml", &[]).ok();
    let run = timed("the first run", || {
        run(lab, &["--diff", "--report", "first.html"])
    });
    plan.foretells(&run);
    let unknown = plan.tasks().filter(|task| task.outcome() == "unknown");
    let unknown: Vec<_> = unknown
        .map(|task| format!("{} {}: {}", task.host(), task.name(), task.0["reason"]))
        .collect();
    println!("the plan did not know of {}: {unknown:#?}", unknown.len());
    let path = critical_path(lab);
    let share = seconds(&run) / path;
    println!("it took {share:.2} times its critical path of {path} s");
    // On a machine that does nothing else it is 1.25 at most.
    assert!(share <= 2.0, "{share}");
    let plan = play(lab, "plan", "site.yml", &[]).ok().changed(0);
    assert_eq!(plan.named("unknown"), [""; 0], "{plan}");
}

/// How long a run took.
fn seconds(run: &Ended) -> f64 {
    run.last()["duration_ms"].as_f64().unwrap() / 1000.0
}

/// The critical path of the first run, in seconds, as its report shows it.
fn critical_path(lab: &Lab) -> f64 {
    let text = lab.read("first.html");
    assert!(!text.contains(MARK), "a secret in the report");
    let path = text.split_once("data-milliseconds=\"").unwrap().1;
    let path: f64 = path.split_once('"').unwrap().0.parse().unwrap();
    path / 1000.0
}

fn timed<T>(what: &str, done: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let of = done();
    println!("{what} took {:?}", begun.elapsed());
    of
}

/// Each of what runs, by host and unit, with what systemd calls this start of it.
fn starts(lab: &Lab) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for host in lab.hosts() {
        for unit in UNITS {
            let id = host.sh(&format!(
                "systemctl is-active -q {unit} && systemctl show -P InvocationID {unit} || true"
            ));
            if !id.is_empty() {
                all.insert(format!("{} {unit}", host.name()), id);
            }
        }
    }
    all
}

/// What was started since, or runs no more.
fn restarted(lab: &Lab, before: &BTreeMap<String, String>) -> Vec<String> {
    let now = starts(lab);
    let gone = before.keys().filter(|unit| !now.contains_key(*unit));
    let new = now
        .iter()
        .filter(|(unit, id)| before.get(*unit) != Some(id));
    let mut all: Vec<_> = gone.chain(new.map(|(unit, _)| unit)).cloned().collect();
    all.sort();
    all
}

/// A run of `site.yml` changes exactly this, by these tasks, and starts these units anew. Each task says why. What is not so
/// is told at the end of the test: the cluster is there, and the rest can be tried on it all the same.
fn puts_right(lab: &Lab, what: &str, tasks: &[String], units: &[String], wrong: &mut Vec<String>) {
    let before = starts(lab);
    let ended = timed(what, || play(lab, "run", "site.yml", &["--diff"]));
    let reasons = ended.tasks().filter(|task| task.outcome() == "changed");
    for task in reasons {
        println!("  {} {}: {}", task.host(), task.name(), task.0["reason"]);
        assert_ne!(task.reason(), "", "{}", task.name());
    }
    let (by, started) = (changed(&ended), restarted(lab, &before));
    if ended.status != 0 || by != tasks || started != units {
        let but =
            format!("{what}: changed {by:?} and started {started:?}, not {tasks:?} and {units:?}");
        println!("WRONG {but}\n{ended}");
        wrong.push(but);
    }
}

/// No secret is in what runs leave on hosts for themselves.
fn keeps_secrets(lab: &Lab) {
    for host in lab.hosts() {
        let found = host.sh(&format!("grep -rlFa {MARK} /var/lib/evenkeel || true"));
        assert_eq!(found, "", "a secret in the ledger of {}", host.name());
    }
}
