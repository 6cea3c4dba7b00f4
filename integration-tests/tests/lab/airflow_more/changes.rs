//! What is said anew is done where it counts, and nowhere else.

use super::*;

/// Tasks that take longer than a restart of the control host, and leave a mark each time that they run.
pub(super) const LONG_TASKS: &str = r#"
import time
from datetime import datetime

from airflow.decorators import dag, task


@dag(schedule=None, start_date=datetime(2023, 1, 1), catchup=False)
def long_tasks():
    @task
    def once(number: int) -> None:
        with open(f"/app1/airflow_logs/ran-{number}", "a") as file:
            file.write("once\n")
        time.sleep(30)

    once.expand(number=[1, 2, 3, 4, 5, 6, 7, 8])


long_tasks()
"#;

pub(super) fn all(lab: &Lab, wrong: &mut Vec<String>) {
    by_https(lab);
    without_flower(lab, wrong);
    of_one_worker(lab, wrong);
    other_passwords(lab, wrong);
    rolling_restart(lab);
    stopped_and_started(lab);
    worker_comes_and_goes(lab);
    other_ports(lab);
}

fn lines(all: &[&str]) -> Vec<String> {
    all.iter().map(|&line| line.to_owned()).collect()
}

fn of_one_worker(lab: &Lab, wrong: &mut Vec<String>) {
    // `site.yml` there is for all hosts: what is said for one host counts for more.
    lab.file("host_vars/node2.yml", "worker_concurrency: 3\n");
    puts_right(
        lab,
        "another concurrency of node2",
        &lines(&[
            "node2 airflow : restart the worker",
            "node2 worker : the environment of the worker",
        ]),
        &lines(&["node2 airflow-worker"]),
        wrong,
    );
    // It is for Celery to say: programs that set their title write over their environment.
    let says = "/usr/local/sbin/as-airflow /usr/local/bin/celery --app airflow.providers.celery.executors.celery_executor.app \
         inspect stats --timeout 20 --destination celery@node2 2>/dev/null | grep -qx '.*\"max-concurrency\": 3,\\?'";
    bounded("the worker has another concurrency", || {
        lab.host("node2").is(says)
    });
}

/// Flower goes, and comes again.
fn without_flower(lab: &Lab, wrong: &mut Vec<String>) {
    let plain = lab.read("group_vars/all/site.yml");
    let changed = lines(&["node1 control : Flower"]);
    let unit = lines(&["node1 airflow-flower"]);
    lab.file(
        "group_vars/all/site.yml",
        &format!("{plain}flower: false\n"),
    );
    puts_right(lab, "no Flower", &changed, &unit, wrong);
    lab.host("node1")
        .sh("! systemctl is-active -q airflow-flower && ! systemctl is-enabled -q airflow-flower");
    play(lab, "run", "status.yml", &[]).ok().changed(0);
    lab.file("group_vars/all/site.yml", &plain);
    puts_right(lab, "Flower again", &changed, &unit, wrong);
}

/// The webserver answers by https, and its units and `status.yml` ask so.
fn by_https(lab: &Lab) {
    let control = lab.host("node1");
    control.sh(
        "cd /etc/airflow && umask 027 && openssl req -x509 -newkey rsa:2048 -nodes -days 99 -subj /CN=node1 \
         -keyout tls.key -out tls.crt 2>/dev/null && chgrp airflow tls.key tls.crt && chmod 640 tls.key",
    );
    let plain = lab.read("group_vars/all/site.yml");
    let paths =
        "webserver_certificate: /etc/airflow/tls.crt\nwebserver_key: /etc/airflow/tls.key\n";
    lab.file("group_vars/all/site.yml", &format!("{plain}{paths}"));
    run(lab, &[]);
    let health = control.sh("curl -sf --cacert /etc/airflow/tls.crt https://node1:8080/health");
    assert!(health.contains("healthy"), "{health}");
    play(lab, "run", "status.yml", &[]).ok().changed(0);
    run(lab, &[]).changed(0);
    lab.file("group_vars/all/site.yml", &plain);
    run(lab, &[]);
    play(lab, "run", "status.yml", &[]).ok().changed(0);
}

const ALL_OF_AIRFLOW: [&str; 5] = [
    "node1 airflow-flower",
    "node1 airflow-scheduler",
    "node1 airflow-webserver",
    "node2 airflow-worker",
    "node3 airflow-worker",
];

const WITH_RESTARTS: [&str; 8] = [
    "node1 airflow : logins",
    "node1 airflow : restart Flower",
    "node1 airflow : restart the scheduler",
    "node1 airflow : restart the webserver",
    "node2 airflow : logins",
    "node2 airflow : restart the worker",
    "node3 airflow : logins",
    "node3 airflow : restart the worker",
];

