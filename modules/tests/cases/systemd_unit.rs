//! `systemd-unit`.

use evenkeel_engine::{
    Done,
    fake::{self, FakeHost},
    testing::Law,
};
use evenkeel_modules::systemd_unit::{Unit, UnitNames, UnitState};

use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "service: {name: app, sleep: 5, pattern: app, runlevel: 3, arguments: -v}",
    "systemd-unit: {name: app, state: stopped, enabled: true, masked: true, daemon_reload: true, \
     scope: user, no_block: true, force: true, steady: 7, content: text, src: u.j2, verify: false, \
     timeout: 9, health: {url: 'http://h/', validate_certs: false, status: [204], port: 5, host: h, command: c, timeout: 3}}",
];

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
    let names = UnitNames { scope: "system" };
    FakeHost::new()
        .answers(
            names,
            vec!["apps.service".to_owned(), "other.service".to_owned()],
        )
        .program("systemctl", |_, _| fake::ok(""))
        .program("sh", |_, _| fake::ok(""))
        .answers(unit, state)
}

/// A host on which a unit that is started dies at once.
fn dying() -> FakeHost {
    let said = "what=died\nactive=failed\nsub=failed\nresult=exit-code\ncode=1\nstatus=3\nafter=210\n\nlast words\n";
    host("loaded", "inactive", "enabled", false).program("sh", move |_, _| Done {
        status: 21,
        stdout: said.as_bytes().to_vec(),
        ..Done::default()
    })
}

const FILE: &str = "[Service]\nExecStart=/bin/app\n[Install]\nWantedBy=multi-user.target\n";

/// Units in all their states.
fn others() -> Vec<Expect> {
    let on = "systemd: {name: app, enabled: yes}";
    let off = "systemd: {name: app, enabled: no}";
    vec![
        case("SYS-03 enabled again", on).on(host("loaded", "inactive", "enabled", false)),
        case("SYS-03 disabled", off)
            .on(host("loaded", "inactive", "enabled", false))
            .changes(["enabled: \"enabled\" -> \"disabled\""]),
        case("SYS-03 disabled again", off).on(host("loaded", "inactive", "disabled", false)),
        case("SYS-07 enabled, but only through others", on)
            .on(host("loaded", "inactive", "indirect", false))
            .changes(["enabled: \"indirect\" -> \"enabled\""]),
        case("SYS-07 disabled, as it is only indirectly enabled", off)
            .on(host("loaded", "inactive", "indirect", false)),
        case("SYS-08 enabled until the next boot only", on)
            .on(host("loaded", "active", "enabled-runtime", false))
            .changes(["enabled: \"enabled-runtime\" -> \"enabled\""]),
        case("SYS-03 it has no [Install]", on)
            .on(host("loaded", "active", "static", false))
            .warns("has no `[Install]` section"),
        case(
            "SYS-09 its file stands where the mask would be",
            "systemd: {name: app, masked: yes}",
        )
        .on(host("loaded", "inactive", "disabled", false)
            .file("/etc/systemd/system/app.service", FILE))
        .refused("its own file, stands where the mask would be"),
    ]
}

/// Units that cannot be had, and units with a file.
fn refused_and_with_files() -> Vec<Expect> {
    let on = "systemd: {name: app, enabled: yes}";
    let own = "systemd-unit: {name: app, state: started, enabled: true, \
               content: \"[Service]\\nExecStart=/bin/app\\n[Install]\\nWantedBy=multi-user.target\\n\"}";
    vec![
        case(
            "SYS-11 a pattern",
            "systemd: {name: 'app*', state: started}",
        )
        .refused("`app*` is a pattern"),
        case(
            "SYS-11 no name of a unit",
            "systemd: {name: 'a b; c', state: started}",
        )
        .refused("is no name of a unit"),
        case(
            "SYS-06 a template does not run",
            "systemd: {name: app@, state: started}",
        )
        .refused("only its instances run"),
        case(
            "SYS-14 no systemd runs: started",
            "systemd: {name: app, state: started}",
        )
        .on(host("loaded", "offline", "disabled", false))
        .refused("systemd does not run on this host"),
        case("SYS-14 no systemd runs: enabled", on)
            .on(host("loaded", "offline", "disabled", false))
            .changes(["enabled"]),
        case(
            "SYS-18 it dies after its start",
            "systemd: {name: app, state: started}",
        )
        .on(dying())
        .without(Law::Foretold, "it does not come up")
        .without(Law::Quiet, "it does not come up")
        .without(Law::Cut, "it does not come up")
        .fails("did not stay up: its program ended with status 3, 2.1 s after"),
        case("SYS-05 its file is a part of the task", own)
            .on(host("not-found", "inactive", "", false).dir("/etc/systemd/system"))
            .changes([
                "content",
                "enabled",
                "unit files that systemd has read",
                "state",
            ])
            .then("/etc/systemd/system/app.service", "file 0644 root:root"),
        case("SYS-17 its file has changed: it is started anew", own)
            .on(host("loaded", "active", "enabled", false)
                .file("/etc/systemd/system/app.service", "old"))
            .changes([
                "content",
                "unit files that systemd has read",
                "its old file runs: true -> false",
            ]),
        case("SYS-01 its file is as it is wanted", own)
            .on(host("loaded", "active", "enabled", false)
                .file("/etc/systemd/system/app.service", FILE)),
    ]
}

pub(crate) fn cases() -> Vec<Expect> {
    let mut all = basic();
    all.extend(others());
    all.extend(refused_and_with_files());
    all
}

fn basic() -> Vec<Expect> {
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
        .not_yet("the unit `app.service` (there is `apps.service`)"),
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
