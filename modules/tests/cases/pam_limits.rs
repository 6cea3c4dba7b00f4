//! `pam_limits`: what it writes. What PAM makes of it is in the lab's tests.

use evenkeel_engine::fake::FakeHost;

use crate::support::{Expect, case};

/// Together, these set every argument there is.
pub(crate) const SAMPLES: &[&str] = &[
    "pam_limits: {domain: a, limit_type: hard, limit_item: nofile, value: 1, use_max: true, dest: /a, backup: true, comment: b}",
    "pam_limits: {domain: a, limit_type: soft, limit_item: core, value: 1, use_min: true}",
];

const FILE: &str = "/etc/security/limits.conf";

fn host(text: &str) -> FakeHost {
    FakeHost::new().dir("/etc/security").file(FILE, text)
}

fn then(text: &str) -> String {
    format!("file = {text}")
}

pub(crate) fn cases() -> Vec<Expect> {
    let task = "pam_limits: {domain: '@adm', limit_type: '-', limit_item: nproc, value: 30}";
    let most =
        "pam_limits: {domain: a, limit_type: soft, limit_item: nofile, value: 30, use_max: true}";
    let least =
        "pam_limits: {domain: a, limit_type: soft, limit_item: nofile, value: 30, use_min: true}";
    let new = "pam_limits: {domain: a, limit_type: soft, limit_item: core, value: unlimited, comment: for a, dest: /etc/security/limits.d/a.conf}";
    vec![
        case("PAM-01 a line more, with an end of the last", task)
            .on(host("# of ours\na hard nproc 1"))
            .changes(["content"])
            .then(FILE, &then("# of ours\na hard nproc 1\n@adm\t-\tnproc\t30\n")),
        case("PAM-02 in its state", task).on(host("@adm  -  nproc 30 # so\n")),
        case("PAM-03 another value, its comment stays", task)
            .on(host("x - nproc 1\n@adm - nproc 20 #  old words\n\ny - nproc 1\n"))
            .changes(["content"])
            .then(FILE, &then("x - nproc 1\n@adm\t-\tnproc\t30\t# old words\n\ny - nproc 1\n")),
        case("PAM-04 a file of its own", new)
            .on(FakeHost::new().dir("/etc/security/limits.d"))
            .changes(["content"])
            .then("/etc/security/limits.d/a.conf", "file 0644 root:root = a\tsoft\tcore\tunlimited\t# for a\n"),
        case("PAM-04 no limit is no limit", new)
            .on(FakeHost::new().dir("/etc/security/limits.d").file("/etc/security/limits.d/a.conf", "a soft core -1\n")),
        case("PAM-05 a higher one stays", most).on(host("a soft nofile 40\n")),
        case("PAM-05 none is the highest", most).on(host("a soft nofile infinity\n")),
        case("PAM-05 a lower one does not", most)
            .on(host("a soft nofile 20\n"))
            .changes(["content"])
            .then(FILE, &then("a\tsoft\tnofile\t30\n")),
        case("PAM-05 a lower one stays", least).on(host("a soft nofile 20\n")),
        case("PAM-05 a higher one does not", least)
            .on(host("a soft nofile unlimited\n"))
            .changes(["content"])
            .then(FILE, &then("a\tsoft\tnofile\t30\n")),
        case("PAM-06 a line that is commented out is none", task)
            .on(host("#@adm - nproc 30\n"))
            .changes(["content"])
            .then(FILE, &then("#@adm - nproc 30\n@adm\t-\tnproc\t30\n")),
        case("PAM-07 no limit of that", "pam_limits: {domain: a, limit_type: '-', limit_item: nofile, value: many}")
            .refused("`many` is no limit of `nofile`"),
        case("PAM-07 nor of nice", "pam_limits: {domain: a, limit_type: '-', limit_item: nice, value: 20}")
            .refused("`20` is no limit of `nice`"),
        case("PAM-07 nice may be below 0", "pam_limits: {domain: a, limit_type: '-', limit_item: nice, value: -5}")
            .on(host("a - nice -5\n")),
        case("PAM-07 two words", "pam_limits: {domain: a b, limit_type: '-', limit_item: nofile, value: 1}")
            .refused("`a b` is no domain"),
        case("PAM-07 both ways", "pam_limits: {domain: a, limit_type: '-', limit_item: nofile, value: 1, use_max: true, use_min: true}")
            .refused("exclude each other"),
    ]
}
