//! The same cluster by a program and the engine alone: `integration-tests/examples/airflow.rs`.

use std::path::PathBuf;

use evenkeel_integration_tests::{Ended, Lab, need_lab};
use serde_json::json;

use super::{
    airflow::{FIRST, booted, cache, wheels, works},
    python::{SHA, archive},
};

/// The example, which `cargo test --workspace` builds beside the tests.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().unwrap().join("../examples/airflow");
    let built = program.is_file();
    assert!(
        built,
        "build the example: `cargo test --workspace --no-run`"
    );
    program
}

fn run(lab: &Lab) -> Ended {
    lab.ended(lab.within(program()).arg("settings.json")).ok()
}

#[test]
#[ignore = "needs root, a lab, and many minutes"]
fn a_cluster_by_a_program() {
    if !need_lab() {
        return;
    }
    let (Some(mut lab), Some(archive), Some(wheels)) =
        (booted(&["node2", "node3"]), archive(), wheels(FIRST))
    else {
        return;
    };
    // Its units run until the end.
    lab.keep_quiet();
    let settings = json!({
        "hosts": ["node1", "node2", "node3"],
        "ssh_config": ".ssh/config",
        "network": "10.77.0.0/24",
        "python": "3.9.2",
        "python_archive": archive,
        "python_sha256": SHA,
        "python_builds": cache().join("builds"),
        "wheels": wheels,
        "constraints": "files/constraints-2.7.3-3.9.txt",
        "dags": "dags",
        "database_password": "s3cret-database",
        "broker_password": "s3cret-broker",
        "admin_password": "s3cret-admin",
        "fernet_key": "czNjcmV0LW9mLXRoZS1rZXktb2YtYS1jbHVzdGVyISE=",
        "webserver_secret": "s3cret-of-sessions",
    });
    lab.file("settings.json", &settings.to_string());
    run(&lab);
    works(&lab);
    let again = run(&lab);
    for host in ["node1", "node2", "node3"] {
        let line = format!("{host}: 0 changed, 1 exchanges");
        assert!(again.stdout.contains(&line), "{again}");
    }
}
