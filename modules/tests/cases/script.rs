//! `script`: what it decides. That the script comes, runs and goes is in the lab's tests.

use evenkeel_engine::{
    Done, Secret, Source, Value,
    fake::{self, FakeHost},
    testing::Law,
};

use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "script: {cmd: a.sh b, src: /a.sh, executable: /bin/bash, creates: [/c], removes: [/r], unless: [u], onlyif: [o], \
     chdir: /d, strip_empty_ends: false, long: true, timeout: 5, decrypt: false}",
    "script: {src: /a.sh, argv: [a, b c]}",
];

/// A host whose `sh` writes what it was given.
fn host() -> FakeHost {
    let sh = |world: &mut fake::World, call: &fake::Call| {
        let words = call.args();
        let said = format!(
            "{} < {}",
            words[3..].join("|"),
            String::from_utf8_lossy(&call.stdin)
        );
        world.write("/srv/made", said);
        fake::ok("done\n\n")
    };
    FakeHost::new().dir("/srv").program("sh", sh)
}

fn script(name: &str, yaml: &str) -> Expect {
    let source = Source::inline("files/mig rate.sh", b"#!/bin/sh\necho $1\n".to_vec());
    case(name, yaml).arg("src", Value::Source(source))
}

pub(crate) fn cases() -> Vec<Expect> {
    [runs(), refusals()].concat()
}

fn runs() -> Vec<Expect> {
    let body = "#!/bin/sh\necho $1\n";
    vec![
        script(
            "SCR-01 a line",
            "script: {cmd: \"'mig rate.sh' 'a b' $HOME\"}",
        )
        .on(host())
        .changes(["run `'mig rate.sh' 'a b' $HOME`"])
        .then(
            "/srv/made",
            &format!("file = mig rate.sh||'a b' $HOME < {body}"),
        )
        .gives("rc", "0")
        .gives("stdout", "\"done\""),
        script(
            "SCR-02 by a program",
            "script: {cmd: x a, executable: '/usr/bin/env -i bash'}",
        )
        .on(host())
        .changes(["run `x a`"])
        .then(
            "/srv/made",
            &format!("file = mig rate.sh|/usr/bin/env -i bash|a < {body}"),
        ),
        script(
            "SCR-03 arguments as a list",
            "script: {argv: ['a b', '\"']}",
        )
        .on(host())
        .changes(["run `files/mig rate.sh a b \"`"])
        .then(
            "/srv/made",
            &format!("file = mig rate.sh|||a b|\" < {body}"),
        ),
        script(
            "SCR-04 what it creates is there",
            "script: {cmd: x, creates: /srv/made}",
        )
        .on(host().file("/srv/made", "before"))
        .gives("msg", "\"Did not run command since '/srv/made' exists\"")
        .then("/srv/made", "file = before"),
        script(
            "SCR-04 what it creates is missing",
            "script: {cmd: x, creates: /srv/made}",
        )
        .on(host())
        .changes(["run `x`"]),
        script(
            "SCR-05 what it removes is missing",
            "script: {cmd: x, removes: /srv/old}",
        )
        .on(host()),
        script("SCR-06 it fails", "script: {cmd: x}")
            .on(FakeHost::new().program("sh", |_, _| Done {
                status: 3,
                stderr: b"no\n".to_vec(),
                ..Done::default()
            }))
            .changes(["run `x`"])
            .fails("no"),
        script("SCR-06 nothing runs it", "script: {cmd: x}")
            .on(FakeHost::new().program("sh", |_, _| fake::failed(127, "sh: /tmp/x: not found")))
            .changes(["run `x`"])
            .fails("not found"),
        script("SCR-07 a secret argument", "script: {argv: [a]}")
            .arg(
                "argv",
                Value::Seq(vec![Value::Secret(Secret::new("s3cret"))]),
            )
            .on(host())
            .changes(["run `files/mig rate.sh ***`"])
            .without(
                Law::Secrets,
                "a secret argument is in the argument list, as for `command`",
            ),
    ]
}

fn refusals() -> Vec<Expect> {
    vec![
        case("no script", "script: {creates: /x}").refused("no script given"),
        script("a line and a list", "script: {cmd: a, argv: [b]}")
            .refused("`cmd` and `argv` exclude each other"),
        script("an open quote", "script: {cmd: \"a 'b\"}").refused("a quote is not closed"),
        case("a file of the host", "script: {src: /x.sh}")
            .refused("`/x.sh` is no file of this machine"),
    ]
}
