//! The example that makes a cluster of Airflow, on three hosts: Python from its source, PostgreSQL, `RabbitMQ`,
//! Airflow 2.7.3 from a folder of wheels, a DAG whose tasks run on both workers.
//!
//! What is fetched or compiled is kept in `EVENKEEL_E2E_CACHE`, `/var/cache/evenkeel-e2e` if unset, which may be empty or gone.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use evenkeel_integration_tests::{Ended, Host, Lab, Plan, need_lab};

use super::python::{COMPILED_WITH, SHA, archive};

/// What hosts have of their repositories beyond what compiles Python; a lab has no way to those.
const DRIVERS: [&str; 1] = ["libpq-dev"];
const SERVERS: [&str; 2] = ["postgresql", "rabbitmq-server"];

/// The version that the example installs if nothing else is said.
pub(super) const FIRST: &str = "2.7.3";

pub(super) const PASSWORDS: &str = "
database_password: s3cret-database
broker_password: s3cret-broker
admin_password: s3cret-admin
flower_password: s3cret-flower
fernet_key: ''
webserver_secret: ''
";

pub(super) fn example() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    root.join("playbooks/examples/airflow")
}

pub(super) fn cache() -> PathBuf {
    let set = std::env::var_os("EVENKEEL_E2E_CACHE").filter(|dir| !dir.is_empty());
    set.map_or_else(|| "/var/cache/evenkeel-e2e".into(), PathBuf::from)
}

/// A folder of the wheels of a version of Airflow, filled by the example's own script; nothing where there is no index
/// of packages.
pub(super) fn wheels(version: &str) -> Option<PathBuf> {
    let name = match version {
        FIRST => "wheels".to_owned(),
        later => format!("wheels-{later}"),
    };
    let folder = cache().join(&name);
    if !folder.is_dir() {
        let part = cache().join(name + ".part");
        if part.exists() {
            fs::remove_dir_all(&part).unwrap();
        }
        fs::create_dir_all(&part).unwrap();
        let mut fill = Command::new(example().join("wheelhouse"));
        fill.arg(example().join(format!("files/constraints-{version}-3.9.txt")));
        let output = fill.arg(&part).output().unwrap();
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            println!("skipped: the wheels of Airflow are not to be had: {why}");
            return None;
        }
        fs::rename(part, &folder).unwrap();
    }
    Some(folder)
}

/// Hosts that have nothing of Airflow, `node1` for all but the work and these for that; and the example for `node2` and
/// `node3`. Nothing where what they need is not to be had.
pub(super) fn booted(workers: &[&str]) -> Option<Lab> {
    booted_by(Lab::plan(), workers)
}

/// The same, by the plan of the first of its hosts.
pub(super) fn booted_by(plan: Plan, workers: &[&str]) -> Option<Lab> {
    let (Some(archive), Some(wheels)) = (archive(), wheels(FIRST)) else {
        return None;
    };
    let some = [&COMPILED_WITH[..], &DRIVERS].concat();
    let all = [&some[..], &SERVERS].concat();
    let lab = plan.disk("3g").packages(&all).host("node1");
    let lab = workers
        .iter()
        .fold(lab.packages(&some), |lab, name| lab.host(name));
    let lab = lab.boot();
    settle(&lab, &archive, &wheels);
    Some(lab)
}

/// The example as a user has it, with an inventory and variables for hosts of a lab.
fn settle(lab: &Lab, archive: &Path, wheels: &Path) {
    let mut copy = Command::new("cp");
    copy.arg("-r").arg(example().join(".")).arg(lab.path(""));
    assert!(copy.status().unwrap().success());
    inventory(lab, &["node2", "node3"]);
    lab.file("password", "s3cret-of-the-vault\n");
    passwords(lab, PASSWORDS);
    let settings = [
        ("python_version", "3.9.2"),
        ("python_source", archive.to_str().unwrap()),
        ("python_sha256", SHA),
        ("python_optimizations", "false"),
        ("python_builds", cache().join("builds").to_str().unwrap()),
        ("airflow_wheels", wheels.to_str().unwrap()),
        ("cluster_networks", "[10.77.0.0/24]"),
        ("webserver_workers", "2"),
        ("worker_concurrency", "2"),
        (
            "api_auth_backends",
            "'airflow.api.auth.backend.session,airflow.api.auth.backend.basic_auth'",
        ),
    ]
    .map(|(name, value)| format!("{name}: {value}\n"));
    lab.file("group_vars/all/site.yml", &settings.concat());
}

/// An inventory with `node1` and these workers.
pub(super) fn inventory(lab: &Lab, workers: &[&str]) {
    let known = lab.read("inventory.ini");
    let is_ours = |line: &&str| {
        let host = line.split(' ').next().unwrap_or_default();
        !host.starts_with("node") || host == "node1" || workers.contains(&host)
    };
    let mut lines: Vec<_> = known.lines().filter(is_ours).collect();
    lines.extend(["[database]", "node1", "[broker]", "node1"]);
    lines.extend(["[control]", "node1", "[workers]"]);
    lines.extend(workers);
    lines.extend(["[airflow:children]", "control", "workers", ""]);
    lab.file("hosts.ini", &lines.join("\n"));
}

/// The file of passwords, encrypted.
pub(super) fn passwords(lab: &Lab, text: &str) {
    let file = "group_vars/all/passwords.yml";
    lab.file(file, text);
    let by = ["--vault-password-file", "password", file];
    lab.evenkeel(&[&["vault", "encrypt"], &by[..]].concat())
        .ok();
}

/// A playbook of the example on the cluster.
pub(super) fn play(lab: &Lab, command: &str, playbook: &str, more: &[&str]) -> Ended {
    let mut args = vec![command, "--output", "json", "-i", "hosts.ini", playbook];
    args.extend(["--vault-password-file", "password"]);
    args.extend(more);
    lab.evenkeel(&args)
}

