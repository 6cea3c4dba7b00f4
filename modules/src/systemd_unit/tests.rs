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
        Action::Run(run) => run.argv.join(" "),
        other => panic!("{other:?}"),
    };
    changes.iter().map(|change| format!("{}: {}", change.what, argv(change))).collect()
}

fn unit(more: &serde_json::Value) -> Args {
    let mut json = serde_json::json!({ "name": "app" });
    json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    args(json)
}

#[test]
fn started_and_stopped() {
    let started = unit(&serde_json::json!({ "state": "started" }));
    for up in ["active", "activating", "reloading"] {
        assert!(plan(&started, state("loaded", up, "enabled")).is_empty(), "{up}");
    }
    for down in ["inactive", "failed", "auto-restart", "deactivating"] {
        assert_eq!(
            plan(&started, state("loaded", down, "enabled")),
            ["state: systemctl start -- app.service"],
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
        let plan = SystemdUnit::plan(args, &seen(args, state("loaded", active, "enabled"))).unwrap();
        (shown(&plan.changes).remove(0), plan.changes[0].cause)
    };
    let restarted = unit(&serde_json::json!({ "state": "restarted" }));
    let line = "restarted: systemctl restart -- app.service".to_owned();
    assert_eq!(cause(&restarted, "active"), (line, Cause::Act));
    let reloaded = unit(&serde_json::json!({ "state": "reloaded" }));
    let line = "reloaded: systemctl reload -- app.service".to_owned();
    assert_eq!(cause(&reloaded, "active"), (line, Cause::Act));
    let line = "started: systemctl start -- app.service".to_owned();
    assert_eq!(cause(&reloaded, "inactive"), (line, Cause::Act));
}

#[test]
fn enabled_and_disabled() {
    let enabled = unit(&serde_json::json!({ "enabled": true }));
    for on in ["enabled", "static", "generated"] {
        assert!(plan(&enabled, state("loaded", "active", on)).is_empty(), "{on}");
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
        assert!(plan(&disabled, state("loaded", "active", off)).is_empty(), "{off}");
    }
    assert_eq!(
        plan(&disabled, state("loaded", "active", "enabled-runtime")),
        ["enabled: systemctl disable --runtime -- app.service"]
    );
}

#[test]
fn masked_and_unmasked() {
    let masked = unit(&serde_json::json!({ "masked": true, "state": "stopped", "enabled": false }));
    assert_eq!(
        plan(&masked, state("loaded", "active", "enabled")),
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
            "state: systemctl start -- app.service"
        ]
    );
    let start = unit(&serde_json::json!({ "state": "started" }));
    let stop = SystemdUnit::plan(&start, &seen(&start, state("masked", "inactive", "masked")));
    assert!(matches!(stop, Err(Stop::NotYet(what)) if what.0.contains("unmasked")));
}

#[test]
fn changed_unit_files_are_read_before_a_start() {
    let started = unit(&serde_json::json!({ "state": "restarted" }));
    let stale = UnitState { stale: true, ..state("loaded", "active", "enabled") };
    assert_eq!(
        plan(&started, stale.clone()),
        [
            "unit files that systemd has read: systemctl daemon-reload",
            "restarted: systemctl restart -- app.service"
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
    let file = || FileStat {
        kind: Kind::File,
        mode: 0o644,
        uid: 0,
        gid: 0,
        owner: "root".to_owned(),
        group: "root".to_owned(),
    };
    let dirs = ["/etc/systemd", "/run/systemd", "/usr/lib/systemd", "/lib/systemd"];
    let names = ["app.service", "app@7.service", "app@.service"];
    let paths = dirs.iter().flat_map(|dir| names.iter().map(move |name| format!("{dir}/system/{name}")));
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
            "state: systemctl start -- app.service"
        ]
    );
    let stop = SystemdUnit::plan(&started, &files(missing(), None));
    assert!(matches!(stop, Err(Stop::NotYet(what)) if what.0.contains("the unit `app.service`")));
    let instance = args(serde_json::json!({ "name": "app@7.service", "state": "started" }));
    let template = seen(&instance, state("not-found", "inactive", ""));
    let template = files(template, Some("/usr/lib/systemd/system/app@.service"));
    assert_eq!(SystemdUnit::plan(&instance, &template).unwrap().changes.len(), 2);
}

