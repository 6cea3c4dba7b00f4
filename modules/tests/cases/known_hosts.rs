//! `known_hosts`: what comes into the file. What ssh makes of it is in the lab's tests.

use evenkeel_engine::fake::FakeHost;

use crate::support::{Expect, case};

/// Together, these set every argument there is.
pub(crate) const SAMPLES: &[&str] =
    &["known_hosts: {name: h, key: h ssh-rsa AAAA, path: /f, hash_host: true, state: absent}"];

fn host(text: &str) -> FakeHost {
    FakeHost::new().file("/etc/known", text)
}

pub(crate) fn cases() -> Vec<Expect> {
    let task = "known_hosts: {name: h, path: /etc/known, key: 'h ssh-rsa AAAA'}";
    let absent = "known_hosts: {name: h, path: /etc/known, state: absent}";
    vec![
        case(
            "KH-01 no file, in the home of who acts",
            "known_hosts: {host: h, key: h ssh-rsa AAAA}",
        )
        .on(FakeHost::new().dir("/root"))
        .changes(["directory", "content"])
        .then("/root/.ssh", "directory 0700 root:root")
        .then(
            "/root/.ssh/known_hosts",
            "file 0644 root:root = h ssh-rsa AAAA\n",
        )
        .rounds(2, "whose home it is decides which file is read"),
        case("KH-02 another key", task)
            .on(host("a x y\nh ssh-rsa BBBB\n"))
            .changes(["content"])
            .then("/etc/known", "file = a x y\nh ssh-rsa AAAA\n"),
        case("KH-03 in its state", task).on(host("a x y\nh ssh-rsa AAAA\n")),
        case("KH-04 all of them gone", absent)
            .on(host("h ssh-rsa AAAA\na x y\nh,b ssh-ed25519 CCCC\n"))
            .changes(["content"])
            .then("/etc/known", "file = a x y\n"),
        case("KH-04 none there", absent).on(host("a x y\n")),
        case("KH-04 no file", absent).on(FakeHost::new().dir("/etc")),
        case(
            "KH-05 two names",
            "known_hosts: {name: 'a,b', key: 'a,b ssh-rsa AAAA'}",
        )
        .refused("`a,b` is not the name of one host"),
        case(
            "KH-06 of another host",
            "known_hosts: {name: h, key: i ssh-rsa AAAA}",
        )
        .refused("`key` is of `i`, not of `h`"),
        case("KH-06 no key", "known_hosts: {name: h}").refused("`key` is missing"),
        case("KH-06 no line", "known_hosts: {name: h, key: AAAA}")
            .refused("`AAAA` is no line of known hosts"),
    ]
}
