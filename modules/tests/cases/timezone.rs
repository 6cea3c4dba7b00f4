//! `timezone`: what it decides.

use evenkeel_engine::fake::FakeHost;

use crate::support::{Expect, case};

/// Together, these set every argument there is.
pub(crate) const SAMPLES: &[&str] = &["timezone: {name: Etc/UTC}"];

fn host() -> FakeHost {
    FakeHost::new()
        .dir("/etc")
        .file("/usr/share/zoneinfo/Europe/Paris", "TZif")
        .file("/usr/share/zoneinfo/Etc/UTC", "TZif")
}

pub(crate) fn cases() -> Vec<Expect> {
    let task = "timezone: {name: Europe/Paris}";
    vec![
        case("TZ-01 another zone", task)
            .on(host()
                .link("/etc/localtime", "/usr/share/zoneinfo/Etc/UTC")
                .file("/etc/timezone", "Etc/UTC\n"))
            .changes(["zone: \"Etc/UTC\" -> \"Europe/Paris\"", "content"])
            .then(
                "/etc/localtime",
                "link -> ../usr/share/zoneinfo/Europe/Paris",
            )
            .then("/etc/timezone", "file = Europe/Paris\n"),
        case("TZ-01 none", task)
            .on(host())
            .changes(["zone: null -> \"Europe/Paris\""])
            .then("/etc/timezone", "nothing"),
        case("TZ-02 in its state", task).on(host()
            .link("/etc/localtime", "/usr/share/zoneinfo/Europe/Paris")
            .file("/etc/timezone", "Europe/Paris\n")),
        case("TZ-03 no such zone", "timezone: {name: Europe/Nowhere}")
            .on(host())
            .not_yet("the time zone `Europe/Nowhere`"),
        case("TZ-03 no place", "timezone: {name: Europe}")
            .on(host())
            .refused("is a part of the world"),
        case("TZ-04 it leads out", "timezone: {name: ../../etc/passwd}")
            .refused("is no name of a time zone"),
    ]
}
