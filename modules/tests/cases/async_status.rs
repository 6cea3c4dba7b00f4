//! `async_status`. That jobs go on and are found again is in the runner's tests.

use evenkeel_engine::{Done, fake::FakeHost};

use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &["async_status: {jid: j1, mode: cleanup}"];

/// A host whose job stands so.
fn host(status: i32, stdout: &'static str) -> FakeHost {
    FakeHost::new().program("async_status", move |_, _| Done {
        status,
        stdout: stdout.into(),
        ..Done::default()
    })
}

pub(crate) fn cases() -> Vec<Expect> {
    vec![
        case("it has ended", "async_status: {jid: j1}")
            .on(host(0, "ended 0 1500 0\nnow it is\ndone\n"))
            .changes(["job j1"])
            .gives("finished", "true")
            .gives("rc", "0")
            .gives("delta", "\"0:00:01.500000\"")
            .gives("stdout", "\"now it is\\ndone\""),
        case("it had ended with its task", "async_status: {jid: ended}")
            .gives("finished", "true")
            .gives("started", "true"),
        case("no name of a job", "async_status: {jid: ../x}").refused("`jid` is no name of a job"),
    ]
}
