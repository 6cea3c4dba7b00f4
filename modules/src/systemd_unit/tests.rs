use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use evenkeel_engine::{
    Action, Cause, Change, Value, bind,
    probes::{FileStat, Kind, Stat},
};

use super::*;

fn args(json: serde_json::Value) -> Args {
    let args = bind(&Value::from(json)).unwrap();
    SystemdUnit::check(&args).unwrap();
    args
}

fn state(load: &str, active: &str, enabled: &str) -> UnitState {
    UnitState {
        load: load.to_owned(),
        active: active.to_owned(),
        enabled: enabled.to_owned(),
        ..UnitState::default()
    }
}

fn seen(args: &Args, state: UnitState) -> Seen {
    Seen::default().with(&args.unit(), state)
}

/// The changes and their programs, as `what: argv`.
fn plan(args: &Args, state: UnitState) -> Vec<String> {
    shown(&SystemdUnit::plan(args, &seen(args, state)).unwrap().changes)
}

fn shown(changes: &[Change]) -> Vec<String> {
    let argv = |change: &Change| match &change.steps[0].action {
        // Of the script: what it is told.
        Action::Run(run) if run.argv.get(3).is_some_and(|word| word == "systemd-unit") => {
            run.argv[5..7].join(" ")
        }
        Action::Run(run) => run.argv.join(" "),
        Action::Write(write) => format!("write {}", write.path),
        Action::Directory { path, .. } => format!("mkdir {path}"),
        other => panic!("{other:?}"),
    };
    changes
        .iter()
        .map(|change| format!("{}: {}", change.what, argv(change)))
        .collect()
}

fn unit(more: &serde_json::Value) -> Args {
    let mut json = serde_json::json!({ "name": "app" });
    json.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    args(json)
}

#[test]
fn started_and_stopped() {
    let started = unit(&serde_json::json!({ "state": "started" }));
    for up in ["active", "activating", "reloading"] {
        assert!(
            plan(&started, state("loaded", up, "enabled")).is_empty(),
            "{up}"
        );
    }
    for down in ["inactive", "failed", "auto-restart", "deactivating"] {
        assert_eq!(
            plan(&started, state("loaded", down, "enabled")),
            ["state: start app.service"],
            "{down}"
        );
    }
    let stopped = unit(&serde_json::json!({ "state": "stopped" }));
    for up in ["active", "activating", "auto-restart", "deactivating"] {
        assert_eq!(
            plan(&stopped, state("loaded", up, "enabled")),
            ["state: systemctl stop -- app.service"],
            "{up}"
        );
    }
    assert!(plan(&stopped, state("loaded", "failed", "enabled")).is_empty());
}

#[test]
fn restarted_and_reloaded_act_each_time() {
    let cause = |args: &Args, active: &str| {
        let plan =
            SystemdUnit::plan(args, &seen(args, state("loaded", active, "enabled"))).unwrap();
        (shown(&plan.changes).remove(0), plan.changes[0].cause)
    };
    let restarted = unit(&serde_json::json!({ "state": "restarted" }));
    let line = "restarted: restart app.service".to_owned();
    assert_eq!(cause(&restarted, "active"), (line, Cause::Act));
    let reloaded = unit(&serde_json::json!({ "state": "reloaded" }));
    let line = "reloaded: reload app.service".to_owned();
    assert_eq!(cause(&reloaded, "active"), (line, Cause::Act));
    let line = "started: start app.service".to_owned();
    assert_eq!(cause(&reloaded, "inactive"), (line, Cause::Act));
}

#[test]
fn enabled_and_disabled() {
    let enabled = unit(&serde_json::json!({ "enabled": true }));
    for on in ["enabled", "static", "generated"] {
        assert!(
            plan(&enabled, state("loaded", "active", on)).is_empty(),
            "{on}"
        );
    }
    for off in ["disabled", "enabled-runtime", "indirect", "alias", "linked"] {
        assert_eq!(
            plan(&enabled, state("loaded", "active", off)),
            ["enabled: systemctl enable -- app.service"],
            "{off}"
        );
    }
    let disabled = unit(&serde_json::json!({ "enabled": false }));
    for off in ["disabled", "indirect", "static", "masked"] {
        assert!(
            plan(&disabled, state("loaded", "active", off)).is_empty(),
            "{off}"
        );
    }
    assert_eq!(
        plan(&disabled, state("loaded", "active", "enabled-runtime")),
        ["enabled: systemctl disable --runtime -- app.service"]
    );
}

