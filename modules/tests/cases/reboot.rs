//! `reboot`: what it decides. That hosts go down once and come back is in the lab's tests.

use evenkeel_engine::fake::FakeHost;
use evenkeel_modules::reboot::{Boot, Boots, Since};

use crate::support::{Expect, case};

/// Together, these set every argument there is.
pub(crate) const SAMPLES: &[&str] = &[
    "reboot: {reboot_timeout: 5, pre_reboot_delay: 1, post_reboot_delay: 2, test_command: t, msg: m, reboot_command: r, \
     boot_time_command: b, connect_timeout: 3, search_paths: [/p]}",
];

fn host(here: bool) -> FakeHost {
    let boot = Boot {
        now: "a".to_owned(),
        here,
        ..Boot::default()
    };
    FakeHost::new()
        .answers(Boots, boot)
        .answers(Since("a".to_owned()), false)
}

pub(crate) fn cases() -> Vec<Expect> {
    vec![
        case("RBT-01 it is started again", "reboot: {}")
            .on(host(false))
            .changes(["boot: null -> \"another one\""])
            .gives("rebooted", "true"),
        case(
            "RBT-02 in its own time",
            "reboot: {pre_reboot_delay: 5, post_reboot_delay: 1, test_command: 'true'}",
        )
        .on(host(false))
        .changes(["boot"]),
        case("RBT-03 this machine", "reboot: {}")
            .on(host(true))
            .refused("evenkeel itself runs on this machine"),
        case("RBT-04 no root", "reboot: {}")
            .on(host(false).user("app", 1001).login("app"))
            .refused("only root may start a host again"),
        case("an empty command", "reboot: {test_command: ' '}").refused("a command is empty"),
    ]
}
