//! Another version of Airflow, and none.

use super::{super::airflow::wheels, *};

const LATER: &str = "2.8.4";

#[test]
#[ignore = "needs root, a lab, and many minutes"]
fn it_is_brought_to_a_later_version_and_taken_away() {
    if !need_lab() {
        return;
    }
    let Some(later) = wheels(LATER) else { return };
    let Some(lab) = booted(&["node2", "node3"]) else {
        return;
    };
    timed("the first run", || run(&lab, &[]));
    let control = lab.host("node1");
    assert_eq!(finished(control, "before").len(), 4);

    let site = lab.read("group_vars/all/site.yml");
    let is_other = |line: &&str| !line.starts_with("airflow_wheels:");
    let kept: Vec<_> = site.lines().filter(is_other).collect();
    let kept = kept.join("\n");
    let new = format!(
        "{kept}\nairflow_wheels: {}\nairflow_version: {LATER}\n",
        later.display()
    );
    lab.file("group_vars/all/site.yml", &new);
    timed("upgrade.yml", || play(&lab, "run", "upgrade.yml", &[]).ok());
    for host in lab.hosts() {
        let version = host.sh("/usr/local/sbin/as-airflow airflow version 2>/dev/null");
        assert_eq!(version, format!("{LATER}\n"));
    }
    control.sh("zcat /var/backups/airflow-2.7.3.sql.gz | grep -q 'CREATE TABLE public.dag_run'");
    play(&lab, "run", "status.yml", &[]).ok().changed(0);
    assert_eq!(finished(control, "after").len(), 4);
    let runs = sql(control, "SELECT run_id FROM dag_run ORDER BY run_id");
    assert_eq!(runs, "after\nbefore\n");
    play(&lab, "run", "upgrade.yml", &[]).ok().changed(0);
    run(&lab, &[]).changed(0);

    play(&lab, "run", "remove.yml", &[])
        .status(2)
        .says("nothing was removed");
    assert_eq!(starts(&lab).len(), 7);
    timed("remove.yml", || {
        play(&lab, "run", "remove.yml", &["-e", "remove=airflow"]).ok()
    });
    let left: Vec<_> = starts(&lab).into_keys().collect();
    assert_eq!(left, ["node1 postgresql@15-main", "node1 rabbitmq-server"]);
    for host in lab.hosts() {
        let left = host.sh(
            "ls -d /app1/airflow /app1/airflow_logs /etc/airflow /etc/sysconfig/airflow* \
             /etc/systemd/system/airflow-* /etc/systemd/system/*.wants/airflow-* 2>/dev/null; id airflow 2>/dev/null; true",
        );
        assert_eq!(left, "", "{}", host.name());
    }
    let databases = control.sh("runuser -u postgres -- psql -XqAtc \"SELECT datname FROM pg_database WHERE datname = 'airflow' UNION SELECT rolname FROM pg_roles WHERE rolname = 'airflow'\"");
    assert_eq!(databases, "");
    let users = control.sh("rabbitmqctl -q list_users; rabbitmqctl -q list_vhosts");
    assert!(!users.contains("airflow"), "{users}");
    play(&lab, "run", "remove.yml", &["-e", "remove=airflow"])
        .ok()
        .changed(0);
}