#[test]
fn masked_and_unmasked() {
    let masked = unit(&serde_json::json!({ "masked": true, "state": "stopped", "enabled": false }));
    let own = Stat("/etc/systemd/system/app.service".to_owned());
    let seen_now = || seen(&masked, state("loaded", "active", "enabled"));
    let file = FileStat {
        kind: Kind::File,
        mode: 0o644,
        uid: 0,
        gid: 0,
        owner: "root".to_owned(),
        group: "root".to_owned(),
    };
    let stop = SystemdUnit::plan(&masked, &seen_now().with(&own, Some(file)));
    assert!(
        matches!(stop, Err(Stop::Refused(why)) if why.message.contains("stands where the mask would be"))
    );
    assert_eq!(
        shown(
            &SystemdUnit::plan(&masked, &seen_now().with(&own, None))
                .unwrap()
                .changes
        ),
        [
            "enabled: systemctl disable -- app.service",
            "state: systemctl stop -- app.service",
            "masked: systemctl mask -- app.service"
        ]
    );
    assert!(plan(&masked, state("masked", "inactive", "masked")).is_empty());
    let back = unit(&serde_json::json!({ "masked": false, "state": "started", "enabled": true }));
    assert_eq!(
        plan(&back, state("masked", "inactive", "masked")),
        [
            "masked: systemctl unmask -- app.service",
            "enabled: systemctl enable -- app.service",
            "state: start app.service"
        ]
    );
    let start = unit(&serde_json::json!({ "state": "started" }));
    let stop = SystemdUnit::plan(&start, &seen(&start, state("masked", "inactive", "masked")));
    assert!(matches!(stop, Err(Stop::NotYet(what)) if what.0.contains("unmasked")));
}

#[test]
fn changed_unit_files_are_read_before_a_start() {
    let started = unit(&serde_json::json!({ "state": "restarted" }));
    let stale = UnitState {
        stale: true,
        ..state("loaded", "active", "enabled")
    };
    assert_eq!(
        plan(&started, stale.clone()),
        [
            "unit files that systemd has read: systemctl daemon-reload",
            "restarted: restart app.service"
        ]
    );
    let running = unit(&serde_json::json!({ "state": "started" }));
    assert!(plan(&running, stale).is_empty());
}

#[test]
fn a_reload_asked_for_runs_when_something_is_stale() {
    let args = args(serde_json::json!({ "daemon_reload": true }));
    let plan = |stale| {
        let seen = Seen::default().with(&AnyStale { scope: "system" }, stale);
        SystemdUnit::plan(&args, &seen).unwrap().changes.len()
    };
    assert_eq!((plan(true), plan(false)), (1, 0));
}

fn files(seen: Seen, there: Option<&str>) -> Seen {
    let seen = ["app.service", "app@7.service"]
        .into_iter()
        .fold(seen, |seen, name| files_of(seen, there, name));
    seen.with(&UnitNames { scope: "system" }, Vec::new())
}

/// The files that a unit may have: there is this one.
fn files_of(seen: Seen, there: Option<&str>, name: &str) -> Seen {
    let file = || FileStat {
        kind: Kind::File,
        mode: 0o644,
        uid: 0,
        gid: 0,
        owner: "root".to_owned(),
        group: "root".to_owned(),
    };
    let dirs = [
        "/etc/systemd",
        "/run/systemd",
        "/usr/lib/systemd",
        "/lib/systemd",
    ];
    let template = file::template(name);
    let names: Vec<&str> = [Some(name), template.as_deref()]
        .into_iter()
        .flatten()
        .collect();
    let paths = dirs
        .iter()
        .flat_map(|dir| names.iter().map(move |name| format!("{dir}/system/{name}")));
    paths.fold(seen, |seen, path| {
        let answer = (Some(path.as_str()) == there).then(file);
        seen.with(&Stat(path), answer)
    })
}

