//! The controller is killed, and each host loses its power, at moments of the first run that nobody chose.

use evenkeel_integration_tests::{Random, Running};

use super::*;

/// How long after its begin a run is disturbed, at most. What is left of the first run shrinks from one to the next.
const LATEST: Duration = Duration::from_secs(40);

/// How long the others go on without a host that lost its power, at most; then somebody stops the run.
const ALONE: Duration = Duration::from_secs(10);

/// Who is hit.
const VICTIMS: [&str; 4] = ["the controller", "node1", "node2", "node3"];

#[test]
#[ignore = "needs root, a lab, and many minutes"]
fn a_first_run_that_is_hit_at_any_moment_is_ended_by_the_next() {
    if !need_lab() {
        return;
    }
    let Some(mut lab) = booted(&["node2", "node3"]) else {
        return;
    };
    lab.keep_quiet();
    let mut random = Random::new();
    let mut victims = VICTIMS;
    for last in (1..victims.len()).rev() {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "one of four"
        )]
        let other = (random.share() * (last + 1) as f64) as usize;
        victims.swap(last, other.min(last));
    }
    let mut ends = Vec::new();
    let mut keys = None;
    for victim in victims {
        let (moment, alone) = (random.share(), random.share());
        ends.push(hit(
            &lab,
            victim,
            LATEST.mul_f64(moment),
            ALONE.mul_f64(alone),
        ));
        let now = key(&lab);
        assert!(keys.is_none() || keys == now, "another key than before");
        keys = now;
    }
    ends.push(timed("the run that ends it", || run(&lab, &[])));
    once_only(&lab, &ends);
    run(&lab, &[]).changed(0);
    play(&lab, "run", "status.yml", &[]).ok();
    assert_eq!(finished(lab.host("node1"), "whole").len(), 4);
    keeps_secrets(&lab);
}

/// A run that somebody is taken from.
fn hit(lab: &Lab, victim: &str, moment: Duration, alone: Duration) -> Ended {
    let mut running = start(lab);
    let over = ends_within(&mut running, moment);
    let host = lab.hosts().iter().find(|host| host.name() == victim);
    match host {
        Some(host) => {
            host.power_off();
            // Else the others would be through, and nothing left for the next.
            if !ends_within(&mut running, alone) {
                running.signal("INT");
            }
        }
        None => drop(running.signal("KILL")),
    }
    let ended = running.wait();
    println!(
        "{victim} after {moment:?}{}: status {}, {} changed",
        if over { " (it was over)" } else { "" },
        ended.status,
        changed(&ended).len(),
    );
    // A host may have been through already.
    assert!(over || host.is_some() || ended.status != 0, "{ended}");
    if let Some(host) = host {
        host.power_on();
    }
    ended
}

/// Whether a run is over before that long.
fn ends_within(running: &mut Running, time: Duration) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < time && running.is_running() {
        std::thread::sleep(Duration::from_millis(50));
    }
    !running.is_running()
}

fn start(lab: &Lab) -> Running {
    lab.start(&[
        "-i",
        "hosts.ini",
        "--vault-password-file",
        "password",
        "--reconnect",
        "10",
    ])
}

/// The key that is made once, if it is there.
fn key(lab: &Lab) -> Option<String> {
    let sum = lab
        .host("node1")
        .sh("sha256sum </etc/airflow/fernet_key 2>/dev/null || true");
    (!sum.is_empty()).then_some(sum)
}

/// What has to happen once did not happen twice.
fn once_only(lab: &Lab, ends: &[Ended]) {
    let done = |name: &str| {
        let all = ends.iter().flat_map(changed);
        all.filter(|line| line == &format!("node1 {name}")).count()
    };
    for name in [
        "airflow : the key of connections is made",
        "airflow : the key of sessions is made",
        "control : the schema of the database",
        "control : the administrator",
    ] {
        println!("{name}: {}", done(name));
        assert!(done(name) <= 1, "{name}");
    }
    let control = lab.host("node1");
    assert_eq!(sql(control, "SELECT username FROM ab_user"), "admin\n");
    assert_eq!(sql(control, "SELECT count(*) FROM alembic_version"), "1\n");
    for file in ["fernet_key", "webserver_secret"] {
        let sums = ["node1", "node2", "node3"].map(|host| {
            lab.host(host)
                .sh(&format!("sha256sum </etc/airflow/{file}"))
        });
        assert!(sums.iter().all(|sum| sum == &sums[0]), "{file}: {sums:?}");
    }
}
