//! `package`.

use evenkeel_engine::fake::FakeHost;

use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "package: {name: [gcc], state: latest, use: apt, update_cache: true, allow_downgrade: true, autoremove: true, \
         lock_timeout: 5, cache_valid_time: 60, update_cache_retries: 2, purge: true, install_recommends: false, \
         only_upgrade: true, default_release: x, dpkg_options: force-confnew, allow_change_held_packages: true, \
         allow_unauthenticated: true, force: true, fail_on_autoremove: true, policy_rc_d: 101, force_apt_get: true}",
    "package: {name: [gcc], use: dnf, update_only: true, enablerepo: a, disablerepo: b, exclude: c, \
         disable_excludes: main, disable_plugin: d, enable_plugin: e, disable_gpg_check: true, allowerasing: true, \
         security: true, bugfix: true, cacheonly: true, install_weak_deps: false, nobest: true, skip_broken: true, \
         conf_file: /f, releasever: '9', validate_certs: false, download_only: true, download_dir: /d}",
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
            "PKG-06 what apt takes goes to apt",
            "package: {name: gcc, install_recommends: false, default_release: stable}",
        )
        .on(with_apt(&["gcc"])),
        case(
            "PKG-06 what dnf takes goes to dnf",
            "package: {name: apple, allowerasing: true, nobest: true}",
        )
        .on(with_dnf(&["apple"])),
        case(
            "PKG-06 what apt takes is refused where dnf does it",
            "package: {name: gcc, cache_valid_time: 60}",
        )
        .on(with_dnf(&[]))
        .refused("`cache_valid_time` is for apt, and packages are kept by dnf here"),
        case(
            "PKG-06 what dnf takes is refused where apt does it",
            "package: {name: gcc, enablerepo: epel}",
        )
        .on(with_apt(&[]))
        .refused("`enablerepo` is for dnf, and packages are kept by apt here"),
        case(
            "PKG-06 no host takes both",
            "package: {name: gcc, enablerepo: epel, cache_valid_time: 60}",
        )
        .refused("no host takes both"),
        case("PKG-05 there is none", "package: {name: gcc}")
            .on(FakeHost::new())
            .not_yet("a program for packages"),
    ]
}
