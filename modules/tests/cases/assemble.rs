//! `assemble`: what it decides.

use evenkeel_engine::{fake::FakeHost, probes::Answered};
use evenkeel_modules::assemble::fragments;

use crate::support::{Expect, case};

/// Together, these set every argument there is.
pub(crate) const SAMPLES: &[&str] = &[
    "assemble: {src: /a, dest: /b, delimiter: c, regexp: d, ignore_hidden: true, remote_src: false, backup: true, \
     validate: 'true %s', owner: root, group: root, mode: '0600'}",
];

fn host(names: &str) -> FakeHost {
    let answer = Answered {
        status: 0,
        stdout: names.to_owned(),
    };
    FakeHost::new()
        .dir("/etc")
        .file("/srv/d/10-b", "b")
        .file("/srv/d/02-a", "a\n")
        .file("/srv/d/.x", "hidden\n")
        .answers(fragments("/srv/d"), answer)
}

pub(crate) fn cases() -> Vec<Expect> {
    let task = "assemble: {src: /srv/d/, dest: /etc/app.conf}";
    let why = "the names of the fragments decide what is read";
    vec![
        case("ASM-01 in the order of their names", task)
            .on(host("10-b\n02-a"))
            .changes(["content"])
            .then("/etc/app.conf", "file 0644 root:root = a\nb")
            .rounds(2, why),
        case("ASM-02 in its state", task)
            .on(host("10-b\n02-a").file("/etc/app.conf", "a\nb"))
            .rounds(2, why),
        case(
            "ASM-03 with a delimiter, and other attributes",
            "assemble: {src: /srv/d, dest: /etc/app.conf, delimiter: '# --', mode: '0600'}",
        )
        .on(host("10-b\n02-a").file("/etc/app.conf", "old\n"))
        .changes(["content", "mode"])
        .then("/etc/app.conf", "file 0600 root:root = a\n# --\nb")
        .rounds(2, why),
        case(
            "ASM-04 only some",
            "assemble: {src: /srv/d, dest: /etc/app.conf, ignore_hidden: true, regexp: '^(10|.x)'}",
        )
        .on(host(".x\n10-b\n02-a"))
        .changes(["content"])
        .then("/etc/app.conf", "file = b")
        .rounds(2, why),
        case("ASM-05 no directory", task)
            .on(FakeHost::new().dir("/etc").answers(
                fragments("/srv/d"),
                Answered {
                    status: 1,
                    stdout: String::new(),
                },
            ))
            .not_yet("the directory `/srv/d"),
        case(
            "ASM-06 fragments of this machine",
            "assemble: {src: d, dest: /etc/app.conf, remote_src: false}",
        )
        .refused("`remote_src: false` is not supported"),
    ]
}
