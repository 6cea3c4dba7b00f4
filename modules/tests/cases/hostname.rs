//! `hostname`: what it decides. What the kernel then says is in the lab's tests.

use evenkeel_engine::{fake::FakeHost, probes::Answered};
use evenkeel_modules::hostname::current;

use crate::support::{Expect, case};

/// Together, these set every argument there is.
pub(crate) const SAMPLES: &[&str] = &["hostname: {name: a, use: systemd}"];

fn host(live: &str) -> FakeHost {
    let answer = Answered {
        status: 0,
        stdout: live.to_owned(),
    };
    FakeHost::new().dir("/etc").answers(current(), answer)
}

pub(crate) fn cases() -> Vec<Expect> {
    let task = "hostname: {name: db1.example.org}";
    let name = "name: \"old\" -> \"db1.example.org\"";
    let refused = |name: &str, arg: &str| {
        case(name, &format!("hostname: {{name: '{arg}'}}")).refused("is no name of a host")
    };
    vec![
        case("HN-01 now and after the next start", task)
            .on(host("old")
                .file("/etc/hostname", "old\n")
                .mode("/etc/hostname", 0o640))
            .changes([
                "name after the next start: \"old\" -> \"db1.example.org\"",
                name,
            ])
            .then("/etc/hostname", "file 0640 root:root = db1.example.org\n")
            .gives("ansible_facts.ansible_hostname", "\"db1\"")
            .gives("ansible_facts.ansible_nodename", "\"db1.example.org\""),
        case("HN-02 in its state", task)
            .on(host("db1.example.org").file("/etc/hostname", "# ours\ndb1.example.org")),
        case("HN-03 only now", task)
            .on(host("old").file("/etc/hostname", "db1.example.org\n"))
            .changes([name]),
        case("HN-03 only after the next start", task)
            .on(host("db1.example.org").file("/etc/hostname", "old\n"))
            .changes(["name after the next start: \"old\" -> \"db1.example.org\""]),
        case("HN-04 no file", task)
            .on(host("db1.example.org"))
            .changes(["name after the next start: null -> \"db1.example.org\""])
            .then("/etc/hostname", "file 0644 root:root = db1.example.org\n"),
        case("HN-05 no root", task)
            .on(host("old").user("app", 1001).login("app"))
            .refused("only root may name a host"),
        refused("HN-06 an underscore is taken, a space is not", "a_b c"),
        refused("HN-06 a dash at an end", "a-.b"),
        refused("HN-06 an empty part", "a..b"),
        refused("HN-06 more than a line", "a$(b)"),
        refused("HN-06 too long", &"a".repeat(65)),
    ]
}