pub(super) fn run(lab: &Lab, more: &[&str]) -> Ended {
    play(lab, "run", "site.yml", more).ok()
}

/// Who changed what: `host task`.
pub(super) fn changed(ended: &Ended) -> Vec<String> {
    let changed = ended.tasks().filter(|task| task.outcome() == "changed");
    let mut all: Vec<_> = changed
        .map(|task| format!("{} {}", task.host(), task.name()))
        .collect();
    all.sort();
    all
}

#[test]
#[ignore = "needs root, a lab, and many minutes"]
fn a_cluster_of_airflow_from_bare_hosts() {
    if !need_lab() {
        return;
    }
    let Some(lab) = booted(&["node2", "node3"]) else {
        return;
    };

    let begun = Instant::now();
    run(&lab, &[]);
    println!("the first run took {:?}", begun.elapsed());
    works(&lab);
    play(&lab, "run", "status.yml", &[]).ok().changed(0);

    quiet(&lab);
    drifts(&lab);
    // Else what runs has its directories below `/run` as the lab looks for what is left.
    play(&lab, "run", "stop.yml", &[]).ok().changed(4);
}

/// Nothing is left to do, and that is known by one exchange with each host.
pub(super) fn quiet(lab: &Lab) {
    let begun = Instant::now();
    let ended = run(lab, &[]).changed(0);
    println!("an unchanged run took {:?}", begun.elapsed());
    assert_eq!(ended.count("exchanges"), 3, "{ended}");
}

/// A DAG whose tasks run on both workers, and the log of each through the webserver.
pub(super) fn works(lab: &Lab) {
    let control = lab.host("node1");
    let health = control.sh("curl -sf http://localhost:8080/health");
    assert!(
        health.contains("healthy") && !health.contains("unhealthy"),
        "{health}"
    );
    let tasks = finished(control, "first");
    let mut hosts: Vec<&str> = tasks.iter().map(|(_, host)| host.as_str()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    assert_eq!(hosts, ["node2", "node3"], "{tasks:?}");
    control.write("/root/login", "user = \"admin:s3cret-admin\"\n");
    control.sh("chmod 600 /root/login");
    for (index, host) in &tasks {
        let log = control.sh(&format!(
            "curl -sf -K /root/login -H 'Accept: text/plain' 'http://localhost:8080/api/v1/dags/both_workers/dagRuns/first/taskInstances/where/logs/1?map_index={index}'"
        ));
        let line = format!("ran on {host}");
        assert!(log.contains(&line), "{line}: {log}");
    }
    let kept = control.sh("runuser -u postgres -- psql -XqAt -d airflow -c \"SELECT count(*) FROM celery_taskmeta WHERE status = 'SUCCESS'\"");
    assert_eq!(kept, "4\n");
}

/// Begins a run of the DAG and waits for its end: the index and the host of each of its tasks.
pub(super) fn finished(control: &Host, run: &str) -> Vec<(String, String)> {
    begin(control, "both_workers", run);
    succeeds(control, run);
    let tasks = sql(
        control,
        &format!(
            "SELECT map_index, hostname FROM task_instance WHERE run_id = '{run}' AND state = 'success'"
        ),
    );
    let tasks = tasks.lines().filter_map(|line| line.split_once(' '));
    tasks
        .map(|(index, host)| (index.to_owned(), host.to_owned()))
        .collect()
}

/// Begins a run of a DAG.
pub(super) fn begin(control: &Host, dag: &str, run: &str) {
    let airflow = "/usr/local/sbin/as-airflow airflow";
    bounded("the DAG is known", || {
        control.is(&format!("{airflow} dags unpause {dag} >/dev/null 2>&1"))
    });
    control.sh(&format!("{airflow} dags trigger --run-id {run} {dag} 2>&1"));
}

/// Waits until a run of a DAG has ended well.
pub(super) fn succeeds(control: &Host, run: &str) {
    let state = format!("SELECT state FROM dag_run WHERE run_id = '{run}'");
    bounded("the DAG has ended", || {
        let state = sql(control, &state);
        assert_ne!(state, "failed\n");
        state == "success\n"
    });
}

/// What the database of Airflow answers.
pub(super) fn sql(control: &Host, sql: &str) -> String {
    control.sh(&format!(
        "runuser -u postgres -- psql -XqAt -F ' ' -d airflow -c \"{sql}\""
    ))
}

/// What somebody changed is put right, by the tasks that are about it and no others.
fn drifts(lab: &Lab) {
    let drift = |host: &str, line: &str, wanted: &[&str]| {
        lab.host(host).sh(line);
        let ended = run(lab, &[]);
        let wanted: Vec<_> = wanted.iter().map(|task| format!("{host} {task}")).collect();
        assert_eq!(changed(&ended), wanted, "`{line}`\n{ended}");
    };
    drift(
        "node2",
        "sed -i 's/^parallelism = .*/parallelism = 7/' /app1/airflow/airflow.cfg",
        &[
            "airflow : restart the worker",
            "airflow : the settings of Airflow",
        ],
    );
    drift(
        "node3",
        "systemctl stop airflow-worker",
        &["worker : the worker"],
    );
    drift(
        "node1",
        "rabbitmqctl -q clear_permissions -p airflow airflow",
        &["rabbitmq : the broker's user for Airflow"],
    );
    quiet(lab);
}

/// Waits for what takes a while.
pub(super) fn bounded(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(120);
    while !holds() {
        assert!(Instant::now() < end, "{what}: not within two minutes");
        std::thread::sleep(Duration::from_millis(500));
    }
}
