//! `package`.

use evenkeel_engine::fake::FakeHost;

use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "package: {name: [gcc], state: latest, use: apt, update_cache: true, allow_downgrade: true, \
         autoremove: true, lock_timeout: 9, cache_valid_time: 60, install_recommends: false, \
         default_release: bookworm-backports, purge: true}",
    "package: {name: [gcc], use: dnf, enablerepo: epel, disablerepo: ['*'], \
         disable_gpg_check: true}",
];

fn with_apt(packages: &[&str]) -> FakeHost {
    super::apt::host(packages)
}

fn with_dnf(packages: &[&str]) -> FakeHost {
    super::yum::host(packages)
}

pub(crate) fn cases() -> Vec<Expect> {
    vec![
        case("PKG-01 apt does it", "package: {name: [gcc, make]}")
            .on(with_apt(&["gcc"]))
            .changes(["package `make`: null -> \"1\""])
            .gives("packages.gcc", "\"1\""),
        case(
            "PKG-01 in its state",
            "ansible.builtin.package: {name: 'gcc,make', state: installed}",
        )
        .on(with_apt(&["gcc", "make"])),
        case(
            "PKG-01 it refuses what apt refuses",
            "package: {name: gcc-}",
        )
        .on(with_apt(&[]))
        .refused("an order to remove it"),
        case(
            "PKG-02 dnf does it",
            "package: {name: apple, state: latest}",
        )
        .on(with_dnf(&["apple"]))
        .changes(["package `apple`: \"1-1\" -> \"2-1\""])
        .gives("packages.apple", "\"2-1\""),
        case("PKG-02 gone", "package: {name: apple, state: absent}")
            .on(with_dnf(&["apple"]))
            .changes(["package `apple`: \"1-1\" -> null"]),
        case(
            "PKG-04 the one that is named",
            "package: {name: gcc, use: dnf}",
        )
        .on(with_dnf(&[]))
        .changes(["package `gcc`"]),
        case(
            "PKG-06 what its program has is done",
            "package: {name: apple, state: latest, enablerepo: 'a,b'}",
        )
        .on(with_dnf(&["apple"]))
        .changes(["package `apple`: \"1-1\" -> \"2-1\""]),
        case(
            "PKG-06 what only the other program has",
            "package: {name: gcc, enablerepo: epel}",
        )
        .on(with_apt(&[]))
        .refused("the host has apt, which has no `enablerepo`: that is of dnf"),
        case("PKG-05 there is none", "package: {name: gcc}")
            .on(FakeHost::new())
            .not_yet("a program for packages"),
    ]
}