#[test]
fn a_unit_whose_file_is_new_would_be_started() {
    let started = unit(&serde_json::json!({ "state": "started", "enabled": true }));
    let missing = || seen(&started, state("not-found", "inactive", ""));
    let new = files(missing(), Some("/etc/systemd/system/app.service"));
    assert_eq!(
        shown(&SystemdUnit::plan(&started, &new).unwrap().changes),
        [
            "enabled: systemctl enable -- app.service",
            "unit files that systemd has read: systemctl daemon-reload",
            "state: start app.service"
        ]
    );
    let stop = SystemdUnit::plan(&started, &files(missing(), None));
    assert!(matches!(stop, Err(Stop::NotYet(what)) if what.0.contains("the unit `app.service`")));
    let instance = args(serde_json::json!({ "name": "app@7.service", "state": "started" }));
    let template = seen(&instance, state("not-found", "inactive", ""));
    let template = files(template, Some("/usr/lib/systemd/system/app@.service"));
    assert_eq!(
        SystemdUnit::plan(&instance, &template)
            .unwrap()
            .changes
            .len(),
        2
    );
}

#[test]
fn a_unit_that_cannot_be_loaded_says_why() {
    let started = unit(&serde_json::json!({ "state": "started" }));
    let broken = UnitState {
        error: "no ExecStart".to_owned(),
        ..state("bad-setting", "inactive", "")
    };
    let said = |text: &str| {
        let answer = evenkeel_engine::probes::Answered {
            status: 1,
            stdout: text.to_owned(),
        };
        let seen =
            seen(&started, broken.clone()).with(&file::verify("system", "app.service"), answer);
        match SystemdUnit::plan(&started, &seen) {
            Err(Stop::NotYet(what)) => what.0,
            other => panic!("{other:?}"),
        }
    };
    assert!(said("").contains("(systemd says: no ExecStart)"));
    assert!(
        said("app.service: has no ExecStart=\n")
            .contains("(systemd says: app.service: has no ExecStart=)")
    );
}

#[test]
fn a_unit_that_ends_by_itself_is_not_watched() {
    let started = unit(&serde_json::json!({ "state": "started" }));
    let passing = UnitState {
        passing: true,
        ..state("loaded", "inactive", "static")
    };
    let plan = SystemdUnit::plan(&started, &seen(&started, passing)).unwrap();
    assert_eq!(plan.changes[0].cause, Cause::Act);
}

#[test]
fn the_users_manager_is_found() {
    let args = unit(&serde_json::json!({ "enabled": true, "scope": "user" }));
    let lines = plan(&args, state("loaded", "inactive", "disabled"));
    assert!(
        lines[0].contains("XDG_RUNTIME_DIR") && lines[0].ends_with("sh enable -- app.service"),
        "{lines:?}"
    );
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let refused = |json: serde_json::Value| {
        SystemdUnit::check(&bind(&Value::from(json)).unwrap())
            .unwrap_err()
            .message
    };
    assert_eq!(
        refused(serde_json::json!({ "name": "app*" })),
        "`app*` is a pattern"
    );
    assert_eq!(
        refused(serde_json::json!({ "state": "started" })),
        "the argument `name` is missing"
    );
    let both = serde_json::json!({ "name": "a", "masked": true, "state": "started" });
    assert_eq!(refused(both), "a masked unit cannot be started");
}

