//! `group`: what it decides. What the programs then do is in `tests/accounts.rs`.

use evenkeel_engine::fake::FakeHost;
use evenkeel_modules::{LocalGroup, Numbers, Taken};

use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "group: {name: app, state: absent, gid: 5, non_unique: true, system: true, force: true, \
     local: true, gid_min: 3, gid_max: 9}",
];

fn bare() -> FakeHost {
    let taken = Taken {
        users: [0, 1000].into(),
        groups: [0, 50, 1000].into(),
    };
    let mut host = FakeHost::new()
        .file("/etc/login.defs", "GID_MIN 1000\nGID_MAX 60000\n")
        .answers(Numbers, taken);
    for tool in ["groupadd", "groupmod", "groupdel"] {
        let path = format!("/usr/sbin/{tool}");
        host = host.file(&path, "").mode(&path, 0o755);
    }
    host.group("web", 50)
        .answers(LocalGroup("app".to_owned()), None)
}

fn with() -> FakeHost {
    bare()
        .group("app", 1001)
        .answers(LocalGroup("app".to_owned()), Some(1001))
}

pub(crate) fn cases() -> Vec<Expect> {
    vec![
        case("GRP-01 a new group", "group: {name: app}")
            .on(bare())
            .changes(["group: null -> \"app\""])
            .gives("gid", "1001"),
        case("GRP-01 in its state", "group: {name: app}").on(with()),
        case("GRP-01 of the system", "group: {name: app, system: true}")
            .on(bare())
            .changes(["group"])
            .gives("gid", "999"),
        case("GRP-02 with a number", "group: {name: app, gid: 4000}")
            .on(bare())
            .changes(["group"])
            .gives("gid", "4000"),
        case("GRP-02 with its number", "group: {name: app, gid: 1001}").on(with()),
        case("GRP-02 another number", "group: {name: app, gid: 4000}")
            .on(with())
            .changes(["gid: 1001 -> 4000"])
            .gives("gid", "4000"),
        case(
            "GRP-03 whose number",
            "group: {name: app, non_unique: true}",
        )
        .refused("`non_unique` without `gid`"),
        case("GRP-04 it goes", "group: {name: app, state: absent}")
            .on(with())
            .changes(["group: \"app\" -> null"]),
        case(
            "GRP-04 it is not there",
            "group: {name: app, state: absent}",
        )
        .on(bare()),
        case(
            "GRP-05 whoever is in it",
            "group: {name: app, state: absent, force: true}",
        )
        .on(with())
        .changes(["group"]),
        case("GRP-06 the number is taken", "group: {name: app, gid: 50}")
            .on(bare())
            .refused("belongs to the group `web`"),
        case(
            "GRP-07 only of this host",
            "group: {name: app, local: true}",
        )
        .on(with()),
        case(
            "GRP-07 a range",
            "group: {name: app, gid_min: 2000, gid_max: 2001}",
        )
        .on(bare())
        .changes(["group"])
        .gives("gid", "2000"),
    ]
}
