//! `yum-repository`.

use evenkeel_engine::fake::FakeHost;

use crate::support::{Expect, case};

const FILE: &str = "/etc/yum.repos.d/shop.repo";
const WHOLE: &str = "[shop]\nname = The shop\nbaseurl = http://a/\n\thttp://b/\ngpgcheck = 1\n";
const TASK: &str = "yum_repository: {name: shop, description: The shop, baseurl: ['http://a/', 'http://b/'], gpgcheck: true";

fn host(text: Option<&str>) -> FakeHost {
    let host = FakeHost::new().dir("/etc/yum.repos.d");
    match text {
        Some(text) => host.file(FILE, text),
        None => host,
    }
}

fn task(more: &str) -> String {
    format!("{TASK}{more}}}")
}

pub(crate) fn cases() -> Vec<Expect> {
    let other = format!("# ours\n[other]\nname=Other\n\n{WHOLE}");
    let loose = "[shop]\ngpgcheck=1\nname=The shop\nbaseurl=http://a/\n   http://b/\n";
    vec![
        case("YR-01 a new one", &task(""))
            .on(host(None))
            .changes(["content"])
            .then(FILE, &format!("file 0644 root:root = {WHOLE}"))
            .gives("repo", "\"shop\""),
        case("YR-01 in its state", &task("")).on(host(Some(WHOLE))),
        case("YR-01 in its state, however it is written", &task("")).on(host(Some(loose))),
        case(
            "YR-02 gone with its file",
            "yum-repository: {name: shop, state: absent}",
        )
        .on(host(Some(WHOLE)))
        .changes(["file"])
        .then(FILE, "nothing"),
        case(
            "YR-02 gone from its file",
            "yum-repository: {name: shop, state: absent}",
        )
        .on(host(Some(&other)))
        .changes(["content"])
        .then(FILE, "file = # ours\n[other]\nname=Other\n"),
        case(
            "YR-02 not there",
            "yum-repository: {name: shop, state: absent}",
        )
        .on(host(None)),
        case(
            "YR-02 not in its file",
            "yum-repository: {name: shop, state: absent}",
        )
        .on(host(Some("[other]\nname=Other\n"))),
        case("YR-03 options that are not given are dropped", &task(""))
            .on(host(Some(&WHOLE.replace(
                "gpgcheck = 1",
                "gpgcheck = 0\nproxy = http://p/",
            ))))
            .changes(["content"])
            .then(FILE, &format!("file = {WHOLE}")),
        case("YR-04 a list is one line each", &task(", gpgkey: [a, b]"))
            .on(host(None))
            .changes(["content"])
            .then(FILE, &format!("file = {WHOLE}gpgkey = a\n\tb\n")),
        case("YR-05 the mode counts", &task(", mode: '0600'"))
            .on(host(Some(WHOLE)))
            .changes(["mode: \"0644\" -> \"0600\""]),
        case(
            "YR-05 a new file with a password is its owner's",
            &task(", password: x"),
        )
        .on(host(None))
        .changes(["content"])
        .then(FILE, "file 0600 root:root"),
        case("another file", &task(", file: tools"))
            .on(host(None))
            .changes(["content"])
            .then("/etc/yum.repos.d/tools.repo", &format!("file = {WHOLE}")),
        case("no address", "yum-repository: {name: shop, description: x}")
            .refused("one of `baseurl`, `metalink` and `mirrorlist` is needed"),
        case("no description", "yum-repository: {name: shop, baseurl: x}")
            .refused("`description` is missing"),
        case("no name", "yum-repository: {name: 'a]b', state: absent}")
            .refused("cannot be the name of a repository"),
        case(
            "a line in a value",
            "yum-repository: {name: shop, description: \"a\\n[b]\", baseurl: x}",
        )
        .refused("`name` holds the end of a line"),
    ]
}