#[test]
fn names_that_are_almost_the_same_are_named() {
    let names = [
        "airflow-webserver.service",
        "airflow-worker.service",
        "sshd.service",
        "app@.service",
    ];
    let probe = UnitNames { scope: "system" };
    let said = |wanted: &str| {
        let args = args(serde_json::json!({ "name": wanted, "state": "started" }));
        let seen = files_of(
            seen(&args, state("not-found", "inactive", "")),
            None,
            &args.unit().name,
        );
        let seen = seen.with(&probe, names.map(str::to_owned).to_vec());
        match SystemdUnit::plan(&args, &seen) {
            Err(Stop::NotYet(what)) => what.0,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        said("airflow"),
        "the unit `airflow.service` (there is `airflow-worker.service`, `airflow-webserver.service`)"
    );
    assert_eq!(said("ssdh"), "the unit `ssdh.service`");
    assert_eq!(
        said("airflow-workr"),
        "the unit `airflow-workr.service` (there is `airflow-worker.service`)"
    );
    assert_eq!(said("zzz"), "the unit `zzz.service`");
}

#[test]
fn a_call_is_served_by_a_start_that_came_after_it() {
    let restarted = unit(&serde_json::json!({ "state": "restarted" }));
    let thing = Thing::Unit("app.service".to_owned());
    let count = |called: bool, renewed: &[Thing], active: &str| {
        let seen = seen(&restarted, state("loaded", active, "enabled"));
        let seen = seen.called(called).and_renewed(renewed.to_vec());
        SystemdUnit::plan(&restarted, &seen).unwrap().changes.len()
    };
    assert_eq!(count(true, std::slice::from_ref(&thing), "active"), 0);
    assert_eq!(count(true, &[], "active"), 1);
    assert_eq!(
        count(true, &[Thing::Unit("other.service".to_owned())], "active"),
        1
    );
    assert_eq!(count(true, std::slice::from_ref(&thing), "failed"), 1);
    // As a task by itself it restarts each time.
    assert_eq!(count(false, std::slice::from_ref(&thing), "active"), 1);
}

#[test]
fn where_no_systemd_runs_units_are_enabled_and_no_more() {
    let enabled = unit(&serde_json::json!({ "enabled": true }));
    assert_eq!(
        plan(&enabled, state("loaded", "offline", "disabled")),
        ["enabled: systemctl enable -- app.service"]
    );
    let started = unit(&serde_json::json!({ "enabled": true, "state": "started" }));
    let stop = SystemdUnit::plan(
        &started,
        &seen(&started, state("loaded", "offline", "disabled")),
    );
    assert!(
        matches!(stop, Err(Stop::Refused(why)) if why.message.contains("systemd does not run"))
    );
}

/// Runs the script that starts a unit, with a `systemctl` that shows these states one after another.
fn act(states: &[&str]) -> (i32, String) {
    let started = unit(&serde_json::json!({ "state": "started", "steady": 1 }));
    let plan = SystemdUnit::plan(
        &started,
        &seen(&started, state("loaded", "inactive", "enabled")),
    );
    let Action::Run(run) = &plan.unwrap().changes[0].steps[0].action else {
        panic!()
    };
    let dir = tempfile::tempdir().unwrap();
    let program = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    for (number, said) in (1..).zip(states) {
        fs::write(
            dir.path().join(number.to_string()),
            format!("LoadState=loaded\nType=simple\n{said}"),
        )
        .unwrap();
    }
    program(
        "journalctl",
        "case \"$*\" in --sync) ;; *) echo 'its last words' ;; esac",
    );
    program(
        "systemctl",
        "cd \"${0%/*}\"; case \"$*\" in *' show '*) ;; *) echo \"$*\" >>told; exit ;; esac\n\
         n=$(($(cat n 2>/dev/null || echo 0) + 1)); [ -e $n ] || n=$((n - 1)); echo $n >n; cat $n",
    );
    let mut outcomes = Vec::new();
    for shell in ["dash", "bash"] {
        fs::remove_file(dir.path().join("n")).ok();
        let out = Command::new(shell)
            .args(&run.argv[1..])
            .env("PATH", format!("{}:/usr/bin:/bin", dir.path().display()))
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&out.stderr), "");
        let done = Done {
            status: out.status.code().unwrap(),
            stdout: out.stdout,
            ..Done::default()
        };
        let output = SystemdUnit::output(
            &started,
            &seen(&started, state("loaded", "failed", "enabled")),
            std::slice::from_ref(&done),
        );
        let said = match output {
            Err(Stop::Refused(why)) => format!("{}|{}", why.message, why.help.unwrap_or_default()),
            other => format!("{other:?}"),
        };
        outcomes.push((done.status, said));
    }
    let said = regex::Regex::new(r"\d+\.\d s").unwrap();
    for (_, text) in &mut outcomes {
        *text = said.replace_all(text, "[TIME]").into_owned();
    }
    assert_eq!(outcomes[0], outcomes[1]);
    outcomes.remove(0)
}