#[test]
fn a_unit_that_cannot_be_loaded_says_why() {
    let started = unit(&serde_json::json!({ "state": "started" }));
    let broken = UnitState { error: "no ExecStart".to_owned(), ..state("bad-setting", "inactive", "") };
    let stop = SystemdUnit::plan(&started, &seen(&started, broken));
    assert!(matches!(stop, Err(Stop::NotYet(what)) if what.0.contains("no ExecStart")));
}

#[test]
fn a_unit_that_ends_by_itself_is_not_watched() {
    let started = unit(&serde_json::json!({ "state": "started" }));
    let passing = UnitState { passing: true, ..state("loaded", "inactive", "static") };
    let plan = SystemdUnit::plan(&started, &seen(&started, passing)).unwrap();
    assert_eq!(plan.changes[0].cause, Cause::Act);
    assert_eq!(plan.changes[0].steps.len(), 1);
}

#[test]
fn the_users_manager_is_found() {
    let args = unit(&serde_json::json!({ "state": "started", "scope": "user" }));
    let lines = plan(&args, state("loaded", "inactive", "enabled"));
    assert!(lines[0].contains("XDG_RUNTIME_DIR") && lines[0].ends_with("sh start -- app.service"));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let refused = |json: serde_json::Value| {
        SystemdUnit::check(&bind(&Value::from(json)).unwrap()).unwrap_err().message
    };
    assert_eq!(refused(serde_json::json!({ "name": "app*" })), "`app*` is a pattern");
    assert_eq!(refused(serde_json::json!({ "state": "started" })), "the argument `name` is missing");
    let both = serde_json::json!({ "name": "a", "masked": true, "state": "started" });
    assert_eq!(refused(both), "a masked unit cannot be started");
}

/// Runs what watches a unit, with a `systemctl` that says these states one after another.
fn watch(states: &[&str]) -> (Option<i32>, String) {
    let started = unit(&serde_json::json!({ "state": "started", "steady": 1 }));
    let plan = SystemdUnit::plan(&started, &seen(&started, state("loaded", "inactive", "enabled")));
    let Action::Run(run) = &plan.unwrap().changes[0].steps[1].action else { panic!() };
    let dir = tempfile::tempdir().unwrap();
    let program = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    for (number, said) in (1..).zip(states) {
        fs::write(dir.path().join(number.to_string()), said).unwrap();
    }
    program("sleep", ":");
    program("journalctl", "echo 'no database' >&2");
    program("systemctl", "cd \"${0%/*}\"; n=$(($(cat n 2>/dev/null) + 1)); echo $n >n; cat $n");
    let out = Command::new(&run.argv[0])
        .args(&run.argv[1..])
        .env("PATH", format!("{}:/usr/bin:/bin", dir.path().display()))
        .output()
        .unwrap();
    (out.status.code(), String::from_utf8(out.stderr).unwrap())
}

#[test]
fn a_unit_that_dies_after_its_start_fails_with_its_last_words() {
    let up = "ActiveState=active\nSubState=running\nMainPID=7\n";
    let starting = "ActiveState=activating\nSubState=start\nMainPID=7\n";
    assert_eq!(watch(&[starting, up, up]), (Some(0), String::new()));
    let (status, said) = watch(&[up, "ActiveState=activating\nSubState=auto-restart\nMainPID=0\n"]);
    assert_eq!(status, Some(1));
    assert!(said.contains("`app.service` was started but is activating (auto-restart)"), "{said}");
    let (status, _) = watch(&[up, "ActiveState=active\nSubState=running\nMainPID=8\n"]);
    assert_eq!(status, Some(1));
}
