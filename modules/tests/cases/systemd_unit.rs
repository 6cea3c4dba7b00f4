//! `systemd-unit`.

use evenkeel_engine::fake::{self, FakeHost};
use evenkeel_modules::systemd_unit::{Unit, UnitState};

use crate::support::{Expect, case};

fn host(load: &str, active: &str, enabled: &str, stale: bool) -> FakeHost {
    let state = UnitState {
        load: load.to_owned(),
        active: active.to_owned(),
        enabled: enabled.to_owned(),
        stale,
        ..UnitState::default()
    };
    let unit = Unit {
        scope: "system",
        name: "app.service".to_owned(),
    };
    FakeHost::new()
        .program("systemctl", |_, _| fake::ok(""))
        .program("sh", |_, _| fake::ok(""))
        .answers(unit, state)
}

pub(crate) fn cases() -> Vec<Expect> {
    let all = "systemd: {name: app, state: stopped, enabled: no, masked: yes}";
    vec![
        case(
            "SYS-01 a unit that runs",
            "service: {name: app, state: started, enabled: yes}",
        )
        .on(host("loaded", "active", "enabled", true))
        .gives("status.ActiveState", "\"active\""),
        case(
            "SYS-02 a unit that does not run",
            "systemd-unit: {unit: app, state: started, enabled: yes}",
        )
        .on(host("loaded", "inactive", "disabled", true))
        .changes([
            "enabled: \"disabled\" -> \"enabled\"",
            "unit files that systemd has read",
            "state: \"inactive\" -> \"active\"",
        ])
        .gives("status.UnitFileState", "\"enabled\""),
        case(
            "SYS-04 there is no such unit",
            "systemd: {name: app, state: started}",
        )
        .on(host("not-found", "inactive", "", false))
        .not_yet("the unit `app.service`"),
        case(
            "SYS-05 its file is new",
            "systemd: {name: app, state: started}",
        )
        .on(host("not-found", "inactive", "", false)
            .file("/etc/systemd/system/app.service", "[Unit]\n"))
        .changes(["unit files that systemd has read", "state"])
        .gives("status.ActiveState", "\"active\""),
        case(
            "SYS-10 restarted each time",
            "systemd: {name: app, state: restarted}",
        )
        .on(host("loaded", "active", "enabled", false))
        .changes(["restarted"]),
        case("SYS-21 state, enabled and the mask in one task", all)
            .on(host("loaded", "active", "enabled", false))
            .changes(["enabled", "state", "masked"])
            .gives("status.LoadState", "\"masked\""),
        case("SYS-21 in its state", all).on(host("masked", "inactive", "masked", false)),
    ]
}
