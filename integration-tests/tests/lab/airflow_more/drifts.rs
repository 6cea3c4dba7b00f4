//! What somebody did to a host is put right by exactly the tasks that are about it, with exactly the restarts that are needed.

use super::*;

/// Who did it where, which tasks put it right, and which units are started for it.
type Drift = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const DRIFTS: [Drift; 17] = [
    (
        "node1",
        "sed -i 's/^parallelism = .*/parallelism = 7/' /app1/airflow/airflow.cfg",
        &[
            "airflow : restart Flower",
            "airflow : restart the scheduler",
            "airflow : restart the webserver",
            "airflow : the settings of Airflow",
        ],
        &["airflow-flower", "airflow-scheduler", "airflow-webserver"],
    ),
    (
        "node2",
        "sed -i 's/^RestartSec=.*/RestartSec=99s/' /etc/systemd/system/airflow-worker.service",
        &["worker : the worker"],
        &["airflow-worker"],
    ),
    (
        "node1",
        "sed -i 's/^RestartSec=.*/RestartSec=99s/' /etc/systemd/system/airflow-flower.service && systemctl daemon-reload",
        &["control : Flower"],
        &["airflow-flower"],
    ),
    (
        "node1",
        "systemctl stop airflow-scheduler",
        &["control : the scheduler"],
        &["airflow-scheduler"],
    ),
    (
        "node1",
        "systemctl disable --now rabbitmq-server",
        &["rabbitmq : the broker"],
        &["rabbitmq-server"],
    ),
    (
        "node1",
        "runuser -u postgres -- psql -c 'ALTER DATABASE airflow OWNER TO postgres'",
        &["postgresql : the database of Airflow"],
        &[],
    ),
    (
        "node1",
        "runuser -u postgres -- psql -c 'REVOKE ALL ON DATABASE airflow FROM airflow'",
        &["postgresql : what Airflow may do with its database"],
        &[],
    ),
    (
        "node1",
        "runuser -u postgres -- psql -c 'ALTER ROLE airflow NOLOGIN'",
        &["postgresql : the role of Airflow"],
        &[],
    ),
    (
        "node1",
        "runuser -u postgres -- psql -c \"ALTER ROLE airflow PASSWORD 'another'\"",
        &["postgresql : the role of Airflow"],
        &[],
    ),
    (
        "node1",
        "rabbitmqctl -q clear_permissions -p airflow airflow",
        &["rabbitmq : the broker's user for Airflow"],
        &[],
    ),
    (
        "node1",
        "rabbitmqctl -q change_password airflow another",
        &["rabbitmq : the broker's user for Airflow"],
        &[],
    ),
    (
        "node2",
        "/usr/local/bin/pip3.9 uninstall -q -y psycopg2 2>/dev/null",
        &["airflow : Airflow", "airflow : restart the worker"],
        &["airflow-worker"],
    ),
    (
        "node2",
        "/usr/local/bin/pip3.9 uninstall -q -y amqp 2>/dev/null",
        &["airflow : Airflow", "airflow : restart the worker"],
        &["airflow-worker"],
    ),
    (
        "node1",
        "rm -r /app1/airflow_logs/scheduler /app1/airflow/plugins",
        &["airflow : directories of Airflow"],
        &[],
    ),
    (
        "node3",
        "rm -r /etc/airflow",
        &[
            "airflow : constraints",
            "airflow : keys",
            "airflow : logins",
            "airflow : restart the worker",
            "airflow : the directory of what only Airflow may read",
            "airflow : the login of Flower",
        ],
        &["airflow-worker"],
    ),
    (
        "node3",
        "userdel -f airflow",
        &["host : the group of Airflow", "host : the user of Airflow"],
        &[],
    ),
    (
        "node2",
        "systemctl stop airflow-worker && userdel airflow",
        &[
            "host : the group of Airflow",
            "host : the user of Airflow",
            "worker : the worker",
        ],
        &["airflow-worker"],
    ),
];

/// One after the other; then the cluster works, and nothing is left to do.
pub(super) fn all(lab: &Lab, wrong: &mut Vec<String>) {
    for (host, line, tasks, units) in DRIFTS {
        lab.host(host).sh(line);
        let at = |names: &[&str]| -> Vec<String> {
            names.iter().map(|name| format!("{host} {name}")).collect()
        };
        puts_right(
            lab,
            &format!("{host}: {line}"),
            &at(tasks),
            &at(units),
            wrong,
        );
    }
    run(lab, &[]).changed(0);
    assert_eq!(finished(lab.host("node1"), "after-drifts").len(), 4);
}
