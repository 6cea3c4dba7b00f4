//! `package`.

use evenkeel_engine::fake::FakeHost;

use crate::support::{Expect, case};

fn with_apt(packages: &[&str]) -> FakeHost {
    crate::apt::host(packages)
}

fn with_dnf(packages: &[&str]) -> FakeHost {
    crate::yum::host(packages)
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
        case("PKG-05 there is none", "package: {name: gcc}")
            .on(FakeHost::new())
            .not_yet("a program for packages"),
    ]
}
