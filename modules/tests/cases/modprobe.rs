//! `modprobe`: what it decides. What the kernel then has is in the lab's tests.

use evenkeel_engine::{fake::FakeHost, probes::Answered};
use evenkeel_modules::modprobe::loaded;

use crate::support::{Expect, case};

/// Together, these set every argument there is.
pub(crate) const SAMPLES: &[&str] =
    &["modprobe: {name: a, state: absent, params: b=1, persistent: absent}"];

fn host(now: &str) -> FakeHost {
    let answer = Answered {
        status: 0,
        stdout: now.to_owned(),
    };
    FakeHost::new()
        .dir("/etc/modules-load.d")
        .dir("/etc/modprobe.d")
        .answers(loaded("dummy"), answer)
}

pub(crate) fn cases() -> Vec<Expect> {
    let task = "modprobe: {name: dummy}";
    let always = "modprobe: {name: dummy, params: numdummies=2, persistent: present}";
    let never = "modprobe: {name: dummy, state: absent, persistent: absent}";
    let load = "/etc/modules-load.d/dummy.conf";
    let options = "/etc/modprobe.d/dummy.conf";
    vec![
        case("MPR-01 it is loaded", task)
            .on(host("absent"))
            .changes(["module: \"absent\" -> \"loaded\""])
            .then(load, "nothing"),
        case("MPR-02 in its state", task).on(host("loaded")),
        case("MPR-02 a part of the kernel", task).on(host("builtin")),
        case("MPR-03 at each start", always)
            .on(host("loaded").file(options, "options dummy numdummies=1\nblacklist x\n"))
            .changes(["content", "content"])
            .then(load, "file 0644 root:root = dummy\n")
            .then(options, "file = options dummy numdummies=2\nblacklist x\n"),
        case("MPR-03 so it is", always).on(host("loaded")
            .file(load, "# ours\ndummy\n")
            .file(options, "options dummy numdummies=2\n")),
        case("MPR-04 never again", never)
            .on(host("loaded")
                .file(load, "dummy\n")
                .file(options, "options dummy numdummies=2\nblacklist x"))
            .changes(["module: \"loaded\" -> \"absent\"", "content", "content"])
            .then(load, "file = ")
            .then(options, "file = blacklist x"),
        case("MPR-05 a part of the kernel cannot go", never)
            .on(host("builtin"))
            .refused("is a part of this kernel itself"),
        case(
            "MPR-06 both ways",
            "modprobe: {name: dummy, state: absent, persistent: present}",
        )
        .refused("unloads what `persistent: present` loads"),
        case("MPR-06 no module", "modprobe: {name: a/b}").refused("is no name of a module"),
    ]
}