#[test]
fn a_unit_that_dies_after_its_start_fails_with_its_last_words() {
    let down = "ActiveState=inactive\nSubState=dead\nNRestarts=0\n";
    let up = "ActiveState=active\nSubState=running\nNRestarts=0\n";
    let again = "ActiveState=activating\nSubState=auto-restart\nNRestarts=0\nResult=exit-code\nExecMainCode=1\nExecMainStatus=7\n";
    assert_eq!(act(&[down, up]).0, 0);
    assert_eq!(
        act(&[down, up, again]),
        (
            21,
            "`app.service` was started but did not stay up: its program ended with status 7, [TIME] after it was told \
             to start; now it is activating (auto-restart), and systemd starts it again and again\nits journal:\n  \
             its last words|"
                .to_owned()
        )
    );
    // It runs again, but it is another one.
    let (status, said) = act(&[down, up, &up.replace("NRestarts=0", "NRestarts=1")]);
    assert_eq!(status, 21, "{said}");
    let ended = "ActiveState=inactive\nSubState=dead\nNRestarts=0\nResult=success\nExecMainCode=1\nExecMainStatus=0\n";
    let (status, said) = act(&[down, up, ended]);
    assert!(status == 21 && said.contains("`Type=forking`"), "{said}");
    let missing = "ActiveState=failed\nSubState=failed\nResult=resources\nEnvironmentFiles=/no/such (ignore_errors=no)\n";
    let (status, said) = act(&[down, missing]);
    assert!(
        status == 21 && said.contains("its `EnvironmentFile=/no/such` is not there"),
        "{said}"
    );
}

#[test]
fn the_file_of_a_unit_comes_first() {
    let content = "[Service]\nExecStart=/bin/sleep 9\n[Install]\nWantedBy=multi-user.target\n";
    let own = unit(&serde_json::json!({ "content": content, "state": "started", "enabled": true }));
    let path = "/etc/systemd/system/app.service";
    let root = || FileStat {
        kind: Kind::Directory,
        mode: 0o755,
        uid: 0,
        gid: 0,
        owner: "root".to_owned(),
        group: "root".to_owned(),
    };
    let base = |unit: UnitState| {
        let seen = seen(&own, unit).with(&Stat("/etc/systemd/system".to_owned()), Some(root()));
        seen.with(&evenkeel_engine::probes::Digest(path.to_owned()), None)
    };
    let missing = base(state("not-found", "inactive", "")).with(&Stat(path.to_owned()), None);
    assert_eq!(
        shown(&SystemdUnit::plan(&own, &missing).unwrap().changes),
        [
            format!("content: write {path}"),
            "enabled: systemctl enable -- app.service".to_owned(),
            "unit files that systemd has read: systemctl daemon-reload".to_owned(),
            "state: start app.service".to_owned(),
        ]
    );
    let file = FileStat {
        kind: Kind::File,
        mode: 0o644,
        ..root()
    };
    let other = base(state("loaded", "active", "enabled")).with(&Stat(path.to_owned()), Some(file));
    let other = other.with(
        &evenkeel_engine::probes::Digest(path.to_owned()),
        Some([1; 32]),
    );
    assert_eq!(
        shown(&SystemdUnit::plan(&own, &other).unwrap().changes),
        [
            format!("content: write {path}"),
            "unit files that systemd has read: systemctl daemon-reload".to_owned(),
            "its old file runs: restart app.service".to_owned(),
        ]
    );
}