fn other_passwords(lab: &Lab, wrong: &mut Vec<String>) {
    let mut text = PASSWORDS.to_owned();
    let mut rotated = |what: &str, tasks: &[&str], units: &[&str]| {
        let password = format!("{MARK}-{what}");
        text = text.replace(&password, &format!("{password}-the-2nd"));
        passwords(lab, &text);
        let what = format!("another password of the {what}");
        let mut tasks = lines(tasks);
        tasks.sort();
        puts_right(lab, &what, &tasks, &lines(units), wrong);
    };
    let works = |with: &str| {
        play(lab, "run", "status.yml", &[]).ok().changed(0);
        assert_eq!(finished(lab.host("node1"), with).len(), 4);
    };
    let role = "node1 postgresql : the role of Airflow";
    let with_it = [&WITH_RESTARTS[..], &[role]].concat();
    rotated("database", &with_it, &ALL_OF_AIRFLOW);
    works("another-database");
    let user = "node1 rabbitmq : the broker's user for Airflow";
    let with_it = [&WITH_RESTARTS[..], &[user]].concat();
    rotated("broker", &with_it, &ALL_OF_AIRFLOW);
    works("another-broker");
    let flower = [
        "node1 airflow : restart Flower",
        "node1 airflow : the login of Flower",
        "node2 airflow : the login of Flower",
        "node3 airflow : the login of Flower",
    ];
    rotated("flower", &flower, &["node1 airflow-flower"]);
}

/// A DAG runs while all is restarted: it ends well, and each of its tasks has run once.
fn rolling_restart(lab: &Lab) {
    let control = lab.host("node1");
    begin(control, "long_tasks", "rolling");
    bounded("tasks run on both workers", || {
        let running = "SELECT count(DISTINCT hostname) FROM task_instance WHERE run_id = 'rolling' AND state = 'running'";
        sql(control, running) == "2\n"
    });
    let before = starts(lab);
    timed("restart.yml", || {
        play(lab, "run", "restart.yml", &[]).ok().changed(5)
    });
    assert_eq!(restarted(lab, &before), ALL_OF_AIRFLOW);
    succeeds(control, "rolling");
    let ran = ["node2", "node3"].map(|host| {
        lab.host(host)
            .sh("cat /app1/airflow_logs/ran-* 2>/dev/null || true")
            .lines()
            .count()
    });
    println!("tasks of the DAG on each worker: {ran:?}");
    assert_eq!(ran.iter().sum::<usize>(), 8);
    let tries = sql(
        control,
        "SELECT DISTINCT state, try_number FROM task_instance WHERE run_id = 'rolling'",
    );
    assert_eq!(tries, "success 1\n");
}

fn stopped_and_started(lab: &Lab) {
    timed("stop.yml", || {
        play(lab, "run", "stop.yml", &[]).ok().changed(4)
    });
    let left: Vec<_> = starts(lab).into_keys().collect();
    assert_eq!(left, ["node1 postgresql@15-main", "node1 rabbitmq-server"]);
    play(lab, "run", "stop.yml", &[]).ok().changed(0);
    play(lab, "run", "status.yml", &[]).status(2);
    timed("start.yml", || {
        play(lab, "run", "start.yml", &[]).ok().changed(5)
    });
    play(lab, "run", "start.yml", &[]).ok().changed(0);
    play(lab, "run", "status.yml", &[]).ok().changed(0);
    run(lab, &[]).changed(0);
}

fn worker_comes_and_goes(lab: &Lab) {
    inventory(lab, &["node2", "node3", "node4"]);
    let before = starts(lab);
    // What the others have made is there.
    let alone = timed("a worker more", || run(lab, &["--limit", "node4"]));
    assert!(
        changed(&alone)
            .iter()
            .all(|line| line.starts_with("node4 ")),
        "{alone}"
    );
    assert_eq!(restarted(lab, &before), ["node4 airflow-worker"]);
    run(lab, &[]).changed(0);
    let control = lab.host("node1");
    let took: Vec<_> = (1..=3)
        .flat_map(|turn| finished(control, &format!("joined-{turn}")))
        .map(|(_, host)| host)
        .collect();
    assert!(took.iter().any(|host| host == "node4"), "{took:?}");

    // Hosts on which something changes learn who is managed.
    lab.host("node2").sh("rm -r /app1/airflow/plugins");
    run(lab, &[]).changed(1);
    inventory(lab, &["node2", "node3"]);
    run(lab, &[])
        .changed(0)
        .says("`node4` is no longer managed");
}

/// All that listens does so elsewhere.
fn other_ports(lab: &Lab) {
    let plain = lab.read("group_vars/all/site.yml");
    let ports = "database_port: 5433\nbroker_port: 5673\nwebserver_port: 8081\nflower_port: 5556\n";
    lab.file("group_vars/all/site.yml", &format!("{plain}{ports}"));
    let before = starts(lab);
    timed("other ports", || run(lab, &[]));
    let servers = ["node1 postgresql@15-main", "node1 rabbitmq-server"];
    let all = [&ALL_OF_AIRFLOW[..], &servers].concat();
    assert_eq!(restarted(lab, &before), all);
    play(lab, "run", "status.yml", &[]).ok().changed(0);
    run(lab, &[]).changed(0);
    let control = lab.host("node1");
    control.sh("curl -sf http://node1:8081/health && curl -sf http://node1:5556/healthcheck");
    assert_eq!(finished(control, "elsewhere").len(), 4);
}
